"""Boxes that stand for digits, and lattices of them so small that every path can be tried."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkdigits.reading.evidence import FEATURES, PLACES, WEIGHTS, Habits, told
from inkdigits.reading.layout import Line, Piece
from inkdigits.reading.page import Writing
from inkdigits.reading.segment import DIGIT, OTHER, SIGN, Candidate, Lattice

__all__ = [
    "PITCH",
    "TALL",
    "WIDE",
    "Chance",
    "Numbers",
    "Way",
    "box",
    "line_of",
    "page_of",
    "random_lattice",
    "row",
    "ways",
    "worth",
]

Chance = np.random.Generator
Numbers = NDArray[np.float64]

# Pixels of the boxes that stand for digits, and from one to the next.
TALL, WIDE, PITCH = 40, 24, 30

# What geometry does not know: `told` adds it.
TOLD = ("answer", "doubt", "cut ones", "ink of ones", "narrow")


def box(x: int, y: int = 100, width: int = WIDE, height: int = TALL, number: int = 1) -> Piece:
    return Piece((x, y, x + width, y + height), np.ones((height, width), bool), number)


def row(count: int = 6, y: int = 100) -> list[Piece]:
    return [box(PITCH * place, y, number=place + 1) for place in range(count)]


def line_of(pieces: list[Piece], stroke: float = 5.0) -> Line:
    """The line of some pieces: the tall ones tell how tall it is."""
    return Line(pieces, [each.edges for each in pieces if each.height > 30], float(TALL), stroke)


def page_of(pieces: list[Piece], shape: tuple[int, int] = (240, 900)) -> Writing:
    """A page with these pieces on it."""
    labels = np.zeros(shape, np.int32)
    for each in pieces:
        left, top, right, bottom = each.edges
        labels[top:bottom, left:right][each.mask] = each.number
    strength = np.where(labels > 0, np.float32(150), np.float32(0))
    count = int(labels.max()) + 1
    return Writing(
        strength, labels, np.zeros((count, 5), np.int32), np.full(count, 150.0), 1.0, np.eye(3)
    )


def random_lattice(
    chance: Chance, count: int, *, share: float = 0.7, roles: tuple[str, ...] = (DIGIT, SIGN, OTHER)
) -> Lattice:
    """Runs of some of so many pieces, as digits, signs and something else, with any scores."""
    pieces = [box(PITCH * place, number=place + 1) for place in range(count)]
    candidates = []
    for first in range(count):
        for last in range(first + 1, min(count, first + 3) + 1):
            edges = (PITCH * first, 100, PITCH * (last - 1) + WIDE, 140)
            for role in roles:
                if chance.random() > share:
                    continue
                # Each weighs alike, so that many paths are worth about as much as the best.
                features = chance.normal(0, 0.3, len(FEATURES)) / np.maximum(np.abs(WEIGHTS), 0.1)
                features[[PLACES[name] for name in TOLD]] = 0
                if role != DIGIT:
                    features[[PLACES[name] for name in ("cuts", "cut ink")]] = 0
                sign = str(chance.choice([".", ",", "-"])) if role == SIGN else ""
                candidates.append(Candidate(first, last, edges, role, features, sign=sign))
    candidates = [candidates[place] for place in chance.permutation(len(candidates))]
    return Lattice(line_of(pieces), candidates, any_features(chance, candidates))


def any_features(chance: Chance, candidates: list[Candidate]) -> Numbers:
    """What speaks for candidates where the network answers anything."""
    is_digit = np.array([each.role == DIGIT for each in candidates], bool)
    count = int(is_digit.sum())
    log_digits = np.log(chance.dirichlet(np.full(10, 0.5), count) + 1e-6)
    return told(
        np.array([each.features for each in candidates]).reshape(-1, len(FEATURES)),
        is_digit,
        np.array([each.width for each in candidates]) / TALL,
        log_digits,
        np.log(chance.random(count) + 1e-6),
        Habits(*chance.random(2)),
    )


@dataclass(frozen=True)
class Way:
    """One path: its candidates, what it says of each, and the sum of their scores."""

    places: tuple[int, ...]
    said: tuple[str, ...]
    score: float

    @property
    def text(self) -> str:
        return "".join(self.said)


def ways(lattice: Lattice, scores: Numbers, first: int, last: int) -> Iterator[Way]:
    """Every path from one place to another: the plain form of all that is tested here."""
    if first == last:
        yield Way((), (), 0.0)
        return
    for index, each in enumerate(lattice.candidates):
        if each.first != first or each.last > last:
            continue
        rest = list(ways(lattice, scores, each.last, last))
        for digit in range(10) if each.role == DIGIT else (0,):
            said = str(digit) if each.role == DIGIT else each.sign
            for way in rest:
                score = float(scores[index, digit]) + way.score
                yield Way((index, *way.places), (said, *way.said), score)


def worth(some: list[Way]) -> float:
    return float(np.logaddexp.reduce([way.score for way in some])) if some else -math.inf
