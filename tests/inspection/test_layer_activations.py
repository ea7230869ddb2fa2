"""Activations are what each layer itself gives, under the name of the code that gives it."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigits.errors import DataError, ShapeError
from inkdigits.inspection import activations
from inkdigits.inspection.activations import checked_unit
from inkdigits.model import Model
from inkdigits.network import Dense, Flatten, MeanOfCopies, Network, ShiftedCopies

KINDS = ["copies", "pools", "one channel", "shortcuts"]
Maker = Callable[..., Network]
Pixels = NDArray[np.uint8]


@pytest.mark.parametrize("kind", KINDS)
def test_each_layer_has_its_shape_and_the_last_is_the_answer(
    make: Maker, glyph: Pixels, kind: str
) -> None:
    network = make(kind)
    found = activations(network, glyph)
    assert [each.position for each in found] == list(range(len(network.layers)))
    shape = network.input_shape
    for layer, each in zip(network.layers, found, strict=True):
        shape = layer.output_shape(shape)
        assert each.values.shape == shape
        assert each.kind == type(layer).__name__
    logits = network.predict(glyph[..., np.newaxis])[:, 0]
    # Shortcuts add up in another order: float32, and Winograd's 3e-6 of the largest.
    assert found[-1].values == pytest.approx(
        logits, rel=1e-4, abs=1e-5 * float(np.abs(logits).max())
    )


def test_each_is_what_its_layer_makes_of_the_one_before(make: Maker, glyph: Pixels) -> None:
    network = make("pools")
    x = glyph[..., np.newaxis]
    own = network.views(network.parameters)
    for layer, views, each in zip(network.layers, own, activations(network, glyph), strict=True):
        x = layer.predict(x, views, {})
        assert np.array_equal(each.values, x[..., 0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_named_is_there_and_computes_the_layer(
    make: Maker, glyph: Pixels, kind: str
) -> None:
    network = make(kind)
    for layer, each in zip(network.layers, activations(network, glyph), strict=True):
        path, _, name = each.code.partition(": ")
        module = importlib.import_module("inkdigits." + path.removesuffix(".py").replace("/", "."))
        owner, method = name.split(".")
        assert getattr(getattr(module, owner), method) is type(layer).predict


def test_code_is_named_as_people_find_it(blink: Model, glyph: Pixels) -> None:
    found = activations(blink.network, glyph)
    assert found[-1].code == "network/layers.py: Dense.predict"
    assert found[-2].code == "network/activations.py: ReLU.predict"


def test_of_shifted_copies_the_one_that_is_not_shifted_is_shown(make: Maker, glyph: Pixels) -> None:
    network = make("copies")
    plain = Network(
        [la for la in network.layers if not isinstance(la, ShiftedCopies | MeanOfCopies)]
    )
    plain.parameters[:], plain.state[:] = network.parameters, network.state
    shown, expected = activations(network, glyph), activations(plain, glyph)
    assert np.array_equal(shown[0].values, glyph)
    for one, other in zip(shown[1:-1], expected, strict=True):
        # One column or five: BLAS may add up in another order.
        assert one.values == pytest.approx(other.values, rel=1e-4, abs=1e-5)
    # The last is the mean over all, so it is another answer.
    assert not np.allclose(shown[-1].values, shown[-2].values, atol=1e-3)


def test_what_is_shown_is_a_copy(glyph: Pixels) -> None:
    network = Network([Flatten(), Dense(784, 10)])
    before = glyph.copy()
    activations(network, glyph)[0].values[:] = 7
    assert np.array_equal(glyph, before)


@pytest.mark.parametrize(
    "wrong", [np.zeros((28, 27), np.uint8), np.zeros((28, 28)), np.zeros((1, 28, 28), np.uint8)]
)
def test_what_is_no_glyph_is_refused(make: Maker, wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(DataError, match=r"expected a glyph of shape \(28, 28\), uint8, got"):
        activations(make("pools"), wrong)


def test_weights_beyond_all_bounds_show_what_became_of_them(glyph: Pixels) -> None:
    network = Network([Flatten(), Dense(784, 10)])
    network.parameters[:] = 3e38
    assert np.isinf(activations(network, glyph)[1].values).all()


@pytest.mark.parametrize(
    ("layer", "unit", "message"),
    [
        (-1, 0, "expected a layer from 0 to 5, got -1"),
        (6, 0, "expected a layer from 0 to 5, got 6"),
        (3, 5, "expected a unit from 0 to 4, got 5: layer 3, Conv2d"),
        (3, -1, "expected a unit from 0 to 4, got -1"),
        (1, 1, "expected a unit of 0, got 1: layer 1, MaxPool2d"),
        (5, 10, "expected a unit from 0 to 9, got 10"),
    ],
)
def test_a_layer_or_unit_that_is_not_there_is_refused(
    make: Maker, layer: int, unit: int, message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        checked_unit(make("pools"), layer, unit)
