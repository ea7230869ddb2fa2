"""Lanes: fixed shares of the work, done by a crew of however many workers there are.

The recipe fixes how many lanes the work is cut into, so the sums are formed in the same order and
the result is the same bit for bit with one worker or with many. BLAS is held to one thread
meanwhile: two workers with one BLAS thread each are faster than one with two, and a product split
over BLAS's own threads need not have the same bits.

The workers of a `Crew` are threads. They share all memory, and one lock of the interpreter: while
one runs Python the others wait, and to be woken takes some 25 µs. Where steps are short that eats
half of what a second thread brings, so a `ForkedCrew` has processes instead, which share only the
arrays that were asked for.
"""

from __future__ import annotations

import math
import mmap
import os
import pickle
import platform
import select
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from queue import SimpleQueue
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from inkdigits.errors import TrainingError
from inkdigits.network import Network

__all__ = [
    "Crew",
    "ForkedCrew",
    "Member",
    "available_threads",
    "blas_can_be_held",
    "blas_on_one_thread",
    "predict",
    "training_crew",
]

PREDICTION_CHUNK = 512  # columns: large enough for full products, small enough for the cache


def available_threads() -> int:
    """How many threads this process may really run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def blas() -> ThreadpoolController:
    """The BLAS libraries that are loaded; looking for them takes a millisecond."""
    return ThreadpoolController().select(user_api="blas")


def blas_can_be_held() -> bool:
    """Whether NumPy's BLAS can be told to use one thread (OpenBLAS, MKL, BLIS; not Accelerate).

    Where it cannot, results may differ in the last bits from one run to the next.
    """
    return bool(blas().lib_controllers)


def blas_on_one_thread() -> AbstractContextManager[Any]:
    """A block in which BLAS uses one thread."""
    limit: AbstractContextManager[Any] = blas().limit(limits=1)
    return limit


class Stopped(Exception):
    """Another member failed, so this one ends too; never leaves the crew."""


@dataclass(frozen=True)
class Member:
    """One worker of a crew, a thread or a process.

    Args:
        number: 0 for the calling one.
        crew: all of them.
    """

    number: int
    crew: Crew

    @property
    def lanes(self) -> range:
        """The lanes this worker works on."""
        return range(self.number, self.crew.lanes, self.crew.threads)

    def share(self, size: int) -> slice:
        """This worker's part of a vector of `size` that is worked on element by element."""
        threads = self.crew.threads
        return slice(self.number * size // threads, (self.number + 1) * size // threads)

    def wait(self) -> None:
        """Waits until every worker has come here."""
        self.crew.meet(self.number)


class Crew:
    """Threads that run one program together, in step wherever it says `wait`.

    The calling thread is the first of them, so with one thread nothing is handed over at all.
    Every thread follows the same program, instead of being sent piece by piece: each piece would
    cost two wake-ups.

    Args:
        lanes: what the work is cut into; the result must not depend on who works on a lane.
        threads: at most this many work at once; None for as many as the machine has.
    """

    def __init__(self, lanes: int, threads: int | None = None) -> None:
        self.lanes = lanes
        self.threads = max(1, min(lanes, available_threads() if threads is None else threads))
        self._tokens: list[list[SimpleQueue[bool]]] = []

    def shared(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
        """An array of zeros that every member writes to and reads from."""
        return np.zeros(shape, dtype)

    def run(self, program: Callable[[Member], None]) -> None:
        """Runs program(member) on every thread; returns when all ended, raises what one raised."""
        errors: list[BaseException] = []
        # A queue for each pair: a token from one thread must not be taken for another's. New ones,
        # because a run that failed leaves tokens behind.
        each = range(self.threads)
        self._tokens = [[SimpleQueue() for _ in each] for _ in each]

        def follow(number: int) -> None:
            try:
                program(Member(number, self))
            except Stopped:
                pass
            except BaseException as error:
                errors.append(error)
                for other in self._others(number):
                    self._tokens[number][other].put(False)

        with blas_on_one_thread():
            threads = [threading.Thread(target=follow, args=(number,)) for number in each[1:]]
            for thread in threads:
                thread.start()
            follow(0)
            for thread in threads:
                thread.join()
        if errors:
            raise errors[0]

    def meet(self, number: int) -> None:
        """Waits, as worker `number`, until every worker has called this."""
        for other in self._others(number):
            self._tokens[number][other].put(True)
        for other in self._others(number):
            if not self._tokens[other][number].get():
                raise Stopped

    def _others(self, number: int) -> list[int]:
        return [other for other in range(self.threads) if other != number]


class ForkedCrew(Crew):
    """A crew of processes: copies of this one, made when a program is run and gone when it ends.

    A member sees all that there was when the run began, but what it changes the others see in
    `shared` arrays alone. The calling process is the first member, and the only one that may
    report. Members wait by looking at each other's counters in shared memory, which takes a
    microsecond where waking a thread takes 25: an epoch of a 784-200-10 network with batches of 128
    takes 0.20 s with two processes, 0.27 with two threads, 0.36 with one.

    For Linux on x86-64, whose processors show one member's writes to the others in order.
    """

    AVAILABLE = sys.platform == "linux" and platform.machine() == "x86_64"
    SPINS = 2_000  # looks of about 0.1 µs each: as long as a part of a step takes
    YIELDS = 20_000  # then it lets others run at each look, and then it sleeps
    COUNTERS_APART = 16  # int64: members' counters lie in cache lines of their own

    def __init__(self, lanes: int, threads: int | None = None) -> None:
        super().__init__(lanes, threads)
        self._arrived = self.shared((self.threads * self.COUNTERS_APART,), np.int64).data
        self._failed = self.shared((1,), np.int64).data
        self._caller = os.getpid()
        self._children: dict[int, int] = {}  # process by the pipe that brings its error

    def shared(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
        """An array of zeros that every member writes to and reads from."""
        size = math.prod(shape)
        memory = mmap.mmap(-1, max(1, size * np.dtype(dtype).itemsize))
        return np.frombuffer(memory, dtype, size).reshape(shape)

    def run(self, program: Callable[[Member], None]) -> None:
        """Runs program(member) in every process; returns when all ended, raises what one raised."""
        self._failed[0] = 0
        self._caller = os.getpid()
        for number in range(self.threads):
            self._arrived[number * self.COUNTERS_APART] = 0
        with blas_on_one_thread():
            try:
                for number in range(1, self.threads):
                    self._fork(number, program)
                program(Member(0, self))
            except Stopped:
                pass
            except BaseException:
                self._failed[0] = 1
                raise
            finally:
                error = self._end_children()
        if error is not None:
            raise error

    def meet(self, number: int) -> None:
        """Waits, as worker `number`, until every worker has called this."""
        arrived, mine = self._arrived, number * self.COUNTERS_APART
        arrived[mine] = count = arrived[mine] + 1
        for other in self._others(number):
            place, looks = other * self.COUNTERS_APART, 0
            while arrived[place] < count:
                looks += 1
                if looks > self.SPINS:
                    self._wait_longer(looks)

    def _wait_longer(self, looks: int) -> None:
        """Gives the processor to others, and finds out whether the wait is in vain."""
        if looks < self.YIELDS:
            os.sched_yield()
            return
        select.select([], [], [], 0.001)
        if os.getpid() != self._caller and os.getppid() != self._caller:
            os._exit(1)  # the calling process was killed, and nobody waits for this one any more
        if self._failed[0] or any(killed(child) for child in self._children.values()):
            self._failed[0] = 1
            raise Stopped

    def _fork(self, number: int, program: Callable[[Member], None]) -> None:
        """Starts member `number`; what it raises comes back through a pipe."""
        answer, question = os.pipe()
        with warnings.catch_warnings():
            # From 3.12 on Python warns that threads and forks may lock up: the child of a process
            # with threads must not wait for what another thread held. Ours multiplies and exits.
            warnings.simplefilter("ignore", DeprecationWarning)
            process = os.fork()
        if process:
            os.close(question)
            self._children[answer] = process
            return
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the calling process
            self._children.clear()
            program(Member(number, self))
        except Stopped:
            pass
        except BaseException as error:
            self._failed[0] = 1
            os.write(question, pickled(error))
        finally:
            os._exit(0)

    def _end_children(self) -> BaseException | None:
        """Waits for all other members; the error that one of them raised, if any did."""
        errors: list[BaseException] = []
        for answer, process in self._children.items():
            with os.fdopen(answer, "rb") as pipe:
                content = pipe.read()
            _, status = os.waitpid(process, 0)
            if content:
                errors.append(pickle.loads(content))
            elif status:
                errors.append(
                    TrainingError(
                        "a worker process was ended from outside, perhaps for want of memory: "
                        "try --threads 1"
                    )
                )
        self._children.clear()
        return errors[0] if errors else None


def killed(process: int) -> bool:
    """Whether a child process has ended otherwise than by itself; it can still be waited for."""
    end = os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return end is not None and end.si_status != 0


def pickled(error: BaseException) -> bytes:
    """An error as bytes that fit into a pipe, for `pickle.loads`."""
    try:
        content = pickle.dumps(error)
        pickle.loads(content)
    except Exception:
        content = b""
    return content if 0 < len(content) < 32_768 else pickle.dumps(RuntimeError(repr(error)[:1000]))


def training_crew(lanes: int, threads: int | None = None) -> Crew:
    """The fastest crew that this machine can have for steps of less than a millisecond."""
    return (ForkedCrew if ForkedCrew.AVAILABLE else Crew)(lanes, threads)


def predict(
    network: Network, images: np.ndarray[Any, Any], *, threads: int | None = None
) -> np.ndarray[Any, Any]:
    """The logits of `images`, in chunks over threads.

    Args:
        network: what answers.
        images: shape (N, 28, 28), uint8.
        threads: None for as many as the machine has; the answers are the same bits for any number.

    Returns:
        logits, shape (N, answers): a row an image.
    """
    logits = np.empty((len(images), network.answers), network.dtype)
    starts = range(0, len(images), PREDICTION_CHUNK)

    def program(member: Member) -> None:
        for lane in member.lanes:
            chunk = slice(starts[lane], starts[lane] + PREDICTION_CHUNK)
            columns = images[chunk].transpose(1, 2, 0)  # (28, 28, N)
            logits[chunk] = network.predict(columns).T

    Crew(len(starts), threads).run(program)
    return logits
