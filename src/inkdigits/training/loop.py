"""The loop: batches → chunks → gradients → one step on the flat vector of parameters.

`Trainer` does it for every recipe but the post's own, which has `classic_trainer`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import Dataset
from inkdigits.model import NOT_A_DIGIT
from inkdigits.network import Network
from inkdigits.network.layers import Array, Views
from inkdigits.parallel import Crew, Member
from inkdigits.sources.negatives import negatives
from inkdigits.training.augmentation import opencv_on_one_thread
from inkdigits.training.course import Course
from inkdigits.training.interrupts import CtrlC
from inkdigits.training.randomness import Purpose, counted_generator
from inkdigits.training.recipes import Recipe
from inkdigits.training.steering import Change

__all__ = ["LossLeftBounds", "Snapshot", "StepReport", "Trainer", "take_vectors"]

StepReport = Callable[[int, float | None], None]

STATE_MOMENTUM = 0.1  # the weight of a batch's statistics in the running ones
# Times the first step's loss, or 1 where that is less (a good start does not make one misread digit
# a divergence): beyond, nothing is being learned any more.
LOSS_LIMIT = 100.0
# Parameters whose squares are added up together for the gradient's norm. The vectors are shared out
# by whole blocks, so that the sum has the same bits for any number of workers.
BLOCK = 1024


class LossLeftBounds(Exception):
    """The loss of a step is infinite, no number, or `LOSS_LIMIT` times that of the first step."""


@dataclass(frozen=True)
class Snapshot:
    """All that a run is between two steps.

    Args:
        step: steps done, from the beginning of the run.
        epoch_loss: sum of the losses of the samples of this epoch so far; of the whole epoch where
            that has just ended.
        first_loss: mean loss of the first step, which `LOSS_LIMIT` multiplies; None before it.
        vectors: the trainer's arrays by name; from `snapshot` they are its own, not copies.
    """

    step: int
    epoch_loss: float
    first_loss: float | None
    vectors: Mapping[str, Array]


class Lane:
    """What one lane needs to itself: nobody else writes here during a step.

    Attributes:
        gradient: shape (P,), the sum over the lane's chunks; what others read of the lane.
        views: of `gradient`, for the layers to write to.
        chunk_gradient: shape (P,), of one chunk, with `chunk_views` of it.
        statistics: shape (S,), of one chunk.
        contexts: for the layers.
    """

    def __init__(self, network: Network, gradient: Array) -> None:
        self.gradient = gradient
        self.views = network.views(gradient)
        self.chunk_gradient = np.empty_like(gradient)
        self.chunk_views = network.views(self.chunk_gradient)
        self.statistics = np.zeros_like(network.state)
        self.contexts = network.contexts(self.statistics)


class Trainer:
    """A network, an optimizer's memory, and the number of steps done: all that a run is.

    A step depends on these, the data, the recipe and its course alone: random numbers are counted
    (see `randomness`), so it does not matter how the run came to this step. Ctrl-C leaves it
    between two steps, unless `ctrl_c.held` says otherwise.

    Args:
        recipe: what decides the outcome.
        network: what learns; its `parameters` and `state` are moved in place.
        dataset: labelled digits to learn from.
        seed: of all random numbers.
        epochs: of the whole run; the schedule ends with it.
        crew: the workers, of `recipe.lanes` lanes.

    Attributes:
        samples: of an epoch: the digits, and what is none where the recipe draws that.
        course: where the steps from here on lie.
        step: steps done.
        epoch_loss: sum of the losses of this epoch's samples so far.
        average: shape (P,), of the parameters over the steps; None unless the recipe asks for it.
        average_state: shape (S,), of the running statistics, where there is an average.
    """

    def __init__(
        self,
        recipe: Recipe,
        network: Network,
        dataset: Dataset,
        *,
        seed: int,
        epochs: int,
        crew: Crew,
    ) -> None:
        self.recipe = recipe
        self.network = network
        self.dataset = dataset
        self.images, self.labels = dataset.images, dataset.known_labels  # of this epoch
        self.seed = seed
        self.crew = crew
        self.samples = len(dataset) + round(recipe.negatives * len(dataset))
        self.course = Course(samples=self.samples, batch=recipe.batch, epochs=epochs)
        self.step = 0
        self.epoch_loss = 0.0
        self.ctrl_c = CtrlC()
        self._decay = network.decay_mask()
        self._negatives_of: int | None = None  # the epoch whose negatives are in `images`
        size = network.parameters.size
        # What one member of the crew writes and another reads lies in memory that they share.
        network.move_to(crew.shared((size,), network.dtype))
        self.memory = crew.shared((recipe.optimizer.slots, size), network.dtype)
        self._lanes = [
            Lane(network, crew.shared((size,), network.dtype)) for _ in range(recipe.lanes)
        ]
        self._losses = crew.shared((recipe.lanes,), np.float64)
        self._statistics = self._chunks_statistics()
        self._squares = crew.shared((math.ceil(size / BLOCK),), np.float64)
        self._first_loss = math.inf
        self.average: Array | None = None
        self.average_state = network.state.copy()
        if recipe.averaging:
            self.average = crew.shared((size,), network.dtype)
            self.average[:] = network.parameters

    @property
    def weights(self) -> tuple[Array, Array]:
        """What the run has to show: parameters (P,) and state (S,), or where there are averages,
        those.
        """
        if self.average is None:
            return self.network.parameters, self.network.state
        return self.average, self.average_state

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return self.recipe.schedule(self.course.progress(self.step))

    def steered(self, change: Change) -> tuple[Recipe, Course]:
        """What the trainer would go on with if this was changed here.

        Raises:
            TrainingError: it cannot be.
        """
        recipe = change.changed(self.recipe)
        return recipe, self.course.changed(self.step, batch=change.batch, epochs=change.epochs)

    def steer(self, change: Change) -> None:
        """Goes on with this changed; between two calls of `epoch`, or when one was interrupted.

        Raises:
            TrainingError: it cannot be; all is as it was.
        """
        self.recipe, self.course = self.steered(change)
        self._statistics = self._chunks_statistics()

    def _chunks_statistics(self) -> Array:
        """Room for the running statistics of each chunk of a batch, (chunks, S)."""
        chunks = math.ceil(self.recipe.batch / self.recipe.chunk)
        return self.crew.shared((chunks, self.network.state.size), self.network.dtype)

    def snapshot(self) -> Snapshot:
        """All that `restore` needs to go on from this step as if nothing had happened."""
        vectors = {
            "parameters": self.network.parameters,
            "state": self.network.state,
            "memory": self.memory,
        }
        if self.average is not None:
            vectors["average"], vectors["average_state"] = self.average, self.average_state
        first_loss = self._first_loss if math.isfinite(self._first_loss) else None
        return Snapshot(self.step, self.epoch_loss, first_loss, vectors)

    def restore(self, snapshot: Snapshot) -> None:
        """Goes back, or forward, to a snapshot of a run on the same course, with the same recipe,
        data and seed.

        Raises:
            ValueError: its vectors are others, or of other shapes.
        """
        take_vectors(self.snapshot().vectors, snapshot.vectors)
        self.step, self.epoch_loss = snapshot.step, snapshot.epoch_loss
        self._first_loss = math.inf if snapshot.first_loss is None else snapshot.first_loss

    def epoch(self, report: StepReport) -> float:
        """One time through the data in a new order; the mean loss of its samples.

        What is done of an epoch that was interrupted is not done again.

        Args:
            report: called after each step with the samples done in this epoch and its mean loss.

        Raises:
            LossLeftBounds: at this step; its gradient has not touched the parameters.
        """
        first = self.step
        epoch, skipped = self.course.place(first)
        if not skipped:
            self.epoch_loss = 0.0
        order = counted_generator(self.seed, Purpose.SHUFFLE, epoch).permutation(self.samples)
        size = self.recipe.batch
        batches = [order[i : i + size] for i in range(skipped, len(order), size)]

        # What overflows leaves the bounds of the loss at the next step, and that is reported.
        @np.errstate(over="ignore", invalid="ignore")
        def program(member: Member) -> None:
            done = skipped
            for step, batch in enumerate(batches, start=first):
                for number in member.lanes:
                    self._add_up_gradients(number, step, batch)
                if member.number == 0:
                    self.ctrl_c.hold()
                member.wait()
                loss = sum(self._losses.tolist())
                self._check_bounds(step, loss / len(batch))
                self._update(step, member)
                if member.number == 0:
                    self._merge_statistics(step, len(batch))
                    self.step = step + 1
                    self.epoch_loss += loss
                member.wait()
                done += len(batch)
                # From here to its next `wait` nobody but the first member writes what a run is.
                if member.number == 0:
                    self.ctrl_c.release()
                    report(done, loss / len(batch))

        with opencv_on_one_thread() if self.recipe.varies else nullcontext():
            self._draw_negatives(epoch)
            self.crew.run(program)
        return self.epoch_loss / len(order)

    def _draw_negatives(self, epoch: int) -> None:
        """Puts an epoch's negatives behind the digits, labelled `NOT_A_DIGIT`."""
        digits, count = self.dataset, self.samples - len(self.dataset)
        if count and epoch != self._negatives_of:
            generator = counted_generator(self.seed, Purpose.NEGATIVES, epoch)
            drawn = negatives(count, generator, digits=digits.images, labels=digits.known_labels)
            self.images = np.concatenate([digits.images, drawn])
            none = np.full(count, NOT_A_DIGIT, np.uint8)
            self.labels = np.concatenate([digits.known_labels, none])
            self._negatives_of = epoch

    def _add_up_gradients(self, number: int, step: int, batch: NDArray[np.intp]) -> None:
        """Leaves in lane `number` its share of the gradient of the mean loss of `batch`."""
        recipe, lane = self.recipe, self._lanes[number]
        starts = range(0, len(batch), recipe.chunk)
        loss = 0.0
        if number >= len(starts):  # the last batch of an epoch may be short
            lane.gradient[:] = 0
        for index in range(number, len(starts), recipe.lanes):
            samples = batch[starts[index] : starts[index] + recipe.chunk]
            generator = functools.partial(counted_generator, self.seed, Purpose.CHUNK, index, step)
            first = index == number
            views = lane.views if first else lane.chunk_views
            images, labels = self.images[samples], self.labels[samples]
            if recipe.varies:
                drawn = counted_generator(self.seed, Purpose.AUGMENTATION, index, step)
                images = recipe.varied(images, labels, drawn)
            loss += self._take_chunk(lane, images, labels, len(batch), views, generator)
            self._statistics[index] = lane.statistics
            if not first:
                lane.gradient += lane.chunk_gradient
        self._losses[number] = loss

    def _take_chunk(
        self,
        lane: Lane,
        images: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        batch: int,
        gradients: Sequence[Views],
        generator: Callable[[], np.random.Generator],
    ) -> float:
        """Writes a chunk's share of the gradient of the batch's mean loss; returns its loss."""
        generator = functools.cache(generator)  # one for all layers, made when one asks
        for context in lane.contexts:
            context.generator = generator
        columns = images.transpose(1, 2, 0)  # (28, 28, N)
        logits, backward = self.network.forward(columns, lane.contexts)
        loss, d_logits = self.recipe.loss(logits, labels)
        d_logits /= batch
        backward(d_logits, gradients)
        return loss

    def _check_bounds(self, step: int, loss: float) -> None:
        if step == 0:
            self._first_loss = loss
        if not (math.isfinite(loss) and loss <= LOSS_LIMIT * max(self._first_loss, 1.0)):
            raise LossLeftBounds

    def _update(self, step: int, member: Member) -> None:
        """Moves a member's share of the parameters by the sum of the lanes' gradients."""
        size, blocks = self.network.parameters.size, member.share(len(self._squares))
        share = slice(blocks.start * BLOCK, min(blocks.stop * BLOCK, size))
        parameters = self.network.parameters[share]
        gradient = self._lanes[0].gradient[share]
        for lane in self._lanes[1:]:
            gradient += lane.gradient[share]
        if self.recipe.clip_norm is not None:
            self._clip(gradient, self.recipe.clip_norm, blocks, member)
        self.recipe.optimizer.step(
            parameters,
            gradient,
            self.memory[:, share],
            self._decay[share],
            rate=self.recipe.schedule(self.course.progress(step)),
            count=step + 1,
        )
        if self.average is not None:
            average = self.average[share]
            difference = np.subtract(parameters, average, out=gradient)
            difference *= 1 - self._decay_at(step)
            average += difference

    def _decay_at(self, step: int) -> float:
        """What the averages keep at a step. The first steps count for more, or they would long be
        those of random weights (the warm-up of TensorFlow's ExponentialMovingAverage).
        """
        return min(self.recipe.averaging, (1 + step) / (10 + step))

    def _clip(self, gradient: Array, limit: float, blocks: slice, member: Member) -> None:
        """Shortens a share of the gradient, if the whole has a length of more than `limit`."""
        if gradient.size:
            squares = np.square(gradient, dtype=np.float64)
            self._squares[blocks] = np.add.reduceat(squares, range(0, squares.size, BLOCK))
        member.wait()
        norm = math.sqrt(self._squares.sum())
        if norm > limit:
            gradient *= limit / norm

    def _merge_statistics(self, step: int, batch: int) -> None:
        """Moves the running statistics towards those of each chunk, in chunk order."""
        if not self.network.state.size:
            return
        for index, start in enumerate(range(0, batch, self.recipe.chunk)):
            size = min(self.recipe.chunk, batch - start)
            momentum = STATE_MOMENTUM * size / max(self.recipe.batch, size)
            self.network.state += momentum * (self._statistics[index] - self.network.state)
        if self.average is not None:
            step_share = 1 - self._decay_at(step)
            self.average_state += step_share * (self.network.state - self.average_state)


def take_vectors(own: Mapping[str, Array], given: Mapping[str, Array]) -> None:
    """Copies the arrays of `given` into those of `own`, which must have the same names and shapes.

    Raises:
        ValueError: they have not.
    """
    ours, theirs = (
        {name: f"{array.dtype} {array.shape}" for name, array in vectors.items()}
        for vectors in (own, given)
    )
    if ours != theirs:
        raise ValueError(f"expected the vectors {ours}, got {theirs}")
    for name, array in own.items():
        array[...] = given[name]
