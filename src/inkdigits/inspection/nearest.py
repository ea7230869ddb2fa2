"""Nearest digits: which digits of the training looked most like this one to the network?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import Dataset
from inkdigits.network import Flatten, Layer, MeanOfCopies, Network, ShiftedCopies
from inkdigits.parallel import predict

__all__ = ["Nearest", "nearest"]


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


def nearest(
    network: Network,
    glyph: NDArray[np.uint8],
    dataset: Dataset,
    *,
    count: int = 8,
    every: int = 1,
) -> Nearest:
    """The digits of `dataset` whose activations are most like the glyph's.

    They are compared where the network has said all but the last word: by what feeds the last layer
    with weights, as the cosine a·b / (‖a‖ ‖b‖).

    Args:
        network: of any architecture.
        glyph: shape (28, 28), uint8.
        dataset: with labels.
        count: how many; fewer where there are no more.
        every: only each so many-th digit is compared: of all 60,000 it would take seconds.

    Raises:
        DataError: the dataset has no labels.
    """
    labels = dataset.known_labels
    before_last = all_but_the_last_word(network)
    own = directions(before_last, glyph[np.newaxis])[0]
    similarity = directions(before_last, dataset.images[::every]) @ own
    order = np.argsort(-similarity, kind="stable")[:count]
    places = order * every
    return Nearest(
        places, dataset.images[places], labels[places], similarity[order], len(similarity)
    )


def all_but_the_last_word(network: Network) -> Network:
    """The layers below the last one with weights, and those weights of theirs."""
    last = max(position for position, layer in enumerate(network.layers) if layer.shapes)
    copies = (ShiftedCopies, MeanOfCopies)
    kept: list[Layer] = [la for la in network.layers[:last] if not isinstance(la, copies)]
    shape = network.input_shape
    for layer in kept:
        shape = layer.output_shape(shape)
    if len(shape) > 1:
        kept.append(Flatten())
    below = Network(kept, input_shape=network.input_shape, dtype=network.dtype)
    below.parameters[:] = network.parameters[: len(below.parameters)]
    below.state[:] = network.state[: len(below.state)]
    return below


def directions(network: Network, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """What the network gives for images (N, 28, 28), as rows of length 1; zeros stay zeros."""
    rows = predict(network, images).astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: NDArray[np.float64] = rows / np.where(lengths, lengths, 1)
    return scaled
