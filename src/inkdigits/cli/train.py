"""`inkdigits train`."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inkdigits.cli.console import (
    Command,
    json_option,
    per_cent,
    print_json,
    progress,
    threads_option,
    warn,
)
from inkdigits.cli.lesson import lesson_on, say_change, say_lesson

if TYPE_CHECKING:
    from inkdigits.dataset import Dataset
    from inkdigits.errors import Diverged
    from inkdigits.evaluation import Report
    from inkdigits.model import Model
    from inkdigits.training import Checkpoint, Checkpoints, ClassicRecipe, Progress, Recipe
    from inkdigits.training.finetuning import Lesson, Scores

__all__ = ["command"]

Say = Callable[[str], None]

WHOLE_MNIST = ("mnist", "mnist:train")  # what has a test set, and a validation set of its own

EXAMPLES = """
    inkdigits train                                            a good network in a second
    inkdigits train --recipe classic --epochs 5 --seed 1       the post's
    inkdigits train --recipe classic --epochs 10 --from model.safetensors
    inkdigits train --recipe mlp --seeds 20 --json             mean and interval over 20 seeds
    inkdigits train --from reader --and my-digits              teach it your own hand
    inkdigits train --resume model.safetensors                 go on with an interrupted run
"""


@dataclass(frozen=True)
class Exam:
    """What a model is tested on, and under which name the result is reported."""

    name: str
    dataset: Dataset

    def __post_init__(self) -> None:
        from inkdigits.errors import DataError

        if not len(self.dataset.known_labels):  # said before the training rather than after
            raise DataError(f"expected at least one digit for {self.name}, got none: add digits")


@click.command(cls=Command, examples=EXAMPLES)
@click.option("--recipe", "recipe_name", metavar="NAME", help="What to train; `inkdigits info`.")
@click.option(
    "--data",
    default="mnist",
    metavar="DATA",
    help="mnist (default): 60,000 to train, 10,000 to test. Another file is trained on whole.",
)
@click.option(
    "--and", "more", metavar="DATA", help="More digits to train on; with --from, your own to teach."
)
@click.option("--test", metavar="DATA", help="Digits to test on in the end.")
@click.option(
    "--holdout", is_flag=True, help="Keep a sixth of the data for validation; do not test."
)
@click.option("--epochs", type=click.IntRange(min=1), metavar="N", help="Times through the data.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), metavar="S", help="1 by default.")
@click.option(
    "--seeds",
    type=click.IntRange(min=2),
    metavar="K",
    help="Train with seeds 1 to K, report mean and interval, keep no model.",
)
@threads_option
@click.option("--out", metavar="MODEL", help="Where to write it; model.safetensors by default.")
@click.option("--from", "start_from", metavar="MODEL", help="Start from this model's weights.")
@click.option(
    "--resume",
    metavar="CHECKPOINT",
    help="Go on exactly: a checkpoint, a folder of them, or the MODEL of the interrupted run.",
)
@click.option(
    "--checkpoint-minutes",
    type=click.FloatRange(min=0),
    metavar="M",
    help="Minutes between checkpoints; 1 by default, 0 for none but after Ctrl-C.",
)
@click.option(
    "--checkpoint-steps", type=click.IntRange(min=1), metavar="N", help="Or so many steps apart."
)
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    metavar="K",
    help="End when validation has not improved for K epochs, keep the best; with --holdout.",
)
@click.option("--figures", is_flag=True, help="Tell the figures of each layer after each epoch.")
@json_option
def command(
    recipe_name: str | None,
    data: str,
    more: str | None,
    test: str | None,
    holdout: bool,
    epochs: int | None,
    seed: int | None,
    seeds: int | None,
    threads: int | None,
    out: str | None,
    start_from: str | None,
    resume: str | None,
    checkpoint_minutes: float | None,
    checkpoint_steps: int | None,
    patience: int | None,
    figures: bool,
    as_json: bool,
) -> None:
    """Train a network on handwritten digits, and write it to a file.

    With MNIST the model is tested on its 10,000 test digits at the end. Choose recipes, epochs and
    rates with --holdout, which never looks at those.

    A run of more than a minute leaves checkpoints in a folder beside the model, and so does Ctrl-C.
    With --resume it goes on as if it had not been interrupted: the same data, and without being
    told the same recipe, seed, epochs and patience. At its end the checkpoints are removed.

    With --from and --and a model is taught digits of your own without forgetting the others: in a
    few gentle epochs your digits, repeated, are mixed with 10,000 of DATA. Every fifth of them is
    held out, and what is read right of those and of mnist:validation is told before and after. This
    leaves no checkpoints.
    """
    if seeds is not None and (seed is not None or out is not None):
        raise click.UsageError(
            "--seeds trains several models and keeps none: without --seed, --out"
        )
    if holdout and test is not None:
        raise click.UsageError("--holdout reports validation alone: use it without --test")
    if patience is not None and not holdout:
        raise click.UsageError("--patience looks at validation: use it with --holdout")
    if seeds is not None and (checkpoint_minutes is not None or checkpoint_steps is not None):
        raise click.UsageError("--seeds leaves no checkpoints: use it without --checkpoint-…")
    if figures and recipe_name == "classic":
        raise click.UsageError("--figures are of layers: `classic` trains with its own class")
    if resume is not None and (start_from is not None or seeds is not None):
        raise click.UsageError("--resume goes on with one run: use it without --from and --seeds")
    teaching = start_from is not None and more is not None
    if teaching and (checkpoint_minutes is not None or checkpoint_steps is not None):
        raise click.UsageError(
            "--from with --and leaves no checkpoints, it is short: use it without --checkpoint-…"
        )
    from inkdigits.formats import load_model
    from inkdigits.training import find_recipe, latest_checkpoint
    from inkdigits.training.finetuning import gentle

    start = None if start_from is None else load_model(start_from)
    checkpoint = None if resume is None else latest_checkpoint(resume, warn=warn)
    card = checkpoint.card if checkpoint else start.card if start else None
    recipe = find_recipe(recipe_name or (card.recipe if card else "mlp"))
    if checkpoint is not None:
        settings = checkpoint.card.settings
        seed = checkpoint.card.seed if seed is None else seed
        epochs = epochs or settings.get("epochs")
        patience = patience or (settings.get("patience") if holdout else None)
    dataset, exam = gather(data, None if teaching else more, test, holdout, teaching=teaching)
    lesson = None
    if start is not None and more is not None:
        recipe = gentle(recipe)
        lesson = lesson_on(more, data, None if exam is None else exam.dataset)
    plan = Plan(
        recipe,
        dataset,
        exam,
        epochs or recipe.epochs,
        threads,
        start,
        checkpoint,
        patience,
        figures,
        lesson,
    )
    say = silent if as_json else say_at_once
    if seeds is not None:
        result = train_many(plan, range(1, seeds + 1), say)
    else:
        # What a run that goes on from this one is told again; all else is in its checkpoint.
        given = {
            "--data": None if data == "mnist" else data,
            "--and": more,
            "--test": test,
            "--out": out,
            "--checkpoint-minutes": checkpoint_minutes,
            "--checkpoint-steps": checkpoint_steps,
        }
        options = [
            part for name, value in given.items() if value is not None for part in (name, value)
        ]
        options += ["--holdout"] if holdout else []
        options += ["--figures"] if figures else []
        path = Path(out or resumed_model(resume, checkpoint) or "model.safetensors")
        checkpoints = (
            None
            if teaching
            else checkpoints_for(path, checkpoint, checkpoint_minutes, checkpoint_steps)
        )
        result = train_one(plan, 1 if seed is None else seed, path, checkpoints, options, say)
    if as_json:
        print_json(result)


def gather(
    data: str, more: str | None, test: str | None, holdout: bool, *, teaching: bool = False
) -> tuple[Dataset, Exam | None]:
    """What to train on, and what to test on if anything.

    Where a model is taught, MNIST's validation digits tell what it forgets, so it learns from none
    of them.
    """
    from inkdigits.sources import load

    exam = None if test is None else Exam("test", load(test))
    if data in WHOLE_MNIST:
        dataset = load("mnist:train50" if holdout or teaching else "mnist:train")
        if holdout:
            exam = Exam("validation", load("mnist:validation"))
        else:
            exam = exam or Exam("test", load("mnist:test"))
    else:
        dataset = load(data)
        if holdout:
            dataset, kept = hold_out(dataset)
            exam = Exam("validation", kept)
    return (dataset if more is None else dataset.joined(load(more))), exam


def resumed_model(resume: str | None, checkpoint: Checkpoint | None) -> Path | None:
    """The model beside whose name a resumed run left its checkpoints."""
    from inkdigits.formats import MODEL_SUFFIX
    from inkdigits.training import checkpoint_folder

    if resume is None or checkpoint is None or checkpoint.path is None:
        return None
    folder = checkpoint.path.parent
    if checkpoint_folder(resume) == folder and not Path(resume).is_dir():
        return Path(resume)
    return folder.with_suffix(MODEL_SUFFIX) if folder.suffix == ".checkpoints" else None


def checkpoints_for(
    path: Path, resumed: Checkpoint | None, minutes: float | None, steps: int | None
) -> Checkpoints:
    """Where the checkpoints go of a run whose model goes to `path`, and how often.

    A run that is resumed from a folder of checkpoints goes on in that folder.
    """
    from inkdigits.training import Checkpoints, checkpoint_folder

    folder = checkpoint_folder(path)
    if resumed is not None and resumed.path is not None:
        its_own = resumed.path.parent
        folder = its_own if its_own.suffix == folder.suffix else folder
    if minutes is None and steps is None:
        minutes = 1.0
    return Checkpoints(folder=folder, every_minutes=minutes or None, every_steps=steps, warn=warn)


def hold_out(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """Five sixths and one sixth, drawn at random but the same at each call."""
    import numpy as np

    order = np.random.default_rng(0).permutation(len(dataset))
    kept = len(dataset) // 6
    return dataset.subset(np.sort(order[kept:])), dataset.subset(np.sort(order[:kept]))


@dataclass(frozen=True)
class Plan:
    """What one call of the command trains."""

    recipe: Recipe | ClassicRecipe
    dataset: Dataset
    exam: Exam | None
    epochs: int
    threads: int | None
    start: Model | None
    checkpoint: Checkpoint | None
    patience: int | None
    figures: bool
    lesson: Lesson | None = None

    @property
    def watched(self) -> Exam | None:
        """What is scored after each epoch: validation, and for `classic` the test, as the post."""
        validating = self.exam is not None and self.exam.name == "validation"
        return self.exam if validating or self.recipe.name == "classic" else None

    @property
    def kept(self) -> Dataset | None:
        """Validation digits, which this run learns nothing from; None where there are none."""
        if self.exam is not None and self.exam.name == "validation":
            return self.exam.dataset
        return None if self.lesson is None else self.lesson.exams.get("mnist")

    def never_learned(self, digits: Dataset) -> bool:
        """Whether the model that the run starts from, if any, is known not to have seen these."""
        if self.start is None:
            return self.checkpoint is None or self.checkpoint.card.started_from is None
        card = self.start.card
        return (card.calibration or {}).get("data") == digits.fingerprint or (
            card.started_from is None and card.data == self.dataset.fingerprint
        )

    def mixture(self, seed: int) -> Dataset:
        """What an epoch shows."""
        return (
            self.dataset if self.lesson is None else self.lesson.own.mixed(self.dataset, seed=seed)
        )


def say_at_once(*words: str) -> None:
    """Prints, so that an epoch is seen when it ends through a pipe too."""
    print(*words, flush=True)


def silent(*words: str) -> None:
    """Stands in for print where JSON is all that stdout may hold."""


def train(plan: Plan, seed: int, say: Say, checkpoints: Checkpoints | None = None) -> Model:
    """One model; tells of each epoch."""
    from inkdigits import training

    def say_epoch(at: Progress, record: dict[str, Any]) -> None:
        scored = ""
        if plan.watched is not None:
            scored = f"   {plan.watched.name} accuracy {per_cent(record['accuracy'])}"
        say(
            f"epoch {at.epoch} of {at.epochs}   loss {record['loss']:.4f}{scored}"
            f"   {record['seconds']:.2f} s"
        )
        for figures in record.get("layers", []):
            say_figures(figures, say)

    dataset = plan.mixture(seed)
    samples = len(dataset) + round(getattr(plan.recipe, "negatives", 0) * len(dataset))
    with progress("training", plan.epochs * samples) as tick:

        def report(at: Progress) -> None:
            if at.record is not None:
                say_epoch(at, at.record)
            loss = "" if at.loss is None else f"loss {at.loss:.4f}"
            tick((at.epoch - 1) * at.samples + at.done, f"epoch {at.epoch}  {loss}")

        return training.train(
            plan.recipe,
            dataset,
            seed=seed,
            epochs=plan.epochs,
            threads=plan.threads,
            start=plan.start,
            watch=None if plan.watched is None else plan.watched.dataset,
            patience=plan.patience,
            checkpoints=checkpoints,
            resume=plan.checkpoint,
            figures=plan.figures,
            besides=None if plan.lesson is None else plan.lesson.own.settings(),
            report=report,
        )


def say_figures(figures: dict[str, Any], say: Say) -> None:
    """A line of a table: a layer with its figures."""
    name = f"  layer {figures['layer']:2} {figures['name']:12}"
    if "dead" in figures:
        say(f"{name} dead units {per_cent(figures['dead'])}")
    else:
        say(
            f"{name} weights {figures['weight_norm']:9.4g}"
            f"   gradient {figures['gradient_norm']:9.4g}"
        )


def train_one(
    plan: Plan,
    seed: int,
    path: Path,
    checkpoints: Checkpoints | None,
    options: list[Any],
    say: Say,
) -> dict[str, Any]:
    """Trains, writes the model to `path`, tests it; returns what --json prints.

    `options` are those that a run which goes on from this one needs too.
    """
    from inkdigits.errors import Diverged, FileError, TrainingError
    from inkdigits.evaluation import score_of
    from inkdigits.formats import check_replaceable, save_model
    from inkdigits.parallel import blas_can_be_held

    check_replaceable(path)
    check_replaceable(partial_of(path))
    say(f"{plan.recipe.name}: {plan.recipe.purpose}")
    before: Scores = {}
    if plan.lesson is None or plan.start is None:
        say(f"{len(plan.dataset):,} digits, seed {seed}, {plan.epochs} epochs")
    else:
        say_lesson(plan.lesson, len(plan.mixture(seed)), plan.epochs, say)
        before = plan.lesson.scores(plan.start, plan.threads)
    if plan.checkpoint is not None:
        step = plan.checkpoint.snapshot.step
        say(f"Going on after step {step:,}, in epoch {plan.checkpoint.card.epochs + 1}")
    elif checkpoints is not None and checkpoints.folder.is_dir():
        say(f"{checkpoints.folder} is of an earlier run; to go on with that, --resume it")
    if not blas_can_be_held():
        say("This NumPy's BLAS chooses its own threads: the last bits may differ between runs")
    try:
        model = train(plan, seed, say, checkpoints)
        save_model(model, path)  # before the test, so that nothing that happens there can lose it
    except Diverged as stop:
        if keep(stop, path) and checkpoints is not None:
            checkpoints.remove_spent()
        raise
    except (TrainingError, FileError) as stop:  # Ctrl-C, a worker that was killed, a full disk
        if (
            checkpoints is not None
            and checkpoints.latest is not None
            and not isinstance(stop, Diverged)
        ):
            command = ["inkdigits", "train", "--resume", checkpoints.folder, *options]
            stop.args = (f"{stop}. Go on with {shlex.join(map(str, command))}",)
        raise
    if checkpoints is not None:
        checkpoints.remove(model)
    result: dict[str, Any] = {
        "recipe": plan.recipe.name,
        "seed": seed,
        "epochs": plan.epochs,
        "parameters": model.network.parameters.size,
        "seconds": model.card.seconds,
    }
    if model.tells_digits or model.card.calibration is not None:
        model = calibrate(model, plan, path, say)
        save_model(model, path)
    scores: dict[str, Any] = {}
    if plan.lesson is not None:
        result["before"], result["after"] = before, plan.lesson.scores(model, plan.threads)
        for when in ("before", "after"):
            scores |= {f"{name} {when}": score for name, score in result[when].items() if score}
        say_change(result["before"], result["after"], say)
    if plan.exam is not None:
        report = model.evaluate(plan.exam.dataset, threads=plan.threads)
        scores[plan.exam.name] = result[plan.exam.name] = score_of(report)
        say_report(plan.exam.name, report, say)
    elif plan.lesson is None:
        say("\nNot tested: name digits to test on with --test")
    if scores:
        model = model.with_scores(**scores)
        save_model(model, path)
    say(f"Trained in {model.card.seconds:.2f} s; the model is in {path}\n")
    say(f"Next:  inkdigits show {path} --out pictures     see what it has learned")
    say(f"       inkdigits evaluate {path}                how well it reads, digit by digit")
    if plan.lesson is None:
        say(f"       inkdigits train --from {path} --epochs {plan.epochs}")
    else:
        say(f"       inkdigits read PICTURE --model {path}")
    if plan.patience is not None:
        result |= {
            "best_epoch": model.card.epochs,
            "stopped_early": len(model.card.history) < plan.epochs,
        }
    return result | {
        "history": model.card.history,
        "model": str(path),
        "fingerprint": model.fingerprint,
    }


def calibrate(model: Model, plan: Plan, path: Path, say: Say) -> Model:
    """Finds out what the model's confidence is worth, if digits were kept to do it by.

    Raises:
        Interrupted: Ctrl-C; the model itself is in `path` already.
    """
    from inkdigits.errors import DataError, Interrupted
    from inkdigits.reading.calibrate import calibrated

    kept = plan.kept
    if kept is None:
        hindrance = "with --holdout it is, on the digits that are kept"
    elif not plan.never_learned(kept):
        hindrance = "the model it started from may have learned the digits that are kept"
    else:
        try:
            with progress("calibrating", len(kept)) as tick:
                model = calibrated(model, kept, progress=lambda done: tick(done, ""))
        except DataError as error:
            hindrance = str(error)
        except KeyboardInterrupt:
            raise Interrupted(f"stopped: the model is in {path}, not calibrated", model) from None
        else:
            calibration = model.card.calibration or {}
            say(
                f"\nCalibrated on {len(kept):,} digits read as pictures: temperature "
                f"{calibration['temperature']:.3f}; below a confidence of "
                f"{calibration['threshold']:.3f} no digit is named"
            )
            return model
    say(f"\nNot calibrated: {hindrance}")
    if model.card.calibration is not None:
        say(
            "Keeps temperature and threshold of the model it started from, but none of its promises"
        )
    return model


def say_report(name: str, report: Report, say: Say) -> None:
    low, high = report.interval
    say(
        f"\n{name.capitalize()} accuracy {per_cent(report.accuracy)}: "
        f"{report.correct:,} of {report.total:,} read right "
        f"(95 % interval {per_cent(low)} to {per_cent(high)})"
    )
    confusions = report.commonest_confusions(3)
    if confusions:
        pairs = (f"{true} read as {read} ({times}×)" for true, read, times in confusions)
        say(f"Commonest confusions: {', '.join(pairs)}")


def partial_of(path: Path) -> Path:
    """Where the last good model of a run goes that diverged."""
    return path.with_name(f"{path.stem}.partial{path.suffix}")


def keep(stop: Diverged, path: Path) -> bool:
    """Writes the last good model of a run that diverged beside `path`, and says so in the error.

    Returns:
        Whether there was none, or it is safe.
    """
    from inkdigits.errors import FileError
    from inkdigits.formats import save_model

    model = stop.model
    if model is None or not model.network.parameters.any():
        stop.args = (f"{stop}; there is no model worth keeping yet",)
        return True
    partial = partial_of(path)
    try:
        save_model(model, partial)
    except FileError as error:
        stop.args = (f"{stop}. The model so far is lost, its checkpoints are not: {error}",)
        return False
    stop.args = (f"{stop}. The model so far is in {partial}",)
    return True


def train_many(plan: Plan, seeds: range, say: Say) -> dict[str, Any]:
    """One model a seed, none of them kept; returns what --json prints."""
    import numpy as np

    from inkdigits.errors import Diverged, Interrupted, TrainingError
    from inkdigits.evaluation import mean_interval

    if plan.exam is None:
        raise TrainingError("expected digits to test on with --seeds: name them with --test")
    accuracies: list[float] = []
    seconds: list[float] = []
    for seed in seeds:
        try:
            model = train(plan, seed, say)
        except (Diverged, Interrupted) as stop:
            so_far = ", ".join(map(per_cent, accuracies)) or "none"
            stop.args = (f"{stop}, with seed {seed}. {plan.exam.name} accuracies so far: {so_far}",)
            raise
        accuracies.append(model.evaluate(plan.exam.dataset, threads=plan.threads).accuracy)
        seconds.append(model.card.seconds)
        say(
            f"seed {seed}: {plan.exam.name} accuracy {per_cent(accuracies[-1])}"
            f" in {seconds[-1]:.2f} s"
        )
    mean, low, high = mean_interval(np.array(accuracies))
    median = float(np.median(seconds))
    say(
        f"Mean {plan.exam.name} accuracy of {len(seeds)} seeds {per_cent(mean, 3)} "
        f"(95 % interval {per_cent(low, 3)} to {per_cent(high, 3)}), median {median:.2f} s"
    )
    return {
        "recipe": plan.recipe.name,
        "seeds": list(seeds),
        "epochs": plan.epochs,
        "parameters": plan.recipe.network().parameters.size,
        "seconds": median,
        plan.exam.name: {"mean": mean, "interval": [low, high], "values": accuracies},
    }
