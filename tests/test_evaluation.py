"""Honest numbers: each against published values, a brute-force count, or a count by hand."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError
from inkdigits.evaluation import compare, mcnemar, mean_interval, report, wilson_interval
from inkdigits.evaluation.report import student_t
from inkdigits.model import Model

# Wilson's interval


@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, table I, method 3: to the four places he gives.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # At the ends it is z²/(n + z²) wide: 3.8415/13.8415.
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
    ],
)
def test_wilson_gives_the_published_values(
    correct: int, total: int, low: float, high: float
) -> None:
    assert wilson_interval(correct, total) == pytest.approx((low, high), abs=5.1e-5)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_shares_from_which_the_seen_one_is_within_1_96_standard_errors(
    counts: tuple[int, int],
) -> None:
    correct, total = counts
    low, high = wilson_interval(correct, total)
    assert 0 <= low <= correct / total <= high <= 1

    def errors_away(share: float) -> float:
        spread = math.sqrt(share * (1 - share) / total)
        return abs(correct / total - share) / spread

    # Newton's quotient loses digits where the interval is narrow: 1e-6 of 1.96 is 1e-9 of a share.
    for end in (low, high):
        if 0 < end < 1:
            assert errors_away(end) == pytest.approx(1.959963984540054, rel=1e-6)


@given(st.integers(1, 1000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_for_the_wrong_ones_is_that_for_the_right_ones_mirrored(
    counts: tuple[int, int],
) -> None:
    correct, total = counts
    low, high = wilson_interval(correct, total)
    # 1e-12: both ways round differently in the last digits.
    assert wilson_interval(total - correct, total) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@pytest.mark.parametrize(("correct", "total"), [(0, 0), (-1, 5), (6, 5), (0, -1)])
def test_a_share_that_cannot_be_has_no_interval(correct: int, total: int) -> None:
    with pytest.raises(DataError, match=f"got {correct} of {total}"):
        wilson_interval(correct, total)


# Student's t and the interval of a mean


@pytest.mark.parametrize(
    ("freedom", "t"),
    [(1, 12.706), (2, 4.303), (4, 2.776), (9, 2.262), (19, 2.093), (30, 2.042), (100, 1.984)],
)
def test_students_t_is_that_of_the_textbooks_table(freedom: int, t: float) -> None:
    assert student_t(freedom) == pytest.approx(t, abs=1e-3)  # the table has three places


def test_students_t_falls_towards_the_normal_distributions() -> None:
    values = [student_t(freedom) for freedom in (1, 2, 3, 5, 10, 100, 1000, 100_000)]
    assert values == sorted(values, reverse=True)
    # t(f) is about z + (z³ + z)/4f: 2.4e-5 above z for f = 100,000.
    assert values[-1] == pytest.approx(1.959964 + 2.4e-5, abs=1e-5)


def test_the_interval_of_a_mean_is_t_standard_errors_to_either_side() -> None:
    # Standard deviation √(2/2) = 1 and standard error 1/√3; t(2) = 4.3027.
    mean, low, high = mean_interval(np.array([1.0, 2.0, 3.0]))
    half = 4.302653 / math.sqrt(3)
    assert (mean, low, high) == pytest.approx((2, 2 - half, 2 + half), abs=1e-4)  # as t above


def test_measurements_that_agree_have_an_interval_of_no_width() -> None:
    assert mean_interval(np.array([0.5, 0.5])) == (0.5, 0.5, 0.5)


@pytest.mark.slow
def test_an_interval_of_a_mean_holds_it_19_times_in_20() -> None:
    generator = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        _, low, high = mean_interval(generator.normal(3, 2, 5))
        held += low <= 3 <= high
    # 380 expected, standard deviation √(400 · .95 · .05) = 4.4: three of them to either side.
    # With the normal distribution's 1.96 in the place of t = 2.776 it would be 351.
    assert 367 <= held <= 393


@pytest.mark.parametrize("values", [[], [0.5]])
def test_one_measurement_has_no_interval(values: list[float]) -> None:
    with pytest.raises(DataError, match=f"expected 2 values or more.*, got {len(values)}"):
        mean_interval(np.array(values))


# The report

Probabilities = NDArray[np.float64]


def surely(answers: list[int], confidence: float = 0.91) -> Probabilities:
    """Rows with `confidence` on the answer and the same share of the rest on the others."""
    probabilities = np.full((len(answers), 10), (1 - confidence) / 9)
    probabilities[np.arange(len(answers)), answers] = confidence
    return probabilities


LABELS = np.array([1, 1, 1, 7, 7, 3], np.uint8)
ANSWERS = [1, 7, 7, 7, 1, 5]


def test_right_answers_are_counted() -> None:
    scored = report(LABELS, surely(ANSWERS))
    assert (scored.correct, scored.total) == (2, 6)
    assert scored.accuracy == 2 / 6
    assert scored.interval == wilson_interval(2, 6)
    assert scored.answers.tolist() == ANSWERS
    assert scored.labels.tolist() == LABELS.tolist()
    assert scored.confidence == pytest.approx([0.91] * 6)


def test_the_confusion_matrix_has_a_row_for_what_it_was_and_a_column_for_what_was_said() -> None:
    confusion = report(LABELS, surely(ANSWERS)).confusion
    expected = np.zeros((10, 10), int)
    expected[1, 1] = 1
    expected[1, 7] = 2  # two ones read as seven
    expected[7, 7] = 1
    expected[7, 1] = 1
    expected[3, 5] = 1
    assert confusion.tolist() == expected.tolist()


def test_recall_is_of_what_it_was_and_precision_of_what_was_said() -> None:
    scores = report(LABELS, surely(ANSWERS)).per_digit
    assert [score.digit for score in scores] == list(range(10))
    assert [score.total for score in scores] == [0, 3, 0, 1, 0, 0, 0, 2, 0, 0]
    one, seven = scores[1], scores[7]
    assert (one.recall, one.precision) == (1 / 3, 1 / 2)
    assert (seven.recall, seven.precision) == (1 / 2, 1 / 3)
    assert (scores[3].recall, scores[3].precision) == (0, None)  # never said
    assert (scores[5].recall, scores[5].precision) == (None, 0)  # never there
    assert (scores[0].recall, scores[0].precision) == (None, None)


def test_log_loss_is_the_mean_surprise_at_the_labels() -> None:
    # Two right answers of .91 and four wrong ones, whose labels got .01 each.
    expected = (2 * -math.log(0.91) + 4 * -math.log(0.01)) / 6
    assert report(LABELS, surely(ANSWERS)).log_loss == pytest.approx(expected, rel=1e-12)
    nothing_known = report(LABELS, np.full((6, 10), 0.1))
    assert nothing_known.log_loss == pytest.approx(math.log(10), rel=1e-12)
    assert report(LABELS, surely(LABELS.tolist(), 1.0)).log_loss == 0


def test_a_label_held_for_impossible_costs_much_but_not_all() -> None:
    scored = report(LABELS, surely(ANSWERS, 1.0))
    # The smallest normal float64 is 2⁻¹⁰²², so the worst that a digit can cost is 708.4.
    assert scored.log_loss == pytest.approx(4 / 6 * 1022 * math.log(2), rel=1e-12)


def test_the_commonest_confusions_come_first_and_only_those_that_happened() -> None:
    scored = report(LABELS, surely(ANSWERS))
    assert scored.commonest_confusions() == [(1, 7, 2), (3, 5, 1), (7, 1, 1)]
    assert scored.commonest_confusions(1) == [(1, 7, 2)]
    assert scored.commonest_confusions(99) == [(1, 7, 2), (3, 5, 1), (7, 1, 1)]
    assert report(LABELS, surely(LABELS.tolist())).commonest_confusions() == []


def test_the_most_confident_mistakes_come_first_and_no_right_answer() -> None:
    probabilities = surely(ANSWERS)
    for index, confidence in ((1, 0.5), (2, 0.99), (4, 0.7), (5, 0.7)):
        probabilities[index] = surely([ANSWERS[index]], confidence)
    scored = report(LABELS, probabilities)
    assert scored.worst_mistakes().tolist() == [2, 4, 5, 1]  # of equals the earlier first
    assert scored.worst_mistakes(2).tolist() == [2, 4]
    assert scored.worst_mistakes(0).tolist() == []
    assert report(LABELS, surely(LABELS.tolist())).worst_mistakes().tolist() == []


def test_as_data_holds_the_figures_under_their_names() -> None:
    scored = report(LABELS, surely(ANSWERS))
    data = scored.as_data()
    assert data["confusion"][1][7] == 2
    assert data["interval"] == list(scored.interval)
    assert data["per_digit"][1] == {"digit": 1, "total": 3, "recall": 1 / 3, "precision": 1 / 2}
    assert [data[name] for name in ("correct", "total", "accuracy")] == [2, 6, 2 / 6]
    assert data["log_loss"] == scored.log_loss


def test_a_report_of_many_agrees_with_a_plain_loop() -> None:
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 10, 500).astype(np.uint8)
    probabilities = generator.dirichlet(np.ones(10), 500)
    scored = report(labels, probabilities)
    confusion, surprise, correct = [[0] * 10 for _ in range(10)], 0.0, 0
    for label, row in zip(labels.tolist(), probabilities.tolist(), strict=True):
        answer = row.index(max(row))
        confusion[label][answer] += 1
        correct += answer == label
        surprise -= math.log(row[label])
    assert scored.confusion.tolist() == confusion
    assert scored.correct == correct
    assert scored.log_loss == pytest.approx(surprise / 500, rel=1e-12)  # other order of the sum
    for score, row in zip(scored.per_digit, confusion, strict=True):
        said = sum(confusion[label][score.digit] for label in range(10))
        assert score.total == sum(row)
        assert score.recall == row[score.digit] / sum(row)
        assert score.precision == row[score.digit] / said


def test_unequal_parts_add_up_to_the_whole(blink: Model, exam: Dataset) -> None:
    whole = blink.evaluate(exam)
    parts = [exam.subset(slice(a, b)) for a, b in ((0, 1), (1, 700), (700, 10_000))]
    scored = [blink.evaluate(part) for part in parts]
    assert sum(part.correct for part in scored) == whole.correct
    assert sum(part.total for part in scored) == whole.total
    assert sum(part.confusion for part in scored).tolist() == whole.confusion.tolist()
    # Products of other widths differ in float32's last digits.
    assert sum(part.log_loss * part.total for part in scored) == pytest.approx(
        whole.log_loss * whole.total, rel=1e-5
    )


@pytest.mark.parametrize("shape", [(5, 10), (6, 9), (6, 11), (6,), (10, 6)])
def test_probabilities_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"shape \(6, 10\), got \(.*a row for each label"):
        report(LABELS, np.full(shape, 0.1))


def test_nothing_cannot_be_scored() -> None:
    with pytest.raises(DataError, match="at least one labelled digit to score, got none"):
        report(LABELS[:0], np.empty((0, 10)))


# Two models on the same digits


@pytest.mark.parametrize(
    ("only_first", "only_second", "p_value"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),  # 2 · ½, a single toss
        (5, 5, 1.0),  # the two tails meet: more than 1 would come out
        (1, 8, 2 * (1 + 9) / 2**9),  # 0.0390625
        (0, 6, 2 / 2**6),  # 0.03125
        (2, 10, 2 * (1 + 12 + 66) / 2**12),  # 0.03857
        (0, 2000, 0.0),  # 2⁻¹⁹⁹⁹ is below the smallest float, and no error
    ],
)
def test_mcnemars_test_is_twice_the_tail_of_a_fair_coin(
    only_first: int, only_second: int, p_value: float
) -> None:
    assert mcnemar(only_first, only_second) == p_value


def test_mcnemars_test_counts_all_ways_that_a_coin_can_fall() -> None:
    for tosses in range(1, 9):
        falls = [sum(fall) for fall in product((0, 1), repeat=tosses)]
        for heads in range(tosses + 1):
            distance = abs(heads - tosses / 2)
            as_uneven = sum(abs(fall - tosses / 2) >= distance for fall in falls)
            assert mcnemar(heads, tosses - heads) == as_uneven / 2**tosses


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemars_test_takes_no_side(only_first: int, only_second: int) -> None:
    p_value = mcnemar(only_first, only_second)
    assert p_value == mcnemar(only_second, only_first)
    assert 0 < p_value <= 1


def test_models_are_compared_by_what_only_one_of_them_reads() -> None:
    labels = np.arange(10, dtype=np.uint8)
    # The first is wrong on 0; the second on 0 and on 2 to 9, with the same or another answer.
    first = report(labels, surely([9, *range(1, 10)]))
    second = report(labels, surely([9, 1, 0, 0, 0, 0, 0, 0, 0, 0]))
    compared = compare(first, second)
    assert (compared.only_first, compared.only_second) == (8, 0)
    assert compared.p_value == mcnemar(8, 0)
    assert compared.as_data() == {"only_first": 8, "only_second": 0, "p_value": 2 / 2**8}
    turned = compare(second, first)
    assert (turned.only_first, turned.only_second) == (0, 8)
    assert compare(first, first).p_value == 1


def test_reports_on_other_digits_are_not_compared() -> None:
    first = report(LABELS, surely(ANSWERS))
    for labels in (LABELS[:5], LABELS[::-1]):
        other = report(labels, surely(ANSWERS[: len(labels)]))
        with pytest.raises(DataError, match="two reports on the same digits, got other labels"):
            compare(first, other)
