"""Dataset: what is no set of digits cannot become one, and what is one never changes."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np
import pytest

from inkdigits.dataset import Dataset, checked_images
from inkdigits.errors import DataError

IMAGES = np.arange(5 * 784).reshape(5, 28, 28).astype(np.uint8)
LABELS = np.array([3, 0, 9, 3, 1], np.uint8)
DIGITS = Dataset(IMAGES, LABELS)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((5, 784), np.uint8), r"shape \(N, 28, 28\), got \(5, 784\): reshape rows"),
        (np.zeros((28, 28), np.uint8), r"shape \(N, 28, 28\), got \(28, 28\)"),
        (np.zeros((5, 28, 27), np.uint8), r"shape \(N, 28, 28\), got \(5, 28, 27\)"),
        (np.zeros((5, 28, 28, 1), np.uint8), r"got \(5, 28, 28, 1\)"),
        (np.zeros((5, 28, 28)), r"as uint8 \(0 background to 255 ink\), got float64: undo any"),
        (np.zeros((5, 28, 28), np.int8), "got int8"),
        (np.zeros((5, 28, 28), bool), "got bool"),
        ([], r"got \(0,\)"),
        (5, r"got \(\)"),
    ],
)
def test_images_of_another_shape_or_type_are_refused(images: Any, message: str) -> None:
    with pytest.raises(DataError, match="expected images .*" + message):
        Dataset(images)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 2, 3, 4], r"one label for each image, shape \(5,\), got \(4,\)"),
        (np.eye(5, 10, dtype=int), r"got \(5, 10\): labels are the digits .* not one-hot rows"),
        ([1.0, 2.0, 3.0, 4.0, 5.0], "labels as integers 0 to 9, got float64"),
        (["1", "2", "3", "4", "5"], "labels as integers 0 to 9, got <U1"),
        ([True] * 5, "labels as integers 0 to 9, got bool"),
        ([1, 2, 10, 4, 11], "labels 0 to 9, got 10 at index 2"),
        ([1, 2, 3, 10, 4], "labels 0 to 9, got 10 at index 3"),
        ([1, 2, 3, -1, 5], "labels 0 to 9, got -1 at index 3"),
        ([256, 2, 3, 4, 5], "labels 0 to 9, got 256 at index 0"),
    ],
)
def test_labels_that_are_no_digits_are_refused(labels: Any, message: str) -> None:
    with pytest.raises(DataError, match="^expected .*" + message):
        Dataset(IMAGES, labels)


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int64])
def test_labels_of_any_integer_type_become_bytes(kind: Any) -> None:
    digits = Dataset(IMAGES, LABELS.astype(kind))
    assert digits.known_labels.dtype == np.uint8
    assert digits.known_labels.tolist() == LABELS.tolist()


def test_checked_images_names_what_the_caller_calls_them() -> None:
    with pytest.raises(DataError, match="expected glyphs of shape"):
        checked_images(np.zeros(3), "glyphs")
    assert checked_images(IMAGES) is IMAGES


def test_a_dataset_cannot_be_changed_and_takes_no_copy() -> None:
    images, labels = IMAGES.copy(), LABELS.copy()
    digits = Dataset(images, labels)
    for array in (digits.images, digits.known_labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        digits.labels = None  # type: ignore[misc]
    assert np.shares_memory(digits.images, images)
    images[0] = labels[0] = 7  # the caller's own arrays stay writable


def test_a_dataset_without_labels_says_so_to_whoever_needs_them() -> None:
    unlabelled = Dataset(IMAGES)
    assert not unlabelled.labelled
    assert repr(unlabelled) == "Dataset(5 images, no labels)"
    assert repr(DIGITS) == "Dataset(5 images, labelled)"
    with pytest.raises(DataError, match="expected labelled digits, got images without labels"):
        unlabelled.counts()
    with pytest.raises(DataError, match="neither trained on nor scored"):
        _ = unlabelled.known_labels


def test_counts_are_of_all_ten_digits() -> None:
    assert DIGITS.counts().tolist() == [1, 1, 0, 2, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("indices", "expected"),
    [
        (slice(1, 4, 2), [1, 3]),
        ([4, 0, 0], [4, 0, 0]),
        (range(2), [0, 1]),
        (np.array([-1]), [4]),
        (LABELS == 3, [0, 3]),
        ([True, False, False, False, True], [0, 4]),
        ([], []),
    ],
)
def test_a_subset_has_the_images_and_labels_at_its_indices(
    indices: Any, expected: list[int]
) -> None:
    part = DIGITS.subset(indices)
    assert np.array_equal(part.images, IMAGES[expected])
    assert np.array_equal(part.known_labels, LABELS[expected])
    bare = Dataset(IMAGES).subset(indices)
    assert np.array_equal(bare.images, IMAGES[expected])
    assert not bare.labelled


@pytest.mark.parametrize("indices", [[5], [0.5], [True], ["a"], [[0, 1]]])
def test_a_subset_that_cannot_be_is_refused(indices: Any) -> None:
    with pytest.raises(DataError):
        DIGITS.subset(indices)


@pytest.mark.parametrize("count", range(6))
def test_the_two_parts_of_a_split_join_to_the_whole(count: int) -> None:
    first, rest = DIGITS.split(count)
    assert (len(first), len(rest)) == (count, 5 - count)
    assert first.joined(rest).fingerprint == DIGITS.fingerprint


@pytest.mark.parametrize("count", [-1, 6])
def test_a_split_outside_of_the_set_is_refused(count: int) -> None:
    with pytest.raises(DataError, match=f"expected to split after 0 to 5 images, got {count}"):
        DIGITS.split(count)


def test_sets_join_only_where_both_have_labels_or_neither() -> None:
    bare = Dataset(IMAGES)
    assert not bare.joined(bare).labelled
    assert len(bare.joined(bare)) == 10
    for one, other in ((bare, DIGITS), (DIGITS, bare)):
        with pytest.raises(DataError, match="two labelled sets or two without labels, got one of"):
            one.joined(other)


def test_the_fingerprint_is_the_sha_256_of_count_images_and_labels() -> None:
    content = (5).to_bytes(8, "little") + IMAGES.tobytes()
    assert Dataset(IMAGES).fingerprint == hashlib.sha256(content).hexdigest()
    assert DIGITS.fingerprint == hashlib.sha256(content + LABELS.tobytes()).hexdigest()


def test_the_fingerprint_depends_on_the_content_and_not_on_its_place_in_memory() -> None:
    turned = np.asfortranarray(IMAGES)
    assert Dataset(turned, LABELS.astype(int)).fingerprint == DIGITS.fingerprint
    assert DIGITS.subset(range(5)).fingerprint == DIGITS.fingerprint


def test_any_other_content_has_another_fingerprint() -> None:
    pixel, label = IMAGES.copy(), LABELS.copy()
    pixel[-1, -1, -1] ^= 1
    label[-1] ^= 1
    sets = [
        DIGITS,
        Dataset(IMAGES),
        Dataset(pixel, LABELS),
        Dataset(IMAGES, label),
        DIGITS.subset([1, 0, 2, 3, 4]),
        DIGITS.subset(range(4)),
        DIGITS.subset([]),
    ]
    assert len({digits.fingerprint for digits in sets}) == len(sets)


# Labels that are wrong on purpose

MANY = Dataset(np.zeros((1000, 28, 28), np.uint8), np.arange(1000) % 10)


@pytest.mark.parametrize("share", [0.0, 0.0004, 0.2, 0.9, 1.0])
def test_a_share_of_the_labels_is_replaced_by_other_digits(share: float) -> None:
    mixed = MANY.mislabelled(share, seed=1)
    wrong = mixed.known_labels != MANY.known_labels
    assert wrong.sum() == round(share * 1000)
    assert mixed.known_labels.max() <= 9
    assert np.shares_memory(mixed.images, MANY.images)
    assert (MANY.known_labels == np.arange(1000) % 10).all()


def test_wrong_labels_are_any_of_the_nine_others() -> None:
    """Of 1,000 labels each of the 90 pairs has 11, and by chance one at least."""
    mixed = MANY.mislabelled(1.0, seed=1)
    pairs = set(zip(MANY.known_labels.tolist(), mixed.known_labels.tolist(), strict=True))
    assert len(pairs) == 90


def test_what_is_wrong_at_a_share_is_wrong_in_the_same_way_at_a_larger_one() -> None:
    less, more = (MANY.mislabelled(share, seed=4).known_labels for share in (0.2, 0.3))
    wrong = less != MANY.known_labels
    assert (more[wrong] == less[wrong]).all()
    assert not (more != MANY.known_labels)[:200].all(), "they are spread over the whole"


def test_the_seed_decides_which_labels_are_wrong() -> None:
    one, same, other = (MANY.mislabelled(0.5, seed=seed) for seed in (1, 1, 2))
    assert one.fingerprint == same.fingerprint != other.fingerprint


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(DataError, match=r"^expected a share of the labels, 0 to 1, got"):
        DIGITS.mislabelled(share, seed=1)


def test_labels_that_are_not_there_cannot_be_wrong() -> None:
    with pytest.raises(DataError, match="expected labelled digits"):
        Dataset(IMAGES).mislabelled(0.5, seed=1)
    with pytest.raises(DataError, match="expected a seed of 0 or more, got -1"):
        DIGITS.mislabelled(0.5, seed=-1)
