"""Fine-tuning: a model learns a few digits of somebody's own and keeps what it knew.

A network that is shown nothing but new digits forgets the old ones. So each epoch mixes the two: a
part of the data that the model knows, and the own digits, repeated until they make up a fair share.
A fifth of the own digits is not learned from, and tells what was gained.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.dataset import Dataset
from inkdigits.errors import DataError
from inkdigits.evaluation import score_of
from inkdigits.model import Model
from inkdigits.training.randomness import Purpose, counted_generator
from inkdigits.training.recipes import ClassicRecipe, Recipe
from inkdigits.training.schedules import OneCycle

__all__ = ["Lesson", "OwnDigits", "Scores", "gentle"]

Scores = dict[str, dict[str, Any] | None]

KNOWN = 10_000  # digits of the known data in an epoch
SHARE = 0.2  # of an epoch, which the own digits make up
EVERY = 5  # of the own digits one in so many is held out
EPOCHS = 4
PEAK = 0.15  # of the recipe's highest rate


@dataclass(frozen=True, eq=False)
class OwnDigits:
    """Labelled digits of somebody's own: those to learn from, and those held out.

    Args:
        learned: to learn from.
        held_out: to tell what was gained; None where there were too few.
    """

    learned: Dataset
    held_out: Dataset | None

    @classmethod
    def parted(cls, own: Dataset) -> OwnDigits:
        """Holds out every fifth digit, in the order of labels and then of contents.

        So it does not matter in which order the digits come, each label gives its share, and the
        same digit twice, which counts once, cannot be on both sides. Of fewer than five none is
        held out.

        With more digits others are held out. So when some were added, start again from the model
        that knows none of them: one that was taught before may have learned what is held out now.

        Raises:
            DataError: there are no labels, or no digits.
        """
        labels = own.known_labels
        if not len(own):
            raise DataError("expected at least one digit of your own, got none: teach some")
        places = {
            (int(label), hashlib.sha256(image.tobytes()).hexdigest()): index
            for index, (label, image) in enumerate(zip(labels, own.images, strict=True))
        }
        order = np.array([index for _, index in sorted(places.items())])
        held = np.arange(len(order)) % EVERY == EVERY - 1
        return cls(own.subset(order[~held]), own.subset(order[held]) if held.any() else None)

    def mixed(self, known: Dataset, *, seed: int) -> Dataset:
        """What an epoch shows: some of the known digits, and the own ones among them.

        The own digits' part is shared out equally among the labels that they have, but none gets
        more than there are of it among the known ones, if there are any: who teaches sevens alone
        does not want all to be read as sevens. Own digits that are more than that are there once.

        Args:
            known: labelled digits that the model has learned from.
            seed: of which are taken, and of their order.
        """
        generator = counted_generator(seed, Purpose.MIXTURE)
        some = np.sort(generator.permutation(len(known))[:KNOWN])
        mixture = known.subset(some)
        mixture = mixture.joined(self.learned.subset(self.repeated(mixture.counts())))
        return mixture.subset(generator.permutation(len(mixture)))

    def repeated(self, counts: NDArray[np.intp]) -> NDArray[np.intp]:
        """Which of `learned` an epoch shows, each as often as its index is there.

        Args:
            counts: shape (10,), how many known digits of each label an epoch shows.
        """
        labels = self.learned.known_labels
        own = self.learned.counts()
        part = round(SHARE / (1 - SHARE) * counts.sum() / np.count_nonzero(own))
        most = np.where(counts, counts, part)
        wanted = np.maximum(own, np.minimum(part, most))
        places = [np.flatnonzero(labels == label) for label in np.flatnonzero(own)]
        return np.concatenate([np.resize(each, wanted[labels[each[0]]]) for each in places])

    def settings(self) -> dict[str, Any]:
        """What of this decides the outcome, as plain data for a model's card."""
        return {
            "own_digits": len(self.learned),
            "own_data": self.learned.fingerprint,
            "own_share": SHARE,
            "known_digits": KNOWN,
        }


@dataclass(frozen=True)
class Lesson:
    """What a model is taught, and on which digits that shows, before and after.

    Args:
        own: digits to teach.
        exams: by the names that JSON has for them; None where there are no such digits.
    """

    own: OwnDigits
    exams: dict[str, Dataset | None]

    def scores(self, model: Model, threads: int | None) -> Scores:
        """How well `model` does in each exam."""
        return {
            name: None if exam is None else score_of(model.evaluate(exam, threads=threads))
            for name, exam in self.exams.items()
        }


def gentle(recipe: Recipe | ClassicRecipe) -> Recipe | ClassicRecipe:
    """The recipe with a few epochs at a fraction of its rate; all else is its own."""
    if isinstance(recipe, ClassicRecipe):
        return replace(recipe, rate=PEAK * recipe.rate, epochs=1)
    highest = max(recipe.schedule(progress) for progress in np.linspace(0, 1, 201).tolist())
    schedule = OneCycle(peak=PEAK * highest, warmup=0.2, end=0.02)
    return replace(recipe, schedule=schedule, epochs=EPOCHS)
