"""CSV: the post's file to the byte, every meaningful variant read, every other one placed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError
from inkdigits.sources import csv, load, save

Write = Callable[..., Path]


def row(label: object = 5, **changed: object) -> str:
    """A line of 785 values; `c7="3.5"` puts 3.5 into column 7, counted from 1."""
    values = [label, *(index % 256 for index in range(784))]
    for column, value in changed.items():
        values[int(column[1:]) - 1] = value
    return ",".join(map(str, values))


def header(*, labelled: bool = True) -> str:
    return ",".join(["label"] * labelled + [f"pixel{index}" for index in range(784)])


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def write(*lines: str, end: str = "\n", encoding: str = "utf-8") -> Path:
        path = tmp_path / "digits.csv"
        path.write_bytes("".join(line + end for line in lines).encode(encoding))
        return path

    return write


PIXELS = (np.arange(784) % 256).reshape(28, 28)


@pytest.mark.slow
def test_the_training_set_becomes_the_posts_file_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "mnist_train.csv"
    train = load("mnist:train")
    save(train, path)
    content = path.read_bytes()
    assert content.startswith(b"5,0,0,0")
    assert len(content) == 109_575_994
    assert content.count(b"\n") == 60_000
    del content
    tracemalloc.start()
    read = load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read.fingerprint == train.fingerprint
    assert peak < 47e6 * 1.5  # the pixels, a growing buffer's slack, and one block of text


@pytest.mark.parametrize(
    ("lines", "labels"),
    [
        ([row(5), row(0)], [5, 0]),
        ([header(), row(5), row(0)], [5, 0]),
        (["", "label," + ",".join(map(str, range(784))), row(5)], [5]),
        ([header().upper().replace("LABEL", '"Label"'), row(5)], [5]),
        ([row(5), "", row(0), "", "", "  ", ""], [5, 0]),
        ([row(5).replace(",", " , ")], [5]),
        ([row("5.0", c3="7.00", c4="1.2e1", c5="+3", c6="003")], [5]),
        ([header(labelled=False), row(5).partition(",")[2]], None),
        ([row(5).partition(",")[2]], None),
    ],
    ids=[
        "post",
        "kaggle",
        "header of numbers",
        "quoted header",
        "blank lines",
        "spaces",
        "floats",
        "kaggle test",
        "pixels alone",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_what_is_meaningful_is_read(
    written: Write, lines: list[str], labels: list[int] | None, end: str, encoding: str
) -> None:
    digits = load(written(*lines, end=end, encoding=encoding))
    assert (digits.labels.tolist() if digits.labels is not None else None) == labels
    expected = PIXELS.copy()
    if "7.00" in lines[0]:
        expected[0, 1:5] = 7, 12, 3, 3
    assert np.array_equal(digits.images[0], expected)


PIXEL = "expected a pixel, a whole number 0 to 255, got"
TAKE_OUT = ": correct the value or take the line out"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([row(), row(c9="256")], f"line 2, column 9: {PIXEL} '256'{TAKE_OUT}"),
        ([row(), row(c785="-1")], f"line 2, column 785: {PIXEL} '-1'{TAKE_OUT}"),
        ([row(c2="3.5")], f"line 1, column 2: {PIXEL} '3.5'{TAKE_OUT}"),
        ([row(c2="")], f"line 1, column 2: {PIXEL} ''{TAKE_OUT}"),
        ([row(c2="nan")], f"line 1, column 2: {PIXEL} 'nan'{TAKE_OUT}"),
        ([row(c2="inf")], f"line 1, column 2: {PIXEL} 'inf'{TAKE_OUT}"),
        ([row(c2="1_0")], f"line 1, column 2: {PIXEL} '1_0'{TAKE_OUT}"),
        ([row(c2="٣")], rf"line 1, column 2: {PIXEL} '\u0663'{TAKE_OUT}"),
        ([row(c2="9" * 50)], f"line 1, column 2: {PIXEL} '{'9' * 20}'{TAKE_OUT}"),
        ([row(c2="5;0")], f"line 1, column 2: {PIXEL} '5;0'{TAKE_OUT}"),
        ([row(c2="#5")], f"line 1, column 2: {PIXEL} '#5'{TAKE_OUT}"),
        ([row(c3="5\0")], rf"line 1, column 3: {PIXEL} '5\x00'{TAKE_OUT}"),
        ([row(), "", row(10)], f"line 3, column 1: expected a label, 0 to 9, got '10'{TAKE_OUT}"),
        ([header(), row(-1)], f"line 2, column 1: expected a label, 0 to 9, got '-1'{TAKE_OUT}"),
        ([row("five")], f"line 1, column 1: expected a label, 0 to 9, got 'five'{TAKE_OUT}"),
        ([row(), row() + ",0"], "line 2, column 786: expected 785 values in a row, got more"),
        ([row(), row()[:-3]], "line 2, column 785: expected 785 values in a row, got 784"),
        ([row(), "5,0,0"], "line 2, column 4: expected 785 values in a row, got 3"),
        ([row() + ",0"], "line 1, column 786: expected 785 values (a label, then 784 pixels)"),
        (["5,0,0"], "or 784 (pixels alone), got 3: each row is one image of 28×28"),
        (["ImageId,Label", "1,2"], "line 1, column 3: expected 785 values"),
        ([header(labelled=False), row()], "line 2, column 785: expected 784 values in a row"),
        (
            [row().replace(",", ";")],
            "line 1, column 1: expected commas between the values, got semi",
        ),
        ([row().replace(",", "\t")], "expected commas between the values, got tabs"),
        ([row().replace(",", "  ")], "expected commas between the values, got spaces"),
        ([], "expected rows of a label and 784 pixels, got an empty file"),
        (["", "  "], "expected rows of a label and 784 pixels, got an empty file"),
        ([header()], "expected at least one image, got none"),
        (
            [header(labelled=False) + ",class", row()],
            "line 1, column 785: expected the label in the first of 785 columns, got class here",
        ),
        (
            ["label," + header(labelled=False).rpartition(",")[0]],
            "line 1, column 1: expected the label in the first of 785 columns, got label here",
        ),
        ([row(), "0," * 1_000_000], "line 2, column 786: expected 785 values in a row, got more"),
        (["0," * 1_000_000], "line 1, column 786: expected 785 values"),
        (["5" * 3_000_000], "line 1, column 2: expected 785 values"),
        ([row(), "5" * 3_000_000], f"line 2, column 1: expected a label, 0 to 9, got '{'5' * 20}'"),
    ],
)
def test_anything_else_is_refused_with_its_place(
    written: Write, refusal: Callable[..., str], lines: list[str], message: str
) -> None:
    assert message in refusal(written(*lines))


def test_the_place_is_right_far_into_a_file(written: Write, refusal: Callable[..., str]) -> None:
    lines = [header(), *[row()] * 2000, row(c400="oops"), *[row()] * 10]
    assert "line 2002, column 400" in refusal(written(*lines))


def test_bytes_that_are_not_utf_8_are_refused_with_their_place(
    written: Write, refusal: Callable[..., str]
) -> None:
    path = written(row(), row(c5="é"), encoding="latin-1")
    assert rf"line 2, column 5: {PIXEL} '\ufffd'" in refusal(path)


def test_a_file_without_a_last_line_end_is_whole(written: Write) -> None:
    path = written(row(1), row(2))
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert load(path).known_labels.tolist() == [1, 2]


@pytest.mark.parametrize("block", [3000, 3001, 5000])
def test_where_a_block_of_text_ends_makes_no_difference(
    few: Dataset, tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(few, tmp_path / "digits.csv")
    monkeypatch.setattr(csv, "_BLOCK", block)
    assert load(tmp_path / "digits.csv").fingerprint == few.fingerprint


@given(st.lists(st.sampled_from(["0", "7", "255", " 8", "9.0", "1e1", "+4", "256", "-1", "x", ""])))
def test_the_fast_reader_and_the_plain_rows_agree(
    tmp_path_factory: pytest.TempPathFactory, fields: list[str]
) -> None:
    line = row(**{f"c{index}": field for index, field in enumerate(fields, start=2)})
    path = tmp_path_factory.mktemp("csv") / "digits.csv"
    path.write_text(line)
    try:
        plain = csv._row(line, 785, "")
    except DataError:
        with pytest.raises(DataError):
            load(path)
        return
    assert load(path).images.reshape(-1).tolist() == plain[1:]
