/* A picture as it is given: a file, dropped or chosen, or a drawing on a small canvas of the size of the examples. */

import { button, clear, el, fresh } from "./dom.js";

const SIDE = 320; // points of the canvas that is drawn on; what is sent has the examples' size

export function load(uri) {
  return new Promise((done, fail) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => fail(new Error("This is no picture that a browser can show. Expected PNG, JPEG, WebP or GIF."));
    image.src = uri;
  });
}

export function asUri(file) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => fail(new Error(`${file.name}: could not be read.`));
    reader.readAsDataURL(file);
  });
}

/** The size of an example, what colour its ground is, and which other colour stands out most. */
async function habits(uri) {
  const plain = { width: 28, height: 28, ground: "rgb(0,0,0)", ink: "rgb(255,255,255)" };
  if (typeof uri !== "string" || !uri.startsWith("data:image/")) return plain;
  const image = await load(uri).catch(() => null);
  if (!image || !image.naturalWidth) return plain;
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const canvas = el("canvas", { width, height });
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const points = pen.getImageData(0, 0, width, height).data;
  const at = (i) => [points[i], points[i + 1], points[i + 2]];
  const corner = at(0);
  let [ink, far] = [[255, 255, 255], 0];
  for (let i = 0; i < points.length; i += 4) {
    const away = at(i).reduce((sum, v, k) => sum + Math.abs(v - corner[k]), 0);
    if (away > far) [ink, far] = [at(i), away];
  }
  return { width, height, ground: `rgb(${corner})`, ink: `rgb(${ink})` };
}

/** -> {node, get value, set(uri)}; `changed(settled)` is called when there is another picture. */
export function picture(label, help, sample, changed) {
  let value = "";
  let style = { width: 28, height: 28, ground: "#000", ink: "#fff" };
  let last = null;
  let at = { x: SIDE / 2, y: SIDE / 2 };
  const note = el("p", { class: "hint", role: "status" });
  const canvas = el("canvas", { width: SIDE, height: SIDE, class: "draw", tabindex: 0, role: "img" });
  canvas.setAttribute("aria-label", `${label}: drop a picture, or draw with the pointer`);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const id = fresh("file");
  const file = el("input", { type: "file", id, accept: "image/*", class: "unseen",
    onchange: () => file.files[0] && take(file.files[0]) });

  let gone = ""; // what Clear took away
  const undo = button("Undo clear", () => set(gone), { hidden: true });
  const wipe = button("Clear", () => {
    gone = value;
    undo.hidden = !gone;
    blank();
  });

  function blank() {
    pen.fillStyle = style.ground;
    pen.fillRect(0, 0, SIDE, SIDE);
    value = "";
    changed(false);
  }
  function keep() {
    const small = el("canvas", { width: style.width, height: style.height });
    const brush = small.getContext("2d");
    brush.imageSmoothingQuality = "high";
    brush.drawImage(canvas, 0, 0, style.width, style.height);
    value = small.toDataURL("image/png");
    undo.hidden = true;
    changed(true);
  }
  function show(image) {
    const side = Math.max(image.naturalWidth, image.naturalHeight);
    const [w, h] = [(SIDE * image.naturalWidth) / side, (SIDE * image.naturalHeight) / side];
    pen.fillStyle = style.ground;
    pen.fillRect(0, 0, SIDE, SIDE);
    pen.imageSmoothingEnabled = side > SIDE / 2;
    pen.drawImage(image, (SIDE - w) / 2, (SIDE - h) / 2, w, h);
  }
  async function set(uri) {
    clear(note);
    if (!uri) return blank();
    try {
      show(await load(uri));
      value = uri;
      undo.hidden = true;
      changed(true);
    } catch (error) {
      note.textContent = error.message;
    }
    return undefined;
  }
  async function take(given) {
    try {
      await set(await asUri(given));
    } catch (error) {
      note.textContent = error.message;
    }
  }
  const where = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: ((event.clientX - box.left) * SIDE) / box.width, y: ((event.clientY - box.top) * SIDE) / box.height };
  };
  function stroke(from, to) {
    pen.strokeStyle = style.ink;
    pen.lineWidth = SIDE / 13;
    pen.lineCap = "round";
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x, to.y + 0.01);
    pen.stroke();
  }
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = where(event);
    stroke(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const now = where(event);
    stroke(last, now);
    last = now;
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (last) keep();
      last = null;
    });
  }
  canvas.addEventListener("keydown", (event) => {
    // With the arrow keys the pen goes on; with Shift it is lifted.
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
    if (dx === undefined) return;
    event.preventDefault();
    const now = { x: Math.min(SIDE, Math.max(0, at.x + dx * 16)), y: Math.min(SIDE, Math.max(0, at.y + dy * 16)) };
    if (!event.shiftKey) stroke(at, now);
    at = now;
  });
  canvas.addEventListener("keyup", (event) => {
    if (event.key.startsWith("Arrow") && !event.shiftKey) keep();
  });
  const frame = el("div", { class: "frame", ondragover: (event) => event.preventDefault(), ondrop: (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  } }, canvas);
  const node = el("fieldset", { class: "field picture" }, el("legend", {}, label), help && el("p", { class: "hint" }, help),
    frame, el("div", { class: "row" }, file, el("label", { for: id, class: "button" }, "Choose a picture…"),
      wipe, undo), el("p", { class: "hint" }, "Or draw: with the pointer, or with the arrow keys (Shift lifts the pen)."), note);
  habits(sample).then((found) => {
    style = found;
    if (!value) blank();
  });
  return { node, set, read: () => value, get raw() { return value; }, restore: set, get empty() { return !value; } };
}
