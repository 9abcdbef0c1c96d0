/* A line that says when a text is in another language than was chosen, and what can be done about it. */

import { detect } from "./api.js";
import { announce, button, clear, command, el, language } from "./dom.js";

const SHORT = 16; // characters: shorter texts in Latin letters are often mistaken
const SURE = 80; // percent that the other language must have
const LITTLE = 10; // percent that the chosen one may have

/** What to say of a text that no model here reads. */
export function nobody(code, to, model) {
  const name = language(code);
  return [`No model for ${name} is installed. With pairs of sentences you can train one: `,
    command(`lamella train ${model.task} pairs.tsv --from ${code} --to ${to} -o ${code}-${to}`)];
}

/** able: models with their two languages; choose(from, to): what a click does. -> {node, check(text, from, to, signal), hide()} */
export function hint(able, choose) {
  const node = el("div", { class: "hint-line", hidden: true });
  let last = "";

  function hide() {
    node.hidden = true;
    last = "";
  }

  async function check(text, from, to, signal) {
    const found = await another(text, from, signal).catch(() => null);
    if (signal.aborted) return;
    if (!found) {
      hide();
      return;
    }
    const said = `This looks like ${language(found)}.`;
    const targets = able.filter((m) => m.languages[0] === found).map((m) => m.languages[1]);
    const target = [to, from].find((code) => targets.includes(code)) ?? targets[0];
    clear(node, el("p", {}, `${said} `, target ? "" : nobody(found, to, able[0])),
      target && button(`Translate from ${language(found)} to ${language(target)}`, () => choose(found, target)));
    node.hidden = false;
    if (said !== last) announce(said);
    last = said;
  }
  return { node, check, hide };
}

/** The language that a text is in, where it is surely not in the one that was chosen; else null. */
async function another(text, chosen, signal) {
  const start = text.trim().slice(0, 2000);
  if (start.length < SHORT && /\p{Script=Latin}/u.test(start)) return null;
  const guesses = await detect(start, signal);
  const [best] = guesses;
  const own = guesses.find((g) => g.language === chosen)?.confidence ?? 0;
  return best && best.language !== chosen && best.confidence >= SURE && own <= LITTLE ? best.language : null;
}
