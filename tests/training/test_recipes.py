"""Recipes are found by name, hold all that decides the outcome, and say it as plain data."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from inkdigits.errors import TrainingError
from inkdigits.network import SGD, Dense, SoftmaxCrossEntropy, glorot
from inkdigits.training import RECIPES, Augmentation, ClassicRecipe, Recipe, find_recipe
from inkdigits.training.schedules import Constant
from inkdigits.training.wear import Wear


def test_every_recipe_is_found_by_its_name() -> None:
    assert {"classic", "blink", "mlp"} <= set(RECIPES)
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        assert find_recipe(name) is recipe


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("clasic", "there is no recipe 'clasic': did you mean classic?"),
        ("blnk", "there is no recipe 'blnk': did you mean blink?"),
        ("mpl", "there is no recipe 'mpl': did you mean mlp?"),
        ("lenet", "there is no recipe 'lenet': did you mean lenet5?"),
        ("vit-huge", "there is no recipe 'vit-huge': there are " + ", ".join(RECIPES)),
        ("", "there is no recipe '': there are " + ", ".join(RECIPES)),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(TrainingError) as caught:
        find_recipe(name)
    assert str(caught.value) == message


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_network_takes_glyphs_and_has_an_answer_for_each_digit(
    recipe: Recipe | ClassicRecipe,
) -> None:
    network = recipe.network()
    assert network.layers == recipe.layers
    assert network.input_shape == (28, 28)
    answers = 11 if getattr(recipe, "negatives", 0) else 10
    assert network.predict(np.zeros((28, 28, 3), np.uint8)).shape == (answers, 3)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_settings_are_plain_data(recipe: Recipe | ClassicRecipe) -> None:
    settings = recipe.settings()
    assert json.loads(json.dumps(settings, allow_nan=False)) == settings
    assert settings["epochs"] == recipe.epochs


def changes(recipe: Recipe) -> dict[str, Any]:
    """Another value for each field that decides the outcome."""
    return {
        "loss": SoftmaxCrossEntropy(smoothing=0.5),
        "optimizer": SGD(momentum=0.5),
        "schedule": Constant(0.5),
        "epochs": recipe.epochs + 1,
        "batch": recipe.batch + 1,
        "chunk": recipe.chunk + 1,
        "lanes": recipe.lanes + 1,
        "spread": glorot,
        "averaging": 0.99,
        "clip_norm": 1.0,
        "augmentation": Augmentation(shift=2),
        "hands": 0.5,
        "wear": Wear(blur=0.5),
        "negatives": 0.5,
    }


def test_whatever_decides_the_outcome_shows_in_the_settings(tiny: Recipe) -> None:
    """All but the layers, which a card has in full beside the settings."""
    tiny = dataclasses.replace(tiny, layers=(*tiny.layers[:-1], Dense(16, 11)))  # for negatives
    fields = {field.name for field in dataclasses.fields(Recipe)}
    assert set(changes(tiny)) == set(tiny.settings()) == fields - {"name", "purpose", "layers"}
    for name, value in changes(tiny).items():
        settings = dataclasses.replace(tiny, **{name: value}).settings()
        assert {key for key in settings if settings[key] != tiny.settings()[key]} == {name}


def test_whatever_decides_the_outcome_of_the_post_shows_in_the_settings() -> None:
    recipe = find_recipe("classic")
    for name, value in {"hidden": 100, "rate": 0.2, "epochs": 7}.items():
        settings = dataclasses.replace(recipe, **{name: value}).settings()
        assert {key for key in settings if settings[key] != recipe.settings()[key]} == {name}
        assert settings[name] == value


def test_classic_is_the_posts_network() -> None:
    recipe = find_recipe("classic")
    assert recipe.settings() == {"hidden": 200, "rate": 0.1, "epochs": 5}
    network = recipe.network()
    assert [views["weight"].shape for views in network.views(network.parameters) if views] == [
        (200, 784),
        (10, 200),
    ]
    assert network.parameters.dtype == np.float64
    assert network.parameters.size == 200 * 784 + 10 * 200  # no bias


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"averaging": 1.0}, "expected averaging of 0 to less than 1 in recipe tiny, got 1.0"),
        ({"averaging": -0.1}, "expected averaging of 0 to less than 1 in recipe tiny, got -0.1"),
        ({"clip_norm": 0.0}, "expected clip_norm of more than 0, or None, in recipe tiny, got 0.0"),
        ({"clip_norm": float("inf")}, "expected clip_norm of more than 0, or None, in recipe tiny"),
    ],
)
def test_averaging_and_clipping_that_cannot_be_are_refused(
    tiny: Recipe, setting: dict[str, float], message: str
) -> None:
    with pytest.raises(TrainingError) as caught:
        dataclasses.replace(tiny, **setting)
    assert str(caught.value).startswith(message)
