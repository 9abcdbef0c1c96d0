/* The translator and what is typed: nothing is lost, nothing is pushed out of view, in either direction of writing. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { at, together, translated } from "./browser.js";

const { visit, leave } = together();
const LONG = "The old man who lived in the small house near the river told us that the children had not seen the black dog " +
  "which slept every day under the big tree in the garden behind the church.";
// A language that no model which ships reads.
const ITALIAN = "Il cane dorme nel giardino e il gatto nero guarda gli uccelli.";

/** Whether an element is inside the window, whole. */
const inView = (page, selector) => page.locator(selector).first().evaluate((e) => {
  const box = e.getBoundingClientRect();
  return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
});

async function english(page, text) {
  await page.selectOption("#from", "en");
  await page.selectOption("#to", "fr");
  await page.fill("#source", text);
}

describe("what is typed is kept", () => {
  test("over a reload, a look at another view, and Clear; not in another tab", async () => {
    const page = await visit();
    await english(page, "The house is red.");
    await translated(page);
    await page.reload();
    await translated(page);
    assert.equal(await page.inputValue("#source"), "The house is red.");
    assert.match(await page.textContent("#translation"), /maison/);
    await page.click("text=Models and tasks");
    await page.waitForSelector(".task");
    await page.click("nav >> text=Translate");
    assert.equal(await page.inputValue("#source"), "The house is red.");
    await page.click("text=Clear");
    assert.equal(await page.inputValue("#source"), "");
    await page.reload();
    await page.click("text=Undo clear");
    assert.equal(await page.inputValue("#source"), "The house is red.");
    await translated(page);
    assert.equal(await page.locator("text=Undo clear").isVisible(), false);
    assert.match(await page.textContent("#place"), /kept in this browser tab until you close it/);
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.waitForSelector("#source");
    assert.equal(await other.inputValue("#source"), "");
    await leave(page);
  });

  test("in a model's form too, where an example takes its place", async () => {
    const page = await visit(at("text-classification"));
    await page.fill("textarea", "The lid is solid.");
    await page.click("text=Look inside");
    await page.waitForSelector(".inside");
    await page.click("text=Try it");
    assert.equal(await page.inputValue("textarea"), "The lid is solid.");
    await page.reload();
    await page.waitForFunction(() => document.querySelector("textarea").value === "The lid is solid.");
    await page.click(".chip >> nth=0");
    await page.waitForSelector(".bars");
    assert.notEqual(await page.inputValue("textarea"), "The lid is solid.");
    await page.click("text=Undo");
    assert.equal(await page.inputValue("textarea"), "The lid is solid.");
    await page.click("form >> text=Clear");
    assert.equal(await page.inputValue("textarea"), "");
    await page.click("text=Undo");
    assert.equal(await page.inputValue("textarea"), "The lid is solid.");
    await leave(page);
  });

  test("a picture comes back after Clear and after a reload", async () => {
    const page = await visit(at("image-classification"));
    await page.click(".chip >> nth=0");
    await page.waitForSelector(".bars");
    await page.click(".picture >> text=Clear");
    await page.click("text=Ask");
    assert.match(await page.textContent("[role=alert]"), /expected a picture/);
    await page.click("text=Undo clear");
    await page.waitForSelector(".bars");
    await page.reload();
    await page.waitForSelector(".chip");
    await page.click("text=Ask");
    await page.waitForSelector(".bars");
    await leave(page);
  });

  test("a text that is too long for the browser's store is still there in another view", async () => {
    const page = await visit(at("arabic"));
    await page.evaluate(() => { Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }; });
    await page.fill("textarea", "long");
    await page.click("text=Look inside");
    await page.click("text=Try it");
    assert.equal(await page.inputValue("textarea"), "long");
    await leave(page);
  });
});

describe("long texts", () => {
  for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 800 }]) {
    test(`scroll in their panes, with progress and Copy in view, at ${viewport.width} px`, async () => {
      const page = await visit("/", { viewport });
      await english(page, Array.from({ length: 150 }, (_, i) => `The house number ${i} is red and old.`).join("\n"));
      await page.waitForFunction(() => /\d+ of \d+/.test(document.querySelector(".state").textContent), undefined, { polling: 20 });
      if (viewport.width > 700) assert.ok(await inView(page, ".state"), "progress is seen");
      await translated(page);
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      assert.ok(height < 1500, `the page is ${height} px high`);
      for (const pane of [".paper", ".out"]) {
        assert.ok(await page.locator(pane).evaluate((e) => e.scrollHeight > 2 * e.clientHeight && e.clientHeight >= 180), pane);
      }
      if (viewport.width > 700) assert.ok(await inView(page, "text=Copy"));
      await page.focus("#source");
      await page.keyboard.press("Control+End");
      await page.keyboard.type("!");
      assert.ok(await page.locator(".paper").evaluate((e) => e.scrollTop > 500), "where one types is in view");
      await leave(page);
    });
  }

  test("errors are in view beside a long text", async () => {
    const page = await visit("/", { refused: true });
    await page.route("**/predict", (route) => route.fulfill({ status: 413, contentType: "application/json", body: '{"error": "expected less."}' }));
    await english(page, "The house is red.\n".repeat(200));
    await page.waitForSelector("[role=alert]");
    assert.ok(await inView(page, "[role=alert]"));
    await leave(page);
  });
});

describe("the language of a text", () => {
  test("that is another than chosen is said, with what can be done where no model reads it", async () => {
    const page = await visit();
    await english(page, ITALIAN);
    await page.waitForSelector(".hint-line");
    assert.match(await page.textContent(".hint-line"), /This looks like Italian\. No model for Italian is installed\..*--from it --to fr/);
    await english(page, "The house is red and the dog sleeps.");
    await page.waitForSelector(".hint-line", { state: "hidden" });
    await leave(page);
  });

  test("is changed by a click where a model reads it", async () => {
    const page = await visit();
    await english(page, "La maison est rouge et le chien dort dans le jardin.");
    await page.click("text=Translate from French to English");
    assert.deepEqual([await page.inputValue("#from"), await page.inputValue("#to")], ["fr", "en"]);
    await page.waitForFunction(() => /house/.test(document.querySelector("#translation").textContent));
    assert.equal(await page.isVisible(".hint-line"), false);
    await leave(page);
  });

  test("is said where it is to be found and nobody reads it", async () => {
    const page = await visit();
    await page.selectOption("#from", "auto");
    await page.fill("#source", ITALIAN);
    await page.waitForSelector(".state [role=alert]");
    assert.match(await page.textContent(".state"), /This looks like Italian.*lamella train/);
    await leave(page);
  });

  test("is not asked for where the server cannot tell", async () => {
    const page = await visit();
    await page.route("**/models", async (route) => {
      const reply = await route.fetch();
      await route.fulfill({ response: reply, json: { ...(await reply.json()), detects: false } });
    });
    await page.reload();
    await page.waitForSelector("#source");
    assert.equal(await page.locator("#from option[value=auto]").count(), 0);
    await english(page, ITALIAN);
    await translated(page);
    assert.equal(page.seen.requests.filter((u) => u.endsWith("/detect")).length, 0);
    await leave(page);
  });
});

describe("which hangs on which", () => {
  test("alternatives are words: none that are much less likely than the best", async () => {
    const page = await visit();
    await english(page, "Hello");
    await translated(page);
    assert.equal(await page.locator(".others button").count(), 0);
    await english(page, "Open");
    await page.waitForSelector(".others button");
    assert.deepEqual(await page.locator(".others button").allTextContents(), ["Ouverte", "Ouvert"]);
    await leave(page);
  });

  test("says which sentence of several is explained", async () => {
    const page = await visit();
    await english(page, "The house is red. The dog sleeps.");
    await translated(page);
    await page.click(".why-button");
    await page.waitForSelector(".faith");
    assert.match(await page.textContent(".words"), /The first of 2 sentences is explained/);
    await leave(page);
  });

  test("is drawn whole for a long sentence, and scrolls by itself on a phone", async () => {
    const page = await visit();
    await english(page, LONG);
    await translated(page);
    await page.click(".why-button");
    await page.waitForSelector(".matrix");
    const words = LONG.split(" ").length;
    assert.equal(await page.locator(".matrix thead th").count(), words + 1, "every word and the point");
    const cut = () => page.locator(".matrix").evaluate((t) => t.getBoundingClientRect().right > t.parentElement.getBoundingClientRect().right + 1);
    assert.equal(await cut(), false);
    const rows = await page.locator(".matrix tbody tr").evaluateAll((all) => all.map((r) => r.getBoundingClientRect().height));
    assert.ok(Math.max(...rows) < 40, "a word a line");
    await page.setViewportSize({ width: 390, height: 800 });
    assert.equal(await cut(), true);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
    await page.locator(".reason .wide").evaluate((e) => { e.scrollLeft = 300; });
    const [name, frame] = await Promise.all([page.locator(".matrix tbody th").first().boundingBox(), page.locator(".reason .wide").boundingBox()]);
    assert.ok(name.x >= frame.x - 1, "names stay while it scrolls");
    await leave(page);
  });
});

describe("a pair without a model of its own", () => {
  test("goes through English, and no word is followed", async () => {
    const page = await visit();
    await page.selectOption("#from", "fr");
    await page.selectOption("#to", "he");
    await page.fill("#source", "Le chien est grand.");
    await translated(page);
    assert.match(await page.locator("#translation").textContent(), /[\u0590-\u05ff]/);
    assert.match(await page.locator(".about").textContent(), /en-he, by way of English/);
    assert.equal(await page.locator(".why-button").isDisabled(), true);
    await leave(page);
  });
});

describe("from right to left", () => {
  test("a translation, its words by keyboard, and the drawing", async () => {
    const page = await visit();
    await page.selectOption("#from", "en");
    await page.selectOption("#to", "he");
    await page.fill("#source", "The dog is big.\nThe house is very old.");
    await translated(page);
    const out = page.locator("#translation");
    assert.equal(await out.evaluate((e) => e.matches(":dir(rtl)")), true);
    const first = await page.locator(".word").first().boundingBox();
    const box = await out.boundingBox();
    assert.ok(first.x > box.x + box.width / 2, "the first word stands at the right");
    await out.focus();
    await page.keyboard.press("ArrowLeft");
    await page.waitForSelector(".word.now");
    await page.keyboard.press("ArrowLeft");
    await page.waitForFunction(() => document.querySelectorAll(".word")[1].classList.contains("now"));
    await page.click(".why-button");
    await page.waitForSelector(".matrix tbody th");
    assert.match((await page.locator(".matrix tbody th").allTextContents()).join(" "), /[\u0590-\u05ff]/);
    await leave(page);
  });

  test("a text that is typed, a mixed one, a label, and why", async () => {
    const page = await visit(at("arabic"));
    await page.fill("textarea", "الطعام جيد جدا OK 5");
    assert.equal(await page.locator("textarea").evaluate((e) => e.matches(":dir(rtl)")), true);
    await page.click("text=Ask");
    await page.waitForSelector(".bars");
    assert.equal(await page.locator(".headline").evaluate((e) => e.matches(":dir(rtl)")), true);
    await page.click(".why-button");
    await page.waitForSelector(".faith");
    assert.equal(await page.locator(".coloured").evaluate((e) => e.matches(":dir(rtl)")), true);
    const [head, tail] = await Promise.all(["الطعام", "OK"].map((t) => page.locator(".unit", { hasText: t }).first().boundingBox()));
    assert.ok(head.x > tail.x, "the first word stands to the right of a later one");
    await page.fill("textarea", "Good جيد");
    assert.equal(await page.locator("textarea").evaluate((e) => e.matches(":dir(ltr)")), true);
    await leave(page);
  });

  test("the drawing of a text from right to left begins at the right", async () => {
    const page = await visit(at("arabic"));
    await page.evaluate(async () => {
      const { attention } = await import("/web/explain.js");
      document.querySelector("main").append(attention({ rows: ["The", "dog"], columns: ["הכלב", "גדול"], weights: [[1, 0], [0, 1]] }));
    });
    const [one, two] = await page.locator(".matrix thead th").all();
    assert.ok((await one.boundingBox()).x > (await two.boundingBox()).x);
    await leave(page);
  });
});
