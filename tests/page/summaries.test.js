/* Summaries: a text and its sentences, and from which of them a summary is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { at, together, violations } from "./browser.js";

const NAME = "summarization";
const NOTICE = "Dear neighbours. The zoo in River Walk will stay closed on Sunday because of illness. Mr Brown thanks you.";
const house = together({ own: [NAME] });

test("a summary, the sentences that it is from, and the sentences that say most", async () => {
  const page = await house.visit(at(NAME));
  assert.deepEqual(await page.getByLabel("Question").locator("option").allTextContents(), ["Summary", "Sentences"]);
  await page.getByLabel("Text", { exact: true }).fill(NOTICE);
  await page.getByRole("button", { name: "Ask" }).click();
  await page.waitForSelector(".result .prose");
  await page.getByRole("button", { name: "Why" }).click();
  await page.waitForSelector(".why .faith");
  const drawn = page.locator(".why .across", { hasText: "Which sentences it is from" });
  assert.equal(await drawn.locator("li").count(), 3);
  assert.match(await drawn.locator("li").nth(1).textContent(), /^2\. The zoo in River Walk/);
  assert.deepEqual(await violations(page), []);

  await page.getByLabel("Question").selectOption("sentences");
  await page.getByLabel("Text", { exact: true }).fill(NOTICE);
  await page.getByRole("button", { name: "Ask" }).click();
  await page.waitForSelector(".result li");
  assert.match(await page.locator(".result li").first().textContent(), /The zoo in River Walk/);
  assert.deepEqual(page.seen.complaints, []);
  await page.context().close();
});
