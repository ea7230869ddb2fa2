/* The Look view: one digit on its way through the network, down to each multiplication; and what
   the network makes of all digits. */

import { floatsOf, get, post, withQuery } from "../api.js";
import { InkUnit, sayOpened } from "./arithmetic.js";
import { InkConfusion } from "./confusion.js";
import { button, made, speak } from "../dom.js";
import { InkImagined } from "./imagined.js";
import { InkPassage, loudest, sizes } from "./layers.js";
import { InkLooked, picture } from "./looked.js";
import { WhenSeen } from "./seen.js";
import { state } from "../state.js";
import { words } from "../words.js";

/** @typedef {import("../types").LayerInfo} LayerInfo */
/** @typedef {import("../types").LayerValues} LayerValues */

/**
 * What is shown.
 *
 * @typedef {{
 *   model: string,
 *   fingerprint: string,
 *   glyph: Uint8Array,
 *   infos: LayerInfo[],
 *   layers: LayerValues[],
 * }} Now
 */

/** @param {string} model */
const about = (model) => `/api/models/${encodeURIComponent(model)}`;

const WIDE = matchMedia("(min-width: 64rem)"); // as in look.css: the unit stands beside the layers

export class InkLook extends HTMLElement {
  #looked = new InkLooked();
  #layers = new InkPassage();
  #unit = new InkUnit();
  #imagined = new InkImagined();
  #confusion = new InkConfusion();
  #seen = new WhenSeen(this, (signal) => this.#load(signal), "");
  #heading = made("h2", { tabIndex: -1 }, words.look.layers);
  /** @type {Now | null} */
  #now = null;
  #asked = true; // whether the model may be another one than the last time

  connectedCallback() {
    if (this.#heading.parentNode) return;
    this.#layers.onopen = (layer, unit) => this.#chosen(layer, unit);
    this.#unit.onback = () => this.#back();
    this.#imagined.onlook = this.#confusion.onlook = () => this.#looked.reach();
    const unit = made("section", { className: "opened" }, this.#unit);
    this.append(
      made("h1", { className: "aloud" }, words.lab.look),
      made("p", { className: "lead" }, words.look.lead),
      this.#looked,
      this.#jumps(),
      this.#seen.status,
      made(
        "div",
        { className: "columns look-columns" },
        made("section", {}, this.#heading, this.#layers),
        unit,
      ),
      made("section", {}, this.#imagined),
      made("section", {}, this.#confusion),
    );
    state.on("looked", () => this.#seen.changed());
    state.on("glyph", () => this.#seen.changed());
    state.on("model", () => this.#another());
    state.on("models", () => this.#perhapsAnother());
    this.#another();
  }

  /** Ways to the parts further down. */
  #jumps() {
    const to = (/** @type {Element} */ part) => () => {
      const heading = part.matches("h2") ? part : part.querySelector("h2");
      part.scrollIntoView({ block: "start" });
      if (heading instanceof HTMLElement) heading.focus({ preventScroll: true });
    };
    /** @type {[string, Element][]} */
    const parts = [
      [words.look.layers, this.#heading],
      [words.look.imagined, this.#imagined],
      [words.look.confusion, this.#confusion],
    ];
    return made(
      "div",
      { className: "tools jumps", role: "group", "aria-label": words.look.jump },
      parts.map(([name, part]) =>
        button(name, to(part), words.look.jumpHelp, { className: "plain" }),
      ),
    );
  }

  /** The model is another one, or has learned more: all that it says may be different. */
  #another() {
    const model = state.get("model", "reader");
    this.#asked = true;
    this.#seen.changed();
    this.#imagined.show(model);
    this.#confusion.show(model);
  }

  /** Models were made, renamed or removed: has the one that answers learned more? */
  async #perhapsAnother() {
    if (this.hidden || !this.#now) return this.#another();
    const { model, fingerprint } = this.#now;
    const { fingerprint: now } = await get(about(model)).catch(() => this.#now);
    if (now !== fingerprint) this.#another();
  }

  /** @param {AbortSignal} signal */
  async #load(signal) {
    const model = state.get("model", "reader");
    const { glyph, label, name } = await picture();
    if (signal.aborted) return;
    this.#looked.show(glyph, name);
    const [{ layers: infos, fingerprint }, answer] = await Promise.all([
      this.#now?.model === model && !this.#asked
        ? { layers: this.#now.infos, fingerprint: this.#now.fingerprint }
        : get(about(model), { signal }),
      post(withQuery("/api/lab/look/activations", { model }), glyph, { signal }),
    ]);
    if (signal.aborted) return;
    /** @type {LayerValues[]} */
    const layers = answer.layers.map((/** @type {any} */ layer) => ({
      ...layer,
      values: floatsOf(layer.values),
    }));
    this.#now = { model, fingerprint, glyph, infos, layers };
    this.#layers.show(infos, layers, answer.probabilities, answer.not_a_digit);
    const said = words.look.read(name, label, answer.probabilities, answer.not_a_digit);
    this.#looked.say(said);
    speak(said);
    const { layer, unit } = this.#wanted();
    this.#open(layer, unit, this.#asked);
    this.#asked = false;
  }

  /** The unit that is open: the one last chosen, where this network has it. */
  #wanted() {
    const layers = this.#now?.layers ?? [];
    const kept = state.get(
      "openedUnit",
      /** @type {{ layer: number, unit: number } | null} */ (null),
    );
    const there = kept && layers[kept.layer];
    return there && kept.unit < sizes(there.shape).units ? kept : loudest(layers);
  }

  /**
   * @param {number} layer
   * @param {number} unit
   * @param {boolean} again
   */
  #open(layer, unit, again) {
    if (!this.#now) return;
    this.#layers.mark(layer, unit);
    this.#unit.show({ ...this.#now, layer, unit }, again);
  }

  /**
   * Opens the unit that was chosen.
   *
   * @param {number} layer
   * @param {number} unit
   */
  #chosen(layer, unit) {
    state.set("openedUnit", { layer, unit });
    this.#open(layer, unit, false);
    if (WIDE.matches) sayOpened(layer, unit);
    else this.#unit.reach();
    state.tell("unit-opened", { layer, unit });
  }

  /** Back to where the unit was opened. */
  #back() {
    this.#layers.reach(this.#wanted().layer);
  }
}

customElements.define("ink-look", InkLook);
