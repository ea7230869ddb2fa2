"""`inkdigits teach`: pictures become a data set of the user's own, each digit in it once."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inkdigits.cli import run
from inkdigits.dataset import Dataset
from inkdigits.formats import load_model, model_file
from inkdigits.reading import LONGEST, open_picture, prepare
from inkdigits.sources import load

Call = Callable[..., str]
Json = Callable[..., dict[str, Any]]
Refusal = Callable[..., str]


@pytest.fixture
def pictures(some: Dataset, here: Path) -> list[str]:
    """A 7, a 2 and a 1 in dark ink on white paper, five times as large as glyphs."""
    names = ["seven.png", "two.png", "one.png"]
    for name, image in zip(names, some.images, strict=False):
        Image.fromarray(255 - image).resize((140, 140), Image.Resampling.BILINEAR).save(name)
    return names


def glyph(picture: str) -> np.ndarray[Any, Any]:
    return prepare(open_picture(picture, longest=LONGEST)).glyph


def kept() -> list[str]:
    """All files in my-digits, by label and name."""
    return sorted(str(path.relative_to("my-digits")) for path in Path("my-digits").rglob("*.*"))


# What is kept


def test_a_picture_is_kept_as_the_glyph_that_is_read_under_its_label(
    document: Json, pictures: list[str], model: str
) -> None:
    line = document("teach", pictures[0], "--label", "3", "--model", model)
    assert list(line) == ["path", "label", "read_as", "kept"]
    assert (line["path"], line["label"], line["read_as"]) == ("seven.png", 3, 7)
    assert re.fullmatch(r"my-digits/3/[0-9a-f]{16}\.png", Path(line["kept"]).as_posix())
    digits = load("my-digits")
    assert digits.known_labels.tolist() == [3]
    assert np.array_equal(digits.images[0], glyph("seven.png"))


def test_each_picture_has_its_line(call: Call, pictures: list[str], model: str) -> None:
    out = call("teach", *pictures, "--label", "5", "--model", model, "--json")
    assert [json.loads(line)["read_as"] for line in out.splitlines()] == [7, 2, 1]
    assert load("my-digits").counts()[5] == 3


@pytest.mark.skipif(sys.platform == "win32", reason="such names are a matter of POSIX")
def test_a_name_gives_a_terminal_no_orders_and_is_one_line(
    call: Call, pictures: list[str], model: str
) -> None:
    Path(pictures[0]).rename("red\x1b[31m\n.png")
    said = call("teach", "red\x1b[31m\n.png", "--label", "7", "--model", model)
    assert said.startswith(r"red\x1b[31m\n.png: read as 7 (")


def test_the_same_picture_twice_is_kept_once(
    call: Call, pictures: list[str], model: str, here: Path
) -> None:
    options = ["--label", "7", "--model", model]
    call("teach", "seven.png", *options)
    before = kept()
    Path("copy.png").write_bytes((here / "seven.png").read_bytes())
    assert "copy.png: read as 7 (" in (said := call("teach", "copy.png", *options))
    assert "%), kept already as 7\n" in said
    assert kept() == before


def test_under_another_label_a_picture_moves_there(
    call: Call, pictures: list[str], model: str
) -> None:
    call("teach", "seven.png", "--label", "7", "--model", model)
    said = call("teach", "seven.png", "--label", "1", "--model", model)
    assert "was kept as 7, now as 1\n" in said
    assert "my-digits holds 1 digit: 1 × 1\n" in said
    assert load("my-digits").known_labels.tolist() == [1]


def test_the_folder_is_where_to_says_and_goes_wherever_data_go(
    call: Call, document: Json, pictures: list[str], model: str
) -> None:
    call("teach", "seven.png", "--label", "7", "--to", "my hand", "--model", model)
    said = call("teach", "two.png", "--label", "2", "--to", "my hand", "--model", model)
    assert "my hand holds 2 digits: 1 × 2, 1 × 7\n" in said
    assert not Path("my-digits").exists()
    assert document("evaluate", model, "--data", "my hand")["correct"] == 2
    assert document("info", "my hand")["counts"]["7"] == 1


def test_a_person_is_told_what_it_was_read_as_and_what_comes_next(
    call: Call, pictures: list[str], model: str
) -> None:
    first, *_, last = call("teach", "two.png", "--label", "2", "--model", model).splitlines()
    assert re.fullmatch(r"two\.png: read as 2 \(\d+ %\), kept as 2", first)
    assert last == (
        f"Next:  inkdigits train --from {model} --data mnist --and my-digits --out mine.safetensors"
    )


def test_what_a_model_would_rather_not_name_was_read_as_nothing(
    document: Json, call: Call, pictures: list[str], model: str
) -> None:
    careful = load_model(model).with_calibration({"temperature": 1.0, "threshold": 1.0})
    model_file.save_model(careful, "careful.safetensors")
    options = ["--label", "7", "--model", "careful.safetensors"]
    assert document("teach", "seven.png", *options)["read_as"] is None
    assert "seven.png: not read so far, kept already as 7" in call("teach", "seven.png", *options)


def test_the_model_that_reads_is_the_shipped_one(
    document: Json,
    pictures: list[str],
    model: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path_factory.mktemp("models")
    (folder / "reader.safetensors").write_bytes(Path(model).read_bytes())
    monkeypatch.setattr(model_file, "SHIPPED", folder)
    assert document("teach", "two.png", "--label", "2")["read_as"] == 2


# What is not


def test_what_cannot_be_read_costs_itself_alone(
    pictures: list[str], model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("L", (60, 60), 255).save("empty.png")
    Path("letter.png").write_text("Dear Sir")
    names = ["seven.png", "empty.png", "nowhere.png", "letter.png", "two.png"]
    arguments = ["teach", *names, "--label", "7", "--model", model]
    assert run([*arguments, "--json"]) == 1
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert err == ""
    assert [line["path"] for line in lines] == names
    assert ["error" in line for line in lines] == [False, True, True, True, False]
    assert lines[1] == {
        "path": "empty.png",
        "error": "expected a digit in empty.png, got a picture without ink: draw it anew",
    }
    assert len(load("my-digits")) == 2
    assert run(arguments) == 1
    said = capsys.readouterr().out
    assert "\nempty.png: expected a digit in empty.png, got a picture without ink" in said
    assert "my-digits holds 2 digits: 2 × 7\n" in said


def test_where_nothing_could_be_read_no_folder_is_made(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["teach", "nowhere.png", "--label", "7", "--model", model]) == 1
    assert "Next" not in capsys.readouterr().out
    assert not Path("my-digits").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--to", "seven.png"], "expected a folder to keep digits in, got the file seven.png"),
        (["--to", "letters"], "expected letters to hold folders 0 to 9 alone, got a.txt in it"),
        (["--to", "lost/mine"], "there is no folder lost to make mine in: make it first"),
        (["--model", "nowhere"], "there is no file or folder nowhere"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_kept(
    refusal: Refusal, pictures: list[str], model: str, here: Path, options: list[str], message: str
) -> None:
    (here / "letters").mkdir()
    (here / "letters" / "a.txt").write_text("Dear Sir")
    before = sorted(here.rglob("*"))
    assert message in refusal("teach", "seven.png", "--label", "7", "--model", model, *options)
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize("label", ["10", "-1", "seven"])
def test_a_label_is_a_digit(refusal: Refusal, pictures: list[str], label: str) -> None:
    assert "--label" in refusal("teach", "seven.png", "--label", label, status=2)


def test_a_disk_without_room_leaves_no_half_a_picture(
    pictures: list[str], model: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def full(image: Image.Image, path: Path, **_: object) -> None:
        Path(path).write_bytes(b"\x89PNG")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    assert run(["teach", "seven.png", "--label", "7", "--model", model]) == 1
    assert "No space left on device" in capsys.readouterr().out
    assert [path for path in Path("my-digits").rglob("*") if path.is_file()] == []


# The whole story


@pytest.mark.slow
def test_a_hand_is_taught_and_then_read(call: Call, document: Json, model: str, here: Path) -> None:
    """Ones with a ring on top, which the model takes for nines, until it has seen fifteen."""
    rng = np.random.default_rng(5)
    for number in range(25):
        lean, ring = rng.normal(0, 6), rng.uniform(26, 32)
        picture = Image.new("L", (200, 200), 235)
        draw = ImageDraw.Draw(picture)
        draw.ellipse((100 - ring, 70 - ring, 100 + ring, 70 + ring), outline=30, width=9)
        draw.line((100, 70 + ring, 100 + lean, 170), fill=30, width=9)
        picture.save(f"{number}.png")
    files = [f"{number}.png" for number in range(25)]
    call("teach", *files[:15], "--label", "1", "--model", model)
    taught = document("train", "--from", model, "--and", "my-digits", "--out", "mine.safetensors")
    assert taught["before"]["own"]["correct"] < taught["after"]["own"]["correct"]

    def read_as_ones(by: str) -> int:
        lines = call("read", *files[15:], "--model", by, "--single", "--json").splitlines()
        return sum(json.loads(line)["digit"] == 1 for line in lines)

    assert read_as_ones(model) <= 2
    assert read_as_ones("mine.safetensors") >= 8
