"""A step depends on the data, the recipe and its own number; how it is computed, on nothing."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from circumstances import needs_blas_in_hand
from inkdigits.dataset import Dataset
from inkdigits.network import (
    SGD,
    BatchNorm,
    Context,
    Dense,
    Dropout,
    Flatten,
    Layer,
    Network,
    Rescale,
    SoftmaxCrossEntropy,
    he,
)
from inkdigits.network.layers import Array, Backward, Shape, Stateless, Views
from inkdigits.parallel import Crew
from inkdigits.training import Recipe
from inkdigits.training.loop import LossLeftBounds, Trainer
from inkdigits.training.randomness import Purpose, counted_generator
from inkdigits.training.schedules import OneCycle

pytestmark = pytest.mark.serial  # training forks, where it may

THREADS = [1, 2, 3]


def begun(
    recipe: Recipe,
    dataset: Dataset,
    *,
    threads: int = 1,
    epochs: int = 2,
    seed: int = 1,
    kind: str = "float32",
) -> Trainer:
    """A trainer before its first step."""
    network = Network(recipe.layers, dtype=kind)
    network.initialise(counted_generator(seed, Purpose.WEIGHTS), he)
    crew = Crew(recipe.lanes, threads)
    return Trainer(recipe, network, dataset, seed=seed, epochs=epochs, crew=crew)


def unheard(done: int, loss: float | None) -> None:
    """A report that nobody reads."""


def bits(trainer: Trainer) -> tuple[bytes, ...]:
    """All that a run is, as bytes."""
    network = trainer.network
    return network.parameters.tobytes(), network.state.tobytes(), trainer.memory.tobytes()


@dataclass(frozen=True)
class Centre(Stateless):
    """A test's layer with statistics: x less the mean of its chunk; later, less the running one."""

    features: int

    @property
    def state_shapes(self) -> Mapping[str, Shape]:
        return {"mean": (self.features,)}

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        mean = x.mean(axis=1)
        context.statistics["mean"][:] = mean

        def backward(dy: Array, gradients: Views) -> Array:
            dx: Array = dy - dy.mean(axis=1, keepdims=True)
            return dx

        return x - mean[:, np.newaxis], backward

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        y: Array = x - state["mean"][:, np.newaxis]
        return y


@dataclass(frozen=True)
class Watched(Stateless):
    """A test's layer that writes down each chunk's pixels and a number its generator gives."""

    chunks: list[Array] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        self.chunks.append(x.copy())
        self.numbers.append(context.generator().random())
        return x, lambda dy, gradients: dy

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        return x


def with_statistics(tiny: Recipe) -> Recipe:
    """The tiny recipe with running statistics before and after the first weights."""
    return replace(
        tiny, layers=(*tiny.layers[:3], Centre(196), tiny.layers[3], Centre(16), *tiny.layers[4:])
    )


@needs_blas_in_hand
def test_any_number_of_threads_gives_the_same_bits(tiny: Recipe, digits: Dataset) -> None:
    """Weights, statistics, memory, losses and reports, with Dropout and chunks of unequal size."""
    found = []
    for threads in THREADS:
        trainer = begun(with_statistics(tiny), digits, threads=threads)
        assert trainer.crew.threads == threads
        reports: list[tuple[int, float | None]] = []
        losses = [trainer.epoch(lambda *report, to=reports: to.append(report)) for _ in range(2)]
        found.append((bits(trainer), losses, reports))
    assert found[0] == found[1] == found[2]
    assert np.isfinite(found[0][1]).all()


@needs_blas_in_hand
@pytest.mark.parametrize("threads", THREADS)
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    tiny: Recipe, digits: Dataset, threads: int
) -> None:
    """With nothing carried over but the vectors and the number of steps done."""
    recipe = replace(with_statistics(tiny), schedule=OneCycle(0.02))
    whole = begun(recipe, digits, epochs=3)
    losses = [whole.epoch(unheard) for _ in range(3)]

    before = begun(recipe, digits, epochs=3)
    assert before.epoch(unheard) == losses[0]
    after = begun(recipe, digits, epochs=3, threads=threads)
    after.network.parameters[:] = before.network.parameters
    after.network.state[:] = before.network.state
    after.memory[:] = before.memory
    after.step = before.step
    assert [after.epoch(unheard) for _ in range(2)] == losses[1:]
    assert bits(after) == bits(whole)
    assert after.step == whole.step == whole.course.steps == 3 * 4


def plain_network(kind: str = "float32", *last: Layer) -> tuple[Layer, ...]:
    """Pixels to logits without chance."""
    return (Rescale(1 / 255, dtype=kind), Flatten(), Dense(784, 12), *last, Dense(12, 10))


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("chunk", [1, 7, 100, 330, 1000])
def test_a_step_follows_the_gradient_of_the_mean_loss_however_it_is_cut(
    tiny: Recipe, digits: Dataset, chunk: int, threads: int
) -> None:
    """Against the network's own gradient on the whole batch; 1e-12, as all is float64."""
    recipe = replace(
        tiny,
        layers=plain_network("float64"),
        optimizer=SGD(),
        schedule=lambda progress: 1.0,
        batch=330,
        chunk=chunk,
    )
    trainer = begun(recipe, digits, threads=threads, kind="float64")
    start = trainer.network.parameters.copy()
    logits, backward = trainer.network.forward(
        digits.images.transpose(1, 2, 0), trainer.network.contexts()
    )
    total, d_logits = SoftmaxCrossEntropy()(logits, digits.known_labels)
    gradient = np.full_like(start, np.nan)
    backward(d_logits / 330, trainer.network.views(gradient))

    assert trainer.epoch(unheard) == pytest.approx(total / 330, rel=1e-12)
    assert np.abs(gradient).max() > 0.01
    np.testing.assert_allclose(start - trainer.network.parameters, gradient, atol=1e-12)


def test_in_float32_chunks_change_the_gradient_by_rounding_alone(
    tiny: Recipe, digits: Dataset
) -> None:
    """1e-6 of gradients below 1: sums of 330 terms of 6e-8 precision each, averaged."""
    gradients = []
    for chunk in (330, 32):
        recipe = replace(
            tiny,
            layers=plain_network(),
            optimizer=SGD(),
            schedule=lambda progress: 1.0,
            batch=330,
            chunk=chunk,
        )
        trainer = begun(recipe, digits)
        trainer.network.parameters *= 0.01  # so that little is lost in start − end below
        start = trainer.network.parameters.copy()
        trainer.epoch(unheard)
        gradients.append(start - trainer.network.parameters)
    assert 0.01 < np.abs(gradients[0]).max() < 1
    np.testing.assert_allclose(*gradients, atol=1e-6)


def test_the_loss_of_an_epoch_is_the_mean_over_samples_and_not_over_batches(
    tiny: Recipe, digits: Dataset
) -> None:
    """At a rate of 0 it is that of the network as it stands. The last batch has 30 of the 330.

    1e-6: float32. The mean of the batches' means would be off by 1e-3 or more here.
    """
    recipe = replace(tiny, layers=plain_network(), optimizer=SGD(), schedule=lambda progress: 0.0)
    trainer = begun(recipe, digits)
    reports: list[tuple[int, float]] = []
    found = trainer.epoch(lambda done, loss: reports.append((done, loss or 0.0)))
    logits = trainer.network.predict(digits.images.transpose(1, 2, 0))
    total, _ = SoftmaxCrossEntropy()(logits, digits.known_labels)
    assert found == pytest.approx(total / 330, rel=1e-6)
    assert [done for done, _ in reports] == [100, 200, 300, 330]
    means = [loss for _, loss in reports]
    assert np.average(means, weights=[100, 100, 100, 30]) == pytest.approx(found, rel=1e-12)
    assert abs(np.mean(means) - found) > 1e-3 * found


def numbered(count: int) -> Dataset:
    """Blank pictures that carry their own number in the first two pixels."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(count), 256)
    return Dataset(images, np.arange(count) % 10)


def orders(recipe: Recipe, *, seed: int) -> list[list[int]]:
    """Which pictures went through the network in each of two epochs, chunk after chunk."""
    watched = Watched()
    recipe = replace(recipe, layers=(watched, *plain_network()), lanes=1)
    trainer = begun(recipe, numbered(330), seed=seed)
    found = []
    for _ in range(2):
        watched.chunks.clear()
        trainer.epoch(unheard)
        assert [x.shape[-1] for x in watched.chunks] == [32, 32, 32, 4] * 3 + [30]
        found.append([int(n) for x in watched.chunks for n in 256 * x[0, 0].astype(int) + x[0, 1]])
    return found


def test_an_epoch_sees_every_sample_once_in_an_order_of_seed_and_epoch(tiny: Recipe) -> None:
    first, second = orders(tiny, seed=1)
    assert sorted(first) == sorted(second) == list(range(330))
    assert list(range(330)) != first != second != list(range(330))
    assert orders(tiny, seed=1) == [first, second]
    assert orders(tiny, seed=2)[0] != first


def test_each_chunk_of_each_step_draws_its_own_numbers_whoever_works_on_it(
    tiny: Recipe, digits: Dataset
) -> None:
    found = []
    for threads in THREADS:
        watched = Watched()
        recipe = replace(tiny, layers=(watched, *plain_network()))
        trainer = begun(recipe, digits, threads=threads)
        trainer.epoch(unheard)
        trainer.epoch(unheard)
        found.append(sorted(watched.numbers))  # threads may come in any order
    assert found[0] == found[1] == found[2]
    assert len(set(found[0])) == 2 * (4 + 4 + 4 + 1)


def test_layers_of_one_chunk_draw_one_after_the_other(tiny: Recipe, digits: Dataset) -> None:
    """Two layers with the same generator must not have the same mask."""
    first, second = Watched(), Watched()
    trainer = begun(replace(tiny, layers=(first, second, *plain_network())), digits)
    trainer.epoch(unheard)
    assert not set(first.numbers) & set(second.numbers)


def test_running_statistics_move_by_a_chunks_share_of_a_tenth_in_their_order(
    tiny: Recipe, digits: Dataset
) -> None:
    """Against a plain loop over the chunks; 1e-5: float32 means of numbers up to 1."""
    recipe = replace(tiny, layers=(Rescale(1 / 255), Flatten(), Centre(784), Dense(784, 10)))
    expected = np.zeros(784)
    for epoch in range(2):
        order = counted_generator(1, Purpose.SHUFFLE, epoch).permutation(330)
        for batch in np.split(order, [100, 200, 300]):
            for chunk in np.split(batch, range(32, len(batch), 32)):
                mean = digits.images[chunk].reshape(len(chunk), 784).mean(axis=0) / 255
                expected += 0.1 * len(chunk) / 100 * (mean - expected)
    found = []
    for threads in THREADS:
        trainer = begun(recipe, digits, threads=threads)
        trainer.epoch(unheard)
        trainer.epoch(unheard)
        np.testing.assert_allclose(trainer.network.state, expected, atol=1e-5)
        found.append(trainer.network.state.tobytes())
    assert found[0] == found[1] == found[2]
    assert expected.max() > 0.1


@dataclass(frozen=True)
class Noted:
    """A test's optimizer that moves nothing and writes down what it was asked."""

    calls: list[dict[str, Any]] = field(default_factory=list)

    slots: ClassVar[int] = 1

    def step(
        self,
        parameters: Array,
        gradient: Array,
        memory: Array,
        decay: Array,
        *,
        rate: float,
        count: int,
    ) -> None:
        assert parameters.shape == gradient.shape == memory[0].shape == decay.shape
        self.calls.append({"rate": rate, "count": count, "decay": decay.sum()})


@pytest.mark.parametrize("threads", THREADS)
def test_the_optimizer_is_told_the_step_and_the_schedule_the_share_that_is_done(
    tiny: Recipe, digits: Dataset, threads: int
) -> None:
    noted = Noted()
    recipe = replace(tiny, optimizer=noted, schedule=lambda progress: progress)
    trainer = begun(recipe, digits, threads=threads)
    trainer.epoch(unheard)
    trainer.epoch(unheard)
    assert trainer.step == 8
    calls = [[call for call in noted.calls if call["count"] == count] for count in range(1, 9)]
    for step, shares in enumerate(calls):
        assert [call["rate"] for call in shares] == [step / 8] * threads
        assert sum(call["decay"] for call in shares) == 196 * 16 + 16 * 10


def losing(*means: float) -> Callable[[Array, Array], tuple[float, Array]]:
    """A loss that has these means, batch after batch, and whose gradient is 1 everywhere."""
    left = list(means)

    def loss(logits: Array, labels: Array) -> tuple[float, Array]:
        return left.pop(0) * len(labels), np.ones_like(logits)

    return loss


def with_loss(tiny: Recipe, *means: float) -> Recipe:
    """The tiny recipe with such a loss, a batch a chunk, and steps that leave traces."""
    return replace(tiny, loss=losing(*means), chunk=100, lanes=1, optimizer=SGD())


@pytest.mark.parametrize(
    "means",
    [
        [math.nan],
        [math.inf],
        [2.0, math.nan],
        [2.0, math.inf],
        [2.0, -math.inf],
        [2.0, 2.0, 201.0],
        [0.001, 0.001, 0.001, 101.0],
    ],
)
def test_a_loss_out_of_bounds_stops_the_run_before_it_moves_a_weight(
    tiny: Recipe, digits: Dataset, means: list[float]
) -> None:
    good = len(means) - 1
    reports: list[int] = []
    trainer = begun(with_loss(tiny, *means), digits)
    with pytest.raises(LossLeftBounds):
        trainer.epoch(lambda done, _: reports.append(done))
    assert trainer.step == len(reports) == good
    # The steps before it, and no other, are in the weights: the same steps without a bad one.
    fine = begun(with_loss(tiny, *means[:good], *[2.0] * 4), digits)
    weights = [fine.network.parameters.copy()]
    fine.epoch(lambda *_: weights.append(fine.network.parameters.copy()))
    assert np.array_equal(trainer.network.parameters, weights[good])
    assert not np.array_equal(weights[good], weights[good + 1])


@pytest.mark.parametrize("means", [[2.0, 199.0, 2.0, 199.0], [1e-6, 0.1, 3.0, 99.0]])
def test_a_loss_within_bounds_goes_on(tiny: Recipe, digits: Dataset, means: list[float]) -> None:
    """A start that is nearly perfect is no reason to call a single misread digit divergence."""
    trainer = begun(with_loss(tiny, *means), digits)
    assert trainer.epoch(unheard) == pytest.approx(np.average(means, weights=[100] * 3 + [30]))


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("rate", [1e4, 1e30, 1e300])
def test_too_high_a_rate_stops_every_thread_without_a_warning(
    tiny: Recipe, digits: Dataset, threads: int, rate: float
) -> None:
    """NumPy's warnings are errors here; divergence is what the guard is for, and it says so."""
    recipe = replace(tiny, optimizer=SGD(momentum=0.9), schedule=lambda progress: rate)
    trainer = begun(recipe, digits, threads=threads)
    with pytest.raises(LossLeftBounds):
        trainer.epoch(unheard)
    assert 1 <= trainer.step <= 2


@pytest.mark.parametrize("threads", THREADS)
def test_a_trainer_that_was_interrupted_can_go_on(
    tiny: Recipe, digits: Dataset, threads: int
) -> None:
    """It does the rest of the epoch, and then all of the next, with the bits of an unbroken run."""

    def interrupt(done: int, loss: float | None) -> None:
        raise KeyboardInterrupt

    trainer = begun(tiny, digits, threads=threads)
    with pytest.raises(KeyboardInterrupt):
        trainer.epoch(interrupt)
    assert trainer.step == 1
    done: list[int] = []
    losses = [trainer.epoch(lambda count, _: done.append(count)) for _ in range(2)]
    assert done == [200, 300, 330, 100, 200, 300, 330]
    whole = begun(tiny, digits, threads=threads)
    assert losses == [whole.epoch(unheard) for _ in range(2)]
    assert bits(trainer) == bits(whole)


def test_dropout_is_at_work_in_training(tiny: Recipe, digits: Dataset) -> None:
    without = tuple(layer for layer in tiny.layers if not isinstance(layer, Dropout))
    one, other = begun(tiny, digits), begun(replace(tiny, layers=without), digits)
    assert one.epoch(unheard) != other.epoch(unheard)
    assert not np.array_equal(one.network.parameters, other.network.parameters)


# Averages


@pytest.mark.parametrize("threads", THREADS)
def test_the_average_follows_the_weights_and_faster_at_the_beginning(
    tiny: Recipe, digits: Dataset, threads: int
) -> None:
    """Against a plain loop over the weights after each step; 1e-6: float32 numbers below 1."""
    trainer = begun(replace(tiny, averaging=0.5), digits, threads=threads)
    plain = begun(tiny, digits)
    expected = [plain.network.parameters.astype(float)]
    steps = [0]

    def average(done: int, loss: float | None) -> None:
        decay = min(0.5, (1 + steps[0]) / (10 + steps[0]))
        expected[0] = decay * expected[0] + (1 - decay) * plain.network.parameters
        steps[0] += 1

    for _ in range(3):  # the limit of 0.5 is reached after 8 of 12 steps
        plain.epoch(average)
        trainer.epoch(unheard)
    assert np.array_equal(trainer.network.parameters, plain.network.parameters)
    assert trainer.weights[0] is trainer.average
    np.testing.assert_allclose(trainer.weights[0], expected[0], atol=1e-6)
    assert np.abs(trainer.weights[0] - trainer.network.parameters).max() > 1e-3
    assert plain.weights[0] is plain.network.parameters
    assert plain.weights[1] is plain.network.state


def test_running_statistics_are_averaged_with_the_weights(tiny: Recipe, digits: Dataset) -> None:
    """Or the model would normalise what its averaged weights never gave; 1e-6: float32."""
    layers = (Rescale(1 / 255), Flatten(), BatchNorm(784), Dense(784, 10))
    plain = begun(replace(tiny, layers=layers), digits)
    trainer = begun(replace(tiny, layers=layers, averaging=0.5), digits, threads=1)
    expected = [plain.network.state.astype(float)]

    def average(done: int, loss: float | None) -> None:
        decay = min(0.5, plain.step / (9 + plain.step))
        expected[0] = decay * expected[0] + (1 - decay) * plain.network.state

    plain.epoch(average)
    trainer.epoch(unheard)
    np.testing.assert_allclose(trainer.weights[1], expected[0], atol=1e-6)
    assert np.abs(trainer.weights[1] - trainer.network.state).max() > 1e-3


# Clipping


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("limit", [1e-3, 0.1, 1e9])
def test_a_longer_gradient_is_shortened_to_the_limit_and_keeps_its_direction(
    tiny: Recipe, digits: Dataset, threads: int, limit: float
) -> None:
    """1e-5 of its length: the start less the end of float32 weights, of 1 and less."""
    recipe = replace(
        tiny,
        layers=plain_network("float64"),
        optimizer=SGD(),
        schedule=lambda progress: 1.0,
        batch=330,
    )
    moves = []
    for clip in (None, limit):
        trainer = begun(replace(recipe, clip_norm=clip), digits, threads=threads, kind="float64")
        start = trainer.network.parameters.copy()
        trainer.epoch(unheard)
        moves.append(start - trainer.network.parameters)
    free, clipped = moves
    length = np.linalg.norm(free)
    assert length > 0.2
    np.testing.assert_allclose(clipped, free * min(1, limit / length), atol=1e-12)


@needs_blas_in_hand
def test_averages_and_clipped_steps_are_the_same_bits_for_any_number_of_threads(
    tiny: Recipe, digits: Dataset
) -> None:
    found = []
    recipe = replace(with_statistics(tiny), averaging=0.9, clip_norm=0.3, lanes=5)
    for threads in (1, 2, 3, 5):
        trainer = begun(recipe, digits, threads=threads)
        trainer.epoch(unheard)
        trainer.epoch(unheard)
        # The sums as well: rounded to float32 they hide an order that depends on the workers.
        found.append((bits(trainer), trainer.weights[0].tobytes(), trainer._squares.tobytes()))
    assert found[0] == found[1] == found[2] == found[3]


# Ctrl-C


@dataclass(frozen=True)
class Pressing:
    """A test's optimizer: SGD, and Ctrl-C at these steps, in the midst of the update."""

    steps: list[int]

    slots: ClassVar[int] = 1

    def step(self, parameters: Array, *rest: Array, rate: float, count: int) -> None:
        half = parameters.size // 2
        SGD().step(parameters[:half], *(v[..., :half] for v in rest), rate=rate, count=count)
        while self.steps and self.steps[0] == count:
            self.steps.pop(0)
            signal.raise_signal(signal.SIGINT)
        SGD().step(parameters[half:], *(v[..., half:] for v in rest), rate=rate, count=count)


def test_ctrl_c_within_an_update_waits_for_its_end(tiny: Recipe, digits: Dataset) -> None:
    recipe = replace(tiny, optimizer=SGD(), lanes=1)
    trainer = begun(replace(recipe, optimizer=Pressing([2])), digits)
    with trainer.ctrl_c.handled(), pytest.raises(KeyboardInterrupt):
        trainer.epoch(unheard)
    assert not trainer.ctrl_c.held
    assert trainer.step == 2
    whole = begun(recipe, digits)
    losses = [whole.epoch(unheard) for _ in range(2)]
    assert [trainer.epoch(unheard) for _ in range(2)] == losses  # and it can go on
    assert bits(trainer) == bits(whole)


def test_the_second_ctrl_c_in_a_row_ends_at_once(tiny: Recipe, digits: Dataset) -> None:
    recipe = replace(tiny, optimizer=Pressing([2, 2]), lanes=1)
    trainer = begun(recipe, digits)
    with trainer.ctrl_c.handled(), pytest.raises(KeyboardInterrupt):
        trainer.epoch(unheard)
    assert trainer.ctrl_c.held
    assert trainer.step == 1


def test_ctrl_c_is_pythons_own_again_after_the_run(tiny: Recipe, digits: Dataset) -> None:
    before = signal.getsignal(signal.SIGINT)
    trainer = begun(tiny, digits)
    with trainer.ctrl_c.handled():
        assert (signal.getsignal(signal.SIGINT) is before) is (
            before is not signal.default_int_handler
        )
    assert signal.getsignal(signal.SIGINT) is before
