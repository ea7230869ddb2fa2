"""What many tests share: real digits, and models that are trained once."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkdigits.dataset import Dataset
from inkdigits.formats import save_model
from inkdigits.model import Model
from inkdigits.sources import load
from inkdigits.training import train


@pytest.fixture(scope="session")
def exam() -> Dataset:
    """The 10,000 test digits."""
    return load("mnist:test")


@pytest.fixture(scope="session")
def some(exam: Dataset) -> Dataset:
    """The first 200 test digits."""
    return exam.subset(range(200))


@pytest.fixture(scope="session")
def blink() -> Model:
    """A model that reads well: recipe `blink` on all of MNIST, a third of a second."""
    return train("blink", load("mnist:train"), seed=1, threads=1)


@pytest.fixture(scope="session")
def blink_file(blink: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blink") / "blink.safetensors"
    save_model(blink, path)
    return path


@pytest.fixture(scope="session")
def classic(exam: Dataset) -> Model:
    """The post's network after 2,000 digits: float64, and reads four in five."""
    return train("classic", exam.subset(range(2000)), seed=1, epochs=1, threads=1)
