"""Recipes: everything that decides the outcome of a training, under a name.

A recipe is found with `--holdout` alone, on `mnist:validation`. What it reaches on the test set is
in docs/benchmarks.md, with the command that measures it.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.classic import INK_OFFSET, INK_SCALE
from inkdigits.dataset import DIGITS
from inkdigits.errors import TrainingError
from inkdigits.network import (
    Adam,
    BatchNorm,
    Conv2d,
    Dense,
    Downsample,
    Flatten,
    Layer,
    Loss,
    MaxPool2d,
    Network,
    Optimizer,
    ReLU,
    Rescale,
    Sigmoid,
    SoftmaxCrossEntropy,
    he,
)
from inkdigits.network.initialisation import Spread
from inkdigits.training.augmentation import Augmentation
from inkdigits.training.hands import foreign_hands
from inkdigits.training.schedules import OneCycle, Schedule
from inkdigits.training.wear import Wear

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
        averaging: what the average of the weights keeps at each step, as 0.999; the model has the
            average (Polyak and Juditsky 1992). 0 for none.
        clip_norm: the largest L2 norm of a step's gradient: a longer one is shortened to it
            (Pascanu et al. 2013). None for any.
        augmentation: how the digits are varied, anew in each epoch; None to take them as they are.
        hands: the share of digits, of those that other hands write in another way, which are
            written so (`hands.foreign_hands`).
        wear: what befalls the pictures of them; None for nothing.
        negatives: drawn anew for each epoch, so many for each digit: pictures of what is no digit,
            for a network of eleven outputs.

    Raises:
        TrainingError: a setting is out of its range, or there are negatives and the network has no
            output for them.
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
    averaging: float = 0.0
    clip_norm: float | None = None
    augmentation: Augmentation | None = None
    hands: float = 0.0
    wear: Wear | None = None
    negatives: float = 0.0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "chunk", "lanes"):
            if getattr(self, name) < 1:
                raise TrainingError(
                    f"expected {name} of 1 or more in recipe {self.name}, got {getattr(self, name)}"
                )
        if not 0 <= self.averaging < 1:
            raise TrainingError(
                f"expected averaging of 0 to less than 1 in recipe {self.name}, "
                f"got {self.averaging}"
            )
        if self.clip_norm is not None and not 0 < self.clip_norm < math.inf:
            raise TrainingError(
                f"expected clip_norm of more than 0, or None, in recipe {self.name}, "
                f"got {self.clip_norm}"
            )
        if not 0 <= self.hands <= 1:
            raise TrainingError(
                f"expected hands, a share, of 0 to 1 in recipe {self.name}, got {self.hands}"
            )
        if not 0 <= self.negatives < math.inf:
            raise TrainingError(
                f"expected negatives of 0 or more for each digit in recipe {self.name}, "
                f"got {self.negatives}"
            )
        if self.negatives and self.network().answers != DIGITS + 1:
            raise TrainingError(
                f"expected a network of {DIGITS + 1} outputs, the last for what is no digit, in "
                f"recipe {self.name}, got {self.network().answers}: let its last layer have "
                f"{DIGITS + 1}, or set negatives to 0"
            )

    def network(self) -> Network:
        """The network before its first weights."""
        return Network(self.layers)

    @property
    def varies(self) -> bool:
        """Whether it learns from other pictures than those given."""
        return any((self.augmentation, self.hands, self.wear, self.negatives))

    def varied(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        generator: np.random.Generator,
    ) -> NDArray[np.uint8]:
        """Glyphs as other hands, pens and cameras might have made them.

        Args:
            images: shape (N, 28, 28), uint8; left as they are.
            labels: shape (N,), 0 to 9, or 10 for what is no digit.
            generator: of all that is drawn.
        """
        if self.hands:
            images = foreign_hands(images, labels, generator, share=self.hands)
        if self.augmentation is not None:
            images = self.augmentation(images, generator)
        if self.wear is not None:
            images = self.wear(images, generator)
        return images

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
    """Numbers and None as they are, functions by their name, records as they are written."""
    if value is None or isinstance(value, int | float):
        return value
    return value.__name__ if hasattr(value, "__name__") else repr(value)


def small_pixels(*, gain: float = 1.0) -> tuple[Layer, ...]:
    """The first layers for networks that work on 14 × 14 pixels, whose mean of 0.13 they take off.

    A `gain` of 3 also brings their spread of 0.31 to about 1: faster learning in the first epochs.
    """
    return (Downsample(2), Rescale(gain / (4 * 255), -0.13 * gain), Flatten())


PIXELS = Rescale(1 / 80, -0.4)  # to a mean of 0 and a spread of 1, about


def convolved(convolution: Conv2d, *pool: MaxPool2d) -> tuple[Layer, ...]:
    """A convolution, pooled first and then normalised and bent: a quarter of the work."""
    return (convolution, *pool, BatchNorm(convolution.outputs), ReLU())


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
            purpose="98.4 % in half a second, with one hidden layer",
            layers=(*small_pixels(), Dense(196, 256), ReLU(), Dense(256, 10)),
            loss=SoftmaxCrossEntropy(smoothing=0.05),
            optimizer=Adam(beta1=0.7, beta2=0.9),
            schedule=OneCycle(peak=0.012, warmup=0.2, end=0.01),
            epochs=4,
            batch=256,
            chunk=128,
        ),
        Recipe(
            name="quick",
            purpose="99 % in two seconds, with two small convolutions",
            layers=(
                PIXELS,
                *convolved(Conv2d(1, 16, 5, stride=2, bias=False)),
                *convolved(Conv2d(16, 32, 5, stride=2, bias=False)),
                Flatten(),
                Dense(512, 96),
                ReLU(),
                Dense(96, 10),
            ),
            loss=SoftmaxCrossEntropy(smoothing=0.05),
            optimizer=Adam(beta1=0.7, beta2=0.9),
            schedule=OneCycle(peak=0.02, warmup=0.2, end=0.01),
            epochs=2,
            batch=256,
            chunk=32,
        ),
        Recipe(
            name="standard",
            purpose="99.6 % in forty seconds, with three convolutions and varied digits",
            layers=(
                PIXELS,
                *convolved(Conv2d(1, 24, 5, bias=False), MaxPool2d(2)),
                *convolved(Conv2d(24, 48, 3, padding="same", bias=False), MaxPool2d(2)),
                *convolved(Conv2d(48, 64, 3, bias=False)),
                Flatten(),
                Dense(1024, 128, bias=False),
                BatchNorm(128),
                ReLU(),
                Dense(128, 10),
            ),
            loss=SoftmaxCrossEntropy(smoothing=0.05),
            optimizer=Adam(beta1=0.8, beta2=0.95),
            schedule=OneCycle(peak=0.015, warmup=0.2, end=0.005),
            epochs=8,
            batch=256,
            chunk=32,
            augmentation=Augmentation(shift=1.5, rotation_degrees=10, scale=0.1, shear=0.15),
        ),
        Recipe(
            name="reader",
            purpose="for pictures of anybody's digits, and of what is none",
            layers=(
                PIXELS,
                *convolved(Conv2d(1, 32, 5, bias=False), MaxPool2d(2)),
                *convolved(Conv2d(32, 64, 3, padding="same", bias=False), MaxPool2d(2)),
                *convolved(Conv2d(64, 128, 3, bias=False)),
                Flatten(),
                Dense(2048, 192, bias=False),
                BatchNorm(192),
                ReLU(),
                Dense(192, 11),
            ),
            loss=SoftmaxCrossEntropy(smoothing=0.02),
            optimizer=Adam(beta1=0.8, beta2=0.95),
            schedule=OneCycle(peak=0.012, warmup=0.2, end=0.005),
            epochs=36,
            batch=256,
            chunk=32,
            averaging=0.999,
            hands=0.4,
            augmentation=Augmentation(
                shift=1.0,
                rotation_degrees=14,
                scale=0.05,
                aspect=0.45,
                shear=0.25,
                elastic_alpha=24,
                elastic_sigma=4,
                thickness=1.2,
            ),
            wear=Wear(
                neighbours=0.12,
                lines=0.08,
                cuts=0.1,
                breaks=0.12,
                coarse=0.25,
                blur=0.4,
                hard=0.4,
                pale=0.3,
                grain=0.25,
                stretched=0.35,
                jitter=1.0,
            ),
            negatives=0.45,
        ),
        Recipe(
            name="lenet5",
            purpose="LeNet-5 as today's textbooks draw it, to compare speeds with",
            layers=(
                Rescale(),
                Conv2d(1, 6, 5, padding="same"),
                MaxPool2d(2),
                ReLU(),
                Conv2d(6, 16, 5),
                MaxPool2d(2),
                ReLU(),
                Flatten(),
                Dense(400, 120),
                ReLU(),
                Dense(120, 84),
                ReLU(),
                Dense(84, 10),
            ),
            loss=SoftmaxCrossEntropy(),
            optimizer=Adam(),
            schedule=OneCycle(peak=0.004, end=0.01),
            epochs=10,
            batch=256,
            chunk=32,
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
