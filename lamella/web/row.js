/* A row of a table as a form: a field for each column as the model knows it, or a row that is pasted. */

import { el, fresh, labelled, number } from "./dom.js";

const DELIMITERS = ["\t", ";", ","];
const MISSING = ["", "?", "na", "n/a", "nan", "null", "none"];

/** A line of a table -> its cells; quotes hold delimiters and doubled quotes. */
function cells(line, delimiter) {
  const found = [];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const c = line[i];
    if (quoted && c === '"' && line[i + 1] === '"') cell += line[++i];
    else if (c === '"' && (quoted || !cell)) quoted = !quoted;
    else if (c === delimiter && !quoted) {
      found.push(cell.trim());
      cell = "";
    } else cell += c;
  }
  return [...found, cell.trim()];
}

/** A pasted row, with or without the line of names above it, or a JSON object -> {column: text}. An Error says what does not fit. */
export function parsed(text, names) {
  const given = text.trim();
  if (given.startsWith("{")) {
    try {
      return Object.fromEntries(Object.entries(JSON.parse(given)).map(([k, v]) => [k, String(v ?? "")]));
    } catch {
      throw new Error("Expected a row with commas between its values, or a JSON object.");
    }
  }
  const lines = given.split(/\r?\n/).filter((l) => l.trim());
  const split = DELIMITERS.map((d) => lines.map((l) => cells(l, d)));
  const headed = split.find(([head, first]) => first && names.every((n) => head.includes(n)));
  if (headed) return Object.fromEntries(headed[0].map((name, i) => [name, headed[1][i] ?? ""]));
  const fitting = split.find(([first]) => first?.length === names.length);
  if (fitting) return Object.fromEntries(names.map((name, i) => [name, fitting[0][i]]));
  const most = Math.max(...split.map(([first]) => first?.length ?? 0));
  throw new Error(`Expected ${names.length} values (${names.join(", ")}), received ${most}. ` +
    "Paste the line with the names of the columns above it, if the table has more.");
}

/** field.columns: [{name, names?: the categories, mean?: of numbers}]; help: what the field is. */
export function row(label, field, changed) {
  const note = el("p", { class: "hint", role: "status" });
  const controls = field.columns.map((column) => {
    const { name, names } = column;
    const control = names
      ? el("select", { onchange: () => changed(false) }, el("option", { value: "" }, "not known"), names.map((n) => el("option", { value: n }, n)))
      : el("input", { type: "text", inputmode: "decimal", autocomplete: "off", oninput: () => changed(false) });
    const usual = column.mean === undefined ? "" : `a number, ${number(column.mean)} on average`;
    return { ...column, control, node: labelled(name, control, names ? `one of ${names.length}` : usual || "a number") };
  });
  const paste = el("input", { type: "text", id: fresh("paste"), autocomplete: "off", spellcheck: "false",
    placeholder: controls.map((c) => c.names?.[0] ?? number(c.mean ?? 0)).join(", "),
    onpaste: (event) => take(event, event.clipboardData.getData("text")),
    onchange: (event) => take(event, paste.value) });

  function take(event, text) {
    if (!text.trim()) return;
    event.preventDefault();
    try {
      fill(parsed(text, controls.map((c) => c.name)));
      paste.value = "";
    } catch (error) {
      if (event.type === "paste") paste.value = text.replace(/\s*\r?\n\s*/g, "  ").trim();
      note.textContent = error.message;
    }
  }
  function fill(values) {
    const unknown = [];
    for (const c of controls) {
      const text = String(values[c.name] ?? "").trim();
      const missing = MISSING.includes(text.toLowerCase());
      if (c.names && !missing && !c.names.includes(text)) unknown.push(`${c.name} “${text}”`);
      c.control.value = missing || (c.names && !c.names.includes(text)) ? "" : text;
    }
    note.textContent = unknown.length ? `Filled in, except what the model does not know: ${unknown.join(", ")}.` : "The row is filled in.";
    changed(false);
  }
  function read({ name, names, control }) {
    const text = control.value.trim();
    if (MISSING.includes(text.toLowerCase())) return null;
    if (names) return text;
    const value = Number(/^[-+]?\d+,\d+$/.test(text) ? text.replace(",", ".") : text);
    if (!Number.isFinite(value)) throw new Error(`${name}: expected a number, received “${text}”.`);
    return value;
  }
  const node = el("fieldset", { class: "field row-form" }, el("legend", {}, label),
    el("p", { class: "hint" }, "A row of the table that the model knows. Leave empty what is not known."),
    el("div", { class: "columns" }, controls.map((c) => c.node)),
    el("div", { class: "field" }, el("label", { for: paste.id }, "Or paste a row"), paste), note);
  return {
    node,
    read() {
      const found = Object.fromEntries(controls.map((c) => [c.name, read(c)]));
      if (Object.values(found).every((v) => v === null)) throw new Error(`${label}: expected a value in at least one column.`);
      return found;
    },
    set(value) {
      for (const c of controls) c.control.value = value?.[c.name] ?? "";
      note.textContent = "";
      changed(false);
    },
    restore(raw) { this.set(raw); },
    get raw() { return Object.fromEntries(controls.map((c) => [c.name, c.control.value])); },
    get empty() { return controls.every((c) => !c.control.value); },
  };
}
