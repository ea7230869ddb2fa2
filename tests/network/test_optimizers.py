"""Each optimizer walks PyTorch's path, and does what its penalties are for."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from inkdigits.network import SGD, Adam, AdamW, Optimizer
from inkdigits.network.layers import Array

OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": SGD(),
    "sgd, momentum": SGD(momentum=0.9),
    "sgd, nesterov": SGD(momentum=0.9, nesterov=True),
    "sgd, l2": SGD(momentum=0.9, l2=0.1),
    "sgd, l1": SGD(momentum=0.5, l1=0.2),
    "adam": Adam(),
    "adam, other betas": Adam(beta1=0.7, beta2=0.9, epsilon=1e-3),
    "adam, l1 and l2": Adam(l1=0.2, l2=0.1),
    "adamw": AdamW(weight_decay=0.3),
}


def walked(
    optimizer: Optimizer,
    start: Array,
    gradient_at: Callable[[int, Array], Array],
    *,
    steps: int,
    rate: float = 0.05,
    decay: bool = True,
) -> Array:
    """The parameters after so many steps from `start`."""
    parameters, memory = start.copy(), np.zeros((optimizer.slots, *start.shape), start.dtype)
    mask = np.full(start.shape, decay)
    for count in range(1, steps + 1):
        gradient = gradient_at(count, parameters)
        optimizer.step(parameters, gradient, memory, mask, rate=rate, count=count)
    return parameters


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_pytorch_goes_the_same_way(golden: dict[str, Any], name: str) -> None:
    """20 steps with another rate at each; the second half of the vector knows no penalty.

    1e-12: both round every step in float64, in another order, and Adam divides by roots.
    """
    optimizer, case = OPTIMIZERS[name], golden["optimizers"]
    parameters = np.array(case["start"])
    memory = np.zeros((optimizer.slots, 6))
    decay = np.arange(6) < 3
    path = {}
    for count, (gradient, rate) in enumerate(
        zip(case["gradients"], case["rates"], strict=True), start=1
    ):
        optimizer.step(parameters, np.array(gradient), memory, decay, rate=rate, count=count)
        path[str(count)] = parameters.copy()
    for count, expected in case["paths"][name].items():
        np.testing.assert_allclose(path[count], expected, rtol=1e-12, atol=1e-12, err_msg=count)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_slices_of_the_vectors_move_as_the_whole_does_bit_for_bit(
    rng: np.random.Generator, optimizer: Optimizer, kind: str
) -> None:
    size, cuts = 1000, [0, 1, 334, 667, 1000]
    start = rng.normal(size=size).astype(kind)
    gradients = rng.normal(size=(5, size)).astype(kind)
    decay = rng.random(size) < 0.5
    found = []
    for slices in [[slice(None)], [slice(a, b) for a, b in itertools.pairwise(cuts)]]:
        parameters, memory = start.copy(), np.zeros((optimizer.slots, size), kind)
        for count, gradient in enumerate(gradients.copy(), start=1):
            for part in slices:
                optimizer.step(
                    parameters[part],
                    gradient[part],
                    memory[:, part],
                    decay[part],
                    rate=0.01,
                    count=count,
                )
        found.append((parameters.tobytes(), memory.tobytes()))
        assert not np.array_equal(parameters, start)
    assert found[0] == found[1]


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_the_lowest_point_of_a_valley_is_found(optimizer: Optimizer) -> None:
    """½ Σ (w − goal)² with no weight under a penalty; 0.01 after 2,000 steps of at most 0.05."""
    goal = np.array([3.0, -2.0, 0.0, 0.5])
    found = walked(optimizer, np.zeros(4), lambda _, w: w - goal, steps=2000, decay=False)
    np.testing.assert_allclose(found, goal, atol=0.01)


@pytest.mark.parametrize(
    "penalised",
    [
        lambda penalty: SGD(l1=penalty),
        lambda penalty: SGD(l2=penalty),
        lambda penalty: Adam(l1=penalty),
        lambda penalty: Adam(l2=penalty),
        lambda penalty: AdamW(weight_decay=penalty),
    ],
    ids=["sgd l1", "sgd l2", "adam l1", "adam l2", "adamw"],
)
def test_a_larger_penalty_gives_smaller_weights(penalised: Callable[[float], Optimizer]) -> None:
    goal = np.array([3.0, -2.0, 1.0, 0.5])
    sizes = [
        np.abs(walked(penalised(penalty), np.zeros(4), lambda _, w: w - goal, steps=2000)).sum()
        for penalty in (0.0, 0.1, 0.4, 1.6)
    ]
    assert sizes[0] == pytest.approx(np.abs(goal).sum(), abs=0.01)
    assert all(np.diff(sizes) < -0.05), sizes


def test_l1_silences_small_weights_and_l2_shrinks_all() -> None:
    """The lowest points of ½ (w − 3)² + p|w| and ½ (w − 3)² + ½ p w², worked out by hand."""
    goal = np.array([3.0, 0.5])

    def lowest(optimizer: Optimizer) -> Array:
        return walked(optimizer, np.zeros(2), lambda _, w: w - goal, steps=3000, rate=0.001)

    # Near zero L1 steps to and fro by rate · p: hence 0.001; the rest of the way is e⁻³ of it.
    far = np.exp(-3)
    np.testing.assert_allclose(lowest(SGD(l1=1.0)), [2 * (1 - far), 0], atol=0.002)
    far = np.exp(-6)  # the valley is twice as steep
    np.testing.assert_allclose(lowest(SGD(l2=1.0)), [1.5 * (1 - far), 0.25 * (1 - far)], atol=0.001)


def test_sgd_without_momentum_is_one_line() -> None:
    parameters, gradient = np.array([1.0, -2.0]), np.array([0.5, 4.0])
    SGD().step(parameters, gradient, np.zeros((1, 2)), np.zeros(2, bool), rate=0.25, count=1)
    assert parameters.tolist() == [1 - 0.25 * 0.5, -2 - 0.25 * 4]


def test_momentum_goes_on_where_the_gradient_ends() -> None:
    """A push of 1 and then none: 1 + ½ + ¼ times the rate, exact in binary."""
    push = walked(
        SGD(momentum=0.5), np.zeros(1), lambda count, _: np.array([float(count == 1)]), steps=3
    )
    assert push.tolist() == [-0.05 * 1.75]


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6])
def test_the_first_step_of_adam_is_as_long_as_the_rate(size: float) -> None:
    """Whatever the gradient's size: only ε = 1e-8 shortens it, by 1e-5 for the smallest here."""
    gradient = size * np.array([1.0, -1.0])
    found = walked(Adam(), np.zeros(2), lambda *_: gradient.copy(), steps=1)
    np.testing.assert_allclose(found, [-0.05, 0.05], rtol=1.1e-5)


def test_adamw_decays_beside_the_gradient_and_adam_through_it() -> None:
    """With no gradient AdamW takes the rate's share of each weight, where Adam takes a full step.

    1e-14: ten products of numbers near 1.
    """

    def alone(optimizer: Optimizer, steps: int) -> Array:
        return walked(
            optimizer, np.array([1.0, -0.01]), lambda *_: np.zeros(2), steps=steps, rate=0.1
        )

    factor = (1 - 0.1 * 0.3) ** 10
    np.testing.assert_allclose(
        alone(AdamW(weight_decay=0.3), 10), [factor, -0.01 * factor], rtol=1e-14
    )
    np.testing.assert_allclose(alone(Adam(l2=0.3), 1), [0.9, 0.09], rtol=1e-5)


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_what_is_not_to_decay_does_not_feel_a_penalty(
    optimizer: Optimizer, rng: np.random.Generator
) -> None:
    start = rng.normal(size=5)
    still = walked(optimizer, start, lambda *_: np.zeros(5), steps=10, decay=False)
    assert np.array_equal(still, start)
