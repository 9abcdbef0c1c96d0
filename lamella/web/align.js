/* Which word of a translation came from which word of the text: asked for when one looks at a word, then kept. */

import { explain } from "./api.js";
import { announce, clear, debounce, el } from "./dom.js";

const LOOK = 120; // ms on a word before it is asked for
const KEEP = 50; // sentences
const FAINT = 0.3; // of the strongest: below this a word is not shown

/** Sentences of a text as {text, start}; one where the browser cannot tell. */
export function sentences(text, lang) {
  if (!Intl.Segmenter) return [{ text, start: 0 }];
  const parts = [...new Intl.Segmenter(lang, { granularity: "sentence" }).segment(text)];
  return parts.filter((p) => p.segment.trim()).map((p) => ({ text: p.segment, start: p.index }));
}

/** Where each of some words stands in a text, in order: [start, end], or null for one that is not there. */
function places(words, text) {
  let at = 0;
  return words.map((word) => {
    const found = word ? text.indexOf(word, at) : -1;
    if (found < 0) return null;
    at = found + word.length;
    return [found, at];
  });
}

/** out: the pane of the translation; ghost: what lies behind the text and can be marked; shown() -> {model, text, answers, best}. */
export function alignment(out, ghost, shown) {
  const known = new Map();
  let spans = [];
  let current = -1;
  let marked = false;

  function show(text) {
    current = -1;
    let start = 0;
    spans = [];
    clear(out, text.split(/(\s+)/).filter(Boolean).map((part) => {
      const begin = start;
      start += part.length;
      if (!part.trim()) return document.createTextNode(part);
      const span = el("span", { class: "word" }, part);
      spans.push({ span, start: begin, end: start });
      return span;
    }));
  }

  /** Underline the words between some places, {start, end, title} each. */
  function underline(ranges) {
    for (const { span, start, end } of spans) {
      const found = ranges.find((r) => start < r.end && end > r.start);
      span.classList.toggle("unsure", Boolean(found));
      span.title = found?.title ?? "";
    }
  }

  function forget() {
    if (marked) ghost.textContent = ghost.textContent; // one text node again, without marks
    marked = false;
    spans.forEach(({ span }) => span.classList.remove("now"));
  }

  function ask(model, text) {
    const key = `${model.name} ${model.languages}\n${text}`;
    if (!known.has(key)) {
      if (known.size >= KEEP) known.delete(known.keys().next().value);
      known.set(key, explain(model.name, { text }, model.asks).catch((error) => {
        known.delete(key);
        throw error;
      }));
    }
    return known.get(key);
  }

  async function look(index) {
    const now = shown();
    if (!now || index < 0 || now.model.through || now.answers[0] !== now.best) return;
    forget();
    const word = spans[index];
    word.span.classList.add("now");
    const [source, target] = now.model.languages;
    const mine = sentences(now.answers[0], target);
    const theirs = sentences(now.text, source);
    const at = mine.findLastIndex((s) => s.start <= word.start);
    if (mine.length !== theirs.length) return; // which sentence is which cannot be told
    const found = await ask(now.model, theirs[at].text.trim()).catch(() => null);
    if (!found?.attention || shown() !== now || current !== index) return;
    const lead = theirs[at].start + (theirs[at].text.length - theirs[at].text.trimStart().length);
    mark(found.attention, word, mine[at], theirs[at].text.trim(), lead);
  }

  function mark(attention, word, sentence, text, lead) {
    const rows = places(attention.rows, sentence.text);
    const here = [word.start - sentence.start, word.end - sentence.start];
    const row = rows.findIndex((p) => p && p[0] < here[1] && p[1] > here[0]);
    if (row < 0) return;
    const weights = attention.weights[row];
    const most = Math.max(...weights);
    const columns = places(attention.columns, text);
    const strong = weights.map((w, i) => ({ w: w / most, place: columns[i], name: attention.columns[i] }))
      .filter((c) => c.place && c.w >= FAINT);
    const whole = ghost.textContent;
    const parts = [];
    let at = 0;
    for (const c of strong) {
      const [a, b] = c.place.map((p) => p + lead);
      parts.push(whole.slice(at, a), el("mark", { vars: { "--w": c.w.toFixed(2) } }, whole.slice(a, b)));
      at = b;
    }
    clear(ghost);
    ghost.append(...parts, whole.slice(at));
    marked = true;
    announce(`${word.span.textContent}: from ${strong.map((c) => c.name).join(", ")}`);
    ghost.querySelector("mark")?.scrollIntoView({ block: "nearest" });
  }

  const soon = debounce(look, LOOK);
  function go(index) {
    if (index === current) return;
    current = index;
    soon(index);
  }
  out.addEventListener("pointerover", (event) => {
    const index = spans.findIndex(({ span }) => span === event.target);
    if (index >= 0) go(index);
  });
  function leave() {
    current = -1;
    soon.cancel();
    forget();
  }
  out.addEventListener("pointerleave", leave);
  out.addEventListener("blur", leave);
  out.addEventListener("keydown", (event) => {
    const ahead = out.matches(":dir(rtl)") ? -1 : 1; // the next word of Hebrew stands to the left
    const step = { ArrowLeft: -ahead, ArrowRight: ahead }[event.key];
    if (!step || !spans.length || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    go(Math.min(spans.length - 1, Math.max(0, current + step)));
  });
  return { show, forget, underline };
}
