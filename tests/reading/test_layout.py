"""Layout: pieces of ink stand in lines, and what is small goes with its neighbours."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pages import page

from inkdigits.reading.layout import Line, Piece, lines_of, pieces_of, stacked, usual_height
from inkdigits.reading.page import Writing, find_writing
from inkdigits.sources import load

Box = tuple[int, int, int, int]

TALL = 40  # pixels of the digits below
PAGE = 600


def piece(x: int, y: int, width: int = 24, height: int = TALL, number: int = 1) -> Piece:
    """A filled box as a piece of ink."""
    return Piece((x, y, x + width, y + height), np.ones((height, width), bool), number)


def digits_at(y: int, count: int = 6, x: int = 30, lean: float = 0.0) -> list[Piece]:
    """A row of digits, each line up or down by a little as people write."""
    wobble = (0, 4, -3, 6, -5, 2)
    return [
        piece(x + 36 * n, round(y + wobble[n % 6] + lean * 36 * n), number=n + 1)
        for n in range(count)
    ]


def boxes(line: Line) -> list[Box]:
    return [each.edges for each in line.pieces]


def written(labels: NDArray[np.int32]) -> Writing:
    """A page whose pieces are known."""
    count = int(labels.max()) + 1
    stats = np.zeros((count, 5), np.int32)
    for number in range(1, count):
        rows, columns = np.nonzero(labels == number)
        stats[number] = (
            columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1, len(rows),
        )  # fmt: skip
    strength = np.where(labels > 0, np.float32(150), np.float32(0))
    return Writing(strength, labels, stats, np.full(count, 150.0), 1.0, np.eye(3))


# Pieces


def test_pieces_are_the_connected_ink_but_for_dust() -> None:
    labels = np.zeros((30, 60), np.int32)
    labels[5:25, 10:14] = 1
    labels[5, 10] = 0  # a corner is not its
    labels[3:5, 30:32] = 2  # two pixels by two
    labels[9:12, 40:43] = 3
    bar, dot = pieces_of(written(labels))
    assert (bar.edges, bar.number, bar.whole, bar.price) == ((10, 5, 14, 25), 1, True, 0)
    assert (bar.width, bar.height, bar.middle) == (4, 20, 12)
    assert np.array_equal(bar.mask, labels[5:25, 10:14] == 1)
    assert dot.edges == (40, 9, 43, 12)


def test_a_piece_within_another_ones_box_is_none_of_its_ink() -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[5:35, 5:35] = 1
    labels[8:32, 8:32] = 0
    labels[15:25, 15:20] = 2
    ring, inner = pieces_of(written(labels))
    assert ring.mask.sum() == 30 * 30 - 24 * 24
    assert inner.mask.all()


def test_the_usual_height_is_that_of_the_digits_among_dust_and_rules() -> None:
    pieces = digits_at(100)
    rest = [piece(10 * n, 300, 4, 4) for n in range(40)] + [piece(20, 400, 500, 8)]
    assert usual_height(pieces + rest, PAGE) == TALL
    assert usual_height([*pieces, piece(540, 3, 40, 590)], PAGE) == TALL


# Lines


def test_lines_go_from_top_to_bottom_and_their_pieces_from_left_to_right() -> None:
    rows = [digits_at(y, count) for y, count in ((40, 5), (120, 6), (200, 2), (300, 4))]
    mixed = [each for row in rows for each in row]
    order = np.random.default_rng(3).permutation(len(mixed))
    found = lines_of([mixed[place] for place in order], PAGE)
    assert [boxes(line) for line in found] == [[each.edges for each in row] for row in rows]


@pytest.mark.parametrize("lean", [-0.08, 0.08])
def test_a_line_that_falls_or_rises_a_little_is_one(lean: float) -> None:
    row = digits_at(200, 14, lean=lean)
    found = lines_of([*row, *digits_at(420)], PAGE)
    assert [len(line.pieces) for line in found] == [14, 6]


def test_a_page_of_nothing_has_no_lines() -> None:
    assert lines_of([], PAGE) == []


def test_a_comma_belongs_to_the_line_it_hangs_from() -> None:
    above, below = digits_at(100), digits_at(170)
    comma = piece(30 + 36 * 2 + 26, 134, 6, 15, number=50)
    dot = piece(30 + 36 * 3 + 27, 203, 6, 6, number=51)
    for pieces in ([comma, *above, dot, *below], [*below, *above, dot, comma]):
        first, second = lines_of(pieces, PAGE)
        assert comma in first.pieces
        assert dot in second.pieces
        assert len(first.pieces) == len(second.pieces) == 7


def test_a_long_comma_makes_no_line() -> None:
    comma = piece(30 + 36 * 2 + 26, 130, 8, 24, number=50)  # six tenths of a digit's height
    (line,) = lines_of([*digits_at(100), comma], PAGE)
    assert comma in line.pieces


def test_a_minus_belongs_to_the_line_that_it_stands_in() -> None:
    minus = piece(4, 118, 18, 5, number=50)
    first, _ = lines_of([*digits_at(100), minus, *digits_at(170)], PAGE)
    assert first.pieces[0] is minus


def test_what_is_small_and_far_from_all_lines_is_left_out() -> None:
    (line,) = lines_of([*digits_at(100), piece(500, 500, 6, 6), piece(40, 200, 6, 6)], PAGE)
    assert len(line.pieces) == 6


def test_what_no_pen_of_the_line_wrote_is_left_out_and_what_a_thin_pen_wrote_stays() -> None:
    hair = piece(300, 100, width=2, number=9)
    [line] = lines_of([*digits_at(100), hair], PAGE)
    assert hair not in line.pieces
    assert len(line.pieces) == 6
    [thin] = lines_of([piece(30 + 30 * n, 100, width=2, number=n + 1) for n in range(5)], PAGE)
    assert len(thin.pieces) == 5


def test_digits_that_are_broken_across_are_one_line() -> None:
    pieces = digits_at(100)
    for n in (3, 1):
        x, y, _, _ = pieces.pop(n).edges
        pieces += [
            piece(x, y, height=22, number=10 + n),
            piece(x, y + 24, height=17, number=20 + n),
        ]
    (line,) = lines_of(pieces, PAGE)
    assert len(line.pieces) == 8
    assert line.height == TALL


def test_pieces_above_one_another_are_as_tall_as_they_are_together() -> None:
    upper, lower, beside = piece(30, 100, height=18), piece(34, 121, height=19), piece(60, 100)
    assert stacked([beside, lower, upper]) == [(30, 100, 58, 140), beside.edges]
    slanting = piece(50, 121, height=19)  # a sixth of it is below the other one
    assert len(stacked([upper, slanting])) == 2


def test_strokes_that_climb_over_one_another_are_a_line_that_can_be_measured() -> None:
    row = [piece(30 + 8 * n, 40 + 9 * n, 30, 36, n + 1) for n in range(12)]
    for line in lines_of(row, PAGE):
        assert line.stroke > 0


def test_a_line_knows_its_height_its_strokes_and_where_digits_begin_and_end() -> None:
    ring = np.ones((TALL, 24), bool)
    ring[5:-5, 5:-5] = False
    row = [Piece((x, 100 + x // 20, x + 24, 140 + x // 20), ring, x) for x in range(0, 500, 40)]
    (line,) = lines_of([*row, piece(30, 138, 5, 9)], PAGE)
    assert line.height == TALL
    assert line.stroke == pytest.approx(5 * 4 / np.pi, rel=0.1)  # of straight ones: see `breadth`
    assert line.around(12) == pytest.approx((103, 143), abs=2)
    assert line.around(470) == pytest.approx((121, 161), abs=2)


positions = st.tuples(
    st.integers(0, 300), st.integers(0, 300), st.integers(3, 60), st.integers(3, 60)
)


@pytest.mark.slow
@given(st.lists(positions, min_size=1, max_size=14))
def test_no_piece_stands_in_two_lines_and_all_lines_are_in_order(places: list[Box]) -> None:
    pieces = [
        piece(x, y, width, height, number + 1)
        for number, (x, y, width, height) in enumerate(places)
    ]
    found = lines_of(pieces, 400)
    standing = [each.number for line in found for each in line.pieces]
    assert len(set(standing)) == len(standing)
    assert found
    assert all(above.top <= below.top for above, below in pairwise(found))
    for line in found:
        assert line.tall
        assert line.height > 0
        assert line.stroke > 0
        assert all(one.middle <= other.middle for one, other in pairwise(line.pieces))


@settings(max_examples=50)
@given(st.lists(positions, min_size=1, max_size=10), st.integers(0, 80), st.integers(0, 80))
def test_a_page_moved_has_the_same_lines(places: list[Box], right: int, down: int) -> None:
    def lines(x: int, y: int) -> list[list[int]]:
        pieces = [
            piece(left + x, top + y, width, height, number + 1)
            for number, (left, top, width, height) in enumerate(places)
        ]
        return [[each.number for each in line.pieces] for line in lines_of(pieces, 500)]

    assert lines(0, 0) == lines(right, down)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "dark", "broken"])
def test_written_pages_have_as_many_lines_as_were_written(kind: str) -> None:
    digits = load("mnist:validation").subset(range(500))
    for seed in range(4):
        chance = np.random.default_rng([seed, 1])
        texts = [["3071", "448"], ["62", "915"], ["58307"]]
        made = page(kind, digits.images, digits.known_labels, chance, texts=texts)
        writing = find_writing(made.pixels)
        assert writing is not None
        found = lines_of(pieces_of(writing), len(writing.labels))
        assert len(found) == len(made.lines)
        inverse = np.linalg.inv(writing.matrix)
        for line, entries in zip(found, made.lines, strict=True):
            middles = [y + tall / 2 for entry in entries for _, y, _, tall in entry.boxes]
            place = float(np.median(middles)) * inverse[1, 1] + inverse[1, 2]
            tops, bottoms = zip(*((top, bottom) for _, top, _, bottom in line.tall), strict=True)
            assert np.median(tops) < place < np.median(bottoms)
