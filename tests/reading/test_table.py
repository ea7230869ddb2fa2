"""Tables keep what stands below one another below one another, and lose nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkdigits.reading.picture import Picture
from inkdigits.reading.reader import Number, Reading
from inkdigits.reading.table import bonds, columns_of, harmless, joined, rows, write_csv

HEIGHT, DIGIT, SPACING, COLUMN = 60, 40, 100, 260

Cells = list[list[str]]

LEDGER = [
    ["12", "1200", "7"],
    ["13", "", "15"],
    ["", "96", "3"],
    ["15", "7", ""],
    ["16", "1024", "1130"],
]


def written(
    cells: Cells,
    *,
    align: str = "right",
    jitter: float = 0.0,
    turn_degrees: float = 0.0,
    narrowing: float = 0.0,
) -> list[Number]:
    """Cells as numbers on a page, none for "".

    Args:
        cells: a row a line of writing.
        align: how the numbers of a column stand below one another: left, right or middle.
        jitter: standard deviation of places and sizes, in widths of a digit.
        turn_degrees: how far the page is turned.
        narrowing: how much smaller the last line is than the first, as a photographed page's.
    """
    generator = np.random.default_rng(1)
    turn, numbers = np.radians(turn_degrees), []
    share = {"left": 0.0, "middle": 0.5, "right": 1.0}[align]
    for line, row in enumerate(cells):
        small = 1 - narrowing * line / max(1, len(cells) - 1)
        for column, text in enumerate(row):
            if not text:
                continue
            noise = jitter * DIGIT * generator.normal(size=4)
            width, height = DIGIT * len(text) + noise[0], HEIGHT + noise[1]
            x = column * COLUMN + share * (COLUMN - 80 - DIGIT * len(text)) + noise[2] + width / 2
            y = line * SPACING + noise[3] / 2
            x, y = small * (x - 300), small * y
            x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
            width, height = small * width, small * height
            box = (round(x - width / 2), round(y - height / 2), round(width), round(height))
            numbers.append(Number(text, 1.0, box, [], line))
    return numbers


def at(text: str, line: int, left: int, *, digits: int = 2) -> Number:
    return Number(text, 1.0, (left, line * SPACING, digits * DIGIT, HEIGHT), [], line)


@pytest.mark.parametrize("align", ["left", "right", "middle"])
@pytest.mark.parametrize("turn_degrees", [0, 12, -12])
@pytest.mark.parametrize("jitter", [0, 0.3])
@pytest.mark.parametrize("narrowing", [0, 0.2])
def test_missing_cells_stay_in_their_column_however_the_table_was_photographed(
    align: str, turn_degrees: float, jitter: float, narrowing: float
) -> None:
    page = written(
        LEDGER, align=align, jitter=jitter, turn_degrees=turn_degrees, narrowing=narrowing
    )
    assert rows(page) == LEDGER


def test_columns_that_run_together_towards_the_end_of_the_page_stay_apart() -> None:
    generator = np.random.default_rng(2)
    cells = generator.choice(["1", "22", "333", "4444", ""], (25, 5)).tolist()
    assert rows(written(cells, align="middle", narrowing=0.6)) == cells


@pytest.mark.parametrize("seed", range(8))
def test_an_uneven_hand_still_writes_columns(seed: int) -> None:
    cells = np.random.default_rng(seed).choice(["1", "22", "333", ""], (12, 3)).tolist()
    assert rows(written(cells, jitter=0.55)) == [row for row in cells if any(row)]


def test_a_column_of_sums_is_one_column() -> None:
    sums = [["7"], ["12"], ["1024"], ["3"], ["100000"]]
    for turn_degrees in (0, 10, -10):
        assert rows(written(sums, turn_degrees=turn_degrees)) == sums


def test_two_numbers_at_different_heights_do_not_turn_a_page_of_one_column() -> None:
    sums = [["7"], ["12"], ["24"], ["3"], ["10"], ["18"], ["5"], ["90"]]
    page = [
        *written(sums),
        Number("1", 1.0, (300, 25, DIGIT, HEIGHT), [], 0),
    ]
    assert [row[0] for row in rows(page)] == [row[0] for row in sums]


def test_what_was_paid_in_and_what_was_paid_out_are_two_columns() -> None:
    ledger = [["20", ""], ["", "15"], ["", "7"], ["130", ""], ["", "1200"], ["1", ""]]
    assert rows(written(ledger)) == ledger


def test_a_column_that_is_begun_twice_becomes_one_when_a_wide_number_shows_it() -> None:
    aslant = [at("1", 0, 200, digits=1), at("2", 1, 120, digits=1), at("3", 2, 200, digits=1)]
    assert rows(aslant) == [["", "1"], ["2", ""], ["", "3"]]
    wide = [at("4" * 6, line, 10, digits=6) for line in (3, 4)]
    beside = [at("9", line, -700, digits=1) for line in (0, 1, 3, 4)]
    assert rows([*aslant, *wide, *beside]) == [
        ["9", "1"],
        ["9", "2"],
        ["", "3"],
        ["9", "444444"],
        ["9", "444444"],
    ]


def test_a_heading_across_columns_takes_one_of_them_and_moves_no_other_number() -> None:
    heading = Number("2024", 1.0, (180, -120, 240, 80), [], -1)
    first, *others = rows([heading, *written(LEDGER)])
    assert sorted(first) == ["", "", "2024"]
    assert others == LEDGER


def test_lines_that_form_no_table_are_rows_of_what_was_written() -> None:
    generator = np.random.default_rng(3)
    page, texts = [], []
    for line in range(8):
        left, row = 0, []
        for _ in range(int(generator.integers(3, 7))):
            digits = int(generator.integers(1, 6))
            row.append("7" * digits)
            page.append(at(row[-1], line, left, digits=digits))
            left += DIGIT * digits + int(generator.integers(35, 70))
        texts.append(row)
    assert rows(page) == texts


def test_single_numbers_of_which_none_stands_below_another_are_a_row_each() -> None:
    assert rows([at("1", 0, 0), at("2", 1, 500), at("3", 2, 1000)]) == [["1"], ["2"], ["3"]]
    assert rows([at("1", 0, 0), at("2", 0, 500)]) == [["1", "2"]]
    assert rows([]) == []


def test_a_column_found_late_is_put_where_it_stands() -> None:
    cells = [["", "2", ""], ["1", "", "3"], ["4", "", "6"], ["7", "8", ""]]
    assert rows(written(cells)) == cells


def test_a_reading_gives_the_rows_of_its_numbers() -> None:
    numbers = written(LEDGER)
    reading = Reading(Picture(np.zeros((5, 5, 3), np.uint8), (5, 5)), numbers, 0.5)
    assert rows(reading) == rows(numbers) == LEDGER


boxes = st.tuples(*[st.integers(0, 900)] * 2, *[st.integers(1, 300)] * 2)


@given(st.lists(st.tuples(boxes, st.integers(0, 6)), max_size=25))
def test_nothing_is_lost_and_every_row_keeps_its_order(
    pieces: list[tuple[tuple[int, int, int, int], int]],
) -> None:
    page = [Number(str(place), 1.0, box, [], line) for place, (box, line) in enumerate(pieces)]
    table = rows(page)
    lines = sorted({number.line for number in page})
    assert len(table) == len(lines)
    for row, line in zip(table, lines, strict=True):
        own = sorted(
            (number for number in page if number.line == line), key=lambda number: number.box[0]
        )
        assert [cell for cell in row if cell] == [number.text for number in own]


@given(st.lists(st.tuples(boxes, st.integers(0, 3)), min_size=1, max_size=12))
def test_columns_keep_the_order_of_every_line_also_where_the_page_is_no_table(
    pieces: list[tuple[tuple[int, int, int, int], int]],
) -> None:
    pieces.sort(key=lambda piece: (piece[1], piece[0][0]))
    page = [Number("7", 1.0, box, [], line) for box, line in pieces]
    line = np.array([number.line for number in page])
    lines = [np.flatnonzero(line == each).tolist() for each in np.unique(line)]
    bond, along = bonds(page)
    columns = joined(columns_of(lines, bond, along), bond, line)
    for own in lines:
        assert [place for column in columns for place in column if place in own] == own


@given(st.lists(st.lists(st.sampled_from(["", "7", "12", "1234"]), min_size=4, max_size=4)))
def test_every_row_of_a_full_table_has_all_its_columns(cells: Cells) -> None:
    cells = [["11", "22", "33", "44"], *cells, ["55", "66", "77", "88"]]
    assert rows(written(cells, jitter=0.1)) == [row for row in cells if any(row)]


# Sheets


def test_a_sheet_comes_back_as_it_was_written(tmp_path: Path) -> None:
    cells = [["-7", "1,5", "3.14"], ["", '"', "a\nb"], ["=1+1", "é ½", ""]]
    write_csv(tmp_path / "a.csv", cells)
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == cells
    first = (tmp_path / "a.csv").read_bytes().split(b"\r\n")[0]
    assert first == b'-7,"1,5",3.14'


def test_short_rows_are_filled_up(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [["1"], ["2", "3", "4"], []])
    assert (tmp_path / "a.csv").read_bytes() == b"1,,\r\n2,3,4\r\n,,\r\n"
    write_csv(tmp_path / "a.csv", [])
    assert (tmp_path / "a.csv").read_bytes() == b""


class Lost(list[str]):
    """A row that can be counted, but not be written."""

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("lost")


def test_a_sheet_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [["1"]])
    with pytest.raises(RuntimeError):
        write_csv(tmp_path / "a.csv", [["2"], Lost("3")])
    assert (tmp_path / "a.csv").read_bytes() == b"1\r\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_bytes_of_a_name_that_are_no_text_are_escaped(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [["scan\udcff.png", "7"]])
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "scan\\udcff.png,7\n"


@pytest.mark.parametrize("name", ["=1+1.png", "+a", "-x.png", "@b", "\tc", "\rd"])
def test_names_that_a_sheet_would_take_for_formulas_are_made_harmless(name: str) -> None:
    assert harmless(name) == "'" + name


@pytest.mark.parametrize("name", ["photo.jpg", "a=b", "7-8.png", "'=quoted", " =1", ""])
def test_other_names_stay_as_they_are(name: str) -> None:
    assert harmless(name) == name
