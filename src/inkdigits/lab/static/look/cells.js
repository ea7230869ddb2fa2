/* A convolution's sum, cell by cell: for each picture that comes in three grids of numbers. */

import { button, explained, made, put } from "../dom.js";
import { largest, tint } from "./heat.js";
import { productsOf, says, sign } from "./sums.js";
import { words } from "../words.js";

/** @typedef {import("./sums.js").Sum} Sum */

const FIRST_CHANNELS = 4; // shown before all are asked for

/** The sum of a convolution: for each channel three grids of numbers, aligned. */
export class InkCells extends HTMLElement {
  #readout = made("p", { className: "readout" });
  #channels = made("div", { className: "channels" });
  #all = false;
  #more = button("", () => this.#toggle(), words.look.channelsHelp, { className: "plain" });
  /** @type {Sum | null} */
  #sum = null;
  #at = "0";

  constructor() {
    super();
    const act = (/** @type {Event} */ event) => {
      const cell = event.target instanceof Element ? event.target.closest("[data-cell]") : null;
      if (cell instanceof HTMLElement) this.#light(cell.dataset.cell ?? "0");
    };
    this.addEventListener("pointerover", act);
    this.addEventListener("focusin", act);
    this.addEventListener("keydown", (event) => this.#key(event));
  }

  connectedCallback() {
    if (this.#channels.parentNode) return;
    this.append(explained(this.#channels, words.look.cellsHelp), this.#more, this.#readout);
  }

  /** @param {Sum} sum */
  show(sum) {
    const had = this.#channels.contains(document.activeElement);
    this.#sum = sum;
    const [channels, side] = sum.shape;
    const area = side * side;
    const products = productsOf(sum);
    const subtotals = Array.from({ length: channels }, (_, channel) =>
      products.subarray(area * channel, area * (channel + 1)).reduce((all, p) => all + p, 0),
    );
    const order = [...subtotals.keys()].sort(
      (one, other) => Math.abs(subtotals[other]) - Math.abs(subtotals[one]),
    );
    const shown = this.#all ? channels : Math.min(channels, FIRST_CHANNELS);
    const most = [largest(sum.x), largest(sum.w), largest(products)];
    put(
      this.#channels,
      order.slice(0, shown).map((channel, n) => {
        const cells = [sum.x, sum.w, products].map((values, kind) =>
          this.#grid(values.subarray(area * channel, area * (channel + 1)), side, {
            kind,
            from: area * channel,
            most: most[kind],
            title: n === 0,
          }),
        );
        const from = words.look.channel(channel, subtotals[channel]);
        return made(
          "div",
          { className: "channel" },
          channels > 1 && made("p", { className: "note" }, from),
          made("div", { className: "triple" }, cells[0], sign("×"), cells[1], sign("="), cells[2]),
        );
      }),
    );
    this.#channels.style.setProperty("--side", String(side));
    this.#more.hidden = channels <= FIRST_CHANNELS;
    this.#more.textContent = this.#all
      ? words.look.fewerChannels(FIRST_CHANNELS)
      : words.look.allChannels(channels);
    this.#light(this.#cell(this.#at) ? this.#at : String(area * order[0]));
    if (had) this.#cell(this.#at)?.focus();
  }

  /**
   * @param {Float32Array | Float64Array} values
   * @param {number} side
   * @param {{ kind: number, from: number, most: number, title: boolean }} options kind: 0 what
   *   comes in, 1 weights, 2 products, which have the focus
   */
  #grid(values, side, { kind, from, most, title }) {
    const name = words.look.triple[kind];
    const rows = Array.from({ length: side }, (_, row) => {
      const cells = Array.from({ length: side }, (_, column) => {
        const n = side * row + column;
        const cell = made("span", { "data-cell": from + n }, words.look.short(values[n]));
        tint(cell, values[n], most);
        if (kind === 2 && this.#sum) {
          cell.setAttribute("role", "gridcell");
          cell.setAttribute("aria-label", says(this.#sum, from + n));
          cell.tabIndex = -1;
        }
        return cell;
      });
      return made("div", kind === 2 ? { role: "row" } : {}, cells);
    });
    const grid = made("div", { className: "matrix" }, rows);
    if (kind === 2) {
      grid.setAttribute("role", "grid");
      grid.setAttribute("aria-label", name);
    }
    const block = made("div", {}, title && made("p", { className: "note" }, name), grid);
    if (kind !== 2) block.setAttribute("aria-hidden", "true"); // the products' cells say these too
    return block;
  }

  /** @param {string} index */
  #cell(index) {
    const found = this.#channels.querySelector(`[role="gridcell"][data-cell="${index}"]`);
    return found instanceof HTMLElement ? found : null;
  }

  /** @param {string} index of the cell that is explained, in all three grids */
  #light(index) {
    if (!this.#sum) return;
    for (const other of this.#channels.querySelectorAll(".on")) other.classList.remove("on");
    for (const same of this.#channels.querySelectorAll(`[data-cell="${index}"]`)) {
      same.classList.add("on");
    }
    const before = this.#channels.querySelector('[tabindex="0"]');
    if (before) before.setAttribute("tabindex", "-1");
    this.#cell(index)?.setAttribute("tabindex", "0");
    this.#at = index;
    put(this.#readout, says(this.#sum, Number(index)));
  }

  #toggle() {
    this.#all = !this.#all;
    if (this.#sum) this.show(this.#sum);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const cell = event.target instanceof HTMLElement ? event.target.dataset.cell : undefined;
    if (cell === undefined || !this.#sum || event.altKey || event.ctrlKey || event.metaKey) return;
    const side = this.#sum.shape[1];
    const every = [...this.#channels.querySelectorAll('[role="gridcell"]')];
    const n = every.findIndex((one) => one === event.target);
    const last = n % side === side - 1;
    /** @type {Record<string, number>} */
    const moves = {
      ArrowLeft: n % side ? n - 1 : n,
      ArrowRight: last ? n : n + 1,
      ArrowUp: n - side,
      ArrowDown: n + side, // on into the next channel
      Home: 0,
      End: every.length - 1,
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const to = every[moves[event.key]];
    if (to instanceof HTMLElement) to.focus();
  }
}

customElements.define("ink-cells", InkCells);
