"""What several routes take and send: a model's name, a digit, a glyph, arrays and numbers."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import numpy as np
from fastapi import Depends, Query, Request
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS, SIDE
from inkdigits.errors import DataError

__all__ = ["GLYPH_BODY", "Digit", "Glyph", "ModelName", "finite", "in_base64"]

Pixels = NDArray[np.uint8]
ModelName = Annotated[
    str, Query(alias="model", description="`reader`, or the id of a run of the lab.")
]
Digit = Annotated[int, Query(ge=0, le=DIGITS - 1)]

# What `glyph_of` takes, for the page of the API: it reads the body itself, whatever type it claims.
GLYPH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "a glyph: a byte for each pixel, row by row, 0 paper to 255 ink",
        "content": {
            "application/octet-stream": {
                "schema": {
                    "type": "string",
                    "format": "binary",
                    "minLength": SIDE * SIDE,
                    "maxLength": SIDE * SIDE,
                }
            }
        },
    }
}


async def glyph_of(request: Request) -> Pixels:
    """The glyph (28, 28), uint8, that a request's body is.

    Raises:
        DataError: the body has another length.
    """
    body = await request.body()
    if len(body) != SIDE * SIDE:
        raise DataError(
            f"expected {SIDE * SIDE} bytes, a glyph of {SIDE} × {SIDE}, got {len(body)}: "
            "send a byte for each pixel, row by row, 0 paper to 255 ink"
        )
    return np.frombuffer(body, np.uint8).reshape(SIDE, SIDE)


Glyph = Annotated[Pixels, Depends(glyph_of)]


def in_base64(values: NDArray[Any]) -> str:
    """An array's bytes, little-endian, in C order, as text."""
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    return base64.b64encode(little.tobytes()).decode("ascii")


def finite(value: Any) -> float:
    """A number that JSON has: NaN becomes 0, the infinite the largest float."""
    return float(np.nan_to_num(float(value)))
