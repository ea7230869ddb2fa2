"""benchmarks/handwriting.py: what it says of a handful of pictures that can be counted by hand."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from benchmark_scripts import benchmark
from inkdigits.errors import PictureError
from inkdigits.model import Answers
from inkdigits.reading import Number


@pytest.fixture(scope="module")
def handwriting() -> Iterator[Any]:
    with benchmark("handwriting") as script:
        yield script


class TallIsOne:
    """Takes what is taller than wide for a 1, surely, and all else for a 0, with a doubt."""

    def answer(self, glyphs: np.ndarray[Any, Any]) -> Answers:
        tall = [np.ptp(np.nonzero(each)[0]) > np.ptp(np.nonzero(each)[1]) for each in glyphs]
        probabilities = np.zeros((len(glyphs), 10))
        probabilities[:, :2] = [[0.03, 0.97] if each else [0.6, 0.4] for each in tall]
        return Answers(probabilities, None, 0.7)


def in_two_strokes(path: Path) -> tuple[str, float, bool]:
    """Finds two ones where others find one; nothing in what is as broad as tall or broader."""
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise PictureError("expected a picture, got none")
    tall = np.ptp(np.nonzero(pixels < 128)[0]) > np.ptp(np.nonzero(pixels < 128)[1])
    return ("11", 0.96, False) if tall else ("", 0.0, True)


class Folder:
    """A folder of pictures, each a stroke, and its manifest."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = ["path,kind,label"]

    def add(self, name: str, kind: str, label: str, *, tall: bool | None) -> None:
        """A picture of a standing or a lying stroke; None for a file that is no picture."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self.lines.append(f"{name},{kind},{label}")
        if tall is None:
            path.write_bytes(b"no picture")
            return
        pixels = np.full((60, 60), 255, np.uint8)
        pixels[10:50, 26:34] = 0
        cv2.imwrite(str(path), pixels if tall else np.ascontiguousarray(pixels.T))

    def measured(self, script: Any) -> Any:
        manifest = self.path / "manifest.csv"
        manifest.write_text("\n".join(self.lines) + "\n", encoding="utf-8")
        single = partial(script.WAYS[script.SINGLE], model=TallIsOne())
        ways = {script.READ: in_two_strokes, script.SINGLE: single}
        return script.measure(script.entries(manifest), ways)


@pytest.fixture(scope="module")
def measured(handwriting: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two hands that draw, one of four pictures; one on paper; non-digits; a number."""
    folder = Folder(tmp_path_factory.mktemp("pictures"))
    for index in range(4):
        folder.add(f"isolated/canvas_a/{index}.png", "isolated", "1", tall=True)
    folder.add("isolated/canvas28_b/lying.png", "isolated", "1", tall=False)
    folder.add("isolated/photo_c/1.png", "isolated", "1", tall=True)
    folder.add("isolated/photo_c/broken.png", "isolated", "1", tall=None)
    folder.add("isolated/other/0.png", "isolated", "0", tall=False)
    folder.add("ood/letters/0_I.png", "ood", "", tall=True)
    folder.add("ood/letters/1_B.png", "ood", "", tall=False)
    folder.add("ood/letters/2_A.png", "ood", "", tall=False)
    folder.add("ood/letters/3_A.png", "ood", "", tall=True)
    folder.add("ood/things/boot.png", "ood", "", tall=False)
    folder.add("numbers/canvas_a/11.png", "number", "11", tall=True)
    return folder.measured(handwriting)


def figures(measured: Any, table: str, way: str = "read --single") -> dict[str, Any]:
    return {each["name"]: each for each in measured.as_data()[way][table]}


def test_a_group_s_accuracy_is_the_mean_over_its_sources_not_over_pictures(measured: Any) -> None:
    groups = figures(measured, "groups")
    assert list(groups) == ["drawn", "paper", "sets", "all"]
    assert groups["drawn"]["accuracy"] == 0.5  # 4 of 4 and 0 of 1; of the pictures 0.8
    assert groups["all"]["accuracy"] == (1 + 0 + 0.5 + 1) / 4
    assert (groups["all"]["pictures"], groups["all"]["errors"]) == (8, 2)
    assert measured.as_data()["read --single"]["figures"]["drawn: accuracy, %"] == 50


def test_plain_read_is_right_only_where_it_says_the_label_and_nothing_else(measured: Any) -> None:
    groups = figures(measured, "groups", "read")
    assert groups["drawn"]["accuracy"] == 0  # 11 is not 1, and nothing is not 1
    assert groups["drawn"]["refused"] == 0.5  # nothing of the second hand
    assert (groups["all"]["sure"], groups["all"]["sure_errors"]) == (5, 5)
    assert figures(measured, "no_digits", "read")["things"]["refused"] == 1


def test_both_ways_stand_side_by_side_each_with_its_bars(measured: Any) -> None:
    lines = measured.as_text().splitlines()
    assert lines[0] == "| figure | `read` | bar | met? | `read --single` | bar | met? |"
    assert lines[2] == "| drawn: accuracy, % | 0.00 | ≥ 98.50 | no | 50.00 | ≥ 99.00 | no |"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ([], ("", 0.0, True)),
        ([("7", 0.9)], ("7", 0.9, False)),
        ([("?", 0.4)], ("?", 0.4, True)),
        ([("1", 0.9), ("1", 0.8)], ("11", 0.8, False)),
    ],
    ids=["nothing", "one", "not named", "two numbers"],
)
def test_plain_read_answers_with_its_numbers_joined(
    handwriting: Any,
    monkeypatch: pytest.MonkeyPatch,
    said: list[tuple[str, float]],
    answer: tuple[str, float, bool],
) -> None:
    numbers = [Number(text, confidence, (0, 0, 1, 1), []) for text, confidence in said]
    ways = importlib.import_module("ways")
    monkeypatch.setattr(ways, "read_picture", lambda *_: SimpleNamespace(numbers=numbers))
    assert ways.plain(b"", None) == answer


def test_what_is_refused_leaves_the_answers_given_and_those_that_are_sure(measured: Any) -> None:
    groups = figures(measured, "groups")
    assert groups["drawn"]["refused"] == 0.5  # none of the first hand, all of the second
    assert groups["drawn"]["given_accuracy"] == 1  # of the one hand that has answers
    assert groups["sets"]["given_accuracy"] is None  # a 0, right but refused
    assert (groups["all"]["sure"], groups["all"]["sure_errors"]) == (5, 0)


def test_what_cannot_be_opened_is_an_error_and_named(measured: Any) -> None:
    (broken,) = measured.unopened()
    assert broken.entry.name == "isolated/photo_c/broken.png"
    assert "got" in broken.error
    source = figures(measured, "sources")["photo_c"]
    assert (source["errors"], source["accuracy"], source["refused"]) == (1, 0.5, 0.5)
    assert "1 of 13 pictures could not be opened" in measured.as_text()
    assert broken.entry.name not in measured.as_text()  # of the documents sources alone are part


def test_what_is_no_digit_and_cannot_be_opened_is_not_refused(
    handwriting: Any, tmp_path: Path
) -> None:
    folder = Folder(tmp_path)
    folder.add("isolated/a/1.png", "isolated", "1", tall=True)
    folder.add("ood/things/broken.png", "ood", "", tall=None)
    others = figures(folder.measured(handwriting), "no_digits")
    assert others["things"]["refused"] == others["things"]["refused_at_loss"] == 0


def test_no_digits_are_kept_apart_and_letters_like_digits_among_them(measured: Any) -> None:
    for way in measured.ways.values():
        assert {each.entry.kind for each in way.digits} == {"isolated"}
        assert len(way.others) == 5  # the number is left out
    others = figures(measured, "no_digits")
    shares = {name: each["refused"] for name, each in others.items()}
    assert shares == {
        "letters": 0.5,
        "letters: B I": 0.5,
        "letters: all but I": 2 / 3,
        "letters: all but B I": 0.5,
        "things": 1,
        "all: mean over sources": 0.75,
        "all without letters like digits": 0.75,
    }
    # Digits: five of 0.97, two of 0.6, one of 0. Letters: two of 0.97, two of 0.6; ties are halves.
    assert others["letters"]["auroc"] == (5 * 2 + 5 * 2 / 2 + 2 * 2 / 2) / (8 * 4)


def test_letters_are_those_of_the_label_or_else_of_the_file_s_name(handwriting: Any) -> None:
    def entry(name: str, label: str) -> Any:
        return handwriting.Entry(Path(name), name, "ood", label)

    assert entry("ood/letters/00012_I.png", "").letter == "I"
    assert entry("ood/letters/00012_I.png", "+").letter is None
    assert entry("ood/signs/x_0.png", "l").like_a_digit
    assert entry("ood/things/00012_boot.png", "").letter is None
    assert not entry("ood/things/00012_boot.png", "").like_a_digit
    assert entry("ood/letters/deeper/a.png", "").source == "letters"


def test_the_interval_is_wide_where_sources_differ_and_wilson_s_where_there_is_one(
    measured: Any,
) -> None:
    groups, sources = figures(measured, "groups"), figures(measured, "sources")
    low, high = groups["drawn"]["interval"]  # of two hands, one read and one not: anything
    assert (low, high) == (0, 1)
    assert groups["paper"]["interval"] == sources["photo_c"]["interval"]
    assert 0 < groups["sets"]["interval"][0] < 1  # no error, of one picture
    low, high = groups["all"]["interval"]
    assert 0 < low < groups["all"]["accuracy"] < high <= 1


def test_misread_ones_are_drawn_the_surest_first(
    handwriting: Any, measured: Any, tmp_path: Path
) -> None:
    misread = measured.misread()
    assert len(misread) == 7  # plain `read` has none right; the broken one is not drawn
    assert misread[0][0].confidence == 0.96
    assert {one.entry.name for one, other in misread if not other.right} == {
        "isolated/canvas28_b/lying.png"
    }
    path = tmp_path / "sheet.png"
    handwriting.save_sheet(misread, path)
    assert cv2.imread(str(path)).std() > 10


@pytest.mark.parametrize(
    ("text", "message"),
    [("path,label\na,1\n", "columns"), ("path,kind,label\na,ood,\n", "kind isolated")],
)
def test_a_manifest_of_another_form_is_refused(
    handwriting: Any, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "manifest.csv").write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit, match=message):
        handwriting.entries(tmp_path / "manifest.csv")


def test_a_bar_is_met_at_the_bar_and_missed_where_nothing_was_measured(handwriting: Any) -> None:
    bar = importlib.import_module("results").Bar
    assert bar(name="a", at_least=1).row(1.0)[-1] == "yes"
    assert bar(name="a", at_least=1).row(0.999) == ["a", "1.00", "≥ 1.00", "no"]
    assert bar(name="a", at_most=1).row(1.001)[-1] == "no"
    assert bar(name="a", at_most=1).row(None)[1:] == ["not measured", "≤ 1.00", "no"]
    assert bar(name="a").row(3.0) == ["a", "3.00", "–", "–"]
