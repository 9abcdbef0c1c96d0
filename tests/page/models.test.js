/* Models of any data: rows of a table, answers that grow, why in words, files by their names, and the overview. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { MARKUP, TASKS, at, drop, together } from "./browser.js";

const { visit, leave } = together();
const STOP = "button:text-is('Stop')";
const SCRIPT = "<script>hacked=1</script>";

describe("a row of a table", () => {
  test("has a field for each column of the model's own data, and is explained", async () => {
    const page = await visit(at("flowers"));
    assert.equal(await page.locator("canvas.draw").count(), 0, "no picture is asked for");
    assert.deepEqual(await page.locator(".ask .columns label").allTextContents(), ["stem length", "width", "colour", "<b>site<"]);
    assert.deepEqual(await page.locator(".ask").getByLabel("colour", { exact: true }).locator("option").allTextContents(), ["not known", "blue", "red", "white"]);
    await page.locator(".ask").getByLabel("stem length").fill("5,2");
    await page.locator(".ask").getByLabel("colour", { exact: true }).selectOption("red");
    await page.locator(".ask").getByLabel("<b>site<").selectOption(SCRIPT);
    await page.keyboard.press("Tab");
    await page.locator(".ask").getByLabel("width").press("Enter");
    await page.waitForSelector(".pair table >> nth=1");
    assert.match(await page.textContent(".pair"), /stem length5\.2.*red/);
    await page.click(".why-button");
    await page.waitForSelector(".why .signed");
    assert.match(await page.textContent(".words"), /What speaks most for this answer/);
    await leave(page);
  });

  test("can be pasted, with the names of its columns, or without", async () => {
    const page = await visit(at("flowers"));
    const values = () => page.locator(".ask .columns").locator("input, select").evaluateAll((all) => all.map((e) => e.value));
    const paste = async (text) => {
      await page.locator(".ask").getByLabel("Or paste a row").fill("");
      await page.locator(".ask").getByLabel("Or paste a row").evaluate((e, t) => {
        const data = new DataTransfer();
        data.setData("text/plain", t);
        e.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
      }, text);
    };
    await paste(`4.5,1.2,red,${SCRIPT}`);
    assert.deepEqual(await values(), ["4.5", "1.2", "red", SCRIPT]);
    await paste(`name\tcolour\twidth\t<b>site<\tstem length\nx\twhite\t\tsouth\t6`);
    assert.deepEqual(await values(), ["6", "", "white", "south"]);
    await paste('{"stem length": 4, "width": 1.5, "colour": "blue", "<b>site<": null}');
    assert.deepEqual(await values(), ["4", "1.5", "blue", ""]);
    await paste('7;"1,5";green;south');
    assert.deepEqual(await values(), ["7", "1,5", "", "south"]);
    assert.match(await page.textContent(".ask .row-form [role=status]"), /does not know: colour “green”/);
    await paste("1,2");
    assert.match(await page.textContent(".ask .row-form [role=status]"), /Expected 4 values \(stem length, width, colour, <b>site<\), received 2/);
    await page.locator(".ask").getByLabel("Or paste a row").fill("5, 1, red, south");
    await page.locator(".ask").getByLabel("Or paste a row").press("Tab");
    assert.deepEqual(await values(), ["5", "1", "red", "south"]);
    await leave(page);
  });

  test("says what is wrong with it, and outlives a reload", async () => {
    const page = await visit(at("flowers"));
    await page.click("text=Ask");
    assert.match(await page.textContent("[role=alert]"), /expected a value in at least one column/);
    await page.locator(".ask").getByLabel("stem length").fill("tall");
    await page.click("text=Ask");
    assert.match(await page.textContent("[role=alert]"), /stem length: expected a number, received “tall”/);
    await page.reload();
    await page.waitForFunction(() => document.querySelector(".row-form input")?.value === "tall");
    await page.click("text=Clear");
    assert.equal(await page.locator(".ask").getByLabel("stem length").inputValue(), "");
    await page.click("text=Undo");
    assert.equal(await page.locator(".ask").getByLabel("stem length").inputValue(), "tall");
    await leave(page);
  });

  test("ends a walk from one row to another", async () => {
    const page = await visit(at("flowers"));
    await page.click("text=From one example to another");
    for (const [i, text] of ["4,1,red,south", "6,1.5,blue,south"].entries()) {
      await page.locator("details .row-form input[placeholder*=',']").nth(i).fill(text);
      await page.keyboard.press("Tab");
    }
    await page.click("text=Walk >> nth=-1");
    await page.waitForSelector(".strip table >> nth=8");
    await leave(page);
  });
});

describe("an answer that grows", () => {
  test("is shown while it is written, and can be stopped", async () => {
    const page = await visit(at("text-generation"));
    await page.fill("textarea", "Tom the hare was ");
    await page.click("text=Options");
    await page.getByLabel("Length").fill("4000");
    await page.click("text=Ask");
    const written = () => page.locator(".written span").nth(1).textContent();
    await page.waitForFunction(() => document.querySelectorAll(".written span")[1]?.textContent.length > 20, undefined, { polling: 20 });
    const early = await written();
    await page.waitForFunction((n) => document.querySelectorAll(".written span")[1].textContent.length > n, early.length, { polling: 20 });
    assert.ok((await written()).startsWith(early));
    await page.click(STOP);
    await page.waitForSelector("text=Another");
    const stopped = await written();
    assert.ok(stopped.length < 4000);
    await page.waitForTimeout(300);
    assert.equal(await written(), stopped, "it stays as it was");
    assert.equal(await page.isVisible(STOP), false);
    await leave(page);
  });

  test("is the same as at once; Another is another; Escape stops", async () => {
    const page = await visit(at("text-generation"), { permissions: ["clipboard-read", "clipboard-write"] });
    await page.fill("textarea", "Tom the hare was ");
    await page.click("text=Ask");
    await page.waitForSelector("text=Another");
    const first = await page.locator(".written span").nth(1).textContent();
    const at_once = await page.evaluate(() => fetch("/models/text-generation/predict", { method: "POST",
      headers: { "Content-Type": "application/json" }, body: '{"examples": [{"text": "Tom the hare was "}]}' }).then((r) => r.json()));
    assert.equal(first, at_once.answers[0].text);
    await page.click("text=Copy");
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), first);
    await page.click("text=Another");
    await page.waitForFunction((t) => { // a new one, and whole
      const now = document.querySelectorAll(".written span")[1]?.textContent;
      return now?.length === t.length && now !== t;
    }, first);
    await page.click("text=Options");
    assert.notEqual(await page.getByLabel("Seed").inputValue(), "0");
    await page.getByLabel("Length").fill("4000");
    await page.click("text=Ask");
    await page.waitForSelector(STOP);
    await page.focus("textarea");
    await page.keyboard.press("Escape");
    await page.waitForSelector(STOP, { state: "hidden" });
    await leave(page);
  });
});

test("Why? shows the picture, then words, then figures that are folded", async () => {
  const page = await visit(at("text-classification"));
  await page.click(".chip >> nth=0");
  await page.click(".why-button");
  await page.waitForSelector(".faith");
  const order = await page.locator(".why").evaluate((panel) => [".coloured", ".words", ".measured"].map((s) => panel.querySelector(s).getBoundingClientRect().top));
  assert.deepEqual([...order].sort((a, b) => a - b), order);
  assert.doesNotMatch(await page.textContent(".words"), /log|odds|Shapley|mean|\d\.\d/i, "no statistics among the words");
  assert.match(await page.textContent(".words"), /speaks (most for|against).*“.+”/);
  assert.equal(await page.isVisible(".measured .signed"), false);
  await page.click(".measured summary");
  assert.equal(await page.isVisible(".measured .signed"), true);
  assert.match(await page.textContent(".measured"), /Shapley/);
  await leave(page);
});

test("a model of one's own data has examples to try, where they came with it", async () => {
  const page = await visit();
  const mine = [{ text: `good thing ${SCRIPT}` }, { text: "جيد" }];
  await page.route("**/models", async (route) => {
    const reply = await route.fetch();
    const json = await reply.json();
    json.models.find((m) => m.name === "<b>labels<").examples = mine;
    await route.fulfill({ response: reply, json });
  });
  await page.goto(`${page.base}${at(MARKUP)}`);
  await page.reload();
  await page.waitForSelector(".chip >> nth=1");
  assert.deepEqual(await page.locator(".chip").allTextContents(), mine.map((e) => e.text));
  await page.click(".chip >> nth=0");
  await page.waitForSelector(".bars");
  assert.equal(await page.inputValue("textarea"), mine[0].text);
  await leave(page);
});

describe("files of answers", () => {
  test("have names of their own", async () => {
    const page = await visit();
    await page.selectOption("#from", "en");
    await page.selectOption("#to", "fr");
    for (const [name, wanted] of [["letter.md", "letter.fr.md"], ["notes.en.txt", "notes.fr.txt"]]) {
      await drop(page, ".translator", name, "The house is red.\n");
      const [download] = await Promise.all([page.waitForEvent("download"), page.locator(".files a[download]").first().click()]);
      assert.equal(download.suggestedFilename(), wanted);
      assert.match(readFileSync(await download.path(), "utf8"), /maison/);
      await page.click("text=Remove");
    }
    await page.goto(`${page.base}${at("text-classification")}`);
    await drop(page, "form.ask", "rows.csv", "text\nThe motor is solid.\n");
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(".files a[download]")]);
    assert.equal(download.suggestedFilename(), "rows.answers.csv");
    await leave(page);
  });
});

describe("the overview", () => {
  test("says how good and how large each model is, and leads to it", async () => {
    const page = await visit("/#/overview");
    for (const name of [...TASKS, "flowers", "en-he", MARKUP]) {
      const row = page.locator(".here tbody tr", { has: page.getByRole("link", { name, exact: true }) });
      assert.match(await row.textContent(), /\d.*held out.*(kB|MB)/, name);
    }
    const tasks = await page.evaluate(async () => (await (await fetch("/models")).json()).tasks.length);
    assert.ok(tasks > TASKS.length);
    assert.equal(await page.locator(".task").count(), tasks);
    await page.locator(".here tbody tr", { hasText: "flowers" }).getByText("try it").click();
    await page.waitForSelector(".row-form");
    await page.goto(`${page.base}/#/overview`);
    await page.click(".verbs >> text=explain");
    await page.waitForSelector(".inside");
    await leave(page);
  });

  test("says what is missing, and how a first model is trained", async () => {
    const page = await visit();
    await page.route("**/models", async (route) => {
      const reply = await route.fetch();
      const json = await reply.json();
      json.models = json.models.filter((m) => m.task !== "text-generation");
      json.extras = [{ name: "train", missing: ["torch", "onnx"] }, { name: "image", missing: [] }];
      await route.fulfill({ response: reply, json });
    });
    await page.goto(`${page.base}/#/overview`);
    await page.reload();
    await page.waitForSelector(".task");
    assert.match(await page.locator(".task").last().textContent(), /Text generation.*No model of this is here.*lamella train text-generation sample/);
    assert.match(await page.textContent(".overview"), /train: lacks torch, onnx\. Install: pip install 'lamella\[train\]'/);
    assert.match(await page.textContent(".verbs"), /compress.*lamella compress/);
    await leave(page);
  });
});
