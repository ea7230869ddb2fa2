"""A handwriting sheet that was filled in and photographed → the digits in its boxes, labelled.

Every box of the straightened sheet is cut out, its printed edge painted over, and what is written
in it goes the way of any digit. The sheet says what it is to be, a model whether to doubt it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from inkdigits.model import Model
from inkdigits.reading.digit import prepare
from inkdigits.reading.flat_sheet import FINEST, flat_sheet
from inkdigits.reading.ink import Choices, Ink
from inkdigits.reading.picture import Picture, open_picture
from inkdigits.sheet import BOX, BOXES, SheetBox

__all__ = ["LONGEST", "FilledBox", "FilledSheet", "Judged", "open_sheet", "read_sheet"]

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float32]

LONGEST = 2400  # pixels of the longer side on which a sheet is looked for

AROUND = (
    1.1  # millimetres beyond a box's edge that are cut out with it: half of the way to the next
)
EDGE = 0.6  # millimetres to either side of a printed edge that are painted over
SOFT = 0.12  # millimetres that the sheet is blurred by: far less than a stroke is wide
# What is paler is no stroke: of the paper's light, and in standard deviations of its grain.
FAINTEST, GRAINS = 0.07, 7
INSET = (
    1.0  # millimetres within a box's edge, that the middle of a digit is which comes from beyond
)
SMALLEST = 2.0  # millimetres of a digit's longer side
SURE = 0.9  # confidence or probability from which on a model contradicts whoever filled the sheet
FEW = 0.25  # of a row: so many may be no digits, as those that were crossed out


@dataclass(frozen=True, eq=False)
class FilledBox:
    """What was found in a box.

    Args:
        box: of the sheet.
        glyph: shape (28, 28), uint8; None where nothing is written.
    """

    box: SheetBox
    glyph: Pixels | None


@dataclass(frozen=True, eq=False)
class Judged:
    """What a model says of a box that something is written in.

    Args:
        box: of the sheet.
        glyph: shape (28, 28), uint8.
        read_as: the most probable digit; None where it is surely none at all.
        confidence: that it is a digit, and that one.
        doubtful: whether it is surely another digit than belongs there, or none as many in its row.
        left_out: whether it is surely none, while most in its row are digits.
    """

    box: SheetBox
    glyph: Pixels
    read_as: int | None
    confidence: float
    doubtful: bool
    left_out: bool


@dataclass(frozen=True, eq=False)
class FilledSheet:
    """A sheet as it was filled in.

    Args:
        pixels: shape (H, W, 3), uint8: its field, straightened.
        boxes: all of them, row by row.
    """

    pixels: Pixels
    boxes: list[FilledBox]

    def judged(self, model: Model) -> list[Judged]:
        """What `model` says of the boxes that something is written in."""
        filled = [(each.box, each.glyph) for each in self.boxes if each.glyph is not None]
        if not filled:
            return []
        answers = model.answer(np.stack([glyph for _, glyph in filled]))
        labels = np.array([box.label for box, _ in filled])
        none = np.zeros(len(filled)) if answers.not_a_digit is None else answers.not_a_digit
        odd = none > SURE
        # What many of a row look like is how this hand writes the digit, whatever a model knows.
        few = np.bincount(labels, odd)[labels] <= FEW * np.bincount(labels)[labels]
        sure = answers.confidence > max(SURE, answers.threshold)
        other = sure & (answers.digits != labels)
        return [
            Judged(
                *filled[index],
                read_as=None if odd[index] else int(answers.digits[index]),
                confidence=float(answers.confidence[index]),
                doubtful=bool(other[index] or (odd[index] and not few[index])),
                left_out=bool(odd[index] and few[index]),
            )
            for index in range(len(filled))
        ]


def open_sheet(source: str | Path | BinaryIO | bytes, *, name: str | None = None) -> FilledSheet:
    """Opens a picture and reads the sheet in it: arguments and errors of the two functions."""
    picture = open_picture(source, longest=LONGEST, name=name)
    spoken = str(source) if isinstance(source, str | Path) else "the picture"
    return read_sheet(picture, name=name or spoken)


def read_sheet(picture: Picture, *, name: str = "the picture") -> FilledSheet:
    """The boxes of the one handwriting sheet in a picture.

    Args:
        picture: from `open_picture`, of a sheet that `plots.handwriting_sheet` drew; it may lie in
            any direction and be seen from aside.
        name: how messages call the picture.

    Raises:
        PictureError: there is no sheet in it, or several, or not all of one, or it is too small.
    """
    flat = flat_sheet(picture.pixels, name=name)
    plain = without_edges(flat)
    return FilledSheet(flat, [FilledBox(box, glyph_in(plain, box)) for box in BOXES])


def without_edges(flat: Pixels) -> Pixels:
    """The sheet without the boxes' printed edges, but with the strokes that cross them."""
    import cv2

    plain = flat.astype(np.float32)
    for view, axis in ((plain, 0), (plain.transpose(1, 0, 2), 1)):
        bands = list(edge_bands(view, axis))
        drops = [drop_of(band) for band in bands]
        usual = float(np.median(drops))
        for band, drop in zip(bands, drops, strict=True):
            between, share = in_between(band), darker(band)
            printed = share < 2.2 * min(drop, 1.5 * usual) + 0.02
            inner = band[:, 1:-1]
            inner[printed] = between[printed]
    soft = cv2.GaussianBlur(plain, (0, 0), SOFT * FINEST)
    return np.asarray(np.clip(np.rint(soft), 0, 255), np.uint8)


def edge_bands(view: Levels, axis: int) -> Iterator[Levels]:
    """The surroundings of each edge that is upright in this view, a view of it: (L, B, 3)."""
    reach = round(EDGE * FINEST) + 1
    for box in BOXES:
        place, other = (box.x, box.y)[axis], (box.x, box.y)[1 - axis]
        first = round(other * FINEST) - reach
        along = slice(first, first + round(BOX[1 - axis] * FINEST) + 2 * reach)
        for at in (place, place + BOX[axis]):
            middle = round(at * FINEST - 0.5)
            yield view[along, middle - reach : middle + reach + 1]


def in_between(band: Levels) -> Levels:
    """What the band would be if its first column went over into its last: (L, B - 2, 3)."""
    share = np.linspace(0, 1, band.shape[1], dtype=np.float32)[1:-1, np.newaxis]
    between: Levels = band[:, :1] * (1 - share) + band[:, -1:] * share
    return between


def darker(band: Levels) -> Levels:
    """How much darker than that the band is, of the light beside it: (L, B - 2)."""
    between = in_between(band).mean(axis=2)
    share: Levels = 1 - band[:, 1:-1].mean(axis=2) / np.maximum(between, 1)
    return share


def drop_of(band: Levels) -> float:
    """How dark the printed edge is; strokes that cross it do not count."""
    return max(0.0, float(np.median(darker(band).max(axis=1))))


def glyph_in(plain: Pixels, box: SheetBox) -> Pixels | None:
    """The digit in a box; None where there is none."""
    left, top = (round((place - AROUND) * FINEST) for place in (box.x, box.y))
    width, height = (round((side + 2 * AROUND) * FINEST) for side in BOX)
    window = plain[top : top + height, left : left + width]
    prepared = prepare(Picture(window, (width, height)), Choices(ink="dark", lines=False))
    if prepared.ink is None or not is_written(prepared.ink, window):
        return None
    return prepared.glyph


def is_written(ink: Ink, window: Pixels) -> bool:
    """Whether ink is more than dirt, a shadow's edge, or the end of a stroke from the next box."""
    x, y, width, height = ink.box
    middle = np.array([x + width / 2, y + height / 2]) / FINEST - AROUND
    within = x > 0 and y > 0 and x + width < window.shape[1] and y + height < window.shape[0]
    inset = 0 if within else INSET
    inside = bool((middle > inset).all() and (middle < np.subtract(BOX, inset)).all())
    paper = float(np.percentile(window.mean(axis=2), 75))
    return inside and max(width, height) >= SMALLEST * FINEST and ink.contrast >= FAINTEST * paper
