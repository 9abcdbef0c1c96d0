/* The page: which view an address shows.

   #/                      the translator, or the first model where none translates
   #/model/NAME            a model's form;  #/model/NAME/inside  its card, its curves, what it has learned
   #/overview              the models that are here, and what can be done with them
*/

import { models, outage, tryNow } from "./api.js";
import { announce, button, clear, el, problem } from "./dom.js";
import { attempt, inside } from "./model.js";
import { overview } from "./overview.js";
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
  if (kind === "overview") return { title: "Models and tasks", ...overview(served) };
  if (served.models.some((m) => m.languages)) return { title: "Translate", ...translator(served) };
  if (served.models.length) return { title: served.models[0].name, ...attempt(served.models[0]) };
  return { title: "Models and tasks", ...overview(served) };
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
  place();
  show();
}

// ---- where texts go

const HERE = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/;

/** Said at the foot: where texts go, which hangs on where this page came from. */
function place() {
  const { hostname, protocol } = location;
  const here = HERE.test(hostname);
  const alone = here && !served.everywhere;
  const open = here || protocol === "https:" ? "" : " The connection is not encrypted.";
  clear(document.getElementById("place"), alone ? "Everything happens on this machine. Nothing is sent elsewhere."
    : `Texts go to the machine ${hostname} that runs lamella, nowhere else.${open}`,
  " What you type is kept in this browser tab until you close it.");
}

// ---- while the server does not answer

const notice = document.getElementById("outage");
const line = el("span", {});
notice.append(line, button("Try now", tryNow));
outage.addEventListener("waiting", ({ detail: { left, why } }) => {
  line.textContent = `${why}; trying again in ${left} s. What you typed is kept.`;
  if (notice.hidden) announce(`${why}. It is tried again by itself.`);
  notice.hidden = false;
});
outage.addEventListener("trying", () => { line.textContent = "Trying again…"; });
outage.addEventListener("settled", () => { notice.hidden = true; });
outage.addEventListener("back", async () => {
  notice.hidden = true;
  announce("The server answers again.");
  if (!served) return;
  const now = await models().catch(() => served);
  const told = ({ models: list }) => JSON.stringify(list.map(({ status, ...rest }) => rest));
  const other = told(now) !== told(served);
  served = now;
  if (other) show(); // other models by now: what was typed is kept
});

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address says which view is shown
  main.focus();
});
addEventListener("hashchange", () => served && show());
start();
