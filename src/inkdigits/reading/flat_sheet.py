"""Where a handwriting sheet lies in a picture → the sheet, straightened.

The corner marks say where it lies and which way up. Paper is seldom flat, so the edges of the boxes
say what its bending has moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from inkdigits.errors import PictureError
from inkdigits.sheet import BOX, BOXES, CELLS, COLUMNS, FIELD, MARK, MARKS, SheetBox

__all__ = ["FINEST", "flat_sheet"]

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float32]
Points = NDArray[np.float64]
Found = tuple[int, Points]

FINEST = 6  # pixels a millimetre of the straightened sheet
SIZES = (1200, 2400)  # pixels of the longer side on which marks are looked for, one after the other
MOST = 4  # candidates for a mark: the largest
FEWEST = 3  # marks that say where a sheet lies: a thumb may cover one
OFF = 2.5  # millimetres that a mark may be from where the others have it, on paper that is bent
LEAST = 1.2  # pixels a millimetre of the picture: with fewer, a box is a dozen pixels wide
LINE, STROKE = 1.2, 3.0  # millimetres: what is dark and narrower is a printed edge, or a stroke
DARK = 0.35  # of the paper's light: printed edges are paler
REACH = 1.1  # millimetres from where its neighbours say that a box is looked for: half of a gap
CLOSE = 0.35  # millimetres that a box may be from where the others have it
MOST_BOXES = 0.5  # that must be so close: of boxes found in mere grain, a tenth would be
HOW = "photograph all of it, large, flat and in even light, with all four corner marks in view"


def flat_sheet(pixels: Pixels, *, name: str) -> Pixels:
    """The field of the one sheet in a picture, FINEST pixels a millimetre.

    Args:
        pixels: shape (H, W, 3), uint8, of a sheet in any direction.
        name: how messages call the picture.

    Raises:
        PictureError: there is no sheet, or several, or not all of one, or it is too small.
    """
    grey = pixels.mean(axis=2, dtype=np.float32).astype(np.uint8)
    to_picture, marks = placed(grey, name)
    check_view(to_picture, grey.shape, name)
    rough = straightened(grey, to_picture, None)
    moved = bending(rough)
    if moved is None and marks < len(MARKS):  # four say enough, where edges are too pale to see
        raise PictureError(
            f"expected the boxes of a handwriting sheet in {name}, got {marks} of its corner "
            f"marks alone: take what lies on it away and {HOW}"
        )
    return straightened(pixels, to_picture, moved)


# Where it lies


def placed(grey: Pixels, name: str) -> tuple[Points, int]:
    """The homography from the field's millimetres to the picture's pixels, and by how many marks.

    Returns:
        shape (3, 3); 3 or 4.
    """
    found: list[Found] = []
    best: list[Found] = []
    for size in SIZES:
        seen = marks_in(grey, size)
        some = agreeing(seen)
        if (len(some), len(seen)) > (len(best), len(found)):
            best, found = some, seen
        if len(best) == len(MARKS) or size >= max(grey.shape):
            break
    if len(best) < FEWEST:
        kinds = len({mark for mark, _ in found})
        raise PictureError(
            f"expected a handwriting sheet in {name}, got "
            + (
                f"{kinds} of its four corner marks: {HOW}"
                if kinds
                else f"no corner mark of it: {HOW}"
            )
        )
    used = {id(corners) for _, corners in best}
    if len(agreeing([each for each in found if id(each[1]) not in used])) >= FEWEST:
        raise PictureError(
            f"expected one handwriting sheet in {name}, got several: photograph them one by one"
        )
    refined = [(mark, refined_corners(grey, corners)) for mark, corners in best]
    return homography(refined), len(refined)


def marks_in(grey: Pixels, longest: int) -> list[Found]:
    """All that looks like a mark, on a picture reduced to `longest`: which, and its corners.

    They are found as ArUco markers are (Garrido-Jurado et al. 2014), by a dictionary of our four.
    """
    import cv2

    codes = [np.array([[*map(int, row)] for row in mark.code], np.uint8) for mark in MARKS]
    coded = np.concatenate([cv2.aruco.Dictionary.getByteListFromBits(code) for code in codes])
    parameters = cv2.aruco.DetectorParameters()
    parameters.minMarkerPerimeterRate = 0.02
    parameters.errorCorrectionRate = 1.0
    detector = cv2.aruco.ArucoDetector(cv2.aruco.Dictionary(coded, CELLS - 2, 3), parameters)
    scale = min(1.0, longest / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    corners, marks, _ = detector.detectMarkers(small)
    if marks is None:
        return []
    places = [(np.asarray(each, np.float64).reshape(4, 2) + 0.5) / scale - 0.5 for each in corners]
    return list(zip(np.ravel(marks).astype(int).tolist(), places, strict=True))


def agreeing(found: Sequence[Found]) -> list[Found]:
    """The most marks, one of each kind, that lie as on one sheet; of several such, the best."""
    kinds = [
        [None, *sorted((each for each in found if each[0] == kind), key=size_of)[-MOST:]]
        for kind in range(len(MARKS))
    ]
    best: tuple[int, float, list[Found]] = (0, 0.0, [])
    for choice in product(*kinds):
        some = [each for each in choice if each is not None]
        if len(some) < max(FEWEST, best[0]):
            continue
        off = farthest_off(some)
        if off < OFF and (len(some), -off) > best[:2]:
            best = len(some), -off, some
    return best[2]


def size_of(found: Found) -> float:
    return float(np.ptp(found[1], axis=0).prod())


def farthest_off(some: Sequence[Found]) -> float:
    """How far a mark's corner is from where all of them have it: millimetres."""
    printed = np.concatenate([MARKS[mark].corners for mark, _ in some]).astype(np.float64)
    seen = np.concatenate([corners for _, corners in some])
    try:
        back = np.asarray(np.linalg.inv(homography(some)), np.float64)
    except np.linalg.LinAlgError:
        return np.inf
    return float(np.hypot(*(through(back, seen) - printed).T).max())


def homography(some: Sequence[Found]) -> Points:
    import cv2

    printed = np.concatenate([MARKS[mark].corners for mark, _ in some]).astype(np.float64)
    matrix = cv2.findHomography(printed, np.concatenate([corners for _, corners in some]))[0]
    return np.zeros((3, 3)) if matrix is None else np.asarray(matrix, np.float64)


def through(matrix: Points, points: Points) -> Points:
    """Points (..., 2) as a homography moves them."""
    moved = np.concatenate([points, np.ones_like(points[..., :1])], axis=-1) @ matrix.T
    return np.asarray(moved[..., :2] / moved[..., 2:])


def refined_corners(grey: Pixels, corners: Points) -> Points:
    """A mark's corners (4, 2) to parts of a pixel."""
    import cv2

    side = float(np.hypot(*(corners - np.roll(corners, 1, axis=0)).T).min())
    reach = max(1, round(0.35 * side / CELLS))
    start = corners.astype(np.float32).reshape(-1, 1, 2)
    until = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 30, 0.01)
    found = cv2.cornerSubPix(grey, start, (reach, reach), (-1, -1), until)
    return np.asarray(found, np.float64).reshape(4, 2)


def check_view(to_picture: Points, shape: tuple[int, ...], name: str) -> None:
    """Whether all boxes are in the picture, and large enough to read."""
    height, width = shape[:2]
    ends = BOXES[0], BOXES[COLUMNS - 1], BOXES[-1], BOXES[-COLUMNS]
    corners = np.array([(box.x, box.y) for box in ends])
    corners[1:3, 0] += BOX[0]
    corners[2:, 1] += BOX[1]
    places = through(to_picture, corners)
    if (places < 0).any() or (places > (width - 1, height - 1)).any():
        raise PictureError(
            f"expected all of a handwriting sheet in {name}, got boxes outside of it: {HOW}"
        )
    steps = np.stack([through(to_picture, corners + step) for step in ((1, 0), (0, 1))])
    scale = float(np.hypot(*(steps - places).reshape(-1, 2).T).min())
    if scale < LEAST:
        raise PictureError(
            f"expected boxes {LEAST * BOX[0]:.0f} pixels wide or more in {name}, got "
            f"{int(scale * BOX[0])}: go nearer with the camera, or less from aside"
        )


# What bending has moved


def straightened(pixels: Pixels, to_picture: Points, moved: Points | None) -> Pixels:
    """The field as it is printed.

    Args:
        pixels: shape (H, W) or (H, W, 3), uint8.
        to_picture: from `placed`.
        moved: from `bending`; None for a flat sheet.
    """
    import cv2

    # A place a millimetre, and one beyond each rim; between them they change evenly enough.
    field = np.stack(np.meshgrid(*(np.arange(-0.5, side + 1) for side in FIELD)), axis=-1)
    if moved is not None:
        field = field + powers(field) @ moved
    places = cv2.resize(through(to_picture, field).astype(np.float32), None, fx=FINEST, fy=FINEST)
    places = places[FINEST:-FINEST, FINEST:-FINEST]
    flat = cv2.remap(pixels, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(flat, np.uint8)


def powers(points: Points) -> Points:
    """Of the places of points (..., 2), all products up to the third degree: (..., 10)."""
    x, y = np.moveaxis(2 * points / FIELD - 1, -1, 0)
    return np.stack([x**i * y**j for i in range(4) for j in range(4 - i)], axis=-1)


def bending(flat: Pixels) -> Points | None:
    """How far boxes are from where they should be, as a smooth function of the place.

    They are looked for from the corners inwards, each where those beside it were found, so that
    none is taken for its neighbour.

    Args:
        flat: grey, from `straightened`.

    Returns:
        shape (10, 2), the coefficients of `powers`, for millimetres; None where no boxes are seen.
    """
    edges = edges_in(flat)
    offsets, weights = np.zeros((2, len(BOXES), 2))
    middles = np.array([(box.x + BOX[0] / 2, box.y + BOX[1] / 2) for box in BOXES])
    corners = np.array([(mark.x + MARK / 2, mark.y + MARK / 2) for mark in MARKS])
    distances = np.hypot(*np.moveaxis(middles[:, np.newaxis] - corners, -1, 0)).min(axis=1)
    done: list[int] = []
    for index in np.argsort(distances).tolist():
        beside = [other for other in done if are_neighbours(index, other)]
        expected = np.zeros(2)
        if beside:
            share = weights[beside] + 1e-9
            expected = (offsets[beside] * share).sum(axis=0) / share.sum(axis=0)
        offsets[index], weights[index] = box_offset(edges, BOXES[index], expected)
        done.append(index)
    terms = powers(middles)
    coefficients = fitted(terms, offsets, weights)
    off = np.hypot(*(offsets - terms @ coefficients).T)
    return coefficients if (off < CLOSE).mean() > MOST_BOXES else None


def are_neighbours(one: int, other: int) -> bool:
    (row, column), (other_row, other_column) = divmod(one, COLUMNS), divmod(other, COLUMNS)
    return max(abs(row - other_row), abs(column - other_column)) == 1


def edges_in(flat: Pixels) -> Levels:
    """How much darker a pixel is than the paper beside it, of its light; 0 where there is ink."""
    import cv2

    smooth = cv2.GaussianBlur(flat, (0, 0), 0.7).astype(np.float32)
    narrow, wide = (
        1 - smooth / np.maximum(cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, square(side)), 1)
        for side in (LINE, STROKE)
    )
    ink = cv2.dilate((wide > DARK).astype(np.uint8), square(LINE)) > 0
    return np.asarray(np.where(ink, 0, np.clip(narrow, 0, DARK)), np.float32)


def square(side: float) -> Pixels:
    return np.ones((round(side * FINEST) | 1,) * 2, np.uint8)


def box_offset(edges: Levels, box: SheetBox, expected: Points) -> tuple[Points, Points]:
    """How far a box is from its place, x and y in millimetres, and how far its edges stand out."""
    offsets, strengths = np.zeros(2), np.zeros(2)
    reach = round(REACH * FINEST)
    starts = np.array([box.x, box.y]) + expected
    ends = starts + BOX
    first, last = np.rint(starts * FINEST - 0.5), np.rint(ends * FINEST - 0.5)
    inset = 2 * FINEST  # its corners may be round where it is blurred
    for axis in range(2):
        other = 1 - axis
        lines = edges if axis == 0 else edges.T
        along = slice(int(first[other]) + inset, int(last[other]) - inset + 1)
        profile = np.zeros(2 * reach + 1)
        for side in (first, last):
            middle = int(side[axis])
            if middle < reach or middle + reach >= lines.shape[1]:
                return expected, strengths
            profile += lines[along, middle - reach : middle + reach + 1].mean(axis=0) / 2
        peak = int(profile.argmax())
        strengths[axis] = max(0.0, float(profile[peak] - np.median(profile)))
        step = vertex(profile, peak) - reach
        rounded = (first[axis] + last[axis] + 1) / 2 / FINEST - (starts[axis] + ends[axis]) / 2
        offsets[axis] = expected[axis] + rounded + step / FINEST
    return offsets, strengths


def vertex(profile: Points, peak: int) -> float:
    """Where the parabola through a peak and its neighbours is highest."""
    if not 0 < peak < len(profile) - 1:
        return float(peak)
    before, top, after = profile[peak - 1 : peak + 2]
    bend = before - 2 * top + after
    return peak + (0.5 * float((before - after) / bend) if bend else 0.0)


def fitted(terms: Points, offsets: Points, weights: Points) -> Points:
    """The least squares' coefficients (10, 2), boxes that are far off counting less and less."""
    coefficients = np.zeros((terms.shape[1], 2))
    for axis in range(2):
        weight = weights[:, axis].copy()
        for _ in range(4):
            root = np.sqrt(weight)
            coefficients[:, axis] = np.linalg.lstsq(
                terms * root[:, np.newaxis], offsets[:, axis] * root, rcond=None
            )[0]
            off = np.abs(offsets[:, axis] - terms @ coefficients[:, axis])
            weight = weights[:, axis] / (1 + (off / 0.2) ** 2)
    return coefficients
