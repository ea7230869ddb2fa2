"""A whole training run, from settings that are checked to a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from inkdigits.dataset import Dataset
from inkdigits.errors import TrainingError
from inkdigits.model import Model
from inkdigits.training.checkpoints import Checkpoint, Checkpoints
from inkdigits.training.recipes import ClassicRecipe, Recipe, find_recipe
from inkdigits.training.steering import Steering
from inkdigits.training.under_way import Report, Run

__all__ = ["Run", "train"]


def train(
    recipe: str | Recipe | ClassicRecipe,
    dataset: Dataset,
    *,
    seed: int = 1,
    epochs: int | None = None,
    threads: int | None = None,
    start: Model | None = None,
    watch: Dataset | None = None,
    patience: int | None = None,
    checkpoints: Checkpoints | None = None,
    resume: Checkpoint | None = None,
    figures: bool = False,
    besides: Mapping[str, Any] | None = None,
    report: Report | None = None,
    steering: Steering | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Model:
    """Trains a model by a recipe.

    The weights are the same bits for any number of threads on one machine, wherever BLAS can be
    held to one thread (`parallel.blas_can_be_held`), and whether or not the run was interrupted.

    Args:
        recipe: its name, or one of your own.
        dataset: labelled digits to learn from.
        seed: of all random numbers, 0 or more.
        epochs: how many times through the data; None for the recipe's own.
        threads: at most so many; None for as many as the machine has.
        start: a model of the same layers whose weights to go on from; the new one keeps its
            temperature and threshold, but no promise that was measured on other weights.
        watch: digits to score after each epoch: validation, or for `classic` the test set, as the
            post does. They decide nothing but what `patience` says, and their time is not counted.
        patience: end when the accuracy on `watch` has not risen for so many epochs; the model is
            then that of the best epoch, which bears "best" in the history.
        checkpoints: where to leave checkpoints, and how often.
        resume: a checkpoint of the same run, to go on from.
        figures: whether to add to the history those of the layers (`inspection.layer_figures`).
        besides: plain data for the card's settings, of what else decided the outcome: how
            `dataset` was made (`finetuning.OwnDigits.settings`).
        report: called with the progress, after each step and each epoch.
        steering: who may pause, change and stop the run while it goes on. Where there are
            checkpoints it leaves one whenever the wheel is taken, after each change and at its end.
        clock: gives seconds.

    Raises:
        TrainingError: settings that cannot work, or a checkpoint of another run.
        ModelError: a checkpoint whose weights have other shapes than the recipe's.
        DataError: the dataset has no labels.
        Diverged: the loss left all bounds; carries the model of the last whole epoch, or with
            `patience` of the best, if any. The run's checkpoints are of no more use then: from each
            of them the same steps would lead here again (`checkpoints.remove_spent`).
        Interrupted: Ctrl-C; carries the model after the last whole step, and its checkpoint. The
            second Ctrl-C in a row ends at once, as KeyboardInterrupt.
    """
    if isinstance(recipe, str):
        recipe = find_recipe(recipe)
    epochs = recipe.epochs if epochs is None else epochs
    check_settings(dataset, seed=seed, epochs=epochs, threads=threads)
    check_patience(patience, watch)
    if start is not None and resume is not None:
        raise TrainingError("expected a model to start from or a checkpoint to resume, got both")
    run = Run(
        recipe,
        dataset,
        seed=seed,
        epochs=epochs,
        threads=threads,
        start=start,
        watch=watch,
        patience=patience,
        checkpoints=checkpoints,
        figures=figures,
        besides=besides,
        report=report,
        steering=steering,
        clock=clock,
    )
    if resume is not None:
        run.resume(resume)
    return run.to_its_end()


def check_patience(patience: int | None, watch: Dataset | None) -> None:
    if patience is None:
        return
    if patience < 1:
        raise TrainingError(f"expected patience of 1 epoch or more, got {patience}")
    if watch is None:
        raise TrainingError("expected digits to watch with patience: keep some for validation")


def check_settings(dataset: Dataset, *, seed: int, epochs: int, threads: int | None) -> None:
    if not len(dataset.known_labels):
        raise TrainingError("expected at least one labelled digit to learn from, got none")
    if epochs < 1:
        raise TrainingError(f"expected 1 epoch or more, got {epochs}")
    if not 0 <= seed < 2**32:
        raise TrainingError(f"expected a seed from 0 to 2³² − 1, got {seed}")
    if threads is not None and threads < 1:
        raise TrainingError(f"expected 1 thread or more, got {threads}")
