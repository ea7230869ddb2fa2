"""Any ink → a glyph: MNIST's normalisation, with strokes about as wide as MNIST's.

Ink is a picture of any size, 0 where there is paper and 255 where there is ink. MNIST (LeCun,
Bottou, Bengio and Haffner 1998, section III.A) scales a digit to fit a box of 20 × 20 pixels, its
proportions kept, and moves it so that its centre of mass is in the middle of 28 × 28.

The page that `formats.html` makes does the same in JavaScript: change both together.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from inkdigits.errors import PictureError

__all__ = [
    "BOX",
    "MIDDLE",
    "STROKE_WIDTHS",
    "bounding_box",
    "cropped",
    "deskewed",
    "glyph_of",
    "lean",
    "stroke_width",
    "turned",
]

SIDE = 28
BOX = 20  # the longer side of a digit in its glyph
MIDDLE = 14  # the pixel in which MNIST's centres of mass are

# 95 % of MNIST's digits have strokes of these widths, in pixels of the glyph.
STROKE_WIDTHS = (1.5, 3.9)

FINE = 80  # strokes are made wider or narrower where the longer side is so many pixels

Ink = NDArray[np.uint8]
Levels = NDArray[np.float32]


def glyph_of(
    ink: Ink, *, widths: tuple[float, float] | None = STROKE_WIDTHS, centred: bool = True
) -> Ink:
    """The glyph of the digit that this ink shows.

    A glyph in MNIST's own form is left as it is, bit for bit.

    Args:
        ink: shape (H, W), uint8, 0 paper to 255 ink: whatever is not 0 belongs to the digit.
        widths: narrower strokes are widened to the first, wider ones narrowed to the second, in
            pixels of the glyph; None leaves all as they are.
        centred: whether the middle is the centre of mass; else it is that of the 20 × 20 box.

    Returns:
        shape (28, 28), uint8.

    Raises:
        PictureError: there is no ink.
    """
    digit = cropped(ink)
    if widths is not None:
        width = stroke_width(digit) * BOX / max(digit.shape)
        wanted = min(max(width, widths[0]), widths[1])
        if wanted != width:
            digit = cropped(with_stroke_width(digit, wanted * FINE / BOX))
    return placed(resampled(digit, *scaled_shape(digit, BOX)), centred=centred)


def bounding_box(ink: Ink) -> tuple[int, int, int, int]:
    """x, y, width and height of what is not 0.

    Raises:
        PictureError: there is no ink.
    """
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not rows.size:
        raise PictureError("expected a digit, got a picture without ink: draw or crop it anew")
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y


def cropped(ink: Ink) -> Ink:
    """The ink without the paper around it."""
    x, y, width, height = bounding_box(ink)
    return ink[y : y + height, x : x + width]


def scaled_shape(ink: Ink, longer: int) -> tuple[int, int]:
    """Height and width with the longer side as given, the proportions kept, at least 1."""
    height, width = (max(1, math.floor(side * longer / max(ink.shape) + 0.5)) for side in ink.shape)
    return height, width


def stroke_width(ink: Ink) -> float:
    """How wide the strokes are, in the ink's own pixels: 2 · area / length of the outline.

    The area is Σ ink and the outline Σ |∇ink|, which holds for soft edges as it does for hard ones:
    a stroke of width w and length l ≫ w has w l ink, and its two edges 2 l.
    """
    levels = np.pad(ink.astype(np.float32), 1)
    down = levels[1:, :-1] - levels[:-1, :-1]
    right = levels[:-1, 1:] - levels[:-1, :-1]
    return float(2 * levels.sum(dtype=np.float64) / np.hypot(down, right).sum(dtype=np.float64))


def with_stroke_width(digit: Ink, wanted: float) -> Ink:
    """The digit scaled to a longer side of FINE, its strokes `wanted` pixels wide there."""
    height, width = scaled_shape(digit, FINE)
    # A hair's line must not fade when it is scaled down: its darkest pixel stands for each block.
    fine = (
        darkest(digit, height, width)
        if max(digit.shape) > FINE
        else resampled(digit, height, width)
    )
    change = wanted - stroke_width(to_pixels(fine))
    radius = abs(change) / 2
    if change > 0:
        return to_pixels(dilated(np.pad(fine, math.ceil(radius)), radius))
    return to_pixels(255 - dilated(255 - fine, radius))


def darkest(ink: Ink, height: int, width: int) -> Levels:
    """The most ink in each of height × width blocks, no more of them than pixels, as float32."""
    tops = np.arange(height) * ink.shape[0] // height
    lefts = np.arange(width) * ink.shape[1] // width
    most = np.maximum.reduceat(np.maximum.reduceat(ink, tops, axis=0), lefts, axis=1)
    return most.astype(np.float32)


def dilated(levels: Levels, radius: float) -> Levels:
    """The most ink within `radius` of each pixel; between two whole radii, a mixture of both."""
    whole = math.floor(radius)
    share = np.float32(radius - whole)
    inner = most_within(levels, whole)
    return inner if not share else (1 - share) * inner + share * most_within(levels, whole + 1)


def most_within(levels: Levels, radius: int) -> Levels:
    """The most within a disc; beyond the frame is what is at its rim."""
    around = np.pad(levels, radius, mode="edge")
    height, width = levels.shape
    most = levels
    for down in range(-radius, radius + 1):
        reach = math.isqrt(radius * radius - down * down)
        for right in range(-reach, reach + 1):
            top, left = radius + down, radius + right
            most = np.maximum(most, around[top : top + height, left : left + width])
    return most


def resampled(ink: NDArray[np.number], height: int, width: int) -> Levels:
    """Ink scaled to (height, width), float32: linear in between, averaged when it gets smaller."""
    down, across = tents(ink.shape[0], height), tents(ink.shape[1], width)
    levels: Levels = down @ ink.astype(np.float32) @ across.T
    return levels


def tents(before: int, after: int) -> Levels:
    """Row i holds the weights of `before` pixels for pixel i of `after`: shape (after, before).

    They fall from the pixel's middle to 0 over one pixel's breadth, of `before` or `after`,
    whichever is larger, and sum to 1; the identity where both are the same.
    """
    scale = before / after
    middles = (np.arange(after) + 0.5) * scale - 0.5
    distance = np.abs(np.arange(before) - middles[:, np.newaxis])
    weights = np.maximum(0, 1 - distance / max(1, scale))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(weights, np.float32)


def placed(levels: Levels, *, centred: bool) -> Ink:
    """A digit in the frame, moved by whole pixels; what does not fit in is cut off.

    Args:
        levels: shape (H, W), float32, each side at most 20.
        centred: as in `glyph_of`.
    """
    pixels = to_pixels(levels)
    height, width = pixels.shape
    if centred:
        # Of whole numbers: of levels, a symmetric digit's middle would be rounded by their noise.
        total = max(1.0, pixels.sum(dtype=np.float64))  # faint ink may leave none
        middle_y = pixels.sum(axis=1, dtype=np.float64) @ np.arange(height) / total
        middle_x = pixels.sum(axis=0, dtype=np.float64) @ np.arange(width) / total
        top, left = MIDDLE - math.floor(middle_y + 0.5), MIDDLE - math.floor(middle_x + 0.5)
    else:
        top, left = (SIDE - height) // 2, (SIDE - width) // 2
    # A margin as broad as the box takes what sticks out, and is cut off again.
    frame = np.zeros((SIDE + 2 * BOX, SIDE + 2 * BOX), np.uint8)
    top, left = top + BOX, left + BOX
    frame[top : top + height, left : left + width] = pixels
    return frame[BOX:-BOX, BOX:-BOX].copy()


def to_pixels(levels: Levels) -> Ink:
    pixels: Ink = np.clip(np.floor(levels + 0.5), 0, 255).astype(np.uint8)
    return pixels


# What may be done to ink before it becomes a glyph; `glyph_of` does none of it


def lean(ink: Ink) -> float:
    """How far a digit leans: pixels to the right for each pixel up, from −1 to 1; 0 is upright.

    It is the slope of the line x = a y + b through the ink, by least squares.
    """
    levels = cropped(ink).astype(np.float64)
    rows, columns = levels.sum(axis=1), levels.sum(axis=0)
    total = levels.sum()
    down = np.arange(len(rows)) - rows @ np.arange(len(rows)) / total
    right = np.arange(len(columns)) - columns @ np.arange(len(columns)) / total
    spread = float(rows @ down**2)
    if not spread:  # a single row
        return 0.0
    return float(np.clip(-(down @ levels @ right) / spread, -1, 1))


def deskewed(ink: Ink) -> Ink:
    """The digit upright: its rows moved sideways until it leans no more."""
    slope = lean(ink)
    return moved(ink, np.array([[1, slope], [0, 1]]))


def turned(ink: Ink, degrees: float) -> Ink:
    """The digit turned by so many degrees against the clock."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return moved(ink, np.array([[cos, sin], [-sin, cos]]))


def moved(ink: Ink, matrix: NDArray[np.float64]) -> Ink:
    """The digit with its pixels (x, y) where the matrix (2, 2) takes them, in a frame that fits."""
    import cv2

    digit = cropped(ink)
    size = np.array(digit.shape[::-1])
    around = np.ceil(np.abs(matrix) @ size - 1e-9).astype(int) + 2  # cos 90° is not quite 0
    offset = (around - 1) / 2 - matrix @ ((size - 1) / 2)
    whole = np.column_stack([matrix, offset])
    return np.asarray(cv2.warpAffine(digit, whole, around.tolist()), np.uint8)
