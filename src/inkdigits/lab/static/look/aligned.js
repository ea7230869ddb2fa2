/* The sum of a unit that weighs a whole picture, as three pictures of which one pixel is named. */

import { explained, made, put } from "../dom.js";
import { InkHeat, largest, repainted } from "./heat.js";
import { ordered, productsOf, says, sign } from "./sums.js";
import { words } from "../words.js";

/** @typedef {import("./sums.js").Sum} Sum */

/** What comes in, the weights and the products, side by side. */
export class InkPictures extends HTMLElement {
  #heats = [new InkHeat(), new InkHeat(), new InkHeat()];
  #readout = made("p", { className: "readout" });
  /** @type {Sum | null} */
  #sum = null;

  connectedCallback() {
    if (this.#readout.parentNode) return;
    for (const heat of this.#heats) {
      heat.follows = true;
      heat.onaim = (index) => this.#light(index);
      heat.says = (index) => (this.#sum ? says(this.#sum, index) : "");
    }
    const [x, w, products] = this.#heats.map((heat, kind) =>
      made(
        "div",
        {},
        made("p", { className: "note" }, words.look.triple[kind]),
        explained(heat, words.look.aimHelp),
      ),
    );
    this.append(
      made("div", { className: "triple pictures" }, x, sign("×"), w, sign("="), products),
      this.#readout,
    );
    repainted(() => this.#heats.forEach((heat) => heat.paint()));
  }

  /** @param {Sum} sum */
  show(sum) {
    this.#sum = sum;
    const [height, width] = sum.shape;
    const products = productsOf(sum);
    [sum.x, sum.w, products].forEach((values, kind) => {
      this.#heats[kind].show(values, height, width, largest(values), words.look.triple[kind]);
    });
    this.#light(ordered(products)[0]);
  }

  /** @param {number} index */
  #light(index) {
    for (const heat of this.#heats) heat.aim(index);
    if (this.#sum) put(this.#readout, says(this.#sum, index));
  }
}

customElements.define("ink-pictures", InkPictures);
