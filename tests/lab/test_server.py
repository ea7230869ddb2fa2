"""A real server process: it starts, answers, keeps what it should, and ends when it is told to."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from labs import PATIENCE, Lab

from circumstances import needs_posix
from inkdigits.errors import InkdigitsError
from inkdigits.lab import server
from inkdigits.lab.server import HOST, bound, shows_windows

pytestmark = pytest.mark.slow


DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """Starts labs on one home, and ends them all."""
    started: list[Lab] = []

    def begin(*options: str) -> Lab:
        started.append(Lab(tmp_path / "home", options))
        started[-1].start()
        return started[-1]

    yield begin
    for each in started:
        each.end(signal.SIGKILL)


@needs_posix
def test_it_says_its_address_answers_there_and_ends_well(start: Callable[..., Lab]) -> None:
    lab = start()
    assert lab.ask("GET", "/api/lab/state") == (200, {})
    assert lab.ask("GET", "/api/models")[0] == 200
    assert lab.end() == 0
    address = f"http://127.0.0.1:{lab.port}/?token={lab.token}"
    assert "".join(lab.out) == f"The lab is at {address}\nCtrl-C ends it\n"
    assert lab.err == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_what_the_documentation_asks_with_curl_is_answered(start: Callable[..., Lab]) -> None:
    asked = re.findall(r"^\$ (curl .+)$", (DOCS / "lab.md").read_text(encoding="utf-8"), re.M)
    lab = start("--api-only")
    for line in asked:
        command = line.replace(":8765", f":{lab.port}").replace("curl", "curl --silent --fail", 1)
        done = subprocess.run(
            command, shell=True, cwd=DOCS / "pictures", capture_output=True, check=True
        )
        said = json.loads(done.stdout)
        assert said.get("digit") == 7 or [model["name"] for model in said["models"]] == ["reader"]
    assert len(asked) == 3


@needs_posix
def test_after_ctrl_c_there_is_a_line_and_130(start: Callable[..., Lab]) -> None:
    lab = start()
    assert lab.end(signal.SIGINT) == 130
    assert lab.err == ["inkdigits: stopped\n"]


@needs_posix
def test_a_restart_keeps_the_token_and_the_state(start: Callable[..., Lab]) -> None:
    first = start()
    first.ask("PUT", "/api/lab/state", b'{"strokes": [1, 2, 3]}')
    first.end()
    second = start()
    assert second.token == first.token
    assert second.ask("GET", "/api/lab/state") == (200, {"strokes": [1, 2, 3]})


@needs_posix
def test_a_killed_lab_holds_nobody_up(start: Callable[..., Lab]) -> None:
    first = start()
    first.end(signal.SIGKILL)
    assert start().ask("GET", "/api/lab/state") == (200, {})


def test_a_second_lab_on_the_same_home_is_refused_and_told_of_the_first(
    start: Callable[..., Lab],
) -> None:
    first = start()
    second = Lab(first.home)
    with pytest.raises(AssertionError, match="ended with 1"):
        second.start()
    assert second.out == []
    (said,) = second.err
    assert f"process {first.process.pid}, {first.address.split('?')[0]}" in said
    reading = start("--api-only")  # which writes nothing
    assert reading.ask("GET", "/api/models")[0] == 200


def test_it_listens_on_this_machine_alone(start: Callable[..., Lab]) -> None:
    lab = start()
    other = socket.socket()
    other.settimeout(2)
    try:
        # Any other address of this machine, of which Linux has a whole net.
        assert other.connect_ex(("127.0.0.2", lab.port)) != 0
    finally:
        other.close()


def test_what_is_no_http_is_told_so(start: Callable[..., Lab]) -> None:
    lab = start()
    with socket.create_connection((HOST, lab.port), timeout=PATIENCE) as line:
        line.sendall(b"\x16\x03\x01nonsense\r\n\r\n")
        answer = HTTPResponse(line)
        answer.begin()
        assert answer.status == 400
        assert json.loads(answer.read()) == {
            "error": "expected an HTTP request, got something else"
        }
    assert lab.ask("GET", "/api/models")[0] == 200


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("kind", ["declared", "chunked", "form"])
def test_a_body_over_the_limit_is_refused_in_flat_memory(
    start: Callable[..., Lab], kind: str
) -> None:
    lab = start()
    lab.ask("POST", "/api/read", b"warm up")
    before = resident(lab.process.pid)
    size, piece = 400 << 20, bytes(1 << 20)
    boundary = b'--x\r\ncontent-disposition: form-data; name="picture"; filename="a"\r\n\r\n'
    kinds = {"form": "multipart/form-data; boundary=x"}
    head = f"POST /api/read HTTP/1.1\r\nHost: 127.0.0.1:{lab.port}\r\n"
    head += f"Content-Type: {kinds.get(kind, 'image/png')}\r\n"
    head += (
        f"Content-Length: {size}\r\n" if kind == "declared" else "Transfer-Encoding: chunked\r\n"
    )
    with socket.create_connection((HOST, lab.port), timeout=PATIENCE) as line:
        line.sendall(head.encode() + b"\r\n")
        most = before
        for place in range(size >> 20):
            data = boundary + piece if kind == "form" and place == 0 else piece
            line.sendall(data if kind == "declared" else b"%x\r\n%b\r\n" % (len(data), data))
            most = max(most, resident(lab.process.pid))
        if kind != "declared":
            line.sendall(b"0\r\n\r\n")
        answer = HTTPResponse(line)
        answer.begin()
        assert answer.status == 413
        assert "32 MB or less" in json.loads(answer.read())["error"]
        # The connection goes on: what was too much was thrown away, and no more than that.
        line.sendall(f"GET /api/models HTTP/1.1\r\nHost: 127.0.0.1:{lab.port}\r\n\r\n".encode())
        answer = HTTPResponse(line)
        answer.begin()
        assert answer.status == 200
    assert most - before < 60 << 20


def resident(process: int) -> int:
    """Bytes of memory that a process holds."""
    for row in Path(f"/proc/{process}/status").read_text().splitlines():
        if row.startswith("VmRSS:"):
            return int(row.split()[1]) << 10
    raise AssertionError


# The end, with work under way

ENDLESS = """
import asyncio, sys, time
from pathlib import Path
from fastapi.responses import StreamingResponse
from inkdigits.lab.app import create_app
from inkdigits.lab.lifetime import run
from inkdigits.lab.server import bound
from inkdigits.lab.store import Store

with bound(0) as listening:
    port = listening.getsockname()[1]
    app = create_app(store=Store(Path(sys.argv[1])), port=port, token=None)

    @app.get("/open/events")
    async def events() -> StreamingResponse:
        async def beats():
            while sys.argv[2] == "deaf" or not app.state.closing.is_set():
                yield b": alive\\n\\n"
                await asyncio.sleep(0.05)
        return StreamingResponse(beats(), media_type="text/event-stream")

    @app.get("/slow")
    def slow() -> str:
        print("begun", flush=True)
        time.sleep(float(sys.argv[3]))
        return "done"

    run(app, listening, lambda: print(port, flush=True))
"""


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], int]]]:
    started = []

    def begin(ears: str, seconds: float) -> tuple[subprocess.Popen[str], int]:
        process = subprocess.Popen(
            [sys.executable, "-c", ENDLESS, str(tmp_path), ears, str(seconds)],
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        return process, int(process.stdout.readline())

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@contextmanager
def asked(port: int, path: str) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(HOST, port, timeout=PATIENCE)
    connection.request("GET", path)
    with closing(connection):
        yield connection


@needs_posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_a_stream_open_and_answers_what_it_accepted(
    endless: Callable[..., tuple[subprocess.Popen[str], int]], number: int
) -> None:
    process, port = endless("hearing", 1.5)
    with asked(port, "/open/events") as stream, asked(port, "/slow") as slow:
        opened = stream.getresponse()
        assert opened.read(9) == b": alive\n\n"
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        assert slow.getresponse().read() == b'"done"'
        # `read` would fail where the stream was cut off.
        assert opened.read().replace(b": alive\n\n", b"") == b""
    status = process.wait(timeout=PATIENCE)
    assert status == 0 if number == signal.SIGTERM else status != 0


@needs_posix
def test_it_ends_even_where_streams_hear_nothing_and_threads_never_finish(
    endless: Callable[..., tuple[subprocess.Popen[str], int]],
) -> None:
    process, port = endless("deaf", 1000)
    with asked(port, "/open/events") as stream, asked(port, "/slow"):
        opened = stream.getresponse()
        assert opened.read(9) == b": alive\n\n"
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.terminate()
        assert process.wait(timeout=PATIENCE) == 0
        opened.close()


# The socket


def test_a_port_that_is_taken_is_refused_in_words() -> None:
    with bound(0) as first:
        port = first.getsockname()[1]
        assert first.getsockname()[0] == "127.0.0.1"
        with pytest.raises(InkdigitsError) as refusal:
            bound(port)
    said = str(refusal.value)
    assert said.startswith(f"expected port {port} to be free, got ")
    assert f"lsof -i :{port}" in said
    assert "--port" in said
    bound(port).close()  # now it is free


def test_without_a_port_it_is_the_usual_one_or_any(monkeypatch: pytest.MonkeyPatch) -> None:
    with bound(0) as free:
        usual = free.getsockname()[1]
    monkeypatch.setattr(server, "USUAL_PORT", usual)
    with bound(None) as first, bound(None) as second:
        assert first.getsockname()[1] == usual
        assert second.getsockname()[1] != usual


def test_an_answer_does_not_wait_for_word_from_the_other_side() -> None:
    # asyncio sees to that (TCP_NODELAY) where a socket says that it is one of TCP.
    with bound(0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


# The browser


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="which always have windows")
def test_without_a_screen_no_browser_takes_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert not shows_windows()
    monkeypatch.setenv("DISPLAY", ":0")
    assert shows_windows()


@needs_posix
def test_the_browser_is_shown_the_address_with_the_token(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}.part\nmv {seen}.part {seen}\n')
    program.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "inkdigits", "lab", "--home", str(tmp_path / "home")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "BROWSER": f"{program} %s"},
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        shown = threading.Event()
        for _ in range(PATIENCE * 20):
            if seen.exists():
                break
            shown.wait(0.05)
        assert seen.read_text() == address
        assert "?token=" in address
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
