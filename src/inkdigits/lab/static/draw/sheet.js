/* The sheet: the exported page's board with its tools, a drawing that is kept, and its ink as a
   picture for the reader. */

import { button, explained, field, made, speak } from "../dom.js";
import { state } from "../state.js";
import { draw as say } from "../words.js";

const BRUSH = 20; // of the sheet's 280, as wide as MNIST's pens are to their digits
const MOST_POINTS = 3000; // that are kept: 40 kB, which a page may still send while it closes
const KEYS = "board-keys"; // the id of what says how to draw with the keyboard
const HEADER = 14 + 40 + 4 * 256; // bytes of a bitmap before its pixels

/**
 * Ink as a picture file: a bitmap of 256 greys, black on white, its highest row first.
 *
 * A bitmap, and by hand: a canvas may take its time to make a PNG, and some browsers alter it.
 *
 * @param {{ height: number, width: number, values: Uint8Array }} ink its width a multiple of 4
 */
function bitmapOf({ height, width, values }) {
  const file = new Uint8Array(HEADER + values.length);
  const view = new DataView(file.buffer);
  view.setUint16(0, 0x424d); // "BM"
  view.setUint32(2, file.length, true);
  view.setUint32(10, HEADER, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, -height, true); // below 0: the highest row first
  view.setUint16(26, 1, true);
  view.setUint16(28, 8, true);
  view.setUint32(46, 256, true);
  for (let level = 0; level < 256; level++) {
    view.setUint32(54 + 4 * level, (255 - level) * 0x010101, true);
  }
  file.set(values, HEADER);
  return file;
}

/**
 * Whether a drawing has ink that is farther from a box than some pixels.
 *
 * @param {Uint8Array} bitmap @param {Bounds | null} box @param {number} slack
 */
export function inkBeside(bitmap, box, slack) {
  if (!box) return true;
  const [left, top, width, height] = box;
  return bitmap.subarray(HEADER).some((level, place) => {
    if (level < 128) return false; // a stroke's soft edge too
    const [x, y] = [(place % SHEET) - left, Math.floor(place / SHEET) - top];
    return Math.max(-x, -y, x + 1 - width, y + 1 - height) > slack;
  });
}

/**
 * Strokes as they are kept: rounded to what no eye can tell, and without some of their points where
 * those are very many.
 *
 * @param {Stroke[]} strokes
 * @returns {Stroke[]}
 */
function keepable(strokes) {
  const points = strokes.reduce((sum, stroke) => sum + stroke.points.length, 0);
  const every = Math.ceil(points / MOST_POINTS);
  const rounded = (/** @type {number} */ place) => Math.round(100 * place) / 100;
  return strokes.map(({ width, points }) => ({
    width,
    points: points
      .filter((_, n) => n % every === 0 || n === points.length - 1)
      .map(([x, y]) => [rounded(x), rounded(y)]),
  }));
}

/** What says how to draw with the keyboard; it may stand anywhere. */
export const keysHelp = () =>
  made("details.note", made("summary", say.keys), made("p", { id: KEYS }, say.keysHelp));

export class InkSheet extends HTMLElement {
  board = explained(
    made("canvas", { tabIndex: 0, role: "application", "aria-label": say.board }),
    say.boardHelp,
  );

  #brush = made("input", { type: "range", min: "8", max: "40", step: "2" });
  #board = new Board(this.board, {
    changed: () => {
      this.#stale = true;
      this.#schedule();
    },
    ended: () => {
      if (this.#board.strokes !== this.#restored) this.#keep();
      this.ended();
    },
    penMoved: (where) => speak(where === "down" ? say.penDown : say.penUp),
  });
  #scheduled = false;
  #stale = false; // in the middle of a stroke, since it was last read
  /** @type {Stroke[]} */
  #restored = []; // the strokes that were kept already

  /**
   * @param {object} told
   * @param {() => boolean} told.changed of a stroke in the middle, with every frame until it is true
   * @param {() => void} told.ended of a stroke's end, an undoing, a clearing
   */
  constructor({ changed, ended }) {
    super();
    this.changed = changed;
    this.ended = ended;
    this.board.setAttribute("aria-describedby", KEYS);
    this.#brush.addEventListener("input", () => {
      this.#board.brush = this.#brush.valueAsNumber;
      this.#keep();
    });
    this.append(
      this.board,
      made(
        "div.tools",
        field(say.brush, this.#brush),
        button(say.undo, () => this.#board.undo()),
        button(say.clear, () => this.#board.clear()),
      ),
    );
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#schedule());
  }

  /** Brings back what was drawn last. */
  restore() {
    const kept = state.get("strokes", { brush: BRUSH, strokes: /** @type {Stroke[]} */ ([]) });
    this.#restored = kept.strokes;
    this.#brush.valueAsNumber = this.#board.brush = kept.brush;
    this.#board.past = kept.strokes.map((_, n) => kept.strokes.slice(0, n)); // so that undo goes on
    this.#board.show(kept.strokes);
  }

  /** What is drawn, as a picture file of 280 × 280 pixels; null where there is nothing. */
  picture() {
    return this.#board.empty ? null : bitmapOf(this.#board.ink);
  }

  #schedule() {
    if (!this.#scheduled) requestAnimationFrame(() => this.#frame());
    this.#scheduled = true;
  }

  #frame() {
    this.#scheduled = false;
    if (this.board.clientWidth) this.#board.draw(); // not while it is hidden
    this.#stale &&= this.#board.drawing && !this.changed();
    if (this.#stale) this.#schedule();
  }

  #keep() {
    const { brush, strokes } = this.#board;
    state.set("strokes", { brush, strokes: keepable(strokes) });
  }
}

customElements.define("ink-sheet", InkSheet);
