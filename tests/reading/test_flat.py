"""Sheets made flat: found where they were put, and nothing is taken for one that is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pages import KINDS, page
from written import PAPERS, written

from inkdigits.dataset import Dataset
from inkdigits.reading.flat import Flat, flattened
from inkdigits.sources import load

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float32]
Points = NDArray[np.float64]

SHEET = 800, 600  # width and height in its own units
VIEW = 1000, 750  # width and height of a photo
SPOTS = [(x, y) for y in (80, 300, 520) for x in (80, 240, 400, 560, 720)]  # of ink on a sheet
INK = (30, 30, 60)
SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)


# Scenes


def lines_on(sheet: Pixels) -> Pixels:
    """Rules from rim to rim, a margin, and fifteen round spots."""
    height, width = sheet.shape[:2]
    for y in range(60, height, 90):
        cv2.line(sheet, (0, y), (width, y), (120, 140, 190), 2, cv2.LINE_AA)
    cv2.line(sheet, (120, 0), (120, height), (210, 110, 120), 2, cv2.LINE_AA)
    for x, y in SPOTS:
        cv2.circle(sheet, (x, y), 18, INK, -1, cv2.LINE_AA)
    return sheet


def even(colour: tuple[int, int, int], size: tuple[int, int] = VIEW) -> Pixels:
    return np.full((size[1], size[0], 3), colour, np.uint8)


def grain(chance: np.random.Generator, across: float, down: float, strength: float) -> Levels:
    noise = chance.normal(0, 1, VIEW[::-1]).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), across, sigmaY=down)
    return np.asarray(strength * smooth / smooth.std(), np.float32)[..., np.newaxis]


def wood(chance: np.random.Generator) -> Levels:
    return np.float32([125, 90, 60]) + grain(chance, 40, 2, 9)


def stone(chance: np.random.Generator) -> Levels:
    return np.float32([95, 95, 98]) + grain(chance, 2, 2, 9)


def cloth(chance: np.random.Generator) -> Levels:
    """Checked."""
    y, x = np.indices(VIEW[::-1])
    squares = ((x // 60 + y // 60) % 2)[..., np.newaxis] * np.float32([70, 20, 20])
    return np.float32([60, 60, 110]) + squares + grain(chance, 1, 1, 3)


def grey_desk(chance: np.random.Generator) -> Levels:
    """Almost as light as paper."""
    return np.float32([178, 178, 180]) + grain(chance, 3, 3, 2)


TABLES: dict[str, Callable[[np.random.Generator], Levels]] = {
    "wood": wood,
    "stone": stone,
    "cloth": cloth,
    "grey desk": grey_desk,
}

Y, X = np.indices(VIEW[::-1], np.float32) / np.float32(VIEW[0])

LIGHTS: dict[str, Levels] = {
    "even": np.ones_like(X),
    "from the left": 1.05 - np.float32(0.55) * X,
    "from a corner": 0.5 + np.float32(0.3) * (X + Y),
    "a lens": 1.05 - np.float32(1.1) * ((X - 0.5) ** 2 + (Y - 0.4) ** 2),
    "a lamp": np.float32(0.35)
    + np.float32(0.75) * np.exp(-((X - 0.3) ** 2 + (Y - 0.2) ** 2) / 0.3),
    "a soft shadow": 1 - np.float32(0.4) / (1 + np.exp((X - 0.8 * Y - 0.2) / 0.02)),
    "dim": np.full_like(X, 0.4),
}


def placed(
    *, turn: float, tilt: float, towards: float, zoom: float = 1.0, at: tuple[float, float] = (0, 0)
) -> Points:
    """A sheet's corners in a photo, shape (4, 2), clockwise from its own upper left.

    Args:
        turn: degrees about the camera's axis.
        tilt: degrees away from the camera.
        towards: degrees: the direction of the axis of this tilt.
        zoom: 1 for a sheet of 0.66 of the photo's width.
        at: how far it is from the photo's middle, in pixels.
    """
    way = math.radians(towards)
    about = math.radians(tilt) * np.array([math.cos(way), math.sin(way), 0])
    spin = cv2.Rodrigues(np.array([0, 0, math.radians(turn)]))[0]
    corners = np.column_stack([(SQUARE - 0.5) * SHEET, np.zeros(4)])
    corners = corners @ (cv2.Rodrigues(about)[0] @ spin).T
    away = 1.2 * VIEW[0]
    seen = corners[:, :2] * (0.82 * zoom * away / (away + 0.82 * zoom * corners[:, 2:]))
    return np.asarray(seen + np.array(VIEW) / 2 + at, np.float64)


def photo(
    corners: Points,
    *,
    table: str = "wood",
    light: str = "even",
    paper: tuple[int, int, int] = (225, 222, 212),
    dark: bool = False,
    seed: int = 1,
) -> Pixels:
    """A sheet on a table; `dark` for the negative of both."""
    chance = np.random.default_rng(seed)
    large = lines_on(even(paper, SHEET))
    source = (SQUARE * SHEET - 0.5).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    sheet = cv2.warpPerspective(large, matrix, VIEW, flags=cv2.INTER_AREA)
    share = cv2.warpPerspective(np.ones(SHEET[::-1], np.float32), matrix, VIEW)[..., np.newaxis]
    colours = sheet + (1 - share) * TABLES[table](chance)
    colours = 255 - colours if dark else colours
    colours = colours * LIGHTS[light][..., np.newaxis]
    colours = cv2.GaussianBlur(colours, (0, 0), 0.8) + chance.normal(0, 2, colours.shape)
    return np.clip(np.rint(colours), 0, 255).astype(np.uint8)


def through(matrix: Points, points: Points) -> Points:
    return np.asarray(cv2.perspectiveTransform(points[np.newaxis].astype(np.float64), matrix)[0])


def corners_of(flat: Flat) -> Points:
    height, width = flat.pixels.shape[:2]
    return through(flat.matrix, SQUARE * (width, height) - 0.5)


def spots_in(pixels: Pixels, expected: Points, reach: int = 14) -> Points:
    """The middle of what is dark around each expected place."""
    found = []
    for x, y in np.rint(expected).astype(int).tolist():
        part = pixels[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        weight = np.clip(np.median(pixels) * 0.5 - part.mean(axis=2), 0, None)
        rows, columns = np.indices(weight.shape)
        middle = (weight * columns).sum() / weight.sum(), (weight * rows).sum() / weight.sum()
        found.append((middle[0] + max(0, x - reach), middle[1] + max(0, y - reach)))
    return np.array(found)


# Sheets that are there


def assert_found(pixels: Pixels, corners: Points, within: float = 5) -> Flat:
    flat = flattened(pixels)
    assert flat is not None
    off = np.hypot(*(corners_of(flat) - corners).T)
    assert off.max() < within
    # Cut a little inside of its edges, so that no table is left.
    inside = cv2.pointPolygonTest
    for x, y in corners_of(flat):
        assert inside(corners.astype(np.float32), (float(x), float(y)), True) > -0.5
    return flat


# The edge between shadow and light is stronger than that between paper and a desk as light as it.
SEEN = [both for both in product(TABLES, LIGHTS) if both != ("grey desk", "a soft shadow")]


@pytest.mark.slow
@pytest.mark.parametrize(("table", "light"), SEEN)
def test_a_sheet_is_found_on_any_table_in_any_light(table: str, light: str) -> None:
    corners = placed(turn=6, tilt=20, towards=30)
    assert_found(photo(corners, table=table, light=light), corners)


@pytest.mark.slow
@pytest.mark.parametrize("turn", [-36, -20, -3, 0, 12, 30, 38])
@pytest.mark.parametrize(("tilt", "towards"), [(0, 0), (15, 0), (30, 80), (30, 200), (38, 300)])
def test_a_sheet_is_found_at_any_angle(turn: float, tilt: float, towards: float) -> None:
    corners = placed(turn=turn, tilt=tilt, towards=towards, zoom=0.85)
    flat = assert_found(photo(corners), corners)
    height, width = flat.pixels.shape[:2]
    assert width / height == pytest.approx(SHEET[0] / SHEET[1], rel=0.08)
    area = cv2.contourArea(corners.astype(np.float32))
    assert width * height == pytest.approx(area, rel=0.04)


@pytest.mark.parametrize("turn", [0, 8, -25])
def test_the_matrix_takes_what_is_on_the_sheet_to_where_it_is_in_the_picture(turn: float) -> None:
    corners = placed(turn=turn, tilt=25, towards=50)
    pixels = photo(corners)
    flat = flattened(pixels)
    assert flat is not None
    assert flat.matrix.shape == (3, 3)
    assert flat.matrix.dtype == np.float64
    source = (SQUARE * SHEET - 0.5).astype(np.float32)
    drawn = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    there = through(drawn, np.array(SPOTS, np.float64))
    seen = spots_in(flat.pixels, through(np.linalg.inv(flat.matrix), there))
    assert np.hypot(*(through(flat.matrix, seen) - there).T).max() < 1.5


def test_all_that_is_left_of_the_picture_is_paper_and_ink() -> None:
    flat = flattened(photo(placed(turn=9, tilt=28, towards=120)))
    assert flat is not None
    rim = np.concatenate(
        [
            flat.pixels[:2].reshape(-1, 3),
            flat.pixels[-2:].reshape(-1, 3),
            flat.pixels[:, :2].reshape(-1, 3),
            flat.pixels[:, -2:].reshape(-1, 3),
        ]
    )
    # Rules run into the rim, wood is darker by 100 and more.
    assert (rim.mean(axis=1) > 130).all()


def test_a_dark_sheet_on_a_lighter_table_is_found_too() -> None:
    corners = placed(turn=5, tilt=20, towards=70)
    assert_found(photo(corners, dark=True), corners)


def test_what_is_uppermost_in_the_picture_stays_above() -> None:
    for turn in (-30, 30):
        corners = placed(turn=turn, tilt=0, towards=0, zoom=0.85)
        flat = assert_found(photo(corners), corners)
        # The margin is at the left.
        left, right = flat.pixels[:, :200], flat.pixels[:, -200:]
        assert (
            np.ptp(left.mean(axis=0), axis=1).max() > 2 * np.ptp(right.mean(axis=0), axis=1).max()
        )


def test_a_side_outside_of_the_photo_is_cut_at_its_rim() -> None:
    corners = placed(turn=0, tilt=0, towards=0, at=(-230, 10))
    assert corners[:, 0].min() < -50
    flat = flattened(photo(corners))
    assert flat is not None
    found = corners_of(flat)
    assert np.abs(found[[1, 2]] - corners[[1, 2]]).max() < 5
    assert np.abs(found[[0, 3], 0]).max() < 3


@pytest.mark.parametrize("at", [(-125, -70), (130, 75)])
def test_a_corner_outside_of_the_photo_is_where_its_sides_meet(at: tuple[float, float]) -> None:
    corners = placed(turn=14, tilt=10, towards=0, at=at)
    outside = (corners < 0).any(axis=1) | (corners > np.array(VIEW)).any(axis=1)
    assert outside.sum() == 1
    assert_found(photo(corners), corners, 8)


def test_a_thumb_on_a_side_hides_no_sheet() -> None:
    corners = placed(turn=4, tilt=15, towards=10)
    pixels = photo(corners)
    x, y = np.rint(corners[2:].mean(axis=0)).astype(int).tolist()
    cv2.ellipse(pixels, (x, y + 40), (45, 90), 0, 0, 360, (190, 130, 105), -1, cv2.LINE_AA)
    assert_found(pixels, corners)


@pytest.mark.slow
def test_photographed_pages_are_found(digits: Dataset) -> None:
    found = 0
    for seed in range(30):
        chance = np.random.default_rng([seed, 3])
        pixels = page("perspective", digits.images, digits.known_labels, chance).pixels
        found += flattened(pixels) is not None
    assert found == 30


# What is none


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("mnist:validation").subset(range(500))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "perspective"])
def test_of_a_page_without_edges_nothing_is_cut(kind: str, digits: Dataset) -> None:
    for seed in range(8):
        chance = np.random.default_rng([seed, 4])
        pixels = page(kind, digits.images, digits.known_labels, chance).pixels
        assert flattened(pixels) is None


@pytest.mark.slow
@pytest.mark.parametrize("kind", PAPERS)
def test_of_a_picture_of_one_digit_nothing_is_cut(kind: str, digits: Dataset) -> None:
    assert all(flattened(each.pixels) is None for each in written(kind, digits.images, 12, seed=6))


def with_noise(colours: NDArray[np.floating] | Pixels, light: str = "even") -> Pixels:
    lit = colours * LIGHTS[light][..., np.newaxis]
    lit = lit + np.random.default_rng(2).normal(0, 2, lit.shape)
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)


def a_blackboard() -> Pixels:
    board = 0.4 * even((120, 130, 125)) + grain(np.random.default_rng(3), 25, 25, 6)
    sheet = np.asarray(board, np.float32)
    for x, y in SPOTS:
        cv2.circle(sheet, (x + 100, y + 50), 40, (230, 230, 225), 9, cv2.LINE_AA)
    return with_noise(sheet)


def a_dark_drawing() -> Pixels:
    sheet = even((0, 0, 0))
    cv2.ellipse(sheet, (500, 375), (230, 300), 0, 0, 360, (255, 255, 255), 60, cv2.LINE_AA)
    return sheet


def a_thick_stroke() -> Pixels:
    sheet = even((255, 255, 255))
    cv2.line(sheet, (420, -50), (520, 800), (0, 0, 0), 240, cv2.LINE_AA)
    return sheet


def a_printed_box(thickness: int = 6, *, at: int = 90) -> Pixels:
    sheet = lines_on(even((225, 222, 212)))
    end = VIEW[0] - at, VIEW[1] - at
    cv2.rectangle(sheet, (at, at), end, (30, 30, 30), thickness, cv2.LINE_AA)
    return with_noise(sheet)


def a_ruled_table() -> Pixels:
    sheet = even((225, 222, 212))
    for x in range(120, 900, 190):
        cv2.line(sheet, (x, 80), (x, 680), (20, 20, 20), 5)
    for y in range(80, 700, 120):
        cv2.line(sheet, (120, y), (880, y), (20, 20, 20), 5)
    return with_noise(sheet, "from the left")


def in_half_shadow(angle: float = 0.3) -> Pixels:
    shadow = (X - 0.5) * math.cos(angle) + (Y - 0.35) * math.sin(angle) > 0
    return with_noise(lines_on(even((225, 222, 212))) * np.where(shadow, 0.45, 1)[..., np.newaxis])


def in_the_shadow_of_a_corner() -> Pixels:
    shadow = (X > 0.4) & (Y > 0.3)
    return with_noise(lines_on(even((225, 222, 212))) * np.where(shadow, 0.45, 1)[..., np.newaxis])


def a_sheet_that_fills_the_photo() -> Pixels:
    return photo(placed(turn=3, tilt=10, towards=20, zoom=2.2), light="from a corner")


def with_a_table_at_one_side() -> Pixels:
    return photo(placed(turn=0, tilt=0, towards=0, zoom=2.2, at=(-600, 0)))


def with_a_table_at_two_sides() -> Pixels:
    return photo(placed(turn=0, tilt=0, towards=0, zoom=2.2, at=(-600, -450)))


def a_small_note() -> Pixels:
    return photo(placed(turn=0, tilt=0, towards=0, zoom=0.4))


def a_form(field: tuple[int, int, int], page: tuple[int, int, int]) -> Pixels:
    """A field of another colour with something written above it."""
    sheet = even(page)
    cv2.rectangle(sheet, (150, 220), (850, 680), field, -1)
    for x, y in SPOTS:
        cv2.circle(sheet, (200 + 3 * x // 4, 250 + 2 * y // 3), 18, INK, -1, cv2.LINE_AA)
    for x in range(180, 820, 110):
        cv2.putText(sheet, "7", (x, 150), cv2.FONT_HERSHEY_SIMPLEX, 3, INK, 8, cv2.LINE_AA)
    return with_noise(sheet)


def two_sheets() -> Pixels:
    left = photo(placed(turn=84, tilt=5, towards=0, zoom=0.74, at=(-250, 0)), table="stone")
    right = photo(placed(turn=93, tilt=5, towards=0, zoom=0.74, at=(250, 0)), table="stone")
    return np.hstack([left[:, :500], right[:, 500:]])


def light_through_a_window() -> Pixels:
    """On paper, four straight sides, but soft ones."""
    depth = np.minimum(np.minimum(X - 0.15, 0.85 - X), np.minimum(Y - 0.12, 0.63 - Y))
    light = 0.45 + 0.55 * np.clip(depth / 0.05 + 0.5, 0, 1)
    return with_noise(even((235, 235, 235)) * light[..., np.newaxis])


def a_round_plate() -> Pixels:
    pixels = np.asarray(wood(np.random.default_rng(4)), np.float32)
    cv2.ellipse(pixels, (500, 375), (400, 320), 0, 0, 360, (230, 230, 225), -1, cv2.LINE_AA)
    return with_noise(pixels)


def a_lamp_on_paper() -> Pixels:
    return with_noise(lines_on(even((235, 232, 222))), "a lamp")


def nothing_at_all() -> Pixels:
    return even((255, 255, 255))


NO_SHEETS: list[Callable[[], Pixels]] = [
    a_blackboard,
    a_dark_drawing,
    a_thick_stroke,
    a_printed_box,
    lambda: a_printed_box(14),
    lambda: a_printed_box(3, at=12),
    lambda: a_printed_box(10, at=2),
    a_ruled_table,
    in_half_shadow,
    lambda: in_half_shadow(1.2),
    in_the_shadow_of_a_corner,
    a_sheet_that_fills_the_photo,
    with_a_table_at_one_side,
    with_a_table_at_two_sides,
    a_small_note,
    lambda: a_form((205, 205, 205), (250, 250, 250)),
    lambda: a_form((255, 255, 255), (190, 205, 225)),
    two_sheets,
    light_through_a_window,
    a_round_plate,
    a_lamp_on_paper,
    nothing_at_all,
]


@pytest.mark.slow
@pytest.mark.parametrize("scene", NO_SHEETS)
def test_where_no_sheets_edges_are_seen_there_is_none(scene: Callable[[], Pixels]) -> None:
    assert flattened(scene()) is None


@pytest.mark.parametrize("size", [(1, 1), (28, 28), (1, 900), (63, 400), (2000, 3)])
def test_a_picture_of_any_size_is_looked_at(size: tuple[int, int]) -> None:
    chance = np.random.default_rng(5)
    assert flattened(chance.integers(0, 256, (*size, 3)).astype(np.uint8)) is None


def test_the_picture_given_stays_as_it_is() -> None:
    pixels = photo(placed(turn=5, tilt=10, towards=0))
    before = pixels.copy()
    flattened(pixels)
    np.testing.assert_array_equal(pixels, before)
