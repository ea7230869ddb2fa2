"""Copies: what is predicted is the mean over the shifted pictures; training sees none of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from inkdigits.errors import ShapeError
from inkdigits.network import (
    Context,
    Conv2d,
    Dense,
    Flatten,
    Layer,
    MeanOfCopies,
    Network,
    Rescale,
    ShiftedCopies,
)
from inkdigits.network.layers import Array

BESIDE = [(0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)]
CORNERS = [(1, 1), (1, -1), (-1, 1), (-1, -1)]


@pytest.mark.parametrize("layer", [ShiftedCopies(5), MeanOfCopies(9)], ids=str)
def test_gradients_are_those_of_the_values(
    check_gradients: Callable[[Layer, Array], None], rng: np.random.Generator, layer: Layer
) -> None:
    check_gradients(layer, rng.normal(size=(4, 3, 2)))


@pytest.mark.parametrize("layer", [ShiftedCopies(), MeanOfCopies()], ids=str)
def test_training_hands_on_what_it_gets(rng: np.random.Generator, layer: Layer) -> None:
    x, dy = rng.normal(size=(2, 4, 4, 5))
    y, backward = layer.forward(x, {}, Context())
    assert np.array_equal(y, x)
    assert np.array_equal(backward(dy, {}), dy)


@pytest.mark.parametrize(("copies", "moves"), [(5, BESIDE), (9, BESIDE + CORNERS)])
@pytest.mark.parametrize("samples", [0, 1, 3])
def test_the_picture_as_it_is_comes_first_then_moved_by_a_pixel(
    rng: np.random.Generator, copies: int, moves: list[tuple[int, int]], samples: int
) -> None:
    x = rng.integers(1, 256, size=(4, 5, samples), dtype=np.uint8)
    x.flags.writeable = False
    y = ShiftedCopies(copies).predict(x, {}, {})
    assert y.shape == (4, 5, copies * samples)
    assert y.dtype == np.uint8
    assert np.array_equal(y[:, :, :samples], x)
    for (copy, (down, right)), n in itertools.product(enumerate(moves), range(samples)):
        for row, column in itertools.product(range(4), range(5)):
            inside = 0 <= row - down < 4 and 0 <= column - right < 5
            expected = x[row - down, column - right, n] if inside else 0
            assert y[row, column, copy * samples + n] == expected


@pytest.mark.parametrize("copies", [5, 9])
@pytest.mark.parametrize("samples", [0, 1, 3])
def test_the_mean_is_that_of_the_copies_of_one_picture(
    rng: np.random.Generator, copies: int, samples: int
) -> None:
    """1e-15: nine numbers around 1, added in another order."""
    x = rng.normal(size=(10, copies * samples))
    y = MeanOfCopies(copies).predict(x, {}, {})
    assert y.shape == (10, samples)
    for m, n in itertools.product(range(10), range(samples)):
        total = sum(x[m, copy * samples + n] for copy in range(copies))
        assert y[m, n] == pytest.approx(total / copies, rel=1e-15, abs=1e-15)


@pytest.mark.parametrize("copies", [5, 9])
@pytest.mark.parametrize("samples", [0, 1, 4])
def test_a_network_answers_with_the_mean_of_its_answers(
    rng: np.random.Generator, copies: int, samples: int
) -> None:
    """1e-13: the same float64 sums in products of another width."""
    middle: list[Layer] = [Rescale(0.01, -1.0, dtype="float64"), Flatten(), Dense(20, 3)]
    network = Network(
        [ShiftedCopies(copies), *middle, MeanOfCopies(copies)], input_shape=(4, 5), dtype="float64"
    )
    network.initialise(rng)
    plain = Network(middle, input_shape=(4, 5), dtype="float64")
    plain.parameters[:] = network.parameters
    x = rng.integers(256, size=(4, 5, samples), dtype=np.uint8)
    total = np.zeros((3, samples))
    for down, right in (BESIDE + CORNERS)[:copies]:
        wide = np.zeros((6, 7, samples), np.uint8)
        wide[1 + down : 5 + down, 1 + right : 6 + right] = x
        total += plain.predict(wide[1:5, 1:6])
    np.testing.assert_allclose(network.predict(x), total / copies, rtol=1e-13, atol=1e-13)
    logits, _ = network.forward(x, network.contexts())
    assert np.array_equal(logits, plain.predict(x))


DENSE = Dense(784, 10)
PAIR = "expected ShiftedCopies(n) as the first layer and MeanOfCopies(n) as the last, got "


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        *(
            (
                [ShiftedCopies(copies), Flatten(), DENSE, MeanOfCopies(copies)],
                f"layer 0: expected 5 or 9 copies, got ShiftedCopies(copies={copies}): choose one",
            )
            for copies in (0, 1, 7, -5)
        ),
        (
            [Flatten(), ShiftedCopies(), DENSE],
            "layer 1: ShiftedCopies(copies=5) expected pictures (height, width), got shape (784,): "
            "make it the first layer",
        ),
        (
            [Conv2d(1, 6, 3), ShiftedCopies()],
            "layer 1: ShiftedCopies(copies=5) expected pictures (height, width), "
            "got shape (6, 26, 26): make it the first layer",
        ),
        (
            [Rescale(), ShiftedCopies(), Flatten(), DENSE, MeanOfCopies()],
            f"{PAIR}ShiftedCopies(copies=5) as layer 1 and MeanOfCopies(copies=5) as layer 4: "
            "add, move or remove them",
        ),
        (
            [ShiftedCopies(), Flatten(), DENSE],
            f"{PAIR}ShiftedCopies(copies=5) as layer 0: add, move or remove them",
        ),
        (
            [Flatten(), DENSE, MeanOfCopies()],
            f"{PAIR}MeanOfCopies(copies=5) as layer 2: add, move or remove them",
        ),
        (
            [ShiftedCopies(9), Flatten(), DENSE, MeanOfCopies(5)],
            f"{PAIR}ShiftedCopies(copies=9) as layer 0 and MeanOfCopies(copies=5) as layer 3",
        ),
        (
            [ShiftedCopies(), Flatten(), MeanOfCopies(), DENSE],
            f"{PAIR}ShiftedCopies(copies=5) as layer 0 and MeanOfCopies(copies=5) as layer 2",
        ),
        (
            [ShiftedCopies(), ShiftedCopies(), Flatten(), DENSE, MeanOfCopies()],
            f"{PAIR}ShiftedCopies(copies=5) as layer 0 and ShiftedCopies(copies=5) as layer 1 and ",
        ),
        (
            [MeanOfCopies(), Flatten(), DENSE, MeanOfCopies()],
            f"{PAIR}MeanOfCopies(copies=5) as layer 0 and MeanOfCopies(copies=5) as layer 3",
        ),
    ],
)
def test_copies_that_nobody_averages_are_refused(layers: list[Any], message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        Network(layers)
    assert str(caught.value).startswith(message)
