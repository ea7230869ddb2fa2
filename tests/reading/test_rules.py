"""Rules: printed lines and boxes are taken from a page, and the strokes across them are not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pages import page

from inkdigits.dataset import Dataset
from inkdigits.reading import page as page_module
from inkdigits.reading.paper import ink_is_dark, principal_grey
from inkdigits.reading.rules import rules, tilt
from inkdigits.sources import load

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

HEIGHT, WIDTH = 480, 720
DIGIT = 56  # pixels that the drawn digits are tall, at most


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("mnist:validation").subset(range(500))


def grown(glyph: Pixels, side: int = 78) -> Mask:
    """A glyph as large as digits of a page are: its 20 × 20 box becomes 56 × 56."""
    return np.asarray(cv2.resize(glyph, (side, side), interpolation=cv2.INTER_CUBIC) > 110)


def row_of(
    digits: Dataset, top: int, *, count: int = 7, first: int = 0, sheet: Mask | None = None
) -> Mask:
    """A sheet with digits in a row, whose glyphs begin at `top`."""
    sheet = np.zeros((HEIGHT, WIDTH), bool) if sheet is None else sheet
    for number in range(count):
        ink = grown(digits.images[first + number])
        left = 40 + 92 * number
        sheet[top : top + len(ink), left : left + ink.shape[1]] |= ink
    return sheet


def lines(angle: float, apart: int = 60, thickness: int = 2) -> Mask:
    """Ruled lines that are turned clockwise by so many degrees."""
    sheet = np.zeros((HEIGHT, WIDTH), np.uint8)
    for y in range(-HEIGHT, 2 * HEIGHT, apart):
        rise = np.tan(np.radians(angle)) * WIDTH
        ends = [(-WIDTH, y - rise), (2 * WIDTH, y + 2 * rise)]
        start, stop = (tuple(round(16 * value) for value in end) for end in ends)
        cv2.line(sheet, start, stop, 255, thickness, cv2.LINE_8, 4)
    return sheet > 0


def ruled_at(*rows: int) -> Mask:
    """Level lines from rim to rim, two pixels thick."""
    sheet = np.zeros((HEIGHT, WIDTH), bool)
    for row in rows:
        sheet[row : row + 2] = True
    return sheet


def frame(*corners: tuple[int, int], side: tuple[int, int] = (80, 90)) -> Mask:
    """Boxes of a width and a height, of lines of 3 pixels, their upper left corners (x, y)."""
    sheet = np.zeros((200, 300), np.uint8)
    for x, y in corners:
        cv2.rectangle(sheet, (x, y), (x + side[0], y + side[1]), 1, 2)
    return sheet > 0


def kept(taken: Mask, ink: Mask) -> float:
    """The share of the ink that was not taken."""
    return 1 - float((taken & ink).sum() / ink.sum())


def one_piece(ink: Mask) -> int:
    """How many pieces there are of more than a speck."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    return int((stats[1:, cv2.CC_STAT_AREA] > 12).sum())


# Lines


@pytest.mark.parametrize("thickness", [1, 2, 4])
@pytest.mark.parametrize("upright", [False, True])
def test_a_ruled_line_is_taken_and_the_strokes_across_it_stay(
    digits: Dataset, thickness: int, upright: bool
) -> None:
    ink = row_of(digits, 150)
    printed = np.zeros((HEIGHT, WIDTH), np.uint8)
    for place in (190, 210) if not upright else (80, 355):
        ends = ((0, place), (WIDTH, place)) if not upright else ((place, 0), (place, HEIGHT))
        cv2.line(printed, *ends, 1, thickness)
    rule = printed > 0
    taken = rules(ink | rule)
    # What is left of it lies beside strokes that go along it.
    assert kept(taken, rule & ~ink) < 0.08
    assert kept(taken, ink) > 0.9


def test_digits_that_a_rule_goes_through_stay_in_one_piece(digits: Dataset) -> None:
    whole = [index for index in range(60) if one_piece(grown(digits.images[index])) == 1]
    broken = 0
    for index in whole:
        ink = np.zeros((120, 300), bool)
        ink[20:98, 110:188] = grown(digits.images[index])
        rule = np.zeros_like(ink)
        rule[62:64] = True
        broken += one_piece((ink | rule) & ~rules(ink | rule)) != 1
    assert broken <= 0.1 * len(whole)


def test_all_lines_of_squared_paper_are_taken(digits: Dataset) -> None:
    ink = row_of(digits, 150)
    squares = np.zeros_like(ink)
    squares[10::40] = squares[:, 15::40] = True
    taken = rules(ink | squares)
    assert kept(taken, squares & ~ink) < 0.02
    assert kept(taken, ink) > 0.9


def test_a_line_that_leans_a_little_or_is_broken_here_and_there_is_taken(digits: Dataset) -> None:
    ink = row_of(digits, 150)
    rule = lines(0.8, apart=300)
    rule[:, 300:312] = rule[:, 500:520] = False
    taken = rules(ink | rule)
    assert kept(taken, rule & ~ink) < 0.05
    assert kept(taken, ink) > 0.93


# A row of digits so close to each other that what lies of them hides a rule among them.
HIDING = [168, 180, 192, 264]


def close_by(digits: Dataset, first: int) -> Mask:
    ink = np.zeros((HEIGHT, WIDTH), bool)
    for number, left in enumerate(range(4, WIDTH - 78, 36)):
        ink[180:258, left : left + 78] |= grown(digits.images[first + number])
    return ink


@pytest.mark.parametrize("first", HIDING)
def test_a_rule_that_digits_hide_all_along_is_taken_where_paper_has_others_like_it(
    digits: Dataset, first: int
) -> None:
    ink, hidden, others = close_by(digits, first), ruled_at(225), ruled_at(75, 150, 300, 375)
    taken = rules(ink | hidden | others)
    assert kept(taken, hidden & ~ink) < 0.2
    assert kept(taken, others) < 0.01
    assert kept(taken, ink) > 0.99


@pytest.mark.parametrize("first", HIDING)
def test_a_rule_is_not_guessed_where_paper_has_no_other_or_there_is_none(
    digits: Dataset, first: int
) -> None:
    ink, others = close_by(digits, first), ruled_at(75, 150, 300, 375)
    assert not rules(ink | ruled_at(225)).any()
    assert kept(rules(ink | others), ink) == 1


def test_a_hidden_rule_bends_as_the_others_do(digits: Dataset) -> None:
    columns = np.arange(WIDTH)
    bend = np.rint(14 * np.sin(np.pi * columns / WIDTH)).astype(int)
    ink, hidden, others = close_by(digits, HIDING[0]), ruled_at(), ruled_at()
    for sheet, rows in ((hidden, (220,)), (others, (70, 145, 295, 370))):
        for row in rows:
            sheet[row + bend, columns] = sheet[row + 1 + bend, columns] = True
    assert kept(rules(ink | hidden), hidden & ~ink) > 0.5
    taken = rules(ink | hidden | others)
    assert kept(taken, hidden & ~ink) < 0.25
    assert kept(taken, ink) > 0.98


def test_squares_that_end_at_the_last_crossing_before_the_rim_are_taken(digits: Dataset) -> None:
    """Of a low page: what stands is no longer than a stroke may be, and reaches no rim."""
    ink, squares = np.zeros((200, WIDTH), bool), np.zeros((200, WIDTH), bool)
    for number in range(6):
        left = 40 + 100 * number
        ink[60:138, left : left + 78] |= grown(digits.images[number])
    for row in range(10, 191, 30):
        squares[row : row + 2, 10:702] = True
    for column in range(10, 701, 30):
        squares[10:192, column : column + 2] = True
    taken = rules(ink | squares)
    assert kept(taken, squares & ~ink) < 0.03
    assert kept(taken, ink) > 0.95


def test_what_is_taken_lies_where_it_did_on_the_page_turned_by_a_right_angle(
    digits: Dataset,
) -> None:
    mask = row_of(digits, 150) | lines(0)
    taken, turned = rules(mask), rules(np.ascontiguousarray(mask.T)).T
    assert (taken & mask).sum() > 5000
    assert ((taken ^ turned) & mask).sum() < 0.02 * (taken & mask).sum()


def test_a_black_margin_is_taken(digits: Dataset) -> None:
    ink = row_of(digits, 150)
    mask = ink.copy()
    mask[:, :14] = mask[-9:] = True
    taken = rules(mask)
    assert taken[:, :14].all()
    assert taken[-9:].all()
    assert kept(taken, ink) == 1


def test_a_minus_and_a_stroke_as_long_as_two_digits_are_no_rules(digits: Dataset) -> None:
    ink = row_of(digits, 150, count=3)
    cv2.line(signs := np.zeros((HEIGHT, WIDTH), np.uint8), (380, 190), (410, 190), 1, 6)
    cv2.line(signs, (480, 230), (600, 230), 1, 6)
    assert not rules(ink | (signs > 0)).any()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "dark", "shaded"])
def test_a_page_without_rules_loses_next_to_nothing(digits: Dataset, kind: str) -> None:
    lost, whole, touched = 0, 0, 0
    for seed in range(6):
        chance = np.random.default_rng([seed, 7])
        mask = mask_of(page(kind, digits.images, digits.known_labels, chance).pixels)
        taken = rules(mask) & mask
        # Strokes that happen to lie in a row, as the feet of four digits may, pass for a rule.
        assert taken.sum() < 0.06 * mask.sum()
        lost, whole, touched = lost + taken.sum(), whole + mask.sum(), touched + taken.any()
    assert lost < 0.005 * whole
    assert touched <= 1


def mask_of(pixels: Pixels) -> Mask:
    """What `find_writing` asks about rules."""
    grey = principal_grey(page_module.enlarged(pixels)[0])
    strength, noise = page_module.above_paper(grey if ink_is_dark(grey) else 255 - grey)
    faint = page_module.FAINT_LINE * page_module.contrast_of(strength, noise)
    return np.asarray(strength > max(faint, page_module.GRAINS * noise))


@pytest.mark.parametrize("mask", [np.zeros((90, 120), bool), np.ones((90, 120), bool)])
def test_of_a_page_of_one_colour_no_stroke_is_made(mask: Mask) -> None:
    assert not (rules(mask) & ~mask).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (7, 300), (30, 30)])
def test_pages_of_any_size_can_be_asked_about(shape: tuple[int, int]) -> None:
    mask = np.random.default_rng(1).random(shape) < 0.4
    assert rules(mask).shape == shape
    assert abs(tilt(mask) or 0) < 16


# Boxes


@pytest.mark.parametrize("side", [70, 90, 130])
@pytest.mark.parametrize("thickness", [1, 3])
def test_the_boxes_round_digits_are_taken(digits: Dataset, side: int, thickness: int) -> None:
    ink, frame = np.zeros((HEIGHT, WIDTH), bool), np.zeros((HEIGHT, WIDTH), np.uint8)
    for number in range(4):
        left, top = 40 + 150 * number, 120
        cv2.rectangle(frame, (left, top), (left + side, top + side), 1, thickness)
        y, x = (start + side // 2 - 39 for start in (top, left))
        ink[y : y + 78, x : x + 78] |= grown(digits.images[number])
    box = (frame > 0) & ~ink
    taken = rules(ink | box)
    assert kept(taken, box) < 0.03
    assert kept(taken, ink) > 0.97


def test_a_box_is_taken_where_a_digit_touches_its_side_and_the_digit_stays(digits: Dataset) -> None:
    for index in range(8):
        glyph = grown(digits.images[index])
        columns, rows = np.flatnonzero(glyph.any(axis=0)), np.flatnonzero(glyph.any(axis=1))
        ink, frame = np.zeros((200, 300), bool), np.zeros((200, 300), np.uint8)
        cv2.rectangle(frame, (100, 50), (180, 140), 1, 2)
        # Its left side on the box's, a pixel over.
        x, y = 100 - int(columns[0]), 95 - int(rows.mean())
        ink[y : y + 78, x : x + 78] = glyph
        box = frame > 0
        taken = rules(ink | box)
        assert kept(taken, box & ~ink) < 0.08
        assert kept(taken, ink) > 0.85


def test_a_row_of_cells_is_taken(digits: Dataset) -> None:
    ink, frame = np.zeros((HEIGHT, WIDTH), bool), np.zeros((HEIGHT, WIDTH), np.uint8)
    for number in range(5):
        left = 100 + 84 * number
        cv2.rectangle(frame, (left, 120), (left + 84, 210), 1, 2)
        ink[126:204, left + 3 : left + 81] |= grown(digits.images[number])
    box = (frame > 0) & ~ink
    taken = rules(ink | box)
    assert kept(taken, box) < 0.03
    assert kept(taken, ink) > 0.95


@pytest.mark.parametrize("thickness", [8, 14])
def test_a_box_whose_top_a_stroke_hides_is_taken_and_the_stroke_stays(thickness: int) -> None:
    """The head of a 7 lies on it, from a side nearly to the other one."""
    seven = np.zeros((200, 300), np.uint8)
    cv2.line(seven, (114, 54), (166, 47), 1, thickness)
    cv2.line(seven, (166, 47), (130, 118), 1, 8)
    ink = seven > 0
    box = frame((100, 50)) & ~ink
    assert box[48:54, 110:170].sum() < 30
    taken = rules(ink | box)
    assert kept(taken, box) < 0.02
    assert kept(taken, ink) > 0.99


@pytest.mark.parametrize("upside_down", [False, True])
def test_two_strokes_that_stand_on_a_third_are_a_box_only_where_they_are_as_tall(
    upside_down: bool,
) -> None:
    for shorter in (0, 12):
        sheet = np.zeros((200, 300), bool)
        sheet[50:120, 100:103] = sheet[50 + shorter : 120, 170:173] = True
        sheet[117:120, 100:173] = True
        sheet = sheet[::-1] if upside_down else sheet
        assert kept(rules(sheet), sheet) == (shorter > 0)


@pytest.mark.parametrize("gap", [1, 2, 3])
@pytest.mark.parametrize("blurred", [0, 0.7, 1])
def test_boxes_with_a_little_paper_between_lose_the_sides_of_both(gap: int, blurred: float) -> None:
    """A share of the paper between them is dark."""
    both = frame((60, 50), (60 + 80 + 3 + gap, 50))
    between = np.zeros_like(both)
    chance = np.random.default_rng(1)
    between[50:141, 142 : 142 + gap] = chance.random((91, gap)) < blurred
    assert not both[90, 142 : 142 + gap].any()
    assert both[90, [141, 142 + gap]].all()
    assert kept(rules(both | between), both | between) == 0


def test_both_hair_lines_between_cells_are_taken_from_top_to_bottom() -> None:
    sheet = np.zeros((200, 320), np.uint8)
    for left in range(40, 240, 62):
        cv2.rectangle(sheet, (left, 50), (left + 59, 130), 1, 1)
    sheet[80:88, 85:160] = 1  # a stroke from cell to cell
    taken = rules(sheet > 0)
    stroke = np.zeros_like(taken)
    stroke[78:90, 83:162] = True
    assert kept(taken, (sheet > 0) & ~stroke) == 0
    assert kept(taken, (sheet > 0) & stroke) > 0.85


def test_strokes_that_lean_between_the_lines_of_a_box_stay() -> None:
    sheet = frame((60, 50), side=(150, 60))
    ink = np.zeros(sheet.shape, np.uint8)
    for x in (105, 150):
        cv2.line(ink, (x, 48), (x - 12, 112), 1, 5)
    taken = rules(sheet | (ink > 0))
    inside = ink > 0
    inside[:55], inside[106:] = False, False
    assert kept(taken, inside) > 0.95
    assert kept(taken, sheet & ~(ink > 0)) < 0.05


@pytest.mark.parametrize("thickness", [10, 11])
def test_rules_of_a_page_seen_from_near_are_taken_though_they_are_bold(
    digits: Dataset, thickness: int
) -> None:
    ink = np.zeros((290, 400), bool)
    for number in range(3):
        ink[90:210, 30 + 120 * number : 150 + 120 * number] = grown(digits.images[number], 120)
    rule = np.zeros_like(ink)
    for row in (40, 150, 255):
        rule[row : row + thickness] = True
    taken = rules(ink | rule)
    assert kept(taken, rule & ~ink) < 0.1
    assert kept(taken, ink) > 0.85
    assert not rules(ink).any()


@pytest.mark.parametrize("breadth", [6, 7, 10])
def test_a_1_nearly_as_tall_as_its_box_stays(breadth: int) -> None:
    box, ink = frame((100, 50)), np.zeros((200, 300), bool)
    ink[53:137, 138 : 138 + breadth] = True
    taken = rules(box | ink)
    assert not (taken & ink).any()
    assert kept(taken, box) == 0


# Tilt


@pytest.mark.parametrize("angle", [-15, -9.2, -4, -0.7, 0, 0.4, 2.5, 7.1, 12, 15])
def test_the_tilt_of_ruled_pages_is_found_to_a_sixth_of_a_degree(
    digits: Dataset, angle: float
) -> None:
    mask = lines(angle)
    for number in range(4):
        row_of(digits, 20 + 110 * number, first=7 * number, sheet=mask)
    assert tilt(mask) == pytest.approx(angle, abs=0.16)


def test_lines_that_stand_tell_the_tilt_as_well_as_lines_that_lie() -> None:
    # Clockwise, what lies falls to the right and what stands leans to the right at its head.
    lying = np.zeros((700, 700), np.uint8)
    for y in range(-700, 1400, 70):
        cv2.line(lying, (-700, y - 70), (1400, y + 140), 1, 2)  # falls by a tenth
    standing = np.rot90(lying > 0)
    assert tilt(lying > 0) == pytest.approx(np.degrees(np.arctan(0.1)), abs=0.3)
    assert tilt(np.ascontiguousarray(standing)) == pytest.approx(tilt(lying > 0), abs=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "dark", "shaded"])
def test_the_strokes_of_level_pages_without_rules_pass_for_no_tilt(
    digits: Dataset, kind: str
) -> None:
    for seed in range(4):
        chance = np.random.default_rng([seed, 9])
        mask = mask_of(page(kind, digits.images, digits.known_labels, chance).pixels)
        assert abs(tilt(mask) or 0) < 0.75  # lines are written with as much slope


def test_level_rules_have_a_tilt_of_0_and_a_page_without_rules_has_none(digits: Dataset) -> None:
    assert tilt(np.zeros((200, 300), bool)) is None
    assert tilt(row_of(digits, 150)) is None
    assert tilt(lines(0)) == pytest.approx(0, abs=0.01)
