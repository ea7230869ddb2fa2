"""What others saved opens upright on white paper, or is refused in one line and little memory."""

from __future__ import annotations

import contextlib
import io
import os
import re
import struct
import subprocess
import sys
import textwrap
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from inkdigits.errors import FileError, InkdigitsError, PictureError
from inkdigits.reading.picture import MOST_PIXELS, Picture, is_picture, open_picture

Pixels = NDArray[np.uint8]


def sheet() -> Pixels:
    """Greys without any symmetry, darkest 0 and lightest 255: shape (24, 40)."""
    rows, columns = np.mgrid[:24, :40]
    return (255 * ((3 * rows + 5 * columns) % 47) / 46).astype(np.uint8)


GREYS = sheet()
THREE = np.stack([GREYS, GREYS[::-1], GREYS[:, ::-1]], axis=2)  # three colours that differ
GREY = np.repeat(GREYS[:, :, np.newaxis], 3, axis=2)
ON_WHITE = np.where(GREYS[:, :, np.newaxis] == 255, 255, THREE).astype(np.uint8)
BLACK = np.zeros_like(GREYS)


def image(pixels: NDArray[Any]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels))


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    size: tuple[int, int], depth: int, colour_type: int, rows: list[bytes], *chunks: bytes
) -> bytes:
    """A PNG by hand, for what Pillow does not write: rows unfiltered, chunks before the pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour_type, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + chunk(b"IEND", b"")


def sixteen_bits(pixels: Pixels, colour_type: int, *chunks: bytes) -> bytes:
    wide = (pixels.astype(">u2") * 257).astype(">u2")
    return png((40, 24), 16, colour_type, [row.tobytes() for row in wide], *chunks)


def tiff(*tags: tuple[int, int, int, int], data: bytes = b"") -> bytes:
    """A little-endian TIFF by hand: tags (number, type, count, value), data from byte 512 on."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    start = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    return start.ljust(512, b"\0") + data


# The same digit however it is stored


def palette(*, alphas: bool) -> bytes:
    """Indices that are no greys; with a transparency that varies, or one colour transparent."""
    table = np.random.default_rng(1).permutation(256).astype(np.uint8)  # table[index] is a grey
    indices = np.argsort(table).astype(np.uint8)[GREYS]
    picture = Image.frombytes("P", (40, 24), indices.tobytes())
    if not alphas:
        # The lightest is stored as red, and transparent: so it is white paper again.
        colours = np.repeat(table, 3).reshape(256, 3)
        lightest = int(np.argmax(table))
        colours[lightest] = 255, 0, 0
        picture.putpalette(colours.tobytes())
        return saved(picture, "PNG", transparency=lightest)
    picture.putpalette(bytes(768))  # all black, with more or less of it
    return saved(picture, "PNG", transparency=(255 - table).tobytes())


def keyed(key: bytes, colour_type: int, depth: int) -> bytes:
    """White paper stored as a colour that a tRNS chunk names transparent."""
    pixels = (GREYS if colour_type == 0 else ON_WHITE).astype(np.uint16)
    stored = (pixels * 257).astype(">u2") if depth == 16 else pixels.astype(np.uint8)
    stored[GREYS == 255] = np.frombuffer(key, ">u2").astype(stored.dtype)
    rows = [row.tobytes() for row in stored]
    return png((40, 24), depth, colour_type, rows, chunk(b"tRNS", key))


def lab() -> bytes:
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    transform = ImageCms.buildTransform(*profiles, "RGB", "LAB")
    converted = ImageCms.applyTransform(image(GREY), transform)
    assert converted is not None
    return saved(converted, "TIFF")


def big_endian() -> bytes:
    """A TIFF of Motorola's order with 16 bits a pixel."""
    tags = [
        (256, 3, 1, 40 << 16),
        (257, 3, 1, 24 << 16),
        (258, 3, 1, 16 << 16),
        (259, 3, 1, 1 << 16),
        (262, 3, 1, 1 << 16),
        (273, 4, 1, 512),
        (278, 3, 1, 24 << 16),
        (279, 4, 1, 40 * 24 * 2),
    ]
    entries = b"".join(struct.pack(">HHII", *tag) for tag in tags)
    start = b"MM\0*" + struct.pack(">IH", 8, len(tags)) + entries + bytes(4)
    return start.ljust(512, b"\0") + (GREYS.astype(np.uint16) * 257).astype(">u2").tobytes()


WIDE = GREYS.astype(np.uint16) * 257
LA = np.dstack([BLACK, 255 - GREYS])
RGBA = np.dstack([BLACK, BLACK, BLACK, 255 - GREYS])
STORED: dict[str, tuple[bytes, Pixels, int]] = {
    # what is stored, what is to be seen, by how much it may differ
    "grey PNG": (saved(image(GREYS), "PNG"), GREY, 0),
    "grey JPEG": (saved(image(GREYS), "JPEG", quality=100), GREY, 2),
    "grey BMP": (saved(image(GREYS), "BMP"), GREY, 0),
    "GIF": (saved(image(GREYS), "GIF"), GREY, 0),
    "grey TIFF": (saved(image(GREYS), "TIFF"), GREY, 0),
    "packed TIFF": (saved(image(GREYS), "TIFF", compression="tiff_lzw"), GREY, 0),
    "WEBP": (saved(image(GREYS), "WEBP", lossless=True), GREY, 0),
    "PNG": (saved(image(THREE), "PNG"), THREE, 0),
    "BMP": (saved(image(THREE), "BMP"), THREE, 0),
    "TIFF": (saved(image(THREE), "TIFF"), THREE, 0),
    "coloured WEBP": (saved(image(THREE), "WEBP", lossless=True), THREE, 0),
    "JPEG": (saved(image(THREE), "JPEG", quality=100, subsampling=0), THREE, 6),
    "black and white": (
        saved(image(GREYS).convert("1", dither=Image.Dither.NONE), "PNG"),
        np.where(GREY > 127, 255, 0).astype(np.uint8),
        0,
    ),
    "palette, one transparent": (palette(alphas=False), GREY, 0),
    "palette with alphas": (palette(alphas=True), GREY, 0),
    "black with alpha": (saved(image(LA), "PNG"), GREY, 0),
    "black with alpha, colours": (saved(image(RGBA), "PNG"), GREY, 0),
    "black with alpha, WEBP": (saved(image(RGBA), "WEBP", lossless=True), GREY, 0),
    "black with alpha, TIFF": (saved(image(RGBA), "TIFF"), GREY, 0),
    "black with alpha, 16 bits": (sixteen_bits(LA, 4), GREY, 0),
    "a transparent grey": (keyed(struct.pack(">H", 1), 0, 8), GREY, 0),
    "a transparent grey of 16 bits": (keyed(struct.pack(">H", 0x1234), 0, 16), GREY, 0),
    "a transparent colour": (keyed(struct.pack(">3H", 1, 2, 3), 2, 8), ON_WHITE, 0),
    "a transparent colour of 16 bits": (
        keyed(struct.pack(">3H", 900, 9000, 9), 2, 16),
        ON_WHITE,
        0,
    ),
    "colours of 16 bits": (sixteen_bits(THREE, 2), THREE, 0),
    "CMYK JPEG": (saved(image(THREE).convert("CMYK"), "JPEG", quality=100), THREE, 6),
    "CMYK TIFF": (saved(image(THREE).convert("CMYK"), "TIFF"), THREE, 1),
    "YCbCr TIFF": (saved(image(THREE).convert("YCbCr"), "TIFF"), THREE, 4),
    "LAB TIFF": (lab(), GREY, 3),
    "16 bits, PNG": (saved(image(WIDE), "PNG"), GREY, 0),
    "16 bits, TIFF": (saved(image(WIDE), "TIFF"), GREY, 0),
    "16 bits, TIFF, packed": (saved(image(WIDE), "TIFF", compression="tiff_lzw"), GREY, 0),
    "16 bits, TIFF, Motorola": (big_endian(), GREY, 0),
    "32 bits": (saved(image(WIDE.astype(np.int32)), "TIFF"), GREY, 0),
    "12 bits in 16": (saved(image((GREYS * 16.0588).astype(np.uint16)), "TIFF"), GREY, 1),
    "10 bits in 16": (saved(image((GREYS * 4.0118).astype(np.uint16)), "PNG"), GREY, 1),
    "8 bits in 16": (saved(image(GREYS.astype(np.uint16)), "PNG"), GREY, 0),
    "floats to 1": (saved(image(GREYS.astype(np.float32) / 255), "TIFF"), GREY, 0),
    "floats over 1": (saved(image(GREYS.astype(np.float32) / 255 * 1.3), "TIFF"), GREY, 77),
    "floats to 255": (saved(image(GREYS.astype(np.float32)), "TIFF"), GREY, 0),
    "floats to 65535": (saved(image(WIDE.astype(np.float32)), "TIFF"), GREY, 0),
}


@pytest.mark.parametrize("stored", STORED)
def test_a_picture_is_the_same_however_it_is_stored(stored: str) -> None:
    content, seen, tolerance = STORED[stored]
    opened = open_picture(content)
    assert opened.pixels.dtype == np.uint8
    assert opened.pixels.flags.c_contiguous
    assert opened.pixels.flags.writeable
    assert (opened.size, opened.scale) == ((40, 24), 1)
    assert np.abs(opened.pixels.astype(int) - seen).max() <= tolerance


# What a camera does to the pixels: the inverse of what a viewer has to do.
LYING = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
LOSSLESS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "TIFF": {},
    "WEBP": {"lossless": True},
    "JPEG": {"quality": 100, "subsampling": 0},
}


def turned(pixels: Pixels, orientation: int, kind: str, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    method = LYING.get(orientation)
    lying = image(pixels) if method is None else image(pixels).transpose(method)
    return saved(lying, kind, exif=exif, **options)


@pytest.mark.parametrize("kind", LOSSLESS)
@pytest.mark.parametrize("orientation", LYING)
def test_a_picture_is_held_as_its_note_says(kind: str, orientation: int) -> None:
    opened = open_picture(turned(THREE, orientation, kind, **LOSSLESS[kind]))
    assert opened.size == (40, 24)
    assert np.abs(opened.pixels.astype(int) - THREE).max() <= (6 if kind == "JPEG" else 0)
    assert opened.pixels.flags.c_contiguous


@pytest.mark.parametrize("orientation", [0, 9, 60000])
def test_an_orientation_that_is_none_changes_nothing(orientation: int) -> None:
    assert np.array_equal(open_picture(turned(THREE, orientation, "PNG")).pixels, THREE)


def test_a_damaged_note_is_no_reason_to_refuse_a_picture() -> None:
    content = saved(image(THREE), "PNG", exif=b"Exif\0\0nothing of the kind")
    assert np.array_equal(open_picture(content).pixels, THREE)


def test_of_several_pictures_the_first_is_taken() -> None:
    first, second = image(THREE), image(255 - THREE)
    for kind, options in (("TIFF", {}), ("WEBP", {"lossless": True}), ("PNG", {})):
        content = saved(first, kind, save_all=True, append_images=[second], **options)
        assert np.array_equal(open_picture(content).pixels, THREE), kind
    first, second = image(GREYS), image(255 - GREYS)
    content = saved(first, "GIF", save_all=True, append_images=[second])
    assert np.array_equal(open_picture(content).pixels, GREY)


def test_the_photo_of_a_phone_opens_even_if_the_index_behind_it_is_damaged() -> None:
    one = open_picture(saved(image(THREE), "JPEG", quality=100)).pixels
    behind = [image(255 - THREE)]
    two = saved(image(THREE), "MPO", save_all=True, append_images=behind, quality=100)
    with Image.open(io.BytesIO(two)) as known:
        assert known.format == "MPO"
    assert np.array_equal(open_picture(two).pixels, one)
    start = two.index(b"MPF\0")
    for at in range(start, start + 80):
        broken = two[:at] + bytes([two[at] ^ 0x7F]) + two[at + 1 :]
        assert np.array_equal(open_picture(broken).pixels, one)


# Levels of more than 8 bits


def test_a_faint_picture_of_16_bits_is_not_made_brighter_than_12_bits_would_be() -> None:
    levels = np.array([[0, 5000, 65535]], np.uint16)
    opened = open_picture(saved(image(levels), "PNG"))
    assert opened.pixels[0, :, 0].tolist() == [0, 19, 255]
    levels = np.array([[0, 5000, 4096]], np.uint16)
    assert open_picture(saved(image(levels), "PNG")).pixels[0, :, 0].tolist() == [0, 19, 16]


def test_a_black_picture_stays_black() -> None:
    for dtype in (np.uint16, np.int32, np.float32):
        assert not open_picture(saved(image(np.zeros((3, 4), dtype)), "TIFF")).pixels.any()


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([0, np.nan, 1], "got nan to nan"),
        ([np.nan, 1, 2], "got nan to nan"),
        ([0, np.inf, 1], "got 0 to inf"),
        ([-np.inf, 0, 1], "got -inf to 1"),
        ([-1, 0, 1], "got -1 to 1"),
        ([0, 1e6, 0], r"got 0 to 1e\+06"),
    ],
)
def test_floats_that_are_no_brightness_are_refused(levels: list[float], said: str) -> None:
    content = saved(image(np.array([levels], np.float32)), "TIFF")
    with pytest.raises(PictureError, match=rf"0 to 1, 255 or 65535, {said}: save it with 8 or 16"):
        open_picture(content)


@pytest.mark.parametrize("levels", [[-70, 0, 255], [0, 65536, 1]])
def test_whole_numbers_beyond_16_bits_are_refused(levels: list[int]) -> None:
    content = saved(image(np.array([levels], np.int32)), "TIFF")
    with pytest.raises(PictureError, match="levels from 0 to 65535, got"):
        open_picture(content)


# Reductions


@pytest.mark.slow
@pytest.mark.parametrize("kind", LOSSLESS)
@pytest.mark.parametrize("orientation", [1, 6, 7])
@pytest.mark.parametrize(("width", "height"), [(1000, 601), (601, 1000), (4003, 2999)])
def test_a_reduction_shows_each_thing_in_its_place(
    kind: str, orientation: int, width: int, height: int
) -> None:
    pixels = np.full((height, width, 3), 255, np.uint8)
    across, down = int(0.8 * width), int(0.3 * height)
    pixels[down - 50 : down + 50, across - 50 : across + 50] = 0, 80, 0
    options = {"compress_level": 1} if kind == "PNG" else {}
    options = {"lossless": True, "method": 0} if kind == "WEBP" else options
    opened = open_picture(turned(pixels, orientation, kind, **options), longest=200)
    assert opened.size == (width, height)
    assert max(opened.pixels.shape) == 200
    assert opened.scale == max(width, height) / 200
    short = min(width, height) / max(width, height) * 200
    assert abs(min(opened.pixels.shape[:2]) - short) <= 0.5
    ink = 255.0 - opened.pixels[:, :, 0]
    # What was there is there, as dark and as large, to a tenth of a pixel.
    rows, columns = (np.arange(side) + 0.5 for side in ink.shape)
    assert ink.sum() == pytest.approx(255 * (100 / opened.scale) ** 2, rel=0.02)
    y, x = down / height * len(rows), across / width * len(columns)
    assert ink.sum(axis=1) @ rows / ink.sum() == pytest.approx(y, abs=0.1)
    assert ink.sum(axis=0) @ columns / ink.sum() == pytest.approx(x, abs=0.1)
    middle = opened.pixels[int(y), int(x)]
    assert np.abs(middle.astype(int) - (0, 80, 0)).max() <= 3


def test_a_reduction_by_whole_steps_averages() -> None:
    pixels = np.zeros((8, 1200), np.uint8)
    pixels[:, ::2] = 200
    reduced = open_picture(saved(image(pixels), "PNG"), longest=300).pixels
    assert reduced.shape == (2, 300, 3)
    assert np.abs(reduced[:, 1:-1].astype(int) - 100).max() <= 1


def test_a_transparent_picture_is_put_on_paper_before_it_is_reduced() -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, ::2, 3] = 255  # black lines, with transparent red between
    pixels[:, 1::2, 0] = 255
    reduced = open_picture(saved(image(pixels), "PNG"), longest=8).pixels
    assert np.abs(reduced[:, 1:-1].astype(int) - 127).max() <= 1


@pytest.mark.parametrize("longest", [24, 40, 41, 10_000, None])
def test_a_picture_is_never_enlarged(longest: int | None) -> None:
    opened = open_picture(saved(image(THREE), "PNG"), longest=longest)
    assert max(opened.pixels.shape) == min(40, longest or 40)


@pytest.mark.parametrize("size", [(60_000, 1), (1, 60_000), (65_535, 3), (1, 1)])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_the_narrowest_pictures_open(kind: str, size: tuple[int, int]) -> None:
    if kind == "JPEG" and max(size) > 65_500:
        size = (65_500, 3)
    content = saved(Image.new("L", size, 200), kind)
    opened = open_picture(content, longest=100)
    assert opened.size == size
    assert max(opened.pixels.shape[:2]) == min(100, max(size))
    assert min(opened.pixels.shape[:2]) == 1
    assert (opened.pixels == 200).all()
    assert open_picture(content).pixels.shape == (size[1], size[0], 3)


def test_a_longest_side_of_nothing_is_an_error() -> None:
    with pytest.raises(PictureError, match="longest side of 1 pixel or more, got 0"):
        open_picture(saved(image(THREE), "PNG"), longest=0)


# Sources


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation("seek")


def test_paths_streams_and_bytes_give_the_same(tmp_path: Path) -> None:
    for kind in ("PNG", "TIFF", "WEBP", "GIF"):
        content = saved(image(GREYS), kind, **LOSSLESS.get(kind, {}))
        path = tmp_path / "digit"
        path.write_bytes(content)
        for source in (path, str(path), content, io.BytesIO(content), Pipe(content)):
            assert np.array_equal(open_picture(source).pixels, GREY), kind
        with path.open("rb") as file:
            file.seek(7)
            assert np.array_equal(open_picture(file).pixels, GREY), kind
            assert not file.closed


@pytest.mark.parametrize("name", ["digit", "digit.txt", "digit.csv", "digit.jpg"])
def test_content_counts_and_not_the_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(saved(image(THREE), "PNG"))
    assert is_picture(path)
    assert np.array_equal(open_picture(path).pixels, THREE)


def test_a_missing_picture_is_answered_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "seven.png").write_bytes(saved(image(THREE), "PNG"))
    with pytest.raises(FileError, match=r"did you mean .*seven\.png\?"):
        open_picture(tmp_path / "sevn.png")
    assert not is_picture(tmp_path / "sevn.png")


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="to be a file, got a folder or a device: name a file"):
        open_picture(tmp_path)
    assert not is_picture(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")  # reading it would wait forever
        with pytest.raises(FileError, match="to be a file, got a folder or a device"):
            open_picture(tmp_path / "pipe")
        assert not is_picture(tmp_path / "pipe")


def test_a_file_that_the_system_does_not_give_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "seven.png"
    path.write_bytes(b"")

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(FileError, match=r"cannot read .*seven\.png: Permission denied"):
        open_picture(path)
    assert not is_picture(path)


def test_a_disk_that_fails_midway_is_no_damaged_picture() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 100:
                raise OSError(5, "Input/output error")
            return super().read(size)

    content = saved(Image.effect_noise((200, 200), 50), "BMP")
    with pytest.raises(FileError, match="cannot read scan 3: Input/output error"):
        open_picture(Failing(content), name="scan 3")


# What is refused


def refused(content: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        open_picture(content, name="mine.png")
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 250
    assert re.fullmatch(r"expected mine\.png to .+, got .+: \w.+", message)
    return message


FOREIGN = {
    "an empty file: name a picture": b"",
    "text: name a picture": "ein Brief: Größe €".encode()[:-1],  # cut in the last letter
    "a web page: save the picture itself": b"\n <!DOCTYPE html><html><svg></svg></html>",
    "an SVG drawing: save it as PNG or JPEG": b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- x -->\n'
    b'<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"/>',
    "an EPS or PostScript file: save it as PNG or JPEG": b"%!PS-Adobe-3.0 EPSF-3.0\nshowpage\n",
    "a PDF document: save it as PNG or JPEG": b"%PDF-1.4\n%\xff\xff",
    "an AVIF picture: save it as PNG or JPEG": b"\0\0\0\x20ftypmif1\0\0\0\0avifmif1",
    "a HEIC picture: save it as PNG or JPEG": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "a JPEG 2000 or JPEG XL picture: save it as PNG or JPEG": b"\0\0\0\x0cjP  \r\n\x87\n",
    "a Photoshop file: save it as PNG or JPEG": b"8BPS\0\1",
    "an icon: save it as PNG or JPEG": b"\0\0\1\0\1\0",
    "a PNM picture: save it as PNG or JPEG": b"P5 28 28 255\n" + bytes(784),
    "an archive: unpack it first": b"PK\3\4",
    "a film: name a picture": b"\0\0\0\x18ftypisom",
    "a file of another kind: name a picture": b"\0\0\x08\x03\0\0\x27\x10",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_no_picture_of_ours_is_called_by_its_name(what: str, tmp_path: Path) -> None:
    message = refused(FOREIGN[what])
    assert message.endswith(f"(PNG, JPEG, BMP, GIF, TIFF, WEBP), got {what}")
    (tmp_path / "mine.png").write_bytes(FOREIGN[what])
    assert not is_picture(tmp_path / "mine.png")


@pytest.mark.parametrize("content", [b"BMI,height\n" + b"22,180\n" * 9, b"GIF,9\n", b"II,MM\n"])
def test_a_table_that_begins_like_a_picture_is_text(content: bytes, tmp_path: Path) -> None:
    assert "got text" in refused(content)
    (tmp_path / "table.csv").write_bytes(content)
    assert not is_picture(tmp_path / "table.csv")


def small_tiff(
    width: int, height: int, *more: tuple[int, int, int, int], data: bytes = b""
) -> bytes:
    tags = {tag[0]: tag for tag in (
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 512), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, len(data)), *more,
    )}  # fmt: skip
    return tiff(*(tags[number] for number in sorted(tags)), data=data)


def webp(width: int, height: int) -> bytes:
    """A canvas that its header promises, around a picture of 40 × 24."""
    inner = saved(image(GREYS), "WEBP", lossless=True)[12:]
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<II", 10, 0) + sides + inner
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg(width: int, height: int) -> bytes:
    content = saved(image(GREYS), "JPEG")
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4 :]


def bmp(width: int, height: int) -> bytes:
    content = saved(image(GREYS), "BMP")
    return content[:18] + struct.pack("<ii", width, height) + content[26:]


def gif(width: int, height: int) -> bytes:
    content = saved(image(GREYS), "GIF")
    return content[:6] + struct.pack("<HH", width, height) + content[10:]


def big_png(width: int, height: int) -> bytes:
    return png((width, height), 8, 0, [bytes(100_000)])


BOMBS = {
    "PNG": big_png(30_000, 30_000),
    "PNG just over": big_png(10_000, 10_001),
    "PNG beyond Pillow": big_png(2**31 - 1, 2**31 - 1),
    "PNG narrow": big_png(1, 200_000_000),
    "PNG narrow within the pixels": big_png(1, 90_000_000),
    "PNG long within the pixels": big_png(90_000_000, 1),
    "JPEG": jpeg(65_000, 65_000),
    "BMP": bmp(20_000, 20_000),
    "BMP upside down": bmp(20_000, -20_000),
    "GIF": gif(65_535, 65_535),
    "TIFF": small_tiff(20_000, 20_000),
    "WEBP": webp(16_000, 16_000),
    "WEBP beyond memory": webp(60_000, 60_000),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_by_its_header(bomb: str, tmp_path: Path) -> None:
    assert len(BOMBS[bomb]) < 10_000
    message = refused(BOMBS[bomb])
    assert "to have 100,000,000 pixels or fewer" in message
    assert message.endswith(": scale or crop it")
    (tmp_path / "bomb").write_bytes(BOMBS[bomb])
    assert is_picture(tmp_path / "bomb")


def test_a_width_of_nothing_is_refused() -> None:
    for content in (big_png(0, 5), big_png(5, 0), jpeg(0, 9), bmp(0, 9), small_tiff(0, 9)):
        assert "to be a whole picture, got" in refused(content)


def with_junk(content: bytes, junk: bytes) -> bytes:
    return content[:20] + junk + content[20:]  # after the JFIF header


TRAPS: dict[str, tuple[Callable[[], bytes], str]] = {  # made when needed: it takes seconds
    # Pillow reads what is between two markers byte by byte in Python: seconds for some megabytes.
    "a JPEG with junk between its markers": (
        lambda: with_junk(saved(image(GREYS), "JPEG"), bytes(20_000_000)),
        "more than 200,000 pieces",
    ),
    "a JPEG with padding between its markers": (
        lambda: with_junk(saved(image(GREYS), "JPEG"), b"\xff" * 20_000_000),
        "more than 200,000 pieces",
    ),
    "a JPEG that goes over its pixels again and again": (
        lambda: jpeg(9_000, 9_000)[:-2] + b"\xff\xda\0\x08\1\1\0\0\x3f\0" * 5_000 + b"\xff\xd9",
        "more than 100 scans",
    ),
    "a PNG with notes that unpack to gigabytes": (
        lambda: png((40, 24), 8, 0, [row.tobytes() for row in GREYS], *[
            chunk(b"iTXt", b"k%d\0\1\0\0\0" % i + note)
            for note in [zlib.compress("😀".encode() * 250_000)] for i in range(64)
        ]),
        "more than 16 compressed notes",
    ),
    "a PNG with one note that unpacks to a gigabyte": (
        lambda: png((40, 24), 8, 0, [row.tobytes() for row in GREYS],
            chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(50_000_000)))),
        "too large",
    ),
    "a TIFF with a tile far larger than itself": (
        lambda: small_tiff(
            40, 24, (259, 3, 1, 8), (322, 4, 1, 40_000), (323, 4, 1, 40_000), (324, 4, 1, 512),
            (325, 4, 1, 300_000), data=zlib.compress(bytes(300_000_000), level=1),
        ),
        "tiles of 40,000 × 40,000 pixels",
    ),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_what_would_keep_the_decoder_busy_is_refused_before(trap: str) -> None:
    content, said = TRAPS[trap]
    assert said in refused(content())


def rise_in_megabytes(work: str, *files: Path) -> float:
    """By how much a fresh Python grows at most at this work with each `path`, without a word."""
    # Not getrusage: a child's peak begins there as high as this process's.
    program = (
        "import pathlib, re, sys, PIL.Image, PIL.JpegImagePlugin\n"
        "from inkdigits.errors import PictureError\n"
        "from inkdigits.reading.picture import open_picture\n"
        "PIL.Image.init()\n"
        "status = pathlib.Path('/proc/self/status').read_text\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s*(\\d+) kB', status())[1])\n"
        "before = peak()\n"
        "for path in sys.argv[1:]:\n"
        f"{textwrap.indent(work, '    ')}\n"
        "print(peak() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return int(done.stdout) * 1024 / 1e6


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")
REFUSE = (
    "try:\n    open_picture(path)\nexcept PictureError:\n    pass\n"
    "else:\n    raise AssertionError('opened')"
)


@pytest.mark.slow
@on_linux
@pytest.mark.parametrize("kind", ["bombs and traps", "cut PNG", "cut JPEG"])
def test_a_refusal_needs_less_than_100_megabytes(kind: str, tmp_path: Path) -> None:
    if kind == "bombs and traps":
        files = [*BOMBS.values(), *(content() for content, _ in TRAPS.values())]
    else:  # large enough that to decode a half would need more
        content = saved(Image.new("RGB", (8660, 5773)), kind[4:])
        files = [content[: len(content) * share // 10] for share in (1, 5, 9)]
    for number, file in enumerate(files):
        (tmp_path / str(number)).write_bytes(file)
    assert rise_in_megabytes(REFUSE, *tmp_path.iterdir()) < 100


@pytest.mark.slow
@on_linux
@pytest.mark.parametrize("longest", [None, 1200])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "RGBA PNG", "16-bit PNG"])
def test_a_photo_of_50_megapixels_needs_less_than_a_gigabyte(
    kind: str, longest: int | None, tmp_path: Path
) -> None:
    path = tmp_path / "photo"
    options = {"compress_level": 1} if "PNG" in kind else {}
    mode = {"RGBA PNG": "RGBA", "16-bit PNG": "I;16"}.get(kind, "RGB")
    Image.new(mode, (8660, 5773)).save(path, kind[-4:].strip(), **options)
    assert rise_in_megabytes(f"open_picture(path, longest={longest})", path) < 1000


def test_the_largest_pictures_open_without_a_word_from_pillow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (10_000, 9_999)
    assert Image.MAX_IMAGE_PIXELS is not None
    assert Image.MAX_IMAGE_PIXELS < size[0] * size[1] <= MOST_PIXELS  # Pillow would warn
    row = bytes(1250)
    content = png(size, 1, 0, [row] * 9_999)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        opened = open_picture(content, longest=100)
    assert warned == []
    assert opened.size == size
    assert opened.pixels.shape == (100, 100, 3)
    # A program's own bound in Pillow stays as it is, and refuses in our words.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert "pixels or fewer, got more: scale or crop it" in refused(saved(image(GREYS), "PNG"))
    assert Image.MAX_IMAGE_PIXELS == 100


# Damage

KINDS: dict[str, bytes] = {
    "PNG": saved(image(THREE), "PNG"),
    "JPEG": turned(THREE, 6, "JPEG"),
    "progressive JPEG": saved(image(THREE), "JPEG", progressive=True),
    "MPO": saved(image(THREE), "MPO", save_all=True, append_images=[image(THREE)]),
    "BMP": saved(image(THREE), "BMP"),
    "GIF": saved(image(GREYS), "GIF", save_all=True, append_images=[image(255 - GREYS)]),
    "TIFF": turned(THREE, 6, "TIFF"),
    "packed TIFF": saved(image(THREE), "TIFF", compression="tiff_lzw"),
    "deep TIFF": saved(image(WIDE.astype(np.float32)), "TIFF", compression="tiff_adobe_deflate"),
    "WEBP": saved(image(THREE), "WEBP", exif=Image.Exif()),
    "moving WEBP": saved(image(THREE), "WEBP", save_all=True, append_images=[image(255 - THREE)]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_cut_at_any_byte_is_refused_or_whole(kind: str) -> None:
    content = KINDS[kind]
    whole = open_picture(content).pixels
    opened = 0
    for length in range(0, len(content), 7):
        try:
            pixels = open_picture(content[:length]).pixels
        except PictureError:
            continue
        opened += 1
        assert np.array_equal(pixels, whole)
    several = kind in ("MPO", "GIF")  # cut in the second picture
    notes = kind.endswith("TIFF")  # which may be at the end
    assert opened <= (len(content) * 0.6 if several or notes else 12) / 7 + 1


def opens_or_refuses(content: bytes) -> None:
    for longest in (None, 9):
        with contextlib.suppress(InkdigitsError):
            opened = open_picture(content, longest=longest)
            assert isinstance(opened, Picture)
            assert opened.pixels.dtype == np.uint8
            assert opened.pixels.ndim == 3


@given(st.sampled_from([content[:12] for content in KINDS.values()] + [b""]), st.binary())
def test_any_bytes_are_a_picture_or_our_error(start: bytes, rest: bytes) -> None:
    opens_or_refuses(start + rest)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_any_change_to_a_file_gives_a_picture_or_our_error(
    kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    @given(
        st.lists(
            st.tuples(
                st.floats(0, 1) | st.floats(0, 0.1), st.integers(0, 4), st.binary(max_size=4)
            ),
            min_size=1,
            max_size=4,
        )
    )
    def change(changes: list[tuple[float, int, bytes]]) -> None:
        content = KINDS[kind]
        for place, taken, put in changes:
            at = int(place * len(content))
            content = content[:at] + put + content[at + taken :]
        opens_or_refuses(content)

    change()
    assert capfd.readouterr() == ("", "")


@on_linux
def test_what_pillow_logs_of_a_damaged_file_does_not_reach_stderr(tmp_path: Path) -> None:
    # In a Python of its own, because pytest listens to all that is logged.
    (tmp_path / "file").write_bytes(small_tiff(4, 4, (277, 3, 1, 9000), data=bytes(16)))
    rise_in_megabytes(REFUSE, tmp_path / "file")  # which finds nothing written to stderr
