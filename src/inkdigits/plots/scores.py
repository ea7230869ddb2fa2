"""How well a model reads: while it learns, digit by digit, and as digits get worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inkdigits.dataset import DIGITS
from inkdigits.evaluation import CoverageRisk, Curve, Reliability, Report
from inkdigits.plots.paper import RIGHT, WRONG

__all__ = ["confidence", "confusion_matrix", "learning_curve", "robustness"]


def learning_curve(history: Sequence[dict[str, Any]], *, accuracy_of: str) -> Figure:
    """Loss and, where it was measured, accuracy after each epoch."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    epochs = [record["epoch"] for record in history]
    axes.plot(epochs, [record["loss"] for record in history], "o-", color=WRONG)
    axes.set_xlabel("epoch")
    axes.set_xticks(epochs if len(epochs) <= 20 else epochs[:: len(epochs) // 10])
    axes.set_ylabel("mean loss in training", color=WRONG)
    axes.set_ylim(bottom=0)
    if all("accuracy" in record for record in history):
        right = axes.twinx()
        percent = [100 * record["accuracy"] for record in history]
        right.plot(epochs, percent, "s-", color=RIGHT)
        right.set_ylabel(f"accuracy on {accuracy_of}, %", color=RIGHT)
    axes.set_title("Learning curve")
    return figure


def confusion_matrix(report: Report) -> Figure:
    """How often each digit was read as each: mistakes shaded, counts written in."""
    figure = Figure(figsize=(6, 5.6), layout="constrained")
    axes = figure.add_subplot()
    mistakes = report.confusion * (1 - np.eye(DIGITS, dtype=int))
    axes.imshow(mistakes, cmap="Oranges")
    darkest = max(1, int(mistakes.max()))
    for true, read in np.ndindex(DIGITS, DIGITS):
        count = int(report.confusion[true, read])
        if count:
            color = RIGHT if true == read else "white" if count > darkest / 2 else "black"
            axes.text(read, true, str(count), ha="center", va="center", color=color, fontsize=8)
    axes.set_xticks(range(DIGITS))
    axes.set_yticks(range(DIGITS))
    axes.set_xlabel("read as")
    axes.set_ylabel("digit")
    axes.set_title(f"{report.correct:,} of {report.total:,} read right")
    return figure


# Of one model or two: a first in blue and a second in orange

NINES = {0: "0", 0.5: "50", 0.9: "90", 0.99: "99", 0.999: "99.9", 0.9999: "99.99"}
SUREST = 1e-5  # nearer to 1 all shares are drawn alike


def nines(shares: Any) -> Any:
    """Shares on a scale where 90, 99 and 99.9 % are 1, 2 and 3; 5 for all above 99.999 %."""
    return -np.log10(np.maximum(1 - np.asarray(shares), SUREST))


def confidence(models: Mapping[str, tuple[Reliability, CoverageRisk]]) -> Figure:
    """Is confidence kept, how is it spread, and what is gained by refusing: one model or two.

    Args:
        models: by name; reliability in the bins to draw, as `evaluation.NINES`.
    """
    figure = Figure(figsize=(11, 5.5), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(3, 1), width_ratios=(1, 1.1))
    kept, spread = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 0])
    refusing = figure.add_subplot(grid[:, 1])
    ends = (0, nines(1))
    kept.plot(ends, ends, color="0.6", linewidth=1)
    for (name, (said, refused)), color in zip(models.items(), (RIGHT, WRONG), strict=False):
        draw_reliability(kept, spread, said, name, color)
        given = nines(refused.coverage)
        refusing.plot(given, 100 * refused.risk, color=color, label=name)
        refusing.fill_between(
            given, 0, 100 * refused.risk_at_most, color=color, alpha=0.15, linewidth=0
        )
    for axis in (kept.xaxis, kept.yaxis, spread.xaxis, refusing.xaxis):
        axis.set_ticks(nines(list(NINES)), NINES.values())
    for axes in (kept, spread, refusing):
        axes.set_xlim(-0.1, nines(1) + 0.1)
    kept.set_ylim(-0.1, nines(1) + 0.1)
    kept.set_ylabel("right, % (the top: all of them)")
    kept.set_title("Is it as often right as it says?")
    spread.set_yscale("log")
    spread.set_ylabel("answers")
    spread.set_xlabel("confidence, %")
    # Among few answers anything can be; what all of them are like sets the scale.
    refusing.set_ylim(0, max(140 * curve.risk_at_most[-1] for _, curve in models.values()))
    refusing.set_xlabel("answers given, the surest first, % (the right end: all of them)")
    refusing.set_ylabel("wrong among them, %; shaded: up to the end of the 95 % interval")
    refusing.set_title("What is gained by refusing?")
    refusing.legend(loc="upper center")
    return figure


def draw_reliability(kept: Axes, spread: Axes, said: Reliability, name: str, color: str) -> None:
    x = nines([each.confidence for each in said.bins])
    y = nines([each.share_right for each in said.bins])
    low, high = nines([each.interval for each in said.bins]).T
    kept.errorbar(x, y, (y - low, high - y), fmt="o", color=color, capsize=2, label=name)
    left, right = nines([(each.low, each.high) for each in said.bins]).T
    spread.bar(
        left,
        [each.count for each in said.bins],
        right - left,
        align="edge",
        color=(color, 0.25),
        edgecolor=color,
    )


def robustness(models: Mapping[str, Mapping[str, Curve]]) -> Figure:
    """Accuracy at each strength, a panel for each kind of distortion: one model or two."""
    kinds = list(next(iter(models.values())))
    columns = min(4, len(kinds))
    rows = -(-len(kinds) // columns)
    figure = Figure(figsize=(3 * columns, 2.4 * rows + 0.4), layout="constrained")
    for place, kind in enumerate(kinds):
        axes = figure.add_subplot(rows, columns, place + 1)
        for (name, curves), color in zip(models.items(), (RIGHT, WRONG), strict=False):
            curve = curves[kind]
            percent = 100 * np.array(curve.accuracy)
            low, high = 100 * np.array(curve.intervals).T
            error = (percent - low, high - percent)
            axes.errorbar(curve.strengths, percent, error, fmt="o-", color=color, ms=3, label=name)
        if curve.strengths[0] > curve.strengths[-1]:  # so that it gets worse to the right
            axes.invert_xaxis()
        axes.set_title(kind)
        axes.set_xlabel(curve.unit)
        axes.set_ylim(0, 102)
        if place % columns == 0:
            axes.set_ylabel("read right, %")
        if place == 0:
            axes.legend(loc="lower left", fontsize=8)
    return figure
