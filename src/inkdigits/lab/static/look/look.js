/* The Look view: one digit on its way through the network, down to each multiplication; and what
   the network makes of all digits. */

import { floatsOf, get, post, withQuery } from "../api.js";
import { InkUnit } from "./arithmetic.js";
import { InkConfusion } from "./confusion.js";
import { button, made, speak } from "../dom.js";
import { sizes } from "./geometry.js";
import { InkImagined } from "./imagined.js";
import { InkPassage, loudest } from "./layers.js";
import { InkLooked, picture } from "./looked.js";
import { Part, reach } from "./parts.js";
import { state } from "../state.js";
import { words } from "../words.js";

const say = words.look;

const WIDE = matchMedia("(min-width: 64rem)"); // as in look.css: the unit stands beside the layers

const chosenModel = () => state.get("model", "reader");

/** @extends {Part<string>} the name of a model */
export class InkLook extends Part {
  #looked = new InkLooked();
  #passage = new InkPassage();
  #unit = new InkUnit();
  #imagined = new InkImagined();
  #confusion = new InkConfusion();
  waiting = ""; // what comes changes in place
  /** @type {Shown | null} */
  #shown = null;

  constructor() {
    super();
    this.#passage.onopen = (layer, unit) => this.#chosen({ layer, unit });
    this.#unit.onback = () => this.#passage.reach(this.#wanted().layer);
    const heading = made("h2", { tabIndex: -1 }, say.layers);
    const layers = made("section", heading, this.#passage);
    const unit = made("section.opened", this.#unit);
    const jumps = [layers, this.#imagined, this.#confusion].map((part, n) =>
      button([say.jumps[n], say.jumpHelp], () => reach(part), { className: "plain" }),
    );
    const group = { className: "tools jumps", role: "group", "aria-label": say.jump };
    this.append(
      made("h1.aloud", words.lab.views.look[0]),
      made("p.lead", say.lead),
      this.#looked,
      made("div", group, jumps),
      this.status,
      made("div.columns.look-columns", layers, unit),
      made("section", this.#imagined),
      made("section", this.#confusion),
    );
    state.on("looked", () => this.show(chosenModel()));
    state.on("glyph", () => this.show(chosenModel()));
    state.on("model", () => this.#another());
    state.on("models", () => this.#another());
    this.#another();
  }

  /** The model is another one, or has learned more: all that it says may be different. */
  #another() {
    this.show(chosenModel());
    this.#imagined.show(chosenModel());
    this.#confusion.show(chosenModel());
  }

  /** @param {string} model @param {AbortSignal} signal */
  async load(model, signal) {
    const { glyph, label, name } = await picture();
    if (signal.aborted) return;
    this.#looked.show(glyph, name);
    const [{ layers: infos, fingerprint }, answer] = await Promise.all([
      get(`/api/models/${encodeURIComponent(model)}`, { signal }),
      post(withQuery("/api/lab/look/activations", { model }), glyph, { signal }),
    ]);
    if (signal.aborted) return;
    const layers = infos.map((/** @type {LayerInfo} */ info, /** @type {number} */ n) => ({
      ...info,
      ...answer.layers[n],
      values: floatsOf(answer.layers[n].values),
    }));
    const { probabilities, not_a_digit: none } = answer;
    this.#shown = { model, fingerprint, glyph, layers };
    this.#passage.show(layers, probabilities, none);
    const said = say.read(name, label, probabilities, none);
    this.#looked.say(said);
    speak(said);
    this.#open(this.#wanted());
  }

  /** The unit that is open: the one last chosen, where this network has it. */
  #wanted() {
    const layers = this.#shown?.layers ?? [];
    const chosen = state.get("openedUnit", /** @type {Unit | null} */ (null));
    const there = chosen && layers[chosen.layer];
    return there && chosen.unit < sizes(there.shape).units ? chosen : loudest(layers);
  }

  /** @param {Unit} unit */
  #open({ layer, unit }) {
    if (!this.#shown) return;
    this.#passage.mark(layer, unit);
    this.#unit.open({ ...this.#shown, layer, unit });
  }

  /** @param {Unit} unit that somebody has chosen */
  #chosen(unit) {
    state.set("openedUnit", unit);
    this.#open(unit);
    if (WIDE.matches) speak(say.opened(unit.layer, unit.unit));
    else reach(this.#unit);
    state.tell("unit-opened", unit);
  }
}

customElements.define("ink-look", InkLook);
