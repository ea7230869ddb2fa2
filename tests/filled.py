"""Handwriting sheets, filled in and photographed: what the tests of sheets read, answers known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.typing import NDArray

from inkdigits.glyph import cropped
from inkdigits.plots import handwriting_sheet
from inkdigits.sheet import BOX, BOXES, FIELD, PAPERS

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float32]
Points = NDArray[np.float64]

FINE = 10  # pixels a millimetre of the sheet before it is photographed


@dataclass(frozen=True, kw_only=True)
class Pen:
    """A pen and the hand that holds it.

    Args:
        colour: red, green and blue of its ink.
        width: millimetres that its strokes are wider than those of MNIST's pens, or narrower.
        strength: of the ink, from and to, 1 covering the paper.
        grain: of pencils: how uneven the ink is.
        slant: to the right for each step up.
        height: millimetres of a digit, from and to.
        off: of the room in the box, how far a digit may be from its middle; above 1 it crosses the
            edge.
        rotation_degrees: against the clock.
    """

    colour: tuple[int, int, int] = (25, 25, 30)
    width: float = 0.0
    strength: tuple[float, float] = (0.9, 1.0)
    grain: float = 0.0
    slant: float = 0.0
    height: tuple[float, float] = (6.0, 11.0)
    off: float = 0.8
    rotation_degrees: float = 0.0


PENS = {
    "ballpoint": Pen(colour=(35, 50, 140), width=-0.35, strength=(0.75, 0.95), slant=0.15),
    "felt tip": Pen(colour=(20, 20, 20), width=0.5, height=(8.0, 12.0)),
    "pencil": Pen(colour=(70, 70, 75), width=-0.2, strength=(0.55, 0.8), grain=0.35, off=0.6),
    "leaning": Pen(colour=(20, 25, 60), slant=0.45, height=(7.0, 12.0)),
    "small": Pen(colour=(120, 30, 30), width=-0.3, height=(4.0, 6.0), slant=-0.15, off=1.0),
    "over the edge": Pen(colour=(25, 25, 30), height=(10.0, 14.0), off=1.25),
}


@cache
def printed(paper: str) -> Pixels:
    """The program's own drawing, FINE pixels a millimetre."""
    figure = handwriting_sheet(paper)
    figure.set_dpi(25.4 * FINE)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[:, :, :3])


def origin(paper: str) -> Points:
    """Where the field is on the paper, millimetres."""
    return (np.array(PAPERS[paper]) - FIELD) / 2


def brushed(glyph: Pixels, pen: Pen, height: float) -> Levels:
    """A digit of MNIST so many millimetres high, written with this pen: 0 to 1."""
    digit = np.pad(cropped(glyph), 3)
    scale = height * FINE / (max(digit.shape) - 6)
    large = cv2.resize(digit, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    large = cv2.GaussianBlur(large, (0, 0), 0.35 * scale)
    side = 2 * max(large.shape)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), pen.rotation_degrees, 1.0)
    lean = np.array([[1, -pen.slant, pen.slant * side / 2], [0, 1, 0], [0, 0, 1]])
    shift = np.array(
        [[1, 0, (side - large.shape[1]) / 2], [0, 1, (side - large.shape[0]) / 2], [0, 0, 1]]
    )
    large = cv2.warpAffine(large, matrix @ lean @ shift, (side, side))
    away = cv2.distanceTransform((large <= 128).astype(np.uint8), cv2.DIST_L2, 5)
    inside = cv2.distanceTransform((large > 128).astype(np.uint8), cv2.DIST_L2, 5)
    # Thinner, but never so thin that a stroke is gone.
    wider = max(pen.width / 2 * FINE, 2.0 - np.percentile(inside[inside > 0], 80))
    return np.clip(wider + 0.5 - (away - inside), 0, 1).astype(np.float32)


def filled_in(
    digits: list[Pixels | None], pen: Pen, chance: np.random.Generator, paper: str = "a4"
) -> Pixels:
    """A sheet with a digit in each box, or None where it stays empty."""
    sheet = printed(paper).astype(np.float32)
    for box, glyph in zip(BOXES, digits, strict=True):
        if glyph is None:
            continue
        ink = brushed(glyph, pen, chance.uniform(*pen.height))
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        size = np.array(ink.shape[::-1])
        room = np.maximum(0.5 * FINE, (np.array(BOX) * FINE - size) / 2)
        middle = (origin(paper) + (box.x, box.y) + np.array(BOX) / 2) * FINE
        x, y = np.rint(middle + pen.off * room * chance.uniform(-1, 1, 2) - size / 2).astype(int)
        strength = chance.uniform(*pen.strength) * ink
        if pen.grain:
            tooth = cv2.GaussianBlur(chance.normal(0, 1, ink.shape), (0, 0), 1.5) * 4
            strength = np.clip(strength * (1 + pen.grain * tooth), 0, 1)
        part = sheet[y : y + size[1], x : x + size[0]]
        part += strength[..., np.newaxis] * (np.minimum(np.array(pen.colour), part) - part)
    return np.clip(sheet, 0, 255).astype(np.uint8)


@dataclass(frozen=True, kw_only=True)
class Photo:
    """How a sheet is photographed.

    Args:
        size: width and height of the picture.
        turn_degrees: how far the sheet lies turned, against the clock.
        tilt_degrees: how far from straight above the camera is.
        towards_degrees: on which side.
        share: of the picture, that the sheet fills.
        bent: millimetres that the middle of the paper appears moved to, x and y.
        table: grey of what it lies on.
        shade: how much darker one side is.
        shadow: how dark a cast shadow is; 0 for none.
        blur: pixels.
        noise: of 255.
        clutter: things that lie beside it.
        quality: of JPEG.
    """

    size: tuple[int, int] = (1600, 1200)
    turn_degrees: float = 0.0
    tilt_degrees: float = 10.0
    towards_degrees: float = 0.0
    share: float = 0.9
    bent: tuple[float, float] = (0.0, 0.0)
    table: int = 60
    shade: float = 0.2
    shadow: float = 0.0
    blur: float = 0.6
    noise: float = 3.0
    clutter: int = 4
    quality: int = 88


def photographed(sheet: Pixels, photo: Photo, chance: np.random.Generator) -> Pixels:
    """A photo of a sheet: shape (H, W, 3), uint8."""
    width, height = photo.size
    matrix = view_of(sheet.shape, photo)
    # Each pixel of the photo is the mean of what it sees.
    step = scale_of(matrix, sheet.shape)
    if step < 0.8:
        sheet = cv2.resize(sheet, None, fx=step, fy=step, interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.diag([1 / step, 1 / step, 1])
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float64)
    seen = cv2.perspectiveTransform(places.reshape(1, -1, 2), np.linalg.inv(matrix))
    seen = seen.reshape(height, width, 2)
    across, down = np.moveaxis(seen / sheet.shape[1::-1], -1, 0)
    bow = np.where((across > 0) & (across < 1) & (down > 0) & (down < 1), 1.0, 0.0)
    millimetre = sheet.shape[1] / printed_width(sheet)
    seen[..., 0] += bow * photo.bent[0] * millimetre * np.sin(np.pi * across)
    seen[..., 1] += bow * photo.bent[1] * millimetre * np.sin(np.pi * down) * (0.6 + 0.8 * across)
    table = around(photo, chance)
    picture = cv2.remap(sheet, seen.astype(np.float32), None, cv2.INTER_LINEAR)
    inside = (bow > 0)[..., np.newaxis]
    levels = np.where(inside, 0.93 * picture.astype(np.float32) + 6, table)
    levels *= light(photo, chance)[..., np.newaxis] * np.array([1.0, 0.98, 0.93])
    if photo.blur:
        levels = cv2.GaussianBlur(levels, (0, 0), photo.blur)
    levels += chance.normal(0, max(photo.noise, 1e-9), levels.shape)
    pixels = np.clip(levels, 0, 255).astype(np.uint8)
    _, file = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, photo.quality])
    back = cv2.imdecode(file, cv2.IMREAD_COLOR)
    assert back is not None
    return np.ascontiguousarray(back[..., ::-1], np.uint8)


def printed_width(sheet: Pixels) -> float:
    """Millimetres of the paper that this is a picture of."""
    ratios = {abs(width / height - sheet.shape[1] / sheet.shape[0]): width
              for width, height in PAPERS.values()}  # fmt: skip
    return ratios[min(ratios)]


def view_of(shape: tuple[int, ...], photo: Photo) -> Points:
    """The homography from the sheet's pixels to the photo's, through a pinhole."""
    height, width = shape[:2]
    turn, tilt, towards = np.radians(
        [photo.turn_degrees, photo.tilt_degrees, photo.towards_degrees]
    )
    axis = np.array([np.cos(towards), np.sin(towards), 0.0]) * tilt
    rotation = cv2.Rodrigues(axis)[0] @ cv2.Rodrigues(np.array([0.0, 0.0, -turn]))[0]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    flat = (corners - (width / 2, height / 2)) / max(width, height)
    space = np.pad(flat, ((0, 0), (0, 1))) @ rotation.T
    seen = space[:, :2] / (space[:, 2:] + 1.6)
    low, high = seen.min(axis=0), seen.max(axis=0)
    scale = photo.share * (np.array(photo.size) / (high - low)).min()
    seen = (seen - (low + high) / 2) * scale + np.array(photo.size) / 2
    return cv2.getPerspectiveTransform(corners.astype(np.float32), seen.astype(np.float32))


def scale_of(matrix: Points, shape: tuple[int, ...]) -> float:
    corners = np.array([[(0, 0), (shape[1], 0), (shape[1], shape[0]), (0, shape[0])]], float)
    seen = cv2.perspectiveTransform(corners, matrix)[0]
    area = cv2.contourArea(seen.astype(np.float32))
    return float(np.sqrt(area / (shape[0] * shape[1])))


def around(photo: Photo, chance: np.random.Generator) -> Levels:
    """The table with things on it."""
    width, height = photo.size
    grain = cv2.resize(chance.normal(0, 8, (height // 40 + 2, 6)), photo.size)
    table = np.repeat((photo.table + grain)[..., np.newaxis], 3, axis=2)
    for _ in range(photo.clutter):
        x, y = chance.integers(0, photo.size).tolist()
        side = int(chance.uniform(0.05, 0.25) * width)
        colour = chance.integers(0, 256, 3).tolist()
        kind = chance.integers(3)
        if kind == 0:
            cv2.circle(table, (x, y), side // 2, colour, -1)
        elif kind == 1:
            cv2.rectangle(table, (x, y), (x + side, y + side // 2), colour, -1)
        else:  # as a chessboard, or a code on a packet
            cells = chance.integers(0, 2, (6, 6)).astype(np.float64)
            cells = np.pad(cells, 1) * 220 + 15
            part = table[y : y + side, x : x + side]
            grown = cv2.resize(cells, (side, side), interpolation=cv2.INTER_NEAREST)
            part[:] = grown[: part.shape[0], : part.shape[1], np.newaxis]
    return table.astype(np.float32)


def light(photo: Photo, chance: np.random.Generator) -> Levels:
    """How much light falls where, 0 to 1."""
    width, height = photo.size
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    angle = chance.uniform(0, 2 * np.pi)
    shine = 1 - photo.shade * (1 + x * np.cos(angle) + y * np.sin(angle)) / 2
    if photo.shadow:
        edge = x * np.cos(angle + 1) + y * np.sin(angle + 1) - chance.uniform(-0.5, 0.5)
        shine *= 1 - photo.shadow * np.clip(0.5 + edge * 20, 0, 1)
    return shine.astype(np.float32)
