"""What the benchmarks share: the machine and its gate, alternating runs, tables in the docs.

Import this first: it must speak to OpenBLAS before NumPy loads it.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path

# Every library is measured with its own choice of kernels and threads. OpenBLAS reads variables
# that change both (a core type of Haswell halves its speed on a processor with AVX-512).
IGNORED = sorted(name for name in os.environ if name.startswith("OPENBLAS_"))
for name in IGNORED:
    del os.environ[name]

import numpy as np  # noqa: E402  (after the variables are gone)
from threadpoolctl import threadpool_info, threadpool_limits  # noqa: E402

import inkdigits as ink  # noqa: E402
from inkdigits.evaluation import mean_interval  # noqa: E402
from inkdigits.files import written_whole  # noqa: E402
from inkdigits.training.measured import MEASURED, as_json  # noqa: E402
from inkdigits.version import __version__  # noqa: E402

GATE = 1.7  # two threads on two large products must be so much faster than one after the other
ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "benchmarks.md"


def machine() -> str:
    """The processor, its threads, and the versions that matter, on one line."""
    lines: list[str] = []
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    cores = os.cpu_count()
    kernels = {info.get("architecture") for info in threadpool_info()} - {None}
    return (
        f"{processor}, {cores} cores, {platform.system()}, Python {platform.python_version()}, "
        f"NumPy {np.__version__} (OpenBLAS kernels: {', '.join(sorted(kernels))}), "
        f"inkdigits {__version__}" + (f"; ignoring {', '.join(IGNORED)}" if IGNORED else "")
    )


def two_thread_gain(times: int = 5) -> float:
    """How much faster two threads do two large products than one thread does them in turn.

    The median of several measurements: the question is whether the second core is there at all.
    """
    return median(gain() for _ in range(times))


def gain(size: int = 1024, repeats: int = 12) -> float:
    generator = np.random.default_rng(0)
    left, right = generator.standard_normal((2, size, size), np.float32)

    def multiply() -> None:
        for _ in range(repeats):
            left @ right

    with threadpool_limits(1, user_api="blas"):
        multiply()
        start = time.perf_counter()
        multiply()
        multiply()
        alone = time.perf_counter() - start
        threads = [threading.Thread(target=multiply) for _ in range(2)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return alone / (time.perf_counter() - start)


def alternate(
    runs: dict[str, Callable[[], float]], rounds: int, pause: float = 0.3
) -> dict[str, list[float]]:
    """Seconds of each run, all runs in turn, `rounds` times after one that is not counted.

    Args:
        runs: each does its work and returns the seconds that count.
        rounds: how often each is measured.
        pause: seconds between two runs, in which another library's spinning threads fall asleep.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            time.sleep(pause)
            taken = run()
            if number:
                seconds[name].append(taken)
    return seconds


class Contender:
    """A run in a process of its own, so that no library meets another's threads and memory.

    Args:
        name: of the run, which the script at hand serves when it is called with `--run NAME`.
    """

    def __init__(self, name: str) -> None:
        command = [sys.executable, sys.argv[0], "--run", name]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def __call__(self) -> float:
        """Has it run once; the seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print("run", file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def __del__(self) -> None:
        self._process.terminate()
        self._process.wait()


def serve(run: Callable[[], float]) -> None:
    """Runs once for each line that comes, and answers with the seconds."""
    for _ in sys.stdin:
        print(run(), flush=True)


def median(values: Iterable[float]) -> float:
    """The median."""
    return statistics.median(values)


def ratios(first: Sequence[float], second: Sequence[float]) -> float:
    """The median of first/second, pair by pair: holds when the machine's speed drifts."""
    return median(a / b for a, b in zip(first, second, strict=True))


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


RECIPE_HEADER = (
    "recipe", "parameters", "mean test accuracy", "95 % interval", "all seeds",
    "seconds of training, median (range)",
)  # fmt: skip


def recipe_rows(
    seeds_by_name: dict[str, range], train: ink.Dataset, test: ink.Dataset
) -> list[list[str]]:
    """A row for `RECIPE_HEADER` of each recipe, trained with each seed on two threads.

    The figures are kept for `publish`, which writes them to where `inkdigits info` finds them.
    """
    rows = []
    for name, seeds in seeds_by_name.items():
        models = [ink.train(name, train, seed=seed, threads=2) for seed in seeds]
        accuracies = np.array([model.evaluate(test).accuracy for model in models])
        mean, low, high = mean_interval(accuracies)
        seconds = [model.card.seconds for model in models]
        KEPT[name] = {
            "accuracy": round(float(mean), 6),
            "interval": [round(float(low), 6), round(float(high), 6)],
            "seeds": [seeds.start, seeds.stop - 1],
            "seconds": round(median(seconds), 2),
            "machine": machine(),
        }
        rows.append([
            f"`{name}`", f"{models[0].network.parameters.size:,}", f"{100 * mean:.3f} %",
            f"{100 * low:.3f} – {100 * high:.3f}",
            f"{100 * accuracies.min():.2f} – {100 * accuracies.max():.2f}",
            f"{median(seconds):.2f} ({min(seconds):.2f} – {max(seconds):.2f})",
        ])  # fmt: skip
    return rows


KEPT: dict[str, dict[str, object]] = {}


def publish(
    name: str,
    measure: Callable[[], str],
    *,
    command: str = "",
    document: Path = DOCUMENT,
    write: bool = True,
    timed: bool = True,
) -> None:
    """Prints what `measure` found, and writes it to the document under the name.

    Where times count, the gate is measured before and after; a run on a machine whose second core
    was away is void and is not written.

    Args:
        name: of the section.
        measure: does the work, and puts what it found into Markdown.
        command: the section's title; by default the script of that name.
        document: where the section is.
        write: whether it is written, not only printed.
        timed: whether times are among it.
    """
    gated = write and timed
    before = two_thread_gain() if gated else GATE
    text = measure()
    time.sleep(2 if gated else 0)  # until the last library's spinning threads have fallen asleep
    after = two_thread_gain() if gated else GATE
    gate = f"; two-thread gain of this machine {before:.2f} before and {after:.2f} after"
    report = (
        f"## `{command or f'python benchmarks/{name}.py'}`\n\n{text}\n\n"
        f"{date.today().isoformat()}, {machine()}{gate if gated else ''}.\n"
    )
    print(report)
    if min(before, after) < GATE:
        sys.exit(f"void{gate}, expected {GATE} or more: run it again")
    if not write:
        return
    write_section(document, name, report)
    if KEPT:
        with written_whole(MEASURED) as temporary:
            temporary.write_text(as_json(KEPT), encoding="utf-8")


def write_section(document: Path, name: str, report: str) -> None:
    """Replaces what stands between the two markers of that name in a document."""
    begin, end = f"<!-- {name} begins -->\n", f"<!-- {name} ends -->\n"
    text = document.read_text(encoding="utf-8")
    before, _, rest = text.partition(begin)
    if not rest:
        raise SystemExit(f"expected the marker {begin!r} in {document}: add it where it belongs")
    after = rest.partition(end)[2]
    with written_whole(document) as temporary:
        temporary.write_text(before + begin + report + end + after, encoding="utf-8")
