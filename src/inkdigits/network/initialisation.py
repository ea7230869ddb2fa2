"""Where the weights start: normal numbers of a spread that keeps signals from fading or exploding.

A rule gives the standard deviation for the weights of a layer; biases start at zero.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Spread", "glorot", "he", "post"]

Spread = Callable[[int, int, int], float]


def he(position: int, fan_in: int, fan_out: int) -> float:
    """√(2 / fan_in), for ReLU, which lets half of the signal through (He et al. 2015, eq. 10)."""
    return float((2 / fan_in) ** 0.5)


def glorot(position: int, fan_in: int, fan_out: int) -> float:
    """√(2 / (fan_in + fan_out)), for sigmoid and tanh (Glorot and Bengio 2010, eq. 12)."""
    return float((2 / (fan_in + fan_out)) ** 0.5)


def post(position: int, fan_in: int, fan_out: int) -> float:
    """The post's: inputs^-½ for the first weights (position 0), outputs^-½ for the next."""
    return float((fan_out if position else fan_in) ** -0.5)
