"""Any format gives the same digits, found by content when read and by ending when written."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError, FileError
from inkdigits.sources import load, save

NAMES = ["digits.csv", "digits.npz", "a-images-idx3-ubyte", "a-images-idx3-ubyte.gz", "digits"]


def same(one: Dataset, other: Dataset) -> bool:
    """Whether all bits agree, and labels are there or missing in both."""
    return one.labelled == other.labelled and one.fingerprint == other.fingerprint


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("labelled", [True, False])
def test_what_was_saved_loads_to_the_same_bits(
    few: Dataset, tmp_path: Path, name: str, labelled: bool
) -> None:
    digits = few if labelled else Dataset(few.images)
    save(digits, tmp_path / name)
    assert same(load(tmp_path / name), digits)
    assert same(load(str(tmp_path / name)), digits)


@pytest.mark.parametrize("name", NAMES)
def test_images_that_are_not_contiguous_are_saved_as_they_look(
    few: Dataset, tmp_path: Path, name: str
) -> None:
    turned = Dataset(few.images.transpose(0, 2, 1)[::3], few.known_labels[::3])
    save(turned, tmp_path / name)
    assert same(load(tmp_path / name), turned)


@pytest.mark.parametrize("name", NAMES[:-1])
def test_a_format_is_found_by_content_whatever_the_name(
    few: Dataset, tmp_path: Path, name: str
) -> None:
    save(few, tmp_path / name)
    misnamed = (tmp_path / name).rename(tmp_path / "digits.jpg")
    assert np.array_equal(load(misnamed).images, few.images)


@pytest.mark.parametrize("name", NAMES[:-1])
def test_an_existing_file_is_replaced_and_nothing_else_is_left(
    few: Dataset, tmp_path: Path, name: str
) -> None:
    save(few, tmp_path / name)
    files = sorted(tmp_path.iterdir())
    save(few.subset(range(7)), tmp_path / name)
    assert len(load(tmp_path / name)) == 7
    assert sorted(tmp_path.iterdir()) == files


@pytest.mark.parametrize("name", NAMES)
def test_a_failed_save_leaves_nothing(
    few: Dataset, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(FileError, match=r"^cannot write .*: No space left on device$"):
        save(few, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_the_same_digits_make_the_same_gzip(few: Dataset, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(few, tmp_path / f"{name}-images-idx3-ubyte.gz")
    one, other = (tmp_path / f"{name}-images-idx3-ubyte.gz" for name in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()


def test_an_unknown_ending_is_answered_with_the_known_ones(few: Dataset, tmp_path: Path) -> None:
    with pytest.raises(
        FileError, match=r"expected a path that ends in \.csv, \.npz, .*digits\.xls"
    ):
        save(few, tmp_path / "digits.xls")


def test_the_embedded_set_is_no_place_to_save_to(few: Dataset) -> None:
    with pytest.raises(FileError, match="got the embedded set mnist:test: name a file"):
        save(few, "mnist:test")


def test_no_image_is_nothing_to_save(few: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected at least one image to save, got none"):
        save(few.subset(range(0)), tmp_path / "digits.csv")


def test_a_folder_that_does_not_exist_cannot_be_saved_into(few: Dataset, tmp_path: Path) -> None:
    for name in NAMES:
        with pytest.raises(FileError, match="cannot write"):
            save(few, tmp_path / "nowhere" / name)


def test_a_misspelt_part_is_answered_with_the_nearest(refusal: Callable[..., str]) -> None:
    assert "mnist:tset: did you mean mnist:test?" in refusal("mnist:tset")
    assert "did you mean mnist:validation?" in refusal("mnist:valid")
    assert "did you mean mnist" in refusal("mnist:")
    assert "did you mean mnist:train?" in refusal("minst:train")


def test_a_missing_file_is_answered_with_the_nearest(
    tmp_path: Path, refusal: Callable[..., str]
) -> None:
    (tmp_path / "mnist_train.csv").touch()
    assert refusal(tmp_path / "mnist_tran.csv").endswith(
        "did you mean " + str(tmp_path / "mnist_train.csv") + "?"
    )
    assert "File name too long" in refusal("a" * 5000)


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG\r\n\x1a\n", b"\x80\x04\x95\0", b"\0\0\x01\0", b"\x93NUMPY\x01\0", b"a\0b\0,\0"],
    ids=["png", "pickle", "ico", "npy", "utf-16"],
)
def test_a_binary_file_of_another_kind_is_told_what_is_read(
    content: bytes, tmp_path: Path, refusal: Callable[..., str]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    expected = (
        "expected CSV, IDX, gzipped IDX, npz or a folder of 28×28 pictures, got a binary file"
    )
    assert expected in refusal(path)


def test_only_npz_has_parts(few: Dataset, tmp_path: Path, refusal: Callable[..., str]) -> None:
    save(few, tmp_path / "digits.csv")
    assert "expected an npz to have a part test: leave out :test" in refusal(
        f"{tmp_path / 'digits.csv'}:test"
    )


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has neither pipes nor modes like these"
)
def test_a_pipe_is_refused_rather_than_waited_for(
    tmp_path: Path, refusal: Callable[..., str]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "expected a file or a folder" in refusal(tmp_path / "pipe")
    assert "expected a file or a folder" in refusal("/dev/zero")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path, refusal: Callable[..., str]) -> None:
    (tmp_path / "digits.csv").touch(mode=0o000)
    assert refusal(tmp_path / "digits.csv").endswith("Permission denied")
    (tmp_path / "folder").mkdir(mode=0o000)
    assert refusal(tmp_path / "folder").endswith("Permission denied")
