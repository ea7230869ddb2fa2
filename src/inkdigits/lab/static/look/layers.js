/* Layer by layer: what each makes of the digit, as pictures and strips, down to the answer. */

import { moveStop, stopOf, withArrows } from "./arrows.js";
import { explained, made, put } from "../dom.js";
import { InkBars } from "../elements.js";
import { optionsOf, sizes, valuesOf } from "./geometry.js";
import { largest, paint, tint } from "./heat.js";
import { look as say } from "../words.js";

const FEW = 16; // features, and each has its number written in its cell

/** @param {LayerInfo} layer of which is said what it does */
export const titleOf = (layer) => say.kinds[layer.kind]?.(optionsOf(layer)) ?? layer.kind;

/** @param {Float32Array} values of which there may be too many for Math.max */
export const highest = (values) => values.reduce((most, value) => Math.max(most, value), -Infinity);

/** One layer: its heading, and a button for each unit, of which Tab finds one. */
class Row {
  #heading = made("h3");
  #note = made("p.note");
  #scale = made("p.note.scale");
  #units = explained(made("div", { role: "group" }), say.unitsHelp);
  element = made("li.layer", this.#heading, this.#note, this.#scale, this.#units);

  /** @param {(unit: number) => void} open */
  constructor(open) {
    this.open = open;
    withArrows(this.#units);
  }

  #buttons() {
    return /** @type {HTMLElement[]} */ ([...this.#units.children]);
  }

  /** @param {LayerValues} layer @param {boolean} last whether its units are the answers */
  show(layer, last) {
    const { position, code, shape, low, high } = layer;
    const { units, height, width, maps } = sizes(shape);
    const few = !maps && units <= FEW;
    const most = largest([low, high]);
    put(this.#heading, say.layer(position, titleOf(layer)));
    put(this.#note, made("code", code), made("br"), say.shape(...shape));
    put(this.#scale, swatch(low, most), say.to, swatch(high, most));
    this.#units.className = `units ${maps ? "maps" : few ? "few" : "cells"}`;
    this.#units.classList.toggle("one", maps && units === 1);
    this.#units.setAttribute("aria-label", say.unitsOf(position));
    for (let unit = this.#units.childElementCount; unit < units; unit++) {
      const options = { type: "button", tabIndex: -1, onclick: () => this.open(unit) };
      this.#units.append(made("button", options, maps && made("canvas")));
    }
    this.#buttons().forEach((button, unit) => {
      const own = valuesOf(layer, unit);
      const value = say.number(maps ? highest(own) : own[0]);
      const { firstChild: canvas } = button;
      if (canvas instanceof HTMLCanvasElement) paint(canvas, own, height, width, most);
      else tint(button, own[0], most);
      if (few) put(button, `${last ? say.output(unit) : unit}\n${value}`);
      button.setAttribute("aria-label", say.unitNamed(position, unit, value, maps));
    });
    if (!stopOf(this.#units)) moveStop(this.#units, this.#units.firstElementChild);
  }

  /** @param {number} unit that is open; −1 for none */
  mark(unit) {
    const buttons = this.#buttons();
    buttons.forEach((button, n) => button.setAttribute("aria-pressed", String(n === unit)));
    if (unit >= 0) moveStop(this.#units, buttons[unit]);
  }

  /** Puts the focus on the unit that Tab finds. */
  focus() {
    stopOf(this.#units)?.focus();
  }
}

/** @param {number} value @param {number} most */
function swatch(value, most) {
  const colour = made("i");
  tint(colour, value, most);
  return made("span", colour, say.number(value));
}

/** All layers of a network, and the probabilities that come of them. */
export class InkPassage extends HTMLElement {
  #list = made("ol.passage");
  #bars = new InkBars();
  /** @type {Row[]} */
  #rows = [];
  #network = "";
  /** @type {(layer: number, unit: number) => void} */
  onopen = () => {};

  constructor() {
    super();
    this.append(this.#list, this.#bars);
  }

  /** @param {LayerValues[]} layers @param {number[]} probabilities @param {number | null} none */
  show(layers, probabilities, none) {
    // The same network keeps its rows, so that the focus and what was unfolded stay.
    const network = layers.map(({ kind, shape }) => `${kind} ${shape}`).join();
    if (network !== this.#network) {
      this.#network = network;
      this.#rows = layers.map((_, layer) => new Row((unit) => this.onopen(layer, unit)));
      put(this.#list, this.#rows.map(({ element }) => element));
    }
    this.#rows.forEach((row, n) => row.show(layers[n], n === layers.length - 1));
    const best = probabilities.indexOf(Math.max(...probabilities));
    this.#bars.show(probabilities, none, none !== null && none > 0.5 ? 10 : best);
  }

  /** @param {number} layer @param {number} unit */
  mark(layer, unit) {
    this.#rows.forEach((row, n) => row.mark(n === layer ? unit : -1));
  }

  /** @param {number} layer whose open unit gets the focus, and so comes in sight */
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
