"""The Draw view, where it is wrong: explained, kept, learned from; and its accessibility."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from labs import Lab, button, settle, watched_page
from strokes import TAUGHT, THREE, draw, expect, reads, what


def test_a_wrong_answer_is_explained_kept_removed_and_brought_back(page: Any) -> None:
    draw(page, THREE)
    what(page, 8).click()
    expect(page.locator(".why")).to_have_text(re.compile("looks like a 3"))
    expect(page.locator("ink-explanation details .caption").first).to_have_text(
        re.compile(r": \d, \d+")
    )
    expect(page.locator("ink-explanation")).not_to_contain_text("inkdigits teach")
    button(page, "Keep this as an\u00a08").click()
    expect(page.locator("ink-explanation")).to_contain_text("kept as an\u00a08")
    kept = page.locator("ink-corrections li")
    expect(kept).to_have_count(1)
    button(page, "Remove this 8").click()
    expect(kept).to_have_count(0)
    expect(button(page, "Bring it back")).to_be_focused()
    page.keyboard.press("Enter")
    expect(kept).to_have_count(1)
    expect(button(page, "Remove this 8")).to_be_focused()


def test_a_reading_is_explained_without_a_label_and_offers_no_keeping(page: Any) -> None:
    draw(page, THREE)
    button(page, "Just explain").click()
    expect(page.locator(".why")).to_have_text(re.compile("looks like a 3"))
    expect(page.get_by_role("button", name="Keep this")).to_have_count(0)


def test_another_drawing_takes_the_explanation_of_the_last_away(page: Any) -> None:
    draw(page, THREE)
    button(page, "Just explain").click()
    expect(page.locator(".why")).to_be_visible()
    draw(page, ((0.1, 0.9), (0.2, 0.9)))
    expect(page.locator(".why")).to_have_count(0)


def score(correct: int, total: int) -> dict[str, Any]:
    share = correct / total
    ends = [share - 0.01, min(1, share + 0.01)]
    return {"correct": correct, "total": total, "accuracy": share, "interval": ends}


def teach(page: Any) -> None:
    """Keeps a digit, and lets the chosen model learn from it."""
    draw(page, THREE)
    what(page, 8).click()
    button(page, "Keep this as an\u00a08").click()
    button(page, "Learn from my corrections").click()


def test_a_lesson_shows_before_and_after_and_its_model_answers(page: Any) -> None:
    lesson = {"id": TAUGHT, "name": "My own", "kind": "lesson", "has_model": True}
    scores = {
        "before": {"mnist": score(9901, 10_000), "own": score(0, 2)},
        "after": {"mnist": score(9899, 10_000), "own": score(2, 2)},
    }
    stands = iter([{**lesson, "state": "starting"}])
    ended = {**lesson, **scores, "state": "done"}
    page.route("**/api/lab/runs/*", lambda route: route.fulfill(json=next(stands, ended)))
    events = "event: state\ndata: {}\nid: {}\n\n"
    story = events.format('{"state": "running"}', 1) + events.format('{"state": "done"}', 2)
    page.route(
        "**/api/lab/runs/*/events?*",
        lambda route: route.fulfill(body=story, content_type="text/event-stream"),
    )
    page.route("**/api/lab/learn", lambda route: route.fulfill(json={"id": TAUGHT}))
    with page.expect_request("**/api/lab/learn") as asked:
        teach(page)
    assert asked.value.post_data_json == {"model": "reader", "name": "reader with 1 of mine"}
    table = page.get_by_role("table", name="Before and after")
    expect(table).to_contain_text("99.01")
    expect(table).to_contain_text("98.99")
    expect(table.get_by_role("row").last).to_contain_text("100.00")
    expect(page.get_by_label("Model")).to_have_value(TAUGHT)
    page.get_by_label("Model").select_option(label="reader")
    settle(page)
    page.reload()  # shown again, but what was chosen since then stays
    expect(table).to_contain_text("98.99")
    expect(page.get_by_label("Model")).to_have_value("reader")


def test_what_was_taught_already_is_taught_anew_from_where_it_came(page: Any) -> None:
    earlier = {"id": TAUGHT, "kind": "lesson", "settings": {"model": "reader"}}
    page.route("**/api/lab/runs/*", lambda route: route.fulfill(json=earlier))
    refusal = {"error": "not now"}
    page.route("**/api/lab/learn", lambda route: route.fulfill(status=409, json=refusal))
    page.get_by_label("Model").select_option(label="My own")
    with page.expect_request("**/api/lab/learn") as asked:
        teach(page)
    assert asked.value.post_data_json["model"] == "reader"
    expect(page.get_by_role("alert")).to_have_text("not now")
    expect(button(page, "Learn from my corrections")).to_be_focused()
    page.complaints.clear()  # the browser's own of the 409


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_a_phone_needs_no_sideways_scrolling(
    browser: Any, lab: Lab, photo: bytes, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    script = next(Path(axe.__file__).parent.rglob("axe.min.js")).read_text()
    screen = {"width": 360, "height": 740}
    with watched_page(browser, lab, viewport=screen, color_scheme=scheme) as page:

        def check() -> None:
            page.evaluate(script)
            found = page.evaluate("axe.run()")["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
            assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"]

        check()
        draw(page, THREE)
        expect(page.locator(".alike:not(.stale) li")).to_have_count(8)
        what(page, 8).click()
        page.locator("ink-explanation summary").click()
        button(page, "Keep this as an\u00a08").click()
        expect(page.locator("ink-corrections li").first).to_be_visible()
        check()
        file = {"name": "seven.jpg", "mimeType": "image/jpeg", "buffer": photo}
        page.locator("input[type=file]").set_input_files(file)
        reads(page, "7")
        check()
