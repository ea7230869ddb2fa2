"""How well pictures of many sources are read: of each source first, then the mean over them.

A source is mostly one writer. A hundred pictures of one hand say less than ten of ten, so that each
source counts alike, however many pictures it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from inkdigits.evaluation import Rejection, rejection, wilson_interval

SURE = 0.95  # of the confidence
LOSS = 0.01  # the share of digits that may be refused where thresholds are compared
SEED = 1001
RESAMPLES = 10_000
LIKE_DIGITS = "OIlSZB"  # letters that are digits in another light
GROUPS = {"drawn": ("canvas",), "paper": ("photo", "scan")}  # by how a source's name begins
SETS = "sets"  # all other sources: samples of data sets


@dataclass(frozen=True)
class Entry:
    """A line of the manifest.

    Args:
        path: of the picture.
        name: its path as the manifest has it.
        kind: isolated or ood.
        label: the digit, or what else it is; may be empty where it is no digit.
    """

    path: Path
    name: str
    kind: str
    label: str

    @property
    def source(self) -> str:
        """The folder below the first one."""
        parts = PurePosixPath(self.name).parts
        return parts[1] if len(parts) > 2 else parts[0]

    @property
    def letter(self) -> str | None:
        """The letter, where the label is one, or else the last part of the file's name."""
        if self.label:
            return self.label if re.fullmatch("[A-Za-z]", self.label) else None
        found = re.search("_([A-Za-z])$", PurePosixPath(self.name).stem)
        return found[1] if found else None

    @property
    def like_a_digit(self) -> bool:
        """Whether it is a letter that is a digit in another light."""
        return self.letter is not None and self.letter in LIKE_DIGITS


@dataclass(frozen=True)
class Outcome:
    """What became of a picture. One that cannot be opened is an error, whatever it shows.

    Args:
        entry: its line.
        text: the answer; empty where there is none, or where it could not be opened.
        confidence: 0 where a digit could not be opened, 1 where no digit could not.
        rejected: whether no answer is given.
        milliseconds: from the path to the answer.
        error: why it could not be opened.
    """

    entry: Entry
    text: str
    confidence: float
    rejected: bool
    milliseconds: float
    error: str | None = None

    @property
    def right(self) -> bool:
        return self.text == self.entry.label


def by_source(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    sources: dict[str, list[Outcome]] = {}
    for each in outcomes:
        sources.setdefault(each.entry.source, []).append(each)
    return sources


def group_of(source: str) -> str:
    return next((group for group, begins in GROUPS.items() if source.startswith(begins)), SETS)


# Digits


@dataclass(frozen=True)
class Score:
    """How well some pictures are read.

    Args:
        name: of the source, or of a group of them.
        sources: how many; all shares below are means over them.
        pictures: how many.
        errors: misread, or not opened, or read with `?` or nothing where a digit is.
        accuracy: the share that is read right; a digit that is told though it is refused counts.
        interval: 95 %, of the accuracy.
        refused: the share of answers not given.
        given_accuracy: of the answers given; None where there are none.
        given: how many.
        given_errors: wrong ones among them.
        sure_accuracy: of the answers of which the model is at least SURE; None where none is.
        sure: how many.
        sure_errors: wrong ones among them.
    """

    name: str
    sources: int
    pictures: int
    errors: int
    accuracy: float
    interval: tuple[float, float]
    refused: float
    given_accuracy: float | None
    given: int
    given_errors: int
    sure_accuracy: float | None
    sure: int
    sure_errors: int


def score_source(name: str, outcomes: Sequence[Outcome]) -> Score:
    right = sum(each.right for each in outcomes)
    given = [each.right for each in outcomes if not each.rejected]
    sure = [each.right for each in outcomes if each.confidence >= SURE]
    return Score(
        name=name,
        sources=1,
        pictures=len(outcomes),
        errors=len(outcomes) - right,
        accuracy=right / len(outcomes),
        interval=wilson_interval(right, len(outcomes)),
        refused=1 - len(given) / len(outcomes),
        given_accuracy=sum(given) / len(given) if given else None,
        given=len(given),
        given_errors=len(given) - sum(given),
        sure_accuracy=sum(sure) / len(sure) if sure else None,
        sure=len(sure),
        sure_errors=len(sure) - sum(sure),
    )


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of those that there are."""
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def score_group(name: str, scores: Sequence[Score]) -> Score:
    """The means over sources, each counting alike, and the sums of what is counted."""
    return Score(
        name=name,
        sources=len(scores),
        pictures=sum(each.pictures for each in scores),
        errors=sum(each.errors for each in scores),
        accuracy=sum(each.accuracy for each in scores) / len(scores),
        interval=interval(scores),
        refused=sum(each.refused for each in scores) / len(scores),
        given_accuracy=mean(each.given_accuracy for each in scores),
        given=sum(each.given for each in scores),
        given_errors=sum(each.given_errors for each in scores),
        sure_accuracy=mean(each.sure_accuracy for each in scores),
        sure=sum(each.sure for each in scores),
        sure_errors=sum(each.sure_errors for each in scores),
    )


def interval(scores: Sequence[Score]) -> tuple[float, float]:
    """The 95 % interval of the mean accuracy over sources: bootstrapped, pictures within sources.

    Wilson's over the pictures where there is one source, or no error, which cannot be resampled.
    """
    pictures = np.array([each.pictures for each in scores])
    right = pictures - [each.errors for each in scores]
    if len(scores) == 1 or (right == pictures).all():
        return wilson_interval(int(right.sum()), int(pictures.sum()))
    generator = np.random.Generator(np.random.Philox(key=SEED))
    chosen = generator.integers(len(scores), size=(RESAMPLES, len(scores)))
    # n pictures drawn anew from n of which a share p is right: binomial.
    drawn = generator.binomial(pictures[chosen], (right / pictures)[chosen]) / pictures[chosen]
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def score_digits(outcomes: Iterable[Outcome]) -> tuple[list[Score], list[Score]]:
    """Of the groups and of all; of the sources."""
    order = [*GROUPS, SETS]
    sources = [score_source(name, own) for name, own in by_source(outcomes).items()]
    sources.sort(key=lambda each: (order.index(group_of(each.name)), each.name))
    groups = []
    for group in order:
        own = [each for each in sources if group_of(each.name) == group]
        groups += [score_group(group, own)] if own else []
    return [*groups, score_group("all", sources)], sources


# No digits


@dataclass(frozen=True)
class Other:
    """How well is refused what is no digit.

    Args:
        name: which pictures.
        pictures: how many.
        refused: the share, at the model's threshold.
        refused_at_loss: the share, at the threshold that refuses LOSS of the digits.
        auroc: how often a digit's confidence is above one of these pictures'.
    """

    name: str
    pictures: int
    refused: float
    refused_at_loss: float
    auroc: float


def score_others(digits: Sequence[Outcome], others: Sequence[Outcome]) -> list[Other]:
    """Of the sources, of letters apart where there are some like digits, and the mean."""
    confidence = np.array([each.confidence for each in digits])

    def score(name: str, own: Sequence[Outcome]) -> Other:
        told: Rejection = rejection(confidence, np.array([each.confidence for each in own]))
        at_loss = told.at(told.threshold_at_loss(LOSS))
        refused = sum(each.rejected for each in own) / len(own)
        return Other(name, len(own), refused, at_loss.others / len(own), told.auroc)

    def average(name: str, scores: Sequence[Other]) -> Other:
        columns = ((each.refused, each.refused_at_loss, each.auroc) for each in scores)
        means = (sum(column) / len(scores) for column in zip(*columns, strict=True))
        return Other(name, sum(each.pictures for each in scores), *means)

    rows, whole, unlike = [], [], []
    for name, own in by_source(others).items():
        whole.append(score(name, own))
        rows.append(whole[-1])
        like = [each for each in own if each.entry.like_a_digit]
        apart = [each for each in own if not each.entry.like_a_digit]
        if like:
            letters = " ".join(sorted({str(each.entry.letter) for each in like}))
            rows.append(score(f"{name}: {letters}", like))
            without = [each for each in own if each.entry.letter != "I"]
            rows += [score(f"{name}: all but I", without)] if without else []
            rows += [score(f"{name}: all but {letters}", apart)] if apart else []
        unlike += [score(name, apart)] if apart else []
    rows.append(average("all: mean over sources", whole))
    if unlike != whole:
        rows.append(average("all without letters like digits", unlike))
    return rows
