"""benchmarks/pages_of_numbers.py: what it says of readings that can be counted by hand."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmark_scripts import benchmark
from inkdigits.errors import PictureError
from inkdigits.reading import Number, ReadDigit


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    with benchmark("pages_of_numbers") as script:
        yield script


@pytest.fixture(scope="module")
def scores(script: Any) -> Any:
    return importlib.import_module("number_scores")


def number(text: str, boxes: list[Any], *, confidence: float = 0.9, digits: str = "") -> Number:
    """A number as it is read; `digits` are those behind a text with a ?."""
    named = digits or "".join(sign for sign in text if sign.isdigit())
    read = [ReadDigit(int(d), confidence, box) for d, box in zip(named, boxes, strict=True)]
    return Number(text, confidence, boxes[0], read)


def as_read(made: Any) -> Any:
    """A reading that says what is there."""
    return SimpleNamespace(
        numbers=[number(entry.text, entry.boxes) for line in made.lines for entry in line]
    )


@pytest.mark.parametrize(
    ("said", "label", "changes", "extra"),
    [
        ("123", "123", 0, 0),
        ("1?3", "123", 1, 0),  # what is not named is wrong
        ("13", "123", 1, 0),
        ("1293", "123", 1, 1),
        ("", "123", 3, 0),
        ("77", "", 2, 2),
        ("0231", "123", 2, 1),  # 0 for 1, and a 1 too many
        ("129", "123", 1, 0),
    ],
)
def test_the_fewest_changes_are_counted_and_what_is_not_there_among_them(
    scores: Any, said: str, label: str, changes: int, extra: int
) -> None:
    assert scores.differences(said, label) == (changes, extra)


def test_each_source_counts_alike_in_the_share_exact_and_in_the_digit_error(scores: Any) -> None:
    outcomes = [scores.Outcome(f"{n}.png", "a", "12", "12") for n in range(3)]
    outcomes += [
        scores.Outcome("x.png", "b", "1234", "19?4"),
        scores.Outcome("y.png", "b", "5", "5"),
    ]
    everything, (first, second) = scores.score(outcomes)
    assert (first.exact, second.exact, everything.exact) == (1, 0.5, 0.75)
    assert (second.digit_error, everything.digit_error) == (2 / 5, 1 / 5)
    assert (everything.pictures, everything.errors, everything.extra) == (5, 1, 0)
    low, high = everything.interval
    assert 0 < low < 0.75 < high <= 1


def test_a_label_s_gaps_and_lines_are_left_out_and_what_cannot_be_opened_is_wrong(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["path,kind,label", "numbers/a/1.png,number,12 34|5", "isolated/a/2.png,isolated,2",
             "numbers/b/3.png,number,7"]  # fmt: skip
    (tmp_path / "manifest.csv").write_text("\n".join(lines), encoding="utf-8")

    def read_picture(path: Path, _: Any) -> Any:
        if path.name == "3.png":
            raise PictureError("expected a picture")
        return SimpleNamespace(text="12,3 4\n5")

    monkeypatch.setattr(script, "read_picture", read_picture)
    read, unopened = script.read_manifest(tmp_path / "manifest.csv", None)
    assert (read.source, read.label, read.said, read.exact) == ("a", "12345", "12345", True)
    assert (unopened.source, unopened.exact) == ("b", False)
    assert "expected a picture" in unopened.error


@pytest.mark.parametrize("text", ["path,label\na,1\n", "path,kind,label\na,ood,\n"])
def test_a_manifest_without_numbers_is_refused(script: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.csv").write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit, match="expected"):
        script.pictures_of_numbers(tmp_path / "manifest.csv")


def test_a_page_read_as_it_was_written_is_exact_and_one_with_another_digit_is_not(
    script: Any,
) -> None:
    made = script.generated("decimals", 2)
    perfect = script.outcome("decimals", 2, made, as_read(made))
    assert perfect.exact
    assert perfect.text
    assert perfect.found == perfect.numbers == sum(len(line) for line in made.lines)
    wrong = as_read(made)
    first = wrong.numbers[0]
    digit = next(sign for sign in first.text if sign.isdigit())
    text = first.text.replace(digit, "?")
    wrong.numbers[0] = Number(text, 0.9, first.box, first.digits)
    outcome = script.outcome("decimals", 2, made, wrong)
    assert not outcome.exact
    assert outcome.found == outcome.numbers - 1
    # Without its signs a number is exact, but its text is not.
    bare = as_read(made)
    bare.numbers = [Number(script.digits_of(n.text), 0.9, n.box, n.digits) for n in bare.numbers]
    outcome = script.outcome("decimals", 2, made, bare)
    assert outcome.exact
    assert not outcome.text


def test_numbers_are_right_where_they_are_and_by_what_they_are_sure_of(scores: Any) -> None:
    boxes = [(10, 10, 20, 40), (35, 10, 20, 40), (60, 10, 20, 40)]
    entry = SimpleNamespace(text="-12,3", digits="123", boxes=boxes)
    page: Any = SimpleNamespace(lines=[[entry]])
    elsewhere = [(x + 300, y, w, h) for x, y, w, h in boxes]

    def judged(*numbers: Number) -> tuple[list[tuple[bool, bool]], list[tuple[bool, bool]]]:
        found = scores.answers(SimpleNamespace(numbers=numbers), page)
        one, other = ([(each.right, each.named) for each in given] for given in found)
        return one, other

    assert judged(number("-12,3", boxes)) == ([(True, True)], [(True, True)] * 3)
    assert judged(number("12,3", boxes))[0] == [(False, True)]  # the minus is missing
    # A ? is not named; its confidence is about the digit behind it.
    numbers, digits = judged(number("-1?,3", boxes, digits="123"))
    assert numbers == [(True, False)]
    assert digits == [(True, True), (True, False), (True, True)]
    assert judged(number("-1?,3", boxes, digits="193"))[0] == [(False, False)]
    # What is not there is wrong, and so is half a number.
    assert judged(number("-12,3", elsewhere)) == ([(False, True)], [(False, True)] * 3)
    assert judged(number("1", boxes[:1])) == ([(False, True)], [(True, True)])


def test_of_those_that_are_sure_the_named_ones_are_counted(script: Any, scores: Any) -> None:
    given = [scores.Given(0.96, True, True), scores.Given(0.95, False, True),
             scores.Given(0.99, False, False), scores.Given(0.5, False, True)]  # fmt: skip
    assert script.sure(given) == (2, 0.5)
    assert script.sure(given[3:]) == (0, None)


@pytest.mark.slow
def test_every_kind_has_its_bar_and_its_row(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[Any] = []

    def read(_: Any, __: Any) -> Any:
        return as_read(pages[-1])

    def generated(kind: str, count: int) -> Any:
        pages.append(original(kind, count))
        return pages[-1]

    original = script.generated
    monkeypatch.setattr(script, "generated", generated)
    monkeypatch.setattr(script, "read", read)
    measured = script.measure(None, None, 1)
    figures, text = measured.figures(), measured.as_text()
    for kind in script.KINDS:
        assert figures[f"{kind}: pages exact, %"] == 100
        assert f"| {kind} | 1 | 100.0 % |" in text
    assert any(bar.name == "touching: pages exact, %" and bar.at_least == 80 for bar in script.BARS)
    assert script.JOB in text
    assert measured.as_data()["kinds"][0]["exact"] == 1


def test_the_misread_pages_are_drawn(script: Any, scores: Any, tmp_path: Path) -> None:
    page = scores.Outcome("0", "plain", "12", "13", numbers=1, found=0)
    measured = script.Measured([], [page], [], [], {})
    assert script.save_sheet(measured, None, tmp_path / "sheet.png") == 1
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_the_pictures_that_are_timed_have_their_size_and_all_their_digits(script: Any) -> None:
    assert script.framed([["314", "159"]], 60, (640, 480)).shape == (480, 640, 3)
