"""A lab with two models, its Draw view, and a photo of a seven."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labs import Lab, running_lab, settle, watched_page, with_run
from PIL import Image
from strokes import TAUGHT

from inkdigits.dataset import Dataset


@pytest.fixture(scope="module")
def lab(blink_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with a second model, that of a run."""
    home = tmp_path_factory.mktemp("home")
    with_run(home, TAUGHT, blink_file)
    with running_lab(home) as running:
        yield running


@pytest.fixture
def page(browser: Any, lab: Lab) -> Iterator[Any]:
    """The Draw view of somebody who has done nothing yet."""
    (lab.home / "state.json").unlink(missing_ok=True)
    shutil.rmtree(lab.home / "corrections", ignore_errors=True)
    with watched_page(browser, lab) as opened:
        yield opened
        settle(opened)


@pytest.fixture(scope="module")
def photo(exam: Dataset) -> bytes:
    """A 7 on grey paper that gets darker to one side, as JPEG."""
    rng = np.random.default_rng(1)
    paper = np.full((480, 640), 200.0) + np.linspace(-30, 30, 640) + rng.normal(0, 2, (480, 640))
    ink = np.asarray(Image.fromarray(exam.images[0]).resize((240, 240))) / 255
    paper[120:360, 200:440] *= 1 - 0.8 * ink
    file = io.BytesIO()
    Image.fromarray(paper.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()
