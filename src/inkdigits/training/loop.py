"""The loop: batches → chunks → gradients → one step on the flat vector of parameters.

`Trainer` does it for every recipe but the post's own, whose `ClassicTrainer` lets `classic.Network`
do it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from inkdigits.classic import Network as ClassicNetwork
from inkdigits.dataset import DIGITS, SIDE, Dataset
from inkdigits.network import Network
from inkdigits.network.layers import Array, Views
from inkdigits.parallel import Crew, Member
from inkdigits.training.randomness import Purpose, counted_generator
from inkdigits.training.recipes import ClassicRecipe, Recipe

__all__ = ["ClassicTrainer", "LossLeftBounds", "StepReport", "Trainer"]

StepReport = Callable[[int, float | None], None]

STATE_MOMENTUM = 0.1  # the weight of a chunk's statistics in the running ones
# Times the first step's loss, or 1 where that is less (a good start does not make one misread digit
# a divergence): beyond, nothing is being learned any more.
LOSS_LIMIT = 100.0


class LossLeftBounds(Exception):
    """The loss of a step is infinite, no number, or `LOSS_LIMIT` times that of the first step."""


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

    A step depends on these, the data and the recipe alone: random numbers are counted (see
    `randomness`), so it does not matter how the run came to this step.

    Args:
        recipe: what decides the outcome.
        network: what learns; its `parameters` and `state` are moved in place.
        dataset: labelled digits to learn from.
        seed: of all random numbers.
        epochs: of the whole run; the schedule ends with it.
        crew: the workers, of `recipe.lanes` lanes.
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
        self.images = dataset.images
        self.labels = dataset.known_labels
        self.seed = seed
        self.crew = crew
        self.steps_per_epoch = math.ceil(len(dataset) / recipe.batch)
        self.steps = epochs * self.steps_per_epoch
        self.step = 0
        self._decay = network.decay_mask()
        size, chunks = network.parameters.size, math.ceil(recipe.batch / recipe.chunk)
        # What one member of the crew writes and another reads lies in memory that they share.
        network.move_to(crew.shared((size,), network.dtype))
        self.memory = crew.shared((recipe.optimizer.slots, size), network.dtype)
        self._lanes = [
            Lane(network, crew.shared((size,), network.dtype)) for _ in range(recipe.lanes)
        ]
        self._losses = crew.shared((recipe.lanes,), np.float64)
        self._statistics = crew.shared((chunks, network.state.size), network.dtype)
        self._first_loss = math.inf

    def epoch(self, report: StepReport) -> float:
        """One time through the data in a new order; the mean loss of its samples.

        Args:
            report: called after each step with the samples done in this epoch and its mean loss.

        Raises:
            LossLeftBounds: at this step; its gradient has not touched the parameters.
        """
        first = self.step
        epoch = first // self.steps_per_epoch
        order = counted_generator(self.seed, Purpose.SHUFFLE, epoch).permutation(len(self.labels))
        batches = [
            order[i : i + self.recipe.batch] for i in range(0, len(order), self.recipe.batch)
        ]
        total = 0.0

        # What overflows leaves the bounds of the loss at the next step, and that is reported.
        @np.errstate(over="ignore", invalid="ignore")
        def program(member: Member) -> None:
            nonlocal total
            done = 0
            for step, batch in enumerate(batches, start=first):
                for number in member.lanes:
                    self._add_up_gradients(number, step, batch)
                member.wait()
                loss = sum(self._losses.tolist())
                self._check_bounds(step, loss / len(batch))
                self._update(step, member.share(self.network.parameters.size))
                if member.number == 0:
                    self._merge_statistics(len(batch))
                    self.step = step + 1
                    total += loss
                member.wait()
                done += len(batch)
                if member.number == 0:
                    report(done, loss / len(batch))

        self.crew.run(program)
        return total / len(order)

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
            loss += self._take_chunk(lane, samples, len(batch), views, generator)
            self._statistics[index] = lane.statistics
            if not first:
                lane.gradient += lane.chunk_gradient
        self._losses[number] = loss

    def _take_chunk(
        self,
        lane: Lane,
        samples: NDArray[np.intp],
        batch: int,
        gradients: Sequence[Views],
        generator: Callable[[], np.random.Generator],
    ) -> float:
        """Writes a chunk's share of the gradient of the batch's mean loss; returns its loss."""
        generator = functools.cache(generator)  # one for all layers, made when one asks
        for context in lane.contexts:
            context.generator = generator
        columns = self.images[samples].transpose(1, 2, 0)  # (28, 28, N)
        logits, backward = self.network.forward(columns, lane.contexts)
        loss, d_logits = self.recipe.loss(logits, self.labels[samples])
        d_logits /= batch
        backward(d_logits, gradients)
        return loss

    def _check_bounds(self, step: int, loss: float) -> None:
        if step == 0:
            self._first_loss = loss
        if not (math.isfinite(loss) and loss <= LOSS_LIMIT * max(self._first_loss, 1.0)):
            raise LossLeftBounds

    def _update(self, step: int, share: slice) -> None:
        """Moves a share of the parameters by the sum of the lanes' gradients."""
        gradient = self._lanes[0].gradient[share]
        for lane in self._lanes[1:]:
            gradient += lane.gradient[share]
        self.recipe.optimizer.step(
            self.network.parameters[share],
            gradient,
            self.memory[:, share],
            self._decay[share],
            rate=self.recipe.schedule(step / self.steps),
            count=step + 1,
        )

    def _merge_statistics(self, batch: int) -> None:
        """Moves the running statistics towards those of each chunk, in chunk order."""
        for statistics in self._statistics[: math.ceil(batch / self.recipe.chunk)]:
            self.network.state += STATE_MOMENTUM * (statistics - self.network.state)


class ClassicTrainer:
    """The post's training, on the weights of a network of layers.

    Args:
        recipe: the post's.
        network: two dense layers without bias, whose weights learn.
        dataset: labelled digits to learn from, in their order.
        seed: of `numpy.random.RandomState`, as the post's `numpy.random.seed`; None to go on from
            the weights in `network`.
    """

    def __init__(
        self, recipe: ClassicRecipe, network: Network, dataset: Dataset, *, seed: int | None
    ) -> None:
        self.network = network
        self.dataset = dataset
        self.step = 0
        rng = np.random.RandomState(seed)
        self.classic = ClassicNetwork(SIDE * SIDE, recipe.hidden, DIGITS, recipe.rate, rng=rng)
        wih, who = (own["weight"] for own in network.views(network.parameters) if own)
        if seed is not None:
            wih[:], who[:] = self.classic.wih, self.classic.who
        self.classic.wih, self.classic.who = wih, who  # one memory: what one learns, both know

    def epoch(self, report: StepReport) -> float:
        """One time through the data; the mean loss ½ Σ (target − output)² of its samples.

        Args:
            report: called now and then with the samples done; the loss comes at the end alone.

        Raises:
            LossLeftBounds: the weights are no numbers any more.
        """
        before = self.step

        def after_block(done: int, total: int) -> None:
            self.step = before + done
            if not np.isfinite(self.classic.who).all():
                raise LossLeftBounds
            report(done, None)

        with np.errstate(over="ignore", invalid="ignore"):  # the weights tell
            return self.classic.fit(self.dataset, report=after_block)
