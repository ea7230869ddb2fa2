"""`inkdigits info`: what a model, a data set or a recipe is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from inkdigits.dataset import Dataset
from inkdigits.formats import load_model, save_model
from inkdigits.model import Model
from inkdigits.sources import save
from inkdigits.sources.mnist import PARTS
from inkdigits.training import RECIPES, measured
from inkdigits.version import __version__

Call = Callable[..., str]
Json = Callable[..., dict[str, Any]]


def test_without_a_name_recipes_and_data_are_listed(document: Json, call: Call) -> None:
    result = document("info")
    assert list(result) == ["inkdigits", "recipes", "models", "data"]
    assert result["models"] == {"reader": "489,131 parameters, shipped"}
    assert result["inkdigits"] == __version__
    assert {name: about["purpose"] for name, about in result["recipes"].items()} == {
        name: recipe.purpose for name, recipe in RECIPES.items()
    }
    assert list(result["data"]) == list(PARTS)
    assert result["data"]["mnist:train50"] == "50,000 digits, embedded"
    said = call("info")
    for name in PARTS:
        assert f"{name}: " in said
    for name, recipe in RECIPES.items():
        assert re.search(rf"\b{name} +{re.escape(recipe.purpose)}\n", said)


def test_what_a_recipe_reached_is_told_where_it_was_measured(
    document: Json, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    figures = {
        "accuracy": 0.98447,
        "interval": [0.9842, 0.9847],
        "seeds": [1001, 1020],
        "seconds": 0.4,
        "machine": "a fast one, Python 3.14",
    }
    path = tmp_path / "measured.json"
    path.write_text(json.dumps({"mlp": figures}))
    monkeypatch.setattr(measured, "MEASURED", path)
    recipes = document("info")["recipes"]
    assert recipes["mlp"]["measured"] == document("info", "mlp")["measured"] == figures
    assert recipes["blink"]["measured"] is None
    line = (
        "98.45 % of the test set in 0.4 s (mean of seeds 1001 to 1020, 98.42 to 98.47; a fast one)"
    )
    assert line in call("info")
    assert line in call("info", "mlp")
    assert "not measured" in call("info", "blink")


def test_the_benchmarks_have_measured_these_recipes() -> None:
    """The file is theirs; who renames a recipe has to measure it again."""
    # The reader's own model is measured instead, in docs/results.md.
    assert set(measured.measured()) == set(RECIPES) - {"reader"}
    for figures in measured.measured().values():
        low, high = figures["interval"]
        assert 0.9 < low < figures["accuracy"] < high < 1


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_described_with_all_that_it_decides(
    document: Json, call: Call, name: str
) -> None:
    recipe = RECIPES[name]
    result = document("info", name)
    head = {
        "recipe": name,
        "purpose": recipe.purpose,
        "measured": measured.measured().get(name),
        "parameters": recipe.network().parameters.size,
        "layers": [str(layer) for layer in recipe.layers],
    }
    shipped = result.pop("shipped", None)
    assert (shipped is not None) == (name == "reader")
    if shipped is not None:
        assert shipped["fingerprint"] == load_model(name).fingerprint
    assert result == head | recipe.settings()
    assert f"parameters  {head['parameters']:,}\n".split() == next(
        line.split() for line in call("info", name).splitlines() if line.startswith("parameters")
    )


@pytest.mark.parametrize(
    ("name", "total", "fives"), [("mnist:train", 60_000, 5421), ("mnist:test", 10_000, 892)]
)
def test_the_embedded_sets_have_the_posts_counts(
    document: Json, call: Call, name: str, total: int, fives: int
) -> None:
    result = document("info", name)
    assert sorted(result) == sorted(
        ["data", "images", "size", "labelled", "fingerprint", "counts", "shares"]
    )
    assert (result["data"], result["images"], result["size"]) == (name, total, [28, 28])
    assert result["counts"]["5"] == fives
    assert sum(result["counts"].values()) == total
    assert result["shares"] == {d: count / total for d, count in result["counts"].items()}
    said = call("info", name)
    assert f"{total:,}" in said
    assert f"5  {fives:6,}  {100 * fives / total:.2f} %" in said


def test_a_set_without_labels_has_no_counts(
    document: Json, call: Call, some: Dataset, here: Path
) -> None:
    save(Dataset(some.images), here / "bare.csv")
    result = document("info", "bare.csv")
    assert sorted(result) == ["data", "fingerprint", "images", "labelled", "size"]
    assert result["labelled"] is False
    assert result["fingerprint"] == Dataset(some.images).fingerprint
    assert "counts" not in call("info", "bare.csv")


def test_a_model_is_described_by_its_card(
    document: Json, call: Call, blink: Model, here: Path
) -> None:
    scored = blink.with_scores(validation={"accuracy": 0.9742}, note="by hand")
    save_model(scored, here / "model")
    result = document("info", "model")
    head = {
        "model": "model",
        "fingerprint": blink.fingerprint,
        "parameters": blink.network.parameters.size,
        "layers": [str(layer) for layer in blink.network.layers],
    }
    assert result == head | asdict(scored.card)
    said = call("info", "model")
    for text in (blink.fingerprint, "validation accuracy 97.42 %", "note by hand", "Flatten()"):
        assert text in said
    assert f"epoch 1  loss {round(blink.card.history[0]['loss'], 4)}" in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x10\0\0\0\0\0\0\0{}", "got a binary file of another kind"),
        (b"", "got an empty file"),
        (None, "there is no file or folder thing"),
    ],
)
def test_what_is_nothing_that_we_know_is_refused(
    refusal: Callable[..., str], here: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (here / "thing").write_bytes(content)
    assert message in refusal("info", "thing")


def test_a_damaged_model_is_refused_as_a_model(
    refusal: Callable[..., str], model: str, here: Path
) -> None:
    (here / model).write_bytes((here / model).read_bytes()[:-1])
    assert f"{model} is damaged: expected a whole safetensors file" in refusal("info", model)
