"""The lab's page in a browser: how soon it is there, how soon it reads, what it keeps of memory.

    python benchmarks/lab_page.py                writes docs/benchmarks.md
    python benchmarks/lab_page.py --minutes 60   watches memory for an hour

Headless Chromium, light page, 1280 × 800. First paint and the board's readiness are of a browser
that has never been here. A reading's time is from the end of a stroke to the digit on the page.
Memory is looked at while a network learns at full speed and the page follows it.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import harness

from playwright.sync_api import sync_playwright

VISITS, STROKES = 10, 40
LOOKS = 4  # at memory
SEVEN = ((0.25, 0.2), (0.72, 0.2), (0.45, 0.85))
# It learns for as long as anybody watches: 196,000 steps of half a millisecond, 200 epochs.
LONG = {
    "recipe": None,
    "network": {"layers": [{"kind": "dense", "units": 64}], "activation": "relu"},
    "epochs": 200,
    "batch": 64,
}


def main() -> None:
    """Starts a lab, visits it, and publishes what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=6)
    options = parser.parse_args()
    rows: list[list[str]] = []

    def measure() -> str:
        with TemporaryDirectory() as home, sync_playwright() as running:
            lab = subprocess.Popen(
                [sys.executable, "-m", "inkdigits", "lab", "--no-browser", "--home", home],
                stdout=subprocess.PIPE,
                text=True,
            )
            try:
                assert lab.stdout is not None
                found = re.search(r"http\S+", lab.stdout.readline())
                assert found is not None
                chromium = running.chromium.launch(
                    executable_path=shutil.which("chromium"), args=["--no-sandbox"]
                )
                rows.extend([*visits(chromium, found[0]), *readings(chromium, found[0])])
                looks, memory = watched(chromium, found[0], lab.pid, options.minutes)
                chromium.close()
            finally:
                lab.send_signal(signal.SIGTERM)
                lab.wait()
        page = harness.table(["the lab's page", "median", "95th percentile", "bar"], rows)
        return "\n\n".join([page, harness.table(["while a network learns", *looks], memory)])

    harness.publish("lab_page", measure)


def row(name: str, milliseconds: list[float], bar: float) -> list[str]:
    highest = statistics.quantiles(milliseconds, n=20)[-1]
    median = statistics.median(milliseconds)
    return [name, f"{median:.0f} ms", f"{highest:.0f} ms", f"≤ {bar:,.0f} ms"]


def opened(chromium: Any, address: str) -> Any:
    page = chromium.new_context(
        viewport={"width": 1280, "height": 800},
        color_scheme="light",
        bypass_csp=True,  # Playwright waits with eval, which the page itself may not
    ).new_page()
    page.goto(address)
    page.wait_for_selector("ink-sheet canvas")
    return page


def visits(chromium: Any, address: str) -> list[list[str]]:
    """First paint, and when one can draw."""
    paints, boards = [], []
    for _ in range(VISITS):
        page = opened(chromium, address)
        boards.append(page.evaluate("performance.now()"))
        paints.append(
            page.evaluate(
                "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"
            )
        )
        page.context.close()
    return [row("first contentful paint", paints, 1000), row("ready to draw", boards, 1000)]


def readings(chromium: Any, address: str) -> list[list[str]]:
    """From the end of a stroke to the answer on the page."""
    page = opened(chromium, address)
    box = page.locator("ink-sheet canvas").bounding_box()
    times: list[float] = []
    for number in range(STROKES + 3):
        page.get_by_role("button", name="Clear", exact=True).click()
        page.wait_for_function("document.querySelector('.answer').textContent === 'Draw a digit'")
        page.evaluate("performance.clearMeasures('reading')")
        shift = 0.002 * (number % 20)  # no two drawings are the same
        places = [
            (box["x"] + (x + shift) * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN
        ]
        page.mouse.move(*places[0])
        page.mouse.down()
        for x, y in places[1:]:
            page.mouse.move(x, y, steps=20)
        page.mouse.up()
        page.wait_for_function("performance.getEntriesByName('reading').length > 0")
        took = page.evaluate("performance.getEntriesByName('reading').at(-1).duration")
        if number >= 3:  # the first warm up
            times.append(took)
        page.wait_for_selector(".alike:not(.stale)")
    page.context.close()
    return [row("reading, after a stroke's end", times, 80)]


def watched(
    chromium: Any, address: str, server: int, minutes: float
) -> tuple[list[str], list[list[str]]]:
    """Megabytes of the server and of the page's heap, from time to time."""
    page = opened(chromium, address)
    page.evaluate("(settings) => lab.post('/api/lab/runs', settings)", LONG)
    page.goto(f"{page.url.partition('#')[0]}#train")
    page.wait_for_selector("ink-run progress")
    session = page.context.new_cdp_session(page)
    began = time.monotonic()
    servers, heaps, heads = [], [], []
    for look in range(LOOKS + 1):
        due = 20 + look * 60 * minutes / LOOKS
        while time.monotonic() - began < due:
            page.wait_for_timeout(500)
        session.send("HeapProfiler.collectGarbage")
        heads.append(f"{(time.monotonic() - began) / 60:.1f} min")
        heaps.append(f"{session.send('Runtime.getHeapUsage')['usedSize'] / 1e6:.1f} MB")
        servers.append(f"{resident(server) / 1e6:.0f} MB")
    page.context.close()
    return heads, [["the server", *servers], ["the page's heap", *heaps]]


def resident(process: int) -> int:
    """Bytes of memory that a process holds."""
    status = Path(f"/proc/{process}/status").read_text()
    return 1024 * int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # type: ignore[index]


if __name__ == "__main__":
    main()
