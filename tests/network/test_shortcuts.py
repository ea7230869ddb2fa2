"""Shortcuts give what the plain layers give, forwards and backwards, on any picture."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from inkdigits.network import (
    BatchNorm,
    Context,
    Conv2d,
    Dense,
    Flatten,
    Layer,
    MaxPool2d,
    Network,
    ReLU,
    Rescale,
)
from inkdigits.network.layers import Array, Shape, Views
from inkdigits.network.shortcuts import PooledConv2d, Step, with_shortcuts
from inkdigits.network.winograd import A, B, G, WinogradConv2d

POOLED = [
    PooledConv2d(Conv2d(1, 3, kernel, padding=padding, bias=bias), MaxPool2d(size))
    for kernel, padding, bias, size in itertools.product(
        (1, 2, 3, 5), ("valid", "same"), (True, False), (1, 2, 3)
    )
]
WINOGRAD = [
    WinogradConv2d(Conv2d(2, 3, 3, padding=padding, bias=bias))
    for padding, bias in itertools.product(("valid", "same"), (True, False))
] + [WinogradConv2d(Conv2d(2, 2, 3))]  # where pixels and outputs have the same shape


def drawn(rng: np.random.Generator, layer: Layer, kind: Any = float) -> dict[str, Array]:
    return {name: rng.normal(size=shape).astype(kind) for name, shape in layer.shapes.items()}


def unwritten(layer: Layer, kind: Any = float) -> dict[str, Array]:
    """Gradients that stay NaN where they are not overwritten."""
    return {name: np.full(shape, np.nan, kind) for name, shape in layer.shapes.items()}


def there_and_back(
    steps: list[Step], x: Array, parameters: Views, gradients: Views, dy: Array, context: Context
) -> tuple[Array, Array | None]:
    """y and dx of steps in a row; the first has the parameters and the context."""
    backwards = []
    for position, step in enumerate(steps):
        x, backward = step.forward(x, parameters, context if position == 0 else Context())
        backwards.append(backward)
    y, dx = x.copy(), dy
    for backward in reversed(backwards):
        found = backward(dx, gradients)
        if found is None:
            return y, None
        dx = found
    return y, dx


def both_ways(
    shortcut: PooledConv2d | WinogradConv2d, x: Array, parameters: Views, dy: Array
) -> list[tuple[Array, ...]]:
    """y, dx and the gradients of the shortcut, then of the plain layers."""
    convolution = shortcut.convolution
    plain = [convolution, shortcut.pool] if isinstance(shortcut, PooledConv2d) else [convolution]
    found = []
    for steps in ([shortcut], plain):
        gradients = unwritten(convolution, dy.dtype)
        y, dx = there_and_back(steps, x, parameters, gradients, dy, Context())
        assert dx is not None
        found.append((y, dx, *gradients.values()))
    return found


def output(shortcut: PooledConv2d | WinogradConv2d, x: Array) -> Shape:
    shape = shortcut.convolution.output_shape(x.shape[:-1])
    if isinstance(shortcut, PooledConv2d):
        shape = shortcut.pool.output_shape(shape)
    return (*shape, x.shape[-1])


def whole(rng: np.random.Generator, shape: Shape) -> Array:
    """A few small whole numbers: no sum of their products is rounded, and many are equal."""
    return rng.integers(-2, 3, size=shape).astype(float)


@pytest.mark.parametrize("shortcut", [*POOLED[::5], *WINOGRAD], ids=str)
@pytest.mark.parametrize(("height", "width"), [(8, 9), (11, 7)])
def test_gradients_are_those_of_the_values(
    check_gradients: Callable[..., None],
    rng: np.random.Generator,
    shortcut: PooledConv2d | WinogradConv2d,
    height: int,
    width: int,
) -> None:
    convolution = shortcut.convolution
    check_gradients(convolution, rng.normal(size=(convolution.inputs, height, width, 2)), shortcut)


@pytest.mark.parametrize("shortcut", POOLED, ids=str)
@pytest.mark.parametrize("shape", [(8, 8, 3), (7, 10, 1), (1, 9, 7, 2)], ids=str)
def test_a_pooled_convolution_is_a_convolution_and_a_pooling(
    rng: np.random.Generator, shortcut: PooledConv2d, shape: Shape
) -> None:
    """1e-13: the same products of numbers around 1, added among zeros, in another order."""
    x = rng.normal(size=shape)
    dy = rng.normal(size=output(shortcut, x))
    for ours, plain in zip(
        *both_ways(shortcut, x, drawn(rng, shortcut.convolution), dy), strict=True
    ):
        assert ours.shape == plain.shape
        np.testing.assert_allclose(ours, plain, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("shortcut", POOLED, ids=str)
@pytest.mark.parametrize("picture", ["blank", "one pixel", "few greys"])
def test_of_equal_values_the_same_one_wins(
    rng: np.random.Generator, shortcut: PooledConv2d, picture: str
) -> None:
    """To the bit, for in whole numbers equal sums are equal in any order."""
    x = np.zeros((9, 10, 2))
    if picture == "one pixel":
        x[4, 4] = 1
    elif picture == "few greys":
        x = whole(rng, x.shape)
    parameters = {name: whole(rng, shape) for name, shape in shortcut.convolution.shapes.items()}
    dy = whole(rng, output(shortcut, x))
    for ours, plain in zip(*both_ways(shortcut, x, parameters, dy), strict=True):
        assert np.array_equal(ours, plain)


SIDES = [(3, 3), (3, 8), (4, 4), (5, 6), (6, 6), (7, 10), (10, 12), (14, 14)]


@pytest.mark.parametrize("shortcut", WINOGRAD, ids=str)
@pytest.mark.parametrize("samples", [1, 3])
def test_winograds_convolution_is_the_convolution(
    rng: np.random.Generator, shortcut: WinogradConv2d, samples: int
) -> None:
    """On whole tiles and on parts of them. 1e-12: its constants, up to 8, enlarge the rounding."""
    smaller = [(1, 1), (1, 5), (2, 2)] if shortcut.convolution.padding == "same" else []
    for height, width in SIDES + smaller:
        x = rng.normal(size=(2, height, width, samples))
        dy = rng.normal(size=output(shortcut, x))
        for ours, plain in zip(
            *both_ways(shortcut, x, drawn(rng, shortcut.convolution), dy), strict=True
        ):
            assert ours.shape == plain.shape
            np.testing.assert_allclose(ours, plain, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_winograds_convolution_in_float32_errs_by_millionths(
    rng: np.random.Generator, padding: str
) -> None:
    """Of the largest value, against float64 on the same numbers: measured 1 to 4, ten times what
    the definition errs by, for the constants enlarge the rounding. 10 leave room for another BLAS.
    """
    layer = Conv2d(32, 16, 3, padding=padding)
    shortcut = WinogradConv2d(layer)
    x = rng.normal(size=(32, 14, 14, 2)).astype(np.float32)
    parameters = drawn(rng, layer, np.float32)
    dy = rng.normal(size=output(shortcut, x)).astype(np.float32)
    ours, _ = both_ways(shortcut, x, parameters, dy)
    _, exact = both_ways(
        shortcut,
        x.astype(float),
        {name: array.astype(float) for name, array in parameters.items()},
        dy.astype(float),
    )
    for name, found, expected in zip(("y", "dx", "weight", "bias"), ours, exact, strict=True):
        assert found.dtype == np.float32
        assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max(), name


def test_winograds_matrices_multiply_polynomials_exactly() -> None:
    """A [(G w) ∘ (B d)] is Σ_k w_k d_{i+k} for all w and d: whole numbers, once G is times 24."""
    g = np.rint(24 * G).astype(int)
    np.testing.assert_allclose(g / 24, G, rtol=1e-15)
    product = np.einsum("it,tk,tl->ikl", A, g, B)  # of output i, weight k and pixel l
    for i, k, pixel in np.ndindex(4, 3, 6):
        assert product[i, k, pixel] == 24 * (pixel == i + k)


EVERY_SHORTCUT = [POOLED[6], POOLED[-2], *WINOGRAD[::2]]


@pytest.mark.parametrize("step", [Conv2d(1, 3, 3), *EVERY_SHORTCUT], ids=str)
def test_who_wants_no_dx_gets_the_same_gradients(rng: np.random.Generator, step: Any) -> None:
    """To the bit, and as often as `backward` is called."""
    convolution = getattr(step, "convolution", step)
    parameters = drawn(rng, convolution)
    x = rng.normal(size=(convolution.inputs, 9, 8, 4))
    dy = rng.normal(size=step.forward(x, parameters, Context())[0].shape)
    found = []
    for wants_dx in (True, False):
        _, backward = step.forward(x, parameters, Context(wants_dx=wants_dx))
        for _ in range(2):
            gradients = unwritten(convolution)
            assert (backward(dy.copy(), gradients) is None) is not wants_dx
            found.append(gradients)
    for gradients in found[1:]:
        for name, gradient in gradients.items():
            assert np.array_equal(gradient, found[0][name])


@pytest.mark.parametrize("step", EVERY_SHORTCUT, ids=str)
@pytest.mark.parametrize("samples", [0, 1, 5])
def test_training_and_predicting_give_the_same_values(
    rng: np.random.Generator, step: PooledConv2d | WinogradConv2d, samples: int
) -> None:
    parameters = drawn(rng, step.convolution)
    x = rng.normal(size=(step.convolution.inputs, 9, 8, samples))
    y, _ = step.forward(x, parameters, Context())
    assert y.shape == output(step, x)
    assert np.array_equal(step.predict(x, parameters, {}), y)


@pytest.mark.parametrize("step", EVERY_SHORTCUT, ids=str)
def test_shortcuts_write_only_into_their_gradients(
    rng: np.random.Generator, step: PooledConv2d | WinogradConv2d
) -> None:
    parameters = drawn(rng, step.convolution)
    x = rng.normal(size=(step.convolution.inputs, 8, 8, 2))
    y, backward = step.forward(x, parameters, Context())
    dy = rng.normal(size=y.shape)
    for array in (x, y, dy, *parameters.values()):
        array.flags.writeable = False  # writing into it raises
    step.predict(x, parameters, {})
    backward(dy, unwritten(step.convolution))


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("given", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("step", EVERY_SHORTCUT, ids=str)
def test_shortcuts_compute_in_the_type_of_their_weights(
    rng: np.random.Generator, step: PooledConv2d | WinogradConv2d, kind: str, given: str
) -> None:
    """Whole numbers that float32 holds; Winograd's thirds do not come out even in it: 1e-5."""
    parameters = {
        name: whole(rng, shape).astype(kind) for name, shape in step.convolution.shapes.items()
    }
    x = rng.integers(256, size=(step.convolution.inputs, 8, 9, 2)).astype(given)
    dy = whole(rng, output(step, x)).astype(kind)
    for ours, plain in zip(*both_ways(step, x, parameters, dy), strict=True):
        assert ours.dtype == plain.dtype == kind
        np.testing.assert_allclose(ours, plain, atol=1e-5 * np.abs(plain).max())


MANY = Conv2d(16, 16, 3, padding="same")


@pytest.mark.parametrize(
    ("layers", "input_shape", "expected"),
    [
        ([Conv2d(1, 6, 5), MaxPool2d()], (28, 28), [(0, PooledConv2d)]),
        ([Conv2d(1, 6, 5), MaxPool2d(3)], (28, 28), [(0, Conv2d), (1, MaxPool2d)]),
        ([Conv2d(1, 6, 2), MaxPool2d()], (28, 28), [(0, Conv2d), (1, MaxPool2d)]),
        ([Conv2d(1, 6, 5), MaxPool2d(), ReLU()], (1, 8, 8), [(0, PooledConv2d), (2, ReLU)]),
        (
            [Conv2d(1, 6, 5), ReLU(), MaxPool2d()],
            (28, 28),
            [(0, Conv2d), (1, ReLU), (2, MaxPool2d)],
        ),
        ([Conv2d(1, 6, 5, stride=2), MaxPool2d()], (28, 28), [(0, Conv2d), (1, MaxPool2d)]),
        ([Conv2d(2, 6, 5), MaxPool2d()], (2, 28, 28), [(0, Conv2d), (1, MaxPool2d)]),
        ([Conv2d(1, 6, 5)], (28, 28), [(0, Conv2d)]),
        ([MANY], (16, 12, 12), [(0, WinogradConv2d)]),
        ([MANY, MaxPool2d()], (16, 12, 12), [(0, WinogradConv2d), (1, MaxPool2d)]),
        ([MANY, MANY], (16, 8, 8), [(0, WinogradConv2d), (1, WinogradConv2d)]),
        ([Conv2d(16, 16, 3)], (16, 10, 10), [(0, WinogradConv2d)]),
        ([Conv2d(15, 16, 3)], (15, 10, 10), [(0, Conv2d)]),
        ([Conv2d(16, 15, 3)], (16, 10, 10), [(0, Conv2d)]),
        ([Conv2d(16, 16, 5)], (16, 12, 12), [(0, Conv2d)]),
        ([Conv2d(16, 16, 3, stride=2)], (16, 10, 10), [(0, Conv2d)]),
        ([MANY], (16, 10, 10), [(0, Conv2d)]),  # 144 places in its tiles for 100
        ([MANY], (16, 11, 11), [(0, WinogradConv2d)]),  # 144 for 121
        ([MANY], (16, 11, 7), [(0, WinogradConv2d)]),  # 96 for 77
        ([MANY], (16, 14, 14), [(0, Conv2d)]),  # 256 for 196
        ([MANY], (16, 5, 8), [(0, Conv2d)]),  # 64 for 40
    ],
)
def test_shortcuts_are_taken_where_they_pay(
    layers: list[Layer], input_shape: Shape, expected: list[tuple[int, type]]
) -> None:
    shapes, shape = [], input_shape
    for layer in layers:
        shape = layer.output_shape(shape)
        shapes.append(shape)
    steps = list(with_shortcuts(layers, shapes))
    assert [(position, type(step)) for position, step in steps] == expected
    for position, step in steps:
        if isinstance(step, PooledConv2d):
            assert [step.convolution, step.pool] == layers[position : position + 2]
        elif isinstance(step, WinogradConv2d):
            assert step.convolution == layers[position]
        else:
            assert step is layers[position]


REAL = [
    Rescale(1 / 255, -0.1, dtype="float64"),
    Conv2d(1, 16, 5),
    MaxPool2d(2),
    BatchNorm(16, scale=False),
    ReLU(),
    Conv2d(16, 17, 3, padding="same", bias=False),
    BatchNorm(17),
    ReLU(),
    MaxPool2d(2),
    Flatten(),
    Dense(17 * 4 * 4, 10),
]


@pytest.mark.parametrize("wants_dx", [False, True])
@pytest.mark.parametrize("first", [0, 1])
def test_a_network_with_shortcuts_gives_what_its_layers_give_one_by_one(
    rng: np.random.Generator, wants_dx: bool, first: int
) -> None:
    """1e-12: float64, sums in another order, through eleven layers. The gradients of 17 · 9 · 16
    weights are sums over 128 places; the largest are around 10.
    """
    network = Network(REAL[first:], input_shape=(20, 20), dtype="float64")
    network.initialise(rng)
    x = rng.integers(256, size=(20, 20, 2), dtype=np.uint8)
    assert {type(step) for _, step in network.steps} > {PooledConv2d, WinogradConv2d}
    statistics, plain_statistics = np.full((2, *network.state.shape), np.nan)
    gradient, plain_gradient = np.full((2, *network.parameters.shape), np.nan)
    logits, backward = network.forward(x, network.contexts(statistics, wants_dx=wants_dx))
    d_logits = rng.normal(size=logits.shape)
    dx = backward(d_logits, network.views(gradient))

    contexts = network.contexts(plain_statistics, wants_dx=True)
    parameters = network.views(network.parameters)
    y, backwards = x, []
    for layer, own, context in zip(network.layers, parameters, contexts, strict=True):
        y, layer_backward = layer.forward(y, own, context)
        backwards.append(layer_backward)
    plain_dx: Any = d_logits
    for layer_backward, own in zip(
        reversed(backwards), reversed(network.views(plain_gradient)), strict=True
    ):
        plain_dx = layer_backward(plain_dx, own)

    close = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(logits, y, **close)
    np.testing.assert_allclose(gradient, plain_gradient, **close)
    np.testing.assert_allclose(statistics, plain_statistics, **close)
    if wants_dx:
        assert dx is not None
        assert dx.shape == x.shape
        np.testing.assert_allclose(dx, plain_dx, **close)
    else:
        assert dx is None

    y = x
    for layer, own, state in zip(
        network.layers, parameters, network.state_views(network.state), strict=True
    ):
        y = layer.predict(y, own, state)
    np.testing.assert_allclose(network.predict(x), y, **close)
    for samples in (0, 1):
        some = network.predict(x[:, :, :samples])
        np.testing.assert_allclose(some, y[:, :samples], **close)
