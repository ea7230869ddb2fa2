"""What a handwriting sheet brings: hands before and after they were learned from two sheets.

Sheets are filled in with digits of mnist:validation, each by a hand and a pen of its own
(tests/filled.py), photographed at an angle, and read and learned by the command that users have. A
third sheet of the same hand is not learned: the figures are of its boxes. No digit is on two sheets
of a hand.

    python benchmarks/filled_sheets.py [--seeds N] [--write]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import harness

import numpy as np
from PIL import Image

from inkdigits.cli import run as inkdigits
from inkdigits.dataset import Dataset
from inkdigits.evaluation import wilson_interval
from inkdigits.formats import load_model
from inkdigits.model import Model
from inkdigits.sheet import BOXES
from inkdigits.sources import load
from results import pedigree, per_cent, publish, span

sys.path.insert(0, str(harness.ROOT / "tests"))
from filled import PENS, Pen, Photo, filled_in, photographed

SEEDS = 2  # of each hand: other digits, places and photos
LEARNED = 2  # sheets
FIRST_SEED = 1001

# Those of the tests write as people do; the others as few, so that there is something to learn.
HANDS: Mapping[str, Pen] = MappingProxyType(
    {
        **PENS,
        "leaning far": Pen(slant=0.9, height=(7.0, 11.0)),
        "leaning far back": Pen(slant=-0.7, height=(7.0, 11.0)),
        "sheet held askew": Pen(rotation_degrees=-40.0, height=(7.0, 10.0)),
        "left hand, sheet askew": Pen(rotation_degrees=45.0, height=(7.0, 10.0)),
    }
)


@dataclass(frozen=True)
class Gain:
    """What became of a hand.

    Args:
        before: how many of the unseen sheet's boxes were read right.
        after: the same once the others were learned.
        total: its boxes that something was found in.
        known: by how much the share of mnist:validation that is read right has changed.
    """

    before: int
    after: int
    total: int
    known: float


def photos(hand: str, seed: int, folder: Path) -> list[Path]:
    """Photos of sheets that a hand has filled in, the last of which is not to be learned."""
    chance = np.random.default_rng([FIRST_SEED, list(HANDS).index(hand), seed])
    digits = load("mnist:validation")
    each = [np.flatnonzero(digits.known_labels == label) for label in range(10)]
    count = LEARNED + 1
    rows = len(BOXES) // 10
    taken = [chance.choice(places, count * rows, replace=False) for places in each]
    paths = []
    for number in range(count):
        own = [iter(row[number * rows : (number + 1) * rows]) for row in taken]
        written = [digits.images[next(own[box.label])] for box in BOXES]
        photo = Photo(
            turn_degrees=float(chance.uniform(-20, 20)),
            tilt_degrees=float(chance.uniform(5, 25)),
            towards_degrees=float(chance.uniform(0, 360)),
            shade=float(chance.uniform(0.1, 0.4)),
            bent=(0.0, float(chance.uniform(0, 2))),
        )
        pixels = photographed(filled_in(written, HANDS[hand], chance), photo, chance)
        paths.append(folder / f"{number}.jpg")
        Image.fromarray(pixels).save(paths[-1], quality=92)
    return paths


def gain(hand: str, seed: int, model: str) -> Gain:
    """A hand's sheets learned, and another one read before and after."""
    with tempfile.TemporaryDirectory() as name, working_in(Path(name)) as folder:
        *learned, other = map(str, photos(hand, seed, folder))
        options = ["--model", model, "--json"]
        said = call("sheet", "--read", *learned, *options, "--learn", "mine.safetensors")
        call("sheet", "--read", other, *options, "--out", "other")
        unseen = load("other")
        before, after = (right_of(load_model(each), unseen) for each in (model, "mine.safetensors"))
    lesson = json.loads(said.splitlines()[-1])
    known = lesson["after"]["mnist"]["accuracy"] - lesson["before"]["mnist"]["accuracy"]
    return Gain(before, after, len(unseen), known)


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[Path]:
    """The sheets' digits are kept where one works."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(before)


def call(*arguments: str) -> str:
    """What a command writes."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = inkdigits(arguments)
    if status:
        sys.exit(f"inkdigits {' '.join(arguments)} failed: {said.getvalue()}")
    return said.getvalue()


def right_of(model: Model, digits: Dataset) -> int:
    return round(model.evaluate(digits).accuracy * len(digits))


def table(gains: Mapping[str, list[Gain]]) -> str:
    rows = []
    for hand, each in gains.items():
        total = sum(one.total for one in each)
        row: list[object] = [hand, total]
        for right in (sum(one.before for one in each), sum(one.after for one in each)):
            row += [per_cent(right / total, 1), span(wilson_interval(right, total), 1)]
        known = float(np.mean([one.known for one in each]))
        rows.append([*row, f"{100 * known:+.2f}"])
    return harness.table(
        [
            "hand",
            "boxes of other sheets",
            "read right before",
            "95 % interval",
            "after",
            "95 % interval",
            "`mnist:validation`, points",
        ],
        rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="reader", help="the shipped one by default")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of each hand")
    parser.add_argument("--write", action="store_true", help="put the table into docs/")
    arguments = parser.parse_args()
    if arguments.write and arguments.seeds != SEEDS:
        parser.error(f"expected {SEEDS} seeds with --write")

    def measure() -> str:
        gains = {
            hand: [gain(hand, seed, arguments.model) for seed in range(arguments.seeds)]
            for hand in HANDS
        }
        return (
            f"{table(gains)}\n\n{LEARNED} sheets of 120 boxes are learned, another one of the same "
            f"hand is read before and after; {arguments.seeds} times each, with other digits of "
            "`mnist:validation` and other photos.\n\n"
            f"{pedigree(load_model(arguments.model))}"
        )

    command = "python benchmarks/filled_sheets.py"
    publish("sheets", command, measure, write=arguments.write, timed=False)


if __name__ == "__main__":
    main()
