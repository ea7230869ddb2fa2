"""`inkdigits convert`: any format to any other, with the same digits in it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from inkdigits.dataset import Dataset
from inkdigits.sources import load, save

Json = Callable[..., dict[str, Any]]

NAMES = ["a.csv", "a.npz", "a-images-idx3-ubyte", "a-images-idx3-ubyte.gz", "a"]


@pytest.mark.parametrize(("before", "after"), list(permutations(NAMES, 2)))
@pytest.mark.parametrize("labelled", [True, False])
def test_the_digits_are_the_same_in_every_format(
    document: Json, some: Dataset, here: Path, before: str, after: str, labelled: bool
) -> None:
    digits = some.subset(range(12))
    digits = digits if labelled else Dataset(digits.images)
    (here / "from").mkdir()
    (here / "to").mkdir()
    save(digits, here / "from" / before)
    result = document("convert", f"from/{before}", f"to/{after}")
    assert result == {
        "data": f"from/{before}",
        "out": f"to/{after}",
        "images": 12,
        "labelled": labelled,
    }
    assert load(here / "to" / after).fingerprint == digits.fingerprint


@pytest.mark.slow
def test_the_posts_file_begins_with_a_five(call: Callable[..., str], here: Path) -> None:
    said = call("convert", "mnist:validation", "digits.csv")
    assert said == "10,000 digits from mnist:validation written to digits.csv\n"
    with (here / "digits.csv").open() as file:
        lines = list(file)
    assert len(lines) == 10_000
    assert lines[0].startswith("3,0,0,0,")
    assert {line.count(",") for line in lines} == {784}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.csv", "a.npz"], "there is no file or folder nowhere.csv"),
        (["digits.npz", "a.xls"], "expected a path that ends in .csv, .npz, -images-idx3-ubyte"),
        (["digits.npz", "mnist:train"], "got the embedded set mnist:train: name a file"),
        (["digits.npz", "nowhere/a.csv"], "cannot write nowhere"),
        (["digits.npz", "a.idx"], "expected a name like digits-images-idx3-ubyte.gz, got a.idx"),
        (["digits.npz", "full"], "expected a new or an empty folder, got full"),
        (["bad.csv", "a.npz"], "bad.csv, line 1, column 2: expected a pixel"),
    ],
)
def test_what_cannot_be_converted_is_refused_and_nothing_is_left(
    refusal: Callable[..., str], data: str, here: Path, arguments: list[str], message: str
) -> None:
    (here / "bad.csv").write_text(",".join(["5", "256", *["0"] * 783]) + "\n")
    (here / "full").mkdir()
    (here / "full" / "letter").touch()
    before = sorted(here.rglob("*"))
    assert message in refusal("convert", *arguments)
    assert sorted(here.rglob("*")) == before
