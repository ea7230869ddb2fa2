"""The post's training: its own loop against `classic.Network.fit`, which makes the same updates.

Run it with `python benchmarks/classic.py`.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import harness

import numpy as np

import inkdigits as ink
from inkdigits.classic import Network
from inkdigits.sources import save

RECORDS = 6_000  # a tenth of an epoch a run, so that slow and fast moments of the machine mix
ROUNDS = 7
EPOCHS = 5
POST = (0.9566, 0.9673, 0.9695, 0.9726, 0.9716)  # its code with numpy.random.seed(1)


def new_network() -> Network:
    return Network(784, 200, 10, 0.1, rng=np.random.RandomState(1))


def post_loop(lines: list[str]) -> tuple[float, Network]:
    """The post's loop: a line of the file at a time, split and scaled anew."""
    network = new_network()
    start = time.perf_counter()
    for line in lines:
        values = line.split(",")
        inputs = np.asarray(values[1:], dtype=float) / 255.0 * 0.99 + 0.01
        wanted = np.zeros(10) + 0.01
        wanted[int(values[0])] = 0.99
        network.train(inputs, wanted)
    return time.perf_counter() - start, network


def our_fit(dataset: ink.Dataset) -> tuple[float, Network]:
    network = new_network()
    start = time.perf_counter()
    network.fit(dataset)
    return time.perf_counter() - start, network


def measure() -> str:
    train, test = ink.load("mnist:train"), ink.load("mnist:test")
    part = train.subset(slice(RECORDS))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "part.csv"
        save(part, path)
        lines = path.read_text().splitlines()
    (_, theirs), (_, ours) = post_loop(lines), our_fit(part)
    difference = max(
        float(np.abs(theirs.wih - ours.wih).max()), float(np.abs(theirs.who - ours.who).max())
    )
    seconds = harness.alternate(
        {"post": lambda: post_loop(lines)[0], "fit": lambda: our_fit(part)[0]}, ROUNDS
    )
    scale = len(train) / RECORDS
    rows = [
        [
            "the post's loop, lines split each time",
            f"{scale * harness.median(seconds['post']):.1f}",
        ],
        ["`Network.fit`", f"{scale * harness.median(seconds['fit']):.2f}"],
        ["ratio, pair by pair", f"{harness.ratios(seconds['post'], seconds['fit']):.1f} ×"],
    ]
    network, accuracies = new_network(), []
    start = time.perf_counter()
    for _ in range(EPOCHS):
        network.fit(train)
        accuracies.append(network.score(test))
    whole = time.perf_counter() - start
    return "\n\n".join(
        [
            harness.table(["one epoch of 60,000 records, 784-200-10", "seconds"], rows),
            f"Measured on {RECORDS:,} records at a time, {ROUNDS} rounds in turn. The weights of "
            f"the two differ by at most {difference:.1e} after {RECORDS:,} updates.",
            f"All five epochs with `fit`, scoring included: {whole:.1f} s.",
            harness.table(
                ["test accuracy after epoch", *range(1, EPOCHS + 1)],
                [
                    ["`fit`, `RandomState(1)`", *(f"{a:.4f}" for a in accuracies)],
                    ["the post's code, `numpy.random.seed(1)`", *(f"{a:.4f}" for a in POST)],
                ],
            ),
        ]
    )


if __name__ == "__main__":
    harness.publish("classic", measure)
