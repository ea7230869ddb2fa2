"""Strokes: shapes written down as lines and arcs → glyphs, each as another hand would draw it.

A shape is drawn at once in its place and size in the glyph, four times as fine, and averaged down:
that takes a tenth of the time of drawing a large picture and normalising it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import SIDE
from inkdigits.glyph import BOX, MIDDLE

__all__ = ["Hand", "Shape", "centred", "drawn", "reduced", "shape", "smooth", "with_serifs"]

Points = NDArray[np.float64]
Pixels = NDArray[np.uint8]

# Strokes, each of shape (n, 2): x to the right and y down, in any unit.
Shape = tuple[Points, ...]

FINE = 4  # a pixel of the glyph is so many of the canvas, either way
CANVAS = SIDE * FINE
SHIFT = 4  # bits of the fraction in the coordinates that OpenCV is given
STACK = 256  # pictures that are drawn before they are averaged down: 3 MB
STEP = 0.15  # the longest straight piece, so that it can wobble; the unit square's side is 1


@dataclass(frozen=True, kw_only=True)
class Hand:
    """How shapes are drawn; each picture draws its own numbers, uniformly.

    Args:
        width: pixels of the glyph, from and to: the breadth of a round pen.
        nib: pixels, from and to: so much is the ink wider than the pen, and taller, by a
            rectangle, as print is; its two sides are drawn on their own.
        hollow: the share of pictures of which only the outline is kept.
        rotation_degrees: ±.
        slant: ± to the right for each step up.
        aspect: ± the natural logarithm of the ratio of width to height.
        wobble: how far points sway, of the shape's size: a standard deviation.
    """

    width: tuple[float, float] = (1.5, 4.0)
    nib: tuple[float, float] = (0.0, 0.0)
    hollow: float = 0.0
    rotation_degrees: float = 8.0
    slant: float = 0.25
    aspect: float = 0.25
    wobble: float = 0.02


def shape(strokes: str) -> Shape:
    """The shape that a line of text describes, in a unit square that is written as 100 × 100.

    Strokes are separated by semicolons, their parts by spaces: `x,y` is a point, `x,y,a,b,f,t` an
    arc of the ellipse around x, y with half axes a and b, from f to t degrees, 0 to the right and
    90 down. Parts are joined by straight lines, or by a smooth curve where the stroke begins with
    ~ (which only has points).
    """
    return tuple(_stroke(text) for text in strokes.split(";"))


def _stroke(text: str) -> Points:
    curved = text.strip().startswith("~")
    corners: list[Points] = []
    for part in text.replace("~", " ").split():
        numbers = [float(number) for number in part.split(",")]
        corners.append(np.array([numbers]) / 100 if len(numbers) == 2 else _arc(*numbers))
    points = np.concatenate(corners)
    return smooth(points) if curved else _stepped(points)


def _arc(x: float, y: float, a: float, b: float, start: float, stop: float) -> Points:
    angle = np.radians(np.linspace(start, stop, max(2, math.ceil(abs(stop - start) / 20) + 1)))
    return np.stack([x + a * np.cos(angle), y + b * np.sin(angle)], axis=1) / 100


def _stepped(points: Points) -> Points:
    """The same line with points at most STEP apart."""
    pieces = [points[:1]]
    for before, after in pairwise(points):
        steps = max(1, math.ceil(float(np.hypot(*(after - before))) / STEP))
        pieces.append(before + (after - before) * (np.arange(1, steps + 1) / steps)[:, np.newaxis])
    return np.concatenate(pieces)


def smooth(points: Points, steps: int = 5) -> Points:
    """A curve through the points (Catmull and Rom 1974).

    Between two points it is the cubic whose slope at either is half the way between its neighbours.

    Args:
        points: shape (n, 2), n ≥ 2; the first and the last count as neighbours of their own.
        steps: how many pieces there are between two of them.

    Returns:
        shape (steps (n − 1) + 1, 2).
    """
    around = np.concatenate([points[:1], points, points[-1:]])
    before, start, stop, after = around[:-3], around[1:-2], around[2:-1], around[3:]
    t = (np.arange(steps) / steps)[:, np.newaxis, np.newaxis]
    curve = start + t / 2 * (
        stop
        - before
        + t * (2 * before - 5 * start + 4 * stop - after)
        + t**2 * (3 * (start - stop) + after - before)
    )
    return np.concatenate([curve.transpose(1, 0, 2).reshape(-1, 2), points[-1:]])


def with_serifs(letter: Shape, length: float = 0.3) -> Shape:
    """The shape with short bars across its strokes' free ends: they lie, but stand at arms."""
    bars = []
    for end in _free_ends(letter):
        lying = abs(end[1] - 0.5) >= 0.45 and not _is_arm(end, letter)
        half = np.array([length / 2, 0.0] if lying else [0.0, length / 3])
        bars.append(np.stack([end - half, end + half]))
    return (*letter, *bars)


def _free_ends(letter: Shape) -> Iterator[Points]:
    """The ends of strokes that touch no other stroke, and are not closed."""
    for number, stroke in enumerate(letter):
        others = [other for place, other in enumerate(letter) if place != number]
        for end, rest in ((stroke[0], stroke[3:]), (stroke[-1], stroke[:-3])):
            near = [*others, rest]
            if all(not len(other) or np.hypot(*(other - end).T).min() > 0.1 for other in near):
                yield end


def _is_arm(end: Points, letter: Shape) -> bool:
    """Whether the stroke arrives at this end lying rather than standing."""
    for stroke in letter:
        for last, other in ((stroke[0], stroke[1]), (stroke[-1], stroke[-2])):
            if last is end or np.array_equal(last, end):
                along = np.abs(last - other)
                return bool(along[0] > along[1])
    return False


def drawn(shapes: Sequence[Shape], generator: np.random.Generator, hand: Hand) -> Pixels:
    """Each shape as a glyph: its ink's box has a longer side of 20, its centre of mass is in place.

    Takes about 25 µs a shape.

    Args:
        shapes: N of them.
        generator: of all that is drawn.
        hand: how they are varied.

    Returns:
        shape (N, 28, 28), uint8.
    """
    glyphs = np.empty((len(shapes), SIDE, SIDE), np.uint8)
    for start in range(0, len(shapes), STACK):
        some = shapes[start : start + STACK]
        glyphs[start : start + len(some)] = centred(reduced(_canvases(some, generator, hand)))
    return glyphs


def _canvases(shapes: Sequence[Shape], generator: np.random.Generator, hand: Hand) -> Pixels:
    """The shapes drawn in white, shape (N, 112, 112), uint8."""
    import cv2

    count = len(shapes)
    width = generator.uniform(*hand.width, count)
    nib = generator.uniform(*hand.nib, (count, 2))
    hollow = generator.random(count) < hand.hollow
    canvases = np.zeros((count, CANVAS, CANVAS), np.uint8)
    # Whatever it is asked for, OpenCV draws an odd number of pixels: 2n + 1 for a thickness of 2n.
    pens = 2 * np.maximum(0, np.rint((width * FINE - 1) / 2)).astype(int) + 1
    sides = 2 * np.rint(nib * FINE / 2).astype(int) + 1
    strokes = _placed(shapes, generator, hand, pens[:, np.newaxis] + sides - 1)
    rim = np.ones((7, 7), np.uint8)
    for canvas, lines, pen, (across, down), outline in zip(
        canvases, strokes, pens.tolist(), sides.tolist(), hollow.tolist(), strict=True
    ):
        cv2.polylines(canvas, lines, False, 255, max(1, pen - 1), cv2.LINE_8, SHIFT)
        if across > 1 or down > 1:
            cv2.dilate(canvas, np.ones((down, across), np.uint8), dst=canvas)
        if outline:
            cv2.subtract(canvas, cv2.erode(canvas, rim), dst=canvas)
    return canvases


def _placed(
    shapes: Sequence[Shape],
    generator: np.random.Generator,
    hand: Hand,
    breadth: NDArray[np.int64],
) -> list[list[NDArray[np.int32]]]:
    """The strokes of each shape where they are on the canvas, in OpenCV's fixed-point numbers.

    `breadth`, shape (N, 2), is how many of the canvas's pixels a point's ink is wide and tall.
    """
    lengths = [[len(stroke) for stroke in one] for one in shapes]
    sizes = np.array([sum(parts) for parts in lengths])
    starts = np.cumsum(sizes) - sizes
    owner = np.repeat(np.arange(len(shapes)), sizes)
    points = np.concatenate([stroke for one in shapes for stroke in one])
    points = _varied(points, owner, len(shapes), generator, hand)
    low, high = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    extent = np.maximum(high - low, 1e-3)
    scale = np.maximum(0, (BOX * FINE - breadth) / extent).min(axis=1, keepdims=True)
    # A point that OpenCV calls 0 is in the middle of the first pixel.
    points = (points - ((low + high) / 2)[owner]) * scale[owner] + (CANVAS - 1) / 2
    fixed = np.rint(points * (1 << SHIFT)).astype(np.int32)
    cuts = np.cumsum([length for parts in lengths for length in parts])[:-1]
    strokes = iter(np.split(fixed, cuts))
    return [[next(strokes) for _ in parts] for parts in lengths]


def _varied(
    points: Points, owner: NDArray[np.int64], count: int, generator: np.random.Generator, hand: Hand
) -> Points:
    """The points of `count` shapes, swayed, slanted and turned; `owner` says whose they are."""
    turn, lean, widen = generator.uniform(-1, 1, (3, count))
    angle, half = np.radians(hand.rotation_degrees * turn), np.exp(hand.aspect * widen / 2)
    cos, sin, lean = np.cos(angle), np.sin(angle), hand.slant * lean
    matrix = np.array(
        [[half * cos, (sin - lean * cos) / half], [-half * sin, (cos + lean * sin) / half]]
    ).transpose(2, 0, 1)  # (N, 2, 2): turned · slanted · widened
    # Two waves for each direction, about one and two periods over the shape.
    waves = generator.normal(size=(count, 2, 2)) * (4.0, 8.0)  # wave, x y
    phases = generator.uniform(0, 2 * math.pi, (count, 2, 2))
    amplitudes = generator.normal(size=(count, 2, 2)) * hand.wobble  # wave, x y
    across = np.einsum("pd,pwd->pw", points, waves[owner])[:, :, np.newaxis] + phases[owner]
    swayed = points + (amplitudes[owner] * np.sin(across)).sum(axis=1)
    turned: Points = np.einsum("pij,pj->pi", matrix[owner], swayed)
    return turned


def reduced(canvases: Pixels) -> Pixels:
    """Canvases, shape (N, 112, 112), averaged down to (N, 28, 28), uint8."""
    import cv2

    count = len(canvases)
    if not count:
        return np.zeros((0, SIDE, SIDE), np.uint8)
    tall = canvases.reshape(count * CANVAS, CANVAS)
    small = cv2.resize(tall, (SIDE, count * SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8).reshape(count, SIDE, SIDE)


def centred(images: Pixels) -> Pixels:
    """Images moved by whole pixels so that their centre of mass is a glyph's; blank ones are left.

    What leaves the frame is cut off, as it is in `glyph_of`.

    Args:
        images: shape (N, 28, 28), uint8.

    Returns:
        shape (N, 28, 28), uint8, in memory of its own.
    """
    count = len(images)
    along = np.arange(SIDE)
    total = np.maximum(images.sum(axis=(1, 2), dtype=np.int64), 1)
    down = images.sum(axis=2, dtype=np.int64) @ along / total
    right = images.sum(axis=1, dtype=np.int64) @ along / total
    # In a frame that is a box wider all round, the window is moved instead of the ink.
    wide = np.zeros((count, SIDE + 2 * BOX, SIDE + 2 * BOX), np.uint8)
    wide[:, BOX:-BOX, BOX:-BOX] = images
    blank = ~images.any(axis=(1, 2))
    tops = np.where(blank, BOX, np.floor(down + 0.5).astype(int) - MIDDLE + BOX)
    lefts = np.where(blank, BOX, np.floor(right + 0.5).astype(int) - MIDDLE + BOX)
    moved = np.empty_like(images)
    for image, frame, top, left in zip(moved, wide, tops.tolist(), lefts.tolist(), strict=True):
        image[:] = frame[top : top + SIDE, left : left + SIDE]
    return moved
