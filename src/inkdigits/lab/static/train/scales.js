/* The arithmetic of a chart: which points, which ticks, where the labels. */

/**
 * At most so many points: each stands for its neighbours as their mean, but the first and the last.
 *
 * @param {[number, number][]} points
 * @param {number} [most]
 * @returns {[number, number][]}
 */
export function thinned(points, most = 400) {
  if (points.length <= most) return points;
  const size = (points.length - 2) / (most - 2);
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
 * About so many round numbers as marks from low to high, and the step between them.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} [least] the smallest step
 */
export function ticks(low, high, least = 0) {
  const rough = Math.max((high - low) / 5, least, 1e-9);
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 5].find((n) => n * unit >= rough * 0.999) ?? 10);
  const first = Math.ceil(low / step - 1e-6);
  const last = Math.floor(high / step + 1e-6);
  const length = Math.max(0, last - first + 1);
  return { step, marks: Array.from({ length }, (_, n) => (first + n) * step) };
}

/**
 * Places for labels as near to where they belong as they can be without touching.
 *
 * @param {number[]} wanted
 * @param {number} apart
 * @param {number} low
 * @param {number} high
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
