/* What the parts of the view have in common: they are loaded when they are seen, can be brought in
   sight, and name the code that makes them. */

import { made, put } from "../dom.js";
import { complain } from "../elements.js";
import { state } from "../state.js";
import { words } from "../words.js";

const PATIENCE = 300; // milliseconds before a word of waiting: most answers are quicker
const AHEAD = "100% 0%"; // begun a screen before it comes into sight

/**
 * A part of the view: loads what it shows when it is in sight and there is something new.
 *
 * What is still being loaded when that changes is abandoned. A word of waiting and what goes wrong
 * stand in the line of status; after an error it is tried again when the lab is back.
 *
 * @template What
 */
export class Part extends HTMLElement {
  #stale = false;
  #inSight = false;
  #failed = false;
  /** @type {What | undefined} */
  #what;
  #running = new AbortController();
  status = made("div");
  waiting = words.look.waiting;

  constructor() {
    super();
    const observer = new IntersectionObserver(
      (entries) => {
        this.#inSight = entries[entries.length - 1].isIntersecting;
        this.#begin();
      },
      { rootMargin: AHEAD },
    );
    observer.observe(this);
    state.on("back", () => {
      this.#stale ||= this.#failed;
      this.#begin();
    });
  }

  /** @param {What} what is to be seen from now on */
  show(what) {
    this.#what = what;
    this.#stale = true;
    this.#begin();
  }

  /**
   * Fetches what there is to see and puts it in place, if it has not been abandoned.
   *
   * @param {What} what
   * @param {AbortSignal} signal
   */
  async load(what, signal) {}

  async #begin() {
    // The observer is told of a view that was hidden only with the next frame.
    if (!this.#stale || !this.#inSight || !this.getClientRects().length) return;
    this.#stale = this.#failed = false;
    this.#running.abort();
    const { signal } = (this.#running = new AbortController());
    const say = () => put(this.status, made("p.note", this.waiting));
    const saying = setTimeout(say, PATIENCE);
    this.setAttribute("aria-busy", "true");
    try {
      await this.load(/** @type {What} */ (this.#what), signal);
      if (!signal.aborted) complain(this.status, null);
    } catch (error) {
      if (signal.aborted) return;
      this.#failed = true;
      complain(this.status, error);
    } finally {
      clearTimeout(saying);
      if (!signal.aborted) this.removeAttribute("aria-busy");
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
export const codeLine = (code) => made("p.note", made("code", code));
