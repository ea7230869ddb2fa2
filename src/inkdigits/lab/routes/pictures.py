"""Pictures that are sent: as the body or in a form, whole or a part, or refused in words."""

from __future__ import annotations

import math
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any, BinaryIO

import numpy as np
from fastapi import Query, Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from inkdigits.errors import PictureError
from inkdigits.reading import LONGEST, Picture, open_picture
from inkdigits.reading.reader import LONGEST_PAGE
from inkdigits.reading.screening import HEAD, kind_of

__all__ = ["PICTURE_BODY", "Part", "opened", "picture_of", "readable"]

SPOOLED = 1 << 20  # bytes of a picture that are kept in memory while it comes in
WHAT = "what was sent"  # what messages call the picture
MARGIN = 0.12  # of a box's longer side, around what is read of it

Part = Annotated[
    str | None,
    Query(
        pattern=r"^\d{1,6}(,\d{1,6}){3}$",
        description="x,y,width,height of a digit's box: the digit there is read, and no other.",
    ),
]

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


def opened(file: BinaryIO, part: str | None = None, *, longest: int = LONGEST) -> Picture:
    """The picture in a file that was sent, as the reader takes it.

    Args:
        file: what was sent.
        part: the box of the digit in it that is wanted, as `Part`.
        longest: a longer side is reduced to so many pixels.

    Raises:
        HTTPException: it is no picture of a kind that we read.
        PictureError: it is one that cannot be read, or has no such part.
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
        # A part is read of what the page was read of.
        picture = open_picture(file, longest=LONGEST_PAGE if part else longest, name=WHAT)
    except PictureError as error:
        raise HTTPException(415 if kind_of(head) is None else 422, str(error)) from error
    return part_of(picture, part).reduced(LONGEST) if part else picture


def part_of(picture: Picture, part: str) -> Picture:
    """A digit's box with a little around it, as a picture of its own.

    Raises:
        PictureError: it is not within the picture.
    """
    x, y, width, height = map(int, part.split(","))
    margin = MARGIN * max(width, height)
    edges = x - margin, y - margin, x + width + margin, y + height + margin
    left, top, right, bottom = (max(0.0, edge / picture.scale) for edge in edges)
    pixels = picture.pixels[
        math.floor(top) : math.ceil(bottom), math.floor(left) : math.ceil(right)
    ]
    if not pixels.size:
        across, down = picture.size
        raise PictureError(
            f"expected a part of the picture's {across} × {down} pixels, got {part}: "
            "send a box of its answer"
        )
    tall, wide, _ = pixels.shape
    size = round(wide * picture.scale), round(tall * picture.scale)
    return Picture(np.ascontiguousarray(pixels), size)


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
