"""A whole training run: epochs, their history, and what is kept when it ends early."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkdigits.dataset import Dataset
from inkdigits.errors import Diverged, Interrupted, ModelError, TrainingError
from inkdigits.inspection import layer_figures
from inkdigits.model import Card, Model
from inkdigits.network import Network
from inkdigits.training.checkpoints import Checkpoint, Checkpoints, Weights, continued, written
from inkdigits.training.loop import ClassicTrainer, LossLeftBounds, Trainer
from inkdigits.training.processes import training_crew
from inkdigits.training.randomness import Purpose, counted_generator
from inkdigits.training.recipes import ClassicRecipe, Recipe, find_recipe
from inkdigits.version import __version__

__all__ = ["Progress", "train"]

PROBE = slice(512)  # the training images that figures of the layers are taken on


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
    patience: int | None = None,
    checkpoints: Checkpoints | None = None,
    resume: Checkpoint | None = None,
    figures: bool = False,
    besides: Mapping[str, Any] | None = None,
    report: Report | None = None,
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
        clock=clock,
    )
    if resume is not None:
        run.resume(resume)
    return run.to_its_end()


class Run:
    """One training under way; arguments as those of `train`.

    Attributes:
        history: a record of each whole epoch.
        kept: the weights to end with: those after the last whole epoch, or with `patience` after
            the best; None before the first.
    """

    def __init__(
        self,
        recipe: Recipe | ClassicRecipe,
        dataset: Dataset,
        *,
        seed: int,
        epochs: int,
        threads: int | None,
        start: Model | None,
        watch: Dataset | None,
        patience: int | None,
        checkpoints: Checkpoints | None,
        figures: bool,
        besides: Mapping[str, Any] | None,
        report: Report | None,
        clock: Callable[[], float],
    ) -> None:
        self.recipe, self.dataset, self.seed, self.epochs = recipe, dataset, seed, epochs
        self.threads, self.watch, self.patience = threads, watch, patience
        self.checkpoints, self.figures, self.report = checkpoints, figures, report
        self.besides = dict(besides or {})
        self.clock = clock
        self.began = clock()  # less the seconds of the run before it was interrupted
        self.aside = 0.0  # seconds for scoring, the reports of epochs and checkpoints
        self.epoch_began = 0.0
        self.history: list[dict[str, Any]] = []
        self.kept: Weights | None = None
        self.started_from = None if start is None else start.fingerprint
        self.calibration = None if start is None else inherited_calibration(start)
        network = recipe.network()
        if start is not None:
            take_over(start.network, network, recipe.name)
        self.trainer: Trainer | ClassicTrainer
        if isinstance(recipe, ClassicRecipe):
            first = seed if start is None else None
            self.trainer = ClassicTrainer(recipe, network, dataset, seed=first)
        else:
            if start is None:
                network.initialise(counted_generator(seed, Purpose.WEIGHTS), recipe.spread)
            crew = training_crew(recipe.lanes, threads)
            self.trainer = Trainer(recipe, network, dataset, seed=seed, epochs=epochs, crew=crew)
        self.checkpointed = (0, self.seconds())  # step and time of the last one

    def seconds(self) -> float:
        """How long it has been learning."""
        return self.clock() - self.began - self.aside

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """A block whose seconds are not those of the training."""
        began = self.clock()
        try:
            yield
        finally:
            self.aside += self.clock() - began

    # What comes out

    def card(self, seconds: float, epochs: int) -> Card:
        # The schedule ends with the epochs.
        settings = self.recipe.settings() | self.besides | {"epochs": self.epochs}
        if self.patience is not None:
            settings["patience"] = self.patience
        return Card(
            recipe=self.recipe.name,
            settings=settings,
            seed=self.seed,
            epochs=epochs,
            data=self.dataset.fingerprint,
            version=__version__,
            seconds=round(seconds, 3),
            history=list(self.history),
            started_from=self.started_from,
            calibration=self.calibration,
        )

    def model(self, weights: Weights, epochs: int) -> Model:
        """A model of its own, out of the memory that a crew's processes share."""
        seconds = self.seconds()
        network = self.recipe.network()
        network.parameters[:], network.state[:] = weights
        return Model(network, self.card(seconds, epochs))

    @property
    def weights(self) -> Weights:
        """What the run has to show at this step, as views."""
        return self.trainer.weights

    # From the first step to the last

    def to_its_end(self) -> Model:
        try:
            with self.trainer.ctrl_c.handled():
                while not self.ended:
                    self.epoch()
        except LossLeftBounds:
            raise self.diverged() from None
        except KeyboardInterrupt:
            if self.trainer.ctrl_c.held:  # pressed again, amid an update
                raise
            checkpoint = self.write_checkpoint()
            raise Interrupted(
                f"stopped in epoch {len(self.history) + 1} of {self.epochs}",
                self.model(self.weights, len(self.history)),
                checkpoint,
            ) from None
        assert self.kept is not None
        return self.ending(self.kept)

    def epoch(self) -> None:
        """Trains through one epoch, or what is left of it, and writes its line of the history."""
        number = len(self.history) + 1
        if self.trainer.step < number * self.trainer.steps_per_epoch:
            self.trainer.epoch(self.after_step)
        ended = self.seconds()
        with self.uncounted():
            loss = self.trainer.epoch_loss / self.trainer.samples
            record: dict[str, Any] = {"epoch": number, "loss": loss}
            if self.watch is not None:
                model = self.model(self.weights, number)
                record["accuracy"] = model.evaluate(self.watch, threads=self.threads).accuracy
            record["seconds"] = round(ended - self.epoch_began, 3)
            if self.figures and isinstance(self.recipe, Recipe):
                probe = self.dataset.images[PROBE], self.dataset.known_labels[PROBE]
                record["layers"] = layer_figures(self.trainer.network, *probe, self.recipe.loss)
            self.tell(self.trainer.samples, loss, record)
            history = [*self.history, record]
            if self.patience is None or best_epoch(history) == number:
                parameters, state = self.weights
                self.kept = (parameters.copy(), state.copy())
            self.history = history
        self.epoch_began = self.seconds()

    def after_step(self, done: int, loss: float | None) -> None:
        if self.checkpoints is not None:
            steps, seconds = self.checkpointed
            if self.checkpoints.due(self.trainer.step - steps, self.seconds() - seconds):
                self.write_checkpoint()
        self.tell(done, loss)

    def tell(self, done: int, loss: float | None, record: dict[str, Any] | None = None) -> None:
        if self.report is not None:
            epoch, samples = len(self.history) + 1, self.trainer.samples
            self.report(Progress(epoch, self.epochs, done, samples, loss, record))

    # Early ends

    @property
    def ended(self) -> bool:
        return len(self.history) >= self.epochs or self.stopped_early

    @property
    def stopped_early(self) -> bool:
        """Whether the accuracy has not risen for as long as `patience` goes."""
        if self.patience is None or not self.history:
            return False
        since = len(self.history) - best_epoch(self.history)
        return since >= self.patience and len(self.history) < self.epochs

    def ending(self, kept: Weights) -> Model:
        """The model of the kept weights; with `patience` the history says which they are."""
        if self.patience is None:
            return self.model(kept, len(self.history))
        stopped, best = self.stopped_early, best_epoch(self.history)
        self.history[best - 1] = {**self.history[best - 1], "best": True}
        if stopped:
            self.history[-1] = {**self.history[-1], "stopped_early": True}
        return self.model(kept, best)

    def diverged(self) -> Diverged:
        if self.checkpoints is not None:
            self.checkpoints.spent = self.checkpoint().run
        return Diverged(
            f"the loss left all bounds at step {self.trainer.step + 1}, in epoch "
            f"{len(self.history) + 1} of {self.epochs}: the recipe's learning rate is too high "
            "here",
            None if self.kept is None else self.ending(self.kept),
        )

    # Checkpoints

    def checkpoint(self) -> Checkpoint:
        """The run at this step; its arrays are the run's own, not copies."""
        return Checkpoint(
            self.card(self.seconds(), len(self.history)),
            written(self.recipe.layers),
            self.trainer.snapshot(),
            self.kept,
            self.epoch_began,
        )

    def write_checkpoint(self) -> Path | None:
        if self.checkpoints is None:
            return None
        with self.uncounted():
            path = self.checkpoints.write(self.checkpoint())
        self.checkpointed = (self.trainer.step, self.seconds())
        return path

    def resume(self, checkpoint: Checkpoint) -> None:
        """Goes to where a checkpoint of this run is."""
        card = continued(checkpoint, self.card(0.0, 0), written(self.recipe.layers))
        self.history, self.started_from = list(card.history), card.started_from
        self.calibration = card.calibration
        try:
            self.trainer.restore(checkpoint.snapshot)
            if checkpoint.kept is not None and [v.shape for v in checkpoint.kept] != [
                v.shape for v in self.weights
            ]:
                raise ValueError("the kept model has other shapes")
        except ValueError as error:
            raise ModelError(f"{checkpoint.path} does not fit its own recipe: {error}") from error
        self.kept = checkpoint.kept
        self.began, self.aside = self.clock() - card.seconds, 0.0
        self.epoch_began = checkpoint.epoch_began
        self.checkpointed = (self.trainer.step, self.seconds())


def inherited_calibration(start: Model) -> dict[str, Any] | None:
    """What a model that goes on from `start` may keep of its calibration.

    Temperature and threshold are still a better guess than none. How often it errs was measured on
    the model that "inherited" names, which need not be `start` itself.
    """
    calibration = start.card.calibration
    if calibration is None:
        return None
    kept = {name: calibration[name] for name in ("temperature", "threshold") if name in calibration}
    return kept | {"inherited": calibration.get("inherited", start.fingerprint)}


def best_epoch(history: list[dict[str, Any]]) -> int:
    """The epoch with the highest accuracy, from 1; the first of several."""
    best: dict[str, Any] = max(history, key=lambda record: record["accuracy"])
    return int(best["epoch"])


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
