"""Pictures of one digit on papers of many kinds, whose ink is known.

A page is a sheet with a digit's ink on it, and perhaps something printed; a kind of paper says how
large it is and how it is seen: lit, photographed, scanned. All comes again from the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["PAPERS", "Written", "written", "written_on"]

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float32]
Numbers = NDArray[np.float64]
Chance = np.random.Generator

FRAME = 28  # pixels of a glyph, of which the digit takes 20


@dataclass(frozen=True, eq=False)
class Written:
    """A picture of a digit.

    Args:
        pixels: shape (H, W, 3), uint8, RGB.
        mask: shape (H, W), bool: where the digit's ink is.
        dark: whether it is darker than the paper.
    """

    pixels: Pixels
    mask: NDArray[np.bool_]
    dark: bool


@dataclass(eq=False)
class Page:
    """A sheet before it is looked at; whatever changes how its ink looks changes `digit` too.

    Args:
        digit: shape (H, W), 0 to 1: the ink of the digit.
        side: pixels of its frame, of which the digit takes five sevenths.
        middle: x and y of that frame's middle.
        chance: of all that is drawn.
        others: shape (N, 28, 28), digits that may stand beside it.
    """

    digit: Levels
    side: int
    middle: tuple[float, float]
    chance: Chance
    others: Pixels
    writing: Levels = field(init=False)  # of the digit and its neighbours
    printed: Levels = field(init=False)
    paper: Numbers = field(init=False)
    ink: Numbers = field(init=False)
    print_colour: Numbers = field(init=False)

    def __post_init__(self) -> None:
        self.writing = self.digit.copy()
        self.printed = np.zeros_like(self.digit)
        self.paper = self.chance.uniform(170, 250) + self.chance.uniform(-12, 12, 3)
        self.ink = self.chance.uniform(10, 90) + self.chance.uniform(-10, 10, 3)
        self.print_colour = self.paper - self.chance.uniform(40, 120)

    @property
    def shape(self) -> tuple[int, int]:
        height, width = self.digit.shape
        return height, width

    def crop(self, part: tuple[slice, slice]) -> None:
        self.digit, self.writing, self.printed = (
            each[part] for each in (self.digit, self.writing, self.printed)
        )

    def seen(self) -> Levels:
        """Colours in even light: shape (H, W, 3)."""
        sheet = mixed(self.paper, self.print_colour, self.printed)
        return np.asarray(mixed(sheet, self.ink, self.writing), np.float32)


def mixed(one: Numbers | Levels, other: Numbers, share: Levels) -> Numbers:
    much = share[..., np.newaxis]
    return np.asarray(one * (1 - much) + other * much, np.float64)


# Ink


def brush(digit: Pixels, side: int, pen: float) -> Levels:
    """A glyph as ink, shape (side, side), 0 to 1.

    Args:
        digit: shape (28, 28), uint8.
        side: pixels.
        pen: how many of the glyph's pixels strokes are wider on either side; below 0 narrower.
    """
    enlarging = cv2.INTER_CUBIC if side > FRAME else cv2.INTER_AREA
    large = np.asarray(cv2.resize(digit, (side, side), interpolation=enlarging), np.float32)
    levels = cv2.GaussianBlur(large / 255, (0, 0), max(0.3, side / FRAME * 0.45))
    # Of 56 pixels and more, pens have sharp edges.
    ink = np.clip((levels - 0.4) / 0.2 if side > 2 * FRAME else levels * 1.2, 0, 1)
    if not pen:
        return np.asarray(ink, np.float32)
    radius = max(1, int(side / FRAME * abs(pen)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    other = cv2.dilate(ink, disc) if pen > 0 else cv2.erode(ink, disc)
    return np.asarray(other if other.sum() > 0.3 * ink.sum() else ink, np.float32)


def put(sheet: Levels, ink: Levels, x: float, y: float) -> None:
    """Writes ink on a sheet with its middle at (x, y); what does not fit is left out."""
    side = len(ink)
    height, width = sheet.shape
    left, top = int(x - side / 2), int(y - side / 2)
    rows = slice(max(0, top), max(0, min(height, top + side)))
    columns = slice(max(0, left), max(0, min(width, left + side)))
    part = ink[max(0, -top) :, max(0, -left) :]
    here = sheet[rows, columns]
    np.maximum(here, part[: here.shape[0], : here.shape[1]], out=here)


def draw_line(page: Page, place: float, slope: float, thickness: int, *, upright: bool) -> None:
    """Prints a line from rim to rim, in the middle at `place`."""
    height, width = page.shape
    if upright:
        ends = (int(place + slope * height / 2), -5), (int(place - slope * height / 2), height + 5)
    else:
        ends = (-5, int(place - slope * width / 2)), (width + 5, int(place + slope * width / 2))
    cv2.line(page.printed, *ends, 1.0, thickness, cv2.LINE_AA)


def pen_of_lines(page: Page) -> tuple[float, int]:
    """How far a page's printed lines rise, and how thick they are."""
    thick = round(min(page.shape) * page.chance.uniform(0.006, 0.02))
    return float(page.chance.uniform(-0.04, 0.04)), max(1, thick)


# Light


def places(page: Page) -> tuple[Levels, Levels]:
    """y and x of each pixel, each from 0 to 1 over the sheet."""
    height, width = page.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return y / height, x / width


def gradual(page: Page) -> Levels:
    """Light that falls off to one side, by a fifth to two thirds: shape (H, W, 1)."""
    y, x = places(page)
    angle = page.chance.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * x + np.sin(angle) * y
    slope = (slope - slope.min()) / max(float(np.ptp(slope)), 1e-6)
    return np.asarray(1 - page.chance.uniform(0.2, 0.65) * slope, np.float32)[..., np.newaxis]


def shadow(page: Page) -> Levels:
    """A shadow with a straight edge, hard or soft, over a part of the sheet: shape (H, W, 1)."""
    height, width = page.shape
    y, x = places(page)
    angle, right, down = page.chance.uniform((0, -0.3, -0.3), (2 * np.pi, 0.3, 0.3))
    beyond = np.cos(angle) * (x - 0.5 - right) * width + np.sin(angle) * (y - 0.5 - down) * height
    softness = page.chance.uniform(1, 12)
    inside = 1 / (1 + np.exp(-np.clip(beyond / softness, -50, 50)))
    return np.asarray(1 - page.chance.uniform(0.3, 0.6) * inside, np.float32)[..., np.newaxis]


# Kinds of paper


def plain(page: Page) -> Levels:
    return page.seen()


def gradient(page: Page) -> Levels:
    return page.seen() * gradual(page)


def hard_shadow(page: Page) -> Levels:
    return page.seen() * shadow(page)


def two_shadows(page: Page) -> Levels:
    return page.seen() * shadow(page) * shadow(page)


def coloured(page: Page) -> Levels:
    """Any ink on any paper, 90 of 255 or more apart in one colour."""
    page.paper, page.ink = page.chance.uniform(0, 255, (2, 3))
    while np.abs(page.paper - page.ink).max() < 90:
        page.ink = page.chance.uniform(0, 255, 3)
    return page.seen()


def blurred(page: Page) -> Levels:
    """Out of focus: the ink is where half of its strongest is."""
    width = page.side / FRAME * page.chance.uniform(0.6, 1.4)
    colours = cv2.GaussianBlur(page.seen(), (0, 0), width)
    page.digit = np.asarray(cv2.GaussianBlur(page.digit, (0, 0), width), np.float32)
    page.digit /= page.digit.max()
    return np.asarray(colours, np.float32)


def pencil(page: Page) -> Levels:
    """Faint: 18 to 45 of 255 darker than the paper."""
    page.ink = page.paper - page.chance.uniform(18, 45)
    return page.seen()


def scanned(page: Page) -> Levels:
    """Beyond the sheet's edge the scanner saw black."""
    colours = page.seen()
    side = int(page.chance.integers(4))
    across = page.shape[side // 2]
    depth = int(across * page.chance.uniform(0.03, 0.2))
    around = [[0, 0], [0, 0]]
    around[side // 2][side % 2] = depth
    page.digit = np.pad(page.digit, around)
    return np.asarray(np.pad(colours, [*around, [0, 0]], constant_values=10), np.float32)


def ruled(page: Page) -> Levels:
    return written_on_lines(page) * gradual(page)


def faintly_ruled(page: Page) -> Levels:
    page.print_colour = page.paper - page.chance.uniform(12, 40)
    return written_on_lines(page)


def written_on_lines(page: Page) -> Levels:
    slope, thickness = pen_of_lines(page)
    step = page.side * page.chance.uniform(0.45, 1.1)
    first = (page.middle[1] + page.chance.uniform(-0.5, 0.5) * page.side) % step
    for place in np.arange(first - step, page.shape[0] + step, step):
        draw_line(page, place, slope, thickness, upright=False)
    return page.seen()


def squared(page: Page) -> Levels:
    page.print_colour = page.paper - page.chance.uniform(15, 80)
    slope, thickness = pen_of_lines(page)
    step = page.side * page.chance.uniform(0.25, 0.6)
    for upright in (False, True):
        for place in np.arange(page.chance.uniform(0, step), page.shape[upright], step):
            draw_line(page, place, slope, thickness, upright=upright)
    return page.seen() * gradual(page)


def boxed(page: Page) -> Levels:
    """In a box to be filled in, all of whose edges run through the picture."""
    slope, thickness = pen_of_lines(page)
    half = page.side * page.chance.uniform(0.42, 0.6)
    for upright, middle in ((False, page.middle[1]), (True, page.middle[0])):
        for place in (middle - half, middle + half):
            draw_line(page, place, slope, thickness, upright=upright)
    return page.seen()


def edges_of_a_box(page: Page) -> Levels:
    """Cropped along a box, of which one to three edges are left at the rim."""
    slope, thickness = pen_of_lines(page)
    for side in page.chance.permutation(4)[: page.chance.integers(1, 4)].tolist():
        upright, far = side >= 2, side % 2
        length = page.shape[upright]
        inset = page.chance.uniform(0, 0.05) * length
        place = length - 1 - inset if far else inset
        draw_line(page, place, slope, thickness, upright=upright)
    return page.seen()


def between_neighbours(page: Page) -> Levels:
    """Cropped from a row of digits: parts of those beside it are at the rim."""
    x, y = page.middle
    for side in (-1, 1):
        if page.chance.random() < 0.75:
            other = brush(page.others[page.chance.integers(len(page.others))], page.side, 0)
            away, above = page.chance.uniform((0.78, -0.1), (1.0, 0.1)) * page.side
            put(page.writing, other, x + side * away, y + above)
    page.crop((slice(None), slice(max(0, int(x - page.side / 2)), int(x + page.side / 2))))
    return page.seen() * gradual(page)


def board(page: Page) -> Levels:
    """Chalk."""
    page.paper = page.chance.uniform(20, 80) + page.chance.uniform(-15, 15, 3)
    page.ink = np.repeat(page.chance.uniform(150, 240), 3)
    return page.seen()


def low_light(page: Page) -> Levels:
    colours = page.seen() * page.chance.uniform(0.12, 0.3)
    return np.asarray(colours + page.chance.normal(0, 4, colours.shape), np.float32)


def tightly_cropped(page: Page) -> Levels:
    rows, columns = (np.flatnonzero((page.digit > 0.3).any(axis=axis)) for axis in (1, 0))
    page.crop((slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)))
    rim = int(page.chance.integers(4))
    page.digit, page.writing, page.printed = (
        np.pad(each, rim) for each in (page.digit, page.writing, page.printed)
    )
    return page.seen()


def rough(page: Page) -> Levels:
    """Paper whose fibres show."""
    grains = page.chance.normal(size=page.shape).astype(np.float32)
    fibres = np.asarray(cv2.GaussianBlur(grains, (0, 0), page.chance.uniform(1, 4)), np.float32)
    strength = page.chance.uniform(3, 8) / float(fibres.std())
    return page.seen() + np.float32(strength) * fibres[..., np.newaxis]


@dataclass(frozen=True)
class Paper:
    """A kind of paper.

    Args:
        look: the colours of a page of it; it may change the page.
        sides: pixels, the least and the most.
        share: of the shorter side that the digit's frame takes, the least and the most.
        pen: as in `brush`.
        noise: of 255, one standard deviation, the least and the most.
        quality: of the JPEG file it was, the least and the most.
        compressed: the share that was one.
    """

    look: Callable[[Page], Levels]
    sides: tuple[int, int] = (90, 420)
    share: tuple[float, float] = (0.55, 1.1)
    pen: float = 0.0
    noise: tuple[float, float] = (0.0, 2.5)
    quality: tuple[int, int] = (50, 95)
    compressed: float = 0.4


LARGE = (200, 600)

PAPERS: Mapping[str, Paper] = MappingProxyType(
    {
        "plain": Paper(plain),
        "gradient": Paper(gradient, LARGE),
        "hard shadow": Paper(hard_shadow, LARGE),
        "two shadows": Paper(two_shadows, LARGE),
        "colours": Paper(coloured),
        "JPEG blocks": Paper(plain, quality=(8, 25), compressed=1),
        "blur": Paper(blurred),
        "pencil": Paper(pencil),
        "noise": Paper(plain, noise=(8, 20)),
        "scan margin": Paper(scanned),
        "ruled": Paper(ruled, LARGE),
        "faintly ruled": Paper(faintly_ruled),
        "squared": Paper(squared, LARGE),
        "box": Paper(boxed),
        "box edges": Paper(edges_of_a_box),
        "neighbours": Paper(between_neighbours),
        "board": Paper(board),
        "low light": Paper(low_light),
        "hair-thin pen": Paper(plain, pen=-0.8),
        "bold marker": Paper(plain, pen=0.8),
        "tight crop": Paper(tightly_cropped),
        "tiny": Paper(plain, sides=(20, 44), share=(0.95, 1.2)),
        "rough": Paper(rough),
    }
)


def written_on(kind: str, digit: Pixels, chance: Chance, others: Pixels) -> Written:
    """A picture of a digit on a paper of `PAPERS`.

    Args:
        kind: its name there.
        digit: shape (28, 28), uint8.
        chance: of all that is drawn.
        others: shape (N, 28, 28), uint8, for what stands beside it.
    """
    paper = PAPERS[kind]
    height, width = chance.integers(*paper.sides, 2).tolist()
    side = int(min(height, width) * chance.uniform(*paper.share))
    # Somewhere on the sheet, but all of it.
    room = np.maximum(0, np.array([width, height]) - 0.75 * side)
    x, y = ((width, height) + chance.uniform(-1, 1, 2) * room) / 2
    sheet = np.zeros((height, width), np.float32)
    put(sheet, brush(digit, side, paper.pen), x, y)
    page = Page(sheet, side, (x, y), chance, others)
    colours = paper.look(page)
    grainy = colours + chance.normal(0, chance.uniform(*paper.noise), colours.shape)
    pixels = np.clip(grainy, 0, 255).astype(np.uint8)
    if chance.random() < paper.compressed:
        pixels = through_jpeg(pixels, int(chance.integers(*paper.quality)))
    return Written(pixels, page.digit > 0.5, bool(page.ink.mean() < page.paper.mean()))


def through_jpeg(pixels: Pixels, quality: int) -> Pixels:
    _, file = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    back = cv2.imdecode(file, cv2.IMREAD_COLOR)
    assert back is not None
    return np.ascontiguousarray(back[..., ::-1], np.uint8)


def written(kind: str, digits: Pixels, count: int, seed: int = 1) -> Iterator[Written]:
    """So many pictures on a kind of paper, of digits (N, 28, 28) in random order."""
    chance = np.random.default_rng([seed, list(PAPERS).index(kind)])
    for index in chance.permutation(len(digits))[:count].tolist():
        yield written_on(kind, digits[index], chance, digits)
