/* The page's frame: the three views and the way between them, the model that answers, the first
   visit, and what is said when the lab is away. */

import { get, post, whenAnswering } from "./api.js";
import { explained, helpStrip, liveRegion, made, put } from "./dom.js";
import { complain } from "./elements.js";
import { InkDraw } from "./draw/draw.js";
import { InkLook } from "./look/look.js";
import { state } from "./state.js";
import { InkTrain } from "./train/train.js";
import { InkVisit } from "./visit.js";
import { lab as say } from "./words.js";

/** @type {Record<string, { named: Named, make: () => HTMLElement }>} */
const VIEWS = {
  draw: { named: say.views.draw, make: () => new InkDraw() },
  train: { named: say.views.train, make: () => new InkTrain() },
  look: { named: say.views.look, make: () => new InkLook() },
};

/** @type {Map<string, HTMLElement>} */
const views = new Map();
const main = made("main", { id: "main", tabIndex: -1 });

/** @type {Map<string, HTMLAnchorElement>} */
const tabs = new Map(
  Object.entries(VIEWS).map(
    ([
      view,
      {
        named: [label, help],
      },
    ]) => [view, explained(made("a", { href: `#${view}` }, label), help)],
  ),
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
  document.title = say.title(VIEWS[name].named[0]);
  state.set("view", name);
}

/* Which model answers in Draw and Look. */

const chooser = made("select", { id: "model" });

/** Asks which models there are, and keeps the one that was chosen. */
async function listModels() {
  const { models } = /** @type {{ models: ModelInfo[] }} */ (await get("/api/models"));
  const chosen = state.get("model", "reader");
  put(chooser, models.map(({ name, title }) => made("option", { value: name }, title)));
  chooser.value = models.some(({ name }) => name === chosen) ? chosen : "reader";
  if (chooser.value !== chosen) state.set("model", chooser.value);
}

chooser.addEventListener("change", () => state.set("model", chooser.value));
state.on("model", (name) => {
  if (chooser.value !== name) listModels();
});
state.on("models", listModels); // told by whoever makes, renames or removes one

/* When the lab does not answer. */

const away = made("p.banner", { role: "alert", hidden: true }, say.gone);
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
    made("a.skip", { href: "#main", onclick: skip }, say.skip),
    made("h1.wordmark", say.name),
    made("nav", { "aria-label": say.ways }, [...tabs.values()]),
    made(
      "div.model",
      made("label", { for: "model" }, say.model[0]),
      explained(chooser, say.model[1]),
    ),
  );
  const visit = new InkVisit();
  const footer = made("footer", visit.again);
  document.body.append(header, away, visit, main, footer, strip, liveRegion());
  try {
    await state.load();
    await listModels();
  } catch (error) {
    complain(main, error);
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
