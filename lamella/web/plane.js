/* The plane of hidden numbers, to walk about in: what the net makes at each place.

   An explanation brings a lattice over the plane (what is made at each of its places), and the model itself draws points by
   chance, seed by seed, and says what it makes of each (make=samples); the nearest of all these to where one stands is
   shown. A model that makes any point on demand (make=point) is asked for that very point.
*/

import { explain, predict } from "./api.js";
import { thing } from "./answer.js";
import { announce, busy, button, clear, debounce, el, labelled, problem, svg } from "./dom.js";
import { fields } from "./form.js";
import { ground, pictures, SIZE } from "./lattice.js";

const SEEDS = ["1", "2", "3", "4"];
const WALK = [-3, -2, -1, 0, 1, 2, 3]; // deviations, where no lattice says others

const choices = (model) => model.options.find((o) => o.name === "make")?.kind.split("|") ?? [];

/** Whether a model has such a plane. */
export const hasPlane = (model) => choices(model).includes("samples");

/** -> {node, go(point, example)}: where the point of an example lies, and what lies around it. */
export function plane(model) {
  const field = Object.keys(model.fields)[0];
  const place = el("div", {}, busy("Making some points…"));
  const node = el("section", { class: "plane", "aria-labelledby": "plane-title" }, el("h2", { id: "plane-title" }, "Walk about in the plane"),
    el("p", { class: "quiet" }, "Every example is a point here. Drag the ring, or move the sliders, and see what the net makes there."),
    place, line(model, field));
  let points = [];
  let now = null;

  async function around(example) {
    const kind = example && (await explain(model.name, example).catch(() => null))?.["by kind"];
    return kind?.kind === "plane" ? kind : null;
  }
  async function begin() {
    try {
      const asked = predict(model.name, SEEDS.map((seed) => ({ [field]: seed })), { make: "samples" });
      const [{ answers }, grid] = await Promise.all([asked, around(model.examples?.[0])]);
      points = answers.flatMap((a) => a.points.map((p, i) => ({ p, made: a.samples[i] })));
      draw(grid, now ?? [0, 0]);
    } catch (error) {
      clear(place, problem(error));
    }
  }
  function draw(grid, at) {
    now = at;
    const made = board(model, field, points, grid, at);
    clear(place, made.node);
    go = made.go;
  }
  let go = (point) => { now = point; };
  begin();
  return {
    node,
    async go(point, example) {
      go(point);
      // Of more than two numbers the plane is a cut through the others as they are, so it changes with the example.
      if (point.length > 2 && points.length) draw(await around(example), point);
    },
  };
}

function board(model, field, points, grid, start) {
  const flat = points[0].p.length < 2;
  const exact = choices(model).includes("point");
  const { x, y, far } = ground(grid?.places ?? WALK);
  const here = [start[0], start[1] ?? 0];
  const rest = start.slice(2);
  const drawable = typeof points[0].made === "string";
  const known = [...(rest.length ? [] : points)];
  grid?.made.forEach((row, i) => row.forEach((made, j) => known.push({ p: [grid.places[j], grid.places.at(-1 - i)], made })));
  const ring = svg("g", { class: "ring" }, svg("circle", { r: 24, class: "touch" }), svg("circle", { r: 11 }), svg("circle", { r: 2 }));
  const dots = () => points.map(({ p, made }) => drawable
    ? svg("image", { href: made, x: x(p[0]) - 12, y: y(p[1] ?? 0) - 12, width: 24, height: 24 })
    : svg("circle", { class: "hue0", r: 3, cx: x(p[0]), cy: y(p[1] ?? 0) }));
  const area = svg("svg", { class: "area", viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": "The plane, and what is made at its places" },
    grid && drawable ? pictures(grid) : dots(), ring);
  const shown = el("div", { class: "made" });
  const said = el("p", { class: "quiet figure" });
  const slider = (name, k) => {
    const control = el("input", { type: "range", min: -far, max: far, step: far / 40, oninput: () => {
      here[k] = Number(control.value);
      move();
    } });
    return { control, node: labelled(name, control) };
  };
  const sliders = [slider("First number", 0), ...(flat ? [] : [slider("Second number", 1)])];

  const nearest = () => known.reduce((best, at) => {
    const away = Math.hypot(at.p[0] - here[0], (at.p[1] ?? 0) - here[1]);
    return away < best.away ? { ...at, away } : best;
  }, { away: Infinity });
  const where = () => [...here.slice(0, flat ? 1 : 2), ...rest];
  let asked = null;
  const ask = debounce(async () => {
    asked?.abort();
    const mine = (asked = new AbortController());
    const text = where().map((v) => v.toFixed(3)).join(" ");
    const found = await predict(model.name, [{ [field]: text }], { make: "point" }, { signal: mine.signal }).catch(() => null);
    const made = found?.answers[0]?.samples?.[0];
    if (made && !mine.signal.aborted) clear(shown, thing(made, "What is made here"));
  }, 40);

  function move() {
    sliders.forEach(({ control }, k) => {
      control.value = here[k];
      control.setAttribute("aria-valuetext", here[k].toFixed(1));
    });
    ring.setAttribute("transform", `translate(${x(here[0])} ${y(here[1])})`);
    const best = nearest();
    if (best.made) clear(shown, thing(best.made, "What is made here"));
    said.textContent = `${where().slice(0, 2).map((v) => v.toFixed(2).replace("-", "−")).join(", ")}` +
      (exact ? "" : ` (the nearest of ${known.length} points that were made)`);
    if (exact) ask();
  }
  const follow = (event) => {
    const box = area.getBoundingClientRect();
    const bound = (v) => Math.min(far, Math.max(-far, v));
    here[0] = bound(((event.clientX - box.left) / box.width) * 2 * far - far);
    here[1] = flat ? 0 : bound(far - ((event.clientY - box.top) / box.height) * 2 * far);
    move();
  };
  area.addEventListener("pointerdown", (event) => {
    area.setPointerCapture(event.pointerId);
    follow(event);
  });
  area.addEventListener("pointermove", (event) => area.hasPointerCapture(event.pointerId) && follow(event));
  move();
  return {
    node: el("div", { class: "board" }, area, el("div", {}, shown, said, sliders.map((s) => s.node))),
    go(point) {
      [here[0], here[1]] = [point[0], point[1] ?? 0];
      move();
    },
  };
}

/** A walk in a straight line from one example to another. */
function line(model, field) {
  if (!choices(model).includes("line")) return "";
  const declared = { ...model, fields: { from: model.fields[field], to: model.fields[field] } };
  const examples = (model.examples ?? []).map((e, i, all) => ({ from: e[field], to: all[(i + 1) % all.length][field] }));
  const ends = fields({ ...declared, examples }, () => {});
  const out = el("div", {});
  const walk = async () => {
    clear(out, busy("Walking…"));
    try {
      const { from, to } = ends.read();
      const other = typeof to === "string" ? to : JSON.stringify(to);
      const { answers } = await predict(model.name, [{ [field]: from }], { make: "line", other });
      clear(out, el("div", { class: "sheet strip" }, answers[0].line.map((v, i, all) => thing(v, `Step ${i + 1} of ${all.length}`))));
      announce("The walk is there.");
    } catch (error) {
      clear(out, problem(error));
    }
  };
  return el("details", { class: "options" }, el("summary", {}, "From one example to another"),
    el("div", { class: "two" }, ends.nodes), el("div", { class: "row" }, button("Walk", walk, { class: "strong" }),
      examples.length > 1 && button("With two of the examples", async () => {
        await ends.fill(examples[0]);
        walk();
      })), out);
}
