"""Each loss is its formula, its gradient is the formula's, and PyTorch agrees."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from inkdigits.network import Loss, SoftmaxCrossEntropy, SquaredError, softmax
from inkdigits.network.layers import Array

CROSS_ENTROPIES = [SoftmaxCrossEntropy(), SoftmaxCrossEntropy(0.1), SoftmaxCrossEntropy(0.9)]
ALL: list[Loss] = [*CROSS_ENTROPIES, SquaredError(), SquaredError(0.01, 0.99)]


@pytest.fixture
def logits(rng: np.random.Generator) -> Array:
    return 3 * rng.normal(size=(10, 23))


@pytest.fixture
def labels(rng: np.random.Generator) -> Array:
    return rng.integers(10, size=23).astype(np.uint8)


@pytest.mark.parametrize("loss", ALL, ids=str)
def test_gradients_are_those_of_the_values(
    loss: Loss, logits: Array, labels: Array, rng: np.random.Generator
) -> None:
    """As for the layers: steps of 1e-5 leave an error below 1e-8 of sums around 100."""
    direction = rng.normal(size=logits.shape)
    ahead, behind = (loss(logits + h * direction, labels)[0] for h in (1e-5, -1e-5))
    _, d_logits = loss(logits, labels)
    slope = np.vdot(d_logits, direction)
    assert slope == pytest.approx((ahead - behind) / 2e-5, rel=1e-7, abs=1e-8)


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("cross entropy", SoftmaxCrossEntropy()),
        ("cross entropy, smoothed", SoftmaxCrossEntropy(0.1)),
        ("squared error", SquaredError()),
        ("squared error of the post", SquaredError(0.01, 0.99)),
    ],
)
def test_pytorch_agrees(golden: dict[str, Any], name: str, loss: Loss) -> None:
    """1e-13: float64 sums over 24 numbers, in another order."""
    case = golden["losses"][name]
    value, d_logits = loss(np.array(case["logits"]), np.array(case["labels"]))
    assert value == pytest.approx(case["loss"], rel=1e-13)
    np.testing.assert_allclose(d_logits, case["d_logits"], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_cross_entropy_is_minus_the_logarithm_of_what_was_wanted(
    logits: Array, labels: Array, smoothing: float
) -> None:
    """1e-13: a sum of 230 terms around 1, in another order."""
    total = 0.0
    d_logits = np.zeros_like(logits)
    for n, label in enumerate(labels):
        powers = [math.exp(z) for z in logits[:, n]]
        for m, power in enumerate(powers):
            wanted = smoothing / 10 + (1 - smoothing) * (m == label)
            total -= wanted * math.log(power / sum(powers))
            d_logits[m, n] = power / sum(powers) - wanted
    value, found = SoftmaxCrossEntropy(smoothing)(logits, labels)
    assert value == pytest.approx(total, rel=1e-13)
    np.testing.assert_allclose(found, d_logits, rtol=1e-13, atol=1e-13)


def test_squared_error_is_half_the_sum_of_squares(logits: Array, labels: Array) -> None:
    """1e-13: a sum of 230 terms, in another order."""
    total = 0.0
    d_logits = np.zeros_like(logits)
    for m, n in itertools.product(range(10), range(23)):
        d_logits[m, n] = logits[m, n] - (0.99 if m == labels[n] else 0.01)
        total += 0.5 * d_logits[m, n] ** 2
    value, found = SquaredError(0.01, 0.99)(logits, labels)
    assert value == pytest.approx(total, rel=1e-13)
    np.testing.assert_allclose(found, d_logits, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("loss", ALL, ids=str)
@pytest.mark.parametrize("cuts", [[1], [22], [5, 6, 20], list(range(1, 23))])
def test_unequal_chunks_sum_to_the_whole(
    loss: Loss, logits: Array, labels: Array, cuts: list[int]
) -> None:
    """1e-13: the same terms summed in another order. A mean anywhere would not survive it."""
    value, d_logits = loss(logits, labels)
    parts = [
        loss(*part)
        for part in zip(np.split(logits, cuts, axis=1), np.split(labels, cuts), strict=True)
    ]
    assert math.fsum(part[0] for part in parts) == pytest.approx(value, rel=1e-13)
    joined = np.concatenate([part[1] for part in parts], axis=1)
    np.testing.assert_allclose(joined, d_logits, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("loss", CROSS_ENTROPIES, ids=str)
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_extreme_logits_stay_finite(loss: SoftmaxCrossEntropy, kind: str) -> None:
    """exp(1e4) is infinite in either type; the loss is the difference of logits by which it errs.

    Sample 0 is certain and right, sample 1 certain and wrong by 2e4, sample 2 has no opinion. The
    smoothed targets put smoothing · 9/10 on answers that are 2e4 away. 1e-6: float32's precision.
    """
    logits = np.full((10, 3), -1e4, kind)
    logits[4, :2] = 1e4
    value, d_logits = loss(logits, np.array([4, 7, 0]))
    away = loss.smoothing * 9 / 10
    right, wrong = away * 2e4, (1 - loss.smoothing / 10) * 2e4
    assert value == pytest.approx(right + wrong + math.log(10), rel=1e-6)
    assert d_logits[4, 0] == pytest.approx(away, abs=1e-6)
    assert d_logits[4, 1] == pytest.approx(1 - loss.smoothing / 10, abs=1e-6)
    assert d_logits[7, 1] == pytest.approx(-(1 - away), abs=1e-6)
    assert np.isfinite(d_logits).all()


@pytest.mark.parametrize("loss", CROSS_ENTROPIES, ids=str)
def test_what_is_added_to_all_logits_of_a_sample_does_not_count(
    loss: Loss, logits: Array, labels: Array, rng: np.random.Generator
) -> None:
    """1e-11: the numbers added cost three of float64's sixteen digits."""
    value, d_logits = loss(logits, labels)
    shifted = loss(logits + 1000 * rng.normal(size=23), labels)
    assert shifted[0] == pytest.approx(value, rel=1e-11)
    np.testing.assert_allclose(shifted[1], d_logits, atol=1e-11)
    # Hence the gradient of each sample sums to nothing.
    np.testing.assert_allclose(d_logits.sum(axis=0), 0, atol=1e-14)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("loss", ALL, ids=str)
def test_the_precision_stays_and_nothing_given_is_written_to(
    loss: Loss, logits: Array, labels: Array, kind: str
) -> None:
    logits = logits.astype(kind)
    logits.flags.writeable = labels.flags.writeable = False  # writing into them raises
    value, d_logits = loss(logits, labels)
    assert type(value) is float
    assert d_logits.dtype == kind
    assert loss(logits, labels)[0] == value


def test_softmax_is_a_share_of_powers(logits: Array) -> None:
    """1e-14: ten positive terms, in another order."""
    p = softmax(logits)
    for n in range(logits.shape[1]):
        powers = [math.exp(z) for z in logits[:, n]]
        assert p[:, n].tolist() == pytest.approx([power / sum(powers) for power in powers], 1e-14)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_softmax_of_extreme_logits_is_certain(kind: str) -> None:
    logits = np.array([[1e4, -1e4, 1e4], [-1e4, -1e4, 1e4]], kind)
    p = softmax(logits)
    assert p.dtype == kind
    assert p.tolist() == [[1, 0.5, 0.5], [0, 0.5, 0.5]]
