"""Estimates: how large a run would be, and how long it would take here.

Machines differ more than networks do, so a step is timed rather than computed: a few chunks of
noise go through the network and back, which takes a tenth of a second.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from inkdigits.classic import Network as ClassicNetwork
from inkdigits.dataset import DIGITS, SIDE, Dataset
from inkdigits.lab.runs.plans import multiplications, recipe_of, steps_of
from inkdigits.lab.runs.settings import RunSettings
from inkdigits.network import Network
from inkdigits.parallel import available_threads, blas_on_one_thread, keep_freed_memory
from inkdigits.training import ClassicRecipe, Recipe

__all__ = ["estimate", "seconds_of"]

BUDGET = 0.025  # seconds to time a chunk or an update for, once it is warm
PATIENCE = 0.5  # seconds, where the machine is busy
SOME, MANY = 7, 100  # times: at least, if there is patience; at most
WORK = 50_000_000  # multiplications of one way through the network: some milliseconds
TOGETHER = 0.85  # of what two workers could do at best
VALIDATION = 10_000  # digits that are read after each epoch
FORWARD = 1 / 3  # of the way through the network and back


def estimate(
    settings: RunSettings, *, clock: Callable[[], float] = time.perf_counter
) -> dict[str, Any]:
    """What a run with these settings would be, as plain data.

    Args:
        settings: of the run.
        clock: gives seconds.

    Returns:
        "parameters"; "layers" with their "words", the "shape" that comes out and "parameters";
        "steps"; "seconds", with validation and without looking on; "fits", which is true.

    Raises:
        TrainingError: there can be no such run.
    """
    recipe = recipe_of(settings)
    layers: list[dict[str, Any]] = []
    shape: tuple[int, ...] = (SIDE, SIDE)
    for layer in recipe.layers:
        shape = layer.output_shape(shape)
        parameters = sum(math.prod(own) for own in layer.shapes.values())
        layers.append({"words": str(layer), "shape": list(shape), "parameters": parameters})
    return {
        "parameters": sum(layer["parameters"] for layer in layers),
        "layers": layers,
        "steps": steps_of(recipe, settings.images),
        "seconds": round(seconds_of(recipe, settings.images, clock=clock), 2),
        "fits": True,
    }


def seconds_of(
    recipe: Recipe | ClassicRecipe, digits: int, *, clock: Callable[[], float] = time.perf_counter
) -> float:
    """How long a run on so many digits takes here, about."""
    keep_freed_memory()  # as a crew does, or memory is what is timed
    network = recipe.network()
    network.initialise(np.random.default_rng(0))
    with blas_on_one_thread():
        if isinstance(recipe, ClassicRecipe):
            return digits * recipe.epochs * classic_record(recipe, clock)
        sample, step = chunk_and_update(recipe, network, clock)
    threads = min(recipe.lanes, available_threads())
    together = 1.0 if threads == 1 else threads * TOGETHER
    samples = recipe.epochs * digits * (1 + recipe.negatives)
    read = recipe.epochs * VALIDATION * FORWARD
    return ((samples + read) * sample + steps_of(recipe, digits) * step) / together


def chunk_and_update(
    recipe: Recipe, network: Network, clock: Callable[[], float]
) -> tuple[float, float]:
    """Seconds for one sample on its way through the network and back, and for one update."""
    work = sum(multiplications(recipe.layers))
    size = max(1, min(recipe.chunk, WORK // max(1, work)))
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (size, SIDE, SIDE), np.uint8)
    labels = generator.integers(0, DIGITS, size, np.uint8)
    gradient, memory = (
        np.zeros_like(network.parameters),
        np.zeros((recipe.optimizer.slots, network.parameters.size), network.dtype),
    )
    views, contexts, decay = network.views(gradient), network.contexts(), network.decay_mask()
    for context in contexts:
        context.generator = lambda: generator

    def chunk() -> None:
        varied = recipe.varied(images, labels, generator) if recipe.varies else images
        logits, backward = network.forward(varied.transpose(1, 2, 0), contexts)
        backward(recipe.loss(logits, labels)[1] / size, views)

    def update() -> None:
        # At a rate of nothing: noise teaches nothing, and the numbers stay as they are.
        recipe.optimizer.step(network.parameters, gradient, memory, decay, rate=0.0, count=1)

    return least(chunk, clock) / size, least(update, clock)


def classic_record(recipe: ClassicRecipe, clock: Callable[[], float]) -> float:
    """Seconds for one record of the post's training."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (32, SIDE, SIDE), np.uint8)
    block = Dataset(images, generator.integers(0, DIGITS, 32, np.uint8))
    rng = np.random.RandomState(0)
    network = ClassicNetwork(SIDE * SIDE, recipe.hidden, DIGITS, recipe.rate, rng=rng)
    return least(lambda: network.fit(block), clock) / len(block)


def least(work: Callable[[], Any], clock: Callable[[], float]) -> float:
    """The least time that `work` took, of as often as it can be done within the budget.

    Where others use the machine a single time may be that of somebody else's work: so there are
    some, unless they take very long.
    """
    work()  # the first time is for the caches, and for what is imported by it
    times: list[float] = []
    began = now = clock()
    while (
        not times
        or (len(times) < SOME and now - began < PATIENCE)
        or (len(times) < MANY and now - began < BUDGET)
    ):
        before = clock()
        work()
        now = clock()
        times.append(now - before)
    return min(times)
