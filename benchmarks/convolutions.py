"""The convolutional recipes: accuracy and time, a training step and predictions beside PyTorch's,
where a step's time goes, and how much memory it takes.

Run it with `python benchmarks/convolutions.py`. PyTorch and ONNX Runtime take part where they are
installed: `pip install torch==2.13.0 onnx onnxscript onnxruntime`; PyTorch compiles where there is
a C++ compiler.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import harness

import numpy as np

try:
    import torch
    from torch import nn
except ImportError:
    torch = None
try:
    import onnxruntime
except ImportError:
    onnxruntime = None

import inkdigits as ink
from inkdigits import parallel
from inkdigits.network import (
    Adam,
    BatchNorm,
    Conv2d,
    Dense,
    Flatten,
    Layer,
    MaxPool2d,
    Network,
    ReLU,
    Rescale,
    SoftmaxCrossEntropy,
)
from inkdigits.network import network as network_module
from inkdigits.network.shortcuts import PooledConv2d, with_shortcuts
from inkdigits.network.winograd import WinogradConv2d
from inkdigits.parallel import blas_on_one_thread, predict
from inkdigits.training import Recipe, find_recipe, processes
from inkdigits.training.loop import Trainer
from inkdigits.training.processes import training_crew
from inkdigits.training.schedules import Constant

SEEDS = {  # never used for choosing anything
    "quick": range(1001, 1021),
    "standard": range(1001, 1006),
    "lenet5": range(1001, 1006),
}
ROUNDS = 5
BATCH = 256
STEPS = 30  # of a round
THREADS = 2

REFERENCE = Recipe(
    name="reference",
    purpose="the network that RECORDS of others' speed are for",
    layers=(
        Rescale(), Conv2d(1, 24, 5), MaxPool2d(2), ReLU(), Conv2d(24, 32, 3), MaxPool2d(2), ReLU(),
        Flatten(), Dense(800, 128), ReLU(), Dense(128, 10),
    ),
    loss=SoftmaxCrossEntropy(),
    optimizer=Adam(),
    schedule=Constant(0.001),
    epochs=1,
    batch=BATCH,
    chunk=32,
)  # fmt: skip


def comparable(name: str) -> Recipe:
    """A recipe's network and batch with plain Adam and the digits as they are."""
    recipe = REFERENCE if name == "reference" else find_recipe(name)
    assert isinstance(recipe, Recipe)
    return replace(recipe, optimizer=Adam(), loss=SoftmaxCrossEntropy(), augmentation=None,
                   schedule=Constant(0.001), averaging=0.0)  # fmt: skip


def torch_network(layers: tuple[Layer, ...]) -> Any:
    """The same layers in PyTorch; it gets pixels that are scaled already."""
    modules: list[Any] = []
    for layer in layers:
        match layer:
            case Conv2d():
                modules.append(
                    nn.Conv2d(layer.inputs, layer.outputs, layer.kernel, layer.stride,
                              padding=layer.kernel // 2 if layer.padding == "same" else 0,
                              bias=layer.bias)
                )  # fmt: skip
            case BatchNorm():
                picture = isinstance(modules[-1], nn.Conv2d | nn.MaxPool2d)
                kind = nn.BatchNorm2d if picture else nn.BatchNorm1d
                modules.append(kind(layer.features))
            case MaxPool2d():
                modules.append(nn.MaxPool2d(layer.size))
            case ReLU():
                modules.append(nn.ReLU())
            case Flatten():
                modules.append(nn.Flatten())
            case Dense():
                modules.append(nn.Linear(layer.inputs, layer.outputs, bias=layer.bias))
    return nn.Sequential(*modules)


def multiplications(network: Network) -> dict[int, int]:
    """Of each layer with weights, for one image on the way forward, by the definition."""
    found, shape = {}, network.input_shape
    for position, layer in enumerate(network.layers):
        shape = layer.output_shape(shape)
        if "weight" in layer.shapes:
            places = int(np.prod(shape[1:])) if len(shape) == 3 else 1
            found[position] = int(np.prod(layer.shapes["weight"])) * places
    return found


def flops_of_step(network: Network, batch: int) -> float:
    """Three products a layer, but the first needs no dx; a multiplication goes with an addition."""
    counts = list(multiplications(network).values())
    return 2.0 * batch * (3 * sum(counts) - counts[0])


# A training step


def our_step(recipe: Recipe, dataset: ink.Dataset, threads: int) -> Callable[[], float]:
    network = recipe.network()
    network.initialise(np.random.default_rng(1))
    crew = training_crew(recipe.lanes, threads)
    epochs = 10_000
    trainer = Trainer(recipe, network, dataset, seed=1, epochs=epochs, crew=crew)

    def seconds() -> float:
        """The median step of an epoch over the few digits that there are."""
        times = [time.perf_counter()]
        trainer.epoch(lambda done, loss: times.append(time.perf_counter()))
        return harness.median(np.diff(times)[1:].tolist())

    return seconds


def torch_step(
    recipe: Recipe, dataset: ink.Dataset, threads: int, *, channels_last: bool, compiled: bool,
    half: bool
) -> Callable[[], float]:  # fmt: skip
    torch.manual_seed(1)
    network = torch_network(recipe.layers)
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
    images = torch.from_numpy(dataset.images[:, np.newaxis] / np.float32(255))
    labels = torch.from_numpy(dataset.known_labels.astype(np.int64))
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    run = torch.compile(network) if compiled else network
    loss_function = nn.CrossEntropyLoss()

    def step(batch: Any) -> None:
        pixels = images[batch]
        if channels_last:
            pixels = pixels.to(memory_format=torch.channels_last)
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = loss_function(run(pixels), labels[batch])
        loss.backward()
        optimizer.step()

    def seconds() -> float:
        torch.set_num_threads(threads)
        times = [time.perf_counter()]
        for batch in torch.randperm(len(images)).split(recipe.batch):
            step(batch)
            times.append(time.perf_counter())
        return harness.median(np.diff(times)[1:].tolist())

    return seconds


WAYS = {
    "PyTorch": {"channels_last": False, "compiled": False, "half": False},
    "PyTorch, channels_last": {"channels_last": True, "compiled": False, "half": False},
    "PyTorch, compiled": {"channels_last": False, "compiled": True, "half": False},
    "PyTorch, channels_last, compiled": {"channels_last": True, "compiled": True, "half": False},
    "PyTorch, channels_last, bf16": {"channels_last": True, "compiled": False, "half": True},
}


def step_of(recipe: Recipe, way: str, threads: int) -> Callable[[], float]:
    dataset = ink.load("mnist:train").subset(np.arange(STEPS * recipe.batch))
    if way in WAYS:
        return torch_step(recipe, dataset, threads, **WAYS[way])
    return our_step(recipe, dataset, threads)


def steps(name: str, rate: float, ways: tuple[str, ...] = tuple(WAYS)) -> str:
    recipe = comparable(name)
    names = ["inkdigits", *(ways if torch is not None else ())]
    runs: dict[str, Callable[[], float]] = {
        f"{way} | {threads}": harness.Contender(f"step | {name} | {way} | {threads}")
        for way in names
        for threads in (1, THREADS)
    }
    seconds = harness.alternate(runs, ROUNDS, pause=0)
    ours = min((seconds[f"inkdigits | {threads}"] for threads in (1, THREADS)), key=harness.median)
    rows = []
    for way in names:
        both = [seconds[f"{way} | {threads}"] for threads in (1, THREADS)]
        best = min(both, key=harness.median)
        one, two = (f"{1e3 * harness.median(taken):.1f}" for taken in both)
        rows.append([way, one, two, f"{harness.ratios(best, ours):.2f} ×"])
    floor = flops_of_step(recipe.network(), recipe.batch) / rate
    rows.append(["the products alone at the rate of a large one", f"{1e3 * floor:.1f}",
                 f"{1e3 * floor / THREADS:.1f}", ""])  # fmt: skip
    return harness.table(
        [f"a training step of `{name}`'s network, batch {recipe.batch}, Adam", "1 thread, ms",
         f"{THREADS} threads, ms", "its best against ours"],
        rows,
    )  # fmt: skip


# What each measure brings


def plain_steps(keep: type[Any] | None) -> Callable[..., Any]:
    """Stands in for `with_shortcuts`, with but one kind of shortcut, or none."""

    def steps(layers: Any, shapes: Any) -> Any:
        whole = list(with_shortcuts(layers, shapes))
        positions = [position for position, _ in whole] + [len(layers)]
        for (position, step), after in zip(whole, positions[1:], strict=True):
            if isinstance(step, keep or ()):
                yield position, step
            else:
                yield from ((each, layers[each]) for each in range(position, after))

    return steps


def changed(measure: str, recipe: Recipe) -> Recipe:
    """Takes a measure away from this process; the recipe to run then."""
    if measure == "one patch and product for each place before pooling":
        network_module.with_shortcuts = plain_steps(WinogradConv2d)
    elif measure == "3 × 3 convolutions by the definition":
        network_module.with_shortcuts = plain_steps(PooledConv2d)
    elif measure == "freed memory goes back to the kernel":
        parallel.keep_freed_memory = lambda: None
    elif measure == "threads instead of processes":
        processes.can_fork = lambda: False
    elif measure.startswith("chunks of "):
        return replace(recipe, chunk=int(measure.removeprefix("chunks of ")))
    return recipe


EVERYWHERE = (
    "as it is",
    "one patch and product for each place before pooling",
    "freed memory goes back to the kernel",
    "threads instead of processes",
    "chunks of 16",
    "chunks of 64",
    "chunks of 128",
)
MEASURES = {
    "reference": EVERYWHERE,  # which has no layer that `WinogradConv2d` is for
    "standard": (*EVERYWHERE, "3 × 3 convolutions by the definition"),
}


def contender(name: str) -> Callable[[], float]:
    """Serves `harness.Contender`: what a name of `steps`, `measures`, … stands for."""
    kind, of, way, threads = name.split(" | ")
    recipe = comparable(of)
    if kind == "step":
        return step_of(recipe, way, int(threads))
    if kind == "epoch":
        return epoch_of(recipe, way)
    if kind == "measure":
        return step_of(changed(way, recipe), "inkdigits", int(threads))
    return prediction_of(recipe, way, one=kind == "one")


def measures(name: str) -> str:
    runs: dict[str, Callable[[], float]] = {
        f"{measure} | {threads}": harness.Contender(f"measure | {name} | {measure} | {threads}")
        for measure in MEASURES[name]
        for threads in (1, THREADS)
    }
    seconds = harness.alternate(runs, ROUNDS, pause=0)
    rows = []
    for measure in MEASURES[name]:
        row = [measure]
        for threads in (1, THREADS):
            taken, ours = seconds[f"{measure} | {threads}"], seconds[f"as it is | {threads}"]
            row += [f"{1e3 * harness.median(taken):.1f}", f"{harness.ratios(taken, ours):.2f} ×"]
        rows.append(row)
    return harness.table(
        [f"a step of `{name}`'s network, each measure undone", "1 thread, ms", "",
         f"{THREADS} threads, ms", ""],
        rows,
    )  # fmt: skip


# Where a step's time goes


def gemm_rate() -> float:
    """Floating-point operations a second of a large product on one thread."""
    left, right = np.random.default_rng(0).standard_normal((2, 1024, 1024), np.float32)
    out = np.empty_like(left)

    def seconds() -> float:
        start = time.perf_counter()
        np.matmul(left, right, out=out)
        return time.perf_counter() - start

    with blas_on_one_thread():
        return 2 * 1024**3 / harness.median(seconds() for _ in range(30))


def roofline(name: str, train: ink.Dataset, rate: float) -> str:
    """Each step of the network on one thread, a chunk at a time."""
    recipe = comparable(name)
    network = recipe.network()
    network.initialise(np.random.default_rng(1))
    gradients = network.views(np.zeros_like(network.parameters))
    contexts = network.contexts()
    columns = train.images[: recipe.chunk].transpose(1, 2, 0)
    parameters = network.views(network.parameters)
    times: dict[int, tuple[list[float], list[float]]] = {}
    with blas_on_one_thread():
        for _ in range(60):
            x, backwards = columns, []
            for position, step in network.steps:
                start = time.perf_counter()
                x, backward = step.forward(x, parameters[position], contexts[position])
                forward_times, _ = times.setdefault(position, ([], []))
                forward_times.append(time.perf_counter() - start)
                backwards.append((position, backward))
            dy: Any = np.full_like(x, 1e-3)
            for position, backward in reversed(backwards):
                start = time.perf_counter()
                dy = backward(dy, gradients[position])
                times[position][1].append(time.perf_counter() - start)
                if dy is None:
                    break
    counts = multiplications(network)
    total = sum(harness.median(t) for pair in times.values() for t in pair if t)
    rows = []
    for position, step in network.steps:
        ahead, back = (harness.median(t) if t else 0.0 for t in times[position])
        speed = share = ""
        if position in counts:
            products = 2 if position == min(counts) else 3
            flops = 2.0 * counts[position] * products * recipe.chunk
            speed = f"{flops / (ahead + back) / 1e9:.0f}"
            share = f"{100 * flops / (ahead + back) / rate:.0f} %"
        rows.append([
            type(step).__name__, f"{1e6 * ahead / recipe.chunk:.1f}",
            f"{1e6 * back / recipe.chunk:.1f}", f"{100 * (ahead + back) / total:.0f} %",
            speed, share,
        ])  # fmt: skip
    return harness.table(
        [f"`{name}`, one thread, chunks of {recipe.chunk}", "forward, µs an image",
         "backward, µs an image", "of the whole", "GFLOP/s", f"of {rate / 1e9:.0f} GFLOP/s"],
        rows,
    )  # fmt: skip


# Predictions


def onnx_session(network: Any, threads: int) -> Any:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = str(Path(folder) / "network.onnx")
        torch.onnx.export(
            network, (torch.zeros(2, 1, 28, 28),), path, input_names=["x"], dynamo=False,
            dynamic_axes={"x": {0: "n"}},
        )  # fmt: skip
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def timed(run: Callable[[], object], times: int = 1) -> Callable[[], float]:
    def seconds() -> float:
        found = []
        for _ in range(times):
            start = time.perf_counter()
            run()
            found.append(time.perf_counter() - start)
        return harness.median(found)

    return seconds


def prediction_of(recipe: Recipe, way: str, *, one: bool) -> Callable[[], float]:
    """All test images, or the first alone; `way` is a library with its batches."""
    library, _, batches = way.partition(", batches of ")
    images = ink.load("mnist:test").images
    threads, size = (1, 1) if one else (THREADS, int(batches.replace(",", "") or 0))
    if one:
        images = images[:1]
    times = 300 if one else 1
    network = recipe.network()
    network.initialise(np.random.default_rng(1))
    if library == "inkdigits":
        return timed(lambda: predict(network, images, threads=threads), times)
    torch.set_num_threads(threads)
    floats = images[:, np.newaxis] / np.float32(255)
    peer = torch_network(recipe.layers).eval()
    if library == "ONNX Runtime":
        session = onnx_session(peer, threads)
        parts = [floats[i : i + size] for i in range(0, len(floats), size)]
        return timed(lambda: [session.run(None, {"x": part}) for part in parts], times)
    pixels = torch.from_numpy(floats)
    if "channels_last" in library:
        peer, pixels = (x.to(memory_format=torch.channels_last) for x in (peer, pixels))
    if "compiled" in library:
        peer = torch.compile(peer)

    def run() -> None:
        with torch.inference_mode():
            for batch in pixels.split(size):
                peer(batch)

    run()
    return timed(run, times)


def predictions(name: str) -> str:
    peers = ["PyTorch", "PyTorch, channels_last", "PyTorch, compiled"] if torch else []
    onnx = ["ONNX Runtime"] if torch and onnxruntime else []
    ways = ["inkdigits"]
    ways += [f"{way}, batches of {size}" for way in peers for size in (64, 250, 1000)]
    ways += [f"{way}, batches of {size}" for way in onnx for size in (250, 1000)]
    tables = []
    for kind, names, header, unit, scale in (
        ("all", ways, f"10,000 images through `{name}`'s network, {THREADS} threads", "seconds", 1),
        ("one", ["inkdigits", *peers, *onnx], f"one image through `{name}`'s network, 1 thread",
         "µs", 1e6),
    ):  # fmt: skip
        runs: dict[str, Callable[[], float]] = {
            way: harness.Contender(f"{kind} | {name} | {way} | 0") for way in names
        }
        seconds = harness.alternate(runs, ROUNDS, pause=0)
        rows = [
            [way, f"{scale * harness.median(taken):.3g}",
             f"{harness.ratios(taken, seconds['inkdigits']):.2f} ×"]
            for way, taken in seconds.items()
        ]  # fmt: skip
        tables.append(harness.table([header, unit, "against ours"], rows))
    return "\n\n".join(tables)


# The recipes


def epoch_of(recipe: Recipe, way: str) -> Callable[[], float]:
    train = ink.load("mnist:train")
    if way == "inkdigits":
        return lambda: ink.train(recipe, train, epochs=1, threads=THREADS).card.seconds
    return timed(torch_step(recipe, train, THREADS, **WAYS[way]))


def epochs(name: str) -> str:
    """An epoch with the recipe's batch, beside PyTorch's."""
    ways = ["inkdigits"]
    ways += ["PyTorch", "PyTorch, channels_last", "PyTorch, compiled"] if torch else []
    runs: dict[str, Callable[[], float]] = {
        way: harness.Contender(f"epoch | {name} | {way} | 0") for way in ways
    }
    seconds = harness.alternate(runs, ROUNDS, pause=0)
    ours = seconds["inkdigits"]
    return harness.table(
        [f"an epoch of `{name}`, batch {comparable(name).batch}, {THREADS} threads", "seconds",
         "against ours"],
        [[way, f"{harness.median(taken):.2f}", f"{harness.ratios(taken, ours):.2f} ×"]
         for way, taken in seconds.items()],
    )  # fmt: skip


MEMORY = """
import resource, sys
import inkdigits as ink
ink.train(sys.argv[1], ink.load("mnist:train"), epochs=1, threads=int(sys.argv[2]))
# Not its ru_maxrss: that begins with the memory of the process that started it.
own = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def memory(names: tuple[str, ...]) -> str:
    rows = []
    for name in names:
        answer = subprocess.run(
            [sys.executable, "-c", MEMORY, name, str(THREADS)],
            check=True, capture_output=True, text=True,
        ).stdout.split()  # fmt: skip
        own, worker = (int(kilobytes) / 1000 for kilobytes in answer)
        rows.append([f"`{name}`", f"{own:.0f}", f"{worker:.0f}", f"{own + worker:.0f}"])
    return harness.table(
        ["training on all of MNIST, peak memory", "MB", "its worker process, MB",
         "both, what they share counted twice"],
        rows,
    )  # fmt: skip


def spelled(seeds: dict[str, range]) -> str:
    return "; ".join(
        f"seeds {each.start} to {each.stop - 1} of `{name}`" for name, each in seeds.items()
    )


def main() -> None:
    train, test = ink.load("mnist:train"), ink.load("mnist:test")

    def measure() -> str:
        rate = gemm_rate()
        recipes = harness.table(harness.RECIPE_HEADER, harness.recipe_rows(SEEDS, train, test))
        return "\n\n".join([
            f"All 60,000 training images, two threads, {spelled(SEEDS)}:\n\n{recipes}",
            steps("reference", rate),
            steps("standard", rate),
            epochs("lenet5"),
            predictions("standard"),
            predictions("quick"),
            roofline("reference", train, rate),
            roofline("standard", train, rate),
            measures("reference"),
            measures("standard"),
            memory(("quick", "standard")),
        ])  # fmt: skip

    harness.publish("convolutions", measure)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        harness.serve(contender(sys.argv[2]))
    else:
        main()
