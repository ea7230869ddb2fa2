"""Honest numbers: how well a model reads, and whether another reads better."""

from inkdigits.evaluation.paired import Comparison, compare, mcnemar
from inkdigits.evaluation.report import Report, mean_interval, report, wilson_interval

__all__ = [
    "Comparison",
    "Report",
    "compare",
    "mcnemar",
    "mean_interval",
    "report",
    "wilson_interval",
]
