"""How well pages of numbers are read: generated ones of many kinds, and pictures others made.

The pages are those of the tests (tests/reading/pages.py), the digits of mnist:validation. MANIFEST
is that of benchmarks/handwriting.py: of kind `number` is a picture of several digits, whose label
has a space for a gap and | for a new line.

    python benchmarks/pages_of_numbers.py [MANIFEST] [--count N] [--write]
"""

from __future__ import annotations

import argparse
import csv
import functools
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import harness

import numpy as np
from PIL import Image, ImageDraw

from inkdigits.dataset import Dataset
from inkdigits.errors import InkdigitsError
from inkdigits.evaluation import NINES, Reliability, coverage_risk, reliability
from inkdigits.formats import load_model
from inkdigits.model import Model
from inkdigits.reading import Reading, read, read_picture, read_pictures
from inkdigits.reading.job import Job
from inkdigits.reading.picture import Picture, open_picture
from inkdigits.sources import load
from number_scores import Given, Outcome, Score, answers, around, digits_of, score
from results import Bar, bars_table, pedigree, per_cent, publish, span

sys.path.insert(0, str(harness.ROOT / "tests" / "reading"))
from pages import KINDS, WrittenPage, page

DIAGRAM = harness.ROOT / "docs" / "pictures" / "numbers-reliability.png"
COUNT = 200  # pages of each kind
SEED = 1001
SURE = 0.95
ROUNDS = 7  # how often each time is measured
SMALL, MANY = 120, 10_000  # pictures of 300 × 100, by themselves and in a job
SETTLED = 0.2  # of a job is done when its memory is looked at first
SHOWN = 80  # misread ones on the sheet

PHOTO = "12-megapixel photo of 50 digits, s"
FRAME = "640 × 480 frame of 6 digits, ms"
JOB = f"300 × 100 pictures a second, two processes, {MANY:,} pictures"
MEMORY = "memory at the end of that, of what it is after a fifth"
THREADS = "300 × 100 pictures a second, `read_pictures`"

BARS = (
    Bar(name="pictures of others: exact, %", at_least=97),
    Bar(name="pictures of others: digit error, %", at_most=1),
    *(
        Bar(name=f"{kind}: pages exact, %", at_least=80 if kind == "touching" else 90)
        for kind in KINDS
    ),
    Bar(name="decimals: pages exact with signs, %"),
    Bar(name=f"numbers right where at least {100 * SURE:g} % sure, %", at_least=100 * SURE),
    Bar(name=f"digits right where at least {100 * SURE:g} % sure, %", at_least=100 * SURE),
    Bar(name=PHOTO, at_most=1.0),
    Bar(name=FRAME, at_most=60, form="{:.1f}"),
    Bar(name=JOB, at_least=60, form="{:.1f}"),
    Bar(name=MEMORY, at_most=1.1),
    Bar(name=THREADS, form="{:.1f}"),
)


@dataclass(frozen=True)
class Measured:
    """What became of all pictures and pages.

    Args:
        pictures: of others.
        pages: generated ones; their name is their number.
        numbers: that were read on the pages.
        digits: likewise.
        times: seconds, milliseconds or pictures a second, by the names of their bars.
    """

    pictures: list[Outcome]
    pages: list[Outcome]
    numbers: list[Given]
    digits: list[Given]
    times: Mapping[str, float]

    def figures(self) -> dict[str, float]:
        """What the bars are about, by their names."""
        found: dict[str, float | None] = {}
        if self.pictures:
            everything, _ = score(self.pictures)
            found["pictures of others: exact, %"] = everything.exact
            found["pictures of others: digit error, %"] = everything.digit_error
        for each in score(self.pages)[1]:
            found[f"{each.name}: pages exact, %"] = each.exact
            found[f"{each.name}: pages exact with signs, %"] = each.text
        for name, given in (("numbers", self.numbers), ("digits", self.digits)):
            found[f"{name} right where at least {100 * SURE:g} % sure, %"] = sure(given)[1]
        shares = {name: 100 * share for name, share in found.items() if share is not None}
        return {**shares, **self.times}

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON, the pictures one by one among it."""
        return {
            "figures": self.figures(),
            "sources": [asdict(each) for each in score(self.pictures)[1]] if self.pictures else [],
            "kinds": [asdict(each) for each in score(self.pages)[1]],
            "numbers": reliability(*columns(self.numbers), bins=NINES).as_data(),
            "digits": reliability(*columns(self.digits), bins=NINES).as_data(),
            "pictures": [asdict(each) | {"exact": each.exact} for each in self.pictures],
            "pages": [asdict(each) | {"exact": each.exact} for each in self.pages],
        }

    def as_text(self) -> str:
        """Tables, which name sources, and no picture of others."""
        parts = [bars_table(BARS, self.figures())]
        if self.pictures:
            everything, sources = score(self.pictures)
            unopened = sum(each.error is not None for each in self.pictures)
            parts += [
                scores_table("pictures of others", [*sources, everything]),
                "Exact: all digits in reading order, lines and gaps aside. Shares of all are means "
                f"over sources, each of which counts alike. {unopened} of {len(self.pictures)} "
                "pictures could not be opened, each counted as an error.",
            ]
        everything, kinds = score(self.pages)
        parts += [
            scores_table("generated pages", [*kinds, everything]),
            f"{kinds[0].pictures} pages of each kind, digits of `mnist:validation`, seed {SEED}; "
            f"{sum(len(each.label) for each in self.pages) / len(self.pages):.0f} digits on a "
            "page in the mean. A page is exact where every one of its digits is right.",
            reliability_table("numbers", reliability(*columns(self.numbers), bins=NINES)),
            reliability_table("digits", reliability(*columns(self.digits), bins=NINES)),
            *(sure_text(name, given) for name, given in
              (("numbers", self.numbers), ("digits", self.digits))),
            f"![How often numbers are right, by their confidence](pictures/{DIAGRAM.name})",
        ]  # fmt: skip
        return "\n\n".join(parts)


def scores_table(title: str, scores: Sequence[Score]) -> str:
    rows = [
        [
            each.name, f"{each.pictures:,}", per_cent(each.exact, 1), span(each.interval, 1),
            per_cent(each.digit_error), each.extra, per_cent(each.numbers, 1),
            per_cent(each.text, 1),
        ]
        for each in scores
    ]  # fmt: skip
    header = [
        title, "pictures", "exact", "95 % interval", "digit error", "digits that are not there",
        "numbers right", "exact with signs",
    ]  # fmt: skip
    return harness.table(header, rows)


def columns(given: Sequence[Given]) -> tuple[np.ndarray, np.ndarray]:
    """Confidence and right, shape (N,) both."""
    confidence = np.array([each.confidence for each in given])
    return confidence, np.array([each.right for each in given], np.bool_)


def sure(given: Sequence[Given]) -> tuple[int, float | None]:
    """How many are named and at least SURE, and what share of them is right."""
    right = [each.right for each in given if each.named and each.confidence >= SURE]
    return len(right), sum(right) / len(right) if right else None


def sure_text(name: str, given: Sequence[Given]) -> str:
    count, share = sure(given)
    return (
        f"Of {len(given):,} {name} read, {count:,} were at least {100 * SURE:g} % sure and named; "
        f"{per_cent(share)} of those are right."
    )


def reliability_table(name: str, said: Reliability) -> str:
    rows = [
        [
            f"{100 * each.low:g} – {100 * each.high:g} %", f"{each.count:,}",
            per_cent(each.confidence), per_cent(each.share_right), span(each.interval),
        ]
        for each in said.bins
    ]  # fmt: skip
    return harness.table([f"confidence of {name}", "read", "mean", "right", "95 % interval"], rows)


# Reading


def pictures_of_numbers(manifest: Path) -> list[dict[str, str]]:
    """The lines of kind number."""
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        missing = {"path", "kind", "label"} - set(rows.fieldnames or ())
        if missing:
            sys.exit(f"expected the columns path, kind and label in {manifest}: add {missing}")
        found = [row for row in rows if row["kind"] == "number"]
    if not found:
        sys.exit(f"expected at least one line of kind number in {manifest}, got none")
    return found


def read_manifest(manifest: Path, model: Model) -> list[Outcome]:
    done = []
    for row in pictures_of_numbers(manifest):
        parts = Path(row["path"]).parts
        source, label = parts[1] if len(parts) > 2 else parts[0], digits_of(row["label"])
        try:
            said, error = digits_of(read_picture(manifest.parent / row["path"], model).text), None
        except InkdigitsError as problem:
            said, error = "", str(problem)
        done.append(Outcome(row["path"], source, label, said, error))
    return done


@functools.cache
def validation() -> Dataset:
    return load("mnist:validation")


def generated(kind: str, number: int) -> WrittenPage:
    """A page, which comes again from its kind and its number."""
    digits = validation()
    chance = np.random.default_rng([SEED, list(KINDS).index(kind), number])
    return page(kind, digits.images, digits.known_labels, chance)


def outcome(kind: str, number: int, made: WrittenPage, reading: Reading) -> Outcome:
    """A page against what was read on it."""
    entries = [entry for line in made.lines for entry in line]
    texts = [entry.text for entry in entries]
    said = [each.text for each in reading.numbers]
    return Outcome(
        name=str(number),
        source=kind,
        label="".join(entry.digits for entry in entries),
        said=digits_of("".join(said)),
        text="".join(said) == "".join(texts) if KINDS[kind].marks else None,
        numbers=len(texts),
        found=sum(min(texts.count(each), said.count(each)) for each in set(texts)),
    )


def measure(
    model: Model, manifest: Path | None, count: int, kinds: Sequence[str] = tuple(KINDS)
) -> Measured:
    """Reads everything; the times are measured apart."""
    pictures = read_manifest(manifest, model) if manifest else []
    pages: list[Outcome] = []
    numbers: list[Given] = []
    digits: list[Given] = []
    for kind in kinds:
        for number in range(count):
            made = generated(kind, number)
            reading = read(as_picture(made.pixels), model)
            pages.append(outcome(kind, number, made, reading))
            for kept, more in zip((numbers, digits), answers(reading, made), strict=True):
                kept += more
    return Measured(pictures, pages, numbers, digits, {})


def as_picture(pixels: np.ndarray) -> Picture:
    return Picture(pixels, pixels.shape[1::-1])


# Times


def framed(texts: Sequence[Sequence[str]], height: float, size: tuple[int, int]) -> np.ndarray:
    """A photo of these numbers, width and height as they are given; all of them are in it."""
    digits = validation()
    chance = np.random.default_rng(SEED)
    made = page(
        "photo", digits.images, digits.known_labels, chance, texts=texts, height=height, least=size
    )
    boxes = [box for line in made.lines for entry in line for box in entry.boxes]
    left, top = ((made.pixels.shape[1 - at] - size[at]) // 2 for at in (0, 1))
    x, y, wide, tall = around(boxes)
    assert len(boxes) == sum(len(text) for line in texts for text in line)
    assert left <= x < x + wide <= left + size[0]
    assert top <= y < y + tall <= top + size[1]
    return made.pixels[top : top + size[1], left : left + size[0]].copy()


def measured_times(model: Model, folder: Path, rounds: int = ROUNDS) -> dict[str, float]:
    """Medians of alternating runs, by the names of their bars; the job's once."""
    import cv2

    texts = [["31415", "92653"], ["58979", "32384"], ["62643", "38327"], ["95028", "84197"],
             ["16939", "93751"]]  # fmt: skip
    large = cv2.resize(framed(texts, 60, (1000, 750)), (4000, 3000), interpolation=cv2.INTER_CUBIC)
    photo = folder / "photo.jpg"
    cv2.imwrite(str(photo), large[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    frame = as_picture(framed([["314", "159"]], 60, (640, 480)))
    paths = [folder / f"{number}.png" for number in range(SMALL)]
    for path in paths:
        cv2.imwrite(str(path), framed([["27182"]], 36, (300, 100))[..., ::-1])
    runs: dict[str, Callable[[], object]] = {
        PHOTO: lambda: read_picture(photo, model),
        FRAME: lambda: read(frame, model),
        THREADS: lambda: list(read_pictures(paths, model)),
    }
    seconds = harness.alternate({name: timed(run) for name, run in runs.items()}, rounds)
    middle = {name: harness.median(values) for name, values in seconds.items()}
    rate, memory = job_figures(paths, folder)
    rates = {JOB: rate, MEMORY: memory, THREADS: SMALL / middle[THREADS]}
    return {PHOTO: middle[PHOTO], FRAME: 1000 * middle[FRAME], **rates}


def job_figures(paths: Sequence[Path], folder: Path) -> tuple[float, float]:
    """Of a job of two processes: pictures a second, their start included; how memory grows."""
    scans = folder / "scans"
    scans.mkdir()
    for number in range(MANY):
        shutil.copy(paths[number % len(paths)], scans / f"{number}.png")
    model = load_model("reader")
    names = sorted(str(path) for path in scans.iterdir())
    used: list[int] = []
    ended = threading.Event()
    watch = threading.Thread(target=watch_memory, args=(used, ended))
    start = time.perf_counter()
    watch.start()
    try:
        with Job.open(folder / "job", names, model, inputs=[str(scans)]) as job:
            job.run(functools.partial(load_model, "reader"), workers=2)
    finally:
        ended.set()
        watch.join()
    rate = MANY / (time.perf_counter() - start)
    parts = np.array_split(np.array(used, float), round(1 / SETTLED))
    return rate, float(np.median(parts[-1]) / np.median(parts[1]))


def watch_memory(used: list[int], ended: threading.Event) -> None:
    """Writes down each second how many pages of memory this process and its workers hold."""
    while not ended.wait(1.0):
        processes = [os.getpid(), *(each.pid for each in multiprocessing.active_children())]
        used.append(sum(resident(each) for each in processes if each is not None))


def resident(process: int) -> int:
    """Pages of memory that a process holds; 0 where it has ended."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def timed(run: Callable[[], object]) -> Callable[[], float]:
    def seconds() -> float:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    return seconds


# Pictures


def save_diagram(measured: Measured) -> None:
    from inkdigits.plots import confidence, save

    both = {"numbers": columns(measured.numbers), "digits": columns(measured.digits)}
    curves = {
        name: (reliability(*each, bins=NINES), coverage_risk(*each)) for name, each in both.items()
    }
    save(confidence(curves), DIAGRAM)


def save_sheet(measured: Measured, manifest: Path | None, path: Path) -> int:
    """Draws what was misread, with label and answer below; how many that is in all."""
    wrong = [each for each in (*measured.pictures, *measured.pages) if not each.exact]
    wide, tall, columns_ = 360, 240, 5
    # Each source gets its turn, so that none has the sheet to itself.
    turn = {id(each): sum(other.source == each.source for other in wrong[:at])
            for at, each in enumerate(wrong)}  # fmt: skip
    shown = sorted(wrong, key=lambda each: turn[id(each)])[:SHOWN]
    sheet = Image.new("RGB", (columns_ * wide, max(1, -(-len(shown) // columns_)) * tall), "white")
    pen = ImageDraw.Draw(sheet)
    for number, each in enumerate(shown):
        x, y = number % columns_ * wide, number // columns_ * tall
        if each.error is None:
            if each.source in KINDS and each.numbers is not None:
                pixels = generated(each.source, int(each.name)).pixels
            else:
                assert manifest is not None
                pixels = open_picture(manifest.parent / each.name).pixels
            small = Image.fromarray(pixels)
            small.thumbnail((wide - 6, tall - 44))
            sheet.paste(small, (x, y))
        said = each.error or each.said or "nothing"
        lines = (f"{each.source} {Path(each.name).name}", each.label, said)
        pen.text((x, y + tall - 42), "\n".join(line[:52] for line in lines), fill=0, font_size=11)
    sheet.save(path)
    return len(wrong)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path, nargs="?")
    parser.add_argument("--model", default="reader", help="the shipped one by default")
    parser.add_argument("--count", type=int, default=COUNT, help="pages of each kind")
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="these kinds alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument(
        "--sheet",
        type=Path,
        metavar="PNG",
        default=Path(tempfile.gettempdir()) / "inkdigits-misread-numbers.png",
        help="draw what was misread there, outside the repository (a temporary file by default)",
    )
    parser.add_argument("--no-times", action="store_true", help="measure no times")
    parser.add_argument("--write", action="store_true", help="put tables and diagram into docs/")
    arguments = parser.parse_args()
    if arguments.sheet.resolve().is_relative_to(harness.ROOT.resolve()):
        parser.error("expected --sheet outside the repository: pictures of others stay out of it")
    whole = arguments.manifest is not None and arguments.count == COUNT and not arguments.kind
    if arguments.write and (arguments.no_times or not whole):
        parser.error(f"expected MANIFEST, all kinds, {COUNT} pages and times with --write")
    model = load_model(arguments.model)

    def tables() -> str:
        kinds = arguments.kind or tuple(KINDS)
        measured = measure(model, arguments.manifest, arguments.count, kinds)
        if not arguments.no_times:
            with tempfile.TemporaryDirectory() as folder:
                times = measured_times(model, Path(folder))
            measured = Measured(**{**vars(measured), "times": times})
        for each in measured.pictures:
            if each.error:
                print(f"not opened: {each.name}: {each.error}")
        if arguments.json:
            text = json.dumps(measured.as_data(), allow_nan=False, indent=1)
            arguments.json.write_text(text, encoding="utf-8")
        if count := save_sheet(measured, arguments.manifest, arguments.sheet):
            print(f"{count} misread: {arguments.sheet}")
        if arguments.write:
            save_diagram(measured)
        return f"{measured.as_text()}\n\n{pedigree(model)}"

    command = "python benchmarks/pages_of_numbers.py MANIFEST"
    publish("numbers", command, tables, write=arguments.write)


if __name__ == "__main__":
    main()
