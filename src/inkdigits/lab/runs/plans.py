"""Plans: the recipe and the data that settings mean.

All that can be known before a run is found out here, before a process is started for it: a network
that would not fit into memory, or whose pictures shrink to nothing on their way, is refused in
words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from inkdigits.dataset import DIGITS, SIDE, Dataset
from inkdigits.errors import ShapeError, TrainingError
from inkdigits.lab.runs.settings import (
    ACTIVATIONS,
    AUGMENTATIONS,
    LOSSES,
    OPTIMIZERS,
    ConvolutionSettings,
    NetworkSettings,
    RunSettings,
)
from inkdigits.network import Conv2d, Dense, Flatten, Layer, MaxPool2d, Network, Rescale, glorot, he
from inkdigits.sources import load
from inkdigits.training import RECIPES, ClassicRecipe, Recipe, find_recipe
from inkdigits.training.measured import measured
from inkdigits.training.recipes import PIXELS
from inkdigits.training.schedules import Constant, OneCycle, Schedule

__all__ = [
    "dataset_of",
    "facts_of",
    "multiplications",
    "rate_of",
    "recipe_of",
    "recipes",
    "steps_of",
    "title",
]

MOST_PARAMETERS = 5_000_000  # some 200 MB while it learns: weights, gradients, memories, a copy
MOST_MULTIPLICATIONS = 100_000_000  # for one picture: beyond, an epoch takes a quarter of an hour
LEAST_CHUNK = 16  # however small the batch: it may be made larger while the run goes on
PATCHES = 1 << 24  # numbers that a convolution may lay out at once for a chunk: 64 MB


def recipe_of(settings: RunSettings) -> Recipe | ClassicRecipe:
    """The recipe that settings mean: one by its name with what was changed in it, or a new one.

    Raises:
        TrainingError: they do not go together, or the network is too large.
    """
    recipe = (
        built(settings.network, settings)
        if settings.recipe is None and settings.network is not None
        else find_recipe(str(settings.recipe))
    )
    epochs = recipe.epochs if settings.epochs is None else settings.epochs
    if isinstance(recipe, ClassicRecipe):
        return classic_with(recipe, settings, epochs)
    batch = recipe.batch if settings.batch is None else settings.batch
    augmentation = recipe.augmentation
    if settings.augmentation is not None:
        augmentation = AUGMENTATIONS[settings.augmentation]
    return replace(
        recipe,
        epochs=epochs,
        batch=batch,
        chunk=min(recipe.chunk, max(LEAST_CHUNK, -(-batch // recipe.lanes))),
        schedule=schedule_of(recipe.schedule, settings),
        augmentation=augmentation,
    )


def classic_with(recipe: ClassicRecipe, settings: RunSettings, epochs: int) -> ClassicRecipe:
    """The post's recipe with another rate and other epochs: it has nothing else to change."""
    for name, own in {"batch": 1, "schedule": "constant", "augmentation": "none"}.items():
        came = getattr(settings, name)
        if came not in (None, own):
            raise TrainingError(
                f"expected no {name} with recipe {recipe.name}, which learns one digit at a time "
                f"as the post does, got {came}: leave it away"
            )
    return replace(recipe, epochs=epochs, rate=settings.rate or recipe.rate)


def schedule_of(own: Schedule, settings: RunSettings) -> Schedule:
    """The recipe's own schedule, or one with the rate or of the kind that was asked for."""
    if settings.rate is None and settings.schedule is None:
        return own
    highest = max(own(progress) for progress in np.linspace(0, 1, 201).tolist())
    rate = highest if settings.rate is None else settings.rate
    kind = settings.schedule or ("constant" if isinstance(own, Constant) else "one-cycle")
    if kind == "constant":
        return Constant(rate)
    return replace(own, peak=rate) if isinstance(own, OneCycle) else one_cycle(rate)


def one_cycle(rate: float) -> OneCycle:
    """The cycle of most recipes."""
    return OneCycle(rate, warmup=0.2, end=0.01)


def built(network: NetworkSettings, settings: RunSettings) -> Recipe:
    """A recipe for a network of these layers.

    Raises:
        TrainingError: it is too large, or its pictures become too small.
    """
    layers = layers_of(network)
    chunk, most = 128, 1
    shape: tuple[int, ...] = (SIDE, SIDE)
    for layer in layers:
        shape = layer.output_shape(shape)
        if isinstance(layer, Conv2d):
            chunk = 32
            most = max(most, layer.inputs * layer.kernel**2 * shape[1] * shape[2])
    optimizer, rate = OPTIMIZERS[network.optimizer]
    smooth = network.activation in ("tanh", "sigmoid")
    return Recipe(
        name="own",
        purpose="built in the lab",
        layers=layers,
        loss=LOSSES[network.loss],
        optimizer=optimizer,
        # At one rate from first to last 43 % of the dense units of `DEFAULT` die, and with
        # a warm-up 3 %.
        schedule=one_cycle(rate / 2 if network.loss == "squared-error" else rate),
        epochs=5,
        batch=128,
        chunk=max(1, min(chunk, PATCHES // most)),
        spread=glorot if smooth else he,
    )


def layers_of(network: NetworkSettings) -> tuple[Layer, ...]:
    """From pixels to logits. Squares are pooled before they are bent: the same, and less work.

    Raises:
        TrainingError: it is too large, or its pictures become too small.
    """
    bend = ACTIVATIONS[network.activation]
    # The further from 0 the answers start, the longer a squared error's first gradients: darker
    # pixels bring it to 91 % after two epochs of 10,000 digits where `PIXELS` brings it to 31.
    squared = network.loss == "squared-error"
    layers: list[Layer] = [Rescale() if squared else PIXELS]
    shape: tuple[int, ...] = (SIDE, SIDE)
    for number, wanted in enumerate(network.layers, start=1):
        new: list[Layer] = []
        if isinstance(wanted, ConvolutionSettings):
            channels = shape[0] if len(shape) == 3 else 1
            new = [Conv2d(channels, wanted.units, wanted.kernel)]
            new += [MaxPool2d(2)] if wanted.pool else []
        else:
            new = [Flatten()] if len(shape) > 1 else []
            new.append(Dense(math.prod(shape), wanted.units))
        before = shape
        try:
            for layer in new:
                shape = layer.output_shape(shape)
        except ShapeError:
            raise TrainingError(
                f"expected pictures that are large enough for convolution {number}, got "
                f"{before[-2]} × {before[-1]} pixels: make its kernel smaller, or pool less"
            ) from None
        layers += [*new, bend()]
    layers += [Flatten()] if len(shape) > 1 else []
    layers.append(Dense(math.prod(shape), DIGITS))
    check_size(layers)
    return tuple(layers)


def check_size(layers: Sequence[Layer]) -> None:
    """Before any memory is taken for them."""
    parameters = sum(math.prod(s) for layer in layers for s in layer.shapes.values())
    work = sum(multiplications(layers))
    for what, came, most in (
        ("parameters", parameters, MOST_PARAMETERS),
        ("multiplications a picture", work, MOST_MULTIPLICATIONS),
    ):
        if came > most:
            raise TrainingError(
                f"expected a network of at most {most:,} {what}, got {came:,}: take fewer units, "
                "or pool earlier"
            )


def multiplications(layers: Sequence[Layer]) -> list[int]:
    """How often each layer multiplies by a weight on the way of one picture through it."""
    shape: tuple[int, ...] = (SIDE, SIDE)
    counts = []
    for layer in layers:
        shape = layer.output_shape(shape)
        weights = math.prod(layer.shapes.get("weight", (0,)))
        counts.append(weights * math.prod(shape[1:]))  # at each place of a picture
    return counts


def dataset_of(settings: RunSettings) -> Dataset:
    """The first so many digits of `mnist:train50`, a share of them labelled wrongly."""
    dataset = load("mnist:train50").subset(slice(settings.images))
    if settings.wrong_labels:
        dataset = dataset.mislabelled(settings.wrong_labels, seed=settings.seed)
    return dataset


def recipes() -> list[dict[str, Any]]:
    """The recipes there are, as plain data, with what they reached when they were measured."""
    reached = measured()
    return [
        {
            "name": recipe.name,
            "purpose": recipe.purpose,
            "epochs": recipe.epochs,
            "batch": 1 if isinstance(recipe, ClassicRecipe) else recipe.batch,
            "rate": rate_of(recipe),
            "seconds": reached.get(recipe.name, {}).get("seconds"),
            "accuracy": reached.get(recipe.name, {}).get("accuracy"),
            "parameters": int(Network(recipe.layers).parameters.size),
            "layers": [str(layer) for layer in recipe.layers],
            "steerable": isinstance(recipe, Recipe),
        }
        for recipe in RECIPES.values()
    ]


def steps_of(recipe: Recipe | ClassicRecipe, digits: int) -> int:
    """Of a run that learns from so many digits."""
    if isinstance(recipe, ClassicRecipe):
        return recipe.epochs * digits
    samples = digits + round(recipe.negatives * digits)
    return recipe.epochs * -(-samples // recipe.batch)


def rate_of(recipe: Recipe | ClassicRecipe) -> float:
    """The highest learning rate of a run."""
    if isinstance(recipe, ClassicRecipe):
        return recipe.rate
    return float(max(recipe.schedule(progress) for progress in np.linspace(0, 1, 201).tolist()))


def facts_of(recipe: Recipe | ClassicRecipe, digits: int) -> dict[str, int]:
    """What a run's summary has before its process says so."""
    return {
        "epochs": recipe.epochs,
        "steps": steps_of(recipe, digits),
        "parameters": int(recipe.network().parameters.size),
    }


def title(settings: RunSettings) -> str:
    """What to call a run that was given no name: its recipe, or the units of its layers."""
    if settings.recipe is not None or settings.network is None:
        return str(settings.recipe)
    return "-".join(str(layer.units) for layer in settings.network.layers) or "linear"
