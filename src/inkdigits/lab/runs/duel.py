"""The duel: two models on the validation digits, which neither has learned from. Is one better?"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from inkdigits.dataset import Dataset
from inkdigits.evaluation import Report, compare, score_of
from inkdigits.evaluation.report import Z95
from inkdigits.lab.models import ModelShelf
from inkdigits.model import Model
from inkdigits.sources import load

__all__ = ["Duels", "difference_interval"]

DISAGREEMENTS = 100  # that are named


@cache
def validation() -> Dataset:
    return load("mnist:validation")


class Duels:
    """Duels between models; what one has answered is kept as long as the model is.

    Args:
        shelf: of the models.
    """

    def __init__(self, shelf: ModelShelf) -> None:
        self.shelf = shelf
        self._lock = threading.Lock()
        self._reports: WeakKeyDictionary[Model, Report] = WeakKeyDictionary()

    def duel(self, first: str, second: str) -> dict[str, Any]:
        """What two models disagree on, as plain data.

        Args:
            first: name of a model.
            second: as first.

        Raises:
            InkdigitsError: there is no such model.
        """
        reports = [self.report(self.shelf.model(name)) for name in (first, second)]
        one, other = reports
        paired = compare(one, other)
        disagree = np.flatnonzero(one.answers != other.answers)
        return {
            "a": {"name": self.shelf.title(first), **score_of(one)},
            "b": {"name": self.shelf.title(second), **score_of(other)},
            "only_a": paired.only_first,
            "only_b": paired.only_second,
            "p_value": paired.p_value,
            "difference": one.accuracy - other.accuracy,
            "interval": list(difference_interval(paired.only_first, paired.only_second, one.total)),
            "disagree": [
                {
                    "index": int(index),
                    "label": int(one.labels[index]),
                    "a": int(one.answers[index]),
                    "b": int(other.answers[index]),
                }
                for index in disagree[:DISAGREEMENTS]
            ],
        }

    def report(self, model: Model) -> Report:
        """How well a model reads the validation digits."""
        with self._lock:  # the second of two who ask for the same waits for the first
            if model not in self._reports:
                self._reports[model] = model.evaluate(validation())
            return self._reports[model]


def difference_interval(only_first: int, only_second: int, total: int) -> tuple[float, float]:
    """The 95 % interval for the difference of two accuracies on the same digits.

    By the normal approximation with half a digit added to each of the four counts, which holds for
    few disagreements too (Agresti and Min 2005).
    """
    first, second, count = only_first + 0.5, only_second + 0.5, total + 2
    difference = (first - second) / count
    variance = ((first + second) - (first - second) ** 2 / count) / count**2
    half = Z95 * variance**0.5
    return max(-1.0, difference - half), min(1.0, difference + half)
