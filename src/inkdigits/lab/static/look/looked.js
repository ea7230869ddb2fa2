/* Which digit is looked at: the latest drawing, one of MNIST, or one that a network imagines. */

import { bytesOf, images, labelOf } from "../api.js";
import { button, explained, field, freshId, made, put } from "../dom.js";
import { InkGlyph, gallery } from "../elements.js";
import { reach } from "./parts.js";
import { state } from "../state.js";
import { words } from "../words.js";

const SEEN = "mnist:validation";
const AMONG = 10000; // digits there

/**
 * What was chosen. `glyph` holds the pixels of what is in no data set; `beside` is the drawing that
 * there was at that moment: a newer one takes its place.
 *
 * @typedef {{ data: string, index: number, glyph?: string, beside: string }} Looked
 */

/** @returns {Looked} */
function looked() {
  const drawn = state.get("glyph", "") ?? "";
  const chosen = state.get("looked", /** @type {Looked | null} */ (null));
  const newer = drawn && chosen?.beside !== drawn;
  if (chosen && chosen.data !== "drawing" && !newer) return chosen;
  return { data: drawn ? "drawing" : SEEN, index: 0, beside: drawn, glyph: drawn };
}

/**
 * Chooses what is looked at; the view hears of it as the event "looked".
 *
 * @param {string} data "drawing", "imagined", or a data set
 * @param {number} [index]
 * @param {string} [glyph] base64 of 784 bytes, of an imagined digit
 */
export function lookAt(data, index = 0, glyph) {
  state.set("looked", { data, index, glyph, beside: state.get("glyph", "") ?? "" });
}

/** @param {Parameters<typeof lookAt>} chosen what is looked at, and gone to */
export function goLookAt(...chosen) {
  lookAt(...chosen);
  reach(/** @type {Element} */ (document.querySelector("ink-looked")));
}

/**
 * Digits of a data set to choose from.
 *
 * @param {string} data
 * @param {number[]} indices
 * @param {string[]} captions
 * @param {typeof lookAt} act what is done with the chosen one
 */
export async function choice(data, indices, captions, act) {
  const glyphs = await images(data, indices);
  const items = indices.map((index, n) => ({
    glyph: glyphs[n],
    caption: captions[n],
    name: words.look.digitNamed(index, labelOf(data, index)),
    act: () => act(data, index),
  }));
  return explained(gallery(items), words.look.chooseHelp);
}

/** The pixels of what is looked at, and its label where it has one. */
export async function picture() {
  const { data, index, glyph } = looked();
  const pixels = glyph ? bytesOf(glyph) : (await images(data, [index]))[0];
  const label = labelOf(data, index);
  const name =
    data === "drawing"
      ? words.look.drawing
      : glyph
        ? words.look.imaginedDigit(index)
        : words.look.digitNamed(index, label);
  return { glyph: pixels, label, name };
}

/** The chooser: the digit as large as it deserves, and the ways to another one. */
export class InkLooked extends HTMLElement {
  #glyph = new InkGlyph();
  #says = made("p", { className: "says" });
  #drawing = button(words.look.drawing, () => lookAt("drawing"), words.look.drawingHelp);
  #number = made("input", {
    type: "number",
    min: "0",
    max: String(AMONG - 1),
    value: "0",
    inputMode: "numeric",
    onchange: () => this.#step(0),
  });

  constructor() {
    super();
    const heading = made("h2", { id: freshId(), tabIndex: -1 }, words.look.digit);
    const ways = made(
      "div",
      { className: "tools" },
      field(words.look.numberLabel, this.#number, words.look.numberHelp),
      button(words.look.previous, () => this.#step(-1), words.look.previousHelp),
      button(words.look.next, () => this.#step(1), words.look.nextHelp),
      button(words.look.random, () => this.#step(null), words.look.randomHelp),
    );
    this.append(
      this.#glyph,
      made(
        "div",
        { className: "choice", role: "group", "aria-labelledby": heading.id },
        heading,
        this.#says,
        made("div", { className: "tools" }, this.#drawing, ways),
      ),
    );
  }

  /** @param {number | null} by null for any digit */
  #step(by) {
    const asked = Math.round(Number(this.#number.value)) || 0;
    const index = by === null ? Math.floor(Math.random() * AMONG) : asked + by;
    lookAt(SEEN, Math.min(AMONG - 1, Math.max(0, index)));
  }

  /** @param {Uint8Array} glyph @param {string} name */
  show(glyph, name) {
    const { data, index } = looked();
    this.#glyph.show(glyph, name);
    this.#drawing.disabled = !state.get("glyph", "");
    this.#drawing.setAttribute("aria-pressed", String(data === "drawing"));
    if (data === SEEN) this.#number.value = String(index);
  }

  /** @param {string} sentence what it is and how it is read */
  say(sentence) {
    put(this.#says, sentence);
  }
}

customElements.define("ink-looked", InkLooked);
