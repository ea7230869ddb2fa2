"""For programs: pictures in, digits out; and what there is to know of the models that read.

The shapes of the answers are written down as types, so that `/openapi.json` describes them.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any, BinaryIO

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from inkdigits.errors import InkdigitsError
from inkdigits.lab.models import ModelShelf
from inkdigits.lab.routes.pictures import PICTURE_BODY, Part, opened, picture_of, readable
from inkdigits.lab.routes.wire import ModelName, in_base64
from inkdigits.model import Model
from inkdigits.reading import (
    LONGEST,
    UNSURE,
    DigitReading,
    Reading,
    read,
    read_digit,
)
from inkdigits.reading.reader import LONGEST_PAGE, read_alone
from inkdigits.reading.table import rows

__all__ = ["encoded", "reading_router"]

STAGE, STAGE_PAGE = 480, LONGEST  # pixels of the longer side of a stage that is shown

Box = tuple[int, int, int, int]


class About(BaseModel):
    """A model that can be asked."""

    name: str = Field(description="To name it by.")
    title: str = Field(description="To show to people.")
    recipe: str
    parameters: int
    tells_digits: bool = Field(description="Whether it knows what is no digit.")
    calibrated: bool = Field(description="Whether its confidence was measured.")
    scores: dict[str, Any]


class Models(BaseModel):
    """All models that can be asked."""

    models: list[About]


class LayerOf(BaseModel):
    """One layer of a network."""

    position: int
    kind: str
    code: str = Field(description="What computes it.")
    shape: list[int] = Field(description="Of what it gives for one glyph.")
    parameters: int
    words: str


class Whole(About):
    """A model with all that is known of it."""

    layers: list[LayerOf]
    card: dict[str, Any]
    fingerprint: str = Field(description="SHA-256 of its weights.")


class DigitRead(BaseModel):
    """One digit in a picture."""

    digit: int
    probability: float
    box: Box = Field(description="x, y, width, height in the picture's own pixels.")


class NumberRead(BaseModel):
    """Digits that belong together."""

    text: str = Field(description="With ? for a digit that is better not named.")
    confidence: float
    box: Box
    digits: list[DigitRead]
    line: int = Field(description="Of writing, from 0 at the top.")


class Stages(BaseModel):
    """What became of the picture on its way."""

    picture: str = Field(description="PNG in base64: upright; 480 pixels or fewer, a page 1,000.")
    ink: str | None = Field(description="PNG in base64, as large: 0 paper, 255 ink.")
    scale: float = Field(description="The picture's own pixels per pixel of these.")


class Answer(BaseModel):
    """What a picture says."""

    model: str
    size: tuple[int, int] = Field(description="Width and height of the picture.")
    digit: int = Field(description="The most probable, whether or not it is rejected.")
    probability: float = Field(description="Of that digit, if it is one.")
    probabilities: list[float] = Field(description="Of the ten digits; they sum to 1.")
    not_a_digit: float | None = Field(description="null where the model has not learned to tell.")
    confidence: float = Field(description="That it is a digit, and that one.")
    rejected: bool = Field(description="Whether the digit is better not named.")
    numbers: list[NumberRead]
    rows: list[list[str]] = Field(
        description="Their texts by lines, all of one length; in columns, if in a table."
    )
    box: Box | None = Field(description="Of the digit; null where nothing was found.")
    glyph: str | None = Field(None, description="784 bytes in base64: what the network saw.")
    stages: Stages | None = None


def reading_router(shelf: ModelShelf) -> APIRouter:
    """`/api/models`, `/api/models/{name}` and `/api/read`."""
    router = APIRouter(tags=["reading"])

    @router.get("/api/models")
    def models() -> Models:
        """The models that can be asked."""
        known = []
        for name in shelf.names():
            with suppress(InkdigitsError):  # one that is damaged is named when it is asked
                known.append(about(shelf, name))
        return Models(models=known)

    @router.get("/api/models/{name}")
    def model(name: str) -> Whole:
        """All that is known of a model."""
        loaded = shelf.model(name)
        return Whole(
            **dict(about(shelf, name)),
            layers=layers_of(loaded),
            card=asdict(loaded.card),
            fingerprint=loaded.fingerprint,
        )

    @router.post("/api/read", openapi_extra=PICTURE_BODY, response_model_exclude_unset=True)
    async def read_it(
        request: Request,
        name: ModelName = "reader",
        glyph: Annotated[bool, Query(description="Whether to show what the network saw.")] = False,
        stages: Annotated[bool, Query(description="And all that became of it before.")] = False,
        single: Annotated[
            bool,
            Query(description="Whether there is one digit: no others are looked for; quicker."),
        ] = False,
        part: Part = None,
    ) -> Answer:
        """Reads the numbers in a picture, and what it is as one digit.

        It is a PNG, JPEG, BMP, GIF, TIFF or WEBP. Of a part, `size` and boxes are the part's own.
        """

        def answered(file: BinaryIO) -> Answer:
            with readable():
                model = shelf.model(name)
                if single or part:
                    one = read_digit(opened(file, part), model)
                    reading = read_alone(one.prepared.picture, None, one)
                else:
                    reading = read(opened(file, longest=LONGEST_PAGE), model)
                return answer(reading, name, glyph=glyph or stages, stages=stages)

        async with picture_of(request) as file:
            return await run_in_threadpool(answered, file)

    return router


def about(shelf: ModelShelf, name: str) -> About:
    return About(name=name, title=shelf.title(name), **asdict(shelf.summary(name)))


def layers_of(model: Model) -> list[LayerOf]:
    """The layers in their order, each with the place of its code."""
    layers, shape = [], model.network.input_shape
    for position, layer in enumerate(model.network.layers):
        shape = layer.output_shape(shape)
        kind = type(layer)
        layers.append(
            LayerOf(
                position=position,
                kind=kind.__name__,
                code=f"network/{kind.__module__.rpartition('.')[2]}.py: {kind.__name__}.forward",
                shape=list(shape),
                parameters=sum(int(np.prod(each)) for each in layer.shapes.values()),
                words=str(layer),
            )
        )
    return layers


def answer(reading: Reading, name: str, *, glyph: bool, stages: bool) -> Answer:
    """What is sent: the numbers of the picture, and what it is as one digit."""
    assert reading.alone is not None  # `read` and `read_alone` have it
    one, table = reading.alone, rows(reading)
    longest = max(map(len, table), default=0)
    digits = [(number, digit) for number in reading.numbers for digit in number.digits]
    shown: dict[str, Any] = {**one.as_single(), "confidence": one.confidence, "box": None}
    if one.prepared.ink is not None and one.size == reading.size:  # else of a sheet made straight
        shown["box"] = one.prepared.box
    if len(digits) == 1:  # one picture, one answer
        ((number, digit),) = digits
        shown |= {"digit": digit.digit, "confidence": number.confidence, "box": digit.box}
        shown |= {"probability": one.answers.probabilities[0, digit.digit]}
        shown |= {"rejected": UNSURE in number.text}
    if glyph:
        shown["glyph"] = in_base64(one.prepared.glyph)
    if stages:
        shown["stages"] = stages_of(reading, one, STAGE_PAGE if len(digits) > 1 else STAGE)
    return Answer(
        model=name,
        rows=[[*row, *[""] * (longest - len(row))] for row in table],
        **reading.as_data(),
        **shown,
    )


def stages_of(reading: Reading, one: DigitReading, longest: int) -> Stages:
    """The picture, and its ink as one digit where that is not of a sheet made straight."""
    picture, ink = reading.picture, one.prepared.ink
    height, width, _ = picture.pixels.shape
    share = min(1, longest / max(height, width))
    size = max(1, round(width * share)), max(1, round(height * share))
    own = ink is not None and one.size == picture.size
    return Stages(
        picture=encoded(picture.pixels, size),
        ink=encoded(ink.levels, size) if ink is not None and own else None,
        scale=max(picture.size) / max(size),
    )


def encoded(pixels: NDArray[np.uint8], size: tuple[int, int]) -> str:
    """Grey or coloured pixels, scaled to a width and height, as PNG in base64."""
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    image = Image.fromarray(pixels)
    if image.size != size:
        image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2)
    image.save(file, "PNG", compress_level=1)  # it goes no further than this machine
    return base64.b64encode(file.getvalue()).decode()
