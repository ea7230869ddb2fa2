/* Which digit is looked at: the latest drawing, one of MNIST, or one that a network imagines. */

import { bytesOf, images, labelOf } from "../api.js";
import { button, explained, field, freshId, made, put } from "../dom.js";
import { InkGlyph, gallery } from "../elements.js";
import { reach } from "./parts.js";
import { state } from "../state.js";
import { look as say } from "../words.js";

const SEEN = "mnist:validation";
const AMONG = 10000; // digits there

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
 * @param {Captioned[]} digits
 * @param {typeof lookAt} act what is done with the chosen one
 */
export async function choice(data, digits, act) {
  const glyphs = await images(data, digits.map(({ index }) => index));
  const items = digits.map(({ index, caption }, n) => ({
    glyph: glyphs[n],
    caption,
    name: say.digitNamed(index, labelOf(data, index)),
    act: () => act(data, index),
  }));
  return explained(gallery(items), say.chooseHelp);
}

/** The pixels of what is looked at, and its label where it has one. */
export async function picture() {
  const { data, index, glyph } = looked();
  const pixels = glyph ? bytesOf(glyph) : (await images(data, [index]))[0];
  const label = labelOf(data, index);
  const name =
    data === "drawing"
      ? say.drawing[0]
      : glyph
        ? say.imaginedDigit(index)
        : say.digitNamed(index, label);
  return { glyph: pixels, label, name };
}

/** The chooser: the digit as large as it deserves, and the ways to another one. */
export class InkLooked extends HTMLElement {
  #glyph = new InkGlyph();
  #says = made("p.says");
  #drawing = button(say.drawing, () => lookAt("drawing"));
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
    const heading = made("h2", { id: freshId(), tabIndex: -1 }, say.digit);
    const ways = made(
      "div.tools",
      field(say.numberLabel, this.#number),
      button(say.previous, () => this.#step(-1)),
      button(say.next, () => this.#step(1)),
      button(say.random, () => this.#step(null)),
    );
    this.append(
      this.#glyph,
      made(
        "div.choice",
        { role: "group", "aria-labelledby": heading.id },
        heading,
        this.#says,
        made("div.tools", this.#drawing, ways),
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
