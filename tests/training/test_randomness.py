"""Random numbers depend on what they are for and where they are, and on nothing else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from inkdigits.training.randomness import Purpose, counted_generator

# Enough to tell streams apart, as many as a chunk's dropout may draw; of 64-bit numbers that many
# collide by chance once in 10⁸ runs or less.
DRAWN = 20_000


def drawn(
    seed: int, purpose: Purpose, *counters: int
) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return counted_generator(seed, purpose, *counters).bit_generator.random_raw(DRAWN)


def test_the_same_place_has_the_same_numbers() -> None:
    for key in [(0, Purpose.WEIGHTS), (1, Purpose.SHUFFLE, 3), (2**32 - 1, Purpose.CHUNK, 5, 7)]:
        assert np.array_equal(drawn(*key), drawn(*key))


@pytest.mark.slow
def test_no_two_places_have_a_number_in_common() -> None:
    """Neither at the same position nor shifted: streams that overlapped would share most of it."""
    places = [
        *itertools.product([0, 1, 2, 2**32 - 1], [Purpose.WEIGHTS]),
        *itertools.product([0, 1, 2], [Purpose.SHUFFLE], [0, 1, 2]),
        *itertools.product(
            [0, 1, 2], [Purpose.CHUNK, Purpose.AUGMENTATION], [0, 1, 2], [0, 1, 2, 1000]
        ),
    ]
    numbers = np.concatenate([drawn(*place) for place in places])
    assert len(np.unique(numbers)) == len(places) * DRAWN


def test_drawing_leaves_the_global_generator_alone() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    drawn(1, Purpose.CHUNK, 2, 3)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_the_numbers_are_those_that_models_were_trained_with() -> None:
    """A seed on a card must mean the same in every version: these were drawn in the first."""
    assert drawn(1, Purpose.WEIGHTS)[:2].tolist() == [5599841837815857887, 15655913098571550255]
    assert drawn(1, Purpose.SHUFFLE, 3)[:2].tolist() == [4667677152979659685, 7966813168356932628]
    assert drawn(1, Purpose.CHUNK, 5, 7)[:2].tolist() == [
        13073920728879541561,
        16023593874666753933,
    ]
    assert drawn(1, Purpose.AUGMENTATION, 5, 7)[:2].tolist() == [
        12055175181331815003,
        17675507263827017107,
    ]
