"""The runs: their folders, and which of them learns.

One at a time, because each takes all that the machine has: two would each take twice as long.
"""

from __future__ import annotations

import re
import secrets
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from inkdigits.dataset import Dataset
from inkdigits.errors import FileError, InkdigitsError, TrainingError
from inkdigits.lab.models import ModelShelf
from inkdigits.lab.runs.about import About
from inkdigits.lab.runs.commands import tell
from inkdigits.lab.runs.plans import facts_of, recipe_of, title
from inkdigits.lab.runs.process import Learner, wait_for_the_end
from inkdigits.lab.runs.records import ALLOWED, Record, refusal
from inkdigits.lab.runs.settings import LessonSettings, RunSettings
from inkdigits.lab.runs.work import OWN, START
from inkdigits.lab.store import Store
from inkdigits.sources import save
from inkdigits.sources.keeping import kept
from inkdigits.training.finetuning import KNOWN, OwnDigits, gentle

__all__ = ["Busy", "Runs"]

ID = re.compile(r"[0-9a-f]{12}")


class Busy(InkdigitsError):
    """The state of the runs does not allow what was asked for."""


class Runs:
    """All runs of a user, for any number of threads.

    What is under way has a living process of ours: all else is said to be interrupted, such as
    runs whose process went with an earlier lab.

    Args:
        store: where they are kept, and the digits to teach.
        shelf: of the models that may be taught.
        clock: gives the time of day.

    Attributes:
        closing: set when the lab is about to end.
        learner: the one process.
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
        self.learner = Learner()
        for record in self.records():
            if not record.ended:
                wait_for_the_end(record.folder)
                self.look_after(record)

    # What there is

    def records(self) -> list[Record]:
        """All runs, the oldest first."""
        with self._lock:
            names: set[str] = set()
            with suppress(OSError):
                there = self.store.runs.iterdir()
                names = {path.name for path in there if ID.fullmatch(path.name) and path.is_dir()}
            for gone in self._records.keys() - names:
                del self._records[gone]
            for name in names - self._records.keys():
                self._records[name] = Record(self.store.runs / name)
            return sorted(self._records.values(), key=age)

    def summaries(self) -> list[dict[str, Any]]:
        """Summaries of all runs, the oldest first; damaged ones say that they are."""
        with self._lock:
            return [self.look_after(record).summary() for record in self.records()]

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
            FileError: there is none.
        """
        with self._lock:
            return self.look_after(self.record(name)).summary()

    def about(self, record: Record) -> About:
        """What a run was asked for.

        Raises:
            FileError: that is damaged.
        """
        about = record.about()
        if about is None:
            raise FileError(
                f"expected a run that can be read, got a damaged one, {record.id}: remove it"
            )
        return about

    def look_after(self, record: Record) -> Record:
        """The record, which says that it is interrupted if it is under way and nobody does it."""
        with self._lock:
            if not self.learner.does(record) and not record.ended:
                record.end_with("interrupted")
            return record

    def unused(self, name: str) -> str:
        """The name, or with a number if there is a run of that name."""
        names = {about.name for record in self.records() if (about := record.about())}
        number, found = 1, name
        while found in names:
            number += 1
            found = f"{name} ({number})"
        return found

    # What is done

    def create(self, settings: RunSettings) -> Record:
        """Starts a run.

        Raises:
            TrainingError: there can be no such run.
            Busy: another is under way.
            FileError: it cannot be written.
        """
        recipe = recipe_of(settings)
        about = {"name": settings.name or self.unused(title(settings)), "kind": "training"}
        facts = facts_of(recipe, settings.images)
        return self.start_anew({**about, "settings": settings.model_dump(mode="json"), **facts})

    def learn(self, lesson: LessonSettings) -> Record:
        """Starts a lesson: teaches the corrections to a model.

        Raises:
            TrainingError: there are no corrections.
            FileError: there is no such model, or what its run was asked for is damaged, or is of
                another version; or the lesson cannot be written.
            Busy: another run is under way.
        """
        path = self.shelf.path(lesson.model)
        if path is None:
            raise FileError(
                f"expected reader, or the id of a run that has a model, got {lesson.model}: "
                "/api/models has those there are"
            )
        if lesson.model == "reader":
            taught, base = "reader", RunSettings(recipe="reader")
        else:
            about = self.about(self.record(lesson.model))
            taught, base = about.name, about.training()
        digits = kept(self.store.corrections)
        if not digits:
            raise TrainingError(
                "expected at least one correction to learn from, got none: draw a digit and teach "
                "it first"
            )
        own = Dataset(
            np.stack([each.glyph for each in digits]),
            np.array([each.label for each in digits], np.uint8),
        )
        learned = OwnDigits.parted(own).learned

        def furnish(folder: Path) -> None:
            save(own, folder / OWN)
            shutil.copyfile(path, folder / START)

        facts = facts_of(gentle(recipe_of(base)), min(KNOWN, base.images) + len(learned))
        name = lesson.name or self.unused(f"{taught[:60]}, taught")
        given = {**lesson.model_dump(mode="json"), "training": base.model_dump(mode="json")}
        return self.start_anew(
            {"name": name, "kind": "lesson", "settings": given, **facts}, furnish
        )

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
            FileError: there is no such run, or it is damaged.
            Busy: its state does not allow it, or another run is under way.
        """
        with self._lock:
            record = self.look_after(self.record(name))
            state, do = record.state, command["do"]
            if state not in ALLOWED[do]:
                raise Busy(refusal(do, state))
            if not record.ended:
                if not tell(record.folder, command):
                    raise Busy(
                        "expected a run that still learns, got one that has learned all and is "
                        "about to end: wait for its end"
                    )
            else:
                about = self.about(record)
                about.training(), about.seed()
                self.check_free()
                self.spawn(record, command if do == "more" else None)

    def rename(self, name: str, title: str) -> dict[str, Any]:
        """Gives a run another name; its summary.

        Raises:
            FileError: there is no such run, or it cannot be written.
        """
        with self._lock:
            record = self.record(name)
            record.write({**self.about(record).data, "name": title})
            return self.summary(name)

    def remove(self, name: str) -> None:
        """Removes a run with all that it left.

        Raises:
            FileError: there is no such run.
            Busy: it is under way.
        """
        with self._lock:
            record = self.look_after(self.record(name))
            if not record.ended:
                raise Busy(
                    f"expected a run that has ended, got one that is {record.state}: stop it"
                )
            self.learner.settle()
            gone = record.folder.with_name(f".{name}")
            shutil.rmtree(gone, ignore_errors=True)  # of one that could not be removed altogether
            record.folder.rename(gone)
            del self._records[name]
        shutil.rmtree(gone, ignore_errors=True)

    def close(self) -> None:
        """Ends the process that learns, which leaves a checkpoint, and all streams."""
        self.closing.set()
        with self._lock:
            self.learner.end()

    # The process

    def check_free(self) -> None:
        """Whether a process may be started.

        Raises:
            Busy: another learns.
        """
        self.learner.settle()
        other = self.learner.record
        if other is not None:
            raise Busy(
                f"expected no other run under way, got {other.summary()['name']!r}, which is "
                f"{other.state}: wait for its end, or stop it"
            )

    def spawn(self, record: Record, command: dict[str, Any] | None = None) -> None:
        """Starts a run's process; arguments and errors as those of `Learner.start`."""
        self.learner.start(record, command)


def age(record: Record) -> tuple[str, str]:
    return record.created(), record.id
