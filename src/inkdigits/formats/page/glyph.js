"use strict";

/* Any ink → a glyph: the same as inkdigits/glyph.py, which says why. Change both together.

   Ink and levels are { height, width, values }, row by row: ink is bytes, 0 paper to 255 ink, levels
   are float32. A glyph is 28 × 28 such bytes in MNIST's normalisation. */

const SIDE = 28;
const BOX = 20; // the longer side of a digit in its glyph
const MIDDLE = 14; // the pixel in which MNIST's centres of mass are
const FINE = 80; // strokes are made wider or narrower where the longer side is so many pixels

function levelsOf(height, width, values = new Float32Array(height * width)) {
  return { height, width, values };
}

/* The glyph of the digit that this ink shows, 784 bytes; null where there is no ink.

   Strokes narrower than widths[0] pixels of the glyph are widened to it, those wider than widths[1]
   narrowed to it. */
function glyphOf(ink, widths) {
  let digit = cropped(ink);
  if (digit === null) return null;
  const width = (strokeWidth(digit) * BOX) / Math.max(digit.height, digit.width);
  const wanted = Math.min(Math.max(width, widths[0]), widths[1]);
  if (wanted !== width) {
    digit = cropped(withStrokeWidth(digit, (wanted * FINE) / BOX));
    if (digit === null) return null;
  }
  return placed(resampled(digit, ...scaledShape(digit, BOX)));
}

/* The part that holds all that is not 0; null if there is nothing. */
function cropped({ height, width, values }) {
  let [top, bottom, left, right] = [height, -1, width, -1];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (values[row * width + column]) {
        top = Math.min(top, row);
        bottom = row;
        left = Math.min(left, column);
        right = Math.max(right, column);
      }
    }
  }
  if (bottom < 0) return null;
  const part = inkOf(bottom + 1 - top, right + 1 - left);
  for (let row = 0; row < part.height; row++) {
    const start = (top + row) * width + left;
    part.values.set(values.subarray(start, start + part.width), row * part.width);
  }
  return part;
}

/* Height and width with the longer side as given, the proportions kept, at least 1. */
function scaledShape({ height, width }, longer) {
  const scaled = (side) =>
    Math.max(1, Math.floor((side * longer) / Math.max(height, width) + 0.5));
  return [scaled(height), scaled(width)];
}

/* How wide the strokes are, in pixels: 2 · area / length of the outline. */
function strokeWidth(ink) {
  const { height, width, values } = padded(ink, 1);
  let [area, outline] = [0, 0];
  for (let row = 0; row < height - 1; row++) {
    for (let column = 0; column < width - 1; column++) {
      const place = row * width + column;
      const down = values[place + width] - values[place];
      const right = values[place + 1] - values[place];
      area += values[place];
      outline += Math.fround(Math.sqrt(down * down + right * right));
    }
  }
  return (2 * area) / outline;
}

/* Levels with a margin of paper all round. */
function padded({ height, width, values }, margin) {
  const y = levelsOf(height + 2 * margin, width + 2 * margin);
  for (let row = 0; row < height; row++) {
    const part = values.subarray(row * width, (row + 1) * width);
    y.values.set(part, (row + margin) * y.width + margin);
  }
  return y;
}

/* The digit scaled to a longer side of FINE, its strokes `wanted` pixels wide there. */
function withStrokeWidth(digit, wanted) {
  const [height, width] = scaledShape(digit, FINE);
  const fine =
    Math.max(digit.height, digit.width) > FINE
      ? darkest(digit, height, width)
      : resampled(digit, height, width);
  const change = wanted - strokeWidth(toPixels(fine));
  const radius = Math.abs(change) / 2;
  if (change > 0) return toPixels(dilated(padded(fine, Math.ceil(radius)), radius));
  return toPixels(inverted(dilated(inverted(fine), radius)));
}

function inverted({ height, width, values }) {
  return levelsOf(height, width, values.map((level) => 255 - level));
}

/* The most ink in each of height × width blocks, no more of them than pixels. */
function darkest(ink, height, width) {
  const most = levelsOf(height, width);
  const edge = (block, before, after) => Math.floor((block * before) / after);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let level = 0;
      for (let row = edge(y, ink.height, height); row < edge(y + 1, ink.height, height); row++) {
        const end = edge(x + 1, ink.width, width);
        for (let column = edge(x, ink.width, width); column < end; column++) {
          level = Math.max(level, ink.values[row * ink.width + column]);
        }
      }
      most.values[y * width + x] = level;
    }
  }
  return most;
}

/* The most ink within `radius` of each pixel; between two whole radii, a mixture of both. */
function dilated(levels, radius) {
  const whole = Math.floor(radius);
  const share = Math.fround(radius - whole);
  const inner = mostWithin(levels, whole);
  if (!share) return inner;
  const outer = mostWithin(levels, whole + 1);
  const mixed = inner.values.map((level, n) => (1 - share) * level + share * outer.values[n]);
  return levelsOf(levels.height, levels.width, mixed);
}

/* The most within a disc; beyond the frame is what is at its rim. */
function mostWithin({ height, width, values }, radius) {
  const most = levelsOf(height, width, values.slice());
  const inside = (place, side) => Math.min(Math.max(place, 0), side - 1);
  for (let down = -radius; down <= radius; down++) {
    const reach = Math.floor(Math.sqrt(radius * radius - down * down));
    for (let right = -reach; right <= reach; right++) {
      for (let row = 0; row < height; row++) {
        const start = inside(row + down, height) * width;
        for (let column = 0; column < width; column++) {
          const level = values[start + inside(column + right, width)];
          const place = row * width + column;
          if (level > most.values[place]) most.values[place] = level;
        }
      }
    }
  }
  return most;
}

/* Scaled to height × width: linear in between, an average when it gets smaller. */
function resampled(ink, height, width) {
  const down = tents(ink.height, height);
  const across = tents(ink.width, width);
  const narrow = levelsOf(height, ink.width);
  for (let y = 0; y < height; y++) {
    for (let column = 0; column < ink.width; column++) {
      let sum = 0;
      for (let row = 0; row < ink.height; row++) {
        sum += down[y][row] * ink.values[row * ink.width + column];
      }
      narrow.values[y * ink.width + column] = sum;
    }
  }
  const scaled = levelsOf(height, width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let column = 0; column < ink.width; column++) {
        sum += across[x][column] * narrow.values[y * ink.width + column];
      }
      scaled.values[y * width + x] = sum;
    }
  }
  return scaled;
}

/* For each pixel of `after`, the weights of the pixels of `before`: they fall from its middle to 0
   over one pixel's breadth, of `before` or `after`, whichever is larger, and sum to 1. */
function tents(before, after) {
  const scale = before / after;
  return Array.from({ length: after }, (_, pixel) => {
    const middle = (pixel + 0.5) * scale - 0.5;
    const weights = Array.from({ length: before }, (_, place) =>
      Math.max(0, 1 - Math.abs(place - middle) / Math.max(1, scale)),
    );
    const sum = weights.reduce((all, weight) => all + weight, 0);
    return Float32Array.from(weights, (weight) => weight / sum);
  });
}

/* A digit in the frame, its centre of mass in the middle; what does not fit in is cut off. */
function placed(levels) {
  const { height, width, values } = toPixels(levels);
  let [total, downwards, rightwards] = [0, 0, 0];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const level = values[row * width + column];
      total += level;
      downwards += row * level;
      rightwards += column * level;
    }
  }
  total = Math.max(1, total); // faint ink may leave none
  const top = MIDDLE - Math.floor(downwards / total + 0.5);
  const left = MIDDLE - Math.floor(rightwards / total + 0.5);
  const glyph = new Uint8Array(SIDE * SIDE);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [y, x] = [top + row, left + column];
      if (y >= 0 && y < SIDE && x >= 0 && x < SIDE) {
        glyph[y * SIDE + x] = values[row * width + column];
      }
    }
  }
  return glyph;
}

/* Rounded to bytes; in float32 up to the end, as in Python. */
function toPixels({ height, width, values }) {
  const rounded = (level) => Math.floor(Math.fround(level + 0.5));
  const bytes = Uint8Array.from(values, (level) => Math.min(Math.max(rounded(level), 0), 255));
  return inkOf(height, width, bytes);
}
