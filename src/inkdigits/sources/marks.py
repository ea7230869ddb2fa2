"""Marks that mean nothing: lines, scribbles, blots, filled shapes, and frames without any."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import SIDE
from inkdigits.sources.strokes import (
    CANVAS,
    FINE,
    Hand,
    Shape,
    centred,
    drawn,
    reduced,
    smooth,
)

__all__ = [
    "blanks",
    "blots",
    "hatching",
    "lines",
    "noise",
    "scribbles",
    "silhouettes",
    "to_pixels",
]

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float32]

SCRIBBLED = Hand(width=(0.7, 2.5), wobble=0.03)
RULED = Hand(width=(1, 4), rotation_degrees=6, slant=0.2, aspect=0.5, wobble=0.01)


def lines(count: int, generator: np.random.Generator) -> Pixels:
    """Lying lines, parallels, crosses, grids, corners, zigzags; a lone standing stroke is a 1."""
    makers = (_lying, _parallels, _grid, _corner, _zigzag)
    kinds = generator.integers(len(makers), size=count).tolist()
    return drawn([makers[kind](generator) for kind in kinds], generator, RULED)


def _lying(generator: np.random.Generator) -> Shape:
    angle, bend = generator.uniform(-0.3, 0.3, 2)
    rise = np.tan(angle)
    return (smooth(np.array([[0.0, 0.0], [0.5, rise / 2 + 0.2 * bend], [1.0, rise]])),)


def _parallels(generator: np.random.Generator) -> Shape:
    count = int(generator.integers(2, 6))
    turn, *ends = generator.uniform(0, 1, 1 + 2 * count).tolist()
    angle = np.pi * turn
    along, across = (
        np.array([np.cos(angle), np.sin(angle)]),
        np.array([-np.sin(angle), np.cos(angle)]),
    )
    return tuple(
        np.stack([across * i / (count - 1) - along * 0.3 * ends[2 * i],
                  across * i / (count - 1) + along * (0.7 + 0.3 * ends[2 * i + 1])])
        for i in range(count)
    )  # fmt: skip


def _grid(generator: np.random.Generator) -> Shape:
    across, down = generator.integers(1, 5, 2).tolist()
    x = (np.arange(across) + generator.uniform(0.3, 0.7)) / across
    y = (np.arange(down) + generator.uniform(0.3, 0.7)) / down
    return (
        *(np.array([[at, 0.0], [at, 1.0]]) for at in x),
        *(np.array([[0.0, at], [1.0, at]]) for at in y),
    )


def _corner(generator: np.random.Generator) -> Shape:
    """A right angle that opens upwards, or a T lying on its side."""
    x, y, mirrored, long = generator.uniform(0, 1, 4).tolist()
    if mirrored < 0.5:
        return (np.array([[0.0, y * 0.3], [0.0, 1.0], [0.6 + 0.6 * x, 1.0]]),)
    middle = 0.3 + 0.4 * y
    end = (0.7 + 0.5 * long) * (1 if x < 0.5 else -1)
    return np.array([[0.0, 0.0], [0.0, 1.0]]), np.array([[0.0, middle], [end, middle]])


def _zigzag(generator: np.random.Generator) -> Shape:
    count = int(generator.integers(5, 10))
    points = np.stack([np.arange(count) / (count - 1), np.arange(count) % 2], axis=1)
    points[:, 1] *= generator.uniform(0.2, 1)
    points += generator.normal(scale=0.04, size=points.shape)
    return (points if generator.random() < 0.7 else smooth(points, 4),)


def scribbles(count: int, generator: np.random.Generator) -> Pixels:
    """Long smooth lines with many turns, tangles of short ones, hatching."""
    makers = (_tangle, _tangle, _strands, hatching)
    kinds = generator.integers(len(makers), size=count).tolist()
    return drawn([makers[kind](generator) for kind in kinds], generator, SCRIBBLED)


def _tangle(generator: np.random.Generator) -> Shape:
    return (smooth(generator.random((int(generator.integers(10, 20)), 2)), 4),)


def _strands(generator: np.random.Generator) -> Shape:
    points = generator.random((int(generator.integers(4, 7)), 4, 2))
    return tuple(smooth(strand, 4) for strand in points)


def hatching(generator: np.random.Generator) -> Shape:
    """One long line to and fro, 8 to 16 times, for a scribble or to cross something out."""
    count = int(generator.integers(8, 16))
    points = np.stack([np.arange(count) / (count - 1), np.arange(count) % 2.0], axis=1)
    points[:, 0] += generator.normal(scale=0.03, size=count)
    points[:, 1] += generator.normal(scale=0.12, size=count)
    angle = generator.uniform(0, np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    return (points @ np.array([[cos, sin], [-sin, cos]]),)


def blanks(count: int, generator: np.random.Generator) -> Pixels:
    """Empty, even, or shaded frames; faint specks."""
    level, slope_x, slope_y = generator.uniform(0, 1, (3, count, 1, 1))
    along = (np.arange(SIDE) - (SIDE - 1) / 2) / SIDE
    shade = level + 2 * (slope_x - 0.5) * along + 2 * (slope_y - 0.5) * along[:, np.newaxis]
    even = np.broadcast_to(level, (count, SIDE, SIDE))
    density = generator.uniform(0.98, 1, (count, 1, 1))
    specks = (
        level
        * generator.random((count, SIDE, SIDE))
        * (generator.random((count, SIDE, SIDE)) > density)
    )
    kind = generator.choice(4, (count, 1, 1), p=(0.1, 0.3, 0.3, 0.3))
    return to_pixels(np.choose(kind, (np.zeros_like(even), even, shade, specks)))


def noise(count: int, generator: np.random.Generator) -> Pixels:
    """Grains, blotches and weaves; grey or black and white; in the whole frame or in a box."""
    grains = generator.random((count, SIDE, SIDE), np.float32)
    # Blotches: the same noise, coarse and blown up.
    coarse = blown_up(generator.random((count, 9, 9), np.float32))
    x, y = generator.uniform(0.5, 3, (2, count, 1, 1)).astype(np.float32)
    along = np.arange(SIDE, dtype=np.float32)
    weave = (np.sin(x * along) + np.sin(y * along[:, np.newaxis])) / 4 + 0.5
    textures = np.choose(generator.integers(4, size=(count, 1, 1)), (
        grains, coarse, weave, (grains + coarse + weave) / 3,
    ))  # fmt: skip
    threshold = generator.uniform(0.3, 0.7, (count, 1, 1))
    hard = generator.random((count, 1, 1)) < 0.5
    levels = np.where(hard, textures > threshold, textures)
    inset = generator.choice((0, 0, 4), (count, 1, 1))
    rim = np.minimum(along, SIDE - 1 - along)
    inside = np.minimum(rim, rim[:, np.newaxis]) >= inset
    return to_pixels(levels * inside)


def blown_up(coarse: Levels) -> Levels:
    """Smooth fields, shape (N, 28, 28), of random numbers, shape (N, n, n), from 0 to 1."""
    side = coarse.shape[1]
    places = np.linspace(0, side - 1, SIDE, dtype=np.float32)
    tents = np.maximum(0, 1 - np.abs(places[:, np.newaxis] - np.arange(side, dtype=np.float32)))
    fields: Levels = tents @ coarse @ tents.T
    return fields


def silhouettes(count: int, generator: np.random.Generator) -> Pixels:
    """Filled shapes, symmetrical as things are, some with a gap between two legs, shaded."""
    along = np.arange(SIDE) - (SIDE - 1) / 2
    knots = generator.uniform(3, 10, (count, 7))
    knots[np.arange(count), generator.integers(7, size=count)] = generator.uniform(8, 10, count)
    places = np.linspace(0, 6, SIDE)
    weights = np.maximum(0, 1 - np.abs(places[:, np.newaxis] - np.arange(7)))
    smoothly = generator.random((count, 1)) < 0.5
    stepped = np.take(knots, np.rint(places).astype(int), axis=1)
    half = np.where(smoothly, knots @ weights.T, stepped)[:, :, np.newaxis]  # (N, 28, 1)
    tall = generator.uniform(6, 13, (count, 1, 1))
    lean = generator.normal(scale=0.1, size=(count, 1, 1))
    inside = np.clip(half - np.abs(along - lean * along[:, np.newaxis]) + 0.5, 0, 1)
    inside *= np.clip(tall - np.abs(along)[:, np.newaxis] + 0.5, 0, 1)
    start, slope = generator.uniform(-8, 4, (count, 1, 1)), generator.uniform(0, 0.5, (count, 1, 1))
    gap = np.maximum(0, along[:, np.newaxis] - start) * slope
    legs = generator.random((count, 1, 1)) < 0.3
    inside = np.where(legs, np.minimum(inside, np.clip(np.abs(along) - gap + 0.5, 0, 1)), inside)
    # Some lie on their sides, as a shoe does.
    lying = generator.random(count) < 0.3
    inside[lying] = inside[lying].transpose(0, 2, 1)
    field = blown_up(generator.random((count, 5, 5), np.float32))
    stripes = np.sin(generator.uniform(0.5, 3, (count, 1, 1)) * along) / 2 + 0.5
    cloth = generator.integers(3, size=(count, 1, 1))
    texture = np.where(cloth == 0, 1.0, np.where(cloth == 1, field, stripes))
    depth = generator.uniform(0, 1, (count, 1, 1))
    return to_pixels(inside * (1 - depth + depth * texture))


def blots(count: int, generator: np.random.Generator) -> Pixels:
    """Filled polygons and rings of them, round or with corners."""
    import cv2

    canvases = np.zeros((count, CANVAS, CANVAS), np.uint8)
    corners = generator.integers(3, 9, count).tolist()
    hole = generator.uniform(0.2, 1.2, count)
    for canvas, number, inner in zip(canvases, corners, hole.tolist(), strict=True):
        angle = 2 * np.pi * (np.arange(number) + generator.uniform(-0.3, 0.3, number)) / number
        radius = generator.uniform(5, 10, number) * FINE
        points = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, np.newaxis]
        if number > 5:
            points = smooth(np.concatenate([points, points[:1]]), 3)
        outline = np.rint(points + CANVAS / 2).astype(np.int32)
        cv2.fillPoly(canvas, [outline], 255)
        if number < 5 and inner < 0.5:
            # A frame of straight sides is no 0.
            cv2.fillPoly(canvas, [np.rint(points * inner + CANVAS / 2).astype(np.int32)], 0)
    return centred(reduced(canvases))


def to_pixels(levels: NDArray[np.floating]) -> Pixels:
    """Levels, 0 paper to 1 ink, as uint8; what is beyond is held there."""
    pixels: Pixels = np.rint(np.clip(levels, 0, 1) * 255).astype(np.uint8)
    return pixels
