"""Where digits come from and go to: `load` what is known by name or by content, `save` by ending.

A file's format is found by how its content begins, never by its name; only where there is no
content yet, in `save`, the ending of the path decides::

    format   content begins with                  path to save to ends in
    IDX      00 00 08, or 1f 8b when gzipped      -ubyte, .idx or .gz
    npz      PK (npz is zip)                      .npz
    CSV      text                                 .csv
    folder   a folder                             no ending

Each format is a module of two functions, `read(path) -> Dataset` and `write(dataset, path)`. They
let `OSError` pass; `load` and `save` turn it into `FileError`.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError, FileError
from inkdigits.files import existing
from inkdigits.sources import csv, folder, idx, mnist, npz

__all__ = ["load", "save"]

_HEAD = 512  # bytes that decide whether a file is text; the headers of binary formats are shorter


def load(name: str | Path) -> Dataset:
    """The digits called `name`.

    Args:
        name: `mnist` or `mnist:train` (60,000 images), `mnist:test` (10,000), `mnist:train50` (the
            first 50,000 of the 60,000), `mnist:validation` (the other 10,000); or the path of a
            CSV, IDX, gzipped IDX or npz file or of a folder of pictures. Of an npz with Keras's
            four arrays, the path alone is the training part; `PATH:train` and `PATH:test` choose.

    Raises:
        FileError: there is no such file, or it may not be read.
        DataError: the file holds something else than 28×28 digits.
    """
    try:
        if str(name) in mnist.PARTS:
            return mnist.read(str(name))
        dataset = _read(*_found(name))
    except OSError as error:
        reason = error.strerror or error
        raise FileError(f"cannot read {error.filename or name}: {reason}") from error
    if not len(dataset):
        raise DataError(f"{name}: expected at least one image, got none")
    return dataset


def save(dataset: Dataset, path: str | Path) -> None:
    """Writes `dataset` to `path`, in the format of its ending, whole or not at all.

    An existing file is replaced; a folder is made, or filled where it is empty.

    Raises:
        FileError: the ending is unknown, the folder is not empty, or the path cannot be written.
        DataError: there is nothing to save.
    """
    if str(path) in mnist.PARTS:
        raise FileError(f"expected a path to save to, got the embedded set {path}: name a file")
    if not len(dataset):
        raise DataError("expected at least one image to save, got none")
    path = Path(path)
    name = path.name.lower()
    if name.endswith(("-ubyte", ".idx", ".gz")):
        write = idx.write
    elif name.endswith(".npz"):
        write = npz.write
    elif name.endswith(".csv"):
        write = csv.write
    elif not path.suffix:
        write = folder.write
    else:
        raise FileError(
            "expected a path that ends in .csv, .npz, -images-idx3-ubyte or "
            f"-images-idx3-ubyte.gz, or a folder without an ending, got {path}"
        )
    try:
        write(dataset, path)
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror or error}") from error


def _found(name: str | Path) -> tuple[Path, str | None]:
    """The path that `name` means, and the part after its colon, if it has one.

    Raises:
        FileError: there is nothing of that name; the message says what is nearest.
    """
    stem, colon, part = str(name).rpartition(":")
    if colon and not Path(name).exists():
        if stem == "mnist":
            nearest = difflib.get_close_matches(str(name), mnist.PARTS, n=1, cutoff=0)[0]
            raise FileError(
                f"expected one of {', '.join(mnist.PARTS)}, got {name}: did you mean {nearest}?"
            )
        if Path(stem).is_file():
            return Path(stem), part
    return existing(name, among=tuple(mnist.PARTS)), None


def _read(path: Path, part: str | None) -> Dataset:
    """What `path` holds, read in the format that its content shows."""
    if path.is_dir():
        return folder.read(path)
    if not path.is_file():
        raise FileError(f"expected a file or a folder, got {path}: copy its content to a file")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return npz.read(path, part or "train")
    if part is not None:
        raise DataError(f"{path}: expected an npz to have a part {part}: leave out :{part}")
    if head.startswith((b"\0\0\x08", b"\x1f\x8b")):
        return idx.read(path)
    # What begins with a digit is a CSV even if a byte is damaged: its reader says where.
    if any(byte < ord(" ") and byte not in b"\t\n\f\r" for byte in head) and not head[:1].isdigit():
        raise DataError(
            f"{path}: expected CSV, IDX, gzipped IDX, npz or a folder of 28×28 pictures, "
            "got a binary file of another kind: convert it to one of these"
        )
    return csv.read(path)
