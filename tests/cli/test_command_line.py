"""The command line as a whole: help, mistakes, pipes and disks."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from inkdigits.cli import COMMANDS, EXAMPLES, commands, run
from inkdigits.version import __version__

Spawn = Callable[..., subprocess.Popen[str]]

# Help


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_begins_with_examples(
    call: Callable[..., str], command: str, option: str
) -> None:
    lines = call(command, option).splitlines()
    assert lines[0] == "Examples:"
    assert lines[1].startswith(f"  inkdigits {command} ")
    assert any(line.startswith(f"Usage: inkdigits {command} ") for line in lines)


def test_without_a_command_there_is_the_help_with_every_command(call: Callable[..., str]) -> None:
    help_text = call()
    assert help_text.startswith("Examples:\n  inkdigits read")
    assert help_text == call("--help") == call("-h")
    for command, purpose in COMMANDS.items():
        assert re.search(rf"^  {command} +{re.escape(purpose)}$", help_text, re.MULTILINE)


def examples() -> list[str]:
    texts = [EXAMPLES]
    for name in COMMANDS:
        command = commands.get_command(click.Context(commands), name)
        texts.append(command.examples)  # type: ignore[union-attr]
    return [line.strip() for text in texts for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("example", examples())
def test_every_example_in_a_help_is_understood(example: str) -> None:
    written = re.split(r"\s{2,}", example)[0]
    program, name, *arguments = shlex.split(written)
    assert program == "inkdigits"
    command = commands.get_command(click.Context(commands), name)
    assert command is not None
    command.make_context(name, arguments)  # parses, and raises what is not understood


def test_the_version_is_the_packages(call: Callable[..., str]) -> None:
    assert call("--version") == f"inkdigits {__version__}\n"


# What is not understood


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "there is no command 'trian': did you mean train?"),
        (["evalute", "m"], "did you mean evaluate?"),
        (["Show"], "did you mean show?"),
        (["xyz"], "'xyz': there are train, evaluate, read, show, info, convert"),
        ([""], "there is no command ''"),
        (["--jsn"], "No such option"),
        (["train", "--recip", "mlp"], "--recipe"),
        (["train", "--sed", "1"], "--seed"),
        (["train", "--epochs", "many"], "'many' is not a valid integer"),
        (["train", "--epochs", "0"], "0 is not in the range x>=1"),
        (["train", "--seed", "-1"], "-1 is not in the range 0<=x<=4294967295"),
        (["train", "--threads", "0"], "0 is not in the range x>=1"),
        (["train", "digits.csv"], "unexpected extra argument"),
        (["evaluate"], "Missing argument 'MODEL'"),
        (["read"], "Missing argument 'PICTURE|FOLDER|DATA…'"),
        (["show", "mnist:test", "-1"], "No such option"),
        (["convert", "mnist:test"], "Missing argument 'OUT'"),
    ],
)
def test_what_is_not_understood_is_one_line_with_status_2(
    refusal: Callable[..., str], arguments: list[str], message: str
) -> None:
    line = refusal(*arguments, status=2)
    assert message in line
    command = f"inkdigits {arguments[0]}" if arguments[0] in COMMANDS else "inkdigits"
    assert line.endswith(f"({command} --help shows what there is)")


def test_a_file_whose_name_has_a_line_end_is_complained_of_in_one_line(
    refusal: Callable[..., str],
) -> None:
    assert r"there is no file or folder a\nb" in refusal("info", "a\nb")


# Failures of the machine


@pytest.mark.parametrize(
    ("failure", "status", "message"),
    [
        (KeyboardInterrupt(), 130, "stopped"),
        (MemoryError(), 1, "out of memory: close other programs, or read less at once"),
        (OSError(28, "No space left"), 1, "no space is left on the disk: free some and run it"),
        (OSError(5, "Input/output error", "digits.csv"), 1, "digits.csv: Input/output error"),
        (OSError(5, "Input/output error"), 1, "output: Input/output error"),
    ],
)
def test_what_the_machine_cannot_do_is_one_line(
    refusal: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
    status: int,
    message: str,
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr("inkdigits.sources.save", fail)
    assert refusal("convert", "mnist:test", "a.csv", status=status).startswith(message)


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("inkdigits.sources.save", fail)
    with pytest.raises(ZeroDivisionError):
        run(["convert", "mnist:test", "a.csv"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("arguments", [["info"], ["info", "--json"], ["--help"]])
def test_output_to_a_full_disk_is_one_line(spawn: Spawn, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full, spawn(*arguments, stdout=full) as process:
        _, err = process.communicate()
    assert process.returncode == 1
    assert err == "inkdigits: no space is left on the disk: free some and run it again\n"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--data", "digits.npz", "--out", "/dev/full"],
        ["show", "digits.npz", "0", "--out", "/dev/full"],
        ["read", "digits.npz", "--model", "good.safetensors", "--submission", "/dev/full"],
    ],
)
def test_a_device_is_no_place_for_a_file(
    refusal: Callable[..., str], data: str, model: str, arguments: list[str]
) -> None:
    assert "/dev/full" in refusal(*arguments)
    assert Path("/dev/full").is_char_device()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits on a process's files")
@pytest.mark.parametrize(
    ("out", "arguments"),
    [
        ("new.safetensors", ["train", "--data", "digits.npz", "--recipe", "blink", "--out"]),
        ("new.png", ["show", "digits.npz", "0", "--out"]),
        ("new.csv", ["convert", "digits.npz"]),
        ("new.npz", ["convert", "digits.npz"]),
        ("new", ["convert", "digits.npz"]),
        ("new.txt", ["read", "mnist:test", "--model", "good.safetensors", "--submission"]),
    ],
)
def test_a_file_on_a_full_disk_is_one_line_and_leaves_nothing(
    here: Path, data: str, model: str, out: str, arguments: list[str]
) -> None:
    program = """
import resource, sys
import matplotlib.font_manager
from inkdigits.cli import run
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
sys.exit(run(sys.argv[1:]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments, out],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"inkdigits: cannot write {out}: File too large\n"
    assert sorted(path.name for path in here.iterdir()) == ["digits.npz", "good.safetensors"]


# Pipes and terminals


def test_a_reader_that_has_seen_enough_is_no_failure_worth_a_word(spawn: Spawn, model: str) -> None:
    for options in (["--json"], []):
        with spawn("read", "mnist:test", "--model", model, *options) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            first = process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == ""
        assert process.returncode == 1
        assert "7" in first


def test_a_real_process_prints_json_and_returns_the_status(
    spawn: Spawn, data: str, model: str
) -> None:
    with spawn("evaluate", model, "--data", data, "--json") as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert json.loads(out)["total"] == 300
    with spawn("evaluate", "nowhere.safetensors") as process:
        out, err = process.communicate()
    assert (process.returncode, out) == (1, "")
    assert err.startswith("inkdigits: there is no file or folder nowhere.safetensors: ")
    assert err.count("\n") == 1


def test_python_m_inkdigits_is_inkdigits() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "inkdigits", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"inkdigits {__version__}\n"


def test_a_terminal_that_knows_no_blocks_gets_question_marks(data: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "inkdigits", "show", data, "0"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"?" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize("on_terminal", [True, False])
def test_progress_goes_to_a_terminal_on_stderr_and_nowhere_else(
    spawn: Spawn, data: str, on_terminal: bool
) -> None:
    arguments = ["train", "--recipe", "classic", "--epochs", "60", "--data", data, "--json"]
    options: dict[str, Any] = {}
    if on_terminal:
        ours, its = os.openpty()
        options = {"stderr": its, "env": {**os.environ, "TERM": "xterm", "COLUMNS": "120"}}
    with spawn(*arguments, **options) as process:
        if on_terminal:
            os.close(its)
            shown = all_of(ours)
        out, err = process.communicate()
    assert process.returncode == 0
    assert json.loads(out)["epochs"] == 60
    if on_terminal:
        assert "training" in shown
        assert re.search(r"\d a second", shown)  # the rate
        assert re.search(r"\d:\d\d:\d\d", shown)  # the time left
    else:
        assert err == ""


def all_of(terminal: int) -> str:
    """What a program writes to a terminal until it ends."""
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # how Linux says that nobody holds the other end any more
            piece = b""
        if not piece:
            os.close(terminal)
            return shown.decode()
        shown += piece


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX's")
def test_progress_on_a_terminal_leaves_redirected_output_alone(tmp_path: Path) -> None:
    """`inkdigits train > log` at a terminal: the bar is on the screen, the lines in the file."""
    screen, terminal = os.openpty()
    command = [sys.executable, "-m", "inkdigits", "train", "--recipe", "blink", "--epochs", "2"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=terminal)
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # how Linux says that the other end is closed
            while piece := os.read(screen, 4096):
                shown += piece
        assert process.wait() == 0
    os.close(screen)
    text = (tmp_path / "log").read_text(encoding="utf-8")
    assert "epoch 1 of 2" in text
    assert "epoch 2 of 2" in text
    assert "\x1b" not in text
    assert b"training" in shown
    assert b"epoch 1 of 2" not in shown
