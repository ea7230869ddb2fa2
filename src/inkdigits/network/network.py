"""Network: layers in a row over one flat vector of parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from inkdigits.errors import ShapeError
from inkdigits.network.copies import check_copies
from inkdigits.network.initialisation import Spread, he
from inkdigits.network.layers import Array, Backward, Context, Layer, Shape, Views
from inkdigits.network.losses import softmax
from inkdigits.network.shortcuts import with_shortcuts

__all__ = ["Network"]


class Network:
    """Pixels in, logits out.

    The network owns one vector `parameters` (P,) and one vector `state` (S,), the running
    statistics; layers see their own parts of them as views. What has the length of a vector can be
    cut the same way with `views`: gradients, momentum, averages.

    Args:
        layers: in the order of the data; the first takes uint8 pixels, the last gives the logits.
        input_shape: the shape of one sample.
        dtype: float32 to work with; float64 for the post's network and for gradient checks.

    Attributes:
        answers: how many logits there are for a sample.
        widest: the most values that a sample has on its way.
        steps: what runs, each with the position of the layer whose parameters it takes.

    Raises:
        ShapeError: a layer cannot take what the one before it gives.
    """

    def __init__(
        self, layers: Sequence[Layer], *, input_shape: Shape = (28, 28), dtype: Any = np.float32
    ) -> None:
        self.layers = tuple(layers)
        self.input_shape = input_shape
        self.dtype = np.dtype(dtype)
        shape, shapes = input_shape, []
        for position, layer in enumerate(self.layers):
            try:
                shape = layer.output_shape(shape)
            except ShapeError as error:
                raise ShapeError(f"layer {position}: {error}") from None
            shapes.append(shape)
        check_copies(self.layers)
        if len(shape) != 1:
            raise ShapeError(
                f"expected the last layer to give one logit an answer, got shape {shape}: "
                "end with Flatten() and Dense(…)"
            )
        self.answers = shape[0]
        self.widest = max(math.prod(each) for each in (input_shape, *shapes))
        self.parameters = np.zeros(total_size(layer.shapes for layer in self.layers), self.dtype)
        self.state = np.zeros(total_size(layer.state_shapes for layer in self.layers), self.dtype)
        self._own = self.views(self.parameters)
        self._own_state = self.state_views(self.state)
        for layer, statistics in zip(self.layers, self._own_state, strict=True):
            for name, array in statistics.items():
                array[...] = layer.initial_values.get(name, 0)
        self.steps = tuple(with_shortcuts(self.layers, shapes))
        learning = [position for position, layer in enumerate(self.layers) if layer.shapes]
        self._first_learning = min(learning, default=len(self.layers))

    def __repr__(self) -> str:
        return f"Network({', '.join(map(str, self.layers))})"

    def views(self, vector: Array) -> list[Views]:
        """A vector (P,) as one mapping of named arrays for each layer, without a copy."""
        return cut(vector, [layer.shapes for layer in self.layers])

    def state_views(self, vector: Array) -> list[Views]:
        """A vector (S,) as one mapping of running statistics for each layer, without a copy."""
        return cut(vector, [layer.state_shapes for layer in self.layers])

    def move_to(self, parameters: Array) -> None:
        """Keeps the parameters in this vector (P,) from now on: memory that others share, say."""
        parameters[:] = self.parameters
        self.parameters = parameters
        self._own = self.views(parameters)

    def initialise(self, generator: np.random.Generator, spread: Spread = he) -> None:
        """Draws the weights from N(0, spread²), and sets all else to what its layer starts from.

        Args:
            generator: anything with `normal`; weights are drawn layer by layer, in rows.
            spread: the rule for the standard deviation, from the layer's position among those
                with weights, its inputs and its outputs.
        """
        for layer, own in zip(self.layers, self._own, strict=True):
            for name, array in own.items():
                array[...] = layer.initial_values.get(name, 0)
        weights = [views["weight"] for views in self.views(self.parameters) if "weight" in views]
        for position, weight in enumerate(weights):
            fan_out, fan_in = weight.shape[0], math.prod(weight.shape[1:])
            weight[:] = generator.normal(0.0, spread(position, fan_in, fan_out), weight.shape)

    def decay_mask(self) -> Array:
        """Where weight decay applies, (P,) bool: weights, not biases."""
        mask = np.zeros(self.parameters.shape, bool)
        for views in self.views(mask):
            if "weight" in views:
                views["weight"][:] = True
        return mask

    def contexts(self, statistics: Array | None = None, *, wants_dx: bool = False) -> list[Context]:
        """One context for each layer, for one thread to train with.

        Args:
            statistics: shape (S,), where the layers write those of the chunk.
            wants_dx: whether dL/dpixels is asked for; layers below the first that learns are
                otherwise spared the way back.
        """
        if statistics is None:
            statistics = np.zeros_like(self.state)
        return [
            Context(wants_dx=wants_dx or position > self._first_learning, statistics=views)
            for position, views in enumerate(self.state_views(statistics))
        ]

    def forward(
        self, x: Array, contexts: Sequence[Context]
    ) -> tuple[Array, Callable[[Array, Sequence[Views]], Array | None]]:
        """The logits, and the way back.

        Args:
            x: shape (*input_shape, N): columns are samples; uint8 pixels, or floats in their place.
            contexts: from `contexts`.

        Returns:
            logits (answers, N), and backward(d_logits, gradients), which writes dL/dparameters into
            the `views` of a vector (P,) and returns dL/dx (None unless the contexts want it).
        """
        backwards: list[tuple[int, Backward]] = []
        for position, step in self.steps:
            x, backward = step.forward(x, self._own[position], contexts[position])
            backwards.append((position, backward))

        def network_backward(d_logits: Array, gradients: Sequence[Views]) -> Array | None:
            dy = d_logits
            for position, backward in reversed(backwards):
                dx = backward(dy, gradients[position])
                if dx is None:
                    return None
                dy = dx
            return dy

        return x, network_backward

    def predict(self, x: Array) -> Array:
        """The logits (answers, N) for x of shape (*input_shape, N)."""
        for position, step in self.steps:
            x = step.predict(x, self._own[position], self._own_state[position])
        return x

    def predict_probabilities(self, x: Array) -> Array:
        """softmax of the logits, (answers, N): each column sums to 1."""
        return softmax(self.predict(x))


def total_size(shapes: Any) -> int:
    return sum(math.prod(shape) for named in shapes for shape in named.values())


def cut(vector: Array, shapes: Sequence[Mapping[str, Shape]]) -> list[Views]:
    """One flat vector as named arrays, layer by layer, in the order of `shapes`."""
    views: list[Views] = []
    start = 0
    for named in shapes:
        own: dict[str, Array] = {}
        for name, shape in named.items():
            size = math.prod(shape)
            own[name] = vector[start : start + size].reshape(shape)
            start += size
        views.append(own)
    return views
