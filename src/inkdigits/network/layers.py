"""Layers: what turns pixels into answers, and errors into gradients.

Shapes, everywhere in this package::

    N  columns: the samples of a batch, always the last axis      P  parameters of a whole network
    D  features that come in,  M  features that go out            S  its running statistics
    H, W  height and width of a picture,  H', W'  of what comes out
    C, M  channels of a picture that come in, and go out;  k  height and width of a kernel

**Columns are samples.** A batch of vectors is (D, N), as in the equations of the books: y = Wx + b
holds for one column and for a thousand. A batch of pictures is (H, W, N).

**A layer is three functions.** `forward` computes y and hands back a function `backward`; that
closure remembers what it needs of the way forward, so a layer holds no state of its own and threads
can share it. `backward(dy, gradients)` takes dL/dy, *writes* dL/d(parameter) into the arrays of
`gradients` (overwriting what is there: whoever wants a sum over chunks adds whole vectors), and
returns dL/dx. `predict` is the way forward alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inkdigits.errors import ShapeError

__all__ = [
    "Array",
    "Backward",
    "Context",
    "Dense",
    "Downsample",
    "Dropout",
    "Flatten",
    "Layer",
    "Rescale",
    "Shape",
    "Views",
]

Array = NDArray[Any]
Shape = tuple[int, ...]
Views = Mapping[str, Array]
Backward = Callable[[Array, Views], "Array | None"]


def no_generator() -> np.random.Generator:
    """Stands where nothing random was foreseen; a layer that asks is told how to foresee it."""
    raise RuntimeError("expected Context(generator=…) for a layer that draws random numbers")


@dataclass(slots=True)
class Context:
    """What one layer may need beyond its input while it trains on one chunk.

    Args:
        wants_dx: whether anyone below needs dL/dx; the first layer that learns is spared it.
        generator: returns the chunk's random generator (made on the first call: most layers never
            draw, and making one costs as much as a small layer).
        statistics: where the layer writes the chunk's statistics, one array for each of its
            `state_shapes`; training merges them into the running state in chunk order.
    """

    wants_dx: bool = True
    generator: Callable[[], np.random.Generator] = no_generator
    statistics: Views = field(default_factory=dict)


class Layer(Protocol):
    """What a network asks of a layer. `x` and `y` have the samples on their last axis."""

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """The shape of each parameter by name; a "weight" is what weight decay applies to."""

    @property
    def state_shapes(self) -> Mapping[str, Shape]:
        """The shape of each running statistic by name."""

    @property
    def initial_values(self) -> Mapping[str, float]:
        """What a parameter or statistic starts from, by name, where that is not 0.

        Weights are drawn (see `initialisation`) and have no place here.
        """

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of y without its samples, for an x of `shape` without its samples.

        Raises:
            ShapeError: the layer cannot take such an x.
        """

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        """y, and the function that turns dL/dy into the gradients and dL/dx."""

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        """y, as it is once the training is over."""


class Stateless:
    """A layer without running statistics and, unless it says otherwise, without parameters."""

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return {}

    @property
    def state_shapes(self) -> Mapping[str, Shape]:
        return {}

    @property
    def initial_values(self) -> Mapping[str, float]:
        return {}


@dataclass(frozen=True)
class Dense(Stateless):
    """y = W x + b: every output sees every input; x (D, N) becomes y (M, N).

    Args:
        inputs: D, the features of a column that comes in.
        outputs: M, the features of a column that goes out.
        bias: without it, y = W x, as in the post.
    """

    inputs: int
    outputs: int
    bias: bool = True

    @property
    def shapes(self) -> Mapping[str, Shape]:
        weight = {"weight": (self.outputs, self.inputs)}
        return weight | {"bias": (self.outputs,)} if self.bias else weight

    def output_shape(self, shape: Shape) -> Shape:
        if shape != (self.inputs,):
            raise ShapeError(
                f"{self} expected columns of {self.inputs} features, got shape {shape}: "
                + ("put Flatten() before it" if len(shape) > 1 else f"make it Dense({shape[0]}, …)")
            )
        return (self.outputs,)

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        weight = parameters["weight"]

        def backward(dy: Array, gradients: Views) -> Array | None:
            np.matmul(dy, x.T, out=gradients["weight"])  # dL/dW = dy xᵀ, summed over the columns
            if self.bias:
                dy.sum(axis=1, out=gradients["bias"])
            return weight.T @ dy if context.wants_dx else None

        return self.predict(x, parameters, {}), backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        y: Array = parameters["weight"] @ x  # (M, N)
        if self.bias:
            y += parameters["bias"][:, np.newaxis]
        return y


@dataclass(frozen=True)
class Flatten(Stateless):
    """Every sample as one column: (…, N) becomes (D, N)."""

    def output_shape(self, shape: Shape) -> Shape:
        return (math.prod(shape),)

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        def backward(dy: Array, gradients: Views) -> Array:
            return dy.reshape(x.shape)

        return self.predict(x, parameters, {}), backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


@dataclass(frozen=True)
class Rescale(Stateless):
    """y = scale · x + offset, of any shape: grey values 0 to 255 become what a network likes.

    The scaling is part of the network, so whoever uses it hands over plain uint8 pixels. The post
    takes 0.99/255 and 0.01, which keeps every input above zero: a zero input moves no weight.

    Args:
        scale: factor, applied first.
        offset: what is added then.
        dtype: the precision that the network computes in from here on.
    """

    scale: float = 1 / 255
    offset: float = 0.0
    dtype: str = "float32"

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        def backward(dy: Array, gradients: Views) -> Array:
            return dy * self.scale

        return self.predict(x, parameters, {}), backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        y: Array = np.multiply(x, self.scale, dtype=self.dtype)
        if self.offset:
            y += self.offset
        return y


@dataclass(frozen=True)
class Downsample(Stateless):
    """Each pixel of y (H/f, W/f, N) is the sum of a square of f × f pixels of x (H, W, N).

    The sum of the four and not their mean, so that bytes stay integers; `Rescale` divides
    afterwards. Half the height and width hold nearly all there is to know of a digit, at a
    quarter of the arithmetic.
    """

    factor: int = 2

    def output_shape(self, shape: Shape) -> Shape:
        if self.factor < 2 or len(shape) != 2 or any(side % self.factor for side in shape):
            raise ShapeError(
                f"{self} expected a factor of 2 or more that divides the height and width, "
                f"got shape {shape}: choose another, and put it before Flatten() and Conv2d"
            )
        return (shape[0] // self.factor, shape[1] // self.factor)

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        def backward(dy: Array, gradients: Views) -> Array:
            return dy.repeat(self.factor, axis=0).repeat(self.factor, axis=1)

        return self.predict(x, parameters, {}), backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        wide: Any = x.dtype
        if wide == np.uint8:  # a byte cannot hold two of them, 16 bits hold 16 · 16
            wide = np.uint16 if self.factor <= 16 else np.uint32
        y = added([x[row :: self.factor] for row in range(self.factor)], wide)
        return added([y[:, column :: self.factor] for column in range(self.factor)], wide)


def added(parts: list[Array], wide: Any) -> Array:
    """The sum of two arrays or more, in the type `wide`."""
    total: Array = np.add(parts[0], parts[1], dtype=wide)
    for part in parts[2:]:
        total += part
    return total


@dataclass(frozen=True)
class Dropout(Stateless):
    """Silences each value, in any shape, with `drop_probability` in training (Srivastava 2014).

    The others are divided by the probability of staying, so that the expected value is that of
    the whole layer and prediction needs no correction ("inverted" dropout).
    """

    drop_probability: float = 0.5

    def output_shape(self, shape: Shape) -> Shape:
        if not 0 <= self.drop_probability < 1:
            raise ShapeError(
                f"expected 0 ≤ drop_probability < 1, got {self.drop_probability}: "
                "it is the share of features to silence"
            )
        return shape

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        stay = 1 - self.drop_probability
        mask: Array = (context.generator().random(x.shape, np.float32) < stay).astype(x.dtype)
        mask /= stay

        def backward(dy: Array, gradients: Views) -> Array:
            return dy * mask

        return x * mask, backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        return x
