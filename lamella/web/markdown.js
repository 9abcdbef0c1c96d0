/* A model's card: the part of Markdown that cards are written in, as elements.

   Headings, paragraphs, lists, tables, `code`, **bold**, *italic*, fenced code. Markup in the text stays text, and a link
   is its words and its address, since this page leads nowhere else.
*/

import { el } from "./dom.js";

/** Markdown -> a list of elements; `top` is the level that a `#` gets. */
export function markdown(text, top = 2) {
  const lines = String(text).split(/\r?\n/);
  const found = [];
  let at = 0;
  const take = (test) => {
    const mine = [];
    while (at < lines.length && test(lines[at])) mine.push(lines[at++]);
    return mine;
  };
  while (at < lines.length) {
    const line = lines[at];
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    if (!line.trim()) at++;
    else if (heading) {
      found.push(el(`h${Math.min(6, heading[1].length + top - 1)}`, {}, inline(heading[2])));
      at++;
    } else if (line.startsWith("```")) {
      at++;
      found.push(el("pre", { tabindex: 0 }, el("code", {}, take((l) => !l.startsWith("```")).join("\n"))));
      at++;
    } else if (/^\s*[-*]\s/.test(line)) {
      found.push(el("ul", {}, items(take((l) => /^\s*[-*]\s|^\s{2,}\S/.test(l)), /^\s*[-*]\s+/)));
    } else if (/^\s*\d+[.)]\s/.test(line)) {
      found.push(el("ol", {}, items(take((l) => /^\s*\d+[.)]\s|^\s{2,}\S/.test(l)), /^\s*\d+[.)]\s+/)));
    } else if (line.trim().startsWith("|")) {
      found.push(table(take((l) => l.trim().startsWith("|"))));
    } else {
      const first = lines[at++];
      const rest = take((l) => l.trim() && !/^(#{1,6}\s|```|\s*[-*]\s|\s*\|)/.test(l));
      found.push(el("p", {}, inline([first, ...rest].join(" "))));
    }
  }
  return found;
}

function items(lines, mark) {
  const joined = [];
  for (const line of lines) {
    if (mark.test(line)) joined.push(line.replace(mark, ""));
    else if (joined.length) joined[joined.length - 1] += ` ${line.trim()}`;
  }
  return joined.map((text) => el("li", {}, inline(text)));
}

function table(lines) {
  const rows = lines.map((line) =>
    line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim()),
  );
  const ruled = rows.length > 1 && rows[1].every((cell) => /^:?-+:?$/.test(cell));
  const body = ruled ? rows.slice(2) : rows;
  const cells = (row) => row.map((c) => el("td", { class: /^[-\d.,]+%?( to [-\d.,]+)?$/.test(c) && "figure" }, inline(c)));
  return el("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "Table" },
    el("table", {},
      ruled && el("thead", {}, el("tr", {}, rows[0].map((c) => el("th", { scope: "col" }, inline(c))))),
      el("tbody", {}, body.map((row) => el("tr", {}, cells(row))))));
}

const SPANS = /(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*|\[[^\]]+\]\([^)\s]+\))/;

function inline(text) {
  return text.split(SPANS).filter(Boolean).map((part) => {
    if (/^`[^`]+`$/.test(part)) return el("code", {}, part.slice(1, -1));
    if (/^\*\*[^*]+\*\*$/.test(part)) return el("strong", {}, part.slice(2, -2));
    if (/^\*[^*]+\*$/.test(part)) return el("em", {}, part.slice(1, -1));
    const link = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(part);
    return link ? `${link[1]} (${link[2]})` : part;
  });
}
