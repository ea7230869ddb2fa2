"""The reader: from a picture to a glyph, and from the glyph to numbers with a confidence."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import SIDE
from inkdigits.errors import InkdigitsError, PictureError
from inkdigits.glyph import deskewed, glyph_of, turned
from inkdigits.model import Answers, Model
from inkdigits.parallel import available_threads, blas_on_one_thread
from inkdigits.reading.ink import Choices, Ink, find_ink
from inkdigits.reading.picture import Picture, open_picture

__all__ = [
    "LONGEST",
    "UNSURE",
    "Number",
    "Prepared",
    "ReadDigit",
    "Reading",
    "prepare",
    "read",
    "read_picture",
    "read_pictures",
]

Box = tuple[int, int, int, int]

LONGEST = 1000  # pixels of the longer side on which ink is looked for
AHEAD = 4  # pictures that a thread may be ahead of whoever takes the readings
UNSURE = "?"  # stands for a digit that is better not named


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture on its way to the network: each stage, for whoever wants to see it.

    Args:
        picture: as it was opened.
        ink: what was written on it; None where nothing stands out.
        glyph: shape (28, 28), uint8: what the network sees; all paper where there is no ink.
    """

    picture: Picture
    ink: Ink | None
    glyph: NDArray[np.uint8]

    @property
    def box(self) -> Box:
        """x, y, width, height of the digit in the picture's own pixels; all of it without ink."""
        width, height = self.picture.size
        if self.ink is None:
            return 0, 0, width, height
        x, y, across, down = (round(value * self.picture.scale) for value in self.ink.box)
        return x, y, min(across, width - x), min(down, height - y)


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
        text: the digits in reading order; `?` for one that is better not named.
        confidence: that all of them are right.
        box: x, y, width, height in the picture's own pixels.
        digits: one by one.
    """

    text: str
    confidence: float
    box: Box
    digits: list[ReadDigit]


@dataclass(frozen=True, eq=False)
class Reading:
    """What a picture says.

    Args:
        prepared: the picture, and what was made of it.
        answers: what the model says, of one glyph.
        threshold: an answer of less confidence is better not given.
    """

    prepared: Prepared
    answers: Answers
    threshold: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.prepared.picture.size

    @property
    def digit(self) -> int:
        """The most probable one, whether or not it is better not named."""
        return int(self.answers.digits[0])

    @property
    def confidence(self) -> float:
        """How probable it is that this is a digit, and that one; 0 where there is no ink."""
        return float(self.answers.confidence[0]) if self.prepared.ink is not None else 0.0

    @property
    def rejected(self) -> bool:
        """Whether the digit is better not named: there is none, or which it is is not clear."""
        return self.prepared.ink is None or self.confidence < self.threshold

    @property
    def not_a_digit(self) -> float | None:
        """How probable it is that this is none; None where the model has not learned to tell."""
        if self.answers.not_a_digit is None:
            return None
        return float(self.answers.not_a_digit[0]) if self.prepared.ink is not None else 1.0

    @property
    def numbers(self) -> list[Number]:
        """In reading order: the one digit, or nothing where there is no ink."""
        if self.prepared.ink is None:
            return []
        text = UNSURE if self.rejected else str(self.digit)
        digit = ReadDigit(self.digit, self.confidence, self.prepared.box)
        return [Number(text, self.confidence, self.prepared.box, [digit])]

    @property
    def text(self) -> str:
        """The numbers, with a space between."""
        return " ".join(number.text for number in self.numbers)

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"size": list(self.size), "numbers": [asdict(number) for number in self.numbers]}

    def as_single(self) -> dict[str, Any]:
        """Plain data for JSON, for one digit a picture."""
        probabilities = self.answers.probabilities[0]
        return {
            "digit": self.digit,
            "probability": float(probabilities[self.digit]),
            "probabilities": probabilities.tolist(),
            "not_a_digit": self.not_a_digit,
            "rejected": self.rejected,
        }


def prepare(picture: Picture, choices: Choices | None = None) -> Prepared:
    """The ink of the one digit in a picture, and its glyph.

    Args:
        picture: from `open_picture`.
        choices: what is decided already; None leaves everything to the picture.
    """
    choices = choices or Choices()
    return prepared_from(picture, find_ink(picture.pixels, choices), choices)


def prepared_from(picture: Picture, ink: Ink | None, choices: Choices) -> Prepared:
    """What is made of ink that was found; arguments as those of `prepare`."""
    if ink is None:
        return Prepared(picture, None, np.zeros((SIDE, SIDE), np.uint8))
    levels = ink.levels
    if choices.threshold < 1:  # the faint ink that was let in must be seen too
        levels = np.minimum(levels / choices.threshold, 255).astype(np.uint8)
    if choices.deskew:
        levels = deskewed(levels)
    if choices.rotation_degrees:
        levels = turned(levels, choices.rotation_degrees)
    glyph = glyph_of(levels, widths=choices.widths, centred=choices.centred)
    return Prepared(picture, ink, glyph)


def read(
    picture: Picture,
    model: Model,
    *,
    choices: Choices | None = None,
    threshold: float | None = None,
) -> Reading:
    """Reads the one digit in a picture.

    Args:
        picture: from `open_picture`.
        model: what answers.
        choices: as for `prepare`.
        threshold: of the confidence; None for the model's own.
    """
    prepared = prepare(picture, choices)
    answers = model.answer(prepared.glyph[np.newaxis])
    return Reading(prepared, answers, answers.threshold if threshold is None else threshold)


def read_picture(
    source: str | Path | BinaryIO | bytes, model: Model, *, threshold: float | None = None
) -> Reading:
    """Opens a picture and reads the one digit in it; arguments as those of `read`.

    Raises:
        FileError: there is no such file.
        PictureError: it is no picture that we can open.
    """
    return read(open_picture(source, longest=LONGEST), model, threshold=threshold)


def read_pictures(
    paths: Iterable[str | Path],
    model: Model,
    *,
    threshold: float | None = None,
    threads: int | None = None,
) -> Iterator[Reading | InkdigitsError]:
    """Reads a picture after the other, in their order, on several threads.

    Each is opened when its turn is near, and forgotten when its reading was taken: memory does not
    grow with their number.

    Args:
        paths: of pictures.
        model: what answers.
        threshold: as for `read`.
        threads: at most so many; None for as many as the machine has. The readings are the same.

    Yields:
        The reading of each, or the error that `read_picture` raises; a PictureError also where
        memory or OpenCV fails, so that one picture costs no other its reading.
    """
    import cv2

    def tried(path: str | Path) -> Reading | InkdigitsError:
        try:
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
    waiting: deque[Future[Reading | InkdigitsError]] = deque()
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
