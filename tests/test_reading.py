"""Pictures: one digit is read the same however it was stored, and what is none is refused."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import inkdigits
from inkdigits.dataset import Dataset
from inkdigits.errors import FileError, InkdigitsError, PictureError
from inkdigits.model import Model
from inkdigits.plots import digit as digit_figure
from inkdigits.plots import save as save_figure
from inkdigits.reading import is_picture, open_glyph, read_picture

Glyph = NDArray[np.uint8]


@pytest.fixture(scope="module")
def glyph(some: Dataset) -> Glyph:
    """The first test digit, a seven, white on black."""
    return some.images[0]


def gray(glyph: Glyph) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(glyph))


# How one digit may be stored without losing anything


def plain(glyph: Glyph, path: Path) -> None:
    gray(glyph).save(path, "PNG")


def inverted(glyph: Glyph, path: Path) -> None:
    gray(255 - glyph).save(path, "PNG")


def colours(glyph: Glyph, path: Path) -> None:
    gray(255 - glyph).convert("RGB").save(path, "PNG")


def sixteen_bits(glyph: Glyph, path: Path) -> None:
    Image.fromarray(glyph.astype(np.uint16) * 257).save(path, "PNG")


def sixteen_bits_inverted(glyph: Glyph, path: Path) -> None:
    Image.fromarray((255 - glyph).astype(np.uint16) * 257).save(path, "TIFF")


def palette(glyph: Glyph, path: Path) -> None:
    picture = Image.fromarray(glyph)
    shuffled = picture.point([(37 * value) % 256 for value in range(256)])
    colours = [(37 * value) % 256 for value in range(256)]  # 37 · 173 = 1 modulo 256
    table = [0] * 768
    for value, index in enumerate(colours):
        table[3 * index : 3 * index + 3] = [value] * 3
    coloured = Image.frombytes("P", shuffled.size, shuffled.tobytes())
    coloured.putpalette(table)
    coloured.save(path, "PNG")


def black_on_transparent(glyph: Glyph, path: Path) -> None:
    black = np.zeros_like(glyph)
    Image.merge("LA", [gray(black), gray(glyph)]).save(path, "PNG")


def black_on_transparent_colours(glyph: Glyph, path: Path) -> None:
    black = gray(np.zeros_like(glyph))
    Image.merge("RGBA", [black, black, black, gray(glyph)]).save(path, "WEBP", lossless=True)


def bitmap(glyph: Glyph, path: Path) -> None:
    gray(glyph).save(path, "BMP")


def animated_kind(glyph: Glyph, path: Path) -> None:
    gray(glyph).save(path, "GIF")


def six_times_the_size(glyph: Glyph, path: Path) -> None:
    gray(glyph.repeat(6, axis=0).repeat(6, axis=1)).save(path, "PNG")


def turned(orientation: int) -> Callable[[Glyph, Path], None]:
    """Stored lying, with the EXIF note that says how to hold it."""
    # What a camera does to the pixels: the inverse of what a viewer has to do.
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }

    def store(glyph: Glyph, path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        gray(glyph).transpose(inverse[orientation]).save(path, "PNG", exif=exif)

    store.__name__ = f"exif {orientation}"
    return store


LOSSLESS = [
    plain,
    inverted,
    colours,
    sixteen_bits,
    sixteen_bits_inverted,
    palette,
    black_on_transparent,
    black_on_transparent_colours,
    bitmap,
    animated_kind,
    six_times_the_size,
    *map(turned, range(2, 9)),
]


@pytest.mark.parametrize("store", LOSSLESS, ids=lambda store: store.__name__)
def test_one_digit_gives_the_same_glyph_however_it_is_stored(
    glyph: Glyph, tmp_path: Path, store: Callable[[Glyph, Path], None]
) -> None:
    store(glyph, tmp_path / "digit")
    opened, size = open_glyph(tmp_path / "digit")
    assert opened.dtype == np.uint8
    assert np.array_equal(opened, glyph)
    assert size == ((168, 168) if store is six_times_the_size else (28, 28))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("ink", ["black", "white"])
def test_a_jpeg_gives_nearly_the_same_glyph(
    glyph: Glyph, blink: Model, tmp_path: Path, mode: str, ink: str
) -> None:
    picture = gray(glyph if ink == "white" else 255 - glyph).convert(mode)
    picture.save(tmp_path / "digit.jpg", quality=95)
    opened, _ = open_glyph(tmp_path / "digit.jpg")
    # JPEG at quality 95 rounds each frequency to a few of 255 levels; rings stay below 16.
    assert np.abs(opened.astype(int) - glyph).max() < 16
    assert read_picture(tmp_path / "digit.jpg", blink).text == "7"


@pytest.mark.parametrize("index", [0, 1, 2, 3, 4])
def test_the_picture_that_show_draws_is_read_as_the_digit_itself(
    some: Dataset, blink: Model, tmp_path: Path, index: int
) -> None:
    save_figure(digit_figure(some.images[index]), tmp_path / "digit.png")
    opened, size = open_glyph(tmp_path / "digit.png")
    assert size == (280, 280)
    # matplotlib's grey map has 256 steps of its own, which round by one grey level.
    assert np.abs(opened.astype(int) - some.images[index]).max() <= 1
    assert read_picture(tmp_path / "digit.png", blink).text == str(some.known_labels[index])


@pytest.mark.parametrize("name", ["digit", "digit.txt", "digit.csv", "digit.jpg"])
def test_a_picture_is_known_by_its_content_and_not_by_its_name(
    glyph: Glyph, tmp_path: Path, name: str
) -> None:
    plain(glyph, tmp_path / name)
    assert is_picture(tmp_path / name)
    assert np.array_equal(open_glyph(tmp_path / name)[0], glyph)


def test_a_larger_picture_is_averaged_over_squares(tmp_path: Path) -> None:
    pixels = np.zeros((56, 56), np.uint8)
    pixels[20, 30] = 200  # a quarter of the pixel (10, 15)
    gray(pixels).save(tmp_path / "digit.png")
    opened, _ = open_glyph(tmp_path / "digit.png")
    assert opened[10, 15] == 50
    assert opened.sum() == 50


# What a reading says


def test_a_reading_holds_what_the_model_says_of_the_glyph(
    glyph: Glyph, blink: Model, tmp_path: Path
) -> None:
    six_times_the_size(glyph, tmp_path / "digit.png")
    reading = read_picture(tmp_path / "digit.png", blink)
    probabilities = blink.predict_probabilities(glyph[np.newaxis])[0]
    assert np.array_equal(reading.probabilities, probabilities)
    assert reading.text == "7"
    assert reading.size == (168, 168)
    ((number,), (digit,)) = reading.numbers, reading.numbers[0].digits
    assert (number.text, number.confidence, number.box) == ("7", probabilities[7], (0, 0, 168, 168))
    assert (digit.digit, digit.probability, digit.box) == (7, probabilities[7], (0, 0, 168, 168))
    assert reading.as_data() == {
        "size": [168, 168],
        "numbers": [
            {
                "text": "7",
                "confidence": probabilities[7],
                "box": (0, 0, 168, 168),
                "digits": [{"digit": 7, "probability": probabilities[7], "box": (0, 0, 168, 168)}],
            }
        ],
    }
    assert reading.as_single() == {
        "digit": 7,
        "probability": probabilities[7],
        "probabilities": probabilities.tolist(),
        "not_a_digit": None,
        "rejected": False,
    }


def test_the_top_function_reads_by_a_model_or_by_its_file(
    glyph: Glyph, blink: Model, blink_file: Path, tmp_path: Path
) -> None:
    plain(glyph, tmp_path / "digit.png")
    picture = tmp_path / "digit.png"
    readings = [
        inkdigits.read(picture, model=blink),
        inkdigits.read(str(picture), model=blink_file),
        inkdigits.read(picture, model=str(blink_file)),
    ]
    assert [reading.text for reading in readings] == ["7"] * 3


# What is refused


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(100_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def refused(path: Path) -> str:
    """The message of the one line with which the picture is refused, within 20 MB."""
    tracemalloc.start()
    with pytest.raises(PictureError) as caught:
        open_glyph(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize(
    "size", [(1, 1), (27, 27), (29, 29), (28, 56), (56, 28), (100, 100), (588, 588), (5000, 20)]
)
def test_a_picture_of_another_size_is_refused_with_what_to_do(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    Image.new("L", size).save(tmp_path / "digit.png")
    message = refused(tmp_path / "digit.png")
    assert "to be one digit of 28 × 28 pixels, or a multiple of it up to 560" in message
    assert f"got {size[0]} × {size[1]}: crop the digit with an even margin and scale it" in message


@pytest.mark.parametrize(
    ("side", "message"),
    [
        (28_000, "got DecompressionBombError"),
        (11_200, "got DecompressionBombWarning"),  # between once and twice what Pillow finds much
        (2_800, "got 2800 × 2800"),
    ],
)
def test_a_decompression_bomb_is_refused_by_its_header(
    tmp_path: Path, side: int, message: str
) -> None:
    path = tmp_path / "digit.png"
    path.write_bytes(bomb(side, side))
    with warnings.catch_warnings():
        warnings.simplefilter("always")  # as outside of the tests, where a warning is no error
        with warnings.catch_warnings(record=True) as warned:
            assert is_picture(path)
            assert message in refused(path)
    assert warned == []


def test_a_picture_cut_at_any_byte_is_refused_or_whole(glyph: Glyph, tmp_path: Path) -> None:
    path = tmp_path / "digit.png"
    plain(glyph, path)
    content = path.read_bytes()
    # What comes after the pixels' own data, 12 bytes of IEND, is no loss.
    for length in range(0, len(content) - 12 - 4 - 4, 3):
        path.write_bytes(content[:length])
        assert "expected PNG, JPEG, BMP, GIF, TIFF, WEBP, got" in refused(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a letter of mine",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"/>',
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 28 28\n%%EndComments\nshowpage\n",
        b"%PDF-1.4\n",
        b"P5 28 28 255\n" + bytes(784),
        b"\0\0\x01\0",
    ],
    ids=["empty", "text", "svg", "eps", "pdf", "pgm", "ico"],
)
def test_what_is_no_picture_of_ours_is_refused_whatever_its_name(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "digit.png"
    path.write_bytes(content)
    assert not is_picture(path)
    message = refused(path)
    assert "as a picture: expected PNG, JPEG, BMP, GIF, TIFF, WEBP, got Unidentified" in message


def test_a_missing_picture_is_answered_with_the_nearest(glyph: Glyph, tmp_path: Path) -> None:
    plain(glyph, tmp_path / "seven.png")
    with pytest.raises(FileError, match=r"did you mean .*seven\.png\?"):
        open_glyph(tmp_path / "sevn.png")
    assert not is_picture(tmp_path / "sevn.png")
    assert not is_picture(tmp_path)


# Fuzz

KINDS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "JPEG": {},
    "BMP": {},
    "GIF": {},
    "TIFF": {"compression": "tiff_lzw"},
    "WEBP": {},
}


@pytest.mark.parametrize("kind", KINDS)
@settings(
    max_examples=200,
    deadline=None,
    # The folder is the same for all examples on purpose: each overwrites the last one's file.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(st.floats(0, 1) | st.floats(0, 0.1), st.integers(0, 4), st.binary(max_size=4)),
        min_size=1,
        max_size=4,
    )
)
def test_any_change_to_a_picture_gives_a_glyph_or_our_error(
    glyph: Glyph, tmp_path: Path, kind: str, changes: list[tuple[float, int, bytes]]
) -> None:
    path = tmp_path / "digit"
    gray(glyph).save(path, kind, **KINDS[kind])
    content = path.read_bytes()
    for place, taken, put in changes:
        at = int(place * len(content))
        content = content[:at] + put + content[at + taken :]
    path.write_bytes(content)
    is_picture(path)
    with contextlib.suppress(InkdigitsError):
        opened, _ = open_glyph(path)
        assert opened.shape == (28, 28)
