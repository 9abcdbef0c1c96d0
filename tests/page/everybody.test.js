/* Every view for everybody: what axe-core finds in light and in dark, and whether it fits a phone and a thumb. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TASKS, answered, at, together, translated, violations } from "./browser.js";

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true };
const { visit, leave } = together();

const VIEWS = {
  "the translator, empty": ["/", async () => {}],
  "the translator, with an answer and why": ["/", async (page) => {
    await page.selectOption("#from", "en");
    await page.fill("#source", "The house is red. The dog sleeps.");
    await translated(page);
    await page.click(".why-button");
    await page.waitForSelector(".faith");
  }],
  ...Object.fromEntries(TASKS.map((name) => [name, [at(name), (page) => answered(page)]])),
  ...Object.fromEntries(TASKS.map((name) => [`inside ${name}`, [at(name, "/inside"), async (page) => {
    await page.waitForSelector(".card table");
    await page.click("text=Look inside the net");
    await page.waitForSelector(".inner", { timeout: 300_000 });
  }]])),
  "a row of a table": [at("flowers"), async (page) => {
    await page.click(".chip >> nth=0");
    await page.click(".why-button");
    await page.waitForSelector(".faith");
    await page.click(".measured summary");
  }],
  "a hint, and a text from right to left": ["/", async (page) => {
    await page.selectOption("#from", "en");
    await page.selectOption("#to", "he");
    await page.fill("#source", "La maison est rouge et le chien dort.");
    await page.waitForSelector(".hint-line");
  }],
  overview: ["/#/overview", async () => {}],
  "an error": [at("time-series-forecasting"), (page) => page.click("text=Ask")],
};

describe("for everybody", () => {
  for (const [name, [path, ready]] of Object.entries(VIEWS)) {
    test(`${name}: no violations that axe-core finds, in light and in dark`, async () => {
      const page = await visit(path, { reducedMotion: "reduce" });
      await ready(page);
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await violations(page), [], colorScheme);
      }
      await leave(page);
    });

    test(`${name}: fits a phone, and a thumb`, async () => {
      const page = await visit(path, PHONE);
      await ready(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wide, 0, "the page scrolls sideways");
      const small = await page.evaluate(() => [...document.querySelectorAll("button, select, summary, nav a, .button, input[type=range], .foot a, .models a")]
        .filter((e) => e.checkVisibility() && !e.matches(".unseen") && e.getBoundingClientRect().height < 44)
        .map((e) => `${e.tagName} ${e.textContent.slice(0, 20)} ${e.getBoundingClientRect().height}`));
      assert.deepEqual(small, [], "smaller than 44 px");
      await leave(page);
    });
  }
});
