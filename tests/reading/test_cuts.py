"""Cuts: digits that touch come apart where they meet, and nothing of a piece is lost or doubled."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkdigits.reading.cuts import NARROW, SLANTS, parts, seams
from inkdigits.reading.layout import Line, Piece, pieces_of
from inkdigits.reading.page import Writing
from inkdigits.sources import load

Levels = NDArray[np.float32]
Mask = NDArray[np.bool_]

TALL = 40  # pixels of a line's digits
STRENGTH = 150.0


def written(ink: Levels) -> Writing:
    """A page on which all ink is as strong as it says, 0 to 1."""
    mask = (ink > 0.4).astype(np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    strength = np.asarray(ink * STRENGTH, np.float32)
    return Writing(
        strength,
        labels.astype(np.int32),
        boxes.astype(np.int32),
        np.full(count, STRENGTH),
        1.0,
        np.eye(3),
    )


def line_of(pieces: list[Piece], height: float = TALL) -> Line:
    return Line(pieces, [each.edges for each in pieces], height, 5.0)


def cut(ink: Levels, height: float = TALL) -> tuple[Piece, list[Piece]]:
    """The largest piece of ink, and its parts."""
    writing = written(ink)
    pieces = pieces_of(writing)
    largest = max(pieces, key=lambda piece: int(piece.mask.sum()))
    return largest, parts(largest, writing, line_of(pieces, height))


def on_page(piece: Piece, shape: tuple[int, int]) -> Mask:
    left, top, right, bottom = piece.edges
    page = np.zeros(shape, bool)
    page[top:bottom, left:right] = piece.mask
    return page


def discs(bridge: int = 0, faint: float = 1.0) -> Levels:
    """Two discs of 36 pixels, 12 apart, with a bridge so many pixels high from one to the other."""
    ink = np.zeros((60, 120), np.float32)
    if bridge:
        ink[30 : 30 + bridge, 30:90] = faint
    for x in (32, 80):
        cv2.circle(ink, (x, 30), 18, 1.0, -1)
    return ink


# What is cut


def test_discs_joined_by_a_bridge_are_cut_across_it() -> None:
    _, found = cut(discs(bridge=4))
    borders = [part.edges[2] for part in found]
    assert any(48 <= border <= 66 for border in borders)
    assert min(part.price for part in found[1:]) == pytest.approx(4)


def test_a_fainter_bridge_costs_less() -> None:
    prices = [min(part.price for part in cut(discs(4, faint))[1][1:]) for faint in (1.0, 0.7, 0.5)]
    assert prices == pytest.approx([4, 2.8, 2], rel=1e-5)


def test_the_first_part_has_no_price_and_the_others_that_of_the_cut_at_their_left() -> None:
    piece, found = cut(discs(bridge=4))
    assert piece.price == found[0].price == 0
    assert all(part.price > 0 for part in found[1:])
    assert {part.number for part in found} == {piece.number}
    assert not any(part.whole for part in found)


def test_parts_go_from_left_to_right() -> None:
    _, found = cut(discs(bridge=4))
    assert len(found) > 1
    assert all(one.middle < other.middle for one, other in pairwise(found))


def test_a_narrow_piece_is_not_cut() -> None:
    for width in (int(NARROW * TALL) - 1, int(NARROW * TALL) + 1):
        ink = np.zeros((60, 60), np.float32)
        ink[10:50, 10:17] = ink[10:50, 3 + width : 10 + width] = 1  # as two ones that touch
        ink[28:32, 10 : 10 + width] = 1
        piece, found = cut(ink)
        assert piece.width == width
        assert (found == [piece]) == (width < NARROW * TALL)


def test_a_low_piece_is_not_cut() -> None:
    ink = np.zeros((60, 120), np.float32)
    ink[30:36, 10:110] = 1
    piece, found = cut(ink)
    assert found == [piece]


def test_what_is_solid_loses_no_more_than_its_corners() -> None:
    ink = np.zeros((60, 90), np.float32)
    ink[10:50, 20:70] = 1  # any seam crosses its 40 pixels, more than DEAREST of them
    assert seams(ink[10:50, 20:70], TALL, (0.0,)) == []
    _, found = cut(ink)  # a slanted one may begin beside it
    sizes = sorted(int(part.mask.sum()) for part in found)
    assert sizes[-1] > 0.95 * ink.sum()


def sheared(mask: Mask, slant: float) -> Mask:
    """So many columns to the right for each row up."""
    height, width = mask.shape
    matrix = np.array([[1, -slant, slant * height / 2], [0, 1, 0]], np.float32)
    moved = cv2.warpAffine(mask.astype(np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST)
    return np.asarray(moved > 0)


def slanted_boxes(slant: float) -> tuple[Mask, Mask]:
    """Two boxes drawn with a pen of 4 pixels, one so near the other that a bridge joins them."""
    first, second = np.zeros((70, 150), np.uint8), np.zeros((70, 150), np.uint8)
    cv2.rectangle(first, (40, 6), (70, 62), 1, 4)
    cv2.rectangle(second, (80, 6), (110, 62), 1, 4)
    second[32:36, 70:80] = 1
    return sheared(first > 0, slant), sheared((second > 0) & (first == 0), slant)


def wrong_side(first: Mask, second: Mask, borders: list[Mask]) -> float:
    """Of the better cut: the share of either digit that it leaves with the other."""
    return min(
        float(max((left & second).sum() / second.sum(), (first & ~left).sum() / first.sum()))
        for left in borders
    )


@pytest.mark.parametrize("slant", [-0.15, 0.15, 0.3])
def test_digits_that_touch_at_a_slant_are_cut_between_them(slant: float) -> None:
    first, second = slanted_boxes(slant)
    _, found = cut(np.asarray((first | second) * 1.0, np.float32), height=58)
    side = np.cumsum([on_page(part, first.shape) for part in found], axis=0) > 0
    wrong = [wrong_side(first, second, [left]) for left in side[:-1]]
    assert min(wrong) < 0.01
    assert found[int(np.argmin(wrong)) + 1].price <= 5  # a slanted bridge may be a pixel higher


def test_at_a_steep_slant_no_upright_seam_parts_them() -> None:
    first, second = slanted_boxes(0.3)
    ink = np.asarray((first | second) * 1.0, np.float32)
    upright, slanted = (
        wrong_side(
            first,
            second,
            [np.arange(150) <= seam[:, np.newaxis] for seam, _ in seams(ink, 58, slants)],
        )
        for slants in ((0.0,), SLANTS)
    )
    assert slanted < 0.01 < 0.08 < upright


def touching(one: Levels, other: Levels) -> tuple[Mask, Mask]:
    """Two digits on one page, the second moved to the left until it touches the first."""
    shape = (64, 150)
    first, second = np.zeros(shape, bool), np.zeros(shape, bool)
    first[2:62, 4:64] = one > 0.4
    near = cv2.dilate(first.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    for x in range(80, 0, -1):
        second[:] = False
        second[2:62, x : x + 60] = other > 0.4
        if (near & second).any():
            break
    return first, second


def test_some_cut_parts_most_digits_that_touch_and_leaves_little_on_the_wrong_side() -> None:
    digits = load("mnist:validation").subset(range(120)).images
    grown = [cv2.resize(each, (60, 60), interpolation=cv2.INTER_AREA) / 255 for each in digits]
    wrong = []
    for one, other in zip(grown[::2], grown[1::2], strict=True):
        first, second = touching(one, other)
        piece, found = cut(np.asarray((first | second) * 1.0, np.float32), height=43)
        if piece.mask.sum() < 0.99 * (first | second).sum():
            continue  # a digit in two pieces
        side = np.cumsum([on_page(part, first.shape) for part in found], axis=0) > 0
        wrong.append(wrong_side(first, second, list(side)))
    assert len(wrong) > 40
    # Two ones are narrow enough for one digit; and of two cuts near one another only one is made.
    assert np.mean(np.array(wrong) < 0.06) > 0.75
    assert np.median(wrong) < 0.02


# What is not lost

strokes = st.lists(
    st.lists(st.tuples(st.integers(3, 116), st.integers(3, 56)), min_size=2, max_size=5),
    min_size=1,
    max_size=4,
)


@given(strokes, st.integers(2, 8), st.integers(20, 60), st.floats(0.5, 1))
def test_parts_share_no_ink_and_together_are_the_piece(
    points: list[list[tuple[int, int]]], pen: int, height: int, faint: float
) -> None:
    ink = np.zeros((60, 120), np.float32)
    for number, stroke in enumerate(points):
        level = 1.0 if number % 2 else faint
        cv2.polylines(ink, [np.array(stroke, np.int32)], False, level, pen)
    assume((ink > 0.4).sum() > 20)
    piece, found = cut(ink, height=height)
    pages = [on_page(part, ink.shape) for part in found]
    total = np.sum(pages, axis=0)
    assert total.max() == 1
    assert np.array_equal(total > 0, on_page(piece, ink.shape))
    for part in found:  # and their boxes are no larger than they are
        assert part.mask.shape == (part.height, part.width)
        assert part.mask[[0, -1]].any(axis=1).all()
        assert part.mask[:, [0, -1]].any(axis=0).all()
