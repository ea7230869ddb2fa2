"""The one process that learns: started, watched, and taken leave of.

Whether a run is under way is known here and nowhere else. What its journal says is the word of the
process, which may have been killed before its last, or found no room for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from inkdigits.errors import FileError
from inkdigits.files import taken
from inkdigits.lab.runs.commands import begin
from inkdigits.lab.runs.records import Record
from inkdigits.lab.runs.work import LOG
from inkdigits.lab.runs.worker import LOCK, NO_ROOM, NO_ROOM_SAID

__all__ = ["Learner", "wait_for_the_end"]

GRACE = 3.0  # seconds that a process has to leave a checkpoint and end


class Learner:
    """The one process that learns, while there is one; for any number of threads.

    Attributes:
        record: of the run that it does; None where there is no process.
        process: itself.
    """

    def __init__(self) -> None:
        self.record: Record | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()
        self._closing = False

    def start(self, record: Record, command: dict[str, Any] | None = None) -> None:
        """Starts a run's process, from its beginning or from where it was.

        Args:
            record: of the run; no other may be under way.
            command: the first that it hears.

        Raises:
            FileError: it cannot be started.
        """
        folder = record.folder
        # In a session of its own: Ctrl-C in the terminal is for the lab, which ends it in order.
        own: dict[str, Any] = (
            {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
            if sys.platform == "win32"
            else {"start_new_session": True}
        )
        line = [
            *(sys.executable, "-P", "-m", "inkdigits.lab.runs.worker"),
            *(str(folder), str(os.getpid())),
        ]
        with self._lock:
            try:
                begin(folder, command)
                record.say("starting")
                with (folder / LOG).open("ab") as log:
                    process = subprocess.Popen(
                        line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **own
                    )
            except OSError as error:
                said = f"cannot start a process: {error.strerror or error}"
                record.end_with("failed", message=said)
                raise FileError(said) from error
            self.record, self.process = record, process
        threading.Thread(target=self.watch, args=(process,), daemon=True).start()

    def watch(self, process: subprocess.Popen[bytes]) -> None:
        """Waits for a process, in a thread of its own, so that its end is seen at once."""
        process.wait()
        with self._lock:
            if process is self.process:
                self.take_leave()

    def does(self, record: Record) -> bool:
        """Whether a living process does this run."""
        with self._lock:
            if self.process is not None and self.process.poll() is not None:
                self.take_leave()
            return self.record is record

    def settle(self) -> None:
        """Waits for a process whose run has ended to end as well."""
        with self._lock:
            if self.process is not None and self.record is not None and self.record.ended:
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(GRACE)
            if self.process is not None and self.process.poll() is not None:
                self.take_leave()

    def end(self) -> None:
        """Ends the process, which leaves a checkpoint."""
        with self._lock:
            self._closing = True
            if self.process is None:
                return
            self.process.terminate()
            try:
                self.process.wait(GRACE)
            except subprocess.TimeoutExpired:
                self.process.kill()
            self.take_leave()

    def take_leave(self) -> None:
        """Says of the run what its process, which has ended, could not say itself."""
        record, process = self.record, self.process
        assert record is not None
        assert process is not None
        status = process.wait()
        self.record = self.process = None
        if record.ended or not record.folder.is_dir():
            return
        if status == NO_ROOM:
            record.end_with("failed", message=NO_ROOM_SAID)
        elif status < 0 or self._closing:
            record.end_with("interrupted", message="its process was ended from outside")
        else:
            record.end_with(
                "failed",
                message=f"expected the process to say how it ended, got its end with status "
                f"{status} and no word: {LOG} in the run's folder may say more",
            )


def wait_for_the_end(folder: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Waits until no process has the run, for as long as one may take that has lost its lab."""
    for _ in range(round(GRACE / 0.1)):
        with suppress(OSError), (folder / LOCK).open("ab") as lock:
            if not taken(lock):
                sleep(0.1)
                continue
        return
