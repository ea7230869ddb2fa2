"""What `inkdigits train` does besides when a model is taught its user's own digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from inkdigits.cli.console import per_cent

if TYPE_CHECKING:
    from inkdigits.dataset import Dataset
    from inkdigits.training.finetuning import Lesson, Scores

__all__ = ["lesson_on", "say_change", "say_lesson"]

MNIST = ("mnist", "mnist:train", "mnist:train50")  # of which mnist:validation is no part here


def lesson_on(own: str, data: str, tested_on: Dataset | None) -> Lesson:
    """The lesson that teaches the digits called `own` to a model that knows those called `data`.

    Args:
        own: to be loaded.
        data: MNIST, for which its validation digits tell what is forgotten, or others.
        tested_on: what tells it for others; None where nothing does.
    """
    from inkdigits.sources import load
    from inkdigits.training.finetuning import Lesson, OwnDigits

    digits = OwnDigits.parted(load(own))
    if data in MNIST:
        exams: dict[str, Dataset | None] = {"mnist": load("mnist:validation")}
    else:
        exams = {"data": tested_on}
    return Lesson(digits, {**exams, "own": digits.held_out})


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
