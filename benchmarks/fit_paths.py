"""Fits what makes a cut, a join or a sign probable (`reading.evidence`) to generated pages.

The pages are those of the tests (tests/reading/pages.py), the digits of mnist:validation. What is
made least is the mean of -log P(text of a line), summed over all ways to cut it (LeCun et al. 1998,
section VI: discriminative training), along its gradient (Rprop: Riedmiller and Braun 1993).

    python benchmarks/fit_paths.py [--pages N] [--rounds N] [--model MODEL]
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor

import harness

import numpy as np

from inkdigits.formats import load_model
from inkdigits.reading.evidence import FEATURES, PLACES, WEIGHTS
from inkdigits.reading.page import find_writing
from inkdigits.reading.paths import all_digits, in_order
from inkdigits.reading.segment import DIGIT, OTHER, Lattice, lattices
from inkdigits.sources import load

sys.path.insert(0, str(harness.ROOT / "tests" / "reading"))
from pages import KINDS, WrittenPage, page

SEED = 3001
LEFT_OUT = ("perspective",)  # what fails there is no matter of cuts
# Hands differ more in size and place than generated pages do, and real paper is dirtier: free,
# these grow until a small 0 or a 1 beside a dot is left out.
HELD = ("joins", "gaps", "size", "place", "breadth", "sprawl", "speck")
FLOOR = 0.01  # of a line's probability: what no weights read right decides nothing
DECAY = 0.0005


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


def places(text: str, lattice: Lattice) -> np.ndarray:
    """Shape (candidates, 10, len(text)): whether a candidate, as a digit, says that sign of it."""
    signs = np.array(list(text))
    fits = np.zeros((len(lattice.candidates), 10, len(text)), bool)
    for index, each in enumerate(lattice.candidates):
        if each.role == DIGIT:
            fits[index] = signs == np.array(list("0123456789"))[:, None]
        elif each.role != OTHER:
            fits[index, 0] = signs == each.sign
    return fits


def loss(lattice: Lattice, text: str, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """-log P(text), all paths that say it against all paths, and its gradient."""
    scores, pieces, count = lattice.scores(weights), len(lattice.line.pieces), len(text)
    sums, fits, order = all_digits(lattice, scores), places(text, lattice), in_order(lattice)
    silent = np.array([each.role == OTHER for each in lattice.candidates])
    forward, backward = np.full((2, pieces + 1), -np.inf)
    said, left = np.full((2, pieces + 1, count + 1), -np.inf)  # signs said so far, and still to say
    forward[0] = backward[pieces] = said[0, 0] = left[pieces, count] = 0
    own = np.where(fits, scores[:, :, None], -np.inf).max(axis=1)  # (candidates, signs)
    for index, each in order:
        forward[each.last] = np.logaddexp(forward[each.last], forward[each.first] + sums[index])
        if silent[index]:
            said[each.last] = np.logaddexp(said[each.last], said[each.first] + scores[index, 0])
        else:
            came = said[each.first, :-1] + own[index]
            said[each.last, 1:] = np.logaddexp(said[each.last, 1:], came)
    for index, each in reversed(order):
        backward[each.first] = np.logaddexp(backward[each.first], backward[each.last] + sums[index])
        if silent[index]:
            left[each.first] = np.logaddexp(left[each.first], left[each.last] + scores[index, 0])
        else:
            came = left[each.last, 1:] + own[index]
            left[each.first, :-1] = np.logaddexp(left[each.first, :-1], came)
    truth = said[pieces, count]
    if not np.isfinite(truth):
        return -float(np.log(FLOOR)), np.zeros_like(weights)
    # How often each candidate is passed as each digit: on all paths, less on those that say it.
    passed = np.zeros_like(scores)
    probability = float(np.exp(min(0.0, truth - forward[pieces])))
    for index, each in order:
        outside = forward[each.first] + backward[each.last] - forward[pieces]
        if each.role == DIGIT:
            passed[index] = np.exp(outside + scores[index])
        else:
            passed[index, 0] = np.exp(outside + scores[index, 0])
        if silent[index]:
            right = np.exp(said[each.first] + scores[index, 0] + left[each.last] - truth).sum()
            passed[index, 0] -= right
        else:
            here = np.exp(said[each.first, :-1] + own[index] + left[each.last, 1:] - truth)
            passed[index] -= fits[index] @ here
    slope = np.einsum("id,idp->p", passed, lattice.features)
    return -float(np.log(max(probability, 0.0) + FLOOR)), slope * (
        probability / (probability + FLOOR)
    )


Job = tuple[str, int, str]  # a kind, the number of a page, a model


def examples(job: Job) -> list[tuple[Lattice, str]]:
    """The lines of a page, and what they say."""
    kind, index, model = job
    digits = load("mnist:validation")
    chance = np.random.default_rng([SEED, list(KINDS).index(kind), index])
    written = page(kind, digits.images, digits.known_labels, chance)
    writing = find_writing(written.pixels)
    if writing is None:
        return []
    found = [
        (lattice, text_of(lattice, written, writing.matrix))
        for lattice in lattices(writing, load_model(model))
    ]
    return [(lattice, text) for lattice, text in found if text]


Lines = list[tuple[Lattice, str]]


def mean_loss(lines: Lines, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Of the lines, and a little for weights far from those there are, which few have asked for."""
    losses, slopes = zip(*(loss(lattice, text, weights) for lattice, text in lines), strict=True)
    off = (weights - WEIGHTS) / np.maximum(np.abs(WEIGHTS), 1)
    slope = np.mean(slopes, axis=0) + 2 * DECAY * off / np.maximum(np.abs(WEIGHTS), 1)
    slope[[PLACES[name] for name in HELD]] = 0
    return float(np.mean(losses)) + DECAY * float(off @ off), slope


def fitted(lines: Lines, weights: np.ndarray, rounds: int) -> np.ndarray:
    """The best weights of so many steps, larger ones where a slope keeps its sign."""
    weights, steps = weights.copy(), np.full(len(weights), 0.05)
    before, best = np.zeros_like(weights), (np.inf, weights)
    for round_ in range(rounds):
        least, slope = mean_loss(lines, weights)
        best = min(best, (least, weights.copy()), key=lambda pair: pair[0])
        same = slope * before
        steps = np.clip(np.where(same > 0, 1.2, np.where(same < 0, 0.5, 1.0)) * steps, 1e-3, 1.0)
        before = np.where(same < 0, 0, slope)
        weights -= np.sign(before) * steps
        if round_ % 5 == 4:
            print(f"round {round_ + 1}: {least:.4f}", flush=True)
    return best[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=30, help="of each kind")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--model", default="reader")
    arguments = parser.parse_args()
    jobs = [
        (kind, index, arguments.model)
        for kind in KINDS
        if kind not in LEFT_OUT
        for index in range(arguments.pages)
    ]
    with ProcessPoolExecutor() as pool:
        lines = [line for found in pool.map(examples, jobs, chunksize=8) for line in found]
    learned, kept = lines[::2], lines[1::2]
    before = [mean_loss(some, WEIGHTS)[0] for some in (learned, kept)]
    print(f"{len(lines)} lines; {before[0]:.4f}, kept {before[1]:.4f}")
    weights = fitted(learned, WEIGHTS, arguments.rounds)
    for name, value in zip(FEATURES, weights, strict=True):
        print(f'    "{name}": {value:.2f},')
    print(f"kept {mean_loss(kept, weights)[0]:.4f}")


if __name__ == "__main__":
    main()
