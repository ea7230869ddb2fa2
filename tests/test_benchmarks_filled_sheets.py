"""benchmarks/filled_sheets.py: its hands can write, and its table says what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark_scripts import benchmark
from inkdigits.reading.filled_sheet import open_sheet


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    with benchmark("filled_sheets") as script:
        yield script


@pytest.mark.slow
def test_the_photos_of_a_hand_show_other_digits_and_come_again(script: Any, tmp_path: Path) -> None:
    contents = []
    for name in ("one", "again"):
        (tmp_path / name).mkdir()
        paths = script.photos("left hand, sheet askew", 1, tmp_path / name)
        assert len(paths) == script.LEARNED + 1
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]
    sheets = [[each.glyph for each in open_sheet(path).boxes] for path in paths]
    for first, other in zip(*sheets[:2], strict=True):
        assert first is None or other is None or not np.array_equal(first, other)
    assert sum(glyph is not None for glyph in sheets[0]) > 100


def test_a_hand_has_one_row_of_all_its_sheets(script: Any) -> None:
    gains = {
        "left": [script.Gain(10, 19, 20, 0.001), script.Gain(20, 21, 20 + 2, -0.002)],
        "right": [script.Gain(5, 5, 5, 0.0)],
    }
    _, _, left, right = script.table(gains).splitlines()
    cells = [cell.strip() for cell in left.strip("|").split("|")]
    assert [cells[at] for at in (0, 1, 2, 4, 6)] == ["left", "42", "71.4 %", "95.2 %", "-0.05"]
    assert right.startswith("| right | 5 | 100.0 % |")
