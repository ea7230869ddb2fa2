"""What the lab's tests share: an app over an empty folder, and clients that may or may not."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from numpy.typing import NDArray
from PIL import Image
from starlette.testclient import TestClient

from inkdigits.dataset import Dataset
from inkdigits.lab.app import create_app
from inkdigits.lab.store import Store

PORT = 8765
ADDRESS = f"http://127.0.0.1:{PORT}"
TOKEN = "0123456789abcdef" * 2

Pixels = NDArray[np.uint8]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


@pytest.fixture
def app(store: Store) -> FastAPI:
    return create_app(store=store, port=PORT, token=TOKEN)


@pytest.fixture
def stranger(app: FastAPI) -> Iterator[TestClient]:
    """A program on this machine, without the token."""
    with TestClient(app, base_url=ADDRESS) as client:
        yield client


@pytest.fixture
def client(stranger: TestClient) -> TestClient:
    """Who has the token: the page, or its user's own program."""
    stranger.headers["authorization"] = f"Bearer {TOKEN}"
    return stranger


@pytest.fixture
def two(some: Dataset) -> Pixels:
    """A glyph that every model reads as 2."""
    return np.asarray(some.images[1])


def saved(pixels: Any, kind: str = "PNG", **options: Any) -> bytes:
    """A file of a picture."""
    file = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def picture(two: Pixels) -> bytes:
    """A 2 in dark ink on white paper, as PNG."""
    return photo(two)


def photo(glyph: Pixels) -> bytes:
    """A glyph as somebody would send it: dark ink on white paper, five times as large."""
    return saved(Image.fromarray(255 - glyph).resize((140, 140), Image.Resampling.BILINEAR))


Errs = Callable[..., str]


@pytest.fixture
def errs() -> Errs:
    """The error of an answer, which is nothing else, in the house's pattern."""

    def error(answer: Any, *statuses: int) -> str:
        assert answer.status_code in statuses, answer.text
        assert list(answer.json()) == ["error"]
        said = answer.json()["error"]
        assert isinstance(said, str)
        assert said
        return said

    return error
