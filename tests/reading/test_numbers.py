"""Numbers of a line: what stands together is one, and marks that belong to none are left out."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkdigits.reading.evidence import FEATURES, PLACES, WEIGHTS
from inkdigits.reading.layout import Line, Piece
from inkdigits.reading.numbers import (
    APART,
    FAR,
    LETTERS,
    WORD,
    numbers_in,
    right_edge,
    settled,
    split,
)
from inkdigits.reading.paths import Path, Step, best_path
from inkdigits.reading.segment import DIGIT, OTHER, SIGN, Candidate, Lattice

TALL = 40  # pixels of a line's digits
WIDTHS = {".": 5, ",": 6, "-": 16, ":": 5, "x": 24, "'": 5}
TOPS = {".": 134, ",": 134, "-": 118, ":": 112, "'": 100}
HEIGHTS = {".": 6, ",": 16, "-": 5, ":": 24, "'": 8}
GAP = 8  # pixels between what stands together
# A space in what is written below, and a wide one, both with a gap at either side.
SPACES = {" ": 48, "_": 120}


def steps_of(text: str, gap: int = GAP) -> list[Step]:
    """Steps as they are written: digits, signs, x for a letter, ' for a speck, spaces."""
    steps, x = [], 10
    for each in text:
        if each in SPACES:
            x += SPACES[each]
            continue
        width = WIDTHS.get(each, 22)
        top = TOPS.get(each, 100)
        edges = (x, top, x + width, top + HEIGHTS.get(each, TALL))
        role = DIGIT if each.isdigit() else OTHER if each in "x'" else SIGN
        place = len(steps)
        candidate = Candidate(
            place,
            place + 1,
            edges,
            role,
            np.zeros(len(FEATURES)),
            sign=each if role == SIGN else "",
        )
        steps.append(Step(candidate, "" if role == OTHER else each, 0.9))
        x += width + gap
    return steps


def path_of(steps: list[Step]) -> Path:
    tall = [step.candidate.edges for step in steps]
    candidates = [step.candidate for step in steps]
    nothing = np.zeros((len(steps), 10, len(FEATURES)))
    lattice = Lattice(Line([], tall, float(TALL), 5.0), candidates, nothing)
    places = np.zeros(len(steps) + 1)
    return Path(lattice, steps, np.zeros((len(steps), 10)), places, places)


def numbers(text: str, gap: int = GAP) -> list[str]:
    found = numbers_in(path_of(steps_of(text, gap)))
    return ["".join(step.said for step in number.steps) for number in found]


# Gaps


def test_digits_that_stand_together_are_one_number() -> None:
    assert numbers("90210") == ["90210"]


def test_a_gap_parts_numbers_from_left_to_right() -> None:
    assert numbers("12 345 6") == ["12", "345", "6"]
    assert numbers("7_8") == ["7", "8"]


@pytest.mark.parametrize("gap", [0, 10, 20, 30])
def test_digits_are_one_number_however_evenly_they_are_spread(gap: int) -> None:
    assert numbers("1234", gap) == ["1234"]


def test_digits_with_their_own_cells_are_one_number_and_a_wider_gap_parts_them() -> None:
    cells = round((APART + 0.2) * TALL)  # more than parts numbers elsewhere
    assert numbers("1234", cells) == ["1234"]
    assert numbers("123_45", cells) == ["123", "45"]


def test_digits_that_are_very_far_apart_are_a_number_each() -> None:
    assert numbers("12", round(FAR * TALL) + 1) == ["1", "2"]


def test_a_line_without_digits_has_no_numbers() -> None:
    assert numbers("") == []
    assert numbers("xx - .") == []


def test_groups_begin_where_the_gap_is_as_wide_as_it_may_be() -> None:
    steps = steps_of("12345", gap=10)
    assert [len(group) for group in split(steps, 10)] == [1] * 5
    assert [len(group) for group in split(steps, 10.5)] == [5]
    assert split([], 10) == []


def test_a_gap_is_counted_from_the_right_most_of_what_stands_before() -> None:
    mark = steps_of("1.2", gap=0)[1]
    wide = Candidate(0, 1, (10, 100, 60, 140), DIGIT, np.zeros(len(FEATURES)))
    after = Candidate(2, 3, (66, 100, 90, 140), DIGIT, np.zeros(len(FEATURES)))
    steps = [Step(wide, "7", 0.9), mark, Step(after, "2", 0.9)]
    assert right_edge(steps[:2]) == 60
    assert len(split(steps, 10)) == 1  # 6 pixels from the 7, 29 from the point


# Signs


@pytest.mark.parametrize("text", ["3.5", "1,250", "12.5", "-4", "-0,75", "1.234.567"])
def test_points_between_digits_and_a_minus_before_them_belong_to_the_number(text: str) -> None:
    assert numbers(text) == [text]


@pytest.mark.parametrize(
    ("text", "number"),
    [("35.", "35"), (".35", "35"), (",7,", "7"), ("12-", "12"), ("-5", "-5")],
)
def test_signs_at_the_ends_are_left_out_but_for_a_minus(text: str, number: str) -> None:
    assert numbers(text) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "1-2",
        "1-2.5",
        "2010-08-07",
        "19:38",
        "8:05:30",
        "22.11.2012",
        "1.2.3",
        "12,34,567",
        "1,23.4",
    ],
)
def test_a_sign_that_is_left_out_parts_what_it_stood_between(text: str) -> None:
    parts = re.split("[-:]" if re.search("[-:]", text) else "[.,]", text)
    assert numbers(text) == parts


@pytest.mark.parametrize("text", ["1,234,567", "1.234,5", "12.345", "0.5"])
def test_several_points_part_thousands_and_then_decimals(text: str) -> None:
    assert numbers(text) == [text]


def test_signs_without_digits_are_no_number() -> None:
    assert numbers("12 - 34") == ["12", "34"]
    assert numbers("12 . 34") == ["12", "34"]


# Letters


def test_a_word_is_left_out_and_the_numbers_beside_it_are_read() -> None:
    assert numbers("xxxx 123") == ["123"]
    assert numbers("12 xxx 34") == ["12", "34"]


def test_a_word_in_which_something_looks_like_a_digit_is_left_out_as_a_whole() -> None:
    assert numbers("xx0x 17") == ["17"]
    assert numbers("x1x1x") == []


def test_a_mark_beside_many_digits_spoils_no_number_and_between_them_parts_two() -> None:
    assert LETTERS > 24 / (24 + 22 * 4)
    assert numbers("1234x") == ["1234"]
    assert numbers("12x34") == ["12", "34"]


def test_what_the_network_calls_no_digit_parts_numbers_which_are_as_sure_as_that() -> None:
    steps = steps_of("12345")
    steps[2] = replace(steps[2], not_a_digit=0.97)
    first, second = numbers_in(path_of(steps))
    assert [step.said for step in (*first.steps, *second.steps)] == list("1245")
    assert first.certainty == second.certainty == 0.97


def test_what_may_be_no_digit_stays_and_the_number_is_as_much_in_doubt() -> None:
    steps = steps_of("12345")
    steps[2] = replace(steps[2], not_a_digit=0.4)
    (number,) = numbers_in(path_of(steps))
    assert len(number.steps) == 5
    assert number.certainty == pytest.approx(0.6)


# Strokes that rise above their line


def with_stroke(text: str, place: int, rises: float, slope: float) -> list[Step]:
    """Steps of which one is a stroke: so much taller than the line, and leaning so much."""
    steps = steps_of(text)
    one = steps[place].candidate
    left, _, right, bottom = one.edges
    glyph = np.zeros((28, 28), np.uint8)
    for row in range(20):
        glyph[23 - row, round(10 + slope * row)] = 255
    tall = replace(one, edges=(left, round(bottom - rises * TALL), right, bottom), glyph=glyph)
    steps[place] = replace(steps[place], candidate=tall)
    return steps


def read(steps: list[Step]) -> list[tuple[str, float]]:
    return [
        ("".join(step.said for step in number.steps), round(number.certainty, 6))
        for number in numbers_in(path_of(steps))
    ]


def test_a_leaning_stroke_far_above_the_digits_beside_it_is_a_slash() -> None:
    assert read(with_stroke("24108", 2, 1.3, 0.4)) == [("24", 1), ("08", 1)]
    assert read(with_stroke("24108", 2, 1.2, 0.4)) == [("24", 0.7), ("08", 0.7)]


@pytest.mark.parametrize(("place", "slope"), [(2, 0.0), (0, 0.4), (4, 0.4)])
def test_a_tall_stroke_that_is_upright_or_at_an_end_stays_a_digit_in_doubt(
    place: int, slope: float
) -> None:
    text = "".join("1" if index == place else "5" for index in range(5))
    ((said, certainty),) = read(with_stroke(text, place, 1.3, slope))
    assert (said, certainty) == (text, 0.55)


def test_among_few_digits_a_tall_one_is_a_one() -> None:
    assert read(with_stroke("10", 0, 1.5, 0.4)) == [("10", 1)]


def test_specks_spoil_no_number_however_many_they_are() -> None:
    assert numbers("''1''2''3''''") == ["123"]


def test_letters_nearer_than_a_word_to_a_digit_take_it_with_them() -> None:
    near, far = round(WORD * TALL) - 1, round(WORD * TALL) + 1
    assert numbers("xx1", near) == []
    assert numbers("xx1", far) == ["1"]


def word_lattice(chance: np.random.Generator, text: str) -> Lattice:
    """A line in which each piece may be a digit as well as something else."""
    candidates = []
    for step in steps_of(text):
        one = step.candidate
        for role in (DIGIT, OTHER):
            features = np.zeros(len(FEATURES))
            features[PLACES["size"]] = chance.normal(0, 1)
            candidates.append(Candidate(one.first, one.last, one.edges, role, features))
    is_digit = np.array([each.role == DIGIT for each in candidates])
    answers = np.log(chance.dirichlet(np.full(10, 0.2), is_digit.sum()) + 1e-6)
    whole = np.repeat(np.stack([each.features for each in candidates])[:, np.newaxis], 10, axis=1)
    whole[is_digit, :, PLACES["answer"]] = answers
    pieces = [
        Piece(each.candidate.edges, np.ones((TALL, 22), bool), place + 1)
        for place, each in enumerate(steps_of(text))
    ]
    tall = [each.edges for each in pieces]
    return Lattice(Line(pieces, tall, float(TALL), 5.0), candidates, whole)


@pytest.mark.parametrize("seed", range(12))
def test_a_settled_word_is_a_number_or_something_else_whichever_is_worth_more(seed: int) -> None:
    lattice = word_lattice(np.random.default_rng(seed), "123 45 678")
    free, path = best_path(lattice), settled(lattice)
    scores = lattice.scores(WEIGHTS)
    for start, stop in ((0, 3), (3, 5), (5, 8)):
        mixture = {step.candidate.role for step in free.steps[start:stop]}
        (role,) = {step.candidate.role for step in path.steps[start:stop]}
        # What a word is worth that is all digits, and all something else.
        digits, others = (
            sum(
                float(np.logaddexp.reduce(row) if each.role == DIGIT else row[0])
                for each, row in zip(lattice.candidates, scores, strict=True)
                if each.role == kind and start <= each.first < stop
            )
            for kind in (DIGIT, OTHER)
        )
        if len(mixture) == 2:
            assert role == (DIGIT if digits > others else OTHER)
        else:
            assert {role} == mixture


def test_where_all_are_digits_there_is_nothing_to_settle() -> None:
    lattice = word_lattice(np.random.default_rng(1), "123 45")
    for each, rows in zip(lattice.candidates, lattice.features, strict=True):
        if each.role == DIGIT:
            rows[:, PLACES["answer"]] += 100  # whatever speaks for something else
    free, path = best_path(lattice), settled(lattice)
    assert [step.said for step in path.steps] == [step.said for step in free.steps]
    assert np.array_equal(path.scores, free.scores)


# All lines

marks = st.text(alphabet="0123456789.,-:x'_ ", max_size=14)


@given(marks)
def test_each_number_has_a_digit_a_minus_at_most_in_front_and_points_between_digits(
    text: str,
) -> None:
    for number in numbers(text):
        unsigned = number.removeprefix("-")
        assert unsigned[0].isdigit()
        assert unsigned[-1].isdigit()
        assert "-" not in unsigned
        assert all(each.isdigit() or each in ".," for each in unsigned)


@given(marks)
def test_no_step_is_in_two_numbers_and_all_are_in_their_order(text: str) -> None:
    steps = steps_of(text)
    found = [step.candidate.first for number in numbers_in(path_of(steps)) for step in number.steps]
    assert found == sorted(set(found))


@given(st.text(alphabet="0123456789 ", max_size=14))
def test_where_all_is_digits_none_is_left_out(text: str) -> None:
    assert "".join(numbers(text)) == text.replace(" ", "")
