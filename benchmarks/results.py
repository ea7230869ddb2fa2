"""What the two measurements of the reader share: bars, a model's pedigree, docs/results.md.

Import harness first, as everywhere here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import harness

from inkdigits.model import Model
from inkdigits.sources import load
from inkdigits.sources.mnist import PARTS

DOCUMENT = harness.ROOT / "docs" / "results.md"
NONE = "–"  # in a table: there is nothing to say


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What a figure has to reach.

    Args:
        name: the figure's, as `measure` calls it.
        at_least: the bar where more is better; None where there is none.
        at_most: the bar where less is better; None where there is none.
        form: how figure and bar are written.
    """

    name: str
    at_least: float | None = None
    at_most: float | None = None
    form: str = "{:.2f}"

    def row(self, measured: float | None) -> list[str]:
        """Name, figure, bar, and whether it is met."""
        figure = "not measured" if measured is None else self.form.format(measured)
        for sign, bar in (("≥", self.at_least), ("≤", self.at_most)):
            if bar is not None:
                met = measured is not None and (measured >= bar if sign == "≥" else measured <= bar)
                return [
                    self.name,
                    figure,
                    f"{sign} {self.form.format(bar)}",
                    "yes" if met else "no",
                ]
        return [self.name, figure, NONE, NONE]


def bars_table(bars: Iterable[Bar], figures: Mapping[str, float]) -> str:
    """A row for each bar: what was measured, and whether that is enough."""
    rows = [bar.row(figures.get(bar.name)) for bar in bars]
    return harness.table(["figure", "measured", "bar", "met?"], rows)


def ways_table(
    bars: Mapping[str, Iterable[Bar]], figures: Mapping[str, Mapping[str, float]]
) -> str:
    """The same figures of several ways to read, side by side; each way has bars of its own."""
    rows = []
    for row in zip(*bars.values(), strict=True):
        cells = [
            bar.row(figures[way].get(bar.name))[1:] for way, bar in zip(bars, row, strict=True)
        ]
        rows.append([row[0].name, *(cell for own in cells for cell in own)])
    header = [cell for way in bars for cell in (way, "bar", "met?")]
    return harness.table(["figure", *header], rows)


def per_cent(share: float | None, digits: int = 2) -> str:
    return NONE if share is None else f"{100 * share:.{digits}f} %"


def span(interval: tuple[float, float], digits: int = 2) -> str:
    """An interval of shares, in per cent."""
    return " – ".join(f"{100 * end:.{digits}f}" for end in interval)


def pedigree(model: Model) -> str:
    """Which model it is and how it was trained, by its card."""
    card = model.card
    names = (name for name in PARTS if name != "mnist" and load(name).fingerprint == card.data)
    data = next(names, f"data {card.data[:12]}")
    calibration = card.calibration
    threshold = "no threshold" if not calibration else f"threshold {calibration['threshold']:.4f}"
    return (
        f"Model {model.fingerprint[:12]}, {threshold}: recipe `{card.recipe}`, seed {card.seed}, "
        f"{card.epochs} epochs on {data} in {card.seconds:,.0f} s, inkdigits {card.version}."
    )


def publish(
    name: str, command: str, measure: Callable[[], str], *, write: bool, timed: bool = True
) -> None:
    """Prints what `measure` found; with `write`, also puts it into docs/results.md."""
    harness.publish(name, measure, command=command, document=DOCUMENT, write=write, timed=timed)
