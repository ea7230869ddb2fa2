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
  #columns = made("div.columns.half");
  #explanation = new InkExplanation();
  #question = new Latest();
  /** @type {Uint8Array | null} */
  #picture = null; // that is read instead of the drawing
  #outdated = false; // another model was chosen while the view was hidden
  #pause = 0; // until when nothing is asked in the middle of a stroke

  constructor() {
    super();
    put(
      this.#columns,
      made("div", this.#sheet, this.#stages),
      made("div.result", this.#numbers, this.#answer),
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
    this.#answer.compare(null);
    if (this.#question.waiting || performance.now() < this.#pause) return false;
    this.#read(false);
    return true;
  }

  /** @param {boolean} settled that is, not in the middle of a stroke */
  #read(settled) {
    const since = performance.now();
    const picture = this.#picture ?? this.#sheet.picture();
    if (!picture) {
      this.#question.forget();
      this.#several(null);
      this.#answer.show(null, true);
      this.#rest(null, null);
      return;
    }
    const single = !this.#picture && this.#numbers.hidden;
    this.#ask(
      { stages: Boolean(this.#picture), single },
      picture,
      (reading) => {
        const page = this.#several(reading, settled);
        if (!page) {
          this.#answer.show(reading, settled);
          state.tell("glyph", bytesOf(reading.glyph ?? ""));
        }
        if (!settled) return;
        put(this.#stages, stagesOf(reading, this.#numbers.boxes()));
        if (page) this.#numbers.begin();
        else this.#settle(reading, picture, null);
        if (single && reading.box) this.#look(picture);
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
   * @param {Record<string, string | boolean>} query
   * @param {Uint8Array} picture to read, in place of what was asked before
   * @param {(reading: Reading) => void} got
   * @param {(error: unknown) => void} [failed]
   */
  #ask(query, picture, got, failed = (error) => this.#fail(error)) {
    const since = performance.now();
    const model = state.get("model", "reader");
    const path = withQuery("/api/read", { model, glyph: true, ...query });
    this.#question.ask(
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

  /** @param {Reading | null} reading whose numbers are shown, if it has several digits */
  #several(reading, aloud = false) {
    const page = reading && isPage(reading) ? reading : null;
    this.#numbers.show(page);
    const kind = this.#picture ? "page" : "several";
    this.#columns.className = `columns half ${page ? kind : ""}`;
    if (page && aloud) speak(this.#numbers.text);
    return page;
  }

  /** @param {Uint8Array} picture of a drawing that was read as one digit; it may have several */
  #look(picture) {
    this.#ask(
      {},
      picture,
      (reading) => this.#several(reading, true) && this.#numbers.begin(),
      () => {}, // the one digit stands
    );
  }

  /** @param {ReadDigit} digit of several, that is to be read alone */
  #choose(digit) {
    const picture = this.#picture ?? this.#sheet.picture();
    if (!picture) return;
    const part = digit.box.join();
    this.#ask({ part }, picture, (reading) => {
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
    if (picture) this.#answer.wait();
    this.#rest(null, null);
    if (focused) (picture ? this.#sources.back : this.#sheet.board).focus();
    this.#read(true);
  }
}

customElements.define("ink-draw", InkDraw);
