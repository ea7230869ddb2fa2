"""The model that comes along: it is what its recipe makes, reads, and refuses what is no digit.

What it reaches is measured in docs/results.md; the shares here are well below that, so that a test
fails when something breaks and not by chance.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from written import PAPERS, written_on

from inkdigits.dataset import Dataset
from inkdigits.formats.html import page_of
from inkdigits.model import Model
from inkdigits.reading import Picture, read, read_digit
from inkdigits.sources import load
from inkdigits.sources.negatives import KINDS
from inkdigits.training import RECIPES

ROOT = Path(__file__).parents[2]


def as_picture(glyph: np.ndarray) -> Picture:
    return Picture(np.repeat(255 - glyph[:, :, np.newaxis], 3, axis=2), glyph.shape)


def test_it_is_what_its_recipe_says(reader: Model) -> None:
    recipe = RECIPES["reader"]
    assert reader.card.recipe == recipe.name
    assert reader.card.settings == recipe.settings()
    assert reader.network.layers == recipe.layers
    assert reader.card.data == load("mnist:train50").fingerprint


def test_it_was_calibrated_on_digits_that_it_has_not_learned_from(
    reader: Model, validation: Dataset
) -> None:
    assert reader.tells_digits
    assert reader.card.calibration is not None
    assert reader.card.calibration["data"] == validation.fingerprint


def test_its_file_is_of_at_most_3_megabytes() -> None:
    path = ROOT / "src" / "inkdigits" / "models" / "reader.safetensors"
    assert path.stat().st_size <= 3_000_000


def test_the_page_in_docs_is_made_of_it(reader: Model) -> None:
    assert (ROOT / "docs" / "demo.html").read_text(encoding="utf-8") == page_of(reader)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [kind for kind in PAPERS if kind not in ("two shadows", "squared")]
)
def test_it_reads_digits_from_paper_of_each_kind(
    reader: Model, validation: Dataset, kind: str
) -> None:
    chance = np.random.default_rng([7, list(PAPERS).index(kind)])
    right = 0
    for index in range(40):
        pixels = written_on(kind, validation.images[index], chance, validation.images).pixels
        height, width, _ = pixels.shape
        right += (
            read_digit(Picture(pixels, (width, height)), reader).digit
            == validation.known_labels[index]
        )
    assert right >= 36


@pytest.mark.parametrize("kind", ["blanks", "noise", "scribbles", "bold letters", "silhouettes"])
def test_it_refuses_what_is_no_digit(reader: Model, kind: str) -> None:
    drawn = KINDS[kind](60, np.random.default_rng(7))
    refused = sum(read_digit(as_picture(glyph), reader).rejected for glyph in drawn)
    assert refused >= 51


def test_it_refuses_few_true_digits(reader: Model, validation: Dataset) -> None:
    refused = sum(
        read_digit(as_picture(glyph), reader).rejected for glyph in validation.images[:300]
    )
    assert refused <= 6


def test_a_blank_sheet_is_no_digit(reader: Model) -> None:
    reading = read_digit(Picture(np.full((300, 200, 3), 240, np.uint8), (200, 300)), reader)
    assert reading.rejected
    assert reading.not_a_digit == 1
    assert read(reading.prepared.picture, reader).numbers == []
