/* What a whole net has learned, section by section, each drawn for its kind. */

import { calibration, map, series, signed, table } from "./charts.js";
import { el, number, percent } from "./dom.js";

const FIRST = 6; // units that are shown at once
const LISTED = 100; // points of a map

const DRAWN = { units, "coloured text": colouredText, filters, map: place, ablation, calibration: sure };

export function sections(list) {
  return list.map((s) => el("section", { class: "inner" }, el("h3", {}, s.title), s.note && el("p", { class: "quiet" }, s.note),
    (DRAWN[s.kind] ?? plain)(s)));
}

const plain = (s) => el("pre", { tabindex: 0 }, JSON.stringify(s, null, 1));

function units(s) {
  const one = (item) => el("li", {}, el("h4", {}, `Unit ${item.unit}`),
    el("ol", { class: item.examples[0]?.image ? "pictures" : "" }, item.examples.map((e) => el("li", {}, sample(e),
      el("span", { class: "tag figure" }, [e.label, number(e.value)].filter(Boolean).join(", "))))));
  const more = s.items.slice(FIRST);
  return el("div", {}, el("ul", { class: "units" }, s.items.slice(0, FIRST).map(one)), more.length > 0 &&
    el("details", {}, el("summary", {}, `${more.length} more units`), el("ul", { class: "units" }, more.map(one))));
}

/** An example of a unit; where it is a text, the place at which the unit is largest stands out. */
function sample(e) {
  if (e.image) return el("img", { class: "pixels", src: e.image, alt: "An example" });
  if (e.series) {
    const drawn = series(e.series);
    drawn.setAttribute("class", "spark");
    return drawn;
  }
  const letters = Array.from(String(e.text ?? Object.values(e)[0]));
  if (!Number.isInteger(e.start)) return el("span", { class: "said" }, short(letters.join("")));
  const [a, b] = [Math.max(0, e.start - 50), e.end + 30];
  const cut = (from, to) => letters.slice(from, to).join("");
  return el("span", { class: "said" }, a > 0 && "…", cut(a, e.start), el("mark", { vars: { "--w": 1 } }, cut(e.start, e.end)),
    cut(e.end, b), b < letters.length && "…");
}

const short = (text) => (text.length > 140 ? `${text.slice(0, 138)}…` : text);

/** A text with each letter underlaid by the value of one unit, runs of one value together. */
function colouredText(s) {
  const letters = Array.from(s.text);
  const level = (v) => Math.round(10 * Math.max(-1, Math.min(1, v ?? 0))) / 10;
  const parts = [];
  for (let i = 0; i < letters.length; ) {
    const value = level(s.values[i]);
    let text = "";
    while (i < letters.length && level(s.values[i]) === value) text += letters[i++];
    parts.push(value ? el("span", { class: `unit ${value < 0 ? "against" : "for"}`, vars: { "--w": Math.abs(value) } }, text) : text);
  }
  return el("div", {}, el("p", { class: "prose coloured letters" }, parts),
    el("p", { class: "legend" }, el("span", { class: "key for" }, "the unit is high"), el("span", { class: "key against" }, "the unit is low")));
}

function filters(s) {
  return el("div", { class: "sheet filters" }, s.pictures.map((uri, i) => el("img", { class: "pixels", src: uri, alt: `Filter ${i + 1}` })));
}

function place(s) {
  const said = el("p", { class: "looked", role: "status" }, "Point at one to see what it is.");
  return el("div", {}, map(s.points, (p) => said.replaceChildren(
    p.image ? el("img", { class: "pixels", src: p.image, alt: "" }) : "", el("strong", {}, p.label ?? ""), ` ${p.text ?? ""}`)), said,
  el("details", {}, el("summary", {}, "The examples as a list"), table(["label", "text", "place"], s.points.slice(0, LISTED).map((p) =>
    [p.label || "none", p.text || (p.image ? el("img", { class: "pixels", src: p.image, alt: "An example" }) : ""), `${number(p.x)}, ${number(p.y)}`]))));
}

function ablation(s) {
  const rows = s.rows.map((r) => ({ name: r.part, value: r.change, said: `${number(r.value)} (${r.change > 0 ? "+" : ""}${number(r.change)})` }));
  return el("div", {}, el("p", { class: "quiet" }, `${s.metric} of the whole net: ${number(s.base)}.`), signed(rows, "change of the metric"));
}

function sure(s) {
  return el("div", { class: "two" }, el("div", {}, calibration(s.bins),
    el("p", { class: "quiet" }, `Expected calibration error ${number(s.error)}.`)),
  table(["how sure", "right", "answers"], s.bins.filter((b) => b.count).map((b) => [percent(b.sure), percent(b.right), String(b.count)])));
}

