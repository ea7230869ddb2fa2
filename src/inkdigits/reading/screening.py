"""Screening: is this file a picture that a decoder may be let loose on?

It must begin as its format does, hold no more pieces than any picture needs, have an end, and
promise a picture of bearable size: what would keep a decoder busy or fill the memory is refused
before it begins.
"""

from __future__ import annotations

import codecs
import io
import math
import re
import struct
from typing import TYPE_CHECKING, BinaryIO

from inkdigits.errors import PictureError

if TYPE_CHECKING:
    from PIL import ImageFile

__all__ = [
    "FORMATS",
    "HEAD",
    "MOST_PIXELS",
    "check_size",
    "check_tiles",
    "kind_of",
    "refusal",
    "screened",
]

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
MOST_PIXELS = 100_000_000
LONGEST_SIDE = 65_535  # as JPEG has it; Pillow keeps 8 bytes a row, so narrow ones are dear
MOST_PARTS = 200_000  # of a PNG or JPEG file; 100 megapixels in pieces of 8 kB have 50,000
MOST_TEXTS = 16  # compressed notes in a PNG, of which each may take 4 MB
MOST_SCANS = 100  # of a JPEG file; the usual progressive one has 10

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


def screened(stream: BinaryIO, name: str) -> str:
    """The kind of the picture in a stream, one of FORMATS; `name` is for the messages.

    Raises:
        PictureError: it is none of these, cut off, or made to be a burden.
    """
    stream.seek(0)
    head = stream.read(HEAD)
    kind = kind_of(head)
    if kind is None:
        what, advice = what_else(head)
        raise PictureError(
            f"expected {name} to be a picture ({', '.join(FORMATS)}), got {what}: {advice}"
        )
    # The others hold nothing to check before their header is read.
    check = {"PNG": check_png, "JPEG": check_jpeg, "WEBP": check_webp}.get(kind)
    if check:
        check(stream, name)
    return kind


def kind_of(head: bytes) -> str | None:
    """Which of FORMATS a file is that begins so."""
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


def refusal(name: str, what: str) -> PictureError:
    """The error for a picture that is damaged, or may as well be."""
    return PictureError(f"expected {name} to be a whole picture, got {what}: save or send it anew")


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
    """Refuses a picture of more pixels, or a longer side, than we decode."""
    width, height = size
    if width * height > MOST_PIXELS or max(size) > LONGEST_SIDE:
        raise PictureError(
            f"expected {name} to have {MOST_PIXELS:,} pixels or fewer and no side over "
            f"{LONGEST_SIDE:,}, got {width:,} × {height:,}: scale or crop it"
        )
