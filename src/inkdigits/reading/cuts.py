"""Where touching digits may be cut: along seams that cross little ink.

A seam goes from top to bottom, a step to the side at most in each row; the cheapest that ends in
each column comes from dynamic programming, as in seam carving (Avidan and Shamir 2007). Too many
cuts do no harm: `segment` joins again what belongs together.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from inkdigits.reading.layout import Line, Piece
from inkdigits.reading.page import Writing

__all__ = ["parts"]

Levels = NDArray[np.float32]
Seam = NDArray[np.intp]

# Of the line's height: narrower and lower pieces are not cut; seams are as far apart; and cross at
# most so much ink. Of its square: the least ink at either side.
NARROW, LOW, APART, DEAREST, LEAST = 0.6, 0.6, 0.14, 0.8, 0.025
LEANS = tuple(np.arange(-0.4, 0.61, 0.1))
SIDEWAYS = 2.0  # pixels of ink that a step to the side is worth


def lean_of(line: Line) -> float:
    """How far strokes lean: columns to the right for each row up.

    Sheared back, upright strokes fill few columns (Vinciarelli and Luettin 2001).
    """
    tall = [each for each in line.pieces if each.height >= LOW * line.height]
    points = [np.argwhere(each.mask) for each in tall]
    sharpest, best = 0.0, 0.0
    for lean in LEANS:
        total = 0.0
        for rows_columns in points:
            columns = np.rint(rows_columns[:, 1] + lean * rows_columns[:, 0]).astype(np.intp)
            counts = np.bincount(columns - columns.min()).astype(np.float64)
            total += float((counts**2).sum())
        if total > sharpest:
            sharpest, best = total, lean
    return best


def parts(piece: Piece, writing: Writing, line: Line, lean: float = 0.0) -> list[Piece]:
    """The piece cut along its seams, from left to right; itself where it is narrow or has none."""
    left, top, right, bottom = piece.edges
    if piece.width < max(8, NARROW * line.height) or piece.height < LOW * line.height:
        return [piece]
    strength = writing.strength[top:bottom, left:right] / max(writing.typical[piece.number], 1)
    ink = np.where(piece.mask, np.clip(strength, 0, 1), 0).astype(np.float32)
    pool = []
    rows_, columns_ = np.indices(ink.shape)
    import os
    for lean in [float(x) for x in os.environ.get('LE','-0.15,0,0.15,0.3').split(',')]:
        shift = np.rint(lean * np.arange(len(ink))).astype(np.intp)
        shift -= shift.min()
        upright = np.zeros((len(ink), ink.shape[1] + int(shift.max())), np.float32)
        upright[rows_, columns_ + shift[:, np.newaxis]] = ink
        pool += [(seam - shift, price) for seam, price in seams(upright, line.height)]
    apart = max(2, round(APART * line.height))
    found = []
    for seam, price in sorted(pool, key=lambda each: each[1]):
        if all(
            np.abs(seam - other).mean() >= apart and ((seam >= other).all() or (seam <= other).all())
            for other, _ in found
        ):
            found.append((seam, price))
    if not found:
        return [piece]
    order = np.argsort([float(seam.mean()) for seam, _ in found])
    prices = [0.0, *(found[place][1] for place in order)]
    # Sorted in each row, seams that cross do not.
    borders = np.sort(np.stack([found[place][0] for place in order]), axis=0)
    side = (np.arange(ink.shape[1]) > borders[:, :, np.newaxis]).sum(axis=0)
    cut: list[Piece] = []
    for number, price in enumerate(prices):
        mask = piece.mask & (side == number)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not rows.size:
            continue
        y, x, down, across = (
            int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1,
        )  # fmt: skip
        edges = left + x, top + y, left + across, top + down
        cut.append(
            Piece(edges, mask[y:down, x:across], piece.number, price if cut else 0.0, whole=False)
        )
    return cut if len(cut) > 1 else [piece]


def seams(ink: Levels, height: float) -> list[tuple[Seam, float]]:
    """The cheapest seams, each with the ink that it crosses.

    Args:
        ink: shape (H, W), 0 to 1.
        height: of the line's digits, in pixels.

    Returns:
        for each its column in each row, shape (H,), and its price.
    """
    rows, columns = ink.shape
    total, came = np.empty_like(ink), np.zeros((rows, columns), np.int8)
    total[0] = ink[0]
    beyond = np.full(1, np.inf, np.float32)
    for row in range(1, rows):
        above = total[row - 1]
        options = np.stack(
            [
                above,
                np.concatenate([beyond, above[:-1] + SIDEWAYS]),
                np.concatenate([above[1:] + SIDEWAYS, beyond]),
            ]
        )
        choice = options.argmin(axis=0)
        total[row] = ink[row] + options[choice, np.arange(columns)]
        came[row] = np.array([0, -1, 1], np.int8)[choice]
    apart = max(2, round(APART * height))
    whole, least = float(ink.sum()), LEAST * height * height
    found: list[tuple[Seam, float]] = []
    free = np.ones(columns, bool)
    while free.any() and len(found) < math.ceil(3 * columns / height):
        end = int(np.where(free, total[-1], np.inf).argmin())
        if total[-1, end] > DEAREST * height:
            break
        free[end] = False
        seam = np.empty(rows, np.intp)
        seam[-1] = end
        for row in range(rows - 1, 0, -1):
            seam[row - 1] = seam[row] + came[row, seam[row]]
        at_left = float(ink[np.arange(columns) <= seam[:, np.newaxis]].sum())
        if min(at_left, whole - at_left) < least:
            continue
        if any(np.abs(seam - other).mean() < apart for other, _ in found):
            continue
        free[max(0, end - apart // 2) : end + apart // 2 + 1] = False
        found.append((seam, float(ink[np.arange(rows), seam].sum())))
    return found
