"""Commands: what the lab tells the process that learns, in a file that it reads from.

Whatever was accepted is read: before the process ends it takes the file away, and reads what came
until then. So the lab knows by the file whether anybody listens still.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from inkdigits.lab.runs.files import append_line, record_from

__all__ = ["Commands", "begin", "tell"]

COMMANDS, HEARD = "commands.jsonl", "commands.heard"


def begin(folder: Path, command: dict[str, Any] | None = None) -> None:
    """A new file, with a command or none in it: what was told another process is gone.

    Raises:
        OSError: it cannot be written.
    """
    line = b"" if command is None else json.dumps(command).encode() + b"\n"
    (folder / COMMANDS).write_bytes(line)


def tell(folder: Path, command: dict[str, Any]) -> bool:
    """Adds a command; False where the process will not hear it any more.

    Raises:
        OSError: it cannot be written.
    """
    path = folder / COMMANDS
    with suppress(FileNotFoundError), path.open("rb+", buffering=0) as file:
        append_line(file, command)
        # Taken away after this was written: then it is read. Before: perhaps not.
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    return False


class Commands:
    """What the lab wants of the run, from the beginning of the file on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / COMMANDS
        self._place = 0

    def new(self) -> list[dict[str, Any]]:
        """The commands since the last call; a call without any takes some microseconds."""
        try:
            if os.stat(self._path).st_size <= self._place:
                return []
            with self._path.open("rb") as file:
                file.seek(self._place)
                content = file.read()
        except OSError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._place += len(whole)
        commands = map(record_from, whole.splitlines())
        return [command for command in commands if command is not None]

    def close(self) -> None:
        """Lets nothing more come in; what came until now is still `new`."""
        with suppress(OSError):
            self._path = self._path.replace(self._folder / HEARD)

    def open(self) -> None:
        """Listens again, after `close`."""
        with suppress(OSError):
            begin(self._folder)
            self._path, self._place = self._folder / COMMANDS, 0
