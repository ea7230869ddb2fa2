"""Findings: what takes long to find out about a model, found when it is first asked for, then kept.

Several views ask for the same, and several requests at a time: the second waits for the first.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import Dataset
from inkdigits.inspection import (
    Excitement,
    Exciting,
    Nearest,
    Neighbourhood,
    excitement,
    exciting,
    imagined_digits,
)
from inkdigits.inspection.activations import checked_unit
from inkdigits.inspection.nearest import all_but_the_last_word
from inkdigits.model import Answers, Model
from inkdigits.sources import load

__all__ = ["LEARNED", "SEEN", "Findings", "Shelf"]

SEEN = "mnist:validation"  # what units are excited by and answers are counted on
LEARNED = "mnist:train50"  # among which the nearest digits are found
MODELS_KEPT = 4
LAYERS_KEPT = 4
COMPARED = 10_000  # digits that a glyph is compared with, at most: half a second for the reader,
COMPARED_BYTES = 64 << 20  # and fewer where a network without pooling has thousands of features
UNITS_KEPT = 256  # of a layer, 20 MB: those of a wider one are asked for one by one

T = TypeVar("T")
Pixels = NDArray[np.uint8]


class Shelf(Protocol):
    """Where models are found by name."""

    def model(self, name: str) -> Model:
        """The model of this name, or an InkdigitsError."""


class Kept(Generic[T]):
    """A few results, each found once even where several ask at a time; the oldest is let go.

    Args:
        limit: how many.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, Future[T]] = OrderedDict()

    def get(self, key: Hashable, find: Callable[[], T]) -> T:
        """What was found under `key`, or what `find` finds; its errors are raised and not kept."""
        with self._lock:
            future = self._found.get(key)
            first = future is None
            if future is None:
                future = self._found[key] = Future()
            self._found.move_to_end(key)
            while len(self._found) > self._limit:
                self._found.popitem(last=False)
        if first:
            try:
                future.set_result(find())
            except BaseException as error:
                with self._lock:
                    if self._found.get(key) is future:
                        del self._found[key]
                future.set_exception(error)
        return future.result()


class Findings:
    """What was found out about the models of a shelf, for any number of threads.

    A model is known by its weights: one that has learned more is a new one.

    Args:
        shelf: of the models.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._data: Kept[Dataset] = Kept(3)
        self._logits: Kept[NDArray[np.float64]] = Kept(MODELS_KEPT)
        self._imagined: Kept[Pixels] = Kept(MODELS_KEPT)
        self._neighbourhoods: Kept[Neighbourhood] = Kept(MODELS_KEPT)
        self._excitements: Kept[Excitement] = Kept(LAYERS_KEPT)

    def digits(self, name: str) -> Dataset:
        """The embedded digits of this name."""
        return self._data.get(name, lambda: load(name))

    def nearest(self, name: str, glyph: Pixels, count: int) -> Nearest:
        """The digits of `LEARNED` that look most like the glyph to the model of this name."""
        model = self.shelf.model(name)

        def gathered() -> Neighbourhood:
            learned = self.digits(LEARNED)
            features = all_but_the_last_word(model.network).answers
            compared = COMPARED_BYTES // (features * model.network.dtype.itemsize)
            every = math.ceil(len(learned) / max(1, min(COMPARED, compared)))
            return Neighbourhood(model.network, learned, every=every)

        return self._neighbourhoods.get(known_by(model), gathered).nearest(glyph, count)

    def answers(self, name: str) -> Answers:
        """What the model of this name says of `SEEN`."""
        model = self.shelf.model(name)
        logits = self._logits.get(known_by(model), lambda: model.logits(self.digits(SEEN).images))
        return model.answers_from(logits)

    def imagined(self, name: str) -> Pixels:
        """Each digit as the model of this name imagines it, shape (10, 28, 28)."""
        model = self.shelf.model(name)
        return self._imagined.get(known_by(model), lambda: imagined_digits(model.network))

    def exciting(self, name: str, layer: int, unit: int, count: int) -> Exciting:
        """Which of `SEEN` excite a unit most. All units of a layer are found in the same time."""
        model = self.shelf.model(name)
        shape = checked_unit(model.network, layer, unit)
        images = self.digits(SEEN).images
        if len(shape) != 2 and shape[0] > UNITS_KEPT:
            return exciting(model.network, images, layer, unit, count)
        key = (*known_by(model), layer)
        return self._excitements.get(key, lambda: excitement(model.network, images, layer)).of(
            unit, count
        )


def known_by(model: Model) -> tuple[str, str]:
    """What tells models apart: weights, and what they are the weights of."""
    return model.fingerprint, repr(model.network)
