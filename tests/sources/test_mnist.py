"""The embedded MNIST is the original, and its parts are what their names say."""

from __future__ import annotations

import gzip
import hashlib

import numpy as np
import pytest

from inkdigits.sources import load, mnist

# As published for the four uncompressed files.
SUMS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.mark.parametrize("name", SUMS)
def test_the_embedded_files_are_the_published_ones(name: str) -> None:
    content = gzip.decompress((mnist.FOLDER / f"{name}.gz").read_bytes())
    assert hashlib.sha256(content).hexdigest() == SUMS[name]


def test_the_embedded_files_leave_room_in_a_wheel_of_20_megabytes() -> None:
    assert sum(path.stat().st_size for path in mnist.FOLDER.iterdir()) < 12e6


def test_the_digits_are_as_many_as_known() -> None:
    train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    test = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert load("mnist:train").counts().tolist() == train
    assert load("mnist:test").counts().tolist() == test


def test_mnist_alone_is_its_training_part() -> None:
    assert load("mnist").fingerprint == load("mnist:train").fingerprint


def test_train50_and_validation_joined_are_the_training_part() -> None:
    train50, validation = load("mnist:train50"), load("mnist:validation")
    assert (len(train50), len(validation)) == (50_000, 10_000)
    assert train50.joined(validation).fingerprint == load("mnist:train").fingerprint


def test_a_part_keeps_no_more_in_memory_than_itself() -> None:
    images = load("mnist:validation").images
    while isinstance(images.base, np.ndarray):
        images = images.base
    assert images.nbytes == 10_000 * 784
