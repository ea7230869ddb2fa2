"""Model: whatever answers, answers the same however it is asked."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError, ModelError
from inkdigits.evaluation import report
from inkdigits.model import Card, Model
from inkdigits.network import Dense, Flatten, Network


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


# Eleven answers, and what calibration does to them


@pytest.fixture
def telling() -> Model:
    """A model whose logits for any image are 0 … 9 for the digits, and 9 for none of them."""
    network = Network((Flatten(), Dense(784, 11)))
    bias = network.views(network.parameters)[1]["bias"]
    bias[:] = [*range(10), 9]
    card = Card(recipe="hand-made", settings={}, seed=0, epochs=0, data="", version="", seconds=0.0)
    return Model(network, card)


BLANK = np.zeros((1, 28, 28), np.uint8)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_the_digits_probabilities_leave_out_that_it_is_none(
    telling: Model, temperature: float
) -> None:
    model = telling.with_calibration({"temperature": temperature, "threshold": 0.0})
    answers = model.answer(BLANK)
    scaled = np.exp(np.array([*range(10), 9]) / temperature)
    np.testing.assert_allclose(answers.probabilities[0], scaled[:10] / scaled[:10].sum())
    assert answers.not_a_digit is not None
    np.testing.assert_allclose(answers.not_a_digit[0], scaled[10] / scaled.sum())
    np.testing.assert_allclose(
        answers.confidence, answers.probabilities.max(axis=1) * (1 - answers.not_a_digit)
    )


def test_what_is_most_likely_no_digit_is_still_given_its_likeliest(telling: Model) -> None:
    views = telling.network.views(telling.network.parameters)
    views[1]["bias"][10] = 20
    assert telling.predict(BLANK)[0] == telling.answer(BLANK).digits[0] == 9


def test_a_model_of_ten_answers_does_not_know_what_is_no_digit(model: Model) -> None:
    answers = model.answer(BLANK)
    assert answers.not_a_digit is None
    assert not model.tells_digits
    np.testing.assert_array_equal(answers.confidence, answers.probabilities.max(axis=1))


def test_an_answer_is_refused_below_the_threshold_and_given_at_it(telling: Model) -> None:
    confidence = float(telling.answer(BLANK).confidence[0])
    for threshold, rejected in ((confidence, False), (np.nextafter(confidence, 1), True)):
        model = telling.with_calibration({"temperature": 1.0, "threshold": threshold})
        assert model.answer(BLANK).rejected.tolist() == [rejected]


def test_a_budget_gives_the_lowest_threshold_that_keeps_it_but_the_models_own_at_least(
    telling: Model,
) -> None:
    curve = [[0.1, 1.0, 0.05], [0.6, 0.9, 0.01], [0.9, 0.5, 0.001]]
    model = telling.with_calibration({"temperature": 1.0, "threshold": 0.4, "curve": curve})
    assert [model.threshold_within(b) for b in (0.05, 0.02, 0.005)] == [0.4, 0.6, 0.9]
    with pytest.raises(DataError, match=r"of 0\.100 % or more"):
        model.threshold_within(0.0005)


def test_a_model_that_was_not_calibrated_promises_nothing(telling: Model) -> None:
    inherited = telling.with_calibration({"temperature": 1.0, "threshold": 0.4, "inherited": "x"})
    for model in (telling, inherited):
        with pytest.raises(ModelError, match="not calibrated"):
            model.threshold_within(0.01)
