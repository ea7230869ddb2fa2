/* Curves over the epochs, named where they end, without a legend to look up. */

import { made } from "../dom.js";
import { spread, thinned, ticks } from "./scales.js";
import { each, setText } from "../update.js";
import { words } from "../words.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 240;
const LEFT = 46; // for the ticks' numbers
const RIGHT = 112; // for the curves' names
const TOP = 22; // for the marks of changes
const BOTTOM = 40;
const LINES = 32; // the two of a name
const MARGIN = 6; // in which a curve may swell over the plot's edge

/** @param {string} name @param {Attributes} [attributes] */
function drawn(name, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  give(element, attributes);
  return element;
}

/** @param {Element} element @param {Attributes} attributes */
function give(element, { text, ...attributes }) {
  for (const [key, value] of Object.entries(attributes)) {
    if (element.getAttribute(key) !== String(value)) element.setAttribute(key, String(value));
  }
  if (text !== undefined) setText(element, String(text));
}

/** @param {number} pixels */
const round = (pixels) => Math.round(10 * pixels) / 10;

/** Curves over the epochs; `draw` is cheap. */
export class InkChart extends HTMLElement {
  #svg = drawn("svg", { role: "img", height: HEIGHT });
  #plot = drawn("svg", { x: LEFT, y: TOP - MARGIN, height: HEIGHT - TOP - BOTTOM + 2 * MARGIN });
  #axis = drawn("text", { "text-anchor": "middle", y: HEIGHT - 4, text: words.train.axis });
  /** @type {Record<string, SVGElement>} groups of what there are several of */
  #groups = {};
  /** @type {[Curve[], { x: number, name: string }[], number, boolean]} */
  #latest = [[], [], 1, false];

  /**
   * @param {string} title
   * @param {number} top the highest y; Infinity where it is that of the curves
   * @param {(y: number, step?: number) => string} format of y, where ticks are a step apart
   */
  constructor(title, top, format) {
    super();
    this.name = title;
    this.top = top;
    this.format = format;
    const group = (/** @type {string} */ name) =>
      (this.#groups[name] = drawn("g", { class: name }));
    this.#plot.append(group("curves"), group("dots"));
    const behind = ["grid", "changes", "numbers"].map(group);
    this.#svg.append(...behind, this.#plot, this.#axis, group("names"), group("values"));
    this.append(made("h3", title), this.#svg);
    new ResizeObserver(() => this.draw(...this.#latest)).observe(this);
  }

  /** @param {string} group @param {string} kind @param {Attributes[]} all */
  #fill(group, kind, all) {
    each(this.#groups[group], all, () => drawn(kind), give);
  }

  /**
   * @param {Curve[]} all
   * @param {{ x: number, name: string }[]} changes that are marked
   * @param {number} end the highest x
   * @param {boolean} close whether y follows the later part of the curves, to tell them apart
   */
  draw(all, changes, end, close) {
    this.#latest = [all, changes, end, close];
    const width = this.clientWidth;
    if (!width) return;
    const curves = all.filter(({ points }) => points.length);
    const [low, high] = this.#range(curves, close);
    const right = width - RIGHT;
    const bottom = HEIGHT - BOTTOM;
    const atX = (/** @type {number} */ x) => round(LEFT + (x / end) * (right - LEFT));
    const atY = (/** @type {number} */ y) =>
      round(TOP + ((high - y) / (high - low)) * (bottom - TOP));
    give(this.#svg, { width });
    // The plot keeps its curves inside; its points are those of the whole.
    const box = [LEFT, TOP - MARGIN, right - LEFT + MARGIN, bottom - TOP + 2 * MARGIN];
    give(this.#plot, { width: box[2], viewBox: box.join(" ") });
    give(this.#axis, { x: (LEFT + right) / 2 });

    const { step, marks } = ticks(low, high);
    const dates = changes.map(({ x, name }) => ({ x: atX(x), text: name }));
    const beside = { x: LEFT - 8, "text-anchor": "end" };
    const below = { y: bottom + 18, "text-anchor": "middle" };
    const above = { y: TOP - 6, "text-anchor": "middle" };
    this.#fill("grid", "line", marks.map(atY).map((y) => ({ x1: LEFT, x2: right, y1: y, y2: y })));
    this.#fill("changes", "line", dates.map(({ x }) => ({ x1: x, x2: x, y1: TOP, y2: bottom })));
    this.#fill("numbers", "text", [
      ...marks.map((y) => ({ ...beside, y: atY(y) + 5, text: this.format(y, step) })),
      ...ticks(0, end, 1).marks.map((x) => ({ ...below, x: atX(x), text: x })),
      ...dates.map((date) => ({ ...above, ...date })),
    ]);

    const colours = curves.map(({ colour }) => ({ color: `var(--curve-${colour})` }));
    const lines = curves.map(({ points, dash = "none", thin }, n) => ({
      ...colours[n],
      points: thinned(points)
        .map(([x, y]) => `${atX(x)},${atY(y)}`)
        .join(" "),
      "stroke-dasharray": dash,
      "stroke-width": thin ? 1.5 : 2.5,
    }));
    const dots = curves.flatMap(({ dots: some = [] }, n) =>
      thinned(some, 60).map(([x, y]) => ({ ...colours[n], r: 3.5, cx: atX(x), cy: atY(y) })),
    );
    this.#fill("curves", "polyline", lines);
    this.#fill("dots", "circle", dots);

    const ends = curves.map((curve) => curve.end ?? curve.points[curve.points.length - 1]);
    const wanted = ends.map(([, y]) => Math.min(Math.max(atY(y), TOP), bottom) - 6);
    const places = spread(wanted, LINES, TOP - 2, bottom - 16);
    const labels = ends.map(([x], n) => ({ ...colours[n], x: atX(x) + 10, y: places[n] + 4 }));
    const values = ends.map(([, y]) => this.format(y));
    this.#fill("names", "text", labels.map((at, n) => ({ ...at, text: curves[n].name })));
    this.#fill("values", "text", labels.map((at, n) => ({ ...at, y: at.y + 16, text: values[n] })));
    const said = curves.map(({ name }, n) => `${name} ${values[n]}`);
    this.#svg.setAttribute("aria-label", [this.name, ...said].join(", "));
  }

  /**
   * The lowest and the highest y that are shown.
   *
   * @param {Curve[]} curves
   * @param {boolean} close
   */
  #range(curves, close) {
    const { top } = this;
    const shown = curves.flatMap(({ points, dots = [] }) => {
      const from = close ? points[points.length - 1][0] / 3 : 0;
      return [...points, ...dots].filter(([x]) => x >= from);
    });
    const heights = shown.map(([, y]) => y);
    const most = heights.length ? heights.reduce((a, b) => Math.max(a, b)) : 1;
    if (!close) return [0, top < Infinity ? top : most || 1];
    const low = heights.reduce((a, b) => Math.min(a, b), most);
    return [low, Math.max(Math.min(most + 0.05 * (most - low), top), low + 1e-6)];
  }
}

customElements.define("ink-chart", InkChart);
