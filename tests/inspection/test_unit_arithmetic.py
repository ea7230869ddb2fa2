"""Every number shown is the one that the layer gave, and follows from the numbers shown with it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import inkdigits.network
from inkdigits.errors import DataError, ShapeError
from inkdigits.inspection import Arithmetic, activations, unit_arithmetic
from inkdigits.network import Conv2d, Flatten, MeanOfCopies, Network, Rescale
from inkdigits.network.layers import Stateless

KINDS = ["copies", "pools", "one channel", "shortcuts"]
Maker = Callable[..., Network]
Pixels = NDArray[np.uint8]
Place = tuple[int, int, int | None, int | None]  # layer, unit, row, column


def places(network: Network, glyph: Pixels) -> Iterator[tuple[Place, float, NDArray[Any]]]:
    """Places in all layers, corners among them, with the layer's value there and what goes in."""
    chance = np.random.default_rng(3)
    x: NDArray[Any] = glyph
    for each in activations(network, glyph):
        shape = each.values.shape
        corners = itertools.product(*({0, side - 1} for side in shape))
        inner = (tuple(int(chance.integers(side)) for side in shape) for _ in range(4))
        for index in itertools.chain(corners, inner):
            unit, row, column = {1: (*index, None, None), 2: (0, *index), 3: index}[len(index)]
            yield (each.position, unit, row, column), float(each.values[index]), x
        x = each.values


def applied(about: Arithmetic) -> float:
    """The formula, read as it stands, on the numbers that came with it."""
    x, named = about.patch, about.numbers
    first, *_ = x.flat
    mean, variance, epsilon = (named.get(name, 0.0) for name in ("mean", "variance", "ε"))
    spread = math.sqrt(variance + epsilon)
    if about.formula.startswith("y = Σ x·w"):
        assert about.weights is not None
        total = math.fsum(a * b for a, b in zip(x.flat, about.weights.flat, strict=True))
        return total + about.bias if about.formula.endswith("+ b") else total
    if about.formula.startswith("y = Σ x / "):
        return math.fsum(x.flat) / int(about.formula.removeprefix("y = Σ x / "))
    return {
        "y = Σ x": lambda: math.fsum(x.flat),
        "y = max x": lambda: max(x.flat),
        "y = x": lambda: first,
        "y = max(x, 0)": lambda: max(first, 0.0),
        "y = x where x > 0, else slope · x": lambda: first if first > 0 else first * named["slope"],
        "y = 1 / (1 + e⁻ˣ)": lambda: 1 / (1 + math.exp(-first)),
        "y = tanh x": lambda: math.tanh(first),
        "y = scale · x + offset": lambda: named["scale"] * first + named["offset"],
        "y = (x − mean) / √(variance + ε) + shift": lambda: (
            (first - mean) / spread + named["shift"]
        ),
        "y = scale · (x − mean) / √(variance + ε) + shift": lambda: (
            named["scale"] * (first - mean) / spread + named["shift"]
        ),
    }[about.formula]()


def size_of(about: Arithmetic) -> float:
    """What rounding is to be measured against: the sum of all that is added up."""
    factors = 1.0 if about.weights is None else np.abs(about.weights)
    numbers = [abs(number) for number in about.numbers.values()]
    return float((np.abs(about.patch) * factors).sum()) + abs(about.bias) + sum(numbers)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dtype", "rounding"), [("float32", 2e-6), ("float64", 1e-14)])
def test_what_is_shown_is_what_the_layer_gave(
    make: Maker, glyph: Pixels, kind: str, dtype: str, rounding: float
) -> None:
    network = make(kind, dtype)
    for place, value, _ in places(network, glyph):
        about = unit_arithmetic(network, glyph, *place)
        assert about.kind == type(network.layers[place[0]]).__name__
        assert about.value == value
        assert about.sum == pytest.approx(value, abs=rounding * size_of(about)), (place, about)
        assert applied(about) == pytest.approx(about.sum, abs=1e-14 * size_of(about)), about


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kernel", [1, 2, 5])
def test_a_convolutions_sum_is_its_own_with_every_stride_and_padding(
    glyph: Pixels, stride: int, padding: str, kernel: int
) -> None:
    first = Conv2d(1, 2, kernel, stride=stride, padding=padding)
    second = Conv2d(2, 3, kernel, stride=stride, padding=padding, bias=False)
    layers = [Rescale(dtype="float64"), first, second]
    shape = second.output_shape(first.output_shape((28, 28)))
    network = Network([*layers, Flatten()], dtype="float64")
    network.parameters[:] = np.random.default_rng(1).normal(size=network.parameters.shape)
    assert math.prod(shape) == network.answers
    for place, value, x in places(network, glyph):
        about = unit_arithmetic(network, glyph, *place)
        assert about.sum == pytest.approx(value, abs=1e-14 * size_of(about))
        check_patch(about, x)


def check_patch(about: Arithmetic, x: NDArray[Any]) -> None:
    """Cell by cell: the patch lies in x where its origin says; beyond the edge there are zeros."""
    patch = about.patch.reshape(about.patch.shape[-len(about.origin) :])
    if patch.ndim < x.ndim:
        patch = patch.reshape((1,) * (x.ndim - patch.ndim) + patch.shape)
    for offset in np.ndindex(patch.shape):
        at = tuple(start + step for start, step in zip(about.origin, offset, strict=True))
        inside = all(0 <= place < side for place, side in zip(at, x.shape, strict=True))
        assert patch[offset] == (x[at] if inside else 0.0)
        assert inside or about.kind == "Conv2d"


@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_in_lies_where_the_origin_says(make: Maker, glyph: Pixels, kind: str) -> None:
    network = make(kind)
    for place, _, x in places(network, glyph):
        about = unit_arithmetic(network, glyph, *place)
        if not isinstance(network.layers[place[0]], MeanOfCopies):
            check_patch(about, x)


def test_every_kind_of_layer_is_among_these(make: Maker) -> None:
    public = [getattr(inkdigits.network, name) for name in inkdigits.network.__all__]
    every = {
        kind for kind in public if isinstance(kind, type) and hasattr(kind, "output_shape")
    } - {inkdigits.network.Layer}
    assert len(every) > 12
    assert {type(layer) for kind in KINDS for layer in make(kind).layers} == every


def test_the_mean_of_copies_shows_the_answer_to_each_copy_the_unshifted_first(
    make: Maker, glyph: Pixels
) -> None:
    network = make("copies")
    about = unit_arithmetic(network, glyph, len(network.layers) - 1, 3)
    plain = Network(network.layers[1:-1])
    plain.parameters[:], plain.state[:] = network.parameters, network.state
    for copy, (down, right) in enumerate([(0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)]):
        framed = np.pad(glyph, 1)[1 - down : 29 - down, 1 - right : 29 - right]
        logit = plain.predict(framed[..., np.newaxis])[3, 0]
        assert about.patch[copy] == pytest.approx(logit, rel=1e-4)


def test_max_pooling_says_which_value_it_chose_of_equals_the_first(
    make: Maker, glyph: Pixels
) -> None:
    tied = glyph.copy()
    tied[3:6, 6:9] = [[1, 9, 3], [9, 2, 9], [4, 5, 6]]
    about = unit_arithmetic(make("pools"), tied, 1, 0, 1, 2)
    assert about.chosen == 1
    assert about.origin == (3, 6)
    assert about.value == pytest.approx(9 * 0.0125 - 0.4)


def test_a_patch_over_the_edge_says_so(make: Maker, glyph: Pixels) -> None:
    network = make("copies")
    assert "zeros" in unit_arithmetic(network, glyph, 3, 0, 0, 5).note
    assert "zeros" in unit_arithmetic(network, glyph, 3, 0, 5, 13).note
    assert "zeros" not in unit_arithmetic(network, glyph, 3, 0, 5, 5).note


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ((9, 0, None, None), "expected a layer from 0 to 5, got 9"),
        ((3, 5, 0, 0), "expected a unit from 0 to 4, got 5"),
        ((3, 0, None, 1), "expected a row from 0 to 0 and a column from 0 to 0, got row None"),
        ((1, 0, 9, 0), "expected a row from 0 to 8, got 9: layer 1 gives pictures of 9 × 9"),
        ((1, 0, 0, -1), "expected a column from 0 to 8, got -1"),
        ((5, 0, 0, None), "expected no row and column in layer 5, Dense"),
    ],
)
def test_a_place_that_is_not_there_is_refused(
    make: Maker, glyph: Pixels, place: Place, message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        unit_arithmetic(make("pools"), glyph, *place)


def test_what_is_no_glyph_is_refused_here_too(make: Maker) -> None:
    with pytest.raises(DataError, match="expected a glyph"):
        unit_arithmetic(make("pools"), np.zeros((5, 5), np.uint8), 0, 0, 0, 0)


def test_a_layer_of_another_kind_is_refused_by_name(glyph: Pixels) -> None:
    class Doubling(Stateless):
        def __str__(self) -> str:
            return "Doubling()"

        def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
            return shape

        def predict(self, x: Any, parameters: Any, state: Any) -> Any:
            return 2 * x

    network = Network([Doubling(), Flatten()])  # type: ignore[list-item]
    with pytest.raises(ShapeError, match=r"expected a layer of a known kind, got Doubling\(\)"):
        unit_arithmetic(network, glyph, 0, 0, 1, 1)
