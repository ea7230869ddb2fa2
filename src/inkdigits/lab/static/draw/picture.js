/* A picture instead of a drawing: chosen, dropped, pasted or taken; and the stages on its way to
   the network. */

import { button, made } from "../dom.js";
import { complain } from "../elements.js";
import { draw as say } from "../words.js";
import { captioned } from "./answer.js";
import { InkCamera } from "./camera.js";
import { outline } from "./numbers.js";

const MOST_MEGABYTES = 32; // the lab takes no more

/**
 * The stages of a picture, as far as a reading has them: the picture with the digit's box, its ink;
 * of a page, the picture with its boxes.
 *
 * @param {Reading} reading
 * @param {HTMLElement} [boxes]
 */
export function stagesOf({ stages, box, size }, boxes) {
  if (!stages) return [];
  const image = (/** @type {string} */ png, /** @type {string} */ alt) =>
    made("img", { src: `data:image/png;base64,${png}`, alt });
  const caption = boxes ? say.stagePage : say.stagePicture;
  const over = boxes ?? (box && outline("box", box, size));
  const ink = boxes ? null : stages.ink;
  return [
    captioned(made("div.frame", image(stages.picture, caption), over), caption),
    ink && captioned(image(ink, say.stageInk), say.stageInk),
  ];
}

/**
 * The ways to a picture: calls `came` with the bytes of each, and `left` when the drawing is wanted
 * again, by the button `back`. Dropped and pasted ones count while the view is shown.
 */
export class InkSources extends HTMLElement {
  back = button(say.back, () => this.#leave(), { hidden: true });

  #trouble = made("div");

  /** @param {{ came: (picture: Uint8Array) => void, left: () => void }} told */
  constructor({ came, left }) {
    super();
    this.came = came;
    this.left = left;
    const camera = new InkCamera((picture) => this.#take(picture));
    const file = made("input", { type: "file", accept: "image/*", hidden: true });
    file.addEventListener("change", () => {
      const [picture] = file.files ?? [];
      if (picture) this.#take(picture);
      file.value = ""; // so that the same one can be chosen again
    });
    this.append(
      made("p.note", say.sources),
      made(
        "div.tools",
        button(say.choose, () => file.click()),
        button(say.camera, () => camera.open()),
        this.back,
      ),
      file,
      this.#trouble,
      camera,
    );
    // Anywhere on the page: a picture dropped beside the view would take its place otherwise.
    addEventListener("dragover", (event) => {
      if (this.#shown && event.dataTransfer?.types.includes("Files")) event.preventDefault();
    });
    addEventListener("drop", (event) => {
      if (!this.#shown) return;
      event.preventDefault();
      this.#given(event.dataTransfer);
    });
    document.addEventListener("paste", (event) => {
      const text = event.target instanceof Element && event.target.closest("input, textarea");
      if (this.#shown && !text) this.#given(event.clipboardData);
    });
  }

  get #shown() {
    return !this.closest("[hidden]");
  }

  /** @param {DataTransfer | null} data */
  #given(data) {
    const [picture] = data?.files ?? [];
    if (picture) this.#take(picture);
    else complain(this.#trouble, say.noPicture);
  }

  /** @param {Blob} picture */
  async #take(picture) {
    complain(this.#trouble, null);
    try {
      if (picture.size > MOST_MEGABYTES * 2 ** 20) throw say.tooLarge(MOST_MEGABYTES);
      this.came(new Uint8Array(await picture.arrayBuffer()));
    } catch (error) {
      complain(this.#trouble, error);
    }
  }

  #leave() {
    complain(this.#trouble, null);
    this.left();
  }
}

customElements.define("ink-sources", InkSources);
