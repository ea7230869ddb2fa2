"""A folder of pictures, 28×28 and grey, one a digit: `0/…png` to `9/…png`, or flat without labels.

The order is that of the file names across the ten folders, so what `write` names by its index
comes back in its order.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS, SIDE, Dataset
from inkdigits.errors import DataError, FileError

__all__ = ["pixels_of", "read", "write"]

# Of what Pillow opens, the formats that hold 8-bit greys and start no other program.
_FORMATS = ("PNG", "BMP", "GIF", "JPEG", "PPM")
_DIGIT_NAMES = [str(digit) for digit in range(DIGITS)]


def read(path: Path) -> Dataset:
    """The pictures in the folder `path`, labelled by the folders they are in.

    Raises:
        DataError: naming the first entry that is no 28×28 grey picture, or stands where none
            belongs.
    """
    entries = _visible(path)
    for entry in entries:
        if "idx3-ubyte" in entry.name:
            raise DataError(f"{path}: expected pictures, got IDX files: name the file {entry}")
    labelled = any(entry.is_dir() for entry in entries)
    if labelled:
        for entry in entries:
            if not entry.is_dir() or entry.name not in _DIGIT_NAMES:
                raise DataError(
                    f"{path}: expected only folders named 0 to 9, got {entry.name} among them: "
                    "take it out, or name it if the digits are inside"
                )
        pictures = [picture for entry in entries for picture in _visible(entry)]
        pictures.sort(key=lambda picture: (picture.name, picture.parent.name))
    else:
        pictures = entries
    if not pictures:
        raise DataError(f"{path}: expected pictures in folders 0 to 9, got an empty folder")
    images = np.empty((len(pictures), SIDE, SIDE), np.uint8)
    with warnings.catch_warnings():
        # Pillow warns of what it still reads; here a picture is read or refused.
        warnings.simplefilter("ignore")
        for index, picture in enumerate(pictures):
            images[index] = pixels_of(picture)
    if not labelled:
        return Dataset(images)
    return Dataset(images, np.array([int(picture.parent.name) for picture in pictures], np.uint8))


def write(dataset: Dataset, path: Path) -> None:
    """Writes each image as `<label>/<index>.png`, or `<index>.png` without labels.

    Raises:
        FileError: `path` is a file, or a folder that is not empty.
    """
    from PIL import Image

    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileError(f"expected a new or an empty folder, got {path}: choose another name")
    digits = len(str(len(dataset) - 1))
    # All pictures are written beside `path`, which then takes them whole or not at all.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as scratch:
        new = Path(scratch) / "pictures"
        new.mkdir()
        if dataset.labels is not None:
            for name in _DIGIT_NAMES:
                (new / name).mkdir()
        for index, image in enumerate(dataset.images):
            folder = new if dataset.labels is None else new / str(dataset.labels[index])
            Image.fromarray(image).save(folder / f"{index:0{digits}}.png")
        if path.exists():
            path.rmdir()  # it is empty; Windows lets no folder take its name
        new.replace(path)


def _visible(folder: Path) -> list[Path]:
    """What is in `folder`, sorted by name, but for hidden files such as `.DS_Store`."""
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def pixels_of(path: Path) -> NDArray[np.uint8]:
    """The grey values of the picture in `path`, shape (28, 28), uint8.

    Its size and mode are known from its header: nothing is decoded that is not 28×28.

    Raises:
        DataError: it is no picture, or another.
    """
    from PIL import Image

    with path.open("rb") as file:
        try:
            with Image.open(file, formats=_FORMATS) as picture:
                size, mode = picture.size, picture.mode
                pixels = np.asarray(picture) if size == (SIDE, SIDE) and mode == "L" else None
        except Exception as error:  # Pillow's readers raise nearly anything on damaged files
            raise DataError(
                f"{path}: expected a picture (PNG, BMP, GIF, JPEG or PGM), got one that cannot be "
                "opened: save it again or take it out"
            ) from error
    if pixels is None:
        raise DataError(
            f"{path}: expected a grey picture of 28×28, 8 bits a pixel, got {size[0]}×{size[1]} "
            f"of mode {mode}: convert it or take it out"
        )
    return pixels
