"""The two ways in which `inkdigits read` takes a picture of one digit.

Plain `inkdigits read PICTURE` (`ink.read`) is the front door: it looks for numbers and may find
none, or several. `--single` is told that there is one digit. What the README says of reading is
plain `read`'s; the benchmarks measure both, side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from inkdigits.model import Model
from inkdigits.reading import LONGEST, UNSURE, open_picture, read_digit, read_picture

READ, SINGLE = "`read`", "`read --single`"


class Answer(NamedTuple):
    """What is said of a picture.

    Args:
        text: the digit, or the numbers joined: empty where none is found.
        confidence: that it is right; of several numbers the least; 0 where there is none.
        refused: whether no digit is named, or not all are.
    """

    text: str
    confidence: float
    refused: bool


def plain(source: Path | bytes, model: Model) -> Answer:
    """As `inkdigits read PICTURE` and `ink.read` do."""
    numbers = read_picture(source, model).numbers
    text = "".join(number.text for number in numbers)
    confidence = min((number.confidence for number in numbers), default=0.0)
    return Answer(text, confidence, not numbers or UNSURE in text)


def single(source: Path | bytes, model: Model) -> Answer:
    """As `inkdigits read --single PICTURE` does; the digit is told even where it is refused."""
    reading = read_digit(open_picture(source, longest=LONGEST), model)
    return Answer(str(reading.digit), reading.confidence, reading.rejected)


WAYS: Mapping[str, Callable[[Path | bytes, Model], Answer]] = {READ: plain, SINGLE: single}
