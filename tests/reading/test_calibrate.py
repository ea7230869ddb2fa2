"""Calibration: what is found is true of the digits it was found on, read as pictures."""

from __future__ import annotations

import numpy as np
import pytest

from inkdigits.dataset import DIGITS, Dataset
from inkdigits.evaluation import fit_temperature, report
from inkdigits.model import Model
from inkdigits.reading.calibrate import REFUSED, as_pictures_give_them, calibrated
from inkdigits.sources import load


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("mnist:validation").subset(range(1000))


@pytest.fixture(scope="module")
def found(reader: Model, digits: Dataset) -> Model:
    """The shipped model, its calibration found anew on fewer digits."""
    return calibrated(reader, digits)


def test_a_glyph_that_is_opened_as_a_picture_is_nearly_the_same(digits: Dataset) -> None:
    seen: list[int] = []
    glyphs = as_pictures_give_them(digits.images[:100], progress=seen.append)
    difference = np.abs(glyphs.astype(int) - digits.images[:100])
    # Ink at 253 of 255 is brought to 255; a digit moved by one pixel would differ by about 20.
    assert difference.mean() < 2
    assert seen == list(range(1, 101))


@pytest.mark.slow
def test_the_temperature_is_that_of_the_ten_digits_logits(
    found: Model, reader: Model, digits: Dataset
) -> None:
    logits = reader.logits(as_pictures_give_them(digits.images))
    assert found.card.calibration is not None
    wanted = fit_temperature(logits[:, :DIGITS], digits.known_labels)
    assert found.card.calibration["temperature"] == wanted


@pytest.mark.slow
def test_calibrating_makes_the_log_loss_less(found: Model, digits: Dataset) -> None:
    glyphs = as_pictures_give_them(digits.images)
    losses = [
        report(digits.known_labels, model.predict_probabilities(glyphs)).log_loss
        for model in (found, found.with_calibration(None))
    ]
    assert losses[0] < losses[1]


@pytest.mark.slow
def test_the_threshold_is_the_highest_that_refuses_no_more_than_it_may(
    found: Model, digits: Dataset
) -> None:
    confidence = found.answer(as_pictures_give_them(digits.images)).confidence
    assert found.card.calibration is not None
    threshold = found.card.calibration["threshold"]
    assert (confidence < threshold).mean() <= REFUSED < (confidence <= threshold).mean()


@pytest.mark.slow
def test_what_was_calibrated_before_makes_no_difference(
    found: Model, reader: Model, digits: Dataset
) -> None:
    other = reader.with_calibration({"temperature": 9.0, "threshold": 0.9, "curve": []})
    assert calibrated(other, digits).card.calibration == found.card.calibration


def test_the_card_names_the_digits(found: Model, digits: Dataset) -> None:
    assert found.card.calibration is not None
    assert found.card.calibration["data"] == digits.fingerprint
    assert found.card.calibration["digits"] == len(digits)
    assert all(len(row) == 3 for row in found.card.calibration["curve"])
