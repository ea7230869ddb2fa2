/* The sum of a unit that weighs a whole picture, as three pictures of which one pixel is named. */

import { explained, made, put } from "../dom.js";
import { InkHeat } from "./heat.js";
import { equation, ordered, says } from "./sums.js";
import { look as say } from "../words.js";

/** What comes in, the weights and the products, side by side. */
export class InkPictures extends HTMLElement {
  #heats = say.triple.map(() => explained(new InkHeat(), say.aimHelp));
  #readout = made("p.readout");

  constructor() {
    super();
    const named = this.#heats.map((heat, kind) =>
      made("div", made("p.note", say.triple[kind]), heat),
    );
    this.append(equation(named), this.#readout);
  }

  /** @param {Sum} sum */
  show(sum) {
    const aimed = (/** @type {number} */ index) => {
      for (const heat of this.#heats) heat.mark(index);
      put(this.#readout, says(sum, index));
    };
    const aim = { aimed, says: (/** @type {number} */ index) => says(sum, index), follows: true };
    [sum.x, sum.w, sum.products].forEach((values, kind) => {
      this.#heats[kind].show(values, sum.shape, say.triple[kind], aim);
    });
    aimed(ordered(sum.products)[0]);
  }
}

customElements.define("ink-pictures", InkPictures);
