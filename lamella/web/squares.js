/* Which squares of a picture each part of an answer hangs on: the picture once for each part, such as a word of a caption. */

import { el, number, svg } from "./dom.js";

const MOST = 40; // parts

/** attention: {rows, weights}, a weight for each square of the field {rows, columns}; uri: the picture. */
export function squares(attention, field, uri) {
  const most = Math.max(1e-12, ...attention.weights.flat());
  const parts = attention.rows.slice(0, MOST).map((name, i) => {
    const weights = attention.weights[i];
    const best = field.units[weights.indexOf(Math.max(...weights))];
    const cells = field.units.map((u, j) => weights[j] > 0 && svg("rect", { x: u.column, y: u.row, width: 1, height: 1,
      class: "square", "fill-opacity": (0.75 * (weights[j] / most)).toFixed(3) }, svg("title", {}, number(weights[j]))));
    const label = weights.some((w) => w > 0) ? `${name}: most at ${best.label}` : `${name}: on no square alone`;
    return el("figure", {}, svg("svg", { viewBox: `0 0 ${field.columns} ${field.rows}`, role: "img", "aria-label": label },
      svg("image", { href: uri, width: field.columns, height: field.rows, preserveAspectRatio: "none" }), cells.filter(Boolean)),
    el("figcaption", {}, el("bdi", {}, name)));
  });
  return [el("h3", {}, attention.title ?? "Which squares each part of the answer hangs on"), el("div", { class: "squares" }, parts)];
}
