"""How well numbers are read: pictures whose digits are known, and pages of which every box is.

What is compared is digits in reading order; lines and gaps are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inkdigits.evaluation import wilson_interval
from inkdigits.reading import Number, Reading
from scores import interval

if TYPE_CHECKING:
    from pages import WrittenPage

Box = tuple[int, int, int, int]

OVERLAP = 0.4  # of what two boxes cover together, from which on they are of the same thing
UNSURE = "?"


def digits_of(text: str) -> str:
    """The digits of a text, and what stands for one that is not named."""
    return "".join(sign for sign in text if sign in "0123456789" + UNSURE)


def differences(said: str, label: str) -> tuple[int, int]:
    """The fewest changes that make one text the other (Levenshtein 1966).

    Returns:
        all of them, and how many of them take away a digit that is not there.
    """
    # Of equally few changes those that take away less: what is there is then misread.
    row = [(missing, 0) for missing in range(len(label) + 1)]
    for count, sign in enumerate(said, 1):
        before, row = row, [(count, count)]
        for place, wanted in enumerate(label):
            same = before[place][0] + (sign != wanted), before[place][1]
            missing = row[place][0] + 1, row[place][1]
            extra = before[place + 1][0] + 1, before[place + 1][1] + 1
            row.append(min(same, missing, extra))
    return row[-1]


@dataclass(frozen=True)
class Outcome:
    """What became of a picture of numbers.

    Args:
        name: of the picture.
        source: who wrote it, or its kind.
        label: its digits.
        said: the digits that were read.
        error: why it could not be opened.
        text: whether points, commas and signs were right too; None where that is not asked.
        numbers: how many there are; None where that is not known.
        found: how many of them were read right, signs and all.
    """

    name: str
    source: str
    label: str
    said: str
    error: str | None = None
    text: bool | None = None
    numbers: int | None = None
    found: int | None = None

    @property
    def exact(self) -> bool:
        return self.said == self.label


@dataclass(frozen=True)
class Score:
    """How well some pictures are read.

    Args:
        name: of the source, the kind, or of all of them.
        sources: how many; exact and digit_error are means over them.
        pictures: how many.
        errors: of them not exactly right.
        exact: the share that is.
        interval: 95 %, of the exact share.
        digit_error: changes that would make the text right, of the digits there are.
        extra: digits named that are not there.
        text: the share right with points, commas and signs; None where that is not asked.
        numbers: the share of single numbers that is right; None where they are not known.
    """

    name: str
    sources: int
    pictures: int
    errors: int
    exact: float
    interval: tuple[float, float]
    digit_error: float
    extra: int
    text: float | None
    numbers: float | None


def score_source(name: str, own: Sequence[Outcome]) -> Score:
    right = sum(each.exact for each in own)
    changes = [differences(each.said, each.label) for each in own]
    texts = [each.text for each in own if each.text is not None]
    known = sum(each.numbers or 0 for each in own)
    return Score(
        name=name,
        sources=1,
        pictures=len(own),
        errors=len(own) - right,
        exact=right / len(own),
        interval=wilson_interval(right, len(own)),
        digit_error=sum(fewest for fewest, _ in changes) / sum(len(each.label) for each in own),
        extra=sum(extra for _, extra in changes),
        text=sum(texts) / len(texts) if texts else None,
        numbers=sum(each.found or 0 for each in own) / known if known else None,
    )


def score(outcomes: Iterable[Outcome]) -> tuple[Score, list[Score]]:
    """Of all, each source counting alike, and of the sources."""
    own: dict[str, list[Outcome]] = {}
    for each in outcomes:
        own.setdefault(each.source, []).append(each)
    sources = [score_source(name, some) for name, some in own.items()]
    known = [each.numbers for each in sources if each.numbers is not None]
    everything = Score(
        name="all: mean over sources",
        sources=len(sources),
        pictures=sum(each.pictures for each in sources),
        errors=sum(each.errors for each in sources),
        exact=sum(each.exact for each in sources) / len(sources),
        interval=interval(sources),
        digit_error=sum(each.digit_error for each in sources) / len(sources),
        extra=sum(each.extra for each in sources),
        text=None,
        numbers=sum(known) / len(known) if known else None,
    )
    return everything, sources


# Confidence


@dataclass(frozen=True)
class Given:
    """An answer: how sure it was, whether it was right, and whether it was named at all."""

    confidence: float
    right: bool
    named: bool


def overlap(one: Box, other: Box) -> float:
    """What two boxes share of the area that they cover together."""
    sides = [
        max(0, min(one[at] + one[at + 2], other[at] + other[at + 2]) - max(one[at], other[at]))
        for at in (0, 1)
    ]
    both = sides[0] * sides[1]
    return both / (one[2] * one[3] + other[2] * other[3] - both)


def around(boxes: Sequence[Box]) -> Box:
    """The box of them all."""
    left, top = (min(box[at] for box in boxes) for at in (0, 1))
    right, bottom = (max(box[at] + box[at + 2] for box in boxes) for at in (0, 1))
    return left, top, right - left, bottom - top


def meant(number: Number) -> str:
    """Its text with the unsure digits filled in: what its confidence is about."""
    digits = iter(number.digits)
    return "".join(
        str(next(digits).digit) if sign in "0123456789" + UNSURE else sign for sign in number.text
    )


def answers(reading: Reading, page: WrittenPage) -> tuple[list[Given], list[Given]]:
    """Of the numbers, and of the digits: each against the one whose box it shares most of."""
    entries = [entry for line in page.lines for entry in line]
    places = [around(entry.boxes) for entry in entries]
    written = [each for entry in entries for each in zip(entry.digits, entry.boxes, strict=True)]
    numbers, digits = [], []
    for number in reading.numbers:
        # Without its signs, which are in no box of the page's.
        place = around([digit.box for digit in number.digits])
        best = max(range(len(entries)), key=lambda at: overlap(place, places[at]))
        there = overlap(place, places[best]) >= OVERLAP
        right = there and meant(number) == entries[best].text
        numbers.append(Given(number.confidence, right, UNSURE not in number.text))
        for digit, sign in zip(number.digits, digits_of(number.text), strict=True):
            label, box = max(written, key=lambda each: overlap(digit.box, each[1]))
            right = str(digit.digit) == label and overlap(digit.box, box) >= OVERLAP
            digits.append(Given(digit.probability, right, sign != UNSURE))
    return numbers, digits
