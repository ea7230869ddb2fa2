"""The recipes over 20 seeds, an epoch of a plain network beside other frameworks, start-up times.

Run it with `python benchmarks/mlp.py`. PyTorch and scikit-learn take part where they are installed:
`pip install torch==2.13.0 scikit-learn`.
"""

from __future__ import annotations

import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib.metadata import distributions
from typing import Any

import harness

import numpy as np
from threadpoolctl import threadpool_limits

import inkdigits as ink
from inkdigits.network import Adam, Dense, Flatten, ReLU, Rescale, SoftmaxCrossEntropy
from inkdigits.training import Recipe
from inkdigits.training.schedules import Constant

SERVED = sys.argv[2] if sys.argv[1:2] == ["--run"] else ""  # with no other library beside it
torch = MLPClassifier = None
if not SERVED or "PyTorch" in SERVED:
    with suppress(ImportError):
        import torch
if not SERVED or "scikit-learn" in SERVED:
    with suppress(ImportError):
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier

FRESH = range(1001, 1021)  # never used for choosing anything
SEEDS = {"classic": FRESH, "blink": FRESH, "mlp": FRESH}
ROUNDS = 7
BATCH = 128

PLAIN = Recipe(
    name="784-200-10",
    purpose="what every framework's tutorial trains",
    layers=(Rescale(), Flatten(), Dense(784, 200), ReLU(), Dense(200, 10)),
    loss=SoftmaxCrossEntropy(),
    optimizer=Adam(),
    schedule=Constant(0.001),
    epochs=1,
    batch=BATCH,
    chunk=BATCH // 2,
)


def our_epoch(train: ink.Dataset, threads: int) -> float:
    return ink.train(PLAIN, train, seed=1, threads=threads).card.seconds


def torch_epoch(images: Any, labels: Any, threads: int, fused: bool) -> float:
    """The tutorial's loop, on pixels that were made floats beforehand."""
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    network = torch.nn.Sequential(
        torch.nn.Linear(784, 200), torch.nn.ReLU(), torch.nn.Linear(200, 10)
    )
    optimizer = torch.optim.Adam(network.parameters(), fused=fused)
    loss_function = torch.nn.CrossEntropyLoss()
    start = time.perf_counter()
    order = torch.randperm(len(images))
    for first in range(0, len(images), BATCH):
        batch = order[first : first + BATCH]
        loss = loss_function(network(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def sklearn_epoch(
    images: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], threads: int
) -> float:
    classifier = MLPClassifier((200,), batch_size=BATCH, max_iter=1, random_state=1)
    with threadpool_limits(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = time.perf_counter()
        classifier.fit(images, labels)
    return time.perf_counter() - start


def names() -> list[str]:
    """The libraries that are installed, on one thread and on two."""
    libraries = ["inkdigits"]
    libraries += ["PyTorch", "PyTorch with fused Adam"] if torch is not None else []
    libraries += ["scikit-learn"] if MLPClassifier is not None else []
    return [f"{library}, {threads}" for library in libraries for threads in (1, 2)]


def contender(name: str) -> Callable[[], float]:
    """Serves `harness.Contender`: an epoch with a library, on so many threads."""
    library, _, threads = name.rpartition(", ")
    train = ink.load("mnist:train")
    if library == "inkdigits":
        return partial(our_epoch, train, int(threads))
    pixels = (train.images.reshape(len(train), -1) / np.float32(255)).astype(np.float32)
    digits = train.known_labels
    if library == "scikit-learn":
        return partial(sklearn_epoch, pixels, digits, int(threads))
    tensors = torch.from_numpy(pixels), torch.from_numpy(digits.astype(np.int64))
    return partial(torch_epoch, *tensors, int(threads), "fused" in library)


def frameworks() -> str:
    runs = {name: harness.Contender(name) for name in names()}
    seconds = harness.alternate(runs, ROUNDS)
    best: dict[str, str] = {}
    for name in runs:
        library = name.rpartition(",")[0]
        if library not in best or harness.median(seconds[name]) < harness.median(
            seconds[best[library]]
        ):
            best[library] = name
    ours = seconds[best["inkdigits"]]
    rows = []
    for library, name in best.items():
        one, two = (harness.median(seconds[f"{library}, {threads}"]) for threads in (1, 2))
        ratio = harness.ratios(seconds[name], ours)
        rows.append([library, f"{one:.3f}", f"{two:.3f}", f"{ratio:.2f} ×"])
    return harness.table(
        ["an epoch of 784-200-10, ReLU, batch 128, Adam, fp32", "1 thread, s", "2 threads, s",
         "its best against ours"],
        rows,
    )  # fmt: skip


def versions() -> str:
    installed = {each.metadata["Name"]: each.version for each in distributions()}
    peers = [f"{name} {installed[name]}" for name in ("torch", "scikit-learn") if name in installed]
    return " and ".join(peers) or "others, of which none is installed here,"


def whole_process(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def starting() -> str:
    load = "import inkdigits; inkdigits.load, inkdigits.train"
    seconds = harness.alternate(
        {
            "`import numpy`": lambda: whole_process("-c", "import numpy"),
            "`import inkdigits`, and all its public names": lambda: whole_process("-c", load),
            "`inkdigits --help`": lambda: whole_process("-m", "inkdigits", "--help"),
        },
        ROUNDS,
        pause=0,
    )
    return harness.table(
        ["a whole process", "seconds"],
        [[name, f"{harness.median(taken):.3f}"] for name, taken in seconds.items()],
    )


def main() -> None:
    train, test = ink.load("mnist:train"), ink.load("mnist:test")

    def measure() -> str:
        return "\n\n".join([
            f"Seeds {FRESH.start} to {FRESH.stop - 1}, all 60,000 training images, two threads:",
            harness.table(harness.RECIPE_HEADER, harness.recipe_rows(SEEDS, train, test)),
            f"Medians of {ROUNDS} rounds in turn, each run in a process of its own; {versions()} "
            "get pixels that are floats already, inkdigits takes the bytes:",
            frameworks(),
            starting(),
        ])  # fmt: skip

    harness.publish("mlp", measure)


if __name__ == "__main__":
    if SERVED:
        harness.serve(contender(sys.argv[2]))
    else:
        main()
