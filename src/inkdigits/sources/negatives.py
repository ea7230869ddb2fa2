"""Negatives: pictures that show no digit, so that a reader learns to say so.

Whoever crops digits from a page also crops letters, lines, stains and halves of digits. All of
these are drawn (`letters`, `marks`), or made of digits, here; nothing is taken from other data.
Each kind is a function; a mixture of all has each kind with its share. What could be read as a
digit is left out: an I, an O, an S or a lone standing stroke are no negatives, as they are a 1, a 0
or a 5 in some hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import SIDE, checked_images
from inkdigits.glyph import bounding_box, glyph_of
from inkdigits.sources.letters import (
    WRITTEN,
    bold_letters,
    bold_signs,
    cut_out_letters,
    decorated_letters,
    outlined_letters,
    printed_letters,
    signs,
    written_letters,
)
from inkdigits.sources.marks import (
    blanks,
    blots,
    hatching,
    lines,
    noise,
    scribbles,
    silhouettes,
    to_pixels,
)
from inkdigits.sources.strokes import drawn

__all__ = ["KINDS", "OF_DIGITS", "SHARES", "negatives", "possible_kinds"]

Pixels = NDArray[np.uint8]
Labels = NDArray[np.uint8]
Kind = Callable[[int, np.random.Generator], Pixels]
KindOfDigits = Callable[[int, np.random.Generator, Pixels, Labels], Pixels]

HALF = SIDE // 2

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
    """Digits of which more than half is cut away, scaled to a glyph again.

    Only parts are cut for which there are digits; without any (`possible_kinds`) all stays blank.
    """
    pieces = np.zeros((count, SIDE, SIDE), np.uint8)
    possible = _possible_parts(labels)
    if not possible.size:
        return pieces
    parts = possible[generator.integers(possible.size, size=count)]
    for number, (digits, side, least, most) in enumerate(PARTS):
        here = np.flatnonzero(parts == number)
        if number not in possible:
            continue
        suited = np.flatnonzero(np.isin(labels, digits))
        shares = generator.uniform(least, most, here.size).tolist()
        chosen = images[generator.choice(suited, here.size)]
        for index, digit, share in zip(here.tolist(), chosen, shares, strict=True):
            part = _part(digit, side, share)
            if part.any():
                pieces[index] = glyph_of(part, widths=None)
    # Enlarged edges are soft: make them as steep as they were.
    return to_pixels((pieces / 255 - 0.25) * 2)


def _possible_parts(labels: Labels) -> NDArray[np.intp]:
    """The places in `PARTS` of those that can be cut from digits with these labels."""
    return np.flatnonzero([np.isin(labels, digits).any() for digits, *_ in PARTS])


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


def wrongly_cut(
    count: int, generator: np.random.Generator, images: Pixels, labels: Labels
) -> Pixels:
    """Touching digits cut in the wrong places: one and a half of them, or two halves.

    A reader of numbers tries such cuts. Of the digit that is cut so much is left that it is more
    than the neighbour's stroke which a carelessly cut digit may keep.
    """
    # Half of a 1 is a stroke, which a digit may keep.
    broad = np.flatnonzero(labels != 1)
    pieces = np.zeros((count, SIDE, SIDE), np.uint8)
    if not broad.size:
        return pieces
    shares = generator.uniform(0.42, 0.72, (count, 2)).tolist()
    whole = (generator.random(count) < 0.65).tolist()
    turned = (generator.random(count) < 0.5).tolist()
    overlaps = generator.integers(-1, 4, count).tolist()
    for index, piece in enumerate(pieces):
        first = images[generator.integers(len(images)) if whole[index] else generator.choice(broad)]
        second = images[generator.choice(broad)]
        if not first.any() or not second.any():
            continue
        left, right = _narrow(first), _narrow(second)
        if turned[index]:  # upside down and back again: the whole one is at the right
            left, right = left[:, ::-1], right[:, ::-1]
        if not whole[index]:
            left = left[:, round((1 - shares[index][0]) * left.shape[1]) :]
        right = right[:, : max(2, round(shares[index][1] * right.shape[1]))]
        start = max(0, left.shape[1] - overlaps[index])
        row = np.zeros((SIDE, start + max(right.shape[1], overlaps[index], 0)), np.uint8)
        row[:, : left.shape[1]] = left[:, : row.shape[1]]
        part = row[:, start : start + right.shape[1]]
        np.maximum(part, right, out=part)
        piece[:] = glyph_of(row[:, ::-1] if turned[index] else row, widths=None)
    return pieces


def _narrow(digit: Pixels) -> Pixels:
    """A digit without the paper at its left and right."""
    columns = np.flatnonzero(digit.any(axis=0))
    return digit[:, columns[0] : columns[-1] + 1]


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
        if digit.any():
            narrow = _narrow(digit)
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
        drawn([hatching(generator) for _ in range(count)], generator, WRITTEN),
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
        "wrongly cut": wrongly_cut,
        "mixed up": mixed_up,
        "crossed out": crossed_out,
    }
)
SHARES: Mapping[str, float] = MappingProxyType(
    {
        "blanks": 0.03,
        "noise": 0.05,
        "lines": 0.07,
        "scribbles": 0.07,
        "written letters": 0.10,
        "bold letters": 0.05,
        "printed letters": 0.11,
        "outlined letters": 0.01,
        "cut-out letters": 0.01,
        "decorated letters": 0.05,
        "signs": 0.06,
        "bold signs": 0.01,
        "silhouettes": 0.04,
        "blots": 0.02,
        "fragments": 0.08,
        "several digits": 0.12,
        "wrongly cut": 0.08,
        "mixed up": 0.01,
        "crossed out": 0.03,
    }
)


def possible_kinds(labels: Labels | None) -> list[str]:
    """The kinds that can be made, in the order of `SHARES`.

    Args:
        labels: of the digits there are to make some kinds of, shape (M,); None for no digits.
    """
    if labels is None or not len(labels):
        return list(KINDS)
    cut = _possible_parts(labels).size
    return [*KINDS, *(name for name in OF_DIGITS if name != "fragments" or cut)]


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
            them, or without their labels, the kinds of `OF_DIGITS` are left out, and fragments
            also where there is no digit that can be cut.
        labels: shape (M,), what the digits are, 0 to 9.

    Returns:
        shape (count, 28, 28), uint8.

    Raises:
        DataError: the digits are of another shape or type.
    """
    material = None
    if digits is not None and labels is not None and len(digits):
        material = checked_images(digits), labels
    names = possible_kinds(labels if material else None)
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
