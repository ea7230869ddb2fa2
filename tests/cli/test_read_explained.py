"""`inkdigits read --explain`, `--out` and `--error-budget`: why, drawn, and how many to name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inkdigits.dataset import Dataset
from inkdigits.formats import save_model
from inkdigits.model import Card, Model
from inkdigits.network import Dense, Flatten, Network, Rescale
from inkdigits.reading import Number, ReadDigit, Reading, open_picture
from inkdigits.sources import load, save

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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


# On a page

LEFT, TOP, HIGH, WIDE = 60, 50, 84, 60


@pytest.fixture
def page(blink: Model, here: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    """A page of two lines of digits, read as they are: the third of them least surely."""
    return write_page(blink, here / "page.png", monkeypatch)


def write_page(
    model: Model, path: Path, monkeypatch: pytest.MonkeyPatch, *, times: int = 1, apart: int = 90
) -> Page:
    """Digits of validation that the model knows, on paper; and as `read_picture` reads them.

    Args:
        model: what reads them.
        path: of the picture.
        monkeypatch: reading pages has tests of its own; here it is what it should be.
        times: how much larger than a digit in MNIST's form three times enlarged.
        apart: how far a digit begins right of the one before it, before that.
    """
    validation = load("mnist:validation").subset(range(300))
    assert validation.labels is not None
    probabilities = model.answer(validation.images).probabilities
    chosen = []
    for digit in (7, 0, 2, 6):
        own = np.flatnonzero(validation.labels == digit)
        chosen.append(int(own[probabilities[own, digit].argmax()]))
    pixels = np.full((400 * times, 500 * times), 250, np.uint8)
    digits = []
    for order, index in enumerate(chosen):
        line, column = divmod(order, 3)
        x, y = (LEFT + apart * column) * times, (TOP + 160 * line) * times
        ink = validation.images[index].repeat(3 * times, 0).repeat(3 * times, 1)
        rows, columns = np.nonzero(ink)
        down, across = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
        ink = ink[down, across]
        part = pixels[y : y + ink.shape[0], x : x + ink.shape[1]]
        np.minimum(part, 255 - ink, out=part)
        share = 0.4 if order == 2 else 0.99 - order / 100
        box = (x, y, ink.shape[1], ink.shape[0])
        digits.append(ReadDigit(int(validation.labels[index]), share, box))
    Image.fromarray(pixels).save(path)
    numbers = [
        Number("70?", 0.39, (LEFT * times, TOP * times, 240 * times, HIGH * times), digits[:3], 0),
        Number("6", 0.96, digits[3].box, digits[3:], 1),
    ]

    def as_read(source: str, model: Model, *, threshold: float | None = None) -> Reading:
        least = 0.5 if threshold is None else threshold
        return Reading(open_picture(source, longest=500), numbers, least)

    monkeypatch.setattr("inkdigits.reading.read_picture", as_read)
    return Page(path.name, digits)


@dataclass(frozen=True)
class Page:
    """A picture's name, and its digits."""

    name: str
    digits: list[ReadDigit]


def test_of_a_page_the_least_sure_digit_is_explained_and_said_to_be_it(
    call: Call, page: Page, model: str
) -> None:
    said = call("read", page.name, "--model", model, "--explain")
    assert "\nDigit 3 of 4, the least sure (2, 40.0 %), by itself:\n  It looks like a 2, " in said


def test_of_a_page_no_picture_is_to_be_learned_from(
    call: Call, page: Page, seven: str, model: str
) -> None:
    """A command that teaches a page as one digit would spoil what it teaches."""
    arguments = ("--model", model, "--explain", "--expected", "5")
    assert "your hand: inkdigits teach" in call("read", seven, "--single", *arguments)
    said = call("read", page.name, *arguments)
    assert "What to do:" in said
    assert "inkdigits teach" not in said


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize(("times", "apart"), [(1, 90), (4, 90), (1, 60)])
def test_a_digit_of_a_page_is_explained_by_its_number_in_reading_order(
    document: Json,
    blink: Model,
    here: Path,
    model: str,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    times: int,
    apart: int,
) -> None:
    page = write_page(blink, here / "page.png", monkeypatch, times=times, apart=apart)
    arguments = ("read", page.name, "--model", model, "--explain", "--box", str(number))
    line = document(*arguments)
    digit = page.digits[number - 1]
    explanation = line["explanation"]
    assert explanation["box"] == number
    article = f"a {digit.digit}"
    assert explanation["verdict"].startswith(f"It looks like {article}, ")
    # Where it is on the page, in the page's own pixels.
    assert np.abs(np.subtract(explanation["seen"]["box"], digit.box)).max() <= 6 * times
    assert [each["text"] for each in line["numbers"]] == ["70?", "6"]


@pytest.mark.slow
def test_what_is_drawn_of_a_page_is_the_digit_in_full_detail_without_its_neighbours(
    document: Json, blink: Model, here: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inkdigits import plots

    looks: list[plots.Look] = []
    stages = plots.stages
    monkeypatch.setattr(plots, "stages", lambda look: looks.append(look) or stages(look))
    page = write_page(blink, here / "page.png", monkeypatch, times=4, apart=60)
    arguments = ("read", page.name, "--model", model, "--explain", "--box", "2")
    document(*arguments, "--out", "a.png")
    (look,) = looks
    assert look.title.startswith("page.png, digit 2 of 4: 0  (")
    _, _, width, height = page.digits[1].box
    assert look.pixels.shape[0] > height
    margin = (look.pixels.shape[1] - width) // 2
    assert margin > 20
    # Left and right of the 0 stand a 7 and a 2, which are not shown.
    assert (look.pixels[:, : margin - 1] == 250).all()
    assert (look.pixels[:, -margin + 1 :] == 250).all()
    assert (look.pixels[:, margin:-margin] < 100).any()


def test_a_number_that_no_digit_of_the_page_has_is_refused(
    refusal: Refusal, page: Page, model: str, here: Path
) -> None:
    arguments = ("read", page.name, "--model", model, "--explain", "--box")
    message = refusal(*arguments, "5", status=2)
    assert "expected --box from 1 to 4, the last digit of page.png, got 5" in message
    assert "names one of the digits on a page, got --single" in refusal(
        *arguments, "1", "--single", status=2
    )
    assert "got 2 pictures" in refusal(*arguments, "1", page.name, status=2)


def test_where_there_is_no_digit_none_can_be_named(
    refusal: Refusal, model: str, here: Path
) -> None:
    Image.new("RGB", (90, 50), "white").save(here / "empty.png")
    arguments = ("read", "empty.png", "--model", model, "--explain", "--box", "1")
    assert "--box names a digit, and empty.png has none" in refusal(*arguments, status=2)


def test_the_one_digit_of_a_picture_is_explained_by_its_number_as_without(
    call: Call, seven: str, model: str
) -> None:
    arguments = ("read", seven, "--model", model, "--explain")
    assert call(*arguments, "--box", "1") == call(*arguments)


@pytest.mark.slow
def test_a_page_is_drawn_with_what_was_read_on_it(
    document: Json, page: Page, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inkdigits import plots

    drawn: list[plots.Page] = []
    overlay = plots.overlay
    monkeypatch.setattr(plots, "overlay", lambda page: drawn.append(page) or overlay(page))
    line = document("read", page.name, "--model", model, "--out", "page-read.png")
    assert line["drawn"] == "page-read.png"
    with Image.open("page-read.png") as picture:
        assert picture.width > 1000
    (shown,) = drawn
    assert [number.text for number in shown.numbers] == ["702", "6"]
    assert [unsure for number in shown.numbers for _, unsure in number.digits] == [
        *[False] * 2,
        True,
        False,
    ]
    assert [box for number in shown.numbers for box, _ in number.digits] == [
        digit.box for digit in page.digits
    ]
    assert shown.title == "page.png: 2 numbers, 1 of 4 digits not sure (?)"
    # A digit of it that is explained is drawn on its way.
    document("read", page.name, "--model", model, "--explain", "--box", "2", "--out", "a.png")
    # One digit a picture, and a picture of one digit, too.
    document("read", page.name, "--model", model, "--single", "--out", "a.png")
    assert len(drawn) == 1


@pytest.mark.slow
def test_a_picture_of_one_digit_is_drawn_on_its_way(
    document: Json, seven: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inkdigits import plots

    monkeypatch.delattr(plots, "overlay")
    document("read", seven, "--model", model, "--out", "a.png")
    assert Path("a.png").exists()


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
    arguments = ("--single", "--model", careful, "--error-budget", budget)
    said = call("read", "digits", *arguments).splitlines()
    assert len(said) == 4
    assert said[-1] == f"{3 - named} of 3 left unnamed: at most {told}"
    assert sum("not sure" in line for line in said) == 3 - named


@pytest.mark.slow
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
    arguments = ("--single", "--model", "sceptic.safetensors")
    assert call("read", seven, *arguments) == f"{seven}: {said}\n"
    save(some.subset(range(1)), here / "one.npz")
    assert call("read", "one.npz", "--model", "sceptic.safetensors") == f"0: {said}\n"
