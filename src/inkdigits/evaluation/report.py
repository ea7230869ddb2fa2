"""How well a model reads: accuracy with its interval, confusion, per digit, log loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS
from inkdigits.errors import DataError

__all__ = ["DigitScore", "Report", "mean_interval", "report", "score_of", "wilson_interval"]

Z95 = 1.959963984540054  # standard errors to either side that hold 95 % of a normal distribution


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """The 95 % interval for a share of which `correct` in `total` were seen (Wilson 1927).

    Unlike the usual p ± 1.96 √(p(1−p)/n) it holds near 100 %, where digits are read.
    """
    if not 0 <= correct <= total or total == 0:
        raise DataError(f"expected 0 ≤ correct ≤ total and total > 0, got {correct} of {total}")
    share = correct / total
    shrink = 1 + Z95**2 / total
    middle = (share + Z95**2 / (2 * total)) / shrink
    half = Z95 / shrink * (share * (1 - share) / total + Z95**2 / (4 * total**2)) ** 0.5
    # At 0 and at 1 an end is the share itself, which rounding must not leave outside.
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def mean_interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """The mean of a few measurements, and the 95 % interval for it by Student's t.

    Args:
        values: shape (K,), one for each seed, K ≥ 2.

    Returns:
        mean, low, high.
    """
    if len(values) < 2:
        raise DataError(f"expected 2 values or more for an interval, got {len(values)}")
    mean = float(np.mean(values))
    half = student_t(len(values) - 1) * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return mean, mean - half, mean + half


def student_t(freedom: int) -> float:
    """t with 97.5 % of Student's distribution of `freedom` degrees below it (to 5 digits).

    With t = √freedom · tan u the density becomes cosᶠ⁻¹u, which is summed up to 95 % of its half
    (docs/derivations.md).
    """
    angles = np.linspace(0, np.pi / 2, 100_001)
    middles = (angles[1:] + angles[:-1]) / 2
    mass = np.cumsum(np.cos(middles) ** (freedom - 1))
    return float(freedom**0.5 * np.tan(np.interp(0.95 * mass[-1], mass, angles[1:])))


@dataclass(frozen=True)
class DigitScore:
    """One digit: of those that are it, the share found; of those called it, the share that are.

    Args:
        digit: 0 to 9.
        total: how many there are of it.
        recall: found / total; None where there are none.
        precision: found / called so; None where nothing was called so.
    """

    digit: int
    total: int
    recall: float | None
    precision: float | None


@dataclass(frozen=True, eq=False)
class Report:
    """How well the answers fit the labels.

    Args:
        correct: right answers.
        total: all answers.
        log_loss: mean of −ln p(label): 0 is perfect, ln 10 = 2.30 knows nothing.
        confusion: shape (10, 10), how often digit [row] was read as [column].
        answers: shape (N,), the most probable digits.
        labels: shape (N,).
        confidence: shape (N,), the probability of each answer.
    """

    correct: int
    total: int
    log_loss: float
    confusion: NDArray[np.intp]
    answers: NDArray[np.intp]
    labels: NDArray[np.uint8]
    confidence: NDArray[np.float64]

    @property
    def accuracy(self) -> float:
        """correct / total."""
        return self.correct / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval for the accuracy on other digits of the same kind."""
        return wilson_interval(self.correct, self.total)

    @property
    def per_digit(self) -> list[DigitScore]:
        """Recall and precision of each digit."""
        found = np.diag(self.confusion)
        totals, called = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        return [
            DigitScore(
                digit,
                int(totals[digit]),
                float(found[digit] / totals[digit]) if totals[digit] else None,
                float(found[digit] / called[digit]) if called[digit] else None,
            )
            for digit in range(DIGITS)
        ]

    def commonest_confusions(self, count: int = 3) -> list[tuple[int, int, int]]:
        """(digit, read as, how often), the commonest first, none that never happened."""
        off_diagonal = self.confusion * (1 - np.eye(DIGITS, dtype=int))
        order = np.argsort(-off_diagonal, axis=None, kind="stable")[:count]
        pairs = [(int(index) // DIGITS, int(index) % DIGITS) for index in order]
        return [(a, b, int(off_diagonal[a, b])) for a, b in pairs if off_diagonal[a, b]]

    def worst_mistakes(self, count: int | None = None) -> NDArray[np.intp]:
        """Indices of the misread digits, the most confident mistake first."""
        wrong = np.flatnonzero(self.answers != self.labels)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")][:count]

    def as_data(self) -> dict[str, Any]:
        """The figures as plain data, for JSON."""
        return {
            "correct": self.correct,
            "total": self.total,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "log_loss": self.log_loss,
            "confusion": self.confusion.tolist(),
            "per_digit": [vars(score) for score in self.per_digit],
        }


def report(labels: NDArray[np.uint8], probabilities: NDArray[np.float64]) -> Report:
    """Holds answers against labels.

    Args:
        labels: shape (N,), uint8, 0 to 9, N ≥ 1.
        probabilities: shape (N, 10), rows that sum to 1.

    Raises:
        DataError: there is nothing to score, or the shapes do not fit.
    """
    if not len(labels):
        raise DataError("expected at least one labelled digit to score, got none")
    if probabilities.shape != (len(labels), DIGITS):
        raise DataError(
            f"expected probabilities of shape ({len(labels)}, 10), got {probabilities.shape}: "
            "a row for each label"
        )
    rows = np.arange(len(labels))
    answers = probabilities.argmax(axis=1)
    confusion = np.zeros((DIGITS, DIGITS), np.intp)
    np.add.at(confusion, (labels, answers), 1)
    certain = np.maximum(probabilities[rows, labels], np.finfo(np.float64).tiny)
    return Report(
        correct=int((answers == labels).sum()),
        total=len(labels),
        log_loss=float(-np.log(certain).mean()),
        confusion=confusion,
        answers=answers,
        labels=labels,
        confidence=probabilities[rows, answers],
    )


def score_of(report: Report) -> dict[str, Any]:
    """A report's figures as JSON and a model's card have them: without what takes a table."""
    figures = report.as_data()
    return {key: figures[key] for key in ("correct", "total", "accuracy", "interval")}
