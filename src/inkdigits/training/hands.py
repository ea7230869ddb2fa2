"""Other hands: how digits are written where MNIST's writers did not go to school.

MNIST's digits are American. Elsewhere a one has a long flag, and perhaps a foot; a seven is crossed
or begins with a serif, a zero is crossed lest it be an O, a four is open, a nine stands on a
straight leg; and a mouse makes everything angular. Some digits get such a habit added, others are
replaced by drawn ones, as one batch of training digits is made into a more varied one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS, checked_images
from inkdigits.glyph import bounding_box, glyph_of, stroke_width
from inkdigits.sources.strokes import CANVAS, FINE, Hand, Shape, drawn, reduced, shape

__all__ = ["DRAWN", "SHARES", "foreign_hands"]

Pixels = NDArray[np.uint8]

# How often a digit is changed, for each time that a 1 or a 7 is.
SHARES: Mapping[int, float] = MappingProxyType(
    {0: 0.15, 1: 1.0, 2: 0.3, 3: 0.25, 4: 0.5, 5: 0.25, 6: 0.3, 7: 1.0, 8: 0.2, 9: 0.5}
)

DRAWING = Hand(width=(1.5, 4), rotation_degrees=9, slant=0.25, aspect=0.35, wobble=0.02)
DRAWING_ONES = Hand(width=(1.5, 4), rotation_degrees=7, slant=0.3, aspect=0.3, wobble=0.015)

SOLID = 100  # a pixel of at least this is part of a stroke, not of its soft edge


def _table(*strokes: str) -> tuple[Shape, ...]:
    """Shapes written down in a square, as narrow as digits are."""
    return tuple(tuple(points * (0.65, 1.0) for points in shape(text)) for text in strokes)


# Forms of each digit; ones have their own drawer below.
DRAWN: Mapping[int, tuple[Shape, ...]] = MappingProxyType(
    {
        0: _table(
            "50,50,50,50,-90,-450",
            "50,50,50,50,-70,-460 80,8",
            "~60,0 20,10 0,50 25,95 70,95 100,55 85,12 40,0 20,8",
        ),
        2: _table(
            "~2,28 20,4 55,0 90,18 85,45 50,78 20,98 2,92 15,78 45,86 75,98 105,92",  # with a loop
            "~2,25 20,4 55,0 92,18 85,45 50,70 0,100;0,100 100,100",
            "~2,25 20,4 55,0 92,18 85,45 50,70 0,100;0,100 45,92 100,100",
            "~42,42 14,34 12,12 45,0 82,14 78,44 45,74 4,98;4,98 100,95",  # its head a loop
            "0,22 30,0 72,0 95,22 88,45 0,100 100,100",  # angular
            "0,0 95,0 95,50 0,50 0,100 95,100",  # as a display has it
        ),
        3: _table(
            "5,0 92,0 42,40 44,70,50,30,-80,150",  # with a flat top
            "5,0 92,0 42,40 95,65 85,92 45,100 0,90",
            "45,25,45,25,-160,80 45,75,52,25,-85,155",
            "0,0 90,0 90,100 0,100;15,50 90,50",
            "0,8 50,0 85,18 75,40 40,48 90,60 92,85 50,100 0,92",
        ),
        4: _table(
            "70,100 70,0 0,65 105,65",  # closed
            "60,0 0,68 105,68;72,35 72,100",
            "18,0 0,58 100,58;78,18 78,100",  # open
            "5,0 0,55 95,55;85,0 85,100",
            "40,0 0,62 105,62;70,30 65,100",
            "0,0 0,50 85,50;85,0 85,100",
            "75,100 75,0 0,42 95,42",  # its head small
            "78,100 78,0;66,2 0,30 78,30",
            "55,0 0,58 92,52 78,100",  # in one stroke, as lightning is drawn
            "45,0 0,48 100,42 100,100",
        ),
        5: _table(
            "110,0 15,0 10,42 44,68,48,32,-125,150",
            "12,6 8,42 44,68,48,32,-125,150;22,0 115,-4",  # with a bar of its own
            "90,0 10,0 0,45 50,40 92,55 92,82 60,100 0,95",
            "95,0 0,0 0,48 95,48 95,100 0,100",
        ),
        6: _table(
            "78,0 6,58 48,70,46,30,200,-165",  # with a straight top
            "25,0 4,62 50,70,46,30,185,-172",
            "0,0 0,70 50,70,50,30,180,-180",
            "~90,8 62,0 25,20 4,60 12,90 48,100 85,88 88,62 55,50 20,62 8,78",
            "90,0 0,0 0,100 90,100 90,50 0,50",
        ),
        7: _table(
            "0,0 100,0 38,100",
            "0,0 100,0 45,100;22,48 98,48",  # crossed
            "0,0 100,0 42,100;25,55 95,45",
            "0,24 2,0 100,0 40,100",  # with a serif
            "0,24 2,0 100,0 40,100;25,50 92,48",
            "~0,12 25,4 60,10 100,0 70,40 48,75 42,100;~22,50 45,45 70,52 95,46",
            "0,0 95,0 95,100",
        ),
        8: _table(
            "50,24,38,24,0,360;50,74,48,27,0,360",  # two circles
            "50,25,40,25,90,450 50,75,48,25,-90,270",
            "~88,14 50,0 12,20 45,46 92,75 50,100 6,78 55,46 88,14",
            "0,0 90,0 90,100 0,100 0,0;0,50 90,50",
        ),
        9: _table(
            "92,30 46,30,46,30,0,-360 92,100",  # with a straight leg
            "92,28 46,28,46,28,0,-360 70,100",
            "92,28 46,28,46,28,0,-360 92,72 50,72,42,28,0,140",  # with a hook
            "~92,10 55,0 8,15 8,42 40,55 85,40 92,10;92,10 92,75;~92,75 80,96 45,100 5,90",
            "90,50 0,50 0,0 90,0 90,100 0,100",
        ),
    }
)


def foreign_hands(
    images: Pixels, labels: NDArray[np.uint8], generator: np.random.Generator, *, share: float
) -> Pixels:
    """The digits, some of them as other hands write them; each remains what its label says.

    Takes about 30 µs a digit that is drawn anew, and 80 one that gets a stroke.

    Args:
        images: glyphs, shape (N, 28, 28), uint8; left as they are.
        labels: shape (N,), what they are, 0 to 9; what is none, 10, stays as it is.
        generator: of all that is drawn.
        share: 0 to 1: of the ones and sevens; other digits get less of it, as `SHARES` has it.

    Returns:
        shape (N, 28, 28), uint8, in memory of its own.

    Raises:
        DataError: the images are of another shape or type.
    """
    varied = checked_images(images).copy()
    labels = np.asarray(labels)
    each = np.array([*(SHARES[digit] for digit in range(DIGITS)), 0])  # the last: no digit
    changed = generator.random(len(varied)) < share * each[labels]
    # A seven or a zero may keep its own strokes, and get one more.
    own = changed & (generator.random(len(varied)) < 0.6) & np.isin(labels, list(ADDED))
    own &= varied.any(axis=(1, 2))
    for index in np.flatnonzero(own).tolist():
        varied[index] = ADDED[int(labels[index])](varied[index], generator)
    replaced = np.flatnonzero(changed & ~own & (labels != 1))
    varied[replaced] = drawn(
        [_form(digit, generator) for digit in labels[replaced].tolist()], generator, DRAWING
    )
    ones = np.flatnonzero(changed & (labels == 1))
    varied[ones] = drawn([_one(generator) for _ in range(len(ones))], generator, DRAWING_ONES)
    return varied


def _form(digit: int, generator: np.random.Generator) -> Shape:
    forms = DRAWN[digit]
    return forms[int(generator.integers(len(forms)))]


def _one(generator: np.random.Generator) -> Shape:
    """A stem with a flag of any length that is steeper than a seven's bar, with a foot, or both."""
    reach, steepness, lean, foot, stretch, kind = generator.uniform(0, 1, 6).tolist()
    stem = np.stack([np.linspace(0, -0.12 * lean, 6), np.linspace(0, 1, 6)], axis=1)
    flagged, footed = kind < 0.85, foot < 0.35
    strokes = [stem]
    if flagged:
        down = 0.08 + 0.6 * reach
        # From 38 degrees below the horizon to 66.
        out = down / np.tan(np.radians(38 + 28 * steepness))
        bend = generator.normal(scale=0.05)
        flag = np.array([[-out, down], [-out / 2, down / 2 + bend * down]])
        strokes = [np.concatenate([flag, stem])]
    if footed:
        half = 0.1 + (0.8 if flagged else 0.3) * foot
        middle = stem[-1, 0]
        strokes.append(np.array([[middle - half, 1.0], [middle, 1.0], [middle + half, 1.0]]))
    # With both, it remains a one however wide it is.
    wide = 1 + 0.6 * stretch if flagged and footed else 1.0
    return tuple(stroke * (wide, 1.0) for stroke in strokes)


def _marked_seven(digit: Pixels, generator: np.random.Generator) -> Pixels:
    """A seven with a bar through its stem, or with a serif; as it is, if it has a serif already.

    A bar and a long serif together would make it a 4 or a 9.
    """
    x, y, _, height = bounding_box(digit)
    kind, at, rise, length, bend = generator.uniform(0, 1, 5).tolist()
    upper = digit[y + int(0.35 * height)]
    _, begin = _last_run(upper)
    if (upper[: max(0, begin - 2)] >= SOLID).any():
        return digit
    pen = stroke_width(digit)
    if kind < 0.7:
        row = y + int(height * (0.5 + 0.14 * at))
        end, begin = _last_run(digit[row])
        middle = (begin + end) / 2
        half = 3.5 + 2.5 * length
        up, sway = 2 * rise - 0.5, max(0.0, 1.6 * bend - 0.8)
        bar = [(-half, up), (-half / 2, up / 2 - sway), (half / 2, sway - up / 2), (half, -up)]
        return _added(digit, np.add(bar, (middle, row)), pen)
    top = digit[y : y + max(1, round(0.3 * height))] >= SOLID
    columns = np.flatnonzero(top.any(axis=0))
    left = int(columns[0]) if columns.size else x
    first = y + float(np.flatnonzero(top[:, left]).mean()) if columns.size else float(y)
    begin_x = left + (pen - 1) / 2
    serif = [(begin_x, first), (begin_x - bend, first + 2.5 + 2 * length)]
    return _added(digit, np.array(serif), pen)


def _last_run(row: Pixels) -> tuple[int, int]:
    """The last and first column of the rightmost piece of stroke in a row, shape (28,)."""
    solid = row >= min(SOLID, int(row.max()))
    end = int(np.flatnonzero(solid)[-1])
    gaps = np.flatnonzero(~solid[:end])
    return end, int(gaps[-1]) + 1 if gaps.size else 0


def _crossed_zero(digit: Pixels, generator: np.random.Generator) -> Pixels:
    """A zero with a stroke from its lower left to its upper right, or a dot in its middle."""
    x, y, width, height = bounding_box(digit)
    pen = stroke_width(digit)
    middle = np.array([x + (width - 1) / 2, y + (height - 1) / 2])
    far, across, down = generator.uniform(0, 1, 3).tolist()
    if across < 0.25:
        return _added(digit, np.add(middle, [(0, 0), (0, 1)]), max(1.5, 0.8 * pen))
    # From just to the line to a little beyond it: half the way to the corner of the box.
    half = np.array([width, -height]) * (0.35 + 0.25 * far) * (0.7 + 0.3 * across, 0.8 + 0.2 * down)
    return _added(digit, np.stack([middle - half, middle + half]), min(2.0, 0.8 * pen))


def _added(digit: Pixels, stroke: NDArray[np.float64], pen: float) -> Pixels:
    """The digit with one more stroke, shape (n, 2), whose points are in the digit's pixels."""
    import cv2

    canvas = np.zeros((1, CANVAS, CANVAS), np.uint8)
    # What is 0 for the digit's pixels is the middle of the first one.
    line = np.rint((stroke + 0.5) * FINE - 0.5).astype(np.int32)
    cv2.polylines(canvas[0], [line], False, 255, max(1, round(pen * FINE - 1)))
    return glyph_of(np.maximum(digit, reduced(canvas)[0]), widths=None)


ADDED: Mapping[int, Callable[[Pixels, np.random.Generator], Pixels]] = MappingProxyType(
    {0: _crossed_zero, 7: _marked_seven}
)
assert set(DRAWN) | {1} == set(range(DIGITS)) == set(SHARES)
