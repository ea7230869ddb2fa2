"""From a line's path to its numbers: what stands together, which signs belong, how sure each is."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inkdigits.glyph import lean
from inkdigits.reading.paths import Path, Step, best_path, path_through, worth_between
from inkdigits.reading.segment import DIGIT, OTHER, SIGN, Candidate, Lattice

__all__ = ["Group", "is_strange", "numbers_in", "right_edge", "settled"]

# Gaps in line heights: numbers are at least so far apart, even where all digits are; and so far
# apart they are in any case. A word's letters stand closer.
APART, FAR, WORD = 0.9, 2.5, 0.6
WIDER = 1.6  # than the line's usual gap is one between numbers
NEVER = -1e6  # the logarithm of what is not so
LETTERS = 0.4  # of a word's breadth: with more of something else in it, it is no number
REFUSED = 0.9  # probability of being no digit: what stands for a digit above it is a mark
# Of the tallest other digit: a digit as tall is in doubt, a stroke as tall a slash for half; and by
# how much more it is surely none. The height of 99 % of the ones of real pages is below the second.
TALLER, SLASH, RISING = 1.08, 1.17, 0.15
DOUBT = 0.45  # at most, of what rises: it is still named
FELLOWS = 3  # digits that a slash stands among
LEANING = 0.15  # of a slash: columns to the right for each row up


@dataclass(frozen=True, eq=False)
class Group:
    """Digits that stand together, with their signs.

    Args:
        steps: from left to right.
        certainty: that all its digits are digits, and the marks beside it, left out, are none.
    """

    steps: list[Step]
    certainty: float


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


def numbers_in(path: Path) -> Iterator[Group]:
    """The numbers in a line, from left to right."""
    height = path.lattice.line.height
    runs: list[list[Step]] = [[]]  # between marks, which part numbers
    marks: list[tuple[Step, float]] = []
    for word in split(path.steps, WORD * height):
        if is_letters(word, height):
            runs.append([])
            continue
        for place, step in enumerate(word):
            sure = mark(word, place, height)
            if sure is not None:
                marks.append((step, sure))
                runs.append([])
            elif step.candidate.role != OTHER:
                runs[-1].append(step)
    gaps = [
        start.candidate.edges[0] - end.candidate.edges[2]
        for run in runs
        for end, start in pairwise(run)
    ]
    usual = float(np.median(gaps)) if gaps else 0.0
    for run in runs:
        for group in split(run, max(APART * height, min(WIDER * usual, FAR * height))):
            for steps in tidied(group):
                near = [sure for step, sure in marks if gap(steps, step) < WORD * height]
                doubts = [doubt_in(step, path.steps, height) for step in steps]
                sure = min(near, default=1.0) * math.prod(1 - doubt for doubt in doubts)
                yield Group(steps, sure)


def gap(steps: Sequence[Step], other: Step) -> int:
    """Pixels between a number and what stands beside it."""
    left, _, right, _ = other.candidate.edges
    return max(steps[0].candidate.edges[0] - right, left - right_edge(steps))


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


def is_letters(word: Sequence[Step], height: float) -> bool:
    """Whether much of a word is something else than digits and signs."""
    total = others = 0
    for step in word:
        left, _, right, _ = step.candidate.edges
        if step.candidate.role != SIGN:
            total += right - left
            if is_strange(step.candidate, height):
                others += right - left
    return others > LETTERS * total


def is_refused(step: Step) -> bool:
    """Whether the network finds that what stands for a digit is none."""
    return step.candidate.role == DIGIT and step.not_a_digit > REFUSED


def mark(word: Sequence[Step], place: int, height: float) -> float | None:
    """How sure it is that a step is a mark that parts numbers; None where it parts none.

    A mark is what is tall and no digit, or a stroke that rises above the digits at its sides as a
    slash does.
    """
    step = word[place]
    if is_strange(step.candidate, height) or is_refused(step):
        return step.not_a_digit
    if step.said != "1" or not leans(step):
        return None
    digits = [each.candidate.role == DIGIT and not is_refused(each) for each in word]
    beside = any(digits[:place]) and any(digits[place + 1 :])
    tall = rise(word, step, height) - SLASH
    return min(1.0, 0.5 + tall / RISING) if beside and sum(digits) > FELLOWS and tall > 0 else None


def leans(step: Step) -> bool:
    """Whether it leans to the right as a slash does."""
    glyph = step.candidate.glyph
    return glyph is not None and lean(glyph) > LEANING


def rise(steps: Sequence[Step], step: Step, height: float) -> float:
    """How tall a digit is, of the tallest other one that is no 1; 1 where too few others tell."""
    digits = [each for each in steps if each.candidate.role == DIGIT and not is_refused(each)]
    others = [each for each in digits if each is not step]
    known = [each.candidate.height for each in others if each.said != "1"]
    if len(others) < 2 or not known:
        return 1.0
    return step.candidate.height / max(height, *known)


def doubt_in(step: Step, line: Sequence[Step], height: float) -> float:
    """How probable it is that a digit is none: to the network, or since it rises above its line.

    So do brackets, which look like ones, and capitals, which look like other digits.
    """
    if step.candidate.role != DIGIT:
        return 0.0
    rises = float(np.clip((rise(line, step, height) - TALLER) / RISING, 0, DOUBT))
    return 1 - (1 - rises) * (1 - step.not_a_digit)


def tidied(group: list[Step]) -> Iterator[list[Step]]:
    """The numbers of a group, with the signs that mean something.

    A minus stands first, a point or comma between digits as they part thousands and decimals. Any
    other sign parts numbers: a date's points and dashes, the colon of a time.
    """
    for place, part in enumerate(parted(group, "-:")):
        digits = [index for index, step in enumerate(part) if step.candidate.role == DIGIT]
        if not digits:
            continue
        whole = part[digits[0] : digits[-1] + 1]
        if not sensible("".join(step.said for step in whole)):
            yield from (each for each in parted(whole, ".,") if each)
            continue
        minus = [step for step in group[:1] if step.said == "-" and place == 1]
        yield [*minus, *whole]


def parted(steps: Sequence[Step], signs: str) -> list[list[Step]]:
    """The steps before, between and after some signs, which are left out."""
    parts: list[list[Step]] = [[]]
    for step in steps:
        if step.said and step.said in signs:
            parts.append([])
        else:
            parts[-1].append(step)
    return parts


def sensible(text: str) -> bool:
    """Whether points and commas part a number as they do: thousands by threes, then decimals."""
    whole, *parts = re.split(r"[.,]", text)
    return bool(whole) and all(parts) and all(len(each) == 3 for each in parts[:-1])
