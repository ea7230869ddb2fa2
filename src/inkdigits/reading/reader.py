"""The reader: from a picture of handwriting to numbers with a confidence."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, Literal, overload

import numpy as np
from numpy.typing import NDArray

from inkdigits.errors import InkdigitsError, PictureError
from inkdigits.model import Model
from inkdigits.parallel import available_threads, blas_on_one_thread
from inkdigits.reading.digit import LONGEST, DigitReading, read_digit
from inkdigits.reading.flat import Flat, flattened
from inkdigits.reading.numbers import Group, is_strange, numbers_in, settled
from inkdigits.reading.page import Writing, find_writing
from inkdigits.reading.paths import Path as Path_
from inkdigits.reading.paths import Step
from inkdigits.reading.picture import Picture, open_picture
from inkdigits.reading.segment import DIGIT, lattices

__all__ = [
    "LONGEST_PAGE",
    "UNSURE",
    "Number",
    "ReadDigit",
    "Reading",
    "read",
    "read_picture",
    "read_pictures",
]

Box = tuple[int, int, int, int]
Pixels = NDArray[np.uint8]

LONGEST_PAGE = 2000  # pixels of the longer side on which numbers are looked for
PALE = 0.6  # of the usual ink's strength
DOUBTFUL = 0.25  # where no digit of a number is as probable, nothing was written there
BESIDE = 0.5  # of the digit's height: with something as tall left out, it is not alone
OVERLOOKED = 0.5  # of a number's confidence, where ink of a digit's size beside it is not read
AHEAD = 4  # pictures that a thread may be ahead of whoever takes the readings
UNSURE = "?"  # stands for a digit that is better not named


@dataclass(frozen=True)
class ReadDigit:
    """One digit in a picture.

    Args:
        digit: 0 to 9.
        probability: that it is one, and that one.
        box: x, y, width, height in the picture's own pixels.
    """

    digit: int
    probability: float
    box: Box


@dataclass(frozen=True)
class Number:
    """Digits that belong together.

    Args:
        text: the digits in reading order; `?` for one that is better not named; `.`, `,` and `-`
            where such a sign was written.
        confidence: that all of it is right.
        box: x, y, width, height in the picture's own pixels.
        digits: one by one.
        line: of writing, from 0 at the top of the page.
    """

    text: str
    confidence: float
    box: Box
    digits: list[ReadDigit]
    line: int = 0


@dataclass(frozen=True, eq=False)
class Reading:
    """What a picture says.

    Args:
        picture: as it was opened.
        numbers: in reading order.
        threshold: a digit of less confidence is better not named.
        alone: the picture as one digit.
        single: whether that is the answer, and not what the page says.
        lone: whether a page holds one thing at most, and no rules or boxes for it to stand in.
    """

    picture: Picture
    numbers: list[Number]
    threshold: float
    alone: DigitReading | None = None
    single: bool = False
    lone: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.picture.size

    @property
    def lines(self) -> list[list[Number]]:
        """The numbers of each line of writing."""
        return [list(line) for _, line in groupby(self.numbers, key=lambda number: number.line)]

    @property
    def text(self) -> str:
        """The numbers, with a space between; a line of text for each of writing."""
        return "\n".join(" ".join(number.text for number in line) for line in self.lines)

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"size": list(self.size), "numbers": [asdict(number) for number in self.numbers]}


def read(picture: Picture, model: Model, *, threshold: float | None = None) -> Reading:
    """Reads the numbers in a picture.

    What it is as one digit is asked first: where that explains all the ink, it is the answer. Else
    the page is read too, and the two are weighed.

    Args:
        picture: from `open_picture`.
        model: what answers.
        threshold: of a digit's confidence; None for the model's own.
    """
    sheet = flattened(picture.pixels)
    alone = read_digit(on_sheet(picture, sheet).reduced(LONGEST), model, threshold=threshold)
    worth = worth_alone(alone)
    if worth < 0.5:
        page = read_page(picture, sheet, alone, model)
        if page is not None and (weighed := against(page, alone, worth)) is not None:
            return weighed
    reading = read_alone(picture, sheet, alone)
    if accompanied(alone):
        numbers = [
            replace(each, confidence=OVERLOOKED * each.confidence) for each in reading.numbers
        ]
        return replace(reading, numbers=numbers)
    return reading


def against(page: Reading, alone: DigitReading, worth: float) -> Reading | None:
    """A page's reading, as sure as it is beside what the picture says as one digit; None where
    that is the better one.
    """
    sure = math.prod(number.confidence for number in page.numbers)
    digits = [digit.digit for number in page.numbers for digit in number.digits]
    if page.lone:  # the same ink seen in two ways
        if digits != [alone.digit]:
            return None
        (number,) = page.numbers
        confidence = (number.confidence + alone.confidence) / 2
        text = str(alone.digit) if confidence >= page.threshold else UNSURE
        digit = replace(number.digits[0], probability=confidence)
        numbers = [replace(number, text=text, confidence=confidence, digits=[digit])]
        return replace(page, numbers=numbers)
    if not digits or worth > sure:
        return None
    share = sure / (sure + worth) if worth else 1.0
    numbers = [replace(each, confidence=each.confidence * share) for each in page.numbers]
    return replace(page, numbers=numbers)


def read_page(
    picture: Picture, sheet: Flat | None, alone: DigitReading, model: Model
) -> Reading | None:
    """What a picture says as a page; None where nothing on it stands out from paper."""
    pixels, matrix = (picture.pixels, np.eye(3)) if sheet is None else (sheet.pixels, sheet.matrix)
    paths, writing = best_paths(pixels, model)
    if writing is None:
        return None
    to_picture = np.diag([picture.scale, picture.scale, 1]) @ matrix @ writing.matrix
    numbers: list[Number] = []
    line = 0
    for path in paths:
        found = []
        for group in numbers_in(path):
            digits = [step for step in group.steps if step.candidate.role == DIGIT]
            if max(step.probability for step in digits) >= DOUBTFUL:
                sure = OVERLOOKED if overlooked(group, path, writing) else 1.0
                number = number_of(path, group, alone.threshold, to_picture, picture.size, line)
                found.append(replace(number, confidence=sure * number.confidence))
        numbers += found
        line += bool(found)
    lone = sum(len(written(path)) for path in paths) < 2 and not writing.ruled
    return Reading(picture, numbers, alone.threshold, alone, lone=lone)


def on_sheet(picture: Picture, sheet: Flat | None) -> Picture:
    """The picture, or the straightened sheet in it."""
    if sheet is None:
        return picture
    height, width, _ = sheet.pixels.shape
    return Picture(sheet.pixels, (width, height))


def worth_alone(alone: DigitReading) -> float:
    """How probable it is that a picture holds one digit, that one, and nothing else."""
    ink = alone.prepared.ink
    if ink is None or accompanied(alone):
        return 0.0
    return alone.confidence * (1 - ink.left_out)


def accompanied(alone: DigitReading) -> bool:
    """Whether ink about as tall as the digit was left out."""
    ink = alone.prepared.ink
    return ink is not None and ink.beside > BESIDE


def overlooked(group: Group, path: Path_, writing: Writing) -> bool:
    """Whether ink as large as a digit, too faint to be read, stands beside a number."""
    height = path.lattice.line.height
    lefts, tops, rights, bottoms = zip(*(step.candidate.edges for step in group.steps), strict=True)
    x, y, width, tall = writing.faint.T
    digit = (tall > 0.6 * height) & (tall < 1.6 * height) & (width < 1.6 * height)
    beside = np.maximum(min(lefts) - (x + width), x - max(rights)) < height
    down = np.minimum(y + tall, max(bottoms)) - np.maximum(y, min(tops))
    return bool((digit & beside & (down > 0.5 * tall)).any())


def best_paths(pixels: Pixels, model: Model) -> tuple[list[Path_], Writing | None]:
    """How each line of a page is read; as ink of the other kind where more of that is digits."""
    writing = find_writing(pixels)
    paths = paths_of(writing, model)
    sure, share = sureness(paths)
    others: list[dict[str, bool]] = []
    if writing is None:
        others = [{"dark": True}, {"dark": False}]
    elif sure < 0.5 or writing.doubtful:
        others = [{"dark": not writing.dark}]
    if writing is not None and writing.panelled:
        others.append({"dark": writing.dark, "panels": False})
    for how in others:
        other = find_writing(pixels, **how)
        if other is None or (writing is not None and pale(other, writing)):
            continue
        found = paths_of(other, model)
        surer, more = sureness(found)
        # What is light between strokes looks like a digit here and there; writing does all along.
        if more > 0.5 and surer * more**2 > sure * share**2:
            paths, sure, share, writing = found, surer, more, other
    return paths, writing


def paths_of(writing: Writing | None, model: Model) -> list[Path_]:
    """The best paths of all lines."""
    return [] if writing is None else [settled(each) for each in lattices(writing, model)]


def sureness(paths: list[Path_]) -> tuple[float, float]:
    """How many digits they are sure of, and how much of what is written that is."""
    steps = [step for path in paths for step in path.steps]
    sure = sum(step.probability for step in steps if step.candidate.role == DIGIT)
    return sure, sure / max(1, sum(len(written(path)) for path in paths))


def pale(one: Writing, other: Writing) -> bool:
    """Whether one is much fainter than the other: what is light between strokes is no light ink."""
    if min(len(one.typical), len(other.typical)) < 2:  # no ink but paper
        return False
    return bool(np.median(one.typical[1:]) < PALE * np.median(other.typical[1:]))


def written(path: Path_) -> list[Step]:
    """The steps that may be digits or letters."""
    height = path.lattice.line.height
    return [
        step
        for step in path.steps
        if step.candidate.role == DIGIT or is_strange(step.candidate, height)
    ]


def is_none(alone: DigitReading) -> bool:
    """Whether a picture as one digit is none: it is blank, or shows something else."""
    none = alone.not_a_digit
    return alone.prepared.ink is None or (alone.rejected and none is not None and none > 0.5)


def read_alone(picture: Picture, sheet: Flat | None, alone: DigitReading) -> Reading:
    """The one digit of a picture, or of the sheet in it; nothing where what is there is none."""
    if is_none(alone):
        return Reading(picture, [], alone.threshold, alone, single=True)
    box = alone.prepared.box
    if sheet is not None:
        x, y, across, down = box
        to_picture = np.diag([picture.scale, picture.scale, 1]) @ sheet.matrix
        box = placed((x, y, x + across, y + down), to_picture, picture.size)
    text = UNSURE if alone.rejected else str(alone.digit)
    digit = ReadDigit(alone.digit, alone.confidence, box)
    number = Number(text, alone.confidence, box, [digit])
    return Reading(picture, [number], alone.threshold, alone, single=True)


def number_of(
    path: Path_,
    group: Group,
    least: float,
    matrix: NDArray[np.float64],
    size: tuple[int, int],
    line: int,
) -> Number:
    """A number as it is given: its text, and its boxes in the picture's own pixels."""
    digits, text = [], ""
    for step in group.steps:
        if step.candidate.role == DIGIT:
            box = placed(step.candidate.edges, matrix, size)
            digits.append(ReadDigit(int(step.said), step.probability, box))
            text += step.said if step.probability >= least else UNSURE
        else:
            text += step.said
    lefts, tops, rights, bottoms = zip(*(step.candidate.edges for step in group.steps), strict=True)
    box = placed((min(lefts), min(tops), max(rights), max(bottoms)), matrix, size)
    return Number(text, group.certainty * path.probability(group.steps), box, digits, line)


def placed(
    edges: tuple[int, int, int, int], matrix: NDArray[np.float64], size: tuple[int, int]
) -> Box:
    """The upright box about a box on the page: x, y, width, height in the picture's own pixels."""
    left, top, right, bottom = edges
    corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]])
    moved = corners @ matrix.T
    x, y = (np.clip(moved[:, axis] / moved[:, 2], 0, size[axis]) for axis in (0, 1))
    left, top = math.floor(x.min()), math.floor(y.min())
    return left, top, max(1, math.ceil(x.max()) - left), max(1, math.ceil(y.max()) - top)


def read_picture(
    source: str | Path | BinaryIO | bytes, model: Model, *, threshold: float | None = None
) -> Reading:
    """Opens a picture and reads the numbers in it; arguments as those of `read`.

    Raises:
        FileError: there is no such file.
        PictureError: it is no picture that we can open.
    """
    return read(open_picture(source, longest=LONGEST_PAGE), model, threshold=threshold)


@overload
def read_pictures(
    paths: Iterable[str | Path],
    model: Model,
    *,
    single: Literal[False] = False,
    threshold: float | None = None,
    threads: int | None = None,
) -> Iterator[Reading | InkdigitsError]: ...


@overload
def read_pictures(
    paths: Iterable[str | Path],
    model: Model,
    *,
    single: bool,
    threshold: float | None = None,
    threads: int | None = None,
) -> Iterator[Reading | DigitReading | InkdigitsError]: ...


def read_pictures(
    paths: Iterable[str | Path],
    model: Model,
    *,
    single: bool = False,
    threshold: float | None = None,
    threads: int | None = None,
) -> Iterator[Reading | DigitReading | InkdigitsError]:
    """Reads a picture after the other, in their order, on several threads.

    Each is opened when its turn is near, and forgotten when its reading was taken: memory does not
    grow with their number.

    Args:
        paths: of pictures.
        model: what answers.
        single: whether each shows one digit, and is read by `read_digit`.
        threshold: as for `read`.
        threads: at most so many; None for as many as the machine has. The readings are the same.

    Yields:
        The reading of each, or the error that `read_picture` raises; a PictureError also where
        memory or OpenCV fails, so that one picture costs no other its reading.
    """
    import cv2

    def tried(path: str | Path) -> Reading | DigitReading | InkdigitsError:
        try:
            if single:
                return read_digit(open_picture(path, longest=LONGEST), model, threshold=threshold)
            return read_picture(path, model, threshold=threshold)
        except InkdigitsError as error:
            return error
        except (MemoryError, cv2.error) as error:
            what = (
                "too little memory" if isinstance(error, MemoryError) else "one that OpenCV refuses"
            )
            return PictureError(
                f"expected {path} to be a picture that can be read, got {what}: scale or crop it"
            )

    workers = available_threads() if threads is None else threads
    waiting: deque[Future[Reading | DigitReading | InkdigitsError]] = deque()
    pool = ThreadPoolExecutor(workers)
    # Held all the while: set anew for each picture, by several threads, it takes 30 ms a time.
    with blas_on_one_thread():
        try:
            for path in paths:
                waiting.append(pool.submit(tried, path))
                if len(waiting) >= AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)  # after Ctrl-C, what nobody waits for is not begun
