"""Nearest digits: which digits of the training looked most like this one to the network?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import Dataset
from inkdigits.inspection.prefix import first_layers
from inkdigits.network import Network
from inkdigits.parallel import predict

__all__ = ["Nearest", "Neighbourhood", "nearest"]


@dataclass(frozen=True, eq=False)
class Nearest:
    """Digits that look alike to a network, the nearest first.

    Args:
        indices: shape (K,), their places in the data.
        images: shape (K, 28, 28), uint8.
        labels: shape (K,), uint8, what they are.
        similarity: shape (K,), cosine of the angle between activations, 1 for the same; falling.
        among: how many digits they were chosen from.
    """

    indices: NDArray[np.intp]
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    similarity: NDArray[np.float64]
    among: int


class Neighbourhood:
    """A data set as a network sees it: made once, it is asked for the nearest digits many times.

    Digits are compared where the network has said all but the last word: by what feeds the last
    layer with weights, as the cosine a·b / (‖a‖ ‖b‖).

    Args:
        network: of any architecture.
        dataset: with labels.
        every: only each so many-th digit is compared: of all 60,000 it would take seconds.

    Attributes:
        among: how many digits are compared.

    Raises:
        DataError: the dataset has no labels.
    """

    def __init__(self, network: Network, dataset: Dataset, *, every: int = 1) -> None:
        self._labels = dataset.known_labels
        self._images = dataset.images
        self._every = every
        self._network = all_but_the_last_word(network)
        self._directions = directions(self._network, dataset.images[::every])
        self.among = len(self._directions)

    def nearest(self, glyph: NDArray[np.uint8], count: int = 8) -> Nearest:
        """The `count` digits most like the glyph (28, 28), uint8; fewer where there are no more."""
        own = directions(self._network, glyph[np.newaxis])[0]
        similarity = (self._directions @ own).astype(np.float64)
        order = np.argsort(-similarity, kind="stable")[:count]
        places = order * self._every
        return Nearest(
            places, self._images[places], self._labels[places], similarity[order], self.among
        )


def nearest(
    network: Network,
    glyph: NDArray[np.uint8],
    dataset: Dataset,
    *,
    count: int = 8,
    every: int = 1,
) -> Nearest:
    """The digits of `dataset` whose activations are most like the glyph's, asked once.

    Args:
        network: of any architecture.
        glyph: shape (28, 28), uint8.
        dataset: with labels.
        count: how many; fewer where there are no more.
        every: only each so many-th digit is compared.

    Raises:
        DataError: the dataset has no labels.
    """
    return Neighbourhood(network, dataset, every=every).nearest(glyph, count)


def all_but_the_last_word(network: Network) -> Network:
    """The layers below the last one with weights, and those weights of theirs."""
    last = max(position for position, layer in enumerate(network.layers) if layer.shapes)
    return first_layers(network, last)


def directions(network: Network, images: NDArray[np.uint8]) -> NDArray[Any]:
    """What the network gives for images (N, 28, 28), as rows of length 1; zeros stay zeros.

    In the network's own precision: 50,000 rows of float64 would take much memory for nothing.
    """
    rows = predict(network, images)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("nd,nd->n", rows, rows, dtype=np.float64)
        lengths = np.sqrt(squares)[:, np.newaxis]
        rows /= np.where(lengths, lengths, 1).astype(rows.dtype)
    return rows
