"""`inkdigits lab`: what is refused before anything is served, each in one line."""

from __future__ import annotations

import builtins
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inkdigits.cli import run
from inkdigits.lab import server

Refusal = Callable[..., str]


@pytest.mark.parametrize("name", ["fastapi", "uvicorn", "python_multipart", "platformdirs"])
def test_without_the_extra_one_line_says_what_to_install(
    refusal: Refusal, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    real = builtins.__import__

    def missing(wanted: str, *args: Any, **kwargs: Any) -> Any:
        if wanted.partition(".")[0] == name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(wanted, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    said = refusal("lab", "--no-browser")
    assert f"got no {name}" in said
    assert said.endswith('pip install "inkdigits[lab]"')


def test_the_command_itself_needs_none_of_the_extra() -> None:
    program = (
        "from inkdigits.cli import run\n"
        "assert run(['lab', '--help']) == 0\n"
        "import inkdigits.lab.server, sys\n"
        "unwanted = {'fastapi', 'uvicorn', 'pydantic', 'starlette', 'platformdirs', 'numpy'}\n"
        "assert not unwanted & set(sys.modules), unwanted & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_a_port_that_is_taken_is_refused(refusal: Refusal, here: Path) -> None:
    with server.bound(0) as taken:
        port = str(taken.getsockname()[1])
        said = refusal("lab", "--port", port, "--home", "home")
    assert f"expected port {port} to be free" in said
    assert list(here.iterdir()) == []


def test_a_home_that_is_a_file_is_refused(refusal: Refusal, here: Path) -> None:
    (here / "file").write_text("")
    said = refusal("lab", "--home", "file")
    assert said.startswith("expected a folder to keep the lab's data in at file, got ")
    assert (here / "file").read_text() == ""


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http"])
def test_a_port_is_a_number_of_one(refusal: Refusal, port: str) -> None:
    assert "--port" in refusal("lab", "--port", port, status=2)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {"home": None, "port": None, "browser": True, "api_only": False}),
        (
            ["--home", "h", "--port", "8000", "--no-browser", "--api-only"],
            {"home": Path("h"), "port": 8000, "browser": False, "api_only": True},
        ),
    ],
)
def test_what_is_asked_for_is_served_and_the_address_is_said(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    expected: dict[str, Any],
) -> None:
    asked: dict[str, Any] = {}

    def served(*, ready: Callable[[str], None], **rest: Any) -> None:
        asked.update(rest)
        ready("http://127.0.0.1:8765/")

    monkeypatch.setattr(server, "serve", served)
    assert run(["lab", *options]) == 0
    assert asked == expected
    out, err = capsys.readouterr()
    first, last = out.splitlines()
    assert "http://127.0.0.1:8765/" in first
    assert ("/openapi.json" in first) == expected["api_only"]
    assert (last, err) == ("Ctrl-C ends it", "")
