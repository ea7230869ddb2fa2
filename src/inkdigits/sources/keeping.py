"""Keeping: single digits put into a folder that is a data set, each in it once.

What a user teaches comes one by one, and may be taught otherwise later: so a glyph's file has its
name from its content, and lies in the folder of its label and in no other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS
from inkdigits.errors import DataError, FileError
from inkdigits.files import written_whole
from inkdigits.sources.folder import pixels_of

__all__ = ["Kept", "counts", "drop", "keep", "kept"]

NAME = 16  # letters of a glyph's SHA-256 in its file's name: no two glyphs are ever likely to meet


@dataclass(frozen=True, eq=False)
class Kept:
    """A digit that is kept.

    Args:
        path: of its file; the name without its ending tells it from all others.
        label: 0 to 9.
        glyph: shape (28, 28), uint8.
    """

    path: Path
    label: int
    glyph: NDArray[np.uint8]

    @property
    def name(self) -> str:
        """What tells it from all others."""
        return self.path.stem


def keep(glyph: NDArray[np.uint8], label: int, folder: Path) -> tuple[Path, str]:
    """Puts a glyph into its label's folder, out of any other's; its file, and what happened.

    Args:
        glyph: shape (28, 28), uint8.
        label: 0 to 9.
        folder: of the ten folders; made where there is none.

    Raises:
        FileError: it cannot be written.
    """
    from PIL import Image

    file = f"{hashlib.sha256(glyph.tobytes()).hexdigest()[:NAME]}.png"
    path = folder / str(label) / file
    others = [other for digit in range(DIGITS) if (other := folder / str(digit) / file) != path]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for other in others:
            if other.exists():
                other.replace(path)
                return path, f"was kept as {other.parent.name}, now as"
        if path.exists():
            return path, "kept already as"
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror or error}") from error
    with written_whole(path) as temporary:
        Image.fromarray(glyph).save(temporary, format="PNG")
    return path, "kept as"


def kept(folder: Path) -> list[Kept]:
    """All digits that are kept in a folder, the newest first.

    What is no glyph, or vanishes meanwhile, is left out: `sources.load` names it.
    """
    found = []
    for label in range(DIGITS):
        for path in pictures(folder, label):
            try:
                found.append((path.stat().st_mtime_ns, Kept(path, label, pixels_of(path))))
            except (OSError, DataError):
                continue
    return [each for _, each in sorted(found, key=lambda pair: (-pair[0], pair[1].path))]


def counts(folder: Path) -> list[int]:
    """How many digits of each label are kept, ten numbers."""
    labels = [each.label for each in kept(folder)]
    return [labels.count(label) for label in range(DIGITS)]


def drop(name: str, folder: Path) -> None:
    """Removes the digit of this name (`Kept.name`).

    Raises:
        FileError: there is none, or it cannot be removed.
    """
    for label in range(DIGITS):
        for path in pictures(folder, label):
            if path.stem == name:
                try:
                    path.unlink()
                except OSError as error:
                    raise FileError(f"cannot remove {path}: {error.strerror or error}") from error
                return
    raise FileError(f"expected a digit that is kept, got {name!r:.80}: it may be gone already")


def pictures(folder: Path, label: int) -> list[Path]:
    return sorted((folder / str(label)).glob("[!.]*.png"))
