"""`inkdigits read`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inkdigits.cli.console import Command, json_option, per_cent, print_json, progress, shown
from inkdigits.cli.inputs import as_neither, things_in

if TYPE_CHECKING:
    from inkdigits.model import Answers, Model
    from inkdigits.reading import Reading

__all__ = ["Line", "command", "failure", "in_words", "picture_line"]

EXAMPLES = """
    inkdigits read photo.jpg                                   the digit in a picture
    inkdigits read photo.jpg --explain --expected 7            why it was read wrongly, what to do
    inkdigits read pictures --single --json                    a folder, a JSON line a picture
    inkdigits read pictures --error-budget 1%                  leave unnamed what may be wrong
    inkdigits read test.csv --submission submission.csv        Kaggle's test file
"""

UNLIKELY = 0.05  # confidence: such a digit is not worth mentioning


class Share(click.ParamType):  # type: ignore[type-arg]  # generic in click's stubs alone
    """A share, written as 1% or as 0.01."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = -1.0
        if not 0 < share <= 1:
            self.fail(f"expected a share as 1% or 0.01, above 0 and at most 1, got {text!r}")
        return share


@dataclass(frozen=True)
class Line:
    """What there is to say of one input.

    Args:
        data: for JSON.
        words: for a person.
        failed: whether it could not be read.
        unnamed: whether the digit was left unnamed.
    """

    data: dict[str, Any]
    words: str
    failed: bool = False
    unnamed: bool = False


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("inputs", metavar="PICTURE|FOLDER|DATA…", nargs=-1, required=True)
@click.option(
    "--model", default="reader", metavar="MODEL", help="The reader that comes along by default."
)
@click.option("--single", is_flag=True, help="One digit a picture, with all ten probabilities.")
@click.option(
    "--error-budget",
    type=Share(),
    metavar="SHARE",
    help="Name so many digits that at most this share is wrong: 1% or 0.01.",
)
@click.option("--explain", is_flag=True, help="Say what the answer hangs on, and what to do.")
@click.option("--expected", type=click.IntRange(0, 9), metavar="D", help="What it should be.")
@click.option("--out", metavar="PNG", help="Draw how one picture was read.")
@click.option(
    "--submission", metavar="CSV", help="Write the digits of one data file as ImageId,Label."
)
@json_option
def command(
    inputs: tuple[str, ...],
    model: str,
    single: bool,
    error_budget: float | None,
    explain: bool,
    expected: int | None,
    out: str | None,
    submission: str | None,
    as_json: bool,
) -> int:
    """Read digits from pictures, photos and scans of any size, and from files of digits.

    A picture shows one digit. A data file (CSV, IDX, npz) is taken as it is, a line for each
    record. What cannot be read is named in its place, and the command fails in the end.
    """
    from inkdigits.formats import load_model

    check_options(inputs, explain, expected, out, submission, error_budget)
    reader = load_model(model)
    if submission is not None:
        write_submission(inputs[0], reader, Path(submission), as_json)
        return 0
    threshold = None if error_budget is None else reader.threshold_within(error_budget)
    if explain or out is not None:
        from inkdigits.cli.explaining import explained

        lines = explained(inputs, reader, threshold, single, expected, out, explain)
    else:
        lines = read_all(inputs, reader, threshold, single)
    failed, unnamed, total = False, 0, 0
    for line in lines:
        failed = failed or line.failed
        unnamed += line.unnamed
        total += not line.failed
        if as_json:
            print_json(line.data)
        else:
            print(line.words, flush=True)
    if threshold is not None and error_budget is not None and not as_json:
        print(
            f"{unnamed:,} of {total:,} left unnamed: at most {per_cent(error_budget)} wrong is "
            f"promised from a confidence of {per_cent(threshold)} on"
        )
    return int(failed)


def check_options(
    inputs: tuple[str, ...],
    explain: bool,
    expected: int | None,
    out: str | None,
    submission: str | None,
    error_budget: float | None,
) -> None:
    """What goes together, before anything is done."""
    if submission is not None:
        if len(inputs) != 1:
            raise click.UsageError(f"--submission takes one data file, got {len(inputs)}")
        if explain or out is not None or error_budget is not None:
            raise click.UsageError(
                "--submission names every digit and draws none: leave --explain, --out and "
                "--error-budget away"
            )
    if expected is not None and not explain:
        raise click.UsageError("--expected says what --explain is to explain: add --explain")
    if out is not None:
        if len(inputs) != 1:
            raise click.UsageError(f"--out draws one picture, got {len(inputs)}: name one")
        if Path(out).exists() and Path(inputs[0]).exists() and Path(out).samefile(inputs[0]):
            raise click.UsageError(f"--out would replace the picture {out}: choose another name")
        from inkdigits.plots.paper import drawable

        drawable(out)


# Many inputs


def read_all(
    inputs: tuple[str, ...], model: Model, threshold: float | None, single: bool
) -> Iterator[Line]:
    """A line for each picture and for each digit of a data file."""
    from inkdigits.errors import InkdigitsError
    from inkdigits.reading import read_pictures

    things = [thing for name in inputs for thing in things_in(name)]
    done = 0
    with progress("Reading", len(things)) as tick:
        for kind, group in groupby(things, key=lambda thing: thing[0]):
            names = [name for _, name in group]
            if kind == "picture":
                for name, reading in zip(
                    names, read_pictures(names, model, threshold=threshold), strict=True
                ):
                    yield picture_line(name, reading, single)
                    done += 1
                    tick(done, "")
                continue
            for name in names:
                if kind == "empty":
                    error = f"expected pictures in {name}, got an empty folder: name another"
                    yield failure(name, error)
                elif kind == "lost":
                    error = (
                        f"expected {name} to be a file, got a link to nothing: mend or remove it"
                    )
                    yield failure(name, error)
                else:
                    try:
                        yield from data_lines(name, model, threshold)
                    except InkdigitsError as error:
                        yield failure(name, as_neither(name, error))
                done += 1
                tick(done, "")


def data_lines(name: str, model: Model, threshold: float | None) -> Iterator[Line]:
    """A line for each digit of a data file, which holds glyphs."""
    from inkdigits.sources import load

    answers = model.answer(load(name).images)
    least = answers.threshold if threshold is None else threshold
    for index, row in enumerate(answers.probabilities):
        digit = int(row.argmax())
        unnamed = bool(answers.confidence[index] < least)
        data = {
            "index": index,
            "digit": digit,
            "probability": float(row[digit]),
            "rejected": unnamed,
        }
        yield Line(data, f"{index}: {spoken(answers, index, unnamed=unnamed)}", unnamed=unnamed)


def picture_line(name: str, reading: Reading | Exception, single: bool) -> Line:
    if isinstance(reading, Exception):
        return failure(name, str(reading))
    data = {"path": name, **(reading.as_single() if single else reading.as_data())}
    return Line(data, f"{shown(name)}: {in_words(reading)}", unnamed=reading.rejected)


def failure(name: str, error: str) -> Line:
    return Line({"path": name, "error": error}, shown(f"{name}: {error}"), failed=True)


def in_words(reading: Reading) -> str:
    if reading.prepared.ink is None:
        return "nothing written"
    return spoken(reading.answers, 0, unnamed=reading.rejected)


def spoken(answers: Answers, index: int, *, unnamed: bool) -> str:
    """The digit and how sure it is; or what it might be, where it is better not named."""
    confidence = float(answers.confidence[index])
    digit = int(answers.digits[index])
    if not unnamed:
        return f"{digit}  ({per_cent(confidence, 1)})"
    none = 0.0 if answers.not_a_digit is None else float(answers.not_a_digit[index])
    if none >= confidence:
        if confidence < UNLIKELY:
            return f"not a digit  ({per_cent(none, 1)})"
        return f"not a digit?  (perhaps {digit}, {per_cent(confidence, 1)})"
    shares = answers.probabilities[index]
    second = int(shares.argsort()[-2])
    other = float(shares[second]) * (1 - none)
    return (
        f"not sure  ({digit}, {per_cent(confidence, 1)}, or {second}, {per_cent(other, 1)})"
        if other >= none
        else f"not sure  ({digit}, {per_cent(confidence, 1)}, or not a digit)"
    )


# Kaggle


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
