"""Events of a run: a journal that is only ever appended to, and the stream that pages follow.

The journal outlives whoever writes it: the process that learns, which may be killed in the middle
of a line, the lab, which says when that has ended, and the next process, which goes on. A line is
an event, its number from 1 on is the event's id, and ids never change. So whoever lost the stream
names the last id that it saw and misses nothing, and nobody sees an event twice.

What a page shows of this very moment is no part of the journal: it is in `now.json`, which is
replaced several times a second.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inkdigits.lab.runs.files import append_line, is_number, record_from, record_in

__all__ = [
    "FINAL",
    "LIVE",
    "UNDER_WAY",
    "Event",
    "Journal",
    "encoded",
    "follow",
    "read_now",
    "write_now",
]

JOURNAL, NOW = "journal.jsonl", "now.json"

FINAL = ("done", "stopped", "diverged", "interrupted", "failed")  # states of runs without a process

UNDER_WAY = ("starting", "running", "paused")

# Without which an event of its type says nothing, each a number.
NEEDED = {
    "point": (
        *("step", "epoch", "seconds", "rate"),
        *("loss", "accuracy", "validation_loss", "validation_accuracy"),
    ),
    "epoch": ("step", "epoch"),
    "change": ("step",),
    "rewound": ("step",),
    "state": (),
}
# What is a number in any event that has it.
NUMBERS = ("step", "steps", "epochs", "parameters", "rate", "batch", "loss", "accuracy")
LIVE = ("step", "steps", "epoch", "epochs", "seconds")  # what `now` knows better than the journal

POLL = 0.1  # seconds
NOW_APART = 0.2
HEARTBEAT = 15.0


@dataclass(frozen=True)
class Event:
    """Something that happened to a run.

    Args:
        id: the line of the journal, from 1; None for what is not in it.
        type: point, epoch, change, state or rewound; now and end are not in the journal.
        data: as JSON has it.
    """

    id: int | None
    type: str
    data: dict[str, Any]

    @property
    def final(self) -> bool:
        """Whether after this a run has no process any more."""
        return self.type == "state" and self.data.get("state") in FINAL


@dataclass
class Journal:
    """The journal in a run's folder, to append to and to read on from where one was.

    Attributes:
        place: bytes read so far, whole lines all of them.
        lines: read so far; the id of the last.
    """

    folder: Path
    place: int = field(default=0, init=False)
    lines: int = field(default=0, init=False)

    @property
    def path(self) -> Path:
        return self.folder / JOURNAL

    def append(self, kind: str, data: dict[str, Any]) -> None:
        """Writes one event at the end.

        Raises:
            OSError: it cannot be written.
        """
        # Opened anew each time: events are seldom, and whoever was here before may be gone.
        with self.path.open("ab+", buffering=0) as file:
            append_line(file, {"event": kind, "data": data})

    def new(self) -> Iterator[Event]:
        """The events since the last call; what is torn or damaged is none, though its line counts.

        A journal that cannot be read has none.
        """
        with suppress(OSError), self.path.open("rb") as file:
            file.seek(self.place)
            for line in file:
                if not line.endswith(b"\n"):  # still being written, or torn
                    return
                self.place += len(line)
                self.lines += 1
                event = event_from(line, self.lines)
                if event is not None:
                    yield event


def event_from(line: bytes, number: int) -> Event | None:
    """The event in a line; None where it is none, or lacks what all of its type have."""
    record = record_from(line) or {}
    kind, data = record.get("event"), record.get("data")
    if not isinstance(kind, str) or kind not in NEEDED or not isinstance(data, dict):
        return None
    numbers = {*NEEDED[kind], *(name for name in NUMBERS if data.get(name) is not None)}
    if not all(is_number(data.get(name)) for name in numbers):
        return None
    if kind == "state" and data.get("state") not in (*UNDER_WAY, *FINAL):
        return None
    return Event(number, kind, data)


def what_stands(events: list[Event]) -> list[Event]:
    """The events without those that `rewound` takes back, as a page that follows them has them."""
    standing: list[Event] = []
    for event in events:
        if event.type == "rewound":
            step = event.data["step"]
            standing = [e for e in standing if e.type == "state" or e.data.get("step", 0) <= step]
        else:
            standing.append(event)
    return standing


def write_now(folder: Path, now: dict[str, Any]) -> None:
    """Replaces `now.json`: a reader finds the old one or the new.

    Unlike `written_whole` it does not wait for the disk, which five times a second would be felt;
    after a power cut nobody asks for it.

    Raises:
        OSError: it cannot be written.
    """
    temporary = folder / f".{NOW}.part"
    temporary.write_text(json.dumps(now, allow_nan=False), encoding="utf-8")
    temporary.replace(folder / NOW)


def read_now(folder: Path) -> dict[str, Any] | None:
    """The latest picture of a run; None where there is none, or none that can be read."""
    now = record_in(folder / NOW)
    if now is None or not all(is_number(now[name]) for name in LIVE if name in now):
        return None
    return now


def encoded(event: Event) -> bytes:
    """An event as a server-sent event has it."""
    number = "" if event.id is None else f"id: {event.id}\n"
    return f"{number}event: {event.type}\ndata: {json.dumps(event.data)}\n\n".encode()


async def follow(
    folder: Path,
    *,
    after: int = 0,
    closing: Callable[[], bool] = lambda: False,
    poll: float = POLL,
    heartbeat: float = HEARTBEAT,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[bytes]:
    """What happened to a run and what happens, as server-sent events, until its process has ended.

    First come the events after the one that was seen last, then what they leave of this moment as
    `now`, then both as they come. After a final state comes `end`, which says that there is no need
    to ask again; where the server closes there is none, and a page asks again by itself.

    Args:
        folder: of the run.
        after: the last id that was seen.
        closing: whether the server is about to end.
        poll: seconds from one look at the files to the next.
        heartbeat: seconds of silence after which a comment shows that the stream is alive.
        clock: gives seconds.
    """
    journal = Journal(folder)
    final = False
    seen: tuple[int, int] | None = None
    said = told = clock()
    while not closing():
        for event in journal.new():
            final = event.final if event.type == "state" else final
            if event.id is not None and event.id > after:
                said = clock()
                yield encoded(event)
        stamp = stamp_of(folder / NOW)
        if stamp not in (None, seen) and (final or seen is None or clock() - told >= NOW_APART):
            now = read_now(folder)
            if now is not None:
                said = told = clock()
                yield encoded(Event(None, "now", now))
            seen = stamp
        if final:
            yield encoded(Event(None, "end", {}))
            return
        if clock() - said >= heartbeat:
            said = clock()
            yield b": alive\n\n"
        await asyncio.sleep(poll)


def stamp_of(path: Path) -> tuple[int, int] | None:
    """What changes when a file is replaced; None where there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_ino
