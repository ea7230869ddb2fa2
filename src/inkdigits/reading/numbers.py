"""From a line's path to its numbers: what stands together, which signs belong, how sure each is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from inkdigits.reading.paths import Path, Step, best_path, path_through, worth_between
from inkdigits.reading.segment import DIGIT, OTHER, SIGN, Candidate, Lattice

__all__ = ["is_strange", "numbers_in", "right_edge", "settled"]

# Gaps in line heights: numbers are at least so far apart, even where all digits are; and so far
# apart they are in any case. A word's letters stand closer.
APART, FAR, WORD = 0.9, 2.5, 0.6
WIDER = 1.6  # than the line's usual gap is one between numbers
NEVER = -1e6  # the logarithm of what is not so
LETTERS = 0.4  # of a word's breadth: with more of something else in it, it is no number


def settled(lattice: Lattice) -> Path:
    """The best path in which each word is either a number or something else, and no mixture.

    Digits that touch look like something else, as letters do; what stands beside them decides.
    """
    path = best_path(lattice)
    height = lattice.line.height
    scores = path.scores.copy()
    for word in split(path.steps, WORD * height):
        strange = [step for step in word if is_strange(step.candidate, height)]
        if not strange or not any(step.candidate.role == DIGIT for step in word):
            continue
        first, last = word[0].candidate.first, word[-1].candidate.last
        inside = [first <= each.first and each.last <= last for each in lattice.candidates]
        readings = []
        for kept_out in (is_strange, is_digit):
            tried = scores.copy()
            tried[inside & np.array([kept_out(each, height) for each in lattice.candidates])] = (
                NEVER
            )
            readings.append((worth_between(lattice, tried, first, last), tried))
        scores = max(readings, key=lambda each: each[0])[1]
    return path_through(lattice, scores)


def is_strange(candidate: Candidate, height: float) -> bool:
    """Whether it is something else that is as tall as a digit or a letter."""
    return candidate.role == OTHER and candidate.height > 0.5 * height


def is_digit(candidate: Candidate, height: float) -> bool:
    return candidate.role == DIGIT


def numbers_in(path: Path) -> Iterator[list[Step]]:
    """The steps of each number in a line, from left to right: its digits and signs."""
    height = path.lattice.line.height
    steps = [step for word in split(path.steps, WORD * height) for step in read_in(word, height)]
    gaps = [start.candidate.edges[0] - end.candidate.edges[2] for end, start in pairwise(steps)]
    usual = float(np.median(gaps)) if gaps else 0.0
    for group in split(steps, max(APART * height, min(WIDER * usual, FAR * height))):
        if number := tidied(group):
            yield number


def split(steps: Sequence[Step], gap: float) -> list[list[Step]]:
    """Groups with more than `gap` pixels between them."""
    groups: list[list[Step]] = []
    for step in steps:
        if groups and step.candidate.edges[0] - right_edge(groups[-1]) < gap:
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


def right_edge(steps: Sequence[Step]) -> int:
    return max(step.candidate.edges[2] for step in steps)


def read_in(word: Sequence[Step], height: float) -> list[Step]:
    """Its digits and signs; none where much of it is something else, as letters are."""
    total = others = 0
    for step in word:
        left, _, right, _ = step.candidate.edges
        if step.candidate.role != SIGN:
            total += right - left
            if is_strange(step.candidate, height):
                others += right - left
    if others > LETTERS * total:
        return []
    return [step for step in word if step.candidate.role != OTHER]


def tidied(group: list[Step]) -> list[Step]:
    """Without signs that mean nothing: a minus stands first, a point or comma between digits."""
    digits = [place for place, step in enumerate(group) if step.candidate.role == DIGIT]
    if not digits:
        return []
    between = group[digits[0] : digits[-1] + 1]
    kept = [step for step in between if step.said != "-"]
    if not sensible("".join(step.said for step in kept)):
        kept = [step for step in kept if step.candidate.role == DIGIT]
    first = digits[0] - 1
    return [group[first], *kept] if first >= 0 and group[first].said == "-" else kept


def sensible(text: str) -> bool:
    """Whether points and commas part a number as they do: thousands by threes, then decimals."""
    whole, *parts = re.split(r"[.,]", text)
    return bool(whole) and all(parts) and all(len(each) == 3 for each in parts[:-1])
