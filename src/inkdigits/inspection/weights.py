"""The first layer's weights as pictures: what each hidden unit looks for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.errors import ShapeError
from inkdigits.network import Dense, Flatten, Network

__all__ = ["first_weights"]


def first_weights(network: Network) -> NDArray[Any]:
    """The weights from each pixel to each unit of the first layer, shape (units, side, side).

    Above zero is where the unit wants ink, below where ink speaks against it.

    Raises:
        ShapeError: the first layer that learns is not dense over a picture.
    """
    shape = network.input_shape
    views = network.views(network.parameters)
    for position, layer in enumerate(network.layers):
        if isinstance(layer, Dense):
            if len(shape) == 2 and isinstance(network.layers[position - 1], Flatten):
                return np.array(views[position]["weight"]).reshape(-1, *shape)
            break
        if not isinstance(layer, Flatten):
            shape = layer.output_shape(shape)
    raise ShapeError(f"expected a dense layer over the pixels of a picture first, got {network}")
