"""A process that reads pictures, and may die at any of them without harm.

Handwriting comes as whatever file somebody had. A decoder may crash, a picture may take more memory
than there is, somebody may end a process: in a thread that would be the end of all, so each picture
of a job is read in a process that has nothing to lose. `crew` starts such processes.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from inkdigits.errors import FileError, InkdigitsError, ModelError, PictureError
from inkdigits.model import Model
from inkdigits.parallel import blas_on_one_thread
from inkdigits.reading.reader import read_pictures

__all__ = ["LoadModel", "Task", "identity", "line_data", "work"]

LoadModel = Callable[[], Model]


@dataclass(frozen=True)
class Task:
    """What a process has to know to read any of the pictures.

    Args:
        load_model: called once in each process; it must be something that pickle can send there.
        model: the `identity` of the model that it has to give.
        base: the folder that names are relative to.
        threshold: as for `read`.
        single: one digit a picture.
        patience: seconds of computing after which a process gives a picture up, and its life.
    """

    load_model: LoadModel
    model: str
    base: str
    threshold: float | None
    single: bool
    patience: float


def identity(model: Model) -> str:
    """A name for all of a model that a reading depends on: its weights and its calibration."""
    calibration = json.dumps(model.card.calibration, sort_keys=True)
    return hashlib.sha256(f"{model.fingerprint} {calibration}".encode()).hexdigest()


def line_data(name: str, result: Any, *, single: bool) -> dict[str, Any]:
    """A line of JSON as the command line's contract has it: the reading of a picture, or its error.

    Args:
        name: of the picture.
        result: what `read_pictures` yields for it.
        single: one digit a picture.
    """
    if isinstance(result, Exception):
        return {"path": name, "error": str(result)}
    return {"path": name, **(result.as_single() if single else result.as_data())}


def work(connection: Connection, task: Task) -> None:
    """Reads what comes until nobody asks any more, which is also when the calling process died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the calling process
    with suppress(EOFError, OSError), blas_on_one_thread():
        try:
            model = prepared(task)
        except (InkdigitsError, OSError) as error:
            connection.send(str(error))
            return
        connection.send(None)
        while True:
            for name in connection.recv():
                give_up_after(task.patience)
                line = json.dumps(line_data(name, result_of(name, model, task), single=task.single))
                give_up_after(0)
                connection.send_bytes(line.encode())


def prepared(task: Task) -> Model:
    """The model, in a process that computes on one thread and finds the pictures by their names."""
    import cv2

    cv2.setNumThreads(1)  # there is a process for each core
    model = task.load_model()
    if identity(model) != task.model:
        raise ModelError(
            "expected the model that the job was begun with, got another in its file: run it again"
        )
    os.chdir(task.base)
    return model


def give_up_after(seconds: float) -> None:
    """Ends this process when it has computed for so long; 0 for never.

    A loop within a decoder listens to nothing else, so the system has to end it.
    """
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, seconds)


def result_of(name: str, model: Model, task: Task) -> Any:
    """The reading of a picture or its error: none costs another its reading."""
    path = Path(name)
    try:
        if not os.path.lexists(path):
            raise FileError(
                f"expected {name} to be where it was when the job began, got nothing there: bring "
                "it back, and read it by itself"
            )
        if path.is_symlink() and not path.exists():
            raise FileError(
                f"expected {name} to be a file, got a link to nothing: mend or remove it"
            )
        (result,) = read_pictures(
            [name], model, threshold=task.threshold, single=task.single, threads=1
        )
        return result
    except InkdigitsError as error:
        return error
    except Exception as error:
        return PictureError(
            f"expected {name} to be a picture that can be read, got {type(error).__name__} "
            f"({error}): look at it, or save it anew"
        )
