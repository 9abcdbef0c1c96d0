/* A mask laid over the picture that it is of, with the share of each label. */

import { table } from "./charts.js";
import { el, percent, svg } from "./dom.js";
import { load } from "./picture.js";

const COLOURS = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"]; // Okabe and Ito, 2008
const LARGEST = 1024; // points across that are drawn
const LEAST = 320; // points across that a small picture is shown at

/** The colour of a label by its place, as in the mask's own palette: black for the first, darker at each turn. */
function colourOf(place) {
  if (place === 0) return "#000000";
  const turn = 0.75 ** Math.floor((place - 1) / COLOURS.length);
  const colour = COLOURS[(place - 1) % COLOURS.length];
  const parts = [1, 3, 5].map((at) => Math.round(parseInt(colour.slice(at, at + 2), 16) * turn));
  return `#${parts.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}

/** picture: what it is of, as a URI; found: {mask, shares, pixels, counts} -> elements. */
export function masked(picture, found) {
  const labels = Object.keys(found.shares);
  const clear = labels[0] === "background"; // which stays as it is
  const seen = labels.filter((label) => found.pixels[label] > 0);
  const canvas = el("canvas", { class: "pixels masked", role: "img",
    "aria-label": `The mask on the picture: ${seen.map((label) => `${label} ${percent(found.shares[label])}`).join(", ")}` });
  const strength = el("input", { type: "range", min: 0, max: 1, step: 0.05, value: 0.5, oninput: () => draw() });
  let layers = null;
  function draw() {
    if (!layers) return;
    const pen = canvas.getContext("2d");
    pen.globalAlpha = 1;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (layers.picture) pen.drawImage(layers.picture, 0, 0, canvas.width, canvas.height);
    pen.globalAlpha = Number(strength.value);
    pen.drawImage(layers.mask, 0, 0);
  }
  Promise.all([picture ? load(picture).catch(() => null) : null, load(found.mask)]).then(([below, above]) => {
    const scale = Math.min(1, LARGEST / Math.max(above.naturalWidth, above.naturalHeight));
    canvas.width = Math.max(1, Math.round(above.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(above.naturalHeight * scale));
    canvas.style.setProperty("--wide", `${Math.max(canvas.width, LEAST)}px`);
    layers = { picture: below, mask: seeThrough(above, canvas.width, canvas.height, clear) };
    draw();
  }, () => {}); // the table says it without the picture
  return [
    canvas,
    el("label", { class: "check" }, "How strong the mask is ", strength),
    table(["label", "share", "points", "things"], seen.map((label) => [
      el("span", {}, key(colourOf(labels.indexOf(label))), " ", el("bdi", {}, label)),
      percent(found.shares[label]), found.pixels[label].toLocaleString("en"),
      found.counts[label] === undefined ? "" : found.counts[label].toLocaleString("en"),
    ])),
  ];
}

/** A small square in a label's colour. */
const key = (colour) => svg("svg", { viewBox: "0 0 10 10", width: 12, height: 12, "aria-hidden": "true" },
  svg("rect", { width: 10, height: 10, fill: colour }));

/** The mask on a canvas of its own, the background taken out. */
function seeThrough(image, width, height, clear) {
  const canvas = el("canvas", { width, height });
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = false; // a colour between two labels would be a third
  pen.drawImage(image, 0, 0, width, height);
  if (clear) {
    const points = pen.getImageData(0, 0, width, height);
    for (let i = 0; i < points.data.length; i += 4) {
      if (!(points.data[i] | points.data[i + 1] | points.data[i + 2])) points.data[i + 3] = 0;
    }
    pen.putImageData(points, 0, 0);
  }
  return canvas;
}
