"""Two models on the same digits: is one better, or is it chance?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import comb
from typing import Any

from inkdigits.errors import DataError
from inkdigits.evaluation.report import Report

__all__ = ["Comparison", "compare", "mcnemar"]


@dataclass(frozen=True)
class Comparison:
    """What two models disagree on.

    Args:
        only_first: digits that the first read right and the second wrong.
        only_second: digits that the second read right and the first wrong.
        p_value: how probable it is that chance alone splits them at least so unevenly.
    """

    only_first: int
    only_second: int
    p_value: float

    def as_data(self) -> dict[str, Any]:
        """The figures as plain data, for JSON."""
        return asdict(self)


def mcnemar(only_first: int, only_second: int) -> float:
    """McNemar's exact test, two-sided: twice the tail of a fair coin's binomial, at most 1.

    Digits that both read right or both wrong say nothing about which is better (McNemar 1947).
    """
    tosses, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(comb(tosses, heads) for heads in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**tosses))


def compare(first: Report, second: Report) -> Comparison:
    """Holds two reports on the same digits against each other.

    Raises:
        DataError: the reports are on other digits.
    """
    if first.labels.shape != second.labels.shape or (first.labels != second.labels).any():
        raise DataError("expected two reports on the same digits, got other labels")
    right, other_right = first.answers == first.labels, second.answers == second.labels
    only_first = int((right & ~other_right).sum())
    only_second = int((other_right & ~right).sum())
    return Comparison(only_first, only_second, mcnemar(only_first, only_second))
