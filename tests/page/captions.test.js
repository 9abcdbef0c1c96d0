/* Captions of pictures: the words of an answer each with its squares, and pictures that are found by words. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { at, together, violations } from "./browser.js";

const NAME = "image-to-text";
const house = together({ own: [NAME], options: ["--index", `${process.env.MODELS}/scenes.index`] });

test("each word of a caption is shown with the squares that it hangs on; what draws them is fetched then", async () => {
  const page = await house.visit(at(NAME));
  const fetched = [];
  page.on("request", (request) => fetched.push(new URL(request.url()).pathname));
  await page.locator(".chips button").first().click();
  await page.waitForSelector(".result .prose");
  const words = (await page.textContent(".result .prose")).trim().split(/\s+/);
  assert.ok(!fetched.some((path) => path.endsWith("squares.js")));
  await page.getByRole("button", { name: "Why" }).click();
  await page.waitForSelector(".squares figure");
  assert.ok(fetched.some((path) => path.endsWith("squares.js")));
  const named = await page.locator(".squares figcaption").allTextContents();
  assert.deepEqual(named, [...words, "(end)"]);
  assert.equal(await page.locator(".matrix").count(), 0, "no matrix of 49 columns");
  assert.match(await page.locator(".squares figure > svg").first().getAttribute("aria-label"), /: (most at row \d, column \d|on no square alone)/);
  assert.ok(await page.locator(".squares rect").count() > 0);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.seen.complaints, []);
  await page.context().close();
});

test("pictures that fit a text are shown", async () => {
  const page = await house.visit(at(NAME));
  await page.getByLabel("Question").selectOption("pictures");
  await page.getByLabel("Text", { exact: true }).fill("a blue star");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.waitForSelector(".result li img");
  assert.equal(await page.locator(".result li img").count(), 5);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.seen.complaints, []);
  await page.context().close();
});
