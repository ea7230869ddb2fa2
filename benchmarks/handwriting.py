"""How well pictures are read that others made: digits from many hands, and what is no digit.

Run it with `python benchmarks/handwriting.py MANIFEST`. Each picture is read twice: as plain
`inkdigits read` does, which is the front door and what the README tells of, and with `--single`.

MANIFEST is a CSV file with the columns path (below the manifest's folder), kind and label; others
are not looked at. Of kind `isolated` is a picture of one digit, of kind `ood` one that shows no
digit; `number`, several digits, is for pages_of_numbers.py. The folder below the first one of a
path is its source, mostly one writer.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import harness

import numpy as np

from inkdigits.errors import InkdigitsError
from inkdigits.formats import load_model
from inkdigits.reading import LONGEST, open_picture, prepare
from results import Bar, pedigree, per_cent, publish, span, ways_table
from scores import (
    GROUPS,
    LOSS,
    RESAMPLES,
    SEED,
    SETS,
    SURE,
    Entry,
    Other,
    Outcome,
    Score,
    group_of,
    score_digits,
    score_others,
)
from ways import READ, SINGLE, WAYS, Answer

SINGLE_BARS = (
    Bar(name="drawn: accuracy, %", at_least=99.0),
    Bar(name="paper: accuracy, %", at_least=98.5),
    Bar(name="sets: accuracy, %", at_least=98.5),
    Bar(name="all: accuracy, %"),
    Bar(name="all: accuracy of the answers given, %"),
    Bar(name="all: refused, %", at_most=1),
    Bar(name=f"all: accuracy where at least {100 * SURE:g} % sure, %", at_least=99.5),
    Bar(name="fashion_mnist_500: refused, %", at_least=95),
    Bar(name="notmnist_500: all but I: refused, %", at_least=80),
    Bar(name="no digits: refused, %"),
    Bar(name=f"no digits: refused where {100 * LOSS:g} % of the digits are, %"),
    Bar(name="no digits: AUROC", form="{:.4f}"),
    Bar(name="milliseconds a picture, median", form="{:.1f}"),
)
READ_AT_LEAST = {"drawn: accuracy, %": 98.5, "paper: accuracy, %": 98.5, "sets: accuracy, %": 97.5}
BARS = {
    READ: [replace(bar, at_least=READ_AT_LEAST.get(bar.name), at_most=None) for bar in SINGLE_BARS],
    SINGLE: SINGLE_BARS,
}

NO_DIGITS = (
    "Each source counts alike in the means. The threshold that refuses 1 % of the digits, and the "
    "AUROC, count each picture of a digit alike. Letters that look like digits also have rows of "
    "their own."
)


def entries(manifest: Path) -> list[Entry]:
    """The lines about isolated digits and about pictures without one."""
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        missing = {"path", "kind", "label"} - set(rows.fieldnames or ())
        if missing:
            sys.exit(f"expected the columns path, kind and label in {manifest}: add {missing}")
        found = [
            Entry(manifest.parent / row["path"], row["path"], row["kind"], row["label"])
            for row in rows
        ]
    kept = [entry for entry in found if entry.kind in ("isolated", "ood")]
    if not any(entry.kind == "isolated" for entry in kept):
        sys.exit(f"expected at least one line of kind isolated in {manifest}, got none")
    return kept


def outcome(entry: Entry, read: Callable[[Path], Answer]) -> Outcome:
    start = time.perf_counter()
    try:
        answer = read(entry.path)
    except InkdigitsError as error:
        milliseconds = 1000 * (time.perf_counter() - start)
        digit = entry.kind == "isolated"
        return Outcome(entry, "", 0.0 if digit else 1.0, digit, milliseconds, str(error))
    milliseconds = 1000 * (time.perf_counter() - start)
    return Outcome(entry, *answer, milliseconds)


def milliseconds(outcomes: Iterable[Outcome]) -> tuple[float, float]:
    """The median and the 95th percentile."""
    median, late = np.percentile([each.milliseconds for each in outcomes], [50, 95])
    return float(median), float(late)


def in_turn(cells: Iterable[Sequence[str]]) -> Iterator[str]:
    """The cells of all ways, figure by figure."""
    for pair in zip(*cells, strict=True):
        yield from pair


def headed(names: Iterable[str]) -> list[str]:
    return [f"{name}, {way}" for name in names for way in WAYS]


def digits_table(title: str, scores: Mapping[str, Sequence[Score]]) -> str:
    """A row for each source or group, each figure of each way."""
    names = [
        "accuracy (95 % interval)", "errors", "refused", "of the answers given (wrong ones)",
        f"of those at least {100 * SURE:g} % sure (wrong ones)",
    ]  # fmt: skip
    rows = [
        [
            same[0].name, f"{same[0].pictures:,}",
            *in_turn(
                [
                    f"{per_cent(each.accuracy)} ({span(each.interval)})", str(each.errors),
                    per_cent(each.refused, 1),
                    f"{per_cent(each.given_accuracy)} ({each.given_errors} of {each.given:,})",
                    f"{per_cent(each.sure_accuracy)} ({each.sure_errors} of {each.sure:,})",
                ]
                for each in same
            ),
        ]
        for same in zip(*scores.values(), strict=True)
    ]  # fmt: skip
    return harness.table([title, "pictures", *headed(names)], rows)


def others_table(scores: Mapping[str, Sequence[Other]]) -> str:
    names = ["refused", f"refused where {100 * LOSS:g} % of the digits are", "AUROC"]
    rows = [
        [
            same[0].name, f"{same[0].pictures:,}",
            *in_turn(
                [per_cent(each.refused, 1), per_cent(each.refused_at_loss, 1), f"{each.auroc:.4f}"]
                for each in same
            ),
        ]
        for same in zip(*scores.values(), strict=True)
    ]  # fmt: skip
    return harness.table(["no digits", "pictures", *headed(names)], rows)


def by_label(others: Mapping[str, Iterable[Outcome]]) -> str:
    """How often each sign or letter is refused."""
    counts: dict[str, dict[str, list[bool]]] = {}
    for way, outcomes in others.items():
        for each in outcomes:
            label = each.entry.label or each.entry.letter
            if label:
                counts.setdefault(label, {}).setdefault(way, []).append(each.rejected)
    rows = [
        [f"`{label}`", len(refused[READ]), *(sum(refused[way]) for way in WAYS)]
        for label, refused in sorted(counts.items())
    ]
    return harness.table(["sign or letter", "pictures", *headed(["refused"])], rows) if rows else ""


def times_table(outcomes: Mapping[str, Sequence[Outcome]]) -> str:
    rows = []
    for group in (*GROUPS, SETS, "all"):
        own = [
            [each for each in of_way if group in (group_of(each.entry.source), "all")]
            for of_way in outcomes.values()
        ]
        if own[0]:
            cells = ([f"{each:.1f}" for each in milliseconds(some)] for some in own)
            rows.append([group, *in_turn(cells)])
    names = ["median", "95th percentile"]
    return harness.table(["milliseconds a picture", *headed(names)], rows)


def figures(
    groups: Iterable[Score], others: Sequence[Other], outcomes: Iterable[Outcome]
) -> dict[str, float]:
    """What the bars are about, by their names."""
    found: dict[str, float | None] = {}
    for each in groups:
        found[f"{each.name}: accuracy, %"] = each.accuracy
        found[f"{each.name}: accuracy of the answers given, %"] = each.given_accuracy
        found[f"{each.name}: refused, %"] = each.refused
        sure = f"{each.name}: accuracy where at least {100 * SURE:g} % sure, %"
        found[sure] = each.sure_accuracy
    for other in others:
        found[f"{other.name}: refused, %"] = other.refused
    overall = next((each for each in others if each.name.startswith("all:")), None)
    if overall is not None:
        found["no digits: refused, %"] = overall.refused
        found[f"no digits: refused where {100 * LOSS:g} % of the digits are, %"] = (
            overall.refused_at_loss
        )
    values = {name: 100 * share for name, share in found.items() if share is not None}
    if overall is not None:
        values["no digits: AUROC"] = overall.auroc
    values["milliseconds a picture, median"] = milliseconds(outcomes)[0]
    return values


@dataclass(frozen=True)
class OneWay:
    """All pictures and what became of them, read one way."""

    digits: list[Outcome]
    others: list[Outcome]

    @property
    def both(self) -> list[Outcome]:
        return [*self.digits, *self.others]

    @property
    def no_digits(self) -> list[Other]:
        return score_others(self.digits, self.others) if self.others else []

    def figures(self) -> dict[str, float]:
        return figures(score_digits(self.digits)[0], self.no_digits, self.both)

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON, the pictures one by one among it."""
        groups, sources = score_digits(self.digits)
        return {
            "figures": self.figures(),
            "groups": [vars(each) for each in groups],
            "sources": [vars(each) for each in sources],
            "no_digits": [vars(each) for each in self.no_digits],
            "pictures": [
                {
                    "path": each.entry.name,
                    "kind": each.entry.kind,
                    "label": each.entry.label,
                    "text": each.text,
                    "confidence": each.confidence,
                    "rejected": each.rejected,
                    "error": each.error,
                }
                for each in self.both
            ],
        }


@dataclass(frozen=True)
class Measured:
    """What each way made of the same pictures."""

    ways: Mapping[str, OneWay]

    def unopened(self) -> list[Outcome]:
        return [each for each in self.ways[READ].both if each.error is not None]

    def misread(self) -> list[tuple[Outcome, ...]]:
        """What one way misread, with the answers of both; first what plain `read` is surest of."""
        pictures = zip(*(way.digits for way in self.ways.values()), strict=True)
        wrong = [
            each
            for each in pictures
            if each[0].error is None and not all(outcome.right for outcome in each)
        ]
        return sorted(wrong, key=lambda each: -each[0].confidence)

    def as_data(self) -> dict[str, Any]:
        return {name.strip("`"): way.as_data() for name, way in self.ways.items()}

    def as_text(self) -> str:
        """Tables, which name sources, and no picture."""
        ways = self.ways
        scores = {name: score_digits(way.digits) for name, way in ways.items()}
        counts = [f"{each.sources} {each.name}" for each in scores[READ][0][:-1]]
        parts = [
            ways_table(BARS, {name: way.figures() for name, way in ways.items()}),
            digits_table("mean over sources", {way: groups for way, (groups, _) in scores.items()}),
            f"{READ} is right if its text is the label and nothing else; a digit that it leaves "
            f"out or writes as `?` is refused, and an error. {SINGLE} gives a digit even when it "
            "refuses, and is right if that is the label. "
            f"All shares are means over sources ({', '.join(counts)}), each of which counts alike; "
            "pictures and errors are counted. "
            f"Intervals: {RESAMPLES:,} resamplings of sources and of pictures within them, seed "
            f"{SEED}; Wilson's over the pictures where there is one source, or no error. "
            f"{len(self.unopened())} of {len(ways[READ].both):,} pictures could not be opened, "
            "each counted as an error. Pictures of several digits: benchmarks/pages_of_numbers.py.",
            digits_table("source", {way: sources for way, (_, sources) in scores.items()}),
        ]
        if ways[READ].others:
            parts += [
                others_table({name: way.no_digits for name, way in ways.items()}),
                NO_DIGITS,
                by_label({name: way.others for name, way in ways.items()}),
            ]
        parts.append(times_table({name: way.both for name, way in ways.items()}))
        return "\n\n".join(part for part in parts if part)


def measure(found: Iterable[Entry], ways: Mapping[str, Callable[[Path], Answer]]) -> Measured:
    """Reads all pictures, in their order, each one way after the other."""
    measured = {way: OneWay([], []) for way in ways}
    for entry in found:
        for way, read in ways.items():
            own = measured[way]
            (own.digits if entry.kind == "isolated" else own.others).append(outcome(entry, read))
    return Measured(measured)


def save_sheet(misread: Sequence[tuple[Outcome, ...]], path: Path, columns: int = 8) -> None:
    """Draws the first 200 misread ones: picture, glyph, label → the answer of each way."""
    import cv2
    from matplotlib.figure import Figure

    from inkdigits.plots import save

    side, gap = 112, 4
    shown = misread[:200]
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(columns * 2.2, max(1, rows) * 1.35))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    wide, tall = 2 * side + 2 * gap, side + 24
    canvas = np.full((max(1, rows) * tall, columns * wide, 3), 255, np.uint8)
    for number, answers in enumerate(shown):
        entry = answers[0].entry
        prepared = prepare(open_picture(entry.path, longest=LONGEST))
        pixels = prepared.picture.pixels
        x, y = number % columns * wide, number // columns * tall
        scale = side / max(pixels.shape[:2])
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
        size = tuple(max(1, int(scale * length)) for length in pixels.shape[1::-1])
        small = cv2.resize(pixels, size, interpolation=how)
        canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
        glyph = cv2.resize(prepared.glyph, (side, side), interpolation=cv2.INTER_NEAREST)
        canvas[y : y + side, x + side + gap : x + 2 * side + gap] = glyph[:, :, np.newaxis]
        said = ", ".join(
            f"{each.text[:8] or 'none'} {per_cent(each.confidence, 0)}" for each in answers
        )
        axes.text(x, y + side + 16, f"{entry.label} → {said}  {entry.source[:15]}", fontsize=6)
    axes.imshow(canvas, aspect="auto")
    save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--model", default="reader", help="the shipped one by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument(
        "--sheet",
        type=Path,
        metavar="PNG",
        default=Path(tempfile.gettempdir()) / "inkdigits-misread.png",
        help="draw what was misread there, outside the repository (a temporary file by default)",
    )
    parser.add_argument("--write", action="store_true", help="put the tables into docs/results.md")
    arguments = parser.parse_args()
    if arguments.sheet.resolve().is_relative_to(harness.ROOT.resolve()):
        parser.error("expected --sheet outside the repository: pictures of others stay out of it")
    model, found = load_model(arguments.model), entries(arguments.manifest)

    ways = {name: partial(way, model=model) for name, way in WAYS.items()}

    def tables() -> str:
        measure(found[:1], ways)  # the first one takes longer
        measured = measure(found, ways)
        for each in measured.unopened():
            print(f"not opened: {each.entry.name}: {each.error}")
        if arguments.json:
            text = json.dumps(measured.as_data(), allow_nan=False, indent=1)
            arguments.json.write_text(text, encoding="utf-8")
        if measured.misread():
            save_sheet(measured.misread(), arguments.sheet)
            print(f"{len(measured.misread())} misread: {arguments.sheet}")
        return f"{measured.as_text()}\n\n{pedigree(model)}"

    command = "python benchmarks/handwriting.py MANIFEST"
    publish("handwriting", command, tables, write=arguments.write)


if __name__ == "__main__":
    main()
