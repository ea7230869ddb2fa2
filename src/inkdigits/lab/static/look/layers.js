/* Layer by layer: what each makes of the digit, as pictures and strips, down to the answer. */

import { button, explained, made, put } from "../dom.js";
import { InkBars } from "../elements.js";
import { optionsOf } from "./geometry.js";
import { InkScale, paint, repainted, tint } from "./heat.js";
import { words } from "../words.js";

/** @typedef {import("../types").LayerInfo} LayerInfo */
/** @typedef {import("../types").LayerValues} LayerValues */

const FIRST_MAPS = 32; // shown before all are asked for
const FIRST_CELLS = 48;
const FEW = 16; // features, and each has its number written in its cell

/**
 * How many units a layer has, and the sides of a unit's picture: 1 × 1 where it has none.
 *
 * @param {number[]} shape
 */
export function sizes(shape) {
  const [height, width] = shape.length > 1 ? shape.slice(-2) : [1, 1];
  return { units: shape.length === 2 ? 1 : shape[0], height, width, maps: shape.length > 1 };
}

/** One layer: its heading, and a button for each unit, of which Tab finds one. */
class Row {
  #note = made("p", { className: "note" });
  #scale = new InkScale();
  #heading = made("h3");
  /** @type {HTMLElement} */
  units = explained(made("div", { role: "group" }), words.look.unitsHelp);
  #more = button("", () => this.#toggle(), words.look.allHelp, { className: "plain" });
  #all = false;
  #open = -1;
  /** @type {LayerValues | null} */
  #values = null;
  #last = false;
  element = made(
    "li",
    { className: "layer" },
    this.#heading,
    this.#note,
    this.#scale,
    this.units,
    this.#more,
  );

  /** @param {(layer: number, unit: number) => void} open */
  constructor(open) {
    this.units.addEventListener("click", (event) => {
      const unit = this.#unitOf(event.target);
      if (unit !== null && this.#values) open(this.#values.position, unit);
    });
    this.units.addEventListener("focusin", (event) => this.#rove(this.#unitOf(event.target)));
    this.units.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * @param {LayerInfo} info
   * @param {LayerValues} values
   * @param {boolean} last
   */
  show(info, values, last) {
    const { units, maps } = sizes(values.shape);
    const kind = words.look.kinds[/** @type {keyof typeof words.look.kinds} */ (info.kind)];
    const name = kind ? kind(optionsOf(info)) : info.kind;
    [this.#values, this.#last] = [values, last];
    put(this.#heading, words.look.layer(values.position, name));
    put(this.#note, made("code", {}, values.code), made("br"), words.look.shape(values.shape));
    this.#scale.show(values.low, values.high);
    this.units.className = `units ${maps ? "maps" : units <= FEW ? "few" : "cells"}`;
    this.units.classList.toggle("one", maps && units === 1);
    this.units.setAttribute("aria-label", words.look.unitsOf(values.position));
    this.#fill();
  }

  /** Paints what is shown; makes and removes buttons only where their number changes. */
  #fill() {
    if (!this.#values) return;
    const { shape, values, position, low, high } = this.#values;
    const { units, height, width, maps } = sizes(shape);
    const first = maps ? FIRST_MAPS : FIRST_CELLS;
    const shown = this.#all ? units : Math.min(units, first);
    const most = Math.max(Math.abs(low), Math.abs(high));
    while (this.units.childElementCount > shown) this.units.lastElementChild?.remove();
    while (this.units.childElementCount < shown) this.units.append(unitButton());
    [...this.units.children].forEach((child, unit) => {
      const own = values.subarray(unit * height * width, (unit + 1) * height * width);
      const value = words.look.number(maps ? highest(own) : own[0]);
      const canvas = /** @type {HTMLCanvasElement} */ (child.firstChild);
      canvas.hidden = !maps;
      if (maps) paint(canvas, own, height, width, most);
      else tint(/** @type {HTMLElement} */ (child), own[0], most);
      child.classList.toggle("heat", !maps);
      const text = /** @type {HTMLElement} */ (child.lastChild);
      const digit = this.#last ? words.look.output(unit) : String(unit);
      text.textContent = !maps && units <= FEW ? `${digit}\n${value}` : "";
      child.setAttribute("aria-label", words.look.unitNamed(position, unit, value, maps));
      child.setAttribute("aria-pressed", String(unit === this.#open));
    });
    if (!this.units.querySelector('[tabindex="0"]')) this.#rove(0);
    this.#more.hidden = units <= first;
    this.#more.textContent = this.#all ? words.look.fewer(first) : words.look.all(units);
  }

  paint() {
    if (this.#values && sizes(this.#values.shape).maps) this.#fill();
  }

  /**
   * Marks the unit that is open; −1 for none. One that is not among the first is brought in sight.
   *
   * @param {number} unit
   */
  mark(unit) {
    this.#open = unit;
    if (unit >= this.units.childElementCount) {
      this.#all = true;
      this.#fill();
    }
    [...this.units.children].forEach((child, n) => {
      child.setAttribute("aria-pressed", String(n === unit));
    });
    if (unit >= 0) this.#rove(unit);
  }

  /** Puts the focus on the unit that Tab finds. */
  focus() {
    const found = this.units.querySelector('[tabindex="0"]');
    if (found instanceof HTMLElement) found.focus();
  }

  #toggle() {
    this.#all = !this.#all;
    const before = this.units.childElementCount;
    this.#fill();
    const fresh = this.units.children[before];
    if (fresh instanceof HTMLElement) fresh.focus();
  }

  /** @param {EventTarget | null} target */
  #unitOf(target) {
    const found = target instanceof Element ? target.closest("button") : null;
    const unit = found ? [...this.units.children].indexOf(found) : -1;
    return unit < 0 ? null : unit;
  }

  /** @param {number | null} unit */
  #rove(unit) {
    const chosen = this.units.children[unit ?? -1];
    if (!(chosen instanceof HTMLElement)) return;
    for (const other of this.units.querySelectorAll('[tabindex="0"]')) {
      other.setAttribute("tabindex", "-1");
    }
    chosen.tabIndex = 0;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const unit = this.#unitOf(event.target);
    if (unit === null || event.altKey || event.ctrlKey || event.metaKey) return;
    const all = /** @type {HTMLElement[]} */ ([...this.units.children]);
    const across = all.filter(({ offsetTop }) => offsetTop === all[0].offsetTop).length;
    /** @type {Record<string, number>} */
    const ways = {
      ArrowLeft: unit - 1,
      ArrowRight: unit + 1,
      ArrowUp: unit - across,
      ArrowDown: unit + across,
      Home: 0,
      End: all.length - 1,
    };
    if (!(event.key in ways)) return;
    event.preventDefault();
    all[ways[event.key]]?.focus();
  }
}

const unitButton = () =>
  made(
    "button",
    { type: "button", tabIndex: -1, "aria-pressed": "false" },
    made("canvas"),
    made("span"),
  );

/** @param {Float32Array} values */
const highest = (values) => values.reduce((most, value) => Math.max(most, value), -Infinity);

/** All layers of a network, and the probabilities that come of them. */
export class InkPassage extends HTMLElement {
  #list = made("ol", { className: "passage" });
  #bars = new InkBars();
  /** @type {Row[]} */
  #rows = [];
  #signature = "";
  /** @type {(layer: number, unit: number) => void} */
  onopen = () => {};

  connectedCallback() {
    if (this.#list.parentNode) return;
    this.append(this.#list, this.#bars);
    repainted(() => this.#rows.forEach((row) => row.paint()));
  }

  /**
   * @param {LayerInfo[]} infos
   * @param {LayerValues[]} layers
   * @param {number[]} probabilities
   * @param {number | null} none
   */
  show(infos, layers, probabilities, none) {
    // The same network keeps its rows, so that the focus and what was unfolded stay.
    const signature = layers.map(({ kind, shape }) => `${kind} ${shape}`).join();
    if (signature !== this.#signature) {
      this.#signature = signature;
      this.#rows = layers.map(() => new Row((layer, unit) => this.onopen(layer, unit)));
      put(this.#list, this.#rows.map(({ element }) => element));
    }
    this.#rows.forEach((row, n) => row.show(infos[n], layers[n], n === layers.length - 1));
    const best = probabilities.indexOf(Math.max(...probabilities));
    this.#bars.show(probabilities, none, none !== null && none > 0.5 ? 10 : best);
  }

  /**
   * @param {number} layer
   * @param {number} unit
   */
  mark(layer, unit) {
    this.#rows.forEach((row, n) => row.mark(n === layer ? unit : -1));
  }

  /**
   * Brings a layer in sight and the focus to its open unit.
   *
   * @param {number} layer
   */
  reach(layer) {
    this.#rows[layer]?.focus();
  }
}

/**
 * The unit to begin with: of the first layer that has learned, the one that the digit excites most.
 *
 * @param {LayerValues[]} layers
 * @returns {{ layer: number, unit: number }}
 */
export function loudest(layers) {
  const layer = Math.max(0, layers.findIndex(({ kind }) => kind === "Conv2d" || kind === "Dense"));
  const { values, shape } = layers[layer];
  const { height, width } = sizes(shape);
  const unit = Math.floor(values.indexOf(highest(values)) / (height * width));
  return { layer, unit };
}

customElements.define("ink-passage", InkPassage);
