"""The reader on what needs no pictures of others: MNIST as pictures, undone, or no digit; time.

Pictures are read as plain `inkdigits read` does, which is the front door and what the README tells
of, and with `--single`; digits undone and redone, seven times all of a set, with `--single` alone.

Run it with `python benchmarks/reader.py`, on Linux, which it asks for the peak of memory. It takes
some twenty minutes; `--only 200 --data mnist:validation` tries it out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import harness

import numpy as np
from numpy.typing import NDArray

import inkdigits as ink
from distorted import UNDONE, drawing, jpeg, larger, paper_photo, png
from inkdigits.errors import InkdigitsError
from inkdigits.evaluation import (
    NINES,
    Rejection,
    mcnemar,
    rejection,
    reliability,
    report,
    robustness,
    wilson_interval,
)
from inkdigits.formats import load_model
from inkdigits.model import Answers, Model
from inkdigits.sources.negatives import KINDS, OF_DIGITS
from results import NONE, Bar, bars_table, pedigree, per_cent, publish, span, ways_table
from ways import READ, SINGLE, WAYS, Answer

SEED = 1001  # of all that is left to chance, and of nothing that a model learned from
EACH = 500  # pictures of each kind that are no digits
LOSS = 0.01
BUDGETS = (0.01, 0.005, 0.002, 0.001)
ROUNDS = 20

DRAWN = 400  # digits drawn small and large, in black and in white

NETWORK_BARS = (
    Bar(name="as glyphs: accuracy, %"),
    Bar(name="as glyphs: log loss", at_most=0.02, form="{:.4f}"),
    Bar(name="expected calibration error, %", form="{:.3f}"),
)
SINGLE_BARS = (
    Bar(name="as pictures: accuracy, %", at_least=99.4),
    Bar(name="undone and redone: most points lost", at_most=0.2),
    Bar(name="blanks: refused, %", at_least=95),
    Bar(name="scribbles: refused, %", at_least=95),
    Bar(name="noise: refused, %", at_least=95),
    Bar(name="no digits: refused, mean over kinds, %"),
    Bar(name="digits refused, %", at_most=1),
    Bar(name="12-megapixel photo, ms", at_most=500, form="{:.0f}"),
    Bar(name="300 × 300 drawing, ms", at_most=15, form="{:.1f}"),
    Bar(name="50-megapixel photo, peak of memory, MB", at_most=1500, form="{:.0f}"),
)
DRAWINGS = {
    "28 pixels, black on white": lambda glyph: 255 - glyph,
    "28 pixels, white on black": lambda glyph: glyph,
    "280 pixels, black on white": lambda glyph: 255 - larger(glyph, 10),
    "280 pixels, white on black": lambda glyph: larger(glyph, 10),
}
WRONG = [Bar(name=f"{name}: wrong of {DRAWN}", form="{:.0f}") for name in DRAWINGS]
BARS = {
    READ: [
        *(replace(bar, at_least=None, at_most=None) for bar in SINGLE_BARS),
        *(replace(bar, at_most=8) for bar in WRONG),
    ],
    SINGLE: [*SINGLE_BARS, *WRONG],
}

Figures = dict[str, float]


@dataclass(frozen=True, eq=False)
class Read:
    """What the whole pipeline said of N pictures.

    Args:
        texts: shape (N,).
        confidence: shape (N,).
        refused: shape (N,).
    """

    texts: NDArray[np.str_]
    confidence: NDArray[np.float64]
    refused: NDArray[np.bool_]

    def right(self, labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Where the text is the label and nothing else."""
        return self.texts == labels.astype(str)


Reader = Callable[[bytes], Answer]


def read_all(read: Reader, pictures: Iterable[bytes]) -> Read:
    """Opens and reads pictures, one at a time."""
    return Read(*map(np.array, zip(*map(read, pictures), strict=True)))


def share(correct: int, total: int) -> list[str]:
    """A share with its interval, for two cells."""
    return [per_cent(correct / total), span(wilson_interval(correct, total))]


def accuracy(
    data: str,
    exam: ink.Dataset,
    answers: Answers,
    read: dict[str, Read],
    network: Figures,
    figures: dict[str, Figures],
) -> str:
    """As glyphs and as pictures."""
    labels = exam.known_labels
    scores = report(labels, answers.probabilities)
    right = scores.answers == scores.labels
    spoken = reliability(answers.confidence, right).expected_error
    error = reliability(scores.confidence, right).expected_error
    network["as glyphs: accuracy, %"] = 100 * scores.accuracy
    network["as glyphs: log loss"] = scores.log_loss
    network["expected calibration error, %"] = 100 * error
    rows = [["as glyphs", *share(scores.correct, scores.total), NONE, NONE]]
    for way, said in read.items():
        correct = int(said.right(labels).sum())
        figures[way]["as pictures: accuracy, %"] = 100 * correct / len(exam)
        figures[way]["digits refused, %"] = 100 * float(said.refused.mean())
        given = ~said.refused
        wrong = int((given & ~said.right(labels)).sum())
        rows.append([
            f"as pictures, {way}", *share(correct, len(exam)),
            per_cent(float(said.refused.mean())), f"{wrong} of {given.sum():,}",
        ])  # fmt: skip
    header = ["accuracy", "95 % interval", "refused", "wrong of the answers given"]
    return "\n\n".join([
        harness.table([f"`{data}`, {len(exam):,} digits", *header], rows),
        f"As pictures: each a PNG file of 28 × 28, opened and read. What {READ} refuses counts "
        f"as wrong. As glyphs: log loss {scores.log_loss:.4f}; expected calibration error "
        f"(15 bins) {per_cent(error, 3)} of the ten digits' probabilities, {per_cent(spoken, 3)} "
        "of the confidence, which also counts in that it may be no digit.",
    ])  # fmt: skip


def drawings(readers: dict[str, Reader], digits: ink.Dataset, figures: dict[str, Figures]) -> str:
    """The first digits small and large, on light and on dark: how many are not read right."""
    digits = digits.subset(slice(DRAWN))
    rows = []
    for (name, drawn), bar in zip(DRAWINGS.items(), WRONG, strict=True):
        pictures = [png(drawn(image)) for image in digits.images]
        cells = []
        for way, read in readers.items():
            said = read_all(read, pictures)
            right = said.right(digits.known_labels)
            figures[way][bar.name] = int((~right).sum())
            cells.append(f"{(~right).sum()} ({(~right & said.refused).sum()} refused)")
        rows.append([name, *cells])
    header = [f"the first {len(digits)} of `mnist:validation`: wrong", *readers]
    return harness.table(header, rows)


def calibration(answers: Answers, exam: ink.Dataset) -> str:
    """What was said against what came true."""
    right = answers.digits == exam.known_labels
    bins = reliability(answers.probabilities.max(axis=1), right, bins=NINES).bins
    rows = [
        [f"{each.low:g} – {each.high:g}", f"{each.count:,}", per_cent(each.confidence),
         per_cent(each.share_right), span(each.interval)]
        for each in bins
    ]  # fmt: skip
    return harness.table(
        ["probability of the answer", "answers", "mean said", "right", "95 % interval"], rows
    )


def budgets(model: Model, answers: Answers, exam: ink.Dataset) -> str:
    """Thresholds for budgets of errors, from the model's card, tried on other digits."""
    rows = []
    for budget in BUDGETS:
        try:
            threshold = model.threshold_within(budget)
        except InkdigitsError:
            rows.append([per_cent(budget), "cannot be promised", NONE, NONE, NONE])
            continue
        given = answers.confidence >= threshold
        wrong = int((given & (answers.digits != exam.known_labels)).sum())
        total = int(given.sum())
        rows.append([
            per_cent(budget), f"{threshold:.4f}", per_cent(total / len(exam)),
            f"{per_cent(wrong / total)} ({wrong})" if total else NONE,
            span(wilson_interval(wrong, total)) if total else NONE,
        ])  # fmt: skip
    return harness.table(
        ["error budget", "threshold, as `read --error-budget` has it", "answers given",
         "wrong among them", "95 % interval"],
        rows,
    )  # fmt: skip


def undone(model: Model, read: Reader, digits: ink.Dataset, figures: Figures) -> str:
    """Digits made into other pictures of the same, and read back."""
    labels = digits.known_labels
    direct = model.predict(digits.images) == labels
    rows = [["as glyphs", *share(int(direct.sum()), len(digits)), NONE, NONE, NONE]]
    lost = []
    for number, (name, change) in enumerate(UNDONE.items()):
        generator = np.random.Generator(np.random.Philox(key=[SEED, number]))
        pictures = (png(change(image, generator)) for image in digits.images)
        right = read_all(read, pictures).right(labels)
        fewer, more = int((direct & ~right).sum()), int((~direct & right).sum())
        lost.append(100 * (fewer - more) / len(digits))
        rows.append([
            name, *share(int(right.sum()), len(digits)),
            f"{100 * (more - fewer) / len(digits):+.2f}", f"{fewer} / {more}",
            f"{mcnemar(fewer, more):.2g}",
        ])  # fmt: skip
    figures["undone and redone: most points lost"] = max(lost)
    return harness.table(
        [f"`mnist:validation`, {len(digits):,} digits", "accuracy", "95 % interval",
         "points to glyphs", f"read right as glyphs alone / by {SINGLE} alone", "McNemar's p"],
        rows,
    )  # fmt: skip


def no_digits(
    readers: dict[str, Reader],
    exam: ink.Dataset,
    read: dict[str, Read],
    threshold: float,
    figures: dict[str, Figures],
) -> str:
    """What a generator draws that is no digit, of each kind, as pictures."""
    rows = []
    found: dict[str, list[tuple[float, float, float]]] = {way: [] for way in readers}
    for number, name in enumerate((*KINDS, *OF_DIGITS)):
        generator = np.random.Generator(np.random.Philox(key=[SEED, number]))
        images = (
            KINDS[name](EACH, generator)
            if name in KINDS
            else OF_DIGITS[name](EACH, generator, exam.images, exam.known_labels)
        )
        pictures = [png(image) for image in images]
        for way, reader in readers.items():
            said = read_all(reader, pictures)
            refused = float(said.refused.mean())
            figures[way][f"{name}: refused, %"] = 100 * refused
            told = rejection(read[way].confidence, said.confidence)
            found[way].append((refused, at_loss(told), told.auroc))
        rows.append([name, *side_by_side(found[way][-1] for way in readers)])
    means = {way: np.mean(own, axis=0) for way, own in found.items()}
    for way, (refused, _, _) in means.items():
        figures[way]["no digits: refused, mean over kinds, %"] = 100 * refused
    rows.append(["mean over kinds", *side_by_side(means.values())])
    names = ["refused", f"refused where {100 * LOSS:g} % of the digits are", "AUROC"]
    header = [f"{name}, {way}" for name in names for way in WAYS]
    return "\n\n".join([
        harness.table([f"no digits, {EACH} of each kind", *header], rows),
        f"Refused at {threshold:.4f}, the model's own threshold. The same generator, with other "
        f"seeds, drew what the model learned from; seed {SEED} is new to it.",
    ])  # fmt: skip


def side_by_side(ways: Iterable[tuple[float, float, float]]) -> list[str]:
    """Refused, refused at LOSS and AUROC, each of all ways."""
    refused, refused_at_loss, auroc = zip(*ways, strict=True)
    shares = [per_cent(each, 1) for each in (*refused, *refused_at_loss)]
    return [*shares, *(f"{each:.4f}" for each in auroc)]


def at_loss(told: Rejection) -> float:
    """The share of no digits refused at the threshold that refuses LOSS of the digits."""
    refused = told.at(told.threshold_at_loss(LOSS))
    return refused.others / refused.others_total


def curves(model: Model, exam: ink.Dataset) -> str:
    """Digits turned, moved, faint, dirty or half covered."""
    found = robustness(model.predict, exam, seed=SEED)
    most = max(len(curve.strengths) for curve in found.values())
    rows = []
    for name, curve in found.items():
        cells = [
            f"{strength:g}: {100 * accuracy:.1f}"
            for strength, accuracy in zip(curve.strengths, curve.accuracy, strict=True)
        ]
        rows.append([f"{name}, {curve.unit}", *cells, *[""] * (most - len(cells))])
    return harness.table(["strength: % read right", *[""] * most], rows)


MEASURED = """
import re, sys
from pathlib import Path
from inkdigits.formats import load_model
from ways import WAYS

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024 / 1e6

model = load_model(sys.argv[1])
before = peak()
WAYS[sys.argv[2]](Path(sys.argv[3]), model)
print(before, peak())
"""


def costs(
    readers: dict[str, Reader], path: str, digit: NDArray[np.uint8], figures: dict[str, Figures]
) -> str:
    """Time of whole readings, from bytes to the answer; memory, in a process of its own."""
    generator = np.random.Generator(np.random.Philox(key=SEED))
    works = {
        "12-megapixel photo, ms": jpeg(paper_photo(digit, 4000, 3000, generator)),
        "300 × 300 drawing, ms": png(drawing(digit)),
    }
    rows = []
    for name, content in works.items():
        runs = {way: partial(seconds_of, read, content) for way, read in readers.items()}
        found = harness.alternate(runs, ROUNDS, pause=0.05)
        for way, seconds in found.items():
            figures[way][name] = 1000 * harness.median(seconds)
        rows.append([f"{name}; {len(content):,} bytes",
                     *(f"{figures[way][name]:.1f}" for way in readers)])  # fmt: skip
    peaks = {}
    with TemporaryDirectory() as folder:
        large = Path(folder) / "large.jpg"
        large.write_bytes(jpeg(paper_photo(digit, 8165, 6124, generator)))
        for way in readers:
            done = subprocess.run(
                [sys.executable, "-c", MEASURED, path, way, str(large)],
                check=True, capture_output=True, text=True, cwd=harness.ROOT / "benchmarks",
            )  # fmt: skip
            before, peaks[way] = map(float, done.stdout.split())
            figures[way]["50-megapixel photo, peak of memory, MB"] = peaks[way]
    rows.append([f"50-megapixel photo, peak of memory, MB; {before:.0f} before",
                 *(f"{peaks[way]:.0f}" for way in readers)])  # fmt: skip
    return "\n\n".join([
        harness.table(["from bytes to the answer, the model loaded", *readers], rows),
        f"Medians of {ROUNDS}, in turn. The photos are generated: a digit of a fifth of the width "
        "on uneven paper with noise, JPEG of quality 90; the drawing is a PNG file.",
    ])  # fmt: skip


def seconds_of(read: Reader, content: bytes) -> float:
    start = time.perf_counter()
    read(content)
    return time.perf_counter() - start


def measure(model: Model, path: str, data: str, only: int | None) -> str:
    exam, validation = (ink.load(name).subset(slice(only)) for name in (data, "mnist:validation"))
    answers = model.answer(exam.images)
    network: Figures = {}
    figures: dict[str, Figures] = {way: {} for way in WAYS}
    readers: dict[str, Reader] = {way: partial(read, model=model) for way, read in WAYS.items()}
    pictures = [png(image) for image in exam.images]
    read = {way: read_all(reader, pictures) for way, reader in readers.items()}
    parts = [
        accuracy(data, exam, answers, read, network, figures),
        drawings(readers, validation, figures),
        calibration(answers, exam),
        budgets(model, answers, exam),
        undone(model, readers[SINGLE], validation, figures[SINGLE]),
        no_digits(readers, exam, read, answers.threshold, figures),
        curves(model, exam),
        costs(readers, path, validation.images[0], figures),
        f"Seed {SEED} wherever something is left to chance. {pedigree(model)}",
    ]
    return "\n\n".join([ways_table(BARS, figures), bars_table(NETWORK_BARS, network), *parts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="reader", help="the shipped one by default")
    parser.add_argument("--data", default="mnist:test", help="labelled digits")
    parser.add_argument("--only", type=int, metavar="N", help="the first N digits, to try it out")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/results.md")
    arguments = parser.parse_args()
    if arguments.write and (arguments.only or arguments.data != "mnist:test"):
        parser.error("expected all of mnist:test with --write: leave out --only and --data")
    model = load_model(arguments.model)
    work = partial(measure, model, arguments.model, arguments.data, arguments.only)
    publish("reader", "python benchmarks/reader.py", work, write=arguments.write)


if __name__ == "__main__":
    main()
