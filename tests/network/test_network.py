"""The network: layers in a row over one vector, with the way back that belongs to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from inkdigits.errors import ShapeError
from inkdigits.network import (
    Adam,
    Context,
    Dense,
    Downsample,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    Network,
    ReLU,
    Rescale,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
    softmax,
)
from inkdigits.network.layers import Array, Backward, Shape, Views

TINY = (
    Downsample(2),
    Rescale(2 / (4 * 255), -1.0, dtype="float64"),
    Flatten(),
    Dense(4, 5),
    ReLU(),
    Dense(5, 3),
)


def tiny(layers: Sequence[Layer] = TINY) -> Network:
    """A network for pictures of 4 × 4, in float64, with weights."""
    network = Network(layers, input_shape=(4, 4), dtype="float64")
    network.initialise(np.random.default_rng(3))
    return network


@pytest.fixture
def images(rng: np.random.Generator) -> Array:
    return rng.integers(256, size=(4, 4, 7), dtype=np.uint8)


def test_pytorch_gives_the_same_gradient_and_the_same_ten_losses(golden: dict[str, Any]) -> None:
    """1e-12: float64, with sums in another order and ten steps of Adam that pass it on."""
    case = golden["network"]
    network = tiny()
    network.parameters[:] = case["parameters"]
    images, labels = np.array(case["images"], np.uint8), np.array(case["labels"])
    optimizer, memory = Adam(), np.zeros((2, network.parameters.size))
    gradient = np.full_like(network.parameters, np.nan)
    losses = []
    for count in range(1, 11):
        logits, backward = network.forward(images, network.contexts())
        loss, d_logits = SoftmaxCrossEntropy()(logits, labels)
        backward(d_logits / len(labels), network.views(gradient))
        if count == 1:
            np.testing.assert_allclose(gradient, case["gradient"], rtol=1e-12, atol=1e-14)
        losses.append(loss / len(labels))
        everywhere = np.ones(gradient.shape, bool)
        optimizer.step(network.parameters, gradient, memory, everywhere, rate=0.05, count=count)
    assert losses == pytest.approx(case["losses"], rel=1e-12)


def test_gradients_of_the_whole_are_those_of_its_values(rng: np.random.Generator) -> None:
    """Of all parameters and of the pixels, along random directions; tolerance as for the layers."""
    layers = (*TINY[:3], Dense(4, 6), Tanh(), Dense(6, 5), Sigmoid(), Dense(5, 5), LeakyReLU())
    network = tiny(layers)
    x = 255 * rng.random((4, 4, 7))
    start = network.parameters.copy()
    logits, backward = network.forward(x, network.contexts(wants_dx=True))
    d_logits = rng.normal(size=logits.shape)
    gradient = np.full_like(start, np.nan)
    dx = backward(d_logits, network.views(gradient))
    assert dx is not None
    assert dx.shape == x.shape

    def slope(d_parameters: Any, d_pixels: Any) -> float:
        values = []
        for h in (1e-5, -1e-5):
            network.parameters[:] = start + h * d_parameters
            values.append(float(np.vdot(d_logits, network.predict(x + h * d_pixels))))
        return (values[0] - values[1]) / 2e-5

    direction = rng.normal(size=start.shape)
    assert gradient @ direction == pytest.approx(slope(direction, 0), rel=1e-7, abs=1e-8)
    direction = 100 * rng.normal(size=x.shape)  # a pixel counts 2/1020 of a parameter
    assert np.vdot(dx, direction) == pytest.approx(slope(0, direction), rel=1e-7, abs=1e-8)


def test_the_vector_and_its_views_are_one_memory() -> None:
    network = Network([Dense(4, 3), Dense(3, 2, bias=False)], input_shape=(4,))
    assert network.parameters.shape == (4 * 3 + 3 + 3 * 2,)
    first, second = network.views(network.parameters)
    network.parameters[:] = np.arange(21)
    assert first["weight"].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert first["bias"].tolist() == [12, 13, 14]
    assert second["weight"].tolist() == [[15, 16, 17], [18, 19, 20]]
    second["weight"][1, 2] = 99
    assert network.parameters[20] == 99
    # And it is these that the network works with, not a copy of its first days.
    network.parameters[:] = 0
    first["bias"][:] = 1
    second["weight"][:] = [[1, 2, 3], [4, 5, 6]]
    assert network.predict(np.zeros((4, 1), np.float32)).tolist() == [[6], [15]]


@pytest.mark.parametrize("samples", [0, 1, 7])
def test_predicting_is_the_way_forward_of_training(samples: int, images: Array) -> None:
    network = tiny()
    logits, _ = network.forward(images[:, :, :samples], network.contexts())
    assert logits.shape == (3, samples)
    assert np.array_equal(network.predict(images[:, :, :samples]), logits)


def test_each_column_is_answered_by_itself(images: Array) -> None:
    """1e-14: BLAS sums one column and seven in another order."""
    network = tiny()
    together = network.predict(images)
    for n in range(7):
        alone = network.predict(images[:, :, n : n + 1])
        np.testing.assert_allclose(alone[:, 0], together[:, n], rtol=1e-14, atol=1e-14)


def test_probabilities_are_the_softmax_of_the_logits(images: Array) -> None:
    network = tiny()
    p = network.predict_probabilities(images)
    assert np.array_equal(p, softmax(network.predict(images)))
    np.testing.assert_allclose(p.sum(axis=0), 1, rtol=1e-15)
    assert (p > 0).all()


def test_dropout_is_on_in_training_and_off_in_predicting(images: Array) -> None:
    with_dropout = tiny((*TINY[:5], Dropout(0.5), TINY[5]))
    without = tiny()
    contexts = with_dropout.contexts()
    contexts[5].generator = lambda: np.random.default_rng(1)
    logits, _ = with_dropout.forward(images, contexts)
    assert not np.array_equal(logits, without.predict(images))
    assert np.array_equal(with_dropout.predict(images), without.predict(images))


@dataclass(frozen=True)
class Spied:
    """A layer whose way back is written down: who was asked, and whether dx was wanted."""

    layer: Layer
    called: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return self.layer.shapes

    @property
    def state_shapes(self) -> Mapping[str, Shape]:
        return self.layer.state_shapes

    @property
    def initial_values(self) -> Mapping[str, float]:
        return self.layer.initial_values

    def output_shape(self, shape: Shape) -> Shape:
        return self.layer.output_shape(shape)

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        return self.layer.predict(x, parameters, state)

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        y, layer_backward = self.layer.forward(x, parameters, context)

        def backward(dy: Array, gradients: Views) -> Array | None:
            self.called.append((str(self.layer), context.wants_dx))
            return layer_backward(dy, gradients)

        return y, backward


@pytest.mark.parametrize("wants_dx", [False, True])
def test_layers_below_the_first_that_learns_go_back_only_if_pixels_are_asked_for(
    images: Array, wants_dx: bool
) -> None:
    called: list[tuple[str, bool]] = []
    network = tiny([Spied(layer, called) for layer in TINY])
    logits, backward = network.forward(images, network.contexts(wants_dx=wants_dx))
    gradient = np.full_like(network.parameters, np.nan)
    dx = backward(np.ones_like(logits), network.views(gradient))
    assert np.isfinite(gradient).all()
    learning = [(str(TINY[5]), True), (str(TINY[4]), True), (str(TINY[3]), wants_dx)]
    if wants_dx:
        assert called == learning + [(str(layer), True) for layer in reversed(TINY[:3])]
        assert dx is not None
        assert dx.shape == images.shape
    else:
        assert called == learning
        assert dx is None


def test_decay_is_for_weights_and_not_for_biases() -> None:
    network = Network([Dense(2, 3), ReLU(), Dense(3, 1)], input_shape=(2,))
    assert network.decay_mask().tolist() == [True] * 6 + [False] * 3 + [True] * 3 + [False]


@dataclass(frozen=True)
class Counting:
    """A test's layer with statistics: it writes the chunk's sum and size, and adds the state."""

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return {}

    @property
    def state_shapes(self) -> Mapping[str, Shape]:
        return {"sum": (2,), "size": ()}

    @property
    def initial_values(self) -> Mapping[str, float]:
        return {"size": 1.0}

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        context.statistics["sum"][:] = x.sum(axis=1)
        context.statistics["size"][...] = x.shape[1]
        return x, lambda dy, gradients: dy

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        y: Array = x + state["sum"][:, np.newaxis] * state["size"]
        return y


def test_layers_write_statistics_into_one_vector_and_predict_with_the_state() -> None:
    network = Network([Counting(), ReLU(), Counting()], input_shape=(2,))
    assert network.state.tolist() == [0, 0, 1, 0, 0, 1]  # where the layer says they start
    statistics = np.full_like(network.state, np.nan)
    contexts = network.contexts(statistics)
    network.forward(np.array([[1, 2, 3], [-4, 0, 5]], np.float32), contexts)
    assert statistics.tolist() == [6, 1, 3, 6, 5, 3]
    assert network.state.tolist() == [0, 0, 1, 0, 0, 1]
    network.state[:] = [1, 2, 10, 0, 1, 1]
    assert network.predict(np.zeros((2, 1), np.float32)).tolist() == [[10], [21]]


def test_uint8_pixels_become_logits_of_the_networks_type(images: Array) -> None:
    network = Network([Rescale(), Flatten(), Dense(16, 3)], input_shape=(4, 4))
    assert network.predict(images).dtype == network.parameters.dtype == np.float32
    gradient = np.zeros_like(network.parameters)
    logits, backward = network.forward(images, network.contexts())
    backward(logits, network.views(gradient))
    assert logits.dtype == np.float32


def test_a_network_says_what_it_is_made_of() -> None:
    network = Network([Flatten(), Dense(784, 10)])
    assert repr(network) == "Network(Flatten(), Dense(inputs=784, outputs=10, bias=True))"
    assert network.answers == 10


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [Rescale(), Dense(784, 10)],
            "layer 1: Dense(inputs=784, outputs=10, bias=True) expected columns of 784 features, "
            "got shape (28, 28): put Flatten() before it",
        ),
        (
            [Flatten(), Dense(784, 200), ReLU(), Dense(100, 10)],
            "layer 3: Dense(inputs=100, outputs=10, bias=True) expected columns of 100 features, "
            "got shape (200,): make it Dense(200, …)",
        ),
        (
            [Downsample(3), Flatten()],
            "layer 0: Downsample(factor=3) expected a factor of 2 or more that divides the height "
            "and width, got shape (28, 28): choose another, and put it before Flatten()",
        ),
        ([Downsample(1), Flatten()], "layer 0: Downsample(factor=1) expected a factor of 2 or mor"),
        ([Flatten(), Downsample(2)], "layer 1: Downsample(factor=2) expected a factor of 2 or mor"),
        (
            [Flatten(), Dropout(1.0), Dense(784, 10)],
            "layer 1: expected 0 ≤ drop_probability < 1, got 1.0: it is the share of features",
        ),
        ([Dropout(-0.1)], "layer 0: expected 0 ≤ drop_probability < 1, got -0.1"),
        ([Dropout(float("nan"))], "layer 0: expected 0 ≤ drop_probability < 1, got nan"),
        (
            [Rescale()],
            "expected the last layer to give one logit an answer, got shape (28, 28): "
            "end with Flatten() and Dense(…)",
        ),
        ([], "expected the last layer to give one logit an answer, got shape (28, 28)"),
    ],
)
def test_layers_that_do_not_fit_are_refused_with_their_position(
    layers: list[Layer], message: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        Network(layers)
    assert str(caught.value).startswith(message)
