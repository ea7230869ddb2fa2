/* Curves over the epochs, named where they end, without a legend to look up. */

import { made, put } from "../dom.js";
import { words } from "../words.js";

/**
 * A curve. `points` are in the order of x; `dots` are marked on it; `colour` is 1 to 6.
 *
 * @typedef {object} Curve
 * @property {string} name
 * @property {number} colour
 * @property {string} [dash]
 * @property {boolean} [thin]
 * @property {[number, number][]} points
 * @property {[number, number][]} [dots]
 * @property {[number, number] | null} [end] where its name and value stand, if not at its last point
 */

/**
 * What a chart shows.
 *
 * @typedef {object} Scale
 * @property {string} title
 * @property {string} x the name of the axis
 * @property {number | null} top the highest y, or null for that of the curves
 * @property {(y: number, step?: number) => string} format of y, where ticks are a step apart
 */

const SVG = "http://www.w3.org/2000/svg";
const MOST = 400; // points drawn of a curve
const HEIGHT = 240;
const LEFT = 46; // for the ticks' numbers
const RIGHT = 112; // for the curves' names
const TOP = 22; // for the marks of changes
const BOTTOM = 40;
const APART = 32; // two lines of a name

/**
 * At most so many points: each stands for its neighbours as their mean, but the first and the last.
 *
 * @param {[number, number][]} points
 * @param {number} [most]
 * @returns {[number, number][]}
 */
export function thinned(points, most = MOST) {
  if (points.length <= most) return points;
  const size = (points.length - 2) / (most - 2);
  /** @type {[number, number][]} */
  const kept = [points[0]];
  for (let n = 0; n < most - 2; n++) {
    const some = points.slice(1 + Math.floor(n * size), 1 + Math.floor((n + 1) * size));
    const mean = (/** @type {0 | 1} */ axis) =>
      some.reduce((sum, point) => sum + point[axis], 0) / some.length;
    kept.push([mean(0), mean(1)]);
  }
  kept.push(points[points.length - 1]);
  return kept;
}

/**
 * About so many round numbers from low to high, and the step between them.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} [least] the smallest step
 * @returns {{ step: number, ticks: number[] }}
 */
export function ticks(low, high, least = 0) {
  const rough = Math.max((high - low) / 5, least, 1e-9);
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 5, 10].find((n) => n * unit >= rough * 0.999) ?? 10);
  const first = Math.ceil(low / step - 1e-6);
  const last = Math.floor(high / step + 1e-6);
  return {
    step,
    ticks: Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => (first + n) * step),
  };
}

/**
 * Places for labels as near to where they belong as they can be without touching.
 *
 * @param {number[]} wanted
 * @param {number} apart
 * @param {number} low
 * @param {number} high
 * @returns {number[]}
 */
export function spread(wanted, apart, low, high) {
  const order = wanted.map((_, n) => n).sort((a, b) => wanted[a] - wanted[b]);
  const places = [...wanted];
  let free = low;
  for (const n of order) {
    places[n] = Math.max(wanted[n], free);
    free = places[n] + apart;
  }
  let end = high;
  for (const n of order.reverse()) {
    places[n] = Math.min(places[n], end);
    end = places[n] - apart;
  }
  return places;
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} [attributes]
 * @returns {SVGElement}
 */
function drawn(name, attributes = {}) {
  const element = /** @type {SVGElement} */ (document.createElementNS(SVG, name));
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** SVG elements of one kind that are made once, and hidden while they are not needed. */
class Pool {
  /** @type {SVGElement[]} */
  #all = [];
  #used = 0;

  /**
   * @param {SVGElement} place
   * @param {() => SVGElement} make
   */
  constructor(place, make) {
    this.place = place;
    this.make = make;
  }

  begin() {
    this.#used = 0;
  }

  /**
   * @param {Record<string, string | number>} attributes
   * @param {string} [text]
   * @returns {SVGElement}
   */
  next(attributes, text) {
    let element = this.#all[this.#used++];
    if (!element) {
      element = this.make();
      this.#all.push(element);
      this.place.append(element);
    }
    element.removeAttribute("display");
    for (const [key, value] of Object.entries(attributes)) {
      const now = String(value);
      if (element.getAttribute(key) !== now) element.setAttribute(key, now);
    }
    if (text !== undefined && element.textContent !== text) element.textContent = text;
    return element;
  }

  end() {
    for (const element of this.#all.slice(this.#used)) element.setAttribute("display", "none");
  }
}

/**
 * A chart of accuracies.
 *
 * @param {string} title
 * @returns {Scale}
 */
export const ofAccuracy = (title) => ({
  title,
  x: words.train.axis,
  top: 1,
  format: (y, step = 0.001) => words.share(y, step < 0.0099 ? (step < 0.00099 ? 2 : 1) : 0),
});

/** Curves over the epochs. What it shows is set once by `setup`; `draw` is cheap. */
export class InkChart extends HTMLElement {
  /** @type {Scale} */
  #scale = { title: "", x: "", top: null, format: String };
  #svg = drawn("svg", { role: "img", height: HEIGHT });
  #plot = drawn("svg", { x: LEFT, y: TOP - 6, height: HEIGHT - TOP - BOTTOM + 12 });
  /** @type {Record<string, Pool>} */
  #pools = {};
  /** @type {[Curve[], { x: number, name: string }[], number, boolean]} */
  #latest = [[], [], 1, false];
  #axis = drawn("text", { class: "axis", "text-anchor": "middle", y: HEIGHT - 4 });

  /** @param {Scale} scale */
  setup(scale) {
    this.#scale = scale;
    const part = (/** @type {string} */ name, /** @type {SVGElement} */ place = this.#svg) => {
      const group = drawn("g", { class: name });
      place.append(group);
      return group;
    };
    const pool = (
      /** @type {string} */ name,
      /** @type {string} */ kind,
      /** @type {SVGElement} */ place = this.#svg,
      attributes = {},
    ) => {
      this.#pools[name] = new Pool(part(name, place), () => drawn(kind, attributes));
    };
    pool("grid", "line");
    pool("changes", "line");
    pool("numbers", "text");
    this.#svg.append(this.#plot, this.#axis);
    pool("curves", "polyline", this.#plot);
    pool("dots", "circle", this.#plot, { r: 3.5 });
    pool("names", "text");
    pool("values", "text");
    this.#axis.textContent = scale.x;
    put(this, made("h3", {}, scale.title), this.#svg);
    new ResizeObserver(() => this.draw(...this.#latest)).observe(this);
  }

  /**
   * @param {Curve[]} curves
   * @param {{ x: number, name: string }[]} changes that are marked
   * @param {number} end the highest x
   * @param {boolean} close whether y follows the later part of the curves, to tell them apart
   */
  draw(curves, changes, end, close) {
    this.#latest = [curves, changes, end, close];
    const width = this.clientWidth;
    if (!width) return;
    const { format } = this.#scale;
    const [low, high] = this.#range(curves, close);
    const right = width - RIGHT;
    const bottom = HEIGHT - BOTTOM;
    const atX = (/** @type {number} */ x) => (x / end) * (right - LEFT);
    const atY = (/** @type {number} */ y) => ((high - y) / (high - low)) * (bottom - TOP);
    this.#svg.setAttribute("width", String(width));
    this.#plot.setAttribute("width", String(right - LEFT + 6));
    this.#axis.setAttribute("x", String((LEFT + right) / 2));
    const pools = Object.values(this.#pools);
    for (const pool of pools) pool.begin();

    const { grid, numbers, changes: marks, curves: lines, dots, names, values } = this.#pools;
    const y = ticks(low, high);
    for (const tick of y.ticks) {
      const at = round(TOP + atY(tick));
      grid.next({ x1: LEFT, x2: right, y1: at, y2: at });
      const text = format(tick, y.step);
      numbers.next({ x: LEFT - 8, y: at + 5, "text-anchor": "end" }, text);
    }
    for (const tick of ticks(0, end, 1).ticks) {
      const at = { x: round(LEFT + atX(tick)), y: bottom + 18, "text-anchor": "middle" };
      numbers.next(at, String(tick));
    }
    for (const { x, name } of changes) {
      const at = round(LEFT + atX(x));
      marks.next({ x1: at, x2: at, y1: TOP, y2: bottom });
      numbers.next({ x: at, y: TOP - 6, "text-anchor": "middle" }, name);
    }
    const shown = curves.filter(({ points }) => points.length);
    for (const { colour, dash, thin, points, dots: some = [] } of shown) {
      const at = thinned(points).map(([px, py]) => `${round(atX(px))},${round(atY(py) + 6)}`);
      const kind = `curve-${colour}${thin ? " thin" : ""}`;
      lines.next({ class: kind, points: at.join(" "), "stroke-dasharray": dash ?? "none" });
      for (const [px, py] of thinned(some, 60)) {
        dots.next({ class: kind, cx: round(atX(px)), cy: round(atY(py) + 6) });
      }
    }
    const ends = shown.map(({ points, end: own }) => own ?? points[points.length - 1]);
    const wanted = ends.map(([, py]) => TOP + Math.min(Math.max(atY(py), 0), bottom - TOP) - 6);
    const places = spread(wanted, APART, TOP - 2, bottom - 16);
    const said = ends.map(([, py]) => format(py));
    shown.forEach(({ name, colour }, n) => {
      const x = round(LEFT + atX(ends[n][0]) + 10);
      const at = { x, class: `curve-${colour}` };
      names.next({ ...at, y: round(places[n] + 4) }, name);
      values.next({ ...at, y: round(places[n] + 20) }, said[n]);
    });
    for (const pool of pools) pool.end();
    const named = shown.map(({ name }, n) => `${name} ${said[n]}`);
    this.#svg.setAttribute("aria-label", [this.#scale.title, ...named].join(", "));
  }

  /**
   * @param {Curve[]} curves
   * @param {boolean} close
   * @returns {[number, number]}
   */
  #range(curves, close) {
    const some = curves.flatMap(({ points, dots = [] }) => {
      const last = points.at(-1)?.[0] ?? 0;
      return close ? [...points, ...dots].filter(([x]) => x >= last / 3) : points;
    });
    const highest = some.reduce((most, [, y]) => Math.max(most, y), 0);
    const lowest = close ? some.reduce((least, [, y]) => Math.min(least, y), highest) : 0;
    if (!some.length) return [0, this.#scale.top ?? 1];
    const high = close ? highest + 0.05 * (highest - lowest) : (this.#scale.top ?? highest);
    return [lowest, Math.max(Math.min(high, this.#scale.top ?? high), lowest + 1e-6)];
  }
}

/** @param {number} pixels */
const round = (pixels) => Math.round(10 * pixels) / 10;

customElements.define("ink-chart", InkChart);
