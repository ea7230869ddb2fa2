/* What excites a unit most: the digits in which it takes its highest values, and where. */

import { get, withQuery } from "../api.js";
import { made, put } from "../dom.js";
import { field } from "./geometry.js";
import { frame } from "./heat.js";
import { choice, lookAt } from "./looked.js";
import { Part, codeLine } from "./parts.js";
import { look as say } from "../words.js";

const COUNT = 12;

/** @extends {Part<Opened>} */
export class InkExciting extends Part {
  #note = made("p.note");
  #pictures = made("div");
  #shown = "";

  constructor() {
    super();
    this.append(
      made("h3", say.exciting),
      this.#note,
      this.status,
      this.#pictures,
      codeLine("inspection/exciting.py: exciting"),
    );
  }

  /** @param {Opened} opened */
  open(opened) {
    const which = [opened.fingerprint, opened.layer, opened.unit].join();
    if (which === this.#shown) return; // only the digit is another one
    this.#shown = which;
    put(this.#pictures);
    this.show(opened);
  }

  /** @param {Opened} opened @param {AbortSignal} signal */
  async load({ model, layers, layer, unit }, signal) {
    const query = withQuery("/api/lab/look/exciting", { model, layer, unit, count: COUNT });
    /** @type {Exciting} */
    const { data, indices, values, places } = await get(query, { signal });
    const digits = indices.map((index, n) => ({ index, caption: say.number(values[n]) }));
    const list = await choice(data, digits, lookAt);
    if (signal.aborted) return;
    put(this.#note, say.excitingNote(places !== null));
    list.querySelectorAll("ink-glyph").forEach((glyph, n) => {
      frame(glyph, places && field(layers, layer, unit, places[n]), 28, 28);
    });
    put(this.#pictures, list);
  }
}

customElements.define("ink-exciting", InkExciting);
