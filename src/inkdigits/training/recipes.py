"""Recipes: everything that decides the outcome of a training, under a name.

A recipe is found with `--holdout` alone, on `mnist:validation`. What it reaches on the test set is
in docs/benchmarks.md, with the command that measures it.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from typing import Any

from inkdigits.classic import INK_OFFSET, INK_SCALE
from inkdigits.errors import TrainingError
from inkdigits.network import (
    Adam,
    Dense,
    Downsample,
    Flatten,
    Layer,
    Loss,
    Network,
    Optimizer,
    ReLU,
    Rescale,
    Sigmoid,
    SoftmaxCrossEntropy,
    he,
)
from inkdigits.network.initialisation import Spread
from inkdigits.training.schedules import OneCycle, Schedule

__all__ = ["RECIPES", "ClassicRecipe", "Recipe", "find_recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and the way it is trained.

    Args:
        name: what the command line calls it.
        purpose: one line on what it is for.
        layers: of the network, from pixels to logits.
        loss: what is made small.
        optimizer: how a gradient moves the weights.
        schedule: the learning rate over the run.
        epochs: how many times through the data.
        batch: samples that a step averages over.
        chunk: samples that go through the layers together; a batch is cut into chunks.
        lanes: how many chunks may be under way at once; see `inkdigits.parallel`.
        spread: where the weights start.
    """

    name: str
    purpose: str
    layers: tuple[Layer, ...]
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule
    epochs: int
    batch: int
    chunk: int
    lanes: int = 2
    spread: Spread = he

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "chunk", "lanes"):
            if getattr(self, name) < 1:
                raise TrainingError(
                    f"expected {name} of 1 or more in recipe {self.name}, got {getattr(self, name)}"
                )

    def network(self) -> Network:
        """The network before its first weights."""
        return Network(self.layers)

    def settings(self) -> dict[str, Any]:
        """All that decides the outcome, as plain data for a model's card."""
        return {
            field.name: plain(getattr(self, field.name))
            for field in fields(self)
            if field.name not in ("name", "purpose", "layers")
        }


@dataclass(frozen=True, kw_only=True)
class ClassicRecipe:
    """The post's training, done by `classic.Network`: one record at a time, in file order."""

    name: str
    purpose: str
    hidden: int
    rate: float
    epochs: int

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The post's network as layers that give logits; the last sigmoid is left to the reader."""
        return (
            Rescale(INK_SCALE / 255, INK_OFFSET, dtype="float64"),
            Flatten(),
            Dense(784, self.hidden, bias=False),
            Sigmoid(),
            Dense(self.hidden, 10, bias=False),
        )

    def network(self) -> Network:
        """The network before its first weights."""
        return Network(self.layers, dtype="float64")

    def settings(self) -> dict[str, Any]:
        """All that decides the outcome, as plain data for a model's card."""
        return {"hidden": self.hidden, "rate": self.rate, "epochs": self.epochs}


def plain(value: Any) -> Any:
    """Numbers as they are, functions by their name, records as they are written."""
    if isinstance(value, int | float):
        return value
    return value.__name__ if hasattr(value, "__name__") else repr(value)


def small_pixels(*, gain: float = 1.0) -> tuple[Layer, ...]:
    """The first layers for networks that work on 14 × 14 pixels, whose mean of 0.13 they take off.

    A `gain` of 3 also brings their spread of 0.31 to about 1: faster learning in the first epochs.
    """
    return (Downsample(2), Rescale(gain / (4 * 255), -0.13 * gain), Flatten())


RECIPES: dict[str, Recipe | ClassicRecipe] = {
    recipe.name: recipe
    for recipe in (
        ClassicRecipe(
            name="classic",
            purpose="the post's network and training, to the letter",
            hidden=200,
            rate=0.1,
            epochs=5,
        ),
        Recipe(
            name="blink",
            purpose="the post's accuracy in the blink of an eye",
            layers=(*small_pixels(gain=3), Dense(196, 160), ReLU(), Dense(160, 10)),
            loss=SoftmaxCrossEntropy(smoothing=0.05),
            optimizer=Adam(beta1=0.7, beta2=0.9),
            schedule=OneCycle(peak=0.018, warmup=0.2, end=0.01),
            epochs=2,
            batch=256,
            chunk=128,
        ),
        Recipe(
            name="mlp",
            purpose="98.2 % in a second, with one hidden layer",
            layers=(*small_pixels(), Dense(196, 256), ReLU(), Dense(256, 10)),
            loss=SoftmaxCrossEntropy(smoothing=0.05),
            optimizer=Adam(beta1=0.7, beta2=0.9),
            schedule=OneCycle(peak=0.012, warmup=0.2, end=0.01),
            epochs=4,
            batch=256,
            chunk=128,
        ),
    )
}


def find_recipe(name: str) -> Recipe | ClassicRecipe:
    """The recipe of that name.

    Raises:
        TrainingError: there is none; the nearest is named.
    """
    if name in RECIPES:
        return RECIPES[name]
    nearest = difflib.get_close_matches(name, RECIPES, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(RECIPES)}"
    raise TrainingError(f"there is no recipe {name!r}: {hint}")
