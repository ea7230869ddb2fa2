"""Augmentation: other ways in which the same hand could have written the same digit.

A chunk of N images is varied at once, stacked into one tall picture. What moves ink (shift,
rotation, scale, shear, elastic distortion) is put together into one map of coordinates, and pixels
are interpolated once, so that a digit is not blurred by each part again.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import SIDE, checked_images
from inkdigits.errors import TrainingError

__all__ = ["Augmentation", "opencv_on_one_thread"]

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]
Pixels = NDArray[np.uint8]

# Lowest and highest value of each setting, with its unit.
LIMITS = {
    "shift": (0, SIDE, "pixels"),
    "rotation_degrees": (0, 180, "degrees"),
    "scale": (0, 0.9, "of the size"),
    "aspect": (0, 0.9, "of the ratio of width to height"),
    "shear": (0, 2, "pixels a row"),
    "elastic_alpha": (0, 1000, "pixels"),
    "elastic_sigma": (1, SIDE, "pixels"),  # below 1 the sampled Gaussian would not sum to 1
    "thickness": (0, 2, "pixels"),
    "erase": (0, SIDE, "whole pixels"),
}

# Images in one tall picture: 256 × 29 rows are within OpenCV's 32,767, and a coordinate down there
# is still good to 1/4,000 of a pixel in float32.
STACK = 256
PITCH = SIDE + 1  # rows from one image of the tall picture to the next: a row of background first
CENTRE = (SIDE - 1) / 2

ROWS, COLUMNS = np.indices((SIDE, SIDE), np.float32).reshape(2, -1)
GRID = np.stack([COLUMNS - CENTRE, ROWS - CENTRE, np.ones_like(ROWS)])  # (3, 784): x, y, 1


@dataclass(frozen=True, kw_only=True, repr=False)
class Augmentation:
    """How far digits are varied; each image draws its own numbers, uniformly from ± the range.

    Everything is off, at 0, unless it is given. Lengths are in pixels of the 28 × 28 frame, whose
    middle stays where it is but for the shift; what comes in from outside is background, 0.

    Args:
        shift: pixels, ± down and, of its own, ± to the right.
        rotation_degrees: ± about the middle.
        scale: the size is multiplied by 1 ± scale.
        aspect: the ratio of width to height is multiplied by 1 ± aspect, the area kept.
        shear: the slant: ± so many pixels to the right for each row up.
        elastic_alpha: pixels. Elastic distortion (Simard, Steinkraus and Platt 2003): a pixel's
            grey is fetched from α (g ∗ u) away, where u is drawn from [−1, 1] for each pixel, down
            and to the right, and g is a Gaussian that sums to 1; outside the frame u is 0. In the
            middle, a displacement has a standard deviation of α / (2σ √(3π)) pixels in either
            direction: 1.4 for the paper's α = 34 and σ = 4 on frames of 29 × 29.
        elastic_sigma: pixels, the σ of that Gaussian: small is wobbly, large nearly affine.
        thickness: strokes get ± so many pixels wider: dilated or eroded by a pixel all round, and
            mixed with what was there. Thin strokes get paler rather than thinner.
        erase: pixels. A rectangle is set to background whose sides are whole numbers from 0 to
            this, anywhere within the frame (cutout, DeVries and Taylor 2017, with random sides).

    Raises:
        TrainingError: a setting is out of its range.
    """

    shift: float = 0.0
    rotation_degrees: float = 0.0
    scale: float = 0.0
    aspect: float = 0.0
    shear: float = 0.0
    elastic_alpha: float = 0.0
    elastic_sigma: float = 4.0
    thickness: float = 0.0
    erase: int = 0

    def __post_init__(self) -> None:
        for name, (low, high, unit) in LIMITS.items():
            value = getattr(self, name)
            kind = int if name == "erase" else int | float
            if not (isinstance(value, kind) and low <= value <= high):
                off = "elastic_alpha" if name == "elastic_sigma" else name
                raise TrainingError(
                    f"expected {name} from {low} to {high} {unit}, got {value!r}: "
                    f"{off}=0 turns it off"
                )

    def __repr__(self) -> str:
        """What is not as it is by itself: `Augmentation(shift=2, rotation_degrees=10)`."""
        given = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"Augmentation({', '.join(given)})"

    def __call__(self, images: Pixels, generator: np.random.Generator) -> Pixels:
        """Varies each image.

        How many numbers are drawn depends on the settings and on N alone. The affine part takes
        about 3 µs an image, all of it 8 (`benchmarks/augmentation.py`).

        Args:
            images: shape (N, 28, 28), uint8; left as they are.
            generator: of all that is drawn.

        Returns:
            shape (N, 28, 28), uint8, in memory of its own.

        Raises:
            DataError: the images are of another shape or type.
        """
        varied = checked_images(images).copy()
        if self == Augmentation(elastic_sigma=self.elastic_sigma):
            return varied
        for start in range(0, len(varied), STACK):
            self._vary(varied[start : start + STACK], generator)
        return varied

    def _vary(self, images: Pixels, generator: np.random.Generator) -> None:
        """Varies images, shape (N, 28, 28), in their place."""
        count = len(images)
        # Drawn whether used or not: turning one of these parts on leaves the others' numbers.
        right, down, turn, grow, widen, lean, thicken = generator.uniform(-1, 1, (7, count))
        tall = stacked(images)
        if self.thickness:
            tall = with_thickness(tall, self.thickness * thicken)
        size, ratio = 1 + self.scale * grow, np.sqrt(1 + self.aspect * widen)
        coordinates = affine_coordinates(
            shift=self.shift * np.stack([right, down]),
            angle=np.radians(self.rotation_degrees * turn),
            width=size * ratio,
            height=size / ratio,
            shear=self.shear * lean,
        )
        if self.elastic_alpha:
            coordinates += elastic_field(
                count, self.elastic_alpha, self.elastic_sigma, generator
            ).reshape(coordinates.shape)
        images[:] = resampled(tall, coordinates)
        if self.erase:
            erase_rectangles(images, self.erase, generator)


@contextmanager
def opencv_on_one_thread() -> Iterator[None]:
    """A block in which OpenCV works in the calling thread alone; processes may be forked in it.

    The crew's workers have the processor's cores already. Processes find OpenCV loaded, and no pool
    of threads, which a fork does not copy: the pool of OpenCV's own wheels finds out (4.14 and 5.0,
    on Linux), one of OpenMP, which others build it with, need not. What is computed here does not
    depend on OpenCV's threads.
    """
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(0)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def stacked(images: Pixels) -> Pixels:
    """Images below one another, each below a row of background: shape (N, 29, 28)."""
    tall = np.zeros((len(images), PITCH, SIDE), np.uint8)
    tall[:, 1:] = images
    return tall


def affine_coordinates(
    *, shift: Numbers, angle: Numbers, width: Numbers, height: Numbers, shear: Numbers
) -> Floats:
    """Where each pixel's grey is fetched from: the inverse of shift · rotate · shear · scale.

    With p the place of ink from the middle, x to the right and y down, and t the shift, ink goes to
    R H S p + t, where S = diag(width, height), H takes x to x − shear y, and R turns by `angle`
    against the clock. So a pixel at q shows what was at S⁻¹ H⁻¹ R⁻¹ (q − t).

    Args:
        shift: shape (2, N), pixels: to the right, and down.
        angle: shape (N,), radians.
        width: shape (N,), a factor; so is height.
        height: as width.
        shear: shape (N,), pixels to the right for each row up.

    Returns:
        x and y in the image's own pixels, 0 the middle of the first one: shape (2, N, 784).
    """
    cos, sin = np.cos(angle), np.sin(angle)
    inverse = np.array(
        [
            [(cos + shear * sin) / width, (shear * cos - sin) / width],
            [sin / height, cos / height],
        ]
    )  # (2, 2, N)
    start = CENTRE - (inverse * shift).sum(axis=1, keepdims=True)  # (2, 1, N)
    coefficients = np.concatenate([inverse, start], axis=1).astype(np.float32)  # (2, 3, N)
    coordinates: Floats = coefficients.transpose(0, 2, 1) @ GRID
    return coordinates


def elastic_field(count: int, alpha: float, sigma: float, generator: np.random.Generator) -> Floats:
    """Simard's displacements α (g ∗ u) in pixels: shape (2, count, 28, 28), x then y.

    u takes the 256 values (b − 127.5)/128 of a byte b, which are drawn in a third of the time of
    floats and whose variance is 1/3 as well. A convolution with a Gaussian along one axis is the
    product with a band matrix.
    """
    noise = generator.integers(256, size=(2 * count * SIDE, SIDE), dtype=np.uint8)
    u = np.subtract(noise, 127.5, dtype=np.float32)
    gaussian = gaussian_band(sigma)
    across = u @ (gaussian * np.float32(alpha / 128))
    field: Floats = gaussian @ across.reshape(2, count, SIDE, SIDE)
    return field


@functools.cache
def gaussian_band(sigma: float) -> Floats:
    """The band matrix of a Gaussian, shape (28, 28): row i holds the weights of the pixels at i."""
    distance = np.subtract.outer(np.arange(SIDE), np.arange(SIDE)) / sigma
    band = np.exp(-(distance**2) / 2) / (sigma * math.sqrt(2 * math.pi))
    return band.astype(np.float32)


def resampled(tall: Pixels, coordinates: Floats) -> Pixels:
    """Greys interpolated bilinearly at coordinates (2, N, 784), which are overwritten.

    Rows are held within an image and the background above and below it; columns need not be, as
    beyond them is background for OpenCV.
    """
    import cv2

    count = len(tall)
    x, y = coordinates
    np.clip(y, -1, SIDE, out=y)
    y += PITCH * np.arange(count, dtype=np.float32)[:, np.newaxis] + 1
    picture, frame = (count * PITCH, SIDE), (count * SIDE, SIDE)
    greys = cv2.remap(tall.reshape(picture), x.reshape(frame), y.reshape(frame), cv2.INTER_LINEAR)
    return np.asarray(greys, np.uint8).reshape(count, SIDE, SIDE)


def with_thickness(tall: Pixels, change: Numbers) -> Pixels:
    """The tall picture with the strokes of each image `change` pixels wider, shape (N,), ±2.

    Dilation by a pixel in the four directions makes strokes two wider, and is mixed in by half the
    change. Erosion is dilation of the background: images that get thinner are inverted meanwhile.
    """
    import cv2

    invert = np.where(change < 0, 255, 0).astype(np.uint8)[:, np.newaxis, np.newaxis]
    share = np.rint(np.abs(change) * 128).astype(np.uint16)[:, np.newaxis, np.newaxis]  # of 256
    ink = tall ^ invert
    ink[:, 0] = 0  # between neighbours; and so no image is eroded from its frame
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    dilated = cv2.dilate(ink.reshape(-1, SIDE), cross).reshape(ink.shape)
    ink += ((dilated - ink) * share + 128 >> 8).astype(np.uint8)
    ink ^= invert
    ink[:, 0] = 0
    return ink


def erase_rectangles(images: Pixels, longest: int, generator: np.random.Generator) -> None:
    """Sets a rectangle of each image, shape (N, 28, 28), to 0; sides are 0 to `longest` pixels."""
    # Not `integers`, which at times draws again.
    drawn = generator.random((2, 2, len(images), 1))
    sides = np.floor(drawn[0] * (longest + 1))  # heights, widths
    starts = np.floor(drawn[1] * (SIDE + 1 - sides))  # 0 to 28 − side
    along = np.arange(SIDE)
    rows, columns = (starts <= along) & (along < starts + sides)  # (N, 28) each
    images *= ~(rows[:, :, np.newaxis] & columns[:, np.newaxis, :])
