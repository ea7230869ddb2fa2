"""A lab of one's own for a test: a real process, on a free port, with a home thrown away after."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/\?token=(\w+)")


@dataclass
class Lab:
    """`inkdigits lab`, started and ended as people do.

    Args:
        home: where it keeps what its user makes.
        port: 0 for any that is free; after the first start the one that it has.
    """

    home: Path
    port: int = 0
    address: str = ""
    token: str = ""
    process: subprocess.Popen[str] | None = None
    said: list[str] = field(default_factory=list)
    listener: threading.Thread | None = None

    def start(self) -> None:
        """Returns when the lab has said where it is."""
        command = [sys.executable, "-m", "inkdigits", "lab", "--no-browser"]
        command += ["--home", str(self.home)]
        command += ["--port", str(self.port)] if self.port else []
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if found := ADDRESS.search(line):
                self.address, self.port, self.token = found[0], int(found[1]), found[2]
                break
        else:
            raise AssertionError(f"the lab did not start: {''.join(self.said)}")
        self.listener = threading.Thread(
            target=self.listen, args=[self.process.stdout], daemon=True
        )
        self.listener.start()

    def listen(self, stream: IO[str]) -> None:
        """Keeps what the lab says, to its end."""
        with stream:
            self.said.extend(stream)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ends it with a signal; its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(timeout=10)
        if self.listener is not None:
            self.listener.join(timeout=10)
        return status


@contextmanager
def running_lab(home: Path) -> Iterator[Lab]:
    """A lab that runs, and is gone afterwards with all that it started."""
    lab = Lab(home)
    lab.start()
    try:
        yield lab
    finally:
        lab.end()


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
