"""Shifted copies: a second look, and a third, at the same digit.

In prediction `ShiftedCopies` hands on each picture several times, moved by a pixel, and
`MeanOfCopies`, the last layer, averages what the layers between make of them. In training both
hand on what they get.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkdigits.errors import ShapeError
from inkdigits.network.layers import Array, Backward, Context, Layer, Shape, Stateless, Views

__all__ = ["MeanOfCopies", "ShiftedCopies", "check_copies"]


class Unchanged(Stateless):
    """A layer that does nothing in training."""

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        def backward(dy: Array, gradients: Views) -> Array:
            return dy

        return x, backward


@dataclass(frozen=True)
class ShiftedCopies(Unchanged):
    """In prediction (H, W, N) becomes (H, W, copies · N): as it is, then moved by a pixel.

    What leaves the frame is lost, what comes in is 0: background, so this stands before `Rescale`.

    Args:
        copies: 5 for up, down, left and right too; 9 for the diagonals as well.
    """

    copies: int = 5

    def output_shape(self, shape: Shape) -> Shape:
        if self.copies not in (5, 9):
            raise ShapeError(f"expected 5 or 9 copies, got {self}: choose one of them")
        if len(shape) != 2:
            raise ShapeError(
                f"{self} expected pictures (height, width), got shape {shape}: "
                "make it the first layer"
            )
        return shape

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        height, width, columns = x.shape
        y = np.zeros((height, width, self.copies, columns), x.dtype)
        framed = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        moves = [(0, 0), (0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)]
        for copy, (down, right) in enumerate(moves[: self.copies]):
            y[:, :, copy] = framed[1 - down : 1 - down + height, 1 - right : 1 - right + width]
        return y.reshape(height, width, -1)


@dataclass(frozen=True)
class MeanOfCopies(Unchanged):
    """In prediction logits (M, copies · N) become their mean over the copies, (M, N).

    The mean of logits is the geometric mean of the probabilities, but for their sum.
    """

    copies: int = 5

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        y: Array = x.reshape(len(x), self.copies, -1).mean(axis=1)
        return y


def check_copies(layers: Sequence[Layer]) -> None:
    """Whether all copies that the layers of a network make are averaged again.

    Raises:
        ShapeError: else the network would give more answers than it is asked for, or fewer.
    """
    came = {
        position: layer
        for position, layer in enumerate(layers)
        if isinstance(layer, ShiftedCopies | MeanOfCopies)
    }
    if not came:
        return
    first, last = layers[0], layers[-1]
    if (
        list(came) != [0, len(layers) - 1]
        or not isinstance(first, ShiftedCopies)
        or last != MeanOfCopies(first.copies)
    ):
        found = " and ".join(f"{layer} as layer {position}" for position, layer in came.items())
        raise ShapeError(
            "expected ShiftedCopies(n) as the first layer and MeanOfCopies(n) as the last, "
            f"got {found}: add, move or remove them"
        )
