/* A model that answers several questions: a form for each, a search in an index, and which words go together. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { at, together, violations } from "./browser.js";

const NAME = "sentence-similarity";
const house = together({ own: [NAME], options: ["--index", `${process.env.MODELS}/things.index`] });

describe("questions", () => {
  test("each has its form and its answer", async () => {
    const page = await house.visit(at(NAME));
    assert.deepEqual(await page.getByLabel("Question").locator("option").allTextContents(), ["Grade", "Vector", "Neighbours", "Duplicates"]);
    await page.getByLabel("First").fill("A doctor mends the bicycle.");
    await page.getByLabel("Second").fill("A medic repairs the bike.");
    await page.getByRole("button", { name: "Ask" }).click();
    await page.waitForSelector(".result .headline");
    assert.match(await page.textContent(".result .headline"), /^\d(\.\d+)?$/);
    await page.getByRole("button", { name: "Why" }).click();
    await page.waitForSelector(".matrix");
    assert.equal(await page.textContent(".across h3"), "Which part of second goes with which of first");
    assert.match(await page.textContent(".words"), /goes with/);
    assert.deepEqual(await violations(page), []);

    await page.getByLabel("Question").selectOption("neighbours");
    assert.equal(await page.getByLabel("Second").count(), 0);
    await page.getByLabel("Text", { exact: true }).fill("A medic repairs the bike.");
    await page.getByRole("button", { name: "Ask" }).click();
    await page.waitForSelector(".result li");
    assert.match(await page.locator(".result li").first().textContent(), /bicycle/);
    assert.deepEqual(await violations(page), []);

    await page.getByLabel("Question").selectOption("grade"); // what was typed for another question is still there
    assert.equal(await page.getByLabel("First").inputValue(), "A doctor mends the bicycle.");
    assert.deepEqual(page.seen.complaints, []);
    await page.context().close();
  });

  test("a table is asked the question that is chosen", async () => {
    const page = await house.visit(at(NAME));
    await page.getByLabel("Question").selectOption("duplicates");
    const table = Buffer.from("text\nA doctor mends the bicycle.\nThe sea.\nA medic repairs the bike.\n");
    await page.setInputFiles("input[type=file]", { name: "rows.csv", mimeType: "text/csv", buffer: table });
    const link = page.locator(".files a");
    const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
    const [head] = (await (await download.createReadStream()).toArray()).join("").split("\n");
    assert.equal(head.trim(), "text,predicted_row,predicted_text,predicted_grade");
    assert.deepEqual(page.seen.complaints, []);
    await page.context().close();
  });
});
