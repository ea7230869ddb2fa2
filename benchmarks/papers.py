"""How digits are read from papers of many kinds: generated, so that what fails can be shown.

The papers are those of the tests (tests/reading/written.py), the digits of mnist:validation. Of
what is misread, a few of each kind are drawn into docs/pictures/misread.png.

    python benchmarks/papers.py [--write]
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

import harness

import numpy as np
from PIL import Image, ImageDraw

from inkdigits.evaluation import wilson_interval
from inkdigits.formats import load_model
from inkdigits.model import Model
from inkdigits.reading import DigitReading, read_digit
from inkdigits.reading.picture import Picture
from inkdigits.sources import load
from results import per_cent, publish, span

sys.path.insert(0, str(harness.ROOT / "tests" / "reading"))
from written import PAPERS, written_on

SHEET = harness.ROOT / "docs" / "pictures" / "misread.png"
COUNT = 200  # pictures of each kind
SEED = 1001
SHOWN = 4  # of each kind, on the sheet
CELL = 72  # pixels

Misread = tuple[str, int, Picture, DigitReading]


def readings(kind: str, model: Model) -> list[tuple[int, Picture, DigitReading]]:
    """Label, picture and reading of COUNT digits on a kind of paper."""
    digits = load("mnist:validation")
    chance = np.random.default_rng([SEED, list(PAPERS).index(kind)])
    done = []
    for index in chance.permutation(len(digits))[:COUNT].tolist():
        pixels = written_on(kind, digits.images[index], chance, digits.images).pixels
        picture = Picture(pixels, pixels.shape[1::-1])
        done.append((int(digits.known_labels[index]), picture, read_digit(picture, model)))
    return done


def measure(model: Model, *, draw: bool) -> str:
    rows, shares, misread = [], [], []
    for kind in PAPERS:
        done = readings(kind, model)
        wrong = [each for each in done if each[2].digit != each[0] or each[2].prepared.ink is None]
        refused = sum(reading.rejected for _, _, reading in done)
        named = sum(not reading.rejected for _, _, reading in wrong)
        right = COUNT - len(wrong)
        shares.append(right / COUNT)
        interval = span(wilson_interval(right, COUNT), 1)
        rows.append([kind, per_cent(right / COUNT, 1), interval, refused, named])
        misread += [(kind, *each) for each in wrong[:SHOWN]]
    rows.append(["mean over kinds", per_cent(float(np.mean(shares)), 1), "", "", ""])
    if draw:
        save_sheet(misread)
    return harness.table(
        [
            "paper",
            "read right, none refused",
            "95 % interval",
            "refused",
            "misread and not refused",
        ],
        rows,
    ) + (
        f"\n\n{COUNT} pictures of each kind, digits of `mnist:validation`, seed {SEED}; 20 to 600 "
        "pixels on a side.\n\n![What was misread: the paper, the glyph, and what it was read as]"
        "(pictures/misread.png)"
    )


def save_sheet(misread: list[Misread]) -> None:
    """Picture and glyph side by side, with the label and the answer below."""
    columns, wide, tall = 6, 2 * CELL + 12, CELL + 28
    rows = -(-len(misread) // columns)
    sheet = Image.new("L", (columns * wide, rows * tall), 255)
    pen = ImageDraw.Draw(sheet)
    for number, (kind, label, picture, reading) in enumerate(misread):
        x, y = number % columns * wide, number // columns * tall
        small = Image.fromarray(picture.pixels).convert("L")
        small.thumbnail((CELL, CELL))
        sheet.paste(small, (x, y))
        glyph = Image.fromarray(255 - reading.prepared.glyph)
        sheet.paste(glyph.resize((CELL, CELL), Image.Resampling.NEAREST), (x + CELL + 4, y))
        answer = f"{label} read as {reading.text or 'nothing'}"
        pen.text((x, y + CELL + 2), f"{kind}\n{answer}", fill=0, font_size=11, spacing=1)
    sheet.quantize(32).save(SHEET, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="reader", help="the shipped one by default")
    parser.add_argument("--write", action="store_true", help="put table and sheet into docs/")
    arguments = parser.parse_args()
    work = partial(measure, load_model(arguments.model), draw=arguments.write)
    command = "python benchmarks/papers.py"
    publish("papers", command, work, write=arguments.write, timed=False)


if __name__ == "__main__":
    main()
