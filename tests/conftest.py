"""What many tests share: real digits, models that are trained once, and a browser."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from inkdigits.dataset import Dataset
from inkdigits.formats import load_model, save_model
from inkdigits.model import Model
from inkdigits.sources import load
from inkdigits.training import train

# No deadline: how long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("all", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=20)
hypothesis.settings.load_profile("all")

# A shell that starts the tests in the background has them ignore Ctrl-C, which some of them send.
signal.signal(signal.SIGINT, signal.default_int_handler)

XDIST_WORKER = "PYTEST_XDIST_WORKER" in os.environ


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what its fixtures make slow; a browser is last: Playwright's threads forbid forks."""
    marks = {"browser": "browser", "spawn": "slow", "runs": "slow"}  # these start processes
    for item in items:
        for name in marks.keys() & getattr(item, "fixturenames", ()):
            item.add_marker(marks[name])
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if XDIST_WORKER and item.get_closest_marker("serial"):
        pytest.skip(
            "an xdist worker has threads and a busy neighbour: pytest -m serial, without -n"
        )


@pytest.fixture(scope="session")
def exam() -> Dataset:
    """The 10,000 test digits."""
    return load("mnist:test")


@pytest.fixture(scope="session")
def some(exam: Dataset) -> Dataset:
    """The first 200 test digits."""
    return exam.subset(range(200))


@pytest.fixture(scope="session")
def validation() -> Dataset:
    """The last 10,000 of the 60,000 training digits."""
    return load("mnist:validation")


@pytest.fixture(scope="session")
def reader() -> Model:
    """The shipped model."""
    return load_model("reader")


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


@pytest.fixture(scope="module", autouse=True)
def no_child_is_left() -> Iterator[None]:
    """Spawned processes leave Python's own tracker of shared memory behind, and tests count."""
    yield
    tracker = resource_tracker._resource_tracker  # type: ignore[attr-defined]
    if tracker._pid is not None:
        tracker._stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[tuple[Any, asyncio.AbstractEventLoop]]:
    """Headless Chromium, and the loop that Playwright runs in this thread."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = os.environ.get("INKDIGITS_CHROMIUM") or shutil.which("chromium")
    if program is None:
        pytest.skip("no browser: install chromium, or name one in INKDIGITS_CHROMIUM")
    playwright.expect.set_options(timeout=120_000)  # a busy machine takes its time
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=program, args=["--no-sandbox"])
        loop = asyncio.get_running_loop()
        yield chromium, loop
        asyncio._set_running_loop(loop)
        chromium.close()


@pytest.fixture
def browser(chromium: tuple[Any, asyncio.AbstractEventLoop]) -> Iterator[Any]:
    """Headless Chromium: `chromium` on the path, or the program that INKDIGITS_CHROMIUM names.

    Without one, or without Playwright, the test is skipped. One serves all tests; its loop is
    this thread's during a test alone, so that others may run one of their own.
    """
    program, loop = chromium
    asyncio._set_running_loop(loop)
    yield program
    asyncio._set_running_loop(None)
