"""Ink: the digit alone is found on papers of many kinds, and every choice has its effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from written import PAPERS, Written, brush, put, written

from inkdigits.glyph import bounding_box, lean, stroke_width
from inkdigits.reading.digit import prepare
from inkdigits.reading.ink import Choices, Ink, find_ink
from inkdigits.reading.picture import Picture
from inkdigits.sources import load

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

COUNT = 10  # pictures of a kind

# How much of the ink that is found, and of that which is there, must be in both, in 9 of 10
# pictures: less where edges are soft or pixels few, or lines of the paper are as dark as ink.
LEAST = {"blur": 0.5, "tiny": 0.75, "squared": 0.7, "ruled": 0.8, "hard shadow": 0.65}
# Two shadows that cross are taken for strokes, or for the paper: 6 of 10 are found, roughly.
HARD = {"two shadows": (0.4, 6)}


@pytest.fixture(scope="module")
def digits() -> Pixels:
    return load("mnist:validation").images[:500]


@cache
def pictures(kind: str) -> tuple[Written, ...]:
    return tuple(written(kind, load("mnist:validation").images[:500], COUNT))


def overlap(ink: Ink | None, mask: Mask) -> float:
    """Of the ink found and the ink there is: how much is both."""
    found = ink.levels > 127 if ink else np.zeros_like(mask)
    return float((found & mask).sum() / max(1, (found | mask).sum()))


def drawn(*shapes: Callable[[Pixels], None], size: tuple[int, int] = (200, 150)) -> Pixels:
    """White paper with something in black on it: shape (H, W, 3)."""
    sheet = np.full(size, 255, np.uint8)
    for shape in shapes:
        shape(sheet)
    return np.repeat(sheet[..., np.newaxis], 3, axis=2)


def ring(sheet: Pixels) -> None:
    cv2.ellipse(sheet, (75, 100), (30, 50), 0, 0, 360, 0, 8)


def speck(sheet: Pixels) -> None:
    sheet[20:27, 20:27] = 0


def rule(sheet: Pixels) -> None:
    sheet[180:183] = 0


def picture_of(pixels: Pixels) -> Picture:
    return Picture(pixels, (pixels.shape[1], pixels.shape[0]))


# Papers


@cache
def inks(kind: str) -> list[Ink | None]:
    return [find_ink(one.pixels) for one in pictures(kind)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", PAPERS)
def test_the_ink_that_is_found_is_the_digits(kind: str) -> None:
    least, often = HARD.get(kind, (LEAST.get(kind, 0.85), 9))
    found = [overlap(ink, one.mask) for ink, one in zip(inks(kind), pictures(kind), strict=True)]
    assert sum(share >= least for share in found) >= often, np.round(sorted(found), 2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", PAPERS)
def test_whether_ink_is_dark_is_found(kind: str) -> None:
    """Where either is clearly darker, as colours need not be."""
    told = [
        ink.dark == one.dark
        for ink, one in zip(inks(kind), pictures(kind), strict=True)
        if ink and (kind != "colours" or clear(one))
    ]
    assert sum(told) >= HARD.get(kind, (0, 9))[1] * len(told) / COUNT
    assert len(told) >= 5


def clear(one: Written) -> bool:
    levels = one.pixels.mean(axis=2)
    return bool(abs(levels[one.mask].mean() - levels[~one.mask].mean()) > 30)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "colours", "board", "ruled", "neighbours", "tiny"])
def test_the_negative_of_a_picture_has_the_same_ink(kind: str) -> None:
    for one in pictures(kind):
        ink, other = find_ink(one.pixels), find_ink(255 - one.pixels)
        assert ink
        assert other
        assert ink.dark != other.dark
        # Paper is what is bright or dark around strokes: the same but for rounding.
        assert np.abs(ink.levels.astype(int) - other.levels).mean() < 1


@pytest.mark.parametrize("kind", ["plain", "pencil", "gradient", "box", "neighbours"])
def test_a_picture_on_its_side_has_the_same_ink(kind: str) -> None:
    for one in pictures(kind)[:5]:
        ink = find_ink(one.pixels)
        other = find_ink(np.ascontiguousarray(np.rot90(one.pixels)))
        assert ink
        assert other
        assert overlap(other, np.rot90(ink.levels > 127)) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "pencil", "gradient", "rough", "box"])
def test_a_photo_of_four_times_the_pixels_makes_the_same_glyph(kind: str) -> None:
    """30 of 255: where edges move by a part of a pixel, or the middle by one."""
    differences = []
    for one in pictures(kind):
        large = np.asarray(cv2.resize(one.pixels, None, fx=2, fy=2), np.uint8)
        glyphs = [prepare(picture_of(pixels)).glyph.astype(int) for pixels in (one.pixels, large)]
        differences.append(np.abs(glyphs[0] - glyphs[1]).mean())
    assert np.median(differences) < 10
    assert sum(difference < 30 for difference in differences) >= 9


@pytest.mark.slow
@pytest.mark.parametrize("kind", PAPERS)
def test_what_is_said_of_the_ink_is_so(kind: str) -> None:
    for one in pictures(kind)[:4]:
        before = one.pixels.copy()
        ink = find_ink(one.pixels)
        np.testing.assert_array_equal(one.pixels, before)
        assert ink
        assert ink.levels.shape == one.mask.shape
        assert ink.levels.dtype == np.uint8
        assert ink.levels.max() > 200
        assert ink.box == bounding_box(ink.levels)
        assert 0 < ink.contrast <= 256
        assert 0 <= ink.noise < ink.contrast
        assert 0 <= ink.lines <= 1
        assert 0 <= ink.left_out <= 1


def test_contrast_and_noise_are_measured() -> None:
    """Ink of 100 on paper of 200, with noise of 5; 20 %: of what is strong, and of grains."""
    sheet = drawn(ring)[..., 0]
    chance = np.random.default_rng(1)
    grey = np.where(sheet > 127, 200.0, 100.0) + chance.normal(0, 5, sheet.shape)
    ink = find_ink(np.repeat(np.rint(grey).astype(np.uint8)[..., np.newaxis], 3, axis=2))
    assert ink
    assert ink.contrast == pytest.approx(100, rel=0.2)
    assert ink.noise == pytest.approx(5, rel=0.3)


# Nothing to read


@pytest.mark.parametrize("level", [0, 1, 128, 254, 255])
@pytest.mark.parametrize(
    "shape", [(1, 2), (1, 300), (300, 1), (2, 2), (20, 20), (41, 41), (90, 200)]
)
def test_an_even_picture_has_no_ink(shape: tuple[int, int], level: int) -> None:
    for colour in ((level,) * 3, (level, 0, 255 - level)):
        for choices in (None, Choices(ink="dark"), Choices(ink="light"), Choices(lines=False)):
            assert find_ink(np.full((*shape, 3), colour, np.uint8), choices) is None


def test_light_alone_is_no_ink() -> None:
    """A slow change from black to white, and a sheet half in the shadow."""
    along = np.arange(300)
    for row in (along * 255 // 299, np.where(along > 150, 255, 90)):
        pixels = np.repeat(np.tile(row.astype(np.uint8), (200, 1))[..., np.newaxis], 3, axis=2)
        assert find_ink(pixels) is None
        assert find_ink(np.ascontiguousarray(pixels.swapaxes(0, 1))) is None


@pytest.mark.parametrize("deviation", [1, 4, 20, 60])
@pytest.mark.parametrize("shape", [(20, 20), (60, 50), (100, 100), (300, 200)])
def test_of_pure_noise_there_are_a_few_grains_at_most(
    shape: tuple[int, int], deviation: int
) -> None:
    for seed in range(4):
        chance = np.random.default_rng(seed)
        for channels in (1, 3):
            noise = chance.normal(128, deviation, (*shape, channels))
            grains = np.clip(np.rint(noise), 0, 255).astype(np.uint8)
            ink = find_ink(np.repeat(grains, 3, axis=2) if channels == 1 else grains)
            assert ink is None or np.count_nonzero(ink.levels) < 40


def test_pure_noise_has_no_ink() -> None:
    chance = np.random.default_rng(1)
    for deviation in (4, 20, 60):
        noise = np.clip(chance.normal(128, deviation, (100, 100, 3)), 0, 255)
        assert find_ink(noise.astype(np.uint8)) is None


def test_a_picture_of_one_pixel_has_no_ink() -> None:
    assert find_ink(np.zeros((1, 1, 3), np.uint8)) is None


@pytest.mark.parametrize("size", [100, 200, 400, 1000])
def test_a_small_digit_on_clean_paper_is_found(digits: Pixels, size: int) -> None:
    """A tenth of the picture's height, as someone writes on a large canvas."""
    for digit in digits[:5]:
        sheet = np.zeros((size, size), np.float32)
        put(sheet, brush(digit, size // 7, 0), size / 2, size / 2)
        pixels = np.repeat(np.rint(255 * (1 - sheet))[..., np.newaxis], 3, axis=2)
        ink = find_ink(pixels.astype(np.uint8))
        assert ink
        assert ink.dark
        assert overlap(ink, sheet > 0.5) > 0.6


@pytest.mark.parametrize("shape", [(1, 80), (80, 1), (2, 80), (3, 400), (41, 3), (5, 5), (19, 60)])
def test_narrow_pictures_are_no_trouble(shape: tuple[int, int]) -> None:
    height, width = shape
    chance = np.random.default_rng(1)
    for picture in (
        chance.integers(0, 256, (height, width, 3), np.uint8),
        chance.choice(np.array([0, 255], np.uint8), (height, width, 1)).repeat(3, axis=2),
        np.where(np.arange(height * width).reshape(height, width, 1) % 7 < 2, 0, 255).repeat(3, 2),
    ):
        for choices in (None, Choices(ink="dark"), Choices(ink="light"), Choices(crop=False)):
            ink = find_ink(picture.astype(np.uint8), choices)
            assert ink is None or ink.box == bounding_box(ink.levels)


def test_black_on_white_without_a_grain_is_found_to_the_pixel() -> None:
    pixels = drawn(ring)
    for picture, dark in ((pixels, True), (255 - pixels, False)):
        ink = find_ink(picture)
        assert ink
        assert ink.dark is dark
        np.testing.assert_array_equal(ink.levels == 255, pixels[..., 0] == 0)
        assert ink.noise == 0
        assert ink.lines == 0
        assert ink.left_out == 0


# What belongs to the digit


def neighbour(sheet: Pixels) -> None:
    """At the rim, and as near to the ring as its own stroke is broad."""
    sheet[76:110, 117:] = 0


def test_specks_and_what_comes_in_from_the_rim_are_left_out() -> None:
    alone = find_ink(drawn(ring))
    ink = find_ink(drawn(ring, speck, neighbour))
    assert alone
    assert ink
    np.testing.assert_array_equal(ink.levels, alone.levels)
    assert ink.left_out > 0.2


def test_a_pale_digit_beside_a_black_neighbour_gets_its_whole_strength() -> None:
    """So where it is paler still, too, where beside the neighbour's it would be none."""
    pale = 255 - (255 - drawn(ring)) // 2
    pale[135:] = 255 - (255 - pale[135:]) // 3
    alone = find_ink(pale)
    ink = find_ink(np.minimum(pale, drawn(neighbour)))
    assert alone
    assert ink
    np.testing.assert_array_equal(ink.levels, alone.levels)
    assert ink.contrast == pytest.approx(127, rel=0.1)


def test_what_is_faint_counts_only_where_it_is_joined_to_strong_ink() -> None:
    """Spots of three tenths of the ink's strength."""
    pixels = drawn(ring)
    ways = {"apart": slice(20, 40), "joined": slice(90, 110)}
    for way, rows in ways.items():
        spotted = pixels.copy()
        spotted[rows, 20:50] = np.minimum(spotted[rows, 20:50], 178)
        ink = find_ink(spotted, Choices(crop=False))
        assert ink
        assert ink.levels[rows, 22:42].any() == (way == "joined")


def test_a_digit_in_pieces_stays_whole() -> None:
    """The bar of a 5, a little away from its rest, and the two strokes of an open 4."""

    def five(sheet: Pixels) -> None:
        cv2.line(sheet, (60, 40), (100, 40), 0, 7)
        cv2.line(sheet, (55, 52), (55, 90), 0, 7)
        cv2.ellipse(sheet, (65, 115), (35, 30), 0, -120, 130, 0, 7)

    def four(sheet: Pixels) -> None:
        cv2.line(sheet, (40, 40), (35, 100), 0, 7)
        cv2.line(sheet, (35, 100), (85, 100), 0, 7)
        cv2.line(sheet, (95, 60), (95, 150), 0, 7)

    for shape in (five, four):
        pixels = drawn(shape)
        assert overlap(find_ink(pixels), pixels[..., 0] == 0) > 0.95


# Choices


@pytest.mark.parametrize("kind", ["plain", "pencil", "board", "low light"])
def test_ink_that_was_decided_to_be_dark_is_what_would_have_been_found(kind: str) -> None:
    for one in pictures(kind)[:4]:
        told = find_ink(one.pixels, Choices(ink="dark" if one.dark else "light"))
        found = find_ink(one.pixels)
        assert told
        assert found
        np.testing.assert_array_equal(told.levels, found.levels)


def test_ink_that_was_decided_to_be_light_is_lighter_than_its_paper() -> None:
    pixels = drawn(ring)
    pixels[90:110, 70:80] = 128  # darker than the paper, lighter than nothing
    grey = np.full((200, 150, 3), 128, np.uint8)
    grey[40:60, 40:110] = 255
    grey[120:180, 60:90] = 0
    light, dark = (find_ink(grey, Choices(ink=way)) for way in ("light", "dark"))
    assert light
    assert dark
    assert light.box == (40, 40, 70, 20)
    assert dark.box == (60, 120, 30, 60)
    assert not light.dark
    assert dark.dark


def test_a_higher_threshold_takes_less_for_ink() -> None:
    """A stroke that fades: how far it is followed."""
    strength = np.tile(np.linspace(0, 200, 160), (12, 1))
    grey = np.full((100, 200), 250.0)
    grey[44:56, 20:180] -= strength
    pixels = np.repeat(grey.astype(np.uint8)[..., np.newaxis], 3, axis=2)
    widths = []
    for threshold in (0.4, 0.7, 1.0, 1.5, 2.2):
        ink = find_ink(pixels, Choices(threshold=threshold))
        assert ink
        widths.append(ink.box[2])
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 5


def test_lines_are_left_out_unless_they_are_asked_for() -> None:
    pixels = drawn(ring, rule)
    without, kept = (find_ink(pixels, Choices(lines=lines, crop=False)) for lines in (True, False))
    assert without
    assert kept
    assert without.levels[180:183].mean() < 0.2 * kept.levels[180:183].mean()
    assert kept.box[0] == 0
    assert kept.box[2] == 150
    assert without.lines > kept.lines == 0


def test_specks_stay_where_nothing_is_cropped() -> None:
    pixels = drawn(ring, speck)
    cropped, whole = (find_ink(pixels, Choices(crop=crop)) for crop in (True, False))
    assert cropped
    assert whole
    assert not cropped.levels[20:27, 20:27].any()
    assert whole.levels[20:27, 20:27].all()
    assert cropped.left_out > whole.left_out == 0


def test_choices_of_the_glyph_change_it_as_they_say() -> None:
    def leaning(sheet: Pixels) -> None:
        cv2.line(sheet, (100, 40), (60, 160), 0, 2)
        cv2.line(sheet, (100, 40), (60, 60), 0, 2)

    picture = picture_of(drawn(leaning))
    plain = prepare(picture).glyph
    thin = prepare(picture, Choices(widths=None)).glyph
    assert stroke_width(thin) < stroke_width(plain)
    bold = prepare(picture, Choices(widths=(3.0, 3.9))).glyph
    assert stroke_width(bold) > stroke_width(plain) + 0.5
    x, _, width, _ = bounding_box(prepare(picture, Choices(centred=False)).glyph)
    assert abs(2 * x + width - 28) <= 1
    assert abs(lean(prepare(picture, Choices(deskew=True)).glyph)) < 0.1 < lean(plain)
    left = lean(prepare(picture, Choices(rotation_degrees=20)).glyph)
    right = lean(prepare(picture, Choices(rotation_degrees=-20)).glyph)
    assert left < lean(plain) < right


def test_each_choice_is_tested_here() -> None:
    """Whoever adds one adds a law."""
    assert {field.name for field in fields(Choices)} == {
        *("ink", "threshold", "lines", "crop"),
        *("widths", "centred", "deskew", "rotation_degrees"),
    }
