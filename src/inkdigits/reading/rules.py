"""Rules of a page: printed lines, squares and boxes, in which and across which is written."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inkdigits.reading.lines import margins

__all__ = ["rules", "tilt"]

Mask = NDArray[np.bool_]
Places = NDArray[np.float64]

STEEPEST = 16.0  # degrees
LONG = 0.3  # of a page's breadth: no stroke is as long
THICKEST, THICKEST_SHARE = 8, 0.009
FLAT, FULL = 0.04, 0.93
SIDE_COVERED = 0.7
BOTH = 0.98
SPIKE = 0.25
COVERED = 0.5  # of a rule is seen, the rest may be crossed or faint
ALIKE, MANY = 2, 5  # pixels between their ends; so many lines are printed
COVERED_ALONG = 0.5  # of the breadth of rules beside it, by what runs like them


@dataclass(frozen=True, eq=False)
class Straight:
    """A thin straight piece of ink that lies; of what stands, x and y are changed for each other.

    Args:
        start: first column.
        stop: the column behind the last.
        curve: of the row over the column counted from `start`, as of numpy.polyval.
        thickness: in pixels.
        far: whether it is longer than any stroke, or goes from rim to rim.
    """

    start: int
    stop: int
    curve: Places
    thickness: float
    far: bool
    columns: Places
    middles: Places

    @property
    def covered(self) -> float:
        return len(np.unique(self.columns)) / (self.stop - self.start)

    def row(self, column: float) -> float:
        inside = min(max(column, self.start), self.stop - 1)
        return float(np.polyval(self.curve, inside - self.start))


def rules(mask: Mask) -> Mask:
    """Long straight thin lines, lying or upright, and boxes, but for strokes that cross them."""
    taken = margins(mask)
    rest = mask & ~taken
    long = LONG * max(mask.shape)
    lying = straights(rest, long)
    upright = straights(np.ascontiguousarray(rest.T), long)
    rows, columns = boxes(rest, lying)
    more_columns, more_rows = boxes(rest.T, upright, hidden=True)
    rows, columns = rows + more_rows, columns + more_columns
    lying = with_parallels(rest, [one for one in lying if one.far]) + rows
    upright = with_parallels(rest.T, [one for one in upright if one.far]) + columns
    if not lying and not upright:
        return taken
    bands = np.zeros_like(mask)
    remove(rest, taken, lying, bands)
    remove(rest.T, taken.T, upright, bands.T)
    # What is left of rules where they cross each other.
    count, labels = cv2.connectedComponents((rest & ~taken).astype(np.uint8), connectivity=8)
    beyond = np.zeros(count, bool)
    beyond[labels[~bands]] = True
    beyond[0] = True
    taken |= ~beyond[labels]
    return taken


def flat_runs(mask: Mask) -> tuple[NDArray[np.uint8], int, int]:
    """What is thin and lies, how long it is at least, and how thick at most."""
    piece = int(max(9, min(mask.shape) / 120))
    thickest = math.ceil(max(THICKEST, THICKEST_SHARE * max(mask.shape)))
    ink = mask.astype(np.uint8)
    # What is tall is no rule but may touch it.
    thin = ink - cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((thickest + 1, 1), np.uint8))
    runs = cv2.morphologyEx(thin, cv2.MORPH_OPEN, np.ones((1, piece), np.uint8))
    return np.asarray(runs, np.uint8), piece, thickest


def straights(mask: Mask, long: float) -> list[Straight]:
    runs, piece, thickest = flat_runs(mask)
    width = mask.shape[1]
    if width < 3 * piece:
        return []
    joined = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, np.ones((3, 2 * piece + 1), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = []
    for index in range(1, count):
        left, top, breadth, tall, _ = stats[index].tolist()
        if breadth < 1.5 * piece or tall > 0.06 * breadth + thickest + 3:
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
    return judged([each for each in whole if each.covered >= COVERED], long, width)


def with_parallels(mask: Mask, known: list[Straight]) -> list[Straight]:
    """The rules, and those that run like the longest of them but are crossed too often to be seen.

    Paper is ruled all over: what is inked all along such a line is none of writing's strokes.
    """
    long = [one for one in known if one.stop - one.start >= 0.6 * mask.shape[1]]
    if not long:
        return known
    like = max(long, key=lambda one: (one.stop - one.start) * one.covered)
    columns = np.arange(like.start, like.stop)
    fall = np.polyval(like.curve, columns - like.start)
    fall = np.rint(fall - fall[0]).astype(int)
    runs, _, _ = flat_runs(np.ascontiguousarray(mask))
    places = np.arange(-max(0, fall.max()), len(mask) - min(0, fall.min()))
    rows = places[:, np.newaxis] + fall
    inside = (rows >= 0) & (rows < len(mask))
    level = np.where(inside, runs[np.clip(rows, 0, len(mask) - 1), columns], 0)
    near = cv2.dilate(level, np.ones((3, 1), np.uint8)) > 0
    covered = (near & inside).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
    covered[inside.mean(axis=1) < 0.5] = 0
    reach = math.ceil(like.thickness) + 3
    for one in long:
        middle = columns[len(columns) // 2]
        place = round(one.row(float(middle)) - fall[len(columns) // 2]) - places[0]
        covered[max(0, place - reach) : place + reach + 1] = 0
    found = []
    while covered.size and covered.max() >= COVERED_ALONG:
        place = int(covered.argmax())
        band = slice(max(0, place - reach), place + reach + 1)
        depth = level[band].sum(axis=0)
        inked = np.flatnonzero((depth > 0) & (depth <= 2 * like.thickness + 1))
        covered[band] = 0
        if inked.size < 2:
            continue
        at = places[band] @ level[band][:, inked] / depth[inked]
        curve = like.curve.copy()
        curve[-1] = np.median(at)
        thickness = float(np.median(depth[inked]))
        found.append(Straight(like.start, like.stop, curve, thickness, True, columns, columns))
    return known + found


def judged(found: list[Straight], long: float, width: int) -> list[Straight]:
    """Each with the answer whether it is too long for a stroke, or one of many that are alike."""
    rim = max(2, 0.02 * width)
    starts, stops = (np.array([getattr(each, end) for each in found]) for end in ("start", "stop"))
    whole = []
    for one in found:
        across = one.start <= rim and one.stop >= width - rim
        alike = (np.abs(starts - one.start) <= ALIKE) & (np.abs(stops - one.stop) <= ALIKE)
        many = one.stop - one.start >= 0.8 * width and np.count_nonzero(alike) >= MANY
        whole.append(replace(one, far=one.stop - one.start >= long or across or many))
    return whole


def fitted(columns: Places, middles: Places, thickness: float) -> Straight | None:
    """None where the points are on no straight line."""
    degree = 2 if columns[-1] - columns[0] > 40 * thickness else 1
    start = int(columns[0])
    x = columns - start
    curve = np.polyfit(x, middles, degree)
    off = np.abs(np.polyval(curve, x) - middles)
    near = off <= max(np.median(off), 1)
    curve = np.polyfit(x[near], middles[near], degree)
    off = np.abs(np.polyval(curve, x) - middles)
    if np.median(off) > max(1, 0.5 * thickness):
        return None
    return Straight(start, int(columns[-1]) + 1, curve, thickness, False, columns, middles)


def merged(found: list[Straight]) -> list[Straight]:
    """Those that continue one another made one."""
    rest = sorted(found, key=lambda one: one.start - one.stop)[:400]
    whole = []
    while rest:
        seed, *rest = rest
        again = True
        while again:
            again = False
            slope = np.polyfit(seed.columns, seed.middles, 1)
            for other in rest:
                gap = max(other.start - seed.stop, seed.start - other.stop)
                if gap > seed.stop - seed.start:
                    continue
                middle = (other.start + other.stop) / 2
                off = abs(np.polyval(slope, middle) - other.row(middle))
                if off > 1 + 0.5 * seed.thickness + 0.01 * max(gap, 0):
                    continue
                if not 0.5 < (other.thickness + 1) / (seed.thickness + 1) < 2:
                    continue
                columns = np.concatenate([seed.columns, other.columns])
                order = columns.argsort(kind="stable")
                both = fitted(
                    columns[order],
                    np.concatenate([seed.middles, other.middles])[order],
                    seed.thickness,
                )
                if both is None:
                    continue
                seed, again = both, True
                rest = [each for each in rest if each is not other]
                break
        whole.append(seed)
    return whole


def boxes(mask: Mask, lying: list[Straight], hidden: bool = False) -> tuple[list[Straight], list[Straight]]:
    """The sides of boxes that are shorter than a rule: those that lie, and those that stand.

    A box is two like lines, one below the other, between whose ends something dark goes all the way
    down; what else does so between them is a side as well.
    """
    rows, columns = [], []
    width = mask.shape[1]
    likely = (
        one for one in lying if one.covered >= SIDE_COVERED and one.stop - one.start < 0.95 * width
    )
    lying = sorted(likely, key=lambda one: one.row(one.start))
    for place, top in enumerate(lying):
        for bottom in lying[place + 1 :]:
            left, right = max(top.start, bottom.start), min(top.stop, bottom.stop)
            if right - left < 0.6 * min(top.stop - top.start, bottom.stop - bottom.start):
                continue
            first, last = (round((each.row(left) + each.row(right)) / 2) for each in (top, bottom))
            thickest = max(top.thickness, bottom.thickness)
            if not max(FLAT * (right - left), 8 * thickest) < last - first <= 3 * (right - left):
                continue
            found = upright_sides(mask, left, right, first, last, thickest)
            if not found:
                continue
            # A digit may hide a corner, and so where a line ends.
            places = np.array([each.row(0) for each in found])
            nearest = [places[np.abs(places - end).argmin()] for end in (left, right - 1)]
            closed = 0.55 * (right - left) <= nearest[1] - nearest[0] <= (right - left) / 0.75
            # Or one of its sides, where the others meet.
            spare = thickest + 1
            ends = (top.start, bottom.start), (top.stop, bottom.stop)
            level = all(abs(one - other) <= spare for one, other in ends)
            at_end = min(abs(nearest[0] - left), abs(nearest[1] - right)) <= spare
            if hidden:
                closed = level and at_end and min(top.covered, bottom.covered) > FULL
            if len(found) > 1 - hidden and closed:
                rows += [each for each in (top, bottom) if each not in rows]
                columns += found
    return rows, columns


def upright_sides(
    mask: Mask, left: int, right: int, first: int, last: int, thickest: float
) -> list[Straight]:
    """What is dark from one row to another, between two columns."""
    reach = 8 + (last - first) // 4
    start, stop = max(0, left - reach), min(mask.shape[1], right + reach)
    between = mask[first : last + 1, start:stop].astype(np.uint8)
    # A side may lean by a pixel or two.
    share = cv2.dilate(between, np.ones((1, 3), np.uint8)).mean(axis=0)
    full = np.flatnonzero(np.diff(np.concatenate([[0], share > FULL, [0]])))
    sides = []
    for begin, end in full.reshape(-1, 2).tolist():
        broad = end - begin - 2 > 1.5 * thickest + 1
        # Cells with a little paper between have two sides there, which blur.
        if broad and (end - begin > 2.5 * thickest + 4 or share[begin + 1 : end - 1].min() < BOTH):
            continue
        middle = start + (begin + end - 1) / 2
        line = np.arange(first, last + 1, dtype=np.float64)
        curve = np.array([0.0, middle])
        thickness = max(1.0, end - begin - 2.0)
        sides.append(Straight(first, last + 1, curve, thickness, True, line, line))
    return sides


def remove(mask: Mask, taken: Mask, lines: list[Straight], bands: Mask) -> None:
    """Marks in `taken` what is dark along the lines, and in `bands` where they lie."""
    width = mask.shape[1]
    for line in lines:
        spare = math.ceil(line.thickness) + 2
        columns = np.arange(max(0, line.start - spare), min(width, line.stop + spare))
        inside = np.clip(columns, line.start, line.stop - 1) - line.start
        middles = np.polyval(line.curve, inside)
        along(mask, taken, columns, middles, line.thickness)
        half = math.ceil(line.thickness / 2) + 2
        rows = np.rint(middles).astype(int)[None, :] + np.arange(-half, half + 1)[:, None]
        bands[np.clip(rows, 0, len(mask) - 1), columns[None, :]] = True


def along(
    mask: Mask, taken: Mask, columns: NDArray[np.intp], middles: Places, thickness: float
) -> None:
    """Marks the dark pixels along a line, where they are not part of a stroke that crosses it."""
    height = len(mask)
    reach = int(thickness) + 2
    limit = 1.4 * thickness + 1
    half = reach + math.ceil(limit) + 1
    rows = np.rint(middles).astype(int)[None, :] + np.arange(-half, half + 1)[:, None]
    inside = (rows >= 0) & (rows < height)
    dark = mask[np.clip(rows, 0, height - 1), columns[None, :]] & inside
    # The dark pixel nearest to the middle, and how far the dark run through it goes up and down.
    distance = np.abs(np.arange(-half, half + 1))[:, None]
    far = np.where(dark & (distance <= reach), distance, 10**6)
    nearest = far.argmin(axis=0)
    found = far[nearest, np.arange(len(columns))] < 10**6
    index = np.arange(2 * half + 1)[:, None]
    gaps_above = np.where(~dark & (index < nearest), index, -1).max(axis=0)
    gaps_below = np.where(~dark & (index > nearest), index, 2 * half + 1).min(axis=0)
    run = gaps_below - gaps_above - 1
    take = found & (run <= limit)
    chosen = dark & (index > gaps_above) & (index < gaps_below) & take
    taken[rows[chosen], np.broadcast_to(columns[None, :], rows.shape)[chosen]] = True


def tilt(mask: Mask) -> float:
    """By how many degrees lines are turned, clockwise; 0 where no long lines are seen."""
    height, width = mask.shape
    thickest = math.ceil(max(THICKEST, THICKEST_SHARE * max(mask.shape)))
    ink = mask.astype(np.uint8)
    broad = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((thickest, thickest), np.uint8))
    ys, xs = np.nonzero(ink - broad)
    if len(ys) < 200:
        return 0.0
    step = len(ys) // 10000 + 1
    ys, xs = ys[::step], xs[::step]
    bin_ = max(1.0, max(height, width) / 700)
    ys, xs = (ys - height / 2) / bin_, (xs - width / 2) / bin_

    def sharpness(degrees: float) -> float:
        angle = math.radians(degrees)
        total = 0.0
        for along_, across in ((xs, ys), (ys, -xs)):
            place = np.rint(across * math.cos(angle) - along_ * math.sin(angle)).astype(int)
            counts = np.bincount(place - place.min()).astype(float)
            # A rule is a spike, a line of writing is as high as its digits.
            high = counts - cv2.blur(counts[np.newaxis], (13, 1))[0]
            beyond = np.maximum(high * step - SPIKE * max(height, width), 0)
            total += float((beyond**2).sum())
        return total

    angles = np.arange(-STEEPEST, STEEPEST + 0.1, 0.5)
    scores = np.array([sharpness(a) for a in angles])
    best = int(scores.argmax())
    if scores[best] < 1.3 * np.median(scores) or not scores[best]:
        return 0.0
    fine = angles[best] + np.arange(-0.4, 0.41, 0.1)
    return float(fine[np.argmax([sharpness(a) for a in fine])])
