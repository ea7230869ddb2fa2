"""`inkdigits sheet`: a sheet is written, its photos become a data set, and a hand is learned."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from filled import PENS, Photo, filled_in, photographed, printed
from inkdigits.cli import run
from inkdigits.dataset import Dataset
from inkdigits.sheet import BOXES, COLUMNS
from inkdigits.sources import load

Call = Callable[..., str]
Json = Callable[..., dict[str, Any]]
Refusal = Callable[..., str]


def take_photo(name: str, known: Dataset, *, seed: int, empty: int = 0, turned: float = 0) -> None:
    """A photo of a sheet whose last `empty` boxes of each row are empty."""
    chance = np.random.default_rng(seed)
    places = [np.flatnonzero(known.known_labels == label) for label in range(10)]
    digits = [
        None if box.place > COLUMNS - empty else known.images[chance.choice(places[box.label])]
        for box in BOXES
    ]
    pen = replace(PENS["ballpoint"], rotation_degrees=turned, slant=0.0)
    pixels = photographed(filled_in(digits, pen, chance), Photo(turn_degrees=90), chance)
    Image.fromarray(pixels).save(name, quality=92)


@pytest.mark.slow
def test_a_sheet_is_written_and_the_next_step_is_told(call: Call, here: Path) -> None:
    said = call("sheet", "sheet.pdf")
    assert said.startswith("120 boxes on a4 written to sheet.pdf: print it and fill it in\n")
    assert said.endswith("Next:  inkdigits sheet --read PHOTO\n")
    assert (here / "sheet.pdf").read_bytes().startswith(b"%PDF")


def test_the_paper_is_chosen(document: Json, here: Path) -> None:
    record = document("sheet", "sheet.pdf", "--paper", "letter")
    content = (here / "sheet.pdf").read_bytes()
    assert record == {
        "path": "sheet.pdf", "paper": "letter", "boxes": 120, "bytes": len(content),
    }  # fmt: skip
    assert b"/MediaBox [ 0 0 612 792 ]" in content


@pytest.mark.slow
def test_a_photo_becomes_a_data_set_without_its_empty_boxes(
    document: Json, validation: Dataset, model: str
) -> None:
    take_photo("photo.jpg", validation, seed=1, empty=2)
    record = document("sheet", "--read", "photo.jpg", "--out", "mine", "--model", model)
    assert list(record) == ["path", "kept", "empty", "doubtful", "left_out"]
    assert record["kept"] == [10] * 10
    assert record["empty"] == [2] * 10
    mine = load("mine")
    assert mine.counts().tolist() == [10] * 10
    assert document("evaluate", "reader", "--data", "mine")["accuracy"] >= 0.95
    for box in record["doubtful"]:
        assert box["read_as"] != box["label"]


@pytest.mark.slow
def test_a_person_is_told_how_many_and_which_are_doubtful(
    call: Call, validation: Dataset, here: Path
) -> None:
    take_photo("photo.jpg", validation, seed=1, empty=2)
    before = call("sheet", "--read", "photo.jpg")
    assert before.startswith("photo.jpg: 100 digits kept, 20 boxes empty, 0 left out\n")
    assert "  kept:  10 × 0, 10 × 1, " in before
    assert "my-digits holds 100 digits: 10 × 0, " in before
    # The same sheet again, the other way up: its sevens and twos are in other rows now.
    labels = validation.known_labels.copy()
    labels[labels == 7], labels[validation.known_labels == 2] = 2, 7
    take_photo("wrong.jpg", Dataset(validation.images, labels), seed=2, empty=11)
    said = call("sheet", "--read", "wrong.jpg", "--out", "wrong")
    assert "  row 2, box 1: reads as 7 (" in said
    assert "%), kept as 2\n" in said
    assert load("wrong").counts().tolist() == [1] * 10


@pytest.mark.slow
def test_what_cannot_be_read_costs_itself_alone(
    validation: Dataset, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    take_photo("photo.jpg", validation, seed=1, empty=6)
    Image.new("RGB", (800, 600), "white").save("white.png")
    Path("letter.txt").write_text("Dear Sir")
    empty = photographed(printed("a4"), Photo(), np.random.default_rng(0))
    Image.fromarray(empty).save("empty.png")
    names = ["white.png", "letter.txt", "nowhere.jpg", "empty.png", "photo.jpg"]
    out = ["--out", "mine", "--model", model, "--learn", "new.safetensors"]
    assert run(["sheet", "--read", *names, *out, "--json"]) == 1
    said, err = capsys.readouterr()
    lines = [json.loads(line) for line in said.splitlines()]
    assert err == ""
    assert [line["path"] for line in lines] == names
    wrong = [line.get("error", "") for line in lines]
    assert wrong[0] == (
        "expected a handwriting sheet in white.png, got no corner mark of it: photograph all of "
        "it, large, flat and in even light, with all four corner marks in view"
    )
    assert "expected letter.txt to be a picture" in wrong[1]
    assert "there is no file or folder nowhere.jpg" in wrong[2]
    assert "expected digits in the boxes of empty.png, got empty ones alone" in wrong[3]
    assert wrong[4] == ""
    assert load("mine").counts().tolist() == [6] * 10
    assert not Path("new.safetensors").exists()  # of half of the photos nothing is learned


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["taken.pdf"], "taken.pdf exists and is no sheet of inkdigits, so it is not replaced"),
        (["sheet.png"], "expected a name that ends in .pdf, got sheet.png: call it sheet.pdf"),
        (["lost/sheet.pdf"], "there is no folder lost to write sheet.pdf to: make it first"),
        (["--read", "x.jpg", "--out", "taken.pdf"], "a folder to keep digits in, got the file"),
        (["--read", "x.jpg", "--model", "nowhere"], "there is no file or folder nowhere"),
        (["--read", "x.jpg", "--learn", "taken.pdf"], "taken.pdf exists and is no model"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    refusal: Refusal, here: Path, arguments: list[str], message: str
) -> None:
    (here / "taken.pdf").write_bytes(b"%PDF-1.4 somebody's")
    assert message in refusal("sheet", *arguments)
    assert [path.name for path in here.iterdir()] == ["taken.pdf"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument"),
        (["a.pdf", "b.pdf"], "one sheet is written at a time"),
        (["a.pdf", "--learn", "b.safetensors"], "are for photos: use them with --read"),
        (["--read", "a.jpg", "--paper", "a4"], "--paper is for the sheet that is written"),
        (["a.pdf", "--paper", "a3"], "a4"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    refusal: Refusal, arguments: list[str], message: str
) -> None:
    assert message in refusal("sheet", *arguments, status=2)


@pytest.mark.slow
def test_a_hand_that_is_misread_is_learned_from_two_sheets(
    call: Call, validation: Dataset, model: str
) -> None:
    """Digits turned by 50°, which the model misreads, until it has seen 192 of them."""
    for seed in (1, 2, 3):
        take_photo(f"{seed}.jpg", validation, seed=seed, turned=50)
    options = ["--model", model, "--learn", "mine.safetensors", "--json"]
    *photos, last = map(
        json.loads, call("sheet", "--read", "1.jpg", "2.jpg", *options).splitlines()
    )
    assert [sum(photo["kept"]) for photo in photos] == [120, 120]
    before, after = last["before"]["own"], last["after"]["own"]
    assert before["total"] == after["total"] == 48
    assert before["interval"][1] < after["interval"][0]
    assert last["before"]["mnist"]["accuracy"] - last["after"]["mnist"]["accuracy"] < 0.01
    call("sheet", "--read", "3.jpg", "--out", "third", "--model", model)
    third = load("third")
    from inkdigits.formats import load_model

    assert load_model(model).evaluate(third).accuracy < 0.6
    assert load_model("mine.safetensors").evaluate(third).accuracy > 0.7
