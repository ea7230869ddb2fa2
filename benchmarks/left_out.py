"""What the constants that find ink owe to the pictures they were looked at with.

They are not learned, but were looked at against the pictures of a manifest. So each source in turn
is left out: the setting with the best mean accuracy over the other sources is chosen from a grid
around today's, and the source left out is read with that. The mean over the sources left out is an
estimate for pictures that nobody looked at.

    python benchmarks/left_out.py MANIFEST [--write]
"""

from __future__ import annotations

import argparse
import itertools
from functools import partial
from pathlib import Path
from unittest.mock import patch

import harness

import numpy as np

from handwriting import entries
from inkdigits.errors import InkdigitsError
from inkdigits.formats import load_model
from inkdigits.model import Model
from inkdigits.reading import LONGEST, ink, open_picture, prepare
from inkdigits.reading.picture import Picture
from results import per_cent, publish
from scores import Entry

SPREADS = (0.3, 0.6, 1.0)  # of small pictures; large ones begin with 0.3 in any case
STRONG = (0.3, 0.4, 0.5)
WEAK = (0.15, 0.22, 0.3)

Setting = tuple[float, float, float]


def opened(found: list[Entry]) -> list[tuple[Entry, Picture]]:
    """The pictures of digits that can be opened; the others are errors in any setting."""
    pictures = []
    for entry in found:
        if entry.kind == "isolated":
            try:
                pictures.append((entry, open_picture(entry.path, longest=LONGEST)))
            except InkdigitsError as error:
                print(error)
    return pictures


def right_with(setting: Setting, pictures: list[tuple[Entry, Picture]], model: Model) -> np.ndarray:
    """Whether each picture is read right, shape (N,)."""
    spread, strong, weak = setting
    with patch.multiple(ink, SPREADS=(0.3, spread), STRONG=strong, WEAK=weak):
        glyphs = np.stack([prepare(picture).glyph for _, picture in pictures])
    return model.predict(glyphs) == [int(entry.label) for entry, _ in pictures]


def measure(manifest: Path, model: Model) -> str:
    pictures = opened(entries(manifest))
    sources = np.array([entry.source for entry, _ in pictures])
    names = sorted(set(sources))
    grid = list(itertools.product(SPREADS, STRONG, WEAK))
    accuracy = np.empty((len(grid), len(names)))
    for row, setting in enumerate(grid):
        right = right_with(setting, pictures, model)
        accuracy[row] = [right[sources == name].mean() for name in names]
    today = grid.index((ink.SPREADS[1], ink.STRONG, ink.WEAK))
    rows, left_out = [], []
    for column, name in enumerate(names):
        others = np.delete(accuracy, column, axis=1).mean(axis=1)
        best = int(others.argmax()) if others.max() > others[today] else today
        left_out.append(accuracy[best, column])
        rows.append(
            [
                name, per_cent(accuracy[today, column]), per_cent(accuracy[best, column]),
                "as today" if best == today else "{}, {}, {}".format(*grid[best]),
            ]
        )  # fmt: skip
    rows.append(["mean", per_cent(accuracy[today].mean()), per_cent(float(np.mean(left_out))), ""])
    table = harness.table(
        ["source", "with today's setting", "left out", "setting chosen without it"], rows
    )
    means = accuracy.mean(axis=1)
    return (
        f"{len(grid)} settings of (`SPREADS[1]`, `STRONG`, `WEAK`) in `reading/ink.py`, "
        f"mean accuracies {per_cent(means.min())} to {per_cent(means.max())}, today's "
        f"{per_cent(means[today])}. All pictures are read, none refused.\n\n{table}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--model", default="reader", help="the shipped one by default")
    parser.add_argument("--write", action="store_true", help="put the table into docs/results.md")
    arguments = parser.parse_args()
    work = partial(measure, arguments.manifest, load_model(arguments.model))
    command = "python benchmarks/left_out.py MANIFEST"
    publish("left-out", command, work, write=arguments.write, timed=False)


if __name__ == "__main__":
    main()
