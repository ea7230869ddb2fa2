/* The user's corrections: the digits that were kept, each of which can go again, and what a network
   can learn from them. */

import { bytesOf, get, post, remove, withQuery } from "../api.js";
import { button, explained, made, put, speak } from "../dom.js";
import { complain, gallery } from "../elements.js";
import { state } from "../state.js";
import { draw as say } from "../words.js";
import { InkLesson } from "./lesson.js";

export class InkCorrections extends HTMLElement {
  #count = made("p");
  #trouble = made("div");
  #lesson = new InkLesson();
  #list = made("div.kept");
  #undone = made("div.tools");

  constructor() {
    super();
    const title = made("h2", say.kept);
    this.append(
      made(
        "section.columns.half",
        made("div.said", title, this.#count, this.#trouble, this.#lesson),
        made("div", this.#list, this.#undone),
      ),
    );
    state.on("kept", () => this.#load());
    this.#load();
  }

  async #load() {
    try {
      const { corrections, counts } = await get("/api/lab/corrections");
      this.#show(corrections, counts);
      complain(this.#trouble, null);
    } catch (error) {
      complain(this.#trouble, error);
    }
  }

  /** @param {Correction[]} kept the newest first @param {number[]} counts */
  #show(kept, counts) {
    this.#count.textContent = kept.length ? say.keptCount(counts) : say.keptNone;
    this.#lesson.kept = kept.length;
    const items = kept.map((each) => ({
      glyph: bytesOf(each.glyph),
      caption: String(each.label),
      name: say.drop,
      act: () => this.#drop(each),
    }));
    put(this.#list, explained(gallery(items), say.dropHelp));
  }

  /** @param {Correction} gone */
  async #drop(gone) {
    try {
      await remove(`/api/lab/corrections/${gone.id}`);
      const bring = button(say.bring, () => this.#bring(gone));
      put(this.#undone, made("p", say.dropped), bring);
      bring.focus(); // the button that had it goes with its digit
      speak(say.dropped);
      state.tell("kept");
    } catch (error) {
      await this.#load();
      complain(this.#trouble, error);
    }
  }

  /** @param {Correction} gone */
  async #bring({ glyph, label }) {
    try {
      await post(withQuery("/api/lab/corrections", { label }), bytesOf(glyph));
      await this.#load();
      put(this.#undone);
      this.#list.querySelector("button")?.focus();
    } catch (error) {
      complain(this.#trouble, error);
    }
  }
}

customElements.define("ink-corrections", InkCorrections);
