"""For programs: pictures in, digits out; and what there is to know of the models that read.

The shapes of the answers are written down as types, so that `/openapi.json` describes them.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict
from typing import Annotated, Any, BinaryIO

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from inkdigits.errors import InkdigitsError, PictureError
from inkdigits.lab.models import ModelShelf
from inkdigits.lab.routes.wire import ModelName, in_base64
from inkdigits.model import Model
from inkdigits.reading import (
    LONGEST,
    DigitReading,
    Picture,
    Prepared,
    Reading,
    open_picture,
    read,
    read_digit,
)
from inkdigits.reading.screening import HEAD, kind_of

__all__ = [
    "PICTURE_BODY",
    "encoded",
    "opened",
    "picture_of",
    "readable",
    "reading_router",
]

SPOOLED = 1 << 20  # bytes of a picture that are kept in memory while it comes in
STAGE = 480  # pixels of the longer side of a stage that is shown
WHAT = "what was sent"  # what messages call the picture

Box = tuple[int, int, int, int]

PICTURE: dict[str, Any] = {"type": "string", "format": "binary", "description": "PNG, JPEG, …"}
PICTURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": PICTURE},
            "image/*": {"schema": PICTURE},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"picture": PICTURE},
                    "required": ["picture"],
                }
            },
        },
    }
}


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

    picture: str = Field(description="PNG in base64: upright, 480 pixels or fewer.")
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
    ) -> Answer:
        """Reads the digit in a picture: PNG, JPEG, BMP, GIF, TIFF or WEBP."""

        def answered(file: BinaryIO) -> Answer:
            with readable():
                picture, model = opened(file), shelf.model(name)
                page, one = read(picture, model), read_digit(picture, model)
                return answer(page, one, name, glyph=glyph or stages, stages=stages)

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


def answer(page: Reading, one: DigitReading, name: str, *, glyph: bool, stages: bool) -> Answer:
    """What is sent: the numbers of the picture, and what it is as one digit."""
    prepared = one.prepared
    found = None if prepared.ink is None else prepared.box
    shown: dict[str, Any] = {}
    if glyph:
        shown["glyph"] = in_base64(prepared.glyph)
    if stages:
        shown["stages"] = stages_of(prepared)
    return Answer(
        model=name,
        confidence=one.confidence,
        box=found,
        **page.as_data(),
        **one.as_single(),
        **shown,
    )


def stages_of(prepared: Prepared) -> Stages:
    picture, ink = prepared.picture, prepared.ink
    height, width, _ = picture.pixels.shape
    share = min(1, STAGE / max(height, width))
    size = max(1, round(width * share)), max(1, round(height * share))
    return Stages(
        picture=encoded(picture.pixels, size),
        ink=None if ink is None else encoded(ink.levels, size),
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


# Pictures that come in


@asynccontextmanager
async def picture_of(request: Request) -> AsyncIterator[BinaryIO]:
    """The picture's bytes: the body as it is, or the field `picture` of a form.

    Raises:
        HTTPException: there is no such field, or the form cannot be read.
    """
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        try:
            form = await request.form(max_files=1, max_fields=8, max_part_size=SPOOLED)
        except (LookupError, UnicodeError) as error:
            raise HTTPException(
                400, f"expected a form in UTF-8, got one that cannot be read ({error!s:.80})"
            ) from error
        try:
            yield field_of(form).file
        finally:
            await form.close()
        return
    with tempfile.SpooledTemporaryFile(SPOOLED) as file:
        async for part in request.stream():
            file.write(part)
        yield file  # type: ignore[misc]  # a BinaryIO in all but its type


def field_of(form: FormData) -> UploadFile:
    """The field `picture` of a form.

    Raises:
        HTTPException: it has none, or that holds no file.
    """
    picture = form.get("picture")
    if isinstance(picture, UploadFile):
        return picture
    came = ", ".join(form)[:80] or "none"
    raise HTTPException(
        422,
        f"expected a form with a file in the field picture, got the fields {came}: "
        "send the file as picture",
    )


def opened(file: BinaryIO) -> Picture:
    """The picture in a file that was sent, as the reader takes it.

    Raises:
        HTTPException: it is no picture of a kind that we read.
        PictureError: it is one that cannot be read.
    """
    file.seek(0)
    head = file.read(HEAD)
    if kind_of(head) is None and head.lstrip()[:1] in (b"{", b"["):
        raise HTTPException(
            415,
            "expected a picture's own bytes, or a form with the field picture, got JSON: send the "
            "file as it is, as with curl --data-binary @picture.png",
        )
    try:
        return open_picture(file, longest=LONGEST, name=WHAT)
    except PictureError as error:
        raise HTTPException(415 if kind_of(head) is None else 422, str(error)) from error


@contextmanager
def readable() -> Iterator[None]:
    """A block in which a picture is read: OpenCV's own errors become ours.

    Raises:
        PictureError: OpenCV cannot work with the picture.
    """
    import cv2

    try:
        yield
    except cv2.error as error:
        raise PictureError(
            f"expected {WHAT} to be a picture that can be read, got one that OpenCV refuses: "
            "scale or crop it"
        ) from error
