/* Sums of products as numbers: the whole, the largest products, all that goes in. */

import { explained, freshId, made, put } from "../dom.js";
import { words } from "../words.js";

const TOP = 10; // products of a unit with many inputs

/**
 * A sum to be shown: `shape` (C, K, K) of a convolution, (H, W) of a picture, (D,) of features;
 * `nameOf` says which input one is.
 *
 * @typedef {{
 *   shape: number[],
 *   x: Float32Array,
 *   w: Float32Array,
 *   nameOf: (n: number) => string,
 * }} Sum
 */

/**
 * One product in words: where, and what times what.
 *
 * @param {Sum} sum
 * @param {number} n
 */
export const says = ({ x, w, nameOf }, n) =>
  `${nameOf(n)}: ${words.look.product(x[n], w[n], x[n] * w[n])}`;

/** @param {Sum} sum */
export const productsOf = ({ x, w }) => Float64Array.from(x, (value, n) => value * w[n]);

/**
 * The sum of all products, in double precision, as the server has it.
 *
 * @param {Sum} sum
 */
export const total = (sum) => productsOf(sum).reduce((all, product) => all + product, 0);

/** @param {string} text */
export const sign = (text) => made("span", { className: "sign", "aria-hidden": "true" }, text);

/** @param {Float64Array} products */
export const ordered = (products) =>
  [...products.keys()].sort((one, other) => Math.abs(products[other]) - Math.abs(products[one]));

/**
 * The largest products of a sum as a table, and what the others come to.
 *
 * @param {Sum} sum
 */
export function topProducts(sum) {
  const products = productsOf(sum);
  const top = ordered(products).slice(0, TOP);
  const rest = total(sum) - top.reduce((all, n) => all + products[n], 0);
  const others = products.length - top.length;
  const row = (/** @type {string} */ name, /** @type {string[]} */ cells) =>
    made("tr", {}, made("th", { scope: "row" }, name), cells.map((cell) => made("td", {}, cell)));
  return made(
    "table",
    { className: "figures" },
    made("caption", { className: "minor" }, words.look.top(top.length)),
    head(["", ...words.look.triple]),
    made(
      "tbody",
      {},
      top.map((n) => row(sum.nameOf(n), [sum.x[n], sum.w[n], products[n]].map(words.look.number))),
      others > 0 && row(words.look.others(others), ["", "", words.look.number(rest)]),
    ),
  );
}

/** @param {string[]} names */
const head = (names) =>
  made(
    "thead",
    {},
    made("tr", {}, names.map((name) => (name ? made("th", { scope: "col" }, name) : made("td")))),
  );

/**
 * All numbers of a sum or of a patch, as a table made when it is first unfolded.
 *
 * @param {string[]} names of the columns, after that of the input
 * @param {number} count
 * @param {(n: number) => string} nameOf
 * @param {(n: number) => number[]} numbersOf
 */
export function allNumbers(names, count, nameOf, numbersOf) {
  const place = made("div", { className: "all-numbers", tabIndex: 0, role: "region" });
  const summary = made("summary", { id: freshId() }, words.look.numbers(count));
  explained(summary, words.look.numbersHelp);
  place.setAttribute("aria-labelledby", summary.id);
  const details = made("details", {}, summary, place);
  details.addEventListener("toggle", () => {
    if (!details.open || place.firstChild) return;
    const body = Array.from({ length: count }, (_, n) =>
      made(
        "tr",
        {},
        made("th", { scope: "row" }, nameOf(n)),
        numbersOf(n).map((value) => made("td", {}, words.look.number(value))),
      ),
    );
    const columns = head(["", ...names]);
    put(place, made("table", { className: "figures" }, columns, made("tbody", {}, body)));
  });
  return details;
}

/**
 * A few numbers as a table of their own; the chosen one stands out.
 *
 * @param {Float32Array} x
 * @param {number} width
 * @param {number} chosen
 */
export function numberGrid(x, width, chosen) {
  const rows = Array.from({ length: x.length / width }, (_, row) =>
    made(
      "tr",
      {},
      [...x.subarray(width * row, width * (row + 1))].map((value, column) => {
        const stands = width * row + column === chosen;
        return made(
          "td",
          { className: stands ? "chosen" : "" },
          words.look.number(value),
          stands && made("span", { className: "aloud" }, words.look.chosen),
        );
      }),
    ),
  );
  return made(
    "table",
    { className: "square" },
    made("caption", { className: "minor" }, words.look.square),
    made("tbody", {}, rows),
  );
}
