"""The handwriting sheet as it is printed: pale boxes, dark corners, and the digits beside them.

Whatever is printed near a box is thin and pale, so that ink stands out from it.
"""

from __future__ import annotations

import os
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from inkdigits.errors import FileError
from inkdigits.files import written_whole
from inkdigits.sheet import BOX, BOXES, CELLS, COLUMNS, FIELD, MARK, MARKS, PAPERS

__all__ = ["check_sheet_replaceable", "handwriting_sheet", "save_sheet"]

INCH = 25.4  # millimetres
POINT = INCH / 72

PALE = "0.72"  # of the boxes' edges: a printer's dots show it, and any pencil is darker
EDGE = 0.25  # millimetres
OVERLAP = 0.02  # millimetres of a mark's cells, so that no paper shines between them
LABEL = "0.35"
CREATOR = "inkdigits sheet"  # by which a PDF of ours is known
SUFFIX = ".pdf"
LARGEST = 1 << 20  # bytes: ten times as many as a sheet has

ABOVE = (
    ("Write the digit of each row in its boxes, as you usually write it.", 11),
    ("Boxes may stay empty. Went wrong? Cross it out and go on.", 8.5),
)
BELOW = (
    (
        "Photograph the whole sheet, flat and in even light, all four corner marks in view; then",
        8.5,
    ),
    ("inkdigits sheet --read photo.jpg", 8.5),
)


def handwriting_sheet(paper: str = "a4") -> Figure:
    """The sheet in its true size, on one of `inkdigits.sheet.PAPERS`."""
    width, height = PAPERS[paper]
    figure = Figure(figsize=(width / INCH, height / INCH))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.axis("off")
    left, top = (width - FIELD[0]) / 2, (height - FIELD[1]) / 2
    axes.set_xlim(-left, width - left)
    axes.set_ylim(height - top, -top)
    draw_marks(axes)
    for box in BOXES:
        axes.add_patch(
            Rectangle((box.x, box.y), *BOX, fill=False, edgecolor=PALE, linewidth=EDGE / POINT)
        )
        if box.place in (1, COLUMNS):  # on both sides: a hand that writes covers one of them
            x = BOXES[0].x / 2 if box.place == 1 else (box.x + BOX[0] + FIELD[0]) / 2
            axes.text(x, box.y + BOX[1] / 2, str(box.label), size=22, color=LABEL,
                      ha="center", va="center_baseline")  # fmt: skip
    middle = FIELD[0] / 2
    for lines, y in ((ABOVE, 3.5), (BELOW, FIELD[1] - MARK + 4.5)):
        for number, (line, size) in enumerate(lines):
            family = "monospace" if line.startswith("inkdigits ") else "sans-serif"
            axes.text(middle, y + 5.2 * number, line, size=size, color=LABEL, family=family,
                      ha="center", va="center")  # fmt: skip
    return figure


def draw_marks(axes: Axes) -> None:
    cell = MARK / CELLS
    for mark in MARKS:
        for column, row in mark.black:
            corner = mark.x + cell * column - OVERLAP, mark.y + cell * row - OVERLAP
            side = cell + 2 * OVERLAP
            axes.add_patch(Rectangle(corner, side, side, facecolor="black", linewidth=0))


def save_sheet(figure: Figure, path: str | Path) -> int:
    """Writes the sheet as a PDF, whole or not at all: the same figure gives the same bytes.

    Returns:
        How many bytes it has.

    Raises:
        FileError: as `check_sheet_replaceable` raises it, or the file cannot be written.
    """
    path = Path(path)
    check_sheet_replaceable(path)
    about = {"Creator": CREATOR, "Title": "Handwriting sheet", "CreationDate": None}
    with written_whole(path) as temporary:
        # Outlines for letters: a printer then needs no font.
        with rc_context({"pdf.fonttype": 3, "pdf.compression": 6}):
            figure.savefig(temporary, format="pdf", metadata=about)
        return temporary.stat().st_size


def check_sheet_replaceable(path: Path) -> None:
    """Whether a sheet may be written to `path`.

    Raises:
        FileError: the name is not a PDF's, something else has it, or there is no such folder.
    """
    if path.suffix.lower() != SUFFIX:
        raise FileError(
            f"expected a name that ends in {SUFFIX}, got {path}: "
            f"call it {path.with_suffix(SUFFIX).name if path.name else 'sheet.pdf'}"
        )
    if path.exists() and not is_sheet(path):
        raise FileError(
            f"{path} exists and is no sheet of inkdigits, so it is not replaced: "
            "choose another name, or remove it first"
        )
    if not path.parent.is_dir():
        raise FileError(f"there is no folder {path.parent} to write {path.name} to: make it first")
    if not os.access(path.parent, os.W_OK):
        raise FileError(
            f"may not write to the folder {path.parent}: choose another for {path.name}"
        )


def is_sheet(path: Path) -> bool:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return False
        content = path.read_bytes()
    except OSError:
        return False
    return content.startswith(b"%PDF") and f"/Creator ({CREATOR})".encode() in content
