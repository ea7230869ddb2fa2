"""Records: what a run's folder says of it, without asking the process that learns."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inkdigits.files import written_whole
from inkdigits.lab.runs.about import ABOUT, About, read_about
from inkdigits.lab.runs.events import (
    FINAL,
    LIVE,
    NOW,
    UNDER_WAY,
    Event,
    Journal,
    read_now,
    stamp_of,
)
from inkdigits.lab.runs.work import MODEL

__all__ = ["ALLOWED", "Record", "refusal"]

# In which states what may be commanded; where a run has ended its process is started again.
ALLOWED = {
    "pause": UNDER_WAY,
    "go": (*UNDER_WAY, "interrupted", "stopped", "failed"),
    "stop": UNDER_WAY,
    "more": (*UNDER_WAY, "interrupted", "stopped", "done"),
    "change": UNDER_WAY,
    "pace": UNDER_WAY,
}

DAMAGED = "expected a run that can be read, got one whose run.json is damaged: remove it"

DEEDS = {
    "pause": "be paused",
    "go": "go on",
    "stop": "be stopped",
    "more": "learn more epochs",
    "change": "be changed as it learns",
    "pace": "learn in slow motion",
}


class Record:
    """A run as its folder has it, whatever has become of that. Of the journal each line is read
    once.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self._journal = Journal(folder)
        self._lock = threading.RLock()
        self._told: dict[str, Any] = {"state": "starting"}
        self._now: dict[str, Any] = {}
        self._asked: dict[str, Any] = {}
        self._stamps: dict[str, Any] = {}
        self._about: About | None = None
        self._owed: dict[str, Any] | None = None

    def about(self) -> About | None:
        """What `run.json` says; None where it is damaged."""
        with self._lock:
            if self.is_new(ABOUT):
                self._about = read_about(self.folder)
                self.keep(ABOUT)
            return self._about

    def write(self, about: dict[str, Any]) -> None:
        """Replaces `run.json`.

        Raises:
            FileError: it cannot be written.
        """
        with written_whole(self.folder / ABOUT) as temporary:
            temporary.write_text(json.dumps(about, allow_nan=False), encoding="utf-8")

    @property
    def state(self) -> str:
        """One of starting, running, paused, and `FINAL`."""
        with self._lock:
            return str(self.told()["state"])

    @property
    def ended(self) -> bool:
        """Whether it has, or should have, no process any more."""
        return self.state in FINAL

    def say(self, state: str, **more: Any) -> None:
        """Tells a state that the run's process cannot tell itself.

        Raises:
            OSError: it cannot be written.
        """
        with self._lock:
            now = read_now(self.folder) or {}
            self._owed = None
            self._journal.append("state", {"state": state, "step": now.get("step", 0), **more})

    def end_with(self, state: str, **more: Any) -> None:
        """Tells a final state. Where that cannot be written it is so all the same, and is written
        as soon as it can be.
        """
        with self._lock:
            self._owed = {"state": state, **more}
            self.pay()

    def pay(self) -> None:
        """Writes what could not be written."""
        owed = self._owed
        if owed is not None:
            try:
                self.say(**owed)
            except OSError:
                self._owed = owed

    def summary(self) -> dict[str, Any]:
        """The run as a list of runs has it; of a damaged one what is known of it."""
        with self._lock:
            about = self.about()
            told = self.told()
            if self.is_new(NOW):
                now = read_now(self.folder) or {}
                self._now = {name: now[name] for name in LIVE if name in now}
                self.keep(NOW)
            told |= self._now
            facts = {} if about is None else about.data
            return {
                "id": self.id,
                "name": self.id if about is None else about.name,
                "kind": "training" if about is None else about.kind,
                "created": self.created(),
                "settings": {} if about is None else about.settings,
                "state": told["state"],
                "epoch": told.get("epoch", 0.0),
                "epochs": told.get("epochs", facts.get("epochs")),
                "step": told.get("step", 0),
                "steps": told.get("steps", facts.get("steps")),
                "accuracy": told.get("accuracy"),
                "loss": told.get("loss"),
                "seconds": told.get("seconds", 0.0),
                "parameters": told.get("parameters", facts.get("parameters")),
                "has_model": (self.folder / MODEL).is_file(),
                "before": told.get("before"),
                "after": told.get("after"),
                "message": DAMAGED if about is None else told.get("message"),
            }

    def created(self) -> str:
        """When it was made: as it says itself, or as its folder looks."""
        about = self.about()
        if about is not None:
            return about.created
        with suppress(OSError):
            made = datetime.fromtimestamp(self.folder.stat().st_mtime, UTC)
            return made.isoformat(timespec="seconds")
        return ""

    def told(self) -> dict[str, Any]:
        """What the journal says, and what it should say."""
        self.pay()
        self.read_on()
        return {**self._told, **(self._owed or {})}

    def read_on(self) -> None:
        for event in self._journal.new():
            self.take(event)

    def take(self, event: Event) -> None:
        """Adds what an event says to what is known."""
        data, told = event.data, self._told
        match event.type:
            case "state":
                told.pop("message", None)
                names = ("state", "message", "epochs", "steps", "parameters", "before", "after")
                told |= {name: data[name] for name in names if name in data}
            case "point":
                told |= {name: data[name] for name in ("loss", "epoch", "seconds")}
                told["accuracy"] = data["validation_accuracy"]
            case "epoch":
                told["accuracy"] = data.get("accuracy", told.get("accuracy"))
            case "change" if "epochs" in data:
                told["epochs"] = data["epochs"]
        if event.type != "state" or "step" not in told:
            told["step"] = data.get("step", 0)

    def is_new(self, name: str) -> bool:
        """Whether a file is another than the one that was kept."""
        self._asked[name] = stamp = stamp_of(self.folder / name)
        return stamp is None or stamp != self._stamps.get(name)

    def keep(self, name: str) -> None:
        """Notes that a file was read, as it was when it was asked for."""
        self._stamps[name] = self._asked.get(name)


def refusal(do: str, state: str) -> str:
    """Why a run in this state cannot do that, and what it can."""
    instead = {
        "done": "let it learn more epochs",
        "stopped": "let it go on",
        "interrupted": "let it go on",
        "failed": "let it go on, or start a new one",
        "diverged": "start a new one with a lower rate",
    }.get(state, "wait for its end")
    came = {
        "done": "one that is done",
        "stopped": "one that was stopped",
        "interrupted": "one that was interrupted",
        "failed": "one that failed",
        "diverged": "one that diverged",
    }.get(state, f"one that is {state}")
    return f"expected a run that can {DEEDS[do]}, got {came}: {instead}"
