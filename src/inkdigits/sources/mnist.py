"""The original MNIST, embedded: 60,000 images to train with and 10,000 to test with.

By Yann LeCun, Corinna Cortes and Christopher J. C. Burges, under CC BY-SA 3.0; see the licence
beside the data. `scripts/embed_mnist.py` put it there, against the published SHA-256 sums.
"""

from __future__ import annotations

from pathlib import Path

from inkdigits.dataset import Dataset
from inkdigits.sources import idx

__all__ = ["FOLDER", "PARTS", "read"]

FOLDER = Path(__file__).parents[1] / "data" / "mnist"

# What each name means: one of the two original files, and which of its images.
PARTS = {
    "mnist": ("train", range(60_000)),
    "mnist:train": ("train", range(60_000)),
    "mnist:train50": ("train", range(50_000)),
    "mnist:validation": ("train", range(50_000, 60_000)),
    "mnist:test": ("t10k", range(10_000)),
}


def read(name: str) -> Dataset:
    """The part of MNIST called `name`, a key of `PARTS`; unpacked in about 0.2 s."""
    original, rows = PARTS[name]
    whole = idx.read(FOLDER / f"{original}-images-idx3-ubyte.gz")
    # A subset by indices is a copy, so that 10,000 images do not keep all 60,000 in memory.
    return whole if len(rows) == len(whole) else whole.subset(rows)
