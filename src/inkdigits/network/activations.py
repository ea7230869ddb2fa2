"""Activations: the bends between the linear layers, each value by itself.

Without them any number of dense layers would be one: W₂(W₁x) = (W₂W₁)x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkdigits.network.layers import Array, Backward, Context, Shape, Stateless, Views

__all__ = ["LeakyReLU", "ReLU", "Sigmoid", "Tanh", "sigmoid"]


def sigmoid(x: Array) -> Array:
    """σ(x) = 1 / (1 + e⁻ˣ), of any shape, in the type of x.

    Written as ½ + ½ tanh(x/2), which is the same function and cannot overflow.
    """
    y: Array = np.tanh(0.5 * x)
    y *= 0.5
    y += 0.5
    return y


class Elementwise(Stateless):
    """A layer that treats each value by itself: shapes stay as they are."""

    def output_shape(self, shape: Shape) -> Shape:
        return shape


@dataclass(frozen=True)
class Sigmoid(Elementwise):
    """y = σ(x), between 0 and 1; dy/dx = y (1 − y)."""

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        y = sigmoid(x)

        def backward(dy: Array, gradients: Views) -> Array:
            dx: Array = dy * y * (1 - y)
            return dx

        return y, backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        return sigmoid(x)


@dataclass(frozen=True)
class Tanh(Elementwise):
    """y = tanh(x), between −1 and 1; dy/dx = 1 − y²."""

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        y = np.tanh(x)

        def backward(dy: Array, gradients: Views) -> Array:
            dx: Array = dy * (1 - y * y)
            return dx

        return y, backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        return np.tanh(x)


@dataclass(frozen=True)
class ReLU(Elementwise):
    """y = max(x, 0); dy/dx is 1 where x > 0, else 0."""

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        y = np.maximum(x, 0)

        def backward(dy: Array, gradients: Views) -> Array:
            return dy * (y > 0)

        return y, backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        return np.maximum(x, 0)


@dataclass(frozen=True)
class LeakyReLU(Elementwise):
    """y = x where x > 0, else slope · x: a unit that is off still learns."""

    slope: float = 0.01

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        def backward(dy: Array, gradients: Views) -> Array:
            return np.where(x > 0, dy, self.slope * dy)

        return self.predict(x, parameters, {}), backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        return np.where(x > 0, x, self.slope * x)
