"""Paper: what stands out from it is measured whatever its colour and its light."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigits.reading.paper import from_paper, ink_is_dark, light_share, principal_grey

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float32]

HEIGHT, WIDTH = 240, 320
SPREAD = 0.3
ROWS, COLUMNS = np.indices((HEIGHT, WIDTH), np.float32)

# Light on a sheet, 0 to 1.
LIGHTS: dict[str, Levels] = {
    "even": np.ones((HEIGHT, WIDTH), np.float32),
    "from the left": 1 - np.float32(0.6 / WIDTH) * COLUMNS,
    "from a corner": 1 - np.float32(0.25 / WIDTH) * COLUMNS - np.float32(0.25 / HEIGHT) * ROWS,
    "a lamp": np.exp(-((COLUMNS - 100) ** 2 + (ROWS - 60) ** 2) / 2 / 200**2),
}


def strokes(sheet: tuple[int, int] = (HEIGHT, WIDTH)) -> NDArray[np.bool_]:
    """A lying and a standing bar in the middle, 10 pixels broad."""
    height, width = sheet
    ink = np.zeros(sheet, bool)
    ink[height // 4 : height // 4 + 10, width // 3 : 2 * width // 3] = True
    ink[height // 4 : 3 * height // 4, width // 2 : width // 2 + 10] = True
    return ink


def coloured(
    paper: tuple[float, ...], ink: tuple[float, ...], *, noise: float = 0, light: str = "even"
) -> Pixels:
    """A sheet with the strokes on it: shape (240, 320, 3)."""
    colours = np.where(strokes()[..., np.newaxis], np.array(ink), np.array(paper))
    colours = colours * LIGHTS[light][..., np.newaxis]
    colours = colours + np.random.default_rng(1).normal(0, noise, colours.shape)
    return np.clip(np.rint(colours), 0, 255).astype(np.uint8)


def apart(grey: Levels) -> float:
    """How far the strokes' mean is above that of the paper."""
    return float(grey[strokes()].mean() - grey[~strokes()].mean())


# Grey


@pytest.mark.parametrize("ink", [0, 100, 230])
def test_of_grey_ink_on_grey_paper_grey_is_the_mean_of_the_channels(ink: int) -> None:
    pixels = coloured((200,) * 3, (ink,) * 3)
    np.testing.assert_allclose(principal_grey(pixels), pixels.mean(axis=2), atol=0.5)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (90, 10, 200)])
def test_of_an_even_picture_it_is_the_mean_too(colour: tuple[int, ...]) -> None:
    grey = principal_grey(np.full((50, 60, 3), colour, np.uint8))
    np.testing.assert_allclose(grey, np.mean(colour), atol=0.5)


@pytest.mark.parametrize(
    ("paper", "ink"),
    [
        ((200, 60, 60), (60, 60, 200)),  # red and blue, equally bright
        ((120, 200, 120), (200, 120, 120)),
        ((250, 250, 200), (40, 60, 160)),
        ((230, 40, 40), (240, 230, 40)),
    ],
)
def test_colours_are_told_apart_at_least_as_well_as_by_brightness(
    paper: tuple[int, ...], ink: tuple[int, ...]
) -> None:
    grey = principal_grey(coloured(paper, ink, noise=3))
    assert grey.shape == (HEIGHT, WIDTH)
    assert grey.dtype == np.float32
    difference = np.subtract(ink, paper)
    assert abs(apart(grey)) > max(40, abs(difference.mean()))
    assert abs(apart(grey)) > 0.9 * np.linalg.norm(difference) / np.sqrt(3)
    if difference.mean():
        assert np.sign(apart(grey)) == np.sign(difference.mean())


def test_grey_is_from_0_to_255() -> None:
    chance = np.random.default_rng(1)
    for _ in range(20):
        pixels = chance.integers(0, 256, (30, 40, 3)).astype(np.uint8)
        pixels[:, :20] = chance.choice(np.array([0, 255], np.uint8), 3)
        grey = principal_grey(pixels)
        assert grey.min() >= -0.01
        assert grey.max() <= 255.01


def test_the_negative_of_a_picture_has_the_negative_grey() -> None:
    for paper, ink in (((250, 240, 230), (20, 40, 90)), ((200, 60, 60), (60, 90, 200))):
        pixels = coloured(paper, ink, noise=3)
        np.testing.assert_allclose(
            principal_grey(255 - pixels), 255 - principal_grey(pixels), atol=0.1
        )


def test_light_that_changes_slowly_does_not_choose_the_colours() -> None:
    """A lamp of red light, which changes red by more than the ink changes blue."""
    pixels = coloured((200, 200, 200), (200, 200, 130), noise=2)
    pixels[..., 0] = np.rint(pixels[..., 0] * LIGHTS["from the left"])
    assert apart(principal_grey(pixels)) < -50


# Dark or light


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize(("paper", "ink"), [(230, 30), (230, 170), (120, 60)])
def test_paper_is_what_there_is_most_of(paper: int, ink: int, light: str) -> None:
    grey = coloured((paper,) * 3, (ink,) * 3, noise=2, light=light).mean(axis=2, dtype=np.float32)
    assert ink_is_dark(grey)
    assert not ink_is_dark(255 - grey)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.6])
def test_even_much_ink_is_ink_where_the_rim_is_paper(share: float) -> None:
    grey = np.full((60, 60), 220, np.float32)
    side = round(60 * share**0.5)
    start = (60 - side) // 2
    grey[start : start + side, start : start + side] = 40
    assert ink_is_dark(grey)
    assert not ink_is_dark(255 - grey)


@pytest.mark.parametrize("light", LIGHTS)
def test_the_share_of_light_is_near_1_for_dark_ink_and_near_0_for_light_ink(light: str) -> None:
    grey = coloured((230,) * 3, (30,) * 3, noise=2, light=light).mean(axis=2, dtype=np.float32)
    assert light_share(grey) > 0.9
    assert light_share(255 - grey) < 0.1


def test_the_share_of_light_is_half_where_half_a_sheet_is_in_shadow() -> None:
    grey = np.where(COLUMNS < WIDTH / 2, 220, 90).astype(np.float32)
    assert light_share(grey) == pytest.approx(0.5, abs=0.1)


def test_the_rim_counts_as_much_as_all_of_a_picture() -> None:
    """One third of it is dark, and none of its rim: (2 / 3 + 1) / 2."""
    grey = np.full((60, 60), 220, np.float32)
    grey[15:45, 10:50] = 40
    assert light_share(grey) == pytest.approx((2 / 3 + 1) / 2)


# How far from paper


@pytest.mark.parametrize("light", LIGHTS)
def test_ink_is_as_far_from_paper_as_it_is_darker_than_the_light_around_it(light: str) -> None:
    """Of 80 of 200, in that light; 15 %, as paper is taken from a coarse picture."""
    grey = np.where(strokes(), 80, 200).astype(np.float32) * LIGHTS[light]
    difference, noise = from_paper(grey, SPREAD)
    assert difference.shape == grey.shape
    expected = 120 * LIGHTS[light]
    np.testing.assert_allclose(difference[strokes()], expected[strokes()], rtol=0.15)
    assert np.abs(difference[~strokes()]).max() < 45  # beside the strokes, where light changes
    assert np.median(np.abs(difference[~strokes()])) < 8
    assert noise < 6


def test_the_edge_of_a_shadow_is_no_ink() -> None:
    grey = np.where(COLUMNS + 0.3 * ROWS < 180, 220, 110).astype(np.float32)
    grey[strokes()] *= 0.3
    difference, _ = from_paper(grey, SPREAD)
    assert difference[strokes()].min() > 60
    away = ~strokes()
    assert (difference[away] > 30).mean() < 0.02


@pytest.mark.parametrize("deviation", [2, 5, 12])
@pytest.mark.parametrize("sheet", [(100, 120), (HEIGHT, WIDTH), (500, 700)])
def test_noise_is_papers_standard_deviation(sheet: tuple[int, int], deviation: float) -> None:
    """20 %: of few numbers, by two of their quantiles."""
    ink = strokes(sheet)
    grey = np.where(ink, 60, 200) + np.random.default_rng(1).normal(0, deviation, sheet)
    difference, noise = from_paper(grey.astype(np.float32), SPREAD)
    assert noise == pytest.approx(deviation, rel=0.2)
    # Paper lies about 0, and lighter grains below.
    assert abs(np.median(difference[~ink])) < 0.5 * deviation
    assert (difference[~ink] > 3 * deviation).mean() < 0.01


def test_what_is_lighter_than_paper_is_below_0() -> None:
    """A reflection as small as a stroke; paper itself is where it was."""
    grey = np.full((HEIGHT, WIDTH), 150, np.float32)
    grey[100:104, 100:104] = 250
    difference, _ = from_paper(grey, SPREAD)
    assert difference[101:103, 101:103].max() <= 0
    assert np.abs(difference[180:, 200:]).max() < 1


@pytest.mark.parametrize("sheet", [(1, 1), (1, 200), (200, 1), (2, 2), (3, 500), (20, 20)])
@pytest.mark.parametrize("spread", [0.3, 0.6])
def test_small_and_narrow_pictures_are_no_trouble(sheet: tuple[int, int], spread: float) -> None:
    for level in (0, 255):
        difference, noise = from_paper(np.full(sheet, level, np.float32), spread)
        assert difference.shape == sheet
        assert not difference.any()
        assert noise == 0
        assert isinstance(ink_is_dark(np.full(sheet, level, np.float32)), bool)


@pytest.mark.parametrize("shape", [(1, 1000), (1000, 1), (3, 1000), (1, 400), (1, 1), (20, 30000)])
def test_a_picture_may_be_as_thin_as_it_likes(shape: tuple[int, int]) -> None:
    grey = np.full(shape, 200, np.float32)
    grey[0, 0] = 0
    assert from_paper(grey, 0.3)[0].shape == shape
    assert ink_is_dark(grey) in (True, False)
    assert principal_grey(np.full((*shape, 3), 200, np.uint8)).shape == shape
