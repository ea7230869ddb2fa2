"""The images that excite a unit are those in which it is highest, and the place is where."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError, ShapeError
from inkdigits.inspection import activations, excitement, exciting
from inkdigits.model import Model
from inkdigits.network import Conv2d, Flatten, Network, Rescale

KINDS = ["copies", "pools", "one channel", "shortcuts"]
Maker = Callable[..., Network]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_unit_is_as_high_as_its_activations_image_by_image(
    make: Maker, some: Dataset, kind: str
) -> None:
    network = make(kind)
    images = some.images[:40]  # three chunks of 16
    shown = [activations(network, image) for image in images]
    for layer in range(len(network.layers)):
        found = excitement(network, images, layer)
        values = np.stack([each[layer].values for each in shown]).astype(np.float64)
        if values.ndim == 3:
            values = values[:, np.newaxis]
        flat = values.reshape(*values.shape[:2], -1)
        # Shortcuts and more columns at once: other orders of the sums, in float32.
        close = {"rel": 1e-4, "abs": 1e-5 * float(np.abs(flat).max())}
        assert found.values == pytest.approx(flat.max(axis=2), **close)
        there = np.take_along_axis(flat, found.places[..., np.newaxis].astype(int), axis=2)
        assert there[..., 0] == pytest.approx(flat.max(axis=2), **close)
        assert found.width == (None if values.ndim == 2 else values.shape[-1])


def test_a_unit_that_looks_for_one_bright_pixel_finds_it() -> None:
    network = Network([Rescale(1.0), Conv2d(1, 2, 3, padding="same"), Flatten()])
    network.views(network.parameters)[1]["weight"][1, 0, 1, 1] = 1
    images = np.zeros((30, 28, 28), np.uint8)
    bright = [(7, 3, 25, 200), (21, 27, 0, 250), (2, 0, 0, 199)]
    for image, row, column, grey in bright:
        images[image, row, column] = grey
    found = exciting(network, images, 1, 1, count=3)
    assert found.indices.tolist() == [21, 7, 2]
    assert found.values.tolist() == [250, 200, 199]
    assert found.places is not None
    assert found.places.tolist() == [[27, 0], [3, 25], [0, 0]]


def test_the_highest_comes_first_and_of_equals_the_first(make: Maker, some: Dataset) -> None:
    twice = np.concatenate([some.images[:20], some.images[:20]])
    found = exciting(make("pools"), twice, 5, 4, count=40)
    assert (np.diff(found.values) <= 0).all()
    assert sorted(found.indices) == list(range(40))
    assert found.places is None
    alike = dict(zip(found.indices.tolist(), found.values.tolist(), strict=True))
    assert all(alike[i] == pytest.approx(alike[i + 20], rel=1e-5) for i in range(20))
    dark = exciting(make("pools"), np.zeros((5, 28, 28), np.uint8), 5, 4, count=3)
    assert dark.indices.tolist() == [0, 1, 2]


def test_an_output_is_excited_most_by_its_own_digit(exam: Dataset, blink: Model) -> None:
    last = len(blink.network.layers) - 1
    for digit in range(10):
        found = exciting(blink.network, exam.images[:2000], last, digit)
        assert len(found.indices) == 12
        # By chance it would be one in ten.
        assert (exam.known_labels[found.indices] == digit).mean() > 0.9


def test_one_unit_alone_is_found_as_among_all(make: Maker, some: Dataset) -> None:
    network = make("shortcuts")
    everything = excitement(network, some.images, 4)
    for unit in (0, 7, 15):
        alone, among = exciting(network, some.images, 4, unit, 5), everything.of(unit, 5)
        assert alone.indices.tolist() == among.indices.tolist()
        assert alone.places is not None
        assert among.places is not None
        assert alone.places.tolist() == among.places.tolist()


def test_nothing_is_asked_of_what_is_not_there(make: Maker, some: Dataset) -> None:
    network = make("pools")
    with pytest.raises(ShapeError, match="expected a unit from 0 to 4, got 5"):
        exciting(network, some.images, 3, 5)
    with pytest.raises(ShapeError, match="expected a layer from 0 to 5, got 6"):
        exciting(network, some.images, 6, 0)
    with pytest.raises(DataError, match="expected to ask for 1 image or more, got 0"):
        exciting(network, some.images, 3, 0, 0)
    with pytest.raises(DataError, match="expected images"):
        exciting(network, np.zeros((3, 20, 20), np.uint8), 3, 0)
    assert len(exciting(network, some.images[:0], 3, 0).indices) == 0
