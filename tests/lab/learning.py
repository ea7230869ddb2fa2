"""What the tests of runs share: a run that takes a second, and waiting that ends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inkdigits.lab.runs.events import Event, Journal, read_now
from inkdigits.lab.runs.runs import Runs
from inkdigits.lab.runs.settings import RunSettings

PATIENCE = 120.0  # seconds, which no test needs but a machine that is busy with others


def tiny(**other: Any) -> RunSettings:
    """Ten steps an epoch, three epochs."""
    settings = {
        "network": {"layers": [{"kind": "dense", "units": 16}], "optimizer": "momentum"},
        "epochs": 3,
        "batch": 50,
        "images": 500,
    }
    return RunSettings.model_validate(settings | other)


def until(true: Callable[[], Any], what: str) -> Any:
    """What `true` answers as soon as it is true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = true()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"waited in vain until {what}")


def point_at(step: int, **other: float) -> dict[str, float]:
    """What the journal has of a moment."""
    zero = dict.fromkeys(("epoch", "loss", "accuracy", "rate", "seconds"), 0.0)
    return {"step": step, **zero, "validation_loss": 0.0, "validation_accuracy": 0.0, **other}


def journal(folder: Path) -> list[Event]:
    return list(Journal(folder).new())


def of_type(events: list[Event], kind: str) -> list[dict[str, Any]]:
    return [event.data for event in events if event.type == kind]


def states(folder: Path) -> list[str]:
    return [data["state"] for data in of_type(journal(folder), "state")]


def ended(runs: Runs, name: str) -> dict[str, Any]:
    """The summary of a run when it has ended, and its process with it."""
    record = runs.record(name)
    until(lambda: record.ended, f"the run ends; it is {record.state}")
    runs.learner.settle()
    return runs.summary(name)


def come_to(folder: Path, step: int) -> None:
    """Waits until a run has come to a step."""
    until(lambda: (read_now(folder) or {}).get("step", -1) >= step, f"step {step}")


def about(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return found
