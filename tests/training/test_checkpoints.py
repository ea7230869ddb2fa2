"""A run goes on from a checkpoint with the same bits, whatever ended it, or says why not."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circumstances import files_of_at_most, needs_blas_in_hand, needs_forks, needs_posix
from inkdigits.dataset import Dataset
from inkdigits.errors import Diverged, FileError, Interrupted, ModelError, TrainingError
from inkdigits.formats import save_model
from inkdigits.formats.container import METADATA, read_header, write_container
from inkdigits.model import Model
from inkdigits.network import SGD, Dense
from inkdigits.training import (
    RECIPES,
    Checkpoint,
    Checkpoints,
    ClassicRecipe,
    Progress,
    Recipe,
    checkpoint_folder,
    latest_checkpoint,
    load_checkpoint,
    train,
)
from inkdigits.training.checkpoints import FORMAT, checksum, save_checkpoint, vectors_of
from inkdigits.training.schedules import Constant, OneCycle

pytestmark = pytest.mark.serial  # training forks, where it may


SEED = 3
CLASSIC = ClassicRecipe(name="c", purpose="", hidden=20, rate=0.1, epochs=3)


def unwarned(message: str) -> None:
    pytest.fail(f"there was nothing to warn of: {message}")


@pytest.fixture
def rich(tiny: Recipe) -> Recipe:
    """All that a run can carry from step to step: average, clipping, a schedule, Dropout."""
    return replace(tiny, epochs=3, schedule=OneCycle(0.02), averaging=0.9, clip_norm=1.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "model.checkpoints"


def every_step(folder: Path, **settings: Any) -> Checkpoints:
    return Checkpoints(folder=folder, **({"every_steps": 1, "warn": unwarned} | settings))


def losses(model: Model) -> list[float]:
    return [record["loss"] for record in model.card.history]


@pytest.fixture
def saved(rich: Recipe, digits: Dataset, folder: Path) -> list[Path]:
    """The last three checkpoints of a run, oldest first: after steps 10, 11 and 12."""
    train(rich, digits, seed=SEED, checkpoints=every_step(folder))
    files = sorted(folder.iterdir())
    assert [int(file.name[5:14]) for file in files] == [10, 11, 12]
    return files


# The same bits


@pytest.mark.slow
@needs_blas_in_hand
@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_goes_on_from_any_step_as_if_it_had_not_been_interrupted(
    rich: Recipe, digits: Dataset, folder: Path, threads: int
) -> None:
    whole = train(rich, digits, seed=SEED, threads=1, watch=digits)
    train(rich, digits, seed=SEED, watch=digits, checkpoints=every_step(folder, keep=99))
    files = sorted(folder.iterdir())
    assert len(files) == 3 * 4
    for file in files:
        resume = load_checkpoint(file)
        model = train(rich, digits, seed=SEED, threads=threads, watch=digits, resume=resume)
        assert model.fingerprint == whole.fingerprint
        assert losses(model) == losses(whole)
        assert [r["accuracy"] for r in model.card.history] == [
            r["accuracy"] for r in whole.card.history
        ]


@pytest.mark.slow
@needs_blas_in_hand
@pytest.mark.parametrize("size", [330, 320])
def test_the_posts_training_goes_on_from_any_block(
    digits: Dataset, folder: Path, size: int
) -> None:
    dataset = digits.subset(slice(size))
    whole = train(CLASSIC, dataset, seed=SEED)
    train(CLASSIC, dataset, seed=SEED, checkpoints=every_step(folder, keep=99))
    files = sorted(folder.iterdir())
    assert len(files) == 3 * -(-size // 32)
    for file in files:
        model = train(CLASSIC, dataset, seed=SEED, resume=load_checkpoint(file))
        assert model.fingerprint == whole.fingerprint
        assert losses(model) == losses(whole)


@pytest.mark.slow
@needs_blas_in_hand
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_goes_on_from_the_middle_of_an_epoch(
    name: str, digits: Dataset, folder: Path
) -> None:
    """With all that its layers keep: running statistics, varied digits."""

    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        train(name, digits, epochs=1, threads=2, checkpoints=every_step(folder), report=stop)
    resume = latest_checkpoint(folder, warn=unwarned)
    assert 0 < resume.snapshot.step < len(digits)
    model = train(name, digits, epochs=1, threads=1, resume=resume)
    assert model.fingerprint == train(name, digits, epochs=1, threads=2).fingerprint


@needs_blas_in_hand
def test_a_run_that_started_from_a_model_goes_on_without_it(
    rich: Recipe, digits: Dataset, folder: Path
) -> None:
    start = train(rich, digits, epochs=1)
    whole = train(rich, digits, seed=SEED, start=start)
    train(rich, digits, seed=SEED, start=start, checkpoints=every_step(folder))
    model = train(rich, digits, seed=SEED, resume=latest_checkpoint(folder, warn=unwarned))
    assert model.fingerprint == whole.fingerprint
    assert model.card.started_from == start.fingerprint


def test_seconds_are_those_of_both_parts(rich: Recipe, digits: Dataset, folder: Path) -> None:
    """Each step takes a second here. The run is interrupted after 6 of 12, 2 of them in epoch 2."""
    now = [0.0]

    def report(progress: Progress) -> None:
        now[0] += progress.record is None
        if now[0] == 6:
            now[0] = 6.5  # once
            raise KeyboardInterrupt

    def clock() -> float:
        return 1000 + now[0]

    checkpoints = Checkpoints(folder=folder, warn=unwarned)
    with pytest.raises(Interrupted) as caught:
        train(rich, digits, seed=SEED, checkpoints=checkpoints, report=report, clock=clock)
    assert caught.value.checkpoint is not None
    resume = load_checkpoint(caught.value.checkpoint)
    now[0] += 1e6
    model = train(rich, digits, seed=SEED, resume=resume, report=report, clock=clock)
    assert [record["seconds"] for record in model.card.history] == [4, 4.5, 4]
    assert model.card.seconds == 12.5


# When they are written, and which are kept


@pytest.mark.parametrize(("every", "steps"), [(1, [10, 11, 12]), (5, [5, 10]), (99, [])])
def test_checkpoints_are_so_many_steps_apart_and_the_last_three_are_kept(
    rich: Recipe, digits: Dataset, folder: Path, every: int, steps: list[int]
) -> None:
    train(rich, digits, checkpoints=every_step(folder, every_steps=every))
    found = sorted(folder.iterdir()) if folder.exists() else []
    assert [load_checkpoint(file).snapshot.step for file in found] == steps


def test_checkpoints_are_so_many_minutes_apart_and_cost_the_run_no_seconds(
    rich: Recipe, digits: Dataset, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step takes 20 seconds here, and writing takes 1,000."""
    now = [0.0]
    write = Checkpoints.write

    def report(progress: Progress) -> None:
        now[0] += 20 if progress.record is None else 0

    def slowly(self: Checkpoints, checkpoint: Checkpoint) -> Path | None:
        now[0] += 1000
        return write(self, checkpoint)

    monkeypatch.setattr(Checkpoints, "write", slowly)
    checkpoints = Checkpoints(folder=folder, every_minutes=1, warn=unwarned)
    model = train(rich, digits, checkpoints=checkpoints, report=report, clock=lambda: now[0])
    # After 60 seconds, which is before the report of step 4, and then again and again.
    assert [int(file.name[5:14]) for file in sorted(folder.iterdir())] == [4, 7, 10]
    assert model.card.seconds == 12 * 20
    assert [record["seconds"] for record in model.card.history] == [80] * 3


def test_two_runs_in_one_folder_leave_each_others_checkpoints_alone(
    rich: Recipe, digits: Dataset, folder: Path
) -> None:
    checkpoints = every_step(folder)
    train(rich, digits, seed=1, checkpoints=checkpoints)
    first = set(folder.iterdir())
    other = train(rich, digits, seed=2, checkpoints=checkpoints)
    assert first < set(folder.iterdir())
    (folder / ".step-000000009-00000000.safetensors.0a1b.part").touch()  # of another run's
    checkpoints.remove(other)
    assert first == {path for path in folder.iterdir() if path.suffix == ".safetensors"}


def test_a_run_that_is_saved_leaves_nothing_behind(
    rich: Recipe, digits: Dataset, folder: Path
) -> None:
    checkpoints = every_step(folder)
    model = train(rich, digits, checkpoints=checkpoints)
    torn = folder / f".{next(folder.iterdir()).name}.0a1b2c3d.part"  # a kill leaves such files
    torn.touch()
    checkpoints.remove(model)
    assert not folder.exists()
    checkpoints.remove(model)  # and nothing is no error


def test_divergence_removes_the_checkpoints_which_all_lead_there(
    tiny: Recipe, digits: Dataset, folder: Path
) -> None:
    """Also where the run was resumed in the epoch that fails: the last good model is the same."""
    recipe = replace(
        tiny,
        optimizer=SGD(),
        epochs=3,
        schedule=lambda progress: 0.1 if progress < 10 / 12 else 1e5,
    )

    def stop(progress: Progress) -> None:
        if (progress.epoch, progress.done) == (3, 200):
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        train(recipe, digits, checkpoints=every_step(folder), report=stop)
    resume = latest_checkpoint(folder, warn=unwarned)
    assert resume.snapshot.step == 10
    checkpoints = every_step(folder)
    with pytest.raises(Diverged, match="at step 12, in epoch 3 of 3") as caught:
        train(recipe, digits, checkpoints=checkpoints, resume=resume)
    good = train(replace(recipe, schedule=Constant(0.1)), digits, epochs=2)
    assert caught.value.model is not None
    assert caught.value.model.fingerprint == good.fingerprint
    assert folder.exists(), "until the caller has kept that model"
    checkpoints.remove_spent()
    assert not folder.exists()


@pytest.mark.parametrize("name", ["every_steps", "every_minutes", "keep"])
def test_a_distance_that_is_none_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(TrainingError, match=f"^expected {name} of more than 0, got 0$"):
        Checkpoints(folder=folder, **{name: 0})


# What ends a run


Work = Callable[[Callable[..., None]], str]


def killed(work: Work, *, after: int, seconds: float = 0) -> tuple[str | None, int]:
    """Kills a process so long after it called `tell()` so many times, be the machine busy or not.

    Returns the answer of its work, or None where it was killed before, and how often it told.
    """
    answer, question = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            text = work(lambda *_: os.write(question, b".") and None)
            os.write(question, f"\n{text}".encode())
        finally:
            os._exit(0)
    os.close(question)
    with os.fdopen(answer, "rb", buffering=0) as pipe:
        told = 0
        while told < after and pipe.read(1) == b".":
            told += 1
        if told == after:
            time.sleep(seconds)
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        said = b"".join(iter(lambda: pipe.read(4096), b""))
        return said.decode().lstrip(".\n") or None, told


@pytest.mark.slow
@needs_forks
@needs_blas_in_hand
@pytest.mark.parametrize("kind", ["general", "classic"])
def test_a_run_that_is_killed_at_random_moments_ends_with_the_same_bits(
    rich: Recipe, digits: Dataset, folder: Path, kind: str
) -> None:
    """kill −9 at 20 moments: in steps, between them, in writing, and before the first of them."""
    recipe = replace(rich, epochs=10) if kind == "general" else replace(CLASSIC, epochs=10)
    whole = train(recipe, digits, seed=SEED, threads=2)
    expected = whole.fingerprint + json.dumps(losses(whole))

    checkpoints = every_step(folder, every_steps=5 if kind == "general" else 100)

    def go_on(tell: Callable[..., None]) -> str:
        tell()
        resume = latest_checkpoint(folder, warn=unwarned) if any(folder.glob("step-*")) else None
        model = train(
            recipe,
            digits,
            seed=SEED,
            threads=2,
            checkpoints=checkpoints,
            resume=resume,
            report=tell,
        )
        return model.fingerprint + json.dumps(losses(model))

    answer, reports = killed(go_on, after=sys.maxsize)
    assert answer == expected
    checkpoints.remove(whole)

    moments = random.Random(1)
    kills, resumed = 0, 0
    while kills < 20:
        resumed += any(folder.glob("step-*"))
        after = 1 + moments.randrange(reports // 2)
        answer, _ = killed(go_on, after=after, seconds=moments.uniform(0, 0.003))
        kills += answer is None
        if answer is not None:  # it was quicker: once more from the beginning
            assert answer == expected
            checkpoints.remove(whole)
            assert not folder.exists()
    assert resumed > 10
    assert killed(go_on, after=sys.maxsize)[0] == expected


@needs_forks
@needs_blas_in_hand
def test_a_run_whose_worker_is_killed_can_be_resumed(
    rich: Recipe, digits: Dataset, folder: Path
) -> None:
    whole = train(rich, digits, seed=SEED, threads=1)

    def kill_the_worker(progress: Progress) -> None:
        if (progress.epoch, progress.done) == (2, 300):
            task = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
            (worker,) = map(int, task.read_text().split())
            os.kill(worker, signal.SIGKILL)

    with pytest.raises(TrainingError, match="a worker process was ended from outside"):
        train(
            rich,
            digits,
            seed=SEED,
            threads=2,
            checkpoints=every_step(folder),
            report=kill_the_worker,
        )
    resume = latest_checkpoint(folder, warn=unwarned)
    assert resume.snapshot.step == 7
    model = train(rich, digits, seed=SEED, threads=2, resume=resume)
    assert model.fingerprint == whole.fingerprint


# Writing that fails


@needs_posix
def test_a_disk_that_is_full_at_any_byte_leaves_the_old_checkpoint(saved: list[Path]) -> None:
    old, checkpoint = saved[-2:][0], load_checkpoint(saved[-1])
    size = saved[-1].stat().st_size
    saved[-1].unlink()
    for file in saved[:-2]:
        file.unlink()
    for limit in [0, 1, 7, 8, 9, 100, 3000, *range(4096, size, 4096), size - 1]:
        warnings: list[str] = []
        checkpoints = Checkpoints(folder=old.parent, warn=warnings.append)
        with files_of_at_most(limit):
            assert checkpoints.write(checkpoint) is None
        assert len(warnings) == 1
        assert warnings[0].endswith("File too large")
        assert list(old.parent.iterdir()) == [old]
        assert latest_checkpoint(old.parent, warn=unwarned).path == old
    with files_of_at_most(size):
        assert Checkpoints(folder=old.parent, warn=unwarned).write(checkpoint) == saved[-1]
    assert latest_checkpoint(old.parent, warn=unwarned).path == saved[-1]


@needs_posix
@needs_blas_in_hand
def test_a_run_goes_on_where_its_checkpoints_cannot_be_written(
    rich: Recipe, digits: Dataset, folder: Path
) -> None:
    warnings: list[str] = []
    checkpoints = Checkpoints(folder=folder, every_steps=4, warn=warnings.append)
    with files_of_at_most(1000):
        model = train(rich, digits, checkpoints=checkpoints)
    assert model.fingerprint == train(rich, digits).fingerprint
    assert [warning.partition(":")[0] for warning in warnings] == [
        f"no checkpoint after step {step}" for step in (4, 8, 12)
    ]


def test_a_small_disk_that_fills_up_keeps_the_last_checkpoint(
    saved: list[Path], tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    size = saved[-1].stat().st_size // 1024
    options = ["mount", "-t", "tmpfs", "-o", f"size={size * 3 // 2}k", "tmpfs", str(disk)]
    try:
        subprocess.run(options, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no small file system can be mounted here")
    try:
        warnings: list[str] = []
        checkpoints = Checkpoints(folder=disk / "c", warn=warnings.append)
        first, second = map(load_checkpoint, saved[:2])
        path = checkpoints.write(first)
        assert path is not None
        assert checkpoints.write(second) is None
        assert warnings[0].endswith("No space left on device")
        assert list((disk / "c").iterdir()) == [path]
        assert latest_checkpoint(disk / "c", warn=unwarned).snapshot.step == first.snapshot.step
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
@needs_forks
def test_a_kill_at_any_moment_of_writing_leaves_the_newest_checkpoint_whole(
    saved: list[Path], tmp_path: Path
) -> None:
    first = load_checkpoint(saved[0])
    folder = tmp_path / "killed"
    checkpoints = Checkpoints(folder=folder, keep=2, warn=unwarned)
    checkpoints.write(first)

    def write_on_and_on(tell: Callable[..., None]) -> str:
        tell()
        start = latest_checkpoint(folder, warn=unwarned).snapshot.step
        for step in range(start + 1, start + 100_000):
            checkpoints.write(replace(first, snapshot=replace(first.snapshot, step=step)))
            tell()
        return "it was not killed"

    moments = random.Random(2)
    steps = []
    for after in (3, *(moments.randint(1, 5) for _ in range(19))):
        seconds = moments.uniform(0.0, 0.004)  # a checkpoint takes about as long
        assert killed(write_on_and_on, after=after, seconds=seconds)[0] is None
        steps.append(latest_checkpoint(folder, warn=unwarned).snapshot.step)
    assert steps == sorted(steps)
    assert steps[-1] > steps[0] > first.snapshot.step
    assert any(folder.iterdir())
    newest = replace(first, snapshot=replace(first.snapshot, step=steps[-1] + 1))
    checkpoints.write(newest)  # what was left behind goes with the next that is written
    assert len(list(folder.iterdir())) == 2


# Files that are damaged


def damages(content: bytes) -> Iterator[bytes]:
    """Truncated, emptied, filled with zeros, and with one bit flipped here and there."""
    length = len(content)
    places = random.Random(3)
    for size in [0, 1, 8, 100, length // 2, length - 1]:
        yield content[:size]
        yield content[:size] + bytes(length - size)
    head = 8 + int.from_bytes(content[:8], "little")
    for place in [*range(0, head, 11), *(places.randrange(head, length) for _ in range(200))]:
        flipped = bytearray(content)
        flipped[place] ^= 1 << places.randrange(8)
        yield bytes(flipped)


@pytest.mark.slow
def test_whatever_is_damaged_in_the_newest_the_one_before_it_is_taken_with_a_warning(
    saved: list[Path],
) -> None:
    before, newest = saved[-2:]
    content = newest.read_bytes()
    count = 0
    for damaged in damages(content):
        newest.write_bytes(damaged)
        warnings: list[str] = []
        checkpoint = latest_checkpoint(newest.parent, warn=warnings.append)
        if checkpoint.path == newest:  # a blank turned into another blank of JSON's
            assert checkpoint.card == load_checkpoint(newest).card
            assert len(damaged) == len(content)
            continue
        count += 1
        assert checkpoint.path == before
        assert len(warnings) == 1
        assert warnings[0].startswith(str(newest))
        assert warnings[0].endswith("; the one before it is tried")
        with pytest.raises(ModelError):
            load_checkpoint(newest)
    assert count > 300


def test_two_that_are_damaged_are_two_warnings(saved: list[Path]) -> None:
    for path in saved[1:]:
        path.write_bytes(path.read_bytes()[:-1])
    warnings: list[str] = []
    assert latest_checkpoint(saved[0].parent, warn=warnings.append).path == saved[0]
    assert [warning.partition(" ")[0] for warning in warnings] == [str(saved[2]), str(saved[1])]


def test_a_run_begun_anew_keeps_its_own_checkpoints_beside_those_of_later_steps(
    rich: Recipe, digits: Dataset, saved: list[Path], folder: Path
) -> None:
    """The ones that are there may be damaged, which is why it was begun anew."""
    for path in saved:
        path.write_bytes(bytes(path.stat().st_size))

    def stop(progress: Progress) -> None:
        if progress.done == 200:
            raise KeyboardInterrupt

    checkpoints = every_step(folder)
    with pytest.raises(Interrupted):
        train(rich, digits, seed=SEED, checkpoints=checkpoints, report=stop)
    assert checkpoints.latest is not None
    assert latest_checkpoint(folder, warn=unwarned).path == checkpoints.latest


def test_what_is_damaged_is_not_replaced_by_another_run(
    rich: Recipe, digits: Dataset, saved: list[Path], folder: Path
) -> None:
    train(rich, digits, seed=SEED + 1, epochs=1, checkpoints=every_step(folder, keep=1))
    (other,) = set(folder.iterdir()) - set(saved)
    other.write_bytes(other.read_bytes()[:-1])
    with pytest.raises(
        ModelError, match=r"none of the 1 checkpoints of the last run in .* another"
    ):
        latest_checkpoint(folder, warn=[].append)


def test_where_all_are_damaged_nothing_is_resumed(saved: list[Path], folder: Path) -> None:
    for path in saved:
        path.write_bytes(bytes(path.stat().st_size))
    warnings: list[str] = []
    with pytest.raises(ModelError) as caught:
        latest_checkpoint(folder, warn=warnings.append)
    assert str(caught.value) == (
        f"none of the 3 checkpoints of the last run in {folder} is whole: start anew, "
        "without --resume"
    )
    assert len(warnings) == 3


def test_a_file_that_was_named_is_not_replaced_by_another(saved: list[Path]) -> None:
    saved[-1].write_bytes(saved[-1].read_bytes()[:-1])
    with pytest.raises(ModelError, match="is damaged"):
        latest_checkpoint(saved[-1], warn=unwarned)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_neither_written_nor_read(
    saved: list[Path], value: float
) -> None:
    checkpoint = load_checkpoint(saved[-1])
    checkpoint.snapshot.vectors["memory"][0, 5] = value
    assert Checkpoints(folder=saved[-1].parent, warn=unwarned).write(checkpoint) is None
    save_checkpoint(checkpoint, saved[-1])
    with pytest.raises(ModelError, match="expected finite weights, got infinite or no numbers in"):
        load_checkpoint(saved[-1])


def rewritten(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """Changes what a checkpoint says and holds, and gives it the checksum that fits."""
    vectors: dict[str, Any] = vectors_of(load_checkpoint(path))
    about = json.loads(read_header(path)["__metadata__"][METADATA])
    change(about, vectors)
    write_container(path, vectors, about | {"checksum": checksum(about, vectors)})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda about, _: about.pop("step"), "is damaged: KeyError: 'step'"),
        (lambda about, _: about.update(step="x"), "is damaged: ValueError"),
        (lambda about, _: about.update(layers=5), "is damaged: TypeError"),
        (lambda about, _: about["card"].pop("seed"), "is damaged: ModelError: expected a card"),
        (lambda about, _: about["card"].update(history=[1]), "expected epoch and loss in the card"),
        (lambda _, vectors: vectors.pop("kept.state"), "is damaged: KeyError: 'kept.state'"),
        (lambda _, v: v.update(memory=np.zeros((2, 9), np.int32)), "expected numbers of F32, F64"),
    ],
)
def test_a_checkpoint_that_lies_is_refused(
    saved: list[Path], change: Callable[..., None], message: str
) -> None:
    rewritten(saved[-1], change)
    with pytest.raises(ModelError) as caught:
        load_checkpoint(saved[-1])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda _, vectors: vectors.update(memory=np.zeros((2, 9), np.float32)),
        lambda _, vectors: vectors.update(memory=vectors["memory"].astype(np.float64)),
        lambda _, vectors: vectors.pop("average"),
        lambda _, vectors: vectors.update(more=np.zeros(3, np.float32)),
        lambda _, vectors: vectors.update({"kept.parameters": np.zeros(1, np.float32)}),
    ],
)
def test_vectors_that_do_not_fit_the_recipe_are_refused(
    rich: Recipe, digits: Dataset, saved: list[Path], change: Callable[..., None]
) -> None:
    rewritten(saved[-1], change)
    with pytest.raises(ModelError, match="does not fit its own recipe"):
        train(rich, digits, seed=SEED, resume=load_checkpoint(saved[-1]))


# Checkpoints of something else


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ({}, {"seed": 4}, "seed 3, and this run has 4"),
        ({}, {"epochs": 5}, "epochs 3, and this run has 5"),
        ({}, {"patience": 2}, "patience None, and this run has 2"),
        ({"name": "other"}, {}, "recipe tiny, and this run has other"),
        ({"batch": 50}, {}, "batch 100, and this run has 50"),
        ({"averaging": 0.5}, {}, "averaging 0.9, and this run has 0.5"),
        ({"optimizer": SGD()}, {}, "optimizer Adam(beta1=0.9, "),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_naming_the_difference(
    rich: Recipe,
    digits: Dataset,
    saved: list[Path],
    change: dict[str, Any],
    settings: dict[str, Any],
    message: str,
) -> None:
    given = {"seed": SEED, "watch": digits} | settings
    with pytest.raises(TrainingError) as caught:
        train(replace(rich, **change), digits, resume=load_checkpoint(saved[-1]), **given)
    start = f"the checkpoint {saved[-1]} is of another run: it has {message}"
    assert str(caught.value).startswith(start)
    assert str(caught.value).endswith("Name the same, or start from a model's weights with --from")


def test_other_data_and_other_layers_are_refused(
    rich: Recipe, digits: Dataset, saved: list[Path]
) -> None:
    resume = load_checkpoint(saved[-1])
    with pytest.raises(TrainingError, match=f"it has data {digits.fingerprint}, and this run has"):
        train(rich, digits.subset(slice(329)), seed=SEED, resume=resume)
    layers = (*rich.layers[:3], Dense(196, 10))
    with pytest.raises(TrainingError, match="it has layers "):
        train(replace(rich, layers=layers), digits, seed=SEED, resume=resume)
    start = train(rich, digits, epochs=1)
    with pytest.raises(TrainingError, match="to start from or a checkpoint to resume, got both"):
        train(rich, digits, seed=SEED, resume=resume, start=start)


def test_another_version_of_the_format_is_refused_and_not_passed_over(saved: list[Path]) -> None:
    rewritten(saved[-1], lambda about, _: about.update(format="inkdigits checkpoint 2"))
    for path in (saved[-1], saved[-1].parent):
        with pytest.raises(TrainingError) as caught:
            latest_checkpoint(path, warn=unwarned)
        assert str(caught.value) == (
            f"{saved[-1]} is of another version: expected the format {FORMAT!r}, got "
            "'inkdigits checkpoint 2': go on with the version that wrote it, or start from a model "
            "with --from"
        )


def test_another_version_of_the_package_is_told(saved: list[Path]) -> None:
    rewritten(saved[-1], lambda about, _: about["card"].update(version="0.0.0"))
    warnings: list[str] = []
    latest_checkpoint(saved[-1].parent, warn=warnings.append)
    assert "was written by inkdigits 0.0.0, this is" in warnings[0]


def test_a_model_is_no_checkpoint(rich: Recipe, digits: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_model(train(rich, digits, epochs=1), path)
    with pytest.raises(TrainingError, match=r"^expected a checkpoint, got the model .*--from$"):
        latest_checkpoint(path)
    write_container(path, {"x": np.zeros(1, np.float32)}, {"format": "mine"})
    with pytest.raises(ModelError, match="but no checkpoint: expected the format"):
        latest_checkpoint(path)


def test_checkpoints_are_found_by_their_folder_and_by_the_name_of_the_model(
    saved: list[Path], folder: Path, tmp_path: Path
) -> None:
    assert checkpoint_folder(tmp_path / "model.safetensors") == folder
    for name in (folder, tmp_path / "model.safetensors", tmp_path / "model", saved[-1]):
        assert latest_checkpoint(name, warn=unwarned).path == saved[-1]
    with pytest.raises(FileError, match="there is no file or folder"):
        latest_checkpoint(tmp_path / "other.safetensors")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match=r"there is no checkpoint in .*empty: start anew"):
        latest_checkpoint(tmp_path / "empty")


def test_the_last_written_is_taken_where_several_runs_share_a_folder(
    rich: Recipe, digits: Dataset, saved: list[Path], folder: Path
) -> None:
    train(rich, digits, seed=9, epochs=1, checkpoints=every_step(folder))
    assert latest_checkpoint(folder, warn=unwarned).card.seed == 9
