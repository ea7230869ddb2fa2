"""Where the steps of a run lie: in which epoch, at which of its samples, how far down its schedule.

A run that nobody steers has one course from its first step to its last, and all of this is a
division of the step's number. A change of the batch or of the end begins another course where the
run is: what is left of the epoch goes on in its order, and what is left of the schedule is spread
over the steps that are left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from inkdigits.errors import TrainingError

__all__ = ["Course"]


@dataclass(frozen=True, kw_only=True)
class Course:
    """Steps of one size, to an end that is known.

    Args:
        samples: of an epoch.
        batch: samples of a step; the last of an epoch has what is left.
        epochs: of the whole run.
        step: steps done where this course begins.
        epoch: whole epochs done there.
        done: samples done there of the epoch after these.
        share: of the schedule that was done there, 0 to 1.
    """

    samples: int
    batch: int
    epochs: int
    step: int = 0
    epoch: int = 0
    done: int = 0
    share: float = 0.0

    @property
    def steps_per_epoch(self) -> int:
        """Of an epoch that is done on this course from its beginning."""
        return math.ceil(self.samples / self.batch)

    @property
    def steps(self) -> int:
        """Of the whole run, those before this course too."""
        return self.step + self._first + (self.epochs - self.epoch - 1) * self.steps_per_epoch

    @property
    def _first(self) -> int:
        """Steps to the end of the epoch in which this course begins."""
        return math.ceil((self.samples - self.done) / self.batch)

    def place(self, step: int) -> tuple[int, int]:
        """Where a run is after so many steps: whole epochs, and samples of the one after them."""
        steps = step - self.step
        if steps < self._first:
            return self.epoch, self.done + steps * self.batch
        epochs, steps = divmod(steps - self._first, self.steps_per_epoch)
        return self.epoch + 1 + epochs, steps * self.batch

    def running(self, step: int) -> tuple[int, int]:
        """The epoch after so many steps, from 1, and its samples done: at its end, all of them."""
        epoch, done = self.place(step)
        return (epoch, self.samples) if epoch and not done else (epoch + 1, done)

    def progress(self, step: int) -> float:
        """The share of the schedule that is done after so many steps, 0 to 1."""
        left = self.steps - self.step
        if step - self.step >= left:
            return 1.0
        return self.share + (1 - self.share) * ((step - self.step) / left)

    def changed(self, step: int, *, batch: int | None = None, epochs: int | None = None) -> Course:
        """The course from this step on, with another batch or another end; None for the same.

        Raises:
            TrainingError: the run is past that end, or an epoch is smaller than that batch.
        """
        batch, epochs = batch or self.batch, epochs or self.epochs
        if (batch, epochs) == (self.batch, self.epochs):
            return self
        epoch, done = self.place(step)
        least = max(1, epoch + (done > 0))
        if epochs < least:
            raise TrainingError(
                f"expected {least} epochs or more, as the run has come to epoch {least}, got "
                f"{epochs}: stop it to end it now"
            )
        if batch != self.batch and batch > self.samples:
            raise TrainingError(
                f"expected a batch of at most the {self.samples:,} samples of an epoch, got {batch}"
            )
        return Course(
            samples=self.samples,
            batch=batch,
            epochs=epochs,
            step=step,
            epoch=epoch,
            done=done,
            share=self.progress(step),
        )
