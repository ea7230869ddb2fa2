"""A page of numbers for tests: three lines in two columns, of digits that are easy to read."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from inkdigits.dataset import Dataset

__all__ = ["ROWS", "sheet_of"]

ROWS = [["21", "04"], ["14", "95"], ["0", ""]]

LEFTS, TOPS = (200, 1000), (200, 450, 700)
TIMES = 5  # as large as MNIST's
PITCH = 20 * TIMES
PAPER, CONTRAST = 250, 0.9


def sheet_of(digits: Dataset) -> bytes:
    """The page as PNG, of 2,200 × 1,000 pixels."""
    paper = np.full((1000, 2200), PAPER, np.float64)
    labels, side = list(digits.known_labels[:50]), 28 * TIMES
    for top, row in zip(TOPS, ROWS, strict=True):
        for left, text in zip(LEFTS, row, strict=True):
            for place, digit in enumerate(text):
                image = digits.images[labels.index(int(digit))]
                x = left + place * PITCH
                there = paper[top : top + side, x : x + side]
                there -= CONTRAST * np.kron(image, np.ones((TIMES, TIMES)))
    file = io.BytesIO()
    Image.fromarray(paper.clip(0, PAPER).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()
