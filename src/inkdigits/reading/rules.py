"""Rules of a page: printed lines, squares and boxes, in which and across which is written."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from inkdigits.reading.boxes import box_sides
from inkdigits.reading.lines import margins
from inkdigits.reading.straights import Straight, flat_runs, straights, thickest_rule

__all__ = ["rules", "tilt"]

Mask = NDArray[np.bool_]
Places = NDArray[np.float64]
Indices = NDArray[np.intp]

MODEL = 0.6  # of a page's breadth: a rule so long tells how others run
VISIBLE = 0.5  # of such a rule: one like it lies on the page with so much at least
COVERED_ALONG = 0.5  # of the breadth of rules beside it, by what runs like them
THICKER = 2  # times a rule's thickness, and a pixel: what is thicker there is a stroke's
CROSSING = 1.4  # times a rule's thickness, and a pixel: a dark run across it longer is a stroke's
STEEPEST = 16.0  # degrees that a page is turned at most
STEP, FINE = 0.5, 0.1  # degrees from one angle that is tried to the next
FEWEST, MOST = 200, 10000  # pixels: fewer tell no tilt, and more tell it no better
BINS = 700  # of the longer side: rows are counted as coarsely
SPIKE = 0.25  # of a page's longer side: strokes in a row hardly come to as much ink
AROUND = 13  # rows whose mean is no spike
SHARPER = 1.3  # times as sharp as at the median angle: rules are that at their own


def rules(mask: Mask) -> Mask:
    """Long straight thin lines, lying or upright, and boxes, but for strokes that cross them.

    Args:
        mask: shape (H, W), what is dark.

    Returns:
        shape (H, W).
    """
    taken = margins(mask)
    rest = mask & ~taken
    lying, upright = straights(rest), straights(rest.T)
    bold = False
    if not any(one.far for one in lying + upright):  # but for those of a page seen from near
        lines = straights(rest, bold=True)
        thickest = thickest_rule(mask.shape)
        bold = any(
            one.length >= MODEL * mask.shape[1] and one.thickness >= thickest for one in lines
        )
        lying = lines if bold else lying
    rows, columns = box_sides(rest, lying, upright)
    rows += with_parallels(rest, [one for one in lying if one.far], bold=bold)
    columns += with_parallels(rest.T, [one for one in upright if one.far])
    if not rows and not columns:
        return taken
    bands = np.zeros_like(mask)
    remove(rest, taken, rows, bands)
    remove(rest.T, taken.T, columns, bands.T)
    # What is left of rules where they cross each other.
    count, labels = cv2.connectedComponents((rest & ~taken).astype(np.uint8), connectivity=8)
    beyond = np.zeros(count, bool)
    beyond[labels[~bands]] = True
    beyond[0] = True
    taken |= ~beyond[labels]
    return taken


def with_parallels(mask: Mask, known: list[Straight], *, bold: bool = False) -> list[Straight]:
    """The rules, and those that run like the longest of them but are crossed too often to be seen.

    Paper is ruled all over: what is inked all along such a line is none of writing's strokes.

    Args:
        mask: shape (H, W), what is dark.
        known: the rules that were found on it.
        bold: as for `straights`.
    """
    long = [one for one in known if one.length >= MODEL * mask.shape[1]]
    if not long:
        return known
    like = max(long, key=lambda one: one.length * one.covered)
    level, places, fall = levelled(flat_runs(mask, bold=bold)[0], like)
    inside = (places[:, np.newaxis] + fall >= 0) & (places[:, np.newaxis] + fall < len(mask))
    near = cv2.dilate(level, np.ones((3, 1), np.uint8)) > 0
    covered = (near & inside).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
    covered[inside.mean(axis=1) < VISIBLE] = 0
    reach = math.ceil(like.thickness) + 3

    def around(place: int) -> slice:
        return slice(max(0, place - reach), place + reach + 1)

    halfway = like.length // 2
    for one in long:
        covered[around(round(one.row(like.start + halfway)) - int(fall[halfway] + places[0]))] = 0
    found = []
    while covered.size and covered.max() >= COVERED_ALONG:
        band = around(int(covered.argmax()))
        covered[band] = 0
        depth = level[band].sum(axis=0)
        inked = np.flatnonzero((depth > 0) & (depth <= THICKER * like.thickness + 1))
        if inked.size >= 2:
            starts = places[band] @ level[band][:, inked] / depth[inked]
            found.append(shifted(like, inked, starts, float(np.median(depth[inked]))))
    return known + found


def levelled(runs: NDArray[np.uint8], like: Straight) -> tuple[NDArray[np.uint8], Indices, Indices]:
    """A page's runs in rows that run like a line, and so are dark all along where others lie.

    Args:
        runs: shape (H, W), 0 or 1.
        like: the line.

    Returns:
        shape (rows, like.length): the runs along lines like that one, 0 where these leave the page.
        shape (rows,): in which row of the page they begin, which may be above or below it.
        shape (like.length,): how many rows further down they are at each column.
    """
    columns = np.arange(like.start, like.stop)
    course = np.polyval(like.curve, columns - like.start)
    fall = np.rint(course - course[0]).astype(np.intp)
    places = np.arange(-max(0, fall.max()), len(runs) - min(0, fall.min()))
    rows = places[:, np.newaxis] + fall
    inside = (rows >= 0) & (rows < len(runs))
    level = np.where(inside, runs[np.clip(rows, 0, len(runs) - 1), columns], 0)
    return np.asarray(level, np.uint8), places, fall


def shifted(like: Straight, inked: Indices, starts: Places, thickness: float) -> Straight:
    """A line that runs like another one.

    Args:
        like: that one.
        inked: shape (n,): the columns from its start on in which there is ink.
        starts: shape (n,): in which row the line would begin that this ink lies on.
        thickness: in pixels.
    """
    curve = like.curve.copy()
    curve[-1] = np.median(starts)
    columns = (like.start + inked).astype(np.float64)
    middles = np.polyval(like.curve, inked) - like.curve[-1] + starts
    return Straight(like.start, like.stop, curve, thickness, True, columns, middles)


def remove(mask: Mask, taken: Mask, lines: list[Straight], bands: Mask) -> None:
    """Marks in `taken` what is dark along the lines, and in `bands` where they lie.

    Args:
        mask: shape (H, W), what is dark.
        taken: shape (H, W).
        lines: what to take.
        bands: shape (H, W).
    """
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


def along(mask: Mask, taken: Mask, columns: Indices, middles: Places, thickness: float) -> None:
    """Marks the dark pixels along a line, where they are not part of a stroke that crosses it.

    A dark run across the line tells which by its length, as it does for the lines of staves
    (Randriamahefa et al. 1993).

    Args:
        mask: shape (H, W), what is dark.
        taken: shape (H, W), in which to mark.
        columns: shape (n,): of the line.
        middles: shape (n,): its row in each.
        thickness: in pixels.
    """
    height = len(mask)
    reach = int(thickness) + 2
    limit = CROSSING * thickness + 1
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


def tilt(mask: Mask) -> float | None:
    """By how many degrees long lines are turned, clockwise; None where none are seen.

    Rows of ink are counted at one angle after the other (projection profiles, Postl 1986); at that
    of the lines each of these is a spike.

    Args:
        mask: shape (H, W), what is dark.
    """
    height, width = mask.shape
    thickest = thickest_rule(mask.shape)
    ink = mask.astype(np.uint8)
    broad = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((thickest, thickest), np.uint8))
    ys, xs = np.nonzero(ink - broad)
    if len(ys) < FEWEST:
        return None
    step = len(ys) // MOST + 1
    ys, xs = ys[::step], xs[::step]
    bin_ = max(1.0, max(height, width) / BINS)
    ys, xs = (ys - height / 2) / bin_, (xs - width / 2) / bin_

    def sharpness(degrees: float) -> float:
        angle = math.radians(degrees)
        total = 0.0
        for along_, across in ((xs, ys), (ys, -xs)):
            place = np.rint(across * math.cos(angle) - along_ * math.sin(angle)).astype(int)
            counts = np.bincount(place - place.min()).astype(float)
            # A rule is a spike, a line of writing is as high as its digits.
            high = counts - cv2.blur(counts[np.newaxis], (AROUND, 1))[0]
            beyond = np.maximum(high * step - SPIKE * max(height, width), 0)
            total += float((beyond**2).sum())
        return total

    angles = np.arange(-STEEPEST, STEEPEST + FINE, STEP)
    scores = np.array([sharpness(a) for a in angles])
    best = int(scores.argmax())
    if scores[best] < SHARPER * np.median(scores) or not scores[best]:
        return None
    fine = angles[best] + np.arange(FINE - STEP, STEP - FINE + 0.01, FINE)
    return float(fine[np.argmax([sharpness(a) for a in fine])])
