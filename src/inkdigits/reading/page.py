"""From a page to the ink on it: light made even, rules taken away, writing level.

`ink` looks for the one digit of a picture and may weigh all that there is. On a page digits are
small, light changes from corner to corner, a part of it may be dark with light ink, and printed
lines are longer than any stroke.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.reading.panels import without_panels
from inkdigits.reading.paper import breadth, from_paper, light_share, principal_grey
from inkdigits.reading.rules import rules, tilt

__all__ = ["Writing", "find_writing"]

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float32]
Mask = NDArray[np.bool_]
Matrix = NDArray[np.float64]
Labels = NDArray[Any]

SMALL, GROWN = 400, 4  # pixels: a smaller page is enlarged, so many times at most
# Of the mean side: how broad a stroke may be. The narrower tells ink from shadows better.
SPREADS = (0.07, 0.2, 0.5)
COARSE = 480  # pixels of the longer side on which paper is looked at
FAINTEST = 6  # of 255: with less contrast there is nothing to read
GRAINS = 3  # standard deviations of paper that are no ink
# Of the contrast of all ink: what printed lines have at least, ink has, and the ink of each piece.
# Of a piece's own: what belongs to it.
FAINT_LINE, WEAK, STRONG, OWN = 0.12, 0.15, 0.3, 0.42
# Of the ink's strength: strokes on rules paler than that can be told from them; and where, from
# the rules' strength (0) to the ink's (1), a stroke's begins: half-way, a soft edge has as much.
PALE, STROKE = 0.75, 0.5
DARKEST = 90  # percent of rules' pixels are paler: the rest may be strokes that lie on them
# Of a picture, and of its rim: if its dark part or its light one is less, that is ink for sure.
DOUBTFUL = 0.2
LEVEL = 0.3  # degrees that are not worth turning a page for
SLOPING = 2.5  # degrees; digits are read as well when they lean by less
LEANING = 18.0
LINKS = 3  # neighbours whose slope tells that of a page


@dataclass(frozen=True, eq=False)
class Writing:
    """The ink of a page, in pieces.

    Args:
        strength: shape (H, W), float32: how far from paper, of 255; 0 where a rule was.
        labels: shape (H, W), int32: 0 paper, else the number of a piece of connected ink.
        boxes: shape (pieces + 1, 5): x, y, width, height and area of each, the first one paper's.
        typical: shape (pieces + 1,): how strong each piece's ink is.
        noise: of paper, one standard deviation of strength.
        matrix: shape (3, 3): takes (x, y, 1) on this page to where it is in the picture.
        dark: whether ink is darker than paper.
        doubtful: whether it may be lighter as well: shadows hide which is paper.
        ruled: whether there were rules, or black margins, which are taken away.
        panelled: whether in a part of the page it is the other way round.
        faint: shape (M, 4): x, y, width and height of ink that is left out, as the rest of the page
            is so much stronger.
    """

    strength: Levels
    labels: Labels
    boxes: Labels
    typical: NDArray[np.float64]
    noise: float
    matrix: Matrix
    dark: bool = True
    doubtful: bool = False
    ruled: bool = False
    panelled: bool = False
    faint: Labels = field(default_factory=lambda: np.zeros((0, 4), np.int32))


def find_writing(
    pixels: Pixels, *, dark: bool | None = None, panels: bool = True
) -> Writing | None:
    """The ink of a page; None where nothing stands out from paper.

    Args:
        pixels: shape (H, W, 3), uint8, RGB.
        dark: whether ink is darker than paper; None leaves it to the picture.
        panels: whether it may be the other way round in a part of the page.
    """
    pixels, matrix = enlarged(pixels)
    grey = principal_grey(pixels)
    light = light_share(grey) if dark is None else float(dark)
    if light <= 0.5:
        grey = 255 - grey
    even = without_panels(grey) if panels else None
    grey = grey if even is None else even
    strength, noise = above_paper(grey)
    contrast = contrast_of(strength, noise)
    if contrast < max(FAINTEST, GRAINS * noise):
        return None
    turn = tilt(strength > max(FAINT_LINE * contrast, GRAINS * noise))
    if turn is not None and abs(turn) > LEVEL:
        strength, matrix = turned(strength, turn, matrix)
    writing = in_pieces(strength, contrast, noise, matrix)
    if writing is not None and turn is None:  # no rules tell, but lines of writing may
        turn = slope(writing)
        if abs(turn) > SLOPING:
            strength, matrix = turned(strength, turn, matrix)
            writing = in_pieces(strength, contrast, noise, matrix)
    if writing is None:
        return None
    doubtful = DOUBTFUL < light < 1 - DOUBTFUL
    return replace(writing, dark=light > 0.5, doubtful=doubtful, panelled=even is not None)


def enlarged(pixels: Pixels) -> tuple[Pixels, Matrix]:
    """A small page with more room between its digits, and the matrix back."""
    import cv2

    scale = min(GROWN, SMALL / max(pixels.shape[:2]))
    if scale <= 1:
        return pixels, np.eye(3)
    size = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
    grown = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown, np.uint8), np.diag([1 / scale, 1 / scale, 1])


def above_paper(grey: Levels) -> tuple[Levels, float]:
    """How far each pixel stands out from paper, and how far paper does from itself."""
    mean_side = math.sqrt(grey.size)
    # On a small page a bold stroke would be left with its edges alone.
    for spread in SPREADS if max(grey.shape) > SMALL else SPREADS[1:]:
        strength, noise = from_paper(grey, spread, coarse=COARSE)
        strong = strength > 0.5 * contrast_of(strength, noise)
        # Strokes nearly as broad as what counts as paper may have lost their middles.
        if strong.any() and breadth(strong) < 0.35 * spread * mean_side:
            break
    return strength, noise


def contrast_of(strength: Levels, noise: float) -> float:
    """How far typical ink is from paper; 0 where there is none."""
    some = strength[::2, ::2] if strength.size > 1 << 20 else strength
    strongest = np.percentile(some, max(99.8, 100 - 2000 / some.size))
    strong = some[some > max(GRAINS * noise, 0.3 * float(strongest), 1)]
    return float(np.percentile(strong, 70)) if strong.size else 0.0


def in_pieces(strength: Levels, contrast: float, noise: float, matrix: Matrix) -> Writing | None:
    """The ink of a level page without its rules; None where nothing else was there.

    Args:
        strength: shape (H, W), float32: how far from paper, of 255.
        contrast: that of typical ink or rules.
        noise: one standard deviation of paper's.
        matrix: shape (3, 3): takes (x, y, 1) on the page to where it is in the picture.
    """
    import cv2

    lined = rules(strength > max(FAINT_LINE * contrast, GRAINS * noise))
    ruled = bool(lined.any())
    if ruled:
        lined &= ~darker_than_rules(strength, lined, noise)
        strength = np.where(lined, np.float32(0), strength)
        contrast = contrast_of(strength, noise)  # the rules may have set it
        if contrast < max(FAINTEST, GRAINS * noise):
            return None
    mask = strength > max(WEAK * contrast, GRAINS * noise)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    typical = typical_strengths(labels, strength, count)
    strong = typical > STRONG * contrast
    faint = boxes[1:, :4][~strong[1:]]
    # What is faint beside a piece of ink is its blur, or joins it to another one.
    mask &= strength > np.where(strong, OWN * typical, np.inf)[labels]
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    typical = typical_strengths(labels, strength, count)
    return Writing(
        np.maximum(strength, 0), labels, boxes, typical, noise, matrix, ruled=ruled, faint=faint
    )


def darker_than_rules(strength: Levels, lined: Mask, noise: float) -> Mask:
    """Where strokes lie on rules; nowhere where rules are about as dark as ink.

    Args:
        strength: shape (H, W), float32: how far from paper, of 255.
        lined: shape (H, W): the rules, with what of strokes went for a part of them.
        noise: one standard deviation of paper's strength.

    Returns:
        shape (H, W).
    """
    rule = float(np.percentile(strength[lined], DARKEST))
    ink = contrast_of(np.where(lined, np.float32(0), strength), noise)
    if rule > PALE * ink - GRAINS * noise:
        return np.zeros_like(lined)
    return np.asarray(strength > rule + STROKE * (ink - rule))


def typical_strengths(labels: Labels, strength: Levels, count: int) -> Matrix:
    """The mean strength of each piece, weighted by itself, so that soft edges count little."""
    inked = np.flatnonzero(labels)
    numbers, values = labels.ravel()[inked], strength.ravel()[inked].astype(np.float64)
    total, squares = (np.bincount(numbers, each, count) for each in (values, values**2))
    return np.asarray(squares / np.maximum(total, 1e-9))


def slope(writing: Writing) -> float:
    """By how many degrees lines of writing fall to the right; 0 where too few tell."""
    x, y, width, height, _ = writing.boxes[1:].T.astype(np.float64)
    usual = np.median(height[height > 0.5 * np.percentile(height, 90)]) if height.size else 0
    digits = (height > 0.6 * usual) & (height < 1.7 * usual) & (width < 1.7 * usual)
    x, y, width, height = (each[digits] for each in (x, y, width, height))
    middle_x, middle_y = x + width / 2, y + height / 2
    angles = []
    for index in range(len(x)):
        across, down = middle_x - middle_x[index], middle_y - middle_y[index]
        near = (across > 0.3 * usual) & (across < 2.5 * usual) & (np.abs(down) < 0.6 * across)
        if near.any():
            next_ = int(np.where(near, across + 2 * np.abs(down), np.inf).argmin())
            angles.append(math.degrees(math.atan2(down[next_], across[next_])))
    if len(angles) < LINKS:
        return 0.0
    found = float(np.median(angles))
    return found if abs(found) < LEANING else 0.0


def turned(strength: Levels, degrees: float, matrix: Matrix) -> tuple[Levels, Matrix]:
    """A page that is turned clockwise by so much made level, in a frame that holds all of it."""
    import cv2

    height, width = strength.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    size = math.ceil(width * cos + height * sin), math.ceil(width * sin + height * cos)
    turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    level = np.asarray(cv2.warpAffine(strength, turn, size), np.float32)
    back = np.vstack([cv2.invertAffineTransform(turn), [0, 0, 1]])
    return level, matrix @ back
