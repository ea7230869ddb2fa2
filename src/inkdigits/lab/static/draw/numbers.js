/* The numbers of a picture in their lines, of which each digit can be chosen; and their boxes. */

import { button, explained, made, put } from "../dom.js";
import { moveStop, withArrows } from "../look/arrows.js";
import { words } from "../words.js";

const say = words.draw;
const UNSURE = "?";

/** @param {Reading} reading */
const digitsOf = ({ numbers }) => numbers.flatMap(({ digits }) => digits);

/** @param {string} kind @param {Bounds} box @param {number[]} size of the picture under it */
export function outline(kind, box, size) {
  const element = made("div", { className: kind });
  /** @type {const} */ (["left", "top", "width", "height"]).forEach((side, n) => {
    element.style[side] = `${(100 * box[n]) / size[n % 2]}%`;
  });
  return element;
}

/** `chose` is told which digit is chosen, in the text or in the picture. */
export class InkNumbers extends HTMLElement {
  #lines = made("div.lines", { role: "listbox", "aria-label": say.numbers });
  #told = made("p.note", { role: "status" });
  /** @type {Reading | null} */
  #reading = null;
  /** @type {HTMLElement[]} */
  #options = [];
  /** @type {HTMLElement[]} */
  #boxes = [];
  #chosen = -1;

  /** @param {(digit: ReadDigit) => void} chose */
  constructor(chose) {
    super();
    this.chose = chose;
    withArrows(explained(this.#lines, say.numbersHelp));
    this.#lines.addEventListener("focusin", ({ target }) =>
      this.#choose(this.#options.findIndex((option) => option === target)),
    );
    const copy = button(say.copy, async () => {
      await navigator.clipboard.writeText(this.text);
      put(this.#told, say.copied);
    });
    const save = button(say.csv, () => this.#save());
    const tools = made("div.tools", copy, save, this.#told);
    this.append(made("h2", say.numbers), this.#lines, tools);
    this.show(null);
  }

  /** The numbers of a line joined by a space, a line for each of writing. */
  get text() {
    return this.#reading?.rows.map((row) => row.filter(Boolean).join(" ")).join("\n") ?? "";
  }

  /** @param {Reading | null} reading shown if it has several digits */
  show(reading) {
    const page = reading && digitsOf(reading).length > 1 ? reading : null;
    this.hidden = !page;
    this.#reading = page;
    this.#options = [];
    this.#boxes = [];
    this.#chosen = -1;
    put(this.#told);
    /** @type {HTMLElement[]} */
    const lines = [];
    for (const number of page?.numbers ?? []) {
      (lines[number.line] ??= made("div")).append(this.#group(number));
    }
    put(this.#lines, lines);
  }

  /** @param {NumberRead} number */
  #group({ text, confidence, digits }) {
    let place = 0;
    const signs = [...text].map((sign) => {
      const read = /[\d?]/.test(sign) && digits[place++];
      if (!read) return sign;
      const name = say.digitOf(sign, read.digit, read.probability);
      const option = made("span", { role: "option", tabIndex: -1, "aria-label": name }, sign);
      this.#options.push(option);
      return option;
    });
    const sure = words.share(confidence, 0);
    const note = made("span.note", { "aria-hidden": "true" }, sure);
    return made("div", { role: "group", "aria-label": `${text}: ${sure}` }, signs, note);
  }

  /** The boxes of numbers and digits, to lie over the picture. */
  boxes() {
    if (!this.#reading) return;
    const { numbers, size } = this.#reading;
    this.#boxes = digitsOf(this.#reading).map(({ box }, n) =>
      outline(this.#options[n].textContent === UNSURE ? "digit unsure" : "digit", box, size),
    );
    // A finger is broader than a digit may be: the nearest one is meant.
    const onclick = (/** @type {MouseEvent} */ { clientX, clientY }) => {
      const far = this.#boxes.map((box) => {
        const { x, y, width, height } = box.getBoundingClientRect();
        return Math.hypot(x + width / 2 - clientX, y + height / 2 - clientY);
      });
      this.#options[far.indexOf(Math.min(...far))].focus({ preventScroll: true });
    };
    const around = numbers.map(({ box }) => outline("number", box, size));
    return made("div.boxes", { onclick }, around, this.#boxes);
  }

  /** Chooses the first digit that is not sure; the first where all are. */
  begin() {
    const unsure = this.#options.findIndex((option) => option.textContent === UNSURE);
    this.#choose(Math.max(0, unsure));
  }

  /** @param {number} place */
  #choose(place) {
    const digit = this.#reading && digitsOf(this.#reading)[place];
    if (!digit || place === this.#chosen) return;
    this.#mark(false);
    this.#chosen = place;
    this.#mark(true);
    moveStop(this.#lines, this.#options[place]);
    this.chose(digit);
  }

  /** @param {boolean} chosen */
  #mark(chosen) {
    this.#options[this.#chosen]?.setAttribute("aria-selected", String(chosen));
    this.#boxes[this.#chosen]?.classList.toggle("chosen", chosen);
  }

  /** As RFC 4180 has it. */
  #save() {
    const cell = (/** @type {string} */ text) => (text.includes(",") ? `"${text}"` : text);
    const lines = this.#reading?.rows.map((row) => `${row.map(cell)}\r\n`);
    const href = URL.createObjectURL(new Blob(lines));
    made("a", { href, download: "numbers.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000); // when it is fetched
  }
}

customElements.define("ink-numbers", InkNumbers);
