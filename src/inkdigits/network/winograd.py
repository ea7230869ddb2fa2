"""Winograd's convolution: 36 multiplications where the definition takes 144.

Sixteen neighbouring outputs of a 3 × 3 convolution, 4 × 4 places, depend on 6 × 6 pixels. In one
dimension: four outputs of a filter with three weights are coefficients of a product of two
polynomials, and to know that product it is enough to know it at six points: evaluate the pixels
and the weights there, multiply value by value, interpolate. Evaluating and interpolating are fixed
matrices (Lavin and Gray 2016, points 0, ±1, ±2, ∞)::

    y = A [(G w) ∘ (B d)]          d six pixels, w three weights, y four outputs

In two dimensions each matrix acts on rows and on columns, which is its Kronecker product with
itself on the 36 pixels laid in one column. Summed over the channels, ∘ becomes 36 small matrix
products. All of it is linear but ∘, so the way back is the same matrices transposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from inkdigits.network.convolution import Conv2d, added_windows, windows
from inkdigits.network.layers import Array, Backward, Context, Shape, Views

__all__ = ["WinogradConv2d"]

TILE = 4  # outputs on a side
SIDE = 6  # pixels that they depend on

A = np.array(
    [
        [1, 1, 1, 1, 1, 0],
        [0, 1, -1, 2, -2, 0],
        [0, 1, 1, 4, 4, 0],
        [0, 1, -1, 8, -8, 1],
    ]
)
B = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
A2, B2, G2 = (np.kron(matrix, matrix) for matrix in (A, B, G))  # (16, 36), (36, 36), (36, 9)


@dataclass(frozen=True)
class WinogradConv2d:
    """`Conv2d` with a 3 × 3 kernel and stride 1, in tiles of 4 × 4 outputs.

    In float32 its answers are off by 3e-6 of the largest with 16 channels, 9e-6 with 128: ten times
    the rounding of the definition (tests/network/test_shortcuts.py).
    """

    convolution: Conv2d

    @staticmethod
    def pays(convolution: Conv2d, shape: Shape) -> bool:
        """Whether this is faster for outputs of `shape` (M, H, W).

        It takes mostly whole tiles (1.44 times the outputs was slower than the definition, 1.31 no
        faster), and 16 channels or more on both sides, for the transforms cost as much as some 36
        more that come in and 16 more that go out.
        """
        outputs, height, width = shape
        tiles = -(-height // TILE) * -(-width // TILE)
        return (
            (convolution.kernel, convolution.stride) == (3, 1)
            and min(convolution.inputs, outputs) >= 16
            and tiles * TILE * TILE <= 1.3 * height * width
        )

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        layer, dtype = self.convolution, parameters["weight"].dtype
        a, b, g = (matrix.astype(dtype) for matrix in (A2, B2, G2))
        padded, shape = self.padded(x, dtype)
        tiles = windows(padded, SIDE, TILE).transpose(1, 2, 0, 3, 4, 5)  # (6, 6, C, H/4, W/4, N)
        *_, down, across, columns = tiles.shape
        places = down * across * columns  # L
        pixels = (b @ tiles.reshape(36, -1)).reshape(36, layer.inputs, places)
        weights = (g @ parameters["weight"].reshape(-1, 9).T).reshape(36, layer.outputs, -1)
        products = weights @ pixels  # (36, M, L), summed over the channels
        values = (a @ products.reshape(36, -1)).reshape(
            TILE, TILE, layer.outputs, down, across, columns
        )
        y = values.transpose(2, 3, 0, 4, 1, 5).reshape(
            layer.outputs, down * TILE, across * TILE, columns
        )
        if layer.bias:
            y += parameters["bias"].reshape(-1, 1, 1, 1)

        def backward(dy: Array, gradients: Views) -> Array | None:
            if layer.bias:
                dy.reshape(layer.outputs, -1).sum(axis=1, out=gradients["bias"])
            d_y = np.zeros_like(y)
            d_y[:, : shape[0], : shape[1]] = dy
            d_y = d_y.reshape(layer.outputs, down, TILE, across, TILE, columns)
            d_values = d_y.transpose(2, 4, 0, 1, 3, 5).reshape(16, -1)
            d_products = (a.T @ d_values).reshape(products.shape)
            d_weights = d_products @ pixels.transpose(0, 2, 1)  # (36, M, C)
            gradients["weight"].reshape(-1, 9)[:] = (g.T @ d_weights.reshape(36, -1)).T
            if not context.wants_dx:
                return None
            d_pixels = weights.transpose(0, 2, 1) @ d_products  # (36, C, L)
            d_tiles = (b.T @ d_pixels.reshape(36, -1)).reshape(tiles.shape)
            dx = added_windows(d_tiles.transpose(2, 0, 1, 3, 4, 5), TILE, padded)
            return layer.without_margins(dx, x.shape)

        return np.ascontiguousarray(y[:, : shape[0], : shape[1]]), backward

    def padded(self, x: Array, dtype: Any) -> tuple[Array, tuple[int, int]]:
        """x with its margins and with zeros that fill up the last tiles; height and width of y."""
        padded = self.convolution.padded(x, dtype)
        _, height, width, _ = padded.shape
        down, across = -(-(height - 2) // TILE), -(-(width - 2) // TILE)
        more = (down * TILE + 2 - height), (across * TILE + 2 - width)
        if any(more):
            padded = np.pad(padded, ((0, 0), (0, more[0]), (0, more[1]), (0, 0)))
        return padded, (height - 2, width - 2)

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        return self.forward(x, parameters, Context())[0]
