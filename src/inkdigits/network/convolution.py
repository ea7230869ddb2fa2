"""Convolution: the same small weights at every place of a picture, as one matrix product.

A picture with channels is (C, H, W), a chunk of them (C, H, W, N); one channel may leave its axis
out. With the samples on the last axis, a patch's pixel is a run of N numbers for each place, so
laying out all patches copies long runs, and the product has room for a fast BLAS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from inkdigits.errors import ShapeError
from inkdigits.network.layers import Array, Backward, Context, Shape, Stateless, Views

__all__ = ["Conv2d", "added_windows", "windows", "with_channels"]


def with_channels(shape: Shape, layer: object) -> Shape:
    """(C, H, W) for a picture of that shape, or of (H, W), which is one channel.

    Raises:
        ShapeError: it is no picture.
    """
    if len(shape) not in (2, 3):
        raise ShapeError(
            f"{layer} expected pictures (channels, height, width) or (height, width), "
            f"got shape {shape}: put it before the layer that makes columns, such as Flatten()"
        )
    return shape if len(shape) == 3 else (1, *shape)


def windows(x: Array, size: int, stride: int) -> Array:
    """All squares of size × size pixels of x (C, H, W, N), a view (C, size, size, H', W', N).

    Entry [c, i, j, h, w] is pixel (i, j) of the square whose corner is at (h, w) · stride.
    """
    channels, height, width, columns = x.shape
    channel, row, column, sample = x.strides
    across = (height - size) // stride + 1, (width - size) // stride + 1
    return as_strided(
        x,
        (channels, size, size, *across, columns),
        (channel, row, column, row * stride, column * stride, sample),
        writeable=False,
    )


def added_windows(patches: Array, stride: int, like: Array) -> Array:
    """An array like `like` in which each pixel is the sum of its places in `patches`.

    `windows` run backwards: what they copy, this adds up.
    """
    total = np.zeros_like(like)
    _, size, _, height, width, _ = patches.shape
    for i in range(size):
        for j in range(size):
            rows = slice(i, i + height * stride, stride)
            columns = slice(j, j + width * stride, stride)
            total[:, rows, columns] += patches[:, i, j]
    return total


@dataclass(frozen=True)
class Conv2d(Stateless):
    """y[m, h, w] = Σ W[m, c, i, j] · x[c, h·stride + i, w·stride + j] + b[m], at every place.

    The patches that the weights meet are laid out as columns, (C·k·k, H'·W'·N), which makes it the
    product of a dense layer (Chellapilla et al. 2006, "im2col").

    Args:
        inputs: C, channels that come in.
        outputs: M, channels that go out.
        kernel: k, the height and width of the weights.
        stride: from one place to the next, in pixels.
        padding: "valid": only where the kernel lies inside; "same": zeros around, so that the
            places on a side are H / stride, rounded up.
        bias: without it, b = 0: batch norm after it adds its own.
    """

    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    padding: str = "valid"
    bias: bool = True

    @property
    def shapes(self) -> Mapping[str, Shape]:
        weight: dict[str, Shape] = {"weight": (self.outputs, self.inputs, self.kernel, self.kernel)}
        return weight | {"bias": (self.outputs,)} if self.bias else weight

    def output_shape(self, shape: Shape) -> Shape:
        if min(self.inputs, self.outputs, self.kernel, self.stride) < 1:
            raise ShapeError(
                f"expected channels, kernel and stride of 1 or more, got {self}: give them 1"
            )
        if self.padding not in ("valid", "same"):
            raise ShapeError(f'expected padding "valid" or "same", got {self.padding!r:.80}')
        channels, height, width = with_channels(shape, self)
        if channels != self.inputs:
            raise ShapeError(
                f"{self} expected pictures ({self.inputs}, height, width), got shape {shape}: "
                f"make it Conv2d({channels}, …)"
            )
        (above, below), (left, right) = self.margins(height), self.margins(width)
        sides = height + above + below, width + left + right
        if min(sides) < self.kernel:
            raise ShapeError(
                f"{self} expected pictures of {self.kernel} × {self.kernel} pixels or more, got "
                f'shape {shape}: make the kernel smaller, pad to "same", or pool less before it'
            )
        return (self.outputs, *((side - self.kernel) // self.stride + 1 for side in sides))

    def margins(self, side: int) -> tuple[int, int]:
        """How many zeros to put before and after a side of so many pixels."""
        if self.padding == "valid":
            return 0, 0
        places = -(-side // self.stride)
        zeros = max(0, (places - 1) * self.stride + self.kernel - side)
        return zeros // 2, zeros - zeros // 2

    def padded(self, x: Array, dtype: Any) -> Array:
        """x with its channels and margins, (C, H + …, W + …, N), rows of samples together."""
        *_, height, width, columns = x.shape
        x = np.ascontiguousarray(x, dtype).reshape(self.inputs, height, width, columns)
        if self.padding == "valid":
            return x
        return np.pad(x, ((0, 0), self.margins(height), self.margins(width), (0, 0)))

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        dtype = parameters["weight"].dtype
        padded = self.padded(x, dtype)
        patches = windows(padded, self.kernel, self.stride)  # (C, k, k, H', W', N)
        columns = patches.reshape(self.inputs * self.kernel**2, -1)  # (C·k·k, H'·W'·N), a copy
        weight = parameters["weight"].reshape(self.outputs, -1)  # (M, C·k·k)
        y: Array = weight @ columns
        if self.bias:
            y += parameters["bias"][:, np.newaxis]

        def backward(dy: Array, gradients: Views) -> Array | None:
            dy = dy.reshape(self.outputs, -1)
            gradients["weight"].reshape(weight.shape)[:] = (columns @ dy.T).T
            if self.bias:
                dy.sum(axis=1, out=gradients["bias"])
            if not context.wants_dx:
                return None
            d_patches = (weight.T @ dy).reshape(patches.shape)
            return self.without_margins(added_windows(d_patches, self.stride, padded), x.shape)

        return y.reshape(self.outputs, *patches.shape[3:]), backward

    def without_margins(self, padded: Array, shape: Shape) -> Array:
        """What lies inside the margins, as an array of `shape`."""
        *_, height, width, _ = shape
        above, left = self.margins(height)[0], self.margins(width)[0]
        return padded[:, above : above + height, left : left + width].reshape(shape)

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        return self.forward(x, parameters, Context())[0]
