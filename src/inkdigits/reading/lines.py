"""What is on paper besides writing: ruled lines, the edges of boxes, the black margins of scans."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["margins", "ruled_lines"]

Mask = NDArray[np.bool_]

SMALLEST = 40  # pixels of the shorter side: in smaller pictures a stroke may be as long as a line
STEEPEST = 0.12  # how far a ruled line may rise for each pixel along


def margins(mask: Mask) -> Mask:
    """Rows and columns that are dark all along, from the rim inwards, and a little beyond.

    Args:
        mask: shape (H, W), what is dark.

    Returns:
        shape (H, W).
    """
    taken = np.zeros_like(mask)
    if min(mask.shape) < SMALLEST:
        return taken
    for turns in range(4):
        side, out = np.rot90(mask, turns), np.rot90(taken, turns)
        full = side.mean(axis=1) > 0.97
        depth = int(full.argmin())
        if depth and not full.all():
            out[: depth + max(2, len(side) // 100)] = True  # its soft edge too
    return taken


def ruled_lines(mask: Mask) -> Mask:
    """Straight lines from rim to rim, lying or upright, but for what strokes cross them.

    Args:
        mask: shape (H, W), what is dark.

    Returns:
        shape (H, W).
    """
    taken = np.zeros_like(mask)
    if min(mask.shape) >= SMALLEST:
        mark_lying(mask, taken)
        mark_lying(np.ascontiguousarray(mask.T), taken.T)
    return taken


def mark_lying(mask: Mask, taken: Mask) -> None:
    """Marks in `taken` the lines of `mask` that run from left to right."""
    import cv2

    height, width = mask.shape
    length = max(9, width // 12)  # of a line's straight pieces between the steps of its slope
    runs = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    joined = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, np.ones((3, 2 * length + 1), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    for index in range(1, count):
        _, top, breadth, tall, _ = stats[index]
        if breadth < 0.85 * width or tall > STEEPEST * width + 0.06 * height:
            continue
        piece = (labels[top : top + tall] == index) & (runs[top : top + tall] > 0)
        columns = np.flatnonzero(piece.any(axis=0))
        if len(columns) < 0.6 * width:
            continue
        thickness = float(np.median(piece.sum(axis=0)[columns]))
        middles = top + piece.T[columns] @ np.arange(tall) / piece.sum(axis=0)[columns]
        slope, start = np.polyfit(columns, middles, 1)
        off = np.median(np.abs(slope * columns + start - middles))
        # A stroke may be as long, but it ends before the rim; a leaning line may leave by another.
        beyond = (
            min(column, width - 1 - column, row, height - 1 - row)
            for column, row in ((columns[0], middles[0]), (columns[-1], middles[-1]))
        )
        if max(beyond) > 0.02 * max(height, width) + 2:
            continue
        if thickness <= 0.06 * max(height, width) and abs(slope) < STEEPEST and off <= thickness:
            mark_along(mask, taken, slope, start, thickness)


def mark_along(mask: Mask, taken: Mask, slope: float, start: float, thickness: float) -> None:
    """Marks the dark pixels along a line, where they are not part of a stroke that crosses it."""
    height, width = mask.shape
    reach = int(thickness) + 2
    for column in range(width):
        middle = round(slope * column + start)
        dark = mask[:, column]
        low, high = max(0, middle - reach), min(height, middle + reach + 1)
        found = low + np.flatnonzero(dark[low:high])
        if not found.size:
            continue
        nearest = int(found[np.abs(found - middle).argmin()])
        first, last = nearest, nearest + 1
        above, below = dark[:first][::-1], dark[last:]
        first -= int(above.argmin()) if not above.all() else above.size
        last += int(below.argmin()) if not below.all() else below.size
        if last - first <= 1.8 * thickness + 2:
            taken[first:last, column] = True
