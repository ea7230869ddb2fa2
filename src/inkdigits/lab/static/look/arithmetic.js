/* One unit: its picture, a place in it, and how the number there comes about. */

import { InkPictures } from "./aligned.js";
import { floatsOf, post, withQuery } from "../api.js";
import { InkCells } from "./cells.js";
import { button, explained, made, put } from "../dom.js";
import { InkGlyph } from "../elements.js";
import { InkExciting } from "./exciting.js";
import { field, placeOf, sizes, valuesOf } from "./geometry.js";
import { InkHeat, frame, largest } from "./heat.js";
import { highest, titleOf } from "./layers.js";
import { Part } from "./parts.js";
import { allNumbers, matrix, topProducts, total } from "./sums.js";
import { look as say } from "../words.js";

const READABLE = 7; // cells on a side: larger patches are pictures

/** @extends {Part<Placed>} */
export class InkUnit extends Part {
  #title = made("h2", { tabIndex: -1 }, say.noUnit);
  #about = made("p");
  #code = made("code");
  #heat = explained(new InkHeat(), say.placeHelp);
  #value = made("p.note");
  #glyph = new InkGlyph();
  #depends = made("p.note");
  #formula = made("p.formula");
  #note = made("p.note");
  #cells = new InkCells();
  #pictures = new InkPictures();
  #patch = new InkHeat();
  #sum = made("div.sum");
  #exciting = new InkExciting();
  onback = () => {};

  constructor() {
    super();
    this.append(
      button(say.back, () => this.onback(), { className: "back" }),
      this.#title,
      this.#about,
      made("p.note", this.#code),
      made(
        "div.where",
        made("div", this.#heat, this.#value),
        made("div", this.#glyph, this.#depends),
      ),
      made("h3", say.how),
      this.status,
      this.#formula,
      this.#note,
      this.#sum,
      this.#exciting,
    );
  }

  /** @param {Opened} opened */
  open(opened) {
    const { layers, layer, unit, glyph } = opened;
    const { shape, low, high, code } = layers[layer];
    const { height, width, maps } = sizes(shape);
    const own = valuesOf(layers[layer], unit);
    put(this.#title, say.unitOf(layer, unit));
    put(this.#about, titleOf(layers[layer]));
    put(this.#code, code);
    this.#glyph.show(glyph, say.digit);
    this.#heat.hidden = !maps;
    const place = maps ? own.indexOf(highest(own)) : null;
    if (place !== null) {
      /** @type {Aim} */
      const aim = {
        says: (index) => say.at(...placeOf(index, width), own[index]),
        aimed: (index) => this.#aim({ ...opened, place: index }),
      };
      const name = say.picture(layer, unit);
      this.#heat.show(own, [height, width], name, aim, largest([low, high]));
      this.#heat.mark(place);
    }
    this.#aim({ ...opened, place });
    this.#exciting.open(opened);
  }

  /** @param {Placed} placed what is said, framed in the digit, and worked out */
  #aim(placed) {
    const { layers, layer, unit, place } = placed;
    const own = valuesOf(layers[layer], unit);
    const at = place === null ? null : placeOf(place, sizes(layers[layer].shape).width);
    const box = field(layers, layer, unit, at);
    put(this.#value, at ? say.at(...at, own[place ?? 0]) : say.value(own[0]));
    this.#glyph.hidden = !box;
    frame(this.#glyph, box, 28, 28);
    put(this.#depends, box ? say.depends : say.dependsOnAll);
    this.show(placed);
  }

  /** @param {Placed} placed @param {AbortSignal} signal */
  async load({ model, layers, layer, unit, place, glyph }, signal) {
    const { width } = sizes(layers[layer].shape);
    const [row, column] = place === null ? [] : placeOf(place, width);
    const query = withQuery("/api/lab/look/unit", { model, layer, unit, row, column });
    /** @type {Arithmetic} */
    const about = await post(query, glyph, { signal });
    if (signal.aborted) return;
    const shown = about.weights
      ? this.#weighted(about, shapeBefore(layers, layer))
      : this.#plain(about);
    put(this.#formula, about.formula);
    put(this.#note, about.note);
    put(
      this.#sum,
      shown.how,
      made("p.total", shown.result),
      made("p.gives", say.gives(about.value)),
      shown.all,
    );
  }

  /**
   * A sum of products.
   *
   * @param {Arithmetic} about
   * @param {number[]} before shape of what a dense layer weighs
   */
  #weighted({ patch, weights, origin, formula, bias, sum: result }, before) {
    const [x, w] = [floatsOf(patch.values), floatsOf(weights?.values ?? "")];
    const products = Float64Array.from(x, (value, n) => value * w[n]);
    const convolution = patch.shape.length > 1;
    const shape = convolution ? patch.shape : before;
    const sum = { shape, x, w, products, nameOf: namer(shape, convolution ? origin : undefined) };
    const aligned = convolution ? this.#cells : before.length === 2 ? this.#pictures : null;
    aligned?.show(sum);
    return {
      how: [aligned, !convolution && topProducts(sum)],
      result: say.total(total(products), formula.endsWith("b") ? bias : null, result),
      all: allNumbers([x, w, products], sum.nameOf),
    };
  }

  /** @param {Arithmetic} about of one number, of a few, or of a whole picture */
  #plain({ patch, origin, formula, numbers, chosen, sum }) {
    const x = floatsOf(patch.values);
    const [height, width] = patch.shape.length > 1 ? patch.shape : [1, x.length];
    if (x.length === 1) {
      const all = { x: x[0], ...numbers };
      const list = Object.entries(all).flatMap(([name, value]) => [
        made("dt", name),
        made("dd", say.number(value)),
      ]);
      const how = made("dl.quantities", list);
      return { how, result: say.worked(formula, all, sum) };
    }
    const result = say.result(sum);
    if (Math.max(height, width) > READABLE) {
      this.#patch.show(x, [height, width], say.triple[0]);
      return { how: this.#patch, result, all: allNumbers([x], namer(patch.shape, origin)) };
    }
    const table = matrix(x, width, largest(x), say.number);
    table.append(made("caption.minor", say.triple[0]));
    const cell = table.querySelectorAll("td")[chosen ?? -1];
    cell?.classList.add("on");
    cell?.append(made("span.aloud", say.chosen));
    return { how: table, result };
  }
}

/**
 * The shape of what a layer takes, as it was before it became a column.
 *
 * @param {LayerValues[]} layers
 * @param {number} layer
 */
function shapeBefore(layers, layer) {
  let before = layer - 1;
  while (["Flatten", "Rescale"].includes(layers[before]?.kind)) before--;
  return layers[before]?.shape ?? [28, 28];
}

/**
 * What the inputs of a number are called.
 *
 * @param {number[]} shape (D,), (H, W) or (C, H, W)
 * @param {number[]} [origin] where the first of them is
 * @returns {(n: number) => string}
 */
function namer(shape, origin = [0, 0]) {
  if (shape.length === 1) return say.feature;
  const [height, width] = shape.slice(-2);
  const [top, left] = origin.slice(-2);
  return (n) => {
    const [row, column] = placeOf(n % (height * width), width);
    const picture = Math.floor(n / (height * width));
    return shape.length === 3 && shape[0] > 1
      ? say.inputOf(picture, top + row, left + column)
      : say.input(top + row, left + column);
  };
}

customElements.define("ink-unit", InkUnit);
