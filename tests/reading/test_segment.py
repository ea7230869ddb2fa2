"""Segmentation: what is worked out place by place is what trying every path would give."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkdigits.formats import load_model
from inkdigits.model import Model
from inkdigits.reading.layout import Line, Piece, lines_of, pieces_of
from inkdigits.reading.page import Writing, find_writing
from inkdigits.reading.segment import (
    BREADTH,
    DIGIT,
    FARTHEST,
    FEATURES,
    OTHER,
    SIGN,
    TOGETHER,
    WEIGHTS,
    WIDEST,
    Candidate,
    Lattice,
    Path,
    all_digits,
    best_path,
    candidates_of,
    ink_of,
    lattices,
    measured,
    sign_of,
    worth_between,
    worth_of,
)
from inkdigits.sources import load

Chance = np.random.Generator
Numbers = NDArray[np.float64]

TALL, WIDE, PITCH = (
    40,
    24,
    30,
)  # pixels of the boxes that stand for digits, and from one to the next
NAMES = list(FEATURES)


def box(x: int, y: int = 100, width: int = WIDE, height: int = TALL, number: int = 1) -> Piece:
    return Piece((x, y, x + width, y + height), np.ones((height, width), bool), number)


def line_of(pieces: list[Piece], stroke: float = 5.0) -> Line:
    """The line of some pieces: the tall ones tell how tall it is."""
    return Line(pieces, [each.edges for each in pieces if each.height > 30], float(TALL), stroke)


# Small lattices, and every path through them


def random_lattice(
    chance: Chance, count: int, *, share: float = 0.7, roles: tuple[str, ...] = (DIGIT, SIGN, OTHER)
) -> Lattice:
    """Runs of some of so many pieces, as digits, signs and something else, with any scores."""
    pieces = [box(PITCH * place, number=place + 1) for place in range(count)]
    candidates = []
    for first in range(count):
        for last in range(first + 1, min(count, first + 3) + 1):
            edges = (PITCH * first, 100, PITCH * (last - 1) + WIDE, 140)
            for role in roles:
                if chance.random() > share:
                    continue
                features = chance.normal(0, 0.3, len(FEATURES))
                features[NAMES.index("answer")] = 0
                if role != DIGIT:
                    features[NAMES.index("cuts")] = 0
                sign = str(chance.choice([".", ",", "-"])) if role == SIGN else ""
                candidates.append(Candidate(first, last, edges, role, features, sign=sign))
    answers = np.log(chance.dirichlet(np.full(10, 0.5), len(candidates)) + 1e-6)
    order = chance.permutation(len(candidates))
    return Lattice(line_of(pieces), [candidates[place] for place in order], answers)


@dataclass(frozen=True)
class Way:
    """One path: its candidates, what it says of each, and the sum of their scores."""

    places: tuple[int, ...]
    said: tuple[str, ...]
    score: float

    @property
    def text(self) -> str:
        return "".join(self.said)


def ways(lattice: Lattice, scores: Numbers, first: int, last: int) -> Iterator[Way]:
    """Every path from one place to another: the plain form of all that is tested here."""
    if first == last:
        yield Way((), (), 0.0)
        return
    for index, each in enumerate(lattice.candidates):
        if each.first != first or each.last > last:
            continue
        rest = list(ways(lattice, scores, each.last, last))
        for digit in range(10) if each.role == DIGIT else (0,):
            said = str(digit) if each.role == DIGIT else each.sign
            for way in rest:
                score = float(scores[index, digit]) + way.score
                yield Way((index, *way.places), (said, *way.said), score)


def worth(some: list[Way]) -> float:
    return float(np.logaddexp.reduce([way.score for way in some])) if some else -math.inf


def tried(
    seed: int, count: int = 3, roles: tuple[str, ...] = (DIGIT, SIGN, OTHER)
) -> tuple[Lattice, Path, list[Way]]:
    lattice = random_lattice(np.random.default_rng(seed), count, roles=roles)
    path = best_path(lattice)
    return lattice, path, list(ways(lattice, path.scores, 0, count))


seeds = st.integers(0, 10_000)


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_the_best_path_is_the_best_of_all(seed: int) -> None:
    lattice, path, all_ways = tried(seed)
    if not all_ways:
        assert path.steps == []
        return
    best = max(all_ways, key=lambda way: way.score)
    assert [step.candidate for step in path.steps] == [
        lattice.candidates[place] for place in best.places
    ]
    assert [step.said for step in path.steps] == list(best.said)


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_sums_from_both_ends_are_what_all_paths_are_worth(seed: int) -> None:
    lattice, path, all_ways = tried(seed)
    assert path.forward[-1] == pytest.approx(worth(all_ways))
    assert path.backward[0] == pytest.approx(path.forward[-1])
    for place in range(4):
        assert worth_between(lattice, path.scores, 0, place) == pytest.approx(path.forward[place])
        assert worth_between(lattice, path.scores, place, 3) == pytest.approx(path.backward[place])
        up_to = worth(list(ways(lattice, path.scores, 0, place)))
        from_it = worth(list(ways(lattice, path.scores, place, 3)))
        assert path.forward[place] == pytest.approx(up_to)
        assert path.backward[place] == pytest.approx(from_it)


@settings(deadline=None, max_examples=12)
@given(seeds)
def test_a_text_is_worth_what_all_paths_that_say_it_are(seed: int) -> None:
    lattice, path, all_ways = tried(seed)
    some = sorted({way.text for way in all_ways}, key=lambda text: (len(text), text[::-1]))
    for text in some[:: 1 + len(some) // 30]:
        silent = set(".,-") - set(text)
        agreeing = [way for way in all_ways if says(lattice, way, text, 0, 3, silent)]
        came = worth_of(lattice, path.scores, text, 0, 3, silent)
        assert came == pytest.approx(worth(agreeing))


@pytest.mark.parametrize("seed", range(5))
def test_all_texts_together_are_worth_the_whole(seed: int) -> None:
    lattice, path, all_ways = tried(seed, 2, roles=(DIGIT, OTHER))
    texts = {way.text for way in all_ways}
    worths = [worth_of(lattice, path.scores, text, 0, 2) for text in texts]
    assert np.logaddexp.reduce(worths) == pytest.approx(path.forward[-1])


@pytest.mark.parametrize("text", ["1234", "....", "x", "--------"])
def test_what_no_path_says_is_worth_nothing(text: str) -> None:
    lattice, path, _ = tried(1)
    assert worth_of(lattice, path.scores, text, 0, 3) == -math.inf


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_a_numbers_probability_is_the_share_of_the_paths_that_say_it_there(seed: int) -> None:
    lattice, path, all_ways = tried(seed)
    steps = path.steps
    for start in range(len(steps)):
        for stop in range(start + 1, len(steps) + 1):
            part = steps[start:stop]
            first, last = part[0].candidate.first, part[-1].candidate.last
            text = "".join(step.said for step in part)
            agreeing = [way for way in all_ways if says(lattice, way, text, first, last)]
            expected = math.exp(worth(agreeing) - worth(all_ways))
            assert path.probability(part) == pytest.approx(expected)
            assert 0 < path.probability(part) <= 1


def says(
    lattice: Lattice, way: Way, text: str, first: int, last: int, silent: Collection[str] = ()
) -> bool:
    """Whether a path begins and ends something at these places, and says that between them."""
    chosen = [lattice.candidates[place] for place in way.places]
    ends = {0, *(each.last for each in chosen)}
    between = ""
    for each, said in zip(chosen, way.said, strict=True):
        if first <= each.first and each.last <= last and said not in silent:
            between += said
    return {first, last} <= ends and between == text


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_a_steps_probability_is_the_share_of_the_paths_that_say_the_same_there(seed: int) -> None:
    lattice, path, all_ways = tried(seed)
    for step in path.steps:
        agreeing = []
        for way in all_ways:
            for place, said in zip(way.places, way.said, strict=True):
                other = lattice.candidates[place]
                same = other.role == step.candidate.role and (
                    other.role == SIGN or said == step.said
                )
                if same and share_of(other.edges, step.candidate.edges) >= 0.6:
                    agreeing.append(way)
        expected = math.exp(worth(agreeing) - worth(all_ways))
        assert step.probability == pytest.approx(expected)
        assert 0 < step.probability <= 1


def share_of(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """What two boxes have in common, of what they cover together: pixel by pixel."""
    cover = np.zeros((2, 200, 200), bool)
    for page, (left, top, right, bottom) in zip(cover, (one, other), strict=True):
        page[top:bottom, left:right] = True
    return float((cover[0] & cover[1]).sum() / (cover[0] | cover[1]).sum())


def test_scores_are_the_weighted_sum_of_features_and_answers() -> None:
    lattice = random_lattice(np.random.default_rng(2), 3)
    scores = lattice.scores(WEIGHTS)
    for index, each in enumerate(lattice.candidates):
        geometry = sum(
            FEATURES[name] * each.features[place] for place, name in enumerate(NAMES)
        )  # of what is measured, "answer" is 0
        for digit in range(10):
            expected = geometry
            if each.role == DIGIT:
                expected += FEATURES["answer"] * lattice.answers[index, digit]
            if digit == 1:
                expected += FEATURES["cut ones"] * each.features[NAMES.index("cuts")]
            assert scores[index, digit] == pytest.approx(expected)


def test_a_digit_is_worth_all_it_may_say_and_something_else_is_counted_once() -> None:
    lattice = random_lattice(np.random.default_rng(3), 3)
    scores = lattice.scores(WEIGHTS)
    for each, row, total in zip(
        lattice.candidates, scores, all_digits(lattice, scores), strict=True
    ):
        expected = np.logaddexp.reduce(row) if each.role == DIGIT else row[0]
        assert total == pytest.approx(expected)


def test_where_no_path_reaches_the_end_nothing_is_said() -> None:
    lattice = random_lattice(np.random.default_rng(4), 3, share=1)
    lattice.candidates = [each for each in lattice.candidates if each.last < 3]
    lattice.answers = lattice.answers[: len(lattice.candidates)]
    assert best_path(lattice).steps == []


# What may be a digit, a sign, or something else


def row(count: int = 6, y: int = 100) -> list[Piece]:
    return [box(PITCH * place, y, number=place + 1) for place in range(count)]


def page_of(pieces: list[Piece], shape: tuple[int, int] = (240, 900)) -> Writing:
    """A page with these pieces on it."""
    labels = np.zeros(shape, np.int32)
    for each in pieces:
        left, top, right, bottom = each.edges
        labels[top:bottom, left:right][each.mask] = each.number
    strength = np.where(labels > 0, np.float32(150), np.float32(0))
    count = int(labels.max()) + 1
    return Writing(
        strength, labels, np.zeros((count, 5), np.int32), np.full(count, 150.0), 1.0, np.eye(3)
    )


def of_digit(group: list[Piece], *, after: float = 0.0) -> dict[str, float]:
    """What is measured of some pieces in a line of six digits."""
    edges = (
        min(each.edges[0] for each in group), min(each.edges[1] for each in group),
        max(each.edges[2] for each in group), max(each.edges[3] for each in group),
    )  # fmt: skip
    features = measured(group, edges, after, line_of(row()))
    assert features is not None
    return dict(zip(NAMES, features.tolist(), strict=True))


def test_nothing_speaks_against_a_digit_as_tall_as_its_neighbours() -> None:
    assert set(of_digit([box(PITCH)]).values()) == {0}


def test_size_and_place_are_measured_against_the_neighbours() -> None:
    assert of_digit([box(60, 100, 24, 80)])["size"] == pytest.approx(math.log(2) ** 2)
    assert of_digit([box(60, 100, 24, 20)])["size"] == pytest.approx(math.log(2) ** 2)
    moved = of_digit([box(60, 120)])
    assert moved["size"] == 0
    assert moved["place"] == pytest.approx(2 * 0.5**2)
    narrow, broad, broader = (
        of_digit([box(60, 100, width)])["breadth"] for width in (int(BREADTH * TALL), 48, 60)
    )
    assert 0 == narrow < broad < broader


def test_cuts_count_at_either_side_and_seams_where_they_are_not_made() -> None:
    left = Piece((30, 100, 42, 140), np.ones((40, 12), bool), 3, 0.0, False)
    right = Piece((42, 100, 54, 140), np.ones((40, 12), bool), 3, 4.0, False)
    assert of_digit([left], after=4)["cuts"] == 1
    assert of_digit([right])["cuts"] == 1
    assert of_digit([right], after=10)["cuts"] == 2
    assert of_digit([right], after=10)["cut ink"] == pytest.approx((4 + 10) / 5)
    both = of_digit([left, right])
    assert both["cuts"] == both["cut ink"] == both["joins"] == 0
    assert both["seams"] == pytest.approx(1 - 4 / 10)


def test_pieces_that_do_not_touch_are_joined_by_their_gap() -> None:
    joined = of_digit([box(30, 100, 24, 18), box(33, 124, 20, 16, number=2)])
    assert joined["joins"] == 1
    assert joined["gaps"] == pytest.approx(6 / TALL)
    assert joined["size"] == 0
    line = line_of(row())
    start = 30 + WIDE + math.floor(FARTHEST * TALL)
    near, far = ([box(30), box(start + more, number=2)] for more in (0, 1))
    assert measured(near, (30, 100, start + WIDE, 140), 0.0, line) is not None
    assert measured(far, (30, 100, start + 1 + WIDE, 140), 0.0, line) is None


def test_each_run_of_near_pieces_may_be_a_digit_and_each_piece_something_else() -> None:
    pieces = [box(9 * place, width=7, number=place + 1) for place in range(14)]
    line = line_of(pieces)
    found = candidates_of(line, page_of(pieces))
    digits = {(each.first, each.last) for each in found if each.role == DIGIT}
    most = 1 + (int(WIDEST * TALL) - 7) // 9  # are as broad as a digit may be
    assert most < TOGETHER
    assert digits == {
        (first, last) for first in range(14) for last in range(first + 1, min(first + most, 14) + 1)
    }
    others = {(each.first, each.last) for each in found if each.role == OTHER}
    assert others == {(place, place + 1) for place in range(14)}
    for each in found:
        assert each.edges[0] == 9 * each.first
        assert each.edges[2] == 9 * (each.last - 1) + 7
        assert (each.glyph is not None) == (each.role == DIGIT)


def test_parts_of_a_piece_are_no_thing_by_themselves_but_the_piece_may_be() -> None:
    mask = np.ones((40, 12), bool)
    parts = [
        Piece((30, 100, 42, 140), mask, 1, 0.0, False),
        Piece((42, 100, 54, 140), mask, 1, 5.0, False),
    ]
    line = line_of([*parts, box(70, number=2)])
    others = [each for each in candidates_of(line, page_of(line.pieces)) if each.role == OTHER]
    assert {(each.first, each.last) for each in others} == {(0, 2), (2, 3)}


MARKS = {
    "a dot on the baseline": ((56, 134, 62, 140), "."),
    "a dot as broad as the pen below it": ((56, 137, 62, 143), "."),
    "a comma": ((56, 134, 62, 151), ","),
    "a minus": ((-26, 118, -6, 123), "-"),
    "a bar much broader than the pen": ((-26, 115, -6, 126), ""),
    "a dot above": ((56, 98, 62, 104), ""),
    "a dot half way up": ((56, 117, 62, 123), ""),
    "a line below": ((56, 138, 76, 143), ""),
    "a one": ((56, 100, 61, 140), ""),
    "a speck": ((56, 138, 58, 140), ""),
    "a digit": ((60, 100, 84, 140), ""),
}


@pytest.mark.parametrize("name", MARKS)
def test_signs_are_known_by_their_size_and_place(name: str) -> None:
    (left, top, right, bottom), sign = MARKS[name]
    mark = box(left, top, right - left, bottom - top, number=9)
    assert sign_of(mark, line_of(row())) == sign


@pytest.mark.parametrize("name", MARKS)
@pytest.mark.parametrize("scale", [2, 3])
def test_signs_are_the_same_on_a_page_as_large_again(name: str, scale: int) -> None:
    def grown(edges: tuple[int, ...], number: int = 9) -> Piece:
        left, top, right, bottom = (scale * edge for edge in edges)
        return box(left, top, right - left, bottom - top, number)

    edges, sign = MARKS[name]
    tall = [grown(each.edges) for each in row()]
    line = Line(tall, [each.edges for each in tall], float(scale * TALL), 5.0 * scale)
    assert sign_of(grown(edges), line) == sign


# Ink


def test_the_ink_of_a_candidate_holds_none_of_its_neighbours() -> None:
    one, other = box(40, width=20), box(61, width=20, number=2)
    writing = page_of([one, other])
    ink = ink_of([one], one.edges, writing)
    assert (ink == 255).sum() == 20 * 40
    both = ink_of([one, other], (40, 100, 81, 140), writing)
    assert (both == 255).sum() == 2 * 20 * 40
    cut_off = box(60, width=20)  # of the same ink, a pixel nearer
    assert (ink_of([one], one.edges, page_of([one, cut_off])) > 0).sum() == 20 * 40


def test_the_ink_of_a_candidate_keeps_the_soft_edges_of_its_strokes() -> None:
    piece = box(40)
    writing = page_of([piece])
    soft = cv2.GaussianBlur(writing.strength, (0, 0), 1)
    softened = Writing(
        np.asarray(soft, np.float32), writing.labels, writing.boxes, writing.typical,
        writing.noise, writing.matrix,
    )  # fmt: skip
    ink = ink_of([piece], piece.edges, softened)
    assert ink.shape[0] > TALL
    assert ink[ink.shape[0] // 2, ink.shape[1] // 2] == 255
    edge = ink[:, ink.shape[1] // 2]
    assert 0 < edge[0] < edge[2] <= 255


# A page


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("reader")


def pasted(glyphs: NDArray[np.uint8], pitch: int) -> Writing:
    """The ink of a page with glyphs of 80 pixels in a row."""
    strength = np.zeros((160, 200 + pitch * len(glyphs)), np.float32)
    for place, glyph in enumerate(glyphs):
        grown = cv2.resize(glyph, (80, 80), interpolation=cv2.INTER_CUBIC)
        here = strength[40:120, 40 + pitch * place : 120 + pitch * place]
        np.maximum(here, 0.7 * grown.astype(np.float32), out=here)
    grey = np.clip(225 - strength, 0, 255).astype(np.uint8)
    writing = find_writing(np.repeat(grey[..., np.newaxis], 3, axis=2))
    assert writing is not None
    return writing


@pytest.mark.parametrize("pitch", [70, 52])  # apart, and so near that some of them touch
def test_a_row_of_digits_is_read_however_near_they_stand(model: Model, pitch: int) -> None:
    digits = load("mnist:validation").subset(range(300))
    answers = model.answer(digits.images)
    clear = np.flatnonzero((answers.confidence > 0.999) & (answers.digits == digits.known_labels))
    right = 0
    for first in range(0, 60, 6):
        chosen = digits.subset(clear[first : first + 6])
        (lattice,) = lattices(pasted(chosen.images, pitch), model)
        path = best_path(lattice)
        for step in path.steps:
            assert 0 <= step.probability <= 1 + 1e-9
        text = "".join(step.said for step in path.steps)
        right += text == "".join(map(str, chosen.known_labels.tolist()))
    assert right >= 9


def test_a_page_of_dust_has_no_lattices(model: Model) -> None:
    assert lattices(page_of([]), model) == []


def test_every_line_of_a_page_has_a_lattice_in_order(model: Model) -> None:
    digits = load("mnist:validation").subset(range(6)).images
    top = pasted(digits[:3], 70)
    bottom = pasted(digits[3:], 70)
    count = len(top.boxes) - 1
    labels = np.vstack([top.labels, np.where(bottom.labels > 0, bottom.labels + count, 0)])
    below = bottom.boxes[1:] + np.array([0, len(top.labels), 0, 0, 0])
    both = Writing(
        np.vstack([top.strength, bottom.strength]),
        labels.astype(np.int32),
        np.vstack([top.boxes, below]).astype(np.int32),
        np.concatenate([top.typical, bottom.typical[1:]]),
        top.noise,
        np.eye(3),
    )
    found = lattices(both, model)
    assert len(found) == len(lines_of(pieces_of(both), len(labels))) == 2
    assert found[0].line.top < found[1].line.top
    for lattice in found:
        assert lattice.answers.shape == (len(lattice.candidates), 10)
        for each, row in zip(lattice.candidates, lattice.answers, strict=True):
            if each.glyph is None:
                assert not row.any()
                continue
            answers = model.answer(each.glyph[np.newaxis])
            assert answers.not_a_digit is not None
            likely = answers.probabilities * (1 - answers.not_a_digit)
            np.testing.assert_allclose(np.exp(row), likely[0], atol=2e-6)  # LEAST is the least
