"""One digit a picture: it is read the same however it was stored, and the same as its own glyph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from inkdigits.dataset import Dataset
from inkdigits.glyph import cropped, deskewed, glyph_of, lean, turned
from inkdigits.model import Model
from inkdigits.plots import digit as digit_figure
from inkdigits.plots import save as save_figure
from inkdigits.reading import (
    LONGEST,
    Choices,
    DigitReading,
    Picture,
    open_picture,
    prepare,
    read_digit,
)

Glyph = NDArray[np.uint8]


def read_file(path: Path, model: Model) -> DigitReading:
    return read_digit(open_picture(path, longest=LONGEST), model)


@pytest.fixture(scope="module")
def glyph(some: Dataset) -> Glyph:
    """The first test digit, a seven, white on black."""
    return some.images[0]


def gray(glyph: Glyph) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(glyph))


def on_paper(glyph: Glyph, *, side: int = 300, strength: float = 0.7) -> Picture:
    """The digit large and dark on light paper, whose light falls from one side to the other."""
    light = np.linspace(190, 240, side) * np.ones((side, 1))
    ink = cv2.resize(glyph, (side // 2, side // 2), interpolation=cv2.INTER_CUBIC) / 255
    light[side // 4 : side // 4 + len(ink), side // 5 : side // 5 + len(ink)] *= 1 - strength * ink
    pixels = np.repeat(np.rint(light).astype(np.uint8)[:, :, np.newaxis], 3, axis=2)
    return Picture(pixels, (side, side))


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


def lying(orientation: int) -> Callable[[Glyph, Path], None]:
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
    *map(lying, range(2, 9)),
]


@pytest.mark.parametrize("store", LOSSLESS, ids=lambda store: store.__name__)
def test_one_digit_gives_the_same_reading_however_it_is_stored(
    glyph: Glyph, blink: Model, tmp_path: Path, store: Callable[[Glyph, Path], None]
) -> None:
    plain(glyph, tmp_path / "plain")
    store(glyph, tmp_path / "digit")
    expected, came = (read_file(tmp_path / name, blink) for name in ("plain", "digit"))
    assert came.digit == expected.digit == 7
    # A palette and grey values of 16 bits keep every level; light ink on dark is turned round.
    assert came.confidence == pytest.approx(expected.confidence, abs=1e-3)
    assert came.prepared.box == expected.prepared.box


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("ink", ["black", "white"])
def test_a_jpeg_of_it_is_read_the_same(
    glyph: Glyph, blink: Model, tmp_path: Path, mode: str, ink: str
) -> None:
    picture = gray(glyph if ink == "white" else 255 - glyph).convert(mode)
    picture.save(tmp_path / "digit.jpg", quality=95)
    reading = read_file(tmp_path / "digit.jpg", blink)
    assert (reading.digit, reading.rejected) == (7, False)
    assert reading.confidence > 0.9


@pytest.mark.parametrize("index", [0, 1, 2, 3, 4])
def test_the_picture_that_show_draws_is_read_as_the_digit_itself(
    some: Dataset, blink: Model, tmp_path: Path, index: int
) -> None:
    save_figure(digit_figure(some.images[index]), tmp_path / "digit.png")
    reading = read_file(tmp_path / "digit.png", blink)
    assert reading.size == (280, 280)
    assert (reading.digit, reading.rejected) == (some.known_labels[index], False)


# What a reading says


def test_a_reading_holds_what_the_model_says_of_the_glyph(some: Dataset, blink: Model) -> None:
    reading = read_digit(on_paper(some.images[0]), blink)
    answers = blink.answer(reading.prepared.glyph[np.newaxis])
    assert np.array_equal(reading.answers.probabilities, answers.probabilities)
    assert (reading.size, reading.digit, reading.rejected) == ((300, 300), 7, False)
    assert reading.confidence == answers.confidence[0]
    assert reading.threshold == answers.threshold
    assert reading.as_single() == {
        "digit": 7,
        "probability": reading.confidence,
        "probabilities": answers.probabilities[0].tolist(),
        "not_a_digit": None,
        "rejected": False,
    }


def test_below_the_threshold_the_digit_is_better_not_named(some: Dataset, blink: Model) -> None:
    picture = on_paper(some.images[0])
    sure = read_digit(picture, blink).confidence
    at, above = (read_digit(picture, blink, threshold=least) for least in (sure, sure + 1e-9))
    assert (at.digit, at.rejected, at.threshold) == (7, False, sure)
    assert (above.digit, above.rejected) == (7, True)
    assert above.as_single()["rejected"] is True


def test_of_an_empty_sheet_nothing_is_read(blink: Model) -> None:
    reading = read_digit(Picture(np.full((200, 100, 3), 240, np.uint8), (100, 200)), blink)
    assert reading.rejected
    assert (reading.confidence, reading.not_a_digit) == (0.0, None)
    assert reading.prepared.box == (0, 0, 100, 200)
    assert not reading.prepared.glyph.any()


def test_a_box_is_in_the_pixels_of_the_original(some: Dataset, tmp_path: Path) -> None:
    picture = Image.fromarray(on_paper(some.images[0]).pixels).resize((2400, 2400))
    picture.save(tmp_path / "large.png")
    opened = open_picture(tmp_path / "large.png", longest=600)
    whole, reduced = (prepare(each) for each in (on_paper(some.images[0]), opened))
    # A pixel of the reduced picture is four of the original's, and soft edges are another two.
    assert np.array(reduced.box) == pytest.approx(8 * np.array(whole.box), abs=24)


# What can be decided otherwise


def test_what_leans_is_made_upright_and_what_is_upright_stays(some: Dataset) -> None:
    upright = deskewed(some.images[2])
    assert abs(lean(upright)) < 0.03
    for slope in (-0.6, 0.4):
        rows = np.arange(upright.shape[0])[:, np.newaxis]
        shift = slope * (rows - len(rows) / 2)
        columns = np.arange(60) - 15 + shift
        leaning = np.where(
            (columns >= 0) & (columns < upright.shape[1] - 1),
            upright[rows, np.clip(np.rint(columns), 0, upright.shape[1] - 1).astype(int)],
            0,
        ).astype(np.uint8)
        assert lean(leaning) == pytest.approx(slope, abs=0.05)
        assert abs(lean(deskewed(leaning))) < 0.05


def test_a_single_row_of_ink_leans_nowhere() -> None:
    line = np.zeros((9, 9), np.uint8)
    line[4, 2:7] = 255
    assert lean(line) == 0
    assert np.array_equal(cropped(deskewed(line)), cropped(line))


def test_turning_is_against_the_clock_and_loses_no_ink() -> None:
    hand = np.zeros((41, 41), np.uint8)
    hand[18:23, 20:40] = 255  # points to the right
    hand[13:28, 17:22] = 255  # so that one sees where its axle is
    up = cropped(turned(hand, 90))
    assert up[:13, :].any(axis=1).all()
    assert up[0].sum() < up[-2].sum()  # the axle is below
    for degrees in (-90, 10, 45, 180):
        assert turned(hand, degrees).sum(dtype=float) == pytest.approx(
            hand.sum(dtype=float), rel=0.02
        )


def test_choices_below_the_ink_are_those_of_the_glyph(some: Dataset) -> None:
    picture = on_paper(some.images[4])
    ink = prepare(picture).ink
    assert ink is not None
    for choices, glyph in (
        (Choices(), glyph_of(ink.levels)),
        (Choices(widths=None), glyph_of(ink.levels, widths=None)),
        (Choices(widths=(3.5, 3.5)), glyph_of(ink.levels, widths=(3.5, 3.5))),
        (Choices(centred=False), glyph_of(ink.levels, centred=False)),
        (Choices(deskew=True), glyph_of(deskewed(ink.levels))),
        (Choices(rotation_degrees=-15), glyph_of(turned(ink.levels, -15))),
    ):
        assert np.array_equal(prepare(picture, choices).glyph, glyph), choices


def test_faint_ink_that_is_let_in_is_seen_as_ink() -> None:
    sheet = np.full((200, 200, 3), 230, np.uint8)
    sheet[40:160, 110:118] = 30
    sheet[40:48, 60:118] = 200  # joined to the stroke, but with 15 % of its strength
    usual, let_in = (
        prepare(Picture(sheet, (200, 200)), Choices(threshold=factor)) for factor in (1, 0.35)
    )
    assert usual.box[2] < 20
    assert let_in.box[2] > 50
    assert let_in.ink is not None
    assert cropped(let_in.glyph)[1, 3] > 60  # 25 without
