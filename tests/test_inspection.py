"""What a network sees: its own weights in their places, and digits that it reads as such."""

from __future__ import annotations

import json
from math import exp, log

import numpy as np
import pytest

from inkdigits.dataset import Dataset
from inkdigits.errors import ShapeError
from inkdigits.inspection import first_weights, imagined_digits, layer_figures
from inkdigits.model import Model
from inkdigits.network import (
    Dense,
    Downsample,
    Dropout,
    Flatten,
    Network,
    ReLU,
    Rescale,
    Sigmoid,
    SoftmaxCrossEntropy,
)


def posts_network(hidden: int) -> Network:
    """The post's kind of network, without its weights."""
    layers = (
        Rescale(0.99 / 255, 0.01, dtype="float64"),
        Flatten(),
        Dense(784, hidden, bias=False),
        Sigmoid(),
        Dense(hidden, 10, bias=False),
    )
    return Network(layers, dtype="float64")


# Backquery


def test_backquery_of_a_network_that_looks_at_one_pixel_for_each_digit() -> None:
    # By hand: wih and who are ones on the diagonal, so that pixel d alone speaks for digit d.
    # Wanted .99 for d and .01 for the others: ±ln 99 before the sigmoid, through who the same for
    # the hidden units, stretched to .99 and .01, ±ln 99 again, through wih to the first ten
    # pixels; the other 774 get 0, midway. Stretched: .99, .01 and .5 of 255.
    network = posts_network(10)
    wih, who = (views["weight"] for views in network.views(network.parameters) if views)
    np.fill_diagonal(wih, 1)
    np.fill_diagonal(who, 1)
    imagined = imagined_digits(network).reshape(10, 784)
    expected = np.full((10, 784), 128)
    expected[:, :10] = 3
    np.fill_diagonal(expected, 252)
    assert imagined.tolist() == expected.tolist()


def test_backquery_agrees_with_the_books_steps_one_number_at_a_time() -> None:
    network = posts_network(7)
    network.initialise(np.random.default_rng(1))
    wih, who = (v["weight"].tolist() for v in network.views(network.parameters) if v)

    def stretched(signals: list[float]) -> list[float]:
        low, high = min(signals), max(signals)
        return [(signal - low) / (high - low) * 0.98 + 0.01 for signal in signals]

    def backwards(weights: list[list[float]], outputs: list[float]) -> list[float]:
        before = [log(y / (1 - y)) for y in outputs]
        assert all(abs(1 / (1 + exp(-x)) - y) < 1e-12 for x, y in zip(before, outputs, strict=True))
        return stretched(
            [
                sum(weights[row][column] * before[row] for row in range(len(weights)))
                for column in range(len(weights[0]))
            ]
        )

    imagined = imagined_digits(network)
    assert imagined.shape == (10, 28, 28)
    assert imagined.dtype == np.uint8
    for digit in range(10):
        wanted = [0.99 if answer == digit else 0.01 for answer in range(10)]
        pixels = backwards(wih, backwards(who, wanted))
        # Half a grey level for rounding, and a hair for sums in another order.
        difference = np.abs(imagined[digit].reshape(784) - 255 * np.array(pixels))
        assert difference.max() < 0.5 + 1e-9


@pytest.mark.parametrize("hidden", [1, 5])
def test_backquery_of_a_network_that_knows_nothing_is_a_blank_sheet(hidden: int) -> None:
    assert np.unique(imagined_digits(posts_network(hidden))).tolist() == [3]  # .01 of 255


# Ascent


def test_a_trained_network_reads_what_it_imagines(blink: Model) -> None:
    imagined = imagined_digits(blink.network)
    assert imagined.shape == (10, 28, 28)
    assert imagined.dtype == np.uint8
    # By chance one in ten would be right; all ten are for the seeds tried, two are left as slack.
    assert (blink.predict(imagined) == np.arange(10)).sum() >= 8
    assert (imagined.max(axis=(1, 2)) == 255).all()
    assert (imagined == 0).mean() > 0.2  # pixels that do not matter are paper


def test_imagining_leaves_the_network_as_it_was(blink: Model, classic: Model) -> None:
    for model in (blink, classic):
        before = model.fingerprint
        imagined_digits(model.network)
        assert model.fingerprint == before


def test_dropout_takes_no_part_in_imagining() -> None:
    layers = [Downsample(2), Rescale(1 / 1020), Flatten(), Dense(196, 20), ReLU(), Dense(20, 10)]
    plain = Network(layers)
    dropping = Network([*layers[:5], Dropout(0.5), *layers[5:]])
    for network in (plain, dropping):
        network.initialise(np.random.default_rng(1))
    assert np.array_equal(imagined_digits(dropping), imagined_digits(plain))


def test_the_most_ink_is_imagined_where_it_speaks_for_the_digit() -> None:
    network = Network([Rescale(), Flatten(), Dense(784, 10)])
    weight = network.views(network.parameters)[2]["weight"].reshape(10, 28, 28)
    for digit in range(10):
        weight[digit, 2 * digit + 3, 5] = 1
    imagined = imagined_digits(network)
    for digit in range(10):
        assert np.argwhere(imagined[digit] == 255).tolist() == [[2 * digit + 3, 5]]


# First weights


def test_first_weights_have_the_shape_of_what_the_first_units_see(
    blink: Model, classic: Model
) -> None:
    assert first_weights(classic.network).shape == (200, 28, 28)
    units = next(layer.outputs for layer in blink.network.layers if isinstance(layer, Dense))
    assert first_weights(blink.network).shape == (units, 14, 14)


@pytest.mark.parametrize("factor", [None, 2, 4])
def test_a_unit_that_looks_at_one_pixel_shows_that_pixel(factor: int | None) -> None:
    side = 28 // (factor or 1)
    first = [] if factor is None else [Downsample(factor)]
    network = Network([*first, Rescale(1.0), Flatten(), Dense(side**2, 3), ReLU(), Dense(3, 10)])
    position = next(i for i, layer in enumerate(network.layers) if isinstance(layer, Dense))
    network.views(network.parameters)[position]["weight"][1, 2 * side + 5] = 0.5
    pictures = first_weights(network)
    assert np.argwhere(pictures).tolist() == [[1, 2, 5]]
    assert pictures[1, 2, 5] == 0.5
    # The network itself agrees: ink there, and nowhere else, moves the unit.
    seen = np.zeros((28, 28, 1), np.uint8)
    seen[2 * 28 // side, 5 * 28 // side] = 200
    for layer, views in zip(network.layers, network.views(network.parameters), strict=True):
        seen = layer.predict(seen, views, {})
        if isinstance(layer, Dense):
            break
    assert seen.ravel().tolist() == [0, 100, 0]


def test_first_weights_are_a_copy(blink: Model) -> None:
    before = blink.fingerprint
    first_weights(blink.network)[:] = 0
    assert blink.fingerprint == before


@pytest.mark.parametrize(
    "layers",
    [(Flatten(),), (Rescale(), Flatten(), ReLU(), Dense(784, 10))],
    ids=["nothing learns", "not over pixels"],
)
def test_a_network_without_a_dense_layer_over_pixels_has_no_such_pictures(layers: tuple) -> None:
    with pytest.raises(ShapeError, match="expected a dense layer over the pixels of a picture"):
        first_weights(Network(layers))


# Figures of the layers


def test_figures_are_those_of_the_plain_formulas(some: Dataset) -> None:
    """Against the network's own gradient. By hand two units are dead, and one is for half."""
    network = Network((Rescale(1 / 255), Flatten(), Dense(784, 8), ReLU(), Dense(8, 10)))
    network.initialise(np.random.default_rng(1))
    first = network.views(network.parameters)[2]
    first["bias"][:] = 10.0
    first["bias"][[2, 5]] = -1000.0
    sums = first["weight"][0] @ some.images.reshape(len(some), -1).T / 255
    first["bias"][0] = -np.median(sums)
    before = network.parameters.copy()
    figures = layer_figures(network, some.images, some.known_labels, SoftmaxCrossEntropy())
    assert np.array_equal(network.parameters, before)
    assert [(f["layer"], f["name"]) for f in figures] == [(2, "Dense"), (3, "ReLU"), (4, "Dense")]
    assert figures[1]["dead"] == 2 / 8

    gradient = np.zeros_like(before)
    logits, backward = network.forward(some.images.transpose(1, 2, 0), network.contexts())
    _, d_logits = SoftmaxCrossEntropy()(logits, some.known_labels)
    backward(d_logits / len(some), network.views(gradient))
    own, grads = network.views(before), network.views(gradient)
    for found, position in ((figures[0], 2), (figures[2], 4)):
        for name, views in (("weight_norm", own), ("gradient_norm", grads)):
            whole = np.concatenate([array.ravel() for array in views[position].values()])
            # 1e-4: float32 sums on one thread or on several
            assert found[name] == pytest.approx(np.linalg.norm(whole), rel=1e-4)
            assert found[name] > 0


def test_figures_of_broken_weights_are_still_numbers(some: Dataset) -> None:
    network = Network((Rescale(), Flatten(), Dense(784, 10)))
    network.parameters[:] = np.inf
    (figures,) = layer_figures(network, some.images, some.known_labels, SoftmaxCrossEntropy())
    json.dumps(figures, allow_nan=False)
