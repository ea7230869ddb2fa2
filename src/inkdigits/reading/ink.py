"""From pixels to ink: what was written on this paper, and which of it is the digit?

Each step answers one question about a picture of one digit, and can be told the answer (`Choices`):
so `explain` finds out what a reading hangs on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inkdigits.glyph import STROKE_WIDTHS, bounding_box, stroke_width
from inkdigits.reading.lines import margins, ruled_lines
from inkdigits.reading.paper import from_paper, ink_is_dark, principal_grey

__all__ = ["Choices", "Ink", "find_ink"]

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float32]
Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]

# Of the contrast: surely ink; ink where it is joined to such; and what a printed line may have.
STRONG, WEAK, FAINT_LINE = 0.4, 0.22, 0.12
GRAINS = 3  # standard deviations of paper that are no ink
# A digit's longer side, in pixels and of the picture's: a speck of dust or a grain is below.
SPECK, SPECK_SHARE = 4, 0.015
FAINTEST = 6  # of 255: with less contrast there is nothing to read
# Of the mean side: how broad a stroke may be. The narrower tells ink from shadows better; small
# pictures have no room for shadows, but often for bold strokes alone.
SPREADS = (0.3, 0.6)
SMALL = 40  # pixels


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What is decided on the way to the ink; None leaves it to the picture.

    Args:
        ink: whether ink is "dark" on light paper or "light" on dark.
        threshold: what counts as ink must be so many times as strong as it would by itself.
        lines: whether ruled lines, the edges of boxes and black margins are left out.
        crop: whether specks and parts of neighbours are left out.
        widths: narrower and wider strokes are brought to these, in pixels of the glyph; None leaves
            them as they are.
        centred: whether the digit's centre of mass is put in the middle.
        deskew: whether a digit that leans is made upright.
        rotation_degrees: how far the digit is turned, against the clock.
    """

    ink: Literal["dark", "light"] | None = None
    threshold: float = 1.0
    lines: bool = True
    crop: bool = True
    widths: tuple[float, float] | None = STROKE_WIDTHS
    centred: bool = True
    deskew: bool = False
    rotation_degrees: float = 0.0


@dataclass(frozen=True, eq=False)
class Ink:
    """The ink of the digit in a picture.

    Args:
        levels: shape (H, W), uint8: 0 paper to 255 ink, the digit alone.
        box: x, y, width, height of the digit.
        dark: whether the ink is darker than the paper.
        contrast: how far ink is from paper, of 255.
        noise: how far paper is from itself, of 255: one standard deviation.
        lines: how much of what stood out was ruled lines or margins, 0 to 1.
        left_out: how much of the ink was specks and neighbours, 0 to 1.
        beside: how tall the tallest of those is, of the digit's height.
    """

    levels: Pixels
    box: Box
    dark: bool
    contrast: float
    noise: float
    lines: float
    left_out: float
    beside: float


def find_ink(pixels: Pixels, choices: Choices | None = None) -> Ink | None:
    """The ink of the digit; None where nothing stands out from the paper.

    Args:
        pixels: shape (H, W, 3), uint8, RGB.
        choices: what is decided already.
    """
    choices = choices or Choices()
    grey = principal_grey(pixels)
    dark = ink_is_dark(grey) if choices.ink is None else choices.ink == "dark"
    if not dark:
        grey = 255 - grey
    ink = None
    for spread in SPREADS if max(grey.shape) > SMALL else SPREADS[1:]:
        ink = ink_on_paper(*from_paper(grey, spread), choices, dark=dark)
        # Strokes nearly as broad as what counts as paper may have lost their middles.
        if ink and stroke_width(ink.levels) < 0.4 * spread * math.sqrt(grey.size):
            break
    return ink


def ink_on_paper(difference: Levels, noise: float, choices: Choices, *, dark: bool) -> Ink | None:
    """The digit among all that stands out from paper; the first arguments from `from_paper`."""
    total = lined = 0.0
    contrast = contrast_of(difference, noise)
    for _ in range(3):
        if contrast < max(FAINTEST, GRAINS * noise):
            return None
        weak = difference > max(FAINT_LINE * contrast, GRAINS * noise)
        total = total or float(difference[weak].sum())
        if choices.lines:
            found = margins(weak) | ruled_lines(weak)
            lined += float(difference[found].sum())
            difference = np.where(found, 0, difference)
        mask = ink_mask(difference, contrast, noise, choices.threshold)
        if not mask.any():
            return None
        digit = digit_alone(mask, difference) if choices.crop else mask
        # A margin or a bold neighbour may have set what is strong: now the digit itself does.
        previous, contrast = contrast, contrast_of(np.where(digit, difference, 0), noise)
        if contrast > 0.8 * previous:
            break
    floor = 2 * noise
    full = max(contrast - 2 * noise, 0.85 * contrast)
    levels = (difference - floor) / max(full - floor, 1)
    levels = np.where(widened(digit), np.clip(levels, 0, 1), 0)
    ink = np.rint(255 * levels).astype(np.uint8)
    if not ink.any():
        return None
    box = bounding_box(ink)
    left_out = 1 - float(difference[digit].sum()) / float(difference[mask].sum())
    if max(box[2:]) < max(SPECK, SPECK_SHARE * max(ink.shape)):
        return None
    beside = tallest(mask & ~digit) / max(1, tallest(digit))
    return Ink(ink, box, dark, contrast, noise, lined / total, left_out, beside)


def contrast_of(difference: Levels, noise: float) -> float:
    """How far typical ink is from paper; 0 where there is none."""
    # Not the very strongest, which may be a speck; but on a large sheet ink is a few pixels in all.
    strongest = np.percentile(difference, max(99.8, 100 - 2000 / difference.size))
    floor = max(GRAINS * noise, 0.3 * float(strongest), 1)
    strong = difference[difference > floor]
    return float(np.percentile(strong, 70)) if strong.size else 0.0


def ink_mask(difference: Levels, contrast: float, noise: float, factor: float) -> Mask:
    """Where there is ink: what is strong, and what is weak but joined to it (Canny 1986)."""
    import cv2

    strong, weak = (
        difference > factor * max(share * contrast, GRAINS * noise) for share in (STRONG, WEAK)
    )
    count, labels = cv2.connectedComponents(weak.astype(np.uint8), connectivity=8)
    joined = np.zeros(count, bool)
    joined[labels[strong & weak]] = True
    mask: Mask = joined[labels]
    return mask


def tallest(mask: Mask) -> int:
    """Height in pixels of the tallest piece of connected ink; 0 where there is none."""
    import cv2

    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return int(stats[1:, cv2.CC_STAT_HEIGHT].max(initial=0))


def widened(mask: Mask) -> Mask:
    """The mask and the soft edges of its strokes."""
    import cv2

    reach = max(1, round(max(mask.shape) / 200))
    around = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    return cv2.dilate(mask.astype(np.uint8), around) > 0


def digit_alone(mask: Mask, difference: Levels) -> Mask:
    """The pieces of ink that make up the digit: the one that stands out, and what belongs to it.

    What stands out is large, strong and near the middle, and does not reach the rim. To it belongs
    what is near for its size and does not come in from outside.
    """
    import cv2

    height, width = mask.shape
    count, labels, stats, centres = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    left, top, breadth, tall, area = stats.T.astype(np.float64)
    right, bottom = left + breadth, top + tall
    size = np.maximum(breadth, tall)
    at_rim = (left == 0) | (top == 0) | (right == width) | (bottom == height)
    strength = np.bincount(labels.ravel(), (difference * mask).ravel(), count)
    from_middle = np.hypot(*((centres / (width, height) - 0.5).T))
    score = np.sqrt(strength) * size * (1 - 0.7 * from_middle) * np.where(at_rim, 0.5, 1)
    score[0] = 0  # the paper
    main = int(score.argmax())
    belongs = np.zeros(count, bool)
    belongs[main] = True
    candidates = area >= 0.01 * area[main]
    if not at_rim[main]:
        candidates &= ~at_rim
    candidates[0] = False
    while True:
        extent = max(
            right[belongs].max() - left[belongs].min(), bottom[belongs].max() - top[belongs].min()
        )
        across = np.maximum(left[belongs].min() - right, left - right[belongs].max())
        down = np.maximum(top[belongs].min() - bottom, top - bottom[belongs].max())
        inside = (across <= 0) & (down <= 0)
        near = (across < 0.12 * extent) & (down < 0.25 * extent) & (size > 0.15 * extent)
        more = candidates & ~belongs & (inside | near)
        if not more.any():
            alone: Mask = belongs[labels]
            return alone
        belongs |= more
