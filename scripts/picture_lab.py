"""Takes the pictures of docs/lab.md: the lab in headless Chromium, with a run trained anew.

    python scripts/picture_lab.py

Needs the development requirements and Chromium on the path. It takes a minute.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
WIDE, PHONE = {"width": 1280, "height": 820}, {"width": 390, "height": 780}
PATIENCE = 120_000  # milliseconds

# Shares of the board's sides.
FOUR = (
    ((0.42, 0.16), (0.36, 0.32), (0.3, 0.46), (0.5, 0.5), (0.74, 0.47)),
    ((0.68, 0.14), (0.64, 0.4), (0.62, 0.64), (0.6, 0.86)),
)
SEVEN = (
    ((0.27, 0.24), (0.5, 0.21), (0.73, 0.2), (0.6, 0.42), (0.5, 0.62), (0.44, 0.86)),
    ((0.36, 0.53), (0.68, 0.49)),
)


def draw(page: Page, strokes: tuple[tuple[tuple[float, float], ...], ...]) -> None:
    box = page.locator("ink-sheet canvas").bounding_box()
    assert box is not None
    for stroke in strokes:
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for x, y in places[1:]:
            page.mouse.move(x, y, steps=8)
        page.mouse.up()
    page.mouse.move(2, 2)


def keep(page: Page, name: str) -> None:
    """A picture of what is in the window, with as few colours as it needs."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(255).save(PICTURES / f"{name}.png", optimize=True)
    print(f"docs/pictures/{name}.png")


def start(home: str) -> tuple[subprocess.Popen[str], str]:
    lab = subprocess.Popen(
        [sys.executable, "-m", "inkdigits", "lab", "--no-browser", "--home", home],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert lab.stdout is not None
    found = re.search(r"http\S+", lab.stdout.readline())
    assert found is not None
    return lab, found[0]


def main() -> None:
    expect.set_options(timeout=PATIENCE)
    with TemporaryDirectory() as home, sync_playwright() as running:
        lab, address = start(home)
        try:
            chromium = running.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            take(chromium, address)
            chromium.close()
        finally:
            lab.terminate()
            lab.wait()


def take(chromium: Any, address: str) -> None:
    page = chromium.new_context(viewport=WIDE, color_scheme="light").new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    home = page.url.partition("#")[0]
    expect(page.locator(".band")).to_contain_text("1 of 6")
    draw(page, FOUR)
    expect(page.locator(".alike:not(.stale) .caption")).to_have_count(8)
    keep(page, "lab-draw")

    page.goto(f"{home}#train")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("ink-run .numbers div").first).to_have_text(re.compile(r"done[34]\."))
    keep(page, "lab-train")
    expect(page.locator("ink-run .state")).to_contain_text("Done")
    run = json.loads(page.evaluate("async () => JSON.stringify(await lab.get('/api/lab/runs'))"))
    page.evaluate("(id) => lab.state.set('model', id)", run["runs"][0]["id"])

    page.goto(f"{home}#look")
    page.locator(".layer").nth(1).locator(".units button").nth(4).click()
    expect(page.locator("ink-unit [role=gridcell]")).to_have_count(25)
    page.locator("ink-unit [role=gridcell]").nth(12).hover()
    page.evaluate("document.querySelector('ink-unit').scrollIntoView()")
    keep(page, "lab-look")

    page = chromium.new_context(viewport=PHONE, color_scheme="dark").new_page()
    page.goto(address)
    page.goto(f"{home}#draw")
    page.evaluate("() => lab.state.set('model', 'reader')")
    page.get_by_role("button", name="Clear", exact=True).click()
    draw(page, SEVEN)
    expect(page.locator(".answer")).to_have_text("7")
    keep(page, "lab-phone")


if __name__ == "__main__":
    main()
