"""What all figures share: colours, and how they are written."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from inkdigits.files import written_whole

__all__ = ["INK", "RIGHT", "WRONG", "save"]

INK = "gray_r"  # shown as on paper: ink dark
RIGHT, WRONG = "#1b6b93", "#c2410c"  # blue and orange, told apart by the colour-blind too


def save(figure: Figure, path: str | Path) -> None:
    """Writes a figure as PNG (or what the name ends with: .svg, .pdf), whole or not at all."""
    kind = Path(path).suffix[1:].lower()
    with written_whole(path) as temporary:
        figure.savefig(temporary, format=kind if kind in ("svg", "pdf") else "png", dpi=150)
