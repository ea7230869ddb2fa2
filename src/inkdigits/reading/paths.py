"""Paths through a line's candidates: the best one, and what all others are worth.

The weights of `evidence` make each path more or less probable; the best is the line's reading, and
the share of all paths that say the same tells how sure it is (forward and backward sums, as in
LeCun, Bottou, Bengio and Haffner 1998, section VI).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkdigits.reading.evidence import PLACES, WEIGHTS
from inkdigits.reading.segment import DIGIT, OTHER, Candidate, Lattice

__all__ = [
    "Path",
    "Step",
    "all_digits",
    "best_path",
    "in_order",
    "path_through",
    "worth_between",
    "worth_of",
]

Edges = tuple[int, int, int, int]
Numbers = NDArray[np.float64]


UNASKED = 0.5  # of what is too wide to be a digit, the network was not asked


@dataclass(frozen=True, eq=False)
class Step:
    """One candidate of the best path.

    Args:
        candidate: which.
        said: the digit or sign that it is; "" for something else.
        probability: of all paths together that say the same of this place.
        not_a_digit: how probable it is that this is none: what the network says, or UNASKED.
    """

    candidate: Candidate
    said: str
    probability: float
    not_a_digit: float = 0.0


@dataclass(frozen=True, eq=False)
class Path:
    """The best path through a line's candidates, and what all others are worth.

    Args:
        lattice: the candidates.
        steps: from left to right; none where no path reaches the end.
        scores: shape (candidates, 10), as of `Lattice.scores`.
        forward: shape (pieces + 1,): the logarithm of what all paths up to each place are worth.
        backward: and from it on.
    """

    lattice: Lattice
    steps: list[Step]
    scores: Numbers
    forward: Numbers
    backward: Numbers

    def probability(self, steps: Sequence[Step]) -> float:
        """That what these steps say is what stands there, however it is cut.

        Signs of the path that are left out between them, as they mean nothing, say nothing.
        """
        first, last = steps[0].candidate.first, steps[-1].candidate.last
        text = "".join(step.said for step in steps)
        silent = {
            step.said
            for step in self.steps
            if step.said and first <= step.candidate.first < last and step not in steps
        }
        worth = worth_of(self.lattice, self.scores, text, first, last, silent)
        whole = self.forward[first] + worth + self.backward[last] - self.forward[-1]
        return float(np.exp(min(0.0, whole)))


def best_path(lattice: Lattice, weights: Numbers = WEIGHTS) -> Path:
    """The best way from the first piece of a line to the last."""
    return path_through(lattice, lattice.scores(weights))


def path_through(lattice: Lattice, scores: Numbers) -> Path:
    """The best way where each candidate is worth what `scores`, shape (candidates, 10), says."""
    tops, sums = scores.max(axis=1), all_digits(lattice, scores)
    count = len(lattice.line.pieces)
    best, forward, backward = np.full((3, count + 1), -np.inf)
    best[0] = forward[0] = backward[count] = 0
    came = np.full(count + 1, -1)
    for index, each in in_order(lattice):
        if best[each.first] + tops[index] > best[each.last]:
            best[each.last], came[each.last] = best[each.first] + tops[index], index
        forward[each.last] = np.logaddexp(forward[each.last], forward[each.first] + sums[index])
    for index, each in reversed(in_order(lattice)):
        backward[each.first] = np.logaddexp(backward[each.first], backward[each.last] + sums[index])
    path = Path(lattice, [], scores, forward, backward)
    place = count
    while place > 0 and came[place] >= 0:
        path.steps.insert(0, step(path, int(came[place])))
        place = lattice.candidates[int(came[place])].first
    return path


def worth_between(lattice: Lattice, scores: Numbers, first: int, last: int) -> float:
    """The logarithm of what all paths from one place to another are worth."""
    sums = all_digits(lattice, scores)
    forward = np.full(last + 1, -np.inf)
    forward[first] = 0
    for index, each in in_order(lattice):
        if first <= each.first and each.last <= last:
            forward[each.last] = np.logaddexp(forward[each.last], forward[each.first] + sums[index])
    return float(forward[last])


def in_order(lattice: Lattice) -> list[tuple[int, Candidate]]:
    """Each candidate behind all that may stand before it."""
    return sorted(enumerate(lattice.candidates), key=lambda pair: (pair[1].last, pair[1].first))


def all_digits(lattice: Lattice, scores: Numbers) -> Numbers:
    """Of each candidate what it is worth whatever it says: shape (candidates,)."""
    most = scores.max(axis=1)
    total = most + np.log(np.exp(scores - most[:, None]).sum(axis=1))
    is_digit = np.array([each.role == DIGIT for each in lattice.candidates])
    return np.asarray(np.where(is_digit, total, most))


def step(path: Path, index: int) -> Step:
    chosen, digit = path.lattice.candidates[index], int(path.scores[index].argmax())
    total = 0.0
    for rival, each in enumerate(path.lattice.candidates):
        if each.role == chosen.role and alike(each.edges, chosen.edges):
            outside = path.forward[each.first] + path.backward[each.last] - path.forward[-1]
            total += float(np.exp(min(0.0, outside + path.scores[rival, digit])))
    said = str(digit) if chosen.role == DIGIT else chosen.sign
    doubt = path.lattice.features[index, 0, PLACES["doubt" if chosen.role == DIGIT else "none"]]
    none = float(np.exp(doubt)) if doubt else UNASKED
    return Step(chosen, said, min(1.0, total), none)


def worth_of(
    lattice: Lattice,
    scores: Numbers,
    text: str,
    first: int,
    last: int,
    silent: Collection[str] = (),
) -> float:
    """The logarithm of what all paths from one place to another that say `text` are worth.

    The signs in `silent` say nothing.
    """
    signs = np.array(list(text))
    digits = np.array([int(sign) if sign.isdigit() else -1 for sign in text], np.intp)
    said = np.full((last + 1, len(text) + 1), -np.inf)  # (place, signs said so far)
    said[first, 0] = 0
    for index, each in in_order(lattice):
        if each.first < first or each.last > last:
            continue
        if each.role == OTHER or each.sign in silent:
            said[each.last] = np.logaddexp(said[each.last], said[each.first] + scores[index, 0])
            continue
        fits = digits >= 0 if each.role == DIGIT else signs == each.sign
        worth = np.where(fits, scores[index][digits], -np.inf)
        said[each.last, 1:] = np.logaddexp(said[each.last, 1:], said[each.first, :-1] + worth)
    return float(said[last, len(text)])


def alike(one: Edges, other_: Edges) -> bool:
    """Whether two boxes have most of their areas in common."""
    across = min(one[2], other_[2]) - max(one[0], other_[0])
    down = min(one[3], other_[3]) - max(one[1], other_[1])
    if across <= 0 or down <= 0:
        return False
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other_)]
    return across * down >= 0.6 * (sum(areas) - across * down)
