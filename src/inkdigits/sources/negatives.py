"""Negatives: pictures that show no digit, so that a reader learns to say so.

Whoever crops digits from a page also crops letters, lines, stains and halves of digits. All of
these are drawn here, or made of digits; nothing is taken from other data. Each kind is a function;
a mixture of all has each kind with its share. What could be read as a digit is left out: an I, an
O, an S or a lone standing stroke are no negatives, as they are a 1, a 0 or a 5 in some hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import SIDE, checked_images
from inkdigits.glyph import bounding_box, glyph_of
from inkdigits.sources.strokes import (
    CANVAS,
    FINE,
    Hand,
    Shape,
    centred,
    drawn,
    reduced,
    shape,
    smooth,
    with_serifs,
)

__all__ = ["KINDS", "OF_DIGITS", "SHARES", "negatives"]

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float32]
Labels = NDArray[np.uint8]
Kind = Callable[[int, np.random.Generator], Pixels]
KindOfDigits = Callable[[int, np.random.Generator, Pixels, Labels], Pixels]

HALF = SIDE // 2

# Missing are those that some hand writes like a digit, B I O S Y Z and a b d g i l o q r s t y z;
# a G has its bar, and a Q a long tail.
LETTERS: tuple[Shape, ...] = tuple(
    shape(strokes)
    for strokes in (
        "0,100 50,0 100,100;22,62 78,62",  # A
        "0,100 35,0 65,0 100,100;15,62 85,62",
        "0,100 50,45,50,45,-180,0 100,100;0,60 100,60",
        "50,50,50,50,-45,-315",  # C
        "60,50,60,50,-60,-300",
        "0,0 0,100 20,50,80,50,90,-90 0,0",  # D
        "12,0 12,100;0,0 30,0 30,50,70,50,-90,90 0,100",
        "100,0 0,0 0,100 100,100;0,50 80,50",  # E
        "55,26,45,26,-40,-270 50,76,50,24,-90,-320",
        "6,50 95,50 50,50,45,50,0,-310",  # e
        "100,0 0,0 0,100;0,48 80,48",  # F
        "~95,12 75,0 52,15 50,50 50,100;20,45 85,45",  # f
        "50,50,50,50,-45,-330 95,55 55,55",  # G
        "50,50,50,50,-45,-315;98,100 98,55 60,55",
        "0,0 0,100;100,0 100,100;0,50 100,50",  # H
        "0,0 0,100;50,75,50,30,-180,0 100,100",  # h
        "60,0 60,70 30,70,30,30,0,170",  # J
        "60,0 60,70 30,70,30,30,0,180;20,0 100,0",
        "0,0 0,100;95,0 0,60;30,42 100,100",  # K
        "0,0 0,100;70,35 0,68;30,56 75,100",
        "0,0 0,100 75,100",  # L
        "0,100 0,0 50,70 100,0 100,100",  # M
        "0,100 20,0 50,90 80,0 100,100",
        "0,5 0,100;25,35,25,35,-180,0 50,100;75,35,25,35,-180,0 100,100",
        "0,100 0,0 100,100 100,0",  # N
        "0,0 0,100;50,45,50,45,-180,0 100,100",
        "0,100 0,0 55,0 55,28,45,28,-90,90 0,56",  # P
        "50,50,50,50,0,360;60,62 108,112",  # Q
        "0,100 0,0 55,0 55,26,45,26,-90,90 0,52;45,52 100,100",  # R
        "0,0 100,0;50,0 50,100",  # T
        "0,0 0,60 50,60,50,40,180,0 100,0",  # U
        "0,0 0,65 40,65,40,35,180,0 80,0;80,0 80,85 100,100",
        "0,0 50,100 100,0",  # V
        "0,0 25,100 50,20 75,100 100,0",  # W
        "25,65,25,35,180,0 75,65,25,35,180,0",
        "0,0 100,100;100,0 0,100",  # X
    )
)
PRINTED: tuple[Shape, ...] = (*LETTERS, *(with_serifs(letter) for letter in LETTERS))

SIGNS: tuple[Shape, ...] = tuple(
    shape(strokes)
    for strokes in (
        "~5,28 15,5 50,0 85,10 90,35 55,55 48,75;48,99 50,101",  # ?
        "~105,100 40,45 18,15 40,0 62,15 45,38 8,65 12,95 45,100 80,80 100,50",  # &
        "100,0 0,100;18,20,18,20,0,360;82,80,18,20,0,360",  # %
        "35,0 20,100;80,0 65,100;5,32 100,32;0,68 95,68",  # #
        "50,50,20,22,0,360;70,30 70,60 84,58,14,16,180,0 50,50,50,50,5,-320",  # @
        "0,0 100,0;0,45 100,45",  # =
        "0,50 100,50;50,0 50,100",  # +
        "0,50 100,50;49,10 51,10;49,90 51,90",  # ÷
        "0,40 100,40;50,0 50,80;0,100 100,100",  # ±
        "0,60 15,50 40,100 70,0 130,0",  # √
        "~50,30 75,0 100,30 75,60 50,30 25,0 0,30 25,60 50,30",  # ∞
        "0,10 100,10;30,10 22,100;72,10 78,100",  # π
        "100,0 0,0 55,50 0,100 100,100",  # Σ
        "0,100 30,100 50,45,48,45,120,420 70,100 100,100",  # Ω
        "10,0 100,100;52,48 0,100",  # λ
        "0,0 50,100 100,0;25,45 75,45",  # ∀
        "0,100 50,0 100,100 0,100",  # triangle
        "0,0 100,0 50,100 0,0",
        "0,0 130,0 130,100 0,100 0,0",  # square
        "50,0 100,50 50,100 0,50 50,0",
        "~50,100 5,45 0,20 20,0 42,8 50,30;~50,100 95,45 100,20 80,0 58,8 50,30",  # heart
        "50,0 80,95 0,36 100,36 20,95 50,0",  # star
        "50,0 62,36 100,36 70,58 80,95 50,72 20,95 30,58 0,36 38,36 50,0",
        "50,0 50,100;5,25 95,75;95,25 5,75",  # asterisk
        "0,60 30,100 100,0",  # check mark
        "0,50 100,50;65,20 100,50 65,80",  # arrows
        "100,50 0,50;35,20 0,50 35,80",
        "50,0 50,100;15,60 50,100 85,60",
        "50,50,50,50,0,360;32,35 33,40;67,35 68,40;50,52,28,26,20,160",  # smiley
        "50,50,50,50,0,360;0,50 100,50;50,0 50,100",
        "50,50,50,50,0,360;15,15 85,85;85,15 15,85",
        "0,100 0,40 50,0 100,40 100,100 0,100;35,100 35,65 60,65 60,100",  # house
        "50,50,12,12,0,180 55,50,24,26,180,360 50,50,38,40,0,180 56,50,50,54,180,330",  # spiral
        "~60,0 38,10 40,40 10,50 40,60 38,90 60,100",  # {
        "50,0 0,0 0,100 50,100",  # [
        "100,50,100,60,130,230",  # (
        "0,0 0,100 100,100 100,0",  # ⊔
        "0,100 0,0 100,0 100,100",  # ⊓
        "0,0 0,100 100,0 100,100",  # И
        "0,0 0,100 100,100 100,0;50,0 50,100",  # Ш
        "50,0 50,100;0,0 100,100;100,0 0,100",  # Ж
        "0,0 0,100;0,50 35,50;70,50,35,50,180,540",  # Ю
        "100,20 75,50,75,50,-50,-310;-5,40 70,40;-5,60 65,60",  # €
        "0,0 50,40 100,0;50,40 50,100;10,50 90,50;10,70 90,70",  # ¥
        "0,0 0,80 50,80,50,20,180,0 100,0;50,0 50,100",  # ψ
    )
)

WRITTEN = Hand(width=(1.2, 4.5), wobble=0.02)
BOLD = Hand(width=(3.5, 8), rotation_degrees=5, slant=0.15, aspect=0.4, wobble=0.01)
PRINT = Hand(
    width=(0.6, 1.5),
    nib=(0.2, 6.0),
    rotation_degrees=4,
    slant=0.15,
    aspect=0.5,
    wobble=0.004,
)
# The outline of a letter so bold that nothing of it shows would be a 0.
OUTLINED = replace(PRINT, nib=(0.7, 3), hollow=1)
SLIM = replace(PRINT, nib=(0.2, 3.5))
SCRIBBLED = Hand(width=(0.7, 2.5), wobble=0.03)
RULED = Hand(width=(1, 4), rotation_degrees=6, slant=0.2, aspect=0.5, wobble=0.01)


def picked(table: Sequence[Shape], count: int, generator: np.random.Generator) -> list[Shape]:
    return [table[index] for index in generator.integers(len(table), size=count).tolist()]


def written_letters(count: int, generator: np.random.Generator) -> Pixels:
    return drawn(picked(LETTERS, count, generator), generator, WRITTEN)


def bold_letters(count: int, generator: np.random.Generator) -> Pixels:
    return drawn(picked(LETTERS, count, generator), generator, BOLD)


def printed_letters(count: int, generator: np.random.Generator) -> Pixels:
    """Square pens, broader one way than the other; half with serifs."""
    return drawn(picked(PRINTED, count, generator), generator, PRINT)


def outlined_letters(count: int, generator: np.random.Generator) -> Pixels:
    return drawn(picked(PRINTED, count, generator), generator, OUTLINED)


def cut_out_letters(count: int, generator: np.random.Generator) -> Pixels:
    """Letters of paper on a patch of ink."""
    letters = drawn(picked(PRINTED, count, generator), generator, SLIM).astype(np.float32)
    rows, columns = np.abs(np.indices((SIDE, SIDE)) - (SIDE - 1) / 2)
    half = generator.uniform(10, 14, (2, count, 1, 1))
    exponent = generator.choice((2.0, 4.0, 16.0), (count, 1, 1))
    inside = (rows / half[0]) ** exponent + (columns / half[1]) ** exponent < 1
    return np.where(inside, 255 - letters, 0).astype(np.uint8)


def decorated_letters(count: int, generator: np.random.Generator) -> Pixels:
    """Printed letters with swashes, stripes, grain, or a shadow."""
    letters = picked(PRINTED, count, generator)
    swashes = generator.normal(scale=0.35, size=(count, 3, 2))
    swung = (generator.random(count) < 0.4).tolist()
    letters = [
        (*letter, smooth(np.cumsum([letter[0][0], *swash], axis=0), 4)) if swings else letter
        for letter, swash, swings in zip(letters, swashes, swung, strict=True)
    ]
    glyphs = drawn(letters, generator, SLIM).astype(np.float32) / 255
    along = np.arange(SIDE)
    pitch, turn, grey = generator.uniform(0, 1, (3, count, 1, 1))
    across = np.cos(6 * turn) * along + np.sin(6 * turn) * along[:, np.newaxis]
    stripes = glyphs * (np.sin((0.8 + 1.5 * pitch) * across) > -0.3)
    grain = glyphs * (generator.random(glyphs.shape) > 0.5 * grey)
    shadow = np.maximum(glyphs, grey * np.roll(glyphs, (2, 2), axis=(1, 2)))
    relief = np.abs(glyphs - np.roll(glyphs, (1, 2), axis=(1, 2)))
    kind = generator.integers(5, size=(count, 1, 1))
    return to_pixels(np.choose(kind, (glyphs, stripes, grain, shadow, relief)))


def signs(count: int, generator: np.random.Generator) -> Pixels:
    return drawn(picked(SIGNS, count, generator), generator, WRITTEN)


def bold_signs(count: int, generator: np.random.Generator) -> Pixels:
    return drawn(picked(SIGNS, count, generator), generator, PRINT)


def lines(count: int, generator: np.random.Generator) -> Pixels:
    """Lying lines, parallels, crosses, grids, corners, zigzags; a lone standing stroke is a 1."""
    makers = (_lying, _parallels, _grid, _corner, _zigzag)
    kinds = generator.integers(len(makers), size=count).tolist()
    return drawn([makers[kind](generator) for kind in kinds], generator, RULED)


def _lying(generator: np.random.Generator) -> Shape:
    angle, bend = generator.uniform(-0.3, 0.3, 2)
    rise = np.tan(angle)
    return (smooth(np.array([[0.0, 0.0], [0.5, rise / 2 + 0.2 * bend], [1.0, rise]])),)


def _parallels(generator: np.random.Generator) -> Shape:
    count = int(generator.integers(2, 6))
    turn, *ends = generator.uniform(0, 1, 1 + 2 * count).tolist()
    angle = np.pi * turn
    along, across = (
        np.array([np.cos(angle), np.sin(angle)]),
        np.array([-np.sin(angle), np.cos(angle)]),
    )
    return tuple(
        np.stack([across * i / (count - 1) - along * 0.3 * ends[2 * i],
                  across * i / (count - 1) + along * (0.7 + 0.3 * ends[2 * i + 1])])
        for i in range(count)
    )  # fmt: skip


def _grid(generator: np.random.Generator) -> Shape:
    across, down = generator.integers(1, 5, 2).tolist()
    x = (np.arange(across) + generator.uniform(0.3, 0.7)) / across
    y = (np.arange(down) + generator.uniform(0.3, 0.7)) / down
    return (
        *(np.array([[at, 0.0], [at, 1.0]]) for at in x),
        *(np.array([[0.0, at], [1.0, at]]) for at in y),
    )


def _corner(generator: np.random.Generator) -> Shape:
    """A right angle that opens upwards, or a T lying on its side."""
    x, y, mirrored, long = generator.uniform(0, 1, 4).tolist()
    if mirrored < 0.5:
        return (np.array([[0.0, y * 0.3], [0.0, 1.0], [0.6 + 0.6 * x, 1.0]]),)
    middle = 0.3 + 0.4 * y
    end = (0.7 + 0.5 * long) * (1 if x < 0.5 else -1)
    return np.array([[0.0, 0.0], [0.0, 1.0]]), np.array([[0.0, middle], [end, middle]])


def _zigzag(generator: np.random.Generator) -> Shape:
    count = int(generator.integers(5, 10))
    points = np.stack([np.arange(count) / (count - 1), np.arange(count) % 2], axis=1)
    points[:, 1] *= generator.uniform(0.2, 1)
    points += generator.normal(scale=0.04, size=points.shape)
    return (points if generator.random() < 0.7 else smooth(points, 4),)


def scribbles(count: int, generator: np.random.Generator) -> Pixels:
    """Long smooth lines with many turns, tangles of short ones, hatching."""
    makers = (_tangle, _tangle, _strands, _hatching)
    kinds = generator.integers(len(makers), size=count).tolist()
    return drawn([makers[kind](generator) for kind in kinds], generator, SCRIBBLED)


def _tangle(generator: np.random.Generator) -> Shape:
    return (smooth(generator.random((int(generator.integers(10, 20)), 2)), 4),)


def _strands(generator: np.random.Generator) -> Shape:
    points = generator.random((int(generator.integers(4, 7)), 4, 2))
    return tuple(smooth(strand, 4) for strand in points)


def _hatching(generator: np.random.Generator) -> Shape:
    count = int(generator.integers(8, 16))
    points = np.stack([np.arange(count) / (count - 1), np.arange(count) % 2.0], axis=1)
    points[:, 0] += generator.normal(scale=0.03, size=count)
    points[:, 1] += generator.normal(scale=0.12, size=count)
    angle = generator.uniform(0, np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    return (points @ np.array([[cos, sin], [-sin, cos]]),)


def blanks(count: int, generator: np.random.Generator) -> Pixels:
    """Empty, even, or shaded frames; faint specks."""
    level, slope_x, slope_y = generator.uniform(0, 1, (3, count, 1, 1))
    along = (np.arange(SIDE) - (SIDE - 1) / 2) / SIDE
    shade = level + 2 * (slope_x - 0.5) * along + 2 * (slope_y - 0.5) * along[:, np.newaxis]
    even = np.broadcast_to(level, (count, SIDE, SIDE))
    density = generator.uniform(0.98, 1, (count, 1, 1))
    specks = (
        level
        * generator.random((count, SIDE, SIDE))
        * (generator.random((count, SIDE, SIDE)) > density)
    )
    kind = generator.choice(4, (count, 1, 1), p=(0.1, 0.3, 0.3, 0.3))
    return to_pixels(np.choose(kind, (np.zeros_like(even), even, shade, specks)))


def noise(count: int, generator: np.random.Generator) -> Pixels:
    """Grains, blotches and weaves; grey or black and white; in the whole frame or in a box."""
    grains = generator.random((count, SIDE, SIDE), np.float32)
    # Blotches: the same noise, coarse and blown up.
    coarse = blown_up(generator.random((count, 9, 9), np.float32))
    x, y = generator.uniform(0.5, 3, (2, count, 1, 1)).astype(np.float32)
    along = np.arange(SIDE, dtype=np.float32)
    weave = (np.sin(x * along) + np.sin(y * along[:, np.newaxis])) / 4 + 0.5
    textures = np.choose(generator.integers(4, size=(count, 1, 1)), (
        grains, coarse, weave, (grains + coarse + weave) / 3,
    ))  # fmt: skip
    threshold = generator.uniform(0.3, 0.7, (count, 1, 1))
    hard = generator.random((count, 1, 1)) < 0.5
    levels = np.where(hard, textures > threshold, textures)
    inset = generator.choice((0, 0, 4), (count, 1, 1))
    rim = np.minimum(along, SIDE - 1 - along)
    inside = np.minimum(rim, rim[:, np.newaxis]) >= inset
    return to_pixels(levels * inside)


def blown_up(coarse: Levels) -> Levels:
    """Smooth fields, shape (N, 28, 28), of random numbers, shape (N, n, n), from 0 to 1."""
    side = coarse.shape[1]
    places = np.linspace(0, side - 1, SIDE, dtype=np.float32)
    tents = np.maximum(0, 1 - np.abs(places[:, np.newaxis] - np.arange(side, dtype=np.float32)))
    fields: Levels = tents @ coarse @ tents.T
    return fields


def silhouettes(count: int, generator: np.random.Generator) -> Pixels:
    """Filled shapes, symmetrical as things are, some with a gap between two legs, shaded."""
    along = np.arange(SIDE) - (SIDE - 1) / 2
    knots = generator.uniform(3, 10, (count, 7))
    knots[np.arange(count), generator.integers(7, size=count)] = generator.uniform(8, 10, count)
    places = np.linspace(0, 6, SIDE)
    weights = np.maximum(0, 1 - np.abs(places[:, np.newaxis] - np.arange(7)))
    smoothly = generator.random((count, 1)) < 0.5
    stepped = np.take(knots, np.rint(places).astype(int), axis=1)
    half = np.where(smoothly, knots @ weights.T, stepped)[:, :, np.newaxis]  # (N, 28, 1)
    tall = generator.uniform(6, 13, (count, 1, 1))
    lean = generator.normal(scale=0.1, size=(count, 1, 1))
    inside = np.clip(half - np.abs(along - lean * along[:, np.newaxis]) + 0.5, 0, 1)
    inside *= np.clip(tall - np.abs(along)[:, np.newaxis] + 0.5, 0, 1)
    start, slope = generator.uniform(-8, 4, (count, 1, 1)), generator.uniform(0, 0.5, (count, 1, 1))
    gap = np.maximum(0, along[:, np.newaxis] - start) * slope
    legs = generator.random((count, 1, 1)) < 0.3
    inside = np.where(legs, np.minimum(inside, np.clip(np.abs(along) - gap + 0.5, 0, 1)), inside)
    # Some lie on their sides, as a shoe does.
    lying = generator.random(count) < 0.3
    inside[lying] = inside[lying].transpose(0, 2, 1)
    field = blown_up(generator.random((count, 5, 5), np.float32))
    stripes = np.sin(generator.uniform(0.5, 3, (count, 1, 1)) * along) / 2 + 0.5
    cloth = generator.integers(3, size=(count, 1, 1))
    texture = np.where(cloth == 0, 1.0, np.where(cloth == 1, field, stripes))
    depth = generator.uniform(0, 1, (count, 1, 1))
    return to_pixels(inside * (1 - depth + depth * texture))


def blots(count: int, generator: np.random.Generator) -> Pixels:
    """Filled polygons and rings of them, round or with corners."""
    import cv2

    canvases = np.zeros((count, CANVAS, CANVAS), np.uint8)
    corners = generator.integers(3, 9, count).tolist()
    hole = generator.uniform(0.2, 1.2, count)
    for canvas, number, inner in zip(canvases, corners, hole.tolist(), strict=True):
        angle = 2 * np.pi * (np.arange(number) + generator.uniform(-0.3, 0.3, number)) / number
        radius = generator.uniform(5, 10, number) * FINE
        points = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, np.newaxis]
        if number > 5:
            points = smooth(np.concatenate([points, points[:1]]), 3)
        outline = np.rint(points + CANVAS / 2).astype(np.int32)
        cv2.fillPoly(canvas, [outline], 255)
        if number < 5 and inner < 0.5:
            # A frame of straight sides is no 0.
            cv2.fillPoly(canvas, [np.rint(points * inner + CANVAS / 2).astype(np.int32)], 0)
    return centred(reduced(canvases))


# Of digits

# Digits of which this part is no digit: from where, to where, of the height, or of the width at the
# left. Tried and dropped, as they look like digits again: the lower half of a 4, 7 or 9 is a 1, as
# is the upper half of a closed 4; that of a 6 or 8 is a 0; the upper half of a 2 or 3 is a 7.
PARTS: tuple[tuple[tuple[int, ...], str, float, float], ...] = (
    ((0, 5), "top", 0.35, 0.48),
    ((0, 2), "bottom", 0.35, 0.5),
    ((2, 3, 8, 9), "top", 0.18, 0.3),
    ((3, 5, 6, 8), "bottom", 0.18, 0.3),
    ((0, 8), "middle", 0.3, 0.5),
    ((3,), "left", 0.35, 0.5),
)


def fragments(count: int, generator: np.random.Generator, images: Pixels, labels: Labels) -> Pixels:
    """Digits of which more than half is cut away, scaled to a glyph again."""
    parts = generator.integers(len(PARTS), size=count)
    pieces = np.zeros((count, SIDE, SIDE), np.uint8)
    for number, (digits, side, least, most) in enumerate(PARTS):
        here = np.flatnonzero(parts == number)
        suited = np.flatnonzero(np.isin(labels, digits))
        if not suited.size:
            continue
        shares = generator.uniform(least, most, here.size).tolist()
        chosen = images[generator.choice(suited, here.size)]
        for index, digit, share in zip(here.tolist(), chosen, shares, strict=True):
            part = _part(digit, side, share)
            if part.any():
                pieces[index] = glyph_of(part, widths=None)
    # Enlarged edges are soft: make them as steep as they were.
    return to_pixels((pieces / 255 - 0.25) * 2)


def _part(digit: Pixels, side: str, share: float) -> Pixels:
    """So much of the height of what is inked, or of the width at the left, turned to lie."""
    if not digit.any():
        return digit
    x, y, width, height = bounding_box(digit)
    if side == "left":
        return np.rot90(digit[y : y + height, x : x + max(2, round(share * width))])
    rows = max(2, round(share * height))
    start = {"top": 0, "bottom": height - rows, "middle": (height - rows) // 2}[side]
    part = digit[y + start : y + start + rows]
    # What stands might be a 1.
    return np.rot90(part) if np.count_nonzero(part.any(axis=0)) < rows else part


def several_digits(
    count: int, generator: np.random.Generator, images: Pixels, labels: Labels
) -> Pixels:
    """Two or three digits in one picture, beside or below one another, near or touching."""
    number = generator.choice((2, 3), count, p=(0.8, 0.2)).tolist()
    # A 0 on a 0 is an 8, and a 1 below a 0 makes it a 9.
    stackable = np.flatnonzero(~np.isin(labels, (0, 1)))
    stacked = (generator.random(count) < (0.12 if stackable.size else 0)).tolist()
    glyphs = np.zeros((count, SIDE, SIDE), np.uint8)
    for glyph, many, below in zip(glyphs, number, stacked, strict=True):
        chosen = (
            generator.choice(stackable, many)
            if below
            else generator.integers(len(images), size=many)
        )
        glyph[:] = _together(images[chosen], generator, below=below)
    return glyphs


def _together(digits: Pixels, generator: np.random.Generator, *, below: bool) -> Pixels:
    """The digits, shape (n, 28, 28), in one glyph."""
    row = np.zeros((SIDE, 4 * SIDE), np.uint8)
    # Those below one another are laid on their sides, put into the row, and set up again.
    digits = digits.transpose(0, 2, 1) if below else digits
    gaps = (
        generator.integers(2, 6, len(digits)) if below else generator.integers(-2, 5, len(digits))
    )
    end = 3
    for digit, gap in zip(digits, gaps.tolist(), strict=True):
        columns = np.flatnonzero(digit.any(axis=0))
        if columns.size:
            narrow = digit[:, columns[0] : columns[-1] + 1]
            start = end + gap
            end = start + narrow.shape[1]
            np.maximum(row[:, start:end], narrow, out=row[:, start:end])
    return glyph_of(row.T if below else row, widths=None) if row.any() else row[:, :SIDE]


def mixed_up(count: int, generator: np.random.Generator, images: Pixels, labels: Labels) -> Pixels:
    """Pieces of four digits, turned, one in each quarter."""
    chosen = images[generator.integers(len(images), size=(4, count))]
    starts = generator.integers(5, SIDE - HALF - 4, size=(4, count, 2)).tolist()
    turns = generator.integers(4, size=(4, count)).tolist()
    glyphs = np.empty((count, SIDE, SIDE), np.uint8)
    for index, glyph in enumerate(glyphs):
        for quarter, (y, x) in enumerate(((0, 0), (0, HALF), (HALF, 0), (HALF, HALF))):
            top, left = starts[quarter][index]
            piece = chosen[quarter, index, top : top + HALF, left : left + HALF]
            glyph[y : y + HALF, x : x + HALF] = np.rot90(piece, turns[quarter][index])
    return glyphs


def crossed_out(
    count: int, generator: np.random.Generator, images: Pixels, labels: Labels
) -> Pixels:
    """Digits under a scribble."""
    cover = np.where(
        generator.random((count, 1, 1)) < 0.5,
        scribbles(count, generator),
        drawn([_hatching(generator) for _ in range(count)], generator, WRITTEN),
    )
    return np.maximum(images[generator.integers(len(images), size=count)], cover)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "blanks": blanks,
        "noise": noise,
        "lines": lines,
        "scribbles": scribbles,
        "written letters": written_letters,
        "bold letters": bold_letters,
        "printed letters": printed_letters,
        "outlined letters": outlined_letters,
        "cut-out letters": cut_out_letters,
        "decorated letters": decorated_letters,
        "signs": signs,
        "bold signs": bold_signs,
        "silhouettes": silhouettes,
        "blots": blots,
    }
)
OF_DIGITS: Mapping[str, KindOfDigits] = MappingProxyType(
    {
        "fragments": fragments,
        "several digits": several_digits,
        "mixed up": mixed_up,
        "crossed out": crossed_out,
    }
)
SHARES: Mapping[str, float] = MappingProxyType(
    {
        "blanks": 0.03,
        "noise": 0.06,
        "lines": 0.08,
        "scribbles": 0.08,
        "written letters": 0.10,
        "bold letters": 0.05,
        "printed letters": 0.11,
        "outlined letters": 0.02,
        "cut-out letters": 0.02,
        "decorated letters": 0.05,
        "signs": 0.06,
        "bold signs": 0.02,
        "silhouettes": 0.05,
        "blots": 0.03,
        "fragments": 0.10,
        "several digits": 0.10,
        "mixed up": 0.01,
        "crossed out": 0.03,
    }
)


def negatives(
    count: int,
    generator: np.random.Generator,
    *,
    digits: Pixels | None = None,
    labels: NDArray[np.uint8] | None = None,
) -> Pixels:
    """A mixture of all kinds, each with its share of `SHARES`, in random order.

    A picture takes about 40 µs where some hundreds are made at once.

    Args:
        count: how many pictures.
        generator: of all that is drawn.
        digits: glyphs, shape (M, 28, 28), uint8, of which pairs and fragments are made; without
            them, or without their labels, the kinds of `OF_DIGITS` are left out.
        labels: shape (M,), what the digits are, 0 to 9.

    Returns:
        shape (count, 28, 28), uint8.

    Raises:
        DataError: the digits are of another shape or type.
    """
    material = None
    if digits is not None and labels is not None and len(digits):
        material = checked_images(digits), labels
    names = [*KINDS, *(OF_DIGITS if material else ())]
    shares = np.array([SHARES[name] for name in names])
    kinds = generator.choice(len(names), count, p=shares / shares.sum())
    pictures = np.empty((count, SIDE, SIDE), np.uint8)
    for number, name in enumerate(names):
        here = np.flatnonzero(kinds == number)
        if not here.size:
            continue
        if name in KINDS:
            pictures[here] = KINDS[name](here.size, generator)
        elif material:
            pictures[here] = OF_DIGITS[name](here.size, generator, *material)
    vary(pictures, generator)
    return pictures


def vary(pictures: Pixels, generator: np.random.Generator) -> None:
    """Makes a third of the pictures, in their place, paler, softer or harder, or blurred."""
    import cv2

    count = len(pictures)
    kinds = generator.choice(4, count, p=(2 / 3, 1 / 9, 1 / 9, 1 / 9)).tolist()
    amounts = generator.uniform(0, 1, count).tolist()
    levels = np.arange(256) / 255
    for picture, kind, much in zip(pictures, kinds, amounts, strict=True):
        if kind == 1:
            picture[:] = to_pixels(levels * (0.3 + 0.6 * much))[picture]
        elif kind == 2:
            picture[:] = to_pixels(levels ** (0.4 + 1.6 * much))[picture]
        elif kind == 3:
            cv2.GaussianBlur(picture, (5, 5), 0.4 + much, dst=picture)


def to_pixels(levels: NDArray[np.floating]) -> Pixels:
    """Levels, 0 paper to 1 ink, as uint8; what is beyond is held there."""
    pixels: Pixels = np.rint(np.clip(levels, 0, 1) * 255).astype(np.uint8)
    return pixels
