"""Hints: what is off with a run, and the setting that mends it.

A hint is worth little if it speaks too often. So each asks for more than one sign, none looks at a
run that has hardly begun, and the recipes' own runs bring none at all (the tests train them). What
a hint says is for the page: here it has a kind, and the numbers that it goes by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

__all__ = ["Hint", "Seen", "hints"]

SAMPLE = 1_000  # digits, of those learned from and of validation, that a point looks at
HIGHEST_RATE, LOWEST_RATE = 10.0, 1e-6  # that may be set

WINDOW = 3  # points whose median counts as one: a single batch may be hard
RISE, LEAST_RISE = 1.5, 0.2  # times the least loss, and that much more: it rises
FALL = 0.15  # of the first loss: less in a whole epoch is hardly a fall
CHANCE = 0.2  # accuracy: a network below has learned nothing
UNIFORM = math.log(10)  # the cross-entropy of ten answers that are equally likely
GUESSING = 0.5  # accuracy: a network above learns, however its loss falls
FEW_WRONG = 0.3  # share of wrong labels up to which the loss tells how well it learns
DEAD = 0.4  # share of a layer's units
APART = 0.03  # accuracy on digits learned from and on others; a good dense network ends 0.02 apart
NOISE = 3.0  # standard errors of an accuracy on `SAMPLE` digits: it is off by less than that
TRIED = 0.2  # of the highest rate: below, smaller steps have been tried
WORSE = 1.1  # times the least loss on validation
FEW = 10_000  # images
FADED = 0.01  # the first layer's gradient, of the last's
STILL = 3  # epochs without a gain
GAIN = 0.0005  # of accuracy: five of the 10,000 validation digits


@dataclass(frozen=True)
class Hint:
    """Something that is off.

    Args:
        kind: rate_too_high, rate_too_low, dead_units, overfitting, few_images, vanishing_gradient
            or learned.
        values: the numbers it goes by.
        fix: what mends it: {"change": …} for the run as it goes on, {"settings": …} to change in
            the settings of a new one; None where nothing here does.
    """

    kind: str
    values: dict[str, float]
    fix: dict[str, Any] | None

    def as_data(self) -> dict[str, Any]:
        return {"kind": self.kind, "values": self.values, "fix": self.fix}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known of a run.

    Args:
        points: what the journal has of them, the oldest first.
        epochs: as the journal has them.
        changed: step of the last change of augmentation, which moves the loss by itself; or 0.
        layers: the latest figures of the layers (`inspection.layer_figures`).
        kinds: names of all layers.
        rate: the present learning rate, or the last.
        peak: the highest of the present schedule, which is the rate that settings give; None for
            the same.
        augmentation: its name.
        images: that it learns from.
        wrong_labels: share of them.
        network: settings of the network, if it was built in the lab.
        steps_per_epoch: of the run.
        diverged: whether it ended so.
        running: whether changes are still possible.
    """

    points: Sequence[Mapping[str, Any]]
    epochs: Sequence[Mapping[str, Any]] = ()
    changed: int = 0
    layers: Sequence[Mapping[str, Any]] = ()
    kinds: Sequence[str] = ()
    rate: float = 0.01
    peak: float | None = None
    augmentation: str = "none"
    images: int = 50_000
    wrong_labels: float = 0.0
    network: Mapping[str, Any] | None = None
    steps_per_epoch: int = 100
    diverged: bool = False
    running: bool = True
    losses: list[float] = field(init=False)

    def __post_init__(self) -> None:
        since = [point["loss"] for point in self.points if point["step"] > self.changed]
        smooth = [median(since[i : i + WINDOW]) for i in range(len(since) - WINDOW + 1)]
        object.__setattr__(self, "losses", smooth)

    @property
    def latest(self) -> Mapping[str, Any]:
        return self.points[-1]

    @property
    def guesses(self) -> bool:
        """Whether it reads no better than a network that has hardly learned."""
        return bool(self.latest["validation_accuracy"] < GUESSING)

    @property
    def highest(self) -> float:
        """The highest rate of the present schedule."""
        return self.rate if self.peak is None else self.peak

    def fix(self, **values: Any) -> dict[str, Any]:
        """New values: for the run as it goes on, or where it has ended for another one."""
        return {"change" if self.running else "settings": values}

    def fix_rate(self, factor: float) -> dict[str, Any]:
        """Another rate: of the present one, or where the run has ended of that it was given."""
        return self.fix(rate=times(self.rate if self.running else self.highest, factor))

    def another_rate(self, factor: float) -> dict[str, Any]:
        """Another rate for another run: a schedule may have brought down the present one."""
        return another(rate=times(self.highest, factor))


def times(rate: float, factor: float) -> float:
    """A rate times a factor, to two digits and within the bounds."""
    return float(f"{min(HIGHEST_RATE, max(LOWEST_RATE, rate * factor)):.2g}")


def hints(seen: Seen) -> list[Hint]:
    """What is off, the gravest first."""
    if seen.diverged:
        return [Hint("rate_too_high", {"rate": seen.highest}, seen.another_rate(0.1))]
    if not seen.points:
        return []
    high = rate_too_high(seen)
    found = [
        dead_units(seen),
        # Steps that are too wide leave flat bends where they are flattest.
        None if high is not None else vanishing_gradient(seen),
        high,
        few_images(seen),
        overfitting(seen),
        learned(seen),
    ]
    grave = [hint for hint in found if hint is not None]
    slow = None if grave else rate_too_low(seen)  # what keeps it from learning comes first
    return grave if slow is None else [slow]


def another(**values: Any) -> dict[str, Any]:
    """New values for another run."""
    return {"settings": values}


def rate_too_high(seen: Seen) -> Hint | None:
    """The loss is well above where it was, and has stayed there; or never left the guessing."""
    if len(seen.losses) < 2 * WINDOW:
        return None
    least, last = min(seen.losses[:-WINDOW]), min(seen.losses[-WINDOW:])
    if seen.latest["validation_accuracy"] < CHANCE and not seen.changed:
        # The first steps threw it out already; later ones may only have brought the loss back.
        least, last = min(least, seen.points[0]["loss"]), max(seen.losses)
    if last < RISE * least or last - least < LEAST_RISE:
        return None
    values = {"rate": seen.highest, "loss": last, "least": least}
    return Hint("rate_too_high", values, seen.fix_rate(0.1))


def rate_too_low(seen: Seen) -> Hint | None:
    """After an epoch the loss has hardly fallen, but it falls."""
    if seen.latest["step"] < seen.steps_per_epoch or len(seen.losses) < 2 * WINDOW:
        return None
    first, last = seen.points[0]["loss"], seen.losses[-1]
    learns = not seen.guesses or seen.wrong_labels > FEW_WRONG
    # Where it starts above uniform guessing, the way down to that is no reading yet.
    squared = seen.network is not None and seen.network.get("loss") == "squared-error"
    guess = first if squared else min(first, UNIFORM)
    if learns or not (1 - FALL) * guess < last <= first:
        return None
    values = {"rate": seen.highest, "loss": last, "first": first}
    return Hint("rate_too_low", values, seen.fix_rate(10))


def dead_units(seen: Seen) -> Hint | None:
    """Many units of a layer are 0 for every digit: nothing goes through them, and no gradient."""
    worst = max(
        (figures for figures in seen.layers if "dead" in figures),
        key=lambda figures: float(figures["dead"]),
        default=None,
    )
    if worst is None or worst["dead"] <= DEAD:
        return None
    values = {"layer": worst["layer"], "share": worst["dead"]}
    if seen.network is not None:  # units that are dead stay so: a new run, with others
        network = {**seen.network, "activation": "leaky-relu"}
        return Hint("dead_units", values, another(network=network))
    return Hint("dead_units", values, seen.another_rate(0.3))


def vanishing_gradient(seen: Seen) -> Hint | None:
    """Next to nothing of the last layer's gradient comes through flat bends to the first."""
    learning = [figures for figures in seen.layers if "gradient_norm" in figures]
    if not {"Sigmoid", "Tanh"} & set(seen.kinds) or len(learning) < 3:
        return None
    first, last = learning[0]["gradient_norm"], learning[-1]["gradient_norm"]
    if not seen.guesses or not 0 <= first < FADED * last:
        return None
    values = {"first": first, "last": last}
    if seen.network is None:
        return Hint("vanishing_gradient", values, None)
    network = {**seen.network, "activation": "relu"}
    return Hint("vanishing_gradient", values, another(network=network))


def few_images(seen: Seen) -> Hint | None:
    """So few digits were learned by heart: more of them teach what digits have in common."""
    apart = distance(seen)
    if seen.images >= FEW or apart is None:
        return None
    more = another(images=min(50_000, 10 * seen.images))
    return Hint("few_images", {"images": seen.images, "apart": apart}, more)


def overfitting(seen: Seen) -> Hint | None:
    """It gets better at the digits that it learns from, and no better or worse at others."""
    apart, worse = distance(seen), worsening(seen)
    if worse is None and apart is None:
        return None
    values = {} if apart is None else {"apart": apart}
    if worse is not None:
        values |= {"least": worse[0], "validation_loss": worse[1]}
    mended = seen.augmentation != "none"
    return Hint("overfitting", values, None if mended else seen.fix(augmentation="hand"))


def distance(seen: Seen) -> float | None:
    """How much better it reads digits that it learns from than all of validation's; None where it
    is not clear that it does.
    """
    if not seen.epochs:
        return None
    last = seen.epochs[-1]
    ended = [point for point in seen.points if point["step"] <= last["step"]]
    if not ended or "accuracy" not in last or ended[-1]["accuracy"] < GUESSING:
        return None
    apart = float(ended[-1]["accuracy"] - last["accuracy"])
    noise = math.sqrt(last["accuracy"] * (1 - last["accuracy"]) / SAMPLE)
    return apart if apart > max(APART, NOISE * noise) else None


def worsening(seen: Seen) -> tuple[float, float] | None:
    """The least loss on validation and the present, where it has been worse for some points."""
    points = [point for point in seen.points if point["step"] > seen.changed]
    if len(points) <= 2 * WINDOW or points[-1]["epoch"] < 2 or seen.guesses:
        return None
    best = min(points[:-WINDOW], key=lambda point: float(point["validation_loss"]))
    since = min(float(point["validation_loss"]) for point in points[-WINDOW:])
    falls = median(point["loss"] for point in points[-WINDOW:]) < best["loss"]
    least = float(best["validation_loss"])
    return (least, since) if falls and since > WORSE * least + 0.01 else None


def learned(seen: Seen) -> Hint | None:
    """Some epochs have brought nothing: another like them will not either."""
    accuracies = [epoch["accuracy"] for epoch in seen.epochs if "accuracy" in epoch]
    if len(accuracies) <= STILL + 1 or accuracies[-1] < GUESSING:
        return None
    before, since = max(accuracies[:-STILL]), max(accuracies[-STILL:])
    if since > before + GAIN:
        return None
    values = {"epochs": float(STILL), "accuracy": since}
    tried = seen.rate < TRIED * seen.highest
    return Hint("learned", values, None if tried else seen.fix_rate(0.2))
