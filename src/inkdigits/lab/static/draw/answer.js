/* The answer: what is read and how sure, the glyph, the bars, and what looks alike. */

import { bytesOf, images, post, withQuery } from "../api.js";
import { made, put, speak } from "../dom.js";
import { complain, gallery, InkBars, InkGlyph } from "../elements.js";
import { state } from "../state.js";
import { words } from "../words.js";
import { Latest } from "./latest.js";

const say = words.draw;
const SURE = 0.9; // confidence from here on is called sure
const UNSURE = 0.5; // and below this not sure, whatever the model's own threshold
const NONE = 10; // the place of "none" among the bars
const IDLE = 250; // milliseconds without a stroke before what looks alike is looked for
const ALIKE = 8;

/**
 * What is said of a reading: in large letters, and in a line below; and which bar stands out.
 *
 * @param {Reading | null} reading
 * @returns {{ kind: string, large: string, small: string, best: number }}
 */
function verdict(reading) {
  const { draw } = words;
  if (!reading) return { kind: "nothing", large: draw.nothingYet, small: "", best: -1 };
  const { box, confidence, digit, not_a_digit: none, rejected } = reading;
  if (!box) return { kind: "nothing", large: draw.noInk, small: draw.noInkKnown, best: -1 };
  const unsure = rejected || confidence < UNSURE;
  if (unsure && none !== null && none >= confidence) {
    return { kind: "none", large: draw.notADigit, small: draw.noneKnown(none), best: NONE };
  }
  const how = unsure ? draw.notSure : confidence >= SURE ? draw.sure : draw.fairlySure;
  const small = draw.sureness(how, confidence, digit);
  if (unsure) return { kind: "unsure", large: `${digit}?`, small, best: -1 };
  return { kind: "digit", large: String(digit), small, best: digit };
}

export class InkAnswer extends HTMLElement {
  #large = made("p.answer");
  #small = made("p.sureness");
  #page = made("p.note");
  #trouble = made("div");
  #glyph = new InkGlyph();
  #bars = new InkBars();
  #alike = made("div.alike");
  #note = made("p.note");
  #search = new Latest(this.#alike);

  constructor() {
    super();
    const title = made("h2.aloud", say.reading);
    this.append(
      made("section.verdict", title, this.#large, this.#small, this.#page, this.#trouble),
      captioned(this.#glyph, say.glyph),
      this.#bars,
      made("section.like", made("h2", say.nearest), this.#alike, this.#note),
    );
    this.show(null);
  }

  /** @param {Reading | null} reading @param {boolean} [aloud] @param {ReadDigit} [digit] of many */
  show(reading, aloud = false, digit) {
    const { kind, large, small, best } = verdict(reading);
    this.dataset.kind = kind;
    this.#large.textContent = large;
    this.#small.textContent = small;
    this.#page.textContent = digit ? say.onPage(digit.probability, digit.digit) : "";
    complain(this.#trouble, null);
    this.#glyph.show(reading?.glyph ? bytesOf(reading.glyph) : null);
    const known = kind === "nothing" ? null : reading;
    this.#bars.show(known?.probabilities ?? null, known?.not_a_digit ?? null, best);
    if (aloud) speak(`${large}. ${small}`);
  }

  /** Says that the answer is on its way. */
  wait() {
    this.show(null);
    this.#large.textContent = say.wait;
    this.compare(null);
  }

  /** @param {unknown} error */
  complain(error) {
    this.show(null);
    this.#large.textContent = "";
    complain(this.#trouble, error);
  }

  /**
   * Looks, when nothing more is drawn, for the training digits that are most like a glyph.
   *
   * @param {Uint8Array | null} glyph null: takes away those that are there
   */
  compare(glyph) {
    this.#search.forget();
    this.#alike.classList.add("stale");
    this.#note.textContent = glyph && say.nearestWait;
    if (!glyph) return;
    const query = { model: state.get("model", "reader"), count: ALIKE };
    this.#search.ask(
      async (signal) => {
        await new Promise((idle) => setTimeout(idle, IDLE));
        /** @type {Alike} */
        const found = await post(withQuery("/api/lab/nearest", query), glyph, { signal });
        return { ...found, glyphs: await images(found.data, found.indices) };
      },
      ({ labels, glyphs, among }) => {
        const items = labels.map((label, n) => {
          const caption = String(label);
          return { glyph: glyphs[n], caption, name: words.lab.glyph };
        });
        put(this.#alike, gallery(items));
        this.#alike.classList.remove("stale");
        this.#note.textContent = say.nearestAmong(among);
      },
      (error) => complain(this.#note, error),
    );
  }
}

/** @param {HTMLElement} picture @param {string} caption */
export const captioned = (picture, caption) =>
  made("figure", picture, made("figcaption", caption));

customElements.define("ink-answer", InkAnswer);
