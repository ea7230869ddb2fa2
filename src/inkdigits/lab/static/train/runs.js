/* The runs that are kept, newest first. */

import { button, made } from "../dom.js";
import { isLive } from "./follow.js";
import { tick } from "./inputs.js";
import { setText } from "../update.js";
import { train as say } from "../words.js";

const PLAIN = { className: "plain" };

/** The list of runs; `act` is told what is wanted of which. */
export class InkRuns extends HTMLElement {
  /** @type {Map<string, RunRow>} */
  #rows = new Map();
  #list = made("ul");
  #none = made("p.note", say.noRuns);
  /** @type {(act: Act, id: string, on?: boolean) => void} */
  act = () => {};

  constructor() {
    super();
    this.append(made("h2", say.kept), this.#none, this.#list);
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

  /** @param {string} id @returns {RunRow} */
  #row(id) {
    const name = button(["", say.select], () => this.act("select", id), PLAIN);
    const overlay = tick(say.overlay, (on) => this.act("overlay", id, on));
    const use = button(say.use, () => this.act("use", id));
    const go = button(say.go, () => this.act("go", id));
    const gone = () => confirm(say.removeAsk(name.textContent ?? "")) && this.act("remove", id);
    const remove = button(say.remove, gone, PLAIN);
    const facts = [0, 1, 2, 3].map(() => made("span"));
    const tools = made("div.tools", overlay.label, go, use, remove);
    return {
      element: made("li", name, made("div.facts", facts), tools),
      show: (run, shown, overlaid) => {
        setText(name, run.name);
        name.setAttribute("aria-pressed", String(shown));
        say.facts(run).forEach((fact, n) => setText(facts[n], fact));
        overlay.box.checked = overlaid;
        overlay.box.disabled = shown;
        use.hidden = !run.has_model || isLive(run.state);
        go.hidden = run.state !== "interrupted";
        remove.disabled = isLive(run.state);
        overlay.box.setAttribute("aria-label", say.of(say.overlay[0], run.name));
        for (const act of [use, go, remove]) {
          act.setAttribute("aria-label", say.of(act.textContent ?? "", run.name));
        }
      },
    };
  }
}

customElements.define("ink-runs", InkRuns);
