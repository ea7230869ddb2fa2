"""Robustness: each distortion does what its strength says, and the curves count what was read."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError
from inkdigits.evaluation import DISTORTIONS, Distortion, robustness, wilson_interval
from inkdigits.evaluation.robustness import (
    blur,
    contrast,
    noise,
    occlusion,
    rotation,
    scale,
    shift,
    thickness,
)

Pixels = NDArray[np.uint8]

each_kind = pytest.mark.parametrize("kind", DISTORTIONS.values(), ids=DISTORTIONS)


def chance(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def grains(count: int) -> Pixels:
    """Pictures without any symmetry, with ink up to the frame; nobody may write into them."""
    images = np.random.default_rng(3).integers(0, 256, (count, 28, 28), np.uint8)
    images.flags.writeable = False
    return images


def blots(count: int, spread: float = 3.0) -> Pixels:
    """A smooth blot in the middle of each picture, whose moments can be measured."""
    y, x = np.indices((28, 28)) - 13.5
    blot = np.rint(255 * np.exp(-(x**2 + y**2) / (2 * spread**2))).astype(np.uint8)
    return np.repeat(blot[np.newaxis], count, axis=0)


def centres(images: Pixels) -> NDArray[np.float64]:
    """The centres of mass (x, y) from the middle of the frame, shape (N, 2)."""
    ink = images / images.sum(axis=(1, 2), keepdims=True)
    along = np.arange(28) - 13.5
    return np.stack([ink.sum(axis=1) @ along, ink.sum(axis=2) @ along], axis=1)


def spreads(images: Pixels) -> NDArray[np.float64]:
    """The standard deviations of the ink's places in x, shape (N,), where its middle is 0."""
    ink = images / images.sum(axis=(1, 2), keepdims=True)
    spread: NDArray[np.float64] = np.sqrt(ink.sum(axis=1) @ (np.arange(28) - 13.5) ** 2)
    return spread


# Each kind


@each_kind
def test_the_neutral_strength_leaves_images_as_they_are_bit_for_bit(kind: Distortion) -> None:
    images = grains(20)
    same = kind.apply(images, kind.neutral, chance())
    assert same.tobytes() == images.tobytes()
    assert not np.shares_memory(same, images)


@each_kind
def test_every_other_strength_makes_other_images_of_the_same_kind(kind: Distortion) -> None:
    images = blots(5)
    images.flags.writeable = False
    results = [kind.apply(images, strength, chance()) for strength in kind.strengths]
    for strength, result in zip(kind.strengths, results, strict=True):
        assert (result.shape, result.dtype) == (images.shape, np.uint8)
        assert (result != images).any(axis=(1, 2)).all() == (strength != kind.neutral)
    assert len({result.tobytes() for result in results}) == len(results)
    assert np.array_equal(images, blots(5))


@each_kind
def test_what_is_drawn_decides(kind: Distortion) -> None:
    images = grains(20)
    first = kind.apply(images, kind.strengths[1], chance())
    assert np.array_equal(kind.apply(images, kind.strengths[1], chance()), first)


@each_kind
def test_no_image_stays_none(kind: Distortion) -> None:
    none = kind.apply(grains(0), kind.strengths[1], chance())
    assert (none.shape, none.dtype) == ((0, 28, 28), np.uint8)


@each_kind
def test_strengths_are_in_order_with_the_neutral_one_among_them(kind: Distortion) -> None:
    steps = [after - before for before, after in pairwise(kind.strengths)]
    assert all(step > 0 for step in steps) or all(step < 0 for step in steps)
    assert kind.neutral in kind.strengths


def test_a_quarter_turn_is_numpys_to_either_side() -> None:
    images = grains(40)
    turned = rotation(images, 90, chance()).astype(int)
    sides = {1: 0, -1: 0}
    for image, result in zip(images, turned, strict=True):
        for side in sides:
            # A level: the sine of a right angle is not quite 1.
            sides[side] += bool(np.abs(np.rot90(image, side).astype(int) - result).max() <= 1)
    assert sides[1] + sides[-1] == 40
    assert min(sides.values()) >= 10


def test_a_shift_is_as_long_as_it_says_in_any_direction() -> None:
    moved = centres(shift(blots(200), 3.0, chance()))
    # OpenCV 4 rounds places to 1/32 of a pixel, greys are whole numbers.
    assert np.hypot(*moved.T) == pytest.approx(np.full(200, 3.0), abs=0.05)
    quadrants = np.unique(np.sign(moved), axis=0, return_counts=True)[1]
    assert len(quadrants) == 4
    assert min(quadrants) >= 25


@pytest.mark.parametrize("factor", [0.6, 0.8, 1.25])
def test_scaling_multiplies_the_size_about_the_middle(factor: float) -> None:
    scaled = scale(blots(2), factor, chance())
    assert spreads(scaled) == pytest.approx(factor * spreads(blots(2)), rel=0.02)
    assert np.abs(centres(scaled)).max() < 0.05


@pytest.mark.parametrize("pixels", [-3.5, -2, -1, -0.5, 0.5, 1, 2, 3, 4, 5.5])
def test_a_stroke_gets_as_many_pixels_wider_as_it_says(pixels: float) -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, :, 10:16] = 255
    width = thickness(image, pixels, chance())[0].sum(axis=1) / 255
    assert width == pytest.approx(np.full(28, 6 + pixels), abs=2 / 255)  # two greys are rounded


def test_paper_that_grows_does_not_come_in_from_the_frame() -> None:
    full = np.full((1, 28, 28), 255, np.uint8)
    assert (thickness(full, -2, chance()) == 255).all()
    empty = np.zeros((1, 28, 28), np.uint8)
    assert (thickness(empty, 2, chance()) == 0).all()


def test_noise_has_the_deviation_it_says_and_stays_within_the_levels() -> None:
    grey = np.full((50, 28, 28), 128, np.uint8)
    noisy = noise(grey, 20, chance()).astype(float) - 128
    # 39,200 draws: three standard errors of the mean are 0.3, of the deviation 0.2.
    assert noisy.mean() == pytest.approx(0, abs=0.3)
    assert noisy.std() == pytest.approx(20, abs=0.3)
    loud = noise(grey, 1000, chance())
    assert ((loud == 0) | (loud == 255)).mean() > 0.85


def test_blur_widens_a_blot_by_its_variance_and_keeps_its_ink() -> None:
    before = blots(2, spread=1.5)
    after = blur(before, 2.0, chance())
    assert spreads(after) == pytest.approx(np.hypot(spreads(before), 2.0), rel=0.02)
    assert int(after.sum()) == pytest.approx(int(before.sum()), rel=0.02)  # greys are whole numbers


def test_blur_takes_what_is_beyond_the_frame_for_paper() -> None:
    full = np.full((1, 28, 28), 255, np.uint8)
    assert blur(full, 1.0, chance())[0, 0, 14] == pytest.approx(255 * 0.7, abs=10)


@pytest.mark.parametrize("side", [1, 7, 20])
def test_a_square_of_paper_lies_somewhere_in_the_middle_20_pixels(side: int) -> None:
    covered = occlusion(np.full((300, 28, 28), 255, np.uint8), side, chance()) == 0
    corners = set()
    for image in covered:
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        assert len(rows) == len(columns) == side
        assert image.sum() == side**2
        assert image[rows[0] : rows[0] + side, columns[0] : columns[0] + side].all()
        corners.update([("row", rows[0]), ("column", columns[0])])
    # Every place there is room for, and no other.
    assert corners == {(axis, n) for axis in ("row", "column") for n in range(4, 25 - side)}


def test_contrast_is_the_share_of_ink_that_is_kept() -> None:
    levels = np.zeros((1, 28, 28), np.uint8)
    levels[0, 0, :4] = (0, 10, 100, 255)
    assert contrast(levels, 0.25, chance())[0, 0, :4].tolist() == [0, 2, 25, 64]  # 2.5 to even
    assert not contrast(levels, 0, chance()).any()


@pytest.mark.parametrize(
    ("apply", "strength", "message"),
    [
        (scale, 0.0, "a factor above 0 to scale by, got 0"),
        (scale, -1.0, "a factor above 0 to scale by, got -1"),
        (occlusion, 21, "0 to 20 whole pixels, got 21"),
        (occlusion, 2.5, "0 to 20 whole pixels, got 2.5"),
        (occlusion, -1, "0 to 20 whole pixels, got -1"),
        (contrast, 1.1, "a share of contrast to keep from 0 to 1, got 1.1"),
        (contrast, -0.1, "a share of contrast to keep from 0 to 1, got -0.1"),
    ],
)
def test_a_strength_that_cannot_be_is_refused(
    apply: Callable[[Pixels, float, np.random.Generator], Pixels], strength: float, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        apply(grains(1), strength, chance())


# The curves

LABELS = np.array([3, 1, 4, 1, 5], np.uint8)
FIVE = Dataset(
    np.repeat(np.array([200, 100, 50, 20, 10], np.uint8), 784).reshape(5, 28, 28), LABELS
)
FADING = {"contrast": Distortion(contrast, "of it kept", 1, (1, 0.5, 0.1))}


def reads_dark_ink(images: Pixels) -> NDArray[np.intp]:
    """The labels of FIVE where there is ink of level 20 or more, else 0."""
    return np.where(images.max(axis=(1, 2)) >= 20, LABELS, 0).astype(np.intp)


def test_a_curve_counts_what_is_read_right_at_each_strength() -> None:
    curve = robustness(reads_dark_ink, FIVE, distortions=FADING)["contrast"]
    assert curve.strengths == (1, 0.5, 0.1)
    assert curve.correct == (4, 3, 1)  # of 200, 100, 50, 20, 10: all but 10; but 10, 5; 20 alone
    assert curve.accuracy == [4 / 5, 3 / 5, 1 / 5]
    assert curve.intervals == [wilson_interval(correct, 5) for correct in (4, 3, 1)]
    assert json.loads(json.dumps(curve.as_data())) == {
        "unit": "of it kept",
        "strengths": [1, 0.5, 0.1],
        "correct": [4, 3, 1],
        "total": 5,
        "accuracy": curve.accuracy,
        "intervals": [list(interval) for interval in curve.intervals],
    }


def test_whoever_knows_the_answers_is_right_at_every_strength_and_who_is_wrong_at_none() -> None:
    for answer, correct in ((LABELS, 5), ((LABELS + 1) % 10, 0)):
        curves = robustness(lambda images, answer=answer: answer.astype(np.intp), FIVE)
        assert list(curves) == list(DISTORTIONS)
        for name, curve in curves.items():
            assert curve.strengths == DISTORTIONS[name].strengths
            assert curve.unit == DISTORTIONS[name].unit
            assert set(curve.correct) == {correct}
            assert curve.total == 5


def asked(seed: int, digits: Dataset) -> list[bytes]:
    """The bytes of all images that are asked about."""
    seen = []

    def answer(images: Pixels) -> NDArray[np.intp]:
        seen.append(images.tobytes())
        return np.zeros(len(images), np.intp)

    robustness(answer, digits, seed=seed)
    return seen


def test_every_question_is_asked_once_and_the_undistorted_one_first() -> None:
    digits = Dataset(blots(5), LABELS)
    seen = asked(1, digits)
    assert seen[0] == digits.images.tobytes()
    assert len(seen) == len(set(seen))
    strengths = [kind.strengths for kind in DISTORTIONS.values()]
    assert len(seen) == 1 + sum(map(len, strengths)) - len(strengths)
    assert asked(1, digits) == seen
    other = asked(2, digits)
    assert other[0] == seen[0]
    assert other[1:] != seen[1:]


def test_chance_is_the_same_at_every_strength() -> None:
    directions = []

    def answer(images: Pixels) -> NDArray[np.intp]:
        directions.append(np.arctan2(*centres(images).T))
        return np.zeros(len(images), np.intp)

    several = Dataset(blots(30), np.zeros(30, np.uint8))
    kinds = {"shift": Distortion(shift, "pixels", 0, (0, 2, 4))}
    robustness(answer, several, distortions=kinds)
    _, two, four = directions
    apart = np.abs(np.angle(np.exp(1j * (two - four))))
    assert apart.max() < math.radians(3)  # places are rounded to 1/32 of a pixel


def test_kinds_draw_numbers_of_their_own() -> None:
    seen = []

    def answer(images: Pixels) -> NDArray[np.intp]:
        seen.append(images.tobytes())
        return np.zeros(len(images), np.intp)

    kind = Distortion(shift, "pixels", 0, (2,))
    robustness(answer, Dataset(blots(5), LABELS), distortions={"one": kind, "other": kind})
    assert seen[1] != seen[2]


def test_progress_is_told_after_every_strength() -> None:
    done: list[int] = []
    robustness(reads_dark_ink, FIVE, distortions=FADING, progress=done.append)
    assert done == [1, 2, 3]


def test_digits_without_labels_and_no_digits_at_all_are_refused() -> None:
    with pytest.raises(DataError, match="expected labelled digits"):
        robustness(reads_dark_ink, Dataset(FIVE.images))
    with pytest.raises(DataError, match="at least one labelled digit to distort, got none"):
        robustness(reads_dark_ink, FIVE.subset([]))
