"""Prefix: the first layers of a network as a network of their own, to ask what they make of much.

Being a network, it takes the same shortcuts and runs in chunks over threads like any other.
"""

from __future__ import annotations

from inkdigits.network import Flatten, Layer, MeanOfCopies, Network, ShiftedCopies

__all__ = ["first_layers"]


def first_layers(network: Network, count: int) -> Network:
    """The first `count` layers, with a copy of their weights; what they give comes as columns.

    Shifted copies are left away where their mean is: what is seen is the digit as it is.
    """
    kept: list[Layer] = list(network.layers[:count])
    if not any(isinstance(layer, MeanOfCopies) for layer in kept):
        kept = [layer for layer in kept if not isinstance(layer, ShiftedCopies)]
    shape = network.input_shape
    for layer in kept:
        shape = layer.output_shape(shape)
    if len(shape) > 1:
        kept.append(Flatten())
    first = Network(kept, input_shape=network.input_shape, dtype=network.dtype)
    first.parameters[:] = network.parameters[: len(first.parameters)]
    first.state[:] = network.state[: len(first.state)]
    return first
