"""What `inkdigits read` says of one input: to a person, and in JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inkdigits.cli.console import per_cent, shown

if TYPE_CHECKING:
    from inkdigits.model import Answers
    from inkdigits.reading import DigitReading, Number, Reading

__all__ = ["Line", "counted", "failure", "in_words", "picture_line", "spoken"]

UNLIKELY = 0.05  # confidence: such a digit is not worth mentioning
SURE = 0.95  # confidence: among others, such a number is given without it


@dataclass(frozen=True)
class Line:
    """What there is to say of one input.

    Args:
        data: for JSON.
        words: for a person; a page of several lines has several.
        failed: whether it could not be read.
        unnamed: how many digits were left unnamed.
        digits: how many there are, or as many as are asked for.
    """

    data: dict[str, Any]
    words: str
    failed: bool = False
    unnamed: int = 0
    digits: int = 1


def picture_line(
    name: str, reading: Reading | DigitReading | Exception, single: bool = False
) -> Line:
    """The line of a picture.

    Args:
        name: of the picture.
        reading: of numbers; or, with `single`, of one digit; or the error in its place.
        single: one digit a picture.
    """
    from inkdigits.reading import DigitReading
    from inkdigits.reading.worker import line_data

    if isinstance(reading, Exception):
        return failure(name, str(reading))
    data = line_data(name, reading, single=single)
    said = in_words(reading)
    words = f"{shown(name)}:{said}" if said.startswith("\n") else f"{shown(name)}: {said}"
    if isinstance(reading, DigitReading):
        return Line(data, words, unnamed=int(reading.rejected))
    unnamed, digits = counted(data)
    return Line(data, words, unnamed=unnamed, digits=digits)


def failure(name: str, error: str) -> Line:
    """The line of what could not be read."""
    return Line({"path": name, "error": error}, shown(f"{name}: {error}"), failed=True, digits=0)


def counted(data: dict[str, Any]) -> tuple[int, int]:
    """How many digits of a picture's JSON were left unnamed, and how many it has."""
    from inkdigits.reading import UNSURE

    if "numbers" not in data:
        return int(data["rejected"]), 1
    unnamed = sum(number["text"].count(UNSURE) for number in data["numbers"])
    return unnamed, sum(len(number["digits"]) for number in data["numbers"])


# For a person


def in_words(reading: Reading | DigitReading) -> str:
    """What a picture says: one line for one of writing, else a line for each, below the name."""
    from inkdigits.reading import DigitReading, find_ink

    if isinstance(reading, DigitReading):
        if reading.prepared.ink is None:
            return "nothing written"
        return spoken(reading.answers, 0, unnamed=reading.rejected)
    if not reading.numbers:
        blank = find_ink(reading.picture.pixels) is None
        return "nothing written" if blank else "no digits found"
    if len(reading.numbers) == 1:
        return number_in_words(reading.numbers[0], alone=True)
    lines = ["  ".join(number_in_words(number) for number in line) for line in reading.lines]
    return lines[0] if len(lines) == 1 else "\n  ".join(["", *lines])


def number_in_words(number: Number, *, alone: bool = False) -> str:
    """A number, with its confidence where it is alone or in doubt: `41  (99.2 %)`, `4? (61 %)`."""
    from inkdigits.reading import UNSURE

    share = per_cent(number.confidence, int(alone))
    gap = "  " if alone else " "
    if UNSURE in number.text and number.confidence >= UNLIKELY:
        digits = iter(number.digits)
        guess = "".join(
            str(next(digits).digit) if sign == UNSURE or sign.isdigit() else sign
            for sign in number.text
        )
        return f"{number.text}{gap}(perhaps {guess}, {share})"
    if alone or number.confidence < SURE:
        return f"{number.text}{gap}({share})"
    return number.text


def spoken(answers: Answers, index: int, *, unnamed: bool) -> str:
    """The digit and how sure it is; or what it might be, where it is better not named."""
    confidence = float(answers.confidence[index])
    digit = int(answers.digits[index])
    if not unnamed:
        return f"{digit}  ({per_cent(confidence, 1)})"
    none = 0.0 if answers.not_a_digit is None else float(answers.not_a_digit[index])
    if none >= confidence:
        if confidence < UNLIKELY:
            return f"not a digit  ({per_cent(none, 1)})"
        return f"not a digit?  (perhaps {digit}, {per_cent(confidence, 1)})"
    shares = answers.probabilities[index]
    second = int(shares.argsort()[-2])
    other = float(shares[second]) * (1 - none)
    return (
        f"not sure  ({digit}, {per_cent(confidence, 1)}, or {second}, {per_cent(other, 1)})"
        if other >= none
        else f"not sure  ({digit}, {per_cent(confidence, 1)}, or not a digit)"
    )
