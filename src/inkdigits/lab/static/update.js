/* What changes five times a second is set only where it is another: the page stays as it is. */

import { made } from "./dom.js";

/**
 * @template {object} Kind
 * @template {keyof Kind} Name
 * @param {Kind} element
 * @param {Name} name
 * @param {Kind[Name]} value
 */
export function set(element, name, value) {
  if (element[name] !== value) element[name] = value;
}

/** @param {Node} element @param {string} text */
export const setText = (element, text) => set(element, "textContent", text);

/**
 * Gives an element a child for each item: those that it has, as far as they go.
 *
 * @template Item
 * @template {Element} Kind
 * @param {Element} place
 * @param {Item[]} items
 * @param {() => Kind} make
 * @param {(child: Kind, item: Item) => void} show
 */
export function each(place, items, make, show) {
  while (place.children.length > items.length) place.lastElementChild?.remove();
  items.forEach((item, n) => {
    show(/** @type {Kind} */ (place.children[n] ?? place.appendChild(make())), item);
  });
}

/**
 * Fills a table, and returns it; the first column names its rows.
 *
 * @param {HTMLTableElement} table
 * @param {string[]} columns
 * @param {string[][]} rows
 */
export function tabulate(table, columns, rows) {
  table.className = "figures";
  const head = (table.tHead ?? table.createTHead()).rows[0] ?? table.tHead?.insertRow();
  each(head, columns, () => made("th", { scope: "col" }), setText);
  each(
    table.tBodies[0] ?? table.createTBody(),
    rows,
    () => made("tr", made("th", { scope: "row" })),
    (row, cells) => each(row, cells, () => made("td"), setText),
  );
  return table;
}
