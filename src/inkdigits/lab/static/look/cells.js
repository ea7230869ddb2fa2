/* A convolution's sum, cell by cell: for each picture that comes in three grids of numbers. */

import { moveStop, stopOf, withArrows } from "./arrows.js";
import { explained, made, put } from "../dom.js";
import { largest } from "./heat.js";
import { equation, matrix, ordered, says, total } from "./sums.js";
import { look as say } from "../words.js";

const FIRST = 4; // channels that are shown at once; the others are folded away

/** The sum of a convolution. The cell under the pointer or the focus is lit in all three grids. */
export class InkCells extends HTMLElement {
  #channels = explained(made("div.channels"), say.cellsHelp);
  #readout = made("p.readout");
  /** @type {Sum | null} */
  #sum = null;
  #lit = "0";

  constructor() {
    super();
    this.append(this.#channels, this.#readout);
    withArrows(this.#channels);
    const light = (/** @type {Event} */ { target }) => {
      const cell = target instanceof Element ? target.closest("td") : null;
      if (cell?.dataset.cell) this.#light(cell.dataset.cell);
    };
    this.#channels.addEventListener("pointerover", light);
    this.#channels.addEventListener("focusin", light);
  }

  /** @param {Sum} sum */
  show(sum) {
    const focused = this.#channels.contains(document.activeElement);
    this.#sum = sum;
    const [channels, side] = sum.shape;
    const kinds = [sum.x, sum.w, sum.products].map((values) => ({ values, most: largest(values) }));
    const from = (/** @type {number} */ channel) => side * side * channel;
    const subtotals = Float64Array.from({ length: channels }, (_, channel) =>
      total(sum.products.subarray(from(channel), from(channel + 1))),
    );
    const order = ordered(subtotals);
    const shown = order.map((channel, place) => {
      const grids = kinds.map(({ values, most }, kind) => {
        const own = values.subarray(from(channel), from(channel + 1));
        const title = !place && made("p.note", say.triple[kind]);
        const grid = this.#grid(matrix(own, side, most), kind, from(channel));
        // The cells of the products say what the others say too.
        return made("div", { "aria-hidden": kind === 2 ? null : "true" }, title, grid);
      });
      const subtotal = say.channel(channel, subtotals[channel]);
      const note = channels > 1 && made("p.note", subtotal);
      return made("div.channel", note, equation(grids));
    });
    const open = this.querySelector("details")?.open;
    const summary = made("summary", say.otherChannels(channels - FIRST));
    const others = channels > FIRST && made("details", { open }, summary, shown.slice(FIRST));
    put(this.#channels, shown.slice(0, FIRST), others);
    this.#channels.style.setProperty("--side", String(side));
    this.#light(this.#same(this.#lit).length ? this.#lit : String(from(order[0])));
    if (focused) stopOf(this.#channels)?.focus();
  }

  /**
   * Tells the cells of a grid which they are; those of products can have the focus.
   *
   * @param {HTMLTableElement} grid
   * @param {number} kind 0 what comes in, 1 weights, 2 products
   * @param {number} from number of the first cell
   */
  #grid(grid, kind, from) {
    grid.querySelectorAll("td").forEach((cell, n) => {
      cell.dataset.cell = String(from + n);
      if (kind !== 2 || !this.#sum) return;
      cell.tabIndex = -1;
      cell.setAttribute("role", "gridcell");
      cell.setAttribute("aria-label", says(this.#sum, from + n));
    });
    if (kind === 2) {
      grid.setAttribute("role", "grid");
      grid.setAttribute("aria-label", say.triple[kind]);
    }
    return grid;
  }

  /** @param {string} number of a cell, which three grids have */
  #same(number) {
    return [...this.#channels.querySelectorAll(`[data-cell="${number}"]`)];
  }

  /** @param {string} number */
  #light(number) {
    if (!this.#sum) return;
    this.#same(this.#lit).forEach((cell) => cell.classList.remove("on"));
    const cells = this.#same(number);
    cells.forEach((cell) => cell.classList.add("on"));
    moveStop(this.#channels, cells[2]);
    this.#lit = number;
    put(this.#readout, says(this.#sum, Number(number)));
  }
}

customElements.define("ink-cells", InkCells);
