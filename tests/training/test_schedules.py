"""Schedules begin and end where they say, and go between as PyTorch's do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inkdigits.training.schedules import Constant, Cosine, OneCycle, Schedule, Step, WarmUp

GOLDEN = Path(__file__).parents[1] / "network" / "golden.json"


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("cosine", Cosine(0.5, end=0.01)),
        ("step", Step(0.5, factor=0.3, every=1 / 5)),
        ("one cycle", OneCycle(0.5, warmup=0.3, start=1 / 25, end=1e-4)),
    ],
)
def test_pytorch_goes_the_same_way(name: str, schedule: Schedule) -> None:
    """1e-12: some of PyTorch's rates are made from those of the step before."""
    expected = json.loads(GOLDEN.read_text())["schedules"][name]
    last = len(expected) - 1
    found = [schedule(step / last) for step in range(last + 1)]
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("schedule", "first", "last"),
    [
        (Constant(0.5), 0.5, 0.5),
        (Step(0.5, factor=0.1, every=0.5), 0.5, 0.005),
        (Cosine(0.5), 0.5, 0.0),
        (Cosine(0.5, end=0.1), 0.5, 0.1),
        (OneCycle(0.5), 0.02, 0.00005),
        (OneCycle(0.5, start=0.1, end=0.01), 0.05, 0.005),
        (OneCycle(0.5, warmup=0.0), 0.5, 0.00005),
    ],
    ids=str,
)
def test_first_and_last_rate_are_those_that_were_named(
    schedule: Schedule, first: float, last: float
) -> None:
    """1e-15: an end below 1e-16 of the start is lost in the sum of the two."""
    assert schedule(0.0) == pytest.approx(first, abs=1e-15)
    assert schedule(1.0) == pytest.approx(last, abs=1e-15)


@pytest.mark.parametrize("warmup", [0.1, 0.3, 0.5, 0.9])
def test_one_cycle_rises_to_its_peak_and_falls_from_there(warmup: float) -> None:
    schedule = OneCycle(0.5, warmup=warmup)
    up = [schedule(progress) for progress in np.linspace(0, warmup, 50)]
    down = [schedule(progress) for progress in np.linspace(warmup, 1, 50)]
    assert up[-1] == down[0] == 0.5
    assert all(np.diff(up) > 0)
    assert all(np.diff(down) < 0)


def test_cosine_falls_slowly_then_fast_then_slowly() -> None:
    rates = [Cosine(1.0)(progress) for progress in np.linspace(0, 1, 101)]
    falls = -np.diff(rates)
    assert all(falls > 0)
    assert rates[50] == pytest.approx(0.5, abs=1e-15)
    # Half a cosine is steepest in the middle, with a slope of π/2.
    assert falls[49] == pytest.approx(np.pi / 2 / 100, rel=0.001)
    assert falls[0] < falls[25] < falls[49] > falls[74] > falls[99]


@pytest.mark.parametrize("stairs", [1, 2, 3, 5, 7, 10])
def test_step_goes_down_at_the_very_step_it_should(stairs: int) -> None:
    """Counted in whole numbers, for runs of every length: a share such as .6/.2 is below 3."""
    schedule = Step(1.0, factor=0.5, every=1 / stairs)
    for steps in range(1, 120):
        found = [schedule(step / steps) for step in range(steps)]
        assert found == [0.5 ** (step * stairs // steps) for step in range(steps)]


def test_warm_up_rises_in_a_line_and_then_is_the_schedule_it_was_given() -> None:
    schedule = WarmUp(Cosine(0.5), share=0.2, start=0.1)
    assert schedule(0.0) == pytest.approx(0.1 * 0.5)
    assert schedule(0.1) == pytest.approx((0.1 + 0.9 / 2) * Cosine(0.5)(0.1))
    for progress in (0.2, 0.5, 0.99):
        assert schedule(progress) == Cosine(0.5)(progress)
    assert WarmUp(Constant(2.0), share=0.0)(0.0) == 2.0
    just_before = WarmUp(Constant(2.0))(0.05 - 1e-9)
    assert just_before == pytest.approx(2.0, rel=1e-6)
