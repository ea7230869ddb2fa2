"""benchmarks/fit_paths.py: what it makes small is what it says, and the slope is that of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from lattice_help import Numbers, random_lattice, ways, worth

from benchmark_scripts import benchmark
from inkdigits.reading.evidence import FEATURES, PLACES, WEIGHTS
from inkdigits.reading.segment import Lattice


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    with benchmark("fit_paths") as script:
        yield script


def line(seed: int) -> tuple[Lattice, str, Numbers]:
    """A small lattice, what one of its likelier paths says, and weights by which none is sure."""
    chance = np.random.default_rng(seed)
    lattice = random_lattice(chance, 3, share=0.9)
    weights = chance.normal(0, 0.5, len(FEATURES))
    some = sorted(ways(lattice, lattice.scores(weights), 0, 3), key=lambda way: way.score)
    return lattice, some[-1 - seed].text, weights


def slopes(what: Any, weights: Numbers, step: float = 1e-5) -> Numbers:
    """By central differences, one weight at a time."""
    moves = step * np.eye(len(weights))
    return np.array([(what(weights + move) - what(weights - move)) / (2 * step) for move in moves])


@pytest.mark.parametrize("seed", range(4))
def test_the_loss_is_that_of_the_share_of_all_paths_that_say_the_text(
    script: Any, seed: int
) -> None:
    lattice, text, weights = line(seed)
    every = list(ways(lattice, lattice.scores(weights), 0, 3))
    share = np.exp(worth([way for way in every if way.text == text]) - worth(every))
    assert 1e-4 < share < 0.9
    assert script.loss(lattice, text, weights)[0] == pytest.approx(-np.log(share + script.FLOOR))


@pytest.mark.parametrize("seed", range(4))
def test_the_slope_of_the_loss_is_that_of_its_numbers(script: Any, seed: int) -> None:
    lattice, text, weights = line(seed)
    _, slope = script.loss(lattice, text, weights)
    assert np.abs(slope).max() > 1e-3
    expected = slopes(lambda at: script.loss(lattice, text, at)[0], weights)
    # Of float64 numbers near 1, differences over 2e-5 are right to about 1e-10.
    np.testing.assert_allclose(slope, expected, atol=1e-8)


def test_a_text_that_no_path_says_has_a_loss_but_no_slope(script: Any) -> None:
    lattice, _, weights = line(1)
    least, slope = script.loss(lattice, "12345678", weights)
    assert least == pytest.approx(-np.log(script.FLOOR))
    assert not slope.any()


def test_the_mean_holds_some_weights_and_draws_the_others_to_where_they_were(script: Any) -> None:
    lines = [line(seed)[:2] for seed in range(3)]
    weights = WEIGHTS + np.random.default_rng(1).normal(0, 0.3, len(WEIGHTS))
    mean, slope = script.mean_loss(lines, weights)
    losses = [script.loss(*each, weights)[0] for each in lines]
    assert mean > np.mean(losses)
    assert script.mean_loss(lines, WEIGHTS)[0] == pytest.approx(
        np.mean([script.loss(*each, WEIGHTS)[0] for each in lines])
    )
    expected = slopes(lambda at: script.mean_loss(lines, at)[0], weights)
    held = [PLACES[name] for name in script.HELD]
    assert not slope[held].any()
    assert expected[held].any()
    np.testing.assert_allclose(np.delete(slope, held), np.delete(expected, held), atol=1e-8)
