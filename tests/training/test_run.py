"""A run ends with a model and its card, or says why not and hands over what there is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circumstances import needs_blas_in_hand
from inkdigits.dataset import Dataset
from inkdigits.errors import DataError, Diverged, Interrupted, TrainingError
from inkdigits.formats import load_model, save_model
from inkdigits.model import Model
from inkdigits.network import SGD, Dense, Flatten, Rescale
from inkdigits.sources import load
from inkdigits.training import (
    RECIPES,
    Checkpoints,
    ClassicRecipe,
    Progress,
    Recipe,
    find_recipe,
    latest_checkpoint,
    train,
)
from inkdigits.training.schedules import Constant, OneCycle
from inkdigits.version import __version__

pytestmark = pytest.mark.serial  # training forks, where it may


class Clock:
    """Stands for the time: it goes on only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def stop_at(epoch: int, done: int) -> Callable[[Progress], None]:
    """A report that presses Ctrl-C at this place."""

    def report(progress: Progress) -> None:
        if (progress.epoch, progress.done) == (epoch, done):
            raise KeyboardInterrupt

    return report


@needs_blas_in_hand
def test_one_seed_is_one_model_for_any_number_of_threads(tiny: Recipe, digits: Dataset) -> None:
    prints = [train(tiny, digits, seed=5, threads=n).fingerprint for n in (1, 2, 3, None)]
    assert len(set(prints)) == 1
    assert train(tiny, digits, seed=6, threads=1).fingerprint != prints[0]


@pytest.mark.slow
@needs_blas_in_hand
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_gives_the_same_bits_with_one_and_with_two_threads(
    name: str, digits: Dataset
) -> None:
    one, two = (train(name, digits, seed=1, epochs=1, threads=threads) for threads in (1, 2))
    assert one.fingerprint == two.fingerprint


def test_a_recipe_really_learns(tiny: Recipe) -> None:
    """1,000 digits are enough for 7 of 10 others, where guessing gives 1 of 10."""
    dataset = load("mnist:train50").subset(slice(1000))
    validation = load("mnist:validation").subset(slice(1000))
    recipe = replace(tiny, schedule=OneCycle(0.03))
    model = train(recipe, dataset, epochs=6, watch=validation)
    assert model.evaluate(validation).accuracy > 0.7
    losses = [record["loss"] for record in model.card.history]
    assert losses[-1] < 0.5 * losses[0]
    untrained = train(replace(tiny, schedule=Constant(0.0)), dataset, epochs=1)
    assert untrained.evaluate(validation).accuracy < 0.3


def test_the_card_says_all_that_is_needed_to_train_the_model_again(
    tiny: Recipe, digits: Dataset
) -> None:
    model = train(tiny, digits, seed=7, epochs=3)
    card = model.card
    assert (card.recipe, card.seed, card.epochs) == ("tiny", 7, 3)
    assert card.settings == tiny.settings() | {"epochs": 3}  # the schedule ends with them
    assert card.data == digits.fingerprint
    assert card.version == __version__
    assert card.started_from is None
    assert card.scores == {}
    assert [record["epoch"] for record in card.history] == [1, 2, 3]
    assert all(set(record) == {"epoch", "loss", "seconds"} for record in card.history)
    assert model.network.layers == tiny.layers
    plain = dataclasses.asdict(card)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_the_fingerprint_is_the_sum_of_parameters_and_state(tiny: Recipe, digits: Dataset) -> None:
    model = train(tiny, digits, epochs=1)
    parameters, state = model.network.parameters, model.network.state
    content = parameters.astype("<f4").tobytes() + state.astype("<f4").tobytes()
    assert model.fingerprint == hashlib.sha256(content).hexdigest()


def test_without_epochs_the_recipe_decides(tiny: Recipe, digits: Dataset) -> None:
    model = train(replace(tiny, epochs=3), digits)
    assert model.card.epochs == len(model.card.history) == 3


def test_seconds_leave_out_what_happens_between_epochs(tiny: Recipe, digits: Dataset) -> None:
    """Each of 4 steps takes a second here, and whoever hears of a whole epoch takes 100."""
    clock = Clock()

    def report(progress: Progress) -> None:
        clock.now += 1 if progress.record is None else 100

    model = train(tiny, digits, epochs=3, report=report, clock=clock)
    assert [record["seconds"] for record in model.card.history] == [4, 4, 4]
    assert model.card.seconds == 12


def test_seconds_leave_out_the_scoring(
    tiny: Recipe, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    evaluate = "inkdigits.model.Model.evaluate"
    score = train(tiny, digits, epochs=1).evaluate(digits)

    def slowly(*_: Any, **__: Any) -> Any:
        clock.now += 50
        return score

    monkeypatch.setattr(evaluate, slowly)
    model = train(tiny, digits, epochs=2, watch=digits, clock=clock)
    assert [record["accuracy"] for record in model.card.history] == [score.accuracy] * 2
    assert model.card.seconds == 0


def test_progress_is_told_after_each_step_and_each_epoch(tiny: Recipe, digits: Dataset) -> None:
    told: list[Progress] = []
    model = train(tiny, digits, epochs=2, report=told.append)
    places = [(progress.epoch, progress.done, progress.record is None) for progress in told]
    ends = [100, 200, 300, 330]
    assert places == [
        place
        for epoch in (1, 2)
        for place in [*((epoch, done, True) for done in ends), (epoch, 330, False)]
    ]
    assert {(progress.epochs, progress.samples) for progress in told} == {(2, 330)}
    assert all(progress.loss is not None and progress.loss > 0 for progress in told)
    assert [progress.record for progress in told if progress.record] == model.card.history
    assert told[4].loss == model.card.history[0]["loss"]


def test_digits_to_watch_are_scored_each_epoch_and_decide_nothing(
    tiny: Recipe, digits: Dataset
) -> None:
    others = load("mnist:validation").subset(slice(200))
    watched = train(tiny, digits, epochs=2, watch=others)
    assert watched.fingerprint == train(tiny, digits, epochs=2).fingerprint
    accuracies = [record["accuracy"] for record in watched.card.history]
    assert accuracies[1] == watched.evaluate(others).accuracy
    assert accuracies[0] == train(tiny, digits, epochs=1).evaluate(others).accuracy


def test_the_callers_arrays_stay_as_they_are(tiny: Recipe, digits: Dataset) -> None:
    images, labels = digits.images.copy(), digits.known_labels.copy()
    for recipe in (tiny, ClassicRecipe(name="c", purpose="", hidden=20, rate=0.1, epochs=1)):
        train(recipe, Dataset(images, labels), epochs=1)
        assert np.array_equal(images, digits.images)
        assert np.array_equal(labels, digits.known_labels)


def test_drawing_leaves_the_global_generator_alone(tiny: Recipe, digits: Dataset) -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for recipe in (tiny, ClassicRecipe(name="c", purpose="", hidden=20, rate=0.1, epochs=1)):
        train(recipe, digits, epochs=1)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_start_gives_the_first_weights_and_is_not_changed(tiny: Recipe, digits: Dataset) -> None:
    start = train(tiny, digits, epochs=1)
    before = start.fingerprint
    still = replace(tiny, optimizer=SGD(), schedule=Constant(0.0))
    assert train(still, digits, epochs=1, start=start).fingerprint == before

    further = train(tiny, digits, seed=2, epochs=2, start=start)
    assert start.fingerprint == before
    assert further.card.started_from == before
    assert further.card.history[0]["loss"] < start.card.history[0]["loss"]
    assert not np.shares_memory(further.network.parameters, start.network.parameters)


def test_a_start_of_other_layers_is_refused(tiny: Recipe, digits: Dataset) -> None:
    other = replace(tiny, layers=(Rescale(), Flatten(), Dense(784, 10)))
    with pytest.raises(TrainingError) as caught:
        train(tiny, digits, start=train(other, digits, epochs=1))
    ours, theirs = (", ".join(map(str, recipe.layers)) for recipe in (tiny, other))
    assert str(caught.value) == (
        f"recipe tiny trains [{ours}], the model to start from has [{theirs}]: "
        "name the recipe that it was trained with"
    )


@pytest.mark.parametrize("recipe", ["tiny", "classic"])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "expected 1 epoch or more, got 0"),
        ({"epochs": -1}, "expected 1 epoch or more, got -1"),
        ({"seed": -1}, "expected a seed from 0 to 2³² − 1, got -1"),
        ({"seed": 2**32}, "expected a seed from 0 to 2³² − 1, got 4294967296"),
        ({"threads": 0}, "expected 1 thread or more, got 0"),
        ({"threads": -2}, "expected 1 thread or more, got -2"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    recipe: str, tiny: Recipe, digits: Dataset, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(TrainingError) as caught:
        train(tiny if recipe == "tiny" else recipe, digits, **settings)
    assert str(caught.value) == message


@pytest.mark.parametrize("recipe", RECIPES)
def test_digits_that_cannot_be_learned_from_are_refused(recipe: str, digits: Dataset) -> None:
    with pytest.raises(DataError, match="expected labelled digits, got images without labels"):
        train(recipe, Dataset(digits.images))
    with pytest.raises(TrainingError, match="expected at least one labelled digit to learn f"):
        train(recipe, digits.subset([]))


def test_an_unknown_recipe_is_refused(digits: Dataset) -> None:
    with pytest.raises(TrainingError, match="there is no recipe 'blnik': did you mean blink"):
        train("blnik", digits)


@pytest.mark.parametrize("count", [1, 31, 32, 33, 100, 101])
def test_any_number_of_digits_can_be_learned_from(
    tiny: Recipe, digits: Dataset, count: int
) -> None:
    model = train(tiny, digits.subset(slice(count)), epochs=1, threads=2)
    assert np.isfinite(model.network.parameters).all()
    assert math.isfinite(model.card.history[0]["loss"])


@pytest.mark.parametrize("threads", [1, 2])
def test_divergence_in_the_first_epoch_leaves_no_model(
    tiny: Recipe, digits: Dataset, threads: int
) -> None:
    recipe = replace(tiny, optimizer=SGD(), schedule=Constant(1e4))
    with pytest.raises(Diverged) as caught:
        train(recipe, digits, epochs=3, threads=threads)
    assert str(caught.value) == (
        "the loss left all bounds at step 2, in epoch 1 of 3: the recipe's learning rate is too "
        "high here"
    )
    assert caught.value.model is None


@pytest.mark.parametrize("threads", [1, 2])
def test_divergence_later_keeps_the_model_of_the_last_whole_epoch(
    tiny: Recipe, digits: Dataset, threads: int
) -> None:
    """The rate is fine for two epochs of 4 steps each, and too high from step 11 of 12 on."""
    recipe = replace(tiny, optimizer=SGD())
    late = replace(recipe, schedule=lambda progress: 0.1 if progress < 10 / 12 else 1e5)
    with pytest.raises(Diverged) as caught:
        train(late, digits, epochs=3, threads=threads)
    assert str(caught.value) == (
        "the loss left all bounds at step 12, in epoch 3 of 3: the recipe's learning rate is too "
        "high here"
    )
    model = caught.value.model
    assert model is not None
    good = train(replace(recipe, schedule=Constant(0.1)), digits, epochs=2)
    assert model.fingerprint == good.fingerprint
    assert model.card.epochs == 2
    assert [record["loss"] for record in model.card.history] == [
        record["loss"] for record in good.card.history
    ]


def test_divergence_of_the_posts_training_is_noticed_too(digits: Dataset) -> None:
    recipe = ClassicRecipe(name="c", purpose="", hidden=20, rate=1e308, epochs=2)
    with pytest.raises(Diverged, match="the recipe's learning rate is too high") as caught:
        train(recipe, digits)
    assert caught.value.model is None


@needs_blas_in_hand
def test_ctrl_c_in_mid_epoch_hands_over_the_model_of_that_moment(
    tiny: Recipe, digits: Dataset
) -> None:
    """Those of the steps that were reported, whatever the other threads had begun meanwhile."""
    models = []
    for threads in (1, 2, 3):
        with pytest.raises(Interrupted, match="stopped in epoch 2 of 3") as caught:
            train(tiny, digits, epochs=3, threads=threads, report=stop_at(2, 200))
        models.append(caught.value.model)
    assert len({model.fingerprint for model in models}) == 1
    assert models[0].card.epochs == len(models[0].card.history) == 1
    assert models[0].fingerprint != train(tiny, digits, epochs=1).fingerprint
    assert np.isfinite(models[0].network.parameters).all()
    assert models[0].evaluate(digits).accuracy > 0.2


def test_ctrl_c_after_the_last_step_of_an_epoch_hands_over_that_epoch(
    tiny: Recipe, digits: Dataset
) -> None:
    with pytest.raises(Interrupted) as caught:
        train(tiny, digits, epochs=3, report=stop_at(1, 330))
    assert caught.value.model.fingerprint == train(tiny, digits, epochs=1).fingerprint


def test_ctrl_c_in_the_posts_training_hands_over_its_weights(digits: Dataset) -> None:
    recipe = find_recipe("classic")
    with pytest.raises(Interrupted, match="stopped in epoch 1 of 5") as caught:
        train(recipe, digits, report=stop_at(1, 96))
    model = caught.value.model
    assert model.card.epochs == 0
    # Blocks of 32: it has learned from 96 records, as from a set that ends there.
    assert model.fingerprint == train(recipe, digits.subset(slice(96)), epochs=1).fingerprint


def test_a_second_ctrl_c_ends_the_run_at_once(tiny: Recipe, digits: Dataset) -> None:
    """Amid an update there is no state that would belong to a step, and so nothing to keep."""

    @dataclasses.dataclass(frozen=True)
    class Pressing(SGD):
        def step(self, *arrays: Any, **settings: Any) -> None:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(replace(tiny, optimizer=Pressing(), lanes=1), digits)


# Averages


def test_the_model_has_the_average_and_that_is_what_is_scored(
    tiny: Recipe, digits: Dataset
) -> None:
    others = load("mnist:validation").subset(slice(200))
    recipe = replace(tiny, averaging=0.9)
    model = train(recipe, digits, epochs=4, watch=others)
    plain = train(tiny, digits, epochs=4, watch=others)
    assert model.fingerprint != plain.fingerprint
    assert [r["loss"] for r in model.card.history] == [r["loss"] for r in plain.card.history]
    assert model.card.history[-1]["accuracy"] == model.evaluate(others).accuracy
    assert model.card.settings["averaging"] == 0.9

    with pytest.raises(Interrupted) as caught:
        train(recipe, digits, epochs=4, report=stop_at(2, 330))
    two = train(recipe, digits, epochs=2)
    assert caught.value.model.fingerprint == two.fingerprint


# Patience


def scoring(
    monkeypatch: pytest.MonkeyPatch, accuracies: list[float], dataset: Dataset, model: Model
) -> None:
    """Epoch after epoch has these accuracies."""
    score, left = model.evaluate(dataset), iter(accuracies)
    said = type("Said", (), {"accuracy": property(lambda self: next(left))})
    assert score.accuracy >= 0
    monkeypatch.setattr("inkdigits.model.Model.evaluate", lambda *_, **__: said())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("accuracies", "patience", "best", "ended"),
    [
        ([0.5, 0.6, 0.6, 0.59], 2, 2, 4),  # as good as before is no improvement
        ([0.5, 0.4, 0.6, 0.5, 0.55, 0.7], 2, 3, 5),
        ([0.5, 0.4], 1, 1, 2),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 1, 6, 6),
        ([0.1, 0.2, 0.9, 0.4, 0.5, 0.6], 9, 3, 6),  # never out of patience: still the best
        ([0.1, 0.2, 0.3, 0.9, 0.5, 0.6], 2, 4, 6),  # out of patience in the last epoch
    ],
)
def test_patience_ends_the_run_and_keeps_the_best_epoch(
    tiny: Recipe,
    digits: Dataset,
    monkeypatch: pytest.MonkeyPatch,
    accuracies: list[float],
    patience: int,
    best: int,
    ended: int,
) -> None:
    recipe = replace(tiny, epochs=6)
    expected = train(recipe, digits, epochs=best)  # a constant rate: the same first epochs
    scoring(monkeypatch, accuracies, digits, expected)
    model = train(recipe, digits, watch=digits, patience=patience)
    assert model.fingerprint == expected.fingerprint
    assert model.card.epochs == best
    history = model.card.history
    assert [record["accuracy"] for record in history] == accuracies[:ended]
    assert [record["epoch"] for record in history if record.get("best")] == [best]
    stopped = [record["epoch"] for record in history if record.get("stopped_early")]
    assert stopped == ([ended] if ended < 6 else [])
    assert model.card.settings["patience"] == patience


@needs_blas_in_hand
def test_a_resumed_run_has_the_patience_and_the_best_epoch_of_the_whole(
    tiny: Recipe, digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(tiny, epochs=6)
    expected = train(recipe, digits, epochs=2)
    scoring(monkeypatch, [0.5, 0.6, 0.55, 0.56, 0.9], digits, expected)
    checkpoints = Checkpoints(folder=tmp_path / "c")
    with pytest.raises(Interrupted):
        train(
            recipe,
            digits,
            watch=digits,
            patience=2,
            checkpoints=checkpoints,
            report=stop_at(4, 200),
        )
    resume = latest_checkpoint(tmp_path / "c")
    model = train(recipe, digits, watch=digits, patience=2, resume=resume)
    assert model.fingerprint == expected.fingerprint
    assert len(model.card.history) == 4


def test_patience_without_digits_to_watch_is_refused(tiny: Recipe, digits: Dataset) -> None:
    with pytest.raises(TrainingError, match=r"^expected digits to watch with patience: keep some"):
        train(tiny, digits, patience=1)
    with pytest.raises(TrainingError, match=r"^expected patience of 1 epoch or more, got 0$"):
        train(tiny, digits, patience=0, watch=digits)


# Figures


def test_figures_change_no_bit_and_are_in_the_history(
    tiny: Recipe, digits: Dataset, tmp_path: Path
) -> None:
    model = train(tiny, digits, figures=True)
    assert model.fingerprint == train(tiny, digits).fingerprint
    for record in model.card.history:
        layers = record["layers"]
        assert [(f["layer"], f["name"]) for f in layers] == [
            (3, "Dense"),
            (4, "ReLU"),
            (6, "Dense"),
        ]
    save_model(model, tmp_path / "m")
    assert load_model(tmp_path / "m").card == model.card
    post = train(find_recipe("classic"), digits, epochs=1, figures=True)
    assert "layers" not in post.card.history[0]
