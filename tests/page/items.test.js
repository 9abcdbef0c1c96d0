/* Items of a catalogue: picked and taken away, recommended, and why. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { at, together, violations } from "./browser.js";

const NAME = "recommendation";
const house = together({ own: [NAME] });

test("items are picked from the catalogue and taken away; what is recommended says why", async () => {
  const page = await house.visit(at(NAME));
  const history = page.getByLabel("History", { exact: true });
  await page.getByLabel("Add an item").fill("Orbit, Part One");
  await page.getByLabel("Add an item").fill("nobody knows; this");
  await page.getByLabel("Add an item").press("Enter");
  assert.equal(await history.inputValue(), 'Orbit, Part One; "nobody knows; this"');
  await page.getByLabel("Add an item").fill("Comet, Part One");
  assert.equal(await page.locator(".chosen button").count(), 3);
  await page.getByRole("button", { name: "Ask" }).click();
  await page.waitForSelector(".result .recommended li");
  assert.match(await page.textContent(".result"), /Not known to this model: nobody knows; this/);
  await page.getByRole("button", { name: "Take away nobody knows; this" }).click();
  assert.equal(await history.inputValue(), "Orbit, Part One; Comet, Part One");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.waitForFunction(() => !/Not known/.test(document.querySelector(".result").textContent));
  await page.waitForSelector(".result .recommended li"); // the old answer goes before the new one comes
  assert.equal(await page.locator(".recommended li").count(), 10);
  await page.getByRole("button", { name: "Why" }).click();
  await page.waitForSelector(".why .facts");
  assert.match(await page.textContent(".why"), /Because of these items/);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.seen.complaints, []);
  await page.context().close();
});

test("an example fills the history", async () => {
  const page = await house.visit(at(NAME));
  await page.locator(".ask .chips button, .chips button").first().click();
  await page.waitForSelector(".result .recommended li");
  assert.match(await page.getByLabel("History", { exact: true }).inputValue(), /, Part (One|Two|Three|Four); /);
  assert.deepEqual(page.seen.complaints, []);
  await page.context().close();
});
