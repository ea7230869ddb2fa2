/* What each digit is to the network: the pictures that it answers to most purely. */

import { bytesOf, get, withQuery } from "../api.js";
import { explained, made, put } from "../dom.js";
import { gallery } from "../elements.js";
import { lookAt } from "./looked.js";
import { WhenSeen } from "./seen.js";
import { words } from "../words.js";

const PIXELS = 784;

export class InkImagined extends HTMLElement {
  #pictures = made("div");
  #model = "";
  #seen = new WhenSeen(this, (signal) => this.#load(signal));
  /** Told when one is chosen to be looked at. */
  onlook = () => {};

  connectedCallback() {
    if (this.#pictures.parentNode) return;
    this.append(
      made("h2", { tabIndex: -1 }, words.look.imagined),
      made("p", { className: "lead" }, words.look.imaginedLead),
      this.#seen.status,
      explained(this.#pictures, words.look.imaginedHelp),
      made("p", { className: "note" }, made("code", {}, words.look.imaginedCode)),
    );
  }

  /** @param {string} model */
  show(model) {
    this.#model = model;
    this.#seen.changed();
  }

  /** @param {AbortSignal} signal */
  async #load(signal) {
    const query = withQuery("/api/lab/look/backquery", { model: this.#model });
    const { digits } = await get(query, { signal });
    const all = bytesOf(digits);
    if (signal.aborted) return;
    const items = Array.from({ length: 10 }, (_, digit) => {
      const glyph = all.slice(PIXELS * digit, PIXELS * (digit + 1));
      const name = words.look.imaginedDigit(digit);
      const act = () => {
        lookAt("imagined", digit, btoa(String.fromCharCode(...glyph)));
        this.onlook();
      };
      return { glyph, caption: String(digit), name, act };
    });
    put(this.#pictures, gallery(items));
  }
}

customElements.define("ink-imagined", InkImagined);
