"""The reader: from glyphs to numbers with a confidence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.model import Model
from inkdigits.reading.picture import open_glyph

__all__ = ["Number", "ReadDigit", "Reading", "read_picture"]

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class ReadDigit:
    """One digit in a picture.

    Args:
        digit: 0 to 9.
        probability: of that digit.
        box: x, y, width, height in the picture's own pixels.
    """

    digit: int
    probability: float
    box: Box


@dataclass(frozen=True)
class Number:
    """Digits that belong together.

    Args:
        text: the digits in reading order.
        confidence: that all of them are right.
        box: x, y, width, height in the picture's own pixels.
        digits: one by one.
    """

    text: str
    confidence: float
    box: Box
    digits: list[ReadDigit]


@dataclass(frozen=True, eq=False)
class Reading:
    """What a picture says.

    Args:
        size: width and height of the picture.
        numbers: in reading order.
        probabilities: shape (10,), for the picture taken as a single digit.
    """

    size: tuple[int, int]
    numbers: list[Number]
    probabilities: NDArray[np.float64]

    @property
    def text(self) -> str:
        """The numbers, with a space between."""
        return " ".join(number.text for number in self.numbers)

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"size": list(self.size), "numbers": [asdict(number) for number in self.numbers]}

    def as_single(self) -> dict[str, Any]:
        """Plain data for JSON, for one digit a picture.

        `not_a_digit` is None where the model has not learned to tell, and then nothing is rejected.
        """
        digit = int(self.probabilities.argmax())
        return {
            "digit": digit,
            "probability": float(self.probabilities[digit]),
            "probabilities": self.probabilities.tolist(),
            "not_a_digit": None,
            "rejected": False,
        }


def read_picture(path: str | Path, model: Model) -> Reading:
    """Reads a picture of one digit.

    Raises:
        FileError: there is no such file.
        PictureError: it is no picture of a digit that we can open.
    """
    glyph, (width, height) = open_glyph(path)
    probabilities = model.predict_probabilities(glyph[np.newaxis])[0]
    digit = int(probabilities.argmax())
    box = (0, 0, width, height)
    read = ReadDigit(digit, float(probabilities[digit]), box)
    return Reading(
        (width, height), [Number(str(digit), read.probability, box, [read])], probabilities
    )
