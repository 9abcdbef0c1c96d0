/* An answer, drawn for what it holds: shares as bars, a forecast, a point and what is made from it, a text. */

import { boxes, isBoxes } from "./boxes.js";
import { forecast, shares, table } from "./charts.js";
import { el, number } from "./dom.js";

const isPicture = (value) => typeof value === "string" && value.startsWith("data:image/");

/** What was given and what came back -> elements. */
export function answer(given, found, rendered) {
  if (isPicture(found)) return [sheet([found], "The picture")];
  if (Array.isArray(found) && found.length && found.every(isPicture)) return [sheet(found, "What was drawn")];
  if (typeof found === "string") return [el("p", { class: "prose", dir: "auto" }, found)];
  if (typeof found?.grade === "number") return graded([found]);
  if (Array.isArray(found) && typeof found[0]?.grade === "number") return graded(found);
  if (typeof found === "number") return [el("p", { class: "headline" }, number(found))];
  const picture = Object.values(given).find(isPicture);
  if (isBoxes(found, picture)) return picture ? [boxes(picture, found)] : several(found);
  if (Array.isArray(found)) return several(found);
  if (isPicture(found?.mask)) return [laidOver(picture, found)];
  if (found?.probabilities) {
    return [el("p", { class: "headline", dir: "auto" }, String(found.label)), shares(found.probabilities)];
  }
  if (found?.median) return [forecast(pastOf(given), found)];
  if (found?.samples || found?.line) return [made(found)];
  if (isPicture(found?.reconstruction) && typeof found.log_likelihood === "number") return [likely(given, found)];
  if (found?.point) return [point(given, found)];
  if (Array.isArray(found?.marks)) return [words(found)];
  if (Array.isArray(found?.words)) return [heard(given, found)];
  if (Array.isArray(found?.facts)) return [concluded(given, found)];
  if (Array.isArray(found?.items)) return [advised(found)];
  if (typeof found?.text === "string") return written(given, found);
  return [el("p", { class: "prose", dir: "auto" }, rendered ?? ""), el("details", {}, el("summary", {}, "All of it"),
    el("pre", { tabindex: 0 }, JSON.stringify(found, null, 1)))];
}

/** A mask over the picture that it is of; its drawing is fetched when the first is shown. */
function laidOver(picture, found) {
  const place = el("div", { class: "laid" });
  import("./mask.js").then(({ masked }) => place.append(...masked(picture, found)));
  return place;
}

/** What is recommended; its drawing is fetched when the first is shown. */
function advised(found) {
  const place = el("div", {});
  import("./items.js").then(({ recommended }) => place.replaceChildren(...recommended(found)), () => {});
  return place;
}

/** What was said, with the sound that it was said in; its drawing is fetched when the first is shown. */
function heard(given, found) {
  const place = el("div", { class: "heard" });
  const sound = Object.values(given).find((v) => typeof v === "string" && v.startsWith("data:audio/"));
  import("./spoken.js").then(({ spoken }) => place.append(...spoken(sound, found)));
  return place;
}

/** An answer with the rule and the facts behind it; the drawing is fetched when the first is shown. */
function concluded(given, found) {
  const place = el("div", {}, el("p", { class: "headline", dir: "auto" }, String(found.answer)));
  import("./rules.js").then(({ conclusion }) => place.replaceChildren(...conclusion(given, found)), () => {});
  return place;
}

/** Grades, each with the text, the picture or the picture's name that it is of, where there is one. */
function graded(found) {
  if (found.length === 1 && !found[0].text && !found[0].image) return [el("p", { class: "headline" }, number(found[0].grade))];
  return [el("ol", { class: "prose" }, found.map((match, i) => el("li", {}, el("strong", {}, number(match.grade)), " ",
    isPicture(match.image) ? thing(match.image, `Number ${i + 1}`) : el("bdi", {}, match.text ?? match.image))))];
}

function several(found) {
  if (found.every((v) => typeof v === "number")) return [el("p", { class: "headline" }, found.map(number).join("  "))];
  return [el("ol", { class: "prose" }, found.map((v) => el("li", { dir: "auto" }, typeof v === "string" ? v : JSON.stringify(v))))];
}

/** The series that an example holds. */
const pastOf = (given) => Object.values(given).find((v) => Array.isArray(v)) ?? [];

/** A text with marked words; the drawing comes when it is first needed, and until then the text stands there. */
function words(found) {
  const place = el("div", {}, el("p", { class: "prose", dir: "auto" }, String(found.text)));
  import("./marked.js").then(({ marked }) => place.replaceChildren(...marked(found)), () => {});
  return place;
}

/** What goes on, set beside what was given. */
function written(given, found) {
  const begun = Object.values(given).find((v) => typeof v === "string") ?? "";
  const shown = begun.length > 400 ? `…${begun.slice(-400)}` : begun;
  return [
    el("p", { class: "prose written", dir: "auto", tabindex: 0, role: "group", "aria-label": "What was written" }, el("span", { class: "begun" }, shown), el("span", {}, found.text)),
    el("p", { class: "quiet" },
      found.perplexity === null || found.perplexity === undefined ? "" :
        `Perplexity of the beginning: ${number(found.perplexity)}. At each step the net was choosing among so many equally likely ` +
        "characters or pieces of words."),
  ];
}

/** A picture, or a row of a table as one. */
export function thing(value, label) {
  if (isPicture(value)) return el("img", { class: "pixels", src: value, alt: label });
  if (value && typeof value === "object") {
    return table(["column", "value"], Object.entries(value).map(([k, v]) => [k, typeof v === "number" ? number(v) : String(v ?? "")]));
  }
  return el("span", {}, String(value));
}

/** Pictures side by side. */
function sheet(pictures, what) {
  return el("div", { class: "sheet", role: "group", "aria-label": what },
    pictures.map((value, i) => thing(value, pictures.length > 1 ? `${what}, ${i + 1} of ${pictures.length}` : what)));
}

/** How likely a picture is, beside what its codes hold of it. */
function likely(given, found) {
  return el("div", {},
    el("p", { class: "headline" }, `${number(found.log_likelihood)} nats`),
    pair(given, found.reconstruction, "made from its codes"),
    el("p", { class: "quiet" }, `${number(found.bits_per_dim)} bits for each value of the picture; less is likelier.`));
}

/** What was given beside what was made of it. */
function pair(given, made, what) {
  return el("div", { class: "pair" },
    el("figure", {}, thing(Object.values(given)[0], "What was given"), el("figcaption", {}, "given")),
    el("figure", {}, thing(made, `What is ${what}`), el("figcaption", {}, what)));
}

function made(found) {
  const many = found.samples ?? found.line;
  const what = found.samples ? "Made from points by chance" : "From the one to the other";
  return el("div", { class: found.samples ? "sheet" : "sheet strip", role: "group", "aria-label": what },
    many.map((value, i) => thing(value, `${what}, ${i + 1} of ${many.length}`)));
}

function point(given, found) {
  return el("div", {},
    el("p", { class: "headline" }, found.point.map((v) => v.toFixed(2).replace("-", "−")).join(",  ")),
    pair(given, found.reconstruction, "made from the point"),
    el("p", { class: "quiet" }, `Mean squared error ${number(found.error)}` +
      (found.bound === undefined ? "." : `, log-likelihood at least ${number(found.bound)} nats.`)));
}
