/* Words for masks: what was filled in is marked in the text, beside what else could stand there; and the least likely words. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { at, together, violations } from "./browser.js";

const NAME = "fill-mask";
const house = together({ own: [NAME] });

test("words for several masks, and the least likely words", async () => {
  const page = await house.visit(at(NAME));
  const fetched = [];
  page.on("request", (request) => fetched.push(request.url()));
  assert.deepEqual(await page.getByLabel("Question").locator("option").allTextContents(), ["Fill", "Unlikely"]);
  await page.getByLabel("Text", { exact: true }).fill("🎉 At night the ___ owl hunts moths in the ___.");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.waitForSelector(".result mark");
  assert.equal(fetched.filter((url) => url.endsWith("/marked.js")).length, 1, "the drawing comes when it is first shown");
  const words = await page.locator(".result mark").allTextContents();
  assert.equal(words.length, 2);
  assert.match(await page.locator(".result .prose").first().textContent(), new RegExp(`🎉 At night the ${words[0]} owl hunts moths in the ${words[1]}\\.`));
  assert.match(await page.textContent(".result"), new RegExp(`${words[0]} … ${words[1]}`));
  assert.deepEqual(await violations(page), []);

  await page.getByLabel("Text", { exact: true }).fill("no mask at all");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText("expected a text with a mask").first().waitFor();

  await page.getByLabel("Question").selectOption("unlikely");
  await page.getByLabel("Text", { exact: true }).fill("At night the old zebra hunts <b>moths</b>.");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.waitForSelector(".result ol li");
  assert.match(await page.textContent(".result"), /likelier: .*Pseudo-perplexity/s);
  assert.deepEqual(await violations(page), []);
  await page.context().close();
});
