"""One digit a picture: from the picture to a glyph, and from the glyph to an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import SIDE
from inkdigits.glyph import deskewed, glyph_of, turned
from inkdigits.model import Answers, Model
from inkdigits.reading.ink import Choices, Ink, find_ink
from inkdigits.reading.picture import Picture

__all__ = ["LONGEST", "DigitReading", "Prepared", "prepare", "prepared_from", "read_digit"]

Box = tuple[int, int, int, int]

LONGEST = 1000  # pixels of the longer side on which ink is looked for


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture on its way to the network: each stage, for whoever wants to see it.

    Args:
        picture: as it was opened.
        ink: what was written on it; None where nothing stands out.
        glyph: shape (28, 28), uint8: what the network sees; all paper where there is no ink.
    """

    picture: Picture
    ink: Ink | None
    glyph: NDArray[np.uint8]

    @property
    def box(self) -> Box:
        """x, y, width, height of the digit in the picture's own pixels; all of it without ink."""
        width, height = self.picture.size
        if self.ink is None:
            return 0, 0, width, height
        x, y, across, down = (round(value * self.picture.scale) for value in self.ink.box)
        return x, y, min(across, width - x), min(down, height - y)


@dataclass(frozen=True, eq=False)
class DigitReading:
    """What a picture of one digit says.

    Args:
        prepared: the picture, and what was made of it.
        answers: what the model says, of one glyph.
        threshold: an answer of less confidence is better not given.
    """

    prepared: Prepared
    answers: Answers
    threshold: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.prepared.picture.size

    @property
    def digit(self) -> int:
        """The most probable one, whether or not it is better not named."""
        return int(self.answers.digits[0])

    @property
    def confidence(self) -> float:
        """How probable it is that this is a digit, and that one; 0 where there is no ink."""
        return float(self.answers.confidence[0]) if self.prepared.ink is not None else 0.0

    @property
    def rejected(self) -> bool:
        """Whether the digit is better not named: there is none, or which it is is not clear."""
        return self.prepared.ink is None or self.confidence < self.threshold

    @property
    def not_a_digit(self) -> float | None:
        """How probable it is that this is none; None where the model has not learned to tell."""
        if self.answers.not_a_digit is None:
            return None
        return float(self.answers.not_a_digit[0]) if self.prepared.ink is not None else 1.0

    def as_single(self) -> dict[str, Any]:
        """Plain data for JSON, for one digit a picture."""
        probabilities = self.answers.probabilities[0]
        return {
            "digit": self.digit,
            "probability": float(probabilities[self.digit]),
            "probabilities": probabilities.tolist(),
            "not_a_digit": self.not_a_digit,
            "rejected": self.rejected,
        }


def prepare(picture: Picture, choices: Choices | None = None) -> Prepared:
    """The ink of the one digit in a picture, and its glyph.

    Args:
        picture: from `open_picture`.
        choices: what is decided already; None leaves everything to the picture.
    """
    choices = choices or Choices()
    return prepared_from(picture, find_ink(picture.pixels, choices), choices)


def prepared_from(picture: Picture, ink: Ink | None, choices: Choices) -> Prepared:
    """What is made of ink that was found; arguments as those of `prepare`."""
    if ink is None:
        return Prepared(picture, None, np.zeros((SIDE, SIDE), np.uint8))
    levels = ink.levels
    if choices.threshold < 1:  # the faint ink that was let in must be seen too
        levels = np.minimum(levels / choices.threshold, 255).astype(np.uint8)
    if choices.deskew:
        levels = deskewed(levels)
    if choices.rotation_degrees:
        levels = turned(levels, choices.rotation_degrees)
    glyph = glyph_of(levels, widths=choices.widths, centred=choices.centred)
    return Prepared(picture, ink, glyph)


def read_digit(
    picture: Picture,
    model: Model,
    *,
    choices: Choices | None = None,
    threshold: float | None = None,
) -> DigitReading:
    """Reads the one digit in a picture.

    Args:
        picture: from `open_picture`.
        model: what answers.
        choices: as for `prepare`.
        threshold: of the confidence; None for the model's own.
    """
    prepared = prepare(picture, choices)
    answers = model.answer(prepared.glyph[np.newaxis])
    return DigitReading(prepared, answers, answers.threshold if threshold is None else threshold)
