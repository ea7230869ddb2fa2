"use strict";

/* Strokes → ink, without a canvas: the same bytes on every screen and in every browser.

   A stroke is { width, points }: a pen of that width along points [x, y], where the sheet is
   SHEET × SHEET however large it is shown. */

const SHEET = 280;

function inkOf(height, width, values = new Uint8Array(height * width)) {
  return { height, width, values };
}

/* Adds a straight line, as bytes: full ink up to half a pixel within the pen's edge, none from half
   a pixel outside. Where lines meet, the darker counts. */
function inkLine(ink, [fromX, fromY], [toX, toY], width) {
  const radius = width / 2;
  const [alongX, alongY] = [toX - fromX, toY - fromY];
  const length2 = alongX ** 2 + alongY ** 2;
  const first = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - radius - 1));
  const last = (a, b, side) => Math.min(side - 1, Math.ceil(Math.max(a, b) + radius + 1));
  for (let row = first(fromY, toY); row <= last(fromY, toY, ink.height); row++) {
    for (let column = first(fromX, toX); column <= last(fromX, toX, ink.width); column++) {
      const [x, y] = [column + 0.5 - fromX, row + 0.5 - fromY];
      const share = length2 ? Math.min(Math.max((x * alongX + y * alongY) / length2, 0), 1) : 0;
      const distance = Math.sqrt((x - share * alongX) ** 2 + (y - share * alongY) ** 2);
      const level = Math.round(255 * Math.min(Math.max(radius + 0.5 - distance, 0), 1));
      const place = row * ink.width + column;
      if (level > ink.values[place]) ink.values[place] = level;
    }
  }
}

function inkStroke(ink, { width, points }) {
  points.forEach((point, n) => inkLine(ink, points[Math.max(0, n - 1)], point, width));
}
