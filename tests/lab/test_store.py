"""The user's folder: a token for this user alone, whole files, and one lab at a time."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from inkdigits.errors import FileError
from inkdigits.lab.store import Store, default_home

HOLD = """
import sys, time
from pathlib import Path
from inkdigits.lab.store import Store
with Store(Path(sys.argv[1])).held("http://127.0.0.1:8765/"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_token_is_made_once_and_for_this_user_alone(store: Store) -> None:
    token = store.token()
    assert re.fullmatch("[0-9a-f]{32}", token)
    assert store.token() == Store(store.folder).token() == token
    assert Store(store.folder.with_name("other")).token() != token
    if sys.platform != "win32":
        assert stat.S_IMODE((store.folder / "token").stat().st_mode) == 0o600
        assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe", b"0" * 33])
def test_a_token_that_is_none_is_made_anew(store: Store, content: bytes) -> None:
    store.make()
    (store.folder / "token").write_bytes(content)
    token = store.token()
    assert re.fullmatch("[0-9a-f]{32}", token)
    assert store.token() == token


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff", b'{"a":' * 100_000])
def test_a_state_that_cannot_be_read_is_an_empty_one(store: Store, content: bytes) -> None:
    store.make()
    (store.folder / "state.json").write_bytes(content)
    assert store.state() == {}


@pytest.mark.parametrize(
    "name", ["", "..", "0123456789a", "0123456789AB", "0123456789ab/", "x" * 12]
)
def test_no_name_but_a_runs_leads_to_a_folder(store: Store, name: str) -> None:
    (store.runs / "0123456789ab").mkdir(parents=True)
    assert store.run("0123456789ab") == store.runs / "0123456789ab"
    assert store.run(name) is None
    assert store.run("ffffffffffff") is None


def test_a_second_lab_on_one_folder_is_refused_and_told_where_the_first_is(store: Store) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store.folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with pytest.raises(FileError) as refusal, store.held("http://127.0.0.1:1/"):
            pass
        said = str(refusal.value)
        assert f"process {first.pid}, http://127.0.0.1:8765/" in said
        assert "--home" in said
        first.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        first.wait()
        with store.held("http://127.0.0.1:1/"):  # what a killed one left holds nobody up
            assert (store.folder / "lock").read_text() == f"{os.getpid()} http://127.0.0.1:1/\n"
    finally:
        first.kill()
        first.wait()
        first.stdout.close()  # type: ignore[union-attr]


def test_two_in_one_process_are_two_as_well_and_one_after_the_other_is_none(store: Store) -> None:
    for _ in range(2):
        with store.held("a"), pytest.raises(FileError), store.held("b"):
            pass


def test_a_folder_that_cannot_be_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FileError) as refusal:
            Store(folder).make()
        assert re.fullmatch(
            r"expected a folder .* got .*: name another with --home", str(refusal.value)
        )


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="whoever is root may write anywhere"
)
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FileError, match="--home"):
        Store(tmp_path).make()
    tmp_path.chmod(0o700)


def test_the_usual_folder_is_the_systems_place_for_this_program() -> None:
    assert default_home().name == "inkdigits"
    assert default_home().is_absolute()
