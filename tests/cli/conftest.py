"""What the tests of the command line share: a folder to work in, and how a call is judged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inkdigits.cli import run
from inkdigits.dataset import Dataset
from inkdigits.sources import load, save

Call = Callable[..., str]
Json = Callable[..., dict[str, Any]]
Refusal = Callable[..., str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a test works in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """300 training digits: an epoch takes a few milliseconds."""
    return load("mnist:validation").subset(range(300))


@pytest.fixture
def data(digits: Dataset, here: Path) -> str:
    """The name of a file of these digits."""
    save(digits, here / "digits.npz")
    return "digits.npz"


@pytest.fixture
def model(blink_file: Path, here: Path) -> str:
    """The name of a file with a model that reads well."""
    (here / "good.safetensors").write_bytes(blink_file.read_bytes())
    return "good.safetensors"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a command that must succeed, and returns what it printed."""

    def succeeded(*arguments: str) -> str:
        status = run(arguments)
        out, err = capsys.readouterr()
        assert (status, err) == (0, "")
        assert "\x1b" not in out
        return out

    return succeeded


@pytest.fixture
def document(call: Call) -> Json:
    """Runs a command with --json: one JSON document on one line, and nothing else."""

    def read(*arguments: str) -> dict[str, Any]:
        out = call(*arguments, "--json")
        assert out.count("\n") == 1
        result: dict[str, Any] = json.loads(out)
        return result

    return read


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Refusal:
    """Runs a command that must fail and returns the message: one line on stderr alone."""

    def refused(*arguments: str, status: int = 1) -> str:
        came = run(arguments)
        out, err = capsys.readouterr()
        assert (came, out) == (status, "")
        assert err.startswith("inkdigits: ")
        assert err.count("\n") == 1
        return err.removeprefix("inkdigits: ").rstrip("\n")

    return refused


@pytest.fixture
def spawn() -> Callable[..., subprocess.Popen[str]]:
    """Starts `inkdigits …` as a process of its own."""

    def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.Popen(
            [sys.executable, "-m", "inkdigits", *arguments], text=True, encoding="utf-8", **pipes
        )

    return start
