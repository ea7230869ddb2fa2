"""The Draw view, shown pages of numbers: their boxes, their text, and any one digit of them."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from labs import Lab, button, watched_page
from sheets import ROWS, sheet_of
from strokes import draw, expect, reads, what

from inkdigits.dataset import Dataset
from inkdigits.formats import load_model
from inkdigits.reading import Reading, read_picture

DROP = """(text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "page.png", { type: "image/png" }));
  document.body.dispatchEvent(
    new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }),
  );
}"""

# Of "12", and far enough apart; shares of the board's sides.
ONE = ((0.25, 0.25), (0.25, 0.5), (0.25, 0.75))
TWO = ((0.5, 0.32), (0.6, 0.24), (0.7, 0.34), (0.62, 0.55), (0.48, 0.75), (0.76, 0.75))


@pytest.fixture(scope="module")
def sheet(exam: Dataset) -> bytes:
    return sheet_of(exam)


@pytest.fixture(scope="module")
def read(sheet: bytes) -> Reading:
    return read_picture(sheet, load_model("reader"))


def drop(page: Any, picture: bytes) -> None:
    page.evaluate(DROP, base64.b64encode(picture).decode())
    expect(page.locator(".boxes .chosen")).to_have_count(1)


def options(page: Any, **how: Any) -> Any:
    return page.get_by_role("listbox", name="Numbers").get_by_role("option", **how)


def test_a_dropped_page_shows_its_numbers_and_where_they_are(
    page: Any, sheet: bytes, read: Reading
) -> None:
    drop(page, sheet)
    groups = page.get_by_role("listbox", name="Numbers").get_by_role("group")
    said = [f"{number.text}: {100 * number.confidence:.0f}\u00a0%" for number in read.numbers]
    assert [group.get_attribute("aria-label") for group in groups.all()] == said
    frame = page.locator(".stages .frame img").bounding_box()
    for name, boxes in (
        ("number", [number.box for number in read.numbers]),
        ("digit", [digit.box for number in read.numbers for digit in number.digits]),
    ):
        shown = page.locator(f".boxes .{name}")
        expect(shown).to_have_count(len(boxes))
        for one, box in zip(shown.all(), boxes, strict=True):
            there = one.bounding_box()
            scale = frame["width"] / read.size[0]
            assert there["x"] - frame["x"] == pytest.approx(scale * box[0], abs=1)
            assert there["y"] - frame["y"] == pytest.approx(scale * box[1], abs=1)
            assert there["width"] == pytest.approx(scale * box[2], abs=1)
            assert there["height"] == pytest.approx(scale * box[3], abs=1)
    button(page, "Back to drawing").click()
    expect(page.locator("ink-numbers")).to_be_hidden()


def test_a_digit_chosen_by_keyboard_shows_its_glyph_and_can_be_explained_and_kept(
    page: Any, lab: Lab, sheet: bytes, read: Reading
) -> None:
    drop(page, sheet)
    third = [digit for number in read.numbers for digit in number.digits][2]
    part = ",".join(map(str, third.box))
    in_address = part.replace(",", "%2C")
    options(page).first.focus()
    page.keyboard.press("ArrowRight")
    # The second digit's answer may be on its way still.
    with page.expect_response(re.compile(f"/api/read.*part={in_address}")) as answered:
        page.keyboard.press("ArrowRight")
    status, alone = lab.ask("POST", f"/api/read?glyph=true&part={part}", sheet)
    assert status == 200
    assert answered.value.json() == alone
    reads(page, str(third.digit))
    expect(options(page, selected=True)).to_have_text(str(third.digit))
    expect(page.locator(".boxes .digit").nth(2)).to_have_class(re.compile("chosen"))
    shown = page.evaluate(
        """() => {
          const canvas = document.querySelector("ink-answer ink-glyph canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
          return [...data].filter((_, n) => n % 4 === 0);
        }"""
    )
    assert bytes(shown) == base64.b64decode(alone["glyph"])
    with page.expect_request(re.compile(f"/api/lab/explain.*{in_address}")):
        what(page, third.digit).click()
    expect(page.locator(".why")).to_have_text(re.compile(f"{third.digit}.*as it should"))
    page.get_by_role("button", name=f"Keep this as a\u00a0{third.digit}").click()
    expect(page.locator("ink-corrections li")).to_have_count(1)


def test_a_tap_chooses_the_digit_that_is_nearest(page: Any, sheet: bytes) -> None:
    drop(page, sheet)
    box = page.locator(".boxes .digit").nth(5).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2 + 3, box["y"] + box["height"] + 12)
    expect(options(page).nth(5)).to_be_focused()
    reads(page, ROWS[1][0][1])


def test_the_numbers_can_be_copied_and_saved_for_a_spreadsheet(
    browser: Any, lab: Lab, sheet: bytes
) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with watched_page(browser, lab, permissions=allowed) as page:
        drop(page, sheet)
        button(page, "Copy").click()
        expect(page.get_by_text("Copied.")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == "\n".join(" ".join(row).strip() for row in ROWS)
        with page.expect_download() as saved:
            button(page, "CSV").click()
        assert saved.value.suggested_filename == "numbers.csv"
        rows = "".join(f"{','.join(row)}\r\n" for row in ROWS)
        assert Path(saved.value.path()).read_bytes() == rows.encode()


def test_a_digit_that_is_not_sure_is_chosen_first_and_marked_not_by_colour_alone(
    page: Any, sheet: bytes
) -> None:
    def doubted(route: Any) -> None:
        answer = route.fetch().json()
        if len(answer["numbers"]) > 1:
            answer["numbers"][1]["text"] = "0,?"  # a sign, and a digit better not named
            answer["rows"][0][1] = "0,?"
        route.fulfill(json=answer)

    page.route("**/api/read?*", doubted)
    drop(page, sheet)
    expect(options(page).nth(3)).to_have_text("?")
    expect(options(page, selected=True)).to_have_text("?")
    marked = page.locator(".boxes .digit").nth(3)
    style = (
        "(box) => [getComputedStyle(box).outlineStyle, getComputedStyle(box, '::before').content]"
    )
    assert marked.evaluate(style) == ["dashed", '"?"']
    assert page.locator(".boxes .digit").nth(2).evaluate(style) == ["solid", "none"]
    with page.expect_download() as saved:
        button(page, "CSV").click()
    assert Path(saved.value.path()).read_bytes().startswith(b'21,"0,?"\r\n')
    page.unroute("**/api/read?*")


def test_a_drawing_of_two_digits_says_its_number(page: Any) -> None:
    draw(page, ONE)
    reads(page, "1")
    expect(page.locator("ink-numbers")).to_be_hidden()
    draw(page, TWO)
    expect(page.get_by_role("group", name=re.compile("^12: "))).to_be_visible()
    reads(page, "1")
    options(page).nth(1).click()
    reads(page, "2")
    button(page, "Undo").click()
    expect(page.locator("ink-numbers")).to_be_hidden()
    reads(page, "1")


QUICK = re.compile(r"/api/read.*single=true")
WHOLE = re.compile(r"/api/read(?!.*(single=true|part=))")


def watch(page: Any) -> None:
    """Notes what the verdict and the live region say from now on."""
    page.evaluate(
        """() => {
          window.said = { verdict: [], voice: [] };
          const note = (list, place) =>
            new MutationObserver(() => list.push(place.innerText)).observe(place, {
              subtree: true, childList: true, characterData: true,
            });
          note(said.verdict, document.querySelector(".verdict"));
          note(said.voice, document.querySelector("body > [role=status]"));
        }"""
    )


def test_no_quick_answer_is_shown_while_ink_lies_beside_it(page: Any) -> None:
    with page.expect_response(WHOLE) as answered:
        draw(page, ONE)
    one = answered.value.json()
    expect(page.locator("body > [role=status]")).to_have_text(re.compile("^1. Sure"))
    held: list[Any] = []
    page.route(QUICK, lambda route: route.fulfill(json=one))
    page.route(WHOLE, lambda route: held.append(route))
    watch(page)
    with page.expect_request(WHOLE):
        draw(page, TWO)
    expect(page.locator(".answer")).to_have_text("reading\u00a0…")
    expect(page.locator(".result")).to_have_attribute("aria-busy", "true")
    said = page.evaluate("said")
    assert [text for text in said["verdict"] if "ure" in text] == []
    assert said["voice"] == []
    held[-1].continue_()
    page.unroute(WHOLE)
    page.unroute(QUICK)
    expect(page.get_by_role("group", name=re.compile("^12: "))).to_be_visible()
    reads(page, "1")
    assert page.evaluate("said.voice") == ["12"]


def test_the_page_s_answer_is_said_once_and_changes_nothing_where_it_is_the_quick_one(
    page: Any,
) -> None:
    held: list[Any] = []
    page.route(WHOLE, lambda route: held.append(route))
    with page.expect_request(WHOLE):
        draw(page, ONE)
    reads(page, "1")
    shown = page.locator(".verdict").inner_text()
    watch(page)
    held[-1].continue_()
    page.unroute(WHOLE)
    expect(page.locator(".result")).to_have_attribute("aria-busy", "false")
    said = page.evaluate("said")
    assert set(said["verdict"]) <= {shown}
    assert len(said["voice"]) == 1
    assert said["voice"][0].startswith("1. Sure")


def test_a_digit_of_earlier_numbers_does_not_keep_the_latest_drawing_from_being_read(
    page: Any,
) -> None:
    draw(page, ONE)
    draw(page, TWO)
    expect(page.get_by_role("group", name=re.compile("^12: "))).to_be_visible()
    reads(page, "1")
    held: list[Any] = []
    page.route(WHOLE, lambda route: held.append(route))
    with page.expect_request(WHOLE):
        button(page, "Undo").click()
    options(page).nth(1).click()
    held[-1].continue_()
    page.unroute(WHOLE)
    expect(page.locator("ink-numbers")).to_be_hidden()
    reads(page, "1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_a_page_and_a_phone_needs_no_sideways_scrolling(
    browser: Any, lab: Lab, sheet: bytes, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    script = next(Path(axe.__file__).parent.rglob("axe.min.js")).read_text()
    screen = {"width": 360, "height": 740}
    with watched_page(browser, lab, viewport=screen, color_scheme=scheme) as page:
        drop(page, sheet)
        expect(page.locator(".alike:not(.stale) li")).to_have_count(8)
        page.evaluate(script)
        found = page.evaluate("axe.run()")["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"]
