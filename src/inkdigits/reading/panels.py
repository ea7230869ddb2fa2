"""Panels: parts of a page where ink is lighter than paper while elsewhere it is darker.

A slate beside a sheet, a field printed in reverse, the dark half of a screen. A shadow is none: its
ink is darker than its paper, as everywhere. With its panels in the negative, a page is like others.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from inkdigits.reading.paper import breadth, coarsened

__all__ = ["without_panels"]

Levels = NDArray[np.float32]
Mask = NDArray[np.uint8]  # 0 or 1

COARSE = 240  # pixels of the longer side on which panels are looked for
WINDOW = 0.1  # of the mean side: what is narrower than half of that is ink and no paper
APART = 40.0  # levels of 255 between a panel's paper and the other one
CLEAR = 25.0  # levels of 255 between a panel's paper and its ink
SMALLEST = 0.03  # of the page
INKED = 0.4  # of the strongest ink in a panel: what differs less from paper is none
LEAST, LIGHTER = 0.004, 4  # light ink's share of a panel; and how many times as much it is as dark
CONVEX = 0.9  # of its convex hull a panel takes, if dents are all that it lacks
BORDER = 1  # pixels of the coarse picture on either side of a panel's edge, which are neither paper


def without_panels(grey: Levels) -> Levels | None:
    """The page with its panels in the negative, their paper like that around; None without any.

    Args:
        grey: shape (H, W), ink the lower values but in panels.
    """
    import cv2

    coarse = coarsened(grey, COARSE)
    pixels = np.clip(np.rint(coarse), 0, 255).astype(np.uint8)
    reach = max(1, round(WINDOW / 2 * math.sqrt(coarse.size)))
    paper = cv2.medianBlur(pixels, 2 * reach + 1)
    # The level between the two papers, if there are two (Otsu 1979).
    level, dark = cv2.threshold(paper, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    if dark.all():
        return None
    usual, lighter = float(np.median(paper[dark == 0])), coarse - paper
    size = grey.shape[::-1]
    turned, reduced, edges = grey, coarse, np.zeros(dark.shape, np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=4)
    for number in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= SMALLEST * dark.size):
        region = (labels == number).astype(np.uint8)
        own = float(np.median(paper[region > 0]))
        inside = inner(region, reach // 2)
        if not number or usual - own < APART or not has_light_ink(lighter, inside):
            continue
        pen = math.ceil(breadth((lighter > CLEAR) & (region > 0)) / 2)
        region = to_its_edge(region, (pixels <= level).astype(np.uint8), reach, pen)
        edges[(cv2.dilate(region, square(BORDER)) > 0) & (inner(region, BORDER) == 0)] = 1
        both = np.float32(usual + own)
        reduced = np.where(region > 0, both - coarse, reduced)
        whole = cv2.resize(region, size, interpolation=cv2.INTER_NEAREST) > 0
        turned = np.where(whole, both - grey, turned)
    return bridged(turned, reduced, edges, reach) if edges.any() else None


def bridged(grey: Levels, coarse: Levels, edges: Mask, reach: int) -> Levels:
    """A page on which the paper beside each panel's edge goes on over it.

    Args:
        grey: shape (H, W), its panels in the negative.
        coarse: the same, shape (h, w).
        edges: shape (h, w).
        reach: pixels of the coarse page that are wider than strokes and edges.
    """
    import cv2

    # A closing, for which an edge is ink.
    without = np.where(edges > 0, coarse.min(), coarse)
    filled = cv2.morphologyEx(without, cv2.MORPH_CLOSE, square(max(reach, 2 * BORDER)))
    size = grey.shape[::-1]
    between = cv2.resize(edges, size, interpolation=cv2.INTER_NEAREST) > 0
    return np.where(between, cv2.resize(filled, size, interpolation=cv2.INTER_LINEAR), grey)


def has_light_ink(lighter: Levels, region: Mask) -> bool:
    """Whether what differs from paper in a region is lighter than it.

    Args:
        lighter: shape (H, W): how much lighter than paper each pixel is.
        region: shape (H, W), without its edge.
    """
    off = lighter[region > 0]
    if not off.size:
        return False
    strongest = float(np.percentile(off, 99.5))
    light, dark = ((sign * off > INKED * strongest).mean() for sign in (1, -1))
    return strongest > CLEAR and bool(light > max(LEAST, LIGHTER * dark))


def to_its_edge(region: Mask, dark: Mask, reach: int, pen: int) -> Mask:
    """A region of dark paper up to its edge: the median rounds corners, and bends where ink is.

    Args:
        region: shape (H, W).
        dark: shape (H, W): what is as dark.
        reach: of the median, pixels.
        pen: half of how broad strokes are, pixels.
    """
    import cv2

    core = inner(region, reach // 2)
    near = np.where(cv2.dilate(region, square(reach)) > 0, core | dark, core)
    # Without the dark strokes around it, and then without the light ones within.
    near = cv2.morphologyEx(near, cv2.MORPH_OPEN, square(pen))
    spare = 4 * pen
    wide = cv2.copyMakeBorder(near, spare, spare, spare, spare, cv2.BORDER_REPLICATE)
    wide = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, square(2 * pen))
    whole = np.where(core > 0, core, wide[spare:-spare, spare:-spare]).astype(np.uint8)
    # Ink that reaches the edge leaves dents; but for those a panel is convex.
    outlines, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = np.zeros_like(whole)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.concatenate(outlines)), 1)
    return hull if whole.sum() > CONVEX * hull.sum() else whole


def inner(region: Mask, depth: int) -> Mask:
    """What is deeper in a region than that, counted from its edge; the picture's rim is none."""
    import cv2

    return np.asarray(cv2.erode(region, square(depth), borderValue=1), np.uint8)


def square(reach: int) -> Mask:
    """A pixel's surroundings, so far to each side."""
    return np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
