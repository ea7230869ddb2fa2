/* The answer: what is read and how sure, the glyph, the bars, and what looks alike. */

import { ApiError, bytesOf, images, post, withQuery } from "../api.js";
import { freshId, made, put } from "../dom.js";
import { complain, gallery, InkBars, InkGlyph } from "../elements.js";
import { state } from "../state.js";
import { words } from "../words.js";

/** @typedef {import("../types").Reading} Reading */

const SURE = 0.9; // confidence from here on is called sure
const UNSURE = 0.5; // and below this not sure, whatever the model's own threshold
const IDLE = 250; // milliseconds without a stroke before what looks alike is looked for
const ALIKE = 8;

/**
 * What is said of a reading: in large letters, in a line below, and aloud.
 *
 * @param {Reading | null} reading
 * @returns {{ kind: "nothing" | "none" | "unsure" | "digit", large: string, small: string,
 *   aloud: string }}
 */
export function verdict(reading) {
  const { draw } = words;
  const said = (
    /** @type {"nothing" | "none"} */ kind,
    /** @type {string} */ large,
    /** @type {string} */ small,
  ) => ({ kind, large, small, aloud: `${large}. ${small}` });
  if (reading === null) {
    return { ...said("nothing", draw.nothingYet, draw.nothingKnown), aloud: draw.nothingYet };
  }
  if (reading.box === null) return said("nothing", draw.noInk, draw.noInkKnown);
  const { confidence, digit, not_a_digit: none } = reading;
  const unsure = reading.rejected || confidence < UNSURE;
  if (unsure && none !== null && none >= confidence) {
    return said("none", draw.notADigit, draw.noneKnown(none));
  }
  const how = unsure ? draw.notSure : confidence >= SURE ? draw.sure : draw.fairlySure;
  const small = draw.sureness(how, confidence, digit);
  return {
    kind: unsure ? "unsure" : "digit",
    large: `${digit}${unsure ? "?" : ""}`,
    small,
    aloud: draw.spoken(digit, small),
  };
}

export class InkAnswer extends HTMLElement {
  #large = made("p", { className: "answer" });
  #small = made("p", { className: "sureness" });
  #trouble = made("div");
  #glyph = new InkGlyph();
  #bars = new InkBars();
  #alike = made("div", { className: "alike" });
  #alikeNote = made("p", { className: "note" });
  #timer = 0;
  /** @type {AbortController | null} */
  #flight = null;

  connectedCallback() {
    if (this.firstChild) return;
    const title = freshId();
    this.append(
      made(
        "section",
        { className: "verdict", "aria-labelledby": title },
        made("h2", { id: title, className: "aloud" }, words.draw.reading),
        this.#large,
        this.#small,
        this.#trouble,
      ),
      made(
        "figure",
        {},
        this.#glyph,
        made(
          "figcaption",
          {},
          made("strong", {}, words.draw.glyph),
          made("span", {}, words.draw.glyphCaption),
        ),
      ),
      this.#bars,
      made(
        "section",
        { className: "like" },
        made("h2", {}, words.draw.nearest),
        this.#alike,
        this.#alikeNote,
      ),
    );
    this.show(null);
  }

  /** @param {Reading | null} reading */
  show(reading) {
    const { kind, large, small } = verdict(reading);
    this.dataset.kind = kind;
    this.#large.textContent = large;
    this.#small.textContent = small;
    const known = kind === "nothing" ? null : reading;
    this.#glyph.show(reading?.glyph ? bytesOf(reading.glyph) : null);
    this.#bars.show(
      known?.probabilities ?? null,
      known?.not_a_digit ?? null,
      kind === "digit" && known ? known.digit : kind === "none" ? 10 : -1,
    );
    complain(this.#trouble, null);
  }

  /** Says that a large picture is on its way. */
  wait() {
    this.show(null);
    this.#large.textContent = words.draw.sending;
    this.#small.textContent = "";
  }

  /** @param {unknown} error */
  complain(error) {
    this.show(null);
    this.#large.textContent = "";
    this.#small.textContent = "";
    complain(this.#trouble, error);
  }

  /**
   * Looks, when nothing more is drawn, for the training digits that are most like a glyph.
   *
   * @param {Uint8Array | null} glyph null: takes away those that are there
   */
  compare(glyph) {
    clearTimeout(this.#timer);
    this.#flight?.abort();
    this.#flight = null;
    this.#alike.classList.add("stale");
    this.#alikeNote.textContent = "";
    if (glyph) this.#timer = window.setTimeout(() => this.#find(glyph), IDLE);
  }

  /** @param {Uint8Array} glyph */
  async #find(glyph) {
    const flight = new AbortController();
    this.#flight = flight;
    this.#alikeNote.textContent = words.draw.nearestWait;
    try {
      const query = { model: state.get("model", "reader"), count: ALIKE };
      const found = /** @type {import("../types").Alike} */ (
        await post(withQuery("/api/lab/nearest", query), glyph, { signal: flight.signal })
      );
      const glyphs = await images(found.data, found.indices);
      if (flight.signal.aborted) return;
      put(
        this.#alike,
        gallery(
          found.labels.map((label, n) => ({
            glyph: glyphs[n],
            caption: String(label),
            name: words.draw.nearestNamed(label),
          })),
        ),
      );
      this.#alike.classList.remove("stale");
      this.#alikeNote.textContent = words.draw.nearestAmong(found.among);
    } catch (error) {
      if (flight.signal.aborted) return;
      this.#alikeNote.textContent = error instanceof ApiError ? error.message : String(error);
    }
  }
}

customElements.define("ink-answer", InkAnswer);
