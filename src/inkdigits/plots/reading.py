"""How a picture was read: paper, ink, glyph, what the network says, and what that hangs on."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecBase
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS
from inkdigits.plots.paper import INK, RIGHT, WRONG

__all__ = ["Look", "stages"]

Pixels = NDArray[np.uint8]
Small = Sequence[tuple[str, Pixels]]

COLUMNS = 8  # small digits in a row
LINE = 150  # letters of text in a line


@dataclass(frozen=True, eq=False, kw_only=True)
class Look:
    """What there is to show of a picture and its reading.

    Args:
        pixels: shape (H, W, 3), uint8, the picture.
        box: x, y, width, height of the digit in it; None where there is none.
        ink: shape (H, W), uint8, 0 paper to 255 ink; None where there is none.
        glyph: shape (28, 28), uint8.
        probabilities: shape (10,).
        not_a_digit: how probable it is that this is none; None where nobody knows.
        expected: the digit it should be, if that is known.
        title: what it was read as, in words.
        trials: other glyphs of it that alter the answer, each with what to say of it.
        alike: digits that look alike to the network, each with its label.
        text: sentences to go below.
    """

    pixels: Pixels
    box: tuple[float, float, float, float] | None
    ink: Pixels | None
    glyph: Pixels
    probabilities: NDArray[np.float64]
    not_a_digit: float | None
    expected: int | None = None
    title: str = ""
    trials: Small = ()
    alike: Small = ()
    text: Sequence[str] = field(default_factory=list)


def stages(look: Look) -> Figure:
    """Picture, ink, glyph and probabilities side by side; below, what the answer hangs on."""
    rows = [
        (title, small[:COLUMNS])
        for title, small in (
            ("What would alter the answer", look.trials),
            ("Training digits that look alike to the network", look.alike),
        )
        if small
    ]
    lines = [line for said in look.text for line in textwrap.wrap(said, LINE)]
    heights = [3.2, *[2.15] * len(rows), 0.19 * len(lines) + 0.1]
    figure = Figure(figsize=(11, sum(heights) + 0.6), layout="constrained")
    figure.suptitle(look.title, fontsize=13, parse_math=False)
    parts = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    draw_way(figure, parts, look)
    for place, (title, small) in enumerate(rows, start=1):
        band = figure.add_subfigure(parts[place])
        band.suptitle(title, fontsize=10, x=0.01, ha="left")
        for column, (said, image) in enumerate(small):
            axes = band.add_subplot(1, COLUMNS, column + 1)
            draw_pixels(axes, image, textwrap.fill(said, 24), size=7.5)
    below = figure.add_subplot(parts[-1])
    below.axis("off")
    said = "\n".join(lines)
    below.text(0, 1, said, va="top", fontsize=9.5, transform=below.transAxes, parse_math=False)
    return figure


def draw_way(figure: Figure, parts: GridSpecBase, look: Look) -> None:
    grid = parts[0].subgridspec(1, 4, width_ratios=(1, 1, 1, 1.2))
    picture, ink, glyph, bars = (figure.add_subplot(grid[column]) for column in range(4))
    picture.imshow(look.pixels)
    picture.set_title("the picture", fontsize=10)
    picture.axis("off")
    if look.box is not None:
        x, y, width, height = look.box
        picture.add_patch(
            Rectangle((x - 0.5, y - 0.5), width, height, fill=False, edgecolor=WRONG, linewidth=1.5)
        )
    shown = np.zeros(look.pixels.shape[:2], np.uint8) if look.ink is None else look.ink
    draw_pixels(ink, shown, "its ink" if look.ink is not None else "no ink", size=10)
    draw_pixels(glyph, look.glyph, "what the network sees", size=10)
    draw_probabilities(bars, look)


def draw_pixels(axes: Axes, image: Pixels, title: str, *, size: float) -> None:
    axes.imshow(image, cmap=INK, vmin=0, vmax=255)
    axes.set_title(title, fontsize=size)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color("0.8")


def draw_probabilities(axes: Axes, look: Look) -> None:
    """Bars that sum to 1, one for no digit where the network knows of it."""
    names = [str(digit) for digit in range(DIGITS)]
    shares = look.probabilities * (1 - (look.not_a_digit or 0))
    if look.not_a_digit is not None:
        names, shares = [*names, "none"], np.append(shares, look.not_a_digit)
    highest = int(np.argmax(shares))
    wanted = highest if look.expected is None else look.expected
    colours = ["0.75"] * len(names)
    colours[highest] = WRONG
    colours[wanted] = RIGHT
    bars = axes.barh(names, 100 * shares, color=colours)
    labels = [f"{100 * share:.0f}" if share >= 0.005 else "" for share in shares]
    axes.bar_label(bars, labels, padding=2, fontsize=8)
    axes.set_xlim(0, 112)
    axes.invert_yaxis()
    axes.set_title("what it says, %", fontsize=10)
    axes.set_xticks([])
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
