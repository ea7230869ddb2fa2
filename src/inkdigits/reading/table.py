"""A page as a table: which numbers stand below one another, and a sheet to keep them in."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.files import written_whole

if TYPE_CHECKING:
    from inkdigits.reading.reader import Number, Reading

__all__ = ["harmless", "rows", "write_csv"]

NEAR = 0.5  # of a digit's height: numbers this far apart still stand below one another
STEADY = 5  # digits' heights: below, differences in height are not taken for a turned page
MOST_AGAINST = 0.1  # of what stands below one another may be in different columns of a table
LEAST_BELOW = 0.6  # of a table's numbers stand below or above another of their column

FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet may take a cell for that begins so


def rows(page: Reading | Sequence[Number]) -> list[list[str]]:
    """The texts of a page's numbers, a row for each line of writing, in columns where it has any.

    Numbers stand below one another where their extents along the line overlap, or nearly so; by how
    much, as a share of the narrower one and divided by how many lines they are apart, is their
    bond. Columns grow line by line from the top: of all ways to assign a line's numbers to columns
    from left to right, the one of the largest bonds is taken (the recursion of Needleman and
    Wunsch 1970, with gaps that cost nothing), and what has no bond begins a column. So each row
    keeps its order, and no column has two numbers of a line.

    The page is a table if most numbers have a bond in their column, and few bonds are between
    columns. Then all rows are of one length, with "" for cells where nothing was written.
    Otherwise a row is the line's numbers in their order, and rows differ in length.

    Args:
        page: a reading, or its numbers.
    """
    numbers = page if isinstance(page, Sequence) else page.numbers
    if not numbers:
        return []
    numbers = sorted(numbers, key=lambda number: (number.line, number.box[0]))
    places = range(len(numbers))
    lines = [list(line) for _, line in groupby(places, key=lambda place: numbers[place].line)]
    texts = [number.text for number in numbers]
    bond, along = bonds(numbers)
    written_on = np.array([number.line for number in numbers])
    columns = joined(columns_of(lines, bond, along), bond, written_on)
    if not is_table(columns, bond):
        return [[texts[place] for place in line] for line in lines]
    column_of = {place: column for column, places in enumerate(columns) for place in places}
    table = [[""] * len(columns) for _ in lines]
    for row, line in zip(table, lines, strict=True):
        for place in line:
            row[column_of[place]] = texts[place]
    return table


def bonds(numbers: Sequence[Number]) -> tuple[NDArray[Any], NDArray[Any]]:
    """How much each two stand below one another, shape (N, N); and their middles along the line."""
    x, y, width, height = np.array([number.box for number in numbers], np.float64).T
    line = np.array([number.line for number in numbers])
    # The page may be turned: x along its lines of writing, which rise or fall alike.
    middle, centre, size = x + width / 2, y + height / 2, float(np.median(height))
    along = middle + slope(middle, centre, line, size) * centre
    left, right = along - width / 2, along + width / 2
    near = NEAR * size
    shared = np.minimum.outer(right, right) - np.maximum.outer(left, left) + near
    share = np.clip(shared / (np.minimum.outer(width, width) + near), 0, 1)
    apart = np.abs(np.subtract.outer(line, line))
    return np.where(apart > 0, share / np.maximum(apart, 1), 0), along


def slope(x: NDArray[Any], y: NDArray[Any], line: NDArray[Any], size: float) -> float:
    """Of all lines of writing, by least squares; 0 where no line has two numbers.

    It is drawn to 0 (ridge regression) where all there is to go by is numbers side by side: what
    one of them stands higher than the other says nothing of the page.
    """
    x, y = x.copy(), y.copy()
    for each in np.unique(line):
        own = line == each
        x[own] -= x[own].mean()
        y[own] -= y[own].mean()
    return float(x @ y) / (float(x @ x) + (STEADY * size) ** 2)


def columns_of(lines: list[list[int]], bond: NDArray[Any], along: NDArray[Any]) -> list[list[int]]:
    """The numbers of each column, from left to right."""
    columns: list[list[int]] = []
    for line in lines:
        strength = [[float(bond[place, column].sum()) for column in columns] for place in line]
        chosen = assigned(strength, len(columns))
        limit = len(columns)
        for order, place in reversed(list(enumerate(line))):
            column = chosen[order]
            if column is not None:
                columns[column].append(place)
                limit = column
                continue
            # Between the columns of its neighbours in the line, where its middle belongs.
            least = 1 + max((other for other in chosen[:order] if other is not None), default=-1)
            while limit > least and along[columns[limit - 1]].mean() > along[place]:
                limit -= 1
            columns.insert(limit, [place])
    return columns


def assigned(strength: list[list[float]], columns: int) -> list[int | None]:
    """A column for each of a line's numbers, or none: in order, and of the largest sum."""
    best = np.zeros((len(strength) + 1, columns + 1))
    for row, column in np.ndindex(len(strength), columns):
        best[row + 1, column + 1] = max(
            best[row, column + 1],
            best[row + 1, column],
            best[row, column] + strength[row][column],
        )
    chosen: list[int | None] = [None] * len(strength)
    row, column = len(strength), columns
    while row and column:
        if best[row, column] == best[row - 1, column]:
            row -= 1
        elif best[row, column] == best[row, column - 1]:
            column -= 1
        else:
            row, column = row - 1, column - 1
            chosen[row] = column
    return chosen


def joined(columns: list[list[int]], bond: NDArray[Any], line: NDArray[Any]) -> list[list[int]]:
    """Neighbouring columns as one where they are never in one line and mostly below one another.

    An uneven hand begins a column anew until a wide number shows that it is one.
    """
    whole: list[list[int]] = []
    for column in columns:
        few, many = sorted((column, whole[-1] if whole else []), key=len)
        apart = not np.isin(line[few], line[many]).any()
        if few and apart and bond[np.ix_(many, few)].any(axis=0).mean() > 0.5:
            whole[-1] = few + many
        else:
            whole.append(column)
    return whole


def is_table(columns: list[list[int]], bond: NDArray[Any]) -> bool:
    """Whether what stands below one another is mostly of one column."""
    kept = [bond[np.ix_(column, column)] for column in columns]
    within, total = sum(float(each.sum()) for each in kept), float(bond.sum())
    below = sum(int(each.any(axis=0).sum()) for each in kept)
    return total - within <= MOST_AGAINST * total and below >= LEAST_BELOW * len(bond)


def write_csv(path: str | Path, rows: Sequence[Sequence[str]]) -> None:
    """Writes a sheet, whole or not at all: UTF-8, quoted and with line ends as in RFC 4180.

    Shorter rows are filled up with empty cells. Cells are written as they are, since "-7" is a
    number: names of files and the like go through `harmless` first.

    Raises:
        FileError: as `files.written_whole` raises it.
    """
    longest = max((len(row) for row in rows), default=0)
    with (
        written_whole(path) as temporary,
        # A name of a file may hold bytes that are no text: they are escaped.
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        csv.writer(file).writerows([*row, *[""] * (longest - len(row))] for row in rows)


def harmless(name: str) -> str:
    """A name for a cell, with an apostrophe before it where a spreadsheet would take it to be a
    formula: OWASP, CSV injection.
    """
    return f"'{name}" if name.startswith(FORMULAS) else name
