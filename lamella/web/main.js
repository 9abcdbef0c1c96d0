/* The page: which view an address shows.

   #/                      the translator, or the first model where none translates
   #/model/NAME            a model's form;  #/model/NAME/inside  its card, its curves, what it has learned
   #/overview              tasks and verbs
*/

import { models } from "./api.js";
import { button, clear, el, problem } from "./dom.js";
import { attempt, inside, overview } from "./model.js";
import { translator } from "./translate.js";

const MOST = 6; // names in the head of the page; of more the overview tells
const main = document.getElementById("main");
let served = null;
let first = true;

function nav() {
  const others = served.models.filter((m) => !m.languages);
  const links = [
    ...(served.models.some((m) => m.languages) ? [["Translate", "#/"]] : []),
    ...others.slice(0, MOST).map((m) => [m.name, `#/model/${encodeURIComponent(m.name)}`]),
    [others.length > MOST ? `All ${served.models.length}` : "Overview", "#/overview"],
  ];
  const here = location.hash || "#/";
  const current = (href) => here === href || (href !== "#/" && here.startsWith(`${href}/`));
  clear(document.getElementById("nav"), el("ul", {}, links.map(([text, href]) =>
    el("li", {}, el("a", { href, "aria-current": current(href) ? "page" : null }, text)))));
  document.querySelector("#nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function view() {
  const [, kind, name, rest] = location.hash.split("/");
  const model = kind === "model" && served.models.find((m) => encodeURIComponent(m.name) === name);
  if (model) return { title: model.name, ...(rest === "inside" ? inside(model) : attempt(model)) };
  if (kind === "model") {
    return { title: "Not here", view: el("section", {}, el("h1", { id: "title", tabindex: -1 }, "No such model"),
      el("p", {}, "The server has no model of that name. ", el("a", { href: "#/overview" }, "Which are here?"))) };
  }
  if (kind === "overview") return { title: "Tasks and verbs", ...overview(served) };
  if (served.models.some((m) => m.languages)) return { title: "Translate", ...translator(served.models) };
  if (served.models.length) return { title: served.models[0].name, ...attempt(served.models[0]) };
  return { title: "Tasks and verbs", ...overview(served) };
}

function show() {
  nav();
  const found = view();
  document.title = `${found.title} · lamella`;
  clear(main, found.view);
  if (first) found.focus?.focus({ preventScroll: true });
  else {
    scrollTo(0, 0);
    document.getElementById("title")?.focus({ preventScroll: true });
  }
  first = false;
}

async function start() {
  try {
    served = await models();
  } catch (error) {
    clear(main, problem(error), button("Try again", start));
    return;
  }
  show();
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address says which view is shown
  main.focus();
});
addEventListener("hashchange", () => served && show());
start();
