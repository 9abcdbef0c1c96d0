/* A form from what a model declares: a control for each field of an example, and for each option of answering. */

import { clear, el, fresh, labelled, words } from "./dom.js";
import { asUri, picture } from "./picture.js";
import { series } from "./charts.js";
import { row } from "./row.js";

/** "1 2,5; 3" or a column of numbers -> numbers; an Error names what is none. */
export function numbers(text) {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  return parts.map((part) => {
    const value = Number(part);
    if (!Number.isFinite(value)) throw new Error(`Expected numbers with spaces or commas between them, received “${part}”.`);
    return value;
  });
}

/* A control: its node, read() -> its value or an Error, set(value), and `raw` with restore(raw), which is what was typed. */

const typed = (control) => ({
  set(value) {
    control.value = value ?? "";
    control.dispatchEvent(new Event("input"));
  },
  get raw() { return control.value; },
  restore(raw) { this.set(raw); },
  get empty() { return !control.value; },
});

// A getter does not survive being spread, so what is added is put upon the same object.
const made = (node, control, more) => Object.assign(typed(control), { node, read: () => control.value, ...more });

function text(label, field, changed) {
  const control = el("textarea", { rows: 5, dir: "auto", spellcheck: "false", oninput: () => changed(false) });
  return made(labelled(label, control, field.description), control);
}

function short(label, field, changed) {
  const control = el("input", { type: "text", dir: "auto", oninput: () => changed(false) });
  return made(labelled(label, control, field.description), control);
}

function oneNumber(label, field, changed) {
  const control = el("input", { type: "text", inputmode: "decimal", oninput: () => changed(false) });
  return made(labelled(label, control, field.description), control, { read() {
    if (control.value.trim() === "" || !Number.isFinite(Number(control.value))) {
      throw new Error(`${label}: expected a number, received “${control.value}”.`);
    }
    return Number(control.value);
  } });
}

function line(label, field, changed) {
  const chart = el("div", { class: "preview" });
  const note = el("p", { class: "hint", role: "status" });
  const control = el("textarea", { rows: 4, class: "mono", spellcheck: "false", inputmode: "text", oninput: () => {
    try {
      const found = numbers(control.value);
      clear(note);
      clear(chart, found.length > 1 && series(found));
    } catch (error) {
      clear(chart);
      note.textContent = error.message;
    }
    changed(false);
  } });
  const node = labelled(label, control, field.description);
  node.append(chart, note);
  return made(node, control, {
    read: () => numbers(control.value),
    set(value) {
      control.value = Array.isArray(value) ? value.map((v) => Number(v.toPrecision?.(6) ?? v)).join(" ") : String(value ?? "");
      control.dispatchEvent(new Event("input"));
    },
  });
}

/** A sound: a file that is chosen or dropped, or recorded, and heard before it is sent. */
function sound(label, field, changed) {
  let value = "";
  const player = el("audio", { controls: true, hidden: true });
  const note = el("p", { class: "hint", role: "status" });
  const input = el("input", { type: "file", accept: "audio/*,video/*", onchange: () => input.files[0] && take(input.files[0]) });
  const node = labelled(label, input, field.description);
  node.append(player, note);
  const failed = (error) => { note.textContent = error.message; };
  const more = import("./recorder.js");
  more.then(({ recorder }) => input.after(recorder(set, failed)));
  node.addEventListener("dragover", (event) => event.preventDefault());
  node.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
  async function take(file) {
    try {
      set(await (await more).soundOf(file, asUri));
    } catch (error) {
      failed(error);
    }
  }
  function set(uri) {
    note.textContent = "";
    value = typeof uri === "string" ? uri : "";
    player.hidden = !value;
    if (value) player.src = value;
    else player.removeAttribute("src");
    changed(true);
  }
  return {
    node,
    read() {
      if (!value) throw new Error(`${label}: expected a sound. Choose a file, drop one, or record.`);
      return value;
    },
    set,
    restore: set,
    get raw() { return value; },
    get empty() { return !value; },
  };
}

/** Items of a catalogue as a text, with semicolons between them; what helps to pick them is fetched when it is first shown. */
function items(label, field, changed) {
  const control = el("textarea", { rows: 2, dir: "auto", spellcheck: "false", oninput: () => changed(false) });
  const node = labelled(label, control, field.description);
  import("./items.js").then(({ picker }) => node.append(picker(control, field.names ?? [])), () => {});
  const text = (names) => names.map((name) => (/[;"]/.test(name) ? `"${name.replaceAll('"', "")}"` : name)).join("; ");
  return made(node, control, {
    set(value) {
      control.value = Array.isArray(value) ? text(value) : value ?? "";
      control.dispatchEvent(new Event("input"));
    },
  });
}

function anything(label, field, changed) {
  const control = el("textarea", { rows: 4, class: "mono", oninput: () => changed(false) });
  return made(labelled(label, control, field.description), control, {
    read() {
      try {
        return JSON.parse(control.value);
      } catch {
        throw new Error(`${label}: expected JSON.`);
      }
    },
    set(value) { control.value = value === undefined || value === "" ? "" : JSON.stringify(value, null, 1); },
    restore(raw) { control.value = raw; },
  });
}

/* By the name that a kind of field gives to its form element (lamella/fields). */
const CONTROLS = { text, line: short, number: oneNumber, series: line, row, audio: sound, items };

function control(name, field, example, changed) {
  const label = words(name);
  if (field.control === "picture") return picture(label, field.description, example, changed);
  if (field.control === "row" && !field.columns) return anything(label, field, changed);
  return (CONTROLS[field.control] ?? anything)(label, field, changed);
}

/** All fields of a model, those that may be left out last -> {nodes, read() -> example, fill(example), raw, restore(raw), empty};
    `changed(settled)` when something else is there. */
export function fields(model, changed) {
  const first = model.examples?.[0] ?? {};
  const every = [...Object.entries(model.fields), ...Object.entries(model.optional ?? {})];
  const controls = every.map(([name, field]) => [name, field, control(name, field, first[name], changed)]);
  const left = (name, value) => name in (model.optional ?? {}) && value?.length === 0; // an empty text or list
  return {
    nodes: controls.map(([, , c]) => c.node),
    read() {
      return Object.fromEntries(controls.flatMap(([name, field, c]) => {
        const value = c.read();
        if (left(name, value)) return [];
        if (value === "" && field.control === "picture") throw new Error(`${words(name)}: expected a picture. Choose one, drop one, or draw.`);
        if (Array.isArray(value) && !value.length) throw new Error(`${words(name)}: expected numbers, received none.`);
        return [[name, value]];
      }));
    },
    async fill(example) {
      for (const [name, , c] of controls) await c.set(example[name]);
    },
    get raw() { return Object.fromEntries(controls.map(([name, , c]) => [name, c.raw])); },
    async restore(raw) {
      for (const [name, , c] of controls) if (raw?.[name] !== undefined) await c.restore(raw[name]);
    },
    get empty() { return controls.every(([, , c]) => c.empty); },
  };
}

/** Options that may change when answering, in a details element; -> {node, read() -> only what was changed, has(name), set(name, value)}. */
export function options(model, hidden = [], changed = () => {}) {
  const offered = (model.options ?? []).filter((o) => !hidden.includes(o.name) && o.holds !== "file"
    && (!o.asks || o.asks.includes(model.question)));
  const inputs = offered.map((option) => {
    let input;
    if (option.kind.includes("|")) {
      input = el("select", { onchange: changed }, option.kind.split("|").map((c) => el("option", { value: c }, c)));
      input.value = option.default;
    } else if (option.kind === "bool") {
      input = el("input", { type: "checkbox", onchange: changed });
      input.checked = option.default;
    } else {
      const mode = { int: "numeric", float: "decimal" }[option.kind];
      input = el("input", { type: "text", inputmode: mode, onchange: changed });
      input.value = option.default ?? "";
    }
    const start = option.kind === "bool" ? option.default : String(option.default ?? "");
    return { option, input, start, node: labelled(words(option.name), input, option.description) };
  });
  return {
    node: inputs.length ? el("details", { class: "options" }, el("summary", {}, "Options"), inputs.map((m) => m.node)) : null,
    read() {
      const found = {};
      for (const { option, input, start } of inputs) {
        const value = option.kind === "bool" ? input.checked : input.value;
        if (value === start) continue;
        if (["int", "float"].includes(option.kind)) {
          if (String(value).trim() === "" || !Number.isFinite(Number(value))) {
            throw new Error(`${words(option.name)}: expected a number, received “${value}”.`);
          }
          found[option.name] = Number(value);
        } else found[option.name] = value;
      }
      return found;
    },
    has: (name) => inputs.some((m) => m.option.name === name),
    set(name, value) { inputs.find((m) => m.option.name === name).input.value = value; },
  };
}

/** Examples to click: a few words of each, or its picture. */
export function chips(model, pick) {
  const every = model.examples ?? [];
  if (!every.length) return null;
  const spoken = typeof Object.values(every[0])[0] === "string" && !String(Object.values(every[0])[0]).startsWith("data:");
  const examples = every.slice(0, spoken ? 4 : 6); // texts take more room
  const id = fresh("examples");
  return el("div", { class: "chips", role: "group", "aria-labelledby": id }, el("span", { class: "hint", id }, "Try one:"),
    examples.map((example, i) => el("button", { type: "button", class: "chip", dir: "auto", onclick: () => pick(example) }, chip(example, i))));
}

function chip(example, i) {
  const value = Object.values(example)[0];
  if (typeof value === "string" && value.startsWith("data:image/")) {
    return el("img", { src: value, alt: `Example ${i + 1}`, class: "pixels" });
  }
  if (typeof value === "string" && value.startsWith("data:audio/")) return `Recording ${i + 1}`;
  if (Array.isArray(value) && typeof value[0] !== "string") return spark(value, i);
  const said = typeof value === "object" ? Object.values(value ?? {}).slice(0, 4).join(", ") : String(value);
  const line = said.replace(/\s+/g, " ").trim();
  return line.length > 60 ? `${line.slice(0, 58).trimEnd()}…` : line || `Example ${i + 1}`;
}

function spark(values, i) {
  const node = series(values.slice(-48));
  node.setAttribute("class", "spark");
  node.setAttribute("aria-label", `Example ${i + 1}`);
  return node;
}
