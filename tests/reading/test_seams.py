"""Seams: the cheapest ways through ink, upright and slanted, that keep clear of one another."""

from __future__ import annotations

from itertools import combinations, product

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigits.reading.cuts import APART, DEAREST, LEAST, SIDEWAYS, cheapest, seams
from inkdigits.sources import load

Levels = NDArray[np.float32]

TALL = 40  # pixels of a line's digits


def random_ink(seed: int, shape: tuple[int, int] = (5, 6)) -> Levels:
    return np.asarray(np.random.default_rng(seed).random(shape) * 0.4, np.float32)


def tried(ink: Levels, end: int) -> float:
    """What the cheapest way from the top to a column of the last row costs: by trying them all."""
    rows, columns = ink.shape
    best = np.inf
    for steps in product((-1, 0, 1), repeat=rows - 1):
        places = end + np.concatenate([[0], np.cumsum(steps)])[::-1]
        if places.min() >= 0 and places.max() < columns:
            crossed = float(ink[np.arange(rows), places].sum())
            best = min(best, crossed + SIDEWAYS * np.abs(steps).sum())
    return best


@pytest.mark.parametrize("strength", [1.0, 30.0])  # below what a step to the side costs, and above
def test_each_way_is_the_cheapest_that_ends_where_it_does(strength: float) -> None:
    pictures = np.stack([random_ink(seed) for seed in range(5)]) * np.float32(strength)
    totals, ways = cheapest(pictures)
    for ink, own_totals, own_ways in zip(pictures, totals, ways, strict=True):
        for end, total in enumerate(own_totals.tolist()):
            way = own_ways[:, end]
            assert way[-1] == end
            assert np.abs(np.diff(way)).max() <= 1
            crossed = float(ink[np.arange(len(ink)), way].sum())
            whole = crossed + SIDEWAYS * float(np.abs(np.diff(way)).sum())
            assert total == pytest.approx(whole, rel=1e-5)
            assert total == pytest.approx(tried(ink, end), rel=1e-5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("strength", [1.0, 30.0])
def test_an_upright_seam_is_the_cheapest_way_and_costs_the_ink_it_crosses(
    seed: int, strength: float
) -> None:
    ink = random_ink(seed) * np.float32(strength)
    height = 100.0 if strength > 1 else 2.4
    ink[:, [0, -1]] += np.float32(LEAST * height**2)  # there is enough at either side
    found = seams(ink, height, (0.0,))
    assert found
    for seam, price in found:
        assert np.abs(np.diff(seam)).max() <= 1
        crossed = float(ink[np.arange(len(ink)), seam].sum())
        assert price == pytest.approx(crossed)
        whole = crossed + SIDEWAYS * float(np.abs(np.diff(seam)).sum())
        assert whole == pytest.approx(tried(ink, int(seam[-1])), rel=1e-5)


def test_a_seam_of_a_slant_is_the_upright_one_of_what_is_sheared_back() -> None:
    slant = 0.5  # a column to the right for each two rows up
    upright = np.zeros((40, 80), np.float32)
    upright[:, 20:36] = upright[:, 40:56] = 1
    upright[18:21, 36:40] = 1
    moves = np.rint(slant * np.arange(40)).astype(int)[-1] - np.rint(slant * np.arange(40))
    slanted = np.stack(
        [np.roll(each, int(move)) for each, move in zip(upright, moves, strict=True)]
    )
    (straight, price), *_ = seams(upright, TALL, (0.0,))
    (seam, same), *_ = seams(slanted, TALL, (slant,))
    assert price == same == 3
    assert np.array_equal(seam, straight + moves)


@pytest.mark.parametrize("slant", [-0.15, 0.0, 0.15, 0.3])
def test_hands_lean_either_way_and_a_seam_at_their_slant_needs_no_step_to_the_side(
    slant: float,
) -> None:
    # All ink, but for the two ends of a way so dear that no step can be paid beside it.
    ink = np.ones((58, 150), np.float32)
    for y in (*range(9), *range(49, 58)):
        x = 75 + round(slant * (29 - y))
        ink[y, x - 1 : x + 2] = 0
    assert 58 - 18 < DEAREST * 58 < 58 - 18 + 2 * 0.15 * 40
    prices = [price for seam, price in seams(ink, 58) if abs(seam.mean() - 75) < 3]
    assert prices == [58 - 18]


def test_seams_go_round_ink_where_that_is_cheaper() -> None:
    ink = np.zeros((40, 60), np.float32)
    ink[:20, 10:33] = ink[20:, 28:50] = 1  # a step of two blocks: through between them
    ink[:, [10, 49]] = 1
    (seam, price), *_ = seams(ink, TALL)
    assert price < 8 < 20
    assert 20 < seam.mean() < 40


def row_of_digits(seed: int, slant: float = 0.0) -> Levels:
    glyphs = load("mnist:validation").subset(range(10 * seed, 10 * seed + 4)).images
    ink = np.concatenate([cv2.resize(each, (50, 50))[:, 6:44] for each in glyphs], axis=1)
    matrix = np.array([[1, -slant, 25 * slant], [0, 1, 0]], np.float32)
    moved = cv2.warpAffine(ink, matrix, ink.shape[::-1])
    return np.asarray(moved / 255, np.float32)


each_row = pytest.mark.parametrize("seed", range(4))
each_slant = pytest.mark.parametrize("slant", [0.0, 0.3])


@pytest.mark.slow
@each_row
@each_slant
def test_seams_are_apart_leave_ink_at_either_side_and_cost_no_more_than_they_may(
    seed: int, slant: float
) -> None:
    ink = row_of_digits(seed, slant)
    found = seams(ink, TALL)
    assert len(found) > 3
    for number, (seam, price) in enumerate(found):
        assert price <= DEAREST * TALL
        at_left = ink[np.arange(ink.shape[1]) <= seam[:, np.newaxis]].sum()
        assert LEAST * TALL**2 <= at_left <= ink.sum() - LEAST * TALL**2
        for other, _ in found[:number]:
            assert np.abs(seam - other).mean() >= round(APART * TALL)


@pytest.mark.slow
@each_row
@each_slant
def test_no_seam_crosses_another_and_the_cheaper_come_first(seed: int, slant: float) -> None:
    found = seams(row_of_digits(seed, slant), TALL)
    for (one, _), (other, _) in combinations(found, 2):
        assert (one <= other).all() or (one >= other).all()
    prices = [price for _, price in found]
    assert prices == sorted(prices)


def test_where_two_seams_would_cross_the_cheaper_is_left() -> None:
    ink = np.full((60, 60), 0.2, np.float32)
    for slant, free in ((0.3, 0.0), (-0.15, 0.05)):
        for y in range(60):
            x = 30 + round(slant * (30 - y))
            ink[y, x - 1 : x + 2] = free
    alone = [seams(ink, 60, (slant,)) for slant in (0.3, -0.15)]
    assert [found[0][1] for found in alone] == pytest.approx([0, 3], abs=0.6)
    kept = seams(ink, 60, (0.3, -0.15))
    assert np.array_equal(kept[0][0], alone[0][0][0])
    assert not any(np.array_equal(seam, alone[1][0][0]) for seam, _ in kept)
