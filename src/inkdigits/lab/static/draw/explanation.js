/* Is it wrong? The answer explained, with the right label or without, and the digit kept. */

import { bytesOf, post, withQuery } from "../api.js";
import { button, freshId, made, put, speak } from "../dom.js";
import { complain, gallery } from "../elements.js";
import { state } from "../state.js";
import { words } from "../words.js";

/** @typedef {import("../types").Explained} Explained */
/** @typedef {import("../types").Trial} Trial */

/**
 * The trials, those first that alter the answer: to the digit expected, then to another; the surest
 * first.
 *
 * @param {Trial[]} trials
 * @param {number | null} expected
 */
function ordered(trials, expected) {
  const rank = (/** @type {Trial} */ { changes, digit, confidence }) =>
    (changes ? 2 : 0) + (changes && digit === expected ? 2 : 0) + confidence;
  return [...trials].sort((a, b) => rank(b) - rank(a));
}

/** @param {Trial[]} trials */
const shown = (trials) =>
  gallery(
    trials.map(({ name, digit, confidence, glyph }) => {
      const caption = words.draw.trial(name, digit, confidence);
      return { glyph: bytesOf(glyph), caption, name: caption };
    }),
  );

/** `offer` names the picture to explain; `kept` is told when its glyph was kept with a label. */
export class InkExplanation extends HTMLElement {
  /** @type {{ picture: Uint8Array, glyph: Uint8Array } | null} */
  #subject = null;
  #said = made("div", { className: "said" });
  #keep = made("div", { className: "keep" });
  #tried = made("div", { className: "tried" });
  #trouble = made("div");
  /** @type {HTMLButtonElement[]} */
  #digits = [];
  /** @type {HTMLButtonElement | null} */
  #plain = null;
  /** @type {AbortController | null} */
  #flight = null;

  connectedCallback() {
    if (this.firstChild) return;
    const title = freshId();
    this.#digits = Array.from({ length: 10 }, (_, digit) =>
      button(String(digit), () => this.#explain(digit), words.draw.whatHelp(digit)),
    );
    this.#plain = button(words.draw.explain, () => this.#explain(null), words.draw.explainHelp);
    this.append(
      made(
        "section",
        { className: "columns half", "aria-labelledby": title },
        made(
          "div",
          {},
          made("h2", { id: title }, words.draw.wrong),
          made("p", { className: "note" }, words.draw.wrongLead),
          made(
            "fieldset",
            {},
            made("legend", {}, words.draw.what),
            made("div", { className: "digits" }, this.#digits),
          ),
          this.#plain,
          this.#trouble,
          this.#said,
          this.#keep,
        ),
        this.#tried,
      ),
    );
    this.offer(null);
  }

  /**
   * Another picture, to which what was explained does not belong any more.
   *
   * @param {{ picture: Uint8Array, glyph: Uint8Array } | null} subject
   */
  offer(subject) {
    this.#flight?.abort();
    this.#subject = subject;
    this.hidden = !subject;
    this.#clear();
    this.#press(undefined);
  }

  #clear() {
    complain(this.#trouble, null);
    for (const place of [this.#said, this.#keep, this.#tried]) put(place);
  }

  /** @param {number | null | undefined} expected null for the one without a label */
  #press(expected) {
    this.#digits.forEach((each, digit) =>
      each.setAttribute("aria-pressed", String(digit === expected)),
    );
    this.#plain?.setAttribute("aria-pressed", String(expected === null));
  }

  /** @param {number | null} expected */
  async #explain(expected) {
    if (!this.#subject) return;
    this.#flight?.abort();
    const flight = new AbortController();
    this.#flight = flight;
    this.#press(expected);
    this.#clear();
    put(this.#said, made("p", { className: "note" }, words.draw.explaining));
    if (expected !== null) this.#offerKeeping(expected);
    try {
      const query = { model: state.get("model", "reader"), expected };
      const path = withQuery("/api/lab/explain", query);
      const explained = await post(path, this.#subject.picture, { signal: flight.signal });
      if (!flight.signal.aborted) this.#show(explained, expected);
    } catch (error) {
      if (flight.signal.aborted) return;
      put(this.#said);
      complain(this.#trouble, error);
    }
  }

  /**
   * @param {Explained} explained
   * @param {number | null} expected
   */
  #show({ verdict, looks, advice, trials }, expected) {
    const said = advice.map((each) => words.draw.advice(each, expected));
    const sorted = ordered(trials, expected);
    const telling = sorted.filter(({ changes }) => changes);
    put(
      this.#said,
      made("p", { className: "why" }, verdict),
      made("p", {}, looks.join(" ")),
      said.length ? made("ul", {}, said.map((each) => made("li", {}, each))) : null,
    );
    if (trials.length) {
      const { draw } = words;
      put(
        this.#tried,
        made("h2", {}, telling.length ? draw.trials : draw.noTrials),
        telling.length ? shown(telling) : made("p", {}, draw.noneAlters(trials.length)),
        made("details", {}, made("summary", {}, draw.allTrials(trials.length)), shown(sorted)),
      );
    }
    speak([verdict, ...said].join(" "));
  }

  /** @param {number} label */
  #offerKeeping(label) {
    const note = made("p", { className: "note" });
    const keep = async () => {
      if (!this.#subject) return;
      try {
        const path = withQuery("/api/lab/corrections", { label });
        const { counts } = await post(path, this.#subject.glyph);
        const total = counts.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0);
        note.textContent = words.draw.keptNow(label, total);
        speak(note.textContent);
        state.tell("kept", { label, counts });
      } catch (error) {
        complain(this.#trouble, error);
      }
    };
    put(
      this.#keep,
      button(words.draw.keep(label), keep, words.draw.keepHelp, { className: "primary" }),
      note,
    );
  }
}

customElements.define("ink-explanation", InkExplanation);
