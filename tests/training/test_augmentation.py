"""Augmentation moves ink as far as its settings say, in every image on its own, and no further."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from circumstances import needs_blas_in_hand
from inkdigits.dataset import Dataset
from inkdigits.errors import DataError, TrainingError
from inkdigits.network import Network, he
from inkdigits.parallel import Crew
from inkdigits.training import Augmentation, Recipe, train
from inkdigits.training.augmentation import (
    STACK,
    affine_coordinates,
    elastic_field,
    erase_rectangles,
    opencv_on_one_thread,
    resampled,
    stacked,
    with_thickness,
)
from inkdigits.training.loop import Trainer
from inkdigits.training.processes import ForkedCrew, can_fork
from inkdigits.training.randomness import Purpose, counted_generator

EVERYTHING = Augmentation(
    shift=2,
    rotation_degrees=10,
    scale=0.1,
    aspect=0.1,
    shear=0.15,
    elastic_alpha=34,
    thickness=1,
    erase=10,
)
# One part at a time.
PARTS = {
    "shift": Augmentation(shift=2),
    "rotation": Augmentation(rotation_degrees=10),
    "scale": Augmentation(scale=0.1),
    "aspect": Augmentation(aspect=0.1),
    "shear": Augmentation(shear=0.15),
    "elastic": Augmentation(elastic_alpha=34),
    "thickness": Augmentation(thickness=1),
    "erase": Augmentation(erase=10),
    "everything": EVERYTHING,
}
each_part = pytest.mark.parametrize("augmentation", PARTS.values(), ids=PARTS)

Pixels = NDArray[np.uint8]


def chance(number: int = 1) -> np.random.Generator:
    return counted_generator(number, Purpose.AUGMENTATION)


def rounding() -> float:
    """Grey levels that interpolation may be off: OpenCV 4 rounds coordinates to 1/32 of a pixel."""
    import cv2

    return 1.0 if int(cv2.__version__.partition(".")[0]) >= 5 else 2 * 255 / 64 + 1


def noise(count: int) -> Pixels:
    """Pictures without any symmetry, with ink up to the frame."""
    return np.random.default_rng(1).integers(0, 256, (count, 28, 28), np.uint8)


def blots(count: int, *, height: float = 3.0, width: float = 3.0) -> Pixels:
    """A smooth blot in the middle of each picture, whose moments can be measured."""
    y, x = np.indices((28, 28)) - 13.5
    blot = 255 * np.exp(-(x**2) / (2 * width**2) - y**2 / (2 * height**2))
    return np.repeat(np.rint(blot).astype(np.uint8)[np.newaxis], count, axis=0)


def centres(images: Pixels) -> NDArray[Any]:
    """The centres of mass (x, y) from the middle of the frame, shape (N, 2)."""
    ink = images / images.sum(axis=(1, 2), keepdims=True)
    along = np.arange(28) - 13.5
    return np.stack([ink.sum(axis=1) @ along, ink.sum(axis=2) @ along], axis=1)


def spreads(images: Pixels) -> NDArray[Any]:
    """The covariance matrices of the ink's places x, y: shape (N, 2, 2)."""
    y, x = np.indices((28, 28)) - 13.5
    ink = images / images.sum(axis=(1, 2), keepdims=True)
    places = np.stack([x, y])
    deviations = places - centres(images)[:, :, np.newaxis, np.newaxis]
    return np.einsum("nyx,niyx,njyx->nij", ink, deviations, deviations)


def moved(images: Pixels, **given: Any) -> Pixels:
    """All images under one affine transformation."""
    values = {"angle": 0.0, "width": 1.0, "height": 1.0, "shear": 0.0} | given
    right, down = values.pop("shift", (0.0, 0.0))
    count = len(images)
    coordinates = affine_coordinates(
        shift=np.array([[right] * count, [down] * count], float),
        **{name: np.full(count, value, float) for name, value in values.items()},
    )
    return resampled(stacked(images), coordinates)


def interpolated(image: Pixels, x: float, y: float) -> float:
    """The grey at (x, y) pixel by pixel, bilinearly, 0 outside."""
    left, top = math.floor(x), math.floor(y)
    grey = 0.0
    for row in (top, top + 1):
        for column in (left, left + 1):
            if 0 <= row < 28 and 0 <= column < 28:
                grey += float(image[row, column]) * (1 - abs(x - column)) * (1 - abs(y - row))
    return grey


# The whole


def test_with_nothing_on_the_pixels_are_the_same_and_nothing_is_drawn(digits: Dataset) -> None:
    generator = chance()
    for nothing in (Augmentation(), Augmentation(elastic_sigma=9)):
        same = nothing(digits.images, generator)
        assert np.array_equal(same, digits.images)
        assert not np.shares_memory(same, digits.images)
    assert generator.random() == chance().random()


@each_part
def test_each_part_changes_copies_alone(augmentation: Augmentation, digits: Dataset) -> None:
    images = digits.images.copy()
    images.flags.writeable = False
    varied = augmentation(images, chance())
    assert (varied.shape, varied.dtype) == (images.shape, np.uint8)
    assert np.array_equal(images, digits.images)
    assert (varied != images).any(axis=(1, 2)).mean() > 0.4  # of many little is erased


@each_part
def test_what_is_drawn_decides(augmentation: Augmentation, digits: Dataset) -> None:
    first = augmentation(digits.images, chance())
    assert np.array_equal(augmentation(digits.images, chance()), first)
    assert not np.array_equal(augmentation(digits.images, chance(2)), first)


@each_part
@pytest.mark.parametrize("count", [0, 1, 64, STACK + 1])
def test_how_much_is_drawn_depends_on_the_settings_and_the_count_alone(
    augmentation: Augmentation, count: int
) -> None:
    """Whatever the images, and whatever is drawn: the bits run on at the same distance."""
    states = []
    for number, images in enumerate([noise(count), np.zeros((count, 28, 28), np.uint8)]):
        generator = chance(number)
        augmentation(images, generator)
        state = generator.bit_generator.state
        states.append((state["state"]["counter"].tolist(), state["buffer_pos"]))
        assert (generator.random() == chance(number).random()) == (count == 0)
    assert states[0] == states[1]


@each_part
@pytest.mark.parametrize("count", [1, STACK, STACK + 1, 1100])
def test_any_number_of_images_can_be_varied(augmentation: Augmentation, count: int) -> None:
    """Each in its own way, but for thickness in 256 steps, and an eraser that hits few."""
    images = np.repeat(noise(1), count, axis=0)
    varied = augmentation(images, chance())
    assert varied.shape == (count, 28, 28)
    assert len(np.unique(varied.reshape(count, 784), axis=0)) >= min(count, 100)
    # The next tall picture does not begin with the same numbers again.
    if count > 2 * STACK:
        others = (varied[:STACK] != varied[STACK : 2 * STACK]).any(axis=(1, 2))
        assert others.mean() > 0.9


def test_the_first_images_are_varied_alike_however_many_follow() -> None:
    """As far as one tall picture reaches; and those after it are varied too."""
    images = noise(STACK + 30)
    long = EVERYTHING(images, chance())
    assert (long != images).any(axis=(1, 2)).all()
    assert np.array_equal(long[:STACK], EVERYTHING(noise(STACK), chance()))


@each_part
def test_how_the_images_lie_in_memory_does_not_matter(
    augmentation: Augmentation, digits: Dataset
) -> None:
    turned = np.asfortranarray(digits.images[:40])
    expected = augmentation(digits.images[:40], chance())
    assert np.array_equal(augmentation(turned, chance()), expected)
    every_other = np.repeat(digits.images[:40], 2, axis=0)[::2]
    assert np.array_equal(augmentation(every_other, chance()), expected)


# Extreme settings, so that all ink leaves its image.
FAR = Augmentation(
    shift=28, rotation_degrees=180, scale=0.9, shear=2, elastic_alpha=1000, thickness=2
)


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("augmentation", [FAR, Augmentation(thickness=2)])
def test_nothing_bleeds_into_an_empty_neighbour(augmentation: Augmentation, number: int) -> None:
    images = np.zeros((60, 28, 28), np.uint8)
    images[::2] = 255
    varied = augmentation(images, chance(number))
    assert varied[::2].any()
    assert not varied[1::2].any()


# Where ink goes


def test_whole_pixels_of_shift_move_pixels_as_they_are() -> None:
    images = noise(3)
    for right, down in [(0, 0), (3, 0), (0, 2), (-5, 4), (27, -27), (28, 0), (0, -28)]:
        expected = np.zeros_like(images)
        height, width = 28 - abs(down), 28 - abs(right)
        top, left = max(0, down), max(0, right)
        from_top, from_left = max(0, -down), max(0, -right)
        expected[:, top : top + height, left : left + width] = images[
            :, from_top : from_top + height, from_left : from_left + width
        ]
        assert np.array_equal(moved(images, shift=(right, down)), expected), (right, down)


@pytest.mark.parametrize("quarters", range(-2, 4))
def test_quarter_turns_are_against_the_clock(quarters: int) -> None:
    """A level less or more: the cosine of a quarter turn in float32 is 4e-8, not 0."""
    images = noise(3)
    expected = np.rot90(images, quarters, axes=(1, 2))
    turned = moved(images, angle=quarters * math.pi / 2)
    assert np.abs(turned.astype(int) - expected).max() <= 1


def test_halves_and_doubles_of_the_size_keep_the_middle() -> None:
    """A square of 8 becomes a rectangle of 16 × 4, its ink spread by 4 × 2 pixels more evenly."""
    images = np.zeros((2, 28, 28), np.uint8)
    images[:, 10:18, 10:18] = 255
    rectangle = moved(images, width=2.0, height=0.5)[1] > 127
    assert np.array_equal(np.flatnonzero(rectangle.any(axis=0)), np.arange(6, 22))
    assert np.array_equal(np.flatnonzero(rectangle.any(axis=1)), np.arange(12, 16))


def test_shear_leans_to_the_right() -> None:
    """A pixel to the right for each row up, so a vertical stroke becomes the diagonal."""
    images = np.zeros((1, 28, 28), np.uint8)
    images[:, 5:23, 13:15] = 255
    leaning = moved(images, shear=1.0)[0]
    for row in range(5, 23):
        where = np.flatnonzero(leaning[row] > 127)
        assert where.mean() == 13.5 + (13.5 - row)


def test_parts_are_put_together_as_documented() -> None:
    """Ink at p goes to R H S p + t: a dot is found where matrices, written out, send it."""
    angle, width, height, shear = math.radians(25), 1.2, 0.85, 0.4
    right, down = 2.25, -1.5
    scaling = np.diag([width, height])
    leaning = np.array([[1, -shear], [0, 1]])
    turning = np.array(
        [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
    )  # against the clock where y is down
    for x, y in [(0, 0), (5, 0), (0, 5), (-4, 6)]:
        images = np.zeros((1, 28, 28), np.uint8)
        # A blot of 4 × 4 pixels around the place, as a single dot may fall between two samples.
        images[0, 12 + y : 16 + y, 12 + x : 16 + x] = 255
        changed = moved(
            images, angle=angle, width=width, height=height, shear=shear, shift=(right, down)
        )
        expected = turning @ leaning @ scaling @ [x, y] + [right, down]
        # 0.05 pixels: how well a blot of this size is sampled.
        np.testing.assert_allclose(centres(changed)[0], expected, atol=0.05)


def test_greys_are_interpolated_as_a_plain_loop_does() -> None:
    """At any coordinates; a level less or more, by rounding, where OpenCV does not round more."""
    count = 40
    images = noise(count)
    coordinates = np.random.default_rng(2).uniform(-3, 31, (2, count, 784)).astype(np.float32)
    coordinates[:, :, :100] = np.rint(coordinates[:, :, :100])
    coordinates[:, :, 100:110] *= 1000  # far outside, in all directions
    found = resampled(stacked(images), coordinates.copy())
    worst = 0.0
    for number in (0, 1, count // 2, count - 1):
        for place in range(784):
            x, y = coordinates[:, number, place]
            grey = found[number, place // 28, place % 28]
            worst = max(worst, abs(interpolated(images[number], x, y) - grey))
    assert worst <= rounding()


def test_what_comes_in_from_outside_is_background() -> None:
    images = np.full((3, 28, 28), 255, np.uint8)
    smaller = moved(images, width=0.5, height=0.5)
    assert (smaller[:, 8:20, 8:20] == 255).all()
    assert not smaller[:, :6].any()
    assert not smaller[:, -6:].any()
    assert not smaller[:, :, :6].any()
    assert not smaller[:, :, -6:].any()


# How much is drawn: uniformly, up to the range. Of 4,000 the largest is within 1 % of the range.

MANY = 4000


def assert_uniform(values: NDArray[Any], low: float, high: float) -> None:
    """Within the range, up to its ends, and with the mean and spread of a uniform distribution.

    5 % of the width for what pixels blur; the standard error of the mean is 0.5 % of it.
    """
    width = high - low
    assert values.min() == pytest.approx(low, abs=0.05 * width)
    assert values.max() == pytest.approx(high, abs=0.05 * width)
    assert values.mean() == pytest.approx((low + high) / 2, abs=0.03 * width)
    assert values.std() == pytest.approx(width / math.sqrt(12), rel=0.07)


def correlation(first: NDArray[Any], second: NDArray[Any]) -> float:
    return abs(float(np.corrcoef(first, second)[0, 1]))


def test_shift_is_up_to_its_range_in_each_direction_of_its_own() -> None:
    x, y = centres(Augmentation(shift=3)(blots(MANY, height=2, width=2), chance())).T
    assert_uniform(x, -3, 3)
    assert_uniform(y, -3, 3)
    assert correlation(x, y) < 0.06  # four standard errors


def test_rotation_is_up_to_its_range_to_either_side() -> None:
    images = blots(MANY, height=4, width=1.5)
    turned = Augmentation(rotation_degrees=20)(images, chance())
    assert np.abs(centres(turned)).max() < 0.02
    (xx, xy), (_, yy) = spreads(turned).transpose(1, 2, 0)
    # The long axis of an upright blot, from the vertical.
    assert_uniform(np.degrees(np.arctan2(2 * xy, yy - xx) / 2), -20, 20)


def test_scale_multiplies_both_sides_alike() -> None:
    grown = Augmentation(scale=0.2)(blots(MANY), chance())
    (xx, xy), (_, yy) = spreads(grown).transpose(1, 2, 0)
    np.testing.assert_allclose(xx, yy, rtol=0.01)
    assert np.abs(xy).max() < 0.05
    assert_uniform(np.sqrt(xx / spreads(blots(1))[0, 0, 0]), 0.8, 1.2)


def test_aspect_changes_the_ratio_of_the_sides_and_keeps_the_area() -> None:
    stretched = Augmentation(aspect=0.3)(blots(MANY), chance())
    (xx, _), (_, yy) = spreads(stretched).transpose(1, 2, 0)
    assert_uniform(np.sqrt(xx / yy), 0.7, 1.3)
    np.testing.assert_allclose(np.sqrt(xx * yy), spreads(blots(1))[0, 0, 0], rtol=0.03)


def test_size_and_ratio_are_drawn_apart() -> None:
    both = Augmentation(aspect=0.3, scale=0.2)(blots(MANY), chance())
    (xx, _), (_, yy) = spreads(both).transpose(1, 2, 0)
    assert np.sqrt(xx * yy).std() > 0.5
    assert correlation(xx * yy, xx / yy) < 0.06


def test_shear_is_up_to_its_range_to_either_side() -> None:
    leaning = Augmentation(shear=0.4)(blots(MANY), chance())
    (_, xy), (_, yy) = spreads(leaning).transpose(1, 2, 0)
    assert_uniform(-xy / yy, -0.4, 0.4)


def test_each_part_draws_numbers_of_its_own() -> None:
    """And the same whichever others are on: so parts can be measured one by one."""
    round_blots, upright = blots(MANY), blots(MANY, height=4, width=1.5)
    x, y = centres(Augmentation(shift=2)(round_blots, chance())).T
    turned = spreads(Augmentation(rotation_degrees=20)(upright, chance()))
    leaning = spreads(Augmentation(shear=0.3)(round_blots, chance()))
    grown = spreads(Augmentation(scale=0.2)(round_blots, chance()))
    stretched = spreads(Augmentation(aspect=0.2)(round_blots, chance()))
    strokes = Augmentation(thickness=1)(np.repeat(stroke(5), MANY, axis=0), chance())
    drawn = [x, y, turned[:, 0, 1], leaning[:, 0, 1], grown[:, 0, 0], stretched[:, 0, 0]]
    drawn.append(strokes.sum(axis=(1, 2), dtype=int))
    for number, first in enumerate(drawn):
        for second in drawn[:number]:
            assert correlation(first, second) < 0.06
    both = Augmentation(shift=2, scale=0.2, shear=0.3)(round_blots, chance())
    assert correlation(centres(both)[:, 0], x) > 0.99
    assert correlation(spreads(both)[:, 0, 1], leaning[:, 0, 1]) > 0.9


# Elastic distortion


@pytest.mark.parametrize(("alpha", "sigma"), [(34, 4), (20, 2.5), (38, 6)])
def test_displacements_spread_as_the_formula_says(alpha: float, sigma: float) -> None:
    """α / (2σ √(3π)) in the middle of the frame; outside it u is 0, so at the edge it is less.

    The sums of the squares of a Gaussian's weights are 1/(2σ√π) along each axis, u's variance 1/3.
    3 %: some 700 images × as many independent places as fit, at σ = 6 a handful.
    """
    field = elastic_field(700, alpha, sigma, chance())
    assert field.shape == (2, 700, 28, 28)
    expected = alpha / (2 * sigma * math.sqrt(3 * math.pi))
    middle = field[:, :, 12:16, 12:16]
    assert middle.std() == pytest.approx(expected, rel=0.03)
    assert abs(middle.mean()) < 0.1 * expected
    assert 0.65 * expected < field[:, :, 0, 12:16].std() < 0.85 * expected  # √½ and a half pixel
    assert 0.65 * expected < field[:, :, 12:16, 0].std() < 0.85 * expected


def test_neighbouring_displacements_go_together_as_the_gaussian_says() -> None:
    """Over a distance d the correlation is exp(−d² / 4σ²), in either direction alike."""
    field = elastic_field(700, 1, 3, chance())[:, :, 8:20, 8:20]
    for distance in (1, 3, 6):
        expected = math.exp(-(distance**2) / (4 * 3**2))
        down = correlation(field[:, :, :-distance].ravel(), field[:, :, distance:].ravel())
        right = correlation(field[..., :-distance].ravel(), field[..., distance:].ravel())
        assert down == pytest.approx(expected, abs=0.04)
        assert right == pytest.approx(expected, abs=0.04)


def test_the_two_directions_and_the_images_are_displaced_of_their_own() -> None:
    x, y = elastic_field(MANY, 34, 4, chance())[:, :, 13, 13]
    assert correlation(x, y) < 0.06
    assert correlation(x[1:], x[:-1]) < 0.06


def test_the_field_is_the_convolution_of_what_was_drawn() -> None:
    """Against sums written out at a few places; 1e-4: float32."""
    alpha, sigma = 34.0, 4.0
    field = elastic_field(2, alpha, sigma, chance())
    drawn = chance().integers(256, size=(2, 2, 28, 28), dtype=np.uint8)
    u = (drawn.astype(float) - 127.5) / 128
    assert -1 < u.min() < -0.99
    assert 0.99 < u.max() < 1
    y, x = np.indices((28, 28))
    for row, column in [(0, 0), (13, 20), (27, 5)]:
        squared = (y - row) ** 2 + (x - column) ** 2
        weights = np.exp(-squared / (2 * sigma**2)) / (2 * math.pi * sigma**2)
        expected = alpha * (weights * u).sum(axis=(2, 3))
        np.testing.assert_allclose(field[:, :, row, column], expected, atol=1e-4)


@pytest.mark.parametrize("sigma", [1.0, 2.3, 4.0])
def test_opencv_convolves_alike(sigma: float) -> None:
    """Its Gaussian over all 57 pixels that may matter; 1e-5 of weights that sum to 1."""
    import cv2

    field = elastic_field(1, 1.0, sigma, chance())
    drawn = chance().integers(256, size=(2, 28, 28), dtype=np.uint8)
    u = ((drawn - 127.5) / 128).astype(np.float32)
    for found, noise_of_one in zip(field[:, 0], u, strict=True):
        expected = cv2.GaussianBlur(noise_of_one, (57, 57), sigma, borderType=cv2.BORDER_CONSTANT)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_greys_are_fetched_from_where_the_field_says(digits: Dataset) -> None:
    """The whole of elastic distortion by a plain loop; a level less or more, as above."""
    near = rounding()
    images = digits.images[:3]
    varied = Augmentation(elastic_alpha=34, elastic_sigma=3)(images, chance())
    generator = chance()
    generator.uniform(-1, 1, (7, 3))
    field = elastic_field(3, 34, 3, generator)
    for number, image in enumerate(images):
        for row in range(28):
            for column in range(28):
                right, down = field[:, number, row, column]
                grey = interpolated(image, column + right, row + down)
                assert abs(grey - varied[number, row, column]) <= near


# Thickness


def stroke(width: int) -> Pixels:
    """A vertical stroke from the frame's top to its bottom."""
    images = np.zeros((1, 28, 28), np.uint8)
    images[:, :, 10 : 10 + width] = 255
    return images


@pytest.mark.parametrize("change", [-2, -1.5, -1, -0.25, 0, 0.25, 1, 1.5, 2])
def test_a_stroke_gets_wider_by_so_many_pixels(change: float) -> None:
    """Measured by its ink, a level a side at most by rounding; also where it leaves the frame."""
    tall = with_thickness(stacked(stroke(4)), np.array([change]))[0]
    assert not tall[0].any()
    width = tall[1:].sum(axis=1, dtype=int) / 255
    np.testing.assert_allclose(width, 4 + change, atol=2.1 / 255)


def test_thick_and_thin_are_the_plain_dilation_and_erosion() -> None:
    """By a pixel in four directions at ± 2; between it and the original on the way there."""
    images = noise(4)
    for change, extreme, outside in ((2.0, np.max, 0), (-2.0, np.min, 255)):
        padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), constant_values=outside)
        neighbours = [padded[:, 1:-1, 1:-1], padded[:, :-2, 1:-1], padded[:, 2:, 1:-1]]
        neighbours += [padded[:, 1:-1, :-2], padded[:, 1:-1, 2:]]
        whole = extreme(neighbours, axis=0)
        found = with_thickness(stacked(images), np.full(4, change))[:, 1:]
        assert np.array_equal(found, whole)
        for share in (0.25, 0.5, 0.75):
            mixed = with_thickness(stacked(images), np.full(4, share * change))[:, 1:]
            expected = (1 - share) * images + share * whole
            assert np.abs(mixed - expected).max() <= 0.5


def test_images_get_thicker_and_thinner_side_by_side(digits: Dataset) -> None:
    """Each as it would alone, whatever its neighbours do."""
    images = digits.images[:6]
    changes = np.array([2.0, -2.0, 0.0, -0.5, 0.5, 1.0])
    together = with_thickness(stacked(images), changes)
    assert not together[:, 0].any()
    for number, change in enumerate(changes):
        alone = with_thickness(stacked(images[number : number + 1]), np.array([change]))
        assert np.array_equal(together[number], alone[0])
    ink = together[:, 1:].mean(axis=(1, 2)) - images.mean(axis=(1, 2))
    assert np.array_equal(np.sign(ink), np.sign(changes))


def test_thickness_is_up_to_its_range_thicker_and_thinner() -> None:
    varied = Augmentation(thickness=1.5)(np.repeat(stroke(5), MANY, axis=0), chance())
    assert_uniform(varied[:, 13].sum(axis=1, dtype=int) / 255, 3.5, 6.5)


# Erasing


def test_a_rectangle_is_erased_and_all_else_is_left() -> None:
    images = np.full((MANY, 28, 28), 255, np.uint8)
    erase_rectangles(images, 9, chance())
    gone = images == 0
    assert (gone | (images == 255)).all()
    heights, widths = gone.any(axis=2).sum(axis=1), gone.any(axis=1).sum(axis=1)
    assert np.array_equal(gone.sum(axis=(1, 2)), heights * widths)
    spans = [
        np.where(along.any(axis=1), 28 - along[:, ::-1].argmax(axis=1) - along.argmax(axis=1), 0)
        for along in (gone.any(axis=2), gone.any(axis=1))
    ]
    assert np.array_equal(spans[0], heights)
    assert np.array_equal(spans[1], widths)
    # Sides of 0 to 9 alike often; where either is 0 nothing is gone.
    lost = heights > 0
    assert lost.mean() == pytest.approx(0.81, abs=0.03)
    for sides in (heights, widths):
        counts = np.bincount(sides[lost], minlength=10)
        assert len(counts) == 10
        assert counts[1:].min() > 0.8 * lost.sum() / 9
    assert correlation(heights[lost], widths[lost]) < 0.07


def test_a_rectangle_lies_anywhere_within_the_frame() -> None:
    images = np.full((MANY, 28, 28), 255, np.uint8)
    erase_rectangles(images, 3, chance())
    gone = (images == 0).mean(axis=0)
    assert (gone > 0).all()  # the corners too
    single = (images == 0).sum(axis=(1, 2)) == 1
    tops = (images == 0).any(axis=2).argmax(axis=1)[single]
    lefts = (images == 0).any(axis=1).argmax(axis=1)[single]
    assert set(tops) == set(lefts) == set(range(28))
    assert correlation(tops, lefts) < 0.25  # a sixteenth of the images


def test_all_of_an_image_may_be_erased() -> None:
    images = np.full((MANY, 28, 28), 255, np.uint8)
    erase_rectangles(images, 28, chance())
    assert not images.all(axis=(1, 2)).all()
    assert not images.any(axis=(1, 2)).all()


# Settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shift": -1}, "expected shift from 0 to 28 pixels, got -1: shift=0 turns it off"),
        ({"shift": 28.5}, "expected shift from 0 to 28 pixels, got 28.5: shift=0 turns it off"),
        ({"rotation_degrees": 181}, "expected rotation_degrees from 0 to 180 degrees, got 181"),
        ({"scale": 1}, "expected scale from 0 to 0.9 of the size, got 1"),
        ({"scale": 10}, "expected scale from 0 to 0.9 of the size, got 10"),
        ({"aspect": -0.1}, "expected aspect from 0 to 0.9 of the ratio of width to height, got -0"),
        ({"shear": 15}, "expected shear from 0 to 2 pixels a row, got 15"),
        ({"elastic_alpha": -34}, "expected elastic_alpha from 0 to 1000 pixels, got -34"),
        (
            {"elastic_sigma": 0},
            "expected elastic_sigma from 1 to 28 pixels, got 0: elastic_alpha=0 turns it off",
        ),
        ({"thickness": 3}, "expected thickness from 0 to 2 pixels, got 3"),
        ({"erase": 29}, "expected erase from 0 to 28 whole pixels, got 29"),
        ({"erase": 2.5}, "expected erase from 0 to 28 whole pixels, got 2.5"),
        ({"shift": math.nan}, "expected shift from 0 to 28 pixels, got nan"),
        ({"shear": math.inf}, "expected shear from 0 to 2 pixels a row, got inf"),
        ({"shift": "2"}, "expected shift from 0 to 28 pixels, got '2'"),
        ({"scale": (0.9, 1.1)}, "expected scale from 0 to 0.9 of the size, got (0.9, 1.1)"),
        ({"shear": None}, "expected shear from 0 to 2 pixels a row, got None"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError) as caught:
        Augmentation(**settings)
    assert str(caught.value).startswith(message)


def test_the_ends_of_the_ranges_work() -> None:
    widest = Augmentation(
        shift=28,
        rotation_degrees=180,
        scale=0.9,
        aspect=0.9,
        shear=2,
        elastic_alpha=1000,
        elastic_sigma=1,
        thickness=2,
        erase=28,
    )
    assert widest(noise(300), chance()).any()


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((28, 28), np.uint8),
        np.zeros((2, 784), np.uint8),
        np.zeros((2, 28, 27), np.uint8),
        np.zeros((2, 28, 28), np.float32),
    ],
)
def test_other_images_are_refused(images: NDArray[Any]) -> None:
    with pytest.raises(DataError, match=r"^expected images"):
        EVERYTHING(images, chance())


def test_a_card_tells_what_is_on() -> None:
    assert repr(Augmentation(shift=2, erase=0)) == "Augmentation(shift=2)"
    assert repr(Augmentation()) == "Augmentation()"
    assert eval(repr(EVERYTHING)) == EVERYTHING


# In training


def varying(tiny: Recipe) -> Recipe:
    return replace(tiny, augmentation=EVERYTHING)


def bits(recipe: Recipe, dataset: Dataset, crew: Crew, *, seed: int = 1) -> bytes:
    """The weights after two epochs."""
    network = Network(recipe.layers)
    network.initialise(counted_generator(seed, Purpose.WEIGHTS), he)
    trainer = Trainer(recipe, network, dataset, seed=seed, epochs=2, crew=crew)
    for _ in range(2):
        trainer.epoch(lambda done, loss: None)
    return network.parameters.tobytes()


@pytest.mark.serial
@needs_blas_in_hand
def test_any_number_of_workers_of_any_kind_gives_the_same_bits(
    tiny: Recipe, digits: Dataset
) -> None:
    recipe = varying(tiny)
    crews = [Crew(3, threads) for threads in (1, 2, 3)]
    if can_fork():
        crews += [ForkedCrew(3, processes) for processes in (1, 2, 3)]
    found = {bits(recipe, digits, crew) for crew in crews}
    assert len(found) == 1
    assert found != {bits(tiny, digits, Crew(3, 1))}


def test_each_chunk_of_each_step_is_varied_by_numbers_of_its_own(
    tiny: Recipe, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted as (chunk, step), for this purpose: what is drawn is what `counted_generator` has."""
    seen: list[tuple[Pixels, float]] = []

    def note(self: Augmentation, images: Pixels, generator: np.random.Generator) -> Pixels:
        seen.append((images, generator.random()))
        return np.zeros_like(images)

    monkeypatch.setattr(Augmentation, "__call__", note)
    recipe = varying(replace(tiny, lanes=1))
    network = Network(recipe.layers)
    trainer = Trainer(recipe, network, digits, seed=5, epochs=2, crew=Crew(1, 1))
    for _ in range(2):
        trainer.epoch(lambda done, loss: None)
    chunks = [(chunk, step) for step in range(8) for chunk in range(1 if step % 4 == 3 else 4)]
    assert [number for _, number in seen] == [
        counted_generator(5, Purpose.AUGMENTATION, *place).random() for place in chunks
    ]
    order = counted_generator(5, Purpose.SHUFFLE, 0).permutation(330)
    assert np.array_equal(np.concatenate([images for images, _ in seen[:13]]), digits.images[order])


def test_what_the_network_sees_is_what_was_varied(
    tiny: Recipe, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blank images give no weight of the first layer a gradient."""
    monkeypatch.setattr(Augmentation, "__call__", lambda self, images, _: np.zeros_like(images))
    recipe = varying(tiny)
    network = Network(recipe.layers)
    network.initialise(counted_generator(1, Purpose.WEIGHTS), he)
    before = network.parameters.copy()
    trainer = Trainer(recipe, network, digits, seed=1, epochs=1, crew=Crew(3, 1))
    trainer.epoch(lambda done, loss: None)
    first = slice(0, 196 * 16)
    assert np.array_equal(network.parameters[first], before[first])
    assert not np.array_equal(network.parameters, before)


def test_a_models_card_tells_how_its_digits_were_varied(tiny: Recipe, digits: Dataset) -> None:
    settings = train(varying(tiny), digits, epochs=1, threads=1).card.settings
    assert settings["augmentation"] == repr(EVERYTHING)
    assert json.loads(json.dumps(settings)) == settings
    assert tiny.settings()["augmentation"] is None


def test_opencv_gets_its_threads_back() -> None:
    import cv2

    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(2)
        with suppress(KeyboardInterrupt), opencv_on_one_thread():
            assert cv2.getNumThreads() == 1
            raise KeyboardInterrupt
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)


@pytest.mark.serial
def test_workers_call_opencv_without_threads(
    tiny: Recipe, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cv2

    crew = ForkedCrew(3, 2) if can_fork() else Crew(3, 2)
    seen = crew.shared((2,), np.int64)  # fewest and most

    def note(self: Augmentation, images: Pixels, generator: np.random.Generator) -> Pixels:
        threads = cv2.getNumThreads()
        seen[:] = min(seen[0] or threads, threads), max(seen[1], threads)
        return images

    monkeypatch.setattr(Augmentation, "__call__", note)
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(2)
        bits(varying(tiny), digits, crew)
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)
    assert seen.tolist() == [1, 1]


def finished(program: str) -> str:
    """What a fresh Python prints that runs `program` to its end."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


TRAINS = """
import sys
from dataclasses import replace
from inkdigits.training import Augmentation, find_recipe, train
from inkdigits.sources import load
digits = load("mnist:validation").subset(slice(600))
"""


def test_training_forks_beside_opencvs_threads() -> None:
    """With chunks of 300: OpenCV asks its threads where a picture has 65,536 pixels or more."""
    assert (
        finished(f"""{TRAINS}
import cv2, numpy as np
cv2.setNumThreads(2)
cv2.GaussianBlur(np.zeros((4000, 4000), np.uint8), (31, 31), 9)  # starts them
varying = Augmentation(shift=2, thickness=1)
recipe = replace(find_recipe("blink"), batch=600, chunk=300, augmentation=varying)
model = train(recipe, digits, threads=2)
print(cv2.getNumThreads())
""")
        == "2\n"
    )


def test_opencv_is_loaded_for_augmentation_alone() -> None:
    assert (
        finished(f"""{TRAINS}
train("blink", digits, threads=2)
print("cv2" in sys.modules)
""")
        == "False\n"
    )
