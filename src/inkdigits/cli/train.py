"""`inkdigits train`."""

from __future__ import annotations

import shlex
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
    from inkdigits.model import Model
    from inkdigits.training import Progress

__all__ = ["command"]

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
    epochs = epochs or recipe.epochs
    given: dict[str, Any] = {
        "--data": data if data != "mnist" else None,
        "--and": more,
        "--test": test,
    }
    given |= {"--seed": seed, "--out": out}
    same = [part for name, value in given.items() if value is not None for part in (name, value)]
    same += ["--holdout"] if holdout else []
    session = Session(recipe, dataset, exam, epochs, threads, start, as_json, same)
    if seeds is not None:
        session.train_many(range(1, seeds + 1))
    else:
        session.train_one(1 if seed is None else seed, Path(out or "model.safetensors"))


def gather(
    data: str, more: str | None, test: str | None, holdout: bool
) -> tuple[Dataset, Exam | None]:
    """What to train on, and what to test on if anything."""
    from inkdigits.sources import load

    exam = None if test is None else Exam("test", load(test))
    if data == "mnist" and holdout:
        dataset, exam = load("mnist:train50"), Exam("validation", load("mnist:validation"))
    elif data == "mnist":
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


class Session:
    """One call of the command: trains, tells, and writes what came out."""

    def __init__(
        self,
        recipe: Any,
        dataset: Dataset,
        exam: Exam | None,
        epochs: int,
        threads: int | None,
        start: Model | None,
        as_json: bool,
        same: list[Any],
    ) -> None:
        self.recipe = recipe
        self.dataset = dataset
        self.exam = exam
        self.epochs = epochs
        self.threads = threads
        self.start = start
        self.as_json = as_json
        self.same = same  # the options that a run which goes on from this one needs too

    @property
    def watched(self) -> Exam | None:
        """What is scored after each epoch: validation, and for `classic` the test, as the post."""
        validating = self.exam is not None and self.exam.name == "validation"
        return self.exam if validating or self.recipe.name == "classic" else None

    def say(self, text: str) -> None:
        if not self.as_json:
            print(text, flush=True)

    def train(self, seed: int) -> Model:
        from inkdigits.training import train

        with progress("training", self.epochs * len(self.dataset)) as tick:

            def report(at: Progress) -> None:
                if at.record is not None:
                    self.say_epoch(at)
                loss = "" if at.loss is None else f"loss {at.loss:.4f}"
                tick((at.epoch - 1) * at.samples + at.done, f"epoch {at.epoch}  {loss}")

            return train(
                self.recipe,
                self.dataset,
                seed=seed,
                epochs=self.epochs,
                threads=self.threads,
                start=self.start,
                watch=None if self.watched is None else self.watched.dataset,
                report=report,
            )

    def say_epoch(self, at: Progress) -> None:
        record = at.record or {}
        accuracy = ""
        if self.watched is not None:
            accuracy = f"   {self.watched.name} accuracy {per_cent(record['accuracy'])}"
        self.say(
            f"epoch {at.epoch} of {at.epochs}   loss {record['loss']:.4f}{accuracy}"
            f"   {record['seconds']:.2f} s"
        )

    def train_one(self, seed: int, path: Path) -> None:
        from inkdigits.errors import Diverged, Interrupted
        from inkdigits.formats import check_replaceable, save_model

        check_replaceable(path)
        self.say(f"{self.recipe.name}: {self.recipe.purpose}")
        self.say(f"{len(self.dataset):,} digits, seed {seed}, {self.epochs} epochs")
        try:
            model = self.train(seed)
        except (Diverged, Interrupted) as stop:
            self.keep(stop, path)
            raise
        data: dict[str, Any] = {
            "recipe": self.recipe.name,
            "seed": seed,
            "epochs": self.epochs,
            "parameters": model.network.parameters.size,
            "seconds": model.card.seconds,
        }
        report = None
        if self.exam is not None:
            report = model.evaluate(self.exam.dataset, threads=self.threads)
            result = report.as_data()
            score = {key: result[key] for key in ("correct", "total", "accuracy", "interval")}
            model = model.with_scores(**{self.exam.name: score})
            data[self.exam.name] = score
        save_model(model, path)
        data |= {
            "history": model.card.history,
            "model": str(path),
            "fingerprint": model.fingerprint,
        }
        if self.as_json:
            print_json(data)
            return
        if report is not None and self.exam is not None:
            low, high = report.interval
            self.say(
                f"\n{self.exam.name.capitalize()} accuracy {per_cent(report.accuracy)}: "
                f"{report.correct:,} of {report.total:,} read right "
                f"(95 % interval {per_cent(low)} to {per_cent(high)})"
            )
            confusions = report.commonest_confusions(3)
            if confusions:
                pairs = (f"{true} read as {read} ({times}×)" for true, read, times in confusions)
                self.say(f"Commonest confusions: {', '.join(pairs)}")
        self.say(f"Trained in {model.card.seconds:.2f} s; the model is in {path}")
        self.say(
            f"\nNext:  inkdigits show {path} --out pictures     see what it has learned\n"
            f"       inkdigits evaluate {path}                how well it reads, digit by digit\n"
            f"       inkdigits train --from {path} --epochs {self.epochs}"
        )

    def keep(self, stop: Any, path: Path) -> None:
        """Writes the model of a run that ended early beside `path`, and says so in the error."""
        from inkdigits.formats import save_model

        model: Model | None = stop.model
        if model is None or not model.network.parameters.any():
            stop.args = (f"{stop}; there is no model worth keeping yet",)
            return
        partial = path.with_name(f"{path.stem}.partial{path.suffix}")
        save_model(model, partial)
        left = self.epochs - model.card.epochs
        command = ["inkdigits", "train", "--recipe", self.recipe.name, *self.same]
        command += ["--from", partial, "--epochs", left]
        stop.args = (
            f"{stop}. The model so far is in {partial}: go on with "
            + shlex.join(map(str, command)),
        )

    def train_many(self, seeds: range) -> None:
        """One model a seed; mean and interval of what they reach."""
        import numpy as np

        from inkdigits.errors import TrainingError
        from inkdigits.evaluation import mean_interval

        if self.exam is None:
            raise TrainingError("expected digits to test on with --seeds: name them with --test")
        accuracies, seconds = [], []
        parameters = 0
        for seed in seeds:
            model = self.train(seed)
            report = model.evaluate(self.exam.dataset, threads=self.threads)
            accuracies.append(report.accuracy)
            seconds.append(model.card.seconds)
            parameters = model.network.parameters.size
            self.say(
                f"seed {seed}: {self.exam.name} accuracy {per_cent(report.accuracy)}"
                f" in {model.card.seconds:.2f} s"
            )
        mean, low, high = mean_interval(np.array(accuracies))
        if self.as_json:
            print_json(
                {
                    "recipe": self.recipe.name,
                    "seeds": list(seeds),
                    "epochs": self.epochs,
                    "parameters": parameters,
                    "seconds": float(np.median(seconds)),
                    self.exam.name: {"mean": mean, "interval": [low, high], "values": accuracies},
                }
            )
        self.say(
            f"Mean {self.exam.name} accuracy of {len(seeds)} seeds {per_cent(mean, 3)} "
            f"(95 % interval {per_cent(low, 3)} to {per_cent(high, 3)}), "
            f"median {np.median(seconds):.2f} s"
        )
