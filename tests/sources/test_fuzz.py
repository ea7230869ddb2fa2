"""Whatever the bytes, a reader gives digits or one of our errors, and nothing else."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from inkdigits.dataset import Dataset
from inkdigits.errors import InkdigitsError
from inkdigits.sources import csv, folder, idx, load, npz, save

FUZZ = settings(
    max_examples=300,
    deadline=None,
    # The folder is the same for all examples on purpose: each overwrites the last one's file.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
BEGINNINGS = st.sampled_from(
    [b"", b"\0\0\x08\x03", b"\x1f\x8b\x08", b"PK\3\4", b"PK\5\6", b"5,", b"label,", b"\xef\xbb\xbf"]
)
NAMES = ["digits.csv", "digits.npz", "a-images-idx3-ubyte", "a-images-idx3-ubyte.gz"]


@FUZZ
@given(beginning=BEGINNINGS, rest=st.binary(max_size=2000))
def test_any_bytes(tmp_path: Path, beginning: bytes, rest: bytes) -> None:
    path = tmp_path / "digits"
    path.write_bytes(beginning + rest)
    with contextlib.suppress(InkdigitsError):
        load(path)
    for module in (csv, idx, npz):
        with contextlib.suppress(InkdigitsError):
            module.read(path)


@st.composite
def mutations(draw: st.DrawFn) -> list[tuple[float, int, bytes]]:
    """Places (0 to 1), how many bytes to take out there, and what to put in."""
    # Headers are at the ends, so they are hit more often than their length deserves.
    place = st.one_of(st.floats(0, 1), st.floats(0, 0.02), st.floats(0.98, 1))
    return draw(
        st.lists(st.tuples(place, st.integers(0, 5), st.binary(max_size=5)), min_size=1, max_size=4)
    )


def mutated(content: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    for place, taken, put in changes:
        at = int(place * len(content))
        content = content[:at] + put + content[at + taken :]
    return content


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@FUZZ
@given(changes=mutations())
def test_any_change_to_a_file(
    few: Dataset, tmp_path: Path, name: str, changes: list[tuple[float, int, bytes]]
) -> None:
    whole = tmp_path / "whole" / name
    if not whole.exists():
        whole.parent.mkdir()
        save(few.subset(range(3)), whole)
    path = tmp_path / name
    path.write_bytes(mutated(whole.read_bytes(), changes))
    with contextlib.suppress(InkdigitsError):
        load(path)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["png", "bmp", "gif", "jpg", "pgm"])
@FUZZ
@given(changes=mutations())
def test_any_change_to_a_picture(
    few: Dataset, tmp_path: Path, ending: str, changes: list[tuple[float, int, bytes]]
) -> None:
    picture = tmp_path / f"digit.{ending}"
    Image.fromarray(few.images[0]).save(picture)
    picture.write_bytes(mutated(picture.read_bytes(), changes))
    with contextlib.suppress(InkdigitsError):
        folder.read(tmp_path)
