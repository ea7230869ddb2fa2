/* What can be typed, chosen and ticked; each tells its value when it is another. */

import { explained, made } from "../dom.js";
import { words } from "../words.js";

/**
 * @param {string[]} values
 * @param {string} value
 * @param {(value: string) => void} told
 * @param {(value: string) => string} [name]
 */
export function choice(values, value, told, name = words.train.value) {
  const options = values.map((own) => made("option", { value: own }, name(own)));
  const select = made("select", { onchange: () => told(select.value) }, options);
  select.value = value;
  return select;
}

/**
 * @param {number | null} value null where it is left empty
 * @param {(value: number | null) => void} told
 * @param {Record<string, unknown>} properties
 */
export function number(value, told, properties) {
  const input = made("input", { type: "number", value: value ?? "", ...properties });
  input.oninput = () => told(input.value.trim() === "" ? null : Number(input.value));
  return input;
}

/**
 * A box to tick, in its label.
 *
 * @param {Named} named
 * @param {(checked: boolean) => void} told
 */
export function tick([label, help], told) {
  const box = made("input", { type: "checkbox", onchange: () => told(box.checked) });
  return { box, label: made("label.check", explained(box, help), ` ${label}`) };
}
