/* Conclusions: an answer, the rule behind it, and the facts that the rule stands on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { at, together, violations } from "./browser.js";

const NAME = "link-prediction";
const house = together({ own: [NAME] });

test("a fact and the rule behind it", async () => {
  const page = await house.visit(at(NAME));
  assert.deepEqual(await page.getByLabel("Question").locator("option").allTextContents(), ["Tail", "Head", "Relation", "True"]);
  await page.getByLabel("Head", { exact: true }).fill("Jon Hazel");
  await page.getByLabel("Relation", { exact: true }).fill("grandparent of");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.waitForSelector(".result .facts");
  assert.equal(await page.locator(".result .headline").textContent(), "Leo Hazel");
  assert.ok((await page.locator(".result .facts li").count()) > 0);
  await page.getByRole("button", { name: "Why" }).click();
  await page.waitForSelector(".why .faith");
  await page.waitForSelector(".why .facts");
  assert.match(await page.locator(".why .across").first().textContent(), /Rules that lead to this answer/);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.seen.complaints, []);
  await page.context().close();
});
