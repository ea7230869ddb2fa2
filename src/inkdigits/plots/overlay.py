"""A page with what was read on it, so that a person checks it at a glance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from inkdigits.plots.paper import RIGHT, WRONG

__all__ = ["Marked", "Page", "overlay"]

Box = tuple[float, float, float, float]

# All lengths in the figure are in its dots.
DOTS = 150  # an inch, as `save` draws them
DIGIT = 44  # high a digit is drawn, where the picture is neither too large nor too small for that
SMALLEST, LARGEST = 1000, 3000  # the longer side of the picture
LETTER = 0.602  # of its size a letter of the font is wide
FONT = "DejaVu Sans Mono"
GAP = 4  # between a box and what it holds, and between two things that are written
QUIET = "0.2"


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A number on a page.

    Args:
        text: digits, and signs such as a comma; also for what is better not named, the likeliest.
        box: x, y, width, height in the picture's own pixels.
        digits: the same of each digit, in their order; and whether it is better not named.
    """

    text: str
    box: Box
    digits: Sequence[tuple[Box, bool]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Page:
    """A picture, and the numbers on it.

    Args:
        pixels: shape (H, W, 3), uint8; the picture, which may be reduced.
        size: width and height of the original, in whose pixels the boxes are.
        numbers: in reading order.
        title: what to say above.
    """

    pixels: NDArray[np.uint8]
    size: tuple[int, int]
    numbers: Sequence[Marked]
    title: str = ""


def overlay(page: Page) -> Figure:
    """The picture with a box around each number, and what it was read as beside it.

    A digit that is better not named has a dashed box, and a question mark behind it in the
    number's text. Below the digits stand their places in reading order, from 1, as far as there is
    room: the first of a number and what is not sure before the others.
    """
    high = [box[3] for number in page.numbers for box, _ in number.digits]
    usual = float(np.median(high)) if high else 0.0
    longer = max(page.size)
    scale = max(SMALLEST / longer, min(DIGIT / usual if usual else 0.0, LARGEST / longer))
    width, height = (scale * side for side in page.size)
    small = float(np.clip(0.35 * scale * usual, 12, 18))
    large = float(np.clip(min(0.6 * scale * usual, headroom(page, scale) - small * 2 / 3), 18, 36))
    rim = 1.5 * large
    head = rim + (34 if page.title else 0)
    across, down = width + 2 * rim, height + head + rim
    figure = Figure(figsize=(across / DOTS, down / DOTS), dpi=DOTS)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.imshow(page.pixels, extent=(0, width, height, 0))
    axes.set(xlim=(-rim, width + rim), ylim=(height + rim, -head))
    axes.text(0, -head + 10, page.title, va="top", fontsize=points(24), parse_math=False)
    room = Room((-rim, -rim, across, height + 2 * rim))
    draw_numbers(axes, room, page.numbers, scale, large, small)
    return figure


def headroom(page: Page, scale: float) -> float:
    """Dots that are free above most numbers, up to the next above it."""
    boxes = [scaled(number.box, scale) for number in page.numbers]
    if not boxes:
        return 0.0
    x, y, width, height = np.array(boxes).T
    below = np.subtract.outer(y, y + height)
    beside = np.minimum.outer(x + width, x + width) < np.maximum.outer(x, x)
    below[beside | (below < 0)] = np.inf
    return float(np.median(below.min(axis=1)))


def draw_numbers(
    axes: Axes, room: Room, numbers: Sequence[Marked], scale: float, large: float, small: float
) -> None:
    """Boxes first, then what is written beside them, where the others leave room."""
    for number in numbers:
        room.take(drawn_box(axes, number.box, scale, RIGHT, "-"))
        for box, unsure in number.digits:
            if unsure:
                drawn_box(axes, box, scale, WRONG, (0, (3, 2)))
    first = 1
    for number in numbers:
        draw_places(axes, room, number, first, scale, small)
        first += len(number.digits)
    for number in numbers:
        parts = list(spelled(number))
        wide = LETTER * large * sum(len(said) for said, _ in parts)
        x, y, width, height = scaled(number.box, scale)
        left, top = room.found((x, y, width, height + small * 2 / 3), wide, large)
        for said, unsure in parts:
            write(axes, left, top, said, large, WRONG if unsure else RIGHT)
            left += LETTER * large * len(said)


def draw_places(
    axes: Axes, room: Room, number: Marked, first: int, scale: float, small: float
) -> None:
    """In a row on the lower edge of the number's box, each below its digit."""
    _, y, _, height = scaled(number.box, scale)
    top = y + height - small / 3
    taken: list[tuple[float, float]] = []
    for place, (box, unsure) in sorted(
        enumerate(number.digits, first), key=lambda placed: not placed[1][1]
    ):
        wide = LETTER * small * len(str(place))
        left = scale * (box[0] + box[2] / 2) - wide / 2
        if any(left < end + GAP and start < left + wide + GAP for start, end in taken):
            continue
        taken.append((left, left + wide))
        room.take((left, top, wide, small))
        write(axes, left, top, str(place), small, WRONG if unsure else QUIET, weight="normal")


def scaled(box: Box, scale: float) -> Box:
    x, y, width, height = box
    return x * scale - GAP, y * scale - GAP, width * scale + 2 * GAP, height * scale + 2 * GAP


def drawn_box(axes: Axes, box: Box, scale: float, colour: str, style: Any) -> Box:
    x, y, width, height = place = scaled(box, scale)
    for color, thick, line in (("white", 3.5, "-"), (colour, 1.6, style)):
        axes.add_patch(
            Rectangle((x, y), width, height, fill=False, ec=color, lw=points(2 * thick), ls=line)
        )
    return place


def spelled(number: Marked) -> Iterator[tuple[str, bool]]:
    """The text in parts that are sure or not; behind each unsure digit its question mark."""
    doubts = iter(number.digits)
    letters = [(letter, letter.isdigit() and next(doubts)[1]) for letter in number.text]
    for unsure, part in groupby(letters, key=lambda letter: letter[1]):
        yield "".join(letter + "?" * unsure for letter, _ in part), unsure


def write(
    axes: Axes, left: float, top: float, said: str, size: float, colour: str, weight: str = "bold"
) -> None:
    """With a rim of white, so that it is read on any paper."""
    axes.text(
        left,
        top + size / 2,
        said,
        va="center_baseline",
        family=FONT,
        weight=weight,
        color=colour,
        fontsize=points(size),
        path_effects=[withStroke(linewidth=points(0.2 * size + 2), foreground="white")],
    )


def points(dots: float) -> float:
    return 72 * dots / DOTS


class Room:
    """What of the figure is taken, as boxes; and all around it.

    Args:
        frame: of the figure: x, y, width, height.
    """

    def __init__(self, frame: Box) -> None:
        x, y, width, height = frame
        self._taken: list[Box] = [
            (x - width, y - height, width, 3 * height),
            (x + width, y - height, width, 3 * height),
            (x, y - height, width, height),
            (x, y + height, width, height),
        ]

    def take(self, box: Box) -> None:
        """Leaves `box` to what is drawn there."""
        self._taken.append(box)

    def found(self, box: Box, wide: float, high: float) -> tuple[float, float]:
        """Left and top of the place beside `box` where so much covers least: taken from now on."""
        x, y, width, height = box
        middle = y + (height - high) / 2
        # With what may be covered of it, as a share, before the next is the better place.
        places = {
            (x, y - high - 1): 0.0,
            (x + width - wide, y - high - 1): 0.05,
            (x + width + GAP, middle): 0.2,
            (x - wide - GAP, middle): 0.25,
            (x, y + height + 1): 0.4,
        }
        tried = np.array(list(places))
        start, end = np.array(self._taken)[:, :2], np.array(self._taken)[:, 2:]
        common = np.minimum(tried[:, None] + (wide, high), start + end) - np.maximum(
            tried[:, None], start
        )
        covered = np.maximum(common, 0).prod(axis=2).sum(axis=1) / (wide * high)
        left, top = tried[int((covered + list(places.values())).argmin())].tolist()
        self.take((left, top, wide, high))
        return left, top
