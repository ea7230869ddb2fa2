"""The Draw view, used as people use it: pen, keyboard, pictures, camera, and teaching."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labs import Lab, running_lab, watched_page
from PIL import Image

from inkdigits.dataset import Dataset

expect: Any = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed"
).expect

TAUGHT = "0123456789ab"  # the id of a run with a model

# Shares of the board's sides.
THREE = (
    (0.3, 0.25), (0.5, 0.17), (0.68, 0.27), (0.66, 0.42), (0.5, 0.5),
    (0.67, 0.58), (0.7, 0.74), (0.52, 0.84), (0.3, 0.76),
)  # fmt: skip
SEVEN = ((0.25, 0.2), (0.72, 0.2), (0.45, 0.85))
ONE = ((0.5, 0.2), (0.5, 0.5), (0.5, 0.8))


@pytest.fixture(scope="module")
def lab(blink_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with a second model, that of a run."""
    home = tmp_path_factory.mktemp("home")
    run = home / "runs" / TAUGHT
    run.mkdir(parents=True)
    shutil.copyfile(blink_file, run / "model.safetensors")
    about = {"id": TAUGHT, "name": "My own", "created": "2026-01-01T00:00:00", "settings": {}}
    (run / "run.json").write_text(json.dumps({**about, "kind": "training"}))
    with running_lab(home) as running:
        yield running


@pytest.fixture
def page(browser: Any, lab: Lab) -> Iterator[Any]:
    """The Draw view of somebody who has done nothing yet."""
    (lab.home / "state.json").unlink(missing_ok=True)
    shutil.rmtree(lab.home / "corrections", ignore_errors=True)
    with watched_page(browser, lab) as opened:
        yield opened
        settle(opened)


def settle(page: Any) -> None:
    """Waits until the page has kept all of its state, so that nothing of it comes later."""
    mark = secrets.token_hex(4)
    with page.expect_response(lambda response: mark in (response.request.post_data or "")):
        page.evaluate("(mark) => lab.state.set('mark', mark)", mark)


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


def button(page: Any, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


@pytest.fixture(scope="module")
def photo(exam: Dataset) -> bytes:
    """A 7 on grey paper that gets darker to one side, as JPEG."""
    rng = np.random.default_rng(1)
    paper = np.full((480, 640), 200.0) + np.linspace(-30, 30, 640) + rng.normal(0, 2, (480, 640))
    ink = np.asarray(Image.fromarray(exam.images[0]).resize((240, 240))) / 255
    paper[120:360, 200:440] *= 1 - 0.8 * ink
    file = io.BytesIO()
    Image.fromarray(paper.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def test_a_digit_drawn_with_the_mouse_is_read_compared_and_measured(page: Any) -> None:
    reads(page, "Draw a digit")
    draw(page, THREE)
    reads(page, "3$")
    expect(page.locator(".sureness")).to_have_text(re.compile(r"^Sure: 9\d\.\d|^Sure: 100"))
    expect(page.locator(".bars .best th")).to_have_text("3")
    expect(page.locator(".alike:not(.stale) .caption")).to_have_text(["3"] * 8)
    expect(page.locator("body > [role=status]")).to_have_text(re.compile("^It reads 3"))
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
            await new Promise((resolve) => setTimeout(resolve, 150));
            return real(path, options).finally(() => asked.now--);
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


def test_a_wrong_answer_is_explained_kept_removed_and_brought_back(page: Any) -> None:
    draw(page, THREE)
    page.get_by_role("group", name="What is it?").get_by_role("button", name="8").click()
    expect(page.locator(".why")).to_have_text(re.compile("looks like a 3"))
    expect(page.locator(".tried details .caption").first).to_have_text(re.compile(r": \d, \d+"))
    expect(page.locator(".said")).not_to_contain_text("inkdigits teach")
    button(page, "Keep this as a 8").click()
    expect(page.locator(".keep")).to_contain_text("kept as a 8; 1 kept in all")
    kept = page.locator("ink-corrections li")
    expect(kept).to_have_count(1)
    button(page, "Remove this 8").click()
    expect(kept).to_have_count(0)
    expect(button(page, "Bring it back")).to_be_focused()
    page.keyboard.press("Enter")
    expect(kept).to_have_count(1)
    expect(page.locator("ink-corrections .gallery")).to_be_focused()


def test_a_reading_is_explained_without_a_label_and_offers_no_keeping(page: Any) -> None:
    draw(page, THREE)
    button(page, "Just explain").click()
    expect(page.locator(".why")).to_have_text(re.compile("looks like a 3"))
    expect(page.locator(".keep button")).to_have_count(0)


def test_another_drawing_takes_the_explanation_of_the_last_away(page: Any) -> None:
    draw(page, THREE)
    button(page, "Just explain").click()
    expect(page.locator(".why")).to_be_visible()
    draw(page, ((0.1, 0.9), (0.2, 0.9)))
    expect(page.locator(".why")).to_have_count(0)


def test_another_model_reads_again_what_is_there(page: Any) -> None:
    draw(page, THREE)
    reads(page, "3")
    with page.expect_response(re.compile(f"/api/read.*model={TAUGHT}")) as answered:
        page.get_by_label("Model").select_option(label="My own")
    assert answered.value.json()["model"] == TAUGHT
    expect(page.locator(".bars .value").last).to_have_text("–")  # it cannot tell what is none


def test_a_lesson_shows_before_and_after_and_its_model_answers(page: Any) -> None:
    def score(correct: int, total: int) -> dict[str, Any]:
        share = correct / total
        ends = [share - 0.01, min(1, share + 0.01)]
        return {"correct": correct, "total": total, "accuracy": share, "interval": ends}

    end = {
        "state": "done",
        "before": {"mnist": score(9901, 10_000), "own": score(0, 2)},
        "after": {"mnist": score(9899, 10_000), "own": score(2, 2)},
    }
    events = (
        f'event: state\ndata: {{"state": "running"}}\n\nevent: state\ndata: {json.dumps(end)}\n\n'
    )
    page.route("**/api/lab/learn", lambda route: route.fulfill(json={"id": TAUGHT}))
    page.route(
        "**/api/lab/runs/*/events",
        lambda route: route.fulfill(body=events, content_type="text/event-stream"),
    )
    page.route("**/api/lab/runs/*", lambda route: route.fulfill(json={"name": "My own"}))
    draw(page, THREE)
    page.get_by_role("group", name="What is it?").get_by_role("button", name="8").click()
    button(page, "Keep this as a 8").click()
    with page.expect_request("**/api/lab/learn") as asked:
        button(page, "Learn from my corrections").click()
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


def test_a_picture_shows_its_stages_and_leaves_the_drawing_as_it_was(
    page: Any, photo: bytes
) -> None:
    draw(page, THREE)
    file = {"name": "seven.jpg", "mimeType": "image/jpeg", "buffer": photo}
    with page.expect_file_chooser() as chooser:
        button(page, "Choose a picture").click()
    chooser.value.set_files(file)
    reads(page, "7")
    frame = page.locator("ink-stages .frame").bounding_box()
    box = page.locator("ink-stages .box").bounding_box()
    # The glyph's middle is where it was put, and its ink lies well within its 28 pixels.
    assert box["x"] + box["width"] / 2 == pytest.approx(frame["x"] + frame["width"] / 2, rel=0.05)
    assert 0.1 < box["height"] / frame["height"] < 0.5
    expect(page.get_by_alt_text("The ink that was found")).to_be_visible()
    expect(page.locator("ink-sheet")).to_be_hidden()
    page.get_by_role("group", name="What is it?").get_by_role("button", name="7").click()
    expect(page.locator(".why")).to_have_text(re.compile("7.*as it should"))
    button(page, "Back to drawing").click()
    reads(page, "3")
    expect(page.locator("ink-sheet canvas")).to_be_focused()


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_can_be_dropped_and_pasted(page: Any, photo: bytes, way: str) -> None:
    give = """([way, text]) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], "seven.jpg", { type: "image/jpeg" }));
      const event = way === "drop"
        ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
        : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
      document.body.dispatchEvent(event);
    }"""
    page.evaluate(give, [way, base64.b64encode(photo).decode()])
    reads(page, "7")


def test_what_is_no_picture_is_refused_in_the_servers_words(page: Any) -> None:
    draw(page, THREE)
    file = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"three"}
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("alert")).to_have_text(re.compile("^expected .* got"))
    page.complaints.clear()  # the browser's own of the 415
    button(page, "Back to drawing").click()
    reads(page, "3")
    expect(page.get_by_role("alert").locator("visible=true")).to_have_count(0)


def test_a_picture_that_is_too_large_is_refused_unsent(page: Any, tmp_path: Path) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(33 * 2**20)
    page.locator("input[type=file]").set_input_files(huge)
    expect(page.get_by_role("alert")).to_contain_text("up to 32\u00a0MB, this one has 33")
    assert not [url for url in sent if "/api/read" in url]


def filming(browser: Any, film: Path, *options: str) -> Any:
    """A browser whose camera plays a film."""
    return browser.browser_type.launch(
        executable_path=os.environ.get("INKDIGITS_CHROMIUM") or shutil.which("chromium"),
        args=[
            "--no-sandbox",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
            *options,
        ],
    )


@pytest.fixture
def film(photo: bytes, tmp_path: Path) -> Path:
    """The photo, ten times, as uncompressed video."""
    grey = np.asarray(Image.open(io.BytesIO(photo)).convert("L"))
    frame = b"FRAME\n" + grey.tobytes() + b"\x80" * (grey.size // 2)
    path = tmp_path / "seven.y4m"
    path.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n" + 10 * frame)
    return path


def test_the_camera_takes_a_picture_and_is_switched_off(browser: Any, lab: Lab, film: Path) -> None:
    chromium = filming(browser, film, "--use-fake-ui-for-media-stream")
    with watched_page(chromium, lab) as page:
        button(page, "Camera").click()
        live = "() => document.querySelector('video').srcObject"
        expect(button(page, "Take picture")).to_be_enabled()
        page.evaluate(f"window.track = ({live})().getTracks()[0]")
        button(page, "Take picture").click()
        reads(page, "7")
        expect(page.get_by_role("dialog")).to_be_hidden()
        assert page.evaluate("track.readyState") == "ended"
        assert page.evaluate(live) is None
    chromium.close()


def test_a_camera_that_is_missing_or_refused_is_said_so(page: Any) -> None:
    button(page, "Camera").click()
    expect(page.get_by_role("alert")).to_contain_text("choose a picture instead")
    expect(button(page, "Take picture")).to_be_disabled()
    button(page, "Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


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
        page.get_by_role("group", name="What is it?").get_by_role("button", name="8").click()
        page.locator(".tried summary").click()
        button(page, "Keep this as a 8").click()
        expect(page.locator("ink-corrections li").first).to_be_visible()
        check()
        file = {"name": "seven.jpg", "mimeType": "image/jpeg", "buffer": photo}
        page.locator("input[type=file]").set_input_files(file)
        reads(page, "7")
        check()
