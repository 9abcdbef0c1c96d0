/* Why an answer is what it is: what each unit of the input did for it, drawn for its kind. */

import { explain } from "./api.js";
import { forecast, series, signed } from "./charts.js";
import { announce, busy, button, clear, el, number, problem, words } from "./dom.js";
import { lattice } from "./lattice.js";
import { load } from "./picture.js";
import { checked, reasons } from "./reasons.js";

const MANY = 40; // rows or columns of a matrix, from which on those that are next to nothing are left out
const MOST = 60; // and so many are shown

/** A button that opens and fills a panel; what is asked is read when it is pressed. -> {button, panel, reset()} */
export function why(name, ask) {
  const panel = el("section", { class: "why", "aria-label": "Why this answer", hidden: true });
  let open = null;
  const press = button("Why?", async () => {
    if (!panel.hidden) return reset();
    panel.hidden = false;
    press.setAttribute("aria-expanded", "true");
    clear(panel, busy("Taking away one part after the other, and asking again…"));
    open = new AbortController();
    const mine = open;
    try {
      const { example, options, question } = ask();
      const found = await explain(name(), example, options, mine.signal, question);
      if (mine.signal.aborted) return undefined;
      clear(panel, explanation(found));
      announce("The explanation is there.");
    } catch (error) {
      if (error.name !== "AbortError" && !mine.signal.aborted) clear(panel, problem(error));
    }
    return undefined;
  }, { class: "why-button", "aria-expanded": "false" });
  function reset() {
    open?.abort();
    panel.hidden = true;
    press.setAttribute("aria-expanded", "false");
  }
  return { button: press, panel, reset };
}

/** The picture first, then what it says in words, then, folded, how it was measured. */
export function explanation(found) {
  const { focus, faithfulness: faith } = found;
  const fields = Object.entries(found.fields ?? {});
  const said = checked(faith);
  const notes = found.notes ?? [];
  const [about, how] = [notes.slice(0, -1), notes.slice(-1)]; // what is explained, and how it was measured
  return [
    el("h2", {}, "Why?"),
    el("p", { class: "legend" }, el("span", { class: "key for" }, "speaks for the answer"),
      el("span", { class: "key against" }, "speaks against it")),
    el("div", { class: "reasons" },
      fields.map(([name, field]) => el("div", { class: "reason" }, fields.length > 1 && el("h3", {}, words(name)),
        units(field, found.example?.[name], found["by kind"] ?? {}))),
      walked(found["by kind"]), sentences(found["by kind"]), ruled(found["by kind"])),
    el("div", { class: "words" }, reasons(found).map((text) => el("p", { dir: "auto" }, text)), about.map((note) => el("p", { class: "quiet" }, note)),
      el("p", { class: "faith" }, el("strong", {}, "Checked. "), said || faith?.sentence || "There was nothing to check it by.")),
    squared(found, fields) ?? attention(found.attention),
    el("details", { class: "measured" }, el("summary", {}, "How this was measured, with figures"),
      el("p", { class: "quiet" }, `Parts were taken away in many orders and the answer measured again. Measured is the ${focus.name}: ${number(focus.value)}.`),
      how.map((note) => el("p", { class: "quiet" }, note)),
      faith?.sentence && el("p", { class: "quiet" }, faith.sentence),
      el("div", { class: "reasons" }, heaviestParts(fields), found.pairs?.length > 0 && pairs(found))),
  ].flat().filter(Boolean);
}

/** The parts that weigh most as figures, for those who do not see colours too. */
function heaviestParts(fields) {
  const every = fields.flatMap(([name, field]) => field.units.map((u) => ({ name: fields.length > 1 ? `${name}: ${u.label}` : u.label, value: u.weight })));
  const top = every.filter((u) => u.value).sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 8);
  return el("div", { class: "reason" }, el("h3", {}, "What weighs most"), top.length ? signed(top) : el("p", {}, "Nothing."));
}

/** The plane of hidden numbers around the answer's point, with what is made at each place. */
function walked(kind) {
  if (kind?.kind !== "plane" || typeof kind.made?.[0]?.[0] !== "string") return null;
  return el("div", { class: "reason" }, el("h3", {}, "Where it lies in the plane"), lattice(kind));
}

/** How much of the answer is from each sentence of a text. */
function sentences(kind) {
  if (kind?.kind !== "sentences") return null;
  const rows = kind.sentences.map((s) => ({ name: `${s.number}. ${s.text}`, value: s.share }));
  return el("div", { class: "reason across" }, el("h3", {}, kind.title), signed(rows, "share"));
}

/** The rules that lead to the answer; their drawing is fetched when the first is shown. */
function ruled(kind) {
  if (kind?.kind !== "reasons") return null;
  const place = el("div", { class: "reason across" });
  import("./rules.js").then(({ rules }) => place.append(...rules(kind)), () => {});
  return place;
}

const heaviest = (list) => Math.max(1e-12, ...list.map((u) => Math.abs(u.weight)));

function units(field, value, kind) {
  if (field.kind === "text") return coloured(String(value ?? ""), field.units);
  if (field.kind === "image" && field.rows) return heat(field, value);
  if (field.kind === "series" && Array.isArray(kind.median)) return forecast(field.values, kind, field.units);
  if (field.kind === "series") return series(field.values, field.units);
  if (field.kind === "audio") return loudness(field);
  return signed(field.units.map((u) => ({ name: u.label, value: u.weight })));
}

/** How loud a sound is over time; its slices have times, the drawing has places. */
function loudness(field) {
  const place = (seconds) => (seconds / field.seconds) * field.values.length;
  return series(field.values, field.units.map((u) => ({ ...u, start: place(u.start), end: place(u.end) })));
}

/** A text whose parts are underlaid by their weights. */
function coloured(text, list) {
  const most = heaviest(list);
  const parts = [];
  let at = 0;
  // Offsets count characters as Python does, so a letter outside the first plane is one, not two.
  const letters = Array.from(text);
  const slice = (a, b) => letters.slice(a, b).join("");
  for (const u of list) {
    if (u.start > at) parts.push(slice(at, u.start));
    const share = Math.abs(u.weight) / most;
    parts.push(el("span", { class: `unit ${u.weight < 0 ? "against" : "for"}${share > 0.35 ? " strong" : ""}`,
      title: `${u.label}: ${number(u.weight)}`, vars: { "--w": share.toFixed(3) } }, slice(u.start, u.end)));
    at = Math.max(at, u.end);
  }
  parts.push(slice(at));
  return el("p", { class: "prose coloured", dir: "auto", tabindex: 0, role: "group", "aria-label": "The text, coloured" }, parts);
}

/** The picture with its patches laid over it. */
function heat(field, uri) {
  const side = 280;
  const canvas = el("canvas", { width: side, height: side, class: "heat", role: "img" });
  const pen = canvas.getContext("2d");
  const most = heaviest(field.units);
  const top = [...field.units].sort((a, b) => b.weight - a.weight).slice(0, 3);
  canvas.setAttribute("aria-label", `Heat map; what counts most: ${top.map((u) => `${u.label} (${number(u.weight)})`).join("; ")}`);
  const over = el("input", { type: "checkbox", checked: true, onchange: () => draw() });
  let image = null;
  function draw() {
    pen.clearRect(0, 0, side, side);
    pen.imageSmoothingEnabled = false;
    if (image) pen.drawImage(image, 0, 0, side, side);
    if (!over.checked) return;
    const style = getComputedStyle(canvas);
    const [w, h] = [side / field.columns, side / field.rows];
    for (const u of field.units) {
      pen.globalAlpha = 0.75 * (Math.abs(u.weight) / most);
      pen.fillStyle = style.getPropertyValue(u.weight < 0 ? "--against" : "--for");
      pen.fillRect(u.column * w, u.row * h, w, h);
    }
    pen.globalAlpha = 1;
  }
  load(String(uri)).then((found) => {
    image = found;
    draw();
  }).catch(() => draw());
  return el("div", { class: "heatmap" }, canvas, el("label", { class: "check" }, over, "Lay the heat map over the picture"));
}

function pairs(found) {
  const label = ([name, i]) => {
    const text = found.fields[name]?.units[i]?.label ?? "?";
    return Object.keys(found.fields).length > 1 ? `${name}: ${text}` : text;
  };
  return el("div", { class: "reason" }, el("h3", {}, "Together"),
    el("p", { class: "quiet" }, "Pairs that do more than their two do one by one: each stands in for the other."),
    signed(found.pairs.map((p) => ({ name: p.units.map(label).join(" + "), value: p.weight }))));
}

/** The squares of a picture for each part of the answer, drawn by a file of its own; null where there is more than a picture. */
function squared(found, fields) {
  const [[name, field] = [], ...more] = fields.filter(([, one]) => one.units.length);
  const count = found.attention?.rows?.length ? found.attention.columns?.length : 0;
  if (more.length || field?.kind !== "image" || !field.rows || field.rows * field.columns !== count) return null;
  const place = el("div", { class: "reason across" });
  import("./squares.js").then(({ squares }) => place.append(...squares(found.attention, field, String(found.example?.[name]))))
    .catch((error) => place.append(problem(error)));
  return place;
}

/** Which part of the input each part of the answer hangs on, as a matrix; of a large one what weighs most. */
export function attention(found) {
  if (!found?.rows?.length || !found.columns?.length) return null;
  const { weights } = found;
  const most = Math.max(1e-12, ...weights.flat());
  const columns = strongest(found.columns.map((_, j) => Math.max(...weights.map((row) => row[j])) / most));
  const rows = strongest(found.rows.map((_, i) => Math.max(...columns.map((j) => weights[i][j])) / most));
  const cell = (i, j) => el("td", { vars: { "--w": (Math.max(0, weights[i][j]) / most).toFixed(3) },
    title: `${found.rows[i]} ← ${found.columns[j]}: ${number(weights[i][j])}` }, el("span", { class: "unseen" }, number(weights[i][j])));
  const cut = rows.length < found.rows.length || columns.length < found.columns.length;
  // The columns stand in the order in which the input is read: of Hebrew or Arabic from right to left.
  const way = rightToLeft(columns.map((j) => found.columns[j]).join(" ")) ? "rtl" : "ltr";
  return el("div", { class: "reason across" }, el("h3", {}, found.title ?? "Which part of the answer hangs on which of the input"),
    el("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "Alignment matrix" },
      el("table", { class: "matrix", dir: way },
        el("thead", {}, el("tr", {}, el("td"), columns.map((j) => el("th", { scope: "col" }, el("span", { dir: "auto" }, found.columns[j]))))),
        el("tbody", {}, rows.map((i) => el("tr", {}, el("th", { scope: "row", title: found.rows[i] }, el("bdi", {}, found.rows[i])), columns.map((j) => cell(i, j))))))),
    cut && el("p", { class: "quiet" }, found.title ? "Those that weigh most." : `The ${rows.length} parts of the answer and the ${columns.length} of the input that weigh most.`));
}

/** Whether the first letter of a text belongs to a script that is written from right to left. */
const rightToLeft = (text) => /^[^\p{L}]*[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}]/u.test(text);

/** The places of the largest values, in order; where there are many, without those that are next to nothing. */
function strongest(values) {
  const places = values.map((_, i) => i);
  if (places.length <= MANY) return places;
  return places.filter((i) => values[i] > 0.02).sort((a, b) => values[b] - values[a]).slice(0, MOST).sort((a, b) => a - b);
}
