/* Work that waits until somebody can see what comes of it. */

import { complain } from "../elements.js";
import { made, put } from "../dom.js";
import { state } from "../state.js";
import { words } from "../words.js";

const PATIENCE = 300; // milliseconds before a word of waiting: most answers are quicker
const AHEAD = "160px"; // begun so far before it comes into sight

/** @param {unknown} error */
export const abandoned = (error) => error instanceof DOMException && error.name === "AbortError";

/**
 * Loads a part of the page when it is in sight and something has changed since the last time.
 *
 * What is still being loaded when it changes again is abandoned. While it waits there is a word of
 * that in the part's line of status; what goes wrong is said there too, and tried again when the
 * lab is back.
 */
export class WhenSeen {
  #stale = false;
  #inSight = false;
  #failed = false;
  /** @type {AbortController | null} */
  #running = null;

  /**
   * @param {Element} part
   * @param {(signal: AbortSignal) => Promise<void>} load
   * @param {string} [waiting] what is said meanwhile
   */
  constructor(part, load, waiting = words.look.waiting) {
    this.part = part;
    this.load = load;
    this.waiting = waiting;
    this.status = made("div", { className: "waiting" });
    new IntersectionObserver(
      (entries) => {
        this.#inSight = entries[entries.length - 1].isIntersecting;
        this.#begin();
      },
      { rootMargin: AHEAD },
    ).observe(part);
    state.on("back", () => this.#failed && this.changed());
  }

  /** Says that what is shown is no longer what it should be. */
  changed() {
    this.#stale = true;
    this.#begin();
  }

  async #begin() {
    // The observer is told of a view that was hidden only with the next frame.
    if (!this.#stale || !this.#inSight || !this.part.getClientRects().length) return;
    this.#stale = this.#failed = false;
    this.#running?.abort();
    const running = (this.#running = new AbortController());
    const say = () => put(this.status, made("p", { className: "note" }, this.waiting));
    const saying = setTimeout(say, PATIENCE);
    this.part.setAttribute("aria-busy", "true");
    try {
      await this.load(running.signal);
      if (!running.signal.aborted) complain(this.status, null);
    } catch (error) {
      if (abandoned(error) || running.signal.aborted) return;
      this.#failed = true;
      complain(this.status, error);
    } finally {
      clearTimeout(saying);
      if (this.#running === running) this.part.removeAttribute("aria-busy");
    }
  }
}
