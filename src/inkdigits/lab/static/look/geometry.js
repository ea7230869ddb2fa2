/* Where in the glyph a number of some layer has its origin: its receptive field. */

const SIDE = 28;

/** @typedef {import("../types").LayerInfo} LayerInfo */
/** @typedef {[number, number, number, number]} Box top, left, bottom, right, all of them inside */

/**
 * The options of a layer, from how it is written: "Conv2d(inputs=1, outputs=32, kernel=5, …)".
 *
 * @param {LayerInfo} layer
 * @returns {Record<string, number>} those that are numbers
 */
export function optionsOf(layer) {
  const found = layer.words.matchAll(/(\w+)=(-?[\d.e+-]+)/g);
  return Object.fromEntries([...found].map(([, name, value]) => [name, Number(value)]));
}

/**
 * The part of the glyph that a place of a layer's picture, or a unit without place, depends on.
 *
 * @param {LayerInfo[]} layers
 * @param {number} position
 * @param {number} unit
 * @param {[number, number] | null} place row and column
 * @returns {Box}
 */
export function field(layers, position, unit, place) {
  /** @type {Box | null} */
  let box = place && [...place, ...place];
  for (let p = position; p >= 0; p--) {
    const before = p > 0 ? layers[p - 1].shape : [SIDE, SIDE];
    const [height, width] = before.slice(-2);
    const { kind } = layers[p];
    if (kind === "Flatten" && !box && before.length > 1) {
      const inside = unit % (height * width);
      const [row, column] = [Math.floor(inside / width), inside % width];
      box = [row, column, row, column];
    } else if (kind === "Dense" || kind === "GlobalAveragePool") {
      return [0, 0, SIDE - 1, SIDE - 1];
    } else if (box) {
      box = stepBack(layers[p], box, height, width);
    }
  }
  const [top, left, bottom, right] = box ?? [0, 0, SIDE - 1, SIDE - 1];
  const clipped = (/** @type {number} */ n) => Math.min(SIDE - 1, Math.max(0, n));
  return [clipped(top), clipped(left), clipped(bottom), clipped(right)];
}

/**
 * From what a layer gives to what it takes.
 *
 * @param {LayerInfo} layer
 * @param {Box} box
 * @param {number} height of what it takes
 * @param {number} width
 * @returns {Box}
 */
function stepBack(layer, [top, left, bottom, right], height, width) {
  const { kernel, stride = 1, size, factor } = optionsOf(layer);
  const square = size ?? factor;
  if (kernel) {
    // As Conv2d.margins: half of the zeros stand before the picture, the smaller half.
    const same = layer.words.includes("'same'");
    const margin = (/** @type {number} */ side) =>
      same ? Math.max(0, (Math.ceil(side / stride) - 1) * stride + kernel - side) >> 1 : 0;
    const [above, before] = [margin(height), margin(width)];
    return [
      top * stride - above,
      left * stride - before,
      bottom * stride - above + kernel - 1,
      right * stride - before + kernel - 1,
    ];
  }
  if (!square) return [top, left, bottom, right];
  return [top * square, left * square, (bottom + 1) * square - 1, (right + 1) * square - 1];
}
