"""Sheets that were filled in: found, straightened, cut up and labelled from any photo of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from filled import FINE, PENS, Photo, filled_in, origin, photographed, printed
from inkdigits.dataset import Dataset
from inkdigits.errors import PictureError
from inkdigits.model import Model
from inkdigits.reading import Picture
from inkdigits.reading.filled_sheet import FilledSheet, read_sheet
from inkdigits.reading.flat_sheet import FINEST
from inkdigits.sheet import BOX, BOXES, COLUMNS, MARK, MARKS

Pixels = NDArray[np.uint8]
Digits = list[Pixels | None]

BLANK: Digits = [None] * len(BOXES)

# A hand, a paper and a photo each: from a good one to one that hardly anybody would take.
CASES = {
    "straight": ("ballpoint", "a4", Photo(tilt_degrees=3)),
    "small": ("felt tip", "letter", Photo(size=(800, 600), turn_degrees=92, tilt_degrees=8)),
    "upside down": ("pencil", "a4", Photo(size=(1200, 1600), turn_degrees=180)),
    "from aside": ("leaning", "letter", Photo(turn_degrees=-80, tilt_degrees=35, share=0.95)),
    "light table": ("small", "a4", Photo(size=(1200, 1600), table=225, turn_degrees=12)),
    "shadow": ("over the edge", "letter", Photo(turn_degrees=90, shade=0.5, shadow=0.5)),
    "bent": ("ballpoint", "letter", Photo(turn_degrees=265, bent=(2.0, -2.5), tilt_degrees=20)),
    "blurred": ("pencil", "a4", Photo(turn_degrees=75, blur=1.3, noise=9, quality=60)),
    "larger than read": ("leaning", "a4", Photo(size=(2800, 2100), turn_degrees=88, blur=1.2)),
}


def some_digits(known: Dataset, chance: np.random.Generator, empty: float = 0.15) -> Digits:
    """A digit of its label for each box, but for some that stay empty."""
    places = [np.flatnonzero(known.known_labels == label) for label in range(10)]
    return [
        None if chance.random() < empty else known.images[chance.choice(places[box.label])]
        for box in BOXES
    ]


def as_opened(pixels: Pixels) -> Picture:
    height, width = pixels.shape[:2]
    scale = min(1.0, 2400 / max(height, width))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return Picture(np.asarray(small, np.uint8), (width, height))


def filled_boxes(sheet: FilledSheet) -> list[bool]:
    return [each.glyph is not None for each in sheet.boxes]


def at(x: float, y: float) -> tuple[int, int]:
    """Where a place on the field is on the drawing on A4, in its pixels."""
    left, top = origin("a4")
    return round((left + x) * FINE), round((top + y) * FINE)


def written_in(digits: Sequence[Pixels | None]) -> list[bool]:
    return [digit is not None for digit in digits]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_all_boxes_are_found_and_labelled_and_what_is_in_them_can_be_read(
    case: str, validation: Dataset, reader: Model
) -> None:
    hand, paper, photo = CASES[case]
    chance = np.random.default_rng(list(CASES).index(case))
    digits = some_digits(validation, chance)
    pixels = photographed(filled_in(digits, PENS[hand], chance, paper), photo, chance)
    sheet = read_sheet(as_opened(pixels))
    assert [each.box for each in sheet.boxes] == list(BOXES)
    assert filled_boxes(sheet) == written_in(digits)
    right = [each.read_as == each.box.label for each in sheet.judged(reader)]
    assert len(right) == sum(written_in(digits))
    assert np.mean(right) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_straightened_sheet_is_upright_to_a_quarter_of_a_millimetre(turn: int) -> None:
    photo = Photo(turn_degrees=turn + 5, tilt_degrees=15, bent=(1.0, 1.5), noise=1)
    sheet = read_sheet(as_opened(photographed(printed("a4"), photo, np.random.default_rng(turn))))
    levels = sheet.pixels.mean(axis=2)
    for mark in MARKS:
        x, y = round(mark.x * FINEST), round(mark.y * FINEST)
        side = round(MARK * FINEST)
        seen = cv2.resize(levels[y : y + side, x : x + side], (6, 6), interpolation=cv2.INTER_AREA)
        assert {(c, r) for r, c in np.argwhere(seen < 110).tolist()} == set(mark.black)
    off = []
    for box in BOXES:
        y = round((box.y + BOX[1] / 2) * FINEST)
        x = round(box.x * FINEST)
        profile = levels[y - 20 : y + 20, x - 8 : x + 8].mean(axis=0)
        off.append((x - 8 + profile.argmin() + 0.5) / FINEST - box.x)
    assert np.abs(off).max() < 0.25


@pytest.mark.slow
def test_an_empty_sheet_has_no_digit_in_it(reader: Model) -> None:
    for seed, shadow in enumerate([0.0, 0.4]):
        photo = Photo(turn_degrees=90, shadow=shadow, noise=5)
        sheet = read_sheet(
            as_opened(photographed(printed("a4"), photo, np.random.default_rng(seed)))
        )
        assert not any(filled_boxes(sheet))
        assert sheet.judged(reader) == []


@pytest.mark.slow
def test_a_stroke_that_crosses_an_edge_stays_whole_and_the_edge_goes(validation: Dataset) -> None:
    """An upright stroke over a box's lower edge, and none beside it."""
    sheet = printed("a4").copy()
    box = BOXES[5 * COLUMNS + 4]
    x, y = at(box.x + BOX[0] / 2, box.y)
    cv2.line(sheet, (x, y + 70), (x, y + round((BOX[1] + 0.9) * FINE)), (30, 30, 90), 8)
    found = read_sheet(as_opened(photographed(sheet, Photo(), np.random.default_rng(1))))
    assert filled_boxes(found).count(True) == 1
    glyph = next(each.glyph for each in found.boxes if each.glyph is not None)
    rows, columns = np.flatnonzero(glyph.max(axis=1) > 128), np.flatnonzero(glyph.max(axis=0) > 128)
    assert len(rows) >= 18
    assert np.array_equal(rows, np.arange(rows[0], rows[-1] + 1))  # without a gap
    assert len(columns) <= 5  # an edge that was left would be as wide as the box


@pytest.mark.slow
def test_a_stroke_from_the_next_box_is_no_digit() -> None:
    sheet = printed("a4").copy()
    box = BOXES[3 * COLUMNS + 3]
    x, y = at(box.x, box.y + 8)
    reach = round((BOX[0] + 3.4) * FINE)  # a millimetre into the next one
    cv2.line(sheet, (x + 30, y), (x + reach, y + 9), (20, 20, 20), 9)
    found = read_sheet(as_opened(photographed(sheet, Photo(), np.random.default_rng(2))))
    assert [each.box for each in found.boxes if each.glyph is not None] == [box]


@pytest.mark.slow
def test_a_thumb_on_one_corner_does_no_harm(validation: Dataset) -> None:
    chance = np.random.default_rng(3)
    digits = some_digits(validation, chance)
    sheet = filled_in(digits, PENS["ballpoint"], chance)
    x, y = at(MARKS[2].x, MARKS[2].y)
    cv2.circle(sheet, (x + 80, y + 80), 90, (190, 140, 120), -1)
    photo = Photo(turn_degrees=90, tilt_degrees=20, bent=(1.0, 1.0))
    assert filled_boxes(read_sheet(as_opened(photographed(sheet, photo, chance)))) == written_in(
        digits
    )


# What a model says of them


def crossed_out(sheet: Pixels, label: int, place: int) -> None:
    box = BOXES[label * COLUMNS + place - 1]
    x, y = at(box.x + 1, box.y + 2)
    zigzag = np.array([(x + 90 * (step % 2), y + 18 * step) for step in range(8)], np.int32)
    cv2.polylines(sheet, [zigzag], False, (35, 50, 140), 6, cv2.LINE_AA)


@pytest.mark.slow
def test_what_was_crossed_out_is_left_out_and_another_digit_is_doubtful(
    validation: Dataset, reader: Model
) -> None:
    chance = np.random.default_rng(4)
    digits = some_digits(validation, chance, empty=0)
    seven = validation.images[np.flatnonzero(validation.known_labels == 7)[0]]
    digits[2 * COLUMNS + 5] = seven
    sheet = filled_in(digits, PENS["ballpoint"], chance)
    for label, place in ((2, 3), (5, 5), (8, 8)):
        crossed_out(sheet, label, place)
    judged = read_sheet(as_opened(photographed(sheet, Photo(turn_degrees=90), chance))).judged(
        reader
    )
    assert len(judged) == len(BOXES)
    out = {(each.box.label, each.box.place) for each in judged if each.left_out}
    assert {(2, 3), (5, 5), (8, 8)} <= out
    assert len(out) <= 4
    doubtful = {(each.box.label, each.box.place): each for each in judged if each.doubtful}
    assert doubtful[2, 6].read_as == 7
    assert len(doubtful) <= 4
    assert not any(each.doubtful and each.left_out for each in judged)


@pytest.mark.slow
def test_what_all_of_a_row_look_like_is_kept_though_no_model_knows_it(reader: Model) -> None:
    sheet = printed("a4").copy()
    for place in range(1, COLUMNS + 1):
        crossed_out(sheet, 4, place)
    judged = read_sheet(
        as_opened(photographed(sheet, Photo(turn_degrees=90), np.random.default_rng(5)))
    ).judged(reader)
    assert len(judged) == COLUMNS
    assert not any(each.left_out for each in judged)
    assert sum(each.doubtful and each.read_as is None for each in judged) > COLUMNS / 2


# What is no sheet


def table(seed: int) -> Pixels:
    """A photo of other things."""
    photo = Photo(clutter=12)
    tiny = np.full((100, 70, 3), 255, np.uint8)
    return photographed(tiny, replace(photo, share=0.1), np.random.default_rng(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_photo_of_other_things_is_refused(seed: int) -> None:
    with pytest.raises(PictureError, match=r"sheet in the picture, got .* corner mark.*photograph"):
        read_sheet(as_opened(table(seed)))


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (40, 40)])
def test_a_tiny_picture_is_refused_in_the_same_words(size: tuple[int, int]) -> None:
    with pytest.raises(PictureError, match=r"expected a handwriting sheet in x\.png, got no"):
        read_sheet(as_opened(np.full((*size, 3), 200, np.uint8)), name="x.png")


def test_half_of_a_sheet_is_refused_and_told_what_is_missing() -> None:
    pixels = photographed(printed("a4"), Photo(turn_degrees=90), np.random.default_rng(1))
    with pytest.raises(PictureError, match="got 2 of its four corner marks: photograph all of it"):
        read_sheet(as_opened(np.ascontiguousarray(pixels[:, :800])))


def test_boxes_beyond_the_pictures_rim_are_not_guessed() -> None:
    sheet = printed("a4")
    pixels = photographed(
        sheet, Photo(tilt_degrees=0, share=1.0, size=(1200, 1600)), np.random.default_rng(1)
    )
    # Three corners are in view, a part of the first row is not.
    cut = pixels.copy()
    cut = cv2.warpAffine(cut, cv2.getRotationMatrix2D((1100, 1500), 9, 1.05), (1200, 1600))[:, 60:]
    with pytest.raises(PictureError, match=r"boxes outside of it|of its four corner marks"):
        read_sheet(as_opened(np.ascontiguousarray(cut)))


def test_a_sheet_that_is_too_small_is_refused() -> None:
    photo = Photo(size=(1600, 1200), share=0.2, tilt_degrees=0, turn_degrees=90, blur=0.3)
    pixels = photographed(printed("a4"), photo, np.random.default_rng(1))
    with pytest.raises(
        PictureError, match=r"expected boxes 14 pixels wide or more in .*, got 12: go"
    ):
        read_sheet(as_opened(pixels))


def test_two_sheets_in_a_photo_are_refused() -> None:
    one = photographed(
        printed("a4"), Photo(size=(1000, 1400), tilt_degrees=5), np.random.default_rng(1)
    )
    with pytest.raises(PictureError, match="expected one handwriting sheet in the picture, got se"):
        read_sheet(as_opened(np.concatenate([one, one], axis=1)))
