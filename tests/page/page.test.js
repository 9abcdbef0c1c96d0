/* The page as people meet it: each task's form, files, errors, keyboard, phone, both schemes, and what must never happen. */

import assert from "node:assert/strict";
import { readdirSync, statSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { MARKUP, TASKS, answered, at, drop, together, translated } from "./browser.js";

const WEB = `${process.env.ROOT}/lamella/web`;
const ATTACK = `<script>hacked=1</script><img src=x onerror="hacked=1">`;
const { visit, leave } = together();

describe("translating", () => {
  test("while one types, with alternatives, and which word comes from which", async () => {
    const page = await visit();
    await page.selectOption("#from", "en");
    await page.locator("#source").pressSequentially("The dog sleeps.", { delay: 15 });
    await translated(page);
    assert.match(await page.textContent("#translation"), /chien/);
    const asked = page.seen.requests.filter((u) => u.endsWith("/predict")).length;
    assert.ok(asked < 8, `asked ${asked} times for one sentence`);
    await page.fill("#source", "Do you want to save the changes?");
    const other = page.locator(".others button").first();
    const text = await other.textContent();
    await other.click();
    assert.equal(await page.textContent("#translation"), text);
    await page.fill("#source", "The dog sleeps. The cat is black.");
    await page.waitForFunction(() => /chat/.test(document.querySelector("#translation").textContent));
    await translated(page);
    await page.locator(".word", { hasText: "chat" }).hover();
    await page.waitForSelector(".ghost mark");
    assert.match((await page.locator(".ghost mark").allTextContents()).join(" "), /cat/);
    await page.click(".why-button");
    await page.waitForSelector(".matrix");
    await leave(page);
  });

  test("what may well be wrong is underlined, sentence by sentence", async () => {
    const page = await visit();
    await page.selectOption("#from", "en");
    await page.selectOption("#to", "fr");
    await page.fill("#source", "The file could not be opened.");
    await translated(page);
    assert.equal(await page.locator(".word.unsure").count(), 0);
    assert.ok(await page.locator(".doubt").isHidden());
    await page.fill("#source", "Quixotic gibberish thwarted flummoxed wombats yonder.");
    await page.waitForSelector(".word.unsure");
    assert.match(await page.textContent(".doubt"), /may well be wrong: the model is .*% sure of it/);
    assert.equal(await page.locator(".word.unsure").count(), await page.locator(".word").count());
    await page.fill("#source", "The file could not be opened. Quixotic gibberish thwarted flummoxed wombats yonder.");
    await page.waitForFunction(() => document.querySelector(".doubt").textContent.startsWith("What is underlined"));
    const marked = (await page.locator(".word.unsure").allTextContents()).join(" ");
    assert.doesNotMatch(marked, /fichier|ouvert/);
    assert.ok(marked.length > 5);
    await page.fill("#source", "The file could not be opened.");
    await page.waitForFunction(() => !document.querySelector(".word.unsure"));
    assert.ok(await page.locator(".doubt").isHidden());
    await leave(page);
  });

  test("an answer that is out of date is dropped", async () => {
    const page = await visit();
    await page.selectOption("#from", "en");
    let held;
    await page.route("**/predict", async (route) => {
      if (!held) {
        held = route; // the first answer comes last
        return;
      }
      await route.continue();
    });
    await page.fill("#source", "One.");
    await page.waitForFunction(() => document.querySelector(".state").textContent.includes("Translating"));
    await page.waitForTimeout(400);
    await page.fill("#source", "The house is red.");
    await translated(page);
    const shown = await page.textContent("#translation");
    await held.continue().catch(() => {}); // given up by now
    await page.waitForTimeout(500);
    assert.equal(await page.textContent("#translation"), shown);
    assert.match(shown, /maison/);
    await leave(page);
  });

  test("swap turns text and languages round; copy copies", async () => {
    const page = await visit("/", { permissions: ["clipboard-read", "clipboard-write"] });
    await page.selectOption("#from", "en");
    await page.fill("#source", "The house is red.");
    await translated(page);
    const french = await page.textContent("#translation");
    await page.click("text=Copy");
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), french);
    await page.click(".swap");
    assert.deepEqual([await page.inputValue("#from"), await page.inputValue("#to")], ["fr", "en"]);
    assert.equal(await page.inputValue("#source"), french);
    await page.waitForFunction(() => /house/.test(document.querySelector("#translation").textContent));
    await leave(page);
  });

  test("the language is found", async () => {
    const page = await visit("/");
    await page.selectOption("#from", "auto");
    await page.fill("#source", "Bonjour à tous, la maison est rouge et le chien dort dans le jardin.");
    await translated(page);
    assert.match(await page.textContent("#from option:checked"), /French/);
    assert.match(await page.textContent("#translation"), /house/);
    await leave(page);
  });

  test("a long text says how far it is, and keeps its lines", async () => {
    const page = await visit();
    await page.selectOption("#from", "en");
    await page.fill("#source", Array.from({ length: 60 }, (_, i) => (i % 4 === 3 ? "" : `The house number ${i} is red and old.`)).join("\n"));
    await page.waitForFunction(() => /\d+ of \d+/.test(document.querySelector(".state").textContent), undefined, { polling: 20 });
    await translated(page);
    const lines = (await page.textContent("#translation")).split("\n");
    assert.equal(lines.length, 60);
    assert.ok(lines.every((line, i) => Boolean(line) === (i % 4 !== 3)));
    assert.match(lines[58], /58/);
    await leave(page);
  });

  test("a file is dropped and comes back, whatever its name", async () => {
    const page = await visit();
    await page.selectOption("#from", "en");
    await drop(page, ".translator", "<img src=x onerror=hacked=1>.srt", "1\n00:00:01,000 --> 00:00:02,000\nThe house is red.\n");
    const link = page.locator(".files a[download]");
    const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
    const text = readFileSync(await download.path(), "utf8");
    assert.match(text, /00:00:01,000 --> 00:00:02,000/);
    assert.match(text, /maison/);
    assert.match(await page.textContent(".files li"), /<img src=x/);
    assert.match(await page.textContent(".files .quiet"), /\d+ \w+/);
    await leave(page);
  });

  test("by keyboard alone", async () => {
    const page = await visit("/", { permissions: ["clipboard-read", "clipboard-write"] });
    await page.selectOption("#from", "en");
    await page.reload();
    await page.waitForSelector("#source:focus"); // where one begins
    await page.keyboard.type("The house is red.");
    await translated(page);
    const focused = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id);
    for (let i = 0; i < 10 && (await page.evaluate(() => document.activeElement.id)) !== "translation"; i++) await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => /maison: from house/.test(document.getElementById("status").textContent));
    for (let i = 0; i < 10 && (await focused()) !== "Copy"; i++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.getElementById("status").textContent === "Copied.");
    let last = "";
    for (let i = 0; i < 30 && last !== "API"; i++) {
      await page.keyboard.press("Tab");
      last = await focused();
    }
    assert.equal(last, "API", "the keyboard gets out at the end");
    await page.keyboard.press("Tab");
    await page.focus("body");
    await leave(page);
  });
});

describe("every other task", () => {
  for (const name of TASKS) {
    test(`${name}: an example, its answer, why`, async () => {
      const page = await visit(at(name));
      await answered(page);
      const drawn = {
        "dimensionality-reduction": ".pair img >> nth=1",
        "image-classification": ".bars .bar >> nth=0",
        "text-classification": ".bars .bar >> nth=0",
        "text-generation": ".written",
        "time-series-forecasting": ".forecast .band >> nth=2",
      }[name];
      assert.ok(await page.isVisible(drawn));
      const reason = { "dimensionality-reduction": ".heat", "image-classification": ".heat", "time-series-forecasting": ".why rect.for" };
      await page.waitForSelector(reason[name] ?? ".why .unit");
      await leave(page);
    });
  }

  test("text that is typed, and options", async () => {
    const page = await visit(at("text-generation"));
    await page.fill("textarea", "Tom the hare was ");
    await page.click("text=Options");
    await page.getByLabel("Length").fill("5");
    await page.click("text=Ask");
    // It grows letter by letter: what counts is where it ends.
    await page.waitForFunction(() => document.querySelectorAll(".written span")[1]?.textContent.length >= 5);
    await page.waitForSelector("button:has-text('Ask')");
    assert.equal((await page.textContent(".written span >> nth=1")).length, 5);
    await leave(page);
  });

  test("numbers that are typed become a little chart and a forecast", async () => {
    const page = await visit(at("time-series-forecasting"));
    await page.fill("textarea", Array.from({ length: 40 }, (_, i) => 10 + (i % 7)).join(", "));
    assert.match(await page.getAttribute(".preview svg", "aria-label"), /40 values/);
    await page.click("text=Ask");
    await page.waitForSelector(".forecast .band");
    await leave(page);
  });

  test("what a trained model may be told besides is asked for, and a reason too", async () => {
    const page = await visit(at("sales"), { refused: true });
    await page.getByLabel("past").fill(Array.from({ length: 40 }, (_, i) => 50 + (i % 7)).join(" "));
    await page.click("text=Ask");
    assert.match(await page.textContent("[role=alert]"), /expected warm for 43 steps/i);
    await page.getByLabel("warm").fill(Array.from({ length: 43 }, (_, i) => i % 3).join(" "));
    await page.getByLabel("start").fill("2021-03-01");
    await page.click("text=Ask");
    await page.waitForSelector(".forecast .band");
    await page.click(".why-button");
    await page.waitForSelector(".why rect.for");
    assert.match(await page.textContent(".why"), /warm/i);
    await leave(page);
  });

  test("a drawing is answered", async () => {
    const page = await visit(at("image-classification"));
    await page.waitForTimeout(300);
    await page.locator("canvas.draw").scrollIntoViewIfNeeded();
    const box = await page.locator("canvas.draw").boundingBox();
    await page.mouse.move(box.x + 140, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 140, box.y + 240, { steps: 8 });
    await page.mouse.up();
    await page.waitForSelector(".headline");
    await leave(page);
  });

  test("the latent plane can be dragged about in, and walked by sliders", async () => {
    const page = await visit(at("dimensionality-reduction"));
    await page.waitForSelector(".area image");
    const look = () => page.getAttribute(".made img", "src");
    await page.locator(".area").scrollIntoViewIfNeeded();
    const box = await page.locator(".area").boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    const middle = await look();
    await page.mouse.move(box.x + box.width - 12, box.y + 12, { steps: 4 });
    await page.mouse.up();
    const corner = await look();
    assert.notEqual(corner, middle);
    await page.getByLabel("First number").focus();
    await page.keyboard.press("Home");
    assert.notEqual(await look(), corner);
    await page.click("text=From one example to another");
    await page.click("text=With two of the examples");
    await page.waitForSelector(".strip img >> nth=8");
    await leave(page);
  });

  test("a table comes back with its answers", async () => {
    const page = await visit(at("text-classification"));
    await drop(page, "form.ask", "rows.csv", "number,text\n1,The motor is solid.\n2,The lid is poor.\n");
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(".files a[download]")]);
    assert.match(readFileSync(await download.path(), "utf8"), /^number,text,.*label.*\n1,The motor is solid\.,/);
    await leave(page);
  });
});

describe("what is wrong is said", () => {
  test("in the form, before anything is asked", async () => {
    const page = await visit(at("time-series-forecasting"));
    await page.fill("textarea", "1 2 three 4");
    await page.click("text=Ask");
    assert.match(await page.textContent("[role=alert]"), /Expected numbers.*“three”/);
    await page.goto(`${page.base}${at("image-classification")}`);
    await page.click("text=Ask");
    assert.match(await page.textContent("[role=alert]"), /expected a picture/);
    await leave(page);
  });

  test("by the server, in its one line", async () => {
    const page = await visit(at("time-series-forecasting"), { refused: true });
    await page.fill("textarea", "1 2");
    await page.click("text=Ask");
    assert.match(await page.textContent("[role=alert]"), /expected 4 values or more, received 2/i);
    await page.goto(`${page.base}/`);
    await page.selectOption("#from", "en");
    await drop(page, ".translator", "picture.exe", "no document");
    assert.match(await page.textContent(".files [role=alert]"), /exe/);
    await leave(page);
  });

  test("of a picture that is none", async () => {
    const page = await visit(at("image-classification"));
    await page.setInputFiles("fieldset input[type=file]", { name: "a.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
    await page.waitForFunction(() => /no picture/.test(document.querySelector(".picture [role=status]").textContent));
    await leave(page);
  });

  test("of a model that is not here", async () => {
    const page = await visit("/#/model/nobody");
    assert.match(await page.textContent("#title"), /No such model/);
    await leave(page);
  });
});

describe("markup is text", () => {
  test("as a text to translate", async () => {
    const page = await visit();
    await page.selectOption("#from", "en");
    await page.fill("#source", `${ATTACK} The house is red.`);
    await translated(page);
    await page.click(".why-button");
    await page.waitForSelector(".faith");
    assert.match(await page.textContent(".ghost"), /<script>hacked=1<\/script>/);
    assert.equal(await page.locator("main script, main img[src=x]").count(), 0);
    await leave(page);
  });

  test("as a text to sort, as a label, as a model's name", async () => {
    const page = await visit(at(MARKUP));
    assert.equal(await page.textContent("#title"), MARKUP);
    await page.fill("textarea", `good thing ${ATTACK}`);
    await page.click("text=Ask");
    await page.waitForSelector(".bars");
    assert.match(await page.textContent(".bars"), /<script>hacked=1<\/script>/);
    await page.click(".why-button");
    await page.waitForSelector(".faith");
    assert.match(await page.textContent(".coloured"), /<script>hacked=1<\/script>/);
    await page.goto(`${page.base}${at(MARKUP, "/inside")}`);
    await page.waitForSelector(".card table");
    await page.click("text=Look inside the net");
    await page.waitForSelector(".inner");
    assert.equal(await page.locator("main script, main img[src=x], main b").count(), 0);
    await leave(page);
  });
});

describe("small and quick", () => {
  test("under 150 kB before anything is asked, whatever is shown first", async () => {
    for (const place of ["/", "/#/translate", at("image-classification"), at("dimensionality-reduction")]) {
      const page = await visit(place);
      await page.waitForLoadState("networkidle");
      const fetched = await page.evaluate(() => performance.getEntriesByType("resource").map((r) => new URL(r.name).pathname));
      const own = new Set(["index.html", ...fetched.map((path) => path.split("/").pop())]);
      const total = readdirSync(WEB).filter((name) => own.has(name)).reduce((sum, name) => sum + statSync(`${WEB}/${name}`).size, 0);
      assert.ok(total > 20_000 && total < 150_000, `${place}: ${total} bytes`);
      await leave(page);
    }
  });

  test("first paint under half a second", async () => {
    const times = [];
    for (let i = 0; i < 3; i++) {
      const page = await visit();
      times.push(await page.evaluate(() => Math.max(...performance.getEntriesByType("paint").map((e) => e.startTime))));
      await leave(page);
    }
    console.log(`first contentful paint: ${times.map((t) => Math.round(t)).join(", ")} ms`);
    assert.ok(Math.min(...times) < 500, `${times}`);
  });
});
