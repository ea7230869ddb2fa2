"""The Draw view, shown pictures: chosen, dropped, pasted, and taken with the camera."""

from __future__ import annotations

import base64
import io
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labs import Lab, button, watched_page
from PIL import Image
from strokes import THREE, draw, expect, reads, what


def test_a_picture_shows_its_stages_and_leaves_the_drawing_as_it_was(
    page: Any, photo: bytes
) -> None:
    draw(page, THREE)
    file = {"name": "seven.jpg", "mimeType": "image/jpeg", "buffer": photo}
    with page.expect_file_chooser() as chooser:
        button(page, "Choose a picture").click()
    chooser.value.set_files(file)
    reads(page, "7")
    frame = page.locator(".stages .frame").bounding_box()
    box = page.locator(".stages .box").bounding_box()
    # The glyph's middle is where it was put, and its ink lies well within its 28 pixels.
    assert box["x"] + box["width"] / 2 == pytest.approx(frame["x"] + frame["width"] / 2, rel=0.05)
    assert 0.1 < box["height"] / frame["height"] < 0.5
    expect(page.get_by_alt_text("Its ink")).to_be_visible()
    expect(page.locator("ink-sheet")).to_be_hidden()
    what(page, 7).click()
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
    expect(page.get_by_role("alert")).to_contain_text("up to 32\u00a0MB")
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
