"""Schedules: the learning rate over a run, by the share of the run that is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi

__all__ = ["Constant", "Cosine", "OneCycle", "Schedule", "Step", "WarmUp"]

Schedule = Callable[[float], float]


@dataclass(frozen=True)
class Constant:
    """One rate from the first step to the last."""

    rate: float

    def __call__(self, progress: float) -> float:
        """The rate when `progress` of the run, 0 to 1, is done."""
        return self.rate


@dataclass(frozen=True)
class Step:
    """The rate times `factor`, again after every `every` of the run."""

    rate: float
    factor: float = 0.1
    every: float = 1 / 3

    def __call__(self, progress: float) -> float:
        """The rate when `progress` of the run, 0 to 1, is done."""
        stairs = int(progress / self.every + 1e-9)  # 0.6 / 0.2 is 3 less a rounding error
        return self.rate * self.factor**stairs


def cosine(start: float, end: float, progress: float) -> float:
    """From `start` to `end` along half a cosine: flat, steep, flat."""
    return end + (start - end) * (1 + cos(pi * progress)) / 2


@dataclass(frozen=True)
class Cosine:
    """From `rate` down to `end` along half a cosine (Loshchilov and Hutter 2017)."""

    rate: float
    end: float = 0.0

    def __call__(self, progress: float) -> float:
        """The rate when `progress` of the run, 0 to 1, is done."""
        return cosine(self.rate, self.end, progress)


@dataclass(frozen=True)
class WarmUp:
    """`schedule`, times a factor that rises in a line from `start` to 1 during `share` of the run.

    Goyal et al. 2017: large steps are for weights that have left their random beginning. `OneCycle`
    has a rise of its own.
    """

    schedule: Schedule
    share: float = 0.05
    start: float = 1 / 25

    def __call__(self, progress: float) -> float:
        """The rate when `progress` of the run, 0 to 1, is done."""
        rate = self.schedule(progress)
        if progress >= self.share:
            return rate
        return rate * (self.start + (1 - self.start) * progress / self.share)


@dataclass(frozen=True)
class OneCycle:
    """Up from peak · start to `peak` during `warmup` of the run, then down to peak · end.

    Smith and Topin 2018, with the cosine legs that PyTorch made common. A high rate in the middle
    finds a wide valley, the low rate at the end its bottom: good weights in few epochs.
    """

    peak: float
    warmup: float = 0.3
    start: float = 1 / 25
    end: float = 1e-4

    def __call__(self, progress: float) -> float:
        """The rate when `progress` of the run, 0 to 1, is done."""
        if progress < self.warmup:
            return cosine(self.peak * self.start, self.peak, progress / self.warmup)
        done = (progress - self.warmup) / (1 - self.warmup)
        return cosine(self.peak, self.peak * self.end, done)
