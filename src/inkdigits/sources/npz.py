"""npz, NumPy's zip of arrays, with Keras's names: x_train and y_train, x_test and y_test.

An npz may hold pickled objects, whose loading runs code, and its headers may promise far more than
the file holds. So the headers are read here, as text, and compared with the zip's own sizes before
memory is taken; only integers are read.
"""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import SIDE, Dataset
from inkdigits.errors import DataError
from inkdigits.files import written_whole

__all__ = ["read", "write"]

_DEFLATE_RATIO = 1032  # deflate's best: two bits for a repetition of 258 bytes
_PIECE = 1 << 20

# Inside the zip, an npy file: magic, version, the header's length, the header as a Python literal.
_MAGIC = b"\x93NUMPY"
_HEADER = re.compile(
    r"\{\s*'descr':\s*'(?P<type>[^']*)',\s*'fortran_order':\s*(?P<fortran>True|False),"
    r"\s*'shape':\s*\((?P<shape>[\d\s,]{,100})\),?\s*\}\s*",
    re.ASCII,
)
_LONGEST_HEADER = 10_000  # NumPy's own limit
_INTEGER = re.compile(r"[<>|=]?[iu][1248]")

# What zipfile raises where a zip is damaged, encrypted or of a kind that it does not know.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, struct.error)


class _Header(NamedTuple):
    shape: tuple[int, ...]
    type: str
    fortran_order: bool
    data_at: int  # bytes before the data


def read(path: Path, part: str = "train") -> Dataset:
    """The images `x_<part>` of `path`, with the labels `y_<part>` if there are any.

    Raises:
        DataError: there is no such part, it holds something else than integers 0 to 255 of shape
            (N, 28, 28), or the file is damaged or lies about its sizes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive, path.stat().st_size)
            if f"x_{part}.npy" not in archive.namelist():
                raise DataError(_no_such_part(part, archive.namelist()))
            images = _array(archive, f"x_{part}", (SIDE, SIDE))
            labelled = f"y_{part}.npy" in archive.namelist()
            return Dataset(images, _array(archive, f"y_{part}", ()) if labelled else None)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except _DAMAGE as error:
        raise DataError(
            f"{path}: expected a whole npz, got a damaged zip ({error}): get the file again"
        ) from error


def write(dataset: Dataset, path: Path) -> None:
    """Writes the images as `x_train` and, where there are any, the labels as `y_train`."""
    # In memory first: where the disk is full, NumPy before 2.1 would leave its zip open.
    packed = io.BytesIO()
    if dataset.labels is None:
        np.savez_compressed(packed, x_train=dataset.images)
    else:
        np.savez_compressed(packed, x_train=dataset.images, y_train=dataset.labels)
    with written_whole(path) as new:
        new.write_bytes(packed.getbuffer())


def _check_sizes(archive: zipfile.ZipFile, held: int) -> None:
    """Compares what the zip's entries promise with the `held` bytes of the file.

    Raises:
        DataError: no deflated data could be as large as promised.
    """
    for member in archive.infolist():
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(
                "expected arrays stored or deflated, got another compression: save anew"
            )
        if member.file_size > _DEFLATE_RATIO * min(member.compress_size, held):
            raise DataError(
                f"expected arrays that fit the file's {held:,} bytes, got one that promises "
                f"{member.file_size:,}: get the file again"
            )


def _no_such_part(part: str, names: list[str]) -> str:
    parts = [known for known in ("train", "test") if f"x_{known}.npy" in names]
    if parts:
        return f"expected the part {' or '.join(parts)}, got {part}: name it after a colon"
    held = ", ".join(names)[:60]
    return f"expected an array x_train (and y_train), got {held!a}: save the digits by those names"


def _array(archive: zipfile.ZipFile, name: str, item: tuple[int, ...]) -> NDArray[np.uint8]:
    """The array `name`, shape (N, *item), as uint8."""
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as file:
        header = _header(file, name)
        if not _INTEGER.fullmatch(header.type):
            raise DataError(
                f"expected {name} as uint8, got {header.type[:20]!a}: undo any scaling and "
                "save it as uint8; Python objects are never loaded"
            )
        if len(header.shape) != 1 + len(item) or header.shape[1:] != item:
            expected = f"({', '.join(['N', *map(str, item)])})"
            raise DataError(f"expected {name} of shape {expected}, got {header.shape}: reshape it")
        dtype, size = np.dtype(header.type), math.prod(header.shape)
        if header.data_at + size * dtype.itemsize != member.file_size:
            raise DataError(
                f"expected {name} of shape {header.shape}, as its header promises, got "
                f"{member.file_size:,} bytes in all: get the file again"
            )
        values = _values(file, name, dtype, size)
    if header.fortran_order:
        return values.reshape(header.shape[::-1]).T
    return values.reshape(header.shape)


def _header(file: IO[bytes], name: str) -> _Header:
    """What the npy header of `file` says; the file then stands at the data."""
    start = file.read(8)
    # Version 1 counts the header's length in two bytes, later ones in four.
    counter = file.read(2 if start[6:7] == b"\1" else 4)
    length = int.from_bytes(counter, "little")
    text = file.read(min(length, _LONGEST_HEADER)).decode("latin-1")
    found = _HEADER.fullmatch(text)
    if not start.startswith(_MAGIC) or found is None:
        raise DataError(
            f"expected {name} as one array of numbers, got something else: save it anew"
        )
    return _Header(
        shape=tuple(int(size) for size in found["shape"].replace(",", " ").split()),
        type=found["type"],
        fortran_order=found["fortran"] == "True",
        data_at=len(start) + len(counter) + length,
    )


def _values(file: IO[bytes], name: str, dtype: np.dtype[Any], size: int) -> NDArray[np.uint8]:
    """The next `size` integers of `file`, piece by piece, shape (size,), as uint8."""
    values = np.empty(size, np.uint8)
    for start in range(0, size, _PIECE):
        wanted = min(_PIECE, size - start)
        piece = np.frombuffer(file.read(wanted * dtype.itemsize), dtype)
        if len(piece) < wanted:
            raise EOFError(f"{name} is cut")
        if piece.min() < 0 or piece.max() > 255:
            raise DataError(
                f"expected {name} from 0 to 255, got {piece.min()} to {piece.max()}: undo scaling"
            )
        values[start : start + wanted] = piece
    return values
