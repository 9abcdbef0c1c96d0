/* A text with words marked in it: those that were filled in, or those that fit least; and what else could stand there. */

import { el, number } from "./dom.js";
import { shares } from "./charts.js";

/** {"text", "marks", "fillings" or "pseudo_perplexity"} -> elements. */
export function marked(found) {
  const filled = Array.isArray(found.fillings);
  const nodes = [el("p", { class: "prose", dir: "auto" }, pieces(found))];
  if (filled && found.fillings.length) {
    nodes.push(shares(Object.fromEntries(found.fillings.map((one) => [one.words.join(" … "), one.probability]))));
  }
  if (!filled && found.marks.length) {
    nodes.push(el("ol", { class: "prose" }, found.marks.map((mark) => el("li", {}, el("strong", { dir: "auto" }, mark.word), " ",
      number(mark.probability), mark.instead ? [", likelier: ", el("bdi", {}, mark.instead)] : ""))));
  }
  const about = found.note ?? (typeof found.pseudo_perplexity === "number" ? `Pseudo-perplexity ${number(found.pseudo_perplexity)} a word.` : "");
  return about ? [...nodes, el("p", { class: "quiet" }, about)] : nodes;
}

/** The text as strings and marks; places are counted in characters, a pair of surrogates as one. */
function pieces(found) {
  const letters = [...found.text];
  const nodes = [];
  let at = 0;
  for (const mark of [...found.marks].sort((one, other) => one.start - other.start)) {
    if (mark.start < at) continue;
    const title = mark.probability === undefined ? "" : `${number(mark.probability)}${mark.instead ? `, likelier: ${mark.instead}` : ""}`;
    nodes.push(letters.slice(at, mark.start).join(""), el("mark", { title }, letters.slice(mark.start, mark.end).join("")));
    at = mark.end;
  }
  return [...nodes, letters.slice(at).join("")];
}
