/* The server's routes as functions. What it refuses becomes an Error whose message is the server's one line.

   Where it does not answer, a call waits and is made again by itself once it does: nobody has to ask twice. `outage` tells
   of that: "waiting" with the seconds until the next try and why, "trying", "settled", "back".
*/

const PAUSES = [1, 2, 4, 8, 15, 30]; // seconds between two tries
const BUSY = 5; // of a busy server: by so many seconds, and so often, a call is put off
const GONE = [502, 504]; // what a proxy says of a server that does not answer
export const outage = new EventTarget();

/** No answer came; `wait` where the server said when to come again, `line` what it said. */
class Unanswered extends Error {
  constructor(line = "The server does not answer.", wait = 0) {
    super(line);
    this.wait = wait;
  }
}

async function call(path, options = {}) {
  for (let tries = 1; ; tries++) {
    try {
      const found = await once(path, options);
      if (tries > 1) tell("settled");
      return found;
    } catch (error) {
      if (tries > 1 && !(error instanceof Unanswered)) tell("settled");
      if (options.signal?.aborted || !(error instanceof Unanswered) || (error.wait && tries > BUSY)) throw error;
      await until(error.wait ? pause(error.wait, "The server is busy") : back(), options.signal);
    }
  }
}

async function once(path, { body, signal, accept, progress }) {
  const form = body instanceof FormData;
  const headers = { Accept: accept ?? "application/json" };
  if (body && !form) headers["Content-Type"] = "application/json";
  const reply = await whole(fetch(path, {
    method: body ? "POST" : "GET",
    headers,
    body: form ? body : body && JSON.stringify(body),
    signal,
  }));
  if (GONE.includes(reply.status)) throw new Unanswered();
  if (!reply.ok) throw await refusal(reply);
  if ((reply.headers.get("Content-Type") ?? "").includes("ndjson")) return lines(reply, progress);
  return accept === "*/*" ? { blob: await whole(reply.blob()), headers: reply.headers } : whole(reply.json());
}

/** What comes over the line; a line that breaks is a TypeError, and means that the server did not answer. */
async function whole(coming) {
  try {
    return await coming;
  } catch (error) {
    throw error instanceof TypeError ? new Unanswered() : error;
  }
}

async function refusal(reply) {
  const text = await reply.text().catch(() => "");
  try {
    const said = JSON.parse(text).error;
    if (typeof said === "string" && said) {
      const wait = reply.status === 503 ? Number(reply.headers.get("Retry-After")) : 0;
      return wait > 0 && wait <= BUSY ? new Unanswered(said, wait) : new Error(wait ? `${said} Try again in ${wait} s.` : said);
    }
  } catch {
    /* not JSON: what follows is all that is known */
  }
  return new Error(`The server answered ${reply.status} ${reply.statusText}.`.replace(" .", "."));
}

/** Lines of JSON while the server works; the last one is the answer. */
async function lines(reply, progress) {
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let last;
  for (;;) {
    const { done, value } = await whole(reader.read());
    const parts = (rest + (value ?? "")).split("\n");
    rest = done ? "" : parts.pop();
    for (const part of parts.filter((p) => p.trim())) {
      last = JSON.parse(part);
      if (last.error) throw new Error(last.error);
      if ("done" in last || "partial" in last) progress?.(last);
    }
    if (done) break;
  }
  if (!last || "done" in last || "partial" in last) throw new Unanswered();
  return last;
}

// ---- while the server does not answer

const tell = (name, detail) => outage.dispatchEvent(new CustomEvent(name, { detail }));
let hurry = () => {};

/** Try at once, whatever pause is on. */
export const tryNow = () => hurry();

async function pause(seconds, why) {
  const now = new Promise((done) => { hurry = done; });
  for (let left = seconds; left > 0; left--) {
    tell("waiting", { left, why });
    if (await Promise.race([now.then(() => true), new Promise((done) => { setTimeout(done, 1000); })])) break;
  }
  tell("trying");
}

let looking = null;

/** Done when the server answers again; all who wait share one look-out. */
function back() {
  looking ??= (async () => {
    for (let tries = 0; ; tries++) {
      await pause(PAUSES[Math.min(tries, PAUSES.length - 1)], "The server does not answer");
      const reply = await fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(5000) }).catch(() => null);
      if (reply && !GONE.includes(reply.status)) break;
    }
    looking = null;
    tell("back");
  })();
  return looking;
}

function until(work, signal) {
  if (!signal) return work;
  return Promise.race([work, new Promise((_, fail) => {
    signal.addEventListener("abort", () => fail(signal.reason), { once: true });
  })]);
}

addEventListener("online", () => hurry());

// ---- the routes

const at = (name) => `/models/${encodeURIComponent(name)}`;

export const models = () => call("/models");
export const model = (name) => call(at(name));
export const detect = (q, signal) => call("/detect", { body: { q }, signal });
export const inside = (name, signal) => call(`${at(name)}/explain`, { body: {}, signal });

export function predict(name, examples, options = {}, { signal, progress, ask = "" } = {}) {
  const accept = progress ? "application/x-ndjson" : undefined;
  return call(`${at(name)}/predict`, { body: { examples, options, ask }, signal, progress, accept });
}

export function explain(name, example, options = {}, signal = undefined, ask = "") {
  return call(`${at(name)}/explain`, { body: { example, options, method: "ablation", ask }, signal });
}

/** A file -> {blob, name, counts}: the same kind of file with the answers in their places. */
export async function translateFile(name, file, options = {}, ask = "") {
  const body = new FormData();
  body.append("file", file);
  body.append("options", JSON.stringify(options));
  if (ask) body.append("ask", ask);
  const { blob, headers } = await call(`${at(name)}/document`, { body, accept: "*/*" });
  let counts = {};
  try {
    counts = JSON.parse(headers.get("X-Lamella-Counts") ?? "{}");
  } catch {
    /* a file without counts is still a file */
  }
  const said = headers.get("Content-Disposition") ?? "";
  const long = /filename\*=UTF-8''([^;]+)/i.exec(said);
  const short = /filename="?([^";]+)"?/i.exec(said);
  const given = long ? decodeURIComponent(long[1]) : short?.[1];
  return { blob, name: given || `answers ${file.name}`, counts };
}
