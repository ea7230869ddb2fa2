"""Fits what makes a cut, a join or a sign probable (`reading.segment.FEATURES`) to generated pages.

The pages are those of the tests (tests/reading/pages.py), the digits of mnist:validation. What is
made least is the mean of -log P(text of a line), summed over all ways to cut it (LeCun et al. 1998,
section VI: discriminative training), by a search along one weight after the other.

    python benchmarks/fit_paths.py [--pages N] [--model MODEL]
"""

from __future__ import annotations

import argparse
import sys

import harness

import numpy as np

from inkdigits.formats import load_model
from inkdigits.reading.page import find_writing
from inkdigits.reading.segment import (
    FEATURES,
    WEIGHTS,
    Lattice,
    all_digits,
    in_order,
    lattices,
    worth_of,
)
from inkdigits.sources import load

sys.path.insert(0, str(harness.ROOT / "tests" / "reading"))
from pages import KINDS, WrittenPage, page

SEED = 2001
LEFT_OUT = ("perspective",)  # what fails there is no matter of cuts
WORST = 5.0  # of a line that no weights read right: a rule was left, or a digit is none of ours
DECAY = 0.005


def text_of(lattice: Lattice, written: WrittenPage, matrix: np.ndarray) -> str:
    """What stands in a line by the page's own account: the text of what lies within it."""
    lefts, tops, rights, bottoms = zip(*lattice.line.tall, strict=True)
    corners = np.array([[min(lefts), min(tops)], [max(rights), max(bottoms)]], float)
    shares = []
    for line in written.lines:
        boxes = np.array([box for entry in line for box in entry.boxes], float)
        middles = boxes[:, :2] + boxes[:, 2:] / 2
        placed = (middles - matrix[:2, 2]) @ np.linalg.inv(matrix[:2, :2]).T
        inside = (placed >= corners[0]) & (placed <= corners[1])
        shares.append(inside.all(axis=1).mean())
    best = int(np.argmax(shares))
    return "".join(entry.text for entry in written.lines[best]) if shares[best] > 0.5 else ""


def loss(lattice: Lattice, text: str, weights: np.ndarray) -> float:
    """-log P(text): all paths that say it against all paths."""
    scores = lattice.scores(weights)
    pieces = len(lattice.line.pieces)
    sums = all_digits(lattice, scores)
    forward = np.full(pieces + 1, -np.inf)
    forward[0] = 0
    for index, each in in_order(lattice):
        forward[each.last] = np.logaddexp(forward[each.last], forward[each.first] + sums[index])
    return float(min(1e6, forward[pieces] - worth_of(lattice, scores, text, 0, pieces)))


def examples(count: int, model_name: str) -> list[tuple[Lattice, str]]:
    """Lines of `count` pages of each kind, and what they say."""
    model, digits = load_model(model_name), load("mnist:validation")
    found = []
    for number, kind in enumerate(KINDS):
        if kind in LEFT_OUT:
            continue
        for index in range(count):
            chance = np.random.default_rng([SEED, number, index])
            written = page(kind, digits.images, digits.known_labels, chance)
            writing = find_writing(written.pixels)
            if writing is None:
                continue
            for lattice in lattices(writing, model):
                text = text_of(lattice, written, writing.matrix)
                if text and loss(lattice, text, WEIGHTS) < WORST:
                    found.append((lattice, text))
    return found


def mean_loss(lines: list[tuple[Lattice, str]], weights: np.ndarray) -> float:
    """And a little for weights far from those there are, which few lines have asked for."""
    off = (weights - WEIGHTS) / np.maximum(np.abs(WEIGHTS), 1)
    return float(
        np.mean([loss(lattice, text, weights) for lattice, text in lines])
        + DECAY * np.square(off).sum()
    )


def fitted(lines: list[tuple[Lattice, str]], weights: np.ndarray, rounds: int) -> np.ndarray:
    """The weights moved one by one, by steps that grow where they help and shrink where not."""
    weights, steps = weights.copy(), np.maximum(0.3 * np.abs(weights), 0.1)
    least = mean_loss(lines, weights)
    for round_ in range(rounds):
        for place in range(len(weights)):
            for sign in (1, -1):
                tried = weights.copy()
                tried[place] += sign * steps[place]
                came = mean_loss(lines, tried)
                if came < least:
                    weights, least = tried, came
                    steps[place] *= 1.5
                    break
            else:
                steps[place] *= 0.4
        print(f"round {round_ + 1}: {least:.4f}", flush=True)
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=20, help="of each kind")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--model", default="reader")
    arguments = parser.parse_args()
    lines = examples(arguments.pages, arguments.model)
    learned, kept = lines[::2], lines[1::2]
    before = [mean_loss(some, WEIGHTS) for some in (learned, kept)]
    print(f"{len(lines)} lines; {before[0]:.4f}, kept {before[1]:.4f}")
    weights = fitted(learned, WEIGHTS, arguments.rounds)
    for name, value in zip(FEATURES, weights, strict=True):
        print(f'    "{name}": {value:.2f},')
    print(f"kept {mean_loss(kept, weights):.4f}")


if __name__ == "__main__":
    main()
