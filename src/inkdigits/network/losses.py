"""Losses: how wrong the answers are, and in which direction less wrong lies.

A loss takes logits (M, N) and labels (N,), and returns the *sum* over the N columns with dL/dlogits
of that sum. Whoever wants a mean divides once, by the number of samples of the whole batch, so the
parts of a batch may be of any size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.network.layers import Array

__all__ = ["Loss", "SoftmaxCrossEntropy", "SquaredError", "softmax"]

Labels = NDArray[np.integer[Any]]
Loss = Callable[[Array, Labels], tuple[float, Array]]


def softmax(logits: Array) -> Array:
    """pₘ = e^zₘ / Σ e^z for each column of (M, N): positive, and each column sums to 1."""
    p: Array = np.exp(logits - logits.max(axis=0))  # the largest exponent is 0: nothing overflows
    p /= p.sum(axis=0)
    return p


@dataclass(frozen=True)
class SoftmaxCrossEntropy:
    """L = −Σ log p(label), p = softmax(logits); dL/dlogits = p − target (docs/derivations.md).

    Args:
        smoothing: the share of the target that is spread evenly over all M answers, so that the
            network is not driven to infinite certainty (Szegedy et al. 2016, section 7).
    """

    smoothing: float = 0.0

    def __call__(self, logits: Array, labels: Labels) -> tuple[float, Array]:
        """The sum of the losses, and dL/dlogits (M, N)."""
        samples = np.arange(logits.shape[1])
        shifted = logits - logits.max(axis=0)
        p = np.exp(shifted)
        total = p.sum(axis=0)
        log_total = np.log(total)  # log p = shifted − log_total, which stays finite where p is 0
        loss = float((log_total - shifted[labels, samples]).sum())
        p /= total  # from here on p is dL/dlogits = p − target
        if self.smoothing:
            spread = float((log_total - shifted.mean(axis=0)).sum())
            loss += self.smoothing * (spread - loss)
            p -= self.smoothing / len(logits)
        p[labels, samples] -= 1 - self.smoothing
        return loss, p


@dataclass(frozen=True)
class SquaredError:
    """L = ½ Σ (y − t)², with t = `high` for the labelled output and `low` for the others.

    The post's loss, with 0.01 and 0.99 where a sigmoid gives y: it never quite reaches 0 or 1.
    """

    low: float = 0.0
    high: float = 1.0

    def __call__(self, outputs: Array, labels: Labels) -> tuple[float, Array]:
        """The sum of the losses, and dL/doutputs = y − t, shape (M, N)."""
        error = outputs - self.low
        error[labels, np.arange(len(labels))] -= self.high - self.low
        return 0.5 * float(np.vdot(error, error)), error
