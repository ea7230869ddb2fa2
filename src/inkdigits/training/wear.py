"""Wear: what pens, paper, cameras and careless cropping do to a glyph before it reaches a network.

`augmentation` is about the hand, this is about the picture. Each kind of wear befalls a share of
the glyphs, each with a strength of its own. In the end all are normalised again, as the reader
normalises whatever it finds: what a neighbour or a line adds to a digit also makes it smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import SIDE, checked_images
from inkdigits.errors import TrainingError
from inkdigits.glyph import BOX, MIDDLE
from inkdigits.training.augmentation import (
    CENTRE,
    STACK,
    affine_coordinates,
    resampled,
    stacked,
)

__all__ = ["Wear"]

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float32]
Numbers = NDArray[np.float64]
Chosen = NDArray[np.bool_]

BLUR = 1.2  # pixels, one standard deviation
FAINTEST = 24  # of 255: what is paler would not be taken for ink


@dataclass(frozen=True, kw_only=True)
class Wear:
    """How many glyphs are worn, and how.

    Args:
        neighbours: share with a part of another digit at the left or right rim.
        lines: share crossed by a straight line, lying or upright, or with one beside them.
        cuts: share of which a strip is cut off, at most a seventh of the box, at one side.
        breaks: share with up to three short gaps, as where a pen skipped or a rule was taken away.
        coarse: share seen through fewer pixels, 8 to 16 for the box; a third of these in black and
            white, as a fax.
        blur: share out of focus.
        hard: share with hard edges: greys become ink or paper at a level that varies, so that
            strokes get wider or narrower too.
        pale: share of uneven ink: down to a third of it at one end.
        grain: share with grainy ink and paper.
        stretched: share that is scaled until it fills the box both ways, or twice as wide or high
            as it was, or partly so: some programs and data sets do not keep proportions.
        jitter: pixels, ± of the box's longer side after the last normalisation.

    Raises:
        TrainingError: a share is not from 0 to 1, or the jitter not from 0 to 8.
    """

    neighbours: float = 0.0
    lines: float = 0.0
    cuts: float = 0.0
    breaks: float = 0.0
    coarse: float = 0.0
    blur: float = 0.0
    hard: float = 0.0
    pale: float = 0.0
    grain: float = 0.0
    stretched: float = 0.0
    jitter: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value, most = getattr(self, field.name), 8 if field.name == "jitter" else 1
            if not (isinstance(value, int | float) and 0 <= value <= most):
                raise TrainingError(
                    f"expected {field.name} from 0 to {most}, got {value!r}: 0 turns it off"
                )

    def __call__(self, images: Pixels, generator: np.random.Generator) -> Pixels:
        """Wears each image; which and how depends on the generator alone.

        Args:
            images: glyphs, shape (N, 28, 28), uint8; left as they are.
            generator: of all that is drawn.

        Returns:
            shape (N, 28, 28), uint8, in memory of its own.

        Raises:
            DataError: the images are of another shape or type.
        """
        worn = checked_images(images).copy()
        count = len(worn)
        if not count:
            return worn
        # Drawn whether used or not: turning one kind on leaves the others' numbers.
        befallen = generator.random((10, count))
        add_neighbours(worn, befallen[0] < self.neighbours, generator)
        add_lines(worn, befallen[1] < self.lines, generator)
        cut_off(worn, befallen[2] < self.cuts, generator)
        break_strokes(worn, befallen[9] < self.breaks, generator)
        make_coarse(worn, befallen[3] < self.coarse, generator)
        levels = worn.astype(np.float32)
        levels = blurred(levels, befallen[4] < self.blur, generator)
        levels = hardened(levels, befallen[5] < self.hard, generator)
        levels = made_pale(levels, befallen[6] < self.pale, generator)
        jitter, stretch = self.jitter * generator.uniform(-1, 1, count), generator.random(count)
        stretch = np.minimum(1.5 * stretch, 1) * (befallen[8] < self.stretched)
        worn = normalised(full(levels), jitter, stretch)
        return with_grain(worn, befallen[7] < self.grain, generator)


def add_neighbours(images: Pixels, chosen: Chosen, generator: np.random.Generator) -> None:
    """Puts a part of the image before each chosen one at its left or right rim."""
    others = np.roll(images, 1, axis=0)
    sides, distances = generator.random((2, len(images)))
    for index in np.flatnonzero(chosen):
        shift = int(17 + 7 * distances[index])
        image, other = images[index], others[index]
        if sides[index] < 0.5:
            np.maximum(image[:, shift:], other[:, : SIDE - shift], out=image[:, shift:])
        else:
            np.maximum(image[:, : SIDE - shift], other[:, shift:], out=image[:, : SIDE - shift])


def add_lines(images: Pixels, chosen: Chosen, generator: np.random.Generator) -> None:
    """Draws a pale or dark line across each chosen image, anywhere in the box: 3 of 10 upright.

    It runs from rim to rim, or begins within the first 4 of 10 pixels.
    """
    import cv2

    drawn = generator.random((5, len(images)))
    for index in np.flatnonzero(chosen):
        upright, place, slope, grey, length = drawn[:, index]
        where, lean = 3 + 22 * place, 3 * (slope - 0.5)
        start = 27 * max(0.0, length - 0.6)
        ends = np.array([(start, where - lean), (27.0, where + lean)])
        if upright < 0.3:
            ends = ends[:, ::-1]
        # OpenCV takes sixteenths of a pixel.
        (x0, y0), (x1, y1) = np.rint(16 * ends).astype(int).tolist()
        line = np.zeros((SIDE, SIDE), np.uint8)
        cv2.line(line, (x0, y0), (x1, y1), int(90 + 165 * grey), 1, cv2.LINE_AA, 4)
        np.maximum(images[index], line, out=images[index])


def cut_off(images: Pixels, chosen: Chosen, generator: np.random.Generator) -> None:
    """Cuts a strip off one side of each chosen image: up to a seventh of what is inked there."""
    sides, depths = generator.random((2, len(images)))
    for index in np.flatnonzero(chosen):
        image, side, depth = images[index], int(4 * sides[index]), depths[index]
        turned = np.rot90(image, side)
        rows = np.flatnonzero(turned.any(axis=1))
        if rows.size:
            turned[: rows[0] + round(depth * rows.size / 7)] = 0


def break_strokes(images: Pixels, chosen: Chosen, generator: np.random.Generator) -> None:
    """Wipes up to three short lines across the ink of each chosen image: 15 % of it mostly."""
    import cv2

    drawn = generator.random((3, 5, len(images)))
    for index in np.flatnonzero(chosen):
        image = images[index]
        inked = np.argwhere(image > 127)
        if not len(inked):
            continue
        for place, angle, length, breadth, wiped in drawn[:, :, index]:
            if wiped < 0.4:
                continue
            y, x = inked[int(place * len(inked))]
            turned = np.array([math.cos(math.pi * angle), math.sin(math.pi * angle)])
            reach, middle = (3 + 7 * length) * turned, np.array([x, y])
            ends = np.rint(16 * np.stack([middle - reach, middle + reach])).astype(int).tolist()
            cv2.line(image, ends[0], ends[1], 0, 1 if breadth < 0.7 else 2, cv2.LINE_AA, 4)


def make_coarse(images: Pixels, chosen: Chosen, generator: np.random.Generator) -> None:
    """Scales each chosen image down and up again."""
    import cv2

    drawn = generator.random((3, len(images)))
    for index in np.flatnonzero(chosen):
        side = round(SIDE / BOX * (8 + 8 * drawn[0, index]))
        small = cv2.resize(images[index], (side, side), interpolation=cv2.INTER_AREA)
        if drawn[2, index] < 1 / 3:
            small = np.where(small > 60 + 180 * drawn[2, index], 255, 0).astype(np.uint8)
        back = cv2.INTER_NEAREST if drawn[1, index] < 0.3 else cv2.INTER_LINEAR
        images[index] = cv2.resize(small, (SIDE, SIDE), interpolation=back)


def blurred(levels: Levels, chosen: Chosen, generator: np.random.Generator) -> Levels:
    """Mixes each chosen image with its own blur."""
    import cv2

    share = (chosen * generator.random(len(levels))).astype(np.float32)[:, np.newaxis, np.newaxis]
    # In columns beside one another, so that one call blurs all; paper between them, as wide as
    # OpenCV's Gaussian reaches, keeps one's ink out of the next.
    apart = math.ceil(4 * BLUR) + 1
    wide = np.pad(levels, ((0, 0), (0, 0), (0, apart))).transpose(1, 0, 2)
    soft = cv2.GaussianBlur(wide.reshape(SIDE, -1), (0, 0), BLUR)
    soft = soft.reshape(wide.shape).transpose(1, 0, 2)[:, :, :SIDE]
    return np.asarray(levels + share * (soft - levels), np.float32)


def hardened(levels: Levels, chosen: Chosen, generator: np.random.Generator) -> Levels:
    """Makes greys of each chosen image up to 8 times as steep about 0.2 to 0.67 of its most ink."""
    gain, share = generator.random((2, len(levels), 1, 1)).astype(np.float32)
    gain, middle = 1 + 7 * gain, (0.2 + 0.47 * share) * levels.max(axis=(1, 2), keepdims=True)
    steep = np.clip((levels - middle) * gain + middle, 0, 255)
    return np.where(chosen[:, np.newaxis, np.newaxis], steep, levels)


def made_pale(levels: Levels, chosen: Chosen, generator: np.random.Generator) -> Levels:
    """Takes ink away from each chosen image, more and more from one end to the other."""
    angle, near_end, far_end = generator.random((3, len(levels), 1, 1)).astype(np.float32)
    across = (np.arange(SIDE, dtype=np.float32) - CENTRE) / SIDE
    slope = np.cos(2 * np.pi * angle) * across + np.sin(2 * np.pi * angle) * across[:, np.newaxis]
    strength = 1 - (0.3 * near_end + 0.5 * far_end * (slope + 0.5))
    return np.where(chosen[:, np.newaxis, np.newaxis], levels * strength, levels)


def full(levels: Levels) -> Pixels:
    """Each image with its strongest ink at 255, as the reader takes it, but at most 4 times it."""
    most = levels.max(axis=(1, 2), keepdims=True)
    return to_pixels(levels * np.minimum(4, 255 / np.maximum(most, 1)))


def with_grain(images: Pixels, chosen: Chosen, generator: np.random.Generator) -> Pixels:
    """Adds noise of a deviation up to 25 of 255 to each chosen image, and up to 3 % of specks."""
    noise = generator.integers(-128, 128, images.shape, dtype=np.int8).astype(np.float32)
    strength = (chosen * generator.random(len(images))).astype(np.float32)
    strength = strength[:, np.newaxis, np.newaxis]
    # Bytes have a deviation of 74; 8 of their 256 values are above 119.
    grainy = images.astype(np.float32) + 25 / 74 * strength * noise
    return to_pixels(np.where(noise > 127 - 8 * strength, 255, grainy))


def normalised(images: Pixels, jitter: Numbers, stretch: Numbers) -> Pixels:
    """Each image with its longer side scaled to 20 + jitter, its centre of mass in the middle.

    What `glyph.glyph_of` does, for many and to parts of a pixel; blank and faint ones stay as they
    are.

    Args:
        images: shape (N, 28, 28), uint8.
        jitter: shape (N,), pixels.
        stretch: shape (N,), from 0, proportions kept, to 1, the box filled, or at most twice.
    """
    ink = images > FAINTEST
    rows, columns = np.any(ink, axis=2), np.any(ink, axis=1)
    height = SIDE - rows[:, ::-1].argmax(axis=1) - rows.argmax(axis=1)
    width = SIDE - columns[:, ::-1].argmax(axis=1) - columns.argmax(axis=1)
    empty = ~np.any(rows, axis=1)
    longer = np.where(empty, BOX, np.maximum(height, width))
    scale = np.where(empty, 1.0, (BOX + jitter) / longer)
    wider, higher = (
        scale * np.where(empty, 1.0, np.minimum(longer / np.maximum(side, 1), 2) ** stretch)
        for side in (width, height)
    )
    mass = images.sum(axis=(1, 2), dtype=np.float64) + 1e-9
    places = np.arange(SIDE)
    x = images.sum(axis=1, dtype=np.float64) @ places / mass
    y = images.sum(axis=2, dtype=np.float64) @ places / mass
    middle = np.stack([wider * (x - CENTRE), higher * (y - CENTRE)])
    off = np.where(empty, 0.0, MIDDLE - CENTRE - middle)
    still = np.zeros(len(images))
    coordinates = affine_coordinates(
        shift=off, angle=still, width=wider, height=higher, shear=still
    )
    worn = np.empty_like(images)
    for start in range(0, len(images), STACK):
        some = slice(start, start + STACK)
        worn[some] = resampled(stacked(images[some]), coordinates[:, some])
    return worn


def to_pixels(levels: Levels) -> Pixels:
    pixels: Pixels = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return pixels
