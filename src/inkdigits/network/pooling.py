"""Pooling: a square of neighbouring values becomes one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from inkdigits.errors import ShapeError
from inkdigits.network.convolution import with_channels
from inkdigits.network.layers import Array, Backward, Context, Shape, Stateless, Views

__all__ = ["AveragePool2d", "GlobalAveragePool", "MaxPool2d", "award", "maximum"]


def maximum(parts: list[Array], wins: list[Array] | None = None) -> Array:
    """The largest of the parts, value by value.

    Args:
        parts: arrays of one shape; left as they are.
        wins: to be given where each part but the first beat those before it. Of equals the first
            wins.
    """
    y = parts[0]
    for number, part in enumerate(parts[1:]):
        if wins is not None:
            wins.append(part > y)
        y = np.maximum(y, part, out=y if number else None)
    return y


def award(dy: Array, wins: list[Array], gradients: list[Array]) -> None:
    """Writes dy to the part that was the largest, 0 to the others: `maximum` run backwards."""
    left = gradients[0]
    left[...] = dy
    for win, gradient in zip(reversed(wins), reversed(gradients[1:]), strict=True):
        np.multiply(left, win, out=gradient)
        left -= gradient


@dataclass(frozen=True)
class Pool2d(Stateless):
    """Squares of size × size side by side; what is left over at the right and below is ignored.

    Args:
        size: height and width of a square.
    """

    size: int = 2

    def output_shape(self, shape: Shape) -> Shape:
        _, height, width = with_channels(shape, self)
        if self.size < 1:
            raise ShapeError(f"expected squares of 1 pixel or more, got {self}: choose a size")
        if min(height, width) < self.size:
            raise ShapeError(
                f"{self} expected pictures of {self.size} × {self.size} pixels or more, "
                f"got shape {shape}: choose a smaller square, or pool less before it"
            )
        return (*shape[:-2], height // self.size, width // self.size)

    def parts(self, x: Array) -> list[Array]:
        """The first pixels of all squares, the second ones, …: size² views (…, H', W', N)."""
        *_, height, width, _ = x.shape
        rows, columns = height // self.size * self.size, width // self.size * self.size
        return [
            x[..., i : rows : self.size, j : columns : self.size, :]
            for i in range(self.size)
            for j in range(self.size)
        ]


@dataclass(frozen=True)
class MaxPool2d(Pool2d):
    """The largest value of each square: where in it a feature was seen matters little."""

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        wins: list[Array] = []
        y = maximum(self.parts(x), wins)

        def backward(dy: Array, gradients: Views) -> Array:
            dx = np.zeros(x.shape, dy.dtype)
            award(dy, wins, self.parts(dx))
            return dx

        return y, backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        return maximum(self.parts(x))


@dataclass(frozen=True)
class AveragePool2d(Pool2d):
    """The mean of each square."""

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        def backward(dy: Array, gradients: Views) -> Array:
            dx = np.zeros(x.shape, dy.dtype)
            share = dy / self.size**2
            for part in self.parts(dx):
                part[...] = share
            return dx

        return self.predict(x, parameters, {}), backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        first, *others = self.parts(x)
        y: Array = first.astype(np.result_type(x, np.float32))  # a byte cannot hold two of them
        for part in others:
            y += part
        y /= self.size**2
        return y


@dataclass(frozen=True)
class GlobalAveragePool(Stateless):
    """The mean of each channel: (C, H, W, N) becomes (C, N), a column of features."""

    def output_shape(self, shape: Shape) -> Shape:
        return with_channels(shape, self)[:1]

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        *_, height, width, columns = x.shape

        def backward(dy: Array, gradients: Views) -> Array:
            dx = np.empty((len(dy), height, width, columns), dy.dtype)
            dx[...] = (dy / (height * width))[:, np.newaxis, np.newaxis]
            return dx.reshape(x.shape)

        return self.predict(x, parameters, {}), backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        *_, height, width, columns = x.shape
        channels = math.prod(x.shape[:-3])  # of (H, W, N) one
        y: Array = x.reshape(channels, height * width, columns).mean(axis=1)
        return y
