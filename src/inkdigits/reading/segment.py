"""From ink to digits: cut too often, then let the network choose among all ways to join again.

Heuristic over-segmentation (LeCun, Bottou, Bengio and Haffner 1998, section VI): each run of
neighbouring pieces is a candidate. It is a digit, a sign, or something else; `evidence` has what
speaks for each, `paths` the best way through them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkdigits.glyph import glyph_of
from inkdigits.model import Model
from inkdigits.reading.cuts import parts
from inkdigits.reading.evidence import (
    PLACES,
    Habits,
    colon_of,
    habits_of,
    of_digit,
    of_other,
    of_sign,
    sign_of,
    told,
    worth,
)
from inkdigits.reading.layout import Line, Piece, lines_of, pieces_of
from inkdigits.reading.page import Writing

__all__ = ["DIGIT", "OTHER", "SIGN", "Candidate", "Lattice", "lattices"]

Edges = tuple[int, int, int, int]
Numbers = NDArray[np.float64]

TOGETHER = 12  # pieces at most that make one digit
WIDEST = 1.4  # of the line's height, of a digit
HOPELESS = -12.0  # no answer of the network makes good what geometry says against a digit
FAINT_SIGN = 0.65  # of the line's usual strength: what is paler is no sign but dirt
LEAST = 1e-6  # no answer of the network is less probable

DIGIT, SIGN, OTHER = "digit", "sign", "other"


@dataclass(eq=False)
class Candidate:
    """A run of pieces that may be a digit, a sign, or something else.

    Args:
        first: place of its first piece in the line.
        last: the place behind its last one.
        edges: left, top, right and bottom in pixels of the page.
        role: "digit", "sign" or "other".
        features: shape (len(FEATURES),), what geometry says for and against it.
        glyph: shape (28, 28), uint8, of a digit.
        sign: which one.
    """

    first: int
    last: int
    edges: Edges
    role: str
    features: Numbers
    glyph: NDArray[np.uint8] | None = None
    sign: str = ""

    @property
    def width(self) -> int:
        return self.edges[2] - self.edges[0]

    @property
    def height(self) -> int:
        return self.edges[3] - self.edges[1]


@dataclass(eq=False)
class Lattice:
    """All candidates of a line, and what speaks for each of them.

    Args:
        line: its pieces are those that were cut.
        candidates: in any order.
        features: shape (candidates, 10, len(FEATURES)), as of `evidence.told`.
    """

    line: Line
    candidates: list[Candidate]
    features: Numbers

    def scores(self, weights: Numbers) -> Numbers:
        """Shape (candidates, 10): of each as each digit; the same ten times for what is none."""
        return np.asarray(self.features @ weights)


def lattices(writing: Writing, model: Model) -> list[Lattice]:
    """The candidates of each line of a page."""
    lines = lines_of(pieces_of(writing), len(writing.labels))
    habits = habits_of(lines)
    found = []
    for line in lines:
        cut = [part for piece in line.pieces for part in parts(piece, writing, line)]
        cut.sort(key=lambda piece: piece.middle)
        line = Line(cut, line.tall, line.height, line.stroke)
        found.append((line, candidates_of(line, writing, habits)))
    glyphs = [each.glyph for _, all_ in found for each in all_ if each.glyph is not None]
    if not glyphs:
        return []
    answers = model.answer(np.stack(glyphs))
    none = answers.not_a_digit if answers.not_a_digit is not None else np.zeros(len(glyphs))
    log_none = np.log(np.maximum(none, LEAST))
    log_digits = np.log(np.maximum(answers.probabilities * (1 - none[:, None]), LEAST))
    whole, place = [], 0
    for line, candidates in found:
        count = sum(each.role == DIGIT for each in candidates)
        own = slice(place, place + count)
        whole.append(lattice_of(line, candidates, log_digits[own], log_none[own], habits))
        place += count
    return whole


def lattice_of(
    line: Line,
    candidates: list[Candidate],
    log_digits: Numbers,
    log_none: Numbers,
    habits: Habits,
) -> Lattice:
    """The candidates of a line with the network's answers to those that may be digits."""
    is_digit = np.array([each.role == DIGIT for each in candidates])
    digits = (each for each in candidates if each.role == DIGIT)
    doubts = {(each.first, each.last): log_none[place] for place, each in enumerate(digits)}
    for each in candidates:
        if each.role == OTHER:
            each.features[PLACES["none"]] = doubts.get((each.first, each.last), 0.0)
    features = np.stack([each.features for each in candidates])
    breadths = np.array([each.width for each in candidates]) / line.height
    whole = told(features, is_digit, breadths, log_digits, log_none, habits)
    return Lattice(line, candidates, whole)


def candidates_of(line: Line, writing: Writing, habits: Habits) -> list[Candidate]:
    """Every run of pieces that may be something."""
    found = []
    for first, last in entire(line.pieces):
        edges = around(line.pieces[first:last])
        found.append(Candidate(first, last, edges, OTHER, of_other(edges, line)))
    usual = float(np.median(writing.typical[[piece.number for piece in line.pieces]]))
    signs = [sign_of(piece, line) if piece.whole else "" for piece in line.pieces]
    for first in range(len(line.pieces)):
        for last in range(first + 1, min(len(line.pieces), first + TOGETHER) + 1):
            group = line.pieces[first:last]
            edges = around(group)
            after = line.pieces[last].price if last < len(line.pieces) else 0.0
            alone = last == first + 1
            if edges[2] - edges[0] > WIDEST * line.height and not alone:
                continue
            sign = signs[first] if alone else colon_of(group, line)
            if sign and writing.typical[group[0].number] > FAINT_SIGN * usual:
                found.append(Candidate(first, last, edges, SIGN, of_sign(), sign=sign))
            features = of_digit(group, edges, after, signs[first:last], line)
            if features is not None and worth(features, habits) > HOPELESS:
                glyph = glyph_of(ink_of(group, edges, writing))
                found.append(Candidate(first, last, edges, DIGIT, features, glyph))
    return found


def entire(pieces: Sequence[Piece]) -> list[tuple[int, int]]:
    """The shortest runs in which nothing is cut off: so there is always a path from end to end."""
    spans: dict[int, tuple[int, int]] = {}
    for place, piece in enumerate(pieces):
        first, _ = spans.get(piece.number, (place, place))
        spans[piece.number] = first, place + 1
    found = set()
    for first, last in spans.values():
        while True:
            within = [spans[piece.number] for piece in pieces[first:last]]
            wider = min(start for start, _ in within), max(end for _, end in within)
            if wider == (first, last):
                break
            first, last = wider
        found.add((first, last))
    return sorted(found)


def around(group: Sequence[Piece]) -> Edges:
    """Left, top, right and bottom of all."""
    lefts, tops, rights, bottoms = zip(*(each.edges for each in group), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def ink_of(group: Sequence[Piece], edges: Edges, writing: Writing) -> NDArray[np.uint8]:
    """The ink of a candidate and the soft edges of its strokes, 0 to 255."""
    import cv2

    left, top, right, bottom = edges
    reach = max(1, round((bottom - top) / 40))
    height, width = writing.labels.shape
    x, y = max(0, left - reach), max(0, top - reach)
    part = slice(y, min(height, bottom + reach)), slice(x, min(width, right + reach))
    labels = writing.labels[part]
    own = np.zeros(labels.shape, np.uint8)
    for piece in group:
        start, up, end, low = piece.edges
        own[up - y : low - y, start - x : end - x] |= piece.mask.view(np.uint8)
    soft = cv2.dilate(own, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    soft &= (labels == 0) | (own > 0)
    typical = max(writing.typical[piece.number] for piece in group)
    floor = 2 * writing.noise
    full = max(typical - 2 * writing.noise, 0.85 * typical)
    levels = np.clip((writing.strength[part] - floor) / max(full - floor, 1), 0, 1)
    ink = np.rint(255 * np.where(soft, levels, 0)).astype(np.uint8)
    return ink if ink.any() else 255 * own
