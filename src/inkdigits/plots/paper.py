"""What all figures share: colours, and how they are written."""

from __future__ import annotations

import os
from pathlib import Path

from matplotlib.figure import Figure

from inkdigits.errors import FileError
from inkdigits.files import written_whole

__all__ = ["INK", "RIGHT", "WRONG", "drawable", "save"]

INK = "gray_r"  # shown as on paper: ink dark
RIGHT, WRONG = "#1b6b93", "#c2410c"  # blue and orange, told apart by the colour-blind too
KINDS = (".png", ".svg", ".pdf")


def save(figure: Figure, path: str | Path) -> None:
    """Writes a figure as what its name ends with (.png, .svg, .pdf), whole or not at all.

    Raises:
        FileError: as `drawable` raises it, or the file cannot be written.
    """
    kind = drawable(path)
    with written_whole(path) as temporary:
        figure.savefig(temporary, format=kind, dpi=150)


def drawable(path: str | Path) -> str:
    """The format of a figure to be saved at `path`; to know before anything is computed.

    Only names of figures are taken, so that no model and no data is ever replaced by one.

    Raises:
        FileError: it ends with something else than .png, .svg or .pdf, or cannot be written.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in KINDS:
        raise FileError(
            f"expected a figure's name to end in {', '.join(KINDS)}, got {path}: name it so"
        )
    if path.is_dir():
        raise FileError(f"cannot write {path}: expected a file or a new name, got a folder")
    if not path.parent.is_dir():
        raise FileError(f"cannot write {path}: there is no folder {path.parent}, make it first")
    if not os.access(path.resolve().parent, os.W_OK):
        raise FileError(f"cannot write {path}: its folder may not be written to, name another")
    return ending[1:]
