"""A training under way: epochs, their history, its steering, and what is kept at an early end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inkdigits.dataset import Dataset
from inkdigits.errors import Diverged, Interrupted, ModelError, TrainingError
from inkdigits.inspection import layer_figures
from inkdigits.model import Card, Model
from inkdigits.training.checkpoints import Checkpoint, Checkpoints, Weights, continued, written
from inkdigits.training.classic_trainer import ClassicTrainer
from inkdigits.training.loop import LossLeftBounds, Trainer
from inkdigits.training.processes import training_crew
from inkdigits.training.randomness import Purpose, counted_generator
from inkdigits.training.recipes import ClassicRecipe, Recipe
from inkdigits.training.starting import inherited_calibration, take_over
from inkdigits.training.steering import STOP, Change, Progress, Steering
from inkdigits.version import __version__

__all__ = ["Report", "Run"]

PROBE = slice(512)  # the training images that figures of the layers are taken on

Report = Callable[[Progress], None]


class WheelWanted(Exception):
    """Brings a crew home between two steps; never leaves the run."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress


class Run:
    """One training under way; arguments as those of `train`.

    Attributes:
        history: a record of each whole epoch.
        kept: the weights to end with: those after the last whole epoch, or with `patience` after
            the best; None before the first.
        changes: what was changed on the way, each with its place, as the card has them.
        stopped: whether the run was steered to an end before its end.
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
        steering: Steering | None,
        clock: Callable[[], float],
    ) -> None:
        self.dataset, self.seed, self.threads = dataset, seed, threads
        self.watch, self.patience, self.checkpoints = watch, patience, checkpoints
        self.figures, self.report, self.steering = figures, report, steering
        # As the run began. The schedule ends with the epochs.
        self.settings = recipe.settings() | dict(besides or {}) | {"epochs": epochs}
        if patience is not None:
            self.settings["patience"] = patience
        self.changes: list[dict[str, Any]] = []
        self.stopped = False
        self.clock = clock
        self.began = clock()  # less the seconds of the run before it was interrupted
        self.aside = 0.0  # seconds for scoring, the reports of epochs, checkpoints and steering
        self.halted: float | None = None  # the clock, where it stands still
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
            self.trainer = ClassicTrainer(recipe, network, dataset, seed=first, epochs=epochs)
        else:
            if start is None:
                network.initialise(counted_generator(seed, Purpose.WEIGHTS), recipe.spread)
            crew = training_crew(recipe.lanes, threads)
            self.trainer = Trainer(recipe, network, dataset, seed=seed, epochs=epochs, crew=crew)
        self.checkpointed = (0, self.seconds())  # step and time of the last one

    def seconds(self) -> float:
        """How long it has been learning."""
        now = self.clock() if self.halted is None else self.halted
        return now - self.began - self.aside

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """A block whose seconds are not those of the training, in which its clock stands still."""
        self.halted = self.clock()
        try:
            yield
        finally:
            self.aside += self.clock() - self.halted
            self.halted = None

    # What comes out

    def card(self, seconds: float, epochs: int) -> Card:
        return Card(
            recipe=self.recipe.name,
            settings=dict(self.settings),
            seed=self.seed,
            epochs=epochs,
            data=self.dataset.fingerprint,
            version=__version__,
            seconds=round(seconds, 3),
            history=list(self.history),
            started_from=self.started_from,
            calibration=self.calibration,
            changes=list(self.changes),
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

    @property
    def recipe(self) -> Recipe | ClassicRecipe:
        """What it is trained by from this step on."""
        return self.trainer.recipe

    @property
    def epochs(self) -> int:
        """Of the whole run, as things stand."""
        return self.trainer.course.epochs

    @property
    def whole_epochs(self) -> int:
        """Epochs whose steps are all done."""
        return self.trainer.course.place(self.trainer.step)[0]

    # From the first step to the last

    def to_its_end(self) -> Model:
        try:
            with self.trainer.ctrl_c.handled():
                self.offer_the_wheel(self.progress())
                while not self.ended:
                    self.epoch()
                if self.steering is not None:
                    self.write_checkpoint()  # for one more epoch
        except LossLeftBounds:
            raise self.diverged() from None
        except KeyboardInterrupt:
            if self.trainer.ctrl_c.held:  # pressed again, amid an update
                raise
            checkpoint = self.write_checkpoint()
            raise Interrupted(
                f"stopped in epoch {min(len(self.history) + 1, self.epochs)} of {self.epochs}",
                self.model(self.weights, len(self.history)),
                checkpoint,
            ) from None
        if self.stopped:
            # Not in the checkpoint: a run that goes on from there was not stopped.
            self.changes.append(self.place() | {"stopped": True})
            return self.model(self.weights, len(self.history))
        assert self.kept is not None
        return self.ending(self.kept)

    def epoch(self) -> None:
        """Trains through one epoch, or what is left of it, and writes its line of the history."""
        number = len(self.history) + 1
        while self.whole_epochs < number:
            try:
                self.trainer.epoch(self.after_step)
            except WheelWanted as wanted:
                self.hand_over(wanted.progress)
            if self.stopped:
                return
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
            progress = self.progress(loss, record)
            if self.report is not None:
                self.report(progress)
            history = [*self.history, record]
            if self.patience is None or best_epoch(history) == number:
                parameters, state = self.weights
                self.kept = (parameters.copy(), state.copy())
            self.history = history
        self.epoch_began = self.seconds()
        self.offer_the_wheel(progress)

    def after_step(self, done: int, loss: float | None) -> None:
        if self.checkpoints is not None:
            steps, seconds = self.checkpointed
            if self.checkpoints.due(self.trainer.step - steps, self.seconds() - seconds):
                self.write_checkpoint()
        if self.report is None and self.steering is None:
            return
        progress = self.progress(loss)
        if self.report is not None:
            self.report(progress)
        if done < self.trainer.samples and self.wheel_wanted(progress):
            raise WheelWanted(progress)

    def place(self) -> dict[str, int]:
        """Where the run is, as `Progress` and the card say it."""
        epoch, done = self.trainer.course.running(self.trainer.step)
        return {"step": self.trainer.step, "epoch": epoch, "done": done}

    def progress(self, loss: float | None = None, record: dict[str, Any] | None = None) -> Progress:
        return Progress(
            **self.place(),
            epochs=self.epochs,
            samples=self.trainer.samples,
            steps=self.trainer.course.steps,
            rate=self.trainer.rate,
            seconds=self.seconds(),
            recipe=self.recipe,
            loss=loss,
            record=record,
            model=lambda: self.model(self.weights, len(self.history)),
            check=self.check,
        )

    # Steering

    def wheel_wanted(self, progress: Progress) -> bool:
        if self.steering is None:
            return False
        with self.uncounted():
            return self.steering.wants_the_wheel(progress)

    def offer_the_wheel(self, progress: Progress) -> None:
        if self.wheel_wanted(progress):
            self.hand_over(progress)

    def hand_over(self, progress: Progress) -> None:
        """Asks what to do now, and does it; no crew is at work.

        Raises:
            TrainingError: it cannot be done.
        """
        assert self.steering is not None
        self.write_checkpoint()  # a pause may be long
        with self.uncounted():
            decision = self.steering.decide(progress)
        if decision is STOP:
            self.stopped = True
        elif decision is not None:
            self.steer(decision)
            self.write_checkpoint()

    def check(self, change: Change) -> None:
        """Whether a change can be made at this step.

        Raises:
            TrainingError: it cannot.
        """
        self.trainer.steered(change)
        if change.epochs is not None and self.patience is not None and self.history:
            since = len(self.history) - best_epoch(self.history)
            if since >= self.patience:
                raise TrainingError(
                    "expected no other end of a run whose accuracy has not risen for "
                    f"{since} epochs, got {change.epochs} epochs: train it without patience"
                )

    def steer(self, change: Change) -> None:
        """Makes a change at this step, and writes it down.

        Raises:
            TrainingError: it cannot be made; the run is as it was.
        """
        self.check(change)
        self.trainer.steer(change)
        self.changes.append(self.place() | change.as_data())

    def repeat(self, changes: list[dict[str, Any]]) -> None:
        """Makes the changes of a card, each at its step, before anything else is done.

        Raises:
            TrainingError: they are not those of a run like this one.
        """
        for record in changes:
            self.trainer.step = record["step"]
            place = self.place()
            if not place.items() <= record.items():
                raise TrainingError(f"expected a change at {place}, got {record!r:.200}")
            what = {name: value for name, value in record.items() if name not in place}
            self.trainer.steer(Change.from_data(what))
        self.changes = list(changes)

    # Early ends

    @property
    def ended(self) -> bool:
        return self.stopped or len(self.history) >= self.epochs or self.stopped_early

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
            self.repeat(card.changes)
            if checkpoint.snapshot.step < self.trainer.step:
                raise ValueError("it has a change that was made later")
            self.trainer.restore(checkpoint.snapshot)
            if checkpoint.kept is not None and [v.shape for v in checkpoint.kept] != [
                v.shape for v in self.weights
            ]:
                raise ValueError("the kept model has other shapes")
        except (TrainingError, ValueError) as error:
            raise ModelError(f"{checkpoint.path} does not fit its own recipe: {error}") from error
        self.kept = checkpoint.kept
        self.began, self.aside = self.clock() - card.seconds, 0.0
        self.epoch_began = checkpoint.epoch_began
        self.checkpointed = (self.trainer.step, self.seconds())


def best_epoch(history: list[dict[str, Any]]) -> int:
    """The epoch with the highest accuracy, from 1; the first of several."""
    best: dict[str, Any] = max(history, key=lambda record: record["accuracy"])
    return int(best["epoch"])
