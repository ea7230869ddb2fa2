/* The user's corrections: the digits that were kept, each of which can go again, and what a network
   can learn from them. */

import { bytesOf, get, post, remove, withQuery } from "../api.js";
import { button, freshId, made, put, speak } from "../dom.js";
import { complain, InkGlyph } from "../elements.js";
import { InkLesson } from "./lesson.js";
import { state } from "../state.js";
import { words } from "../words.js";

/** @typedef {import("../types").Correction} Correction */

const AT_FIRST = 40; // of the newest ones

export class InkCorrections extends HTMLElement {
  #count = made("p");
  #trouble = made("div");
  #undone = made("div", { className: "tools" });
  #list = made("ul", { className: "gallery", tabIndex: -1 });
  #more = button("", () => this.#showAll(), words.draw.showAllHelp, { className: "plain" });
  #lesson = new InkLesson();
  #most = AT_FIRST;
  /** @type {Correction[]} */
  #kept = [];

  connectedCallback() {
    if (this.firstChild) return;
    const title = freshId();
    this.#list.setAttribute("aria-labelledby", title);
    this.append(
      made(
        "section",
        { className: "columns half", "aria-labelledby": title },
        made(
          "div",
          {},
          made("h2", { id: title }, words.draw.kept),
          this.#count,
          this.#trouble,
          this.#lesson,
        ),
        made("div", {}, this.#list, this.#more, this.#undone),
      ),
    );
    state.on("kept", () => this.load());
    this.load();
  }

  /** Shows what is kept now. */
  async load() {
    try {
      const { corrections, counts } = await get("/api/lab/corrections");
      this.#kept = corrections;
      this.#show(counts);
      complain(this.#trouble, null);
    } catch (error) {
      complain(this.#trouble, error);
    }
  }

  /** @param {number[]} counts */
  #show(counts) {
    const total = this.#kept.length;
    this.#count.textContent = total ? words.draw.keptCount(counts) : words.draw.keptNone;
    this.#lesson.kept = total;
    this.#more.hidden = total <= this.#most;
    this.#more.textContent = words.draw.showAll(total);
    put(
      this.#list,
      this.#kept.slice(0, this.#most).map((each) => {
        const glyph = new InkGlyph();
        glyph.show(bytesOf(each.glyph), words.draw.keptNamed(each.label));
        return made(
          "li",
          {},
          glyph,
          made(
            "div",
            {},
            made("span", { className: "caption" }, each.label),
            button(words.draw.drop, () => this.#drop(each), words.draw.dropHelp, {
              className: "plain",
              "aria-label": words.draw.dropNamed(each.label),
            }),
          ),
        );
      }),
    );
  }

  #showAll() {
    this.#most = Infinity;
    this.load();
    this.#list.focus();
  }

  /** @param {Correction} gone */
  async #drop(gone) {
    try {
      await remove(`/api/lab/corrections/${gone.id}`);
    } catch (error) {
      complain(this.#trouble, error);
      return this.load();
    }
    const bring = button(words.draw.bring, () => this.#bring(gone), words.draw.bringHelp);
    const said = words.draw.dropped(gone.label);
    put(this.#undone, made("p", {}, said), bring);
    bring.focus(); // the button that had it is gone with its digit
    speak(said);
    state.tell("kept", { label: gone.label });
  }

  /** @param {Correction} gone */
  async #bring({ glyph, label }) {
    try {
      await post(withQuery("/api/lab/corrections", { label }), bytesOf(glyph));
    } catch (error) {
      complain(this.#trouble, error);
      return;
    }
    put(this.#undone);
    this.#list.focus();
    state.tell("kept", { label });
  }
}

customElements.define("ink-corrections", InkCorrections);
