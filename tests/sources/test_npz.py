"""npz: Keras's file is read, its parts chosen, and nothing in it is believed or run."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkdigits.dataset import Dataset
from inkdigits.sources import load, save


def npy(header: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header.encode() + data


def promising(*shape: int, kind: str = "|u1") -> str:
    return f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n"


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


@pytest.fixture
def keras(few: Dataset, tmp_path: Path) -> Path:
    """A file with Keras's four arrays: 200 to train with and 100 to test with."""
    train, test = few.split(200)
    path = tmp_path / "mnist.npz"
    np.savez(
        path,
        x_test=test.images,
        x_train=train.images,
        y_train=train.known_labels,
        y_test=test.known_labels,
    )
    return path


def test_of_keras_file_the_path_is_the_training_part(few: Dataset, keras: Path) -> None:
    train, test = few.split(200)
    assert load(keras).fingerprint == load(f"{keras}:train").fingerprint == train.fingerprint
    assert load(f"{keras}:test").fingerprint == test.fingerprint


def test_keras_names_are_written(few: Dataset, tmp_path: Path) -> None:
    save(few, tmp_path / "digits.npz")
    with np.load(tmp_path / "digits.npz") as arrays:
        assert sorted(arrays) == ["x_train", "y_train"]
        assert np.array_equal(arrays["x_train"], few.images)
    save(Dataset(few.images), tmp_path / "images.npz")
    with np.load(tmp_path / "images.npz") as arrays:
        assert sorted(arrays) == ["x_train"]


@pytest.mark.parametrize("kind", ["int8", "<u2", ">i4", "<i8", ">u8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_integers_in_any_order_are_read(
    few: Dataset, tmp_path: Path, kind: str, order: Any
) -> None:
    images = np.minimum(few.images, 127)
    arrays = {"x_train": images, "y_train": few.known_labels}
    np.savez(
        tmp_path / "digits.npz",
        **{name: np.asarray(array, kind, order=order) for name, array in arrays.items()},
    )
    assert load(tmp_path / "digits.npz").fingerprint == Dataset(images, few.labels).fingerprint


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x_train": np.zeros((3, 784), np.uint8)}, "x_train of shape (N, 28, 28), got (3, 784)"),
        ({"x_train": np.zeros((3, 28, 28))}, "expected x_train as uint8, got '<f8': undo any scal"),
        ({"x_train": np.full((1, 28, 28), 256)}, "x_train from 0 to 255, got 256 to 256"),
        ({"x_train": np.full((1, 28, 28), -1)}, "x_train from 0 to 255, got -1 to -1"),
        ({"x_train": np.zeros((0, 28, 28), int)}, "expected at least one image, got none"),
        ({"images": np.zeros(3)}, "expected an array x_train (and y_train), got 'images.npy'"),
        ({"x_test": np.zeros(3)}, "expected the part test, got train: name it after a colon"),
        ({"x_train": np.zeros(1, "u1,u1")}, "expected x_train as one array of numbers"),
        ({"x_train": np.array(["a"])}, "expected x_train as uint8, got '<U1'"),
    ],
)
def test_other_arrays_are_refused(
    tmp_path: Path, refusal: Callable[..., str], arrays: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / "digits.npz", **arrays)
    assert message in refusal(tmp_path / "digits.npz")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 2], "expected one label for each image"),
        ([1, 2, 10], "expected labels 0 to 9, got 10 at index 2"),
        (np.eye(3, 10, dtype=int), "expected y_train of shape (N), got (3, 10)"),
    ],
)
def test_labels_that_do_not_fit_are_refused(
    tmp_path: Path, refusal: Callable[..., str], labels: Any, message: str
) -> None:
    np.savez(tmp_path / "digits.npz", x_train=np.zeros((3, 28, 28), np.uint8), y_train=labels)
    assert message in refusal(tmp_path / "digits.npz")


def test_an_unknown_part_is_answered_with_those_there(
    keras: Path, refusal: Callable[..., str]
) -> None:
    assert "expected the part train or test, got tset" in refusal(f"{keras}:tset")


class Trap:
    """Unpickling it makes the file that it names."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_pickled_objects_are_refused_and_run_nothing(
    tmp_path: Path, refusal: Callable[..., str]
) -> None:
    sprung = tmp_path / "sprung"
    np.savez(tmp_path / "objects.npz", x_train=np.array([Trap(sprung)], object))
    assert "got '|O': undo any scaling and save it as uint8; Python objects are never loaded" in (
        refusal(tmp_path / "objects.npz")
    )
    pickled = pickle.dumps(Trap(sprung))
    assert "as one array of numbers" in refusal(zipped(tmp_path / "raw.npz", x_train=pickled))
    assert not sprung.exists()
    pickle.loads(pickled)
    assert sprung.exists()  # so the trap does work


@pytest.mark.parametrize(
    ("header", "data"),
    [
        (promising(2**40, 28, 28), b""),
        (promising(10**30, 28, 28), b""),
        (promising(60_000, 28, 28), bytes(784)),
        (promising(1, 28, 28), bytes(783)),
        (promising(1, 28, 28), bytes(785)),
        (promising(1, 28, 28, kind="<i8"), bytes(784)),
    ],
)
def test_a_header_that_lies_is_refused_before_memory_is_taken(
    tmp_path: Path, refusal: Callable[..., str], header: str, data: bytes
) -> None:
    path = zipped(tmp_path / "digits.npz", x_train=npy(header, data))
    assert "as its header promises" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", npy("{}"), npy("(" * 9000), b"x" * 99])
def test_a_header_that_makes_no_sense_is_refused(
    tmp_path: Path, refusal: Callable[..., str], content: bytes
) -> None:
    path = zipped(tmp_path / "digits.npz", x_train=content)
    assert "expected x_train as one array of numbers, got something else" in refusal(path)


def test_a_directory_that_lies_is_refused_before_memory_is_taken(
    tmp_path: Path, refusal: Callable[..., str]
) -> None:
    count = 2_000_000
    path = zipped(tmp_path / "digits.npz", x_train=npy(promising(count, 28, 28), bytes(784)))
    content = bytearray(path.read_bytes())
    size = len(npy(promising(count, 28, 28))) + count * 784
    entry = content.rindex(b"PK\1\2")
    content[entry + 24 : entry + 28] = size.to_bytes(4, "little")
    path.write_bytes(content)
    assert f"got one that promises {size:,}" in refusal(path)
    content[entry + 20 : entry + 24] = size.to_bytes(4, "little")
    path.write_bytes(content)
    assert f"got one that promises {size:,}" in refusal(path)


def test_a_bomb_beside_the_arrays_is_refused(
    few: Dataset, tmp_path: Path, refusal: Callable[..., str]
) -> None:
    buffer = io.BytesIO()
    np.save(buffer, few.images)
    path = zipped(tmp_path / "digits.npz", x_train=buffer.getvalue(), other=bytes(1000))
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\1\2")
    content[entry + 24 : entry + 28] = (2**32 - 2).to_bytes(4, "little")
    path.write_bytes(content)
    assert "got one that promises 4,294,967,294" in refusal(path)


def test_other_compressions_are_refused(tmp_path: Path, refusal: Callable[..., str]) -> None:
    path = tmp_path / "digits.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("x_train.npy", bytes(10**6))
    assert "expected arrays stored or deflated, got another compression" in refusal(path)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_cut_file_is_refused(keras: Path, refusal: Callable[..., str], share: float) -> None:
    content = keras.read_bytes()
    keras.write_bytes(content[: int(share * len(content))])
    assert "expected a whole npz, got a damaged zip" in refusal(keras)


def test_damaged_data_are_refused(keras: Path, refusal: Callable[..., str]) -> None:
    content = bytearray(keras.read_bytes())
    content[content.index(b"x_train") + 100_000] ^= 1
    keras.write_bytes(content)
    assert "got a damaged zip (Bad CRC-32" in refusal(keras)


def test_another_zip_is_told_what_was_expected(tmp_path: Path, refusal: Callable[..., str]) -> None:
    path = tmp_path / "table.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert "expected an array x_train (and y_train), got 'xl/workbook.xml'" in refusal(path)
    zipfile.ZipFile(path, "w").close()
    assert "expected an array x_train (and y_train), got ''" in refusal(path)
