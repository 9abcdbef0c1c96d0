/* A model of sounds: a recording is heard, written down word by word, and explained; a microphone records. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { at, together, violations } from "./browser.js";

const NAME = "speech-recognition";
const house = together({ own: [NAME] });

const visit = () => house.visit(at(NAME));
async function leave(page) {
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.seen.foreign, []);
  assert.deepEqual(page.seen.complaints, []);
  await page.context().close();
}

/** A second of silence as WAV: 16 bits, 8 kHz. */
function quiet() {
  const raw = Buffer.alloc(44 + 16000);
  raw.write("RIFF", 0);
  raw.writeUInt32LE(36 + 16000, 4);
  raw.write("WAVEfmt ", 8);
  raw.writeUInt32LE(16, 16);
  raw.writeUInt16LE(1, 20);
  raw.writeUInt16LE(1, 22);
  raw.writeUInt32LE(8000, 24);
  raw.writeUInt32LE(16000, 28);
  raw.writeUInt16LE(2, 32);
  raw.writeUInt16LE(16, 34);
  raw.write("data", 36);
  raw.writeUInt32LE(16000, 40);
  return raw;
}

describe("a sound", () => {
  test("is written down word by word, and explained", async () => {
    const page = await visit(at(NAME));
    await page.click(".chip >> nth=0");
    await page.click("button:text-is('Ask')");
    await page.waitForSelector(".spoken button");
    const words = await page.locator(".spoken button").allTextContents();
    assert.ok(words.every((word) => /^[a-z]+$/.test(word)), words.join());
    await page.locator(".spoken button").first().click();
    await page.waitForFunction((word) => document.querySelector(".heard [role=status]").textContent.startsWith(`${word}: 0:`), words[0]);
    await page.click(".why-button");
    await page.waitForSelector(".why svg");
    assert.match(await page.textContent(".words"), /what is heard from \S*[\d.]+ to [\d.]+ s/);
    await leave(page);
  });

  test("that is silent gives no words and says why", async () => {
    const page = await visit(at(NAME));
    await page.locator(".ask input[type=file]").first().setInputFiles({ name: "quiet.wav", mimeType: "audio/wav", buffer: quiet() });
    await page.waitForSelector(".ask audio:not([hidden])");
    await page.click("button:text-is('Ask')");
    await page.waitForSelector(".heard .headline");
    assert.match(await page.textContent(".heard"), /Nothing was said.*silence/);
    await leave(page);
  });

  test("that a browser cannot play is refused in a line", async () => {
    const page = await visit(at(NAME));
    await page.locator(".ask input[type=file]").first().setInputFiles({ name: "a.m4a", mimeType: "audio/mp4", buffer: Buffer.from("no sound") });
    await page.waitForFunction(() => /a\.m4a: this is no sound/.test(document.querySelector(".ask").textContent));
    await leave(page);
  });

  test("is recorded where there is a microphone, and says so where there is none", async () => {
    const page = await visit(at(NAME));
    await page.click("button:text-is('Record')");
    await page.waitForFunction(() => /microphone cannot be used|Recording/.test(document.querySelector(".ask").textContent));
    await leave(page);
  });
});
