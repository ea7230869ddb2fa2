/* The page's frame: the three views and the way between them, the model that answers, the first
   visit, and what is said when the lab is away. */

import { get, post, whenAnswering } from "./api.js";
import { explained, helpStrip, liveRegion, made, put } from "./dom.js";
import { InkDraw } from "./draw/draw.js";
import { InkLook } from "./look/look.js";
import { state } from "./state.js";
import { InkTrain } from "./train/train.js";
import { InkVisit } from "./visit.js";
import { words } from "./words.js";

/** @type {Record<string, { label: string, help: string, make: () => HTMLElement }>} */
const VIEWS = {
  draw: { label: words.lab.draw, help: words.lab.drawHelp, make: () => new InkDraw() },
  train: { label: words.lab.train, help: words.lab.trainHelp, make: () => new InkTrain() },
  look: { label: words.lab.look, help: words.lab.lookHelp, make: () => new InkLook() },
};

/** @type {Map<string, HTMLElement>} */
const views = new Map();
const main = made("main", { id: "main", tabIndex: -1 });

/** @type {Map<string, HTMLAnchorElement>} */
const tabs = new Map(
  Object.entries(VIEWS).map(([name, { label, help }]) => [
    name,
    explained(made("a", { href: `#${name}` }, label), help),
  ]),
);

/** Shows the view that the address names, or the one that was open last. */
function showView() {
  const named = location.hash.slice(1);
  const name = named in VIEWS ? named : state.get("view", "draw");
  let view = views.get(name);
  if (!view) {
    view = VIEWS[name].make();
    views.set(name, view);
    main.append(view);
  }
  for (const [other, element] of views) element.hidden = other !== name;
  for (const [other, tab] of tabs) {
    if (other === name) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  document.title = words.lab.title(VIEWS[name].label);
  state.set("view", name);
}

/* Which model answers in Draw and Look. */

const chooser = made("select", { id: "model" });

/** Asks which models there are, and keeps the one that was chosen. */
async function listModels() {
  const { models } = /** @type {{ models: ModelInfo[] }} */ (
    await get("/api/models")
  );
  const chosen = state.get("model", "reader");
  put(
    chooser,
    models.map(({ name, title }) => made("option", { value: name }, title)),
  );
  chooser.value = models.some(({ name }) => name === chosen) ? chosen : "reader";
  if (chooser.value !== chosen) state.set("model", chooser.value);
}

chooser.addEventListener("change", () => state.set("model", chooser.value));
state.on("model", (name) => {
  if (chooser.value !== name) listModels();
});
state.on("models", listModels); // told by whoever makes, renames or removes one

/* When the lab does not answer. */

const away = made("p", { className: "banner", role: "alert", hidden: true }, words.lab.gone);
let answering = true;
whenAnswering((now) => {
  if (now === answering) return;
  answering = now;
  away.hidden = now;
  if (now) state.tell("back");
  else wait();
});

/** Asks until the lab is back. */
function wait() {
  setTimeout(() => get("/api/models").catch(wait), 1500);
}

async function start() {
  const strip = helpStrip();
  const header = made(
    "header",
    {},
    made("a", { className: "skip", href: "#main", onclick: skip }, words.lab.skip),
    made("h1", { className: "wordmark" }, words.lab.name),
    made("nav", { "aria-label": words.lab.views }, [...tabs.values()]),
    made(
      "div",
      { className: "model" },
      made("label", { for: "model" }, words.lab.model),
      explained(chooser, words.lab.modelHelp),
    ),
  );
  const visit = new InkVisit();
  const footer = made("footer", {}, visit.again);
  document.body.append(header, away, visit, main, footer, strip, liveRegion());
  try {
    await state.load();
    await listModels();
  } catch (error) {
    put(main, made("p", { className: "complaint", role: "alert" }, String(/** @type {Error} */ (error).message)));
    return;
  }
  addEventListener("hashchange", showView);
  showView();
  visit.begin();
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  main.focus();
}

/** For tests, and for whoever is curious in the console. */
Reflect.set(window, "lab", { state, get, post });

start();
