/* Asking what a picture says, again and again while it is drawn: one request at a time, the latest
   picture wins, and a stroke never waits for an answer. */

import { post, withQuery } from "../api.js";
import { state } from "../state.js";

/** @typedef {import("../types").Reading} Reading */

/**
 * @typedef {object} Asked
 * @property {Uint8Array} picture a picture file's content
 * @property {boolean} settled whether it is done, and not in the middle of a stroke
 * @property {number} since when it was done, on the page's clock
 */

const MOST_MEASURES = 100; // kept for whoever looks

export class Reader {
  /** @type {AbortController | null} */
  #flight = null;
  /** @type {Asked | null} */
  #next = null;
  #pause = 0;
  #measures = 0;

  /**
   * @param {(reading: Reading, asked: Asked) => void} got
   * @param {(error: unknown, asked: Asked) => void} failed
   */
  constructor(got, failed) {
    this.got = got;
    this.failed = failed;
  }

  /** Whether a picture in the middle of a stroke may be asked about: half of the time, at most. */
  get free() {
    return !this.#flight && performance.now() >= this.#pause;
  }

  /** @param {Asked} asked */
  ask(asked) {
    if (this.#flight) this.#next = asked;
    else this.#send(asked);
  }

  /** Whatever was asked, its answer is not wanted any more. */
  forget() {
    this.#next = null;
    this.#flight?.abort();
    this.#flight = null;
  }

  /** @param {Asked} asked */
  async #send(asked) {
    const flight = new AbortController();
    this.#flight = flight;
    const started = performance.now();
    const path = withQuery("/api/read", { model: state.get("model", "reader"), stages: true });
    try {
      const reading = await post(path, asked.picture, { signal: flight.signal });
      if (flight.signal.aborted) return;
      this.got(reading, asked);
      if (asked.settled) this.#measure(asked.since);
    } catch (error) {
      if (flight.signal.aborted) return;
      this.failed(error, asked);
    }
    if (this.#flight !== flight) return; // forgotten, and perhaps asked anew, meanwhile
    const now = performance.now();
    this.#pause = 2 * now - started;
    this.#flight = null;
    const next = this.#next;
    this.#next = null;
    if (next) this.#send(next);
  }

  /**
   * Notes, for tests and the benchmark, how long it took until the next frame shows the reading:
   * `performance.getEntriesByName("reading")`.
   *
   * @param {number} since
   */
  #measure(since) {
    requestAnimationFrame(() => {
      if (++this.#measures % MOST_MEASURES === 0) performance.clearMeasures("reading");
      performance.measure("reading", { start: since });
    });
  }
}
