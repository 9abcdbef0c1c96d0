/* When the server does not answer, is busy, or stands on another machine. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { at, launch, open, serve, translated } from "./browser.js";

let browser;
let there; // a server that stays
before(async () => { [browser, there] = await Promise.all([launch(), serve({ own: ["text-classification"] })]); });
after(async () => {
  await browser?.close();
  await there?.stop();
});

test("an outage passes by itself, and nothing typed is lost", async (t) => {
  let server = await serve({ own: ["text-classification"] });
  t.after(() => server.stop());
  const { url } = server;
  const page = await open(browser, url);
  await page.selectOption("#from", "en");
  await page.fill("#source", "The house is red.");
  await translated(page);
  await server.stop();
  await page.fill("#source", "The house is red. The dog sleeps.");
  await page.waitForFunction(() => /does not answer; trying again in \d+ s/.test(document.querySelector("#outage").textContent));
  await page.waitForFunction(() => /again in [24] s/.test(document.querySelector("#outage").textContent)); // ever longer pauses
  assert.equal(await page.inputValue("#source"), "The house is red. The dog sleeps.");
  assert.equal(await page.locator("[role=alert]").count(), 0, "no error besides");
  assert.match(await page.textContent("#status"), /does not answer/, "said aloud");
  server = await serve({ port: Number(new URL(url).port), own: ["text-classification"] });
  await page.waitForSelector("#outage", { state: "hidden" });
  await page.waitForFunction(() => /chien/.test(document.querySelector("#translation").textContent));
  await page.context().close();
});

test("Try now does not wait, and a model's form waits too", async () => {
  const page = await open(browser, there.url, at("text-classification"));
  let away = true;
  await page.route(/predict|health/, (route) => (away ? route.abort("connectionrefused") : route.continue()));
  await page.fill("textarea", "The lid is solid.");
  await page.click("text=Ask");
  await page.waitForFunction(() => /again in 4 s/.test(document.querySelector("#outage").textContent));
  away = false;
  const began = Date.now();
  await page.click("text=Try now");
  await page.waitForSelector(".bars");
  assert.ok(Date.now() - began < 3000);
  await page.context().close();
});

test("a busy server is asked again when it said so", async () => {
  const page = await open(browser, there.url, at("text-classification"));
  let times = 0;
  const body = '{"error": "256 requests wait already. Ask again in a moment."}';
  await page.route("**/predict", (route) => (times++ ? route.continue()
    : route.fulfill({ status: 503, contentType: "application/json", headers: { "Retry-After": "1" }, body })));
  await page.fill("textarea", "The lid is solid.");
  await page.click("text=Ask");
  await page.waitForFunction(() => /busy; trying again in 1 s/.test(document.querySelector("#outage").textContent));
  await page.waitForSelector(".bars");
  await page.waitForSelector("#outage", { state: "hidden" });
  assert.equal(times, 2);
  await page.context().close();
});

describe("where texts go", () => {
  test("is said as it is", async (t) => {
    const server = await serve({ own: [], options: ["--host", "0.0.0.0"] });
    t.after(() => server.stop());
    const page = await open(browser, server.url.replace("0.0.0.0", "127.0.0.1"));
    assert.match(await page.textContent("#place"), /^Texts go to the machine 127\.0\.0\.1 that runs lamella, nowhere else\./);
    await page.context().close();
  });

  test("and only where it is so, nothing is sent elsewhere", async () => {
    const page = await open(browser, there.url);
    assert.match(await page.textContent("#place"), /^Everything happens on this machine\. Nothing is sent elsewhere\./);
    assert.doesNotMatch(await (await fetch(`${there.url}/`)).text(), /sent elsewhere|on this machine/, "not before it is known");
    await page.context().close();
  });
});
