"""From ink to digits: cut too often, then let the network choose among all ways to join again.

Heuristic over-segmentation (LeCun, Bottou, Bengio and Haffner 1998, section VI): each run of
neighbouring pieces is a candidate. It is a digit, a sign, or something else; the network says which
digit and whether it is none, geometry how likely such a cut or join is. The weights of both make
each path through the candidates more or less probable, and the best path is the line's reading.
What all the others are worth together tells how sure it is.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import DIGITS
from inkdigits.glyph import glyph_of
from inkdigits.model import Model
from inkdigits.reading.cuts import lean_of, parts
from inkdigits.reading.layout import Line, Piece, lines_of, pieces_of
from inkdigits.reading.page import Writing

__all__ = [
    "FEATURES",
    "WEIGHTS",
    "Candidate",
    "Lattice",
    "Path",
    "Step",
    "all_digits",
    "best_path",
    "lattices",
    "path_through",
    "worth_between",
    "worth_of",
]

Edges = tuple[int, int, int, int]
Numbers = NDArray[np.float64]

TOGETHER = 9  # pieces at most that make one digit
WIDEST, FARTHEST = 1.4, 0.35  # of the line's height: a digit, and the gap between two parts of one
HOPELESS = -30.0  # no answer of the network makes good what geometry says against a digit
BREADTH = 0.7  # of the line's height, of a digit
FAINT_SIGN = 0.65  # of the line's usual strength: what is paler is no sign but dirt
FAR_OFF = 5.0  # standard deviations: farther is no less a digit
LEAST = 1e-6  # no answer of the network is less probable

DIGIT, SIGN, OTHER = "digit", "sign", "other"

# What makes a candidate more or less probable; see `measured`. Fitted to generated pages, whose
# digits are MNIST's validation part, by benchmarks/fit_paths.py.
FEATURES = {
    "answer": 1.18,  # log probability of the digit
    "doubt": -0.34,  # log probability of being no digit
    "cuts": -6.84,  # at its left and right
    "cut ones": 0.25,  # the same of a 1, which is what is cut from anything
    "cut ink": -0.41,  # that they cross, in widths of a stroke
    "ink of ones": -1.17,  # the same of a 1
    "seams": -0.76,  # cheap cuts within it that are not made
    "joins": 0.6,  # of pieces that do not touch
    "gaps": -0.5,  # between those, of the line's height
    "asides": -12.12,  # how much of that is to the side
    "signs": -0.81,  # joined to it from the side
    "size": -12,  # squared logarithm of its height against the line's
    "place": -5,  # squared distance of its top and bottom from its neighbours', in line heights
    "breadth": -13,  # squared: beyond that of a digit, of the line's height
    "narrow": -0.3,  # squared: how much narrower than that digit mostly is, in deviations
    "cuts touching": 7.42,
    "joins broken": 4.22,
    "sprawl": -0.6,
    "none": 0.47,  # of something else: log probability of being no digit
    "other": -4.36,  # something else as large as a digit, for each digit's breadth
    "speck": -9,  # something else, by its size in line heights up to a digit's
    "sign": -0.23,
}
WEIGHTS = np.array(list(FEATURES.values()))
PLACES = {name: place for place, name in enumerate(FEATURES)}

# Logarithm of the breadth of MNIST's digits, of a line's height: mean and standard deviation, the
# latter made a tenth larger for hands of other places.
MEAN_BREADTH = np.array([-0.13, -0.93, -0.12, -0.24, -0.25, -0.14, -0.33, -0.27, -0.28, -0.40])
SPREAD = 1.1 * np.array([0.15, 0.45, 0.15, 0.20, 0.20, 0.18, 0.21, 0.20, 0.21, 0.20])


@dataclass(eq=False)
class Candidate:
    """A run of pieces that may be a digit, a sign, or something else.

    Args:
        first: place of its first piece in the line.
        last: the place behind its last one.
        edges: left, top, right and bottom in pixels of the page.
        role: "digit", "sign" or "other".
        features: shape (len(FEATURES),), what speaks for or against it, whatever digit it is.
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
    def height(self) -> int:
        return self.edges[3] - self.edges[1]


@dataclass(eq=False)
class Lattice:
    """All candidates of a line, and what the network says of them."""

    line: Line
    candidates: list[Candidate]
    features: Numbers  # (candidates, 10, len(FEATURES)): of each as each digit

    def scores(self, weights: Numbers) -> Numbers:
        """Shape (candidates, 10): of each as each digit; the same ten times for what is none."""
        return np.asarray(self.features @ weights)


def lattices(writing: Writing, model: Model) -> list[Lattice]:
    """The candidates of each line of a page."""
    lines = lines_of(pieces_of(writing), len(writing.labels))
    found = []
    wide = sum(p.width > 1.25 * l.height and p.height > 0.6 * l.height for l in lines for p in l.pieces)
    small = sum(p.height < 0.6 * l.height and p.height > 0.15*l.height and not sign_of(p, l) for l in lines for p in l.pieces)
    touching = wide / (wide + 1)
    broken = small / (small + 2)
    for line in lines:
        lean = lean_of(line)
        cut = [part for piece in line.pieces for part in parts(piece, writing, line, lean)]
        cut.sort(key=lambda piece: piece.middle)
        line = Line(cut, line.tall, line.height, line.stroke)
        found.append((line, candidates_of(line, writing)))
    glyphs = [each.glyph for _, all_ in found for each in all_ if each.glyph is not None]
    if not glyphs:
        return []
    answers = model.answer(np.stack(glyphs))
    none = answers.not_a_digit if answers.not_a_digit is not None else np.zeros(len(glyphs))
    log_none = np.log(np.maximum(none, LEAST))
    log_digits = np.log(np.maximum(answers.probabilities * (1 - none[:, None]), LEAST))
    whole, place = [], 0
    for line, candidates in found:
        count = sum(each.glyph is not None for each in candidates)
        own = slice(place, place + count)
        whole.append(
            Lattice(line, candidates, features_of(line, candidates, log_digits[own], log_none[own]))
        )
        f = whole[-1].features
        f[:, :, PLACES["cuts touching"]] = f[:, :, PLACES["cuts"]] * touching
        f[:, :, PLACES["joins broken"]] = np.minimum(f[:, :, PLACES["joins"]], 2) * broken
        place += count
    return whole


def features_of(
    line: Line, candidates: Sequence[Candidate], log_digits: Numbers, log_none: Numbers
) -> Numbers:
    """What the network says of each candidate that may be a digit, and all that was measured.

    Args:
        line: where they stand.
        candidates: all of its.
        log_digits: shape (digits, 10): the log probability of each digit for each of those that
            may be one, in their order.
        log_none: shape (digits,): of being none.

    Returns:
        shape (candidates, 10, len(FEATURES)).
    """
    features = np.stack([each.features for each in candidates])
    features = np.repeat(features[:, np.newaxis], DIGITS, axis=1)
    is_digit = np.array([each.role == DIGIT for each in candidates])
    doubt = {
        (each.first, each.last): log_none[place]
        for place, each in enumerate(each for each in candidates if each.role == DIGIT)
    }
    for index, each in enumerate(candidates):
        if each.role == OTHER:
            features[index, :, PLACES["none"]] = doubt.get((each.first, each.last), 0.0)
    features[is_digit, :, PLACES["answer"]] = log_digits
    features[is_digit, :, PLACES["doubt"]] = log_none[:, np.newaxis]
    for name, of_ones in (("cuts", "cut ones"), ("cut ink", "ink of ones")):
        features[:, 1, PLACES[of_ones]] = features[:, 1, PLACES[name]]
    breadths = np.array([each.edges[2] - each.edges[0] for each in candidates]) / line.height
    off = np.clip((np.log(breadths)[:, np.newaxis] - MEAN_BREADTH) / SPREAD, -FAR_OFF, FAR_OFF)
    off[~is_digit] = 0
    off[:, 1] = 0  # a 1 is as narrow as its stroke
    features[:, :, PLACES["narrow"]] = np.minimum(off, 0) ** 2
    return features


def candidates_of(line: Line, writing: Writing) -> list[Candidate]:
    """Every run of pieces that may be something."""
    found = [
        other(first, last, around(line.pieces[first:last]), line)
        for first, last in entire(line.pieces)
    ]
    usual = float(np.median(writing.typical[[piece.number for piece in line.pieces]]))
    signs = [sign_of(piece, line) if piece.whole else "" for piece in line.pieces]
    for first in range(len(line.pieces)):
        for last in range(first + 1, min(len(line.pieces), first + TOGETHER) + 1):
            group = line.pieces[first:last]
            edges = around(group)
            after = line.pieces[last].price if last < len(line.pieces) else 0.0
            alone = last == first + 1
            width = edges[2] - edges[0]
            if width > WIDEST * line.height and not alone:
                continue
            sign = signs[first] if alone else ""
            if sign and writing.typical[group[0].number] > FAINT_SIGN * usual:
                told = np.zeros(len(FEATURES))
                told[PLACES["sign"]] = 1
                found.append(Candidate(first, last, edges, SIGN, told, sign=sign))
            features = measured(group, edges, after, signs[first:last], line)
            if features is not None and features @ WEIGHTS > HOPELESS:
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


def other(first: int, last: int, edges: Edges, line: Line) -> Candidate:
    """Something else, which counts by its size: a speck for little."""
    features = np.zeros(len(FEATURES))
    size = max(edges[2] - edges[0], edges[3] - edges[1]) / line.height
    share = min(1.0, max(0.0, (size - 0.12) / 0.33))
    features[PLACES["speck"]] = share if size < 0.45 else 0
    breadths = (edges[2] - edges[0]) / line.height / BREADTH
    features[PLACES["other"]] = max(1.0, breadths) if size >= 0.45 else 0
    features[PLACES["sprawl"]] = max(0.0, breadths - 2) if size >= 0.45 else 0
    return Candidate(first, last, edges, OTHER, features)


def around(group: Sequence[Piece]) -> Edges:
    lefts, tops, rights, bottoms = zip(*(each.edges for each in group), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def measured(
    group: Sequence[Piece], edges: Edges, after: float, signs: Sequence[str], line: Line
) -> Numbers | None:
    """What geometry says of a digit; None where its parts are too far from one another."""
    features = np.zeros(len(FEATURES))
    left, top, right, bottom = edges
    for price in (group[0].price, after):
        if price:
            features[PLACES["cuts"]] += 1
            features[PLACES["cut ink"]] += price / max(2.0, line.stroke)
    for (one, sign), (next_, next_sign) in pairwise(zip(group, signs, strict=True)):
        if one.number == next_.number:
            features[PLACES["seams"]] += max(0.0, 1 - next_.price / (2 * max(2.0, line.stroke)))
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


# Paths


@dataclass(frozen=True, eq=False)
class Step:
    """One candidate of the best path.

    Args:
        candidate: which.
        said: the digit or sign that it is; "" for something else.
        probability: of all paths together that say the same of this place.
    """

    candidate: Candidate
    said: str
    probability: float


@dataclass(frozen=True, eq=False)
class Path:
    """The best path through a line's candidates, and what all others are worth.

    Args:
        lattice: the candidates.
        steps: from left to right; none where no path reaches the end.
        scores: shape (candidates, 10), as of `Lattice.scores`.
        forward: shape (pieces + 1,): the logarithm of what all paths up to each place are worth.
        backward: and from it on.
    """

    lattice: Lattice
    steps: list[Step]
    scores: Numbers
    forward: Numbers
    backward: Numbers

    def probability(self, steps: Sequence[Step]) -> float:
        """That what these steps say is what stands there, however it is cut.

        Signs of the path that are left out between them, as they mean nothing, say nothing.
        """
        first, last = steps[0].candidate.first, steps[-1].candidate.last
        text = "".join(step.said for step in steps)
        silent = {
            step.said
            for step in self.steps
            if first <= step.candidate.first < last and step not in steps
        }
        worth = worth_of(self.lattice, self.scores, text, first, last, silent)
        whole = self.forward[first] + worth + self.backward[last] - self.forward[-1]
        return float(np.exp(min(0.0, whole)))


def best_path(lattice: Lattice, weights: Numbers = WEIGHTS) -> Path:
    """The best way from the first piece of a line to the last."""
    return path_through(lattice, lattice.scores(weights))


def path_through(lattice: Lattice, scores: Numbers) -> Path:
    """The best way where each candidate is worth what `scores`, shape (candidates, 10), says."""
    tops, sums = scores.max(axis=1), all_digits(lattice, scores)
    count = len(lattice.line.pieces)
    best, forward, backward = np.full((3, count + 1), -np.inf)
    best[0] = forward[0] = backward[count] = 0
    came = np.full(count + 1, -1)
    for index, each in in_order(lattice):
        if best[each.first] + tops[index] > best[each.last]:
            best[each.last], came[each.last] = best[each.first] + tops[index], index
        forward[each.last] = np.logaddexp(forward[each.last], forward[each.first] + sums[index])
    for index, each in reversed(in_order(lattice)):
        backward[each.first] = np.logaddexp(backward[each.first], backward[each.last] + sums[index])
    path = Path(lattice, [], scores, forward, backward)
    place = count
    while place > 0 and came[place] >= 0:
        path.steps.insert(0, step(path, int(came[place])))
        place = lattice.candidates[int(came[place])].first
    return path


def worth_between(lattice: Lattice, scores: Numbers, first: int, last: int) -> float:
    """The logarithm of what all paths from one place to another are worth."""
    sums = all_digits(lattice, scores)
    forward = np.full(last + 1, -np.inf)
    forward[first] = 0
    for index, each in in_order(lattice):
        if first <= each.first and each.last <= last:
            forward[each.last] = np.logaddexp(forward[each.last], forward[each.first] + sums[index])
    return float(forward[last])


def in_order(lattice: Lattice) -> list[tuple[int, Candidate]]:
    """Each candidate behind all that may stand before it."""
    return sorted(enumerate(lattice.candidates), key=lambda pair: (pair[1].last, pair[1].first))


def all_digits(lattice: Lattice, scores: Numbers) -> Numbers:
    """Of each candidate what it is worth whatever it says: shape (candidates,)."""
    most = scores.max(axis=1)
    total = most + np.log(np.exp(scores - most[:, None]).sum(axis=1))
    is_digit = np.array([each.role == DIGIT for each in lattice.candidates])
    return np.asarray(np.where(is_digit, total, most))


def step(path: Path, index: int) -> Step:
    chosen, digit = path.lattice.candidates[index], int(path.scores[index].argmax())
    total = 0.0
    for rival, each in enumerate(path.lattice.candidates):
        if each.role == chosen.role and alike(each.edges, chosen.edges):
            outside = path.forward[each.first] + path.backward[each.last] - path.forward[-1]
            total += float(np.exp(min(0.0, outside + path.scores[rival, digit])))
    said = str(digit) if chosen.role == DIGIT else chosen.sign
    return Step(chosen, said, min(1.0, total))


def worth_of(
    lattice: Lattice,
    scores: Numbers,
    text: str,
    first: int,
    last: int,
    silent: Collection[str] = (),
) -> float:
    """The logarithm of what all paths from one place to another that say `text` are worth.

    The signs in `silent` say nothing.
    """
    signs = np.array(list(text))
    digits = np.array([int(sign) if sign.isdigit() else -1 for sign in text], np.intp)
    said = np.full((last + 1, len(text) + 1), -np.inf)  # (place, signs said so far)
    said[first, 0] = 0
    for index, each in in_order(lattice):
        if each.first < first or each.last > last:
            continue
        if each.role == OTHER or each.sign in silent:
            said[each.last] = np.logaddexp(said[each.last], said[each.first] + scores[index, 0])
            continue
        fits = digits >= 0 if each.role == DIGIT else signs == each.sign
        worth = np.where(fits, scores[index][digits], -np.inf)
        said[each.last, 1:] = np.logaddexp(said[each.last, 1:], said[each.first, :-1] + worth)
    return float(said[last, len(text)])


def alike(one: Edges, other_: Edges) -> bool:
    """Whether two boxes have most of their areas in common."""
    across = min(one[2], other_[2]) - max(one[0], other_[0])
    down = min(one[3], other_[3]) - max(one[1], other_[1])
    if across <= 0 or down <= 0:
        return False
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other_)]
    return across * down >= 0.6 * (sum(areas) - across * down)
