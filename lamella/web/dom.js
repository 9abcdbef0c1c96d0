/* Elements are made by calls, never from strings of markup, so that whatever a text holds stays text.

   el("p", {class: "quiet"}, "3 < 4")      a string becomes a text node
   svg("circle", {r: 3})                   the same for drawings
*/

const SVG = "http://www.w3.org/2000/svg"; // a name, not an address

export const el = (name, props, ...children) => fill(document.createElement(name), props, children);
export const svg = (name, props, ...children) => fill(document.createElementNS(SVG, name), props, children);

function fill(node, props, children) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "vars") for (const [name, v] of Object.entries(value)) node.style.setProperty(name, v);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((c) => c !== undefined && c !== null && c !== false));
  return node;
}

export const clear = (node, ...children) => {
  node.replaceChildren(...children.flat(Infinity).filter(Boolean));
  return node;
};

/** Tell people who do not see the page what has changed. */
export function announce(text) {
  document.getElementById("status").textContent = text;
}

export const button = (text, onclick, props) => el("button", { type: "button", onclick, ...props }, text);

/** A button that copies a text; where the page may not, `instead()` is called, which may select it. */
export function copier(text, props, instead = () => {}) {
  const press = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      instead(); // a page that is not on this machine may not write: Ctrl-C can
      announce("Select it and copy it with Ctrl-C.");
      return;
    }
    press.textContent = "Copied";
    announce("Copied.");
    setTimeout(() => { press.textContent = "Copy"; }, 1500);
  }, props);
  return press;
}

/** A line for a terminal, which breaks between its words alone. */
export const command = (line) => el("code", { class: "command" }, line.split(" ").flatMap((word, i) => [i ? " " : "", el("span", {}, word)]));

/** What went wrong, in a line that is read aloud at once. */
export const problem = (error) => el("p", { class: "error", role: "alert" }, String(error?.message ?? error));

export const busy = (text) => el("p", { class: "busy" }, text);

let count = 0;
export const fresh = (stem) => `${stem}-${++count}`;

/** A label and its control, with a line of help that belongs to it. */
export function labelled(text, control, help) {
  control.id ||= fresh("field");
  const hint = help ? el("span", { class: "hint", id: `${control.id}-hint` }, help) : null;
  if (hint) control.setAttribute("aria-describedby", hint.id);
  return el("div", { class: "field" }, el("label", { for: control.id }, text), hint, control);
}

/** 0.0123 -> "0.0123", 12345.6 -> "12,346": about four digits. */
export function number(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 10000
    ? Math.round(value).toLocaleString("en")
    : String(Number(value.toPrecision(4))).replace("-", "−");
}

export const percent = (share) => (share > 0 && share < 0.005 ? "< 1%" : `${Math.round(share * 100)}%`);

export function megabytes(bytes) {
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} kB`;
}

/** "my-task" -> "My task". */
export const words = (name) => {
  const text = String(name).replace(/[-_]/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};

const names = new Intl.DisplayNames(["en"], { type: "language" });
export function language(code) {
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}

/** Run `work` only after calls have stopped coming for so long. */
export function debounce(work, wait) {
  let timer = 0;
  const later = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), wait);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
