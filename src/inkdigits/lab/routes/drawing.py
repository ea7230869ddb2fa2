"""The Draw view: why a drawing is read as it is, what it looks like, and what was taught."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import replace
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from inkdigits.errors import DataError
from inkdigits.inspection import Nearest
from inkdigits.lab.findings import LEARNED, Findings
from inkdigits.lab.models import ModelShelf
from inkdigits.lab.routes.pictures import PICTURE_BODY, Part, opened, picture_of, readable
from inkdigits.lab.routes.wire import GLYPH_BODY, Digit, Glyph, ModelName, finite, in_base64
from inkdigits.lab.store import Store
from inkdigits.reading import Explanation, explain
from inkdigits.sources.keeping import counts, drop, keep, kept

__all__ = ["drawing_router"]

NEAREST = 8
MOST_NEAREST = 50

STATE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


class Correction(BaseModel):
    """A digit that the user taught."""

    id: str
    label: int
    glyph: str


class Corrections(BaseModel):
    """All of them, the newest first."""

    corrections: list[Correction]
    counts: list[int]


class Taught(BaseModel):
    """What became of a digit that was just taught."""

    id: str
    label: int
    news: str
    counts: list[int]


class Counts(BaseModel):
    """How many digits of each label are kept."""

    counts: list[int]


def drawing_router(store: Store, shelf: ModelShelf, findings: Findings) -> APIRouter:
    """The routes of the Draw view.

    Args:
        store: keeps the page's state and the digits that are taught.
        shelf: of the models.
        findings: knows what looks alike to them.
    """
    router = APIRouter(tags=["draw"])
    one_at_a_time = threading.Lock()  # two labels for one digit would both move it

    @router.get("/api/lab/state", response_model=dict[str, Any])
    def state() -> Response:
        """What the page last kept of itself."""
        # As ASCII: a page may keep half a letter, which no other encoding has.
        return Response(json.dumps(store.state()), media_type="application/json")

    @router.put("/api/lab/state", openapi_extra=STATE_BODY)
    async def keep_state(request: Request) -> dict[str, bool]:
        """Keeps the page's own state: any JSON object."""
        content = object_in(await request.body())
        await run_in_threadpool(store.keep_state, content)
        return {"kept": True}

    @router.post("/api/lab/explain", openapi_extra=PICTURE_BODY)
    async def explain_it(
        request: Request,
        name: ModelName = "reader",
        expected: Digit | None = None,
        part: Part = None,
    ) -> dict[str, Any]:
        """Why a picture is read as it is: what the answer hangs on, and what looks like it."""

        def explained(file: BinaryIO) -> dict[str, Any]:
            with readable():
                found = explain(opened(file, part), shelf.model(name), expected=expected, name=None)
            return explanation(found, name, findings)

        async with picture_of(request) as file:
            return await run_in_threadpool(explained, file)

    @router.post("/api/lab/nearest", openapi_extra=GLYPH_BODY)
    def nearest(
        glyph: Glyph,
        name: ModelName = "reader",
        count: Annotated[int, Query(ge=1, le=MOST_NEAREST)] = NEAREST,
    ) -> dict[str, Any]:
        """The training digits that look most like a glyph to the model."""
        return alike(findings.nearest(name, glyph, count))

    @router.get("/api/lab/corrections")
    def corrections() -> Corrections:
        """The digits that the user taught, the newest first."""
        own = kept(store.corrections)
        each = [Correction(id=one.name, label=one.label, glyph=in_base64(one.glyph)) for one in own]
        return Corrections(corrections=each, counts=counts(store.corrections))

    @router.post("/api/lab/corrections", openapi_extra=GLYPH_BODY)
    def correct(glyph: Glyph, label: Digit) -> Taught:
        """Keeps a digit under its label; one that is kept under another moves."""
        if not glyph.any():
            raise DataError("expected a digit, got a glyph without ink: draw one first")
        store.make()
        with one_at_a_time:
            path, news = keep(glyph, label, store.corrections)
            return Taught(
                id=path.stem, label=label, news=f"{news} {label}", counts=counts(store.corrections)
            )

    @router.delete("/api/lab/corrections/{name}")
    def forget(name: str) -> Counts:
        """Removes a digit that was taught."""
        with one_at_a_time:
            drop(name, store.corrections)
            return Counts(counts=counts(store.corrections))

    return router


def object_in(body: bytes) -> dict[str, Any]:
    """The JSON object that a body holds.

    Raises:
        DataError: it holds something else.
    """

    def number(text: str) -> float:
        value = float(text)
        if not math.isfinite(value):
            raise ValueError(f"{text:.20} is no number that can be kept")
        return value

    try:
        content = json.loads(body, parse_constant=number, parse_float=number)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"expected a JSON object, got what is none ({error!s:.100}): send {{…}}"
        ) from error
    if not isinstance(content, dict):
        raise DataError(f"expected a JSON object, got {type(content).__name__}: send {{…}}")
    return content


def explanation(found: Explanation, name: str, findings: Findings) -> dict[str, Any]:
    """An explanation as it is sent, with what looks alike to the model."""
    prepared = found.reading.prepared
    if prepared.ink is not None:
        found = replace(found, nearest=findings.nearest(name, prepared.glyph, NEAREST))
    data = found.as_data()
    return {
        **data,
        "looks": found.looks,
        "digit": found.reading.digit,
        "confidence": found.reading.confidence,
        "rejected": found.reading.rejected,
        "trials": [
            {**told, "changes": trial.changed, "glyph": in_base64(trial.glyph)}
            for told, trial in zip(data["trials"], found.trials, strict=True)
        ],
        "nearest": alike(found.nearest),
    }


def alike(nearest: Nearest | None) -> dict[str, Any]:
    """What looks alike, as it is sent; nothing where nothing was drawn."""
    if nearest is None:
        return {"data": LEARNED, "indices": [], "labels": [], "similarity": [], "among": 0}
    return {
        "data": LEARNED,
        "indices": nearest.indices.tolist(),
        "labels": nearest.labels.tolist(),
        "similarity": [finite(value) for value in nearest.similarity],
        "among": nearest.among,
    }
