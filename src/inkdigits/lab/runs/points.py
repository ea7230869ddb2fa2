"""Telling: what a run shows of itself while it learns, and when it is time to.

To look at a network takes time that it could learn in. So a run is looked at some hundreds of times
from its beginning to its end, at points; and between two of them only the numbers that cost nothing
are told.
"""

from __future__ import annotations

import base64
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import Dataset
from inkdigits.evaluation import report
from inkdigits.inspection import layer_figures
from inkdigits.lab.runs.hints import SAMPLE
from inkdigits.lab.runs.settings import augmentation_of
from inkdigits.model import Model
from inkdigits.network import Conv2d, Dense, Flatten, Loss, Network, SquaredError
from inkdigits.network.activations import sigmoid
from inkdigits.network.layers import Array
from inkdigits.training import ClassicRecipe, Progress, Recipe

__all__ = ["Pace", "Points", "Sight", "first_pictures", "numbers"]

POINTS = 300  # in the run as it was planned
FEWEST = 12  # however much of the time they take
COST = 0.25  # of the time so far is what they may take
PROBE = 256  # digits that the layers' figures are taken on
WRONG = 12
PICTURES = 64
ZERO = 128  # the grey of a weight of 0
RECENT = 3.0  # seconds that the pace is taken from


@dataclass
class Points:
    """When it is time for the next point.

    Args:
        steps: of the run as it was planned; longer runs have more points, as close together.
        last: step of the last point; None before the first.
        spent: seconds that points took so far.
    """

    steps: int
    last: int | None = None
    spent: float = 0.0

    def due(self, step: int, steps: int, seconds: float) -> bool:
        """Whether it is time for one.

        Args:
            step: steps done.
            steps: of the run, as things stand.
            seconds: of the whole so far, points and all.
        """
        if self.last is None or step == steps:
            return step != self.last
        since = step - self.last
        if since < max(1, self.steps / POINTS):
            return False
        return self.spent <= COST * seconds or since >= self.steps // FEWEST


class Pace:
    """How fast a run has been in the last seconds, pauses left out."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float, int]] = deque()

    def mark(self, seconds: float, samples: float, step: int) -> None:
        """The run had come so far at this moment."""
        self._marks.append((seconds, samples, step))
        while len(self._marks) > 2 and seconds - self._marks[1][0] > RECENT:
            self._marks.popleft()

    def pause(self) -> None:
        """What comes next has nothing to do with what was."""
        self._marks.clear()

    def per_second(self) -> tuple[float, float] | None:
        """Digits and steps a second; None before it is known."""
        if len(self._marks) < 2:
            return None
        (began, before, first), (ended, after, last) = self._marks[0], self._marks[-1]
        if ended <= began or last <= first:
            return None
        return (after - before) / (ended - began), (last - first) / (ended - began)


def numbers(progress: Progress, pace: Pace) -> dict[str, Any]:
    """What of `now` costs nothing."""
    recipe = progress.recipe
    speed = pace.per_second()
    left = None if speed is None else (progress.steps - progress.step) / speed[1]
    return {
        "step": progress.step,
        "steps": progress.steps,
        "epoch": epochs_done(progress),
        "epochs": progress.epochs,
        "done": progress.done,
        "samples": progress.samples,
        "loss": finite(progress.loss),
        "rate": progress.rate,
        "batch": 1 if isinstance(recipe, ClassicRecipe) else recipe.batch,
        "augmentation": augmentation_of(getattr(recipe, "augmentation", None)),
        "seconds": round(progress.seconds, 3),
        "left": None if left is None else round(left, 1),
        "per_second": None if speed is None else round(speed[0], 1),
        "steps_per_second": None if speed is None else round(speed[1], 2),
    }


def epochs_done(progress: Progress) -> float:
    """1.25 after a quarter of the second epoch."""
    return round(progress.epoch - 1 + progress.done / progress.samples, 4)


def finite(value: float | None) -> float | None:
    """JSON has no infinity."""
    return value if value is not None and math.isfinite(value) else None


class Sight:
    """The digits by which a run is looked at, the same at each point.

    Args:
        learned: what the run learns from.
        validation: what it does not.
    """

    def __init__(self, learned: Dataset, validation: Dataset) -> None:
        self.learned = learned.subset(slice(SAMPLE))
        self.validation = validation.subset(slice(SAMPLE))

    def point(self, model: Model, progress: Progress, loss: float | None) -> dict[str, Any]:
        """What the journal has of this moment, but for what is seen in `wrong`.

        Args:
            model: at this step.
            progress: of the run.
            loss: mean of the digits learned from since the last point; None where it is not known,
                then that of the sample stands for it.
        """
        own, accuracy = self.score(model, progress, self.learned)
        other, right = self.score(model, progress, self.validation)
        return {
            "step": progress.step,
            "epoch": epochs_done(progress),
            "loss": own if loss is None else loss,
            "accuracy": accuracy,
            "validation_loss": other,
            "validation_accuracy": right,
            "rate": progress.rate,
            "seconds": round(progress.seconds, 3),
        }

    def score(self, model: Model, progress: Progress, digits: Dataset) -> tuple[float, float]:
        """Mean loss and accuracy, the loss by what the run makes small, so that both compare."""
        logits, labels = model.logits(digits.images, threads=1).T, digits.known_labels
        with np.errstate(over="ignore", invalid="ignore"):
            loss = loss_of(progress.recipe)(logits, labels)[0] / len(labels)
        right = (logits[:10].argmax(axis=0) == labels).mean()
        return loss if math.isfinite(loss) else float(np.finfo(np.float32).max), float(right)

    def details(self, model: Model, progress: Progress) -> dict[str, Any]:
        """What is seen at a point besides: the layers' figures, first weights, the most wrong."""
        found: dict[str, Any] = {"layers": [], "weights": first_pictures(model.network)}
        if isinstance(progress.recipe, Recipe):
            probe = self.learned.images[:PROBE], self.learned.known_labels[:PROBE]
            found["layers"] = layer_figures(model.network, *probe, progress.recipe.loss)
        digits = self.validation
        seen = report(digits.known_labels, model.predict_probabilities(digits.images, threads=1))
        found["wrong"] = [
            {
                "index": int(index),
                "label": int(seen.labels[index]),
                "answer": int(seen.answers[index]),
                "confidence": round(float(seen.confidence[index]), 4),
            }
            for index in seen.worst_mistakes(WRONG)
        ]
        return found


def loss_of(recipe: Recipe | ClassicRecipe) -> Loss:
    """What a recipe makes small, as a function of logits; the post's is of what follows them."""
    if isinstance(recipe, Recipe):
        return recipe.loss
    post = SquaredError(0.01, 0.99)

    def squared(logits: Array, labels: NDArray[Any]) -> tuple[float, Array]:
        return post(sigmoid(logits), labels)

    return squared


def first_pictures(network: Network) -> dict[str, Any] | None:
    """The weights from pixels to the first units, as pictures; None where they are not of pixels.

    Each unit has a scale of its own, from its strongest weight: 1 black, `ZERO` none, 255 white.
    """
    weights = first_of(network)
    if weights is None:
        return None
    weights = weights[:PICTURES]
    strongest = np.abs(weights).max(axis=(1, 2), keepdims=True)
    scaled = weights / np.where(strongest > 0, strongest, 1) * (ZERO - 1) + ZERO
    pixels = np.nan_to_num(scaled, nan=ZERO).round().clip(0, 255).astype(np.uint8)
    return {
        "count": len(pixels),
        "side": pixels.shape[-1],
        "pixels": base64.b64encode(pixels.tobytes()).decode("ascii"),
    }


def first_of(network: Network) -> NDArray[Any] | None:
    """Weights (units, side, side) of the first layer that learns, if it sees pixels."""
    views = network.views(network.parameters)
    shape: Sequence[int] = network.input_shape
    for position, layer in enumerate(network.layers):
        if layer.shapes:
            weight = views[position].get("weight")
            if weight is None or len(shape) != 2:
                return None
            if isinstance(layer, Conv2d) and layer.inputs == 1:
                return np.array(weight[:, 0])
            whole = isinstance(layer, Dense) and layer.inputs == shape[0] * shape[1]
            return np.array(weight).reshape(-1, *shape) if whole else None
        if not isinstance(layer, Flatten):
            shape = layer.output_shape(tuple(shape))
    return None
