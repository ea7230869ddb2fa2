"""`inkdigits read`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inkdigits.cli.console import Command, json_option, per_cent, print_json, progress
from inkdigits.cli.inputs import as_neither, things_in
from inkdigits.cli.reading_line import Line, failure, in_words, picture_line, spoken
from inkdigits.cli.reading_sheet import Sheet, write_submission

if TYPE_CHECKING:
    from inkdigits.model import Model

__all__ = ["Line", "command", "failure", "in_words", "picture_line"]

EXAMPLES = """
    inkdigits read page.jpg                                    the numbers on a page
    inkdigits read page.jpg --csv page.csv --out seen.png      as a table; and where each was seen
    inkdigits read photo.jpg --explain --expected 7            why it was read wrongly, what to do
    inkdigits read pictures --single --json                    a digit each, a JSON line a picture
    inkdigits read pictures --error-budget 1%                  leave unnamed what may be wrong
    inkdigits read scans --job scans.job                       thousands: killed, it goes on
    inkdigits read test.csv --submission submission.csv        Kaggle's test file
"""


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


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for, besides the inputs: an entry an option of the command."""

    model: str
    single: bool
    error_budget: float | None
    csv: str | None
    job: str | None
    workers: int | None
    explain: bool
    expected: int | None
    box: int | None
    out: str | None
    submission: str | None
    as_json: bool


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
@click.option(
    "--csv", metavar="CSV", help="Write the numbers as a sheet, in the rows and columns of a table."
)
@click.option(
    "--job",
    metavar="FOLDER",
    help="Keep the readings of thousands of pictures there; a run that was killed goes on.",
)
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="At most so many processes of a job."
)
@click.option("--explain", is_flag=True, help="Say what the answer hangs on, and what to do.")
@click.option("--expected", type=click.IntRange(0, 9), metavar="D", help="What it should be.")
@click.option(
    "--box", type=click.IntRange(min=1), metavar="N", help="Explain the Nth digit of the page."
)
@click.option("--out", metavar="PICTURE", help="Draw how one picture was read.")
@click.option(
    "--submission", metavar="CSV", help="Write the digits of one data file as ImageId,Label."
)
@json_option
def command(inputs: tuple[str, ...], **given: Any) -> int:
    """Read numbers from pictures, photos and scans of any size, and digits from files of them.

    A picture is a page of numbers, or of one. A digit that is better not named is a question mark.
    A data file (CSV, IDX, npz) is taken as it is, a line for each record. What cannot be read is
    named in its place, and the command fails in the end.
    """
    from inkdigits.formats import load_model

    options = Options(**given)
    check_options(inputs, options)
    reader = load_model(options.model)
    if options.submission is not None:
        write_submission(inputs[0], reader, Path(options.submission), options.as_json)
        return 0
    budget = options.error_budget
    threshold = None if budget is None else reader.threshold_within(budget)
    sheet = Sheet(options.csv, named=len(inputs) > 1 or Path(inputs[0]).is_dir())
    if options.job is not None:
        from inkdigits.cli.reading_job import read_job

        unnamed, total, failed = read_job(
            options.job,
            inputs,
            options.model,
            reader,
            threshold=threshold,
            single=options.single,
            workers=options.workers,
            as_json=options.as_json,
            take=sheet.take,
        )
    else:
        unnamed, total, failed = 0, 0, 0
        for line in lines_of(inputs, reader, threshold, options):
            failed += line.failed
            unnamed += line.unnamed
            total += line.digits
            sheet.take(line.data)
            if options.as_json:
                print_json(line.data)
            else:
                print(line.words, flush=True)
    sheet.write(told=not options.as_json)
    if threshold is not None and budget is not None and not options.as_json:
        print(
            f"{unnamed:,} of {total:,} left unnamed: at most {per_cent(budget)} wrong is "
            f"promised from a confidence of {per_cent(threshold)} on"
        )
    return int(failed > 0)


def check_options(inputs: tuple[str, ...], options: Options) -> None:
    """What goes together, before anything is done."""
    drawn = options.explain or options.out is not None
    if options.submission is not None:
        if len(inputs) != 1:
            raise click.UsageError(f"--submission takes one data file, got {len(inputs)}")
        if drawn or options.error_budget is not None:
            raise click.UsageError(
                "--submission names every digit and draws none: leave --explain, --out and "
                "--error-budget away"
            )
        if options.csv is not None or options.job is not None:
            raise click.UsageError("--submission is of a data file: leave --csv and --job away")
    for name, value in (("--expected", options.expected), ("--box", options.box)):
        if value is not None and not options.explain:
            raise click.UsageError(f"{name} says what --explain is to explain: add --explain")
    if options.job is not None and drawn:
        raise click.UsageError("--job is for thousands: explain and draw one picture without it")
    if options.workers is not None and options.job is None:
        raise click.UsageError("--workers is how many processes do a --job: add --job")
    if options.csv is not None:
        if not options.csv.lower().endswith(".csv"):
            raise click.UsageError(
                f"--csv writes a file whose name ends in .csv, got {options.csv}"
            )
        for name in inputs:
            if any(kind == "data" for kind, _ in things_in(name)):
                raise click.UsageError(
                    f"--csv is of pictures, got {name}: --submission is of a data file"
                )
    if options.out is not None:
        out = Path(options.out)
        if len(inputs) != 1:
            raise click.UsageError(f"--out draws one picture, got {len(inputs)}: name one")
        if out.exists() and Path(inputs[0]).exists() and out.samefile(inputs[0]):
            raise click.UsageError(f"--out would replace the picture {out}: choose another name")
        from inkdigits.plots.paper import drawable

        drawable(options.out)


# Many inputs


def lines_of(
    inputs: tuple[str, ...], model: Model, threshold: float | None, options: Options
) -> Iterator[Line]:
    """A line for each input, explained and drawn where that was asked for."""
    if not options.explain and options.out is None:
        return read_all(inputs, model, threshold, options.single)
    from inkdigits.cli.explaining import explained

    return explained(
        inputs,
        model,
        threshold,
        options.single,
        options.expected,
        options.out,
        options.explain,
        box=options.box,
    )


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
                readings = read_pictures(names, model, threshold=threshold, single=single)
                for name, reading in zip(names, readings, strict=True):
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
        yield Line(
            data, f"{index}: {spoken(answers, index, unnamed=unnamed)}", unnamed=int(unnamed)
        )
