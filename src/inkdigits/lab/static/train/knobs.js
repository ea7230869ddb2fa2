/* What can be changed while a run learns, what has been, and what had better be. */

import { choice } from "./builder.js";
import { button, field, made, put } from "../dom.js";
import { words } from "../words.js";

/** @typedef {import("../types").Knobs} Knobs */
/** @typedef {import("../types").RunNow} RunNow */

const say = words.train;
const BATCHES = [16, 32, 64, 128, 256, 512];
const HOLD = 3000; // milliseconds for which a knob stays where it was put, until the run has it

/** The live knobs; `change` is told what is to be another. */
export class InkKnobs extends HTMLElement {
  #held = 0;
  /** @type {(change: Knobs) => void} */
  change = () => {};

  #number = made("output");
  #rate = made("input", { type: "range", min: -5, max: 0.5, step: 0.05 });
  #batch = choice(BATCHES.map(String), "128", String);
  #augmentation = choice([], "");
  #fields = made("div", { className: "fields" });
  #note = made("p", { className: "note", hidden: true }, say.notSteerable);

  /** @param {string[]} augmentations */
  setup(augmentations) {
    put(
      this.#augmentation,
      augmentations.map((value) => made("option", { value }, say.options[value] ?? value)),
    );
    this.#rate.addEventListener("input", () => {
      this.#hold();
      this.#name(this.#chosen);
    });
    this.#rate.addEventListener("change", () => this.#set({ rate: this.#chosen }));
    this.#batch.addEventListener("change", () => this.#set({ batch: Number(this.#batch.value) }));
    this.#augmentation.addEventListener("change", () =>
      this.#set({ augmentation: this.#augmentation.value }),
    );
    put(
      this.#fields,
      field(say.rate, this.#rate, say.rateHelp, this.#number),
      field(say.batch, this.#batch, say.batchHelp),
      field(say.augmentation, this.#augmentation, say.augmentationHelp),
    );
    put(this, made("h3", {}, say.knobs), this.#fields, this.#note);
  }

  /** The rate of the slider, to two digits. */
  get #chosen() {
    return Number((10 ** Number(this.#rate.value)).toPrecision(2));
  }

  #hold() {
    this.#held = performance.now() + HOLD;
  }

  /** @param {Knobs} change */
  #set(change) {
    this.#hold();
    this.change(change);
  }

  /** @param {number} rate */
  #name(rate) {
    const text = say.number(rate);
    if (this.#number.textContent === text) return;
    this.#number.textContent = text;
    this.#rate.setAttribute("aria-valuetext", text);
  }

  /** What the run has taken over. */
  taken() {
    this.#held = 0;
  }

  /**
   * @param {RunNow | null} now
   * @param {boolean} steerable
   * @param {boolean} paused
   */
  show(now, steerable, paused) {
    this.#note.hidden = steerable;
    this.#fields.hidden = !steerable;
    if (paused && this.#held) this.#hold(); // the run has it when it goes on
    if (!now || performance.now() < this.#held) return;
    this.#held = 0;
    this.#rate.value = String(Math.log10(Math.max(now.rate, 1e-5)));
    this.#name(now.rate);
    choose(this.#batch, now.batch === null ? "" : String(now.batch), String);
    choose(this.#augmentation, now.augmentation ?? "none", (own) => say.options[own] ?? own);
  }
}

/**
 * Sets a select, which need not have the value among its own.
 *
 * @param {HTMLSelectElement} select
 * @param {string} value
 * @param {(value: string) => string} name
 */
function choose(select, value, name) {
  if (select.value === value) return;
  if (![...select.options].some((option) => option.value === value)) {
    select.append(made("option", { value }, name(value)));
  }
  select.value = value;
}

/** The changes that a run has gone through, numbered as in the charts. */
export class InkChanges extends HTMLElement {
  #list = made("ol");
  #shown = "";

  connectedCallback() {
    if (!this.#list.parentNode) this.append(made("h3", {}, say.changes), this.#list);
  }

  /** @param {import("../types").RunChange[]} changes */
  show(changes) {
    const sentences = changes.map((change) => say.applied(change));
    const text = sentences.join("\n");
    this.hidden = !changes.length;
    if (text === this.#shown) return;
    this.#shown = text;
    put(
      this.#list,
      sentences.map((sentence) => made("li", {}, sentence)),
    );
  }
}

/** What is off with a run, each with what mends it; `mend` is told a hint's fix. */
export class InkHints extends HTMLElement {
  #shown = "";
  #list = made("ul");
  /** @type {(fix: import("../types").Fix) => void} */
  mend = () => {};

  connectedCallback() {
    if (!this.#list.parentNode) this.append(made("h3", {}, say.hints), this.#list);
    this.hidden = true;
  }

  /** @param {import("../types").Hint[]} hints */
  show(hints) {
    const known = hints.filter(({ kind }) => say.hint[kind]);
    // Numbers flicker five times a second; a sentence had better stay.
    const text = known.map(({ kind, fix }) => `${kind} ${Object.keys(fix ?? {})}`).join("\n");
    if (text === this.#shown) return;
    this.#shown = text;
    const focused = this.contains(document.activeElement);
    this.hidden = !known.length;
    put(
      this.#list,
      known.map(({ kind, values, fix }) => {
        const set = fix?.change ?? fix?.settings;
        const help = fix?.change ? say.fixNowHelp : say.fixNextHelp;
        return made(
          "li",
          {},
          made("p", {}, say.hint[kind](values)),
          fix && set && button(say.fix(set), () => this.mend(fix), help),
        );
      }),
    );
    if (focused && !this.contains(document.activeElement)) {
      (this.querySelector("button") ?? document.querySelector("main"))?.focus();
    }
  }
}

customElements.define("ink-knobs", InkKnobs);
customElements.define("ink-changes", InkChanges);
customElements.define("ink-hints", InkHints);
