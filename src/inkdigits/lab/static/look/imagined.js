/* What each digit is to the network: the pictures that it answers to most purely. */

import { bytesOf, get, withQuery } from "../api.js";
import { explained, made, put } from "../dom.js";
import { gallery } from "../elements.js";
import { goLookAt } from "./looked.js";
import { Part, codeLine } from "./parts.js";
import { look as say } from "../words.js";

const PIXELS = 784;

/** @extends {Part<string>} the name of a model */
export class InkImagined extends Part {
  #pictures = explained(made("div"), say.chooseHelp);

  constructor() {
    super();
    this.append(
      made("h2", { tabIndex: -1 }, say.imagined),
      made("p.lead", say.imaginedLead),
      this.status,
      this.#pictures,
      codeLine("inspection/backquery.py: imagined_digits"),
    );
  }

  /** @param {string} model @param {AbortSignal} signal */
  async load(model, signal) {
    const { digits } = await get(withQuery("/api/lab/look/backquery", { model }), { signal });
    const all = bytesOf(digits);
    const items = Array.from({ length: 10 }, (_, digit) => {
      const glyph = all.slice(PIXELS * digit, PIXELS * (digit + 1));
      const text = btoa(String.fromCharCode(...glyph));
      const act = () => goLookAt("imagined", digit, text);
      return { glyph, caption: String(digit), name: say.imaginedDigit(digit), act };
    });
    put(this.#pictures, gallery(items));
  }
}

customElements.define("ink-imagined", InkImagined);
