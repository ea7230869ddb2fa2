"""A lab of one's own for a test: a real process, on a free port, with a home thrown away after."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any

ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/(?:\?token=(\w+))?")
PATIENCE = 120  # seconds until a test gives up on an answer; none of them measures anything


@dataclass
class Lab:
    """`inkdigits lab`, started and ended as people do; what it says is kept, with the line ends.

    Args:
        home: where it keeps what its user makes.
        options: of the command line, beside that.
        port: 0 for any that is free; after the first start the one that it has.
    """

    home: Path
    options: tuple[str, ...] = ()
    port: int = 0
    address: str = ""
    token: str = ""
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    listeners: list[threading.Thread] = field(default_factory=list)
    process: subprocess.Popen[str] = field(init=False)

    def start(self) -> None:
        """Returns when the lab has said where it is; fails where it ends instead."""
        command = [
            sys.executable,
            "-m",
            "inkdigits",
            "lab",
            "--no-browser",
            "--home",
            str(self.home),
        ]
        if not self.port:  # not the usual one: while this lab restarts, another would take it
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
        command += ["--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, *self.options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.listen(self.process.stderr, self.err)
        found = None
        for line in self.process.stdout:
            self.out.append(line)
            if found := ADDRESS.search(line):
                self.address, self.port, self.token = found[0], int(found[1]), found[2] or ""
                break
        self.listen(self.process.stdout, self.out)
        if not found:
            self.process.wait(timeout=PATIENCE)
            raise AssertionError(f"the lab ended with {self.end()}: {''.join(self.err)}")

    def listen(self, stream: IO[str], said: list[str]) -> None:
        """Keeps what the lab says, to its end."""

        def take() -> None:
            with stream:
                said.extend(stream)

        self.listeners.append(threading.Thread(target=take, daemon=True))
        self.listeners[-1].start()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ends it with a signal; its exit status, below 0 for that of a signal."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(timeout=PATIENCE)
        while self.listeners:
            self.listeners.pop().join(timeout=PATIENCE)
        return status

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """The status of an answer, and what it says: JSON, or bytes."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, path, body, {"Authorization": f"Bearer {self.token}", **headers})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, json.loads(content) if content[:1] in (b"{", b"[") else content


@contextmanager
def running_lab(home: Path) -> Iterator[Lab]:
    """A lab that runs, and is gone afterwards with all that it started."""
    lab = Lab(home)
    lab.start()
    try:
        yield lab
    finally:
        lab.end()


def with_run(home: Path, name: str, model: Path) -> None:
    """Puts into a home a run that has a model."""
    run = home / "runs" / name
    run.mkdir(parents=True)
    shutil.copyfile(model, run / "model.safetensors")
    about = {"id": name, "name": "My own", "created": "2026-01-01T00:00:00", "settings": {}}
    (run / "run.json").write_text(json.dumps({**about, "kind": "training"}))


@contextmanager
def watched_page(browser: Any, lab: Lab, **options: Any) -> Iterator[Any]:
    """The lab's page; whatever it asks for is the lab's own, and nothing complains.

    Options are those of Playwright's `new_context`. What a test itself provokes (a lab that is
    away, a picture that is refused) it takes out of `page.complaints`.
    """
    asked: list[str] = []
    complaints: list[str] = []
    context = browser.new_context(**{"reduced_motion": "reduce", **options})
    context.on("request", lambda request: asked.append(request.url))
    context.on(
        "console",
        lambda message: complaints.append(message.text) if message.type != "log" else None,
    )
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.complaints = complaints
    page.goto(lab.address)
    page.wait_for_selector("main > :not([hidden])")
    try:
        yield page
    finally:
        context.close()
    own = f"http://127.0.0.1:{lab.port}/"
    assert [url for url in asked if not url.startswith((own, "blob:", "data:"))] == []
    assert complaints == []


def settle(page: Any) -> None:
    """Waits until the page has kept all of its state, so that nothing of it comes later.

    What is still being read would be kept too, in the midst of the next test.
    """
    busy = ".result[aria-busy=true], ink-answer[aria-busy=true]"
    page.wait_for_function("(busy) => !document.querySelector(busy)", arg=busy)
    mark = secrets.token_hex(4)
    with page.expect_response(lambda response: mark in (response.request.post_data or "")):
        page.evaluate("(mark) => lab.state.set('mark', mark)", mark)


def button(page: Any, name: str) -> Any:
    """The button of that name, and of no more than that."""
    return page.get_by_role("button", name=name, exact=True)
