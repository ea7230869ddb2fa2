"""From a line's path to its numbers: what stands together, which signs belong, how sure each is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from inkdigits.reading.segment import DIGIT, OTHER, SIGN, Path, Step

__all__ = ["numbers_in", "right_edge"]

# Gaps in line heights: numbers are at least so far apart, even where all digits are; and so far
# apart they are in any case. A word's letters stand closer.
APART, FAR, WORD = 0.9, 2.5, 0.6
WIDER = 1.6  # than the line's usual gap is one between numbers
LETTERS = 0.4  # of a word's breadth: with more of something else in it, it is no number


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
        left, top, right, bottom = step.candidate.edges
        if step.candidate.role != SIGN:
            total += right - left
            if step.candidate.role == OTHER and bottom - top > 0.5 * height:
                others += right - left
    if others > LETTERS * total:
        return []
    return [step for step in word if step.candidate.role != OTHER]


def tidied(group: list[Step]) -> list[Step]:
    """Without signs that mean nothing: a minus stands first, a point or comma between digits."""
    digits = [place for place, step in enumerate(group) if step.candidate.role == DIGIT]
    if not digits:
        return []
    kept = []
    for place, step in enumerate(group):
        if step.said == "-" and place != digits[0] - 1:
            continue
        if step.said in (".", ",") and not digits[0] < place < digits[-1]:
            continue
        kept.append(step)
    return kept
