/* The Draw view: a drawing or a picture on the left, what the network says of it on the right, and
   below why, and what it can learn from it. */

import { bytesOf, post, withQuery } from "../api.js";
import { made, put } from "../dom.js";
import { state } from "../state.js";
import { InkAnswer } from "./answer.js";
import { InkCorrections } from "./corrections.js";
import { InkExplanation } from "./explanation.js";
import { Latest } from "./latest.js";
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
  #answer = new InkAnswer();
  #explanation = new InkExplanation();
  #question = new Latest();
  /** @type {Uint8Array | null} */
  #picture = null; // that is read instead of the drawing
  #outdated = false; // another model was chosen while the view was hidden
  #pause = 0; // until when nothing is asked in the middle of a stroke

  constructor() {
    super();
    this.append(
      made(
        "div.columns.half",
        {},
        made("div", {}, this.#sheet, this.#stages),
        this.#answer,
        made("div", {}, this.#sources, keysHelp()),
      ),
      this.#explanation,
      new InkCorrections(),
    );
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

  /**
   * Reads what is there now, whatever was asked before.
   *
   * @param {boolean} settled that is, not in the middle of a stroke
   */
  #read(settled) {
    const since = performance.now();
    const model = state.get("model", "reader");
    const picture = this.#picture ?? this.#sheet.picture();
    if (!picture) {
      this.#question.forget();
      this.#answer.show(null, true);
      this.#rest(null, null);
      return;
    }
    const path = withQuery("/api/read", { model, glyph: true, stages: Boolean(this.#picture) });
    this.#question.ask(
      (signal) =>
        post(path, picture, { signal }).finally(() => {
          this.#pause = 2 * performance.now() - since;
        }),
      (/** @type {Reading} */ reading) => {
        const glyph = bytesOf(reading.glyph ?? "");
        this.#answer.show(reading, settled);
        state.tell("glyph", glyph);
        if (!settled) return;
        put(this.#stages, stagesOf(reading));
        if (reading.box) state.set("glyph", reading.glyph);
        this.#rest(reading, reading.box ? { picture, glyph } : null);
        requestAnimationFrame(() => {
          performance.clearMeasures("reading"); // the latest alone is kept, for whoever looks
          performance.measure("reading", { start: since });
        });
      },
      (error) => {
        if (!settled) return; // the stroke's end will tell
        this.#answer.complain(error);
        this.#rest(null, null);
      },
    );
  }

  /**
   * What follows a reading: what looks alike, and why.
   *
   * @param {Reading | null} reading
   * @param {Subject | null} subject
   */
  #rest(reading, subject) {
    this.#answer.compare(subject?.glyph ?? null);
    this.#explanation.offer(subject);
    state.tell("reading", reading);
  }

  /** @param {Uint8Array | null} picture to read; null for the drawing */
  #show(picture) {
    const leaves = [this.#sheet, this.#explanation, this.#sources.back];
    const focused = leaves.some((part) => part.contains(document.activeElement));
    this.#picture = picture;
    this.#stages.hidden = this.#sources.back.hidden = !picture;
    this.#sheet.hidden = Boolean(picture);
    put(this.#stages);
    if (picture) this.#answer.wait();
    this.#rest(null, null);
    if (focused) (picture ? this.#sources.back : this.#sheet.board).focus();
    this.#read(true);
  }
}

customElements.define("ink-draw", InkDraw);
