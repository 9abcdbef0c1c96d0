/* Pictures as answers: drawn by label, completed, and how likely one is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { at, together, violations } from "./browser.js";

const NAME = "image-generation";
const house = together({ own: [NAME] });

test("pictures are drawn by label, as many as are asked for, and others with another seed", async () => {
  const page = await house.visit(at(NAME));
  await page.getByLabel("Question").selectOption("draw");
  await page.getByLabel("Label").fill("ring");
  await page.locator("details.options").evaluate((folded) => { folded.open = true; });
  await page.getByLabel("Number").fill("5");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.waitForSelector(".result .sheet img >> nth=4");
  assert.equal(await page.locator(".result .sheet img").count(), 5);
  const first = await page.locator(".result .sheet img").first().getAttribute("src");
  await page.getByRole("button", { name: "Another" }).click();
  await page.waitForFunction((was) => document.querySelector(".result .sheet img")?.src !== was && !document.querySelector(".busy"), first);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.seen.complaints, []);
  await page.context().close();
});

test("a picture is shown beside what its codes hold, and is completed", async () => {
  const page = await house.visit(at(NAME));
  await page.locator(".chips button").first().click();
  await page.waitForSelector(".result .pair img >> nth=1");
  assert.match(await page.textContent(".result .headline"), /nats$/);
  await page.getByLabel("Question").selectOption("complete");
  await page.locator(".chips button").first().click();
  await page.waitForSelector(".result .sheet img");
  await page.getByRole("button", { name: "Why" }).click();
  await page.waitForSelector(".squares figure");
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.seen.complaints, []);
  await page.context().close();
});
