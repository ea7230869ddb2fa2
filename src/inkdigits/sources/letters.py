"""Letters and signs that no hand writes like a digit, drawn with pens of many widths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import SIDE
from inkdigits.sources.marks import to_pixels
from inkdigits.sources.strokes import Hand, Shape, drawn, shape, smooth, with_serifs

__all__ = [
    "LETTERS",
    "SIGNS",
    "WRITTEN",
    "bold_letters",
    "bold_signs",
    "cut_out_letters",
    "decorated_letters",
    "outlined_letters",
    "printed_letters",
    "signs",
    "written_letters",
]

Pixels = NDArray[np.uint8]

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
