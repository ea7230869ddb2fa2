"""Each activation is its formula, its gradient is the formula's, and PyTorch agrees."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from inkdigits.network import Context, Layer, LeakyReLU, ReLU, Sigmoid, Tanh
from inkdigits.network.activations import sigmoid
from inkdigits.network.layers import Array

ALL = [Sigmoid(), Tanh(), ReLU(), LeakyReLU(), LeakyReLU(0.3)]


@pytest.fixture
def off_the_corner(rng: np.random.Generator) -> Array:
    """Values of both signs, shape (4, 3, 5), at least 0.01 from the corner of ReLU at 0.

    A difference of values taken across the corner is no derivative: its steps are 1e-5 long.
    """
    values = rng.normal(size=(4, 3, 5))
    values += np.copysign(0.01, values)
    assert (values > 0).any()
    assert (values < 0).any()
    return values


@pytest.mark.parametrize("layer", ALL, ids=str)
def test_gradients_are_those_of_the_values(
    check_gradients: Callable[[Layer, Array], None], off_the_corner: Array, layer: Layer
) -> None:
    check_gradients(layer, off_the_corner)


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("sigmoid", Sigmoid()),
        ("tanh", Tanh()),
        ("relu", ReLU()),
        ("leaky relu", LeakyReLU(0.2)),
    ],
)
def test_pytorch_agrees(check_against_torch: Callable[..., None], name: str, layer: Layer) -> None:
    check_against_torch(name, layer)


FORMULAS: list[tuple[Layer, Callable[[float], float]]] = [
    (Sigmoid(), lambda x: 1 / (1 + math.exp(-x))),
    (Tanh(), math.tanh),
    (ReLU(), lambda x: x if x > 0 else 0.0),
    (LeakyReLU(0.3), lambda x: x if x > 0 else 0.3 * x),
]


@pytest.mark.parametrize(("layer", "formula"), FORMULAS)
def test_each_value_is_taken_by_itself(
    off_the_corner: Array, layer: Layer, formula: Callable[[float], float]
) -> None:
    """1e-15: at most 2 units in the last place of numbers around 1."""
    x = off_the_corner
    trained, _ = layer.forward(x, {}, Context())
    predicted = layer.predict(x, {}, {})
    assert np.array_equal(trained, predicted)
    assert layer.output_shape((4, 3)) == (4, 3)
    for at in np.ndindex(x.shape):
        assert predicted[at] == pytest.approx(formula(x[at]), rel=1e-15, abs=1e-15)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_sigmoid_never_overflows(kind: str) -> None:
    """An overflow would be a warning, and so an error here."""
    x = np.array([-np.inf, -1e4, -800, -100, 0, 100, 800, 1e4, np.inf], kind)
    y = sigmoid(x)
    assert y.dtype == kind
    # e⁻¹⁰⁰ is far below the last place of ½ in either type.
    assert y.tolist() == [0, 0, 0, 0, 0.5, 1, 1, 1, 1]


def test_sigmoid_is_its_textbook_formula() -> None:
    """1e-15 of numbers below 1: the last place of ½ + ½ tanh is 2e-16 or less."""
    x = np.linspace(-700, 700, 14_001)  # math.exp overflows at 710
    expected = [1 / (1 + math.exp(-value)) for value in x]
    np.testing.assert_allclose(sigmoid(x), expected, rtol=0, atol=1e-15)


def test_the_corner_of_relu_counts_as_off() -> None:
    """As in PyTorch: the derivative at 0 is that of the left side."""
    for layer, off in [(ReLU(), 0.0), (LeakyReLU(0.3), 0.3)]:
        y, backward = layer.forward(np.zeros((1, 1)), {}, Context())
        assert y.tolist() == [[0]]
        dx = backward(np.ones((1, 1)), {})
        assert dx is not None
        assert dx.tolist() == [[off]]


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("layer", ALL, ids=str)
def test_the_precision_stays_and_nothing_given_is_written_to(layer: Layer, kind: str) -> None:
    x = np.linspace(-2, 2, 9, dtype=kind)
    x.flags.writeable = False  # writing into it raises
    y, backward = layer.forward(x, {}, Context())
    dx = backward(x, {})
    assert dx is not None
    assert y.dtype == dx.dtype == layer.predict(x, {}, {}).dtype == kind
    assert np.array_equal(backward(x, {}), dx)
