"""The runs: their folders, and the one process that learns at a time.

One at a time, because each takes all that the machine has: two would each take twice as long.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inkdigits.errors import DataError, FileError, InkdigitsError, TrainingError
from inkdigits.lab.models import ModelShelf
from inkdigits.lab.runs.helm import COMMANDS
from inkdigits.lab.runs.plans import facts_of, recipe_of, title
from inkdigits.lab.runs.records import ALLOWED, UNDER_WAY, Record, refusal
from inkdigits.lab.runs.settings import LessonSettings, RunSettings
from inkdigits.lab.runs.work import LOG, OWN, START
from inkdigits.lab.runs.worker import LOCK
from inkdigits.lab.store import Store, taken
from inkdigits.sources import load, save
from inkdigits.training.finetuning import KNOWN, OwnDigits, gentle

__all__ = ["Busy", "Runs"]

ID = re.compile(r"[0-9a-f]{12}")
GRACE = 3.0  # seconds that a process has to leave a checkpoint and end


class Busy(InkdigitsError):
    """The state of the runs does not allow what was asked for."""


class Runs:
    """All runs of a user, for any number of threads.

    Runs whose process went with an earlier lab are said to be interrupted.

    Args:
        store: where they are kept, and the digits to teach.
        shelf: of the models that may be taught.
        clock: gives the time of day.

    Attributes:
        closing: set when the lab is about to end.
    """

    def __init__(
        self,
        store: Store,
        shelf: ModelShelf,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = store
        self.shelf = shelf
        self.clock = clock
        self.closing = threading.Event()
        self._lock = threading.RLock()
        self._records: dict[str, Record] = {}
        self._process: tuple[Record, subprocess.Popen[bytes]] | None = None
        for record in self.records():
            if not record.ended:
                wait_for_the_end(record.folder)
                if not record.ended:
                    record.say("interrupted")

    # What there is

    def records(self) -> list[Record]:
        """All runs, the oldest first."""
        with self._lock:
            names: set[str] = set()
            with suppress(OSError):
                names = {path.name for path in self.store.runs.iterdir() if ID.fullmatch(path.name)}
            for gone in self._records.keys() - names:
                del self._records[gone]
            for name in names - self._records.keys():
                self._records[name] = Record(self.store.runs / name)
            return sorted(self._records.values(), key=age)

    def summaries(self) -> list[dict[str, Any]]:
        """Summaries of all runs that can be read, the oldest first."""
        found = []
        for record in self.records():
            with suppress(OSError, ValueError):
                found.append(record.summary())
        return found

    def record(self, name: str) -> Record:
        """A run by its id.

        Raises:
            FileError: there is none.
        """
        with self._lock:
            if self.store.run(name) is None:
                raise FileError(
                    f"expected the id of a run, got {name!r:.80}: /api/lab/runs has those there are"
                )
            return self._records.setdefault(name, Record(self.store.runs / name))

    def summary(self, name: str) -> dict[str, Any]:
        """The summary of a run.

        Raises:
            FileError: there is none, or it is damaged.
        """
        try:
            return self.record(name).summary()
        except (OSError, ValueError):
            raise FileError(
                f"expected a run that can be read, got a damaged one, {name}: remove it"
            ) from None

    # What is done

    def create(self, settings: RunSettings) -> Record:
        """Starts a run.

        Raises:
            TrainingError: there can be no such run.
            Busy: another is under way.
            FileError: it cannot be written.
        """
        recipe = recipe_of(settings)
        about = {"name": settings.name or title(settings), "kind": "training"}
        facts = facts_of(recipe, settings.images)
        return self.start_anew({**about, "settings": settings.model_dump(mode="json"), **facts})

    def learn(self, lesson: LessonSettings) -> Record:
        """Starts a lesson: teaches the corrections to a model.

        Raises:
            TrainingError: there are no corrections.
            FileError: there is no such model, or it cannot be written.
            Busy: another run is under way.
        """
        path = self.shelf.path(lesson.model)
        if path is None:
            raise FileError(
                f"expected reader, or the id of a run that has a model, got {lesson.model}: "
                "/api/models has those there are"
            )
        training = {"recipe": "reader"}
        taught = lesson.model
        if lesson.model != "reader":
            settings = self.record(lesson.model).about()
            taught = settings["name"]
            training = settings["settings"].get("training", settings["settings"])
        base = RunSettings.model_validate(training)
        try:
            own = load(self.store.corrections)
            learned = OwnDigits.parted(own).learned
        except (DataError, FileError) as error:
            raise TrainingError(
                f"expected at least one correction to learn from, got none that can be ({error}): "
                "draw a digit and teach it first"
            ) from error

        def furnish(folder: Path) -> None:
            save(own, folder / OWN)
            shutil.copyfile(path, folder / START)

        facts = facts_of(gentle(recipe_of(base)), min(KNOWN, base.images) + len(learned))
        about = {"name": lesson.name or f"{taught[:70]}, taught", "kind": "lesson"}
        given = {**lesson.model_dump(mode="json"), "training": base.model_dump(mode="json")}
        return self.start_anew({**about, "settings": given, **facts}, furnish)

    def start_anew(
        self, about: dict[str, Any], furnish: Callable[[Path], None] = lambda folder: None
    ) -> Record:
        """Makes a run's folder, whole before it has its name, and starts its process."""
        with self._lock:
            self.check_free()
            name = secrets.token_hex(6)
            about = {"id": name, "created": self.clock().isoformat(timespec="seconds"), **about}
            folder = self.store.runs / name
            scratch = self.store.runs / f".{name}"
            self.store.make()
            try:
                scratch.mkdir(parents=True)
                Record(scratch).write(about)
                furnish(scratch)
                scratch.rename(folder)
            except OSError as error:
                raise FileError(f"cannot write the run in {scratch}: {error.strerror}") from error
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
            record = self._records[name] = Record(folder)
            self.spawn(record)
            return record

    def command(self, name: str, command: dict[str, Any]) -> None:
        """Tells a run what to do; where its process has ended, and that makes sense, starts it.

        Raises:
            FileError: there is no such run.
            Busy: its state does not allow it, or another run is under way.
        """
        with self._lock:
            record = self.record(name)
            state, do = record.state, command["do"]
            if state not in ALLOWED[do]:
                raise Busy(refusal(do, state))
            if state in UNDER_WAY:
                tell(record.folder, command)
            else:
                self.check_free()
                self.spawn(record, command if do == "more" else None)

    def rename(self, name: str, title: str) -> dict[str, Any]:
        """Gives a run another name; its summary.

        Raises:
            FileError: there is no such run, or it cannot be written.
        """
        with self._lock:
            self.summary(name)
            record = self.record(name)
            record.write({**record.about(), "name": title})
            return record.summary()

    def remove(self, name: str) -> None:
        """Removes a run with all that it left.

        Raises:
            FileError: there is no such run.
            Busy: it is under way.
        """
        with self._lock:
            record = self.record(name)
            if not record.ended:
                raise Busy(
                    f"expected a run that has ended, got one that is {record.state}: stop it"
                )
            self.settle()
            gone = record.folder.with_name(f".{name}")
            record.folder.rename(gone)
            del self._records[name]
        shutil.rmtree(gone, ignore_errors=True)

    def close(self) -> None:
        """Ends the process that learns, which leaves a checkpoint, and all streams."""
        self.closing.set()
        with self._lock:
            if self._process is None:
                return
            record, process = self._process
            process.terminate()
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
            self.bury(record, process)

    # The process

    def check_free(self) -> None:
        """Whether a process may be started.

        Raises:
            Busy: another learns.
        """
        self.settle()
        if self._process is not None:
            other = self._process[0]
            raise Busy(
                f"expected no other run under way, got {other.about()['name']!r}, which is "
                f"{other.state}: wait for its end, or stop it"
            )

    def settle(self) -> None:
        """Waits for a process whose run has ended to end as well."""
        if self._process is not None and self._process[0].ended:
            record, process = self._process
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE)
                self.bury(record, process)

    def spawn(self, record: Record, command: dict[str, Any] | None = None) -> None:
        """Starts a run's process, from its beginning or from where it was.

        Raises:
            FileError: it cannot be started.
        """
        folder = record.folder
        (folder / COMMANDS).unlink(missing_ok=True)  # what was said to the one before
        if command is not None:
            tell(folder, command)
        record.say("starting")
        # In a session of its own: Ctrl-C in the terminal is for the lab, which ends it in order.
        own: dict[str, Any] = (
            {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
            if sys.platform == "win32"
            else {"start_new_session": True}
        )
        line = [
            sys.executable,
            "-P",
            "-m",
            "inkdigits.lab.runs.worker",
            str(folder),
            str(os.getpid()),
        ]
        try:
            with (folder / LOG).open("ab") as log:
                process = subprocess.Popen(
                    line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **own
                )
        except OSError as error:
            record.say("failed", message=f"cannot start a process: {error.strerror or error}")
            raise FileError(f"cannot start a process: {error.strerror or error}") from error
        self._process = record, process
        watch = threading.Thread(target=self.watch, args=(record, process), daemon=True)
        watch.start()

    def watch(self, record: Record, process: subprocess.Popen[bytes]) -> None:
        """Waits for a process, in a thread of its own, so that its end is seen at once."""
        process.wait()
        with self._lock:
            self.bury(record, process)

    def bury(self, record: Record, process: subprocess.Popen[bytes]) -> None:
        """Takes leave of a process, and says of its run what it could not say itself."""
        status = process.wait()
        if self._process is None or self._process[1] is not process:
            return
        self._process = None
        if record.ended or not record.folder.is_dir():
            return
        with suppress(OSError):
            if status < 0 or self.closing.is_set():
                record.say("interrupted", message="its process was ended from outside")
            else:
                record.say(
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


def age(record: Record) -> tuple[str, str]:
    try:
        return str(record.about().get("created")), record.id
    except (OSError, ValueError):
        return "", record.id


def tell(folder: Path, command: dict[str, Any]) -> None:
    with (folder / COMMANDS).open("ab") as file:
        file.write(json.dumps(command).encode() + b"\n")
