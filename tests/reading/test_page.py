"""The ink of a page: found whatever its light, print and tilt, where it is in the picture."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigits.reading.layout import pieces_of
from inkdigits.reading.page import (
    SMALL,
    Writing,
    contrast_of,
    enlarged,
    find_writing,
    slope,
    turned,
    typical_strengths,
)
from inkdigits.reading.paper import breadth
from inkdigits.sources import load

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float32]
Places = NDArray[np.float64]

HEIGHT, WIDTH = 420, 640
# Where digits are written on a sheet: two lines.
PLACES = np.array([(x, y) for y in (140, 280) for x in range(100, 560, 75)], np.float64)


def sheet(
    *, places: Places = PLACES, paper: int = 230, ink: int = 40, noise: float = 2.0
) -> Levels:
    """A sheet with rings of 36 pixels at the places: one piece each, whatever is done to it."""
    levels = np.full((HEIGHT, WIDTH), paper, np.float32)
    for x, y in places:
        centre = (round(16 * x), round(16 * y))
        cv2.circle(levels, centre, 16 * 18, ink, 6, cv2.LINE_AA, 4)
    chance = np.random.default_rng(1)
    return np.asarray(levels + chance.normal(0, noise, levels.shape), np.float32)


def seen(levels: Levels) -> Pixels:
    """A picture of a sheet, shape (H, W, 3)."""
    grey = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., np.newaxis], 3, axis=2)


def ruled(levels: Levels, ink: int = 120) -> Levels:
    for y in range(25, HEIGHT, 55):
        cv2.line(levels, (0, y), (WIDTH, y), ink, 2)
    return levels


def skewed(levels: Levels, degrees: float, paper: int = 230) -> tuple[Levels, Places]:
    """A sheet turned clockwise about its middle, and where its places are then."""
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), -degrees, 1)
    out = cv2.warpAffine(levels, matrix, (WIDTH, HEIGHT), borderValue=paper)
    return np.asarray(out, np.float32), PLACES @ matrix[:, :2].T + matrix[:, 2]


def found(pixels: Pixels, *, dark: bool | None = None) -> Writing:
    writing = find_writing(pixels, dark=dark)
    assert writing is not None
    return writing


def middles(writing: Writing, least: int = 300) -> Places:
    """Of the pieces' boxes, where they are in the picture, from top to bottom, left to right."""
    x, y, width, height, area = writing.boxes[1:].T.astype(np.float64)
    points = np.column_stack([x + width / 2, y + height / 2, np.ones(len(x))])[area >= least]
    moved = points @ writing.matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:])


def assert_at(writing: Writing, places: Places, *, within: float = 2.0) -> None:
    """That there is a piece at each of the places, and no other one."""
    there = middles(writing)
    assert len(there) == len(places)
    away = np.linalg.norm(there[:, np.newaxis] - places, axis=2)
    assert away.min(axis=0).max() < within
    assert away.min(axis=1).max() < within


# Places


def test_each_piece_lies_where_it_was_drawn() -> None:
    assert_at(found(seen(sheet())), PLACES)


def test_a_small_picture_is_enlarged_and_its_pieces_lie_where_they_were_drawn() -> None:
    small = cv2.resize(seen(sheet(noise=0)), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    writing = find_writing(np.asarray(small, np.uint8))
    assert writing is not None
    assert max(writing.labels.shape) == SMALL
    assert_at(writing, PLACES / 4, within=1)


@pytest.mark.parametrize("degrees", [-12, -5, 4, 14])
def test_pieces_of_a_turned_page_are_level_and_lie_where_they_are_in_the_picture(
    degrees: float,
) -> None:
    for levels in (sheet(), ruled(sheet())):  # by its lines of writing, and by its rules
        levels, places = skewed(levels, degrees)
        writing = found(seen(levels))
        assert_at(writing, places)
        tilt = math.degrees(math.atan2(-writing.matrix[0, 1], writing.matrix[0, 0]))
        assert tilt == pytest.approx(degrees, abs=0.6)


def test_a_level_page_is_not_turned() -> None:
    for levels in (sheet(), ruled(sheet())):
        assert np.array_equal(found(seen(levels)).matrix, np.eye(3))


def test_a_page_that_is_made_level_keeps_all_of_its_ink() -> None:
    strength = np.zeros((120, 200), np.float32)
    corners = np.array([(6, 6), (193, 6), (193, 113), (6, 113)])
    for x, y in corners:
        strength[y - 2 : y + 3, x - 2 : x + 3] = 100
    level, matrix = turned(strength, 13, np.diag([0.5, 0.5, 1]))
    assert level.sum() == pytest.approx(strength.sum(), rel=0.01)
    count, _, _, centres = cv2.connectedComponentsWithStats((level > 50).astype(np.uint8))
    assert count == 5
    moved = np.column_stack([centres[1:], np.ones(4)]) @ matrix.T
    away = np.linalg.norm(moved[:, np.newaxis, :2] - corners / 2, axis=2)
    assert away.min(axis=0).max() < 0.3


def test_a_page_that_is_large_enough_is_left_as_it_is() -> None:
    pixels = seen(sheet())
    same, matrix = enlarged(pixels)
    assert np.array_equal(same, pixels)
    assert np.array_equal(matrix, np.eye(3))


def test_too_few_pieces_tell_no_slope() -> None:
    levels = sheet(places=np.array([(100, 100), (170, 120), (240, 140)]))
    assert slope(found(seen(levels))) == 0


# Light


def test_light_ink_on_dark_has_the_same_pieces_as_dark_ink_on_light() -> None:
    levels = sheet()
    assert_at(found(seen(255 - levels)), PLACES)
    both = found(seen(levels)).labels > 0, found(seen(255 - levels)).labels > 0
    assert (both[0] ^ both[1]).sum() < 0.02 * both[0].sum()


def test_whoever_is_told_what_ink_is_looks_for_no_other() -> None:
    levels = sheet(noise=0)
    told = found(seen(levels), dark=True)
    assert np.array_equal(told.labels, found(seen(levels)).labels)
    other = find_writing(seen(levels), dark=False)
    ink = levels < 100
    assert other is None or (other.labels[ink] > 0).mean() < 0.05


def test_which_ink_was_taken_is_told() -> None:
    levels = sheet()
    assert found(seen(levels)).dark
    assert not found(seen(255 - levels)).dark
    for dark in (True, False):
        told = find_writing(seen(sheet(ink=150) * half_in_shadow(0.4)), dark=dark)
        assert told is not None
        assert told.dark == dark
        assert not told.doubtful  # whoever says so knows


@pytest.mark.parametrize("negative", [False, True])
def test_whether_paper_is_light_is_doubtful_half_in_shadow_and_not_on_an_even_page(
    negative: bool,
) -> None:
    even, shaded = sheet(ink=150), sheet(ink=150) * half_in_shadow(0.4)
    even, shaded = (255 - each if negative else each for each in (even, shaded))
    assert found(seen(shaded)).doubtful
    assert found(seen(shaded)).dark != negative
    assert not found(seen(even)).doubtful
    assert not found(seen(ruled(sheet()))).doubtful


def half_in_shadow(depth: float) -> Levels:
    """Light whose edge runs aslant, so that it is no rule."""
    rows, columns = np.indices((HEIGHT, WIDTH))
    light = np.where(columns > 250 + rows // 2, np.float32(depth), np.float32(1))
    return np.asarray(cv2.GaussianBlur(light, (0, 0), 4), np.float32)


NOWHERE = np.zeros((0, 2))


@pytest.mark.parametrize("noise", [0, 1])
@pytest.mark.parametrize("paper", [20, 230])
def test_an_empty_sheet_has_no_writing(noise: float, paper: int) -> None:
    assert find_writing(seen(sheet(places=NOWHERE, paper=paper, noise=noise))) is None


@pytest.mark.parametrize("noise", [3, 10])
@pytest.mark.parametrize("dark", [None, True, False])
def test_on_an_empty_sheet_of_coarse_grain_there_is_dust_at_most(
    noise: float, dark: bool | None
) -> None:
    writing = find_writing(seen(sheet(places=NOWHERE, noise=noise)), dark=dark)
    assert writing is None or not pieces_of(writing)


def test_an_empty_sheet_in_uneven_light_has_no_writing() -> None:
    across = np.linspace(1, 0.45, WIDTH, dtype=np.float32)
    assert find_writing(seen(sheet(places=NOWHERE) * across)) is None


@pytest.mark.parametrize("depth", [0.75, 0.5])
def test_the_edge_of_a_shadow_is_no_ink(depth: float) -> None:
    assert_at(found(seen(sheet() * half_in_shadow(depth))), PLACES)


def test_light_that_falls_off_to_a_third_hides_no_ink() -> None:
    across = np.linspace(1, 0.33, WIDTH, dtype=np.float32)
    assert_at(found(seen(sheet() * across)), PLACES)


def test_a_page_half_of_which_is_faint_keeps_all_its_pieces() -> None:
    levels = sheet()
    levels[210:] = 230 - 0.4 * (230 - levels[210:])
    assert_at(found(seen(levels)), PLACES)


def test_rules_are_no_pieces() -> None:
    writing = found(seen(ruled(sheet())))
    assert_at(writing, PLACES)


@pytest.mark.parametrize("pale", [200, 180, 160, 120])
def test_strokes_that_lie_on_pale_rules_stay_whole(pale: int) -> None:
    """A bar through each ring, on a rule and no thicker than that."""
    levels, printed = sheet(noise=0), ruled(np.full((HEIGHT, WIDTH), 230, np.float32), pale)
    rows = [25 + 55 * (2 + 3 * (y > 200)) for y in PLACES[:, 1]]
    for x, y in zip(PLACES[:, 0].astype(int), rows, strict=True):
        cv2.line(levels, (x - 15, y), (x + 15, y), 40, 2)
    bars = (levels < 100) & (printed < 230)
    writing = found(seen(np.minimum(levels, printed)))
    assert bars.sum() > len(PLACES) * 60
    assert (writing.labels[bars] > 0).all()
    assert (writing.labels[(printed < 230) & (levels > 200)] > 0).mean() < 0.01


def test_whether_there_were_rules_is_told() -> None:
    assert found(seen(ruled(sheet()))).ruled
    assert found(seen(255 - ruled(sheet()))).ruled
    assert not found(seen(sheet())).ruled


def test_a_page_of_which_nothing_but_rules_is_seen_has_no_writing() -> None:
    assert find_writing(seen(ruled(sheet(places=NOWHERE, noise=0)))) is None


def test_ink_is_as_strong_as_it_stands_out_from_paper() -> None:
    writing = found(seen(sheet(noise=1, paper=230, ink=60)))
    assert np.median(writing.typical[1:]) == pytest.approx(170, abs=10)
    assert writing.noise == pytest.approx(1, abs=0.5)


# Pieces


def test_boxes_and_typical_strengths_are_those_of_the_labels() -> None:
    writing = found(seen(sheet()))
    assert len(writing.boxes) == len(writing.typical) == writing.labels.max() + 1
    for number in range(1, len(writing.boxes)):
        own = writing.labels == number
        rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
        x, y, width, height, area = writing.boxes[number].tolist()
        assert (x, y) == (columns[0], rows[0])
        assert (x + width, y + height) == (columns[-1] + 1, rows[-1] + 1)
        assert area == own.sum()
        strengths = writing.strength[own].astype(np.float64)
        assert writing.typical[number] == pytest.approx((strengths**2).sum() / strengths.sum())


def test_paper_and_pieces_of_even_ink_have_their_own_strength() -> None:
    labels = np.array([[0, 1, 1], [0, 0, 2]], np.int32)
    strength = np.array([[3, 80, 80], [0, 1, 20]], np.float32)
    np.testing.assert_allclose(typical_strengths(labels, strength, 4), [0, 80, 20, 0])


@pytest.mark.parametrize("thickness", [3, 6, 11])
def test_the_breadth_of_a_ring_is_that_of_its_line(thickness: int) -> None:
    rows, columns = np.indices((140, 140)) - 70
    away = np.hypot(rows, columns)
    ring = (away >= 45) & (away < 45 + thickness)
    assert breadth(ring) == pytest.approx(thickness, rel=0.08)


def test_nothing_has_no_breadth_and_no_contrast() -> None:
    assert breadth(np.zeros((9, 9), bool)) == 0
    assert contrast_of(np.zeros((60, 60), np.float32), 0.5) == 0


def test_contrast_does_not_hang_on_how_much_is_written() -> None:
    few = sheet(places=PLACES[:1], noise=1)
    contrasts = [contrast_of(230 - levels, 1) for levels in (few, sheet(noise=1))]
    assert contrasts[0] == pytest.approx(contrasts[1], rel=0.05)


def test_real_digits_are_a_piece_each() -> None:
    digits = load("mnist:validation").subset(range(40))
    levels = np.full((HEIGHT, WIDTH), 220, np.float32)
    whole = [
        glyph
        for glyph in digits.images
        if cv2.connectedComponents((glyph > 60).astype(np.uint8))[0] == 2
    ]
    for (x, y), glyph in zip(PLACES.astype(int), whole, strict=False):
        grown = cv2.resize(glyph, (60, 60), interpolation=cv2.INTER_CUBIC) / 255
        levels[y - 30 : y + 30, x - 30 : x + 30] -= 170 * np.clip(grown, 0, 1)
    assert len(middles(found(seen(levels)), least=60)) == len(PLACES)
