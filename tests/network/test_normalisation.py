"""Batch norm is the formulas of its paper, its gradient is theirs, and PyTorch agrees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from inkdigits.errors import ShapeError
from inkdigits.network import BatchNorm, Context, Conv2d, Dense, Flatten, Layer, Network
from inkdigits.network.layers import Array, Shape


def watched(layer: BatchNorm, kind: Any = float) -> Context:
    """A context whose statistics stay NaN where they are not written."""
    return Context(
        statistics={
            name: np.full(shape, np.nan, kind) for name, shape in layer.state_shapes.items()
        }
    )


def started(layer: BatchNorm) -> tuple[dict[str, Array], dict[str, Array]]:
    """Parameters and state as a network sets them up."""
    parameters, state = (
        {name: np.full(shape, layer.initial_values.get(name, 0.0)) for name, shape in own.items()}
        for own in (layer.shapes, layer.state_shapes)
    )
    return parameters, state


@pytest.mark.parametrize(
    "layer", [BatchNorm(3), BatchNorm(3, scale=False), BatchNorm(3, epsilon=0.5)], ids=str
)
@pytest.mark.parametrize("shape", [(3, 2), (3, 7), (3, 4, 2, 1), (3, 2, 3, 4)], ids=str)
def test_gradients_are_those_of_the_values(
    check_gradients: Callable[[Layer, Array], None],
    rng: np.random.Generator,
    layer: BatchNorm,
    shape: Shape,
) -> None:
    check_gradients(layer, rng.normal(3.0, 2.0, size=shape))


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("shape", [(3, 7), (3, 2, 3, 4)], ids=str)
def test_batch_norm_is_the_algorithm_of_the_paper(
    rng: np.random.Generator, shape: Shape, scale: bool
) -> None:
    """Ioffe and Szegedy 2015, algorithm 1 and the chain rule of section 3, with their letters.

    1e-12: sums of 24 numbers around 3, and what they lose in differences.
    """
    layer = BatchNorm(3, scale=scale, epsilon=0.01)
    x = rng.normal(3.0, 2.0, size=shape)
    parameters = {name: rng.normal(size=3) for name in layer.shapes}
    context = watched(layer)
    y, backward = layer.forward(x, parameters, context)
    dy = rng.normal(size=shape)
    gradients = {name: np.full(3, np.nan) for name in layer.shapes}
    dx = backward(dy, gradients)
    assert dx is not None
    assert y.shape == dx.shape == shape
    rows, d_rows = x.reshape(3, -1), dy.reshape(3, -1)
    m = rows.shape[1]
    for f in range(3):
        gamma = parameters["scale"][f] if scale else 1.0
        mu = sum(rows[f]) / m
        variance = sum((value - mu) ** 2 for value in rows[f]) / m
        root = np.sqrt(variance + 0.01)
        normal = [(value - mu) / root for value in rows[f]]
        expected_y = [gamma * value + parameters["shift"][f] for value in normal]
        d_normal = [value * gamma for value in d_rows[f]]
        d_variance = sum(
            d * (value - mu) * -0.5 * root**-3 for d, value in zip(d_normal, rows[f], strict=True)
        )
        d_mu = sum(-d / root for d in d_normal)
        d_mu += d_variance * sum(-2 * (value - mu) for value in rows[f]) / m
        expected_dx = [
            d / root + d_variance * 2 * (value - mu) / m + d_mu / m
            for d, value in zip(d_normal, rows[f], strict=True)
        ]
        d_gamma = sum(d * value for d, value in zip(d_rows[f], normal, strict=True))
        close = {"rtol": 1e-12, "atol": 1e-12}
        np.testing.assert_allclose(y.reshape(3, -1)[f], expected_y, **close)
        np.testing.assert_allclose(dx.reshape(3, -1)[f], expected_dx, **close)
        np.testing.assert_allclose(gradients["shift"][f], sum(d_rows[f]), **close)
        if scale:
            np.testing.assert_allclose(gradients["scale"][f], d_gamma, **close)
        np.testing.assert_allclose(context.statistics["mean"][f], mu, **close)
        unbiased = variance * m / (m - 1)
        np.testing.assert_allclose(context.statistics["variance"][f], unbiased, **close)


@pytest.mark.parametrize("kind", ["columns", "pictures"])
def test_pytorch_agrees(
    check_against_torch: Callable[..., None], golden: dict[str, Any], kind: str
) -> None:
    """On the running statistics too, after one step from 0 and 1 with a momentum of 0.1."""
    layer = BatchNorm(3)
    context = watched(layer)
    check_against_torch(f"batch norm of {kind}", layer, context)
    _, state = started(layer)
    for name, statistic in context.statistics.items():
        state[name] += 0.1 * (statistic - state[name])
        expected = golden["layers"][f"batch norm of {kind}"]["state"][name]
        np.testing.assert_allclose(state[name], expected, rtol=1e-13)


@pytest.mark.parametrize("shape", [(3, 50), (3, 4, 5, 6)], ids=str)
def test_in_training_every_feature_has_mean_0_and_spread_1(
    rng: np.random.Generator, shape: Shape
) -> None:
    """But for epsilon, which is small beside a variance of 4; 1e-14: rounding of the sums."""
    layer = BatchNorm(3)
    y, _ = layer.forward(rng.normal(-5.0, 2.0, size=shape), started(layer)[0], watched(layer))
    rows = y.reshape(3, -1)
    np.testing.assert_allclose(rows.mean(axis=1), 0, atol=1e-14)
    np.testing.assert_allclose(rows.std(axis=1), 1, rtol=1e-5)


def test_dx_has_no_part_that_moves_or_stretches_a_feature(rng: np.random.Generator) -> None:
    """Neither changes y, but for epsilon; 1e-13: sums of 30 numbers around 1."""
    layer = BatchNorm(4, epsilon=1e-300)
    x = rng.normal(size=(4, 30))
    parameters = {"scale": rng.normal(size=4), "shift": rng.normal(size=4)}
    y, backward = layer.forward(x, parameters, watched(layer))
    dx = backward(rng.normal(size=x.shape), {"scale": np.empty(4), "shift": np.empty(4)})
    assert dx is not None
    np.testing.assert_allclose(dx.sum(axis=1), 0, atol=1e-13)
    np.testing.assert_allclose((dx * x).sum(axis=1), 0, atol=1e-13)
    other, _ = layer.forward(3 * x + 7, parameters, watched(layer))
    np.testing.assert_allclose(other, y, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("shape", [(3, 7), (3, 2, 3, 4)], ids=str)
def test_predicting_with_the_statistics_of_the_chunk_is_training(
    rng: np.random.Generator, shape: Shape, scale: bool
) -> None:
    """With its own variance, that is, not the larger one it takes all samples to have."""
    layer = BatchNorm(3, scale=scale)
    x = rng.normal(3.0, 2.0, size=shape)
    parameters = {name: rng.normal(size=3) for name in layer.shapes}
    y, _ = layer.forward(x, parameters, watched(layer))
    rows = x.reshape(3, -1)
    state = {"mean": rows.mean(axis=1), "variance": rows.var(axis=1)}
    np.testing.assert_allclose(layer.predict(x, parameters, state), y, rtol=1e-12, atol=1e-12)


def test_predicting_before_any_training_changes_next_to_nothing(rng: np.random.Generator) -> None:
    layer = BatchNorm(3)
    x = rng.normal(size=(3, 5))
    np.testing.assert_allclose(layer.predict(x, *started(layer)), x / np.sqrt(1 + 1e-5), rtol=1e-15)


@pytest.mark.parametrize("samples", [0, 1, 4])
def test_each_column_is_predicted_by_itself(rng: np.random.Generator, samples: int) -> None:
    layer = BatchNorm(3)
    parameters = {"scale": rng.normal(size=3), "shift": rng.normal(size=3)}
    state = {"mean": rng.normal(size=3), "variance": rng.uniform(0.5, 2, size=3)}
    for shape in ((3, 4), (3, 2, 2, 4)):
        x = rng.normal(size=shape)
        y = layer.predict(x, parameters, state)
        some = layer.predict(x[..., :samples], parameters, state)
        assert some.shape == (*shape[:-1], samples)
        assert np.array_equal(some, y[..., :samples])


@pytest.mark.parametrize("shape", [(2, 5), (2, 3, 3, 4), (2, 1)], ids=str)
def test_a_feature_that_never_changes_becomes_its_shift(shape: Shape) -> None:
    """Epsilon keeps the division finite; a chunk of one column is nothing else."""
    layer = BatchNorm(2)
    parameters = {"scale": np.array([2.0, 3.0]), "shift": np.array([-1.0, 5.0])}
    gradients = {"scale": np.full(2, np.nan), "shift": np.full(2, np.nan)}
    context = watched(layer)
    y, backward = layer.forward(np.full(shape, 7.0), parameters, context)
    dx = backward(np.ones(shape), gradients)
    assert np.array_equal(y[0], np.full(shape[1:], -1.0))
    assert np.array_equal(y[1], np.full(shape[1:], 5.0))
    np.testing.assert_allclose(dx, 0, atol=1e-12)
    assert gradients["scale"].tolist() == [0, 0]
    assert context.statistics["mean"].tolist() == [7, 7]
    assert context.statistics["variance"].tolist() == [0, 0]


def test_batch_norm_spares_itself_what_nobody_wants(rng: np.random.Generator) -> None:
    layer = BatchNorm(3)
    parameters, _ = started(layer)
    context = watched(layer)
    context.wants_dx = False
    gradients = {name: np.full(3, np.nan) for name in layer.shapes}
    _, backward = layer.forward(rng.normal(size=(3, 5)), parameters, context)
    assert backward(rng.normal(size=(3, 5)), gradients) is None
    assert np.isfinite([*gradients.values()]).all()


@pytest.mark.parametrize("scale", [True, False])
def test_batch_norm_writes_only_into_its_gradients_and_statistics(
    rng: np.random.Generator, scale: bool
) -> None:
    layer = BatchNorm(3, scale=scale)
    parameters, state = started(layer)
    x, dy = rng.normal(size=(2, 3, 2, 3, 4))
    y, backward = layer.forward(x, parameters, watched(layer))
    for array in (x, y, dy, *parameters.values(), *state.values()):
        array.flags.writeable = False  # writing into it raises
    layer.predict(x, parameters, state)
    gradients = [{name: np.empty(3) for name in layer.shapes} for _ in range(2)]
    first, again = (backward(dy, own) for own in gradients)
    assert np.array_equal(first, again)
    for name in layer.shapes:
        assert np.array_equal(gradients[0][name], gradients[1][name])


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("given", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("scale", [True, False])
def test_batch_norm_computes_in_the_type_of_its_parameters(
    rng: np.random.Generator, kind: str, given: str, scale: bool
) -> None:
    """Of bytes too, whose sums are no bytes; 1e-5: float32 in sums of 40 of them."""
    layer = BatchNorm(3, scale=scale)
    parameters, state = (
        {name: array.astype(kind) for name, array in own.items()} for own in started(layer)
    )
    x = rng.integers(256, size=(3, 40)).astype(given)
    context = watched(layer, kind)
    y, backward = layer.forward(x, parameters, context)
    dx = backward(np.ones_like(y), {name: np.empty(3, kind) for name in layer.shapes})
    assert dx is not None
    assert y.dtype == dx.dtype == layer.predict(y, parameters, state).dtype == kind
    expected = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    np.testing.assert_allclose(y, expected, atol=1e-5)
    np.testing.assert_allclose(context.statistics["mean"], x.mean(axis=1), rtol=1e-5)


def test_scale_and_shift_are_no_weights_that_decay() -> None:
    network = Network([Flatten(), Dense(4, 3), BatchNorm(3)], input_shape=(2, 2))
    assert network.decay_mask().tolist() == [True] * 12 + [False] * 9
    assert network.parameters[15:].tolist() == [0] * 6
    network.initialise(np.random.default_rng(1))
    assert network.parameters[15:].tolist() == [1, 1, 1, 0, 0, 0]
    assert network.state.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [Flatten(), BatchNorm(10)],
            "layer 1: BatchNorm(features=10, scale=True, epsilon=1e-05) expected columns (10,) or "
            "pictures (10, height, width), got shape (784,): make it BatchNorm(784, …)",
        ),
        (
            [Conv2d(1, 6, 3), BatchNorm(1)],
            "layer 1: BatchNorm(features=1, scale=True, epsilon=1e-05) expected columns (1,) or "
            "pictures (1, height, width), got shape (6, 26, 26): make it BatchNorm(6, …)",
        ),
        *(
            (
                [BatchNorm(features)],
                f"layer 0: BatchNorm(features={features}, scale=True, epsilon=1e-05) expected "
                f"columns ({features},) or pictures ({features}, height, width), "
                "got shape (28, 28): put it after Conv2d",
            )
            for features in (1, 28)
        ),
        *(
            (
                [Flatten(), BatchNorm(784, epsilon=epsilon)],
                f"layer 1: expected an epsilon of more than 0, got {epsilon}: try 1e-5",
            )
            for epsilon in (0.0, -1e-5, float("nan"), float("inf"))
        ),
    ],
)
def test_layers_that_do_not_fit_are_refused_with_their_position(
    layers: list[Any], message: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        Network(layers)
    assert str(caught.value).startswith(message)
