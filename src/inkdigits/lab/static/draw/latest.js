/* Questions that overtake each other: while one draws, only the latest answer counts. */

export class Latest {
  /** @type {AbortController | null} */
  #flight = null;

  /** @param {() => void} [changed] told when an answer may no longer be waited for, or is */
  constructor(changed = () => {}) {
    this.changed = changed;
  }

  /** Whether an answer is still to come. */
  get waiting() {
    return this.#flight !== null;
  }

  /** Whatever was asked, its answer is not wanted any more. */
  forget() {
    this.#flight?.abort();
    this.#flight = null;
    this.changed();
  }

  /**
   * Asks, in place of what was asked before; one of `got` and `failed` is called, unless this is
   * overtaken in its turn.
   *
   * @template Answer
   * @param {(signal: AbortSignal) => Promise<Answer>} question
   * @param {(answer: Answer) => void} got
   * @param {(error: unknown) => void} failed
   */
  async ask(question, got, failed) {
    this.forget();
    const flight = new AbortController();
    this.#flight = flight;
    this.changed();
    const tell = await question(flight.signal).then(
      (answer) => () => got(answer),
      (error) => () => failed(error),
    );
    if (this.#flight !== flight) return;
    this.#flight = null;
    tell();
    this.changed();
  }
}
