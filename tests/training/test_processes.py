"""A crew of processes does what a crew of threads does, and outlives no accident."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from circumstances import needs_forks
from inkdigits.errors import TrainingError
from inkdigits.parallel import Crew, Member
from inkdigits.sources import load
from inkdigits.training import train
from inkdigits.training.processes import ForkedCrew, training_crew

pytestmark = [pytest.mark.serial, needs_forks]

PROCESSES = [1, 2, 3]


def children() -> list[str]:
    """The processes that this one has started and not yet waited for."""
    task = f"/proc/{os.getpid()}/task"
    found = []
    for thread in os.listdir(task):
        with open(f"{task}/{thread}/children") as file:
            found += file.read().split()
    return found


def test_where_processes_can_be_forked_training_uses_them() -> None:
    assert type(training_crew(2, 2)) is ForkedCrew


def test_elsewhere_training_uses_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert type(training_crew(2, 2)) is Crew


def test_beside_other_threads_training_uses_threads() -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        assert type(training_crew(2, 2)) is Crew
    finally:
        end.set()
        thread.join()


@pytest.mark.slow
@pytest.mark.parametrize("processes", PROCESSES)
def test_nobody_passes_wait_before_all_have_come(processes: int) -> None:
    """Each writes its round in its place, and after `wait` finds that round in every place."""
    crew = ForkedCrew(processes, processes)
    places = crew.shared((processes,), np.int64)
    wrong = crew.shared((processes,), np.int64)

    def program(member: Member) -> None:
        for number in range(1, 1001):
            if member.number == number % processes:
                sum(range(200))  # whoever dawdles is waited for
            places[member.number] = number
            member.wait()
            wrong[member.number] += (places != number).any()
            member.wait()

    crew.run(program)
    assert wrong.tolist() == [0] * processes
    assert places.tolist() == [1000] * processes
    assert children() == []


@pytest.mark.slow
@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_in_any_process_reaches_the_caller_and_ends_the_others(
    processes: int, kind: type[BaseException]
) -> None:
    crew = ForkedCrew(processes, processes)
    for guilty in range(processes):

        def program(member: Member, guilty: int = guilty) -> None:
            for number in range(10):
                if member.number == guilty and number == 5:
                    raise kind(f"of member {guilty}")
                member.wait()

        with pytest.raises(kind, match=f"of member {guilty}"):
            crew.run(program)
        assert children() == []


def test_an_error_that_cannot_be_sent_is_told_in_words() -> None:
    def program(member: Member) -> None:
        if member.number == 1:
            error = ValueError("of a test")
            error.__dict__["held"] = lambda: None  # no function goes through a pipe
            raise error
        member.wait()

    with pytest.raises(RuntimeError, match=r"ValueError.*of a test"):
        ForkedCrew(2, 2).run(program)


def test_a_crew_that_failed_works_again() -> None:
    crew = ForkedCrew(2, 2)
    seen = crew.shared((2,), np.int64)

    def failing(member: Member) -> None:
        member.wait()
        raise ValueError(member.number)

    def working(member: Member) -> None:
        member.wait()
        seen[member.number] += 1
        member.wait()

    for round_number in range(1, 4):
        with pytest.raises(ValueError, match=r"^[01]$"):
            crew.run(failing)
        crew.run(working)
        assert seen.tolist() == [round_number] * 2


def test_a_process_that_is_killed_ends_the_run_with_one_line() -> None:
    def program(member: Member) -> None:
        member.wait()
        if member.number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        member.wait()

    with pytest.raises(TrainingError, match=r"ended from outside.*--threads 1$"):
        ForkedCrew(3, 3).run(program)
    assert children() == []


def test_ctrl_c_is_for_the_calling_process() -> None:
    """A terminal sends it to all; the others end because the caller does."""
    crew = ForkedCrew(2, 2)
    alive = crew.shared((1,), np.int64)

    def program(member: Member) -> None:
        member.wait()
        if member.number == 1:
            os.kill(os.getpid(), signal.SIGINT)
            alive[0] = 1
        member.wait()
        if member.number == 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crew.run(program)
    assert alive[0] == 1


def test_no_process_outlives_a_caller_that_was_killed() -> None:
    script = """
        import os, signal, sys
        from inkdigits.training.processes import ForkedCrew

        def program(member):
            if member.number == 1:
                print(os.getpid(), flush=True)
            member.wait()
            if member.number == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            member.wait()

        ForkedCrew(2, 2).run(program)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=300
    )
    # Rather than time out, it returned: nobody holds the pipe of stdout, the other has ended too.
    assert run.returncode == -signal.SIGKILL
    assert run.stdout.strip().isdigit()


def test_python_does_not_warn_of_forking(recwarn: pytest.WarningsRecorder) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ForkedCrew(2, 2).run(lambda member: member.wait())


@pytest.mark.parametrize("crew", [Crew, ForkedCrew])
def test_shared_arrays_are_zeros_of_the_shape_and_type_asked_for(
    crew: Callable[[int, int], Crew],
) -> None:
    for shape, dtype in (((3, 5), np.float32), ((7,), np.float64), ((2, 0), np.float32)):
        array = crew(2, 2).shared(shape, dtype)
        assert array.shape == shape
        assert array.dtype == dtype
        assert not array.any()
        array[...] = 1


def test_a_fork_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fork() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(TrainingError, match=r"^cannot start a worker.*unavailable.*--threads 1$"):
        ForkedCrew(2, 2).run(lambda member: member.wait())
    assert len(os.listdir("/proc/self/fd")) == before


def test_ctrl_c_while_a_process_is_forked_reaches_the_caller_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It comes in the moment between the fork and what follows, in both processes."""
    fork = os.fork
    here = os.getpid()

    def fork_and_interrupt() -> int:
        process = fork()
        os.kill(os.getpid(), signal.SIGINT)
        return process

    monkeypatch.setattr(os, "fork", fork_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        ForkedCrew(2, 2).run(lambda member: member.wait())
    assert os.getpid() == here, "the child came back into the caller's code"
    assert children() == []


def test_ctrl_c_around_a_fork_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the signal blocked, which every later child would inherit, nor a handler, nor a pipe."""
    fork = os.fork
    handler, pipes = signal.getsignal(signal.SIGINT), len(os.listdir("/proc/self/fd"))

    def interrupted_fork() -> int:
        os.kill(os.getpid(), signal.SIGINT)
        return fork()

    monkeypatch.setattr(os, "fork", interrupted_fork)
    crew = ForkedCrew(2, 2)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            crew.run(lambda member: member.wait())
    assert signal.pthread_sigmask(signal.SIG_BLOCK, set()) == set()
    assert signal.getsignal(signal.SIGINT) is handler
    assert len(os.listdir("/proc/self/fd")) == pipes
    assert children() == []


def test_a_models_weights_are_its_own_once_it_is_trained() -> None:
    """Memory that is shared with forked processes would let a user's child change the model."""
    digits = load("mnist:validation").subset(slice(600))
    model = train("blink", digits, epochs=1, threads=2)
    process = os.fork()
    if process == 0:
        model.network.parameters[:] = 0
        os._exit(0)
    os.waitpid(process, 0)
    assert model.network.parameters.any()
