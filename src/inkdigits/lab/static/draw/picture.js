/* A picture instead of a drawing: chosen, dropped, pasted or taken; and the stages on its way to
   the network. */

import { bytesOf } from "../api.js";
import { button, made } from "../dom.js";
import { complain, InkGlyph } from "../elements.js";
import { InkCamera } from "./camera.js";
import { words } from "../words.js";

/** @typedef {import("../types").Reading} Reading */

export const MOST_BYTES = 32 * 2 ** 20; // the lab takes no more

/** The picture's stages: with the digit's box, its ink, the glyph. */
export class InkStages extends HTMLElement {
  #picture = made("img", { alt: words.draw.stageBox });
  #box = made("div", { className: "box" });
  #ink = made("img", { alt: words.draw.stageInkNamed });
  #glyph = new InkGlyph();
  #small = made("div", { className: "small" });
  #frame = made("div", { className: "frame" });

  connectedCallback() {
    if (this.firstChild) return;
    const captioned = (/** @type {string} */ caption, /** @type {HTMLElement} */ element) =>
      made("figure", {}, element, made("figcaption", {}, caption));
    this.#frame.append(this.#picture, this.#box);
    this.#small.append(
      captioned(words.draw.stageInk, this.#ink),
      captioned(words.draw.stageGlyph, this.#glyph),
    );
    this.append(captioned(words.draw.stagePicture, this.#frame), this.#small);
  }

  /** @param {Reading | null} reading with its stages */
  show(reading) {
    const stages = reading?.stages;
    const box = reading?.box;
    this.classList.toggle("empty", !stages);
    this.#small.hidden = !stages?.ink;
    this.#box.hidden = !box;
    for (const [image, data] of /** @type {const} */ ([
      [this.#picture, stages?.picture],
      [this.#ink, stages?.ink],
    ])) {
      if (data) image.src = `data:image/png;base64,${data}`;
      else image.removeAttribute("src");
    }
    if (reading && box) {
      const [width, height] = reading.size;
      /** @type {(part: number, all: number) => string} */
      const share = (part, all) => `${(100 * part) / all}%`;
      this.#box.style.left = share(box[0], width);
      this.#box.style.top = share(box[1], height);
      this.#box.style.width = share(box[2], width);
      this.#box.style.height = share(box[3], height);
    }
    this.#glyph.show(reading?.glyph ? bytesOf(reading.glyph) : null);
  }
}

/**
 * The ways to a picture: calls `came` with the bytes of each, and `left` when the drawing is wanted
 * again. Dropped and pasted ones count while `wanted()` says so.
 */
export class InkSources extends HTMLElement {
  came = (/** @type {Uint8Array} */ _picture) => {};
  left = () => {};
  wanted = () => true;

  #trouble = made("div", { className: "trouble" });
  #camera = new InkCamera();
  #back = button(words.draw.back, () => this.#leave(), words.draw.backHelp, { hidden: true });

  connectedCallback() {
    if (this.firstChild) return;
    const file = made("input", { type: "file", accept: "image/*", hidden: true });
    file.addEventListener("change", () => {
      const [picture] = file.files ?? [];
      if (picture) this.#take(picture);
      file.value = ""; // so that the same one can be chosen again
    });
    this.#camera.took = (picture) => this.#take(picture);
    this.append(
      made("p", { className: "note" }, words.draw.sources),
      made(
        "div",
        { className: "tools" },
        button(words.draw.choose, () => file.click(), words.draw.chooseHelp),
        button(words.draw.camera, () => this.#camera.open(), words.draw.cameraHelp),
        this.#back,
      ),
      file,
      this.#trouble,
      this.#camera,
    );
    // Anywhere on the page: a picture dropped beside the view would take its place otherwise.
    addEventListener("dragover", (event) => {
      if (this.wanted() && event.dataTransfer?.types.includes("Files")) event.preventDefault();
    });
    addEventListener("drop", (event) => {
      if (!this.wanted()) return;
      event.preventDefault();
      this.#given(event.dataTransfer);
    });
    document.addEventListener("paste", (event) => {
      const text = event.target instanceof Element && event.target.closest("input, textarea");
      if (!this.wanted() || text) return;
      this.#given(event.clipboardData);
    });
  }

  /** @param {boolean} shown whether there is a picture, and so a way back from it */
  set showing(shown) {
    this.#back.hidden = !shown;
  }

  focusBack() {
    this.#back.focus();
  }

  /** @param {DataTransfer | null} data */
  #given(data) {
    const [picture] = data?.files ?? [];
    if (picture) this.#take(picture);
    else complain(this.#trouble, words.draw.noPicture);
  }

  /** @param {Blob} picture */
  async #take(picture) {
    complain(this.#trouble, null);
    if (picture.size > MOST_BYTES) {
      complain(this.#trouble, words.draw.tooLarge(picture.size, MOST_BYTES));
      return;
    }
    try {
      this.came(new Uint8Array(await picture.arrayBuffer()));
    } catch {
      complain(this.#trouble, words.draw.notRead);
    }
  }

  #leave() {
    complain(this.#trouble, null);
    this.left();
  }
}

customElements.define("ink-stages", InkStages);
customElements.define("ink-sources", InkSources);
