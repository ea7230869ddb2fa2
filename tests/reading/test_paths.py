"""Paths: what is worked out place by place is what trying every path would give."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice_help import Way, random_lattice, ways, worth

from inkdigits.reading.evidence import WEIGHTS
from inkdigits.reading.paths import Path, all_digits, best_path, worth_between, worth_of
from inkdigits.reading.segment import DIGIT, OTHER, SIGN, Lattice


def tried(
    seed: int, count: int = 3, roles: tuple[str, ...] = (DIGIT, SIGN, OTHER)
) -> tuple[Lattice, Path, list[Way]]:
    lattice = random_lattice(np.random.default_rng(seed), count, roles=roles)
    path = best_path(lattice)
    return lattice, path, list(ways(lattice, path.scores, 0, count))


seeds = st.integers(0, 10_000)


@settings(max_examples=30)
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


@settings(max_examples=30)
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


@pytest.mark.slow
@settings(max_examples=12)
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


@settings(max_examples=30)
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


@pytest.mark.slow
@settings(max_examples=30)
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
    kept = [each.last < 3 for each in lattice.candidates]
    lattice.candidates = [each for each in lattice.candidates if each.last < 3]
    lattice.features = lattice.features[np.array(kept)]
    assert best_path(lattice).steps == []


def test_something_else_between_digits_says_nothing_and_silences_no_digit() -> None:
    met = 0
    for seed in range(300):
        path = best_path(random_lattice(np.random.default_rng(seed), 6))
        roles = [step.candidate.role for step in path.steps]
        digits = [step for step in path.steps if step.candidate.role == DIGIT]
        if OTHER not in roles or roles[0] != DIGIT or roles[-1] != DIGIT:
            continue
        met += 1
        assert 0 < path.probability(digits) <= 1
    assert met > 3
