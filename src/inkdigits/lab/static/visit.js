/* The first visit: six short steps, from a drawn digit to a network that one has trained oneself.

   A slim band that never stands in the way: each step is done by what the user does, in whatever
   order, and the band shows the first that is not done. */

import { button, explained, made } from "./dom.js";
import { state } from "./state.js";
import { words } from "./words.js";

/** @typedef {import("./types").Reading} Reading */

const ENOUGH = 0.97; // of the validation digits
const NONE = 0.5; // from here on it is called no digit

const { steps } = words.visit;
const [READ, REFUSED, STARTED, LEARNED, USED, OPENED] = steps.keys();

export class InkVisit extends HTMLElement {
  /** Brings the steps back; the frame puts it at the foot of the page. */
  again = button(words.visit.again, () => this.#again(), words.visit.againHelp, {
    className: "plain",
  });

  #place = made("span", { className: "place" });
  #words = made("span");
  #link = explained(made("a"), words.visit.openHelp);
  #skip = button(words.visit.skip, () => this.#do(this.#step), words.visit.skipHelp, {
    className: "plain",
  });
  #leave = button("", () => this.#away(), "", { className: "plain" });
  /** @type {Set<number>} */
  #done = new Set();
  #below = 0; // the accuracy of a run that ended with less than enough
  #drawn = false; // since the last step was done

  /** Shows the step that is next, unless all are done or it was put away. */
  begin() {
    const { visit } = words;
    const band = made(
      "section",
      { className: "band", "aria-label": visit.region },
      made("p", { role: "status" }, this.#place, " ", this.#words),
      made("div", { className: "tools" }, this.#link, this.#skip, this.#leave),
    );
    this.append(band);
    const kept = state.get("visit", { done: /** @type {number[]} */ ([]), away: false });
    this.#done = new Set(kept.done);
    this.hidden = kept.away || this.#over;
    this.#show();
    this.#listen();
  }

  /** The first step that is not done; one more than the last where all are. */
  get #step() {
    const next = [...steps.keys()].find((step) => !this.#done.has(step));
    return next ?? steps.length;
  }

  get #over() {
    return this.#step === steps.length;
  }

  #listen() {
    state.on("strokes", () => (this.#drawn = true));
    state.on("reading", (/** @type {Reading | null} */ reading) => {
      if (!reading?.box) return;
      const none = reading.rejected || (reading.not_a_digit ?? 0) >= NONE;
      if (this.#drawn && reading.model !== "reader") this.#do(USED);
      this.#do(none ? REFUSED : READ);
    });
    state.on("run-started", () => this.#do(STARTED));
    state.on("run-point", ({ validation_accuracy: accuracy }) => {
      if (accuracy >= ENOUGH) this.#do(LEARNED);
    });
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
    if (this.hidden || this.#over || this.#done.has(step)) return;
    const before = this.#step;
    this.#done.add(step);
    this.#keep(false);
    if (this.#step !== before) this.#drawn = false;
    this.#show();
  }

  #show() {
    if (this.hidden) return;
    const { visit } = words;
    const over = this.#over;
    const focused = this.contains(document.activeElement);
    this.#skip.hidden = over;
    this.#leave.textContent = over ? visit.close : visit.leave;
    explained(this.#leave, over ? visit.closeHelp : visit.leaveHelp);
    this.#place.textContent = over ? "" : visit.place(this.#step + 1, steps.length);
    const { view, words: what } = steps[this.#step] ?? { view: "", words: visit.done };
    const below = this.#step === LEARNED && this.#below > 0;
    this.#words.textContent = below ? visit.below(this.#below) : what;
    this.#link.hidden = over || view === state.get("view", "draw");
    if (!this.#link.hidden) {
      this.#link.href = `#${view}`;
      this.#link.textContent = Reflect.get(visit.open, view);
    }
    if (focused && !this.contains(document.activeElement)) this.#elsewhere();
    else if (focused && document.activeElement?.closest("[hidden]")) this.#elsewhere();
  }

  #away() {
    this.#keep(true);
    const focused = this.contains(document.activeElement);
    this.hidden = true;
    if (focused) this.#elsewhere();
  }

  #again() {
    this.#done.clear();
    this.#below = 0;
    this.hidden = false;
    this.#keep(false);
    this.#show();
    this.scrollIntoView({ block: "nearest" });
    this.#skip.focus();
  }

  /** What had the focus is gone: it goes on from the view. */
  #elsewhere() {
    document.getElementById("main")?.focus();
  }

  /** @param {boolean} away */
  #keep(away) {
    state.set("visit", { done: [...this.#done], away });
  }
}

customElements.define("ink-visit", InkVisit);
