"""What the tests of training share: a few hundred real digits, and a recipe that is quick."""

from __future__ import annotations

import pytest

from inkdigits.dataset import Dataset
from inkdigits.network import (
    Adam,
    Dense,
    Downsample,
    Dropout,
    Flatten,
    ReLU,
    Rescale,
    SoftmaxCrossEntropy,
)
from inkdigits.sources import load
from inkdigits.training import Recipe
from inkdigits.training.schedules import Constant


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """330 digits: with batches of 100 in chunks of 32, neither comes out even."""
    return load("mnist:train").subset(slice(330))


@pytest.fixture
def tiny() -> Recipe:
    """A small network with Dropout. Its full batches are chunks of 32, 32, 32 and 4; its last 30.

    So with three lanes one of them has two chunks of a full batch, and two have none of the last.
    """
    return Recipe(
        name="tiny",
        purpose="a test's",
        layers=(
            Downsample(2),
            Rescale(1 / 1020),
            Flatten(),
            Dense(196, 16),
            ReLU(),
            Dropout(0.2),
            Dense(16, 10),
        ),
        loss=SoftmaxCrossEntropy(),
        optimizer=Adam(),
        schedule=Constant(0.01),
        epochs=2,
        batch=100,
        chunk=32,
        lanes=3,
    )
