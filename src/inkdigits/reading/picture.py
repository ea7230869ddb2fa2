"""Opening pictures that others made, safely: whatever comes, upright colours or one clear error.

A decoder is let loose only on what passed `screening`. What is large is reduced while it is
decoded, and what needs converting is converted a band at a time, so a photo of 50 megapixels fits
on a small machine.
"""

from __future__ import annotations

import io
import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from inkdigits.errors import FileError, InkdigitsError, PictureError
from inkdigits.files import existing
from inkdigits.reading.screening import (
    FORMATS,
    HEAD,
    MOST_PIXELS,
    check_size,
    check_tiles,
    kind_of,
    refusal,
    screened,
)

if TYPE_CHECKING:
    from PIL import Image, ImageFile

__all__ = ["FORMATS", "MOST_PIXELS", "Picture", "is_picture", "open_picture"]

BAND = 1 << 20  # pixels that are converted at a time

SILENT = threading.Lock()  # one thread at a time may take stderr away and give it back


class Unwarned:
    """A block in which Pillow warns of nothing: what it warns of, we read or refuse.

    Warnings are filtered for the whole process, so the first thread to enter sets the filter and
    the last to leave takes it away: `warnings.catch_warnings` would bring back, at the end of one
    thread's block, what held when it began, whatever others have done since.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filter: Any = None

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._filter not in warnings.filters:  # whoever catches warnings may have lost it
                warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
                self._filter = warnings.filters[0]

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._filter in warnings.filters:
                warnings.filters.remove(self._filter)  # type: ignore[attr-defined]  # it is a list


UNWARNED = Unwarned()

# Pillow tells a logger of damaged files; unless a program listens, that would land on stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture from outside, upright.

    Args:
        pixels: shape (H, W, 3), uint8, red, green and blue; what is transparent is white paper.
        size: width and height of the upright original, of which `pixels` may be a reduction.
    """

    pixels: NDArray[np.uint8]
    size: tuple[int, int]

    @property
    def scale(self) -> float:
        """Original pixels per pixel of `pixels`, 1 or more."""
        height, width, _ = self.pixels.shape
        return max(self.size) / float(max(height, width))

    def reduced(self, longest: int) -> Picture:
        """The same with a longer side of at most so many pixels."""
        from PIL import Image

        wanted = scaled(self.pixels.shape[1::-1], longest)
        if wanted == self.pixels.shape[1::-1]:
            return self
        small = Image.fromarray(self.pixels).resize(wanted, Image.Resampling.HAMMING)
        return Picture(np.asarray(small), self.size)


def is_picture(path: str | Path) -> bool:
    """Whether the file at `path` begins as a picture of a kind that we read."""
    try:
        if not Path(path).is_file():
            return False
        with Path(path).open("rb") as file:
            return kind_of(file.read(HEAD)) is not None
    except OSError:
        return False


def open_picture(
    source: str | Path | BinaryIO | bytes, *, longest: int | None = None, name: str | None = None
) -> Picture:
    """The picture in a file, a stream or bytes; of several in it, the first.

    It is turned as its EXIF note says. Colour profiles are not applied. Levels of more than 8 bits
    are scaled to 0–255, whole numbers by the fewest of 8, 10, 12 and 16 bits that hold the largest
    of them, because 16-bit files often carry less; floats by 1, 255 or 65535, whichever is the
    first that the largest is below twice of. A 16-bit picture all black but for a few weak specks
    so becomes brighter than it was stored.

    Args:
        source: a path, a stream that is read from its start, or a file's content.
        longest: a longer side is reduced to so many pixels; None keeps all.
        name: how messages call the picture; by default its path, or "the picture".

    Raises:
        FileError: there is no such file, or it cannot be read.
        PictureError: it is no PNG, JPEG, BMP, GIF, TIFF or WEBP, damaged, cut off, or of more than
            100 million pixels.
    """
    if longest is not None and longest < 1:
        raise PictureError(f"expected a longest side of 1 pixel or more, got {longest}: raise it")
    if isinstance(source, str | Path):
        path = existing(source)
        name = name or str(path)
        if not path.is_file():
            raise FileError(f"expected {name} to be a file, got a folder or a device: name a file")
        try:
            with path.open("rb") as file:
                return decoded(file, longest, name)
        except OSError as error:
            raise FileError(f"cannot read {name}: {error.strerror or error}") from error
    name = name or "the picture"
    if isinstance(source, bytes):
        return decoded(io.BytesIO(source), longest, name)
    return decoded(source if source.seekable() else io.BytesIO(source.read()), longest, name)


def decoded(stream: BinaryIO, longest: int | None, name: str) -> Picture:
    try:
        with UNWARNED:
            return checked_and_decoded(stream, longest, name)
    except InkdigitsError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno:  # the system's; Pillow's own have no number
            raise FileError(f"cannot read {name}: {error.strerror}") from error
        # Pillow's decoders raise many kinds of errors for damaged files; all mean the same here.
        said = " ".join(str(error).split())[:100] or type(error).__name__
        raise PictureError(
            f"expected {name} to be a whole picture, got damage ({said}): save or send it anew"
        ) from error


def checked_and_decoded(stream: BinaryIO, longest: int | None, name: str) -> Picture:
    kind = screened(stream, name)
    with opened(stream, kind, name) as picture:
        check_size(picture.size, name)
        check_tiles(picture, name)
        size: tuple[int, int] = picture.size
        extent: tuple[float, float] = size
        if kind == "JPEG":  # decodes a half, a quarter or an eighth of it
            drafted = picture.draft(None, scaled(size, longest))
            extent = drafted[1][2:] if drafted else size
        with silence() if kind == "TIFF" else nullcontext():
            picture.load()  # which turns a TIFF, whose size is the turned one all along
        turn = orientation(picture)
        stored = colours(picture, extent, scaled(size, longest), name)
    if turn >= 5:
        size = size[1], size[0]
    return Picture(np.require(upright(stored, turn), requirements=["C", "W"]), size)


def opened(stream: BinaryIO, kind: str, name: str) -> ImageFile.ImageFile:
    """The picture with its header read, by the decoder of its kind and no other."""
    from PIL import Image, UnidentifiedImageError
    from PIL.JpegImagePlugin import JpegImageFile

    stream.seek(0)
    if kind == "JPEG":
        # Phones put a second picture behind the photo (MPO). `Image.open` reads the index of both,
        # and Pillow 11 refuses the photo where that is damaged.
        return JpegImageFile(stream)
    try:
        return Image.open(stream, formats=(kind,))
    except Image.DecompressionBombError as error:
        raise PictureError(
            f"expected {name} to have {MOST_PIXELS:,} pixels or fewer, got more: scale or crop it"
        ) from error
    except UnidentifiedImageError as error:
        raise refusal(name, f"a damaged header of {kind}") from error


@contextmanager
def silence() -> Iterator[None]:
    """Nothing reaches stderr meanwhile: libtiff writes there what it finds damaged, unasked."""
    with SILENT, open(os.devnull, "wb") as nothing:
        try:
            kept = os.dup(2)
        except OSError:  # there is no stderr
            yield
            return
        try:
            os.dup2(nothing.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


# After it: colours on white paper, as many as are wanted


def scaled(size: tuple[int, int], longest: int | None) -> tuple[int, int]:
    share = min(1, (longest or max(size)) / max(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def orientation(picture: ImageFile.ImageFile) -> int:
    """EXIF's note 0x0112, 1 (upright) to 8; 1 where there is none that can be read."""
    try:
        turn = picture.getexif().get(0x0112, 1)
    except Exception:  # a damaged note is no reason to refuse the picture
        return 1
    return turn if turn in range(1, 9) else 1


def upright(stored: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """The picture as its orientation says: a view. (H, W, 3), or (W, H, 3) from 5 on."""
    stored = stored[::-1] if turn in (3, 4, 7, 6) else stored
    stored = stored[:, ::-1] if turn in (2, 3, 7, 8) else stored
    return stored.swapaxes(0, 1) if turn >= 5 else stored


def colours(
    picture: ImageFile.ImageFile, extent: tuple[float, float], target: tuple[int, int], name: str
) -> NDArray[np.uint8]:
    """Red, green and blue on white paper: (H, W, 3), uint8.

    Args:
        picture: loaded.
        extent: how much of its width and height shows something: a reduced JPEG's last pixels may
            stand for a part of one only.
        target: the width and height to return.
        name: for errors.
    """
    from PIL import Image

    width, height = picture.size
    # Averages over squares first, down to twice the target, for speed; then a soft filter.
    step = max(1, max(width, height) // (2 * max(target)))
    rows = max(1, BAND // (width * step)) * step
    deep = picture.mode[0] in "IF"
    top_level = full_scale(picture, rows, name) if deep else 255
    pixels = np.empty((-(-height // step), -(-width // step), 3), np.uint8)
    for top in range(0, height, rows):
        band = picture.crop((0, top, width, min(height, top + rows)))
        shown = (from_levels(band, top_level) if deep else on_white(band)).reduce(step)
        pixels[top // step : top // step + shown.height] = np.asarray(shown)
    if pixels.shape[1::-1] == target:
        return pixels
    box = (0, 0, extent[0] / step, extent[1] / step)
    return np.asarray(Image.fromarray(pixels).resize(target, Image.Resampling.HAMMING, box))


def full_scale(picture: Image.Image, rows: int, name: str) -> int:
    """The level that stands for white in a picture of deep levels, by the largest that it has."""
    bands = (
        np.asarray(picture.crop((0, top, picture.width, min(picture.height, top + rows))))
        for top in range(0, picture.height, rows)
    )
    extremes = np.array([(band.min(), band.max()) for band in bands], np.float64)
    low, high = float(extremes[:, 0].min()), float(extremes[:, 1].max())  # NaN where there is one
    levels: tuple[int, ...]
    if picture.mode == "F":  # what was sharpened or resampled may overshoot
        levels, room, spoken = (1, 255, 65535), 2.0, "1, 255 or 65535"
    else:
        levels, room, spoken = (255, 1023, 4095, 65535), 1.0, "65535"
    level = next((level for level in levels if high <= room * level), None)
    if level is None or not low >= -level / 10:
        raise PictureError(
            f"expected {name} to have levels from 0 to {spoken}, got {low:g} to {high:g}: "
            "save it with 8 or 16 bits a colour"
        )
    return level


def from_levels(band: Image.Image, top_level: int) -> Image.Image:
    from PIL import Image

    levels = np.asarray(band)
    greys = np.clip(levels * np.float32(255 / top_level) + np.float32(0.5), 0, 255).astype(np.uint8)
    key = band.info.get("transparency")
    if isinstance(key, int):
        greys[levels == key] = 255
    return Image.fromarray(greys).convert("RGB")


def on_white(band: Image.Image) -> Image.Image:
    from PIL import Image

    key = band.info.get("transparency")
    if isinstance(key, tuple) and max(key) > 255:  # of 16 bits, while Pillow made the pixels 8
        red, green, blue = key
        band.info["transparency"] = red >> 8, green >> 8, blue >> 8
    if band.mode == "La":
        band = band.convert("LA")
    if "transparency" not in band.info and band.mode not in ("LA", "PA", "RGBA"):
        return band.convert("RGB")
    paper = Image.new("RGBA", band.size, "white")
    return Image.alpha_composite(paper, band.convert("RGBA")).convert("RGB")
