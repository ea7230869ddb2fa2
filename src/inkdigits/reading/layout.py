"""Where things stand on a page: pieces of ink, the lines that they form, and words in a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from inkdigits.reading.page import Writing
from inkdigits.reading.paper import breadth

__all__ = ["Line", "Piece", "lines_of", "pieces_of"]

Mask = NDArray[np.bool_]
Edges = tuple[int, int, int, int]

DUST = 3  # pixels: what is smaller both ways is no ink
TALL, TALLEST = 0.5, 2.2  # of the usual height: digits of one page are between
LOW = 0.65  # of it: what is lower makes no line by itself
SAME = 0.6  # of the narrower one, for two rows to be one
ABOVE_ONE = 0.5  # of the narrower one's breadth, for two pieces to stand above one another
OVERLAP = 0.45  # of the lower one's height, for two pieces to stand in one line
HAIR = 0.3  # of a line's strokes: no pen writes both as thin and as broad
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
        tall: left, top, right and bottom of what is as tall as digits, before any was cut.
        height: of most of that.
        stroke: how broad their strokes are.
    """

    pieces: list[Piece]
    tall: list[Edges]
    height: float
    stroke: float

    @property
    def top(self) -> float:
        return float(np.median([top for _, top, _, _ in self.tall]))

    def around(self, x: float) -> tuple[float, float]:
        """Where digits near a place begin and end."""
        near = sorted(self.tall, key=lambda edges: abs((edges[0] + edges[2]) / 2 - x))[:AROUND]
        _, tops, _, bottoms = zip(*near, strict=True)
        return median(tops), median(bottoms)  # of five, ten times as fast as NumPy's


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
        if 8 <= piece.height < 0.95 * page_height and piece.width < 4 * piece.height
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
        own = float(piece.edges[1]), float(piece.edges[3])
        shares = [overlap_of(own, band(row[-3:])) for row in rows]
        if shares and max(shares) > OVERLAP:
            rows[int(np.argmax(shares))].append(piece)
        else:
            rows.append([piece])
    # A comma that hangs below a line makes none.
    low = [row for row in rows if max(piece.height for piece in row) < LOW * usual]
    if len(low) < len(rows):
        rows = [row for row in rows if row not in low]
        small += [piece for row in low for piece in row]
    lines = [line_of(row) for row in joined(rows)]
    for piece in small:
        distances = [distance(piece, line) for line in lines]
        nearest = int(np.argmin(distances))
        if distances[nearest] < np.inf:
            lines[nearest].pieces.append(piece)
    for line in lines:
        line.pieces[:] = without_hairs(line)
        line.pieces.sort(key=lambda piece: piece.middle)
    return sorted(lines, key=lambda line: line.top)


def without_hairs(line: Line) -> list[Piece]:
    """Its pieces without tall ones that no pen of this line wrote: what printed lines left."""
    return [
        piece
        for piece in line.pieces
        if piece.height < TALL * line.height or breadth(np.pad(piece.mask, 1)) >= HAIR * line.stroke
    ]


def joined(rows: list[list[Piece]]) -> list[list[Piece]]:
    """Rows of which one lies in the other made one: halves of broken digits may part them."""
    whole: list[list[Piece]] = []
    for row in sorted(rows, key=len, reverse=True):
        same = [each for each in whole if overlap_of(band(row), band(each)) > SAME]
        if same:
            same[0].extend(row)
        else:
            whole.append(list(row))
    return whole


def band(row: Sequence[Piece]) -> tuple[float, float]:
    """The middle top and the middle bottom."""
    top, bottom = (float(np.median([each.edges[side] for each in row])) for side in (1, 3))
    return top, bottom


def overlap_of(one: tuple[float, float], other: tuple[float, float]) -> float:
    """What two bands have in common, of the narrower one."""
    common = min(one[1], other[1]) - max(one[0], other[0])
    return common / max(1.0, min(one[1] - one[0], other[1] - other[0]))


def line_of(row: Sequence[Piece]) -> Line:
    stacks = stacked(row)
    height = float(np.median([bottom - top for _, top, _, bottom in stacks]))
    tall = [edges for edges in stacks if edges[3] - edges[1] >= 0.6 * height]
    least = min(0.4 * height, max(piece.height for piece in row))
    strokes = [breadth(np.pad(piece.mask, 1)) for piece in row if piece.height >= least]
    return Line(list(row), tall, height, float(np.median(strokes)))


def stacked(row: Sequence[Piece]) -> list[Edges]:
    """The boxes of pieces that stand above one another, as parts of a broken digit do."""
    found: list[Edges] = []
    for piece in sorted(row, key=lambda piece: piece.edges[0]):
        left, top, right, bottom = piece.edges
        if found:
            x, y, across, down = found[-1]
            common = min(right, across) - max(left, x)
            if common > ABOVE_ONE * min(right - left, across - x):
                found[-1] = min(x, left), min(y, top), max(across, right), max(down, bottom)
                continue
        found.append(piece.edges)
    return found


def distance(piece: Piece, line: Line) -> float:
    """From the line's nearest tall piece, in pixels; infinite where it is too far."""
    left, top, right, bottom = min(
        line.tall, key=lambda edges: abs((edges[0] + edges[2]) / 2 - piece.middle)
    )
    across = max(left - piece.edges[2], piece.edges[0] - right, 0)
    down = max(top - piece.edges[3], piece.edges[1] - bottom, 0)
    far = across >= NEAR * line.height or down >= ABOVE * line.height
    return np.inf if far else float(across + down)
