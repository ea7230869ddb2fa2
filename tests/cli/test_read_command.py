"""`inkdigits read`: a line for each input in its place, whether it could be read or not."""

from __future__ import annotations

import csv
import json
import math
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import inkdigits
from inkdigits.cli import run
from inkdigits.dataset import Dataset
from inkdigits.formats import save_model
from inkdigits.model import Model
from inkdigits.reading import (
    Number,
    Picture,
    ReadDigit,
    Reading,
    open_picture,
    read,
    read_digit,
    read_picture,
)
from inkdigits.sources import save

Call = Callable[..., str]
Lines = list[dict[str, Any]]

NOTHING = "nothing written"
SHIPPED = Path(inkdigits.__file__).parent / "models" / "reader.safetensors"


@pytest.fixture
def pictures(some: Dataset, here: Path) -> Path:
    """A folder of three pictures, in a folder of its own, and a hidden file."""
    folder = here / "pictures"
    (folder / "deep").mkdir(parents=True)
    for name, image in zip(["a.png", "b.png", "deep/c.jpg"], some.images, strict=False):
        Image.fromarray(image).save(folder / name, quality=95)
    (folder / ".hidden").write_text("no picture")
    return folder


@pytest.fixture
def lines(call: Call) -> Callable[..., Lines]:
    """What a command prints with --json, a document on each line."""
    return lambda command, *rest: [
        json.loads(line) for line in call(command, "--json", *rest).splitlines()
    ]


def test_a_picture_becomes_its_numbers_with_box_and_digits(
    lines: Callable[..., Lines], pictures: Path, model: str, blink: Model
) -> None:
    (line,) = lines("read", "pictures/a.png", "--model", model)
    (number,) = read_picture("pictures/a.png", blink).numbers
    (digit,) = number.digits
    assert line == {
        "path": "pictures/a.png",
        "size": [28, 28],
        "numbers": [
            {
                "text": "7",
                "confidence": number.confidence,
                "box": list(number.box),
                "digits": [{"digit": 7, "probability": digit.probability, "box": list(digit.box)}],
                "line": 0,
            }
        ],
    }


def test_a_single_digit_comes_with_all_ten_probabilities(
    lines: Callable[..., Lines], pictures: Path, model: str
) -> None:
    (line,) = lines("read", "pictures/a.png", "--model", model, "--single")
    assert list(line) == [
        "path", "digit", "probability", "probabilities", "not_a_digit", "rejected",
    ]  # fmt: skip
    assert len(line["probabilities"]) == 10
    assert sum(line["probabilities"]) == pytest.approx(1, abs=1e-12)  # the sum's own rounding
    assert line["probability"] == max(line["probabilities"]) == line["probabilities"][7]
    assert (line["digit"], line["not_a_digit"], line["rejected"]) == (7, None, False)


def test_a_folder_is_read_in_the_order_of_its_names_and_without_hidden_files(
    lines: Callable[..., Lines], pictures: Path, model: str
) -> None:
    read = lines("read", "pictures", "--model", model)
    assert [Path(line["path"]).as_posix() for line in read] == [
        "pictures/a.png",
        "pictures/b.png",
        "pictures/deep/c.jpg",
    ]
    assert [line["numbers"][0]["text"] for line in read] == ["7", "2", "1"]


@pytest.mark.parametrize(
    "name", ["some.csv", "some.npz", "some-images-idx3-ubyte", "some-images-idx3-ubyte.gz"]
)
@pytest.mark.parametrize("labelled", [True, False])
def test_a_data_file_becomes_a_line_a_record(
    lines: Callable[..., Lines],
    model: str,
    blink: Model,
    some: Dataset,
    here: Path,
    name: str,
    labelled: bool,
) -> None:
    save(some if labelled else Dataset(some.images), here / name)
    read = lines("read", name, "--model", model)
    probabilities = blink.predict_probabilities(some.images)
    assert read == [
        {
            "index": index,
            "digit": int(row.argmax()),
            "probability": row.max(),
            "rejected": False,
        }
        for index, row in enumerate(probabilities)
    ]


def test_what_cannot_be_read_is_named_in_its_place_and_the_command_fails_in_the_end(
    capsys: pytest.CaptureFixture[str], pictures: Path, some: Dataset, model: str, here: Path
) -> None:
    (pictures / "aa.png").write_bytes((pictures / "a.png").read_bytes()[:-80])
    Image.new("L", (100, 30)).save(pictures / "empty.png")
    (pictures / "letter.png").write_text("Dear Sir")
    save(some.subset(range(2)), here / "two.npz")
    (here / "torn.npz").write_bytes((here / "two.npz").read_bytes()[:-40])
    inputs = ["nowhere.png", "pictures", "torn.npz", "two.npz", "pictures/b.png"]
    expected = [
        ("nowhere.png", "there is no file or folder nowhere.png"),
        ("pictures/a.png", "7"),
        (
            "pictures/aa.png",
            "expected pictures/aa.png to be a whole picture, got one that is cut off",
        ),
        ("pictures/b.png", "2"),
        ("pictures/deep/c.jpg", "1"),
        ("pictures/empty.png", NOTHING),
        ("pictures/letter.png", "expected pictures/letter.png to be a picture"),
        ("torn.npz", "expected a whole npz"),
        (0, "7"),
        (1, "2"),
        ("pictures/b.png", "2"),
    ]
    assert run(["read", *inputs, "--model", model, "--json"]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    for line, (name, text) in zip(map(json.loads, out.splitlines()), expected, strict=True):
        assert line.get("path", line.get("index")) == name
        if "error" in line:
            assert list(line) == ["path", "error"]
            assert text in line["error"]
        elif "numbers" in line:
            assert [number["text"] for number in line["numbers"]] == [text][: text != NOTHING]
        else:
            assert str(line["digit"]) == text
    assert run(["read", *inputs, "--model", model]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    for spoken, (name, text) in zip(out.splitlines(), expected, strict=True):
        assert spoken.startswith(f"{name}: ")
        assert text in spoken


@pytest.mark.parametrize("name", ["=1+1.png", "+a.png", "-a.png", "@a.png", "a 'b', ü.png"])
def test_json_keeps_the_names_of_files_exact(
    lines: Callable[..., Lines], pictures: Path, model: str, name: str
) -> None:
    (pictures / "a.png").rename(name)
    (line,) = lines("read", "--model", model, "--", name)
    assert line["path"] == name
    assert line["numbers"][0]["text"] == "7"


def test_a_persons_line_has_the_digit_and_how_sure_it_is(
    call: Call, pictures: Path, model: str, blink: Model
) -> None:
    picture = open_picture("pictures/a.png")
    for reading, options in (
        (read(picture, blink).numbers[0], []),
        (read_digit(picture, blink), ["--single"]),
    ):
        said = call("read", "pictures/a.png", "--model", model, *options)
        assert said == f"pictures/a.png: 7  ({100 * reading.confidence:.1f} %)\n"


def test_an_empty_sheet_has_no_numbers_and_is_rejected_as_a_single_digit(
    call: Call, lines: Callable[..., Lines], model: str, here: Path
) -> None:
    Image.new("RGB", (60, 40), "white").save(here / "empty.png")
    assert call("read", "empty.png", "--model", model) == "empty.png: nothing written\n"
    assert lines("read", "empty.png", "--model", model) == [
        {"path": "empty.png", "size": [60, 40], "numbers": []}
    ]
    (line,) = lines("read", "empty.png", "--model", model, "--single")
    assert line["rejected"] is True


def test_what_lies_in_hidden_folders_is_not_read(
    lines: Callable[..., Lines], pictures: Path, model: str
) -> None:
    (pictures / "deep").rename(pictures / ".deep")
    read = lines("read", "pictures", "--model", model)
    assert [Path(line["path"]).name for line in read] == ["a.png", "b.png"]


def test_a_folder_without_pictures_is_named_in_its_place(
    capsys: pytest.CaptureFixture[str], pictures: Path, model: str, here: Path
) -> None:
    (here / "empty").mkdir()
    assert run(["read", "empty", "pictures/a.png", "--model", model]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first == "empty: expected pictures in empty, got an empty folder: name another"
    assert second.startswith("pictures/a.png: 7  (")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.svg", "<svg xmlns='x'></svg>", "got an SVG drawing: save it as PNG or JPEG"),
        ("notes", "%PDF-1.7", "got a PDF document: save it as PNG or JPEG"),
        ("b.eps", "%!PS-Adobe", "got an EPS or PostScript file"),
        ("p.heic", "\0\0\0\x18ftypheic", "got a HEIC picture"),
        ("empty.jpg", "", "got an empty file"),
        ("page.JPG", "<!doctype html>", "got a web page"),
        ("letter", "Dear Sir", "letter: it is no picture that we read; taken for data, letter, "),
        ("letter.csv", "Dear Sir", "letter.csv: letter.csv, "),
    ],
)
def test_a_file_that_is_meant_as_a_picture_is_refused_as_one(
    capsys: pytest.CaptureFixture[str],
    model: str,
    here: Path,
    name: str,
    content: str,
    message: str,
) -> None:
    (here / name).write_text(content)
    assert run(["read", name, "--model", model]) == 1
    out = capsys.readouterr().out
    assert message in out
    assert ("expected 785 values" in out) == name.startswith("letter")


@pytest.mark.skipif(sys.platform == "win32", reason="links are a matter of POSIX")
def test_a_link_to_nothing_is_named_in_its_place(
    capsys: pytest.CaptureFixture[str], pictures: Path, model: str, here: Path
) -> None:
    (pictures / "ab.png").symlink_to(here / "gone.png")
    assert run(["read", "pictures", "pictures/ab.png", "--model", model]) == 1
    out = capsys.readouterr().out.splitlines()
    said = "pictures/ab.png: expected pictures/ab.png to be a file, got a link to nothing"
    assert [line.startswith(said) for line in out] == [False, True, False, False, True]


@pytest.mark.skipif(sys.platform == "win32", reason="such names are a matter of POSIX")
def test_a_name_gives_a_terminal_no_orders_and_is_one_line(
    call: Call, lines: Callable[..., Lines], pictures: Path, model: str
) -> None:
    name = "red\x1b[31m\nü.png"
    (pictures / "a.png").rename(name)
    assert call("read", name, "--model", model).startswith(r"red\x1b[31m\nü.png: 7  (")
    assert lines("read", name, "--model", model)[0]["path"] == name


def test_without_a_model_named_the_shipped_reader_reads(
    lines: Callable[..., Lines], pictures: Path
) -> None:
    if not SHIPPED.exists():
        pytest.skip("the reader's weights are not in this checkout yet")
    read = lines("read", "pictures", "--single")
    assert [line["digit"] for line in read] == [7, 2, 1]
    assert all(line["not_a_digit"] < 0.5 for line in read)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is a matter of POSIX")
def test_ctrl_c_in_a_folder_ends_it_in_one_line_and_what_was_read_stands(
    spawn: Callable[..., subprocess.Popen[str]], pictures: Path, model: str, here: Path
) -> None:
    picture = (pictures / "a.png").read_bytes()
    (here / "many").mkdir()
    for index in range(5000):
        (here / "many" / f"{index:04}.png").write_bytes(picture)
    process = spawn("read", "many", "--model", model)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("many/0000.png: 7")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, err) == (130, "inkdigits: stopped\n")
    assert len(out.splitlines()) < 4999
    assert all(": 7  (" in line for line in out.splitlines())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="bytes in names are a matter of POSIX")
def test_a_decompression_bomb_is_one_line_and_no_warning(here: Path, model: str) -> None:
    # Pillow would warn of it on stderr, as nobody wants to read it.
    Image.new("1", (11_200, 11_200)).save(here / "bomb.png")
    assert (here / "bomb.png").stat().st_size < 100_000
    done = subprocess.run(
        [sys.executable, "-m", "inkdigits", "read", "bomb.png", "--model", model, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert (
        "expected bomb.png to have 100,000,000 pixels or fewer" in json.loads(done.stdout)["error"]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.png", "--model", "nowhere.safetensors"], "nowhere.safetensors"),
        (["a.png", "--model", "good.safetensor"], "did you mean good.safetensors?"),
        (["a.png", "--model", "letter"], "letter is no model"),
    ],
)
def test_without_a_model_nothing_is_read(
    refusal: Callable[..., str], model: str, here: Path, arguments: list[str], message: str
) -> None:
    (here / "letter").write_text("Dear Sir, please read this letter of mine.")
    assert message in refusal("read", *arguments)


# A page


def number(text: str, line: int, x: int, *shares: float) -> Number:
    """A number of digits 20 pixels apart, as sure as `shares` say; 5 is what `?` stands for."""
    box = (x, 40 * line, 20 * len(text), 30)
    digits = [
        ReadDigit(5 if sign == "?" else int(sign), share, (x + 20 * place, 40 * line, 18, 30))
        for (place, sign), share in zip(
            ((place, sign) for place, sign in enumerate(text) if sign.isdigit() or sign == "?"),
            shares,
            strict=True,
        )
    ]
    return Number(text, math.prod(shares), box, digits, line)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, here: Path) -> Callable[..., Reading]:
    """Lets any picture be read as these numbers, on white paper or, at will, on what is inked."""

    def set_to(*numbers: Number, inked: bool = False) -> Reading:
        pixels = np.full((200, 300, 3), 255, np.uint8)
        pixels[80:120, 140:150] = 0 if inked else 255
        reading = Reading(Picture(pixels, (300, 200)), list(numbers), 0.5)
        monkeypatch.setattr(
            "inkdigits.reading.read_pictures", lambda names, *_, **__: (reading for _ in names)
        )
        Image.fromarray(pixels).save(here / "page.png")
        return reading

    return set_to


TABLE = [
    number("12", 0, 10, 0.99, 0.99),
    number("345", 0, 110, 0.9, 0.9, 0.9),
    number("6?", 1, 10, 0.9, 0.4),
    number("-7.0", 2, 110, 0.99, 0.99),
]


@pytest.mark.parametrize(
    ("numbers", "inked", "said"),
    [
        ([], False, "nothing written"),
        ([], True, "no digits found"),
        (TABLE[:1], True, "12  (98.0 %)"),
        (TABLE[1:2], True, "345  (72.9 %)"),
        (TABLE[2:3], True, "6?  (perhaps 65, 36.0 %)"),
        (TABLE[:2], True, "12  345 (73 %)"),
        ([*TABLE[:1], number("?", 0, 90, 0.04)], True, "12  ? (4 %)"),
        (TABLE, True, "\n  12  345 (73 %)\n  6? (perhaps 65, 36 %)\n  -7.0"),
        ([number("3,?0", 0, 0, 1, 0.4, 1), *TABLE[2:]], True,
         "\n  3,?0 (perhaps 3,50, 40 %)\n  6? (perhaps 65, 36 %)\n  -7.0"),
    ],
)  # fmt: skip
def test_a_page_is_told_line_by_line_with_the_confidence_of_what_is_in_doubt(
    call: Call,
    model: str,
    found: Callable[..., Reading],
    numbers: list[Number],
    inked: bool,
    said: str,
) -> None:
    found(*numbers, inked=inked)
    said = f"page.png: {said}".replace(": \n", ":\n")
    assert call("read", "page.png", "--model", model) == f"{said}\n"


def test_json_has_all_numbers_of_a_page_on_one_line(
    lines: Callable[..., Lines], model: str, found: Callable[..., Reading]
) -> None:
    reading = found(*TABLE)
    (line,) = lines("read", "page.png", "--model", model)
    assert line == {"path": "page.png"} | json.loads(json.dumps(reading.as_data()))
    assert [number["line"] for number in line["numbers"]] == [0, 0, 1, 2]


def test_a_sheet_of_one_page_has_its_rows_and_columns(
    call: Call, model: str, found: Callable[..., Reading], here: Path
) -> None:
    found(*TABLE)
    said = call("read", "page.png", "--model", model, "--csv", "page.csv")
    assert said.endswith("\n3 rows written to page.csv\n")
    with (here / "page.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["12", "345"], ["6?", ""], ["", "-7.0"]]


def test_a_sheet_of_many_pictures_begins_with_names_that_no_spreadsheet_computes(
    capsys: pytest.CaptureFixture[str],
    pictures: Path,
    model: str,
    found: Callable[..., Reading],
    here: Path,
) -> None:
    found(*TABLE[:2])
    for name in ("=a.png", "+a.png", "-a.png", "@a.png"):
        (here / name).write_bytes((pictures / "a.png").read_bytes())
    names = ["=a.png", "+a.png", "-a.png", "@a.png", "pictures/b.png"]
    assert run(["read", "--json", "--csv", "all.csv", "--model", model, "--", *names]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["path"] for line in said] == names
    with (here / "all.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            [name if name[0] == "p" else f"'{name}", "12", "345"] for name in names
        ]


def test_in_a_sheet_of_a_folder_what_says_nothing_has_its_row_too(
    capsys: pytest.CaptureFixture[str], pictures: Path, model: str, here: Path
) -> None:
    (pictures / "aa.png").write_text("Dear Sir")
    command = ["read", "pictures", "--model", model, "--single", "--csv", "all.csv"]
    assert run(command) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "4 rows written to all.csv"
    with (here / "all.csv").open(newline="") as file:
        read = {Path(name).name: digit for name, digit in csv.reader(file)}
    assert read == {"a.png": "7", "aa.png": "", "b.png": "2", "c.jpg": "1"}


def test_a_page_that_cannot_be_read_leaves_an_older_sheet_as_it_was(
    capsys: pytest.CaptureFixture[str], model: str, here: Path
) -> None:
    (here / "page.csv").write_text("1,2\n")
    (here / "page.png").write_text("Dear Sir")
    assert run(["read", "page.png", "--model", model, "--csv", "page.csv"]) == 1
    assert "written" not in capsys.readouterr().out
    assert (here / "page.csv").read_text() == "1,2\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["page.png", "--csv", "page.png"], "whose name ends in .csv, got page.png"),
        (["digits.npz", "--csv", "a.csv"], "--csv is of pictures, got digits.npz"),
        (["digits.npz", "--submission", "a.csv", "--csv", "b.csv"], "leave --csv and --job away"),
        (["page.png", "--box", "2"], "--box says what --explain is to explain: add --explain"),
        (["page.png", "--explain", "--box", "0"], "0"),
    ],
)
def test_what_does_not_go_together_is_refused_before_a_page_is_read(
    refusal: Callable[..., str],
    model: str,
    data: str,
    found: Callable[..., Reading],
    here: Path,
    arguments: list[str],
    message: str,
) -> None:
    found(*TABLE)
    before = sorted(here.iterdir())
    assert message in refusal("read", *arguments, "--model", model, status=2)
    assert sorted(here.iterdir()) == before


def test_a_budget_of_errors_counts_the_digits_of_a_page(
    call: Call, blink: Model, found: Callable[..., Reading], here: Path
) -> None:
    calibration = {"temperature": 1.0, "threshold": 0.1, "curve": [[0.2, 1.0, 0.01]]}
    save_model(blink.with_calibration(calibration), here / "careful.safetensors")
    found(*TABLE)
    said = call("read", "page.png", "--model", "careful.safetensors", "--error-budget", "1%")
    assert "\n1 of 9 left unnamed: at most 1.00 % wrong" in said


# Kaggle's submission


def kaggles_test_file(path: Path, digits: Dataset) -> None:
    """As Kaggle has it: a header, and 784 pixels without a label."""
    header = ",".join(f"pixel{index}" for index in range(784))
    rows = (",".join(map(str, image.ravel())) for image in digits.images)
    path.write_text("\n".join([header, *rows]) + "\n")


def test_a_submission_has_kaggles_header_ids_from_1_and_whole_numbers(
    call: Call, model: str, blink: Model, some: Dataset, here: Path
) -> None:
    kaggles_test_file(here / "test.csv", some)
    said = call("read", "test.csv", "--model", model, "--submission", "submission.csv")
    assert said == "200 digits of test.csv written to submission.csv\n"
    content = (here / "submission.csv").read_bytes()
    assert content.startswith(b"ImageId,Label\n1,7\n2,2\n3,1\n4,0\n")
    assert content.endswith(b"\n")
    rows = list(csv.reader(content.decode().splitlines()))[1:]
    assert [int(number) for number, _ in rows] == list(range(1, 201))
    assert [label for _, label in rows] == list(map(str, blink.predict(some.images)))


def test_a_submission_in_json_says_how_many_digits_it_holds(
    lines: Callable[..., Lines], model: str, some: Dataset, here: Path
) -> None:
    kaggles_test_file(here / "test.csv", some)
    (line,) = lines("read", "test.csv", "--model", model, "--submission", "out.csv")
    assert line == {"submission": "out.csv", "digits": 200}


def test_a_submission_is_of_one_data_file(
    refusal: Callable[..., str], model: str, some: Dataset, here: Path
) -> None:
    kaggles_test_file(here / "test.csv", some)
    options = ["--model", model, "--submission", "out.csv"]
    message = refusal("read", "test.csv", "test.csv", *options, status=2)
    assert "--submission takes one data file, got 2" in message
    assert "did you mean test.csv?" in refusal("read", "tst.csv", *options)
    assert "cannot write nowhere" in refusal(
        "read", "test.csv", "--model", model, "--submission", "nowhere/out.csv"
    )
    assert not (here / "out.csv").exists()


def test_what_is_read_does_not_depend_on_what_stands_beside_it(
    lines: Callable[..., Lines], model: str, some: Dataset, here: Path
) -> None:
    # 5 digits and 200 fill the products differently: float32's rounding may move the last digits.
    save(some, here / "all.npz")
    save(some.subset(range(5)), here / "five.npz")
    all_lines, five = (lines("read", name, "--model", model) for name in ("all.npz", "five.npz"))
    for one, other in zip(five, all_lines, strict=False):
        assert one["digit"] == other["digit"]
        assert np.isclose(one["probability"], other["probability"], rtol=1e-5)
