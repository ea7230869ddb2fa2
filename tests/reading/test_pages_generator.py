"""The generator of pages: what it says is on a page is there, where it says it is."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from pages import KINDS, WrittenPage, page

from inkdigits.dataset import Dataset
from inkdigits.sources import load

each_kind = pytest.mark.parametrize("kind", KINDS)


@cache
def digits() -> Dataset:
    return load("mnist:validation").subset(range(500))


@cache
def made(kind: str, seed: int) -> WrittenPage:
    chance = np.random.default_rng([seed, list(KINDS).index(kind)])
    return page(kind, digits().images, digits().known_labels, chance)


@pytest.mark.slow
@each_kind
def test_the_same_seed_gives_the_same_page_and_another_one_another(kind: str) -> None:
    one, same, other = made(kind, 1), made.__wrapped__(kind, 1), made(kind, 2)
    assert np.array_equal(one.pixels, same.pixels)
    assert one.lines == same.lines
    assert not np.array_equal(one.pixels, other.pixels)


@pytest.mark.slow
@each_kind
def test_each_digit_has_a_box_in_the_picture_that_holds_its_ink(kind: str) -> None:
    for seed in (1, 2):
        made_page = made(kind, seed)
        height, width, colours = made_page.pixels.shape
        assert colours == 3
        assert width >= 300
        assert height >= 100
        assert made_page.lines
        assert all(made_page.lines)
        grey = made_page.pixels.mean(axis=2)
        for entry in (entry for line in made_page.lines for entry in line):
            assert len(entry.boxes) == len(entry.digits) >= 1
            for x, y, wide, tall in entry.boxes:
                assert 0 <= x < x + wide <= width
                assert 0 <= y < y + tall <= height
                part = grey[y : y + tall, x : x + wide]
                # Ink at all four edges of the box, where the box would be empty if it were off.
                rims = (part[:2], part[-2:], part[:, :2], part[:, -2:])
                paper = np.percentile(part, 5 if kind == "dark" else 95)
                assert all(np.abs(rim - paper).max() > 8 for rim in rims)


@pytest.mark.slow
@each_kind
def test_lines_go_down_and_numbers_to_the_right(kind: str) -> None:
    lines = made(kind, 2).lines
    tops = [np.mean([y for entry in line for _, y, _, _ in entry.boxes]) for line in lines]
    assert all(above < below for above, below in pairwise(tops))
    for line in lines:
        assert all(one.boxes[-1][0] < other.boxes[0][0] for one, other in pairwise(line))


def test_the_numbers_asked_for_are_written_with_their_signs() -> None:
    chance = np.random.default_rng(5)
    texts = [["-12,5", "7"], ["0.08"]]
    written = page(
        "decimals", digits().images, digits().known_labels, chance, texts=texts, height=40
    )
    assert [[entry.text for entry in line] for line in written.lines] == texts
    assert written.lines[0][0].digits == "125"
    assert len(written.lines[0][0].boxes) == 3
