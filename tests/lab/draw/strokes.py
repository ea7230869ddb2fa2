"""What one does with the Draw view: strokes on its board, and looks at what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from labs import PATIENCE

__all__ = ["ONE", "SEVEN", "TAUGHT", "THREE", "draw", "expect", "reads", "what"]

expect: Any = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed"
).expect
expect.set_options(timeout=1000 * PATIENCE)  # a busy machine is slow, and not wrong

TAUGHT = "0123456789ab"  # the id of a run with a model

# Shares of the board's sides.
THREE = (
    (0.3, 0.25), (0.5, 0.17), (0.68, 0.27), (0.66, 0.42), (0.5, 0.5),
    (0.67, 0.58), (0.7, 0.74), (0.52, 0.84), (0.3, 0.76),
)  # fmt: skip
SEVEN = ((0.25, 0.2), (0.72, 0.2), (0.45, 0.85))
ONE = ((0.5, 0.2), (0.5, 0.5), (0.5, 0.8))


def draw(page: Any, points: tuple[tuple[float, float], ...]) -> None:
    """One stroke with the mouse."""
    board = page.locator("ink-sheet canvas")
    board.scroll_into_view_if_needed()
    box = board.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def reads(page: Any, answer: str) -> None:
    expect(page.locator(".answer")).to_have_text(re.compile(f"^{answer}"))


def what(page: Any, digit: int) -> Any:
    """The button that says which digit it is."""
    group = page.get_by_role("group", name="Say what it is")
    return group.get_by_role("button", name=str(digit), exact=True)
