/* What a network looks like while it learns: its first weights, its layers, its worst mistakes. */

import { bytesOf, images } from "../api.js";
import { made } from "../dom.js";
import { InkGlyph } from "../elements.js";
import { paint } from "../look/heat.js";
import { each, setText, tabulate } from "../update.js";
import { train as say } from "../words.js";

const DATA = "mnist:validation";
const MOST_WEIGHTS = 32; // pictures shown
const APART = 1000; // milliseconds between two looks for the most wrong

/** First-layer weights as small pictures: paper is 0. */
export class InkWeights extends HTMLElement {
  #pictures = made("div.pictures", { role: "img" });
  #note = made("p.note");
  #shown = "";

  constructor() {
    super();
    this.append(made("h3", say.weights), this.#pictures, this.#note);
  }

  /** @param {RunNow["weights"]} weights */
  show(weights) {
    this.hidden = !weights;
    if (!weights || weights.pixels === this.#shown) return;
    const { count, side, pixels } = weights;
    this.#shown = pixels;
    const values = Int16Array.from(bytesOf(pixels), (level) => level - 128);
    const shown = Math.min(count, MOST_WEIGHTS);
    const size = side * side;
    const of = (/** @type {number} */ n) => values.subarray(n * size, (n + 1) * size);
    const units = Array.from({ length: shown }, (_, n) => of(n));
    each(
      this.#pictures,
      units,
      () => made("canvas"),
      (canvas, unit) => paint(canvas, unit, side, side, 128),
    );
    this.#pictures.setAttribute("aria-label", say.weightsName(shown));
    setText(this.#note, say.weightsNote(shown, count));
  }
}

/** How strongly each layer is pulled, and whether its units are alive. */
export class InkLayerFigures extends HTMLElement {
  #table = made("table");

  constructor() {
    super();
    const note = made("p.note", say.gradientsNote);
    this.append(made("h3", say.gradients), this.#table, note);
  }

  /** @param {RunNow["layers"]} layers */
  show(layers) {
    this.hidden = !layers.length;
    tabulate(this.#table, say.layerColumns, layers.map(say.layerFigures));
  }
}

/** The validation digits that the network is most wrong about at this moment. */
export class InkWrong extends HTMLElement {
  #list = made("ul.gallery");
  #shown = "";
  #next = 0;

  constructor() {
    super();
    const note = made("p.note", say.wrongNote);
    this.append(made("h3", say.wrong), this.#list, note);
  }

  /** @param {RunNow["wrong"]} wrong @param {boolean} live */
  async show(wrong, live) {
    this.hidden = !wrong.length;
    const text = JSON.stringify(wrong);
    if (text === this.#shown || (live && performance.now() < this.#next)) return;
    this.#next = performance.now() + APART;
    this.#shown = text;
    const indices = wrong.map(({ index }) => index);
    try {
      const glyphs = await images(DATA, indices);
      if (this.#shown !== text) return;
      each(
        this.#list,
        wrong.map((digit, n) => ({ digit, glyph: glyphs[n] })),
        () => made("li", new InkGlyph(), made("span.caption")),
        ({ children: [picture, caption] }, { digit, glyph }) => {
          if (picture instanceof InkGlyph) picture.show(glyph, say.wrongName(digit));
          setText(caption, say.wrongCaption(digit));
        },
      );
    } catch {
      this.#shown = ""; // they come with the next look
    }
  }
}

customElements.define("ink-weights", InkWeights);
customElements.define("ink-layer-figures", InkLayerFigures);
customElements.define("ink-wrong", InkWrong);
