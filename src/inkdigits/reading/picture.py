"""Opening pictures that others made, safely: whatever comes, upright colours or one clear error.

A decoder is let loose only on a file that begins as its format does and whose header promises a
picture of bearable size. What is large is reduced while it is decoded, and what needs converting is
converted a band at a time, so a photo of 50 megapixels fits on a small machine.
"""

from __future__ import annotations

import codecs
import io
import logging
import math
import os
import re
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from inkdigits.errors import FileError, InkdigitsError, PictureError
from inkdigits.files import existing

if TYPE_CHECKING:
    from PIL import Image, ImageFile

__all__ = ["FORMATS", "MOST_PIXELS", "Picture", "is_picture", "open_picture"]

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
MOST_PIXELS = 100_000_000
LONGEST_SIDE = 65_535  # as JPEG has it; Pillow keeps 8 bytes a row, so narrow ones are dear
MOST_PARTS = 200_000  # of a PNG or JPEG file; 100 megapixels in pieces of 8 kB have 50,000
MOST_TEXTS = 16  # compressed notes in a PNG, of which each may take 4 MB
MOST_SCANS = 100  # of a JPEG file; the usual progressive one has 10
BAND = 1 << 20  # pixels that are converted at a time

# How files of a kind begin: what we read, and what we can at least name.
HEAD = 1024  # bytes
OURS = {
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "BMP": rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",  # a table may begin with BM too
    "GIF": rb"GIF8[79]a",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "WEBP": rb"RIFF.{4}WEBP",
}
AS_ANOTHER_FILE = "save it as PNG or JPEG"
ANOTHER = "name a picture"
OTHERS = {
    rb"$": ("an empty file", ANOTHER),
    rb"\s*<(!doctype html|html|head|body)": ("a web page", "save the picture itself"),
    rb"\s*<(.*<)?svg[\s>]": ("an SVG drawing", AS_ANOTHER_FILE),
    rb"%!|\xc5\xd0\xd3\xc6": ("an EPS or PostScript file", AS_ANOTHER_FILE),
    rb"%PDF": ("a PDF document", AS_ANOTHER_FILE),
    rb".{4}ftyp.{0,40}avi[fs]": ("an AVIF picture", AS_ANOTHER_FILE),
    rb".{4}ftyp(he[iv][cmsx]|mif1|msf1)": ("a HEIC picture", AS_ANOTHER_FILE),
    rb".{4}(jP  |JXL )|\xff[\x0a\x4f]": ("a JPEG 2000 or JPEG XL picture", AS_ANOTHER_FILE),
    rb"8BPS": ("a Photoshop file", AS_ANOTHER_FILE),
    rb"\0\0[\1\2]\0": ("an icon", AS_ANOTHER_FILE),
    rb"P[1-7]\s": ("a PNM picture", AS_ANOTHER_FILE),
    rb"PK|\x1f\x8b": ("an archive", "unpack it first"),
    rb".{4}ftyp": ("a film", ANOTHER),
}
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")

SILENT = threading.Lock()  # one thread at a time may take stderr away and give it back

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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow warns of, we read or refuse
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
    stream.seek(0)
    head = stream.read(HEAD)
    kind = kind_of(head)
    if kind is None:
        what, advice = what_else(head)
        raise PictureError(
            f"expected {name} to be a picture ({', '.join(FORMATS)}), got {what}: {advice}"
        )
    {"PNG": check_png, "JPEG": check_jpeg, "WEBP": check_webp}.get(kind, check_nothing)(
        stream, name
    )
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


def kind_of(head: bytes) -> str | None:
    found = (kind for kind in FORMATS if re.match(OURS[kind], head, re.DOTALL))
    return next(found, None)


def what_else(head: bytes) -> tuple[str, str]:
    """What a file is that begins so and is none of ours, and what to do with it."""
    content = head.removeprefix(codecs.BOM_UTF8)
    for pattern, answer in OTHERS.items():
        if re.match(pattern, content, re.DOTALL | re.IGNORECASE):
            return answer
    try:
        # Incremental, since the last letter may be cut.
        codecs.getincrementaldecoder("utf-8")().decode(content)
        text = not CONTROL.search(content)
    except UnicodeDecodeError:
        text = False
    return ("text" if text else "a file of another kind"), ANOTHER


# Before Pillow: what would keep it busy or fill the memory, and what ends too soon


def refusal(name: str, what: str) -> PictureError:
    return PictureError(f"expected {name} to be a whole picture, got {what}: save or send it anew")


def check_nothing(stream: BinaryIO, name: str) -> None:
    """The other formats hold nothing to check before Pillow has read their header."""


def check_png(stream: BinaryIO, name: str) -> None:
    """Walks over the chunks (PNG specification, section 5.3)."""
    stream.seek(8)
    texts = 0
    for _ in range(MOST_PARTS):
        head = stream.read(8)
        if len(head) < 8:
            raise refusal(name, "one that is cut off")
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return
        texts += kind in (b"zTXt", b"iTXt")
        if texts > MOST_TEXTS:
            raise refusal(name, f"more than {MOST_TEXTS} compressed notes in it")
        stream.seek(length + 4, io.SEEK_CUR)
    raise refusal(name, f"more than {MOST_PARTS:,} pieces")


def check_jpeg(stream: BinaryIO, name: str) -> None:
    """Walks over the segments to the first scan (ITU T.81, annex B), then looks for the end."""
    stream.seek(2)
    for _ in range(MOST_PARTS):
        marker = stream.read(2)
        if len(marker) < 2:
            raise refusal(name, "one that is cut off")
        if marker[0] != 0xFF or marker[1] in (0x00, 0xFF):  # padding or junk
            stream.seek(-1, io.SEEK_CUR)
        elif marker == b"\xff\xda":
            break
        elif marker[1] != 0x01 and not 0xD0 <= marker[1] <= 0xD9:  # all others have a length
            length = int.from_bytes(stream.read(2), "big")
            stream.seek(max(0, length - 2), io.SEEK_CUR)
    else:
        raise refusal(name, f"more than {MOST_PARTS:,} pieces")
    scans, ended, last = 1, False, b""
    while block := stream.read(1 << 20):
        block = last + block
        scans += block.count(b"\xff\xda")
        ended = ended or b"\xff\xd9" in block
        last = block[-1:]
        if scans > MOST_SCANS:
            raise refusal(name, f"more than {MOST_SCANS} scans")
    if not ended:
        raise refusal(name, "one that is cut off")


def check_webp(stream: BinaryIO, name: str) -> None:
    """Finds the size before Pillow's decoder, which takes memory for it as soon as it is made."""
    stream.seek(12)
    head = stream.read(18).ljust(18, b"\0")
    if head[:4] == b"VP8X":
        size = [int.from_bytes(head[at : at + 3], "little") + 1 for at in (12, 15)]
        check_size((size[0], size[1]), name)


def check_tiles(picture: ImageFile.ImageFile, name: str) -> None:
    """Refuses a TIFF with tiles far larger than itself, each of which is unpacked whole."""
    from PIL.TiffImagePlugin import TiffImageFile

    if not isinstance(picture, TiffImageFile):
        return
    across, down = picture.tag_v2.get(322, 0), picture.tag_v2.get(323, 0)
    if across * down > 4 * math.prod(picture.size) + (1 << 22):
        raise refusal(name, f"tiles of {across:,} × {down:,} pixels")


def check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MOST_PIXELS or max(size) > LONGEST_SIDE:
        raise PictureError(
            f"expected {name} to have {MOST_PIXELS:,} pixels or fewer and no side over "
            f"{LONGEST_SIDE:,}, got {width:,} × {height:,}: scale or crop it"
        )


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
