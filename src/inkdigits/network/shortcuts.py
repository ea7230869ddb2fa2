"""Shortcuts: neighbouring layers that are faster together, with the same answers.

A network's layers say what it computes; `with_shortcuts` says in which steps. Each shortcut saves
15 % of a training step or more where it is taken (docs/benchmarks.md, "each measure undone"), and
the tests hold it to the plain layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from inkdigits.network.convolution import Conv2d, added_windows, windows
from inkdigits.network.layers import Array, Backward, Context, Layer, Shape, Views
from inkdigits.network.pooling import MaxPool2d, award, maximum
from inkdigits.network.winograd import WinogradConv2d

__all__ = ["PooledConv2d", "Step", "with_shortcuts"]


class Step(Protocol):
    """What runs: a layer, or what stands for several."""

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        """As of a layer."""

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        """As of a layer."""


def with_shortcuts(layers: Sequence[Layer], shapes: Sequence[Shape]) -> Iterator[tuple[int, Step]]:
    """The steps of these layers, each with the position of the layer whose parameters it takes.

    Args:
        layers: of a network.
        shapes: what comes out of each.
    """
    position = 0
    while position < len(layers):
        layer = layers[position]
        after = layers[position + 1] if position + 1 < len(layers) else None
        if (
            isinstance(layer, Conv2d)
            and isinstance(after, MaxPool2d)
            and PooledConv2d.pays(layer, after)
        ):
            yield position, PooledConv2d(layer, after)
            position += 2
        elif isinstance(layer, Conv2d) and WinogradConv2d.pays(layer, shapes[position]):
            yield position, WinogradConv2d(layer)
            position += 1
        else:
            yield position, layer
            position += 1


@dataclass(frozen=True)
class PooledConv2d:
    """A convolution and the max-pooling after it, as one product.

    All s² places of a pooled square lie in one patch of (k + s − 1)² pixels. So the weights are
    laid out s² times, each copy at its place in such a patch, and one product over a quarter
    (s = 2) of the patches gives the parts to take the maximum of, each in one piece of memory. With
    one channel of 5 × 5 weights it multiplies 1.44 times as much, at three times the speed.
    """

    convolution: Conv2d
    pool: MaxPool2d

    @staticmethod
    def pays(convolution: Conv2d, pool: MaxPool2d) -> bool:
        """Whether this is faster: one channel makes products too thin for BLAS, and the arithmetic
        grows by ((k + s − 1) / k)², which is 1.8 at most here.
        """
        return (convolution.inputs, convolution.stride, pool.size) == (
            1,
            1,
            2,
        ) and convolution.kernel >= 3

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        outputs, size, side = self.convolution.outputs, self.pool.size, self.side
        padded = self.convolution.padded(x, parameters["weight"].dtype)
        patches = windows(padded, side, size)  # (1, side, side, H', W', N)
        columns = patches.reshape(side * side, -1)
        copies = self.copies(parameters["weight"])
        products = copies @ columns  # (s²·M, H'·W'·N)
        wins: list[Array] = []
        y = maximum(list(products.reshape(size * size, outputs, -1)), wins)
        if self.convolution.bias:
            y += parameters["bias"][:, np.newaxis]

        def backward(dy: Array, gradients: Views) -> Array | None:
            dy = dy.reshape(outputs, -1)
            if self.convolution.bias:
                dy.sum(axis=1, out=gradients["bias"])
            d_products = np.empty_like(products)
            award(dy, wins, list(d_products.reshape(size * size, outputs, -1)))
            self.add_up(d_products @ columns.T, gradients["weight"])
            if not context.wants_dx:
                return None
            d_patches = (copies.T @ d_products).reshape(patches.shape)
            dx = added_windows(d_patches, size, padded)
            return self.convolution.without_margins(dx, x.shape)

        return y.reshape(outputs, *patches.shape[3:]), backward

    @property
    def side(self) -> int:
        """Of the patch that all places of a pooled square lie in."""
        return self.convolution.kernel + self.pool.size - 1

    def places(self, copies: Array) -> list[Array]:
        """Where the weights lie in each of the s² copies: views (M, k, k) of (s²·M, side²)."""
        size, kernel, side = self.pool.size, self.convolution.kernel, self.side
        squares = copies.reshape(size, size, self.convolution.outputs, side, side)
        return [
            squares[i, j, :, i : i + kernel, j : j + kernel]
            for i in range(size)
            for j in range(size)
        ]

    def copies(self, weight: Array) -> Array:
        """The weights at all their places, zeros around, (s²·M, side²)."""
        size, side = self.pool.size, self.side
        copies = np.zeros((size * size * self.convolution.outputs, side * side), weight.dtype)
        for place in self.places(copies):
            place[:] = weight[:, 0]
        return copies

    def add_up(self, copies: Array, weight: Array) -> None:
        """Writes the sum over all places to `weight`: the gradient of `copies`."""
        weight[:, 0] = sum(self.places(copies))

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        outputs, size = self.convolution.outputs, self.pool.size
        padded = self.convolution.padded(x, parameters["weight"].dtype)
        patches = windows(padded, self.side, size)
        products = self.copies(parameters["weight"]) @ patches.reshape(self.side**2, -1)
        y = maximum(list(products.reshape(size * size, outputs, -1)))
        if self.convolution.bias:
            y += parameters["bias"][:, np.newaxis]
        return y.reshape(outputs, *patches.shape[3:])
