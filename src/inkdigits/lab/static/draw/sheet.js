/* The sheet: the exported page's board with its tools, a drawing that is kept, and its ink as a
   picture for the reader. */

import { button, explained, field, made, speak } from "../dom.js";
import { state } from "../state.js";
import { words } from "../words.js";

/** @typedef {import("../types").Stroke} Stroke */

const BRUSH = 20; // of the sheet's 280, as wide as MNIST's pens are to their digits
const MOST_POINTS = 3000; // that are kept as they are: 40 kB, which a page may send while it closes
const KEYS = "board-keys"; // the id of what says how to draw with the keyboard
const HEADER = 14 + 40 + 4 * 256; // bytes of a bitmap before its pixels

/**
 * Ink as a picture file: a bitmap of 256 greys, black on white, lowest row first.
 *
 * A bitmap, and by hand: a canvas may take its time to make a PNG, and some browsers alter it.
 *
 * @param {{ height: number, width: number, values: Uint8Array }} ink its width a multiple of 4
 */
function bitmapOf({ height, width, values }) {
  const file = new Uint8Array(HEADER + height * width);
  const view = new DataView(file.buffer);
  view.setUint16(0, 0x424d); // "BM"
  view.setUint32(2, file.length, true);
  view.setUint32(10, HEADER, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 8, true);
  view.setUint32(46, 256, true);
  for (let level = 0; level < 256; level++) {
    const grey = 255 - level;
    view.setUint32(54 + 4 * level, (grey << 16) | (grey << 8) | grey, true);
  }
  for (let row = 0; row < height; row++) {
    const place = HEADER + (height - 1 - row) * width;
    file.set(values.subarray(row * width, (row + 1) * width), place);
  }
  return file;
}

/**
 * Strokes as they are kept: rounded to what no eye can tell, and with points left out where they
 * are very many.
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
  made(
    "details",
    { className: "keys" },
    made("summary", {}, words.draw.keys),
    made("p", { id: KEYS }, words.draw.keysHelp),
  );

/**
 * Calls `changed` in the middle of a stroke, before a frame with other ink is painted, and again
 * until it returns true; and `ended` when a stroke or another action is over, with the time at
 * which it was.
 */
export class InkSheet extends HTMLElement {
  changed = () => true;
  ended = (/** @type {number} */ _since) => {};

  #canvas = made("canvas", { tabIndex: 0, role: "application", "aria-label": words.draw.board });
  #hint = made("p", { className: "hint", "aria-hidden": "true" }, words.draw.hint);
  /** @type {Board | null} */
  #board = null;
  #scheduled = false;
  #stale = false;
  /** @type {Stroke[]} */
  #restored = []; // the strokes that were kept already

  connectedCallback() {
    if (this.#board) return;
    this.#canvas.setAttribute("aria-describedby", KEYS);
    this.#canvas.dataset.help = words.draw.boardHelp;
    const brush = made("input", { type: "range", min: "8", max: "40", step: "2" });
    this.append(
      made("div", { className: "sheet" }, this.#canvas, this.#hint),
      made(
        "div",
        { className: "tools" },
        field(words.draw.brush, brush, words.draw.brushHelp),
        button(words.draw.undo, () => this.#board?.undo(), words.draw.undoHelp),
        button(words.draw.clear, () => this.#board?.clear(), words.draw.clearHelp),
      ),
    );
    const board = new Board(this.#canvas, {
      changed: () => {
        this.#stale = true;
        this.#schedule();
      },
      ended: () => this.#end(),
      penMoved: (where) => speak(where === "down" ? words.draw.penDown : words.draw.penUp),
    });
    this.#board = board;
    const kept = state.get("strokes", { brush: BRUSH, strokes: /** @type {Stroke[]} */ ([]) });
    board.brush = kept.brush;
    brush.valueAsNumber = kept.brush;
    brush.addEventListener("input", () => {
      board.brush = brush.valueAsNumber;
      this.#keep();
    });
    if (kept.strokes.length) {
      this.#restored = kept.strokes;
      board.past = kept.strokes.map((_, n) => kept.strokes.slice(0, n)); // so that undo goes on
      board.show(kept.strokes);
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#schedule());
    this.#schedule();
  }

  get empty() {
    return this.#board?.empty ?? true;
  }

  get drawing() {
    return this.#board?.drawing ?? false;
  }

  /** What is drawn, as a picture file of 280 × 280 pixels; null where there is nothing. */
  picture() {
    return this.#board && !this.empty ? bitmapOf(this.#board.ink) : null;
  }

  focusBoard() {
    this.#canvas.focus();
  }

  #schedule() {
    if (!this.#scheduled) requestAnimationFrame(() => this.#frame());
    this.#scheduled = true;
  }

  #frame() {
    this.#scheduled = false;
    const board = this.#board;
    if (!board) return;
    if (this.#canvas.clientWidth) board.draw(); // not while it is hidden
    this.#hint.hidden = !board.empty;
    if (!board.drawing) this.#stale = false;
    if (this.#stale) this.#stale = !this.changed();
    if (this.#stale) this.#schedule();
  }

  #end() {
    if (this.#board?.strokes !== this.#restored) this.#keep();
    this.ended(performance.now());
  }

  #keep() {
    const board = this.#board;
    if (board) state.set("strokes", { brush: board.brush, strokes: keepable(board.strokes) });
  }
}

customElements.define("ink-sheet", InkSheet);
