"""`inkdigits read --job`: thousands of pictures in a folder that a killed run goes on from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inkdigits.cli.console import progress, shown, warn
from inkdigits.cli.inputs import things_in
from inkdigits.cli.reading_line import counted

if TYPE_CHECKING:
    from inkdigits.model import Model
    from inkdigits.reading.job import Job

__all__ = ["read_job"]

NAMED = 10  # pictures that cannot be read, for a person; all are in the readings


def read_job(
    folder: str,
    inputs: tuple[str, ...],
    name: str,
    model: Model,
    *,
    threshold: float | None,
    single: bool,
    workers: int | None,
    as_json: bool,
    take: Callable[[dict[str, Any]], None],
) -> tuple[int, int, int]:
    """Reads what has not been read yet, then says what there is in the readings.

    Args:
        folder: of the job.
        inputs: pictures and folders of them.
        name: that `model` was loaded by, as it is again in each process.
        model: what answers.
        threshold: of the confidence; None for the model's own.
        single: one digit a picture.
        workers: processes; None for as many as the machine can run.
        as_json: print the readings.
        take: called with the data of each, in their order.

    Returns:
        how many digits were left unnamed, how many there are, and how many pictures have failed.
    """
    from inkdigits.formats import load_model
    from inkdigits.reading.job import Job

    with Job.open(
        folder,
        pictures_in(folder, inputs),
        model,
        inputs=inputs,
        threshold=threshold,
        single=single,
    ) as job:
        if job.added:
            warn(
                f"{job.added:,} pictures have come since the job in {folder} was begun, and are "
                "not read: give them a job of their own"
            )
        try:
            with progress("Reading", job.total) as tick:
                job.run(
                    partial(load_model, name), workers=workers, progress=lambda done: tick(done, "")
                )
        except KeyboardInterrupt:
            warn(
                f"stopped with {job.done:,} of {job.total:,} pictures read: the same command goes "
                "on from there"
            )
            raise click.exceptions.Exit(130) from None
        return told(job, as_json, take)


def pictures_in(folder: str, inputs: tuple[str, ...]) -> Iterator[str]:
    """The names of all pictures that are meant."""
    place = Path(folder).resolve()
    for name in inputs:
        if Path(name).is_dir() and place.is_relative_to(Path(name).resolve()):
            raise click.UsageError(
                f"expected --job to be a folder beside the pictures, got {folder}, which lies "
                f"among those of {name}: name another"
            )
    for name in inputs:
        for kind, thing in things_in(name):
            if kind == "data":
                raise click.UsageError(f"--job reads pictures, got {name}: leave it away")
            if kind != "empty":
                yield thing


def told(job: Job, as_json: bool, take: Callable[[dict[str, Any]], None]) -> tuple[int, int, int]:
    """Prints the readings, or a summary of them."""
    numbers, unnamed, digits, failed = 0, 0, 0, 0
    for line in job.lines():
        data = json.loads(line)
        take(data)
        if as_json:
            print(line)
        if "error" in data:
            failed += 1
            if not as_json and failed <= NAMED:
                print(shown(f"{data['path']}: {data['error']}"))
            continue
        some, all_of_them = counted(data)
        unnamed, digits = unnamed + some, digits + all_of_them
        numbers += len(data.get("numbers", "1"))
    if not as_json:
        if failed > NAMED:
            print(f"and {failed - NAMED:,} more that cannot be read")
        what = "digits" if job.manifest.single else "numbers"
        print(
            shown(
                f"{job.total:,} pictures, {numbers:,} {what}, {failed:,} cannot be read: a line of "
                f"JSON for each in {job.readings}"
            )
        )
    return unnamed, digits, failed
