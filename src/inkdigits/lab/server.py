"""The server: a socket on this machine alone, the app behind it, and an end within five seconds."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from inkdigits.errors import InkdigitsError
from inkdigits.lab.store import Store, default_home

__all__ = ["HOST", "USUAL_PORT", "bound", "serve"]

HOST = "127.0.0.1"
USUAL_PORT = 8765
WAITING = 1024  # connections that the system holds for us while we are busy


def serve(
    *,
    home: Path | None = None,
    port: int | None = None,
    browser: bool = True,
    api_only: bool = False,
    ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Serves the lab until SIGTERM or Ctrl-C.

    Args:
        home: the folder of the user's data; None for the system's place.
        port: to listen on; None for the usual one, or any where that is taken.
        browser: whether to open the page.
        api_only: whether programs alone are served.
        ready: called with the address to open, once it is answered.

    Raises:
        FileError: the folder cannot be used, or another lab uses it.
        InkdigitsError: the port cannot be listened on, or a library is missing.
        KeyboardInterrupt: Ctrl-C ended it.
    """
    check_libraries()
    store = Store(default_home() if home is None else home)
    with ExitStack() as ending:
        listening = ending.enter_context(bound(port))
        own_port = listening.getsockname()[1]
        address, token = f"http://{HOST}:{own_port}/", None
        if not api_only:
            ending.enter_context(store.held(address))
            token = store.token()
        opening = address if token is None else f"{address}?token={token}"

        def started() -> None:
            ready(opening)
            if browser and not api_only and shows_windows():
                import webbrowser

                threading.Thread(target=webbrowser.open, args=(opening,), daemon=True).start()

        from inkdigits.lab.app import create_app
        from inkdigits.lab.lifetime import run

        app = create_app(store=store, port=own_port, token=token, api_only=api_only)
        run(app, listening, started)


def check_libraries() -> None:
    try:
        import anyio  # noqa: F401
        import fastapi  # noqa: F401
        import platformdirs  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
    except ModuleNotFoundError as error:
        raise InkdigitsError(
            "expected FastAPI, uvicorn, python-multipart and platformdirs for the lab, got no "
            f'{error.name}: pip install "inkdigits[lab]"'
        ) from error


def bound(port: int | None) -> socket.socket:
    """A socket on this machine's own address, which nobody else can reach.

    Raises:
        InkdigitsError: the port is taken, or not for us.
    """
    for each in [USUAL_PORT, 0] if port is None else [port]:
        # Named as TCP: only then does asyncio send the end of an answer without waiting (40 ms).
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if sys.platform == "win32":  # where reuse means to take it from others
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # what was closed just now is free
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, each))
            listening.listen(WAITING)  # so that nobody else can have it from here on
            return listening
        except OSError as error:
            listening.close()
            if port is not None:
                raise InkdigitsError(
                    f"expected port {port} to be free, got {(error.strerror or error)!s}: "
                    f"lsof -i :{port} names who has it; or choose another with --port, or leave "
                    "--port away to get a free one"
                ) from error
    raise InkdigitsError(f"expected a free port on {HOST}, got none: end other servers")


def shows_windows() -> bool:
    """Whether a browser would have a screen; one for terminals would take ours."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
