"""Panels: where ink is lighter than paper the page is turned into its negative, and only there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigits.reading.page import find_writing
from inkdigits.reading.panels import without_panels

Levels = NDArray[np.float32]

HEIGHT, WIDTH = 480, 720
LIGHT, DARK, INK = 225, 45, 150  # levels of papers, and how far ink is from either
PANELS = {
    "below": np.s_[240:, :],
    "at the right": np.s_[:, 360:],
    "a card": np.s_[245:465, 20:700],
    "a card in the corner": np.s_[240:, 357:],
}


def rings(levels: Levels, ink: float = -INK) -> Levels:
    """A sheet with rings, like zeros, all over, each in the same ink."""
    drawn = np.zeros_like(levels)
    for x in range(60, WIDTH, 85):
        for y in range(60, HEIGHT, 120):
            cv2.ellipse(drawn, (x, y), (16, 24), 0, 0, 360, 1.0, 6, cv2.LINE_AA)
    return np.asarray(levels + ink * drawn, np.float32)


def even() -> Levels:
    return np.full((HEIGHT, WIDTH), LIGHT, np.float32)


def panelled(panel: tuple[slice, slice]) -> Levels:
    levels = rings(even())
    levels[panel] = LIGHT + DARK - levels[panel]
    return levels


@pytest.mark.parametrize("where", PANELS)
def test_a_panel_becomes_as_the_rest_of_the_page_is(where: str) -> None:
    turned = without_panels(panelled(PANELS[where]))
    assert turned is not None
    assert np.abs(turned - rings(even())).max() < 2


def test_ink_that_reaches_the_edge_of_a_panel_loses_no_more_than_that() -> None:
    turned = without_panels(panelled(np.s_[250:450, 40:680]))
    assert turned is not None
    assert (np.abs(turned - rings(even())) > 12).mean() < 0.005


@pytest.mark.slow
@pytest.mark.parametrize("where", PANELS)
def test_a_light_panel_on_a_dark_page_is_read_as_well(where: str) -> None:
    levels = panelled(PANELS[where])
    for grey in (levels, 255 - levels):
        pixels = np.repeat(grey.astype(np.uint8)[..., np.newaxis], 3, axis=2)
        writing = find_writing(pixels)
        assert writing is not None
        assert writing.panelled
        large = writing.boxes[1:][writing.boxes[1:, 4] > 300]
        assert len(large) == 32
        assert np.abs(large[:, 3] - 54).max() < 6


def test_paper_in_a_shadow_is_no_panel_as_its_ink_is_darker() -> None:
    light = np.ones((HEIGHT, WIDTH), np.float32)
    light[:, 400:] = 0.4
    assert without_panels(rings(even()) * light) is None


def test_a_dark_table_with_light_and_dark_grain_is_no_panel() -> None:
    levels = rings(even())
    levels[300:] = DARK + 20
    chance = np.random.default_rng(1)
    for x, y in chance.integers((10, 320), (WIDTH - 10, HEIGHT - 10), (80, 2)).tolist():
        cv2.line(levels, (x - 9, y), (x + 9, y), float(chance.choice([5, 130])), 4)
    assert without_panels(levels) is None


@pytest.mark.parametrize("what", ["blank", "written", "dark part without ink", "bold"])
def test_other_pages_are_left_alone(what: str) -> None:
    levels = even() if what == "blank" else rings(even())
    if what == "dark part without ink":
        levels[300:] = DARK
    if what == "bold":  # a zero that fills the page is no dark paper with a light blot
        levels = even()
        cv2.ellipse(levels, (360, 240), (150, 190), 0, 0, 360, DARK, 70, cv2.LINE_AA)
    assert without_panels(levels) is None
    pixels = np.repeat(levels.astype(np.uint8)[..., np.newaxis], 3, axis=2)
    writing = find_writing(pixels)
    assert writing is None or not writing.panelled


def test_who_says_that_there_are_none_gets_none() -> None:
    levels = panelled(PANELS["below"])
    pixels = np.repeat(levels.astype(np.uint8)[..., np.newaxis], 3, axis=2)
    writing = find_writing(pixels, dark=True, panels=False)
    assert writing is not None
    assert not writing.panelled
