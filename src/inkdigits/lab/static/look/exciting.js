/* What excites a unit most: the digits in which it takes its highest values, and where. */

import { get, images, labelOf, withQuery } from "../api.js";
import { explained, made, put } from "../dom.js";
import { InkGlyph } from "../elements.js";
import { field } from "./geometry.js";
import { frame } from "./heat.js";
import { lookAt } from "./looked.js";
import { WhenSeen } from "./seen.js";
import { words } from "../words.js";

/** @typedef {{ model: string, layer: number, unit: number }} Unit */
/**
 * @typedef {{
 *   data: string,
 *   indices: number[],
 *   values: number[],
 *   places: [number, number][] | null,
 * }} Found
 */

const COUNT = 12;

export class InkExciting extends HTMLElement {
  #list = made("ul", { className: "gallery" });
  #note = made("p", { className: "note" });
  /** @type {Unit | null} */
  #unit = null;
  /** @type {import("../types").LayerInfo[]} */
  #layers = [];
  #seen = new WhenSeen(this, (signal) => this.#load(signal));

  connectedCallback() {
    if (this.#list.parentNode) return;
    this.append(
      made("h3", {}, words.look.exciting),
      this.#note,
      this.#seen.status,
      explained(this.#list, words.look.excitingHelp),
      made("p", { className: "note" }, made("code", {}, words.look.excitingCode)),
    );
  }

  /**
   * @param {Unit} unit
   * @param {import("../types").LayerInfo[]} layers
   * @param {boolean} again whether it is asked for even if it is the same unit
   */
  show(unit, layers, again) {
    this.#layers = layers;
    const same = JSON.stringify(unit) === JSON.stringify(this.#unit);
    if (same && !again) return;
    this.#unit = unit;
    if (!same) put(this.#list);
    this.#seen.changed();
  }

  /** @param {AbortSignal} signal */
  async #load(signal) {
    if (!this.#unit) return;
    const { model, layer, unit } = this.#unit;
    /** @type {Found} */
    const found = await get(
      withQuery("/api/lab/look/exciting", { model, layer, unit, count: COUNT }),
      { signal },
    );
    const glyphs = await images(found.data, found.indices);
    if (signal.aborted) return;
    put(this.#note, words.look.excitingNote(found.places !== null));
    put(
      this.#list,
      found.indices.map((index, n) => {
        const glyph = new InkGlyph();
        const name = words.look.digitNamed(index, labelOf(found.data, index));
        glyph.show(glyphs[n], name);
        const mark = made("span", { className: "mark" });
        if (found.places) {
          frame(mark, field(this.#layers, layer, unit, found.places[n]), 28, 28);
        }
        return made(
          "li",
          {},
          made(
            "button",
            { type: "button", onclick: () => lookAt(found.data, index) },
            made("span", { className: "framed" }, glyph, found.places && mark),
            made("span", { className: "caption" }, words.look.number(found.values[n])),
          ),
        );
      }),
    );
  }
}

customElements.define("ink-exciting", InkExciting);
