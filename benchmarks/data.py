"""Reading and writing the data: seconds and memory, each in a process of its own.

Run it with `python benchmarks/data.py`, on Linux, which it asks for the peak of memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import harness

ROUNDS = 5

MEASURED = """
import json, re, sys, time
from inkdigits.sources import load, save

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])

before = peak()
start = time.perf_counter()
dataset = load(sys.argv[1])
if len(sys.argv) > 2:
    save(dataset, sys.argv[2])
seconds = time.perf_counter() - start
print(json.dumps([seconds, (peak() - before) * 1024 / 1e6]))
"""


def in_a_process(*arguments: str) -> tuple[float, float]:
    """Seconds, and by how many megabytes the peak of memory rose."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *arguments], check=True, capture_output=True, text=True
    )
    seconds, megabytes = json.loads(done.stdout)
    return seconds, megabytes


def measure() -> str:
    with TemporaryDirectory() as name:
        csv = str(Path(name) / "mnist_train.csv")
        in_a_process("mnist:train", csv)
        size = Path(csv).stat().st_size
        works = {
            "load `mnist:train`, cold": ("mnist:train",),
            "load `mnist:test`, cold": ("mnist:test",),
            f"read the post's CSV, {size:,} bytes": (csv,),
            "load `mnist:train` and write that CSV": ("mnist:train", csv),
        }
        rows = []
        for work, arguments in works.items():
            runs = [in_a_process(*arguments) for _ in range(ROUNDS)]
            seconds, megabytes = (harness.median(column) for column in zip(*runs, strict=True))
            rows.append([work, f"{seconds:.2f}", f"{megabytes:.0f}"])
    return "\n\n".join(
        [
            harness.table(
                ["in a process of its own", "seconds", "memory's peak rises by, MB"], rows
            ),
            f"Medians of {ROUNDS} runs; the 60,000 images themselves are 47 MB.",
        ]
    )


if __name__ == "__main__":
    harness.publish("data", measure)
