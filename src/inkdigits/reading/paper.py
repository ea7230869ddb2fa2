"""Paper and its light: how far does each pixel of a picture stand out from what is around it?

Paper is what a picture is mostly made of, whatever its colour and however it is lit. It varies
slowly; ink differs from it in narrow places.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["breadth", "from_paper", "ink_is_dark", "light_share", "principal_grey"]

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float32]
Mask = NDArray[np.bool_]

COARSE = 160  # the longer side on which light and colours are looked at


def coarsened(picture: Pixels | Levels, longest: int = COARSE) -> NDArray[np.float32]:
    """A picture with a longer side of at most `longest`, float32."""
    import cv2

    height, width = picture.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return picture.astype(np.float32)
    size = max(1, round(scale * width)), max(1, round(scale * height))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def without_slow_changes(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """What differs from the surroundings; a picture too small to have any keeps its levels."""
    import cv2

    if max(levels.shape[:2]) < COARSE:
        return levels
    return levels - cv2.GaussianBlur(levels, (0, 0), COARSE / 6)


def principal_grey(pixels: Pixels) -> Levels:
    """Grey values, shape (H, W), 0 to 255, in which ink and paper differ most.

    They are taken along the colours' first principal axis once slow changes of light are taken off:
    for grey ink that is the mean of the channels, for red ink on blue paper a difference of two.
    Brighter colours have the higher values, unless ink and paper are equally bright.
    """
    colours = without_slow_changes(coarsened(pixels)).reshape(-1, 3)
    # Among axes that tell nothing apart, as of an even picture, the mean of the channels.
    covariance = np.cov(colours.T, ddof=0) + 1e-3 * np.ones((3, 3))
    axis = np.linalg.eigh(covariance)[1][:, -1]
    axis *= np.sign(axis.sum()) or 1
    axis /= np.abs(axis).sum()
    lowest = 255 * np.minimum(axis, 0).sum()
    grey: Levels = pixels.astype(np.float32) @ axis.astype(np.float32) - np.float32(lowest)
    return grey


def ink_is_dark(grey: Levels) -> bool:
    """Whether paper has the higher values: what there is most of, above all at the rim."""
    return light_share(grey) > 0.5


def light_share(grey: Levels) -> float:
    """How much of a picture, and of its rim, has the higher values: 0 to 1.

    Near 1 for dark ink on light paper, near 0 for light ink on dark; the edge of a shadow leads to
    something between.

    Args:
        grey: shape (H, W).
    """
    levels = without_slow_changes(coarsened(grey))
    # The extremes, not percentiles: on a large sheet, ink may be one pixel in a thousand.
    light = levels > (levels.min() + levels.max()) / 2
    rim = np.ones_like(light)
    depth = max(1, min(light.shape) // 20)
    rim[depth:-depth, depth:-depth] = False
    return float(light[rim].mean() + light.mean()) / 2


def from_paper(grey: Levels, spread: float, *, coarse: int = COARSE) -> tuple[Levels, float]:
    """How much darker than paper each pixel is, and how much paper differs from itself.

    Paper is the grey values' closing (Serra 1982): what is dark and narrower than `spread` is
    filled with the light around it, so that the edge of a shadow remains an edge of paper.

    Args:
        grey: shape (H, W), ink the lower values.
        spread: of the picture's mean side √(H W); strokes are narrower than that.
        coarse: the longer side, in pixels, on which paper is looked at.

    Returns:
        shape (H, W), lighter pixels below 0; and the standard deviation of paper.
    """
    import cv2

    # Grains would lift the closing.
    smooth = cv2.GaussianBlur(grey, (0, 0), 1) if max(grey.shape) >= COARSE else grey
    reduced = coarsened(np.asarray(smooth, np.float32), coarse)
    size = max(3, round(spread * math.sqrt(reduced.size)))
    paper = cv2.morphologyEx(reduced, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    difference = cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR) - grey
    # A closing follows the brightest grains of paper. The brightest quarter of all pixels is paper
    # even where half of them are ink; a normal distribution has there 0.67 deviations from its
    # middle, and 0.97 from there to its brightest twentieth.
    brightest, bright = np.percentile(difference, [5, 25])
    noise = float(bright - brightest) / 0.97
    difference -= bright + 0.67 * noise
    return difference, noise


def breadth(mask: Mask) -> float:
    """About how broad strokes are, in pixels: twice their area over the length of their outline."""
    across = np.count_nonzero(mask[1:] != mask[:-1])
    down = np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    # An outline of steps is 4 / π times as long as the line itself.
    return 2 * np.count_nonzero(mask) / max(1.0, math.pi / 4 * (across + down))
