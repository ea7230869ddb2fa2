"""Each layer is its formula, its gradient is the formula's, and PyTorch agrees."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from inkdigits.network import Context, Dense, Downsample, Dropout, Flatten, Layer, Rescale
from inkdigits.network.layers import Array, Shape

DOUBLE = Rescale(0.25, -1.5, dtype="float64")


def seeded(seed: int = 1) -> Context:
    return Context(generator=lambda: np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (Dense(4, 3), (4,)),
        (Dense(4, 3, bias=False), (4,)),
        (Dense(1, 1), (1,)),
        (Flatten(), (2, 3)),
        (Flatten(), (6,)),
        (DOUBLE, (4, 2)),
        (Downsample(2), (4, 6)),
        (Downsample(3), (6, 3)),
        (Dropout(0.3), (4, 3)),
        (Dropout(0.0), (5,)),
    ],
    ids=str,
)
@pytest.mark.parametrize("samples", [1, 5])
def test_gradients_are_those_of_the_values(
    check_gradients: Callable[[Layer, Array], None],
    rng: np.random.Generator,
    layer: Layer,
    shape: Shape,
    samples: int,
) -> None:
    check_gradients(layer, rng.normal(size=(*shape, samples)))


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("dense", Dense(4, 3)),
        ("dense without bias", Dense(4, 3, bias=False)),
        ("flatten", Flatten()),
        ("rescale", DOUBLE),
        ("downsample by 2", Downsample(2)),
        ("downsample by 3", Downsample(3)),
    ],
)
def test_pytorch_agrees(check_against_torch: Callable[..., None], name: str, layer: Layer) -> None:
    check_against_torch(name, layer)


class Chosen:
    """Stands for a generator: 0 where PyTorch kept a value, just below 1 where it silenced it."""

    def __init__(self, kept: Array) -> None:
        self.kept = kept

    def random(self, shape: Shape, dtype: Any) -> Array:
        assert shape == self.kept.shape
        return np.where(self.kept, 0, np.nextafter(1, 0, dtype=dtype))


def test_pytorch_agrees_on_dropout_where_it_silences_the_same_values(
    check_against_torch: Callable[..., None], golden: dict[str, Any]
) -> None:
    kept = np.array(golden["layers"]["dropout"]["y"]) != 0
    assert 0 < kept.sum() < kept.size
    check_against_torch("dropout", Dropout(0.3), Context(generator=lambda: Chosen(kept)))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (Dense(4, 3), (4,)),
        (Dense(4, 3, bias=False), (4,)),
        (Flatten(), (2, 3)),
        (Rescale(0.25, -1.5), (4, 2)),
        (Downsample(2), (4, 6)),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
def test_training_and_predicting_give_the_same_values(
    rng: np.random.Generator, layer: Layer, shape: Shape, kind: str
) -> None:
    x = rng.integers(256, size=(*shape, 5)).astype(kind)
    parameters = {name: rng.normal(size=size) for name, size in layer.shapes.items()}
    y, _ = layer.forward(x, parameters, Context())
    predicted = layer.predict(x, parameters, {})
    assert y.dtype == predicted.dtype
    assert np.array_equal(y, predicted)
    assert y.shape == (*layer.output_shape(shape), 5)


@pytest.mark.parametrize("bias", [True, False])
def test_dense_is_a_weighted_sum(rng: np.random.Generator, bias: bool) -> None:
    """1e-14: sums of four products of numbers around 1, in another order."""
    x = rng.normal(size=(4, 5))
    parameters = {"weight": rng.normal(size=(3, 4)), "bias": rng.normal(size=3)}
    y = Dense(4, 3, bias=bias).predict(x, parameters, {})
    for m, n in itertools.product(range(3), range(5)):
        total = parameters["bias"][m] if bias else 0.0
        for d in range(4):
            total += parameters["weight"][m, d] * x[d, n]
        assert y[m, n] == pytest.approx(total, rel=1e-14, abs=1e-14)


def test_gradients_of_dense_are_sums_over_the_columns(rng: np.random.Generator) -> None:
    """1e-14: sums of five products of numbers around 1, in another order."""
    x, dy, weight = rng.normal(size=(4, 5)), rng.normal(size=(3, 5)), rng.normal(size=(3, 4))
    gradients = {"weight": np.full((3, 4), np.nan), "bias": np.full(3, np.nan)}
    _, backward = Dense(4, 3).forward(x, {"weight": weight, "bias": np.zeros(3)}, Context())
    dx = backward(dy, gradients)
    assert dx is not None
    d_weight, d_bias, expected_dx = np.zeros((3, 4)), np.zeros(3), np.zeros((4, 5))
    for m, n in itertools.product(range(3), range(5)):
        d_bias[m] += dy[m, n]
        for d in range(4):
            d_weight[m, d] += dy[m, n] * x[d, n]
            expected_dx[d, n] += weight[m, d] * dy[m, n]
    np.testing.assert_allclose(gradients["weight"], d_weight, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(gradients["bias"], d_bias, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(dx, expected_dx, rtol=1e-14, atol=1e-14)


def test_dense_spares_itself_what_nobody_wants(rng: np.random.Generator) -> None:
    parameters = {"weight": rng.normal(size=(3, 4)), "bias": np.zeros(3)}
    gradients = {name: np.full_like(value, np.nan) for name, value in parameters.items()}
    context = Context(wants_dx=False)
    _, backward = Dense(4, 3).forward(rng.normal(size=(4, 5)), parameters, context)
    assert backward(rng.normal(size=(3, 5)), gradients) is None
    assert np.isfinite(gradients["weight"]).all()
    assert np.isfinite(gradients["bias"]).all()


def test_flatten_keeps_rows_together_and_samples_apart(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 3, 4))
    y = Flatten().predict(x, {}, {})
    assert y.shape == (6, 4)
    for row, column, n in itertools.product(range(2), range(3), range(4)):
        assert y[3 * row + column, n] == x[row, column, n]


def test_flatten_takes_no_sample_at_all() -> None:
    assert Flatten().predict(np.zeros((2, 3, 0)), {}, {}).shape == (6, 0)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_rescale_is_a_straight_line_through_all_bytes(kind: str) -> None:
    """Rounded once by the product and once by the sum: 2 units in the last place."""
    x = np.arange(256, dtype=np.uint8).reshape(16, 16)
    y = Rescale(0.99 / 255, 0.01, dtype=kind).predict(x, {}, {})
    assert y.dtype == kind
    for row, column in itertools.product(range(16), range(16)):
        expected = 0.99 / 255 * (16 * row + column) + 0.01
        assert y[row, column] == pytest.approx(expected, rel=2 * float(np.finfo(kind).eps))


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("kind", ["uint8", "float64"])
def test_downsample_sums_squares(rng: np.random.Generator, factor: int, kind: str) -> None:
    """Whole numbers, so that no order of summing can differ."""
    x = rng.integers(256, size=(2 * factor, 3 * factor, 4)).astype(kind)
    y = Downsample(factor).predict(x, {}, {})
    assert y.shape == (2, 3, 4)
    for row, column, n in itertools.product(range(2), range(3), range(4)):
        total = 0
        for down, right in itertools.product(range(factor), range(factor)):
            total += int(x[factor * row + down, factor * column + right, n])
        assert y[row, column, n] == total


@pytest.mark.parametrize("factor", [2, 4, 7, 14, 28])
def test_downsample_never_overflows_however_white_the_picture(factor: int) -> None:
    white = np.full((28, 28, 2), 255, np.uint8)
    y = Downsample(factor).predict(white, {}, {})
    assert np.unique(y).tolist() == [255 * factor**2]


def test_downsample_hands_each_pixel_the_gradient_of_its_square(rng: np.random.Generator) -> None:
    dy = rng.normal(size=(2, 3, 4))
    _, backward = Downsample(2).forward(rng.normal(size=(4, 6, 4)), {}, Context())
    dx = backward(dy, {})
    assert dx is not None
    for row, column, n in itertools.product(range(4), range(6), range(4)):
        assert dx[row, column, n] == dy[row // 2, column // 2, n]


@pytest.mark.parametrize("drop_probability", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_expected_value(drop_probability: float) -> None:
    """Within five standard errors of a mean of n: √(p / (1 − p) / n); the seed is fixed."""
    ones = np.ones((200, 500))
    y, _ = Dropout(drop_probability).forward(ones, {}, seeded())
    error = (drop_probability / (1 - drop_probability) / ones.size) ** 0.5
    assert y.mean() == pytest.approx(1, abs=5 * error)
    assert np.unique(y).tolist() == pytest.approx([0, 1 / (1 - drop_probability)])


def test_dropout_silences_on_the_way_back_what_it_silenced_before(rng: np.random.Generator) -> None:
    y, backward = Dropout(0.5).forward(np.ones((20, 30)), {}, seeded())
    dy = rng.normal(size=y.shape)
    assert np.array_equal(backward(dy, {}), dy * y)


def test_dropout_of_one_generator_is_one_mask() -> None:
    ones = np.ones((20, 30))
    first, again, other = (Dropout().forward(ones, {}, seeded(seed))[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_dropout_of_two_layers_on_one_generator_is_two_masks() -> None:
    generator = np.random.default_rng(1)
    context = Context(generator=lambda: generator)
    first, second = (Dropout().forward(np.ones((20, 30)), {}, context)[0] for _ in range(2))
    assert not np.array_equal(first, second)


def test_dropout_predicts_with_every_feature(rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 5))
    assert np.array_equal(Dropout(0.9).predict(x, {}, {}), x)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize(
    "layer", [Dense(3, 3), Flatten(), Dropout(), Downsample(3), Rescale(0.5, 1.0)], ids=str
)
def test_layers_keep_the_precision_they_are_given(layer: Layer, kind: str) -> None:
    if isinstance(layer, Rescale):
        layer = Rescale(layer.scale, layer.offset, dtype=kind)
    x = np.ones((3, 3, 2) if isinstance(layer, Downsample) else (3, 2), kind)
    parameters = {name: np.ones(shape, kind) for name, shape in layer.shapes.items()}
    gradients = {name: np.ones(shape, kind) for name, shape in layer.shapes.items()}
    y, backward = layer.forward(x, parameters, seeded())
    dx = backward(y, gradients)
    assert dx is not None
    assert y.dtype == dx.dtype == kind


@pytest.mark.parametrize(
    "layer", [Dense(3, 3), Flatten(), Dropout(), Downsample(3), DOUBLE], ids=str
)
def test_layers_write_only_into_their_gradients(layer: Layer, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 3, 2) if isinstance(layer, Downsample) else (3, 2))
    parameters = {name: rng.normal(size=shape) for name, shape in layer.shapes.items()}
    gradients = {name: np.zeros(shape) for name, shape in layer.shapes.items()}
    y, backward = layer.forward(x, parameters, seeded())
    dy = rng.normal(size=y.shape)
    given = [x, dy, *parameters.values()]
    for array in given:
        array.flags.writeable = False  # writing into it raises
    layer.predict(x, parameters, {})
    backward(dy, gradients)
    backward(dy, gradients)


def test_a_context_that_foresaw_no_chance_says_so_to_a_layer_that_draws() -> None:
    with pytest.raises(
        RuntimeError, match=r"expected Context\(generator=…\) for a layer that draw"
    ):
        Dropout().forward(np.ones((3, 2)), {}, Context())
