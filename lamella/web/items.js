/* Lists of items: a picker that adds the items of a catalogue to a text, and recommendations with their reasons. */

import { clear, el, fresh, number } from "./dom.js";

/** "Alien; \"One; Two\"" -> the names. */
export function names(text) {
  const found = [];
  let name = "";
  let quoted = false;
  for (const c of `${text};`) {
    if (c === '"' && (quoted || !name.trim())) {
      quoted = !quoted;
      name = quoted ? "" : name;
    } else if ((c === ";" || c === "\n") && !quoted) {
      if (name.trim()) found.push(name.trim());
      name = "";
    } else name += c;
  }
  return found;
}

/** The names -> a text that `names` reads; one with a semicolon in it stands in quotes. */
export const joined = (list) => list.map((name) => (/[;"]/.test(name) ? `"${name.replaceAll('"', "")}"` : name)).join("; ");

/** What is beside the text: a field that offers the catalogue's names, and a button for each chosen item that takes it away. */
export function picker(control, offered) {
  const list = el("datalist", { id: fresh("offered") }, offered.map((name) => el("option", { value: name })));
  const chosen = el("div", { class: "chips chosen", role: "group", "aria-label": "Chosen; press one to take it away" });
  const write = (every) => {
    control.value = joined(every);
    control.dispatchEvent(new Event("input"));
  };
  const add = el("input", { type: "text", id: fresh("add"), dir: "auto", autocomplete: "off", list: list.id,
    placeholder: offered[0] ?? "",
    oninput: () => { if (offered.includes(add.value)) take(); }, // picked from the list
    onkeydown: (event) => {
      if (event.key !== "Enter" || event.ctrlKey || event.metaKey || !add.value.trim()) return;
      event.preventDefault();
      take();
    } });
  function take() {
    write([...names(control.value), add.value.trim()]);
    add.value = "";
  }
  function show() {
    const every = names(control.value);
    clear(chosen, every.map((name, i) => el("button", { type: "button", class: "chip", dir: "auto",
      "aria-label": `Take away ${name}`, onclick: () => write(every.filter((_, j) => j !== i)) }, `${name} ×`)));
  }
  control.addEventListener("input", show);
  show();
  return el("div", { class: "field picker" }, el("label", { for: add.id }, "Add an item"), add, list, chosen);
}

/** What is recommended, the likeliest first, and the names that are not known. */
export function recommended(found) {
  const most = Math.max(1e-9, ...found.items.map((one) => one.probability));
  return [
    found.items.length
      ? el("ol", { class: "prose recommended" }, found.items.map((one) => el("li", { dir: "auto" },
        el("strong", {}, el("bdi", {}, one.item)), " ", el("meter", { min: 0, max: most, value: one.probability, "aria-label": "how likely" }),
        ` ${number(one.probability)}`,
        one.because?.length > 0 && el("span", { class: "quiet" }, " because of ", one.because.map((name, i) => [i ? ", " : "", el("bdi", {}, name)])))))
      : el("p", { class: "quiet" }, "Nothing is left to recommend: everything was chosen already."),
    found.unknown?.length > 0 && el("p", { class: "quiet" }, "Not known to this model: ", found.unknown.map((name, i) => [i ? ", " : "", el("bdi", {}, name)]), "."),
  ].filter(Boolean);
}
