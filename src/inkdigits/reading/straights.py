"""Straight thin pieces of ink that lie: of them rules and boxes are made.

What stands is found on the transposed mask; there is no second set of functions for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Straight", "flat_runs", "straights", "thickest_rule"]

Mask = NDArray[np.bool_]
Places = NDArray[np.float64]

LONG = 0.3  # of a page's longer side: no stroke is as long
THICKEST, THICKEST_SHARE = 8, 0.009  # pixels, and of the longer side: a rule is no thicker
BOLD = 1.5  # times that: rules of a page that has no others
RUN, RUN_SHARE = 9, 1 / 120  # pixels, and of the shorter side: runs are as long, or writing's
SHORTEST = 1.5  # of a run: what is joined of runs is longer
RISE = 0.06  # of its length: how much a line may climb
COVERED = 0.5  # of a rule is seen, the rest may be crossed or faint
BENT = 40  # of its thickness: a longer line may be bent
OFF = 0.5  # of its thickness: how far, as a rule, ink lies from its line
TRIED = 400  # lines, the longest first: merging asks about each with each
ACCURATE = 0.01  # of the gap between two lines: how far one may be off where the other one points
RIM = 0.02  # of a page's breadth: who begins and ends there goes from rim to rim
ALIKE = 2  # pixels: ends of printed lines are as near to each other's
MANY, BROAD = 5, 0.8  # lines that end alike are printed if they are so many, and so broad a page's


@dataclass(frozen=True, eq=False)
class Straight:
    """A thin straight piece of ink that lies; of what stands, x and y are changed for each other.

    Args:
        start: first column.
        stop: the column behind the last.
        curve: shape (2,) or (3,): of the row over the column counted from `start`, as of
            numpy.polyval.
        thickness: in pixels.
        far: whether it is longer than any stroke, or goes from rim to rim, or is one of many.
        columns: shape (n,), ascending: where ink was seen; some more than once where lines overlap.
        middles: shape (n,): the row in the middle of that ink.
    """

    start: int
    stop: int
    curve: Places
    thickness: float
    far: bool
    columns: Places
    middles: Places

    @property
    def length(self) -> int:
        """In columns."""
        return self.stop - self.start

    @property
    def covered(self) -> float:
        """The share of columns in which ink was seen, 0 to 1."""
        return len(np.unique(self.columns)) / self.length

    @property
    def lean(self) -> float:
        """By how many rows its ends differ."""
        return abs(self.row(self.start) - self.row(self.stop))

    def row(self, column: float) -> float:
        """Its row at a column; beyond its ends, that of the nearer one."""
        inside = min(max(column, self.start), self.stop - 1)
        return float(np.polyval(self.curve, inside - self.start))


def thickest_rule(shape: tuple[int, ...], *, bold: bool = False) -> int:
    """How thick rules of a page of shape (H, W) are at most, in pixels; or bold ones, if it has."""
    return math.ceil(max(THICKEST, THICKEST_SHARE * max(shape)) * (BOLD if bold else 1))


def straights(mask: Mask, *, bold: bool = False) -> list[Straight]:
    """All straight thin pieces that lie and of which at least half is seen.

    Args:
        mask: shape (H, W), what is dark.
        bold: whether those half as thick again count as thin.
    """
    runs, piece = flat_runs(mask, bold=bold)
    width = mask.shape[1]
    if width < 3 * piece:
        return []
    joined = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, np.ones((3, 2 * piece + 1), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    tallest = thickest_rule(mask.shape, bold=bold) + 3
    found = []
    for index in range(1, count):
        left, top, breadth, tall, _ = stats[index].tolist()
        if breadth < SHORTEST * piece or tall > RISE * breadth + tallest:
            continue
        own = (labels[top : top + tall, left : left + breadth] == index) & (
            runs[top : top + tall, left : left + breadth] > 0
        )
        depth = own.sum(axis=0)
        columns = np.flatnonzero(depth)
        middles = top + (own.T[columns] @ np.arange(tall)) / depth[columns]
        one = fitted((left + columns).astype(np.float64), middles, float(np.median(depth[columns])))
        if one is not None:
            found.append(one)
    # A side of a box may have been joined to what is beside it by chance: each counts alone, too.
    whole = [*found, *(each for each in merged(found) if each not in found)]
    return judged([each for each in whole if each.covered >= COVERED], mask.shape)


def flat_runs(mask: Mask, *, bold: bool = False) -> tuple[NDArray[np.uint8], int]:
    """What is thin and lies: two openings (Serra 1982), one for each of these.

    Args:
        mask: shape (H, W), what is dark.
        bold: as for `straights`.

    Returns:
        shape (H, W), uint8, 1 where it is; and how many columns its runs have at least.
    """
    piece = int(max(RUN, RUN_SHARE * min(mask.shape)))
    ink = mask.astype(np.uint8, order="C")
    # What is tall is no rule but may touch it.
    tall = np.ones((thickest_rule(mask.shape, bold=bold) + 1, 1), np.uint8)
    thin = ink - cv2.morphologyEx(ink, cv2.MORPH_OPEN, tall)
    runs = cv2.morphologyEx(thin, cv2.MORPH_OPEN, np.ones((1, piece), np.uint8))
    return np.asarray(runs, np.uint8), piece


def fitted(columns: Places, middles: Places, thickness: float) -> Straight | None:
    """The line, or if it is long the parabola, through points; None where they are on none.

    Least squares, and again with the half of the points that is near: a step of least trimmed
    squares (Rousseeuw 1984), for which a digit's foot beside a rule is no matter.

    Args:
        columns: shape (n,), ascending.
        middles: shape (n,), rows.
        thickness: in pixels.
    """
    degree = 2 if columns[-1] - columns[0] > BENT * thickness else 1
    start = int(columns[0])
    x = columns - start
    curve = np.polyfit(x, middles, degree)
    off = np.abs(np.polyval(curve, x) - middles)
    near = off <= max(np.median(off), 1)
    curve = np.polyfit(x[near], middles[near], degree)
    off = np.abs(np.polyval(curve, x) - middles)
    if np.median(off) > max(1, OFF * thickness):
        return None
    return Straight(start, int(columns[-1]) + 1, curve, thickness, False, columns, middles)


def merged(found: list[Straight]) -> list[Straight]:
    """Those that continue one another made one, from the longest on."""
    rest = sorted(found, key=lambda one: -one.length)[:TRIED]
    whole = []
    while rest:
        seed, *rest = rest
        again = True
        while again:
            again = False
            slope = np.polyfit(seed.columns, seed.middles, 1)
            for other in rest:
                both = continued(seed, other, slope)
                if both is not None:
                    seed, again = both, True
                    rest = [each for each in rest if each is not other]
                    break
        whole.append(seed)
    return whole


def continued(one: Straight, other: Straight, slope: Places) -> Straight | None:
    """Both as one line; None where they are none. `slope` is one's, as of numpy.polyval."""
    gap = max(other.start - one.stop, one.start - other.stop)
    if gap > one.length:
        return None
    middle = (other.start + other.stop) / 2
    off = abs(np.polyval(slope, middle) - other.row(middle))
    if off > 1 + OFF * one.thickness + ACCURATE * max(gap, 0):
        return None
    if not 0.5 < (other.thickness + 1) / (one.thickness + 1) < 2:
        return None
    columns = np.concatenate([one.columns, other.columns])
    order = columns.argsort(kind="stable")
    middles = np.concatenate([one.middles, other.middles])
    return fitted(columns[order], middles[order], one.thickness)


def judged(found: list[Straight], shape: tuple[int, ...]) -> list[Straight]:
    """Each with the answer whether it is too long for a stroke, or one of many that are alike.

    Args:
        found: lines of one page.
        shape: of the page, (H, W).
    """
    width = shape[1]
    rim = max(2, RIM * width)
    starts, stops = np.array([one.start for one in found]), np.array([one.stop for one in found])
    whole = []
    for one in found:
        long = one.length >= LONG * max(shape)
        across = one.start <= rim and one.stop >= width - rim
        # Squares that end at the last crossing before the rim: on a low page they are short.
        alike = (np.abs(starts - one.start) <= ALIKE) & (np.abs(stops - one.stop) <= ALIKE)
        many = one.length >= BROAD * width and np.count_nonzero(alike) >= MANY
        whole.append(replace(one, far=bool(long or across or many)))
    return whole
