"""The handwriting sheet: what is printed, that it fits, and that no other file is lost for it."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from filled import FINE, origin, printed
from inkdigits.errors import FileError
from inkdigits.plots import handwriting_sheet
from inkdigits.plots.sheet import save_sheet
from inkdigits.sheet import BOX, BOXES, CELLS, COLUMNS, FIELD, MARK, MARKS, PAPERS, ROWS

INCH = 25.4


def cells(code: tuple[str, ...]) -> np.ndarray:
    return np.array([[*map(int, row)] for row in code])


def test_each_digit_has_a_row_of_boxes_from_left_to_right() -> None:
    assert [box.label for box in BOXES] == [row for row in range(ROWS) for _ in range(COLUMNS)]
    for row in range(10):
        some = BOXES[row * COLUMNS : (row + 1) * COLUMNS]
        assert [box.place for box in some] == list(range(1, COLUMNS + 1))
        assert len({box.y for box in some}) == 1
        assert [box.x for box in some] == sorted({box.x for box in some})


def test_boxes_and_marks_keep_apart_within_the_field_and_the_field_on_every_paper() -> None:
    areas = [(box.x, box.y, *BOX) for box in BOXES] + [(m.x, m.y, MARK, MARK) for m in MARKS]
    for x, y, width, height in areas:
        assert 0 <= x <= FIELD[0] - width
        assert 0 <= y <= FIELD[1] - height
    for (x, y, width, height), (u, v, breadth, tall) in combinations(areas, 2):
        apart = max(u - x - width, x - u - breadth, v - y - height, y - v - tall)
        assert apart > 2.2  # twice what is cut out around a box
    for width, height in PAPERS.values():
        assert min(width - FIELD[0], height - FIELD[1]) >= 24


def test_no_mark_looks_like_another_or_like_itself_turned() -> None:
    codes = [cells(mark.code) for mark in MARKS]
    for one, other in combinations(range(4), 2):
        for turns in range(4):
            assert (codes[one] != np.rot90(codes[other], turns)).sum() >= 8
    for code in codes:
        for turns in (1, 2, 3):
            assert (code != np.rot90(code, turns)).sum() >= 8


@pytest.mark.parametrize("paper", PAPERS)
def test_the_drawing_has_marks_and_boxes_where_the_sheet_says(paper: str) -> None:
    levels = printed(paper).mean(axis=2)
    left, top = origin(paper)

    def seen(x: float, y: float) -> float:
        return float(levels[round((top + y) * FINE - 0.5), round((left + x) * FINE - 0.5)])

    for mark in MARKS:
        for row in range(CELLS):
            for column in range(CELLS):
                middle = (mark.x + (column + 0.5) * 2, mark.y + (row + 0.5) * 2)
                assert seen(*middle) == (0 if (column, row) in mark.black else 255)
    for box in BOXES:
        inner = levels[
            round((top + box.y + 0.5) * FINE) : round((top + box.y + BOX[1] - 0.5) * FINE),
            round((left + box.x + 0.5) * FINE) : round((left + box.x + BOX[0] - 0.5) * FINE),
        ]
        assert (inner == 255).all()  # nothing printed can be taken for ink
        middle = box.y + BOX[1] / 2
        assert 150 < seen(box.x, middle) < 230
        assert 150 < seen(box.x + BOX[0], middle) < 230


@pytest.mark.parametrize("paper", PAPERS)
def test_it_is_drawn_in_its_true_size(paper: str) -> None:
    figure = handwriting_sheet(paper)
    assert figure.get_size_inches() * INCH == pytest.approx(PAPERS[paper])
    assert figure.axes[0].get_position().bounds == (0, 0, 1, 1)
    assert abs(np.diff(figure.axes[0].get_xlim())[0]) == pytest.approx(PAPERS[paper][0])
    assert abs(np.diff(figure.axes[0].get_ylim())[0]) == pytest.approx(PAPERS[paper][1])


@pytest.mark.slow
def test_the_same_sheet_is_the_same_file_and_replaces_its_like(tmp_path: Path) -> None:
    path = tmp_path / "sheet.pdf"
    assert save_sheet(handwriting_sheet(), path) == path.stat().st_size
    first = path.read_bytes()
    assert first.startswith(b"%PDF")
    assert b"CreationDate" not in first
    save_sheet(handwriting_sheet("letter"), path)
    assert path.read_bytes() != first
    save_sheet(handwriting_sheet("a4"), path)
    assert path.read_bytes() == first


@pytest.mark.parametrize("content", [b"%PDF-1.4\n/Creator (another)\n%%EOF", b"", b"Dear Sir"])
def test_a_file_that_is_no_sheet_of_ours_is_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter.pdf"
    path.write_bytes(content)
    with pytest.raises(FileError, match="is no sheet of inkdigits, so it is not replaced"):
        save_sheet(handwriting_sheet(), path)
    assert path.read_bytes() == content


def test_a_name_or_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"a name that ends in \.pdf, got .*: call it sheet\.pdf"):
        save_sheet(handwriting_sheet(), tmp_path / "sheet.png")
    with pytest.raises(FileError, match="there is no folder"):
        save_sheet(handwriting_sheet(), tmp_path / "lost" / "sheet.pdf")
    assert not list(tmp_path.iterdir())
