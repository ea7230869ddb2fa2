"""One safetensors file: named arrays, and what it says of itself as JSON in its metadata.

Models and checkpoints are such files. Everything is checked before memory is set aside for it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.errors import FileError, ModelError
from inkdigits.files import written_whole

__all__ = ["DTYPES", "METADATA", "read_about", "read_header", "tensors", "write_container"]

METADATA = "inkdigits"  # the name of the one entry in the file's metadata
DTYPES = {"F32": "float32", "F64": "float64"}
HEADER_LIMIT = 1 << 24  # bytes: an epoch in the card's history takes about 70


def write_container(
    path: Path, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]
) -> None:
    """Writes arrays and what is to be said of them, whole or not at all.

    Raises:
        FileError: the file cannot be written.
        ModelError: `about` is too long to be read again.
    """
    import safetensors.numpy

    # One entry, because safetensors writes several in any order: one model, one file.
    metadata = {METADATA: json.dumps(about, allow_nan=False)}
    if len(metadata[METADATA]) > HEADER_LIMIT // 2:  # quoted inside the header it grows
        raise ModelError(
            f"expected a card of at most {HEADER_LIMIT // 2:,} characters, got "
            f"{len(metadata[METADATA]):,}: shorten its history"
        )
    content = safetensors.numpy.save(dict(arrays), metadata)
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def read_header(path: Path, what: str = "model") -> dict[str, Any]:
    """The JSON header: 8 bytes of length, then a record for each tensor, and the metadata.

    Raises:
        FileError: it cannot be read, or is no file.
        ModelError: it is no safetensors file, nor therefore `what` was expected.
    """
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise FileError(f"expected a {what} file, got {path}, which is no file")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(size - 8, HEADER_LIMIT):
                raise ModelError(
                    f"{path} is no {what}: expected a safetensors header of 2 to "
                    f"{min(max(size - 8, 2), HEADER_LIMIT)} bytes, its first bytes say {length}"
                )
            text = file.read(length)
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{path} is no {what}: expected a safetensors header in JSON, got other bytes"
        ) from error
    if not isinstance(header, dict):
        raise ModelError(f"{path} is no {what}: expected a JSON object as header, got a list")
    return header


def read_about(path: Path, header: dict[str, Any]) -> dict[str, Any] | None:
    """What a file says of itself in its header; None where that is nothing of ours.

    Raises:
        ModelError: it is no JSON, or holds numbers that are none.
    """
    metadata = header.get("__metadata__")
    text = metadata.get(METADATA) if isinstance(metadata, dict) else None
    try:
        about = finite(text) if isinstance(text, str) else None
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{path} has a damaged card: expected JSON, got {type(error).__name__}: {error}"
        ) from error
    return about if isinstance(about, dict) else None


def finite(text: str) -> Any:
    """What is in a JSON text, without NaN and infinite numbers."""

    def number(digits: str) -> float:
        if not math.isfinite(value := float(digits)):
            raise ValueError(f"{digits:.20} is no finite number")
        return value

    return json.loads(text, parse_float=number, parse_constant=number)


def tensors(path: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Every array in the file by its name.

    Raises:
        ModelError: the file is damaged, or an array holds what is no number.
    """
    import safetensors

    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118 (it is no mapping)
                array = file.get_tensor(name)
                if not np.isfinite(array).all():
                    raise ModelError(
                        f"{path}: expected finite weights, got infinite or no numbers in {name}"
                    )
                yield name, array
    except (safetensors.SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} is damaged: expected a whole safetensors file: {error}"
        ) from error
