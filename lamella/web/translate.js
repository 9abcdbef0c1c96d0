/* The translator: two panes, an answer while one types, and which word came from which. */

import * as api from "./api.js";
import { alignment } from "./align.js";
import { announce, button, clear, copier, debounce, el, language, megabytes, number, problem } from "./dom.js";
import { why } from "./explain.js";
import { droppable, files } from "./files.js";
import { chips } from "./form.js";
import { hint, nobody } from "./hint.js";
import { keep, kept } from "./store.js";

const WAIT = 250; // ms of quiet before it asks
const LONG = 1500; // characters from which progress is shown
const CHOICE = "lamella languages";
const TYPED = "translate"; // what was typed, in this tab
const CLEARED = "translate cleared"; // what Clear took away

/** A model as it translates one of its pairs; `asks` are the options that say which, where it is not its usual one.

    `through` is the language between, where two models do it: then no word can be followed to where it came from. */
function ofPair(models, { from, to, through, model }) {
  const own = models.find((m) => m.name === model);
  if (!own) return null;
  const usual = own.languages[0] === from && own.languages[1] === to;
  return { ...own, languages: [from, to], through, usual, asks: usual ? {} : { from, to }, examples: usual ? own.examples : [] };
}

/** An answer with what is known of it, or without -> {answers, confidence}. */
const told = (found) => (found?.translation === undefined ? { answers: [found].flat(), confidence: null }
  : { answers: [found.translation, ...(found.alternatives ?? [])], confidence: found.confidence });
const asking = (model) => (model.options.some((o) => o.name === "details") ? { details: true } : {});

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(CHOICE)) ?? {};
  } catch {
    return {};
  }
}

function remember(from, to) {
  try {
    localStorage.setItem(CHOICE, JSON.stringify({ from, to }));
  } catch {
    /* a browser that keeps nothing still translates */
  }
}

/** pairs: who translates what, perhaps by way of another language; detects: whether the server can tell languages. */
export function translator({ models, pairs, detects }) {
  const able = pairs.map((pair) => ofPair(models, pair)).filter(Boolean);
  const sources = [...new Set(able.map((m) => m.languages[0]))].sort();
  const targets = (from) =>
    [...new Set(able.filter((m) => from === "auto" || m.languages[0] === from).map((m) => m.languages[1]))].sort();
  // A model of several pairs has a usual one, which is not the first by name.
  const first = (from) => able.find((m) => m.usual && (from === "auto" || m.languages[0] === from))?.languages[1] ?? targets(from)[0];
  const between = (from, to) => able.find((m) => m.languages[0] === from && m.languages[1] === to);

  let detected = ""; // the language of the text, where it was asked for
  let asked = null; // what is being waited for
  let shown = null; // {model, text, answers, best, confidence, parts} in the right pane

  const from = el("select", { id: "from", onchange: () => { pairUp(); run(); } },
    detects && el("option", { value: "auto" }, "Detect language"), sources.map((c) => el("option", { value: c }, language(c))));
  const to = el("select", { id: "to", onchange: () => { remember(from.value, to.value); run(); } });
  const swap = button("", swapped, { class: "swap", "aria-label": "Swap the languages", title: "Swap the languages" });
  const input = el("textarea", { id: "source", rows: 1, dir: "auto", spellcheck: "false", "aria-label": "Text to translate",
    placeholder: "Type or paste a text, or drop a file.", oninput: () => { mirror(); later(); } });
  const ghost = el("div", { class: "ghost", dir: "auto", "aria-hidden": "true" });
  const count = el("span", { class: "quiet figure" });
  const out = el("div", { class: "out", id: "translation", dir: "auto", tabindex: 0, role: "textbox", "aria-readonly": "true",
    "aria-multiline": "true", "aria-label": "Translation", "aria-describedby": "how", "data-empty": "Translation" });
  const state = el("p", { class: "state quiet" });
  const others = el("div", { class: "others" });
  const copy = copier(() => shown?.answers[0] ?? "", { disabled: true }, () => getSelection().selectAllChildren(out));
  const wipe = button("Clear", () => { keep(CLEARED, input.value); put(""); });
  const undo = button("Undo clear", () => { put(kept(CLEARED) ?? ""); keep(CLEARED, null); });
  const other = hint(able, (a, b) => { from.value = a; pairUp(); to.value = b; remember(a, b); run(); });
  const reason = why(() => shown.model.name, () => ({ example: { text: shown.text }, options: shown.model.asks }));
  reason.button.disabled = true;
  const about = el("p", { class: "quiet about" });
  const given = files(() => [...new Set(able.flatMap((m) => m.suffixes))], fileModel);
  const tries = el("div", { class: "tries" });
  const lines = alignment(out, ghost, () => shown);
  const doubt = el("div");
  let unsure = null; // comes with the first answer
  const later = debounce(() => run(), WAIT);

  function pairUp() {
    const wanted = to.value;
    const can = targets(from.value);
    clear(to, can.map((c) => el("option", { value: c }, language(c))));
    to.value = can.includes(wanted) ? wanted : first(from.value);
    remember(from.value, to.value);
    const model = current();
    swap.disabled = !(from.value === "auto" ? detected && between(to.value, detected) : between(to.value, from.value));
    clear(tries, model && !input.value && chips(model, (example) => put(example.text)));
  }
  function put(text) {
    input.value = text;
    mirror();
    run();
    input.focus();
  }
  const current = () => between(from.value === "auto" ? detected || sources.find((s) => between(s, to.value)) : from.value, to.value);

  function mirror() {
    ghost.textContent = `${input.value}\n`;
    count.textContent = input.value ? `${number(input.value.length)} characters` : "";
    wipe.hidden = !input.value;
    undo.hidden = Boolean(input.value) || !kept(CLEARED);
    keep(TYPED, { text: input.value, from: from.value, to: to.value });
    lines.forget();
  }

  async function direction(text, signal) {
    if (from.value !== "auto") {
      detected = "";
      return between(from.value, to.value);
    }
    const guess = (await api.detect(text.slice(0, 2000), signal))[0];
    detected = guess?.confidence ? guess.language : ""; // of 12:30 it knows none
    from.options[0].textContent = detected ? `Detected: ${language(detected)}` : "Detect language";
    if (!detected) return current();
    if (!between(detected, to.value)) {
      const can = targets(detected);
      if (!can.length) throw Object.assign(new Error(`This looks like ${language(detected)}. Choose the language, if it is another.`),
        { more: nobody(detected, to.value, able[0]) });
      to.value = first(detected);
    }
    swap.disabled = !between(to.value, detected);
    return between(detected, to.value);
  }

  async function run() {
    later.cancel();
    asked?.abort();
    const mine = (asked = new AbortController());
    const text = input.value;
    keep(TYPED, { text, from: from.value, to: to.value });
    reason.reset();
    if (!text.trim()) {
      other.hide();
      show(null);
      pairUp();
      return;
    }
    clear(tries);
    out.classList.add("stale");
    state.textContent = "Translating…";
    if (!detects || from.value === "auto") other.hide();
    else other.check(text, from.value, to.value, mine.signal);
    try {
      const model = await direction(text, mine.signal);
      const progress = text.length > LONG ? ({ done, total }) => {
        if (!mine.signal.aborted) state.textContent = `Translating… ${done} of ${total}`;
      } : undefined;
      const began = performance.now();
      const found = progress && text.trim().includes("\n") ? await byLines(model, text, { signal: mine.signal, progress })
        : await whole(model, text, { signal: mine.signal });
      if (mine.signal.aborted) return;
      show({ model, text, ...found, best: found.answers[0] });
      state.textContent = `${Math.round(performance.now() - began)} ms`;
      if (!unsure) {
        unsure = (await import("./doubts.js")).doubts(lines, () => shown);
        doubt.append(unsure.node);
      }
      await unsure.check(mine.signal);
    } catch (error) {
      if (mine.signal.aborted) return; // another text is asked for by now
      show(null);
      clear(state, problem(error), error.more ? el("p", {}, error.more) : "");
    }
  }

  async function whole(model, text, how) {
    const many = model.options.some((o) => o.name === "alternatives") ? { alternatives: 3 } : {};
    return told((await api.predict(model.name, [{ text }], { ...model.asks, ...many, ...asking(model) }, how)).answers[0]);
  }

  /** A long text, a line an example: the server tells how far it is, and lets short questions pass between. */
  async function byLines(model, text, how) {
    const lines = text.split("\n");
    const full = lines.filter((l) => l.trim());
    const { answers } = await api.predict(model.name, full.map((l) => ({ text: l })), { ...model.asks, ...asking(model) }, how);
    const next = answers.map(told).values();
    const parts = [];
    let start = 0;
    const written = lines.map((l) => {
      const { answers: [one], confidence } = l.trim() ? next.next().value : { answers: [l], confidence: null };
      parts.push({ start, end: start + one.length, confidence });
      start += one.length + 1;
      return one;
    });
    return { answers: [written.join("\n")], parts };
  }

  function show(found) {
    shown = found;
    out.classList.remove("stale");
    clear(others);
    clear(state);
    unsure?.hide();
    copy.disabled = !found;
    reason.button.disabled = !found || found.model.through !== "" || found.best !== found.answers[0]; // what is explained is the model's first choice
    lines.show(found?.answers[0] ?? "");
    if (!found) {
      clear(about);
      return;
    }
    const { model, answers } = found;
    out.lang = model.languages[1];
    announce(`Translated. ${answers[0].slice(0, 200)}`);
    if (answers.length > 1) {
      others.append(el("h2", {}, "Or"), el("ul", {}, answers.slice(1).map((text) =>
        el("li", {}, button(text, () => show({ ...found, answers: [text, ...answers.filter((a) => a !== text)] }),
          { class: "plain", lang: model.languages[1], dir: "auto", title: "Take this one" })))));
    }
    clear(about, "Translated by ", el("a", { href: `#/model/${encodeURIComponent(model.name)}` }, model.name),
      `${model.through && `, by way of ${language(model.through)}`}: ${(model.parameters / 1e6).toFixed(1)} million parameters, ${megabytes(model.bytes)}.`);
  }

  function swapped() {
    const [a, b] = [from.value === "auto" ? detected : from.value, to.value];
    if (!between(b, a)) return;
    from.value = b;
    pairUp();
    to.value = a;
    if (shown) input.value = shown.answers[0];
    mirror();
    run();
    remember(from.value, to.value);
  }

  async function fileModel(file) {
    const text = from.value === "auto" ? (await file.slice(0, 4000).text()).replace(/[\d:,>#*<"\\-]+/g, " ") : "";
    const model = await direction(text, undefined);
    if (!model) throw new Error("No model here translates between these two languages.");
    return { model: model.name, options: model.asks };
  }

  const view = el("section", { class: "translator", "aria-labelledby": "title" },
    el("h1", { id: "title", class: "unseen", tabindex: -1 }, "Translate"),
    el("div", { class: "languages" },
      el("div", {}, el("label", { for: "from", class: "unseen" }, "From"), from), swap,
      el("div", {}, el("label", { for: "to", class: "unseen" }, "To"), to)),
    other.node,
    el("div", { class: "panes" },
      el("div", { class: "pane" }, el("div", { class: "paper" }, ghost, input), tries,
        el("div", { class: "tools" }, given.pick, wipe, undo, count)),
      el("div", { class: "pane right" }, out, doubt, others,
        el("div", { class: "tools" }, copy, reason.button, state))),
    el("p", { class: "unseen", id: "how" }, "With the left and right arrow keys you go from word to word and hear what each comes from."),
    given.list, reason.panel, about);
  droppable(view, given.send);

  const before = kept(TYPED) ?? {};
  const start = { ...remembered(), ...Object.fromEntries(Object.entries(before).filter(([, v]) => v)) };
  from.value = (detects && start.from === "auto") || sources.includes(start.from) ? start.from : sources[0];
  input.value = before.text ?? "";
  pairUp();
  if (start.to && targets(from.value).includes(start.to)) to.value = start.to;
  pairUp();
  mirror();
  if (input.value) run();
  return { view, focus: input };
}
