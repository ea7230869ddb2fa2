/* What the parts of the view have in common: they are loaded when they are seen, can be brought in
   sight, and name the code that makes them. */

import { made, put } from "../dom.js";
import { complain } from "../elements.js";
import { state } from "../state.js";
import { words } from "../words.js";

const PATIENCE = 300; // milliseconds before a word of waiting: most answers are quicker
const AHEAD = "160px"; // begun so far before it comes into sight

/**
 * Loads a part of the page when it is in sight and has something new to show.
 *
 * What is still being loaded when that changes is abandoned. A word of waiting and what goes wrong
 * stand in the part's line of status; after an error it is tried again when the lab is back.
 *
 * @template What
 */
export class WhenSeen {
  #stale = false;
  #inSight = false;
  #failed = false;
  /** @type {What | undefined} */
  #what;
  /** @type {AbortController | null} */
  #running = null;
  status = made("div", { className: "waiting" });

  /**
   * @param {Element} part
   * @param {(what: What, signal: AbortSignal) => Promise<void>} load
   * @param {string} [waiting] what is said meanwhile
   */
  constructor(part, load, waiting = words.look.waiting) {
    this.part = part;
    this.load = load;
    this.waiting = waiting;
    new IntersectionObserver(
      (entries) => {
        this.#inSight = entries[entries.length - 1].isIntersecting;
        this.#begin();
      },
      { rootMargin: AHEAD },
    ).observe(part);
    state.on("back", () => {
      this.#stale ||= this.#failed;
      this.#begin();
    });
  }

  /**
   * Says what is to be shown from now on.
   *
   * @param {What} what
   */
  changed(what) {
    this.#what = what;
    this.#stale = true;
    this.#begin();
  }

  async #begin() {
    // The observer is told of a view that was hidden only with the next frame.
    if (!this.#stale || !this.#inSight || !this.part.getClientRects().length) return;
    this.#stale = this.#failed = false;
    this.#running?.abort();
    const { signal } = (this.#running = new AbortController());
    const say = () => put(this.status, made("p", { className: "note" }, this.waiting));
    const saying = setTimeout(say, PATIENCE);
    this.part.setAttribute("aria-busy", "true");
    try {
      await this.load(/** @type {What} */ (this.#what), signal);
      if (!signal.aborted) complain(this.status, null);
    } catch (error) {
      if (signal.aborted) return;
      this.#failed = true;
      complain(this.status, error);
    } finally {
      clearTimeout(saying);
      if (!signal.aborted) this.part.removeAttribute("aria-busy");
    }
  }
}

/**
 * Brings a part in sight, with the focus on its heading.
 *
 * @param {Element} part
 */
export function reach(part) {
  part.scrollIntoView({ block: "start" });
  part.querySelector("h2")?.focus({ preventScroll: true });
}

/** @param {string} code where it is computed, as "evaluation/report.py: report" */
export const codeLine = (code) => made("p", { className: "note" }, made("code", {}, code));
