/* What excites a unit most: the digits in which it takes its highest values, and where. */

import { get, withQuery } from "../api.js";
import { made, put } from "../dom.js";
import { field } from "./geometry.js";
import { frame } from "./heat.js";
import { choice, lookAt } from "./looked.js";
import { Part, codeLine } from "./parts.js";
import { words } from "../words.js";

/** @typedef {import("./arithmetic.js").Opened} Opened */
/** @typedef {[number, number][] | null} Places rows and columns; null where units have none */
/** @typedef {{ data: string, indices: number[], values: number[], places: Places }} Found */

const COUNT = 12;

/** @extends {Part<Opened>} */
export class InkExciting extends Part {
  #note = made("p", { className: "note" });
  #pictures = made("div");
  #shown = "";

  constructor() {
    super();
    this.append(
      made("h3", {}, words.look.exciting),
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
    /** @type {Found} */
    const { data, indices, values, places } = await get(query, { signal });
    const list = await choice(data, indices, values.map(words.look.number), lookAt);
    if (signal.aborted) return;
    put(this.#note, words.look.excitingNote(places !== null));
    list.querySelectorAll("ink-glyph").forEach((glyph, n) => {
      frame(glyph, places && field(layers, layer, unit, places[n]), 28, 28);
    });
    put(this.#pictures, list);
  }
}

customElements.define("ink-exciting", InkExciting);
