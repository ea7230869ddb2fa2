"""Robustness: how well digits are read that are turned, moved, faint, dirty or half covered.

A model is asked about the same digits distorted ever more. Of each kind of distortion one strength
is neutral and leaves the digits as they are. What is left to chance, as to which side a digit is
turned, is drawn alike at every strength, so that a curve shows the strength alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import SIDE, Dataset
from inkdigits.errors import DataError
from inkdigits.evaluation.report import wilson_interval
from inkdigits.glyph import BOX

__all__ = [
    "DISTORTIONS",
    "Curve",
    "Distortion",
    "blur",
    "contrast",
    "noise",
    "occlusion",
    "robustness",
    "rotation",
    "scale",
    "shift",
    "thickness",
]

Pixels = NDArray[np.uint8]
Numbers = NDArray[np.float64]
Distort = Callable[[Pixels, float, np.random.Generator], Pixels]

CENTRE = (SIDE - 1) / 2


def rotation(images: Pixels, degrees: float, generator: np.random.Generator) -> Pixels:
    """Each turned about the middle by so many degrees, to one side or the other by chance."""
    angles = np.radians(degrees) * np.where(generator.random(len(images)) < 0.5, -1, 1)
    turns = np.array([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]])
    return moved(images, turns.transpose(2, 0, 1), np.zeros((len(images), 2)))


def shift(images: Pixels, pixels: float, generator: np.random.Generator) -> Pixels:
    """Each moved by so many pixels in a direction drawn for it; what leaves the frame is lost."""
    angles = 2 * np.pi * generator.random(len(images))
    shifts = pixels * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return moved(images, np.broadcast_to(np.eye(2), (len(images), 2, 2)), shifts)


def scale(images: Pixels, factor: float, generator: np.random.Generator) -> Pixels:
    """Each `factor` times as large, factor > 0, about the middle; nothing is drawn."""
    if factor <= 0:
        raise DataError(f"expected a factor above 0 to scale by, got {factor}: 1 leaves the size")
    sizes = np.broadcast_to(factor * np.eye(2), (len(images), 2, 2))
    return moved(images, sizes, np.zeros((len(images), 2)))


def moved(images: Pixels, maps: Numbers, shifts: Numbers) -> Pixels:
    """Ink at p, from the middle, goes to A p + t, and greys are interpolated bilinearly.

    Args:
        images: shape (N, 28, 28).
        maps: A of each, shape (N, 2, 2), x to the right and y down.
        shifts: t of each, shape (N, 2), pixels.
    """
    import cv2

    ends = shifts + CENTRE - CENTRE * maps.sum(axis=2)  # where the corner of the frame goes
    matrices = np.concatenate([maps, ends[:, :, np.newaxis]], axis=2)  # (N, 2, 3)
    distorted = np.empty_like(images)
    for index, (image, matrix) in enumerate(zip(images, matrices, strict=True)):
        distorted[index] = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return distorted


def thickness(images: Pixels, pixels: float, generator: np.random.Generator) -> Pixels:
    """Strokes so many pixels wider, or narrower where it is below 0; nothing is drawn.

    Ink that grows by a pixel to each of four sides makes strokes two wider; less of it is mixed in
    for what is left over. Strokes get narrower as the paper grows.
    """
    turned = np.uint8(255 if pixels < 0 else 0)
    growing = images ^ turned
    for step in np.arange(0, abs(pixels), 2):
        share = min(1.0, (abs(pixels) - step) / 2)
        framed = np.pad(growing, ((0, 0), (1, 1), (1, 1)))
        grown = np.maximum.reduce(
            [
                framed[:, 1:-1, 1:-1],
                framed[:, :-2, 1:-1],
                framed[:, 2:, 1:-1],
                framed[:, 1:-1, :-2],
                framed[:, 1:-1, 2:],
            ]
        )
        growing = growing + np.rint(share * (grown - growing)).astype(np.uint8)
    return growing ^ turned


def noise(images: Pixels, levels: float, generator: np.random.Generator) -> Pixels:
    """Gaussian noise on every pixel, with a standard deviation of so many of 255 levels."""
    noisy = generator.standard_normal(images.shape, np.float32)
    noisy *= levels
    noisy += images
    np.clip(noisy, 0, 255, out=noisy)
    return np.rint(noisy, out=noisy).astype(np.uint8)


def blur(images: Pixels, sigma: float, generator: np.random.Generator) -> Pixels:
    """Blurred by a Gaussian with a σ of so many pixels; nothing is drawn."""
    import cv2

    if sigma == 0:
        return images.copy()
    border = cv2.BORDER_CONSTANT
    blurred = np.empty_like(images)
    for index, image in enumerate(images):
        blurred[index] = cv2.GaussianBlur(image, (0, 0), sigma, borderType=border)
    return blurred


def occlusion(images: Pixels, side: float, generator: np.random.Generator) -> Pixels:
    """A square of paper, `side` whole pixels, 0 to 20, somewhere in the middle 20 × 20 pixels."""
    if side not in range(BOX + 1):
        raise DataError(f"expected a square's side of 0 to {BOX} whole pixels, got {side}")
    first = (SIDE - BOX) // 2
    starts = first + np.floor(generator.random((2, len(images), 1)) * (BOX + 1 - side))
    along = np.arange(SIDE)
    rows, columns = (starts <= along) & (along < starts + side)  # (N, 28) each
    covered = rows[:, :, np.newaxis] & columns[:, np.newaxis, :]
    return np.where(covered, np.uint8(0), images)


def contrast(images: Pixels, share: float, generator: np.random.Generator) -> Pixels:
    """Fainter ink: a `share` of its level above the paper's, 0 to 1, is kept; nothing is drawn."""
    if not 0 <= share <= 1:
        raise DataError(f"expected a share of contrast to keep from 0 to 1, got {share}")
    levels = np.rint(np.arange(256) * share).astype(np.uint8)
    fainter: Pixels = levels[images]
    return fainter


@dataclass(frozen=True)
class Distortion:
    """A kind of distortion, and how strong it is tried.

    Args:
        apply: (images (N, 28, 28) uint8, strength, generator) → images; writes into no argument.
        unit: of the strength.
        neutral: the strength that leaves images as they are, bit for bit.
        strengths: in rising or falling order, the neutral one among them.
    """

    apply: Distort
    unit: str
    neutral: float
    strengths: tuple[float, ...]


DISTORTIONS = {
    "rotation": Distortion(rotation, "degrees", 0, (0, 5, 10, 15, 20, 30, 45, 60)),
    "shift": Distortion(shift, "pixels", 0, (0, 1, 2, 3, 4, 5, 6, 8)),
    "scale": Distortion(scale, "times", 1, (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3)),
    "thickness": Distortion(thickness, "pixels", 0, (-2, -1.5, -1, -0.5, 0, 0.5, 1, 2, 3)),
    "noise": Distortion(noise, "of 255", 0, (0, 16, 32, 48, 64, 96, 128, 192)),
    "blur": Distortion(blur, "pixels", 0, (0, 0.5, 1, 1.5, 2, 2.5, 3)),
    "occlusion": Distortion(occlusion, "pixels", 0, (0, 4, 6, 8, 10, 12, 14)),
    "contrast": Distortion(contrast, "of it kept", 1, (1, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1)),
}


@dataclass(frozen=True)
class Curve:
    """How many of the same digits are read right at each strength.

    Args:
        unit: of the strengths.
        strengths: K of them.
        correct: answers right at each.
        total: digits at each.
    """

    unit: str
    strengths: tuple[float, ...]
    correct: tuple[int, ...]
    total: int

    @property
    def accuracy(self) -> list[float]:
        """The share read right at each strength."""
        return [correct / self.total for correct in self.correct]

    @property
    def intervals(self) -> list[tuple[float, float]]:
        """The 95 % interval for each share (Wilson)."""
        return [wilson_interval(correct, self.total) for correct in self.correct]

    def as_data(self) -> dict[str, Any]:
        """The figures as plain data, for JSON."""
        return {
            "unit": self.unit,
            "strengths": list(self.strengths),
            "correct": list(self.correct),
            "total": self.total,
            "accuracy": self.accuracy,
            "intervals": [list(interval) for interval in self.intervals],
        }


def robustness(
    answer: Callable[[Pixels], NDArray[np.integer[Any]]],
    dataset: Dataset,
    *,
    seed: int = 1,
    distortions: Mapping[str, Distortion] = DISTORTIONS,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, Curve]:
    """Asks for the digits of `dataset` under every distortion at every strength.

    Args:
        answer: glyphs (N, 28, 28) uint8 → digits (N,).
        dataset: labelled digits, at least one.
        seed: of what is left to chance; each kind of distortion draws numbers of its own.
        distortions: by name.
        progress: called with how many strengths, of all kinds, are done.

    Raises:
        DataError: the dataset has no labels, or no images.
    """
    labels = dataset.known_labels
    if not len(labels):
        raise DataError("expected at least one labelled digit to distort, got none")

    def read_right(images: Pixels) -> int:
        return int((answer(images) == labels).sum())

    undistorted = read_right(dataset.images)  # asked once: the same for every kind
    done, curves = 0, {}
    for number, (name, kind) in enumerate(distortions.items()):
        correct = []
        for strength in kind.strengths:
            if strength == kind.neutral:
                correct.append(undistorted)
            else:
                generator = np.random.Generator(np.random.Philox(key=[seed, number]))
                correct.append(read_right(kind.apply(dataset.images, strength, generator)))
            done += 1
            progress(done)
        curves[name] = Curve(kind.unit, kind.strengths, tuple(correct), len(labels))
    return curves
