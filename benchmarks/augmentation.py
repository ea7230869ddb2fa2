"""Augmentation: what each part costs an image, alone and with all others.

Run it with `python benchmarks/augmentation.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import harness

import inkdigits as ink
from inkdigits.parallel import blas_on_one_thread
from inkdigits.training import Augmentation
from inkdigits.training.augmentation import opencv_on_one_thread
from inkdigits.training.randomness import Purpose, counted_generator

CHUNK = 64
CHUNKS = 60  # a run
ROUNDS = 9

AFFINE = {"shift": 2, "rotation_degrees": 10, "scale": 0.1, "aspect": 0.1, "shear": 0.15}
PARTS = {
    "nothing: a copy": {},
    "shift": {"shift": 2},
    "rotation": {"rotation_degrees": 10},
    "scale and aspect": {"scale": 0.1, "aspect": 0.1},
    "shear": {"shear": 0.15},
    "all of these": AFFINE,
    "elastic distortion": {"elastic_alpha": 34},
    "thickness": {"thickness": 1},
    "erasing": {"erase": 10},
    "everything": {**AFFINE, "elastic_alpha": 34, "thickness": 1, "erase": 10},
}


def measure() -> str:
    images = ink.load("mnist:train").images[: CHUNK * CHUNKS]
    chunks = [images[i : i + CHUNK] for i in range(0, len(images), CHUNK)]

    def run(augmentation: Augmentation) -> Callable[[], float]:
        def seconds() -> float:
            start = time.perf_counter()
            for step, chunk in enumerate(chunks):
                augmentation(chunk, counted_generator(1, Purpose.AUGMENTATION, 0, step))
            return time.perf_counter() - start

        return seconds

    runs = {name: run(Augmentation(**settings)) for name, settings in PARTS.items()}
    with blas_on_one_thread(), opencv_on_one_thread():
        found = harness.alternate(runs, ROUNDS, pause=0.05)
    rows = []
    for name, seconds in found.items():
        each = harness.median(seconds) / len(images)
        rows.append([name, f"{each * 1e6:.2f}", f"{each * 60_000:.2f}"])
    return "\n\n".join(
        [
            harness.table(["one thread", "µs an image", "s for 60,000"], rows),
            f"In chunks of {CHUNK}, their generators included; medians of {ROUNDS} rounds in turn. "
            "Each row but the first includes one interpolation of the pixels.",
        ]
    )


if __name__ == "__main__":
    harness.publish("augmentation", measure)
