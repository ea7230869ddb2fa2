"""Wear: each kind befalls its share of the glyphs, does what it says, and a digit remains one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError, TrainingError
from inkdigits.glyph import bounding_box
from inkdigits.model import Model
from inkdigits.training import wear
from inkdigits.training.wear import Wear

Pixels = NDArray[np.uint8]

KINDS = [field.name for field in fields(Wear)]
SHARED = [name for name in KINDS if name != "jitter"]
ALL = Wear(**dict.fromkeys(KINDS, 0.5))

each_kind = pytest.mark.parametrize("kind", KINDS)


def chance(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def every(images: NDArray[Any]) -> NDArray[np.bool_]:
    return np.ones(len(images), bool)


def worn(images: Pixels, **shares: float) -> Pixels:
    return Wear(**shares)(images, chance())


def changed(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    """Which images differ."""
    return np.asarray((one != other).any(axis=(1, 2)))


def boxes(images: Pixels) -> NDArray[np.intp]:
    """Width and height of what is surely ink, shape (N, 2)."""
    return np.array(
        [bounding_box(np.where(one > wear.FAINTEST, one, 0).astype(np.uint8))[2:] for one in images]
    )


def centres(images: Pixels) -> NDArray[np.float64]:
    """x and y of the centres of mass, shape (N, 2)."""
    total = images.sum(axis=(1, 2), dtype=float)
    across, down = (images.sum(axis=axis, dtype=float) @ np.arange(28) for axis in (1, 2))
    return np.asarray(np.stack([across, down], axis=1) / total[:, np.newaxis])


# The whole


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "a", None])
def test_a_share_that_is_none_is_refused(value: Any) -> None:
    for kind in SHARED:
        with pytest.raises(TrainingError) as caught:
            Wear(**{kind: value})
        assert str(caught.value) == f"expected {kind} from 0 to 1, got {value!r}: 0 turns it off"


def test_jitter_is_in_pixels_and_may_be_more_than_one() -> None:
    assert Wear(jitter=8).jitter == 8
    with pytest.raises(TrainingError, match=r"expected jitter from 0 to 8, got 8\.5"):
        Wear(jitter=8.5)


def test_the_given_glyphs_are_left_as_they_are(digits: Dataset) -> None:
    images = digits.images.copy()
    found = ALL(images, chance())
    assert found.shape == images.shape
    assert found.dtype == np.uint8
    assert not np.shares_memory(found, images)
    np.testing.assert_array_equal(images, digits.images)


def test_the_same_numbers_make_the_same_wear(digits: Dataset) -> None:
    found = ALL(digits.images, chance())
    np.testing.assert_array_equal(found, ALL(digits.images, chance()))
    assert changed(found, ALL(digits.images, chance(2))).mean() > 0.9


@pytest.mark.parametrize("setting", [Wear(), ALL], ids=["none", "all"])
def test_no_glyphs_are_no_trouble(digits: Dataset, setting: Wear) -> None:
    assert setting(digits.images[:0], chance()).shape == (0, 28, 28)
    assert setting(digits.images[:1], chance()).shape == (1, 28, 28)


def test_images_of_another_form_are_refused(digits: Dataset) -> None:
    with pytest.raises(DataError, match=r"expected images of shape \(N, 28, 28\)"):
        ALL(digits.images.reshape(-1, 784), chance())


def test_blank_glyphs_stay_blank_unless_something_is_added() -> None:
    blank = np.zeros((50, 28, 28), np.uint8)
    without = dict.fromkeys(set(KINDS) - {"lines", "grain"}, 1.0)
    assert not worn(blank, **without).any()
    assert worn(blank, lines=1).any(axis=(1, 2)).all()


def test_how_many_glyphs_are_worn_at_once_makes_no_difference_to_their_form(
    digits: Dataset,
) -> None:
    """More than OpenCV takes below one another, 32,767 rows. 1: coordinates rounded to float32."""
    images = np.resize(digits.images, (1300, 28, 28))
    found = worn(images).astype(int)
    assert np.abs(found - worn(images[:330])[np.arange(1300) % 330]).max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.3, 1.0])
@pytest.mark.parametrize("kind", SHARED)
def test_each_kind_befalls_its_share_alone(digits: Dataset, kind: str, share: float) -> None:
    """Against the same numbers with every share at 0. The spread is four standard deviations."""
    images = np.concatenate([digits.images] * 3)
    found = changed(worn(images, **{kind: share}), worn(images)).mean()
    # Narrow neighbours do not reach in, some cuts are of no row, one digit in 16 gets no break,
    # square ones are not stretched.
    fewest = {"neighbours": 0.6, "cuts": 0.7, "breaks": 0.9, "stretched": 0.8}.get(kind, 0.97)
    spread = 4 * (share * (1 - share) / len(images)) ** 0.5
    assert fewest * share - spread <= found <= share + spread


# The function of each kind, and which of its arguments, after the images, says whom it befalls.
STEPS = {
    "neighbours": ("add_neighbours", 0),
    "lines": ("add_lines", 0),
    "cuts": ("cut_off", 0),
    "breaks": ("break_strokes", 0),
    "coarse": ("make_coarse", 0),
    "blur": ("blurred", 0),
    "hard": ("hardened", 0),
    "pale": ("made_pale", 0),
    "grain": ("with_grain", 0),
    "stretched": ("normalised", 1),
    "jitter": ("normalised", 0),
}


def befallen(
    monkeypatch: pytest.MonkeyPatch, images: Pixels, **shares: float
) -> dict[str, NDArray[Any]]:
    """Which images, (N,), each kind befalls."""
    found: dict[str, NDArray[Any]] = {}

    def noting(name: str) -> Callable[..., Any]:
        real = getattr(wear, name)

        def call(images: Any, *arguments: Any) -> Any:
            for kind, (step, place) in STEPS.items():
                if step == name:
                    found[kind] = arguments[place].copy()
            return real(images, *arguments)

        return call

    with monkeypatch.context() as patch:
        for name in {name for name, _ in STEPS.values()}:
            patch.setattr(wear, name, noting(name))
        worn(images, **shares)
    return found


@each_kind
def test_whom_a_kind_befalls_does_not_depend_on_the_other_kinds(
    monkeypatch: pytest.MonkeyPatch, digits: Dataset, kind: str
) -> None:
    alone = befallen(monkeypatch, digits.images, **{kind: 0.5})
    together = befallen(monkeypatch, digits.images, **dict.fromkeys(KINDS, 0.5))
    np.testing.assert_array_equal(alone[kind], together[kind])
    assert alone[kind].any()
    assert not any(alone[other].any() for other in set(KINDS) - {kind})


def test_what_befalls_a_glyph_does_not_depend_on_what_else_does(
    monkeypatch: pytest.MonkeyPatch, digits: Dataset
) -> None:
    """0.2 is more than five deviations of the correlation of 990 numbers."""
    images = np.concatenate([digits.images] * 3)
    found = befallen(monkeypatch, images, **dict.fromkeys(KINDS, 0.5))
    correlation = np.corrcoef([found[kind] for kind in KINDS])
    assert np.abs(correlation - np.eye(len(KINDS))).max() < 0.2


def test_worn_digits_are_read_as_what_they_are_by_one_who_never_saw_wear(
    blink: Model, digits: Dataset
) -> None:
    """So the labels stay true. Unworn it reads 99 % of these; guessing is right for 10 %."""
    found = {
        kind: (blink.predict(worn(digits.images, **{kind: 1})) == digits.known_labels).mean()
        for kind in KINDS
    }
    least = {"neighbours": 0.6, "lines": 0.6, "cuts": 0.85, "breaks": 0.8, "stretched": 0.8}
    assert all(share > least.get(kind, 0.93) for kind, share in found.items()), found


# Each kind


def test_a_neighbour_is_a_part_of_the_glyph_before_at_one_rim(digits: Dataset) -> None:
    images = digits.images.copy()
    wear.add_neighbours(images, every(images), chance())
    added = images != digits.images
    assert (images >= digits.images).all()
    columns = added.any(axis=1)
    left, right = columns[:, :14].any(axis=1), columns[:, 14:].any(axis=1)
    assert not (left & right).any()
    assert left.mean() == pytest.approx(right.mean(), abs=0.12)
    assert (left | right).mean() > 0.6  # narrow ones do not reach in
    assert not columns[:, 11:17].any()
    for index in np.flatnonzero(right)[:50]:
        ways = [
            np.maximum(digits.images[index][:, shift:], digits.images[index - 1][:, : 28 - shift])
            for shift in range(17, 24)
        ]
        assert any((images[index][:, 28 - way.shape[1] :] == way).all() for way in ways)


def test_a_line_adds_ink_along_one_straight_line_anywhere_in_the_box() -> None:
    images = np.zeros((400, 28, 28), np.uint8)
    wear.add_lines(images, every(images), chance())
    places: dict[bool, list[float]] = {True: [], False: []}
    for image in images:
        upright = bool(np.ptp(np.nonzero(image)[1]) < np.ptp(np.nonzero(image)[0]))
        y, x = np.nonzero(image.T if upright else image)
        strength = (image.T if upright else image)[y, x].astype(float)
        slope, start = np.polyfit(x, y, 1, w=strength)
        assert np.abs(y - slope * x - start).max() < 2  # its own width
        assert abs(slope) < 0.2
        assert x.max() == 27
        assert x.min() <= 11
        assert image.max() > 50  # 90 to 255, some of it between two pixels
        places[upright].append(slope * 13.5 + start)
    assert len(places[True]) == pytest.approx(0.3 * 400, abs=4 * (400 * 0.21) ** 0.5)
    for found in places.values():
        assert min(found) > 1.5
        assert max(found) < 26.5
        assert np.mean(np.array(found) > 14) == pytest.approx(0.5, abs=0.2)


def test_a_line_takes_no_ink_away(digits: Dataset) -> None:
    images = digits.images.copy()
    wear.add_lines(images, every(images), chance())
    assert (images >= digits.images).all()


def test_a_cut_takes_up_to_a_seventh_off_one_side() -> None:
    images = np.zeros((400, 28, 28), np.uint8)
    images[:, 4:25, 4:25] = 255  # 21 × 21, of which a seventh is 3
    wear.cut_off(images, every(images), chance())
    found = np.array([bounding_box(image) for image in images])
    x, y, width, height = found.T
    taken = np.stack([x - 4, y - 4, 25 - x - width, 25 - y - height])
    assert (np.count_nonzero(taken, axis=0) <= 1).all()
    assert (images.sum(axis=(1, 2)) == 255 * width * height).all()
    assert set(np.unique(taken)) == {0, 1, 2, 3}
    assert (taken.max(axis=1) == 3).all()  # at each side


def test_a_break_takes_ink_alone_and_little_of_it(digits: Dataset) -> None:
    images = digits.images.copy()
    wear.break_strokes(images, every(images), chance())
    assert (images <= digits.images).all()
    before, after = (each.sum(axis=(1, 2), dtype=float) for each in (digits.images, images))
    # A gap that lies along a stroke, as in a 1, takes most.
    assert np.median(1 - after / before) < 0.2
    assert np.quantile(1 - after / before, 0.95) < 0.5


class OneBreak(np.random.Generator):
    """Draws what any generator does, but one break for each image."""

    def random(self, *arguments: Any, **options: Any) -> Any:
        drawn = super().random(*arguments, **options)
        drawn[:, 4] = 0
        drawn[0, 4] = 1
        return drawn


def test_a_break_is_a_straight_gap_up_to_20_pixels_long_and_a_few_broad() -> None:
    images = np.full((300, 28, 28), 255, np.uint8)
    wear.break_strokes(images, every(images), OneBreak(np.random.PCG64(1)))
    lengths, breadths = [], []
    for image in images:
        points = np.argwhere(image < 200).astype(float)  # without its softest edges
        points -= points.mean(axis=0)
        length, breadth = np.ptp(points @ np.linalg.svd(points)[2].T, axis=0)
        lengths.append(length)
        breadths.append(breadth)
        assert image.min() < 80
    assert max(lengths) < 24
    assert max(breadths) < 5
    assert np.quantile(lengths, 0.75) - np.quantile(lengths, 0.25) > 4  # some short, some long


def test_of_three_breaks_each_is_left_out_four_times_in_ten() -> None:
    images = np.full((400, 28, 28), 255, np.uint8)
    wear.break_strokes(images, every(images), chance())
    whole = (images == 255).all(axis=(1, 2))
    # A gap at a corner may be outside.
    assert whole.mean() == pytest.approx(0.4**3, abs=4 * (0.064 * 0.936 / 400) ** 0.5)


def test_a_break_goes_through_ink() -> None:
    """The one inked pixel lies on each of them; what is fainter is wiped beside it alone."""
    images = np.full((200, 28, 28), 100, np.uint8)
    images[:, 13, 17] = 255
    before = images.copy()
    wear.break_strokes(images, every(images), chance())
    broken = changed(images, before)
    assert broken.mean() > 0.85
    assert (images[broken, 13, 17] < 60).all()


def test_what_is_coarse_has_fewer_pixels_and_about_as_much_ink(digits: Dataset) -> None:
    images = digits.images.copy()
    wear.make_coarse(images, every(images), chance())
    before, after = (each.sum(axis=(1, 2), dtype=float) for each in (digits.images, images))
    # Those without greys get bolder or thinner.
    np.testing.assert_allclose(np.percentile(after / before, [5, 50, 95]), [1, 1, 1.2], atol=0.2)
    # Detail is lost: of a line a pixel wide every other pixel, nearly all.
    fine = np.zeros((200, 28, 28), np.uint8)
    fine[:, :, ::2] = 255
    wear.make_coarse(fine, every(fine), chance())
    detail = fine[:, 2:-2, 2:-2].astype(float) @ (-1.0) ** np.arange(24) / 24
    assert np.abs(detail).mean() < 30  # of the 127 that it had


def test_blur_spreads_ink_and_loses_none() -> None:
    dots = np.zeros((200, 28, 28), np.float32)
    dots[:, 13, 13] = 200
    soft = wear.blurred(dots, every(dots), chance())
    np.testing.assert_allclose(soft.sum(axis=(1, 2)), 200, rtol=1e-5)
    along = np.arange(28) - 13.0
    variance = soft.sum(axis=1) @ along**2 / 200
    assert variance.min() >= 0
    # Of a mixture: the share of the blurred one, times σ²; OpenCV cuts its tails a little.
    assert 1.3 < variance.max() <= 1.2**2
    np.testing.assert_allclose(soft.sum(axis=1), soft.sum(axis=2), rtol=1e-4, atol=1e-4)


def test_blur_sends_no_ink_into_the_glyph_beside() -> None:
    images = np.zeros((3, 28, 28), np.float32)
    images[1] = 255
    soft = wear.blurred(images, every(images), chance())
    assert not soft[[0, 2]].any()
    assert soft[1].min() > 0


def test_hard_edges_keep_the_order_of_greys_and_have_fewer_of_them() -> None:
    greys = np.broadcast_to(np.linspace(0, 255, 784, dtype=np.float32), (200, 784))
    hard = wear.hardened(greys.reshape(200, 28, 28), every(greys), chance()).reshape(200, 784)
    assert (np.diff(hard) >= 0).all()
    between = ((hard > 0) & (hard < 255)).mean(axis=1)
    assert 1 / 8.5 < between.min() < 0.2
    assert between.max() <= 1
    # What stays what it was lies within 50 to 170.
    steep = between < 0.4
    off = np.where((hard > 0) & (hard < 255), np.abs(hard - greys), np.inf)
    crossing = off.argmin(axis=1)[steep] * 255 / 783
    assert crossing.min() > 49
    assert crossing.max() < 171


def test_pale_ink_gets_paler_evenly_from_one_end_to_the_other() -> None:
    images = np.full((200, 28, 28), 200, np.float32)
    strength = wear.made_pale(images, every(images), chance()) / 200
    assert strength.max() <= 1.1
    assert strength[:, 4:24, 4:24].min() > 0.2
    assert np.median(strength.max(axis=(1, 2)) - strength.min(axis=(1, 2))) > 0.15
    # A plane: second differences are float32's rounding.
    for axis in (1, 2):
        np.testing.assert_allclose(np.diff(strength, n=2, axis=axis), 0, atol=1e-5)


def test_the_strongest_ink_becomes_full_or_four_times_as_strong() -> None:
    images = np.zeros((3, 28, 28), np.float32)
    images[:, 5, 5] = 128, 20, 0
    images[:, 6, 6] = 64, 10, 0
    full = wear.full(images)
    assert full[:, 5, 5].tolist() == [255, 80, 0]
    assert full[:, 6, 6].tolist() == [128, 40, 0]


def test_grain_is_up_to_a_tenth_with_a_few_specks_of_ink_and_half_of_it_on_paper() -> None:
    grey, paper = np.full((300, 28, 28), 128, np.uint8), np.zeros((300, 28, 28), np.uint8)
    found = wear.with_grain(grey, every(grey), chance())
    specks = found == 255
    assert specks.mean() < 0.03
    deviation = np.ma.MaskedArray(found.astype(float), specks).std(axis=(1, 2))
    assert 23 < deviation.max() < 27
    assert deviation.min() < 2
    specked = wear.with_grain(paper, every(paper), chance())
    assert (specked > 0).mean() == pytest.approx(0.5, abs=0.03)


# The last normalisation


def test_without_wear_a_glyph_is_in_mnists_form_to_parts_of_a_pixel(digits: Dataset) -> None:
    found = worn(digits.images)
    # Interpolated edges end within a pixel of where they should.
    assert np.abs(boxes(found).max(axis=1) - 20).max() <= 1
    assert np.abs(centres(found) - 14).max() < 0.06
    # What was in MNIST's form, to half a pixel and 20 where its faint rim is left out, is near.
    assert np.abs(found.astype(float) - digits.images).mean() < 12


def test_what_is_smaller_or_elsewhere_comes_back(digits: Dataset) -> None:
    """A digit of 14 pixels at a rim, against the same in the middle."""
    import cv2

    for picture in digits.images[:40]:
        small = cv2.resize(picture, (19, 19), interpolation=cv2.INTER_AREA)
        images = np.zeros((2, 28, 28), np.uint8)
        images[0, 9:28, 0:19] = small
        images[1, 4:23, 4:23] = small
        found = worn(images).astype(float)
        assert np.abs(found[0] - found[1]).mean() < 1
        # Enlarged edges are soft.
        assert 19 <= boxes(found.astype(np.uint8)).max(axis=1).min() <= 22


def test_jitter_changes_the_size_by_up_to_so_many_pixels(digits: Dataset) -> None:
    found = worn(digits.images, jitter=3)
    longest = boxes(found).max(axis=1)
    assert longest.min() in (16, 17, 18)
    assert longest.max() in (22, 23, 24)
    assert len(np.unique(longest)) >= 6
    # A few large ones do not fit in.
    assert np.quantile(np.abs(centres(found) - 14), 0.95) < 0.1


def test_what_is_stretched_fills_the_box_or_gets_twice_as_broad() -> None:
    images = np.zeros((300, 28, 28), np.uint8)
    images[:, 4:24, 11:17] = 255  # 6 × 20
    images[150:, 4:24, 11:17] = 0
    images[150:, 6:22, 4:24] = 255  # 20 × 16
    width, height = boxes(worn(images, stretched=1)).T
    assert np.abs(height[:150] - 20).max() <= 1
    assert width[:150].min() <= 7
    assert 11 <= width[:150].max() <= 13
    assert np.abs(width[150:] - 20).max() <= 1
    assert height[150:].min() <= 17
    assert 19 <= height[150:].max() <= 21
