"""Negatives: every kind makes glyph-like pictures that show no digit, each with its share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError
from inkdigits.glyph import bounding_box
from inkdigits.sources import negatives as source
from inkdigits.sources.letters import LETTERS, SIGNS
from inkdigits.sources.negatives import KINDS, OF_DIGITS, SHARES, negatives, possible_kinds

Pixels = NDArray[np.uint8]

# Kinds that are in MNIST's form: scaled to 20 pixels, their centre of mass in place.
NORMALISED = (
    "lines",
    "scribbles",
    "written letters",
    "bold letters",
    "printed letters",
    "signs",
    "bold signs",
    "fragments",
    "several digits",
    "wrongly cut",
)

each_kind = pytest.mark.parametrize("kind", SHARES)


def chance(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def make(few: Dataset) -> Callable[..., Pixels]:
    def made(kind: str, count: int, seed: int = 1) -> Pixels:
        if kind in KINDS:
            return KINDS[kind](count, chance(seed))
        return OF_DIGITS[kind](count, chance(seed), few.images, few.known_labels)

    return made


def test_every_kind_has_its_share_and_the_shares_make_one() -> None:
    assert set(SHARES) == set(KINDS) | set(OF_DIGITS)
    assert not set(KINDS) & set(OF_DIGITS)
    assert sum(SHARES.values()) == pytest.approx(1)
    assert min(SHARES.values()) > 0


@each_kind
def test_a_kind_makes_as_many_pictures_as_it_should(make: Callable[..., Pixels], kind: str) -> None:
    for count in (0, 1, 40):
        pictures = make(kind, count)
        assert pictures.shape == (count, 28, 28)
        assert pictures.dtype == np.uint8


@each_kind
def test_a_kinds_pictures_differ_and_come_again_from_the_same_numbers(
    make: Callable[..., Pixels], kind: str
) -> None:
    pictures = make(kind, 40)
    assert len(np.unique(pictures, axis=0)) > 25
    np.testing.assert_array_equal(pictures, make(kind, 40))
    assert (pictures != make(kind, 40, seed=2)).any()


@pytest.mark.parametrize("kind", NORMALISED)
def test_what_is_drawn_or_cut_has_mnists_size_and_place(
    make: Callable[..., Pixels], kind: str
) -> None:
    pictures = make(kind, 100)
    boxes = np.array([bounding_box(picture)[2:] for picture in pictures])
    # Fragments lose their faintest rim, and a mass far from the middle sends ink out of the frame.
    assert boxes.max() <= 20
    assert (boxes.max(axis=1) >= 18).mean() >= 0.93
    total = pictures.sum(axis=(1, 2), dtype=float)
    down = (pictures.sum(axis=2, dtype=float) @ np.arange(28)) / total
    right = (pictures.sum(axis=1, dtype=float) @ np.arange(28)) / total
    assert np.abs(np.stack([down, right]) - 14).max() < 1.5


@pytest.mark.parametrize("kind", ["lines", "scribbles", "written letters", "fragments"])
def test_no_lone_stroke_stands_as_it_would_be_a_one(make: Callable[..., Pixels], kind: str) -> None:
    import cv2

    pictures = make(kind, 400)
    narrow = [picture for picture in pictures if standing(picture)]
    pieces = [cv2.connectedComponents((picture > 60).astype(np.uint8))[0] - 1 for picture in narrow]
    assert pieces.count(1) <= 0.01 * len(pictures)


def standing(picture: Pixels) -> bool:
    _, _, width, height = bounding_box(picture)
    return width < 0.4 * height


def test_signs_and_letters_leave_out_what_some_hand_writes_as_a_digit() -> None:
    # A ring alone is a 0; a single stroke that does not turn is a 1.
    for table in (LETTERS, SIGNS):
        for one in table:
            points = np.concatenate(one)
            extent = np.ptp(points, axis=0)
            assert extent[0] > 0.3 * extent[1]
            if len(one) == 1 and np.allclose(one[0][0], one[0][-1]):
                # What is closed has corners, or crosses itself.
                radius = np.hypot(*((points - points.min(axis=0)) / extent - 0.5).T)
                assert radius.max() - radius.min() > 0.1


# The mixture


def stamped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind stamps its number on its pictures, and nothing varies them."""

    def stamp(number: int) -> Callable[..., Pixels]:
        def make(count: int, *_: Any) -> Pixels:
            return np.full((count, 28, 28), number, np.uint8)

        return make

    numbers = {name: stamp(number) for number, name in enumerate(SHARES)}
    monkeypatch.setattr(source, "KINDS", {name: numbers[name] for name in KINDS})
    monkeypatch.setattr(source, "OF_DIGITS", {name: numbers[name] for name in OF_DIGITS})
    monkeypatch.setattr(source, "vary", lambda pictures, generator: None)


def test_a_mixture_has_each_kind_with_its_share_in_random_order(
    monkeypatch: pytest.MonkeyPatch, few: Dataset
) -> None:
    stamped(monkeypatch)
    count = 20_000
    mixture = negatives(count, chance(), digits=few.images, labels=few.known_labels)[:, 0, 0]
    found = np.bincount(mixture, minlength=len(SHARES)) / count
    expected = np.array(list(SHARES.values()))
    assert (np.abs(found - expected) < 4.5 * np.sqrt(expected / count)).all()
    # Neighbours are of one kind as often as chance has it.
    assert (mixture[1:] == mixture[:-1]).mean() == pytest.approx((expected**2).sum(), abs=0.01)


def test_without_digits_or_their_labels_the_rest_keep_their_proportions(
    monkeypatch: pytest.MonkeyPatch, few: Dataset
) -> None:
    stamped(monkeypatch)
    names = list(SHARES)
    for digits, labels in ((None, None), (few.images, None), (few.images[:0], few.labels)):
        mixture = negatives(20_000, chance(), digits=digits, labels=labels)[:, 0, 0]
        found = np.bincount(mixture, minlength=len(SHARES)) / 20_000
        assert {names[number] for number in np.flatnonzero(found)} == set(KINDS)
        ratio = found[names.index("lines")] / SHARES["lines"]
        whole = sum(SHARES[name] for name in KINDS)
        assert ratio == pytest.approx(1 / whole, rel=0.12)


def test_a_mixture_comes_again_from_the_same_numbers_and_leaves_the_digits(few: Dataset) -> None:
    digits, labels = few.images.copy(), few.known_labels.copy()
    first = negatives(200, chance(), digits=digits, labels=labels)
    np.testing.assert_array_equal(first, negatives(200, chance(), digits=digits, labels=labels))
    assert first.shape == (200, 28, 28)
    assert first.dtype == np.uint8
    assert (first != negatives(200, chance(2), digits=digits, labels=labels)).any()
    np.testing.assert_array_equal(digits, few.images)
    np.testing.assert_array_equal(labels, few.known_labels)


def test_no_pictures_are_no_trouble(few: Dataset) -> None:
    for digits, labels in ((None, None), (few.images, few.known_labels)):
        assert negatives(0, chance(), digits=digits, labels=labels).shape == (0, 28, 28)


def test_digits_of_another_form_are_refused(few: Dataset) -> None:
    with pytest.raises(DataError, match=r"expected images of shape \(N, 28, 28\)"):
        negatives(5, chance(), digits=few.images.reshape(-1, 784), labels=few.known_labels)


def test_odd_pictures_of_digits_are_no_trouble() -> None:
    digits = np.zeros((40, 28, 28), np.uint8)
    digits[10:20, 27, 27] = 1
    digits[20:30, 0] = 1
    digits[30:, [0, 27]] = 255  # nothing in the middle
    labels = np.arange(40, dtype=np.uint8) % 10
    pictures = negatives(2000, chance(), digits=digits, labels=labels)
    assert pictures.shape == (2000, 28, 28)


def test_a_third_of_a_mixture_is_paler_or_harder_or_blurred() -> None:
    before = np.random.default_rng(1).integers(0, 256, (3000, 28, 28), np.uint8)
    after = before.copy()
    source.vary(after, chance())
    changed = (after != before).any(axis=(1, 2))
    assert changed.mean() == pytest.approx(1 / 3, abs=4 * (2 / 9 / 3000) ** 0.5)
    paler = after[:, 0].max(axis=1) < 235
    blurred = np.abs(np.diff(after.astype(int))).mean(axis=(1, 2)) < 45
    assert paler.mean() > 0.06
    assert blurred.mean() > 0.06


# Of digits


def blocks(heights: tuple[int, ...], widths: tuple[int, ...]) -> Pixels:
    """Digits as full rectangles, from row 4 and column 4."""
    digits = np.zeros((len(heights), 28, 28), np.uint8)
    for digit, height, width in zip(digits, heights, widths, strict=True):
        digit[4 : 4 + height, 4 : 4 + width] = 255
    return digits


def test_several_digits_are_beside_or_below_one_another() -> None:
    pictures = OF_DIGITS["several digits"](
        300, chance(), blocks((20, 20), (12, 12)), np.array([2, 3], np.uint8)
    )
    boxes = np.array([bounding_box(picture)[2:] for picture in pictures])
    beside = boxes[:, 0] > boxes[:, 1] * 1.05
    below = boxes[:, 1] > boxes[:, 0] * 2
    assert (beside | below).all()
    assert below.mean() == pytest.approx(0.12, abs=0.08)
    # Two of 12 × 20 with a gap of −2 to 4 are 22 to 28 wide, three 32 to 44.
    triples = boxes[:, 1] <= 20 * 20 / 31
    assert (triples & ~below).mean() == pytest.approx(0.2 * 0.88, abs=0.1)


def test_a_zero_or_a_one_never_stands_above_another_digit() -> None:
    for label in (0, 1):
        pictures = OF_DIGITS["several digits"](
            200, chance(), blocks((20,), (12,)), np.array([label], np.uint8)
        )
        assert all(bounding_box(one)[2] == 20 for one in pictures)


def test_what_is_wrongly_cut_is_broader_than_half_a_digit_and_narrower_than_two() -> None:
    pictures = OF_DIGITS["wrongly cut"](
        600, chance(), blocks((20,), (12,)), np.array([2], np.uint8)
    )
    boxes = np.array([bounding_box(picture)[2:] for picture in pictures])
    breadths = 20 * boxes[:, 0] / boxes[:, 1]
    # A half is 5 to 9 of 12 pixels broad; one lies up to 3 on the other, or 1 beside it.
    assert breadths.min() >= 7
    assert breadths.max() <= 12 + 9 + 1.5
    # With a whole one it is 14 broad at least, with another half about 14.
    assert 0.65 < (breadths > 13).mean() < 0.9


def test_what_is_wrongly_cut_lacks_an_outer_half_at_either_side_and_nothing_is_mirrored() -> None:
    """Of digits that are dark at the left and pale at the right, 6 pixels each."""
    digits = blocks((20,), (12,))
    digits[:, 4:24, 10:16] = 128
    pictures = OF_DIGITS["wrongly cut"](600, chance(), digits, np.array([2], np.uint8))
    runs = {dark_and_pale(picture[14]) for picture in pictures}
    # A whole one and the left part of another; the right part of one and a whole one; two parts.
    assert {"DpD", "pDp", "DpDp"} <= runs
    assert not {run for run in runs if run.startswith("pDpD")}


def dark_and_pale(row: Pixels) -> str:
    """Dark (D) and pale (p) ink from left to right, each run once, without soft edges."""
    levels = ["D" if value > 240 else "p" for value in row if value > 240 or 118 < value < 138]
    return "".join(now for last, now in pairwise(["", *levels]) if now != last)


def test_a_one_is_never_halved_and_without_other_digits_nothing_is_wrongly_cut() -> None:
    ones = OF_DIGITS["wrongly cut"](50, chance(), blocks((20,), (4,)), np.ones(1, np.uint8))
    assert not ones.any()
    # Beside each other digit, which is pale here, a 1 is whole: as broad as it was.
    digits = blocks((20, 20), (4, 12))
    digits[1] //= 2
    pictures = OF_DIGITS["wrongly cut"](300, chance(), digits, np.array([1, 2], np.uint8))
    assert ((pictures > 100) & (pictures < 150)).any(axis=(1, 2)).all()
    breadths = (pictures[:, 14] > 200).sum(axis=1)
    assert set(breadths[breadths > 0].tolist()) == {4}
    assert np.mean(breadths > 0) == pytest.approx(0.65 / 2, abs=4 * (0.22 / 300) ** 0.5)


def test_only_digits_of_which_a_part_is_none_are_cut() -> None:
    ones = np.ones(1, np.uint8)
    assert not OF_DIGITS["fragments"](50, chance(), blocks((20,), (12,)), ones).any()
    fours = OF_DIGITS["fragments"](50, chance(), blocks((20,), (12,)), 4 * ones)
    assert not fours.any()
    zeros = OF_DIGITS["fragments"](200, chance(), blocks((20,), (12,)), 0 * ones)
    assert zeros.any(axis=(1, 2)).all()


def test_where_no_digit_can_be_cut_a_mixture_has_no_fragments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stamped(monkeypatch)
    digits = blocks((20, 20), (12, 12))
    for labels, cut in (([1, 4], False), ([1, 0], True)):
        known = np.array(labels, np.uint8)
        made = {*negatives(5000, chance(), digits=digits, labels=known)[:, 0, 0].tolist()}
        assert (list(SHARES).index("fragments") in made) == cut
        assert set(SHARES) - set(possible_kinds(known)) == (set() if cut else {"fragments"})


def test_a_fragment_is_half_of_the_digit_or_less_and_lies() -> None:
    zeros = np.zeros(1, np.uint8)
    # A wide one's part is 12 × 10 at most; a narrow one's stands, 4 × 6 at least, and is laid down.
    for width in (12, 4):
        pieces = OF_DIGITS["fragments"](200, chance(), blocks((20,), (width,)), zeros)
        for piece in pieces[pieces.any(axis=(1, 2))]:
            _, _, across, down = bounding_box(piece)
            assert across == 20
            assert down <= 17


def test_what_is_crossed_out_keeps_its_own_ink_and_gets_as_much_again(few: Dataset) -> None:
    pictures = OF_DIGITS["crossed out"](200, chance(), few.images[:1], few.known_labels[:1])
    assert (pictures >= few.images[0]).all()
    assert np.median(pictures.sum(axis=(1, 2), dtype=int)) > 2 * few.images[0].sum(dtype=int)
