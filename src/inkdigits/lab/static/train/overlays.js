/* The runs whose curves are laid over those of the run that is shown. */

import { Story, storyOf } from "./follow.js";

const MOST = 4; // as many as there are colours left

/** Stories of some runs, kept while they are overlaid. */
export class Overlays {
  /** @type {Map<string, Story>} */
  #stories = new Map();

  get ids() {
    return new Set(this.#stories.keys());
  }

  /**
   * Takes a run in or out; beyond the most, the first one goes.
   *
   * @param {string} id
   * @param {boolean} on
   */
  async turn(id, on) {
    this.#stories.delete(id);
    if (!on) return;
    this.#stories.set(id, new Story());
    const [first] = this.#stories.keys();
    if (this.#stories.size > MOST) this.#stories.delete(first);
    const story = await storyOf(id);
    if (this.#stories.has(id)) this.#stories.set(id, story);
  }

  /**
   * The stories of those that are there.
   *
   * @param {RunSummary[]} runs
   */
  of(runs) {
    return [...this.#stories].flatMap(([id, story]) => {
      const run = runs.find((one) => one.id === id);
      return run ? [{ name: run.name, story }] : [];
    });
  }
}
