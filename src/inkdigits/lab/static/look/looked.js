/* Which digit is looked at: the latest drawing, one of MNIST, or one that a network imagines. */

import { bytesOf, images, labelOf } from "../api.js";
import { button, field, freshId, made, put } from "../dom.js";
import { InkGlyph } from "../elements.js";
import { state } from "../state.js";
import { words } from "../words.js";

export const SEEN = "mnist:validation";
const AMONG = 10000; // digits there

/**
 * What was chosen. `glyph` holds the pixels of an imagined digit; `beside` is the drawing that
 * there was at that moment: a newer one takes its place.
 *
 * @typedef {{ data: string, index: number, glyph?: string, beside: string }} Looked
 */

/** @returns {Looked} */
export function looked() {
  const drawn = state.get("glyph", "") ?? "";
  const chosen = state.get("looked", /** @type {Looked | null} */ (null));
  if (drawn && (!chosen || chosen.beside !== drawn || chosen.data === "drawing")) {
    return { data: "drawing", index: 0, beside: drawn };
  }
  if (chosen && chosen.data !== "drawing") return chosen;
  return { data: SEEN, index: 0, beside: "" };
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

/**
 * The pixels of what is looked at, and its label where it has one.
 *
 * @returns {Promise<{ glyph: Uint8Array, label: number | null, name: string }>}
 */
export async function picture() {
  const { data, index, glyph, beside } = looked();
  if (data === "drawing") return { glyph: bytesOf(beside), label: null, name: words.look.drawing };
  if (glyph) {
    return { glyph: bytesOf(glyph), label: null, name: words.look.imaginedDigit(index) };
  }
  const [found] = await images(data, [index]);
  const label = labelOf(data, index);
  return { glyph: found, label, name: words.look.digitNamed(index, label) };
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
    step: "1",
    inputMode: "numeric",
    onchange: () => this.#step(0),
  });

  connectedCallback() {
    if (this.#glyph.parentNode) return;
    const heading = made("h2", { id: freshId(), tabIndex: -1 }, words.look.digit);
    this.append(
      this.#glyph,
      made(
        "div",
        { className: "choice", role: "group", "aria-labelledby": heading.id },
        heading,
        this.#says,
        made(
          "div",
          { className: "tools" },
          this.#drawing,
          made(
            "div",
            { className: "tools" },
            field(words.look.numberLabel, this.#number, words.look.numberHelp),
            button(words.look.previous, () => this.#step(-1), words.look.previousHelp),
            button(words.look.next, () => this.#step(1), words.look.nextHelp),
            button(words.look.random, () => this.#step(null), words.look.randomHelp),
          ),
        ),
      ),
    );
  }

  /** @param {number | null} by null for any digit */
  #step(by) {
    const asked = Math.round(Number(this.#number.value)) || 0;
    const index = by === null ? Math.floor(Math.random() * AMONG) : asked + by;
    lookAt(SEEN, Math.min(AMONG - 1, Math.max(0, index)));
  }

  /**
   * @param {Uint8Array} glyph
   * @param {string} name
   */
  show(glyph, name) {
    const { data, index } = looked();
    this.#glyph.show(glyph, name);
    this.#drawing.disabled = !state.get("glyph", "");
    this.#drawing.setAttribute("aria-pressed", String(data === "drawing"));
    if (data === SEEN) this.#number.value = String(index);
    else if (!this.#number.value) this.#number.value = "0";
  }

  /** @param {string} sentence what it is and how it is read */
  say(sentence) {
    put(this.#says, sentence);
  }

  /** Comes into sight, with the focus. */
  reach() {
    const heading = this.querySelector("h2");
    this.scrollIntoView({ block: "start" });
    heading?.focus({ preventScroll: true });
  }
}

customElements.define("ink-looked", InkLooked);
