/* The view Train: choose a network, watch it learn, keep it, compare it. */

import { get } from "../api.js";
import { InkBench } from "./bench.js";
import { made } from "../dom.js";
import { complain } from "../elements.js";
import { state } from "../state.js";
import { words } from "../words.js";

/** The view, which waits until the lab says what can be trained. */
export class InkTrain extends HTMLElement {
  #complaint = made("div");
  /** @type {InkBench | null} */
  #bench = null;

  constructor() {
    super();
    this.append(made("h1.aloud", words.lab.views.train[0]), this.#complaint);
    state.on("back", () => this.#load());
    this.#load();
  }

  async #load() {
    try {
      if (!this.#bench) {
        this.#bench = new InkBench(await get("/api/lab/recipes"));
        this.append(this.#bench);
      }
      complain(this.#complaint, null);
      await this.#bench.refresh();
    } catch (error) {
      complain(this.#complaint, error);
    }
  }
}

customElements.define("ink-train", InkTrain);
