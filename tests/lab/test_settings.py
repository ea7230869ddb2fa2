"""Settings are refused before anything is started for them, or mean what can be trained."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from inkdigits.errors import TrainingError
from inkdigits.lab.runs.estimates import estimate, least, seconds_of
from inkdigits.lab.runs.plans import (
    dataset_of,
    multiplications,
    rate_of,
    recipe_of,
    recipes,
    steps_of,
)
from inkdigits.lab.runs.settings import (
    ACTIVATIONS,
    AUGMENTATIONS,
    DEFAULT,
    LOSSES,
    OPTIMIZERS,
    RunSettings,
    augmentation_of,
    options,
)
from inkdigits.network import (
    Conv2d,
    Dense,
    Flatten,
    MaxPool2d,
    Network,
    ReLU,
    Rescale,
    Sigmoid,
    glorot,
    he,
)
from inkdigits.sources import load
from inkdigits.training import RECIPES, Augmentation, Change, ClassicRecipe, Recipe, train
from inkdigits.training.recipes import PIXELS
from inkdigits.training.schedules import Constant, OneCycle


def settings(**given: Any) -> RunSettings:
    return RunSettings.model_validate(given)


def network(*layers: dict[str, Any], **given: Any) -> dict[str, Any]:
    return {"layers": list(layers), **given}


def conv(units: int = 4, **given: Any) -> dict[str, Any]:
    return {"kind": "convolution", "units": units, **given}


def dense(units: int = 8) -> dict[str, Any]:
    return {"kind": "dense", "units": units}


def recipe(**given: Any) -> Recipe:
    found = recipe_of(settings(**given))
    assert isinstance(found, Recipe)
    return found


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"recipe": "quick", "colour": 1},
        {"recipe": "quikc"},
        {"recipe": "quick", "epochs": 0},
        {"recipe": "quick", "epochs": 201},
        {"recipe": "quick", "epochs": "2"},
        {"recipe": "quick", "epochs": True},
        {"recipe": "quick", "batch": 1025},
        {"recipe": "quick", "rate": 0},
        {"recipe": "quick", "rate": math.nan},
        {"recipe": "quick", "rate": 11},
        {"recipe": "quick", "images": 99},
        {"recipe": "quick", "images": 50_001},
        {"recipe": "quick", "wrong_labels": 0.91},
        {"recipe": "quick", "seed": -1},
        {"recipe": "quick", "seed": 2**32},
        {"recipe": "quick", "name": "  "},
        {"recipe": "quick", "name": "x" * 81},
        {"recipe": "quick", "name": "\ud800"},
        {"recipe": "quick", "augmentation": "wild"},
        {"network": network(dense(0))},
        {"network": network(dense(513))},
        {"network": network(conv(kernel=8))},
        {"network": network({"kind": "dropout"})},
        {"network": network(*[dense()] * 5)},
        {"network": network(*[conv(kernel=1, pool=False)] * 5)},
        {"network": network(dense(), conv())},
        {"network": network(dense(), activation="step")},
    ],
)
def test_what_is_out_of_bounds_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**given)


def test_a_name_means_its_recipe_with_nothing_changed() -> None:
    for name, own in RECIPES.items():
        meant = recipe_of(settings(recipe=name))
        assert meant == own


def test_settings_are_the_same_after_json() -> None:
    assert RunSettings.model_validate(DEFAULT.model_dump(mode="json")) == DEFAULT


def test_a_recipe_takes_what_is_changed_and_keeps_the_rest() -> None:
    own, changed = recipe(recipe="quick"), recipe(recipe="quick", rate=0.005, epochs=7, batch=64)
    assert changed.schedule == OneCycle(peak=0.005, warmup=0.2, end=0.01)
    assert (changed.epochs, changed.batch) == (7, 64)
    assert (changed.layers, changed.loss, changed.optimizer) == (
        own.layers,
        own.loss,
        own.optimizer,
    )
    assert recipe(recipe="quick", schedule="constant").schedule == Constant(0.02)
    assert recipe(recipe="quick", augmentation="hand").augmentation == AUGMENTATIONS["hand"]
    assert recipe(recipe="standard").augmentation is not None
    assert recipe(recipe="standard", augmentation="none").augmentation is None


def test_small_batches_are_still_shared_between_two_lanes() -> None:
    assert recipe(recipe="quick", batch=32).chunk == 16
    assert recipe(recipe="quick").chunk == 32
    assert recipe_of(DEFAULT) == recipe(**DEFAULT.model_dump())
    assert recipe(**DEFAULT.model_dump()).chunk == 32
    assert recipe(network=network(dense()), batch=128).chunk == 64


def test_a_small_batch_leaves_no_chunks_too_small_for_a_larger_one() -> None:
    for batch in (1, 4, 31):
        grown = Change(batch=128).changed(recipe(recipe="quick", batch=batch))
        assert (grown.batch, grown.chunk) == (128, 16)


def test_the_posts_recipe_has_a_rate_and_epochs_and_nothing_else() -> None:
    meant = recipe_of(settings(recipe="classic", rate=0.2, epochs=1))
    assert isinstance(meant, ClassicRecipe)
    assert (meant.rate, meant.epochs, meant.hidden) == (0.2, 1, 200)
    for given in ({"batch": 32}, {"schedule": "one-cycle"}, {"augmentation": "hand"}):
        with pytest.raises(TrainingError, match="one digit at a time"):
            recipe_of(settings(recipe="classic", **given))


def test_a_network_is_built_of_its_layers() -> None:
    built = recipe(
        network=network(conv(6, kernel=5), conv(8, kernel=3, pool=False), dense(30), dense(20))
    )
    assert [type(layer) for layer in built.layers] == [
        Rescale, Conv2d, MaxPool2d, ReLU, Conv2d, ReLU, Flatten, Dense, ReLU, Dense, ReLU, Dense,
    ]  # fmt: skip
    assert built.layers[1] == Conv2d(1, 6, 5)
    assert built.layers[4] == Conv2d(6, 8, 3)
    assert built.layers[7] == Dense(800, 30)
    assert built.network().answers == 10


def test_a_network_without_hidden_layers_is_built_too() -> None:
    assert [type(layer) for layer in recipe(network=network()).layers] == [Rescale, Flatten, Dense]


def test_the_start_of_the_weights_fits_the_activation() -> None:
    for activation, spread in (
        ("relu", he),
        ("leaky-relu", he),
        ("tanh", glorot),
        ("sigmoid", glorot),
    ):
        built = recipe(network=network(dense(), activation=activation))
        assert built.spread is spread
        assert isinstance(built.layers[-2], ACTIVATIONS[activation])


def test_pictures_that_shrink_below_the_kernel_are_an_error_that_names_the_layer() -> None:
    three = network(conv(kernel=5), conv(kernel=5), conv(kernel=5))
    with pytest.raises(TrainingError, match="convolution 3, got 4 × 4 pixels"):
        recipe_of(settings(network=three))


def test_what_would_take_all_memory_or_days_is_refused_at_once() -> None:
    wide = network(conv(512, kernel=1, pool=False), dense(512))
    with pytest.raises(TrainingError, match="at most 5,000,000 parameters"):
        recipe_of(settings(network=wide))
    long = network(*[conv(200, kernel=7, pool=False)] * 2, conv(1, kernel=7))
    with pytest.raises(TrainingError, match="at most 100,000,000 multiplications a picture"):
        recipe_of(settings(network=long))


def test_multiplications_are_those_of_each_weight_at_each_place() -> None:
    layers = [Conv2d(1, 6, 5), MaxPool2d(2), Flatten(), Dense(864, 10)]
    assert multiplications(layers) == [24 * 24 * 25 * 6, 0, 0, 8640]


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_whatever_can_be_chosen_learns(optimizer: str, loss: str) -> None:
    chosen = settings(
        network=network(dense(32), optimizer=optimizer, loss=loss),
        images=2000, batch=20, epochs=3,
    )  # fmt: skip
    model = train(recipe_of(chosen), dataset_of(chosen), threads=1)
    assert model.evaluate(load("mnist:validation").subset(slice(500))).accuracy > 0.5


def test_the_data_are_the_first_so_many_with_some_labels_wrong() -> None:
    whole = load("mnist:train50")
    few = dataset_of(settings(recipe="quick", images=300))
    assert few.fingerprint == whole.subset(slice(300)).fingerprint
    wrong = dataset_of(settings(recipe="quick", images=300, wrong_labels=0.2, seed=3))
    assert (wrong.known_labels != few.known_labels).sum() == 60
    assert np.array_equal(wrong.images, few.images)


def test_an_augmentation_has_its_name_again() -> None:
    for name, augmentation in AUGMENTATIONS.items():
        assert augmentation_of(augmentation) == name
    assert augmentation_of(Augmentation(erase=3)) == "own"


def test_what_there_is_to_choose_from_is_what_is_accepted() -> None:
    there = options()
    for activation in there["activations"]:
        for optimizer in there["optimizers"]:
            for loss in there["losses"]:
                own = network(dense(), activation=activation, optimizer=optimizer, loss=loss)
                assert recipe(network=own)
    for schedule in there["schedules"]:
        for augmentation in there["augmentations"]:
            assert recipe(recipe="mlp", schedule=schedule, augmentation=augmentation)


def test_the_list_of_recipes_says_what_they_are() -> None:
    listed = {entry["name"]: entry for entry in recipes()}
    assert list(listed) == list(RECIPES)
    assert listed["quick"]["rate"] == pytest.approx(0.02)
    assert listed["classic"] | {"purpose": "", "layers": []} == {
        "name": "classic", "purpose": "", "epochs": 5, "batch": 1, "rate": 0.1, "layers": [],
        "seconds": listed["classic"]["seconds"], "accuracy": listed["classic"]["accuracy"],
        "parameters": 784 * 200 + 2000, "steerable": False,
    }  # fmt: skip
    assert all(entry["steerable"] for name, entry in listed.items() if name != "classic")
    assert listed["reader"]["parameters"] == Network(RECIPES["reader"].layers).parameters.size


def test_an_estimate_names_layers_shapes_and_parameters() -> None:
    found = estimate(settings(network=network(conv(6), dense(30)), images=1000, batch=64, epochs=3))
    assert [layer["shape"] for layer in found["layers"]] == [
        [28, 28], [6, 24, 24], [6, 12, 12], [6, 12, 12], [864], [30], [30], [10],
    ]  # fmt: skip
    assert [layer["parameters"] for layer in found["layers"] if layer["parameters"]] == [
        156, 25_950, 310,
    ]  # fmt: skip
    assert found["parameters"] == 26_416
    assert found["steps"] == 48
    assert found["seconds"] > 0
    assert found["fits"] is True


def test_an_estimate_grows_with_digits_and_epochs() -> None:
    ticks = iter(range(100_000))  # a clock on which all work takes as long

    def seconds(**given: Any) -> float:
        chosen = settings(**given)
        return seconds_of(recipe_of(chosen), chosen.images, clock=lambda: float(next(ticks)))

    one = seconds(recipe="mlp", images=10_240, epochs=1)
    assert seconds(recipe="mlp", images=10_240, epochs=4) == pytest.approx(4 * one)
    assert seconds(recipe="mlp", images=40_960, epochs=1) > 2 * one
    assert seconds(recipe="classic", images=200) == pytest.approx(
        2 * seconds(recipe="classic", images=100)
    )


@pytest.mark.parametrize("slow", range(4))
def test_an_estimate_is_not_led_astray_by_what_others_do_on_the_machine(slow: int) -> None:
    seconds, calls = 0.0, 0

    def work() -> None:
        nonlocal seconds, calls
        seconds += 0.07 if calls <= slow else 0.001
        calls += 1

    assert least(work, lambda: seconds) == pytest.approx(0.001)


def test_what_takes_long_is_not_timed_often() -> None:
    seconds = 0.0

    def work() -> None:
        nonlocal seconds
        seconds += 0.3

    assert least(work, lambda: seconds) == pytest.approx(0.3)
    assert seconds < 1.3


def test_a_squared_error_starts_nearer_to_its_answers() -> None:
    usual = recipe(network=network(dense()))
    squared = recipe(network=network(dense(), loss="squared-error"))
    assert rate_of(squared) == rate_of(usual) / 2
    assert (usual.layers[0], squared.layers[0]) == (PIXELS, Rescale())
    assert rate_of(recipe(network=network(dense(), loss="squared-error"), rate=0.3)) == 0.3


def test_steps_count_the_last_short_batch_and_what_is_no_digit() -> None:
    assert steps_of(recipe(recipe="mlp", epochs=2), 1000) == 8
    assert steps_of(recipe(recipe="reader", epochs=1), 1000) == math.ceil(1400 / 256)
    assert steps_of(recipe_of(settings(recipe="classic", epochs=2)), 1000) == 2000


def test_the_rate_of_a_recipe_is_its_highest() -> None:
    assert rate_of(recipe(recipe="quick")) == pytest.approx(0.02)
    assert rate_of(recipe(recipe="quick", rate=0.5, schedule="constant")) == 0.5
    assert rate_of(recipe_of(settings(recipe="classic"))) == 0.1


def test_sigmoids_can_be_chosen_for_convolutions() -> None:
    built = recipe(network=network(conv(), activation="sigmoid"))
    assert Sigmoid() in built.layers
