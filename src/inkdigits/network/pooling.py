"""Pooling: a square of neighbouring values becomes one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from inkdigits.errors import ShapeError
from inkdigits.network.convolution import with_channels
from inkdigits.network.layers import Array, Backward, Context, Shape, Stateless, Views

__all__ = ["AveragePool2d", "GlobalAveragePool", "MaxPool2d", "award", "maximum"]


def maximum(parts: list[Array]) -> tuple[Array, list[Array]]:
    """The largest of the parts, value by value, and where each of the later ones beat those before.

    Of equals the first wins.
    """
    y = parts[0]
    wins = []
    for part in parts[1:]:
        wins.append(part > y)
        y = np.maximum(y, part)
    return y, wins


def award(dy: Array, wins: list[Array], gradients: list[Array]) -> None:
    """Writes dy to the part that was the largest, 0 to the others: `maximum` run backwards."""
    for win, gradient in zip(reversed(wins), reversed(gradients[1:]), strict=True):
        np.multiply(dy, win, out=gradient)
        dy = dy - gradient
    gradients[0][...] = dy


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
        y, wins = maximum(self.parts(x))

        def backward(dy: Array, gradients: Views) -> Array:
            dx = np.zeros(x.shape, dy.dtype)
            award(dy, wins, self.parts(dx))
            return dx

        return y, backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        y, *others = self.parts(x)
        for part in others:
            y = np.maximum(y, part)
        return y


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
        y, *others = self.parts(x)
        y = y / self.size**2
        for part in others:
            y += part / self.size**2
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
