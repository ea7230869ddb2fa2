"""A whole training run: epochs, their history, and what is kept when it ends early."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from inkdigits.dataset import Dataset
from inkdigits.errors import Diverged, Interrupted, TrainingError
from inkdigits.model import Card, Model
from inkdigits.network import Network
from inkdigits.network.layers import Array
from inkdigits.training.loop import ClassicTrainer, LossLeftBounds, Trainer
from inkdigits.training.processes import training_crew
from inkdigits.training.randomness import Purpose, counted_generator
from inkdigits.training.recipes import ClassicRecipe, Recipe, find_recipe
from inkdigits.version import __version__

__all__ = ["Progress", "train"]


@dataclass(frozen=True)
class Progress:
    """Where a run is.

    Args:
        epoch: the running one, from 1.
        epochs: of the run.
        done: samples learned from in this epoch.
        samples: of an epoch.
        loss: mean of the latest step; None where none is computed (`classic`).
        record: at the end of an epoch, its line of the history.
    """

    epoch: int
    epochs: int
    done: int
    samples: int
    loss: float | None = None
    record: dict[str, Any] | None = None


Report = Callable[[Progress], None]


def train(
    recipe: str | Recipe | ClassicRecipe,
    dataset: Dataset,
    *,
    seed: int = 1,
    epochs: int | None = None,
    threads: int | None = None,
    start: Model | None = None,
    watch: Dataset | None = None,
    report: Report | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Model:
    """Trains a model by a recipe.

    The weights are the same bits for any number of threads on one machine, wherever BLAS can be
    held to one thread (`parallel.blas_can_be_held`).

    Args:
        recipe: its name, or one of your own.
        dataset: labelled digits to learn from.
        seed: of all random numbers, 0 or more.
        epochs: how many times through the data; None for the recipe's own.
        threads: at most so many; None for as many as the machine has.
        start: a model of the same layers whose weights to go on from.
        watch: digits to score after each epoch: validation, or for `classic` the test set, as the
            post does. They decide nothing, and their time is not counted.
        report: called with the progress, after each step and each epoch.
        clock: gives seconds.

    Raises:
        TrainingError: settings that cannot work.
        DataError: the dataset has no labels.
        Diverged: the loss left all bounds; carries the model of the last whole epoch, if any.
        Interrupted: Ctrl-C; carries the model of that moment, perhaps from between two steps.
    """
    if isinstance(recipe, str):
        recipe = find_recipe(recipe)
    epochs = recipe.epochs if epochs is None else epochs
    check_settings(dataset, seed=seed, epochs=epochs, threads=threads)
    began = clock()
    network = recipe.network()
    if start is not None:
        take_over(start.network, network, recipe.name)
    history: list[dict[str, Any]] = []
    aside = 0.0  # seconds for scoring and reports

    def model() -> Model:
        seconds = clock() - began - aside
        card = Card(
            recipe=recipe.name,
            settings=recipe.settings() | {"epochs": epochs},  # the schedule ends with them
            seed=seed,
            epochs=len(history),
            data=dataset.fingerprint,
            version=__version__,
            seconds=round(seconds, 3),
            history=list(history),
            started_from=None if start is None else start.fingerprint,
        )
        return Model(network, card)

    def tell(done: int, loss: float | None, record: dict[str, Any] | None = None) -> None:
        if report is not None:
            report(Progress(len(history) + 1, epochs, done, len(dataset), loss, record))

    trainer: Trainer | ClassicTrainer
    if isinstance(recipe, ClassicRecipe):
        trainer = ClassicTrainer(recipe, network, dataset, seed=seed if start is None else None)
    else:
        if start is None:
            network.initialise(counted_generator(seed, Purpose.WEIGHTS), recipe.spread)
        crew = training_crew(recipe.lanes, threads)
        trainer = Trainer(recipe, network, dataset, seed=seed, epochs=epochs, crew=crew)
    good: tuple[Array, Array] | None = None
    try:
        for epoch in range(1, epochs + 1):
            epoch_began = clock()
            loss = trainer.epoch(tell)
            epoch_ended = clock()
            record = {"epoch": epoch, "loss": loss}
            if watch is not None:
                record["accuracy"] = model().evaluate(watch, threads=threads).accuracy
            record["seconds"] = round(epoch_ended - epoch_began, 3)
            tell(len(dataset), loss, record)
            history.append(record)
            good = (network.parameters.copy(), network.state.copy())
            aside += clock() - epoch_ended
    except LossLeftBounds:
        if good is not None:
            network.parameters[:], network.state[:] = good
        raise Diverged(
            f"the loss left all bounds at step {trainer.step + 1}, in epoch "
            f"{len(history) + 1} of {epochs}: the recipe's learning rate is too high here",
            None if good is None else model(),
        ) from None
    except KeyboardInterrupt:
        raise Interrupted(f"stopped in epoch {len(history) + 1} of {epochs}", model()) from None
    finally:  # out of the memory that a crew's processes share, now that it belongs to the model
        network.move_to(np.empty_like(network.parameters))
    return model()


def check_settings(dataset: Dataset, *, seed: int, epochs: int, threads: int | None) -> None:
    if not len(dataset.known_labels):
        raise TrainingError("expected at least one labelled digit to learn from, got none")
    if epochs < 1:
        raise TrainingError(f"expected 1 epoch or more, got {epochs}")
    if not 0 <= seed < 2**32:
        raise TrainingError(f"expected a seed from 0 to 2³² − 1, got {seed}")
    if threads is not None and threads < 1:
        raise TrainingError(f"expected 1 thread or more, got {threads}")


def take_over(old: Network, new: Network, recipe: str) -> None:
    """Copies parameters and state of `old` into `new`, which must have the same layers."""
    if old.layers != new.layers:
        ours, theirs = (", ".join(map(str, network.layers)) for network in (new, old))
        raise TrainingError(
            f"recipe {recipe} trains [{ours}], the model to start from has [{theirs}]: "
            "name the recipe that it was trained with"
        )
    new.parameters[:] = old.parameters
    new.state[:] = old.state
