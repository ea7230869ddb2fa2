"""Arithmetic: how one number of a network comes about, so that it can be checked by hand.

A network is sums of products, and a few other small rules; here is what goes into one of them, cell
by cell, what the rule makes of it, and what the layer itself gave.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.errors import ShapeError
from inkdigits.inspection.activations import check, checked_unit, code_of, passages
from inkdigits.network import (
    AveragePool2d,
    BatchNorm,
    Conv2d,
    Dense,
    Downsample,
    Dropout,
    Flatten,
    GlobalAveragePool,
    LeakyReLU,
    MaxPool2d,
    MeanOfCopies,
    Network,
    ReLU,
    Rescale,
    ShiftedCopies,
    Sigmoid,
    Tanh,
)
from inkdigits.network.activations import sigmoid
from inkdigits.network.layers import Array, Views

__all__ = ["Arithmetic", "unit_arithmetic"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Arithmetic:
    """One number of a layer, and what it is made of.

    Args:
        kind: the name of the layer's class.
        code: the method that computes it.
        formula: in symbols: x is the patch, w the weights, b the bias, other names are `numbers`.
        note: what else there is to know of it, a sentence.
        patch: what goes in, float64: (C, k, k) of a convolution with the zeros of its margins,
            (D,) of a dense layer, (size, size) or (H, W) of what a pooling looks at, else (1,).
        origin: the index of the patch's first value in what the layer takes: (channel, row,
            column), (row, column) or (feature,); negative where the patch begins in the margin.
        weights: of the same shape as the patch; None where there are none.
        bias: 0 where there is none.
        numbers: others in the formula, by their names.
        chosen: index in the flattened patch of the value that a max-pooling hands on; else None.
        sum: what the formula gives, in float64.
        value: what the layer gave: the same but for the rounding of its own precision.
    """

    kind: str
    code: str
    formula: str
    note: str
    patch: Floats
    origin: tuple[int, ...]
    weights: Floats | None = None
    bias: float = 0.0
    numbers: dict[str, float] = field(default_factory=dict)
    chosen: int | None = None
    sum: float
    value: float


Said = Callable[..., Arithmetic]  # `Arithmetic` with kind, code and value already given


def unit_arithmetic(
    network: Network,
    glyph: NDArray[np.uint8],
    layer: int,
    unit: int,
    row: int | None = None,
    column: int | None = None,
) -> Arithmetic:
    """How the number of one unit comes about, in a picture at one place.

    Where a network looks at shifted copies too, it is that of the first, which is not shifted.

    Args:
        network: of any architecture.
        glyph: shape (28, 28), uint8.
        layer: its position, from 0.
        unit: channel or feature; 0 where the layer gives one picture without channels.
        row: of a picture; None where the layer gives features.
        column: as well.

    Raises:
        ShapeError: there is no such layer, unit, row or column.
        DataError: the glyph has another shape or type.
    """
    index = checked_index(network, layer, unit, row, column)
    kind, x, y = passages(network, glyph, layer + 1)[-1]
    parameters = network.views(network.parameters)[layer]
    state = network.state_views(network.state)[layer]
    value = float(y[index][0])

    def said(**parts: Any) -> Arithmetic:
        return Arithmetic(kind=type(kind).__name__, code=code_of(kind), value=value, **parts)

    with np.errstate(over="ignore", invalid="ignore"):
        match kind:
            case Conv2d():
                return convolved(said, kind, x, index, parameters)
            case Dense():
                return multiplied(said, x, index, parameters)
            case MaxPool2d() | AveragePool2d() | Downsample():
                return pooled(said, kind, x, index)
            case GlobalAveragePool():
                return averaged(said, x, index)
            case BatchNorm():
                return normalised(said, kind, x, index, parameters, state)
            case MeanOfCopies():
                patch = x[index].astype(np.float64)
                return said(
                    formula=f"y = Σ x / {len(patch)}",
                    note="The answers to the shifted copies; the first was not shifted.",
                    patch=patch,
                    origin=index,
                    sum=float(patch.mean()),
                )
            case _:
                return moved(said, kind, x, index)


def checked_index(
    network: Network, layer: int, unit: int, row: int | None, column: int | None
) -> tuple[int, ...]:
    """The place in what the layer gives: (unit,), (row, column) or (unit, row, column)."""
    shape = checked_unit(network, layer, unit)
    if len(shape) == 1:
        if row is not None or column is not None:
            raise ShapeError(
                f"expected no row and column in layer {layer}, {network.layers[layer]}, "
                f"got row {row} and column {column}: its {shape[0]} features have no place"
            )
        return (unit,)
    height, width = shape[-2:]
    if row is None or column is None:
        raise ShapeError(
            f"expected a row from 0 to {height - 1} and a column from 0 to {width - 1}, "
            f"got row {row} and column {column}: choose a place in the picture"
        )
    check("a row", row, height, f"layer {layer} gives pictures of {height} × {width}")
    check("a column", column, width, f"layer {layer} gives pictures of {height} × {width}")
    return (row, column) if len(shape) == 2 else (unit, row, column)


def convolved(
    said: Said, layer: Conv2d, x: Array, index: tuple[int, ...], parameters: Views
) -> Arithmetic:
    """Of a convolution: the patch under the kernel, the kernel, and their products' sum."""
    unit, row, column = index
    *channels, height, width, _ = x.shape
    padded = layer.padded(x[..., :1], np.float64)[..., 0]
    top, left = row * layer.stride, column * layer.stride
    patch = padded[:, top : top + layer.kernel, left : left + layer.kernel]
    top, left = top - layer.margins(height)[0], left - layer.margins(width)[0]
    inside = min(top, left) >= 0 and top + layer.kernel <= height and left + layer.kernel <= width
    return weighted(
        said,
        patch,
        (*([0] if channels else []), top, left),
        parameters,
        unit,
        "The same weights at every place." if inside else "Beyond the edge there are zeros.",
    )


def multiplied(said: Said, x: Array, index: tuple[int, ...], parameters: Views) -> Arithmetic:
    """Of a dense layer: all that goes in, the unit's weights, and their products' sum."""
    return weighted(said, x[:, 0], (0,), parameters, index[0], "Every input has its own weight.")


def weighted(
    said: Said, patch: Array, origin: tuple[int, ...], parameters: Views, unit: int, note: str
) -> Arithmetic:
    """y = Σ x·w + b, with the weights of one unit."""
    weights = parameters["weight"][unit].astype(np.float64)
    bias = float(parameters["bias"][unit]) if "bias" in parameters else 0.0
    patch = patch.astype(np.float64)
    return said(
        formula="y = Σ x·w + b" if "bias" in parameters else "y = Σ x·w",
        note=note,
        patch=patch,
        origin=origin,
        weights=weights,
        bias=bias,
        sum=float(np.vdot(patch, weights)) + bias,
    )


def pooled(
    said: Said, layer: MaxPool2d | AveragePool2d | Downsample, x: Array, index: tuple[int, ...]
) -> Arithmetic:
    """Of a square that becomes one value: the square, and what is chosen or added up."""
    size = layer.factor if isinstance(layer, Downsample) else layer.size
    *channel, row, column = index
    top, left = row * size, column * size
    picture = x[tuple(channel)][..., 0].astype(np.float64)
    square = picture[top : top + size, left : left + size]
    parts = {"patch": square, "origin": (*channel, top, left)}
    if isinstance(layer, MaxPool2d):
        chosen = int(square.argmax())
        return said(
            formula="y = max x",
            note="The largest is handed on; of equals, the first.",
            chosen=chosen,
            sum=float(square.flat[chosen]),
            **parts,
        )
    if isinstance(layer, AveragePool2d):
        note = "The mean of a square."
        return said(formula=f"y = Σ x / {size**2}", note=note, sum=float(square.mean()), **parts)
    note = "The sum of a square; Rescale divides it."
    return said(formula="y = Σ x", note=note, sum=float(square.sum()), **parts)


def averaged(said: Said, x: Array, index: tuple[int, ...]) -> Arithmetic:
    """Of a mean over a whole channel: the channel."""
    channel = index if x.ndim == 4 else ()
    picture = x[channel][..., 0].astype(np.float64)
    return said(
        formula=f"y = Σ x / {picture.size}",
        note="The mean of a whole channel.",
        patch=picture,
        origin=(*channel, 0, 0),
        sum=float(picture.mean()),
    )


def normalised(
    said: Said, layer: BatchNorm, x: Array, index: tuple[int, ...], parameters: Views, state: Views
) -> Arithmetic:
    """Of batch norm: the value, and the feature's mean, variance, scale and shift."""
    unit = index[0]
    numbers = {name: float(array[unit]) for name, array in (*state.items(), *parameters.items())}
    numbers["ε"] = layer.epsilon
    value = float(x[index][0])
    normal = (value - numbers["mean"]) / np.sqrt(numbers["variance"] + layer.epsilon)
    scale = "scale · " if layer.scale else ""
    return said(
        formula=f"y = {scale}(x − mean) / √(variance + ε) + shift",
        note="Mean and variance are those seen in training.",
        patch=np.array([value]),
        origin=index,
        numbers=numbers,
        sum=float(numbers.get("scale", 1.0) * normal + numbers["shift"]),
    )


def moved(said: Said, layer: object, x: Array, index: tuple[int, ...]) -> Arithmetic:
    """Of a layer that makes one value of one value: which, and what becomes of it.

    Raises:
        ShapeError: the layer is of a kind that is not known here.
    """
    origin = index
    if isinstance(layer, Flatten):
        origin = tuple(int(axis) for axis in np.unravel_index(index[0], x.shape[:-1]))
    value = float(x[(*origin, 0)])
    result, note, numbers = value, "Each value by itself.", {}
    match layer:
        case Flatten():
            formula, note = "y = x", "The same values in one column, row by row."
        case Dropout():
            formula, note = "y = x", "Only training silences some."
        case ShiftedCopies():
            formula, note = "y = x", "The copy that is not shifted."
        case Rescale():
            formula = "y = scale · x + offset"
            numbers = {"scale": layer.scale, "offset": layer.offset}
            result = layer.scale * value + layer.offset
        case ReLU():
            formula, result = "y = max(x, 0)", max(value, 0.0)
        case LeakyReLU():
            formula, numbers = "y = x where x > 0, else slope · x", {"slope": layer.slope}
            result = value if value > 0 else layer.slope * value
        case Sigmoid():
            formula, result = "y = 1 / (1 + e⁻ˣ)", float(sigmoid(np.array(value)))
        case Tanh():
            formula, result = "y = tanh x", math.tanh(value)
        case _:
            raise ShapeError(f"expected a layer of a known kind, got {layer}: choose another")
    return said(
        formula=formula,
        note=note,
        patch=np.array([value]),
        origin=origin,
        numbers=numbers,
        sum=result,
    )
