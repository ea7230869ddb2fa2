"""Where things stand on a page: pieces of ink, the lines that they form, and words in a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkdigits.reading.page import Writing, breadth

__all__ = ["Line", "Piece", "lines_of", "pieces_of"]

Mask = NDArray[np.bool_]
Edges = tuple[int, int, int, int]

DUST = 3  # pixels: what is smaller both ways is no ink
TALL, TALLEST = 0.5, 2.2  # of the usual height: digits of one page are between
LOW = 0.65  # of it: what is lower makes no line by itself
OVERLAP = 0.45  # of the lower one's height, for two pieces to stand in one line
NEAR, ABOVE = 1.0, 0.35  # of a line's height: how far small pieces may be beside or above it
AROUND = 5  # neighbours that tell where digits begin and end


@dataclass(frozen=True, eq=False)
class Piece:
    """Connected ink, or a part of it that was cut off.

    Args:
        edges: left, top, right and bottom in pixels of the page, the last two exclusive.
        mask: shape (bottom - top, right - left): which of them are its ink.
        number: of the connected ink, as in `Writing.labels`.
        price: of the cut at its left, in pixels of ink; 0 where there is none.
        whole: whether nothing was cut off.
    """

    edges: Edges
    mask: Mask
    number: int
    price: float = 0.0
    whole: bool = True

    @property
    def middle(self) -> float:
        """Of its breadth."""
        return (self.edges[0] + self.edges[2]) / 2

    @property
    def width(self) -> int:
        return self.edges[2] - self.edges[0]

    @property
    def height(self) -> int:
        return self.edges[3] - self.edges[1]


@dataclass(frozen=True, eq=False)
class Line:
    """A line of writing.

    Args:
        pieces: from left to right.
        tall: those among them, before any was cut, that are as tall as digits.
        height: of most of these.
        stroke: how broad their strokes are.
    """

    pieces: list[Piece]
    tall: list[Piece]
    height: float
    stroke: float

    @property
    def top(self) -> float:
        return float(np.median([piece.edges[1] for piece in self.tall]))

    def around(self, x: float) -> tuple[float, float]:
        """Where digits near a place begin and end."""
        near = sorted(self.tall, key=lambda piece: abs(piece.middle - x))[:AROUND]
        tops, bottoms = zip(*((piece.edges[1], piece.edges[3]) for piece in near), strict=True)
        return float(np.median(tops)), float(np.median(bottoms))


def pieces_of(writing: Writing) -> list[Piece]:
    """The connected ink of a page but for dust."""
    pieces = []
    for number, (x, y, width, height, area) in enumerate(writing.boxes.tolist()):
        if number and max(width, height) >= DUST and area > DUST:
            mask = writing.labels[y : y + height, x : x + width] == number
            pieces.append(Piece((x, y, x + width, y + height), mask, number))
    return pieces


def usual_height(pieces: Sequence[Piece], page_height: int) -> float:
    """The height of the pieces that hold half of the ink, without what can be no digit."""
    likely = [
        piece
        for piece in pieces
        if piece.height >= 8 and piece.width < 4 * piece.height and piece.height < 0.95 * page_height
    ]
    pieces = likely or pieces
    heights = np.array([piece.height for piece in pieces], np.float64)
    ink = np.array([piece.mask.sum() for piece in pieces], np.float64)
    order = heights.argsort()
    share = ink[order].cumsum() / ink.sum()
    return float(heights[order][int(np.searchsorted(share, 0.5))])


def lines_of(pieces: Sequence[Piece], page_height: int) -> list[Line]:
    """The lines from top to bottom; what belongs to none is left out."""
    if not pieces:
        return []
    usual = usual_height(pieces, page_height)
    tall = [piece for piece in pieces if TALL * usual <= piece.height <= TALLEST * usual]
    small = [piece for piece in pieces if piece.height < TALL * usual]
    rows: list[list[Piece]] = []
    for piece in sorted(tall, key=lambda piece: piece.middle):
        shares = [overlap(piece, row) for row in rows]
        if shares and max(shares) > OVERLAP:
            rows[int(np.argmax(shares))].append(piece)
        else:
            rows.append([piece])
    # A comma that hangs below a line makes none.
    low = [row for row in rows if max(piece.height for piece in row) < LOW * usual]
    if len(low) < len(rows):
        rows = [row for row in rows if row not in low]
        small += [piece for row in low for piece in row]
    lines = [line_of(row) for row in rows]
    for piece in small:
        distances = [distance(piece, line) for line in lines]
        nearest = int(np.argmin(distances))
        if distances[nearest] < np.inf:
            lines[nearest].pieces.append(piece)
    for line in lines:
        line.pieces.sort(key=lambda piece: piece.middle)
    return sorted(lines, key=lambda line: line.top)


def overlap(piece: Piece, row: Sequence[Piece]) -> float:
    """How much of a piece's height, or of the row's last, both have in common."""
    top, bottom = (float(np.median([each.edges[side] for each in row[-3:]])) for side in (1, 3))
    common = min(bottom, piece.edges[3]) - max(top, piece.edges[1])
    return common / min(bottom - top, piece.height)


def line_of(row: Sequence[Piece]) -> Line:
    height = float(np.median([piece.height for piece in row]))
    tall = [piece for piece in row if piece.height >= 0.6 * height]
    stroke = float(np.median([breadth(np.pad(piece.mask, 1)) for piece in tall]))
    return Line(list(row), tall, height, stroke)


def distance(piece: Piece, line: Line) -> float:
    """From the line's nearest tall piece, in pixels; infinite where it is too far."""
    near = min(line.tall, key=lambda each: abs(each.middle - piece.middle))
    across = max(near.edges[0] - piece.edges[2], piece.edges[0] - near.edges[2], 0)
    down = max(near.edges[1] - piece.edges[3], piece.edges[1] - near.edges[3], 0)
    far = across >= NEAR * line.height or down >= ABOVE * line.height
    return np.inf if far else float(across + down)
