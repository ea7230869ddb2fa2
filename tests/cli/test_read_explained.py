"""`inkdigits read --explain`, `--out` and `--error-budget`: why, drawn, and how many to name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inkdigits.dataset import Dataset
from inkdigits.formats import save_model
from inkdigits.model import Card, Model
from inkdigits.network import Dense, Flatten, Network, Rescale
from inkdigits.sources import save

Call = Callable[..., str]
Json = Callable[..., dict[str, Any]]
Refusal = Callable[..., str]


@pytest.fixture
def seven(some: Dataset, here: Path) -> str:
    """The name of a picture of a 7."""
    Image.fromarray(255 - some.images[0].repeat(4, 0).repeat(4, 1)).save(here / "my seven.png")
    return "my seven.png"


@pytest.fixture
def careful(blink: Model, here: Path) -> str:
    """A model whose card says: of all answers 2 % are wrong, from a confidence of .97 on .5 %."""
    curve = [[0.0, 1.0, 0.02], [0.97, 0.8, 0.005]]
    calibration = {"temperature": 1.0, "threshold": 0.1, "curve": curve}
    save_model(blink.with_calibration(calibration), here / "careful.safetensors")
    return "careful.safetensors"


def sceptic(none: float, *logits: float) -> Model:
    """A model of eleven answers that says the same to everything."""
    network = Network([Rescale(1 / 255), Flatten(), Dense(784, 11)])
    network.views(network.parameters)[2]["bias"][:] = [*logits, none]
    calibration = {"temperature": 1.0, "threshold": 0.6}
    card = Card(
        recipe="hand",
        settings={},
        seed=0,
        epochs=0,
        data="",
        version="",
        seconds=0.0,
        calibration=calibration,
    )
    return Model(network, card)


# Why


def test_an_explanation_is_told_below_the_reading(call: Call, seven: str, model: str) -> None:
    said = call("read", seven, "--model", model, "--explain").splitlines()
    assert said[0].startswith("my seven.png: 7  (")
    assert said[1].startswith("  It looks like a 7, ")
    assert any("pixels large" in line for line in said)
    assert any(line.startswith("  Of 10,000 training digits, ") for line in said)
    assert "How firm it is:" in said


def test_a_digit_that_should_be_another_is_told_what_to_do(
    call: Call, seven: str, model: str
) -> None:
    said = call("read", seven, "--model", model, "--explain", "--expected", "4")
    assert "  It looks like a 7, " in said
    assert "and not like a 4" in said
    assert "What to do:\n" in said
    assert "inkdigits teach 'my seven.png' --label 4" in said


def test_in_json_the_explanation_stands_beside_the_reading(
    document: Json, seven: str, model: str
) -> None:
    alone = document("read", seven, "--model", model)
    line = document("read", seven, "--model", model, "--explain", "--expected", "4")
    explanation = line.pop("explanation")
    assert line == alone
    assert explanation["expected"] == 4
    assert explanation["seen"]["ink"] == "dark"
    assert {"name", "choices", "digit", "confidence", "changed"} == set(explanation["trials"][0])
    assert explanation["advice"]
    assert [each["label"] for each in explanation["nearest"]].count(7) >= 4
    # Every sixth of the 60,000 was compared.
    assert all(each["index"] % 6 == 0 for each in explanation["nearest"])


def test_what_cannot_be_opened_is_named_in_its_place(
    capsys: pytest.CaptureFixture[str], seven: str, model: str, here: Path
) -> None:
    from inkdigits.cli import run

    (here / "letter.png").write_text("Dear Sir")
    assert run(["read", "letter.png", seven, "--model", model, "--explain", "--json"]) == 1
    out, err = capsys.readouterr()
    first, second = map(json.loads, out.splitlines())
    assert err == ""
    assert list(first) == ["path", "error"]
    assert second["path"] == seven


# Drawn


@pytest.mark.parametrize("options", [["--explain", "--expected", "1"], ["--explain"], []])
@pytest.mark.parametrize("empty", [True, False])
def test_the_way_from_picture_to_digit_is_drawn(
    call: Call, seven: str, model: str, here: Path, options: list[str], empty: bool
) -> None:
    if empty:
        Image.new("RGB", (90, 50), "white").save(here / seven)
    before = (here / seven).read_bytes()
    said = call("read", seven, "--model", model, "--out", "report.png", *options)
    assert said.splitlines()[-1] == "drawn to report.png"
    assert ("It looks like" in said) == (bool(options) and not empty)
    with Image.open(here / "report.png") as drawn:
        drawn.load()
        assert drawn.width > 1000
    assert (here / seven).read_bytes() == before


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("good.safetensors", "to end in .png, .svg, .pdf, got good.safetensors: name it so"),
        ("a.jpg", "to end in .png, .svg, .pdf, got a.jpg"),
        ("nowhere/a.png", "there is no folder nowhere"),
        ("folder.png", "got a folder"),
    ],
)
def test_what_cannot_be_drawn_to_is_refused_before_anything_is_read(
    refusal: Refusal, seven: str, model: str, here: Path, out: str, message: str
) -> None:
    (here / "folder.png").mkdir()
    before = (here / model).read_bytes()
    assert message in refusal("read", seven, "--model", model, "--out", out)
    # Before even the model is looked for.
    assert message in refusal("read", seven, "--model", "nowhere.safetensors", "--out", out)
    assert (here / model).read_bytes() == before


def test_the_command_that_teaches_takes_a_name_that_begins_as_an_option(
    call: Call, seven: str, model: str, here: Path
) -> None:
    (here / seven).rename("-x.png")
    said = call("read", "--model", model, "--explain", "--expected", "4", "--", "-x.png")
    assert "inkdigits teach ./-x.png --label 4" in said


def test_of_what_is_clearly_no_digit_it_is_asked_first_which_it_is(
    call: Call, seven: str, here: Path
) -> None:
    save_model(sceptic(9, *[0] * 10), here / "sceptic.safetensors")
    read = ("read", seven, "--model", "sceptic.safetensors", "--explain")
    said = call(*read)
    assert "What to do:\n  It may be no digit, and then all is well." in said
    assert "--expected D" in said
    assert "inkdigits teach" not in said
    assert "--label 7" in (told := call(*read, "--expected", "7"))
    assert "no digit, and then all is well" not in told


def test_a_drawing_is_named_in_json(document: Json, seven: str, model: str) -> None:
    assert document("read", seven, "--model", model, "--out", "a.svg")["drawn"] == "a.svg"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["my seven.png", "--expected", "7"], "add --explain"),
        (["my seven.png", "--explain", "--expected", "10"], "10"),
        (["my seven.png", "my seven.png", "--out", "a.png"], "--out draws one picture, got 2"),
        (["my seven.png", "--out", "my seven.png"], "would replace the picture my seven.png"),
        ([".", "--explain"], "take pictures, got the folder ."),
        ([".", "--out", "a.png"], "take pictures, got the folder ."),
        (["a.csv", "--submission", "b.csv", "--explain"], "names every digit and draws none"),
        (["a.csv", "--submission", "b.csv", "--error-budget", "1%"], "names every digit"),
        (["my seven.png", "--error-budget", "some"], "expected a share as 1% or 0.01"),
        (["my seven.png", "--error-budget", "0"], "above 0 and at most 1, got '0'"),
        (["my seven.png", "--error-budget", "101%"], "above 0 and at most 1, got '101%'"),
        (["my seven.png", "--error-budget", "nan"], "above 0 and at most 1, got 'nan'"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_done(
    refusal: Refusal, seven: str, model: str, here: Path, arguments: list[str], message: str
) -> None:
    before = sorted(here.iterdir())
    assert message in refusal("read", *arguments, "--model", model, status=2)
    assert sorted(here.iterdir()) == before


# How many to name


@pytest.mark.parametrize(
    ("budget", "named", "told"),
    [
        ("2%", 3, "2.00 % wrong is promised from a confidence of 10.00 % on"),
        ("0.005", 2, "0.50 % wrong is promised from a confidence of 97.00 % on"),
    ],
)
def test_a_budget_of_errors_becomes_the_threshold_of_the_models_card(
    call: Call,
    some: Dataset,
    careful: str,
    blink: Model,
    here: Path,
    budget: str,
    named: int,
    told: str,
) -> None:
    (here / "digits").mkdir()
    confidence = blink.answer(some.images).confidence
    unsure, *_, second, first = np.argsort(confidence)
    for index in (first, second, unsure):
        glyph = some.images[index].repeat(4, 0).repeat(4, 1)
        Image.fromarray(255 - glyph).save(here / "digits" / f"{index:03}.png")
    said = call("read", "digits", "--model", careful, "--error-budget", budget).splitlines()
    assert len(said) == 4
    assert said[-1] == f"{3 - named} of 3 left unnamed: at most {told}"
    assert sum("not sure" in line for line in said) == 3 - named


def test_a_budget_decides_what_json_calls_rejected(
    document: Json, seven: str, careful: str, blink: Model, here: Path
) -> None:
    for curve, rejected in (([[0.0, 1.0, 0.01]], False), ([[1.0, 0.1, 0.01]], True)):
        calibration = {"temperature": 1.0, "threshold": 0.5, "curve": curve}
        save_model(blink.with_calibration(calibration), here / careful)
        arguments = ("read", seven, "--model", careful, "--error-budget", "1%")
        assert document(*arguments, "--single")["rejected"] is rejected
        assert document(*arguments)["numbers"][0]["text"] == ("?" if rejected else "7")
        assert document(*arguments, "--single", "--explain")["rejected"] is rejected


def test_a_budget_that_cannot_be_kept_is_refused_with_the_least_that_can(
    refusal: Refusal, seven: str, careful: str
) -> None:
    message = refusal("read", seven, "--model", careful, "--error-budget", "0.1%")
    assert "expected a budget for errors of 0.500 % or more, got 0.1 %" in message


def test_a_model_that_was_never_calibrated_has_no_budget(
    refusal: Refusal, seven: str, model: str
) -> None:
    message = refusal("read", seven, "--model", model, "--error-budget", "1%")
    assert "got one that was not calibrated" in message


@pytest.mark.parametrize(
    ("logits", "none", "said"),
    [
        ([0] * 3 + [3] + [0] * 6, 6, "not a digit  (93.3 %)"),
        ([0] * 3 + [3] + [0] * 6, 5, "not a digit?  (perhaps 3, 11.3 %)"),
        ([0] * 3 + [4, 3.6] + [0] * 5, 0, "not sure  (3, 54.5 %, or 4, 36.5 %)"),
        ([0] * 3 + [4] + [0] * 6, 3.6, "not sure  (3, 54.5 %, or not a digit)"),
        ([0] * 3 + [9] + [0] * 6, 0, "3  (99.9 %)"),
    ],
)
def test_what_is_better_not_named_is_told_in_words(
    call: Call, some: Dataset, here: Path, seven: str, logits: list[float], none: float, said: str
) -> None:
    save_model(sceptic(none, *logits), here / "sceptic.safetensors")
    assert call("read", seven, "--model", "sceptic.safetensors") == f"{seven}: {said}\n"
    save(some.subset(range(1)), here / "one.npz")
    assert call("read", "one.npz", "--model", "sceptic.safetensors") == f"0: {said}\n"
