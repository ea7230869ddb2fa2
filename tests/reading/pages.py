"""Pages of numbers whose digits, and where they are, are known.

A page is planned, written by one hand on a sheet, and then seen: `written`, which does the same for
one digit, has the paper, the light and the noise. All comes again from the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray
from pen import MARKS, Block, Hand, Piece
from written import (
    Chance,
    Levels,
    Numbers,
    Page,
    Pixels,
    draw_line,
    gradual,
    mixed,
    rough,
    shadow,
    through_jpeg,
)

__all__ = ["KINDS", "Entry", "WrittenPage", "page"]

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Entry:
    """A number on a page.

    Args:
        text: its digits, and the signs among them.
        boxes: x, y, width and height of each digit's ink, in pixels of the picture.
    """

    text: str
    boxes: list[Box]

    @property
    def digits(self) -> str:
        return "".join(each for each in self.text if each not in MARKS)


@dataclass(frozen=True, eq=False)
class WrittenPage:
    """A picture of a page.

    Args:
        pixels: shape (H, W, 3), uint8, RGB.
        lines: from the top, the numbers of each from the left.
    """

    pixels: Pixels
    lines: list[list[Entry]]


# Plans


@dataclass(eq=False)
class Sheet(Page):
    """A sheet with numbers on it.

    Args:
        hand: who wrote.
        rows: the numbers and words of each line, where they are on the sheet.
        baselines: y of each line.
        pitch: pixels from one digit to the next where each has its own cell, else None.
        columns: x of a table's rules.
    """

    hand: Hand
    rows: list[list[Block]]
    baselines: list[int]
    pitch: int | None
    columns: list[int]

    @property
    def numbers(self) -> list[Block]:
        return [block for row in self.rows for block in row if block.text]

    @property
    def leading(self) -> float:
        return float(np.diff(self.baselines).mean()) if len(self.rows) > 1 else 2 * self.hand.height

    def thickness(self, most: int = 4) -> int:
        """Of a printed line: 1 to 4 pixels, and less than the pen."""
        pen = self.hand.pen * self.hand.unit
        return int(self.chance.integers(1, max(1, min(most, round(0.7 * pen))) + 1))


@dataclass(frozen=True)
class Kind:
    """A kind of page.

    Args:
        look: its colours; it may draw on the sheet.
        turn: degrees, the most that the sheet is turned either way.
        photographed: whether the sheet lies on a table, at an angle.
        touching: as in `Hand`.
        broken: as in `Hand`.
        marks: whether numbers have points, commas and signs.
        words: whether there are words among them.
        table: whether they stand in columns.
        pitch: of the height, from and to: how far cells of a digit each are apart.
        noise: of 255, one standard deviation, the least and the most.
        quality: of the JPEG file it was, the least and the most.
        blur: pixels, a standard deviation at most.
    """

    look: Callable[[Sheet], Levels]
    turn: float = 0.0
    photographed: bool = False
    touching: bool = False
    broken: bool = False
    marks: bool = False
    words: bool = False
    table: bool = False
    pitch: tuple[float, float] | None = None
    noise: tuple[float, float] = (0.0, 2.5)
    quality: tuple[int, int] = (60, 95)
    blur: float = 0.0


def some_text(kind: Kind, chance: Chance) -> str:
    shares = (8, 20, 26, 20, 13, 7, 6)
    count = int(chance.choice(np.arange(1, 8), p=np.array(shares) / 100))
    text = "".join(map(str, chance.integers(10, size=count).tolist()))
    if kind.marks and count > 1 and chance.random() < 0.75:
        place = int(chance.integers(1, count))
        text = text[:place] + chance.choice([".", ","]) + text[place:]
    return "-" + text if kind.marks and chance.random() < 0.35 else text


def some_texts(kind: Kind, chance: Chance) -> list[list[str]]:
    if kind.table:
        count, columns = chance.integers(2, 6), chance.integers(2, 4)
        return [[some_text(kind, chance)[-4:] for _ in range(columns)] for _ in range(count)]
    # One line and two numbers are what most people have; and one page in six is full.
    count = chance.choice(np.arange(1, 7), p=[0.35, 0.2, 0.15, 0.12, 0.1, 0.08])
    widths = chance.choice(np.arange(1, 5), size=count, p=[0.45, 0.3, 0.15, 0.1])
    return [[some_text(kind, chance) for _ in range(width)] for width in widths.tolist()]


def planned(
    kind: Kind,
    hand: Hand,
    texts: Sequence[Sequence[str]] | None,
    angle: float,
    least: tuple[int, int] | None,
) -> Sheet:
    """A sheet, written on: as large as its numbers and some margins, 300 × 100 at least.

    So much is left around them that a turn by `angle` radians shows nothing but paper.
    """
    chance, height = hand.chance, hand.height
    room = (1150, 800) if kind.turn or kind.photographed else (1420, 1040)
    pitch = None
    if kind.pitch and chance.random() < 0.6:
        pitch = round(height * chance.uniform(*kind.pitch))
    rows = []
    for texts_of_row in texts or some_texts(kind, chance):
        row = [hand.number(text, pitch) for text in texts_of_row]
        if kind.words and chance.random() < 0.7:
            row.insert(0, hand.word())
        if kind.words and chance.random() < 0.4:
            row.insert(int(chance.integers(1, len(row) + 1)), hand.word())
        rows.append(row)
    leading = round(height * chance.uniform(1.5, 2.4))
    if pitch:
        leading = pitch * (1 if leading < 1.6 * height and pitch > 1.25 * height else 2)
    rows = rows[: max(1, int(room[1] / leading))]
    columns = (
        in_columns(rows, hand, room[0]) if kind.table else in_lines(rows, hand, room[0], pitch)
    )
    for number, row in enumerate(rows):
        slope = 0 if pitch else chance.uniform(-0.012, 0.012)
        for block in row:
            block.move(0, round(number * leading + slope * block.left))
    left, top, right, bottom = np.round(chance.uniform(0.35, 1.5, 4) * height).astype(int) + 8
    if chance.random() < 0.25:  # a page that is not full
        right, bottom = int(right * chance.uniform(1, 4)), int(bottom * chance.uniform(1, 4))
    pieces = [piece for row in rows for block in row for piece in block.pieces]
    low, high = min(each.y for each in pieces), max(each.y + len(each.ink) for each in pieces)
    start = min(each.x for each in pieces)
    across, down = max(each.right for each in pieces) - start, high - low
    if least is not None:  # all around alike
        left = right = max(left, (least[0] - across + 1) // 2)
        top = bottom = max(top, (least[1] - down + 1) // 2)
    width = max(300, min(1600, across + left + right))
    tall = max(100, min(1200, down + top + bottom))
    bleed = [round(abs(math.sin(2 * angle)) / 2 * length) for length in (tall, width)]
    x, y = left - start + bleed[0], top - low + bleed[1]
    ink = np.zeros((tall + 2 * bleed[1], width + 2 * bleed[0]), np.float32)
    for row in rows:
        for block in row:
            block.move(x, y)
            for each in block.pieces:
                here = ink[each.y : each.y + len(each.ink), each.x : each.right]
                np.maximum(here, each.ink, out=here)
    baselines = [number * leading + y for number in range(len(rows))]
    rules = [each + x for each in columns]
    middle = (width / 2, tall / 2)
    return Sheet(
        ink, round(1.4 * height), middle, chance, hand.images, hand, rows, baselines, pitch, rules
    )


def in_lines(rows: list[list[Block]], hand: Hand, room: int, pitch: int | None) -> list[int]:
    """Puts the blocks of each line one beside the other, in place; what has no room is left out."""
    for row in rows:
        x = round(hand.chance.uniform(0, 1.5) * hand.height) if hand.chance.random() < 0.4 else 0
        x = pitch * (x // pitch) if pitch else x
        for number, block in enumerate(row):
            block.move(x if pitch else x - block.left, 0)
            # A word needs less room beside it.
            apart = (1.3, 2.5) if block.text else (0.7, 1.5)
            x = block.left + block.width + round(hand.height * hand.chance.uniform(*apart))
            x = pitch * math.ceil(x / pitch + 0.3) if pitch else x
            if number and block.left + block.width > room:
                del row[number:]
                break
    return []


def in_columns(rows: list[list[Block]], hand: Hand, room: int) -> list[int]:
    """Puts the blocks into columns, in place; the x of the rules between them."""
    rules, x = [0], 0
    to_the_right = hand.chance.random() < 0.7
    for column in range(len(rows[0])):
        own = [row[column] for row in rows]
        widest = max(block.width for block in own)
        pad = round(hand.height * hand.chance.uniform(0.65, 1))
        if x + widest + 2 * pad > room and column:
            for row in rows:
                del row[column:]
            break
        for block in own:
            spare = widest - block.width if to_the_right else 0
            block.move(x + pad + spare - block.left, 0)
        x += widest + 2 * pad
        rules.append(x)
    return rules


# Looks

PENS = ((25, 25, 30), (20, 20, 25), (35, 50, 120), (30, 45, 150), (95, 95, 100), (150, 30, 40))
RULES = ((120, 160, 215), (90, 120, 190), (165, 165, 165), (120, 120, 120), (45, 45, 50))
RED = np.array([215.0, 110, 120])


def printed(sheet: Sheet) -> Levels:
    """Paper, print and ink in even light; the ink is a little uneven."""
    uneven(sheet, 0.85)
    return sheet.seen()


def uneven(sheet: Sheet, least: float) -> None:
    """Lets ink fade here and there to so much of its strength."""
    height, width = sheet.shape
    size = max(2, round(width / sheet.hand.height)), max(2, round(height / sheet.hand.height))
    coarse = sheet.chance.random(size[::-1]).astype(np.float32)
    cloud = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    sheet.writing *= np.clip(least + (1 - least) * (0.1 + 1.2 * cloud), least, 1)


def plain(sheet: Sheet) -> Levels:
    return printed(sheet)


def ruled(sheet: Sheet) -> Levels:
    """Lines under the digits, or through them; often a margin."""
    chance, height = sheet.chance, sheet.hand.height
    own = chance.random() < 0.6  # the lines that were written on
    step = sheet.leading if own else height * chance.uniform(0.6, 1.3)
    first = sheet.baselines[0] + height * (chance.uniform(-0.15, 0.15) if own else chance.random())
    slope, thickness = float(chance.uniform(-0.006, 0.006)), sheet.thickness()
    for place in np.arange(first % step - step, sheet.shape[0] + step, step):
        draw_line(sheet, place, slope, thickness, upright=False)
    sheet.print_colour = np.array(RULES[chance.integers(len(RULES))]) + chance.uniform(-10, 10, 3)
    if chance.random() < 0.5:
        sheet.paper, sheet.printed = sheet_of(sheet), np.zeros_like(sheet.printed)
        first_number = min(block.left for block in sheet.numbers)
        place = first_number - height * chance.uniform(-0.2, 1)
        draw_line(sheet, max(4, place), slope, sheet.thickness(), upright=True)
        sheet.print_colour = RED
    return printed(sheet)


def sheet_of(sheet: Sheet) -> Numbers:
    """The paper with what is printed on it so far."""
    return mixed(sheet.paper, sheet.print_colour, sheet.printed)


def squared(sheet: Sheet) -> Levels:
    chance, height = sheet.chance, sheet.hand.height
    step = sheet.pitch or height * chance.uniform(0.4, 0.9)
    # Where each digit has its square, it stands on the square's foot or in its middle.
    lift = (step - height) / 2 if sheet.pitch else height * chance.random()
    place = sheet.numbers[0].pieces[0]
    x = place.x + place.ink.shape[1] / 2 + step / 2 if sheet.pitch else step * chance.random()
    thickness, slope = sheet.thickness(2), float(chance.uniform(-0.002, 0.002))
    for upright, start in ((False, sheet.baselines[0] + lift), (True, x)):
        for at in np.arange(start % step - step, sheet.shape[upright] + step, step):
            draw_line(sheet, at, -slope if upright else slope, thickness, upright=upright)
    sheet.print_colour = np.array(RULES[chance.integers(4)]) + chance.uniform(-10, 25, 3)
    return printed(sheet)


def boxed(sheet: Sheet) -> Levels:
    """A form: cells for digits, or a rectangle for each number."""
    chance, height, pitch = sheet.chance, sheet.hand.height, sheet.pitch
    thickness = sheet.thickness(3)
    apart = int(chance.uniform(0, 0.12) * pitch) if pitch and chance.random() < 0.4 else 0
    above, below, beside = np.round(chance.uniform(0.02, 0.3, 3) * height).astype(int).tolist()
    spare = int(chance.integers(0, 3)) if chance.random() < 0.3 else 0
    for row, baseline in zip(sheet.rows, sheet.baselines, strict=True):
        for block in row:
            top = baseline - round(1.05 * height) - above
            bottom = baseline + round(0.05 * height) + below
            if pitch is None:
                corners = [(block.left - beside, block.left + block.width + beside)]
            else:
                first = block.pieces[0]
                start = round(first.x + first.ink.shape[1] / 2 - pitch / 2)
                room = (sheet.shape[1] - start) // pitch  # for empty cells
                count = len(block.pieces) + (spare if block is row[-1] else 0)
                count = max(len(block.pieces), min(count, room))
                corners = [
                    (start + n * pitch + apart, start + (n + 1) * pitch - apart)
                    for n in range(count)
                ]
            for left, right in corners:
                cv2.rectangle(
                    sheet.printed, (left, top), (right, bottom), 1.0, thickness, cv2.LINE_AA
                )
    colour = chance.choice(np.array([(60, 60, 60), (20, 20, 20), (110, 110, 110), (200, 90, 70),
                                     (70, 110, 180)]))  # fmt: skip
    sheet.print_colour = np.asarray(colour, np.float64)
    return printed(sheet)


def tabled(sheet: Sheet) -> Levels:
    chance, height = sheet.chance, sheet.hand.height
    style = chance.choice(["none", "cells", "rows", "columns"], p=[0.3, 0.4, 0.15, 0.15])
    thickness = sheet.thickness(3)
    drop = (sheet.leading - height) / 2
    rows = [sheet.baselines[0] + drop + (n - 1) * sheet.leading for n in range(len(sheet.rows) + 1)]
    lines = [((sheet.columns[0], y), (sheet.columns[-1], y)) for y in rows if style != "columns"]
    lines += [((x, rows[0]), (x, rows[-1])) for x in sheet.columns if style != "rows"]
    for start, stop in lines if style != "none" else []:
        ends = (tuple(round(value) for value in end) for end in (start, stop))
        cv2.line(sheet.printed, *ends, 1.0, thickness, cv2.LINE_AA)
    sheet.print_colour = np.array(RULES[chance.integers(len(RULES))], np.float64)
    return printed(sheet)


def vignette(sheet: Sheet) -> Levels:
    y, x = (np.linspace(-1, 1, length, dtype=np.float32) for length in sheet.shape)
    fall = np.float32(sheet.chance.uniform(0.1, 0.35))
    return np.asarray(1 - fall * (y[:, None] ** 2 + x**2) / 2, np.float32)[..., np.newaxis]


def shaded(sheet: Sheet) -> Levels:
    """Light from one side, a shadow, a lens; sometimes little light at all."""
    light = gradual(sheet) * vignette(sheet)
    if sheet.chance.random() < 0.7:
        light = light * shadow(sheet)
    darkest = float(light.min())
    if darkest < 0.2:  # the eye still reads it there
        light = light ** (math.log(0.2) / math.log(darkest))
    colours = printed(sheet) * light
    if sheet.chance.random() < 0.3:
        noise = sheet.chance.normal(0, sheet.chance.uniform(2, 4), colours.shape)
        colours = colours * sheet.chance.uniform(0.35, 0.6) + noise
    return np.asarray(colours, np.float32)


def dark(sheet: Sheet) -> Levels:
    """White on black, as drawn on a screen; or chalk on a board; or a light pen on dark paper."""
    chance = sheet.chance
    if chance.random() < 0.35:
        sheet.paper, sheet.ink = np.zeros(3), np.full(3, 255.0)
        return sheet.seen()
    sheet.paper = chance.uniform(20, 75) + chance.uniform(-15, 15, 3)
    sheet.ink = np.minimum(chance.uniform(165, 250) + chance.uniform(-20, 10, 3), 255)
    uneven(sheet, 0.75)
    return rough(sheet) * gradual(sheet) if chance.random() < 0.6 else rough(sheet)


def panelled(sheet: Sheet) -> Levels:
    """Light ink on dark in the lower lines, or else the right numbers, or the other way round."""
    chance, (tall, wide), numbers = sheet.chance, sheet.shape, sheet.numbers
    panel = np.zeros((tall, wide, 1), bool)
    if len(sheet.rows) > 1:
        first = int(chance.integers(1, len(sheet.rows)))
        above, below = sheet.baselines[first - 1 : first + 1]
        rim = round(sheet.hand.height * chance.uniform(0, 0.3)) if chance.random() < 0.5 else 0
        panel[round((above + below - sheet.hand.height) / 2) : tall - rim, rim : wide - rim] = True
    elif len(numbers) > 1:
        one, other = numbers[-2:]
        panel[:, (one.left + one.width + other.left) // 2 :] = True
    papers = chance.uniform((190, 15), (245, 80))
    inks = chance.uniform((15, 170), (70, 250))
    dark = panel ^ (chance.random() < 0.4)
    tints = chance.uniform(-12, 12, (2, 3))
    sheet.paper, sheet.ink = (
        np.where(dark, levels[1], levels[0]) + tint
        for levels, tint in zip((papers, inks), tints, strict=True)
    )
    return printed(sheet)


def faded(sheet: Sheet) -> Levels:
    uneven(sheet, float(sheet.chance.uniform(0.35, 0.8)))
    return sheet.seen()


def photo(sheet: Sheet) -> Levels:
    light = gradual(sheet) * vignette(sheet)
    if sheet.chance.random() < 0.5:
        light = light * shadow(sheet)
    return np.asarray(ruled(sheet) * np.maximum(light, 0.2), np.float32)


def either(*looks: Callable[[Sheet], Levels]) -> Callable[[Sheet], Levels]:
    """One of several looks."""
    return lambda sheet: looks[sheet.chance.integers(len(looks))](sheet)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "plain": Kind(plain),
        "ruled": Kind(ruled),
        "squared": Kind(squared, pitch=(1.15, 1.5)),
        "boxed": Kind(boxed, pitch=(1.0, 1.35)),
        "shaded": Kind(shaded),
        "dark": Kind(dark),
        "skewed": Kind(either(plain, ruled), turn=15),
        "perspective": Kind(either(plain, plain, ruled), photographed=True),
        "touching": Kind(plain, touching=True),
        "broken": Kind(faded, broken=True),
        "decimals": Kind(plain, marks=True),
        "table": Kind(tabled, table=True),
        "lettered": Kind(plain, words=True),
        "photo": Kind(photo, turn=5, noise=(2, 6), quality=(30, 70), blur=1.2),
        "panelled": Kind(panelled),
    }
)


# Cameras

Seen = tuple[Levels, Numbers]  # a picture, and the map from the sheet to it


def turned(colours: Levels, angle: float) -> Seen:
    """The sheet turned by so many radians, cut to the part that is paper all over."""
    tall, wide = colours.shape[:2]
    # A sheet of width w and height h was given h sin 2a more width and w sin 2a more height.
    sine = abs(math.sin(2 * angle))
    width, height = ((a - sine * b) / (1 - sine**2) for a, b in ((wide, tall), (tall, wide)))
    out = [
        round(abs(math.cos(angle)) * a + abs(math.sin(angle)) * b)
        for a, b in ((width, height), (height, width))
    ]
    matrix = np.vstack(
        [
            cv2.getRotationMatrix2D(((wide - 1) / 2, (tall - 1) / 2), math.degrees(angle), 1),
            [0, 0, 1],
        ]
    )
    matrix[:2, 2] += [(out[0] - wide) / 2, (out[1] - tall) / 2]
    seen = cv2.warpPerspective(colours, matrix, out, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.float32), matrix


def photographed(colours: Levels, chance: Chance) -> Seen:
    """The sheet on a darker table, from an angle."""
    tall, wide = colours.shape[:2]
    corners = np.float32([[0, 0], [wide, 0], [wide, tall], [0, tall]]) - (wide / 2, tall / 2)
    spin, tilt, way = chance.uniform((-10, 8, 0), (10, 28, 360)) * math.pi / 180
    # Turned about the axis of sight, then tilted about one in the sheet (Rodrigues), and seen from
    # as far away as two diagonals.
    about = np.array([math.cos(way), math.sin(way), 0]) * tilt
    rotation = cv2.Rodrigues(about)[0] @ cv2.Rodrigues(np.array([0, 0, spin]))[0]
    away = 2 * math.hypot(tall, wide)
    placed = np.column_stack([corners, np.zeros(4)]) @ rotation.T
    flat = placed[:, :2] * (away / (away + placed[:, 2:]))
    extent = np.ptp(flat, axis=0)
    rim = chance.uniform(0.02, 0.12, (2, 2)) * extent.max()
    size = extent + rim.sum(axis=0)
    zoom = min(1.0, 1600 / size[0], 1200 / size[1])
    target = ((flat - flat.min(axis=0) + rim[0]) * zoom).astype(np.float32)
    size = np.maximum(np.round(size * zoom).astype(int), (300, 100))
    source = np.float32([[-0.5, -0.5], [wide - 0.5, -0.5], [wide - 0.5, tall - 0.5],
                         [-0.5, tall - 0.5]])  # fmt: skip
    matrix = cv2.getPerspectiveTransform(source, target)
    sheet = cv2.warpPerspective(colours, matrix, size.tolist())
    whole = np.ones(colours.shape[:2], np.float32)
    where = cv2.warpPerspective(whole, matrix, size.tolist())[..., np.newaxis]
    grain = cv2.GaussianBlur(chance.normal(0, 1, size[::-1].tolist()), (0, 0), 12, sigmaY=1)
    wood = np.array([90.0, 65, 45]) * chance.uniform(0.5, 1.2) + 40 * grain[..., np.newaxis]
    return np.asarray(sheet + wood * (1 - where), np.float32), matrix


def page(
    kind: str,
    images: Pixels,
    labels: NDArray[np.integer],
    chance: Chance,
    *,
    texts: Sequence[Sequence[str]] | None = None,
    height: float | None = None,
    least: tuple[int, int] | None = None,
) -> WrittenPage:
    """A page of a kind of `KINDS`, of 300 × 100 to about 1600 × 1200 pixels.

    Args:
        kind: its name there.
        images: shape (N, 28, 28), uint8, glyphs to write with.
        labels: shape (N,), their digits.
        chance: of all that is drawn.
        texts: the numbers of each line; drawn too where there are none. What has no room on the
            page is left out.
        height: pixels that digits are tall; 28 to 110 where there is none.
        least: width and height that the page has at least, its numbers then in the middle.
    """
    how = KINDS[kind]
    smallest = 36 if how.photographed or how.turn else 28
    tall = height or math.exp(chance.uniform(math.log(smallest), math.log(110)))
    angle = math.radians(chance.uniform(-how.turn, how.turn))
    hand = Hand(images, labels, tall, chance, how.touching, how.broken)
    sheet = planned(how, hand, texts, angle, least)
    sheet.ink = np.array(PENS[chance.integers(len(PENS))]) + chance.uniform(-10, 10, 3)
    colours, matrix = how.look(sheet), np.eye(3)
    if how.turn:
        colours, matrix = turned(colours, angle)
    if how.photographed:
        colours, matrix = photographed(colours, chance)
    if how.blur:
        colours = cv2.GaussianBlur(colours, (0, 0), chance.uniform(0.3, how.blur))
    grainy = colours + chance.normal(0, chance.uniform(*how.noise), colours.shape)
    pixels = np.clip(grainy, 0, 255).astype(np.uint8)
    if how.blur or chance.random() < 0.4:
        pixels = through_jpeg(pixels, int(chance.integers(*how.quality)))
    lines = [
        [
            Entry(block.text, [box(each, matrix) for each in block.pieces if each.is_digit])
            for block in row
            if block.text
        ]
        for row in sheet.rows
    ]
    return WrittenPage(pixels, [line for line in lines if line])


def box(piece: Piece, matrix: Numbers) -> Box:
    """Of the piece's ink, where the map from the sheet to the picture puts it."""
    corners = cv2.perspectiveTransform(piece.hull()[np.newaxis], matrix)[0]
    (left, top), (right, bottom) = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    return int(left), int(top), int(right - left) + 1, int(bottom - top) + 1
