"""CSV: one line a digit, its label first and then its 784 pixels, row by row.

As the post has it, without a header (`5,0,0,…`); as Kaggle has it, with one (`label,pixel0,…`); and
without labels, 784 columns (Kaggle's test.csv). Whole numbers written as `5.0` are read too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS, SIDE, Dataset
from inkdigits.errors import DataError
from inkdigits.files import written_whole

__all__ = ["read", "write"]

_PIXELS = SIDE * SIDE
_LABELLED = 1 + _PIXELS
_LABEL_NAMES = {"label", "labels", "class", "digit", "target", "y"}
_BLOCK = 1 << 18  # characters read at once; no honest line is as long


def read(path: Path) -> Dataset:
    """The digits in `path`, block by block: memory holds the pixels and about one block of text.

    Raises:
        DataError: naming the line and the column of the first value that is none, or a row that is
            too short or too long.
    """
    images, labels = bytearray(), bytearray()
    # What is not UTF-8 becomes U+FFFD, which is no number and so is refused with its place.
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        number, first = _first_line(file, path)
        width, header = _layout(first, f"{path}, line {number}")
        number += header
        for block in _blocks(file, "" if header else first):
            table = _table(block, width, path, number)
            images += table[:, -_PIXELS:].tobytes()
            labels += table[:, :-_PIXELS].tobytes()
            number += block.count("\n") + 1
    return Dataset(
        np.frombuffer(images, np.uint8).reshape(-1, SIDE, SIDE),
        np.frombuffer(labels, np.uint8) if width == _LABELLED else None,
    )


def write(dataset: Dataset, path: Path) -> None:
    """Writes one line a digit as the post has it: no header, the label first if there is one."""
    text = [str(value) for value in range(256)]
    labels = None if dataset.labels is None else dataset.labels.tobytes()
    with written_whole(path) as new, new.open("w", encoding="ascii", newline="\n") as file:
        for index, image in enumerate(dataset.images):
            label = b"" if labels is None else labels[index : index + 1]
            file.write(",".join([text[value] for value in label + image.tobytes()]) + "\n")


def _first_line(file: TextIO, path: Path) -> tuple[int, str]:
    """The number of the first line that is not blank, from 1, and the line with its end."""
    number = 0
    while line := file.readline(_BLOCK):
        number += 1
        if line.strip():
            return number, line
    raise DataError(f"{path}: expected rows of a label and 784 pixels, got an empty file")


def _layout(first: str, place: str) -> tuple[int, bool]:
    """How many columns the file has, 785 or 784, and whether `first` is a header.

    A header has no numbers in it, or names its first column as a label.
    """
    names = [name.strip().strip("\"'").lower() for name in first.split(",", _LABELLED)]
    width = len(names)
    if width not in (_LABELLED, _PIXELS):
        for delimiter, called in ((";", "semicolons"), ("\t", "tabs"), (None, "spaces")):
            if len(first.split(delimiter, _LABELLED)) in (_LABELLED, _PIXELS):
                raise DataError(
                    f"{place}, column 1: expected commas between the values, got {called}: "
                    "replace them by commas"
                )
        raise DataError(
            f"{place}, column {min(width, _LABELLED) + 1}: expected 785 values (a label, then 784 "
            f"pixels) or 784 (pixels alone), got {'more' if width > _LABELLED else width}: "
            "each row is one image of 28×28"
        )
    header = names[0] in _LABEL_NAMES or all(_number(name) is None for name in names)
    misplaced = sorted(_LABEL_NAMES.intersection(names[width - _PIXELS :]))
    if header and misplaced:
        raise DataError(
            f"{place}, column {names.index(misplaced[0]) + 1}: expected the label in the first of "
            f"785 columns, got {misplaced[0]} here among {width}: reorder the columns"
        )
    return width, header


def _blocks(file: TextIO, rest: str) -> Iterator[str]:
    """`rest` and what follows in `file`, in blocks of whole lines without the last line's end."""
    while piece := file.read(_BLOCK):
        lines, end, rest = (rest + piece).rpartition("\n")
        if not end:
            # A line without an end is passed on as it is, to be refused rather than to grow.
            lines, rest = rest, ""
        yield lines
    yield rest


def _table(block: str, width: int, path: Path, number: int) -> NDArray[np.uint8]:
    """The lines of `block` as rows, shape (n, width), uint8; `number` is its first line's number.

    `loadtxt` is ten times as fast as our own rows and knows no places: it reads what is right, and
    they have the last word on the rest. It reads floats, since before NumPy 2.4 it takes 256 for 0
    and 3.5 for 3 when asked for uint8.
    """
    lines = block.split("\n")
    if block.strip():
        try:
            values = np.loadtxt(lines, np.float32, comments=None, delimiter=",", ndmin=2)
        except ValueError:
            values = np.empty((0, 0), np.float32)
        with np.errstate(invalid="ignore"):
            table = values.astype(np.uint8)
        right = table.shape[1] == width and np.array_equal(table, values)
        if right and (width == _PIXELS or table[:, 0].max() < DIGITS):
            return table
    rows = [
        _row(line, width, f"{path}, line {number + index}")
        for index, line in enumerate(lines)
        if line.strip()
    ]
    return np.array(rows, np.uint8).reshape(-1, width)


def _row(line: str, width: int, place: str) -> list[int]:
    """The values of one line.

    Raises:
        DataError: naming the first column that is not as expected.
    """
    row: list[int] = []
    fields = line.split(",", width)
    for column, field in enumerate(fields[:width], start=1):
        is_label = column == 1 and width == _LABELLED
        value = _number(field)
        if value is None or not 0 <= value < (DIGITS if is_label else 256) or value % 1:
            raise DataError(
                f"{place}, column {column}: expected a "
                f"{'label, 0 to 9' if is_label else 'pixel, a whole number 0 to 255'}, got "
                f"{field[:20]!a}: correct the value or take the line out"
            )
        row.append(int(value))
    if len(fields) != width:
        raise DataError(
            f"{place}, column {min(len(fields), width) + 1}: expected {width} values in a row, got "
            f"{'more' if len(fields) > width else len(fields)}: correct the line or take it out"
        )
    return row


def _number(field: str) -> float | None:
    """The number that `field` spells, if it does; Python's `1_000` and `٣` are none here."""
    try:
        return float(field) if field.isascii() and "_" not in field else None
    except ValueError:
        return None
