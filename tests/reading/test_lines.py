"""Lines: what is printed from rim to rim is marked, and strokes that cross it stay whole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigits.reading.lines import margins, ruled_lines

Mask = NDArray[np.bool_]

HEIGHT, WIDTH = 200, 260


def ruled(
    *places: float, slope: float = 0.0, thickness: int = 3, size: tuple[int, int] = (HEIGHT, WIDTH)
) -> Mask:
    """Lying lines from rim to rim, in the middle at these rows."""
    height, width = size
    sheet = np.zeros((height, width), np.uint8)
    for place in places:
        rise = slope * width / 2
        ends = (-5, round(place - rise)), (width + 5, round(place + rise))
        cv2.line(sheet, *ends, 1, thickness)
    return sheet > 0


def ring(x: int = 130, y: int = 100) -> Mask:
    """A zero of 60 × 100 with a stroke of 9."""
    sheet = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(sheet, (x, y), (30, 50), 0, 0, 360, 1, 9)
    return sheet > 0


def stroke(start: tuple[int, int], end: tuple[int, int], thickness: int = 9) -> Mask:
    sheet = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.line(sheet, start, end, 1, thickness)
    return sheet > 0


def pieces(mask: Mask) -> int:
    """How many parts hang together, of more than a few pixels."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return int((stats[1:, cv2.CC_STAT_AREA] > 20).sum())


# Ruled lines


@pytest.mark.parametrize(
    ("thickness", "slope"),
    [(1, 0.0), (1, -0.03), (1, 0.01), (2, -0.08), (2, 0.05), (4, 0.0), (4, 0.08), (7, -0.03)],
)
def test_a_line_from_rim_to_rim_is_marked(thickness: int, slope: float) -> None:
    mask = ruled(60, 140, slope=slope, thickness=thickness)
    for sheet in (mask, mask.T):
        taken = ruled_lines(sheet)
        assert (taken & sheet).sum() > 0.97 * sheet.sum()
        assert not (taken & ~sheet).any()


def test_squared_paper_is_marked_both_ways() -> None:
    mask = ruled(30, 70, 110, 150, 190) | ruled(40, 90, 140, 190, 240, size=(WIDTH, HEIGHT)).T
    assert (ruled_lines(mask) & mask).sum() > 0.9 * mask.sum()


def test_the_mask_is_left_as_it_is() -> None:
    mask = ruled(60) | ring()
    before = mask.copy()
    ruled_lines(mask)
    margins(mask)
    np.testing.assert_array_equal(mask, before)


def test_a_sheet_on_its_side_has_the_same_lines() -> None:
    mask = ruled(60, 150, slope=0.02) | ring()
    np.testing.assert_array_equal(ruled_lines(mask).T, ruled_lines(np.ascontiguousarray(mask.T)))


@pytest.mark.parametrize("slope", [0.0, 0.03])
@pytest.mark.parametrize("place", [55, 70, 100, 130, 145])
def test_strokes_that_cross_a_line_stay_whole(place: int, slope: float) -> None:
    """A ring, crossed at many angles; the edges of its stroke may keep or lose a pixel there."""
    digit = ring()
    line = ruled(place, slope=slope)
    left = (digit | line) & ~ruled_lines(digit | line)
    assert pieces(left) == 1
    assert (left & digit).sum() > 0.93 * digit.sum()
    assert (left & ~digit).sum() < 0.15 * line.sum()


def test_a_stroke_that_does_not_touch_a_line_keeps_no_piece_of_it() -> None:
    """Three rows of paper are between the ring and the line."""
    digit, line = ring(), ruled(40)
    left = (digit | line) & ~ruled_lines(digit | line)
    np.testing.assert_array_equal(left, digit)


@pytest.mark.parametrize("thickness", [5, 9, 14])
def test_a_standing_stroke_is_not_cut_in_two(thickness: int) -> None:
    digit = stroke((130, 20), (120, 180), thickness=thickness)
    line = ruled(60, 100, 140)
    left = (digit | line) & ~ruled_lines(digit | line)
    assert pieces(left) == 1
    assert (left & digit).sum() > 0.93 * digit.sum()


def test_a_stroke_that_ends_before_the_rim_is_no_line() -> None:
    """The bar of a 7 or a 5, as long as three quarters of the picture is broad."""
    bar = stroke((30, 60), (225, 60), thickness=7)
    assert not ruled_lines(bar).any()
    assert not ruled_lines(bar.T).any()


@pytest.mark.parametrize(
    "mask",
    [
        stroke((10, 190), (250, 10)),  # as steep as a 1 or a 7
        stroke((0, 60), (260, 130)),
        ruled(100, thickness=30),  # a beam
        ring(),
        np.zeros((HEIGHT, WIDTH), bool),
        np.ones((HEIGHT, WIDTH), bool),
    ],
    ids=["diagonal", "steep", "beam", "ring", "nothing", "all"],
)
def test_what_is_steep_or_thick_or_round_is_no_line(mask: Mask) -> None:
    assert not ruled_lines(mask).any()


def test_a_line_with_gaps_is_a_line() -> None:
    """Faint print is broken by grains."""
    mask = ruled(100)
    mask[:, 50:54] = mask[:, 120:127] = mask[:, 200:203] = False
    assert (ruled_lines(mask) & mask).sum() > 0.9 * mask.sum()


# Margins


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("depth", [1, 5, 40])
def test_a_black_margin_is_marked_with_its_soft_edge(depth: int, turns: int) -> None:
    mask = ring()
    mask[:depth] = True
    taken = np.rot90(margins(np.rot90(mask, turns)), -turns)
    assert taken[:depth].all()
    beyond = int(taken.any(axis=1).sum()) - depth
    assert 1 <= beyond <= 4
    assert not taken[depth + beyond :].any()


def test_margins_at_all_sides_leave_the_middle() -> None:
    mask = ring()
    mask[:10] = mask[-15:] = True
    mask[:, :20] = mask[:, -8:] = True
    taken = margins(mask)
    assert not (taken & ring()).any()
    assert (taken & mask & ~ring()).sum() == (mask & ~ring()).sum()


def test_a_few_light_grains_in_a_margin_are_no_paper() -> None:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[:12] = np.random.default_rng(1).random((12, WIDTH)) > 0.01
    assert margins(mask)[:12].all()


def test_what_does_not_begin_at_the_rim_or_go_all_along_is_no_margin() -> None:
    within, partly = np.zeros((2, HEIGHT, WIDTH), bool)
    within[5:20] = True
    partly[:20, : round(0.9 * WIDTH)] = True
    assert not margins(within).any()
    assert not margins(partly).any()
    assert not margins(np.ones((HEIGHT, WIDTH), bool)).any()


# Small pictures


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (3, 300), (20, 20), (39, 200)])
def test_in_small_pictures_a_stroke_is_not_taken_for_a_line(size: tuple[int, int]) -> None:
    line = np.zeros(size, bool)
    line[size[0] // 2] = True
    for mask in (np.ones(size, bool), np.zeros(size, bool), line):
        assert not ruled_lines(mask).any()
        assert not margins(mask).any()
