"""Steering: what a run tells of itself while it goes on, and what may be changed about it.

A run asks between two steps whether somebody wants the wheel. Then its crew goes home, and whoever
wants it has all the time in the world: a pause is nothing else, and changes no bit. What is changed
is written on the model's card with its step, and that is enough to do the same steps again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any, Protocol, overload

from inkdigits.errors import TrainingError
from inkdigits.model import Model
from inkdigits.training.augmentation import Augmentation
from inkdigits.training.recipes import ClassicRecipe, Recipe
from inkdigits.training.schedules import Constant

__all__ = ["STOP", "UNCHANGED", "Change", "Progress", "Steering", "Stop", "Unchanged"]


class Stop(Enum):
    """The type of `STOP`."""

    STOP = "stop"


class Unchanged(Enum):
    """The type of `UNCHANGED`."""

    UNCHANGED = "unchanged"


STOP = Stop.STOP  # end now, with the weights of this step
UNCHANGED = Unchanged.UNCHANGED  # where None says something: no augmentation


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is to be another from this step on; what is not named stays as it is.

    Args:
        rate: learning rate, more than 0, from here to the end: the schedule is over.
        batch: samples of a step, 1 or more. The epoch goes on with the samples that are left of it.
        augmentation: how the digits are varied; None to take them as they are.
        epochs: of the whole run, those done and this one too. What is left of the schedule is
            spread over what is left of the run.

    Raises:
        TrainingError: a value is out of its range, or none is given.
    """

    rate: float | None = None
    batch: int | None = None
    augmentation: Augmentation | Unchanged | None = UNCHANGED
    epochs: int | None = None

    def __post_init__(self) -> None:
        if self.rate is not None and not (is_number(self.rate) and 0 < self.rate < math.inf):
            raise TrainingError(f"expected a rate of more than 0, got {self.rate!r:.80}")
        for name in ("batch", "epochs"):
            value = getattr(self, name)
            if value is not None and not (type(value) is int and value >= 1):
                raise TrainingError(
                    f"expected {name}, a whole number of 1 or more, got {value!r:.80}"
                )
        if not isinstance(self.augmentation, Augmentation | Unchanged | None):
            raise TrainingError(
                f"expected an Augmentation, or None for none, got {self.augmentation!r:.80}"
            )
        if not self.as_data():
            raise TrainingError(
                "expected a change of rate, batch, augmentation or epochs, got none: name one"
            )

    def as_data(self) -> dict[str, Any]:
        """What is changed, as plain data; an augmentation as a record of all its settings."""
        named = {"rate": self.rate, "batch": self.batch, "epochs": self.epochs}
        data: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
        if not isinstance(self.augmentation, Unchanged):
            varied = self.augmentation
            data["augmentation"] = None if varied is None else asdict(varied)
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Change:
        """The change that `as_data` gave.

        Raises:
            TrainingError: there are other names, or values that cannot be.
        """
        given = dict(data)
        if not given.keys() <= {"rate", "batch", "augmentation", "epochs"}:
            raise TrainingError(
                "expected a change of rate, batch, augmentation and epochs, got "
                f"{', '.join(map(str, given)):.200}"
            )
        if isinstance(given.get("augmentation"), Mapping):
            settings = dict(given["augmentation"])
            try:
                given["augmentation"] = Augmentation(**settings)
            except TypeError as error:
                raise TrainingError(
                    f"expected the settings of an augmentation, got {settings!r:.200}"
                ) from error
        return cls(**given)

    @overload
    def changed(self, recipe: Recipe) -> Recipe: ...

    @overload
    def changed(self, recipe: ClassicRecipe) -> ClassicRecipe: ...

    def changed(self, recipe: Recipe | ClassicRecipe) -> Recipe | ClassicRecipe:
        """The recipe with this changed.

        Raises:
            TrainingError: the post's recipe has no batch and takes the digits as they are.
        """
        epochs = self.epochs or recipe.epochs
        if isinstance(recipe, ClassicRecipe):
            if self.batch is not None or not isinstance(self.augmentation, Unchanged):
                raise TrainingError(
                    f"expected a change of rate or epochs, which is all that recipe {recipe.name} "
                    f"has, got {', '.join(self.as_data())}: the post takes one digit after the "
                    "other, as it is"
                )
            rate = recipe.rate if self.rate is None else float(self.rate)
            return replace(recipe, rate=rate, epochs=epochs)
        varied = self.augmentation
        return replace(
            recipe,
            schedule=recipe.schedule if self.rate is None else Constant(float(self.rate)),
            batch=self.batch or recipe.batch,
            augmentation=recipe.augmentation if isinstance(varied, Unchanged) else varied,
            epochs=epochs,
        )


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a run is.

    Args:
        epoch: the running one, from 1; at its end it is still that one.
        epochs: of the run.
        done: samples learned from in this epoch.
        samples: of an epoch.
        step: steps done. The post's training counts records.
        steps: of the run, if nothing is changed any more.
        rate: learning rate of the next step; after the last, of one more.
        seconds: of learning so far.
        recipe: what is trained by from here on, with all changes.
        loss: mean of the latest step, or at the end of an epoch of all of that; None where none
            is computed (`classic`), and before the first step.
        record: at the end of an epoch, its line of the history.
        model: gives a model of this step's weights, averaged where the recipe averages: a copy, in
            0.1 ms for half a million of them. To be called before the run goes on.
        check: raises a TrainingError, in words, if the run could not make a change here.
    """

    epoch: int
    epochs: int
    done: int
    samples: int
    step: int
    steps: int
    rate: float
    seconds: float
    recipe: Recipe | ClassicRecipe
    loss: float | None = None
    record: dict[str, Any] | None = None
    model: Callable[[], Model] = field(repr=False, compare=False)
    check: Callable[[Change], None] = field(repr=False, compare=False)


class Steering(Protocol):
    """Whoever may take the wheel of a run. The time that it takes is not the run's."""

    def wants_the_wheel(self, progress: Progress) -> bool:
        """Asked before the first step, after every step and after every epoch, the last too.

        After the last step of an epoch it is asked once, when the epoch has its line in the
        history. The crew waits meanwhile. So this is quick, unless it sleeps a little on purpose,
        for a run in slow motion, or measures something.
        """

    def decide(self, progress: Progress) -> Change | Stop | None:
        """Asked when the wheel was wanted, with no crew at work; may take as long as it likes.

        Returns:
            what to change from here on; or `STOP`; or None to go on. A change that cannot be
            (`progress.check`) ends the run with a TrainingError.
        """


def is_number(value: Any) -> bool:
    """Whether this is a number; `True` is none, though Python counts it as 1."""
    return isinstance(value, int | float) and not isinstance(value, bool)
