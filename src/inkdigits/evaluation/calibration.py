"""Calibration: of the answers given with a confidence of 90 %, nine in ten should be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS
from inkdigits.errors import DataError
from inkdigits.evaluation.report import wilson_interval
from inkdigits.network import softmax

__all__ = ["NINES", "Bin", "Reliability", "checked_confidence", "fit_temperature", "reliability"]

Numbers = NDArray[np.float64]

# Edges for a diagram. Nearly all digits are read with more than 99 %, so that of bins of equal
# width one holds nearly all; these go on where it matters, from 1 wrong in 2 to 1 in 10,000.
NINES = (0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999, 1)


def fit_temperature(logits: Numbers, labels: NDArray[np.integer[Any]]) -> float:
    """The T > 0 with the least mean log loss of softmax(z / T) (Guo et al. 2017, section 4.2).

    As a function of b = 1/T the loss is convex, and its slope, the mean of Σₖ pₖ zₖ − z_label, is
    what must become 0 (docs/derivations.md). No T changes which digit is the most probable.

    Args:
        logits: shape (N, 10), of digits that the network was not trained on.
        labels: shape (N,), integers, 0 to 9.

    Returns:
        T, to 1 in a million: above 1 where the network is too sure of itself.

    Raises:
        DataError: the shapes do not fit, a logit is not finite, or no T is best: all answers are
            right (the smaller T, the better), or the logits say no more than chance.
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels)
    if not len(labels) or logits.shape != (len(labels), DIGITS) or not np.isfinite(logits).all():
        raise DataError(
            f"expected finite logits of shape (N, 10) and N labels, got {logits.shape} and "
            f"{labels.shape}: a row for each label, and at least one"
        )
    columns = logits.T - logits.max(axis=1)  # the loss is that of the differences alone
    at_label = columns[labels, np.arange(len(labels))]
    if not (at_label < 0).any():
        raise DataError(
            "expected some wrong answers to fit a temperature to, got no answer ahead of the "
            f"label for any of {len(labels):,} digits: calibrate on more"
        )

    def slope(sharpness: float) -> float:
        expected = (softmax(sharpness * columns) * columns).sum(axis=0)
        return float((expected - at_label).mean())

    if slope(0.0) >= 0:
        raise DataError(
            "expected logits that are higher at the labels than elsewhere, got some that say no "
            "more than chance: calibrate a model that has learned to read"
        )
    low, high = 0.0, 1.0
    while slope(high) < 0:
        low, high = high, 2 * high
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return 2 / (low + high)


@dataclass(frozen=True)
class Bin:
    """The answers whose confidence is above `low` and at most `high`; there is at least one.

    Args:
        low: where it begins; the lowest bin holds its own begin too.
        high: where it ends.
        count: answers.
        confidence: their mean.
        share_right: the share of them that is right.
        interval: the 95 % interval for that share (Wilson).
    """

    low: float
    high: float
    count: int
    confidence: float
    share_right: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Reliability:
    """What was said against what came true.

    Args:
        bins: those that hold an answer, the lowest confidence first.
    """

    bins: tuple[Bin, ...]

    @property
    def expected_error(self) -> float:
        """ECE = Σ_b n_b/N |share right_b − confidence_b| (Naeini et al. 2015; Guo et al. 2017)."""
        off = sum(each.count * abs(each.share_right - each.confidence) for each in self.bins)
        return off / sum(each.count for each in self.bins)

    @property
    def maximum_error(self) -> float:
        """The largest |share right − confidence| of a bin, however few answers it holds."""
        return max(abs(each.share_right - each.confidence) for each in self.bins)

    def as_data(self) -> dict[str, Any]:
        """The figures as plain data, for JSON."""
        return {
            "ece": self.expected_error,
            "maximum": self.maximum_error,
            "bins": [{**asdict(each), "interval": list(each.interval)} for each in self.bins],
        }


def reliability(
    confidence: Numbers, right: NDArray[np.bool_], *, bins: int | Sequence[float] = 15
) -> Reliability:
    """Sorts answers into bins by their confidence.

    Args:
        confidence: shape (N,), 0 to 1, N ≥ 1.
        right: shape (N,), whether the answer was.
        bins: how many, of equal width: 15 as in Guo et al., so that the errors can be held against
            others' figures. Or the edges, from 0 to 1 in rising order: `NINES` for a diagram.

    Raises:
        DataError: shapes or values are others.
    """
    confidence, right = checked_confidence(confidence, right)
    edges = np.linspace(0, 1, bins + 1) if isinstance(bins, int) else np.asarray(bins, float)
    if len(edges) < 2 or edges[0] != 0 or edges[-1] != 1 or (np.diff(edges) <= 0).any():
        raise DataError(f"expected one bin or more, with edges rising from 0 to 1, got {bins!r}")
    place = np.maximum(np.searchsorted(edges, confidence) - 1, 0)
    counts = np.bincount(place, minlength=len(edges) - 1)
    correct = np.bincount(place[right], minlength=len(edges) - 1)
    said = np.bincount(place, confidence, minlength=len(edges) - 1)
    return Reliability(
        tuple(
            Bin(
                float(edges[b]),
                float(edges[b + 1]),
                int(counts[b]),
                float(said[b] / counts[b]),
                float(correct[b] / counts[b]),
                wilson_interval(int(correct[b]), int(counts[b])),
            )
            for b in np.flatnonzero(counts)
        )
    )


def checked_confidence(
    confidence: NDArray[Any], right: NDArray[Any]
) -> tuple[Numbers, NDArray[np.bool_]]:
    """Both, shape (N,), if they are what they should be.

    Raises:
        DataError: they are not, or there are none.
    """
    confidence, right = np.asarray(confidence, np.float64), np.asarray(right)
    if confidence.ndim != 1 or not len(confidence) or right.shape != confidence.shape:
        raise DataError(
            f"expected a confidence for each of N ≥ 1 answers and whether it was right, got "
            f"shapes {confidence.shape} and {right.shape}"
        )
    if right.dtype != np.bool_:
        raise DataError(f"expected whether each answer was right as bool, got {right.dtype}")
    if not ((confidence >= 0) & (confidence <= 1)).all():
        wrong = int(np.flatnonzero(~((confidence >= 0) & (confidence <= 1)))[0])
        raise DataError(f"expected confidence from 0 to 1, got {confidence[wrong]} at {wrong}")
    return confidence, right
