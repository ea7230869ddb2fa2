/* Numbers as colours: below zero one colour, above it another, zero the paper itself. */

import { made } from "../dom.js";
import { words } from "../words.js";

/** @typedef {[number, number, number]} Colour */

/**
 * A token of the style sheet as red, green and blue.
 *
 * @param {string} name
 * @returns {Colour}
 */
function token(name) {
  const context = /** @type {CanvasRenderingContext2D} */ (made("canvas").getContext("2d"));
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const hex = String(context.fillStyle); // always #rrggbb for opaque colours
  const part = (/** @type {number} */ n) => parseInt(hex.slice(n, n + 2), 16);
  return [part(1), part(3), part(5)];
}

/** @type {{ negative: Colour, paper: Colour, positive: Colour } | null} */
let colours = null;

const palette = () =>
  (colours ??= {
    negative: token("--negative"),
    paper: token("--paper"),
    positive: token("--positive"),
  });

/** @type {Set<() => void>} */
const painters = new Set();

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colours = null;
  for (const paint of painters) paint();
});

/**
 * Names who paints again when the page turns light or dark. Once for each part of the page.
 *
 * @param {() => void} paint
 */
export function repainted(paint) {
  painters.add(paint);
}

/**
 * Paints numbers, a pixel each: `most` and what is beyond it has the full colour.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values row by row
 * @param {number} height
 * @param {number} width
 * @param {number} most
 */
export function paint(canvas, values, height, width, most) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) return;
  const { negative, paper, positive } = palette();
  const picture = context.createImageData(width, height);
  for (let n = 0; n < height * width; n++) {
    const colour = values[n] < 0 ? negative : positive;
    const share = strength(values[n], most);
    for (let c = 0; c < 3; c++) {
      picture.data[4 * n + c] = paper[c] + share * (colour[c] - paper[c]);
    }
    picture.data[4 * n + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}

/**
 * How strong a number's colour is, 0 to 1.
 *
 * @param {number} value
 * @param {number} most
 */
export const strength = (value, most) => (most > 0 ? Math.min(1, Math.abs(value) / most) : 0);

/**
 * Gives an element the colour of a number, by the style sheet's `.heat`; it follows the theme.
 *
 * @param {HTMLElement} element
 * @param {number} value
 * @param {number} most
 */
export function tint(element, value, most) {
  element.classList.add("heat");
  element.classList.toggle("below", value < 0);
  element.style.setProperty("--strength", strength(value, most).toFixed(3));
}

/**
 * The largest size among numbers.
 *
 * @param {ArrayLike<number>} values
 */
export function largest(values) {
  let most = 0;
  for (let n = 0; n < values.length; n++) most = Math.max(most, Math.abs(values[n]));
  return most;
}

/** The colours from the lowest to the highest value, with both named. */
export class InkScale extends HTMLElement {
  #low = made("span");
  #ramp = made("i", { "aria-hidden": "true" });
  #high = made("span");

  connectedCallback() {
    if (!this.#low.parentNode) this.append(this.#low, this.#ramp, this.#high);
  }

  /**
   * @param {number} low
   * @param {number} high
   */
  show(low, high) {
    const most = Math.max(Math.abs(low), Math.abs(high));
    this.#low.textContent = words.look.number(low);
    this.#high.textContent = words.look.number(high);
    const zero = high > low ? Math.min(1, Math.max(0, -low / (high - low))) : 0;
    this.#ramp.style.setProperty("--low", strength(Math.min(low, 0), most).toFixed(3));
    this.#ramp.style.setProperty("--high", strength(Math.max(high, 0), most).toFixed(3));
    this.#ramp.style.setProperty("--zero", `${(100 * zero).toFixed(1)}%`);
    this.title = words.look.scale(words.look.number(low), words.look.number(high));
  }
}

/**
 * A picture of numbers, in which a place can be aimed at: by a click, by arrow keys, and, where
 * `follows` is set, by the pointer passing over it. To screen readers it is a slider, which says
 * the place that it is at.
 */
export class InkHeat extends HTMLElement {
  #canvas = made("canvas");
  #mark = made("span", { className: "mark", hidden: true });
  /** @type {ArrayLike<number>} */
  #values = [];
  #height = 1;
  #width = 1;
  #most = 0;
  #at = -1;
  follows = false;
  /** @type {((index: number) => void) | null} */
  onaim = null;
  /** @type {(index: number) => string} */
  says = () => "";

  constructor() {
    super();
    this.addEventListener("click", (event) => this.onaim && this.aim(this.#under(event), true));
    this.addEventListener("pointermove", (event) => {
      if (!this.follows || !this.onaim) return;
      const index = this.#under(event);
      if (index !== this.#at) this.aim(index, true);
    });
    this.addEventListener("keydown", (event) => this.#key(event));
  }

  connectedCallback() {
    if (!this.#canvas.parentNode) this.append(this.#canvas, this.#mark);
  }

  /**
   * @param {ArrayLike<number>} values row by row
   * @param {number} height
   * @param {number} width
   * @param {number} most the size of number that has the full colour
   * @param {string} name
   */
  show(values, height, width, most, name) {
    [this.#values, this.#height, this.#width, this.#most] = [values, height, width, most];
    this.style.aspectRatio = `${width} / ${height}`;
    this.setAttribute("aria-label", name);
    this.setAttribute("role", this.onaim ? "slider" : "img");
    if (this.onaim) {
      this.tabIndex = 0;
      this.setAttribute("aria-valuemin", "0");
      this.setAttribute("aria-valuemax", String(height * width - 1));
    }
    this.paint();
  }

  paint() {
    if (this.#values.length) {
      paint(this.#canvas, this.#values, this.#height, this.#width, this.#most);
    }
  }

  /**
   * Puts the mark at a place; −1 takes it away.
   *
   * @param {number} index
   * @param {boolean} [tell] whether `onaim` is told
   */
  aim(index, tell = false) {
    this.#at = index;
    this.#mark.hidden = index < 0;
    if (index < 0) return;
    frame(this.#mark, place(index, this.#width), this.#height, this.#width);
    if (this.onaim) {
      this.setAttribute("aria-valuenow", String(index));
      this.setAttribute("aria-valuetext", this.says(index));
    }
    if (tell) this.onaim?.(index);
  }

  /** @param {MouseEvent} event */
  #under(event) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    const clamped = (/** @type {number} */ share, /** @type {number} */ count) =>
      Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    const row = clamped((event.clientY - top) / height, this.#height);
    return row * this.#width + clamped((event.clientX - left) / width, this.#width);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.onaim || event.altKey || event.ctrlKey || event.metaKey) return;
    const [row, column] = [Math.floor(this.#at / this.#width), this.#at % this.#width];
    const [below, right] = [this.#height - 1, this.#width - 1];
    /** @type {Record<string, [number, number]>} */
    const moves = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [row, 0],
      End: [row, right],
      PageUp: [0, column],
      PageDown: [below, column],
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const [down, across] = moves[event.key];
    if (down < 0 || down > below || across < 0 || across > right) return;
    this.aim(down * this.#width + across, true);
  }
}

/**
 * @param {number} index
 * @param {number} width
 * @returns {[number, number, number, number]} top, left, bottom, right, all of them inside
 */
const place = (index, width) => {
  const [row, column] = [Math.floor(index / width), index % width];
  return [row, column, row, column];
};

/**
 * Lays a frame over a part of a picture.
 *
 * @param {HTMLElement} mark
 * @param {[number, number, number, number]} box top, left, bottom, right, all of them inside
 * @param {number} height
 * @param {number} width
 */
export function frame(mark, [top, left, bottom, right], height, width) {
  mark.style.top = `${(100 * top) / height}%`;
  mark.style.left = `${(100 * left) / width}%`;
  mark.style.height = `${(100 * (bottom - top + 1)) / height}%`;
  mark.style.width = `${(100 * (right - left + 1)) / width}%`;
}

customElements.define("ink-scale", InkScale);
customElements.define("ink-heat", InkHeat);
