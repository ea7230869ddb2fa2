"""A convolution is its definition in plain loops, forwards and backwards, and PyTorch agrees."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from inkdigits.errors import ShapeError
from inkdigits.network import Context, Conv2d, Dense, Flatten, GlobalAveragePool, Layer, Network
from inkdigits.network.convolution import added_windows, windows
from inkdigits.network.layers import Array, Shape

EVERY_KIND = [
    Conv2d(2, 3, kernel, stride=stride, padding=padding, bias=bias)
    for kernel, stride, padding, bias in itertools.product(
        (1, 2, 3, 5), (1, 2, 3), ("valid", "same"), (True, False)
    )
]


def drawn(rng: np.random.Generator, layer: Layer) -> dict[str, Array]:
    return {name: rng.normal(size=shape) for name, shape in layer.shapes.items()}


def unwritten(layer: Layer) -> dict[str, Array]:
    """Gradients that stay NaN where they are not overwritten."""
    return {name: np.full(shape, np.nan) for name, shape in layer.shapes.items()}


@pytest.mark.parametrize("layer", EVERY_KIND, ids=str)
def test_gradients_are_those_of_the_values(
    check_gradients: Callable[[Layer, Array], None], rng: np.random.Generator, layer: Conv2d
) -> None:
    check_gradients(layer, rng.normal(size=(2, 6, 8, 3)))


@pytest.mark.parametrize("shape", [(7, 5, 3), (1, 7, 5, 3), (5, 7, 1), (5, 5, 2)], ids=str)
@pytest.mark.parametrize(
    "layer",
    [Conv2d(1, 2, 5), Conv2d(1, 1, 3, stride=2), Conv2d(1, 2, 4, padding="same", stride=3)],
    ids=str,
)
def test_one_channel_may_leave_its_axis_out(
    check_gradients: Callable[[Layer, Array], None],
    rng: np.random.Generator,
    layer: Conv2d,
    shape: Shape,
) -> None:
    x = rng.normal(size=shape)
    check_gradients(layer, x)
    y, backward = layer.forward(x, drawn(rng, layer), Context())
    dx = backward(y, unwritten(layer))
    assert dx is not None
    assert dx.shape == x.shape
    assert y.shape == (*layer.output_shape(shape[:-1]), shape[-1])


def zeros_before(layer: Conv2d, side: int) -> int:
    """For "same": half of what the last of H / stride places, rounded up, lacks of pixels."""
    if layer.padding == "valid":
        return 0
    last = layer.stride * (int(np.ceil(side / layer.stride)) - 1)
    return max(0, last + layer.kernel - side) // 2


@pytest.mark.parametrize("layer", EVERY_KIND, ids=str)
def test_a_convolution_is_a_weighted_sum_at_every_place(
    rng: np.random.Generator, layer: Conv2d
) -> None:
    """1e-13: sums of up to 112 products of numbers around 1, in another order."""
    height, width = 5, 7
    x = rng.normal(size=(2, height, width, 2))
    parameters = drawn(rng, layer)
    weight = parameters["weight"]
    y, backward = layer.forward(x, parameters, Context())
    dy = rng.normal(size=y.shape)
    gradients = unwritten(layer)
    dx = backward(dy, gradients)
    up, left = zeros_before(layer, height), zeros_before(layer, width)
    expected = {name: np.zeros(shape) for name, shape in layer.shapes.items()}
    expected_y, expected_dx = np.zeros(y.shape), np.zeros(x.shape)
    for m, h, w, n in np.ndindex(y.shape):
        if layer.bias:
            expected_y[m, h, w, n] += parameters["bias"][m]
            expected["bias"][m] += dy[m, h, w, n]
        for c, i, j in np.ndindex(weight.shape[1:]):
            row, column = h * layer.stride + i - up, w * layer.stride + j - left
            if 0 <= row < height and 0 <= column < width:
                expected_y[m, h, w, n] += weight[m, c, i, j] * x[c, row, column, n]
                expected["weight"][m, c, i, j] += dy[m, h, w, n] * x[c, row, column, n]
                expected_dx[c, row, column, n] += weight[m, c, i, j] * dy[m, h, w, n]
    np.testing.assert_allclose(y, expected_y, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(dx, expected_dx, rtol=1e-13, atol=1e-13)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("conv2d", Conv2d(2, 3, 3)),
        ("conv2d without bias", Conv2d(2, 3, 2, bias=False)),
        ("conv2d, same", Conv2d(2, 3, 3, padding="same")),
        ("conv2d, same, even kernel", Conv2d(2, 3, 2, padding="same")),
        ("conv2d, stride 2", Conv2d(2, 3, 2, stride=2)),
        ("conv2d, same, stride 2", Conv2d(2, 3, 3, stride=2, padding="same")),
    ],
)
def test_pytorch_agrees(check_against_torch: Callable[..., None], name: str, layer: Layer) -> None:
    check_against_torch(name, layer)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5, 7])
def test_same_gives_a_place_for_each_stride(kernel: int, stride: int) -> None:
    """However small the picture, for the zeros around make it large enough."""
    layer = Conv2d(1, 4, kernel, stride=stride, padding="same")
    for height, width in itertools.product(range(1, 8), (1, 6)):
        expected = (4, -(-height // stride), -(-width // stride))
        assert layer.output_shape((height, width)) == expected


def test_a_shifted_picture_gives_shifted_features(rng: np.random.Generator) -> None:
    """1e-14: BLAS may sum the same nine products in another order."""
    layer = Conv2d(1, 2, 3)
    parameters = drawn(rng, layer)
    x = rng.normal(size=(8, 9, 2))
    y = layer.predict(x, parameters, {})
    shifted = layer.predict(x[1:, 2:], parameters, {})
    np.testing.assert_allclose(shifted, y[:, 1:, 2:], rtol=1e-14, atol=1e-14)


def test_windows_are_the_squares_and_adding_them_gives_each_pixel_its_share(
    rng: np.random.Generator,
) -> None:
    x = rng.normal(size=(2, 7, 6, 3))
    for size, stride in [(1, 1), (3, 1), (3, 2), (2, 3), (4, 2)]:
        view = windows(x, size, stride)
        patches = rng.integers(-9, 9, size=view.shape).astype(float)  # so that no order matters
        expected = np.zeros(x.shape)
        for c, i, j, h, w, n in np.ndindex(view.shape):
            assert view[c, i, j, h, w, n] == x[c, h * stride + i, w * stride + j, n]
            expected[c, h * stride + i, w * stride + j, n] += patches[c, i, j, h, w, n]
        assert np.array_equal(added_windows(patches, stride, x), expected)
        assert np.shares_memory(view, x)
        assert not view.flags.writeable


def test_pixels_that_no_place_reaches_get_no_gradient(rng: np.random.Generator) -> None:
    layer = Conv2d(1, 2, 2, stride=3)
    y, backward = layer.forward(rng.normal(size=(7, 6, 2)), drawn(rng, layer), Context())
    assert y.shape == (2, 2, 2, 2)
    dx = backward(np.ones_like(y), unwritten(layer))
    assert dx is not None
    reached = np.zeros((7, 6), bool)
    for row, column in itertools.product((0, 1, 3, 4), (0, 1, 3, 4)):
        reached[row, column] = True
    assert np.array_equal(np.abs(dx).sum(axis=2) > 0, reached)


def test_a_convolution_spares_itself_what_nobody_wants(rng: np.random.Generator) -> None:
    layer = Conv2d(2, 3, 3)
    x, parameters = rng.normal(size=(2, 6, 5, 4)), drawn(rng, layer)
    found = []
    for wants_dx in (False, True):
        gradients = unwritten(layer)
        y, backward = layer.forward(x, parameters, Context(wants_dx=wants_dx))
        assert (backward(y, gradients) is None) is not wants_dx
        found.append(gradients)
    for name in ("weight", "bias"):
        assert np.array_equal(found[0][name], found[1][name])


@pytest.mark.parametrize("samples", [0, 1, 5])
@pytest.mark.parametrize("layer", [EVERY_KIND[0], Conv2d(2, 3, 3, stride=2, padding="same")])
def test_training_and_predicting_give_the_same_values(
    rng: np.random.Generator, layer: Conv2d, samples: int
) -> None:
    x, parameters = rng.normal(size=(2, 5, 6, samples)), drawn(rng, layer)
    y, _ = layer.forward(x, parameters, Context())
    assert y.shape == (*layer.output_shape((2, 5, 6)), samples)
    assert np.array_equal(layer.predict(x, parameters, {}), y)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("given", ["uint8", "float32", "float64"])
def test_a_convolution_computes_in_the_type_of_its_weights(
    rng: np.random.Generator, kind: str, given: str
) -> None:
    """Whole numbers, so that all types hold them."""
    layer = Conv2d(1, 2, 3, padding="same")
    x = rng.integers(256, size=(5, 6, 2)).astype(given)
    weights = {"weight": np.ones((2, 1, 3, 3), kind), "bias": np.ones(2, kind)}
    gradients = {name: np.zeros_like(array) for name, array in weights.items()}
    y, backward = layer.forward(x, weights, Context())
    dx = backward(np.ones_like(y), gradients)
    assert dx is not None
    assert y.dtype == dx.dtype == kind
    assert y[0, 2, 2, 1] == x[1:4, 1:4, 1].sum(dtype=int) + 1
    assert dx[2, 2, 1] == 18
    assert gradients["weight"][0, 0, 1, 1] == x.sum(dtype=int)


def test_a_picture_may_lie_in_memory_in_any_order(rng: np.random.Generator) -> None:
    layer = Conv2d(2, 3, 3)
    parameters = drawn(rng, layer)
    x = rng.normal(size=(4, 2, 6, 5))  # sample by sample, as in a dataset
    moved = np.moveaxis(x, 0, -1)
    expected = layer.predict(np.ascontiguousarray(moved), parameters, {})
    assert np.array_equal(layer.predict(moved, parameters, {}), expected)


def test_a_convolution_writes_only_into_its_gradients(rng: np.random.Generator) -> None:
    for layer in (Conv2d(2, 3, 3), Conv2d(2, 3, 1), Conv2d(2, 3, 3, padding="same")):
        x, parameters = rng.normal(size=(2, 6, 5, 4)), drawn(rng, layer)
        y, backward = layer.forward(x, parameters, Context())
        dy = rng.normal(size=y.shape)
        for array in (x, y, dy, *parameters.values()):
            array.flags.writeable = False  # writing into it raises
        layer.predict(x, parameters, {})
        backward(dy, unwritten(layer))


@pytest.mark.parametrize("shape", [(3, 9), (9, 3), (2, 3, 3)])
def test_a_kernel_must_fit_both_ways(shape: Shape) -> None:
    layer = Conv2d(2 if len(shape) == 3 else 1, 1, 4)
    with pytest.raises(ShapeError, match="expected pictures of 4 × 4 pixels or more"):
        layer.output_shape(shape)


CONV = Conv2d(1, 6, 3)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [CONV, CONV],
            f"layer 1: {CONV} expected pictures (1, height, width), got shape (6, 26, 26): "
            "make it Conv2d(6, …)",
        ),
        (
            [Conv2d(3, 6, 5)],
            "layer 0: Conv2d(inputs=3, outputs=6, kernel=5, stride=1, padding='valid', bias=True) "
            "expected pictures (3, height, width), got shape (28, 28): make it Conv2d(1, …)",
        ),
        (
            [Conv2d(1, 6, 29)],
            "layer 0: Conv2d(inputs=1, outputs=6, kernel=29, stride=1, padding='valid', bias=True) "
            "expected pictures of 29 × 29 pixels or more, got shape (28, 28): make the kernel "
            'smaller, pad to "same", or pool less before it',
        ),
        (
            [Flatten(), CONV],
            f"layer 1: {CONV} expected pictures (channels, height, width) or (height, width), "
            "got shape (784,): put it before the layer that makes columns, such as Flatten()",
        ),
        (
            [GlobalAveragePool(), Conv2d(1, 6, 1)],
            "layer 1: Conv2d(inputs=1, outputs=6, kernel=1, stride=1, padding='valid', bias=True) "
            "expected pictures (channels, height, width) or (height, width), got shape (1,)",
        ),
        *(
            (
                [replace(CONV, **{name: 0})],
                "layer 0: expected channels, kernel and stride of 1 or more, "
                f"got {replace(CONV, **{name: 0})}: give them 1",
            )
            for name in ("inputs", "outputs", "kernel", "stride")
        ),
        (
            [Conv2d(1, 6, 3, padding="full")],
            'layer 0: expected padding "valid" or "same", got \'full\'',
        ),
        (
            [CONV, Dense(784, 10)],
            "layer 1: Dense(inputs=784, outputs=10, bias=True) expected columns of 784 features, "
            "got shape (6, 26, 26): put Flatten() before it",
        ),
        ([CONV], "expected the last layer to give one logit an answer, got shape (6, 26, 26)"),
    ],
)
def test_layers_that_do_not_fit_are_refused_with_their_position(
    layers: list[Any], message: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        Network(layers)
    assert str(caught.value).startswith(message)
