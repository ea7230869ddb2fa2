"""Model: a trained network and the card that says how it came about. Whatever answers is one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import Dataset, checked_images
from inkdigits.evaluation.report import Report, report
from inkdigits.network import Network, softmax
from inkdigits.parallel import predict

__all__ = ["Card", "Model"]


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
        logits = predict(self.network, checked_images(images), threads=threads)
        return softmax(logits.T.astype(np.float64)).T

    def predict(
        self, images: NDArray[np.uint8], *, threads: int | None = None
    ) -> NDArray[np.uint8]:
        """The most probable digit of each image, shape (N,), uint8; arguments as above."""
        logits = predict(self.network, checked_images(images), threads=threads)
        digits: NDArray[np.uint8] = logits.argmax(axis=1).astype(np.uint8)
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
