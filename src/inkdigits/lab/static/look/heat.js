/* Numbers as colours: below zero one colour, above it another, the stronger the further from it. */

import { modified } from "./arrows.js";
import { made } from "../dom.js";
import { placeOf } from "./geometry.js";

/** @type {number[][] | null} red, green and blue below zero, and above it */
let colours = null;

/** @param {string} name of a token of the style sheet, which is written #rrggbb */
const token = (name) => {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((n) => parseInt(hex.slice(n, n + 2), 16));
};

/** @type {WeakMap<HTMLCanvasElement, () => void>} what paints each canvas again */
const painters = new WeakMap();

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colours = null;
  for (const canvas of document.querySelectorAll("canvas")) painters.get(canvas)?.();
});

/** @param {number} value @param {number} most */
const strength = (value, most) => (most > 0 ? Math.min(1, Math.abs(value) / most) : 0);

/**
 * Paints numbers, a pixel each; zero lets the paper through, `most` has the full colour.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values row by row
 * @param {number} height
 * @param {number} width
 * @param {number} most
 */
export function paint(canvas, values, height, width, most) {
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  if (!context) return;
  const [below, above] = (colours ??= [token("--negative"), token("--positive")]);
  const picture = context.createImageData(width, height);
  for (let n = 0; n < height * width; n++) {
    const [red, green, blue] = values[n] < 0 ? below : above;
    picture.data.set([red, green, blue, 255 * strength(values[n], most)], 4 * n);
  }
  context.putImageData(picture, 0, 0);
  painters.set(canvas, () => paint(canvas, values, height, width, most));
}

/**
 * Gives an element the colour of a number, by the style sheet's `.heat`.
 *
 * @type {(element: HTMLElement, value: number, most: number) => void}
 */
export function tint(element, value, most) {
  element.classList.add("heat");
  element.classList.toggle("below", value < 0);
  element.style.setProperty("--strength", strength(value, most).toFixed(3));
}

/** @type {(values: number[] | Float32Array | Float64Array) => number} the largest size */
export const largest = (values) => Math.max(...Array.from(values, Math.abs));

/**
 * Lays a frame over a part of a picture; null takes it away.
 *
 * @type {(picture: Element, box: Box | null, height: number, width: number) => void}
 */
export function frame(picture, box, height, width) {
  /** @type {HTMLElement} */
  const mark = picture.querySelector(".mark") ?? picture.appendChild(made("span.mark"));
  mark.hidden = !box;
  const [top, left, bottom, right] = box ?? [0, 0, 0, 0];
  mark.style.top = `${(100 * top) / height}%`;
  mark.style.left = `${(100 * left) / width}%`;
  mark.style.height = `${(100 * (bottom - top + 1)) / height}%`;
  mark.style.width = `${(100 * (right - left + 1)) / width}%`;
}

/** @type {Record<string, [number, number]>} rows down and columns across */
const STEPS = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -Infinity],
  End: [0, Infinity],
  PageUp: [-Infinity, 0],
  PageDown: [Infinity, 0],
};

/**
 * A picture of numbers. Where places in it can be aimed at, by the pointer or by arrow keys, it is
 * a slider to screen readers, which says the place that it is at.
 */
export class InkHeat extends HTMLElement {
  #canvas = made("canvas");
  #height = 1;
  #width = 1;
  #at = 0;
  /** @type {Aim | null} */
  #aim = null;

  constructor() {
    super();
    this.append(this.#canvas);
    this.addEventListener("click", (event) => this.#point(event));
    this.addEventListener("pointermove", (event) => this.#aim?.follows && this.#point(event));
    this.addEventListener("keydown", (event) => {
      if (!(event.key in STEPS) || modified(event)) return;
      event.preventDefault();
      const [row, column] = placeOf(this.#at, this.#width);
      const [down, across] = STEPS[event.key];
      this.#choose(row + down, column + across);
    });
  }

  /**
   * @param {Float32Array | Float64Array} values row by row
   * @param {number[]} sides height and width
   * @param {string} name
   * @param {Aim | null} [aim]
   * @param {number} [most] the size of number that has the full colour
   */
  show(values, sides, name, aim = null, most = largest(values)) {
    const [height, width] = sides;
    [this.#height, this.#width, this.#aim] = [height, width, aim];
    paint(this.#canvas, values, height, width, most);
    this.style.aspectRatio = `${width} / ${height}`;
    this.setAttribute("aria-label", name);
    this.setAttribute("role", aim ? "slider" : "img");
    if (!aim) return;
    this.tabIndex = 0;
    this.setAttribute("aria-valuemin", "0");
    this.setAttribute("aria-valuemax", String(height * width - 1));
  }

  /** @param {number} index where the mark is put; nobody is told */
  mark(index) {
    this.#at = index;
    const place = placeOf(index, this.#width);
    frame(this, [...place, ...place], this.#height, this.#width);
    this.setAttribute("aria-valuenow", String(index));
    this.setAttribute("aria-valuetext", this.#aim?.says(index) ?? "");
  }

  /** @param {MouseEvent} event */
  #point({ clientX, clientY }) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    const row = Math.floor(((clientY - top) / height) * this.#height);
    this.#choose(row, Math.floor(((clientX - left) / width) * this.#width));
  }

  /** @param {number} row @param {number} column where it is outside, the edge is taken */
  #choose(row, column) {
    const inside = (/** @type {number} */ n, /** @type {number} */ count) =>
      Math.min(count - 1, Math.max(0, n));
    const index = inside(row, this.#height) * this.#width + inside(column, this.#width);
    if (!this.#aim || index === this.#at) return;
    this.mark(index);
    this.#aim.aimed(index);
  }
}

customElements.define("ink-heat", InkHeat);
