"""Where touching digits may be cut: along seams that cross little ink.

A seam goes from top to bottom, upright or slanted as hands slant, and a step to the side at most in
each row; the cheapest that ends in each column comes from dynamic programming, as in seam carving
(Avidan and Shamir 2007). Too many cuts do no harm: `segment` joins again what belongs together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

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
SLANTS = (-0.15, 0.0, 0.15, 0.3)  # of seams: columns to the right for each row up
MOST = 5  # seams for each of a piece's breadths in line heights
SIDEWAYS = 2.0  # pixels of ink that a step to the side is worth


def parts(piece: Piece, writing: Writing, line: Line) -> list[Piece]:
    """The piece cut along its seams, from left to right; itself where it is narrow or has none."""
    left, top, right, bottom = piece.edges
    if piece.width < max(8, NARROW * line.height) or piece.height < LOW * line.height:
        return [piece]
    strength = writing.strength[top:bottom, left:right] / max(writing.typical[piece.number], 1)
    ink = np.where(piece.mask, np.clip(strength, 0, 1), 0).astype(np.float32)
    found = seams(ink, line.height)
    if not found:
        return [piece]
    found.sort(key=lambda each: float(each[0].mean()))
    prices = [0.0, *(price for _, price in found)]
    borders = np.stack([seam for seam, _ in found])
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


def seams(ink: Levels, height: float, slants: Sequence[float] = SLANTS) -> list[tuple[Seam, float]]:
    """The cheapest seams that neither cross nor are near to one another.

    Args:
        ink: shape (H, W), 0 to 1.
        height: of the line's digits, in pixels.
        slants: how seams may slant: columns to the right for each row up.

    Returns:
        for each its column in each row, shape (H,), and the ink that it crosses.
    """
    rows, columns = np.indices(ink.shape)
    # Each row moved until what slants so stands upright; all slants beside one another.
    moves = np.rint(np.multiply.outer(slants, np.arange(len(ink)))).astype(np.intp)
    moves -= moves.min(axis=1, keepdims=True)
    upright = np.zeros((len(slants), len(ink), ink.shape[1] + int(moves.max())), np.float32)
    for picture, move in zip(upright, moves, strict=True):
        picture[rows, columns + move[:, np.newaxis]] = ink
    totals, ways = cheapest(upright)
    at = np.arange(len(slants))[:, np.newaxis, np.newaxis], np.arange(len(ink))[:, np.newaxis], ways
    prices = upright[at].sum(axis=1)
    at_left = upright.cumsum(axis=2)[at].sum(axis=1)
    least = LEAST * height * height
    fair = (totals <= DEAREST * height) & (np.minimum(at_left, ink.sum() - at_left) >= least)
    # One seam in a row, the cheapest first.
    left = (ways - moves[:, :, np.newaxis]).transpose(0, 2, 1)[fair]
    order = prices[fair].argsort(kind="stable")
    left, costs = left[order], prices[fair][order]
    apart, most = max(2, round(APART * height)), math.ceil(MOST * ink.shape[1] / height)
    found: list[tuple[Seam, float]] = []
    while len(left) and len(found) < most:
        seam = left[0]
        found.append((seam, float(costs[0])))
        off = left - seam
        kept = (off >= 0).all(axis=1) | (off <= 0).all(axis=1)
        kept &= np.abs(off).sum(axis=1) >= apart * len(ink)
        left, costs = left[kept], costs[kept]
    return found


def cheapest(pictures: Levels) -> tuple[Levels, Seam]:
    """The cheapest way from the top to each column at the bottom.

    Args:
        pictures: shape (N, H, W), ink from 0 to 1.

    Returns:
        what each costs, shape (N, W), and its column in each row, shape (N, H, W).
    """
    count, height, width = pictures.shape
    came = np.zeros((height, count, width), np.int8)
    total = pictures[:, 0]
    for row in range(1, height):
        least = total.copy()
        for step, to, from_ in ((-1, slice(1, None), slice(-1)), (1, slice(-1), slice(1, None))):
            other = total[:, from_] + np.float32(SIDEWAYS)
            better = other < least[:, to]
            np.copyto(least[:, to], other, where=better)
            np.copyto(came[row, :, to], np.int8(step), where=better)
        total = pictures[:, row] + least
    ways = np.empty(pictures.shape, np.intp)
    ways[:, -1] = np.arange(width)
    pages = np.arange(count)[:, np.newaxis]
    for row in range(height - 1, 0, -1):
        ways[:, row - 1] = ways[:, row] + came[row, pages, ways[:, row]]
    return total, ways
