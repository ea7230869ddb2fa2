"""Dataset: pictures of digits and what they are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.errors import DataError

__all__ = ["DIGITS", "SIDE", "Dataset", "checked_images"]

DIGITS = 10
SIDE = 28

Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]


def checked_images(images: NDArray[Any], what: str = "images") -> Images:
    """`images`, if they are glyphs: uint8 of shape (N, 28, 28), 0 background to 255 ink.

    Raises:
        DataError: they have another shape or type.
    """
    images = np.asarray(images)
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        raise DataError(
            f"expected {what} of shape (N, 28, 28), got {images.shape}: "
            "reshape rows of 784 values with .reshape(-1, 28, 28)"
        )
    if images.dtype != np.uint8:
        raise DataError(
            f"expected {what} as uint8 (0 background to 255 ink), got {images.dtype}: "
            "undo any scaling, then .astype(numpy.uint8)"
        )
    return images


def checked_labels(labels: NDArray[Any], count: int) -> Labels:
    labels = np.asarray(labels)
    if labels.shape != (count,):
        raise DataError(
            f"expected one label for each image, shape ({count},), got {labels.shape}: "
            "labels are the digits themselves, not one-hot rows"
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"expected labels as integers 0 to 9, got {labels.dtype}")
    if count and not 0 <= labels.min() <= labels.max() < DIGITS:
        wrong = int(np.flatnonzero((labels < 0) | (labels >= DIGITS))[0])
        raise DataError(f"expected labels 0 to 9, got {labels[wrong]} at index {wrong}")
    return labels.astype(np.uint8, copy=False)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures of digits, and what they are if that is known.

    Both arrays are kept as read-only views of what was given: leave that as it is from then on, and
    the fingerprint stays true.

    Args:
        images: shape (N, 28, 28), uint8, 0 background to 255 ink.
        labels: shape (N,), integers 0 to 9; None where the answers are not given.

    Raises:
        DataError: shapes, types or values are others, or the counts differ.
    """

    images: Images
    labels: Labels | None = None

    def __post_init__(self) -> None:
        images = checked_images(self.images).view()
        images.flags.writeable = False
        object.__setattr__(self, "images", images)
        if self.labels is not None:
            labels = checked_labels(self.labels, len(images)).view()
            labels.flags.writeable = False
            object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        return f"Dataset({len(self):,} images, {'labelled' if self.labelled else 'no labels'})"

    @property
    def labelled(self) -> bool:
        return self.labels is not None

    @property
    def known_labels(self) -> Labels:
        """The labels, shape (N,), uint8, for whoever cannot do without.

        Raises:
            DataError: the dataset has none.
        """
        if self.labels is None:
            raise DataError(
                "expected labelled digits, got images without labels: "
                "they can be read, but neither trained on nor scored"
            )
        return self.labels

    def subset(self, indices: slice | Sequence[int] | NDArray[Any]) -> Dataset:
        """The images (and labels) at `indices`: a slice, integers, or one boolean an image."""
        if not isinstance(indices, slice):
            indices = np.asarray(indices)
            if indices.size == 0:
                indices = indices.astype(np.intp)
        try:
            return Dataset(
                self.images[indices], None if self.labels is None else self.labels[indices]
            )
        except IndexError as error:
            raise DataError(f"no such subset of {len(self)} images: {error}") from error

    def split(self, count: int) -> tuple[Dataset, Dataset]:
        """The first `count` images, and the rest, in their order.

        Raises:
            DataError: there are fewer than `count` images, or `count` is negative.
        """
        if not 0 <= count <= len(self):
            raise DataError(f"expected to split after 0 to {len(self)} images, got {count}")
        return self.subset(slice(None, count)), self.subset(slice(count, None))

    def joined(self, other: Dataset) -> Dataset:
        """These images followed by the other's; both labelled, or neither.

        Raises:
            DataError: one is labelled and the other is not.
        """
        if self.labelled != other.labelled:
            raise DataError("expected two labelled sets or two without labels, got one of each")
        images = np.concatenate([self.images, other.images])
        if self.labels is None or other.labels is None:
            return Dataset(images)
        return Dataset(images, np.concatenate([self.labels, other.labels]))

    def mislabelled(self, share: float, *, seed: int) -> Dataset:
        """The same images, with so many of their labels wrong: what does a network learn from that?

        Which labels are changed, and each to which of the nine other digits, is drawn from the
        seed. Those that are wrong at a share of 0.2 are wrong in the same way at 0.3.

        Args:
            share: of the labels, 0 to 1, rounded to whole ones.
            seed: 0 or more.

        Raises:
            DataError: there are no labels, or the share or the seed is out of its range.
        """
        labels = self.known_labels
        if not 0 <= share <= 1:
            raise DataError(f"expected a share of the labels, 0 to 1, got {share}")
        if seed < 0:
            raise DataError(f"expected a seed of 0 or more, got {seed}")
        generator = np.random.default_rng(seed)
        wrong = generator.permutation(len(self))[: round(share * len(self))]
        others = (labels + generator.integers(1, DIGITS, len(self), np.uint8)) % DIGITS
        mixed = labels.copy()
        mixed[wrong] = others[wrong]
        return Dataset(self.images, mixed)

    def counts(self) -> NDArray[np.intp]:
        """How many images of each digit, shape (10,)."""
        return np.bincount(self.known_labels, minlength=DIGITS)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the number of images, the images and the labels: one content, one name."""
        digest = hashlib.sha256(len(self).to_bytes(8, "little"))
        digest.update(np.ascontiguousarray(self.images).data)
        if self.labels is not None:
            digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()
