"""Calibration: what a model's confidence is worth, found on digits that it did not learn from.

Each digit goes the whole way, as a picture: what is lost before the network counts as well.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS, Dataset
from inkdigits.evaluation import coverage_risk, fit_temperature, threshold_at_loss
from inkdigits.model import Model
from inkdigits.reading.digit import prepare
from inkdigits.reading.picture import Picture

__all__ = ["REFUSED", "as_pictures_give_them", "calibrated"]

REFUSED = 0.003  # of true digits, at the threshold: the price of naming fewer that are none
CURVE_ROWS = 64


def calibrated(
    model: Model, digits: Dataset, *, progress: Callable[[int], None] = lambda done: None
) -> Model:
    """The model with a temperature, a threshold and a curve of coverage and risk on its card.

    The temperature makes the log loss least (`evaluation.fit_temperature`). The threshold is the
    highest that refuses at most `REFUSED` of these digits. The curve is that of
    `evaluation.CoverageRisk.rows`, from which `Model.threshold_within` takes its promises.

    Args:
        model: what to calibrate; its own calibration, if any, is replaced.
        digits: labelled digits that it has not learned from.
        progress: called with the number of digits read so far.

    Raises:
        DataError: the digits are too few, or the model too poor, to calibrate anything.
    """
    labels = digits.known_labels
    glyphs = as_pictures_give_them(digits.images, progress=progress)
    logits = model.logits(glyphs)
    temperature = fit_temperature(logits[:, :DIGITS], labels)
    answers = model.with_calibration({"temperature": temperature}).answers_from(logits)
    right = answers.digits == labels
    return model.with_calibration(
        {
            "temperature": temperature,
            "threshold": threshold_at_loss(answers.confidence, REFUSED),
            "refused": REFUSED,
            "curve": coverage_risk(answers.confidence, right).rows(CURVE_ROWS),
            "digits": len(digits),
            "data": digits.fingerprint,
        }
    )


def as_pictures_give_them(
    images: NDArray[np.uint8], *, progress: Callable[[int], None] = lambda done: None
) -> NDArray[np.uint8]:
    """What becomes of glyphs, shape (N, 28, 28), that are opened as pictures: glyphs again."""
    glyphs = np.empty_like(images)
    for index, image in enumerate(images):
        pixels = np.repeat(image[:, :, np.newaxis], 3, axis=2)
        glyphs[index] = prepare(Picture(pixels, image.shape)).glyph
        progress(index + 1)
    return glyphs
