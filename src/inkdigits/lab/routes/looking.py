"""The Look view: what every layer makes of a glyph, how a number comes about, what is mixed up."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Response
from numpy.typing import NDArray

from inkdigits.errors import DataError
from inkdigits.evaluation import report
from inkdigits.inspection import activations, unit_arithmetic
from inkdigits.lab.findings import SEEN, Findings, Shelf
from inkdigits.lab.routes.wire import GLYPH_BODY, Digit, Glyph, ModelName, finite, in_base64

__all__ = ["looking_router"]

MOST_IMAGES = 500
MOST_EXCITING = 100

Data = Literal["mnist:train50", "mnist:validation", "mnist:test"]
Count = Annotated[int, Query(ge=1, le=MOST_EXCITING)]
Position = Annotated[int, Query(ge=0)]


def looking_router(shelf: Shelf, findings: Findings | None = None) -> APIRouter:
    """The routes of the Look view, and of the pictures that all views show.

    Args:
        shelf: of the models.
        findings: to be shared with other routes; None for some of its own.
    """
    found = findings or Findings(shelf)
    router = APIRouter(tags=["look"])

    @router.post("/api/lab/look/activations", openapi_extra=GLYPH_BODY)
    def look_at_activations(glyph: Glyph, name: ModelName = "reader") -> dict[str, Any]:
        """What each layer makes of the glyph."""
        asked = shelf.model(name)
        answers = asked.answer(glyph[np.newaxis])
        layers = []
        for activation in activations(asked.network, glyph):
            values = as_float32(activation.values)
            layers.append(
                {
                    "position": activation.position,
                    "kind": activation.kind,
                    "code": activation.code,
                    "shape": list(values.shape),
                    "low": float(values.min()),
                    "high": float(values.max()),
                    "values": in_base64(values),
                }
            )
        return {
            "layers": layers,
            "probabilities": [finite(p) for p in answers.probabilities[0]],
            "not_a_digit": None if answers.not_a_digit is None else finite(answers.not_a_digit[0]),
        }

    @router.post("/api/lab/look/unit", openapi_extra=GLYPH_BODY)
    def look_at_unit(
        glyph: Glyph,
        layer: Position,
        unit: Position,
        row: Position | None = None,
        column: Position | None = None,
        name: ModelName = "reader",
    ) -> dict[str, Any]:
        """How the number of one unit comes about, cell by cell."""
        about = unit_arithmetic(shelf.model(name).network, glyph, layer, unit, row, column)
        return {
            "kind": about.kind,
            "code": about.code,
            "formula": about.formula,
            "note": about.note,
            "patch": as_cells(about.patch),
            "origin": list(about.origin),
            "weights": None if about.weights is None else as_cells(about.weights),
            "bias": finite(about.bias),
            "numbers": {name: finite(number) for name, number in about.numbers.items()},
            "chosen": about.chosen,
            "sum": finite(about.sum),
            "value": finite(about.value),
        }

    @router.get("/api/lab/look/exciting")
    def look_at_exciting(
        layer: Position, unit: Position, count: Count = 12, name: ModelName = "reader"
    ) -> dict[str, Any]:
        """Which validation digits excite a unit most."""
        most = found.exciting(name, layer, unit, count)
        return {
            "data": SEEN,
            "among": len(found.digits(SEEN)),
            "indices": most.indices.tolist(),
            "values": [finite(value) for value in most.values],
            "places": None if most.places is None else most.places.tolist(),
        }

    @router.get("/api/lab/look/backquery")
    def look_at_backquery(name: ModelName = "reader") -> dict[str, str]:
        """Each digit as the model imagines it."""
        return {"digits": in_base64(found.imagined(name))}

    @router.get("/api/lab/look/confusion")
    def look_at_confusion(name: ModelName = "reader") -> dict[str, Any]:
        """How often each validation digit (row) was read as each (column)."""
        scores = report(found.digits(SEEN).known_labels, found.answers(name).probabilities)
        return {
            "data": SEEN,
            "counts": scores.confusion.tolist(),
            "correct": scores.correct,
            "accuracy": scores.accuracy,
            "total": scores.total,
        }

    @router.get("/api/lab/look/confusion/cell")
    def look_at_confusion_cell(
        label: Digit, answer: Digit, name: ModelName = "reader"
    ) -> dict[str, Any]:
        """The validation digits of this label that were read so, the most confident first."""
        answers = found.answers(name)
        labels = found.digits(SEEN).known_labels
        there = np.flatnonzero((labels == label) & (answers.digits == answer))
        there = there[np.argsort(-answers.confidence[there], kind="stable")]
        confidence = [finite(value) for value in answers.confidence[there]]
        return {"data": SEEN, "indices": there.tolist(), "confidence": confidence}

    @router.get("/api/lab/images", response_class=Response)
    def images(data: Data, indices: Annotated[str, Query(max_length=10_000)]) -> Response:
        """Embedded digits, 784 bytes each, in the order asked for; Labels in a header."""
        digits = found.digits(data)
        chosen = checked_indices(indices, len(digits))
        return Response(
            digits.images[chosen].tobytes(),
            media_type="application/octet-stream",
            headers={
                "Cache-Control": "private, max-age=86400",
                "Labels": ",".join(map(str, digits.known_labels[chosen])),
            },
        )

    return router


def checked_indices(text: str, count: int) -> list[int]:
    """Numbers between commas, each from 0 to count − 1.

    Raises:
        DataError: there is something else, or too many of them.
    """
    parts = text.split(",")
    if len(parts) > MOST_IMAGES:
        raise DataError(f"expected {MOST_IMAGES} indices or fewer, got {len(parts)}: ask twice")
    for part in parts:
        number = part.isascii() and part.isdigit() and len(part) <= len(str(count))
        if not number or int(part) >= count:
            raise DataError(
                f"expected indices from 0 to {count - 1} with commas between them, "
                f"got {part!r:.40}: ask for 1,2,3, say"
            )
    return [int(part) for part in parts]


def as_float32(values: NDArray[Any]) -> NDArray[np.float32]:
    """The same values as finite float32: what is too large becomes the largest there is, NaN 0."""
    most = float(np.finfo(np.float32).max)
    wide = np.nan_to_num(values.astype(np.float64))
    return np.clip(wide, -most, most).astype(np.float32)


def as_cells(values: NDArray[np.float64]) -> dict[str, Any]:
    """An array for JSON: its shape, and its values as float32."""
    return {"shape": list(values.shape), "values": in_base64(as_float32(values))}
