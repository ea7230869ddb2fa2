"""Lanes: fixed shares of the work, done by a crew of however many workers there are.

The recipe fixes how many lanes the work is cut into, so the sums are formed in the same order and
the result is the same bit for bit with one worker or with many. BLAS is held to one thread
meanwhile: two workers with one BLAS thread each are faster than one with two, and a product split
over BLAS's own threads need not have the same bits.

The workers of a `Crew` are threads. They share all memory, and one lock of the interpreter: while
one runs Python the others wait, and to be woken takes some 25 µs. Where steps are short that eats
half of what a second thread brings; `training/processes.py` has a crew of processes for them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from queue import SimpleQueue
from typing import Any

import numpy as np
from threadpoolctl import OpenBLASController, ThreadpoolController

from inkdigits.network import Network

__all__ = [
    "Crew",
    "Member",
    "available_threads",
    "blas_can_be_held",
    "blas_on_one_thread",
    "predict",
]

PREDICTED_VALUES = 1 << 20  # of a network's widest layer: 4 MB, which the caches hold


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


def keep_freed_memory() -> None:
    """Lets this process keep the memory of arrays that it frees, for those that come next.

    By itself glibc hands a large block back to the kernel, which has to zero each page of the next
    one. Once a block of nearly 32 MB was freed it keeps blocks up to that size, and 64 MB in all.
    This one is never touched, so it costs nothing; other systems lose nothing by it either.
    """
    np.empty((32 << 20) - (1 << 16), np.uint8)


class OneThread:
    """The block that `blas_on_one_thread` gives: the first to enter sets the limit for all, the
    last to leave takes it back, whichever threads they are in.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limit = blas().limit(limits=1)
                let_any_thread_limit()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limit.restore_original_limits()
                let_any_thread_limit()


def let_any_thread_limit() -> None:
    """Keeps OpenBLAS's number of threads from belonging to the thread that has just set it.

    It is one number for the whole process. From 3.8 on threadpoolctl does nothing where another
    thread than the first one sets it, and says nothing; `OneThread` lets one at a time do that.
    """
    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


ONE_THREAD = OneThread()


def blas_on_one_thread() -> OneThread:
    """A block in which BLAS uses one thread; it may be entered from several threads at once."""
    return ONE_THREAD


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
        keep_freed_memory()
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
                let_any_thread_limit()
            except BaseException as error:
                errors.append(error)
                for other in self._others(number):
                    self._tokens[number][other].put(False)

        with blas_on_one_thread():
            threads = [
                threading.Thread(target=follow, args=(number,), daemon=True) for number in each[1:]
            ]
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
    size = max(16, PREDICTED_VALUES // network.widest)
    starts = range(0, len(images), size)

    def program(member: Member) -> None:
        for lane in member.lanes:
            chunk = slice(starts[lane], starts[lane] + size)
            columns = images[chunk].transpose(1, 2, 0)  # (28, 28, N)
            logits[chunk] = network.predict(columns).T

    Crew(len(starts), threads).run(program)
    return logits
