"""Records: what a run's folder says of it, without asking the process that learns."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from inkdigits.files import written_whole
from inkdigits.lab.runs.events import FINAL, NOW, Event, Journal, read_now, stamp_of
from inkdigits.lab.runs.work import MODEL

__all__ = ["ALLOWED", "UNDER_WAY", "Record", "refusal"]

UNDER_WAY = ("starting", "running", "paused")

# In which states what may be commanded; where a run has ended its process is started again.
ALLOWED = {
    "pause": UNDER_WAY,
    "go": (*UNDER_WAY, "interrupted", "stopped", "failed"),
    "stop": UNDER_WAY,
    "more": (*UNDER_WAY, "interrupted", "stopped", "done"),
    "change": UNDER_WAY,
    "pace": UNDER_WAY,
}

ABOUT = "run.json"
LIVE = ("step", "steps", "epoch", "epochs", "seconds")  # what `now` knows better than the journal


class Record:
    """A run as its folder has it. Of the journal each line is read once.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self._journal = Journal(folder)
        self._lock = threading.Lock()
        self._told: dict[str, Any] = {"state": "starting"}
        self._now: dict[str, Any] = {}
        self._asked: dict[str, Any] = {}
        self._stamps: dict[str, Any] = {}
        self._about: dict[str, Any] = {}

    def about(self) -> dict[str, Any]:
        """What `run.json` says.

        Raises:
            OSError: it cannot be read.
            ValueError: it is damaged.
        """
        if self.is_new(ABOUT):
            about = json.loads((self.folder / ABOUT).read_bytes())
            if not isinstance(about, dict) or not about.keys() >= {"settings", "kind", "name"}:
                raise ValueError(f"expected a run in {self.folder / ABOUT}")
            self._about = about
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
            self.read_on()
            return str(self._told["state"])

    @property
    def ended(self) -> bool:
        """Whether it has, or should have, no process any more."""
        return self.state in FINAL

    def say(self, state: str, **more: Any) -> None:
        """Tells a state that the run's process cannot tell itself."""
        now = read_now(self.folder) or {}
        self._journal.append("state", {"state": state, "step": now.get("step", 0), **more})

    def summary(self) -> dict[str, Any]:
        """The run as a list of runs has it.

        Raises:
            OSError: it cannot be read.
            ValueError: it is damaged.
        """
        with self._lock:
            about = self.about()
            self.read_on()
            if self.is_new(NOW):
                now = read_now(self.folder) or {}
                self._now = {name: now[name] for name in LIVE if name in now}
                self.keep(NOW)
            told = {**self._told, **self._now}
            return {
                "id": self.id,
                "name": about["name"],
                "kind": about["kind"],
                "created": about.get("created"),
                "settings": about["settings"],
                "state": told["state"],
                "epoch": told.get("epoch", 0.0),
                "epochs": told.get("epochs", about.get("epochs")),
                "step": told.get("step", 0),
                "steps": told.get("steps", about.get("steps")),
                "accuracy": told.get("accuracy"),
                "loss": told.get("loss"),
                "seconds": told.get("seconds", 0.0),
                "parameters": told.get("parameters", about.get("parameters")),
                "has_model": (self.folder / MODEL).is_file(),
                "before": told.get("before"),
                "after": told.get("after"),
                "message": told.get("message"),
            }

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
                told |= {"loss": data["loss"], "epoch": data["epoch"], "seconds": data["seconds"]}
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
    return f"expected a run that can {do}, got one that is {state}: {instead}"
