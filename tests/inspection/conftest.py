"""Networks that have every kind of layer, with random weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigits.network import (
    AveragePool2d,
    BatchNorm,
    Conv2d,
    Dense,
    Downsample,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Layer,
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

Maker = Callable[..., Network]


def layers_of(kind: str, dtype: str) -> list[Layer]:
    """The layers of one of the test networks."""
    if kind == "copies":
        return [
            ShiftedCopies(5),
            Downsample(2),
            Rescale(1 / 1020, -0.2, dtype=dtype),
            Conv2d(1, 3, 3, padding="same"),
            BatchNorm(3),
            LeakyReLU(0.1),
            MaxPool2d(2),
            Conv2d(3, 4, 4, stride=2, padding="same", bias=False),
            Sigmoid(),
            AveragePool2d(2),
            Dropout(0.5),
            Tanh(),
            Flatten(),
            Dense(16, 5, bias=False),
            BatchNorm(5, scale=False),
            ReLU(),
            Dense(5, 11),
            MeanOfCopies(5),
        ]
    if kind == "pools":
        return [
            Rescale(0.0125, -0.4, dtype=dtype),
            MaxPool2d(3),  # a row and a column are left over
            AveragePool2d(2),
            Conv2d(1, 5, 2, stride=3),
            GlobalAveragePool(),
            Dense(5, 10),
        ]
    if kind == "one channel":
        return [Rescale(dtype=dtype), GlobalAveragePool(), Flatten(), Dense(1, 10)]
    return [
        Rescale(1 / 255, dtype=dtype),
        Conv2d(1, 16, 5, bias=False),
        MaxPool2d(2),
        ReLU(),
        Conv2d(16, 16, 3, padding="same"),
        ReLU(),
        Flatten(),
        Dense(16 * 144, 10),
    ]


@pytest.fixture(scope="session")
def make() -> Maker:
    """A network by name: "copies", "pools", "one channel" or "shortcuts"; all is random in it."""

    def made(kind: str, dtype: str = "float32") -> Network:
        network = Network(layers_of(kind, dtype), dtype=dtype)
        chance = np.random.default_rng(1)
        network.initialise(chance)
        for views in network.views(network.parameters):
            for name, array in views.items():
                if name != "weight":
                    array[...] = chance.normal(size=array.shape)
        for views in network.state_views(network.state):
            for name, array in views.items():
                low = 0.5 if name == "variance" else -1.0
                array[...] = chance.uniform(low, 2, array.shape)
        return network

    return made


@pytest.fixture(scope="session")
def glyph() -> NDArray[Any]:
    """No digit: a glyph without any symmetry, with ink up to the frame."""
    return np.random.default_rng(2).integers(0, 256, (28, 28), np.uint8)
