"""The processes that read a job's pictures: started, fed, and replaced when they die.

The calling process hands out portions of names and collects the lines. When a process dies, the
first line that is missing says at which picture, and another goes on there: what was read is kept.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import wait

from inkdigits.errors import FileError, ModelError
from inkdigits.reading.worker import Task, work

__all__ = ["Portion", "read_portions"]

DEATHS = 2  # at one picture: the first may have been somebody else's fault
STILLBORN = 3  # processes in a row that ended before they could read


@dataclass
class Portion:
    """Pictures that are read one after the other, and what was read so far.

    Args:
        number: of the portion.
        names: of its pictures.
    """

    number: int
    names: list[str]
    lines: list[str] = field(default_factory=list)
    deaths: int = 0  # at the first picture that has no line yet

    @property
    def rest(self) -> list[str]:
        """The names of those that are still to be read."""
        return self.names[len(self.lines) :]

    def add(self, line: str) -> None:
        self.lines.append(line)
        self.deaths = 0


class Worker:
    """A process, and the portion that it reads.

    Args:
        task: how it reads.
        portion: what it reads first.

    Attributes:
        ready: whether it has its model.
    """

    def __init__(self, task: Task, portion: Portion) -> None:
        context = multiprocessing.get_context("spawn")  # threads of the caller may hold locks
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, task), daemon=True)
        self.ready = False
        self.portion = portion
        try:
            with ctrl_c_held():
                self.process.start()
        except OSError as error:
            self.connection.close()
            raise FileError(
                f"cannot start a process that reads ({error.strerror or error}): close other "
                "programs, or take fewer workers"
            ) from error
        finally:
            theirs.close()  # so that the other end closes with the process

    def take(self, portion: Portion) -> None:
        """Has it read a portion, when it has read the one before."""
        self.portion = portion
        with suppress(OSError):  # it has died: the next that is heard from it says so
            self.connection.send(portion.rest)

    def hear(self) -> None:
        """One message: that it can begin, or a line.

        Raises:
            EOFError: it has died.
            ModelError: it cannot begin.
        """
        try:
            message = self.connection.recv_bytes() if self.ready else self.connection.recv()
        except OSError as error:  # in the middle of a message
            raise EOFError from error
        if self.ready:
            self.portion.add(message.decode())
            return
        if message is not None:
            raise ModelError(message)
        self.ready = True
        self.take(self.portion)

    def end(self) -> int:
        """Ends the process, whatever it does; its exit status."""
        self.connection.close()
        self.process.kill()
        self.process.join()
        status = self.process.exitcode
        self.process.close()
        return status or 0


@contextmanager
def ctrl_c_held() -> Iterator[None]:
    """A block whose Ctrl-C comes at its end; a process that begins in it never hears of one."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def read_portions(
    portions: Iterator[Portion],
    task: Task,
    workers: int,
    *,
    finished: Callable[[Portion], None],
    progress: Callable[[], None],
) -> None:
    """Reads portions of pictures in processes; a picture that ends two of them becomes an error.

    Args:
        portions: what is to be read.
        task: how.
        workers: as many processes.
        finished: called with each portion that has all its lines, in whatever order they end.
        progress: called at each line.

    Raises:
        ModelError: the model cannot be loaded in another process.
        FileError: no process can be started.
    """
    crew: list[Worker] = []
    stillborn = 0

    def start(portion: Portion) -> None:
        crew.append(Worker(task, portion))

    try:
        for portion in islice(portions, workers):
            start(portion)
        while crew:
            heard = wait([worker.connection for worker in crew])
            for worker in [worker for worker in crew if worker.connection in heard]:
                portion, alive = worker.portion, True
                before = len(portion.lines)
                try:
                    worker.hear()
                except EOFError:
                    alive = False
                    crew.remove(worker)
                    status = worker.end()
                    stillborn = 0 if worker.ready else stillborn + 1
                    if stillborn == STILLBORN:
                        raise cannot_begin(status) from None
                    if worker.ready:
                        bury(portion, status, task.patience)
                if len(portion.lines) > before:
                    progress()
                whole = not portion.rest
                following = next(portions, None) if whole else portion
                if not alive and following is not None:
                    start(following)
                elif whole and following is not None:
                    worker.take(following)
                elif alive and following is None:
                    crew.remove(worker)
                    worker.end()
                if whole:
                    finished(portion)  # which takes a while, in which the others read
    finally:
        for worker in crew:
            worker.end()


def bury(portion: Portion, status: int, patience: float) -> None:
    """Notes that a process died at a portion's next picture, which may be given up for it."""
    portion.deaths += 1
    if portion.deaths < DEATHS:
        return
    name = portion.rest[0]
    if sys.platform != "win32" and status == -signal.SIGPROF:
        what = f"one that took longer than {patience:.0f} seconds"
    else:
        what = f"one at which {DEATHS} processes died (the last {ended(status)})"
    error = f"expected {name} to be a picture that can be read, got {what}: look at it, or scale it"
    portion.add(json.dumps({"path": name, "error": error}))


def cannot_begin(status: int) -> ModelError:
    return ModelError(
        f"expected a process that can load the model, got {STILLBORN} that died of it (the last "
        f"{ended(status)}): close other programs, or take fewer workers"
    )


def ended(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"with status {status}"
    if sys.platform != "win32" and status == -signal.SIGKILL:
        return "of SIGKILL, perhaps for want of memory"
    with suppress(ValueError):
        return f"of {signal.Signals(-status).name}"
    return f"of signal {-status}"
