"""Pooling is what a loop over squares makes of a picture, and PyTorch agrees, ties included."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from inkdigits.errors import ShapeError
from inkdigits.network import (
    AveragePool2d,
    Context,
    Flatten,
    GlobalAveragePool,
    Layer,
    MaxPool2d,
    Network,
)
from inkdigits.network.layers import Array, Shape

EVERY_KIND = [
    *(kind(size) for kind in (MaxPool2d, AveragePool2d) for size in (1, 2, 3)),
    GlobalAveragePool(),
]
SHAPES = [(2, 6, 6), (2, 5, 7), (3, 4), (1, 3, 3), (8, 5)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("layer", EVERY_KIND, ids=str)
@pytest.mark.parametrize("samples", [1, 3])
def test_gradients_are_those_of_the_values(
    check_gradients: Callable[[Layer, Array], None],
    rng: np.random.Generator,
    layer: Layer,
    shape: Shape,
    samples: int,
) -> None:
    check_gradients(layer, rng.normal(size=(*shape, samples)))


def squares(layer: MaxPool2d | AveragePool2d, height: int, width: int) -> Any:
    """For each value of y its place, and the places of the pixels that it is made of, in rows."""
    size = layer.size
    for h, w in itertools.product(range(height // size), range(width // size)):
        yield (
            (h, w),
            [
                (row, column)
                for row in range(size * h, size * h + size)
                for column in range(size * w, size * w + size)
            ],
        )


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("values", ["all different", "ties"])
def test_max_pooling_takes_the_largest_and_of_equals_the_first(
    rng: np.random.Generator, size: int, values: str
) -> None:
    layer = MaxPool2d(size)
    x = rng.normal(size=(2, 7, 8, 3))
    if values == "ties":
        x = np.round(x)
        x[:, :, :, 0] = 0  # a blank picture
    y, backward = layer.forward(x, {}, Context())
    assert y.shape == (*layer.output_shape((2, 7, 8)), 3)
    dy = rng.normal(size=y.shape)
    dx = backward(dy, {})
    expected_dx = np.zeros(x.shape)
    for c, n in itertools.product(range(2), range(3)):
        for (h, w), pixels in squares(layer, 7, 8):
            largest = max(pixels, key=lambda pixel: x[c, *pixel, n])
            assert y[c, h, w, n] == x[c, *largest, n]
            expected_dx[c, *largest, n] += dy[c, h, w, n]
    assert np.array_equal(dx, expected_dx)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_average_pooling_shares_squares_out(rng: np.random.Generator, size: int) -> None:
    """1e-15: up to nine numbers around 1, each divided and added in another order."""
    layer = AveragePool2d(size)
    x = rng.normal(size=(2, 7, 8, 3))
    y, backward = layer.forward(x, {}, Context())
    assert y.shape == (*layer.output_shape((2, 7, 8)), 3)
    dy = rng.normal(size=y.shape)
    expected_y, expected_dx = np.zeros(y.shape), np.zeros(x.shape)
    for c, n in itertools.product(range(2), range(3)):
        for (h, w), pixels in squares(layer, 7, 8):
            for pixel in pixels:
                expected_y[c, h, w, n] += x[c, *pixel, n] / size**2
                expected_dx[c, *pixel, n] += dy[c, h, w, n] / size**2
    np.testing.assert_allclose(y, expected_y, rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(backward(dy, {}), expected_dx, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("shape", [(2, 5, 3), (5, 3)])
def test_global_average_pooling_is_a_mean_over_the_picture(
    rng: np.random.Generator, shape: Shape
) -> None:
    """1e-15: fifteen numbers around 1, added in another order."""
    layer = GlobalAveragePool()
    x = rng.normal(size=(*shape, 4))
    y, backward = layer.forward(x, {}, Context())
    channels = shape[0] if len(shape) == 3 else 1
    assert y.shape == (channels, 4) == (*layer.output_shape(shape), 4)
    dy = rng.normal(size=y.shape)
    dx = backward(dy, {})
    assert dx is not None
    assert dx.shape == x.shape
    pixels, d_pixels = x.reshape(channels, 5, 3, 4), dx.reshape(channels, 5, 3, 4)
    for c, n in itertools.product(range(channels), range(4)):
        total = 0.0
        for row, column in itertools.product(range(5), range(3)):
            total += pixels[c, row, column, n]
            assert d_pixels[c, row, column, n] == dy[c, n] / 15
        assert y[c, n] == pytest.approx(total / 15, rel=1e-15, abs=1e-15)


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("max pool 2", MaxPool2d(2)),
        ("max pool 2, ties", MaxPool2d(2)),
        ("max pool 3", MaxPool2d(3)),
        ("average pool 2", AveragePool2d(2)),
        ("average pool 3", AveragePool2d(3)),
        ("global average pool", GlobalAveragePool()),
    ],
)
def test_pytorch_agrees(check_against_torch: Callable[..., None], name: str, layer: Layer) -> None:
    check_against_torch(name, layer)


@pytest.mark.parametrize("samples", [0, 1, 5])
@pytest.mark.parametrize("shape", [(2, 5, 6), (5, 6)])
@pytest.mark.parametrize("layer", EVERY_KIND, ids=str)
def test_training_and_predicting_give_the_same_values(
    rng: np.random.Generator, layer: Layer, shape: Shape, samples: int
) -> None:
    x = rng.normal(size=(*shape, samples))
    y, backward = layer.forward(x, {}, Context())
    assert y.shape == (*layer.output_shape(shape), samples)
    assert np.array_equal(layer.predict(x, {}, {}), y)
    dx = backward(y, {})
    assert dx is not None
    assert dx.shape == x.shape


@pytest.mark.parametrize("layer", EVERY_KIND, ids=str)
def test_pooling_keeps_the_precision_and_what_it_is_given(
    rng: np.random.Generator, layer: Layer
) -> None:
    x = rng.normal(size=(2, 6, 6, 3)).astype(np.float32)
    y, backward = layer.forward(x, {}, Context())
    dy = rng.normal(size=y.shape).astype(np.float32)
    for array in (x, dy):
        array.flags.writeable = False  # writing into it raises
    layer.predict(x, {}, {})
    first, again = backward(dy, {}), backward(dy, {})
    assert first is not None
    assert again is not None
    assert np.array_equal(first, again)
    assert y.dtype == first.dtype == np.float32


@pytest.mark.parametrize("layer", EVERY_KIND, ids=str)
def test_bytes_get_gradients_that_are_no_bytes(layer: Layer) -> None:
    y, backward = layer.forward(np.full((4, 4, 2), 255, np.uint8), {}, Context())
    dx = backward(np.full(y.shape, 0.5, np.float32), {})
    assert dx is not None
    assert dx.dtype == np.float32
    assert dx.sum() == pytest.approx(0.5 * y.size)
    np.testing.assert_allclose(y, 255, rtol=1e-15)  # a ninth of it nine times is rounded


@pytest.mark.parametrize("shape", [(3, 9), (9, 3), (2, 3, 3)])
def test_a_square_must_fit_both_ways(shape: Shape) -> None:
    with pytest.raises(ShapeError, match="expected pictures of 4 × 4 pixels or more"):
        MaxPool2d(4).output_shape(shape)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        *(
            ([kind(0)], f"layer 0: expected squares of 1 pixel or more, got {kind(0)}: choose a s")
            for kind in (MaxPool2d, AveragePool2d)
        ),
        (
            [MaxPool2d(29)],
            "layer 0: MaxPool2d(size=29) expected pictures of 29 × 29 pixels or more, "
            "got shape (28, 28): choose a smaller square, or pool less before it",
        ),
        (
            [AveragePool2d(4), MaxPool2d(4), AveragePool2d(2)],
            "layer 2: AveragePool2d(size=2) expected pictures of 2 × 2 pixels or more, "
            "got shape (1, 1): choose a smaller square, or pool less before it",
        ),
        *(
            (
                [Flatten(), layer],
                f"layer 1: {layer} expected pictures (channels, height, width) or (height, width), "
                "got shape (784,): put it before the layer that makes columns, such as Flatten()",
            )
            for layer in (MaxPool2d(), AveragePool2d(), GlobalAveragePool())
        ),
    ],
)
def test_layers_that_do_not_fit_are_refused_with_their_position(
    layers: list[Any], message: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        Network(layers)
    assert str(caught.value).startswith(message)
