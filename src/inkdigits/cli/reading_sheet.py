"""`inkdigits read --csv` and `--submission`: what was read, as files for other programs."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkdigits.cli.console import print_json, shown

if TYPE_CHECKING:
    from inkdigits.model import Model

__all__ = ["Sheet", "write_submission"]


class Sheet:
    """The rows of a spreadsheet, kept until all are there.

    Args:
        path: None where none is wanted.
        named: whether a row begins with its picture's name.
    """

    def __init__(self, path: str | None, *, named: bool) -> None:
        self.path = path
        self.named = named
        self.rows: list[list[str]] = []

    def take(self, data: dict[str, Any]) -> None:
        """Adds the rows of a picture's JSON."""
        if "error" in data and not self.named:
            self.path = None  # there is no table, and an older one is not to be lost for it
        if self.path is not None:
            self.rows += rows_of(data, named=self.named)

    def write(self, *, told: bool) -> None:
        """Writes them, and says so."""
        from inkdigits.reading.table import write_csv

        if self.path is None:
            return
        write_csv(self.path, self.rows)
        if told:
            rows = f"{len(self.rows):,} row{'s' * (len(self.rows) != 1)}"
            print(shown(f"{rows} written to {self.path}"))


def rows_of(data: dict[str, Any], *, named: bool) -> list[list[str]]:
    """The rows of a picture: of its table if it shows one, else of its lines of writing.

    Args:
        data: its JSON.
        named: whether each row begins with its name, a row at least; otherwise what cannot be
            read has none.
    """
    from inkdigits.reading import UNSURE, Number, ReadDigit
    from inkdigits.reading.table import harmless, rows

    if "numbers" in data:
        found = rows(
            [
                Number(**number | {"digits": [ReadDigit(**digit) for digit in number["digits"]]})
                for number in data["numbers"]
            ]
        )
    elif "digit" in data:
        found = [[UNSURE if data["rejected"] else str(data["digit"])]]
    else:
        found = []
    if not named:
        return found
    return [[harmless(data["path"]), *row] for row in found or [[]]]


def write_submission(data: str, model: Model, path: Path, as_json: bool) -> None:
    """Kaggle's form: a header, then ids from 1 with the digit of each."""
    from inkdigits.files import written_whole
    from inkdigits.sources import load

    digits = model.predict(load(data).images)
    with written_whole(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["ImageId", "Label"])
        writer.writerows((number, int(digit)) for number, digit in enumerate(digits, start=1))
    if as_json:
        print_json({"submission": str(path), "digits": len(digits)})
    else:
        print(shown(f"{len(digits):,} digits of {data} written to {path}"))
