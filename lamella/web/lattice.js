/* A lattice over the plane of the first two hidden numbers: what the net makes at each of its places. */

import { number, svg } from "./dom.js";

export const SIZE = 420;

/** How far the plane reaches, and where a pair of numbers stands in it. */
export function ground(places) {
  const step = places.length > 1 ? places[1] - places[0] : 1;
  const far = places.at(-1) + step / 2;
  return { far, cell: SIZE / places.length, x: (v) => (SIZE * (v + far)) / (2 * far), y: (v) => (SIZE * (far - v)) / (2 * far) };
}

/** The pictures of a lattice {places, made}, a row for each second number, the largest first. */
export function pictures({ places, made }) {
  const { x, y, cell } = ground(places);
  return made.map((row, i) => row.map((uri, j) => svg("image", { href: uri, width: cell + 0.5, height: cell + 0.5,
    x: x(places[j]) - cell / 2, y: y(places[places.length - 1 - i]) - cell / 2 })));
}

/** {places, made, point} drawn, the point with a ring about it. */
export function lattice(kind) {
  const { x, y } = ground(kind.places);
  const [a, b] = [kind.point[0], kind.point[1] ?? 0];
  return svg("svg", { class: "area", viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img",
    "aria-label": `The point is ${number(a)}, ${number(b)}` }, pictures(kind),
  svg("g", { class: "ring", transform: `translate(${x(a)} ${y(b)})` }, svg("circle", { r: 11 }), svg("circle", { r: 2 })));
}
