/* The Draw view: a drawing or a picture on the left, what the network says of it on the right, and
   below why, and what it can learn from it. */

import { bytesOf, post, withQuery } from "../api.js";
import { made, put, speak } from "../dom.js";
import { state } from "../state.js";
import { InkAnswer } from "./answer.js";
import { InkCorrections } from "./corrections.js";
import { InkExplanation } from "./explanation.js";
import { Latest } from "./latest.js";
import { InkNumbers } from "./numbers.js";
import { InkSources, stagesOf } from "./picture.js";
import { inkBeside, InkSheet, keysHelp } from "./sheet.js";

const EDGE = 4; // pixels of a drawing's 280 by which a box may miss its ink
const GROWTH = 40; // and that a stroke may add to what was read of it: less than a digit

/**
 * Tells "reading" once a stroke has ended or a picture was read (null where there is nothing), and
 * "glyph" with its 784 bytes, while one draws too; keeps the latest glyph in the state.
 */
export class InkDraw extends HTMLElement {
  static observedAttributes = ["hidden"];

  #sheet = new InkSheet({ changed: () => this.#live(), ended: () => this.#read(true) });
  #stages = made("div.stages", { hidden: true });
  #sources = new InkSources({
    came: (picture) => this.#show(picture),
    left: () => this.#show(null),
  });
  #numbers = new InkNumbers((digit) => this.#choose(digit));
  #answer = new InkAnswer();
  #result = made("div.result", this.#numbers, this.#answer);
  #columns = made("div.columns.half");
  #explanation = new InkExplanation();
  #question = new Latest(this.#result);
  #part = new Latest(this.#answer);
  /** @type {Bounds | null} */
  #box = null; // of the answer
  #settled = true; // not in the middle of a stroke, as was asked last
  /** @type {Uint8Array | null} */
  #picture = null; // that is read instead of the drawing
  #outdated = false; // another model was chosen while the view was hidden
  #pause = 0; // until when nothing is asked in the middle of a stroke

  constructor() {
    super();
    put(
      this.#columns,
      made("div", this.#sheet, this.#stages),
      this.#result,
      made("div", this.#sources, keysHelp()),
    );
    this.append(this.#columns, this.#explanation, new InkCorrections());
    this.#sheet.restore();
    state.on("model", () => this.#readAgain());
    state.on("back", () => this.#readAgain());
  }

  attributeChangedCallback() {
    if (!this.hidden && this.#outdated) this.#readAgain();
  }

  #readAgain() {
    this.#outdated = this.hidden;
    if (!this.hidden) this.#read(true);
  }

  /** Reads in the middle of a stroke, half of the time at most; whether it did. */
  #live() {
    this.#doubt();
    if (this.#settled) this.#question.forget(); // it was asked before this stroke
    this.#settled = false;
    if (this.#question.waiting || performance.now() < this.#pause) return false;
    this.#read(false);
    return true;
  }

  /** Takes an answer back: of another drawing, or of too little of the stroke being drawn. */
  #doubt() {
    this.#part.forget();
    const drawing = this.#sheet.picture();
    if (this.#settled || (drawing && inkBeside(drawing, this.#box, GROWTH))) this.#answer.wait();
  }

  /**
   * Reads a picture, or a drawing: that as one digit first, which is quick, and counts until the
   * page is read where there is no ink beside it.
   *
   * @param {boolean} settled that is, not in the middle of a stroke
   */
  #read(settled) {
    const since = performance.now();
    const picture = this.#picture ?? this.#sheet.picture();
    this.#doubt();
    this.#settled = settled;
    if (!picture) {
      this.#question.forget();
      this.#several(null);
      this.#answer.show(null, true);
      this.#rest(null, null);
      return;
    }
    const single = !this.#picture && this.#numbers.hidden;
    let told = ""; // the glyph that was told already
    const show = (/** @type {Reading} */ reading, last = settled) => {
      if (this.#several(reading)) {
        this.#answer.wait(); // for the digit that is chosen
        if (last) speak(this.#numbers.text);
      } else {
        this.#box = reading.box;
        this.#answer.show(reading, last);
        state.tell("glyph", bytesOf(reading.glyph ?? ""));
      }
      if (!settled) return;
      put(this.#stages, stagesOf(reading, this.#numbers.boxes()));
      if (!this.#numbers.hidden) this.#numbers.begin();
      else if (reading.glyph !== told) this.#settle(reading, picture, null);
      told = reading.glyph ?? "";
    };
    this.#ask(
      this.#question,
      { stages: Boolean(this.#picture), single },
      picture,
      (reading) => {
        const whole = !single || !inkBeside(picture, reading.box, EDGE);
        if (whole) show(reading, settled && !single);
        else this.#answer.wait();
        if (!settled) return;
        if (!whole) this.#rest(null, null);
        if (single) this.#ask(this.#question, {}, picture, show);
        requestAnimationFrame(() => {
          performance.clearMeasures("reading"); // the latest alone is kept, for whoever looks
          performance.measure("reading", { start: since });
        });
      },
      (error) => {
        if (!settled) return; // the stroke's end will tell
        this.#several(null);
        this.#fail(error);
      },
    );
  }

  /**
   * @param {Latest} question @param {Query} query
   * @param {Uint8Array} picture to read, in place of what was asked before
   * @param {(reading: Reading) => void} got
   * @param {(error: unknown) => void} [failed]
   */
  #ask(question, query, picture, got, failed = (error) => this.#fail(error)) {
    const since = performance.now();
    const model = state.get("model", "reader");
    const path = withQuery("/api/read", { model, glyph: true, ...query });
    question.ask(
      (signal) =>
        post(path, picture, { signal }).finally(() => {
          this.#pause = 2 * performance.now() - since;
        }),
      got,
      failed,
    );
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#answer.complain(error);
    this.#rest(null, null);
  }

  /** @param {Reading | null} reading whose numbers are shown, if several; whether they are */
  #several(reading) {
    this.#numbers.show(reading);
    const kind = this.#picture ? "page" : "several";
    this.#columns.className = `columns half ${this.#numbers.hidden ? "" : kind}`;
    return !this.#numbers.hidden;
  }

  /** @param {ReadDigit} digit of several, that is to be read alone */
  #choose(digit) {
    const picture = this.#picture ?? this.#sheet.picture();
    if (!picture || this.#question.waiting) return; // there will be other numbers
    const part = digit.box.join();
    this.#ask(this.#part, { part }, picture, (reading) => {
      this.#answer.show(reading, false, digit);
      this.#settle(reading, picture, part);
    });
  }

  /** @param {Reading} reading @param {Uint8Array} picture @param {string | null} part */
  #settle(reading, picture, part) {
    if (reading.box) state.set("glyph", reading.glyph);
    const glyph = bytesOf(reading.glyph ?? "");
    this.#rest(reading, reading.box ? { picture, part, glyph } : null);
  }

  /** @param {Reading | null} reading @param {Subject | null} subject to compare, and explain */
  #rest(reading, subject) {
    this.#answer.compare(subject?.glyph ?? null);
    this.#explanation.offer(subject);
    state.tell("reading", reading);
  }

  /** @param {Uint8Array | null} picture to read; null for the drawing */
  #show(picture) {
    const leaves = [this.#sheet, this.#numbers, this.#explanation, this.#sources.back];
    const focused = leaves.some((part) => part.contains(document.activeElement));
    this.#picture = picture;
    this.#stages.hidden = this.#sources.back.hidden = !picture;
    this.#sheet.hidden = Boolean(picture);
    put(this.#stages);
    this.#several(null);
    this.#rest(null, null);
    if (focused) (picture ? this.#sources.back : this.#sheet.board).focus();
    this.#read(true);
  }
}

customElements.define("ink-draw", InkDraw);
