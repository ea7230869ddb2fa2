/* Sums of products as numbers: the whole, the largest products, all that goes in. */

import { explained, freshId, made, put } from "../dom.js";
import { tint } from "./heat.js";
import { tabulate } from "../update.js";
import { look as say } from "../words.js";

const TOP = 10; // products of a unit with many inputs

/** @type {(sum: Sum, n: number) => string} one product in words: where, and what times what */
export const says = ({ x, w, products, nameOf }, n) =>
  `${nameOf(n)}: ${say.product(x[n], w[n], products[n])}`;

/** @param {Float64Array} values in double precision, as the server has them */
export const total = (values) => values.reduce((all, value) => all + value, 0);

/** @param {Float64Array} values whose indices are given, the largest first */
export const ordered = (values) =>
  [...values.keys()].sort((one, other) => Math.abs(values[other]) - Math.abs(values[one]));

/** @param {HTMLElement[]} three what comes in × the weights = the products */
export function equation([x, w, products]) {
  const sign = (/** @type {string} */ text) => made("span.sign", { "aria-hidden": "true" }, text);
  return made("div.triple", x, sign("×"), w, sign("="), products);
}

/**
 * Numbers as a square of cells, coloured.
 *
 * @param {Numbers} values
 * @param {number} width
 * @param {number} most the size of number that has the full colour
 * @param {(value: number) => string} [text]
 */
export function matrix(values, width, most, text = say.short) {
  const rows = Array.from({ length: values.length / width }, (_, row) => {
    const own = [...values.subarray(width * row, width * (row + 1))];
    return made("tr", own.map((value) => made("td", text(value))));
  });
  const table = made("table.matrix", made("tbody", rows));
  table.querySelectorAll("td").forEach((cell, n) => tint(cell, values[n], most));
  return table;
}

/**
 * @param {string[]} columns
 * @param {string[][]} rows each begins with its name
 * @param {string} [caption]
 */
const figures = (columns, rows, caption) => {
  const table = made("table", caption && made("caption.minor", caption));
  return tabulate(table, [say.place, ...columns], rows);
};

/** @param {Sum} sum of which the largest products are told, and what the others come to */
export function topProducts({ x, w, products, nameOf }) {
  const top = ordered(products).slice(0, TOP);
  const rows = top.map((n) => [nameOf(n), ...[x[n], w[n], products[n]].map(say.number)]);
  const others = products.length - top.length;
  const rest = total(products) - top.reduce((all, n) => all + products[n], 0);
  if (others) rows.push([say.others(others), "", "", say.number(rest)]);
  return figures(say.triple, rows, say.top(top.length));
}

/**
 * All numbers that go in, as a table made when it is first unfolded.
 *
 * @param {Numbers[]} columns what comes in; where there are weights, these and the products too
 * @param {(n: number) => string} nameOf
 */
export function allNumbers(columns, nameOf) {
  const summary = made("summary", { id: freshId() }, say.numbers(columns[0].length));
  const place = made("div.all-numbers", {
    tabIndex: 0,
    role: "region",
    "aria-labelledby": summary.id,
  });
  const details = made("details", explained(summary, say.numbersHelp), place);
  details.addEventListener("toggle", () => {
    if (!details.open || place.firstChild) return;
    const names = say.triple.slice(0, columns.length);
    const rows = Array.from(columns[0], (_, n) => [
      nameOf(n),
      ...columns.map((values) => say.number(values[n])),
    ]);
    put(place, figures(names, rows));
  });
  return details;
}
