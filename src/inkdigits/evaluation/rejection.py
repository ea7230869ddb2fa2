"""Rejection: which answers are better not given, and what is gained and lost by it.

An answer is given where its confidence is at or above a threshold, and refused below it. Answers of
one confidence go together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.errors import DataError
from inkdigits.evaluation.calibration import checked_confidence
from inkdigits.evaluation.report import wilson_interval

__all__ = [
    "CoverageRisk",
    "Refused",
    "Rejection",
    "auroc",
    "coverage_risk",
    "rejection",
    "share_of",
    "threshold_at_loss",
    "threshold_from",
]

Numbers = NDArray[np.float64]
Counts = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class CoverageRisk:
    """What share of the answers is given, and what share of those is wrong, at each threshold.

    Args:
        thresholds: shape (K,), every confidence there is, falling.
        given: shape (K,), answers at or above the threshold: rises to N.
        wrong: shape (K,), how many of those are wrong.
    """

    thresholds: Numbers
    given: Counts
    wrong: Counts

    @property
    def coverage(self) -> Numbers:
        """The share of all answers that is given, shape (K,)."""
        shares: Numbers = self.given / self.given[-1]
        return shares

    @property
    def risk(self) -> Numbers:
        """The share of the given answers that is wrong, shape (K,)."""
        shares: Numbers = self.wrong / self.given
        return shares

    @cached_property
    def risk_at_most(self) -> Numbers:
        """The upper end of the risk's 95 % interval (Wilson), shape (K,)."""
        pairs = zip(self.wrong.tolist(), self.given.tolist(), strict=True)
        return np.array([wilson_interval(wrong, given)[1] for wrong, given in pairs])

    @property
    def area(self) -> float:
        """The mean of the risk over the coverage (AURC; Geifman, Uziel and El-Yaniv 2019).

        Each answer counts with the risk among those at least as confident. 0 is perfect; where
        confidence says nothing, it is about the share of wrong answers.
        """
        together = np.diff(self.given, prepend=0)
        return float(together @ self.risk / self.given[-1])

    def threshold_for(self, budget: float) -> float:
        """The lowest threshold that keeps the share of wrong answers among the given in `budget`.

        A budget is a promise about digits to come, so it is the upper end of the risk's 95 %
        interval that must be within. The share seen itself would be exceeded every other time, and
        with few answers, none of them wrong, it would promise anything: for 1 % it takes 381 right
        answers and no wrong one.

        Args:
            budget: above 0, at most 1.

        Raises:
            DataError: no threshold keeps it.
        """
        return threshold_from(self.rows(), budget)

    def rows(self, most: int | None = None) -> list[list[float]]:
        """The thresholds worth choosing: [threshold, coverage, highest risk] each, rising.

        The highest risk is the upper end of its 95 % interval, what `threshold_for` promises. A
        threshold above another with no lower risk serves no budget and is left out. Of more than
        `most`, those are kept whose risks divide the range of them most evenly on a scale of
        ratios, and the first and the last: `threshold_from` then keeps every budget that can be
        kept at all, at a threshold that may be a little higher than need be.

        Args:
            most: how many rows at most, 2 or more; None for all.
        """
        rising = self.risk_at_most[::-1]
        lowest_before = np.minimum.accumulate(np.concatenate([[np.inf], rising[:-1]]))
        kept = np.flatnonzero(rising < lowest_before)  # their risks fall
        if most is not None and len(kept) > most:
            risks = rising[kept]
            wanted = np.geomspace(risks[0], risks[-1], most)
            kept = kept[np.unique(np.searchsorted(-risks, -wanted))]
        columns = (self.thresholds[::-1], self.coverage[::-1], rising)
        return np.stack(columns, axis=1)[kept].tolist()  # type: ignore[no-any-return]

    def as_data(self) -> dict[str, Any]:
        """The figures as plain data, for JSON, with 64 rows at most."""
        return {"area": self.area, "rows": self.rows(64)}


def coverage_risk(confidence: Numbers, right: NDArray[np.bool_]) -> CoverageRisk:
    """Every threshold that makes a difference, and what it does.

    Args:
        confidence: shape (N,), 0 to 1, N ≥ 1.
        right: shape (N,), whether the answer was.

    Raises:
        DataError: shapes or values are others.
    """
    confidence, right = checked_confidence(confidence, right)
    thresholds, place, together = np.unique(confidence, return_inverse=True, return_counts=True)
    wrong = np.bincount(place[~right], minlength=len(thresholds))
    return CoverageRisk(thresholds[::-1], together[::-1].cumsum(), wrong[::-1].cumsum())


def threshold_from(rows: Sequence[Sequence[float]], budget: float) -> float:
    """The lowest threshold of `CoverageRisk.rows`, or of some of them, that keeps a budget.

    Args:
        rows: [threshold, coverage, highest risk] each, in any order.
        budget: as in `CoverageRisk.threshold_for`.

    Raises:
        DataError: no threshold keeps it.
    """
    if not 0 < budget <= 1:
        raise DataError(f"expected a budget for errors above 0 and at most 1, got {budget}")
    keeping = [threshold for threshold, _, risk in rows if risk <= budget]
    if not keeping:
        least = min((risk for _, _, risk in rows), default=1.0)
        # Rounded up, so that what is named can be kept.
        named = f"{np.ceil(least * 1e5) / 1e3:.3f} %"
        raise DataError(
            f"expected a budget for errors of {named} or more, got {100 * budget:.4g} %: fewer "
            "cannot be promised after what was seen of this model; allow more, or train with "
            "--holdout on more digits"
        )
    return float(min(keeping))


def auroc(positive: Numbers, negative: Numbers) -> float:
    """How often one of `positive` is above one of `negative`, a tie counted as half.

    It is the area under the ROC curve, and Mann and Whitney's U / (n m) (Hanley and McNeil 1982):
    1 tells them apart, ½ knows nothing.

    Args:
        positive: shape (n,), n ≥ 1.
        negative: shape (m,), m ≥ 1.

    Raises:
        DataError: there is none of one of them, or a value is not a number.
    """
    values = np.concatenate([np.ravel(positive), np.ravel(negative)])
    count, others = np.size(positive), np.size(negative)
    if not count or not others or np.isnan(values).any():
        raise DataError(
            f"expected numbers of both kinds to tell apart, got {count} and {others}, "
            f"{int(np.isnan(values).sum())} of them not a number"
        )
    _, place, together = np.unique(values, return_inverse=True, return_counts=True)
    ranks = together.cumsum() - (together - 1) / 2  # from 1; equals share their mean
    above = ranks[place[:count]].sum() - count * (count + 1) / 2
    return float(above / (count * others))


def share_of(refused: int, total: int) -> dict[str, Any]:
    """The share refused, with its 95 % interval, as plain data."""
    interval = list(wilson_interval(refused, total))
    return {"refused": refused, "total": total, "share": refused / total, "interval": interval}


@dataclass(frozen=True)
class Refused:
    """What a threshold refuses.

    Args:
        threshold: what is below it is refused.
        digits: digits refused, which is a loss.
        digits_total: of so many.
        others: what is no digit, and refused.
        others_total: of so many.
    """

    threshold: float
    digits: int
    digits_total: int
    others: int
    others_total: int

    def as_data(self) -> dict[str, Any]:
        """The counts with their shares and 95 % intervals, for JSON."""
        return {
            "threshold": self.threshold,
            "digits": share_of(self.digits, self.digits_total),
            "non_digits": share_of(self.others, self.others_total),
        }


@dataclass(frozen=True, eq=False)
class Rejection:
    """How well confidence tells digits from what are none.

    Args:
        digits: shape (n,), the confidence of answers to digits, rising; n ≥ 1.
        others: shape (m,), that of answers to what is no digit, rising; m ≥ 1.
    """

    digits: Numbers
    others: Numbers

    @property
    def auroc(self) -> float:
        """How often a digit's confidence is above a non-digit's, a tie counted as half."""
        return auroc(self.digits, self.others)

    def threshold_at_loss(self, loss: float = 0.01) -> float:
        """`threshold_at_loss` of the digits."""
        return threshold_at_loss(self.digits, loss)

    def at(self, threshold: float) -> Refused:
        """What `threshold` refuses."""
        return Refused(
            threshold,
            int(np.searchsorted(self.digits, threshold)),
            len(self.digits),
            int(np.searchsorted(self.others, threshold)),
            len(self.others),
        )


def threshold_at_loss(confidence: Numbers, loss: float) -> float:
    """The highest threshold that refuses at most the share `loss` of answers to true digits.

    Args:
        confidence: shape (n,), n ≥ 1, in any order.
        loss: 0 or more, below 1.

    Raises:
        DataError: the share is another.
    """
    if not 0 <= loss < 1:
        raise DataError(f"expected a share of digits to lose of 0 or more, below 1, got {loss}")
    count = len(confidence)
    # By shares as they will be counted: 0.29 · 100 is below 29 in floating point.
    refusable = int((np.arange(count) / count <= loss).sum()) - 1
    return float(np.sort(confidence)[refusable])


def rejection(digit_confidence: Numbers, other_confidence: Numbers) -> Rejection:
    """Holds the confidence in digits against that in what are none, shapes (n,) and (m,).

    Raises:
        DataError: there is none of one of them, or a value is not from 0 to 1.
    """
    digits, others = (
        checked_confidence(values, np.ones(np.shape(values), np.bool_))[0]
        for values in (digit_confidence, other_confidence)
    )
    return Rejection(np.sort(digits), np.sort(others))
