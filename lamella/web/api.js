/* The server's routes as functions. What it refuses becomes an Error whose message is the server's one line. */

const UNREACHED = "The server does not answer. Is `lamella serve` still running?";

async function call(path, { body, signal, accept, progress } = {}) {
  const form = body instanceof FormData;
  const headers = { Accept: accept ?? "application/json" };
  if (body && !form) headers["Content-Type"] = "application/json";
  let reply;
  try {
    reply = await fetch(path, {
      method: body ? "POST" : "GET",
      headers,
      body: form ? body : body && JSON.stringify(body),
      signal,
    });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Error(UNREACHED);
  }
  if (!reply.ok) throw new Error(await refusal(reply));
  if ((reply.headers.get("Content-Type") ?? "").includes("ndjson")) return lines(reply, progress);
  return accept === "*/*" ? reply : reply.json();
}

async function refusal(reply) {
  const text = await reply.text().catch(() => "");
  try {
    const said = JSON.parse(text).error;
    if (typeof said === "string" && said) {
      const wait = reply.headers.get("Retry-After");
      return reply.status === 503 && wait ? `${said} Try again in ${wait} s.` : said;
    }
  } catch {
    /* not JSON: what follows is all that is known */
  }
  return `The server answered ${reply.status} ${reply.statusText}.`.replace(" .", ".");
}

/** Lines of JSON while the server works; the last one is the answer. */
async function lines(reply, progress) {
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let last;
  for (;;) {
    const { done, value } = await reader.read();
    const parts = (rest + (value ?? "")).split("\n");
    rest = done ? "" : parts.pop();
    for (const part of parts.filter((p) => p.trim())) {
      last = JSON.parse(part);
      if (last.error) throw new Error(last.error);
      if ("done" in last) progress?.(last);
    }
    if (done) break;
  }
  if (!last || "done" in last) throw new Error("The server stopped before it had an answer. Ask again.");
  return last;
}

const at = (name) => `/models/${encodeURIComponent(name)}`;

export const models = () => call("/models");
export const model = (name) => call(at(name));
export const detect = (q, signal) => call("/detect", { body: { q }, signal });
export const inside = (name, signal) => call(`${at(name)}/explain`, { signal });

export function predict(name, examples, options = {}, { signal, progress } = {}) {
  const accept = progress ? "application/x-ndjson" : undefined;
  return call(`${at(name)}/predict`, { body: { examples, options }, signal, progress, accept });
}

export function explain(name, example, options = {}, signal = undefined) {
  return call(`${at(name)}/explain`, { body: { example, options, method: "ablation" }, signal });
}

/** A file -> {blob, name, counts}: the same kind of file with the answers in their places. */
export async function translateFile(name, file, options = {}) {
  const body = new FormData();
  body.append("file", file);
  body.append("options", JSON.stringify(options));
  const reply = await call(`${at(name)}/document`, { body, accept: "*/*" });
  let counts = {};
  try {
    counts = JSON.parse(reply.headers.get("X-Lamella-Counts") ?? "{}");
  } catch {
    /* a file without counts is still a file */
  }
  const said = reply.headers.get("Content-Disposition") ?? "";
  const long = /filename\*=UTF-8''([^;]+)/i.exec(said);
  const short = /filename="?([^";]+)"?/i.exec(said);
  const given = long ? decodeURIComponent(long[1]) : short?.[1];
  return { blob: await reply.blob(), name: given || file.name, counts };
}
