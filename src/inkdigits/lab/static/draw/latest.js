/* Questions that overtake each other: while one draws, only the latest answer counts. */

export class Latest {
  /** @type {AbortController | null} */
  #flight = null;

  /** @param {Element} place busy while an answer is to come */
  constructor(place) {
    this.place = place;
  }

  get waiting() {
    return this.#flight !== null;
  }

  /** Whatever was asked, its answer is not wanted any more. */
  forget() {
    this.#flight?.abort();
    this.#fly(null);
  }

  /** @param {AbortController | null} flight */
  #fly(flight) {
    this.#flight = flight;
    this.place.ariaBusy = String(this.waiting);
  }

  /**
   * Asks, in place of what was asked before; calls one of `got` and `failed`, unless overtaken.
   *
   * @template Answer
   * @param {(signal: AbortSignal) => Promise<Answer>} question
   * @param {(answer: Answer) => void} got
   * @param {(error: unknown) => void} failed
   */
  async ask(question, got, failed) {
    this.forget();
    const flight = new AbortController();
    this.#fly(flight);
    const tell = await question(flight.signal).then(
      (answer) => () => got(answer),
      (error) => () => failed(error),
    );
    if (this.#flight !== flight) return;
    this.#fly(null);
    tell();
  }
}
