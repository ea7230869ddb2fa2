"""IDX, MNIST's own format: a header of big-endian integers, then bytes; plain or gzipped.

A set is two files, and the name of one gives the name of the other::

    …-images-idx3-ubyte[.gz]    00 00 08 03   N   28   28   N·784 pixels
    …-labels-idx1-ubyte[.gz]    00 00 08 01   N   N labels

(08 says "unsigned bytes", the fourth byte how many sizes follow.) Images without a labels file
beside them are images without labels.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import SIDE, Dataset
from inkdigits.errors import DataError, FileError
from inkdigits.files import written_whole

__all__ = ["read", "write"]

_GZIP = b"\x1f\x8b"
_UNSIGNED_BYTES = b"\0\0\x08"
_DEFLATE_RATIO = 1032  # deflate's best: two bits for a repetition of 258 bytes
_PIECE = 1 << 20

# The words that tell the two files of a set apart.
_IMAGES = ("images", "idx3")
_LABELS = ("labels", "idx1")


def read(path: Path) -> Dataset:
    """The images in `path`, with the labels that lie beside them.

    Raises:
        DataError: it is not IDX, does not hold what its header says, or its labels do not fit.
    """
    images = _array(path, (SIDE, SIDE))
    beside = _existing(_renamed(path, _IMAGES, _LABELS))
    labels = None if beside is None else _array(beside, ())
    try:
        return Dataset(images, labels)
    except DataError as error:
        raise DataError(f"{beside}: {error}") from error


def write(dataset: Dataset, path: Path) -> None:
    """Writes the images to `path` and the labels beside them; gzipped if it ends in `.gz`.

    Raises:
        FileError: the name has no `images` that could become `labels`, or the images have no
            labels and there is a file that would be taken for them.
    """
    labels = _renamed(path, _IMAGES, _LABELS)
    if labels is None:
        raise FileError(
            f"expected a name like digits-images-idx3-ubyte.gz, got {path}: IDX keeps the labels "
            "in a second file, named like the first with labels in place of images"
        )
    gzipped = path.suffix.lower() == ".gz"
    if dataset.labels is not None:
        # Both are complete before either takes its name.
        with written_whole(path) as new, written_whole(labels) as new_labels:
            _write_array(dataset.images, new, gzipped=gzipped)
            _write_array(dataset.labels, new_labels, gzipped=gzipped)
        return
    if stale := _existing(labels):
        raise FileError(
            f"expected no labels file beside images without labels, got {stale}: "
            "choose another name, or remove that file"
        )
    with written_whole(path) as new:
        _write_array(dataset.images, new, gzipped=gzipped)


def _array(path: Path, item: tuple[int, ...]) -> NDArray[np.uint8]:
    """The array in `path`, shape (N, *item), uint8."""
    with _content(path) as content:
        shape = _shape(content, path, item)
        header, size = 4 + 4 * len(shape), math.prod(shape)
        _check_size(path, header + size)
        # Empty memory costs nothing until it is filled, piece by piece, with what really comes.
        array = np.empty(size, np.uint8)
        filled = 0
        while piece := content.read(min(_PIECE, size - filled)):
            array[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
            filled += len(piece)
        if filled < size or content.read(1):
            raise DataError(
                f"{path}: expected {size:,} bytes after its header, got "
                f"{'fewer' if filled < size else 'more'}: get the file again"
            )
    return array.reshape(shape)


@contextmanager
def _content(path: Path) -> Iterator[BinaryIO | gzip.GzipFile]:
    """The bytes of `path`, unpacked if they are gzipped."""
    with path.open("rb") as file:
        gzipped = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        if not gzipped:
            yield file
            return
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(
                f"{path}: expected whole gzip data, got damaged ({error}): get the file again"
            ) from error


def _shape(content: BinaryIO | gzip.GzipFile, path: Path, item: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that the header gives, if it is (N, *item)."""
    magic = content.read(4)
    if len(magic) < 4 or not magic.startswith(_UNSIGNED_BYTES):
        raise DataError(
            f"{path}: expected IDX, which begins with 00 00 08, got {magic.hex(' ') or 'nothing'}: "
            "if it is another format, gzipped, unpack it first"
        )
    sizes = content.read(4 * magic[3])
    shape = tuple(int.from_bytes(sizes[at : at + 4], "big") for at in range(0, len(sizes), 4))
    if len(sizes) == 4 * magic[3] and len(shape) > 0 and shape[1:] == item:
        return shape
    hint = "only 28×28 images and their labels are read"
    if item and len(shape) == 1:
        images = _existing(_renamed(path, _LABELS, _IMAGES)) or "…-images-idx3-ubyte"
        hint = f"these are labels, name their images, {images}"
    expected = f"({', '.join(['N', *map(str, item)])})"
    raise DataError(f"{path}: expected IDX of shape {expected}, got {shape}: {hint}")


def _check_size(path: Path, promised: int) -> None:
    """Compares what a header promises with what the file can hold, before memory is taken for it.

    Raises:
        DataError: the file is cut, has more behind it, or its header lies.
    """
    with path.open("rb") as file:
        gzipped = file.read(len(_GZIP)) == _GZIP
        size = held = file.seek(0, os.SEEK_END)
        possible = promised == held
        if gzipped:
            # gzip ends with the number of bytes it holds, modulo 2**32.
            file.seek(-4, os.SEEK_END)
            held = int.from_bytes(file.read(4), "little")
            possible = promised % 2**32 == held and promised <= size * _DEFLATE_RATIO
    if not possible:
        raise DataError(
            f"{path}: expected the {promised:,} bytes that its header promises, got {held:,}"
            f"{' by the count at the end of its gzip' if gzipped else ''}: get the file again"
        )


def _renamed(path: Path, own: tuple[str, str], other: tuple[str, str]) -> Path | None:
    """The other file of a set: `a-images-idx3-ubyte.gz` is `a-labels-idx1-ubyte.gz` for images."""
    before, word, after = path.name.rpartition(own[0])
    return path.with_name(before + other[0] + after.replace(own[1], other[1])) if word else None


def _existing(path: Path | None) -> Path | None:
    """`path`, or else its twin with or without `.gz`, whichever there is."""
    if path is None:
        return None
    twin = path.with_suffix("") if path.suffix == ".gz" else path.with_name(f"{path.name}.gz")
    return next((candidate for candidate in (path, twin) if candidate.is_file()), None)


def _write_array(array: NDArray[np.uint8], path: Path, *, gzipped: bool) -> None:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    content = (_UNSIGNED_BYTES, bytes([array.ndim]), sizes, np.ascontiguousarray(array).data)
    with path.open("wb") as file:
        if not gzipped:
            file.writelines(content)
            return
        # No name and no time inside: the same digits make the same file.
        with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
            packed.writelines(content)
