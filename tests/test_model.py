"""Model: whatever answers, answers the same however it is asked."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError
from inkdigits.evaluation import report
from inkdigits.model import Model
from inkdigits.network import Network


@pytest.fixture(params=["blink", "classic"])
def model(request: pytest.FixtureRequest) -> Model:
    """A float32 and a float64 model."""
    found: Model = request.getfixturevalue(request.param)
    return found


def test_the_probabilities_of_each_image_are_a_row_that_sums_to_1(
    model: Model, some: Dataset
) -> None:
    probabilities = model.predict_probabilities(some.images)
    assert probabilities.shape == (200, 10)
    assert probabilities.dtype == np.float64
    assert (probabilities >= 0).all()
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(200), abs=1e-12)  # its own rounding


def test_the_probabilities_are_the_softmax_of_the_networks_logits(
    model: Model, some: Dataset
) -> None:
    logits = model.network.predict(some.images.transpose(1, 2, 0)).astype(np.float64)
    expected = (np.exp(logits) / np.exp(logits).sum(axis=0)).T
    # Here BLAS is free to use its own threads, which moves the last digit of a float32 logit.
    assert model.predict_probabilities(some.images) == pytest.approx(expected, abs=1e-5)


def test_the_answer_is_the_most_probable_digit(model: Model, some: Dataset) -> None:
    answers = model.predict(some.images)
    assert answers.dtype == np.uint8
    assert np.array_equal(answers, model.predict_probabilities(some.images).argmax(axis=1))


def test_the_answers_are_the_same_bits_for_any_number_of_threads(
    model: Model, exam: Dataset
) -> None:
    images = exam.images[:1500]  # three chunks, the last one shorter
    one, two, three = (model.predict_probabilities(images, threads=n) for n in (1, 2, 3))
    assert one.tobytes() == two.tobytes() == three.tobytes()


def test_a_model_reads_one_image_as_it_reads_it_among_others(model: Model, some: Dataset) -> None:
    alone = np.concatenate([model.predict_probabilities(image[None]) for image in some.images])
    # float32 products of another width round differently; a logit has six digits.
    assert alone == pytest.approx(model.predict_probabilities(some.images), abs=1e-4)


def test_no_image_gives_no_answer(model: Model) -> None:
    nothing = np.empty((0, 28, 28), np.uint8)
    assert model.predict(nothing).shape == (0,)
    assert model.predict_probabilities(nothing).shape == (0, 10)


@pytest.mark.parametrize("shape", [(28, 28), (2, 784), (2, 28, 28, 1)])
def test_what_are_no_images_is_refused(model: Model, shape: tuple[int, ...]) -> None:
    for ask in (model.predict, model.predict_probabilities):
        with pytest.raises(DataError, match=r"expected images of shape \(N, 28, 28\)"):
            ask(np.zeros(shape, np.uint8))
    with pytest.raises(DataError, match="expected images as uint8"):
        model.predict(np.zeros((2, 28, 28)))  # type: ignore[arg-type]


def test_a_model_is_evaluated_by_its_own_probabilities(model: Model, some: Dataset) -> None:
    scored = model.evaluate(some, threads=1)
    expected = report(some.known_labels, model.predict_probabilities(some.images))
    assert scored.as_data() == expected.as_data()
    with pytest.raises(DataError, match="expected labelled digits"):
        model.evaluate(Dataset(some.images))
    with pytest.raises(DataError, match="at least one labelled digit"):
        model.evaluate(some.subset([]))


def test_the_fingerprint_is_the_sha_256_of_the_little_endian_parameters_and_state(
    model: Model,
) -> None:
    network = model.network
    content = network.parameters.astype(f"<f{network.dtype.itemsize}").tobytes()
    assert network.state.size == 0
    assert model.fingerprint == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("place", [0, -1])
def test_any_other_bit_has_another_fingerprint(blink: Model, place: int) -> None:
    network = Network(blink.network.layers)
    network.parameters[:] = blink.network.parameters
    other = replace(blink, network=network)
    assert other.fingerprint == blink.fingerprint
    network.parameters[place] = np.nextafter(network.parameters[place], np.float32(9))
    assert other.fingerprint != blink.fingerprint


def test_scores_are_added_to_a_new_card(blink: Model) -> None:
    first = blink.with_scores(test=1)
    second = first.with_scores(test=2, validation=3)
    assert (blink.card.scores, first.card.scores) == ({}, {"test": 1})
    assert second.card.scores == {"test": 2, "validation": 3}
    assert second.network is blink.network
    assert replace(second.card, scores={}) == blink.card
