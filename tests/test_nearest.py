"""Nearest digits: those whose activations point the same way, whatever the network."""

from __future__ import annotations

import numpy as np
import pytest

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError
from inkdigits.inspection import Neighbourhood, nearest
from inkdigits.model import Model
from inkdigits.network import (
    BatchNorm,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Layer,
    MeanOfCopies,
    Network,
    ReLU,
    Rescale,
    ShiftedCopies,
)

SMALL: list[Layer] = [Rescale(1 / 255), Flatten(), Dense(784, 12), ReLU(), Dense(12, 10)]


def started(layers: list[Layer]) -> Network:
    network = Network(layers)
    network.initialise(np.random.default_rng(1))
    return network


def test_a_digit_of_the_data_is_nearest_to_itself(some: Dataset, blink: Model) -> None:
    for index in (0, 17, 150):
        found = nearest(blink.network, some.images[index], some, count=3)
        assert found.indices[0] == index
        assert found.similarity[0] == pytest.approx(1, abs=1e-6)
        assert np.array_equal(found.images, some.images[found.indices])
        assert np.array_equal(found.labels, some.known_labels[found.indices])
        assert (np.diff(found.similarity) <= 0).all()


def test_they_are_those_of_the_largest_cosine_between_activations(some: Dataset) -> None:
    network = started(SMALL)
    weight, bias = network.views(network.parameters)[2].values()
    hidden = np.maximum(some.images.reshape(-1, 784) / 255 @ weight.T + bias, 0)
    own = hidden[5]
    cosine = hidden @ own / np.linalg.norm(hidden, axis=1) / np.linalg.norm(own)
    found = nearest(network, some.images[5], some, count=10)
    assert found.indices.tolist() == np.argsort(-cosine)[:10].tolist()
    assert found.similarity == pytest.approx(np.sort(cosine)[:-11:-1], abs=1e-5)


def test_what_looks_alike_to_a_network_that_reads_is_mostly_the_same_digit(
    exam: Dataset, blink: Model
) -> None:
    among = exam.subset(range(200, 3000))
    found = [nearest(blink.network, exam.images[index], among) for index in range(20)]
    same = [each.labels == exam.known_labels[i] for i, each in enumerate(found)]
    # By chance it would be a tenth.
    assert np.mean(same) > 0.8


@pytest.mark.parametrize(
    "layers",
    [
        [ShiftedCopies(5), *SMALL, MeanOfCopies(5)],
        [*SMALL[:4], Dropout(0.5), SMALL[4]],
    ],
)
def test_copies_and_dropout_make_no_difference(some: Dataset, layers: list[Layer]) -> None:
    plain, other = started(SMALL), started(layers)
    assert np.array_equal(plain.parameters, other.parameters)
    expected, came = (nearest(each, some.images[3], some) for each in (plain, other))
    assert came.indices.tolist() == expected.indices.tolist()


def test_a_network_that_ends_with_a_convolution_is_compared_below_it(some: Dataset) -> None:
    layers: list[Layer] = [Rescale(1 / 255), Conv2d(1, 4, 5), ReLU(), Conv2d(4, 10, 24)]
    found = nearest(started([*layers, GlobalAveragePool()]), some.images[8], some)
    assert found.indices[0] == 8


def test_running_statistics_count_as_they_do_in_reading(some: Dataset) -> None:
    network = started([*SMALL[:3], BatchNorm(12), *SMALL[3:]])
    plain = nearest(network, some.images[3], some).similarity
    for name, statistics in network.state_views(network.state)[3].items():
        statistics[:] = np.linspace(0.1, 3, 12) if "var" in name else np.linspace(-2, 2, 12)
    assert not np.allclose(nearest(network, some.images[3], some).similarity, plain)


def test_of_every_third_digit_the_places_are_those_in_the_whole(
    some: Dataset, blink: Model
) -> None:
    found = nearest(blink.network, some.images[9], some, every=3, count=500)
    assert found.among == len(found.indices) == 67
    assert sorted(found.indices) == list(range(0, 200, 3))
    assert found.indices[0] == 9


def test_a_blank_is_like_nothing_and_no_error(some: Dataset) -> None:
    layers: list[Layer] = [Rescale(1 / 255), Flatten(), Dense(784, 10)]
    found = nearest(started(layers), np.zeros((28, 28), np.uint8), some)
    assert not found.similarity.any()


def test_digits_without_labels_show_nothing(some: Dataset, blink: Model) -> None:
    with pytest.raises(DataError):
        nearest(blink.network, some.images[0], Dataset(some.images))


def test_a_neighbourhood_made_once_answers_as_one_made_for_each_glyph(
    some: Dataset, blink: Model
) -> None:
    for every in (1, 3):
        neighbourhood = Neighbourhood(blink.network, some, every=every)
        for glyph in some.images[:5]:
            kept = neighbourhood.nearest(glyph, 6)
            anew = nearest(blink.network, glyph, some, count=6, every=every)
            assert kept.indices.tolist() == anew.indices.tolist()
            assert kept.similarity.tolist() == anew.similarity.tolist()
            assert kept.similarity.dtype == np.float64
            assert kept.labels.tolist() == anew.labels.tolist()
            assert np.array_equal(kept.images, some.images[kept.indices])
            assert kept.among == neighbourhood.among == len(range(0, 200, every))


def test_a_neighbourhood_keeps_what_the_network_knew_when_it_was_made(some: Dataset) -> None:
    network = started(SMALL)
    neighbourhood = Neighbourhood(network, some)
    before = neighbourhood.nearest(some.images[5]).similarity
    network.parameters[:] = 0  # as a training that goes on would change it
    assert neighbourhood.nearest(some.images[5]).similarity.tolist() == before.tolist()


def test_activations_beyond_all_bounds_are_no_error(some: Dataset) -> None:
    layers: list[Layer] = [Rescale(1 / 255), Flatten(), Dense(784, 12), Dense(12, 10)]
    network = started(layers)
    network.views(network.parameters)[2]["weight"][:] = 1e36
    found = nearest(network, some.images[5], some)
    assert len(found.indices) == 8
