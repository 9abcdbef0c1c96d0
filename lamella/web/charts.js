/* Drawings of numbers, made by calls as everything here: a line, a forecast with its intervals, points, bars. */

import { el, number, percent, svg } from "./dom.js";

/* As wide as there is room, so that letters keep their size on a phone. */
const room = () => Math.min(640, document.documentElement.clientWidth - 32);

/** Values -> where they lie between two ends of the drawing. */
function scale(values, from, to, least = 0) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const spread = high - low || Math.abs(high) * 0.1 || 1;
  const pad = spread * least;
  return (v) => from + ((to - from) * (v - low + pad)) / (spread + 2 * pad);
}

const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

const figure = (wide, height, label, ...parts) =>
  svg("svg", { class: "chart", viewBox: `0 0 ${wide} ${height}`, role: "img", "aria-label": label }, ...parts);

/** Steps underlaid by what they weigh; x says where a step stands. */
function tinted(units, x, height) {
  const most = Math.max(1e-12, ...units.map((u) => Math.abs(u.weight)));
  const half = (x(1) - x(0)) / 2;
  return units.map((u) => svg("rect", { class: u.weight < 0 ? "against" : "for", x: x(u.start) - half, y: 0, height,
    width: x(u.end - 1) - x(u.start) + 2 * half, "fill-opacity": (0.65 * Math.abs(u.weight)) / most },
  svg("title", {}, `${u.label}: ${number(u.weight)}`)));
}

/** A series as a line; its `units`, where there are some, colour the steps that they stand for. */
export function series(values, units = []) {
  const [wide, height] = [room(), 150];
  const x = (i) => 8 + ((wide - 16) * i) / Math.max(1, values.length - 1);
  const y = scale(values, height - 22, 14);
  return figure(wide, height, `${values.length} values, from ${number(values[0])} to ${number(values.at(-1))}`,
    tinted(units, x, height),
    svg("path", { class: "line", d: path(values.map((v, i) => [x(i), y(v)])) }),
    svg("circle", { class: "dot", cx: x(values.length - 1), cy: y(values.at(-1)), r: 3.5 }),
    svg("text", { x: 8, y: height - 5 }, `${values.length} values`),
    svg("text", { x: wide - 8, y: height - 5, "text-anchor": "end" }, `the latest is ${number(values.at(-1))}`));
}

/** Past and future: the median as a line, the intervals as layers behind it, the widest the faintest. */
export function forecast(past, answer, units = []) {
  const [wide, height] = [room(), 300];
  const first = Math.max(0, past.length - Math.max(24, 3 * answer.median.length));
  const shown = past.slice(first);
  const bands = Object.entries(answer).filter(([name, v]) => name.endsWith("%") && Array.isArray(v?.[0]));
  bands.sort((a, b) => parseFloat(b[0]) - parseFloat(a[0]));
  const every = [...shown, ...answer.median, ...bands.flatMap(([, rows]) => rows.flat())];
  const x = (i) => 46 + ((wide - 56) * i) / (shown.length + answer.median.length - 1);
  const y = scale(every, height - 28, 14);
  const last = shown.length - 1;
  const ahead = (i) => x(shown.length + i);
  const join = shown.length ? [[x(last), y(shown[last])]] : [];
  const low = Math.min(...every);
  const high = Math.max(...every);
  return el("figure", { class: "forecast" },
    figure(wide, height, `Forecast of ${answer.median.length} steps: ${answer.median.map(number).join(", ")}`,
      tinted(units.filter((u) => u.start >= first), (i) => x(i - first), height - 28),
      [low, (low + high) / 2, high].map((v) => [
        svg("line", { class: "rule", x1: 46, x2: wide - 10, y1: y(v), y2: y(v) }),
        svg("text", { x: 40, y: y(v) + 4, "text-anchor": "end" }, number(Number(v.toPrecision(3)))),
      ]),
      bands.map(([name, rows]) => svg("path", { class: "band",
        d: `${path([...join, ...rows.map((r, i) => [ahead(i), y(r[1])])])}${path(
          [...rows.map((r, i) => [ahead(i), y(r[0])]).reverse(), ...join]).replace("M", "L")}Z` },
      svg("title", {}, `${name} of cases lie within`))),
      shown.length && svg("path", { class: "line past", d: path(shown.map((v, i) => [x(i), y(v)])) }),
      svg("path", { class: "line", d: path([...join, ...answer.median.map((v, i) => [ahead(i), y(v)])]) }),
      svg("line", { class: "now", x1: x(last), x2: x(last), y1: 8, y2: height - 28 }),
      svg("text", { x: x(last) - 6, y: height - 8, "text-anchor": "end" }, "past"),
      svg("text", { x: x(last) + 6, y: height - 8 }, "forecast")),
    el("figcaption", { class: "legend" }, el("span", { class: "key line" }, "median"),
      bands.toReversed().map(([name], i) => el("span", { class: `key band${i}` }, `${name} of cases`))),
    el("details", {}, el("summary", {}, "The numbers"),
      table(["step", "median", ...bands.map(([name]) => `${name} interval`)],
        answer.median.map((m, i) => [`+${i + 1}`, number(m),
          ...bands.map(([, rows]) => `${number(rows[i][0])} to ${number(rows[i][1])}`)]))));
}

export function table(head, rows) {
  return el("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "Table" },
    el("table", {}, el("thead", {}, el("tr", {}, head.map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, rows.map((row) => el("tr", {},
        row.map((c, i) => (i ? el("td", { class: "figure", dir: "auto" }, c) : el("th", { scope: "row", dir: "auto" }, c))))))));
}

/** Shares as bars, the largest first; more than eight wait behind a line. */
export function shares(probabilities, many = 8) {
  const rows = Object.entries(probabilities).sort((a, b) => b[1] - a[1]);
  const bar = ([name, share], i) =>
    el("li", { class: i ? "" : "first" }, el("span", { class: "name", dir: "auto" }, name),
      el("span", { class: "bar", vars: { "--share": `${100 * share}%` } }), el("span", { class: "figure" }, percent(share)));
  const more = rows.slice(many);
  return el("div", {}, el("ol", { class: "bars" }, rows.slice(0, many).map(bar)),
    more.length > 0 && el("details", {}, el("summary", {}, `${more.length} more`),
      el("ol", { class: "bars" }, more.map((row) => bar(row, 1)))));
}

/** Rows with a number on either side of nothing: to the right speaks for, to the left against. */
export function signed(rows, label = "weight") {
  const most = Math.max(1e-12, ...rows.map((r) => Math.abs(r.value)));
  return el("ol", { class: "signed", "aria-label": label }, rows.map((r) =>
    el("li", {}, el("span", { class: "name", dir: "auto" }, r.name),
      el("span", { class: `rod ${r.value < 0 ? "against" : "for"}`, vars: { "--share": `${(50 * Math.abs(r.value)) / most}%` } }),
      el("span", { class: "figure" }, r.said ?? number(r.value)))));
}

const HUES = 8; // colours of classes; a ninth begins again with the first, in another shape

/** Points with x, y, label and text or picture. `say(point)` is told which one is looked at. */
export function map(points, say) {
  const [wide, size] = [room(), 460];
  const labels = [...new Set(points.map((p) => p.label ?? ""))].sort();
  const x = scale(points.map((p) => p.x), 24, wide - 24);
  const y = scale(points.map((p) => p.y), size - 24, 24);
  const mark = (p) => {
    const kind = labels.indexOf(p.label ?? "");
    const cls = `hue${kind % HUES}`;
    const to = { onpointerenter: () => say(p) };
    const title = svg("title", {}, [p.label, p.text].filter(Boolean).join(": "));
    if (p.image && labels.length < 2) {
      return svg("image", { href: p.image, x: x(p.x) - 11, y: y(p.y) - 11, width: 22, height: 22, ...to }, title);
    }
    return kind < HUES
      ? svg("circle", { class: cls, cx: x(p.x), cy: y(p.y), r: 4.5, ...to }, title)
      : svg("rect", { class: cls, x: x(p.x) - 4, y: y(p.y) - 4, width: 8, height: 8, ...to }, title);
  };
  return el("figure", {}, figure(wide, size, `A map of ${points.length} examples`, points.map(mark)),
    labels.length > 1 && el("figcaption", { class: "legend" },
      labels.map((name, i) => el("span", { class: `key hue${i % HUES}${i < HUES ? "" : " square"}` }, name || "no label"))));
}

/** How sure the answers were, and how often they were right. */
export function calibration(bins) {
  const size = 320;
  const x = (v) => 44 + (size - 60) * v;
  const y = (v) => size - 36 - (size - 52) * v;
  const most = Math.max(...bins.map((b) => b.count), 1);
  const full = bins.filter((b) => b.count);
  return svg("svg", { class: "chart square", viewBox: `0 0 ${size} ${size}`, role: "img",
    "aria-label": full.map((b) => `${percent(b.sure)} sure, ${percent(b.right)} right`).join("; ") },
  [0, 0.5, 1].map((v) => [
    svg("line", { class: "rule", x1: x(0), x2: x(1), y1: y(v), y2: y(v) }),
    svg("text", { x: 38, y: y(v) + 4, "text-anchor": "end" }, percent(v)),
    svg("text", { x: x(v), y: size - 18, "text-anchor": "middle" }, percent(v)),
  ]),
  svg("line", { class: "now", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }),
  svg("path", { class: "line", d: path(full.map((b) => [x(b.sure), y(b.right)])) }),
  full.map((b) => svg("circle", { class: "dot", cx: x(b.sure), cy: y(b.right), r: 3 + 6 * Math.sqrt(b.count / most) },
    svg("title", {}, `${percent(b.sure)} sure, ${percent(b.right)} right, ${b.count} answers`))),
  svg("text", { x: x(0.5), y: size - 2, "text-anchor": "middle" }, "how sure it was"),
  svg("text", { x: x(0) + 6, y: y(1) - 4 }, "how often it was right"));
}
