"""A run's work, from what is in its folder: what to learn, by what recipe, from where on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError, FileError
from inkdigits.evaluation import score_of
from inkdigits.formats import load_model
from inkdigits.lab.runs.about import ABOUT, read_about
from inkdigits.lab.runs.events import Event, Journal, what_stands
from inkdigits.lab.runs.hints import Seen
from inkdigits.lab.runs.plans import dataset_of, rate_of, recipe_of, steps_of
from inkdigits.lab.runs.settings import augmentation_of
from inkdigits.model import Model
from inkdigits.sources import load
from inkdigits.training import (
    Augmentation,
    Checkpoint,
    Checkpoints,
    ClassicRecipe,
    Recipe,
    checkpoint_folder,
    latest_checkpoint,
)
from inkdigits.training.finetuning import Lesson, OwnDigits, gentle

__all__ = ["LOG", "MODEL", "OWN", "START", "Work", "log", "reconciled"]

MODEL = "model.safetensors"
OWN, START = "own.npz", "start.safetensors"  # what a lesson teaches, and to what
LOG = "worker.log"

KEPT = 2  # checkpoints
GLANCE = 2_000  # digits: all of them take the reader as long as a quarter of its lesson's epoch


class Work:
    """A run's work from its folder: what to learn, by what recipe, from where on.

    Args:
        folder: of the run.

    Raises:
        InkdigitsError: the folder holds no run that can be done.
    """

    def __init__(self, folder: Path) -> None:
        about = read_about(folder)
        if about is None:
            raise FileError(f"expected a run in {folder}, got a damaged {ABOUT}: remove it")
        self.folder = folder
        self.kind = about.kind
        self.settings = about.training()
        self.seed = about.seed()
        self.recipe: Recipe | ClassicRecipe = recipe_of(self.settings)
        self.dataset: Dataset = dataset_of(self.settings)
        self.validation = load("mnist:validation")
        self.checkpoint = self.latest()
        self.checkpoints = Checkpoints(
            folder=checkpoint_folder(folder / MODEL), every_minutes=1.0, keep=KEPT, warn=self.warn
        )
        self.lesson: Lesson | None = None
        self.start: Model | None = None
        if self.kind == "lesson":
            own = OwnDigits.parted(load(folder / OWN))
            self.lesson = Lesson(own, {"mnist": self.validation, "own": own.held_out})
            self.start = load_model(folder / START)
            self.recipe = gentle(self.recipe)
            self.dataset = own.mixed(self.dataset, seed=self.seed)

    def latest(self) -> Checkpoint | None:
        """The checkpoint to go on from, if there is one."""
        with suppress(FileError):
            return latest_checkpoint(checkpoint_folder(self.folder / MODEL), warn=self.warn)
        return None

    def warn(self, line: str) -> None:
        log(self.folder, line)

    @property
    def watched(self) -> Dataset:
        """What is read after each epoch: validation, and of it a part where somebody waits."""
        return self.validation if self.lesson is None else self.validation.subset(slice(GLANCE))

    @property
    def steps(self) -> int:
        """Of the run as it was planned."""
        return steps_of(self.recipe, len(self.dataset))

    def seen(self, standing: list[Event]) -> Seen:
        """What hints go by, as far as it is known before the run goes on."""
        changes = [e.data["step"] for e in standing if e.data.get("augmentation") is not None]
        return Seen(
            points=[event.data for event in standing if event.type == "point"],
            epochs=[event.data for event in standing if event.type == "epoch"],
            changed=max(changes, default=0),
            kinds=[type(layer).__name__ for layer in self.recipe.layers],
            images=self.settings.images,
            wrong_labels=self.settings.wrong_labels,
            network=None
            if self.settings.network is None or self.settings.recipe is not None
            else self.settings.network.model_dump(mode="json"),
            steps_per_epoch=max(1, self.steps // self.recipe.epochs),
            rate=rate_of(self.recipe),
            peak=rate_of(self.recipe),
        )

    def calibrated(self, model: Model) -> Model:
        """The model of a lesson, with what its confidence is worth, if the one before knew that.

        No run of the lab learns from the validation digits, nor did the model that comes with the
        package: so they tell.
        """
        if self.lesson is None or not (model.tells_digits or model.card.calibration is not None):
            return model
        from inkdigits.reading.calibrate import calibrated

        try:
            return calibrated(model, self.validation)
        except DataError as error:  # too poor a model: it keeps what it had
            self.warn(str(error))
            return model

    def scored(self, model: Model) -> Model:
        """The model with its scores on the card."""
        model = model.with_scores(validation=score_of(model.evaluate(self.validation)))
        if self.lesson is None:
            return model
        after = self.lesson.scores(model, None)
        return model.with_scores(
            **{f"{exam} after": score for exam, score in after.items() if score}
        )


def reconciled(journal: Journal, checkpoint: Checkpoint | None, samples: int) -> list[Event]:
    """Makes the journal say what the checkpoint knows, neither less nor more; what then stands.

    A process may have been killed after it told of a step and before it kept it, or the other way
    round.

    Args:
        journal: of the run; written to.
        checkpoint: from which the run goes on; None for its beginning.
        samples: of an epoch.
    """
    standing = what_stands(list(journal.new()))
    step = -1 if checkpoint is None else checkpoint.snapshot.step
    history = [] if checkpoint is None else checkpoint.card.history
    changes = [] if checkpoint is None else checkpoint.card.changes
    # An epoch may be told that the checkpoint, at its very last step, has not scored yet.
    epochs = [event.data for event in standing if event.type == "epoch"]
    back = min([step, *(end["step"] - 1 for end in epochs if end["epoch"] > len(history))])
    if any(event.data.get("step", 0) > back for event in standing if event.type != "state"):
        journal.append("rewound", {"step": back})
        standing = what_stands([*standing, *journal.new()])
    known = {event.data["step"] for event in standing if event.type == "change"}
    for change in changes:
        if change["step"] not in known:
            journal.append("change", as_told(change, samples))
    known = {event.data["epoch"] for event in standing if event.type == "epoch"}
    for record in history:
        if record["epoch"] not in known:
            journal.append("epoch", {"step": step, **record})
    return [*standing, *journal.new()]


def as_told(change: Mapping[str, Any], samples: int) -> dict[str, Any]:
    """A change on a card as the journal has it."""
    told = {name: value for name, value in change.items() if name != "done"}
    told["epoch"] = round(change["epoch"] - 1 + change["done"] / samples, 4)
    if "augmentation" in told:
        given = told["augmentation"]
        told["augmentation"] = augmentation_of(None if given is None else Augmentation(**given))
    return told


def log(folder: Path, text: str) -> None:
    """Adds to what a run has to say to those who mend it."""
    with suppress(OSError), (folder / LOG).open("a", encoding="utf-8") as file:
        file.write(text.rstrip() + "\n")
