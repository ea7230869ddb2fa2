"""Backquery: what the network imagines when it is told the answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inkdigits.classic import TARGET_HIGH, TARGET_LOW
from inkdigits.dataset import DIGITS
from inkdigits.network import (
    Dense,
    Dropout,
    Flatten,
    Network,
    Rescale,
    Sigmoid,
    SoftmaxCrossEntropy,
)
from inkdigits.network.layers import Array

__all__ = ["imagined_digits"]

ASCENT_STEPS = 60
ASCENT_STEP = 16.0  # grey levels that the most sensitive pixel moves in a step
FADE = 0.97  # of all ink after each step: pixels that do not matter go back to paper
BLEED = 0.15  # of each pixel's ink to each of its four neighbours, twice a step: lines, not dots


def imagined_digits(network: Network) -> NDArray[np.uint8]:
    """A picture of each digit as the network imagines it, shape (10, 28, 28), uint8.

    The post's kind of network is run backwards as in Rashid's book; for any other, a blank sheet is
    changed step by step to what looks more like the digit.
    """
    kinds = [type(layer) for layer in network.layers]
    biased = any("bias" in layer.shapes for layer in network.layers)
    if kinds == [Rescale, Flatten, Dense, Sigmoid, Dense] and not biased:
        return run_backwards(network)
    return climbed(network)


def run_backwards(network: Network) -> NDArray[np.uint8]:
    """Rashid's backquery: from the wanted outputs through the transposed weights to the pixels.

    The sigmoid is undone by its inverse, ln(y / (1 − y)); the weights have none, so their transpose
    stands in, and signals are brought back into the sigmoid's range between the layers.
    """
    wih, who = (v["weight"] for v in network.views(network.parameters) if v)
    wanted = np.full((DIGITS, DIGITS), TARGET_LOW)
    np.fill_diagonal(wanted, TARGET_HIGH)  # a column for each digit
    hidden = stretched(who.T @ logit(wanted))
    pixels = stretched(wih.T @ logit(hidden))
    return (pixels.T.reshape(-1, 28, 28) * 255).round().astype(np.uint8)


def logit(y: Array) -> Array:
    """The x for which σ(x) = y."""
    x: Array = np.log(y / (1 - y))
    return x


def stretched(signals: Array) -> Array:
    """Each column moved and scaled to run from 0.01 to 0.99."""
    low, high = signals.min(axis=0), signals.max(axis=0)
    spread = np.where(high > low, high - low, 1)  # a single hidden unit has none
    y: Array = 0.01 + 0.98 * (signals - low) / spread
    return y


def climbed(network: Network) -> NDArray[np.uint8]:
    """Gradient ascent from a blank sheet on ln p(digit), all ten digits at once.

    Simonyan et al. 2014, section 2, with ink that fades and bleeds in the place of their penalty:
    without it the network's answer is as sure, and the picture is noise.
    """
    kept = [layer for layer in network.layers if not isinstance(layer, Dropout)]
    whole = Network(kept, input_shape=network.input_shape, dtype=network.dtype)
    whole.parameters[:] = network.parameters  # dropout has none
    network = whole
    sheets = np.zeros((*network.input_shape, DIGITS), network.dtype)
    digits = np.arange(DIGITS)
    for _ in range(ASCENT_STEPS):
        logits, backward = network.forward(sheets, network.contexts(wants_dx=True))
        _, d_logits = SoftmaxCrossEntropy()(logits, digits)
        d_sheets = backward(d_logits, network.views(np.empty_like(network.parameters)))
        assert d_sheets is not None, "asked for with wants_dx"
        strongest = np.abs(d_sheets).max(axis=(0, 1)) + np.finfo(network.dtype).tiny
        sheets -= ASCENT_STEP * d_sheets / strongest
        sheets = bled(bled(sheets * FADE))
        np.clip(sheets, 0, 255, out=sheets)
    sheets *= 255 / np.maximum(sheets.max(axis=(0, 1)), 1)
    return np.ascontiguousarray(sheets.transpose(2, 0, 1)).round().astype(np.uint8)


def bled(sheets: Array) -> Array:
    """Sheets (28, 28, N) whose ink has run a little into the neighbouring pixels."""
    padded = np.pad(sheets, ((1, 1), (1, 1), (0, 0)))
    vertical = padded[2:, 1:-1] + padded[:-2, 1:-1]
    horizontal = padded[1:-1, 2:] + padded[1:-1, :-2]
    y: Array = (1 - 4 * BLEED) * sheets + BLEED * (vertical + horizontal)
    return y
