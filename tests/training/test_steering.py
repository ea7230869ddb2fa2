"""A run can be paused, changed and stopped between any two steps, and is as repeatable as ever."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import inkdigits.training.under_way
from circumstances import needs_blas_in_hand
from inkdigits.classic import Network as ClassicNetwork
from inkdigits.dataset import Dataset
from inkdigits.errors import Interrupted, ModelError, TrainingError
from inkdigits.formats import load_model, save_model
from inkdigits.model import Model
from inkdigits.network import BatchNorm, Dense, Flatten, Layer, Rescale
from inkdigits.network.layers import Array, Backward, Shape, Stateless, Views
from inkdigits.parallel import Crew
from inkdigits.training import (
    STOP,
    Augmentation,
    Change,
    Checkpoints,
    ClassicRecipe,
    Progress,
    Recipe,
    Steering,
    load_checkpoint,
    train,
)
from inkdigits.training.course import Course
from inkdigits.training.loop import Trainer
from inkdigits.training.randomness import Purpose, counted_generator
from inkdigits.training.schedules import Constant, OneCycle
from inkdigits.training.steering import Stop

pytestmark = pytest.mark.serial  # training forks, where it may


SEED = 3
CLASSIC = ClassicRecipe(name="c", purpose="", hidden=20, rate=0.1, epochs=2)
HAND = Augmentation(shift=1.5, rotation_degrees=10)

Decision = Change | Stop | None


class Hand:
    """Takes the wheel after certain steps, and decides there what it was told to."""

    def __init__(self, plan: Mapping[int, Decision]) -> None:
        self.plan = dict(plan)
        self.asked: list[Progress] = []
        self.decided: list[Progress] = []

    def wants_the_wheel(self, progress: Progress) -> bool:
        self.asked.append(progress)
        return progress.step in self.plan

    def decide(self, progress: Progress) -> Decision:
        self.decided.append(progress)
        return self.plan.pop(progress.step)


@pytest.fixture
def rich(tiny: Recipe) -> Recipe:
    """All that a run can carry from step to step: statistics, average, clipping, a schedule.

    With the 330 digits an epoch has 4 steps, after 100, 200, 300 and 330 of them.
    """
    layers = (*tiny.layers[:5], BatchNorm(16), *tiny.layers[5:])
    return replace(
        tiny, layers=layers, schedule=OneCycle(0.02), averaging=0.9, clip_norm=1.0, negatives=0.0
    )


@pytest.fixture(params=["processes", "threads"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both kinds of crew, where there are both."""
    if request.param == "threads":
        monkeypatch.setattr(inkdigits.training.under_way, "training_crew", Crew)


def losses(model: Model) -> list[float]:
    return [record["loss"] for record in model.card.history]


def same(one: Model, other: Model) -> bool:
    return (one.fingerprint, losses(one)) == (other.fingerprint, losses(other))


CHANGES = {
    "rate": Change(rate=0.003),
    "batch": Change(batch=37),
    "augmentation": Change(augmentation=HAND),
    "epochs": Change(epochs=3),
    "all": Change(rate=0.003, batch=150, augmentation=HAND, epochs=3),
}
each_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


# The same bits


@needs_blas_in_hand
@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_pause_changes_no_bit(rich: Recipe, digits: Dataset, threads: int) -> None:
    """Before the first step, within epochs, between them, and before the end."""
    whole = train(rich, digits, seed=SEED, threads=1)
    hand = Hand(dict.fromkeys((0, 1, 3, 4, 6, 7, 8)))
    model = train(rich, digits, seed=SEED, threads=threads, steering=hand)
    assert len(hand.decided) == 7
    assert same(model, whole)
    assert model.card.changes == []


def test_whoever_decides_is_alone(rich: Recipe, digits: Dataset) -> None:
    """While it is asked the crew waits; when it decides all processes are gone."""
    task = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    if not task.exists():
        pytest.skip("this system does not tell a process's children")

    class Counting(Hand):
        def wants_the_wheel(self, progress: Progress) -> bool:
            seen.append(len(task.read_text().split()))
            return super().wants_the_wheel(progress)

        def decide(self, progress: Progress) -> Decision:
            assert not task.read_text().split()
            return super().decide(progress)

    seen: list[int] = []
    hand = Counting({1: None, 6: None})
    train(rich, digits, threads=2, steering=hand)
    assert len(hand.decided) == 2
    assert seen == [0, 1, 1, 1, 0, 1, 1, 1, 0]


@pytest.mark.slow
@needs_blas_in_hand
@pytest.mark.usefixtures("kind")
@each_change
def test_a_steered_run_has_the_same_bits_for_any_number_of_threads(
    rich: Recipe, digits: Dataset, change: Change
) -> None:
    models = [
        train(
            rich,
            digits,
            seed=SEED,
            threads=threads,
            steering=Hand({2: change, 5: Change(rate=0.01), 6: Change(batch=64)}),
        )
        for threads in (1, 2, 3)
    ]
    assert same(models[0], models[1])
    assert same(models[0], models[2])
    assert models[0].card.changes == models[1].card.changes
    assert not same(models[0], train(rich, digits, seed=SEED))


@needs_blas_in_hand
def test_both_kinds_of_crew_have_the_same_bits(
    rich: Recipe, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = {2: CHANGES["all"], 4: Change(batch=20)}
    forked = train(rich, digits, seed=SEED, threads=2, steering=Hand(plan))
    monkeypatch.setattr(inkdigits.training.under_way, "training_crew", Crew)
    assert same(forked, train(rich, digits, seed=SEED, threads=2, steering=Hand(plan)))


@pytest.mark.slow
@needs_blas_in_hand
@each_change
def test_a_change_before_the_first_step_is_a_recipe_of_its_own(
    rich: Recipe, digits: Dataset, change: Change
) -> None:
    steered = train(rich, digits, seed=SEED, steering=Hand({0: change}))
    assert same(steered, train(change.changed(rich), digits, seed=SEED))


@needs_blas_in_hand
def test_a_rate_holds_from_its_step_to_the_end(rich: Recipe, digits: Dataset) -> None:
    def schedule(progress: float) -> float:
        return OneCycle(0.02)(progress) if progress < 3 / 8 else 0.004

    expected = train(replace(rich, schedule=schedule), digits, seed=SEED)
    hand = Hand({3: Change(rate=0.004)})
    assert same(train(rich, digits, seed=SEED, steering=hand), expected)
    assert [at.rate for at in hand.asked if at.step > 3] == [0.004] * 5


# Killed and gone on with


def every_step(folder: Path) -> Checkpoints:
    return Checkpoints(folder=folder, every_steps=1, keep=99, warn=pytest.fail)


@pytest.mark.slow
@needs_blas_in_hand
@each_change
def test_a_steered_run_goes_on_from_any_step_as_if_it_had_not_been_interrupted(
    rich: Recipe, digits: Dataset, tmp_path: Path, change: Change
) -> None:
    """The changes that were made are in the checkpoint, and those still to come are made again."""
    plan = {2: change, 4: Change(batch=60), 7: Change(rate=0.001)}
    folder = tmp_path / "checkpoints"
    whole = train(
        rich, digits, seed=SEED, steering=Hand(plan), checkpoints=every_step(folder), threads=1
    )
    files = sorted(folder.iterdir())
    assert len(files) > 9
    for file in files:
        resume = load_checkpoint(file)
        step = resume.snapshot.step
        assert [record["step"] for record in resume.card.changes] == [s for s in plan if s <= step]
        hand = Hand({s: decision for s, decision in plan.items() if s > step})
        model = train(rich, digits, seed=SEED, threads=2, steering=hand, resume=resume)
        assert same(model, whole)
        assert model.card.changes == whole.card.changes
        if not hand.plan and step >= 7:  # nobody needs to be there
            assert same(train(rich, digits, seed=SEED, resume=resume), whole)


@needs_blas_in_hand
def test_a_run_that_is_killed_right_after_a_change_has_not_lost_it(
    rich: Recipe, digits: Dataset, tmp_path: Path
) -> None:
    """Also without any other checkpoint: one is left whenever the wheel is taken."""

    class Dying(Hand):
        def wants_the_wheel(self, progress: Progress) -> bool:
            if progress.step == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().wants_the_wheel(progress)

    if not hasattr(os, "fork"):
        pytest.skip("this system forks no processes")
    plan = {2: Change(batch=50, epochs=3)}
    whole = train(rich, digits, seed=SEED, steering=Hand(plan))
    checkpoints = Checkpoints(folder=tmp_path / "c", warn=pytest.fail)
    process = os.fork()
    if process == 0:
        train(rich, digits, seed=SEED, threads=1, steering=Dying(plan), checkpoints=checkpoints)
        os._exit(0)
    _, status = os.waitpid(process, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    (file,) = checkpoints.folder.iterdir()
    assert same(train(rich, digits, seed=SEED, resume=load_checkpoint(file)), whole)


def test_a_run_that_is_killed_in_a_pause_has_lost_no_step(
    rich: Recipe, digits: Dataset, tmp_path: Path
) -> None:
    class Looking(Hand):
        def decide(self, progress: Progress) -> Decision:
            (file,) = checkpoints.folder.glob(f"step-{progress.step:09}-*")
            assert load_checkpoint(file).card.history == losses_so_far
            return super().decide(progress)

    def report(progress: Progress) -> None:
        losses_so_far.extend([] if progress.record is None else [progress.record])

    losses_so_far: list[dict[str, Any]] = []
    checkpoints = Checkpoints(folder=tmp_path / "c", warn=pytest.fail)
    hand = Looking({0: None, 2: None, 4: None, 7: None, 8: None})
    train(rich, digits, steering=hand, checkpoints=checkpoints, report=report)
    assert len(hand.decided) == 5


def test_ctrl_c_in_a_pause_leaves_a_run_to_go_on_with(
    rich: Recipe, digits: Dataset, tmp_path: Path
) -> None:
    class Impatient(Hand):
        def decide(self, progress: Progress) -> Decision:
            if progress.step == 3:
                raise KeyboardInterrupt
            return super().decide(progress)

    hand = Impatient({2: Change(batch=50), 3: None})
    checkpoints = Checkpoints(folder=tmp_path / "c", warn=pytest.fail)
    with pytest.raises(Interrupted, match="stopped in epoch 1 of 2") as caught:
        train(rich, digits, seed=SEED, steering=hand, checkpoints=checkpoints)
    assert caught.value.checkpoint is not None
    resume = load_checkpoint(caught.value.checkpoint)
    whole = train(rich, digits, seed=SEED, steering=Hand({2: Change(batch=50)}))
    assert same(train(rich, digits, seed=SEED, resume=resume), whole)


def test_the_settings_are_those_that_the_run_began_with_and_are_still_compared(
    rich: Recipe, digits: Dataset, tmp_path: Path
) -> None:
    """So the same recipe and epochs are named to go on, and the changes come on top of them."""
    folder = tmp_path / "c"
    plan = {2: CHANGES["all"]}
    model = train(rich, digits, steering=Hand(plan), checkpoints=every_step(folder))
    assert model.card.settings == train(rich, digits).card.settings
    assert model.card.epochs == 3
    resume = load_checkpoint(max(folder.iterdir()))
    with pytest.raises(TrainingError, match="epochs 2, and this run has 3"):
        train(rich, digits, resume=resume, epochs=3)
    with pytest.raises(TrainingError, match="batch 100, and this run has 150"):
        train(replace(rich, batch=150), digits, resume=resume)
    checkpoints = every_step(folder)
    checkpoints.remove(model)
    assert not folder.exists()


@pytest.mark.parametrize(
    "record",
    [
        {"step": 2, "epoch": 1, "done": 150, "rate": 0.1},
        {"step": 2, "epoch": 2, "done": 200, "rate": 0.1},
        {"step": 2, "epoch": 1, "done": 200, "rate": -0.1},
        {"step": 2, "epoch": 1, "done": 200, "momentum": 0.5},
        {"step": 6, "epoch": 2, "done": 200, "rate": 0.1},
    ],
)
def test_a_checkpoint_whose_changes_cannot_be_is_refused(
    rich: Recipe, digits: Dataset, tmp_path: Path, record: dict[str, Any]
) -> None:
    train(rich, digits, epochs=1, checkpoints=every_step(tmp_path / "c"))
    resume = load_checkpoint(max((tmp_path / "c").iterdir()))
    bad = replace(resume, card=replace(resume.card, changes=[record]))
    with pytest.raises(ModelError, match="does not fit its own recipe"):
        train(rich, digits, epochs=1, resume=bad)


# The epoch, when its batches change


@dataclass(frozen=True)
class Watched(Stateless):
    """A test's layer that writes down which numbered pictures went through it."""

    batches: list[list[int]] = field(default_factory=list)

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def forward(self, x: Array, parameters: Views, context: Any) -> tuple[Array, Backward]:
        self.batches.append([int(n) for n in 256 * x[0, 0].astype(int) + x[0, 1]])
        return x, lambda dy, gradients: dy

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        return x


def numbered(count: int) -> Dataset:
    """Blank pictures that carry their own number in the first two pixels."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(count), 256)
    return Dataset(images, np.arange(count) % 10)


def plain(*first: Layer) -> tuple[Layer, ...]:
    return (*first, Rescale(1 / 255), Flatten(), Dense(784, 10))


def test_an_epoch_sees_each_sample_once_and_in_its_order_whatever_the_batches(
    tiny: Recipe,
) -> None:
    watched = Watched()
    recipe = replace(tiny, layers=plain(watched), lanes=1, chunk=400, epochs=2)
    hand = Hand({1: Change(batch=7), 4: Change(batch=300), 6: Change(batch=90)})
    train(recipe, numbered(330), seed=SEED, threads=1, steering=hand)
    sizes = [100, 7, 7, 7, 209, 300, 30]
    assert [len(batch) for batch in watched.batches] == sizes
    order = [
        int(n)
        for epoch in range(2)
        for n in counted_generator(SEED, Purpose.SHUFFLE, epoch).permutation(330)
    ]
    assert [n for batch in watched.batches for n in batch] == order
    assert [(at.step, at.epoch, at.done) for at in hand.decided] == [
        (1, 1, 100),
        (4, 1, 121),
        (6, 2, 300),
    ]


@needs_blas_in_hand
def test_an_epochs_negatives_stay_the_same_when_it_goes_on(tiny: Recipe, digits: Dataset) -> None:
    """And its loss is still the mean over all of its samples: at a rate of 0 the same one."""
    layers = (*tiny.layers[:3], Dense(196, 11))
    recipe = replace(tiny, layers=layers, negatives=0.5, schedule=Constant(1e-30))
    whole = train(recipe, digits, seed=SEED)
    steered = train(recipe, digits, seed=SEED, steering=Hand({2: Change(batch=61), 6: None}))
    assert losses(steered) == pytest.approx(losses(whole), rel=1e-5)  # float32


# The schedule, when what is left of the run changes


@dataclass(frozen=True)
class Noted:
    """A test's optimizer that moves nothing and writes down its rates."""

    rates: list[float] = field(default_factory=list)

    slots: ClassVar[int] = 1

    def step(self, *arrays: Array, rate: float, count: int) -> None:
        assert count == len(self.rates) + 1
        self.rates.append(rate)


def rates(tiny: Recipe, digits: Dataset, plan: dict[int, Decision]) -> list[float]:
    """The share of the schedule at each step of a run of two epochs of 4."""
    noted = Noted()
    recipe = replace(tiny, optimizer=noted, schedule=lambda progress: progress)
    train(recipe, digits, threads=1, steering=Hand(plan))
    return noted.rates


def test_what_is_left_of_the_schedule_is_spread_over_the_steps_that_are_left(
    tiny: Recipe, digits: Dataset
) -> None:
    """Batches of 50 after 3 steps of 8: one for the 30 samples that are left, and 7 more."""
    found = rates(tiny, digits, {3: Change(batch=50)})
    expected = [step / 8 for step in range(3)]
    expected += [3 / 8 + (1 - 3 / 8) * (step / 8) for step in range(8)]
    assert found == expected


def test_more_epochs_stretch_and_fewer_shorten_what_is_left_of_the_schedule(
    tiny: Recipe, digits: Dataset
) -> None:
    assert rates(tiny, digits, {4: Change(epochs=4)}) == [
        *(step / 8 for step in range(4)),
        *(0.5 + 0.5 * (step / 12) for step in range(12)),
    ]
    assert rates(tiny, digits, {1: Change(epochs=1)}) == [
        0,
        *(1 / 8 + 7 / 8 * (step / 3) for step in range(3)),
    ]


def test_a_change_of_the_augmentation_leaves_the_schedule_as_it_was(
    tiny: Recipe, digits: Dataset
) -> None:
    found = rates(tiny, digits, {3: Change(augmentation=HAND)})
    assert found == [step / 8 for step in range(8)]


def test_epochs_after_the_end_have_the_last_rate(tiny: Recipe, digits: Dataset) -> None:
    found = rates(tiny, digits, {8: Change(epochs=3), 12: Change(epochs=4)})
    assert found == [step / 8 for step in range(8)] + [1.0] * 8


@pytest.mark.parametrize(("samples", "batch"), [(330, 100), (300, 100), (5, 7), (60_000, 256)])
def test_an_unsteered_course_is_a_division(samples: int, batch: int) -> None:
    course = Course(samples=samples, batch=batch, epochs=3)
    each = -(-samples // batch)
    assert (course.steps_per_epoch, course.steps) == (each, 3 * each)
    for step in range(3 * each):
        epoch, rest = divmod(step, each)
        assert course.place(step) == (epoch, rest * batch)
        assert course.progress(step) == step / course.steps
    assert course.place(3 * each) == (3, 0)
    assert course.progress(3 * each) == 1.0


# One more epoch


@needs_blas_in_hand
@pytest.mark.parametrize("kind_of", ["general", "classic"])
def test_one_more_epoch_can_be_given_at_the_end_and_after_it(
    tiny: Recipe, digits: Dataset, tmp_path: Path, kind_of: str
) -> None:
    """At a constant rate it is as if it had been asked for at first."""
    recipe = tiny if kind_of == "general" else CLASSIC
    last = 8 if kind_of == "general" else 660
    three = train(recipe, digits, seed=SEED, epochs=3)
    at_the_end = train(recipe, digits, seed=SEED, epochs=2, steering=Hand({last: Change(epochs=3)}))
    assert same(at_the_end, three)
    assert at_the_end.card.epochs == 3

    checkpoints = Checkpoints(folder=tmp_path / "c", warn=pytest.fail)
    train(recipe, digits, seed=SEED, epochs=2, steering=Hand({}), checkpoints=checkpoints)
    (file,) = checkpoints.folder.iterdir()
    later = train(
        recipe,
        digits,
        seed=SEED,
        epochs=2,
        resume=load_checkpoint(file),
        steering=Hand({last: Change(epochs=3)}),
    )
    assert same(later, three)
    assert later.card.changes == at_the_end.card.changes
    assert later.card.changes == [{"step": last, "epoch": 2, "done": 330, "epochs": 3}]


def test_patience_that_has_run_out_is_not_prolonged(tiny: Recipe, digits: Dataset) -> None:
    still = replace(tiny, schedule=Constant(1e-30))
    hand = Hand({8: Change(epochs=9)})
    with pytest.raises(TrainingError, match="whose accuracy has not risen for 1 epochs, got 9"):
        train(still, digits, epochs=5, watch=digits, patience=1, steering=hand)


# Stop and keep


@pytest.mark.slow
@needs_blas_in_hand
@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize("step", [0, 1, 4, 6, 8])
def test_stop_keeps_the_weights_of_that_step(
    rich: Recipe, digits: Dataset, tmp_path: Path, step: int
) -> None:
    """The averages, as in a model that was trained to its end; and the run can still go on."""
    seen: list[str] = []

    class Stopping(Hand):
        def decide(self, progress: Progress) -> Decision:
            seen.append(progress.model().fingerprint)
            return super().decide(progress)

    folder = tmp_path / "c"
    hand = Stopping({step: STOP})
    model = train(rich, digits, seed=SEED, threads=2, steering=hand, checkpoints=every_step(folder))
    assert seen == [model.fingerprint]
    assert hand.asked[-1].step == step
    assert model.card.epochs == len(model.card.history) == step // 4
    place = {"epoch": max(1, -(-step // 4)), "done": [0, 100, 200, 300][step % 4]}
    if step in (4, 8):
        place["done"] = 330
    assert model.card.changes == [{"step": step, **place, "stopped": True}]

    whole = train(rich, digits, seed=SEED, checkpoints=every_step(tmp_path / "w"))
    for file in (tmp_path / "w").glob(f"step-{step:09}-*"):
        vectors = load_checkpoint(file).snapshot.vectors
        assert np.array_equal(model.network.parameters, vectors["average"])
        assert np.array_equal(model.network.state, vectors["average_state"])
    resume = load_checkpoint(max(folder.iterdir()))
    assert same(train(rich, digits, seed=SEED, resume=resume), whole)


# The post's training


@needs_blas_in_hand
def test_the_posts_training_can_change_its_rate_between_blocks(
    digits: Dataset, tmp_path: Path
) -> None:
    """Against the post's own class, told another rate after 96 records."""
    network = ClassicNetwork(784, 20, 10, 0.1, rng=np.random.RandomState(SEED))
    network.fit(digits.subset(slice(96)))
    network.lrate = 0.02
    network.fit(digits.subset(slice(96, None)))
    folder = tmp_path / "c"
    hand = Hand({32: None, 96: Change(rate=0.02)})
    model = train(
        CLASSIC, digits, seed=SEED, epochs=1, steering=hand, checkpoints=every_step(folder)
    )
    wih, who = (own["weight"] for own in model.network.views(model.network.parameters) if own)
    assert np.array_equal(wih, network.wih)
    assert np.array_equal(who, network.who)
    assert model.card.changes == [{"step": 96, "epoch": 1, "done": 96, "rate": 0.02}]
    for file in folder.iterdir():
        if int(file.name[5:14]) >= 96:
            resume = load_checkpoint(file)
            assert same(train(CLASSIC, digits, seed=SEED, epochs=1, resume=resume), model)


def test_the_posts_training_can_be_stopped_between_blocks(digits: Dataset) -> None:
    model = train(CLASSIC, digits, seed=SEED, steering=Hand({64: STOP}))
    expected = train(CLASSIC, digits.subset(slice(64)), seed=SEED, epochs=1)
    assert model.fingerprint == expected.fingerprint


# What is told


@pytest.mark.usefixtures("kind")
def test_the_wheel_is_offered_once_between_any_two_steps_and_before_the_end(
    tiny: Recipe, digits: Dataset
) -> None:
    hand = Hand({})
    model = train(tiny, digits, threads=2, steering=hand)
    assert [at.step for at in hand.asked] == list(range(9))
    assert [(at.epoch, at.done) for at in hand.asked] == [
        (1, 0),
        *((epoch, done) for epoch in (1, 2) for done in (100, 200, 300, 330)),
    ]
    assert [at.record for at in hand.asked if at.done == 330] == model.card.history
    assert {(at.steps, at.epochs, at.samples, at.rate) for at in hand.asked} == {(8, 2, 330, 0.01)}
    assert hand.asked[0].loss is None


def test_progress_tells_what_the_next_step_is_made_with(tiny: Recipe, digits: Dataset) -> None:
    schedule = OneCycle(0.02)
    hand = Hand({2: Change(batch=50), 5: Change(augmentation=HAND, rate=0.5)})
    train(replace(tiny, schedule=schedule), digits, steering=hand)
    at = {progress.step: progress for progress in hand.asked}
    assert [at[step].rate for step in (0, 1, 2)] == [schedule(step / 8) for step in (0, 1, 2)]
    assert at[3].rate == schedule(1 / 4 + 3 / 4 * (1 / 10))  # 3 for 130 digits, and then 7
    assert (at[1].steps, at[3].steps) == (8, 12)
    assert [at[step].recipe for step in (1, 3)] == [
        at[0].recipe,
        replace(at[0].recipe, batch=50),
    ]
    assert at[6].rate == 0.5
    assert at[6].recipe == replace(
        at[0].recipe, batch=50, augmentation=HAND, schedule=Constant(0.5)
    )


@needs_blas_in_hand
@pytest.mark.usefixtures("kind")
def test_the_model_of_any_step_can_be_looked_at_without_changing_it(
    rich: Recipe, digits: Dataset
) -> None:
    class Measuring(Hand):
        def wants_the_wheel(self, progress: Progress) -> bool:
            model = progress.model()
            accuracies.append(model.evaluate(digits).accuracy)
            model.network.parameters[:] = 0
            return super().wants_the_wheel(progress)

    accuracies: list[float] = []
    whole = train(rich, digits, seed=SEED, threads=2, watch=digits)
    measured = train(rich, digits, seed=SEED, threads=2, steering=Measuring({}))
    assert same(measured, whole)
    assert [accuracies[4], accuracies[8]] == [r["accuracy"] for r in whole.card.history]


def test_steering_costs_the_run_no_seconds(tiny: Recipe, digits: Dataset, tmp_path: Path) -> None:
    """Each step takes a second here, whoever is asked takes 10, and decides in 100."""
    now = [0.0]

    class Slow(Hand):
        def wants_the_wheel(self, progress: Progress) -> bool:
            now[0] += 10
            told.append(progress.seconds)
            return super().wants_the_wheel(progress)

        def decide(self, progress: Progress) -> Decision:
            now[0] += 100
            assert progress.model().card.seconds == progress.step
            return super().decide(progress)

    def report(progress: Progress) -> None:
        now[0] += 1 if progress.record is None else 1000

    told: list[float] = []
    model = train(
        tiny,
        digits,
        steering=Slow({0: None, 2: None, 4: None, 5: Change(rate=0.1)}),
        checkpoints=every_step(tmp_path / "c"),
        report=report,
        clock=lambda: now[0],
    )
    assert model.card.seconds == 8
    assert [record["seconds"] for record in model.card.history] == [4, 4]
    assert told == [0, 0, 1, 2, 4, 4, 5, 6, 8]  # a step is told before it has taken its second


# The card


def test_changes_are_on_the_card_and_come_back(
    rich: Recipe, digits: Dataset, tmp_path: Path
) -> None:
    hand = Hand({2: Change(augmentation=HAND, batch=20), 3: Change(augmentation=None)})
    model = train(rich, digits, steering=hand)
    assert model.card.changes == [
        {
            "step": 2,
            "epoch": 1,
            "done": 200,
            "batch": 20,
            "augmentation": dataclasses.asdict(HAND),
        },
        {"step": 3, "epoch": 1, "done": 220, "augmentation": None},
    ]
    save_model(model, tmp_path / "m.safetensors")
    assert load_model(tmp_path / "m.safetensors").card == model.card
    assert json.loads(json.dumps(model.card.changes)) == model.card.changes


@needs_blas_in_hand
def test_the_card_is_enough_to_train_it_again(rich: Recipe, digits: Dataset) -> None:
    plan = {2: Change(augmentation=HAND), 3: Change(batch=20), 9: Change(rate=0.001), 11: STOP}
    model = train(rich, digits, seed=SEED, steering=Hand(plan))
    place = ("step", "epoch", "done")
    again: dict[int, Decision] = {}
    for record in model.card.changes:
        what = {name: value for name, value in record.items() if name not in place}
        again[record["step"]] = STOP if what == {"stopped": True} else Change.from_data(what)
    assert again == plan
    epochs = model.card.settings["epochs"]
    assert same(train(rich, digits, seed=SEED, epochs=epochs, steering=Hand(again)), model)


# What cannot be


@pytest.mark.parametrize(
    ("step", "change", "message"),
    [
        (6, Change(epochs=1), "expected 2 epochs or more, as the run has come to epoch 2, got 1"),
        (3, Change(batch=331), "expected a batch of at most the 330 samples of an epoch, got 331"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_leaves_the_run_as_it_was(
    rich: Recipe, digits: Dataset, step: int, change: Change, message: str
) -> None:
    class Careful(Hand):
        def decide(self, progress: Progress) -> Decision:
            super().decide(progress)
            with pytest.raises(TrainingError, match=message):
                progress.check(change)
            return None

    hand: Steering = Careful({step: change})
    model = train(rich, digits, seed=SEED, steering=hand)
    assert same(model, train(rich, digits, seed=SEED))
    with pytest.raises(TrainingError, match=message):
        train(rich, digits, seed=SEED, steering=Hand({step: change}))


def test_a_trainer_that_refuses_a_change_has_taken_none_of_it(
    rich: Recipe, digits: Dataset
) -> None:
    network = rich.network()
    crew = Crew(rich.lanes, 1)
    trainer = Trainer(rich, network, digits, seed=1, epochs=2, crew=crew)
    course = trainer.course
    with pytest.raises(TrainingError):
        trainer.steer(Change(rate=0.5, batch=331, augmentation=HAND))
    assert trainer.recipe is rich
    assert trainer.course is course
    trainer.steer(Change(batch=300))
    assert trainer.recipe.batch == trainer.course.batch == 300


@pytest.mark.parametrize("change", [Change(batch=10), Change(augmentation=None, rate=0.1)])
def test_the_posts_recipe_takes_neither_batch_nor_augmentation(change: Change) -> None:
    with pytest.raises(TrainingError, match=r"which is all that recipe c has, got .*: the post"):
        change.changed(CLASSIC)
    assert Change(rate=1, epochs=9).changed(CLASSIC) == replace(CLASSIC, rate=1.0, epochs=9)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"rate": 0}, "expected a rate of more than 0, got 0"),
        ({"rate": float("nan")}, "expected a rate of more than 0, got nan"),
        ({"rate": float("inf")}, "expected a rate of more than 0, got inf"),
        ({"rate": True}, "expected a rate of more than 0, got True"),
        ({"rate": "fast"}, "expected a rate of more than 0, got 'fast'"),
        ({"batch": 0}, "expected batch, a whole number of 1 or more, got 0"),
        ({"batch": 1.5}, "expected batch, a whole number of 1 or more, got 1.5"),
        ({"epochs": True}, "expected epochs, a whole number of 1 or more, got True"),
        ({"augmentation": "hand"}, "expected an Augmentation, or None for none, got 'hand'"),
        ({"augmentation": {"blur": 1}}, "expected the settings of an augmentation, got {'blur'"),
        ({"augmentation": {"shift": 99}}, "expected shift from 0 to 28 pixels, got 99"),
        (
            {"momentum": 1},
            "expected a change of rate, batch, augmentation and epochs, got momentum",
        ),
        ({}, "expected a change of rate, batch, augmentation or epochs, got none: name one"),
    ],
)
def test_what_is_no_change_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError) as caught:
        Change.from_data(data)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("change", [*CHANGES.values(), Change(augmentation=None)])
def test_a_change_comes_back_from_its_data(change: Change) -> None:
    data = json.loads(json.dumps(change.as_data()))
    assert Change.from_data(data) == change
    assert set(data) == {
        name for name in ("rate", "batch", "epochs") if getattr(change, name) is not None
    } | ({"augmentation"} & data.keys())
    assert data.keys() == change.as_data().keys()
