"""The post's training, as a trainer like that of the other recipes: `classic.Network` does it."""

from __future__ import annotations

import numpy as np

from inkdigits.classic import BLOCK as RECORDS_AT_ONCE
from inkdigits.classic import Network as ClassicNetwork
from inkdigits.dataset import DIGITS, SIDE, Dataset
from inkdigits.network import Network
from inkdigits.network.layers import Array
from inkdigits.parallel import blas_on_one_thread
from inkdigits.training.course import Course
from inkdigits.training.interrupts import CtrlC
from inkdigits.training.loop import LossLeftBounds, Snapshot, StepReport, take_vectors
from inkdigits.training.recipes import ClassicRecipe
from inkdigits.training.steering import Change

__all__ = ["ClassicTrainer"]


class ClassicTrainer:
    """The post's training, on the weights of a network of layers. Each record is a step.

    Args:
        recipe: the post's.
        network: two dense layers without bias, whose weights learn.
        dataset: labelled digits to learn from, in their order.
        seed: of `numpy.random.RandomState`, as the post's `numpy.random.seed`; None to go on from
            the weights in `network`.
        epochs: of the whole run.

    Attributes: as those of `Trainer`.
    """

    def __init__(
        self,
        recipe: ClassicRecipe,
        network: Network,
        dataset: Dataset,
        *,
        seed: int | None,
        epochs: int,
    ) -> None:
        self.recipe = recipe
        self.network = network
        self.dataset = dataset
        self.samples = len(dataset)
        self.course = Course(samples=self.samples, batch=1, epochs=epochs)
        self.step = 0
        self.epoch_loss = 0.0
        self.ctrl_c = CtrlC()
        rng = np.random.RandomState(seed)
        self.classic = ClassicNetwork(SIDE * SIDE, recipe.hidden, DIGITS, recipe.rate, rng=rng)
        wih, who = (own["weight"] for own in network.views(network.parameters) if own)
        if seed is not None:
            wih[:], who[:] = self.classic.wih, self.classic.who
        self.classic.wih, self.classic.who = wih, who  # one memory: what one learns, both know

    @property
    def weights(self) -> tuple[Array, Array]:
        """What the run has to show: parameters (P,) and an empty state."""
        return self.network.parameters, self.network.state

    @property
    def rate(self) -> float:
        """The learning rate."""
        return self.recipe.rate

    def steered(self, change: Change) -> tuple[ClassicRecipe, Course]:
        """What the trainer would go on with if this was changed here.

        Raises:
            TrainingError: it cannot be.
        """
        recipe = change.changed(self.recipe)
        return recipe, self.course.changed(self.step, epochs=change.epochs)

    def steer(self, change: Change) -> None:
        """Goes on with this changed; between two calls of `epoch`, or when one was interrupted.

        Raises:
            TrainingError: it cannot be; all is as it was.
        """
        self.recipe, self.course = self.steered(change)
        self.classic.lrate = self.recipe.rate

    def snapshot(self) -> Snapshot:
        """All that `restore` needs to go on from this record as if nothing had happened."""
        return Snapshot(self.step, self.epoch_loss, None, {"parameters": self.network.parameters})

    def restore(self, snapshot: Snapshot) -> None:
        """Goes back, or forward, to a snapshot of a run with the same recipe and data.

        Raises:
            ValueError: its vectors are others, or of other shapes.
        """
        take_vectors(self.snapshot().vectors, snapshot.vectors)
        self.step, self.epoch_loss = snapshot.step, snapshot.epoch_loss

    def epoch(self, report: StepReport) -> float:
        """One time through the data; the mean loss ½ Σ (target − output)² of its samples.

        What is done of an epoch that was interrupted is not done again.

        Args:
            report: called after each block with the samples done; the loss comes at the end alone.

        Raises:
            LossLeftBounds: the weights are no numbers any more.
        """
        count = len(self.dataset)
        _, skipped = self.course.place(self.step)
        if not skipped:
            self.epoch_loss = 0.0
        with np.errstate(over="ignore", invalid="ignore"), blas_on_one_thread():  # the weights tell
            for start in range(skipped, count, RECORDS_AT_ONCE):
                block = self.dataset.subset(slice(start, start + RECORDS_AT_ONCE))
                self.ctrl_c.hold()
                self.epoch_loss += self.classic.fit(block) * len(block)
                self.step += len(block)
                self.ctrl_c.release()
                if not np.isfinite(self.classic.who).all():
                    raise LossLeftBounds
                report(start + len(block), None)
        return self.epoch_loss / count
