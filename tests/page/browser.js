/* What the tests share: a server with real models, a browser, and pages that notice what must not happen. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import { chromium } from "playwright-core";

const { LAMELLA, MODELS, ROOT, CHROMIUM } = process.env;
export const TASKS = ["dimensionality-reduction", "image-classification", "text-classification", "text-generation", "time-series-forecasting"];
export const MARKUP = "<b>labels<";
const OWN = [MARKUP, "sales", "flowers", "en-he", "arabic"]; // models of data that are not the tasks' own
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The real server over the shipped translators and the trained models -> {url, stop}; own: models besides; options: of `lamella serve`. */
export async function serve({ port = 0, own = [...TASKS, ...OWN], options = [] } = {}) {
  const models = [...["en-de+es+fr+zh", "de+es+fr+zh-en"].map((n) => `${ROOT}/lamella/models/${n}`), ...own.map((n) => `${MODELS}/${n}`)];
  const child = spawn(LAMELLA, ["serve", ...models, "--port", String(port), ...options], { stdio: ["ignore", "pipe", "pipe"] });
  process.on("exit", () => child.kill());
  const said = [];
  const url = await new Promise((done, fail) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on("line", (line) => {
        said.push(line);
        const found = /http:\/\/[^\s"]+/.exec(line);
        if (found) done(found[0].replace(/[",}]+$/, ""));
      });
    }
    child.on("exit", () => fail(new Error(`lamella serve ended: ${said.join(" ")}`)));
  });
  const stop = async () => {
    if (child.exitCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  return { url, stop };
}

export function launch() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
  });
}

/** A page at an address of ours; page.seen holds what it asked for, what it complained of, and what was asked elsewhere. */
export async function open(browser, url, path = "/", options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 850 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(Number(process.env.PATIENCE ?? 60_000)); // a machine may be busy; what is wrong is seen sooner than that
  page.base = url;
  page.seen = { foreign: [], complaints: [], requests: [] };
  page.on("request", (r) => {
    page.seen.requests.push(r.url());
    if (!r.url().startsWith(`${url}/`) && !/^(data|blob):/.test(r.url())) page.seen.foreign.push(r.url());
  });
  page.on("pageerror", (e) => page.seen.complaints.push(e.message));
  page.on("dialog", (d) => page.seen.complaints.push(`dialog ${d.message()}`));
  page.on("console", (m) => {
    if (["error", "warning"].includes(m.type())) page.seen.complaints.push(m.text());
  });
  await page.goto(`${url}${path}`);
  await page.waitForSelector("#title", { state: "attached" });
  return page;
}

/** Violations that axe-core finds, a line each. It is evaluated, since the page's policy lets no script in. */
export async function violations(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map((v) => `${v.id}: ${v.help} (${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")})`);
}

/** A file dropped on an element. */
export async function drop(page, selector, name, text) {
  const data = await page.evaluateHandle(([n, t]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([t], n, { type: "text/plain" }));
    return transfer;
  }, [name, text]);
  await page.dispatchEvent(selector, "drop", { dataTransfer: data });
}

export const at = (name, rest = "") => `/#/model/${encodeURIComponent(name)}${rest}`;
export const translated = (page) => page.waitForFunction(() =>
  document.querySelector(".word") && !document.querySelector(".out.stale") && /\d ms/.test(document.querySelector(".state").textContent));

/** One server and one browser for all tests of a file -> {visit, leave, browser()}; given: what `serve` takes. */
export function together(given = {}) {
  let server;
  let browser;
  before(async () => {
    [server, browser] = await Promise.all([serve(given), launch()]);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });
  return {
    browser: () => browser,
    /** A page that must not complain; `refused` where the server is to refuse something, which browsers log. */
    async visit(path = "/", { refused = false, ...options } = {}) {
      const page = await open(browser, server.url, path, options);
      page.refused = refused;
      return page;
    },
    async leave(page) {
      assert.deepEqual(page.seen.foreign, [], "a request to another host");
      const complaints = page.seen.complaints.filter((c) => !(page.refused && c.startsWith("Failed to load resource")));
      assert.deepEqual(complaints, []);
      assert.equal(await page.evaluate(() => globalThis.hacked), undefined, "markup ran");
      await page.context().close();
    },
  };
}

/** Fill a model's form with its first example and wait for the answer, and for what explains it. */
export async function answered(page) {
  await page.click(".chip >> nth=0");
  await page.waitForSelector(".why-button");
  await page.click(".why-button");
  await page.waitForSelector(".faith");
}
