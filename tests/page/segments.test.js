/* A mask is laid over its picture, as strong as wished, and the table says how much of it each label is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { at, together, violations } from "./browser.js";

const NAME = "image-segmentation";
const house = together({ own: [NAME] });

/** All points of the canvas. */
const colours = (page) => page.locator("canvas.masked").evaluate((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Array.from(data).join();
});

test("a mask over its picture, and why", async () => {
  const page = await house.visit(at(NAME));
  await page.click(".chip >> nth=0");
  await page.click("button:text-is('Ask')");
  await page.waitForFunction(() => document.querySelector("canvas.masked")?.width === 64);
  assert.match(await page.locator("canvas.masked").getAttribute("aria-label"), /background \d/);
  const rows = await page.locator(".laid tbody tr").allTextContents();
  assert.ok(rows.length > 1 && rows[0].includes("background"), rows.join());
  const half = await colours(page);
  await page.locator(".laid input[type=range]").fill("1");
  const whole = await colours(page);
  await page.locator(".laid input[type=range]").fill("0");
  const none = await colours(page);
  assert.ok(half !== whole && whole !== none, "the slider changes what is seen");
  assert.deepEqual(await violations(page), []);
  await page.click(".why-button");
  await page.waitForSelector(".heat");
  assert.match(await page.textContent(".why"), /log-odds/);
  await page.context().close();
});
