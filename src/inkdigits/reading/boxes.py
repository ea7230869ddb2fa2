"""Boxes on a page, into which digits are written: their sides are shorter than any rule.

Two lines, one below the other, are a box's where something stands between their ends: a pair of
strokes has nothing there, or not all the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inkdigits.reading.straights import Straight

__all__ = ["box_sides"]

Mask = NDArray[np.bool_]

SEEN = 0.7  # of a side, the rest may be crossed
BROADEST = 0.95  # of a page's breadth: what is longer is a rule
SHARED = 0.6  # of the shorter of two sides: how much of it lies beside the other
FLAT, HIGH = 0.04, 3  # of a box's breadth: how high it may be
# Of a side's thickness: a box in which there is room for a digit is higher; and broader, where two
# that stand tell, as a 1 beside a side stands, too.
ROOM, ROOM_BETWEEN = 6, 8
FULL = 0.93  # of a side that stands, from the one that lies to the other
NEAR, BEYOND = 0.55, 0.75  # of what sides share those between are apart; of theirs, what is shared
REACH, REACH_SHARE = 8, 0.25  # pixels, and of a box's height: a side stands as far from an end
# In thicknesses of the sides that lie, and pixels: what stands is a side, or those of two boxes.
SINGLE, DOUBLE = (1.5, 1), (2.5, 2)
LEANING = 0.05  # of its length: how much a side leans at most, a stroke often more
BOTH = 0.98  # as `FULL`, of two sides with little paper between: a 1 is as broad but ends before


@dataclass(frozen=True, eq=False)
class Frame:
    """Two lines, one below the other, and what stands between them.

    Args:
        top: the upper line.
        bottom: the lower one.
        left: the first column that both have.
        right: behind the last that both have.
        standing: what is dark all the way from one to the other, at least one; of these, x and y
            are changed for each other.
    """

    top: Straight
    bottom: Straight
    left: int
    right: int
    standing: list[Straight]

    @property
    def ends(self) -> tuple[float, float]:
        """The columns of what stands nearest to the first and the last shared column."""
        places = np.array([each.row(each.start) for each in self.standing])
        first, last = (places[np.abs(places - end).argmin()] for end in (self.left, self.right - 1))
        return float(first), float(last)

    @property
    def is_closed(self) -> bool:
        """Whether something stands near both ends; a digit may hide a corner, where a line ends."""
        first, last = self.ends
        shared, apart = self.right - self.left, last - first
        return apart >= NEAR * shared and shared >= BEYOND * apart

    @property
    def is_open_at_one_end(self) -> bool:
        """Whether something stands at an end at least, and the lines are whole and end alike.

        Writing may hide the fourth side; so much else tells that there is one.
        """
        first, last = self.ends
        spare = max(self.top.thickness, self.bottom.thickness) + 1
        return (
            abs(self.top.start - self.bottom.start) <= spare
            and abs(self.top.stop - self.bottom.stop) <= spare
            and min(abs(first - self.left), abs(last - self.right)) <= spare
            and min(self.top.covered, self.bottom.covered) > FULL
            and max(self.top.lean, self.bottom.lean) <= LEANING * self.top.length + 1
        )


def box_sides(
    mask: Mask, lying: list[Straight], upright: list[Straight]
) -> tuple[list[Straight], list[Straight]]:
    """The sides of boxes: those that lie, and those that stand.

    Args:
        mask: shape (H, W), what is dark.
        lying: the lines found on it.
        upright: those found on it transposed.
    """
    rows, columns = sides(each for each in frames(mask, lying) if each.is_closed)
    # A box without its top or bottom has its sides that stand, and one that lies between them.
    more_columns, more_rows = sides(
        each for each in frames(mask.T, upright, room=ROOM_BETWEEN) if each.is_open_at_one_end
    )
    return rows + more_rows, columns + more_columns


def sides(boxes: Iterator[Frame]) -> tuple[list[Straight], list[Straight]]:
    """Their lines, each once, and what stands between these: what is not at an end parts cells."""
    lying: list[Straight] = []
    standing: list[Straight] = []
    for box in boxes:
        lying += [each for each in (box.top, box.bottom) if each not in lying]
        standing += box.standing
    return lying, standing


def frames(mask: Mask, lying: list[Straight], *, room: float = ROOM) -> Iterator[Frame]:
    """All pairs of lines that may be a box's top and bottom, where something stands between.

    Args:
        mask: shape (H, W), what is dark.
        lying: the lines found on it.
        room: of their thickness: they are farther apart.
    """
    width = mask.shape[1]
    likely = [one for one in lying if one.covered >= SEEN and one.length < BROADEST * width]
    likely.sort(key=lambda one: one.row(one.start))
    for place, top in enumerate(likely):
        for bottom in likely[place + 1 :]:
            left, right = max(top.start, bottom.start), min(top.stop, bottom.stop)
            breadth = right - left
            if breadth < SHARED * min(top.length, bottom.length):
                continue
            first, last = (round((each.row(left) + each.row(right)) / 2) for each in (top, bottom))
            thickest = max(top.thickness, bottom.thickness)
            if not max(FLAT * breadth, room * thickest) < last - first <= HIGH * breadth:
                continue
            standing = standing_between(mask, (left, right), (first, last), thickest)
            if standing:
                yield Frame(top, bottom, left, right, standing)


def standing_between(
    mask: Mask, columns: tuple[int, int], rows: tuple[int, int], thickest: float
) -> list[Straight]:
    """What is dark from one row to another, between two columns or a little beyond.

    Args:
        mask: shape (H, W), what is dark.
        columns: the first, and the one behind the last.
        rows: the first and the last.
        thickest: of the lines in these rows, pixels.

    Returns:
        with x and y changed for each other.
    """
    first, last = rows
    reach = REACH + int(REACH_SHARE * (last - first))
    start, stop = max(0, columns[0] - reach), min(mask.shape[1], columns[1] + reach)
    between = mask[first : last + 1, start:stop].astype(np.uint8)
    # A side may lean by a pixel or two.
    share = cv2.dilate(between, np.ones((1, 3), np.uint8)).mean(axis=0)
    full = np.flatnonzero(np.diff(np.concatenate([[0], share > FULL, [0]])))
    line = np.arange(first, last + 1, dtype=np.float64)
    single, double = (times * thickest + more for times, more in (SINGLE, DOUBLE))
    found = []
    for begin, end in full.reshape(-1, 2).tolist():
        breadth = end - begin - 2  # as it was before it was dilated
        if breadth > double:
            continue
        # Cells with a little paper between have two sides there, which may blur.
        two = breadth > single
        if two and share[begin + 1 : end - 1].min() < BOTH:
            continue
        middle = start + (begin + end - 1) / 2
        apart = (breadth - 1) / 2 if two else 0.0
        for place in (middle - apart, middle + apart) if two else (middle,):
            curve, middles = np.array([0.0, place]), np.full_like(line, place)
            thickness = max(1.0, breadth)
            found.append(Straight(first, last + 1, curve, thickness, True, line, middles))
    return found
