"""Other hands: digits get habits that MNIST lacks, and remain what their labels say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError
from inkdigits.glyph import bounding_box
from inkdigits.model import Model
from inkdigits.sources import load
from inkdigits.sources.strokes import Hand, drawn, shape
from inkdigits.training import hands
from inkdigits.training.hands import ADDED, DRAWN, SHARES, foreign_hands

Pixels = NDArray[np.uint8]

STEADY = Hand(width=(2.25, 2.25), rotation_degrees=0, slant=0, aspect=0, wobble=0)


def chance(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def written(strokes: str) -> Pixels:
    return drawn([shape(strokes)], chance(), STEADY)[0]


SEVEN = written("0,0 60,0 24,100")
SEVEN_WITH_SERIF = written("0,40 0,0 60,0 24,100")
ZERO = written("50,50,35,50,0,360")


@pytest.fixture(scope="module")
def many() -> Dataset:
    """10,000 digits, about 1,000 of each."""
    return load("mnist:validation")


def changed(digits: Dataset, share: float, seed: int = 1) -> NDArray[np.bool_]:
    """Which of the digits another hand wrote, by whether any pixel is another."""
    images, labels = digits.images, digits.known_labels
    varied = foreign_hands(images, labels, chance(seed), share=share)
    return np.asarray((varied != images).any(axis=(1, 2)))


def test_the_given_digits_are_left_as_they_are(digits: Dataset) -> None:
    images, labels = digits.images.copy(), digits.known_labels.copy()
    varied = foreign_hands(images, labels, chance(), share=1)
    assert varied.shape == images.shape
    assert varied.dtype == np.uint8
    assert not np.shares_memory(varied, images)
    np.testing.assert_array_equal(images, digits.images)
    np.testing.assert_array_equal(labels, digits.known_labels)


def test_the_same_numbers_make_the_same_hands(digits: Dataset) -> None:
    images, labels = digits.images, digits.known_labels
    first = foreign_hands(images, labels, chance(), share=0.5)
    np.testing.assert_array_equal(first, foreign_hands(images, labels, chance(), share=0.5))
    assert (first != foreign_hands(images, labels, chance(2), share=0.5)).any()


def test_a_share_of_nothing_changes_nothing(digits: Dataset) -> None:
    assert not changed(digits, 0).any()


def test_no_digits_are_no_trouble(digits: Dataset) -> None:
    none = digits.subset(slice(0))
    assert foreign_hands(none.images, none.known_labels, chance(), share=1).shape == (0, 28, 28)


def test_images_of_another_form_are_refused(digits: Dataset) -> None:
    with pytest.raises(DataError, match=r"expected images of shape \(N, 28, 28\)"):
        foreign_hands(digits.images.reshape(-1, 784), digits.known_labels, chance(), share=1)


def test_what_is_no_digit_stays_as_it_is(digits: Dataset) -> None:
    none = np.full(len(digits), 10, np.uint8)
    varied = foreign_hands(digits.images, none, chance(), share=1)
    np.testing.assert_array_equal(varied, digits.images)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_each_digit_is_changed_as_often_as_its_share_says(many: Dataset, share: float) -> None:
    assert SHARES[1] == SHARES[7] == max(SHARES.values()) == 1
    found = changed(many, share)
    for digit, part in SHARES.items():
        these = found[many.known_labels == digit]
        expected = share * part
        spread = 4 * (expected * (1 - expected) / len(these)) ** 0.5
        # A third of MNIST's sevens with a stroke to come have a serif, and are left.
        lower = 0.75 * expected if digit == 7 else expected
        assert lower - spread <= these.mean() <= expected + spread, digit


def test_drawn_digits_are_glyphs() -> None:
    for digit in SHARES:
        labels = np.full(200, digit, np.uint8)
        varied = foreign_hands(np.zeros((200, 28, 28), np.uint8), labels, chance(), share=1)
        pictures = varied[varied.any(axis=(1, 2))]
        assert len(pictures) > 10
        assert {max(bounding_box(picture)[2:]) for picture in pictures} <= {19, 20}


def test_drawn_digits_are_read_as_what_they_are_by_one_who_never_saw_them(blink: Model) -> None:
    # Of a table's forms some are strange to it, and crosses are; a form under a wrong label is read
    # wrong nearly always.
    for digit, forms in DRAWN.items():
        pictures = drawn(list(forms) * 40, chance(), hands.DRAWING)
        read = blink.predict_probabilities(pictures).argmax(axis=1).reshape(40, len(forms))
        right = (read == digit).mean(axis=0)
        assert np.median(right) > 0.6, digit
    ones = drawn([hands._one(chance(seed)) for seed in range(300)], chance(), hands.DRAWING_ONES)
    assert (blink.predict_probabilities(ones).argmax(axis=1) == 1).mean() > 0.6


def test_a_ones_flag_hangs_steeper_than_a_sevens_bar_and_shorter_than_its_stem() -> None:
    flags = footed = 0
    for seed in range(400):
        stem, *foot = hands._one(chance(seed))
        footed += len(foot)
        if len(stem) == 6:  # no flag
            continue
        flags += 1
        tip, top = stem[0], stem[2]
        down, out = tip[1] - top[1], (top[0] - tip[0]) / (1.6 if foot else 1)
        assert out > 0
        assert 0.08 <= down <= 0.68
        assert np.degrees(np.arctan2(down, out)) >= 37.9
    assert flags / 400 == pytest.approx(0.85, abs=0.08)
    assert footed / 400 == pytest.approx(0.35, abs=0.1)


def top(digit: Pixels) -> NDArray[np.bool_]:
    """Which columns have ink in the digit's first three rows, shape (28,)."""
    _, y, _, _ = bounding_box(digit)
    return np.asarray(digit[y : y + 3].any(axis=0))


def test_a_seven_gets_a_bar_through_its_stem_or_a_serif() -> None:
    beyond = []
    for seed in range(200):
        seven = ADDED[7](SEVEN, chance(seed))
        added = seven.astype(int) - SEVEN
        assert added.sum() > 2 * 255
        stem = SEVEN[12:19].astype(int)
        if (seven[12:19].sum(axis=1) > stem.sum(axis=1) * 2).any():
            # From the left end of its top, as the whole may have been moved.
            before, ink = (
                np.flatnonzero(one[12:19].any(axis=0)) - np.flatnonzero(top(one))[0]
                for one in (SEVEN, seven)
            )
            beyond.append((before[0] - ink[0], ink[-1] - before[-1]))
    # In these rows the stem itself, which leans, takes up five pixels of the bar's 7 to 12.
    assert np.min(beyond) >= 0
    assert np.max(beyond) <= 6
    left, right = np.mean(beyond, axis=0)
    assert left == pytest.approx(right, abs=3.5)
    assert min(left, right) > 1
    assert len(beyond) / 200 == pytest.approx(0.7, abs=0.13)


def test_a_seven_that_has_a_serif_is_left_as_it_is() -> None:
    for seed in range(20):
        np.testing.assert_array_equal(ADDED[7](SEVEN_WITH_SERIF, chance(seed)), SEVEN_WITH_SERIF)


def test_a_sevens_bar_is_as_thick_as_its_strokes() -> None:
    added = {}
    for width in (1.25, 3.75):
        pen = replace(STEADY, width=(width, width))
        (seven,) = drawn([shape("0,0 60,0 24,100")], chance(), pen)
        more = [ADDED[7](seven, chance(seed)).sum(dtype=int) for seed in range(60)]
        added[width] = np.mean(more) - seven.sum(dtype=int)
    # Three times as thick, but where it crosses a wide stem it adds less.
    assert added[3.75] > 1.8 * added[1.25]


@pytest.mark.parametrize("digit", range(10))
def test_odd_pictures_of_digits_are_no_trouble(digit: int) -> None:
    odd = np.zeros((4, 28, 28), np.uint8)
    odd[1, 27, 27] = 1
    odd[2, 0] = odd[3, :, 0] = 255
    odd = np.repeat(odd, 50, axis=0)
    labels = np.full(len(odd), digit, np.uint8)
    assert foreign_hands(odd, labels, chance(), share=1).any(axis=(1, 2))[50:].all()


def test_a_zero_gets_a_stroke_through_or_a_dot_in_its_middle() -> None:
    assert not ZERO[12:17, 12:17].any()
    for seed in range(50):
        zero = ADDED[0](ZERO, chance(seed))
        assert zero[11:18, 11:18].max() > 200
        assert max(bounding_box(zero)[2:]) == 20
