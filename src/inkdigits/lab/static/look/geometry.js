/* Shapes and places: what a layer's pictures measure, and where in the digit a number has its
   origin: its receptive field. */

const SIDE = 28;

/**
 * How many units a layer has, and the sides of a unit's picture: 1 × 1 where it has none.
 *
 * @param {number[]} shape
 */
export function sizes(shape) {
  const [height, width] = shape.length > 1 ? shape.slice(-2) : [1, 1];
  return { units: shape.length === 2 ? 1 : shape[0], height, width, maps: shape.length > 1 };
}

/** @type {(layer: LayerValues, unit: number) => Float32Array} the values of one unit */
export const valuesOf = ({ shape, values }, unit) => {
  const { height, width } = sizes(shape);
  return values.subarray(unit * height * width, (unit + 1) * height * width);
};

/** @type {(index: number, width: number) => [number, number]} row and column of a value */
export const placeOf = (index, width) => [Math.floor(index / width), index % width];

/**
 * The options of a layer that are numbers, as it is written: "Conv2d(inputs=1, kernel=5, …)".
 *
 * @param {LayerInfo} layer
 * @returns {Record<string, number>}
 */
export function optionsOf(layer) {
  const found = layer.words.matchAll(/(\w+)=(-?[\d.e+-]+)/g);
  return Object.fromEntries([...found].map(([, name, value]) => [name, Number(value)]));
}

/**
 * The part of the digit that a place of a layer's picture, or a unit without place, depends on.
 *
 * @param {LayerInfo[]} layers
 * @param {number} position
 * @param {number} unit
 * @param {[number, number] | null} place row and column
 * @returns {Box | null} null for all of it
 */
export function field(layers, position, unit, place) {
  let rows = place && [place[0], place[0]]; // from the first to the last
  let columns = place && [place[1], place[1]];
  for (let p = position; p >= 0; p--) {
    const before = p > 0 ? layers[p - 1].shape : [SIDE, SIDE];
    const [height, width] = before.slice(-2);
    const { kind } = layers[p];
    if (kind === "Dense" || kind === "GlobalAveragePool") return null;
    if (rows && columns) {
      rows = stepBack(layers[p], rows, height);
      columns = stepBack(layers[p], columns, width);
    } else if (kind === "Flatten" && before.length > 1) {
      const [row, column] = placeOf(unit % (height * width), width);
      [rows, columns] = [
        [row, row],
        [column, column],
      ];
    }
  }
  if (!rows || !columns) return null;
  const inside = (/** @type {number} */ n) => Math.min(SIDE - 1, Math.max(0, n));
  const [top, bottom, left, right] = [...rows, ...columns].map(inside);
  const whole = bottom - top === SIDE - 1 && right - left === SIDE - 1;
  return whole ? null : [top, left, bottom, right];
}

/**
 * From what a layer gives to what it takes, of rows or columns.
 *
 * @param {LayerInfo} layer
 * @param {number[]} range the first and the last
 * @param {number} side of what it takes
 */
function stepBack(layer, [first, last], side) {
  const { kernel, stride = 1, size, factor } = optionsOf(layer);
  if (kernel) {
    // As Conv2d.margins: half of the zeros stand before the picture, the smaller half.
    const same = layer.words.includes("'same'");
    const zeros = same ? Math.max(0, (Math.ceil(side / stride) - 1) * stride + kernel - side) : 0;
    const margin = zeros >> 1;
    return [first * stride - margin, last * stride - margin + kernel - 1];
  }
  const square = size ?? factor ?? 1;
  return [first * square, (last + 1) * square - 1];
}
