"""The reader on what needs no pictures of others: MNIST as pictures, undone, or no digit; time.

Run it with `python benchmarks/reader.py`, on Linux, which it asks for the peak of memory. It takes
some ten minutes; `--only 200 --data mnist:validation` tries it out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import harness

import numpy as np
from numpy.typing import NDArray

import inkdigits as ink
from distorted import UNDONE, drawing, jpeg, paper_photo, png
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
from inkdigits.reading import LONGEST, open_picture, read_digit
from inkdigits.sources.negatives import KINDS, OF_DIGITS
from results import NONE, Bar, bars_table, pedigree, per_cent, publish, span

SEED = 1001  # of all that is left to chance, and of nothing that a model learned from
EACH = 500  # pictures of each kind that are no digits
LOSS = 0.01
BUDGETS = (0.01, 0.005, 0.002, 0.001)
ROUNDS = 20

BARS = (
    Bar(name="as glyphs: accuracy, %"),
    Bar(name="as pictures: accuracy, %", at_least=99.4),
    Bar(name="undone and redone: most points lost", at_most=0.2),
    Bar(name="as glyphs: log loss", at_most=0.02, form="{:.4f}"),
    Bar(name="expected calibration error, %", form="{:.3f}"),
    Bar(name="blanks: refused, %", at_least=95),
    Bar(name="scribbles: refused, %", at_least=95),
    Bar(name="noise: refused, %", at_least=95),
    Bar(name="no digits: refused, mean over kinds, %"),
    Bar(name="digits refused, %", at_most=1),
    Bar(name="12-megapixel photo, ms", at_most=500, form="{:.0f}"),
    Bar(name="300 × 300 drawing, ms", at_most=15, form="{:.1f}"),
    Bar(name="50-megapixel photo, peak of memory, MB", at_most=1500, form="{:.0f}"),
)

Figures = dict[str, float]


@dataclass(frozen=True, eq=False)
class Read:
    """What the whole pipeline said of N pictures.

    Args:
        digits: shape (N,).
        confidence: shape (N,).
        rejected: shape (N,).
    """

    digits: NDArray[np.intp]
    confidence: NDArray[np.float64]
    rejected: NDArray[np.bool_]


def read_all(model: Model, pictures: Iterable[bytes]) -> Read:
    """Opens and reads pictures, one at a time."""
    found = []
    for content in pictures:
        reading = read_digit(open_picture(content, longest=LONGEST), model)
        found.append((reading.digit, reading.confidence, reading.rejected))
    digits, confidence, rejected = zip(*found, strict=True)
    return Read(np.array(digits), np.array(confidence), np.array(rejected))


def share(correct: int, total: int) -> list[str]:
    """A share with its interval, for two cells."""
    return [per_cent(correct / total), span(wilson_interval(correct, total))]


def accuracy(data: str, exam: ink.Dataset, answers: Answers, read: Read, figures: Figures) -> str:
    """As glyphs and as pictures."""
    scores = report(exam.known_labels, answers.probabilities)
    right = scores.answers == scores.labels
    spoken = reliability(answers.confidence, right).expected_error
    figures["as glyphs: accuracy, %"] = 100 * scores.accuracy
    figures["as glyphs: log loss"] = scores.log_loss
    error = reliability(scores.confidence, right).expected_error
    figures["expected calibration error, %"] = 100 * error
    correct = int((read.digits == exam.known_labels).sum())
    figures["as pictures: accuracy, %"] = 100 * correct / len(exam)
    figures["digits refused, %"] = 100 * float(read.rejected.mean())
    given = ~read.rejected
    wrong = int((given & (read.digits != exam.known_labels)).sum())
    return "\n\n".join([
        harness.table(
            [f"`{data}`, {len(exam):,} digits", "accuracy", "95 % interval"],
            [
                ["as glyphs", *share(scores.correct, scores.total)],
                ["as pictures: each a PNG file of 28 × 28, opened and read",
                 *share(correct, len(exam))],
            ],
        ),
        f"As glyphs: log loss {scores.log_loss:.4f}; expected calibration error (15 bins) "
        f"{per_cent(error, 3)} of the ten digits' probabilities, {per_cent(spoken, 3)} of the "
        "confidence, which also counts in that it may be no digit. As pictures: "
        f"{per_cent(float(read.rejected.mean()))} are refused, and {wrong} of the {given.sum():,} "
        "answers given are wrong.",
    ])  # fmt: skip


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
        ["at most so many wrong", "threshold, as `read --error-budget` has it", "answers given",
         "wrong among them", "95 % interval"],
        rows,
    )  # fmt: skip


def undone(model: Model, digits: ink.Dataset, figures: Figures) -> str:
    """Digits made into other pictures of the same, and read back."""
    labels = digits.known_labels
    direct = model.predict(digits.images) == labels
    rows = [["as glyphs", *share(int(direct.sum()), len(digits)), NONE, NONE, NONE]]
    lost = []
    for number, (name, change) in enumerate(UNDONE.items()):
        generator = np.random.Generator(np.random.Philox(key=[SEED, number]))
        pictures = (png(change(image, generator)) for image in digits.images)
        right = read_all(model, pictures).digits == labels
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
         "points to glyphs", "read right as glyphs alone / as pictures alone", "McNemar's p"],
        rows,
    )  # fmt: skip


def no_digits(
    model: Model, exam: ink.Dataset, read: Read, answers: Answers, figures: Figures
) -> str:
    """What a generator draws that is no digit, of each kind, as pictures."""
    told: dict[str, Rejection] = {}
    refused = {}
    for number, name in enumerate((*KINDS, *OF_DIGITS)):
        generator = np.random.Generator(np.random.Philox(key=[SEED, number]))
        images = (
            KINDS[name](EACH, generator)
            if name in KINDS
            else OF_DIGITS[name](EACH, generator, exam.images, exam.known_labels)
        )
        said = read_all(model, map(png, images))
        refused[name] = float(said.rejected.mean())
        figures[f"{name}: refused, %"] = 100 * refused[name]
        told[name] = rejection(read.confidence, said.confidence)
    rows = [
        [name, per_cent(refused[name], 1), per_cent(at_loss(each), 1), f"{each.auroc:.4f}"]
        for name, each in told.items()
    ]
    mean = float(np.mean(list(refused.values())))
    figures["no digits: refused, mean over kinds, %"] = 100 * mean
    rows.append([
        "mean over kinds", per_cent(mean, 1),
        per_cent(float(np.mean([at_loss(each) for each in told.values()])), 1),
        f"{np.mean([each.auroc for each in told.values()]):.4f}",
    ])  # fmt: skip
    return "\n\n".join([
        harness.table(
            [f"no digits, {EACH} of each kind", f"refused at {answers.threshold:.4f}",
             f"refused where {100 * LOSS:g} % of the digits are", "AUROC"],
            rows,
        ),
        f"At {answers.threshold:.4f}, the model's own threshold, "
        f"{per_cent(float(read.rejected.mean()))} of the digits are refused. The same generator, "
        f"with other seeds, drew what the model learned from; seed {SEED} is new to it.",
    ])  # fmt: skip


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
from inkdigits.reading import LONGEST, open_picture, read_digit

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024 / 1e6

model = load_model(sys.argv[1])
before = peak()
read_digit(open_picture(Path(sys.argv[2]), longest=LONGEST), model)
print(before, peak())
"""


def costs(model: Model, path: str, digit: NDArray[np.uint8], figures: Figures) -> str:
    """Time of whole readings, from bytes to the answer; memory, in a process of its own."""
    generator = np.random.Generator(np.random.Philox(key=SEED))
    photo = jpeg(paper_photo(digit, 4000, 3000, generator))
    works: Mapping[str, bytes] = {
        "12-megapixel photo, ms": photo,
        "300 × 300 drawing, ms": png(drawing(digit)),
    }
    runs = {name: partial(seconds_of, model, content) for name, content in works.items()}
    found = harness.alternate(runs, ROUNDS, pause=0.05)
    rows = []
    for name, content in works.items():
        figures[name] = 1000 * harness.median(found[name])
        rows.append([f"{name}; {len(content):,} bytes", f"{figures[name]:.1f}"])
    with TemporaryDirectory() as folder:
        large = Path(folder) / "large.jpg"
        large.write_bytes(jpeg(paper_photo(digit, 8165, 6124, generator)))
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, path, str(large)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    before, peak = map(float, done.stdout.split())
    figures["50-megapixel photo, peak of memory, MB"] = peak
    rows.append([f"50-megapixel photo, peak of memory, MB; {before:.0f} before", f"{peak:.0f}"])
    return "\n\n".join([
        harness.table(["from bytes to the answer, the model loaded", ""], rows),
        f"Medians of {ROUNDS}, in turn. The photos are generated: a digit of a fifth of the width "
        "on uneven paper with noise, JPEG of quality 90; the drawing is a PNG file.",
    ])  # fmt: skip


def seconds_of(model: Model, content: bytes) -> float:
    start = time.perf_counter()
    read_digit(open_picture(content, longest=LONGEST), model)
    return time.perf_counter() - start


def measure(model: Model, path: str, data: str, only: int | None) -> str:
    exam, validation = (ink.load(name).subset(slice(only)) for name in (data, "mnist:validation"))
    answers = model.answer(exam.images)
    figures: Figures = {}
    read = read_all(model, map(png, exam.images))
    parts = [
        accuracy(data, exam, answers, read, figures),
        calibration(answers, exam),
        budgets(model, answers, exam),
        undone(model, validation, figures),
        no_digits(model, exam, read, answers, figures),
        curves(model, exam),
        costs(model, path, validation.images[0], figures),
        f"Seed {SEED} wherever something is left to chance. {pedigree(model)}",
    ]
    return "\n\n".join([bars_table(BARS, figures), *parts])


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
