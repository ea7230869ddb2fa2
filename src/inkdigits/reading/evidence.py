"""What speaks for a candidate and against it: what the network says, and what geometry does.

All of it is added up with weights (a log-linear model); the probability of a path through a line's
candidates is then as in LeCun, Bottou, Bengio and Haffner 1998, section VI.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS
from inkdigits.reading.layout import Line, Piece

__all__ = [
    "FEATURES",
    "PLACES",
    "WEIGHTS",
    "Habits",
    "colon_of",
    "habits_of",
    "of_digit",
    "of_other",
    "of_sign",
    "sign_of",
    "told",
    "worth",
]

Edges = tuple[int, int, int, int]
Numbers = NDArray[np.float64]

FARTHEST = 0.35  # of the line's height, between two parts of a digit
BREADTH = 0.7  # of the line's height, of a digit
FAR_OFF = 3.0  # standard deviations: what is farther off is no less a digit
WIDE, TALL, SPECK = 1.25, 0.6, 0.15  # of the line's height: as `Habits` counts pieces
MOST_JOINS = 2  # no digit is as often broken

# What makes a candidate more or less probable. Fitted by benchmarks/fit_paths.py to generated pages
# whose digits are MNIST's validation part, but for what such pages know less of than hands do.
FEATURES = {
    "answer": 1.18,  # log probability of the digit
    "doubt": -0.26,  # log probability of being no digit
    "cuts": -5.5,  # at its left and right
    "cuts if touching": 6.63,  # the same, as far as digits of this page touch
    "cut ones": 0.14,  # the same of a 1, which is what is cut from anything
    "cut ink": -0.68,  # that they cross, in widths of a stroke
    "ink of ones": -1.48,  # the same of a 1
    "seams": -0.34,  # cheap cuts within it that are not made
    "joins": 0.6,  # of pieces that do not touch
    "joins if broken": 3.58,  # the same, as far as strokes of this page are broken
    "gaps": -0.5,  # between those, of the line's height
    "asides": -23.5,  # how much of that is to the side
    "signs": -0.12,  # joined to it from the side
    "size": -12,  # squared logarithm of its height against the line's
    "place": -5,  # squared distance of top and bottom from its neighbours', in line heights
    "breadth": -13,  # squared: beyond that of a digit, of the line's height
    "narrow": -0.4,  # squared: how much narrower than that digit mostly is, in deviations
    "none": 0.61,  # of something else: log probability of being no digit
    "other": -4.16,  # something else as large as a digit, for each digit's breadth
    "sprawl": -0.6,  # something else, for each digit's breadth beyond two
    "speck": -9,  # something else, by its size in line heights up to a digit's
    "sign": -0.29,
}
WEIGHTS = np.array(list(FEATURES.values()))
PLACES = {name: place for place, name in enumerate(FEATURES)}

# Logarithm of the breadth of MNIST's digits, of a line's height: mean and standard deviation, the
# latter made a tenth larger for hands of other places.
MEAN_BREADTH = np.array([-0.13, -0.93, -0.12, -0.24, -0.25, -0.14, -0.33, -0.27, -0.28, -0.40])
SPREAD = 1.1 * np.array([0.15, 0.45, 0.15, 0.20, 0.20, 0.18, 0.21, 0.20, 0.21, 0.20])


@dataclass(frozen=True)
class Habits:
    """How the hand of a page writes, 0 to 1: some hands join their digits, some pens skip.

    Args:
        touching: near 1 where many pieces are wider than one digit.
        broken: near 1 where many are lower, and no signs.
    """

    touching: float
    broken: float


def habits_of(lines: Sequence[Line]) -> Habits:
    """The habits of a page, from its lines before any piece is cut."""
    wide = small = 0
    for line in lines:
        for piece in line.pieces:
            height = piece.height / line.height
            wide += height > TALL and piece.width > WIDE * line.height
            small += SPECK < height < TALL and not sign_of(piece, line)
    return Habits(wide / (wide + 1), small / (small + 2))


def worth(features: Numbers, habits: Habits) -> float:
    """What geometry and the page's habits are worth together for a candidate, whatever it says."""
    cuts, joins = features[PLACES["cuts"]], min(features[PLACES["joins"]], MOST_JOINS)
    return float(
        features @ WEIGHTS
        + habits.touching * cuts * WEIGHTS[PLACES["cuts if touching"]]
        + habits.broken * joins * WEIGHTS[PLACES["joins if broken"]]
    )


def of_digit(
    group: Sequence[Piece], edges: Edges, after: float, signs: Sequence[str], line: Line
) -> Numbers | None:
    """What geometry says of a digit; None where its parts are too far from one another.

    Args:
        group: its pieces from left to right.
        edges: left, top, right and bottom of all.
        after: the price of the cut at its right; 0 where there is none.
        signs: what sign each piece may be; "" for none.
        line: where it stands.

    Returns:
        shape (len(FEATURES),).
    """
    features = np.zeros(len(FEATURES))
    left, top, right, bottom = edges
    stroke = max(2.0, line.stroke)
    for price in (group[0].price, after):
        if price:
            features[PLACES["cuts"]] += 1
            features[PLACES["cut ink"]] += price / stroke
    for (one, sign), (next_, next_sign) in pairwise(zip(group, signs, strict=True)):
        if one.number == next_.number:
            features[PLACES["seams"]] += max(0.0, 1 - next_.price / (2 * stroke))
            continue
        across, down = (
            max(next_.edges[side] - one.edges[side + 2], one.edges[side] - next_.edges[side + 2], 0)
            for side in (0, 1)
        )
        if across > FARTHEST * line.height:
            return None
        features[PLACES["joins"]] += 1
        features[PLACES["gaps"]] += math.hypot(across, down) / line.height
        features[PLACES["asides"]] += across / line.height
        features[PLACES["signs"]] += across > 0 and bool(sign or next_sign)
    features[PLACES["size"]] = math.log((bottom - top) / line.height) ** 2
    up, low = line.around((left + right) / 2)
    features[PLACES["place"]] = ((top - up) ** 2 + (bottom - low) ** 2) / line.height**2
    features[PLACES["breadth"]] = max(0.0, (right - left) / line.height - BREADTH) ** 2
    return features


def of_sign() -> Numbers:
    """What speaks for a sign where `sign_of` has found one: shape (len(FEATURES),)."""
    features = np.zeros(len(FEATURES))
    features[PLACES["sign"]] = 1
    return features


def of_other(edges: Edges, line: Line) -> Numbers:
    """Of something else, which counts by its size, a speck for little: shape (len(FEATURES),)."""
    features = np.zeros(len(FEATURES))
    left, top, right, bottom = edges
    size = max(right - left, bottom - top) / line.height
    if size < 0.45:
        features[PLACES["speck"]] = min(1.0, max(0.0, (size - 0.12) / 0.33))
        return features
    breadths = (right - left) / line.height / BREADTH
    features[PLACES["other"]] = max(1.0, breadths)
    features[PLACES["sprawl"]] = max(0.0, breadths - 2)
    return features


def told(
    features: Numbers,
    is_digit: NDArray[np.bool_],
    breadths: Numbers,
    log_digits: Numbers,
    log_none: Numbers,
    habits: Habits,
) -> Numbers:
    """All that speaks for candidates, with what the network says of those that may be digits.

    Args:
        features: shape (N, len(FEATURES)), of `of_digit` and the like.
        is_digit: shape (N,): M of them may be digits.
        breadths: shape (N,), of the line's height.
        log_digits: shape (M, 10), the log probability of each digit.
        log_none: shape (M,), of being none.
        habits: of the page.

    Returns:
        shape (N, 10, len(FEATURES)): of each candidate as each digit; of others ten times the same.
    """
    whole = np.repeat(features[:, np.newaxis], DIGITS, axis=1)
    whole[is_digit, :, PLACES["answer"]] = log_digits
    whole[is_digit, :, PLACES["doubt"]] = log_none[:, np.newaxis]
    cuts, joins = features[:, PLACES["cuts"]], features[:, PLACES["joins"]]
    whole[:, 1, PLACES["cut ones"]] = cuts
    whole[:, 1, PLACES["ink of ones"]] = features[:, PLACES["cut ink"]]
    whole[:, :, PLACES["cuts if touching"]] = habits.touching * cuts[:, np.newaxis]
    joins = np.minimum(joins, MOST_JOINS)[:, np.newaxis]
    whole[:, :, PLACES["joins if broken"]] = habits.broken * joins
    off = (np.log(breadths)[:, np.newaxis] - MEAN_BREADTH) / SPREAD
    off[~is_digit] = 0
    off[:, 1] = 0  # a 1 is as narrow as its stroke
    whole[:, :, PLACES["narrow"]] = np.clip(off, -FAR_OFF, 0) ** 2
    return whole


def sign_of(piece: Piece, line: Line) -> str:
    """A dot, a comma or a minus by its size and its place; "" for what is none."""
    left, top, right, bottom = piece.edges
    height, stroke = line.height, line.stroke / line.height
    up, low = line.around(piece.middle)
    wide, tall = (right - left) / height, (bottom - top) / height
    middle = ((top + bottom) / 2 - up) / max(1, low - up)
    if max(0.22, 1.6 * tall) < wide and tall < min(0.3, 2.2 * stroke) and 0.25 < middle < 0.75:
        return "-"
    if (top - up) / max(1, low - up) < 0.6 or max(wide, tall) < 0.7 * stroke:
        return ""
    round_ = max(wide, tall) < 0.32 and tall < 1.7 * max(wide, stroke)
    if round_ and (bottom - low) / height < 0.22:
        return "."
    return "," if tall < 0.65 and wide < 0.4 and bottom > low - 0.1 * height else ""


def colon_of(group: Sequence[Piece], line: Line) -> str:
    """A colon where two dots stand above one another between a line's top and bottom; else ""."""
    if len(group) != 2 or not all(piece.whole for piece in group):
        return ""
    upper, lower = sorted((piece.edges for piece in group), key=lambda edges: edges[1])
    sides = [side / line.height for left, top, right, bottom in (upper, lower)
             for side in (right - left, bottom - top)]  # fmt: skip
    up, low = line.around((upper[0] + upper[2]) / 2)
    apart = (lower[1] - upper[3]) / line.height
    aside = abs(upper[0] + upper[2] - lower[0] - lower[2]) / 2 / line.height
    within = up + 0.1 * line.height < upper[1] and lower[3] < low + 0.1 * line.height
    round_ = max(sides) < 0.32 and max(sides) < 2 * min(sides)
    return ":" if round_ and within and 0.1 < apart < 0.6 and aside < 0.2 else ""
