"""Optimizers, from the plain step to the adaptive one, each on one flat vector.

A network's parameters are one vector, so is their gradient, and so are the optimizer's memories:
every rule is a few lines, and works on any slice of the vectors alike (threads take slices).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from inkdigits.network.layers import Array

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]


class Optimizer(Protocol):
    """How a gradient moves the parameters."""

    slots: ClassVar[int]

    def step(
        self,
        parameters: Array,
        gradient: Array,
        memory: Array,
        decay: Array,
        *,
        rate: float,
        count: int,
    ) -> None:
        """Moves `parameters` (P,) and updates `memory` (slots, P), both in place.

        Args:
            parameters: shape (P,), or a slice of it with the same slice of the others.
            gradient: shape (P,), dL/dparameters of the batch's mean loss; overwritten.
            memory: shape (slots, P), zeros before the first step.
            decay: shape (P,), bool, where weight decay applies: weights, not biases.
            rate: the learning rate of this step.
            count: the number of this step, from 1.
        """


def add_penalty(gradient: Array, parameters: Array, decay: Array, l1: float, l2: float) -> None:
    """Adds to `gradient` that of l1 · Σ|w| + ½ l2 · Σw² over the decayed parameters."""
    if l1:
        gradient += l1 * np.sign(parameters) * decay
    if l2:
        gradient += l2 * parameters * decay


@dataclass(frozen=True)
class SGD:
    """v ← momentum · v + g;  w ← w − rate · v, or − rate · (g + momentum · v) with `nesterov`.

    Sutskever et al. 2013, in the form PyTorch made common. momentum = 0 is w ← w − rate · g.
    """

    momentum: float = 0.0
    nesterov: bool = False
    l1: float = 0.0
    l2: float = 0.0

    slots: ClassVar[int] = 1

    def step(
        self,
        parameters: Array,
        gradient: Array,
        memory: Array,
        decay: Array,
        *,
        rate: float,
        count: int,
    ) -> None:
        add_penalty(gradient, parameters, decay, self.l1, self.l2)
        velocity = memory[0]
        velocity *= self.momentum
        velocity += gradient
        if self.nesterov:
            gradient += self.momentum * velocity
            gradient *= rate
        else:
            np.multiply(velocity, rate, out=gradient)
        parameters -= gradient


@dataclass(frozen=True)
class Adam:
    """w ← w − rate · m̂ / (√v̂ + ε), with m, v the running means of g and g² (Kingma and Ba 2015).

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) undo the pull of the zeros they start from. The memory
    keeps m / (1 − β₁) and v / (1 − β₂), which saves two passes over the vectors; the factors come
    back in the two scalars of the last lines.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    l1: float = 0.0
    l2: float = 0.0

    slots: ClassVar[int] = 2

    def step(
        self,
        parameters: Array,
        gradient: Array,
        memory: Array,
        decay: Array,
        *,
        rate: float,
        count: int,
    ) -> None:
        add_penalty(gradient, parameters, decay, self.l1, self.l2)
        mean, square = memory
        mean *= self.beta1
        mean += gradient
        square *= self.beta2
        square += np.multiply(gradient, gradient, out=gradient)
        root = np.sqrt(square, out=gradient)
        mean_factor = (1 - self.beta1) / (1 - self.beta1**count)
        root_factor = ((1 - self.beta2) / (1 - self.beta2**count)) ** 0.5
        root += self.epsilon / root_factor
        step = np.divide(mean, root, out=root)
        step *= rate * mean_factor / root_factor
        parameters -= step


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam, and w ← w − rate · weight_decay · w beside it (Loshchilov and Hutter 2019)."""

    weight_decay: float = 0.01

    def step(
        self,
        parameters: Array,
        gradient: Array,
        memory: Array,
        decay: Array,
        *,
        rate: float,
        count: int,
    ) -> None:
        parameters -= rate * self.weight_decay * parameters * decay
        super().step(parameters, gradient, memory, decay, rate=rate, count=count)
