"""Explaining a reading: what the network saw, and which single decision the answer hangs on.

Between a picture and its glyph a dozen things are decided. Each is tried the other way, one at a
time, and the network is asked again: the change that mends a misread digit says what is wrong.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from inkdigits.dataset import DIGITS, Dataset
from inkdigits.errors import DataError
from inkdigits.glyph import BOX, cropped, lean, stroke_width
from inkdigits.inspection import nearest
from inkdigits.model import Answers, Model
from inkdigits.reading.advice import CHANGES, Change, Seen
from inkdigits.reading.digit import DigitReading, Prepared, prepare, prepared_from
from inkdigits.reading.explanation import Explanation, Trial, clear
from inkdigits.reading.ink import Choices, Ink, find_ink
from inkdigits.reading.picture import Picture

__all__ = ["explain"]

SIDES = ("top", "bottom", "left", "right")


def explain(
    picture: Picture,
    model: Model,
    *,
    expected: int | None = None,
    threshold: float | None = None,
    among: Dataset | None = None,
    every: int = 1,
    name: str | None = "PICTURE",
) -> Explanation:
    """Reads the digit in a picture, and again with each decision taken otherwise.

    Args:
        picture: from `open_picture`.
        model: what answers.
        expected: the digit it should be, if that is known.
        threshold: of the confidence; None for the model's own.
        among: digits with labels, to find in them what looks alike to the network.
        every: only each so many-th of them is compared.
        name: of the picture in the commands that are advised; None to advise none.

    Raises:
        DataError: the digit expected is none, or `among` has no labels.
    """
    if expected is not None and not 0 <= expected < DIGITS:
        raise DataError(f"expected a digit of 0 to 9, got {expected}")
    usual = prepare(picture)
    others = [
        (change, prepared)
        for change, prepared in changed_ways(usual)
        if not np.array_equal(usual.glyph, prepared.glyph)
    ]
    glyphs = np.stack([usual.glyph, *(prepared.glyph for _, prepared in others)])
    # The usual one by itself, so that it is the same to the last bit as without an explanation.
    answers = model.answer(glyphs[:1])
    threshold = answers.threshold if threshold is None else threshold
    reading = DigitReading(usual, answers, threshold)
    trials = []
    if others:
        tried = model.answer(glyphs[1:])
        for place, (change, prepared) in enumerate(others):
            trials.append(
                trial(reading, change, DigitReading(prepared, one_of(tried, place), threshold))
            )
    found = (
        None
        if among is None or usual.ink is None
        else nearest(model.network, usual.glyph, among, every=every)
    )
    seen = None if usual.ink is None else measured(usual, usual.ink)
    return Explanation(reading, expected, seen, trials, found, name)


def changed_ways(usual: Prepared) -> list[tuple[Change, Prepared]]:
    """The picture prepared with each change; ink is looked for again only where that matters."""
    ways = []
    for change in CHANGES:
        choices = change.choices
        above = replace(
            Choices(),
            ink=choices.ink,
            threshold=choices.threshold,
            lines=choices.lines,
            crop=choices.crop,
        )
        ink = usual.ink if above == Choices() else find_ink(usual.picture.pixels, choices)
        ways.append((change, prepared_from(usual.picture, ink, choices)))
    return ways


def one_of(answers: Answers, place: int) -> Answers:
    none = answers.not_a_digit
    return Answers(
        answers.probabilities[place : place + 1],
        None if none is None else none[place : place + 1],
        answers.threshold,
    )


def trial(usual: DigitReading, change: Change, reading: DigitReading) -> Trial:
    answer = clear(reading)
    return Trial(
        change,
        reading.prepared.glyph,
        None if reading.prepared.ink is None else reading.digit,
        reading.confidence,
        answer is not None and answer != clear(usual),
    )


def measured(prepared: Prepared, ink: Ink) -> Seen:
    """What there is to say of the ink that was found."""
    digit = cropped(ink.levels)
    strong = ink.levels > 127
    rims = (strong[0], strong[-1], strong[:, 0], strong[:, -1])
    return Seen(
        ink="dark" if ink.dark else "light",
        contrast=ink.contrast,
        noise=ink.noise,
        lines=ink.lines,
        left_out=ink.left_out,
        box=prepared.box,
        rims=[side for side, rim in zip(SIDES, rims, strict=True) if rim.any()],
        stroke_width=stroke_width(digit) * BOX / max(digit.shape),
        lean_degrees=math.degrees(math.atan(lean(digit))),
    )
