"""Model: a trained network and the card that says how it came about. Whatever answers is one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS, Dataset, checked_images
from inkdigits.errors import ModelError
from inkdigits.evaluation.rejection import threshold_from
from inkdigits.evaluation.report import Report, report
from inkdigits.network import Network, softmax
from inkdigits.parallel import predict

__all__ = ["NOT_A_DIGIT", "Answers", "Card", "Model"]

NOT_A_DIGIT = DIGITS  # the eleventh output, of networks that have learned to tell; in memory only


@dataclass(frozen=True, kw_only=True)
class Card:
    """How a model came about: enough, with its architecture, to train it again.

    Args:
        recipe: the recipe's name.
        settings: all that the recipe decides, as plain data.
        seed: of all random numbers of the training.
        epochs: how many times through the data.
        data: fingerprint of the training set.
        version: of the package that trained it.
        seconds: from the loaded data to the finished weights, without scoring.
        history: a record an epoch: epoch, loss, seconds and, where it was measured, accuracy.
        scores: what was measured at the end, by the name of the data.
        started_from: fingerprint of the model whose weights this one started from.
        calibration: what `reading.calibrate` found: "temperature", "threshold" and more; None where
            nobody looked.
        changes: what was changed while it was trained (`training.steering.Change`): a record each
            with its "step", "epoch" and samples "done" in that, on top of `settings`, which are
            those it began with; "stopped" where it was ended by hand.
    """

    recipe: str
    settings: dict[str, Any]
    seed: int
    epochs: int
    data: str
    version: str
    seconds: float
    history: list[dict[str, Any]] = field(default_factory=list)
    scores: dict[str, Any] = field(default_factory=dict)
    started_from: str | None = None
    calibration: dict[str, Any] | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model says of N glyphs.

    Args:
        probabilities: shape (N, 10), of each digit if it is one: each row sums to 1.
        not_a_digit: shape (N,), how probable it is that this is none; None where the model has not
            learned to tell.
        threshold: an answer of less confidence is better not given; 0 gives them all.
    """

    probabilities: NDArray[np.float64]
    not_a_digit: NDArray[np.float64] | None
    threshold: float

    @property
    def digits(self) -> NDArray[np.intp]:
        """The most probable digits, shape (N,)."""
        digits: NDArray[np.intp] = self.probabilities.argmax(axis=1)
        return digits

    @property
    def confidence(self) -> NDArray[np.float64]:
        """How probable it is that this is a digit, and that one: shape (N,)."""
        highest: NDArray[np.float64] = self.probabilities.max(axis=1)
        return highest if self.not_a_digit is None else highest * (1 - self.not_a_digit)

    @property
    def rejected(self) -> NDArray[np.bool_]:
        """Which answers are better not given, shape (N,)."""
        return self.confidence < self.threshold


@dataclass(frozen=True, eq=False)
class Model:
    """A network that has learned, and its card.

    Args:
        network: pixels in, logits out.
        card: how it came about.
    """

    network: Network
    card: Card

    def predict_probabilities(
        self, images: NDArray[np.uint8], *, threads: int | None = None
    ) -> NDArray[np.float64]:
        """The probability of each digit, shape (N, 10): each row sums to 1.

        Args:
            images: glyphs, shape (N, 28, 28), uint8, 0 background to 255 ink.
            threads: at most so many; None for as many as the machine has.

        Raises:
            DataError: the images have another shape or type.
        """
        return self.answer(images, threads=threads).probabilities

    def logits(
        self, images: NDArray[np.uint8], *, threads: int | None = None
    ) -> NDArray[np.float64]:
        """What the network says before it is turned into probabilities: shape (N, 10 or 11)."""
        return predict(self.network, checked_images(images), threads=threads).astype(np.float64)

    def answer(self, images: NDArray[np.uint8], *, threads: int | None = None) -> Answers:
        """All that the model says; arguments and errors as above.

        With z the logits and T the temperature, the digits' probabilities are softmax(z / T) over
        the ten of them, and that of no digit is the eleventh of softmax(z / T) over them all.
        """
        return self.answers_from(self.logits(images, threads=threads))

    def answers_from(self, logits: NDArray[np.float64]) -> Answers:
        """The answers that logits (N, 10 or 11) stand for."""
        calibration = self.card.calibration or {}
        scaled = logits.T / calibration.get("temperature", 1.0)
        return Answers(
            softmax(scaled[:DIGITS]).T,
            softmax(scaled)[NOT_A_DIGIT] if len(scaled) > DIGITS else None,
            self.threshold,
        )

    @property
    def threshold(self) -> float:
        """An answer of less confidence is better not given; 0 where nobody has calibrated it."""
        return float((self.card.calibration or {}).get("threshold", 0.0))

    def threshold_within(self, budget: float) -> float:
        """The confidence from which on at most `budget` of the answers to digits are wrong.

        By what was seen when the model was calibrated (`evaluation.threshold_from`). It is the
        model's own threshold at least: a generous budget is no reason to name what is no digit.

        Raises:
            ModelError: nobody has seen how often the model errs.
            DataError: the budget is none, or cannot be promised.
        """
        calibration = self.card.calibration or {}
        if not calibration.get("curve"):
            raise ModelError(
                "expected a model whose card says how often it errs, got one that was not "
                "calibrated: leave the error budget away, or read with the model called reader"
            )
        threshold = threshold_from(calibration["curve"], budget)
        return max(threshold, float(calibration["threshold"]))

    @property
    def tells_digits(self) -> bool:
        """Whether the model has learned what is no digit."""
        return self.network.answers > DIGITS

    def predict(
        self, images: NDArray[np.uint8], *, threads: int | None = None
    ) -> NDArray[np.uint8]:
        """The most probable digit of each image, shape (N,), uint8; arguments as above."""
        logits = self.logits(images, threads=threads)
        digits: NDArray[np.uint8] = logits[:, :DIGITS].argmax(axis=1).astype(np.uint8)
        return digits

    def evaluate(self, dataset: Dataset, *, threads: int | None = None) -> Report:
        """How well the model reads `dataset`.

        Raises:
            DataError: the dataset has no labels, or no images.
        """
        return report(
            dataset.known_labels, self.predict_probabilities(dataset.images, threads=threads)
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of parameters and state, little-endian: the same bits, the same name."""
        digest = hashlib.sha256()
        for vector in (self.network.parameters, self.network.state):
            digest.update(vector.astype(vector.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()

    def with_scores(self, **scores: Any) -> Model:
        """The same model with these scores added to its card."""
        return replace(self, card=replace(self.card, scores={**self.card.scores, **scores}))

    def with_calibration(self, calibration: dict[str, Any] | None) -> Model:
        """The same model with this calibration in place of its own."""
        return replace(self, card=replace(self.card, calibration=calibration))
