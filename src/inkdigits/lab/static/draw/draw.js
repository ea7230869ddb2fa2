/* The Draw view: a drawing or a picture on the left, what the network says of it on the right, and
   below why, and what it can learn from it. */

import { bytesOf } from "../api.js";
import { InkAnswer, verdict } from "./answer.js";
import { InkCorrections } from "./corrections.js";
import { made, speak } from "../dom.js";
import { InkExplanation } from "./explanation.js";
import { InkSources, InkStages } from "./picture.js";
import { Reader } from "./reader.js";
import { InkSheet, keysHelp } from "./sheet.js";
import { state } from "../state.js";

/** @typedef {import("../types").Reading} Reading */

/**
 * Tells, once a stroke has ended or a picture was read, "reading" with what was read (null where
 * there is nothing), and "glyph" with its 784 bytes, while one draws too; keeps the latest glyph in
 * the state.
 */
export class InkDraw extends HTMLElement {
  static observedAttributes = ["hidden"];

  #sheet = new InkSheet();
  #stages = new InkStages();
  #sources = new InkSources();
  #answer = new InkAnswer();
  #explanation = new InkExplanation();
  /** @type {Uint8Array | null} */
  #picture = null; // that is read instead of the drawing
  #outdated = false; // another model was chosen while the view was hidden

  #reader = new Reader(
    (reading, asked) => this.#got(reading, asked),
    (error, asked) => asked.settled && this.#failed(error),
  );

  connectedCallback() {
    if (this.firstChild) return;
    this.#sheet.changed = () => this.#live();
    this.#sheet.ended = (since) => this.#ask(since);
    this.#sources.came = (picture) => this.#take(picture);
    this.#sources.left = () => this.#leave();
    this.#sources.wanted = () => !this.hidden;
    this.#stages.hidden = true;
    this.append(
      made(
        "div",
        { className: "columns half" },
        made("div", { className: "source" }, this.#sheet, this.#stages),
        this.#answer,
        made("div", { className: "more" }, this.#sources, keysHelp()),
      ),
      this.#explanation,
      new InkCorrections(),
    );
    state.on("model", () => this.#reread());
    state.on("back", () => this.#reread());
  }

  attributeChangedCallback() {
    if (!this.hidden && this.#outdated) this.#reread();
  }

  #reread() {
    this.#outdated = this.hidden;
    if (!this.#outdated) this.#ask(performance.now());
  }

  /** Reads in the middle of a stroke, now and then; whether it did. */
  #live() {
    this.#answer.compare(null);
    const picture = this.#reader.free ? this.#sheet.picture() : null;
    if (picture) this.#reader.ask({ picture, settled: false, since: 0 });
    return picture !== null;
  }

  /**
   * Reads what is there now.
   *
   * @param {number} since when that was done
   */
  #ask(since) {
    const picture = this.#picture ?? this.#sheet.picture();
    if (picture) {
      this.#reader.ask({ picture, settled: true, since });
      return;
    }
    this.#reader.forget();
    this.#answer.show(null);
    this.#rest(null, null);
    speak(verdict(null).aloud);
  }

  /**
   * @param {Reading} reading
   * @param {import("./reader.js").Asked} asked
   */
  #got(reading, { picture, settled }) {
    this.#answer.show(reading);
    const glyph = bytesOf(reading.glyph ?? "");
    if (!settled) {
      state.tell("glyph", glyph);
      return;
    }
    if (this.#picture) this.#stages.show(reading);
    speak(verdict(reading).aloud);
    if (reading.box) state.set("glyph", reading.glyph);
    state.tell("glyph", glyph);
    this.#rest(reading, reading.box ? { picture, glyph } : null);
  }

  /** @param {unknown} error */
  #failed(error) {
    this.#answer.complain(error);
    this.#rest(null, null);
  }

  /**
   * What follows a reading: what looks alike, and why.
   *
   * @param {Reading | null} reading
   * @param {{ picture: Uint8Array, glyph: Uint8Array } | null} subject
   */
  #rest(reading, subject) {
    this.#answer.compare(subject?.glyph ?? null);
    this.#explanation.offer(subject);
    state.tell("reading", reading);
  }

  /** @param {Uint8Array} picture */
  #take(picture) {
    const focused = [this.#sheet, this.#explanation].some((part) =>
      part.contains(document.activeElement),
    );
    this.#picture = picture;
    this.#switch(true);
    if (focused) this.#sources.focusBack();
    this.#stages.show(null);
    this.#answer.wait();
    this.#rest(null, null);
    this.#reader.forget();
    this.#ask(performance.now());
  }

  #leave() {
    this.#picture = null;
    this.#switch(false);
    this.#sheet.focusBoard();
    this.#reader.forget();
    this.#ask(performance.now());
  }

  /** @param {boolean} picture whether one is shown instead of the drawing */
  #switch(picture) {
    this.#stages.hidden = !picture;
    this.#sheet.hidden = picture;
    this.#sources.showing = picture;
  }
}

customElements.define("ink-draw", InkDraw);
