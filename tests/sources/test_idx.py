"""IDX: images and labels find each other, and a header is believed only as far as the file goes."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from inkdigits.dataset import Dataset
from inkdigits.errors import FileError
from inkdigits.sources import load, save

PROMISES = "bytes that its header promises, got"


def header(*shape: int, kind: int = 8) -> bytes:
    return bytes([0, 0, kind, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)


def idx(*shape: int) -> bytes:
    return header(*shape) + bytes(math.prod(shape))


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (header(2**32 - 1, 28, 28), PROMISES),
        (header(60_000, 28, 28) + bytes(100), f"expected the 47,040,016 {PROMISES} 116"),
        (idx(3, 28, 28)[:-1], f"expected the 2,368 {PROMISES} 2,367"),
        (idx(3, 28, 28) + b"\0", f"expected the 2,368 {PROMISES} 2,369"),
        (header(3, 28, 28)[:9], "expected IDX of shape (N, 28, 28), got (3,"),
        (header(), "expected IDX of shape (N, 28, 28), got ()"),
        (idx(3, 16, 16), "got (3, 16, 16): only 28×28 images and their labels are read"),
        (header(*[1] * 255), "expected IDX of shape (N, 28, 28)"),
        (idx(0, 28, 28), "expected at least one image, got none"),
    ],
    ids=str,
)
def test_a_cut_or_lying_header_is_refused_before_memory_is_taken(
    tmp_path: Path,
    refusal: Callable[..., str],
    packed: Callable[[bytes], bytes],
    content: bytes,
    message: str,
) -> None:
    path = tmp_path / "a-images-idx3-ubyte"
    path.write_bytes(packed(content))
    assert message in refusal(path)


def test_a_gzip_cannot_hold_more_than_deflate_can_pack(
    tmp_path: Path, refusal: Callable[..., str]
) -> None:
    path = tmp_path / "images"
    content = gzip.compress(header(2**20, 28, 28))
    path.write_bytes(content[:-4] + (2**20 * 784 + 16).to_bytes(4, "little"))
    assert PROMISES in refusal(path)


def test_a_gzip_that_forges_its_count_is_found_out(
    tmp_path: Path, refusal: Callable[..., str]
) -> None:
    path = tmp_path / "images"
    content = gzip.compress(header(5, 28, 28) + bytes(784))
    path.write_bytes(content[:-4] + (5 * 784 + 16).to_bytes(4, "little"))
    assert "expected whole gzip data, got damaged" in refusal(path)
    path.write_bytes(gzip.compress(header(5, 28, 28)) + gzip.compress(bytes(5 * 784 + 16)))
    assert "expected 3,920 bytes after its header, got more" in refusal(path)


def test_a_cut_gzip_is_refused(few: Dataset, tmp_path: Path, refusal: Callable[..., str]) -> None:
    path = tmp_path / "a-images-idx3-ubyte.gz"
    save(few, path)
    whole = path.read_bytes()
    for length in (2, 5, 30, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert ": get the file again" in refusal(path)


def test_a_damaged_gzip_is_refused(
    few: Dataset, tmp_path: Path, refusal: Callable[..., str]
) -> None:
    path = tmp_path / "a-images-idx3-ubyte.gz"
    save(few, path)
    content = bytearray(path.read_bytes())
    content[-6] ^= 1  # the checksum
    path.write_bytes(content)
    assert "expected whole gzip data, got damaged (CRC check failed" in refusal(path)


def test_gzip_of_something_else_is_told_to_be_unpacked(
    tmp_path: Path, refusal: Callable[..., str]
) -> None:
    path = tmp_path / "digits.csv.gz"
    path.write_bytes(gzip.compress(b"5,0,0"))
    assert "begins with 00 00 08, got 35 2c 30 2c: if it is another format" in refusal(path)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("a-images-idx3-ubyte", "a-labels-idx1-ubyte"),
        ("a-images-idx3-ubyte", "a-labels-idx1-ubyte.gz"),
        ("a-images-idx3-ubyte.gz", "a-labels-idx1-ubyte"),
        ("a-images.idx3-ubyte", "a-labels.idx1-ubyte"),
        ("my images of images.idx", "my images of labels.idx"),
    ],
)
def test_labels_are_found_beside_their_images(tmp_path: Path, images: str, labels: str) -> None:
    for name, content in ((images, idx(3, 28, 28)), (labels, header(3) + bytes([7, 8, 9]))):
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert load(tmp_path / images).known_labels.tolist() == [7, 8, 9]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (header(2) + bytes(2), "a-labels-idx1-ubyte: expected one label for each image"),
        (header(3) + bytes([1, 2, 26]), "a-labels-idx1-ubyte: expected labels 0 to 9, got 26"),
        (header(3) + bytes(2), f"a-labels-idx1-ubyte: expected the 11 {PROMISES} 10"),
        (idx(3, 28, 28), "a-labels-idx1-ubyte: expected IDX of shape (N), got (3, 28, 28)"),
    ],
)
def test_labels_that_do_not_fit_are_refused(
    tmp_path: Path, refusal: Callable[..., str], labels: bytes, message: str
) -> None:
    (tmp_path / "a-images-idx3-ubyte").write_bytes(idx(3, 28, 28))
    (tmp_path / "a-labels-idx1-ubyte").write_bytes(labels)
    assert message in refusal(tmp_path / "a-images-idx3-ubyte")


def test_who_names_the_labels_is_told_their_images(
    few: Dataset, tmp_path: Path, refusal: Callable[..., str]
) -> None:
    images = tmp_path / "a-images-idx3-ubyte.gz"
    save(few, images)
    labels = tmp_path / "a-labels-idx1-ubyte.gz"
    assert refusal(labels).endswith(f"these are labels, name their images, {images}")
    images.unlink()
    assert refusal(labels).endswith("these are labels, name their images, …-images-idx3-ubyte")


def test_floats_are_not_read_as_bytes(tmp_path: Path, refusal: Callable[..., str]) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(header(1, 28, 28, kind=0x0D) + bytes(4 * 784)))
    assert "expected IDX, which begins with 00 00 08, got 00 00 0d 03" in refusal(path)


def test_a_name_that_gives_no_labels_name_is_refused(few: Dataset, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"expected a name like digits-images-idx3-ubyte\.gz, got"):
        save(few, tmp_path / "digits.csv.gz")


def test_images_without_labels_are_not_put_beside_labels_of_others(
    few: Dataset, tmp_path: Path
) -> None:
    save(few, tmp_path / "a-images-idx3-ubyte.gz")
    for name in ("a-images-idx3-ubyte.gz", "a-images-idx3-ubyte"):
        with pytest.raises(FileError, match=r"got .*a-labels-idx1-ubyte\.gz: choose another name"):
            save(Dataset(few.images), tmp_path / name)
    assert load(tmp_path / "a-images-idx3-ubyte.gz").fingerprint == few.fingerprint
