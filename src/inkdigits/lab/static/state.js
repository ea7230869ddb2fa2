/* What the page remembers over a reload and a restart of the lab, and what its parts tell each other. */

import { get, store } from "./api.js";

const SOON = 400; // milliseconds after a change it is kept

/**
 * Values by name, kept by the lab as one JSON object. Each change is told as an event with the
 * value's name; `tell` sends events that are not kept.
 */
class State extends EventTarget {
  /** @type {Record<string, any>} */
  #values = {};
  #timer = 0;
  #flight = false;

  async load() {
    this.#values = await get("/api/lab/state");
    addEventListener("pagehide", () => this.#save(true));
  }

  /**
   * @template Kind
   * @param {string} name
   * @param {Kind} otherwise
   * @returns {Kind}
   */
  get(name, otherwise) {
    return this.#values[name] ?? otherwise;
  }

  /** @param {string} name @param {unknown} value */
  set(name, value) {
    this.#values[name] = value;
    this.#timer ||= window.setTimeout(() => this.#save(false), SOON);
    this.tell(name, value);
  }

  /** @param {string} name @param {unknown} [detail] */
  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** @param {string} name @param {(detail: any) => void} listener */
  on(name, listener) {
    this.addEventListener(name, (event) => listener(/** @type {CustomEvent} */ (event).detail));
  }

  /** @param {boolean} leaving */
  #save(leaving) {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.#flight && !leaving) {
      // Two at a time could arrive the newer one first.
      this.#timer = window.setTimeout(() => this.#save(false), SOON);
      return;
    }
    this.#flight = true;
    store("/api/lab/state", this.#values, { keepalive: leaving })
      .catch(() => {
        // The lab is away: what is missed now is kept with the next change, or when it is back.
        if (!leaving) this.#timer ||= window.setTimeout(() => this.#save(false), 5 * SOON);
      })
      .finally(() => (this.#flight = false));
  }
}

export const state = new State();
