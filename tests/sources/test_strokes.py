"""Strokes: what is written down is drawn, in its place and size, and varied as far as asked."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigits.glyph import bounding_box, glyph_of, stroke_width
from inkdigits.sources.letters import LETTERS
from inkdigits.sources.strokes import (
    STACK,
    STEP,
    Hand,
    Shape,
    centred,
    drawn,
    shape,
    smooth,
    with_serifs,
)

# A hand that draws every shape as it is written, with a pen of 2.25 pixels, of which nine of the
# canvas's are drawn.
STEADY = Hand(width=(2.25, 2.25), rotation_degrees=0, slant=0, aspect=0, wobble=0)
LAX = Hand(width=(1, 6), nib=(0, 4), rotation_degrees=20, slant=0.4, aspect=0.5, wobble=0.05)

STANDING, LYING, RING = shape("0,0 0,100"), shape("0,0 100,0"), shape("50,50,50,50,0,360")
ELL = shape("0,0 0,100 60,100")


def draw(one: Shape, hand: Hand = STEADY, *, seed: int = 1, count: int = 1) -> NDArray[np.uint8]:
    return drawn([one] * count, np.random.default_rng(seed), hand)


def test_points_and_arcs_of_a_stroke_are_where_the_text_says() -> None:
    bar, bow = shape("0,10 100,30; 50,40,20,10,0,90")
    np.testing.assert_allclose(bar[[0, -1]], [[0, 0.1], [1, 0.3]])
    np.testing.assert_allclose(bow[[0, -1]], [[0.7, 0.4], [0.5, 0.5]], atol=1e-12)
    on_the_ellipse = ((bow[:, 0] - 0.5) / 0.2) ** 2 + ((bow[:, 1] - 0.4) / 0.1) ** 2
    np.testing.assert_allclose(on_the_ellipse, 1)


@pytest.mark.parametrize("letter", LETTERS)
def test_no_straight_piece_is_longer_than_a_step(letter: Shape) -> None:
    for stroke in letter:
        assert np.hypot(*np.diff(stroke, axis=0).T).max() <= STEP * 2  # arcs have their own steps


def test_a_long_line_is_cut_into_steps_of_one_length() -> None:
    (line,) = LYING
    pieces = np.diff(line[:, 0])
    assert pieces.max() <= STEP
    np.testing.assert_allclose(pieces, pieces[0])


def test_a_curve_goes_through_its_points_and_is_straight_where_they_are() -> None:
    points = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0], [3.0, 2.0]])
    curve = smooth(points, 5)
    assert len(curve) == 16
    np.testing.assert_allclose(curve[::5], points, atol=1e-12)
    # Halfway between two points: (9 (b + c) − (a + d)) / 16, the ends counted twice.
    halfway = smooth(points, 2)[3]
    np.testing.assert_allclose(halfway, (9 * (points[1] + points[2]) - points[0] - points[3]) / 16)
    row = np.stack([np.arange(6.0), 2 * np.arange(6.0)], axis=1)
    np.testing.assert_allclose(smooth(row)[:, 1], 2 * smooth(row)[:, 0])


def test_a_curve_of_a_text_is_that_through_its_points() -> None:
    (curve,) = shape("~0,0 50,100 100,0")
    np.testing.assert_array_equal(curve, smooth(np.array([[0, 0], [0.5, 1], [1, 0]])))


def test_serifs_lie_across_stems_and_stand_across_arms_and_a_ring_has_none() -> None:
    assert len(with_serifs(RING)) == 1
    (top, bottom) = with_serifs(STANDING, 0.3)[1:]
    np.testing.assert_allclose(top, [[-0.15, 0], [0.15, 0]])
    np.testing.assert_allclose(bottom, [[-0.15, 1], [0.15, 1]])
    for bar in with_serifs(LYING, 0.3)[1:]:
        assert bar[0, 0] == bar[1, 0]
    # An E: three arms, whose other ends are at the stem.
    assert len(with_serifs(shape("100,0 0,0 0,100 100,100;0,50 80,50"))) == 2 + 3


@pytest.mark.parametrize("hand", [STEADY, LAX, replace(LAX, hollow=1)])
def test_what_is_drawn_is_a_glyph_already(hand: Hand) -> None:
    pictures = drawn(LETTERS, np.random.default_rng(1), hand)
    assert pictures.shape == (len(LETTERS), 28, 28)
    assert pictures.dtype == np.uint8
    sides = [max(bounding_box(picture)[2:]) for picture in pictures]
    # A slanting tip may fall a quarter of a pixel short of the box.
    assert set(sides) <= {19, 20}
    assert sides.count(20) >= 0.9 * len(sides)
    same = [np.array_equal(glyph_of(picture, widths=None), picture) for picture in pictures]
    assert np.mean(same) >= 0.9


def test_a_lying_and_a_standing_line_are_as_long_and_as_wide_as_they_should() -> None:
    for line, box in ((STANDING, (3, 20)), (LYING, (20, 3))):
        (picture,) = draw(line)
        assert bounding_box(picture)[2:] == box
        # Its ends are round.
        area = 20 * 2.25 - (1 - math.pi / 4) * 2.25**2
        assert picture.sum() / 255 == pytest.approx(area, abs=1)


@pytest.mark.parametrize("width", [1.25, 2.25, 3.25, 4.25])
def test_strokes_are_as_wide_as_the_pen(width: float) -> None:
    (picture,) = draw(RING, replace(STEADY, width=(width, width)))
    assert stroke_width(picture) == pytest.approx(width, abs=0.3)


def test_a_nib_widens_standing_strokes_by_its_width_and_lying_ones_by_its_height() -> None:
    nibs = draw(ELL, replace(STEADY, width=(1, 1), nib=(0, 5)), count=200)
    stems = nibs[:, 12].sum(axis=1) / 255  # a row through the stem alone
    bars = nibs[
        np.arange(200), :, [bounding_box(one)[0] + bounding_box(one)[2] - 2 for one in nibs]
    ]
    breadths = bars.sum(axis=1) / 255
    for sizes in (stems, breadths):
        assert sizes.min() == pytest.approx(1.25, abs=0.3)
        assert sizes.max() == pytest.approx(6, abs=0.5)
    # Each side is drawn on its own; were they the same, this would be 1.
    assert abs(np.corrcoef(stems, breadths)[0, 1]) < 0.3


def test_hollow_shapes_are_paper_inside() -> None:
    bold = replace(STEADY, width=(6.25, 6.25))
    (full,), (outline,) = draw(STANDING, bold), draw(STANDING, replace(bold, hollow=1))
    assert full[14, 14] == 255
    assert outline[14, 14] == 0
    assert bounding_box(full) == bounding_box(outline)
    shares = draw(STANDING, replace(bold, hollow=0.3), count=400)[:, 14, 14] == 0
    assert shares.mean() == pytest.approx(0.3, abs=4 * (0.21 / 400) ** 0.5)


def test_without_variation_a_picture_depends_on_its_shape_alone() -> None:
    np.testing.assert_array_equal(draw(ELL, seed=1), draw(ELL, seed=2))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("width", (1.25, 4.25)),
        ("nib", (0, 3)),
        ("hollow", 0.5),
        ("rotation_degrees", 20),
        ("slant", 0.4),
        ("aspect", 0.5),
        ("wobble", 0.05),
    ],
)
def test_each_setting_varies_pictures_by_itself(setting: str, value: Any) -> None:
    pictures = draw(ELL, replace(STEADY, **{setting: value}), count=20)
    assert len(np.unique(pictures, axis=0)) > (1 if setting == "hollow" else 5)


def test_the_slant_stays_within_its_range_and_the_turn_within_its_own() -> None:
    for hand, most in (
        (replace(STEADY, slant=0.4), np.arctan(0.4)),
        (replace(STEADY, rotation_degrees=30), np.radians(30)),
    ):
        pictures = draw(STANDING, hand, count=300).astype(float)
        rows = np.arange(28.0)
        middles = (pictures @ rows)[:, 6:22] / pictures.sum(axis=2)[:, 6:22]
        angles = np.arctan(np.polyfit(rows[6:22], middles.T, 1)[0])
        assert np.abs(angles).max() == pytest.approx(most, rel=0.1)
        assert (angles > 0).mean() == pytest.approx(0.5, abs=4 * 0.5 / 300**0.5)


def test_the_aspect_stays_within_its_range() -> None:
    pictures = draw(shape("0,0 100,0 100,100 0,100 0,0"), replace(STEADY, aspect=0.5), count=300)
    # A pixel that the ink covers in part counts in part.
    width, height = (pictures.max(axis=axis).sum(axis=1) / 255 - 2.25 for axis in (1, 2))
    ratios = np.log(width / height)
    assert ratios.max() == pytest.approx(0.5, abs=0.07)
    assert ratios.min() == pytest.approx(-0.5, abs=0.07)


def test_the_same_numbers_draw_the_same_pictures() -> None:
    np.testing.assert_array_equal(draw(ELL, LAX, count=5), draw(ELL, LAX, count=5))
    assert (draw(ELL, LAX, count=5) != draw(ELL, LAX, seed=2, count=5)).any()


def test_more_shapes_than_are_drawn_at_once_are_all_drawn_in_their_order() -> None:
    shapes = [LYING, STANDING] * STACK
    pictures = drawn(shapes, np.random.default_rng(1), STEADY)
    np.testing.assert_array_equal(pictures[::2], np.repeat(draw(LYING), STACK, axis=0))
    np.testing.assert_array_equal(pictures[1::2], np.repeat(draw(STANDING), STACK, axis=0))


def test_no_shapes_give_no_pictures() -> None:
    assert drawn([], np.random.default_rng(1), STEADY).shape == (0, 28, 28)


def test_ink_is_moved_by_whole_pixels_to_where_glyphs_have_it_and_blank_pictures_stay() -> None:
    pictures = np.zeros((3, 28, 28), np.uint8)
    pictures[0, 2:7, 20:25] = 90
    pictures[1, 10:30, 0] = 255
    before = pictures.copy()
    moved = centred(pictures)
    np.testing.assert_array_equal(pictures, before)
    for number in (0, 1):
        np.testing.assert_array_equal(moved[number], glyph_like(pictures[number]))
    assert not moved[2].any()


def glyph_like(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Plainly: rolled until the centre of mass is nearest to 14."""
    total = picture.sum()
    down = 14 - int(np.floor((picture.sum(axis=1) @ np.arange(28)) / total + 0.5))
    right = 14 - int(np.floor((picture.sum(axis=0) @ np.arange(28)) / total + 0.5))
    return np.roll(picture, (down, right), axis=(0, 1))
