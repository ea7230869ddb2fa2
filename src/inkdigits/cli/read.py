"""`inkdigits read`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inkdigits.cli.console import Command, json_option, per_cent, print_json

if TYPE_CHECKING:
    from inkdigits.model import Model

__all__ = ["command"]

EXAMPLES = """
    inkdigits read five.png                                    a picture of one digit, 28 × 28
    inkdigits read pictures --single --json                    a folder, a JSON line a picture
    inkdigits read test.csv --submission submission.csv        Kaggle's test file
"""


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("inputs", metavar="PICTURE|FOLDER|DATA…", nargs=-1, required=True)
@click.option(
    "--model", default="model.safetensors", metavar="MODEL", help="model.safetensors by default."
)
@click.option("--single", is_flag=True, help="One digit a picture, with all ten probabilities.")
@click.option(
    "--submission", metavar="CSV", help="Write the digits of one data file as ImageId,Label."
)
@json_option
def command(
    inputs: tuple[str, ...], model: str, single: bool, submission: str | None, as_json: bool
) -> int:
    """Read pictures of one digit, of 28 × 28 pixels or a multiple, and files of such digits.

    A data file (CSV, IDX, npz) is taken as it is, a line for each record. What cannot be read is
    named in its place, and the command fails in the end.
    """
    from inkdigits.formats import load_model

    reader = load_model(model)
    if submission is not None:
        if len(inputs) != 1:
            raise click.UsageError(f"--submission takes one data file, got {len(inputs)}")
        write_submission(inputs[0], reader, Path(submission), as_json)
        return 0
    failed = False
    for line in read_all(inputs, reader, single):
        failed = failed or "error" in line
        if as_json:
            print_json(line)
        else:
            print(in_words(line), flush=True)
    return int(failed)


def read_all(inputs: tuple[str, ...], model: Model, single: bool) -> Iterator[dict[str, Any]]:
    """A record for each picture and for each digit of a data file."""
    from inkdigits.errors import InkdigitsError

    for name in inputs:
        try:
            yield from read_input(name, model, single)
        except InkdigitsError as error:
            yield {"path": name, "error": str(error)}


def read_input(name: str, model: Model, single: bool) -> Iterator[dict[str, Any]]:
    from inkdigits.errors import PictureError
    from inkdigits.reading import is_picture
    from inkdigits.sources import load

    path = Path(name)
    if path.is_dir():
        files = [f for f in sorted(path.rglob("*")) if f.is_file() and not f.name.startswith(".")]
        if not files:
            raise PictureError(f"expected pictures in {path}, got an empty folder: name another")
        for file in files:
            yield read_one(file, model, single)
    elif is_picture(path):
        yield read_one(path, model, single)
    else:
        probabilities = model.predict_probabilities(load(name).images)
        for index, row in enumerate(probabilities):
            digit = int(row.argmax())
            yield {"index": index, "digit": digit, "probability": float(row[digit])}


def read_one(path: Path, model: Model, single: bool) -> dict[str, Any]:
    from inkdigits.errors import InkdigitsError
    from inkdigits.reading import read_picture

    try:
        reading = read_picture(path, model)
    except InkdigitsError as error:
        return {"path": str(path), "error": str(error)}
    return {"path": str(path), **(reading.as_single() if single else reading.as_data())}


def in_words(line: dict[str, Any]) -> str:
    if "error" in line:
        return f"{line['path']}: {line['error']}"
    if "numbers" in line:
        (number,) = line["numbers"]
        return f"{line['path']}: {number['text']}  ({per_cent(number['confidence'], 1)})"
    where = line.get("path", line.get("index"))
    return f"{where}: {line['digit']}  ({per_cent(line['probability'], 1)})"


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
        print(f"{len(digits):,} digits of {data} written to {path}")
