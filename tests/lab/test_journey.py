"""The whole way of a newcomer: draw, train, use, look; with the mouse, with the keyboard, and when
everything is killed in the middle.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from labs import Lab, button, running_lab, watched_page

expect: Any = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed"
).expect

TABS = 120  # of one press each: more than there are controls in any view

SEVEN = ((0.25, 0.2), (0.72, 0.2), (0.45, 0.85))

# Eight epochs of twenty steps.
SMALL = {
    "recipe": None,
    "network": {
        "layers": [{"kind": "dense", "units": 16}],
        "activation": "relu",
        "loss": "cross-entropy",
        "optimizer": "adam",
    },
    "epochs": 8,
    "batch": 50,
    "images": 1000,
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with running_lab(tmp_path / "home") as running:
        yield running


@pytest.fixture
def page(browser: Any, lab: Lab) -> Iterator[Any]:
    with watched_page(browser, lab) as opened:
        yield opened


def draw(page: Any, *strokes: tuple[tuple[float, float], ...]) -> None:
    board = page.locator("ink-sheet canvas")
    board.scroll_into_view_if_needed()
    box = board.bounding_box()
    for stroke in strokes:
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=6)
        page.mouse.up()


def step(page: Any, number: int) -> None:
    expect(page.locator(".band")).to_contain_text(f"{number} of 6")


def test_a_newcomer_draws_trains_uses_and_looks_inside_led_by_the_page_alone(page: Any) -> None:
    answer = page.locator(".answer")
    step(page, 1)
    draw(page, SEVEN)
    expect(answer).to_have_text("7")
    step(page, 2)
    button(page, "Clear").click()
    places = [0.15 + 0.17 * n for n in range(5)]
    draw(page, *(((x, 0.1), (x, 0.9)) for x in places), *(((0.1, y), (0.9, y)) for y in places))
    expect(answer).to_have_text("Not a digit")
    step(page, 3)
    page.locator(".band a").click()
    button(page, "Start").click()
    step(page, 4)
    step(page, 5)  # when 97 % of the validation digits are read right
    button(page, "Stop and keep").click()
    page.locator("ink-run").get_by_role("button", name="Use it in Draw").click()
    expect(page.locator("#model option:checked")).not_to_have_text("reader")
    button(page, "Clear").click()
    draw(page, SEVEN)
    expect(answer).to_have_text(re.compile("^7"))
    step(page, 6)
    page.locator(".band a").click()
    page.locator(".layer .units button").nth(3).click()
    expect(page.locator("ink-unit h2")).to_contain_text("unit")
    expect(page.locator("ink-unit")).to_contain_text("Sum of the products")
    expect(page.locator(".band")).not_to_contain_text("6 of 6")


def tab_to(page: Any, name: str) -> None:
    """Presses Tab until the control of this name has the focus."""
    for _ in range(TABS):
        page.keyboard.press("Tab")
        named = page.evaluate(
            """() => { const it = document.activeElement;
                return it.getAttribute("aria-label") ?? it.labels?.[0]?.textContent
                    ?? it.textContent.trim(); }"""
        )
        if named == name:
            return
    raise AssertionError(f"Tab does not lead to {name!r}")


def test_the_keyboard_alone_goes_the_same_way(page: Any) -> None:
    press = page.keyboard.press
    tab_to(page, "Drawing board")
    press("Space")  # the pen down, from the top of the middle
    for _ in range(7):
        press("Shift+ArrowDown")
    press("Space")
    expect(page.locator(".answer")).to_have_text("1")
    page.reload()
    tab_to(page, "Train")
    press("Enter")
    expect(page.locator(".estimate")).to_contain_text("parameters")
    tab_to(page, "Start")
    press("Enter")
    expect(page.locator("ink-run .state")).to_contain_text("Learning")
    tab_to(page, "Pause")
    press("Enter")
    expect(page.locator("ink-run .state")).to_contain_text("Paused")
    press("Enter")  # the same button, which says "Go on" now
    expect(page.locator("ink-run .numbers div").nth(3)).to_have_text(re.compile(r"9[5-9]\.\d"))
    tab_to(page, "Stop and keep")
    press("Enter")
    expect(page.locator("ink-run .state")).to_contain_text("Stopped")
    tab_to(page, "Use it in Draw")
    press("Enter")
    expect(page).to_have_url(re.compile("#draw$"))
    expect(page.locator(".answer")).to_have_text(re.compile("^1"))


def test_what_is_killed_in_mid_training_goes_on_and_has_every_epoch_once(
    page: Any, lab: Lab
) -> None:
    page.evaluate("(settings) => lab.state.set('settings', settings)", SMALL)
    page.goto(f"{page.url.split('#')[0]}#train")
    button(page, "Start").click()
    page.get_by_label("Speed").select_option("20")
    numbers = page.locator("ink-run .numbers div").first
    expect(numbers).to_have_text(re.compile(r"done2\."))
    lab.end(signal.SIGKILL)
    expect(page.locator(".banner")).to_be_visible()
    lab.start()
    expect(page.locator(".banner")).to_be_hidden()
    expect(page.locator("ink-run .state")).to_contain_text("Interrupted")
    button(page, "Go on").click()
    page.get_by_label("Speed").select_option("0")
    expect(page.locator("ink-run .state")).to_contain_text("Done")
    details = page.locator("ink-curves details")
    details.locator("summary").click()
    expect(details.locator("tbody th")).to_have_text([str(epoch) for epoch in range(1, 9)])
    page.complaints.clear()  # the browser's, of a lab that was away
