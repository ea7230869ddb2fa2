"""Hands, wear and negatives in training: counted randomness, honest means, and no false labels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from circumstances import needs_blas_in_hand, needs_forks
from inkdigits.dataset import Dataset
from inkdigits.errors import DataError, TrainingError
from inkdigits.model import NOT_A_DIGIT
from inkdigits.network import (
    SGD,
    Context,
    Dense,
    Flatten,
    Layer,
    Network,
    Rescale,
    SoftmaxCrossEntropy,
    he,
)
from inkdigits.network.layers import Array, Backward, Shape, Stateless, Views
from inkdigits.parallel import Crew
from inkdigits.sources.negatives import negatives
from inkdigits.training import Augmentation, ClassicRecipe, Recipe, find_recipe, train
from inkdigits.training.hands import foreign_hands
from inkdigits.training.loop import Trainer
from inkdigits.training.processes import ForkedCrew
from inkdigits.training.randomness import Purpose, counted_generator
from inkdigits.training.wear import Wear

pytestmark = pytest.mark.serial  # training forks, where it may

CREWS = [
    Crew,
    pytest.param(ForkedCrew, marks=needs_forks),
]

WEAR = Wear(neighbours=0.2, lines=0.2, cuts=0.2, coarse=0.2, blur=0.2, hard=0.2, jitter=1)
DIGITS, NEGATIVES = 330, 165  # of an epoch
STEPS = 5  # of an epoch: four batches of 100, and one of 95


@pytest.fixture
def telling(tiny: Recipe) -> Recipe:
    """The tiny recipe with an eleventh output, and one negative for each two digits."""
    return replace(tiny, layers=(*tiny.layers[:-1], Dense(16, 11)), negatives=0.5)


@pytest.fixture
def worldly(telling: Recipe) -> Recipe:
    """The same with other hands, augmentation and wear too."""
    return replace(telling, hands=0.5, augmentation=Augmentation(shift=1), wear=WEAR)


def begun(
    recipe: Recipe, dataset: Dataset, *, crew: Crew | None = None, epochs: int = 2
) -> Trainer:
    """A trainer before its first step."""
    network = Network(recipe.layers)
    network.initialise(counted_generator(1, Purpose.WEIGHTS), he)
    return Trainer(
        recipe, network, dataset, seed=1, epochs=epochs, crew=crew or Crew(recipe.lanes, 1)
    )


def unheard(done: int, loss: float | None) -> None:
    """A report that nobody reads."""


def bits(trainer: Trainer) -> tuple[bytes, ...]:
    """All that a run is, as bytes."""
    network = trainer.network
    return network.parameters.tobytes(), network.state.tobytes(), trainer.memory.tobytes()


@dataclass(frozen=True)
class Watched(Stateless):
    """A test's layer that writes down each chunk's pixels."""

    chunks: list[Array] = field(default_factory=list)

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def forward(self, x: Array, parameters: Views, context: Context) -> tuple[Array, Backward]:
        self.chunks.append(x.transpose(2, 0, 1).copy())
        return x, lambda dy, gradients: dy

    def predict(self, x: Array, parameters: Views, state: Views) -> Array:
        return x


@dataclass(frozen=True)
class Labels:
    """A test's loss that writes down each chunk's labels."""

    chunks: list[Array] = field(default_factory=list)

    def __call__(self, logits: Array, labels: Array) -> tuple[float, Array]:
        self.chunks.append(labels.copy())
        return SoftmaxCrossEntropy()(logits, labels)


def watched(recipe: Recipe, dataset: Dataset, epochs: int = 1) -> tuple[Array, Array, Trainer]:
    """What a network is shown in so many epochs: images, labels; and the trainer."""
    images, labels = Watched(), Labels()
    trainer = begun(replace(recipe, layers=(images, *recipe.layers), loss=labels), dataset)
    for _ in range(epochs):
        trainer.epoch(unheard)
    return np.concatenate(images.chunks), np.concatenate(labels.chunks), trainer


def as_set(images: Array) -> set[bytes]:
    return {image.tobytes() for image in images}


# The same run however it is computed


@pytest.mark.slow
@needs_blas_in_hand
@pytest.mark.parametrize("crew", CREWS)
def test_any_number_of_workers_gives_the_same_bits(
    worldly: Recipe, digits: Dataset, crew: type[Crew]
) -> None:
    found = []
    for workers in (1, 2):
        trainer = begun(worldly, digits, crew=crew(worldly.lanes, workers))
        reports: list[tuple[int, float | None]] = []
        losses = [trainer.epoch(lambda *report, to=reports: to.append(report)) for _ in range(2)]
        found.append((bits(trainer), losses, reports))
    assert found[0] == found[1]
    assert np.isfinite(found[0][1]).all()


@pytest.mark.slow
@needs_blas_in_hand
@pytest.mark.parametrize("stop", [2, STEPS, STEPS + 3])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    worldly: Recipe, digits: Dataset, stop: int
) -> None:
    """In the midst of an epoch or between two, with one worker before and two after it."""

    class Stopped(Exception):
        pass

    def until(trainer: Trainer) -> Any:
        def report(done: int, loss: float | None) -> None:
            if trainer.step == stop:
                raise Stopped

        return report

    whole = begun(worldly, digits)
    losses = [whole.epoch(unheard) for _ in range(2)]

    before = begun(worldly, digits)
    for _ in range(stop // (STEPS + 1)):
        before.epoch(unheard)
    with pytest.raises(Stopped):
        before.epoch(until(before))
    after = begun(worldly, digits, crew=Crew(worldly.lanes, 2))
    after.restore(before.snapshot())
    assert after.step == stop
    # A stop at the end of an epoch's last step leaves nothing of it to do.
    rest = [after.epoch(unheard) for _ in range(2 - stop // STEPS)]
    assert rest == losses[stop // STEPS :]
    assert bits(after) == bits(whole)


# What a network is shown


def test_an_epoch_has_the_digits_once_and_its_own_negatives(
    telling: Recipe, digits: Dataset
) -> None:
    images, labels, trainer = watched(telling, digits, epochs=2)
    assert trainer.samples == DIGITS + NEGATIVES
    assert trainer.course.steps_per_epoch == STEPS
    assert trainer.step == trainer.course.steps == 2 * STEPS
    found = []
    for epoch in range(2):
        part = slice(epoch * trainer.samples, (epoch + 1) * trainer.samples)
        none = labels[part] == NOT_A_DIGIT
        assert none.sum() == NEGATIVES
        shown = images[part][~none]
        order = np.lexsort(shown.reshape(DIGITS, -1).T)
        given = np.lexsort(digits.images.reshape(DIGITS, -1).T)
        np.testing.assert_array_equal(shown[order], digits.images[given])
        np.testing.assert_array_equal(labels[part][~none][order], digits.known_labels[given])
        drawn = negatives(
            NEGATIVES,
            counted_generator(1, Purpose.NEGATIVES, epoch),
            digits=digits.images,
            labels=digits.known_labels,
        )
        assert as_set(images[part][none]) == as_set(drawn)
        found.append(as_set(drawn))
        # They are mixed with the digits.
        assert 0 < none[:100].sum() < 70
    # Blank ones are alike.
    assert len(found[0] & found[1]) <= 3


def test_what_is_shown_has_been_varied_and_keeps_its_label(
    worldly: Recipe, digits: Dataset
) -> None:
    """Hands first, as they are told by the label; then augmentation and wear."""
    recipe = replace(worldly, batch=495, chunk=495, lanes=1)
    images, labels, trainer = watched(recipe, digits)
    order = counted_generator(1, Purpose.SHUFFLE, 0).permutation(495)
    np.testing.assert_array_equal(labels, trainer.labels[order])
    generator = counted_generator(1, Purpose.AUGMENTATION, 0, 0)
    expected = foreign_hands(trainer.images[order], labels, generator, share=0.5)
    for part in (Augmentation(shift=1), WEAR):
        expected = part(expected, generator)
    np.testing.assert_array_equal(images, expected)


def test_other_hands_leave_what_is_no_digit(telling: Recipe, digits: Dataset) -> None:
    none = np.full(DIGITS, NOT_A_DIGIT, np.uint8)
    recipe = replace(telling, hands=1.0)
    generator = np.random.default_rng(1)
    varied = recipe.varied(digits.images, digits.known_labels, generator)
    assert (varied != digits.images).any(axis=(1, 2)).mean() > 0.2
    np.testing.assert_array_equal(recipe.varied(digits.images, none, generator), digits.images)


@pytest.mark.parametrize(
    ("settings", "varies"),
    [
        ({}, False),
        ({"hands": 0.1}, True),
        ({"wear": WEAR}, True),
        ({"augmentation": Augmentation(shift=1)}, True),
    ],
)
def test_a_recipe_that_varies_nothing_says_so_and_shows_the_digits_themselves(
    tiny: Recipe, digits: Dataset, settings: dict[str, Any], varies: bool
) -> None:
    recipe = replace(tiny, **settings)
    assert recipe.varies is varies
    images, _, _ = watched(recipe, digits)
    assert (as_set(images) == as_set(digits.images)) is not varies


# What is told


def test_the_loss_of_an_epoch_is_the_mean_over_digits_and_negatives(
    telling: Recipe, digits: Dataset
) -> None:
    """At a rate of 0 it is that of the network as it stands. 1e-6: float32.

    The last batch has 95 of the 495; the mean over the digits alone would be another.
    """
    layers: tuple[Layer, ...] = (Rescale(1 / 255), Flatten(), Dense(784, 11))
    recipe = replace(telling, layers=layers, optimizer=SGD(), schedule=lambda progress: 0.0)
    trainer = begun(recipe, digits)
    reports: list[tuple[int, float]] = []
    found = trainer.epoch(lambda done, loss: reports.append((done, loss or 0.0)))
    logits = trainer.network.predict(trainer.images.transpose(1, 2, 0))
    total, _ = SoftmaxCrossEntropy()(logits, trainer.labels)
    assert found == pytest.approx(total / 495, rel=1e-6)
    assert [done for done, _ in reports] == [100, 200, 300, 400, 495]
    assert np.average([loss for _, loss in reports], weights=[100] * 4 + [95]) == pytest.approx(
        found, rel=1e-12
    )
    alone, _ = SoftmaxCrossEntropy()(logits[:, :DIGITS], digits.known_labels)
    assert abs(alone / DIGITS - found) > 1e-3 * found


def test_no_dataset_ever_has_the_label_of_what_is_no_digit(
    worldly: Recipe, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It exists in the trainer's memory alone, as Dataset takes 0 to 9."""
    made: list[NDArray[np.uint8]] = []
    real = Dataset.__post_init__

    def noted(self: Dataset) -> None:
        real(self)
        if self.labels is not None:
            made.append(self.labels)

    given = digits.known_labels.copy()
    monkeypatch.setattr(Dataset, "__post_init__", noted)
    model = train(worldly, digits, seed=1, threads=1, watch=digits.subset(slice(50)))
    monkeypatch.undo()
    assert made
    assert max(int(labels.max(initial=0)) for labels in made) <= 9
    np.testing.assert_array_equal(digits.known_labels, given)
    assert len(digits) == DIGITS
    assert model.network.answers == 11
    with pytest.raises(DataError):
        Dataset(digits.images[:1], np.array([NOT_A_DIGIT]))


@pytest.mark.slow
def test_a_network_learns_to_tell_what_is_no_digit(telling: Recipe, digits: Dataset) -> None:
    """After 60 epochs of a few digits: most of its own kind, and few of the digits."""
    trainer = begun(telling, digits, epochs=60)
    for _ in range(60):
        trainer.epoch(unheard)
    fresh = negatives(300, np.random.default_rng(9))
    said = [
        trainer.network.predict(images.transpose(1, 2, 0)).argmax(axis=0) == NOT_A_DIGIT
        for images in (fresh, digits.images)
    ]
    assert said[0].mean() > 0.7
    assert said[1].mean() < 0.03


# What cannot be


def test_negatives_need_an_output_of_their_own(tiny: Recipe) -> None:
    for share in (0.1, 1.0):
        with pytest.raises(TrainingError) as caught:
            replace(tiny, negatives=share)
        assert str(caught.value) == (
            "expected a network of 11 outputs, the last for what is no digit, in recipe tiny, "
            "got 10: let its last layer have 11, or set negatives to 0"
        )


def test_an_output_for_what_is_no_digit_may_go_unused(telling: Recipe, digits: Dataset) -> None:
    images, labels, _ = watched(replace(telling, negatives=0.0), digits)
    assert labels.max() == 9
    assert len(images) == DIGITS


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"hands": -0.1}, "expected hands, a share, of 0 to 1 in recipe tiny, got -0.1"),
        ({"hands": 1.1}, "expected hands, a share, of 0 to 1 in recipe tiny, got 1.1"),
        (
            {"negatives": -1.0},
            "expected negatives of 0 or more for each digit in recipe tiny, got -1.0",
        ),
        (
            {"negatives": float("nan")},
            "expected negatives of 0 or more for each digit in recipe tiny, got nan",
        ),
        (
            {"negatives": float("inf")},
            "expected negatives of 0 or more for each digit in recipe tiny, got inf",
        ),
    ],
)
def test_hands_and_negatives_that_cannot_be_are_refused(
    telling: Recipe, setting: dict[str, float], message: str
) -> None:
    with pytest.raises(TrainingError) as caught:
        replace(telling, **setting)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_every_recipe_that_draws_negatives_has_an_output_for_them() -> None:
    for name in ("blink", "mlp", "quick", "standard", "lenet5"):
        recipe = find_recipe(name)
        assert not isinstance(recipe, ClassicRecipe)
        assert recipe.network().answers == (11 if recipe.negatives else 10)
