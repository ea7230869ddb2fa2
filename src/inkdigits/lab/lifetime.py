"""The server's life: uvicorn with our own beginning, errors and end."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["run"]

GRACE_SECONDS = 4  # for what was accepted, when the server is told to end
LAST_SECONDS = 4.8  # then it ends, whatever is still computed
IDLE_SECONDS = 20  # that a connection is kept open for a next request
WAITING = 1024  # connections that the system holds while the server is busy


def run(app: FastAPI, listening: socket.socket, started: Callable[[], None]) -> None:
    """Serves an app until SIGTERM or Ctrl-C; what was accepted until then is answered.

    Args:
        app: its `state.closing` is set as soon as the end begins.
        listening: a socket that is bound already.
        started: called once requests are answered.

    Raises:
        KeyboardInterrupt: Ctrl-C ended it.
    """
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=WAITING,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    Server(config, app, started).run(sockets=[listening])


class Protocol(H11Protocol):
    """HTTP as uvicorn speaks it, but what is none is told so in our words."""

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP, and closes."""
        body = b'{"error": "expected an HTTP request, got something else"}'
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        events = (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        try:
            for event in events:
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:  # an answer is under way already
            pass
        self.transport.close()


class Server(uvicorn.Server):
    """Uvicorn's server, which says when it begins, ends streams too, and takes signals our way."""

    def __init__(
        self, config: uvicorn.Config, app: FastAPI, told_started: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self.lab = app
        self.told_started = told_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to answer."""
        await super().startup(sockets)
        if self.started:
            self.told_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answers what was accepted, and ends."""
        self.lab.state.closing.set()  # an open stream would last for ever
        # A thread that computes cannot be stopped, and nobody waits for its answer any more.
        status = 130 if signal.SIGINT in self._captured_signals else 0
        last = threading.Timer(LAST_SECONDS, os._exit, (status,))
        last.daemon = True
        last.start()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and Ctrl-C end the server; of the two, Ctrl-C is told on."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        caught = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in caught}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if signal.SIGINT in self._captured_signals:
            raise KeyboardInterrupt
