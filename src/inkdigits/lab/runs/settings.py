"""Settings: what a run in the lab is asked to be. Each number has its range, each name its table.

What they mean as a recipe and data is in `plans`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from inkdigits.network import (
    SGD,
    Adam,
    Layer,
    LeakyReLU,
    Loss,
    Optimizer,
    ReLU,
    Sigmoid,
    SoftmaxCrossEntropy,
    SquaredError,
    Tanh,
)
from inkdigits.training import RECIPES, Augmentation

__all__ = [
    "ACTIVATIONS",
    "AUGMENTATIONS",
    "DEFAULT",
    "LOSSES",
    "OPTIMIZERS",
    "Change",
    "ConvolutionSettings",
    "DenseSettings",
    "LessonSettings",
    "Name",
    "NetworkSettings",
    "RunSettings",
    "Strict",
    "augmentation_of",
    "options",
]

IMAGES = 50_000  # in mnist:train50, which runs learn from

ACTIVATIONS: Mapping[str, type[Layer]] = MappingProxyType(
    {"relu": ReLU, "leaky-relu": LeakyReLU, "tanh": Tanh, "sigmoid": Sigmoid}
)
LOSSES: Mapping[str, Loss] = MappingProxyType(
    {"cross-entropy": SoftmaxCrossEntropy(), "squared-error": SquaredError()}
)
# With the rate that a network of the lab learns well with, unless one is given.
OPTIMIZERS: Mapping[str, tuple[Optimizer, float]] = MappingProxyType(
    {
        "sgd": (SGD(), 0.1),
        "momentum": (SGD(momentum=0.9), 0.02),
        "nesterov": (SGD(momentum=0.9, nesterov=True), 0.02),
        "adam": (Adam(), 0.001),
    }
)
AUGMENTATIONS: Mapping[str, Augmentation | None] = MappingProxyType(
    {
        "none": None,
        "shift": Augmentation(shift=2.0),
        "hand": Augmentation(shift=1.5, rotation_degrees=10, scale=0.1, shear=0.15),
        "strong": Augmentation(
            shift=2.0,
            rotation_degrees=15,
            scale=0.15,
            shear=0.3,
            elastic_alpha=24,
            elastic_sigma=4,
            thickness=1.0,
        ),
    }
)

Units = Annotated[int, Field(ge=1, le=512)]
Rate = Annotated[float, Field(ge=1e-6, le=10)]
Batch = Annotated[int, Field(ge=1, le=1024)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Augmented = Literal["none", "shift", "hand", "strong"]


class Strict(BaseModel):
    """What has these fields and no others, of these types and no likenesses of them."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class ConvolutionSettings(Strict):
    """A convolution, its activation and, with `pool`, the largest of each 2 × 2 squares."""

    kind: Literal["convolution"]
    units: Units
    kernel: Annotated[int, Field(ge=1, le=7)] = 5
    pool: bool = True


class DenseSettings(Strict):
    """A dense layer and its activation."""

    kind: Literal["dense"]
    units: Units


class NetworkSettings(Strict):
    """A network to build: at most four convolutions, then at most four dense layers.

    The last layer, of ten outputs, comes by itself.
    """

    layers: Annotated[
        list[Annotated[ConvolutionSettings | DenseSettings, Field(discriminator="kind")],],
        Field(max_length=8),
    ]
    activation: Literal["relu", "leaky-relu", "tanh", "sigmoid"] = "relu"
    loss: Literal["cross-entropy", "squared-error"] = "cross-entropy"
    optimizer: Literal["sgd", "momentum", "nesterov", "adam"] = "adam"

    @model_validator(mode="after")
    def in_order(self) -> NetworkSettings:
        """Convolutions need pictures, and a dense layer leaves none."""
        kinds = [layer.kind for layer in self.layers]
        for kind in ("convolution", "dense"):
            if kinds.count(kind) > 4:
                raise ValueError(
                    f"expected at most 4 {kind} layers, got {kinds.count(kind)}: take some away"
                )
        if kinds != sorted(kinds):
            raise ValueError(
                "expected convolutions before the dense layers, got a convolution after one: "
                "change their order"
            )
        return self


class RunSettings(Strict):
    """What a run is to learn, from what, and how; None stands for the recipe's own."""

    recipe: Literal[tuple(RECIPES)] | None = None  # type: ignore[valid-type]
    network: NetworkSettings | None = None
    epochs: Annotated[int, Field(ge=1, le=200)] | None = None
    batch: Batch | None = None
    rate: Rate | None = None
    schedule: Literal["one-cycle", "constant"] | None = None
    augmentation: Augmented | None = None
    images: Annotated[int, Field(ge=100, le=IMAGES)] = IMAGES
    wrong_labels: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    seed: Seed = 1
    name: Name | None = None

    @model_validator(mode="after")
    def of_something(self) -> RunSettings:
        if self.recipe is None and self.network is None:
            raise ValueError("expected a recipe or a network, got neither: name a recipe")
        return self


class LessonSettings(Strict):
    """A model to teach the corrections to: `reader`, or the run whose model it is."""

    model: Annotated[str, StringConstraints(pattern=r"^(reader|[0-9a-f]{12})$")] = "reader"
    name: Name | None = None
    seed: Seed = 1


class Change(Strict):
    """What may be changed while a run learns."""

    rate: Rate | None = None
    batch: Batch | None = None
    augmentation: Augmented | None = None


DEFAULT = RunSettings(
    network=NetworkSettings(
        layers=[
            ConvolutionSettings(kind="convolution", units=16, kernel=5, pool=True),
            DenseSettings(kind="dense", units=100),
        ]
    ),
    epochs=8,
    batch=128,
    rate=0.001,
    schedule="one-cycle",
    augmentation="none",
)


def augmentation_of(augmentation: Augmentation | None) -> str:
    """The name of an augmentation; what has none is called "own"."""
    return next((name for name, value in AUGMENTATIONS.items() if value == augmentation), "own")


def options() -> dict[str, list[str]]:
    """What there is to choose from."""
    return {
        "activations": list(ACTIVATIONS),
        "losses": list(LOSSES),
        "optimizers": list(OPTIMIZERS),
        "schedules": ["one-cycle", "constant"],
        "augmentations": list(AUGMENTATIONS),
    }
