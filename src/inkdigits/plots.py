"""Every picture the package draws. Each function returns a matplotlib Figure; `save` writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS, SIDE, Dataset
from inkdigits.evaluation import CoverageRisk, Curve, Reliability, Report
from inkdigits.files import written_whole

__all__ = [
    "augmented_digits",
    "confidence",
    "confusion_matrix",
    "contact_sheet",
    "digit",
    "imagined_digits",
    "learning_curve",
    "misread_digits",
    "right_and_wrong",
    "robustness",
    "save",
    "weights",
]

INK = "gray_r"  # shown as on paper: ink dark
RIGHT, WRONG = "#1b6b93", "#c2410c"  # blue and orange, told apart by the colour-blind too
SHEET_ROWS = 10


def save(figure: Figure, path: str | Path) -> None:
    """Writes a figure as PNG (or what the name ends with: .svg, .pdf), whole or not at all."""
    kind = Path(path).suffix[1:].lower()
    with written_whole(path) as temporary:
        figure.savefig(temporary, format=kind if kind in ("svg", "pdf") else "png", dpi=150)


def digit(image: NDArray[np.uint8]) -> Figure:
    """One digit, shape (28, 28), ten pixels a pixel and white on black as in the data."""
    figure = Figure(figsize=(SIDE * 10 / 150, SIDE * 10 / 150))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.axis("off")
    return figure


def contact_sheet(dataset: Dataset, *, columns: int = 20) -> Figure:
    """The first digits of a set: a row for each digit where labels are known, else in order."""
    rows: list[NDArray[Any]] = []
    if dataset.labels is None:
        first = dataset.images[: columns * SHEET_ROWS]
        rows = [first[i : i + columns] for i in range(0, len(first), columns)]
    else:
        rows = [dataset.images[dataset.labels == d][:columns] for d in range(DIGITS)]
    sheet = np.zeros((len(rows) * SIDE, columns * SIDE), np.uint8)
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            top, left = row * SIDE, column * SIDE
            sheet[top : top + SIDE, left : left + SIDE] = image
    figure = Figure(figsize=(columns * 0.4, max(1, len(rows)) * 0.4))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(sheet, cmap=INK, vmin=0, vmax=255, aspect="auto", interpolation="nearest")
    axes.axis("off")
    return figure


def augmented_digits(originals: NDArray[np.uint8], versions: NDArray[np.uint8]) -> Figure:
    """A row for each original, shape (N, 28, 28): itself, and its versions, (N, K, 28, 28)."""
    rows, columns = versions.shape[:2]
    gap = SIDE // 4
    sheet = np.zeros((rows * SIDE, (1 + columns) * SIDE + gap), np.uint8)
    sheet[:, :SIDE] = originals.reshape(-1, SIDE)
    sheet[:, SIDE + gap :] = versions.swapaxes(1, 2).reshape(-1, columns * SIDE)
    sheet[:, SIDE : SIDE + gap] = 96
    figure = Figure(figsize=(sheet.shape[1] / 50, sheet.shape[0] / 50))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(sheet, cmap=INK, vmin=0, vmax=255, aspect="auto", interpolation="nearest")
    axes.axis("off")
    return figure


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


def misread_digits(dataset: Dataset, report: Report, *, count: int = 40) -> Figure:
    """The misread digits, the most confident mistake first."""
    worst = report.worst_mistakes(count)
    columns = 8
    rows = max(1, -(-len(worst) // columns))
    figure = Figure(figsize=(columns * 1.05, rows * 1.3 + 0.5), layout="constrained")
    figure.suptitle("Most confident mistakes" if len(worst) else "Nothing was misread")
    for place in range(rows * columns):
        axes = figure.add_subplot(rows, columns, place + 1)
        axes.axis("off")
        if place < len(worst):
            draw_answer(axes, dataset, report, int(worst[place]))
    return figure


def right_and_wrong(dataset: Dataset, report: Report, *, columns: int = 12) -> Figure:
    """A row of the first digits read right, and a row of the most confident mistakes."""
    right = np.flatnonzero(report.answers == report.labels)[:columns]
    figure = Figure(figsize=(columns * 0.95, 2.75), layout="constrained")
    for row, indices in enumerate((right, report.worst_mistakes(columns))):
        for column in range(columns):
            axes = figure.add_subplot(2, columns, row * columns + column + 1)
            axes.axis("off")
            if column < len(indices):
                draw_answer(axes, dataset, report, int(indices[column]))
    return figure


def draw_answer(axes: Axes, dataset: Dataset, report: Report, index: int) -> None:
    axes.imshow(dataset.images[index], cmap=INK, vmin=0, vmax=255)
    answer, label = report.answers[index], report.labels[index]
    confidence = f"{100 * report.confidence[index]:.0f} %"
    if answer == label:
        axes.set_title(f"{answer}  {confidence}", fontsize=9, color=RIGHT)
    else:
        axes.set_title(f"{answer}, not {label}\n{confidence}", fontsize=9, color=WRONG)


def weights(pictures: NDArray[Any], *, columns: int = 20) -> Figure:
    """Weights from pixels to units, shape (units, side, side): orange for ink, blue against it."""
    units = pictures[: columns * SHEET_ROWS]
    rows, side, gap = -(-len(units) // columns), units.shape[1], 1
    sheet = np.full((rows * (side + gap), columns * (side + gap)), np.nan)
    for place, unit in enumerate(units):
        top, left = (side + gap) * (place // columns), (side + gap) * (place % columns)
        strongest = float(np.abs(unit).max()) or 1.0
        sheet[top : top + side, left : left + side] = unit / strongest
    figure = Figure(figsize=(columns * 0.5, rows * 0.5 + 0.4), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(
        "What each hidden unit looks for: orange wants ink, blue wants paper", fontsize=9
    )
    axes.imshow(sheet, cmap="PuOr_r", vmin=-1, vmax=1, interpolation="nearest")
    axes.axis("off")
    return figure


def imagined_digits(pictures: NDArray[np.uint8]) -> Figure:
    """What the network imagines for each digit, shape (10, 28, 28)."""
    figure = Figure(figsize=(10, 1.6), layout="constrained")
    figure.suptitle("What the network imagines for each digit", fontsize=9)
    for number, picture in enumerate(pictures):
        axes = figure.add_subplot(1, DIGITS, number + 1)
        axes.imshow(picture, cmap=INK, vmin=0, vmax=255)
        axes.set_title(str(number), fontsize=9)
        axes.axis("off")
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
