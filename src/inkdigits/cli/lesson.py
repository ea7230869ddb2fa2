"""What `inkdigits train` does besides when a model is taught its user's own digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inkdigits.cli.console import per_cent

if TYPE_CHECKING:
    from inkdigits.dataset import Dataset
    from inkdigits.evaluation import Report
    from inkdigits.model import Model
    from inkdigits.training.finetuning import OwnDigits

__all__ = ["Lesson", "Scores", "lesson_on", "say_change", "say_lesson", "score_of"]

Scores = dict[str, dict[str, Any] | None]

MNIST = ("mnist", "mnist:train", "mnist:train50")  # of which mnist:validation is no part here


@dataclass(frozen=True)
class Lesson:
    """What a model is taught, and on which digits that shows, before and after.

    Args:
        own: digits to teach.
        exams: by the names that JSON has for them; None where there are no such digits.
    """

    own: OwnDigits
    exams: dict[str, Dataset | None]

    def scores(self, model: Model, threads: int | None) -> Scores:
        """How well `model` does in each exam."""
        return {
            name: None if exam is None else score_of(model.evaluate(exam, threads=threads))
            for name, exam in self.exams.items()
        }


def lesson_on(own: str, data: str, tested_on: Dataset | None) -> Lesson:
    """The lesson that teaches the digits called `own` to a model that knows those called `data`.

    Args:
        own: to be loaded.
        data: MNIST, for which its validation digits tell what is forgotten, or others.
        tested_on: what tells it for others; None where nothing does.
    """
    from inkdigits.sources import load
    from inkdigits.training.finetuning import OwnDigits

    digits = OwnDigits.parted(load(own))
    if data in MNIST:
        exams: dict[str, Dataset | None] = {"mnist": load("mnist:validation")}
    else:
        exams = {"data": tested_on}
    return Lesson(digits, {**exams, "own": digits.held_out})


def score_of(report: Report) -> dict[str, Any]:
    """A report's figures as JSON and a model's card have them."""
    figures = report.as_data()
    return {key: figures[key] for key in ("correct", "total", "accuracy", "interval")}


def say_lesson(lesson: Lesson, samples: int, epochs: int, say: Callable[[str], None]) -> None:
    own, held_out = lesson.own.learned, lesson.own.held_out
    say(
        f"{len(own):,} digits of your own, repeated in {epochs} epochs of {samples:,} digits; "
        + (
            "too few to hold some out: teach five or more to see what is gained"
            if held_out is None
            else f"{len(held_out):,} more are held out"
        )
    )


def say_change(before: Scores, after: Scores, say: Callable[[str], None]) -> None:
    """What a lesson changed: a line for each exam that there was."""
    if any(after.values()):
        say("\nRead right                before      after")
    for name, exam in {"mnist": "MNIST's validation", "data": "DATA", "own": "your own"}.items():
        first, last = before.get(name), after.get(name)
        if first is not None and last is not None:
            low, high = last["interval"]
            say(
                f"  {exam:18}  {per_cent(first['accuracy']):>10} {per_cent(last['accuracy']):>10}"
                f"   of {last['total']:,} held out "
                f"(95 % interval {per_cent(low)} to {per_cent(high)})"
            )
