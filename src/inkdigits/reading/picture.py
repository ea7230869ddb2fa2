"""Opening pictures that others made, safely."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import SIDE
from inkdigits.errors import PictureError
from inkdigits.files import existing

__all__ = ["FORMATS", "is_picture", "open_glyph"]

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
LARGEST_SIDE = 20 * SIDE


def is_picture(path: Path) -> bool:
    """Whether the file at `path` begins as a picture of a kind that we read."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow warns of, `open_glyph` reads or refuses
            with Image.open(path, formats=FORMATS):
                return True
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError):
        return False
    except Image.DecompressionBombError:
        return True  # it is one; `open_glyph` says what is wrong with it


def open_glyph(path: str | Path) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """One digit in a picture of 28 × 28 pixels, or of a whole multiple of it.

    Colours become grey, transparency white paper. Where the rim is light the picture is taken as
    dark ink on light paper, and inverted.

    Returns:
        The glyph, shape (28, 28), uint8, 0 background to 255 ink; and the picture's own width and
        height.

    Raises:
        FileError: there is no such file.
        PictureError: it is no picture that we read, damaged, or of another size.
    """
    from PIL import Image, ImageOps

    path = existing(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                check_size(path, picture.size)
                upright = ImageOps.exif_transpose(picture)
                gray = gray_on_white(upright)
    except PictureError:
        raise
    except Exception as error:
        # Pillow's decoders raise many kinds of errors for damaged files; all mean the same here.
        raise PictureError(
            f"cannot read {path} as a picture: expected {', '.join(FORMATS)}, "
            f"got {type(error).__name__}"
        ) from error
    step = gray.shape[0] // SIDE
    glyph = gray.reshape(SIDE, step, SIDE, step).mean(axis=(1, 3))
    rim = np.concatenate([glyph[0], glyph[-1], glyph[1:-1, 0], glyph[1:-1, -1]])
    if np.median(rim) > 127:
        glyph = 255 - glyph
    return glyph.round().astype(np.uint8), picture.size


def check_size(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if width != height or width % SIDE or not SIDE <= width <= LARGEST_SIDE:
        raise PictureError(
            f"expected {path} to be one digit of 28 × 28 pixels, or a multiple of it up to "
            f"{LARGEST_SIDE}, got {width} × {height}: crop the digit with an even margin and "
            "scale it"
        )


def gray_on_white(picture: object) -> NDArray[np.float64]:
    """A Pillow picture of any mode as grey values 0 to 255, shape (height, width)."""
    from PIL import Image

    assert isinstance(picture, Image.Image)
    if picture.mode.startswith("I"):  # 16 bits a pixel
        return np.clip(np.asarray(picture, dtype=np.float64) / 257, 0, 255)
    with_alpha = picture.convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(paper, with_alpha).convert("L"), dtype=np.float64)
