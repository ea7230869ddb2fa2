"""Glyphs: MNIST's own are left as they are, and any other ink comes near to them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigits.errors import PictureError
from inkdigits.glyph import (
    BOX,
    MIDDLE,
    STROKE_WIDTHS,
    bounding_box,
    cropped,
    deskewed,
    glyph_of,
    lean,
    stroke_width,
    turned,
)
from inkdigits.sources import load

Pixels = NDArray[np.uint8]

BLANK = np.zeros((40, 30), np.uint8)


@pytest.fixture(scope="module")
def many() -> Pixels:
    """10,000 glyphs of MNIST."""
    return load("mnist:validation").images


@pytest.fixture(scope="module")
def few(many: Pixels) -> Pixels:
    return many[:200]


def bar(height: int, width: int) -> Pixels:
    """A full rectangle with paper around it."""
    return np.pad(np.full((height, width), 255, np.uint8), 10)


def enlarged(ink: Pixels, factor: float, method: int = cv2.INTER_NEAREST) -> Pixels:
    large = cv2.resize(ink, None, fx=factor, fy=factor, interpolation=method)
    return np.asarray(large, np.uint8)


def centre(ink: Pixels) -> NDArray[np.float64]:
    """y and x of the centre of mass."""
    levels = ink.astype(float)
    rows, columns = levels.sum(axis=1), levels.sum(axis=0)
    middles = np.array([rows @ np.arange(len(rows)), columns @ np.arange(len(columns))])
    return np.asarray(middles / levels.sum())


def relative_width(ink: Pixels) -> float:
    """How wide strokes would be in a glyph."""
    return stroke_width(ink) * BOX / max(bounding_box(ink)[2:])


def far(one: Pixels, other: Pixels) -> float:
    """The mean absolute difference."""
    return float(np.abs(one.astype(float) - other).mean())


# MNIST's own


@pytest.mark.slow
def test_a_glyph_of_mnist_is_left_bit_for_bit(many: Pixels) -> None:
    """But for one in 3,000 whose faint rim was rounded to paper, so that its box is too small."""
    kept = np.array([np.array_equal(glyph_of(image, widths=None), image) for image in many])
    full = np.array([max(bounding_box(image)[2:]) == BOX for image in many])
    np.testing.assert_array_equal(kept, full)
    assert kept.mean() > 0.999


def test_most_of_mnist_keeps_its_strokes_too(many: Pixels) -> None:
    """Those of 95 % are within `STROKE_WIDTHS`, and no glyph within is touched."""
    some = many[:1000]
    kept = np.array([np.array_equal(glyph_of(image), image) for image in some])
    widths = np.array([stroke_width(image) for image in some])
    within = (widths >= STROKE_WIDTHS[0]) & (widths <= STROKE_WIDTHS[1])
    np.testing.assert_array_equal(kept, within)
    assert kept.mean() == pytest.approx(0.95, abs=0.02)


def test_the_ink_is_left_as_it_is(few: Pixels) -> None:
    for image in few[:20]:
        ink = np.pad(image, 9)
        before = ink.copy()
        glyph = glyph_of(ink)
        np.testing.assert_array_equal(ink, before)
        assert not np.shares_memory(glyph, ink)
        glyph = glyph_of(image, widths=None)
        assert not np.shares_memory(glyph, image)


# Other ink


def test_where_a_digit_stands_makes_no_difference(few: Pixels) -> None:
    for image in few:
        there = np.pad(image, ((5, 30), (11, 0)))
        np.testing.assert_array_equal(glyph_of(there, widths=None), image)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [2, 3, 10])
def test_an_enlarged_digit_comes_back_near(few: Pixels, factor: int) -> None:
    """Of 255: averages are soft. A middle between two pixels may go to the other of them."""
    errors = [far(glyph_of(enlarged(image, factor), widths=None), image) for image in few]
    assert np.median(errors) < 6
    assert np.quantile(errors, 0.98) < 8
    assert max(errors) < 20


@pytest.mark.parametrize("factor", [0.6, 1.5, 4.3])
def test_an_interpolated_digit_comes_back_near(few: Pixels, factor: float) -> None:
    errors = [
        far(glyph_of(enlarged(image, factor, cv2.INTER_LINEAR), widths=None), image)
        for image in few
    ]
    assert np.median(errors) < 15


@pytest.mark.parametrize(
    "turn",
    [
        np.fliplr,
        np.flipud,
        np.transpose,
        lambda ink: np.rot90(ink, 1),
        lambda ink: np.rot90(ink, 2),
    ],
)
def test_a_mirrored_digit_makes_a_mirrored_glyph(
    few: Pixels, turn: Callable[[Pixels], Pixels]
) -> None:
    """But for its place, as the middle of 28 lies between two pixels. 1: rounded means."""
    for image in few[:60]:
        ink = enlarged(image, 4)
        found = cropped(glyph_of(np.ascontiguousarray(turn(ink)), widths=None)).astype(int)
        np.testing.assert_allclose(found, cropped(turn(glyph_of(ink, widths=None))), atol=1)


def test_the_longer_side_is_twenty_and_the_middle_is_in_place() -> None:
    chance = np.random.default_rng(1)
    for _ in range(100):
        height, width = chance.integers(1, 200, 2).tolist()
        ink = np.pad(chance.integers(50, 256, (height, width), np.uint8), 3)
        glyph = glyph_of(ink, widths=None)
        assert glyph.shape == (28, 28)
        assert glyph.dtype == np.uint8
        _, _, across, down = bounding_box(glyph)
        assert max(across, down) == BOX
        shorter = BOX * min(height, width) / max(height, width)
        assert abs(min(across, down) - max(1, shorter)) <= 0.5
        assert np.abs(centre(glyph) - MIDDLE).max() <= 0.5


def test_without_centring_the_box_is_in_the_middle(few: Pixels) -> None:
    for image in few:
        x, y, width, height = bounding_box(glyph_of(image, centred=False))
        assert abs(2 * x + width - 28) <= 1
        assert abs(2 * y + height - 28) <= 1


def test_a_middle_far_from_the_boxs_sends_no_ink_around_the_frame() -> None:
    """A thin long stroke with a blot at its end: what sticks out is cut off."""
    ink = np.zeros((100, 100), np.uint8)
    ink[50, :] = 60
    ink[30:70, 90:] = 255
    glyph = glyph_of(ink, widths=None)
    assert bounding_box(glyph)[0] == 0
    assert np.abs(centre(glyph) - MIDDLE).max() < 1.5
    assert glyph[:, 22:].sum() == 0


@pytest.mark.parametrize("widths", [None, STROKE_WIDTHS])
@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 1), (28, 28), (1, 400)])
def test_without_ink_there_is_no_glyph(
    shape: tuple[int, int], widths: tuple[float, float] | None
) -> None:
    with pytest.raises(PictureError, match="expected a digit, got a picture without ink"):
        glyph_of(np.zeros(shape, np.uint8), widths=widths)
    with pytest.raises(PictureError, match="without ink"):
        bounding_box(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("level", [1, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (20, 20), (500, 400)])
def test_any_ink_makes_a_glyph(shape: tuple[int, int], level: int) -> None:
    for widths in (None, STROKE_WIDTHS):
        glyph = glyph_of(np.full(shape, level, np.uint8), widths=widths)
        assert glyph.shape == (28, 28)
        assert glyph.any()
        assert glyph.max() <= level


def test_the_box_holds_all_ink_and_no_more() -> None:
    ink = BLANK.copy()
    ink[7, 3] = ink[30, 21] = 1
    assert bounding_box(ink) == (3, 7, 19, 24)
    np.testing.assert_array_equal(cropped(ink), ink[7:31, 3:22])


# Strokes


@pytest.mark.parametrize("width", [1, 2, 5, 10, 20])
def test_the_width_of_a_long_bar_is_measured(width: int) -> None:
    """2 w l / (2 l + 2 w), as the outline has two ends; 3 %: corners, in pixels."""
    length = 40 * width
    for ink in (bar(length, width), bar(width, length)):
        expected = width * length / (length + width)
        assert stroke_width(ink) == pytest.approx(expected, rel=0.03)


def test_soft_edges_and_pale_ink_have_the_same_width() -> None:
    sharp = bar(200, 12)
    soft = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 2), np.uint8)
    assert stroke_width(soft) == pytest.approx(stroke_width(sharp), rel=0.04)
    assert stroke_width(sharp // 3) == pytest.approx(stroke_width(sharp), rel=0.02)


def thinned(image: Pixels, radius: int) -> Pixels:
    """Ten times as large and with hard edges, its strokes 2 · radius pixels narrower."""
    hard = np.where(enlarged(image, 10, cv2.INTER_CUBIC) > 127, 255, 0).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.erode(hard, disc), np.uint8)


def test_thin_strokes_are_widened_to_the_narrowest_of_mnist(few: Pixels) -> None:
    """0.25 less or 0.5 more: measured in other pixels, and ends that meet make them wider."""
    found = []
    for image in few:
        ink = thinned(image, 4)
        if ink.any() and relative_width(ink) < 1:
            found.append(stroke_width(glyph_of(ink)))
            assert found[-1] > stroke_width(glyph_of(ink, widths=None))
    assert len(found) > 20
    assert min(found) > STROKE_WIDTHS[0] - 0.25
    assert np.median(found) < STROKE_WIDTHS[0] + 0.5


def test_a_bold_rings_stroke_is_narrowed_to_the_widest_of_mnist() -> None:
    """0.9: a ring gets smaller too when its stroke gets narrower, and is enlarged again."""
    for thickness in (100, 110, 120):
        ink = np.zeros((400, 300), np.uint8)
        cv2.ellipse(ink, (150, 200), (100, 150), 0, 0, 360, 255, thickness)
        assert relative_width(ink) > STROKE_WIDTHS[1]
        assert stroke_width(glyph_of(ink)) == pytest.approx(STROKE_WIDTHS[1], abs=0.9)


def test_bold_strokes_are_narrowed(few: Pixels) -> None:
    """Not all of the way: gaps that are narrower than a pixel of the glyph are no gaps in it."""
    found = []
    for image in few:
        ink = np.asarray(cv2.dilate(enlarged(image, 10), np.ones((25, 25), np.uint8)), np.uint8)
        if relative_width(ink) > 4.5:
            found.append(stroke_width(glyph_of(ink)))
            assert found[-1] < stroke_width(glyph_of(ink, widths=None))
    assert len(found) > 20
    assert np.median(found) < 5.2


@pytest.mark.slow
def test_a_thinned_digit_comes_back_nearer_than_with_its_thin_strokes(few: Pixels) -> None:
    errors = np.array(
        [
            [far(glyph_of(ink, widths=widths), image) for widths in (STROKE_WIDTHS, None)]
            for image in few
            if (ink := thinned(image, 4)).sum() > 0.2 * 100 * image.sum()
        ]
    )
    assert len(errors) > 50
    assert np.median(errors[:, 0]) < 0.9 * np.median(errors[:, 1])


def test_a_hairs_line_does_not_fade_when_it_is_made_small() -> None:
    """A stroke of one pixel in 600, of which 20 × 20 would show a thirtieth."""
    ink = np.zeros((600, 400), np.uint8)
    cv2.ellipse(ink, (200, 300), (190, 290), 0, 0, 360, 255, 1)
    assert glyph_of(ink, widths=None).max() < 40
    glyph = glyph_of(ink)
    assert np.median(glyph[glyph > 0]) > 100
    assert stroke_width(glyph) == pytest.approx(STROKE_WIDTHS[0], abs=0.3)


# Upright


def leaning(slope: float) -> Pixels:
    """A stroke of 100 rows that goes `slope` pixels to the right for each row up."""
    ink = np.zeros((100, 240), np.uint8)
    for row in range(100):
        start = round(120 - slope * (row - 50))
        ink[row, start : start + 7] = 255
    return ink


@pytest.mark.parametrize("slope", [-0.8, -0.2, 0, 0.3, 1])
def test_how_far_a_stroke_leans_is_measured_and_taken_away(slope: float) -> None:
    """0.02: its pixels are whole."""
    ink = leaning(slope)
    assert lean(ink) == pytest.approx(slope, abs=0.02)
    upright = deskewed(ink)
    assert abs(lean(upright)) < 0.03
    assert bounding_box(upright)[2] <= 11
    assert upright.sum(dtype=float) == pytest.approx(ink.sum(dtype=float), rel=0.02)


def test_what_lies_or_is_a_dot_is_not_said_to_lean() -> None:
    for shape in ((1, 1), (1, 50), (50, 1), (30, 30)):
        assert lean(np.full(shape, 255, np.uint8)) == 0


WAYS = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]


def test_a_digit_is_turned_against_the_clock_in_a_frame_that_fits(few: Pixels) -> None:
    for image in few[:30]:
        ink = enlarged(image, 4, cv2.INTER_LINEAR)
        expected, found = np.rot90(glyph_of(ink)), glyph_of(turned(ink, 90))
        # The middle of 28 lies between two pixels.
        assert min(far(np.roll(found, way, (0, 1)), expected) for way in WAYS) < 12
        for degrees in (10, -37, 180):
            assert turned(ink, degrees).sum(dtype=float) == pytest.approx(
                ink.sum(dtype=float), rel=0.01
            )
    # What stood leans to the left.
    assert lean(turned(leaning(0), 20)) == pytest.approx(-np.tan(np.radians(20)), abs=0.03)
