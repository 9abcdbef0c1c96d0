/* Boxes drawn on the picture that they were found in. */

import { clear, el, percent, svg } from "./dom.js";
import { load } from "./picture.js";

const COLOURS = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"]; // Okabe and Ito, 2008
const LEAST = 320; // points across that a small picture is shown at

/** Whether an answer is a list of boxes: an empty one is, where a picture was given. */
export const isBoxes = (found, picture) => Array.isArray(found) &&
  (found.length ? found.every((one) => Array.isArray(one?.box) && one.box.length === 4) : Boolean(picture));

/** The picture with a frame for each box, and the same as a list. */
export function boxes(picture, found) {
  const labels = [...new Set(found.map((one) => one.label))].sort();
  const colour = (one) => COLOURS[labels.indexOf(one.label) % COLOURS.length];
  const place = el("div", { class: "boxed" });
  load(picture).then((image) => {
    const [wide, high] = [image.naturalWidth, image.naturalHeight];
    const unit = Math.max(wide, high) / 320;
    const frames = [...found].reverse().map((one) => { // the surest above all others
      const [left, top, right, bottom] = one.box;
      return svg("g", {},
        svg("rect", { x: left, y: top, width: right - left, height: bottom - top, stroke: colour(one), "stroke-width": 1.5 * unit },
          svg("title", {}, said(one))),
        svg("text", { x: left + 2 * unit, y: Math.max(9 * unit, top - 2 * unit), fill: colour(one), "font-size": 9 * unit,
          "stroke-width": 2 * unit }, one.label));
    });
    clear(place, el("img", { src: picture, alt: "" }),
      svg("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": `${found.length} boxes on the picture` }, frames));
    place.style.setProperty("--wide", `${Math.max(wide, LEAST)}px`);
  }, () => {}); // the list says it without the picture
  return el("div", {}, place, found.length ? el("ul", { class: "quiet" }, found.map((one) => el("li", { dir: "auto" }, said(one)))) :
    el("p", { class: "headline" }, "Nothing was found."));
}

const said = (one) => `${one.label}${one.score === undefined ? "" : ` ${percent(one.score)}`} at ${one.box.map((v) => Math.round(v)).join(", ")}`;
