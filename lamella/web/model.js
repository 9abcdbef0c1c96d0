/* A model of any task: a form made from its fields, its answer, and beside it what it is and what it has learned. */

import * as api from "./api.js";
import { answer } from "./answer.js";
import { announce, busy, button, clear, debounce, el, language, megabytes, number, problem, words } from "./dom.js";
import { why } from "./explain.js";
import { droppable, files } from "./files.js";
import { chips, fields, options } from "./form.js";
import { markdown } from "./markdown.js";
import { hasPlane, plane } from "./plane.js";
import { sections } from "./sections.js";

const at = (name, rest = "") => `#/model/${encodeURIComponent(name)}${rest}`;
const LIVE = 350; // ms of quiet before a label is asked for while one types

function head(model, here) {
  const tab = (text, rest) => el("a", { href: at(model.name, rest), "aria-current": here === rest ? "page" : null }, text);
  const langs = model.languages ? `${language(model.languages[0])} to ${language(model.languages[1])}. ` : "";
  return el("div", { class: "head" },
    el("h1", { id: "title", tabindex: -1 }, model.name),
    el("p", { class: "quiet" }, `${langs}${model.summary}`),
    el("p", { class: "quiet facts" }, el("span", {}, words(model.task)),
      el("span", {}, `${number(Number((model.parameters / 1e6).toPrecision(2)))} million parameters`),
      el("span", {}, megabytes(model.bytes)), el("span", {}, model.precision)),
    el("nav", { class: "tabs", "aria-label": "This model" }, tab("Try it", ""), tab("Look inside", "/inside")));
}

/** The form and its answer. */
export function attempt(model) {
  const result = el("div", { class: "result" });
  const live = model.answer.kind === "label";
  let asked = null;
  let last = null;
  const latent = hasPlane(model) ? plane(model) : null;
  const chosen = options(model, latent ? ["make", "other"] : []);
  const soon = debounce(() => run(true), LIVE);
  const form = fields(model, (settled) => {
    if (settled) run(true);
    else if (live && last) soon();
  });
  const reason = why(() => model.name, () => ({ example: last.example, options: last.options }));

  async function run(quietly = false) {
    soon.cancel();
    asked?.abort();
    const mine = (asked = new AbortController());
    reason.reset();
    try {
      const example = form.read();
      const now = { example, options: chosen.read() };
      if (!quietly) clear(result, busy("Asking the net…"));
      result.classList.add("stale");
      const found = await api.predict(model.name, [example], now.options, { signal: mine.signal });
      if (mine.signal.aborted) return;
      last = now;
      result.classList.remove("stale");
      clear(result, answer(example, found.answers[0], found.rendered?.[0]), reason.button);
      reason.button.disabled = false;
      if (!quietly && innerWidth < 700) result.scrollIntoView({ block: "nearest" }); // it lies below the form there
      announce(`Answer: ${String(found.rendered?.[0] ?? "").slice(0, 200)}`);
      if (found.answers[0]?.point) latent?.go(found.answers[0].point, example);
    } catch (error) {
      if (mine.signal.aborted) return;
      result.classList.remove("stale");
      clear(result, problem(error));
    }
  }
  async function pick(example) {
    soon.cancel();
    await form.fill(example);
    last = null;
    await run();
  }

  const given = files(() => model.suffixes, async () => ({ model: model.name, options: chosen.read() }));
  const ask = el("form", { class: "ask", novalidate: true, onsubmit: (event) => {
    event.preventDefault();
    run();
  } }, chips(model, pick), form.nodes, chosen.node, el("div", { class: "row" },
    el("button", { type: "submit", class: "strong" }, "Ask"), model.suffixes?.length > 0 && given.pick),
  model.suffixes?.length > 0 && el("p", { class: "hint" }, `A whole file (${model.suffixes.join(", ")}) comes back with its answers.`), given.list);
  ask.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
  });
  const view = el("section", { "aria-labelledby": "title" }, head(model, ""),
    el("div", { class: "two try" }, ask, el("div", {}, el("div", { role: "region", "aria-label": "Answer" }, result), reason.panel)),
    latent?.node);
  clear(result, el("p", { class: "quiet" }, model.answer.description));
  droppable(ask, given.send);
  return { view };
}

/** The card, the curves of the training, and what the whole net has learned. */
export function inside(model) {
  const out = el("div", { class: "sections" });
  const look = button("Look inside the net", async () => {
    look.disabled = true;
    clear(out, busy("Running the examples through the net, part by part. The first time this may take a minute…"));
    try {
      const found = await api.inside(model.name);
      clear(out, sections(found.sections ?? []));
      announce(`${found.sections?.length ?? 0} sections are there.`);
    } catch (error) {
      clear(out, problem(error));
    }
    look.disabled = false;
  }, { class: "strong" });
  const curves = el("div", {});
  const card = el("article", { class: "card" }, busy("Reading the card…"));
  api.model(model.name).then((more) => {
    clear(card, markdown(more.card || "This model has no card.", 2));
    if (more.curves) {
      const uri = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(more.curves)}`;
      clear(curves, el("h2", {}, "How it learned"), el("img", { class: "curves", src: uri, alt: "Loss and metric by the step of training" }));
    }
  }).catch((error) => clear(card, problem(error)));
  const view = el("section", { "aria-labelledby": "title" }, head(model, "/inside"),
    el("div", { class: "inside" }, el("h2", {}, "What it has learned"),
      el("p", { class: "quiet" }, "What single units respond to, a map of the examples, and what each part of the net is worth."),
      look, out, curves, card));
  return { view };
}

/** All tasks with their verbs, and the models that are served. */
export function overview({ models, tasks }) {
  const verbs = [...new Set(tasks.flatMap((t) => t.verbs))];
  const cell = (task, verb) => task.verbs.includes(verb)
    ? el("td", { class: "yes" }, el("span", { "aria-hidden": "true" }, "●"), el("span", { class: "unseen" }, "yes"))
    : el("td", {}, el("span", { class: "unseen" }, "no"));
  const view = el("section", { "aria-labelledby": "title" }, el("h1", { id: "title", tabindex: -1 }, "Tasks and verbs"),
    el("p", { class: "lead" }, "A task says what goes in and what comes out. A verb works on every task."),
    el("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "Tasks and verbs" }, el("table", { class: "grid" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Task"), verbs.map((v) => el("th", { scope: "col" }, v)))),
      el("tbody", {}, tasks.map((t) => el("tr", {}, el("th", { scope: "row" }, words(t.name),
        el("span", { class: "hint" }, `${t.summary} Nets: ${t.nets.join(", ")}. Scored by ${t.metric}.`)), verbs.map((v) => cell(t, v))))))),
    el("h2", {}, "Models here"),
    el("ul", { class: "models" }, models.map((m) => el("li", {}, el("a", { href: at(m.name) }, m.name),
      el("span", { class: "quiet" }, `${words(m.task)}, ${megabytes(m.bytes)}`), el("a", { href: at(m.name, "/inside"), "aria-label": `Look inside ${m.name}` }, "look inside")))));
  return { view };
}
