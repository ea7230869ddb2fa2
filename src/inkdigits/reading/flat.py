"""A photographed sheet of paper made flat, so that nothing but paper and ink is left to read.

Beyond a sheet's edges lies a table, and a reader of ink would take table and edges for writing. A
sheet is looked for as an even region with four straight sides across which the colour changes all
along. Where that is not plain to see there is none: a picture left alone is still read, while a
wrong cut loses numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Flat", "flattened"]

Pixels = NDArray[np.uint8]
Mask = NDArray[np.uint8]
Points = NDArray[np.float64]
Outline = NDArray[np.int32]  # shape (N, 1, 2)

COARSE = 400  # pixels of the longer side on which a sheet is looked for
SMALLEST = 64  # pixels of the shorter side there: in a smaller picture no table can be seen
PEN = 0.035  # of the mean side √(H W): strokes and rules are narrower
STEEP = (2.0, 3.5)  # levels a pixel: an edge is steeper than that
AREA = (0.2, 0.97)  # of the picture that a sheet takes
ANGLES = (55, 125)  # degrees between neighbouring sides
MOST_EDGES = 7  # of an outline: four sides, and what a rim or a thumb cuts off
FULL = 0.88  # of the four sides' area that is of the sheet's colour; a thumb may cover a part
BEYOND = 0.2  # of the longer side: how far outside of the picture a corner may be
SAMPLES = 64  # places along a side at which it is looked at
DEPTH = 0.035  # of the longer side: how far on either side of an edge is looked at
TABLE = 0.012  # of the longer side: less than that is a printed line, not a table
FAINTEST = 14.0  # levels of 255 between sheet and table
CLEAR = 0.75  # of a side that must show its edge
SHARP = 0.55  # of the change of colour that must be at the edge: light changes slowly
STRAIGHT = 0.012  # of a side's length that its edge may be off its line
FOCAL = 1.0  # of the longer side: the focal length taken for a camera's that is not known
REACH = 0.015  # of the longer side: how far off an outline may be
UPRIGHT = 0.008  # of a side's length: a side that leans less is upright or level
WRITTEN = 50  # levels of 255 darker than what is around: ink, and no grain
EDGE = 1.5  # pixels beside an edge that are neither sheet nor table


@dataclass(frozen=True, eq=False)
class Flat:
    """A sheet as if it had been scanned.

    Args:
        pixels: shape (H, W, 3), uint8, RGB: the sheet alone, a rectangle.
        matrix: shape (3, 3), float64: the homography from a pixel (x, y, 1) of `pixels` to a
            pixel of the picture in which the sheet was found.
    """

    pixels: Pixels
    matrix: NDArray[np.float64]


def flattened(pixels: Pixels) -> Flat | None:
    """The sheet of paper that a picture shows with its edges; None where no such is plain to see.

    The sheet is straightened, in about the picture's own resolution, its upper side being the one
    that is uppermost in the picture. Up to one side may be the picture's rim, and corners may lie a
    little outside of it.

    Args:
        pixels: shape (H, W, 3), uint8, RGB.
    """
    import cv2

    height, width = pixels.shape[:2]
    scale = min(1.0, COARSE / max(height, width))
    if scale * min(height, width) < SMALLEST:
        return None
    size = round(scale * width), round(scale * height)
    coarse = pixels
    while min(coarse.shape[:2]) >= 2 * min(size):  # halving is much quicker than other factors
        half = coarse.shape[1] // 2, coarse.shape[0] // 2
        coarse = np.asarray(cv2.resize(coarse, half, interpolation=cv2.INTER_AREA), np.uint8)
    coarse = np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_AREA), np.uint8)
    for dark in (False, True):
        even = without_ink(255 - coarse if dark else coarse)
        for parts in chain(lighter_parts(even), even_parts(even)):
            sheets = [lines for each in parts if (lines := sheet_about(each, even)) is not None]
            if are_several(sheets):
                return None
            if not sheets or (may_be_printed(sheets[0], dark) and ink_beside(coarse, sheets[0])):
                continue
            factors = width / size[0], height / size[1]
            lines = (sheets[0] + 0.5) * factors - 0.5
            seen = ~at_rim(sheets[0], even.shape)
            fine = placed(pixels, lines, seen, 2 / scale, inset=True)
            if fine is not None:
                return straightened(pixels, corners_of(fine))
    return None


def sheet_about(outline: Outline, even: Pixels) -> Points | None:
    """The sides of the sheet with an outline, as `sides` has them; None where it is no sheet's."""
    lines = sides(outline, even.shape)
    if lines is None:
        return None
    seen = ~at_rim(lines, even.shape)
    lines = placed(even, lines, seen, REACH * max(even.shape))
    return lines if lines is not None and is_sheet(even, lines, seen) else None


def are_several(sheets: list[Points]) -> bool:
    """Whether one lies beside another, so that neither is all there is to read."""
    import cv2

    middles = [corners_of(each).mean(axis=0).tolist() for each in sheets]
    quads = [corners_of(each).astype(np.float32) for each in sheets]
    return any(cv2.pointPolygonTest(quads[0], middle, False) < 0 for middle in middles[1:])


def may_be_printed(lines: Points, dark: bool) -> bool:
    """Whether a form's field looks so: dark, or upright as no sheet is in a photo."""
    along = np.abs(lines[:, 1] - lines[:, 0])
    return dark or bool((along.min(axis=1) < UPRIGHT * along.max(axis=1)).all())


def ink_beside(coarse: Pixels, lines: Points) -> bool:
    """Whether something is written around, which would be lost."""
    import cv2

    quad = corners_of(lines)
    around = np.ones(coarse.shape[:2], np.uint8)
    middle = quad.mean(axis=0)
    larger = middle + (quad - middle) * 1.05
    cv2.fillConvexPoly(around, np.rint(larger).astype(np.int32), 0)
    marks = cv2.subtract(without_ink(coarse), coarse)[around > 0]
    return bool(len(marks)) and bool((marks.max(axis=1) > WRITTEN).mean() > 0.004)


# Regions


def without_ink(coarse: Pixels) -> Pixels:
    """A picture whose dark strokes are filled with the colour around them."""
    import cv2

    size = max(3, round(PEN * float(np.sqrt(coarse.shape[0] * coarse.shape[1])))) | 1
    # A strip of table at the rim, narrower than strokes, goes on beyond it.
    padded = cv2.copyMakeBorder(coarse, size, size, size, size, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    return np.asarray(cv2.medianBlur(closed, 3)[size:-size, size:-size], np.uint8)


def lighter_parts(even: Pixels) -> Iterator[list[Outline]]:
    """The outlines of what is lighter than the rest, by two measures."""
    import cv2

    red, green, blue = cv2.split(even)
    yield outlines(otsu(np.asarray(cv2.min(cv2.min(red, green), blue), np.uint8)))
    yield outlines(otsu(principal(even)))


def even_parts(even: Pixels) -> Iterator[list[Outline]]:
    """The outlines of what lies between steep edges, where light changes slowly."""
    import cv2

    smooth = cv2.GaussianBlur(even, (0, 0), 0.8)
    slopes = [cv2.Sobel(smooth, cv2.CV_16S, *way) for way in ((1, 0), (0, 1))]
    # Twice the levels a pixel, as bytes: Sobel's weights are 8 together.
    red, green, blue = cv2.split(
        cv2.max(*(cv2.convertScaleAbs(each, alpha=0.25) for each in slopes))
    )
    steep = np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)
    for limit in STEEP:
        yield outlines((steep < 2 * limit).astype(np.uint8))


def otsu(levels: Pixels) -> Mask:
    """The lighter pixels; none where they are not so much lighter that they can be a sheet."""
    import cv2

    mask = cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    lighter = cv2.mean(levels, mask)[0] - cv2.mean(levels, 1 - mask)[0]
    return np.asarray(mask if lighter > FAINTEST else 0 * mask, np.uint8)


def principal(even: Pixels) -> Pixels:
    """Along the axis in which colours differ most, brighter ones higher."""
    colours = even.reshape(-1, 3).astype(np.float32)
    axis = np.linalg.eigh(np.cov(colours[::7].T) + 1e-3)[1][:, -1]
    levels = colours @ (axis * (np.sign(axis.sum()) or 1)).astype(np.float32)
    low, high = float(levels.min()), float(levels.max())
    levels = (levels - low) * (255 / max(high - low, 1))
    return np.asarray(levels.reshape(even.shape[:2]).astype(np.uint8))


def outlines(mask: Mask) -> list[Outline]:
    """Of what is as large as a sheet, parted from what hangs on it by a narrow neck."""
    import cv2

    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    # Beyond the rim, a sheet goes on.
    padded = cv2.copyMakeBorder(mask, 5, 5, 5, 5, cv2.BORDER_REPLICATE)
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc)[5:-5, 5:-5]
    found = cv2.findContours(opened, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
    low, high = AREA[0] * mask.size, AREA[1] * mask.size
    return [np.asarray(each, np.int32) for each in found if low < cv2.contourArea(each) < high]


# Sides


def sides(outline: Outline, shape: tuple[int, ...]) -> Points | None:
    """The ends of the four sides of an outline, shape (4, 2, 2), clockwise; None for other shapes.

    Of all fours of its convex hull's sides, those about the smallest area: what a rim or a thumb
    cuts off a corner is not among them.
    """
    import cv2

    hull = cv2.convexHull(outline)
    area = cv2.contourArea(hull)
    if cv2.contourArea(outline) < FULL * area:
        return None
    polygon = cv2.approxPolyDP(hull, 0.004 * cv2.arcLength(hull, closed=True), closed=True)
    points = polygon.reshape(-1, 2).astype(np.float64)
    edges = np.stack([points, np.roll(points, -1, axis=0)], axis=1)
    lengths = np.hypot(*(edges[:, 1] - edges[:, 0]).T)
    edges = edges[np.sort(np.argsort(-lengths)[:MOST_EDGES])]
    if len(edges) < 4:
        return None
    rims = at_rim(edges, shape)
    fours = [
        list(four) for four in combinations(range(len(edges)), 4) if rims[list(four)].sum() < 2
    ]
    best: tuple[float, Points] | None = None
    for corners in corners_of(edges[fours]) if fours else ():
        around = cv2.contourArea(corners.astype(np.float32))
        # Not smaller, that is where lines meet on the wrong side.
        smaller = around > 0.95 * area and (best is None or around < best[0])
        if smaller and is_plausible(corners, shape):
            best = around, corners
    if best is None or area < FULL * best[0]:
        return None
    corners = best[1] if signed_area(best[1]) > 0 else best[1][::-1]
    return np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)


def signed_area(corners: Points) -> float:
    x, y = corners.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def corners_of(lines: Points) -> Points:
    """Where each of four lines, given by two points, meets the one before: (..., 4, 2)."""
    ends = np.concatenate([lines, np.ones_like(lines[..., :1])], axis=-1)
    equations = np.cross(ends[..., 0, :], ends[..., 1, :])
    meeting = np.cross(np.roll(equations, 1, axis=-2), equations)
    depth = np.where(np.abs(meeting[..., 2:]) < 1e-9, np.nan, meeting[..., 2:])
    return np.asarray(meeting[..., :2] / depth)


def is_plausible(corners: Points, shape: tuple[int, ...]) -> bool:
    """Whether a sheet of paper can have these corners."""
    if not np.isfinite(corners).all():
        return False
    size = np.array(shape[1::-1])
    off = np.maximum(-corners, corners - size).max(axis=0)
    ahead = np.roll(corners, -1, axis=0) - corners
    behind = np.roll(corners, 1, axis=0) - corners
    lengths = np.hypot(*ahead.T)
    if off.max() > BEYOND * max(shape) or lengths.min() < 0.1 * max(shape):
        return False
    turns = ahead[:, 0] * behind[:, 1] - ahead[:, 1] * behind[:, 0]
    angles = np.degrees(np.arctan2(np.abs(turns), (ahead * behind).sum(axis=1)))
    same_way = bool((turns > 0).all() or (turns < 0).all())
    return same_way and bool(((angles > ANGLES[0]) & (angles < ANGLES[1])).all())


def at_rim(lines: Points, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which lines run along the picture's rim, shape (N,)."""
    last = np.array(shape[1::-1]) - 1
    near = np.stack([lines <= 2, lines >= last - 2])  # (2, N, ends, axes)
    both_ends = near[:, :, 0] & near[:, :, 1]  # (2, N, axes)
    return np.asarray((both_ends[0] | both_ends[1]) @ np.ones(2, bool))


# Edges


def profiles(pixels: Pixels, line: Points, offsets: Points) -> tuple[Points, Points, Points]:
    """The colours across a line, as many pixels inside the sheet as `offsets` say.

    Returns:
        the colours, shape (places, offsets, 3), beyond the rim those at it; the places on the line
        that are in the picture, shape (places, 2); and the normal, pointing into the sheet.
    """
    import cv2

    along = line[1] - line[0]
    normal = np.array([-along[1], along[0]]) / np.hypot(*along)
    middles = line[0] + np.linspace(0.03, 0.97, SAMPLES)[:, np.newaxis] * along
    middles = middles[in_picture(middles, pixels)]
    places = middles[:, np.newaxis] + offsets[:, np.newaxis] * normal
    x, y = np.moveaxis(places.astype(np.float32), -1, 0)
    if not len(middles):
        return np.zeros((0, len(offsets), 3)), middles, normal
    colours = cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return colours.astype(np.float64), middles, normal


def in_picture(points: Points, pixels: Pixels) -> NDArray[np.bool_]:
    """Which of the points (..., 2) lie in it."""
    last = np.array(pixels.shape[1::-1]) - 0.5
    return np.asarray(((points > -0.5) & (points < last)).all(axis=-1))


def placed(
    pixels: Pixels, lines: Points, seen: NDArray[np.bool_], reach: float, *, inset: bool = False
) -> Points | None:
    """Lines moved to where the colour changes most beside them; None where that is not straight.

    Args:
        pixels: the picture.
        lines: shape (4, 2, 2), two points of each.
        seen: shape (4,): the others, at the rim, stay as they are.
        reach: pixels that an edge may be away from its line.
        inset: whether to move lines inwards to where all is sheet.
    """
    import cv2

    offsets = np.arange(-np.ceil(reach) - 2, np.ceil(reach) + 3)
    moved = lines.copy()
    for number in np.flatnonzero(seen).tolist():
        colours, middles, normal = profiles(pixels, lines[number], offsets)
        if len(middles) < SAMPLES / 2:
            return None
        change = colours[:, -3:].mean(axis=(0, 1)) - colours[:, :3].mean(axis=(0, 1))
        levels = colours @ change
        steps = levels[:, 2:] - levels[:, :-2]
        steps[:, 1:-1] += steps[:, :-2] / 2 + steps[:, 2:] / 2  # an edge is not one pixel broad
        away = offsets[1:-1][steps.argmax(axis=1)]
        points = (middles + away[:, np.newaxis] * normal).astype(np.float32)
        slope_x, slope_y, x, y = np.ravel(cv2.fitLine(points, cv2.DIST_WELSCH, 0, 0.01, 0.01))
        along = np.array([slope_x, slope_y], np.float64)
        along *= np.sign(along @ (lines[number, 1] - lines[number, 0])) or 1
        inwards = np.array([-along[1], along[0]])
        off = (points - (x, y)) @ inwards
        length = float(np.hypot(*(lines[number, 1] - lines[number, 0])))
        near = np.abs(off) < max(1.5, STRAIGHT * length)
        if near.mean() < CLEAR:
            return None
        start = np.array([x, y], np.float64)
        if inset:
            start += inwards * (max(0.0, float(np.percentile(off[near], 90))) + EDGE)
        reaches = (lines[number] - start) @ along
        moved[number] = start + reaches[:, np.newaxis] * along
    return moved if is_plausible(corners_of(moved), pixels.shape) else None


def is_sheet(even: Pixels, lines: Points, seen: NDArray[np.bool_]) -> bool:
    """Whether all along each side seen the sheet is lighter than what lies beyond it."""
    longest = max(even.shape)
    corners = corners_of(lines)
    ends = np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)
    depth = max(5, round(DEPTH * longest))
    table = max(2, round(TABLE * longest))
    offsets = np.concatenate([np.arange(-depth, -1), np.arange(2, depth + 1)]).astype(np.float64)
    for line in ends[seen]:
        levels, middles, normal = profiles(even, line, offsets)
        if len(middles) < SAMPLES / 2:
            return False
        inside, outside = levels[:, offsets > 0], levels[:, offsets < 0][:, ::-1]
        # Not only a line: what is beyond it goes on.
        enough = in_picture(middles - table * normal, even)
        near = inside[:, :3].mean(axis=1) - outside[:, :3].mean(axis=1)
        far = np.median(inside, axis=1) - np.median(outside, axis=1)
        lighter = near.mean(axis=1), far.mean(axis=1)
        clear = enough & (far.max(axis=1) > FAINTEST) & (lighter[1] > FAINTEST / 2)
        clear &= lighter[0] > SHARP * lighter[1]
        if clear.mean() < CLEAR:
            return False
    return True


# Straightening


def straightened(pixels: Pixels, corners: Points) -> Flat:
    """The quadrilateral between four corners, clockwise, made a rectangle."""
    import cv2

    corners = np.roll(corners, -upper_left(corners), axis=0)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    unit = np.asarray(cv2.getPerspectiveTransform(square, corners.astype(np.float32)), np.float64)
    proportion = proportion_of(unit, pixels.shape)
    area = abs(signed_area(corners))
    width, height = (max(1, round(float(np.sqrt(area * p)))) for p in (proportion, 1 / proportion))
    # Pixels' middles: the first is half a pixel from the edge.
    to_unit = np.array([[1 / width, 0, 0.5 / width], [0, 1 / height, 0.5 / height], [0, 0, 1]])
    matrix = np.asarray(unit @ to_unit, np.float64)
    flat = cv2.warpPerspective(
        pixels,
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Flat(np.asarray(flat, np.uint8), matrix)


def upper_left(corners: Points) -> int:
    """From which corner on a sheet is turned the least."""
    ahead = np.roll(corners, -1, axis=0) - corners
    across = ahead - np.roll(ahead, -2, axis=0)  # of the two sides that go the same way
    across /= np.hypot(*across.T)[:, np.newaxis]
    down = np.roll(across, -1, axis=0)
    return int((across[:, 0] + down[:, 1]).argmax())


def proportion_of(unit: Points, shape: tuple[int, ...]) -> float:
    """Width over height of the rectangle that a homography shows, from the unit square.

    In a camera with focal length f and its axis through the picture's middle, the first two columns
    of K⁻¹H are as long as the sides (Zhang and He 2007, equation 20, where f is estimated; from
    sheets seen nearly from above it cannot be).
    """
    height, width = shape[:2]
    focal = FOCAL * max(height, width)
    camera = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    across, down = np.linalg.norm(np.linalg.solve(camera, unit)[:, :2], axis=0)
    return float(np.clip(across / down, 0.05, 20))
