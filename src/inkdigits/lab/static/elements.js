/* Elements that several views use: a glyph, the bars of an answer, a row of labelled glyphs. */

import { button, made, put } from "./dom.js";
import { words } from "./words.js";

const SIDE = 28;

/**
 * A glyph as large as the style says, white ink on black in every theme: it is what the network gets.
 *
 * `show(bytes)` draws 784 bytes; null draws a blank.
 */
export class InkGlyph extends HTMLElement {
  #canvas = made("canvas", { width: SIDE, height: SIDE });

  connectedCallback() {
    if (!this.#canvas.parentNode) this.append(this.#canvas);
    this.setAttribute("role", "img");
    if (!this.hasAttribute("aria-label")) this.setAttribute("aria-label", words.lab.glyph);
  }

  /** @param {Uint8Array | null} bytes @param {string} [name] what a screen reader says of it */
  show(bytes, name) {
    const context = this.#canvas.getContext("2d");
    if (!context) return;
    const picture = context.createImageData(SIDE, SIDE);
    (bytes ?? new Uint8Array(SIDE * SIDE)).forEach((level, n) => {
      picture.data.set([level, level, level, 255], 4 * n);
    });
    context.putImageData(picture, 0, 0);
    if (name) this.setAttribute("aria-label", name);
  }
}

/**
 * How probable each digit is, as a table of bars; `show` takes ten probabilities, that of no digit,
 * or null where the model cannot tell, and which row stands out: 0 to 9, 10 for none, −1 for no row.
 */
export class InkBars extends HTMLElement {
  /** @type {{ row: HTMLElement, fill: HTMLElement, value: HTMLElement }[]} */
  #rows = [];

  connectedCallback() {
    if (this.#rows.length) return;
    const body = made("tbody");
    for (const name of [..."0123456789", words.draw.barNone]) {
      const fill = made("span");
      const value = made("span.value");
      const row = made(
        "tr",
        made("th", { scope: "row" }, name),
        made("td", made("div", made("span.track", fill), value)),
      );
      body.append(row);
      this.#rows.push({ row, fill, value });
    }
    const head = (/** @type {string} */ name) =>
      made("th", { scope: "col" }, made("span.aloud", name));
    this.append(
      made(
        "table.bars",
        made("caption", words.draw.bars),
        made(
          "thead",
          made("tr", head(words.draw.barDigit), head(words.draw.barProbability)),
        ),
        body,
      ),
    );
    this.show(null, null, -1);
  }

  /** @param {number[] | null} probabilities @param {number | null} none @param {number} best */
  show(probabilities, none, best) {
    this.#rows.forEach(({ row, fill, value }, n) => {
      const share = n < 10 ? (probabilities?.[n] ?? null) : none;
      row.classList.toggle("best", n === best);
      fill.style.transform = `scaleX(${share ?? 0})`;
      value.textContent = share === null ? "–" : words.share(share);
    });
  }
}

/**
 * Glyphs in a row that wraps, each with a line or two below it; a button where one can be chosen.
 *
 * @param {GalleryItem[]} items
 * @returns {HTMLUListElement}
 */
export function gallery(items) {
  return made(
    "ul.gallery",
    items.map(({ glyph, caption, name, act }) => {
      const picture = new InkGlyph();
      picture.show(glyph, name);
      const inside = [picture, made("span.caption", caption)];
      return made("li", act ? made("button", { type: "button", onclick: act }, inside) : inside);
    }),
  );
}

/**
 * The first of many items in a gallery, and a button for the next.
 *
 * @template Item
 * @param {Item[]} items
 * @param {number} size how many at once
 * @param {(some: Item[]) => Promise<HTMLUListElement>} galleryOf
 */
export async function pages(items, size, galleryOf) {
  const list = await galleryOf(items.slice(0, size));
  const trouble = made("div");
  const more = button(words.lab.more, async () => {
    const from = list.childElementCount;
    try {
      const next = await galleryOf(items.slice(from, from + size));
      if (list.childElementCount === from) list.append(...next.children); // unless pressed twice
      complain(trouble, null);
    } catch (error) {
      complain(trouble, error);
    }
    more.hidden = list.childElementCount === items.length;
    const heir = more.hidden ? document.querySelector("main") : more;
    (list.children[from]?.querySelector("button") ?? heir)?.focus();
  });
  more.hidden = items.length <= size;
  return made("div", list, more, trouble);
}

/**
 * A message where something could not be done.
 *
 * @param {Element} place
 * @param {unknown} error null takes the message away
 */
export function complain(place, error) {
  const message = error instanceof Error ? error.message : String(error ?? "");
  put(place, error ? made("p.complaint", { role: "alert" }, message) : null);
}

customElements.define("ink-glyph", InkGlyph);
customElements.define("ink-bars", InkBars);
