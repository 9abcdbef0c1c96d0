/* A model of any task: a form made from its fields, its answer, and beside it what it is and what it has learned. */

import * as api from "./api.js";
import { answer } from "./answer.js";
import { announce, busy, button, clear, copier, debounce, el, labelled, language, megabytes, number, problem, words } from "./dom.js";
import { why } from "./explain.js";
import { droppable, files } from "./files.js";
import { chips, fields, options } from "./form.js";
import { markdown } from "./markdown.js";
import { hasPlane, plane } from "./plane.js";
import { keep, kept } from "./store.js";

const at = (name, rest = "") => `#/model/${encodeURIComponent(name)}${rest}`;
const LIVE = 350; // ms of quiet before a label is asked for while one types

function head(model, here) {
  const tab = (text, rest) => el("a", { href: at(model.name, rest), "aria-current": here === rest ? "page" : null }, text);
  const langs = model.directions.map(([from, to]) => `${language(from)} to ${language(to)}. `).join("");
  return el("div", { class: "head" },
    el("h1", { id: "title", tabindex: -1, dir: "auto" }, model.name),
    el("p", { class: "quiet" }, `${langs}${model.summary}`),
    el("p", { class: "quiet facts" }, el("span", {}, words(model.task)),
      el("span", {}, `${number(Number((model.parameters / 1e6).toPrecision(2)))} million parameters`),
      el("span", {}, megabytes(model.bytes)), el("span", {}, model.precision)),
    el("nav", { class: "tabs", "aria-label": "This model" }, tab("Try it", ""), tab("Look inside", "/inside")));
}

/** The form and its answer; of a model that answers several questions, the one of this number. */
export function attempt(whole, which = 0) {
  const questions = whole.questions ?? [];
  const { name: question = "", ...declared } = questions[which] ?? {};
  const model = { ...whole, ...(which ? { optional: {} } : {}), ...declared, question };
  const choice = el("select", { onchange: () => {
    const other = attempt(whole, choice.selectedIndex);
    view.replaceWith(other.view);
    other.view.querySelector("select")?.focus();
  } }, questions.map((q, i) => el("option", { value: q.name, selected: i === which || null }, words(q.name))));
  const result = el("div", { class: "result", "aria-busy": "false" });
  const tools = el("div", { class: "row answer-tools" });
  const typed = `form ${model.name} ${question}`.trim(); // what was typed, in this tab
  const live = model.answer.kind === "label";
  let asked = null;
  let last = null;
  let restoring = true; // what is put back asks for no answer
  let before = null; // what was typed before it was cleared, or an example took its place
  const latent = hasPlane(model) ? plane(model) : null;
  const chosen = options(model, latent ? ["make", "other"] : []);
  const soon = debounce(() => run(true), LIVE);
  const form = fields(model, (settled) => {
    if (restoring) return;
    remember();
    if (settled) run(true);
    else if (live && last) soon();
  });
  const drawn = form.nodes.every((node) => node.matches(".picture")); // a picture has a Clear of its own
  const reason = why(() => model.name, () => ({ example: last.example, options: last.options, question }));
  const stop = button("Stop", () => asked?.abort("stopped"), { class: "strong", hidden: true });
  const another = button("Another", () => {
    chosen.set("seed", String(1 + Math.floor(Math.random() * 1e6)));
    run();
  }, { title: "Draw another answer, with a new seed", hidden: true });
  const copy = copier(() => last?.text ?? "");
  const wipe = button("Clear", () => replace(() => form.fill({})));
  const undo = button("Undo", async () => {
    const raw = before;
    before = null;
    await form.restore(raw);
    remember();
  });

  function remember() {
    keep(typed, form.raw);
    wipe.hidden = form.empty || drawn;
    undo.hidden = !before;
  }
  /** Let something else take the place of what was typed, which can be brought back. */
  async function replace(work) {
    soon.cancel();
    if (!form.empty) before = form.raw;
    last = null;
    await work();
    remember();
  }
  function show(example, found, rendered) {
    clear(result, answer(example, found, rendered));
  }

  async function run(quietly = false) {
    soon.cancel();
    asked?.abort();
    const mine = (asked = new AbortController());
    reason.reset();
    reason.button.disabled = true;
    const now = { example: null, options: {}, text: "" };
    try {
      now.example = form.read();
      now.options = chosen.read();
      if (!quietly) clear(result, busy("Asking the net…"));
      result.classList.add("stale");
      const progress = model.streams ? (part) => {
        if (mine.signal.aborted || !("partial" in part)) return;
        result.classList.remove("stale");
        now.text = part.rendered;
        show(now.example, part.partial, part.rendered);
        tail(result);
      } : undefined;
      stop.hidden = !model.streams;
      another.hidden = copy.hidden = true;
      result.setAttribute("aria-busy", "true");
      const found = await api.predict(model.name, [now.example], now.options, { signal: mine.signal, progress, ask: question });
      if (mine.signal.aborted) return;
      now.text = String(found.rendered?.[0] ?? "");
      show(now.example, found.answers[0], found.rendered?.[0]);
      if (found.notes?.[0]) result.append(el("p", { class: "quiet" }, found.notes[0]));
      tail(result);
      reason.button.disabled = false;
      last = now;
      if (!quietly && innerWidth < 700) result.scrollIntoView({ block: "nearest" }); // it lies below the form there
      announce(`Answer: ${now.text.slice(0, 200)}`);
      if (found.answers[0]?.point) latent?.go(found.answers[0].point, now.example);
    } catch (error) {
      if (mine !== asked) return; // another answer is asked for by now
      if (mine.signal.reason === "stopped") {
        last = now;
        if (!now.text) clear(result, el("p", { class: "quiet" }, "Stopped."));
        announce("Stopped.");
      } else clear(result, problem(error));
    }
    stop.hidden = true;
    result.classList.remove("stale");
    result.setAttribute("aria-busy", "false");
    another.hidden = !(chosen.has("seed") && last === now);
    copy.hidden = !(last === now && now.text);
    reason.button.hidden = last !== now;
  }
  async function pick(example) {
    await replace(() => form.fill(example));
    await run();
  }

  const given = files(() => model.suffixes, async () => ({ model: model.name, options: chosen.read(), question }));
  const ask = el("form", { class: "ask", novalidate: true, onsubmit: (event) => {
    event.preventDefault();
    run();
  } }, questions.length > 1 && labelled("Question", choice, declared.description), chips(model, pick), form.nodes, chosen.node, el("div", { class: "row" },
    el("button", { type: "submit", class: "strong" }, "Ask"), wipe, undo, model.suffixes?.length > 0 && given.pick),
  model.suffixes?.length > 0 && el("p", { class: "hint" }, `A whole file (${model.suffixes.join(", ")}) comes back with its answers.`), given.list);
  ask.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
    if (event.key === "Escape") asked?.abort("stopped");
  });
  reason.button.hidden = copy.hidden = true;
  tools.append(stop, another, copy, reason.button);
  const view = el("section", { "aria-labelledby": "title" }, head(model, ""),
    el("div", { class: "two try" }, ask, el("div", { class: "answer" },
      el("div", { role: "region", "aria-label": "Answer" }, result, tools), reason.panel)), latent?.node);
  clear(result, el("p", { class: "quiet" }, model.answer.description));
  droppable(ask, given.send);
  form.restore(kept(typed)).then(() => {
    restoring = false;
    remember();
  });
  return { view };
}

/** Keep the end of a long answer in view while it grows. */
function tail(result) {
  const text = result.querySelector(".written");
  if (text) text.scrollTop = text.scrollHeight;
}

/** The card, the curves of the training, and what the whole net has learned. */
export function inside(model) {
  const out = el("div", { class: "sections" });
  const look = button("Look inside the net", async () => {
    look.disabled = true;
    clear(out, busy("Running the examples through the net, part by part. The first time this may take a minute…"));
    try {
      const [found, { sections }] = await Promise.all([api.inside(model.name), import("./sections.js")]);
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
