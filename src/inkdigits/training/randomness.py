"""Counted randomness: a generator for each purpose and place, made from their numbers.

Nothing is drawn in passing, so what happens at a step depends on the step's number alone: not on
the threads, and not on whether the run was interrupted before.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

__all__ = ["Purpose", "counted_generator"]


class Purpose(IntEnum):
    """What random numbers are for: one seed serves them all without their meeting."""

    WEIGHTS = 0
    SHUFFLE = 1
    CHUNK = 2
    AUGMENTATION = 3
    NEGATIVES = 4
    MIXTURE = 5


def counted_generator(seed: int, purpose: Purpose, *counters: int) -> np.random.Generator:
    """The generator for (seed, purpose, counters), about 10 µs to make.

    Philox (Salmon et al. 2011) turns a key and a counter into random bits. The key is (seed,
    purpose); the counters, as (epoch) or (chunk, step), fill the counter's upper words, which
    drawing numbers, counting in the lowest, never reaches.
    """
    words = np.zeros(4, np.uint64)
    words[1 : 1 + len(counters)] = counters
    return np.random.Generator(np.random.Philox(key=[seed, purpose], counter=words))
