"""Threads change how long it takes, and nothing else."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from inkdigits.network import (
    Conv2d,
    Dense,
    Downsample,
    Flatten,
    MaxPool2d,
    Network,
    ReLU,
    Rescale,
)
from inkdigits.parallel import (
    PREDICTED_VALUES,
    Crew,
    Member,
    available_threads,
    blas,
    blas_can_be_held,
    blas_on_one_thread,
    predict,
)

THREADS = [1, 2, 3]


@pytest.fixture(autouse=True)
def hasty_switches() -> Iterator[None]:
    """Threads are switched every microsecond, so that whoever does not wait is caught."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def ended(run: Callable[[], Any]) -> BaseException | None:
    """What `run` raised, if anything. A run that hangs fails the test instead of hanging it too."""
    raised: list[BaseException] = []

    def follow() -> None:
        try:
            run()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    thread.join(60)  # some milliseconds when all is well
    assert not thread.is_alive(), "the crew hangs"
    return raised[0] if raised else None


@pytest.mark.parametrize("threads", THREADS)
def test_nobody_passes_wait_before_all_have_come(threads: int) -> None:
    """Each writes its round in its place, and after `wait` finds that round in every place.

    Member 0 dawdles before it writes: without `wait` the others would read its last round.
    """
    places = np.zeros(threads, int)
    wrong = []

    def program(member: Member) -> None:
        for number in range(1, 301):
            if member.number == 0:
                sum(range(500))
            places[member.number] = number
            member.wait()
            if (places != number).any():
                wrong.append((member.number, number, places.tolist()))
            member.wait()

    crew = Crew(threads, threads)
    assert crew.threads == threads
    assert ended(lambda: crew.run(program)) is None
    assert wrong == []
    assert places.tolist() == [300] * threads


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_in_any_thread_reaches_the_caller_and_hangs_nobody(
    threads: int, kind: type[BaseException]
) -> None:
    before = threading.active_count()
    for guilty in range(threads):
        error = kind("of a test")
        rounds = [0] * threads

        def program(
            member: Member,
            guilty: int = guilty,
            error: BaseException = error,
            rounds: list[int] = rounds,
        ) -> None:
            for number in range(10):
                if member.number == guilty and number == 5:
                    raise error
                rounds[member.number] += 1
                member.wait()

        crew = Crew(threads, threads)
        assert ended(lambda crew=crew, program=program: crew.run(program)) is error
        # The guilty one came to its sixth round, where the others wait for it in vain.
        assert all(count == 5 + (n != guilty) for n, count in enumerate(rounds))
        assert threading.active_count() == before


@pytest.mark.parametrize("threads", THREADS)
def test_errors_in_all_threads_at_once_are_one_error(threads: int) -> None:
    def program(member: Member) -> None:
        member.wait()
        raise ValueError(member.number)

    assert isinstance(ended(lambda: Crew(threads, threads).run(program)), ValueError)


@pytest.mark.parametrize("threads", THREADS)
def test_an_error_after_the_others_have_ended_still_reaches_the_caller(threads: int) -> None:
    def program(member: Member) -> None:
        member.wait()
        if member.number == threads - 1:
            raise ValueError("too late to stop anybody")

    assert isinstance(ended(lambda: Crew(threads, threads).run(program)), ValueError)


@pytest.mark.parametrize("threads", THREADS)
def test_a_crew_that_failed_works_again(threads: int) -> None:
    """Nothing that was said in the failed run is heard in the next."""
    crew = Crew(threads, threads)
    for _ in range(3):

        def failing(member: Member) -> None:
            member.wait()
            raise ValueError

        assert isinstance(ended(lambda failing=failing: crew.run(failing)), ValueError)
        done = [0] * threads

        def program(member: Member, done: list[int] = done) -> None:
            for _ in range(10):
                member.wait()
                done[member.number] += 1

        assert ended(lambda program=program: crew.run(program)) is None
        assert done == [10] * threads


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 1000])
def test_shares_cover_a_vector_exactly_once(threads: int, size: int) -> None:
    crew = Crew(threads, threads)
    shares = [np.arange(size)[Member(number, crew).share(size)] for number in range(threads)]
    assert np.concatenate(shares).tolist() == list(range(size))
    lengths = [len(share) for share in shares]
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("lanes", [1, 2, 3, 8])
def test_each_lane_is_worked_on_by_one_thread(lanes: int, threads: int) -> None:
    crew = Crew(lanes, threads)
    worked: list[int] = []
    crew.run(lambda member: worked.extend(member.lanes))
    assert sorted(worked) == list(range(lanes))
    assert crew.threads == min(lanes, threads)


def test_the_crew_is_as_large_as_the_machine_and_the_work_allow() -> None:
    assert Crew(1000).threads == available_threads() >= 1
    assert Crew(1).threads == 1
    assert Crew(0, 5).threads == 1


def test_with_one_thread_nothing_is_handed_over() -> None:
    identities: list[int] = []
    Crew(5, 1).run(lambda _: identities.append(threading.get_ident()))
    assert identities == [threading.get_ident()]


def test_the_caller_is_the_first_member() -> None:
    identities = [0, 0, 0]

    def program(member: Member) -> None:
        identities[member.number] = threading.get_ident()
        member.wait()  # else one thread may end and leave its number to the next

    Crew(3, 3).run(program)
    assert identities[0] == threading.get_ident()
    assert len(set(identities)) == 3


def blas_threads() -> list[int]:
    """Of the libraries that were loaded when the package first looked for them."""
    return [library["num_threads"] for library in blas().info()]


needs_blas_in_hand = pytest.mark.skipif(
    not blas_can_be_held(), reason="this BLAS cannot be told how many threads to use"
)


@needs_blas_in_hand
def test_any_thread_can_hold_blas_after_another_has() -> None:
    with threadpool_limits(2, user_api="blas"):
        with blas_on_one_thread():
            pass
        held: list[int] = []

        def holds() -> None:
            with blas_on_one_thread():
                held.extend(blas_threads())

        thread = threading.Thread(target=holds)
        thread.start()
        thread.join()
        assert set(held) == {1}
        assert set(blas_threads()) == {2}


@needs_blas_in_hand
def test_blas_has_one_thread_inside_and_as_many_as_before_afterwards() -> None:
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        assert set(before) == {2}
        with blas_on_one_thread():
            assert set(blas_threads()) == {1}
        assert blas_threads() == before

        def program(member: Member) -> None:
            assert set(blas_threads()) == {1}
            if member.number == 1:
                raise ValueError("of a test")

        Crew(1).run(program)
        assert blas_threads() == before
        with pytest.raises(ValueError, match="of a test"):
            Crew(2, 2).run(program)
        assert blas_threads() == before


@pytest.fixture(scope="module")
def network() -> Network:
    layers = (Downsample(2), Rescale(1 / 1020), Flatten(), Dense(196, 32), ReLU(), Dense(32, 10))
    network = Network(layers)
    network.initialise(np.random.default_rng(1))
    return network


@pytest.fixture(scope="module")
def images() -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(2)
    return rng.integers(256, size=(1500, 28, 28), dtype=np.uint8)


@needs_blas_in_hand
@pytest.mark.parametrize("count", [0, 1, 1336, 1337, 1338, 1500])
def test_answers_are_the_same_bits_for_any_number_of_threads(
    network: Network, images: np.ndarray[Any, Any], count: int
) -> None:
    one, two, three, many = (
        predict(network, images[:count], threads=threads) for threads in (1, 2, 3, None)
    )
    assert one.shape == (count, 10)
    assert one.tobytes() == two.tobytes() == three.tobytes() == many.tobytes()


@pytest.mark.parametrize("count", [1, 1336, 1337, 1338, 1500])
def test_each_image_gets_its_own_answer_wherever_the_chunks_end(
    network: Network, images: np.ndarray[Any, Any], count: int
) -> None:
    """1e-5 of logits around 1: float32 sums of 196 terms, in the order of the chunk's shape."""
    assert PREDICTED_VALUES // network.widest == 1337  # what the counts are chosen around
    answers = predict(network, images[:count], threads=2)
    for index in {0, count // 2, count - 1}:
        alone = network.predict(images[index][:, :, np.newaxis])[:, 0]
        np.testing.assert_allclose(answers[index], alone, rtol=1e-5, atol=1e-5)
    whole = network.predict(images[:count].transpose(1, 2, 0)).T
    np.testing.assert_allclose(answers, whole, rtol=1e-5, atol=1e-5)


def test_a_wide_network_gets_few_images_at_a_time(images: np.ndarray[Any, Any]) -> None:
    """So that its layers stay in the cache, and its memory small."""
    layers = (Rescale(1 / 255), Conv2d(1, 24, 5), MaxPool2d(24), Flatten(), Dense(24, 10))
    seen = []

    class Watched(Network):
        def predict(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
            seen.append(x.shape[-1])
            return super().predict(x)

    predict(Watched(layers), images[:100], threads=1)
    assert seen == [75, 25]  # 2^20 values, 24 · 24 · 24 each


def test_predicting_leaves_the_images_as_they_are(
    network: Network, images: np.ndarray[Any, Any]
) -> None:
    before = images.copy()
    predict(network, images, threads=2)
    assert np.array_equal(images, before)


def test_blas_has_one_thread_until_the_last_block_ends_however_they_overlap() -> None:
    """Two predictions at once: the one that ends first must not lift the other's limit."""

    def threads() -> set[int]:
        return {library.num_threads for library in blas().lib_controllers}

    before = threads()
    first, second = blas_on_one_thread(), blas_on_one_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert threads() == {1}
    second.__exit__(None, None, None)
    assert threads() == before
