"""`inkdigits export`: a model as one page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inkdigits.formats.html import page_of
from inkdigits.model import Model

Json = Callable[..., dict[str, Any]]


def test_a_model_becomes_one_page(
    document: Json, blink: Model, blink_file: Path, here: Path
) -> None:
    result = document("export", str(blink_file), "page.html")
    page = here / "page.html"
    assert result == {"path": "page.html", "bytes": page.stat().st_size, "parameters": 33_130}
    assert page.read_bytes() == page_of(blink).encode()
    assert sorted(path.name for path in here.glob("*page*")) == ["page.html"]


def test_it_says_how_large_the_page_is_and_what_to_do_with_it(
    call: Callable[..., str], blink_file: Path
) -> None:
    said = call("export", str(blink_file), "page.html")
    assert said == "33,130 parameters written to page.html, 0.2 MB: open it in any browser\n"


def test_its_help_begins_with_an_example(call: Callable[..., str]) -> None:
    assert call("export", "--help").startswith(
        "Examples:\n  inkdigits export model.safetensors page.html"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.safetensors", "a.html"], "there is no file or folder nowhere.safetensors"),
        (["MODEL", "a.onnx"], "expected a name that ends in .html, got a.onnx: call it a.html"),
        (["MODEL", "a"], "expected a name that ends in .html, got a: call it a.html"),
        (["MODEL", "diary.html"], "diary.html exists and is no page of inkdigits, so it is not"),
        (["MODEL", "nowhere/a.html"], "cannot write nowhere"),
        (["MODEL", "folder.html"], "cannot write folder.html: expected a file or a new name"),
        (["diary.html", "a.html"], "diary.html is no model: expected a safetensors header"),
    ],
)
def test_what_cannot_be_exported_is_refused_and_nothing_is_left(
    refusal: Callable[..., str], blink_file: Path, here: Path, arguments: list[str], message: str
) -> None:
    (here / "diary.html").write_text("<title>My diary</title>")
    (here / "folder.html").mkdir()
    before = {path: path.is_file() and path.read_bytes() for path in here.rglob("*")}
    arguments = [str(blink_file) if name == "MODEL" else name for name in arguments]
    assert message in refusal("export", *arguments)
    assert {path: path.is_file() and path.read_bytes() for path in here.rglob("*")} == before
