/* The runs that are kept, newest first. */

import { button, explained, made, put } from "../dom.js";
import { isLive } from "./follow.js";
import { setText } from "./update.js";
import { words } from "../words.js";

/** @typedef {import("../types").RunSummary} RunSummary */

const say = words.train;

/** What can be wanted of a run in the list. */
const ACTS = /** @type {const} */ (["select", "overlay", "use", "go", "remove"]);

/**
 * @typedef {object} Row
 * @property {HTMLLIElement} element
 * @property {HTMLButtonElement} name
 * @property {HTMLElement[]} facts
 * @property {HTMLInputElement} overlay
 * @property {HTMLButtonElement} use
 * @property {HTMLButtonElement} go
 * @property {HTMLButtonElement} remove
 */

/** The list of runs; `act` is told what is wanted of which. */
export class InkRuns extends HTMLElement {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #list = made("ul");
  #none = made("p", { className: "note" }, say.noRuns);
  #dialog = made("dialog");
  /** @type {(act: typeof ACTS[number], id: string, on?: boolean) => void} */
  act = () => {};

  connectedCallback() {
    if (this.#list.parentNode) return;
    this.append(made("h2", {}, say.kept), this.#none, this.#list, this.#dialog);
  }

  /**
   * @param {RunSummary[]} runs
   * @param {string | null} shown
   * @param {Set<string>} overlaid
   */
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
      const row = this.#rows.get(run.id) ?? this.#made(run.id);
      this.#rows.set(run.id, row);
      if (this.#list.children[n] !== row.element) {
        this.#list.insertBefore(row.element, this.#list.children[n] ?? null);
      }
      const { name, accuracy, parameters, seconds } = run;
      setText(row.name, name);
      row.name.setAttribute("aria-pressed", String(run.id === shown));
      const facts = say.facts(say.states[run.state] ?? run.state, accuracy, parameters, seconds);
      row.facts.forEach((fact, at) => setText(fact, facts[at]));
      row.overlay.checked = overlaid.has(run.id);
      row.overlay.disabled = run.id === shown;
      row.overlay.setAttribute("aria-label", say.overlayOf(name));
      row.use.hidden = !run.has_model || isLive(run.state);
      row.use.setAttribute("aria-label", say.useOf(name));
      row.go.hidden = run.state !== "interrupted";
      row.go.setAttribute("aria-label", say.goOf(name));
      row.remove.disabled = isLive(run.state);
      row.remove.setAttribute("aria-label", say.removeOf(name));
    });
  }

  /**
   * @param {string} id
   * @returns {Row}
   */
  #made(id) {
    const name = button("", () => this.act("select", id), say.select, { className: "plain" });
    const overlay = explained(made("input", { type: "checkbox" }), say.overlayHelp);
    overlay.addEventListener("change", () => this.act("overlay", id, overlay.checked));
    const use = button(say.use, () => this.act("use", id), say.useHelp);
    const go = button(say.go, () => this.act("go", id), say.goHelp);
    const remove = button(say.remove, () => this.#ask(id), say.removeHelp, { className: "plain" });
    const facts = [0, 1, 2, 3].map(() => made("span"));
    const element = made(
      "li",
      {},
      name,
      made("div", { className: "facts" }, facts),
      made(
        "div",
        { className: "tools" },
        made("label", { className: "check" }, overlay, ` ${say.overlay}`),
        go,
        use,
        remove,
      ),
    );
    return { element, name, facts, overlay, use, go, remove };
  }

  /**
   * Removes a run, after asking.
   *
   * @param {string} id
   */
  #ask(id) {
    const called = this.#rows.get(id)?.name.textContent ?? "";
    const gone = () => {
      this.#dialog.close();
      this.act("remove", id);
    };
    const question = made("p", { id: "remove-question" }, say.removeAsk(called));
    this.#dialog.setAttribute("aria-labelledby", question.id);
    put(
      this.#dialog,
      question,
      made(
        "div",
        { className: "tools" },
        button(say.keep, () => this.#dialog.close(), say.keepHelp),
        button(say.remove, gone, say.removeHelp, { className: "primary" }),
      ),
    );
    this.#dialog.showModal();
  }
}

customElements.define("ink-runs", InkRuns);
