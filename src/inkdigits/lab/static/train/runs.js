/* The runs that are kept, newest first. */

import { button, made, put } from "../dom.js";
import { isLive } from "./follow.js";
import { tick } from "./inputs.js";
import { setText } from "./update.js";
import { words } from "../words.js";

/** @typedef {"select" | "overlay" | "use" | "go" | "remove"} Act what can be wanted of a run */

const say = words.train;
const PLAIN = { className: "plain" };

/**
 * A run in the list.
 *
 * @typedef {object} Row
 * @property {HTMLLIElement} element
 * @property {(run: RunSummary, shown: boolean, overlaid: boolean) => void} show
 */

/** The list of runs; `act` is told what is wanted of which. */
export class InkRuns extends HTMLElement {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #list = made("ul");
  #none = made("p", { className: "note" }, say.noRuns);
  #dialog = made("dialog");
  /** @type {(act: Act, id: string, on?: boolean) => void} */
  act = () => {};

  constructor() {
    super();
    this.append(made("h2", {}, say.kept), this.#none, this.#list, this.#dialog);
  }

  /** @param {RunSummary[]} runs @param {string | null} shown @param {Set<string>} overlaid */
  show(runs, shown, overlaid) {
    this.#none.hidden = runs.length > 0;
    const ids = new Set(runs.map(({ id }) => id));
    for (const [id, { element }] of this.#rows) {
      if (ids.has(id)) continue;
      const focused = element.contains(document.activeElement);
      const near = element.nextElementSibling ?? element.previousElementSibling;
      element.remove();
      this.#rows.delete(id);
      if (focused) (near?.querySelector("button") ?? document.querySelector("main"))?.focus();
    }
    runs.forEach((run, n) => {
      const row = this.#rows.get(run.id) ?? this.#row(run.id);
      this.#rows.set(run.id, row);
      const there = this.#list.children[n] ?? null;
      if (there !== row.element) this.#list.insertBefore(row.element, there);
      row.show(run, run.id === shown, overlaid.has(run.id));
    });
  }

  /** @param {string} id @returns {Row} */
  #row(id) {
    const name = button("", () => this.act("select", id), say.select, PLAIN);
    const overlay = tick(say.overlay, say.overlayHelp, (on) => this.act("overlay", id, on));
    const use = button(say.use, () => this.act("use", id), say.useHelp);
    const go = button(say.go, () => this.act("go", id), say.goHelp);
    const ask = () => this.#ask(id, name.textContent ?? "");
    const remove = button(say.remove, ask, say.removeHelp, PLAIN);
    const facts = [0, 1, 2, 3].map(() => made("span"));
    const tools = made("div", { className: "tools" }, overlay.label, go, use, remove);
    return {
      element: made("li", {}, name, made("div", { className: "facts" }, facts), tools),
      show: (run, shown, overlaid) => {
        setText(name, run.name);
        name.setAttribute("aria-pressed", String(shown));
        say.facts(run).forEach((fact, n) => setText(facts[n], fact));
        overlay.box.checked = overlaid;
        overlay.box.disabled = shown;
        use.hidden = !run.has_model || isLive(run.state);
        go.hidden = run.state !== "interrupted";
        remove.disabled = isLive(run.state);
        overlay.box.setAttribute("aria-label", say.of(say.overlay, run.name));
        for (const act of [use, go, remove]) {
          act.setAttribute("aria-label", say.of(act.textContent ?? "", run.name));
        }
      },
    };
  }

  /**
   * Removes a run, after asking.
   *
   * @param {string} id
   * @param {string} name
   */
  #ask(id, name) {
    const close = () => this.#dialog.close();
    const gone = () => {
      close();
      this.act("remove", id);
    };
    const question = made("p", { id: "remove-question" }, say.removeAsk(name));
    this.#dialog.setAttribute("aria-labelledby", question.id);
    const keep = button(say.keep, close, say.keepHelp);
    const remove = button(say.remove, gone, say.removeHelp, { className: "primary" });
    put(this.#dialog, question, made("div", { className: "tools" }, keep, remove));
    this.#dialog.showModal();
  }
}

customElements.define("ink-runs", InkRuns);
