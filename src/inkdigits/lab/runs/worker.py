"""The process that learns: `python -m inkdigits.lab.runs.worker FOLDER`.

Learning takes all that the machine has, for minutes, and must outlive a page that is closed. So it
has a process of its own, without threads of Python's, whose crew may be forked (`processes`).
Whatever becomes of it, its last event says so; and when the lab is gone it leaves a checkpoint and
ends.
"""

from __future__ import annotations

import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from inkdigits.errors import Diverged, InkdigitsError, Interrupted
from inkdigits.files import taken
from inkdigits.formats import save_model
from inkdigits.lab.runs.events import Event, Journal
from inkdigits.lab.runs.files import is_full
from inkdigits.lab.runs.helm import Helm
from inkdigits.lab.runs.points import Points, Sight
from inkdigits.lab.runs.work import LOG, MODEL, Work, log, reconciled
from inkdigits.training import Recipe, train

__all__ = ["LOCK", "NO_ROOM", "NO_ROOM_SAID", "main"]

LOCK = "lock"
NO_ROOM = 28  # the status of a process that found no room to say how it ended
NO_ROOM_SAID = "expected room on the disk, got a full one: make room, then let it go on"


def learn(folder: Path, lab: int | None) -> None:
    """Does a run's work, and tells how it ended."""
    journal = Journal(folder)
    helm: Helm | None = None
    try:
        work = Work(folder)
        standing = reconciled(journal, work.checkpoint, len(work.dataset))
        told = [event.data["step"] for event in standing if event.type == "point"]
        points = Points(work.steps, last=max(told, default=None))
        sight = Sight(work.dataset, work.validation)
        helm = Helm(folder, journal, sight, points, seen=work.seen(standing), lab=lab)
        signal.signal(signal.SIGTERM, helm.end)
        try:
            end = run(work, helm, standing)
        except Diverged as stop:
            end = diverged(work, helm, stop)
    except (Interrupted, KeyboardInterrupt):
        end = {"state": "interrupted"}
    except InkdigitsError as error:
        log(folder, traceback.format_exc())
        end = {"state": "failed", "message": NO_ROOM_SAID if is_full(error) else str(error)}
    except Exception as error:
        log(folder, traceback.format_exc())
        said = f"{type(error).__name__}: {error}"[:300]
        said = f"expected a run without errors, got {said}: {LOG} in its folder says more"
        end = {"state": "failed", "message": NO_ROOM_SAID if is_full(error) else said}
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what comes now is said to the end
    if helm is None:
        journal.append("state", {"step": 0, **end})
    else:
        helm.now["phase"] = "ended"
        helm.say_state(**end)


def run(work: Work, helm: Helm, standing: list[Event]) -> dict[str, Any]:
    """Trains, and keeps the model; what the run's last event says."""
    facts: dict[str, Any] = {
        "epochs": work.recipe.epochs,
        "steps": work.steps,
        "parameters": int(work.recipe.network().parameters.size),
    }
    if work.lesson is not None and work.start is not None:
        known = [event.data["before"] for event in standing if "before" in event.data]
        facts["before"] = known[-1] if known else work.lesson.scores(work.start, None)
    helm.now["step"] = 0 if work.checkpoint is None else work.checkpoint.snapshot.step
    helm.say_state("running", **facts)
    model = train(
        work.recipe,
        work.dataset,
        seed=work.seed,
        start=work.start if work.checkpoint is None else None,
        watch=work.watched,
        checkpoints=work.checkpoints,
        resume=work.checkpoint,
        figures=isinstance(work.recipe, Recipe),
        besides=None if work.lesson is None else work.lesson.own.settings(),
        steering=helm,
    )
    helm.commands.close()
    save_model(model, work.folder / MODEL)  # before the exam, which could be broken off
    helm.write(phase="calibration")
    model = work.calibrated(model)
    helm.write(phase="exam")
    model = work.scored(model)
    save_model(model, work.folder / MODEL)
    helm.finish()
    end: dict[str, Any] = {"state": "stopped" if helm.stopping else "done"}
    if work.lesson is not None:
        end["before"] = facts["before"]
        end["after"] = {name: model.card.scores.get(f"{name} after") for name in work.lesson.exams}
    return end


def diverged(work: Work, helm: Helm, stop: Diverged) -> dict[str, Any]:
    """Keeps the last good model, if there is one; what the run's last event says."""
    helm.finish(diverged=True)
    if stop.model is not None and stop.model.network.parameters.any():
        save_model(stop.model, work.folder / MODEL)
    work.checkpoints.remove_spent()
    return {"state": "diverged", "message": str(stop)}


def main(arguments: list[str]) -> int:
    """`FOLDER [LAB]`: does the run in the folder, as long as LAB is this process's parent."""
    folder = Path(arguments[0])
    lab = int(arguments[1]) if len(arguments) > 1 else None
    # As Python has it by itself, wherever this was started from: `train` ends by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with (folder / LOCK).open("ab") as lock:
            if not taken(lock):
                return 1
            learn(folder, lab)
    except OSError as error:
        if is_full(error):
            return NO_ROOM
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
