"""`inkdigits show`: digits as they are, in the terminal and as pictures, and a model's pictures."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inkdigits.cli import run
from inkdigits.dataset import Dataset
from inkdigits.formats import load_model, save_model
from inkdigits.model import Model
from inkdigits.network import Dense, Downsample, Flatten, Network, ReLU, Rescale
from inkdigits.sources import save
from inkdigits.training import RECIPES, Augmentation, Recipe, find_recipe

Call = Callable[..., str]
Json = Callable[..., dict[str, Any]]


def inked(text: str, width: int) -> np.ndarray[Any, Any]:
    """Half-block characters as the pixels they stand for, True for ink."""
    halves = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    rows = [[halves[character] for character in line.ljust(width)] for line in text.splitlines()]
    return np.array(rows, bool).transpose(0, 2, 1).reshape(-1, width)


def test_a_digit_in_a_pipe_is_drawn_in_half_blocks_where_its_ink_is_above_half(
    call: Call, exam: Dataset
) -> None:
    said = call("show", "mnist:test", "0")
    drawing, _, caption = said.rstrip("\n").rpartition("\n")
    assert caption == "a 7, index 0"
    assert np.array_equal(inked(drawing, 28), exam.images[0] > 127)


def test_a_digit_without_a_label_is_shown_without_one(
    call: Call, some: Dataset, here: Path
) -> None:
    save(Dataset(some.images), here / "bare.npz")
    assert call("show", "bare.npz", "3").splitlines()[-1] == "index 3"


def test_a_sheet_in_a_pipe_has_ten_digits_at_half_their_size(call: Call, exam: Dataset) -> None:
    drawn = inked(call("show", "mnist:test"), 70)
    assert drawn.shape == (28, 70)
    small = exam.images[:10].reshape(2, 5, 14, 2, 14, 2).mean(axis=(3, 5)).astype(np.uint8)
    assert np.array_equal(drawn, small.transpose(0, 2, 1, 3).reshape(28, 70) > 127)


@pytest.mark.parametrize("count", [1, 6])
def test_a_sheet_of_few_digits_shows_those(
    call: Call, some: Dataset, here: Path, count: int
) -> None:
    save(some.subset(range(count)), here / "few.npz")
    drawn = inked(call("show", "few.npz"), 70)
    assert drawn.shape == (14 * -(-count // 5), 70)


def test_on_a_terminal_a_digit_is_drawn_in_greys_unless_no_color_is_set(
    capsys: pytest.CaptureFixture[str], exam: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert run(["show", "mnist:test", "0"]) == 0
    coloured = capsys.readouterr().out
    greys = re.findall(r"\x1b\[38;5;(\d+);48;5;(\d+)m▀", coloured)
    shown = np.array(greys, int).reshape(14, 28, 2).transpose(0, 2, 1).reshape(28, 28)
    # 24 greys, from 232 for black to 255 for white: each stands for 32/3 levels.
    expected = 232 + exam.images[0].astype(int) * 24 // 256
    assert np.array_equal(shown, expected)
    assert all(line.endswith("\x1b[0m") for line in coloured.splitlines()[:14])
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(["show", "mnist:test", "0"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_a_digit_as_a_picture_is_ten_times_as_large(call: Call, exam: Dataset, here: Path) -> None:
    assert call("show", "mnist:test", "1", "--out", "two.png") == "two.png\n"
    with Image.open(here / "two.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (280, 280))
        pixels = np.asarray(picture.convert("L"))[5::10, 5::10]
    # matplotlib's grey map rounds by one level.
    assert np.abs(pixels.astype(int) - exam.images[1]).max() <= 1


def test_a_sheet_as_a_picture_opens(document: Json, here: Path) -> None:
    result = document("show", "mnist:test", "--out", "sheet.png")
    assert result == {"shown": "mnist:test", "pictures": ["sheet.png"]}
    with Image.open(here / "sheet.png") as picture:
        assert picture.size == (1200, 600)  # twenty by ten


def test_in_json_the_terminal_shows_nothing(document: Json) -> None:
    assert document("show", "mnist:test", "0") == {"shown": "mnist:test", "pictures": []}


PICTURES = ["right-and-wrong.png", "confusion.png", "misread.png", "imagined.png"]


@pytest.mark.slow
@pytest.mark.parametrize("out", ["pictures", "deep/in/a folder"])
def test_a_model_becomes_a_folder_of_pictures(call: Call, model: str, here: Path, out: str) -> None:
    said = call("show", model, *(["--out", out] if out != "pictures" else []))
    names = [*PICTURES, "learning-curve.png", "weights.png"]
    assert said.splitlines() == [str(Path(out) / name) for name in names]
    assert sorted(path.name for path in (here / out).iterdir()) == sorted(names)
    for name in names:
        with Image.open(here / out / name) as picture:
            picture.load()
            assert picture.format == "PNG"


@pytest.mark.slow
def test_a_models_pictures_are_of_the_data_that_is_named(
    document: Json, model: str, some: Dataset, here: Path
) -> None:
    right = some.subset(load_model(model).predict(some.images) == some.labels)
    save(right, here / "right.npz")
    result = document("show", model, "--data", "right.npz", "--out", "a")
    assert result["shown"] == model
    assert len(result["pictures"]) == 6
    document("show", model, "--out", "b")
    assert (here / "a/misread.png").read_bytes() != (here / "b/misread.png").read_bytes()
    assert (here / "a/weights.png").read_bytes() == (here / "b/weights.png").read_bytes()


@pytest.mark.slow
def test_a_model_without_history_or_dense_first_layer_has_fewer_pictures(
    document: Json, blink: Model, here: Path
) -> None:
    network = Network([Downsample(2), Rescale(), Flatten(), ReLU(), Dense(196, 10)])
    network.initialise(np.random.default_rng(1))
    save_model(Model(network, replace(blink.card, history=[])), here / "odd")
    result = document("show", "odd", "--out", "of odd")
    assert [Path(path).name for path in result["pictures"]] == PICTURES


@pytest.fixture
def turning(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a recipe that turns its digits upside down, and further."""
    recipe = find_recipe("blink")
    assert isinstance(recipe, Recipe)
    varied = replace(recipe, name="turning", augmentation=Augmentation(rotation_degrees=180))
    monkeypatch.setitem(RECIPES, "turning", varied)
    return "turning"


def pixels_of(path: Path) -> np.ndarray[Any, Any]:
    """A picture's grey levels, ink bright."""
    with Image.open(path) as picture:
        return 255 - np.asarray(picture.convert("L")).astype(int)


def test_augmentation_is_a_row_for_each_digit_beginning_with_the_original(
    call: Call, turning: str, exam: Dataset, here: Path
) -> None:
    assert call("show", "mnist:test", "--augment", turning, "--out", "a.png") == "a.png\n"
    sheet = pixels_of(here / "a.png")[1::3, 1::3]  # three by three for each pixel
    assert sheet.shape == (280, 28 + 7 + 11 * 28)
    first = np.concatenate([exam.images[exam.labels == digit][0] for digit in range(10)])
    assert np.abs(sheet[:, :28] - first).max() <= 1  # matplotlib's grey map rounds by one level
    versions = sheet[:, 35:].reshape(10, 28, 11, 28).swapaxes(1, 2).reshape(110, 28, 28)
    assert len(np.unique(versions, axis=0)) > 100
    ink = versions.sum(axis=(1, 2)).reshape(10, 11) / first.reshape(10, -1).sum(axis=1)[:, None]
    assert np.abs(ink - 1).max() < 0.1  # turned, and not another digit's


def test_augmentation_of_one_digit_is_many_versions_of_it(
    call: Call, turning: str, exam: Dataset, here: Path
) -> None:
    call("show", "mnist:test", "0", "--augment", turning, "--out", "a.png")
    sheet = pixels_of(here / "a.png")[1::3, 1::3]
    assert np.abs(sheet[:, :28].reshape(10, 28, 28) - exam.images[0]).max() <= 1
    versions = sheet[:, 35:].reshape(10, 28, 11, 28).swapaxes(1, 2).reshape(110, 28, 28)
    assert len(np.unique(versions, axis=0)) > 100  # two may be turned nearly alike


def test_augmentation_is_the_same_at_each_call(call: Call, turning: str, here: Path) -> None:
    for name in ("a.png", "b.png"):
        call("show", "mnist:test", "--augment", turning, "--out", name)
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()


def test_augmentation_in_a_pipe_is_five_rows_at_half_their_size(
    call: Call, turning: str, exam: Dataset
) -> None:
    drawn = inked(call("show", "mnist:test", "0", "--augment", turning), 70)
    assert drawn.shape == (5 * 14, 70)
    small = exam.images[0].reshape(14, 2, 14, 2).mean(axis=(1, 3)).astype(np.uint8) > 127
    blocks = drawn.reshape(5, 14, 5, 14).swapaxes(1, 2)
    assert (blocks[:, 0] == small).all()
    assert (blocks[:, 1:] != small).any(axis=(2, 3)).mean() > 0.8  # few are hardly turned


def test_augmentation_of_few_digits_without_labels_keeps_their_order(
    call: Call, turning: str, some: Dataset, here: Path
) -> None:
    save(Dataset(some.images[:2]), here / "bare.npz")
    call("show", "bare.npz", "--augment", turning, "--out", "a.png")
    sheet = pixels_of(here / "a.png")[1::3, 1::3]
    assert np.abs(sheet[:, :28].reshape(2, 28, 28) - some.images[:2]).max() <= 1


def test_augmentation_in_json_is_not_drawn_in_the_terminal(document: Json, turning: str) -> None:
    result = document("show", "mnist:test", "--augment", turning)
    assert result == {"shown": "mnist:test", "pictures": []}


@pytest.mark.parametrize("recipe", ["blink", "classic"])
def test_a_recipe_without_augmentation_is_answered_with_those_that_have_it(
    refusal: Callable[..., str], turning: str, recipe: str
) -> None:
    others = [
        other.name
        for other in RECIPES.values()
        if isinstance(other, Recipe) and other.augmentation is not None
    ]
    assert turning in others
    assert refusal("show", "mnist:test", "--augment", recipe) == (
        f"expected a recipe with augmentation, got {recipe}, which takes the digits as they are: "
        f"choose {' or '.join(others)}"
    )


def test_where_no_recipe_has_augmentation_that_is_said(
    refusal: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, recipe in list(RECIPES.items()):
        if isinstance(recipe, Recipe):
            plain = replace(recipe, augmentation=None, hands=0.0, wear=None, negatives=0.0)
            monkeypatch.setitem(RECIPES, name, plain)
    assert refusal("show", "mnist:test", "--augment", "mlp").endswith("no recipe here has any")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits.npz", "300", "--augment", "turning"], "expected an index of 0 to 299 in digits"),
        (["digits.npz", "--augment", "turnig"], "no recipe 'turnig': did you mean turning?"),
        (["nothing.npz", "--augment", "turning"], "there is no file or folder nothing.npz"),
    ],
)
def test_what_cannot_be_varied_is_refused(
    refusal: Callable[..., str], data: str, turning: str, arguments: list[str], message: str
) -> None:
    assert message in refusal("show", *arguments)


def test_a_model_cannot_be_varied(refusal: Callable[..., str], model: str, turning: str) -> None:
    message = refusal("show", model, "--augment", turning, status=2)
    assert message.startswith("--augment varies DATA: inkdigits show DATA --augment RECIPE")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits.npz", "300"], "expected an index of 0 to 299 in digits.npz, got 300"),
        (["digits.np"], "did you mean digits.npz?"),
        (["digits.npz", "0", "--out", "nowhere/five.png"], "cannot write nowhere"),
        (["good.safetensors", "--data", "nowhere"], "there is no file or folder nowhere"),
        (["good.safetensors", "--out", "digits.npz"], "cannot make the folder digits.npz: File ex"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    refusal: Callable[..., str], data: str, model: str, arguments: list[str], message: str
) -> None:
    assert message in refusal("show", *arguments)


def test_a_model_has_no_index(refusal: Callable[..., str], model: str) -> None:
    message = refusal("show", model, "3", status=2)
    assert message.startswith("a model has no INDEX: inkdigits show MODEL --out FOLDER")
