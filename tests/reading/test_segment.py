"""Segmentation: every run of pieces that may be something is a candidate, with its own ink."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from lattice_help import TALL, box, line_of, page_of
from numpy.typing import NDArray

from inkdigits.formats import load_model
from inkdigits.model import Model
from inkdigits.reading.evidence import FEATURES, PLACES, Habits
from inkdigits.reading.layout import Piece, lines_of, pieces_of
from inkdigits.reading.page import Writing, find_writing
from inkdigits.reading.paths import best_path
from inkdigits.reading.segment import (
    DIGIT,
    OTHER,
    TOGETHER,
    WIDEST,
    candidates_of,
    ink_of,
    lattices,
)
from inkdigits.sources import load


def test_each_run_of_near_pieces_may_be_a_digit_and_each_piece_something_else() -> None:
    pieces = [box(9 * place, width=7, number=place + 1) for place in range(14)]
    line = line_of(pieces)
    found = candidates_of(line, page_of(pieces), Habits(0, 0))
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
    others = [
        each
        for each in candidates_of(line, page_of(line.pieces), Habits(0, 0))
        if each.role == OTHER
    ]
    assert {(each.first, each.last) for each in others} == {(0, 2), (2, 3)}


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


@pytest.mark.slow
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
    glyphs = [each.glyph for lattice in found for each in lattice.candidates]
    answers = model.answer(np.stack([glyph for glyph in glyphs if glyph is not None]))
    assert answers.not_a_digit is not None
    expected = iter(zip(answers.probabilities, answers.not_a_digit, strict=True))
    for lattice in found:
        assert lattice.features.shape == (len(lattice.candidates), 10, len(FEATURES))
        for each, row in zip(lattice.candidates, lattice.features, strict=True):
            said, doubt = row[:, PLACES["answer"]], row[:, PLACES["doubt"]]
            if each.glyph is None:
                assert not said.any()
                assert not doubt.any()
                continue
            probabilities, none = next(expected)
            likely = probabilities * (1 - none)
            np.testing.assert_allclose(np.exp(said), likely, atol=1.1e-6)  # LEAST is the least
            np.testing.assert_allclose(np.exp(doubt), none, atol=1.1e-6)
    assert next(expected, None) is None
