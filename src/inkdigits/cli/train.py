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
)

if TYPE_CHECKING:
    from inkdigits.dataset import Dataset
    from inkdigits.errors import Diverged, Interrupted
    from inkdigits.evaluation import Report
    from inkdigits.model import Model
    from inkdigits.training import ClassicRecipe, Progress, Recipe

__all__ = ["command"]

Say = Callable[[str], None]

WHOLE_MNIST = ("mnist", "mnist:train")  # what has a test set, and a validation set of its own

EXAMPLES = """
    inkdigits train                                            a good network in a second
    inkdigits train --recipe classic --epochs 5 --seed 1       the post's
    inkdigits train --recipe classic --epochs 10 --from model.safetensors
    inkdigits train --recipe mlp --seeds 20 --json             mean and interval over 20 seeds
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
@click.option("--and", "more", metavar="DATA", help="More digits to train on.")
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
    as_json: bool,
) -> None:
    """Train a network on handwritten digits, and write it to a file.

    With MNIST the model is tested on its 10,000 test digits at the end. Choose recipes, epochs and
    rates with --holdout, which never looks at those.
    """
    if seeds is not None and (seed is not None or out is not None):
        raise click.UsageError(
            "--seeds trains several models and keeps none: without --seed, --out"
        )
    if holdout and test is not None:
        raise click.UsageError("--holdout reports validation alone: use it without --test")
    from inkdigits.formats import load_model
    from inkdigits.training import find_recipe

    start = None if start_from is None else load_model(start_from)
    recipe = find_recipe(recipe_name or (start.card.recipe if start else "mlp"))
    dataset, exam = gather(data, more, test, holdout)
    plan = Plan(recipe, dataset, exam, epochs or recipe.epochs, threads, start)
    say = silent if as_json else print
    if seeds is not None:
        result = train_many(plan, range(1, seeds + 1), say)
    else:
        given = {"--and": more, "--test": test, "--seed": seed, "--out": out}
        given["--data"] = None if data == "mnist" else data
        options = [
            part for name, value in given.items() if value is not None for part in (name, value)
        ]
        options += ["--holdout"] if holdout else []
        path = Path(out or "model.safetensors")
        result = train_one(plan, 1 if seed is None else seed, path, options, say)
    if as_json:
        print_json(result)


def gather(
    data: str, more: str | None, test: str | None, holdout: bool
) -> tuple[Dataset, Exam | None]:
    """What to train on, and what to test on if anything."""
    from inkdigits.sources import load

    exam = None if test is None else Exam("test", load(test))
    if data in WHOLE_MNIST and holdout:
        dataset, exam = load("mnist:train50"), Exam("validation", load("mnist:validation"))
    elif data in WHOLE_MNIST:
        dataset, exam = load("mnist:train"), exam or Exam("test", load("mnist:test"))
    else:
        dataset = load(data)
        if holdout:
            dataset, kept = hold_out(dataset)
            exam = Exam("validation", kept)
    return (dataset if more is None else dataset.joined(load(more))), exam


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

    @property
    def watched(self) -> Exam | None:
        """What is scored after each epoch: validation, and for `classic` the test, as the post."""
        validating = self.exam is not None and self.exam.name == "validation"
        return self.exam if validating or self.recipe.name == "classic" else None


def silent(*words: str) -> None:
    """Stands in for print where JSON is all that stdout may hold."""


def train(plan: Plan, seed: int, say: Say) -> Model:
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

    with progress("training", plan.epochs * len(plan.dataset)) as tick:

        def report(at: Progress) -> None:
            if at.record is not None:
                say_epoch(at, at.record)
            loss = "" if at.loss is None else f"loss {at.loss:.4f}"
            tick((at.epoch - 1) * at.samples + at.done, f"epoch {at.epoch}  {loss}")

        return training.train(
            plan.recipe,
            plan.dataset,
            seed=seed,
            epochs=plan.epochs,
            threads=plan.threads,
            start=plan.start,
            watch=None if plan.watched is None else plan.watched.dataset,
            report=report,
        )


def train_one(plan: Plan, seed: int, path: Path, options: list[Any], say: Say) -> dict[str, Any]:
    """Trains, writes the model to `path`, tests it; returns what --json prints.

    `options` are those that a run which goes on from this one needs too.
    """
    from inkdigits.errors import Diverged, Interrupted
    from inkdigits.formats import check_replaceable, save_model
    from inkdigits.parallel import blas_can_be_held

    check_replaceable(path)
    check_replaceable(partial_of(path))
    say(f"{plan.recipe.name}: {plan.recipe.purpose}")
    say(f"{len(plan.dataset):,} digits, seed {seed}, {plan.epochs} epochs")
    if not blas_can_be_held():
        say("This NumPy's BLAS chooses its own threads: the last bits may differ between runs")
    try:
        model = train(plan, seed, say)
    except (Diverged, Interrupted) as stop:
        keep(stop, plan, path, options)
        raise
    save_model(model, path)  # before the test, so that nothing that happens there can lose it
    result: dict[str, Any] = {
        "recipe": plan.recipe.name,
        "seed": seed,
        "epochs": plan.epochs,
        "parameters": model.network.parameters.size,
        "seconds": model.card.seconds,
    }
    if plan.exam is not None:
        report = model.evaluate(plan.exam.dataset, threads=plan.threads)
        figures = report.as_data()
        score = {key: figures[key] for key in ("correct", "total", "accuracy", "interval")}
        result[plan.exam.name] = score
        model = model.with_scores(**{plan.exam.name: score})
        save_model(model, path)
        say_report(plan.exam.name, report, say)
    else:
        say("\nNot tested: name digits to test on with --test")
    say(f"Trained in {model.card.seconds:.2f} s; the model is in {path}\n")
    say(f"Next:  inkdigits show {path} --out pictures     see what it has learned")
    say(f"       inkdigits evaluate {path}                how well it reads, digit by digit")
    say(f"       inkdigits train --from {path} --epochs {plan.epochs}")
    return result | {
        "history": model.card.history,
        "model": str(path),
        "fingerprint": model.fingerprint,
    }


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
    """Where the model of a run goes that ends early."""
    return path.with_name(f"{path.stem}.partial{path.suffix}")


def keep(stop: Diverged | Interrupted, plan: Plan, path: Path, options: list[Any]) -> None:
    """Writes the model of a run that ended early beside `path`, and says so in the error."""
    from inkdigits.errors import Interrupted
    from inkdigits.formats import save_model

    model = stop.model
    if model is None or not model.network.parameters.any():
        stop.args = (f"{stop}; there is no model worth keeping yet",)
        return
    partial = partial_of(path)
    save_model(model, partial)
    message = f"{stop}. The model so far is in {partial}"
    if isinstance(stop, Interrupted):
        left = plan.epochs - model.card.epochs
        command = ["inkdigits", "train", "--recipe", plan.recipe.name, *options]
        command += ["--from", partial, "--epochs", left]
        message += f": go on with {shlex.join(map(str, command))}"
    stop.args = (message,)


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
