"""`inkdigits read --explain` and `--out`: one picture in detail, in words and drawn."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from inkdigits.cli.console import per_cent, shown
from inkdigits.cli.reading_line import Line, failure, in_words, picture_line

if TYPE_CHECKING:
    from inkdigits.dataset import Dataset
    from inkdigits.model import Model
    from inkdigits.reading import Explanation, Picture, ReadDigit, Reading

__all__ = ["explained"]

EVERY = 6  # of the 60,000 training digits, each sixth is compared: all of them would take seconds
MARGIN = 0.3  # of a digit's longer side: so much paper is cut out around it


def explained(
    inputs: tuple[str, ...],
    model: Model,
    threshold: float | None,
    single: bool,
    expected: int | None,
    out: str | None,
    wanted: bool,
    *,
    box: int | None = None,
) -> Iterator[Line]:
    """A line for each picture, with what its reading hangs on; drawn if asked for.

    Args:
        inputs: names of pictures.
        model: what answers.
        threshold: of a digit's confidence; None for the model's own.
        single: one digit a picture.
        expected: which digit it should be that is explained.
        out: name of the figure: of a page with what was read on it, where a digit of it is not
            explained; else of the way from picture to digit.
        wanted: whether to explain.
        box: which of a page's digits to explain, from 1 in reading order; None for the least sure.
    """
    from inkdigits.errors import InkdigitsError
    from inkdigits.reading import read_picture
    from inkdigits.sources import load

    for name in inputs:
        if Path(name).is_dir():
            raise click.UsageError(f"--explain and --out take pictures, got the folder {name}")
    if box is not None and (single or len(inputs) != 1):
        given = "--single" if single else f"{len(inputs)} pictures"
        raise click.UsageError(f"--box names one of the digits on a page, got {given}")
    among = load("mnist:train") if wanted else None
    for name in inputs:
        try:
            page = None if single else read_picture(name, model, threshold=threshold)
            place = None if page is None else chosen(page, box, shown(name))
            if page is not None and place is not None and not wanted and out is not None:
                yield drawn_page(name, page, out)
                continue
            explanation = explanation_of(name, page, place, model, threshold, expected, among)
        except InkdigitsError as error:
            yield failure(name, str(error))
            continue
        yield line_of(name, page, place, explanation, out, wanted, told=box is None)


def digits_of(page: Reading) -> list[ReadDigit]:
    return [digit for number in page.numbers for digit in number.digits]


def chosen(page: Reading, box: int | None, name: str) -> int | None:
    """The place of the digit to be explained, from 0; None where the picture is read as one."""
    digits = digits_of(page)
    if box is not None and not 1 <= box <= len(digits):
        if not digits:
            raise click.UsageError(f"--box names a digit, and {name} has none: leave it away")
        raise click.UsageError(
            f"expected --box from 1 to {len(digits)}, the last digit of {name}, got {box}: "
            "--out without --explain draws which is which"
        )
    if page.single or not digits:
        return None
    if box is not None:
        return box - 1
    return min(range(len(digits)), key=lambda place: digits[place].probability)


def explanation_of(
    name: str,
    page: Reading | None,
    place: int | None,
    model: Model,
    threshold: float | None,
    expected: int | None,
    among: Dataset | None,
) -> Explanation:
    """Why the digit in a picture was read as it was, or that at one place of a page."""
    from inkdigits.reading import LONGEST, explain, open_picture

    left = top = 0
    # A page is nothing that a digit could be learned from, so no command is advised for it.
    called = shlex.quote(f"./{name}" if name.startswith("-") else name) if place is None else None
    if page is None or place is None:
        alone = None if page is None else page.alone
        picture = open_picture(name, longest=LONGEST) if alone is None else alone.prepared.picture
    else:
        picture, left, top = cut_out(name, page.size, digits_of(page), place)
        threshold = page.threshold if threshold is None else threshold
    explanation = explain(
        picture,
        model,
        expected=expected,
        threshold=threshold,
        among=among,
        every=EVERY,
        name=called,
    )
    if explanation.seen is None:
        return explanation
    x, y, width, height = explanation.seen.box
    return replace(
        explanation, seen=replace(explanation.seen, box=(x + left, y + top, width, height))
    )


def cut_out(
    name: str, size: tuple[int, int], digits: Sequence[ReadDigit], place: int
) -> tuple[Picture, int, int]:
    """A digit of a page in full detail, with paper around it and where its neighbours are.

    Returns:
        The picture, and its left and upper end in the page's pixels.
    """
    from inkdigits.reading import LONGEST, Picture, open_picture

    x, y, width, height = digits[place].box
    margin = math.ceil(MARGIN * max(width, height))
    left, top = max(0, x - margin), max(0, y - margin)
    right, bottom = min(size[0], x + width + margin), min(size[1], y + height + margin)
    share = min(1.0, LONGEST / max(right - left, bottom - top))
    whole = open_picture(name, longest=max(1, round(share * max(size))))

    scale = whole.scale

    def part(box: tuple[int, int, int, int]) -> tuple[slice, slice]:
        """Rows and columns of a box, as far as it is on the picture that is cut out."""
        across = max(0, box[0] - left), max(0, box[0] + box[2] - left)
        down = max(0, box[1] - top), max(0, box[1] + box[3] - top)
        return (
            slice(int(down[0] / scale), math.ceil(down[1] / scale)),
            slice(int(across[0] / scale), math.ceil(across[1] / scale)),
        )

    pixels = whole.pixels[
        int(top / scale) : math.ceil(bottom / scale), int(left / scale) : math.ceil(right / scale)
    ].copy()
    neighbours = np.zeros(pixels.shape[:2], np.bool_)
    for digit in digits:
        neighbours[part(digit.box)] = True
    paper = ~neighbours
    neighbours[part(digits[place].box)] = False
    if paper.any():
        pixels[neighbours] = np.median(pixels[paper], axis=0).astype(np.uint8)
    return Picture(pixels, (right - left, bottom - top)), left, top


def line_of(
    name: str,
    page: Reading | None,
    place: int | None,
    explanation: Explanation,
    out: str | None,
    wanted: bool,
    *,
    told: bool,
) -> Line:
    """What there is to say of a picture whose digit, or one of whose digits, is explained.

    Args:
        name: of the picture.
        page: its reading; None where it shows one digit.
        place: of the digit on the page, from 0; None where there is no choice.
        explanation: of that digit.
        out: name of the figure.
        wanted: whether the explanation is to be told.
        told: whether to say that it is the least sure.
    """
    line = picture_line(name, explanation.reading if page is None else page, page is None)
    words, data, title = [line.words], dict(line.data), shown(Path(name).name)
    if wanted:
        data["explanation"] = explanation.as_data()
        if page is not None and place is not None:
            digits = digits_of(page)
            which = f"digit {place + 1} of {len(digits)}"
            least = ", the least sure" if told else ""
            read_as = f"{digits[place].digit}, {per_cent(digits[place].probability, 1)}"
            words.append(f"{which.capitalize()}{least} ({read_as}), by itself:")
            data["explanation"]["box"] = place + 1
            title += f", {which}"
        words += explanation_in_words(explanation)
    if out is not None:
        draw(explanation, f"{title}: {in_words(explanation.reading)}", Path(out), wanted)
        data["drawn"] = out
        words.append(f"drawn to {shown(out)}")
    return replace(line, data=data, words="\n".join(words))


def drawn_page(name: str, page: Reading, out: str) -> Line:
    """What was read on a page, which is drawn with it."""
    from inkdigits import plots
    from inkdigits.reading import UNSURE

    numbers, unsure = [], 0
    for number in page.numbers:
        signs = [sign for sign in number.text if sign == UNSURE or sign.isdigit()]
        doubts = [sign == UNSURE for sign in signs]
        unsure += sum(doubts)
        likeliest = (str(digit.digit) for digit in number.digits)
        text = "".join(
            next(likeliest) if sign == UNSURE or sign.isdigit() else sign for sign in number.text
        )
        boxes = [digit.box for digit in number.digits]
        marked = plots.Marked(
            text=text, box=number.box, digits=list(zip(boxes, doubts, strict=True))
        )
        numbers.append(marked)
    several = "number" if len(numbers) == 1 else "numbers"
    title = f"{shown(Path(name).name)}: {len(numbers)} {several}"
    if unsure:
        title += f", {unsure} of {len(digits_of(page))} digits not sure ({UNSURE})"
    plots.save(
        plots.overlay(
            plots.Page(pixels=page.picture.pixels, size=page.size, numbers=numbers, title=title)
        ),
        out,
    )
    line = picture_line(name, page)
    words = f"{line.words}\ndrawn to {shown(out)}"
    return replace(line, data={**line.data, "drawn": out}, words=words)


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
