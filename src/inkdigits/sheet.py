"""The handwriting sheet: where on paper its boxes and marks are, for whoever draws or reads it.

All of it lies on a field that fits on every paper, so a sheet is read without knowing on which it
was printed, or at what size. Places are in millimetres from the field's upper left corner, x to the
right and y down.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BOX",
    "BOXES",
    "CELLS",
    "COLUMNS",
    "FIELD",
    "MARK",
    "MARKS",
    "PAPERS",
    "ROWS",
    "SheetBox",
    "SheetMark",
]

PAPERS = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}  # width and height, millimetres

FIELD = (186.0, 252.0)  # 12 mm or more from every edge: nearer, some printers leave paper blank
MARK = 12.0  # a corner mark's side
CELLS = 6  # of a mark's side, each black or white; the outermost are black

ROWS = 10  # one a digit
COLUMNS = 12
BOX = (11.5, 16.0)  # a box's width and height
FIRST = (11.0, 19.0)  # where the first box is
STEP = (13.85, 21.6)  # from one box to the next


@dataclass(frozen=True)
class SheetMark:
    """A mark in a corner of the field.

    Args:
        code: its inner 4 × 4 cells from above, "1" where white.
        x: of its upper left corner.
        y: of its upper left corner.
    """

    code: tuple[str, str, str, str]
    x: float
    y: float

    @property
    def corners(self) -> tuple[tuple[float, float], ...]:
        """Upper left, upper right, lower right and lower left."""
        right, bottom = self.x + MARK, self.y + MARK
        return (self.x, self.y), (right, self.y), (right, bottom), (self.x, bottom)

    @property
    def black(self) -> list[tuple[int, int]]:
        """Column and row of each black cell."""
        rows = ["0" * CELLS, *(f"0{row}0" for row in self.code), "0" * CELLS]
        return [(column, row) for row in range(CELLS) for column in range(CELLS)
                if rows[row][column] == "0"]  # fmt: skip


@dataclass(frozen=True)
class SheetBox:
    """A box for one digit.

    Args:
        label: the digit that belongs in it, 0 to 9.
        place: which it is in its row, from 1.
        x: of its upper left corner.
        y: of its upper left corner.
    """

    label: int
    place: int
    x: float
    y: float


# Of 4 × 4 cells, found at random: each of them differs from the others and from itself, however
# they are turned, in 8 cells or more. So three may be taken for others, and none for another mark.
MARKS = (
    SheetMark(("1111", "0011", "0100", "0100"), 0.0, 0.0),
    SheetMark(("1001", "1010", "0000", "1010"), FIELD[0] - MARK, 0.0),
    SheetMark(("0111", "1001", "1110", "1010"), FIELD[0] - MARK, FIELD[1] - MARK),
    SheetMark(("0010", "0011", "0011", "1000"), 0.0, FIELD[1] - MARK),
)

BOXES = tuple(
    SheetBox(row, column + 1, FIRST[0] + column * STEP[0], FIRST[1] + row * STEP[1])
    for row in range(ROWS)
    for column in range(COLUMNS)
)
