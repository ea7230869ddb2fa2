"""The Draw view, drawn on: by mouse and keyboard; what is read meanwhile, kept, and undone."""

from __future__ import annotations

import re
from typing import Any

from labs import button, settle
from strokes import ONE, SEVEN, TAUGHT, THREE, draw, expect, reads


def test_a_digit_drawn_with_the_mouse_is_read_compared_and_measured(page: Any) -> None:
    reads(page, "Draw a digit")
    draw(page, THREE)
    reads(page, "3$")
    expect(page.locator(".sureness")).to_have_text(re.compile(r"^Sure: 9\d\.\d|^Sure: 100"))
    expect(page.locator(".bars .best th")).to_have_text("3")
    expect(page.locator(".alike:not(.stale) .caption")).to_have_text(["3"] * 8)
    expect(page.locator("body > [role=status]")).to_have_text(re.compile("^3. Sure"))
    assert page.evaluate("performance.getEntriesByName('reading').length") == 1


def test_a_drawing_reaches_the_reader_upright(page: Any) -> None:
    draw(page, SEVEN)
    reads(page, "7$")


def test_what_is_no_digit_is_called_none(page: Any) -> None:
    for start in range(5):  # a grid
        share = 0.15 + 0.17 * start
        draw(page, ((share, 0.1), (share, 0.9)))
        draw(page, ((0.1, share), (0.9, share)))
    reads(page, "Not a digit")
    expect(page.locator(".bars .best th")).to_have_text("none")


def test_a_drawing_and_its_brush_outlive_a_reload_and_can_still_be_undone(page: Any) -> None:
    page.get_by_label("Brush").fill("26")
    draw(page, THREE)
    draw(page, ((0.1, 0.1), (0.12, 0.1)))
    settle(page)
    page.reload()
    expect(page.get_by_label("Brush")).to_have_value("26")
    button(page, "Undo").click()
    reads(page, "3")
    button(page, "Undo").click()
    reads(page, "Draw a digit")


def test_clear_takes_all_away_and_undo_brings_it_back(page: Any) -> None:
    draw(page, THREE)
    reads(page, "3")
    button(page, "Clear").click()
    reads(page, "Draw a digit")
    expect(page.get_by_text("Is it wrong?")).to_be_hidden()
    button(page, "Undo").click()
    reads(page, "3")


def test_the_keyboard_alone_draws_and_leaves_the_board(page: Any) -> None:
    page.locator("ink-sheet canvas").focus()
    page.keyboard.press(" ")
    for _ in range(7):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press(" ")
    reads(page, "1")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Brush")).to_be_focused()
    for name in ("Undo", "Clear"):
        page.keyboard.press("Tab")
        expect(button(page, name)).to_be_focused()


def test_while_one_draws_one_picture_is_asked_about_at_a_time_and_the_last_counts(
    page: Any,
) -> None:
    page.evaluate(
        """() => {
          const real = window.fetch;
          window.asked = { now: 0, most: 0, all: 0 };
          window.fetch = async (path, options) => {
            if (!path.startsWith("/api/read")) return real(path, options);
            asked.most = Math.max(asked.most, ++asked.now);
            asked.all++;
            let open = true;
            const close = () => { asked.now -= open; open = false; };
            options.signal.addEventListener("abort", close);
            await new Promise((resolve) => setTimeout(resolve, 150));
            return real(path, options).finally(close);
          };
        }"""
    )
    draw(page, ONE)
    draw(page, ((0.3, 0.8), (0.7, 0.8)))
    button(page, "Clear").click()
    draw(page, THREE)
    reads(page, "3")
    asked = page.evaluate("asked")
    assert asked["most"] == 1
    assert asked["all"] < 30  # of some 70 moves


def test_another_model_reads_again_what_is_there(page: Any) -> None:
    draw(page, THREE)
    reads(page, "3")
    with page.expect_response(re.compile(f"/api/read.*model={TAUGHT}")) as answered:
        page.get_by_label("Model").select_option(label="My own")
    assert answered.value.json()["model"] == TAUGHT
    expect(page.locator(".bars .value").last).to_have_text("–")  # it cannot tell what is none
