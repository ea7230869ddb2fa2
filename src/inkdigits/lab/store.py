"""The user's data folder: what must be there again after a reload, and after a restart.

A token, so that an open page goes on; the page's own state; the digits the user taught; the runs.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from inkdigits.errors import FileError
from inkdigits.files import taken, written_whole

__all__ = ["Store", "default_home"]

TOKEN = re.compile(r"[0-9a-f]{32}")
RUN = re.compile(r"[0-9a-f]{12}")


def default_home() -> Path:
    """Where this system keeps the data of a user's programs."""
    from platformdirs import user_data_path

    return user_data_path("inkdigits", appauthor=False)


class Store:
    """The folder that the lab keeps everything in.

    Args:
        folder: made when something is first written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def corrections(self) -> Path:
        """The digits that the user taught: a data set like any other."""
        return self.folder / "corrections"

    @property
    def runs(self) -> Path:
        """A folder for each run."""
        return self.folder / "runs"

    def run(self, name: str) -> Path | None:
        """The folder of a run; None where there is none of this name."""
        if not RUN.fullmatch(name):  # so that no name leads anywhere else
            return None
        folder = self.runs / name
        return folder if folder.is_dir() else None

    def make(self) -> None:
        """Makes the folder, for this user alone.

        Raises:
            FileError: it cannot be made, or not be written.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            writable = os.access(self.folder, os.W_OK | os.X_OK)
        except OSError as error:
            raise self.unusable(error.strerror or str(error)) from error
        if not writable:
            raise self.unusable("one that may not be written")

    def unusable(self, what: str) -> FileError:
        return FileError(
            f"expected a folder to keep the lab's data in at {self.folder}, got {what}: "
            "name another with --home"
        )

    # One lab at a time

    @contextmanager
    def held(self, address: str) -> Iterator[None]:
        """While the block lasts no other lab may use the folder.

        The system lets go of what a process held when that ends, however it ends: so the note that
        a killed lab left behind holds nobody up.

        Args:
            address: of this lab's page, for the message that another one gets.

        Raises:
            FileError: another lab holds it; the message says which and what to do.
        """
        self.make()
        path = self.folder / "lock"
        try:
            file = path.open("a+b")
        except OSError as error:
            raise self.unusable(error.strerror or str(error)) from error
        with file:
            if not taken(file):
                process, _, there = path.read_text("utf-8").strip().partition(" ")
                raise FileError(
                    f"expected no other lab to use {self.folder}, got one already (process "
                    f"{process or 'unknown'}{there and f', {there}'}): use that, end it, or give "
                    "this one another folder with --home"
                )
            file.truncate(0)
            file.write(f"{os.getpid()} {address}\n".encode())
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)

    # What is in it

    def token(self) -> str:
        """What a page or a program shows to be let in: 32 hexadecimal digits, made once.

        Raises:
            FileError: it can neither be read nor written.
        """
        path = self.folder / "token"
        with suppress(OSError, UnicodeDecodeError):
            token = path.read_text("ascii").strip()
            if TOKEN.fullmatch(token):
                return token
        self.make()
        token = os.urandom(16).hex()
        with written_whole(path) as temporary:
            temporary.chmod(0o600)
            temporary.write_text(token + "\n", "ascii")
        return token

    def state(self) -> dict[str, Any]:
        """What the page last kept; empty where it kept nothing that can be read."""
        with suppress(OSError, ValueError, RecursionError):
            state = json.loads((self.folder / "state.json").read_bytes())
            if isinstance(state, dict):
                return state
        return {}

    def keep_state(self, state: dict[str, Any]) -> None:
        """Keeps the page's own state.

        Args:
            state: whatever JSON can hold.

        Raises:
            FileError: it cannot be written.
        """
        self.make()
        with written_whole(self.folder / "state.json") as temporary:
            temporary.write_text(json.dumps(state, allow_nan=False), "ascii")
