/* The confusion matrix: what is read as what, and the pictures behind each number. */

import { get, withQuery } from "../api.js";
import { moveStop, stopOf, withArrows } from "./arrows.js";
import { explained, made, put, speak } from "../dom.js";
import { pages } from "../elements.js";
import { tint } from "./heat.js";
import { choice, goLookAt } from "./looked.js";
import { Part, codeLine } from "./parts.js";
import { words } from "../words.js";

const say = words.look;
const AT_ONCE = 40; // pictures of a cell

/** @param {Cell} cell */
const nameOf = ({ label, answer, count }) => say.cellNamed(label, answer, count);

/**
 * The pictures behind a cell of the matrix.
 *
 * @extends {Part<Cell>}
 */
class InkMistakes extends Part {
  #pictures = made("div");

  /** @param {Cell} cell */
  open(cell) {
    put(this.#pictures);
    put(this, made("h3", nameOf(cell)), this.status, this.#pictures);
    this.show(cell);
  }

  /** @param {Cell} cell @param {AbortSignal} signal */
  async load(cell, signal) {
    const { model, label, answer } = cell;
    const query = withQuery("/api/lab/look/confusion/cell", { model, label, answer });
    /** @type {{ data: string, indices: number[], confidence: number[] }} */
    const { data, indices, confidence } = await get(query, { signal });
    const digits = indices.map((index, n) => ({ index, caption: words.share(confidence[n], 0) }));
    const shown = await pages(digits, AT_ONCE, (some) => choice(data, some, goLookAt));
    if (signal.aborted) return;
    put(this.#pictures, made("p.note", say.cellNote), shown);
    speak(say.cellOpen(nameOf(cell)));
  }
}

/** @extends {Part<string>} the name of a model */
export class InkConfusion extends Part {
  #lead = made("p.lead");
  #axes = made("p.note");
  #table = explained(made("table.confusion"), say.confusionHelp);
  #mistakes = new InkMistakes();

  constructor() {
    super();
    const columns = [made("div", this.#axes, this.#table), this.#mistakes];
    this.append(
      made("h2", { tabIndex: -1 }, say.confusion),
      this.#lead,
      this.status,
      made("div.confusion-columns", columns),
      codeLine("evaluation/report.py: report"),
    );
    withArrows(this.#table);
  }

  /** @param {string} model */
  show(model) {
    put(this.#mistakes);
    super.show(model);
  }

  /** @param {string} model @param {AbortSignal} signal */
  async load(model, signal) {
    const query = withQuery("/api/lab/look/confusion", { model });
    /** @type {Confusion} */
    const { counts, accuracy, total, correct } = await get(query, { signal });
    const focused = this.#table.contains(document.activeElement);
    const mistakes = counts.flatMap((row, label) => row.filter((_, answer) => answer !== label));
    const most = Math.max(2, ...mistakes);
    put(this.#lead, say.accuracy(correct, total, accuracy));
    put(this.#axes, say.axes);
    const columns = counts.map((_, n) => heading("col", n, say.readAs(n)));
    const rows = counts.map((row, label) => {
      const cells = row.map((count, answer) => this.#made({ model, label, answer, count }, most));
      return made("tr", heading("row", label, say.truly(label)), cells);
    });
    put(
      this.#table,
      made("caption.aloud", say.confusion),
      made("thead", made("tr", made("td"), columns)),
      made("tbody", rows),
    );
    moveStop(this.#table, this.#table.querySelector("button"));
    if (focused) stopOf(this.#table)?.focus();
  }

  /**
   * A cell of the matrix: a button where there is something to show.
   *
   * @param {Cell} cell
   * @param {number} most the largest number of mistakes of a kind
   */
  #made(cell, most) {
    const { label, answer, count } = cell;
    if (!count) return made("td", made("span", 0));
    const act = () => {
      this.#table.querySelector("[aria-pressed]")?.removeAttribute("aria-pressed");
      inside.setAttribute("aria-pressed", "true");
      this.#mistakes.open(cell);
    };
    const options = { type: "button", tabIndex: -1, "aria-label": nameOf(cell), onclick: act };
    const inside = made("button", options, count);
    if (label === answer) return made("td.right", inside);
    // A single mistake can be seen beside dozens: the scale is logarithmic, from a third.
    tint(inside, -(0.33 + (0.67 * Math.log(count)) / Math.log(most)), 1);
    return made("td", inside);
  }
}

/** @param {string} scope @param {number} digit @param {string} name */
const heading = (scope, digit, name) => made("th", { scope, "aria-label": name }, digit);

customElements.define("ink-confusion", InkConfusion);
customElements.define("ink-mistakes", InkMistakes);
