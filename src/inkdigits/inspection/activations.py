"""Activations: what every layer makes of one glyph, so that a network can be watched at its work.

Each layer is asked by itself, as its own file has it, and not by the shortcuts that reading takes:
they leave out what lies between, and round otherwise in the last bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inkdigits.errors import DataError, ShapeError
from inkdigits.network import Layer, Network
from inkdigits.network.layers import Array, Shape
from inkdigits.parallel import blas_on_one_thread

__all__ = ["Activation", "Passage", "activations", "checked_unit", "code_of", "passages"]


@dataclass(frozen=True, eq=False)
class Activation:
    """What one layer gives.

    Args:
        position: of the layer, from 0.
        kind: the name of its class.
        code: the method that computes it, such as "network/layers.py: Dense.predict".
        values: shape (C, H, W), (H, W) or (M,), in the type that the layer gives.
    """

    position: int
    kind: str
    code: str
    values: NDArray[Any]


class Passage(NamedTuple):
    """One layer with what came in and what went out, samples on the last axis."""

    layer: Layer
    x: Array
    y: Array


def activations(network: Network, glyph: NDArray[np.uint8]) -> list[Activation]:
    """What each layer gives for the glyph, in the order of the data.

    Where a network looks at shifted copies too, the layers show the first, which is not shifted;
    the last shows the mean over all of them.

    Args:
        network: of any architecture.
        glyph: shape (28, 28), uint8.

    Raises:
        DataError: the glyph has another shape or type.
    """
    return [
        Activation(position, type(layer).__name__, code_of(layer), y[..., 0].copy())
        for position, (layer, _, y) in enumerate(passages(network, glyph, len(network.layers)))
    ]


def passages(network: Network, glyph: NDArray[np.uint8], count: int) -> list[Passage]:
    """The glyph's way through the first `count` layers. Arguments and errors as above."""
    glyph = np.asarray(glyph)
    if glyph.shape != network.input_shape or glyph.dtype != np.uint8:
        raise DataError(
            f"expected a glyph of shape {network.input_shape}, uint8, got {glyph.shape}, "
            f"{glyph.dtype}: hand over one picture, 0 paper to 255 ink"
        )
    parameters, state = network.views(network.parameters), network.state_views(network.state)
    x: Array = glyph[..., np.newaxis]  # (H, W, 1)
    found: list[Passage] = []
    with blas_on_one_thread(), np.errstate(over="ignore", invalid="ignore"):
        for position, layer in enumerate(network.layers[:count]):
            y = layer.predict(x, parameters[position], state[position])
            found.append(Passage(layer, x, y))
            x = y
    return found


def code_of(layer: Layer) -> str:
    """Where it stands what the layer computes: "network/convolution.py: Conv2d.predict"."""
    method = type(layer).predict
    path = method.__module__.removeprefix("inkdigits.").replace(".", "/")
    return f"{path}.py: {method.__qualname__}"


def checked_unit(network: Network, layer: int, unit: int) -> Shape:
    """The shape that this layer gives, (C, H, W), (H, W) or (M,), if it has that unit.

    A unit is a channel or a feature; a picture without channels is one unit, 0.

    Raises:
        ShapeError: there is no such layer, or no such unit in it.
    """
    check("a layer", layer, len(network.layers), "choose one of the network's layers")
    shape = network.input_shape
    for each in network.layers[: layer + 1]:
        shape = each.output_shape(shape)
    units = 1 if len(shape) == 2 else shape[0]
    check("a unit", unit, units, f"layer {layer}, {network.layers[layer]}, has no other")
    return shape


def check(what: str, number: int, count: int, advice: str) -> None:
    """Whether `number` is one of `count`, from 0.

    Raises:
        ShapeError: it is not.
    """
    if not 0 <= number < count:
        only = f"{what} from 0 to {count - 1}" if count > 1 else f"{what} of 0"
        raise ShapeError(f"expected {only}, got {number}: {advice}")
