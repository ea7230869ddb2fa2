"""The first visit: six steps, done by what one does, and never in the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from labs import Lab, running_lab, settle, watched_page

expect: Any = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed"
).expect

DIGIT = {"box": [1, 1, 9, 9], "rejected": False, "not_a_digit": 0.01, "model": "reader"}
SCRIBBLE = {**DIGIT, "rejected": True, "not_a_digit": 0.9}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def page(browser: Any, lab: Lab) -> Iterator[Any]:
    (lab.home / "state.json").unlink(missing_ok=True)
    with watched_page(browser, lab) as opened:
        yield opened
        settle(opened)


def happens(page: Any, name: str, detail: object = None) -> None:
    """What a view tells when the user does something."""
    page.evaluate("([name, detail]) => lab.state.tell(name, detail)", [name, detail])


def step(page: Any, number: int) -> None:
    expect(page.locator(".band")).to_contain_text(f"{number} of 6")


def test_each_step_is_done_by_what_the_user_does_and_in_the_end_it_goes_away(page: Any) -> None:
    step(page, 1)
    happens(page, "reading", DIGIT)
    step(page, 2)
    happens(page, "reading", SCRIBBLE)
    step(page, 3)
    page.get_by_role("link", name="Open Train").click()
    expect(page.locator("nav [aria-current]")).to_have_text("Train")
    expect(page.get_by_role("link", name="Open Train")).to_be_hidden()
    happens(page, "run-started", {"id": "0123456789ab"})
    step(page, 4)
    happens(page, "run-point", {"run": "0123456789ab", "validation_accuracy": 0.969})
    step(page, 4)
    happens(page, "run-point", {"run": "0123456789ab", "validation_accuracy": 0.9705})
    step(page, 5)
    own = {**DIGIT, "model": "0123456789ab", "not_a_digit": None}
    happens(page, "reading", own)  # the old drawing, read anew because the model was chosen
    step(page, 5)
    happens(page, "strokes", {})
    happens(page, "reading", own)
    step(page, 6)
    happens(page, "unit-opened")
    expect(page.locator(".band")).to_contain_text("The rest is yours")
    page.get_by_role("button", name="Put away", exact=True).click()
    expect(page.locator(".band")).to_be_hidden()


def test_a_run_that_ends_below_says_what_may_help(page: Any) -> None:
    for event, detail in (("reading", DIGIT), ("reading", SCRIBBLE), ("run-started", {})):
        happens(page, event, detail)
    happens(page, "run-ended", {"run": "0123456789ab", "accuracy": 0.952})
    expect(page.locator(".band")).to_contain_text(re.compile(r"ended at 95\.2"))


def test_a_reading_of_nothing_does_no_step(page: Any) -> None:
    happens(page, "reading", {**SCRIBBLE, "box": None})
    happens(page, "reading", None)
    happens(page, "reading", SCRIBBLE)  # half of the first digit, as likely as not
    happens(page, "reading", DIGIT)
    step(page, 2)


def test_the_steps_outlive_a_reload_can_be_put_away_and_begun_again(page: Any) -> None:
    happens(page, "reading", DIGIT)
    step(page, 2)
    settle(page)
    page.reload()
    step(page, 2)
    page.get_by_role("button", name="Skip", exact=True).press("Enter")
    step(page, 3)
    page.get_by_role("button", name="Put away").press("Enter")
    expect(page.locator("main")).to_be_focused()
    settle(page)
    page.reload()
    expect(page.locator("nav")).to_be_visible()
    expect(page.locator(".band")).to_be_hidden()
    page.get_by_role("button", name="First steps").press("Enter")
    step(page, 1)


def test_it_speaks_through_a_region_of_its_own(page: Any) -> None:
    region = page.locator("ink-visit [role=status]")
    expect(region).to_have_text(re.compile(r"^1 of 6\s+Draw a digit"))
    happens(page, "reading", DIGIT)
    expect(region).to_have_text(re.compile(r"^2 of 6"))


def test_nothing_is_shown_where_all_was_done(browser: Any, lab: Lab) -> None:
    Path(lab.home / "state.json").write_text('{"visit": {"done": [0, 1, 2, 3, 4, 5]}}')
    with watched_page(browser, lab) as page:
        expect(page.locator("nav")).to_be_visible()
        expect(page.locator(".band")).to_be_hidden()
