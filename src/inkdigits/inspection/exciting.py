"""Exciting images: what a unit answers to most strongly says what it has learned to look for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import checked_images
from inkdigits.errors import DataError
from inkdigits.inspection.activations import checked_unit
from inkdigits.inspection.prefix import first_layers
from inkdigits.network import Network
from inkdigits.parallel import PREDICTED_VALUES, Crew, Member

__all__ = ["Excitement", "Exciting", "excitement", "exciting"]


@dataclass(frozen=True, eq=False)
class Exciting:
    """The images that excite one unit most, the most exciting first.

    Args:
        indices: shape (K,), their places in the data.
        values: shape (K,), the highest value that the unit takes in each.
        places: shape (K, 2), row and column where it takes it, the first of equals; None where the
            unit is a feature and has no place.
    """

    indices: NDArray[np.intp]
    values: NDArray[np.float64]
    places: NDArray[np.intp] | None


@dataclass(frozen=True, eq=False)
class Excitement:
    """How strongly each of N images excites each of U units of one layer.

    Args:
        values: shape (N, U), the highest value that the unit takes in the image.
        places: shape (N, U), int32, the flat index of it in the unit's picture.
        width: of that picture; None where the units are features.
    """

    values: NDArray[Any]
    places: NDArray[np.int32]
    width: int | None

    def of(self, unit: int, count: int) -> Exciting:
        """The `count` images that excite this unit most; fewer where there are no more."""
        values = self.values[:, unit].astype(np.float64)
        order = np.argsort(-values, kind="stable")[:count]
        if self.width is None:
            return Exciting(order, values[order], None)
        places = self.places[order, unit].astype(np.intp)
        rows_columns = np.stack(np.divmod(places, self.width), axis=1)
        return Exciting(order, values[order], rows_columns)


def exciting(
    network: Network, images: NDArray[np.uint8], layer: int, unit: int, count: int = 12
) -> Exciting:
    """Which images excite a unit most: in which does it take the highest value, and where?

    Args:
        network: of any architecture; shifted copies take no part but in their mean.
        images: shape (N, 28, 28), uint8.
        layer: its position, from 0.
        unit: channel or feature; 0 where the layer gives one picture without channels.
        count: how many; fewer where there are no more.

    Raises:
        ShapeError: there is no such layer or unit.
        DataError: the images have another shape or type, or the count is not 1 or more.
    """
    if count < 1:
        raise DataError(f"expected to ask for 1 image or more, got {count}: try 12")
    checked_unit(network, layer, unit)
    return excitement(network, images, layer, units=slice(unit, unit + 1)).of(0, count)


def excitement(
    network: Network, images: NDArray[np.uint8], layer: int, *, units: slice = slice(None)
) -> Excitement:
    """How strongly images excite the units of a layer; arguments and errors as above.

    It takes as long for all units as for one, and memory for a chunk of images (20 MB for the
    shipped reader) and for a value and a place of each image and unit.
    """
    images = checked_images(images)
    shape = checked_unit(network, layer, 0)
    pictures = len(shape) > 1
    channels = 1 if len(shape) == 2 else shape[0]
    first = first_layers(network, layer + 1)
    chosen = len(range(channels)[units])
    values = np.empty((len(images), chosen), network.dtype)
    places = np.empty((len(images), chosen), np.int32)
    size = max(16, PREDICTED_VALUES // first.widest)
    starts = range(0, len(images), size)

    def program(member: Member) -> None:
        for lane in member.lanes:
            chunk = slice(starts[lane], starts[lane] + size)
            with np.errstate(over="ignore", invalid="ignore"):
                y = first.predict(images[chunk].transpose(1, 2, 0))  # (U·H·W, N)
            y = y.reshape(channels, math.prod(shape[-2:]) if pictures else 1, -1)[units]
            highest = y.argmax(axis=1, keepdims=True)  # (U, 1, N)
            values[chunk] = np.take_along_axis(y, highest, axis=1)[:, 0].T
            places[chunk] = highest[:, 0].T

    Crew(len(starts), None).run(program)
    return Excitement(values, places, shape[-1] if pictures else None)
