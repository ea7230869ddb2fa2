"""What the tests of every format share: a few hundred real digits, and how a refusal is judged."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError, FileError
from inkdigits.sources import load


@pytest.fixture(scope="session")
def few() -> Dataset:
    """The first 300 digits of the test set."""
    return load("mnist:test").subset(range(300))


@pytest.fixture
def refusal() -> Callable[..., str]:
    """Loads what must be refused and returns the message: one line, within 10 MB of memory."""

    def refused(name: Path | str) -> str:
        tracemalloc.start()
        with pytest.raises((DataError, FileError)) as caught:
            load(name)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 10e6
        message = str(caught.value)
        assert "\n" not in message
        return message

    return refused
