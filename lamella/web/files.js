/* Whole files: dropped or chosen, sent, and given back as a download with what was counted. */

import { translateFile } from "./api.js";
import { announce, button, el, fresh, megabytes, problem } from "./dom.js";

/** -> {pick: a button, list: where files and their answers appear, send(files)}.

    ask(file) says, perhaps after a look at it, which model and options it goes to.
*/
export function files(suffixes, ask) {
  const id = fresh("files");
  const list = el("ul", { class: "files", "aria-label": "Files" });
  const input = el("input", { type: "file", id, multiple: true, class: "unseen", accept: suffixes().join(","),
    onchange: () => {
      send(input.files);
      input.value = "";
    } });
  const pick = el("span", {}, input, el("label", { for: id, class: "button" }, "Open a file…"));

  async function send(given) {
    for (const file of Array.from(given)) await one(file);
  }

  async function one(file) {
    const state = el("span", { class: "busy" }, `${megabytes(file.size)}, working…`);
    const item = el("li", {}, el("span", { class: "name" }, file.name), state);
    list.prepend(item);
    try {
      const { model, options, question } = await ask(file);
      const found = await translateFile(model, file, options, question);
      const href = URL.createObjectURL(found.blob);
      const counts = Object.entries(found.counts).filter(([, n]) => n !== 0).map(([name, n]) => `${n} ${name}`).join(", ");
      state.replaceWith(el("span", { class: "quiet" }, counts || megabytes(found.blob.size)),
        el("a", { class: "button strong", href, download: found.name }, `Download ${found.name}`),
        button("Remove", () => {
          URL.revokeObjectURL(href);
          item.remove();
        }, { "aria-label": `Remove ${file.name} from the list` }));
      announce(`${file.name} is done. ${counts}`);
    } catch (error) {
      state.replaceWith(problem(error), button("Remove", () => item.remove(), { "aria-label": `Remove ${file.name} from the list` }));
    }
  }
  return { pick, list, send, accept: (names) => input.setAttribute("accept", names.join(",")) };
}

/** Let a region take files that are dropped on it. */
export function droppable(region, take) {
  let depth = 0;
  const has = (event) => Array.from(event.dataTransfer?.types ?? []).includes("Files");
  const mark = () => region.classList.toggle("drop", depth > 0);
  region.addEventListener("dragenter", (event) => {
    if (has(event)) depth++;
    mark();
  });
  region.addEventListener("dragleave", (event) => {
    if (has(event)) depth = Math.max(0, depth - 1);
    mark();
  });
  region.addEventListener("dragover", (event) => has(event) && event.preventDefault());
  region.addEventListener("drop", (event) => {
    if (!has(event)) return;
    event.preventDefault();
    depth = 0;
    mark();
    take(event.dataTransfer.files);
  });
}
