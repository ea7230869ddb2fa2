"""A job of many pictures: whoever is killed, each is there once, as a reading or as an error."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from circumstances import files_of_at_most, needs_posix
from inkdigits.dataset import Dataset
from inkdigits.errors import FileError, InkdigitsError, ModelError, PictureError
from inkdigits.formats import load_model
from inkdigits.model import Model
from inkdigits.reading import job as jobs
from inkdigits.reading import manifest as folders
from inkdigits.reading import read_pictures, worker
from inkdigits.reading.job import Job

pytestmark = pytest.mark.slow


SHARD = 4  # pictures a file: 26 pictures are six files and a half

# Reads until a moment, says so and waits: at a line that was read, counted from 0; or in bringing
# a file to the disk (1, 3, …) and its name (2, 4, …)
DRIVER = """
import os, sys
from functools import partial
from inkdigits.formats import load_model
from inkdigits.reading.job import Job
folder, model, what, count, *names = sys.argv[1:]
moments = {"line": 0, "disk": 0}
def at(kind):
    if kind == what and moments[kind] == int(count):
        print("here", flush=True)
        sys.stdin.read()
    moments[kind] += 1
sync = os.fsync
with Job.open(folder, names, load_model(model), inputs=["pictures"], single=True) as job:
    moments["disk"] += 1
    os.fsync = lambda file: (at("disk"), sync(file))
    job.run(partial(load_model, model), workers=2, progress=lambda done: at("line"))
"""


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "SHARD", SHARD)


@pytest.fixture
def names(some: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of 26 pictures, of which one is cut off, one is a letter and one is blank."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(23):
        Image.fromarray(some.images[index]).save(folder / f"{index:02}.png")
    (folder / "05-torn.png").write_bytes((folder / "05.png").read_bytes()[:-60])
    (folder / "11-letter.png").write_text("Dear Sir")
    Image.new("L", (40, 30), 255).save(folder / "17-blank.png")
    return sorted(str(path.relative_to(tmp_path)) for path in folder.iterdir())


@pytest.fixture
def opened(names: list[str], blink: Model, tmp_path: Path) -> Callable[..., Job]:
    """Opens the job of these pictures."""
    return lambda **options: Job.open(
        tmp_path / "job",
        options.pop("names", names),
        options.pop("model", blink),
        **{"inputs": ["pictures"], "single": True, **options},
    )


@pytest.fixture
def load(blink_file: Path) -> Callable[[], Model]:
    return partial(load_model, str(blink_file))


@pytest.fixture
def expected(names: list[str], blink: Model) -> list[str]:
    """The lines as they come to be without a job."""
    return [line(*pair) for pair in zip(names, readings(names, blink), strict=True)]


def readings(names: Sequence[str], model: Model) -> Iterator[Any]:
    return read_pictures(names, model, single=True)


def line(name: str, reading: Any) -> str:
    data = {"error": str(reading)} if isinstance(reading, Exception) else reading.as_single()
    return json.dumps({"path": name, **data})


def written(folder: Path) -> dict[str, tuple[int, int]]:
    """The files of readings; another file of the same name has another number or time."""
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.glob("readings/[!.]*")
    }


# What a job reads


@pytest.mark.parametrize("workers", [1, 3])
def test_the_readings_of_a_job_are_those_of_the_pictures_one_by_one(
    opened: Callable[..., Job], load: Callable[[], Model], expected: list[str], workers: int
) -> None:
    told: list[int] = []
    with opened() as job:
        assert (job.done, job.total, job.added) == (0, 26, 0)
        job.run(load, workers=workers, progress=told.append)
        assert job.done == 26
        assert list(job.lines()) == expected
        files = sorted(job.readings.iterdir())
        assert "".join(path.read_text() for path in files).splitlines() == expected
    assert told == list(range(27))
    assert sum("error" in json.loads(line) for line in expected) == 2


def test_pages_of_numbers_are_read_as_such(
    opened: Callable[..., Job], load: Callable[[], Model], names: list[str], blink: Model
) -> None:
    some = names[:5]
    with opened(names=some, single=False) as job:
        job.run(load, workers=1)
        read = [json.loads(line) for line in job.lines()]
    for name, data, reading in zip(some, read, read_pictures(some, blink), strict=True):
        assert not isinstance(reading, Exception)
        assert data == {"path": name} | json.loads(json.dumps(reading.as_data()))


def test_a_picture_that_is_named_twice_is_read_once(
    opened: Callable[..., Job], load: Callable[[], Model], names: list[str], expected: list[str]
) -> None:
    with opened(names=[*names[:3], *names[:2]]) as job:
        job.run(load, workers=1)
        assert list(job.lines()) == expected[:3]


@needs_posix
def test_any_name_is_kept_exactly(
    opened: Callable[..., Job], load: Callable[[], Model], names: list[str]
) -> None:
    name = os.fsdecode(b"pictures/=1\n\xff \xc3\xbc.png")
    Path(names[0]).rename(name)
    with opened(names=[name]) as job:
        job.run(load, workers=1)
        (said,) = job.lines()
    assert json.loads(said)["path"] == name
    assert json.loads(said)["digit"] == 7


def test_readings_are_not_handed_out_before_the_last_is_there(opened: Callable[..., Job]) -> None:
    with opened() as job, pytest.raises(FileError, match="none yet for 7 of 7 files"):
        list(job.lines())


# Killed, and run again


@needs_posix
def test_a_job_whose_driver_is_killed_at_any_moment_reads_each_picture_once_in_the_end(
    opened: Callable[..., Job],
    load: Callable[[], Model],
    names: list[str],
    expected: list[str],
    blink_file: Path,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "job"
    opened().close()  # for its small files
    kept: dict[str, tuple[int, int]] = {}
    for moment in ("disk 1", "line 9", "disk 2", "disk 3"):
        driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER, folder, blink_file, *moment.split(), *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert driver.stdout is not None
        assert driver.stdout.readline() == "here\n"
        driver.kill()
        driver.communicate(timeout=300)  # its workers hold its output too: they have ended
        assert driver.returncode == -signal.SIGKILL
        there = written(folder)
        assert kept.items() <= there.items(), "what was there was written again"
        kept = there
    assert 3 <= len(kept) < 7
    (folder / ".manifest.json.0a1b2c3d.part").touch()  # a kill while writing leaves such files
    (folder / "readings" / ".000006.jsonl.0a1b2c3d.part").write_text('{"pa')
    with opened() as job:
        assert job.done >= SHARD * (len(kept) - 1)  # the last file holds less
        job.run(load, workers=2)
        assert kept.items() <= written(folder).items()
        assert list(job.lines()) == expected
    assert not list(folder.rglob("*.part"))


@needs_posix
@pytest.mark.parametrize("moment", [1, 10, 25])
def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost(
    opened: Callable[..., Job], load: Callable[[], Model], expected: list[str], moment: int
) -> None:
    killed: list[int] = []

    def kill(done: int) -> None:
        if done == moment:
            for child in multiprocessing.active_children():
                assert child.pid is not None
                os.kill(child.pid, signal.SIGKILL)
                killed.append(child.pid)

    with opened() as job:
        job.run(load, workers=2, progress=kill)
        assert killed
        assert list(job.lines()) == expected
    assert not multiprocessing.active_children()


def test_a_job_that_is_interrupted_leaves_no_process_and_goes_on(
    opened: Callable[..., Job], load: Callable[[], Model], expected: list[str]
) -> None:
    def interrupt(done: int) -> None:
        if done == 11:
            raise KeyboardInterrupt

    told: list[int] = []
    with opened() as job:
        with pytest.raises(KeyboardInterrupt):
            job.run(load, workers=2, progress=interrupt)
        assert not multiprocessing.active_children()
        assert job.done in (4, 8)  # whole files: of the eleven, three are in one that was begun
        there = job.done
        job.run(load, workers=2, progress=told.append)
        assert told == list(range(there, 27))
        assert list(job.lines()) == expected


@needs_posix
def test_a_full_disk_stops_the_job_leaves_no_half_file_and_nothing_is_lost(
    opened: Callable[..., Job], load: Callable[[], Model], expected: list[str]
) -> None:
    with opened() as job:
        with files_of_at_most(500), pytest.raises(FileError, match=r"cannot write .*run the job"):
            job.run(load, workers=2)
        assert not multiprocessing.active_children()
        assert not list(job.readings.iterdir())
        job.run(load, workers=2)
        assert list(job.lines()) == expected


# Pictures that no process survives


def afflicted(path: str, deaths: str) -> Model:
    """A model in whose process some names do harm; each process leaves a note of itself."""
    (Path(deaths) / str(os.getpid())).touch()

    def read(names: list[str], *arguments: Any, **options: Any) -> Iterator[Any]:
        if "05-torn" in names[0]:
            os.kill(os.getpid(), signal.SIGSEGV)
        if "11-letter" in names[0]:
            while True:
                pass
        if "17-blank" in names[0]:
            raise ZeroDivisionError("of its own")
        return read_pictures(names, *arguments, **options)

    worker.read_pictures = read  # type: ignore[assignment]
    return load_model(path)


@needs_posix
def test_a_picture_that_kills_its_process_is_tried_twice_and_named_and_stops_nothing(
    opened: Callable[..., Job], expected: list[str], blink_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "processes").mkdir()
    load = partial(afflicted, str(blink_file), str(tmp_path / "processes"))
    with opened() as job:
        job.run(load, workers=1, patience=0.3)
        read = list(job.lines())
    assert len(list((tmp_path / "processes").iterdir())) == 1 + 2 + 2
    wrong = {
        json.loads(now)["path"]: json.loads(now)["error"]
        for now, then in zip(read, expected, strict=True)
        if now != then
    }
    assert [Path(name).stem for name in wrong] == ["05-torn", "11-letter", "17-blank"]
    torn, letter, blank = wrong.values()
    assert "one at which 2 processes died (the last of SIGSEGV): look at it" in torn
    assert "one that took longer than 0 seconds" in letter
    assert "got ZeroDivisionError (of its own)" in blank
    for name, error in wrong.items():
        assert error.startswith(f"expected {name} to be a picture that can be read, got ")


def test_what_has_gone_since_is_named_in_its_place_and_what_has_come_is_counted(
    opened: Callable[..., Job], load: Callable[[], Model], names: list[str], expected: list[str]
) -> None:
    opened().close()
    Path(names[20]).unlink()
    Path("pictures/new.png").write_bytes(Path(names[0]).read_bytes())
    with opened(names=[*names[:20], *names[21:], "pictures/new.png"]) as job:
        assert (job.added, job.total) == (1, 26)
        job.run(load, workers=2)
        read = list(job.lines())
    assert read[:20] + read[21:] == expected[:20] + expected[21:]
    gone = json.loads(read[20])
    assert list(gone) == ["path", "error"]
    assert f"expected {names[20]} to be where it was when the job began" in gone["error"]


@needs_posix
def test_a_link_to_nothing_is_named(
    opened: Callable[..., Job], load: Callable[[], Model], names: list[str]
) -> None:
    Path("pictures/link.png").symlink_to("nowhere.png")
    with opened(names=["pictures/link.png"]) as job:
        job.run(load, workers=1)
        (said,) = job.lines()
    assert "got a link to nothing" in json.loads(said)["error"]


# What a job refuses


def test_two_do_not_read_in_one_folder(opened: Callable[..., Job]) -> None:
    with opened(), pytest.raises(FileError, match=f"got process {os.getpid()}, which does"):
        opened()
    opened().close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"threshold": 0.9}, "with threshold the model's own, got 0.9000"),
        ({"single": False}, "with pictures of one digit, got numbers"),
        ({"inputs": ["elsewhere"]}, "elsewhere: name another folder"),
    ],
)
def test_a_job_goes_on_as_it_was_begun_or_not_at_all(
    opened: Callable[..., Job], tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    opened().close()
    before = (tmp_path / "job" / "manifest.json").read_bytes()
    with pytest.raises(PictureError) as error:
        opened(**options)
    assert said in str(error.value)
    assert (tmp_path / "job" / "manifest.json").read_bytes() == before
    opened().close()  # the one that was refused holds nothing


def test_a_job_goes_on_with_the_same_weights_and_calibration_alone(
    opened: Callable[..., Job], classic: Model, blink: Model
) -> None:
    opened().close()
    warmer = blink.with_calibration({"temperature": 2.0, "threshold": 0.0})
    for model in (classic, warmer):
        with pytest.raises(ModelError, match=r"expected the model that the job in .* was"):
            opened(model=model)


def test_another_version_is_refused(
    opened: Callable[..., Job], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened().close()
    with monkeypatch.context() as changed:
        changed.setattr(jobs, "__version__", "99.0")
        with pytest.raises(PictureError, match=r"with inkdigits .*, got 99\.0"):
            opened()
    manifest = tmp_path / "job" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(FileError, match="got one of format 2, where we write 1"):
        opened()


def test_the_same_pictures_may_be_named_from_another_folder(
    opened: Callable[..., Job],
    load: Callable[[], Model],
    names: list[str],
    expected: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened().close()
    monkeypatch.chdir("pictures")
    with opened(inputs=["../pictures"], names=[f"../{name}" for name in names]) as job:
        assert job.added == 0
        job.run(load, workers=2)
        assert list(job.lines()) == expected


def test_a_folder_of_other_things_is_no_place_for_a_job(
    opened: Callable[..., Job], tmp_path: Path
) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "diary.txt").touch()
    with pytest.raises(FileError, match=r"got one that holds other things, as diary\.txt"):
        opened()
    assert [path.name for path in (tmp_path / "job").iterdir()] == ["diary.txt"]
    (tmp_path / "job" / "diary.txt").unlink()
    (tmp_path / "job" / "readings").mkdir()
    (tmp_path / "job" / "readings" / "000000.jsonl").touch()
    with pytest.raises(FileError, match=r"readings without the manifest\.json"):
        opened()


@pytest.mark.parametrize("damage", ["", "{}", "[1", '{"format": 1, "pictures": 3}'])
def test_a_damaged_manifest_is_refused(
    opened: Callable[..., Job], tmp_path: Path, damage: str
) -> None:
    opened().close()
    (tmp_path / "job" / "manifest.json").write_text(damage)
    with pytest.raises(FileError, match=r"whose manifest\.json is damaged: name another"):
        opened()


def test_a_manifest_whose_list_was_changed_is_refused(
    opened: Callable[..., Job], tmp_path: Path
) -> None:
    opened().close()
    manifest = tmp_path / "job" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("07.png", "70.png"))
    with pytest.raises(FileError, match="damaged"):
        opened()


def test_readings_that_were_changed_are_not_handed_out(
    opened: Callable[..., Job], load: Callable[[], Model], expected: list[str]
) -> None:
    with opened() as job:
        job.run(load, workers=2)
        path = job.readings / "000003.jsonl"
        lines = path.read_text().splitlines()
        for damaged in (lines[:-1], [*lines, lines[0]], [lines[1], *lines[1:]], ["{"]):
            path.write_text("\n".join(damaged))
            with pytest.raises(FileError, match=r"000003\.jsonl .* remove it and run the job"):
                list(job.lines())
        path.unlink()
        job.run(load, workers=2)
        assert list(job.lines()) == expected


def nobody() -> Model:
    os._exit(3)


def test_a_model_that_no_process_can_load_ends_the_job(
    opened: Callable[..., Job], classic: Model, tmp_path: Path
) -> None:
    from inkdigits.formats import save_model

    save_model(classic, tmp_path / "classic.safetensors")
    for load, said in (
        (nobody, "got 3 that died of it .the last with status 3.: close other programs"),
        (partial(load_model, "nowhere.safetensors"), "there is no file or folder nowhere"),
        (partial(load_model, str(tmp_path / "classic.safetensors")), "got another in its file"),
    ):
        with opened() as job, pytest.raises(InkdigitsError, match=said):
            job.run(load, workers=1)
        assert not multiprocessing.active_children()


def test_a_job_without_pictures_is_refused(opened: Callable[..., Job], tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="expected pictures for the job"):
        opened(names=[])
    assert not (tmp_path / "job").exists()


def test_where_a_file_system_knows_no_locks_a_job_is_done_all_the_same(
    opened: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def refuse(*arguments: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert folders.FORMAT == 1
    with opened():
        opened().close()
