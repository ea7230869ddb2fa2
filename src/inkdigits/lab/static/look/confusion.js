/* The confusion matrix: what is read as what, and the pictures behind each number. */

import { get, images, withQuery } from "../api.js";
import { button, explained, made, put, speak } from "../dom.js";
import { complain, gallery } from "../elements.js";
import { tint } from "./heat.js";
import { lookAt } from "./looked.js";
import { WhenSeen } from "./seen.js";
import { words } from "../words.js";

const DIGITS = [...Array(10).keys()];
const AT_ONCE = 40; // pictures of a cell

/** @typedef {{ counts: number[][], correct: number, accuracy: number, total: number }} Confusion */

export class InkConfusion extends HTMLElement {
  #note = made("p", { className: "lead" });
  #body = made("tbody");
  #table = explained(
    made(
      "table",
      { className: "confusion", hidden: true },
      made("caption", { className: "aloud" }, words.look.confusion),
      made(
        "thead",
        {},
        made(
          "tr",
          {},
          made("th", { scope: "col" }, made("span", { className: "aloud" }, words.look.trueDigit)),
          DIGITS.map((n) => made("th", { scope: "col" }, spoken(words.look.readAs(n)), shown(n))),
        ),
      ),
      this.#body,
    ),
    words.look.confusionHelp,
  );
  #cell = made("div", { className: "cell" });
  #model = "";
  #seen = new WhenSeen(this, (signal) => this.#load(signal));
  /** @type {AbortController | null} */
  #asking = null;
  /** Told when a picture is chosen to be looked at. */
  onlook = () => {};

  connectedCallback() {
    if (this.#table.parentNode) return;
    this.append(
      made("h2", { tabIndex: -1 }, words.look.confusion),
      this.#note,
      this.#seen.status,
      made(
        "div",
        { className: "confusion-columns" },
        made("div", {}, made("p", { className: "note axis", hidden: true }), this.#table),
        this.#cell,
      ),
      made("p", { className: "note" }, made("code", {}, words.look.confusionCode)),
    );
    this.#table.addEventListener("keydown", (event) => this.#key(event));
    this.#table.addEventListener("focusin", (event) => this.#rove(event.target));
  }

  /** @param {string} model */
  show(model) {
    if (model !== this.#model) put(this.#cell);
    this.#model = model;
    this.#seen.changed();
  }

  /** @param {AbortSignal} signal */
  async #load(signal) {
    /** @type {Confusion} */
    const { counts, accuracy, total, correct } = await get(
      withQuery("/api/lab/look/confusion", { model: this.#model }),
      { signal },
    );
    if (signal.aborted) return;
    put(this.#note, words.look.accuracy(correct, total, accuracy));
    const most = Math.max(1, ...counts.flatMap((row, n) => row.filter((_, m) => m !== n)));
    const had = this.#table.contains(document.activeElement);
    put(
      this.#body,
      counts.map((row, label) =>
        made(
          "tr",
          {},
          made("th", { scope: "row" }, spoken(words.look.truly(label)), shown(label)),
          row.map((count, answer) => this.#made(label, answer, count, most)),
        ),
      ),
    );
    this.#table.hidden = false;
    const axis = this.querySelector(".axis");
    if (axis instanceof HTMLElement) {
      axis.hidden = false;
      put(axis, words.look.axes);
    }
    const first = this.#body.querySelector("button");
    if (first) {
      first.tabIndex = 0;
      if (had) first.focus();
    }
  }

  /**
   * A cell: a button where there is something to show.
   *
   * @param {number} label
   * @param {number} answer
   * @param {number} count
   * @param {number} most the largest number of mistakes of a kind
   */
  #made(label, answer, count, most) {
    const cell = made("td", { className: label === answer ? "right" : "" });
    if (!count) {
      put(cell, made("span", {}, "0"));
      return cell;
    }
    const act = made(
      "button",
      {
        type: "button",
        tabIndex: -1,
        onclick: () => this.#open(label, answer, count, act),
        "aria-label": words.look.cellNamed(label, answer, count),
      },
      String(count),
    );
    // A single mistake can be seen beside dozens: the scale begins at a third, and is logarithmic.
    const share = 0.33 + (0.67 * Math.log(count)) / Math.log(Math.max(2, most));
    if (label !== answer) tint(act, -share, 1);
    put(cell, act);
    return cell;
  }

  /**
   * @param {number} label
   * @param {number} answer
   * @param {number} count
   * @param {HTMLElement} from
   */
  async #open(label, answer, count, from) {
    for (const other of this.#body.querySelectorAll("[aria-pressed]")) {
      other.removeAttribute("aria-pressed");
    }
    from.setAttribute("aria-pressed", "true");
    const title = words.look.cellNamed(label, answer, count);
    this.#asking?.abort();
    const { signal } = (this.#asking = new AbortController());
    const heading = made("h3", {}, title);
    const list = made("div");
    const wrong = made("div");
    const again = () => show().catch((error) => complain(wrong, error));
    const more = button("", again, words.look.moreHelp, { hidden: true });
    put(this.#cell, heading, made("p", { className: "note" }, words.look.waiting));
    /** @type {{ data: string, indices: number[], confidence: number[] }} */
    let found;
    let shown = 0;
    const show = async () => {
      const part = found.indices.slice(shown, shown + AT_ONCE);
      const { data } = found;
      const glyphs = await images(data, part);
      const items = part.map((index, n) => ({
        glyph: glyphs[n],
        caption: words.share(found.confidence[shown + n], 0),
        name: words.look.cellPicture(index, found.confidence[shown + n]),
        act: () => {
          lookAt(data, index);
          this.onlook();
        },
      }));
      const all = list.querySelector("ul");
      const fresh = [...gallery(items).children];
      if (all) all.append(...fresh);
      else put(list, explained(gallery(items), words.look.cellHelp));
      const first = fresh[0]?.querySelector("button");
      if (shown && first) first.focus();
      shown += part.length;
      more.textContent = words.look.more(Math.min(AT_ONCE, found.indices.length - shown));
      more.hidden = shown >= found.indices.length;
    };
    try {
      const query = { model: this.#model, label, answer };
      found = await get(withQuery("/api/lab/look/confusion/cell", query), { signal });
      await show();
      if (signal.aborted) return;
      const note = made("p", { className: "note" }, words.look.cellNote);
      put(this.#cell, heading, note, list, more, wrong);
      speak(words.look.cellOpen(title));
    } catch (error) {
      if (signal.aborted) return;
      put(this.#cell, heading, wrong);
      complain(wrong, error);
    }
  }

  /** @param {EventTarget | null} target */
  #rove(target) {
    if (!(target instanceof HTMLButtonElement)) return;
    for (const other of this.#body.querySelectorAll('[tabindex="0"]')) {
      other.setAttribute("tabindex", "-1");
    }
    target.tabIndex = 0;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    /** @type {Record<string, [number, number]>} */
    const ways = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const way = ways[event.key];
    const cell = event.target instanceof Element ? event.target.closest("td") : null;
    const row = cell?.parentElement;
    if (!way || !cell || !row || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    let [down, across] = [[...this.#body.children].indexOf(row), [...row.children].indexOf(cell)];
    // Cells without pictures are passed over.
    for (;;) {
      [down, across] = [down + way[0], across + way[1]];
      const there = this.#body.children[down]?.children[across];
      if (!there || there.tagName !== "TD") return;
      const found = there.querySelector("button");
      if (found) return found.focus();
    }
  }
}

/** @param {string} text */
const spoken = (text) => made("span", { className: "aloud" }, text);

/** @param {number} digit */
const shown = (digit) => made("span", { "aria-hidden": "true" }, digit);

customElements.define("ink-confusion", InkConfusion);
