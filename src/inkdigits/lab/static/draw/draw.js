/* The Draw view: a drawing or a picture on the left, what the network says of it on the right, and
   below why, and what it can learn from it. */

import { bytesOf, post, withQuery } from "../api.js";
import { made, put, speak } from "../dom.js";
import { state } from "../state.js";
import { InkAnswer } from "./answer.js";
import { InkCorrections } from "./corrections.js";
import { InkExplanation } from "./explanation.js";
import { Latest } from "./latest.js";
import { InkNumbers, isPage } from "./numbers.js";
import { InkSources, stagesOf } from "./picture.js";
import { InkSheet, keysHelp } from "./sheet.js";

const EDGE = 4; // pixels of the board's 280 by which the boxes of the same ink may differ
const GROWTH = 40; // and by which a stroke may outgrow what was read of it: no digit fits in there

/**
 * Whether two boxes have the same sides, but for some pixels.
 *
 * @param {Bounds | null} one
 * @param {Bounds | null} other
 * @param {number} slack
 */
function near(one, other, slack) {
  if (!one || !other) return false;
  const sides = ([x, y, width, height] = one) => [x, y, x + width, y + height];
  return sides().every((side, n) => Math.abs(side - sides(other)[n]) <= slack);
}

/** @typedef {{ box: Bounds, slack: number }} Ink and how far its sides may be from there */

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
  #question = new Latest(() => this.#busy()); // what there is
  #part = new Latest(() => this.#busy()); // one digit of it
  /** @type {Ink | null} */
  #about = null; // the ink that the answer is about, where that is a drawing's
  #settled = true; // whether what was asked last was not in the middle of a stroke
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

  /** Says whether an answer is still to come. */
  #busy() {
    const busy = this.#question.waiting || this.#part.waiting;
    this.#result.setAttribute("aria-busy", String(busy));
  }

  /** Reads in the middle of a stroke, half of the time at most; whether it did. */
  #live() {
    if (this.#settled) {
      this.#settled = false;
      this.#question.forget(); // it was asked before this stroke
      this.#part.forget();
      this.#answer.compare(null);
    }
    this.#doubt();
    if (this.#question.waiting || performance.now() < this.#pause) return false;
    this.#read(false);
    return true;
  }

  /** Takes the answer back once the ink is no longer what it is about. */
  #doubt() {
    const about = this.#about;
    if (about && !near(about.box, this.#sheet.box, about.slack)) this.#wait();
  }

  #wait() {
    this.#about = null;
    this.#answer.wait();
  }

  /**
   * Reads a drawing as one digit first, which is quick, and shows that where it is about all the
   * ink; the page has the last word.
   *
   * @param {boolean} settled that is, not in the middle of a stroke
   */
  #read(settled) {
    const since = performance.now();
    const picture = this.#picture ?? this.#sheet.picture();
    this.#settled = settled;
    this.#part.forget();
    if (!picture) {
      this.#question.forget();
      this.#several(null);
      this.#about = null;
      this.#answer.show(null, true);
      this.#rest(null, null);
      return;
    }
    this.#doubt();
    const box = this.#picture ? null : this.#sheet.box;
    const asked = { picture, settled, about: box && { box, slack: settled ? EDGE : GROWTH } };
    const single = !this.#picture && this.#numbers.hidden;
    this.#ask(
      this.#question,
      { stages: Boolean(this.#picture), single },
      picture,
      (reading) => {
        const whole = !single || near(reading.box, box, EDGE);
        if (whole) this.#tell(reading, asked, settled && !single);
        else this.#wait();
        if (settled && single) {
          if (!whole) this.#rest(null, null);
          const glyph = whole ? reading.glyph : undefined;
          this.#ask(this.#question, {}, picture, (page) => this.#tell(page, asked, true, glyph));
        }
        requestAnimationFrame(() => {
          performance.clearMeasures("reading"); // the latest alone is kept, for whoever looks
          performance.measure("reading", { start: since });
        });
      },
      (error) => settled && this.#fail(error), // else the stroke's end will tell
    );
  }

  /**
   * @param {Latest} question
   * @param {Record<string, string | boolean>} query
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

  /** @param {unknown} error @param {boolean} [whole] of all there is, not of one digit of it */
  #fail(error, whole = true) {
    if (whole) this.#several(null);
    this.#about = null;
    this.#answer.complain(error);
    this.#rest(null, null);
  }

  /** @param {Reading | null} reading whose numbers are shown, if it has several digits */
  #several(reading) {
    const page = reading && isPage(reading);
    this.#numbers.show(page ? reading : null);
    const kind = this.#picture ? "page" : "several";
    this.#columns.className = `columns half ${page ? kind : ""}`;
    return page;
  }

  /**
   * Shows what was read.
   *
   * @param {Reading} reading
   * @param {{ picture: Uint8Array, settled: boolean, about: Ink | null }} asked
   * @param {boolean} last whether it stands, and is said aloud
   * @param {string} [glyph] that was settled already
   */
  #tell(reading, { picture, settled, about }, last, glyph) {
    const page = this.#several(reading);
    if (page) {
      this.#wait(); // for the digit that is chosen
      if (last) speak(this.#numbers.text);
    } else {
      this.#about = about;
      this.#answer.show(reading, last);
      state.tell("glyph", bytesOf(reading.glyph ?? ""));
    }
    if (!settled) return;
    put(this.#stages, stagesOf(reading, this.#numbers.boxes()));
    if (page) this.#numbers.begin();
    else if (reading.glyph !== glyph) this.#settle(reading, picture, null);
  }

  /** @param {ReadDigit} digit of several, that is to be read alone */
  #choose(digit) {
    const picture = this.#picture ?? this.#sheet.picture();
    if (!picture || this.#question.waiting) return; // there will be other numbers
    const part = digit.box.join();
    this.#ask(
      this.#part,
      { part },
      picture,
      (reading) => {
        this.#answer.show(reading, false, digit);
        this.#settle(reading, picture, part);
      },
      (error) => this.#fail(error, false),
    );
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
    this.#wait();
    this.#rest(null, null);
    if (focused) (picture ? this.#sources.back : this.#sheet.board).focus();
    this.#read(true);
  }
}

customElements.define("ink-draw", InkDraw);
