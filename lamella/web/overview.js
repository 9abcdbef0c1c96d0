/* The overview: for each task the models that are here, how good and how large they are, and what can be done, and where. */

import { command, el, megabytes, number, words } from "./dom.js";

const at = (name, rest = "") => `#/model/${encodeURIComponent(name)}${rest}`;

/** "accuracy 0.848 (0.8 to 0.895), held out" */
function score(model) {
  const found = model.headline;
  if (!found) return "not measured";
  const short = (v) => number(Number(v.toPrecision(3)));
  const between = typeof found.low === "number" ? ` (${short(found.low)} to ${short(found.high)})` : "";
  return `${short(found.value)}${between}`;
}

function models(list) {
  return el("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "Models" }, el("table", { class: "here" },
    el("thead", {}, el("tr", {}, ["Model", list[0].metric, "measured on", "parameters", "size", "In the browser"].map((h) =>
      el("th", { scope: "col" }, h)))),
    el("tbody", {}, list.map((m) => el("tr", {},
      el("th", { scope: "row" }, el("a", { href: at(m.name) }, el("bdi", {}, m.name))),
      el("td", { class: "figure" }, score(m)),
      el("td", {}, m.headline ? `${m.headline.set}${m.headline.count ? `, ${number(m.headline.count)}` : ""}` : "nothing"),
      el("td", { class: "figure" }, `${number(Number((m.parameters / 1e6).toPrecision(2)))} M`),
      el("td", { class: "figure" }, `${megabytes(m.bytes)} ${m.precision}`),
      el("td", { class: "doors" }, el("a", { href: m.languages ? "#/" : at(m.name) }, m.languages ? "translate" : "try it"),
        el("a", { href: at(m.name, "/inside"), "aria-label": `look inside ${m.name}` }, "look inside")))))));
}

function task(t, served) {
  const here = served.filter((m) => m.task === t.name);
  return el("section", { class: "task" }, el("h2", {}, words(t.name)),
    el("p", { class: "quiet" }, `${t.summary} Nets: ${t.nets.join(", ")}.`),
    here.length ? models(here) : el("p", {}, "No model of this is here. Train a first one in seconds, on data that come with it: ",
      command(`lamella train ${t.name} sample -o my-${t.name} --size tiny --steps 30`)));
}

/** What every model can do: in the browser by a link, else the command. */
function doing(verbs, served) {
  const first = served.find((m) => !m.languages) ?? served[0];
  const doors = first ? { predict: at(first.name), explain: at(first.name, "/inside") } : {};
  return el("ul", { class: "verbs" }, verbs.map((v) => el("li", {}, el("h3", {}, doors[v.name] ? el("a", { href: doors[v.name] }, v.name) : v.name),
    el("p", { class: "quiet" }, v.summary), v.command && command(v.command))));
}

function extras(list) {
  const missing = list.filter((e) => e.missing.length);
  if (!missing.length) return list.length ? el("p", {}, "All optional parts of lamella are installed on this server.") : null;
  return [el("p", {}, "Parts of lamella that are not installed on this server:"),
    el("ul", {}, missing.map((e) => el("li", {}, el("strong", {}, e.name), `: lacks ${e.missing.join(", ")}. Install: `,
      command(`pip install 'lamella[${e.name}]'`))))];
}

export function overview(served) {
  const others = [...new Set(served.models.map((m) => m.task))].filter((name) => !served.tasks.some((t) => t.name === name));
  const outside = others.map((name) => ({ name, summary: served.models.find((m) => m.task === name).summary, nets: ["its own"] }));
  const every = [...served.tasks, ...outside];
  const rank = (t) => (served.models.some((m) => m.task === t.name) ? 0 : 1);
  const view = el("section", { class: "overview", "aria-labelledby": "title" },
    el("h1", { id: "title", tabindex: -1 }, "Models and tasks"),
    el("p", { class: "lead" }, `${served.models.length} ${served.models.length === 1 ? "model is" : "models are"} served here.`),
    every.sort((a, b) => rank(a) - rank(b)).map((t) => task(t, served.models)),
    el("h2", {}, "What can be done with every model"),
    el("p", { class: "quiet" }, "What is a link can be done here in the browser; the rest on the command line."),
    doing(served.verbs, served.models), el("h2", {}, "Installed here"), extras(served.extras));
  return { view };
}
