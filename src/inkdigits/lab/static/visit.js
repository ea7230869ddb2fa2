/* The first visit: six short steps, from a drawn digit to a network that one has trained oneself.

   A slim band that never stands in the way: each step is done by what the user does, in whatever
   order, and the band shows the first that is not done. */

import { button, explained, made } from "./dom.js";
import { state } from "./state.js";
import { words } from "./words.js";

const say = words.visit;
const ENOUGH = 0.97; // of the validation digits
const NONE = 0.5; // from here on it is called no digit
const PLAIN = { className: "plain" };

const { steps } = say;
const [READ, REFUSED, STARTED, LEARNED, USED, OPENED] = steps.keys();

export class InkVisit extends HTMLElement {
  /** Brings the steps back; the frame puts it at the foot of the page. */
  again = button(say.again, () => this.#begin(), PLAIN);

  #place = made("span.place");
  #words = made("span");
  #link = explained(made("a"), say.openHelp);
  #skip = button(say.skip, () => this.#do(this.#step), PLAIN);
  #leave = button(say.leave, () => this.#away(), PLAIN);
  /** @type {Set<number>} */
  #done = new Set();
  #below = 0; // the accuracy of a run that ended with less than enough
  #drawn = false; // since the last step was done

  /** Shows the step that is next, unless all are done or it was put away. */
  begin() {
    this.append(
      made(
        "section.band",
        { "aria-label": say.again[0] },
        made("p", { role: "status" }, this.#place, " ", this.#words),
        made("div.tools", this.#link, this.#skip, this.#leave),
      ),
    );
    const kept = state.get("visit", { done: /** @type {number[]} */ ([]), away: false });
    this.#done = new Set(kept.done);
    this.hidden = kept.away || this.#step === steps.length;
    this.#show();
    this.#listen();
  }

  /** The first step that is not done; one more than the last where all are. */
  get #step() {
    const next = [...steps.keys()].find((step) => !this.#done.has(step));
    return next ?? steps.length;
  }

  #listen() {
    state.on("strokes", () => (this.#drawn = true));
    state.on("reading", (/** @type {Reading | null} */ reading) => {
      if (!reading?.box) return;
      const none = reading.rejected || (reading.not_a_digit ?? 0) >= NONE;
      if (this.#drawn && reading.model !== "reader") this.#do(USED);
      if (!none) this.#do(READ);
      else if (this.#done.has(READ)) this.#do(REFUSED); // half of a first digit is none either
    });
    state.on("run-started", () => this.#do(STARTED));
    state.on("run-point", (point) => point.validation_accuracy >= ENOUGH && this.#do(LEARNED));
    state.on("run-ended", (run) => {
      const accuracy = run?.validation_accuracy ?? run?.accuracy ?? 0;
      if (accuracy >= ENOUGH) this.#do(LEARNED);
      else this.#below = accuracy;
      this.#show();
    });
    state.on("unit-opened", () => this.#do(OPENED));
    state.on("view", () => this.#show());
  }

  /** @param {number} step that was done, or skipped */
  #do(step) {
    if (this.hidden || this.#done.has(step)) return;
    const before = this.#step;
    this.#done.add(step);
    this.#keep();
    if (this.#step !== before) this.#drawn = false;
    this.#show();
  }

  #show() {
    const [view, what] = steps[this.#step] ?? ["", say.done];
    this.#place.textContent = view && say.place(this.#step + 1, steps.length);
    const below = this.#step === LEARNED && this.#below;
    this.#words.textContent = below ? say.below(below) : what;
    this.#skip.hidden = !view;
    this.#link.hidden = !view || view === state.get("view", "draw");
    this.#link.href = `#${view}`;
    this.#link.textContent = say.open(Reflect.get(words.lab.views, view)?.[0]);
    const focused = document.activeElement;
    if (this.contains(focused) && focused?.closest("[hidden]")) {
      document.getElementById("main")?.focus();
    }
  }

  #away() {
    this.hidden = true;
    this.#keep();
    this.#show();
  }

  #begin() {
    this.#done.clear();
    this.#below = 0;
    this.hidden = false;
    this.#keep();
    this.#show();
    this.scrollIntoView({ block: "nearest" });
    this.#skip.focus();
  }

  #keep() {
    state.set("visit", { done: [...this.#done], away: this.hidden });
  }
}

customElements.define("ink-visit", InkVisit);
