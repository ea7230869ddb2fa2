/* What can be changed while a run learns, what has been, and what had better be. */

import { button, field, made, put } from "../dom.js";
import { choice } from "./inputs.js";
import { each, set, setText } from "../update.js";
import { train as say } from "../words.js";

const BATCHES = [16, 32, 64, 128, 256, 512];
const HOLD = 3000; // milliseconds for which a knob stays where it was put, until the run has it

/** The live knobs; `change` is told what is to be another. */
export class InkKnobs extends HTMLElement {
  #held = 0;
  /** @type {(change: Knobs) => void} */
  change = () => {};

  #number = made("output");
  #rate = made("input", { type: "range", min: -5, max: 0.5, step: 0.05 });
  #batch = choice(BATCHES.map(String), "128", (batch) => this.#set({ batch: Number(batch) }));
  #augmentation;
  #fields = made("div.fields");
  #note = made("p.note", say.notSteerable);

  /** @param {string[]} augmentations */
  constructor(augmentations) {
    super();
    this.#augmentation = choice(augmentations, "", (augmentation) => this.#set({ augmentation }));
    this.#rate.oninput = () => {
      this.#hold();
      this.#name(this.#chosen);
    };
    this.#rate.onchange = () => this.#set({ rate: this.#chosen });
    this.#fields.append(
      field(say.rate, this.#rate, this.#number),
      field(say.batch, this.#batch),
      field(say.augmentation, this.#augmentation),
    );
    this.append(made("h3", say.knobs), this.#fields, this.#note);
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
    setText(this.#number, say.number(rate));
    this.#rate.setAttribute("aria-valuetext", say.number(rate));
  }

  /** What the run has taken over. */
  taken() {
    this.#held = 0;
  }

  /** @param {RunNow | null} now @param {boolean} steerable @param {boolean} paused */
  show(now, steerable, paused) {
    this.#note.hidden = steerable;
    this.#fields.hidden = !steerable;
    if (paused && this.#held) this.#hold(); // the run has it when it goes on
    if (!now || performance.now() < this.#held) return;
    this.#held = 0;
    set(this.#rate, "value", String(Math.log10(Math.max(now.rate, 1e-5))));
    this.#name(now.rate);
    choose(this.#batch, String(now.batch ?? ""));
    choose(this.#augmentation, now.augmentation ?? "none");
  }
}

/**
 * Sets a select, which need not have the value among its own.
 *
 * @param {HTMLSelectElement} select
 * @param {string} value
 */
function choose(select, value) {
  if (![...select.options].some((option) => option.value === value)) {
    select.append(made("option", { value }, say.value(value)));
  }
  set(select, "value", value);
}

/** The changes that a run has gone through, numbered as in the charts. */
export class InkChanges extends HTMLElement {
  #list = made("ol");

  constructor() {
    super();
    this.append(made("h3", say.changes), this.#list);
  }

  /** @param {RunChange[]} changes */
  show(changes) {
    this.hidden = !changes.length;
    each(this.#list, changes.map(say.applied), () => made("li"), setText);
  }
}

/** What is off with a run, each with what mends it; `mend` is told a hint's fix. */
export class InkHints extends HTMLElement {
  #shown = "";
  #list = made("ul");
  /** @type {(fix: Fix) => void} */
  mend = () => {};

  constructor() {
    super();
    this.append(made("h3", say.hints), this.#list);
    this.hidden = true;
  }

  /** @param {Hint[]} hints */
  show(hints) {
    const known = hints.filter(({ kind }) => say.hint[kind]);
    // Numbers flicker five times a second; a sentence had better stay.
    const shown = JSON.stringify(known.map(({ kind, fix }) => [kind, Object.keys(fix ?? {})]));
    if (shown === this.#shown) return;
    this.#shown = shown;
    const focused = this.contains(document.activeElement);
    this.hidden = !known.length;
    const items = known.map(({ kind, values, fix }) => {
      const help = fix?.change ? say.fixNowHelp : say.fixNextHelp;
      return made(
        "li",
        made("p", say.hint[kind](values)),
        fix && button([say.fix(fix.change ?? fix.settings ?? {}), help], () => this.mend(fix)),
      );
    });
    put(this.#list, items);
    if (focused) (this.querySelector("button") ?? document.querySelector("main"))?.focus();
  }
}

customElements.define("ink-knobs", InkKnobs);
customElements.define("ink-changes", InkChanges);
customElements.define("ink-hints", InkHints);
