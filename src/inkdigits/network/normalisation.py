"""Batch norm: every feature at mean 0 and spread 1, whatever the layers before it do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from inkdigits.errors import ShapeError
from inkdigits.network.layers import Array, Backward, Context, Shape, Views

__all__ = ["BatchNorm"]


@dataclass(frozen=True)
class BatchNorm:
    """y = scale · (x − mean) / √(variance + ε) + shift, feature by feature (Ioffe, Szegedy 2015).

    In training, mean and variance are those of the chunk: over its samples, and for pictures
    (C, H, W, N) over all places of a channel too. In prediction they are the running ones.

    Args:
        features: D of columns (D, N), C of pictures.
        scale: whether a factor is learned; before a ReLU the next layer can do without.
        epsilon: keeps the division finite where a feature never changes.
    """

    features: int
    scale: bool = True
    epsilon: float = 1e-5

    @property
    def shapes(self) -> Mapping[str, Shape]:
        names = ("scale", "shift") if self.scale else ("shift",)
        return dict.fromkeys(names, (self.features,))

    @property
    def state_shapes(self) -> Mapping[str, Shape]:
        return {"mean": (self.features,), "variance": (self.features,)}

    @property
    def initial_values(self) -> Mapping[str, float]:
        return {"scale": 1.0, "variance": 1.0}

    def output_shape(self, shape: Shape) -> Shape:
        if not 0 < self.epsilon < math.inf:
            raise ShapeError(f"expected an epsilon of more than 0, got {self.epsilon}: try 1e-5")
        if shape[0] != self.features or len(shape) == 2:
            raise ShapeError(
                f"{self} expected columns ({self.features},) or pictures ({self.features}, height, "
                f"width), got shape {shape}: "
                + (
                    f"make it BatchNorm({shape[0]}, …)"
                    if len(shape) != 2
                    else "put it after Conv2d"
                )
            )
        return shape

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        dtype = parameters["shift"].dtype
        rows = x.reshape(self.features, -1).astype(dtype, copy=False)  # all values of a feature
        count = rows.shape[1]
        ones = np.ones(count, dtype)
        mean = (rows @ ones / count)[:, np.newaxis]  # a product adds up faster than a sum
        normal = rows - mean
        variance = np.einsum("fn,fn->f", normal, normal) / count
        context.statistics["mean"][:] = mean[:, 0]
        # The population's variance, not the sample's, is what prediction should divide by.
        context.statistics["variance"][:] = variance * (count / max(1, count - 1))
        factor = (1 / np.sqrt(variance + self.epsilon))[:, np.newaxis]
        normal *= factor
        y = normal * parameters["scale"][:, np.newaxis] if self.scale else normal.copy()
        y += parameters["shift"][:, np.newaxis]

        def backward(dy: Array, gradients: Views) -> Array | None:
            dy = dy.reshape(rows.shape)
            shift_gradient = dy @ ones
            scale_gradient = np.einsum("fn,fn->f", dy, normal)
            gradients["shift"][:] = shift_gradient
            if self.scale:
                gradients["scale"][:] = scale_gradient
            if not context.wants_dx:
                return None
            # A change of x also moves mean and variance: dx loses what lies along 1 and `normal`.
            dx: Array = normal * (-scale_gradient / count)[:, np.newaxis]
            dx += dy
            dx -= (shift_gradient / count)[:, np.newaxis]
            dx *= factor * parameters["scale"][:, np.newaxis] if self.scale else factor
            return dx.reshape(x.shape)

        return y.reshape(x.shape), backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        factor = 1 / np.sqrt(state["variance"] + self.epsilon)
        if self.scale:
            factor *= parameters["scale"]
        offset = parameters["shift"] - state["mean"] * factor
        across = (self.features, *[1] * (x.ndim - 1))
        y: Array = x * factor.reshape(across)
        y += offset.reshape(across)
        return y
