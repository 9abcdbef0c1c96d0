/* Sentences of a translation that may well be wrong, as the net itself says: underlined, and what that means below them. */

import { predict } from "./api.js";
import { announce, clear, el, percent } from "./dom.js";
import { sentences } from "./align.js";

const UNSURE = 0.5; // below this confidence a sentence is marked
const MANY = 40; // sentences: of a longer text its lines are marked

/** lines.underline(ranges): words in the pane; shown() -> {model, text, answers, best, confidence | parts}. */
export function doubts(lines, shown) {
  const node = el("p", { class: "quiet doubt", hidden: true });

  function mark(parts, one) {
    const low = parts.filter((p) => p.confidence !== null && p.confidence < UNSURE);
    lines.underline(low.map((p) => ({ ...p, title: `${percent(p.confidence)} sure` })));
    node.hidden = !low.length;
    if (!low.length) return;
    const least = percent(Math.min(...low.map((p) => p.confidence)));
    const said = one ? `This may well be wrong: the model is ${least} sure of it.`
      : `${low.length === 1 ? "What is underlined" : `The ${low.length} underlined parts`} may well be wrong: the model is ${low.length === 1 ? "" : "at least "}${least} sure.`;
    clear(node, said);
    announce(said);
  }

  const hide = () => { node.hidden = true; };

  /** Mark what is shown; of several sentences each by itself, for which the server is asked once more. */
  async function check(signal) {
    const now = shown();
    hide();
    if (!now || now.answers[0] !== now.best) return; // how sure another one is is not known
    if (now.parts) {
      mark(now.parts, now.parts.length === 1);
      return;
    }
    const [source, target] = now.model.languages;
    const mine = sentences(now.best, target);
    const theirs = sentences(now.text, source);
    if (now.confidence === null) return;
    if (mine.length < 2 || mine.length !== theirs.length || mine.length > MANY) {
      mark([{ start: 0, end: now.best.length, confidence: now.confidence }], true);
      return;
    }
    const found = await predict(now.model.name, theirs.map((s) => ({ text: s.text.trim() })), { ...now.model.asks, details: true }, { signal })
      .catch(() => null);
    if (!found || shown() !== now) return;
    mark(mine.map((s, i) => ({ start: s.start, end: s.start + s.text.length, confidence: found.answers[i].confidence })), false);
  }
  return { node, check, hide };
}
