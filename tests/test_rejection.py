"""Rejection: each figure by hand, by brute force, and as a promise that is kept."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkdigits.errors import DataError
from inkdigits.evaluation import (
    auroc,
    coverage_risk,
    rejection,
    threshold_from,
    wilson_interval,
)

Numbers = NDArray[np.float64]

FOUR = np.array([0.9, 0.8, 0.8, 0.6])
RIGHT = np.array([True, False, True, True])

# Many of them equal: answers of one confidence are the difficult case.
confidences = st.floats(0, 1) | st.integers(0, 5).map(lambda n: n / 5)
said = st.lists(st.tuples(confidences, st.booleans()), min_size=1, max_size=60)


def parts(answers: list[tuple[float, bool]]) -> tuple[Numbers, NDArray[np.bool_]]:
    return np.array([c for c, _ in answers]), np.array([r for _, r in answers])


def many(count: int = 3000, seed: int = 4) -> tuple[Numbers, NDArray[np.bool_]]:
    """Answers that are right as often as they say, most of them nearly sure."""
    generator = np.random.default_rng(seed)
    confidence = 1 - 0.9 * generator.random(count) ** 6
    return confidence, generator.random(count) < confidence


# Coverage and risk


def test_coverage_and_risk_are_those_counted_by_hand() -> None:
    curve = coverage_risk(FOUR, RIGHT)
    assert curve.thresholds.tolist() == [0.9, 0.8, 0.6]
    assert curve.coverage.tolist() == [1 / 4, 3 / 4, 1]
    assert curve.risk.tolist() == [0, 1 / 3, 1 / 4]
    assert curve.risk_at_most.tolist() == [
        wilson_interval(wrong, given)[1] for wrong, given in ((0, 1), (1, 3), (1, 4))
    ]
    # One answer with risk 0, the two of one confidence with 1/3 each, one with 1/4.
    assert curve.area == pytest.approx((0 + 2 / 3 + 1 / 4) / 4)


@given(said)
def test_coverage_and_risk_are_those_of_a_plain_loop(answers: list[tuple[float, bool]]) -> None:
    curve = coverage_risk(*parts(answers))
    expected = []
    for threshold in sorted({c for c, _ in answers}, reverse=True):
        given_ones = [right for c, right in answers if c >= threshold]
        expected.append((threshold, len(given_ones), given_ones.count(False)))
    columns = (curve.thresholds, curve.given, curve.wrong)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected
    risk = {threshold: wrong / given_ones for threshold, given_ones, wrong in expected}
    assert curve.area == pytest.approx(sum(risk[c] for c, _ in answers) / len(answers))
    assert (np.diff(curve.coverage) > 0).all()  # it falls as the threshold rises
    assert curve.coverage[-1] == 1
    assert curve.risk[-1] == pytest.approx(sum(not right for _, right in answers) / len(answers))


def test_the_area_is_0_for_the_best_1_for_the_worst_and_the_risk_for_the_constant() -> None:
    right = np.arange(10) < 7
    confidence = np.linspace(0.1, 1, 10)
    assert coverage_risk(confidence, np.ones(10, bool)).area == 0
    assert coverage_risk(confidence, np.zeros(10, bool)).area == 1
    assert coverage_risk(np.full(10, 0.9), right).area == pytest.approx(0.3)
    sure_when_wrong, sure_when_right = (
        coverage_risk(each, right).area for each in (confidence, 1 - confidence)
    )
    assert sure_when_right < 0.3 < sure_when_wrong


def test_the_order_of_the_answers_does_not_matter() -> None:
    confidence, right = many(200)
    confidence = confidence.round(2)
    order = np.random.default_rng(1).permutation(200)
    first, second = coverage_risk(confidence, right), coverage_risk(confidence[order], right[order])
    assert first.rows() == second.rows()
    assert first.area == second.area


# A budget for errors

BUDGETS = (0.5, 0.2, 0.1, 0.05, 0.03, 0.02, 0.015, 0.01, 0.007, 0.005, 0.003, 0.001, 1e-5)


def lowest(confidence: Numbers, right: NDArray[np.bool_], budget: float) -> float | None:
    """The lowest threshold that keeps the budget, every one of them tried."""
    keeping = []
    for threshold in confidence:
        chosen = right[confidence >= threshold]
        if wilson_interval(int((~chosen).sum()), len(chosen))[1] <= budget:
            keeping.append(float(threshold))
    return min(keeping, default=None)


@pytest.mark.parametrize("places", [1, 2, 3, 17])
def test_the_threshold_is_the_lowest_of_all_that_keep_the_budget(places: int) -> None:
    confidence, right = many(600)
    confidence = confidence.round(places)
    curve = coverage_risk(confidence, right)
    found = 0
    for budget in BUDGETS:
        expected = lowest(confidence, right, budget)
        if expected is None:
            with pytest.raises(DataError, match="expected a budget for errors of"):
                curve.threshold_for(budget)
        else:
            assert curve.threshold_for(budget) == expected
            found += 1
    assert 0 < found < len(BUDGETS)


@given(said, st.floats(0.01, 1))
def test_the_threshold_keeps_the_budget_or_there_is_none(
    answers: list[tuple[float, bool]], budget: float
) -> None:
    confidence, right = parts(answers)
    expected = lowest(confidence, right, budget)
    curve = coverage_risk(confidence, right)
    if expected is None:
        with pytest.raises(DataError, match="expected a budget for errors of"):
            curve.threshold_for(budget)
    else:
        assert curve.threshold_for(budget) == expected


def test_a_promise_takes_answers_enough() -> None:
    """z²/(n + z²) ≤ 1 % where n ≥ 99 z² = 380.3, if none of n is wrong."""
    enough, few = (coverage_risk(np.full(n, 0.9), np.ones(n, bool)) for n in (381, 380))
    assert enough.threshold_for(0.01) == 0.9
    with pytest.raises(DataError, match=r"of 1\.001 % or more, got 1 %.* --holdout on more digits"):
        few.threshold_for(0.01)


def test_the_budget_named_in_the_error_can_be_kept() -> None:
    curve = coverage_risk(*many())
    with pytest.raises(DataError) as refused:
        curve.threshold_for(1e-6)
    named = re.search(r"errors of ([\d.]+) % or more", str(refused.value))
    assert named is not None
    assert curve.threshold_for(float(named[1]) / 100) > 0


def test_a_promise_is_kept_on_other_digits() -> None:
    """Confidence c, uniform in 0.5 to 1, is right c of the time: 10 % wrong from 0.8 on."""
    broken, by_share_seen = 0, 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        confidence = generator.uniform(0.5, 1, 2000)
        curve = coverage_risk(confidence.round(3), generator.random(2000) < confidence)
        broken += curve.threshold_for(0.1) < 0.8
        by_share_seen += curve.thresholds[curve.risk <= 0.1].min() < 0.8
    # 5 expected, and some more as the lowest of many thresholds is chosen; had the share seen been
    # held against the budget, about half.
    assert broken <= 12
    assert by_share_seen > 80


@pytest.mark.parametrize("budget", [0, -0.1, 1.1, float("nan")])
def test_what_is_no_budget_is_refused(budget: float) -> None:
    with pytest.raises(DataError, match=r"a budget for errors above 0 and at most 1, got"):
        coverage_risk(FOUR, RIGHT).threshold_for(budget)


# Rows for a model's card


def test_rows_are_the_thresholds_that_serve_a_budget() -> None:
    confidence = np.repeat([0.9, 0.8, 0.7, 0.6], 1000)
    right = np.ones(4000, bool)
    right[[5, *range(2000, 2100), *range(3000, 3010)]] = False
    # Wrong: 1 of 1,000; 1 of 2,000; 101 of 3,000; 111 of 4,000. From 0.7 on more are given at
    # a lower risk with 0.6, and from 0.9 on with 0.8.
    assert coverage_risk(confidence, right).rows() == [
        [0.6, 1.0, wilson_interval(111, 4000)[1]],
        [0.8, 0.5, wilson_interval(1, 2000)[1]],
    ]


@given(said, st.integers(2, 10))
def test_few_rows_hold_what_is_true_and_both_ends(
    answers: list[tuple[float, bool]], most: int
) -> None:
    curve = coverage_risk(*parts(answers))
    rows, few = curve.rows(), curve.rows(most)
    assert len(few) <= most
    assert all(row in rows for row in few)
    assert (few[0], few[-1]) == (rows[0], rows[-1])
    assert few == sorted(few)
    assert len(rows) > most or few == rows
    assert rows[0][1] == 1  # all answers are given
    assert [row[2] for row in rows] == sorted({row[2] for row in rows}, reverse=True)


@pytest.mark.slow
def test_few_rows_keep_every_budget_that_all_keep_at_a_threshold_little_higher() -> None:
    curve = coverage_risk(*many(20_000))
    rows, few = curve.rows(), curve.rows(64)
    assert len(rows) > 150
    assert 40 < len(few) <= 64
    step = (rows[0][2] / rows[-1][2]) ** (1 / 63)
    assert step < 1.1
    risk_at = {row[0]: row[2] for row in rows}
    for budget in np.geomspace(rows[-1][2] * 1.000001, 1, 300).tolist():
        best, kept = curve.threshold_for(budget), threshold_from(few, budget)
        assert best <= kept
        assert risk_at[kept] <= budget
        if budget / step >= rows[-1][2]:
            # 1e-9: between two steps of the scale, rounding.
            assert kept <= curve.threshold_for(budget / step * (1 - 1e-9))


def test_rows_survive_json_and_any_order() -> None:
    curve = coverage_risk(*many())
    rows = json.loads(json.dumps(curve.as_data()))["rows"]
    assert rows == curve.rows(64)
    assert threshold_from(rows[::-1], 0.02) == threshold_from(rows, 0.02)
    assert curve.as_data()["area"] == curve.area


def test_no_rows_keep_no_budget() -> None:
    with pytest.raises(DataError, match=r"of 100\.000 % or more, got 1 %"):
        threshold_from([], 0.01)


# AUROC


def test_the_auroc_is_that_counted_by_hand() -> None:
    # 3 > 1, 3 > 2, 2 > 1, and 2 = 2 as half: 3½ of 4 pairs.
    assert auroc(np.array([3.0, 2.0]), np.array([1.0, 2.0])) == 3.5 / 4


values = st.lists(st.floats(0, 1) | st.integers(0, 4).map(float), min_size=1, max_size=30)


@given(values, values)
def test_the_auroc_is_the_share_of_pairs_in_order(first: list[float], second: list[float]) -> None:
    wins = sum((a > b) + (a == b) / 2 for a in first for b in second)
    found = auroc(np.array(first), np.array(second))
    assert found == pytest.approx(wins / (len(first) * len(second)), abs=1e-12)
    assert found + auroc(np.array(second), np.array(first)) == pytest.approx(1, abs=1e-12)


def test_the_auroc_is_1_for_the_best_0_for_the_worst_and_one_half_for_the_constant() -> None:
    low, high = np.arange(5.0), np.arange(5.0, 12.0)
    assert auroc(high, low) == 1
    assert auroc(low, high) == 0
    assert auroc(np.ones(3), np.ones(8)) == 0.5
    assert auroc(np.array([np.inf]), low) == 1


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([], [1.0], "got 0 and 1"),
        ([1.0], [], "got 1 and 0"),
        ([1.0, np.nan], [1.0], "got 2 and 1, 1 of them not a number"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(
    first: list[float], second: list[float], message: str
) -> None:
    with pytest.raises(DataError, match=f"expected numbers of both kinds .*{message}"):
        auroc(np.array(first), np.array(second))


# Digits against what are none

DIGITS = np.array([0.5, 0.9, 0.8, 0.8, 0.6])
OTHERS = np.array([0.8, 0.1, 0.6, 0.2])


def test_what_a_threshold_refuses_is_counted_by_hand() -> None:
    told = rejection(DIGITS, OTHERS)
    refused = told.at(0.8)  # what is at the threshold is given
    assert (refused.digits, refused.digits_total) == (2, 5)
    assert (refused.others, refused.others_total) == (3, 4)
    assert told.auroc == auroc(DIGITS, OTHERS)
    assert told.at(0).as_data() == {
        "threshold": 0,
        "digits": {"refused": 0, "total": 5, "share": 0, "interval": [*wilson_interval(0, 5)]},
        "non_digits": {"refused": 0, "total": 4, "share": 0, "interval": [*wilson_interval(0, 4)]},
    }
    assert told.at(1.0).as_data()["non_digits"]["share"] == 1


@pytest.mark.parametrize(
    ("loss", "threshold"),
    [(0, 0.5), (0.01, 0.5), (0.2, 0.6), (0.4, 0.8), (0.6, 0.8), (0.79, 0.8), (0.8, 0.9)],
)
def test_the_highest_threshold_at_a_loss_is_known_by_hand(loss: float, threshold: float) -> None:
    assert rejection(DIGITS, OTHERS).threshold_at_loss(loss) == threshold


@given(values.map(lambda each: [min(value, 1.0) for value in each]), st.floats(0, 0.99))
def test_the_threshold_at_a_loss_is_the_highest_of_all_that_lose_no_more(
    digits: list[float], loss: float
) -> None:
    losing = {t: sum(d < t for d in digits) / len(digits) for t in digits}
    expected = max(threshold for threshold, share in losing.items() if share <= loss)
    assert rejection(np.array(digits), OTHERS).threshold_at_loss(loss) == expected


def test_a_loss_of_29_in_100_is_not_28() -> None:
    digits = np.arange(100) / 100  # 0.29 · 100 = 28.999999999999996
    told = rejection(digits, OTHERS)
    assert told.at(told.threshold_at_loss(0.29)).digits == 29


def test_no_array_of_the_caller_is_sorted() -> None:
    digits, others = DIGITS.copy(), OTHERS.copy()
    rejection(digits, others)
    assert (digits.tolist(), others.tolist()) == (DIGITS.tolist(), OTHERS.tolist())


@pytest.mark.parametrize("loss", [-0.1, 1, float("nan")])
def test_what_is_no_loss_is_refused(loss: float) -> None:
    with pytest.raises(DataError, match="expected a share of digits to lose of 0 or more"):
        rejection(DIGITS, OTHERS).threshold_at_loss(loss)


@pytest.mark.parametrize(
    ("digits", "others"), [([], [0.5]), ([0.5], []), ([0.5], [1.5]), ([np.nan], [0.5])]
)
def test_what_is_no_confidence_is_refused(digits: list[Any], others: list[Any]) -> None:
    with pytest.raises(DataError, match="confidence"):
        rejection(np.array(digits), np.array(others))
