"""Evidence: what speaks for a candidate is measured as it is said, and counts by its weight."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from lattice_help import PITCH, TALL, WIDE, Numbers, box, line_of, random_lattice, row

from inkdigits.reading.evidence import (
    BREADTH,
    FARTHEST,
    FEATURES,
    MEAN_BREADTH,
    MOST_JOINS,
    PLACES,
    WEIGHTS,
    Habits,
    habits_of,
    of_digit,
    of_other,
    of_sign,
    sign_of,
    told,
)
from inkdigits.reading.layout import Line, Piece

CALM = Habits(0.0, 0.0)


def around(group: Sequence[Piece]) -> tuple[int, int, int, int]:
    return (
        min(each.edges[0] for each in group), min(each.edges[1] for each in group),
        max(each.edges[2] for each in group), max(each.edges[3] for each in group),
    )  # fmt: skip


def features_of(group: list[Piece], after: float = 0.0, signs: Sequence[str] = ()) -> Numbers:
    """What geometry says of some pieces in a line of six digits."""
    features = of_digit(group, around(group), after, signs or [""] * len(group), line_of(row()))
    assert features is not None
    return features


def measured(
    group: list[Piece], *, after: float = 0.0, signs: Sequence[str] = ()
) -> dict[str, float]:
    return dict(zip(FEATURES, features_of(group, after, signs).tolist(), strict=True))


# Geometry


def test_nothing_speaks_against_a_digit_as_tall_as_its_neighbours() -> None:
    assert set(measured([box(PITCH)]).values()) == {0}


def test_size_and_place_are_measured_against_the_neighbours() -> None:
    assert measured([box(60, 100, 24, 80)])["size"] == pytest.approx(math.log(2) ** 2)
    assert measured([box(60, 100, 24, 20)])["size"] == pytest.approx(math.log(2) ** 2)
    moved = measured([box(60, 120)])
    assert moved["size"] == 0
    assert moved["place"] == pytest.approx(2 * 0.5**2)
    narrow, broad, broader = (
        measured([box(60, 100, width)])["breadth"] for width in (int(BREADTH * TALL), 48, 60)
    )
    assert 0 == narrow < broad < broader


def test_cuts_count_at_either_side_and_seams_where_they_are_not_made() -> None:
    left = Piece((30, 100, 42, 140), np.ones((40, 12), bool), 3, 0.0, False)
    right = Piece((42, 100, 54, 140), np.ones((40, 12), bool), 3, 4.0, False)
    assert measured([left], after=4)["cuts"] == 1
    assert measured([right])["cuts"] == 1
    assert measured([right], after=10)["cuts"] == 2
    assert measured([right], after=10)["cut ink"] == pytest.approx((4 + 10) / 5)
    both = measured([left, right])
    assert both["cuts"] == both["cut ink"] == both["joins"] == 0
    assert both["seams"] == pytest.approx(1 - 4 / 10)


def test_pieces_that_do_not_touch_are_joined_by_their_gap() -> None:
    joined = measured([box(30, 100, 24, 18), box(33, 124, 20, 16, number=2)])
    assert joined["joins"] == 1
    assert joined["gaps"] == pytest.approx(6 / TALL)
    assert joined["size"] == 0
    line = line_of(row())
    start = 30 + WIDE + math.floor(FARTHEST * TALL)
    near, far = ([box(30), box(start + more, number=2)] for more in (0, 1))
    assert of_digit(near, (30, 100, start + WIDE, 140), 0.0, ["", ""], line) is not None
    assert of_digit(far, (30, 100, start + 1 + WIDE, 140), 0.0, ["", ""], line) is None


def test_a_sign_is_counted_where_it_stands_beside_and_not_above_or_below() -> None:
    digit = box(30)
    beside, above = box(58, 134, 6, 6, number=2), box(40, 90, 6, 6, number=2)
    assert measured([digit, beside], signs=["", "."])["signs"] == 1
    assert measured([beside, box(66)], signs=[".", ""])["signs"] == 1
    assert measured([digit, beside])["signs"] == 0
    for other, signs in ((above, ["", ","]), (box(40, 144, 6, 6, number=2), ["", "."])):
        came = measured([digit, other], signs=signs)
        assert (came["joins"], came["signs"], came["asides"]) == (1, 0, 0)
    assert measured([digit, beside])["asides"] == pytest.approx((58 - 30 - WIDE) / TALL)


@pytest.mark.parametrize("gap", [2, 4, 8])  # from a twentieth of the line's height
def test_a_dot_beside_a_digit_is_rather_a_sign_than_a_part_of_it(gap: int) -> None:
    line, digit = line_of(row()), box(PITCH)
    dot = box(PITCH + WIDE + gap, 134, 6, 6, number=9)
    assert sign_of(dot, line) == "."
    apart = (features_of([digit]) + of_sign()) @ WEIGHTS
    assert features_of([digit, dot], signs=["", "."]) @ WEIGHTS < apart


def test_something_else_counts_by_its_breadth_or_a_speck_by_its_size() -> None:
    line = line_of(row())

    def other(width: int, height: int) -> dict[str, float]:
        features = of_other((0, 100, width, 100 + height), line)
        return dict(zip(FEATURES, features.tolist(), strict=True))

    specks = [other(size, 2)["speck"] for size in (3, 8, 14, 17)]
    assert specks[0] == 0
    assert specks == sorted(set(specks))
    assert specks[-1] < 1
    assert all(other(size, 2)["other"] == 0 for size in (3, 8, 14, 17))
    assert [other(width, 40)["other"] for width in (10, 28, 56)] == pytest.approx([1, 1, 2])
    assert [other(width, 40)["sprawl"] for width in (28, 56, 84)] == pytest.approx([0, 0, 1])


# Signs

MARKS = {
    "a dot on the baseline": ((56, 134, 62, 140), "."),
    "a dot as broad as the pen below it": ((56, 137, 62, 143), "."),
    "a comma": ((56, 134, 62, 151), ","),
    "a minus": ((-26, 118, -6, 123), "-"),
    "a bar much broader than the pen": ((-26, 115, -6, 126), ""),
    "a dot above": ((56, 98, 62, 104), ""),
    "a dot half way up": ((56, 117, 62, 123), ""),
    "a line below": ((56, 138, 76, 143), ""),
    "a one": ((56, 100, 61, 140), ""),
    "a speck": ((56, 138, 58, 140), ""),
    "a digit": ((60, 100, 84, 140), ""),
}


@pytest.mark.parametrize("name", MARKS)
def test_signs_are_known_by_their_size_and_place(name: str) -> None:
    (left, top, right, bottom), sign = MARKS[name]
    mark = box(left, top, right - left, bottom - top, number=9)
    assert sign_of(mark, line_of(row())) == sign


@pytest.mark.parametrize("name", MARKS)
@pytest.mark.parametrize("scale", [2, 3])
def test_signs_are_the_same_on_a_page_as_large_again(name: str, scale: int) -> None:
    def grown(edges: tuple[int, ...], number: int = 9) -> Piece:
        left, top, right, bottom = (scale * edge for edge in edges)
        return box(left, top, right - left, bottom - top, number)

    edges, sign = MARKS[name]
    tall = [grown(each.edges) for each in row()]
    line = Line(tall, [each.edges for each in tall], float(scale * TALL), 5.0 * scale)
    assert sign_of(grown(edges), line) == sign


# Habits


def test_a_page_of_wide_pieces_is_one_of_touching_digits_and_one_of_single_digits_is_not() -> None:
    wide = [box(80 * place, width=60, number=place + 1) for place in range(12)]
    assert habits_of([line_of(wide)]) == Habits(12 / 13, 0)
    assert habits_of([line_of(wide[:6]), line_of(wide[6:])]).touching > 0.9
    assert habits_of([line_of(row(12))]) == CALM
    flat = [box(80 * place, 120, 60, 10, number=9) for place in range(12)]
    assert habits_of([line_of([*row(), *flat])]).touching == 0  # rules and minuses


def test_low_pieces_are_broken_strokes_but_signs_and_specks_are_none() -> None:
    halves = [box(PITCH * place, 100 + 22 * low, 24, 18) for place in range(6) for low in (0, 1)]
    signs = [
        box(left, top, right - left, bottom - top)
        for (left, top, right, bottom), sign in MARKS.values()
        if sign
    ]
    specks = [box(30 * place, 110, 4, 4) for place in range(8)]
    line = line_of(row())

    def broken(pieces: list[Piece]) -> float:
        return habits_of([Line([*row(), *pieces], line.tall, float(TALL), 5.0)]).broken

    assert len(signs) == 4
    assert broken(signs) == broken(specks) == 0
    assert broken(halves) == broken([*halves, *signs, *specks]) == 12 / 14


# All that speaks for a candidate


def as_told(
    features: list[Numbers], digits: list[bool], breadths: float = 0.6, habits: Habits = CALM
) -> Numbers:
    """With a network that answers each digit with a probability of its own."""
    log_digits = np.log(np.arange(1, 11) / 60)
    count = sum(digits)
    return told(
        np.stack(features), np.array(digits), np.full(len(digits), breadths),
        np.tile(log_digits, (count, 1)), np.full(count, math.log(5 / 60)), habits,
    )  # fmt: skip


def test_what_the_network_says_is_told_of_digits_alone() -> None:
    digit, sign = as_told([features_of([box(PITCH)]), of_sign()], [True, False])
    assert np.exp(digit[:, PLACES["answer"]]) == pytest.approx(np.arange(1, 11) / 60)
    assert np.exp(digit[:, PLACES["doubt"]]) == pytest.approx(5 / 60)
    assert not sign[:, [PLACES["answer"], PLACES["doubt"]]].any()


def test_scores_are_the_features_times_the_weights() -> None:
    lattice = random_lattice(np.random.default_rng(2), 3)
    scores = lattice.scores(WEIGHTS)
    assert scores.shape == (len(lattice.candidates), 10)
    for index, digit in np.ndindex(scores.shape):
        pairs = zip(FEATURES.values(), lattice.features[index, digit], strict=True)
        assert scores[index, digit] == pytest.approx(sum(weight * each for weight, each in pairs))


def test_what_is_no_digit_has_the_same_score_ten_times_and_a_digit_its_own() -> None:
    line = line_of(row())
    others = [of_sign(), of_other((0, 100, 9, 140), line), of_other((0, 100, 90, 140), line)]
    whole = as_told([*others, features_of([box(PITCH)], 4.0)], [False] * 3 + [True], 0.05,
                    Habits(0.9, 0.8))  # fmt: skip
    for rows, features in zip(whole, others, strict=False):
        assert np.array_equal(rows, np.tile(features, (10, 1)))
    assert len(set((whole[3] @ WEIGHTS).tolist())) == 10


def test_a_one_is_never_too_narrow_and_nothing_too_wide() -> None:
    features = [features_of([box(PITCH)])]
    narrow = as_told(features, [True], 0.02)[0, :, PLACES["narrow"]]
    assert narrow[1] == 0
    assert (np.delete(narrow, 1) > 1).all()
    assert as_told(features, [True], 0.01)[0, 0, PLACES["narrow"]] == narrow[0]  # FAR_OFF
    usual = 1.01 * np.exp(MEAN_BREADTH.max())
    for breadth in (usual, 1.4):
        assert not as_told(features, [True], float(breadth))[0, :, PLACES["narrow"]].any()


def test_cuts_of_a_one_count_by_themselves_as_well() -> None:
    (rows,) = as_told([features_of([box(PITCH)], 4.0)], [True])
    ones, ink = rows[:, PLACES["cut ones"]], rows[:, PLACES["ink of ones"]]
    assert (rows[:, PLACES["cuts"]] == 1).all()
    assert (ones[1], ink[1]) == (1, rows[1, PLACES["cut ink"]])
    assert not np.delete(ones, 1).any()
    assert not np.delete(ink, 1).any()


def test_cuts_and_joins_count_anew_as_far_as_they_are_habits_of_the_page() -> None:
    broken = [box(30, 100 + 9 * place, 24, 8, number=place + 1) for place in range(5)]
    features = [features_of([box(PITCH)], 4.0), features_of(broken)]
    cut, joined = as_told(features, [True, True], habits=Habits(0.75, 0.5))
    assert cut[:, PLACES["cuts if touching"]] == pytest.approx(0.75)
    assert joined[:, PLACES["joins"]] == pytest.approx(4)
    assert joined[:, PLACES["joins if broken"]] == pytest.approx(0.5 * MOST_JOINS)
    assert not as_told(features, [True, True])[..., PLACES["cuts if touching"]].any()
