"""Honest numbers: how well a model reads, whether another reads better, and when it should not."""

from inkdigits.evaluation.calibration import NINES, Reliability, fit_temperature, reliability
from inkdigits.evaluation.paired import Comparison, compare, mcnemar
from inkdigits.evaluation.rejection import (
    CoverageRisk,
    Refused,
    Rejection,
    auroc,
    coverage_risk,
    rejection,
    threshold_at_loss,
    threshold_from,
)
from inkdigits.evaluation.report import Report, mean_interval, report, score_of, wilson_interval
from inkdigits.evaluation.robustness import DISTORTIONS, Curve, Distortion, robustness

__all__ = [
    "DISTORTIONS",
    "NINES",
    "Comparison",
    "CoverageRisk",
    "Curve",
    "Distortion",
    "Refused",
    "Rejection",
    "Reliability",
    "Report",
    "auroc",
    "compare",
    "coverage_risk",
    "fit_temperature",
    "mcnemar",
    "mean_interval",
    "rejection",
    "reliability",
    "report",
    "robustness",
    "score_of",
    "threshold_at_loss",
    "threshold_from",
    "wilson_interval",
]
