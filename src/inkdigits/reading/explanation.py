"""An explanation: what the network saw, what its answer hangs on, and what to do, in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkdigits.inspection import Nearest
from inkdigits.reading.advice import CHECKS, NONE, PRESENT, Change, Seen
from inkdigits.reading.digit import DigitReading
from inkdigits.reading.ink import Choices

__all__ = ["Explanation", "Trial", "clear"]

CLEAR = 0.5  # with less confidence a digit is no answer, even where the model would give it
SURE = 0.95  # with more, what could be wrong with the picture does not matter
MOST_MENDING = 3  # changes to speak of


@dataclass(frozen=True, eq=False)
class Trial:
    """A picture read with one decision taken otherwise.

    Args:
        change: which.
        glyph: shape (28, 28), uint8.
        digit: the most probable one; None where nothing stands out from the paper.
        confidence: in it.
        changed: whether it gives a clear answer, and not the one it gave before.
    """

    change: Change
    glyph: NDArray[np.uint8]
    digit: int | None
    confidence: float
    changed: bool

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON, with the one choice that is another."""
        usual = Choices()
        other = {
            field.name: getattr(self.change.choices, field.name)
            for field in fields(Choices)
            if getattr(self.change.choices, field.name) != getattr(usual, field.name)
        }
        return {
            "name": self.change.name,
            "choices": other,
            "digit": self.digit,
            "confidence": self.confidence,
            "changed": self.changed,
        }


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a picture was read as it was.

    Args:
        reading: as usual.
        expected: the digit it should be, if that is known.
        seen: what was measured; None where nothing stands out from the paper.
        trials: every decision taken otherwise, as far as it makes another glyph.
        nearest: training digits that look alike to the network, if it was given any.
        name: what to call the picture in a command; None where none is to be named.
    """

    reading: DigitReading
    expected: int | None
    seen: Seen | None
    trials: list[Trial]
    nearest: Nearest | None
    name: str | None

    @property
    def right(self) -> bool:
        """Whether the answer is clear and, as far as one knows, right."""
        return clear(self.reading) is not None and self.expected in (None, self.reading.digit)

    @property
    def none(self) -> bool:
        """Whether it clearly looks like no digit."""
        return (self.reading.not_a_digit or 0) >= CLEAR

    @property
    def telling(self) -> list[Trial]:
        """The trials that alter the answer, to the expected digit if it is another; surest first.

        Of several that point to one cause it is the surest alone.
        """
        wanted = None if self.expected == clear(self.reading) else self.expected
        found = [
            trial
            for trial in self.trials
            if trial.changed and (wanted is None or trial.digit == wanted)
        ]
        by_cause: dict[str, Trial] = {}
        for trial in sorted(found, key=lambda trial: -trial.confidence):
            by_cause.setdefault(trial.change.why, trial)
        return list(by_cause.values())

    @property
    def looks(self) -> list[str]:
        """What the network saw, in sentences."""
        seen = self.seen
        if seen is None:
            return ["Nothing stands out from the paper."]
        said = [
            f"The ink is {seen.contrast:.0f} of 255 {seen.darker} than its paper, which varies by "
            f"{seen.noise:.0f}.",
            f"The digit is {seen.box[2]} × {seen.box[3]} pixels large. Its strokes are "
            f"{seen.widths}.",
        ]
        if abs(seen.lean_degrees) >= 5:
            said.append(f"It leans {abs(seen.lean_degrees):.0f}° to the {seen.direction}.")
        if seen.lines >= 0.005:
            said.append(f"{percent(seen.lines)} of what stood out was lines, and left out.")
        if seen.left_out >= 0.005:
            said.append(f"{percent(seen.left_out)} of the ink was left out: specks or neighbours.")
        if self.nearest is not None and self.nearest.labels.size:
            said.append(self.alike(self.nearest))
        return said

    def alike(self, found: Nearest) -> str:
        ((label, count),) = Counter(found.labels.tolist()).most_common(1)
        total = len(found.labels)
        kinds = f"{label}s" if count > 1 else a(label)
        share = f"all {total}" if count == total else f"{count} of the {total}"
        return f"Of {found.among:,} training digits, {share} that are most like it are {kinds}."

    @property
    def verdict(self) -> str:
        """What it is to the network, in a sentence."""
        if self.seen is None:
            return "It is an empty picture to the network."
        reading = self.reading
        first, second, *_ = np.argsort(-reading.answers.probabilities[0], kind="stable").tolist()
        sure = f"{percent(reading.confidence)} sure"
        rival = self.expected if self.expected not in (None, first) else second
        share = reading.answers.probabilities[0][rival] * (1 - (reading.not_a_digit or 0))
        if self.none:
            return (
                f"It does not look like a digit, {percent(reading.not_a_digit or 0)} sure; "
                f"of all digits, most like {a(first)}."
            )
        if clear(reading) is None:
            return f"It could be {a(first)} ({percent(reading.confidence)}) or {a(rival)} " + (
                f"({percent(share)})."
            )
        if self.expected in (None, first):
            return f"It looks like {a(first)}, {sure}" + (
                ", as it should." if self.expected == first else "."
            )
        return f"It looks like {a(first)}, {sure}, and not like {a(rival)} ({percent(share)})."

    @property
    def advice(self) -> list[str]:
        """What to do, in sentences; or how firm it is, where it is right as far as one knows.

        Where nobody says what it should be, faults of the picture are told unless it is sure.
        """
        said: dict[str, str] = {}  # by remedy, so that each is named once
        doubted = self.none and self.expected is None and self.seen is not None
        if self.right:
            said[""] = self.firmness
            if self.expected is not None or self.reading.confidence >= SURE:
                return list(said.values())
        else:
            if doubted:
                said[""] = NONE.format(with_what=" with --expected D" if self.name else "")
            for trial in self.telling[:MOST_MENDING]:
                said.setdefault(trial.change.remedy, mended(trial))
        if self.seen is None:
            return [*said.values(), PRESENT]
        for check in CHECKS:
            if check.holds(self.seen):
                sentence = f"{check.words(self.seen)} {check.remedy}"
                if check.final:
                    return [sentence]
                said.setdefault(check.remedy, sentence)
        if not self.telling and not self.right and not doubted:
            label = "D" if self.expected is None else self.expected
            said[""] = (
                "No single change mends it. Write it more clearly, or teach the network your hand"
                + (f": inkdigits teach {self.name} --label {label}" if self.name else ".")
            )
        return list(said.values())

    @property
    def firmness(self) -> str:
        """How much it takes to alter the answer, in a sentence."""
        if not self.telling:
            return f"The reading is firm: none of {len(self.trials)} changes alters it."
        altered = "; ".join(
            f"{trial.change.name} it reads as {trial.digit} ({percent(trial.confidence)})"
            for trial in self.telling[:MOST_MENDING]
        )
        count = sum(trial.changed for trial in self.trials)
        times = "one" if count == 1 else str(count)
        return f"{times.capitalize()} of {len(self.trials)} changes would alter it: {altered}."

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found = self.nearest
        return {
            "seen": None if self.seen is None else asdict(self.seen),
            "expected": self.expected,
            "verdict": self.verdict,
            "trials": [trial.as_data() for trial in self.trials],
            "advice": self.advice,
            "nearest": []
            if found is None
            else [
                {"index": int(index), "label": int(label), "similarity": float(similarity)}
                for index, label, similarity in zip(
                    found.indices, found.labels, found.similarity, strict=True
                )
            ],
        }


def clear(reading: DigitReading) -> int | None:
    """The digit, where it is clear enough to be named."""
    unclear = reading.rejected or reading.confidence < CLEAR
    return None if unclear else reading.digit


def mended(trial: Trial) -> str:
    """What may be the matter if this change gives the right answer, and what to do."""
    change = trial.change
    return (
        f"{change.why}: {change.name} it reads as {trial.digit} ({percent(trial.confidence)}). "
        f"{change.remedy}"
    )


def percent(share: float) -> str:
    return f"{100 * share:.0f} %" if 0.01 < share < 0.99 else f"{100 * share:.1f} %"


def a(digit: int | None) -> str:
    """The digit with its article."""
    return f"an {digit}" if digit == 8 else f"a {digit}"
