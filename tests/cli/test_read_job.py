"""`inkdigits read --job`: thousands of pictures, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from circumstances import needs_posix
from inkdigits.cli import run
from inkdigits.dataset import Dataset
from inkdigits.formats import save_model
from inkdigits.model import Model

pytestmark = pytest.mark.slow

Call = Callable[..., str]
Refusal = Callable[..., str]
Spawn = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def scans(some: Dataset, here: Path) -> Path:
    """A folder of 30 pictures, of which two cannot be read."""
    folder = here / "scans"
    (folder / "deep").mkdir(parents=True)
    for index in range(28):
        place = folder / "deep" if index % 3 else folder
        Image.fromarray(some.images[index]).save(place / f"{index:02}.png")
    (folder / "09-torn.png").write_bytes((folder / "09.png").read_bytes()[:-60])
    (folder / "deep" / "=1.png").write_text("Dear Sir")
    return folder


@pytest.fixture
def many(some: Dataset, here: Path) -> Path:
    """A folder of 1,500 names of 100 pictures: some seconds of work."""
    folder = here / "many"
    folder.mkdir()
    for index in range(100):
        Image.fromarray(some.images[index]).save(here / f"{index}.png")
        for place in range(15):
            os.link(here / f"{index}.png", folder / f"{place:02}{index:02}.png")
    return folder


def begun(process: subprocess.Popen[str], folder: Path) -> None:
    """Waits until the first readings are there, and not yet all of them."""
    while not list(folder.glob("readings/[!.]*")):
        assert process.poll() is None, process.communicate()
    assert process.poll() is None


@pytest.mark.parametrize("options", [[], ["--single"]])
def test_a_job_gives_the_same_lines_and_the_same_sheet(
    capsys: pytest.CaptureFixture[str], scans: Path, model: str, here: Path, options: list[str]
) -> None:
    command = ["read", "scans", "--json", "--model", model, *options]
    assert run([*command, "--csv", "one.csv"]) == 1
    expected = capsys.readouterr().out
    for workers in ("1", "2"):  # the second finds all of it read
        job = ["--job", "job", "--workers", workers, "--csv", "other.csv"]
        assert run([*command, *job]) == 1
        assert capsys.readouterr() == (expected, "")
        assert (here / "other.csv").read_bytes() == (here / "one.csv").read_bytes()
    readings = sorted((here / "job" / "readings").iterdir())
    assert "".join(path.read_text() for path in readings) == expected
    assert expected.count("\n") == 30


def test_a_person_is_told_what_there_is_what_failed_and_where_the_readings_are(
    capsys: pytest.CaptureFixture[str], scans: Path, model: str
) -> None:
    assert run(["read", "scans", "--single", "--model", model, "--job", "job"]) == 1
    out, err = capsys.readouterr()
    torn, letter, summary = out.splitlines()
    assert torn.startswith("scans/09-torn.png: expected scans/09-torn.png to be a whole picture")
    assert letter.startswith("scans/deep/=1.png: expected scans/deep/=1.png to be a picture")
    place = Path("job", "readings")
    assert summary == (
        f"30 pictures, 28 digits, 2 cannot be read: a line of JSON for each in {place}"
    )
    assert err == ""
    (scans / "09-torn.png").unlink()
    for index in range(20):
        (scans / f"{index:02}-letter.png").write_text("Dear Sir")
    assert run(["read", "scans", "--single", "--model", model, "--job", "other"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 12
    assert said[-2] == "and 11 more that cannot be read"


def test_a_job_keeps_to_a_budget_of_errors(
    call: Call, scans: Path, blink: Model, here: Path
) -> None:
    for name in ("09-torn.png", "deep/=1.png"):
        (scans / name).unlink()
    calibration = {"temperature": 1.0, "threshold": 0.1, "curve": [[0.97, 0.8, 0.01]]}
    save_model(blink.with_calibration(calibration), here / "careful.safetensors")
    command = ("read", "scans", "--model", "careful.safetensors", "--error-budget", "1%")
    last = call(*command).splitlines()[-1]
    lines = [json.loads(line) for line in call(*command, "--json").splitlines()]
    digits = sum(len(number["digits"]) for line in lines for number in line["numbers"])
    assert f" of {digits} left unnamed: at most 1.00 % wrong" in last
    assert not last.startswith("0 ")
    assert call(*command, "--job", "job").splitlines()[-1] == last


@needs_posix
def test_a_job_that_was_killed_goes_on_by_the_same_command(
    capsys: pytest.CaptureFixture[str], spawn: Spawn, many: Path, model: str, here: Path
) -> None:
    command = ["read", "many", "--single", "--model", model, "--job", "job"]
    process = spawn(*command)
    begun(process, here / "job")
    process.kill()
    process.communicate(timeout=300)  # its workers hold its output too: they have ended
    assert process.returncode == -signal.SIGKILL
    kept = {path: path.stat().st_mtime_ns for path in (here / "job/readings").glob("[!.]*")}
    assert 1 <= len(kept) < 15
    assert run([*command, "--json"]) == 0
    read = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["path"] for line in read] == sorted(map(str, Path("many").iterdir()))
    assert all(line["digit"] == read[place % 100]["digit"] for place, line in enumerate(read))
    assert kept == {path: path.stat().st_mtime_ns for path in kept}


@needs_posix
def test_ctrl_c_says_how_to_go_on_and_leaves_no_process(
    spawn: Spawn, many: Path, model: str, here: Path
) -> None:
    command = ["read", "many", "--single", "--model", model, "--job", "job"]
    # As from a terminal: all processes of the job hear of it
    process = spawn(*command, start_new_session=True)
    begun(process, here / "job")
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=300)  # which ends with the last of them
    done = 100 * len(list((here / "job/readings").iterdir()))
    said = f"stopped with {done:,} of 1,500 pictures read: the same command goes on from there"
    assert (process.returncode, out, err) == (130, "", f"inkdigits: {said}\n")
    assert 100 <= done < 1500


def test_pictures_that_have_come_since_are_spoken_of(
    capsys: pytest.CaptureFixture[str], scans: Path, model: str
) -> None:
    command = ["read", "scans", "--single", "--model", model, "--job", "job"]
    assert run(command) == 1
    before = capsys.readouterr().out
    for name in ("new.png", "newer.png"):
        (scans / name).write_bytes((scans / "00.png").read_bytes())
    assert run(command) == 1
    out, err = capsys.readouterr()
    assert out == before
    assert err == (
        "inkdigits: 2 pictures have come since the job in job was begun, and are not read: give "
        "them a job of their own\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        (["scans", "--job", "scans/job"], "which lies among those of scans: name another", 2),
        (["scans", "digits.npz", "--job", "job"], "--job reads pictures, got digits.npz", 2),
        (["scans/00.png", "--job", "job", "--explain"], "explain and draw one picture", 2),
        (["scans/00.png", "--job", "job", "--out", "a.png"], "explain and draw one picture", 2),
        (["digits.npz", "--job", "job", "--submission", "a.csv"], "leave --csv and --job away", 2),
        (["scans", "--workers", "2"], "add --job", 2),
        (["empty", "--job", "job"], "expected pictures for the job in job, got none", 1),
        (["scans", "--job", "digits.npz"], "digits.npz", 1),
    ],
)
def test_what_is_no_job_is_refused_before_anything_is_read(
    refusal: Refusal,
    scans: Path,
    model: str,
    data: str,
    here: Path,
    arguments: list[str],
    message: str,
    status: int,
) -> None:
    (here / "empty").mkdir()
    before = sorted(here.rglob("*"))
    assert message in refusal("read", *arguments, "--model", model, status=status)
    assert sorted(here.rglob("*")) == before


def test_a_job_goes_on_as_it_was_begun_alone(
    capsys: pytest.CaptureFixture[str], refusal: Refusal, scans: Path, model: str
) -> None:
    command = ["read", "scans", "--model", model, "--job", "job"]
    assert run([*command, "--single"]) == 1
    capsys.readouterr()
    message = refusal(*command)
    assert "expected the job in job to go on as it was begun, with pictures of one digit" in message
    assert "name another folder" in message
