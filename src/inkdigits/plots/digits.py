"""Digits as they are, as they were varied or misread, and as a network imagines them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS, SIDE, Dataset
from inkdigits.evaluation import Report
from inkdigits.plots.paper import INK, RIGHT, WRONG

__all__ = [
    "augmented_digits",
    "contact_sheet",
    "digit",
    "imagined_digits",
    "misread_digits",
    "right_and_wrong",
    "weights",
]

SHEET_ROWS = 10


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
