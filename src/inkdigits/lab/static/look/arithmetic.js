/* One unit: its picture, a place in it, and how the number there comes about. */

import { InkPictures } from "./aligned.js";
import { floatsOf, post, withQuery } from "../api.js";
import { InkCells } from "./cells.js";
import { button, explained, made, put, speak } from "../dom.js";
import { InkGlyph } from "../elements.js";
import { InkExciting } from "./exciting.js";
import { field, optionsOf } from "./geometry.js";
import { InkHeat, frame, largest, repainted } from "./heat.js";
import { sizes } from "./layers.js";
import { WhenSeen } from "./seen.js";
import { allNumbers, numberGrid, topProducts, total } from "./sums.js";
import { words } from "../words.js";

/** @typedef {import("../types").LayerInfo} LayerInfo */
/** @typedef {import("../types").LayerValues} LayerValues */
/** @typedef {import("../types").Arithmetic} Arithmetic */

/**
 * What is opened, and of what.
 *
 * @typedef {{
 *   model: string,
 *   glyph: Uint8Array,
 *   infos: LayerInfo[],
 *   layers: LayerValues[],
 *   layer: number,
 *   unit: number,
 * }} Opened
 */

const READABLE = 7; // cells on a side: larger patches are pictures

export class InkUnit extends HTMLElement {
  #title = made("h2", { tabIndex: -1 }, words.look.noUnit);
  #about = made("p");
  #code = made("p", { className: "note" });
  #heat = new InkHeat();
  #value = made("p", { className: "note" });
  #glyph = new InkGlyph();
  #frame = made("span", { className: "mark" });
  #framed = made("div", { className: "framed" }, this.#glyph, this.#frame);
  #depends = made("p", { className: "note" });
  #maps = made("div", { className: "where" });
  #formula = made("p", { className: "formula" });
  #note = made("p", { className: "note" });
  #cells = new InkCells();
  #pictures = new InkPictures();
  #patch = new InkHeat();
  #sum = made("div", { className: "sum" });
  #exciting = new InkExciting();
  #seen = new WhenSeen(this, (signal) => this.#load(signal));
  /** @type {Opened | null} */
  #opened = null;
  /** @type {number | null} index in the unit's picture; null where it has none */
  #place = null;
  onback = () => {};

  connectedCallback() {
    if (this.#title.parentNode) return;
    this.#heat.onaim = (index) => {
      this.#place = index;
      this.#where();
      this.#seen.changed();
    };
    this.#heat.says = (index) => this.#says(index);
    this.#patch.says = () => "";
    put(
      this.#maps,
      made("div", {}, explained(this.#heat, words.look.placeHelp), this.#value),
      made(
        "div",
        {},
        this.#framed,
        this.#depends,
      ),
    );
    this.append(
      button(words.look.back, () => this.onback(), words.look.backHelp, { className: "back" }),
      this.#title,
      this.#about,
      this.#code,
      this.#maps,
      made("h3", {}, words.look.how),
      this.#seen.status,
      this.#formula,
      this.#note,
      this.#sum,
      this.#exciting,
    );
    repainted(() => [this.#heat, this.#patch].forEach((heat) => heat.paint()));
  }

  /**
   * @param {Opened} opened
   * @param {boolean} again whether all is asked for anew, as another model may answer
   */
  show(opened, again) {
    this.#opened = opened;
    const { infos, layers, layer, unit, glyph } = opened;
    const { height, width, maps } = sizes(layers[layer].shape);
    const kind = words.look.kinds[/** @type {keyof typeof words.look.kinds} */ (infos[layer].kind)];
    put(this.#title, words.look.unitOf(layer, unit));
    put(this.#about, kind ? kind(optionsOf(infos[layer])) : infos[layer].kind);
    put(this.#code, made("code", {}, layers[layer].code));
    const own = this.#own();
    this.#heat.hidden = !maps;
    this.#maps.classList.toggle("placeless", !maps);
    this.#place = maps ? own.indexOf(Math.max(...own)) : null;
    if (maps) {
      const { low, high } = layers[layer];
      const most = Math.max(Math.abs(low), Math.abs(high));
      this.#heat.show(own, height, width, most, words.look.picture(layer, unit));
      this.#heat.aim(this.#place ?? -1);
    }
    this.#glyph.show(glyph, words.look.digit);
    this.#where();
    this.#exciting.show({ model: opened.model, layer, unit }, infos, again);
    this.#seen.changed();
  }

  /** Comes into sight, with the focus. */
  reach() {
    this.scrollIntoView({ block: "start" });
    this.#title.focus({ preventScroll: true });
  }

  /** The values of the opened unit. */
  #own() {
    if (!this.#opened) return new Float32Array();
    const { layers, layer, unit } = this.#opened;
    const { height, width } = sizes(layers[layer].shape);
    return layers[layer].values.subarray(unit * height * width, (unit + 1) * height * width);
  }

  /** @param {number} index */
  #says(index) {
    if (!this.#opened) return "";
    const { layers, layer } = this.#opened;
    const { width } = sizes(layers[layer].shape);
    return words.look.at(Math.floor(index / width), index % width, this.#own()[index]);
  }

  /** Says which place it is, and frames what of the digit it depends on. */
  #where() {
    if (!this.#opened) return;
    const { infos, layer, layers, unit } = this.#opened;
    const { width } = sizes(layers[layer].shape);
    const place = this.#place;
    put(this.#value, place === null ? words.look.value(this.#own()[0]) : this.#says(place));
    /** @type {[number, number] | null} */
    const at = place === null ? null : [Math.floor(place / width), place % width];
    const box = field(infos, layer, unit, at);
    const whole = String(box) === "0,0,27,27";
    this.#framed.hidden = whole;
    frame(this.#frame, box, 28, 28);
    put(this.#depends, whole ? words.look.dependsOnAll : words.look.depends);
  }

  /** @param {AbortSignal} signal */
  async #load(signal) {
    if (!this.#opened) return;
    const { model, layer, layers, unit, glyph } = this.#opened;
    const { width } = sizes(layers[layer].shape);
    const place = this.#place;
    const at =
      place === null ? {} : { row: Math.floor(place / width), column: place % width };
    const query = withQuery("/api/lab/look/unit", { model, layer, unit, ...at });
    /** @type {Arithmetic} */
    const about = await post(query, glyph, { signal });
    if (!signal.aborted) this.#tell(about);
  }

  /** @param {Arithmetic} about */
  #tell(about) {
    put(this.#formula, about.formula);
    put(this.#note, about.note);
    const x = floatsOf(about.patch.values);
    const w = about.weights && floatsOf(about.weights.values);
    const nameOf = this.#namer(about);
    put(this.#sum, w ? this.#weighted(about, x, w, nameOf) : this.#plain(about, x, nameOf));
  }

  /**
   * @param {Arithmetic} about
   * @param {Float32Array} x
   * @param {Float32Array} w
   * @param {(n: number) => string} nameOf
   */
  #weighted(about, x, w, nameOf) {
    const sum = { shape: about.patch.shape, x, w, nameOf };
    const names = words.look.triple;
    const all = allNumbers(names, x.length, nameOf, (n) => [x[n], w[n], x[n] * w[n]]);
    const bias = about.formula.endsWith("b") ? about.bias : null;
    const line = words.look.total(total(sum), bias, about.sum);
    const said = [made("p", { className: "total" }, line), this.#gives(about)];
    if (sum.shape.length === 3) {
      this.#cells.show(sum);
      return [this.#cells, ...said, all];
    }
    const picture = this.#pictureBefore();
    if (picture) this.#pictures.show({ ...sum, shape: picture });
    return [picture && this.#pictures, topProducts(sum), ...said, all];
  }

  /**
   * @param {Arithmetic} about
   * @param {Float32Array} x
   * @param {(n: number) => string} nameOf
   */
  #plain(about, x, nameOf) {
    const [height, width] = about.patch.shape.length === 2 ? about.patch.shape : [1, x.length];
    const numbers = { ...(x.length === 1 ? { x: x[0] } : {}), ...about.numbers };
    const figures = Object.entries(numbers);
    const list = made(
      "dl",
      { className: "quantities" },
      figures.map(([name, value]) => [
        made("dt", {}, name),
        made("dd", {}, words.look.number(value)),
      ]).flat(),
    );
    const line =
      x.length === 1
        ? words.look.worked(about.formula, numbers, about.sum)
        : words.look.result(about.sum);
    const said = [made("p", { className: "total" }, line), this.#gives(about)];
    if (x.length === 1) return [list, ...said];
    const all = allNumbers(["x"], x.length, nameOf, (n) => [x[n]]);
    if (Math.max(height, width) <= READABLE) {
      return [numberGrid(x, width, about.chosen ?? -1), ...said];
    }
    this.#patch.show(x, height, width, largest(x), words.look.triple[0]);
    return [this.#patch, ...said, all];
  }

  /** @param {Arithmetic} about */
  #gives(about) {
    return made("p", { className: "gives" }, words.look.gives(about.value));
  }

  /** The sides of the picture whose pixels the opened unit weighs; null where they are none. */
  #pictureBefore() {
    if (!this.#opened) return null;
    const { layers, layer } = this.#opened;
    for (let before = layer - 1; before >= 0; before--) {
      const { kind, shape } = layers[before];
      if (shape.length === 2) return shape;
      if (kind !== "Flatten" && kind !== "Rescale") return null;
    }
    return null;
  }

  /**
   * What the inputs of the opened number are called.
   *
   * @param {Arithmetic} about
   * @returns {(n: number) => string}
   */
  #namer(about) {
    const { shape } = about.patch;
    const [height, width] = shape.length > 1 ? shape.slice(-2) : [1, 1];
    const origin = about.origin ?? [];
    const [top, left] = origin.length > 1 ? origin.slice(-2) : [0, 0];
    const area = height * width;
    if (shape.length > 1) {
      return (n) => {
        const [row, column] = [Math.floor((n % area) / width), n % width];
        const channel = shape.length === 3 && shape[0] > 1 ? Math.floor(n / area) : null;
        return words.look.input(channel, top + row, left + column);
      };
    }
    const before = this.#opened?.layers[this.#opened.layer - 1];
    const flattened =
      before?.kind === "Flatten" && this.#opened?.layers[this.#opened.layer - 2];
    const source = flattened ? flattened.shape : null;
    if (!source || source.length < 2) return (n) => words.look.feature(n);
    const [rows, columns] = source.slice(-2);
    return (n) => {
      const inside = n % (rows * columns);
      return words.look.input(
        source.length === 3 ? Math.floor(n / (rows * columns)) : null,
        Math.floor(inside / columns),
        inside % columns,
      );
    };
  }
}

/**
 * Says aloud what was opened.
 *
 * @param {number} layer
 * @param {number} unit
 */
export const sayOpened = (layer, unit) => speak(words.look.opened(layer, unit));

customElements.define("ink-unit", InkUnit);
