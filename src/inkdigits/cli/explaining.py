"""`inkdigits read --explain` and `--out`: one picture in detail, in words and drawn."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkdigits.cli.console import per_cent, shown
from inkdigits.cli.read import Line, failure, in_words, picture_line

if TYPE_CHECKING:
    from inkdigits.model import Model
    from inkdigits.reading import Explanation

__all__ = ["explained"]

EVERY = 6  # of the 60,000 training digits, each sixth is compared: all of them would take seconds


def explained(
    inputs: tuple[str, ...],
    model: Model,
    threshold: float | None,
    single: bool,
    expected: int | None,
    out: str | None,
    wanted: bool,
) -> Iterator[Line]:
    """A line for each picture, with what its reading hangs on; drawn if asked for."""
    from inkdigits.errors import InkdigitsError
    from inkdigits.reading import explain, open_picture
    from inkdigits.reading.reader import LONGEST
    from inkdigits.sources import load

    for name in inputs:
        if Path(name).is_dir():
            raise click.UsageError(f"--explain and --out take pictures, got the folder {name}")
    among = load("mnist:train") if wanted else None
    for name in inputs:
        try:
            explanation = explain(
                open_picture(name, longest=LONGEST),
                model,
                expected=expected,
                threshold=threshold,
                among=among,
                every=EVERY,
                name=shlex.quote(f"./{name}" if name.startswith("-") else name),
            )
        except InkdigitsError as error:
            yield failure(name, str(error))
            continue
        line = picture_line(name, explanation.reading, single)
        words, data = [line.words], dict(line.data)
        if wanted:
            data["explanation"] = explanation.as_data()
            words += explanation_in_words(explanation)
        if out is not None:
            draw(
                explanation,
                f"{shown(Path(name).name)}: {in_words(explanation.reading)}",
                Path(out),
                wanted,
            )
            data["drawn"] = out
            words.append(f"drawn to {shown(out)}")
        yield Line(data, "\n".join(words), unnamed=line.unnamed)


def explanation_in_words(explanation: Explanation) -> Iterator[str]:
    yield f"  {explanation.verdict}"
    yield from (f"  {said}" for said in explanation.looks)
    if explanation.advice:
        yield "What to do:" if not explanation.right else "How firm it is:"
        yield from (f"  {shown(said)}" for said in explanation.advice)


def draw(explanation: Explanation, title: str, out: Path, wanted: bool) -> None:
    """The way of a picture to its reading, and what it hangs on, as a figure."""
    from inkdigits import plots

    reading = explanation.reading
    prepared, found = reading.prepared, explanation.nearest
    trials = [
        (f"{trial.change.name}: {trial.digit}, {per_cent(trial.confidence, 0)}", trial.glyph)
        for trial in explanation.telling
    ]
    alike = [] if found is None else zip(found.labels, found.images, strict=True)
    look = plots.Look(
        pixels=prepared.picture.pixels,
        box=None if prepared.ink is None else prepared.ink.box,
        ink=None if prepared.ink is None else prepared.ink.levels,
        glyph=prepared.glyph,
        probabilities=reading.answers.probabilities[0],
        not_a_digit=reading.not_a_digit,
        expected=explanation.expected,
        title=title,
        trials=trials if wanted else [],
        alike=[(str(label), image) for label, image in alike],
        text=[explanation.verdict, *explanation.looks, *explanation.advice] if wanted else [],
    )
    plots.save(plots.stages(look), out)
