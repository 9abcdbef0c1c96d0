/* A conclusion: the answer, the rule behind it, and the facts that the rule stands on, drawn as a path from entity to entity. */

import { shares } from "./charts.js";
import { el } from "./dom.js";

/** What was given and a conclusion -> elements. */
export function conclusion(given, found) {
  const likely = Object.fromEntries([found, ...(found.others ?? [])].map((one) => [one.answer, one.probability]));
  return [
    el("p", { class: "headline", dir: "auto" }, String(found.answer)),
    shares(likely),
    ...(found.facts.length ? [el("h2", {}, "Because"), chain(found.facts), el("p", { class: "quiet", dir: "auto" }, `The rule: ${found.rule} times.`)] :
      [el("p", { class: "quiet" }, "No rule leads to this answer; it is what the net has learned.")]),
    found.known?.length > 0 && el("p", { class: "quiet", dir: "auto" }, `Known already: ${found.known.join(", ")}.`),
  ].filter(Boolean);
}

/** An explanation of the kind "reasons" -> elements. */
export function rules(kind) {
  return [
    el("h3", {}, kind.title),
    el("ol", { class: "prose" }, kind.reasons.map((one) => el("li", {}, el("p", { dir: "auto" }, /\d$/.test(one.rule) ? `${one.rule} times` : one.rule), chain(one.facts)))),
    el("p", { dir: "auto" }, kind.sentence),
  ];
}

/** Facts one below the other: head, relation, tail. */
function chain(facts) {
  return el("ul", { class: "facts" }, facts.map(([head, relation, tail]) => el("li", {},
    el("strong", {}, el("bdi", {}, head)), " ", el("span", { class: "tag" }, el("bdi", {}, relation)), " ", el("strong", {}, el("bdi", {}, tail)))));
}
