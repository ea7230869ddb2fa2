/* What a network looks like while it learns: its first weights, its layers, its worst mistakes. */

import { bytesOf, images } from "../api.js";
import { made, put } from "../dom.js";
import { InkGlyph } from "../elements.js";
import { words } from "../words.js";

/** @typedef {import("../types").RunNow} RunNow */

const say = words.train;
const DATA = "mnist:validation";
const MOST_WEIGHTS = 32; // pictures shown
const CELL = 40; // pixels of one
const GAP = 8;
const APART = 1000; // milliseconds between two looks for the most wrong

/**
 * The red, green and blue of one of the page's colours.
 *
 * @param {string} name
 */
function colour(name) {
  const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((at) => parseInt(value.slice(at, at + 2), 16));
}

/** First-layer weights as small pictures: paper is 0. */
export class InkWeights extends HTMLElement {
  #canvas = made("canvas", { role: "img" });
  #small = made("canvas");
  #note = made("p", { className: "note" });
  #shown = "";

  connectedCallback() {
    if (this.#canvas.parentNode) return;
    this.append(made("h3", {}, say.weights), this.#canvas, this.#note);
    new ResizeObserver(() => (this.#shown = "")).observe(this);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (this.#shown = ""));
  }

  /** @param {RunNow["weights"]} weights */
  show(weights) {
    this.hidden = !weights;
    const width = this.clientWidth;
    if (!weights || !width || this.#shown === weights.pixels) return;
    this.#shown = weights.pixels;
    const { count, side } = weights;
    const shown = Math.min(count, MOST_WEIGHTS);
    const columns = Math.max(1, Math.min(shown, Math.floor((width + GAP) / (CELL + GAP))));
    const rows = Math.ceil(shown / columns);
    const fine = devicePixelRatio;
    const size = (/** @type {number} */ cells) => cells * (CELL + GAP) - GAP;
    const canvas = this.#canvas;
    const context = canvas.getContext("2d");
    const small = this.#small.getContext("2d");
    if (!context || !small) return;
    canvas.width = Math.round(fine * size(columns));
    canvas.height = Math.round(fine * size(rows));
    canvas.style.width = `${size(columns)}px`;
    canvas.style.height = `${size(rows)}px`;
    this.#small.width = this.#small.height = side;
    context.scale(fine, fine);
    context.imageSmoothingEnabled = false;
    context.strokeStyle = `rgb(${colour("--line")})`;
    const paper = colour("--paper");
    const signs = [colour("--negative"), colour("--positive")];
    const levels = bytesOf(weights.pixels);
    const picture = small.createImageData(side, side);
    for (let unit = 0; unit < shown; unit++) {
      for (let n = 0; n < side * side; n++) {
        const value = (levels[unit * side * side + n] - 128) / 128;
        const full = signs[Number(value > 0)];
        for (let part = 0; part < 3; part++) {
          picture.data[4 * n + part] = paper[part] + Math.abs(value) * (full[part] - paper[part]);
        }
        picture.data[4 * n + 3] = 255;
      }
      small.putImageData(picture, 0, 0);
      const x = (unit % columns) * (CELL + GAP);
      const y = Math.floor(unit / columns) * (CELL + GAP);
      context.drawImage(this.#small, x, y, CELL, CELL);
      context.strokeRect(x + 0.5, y + 0.5, CELL - 1, CELL - 1);
    }
    const name = say.weightsName(shown);
    if (canvas.getAttribute("aria-label") !== name) {
      canvas.setAttribute("aria-label", name);
      put(this.#note, say.weightsNote(shown, count));
    }
  }
}

/** How strongly each layer is pulled, and whether its units are alive. */
export class InkLayerFigures extends HTMLElement {
  #body = made("tbody");

  connectedCallback() {
    if (this.#body.parentNode) return;
    const names = [say.layerName, say.gradient, say.size, say.dead];
    const head = names.map((name) => made("th", { scope: "col" }, name));
    this.append(
      made("h3", {}, say.gradients),
      made(
        "table",
        { className: "figures" },
        made("thead", {}, made("tr", {}, head)),
        this.#body,
      ),
      made("p", { className: "note" }, say.gradientsNote),
    );
  }

  /** @param {RunNow["layers"]} layers */
  show(layers) {
    this.hidden = !layers.length;
    while (this.#body.rows.length > layers.length) this.#body.deleteRow(-1);
    layers.forEach(({ layer, name, gradient_norm: gradient, weight_norm: size, dead }, n) => {
      let row = this.#body.rows[n];
      if (!row) {
        row = made("tr", {}, made("th", { scope: "row" }), made("td"), made("td"), made("td"));
        this.#body.append(row);
      }
      const texts = [
        `${layer} ${name}`,
        gradient === undefined ? say.none : say.number(gradient),
        size === undefined ? say.none : say.number(size),
        dead === undefined ? say.none : words.share(dead, 0),
      ];
      texts.forEach((text, at) => {
        if (row.cells[at].textContent !== text) row.cells[at].textContent = text;
      });
    });
  }
}

/** The validation digits that the network is most wrong about at this moment. */
export class InkWrong extends HTMLElement {
  #list = made("ul", { className: "gallery" });
  #shown = "";
  #next = 0;

  connectedCallback() {
    if (this.#list.parentNode) return;
    const note = made("p", { className: "note" }, say.wrongNote);
    this.append(made("h3", {}, say.wrong), this.#list, note);
  }

  /**
   * @param {RunNow["wrong"]} wrong
   * @param {boolean} live
   */
  async show(wrong, live) {
    this.hidden = !wrong.length;
    const text = JSON.stringify(wrong);
    if (text === this.#shown || (live && performance.now() < this.#next)) return;
    this.#next = performance.now() + APART;
    this.#shown = text;
    try {
      const glyphs = await images(
        DATA,
        wrong.map(({ index }) => index),
      );
      if (this.#shown === text) this.#draw(wrong, glyphs);
    } catch {
      this.#shown = ""; // they come with the next look
    }
  }

  /**
   * @param {RunNow["wrong"]} wrong
   * @param {Uint8Array[]} glyphs
   */
  #draw(wrong, glyphs) {
    const items = this.#list.children;
    while (items.length > wrong.length) items[items.length - 1].remove();
    wrong.forEach(({ label, answer, confidence }, n) => {
      if (!items[n]) {
        const caption = made("span", { className: "caption" });
        this.#list.append(made("li", {}, new InkGlyph(), caption));
      }
      const [picture, caption] = items[n].children;
      if (picture instanceof InkGlyph) {
        picture.show(glyphs[n], say.wrongName(label, answer, confidence));
      }
      caption.textContent = say.wrongCaption(label, answer);
    });
  }
}

customElements.define("ink-weights", InkWeights);
customElements.define("ink-layer-figures", InkLayerFigures);
customElements.define("ink-wrong", InkWrong);
