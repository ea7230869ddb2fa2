"""Calibration: by hand, by brute force, and by a temperature that is known beforehand."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkdigits.errors import DataError
from inkdigits.evaluation import NINES, fit_temperature, reliability, wilson_interval

Numbers = NDArray[np.float64]
Labels = NDArray[np.integer[Any]]


def log_loss(logits: Numbers, labels: Labels, temperature: float) -> float:
    """Mean −ln softmax(z/T)[label], a row at a time."""
    losses = []
    for row, label in zip((logits / temperature).tolist(), labels.tolist(), strict=True):
        highest = max(row)
        total = sum(math.exp(value - highest) for value in row)
        losses.append(math.log(total) + highest - row[label])
    return sum(losses) / len(losses)


def said_by(spread: float, temperature: float, count: int) -> tuple[Numbers, Labels]:
    """Logits, and labels drawn from softmax(z / temperature): so that one is the right one."""
    generator = np.random.default_rng(5)
    logits = generator.normal(0, spread, (count, 10))
    # The largest of z/T + Gumbel noise has the distribution softmax(z/T).
    labels = (logits / temperature + generator.gumbel(size=logits.shape)).argmax(axis=1)
    return logits, labels


# The temperature


def test_three_right_of_four_with_one_lead_have_a_temperature_known_by_hand() -> None:
    """Of two answers that are a apart, the best gives the right share: 1/(1 + e^(−a/T)) = 3/4."""
    logits = np.full((4, 10), -1e9)  # eight answers are out of the question
    logits[:, 2], logits[:, 7] = 5.0, 5.0 - 2.0
    # To 1 in a million, as it says; a slope computed in float64 is good to more.
    assert fit_temperature(logits, np.array([2, 2, 7, 2])) == pytest.approx(
        2 / math.log(3), rel=2e-6
    )


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_the_temperature_that_labels_were_drawn_with_is_found(temperature: float) -> None:
    logits, labels = said_by(4.0, temperature, 20_000)
    # The estimate's standard error is about 1 %; three of them.
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_no_other_temperature_has_a_lower_loss(seed: int) -> None:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, 60)
    logits = generator.normal(0, 2, (60, 10))
    logits[np.arange(60), labels] += 2
    best = fit_temperature(logits, labels)
    lowest = log_loss(logits, labels, best)
    for factor in (0.01, 0.5, 0.9, 0.999, 1.001, 1.1, 2, 100):
        assert log_loss(logits, labels, factor * best) > lowest


def test_logits_stretched_or_moved_have_the_temperature_stretched_and_the_same() -> None:
    logits, labels = said_by(3.0, 1.5, 500)
    found = fit_temperature(logits, labels)
    assert fit_temperature(1000 * logits, labels) == pytest.approx(1000 * found, rel=2e-6)
    assert fit_temperature(logits / 1000, labels) == pytest.approx(found / 1000, rel=2e-6)
    moved = logits + np.arange(500)[:, np.newaxis]
    assert fit_temperature(moved, labels) == pytest.approx(found, rel=2e-6)


def test_the_order_and_repetition_of_the_digits_do_not_matter() -> None:
    logits, labels = said_by(3.0, 1.5, 300)
    found = fit_temperature(logits, labels)
    assert fit_temperature(logits[::-1], labels[::-1]) == pytest.approx(found, rel=2e-6)
    twice = fit_temperature(np.tile(logits, (2, 1)), np.tile(labels, 2))
    assert twice == pytest.approx(found, rel=2e-6)


def test_what_was_too_sure_of_itself_says_what_it_keeps_when_calibrated() -> None:
    logits, labels = said_by(4.0, 2.5, 20_000)

    def error_at(temperature: float) -> float:
        powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
        confidence = powers.max(axis=1) / powers.sum(axis=1)
        return reliability(confidence, logits.argmax(axis=1) == labels).expected_error

    before, after = error_at(1.0), error_at(fit_temperature(logits, labels))
    assert before > 0.1
    assert after < 0.015  # 15 bins of some 1,300: chance alone puts each about 1 % off


@pytest.mark.parametrize("logits", [np.eye(10), np.zeros((10, 10))])
def test_where_no_answer_is_ahead_of_the_label_no_temperature_is_best(logits: Numbers) -> None:
    message = (
        r"expected some wrong answers .* got no answer ahead of the label for any of 10 digits"
    )
    with pytest.raises(DataError, match=message):
        fit_temperature(logits, np.arange(10))


def test_logits_that_know_less_than_nothing_have_no_best_temperature() -> None:
    with pytest.raises(DataError, match="got some that say no more than chance"):
        fit_temperature(-np.eye(10), np.arange(10))


@pytest.mark.parametrize(
    ("logits", "labels"),
    [
        (np.zeros((0, 10)), np.zeros(0, int)),
        (np.zeros((3, 11)), np.zeros(3, int)),
        (np.zeros((3, 10)), np.zeros(4, int)),
        (np.full((3, 10), np.nan), np.zeros(3, int)),
        (np.full((3, 10), np.inf), np.zeros(3, int)),
    ],
)
def test_what_has_no_temperature_is_refused(logits: Numbers, labels: Labels) -> None:
    with pytest.raises(DataError, match=r"expected finite logits of shape \(N, 10\) and N labels"):
        fit_temperature(logits, labels)


# Reliability

FIVE = np.array([0.95, 0.95, 0.55, 0.55, 0.55])
RIGHT = np.array([True, False, True, True, False])


def test_the_errors_are_those_counted_by_hand() -> None:
    found = reliability(FIVE, RIGHT, bins=10)
    assert [each.count for each in found.bins] == [3, 2]
    lower, upper = found.bins
    assert (lower.low, lower.high) == pytest.approx((0.5, 0.6))
    assert (lower.confidence, lower.share_right) == pytest.approx((0.55, 2 / 3))
    assert lower.interval == wilson_interval(2, 3)
    assert (upper.low, upper.high) == pytest.approx((0.9, 1))
    assert (upper.confidence, upper.share_right) == pytest.approx((0.95, 0.5))
    # 3/5 · |2/3 − .55| + 2/5 · |.5 − .95| = .07 + .18
    assert found.expected_error == pytest.approx(0.25)
    assert found.maximum_error == pytest.approx(0.45)


answers = st.lists(
    st.tuples(st.floats(0, 1) | st.sampled_from([0, 0.2, 0.25, 0.5, 1]), st.booleans()),
    min_size=1,
    max_size=60,
)


@given(answers, st.sampled_from([1, 2, 4, 5, 15]))
def test_the_errors_are_those_of_a_plain_loop(said: list[tuple[float, bool]], bins: int) -> None:
    confidence, right = np.array([c for c, _ in said]), np.array([r for _, r in said])
    edges = np.linspace(0, 1, bins + 1).tolist()
    expected, largest = 0.0, 0.0
    for number, (low, high) in enumerate(pairwise(edges)):
        inside = [(c, r) for c, r in said if low < c <= high or (number == 0 and c == 0)]
        if inside:
            off = abs(sum(r for _, r in inside) - sum(c for c, _ in inside)) / len(inside)
            expected += off * len(inside) / len(said)
            largest = max(largest, off)
    found = reliability(confidence, right, bins=bins)
    assert found.expected_error == pytest.approx(expected, abs=1e-12)  # other order of the sums
    assert found.maximum_error == pytest.approx(largest, abs=1e-12)
    assert sum(each.count for each in found.bins) == len(said)


def test_a_bin_ends_with_its_upper_edge() -> None:
    confidence = np.array([0.0, 0.5, 0.5000001, 1.0])
    bins = reliability(confidence, np.ones(4, bool), bins=2).bins
    assert [(each.low, each.high, each.count) for each in bins] == [(0, 0.5, 2), (0.5, 1, 2)]


@pytest.mark.parametrize(
    ("confidence", "right", "error"),
    [
        (np.ones(7), np.ones(7, bool), 0.0),  # perfect
        (np.ones(7), np.zeros(7, bool), 1.0),  # the worst there is
        (np.zeros(7), np.zeros(7, bool), 0.0),  # knows that it knows nothing
        (np.full(10, 0.7), np.arange(10) < 7, 0.0),
        (np.full(10, 0.7), np.arange(10) < 2, 0.5),
    ],
)
def test_the_best_the_worst_and_the_constant(
    confidence: Numbers, right: NDArray[np.bool_], error: float
) -> None:
    found = reliability(confidence, right)
    assert found.expected_error == pytest.approx(error, abs=1e-12)
    assert found.maximum_error == pytest.approx(error, abs=1e-12)


def test_unequal_parts_add_up_to_the_whole() -> None:
    generator = np.random.default_rng(2)
    confidence, right = generator.random(500), generator.random(500) < 0.7
    whole = {each.high: each for each in reliability(confidence, right).bins}
    counts, said, came = (dict.fromkeys(whole, 0.0) for _ in range(3))
    for part in (slice(0, 1), slice(1, 90), slice(90, 500)):
        for each in reliability(confidence[part], right[part]).bins:
            counts[each.high] += each.count
            said[each.high] += each.count * each.confidence
            came[each.high] += each.count * each.share_right
    for high, each in whole.items():
        assert counts[high] == each.count
        assert said[high] == pytest.approx(each.count * each.confidence)
        assert came[high] == pytest.approx(each.count * each.share_right)


def test_a_diagrams_bins_tell_the_nines_apart() -> None:
    confidence = np.array([0.3, 0.985, 0.9985, 0.99985, 0.99995, 1.0])
    bins = reliability(confidence, np.ones(6, bool), bins=NINES).bins
    assert [(each.low, each.high) for each in bins] == [
        (0, 0.5),
        (0.98, 0.99),
        (0.998, 0.999),
        (0.9998, 0.9999),
        (0.9999, 1),
    ]


def test_as_data_is_json_with_the_figures_under_their_names() -> None:
    found = reliability(FIVE, RIGHT, bins=10)
    data = json.loads(json.dumps(found.as_data()))
    assert (data["ece"], data["maximum"]) == (found.expected_error, found.maximum_error)
    assert data["bins"][1] == {
        "low": pytest.approx(0.9),
        "high": 1,
        "count": 2,
        "confidence": pytest.approx(0.95),
        "share_right": 0.5,
        "interval": list(wilson_interval(1, 2)),
    }


@pytest.mark.parametrize(
    ("confidence", "right", "message"),
    [
        ([], [], "for each of N ≥ 1 answers"),
        ([0.5], [True, False], r"got shapes \(1,\) and \(2,\)"),
        ([[0.5]], [[True]], r"got shapes \(1, 1\)"),
        ([0.5], [1], "as bool, got int"),
        ([0.5, 1.5], [True, True], "from 0 to 1, got 1.5 at 1"),
        ([-0.1], [True], "from 0 to 1, got -0.1 at 0"),
        ([math.nan], [True], "from 0 to 1, got nan at 0"),
    ],
)
def test_what_is_no_confidence_is_refused(
    confidence: list[Any], right: list[Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        reliability(np.array(confidence), np.array(right))


@pytest.mark.parametrize("bins", [0, (), (0,), (0.1, 1), (0, 0.9), (0, 0.5, 0.5, 1), (0, 2, 1)])
def test_bins_that_leave_gaps_are_refused(bins: Any) -> None:
    with pytest.raises(DataError, match="edges rising from 0 to 1, got"):
        reliability(FIVE, RIGHT, bins=bins)
