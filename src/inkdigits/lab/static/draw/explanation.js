/* Is it wrong? The answer explained, with the right label or without, and the digit kept. */

import { bytesOf, post, withQuery } from "../api.js";
import { button, made, put, speak } from "../dom.js";
import { complain, gallery } from "../elements.js";
import { state } from "../state.js";
import { words } from "../words.js";
import { Latest } from "./latest.js";

const say = words.draw;

/** @param {Trial[]} trials */
const shown = (trials) =>
  gallery(
    trials.map(({ name, digit, confidence, glyph }) => {
      const caption = say.trial(name, digit, confidence);
      return { glyph: bytesOf(glyph), caption, name: caption };
    }),
  );

export class InkExplanation extends HTMLElement {
  /** @type {Subject | null} */
  #subject = null;
  /** @type {Map<number | null, HTMLButtonElement>} */
  #choices = new Map(
    [...Array(10).keys(), null].map((digit) => [
      digit,
      button([String(digit ?? say.explain), say.whatHelp], () => this.#explain(digit)),
    ]),
  );
  #said = made("div.said");
  #question = new Latest(this.#said);
  #keep = made("div.said");
  #tried = made("div.said");

  constructor() {
    super();
    const legend = made("legend", made("h2", say.what));
    const choices = made("div.digits", [...this.#choices.values()]);
    const fields = made("fieldset", legend, choices);
    const told = made("div.said", fields, this.#said, this.#keep);
    this.append(made("section.columns.half", told, this.#tried));
    this.offer(null);
  }

  /** @param {Subject | null} subject that can be explained now, and no longer another */
  offer(subject) {
    this.#subject = subject;
    this.hidden = !subject;
    this.#question.forget();
    this.#clear(undefined);
  }

  /** @param {number | null | undefined} chosen the label; null for the button without one */
  #clear(chosen) {
    for (const [label, each] of this.#choices) {
      each.setAttribute("aria-pressed", String(label === chosen));
    }
    for (const place of [this.#said, this.#keep, this.#tried]) put(place);
  }

  /** @param {number | null} expected */
  #explain(expected) {
    const subject = this.#subject;
    if (!subject) return;
    this.#clear(expected);
    put(this.#said, made("p.note", say.explaining));
    if (expected !== null) this.#offerKeeping(subject.glyph, expected);
    const query = { model: state.get("model", "reader"), expected, part: subject.part };
    this.#question.ask(
      (signal) => post(withQuery("/api/lab/explain", query), subject.picture, { signal }),
      (explained) => this.#show(explained, expected),
      (error) => complain(this.#said, error),
    );
  }

  /** @param {Explained} explained @param {number | null} expected */
  #show({ verdict, looks, advice, trials }, expected) {
    put(
      this.#said,
      made("p.why", verdict),
      made("p", looks.join(" ")),
      made("ul", advice.map((each) => made("li", each))),
    );
    speak([verdict, ...advice].join(" "));
    if (!trials.length) return;
    // Those first that give the digit expected, and of them the surest.
    const rank = (/** @type {Trial} */ { digit, confidence }) =>
      Number(digit === expected) + confidence;
    const telling = trials.filter(({ changes }) => changes).sort((a, b) => rank(b) - rank(a));
    const { draw } = words;
    put(
      this.#tried,
      made("h2", draw.trials),
      telling.length ? shown(telling) : made("p", draw.noneAlters(trials.length)),
      made("details", made("summary", draw.allTrials(trials.length)), shown(trials)),
    );
  }

  /** @param {Uint8Array} glyph @param {number} label */
  #offerKeeping(glyph, label) {
    const note = made("div");
    const keep = async () => {
      try {
        await post(withQuery("/api/lab/corrections", { label }), glyph);
        put(note, made("p.note", say.keptNow(label)));
        speak(say.keptNow(label));
        state.tell("kept");
      } catch (error) {
        complain(note, error);
      }
    };
    put(this.#keep, button(say.keep(label), keep, { className: "primary" }), note);
  }
}

customElements.define("ink-explanation", InkExplanation);
