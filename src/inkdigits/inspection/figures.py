"""Figures of each layer while it learns: does a gradient reach it, and are its units alive?"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.network import Loss, Network, ReLU
from inkdigits.parallel import blas_on_one_thread

__all__ = ["layer_figures"]


def layer_figures(
    network: Network, images: NDArray[np.uint8], labels: NDArray[np.uint8], loss: Loss
) -> list[dict[str, Any]]:
    """Figures of the layers that learn, and of every ReLU, on one batch. Nothing is changed.

    Args:
        network: as it stands.
        images: shape (N, 28, 28), uint8.
        labels: shape (N,), 0 to 9.
        loss: of which the gradient is taken, as the mean over the images; what is random in a
            layer is the same at each call.

    Returns:
        A record a layer with "layer" (its position) and "name"; of one with parameters
        "weight_norm" and "gradient_norm", the L2 norms of all its parameters and of their gradient;
        of a ReLU "dead", the share of its units that are 0 for every image. A unit is what is left
        without the axes of place and sample: a feature or a channel.
    """
    columns = images.transpose(1, 2, 0)  # (28, 28, N)
    gradient = np.zeros_like(network.parameters)
    contexts = network.contexts()
    generator = np.random.default_rng(0)
    for context in contexts:
        context.generator = lambda: generator
    with blas_on_one_thread(), np.errstate(over="ignore", invalid="ignore"):
        logits, backward = network.forward(columns, contexts)
        _, d_logits = loss(logits, labels)
        backward(d_logits / len(labels), network.views(gradient))
        dead = dead_units(network, columns)
    figures: list[dict[str, Any]] = []
    own, gradients = network.views(network.parameters), network.views(gradient)
    for position, layer in enumerate(network.layers):
        about = {"layer": position, "name": type(layer).__name__}
        if own[position]:
            about["weight_norm"] = norm(own[position])
            about["gradient_norm"] = norm(gradients[position])
            figures.append(about)
        elif position in dead:
            figures.append(about | {"dead": dead[position]})
    return figures


def norm(arrays: Any) -> float:
    """The L2 norm of all numbers in some named arrays; the largest float where one is none."""
    value = math.sqrt(sum(np.sum(np.square(a, dtype=np.float64)) for a in arrays.values()))
    return value if math.isfinite(value) else sys.float_info.max


def dead_units(network: Network, x: NDArray[Any]) -> dict[int, float]:
    """The share of units that are 0 for every column of `x`, by the position of each ReLU."""
    shares = {}
    parameters, state = network.views(network.parameters), network.state_views(network.state)
    for position, layer in enumerate(network.layers):
        x = layer.predict(x, parameters[position], state[position])
        if isinstance(layer, ReLU):
            shares[position] = float((x.reshape(len(x), -1) == 0).all(axis=1).mean())
    return shares
