"""Files as a whole: the nearest name for a missing one, and all of a new one or nothing."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from inkdigits.errors import FileError
from inkdigits.files import existing, taken, written_whole

# existing


def test_what_exists_is_returned_as_a_path(tmp_path: Path) -> None:
    (tmp_path / "digits.csv").touch()
    assert existing(str(tmp_path / "digits.csv")) == tmp_path / "digits.csv"
    assert existing(tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("mnist_tran.csv", "mnist_train.csv"),
        ("MNIST_train.csv", "mnist_train.csv"),
        ("mnist_train", "mnist:train"),
        ("picture/0.png", "pictures"),
        ("mnist:trian", "mnist:train"),
    ],
)
def test_a_missing_file_is_answered_with_the_nearest_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, nearest: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist_train.csv").touch()
    (tmp_path / "pictures").mkdir()
    with pytest.raises(FileError) as caught:
        existing(asked, among=("mnist:train", "mnist:test"))
    assert str(caught.value) == f"there is no file or folder {Path(asked)}: did you mean {nearest}?"


def test_a_missing_file_like_no_other_is_answered_with_the_folder_that_was_searched(
    tmp_path: Path,
) -> None:
    (tmp_path / "mnist_train.csv").touch()
    for lost in ("zzz", "zzz/yyy/xxx"):
        with pytest.raises(FileError) as caught:
            existing(tmp_path / lost)
        assert str(caught.value).endswith(f"{lost}: nothing like it is in {tmp_path}")


def test_a_name_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(FileError, match=r"^there is no file or folder a\0b"):
        existing("a\0b")
    with pytest.raises(FileError, match=r"File name too long$|^there is no file"):
        existing("a" * 5000)


# written_whole


@pytest.mark.parametrize("before", [None, b"old"])
def test_what_was_written_takes_the_name_at_the_end(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before)
    with written_whole(path) as temporary:
        assert temporary.parent == tmp_path
        temporary.write_bytes(b"new")
        assert (path.read_bytes() if path.exists() else None) == before
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [ValueError("mine"), KeyboardInterrupt(), OSError(28, "Full")])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, failure: BaseException
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write() -> None:
        with written_whole(path) as temporary:
            temporary.write_bytes(b"half")
            raise failure

    expected = FileError if isinstance(failure, OSError) else type(failure)
    with pytest.raises(expected) as caught:
        write()
    assert not isinstance(failure, OSError) or str(caught.value) == f"cannot write {path}: Full"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_content_reaches_the_disk_before_it_takes_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def watched_fsync(handle: int) -> None:
        about = os.fstat(handle)
        folder = stat.S_ISDIR(about.st_mode)
        calls.append("fsync of the folder" if folder else f"fsync of {about.st_size} bytes")
        fsync(handle)

    def watched_replace(self: Path, target: Path) -> Path:
        calls.append("replace")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    with written_whole(tmp_path / "file") as temporary:
        temporary.write_bytes(b"12345")
    last = [] if sys.platform == "win32" else ["fsync of the folder"]  # no handles of folders there
    assert calls == ["fsync of 5 bytes", "replace", *last]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(FileError, match=r"^cannot write .*nowhere.file: No such file"),
        written_whole(tmp_path / "nowhere" / "file"),
    ):
        pytest.fail("there was something to write to")


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with (
        pytest.raises(FileError, match="expected a file or a new name, got another kind"),
        written_whole(tmp_path / "folder"),
    ):
        pytest.fail("there was something to write to")
    assert (tmp_path / "folder").is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no devices or pipes with a path")
def test_a_device_or_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    # For root a file could take the name /dev/null, and the system would lose its device.
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/null"), tmp_path / "pipe"):
        mode = path.stat().st_mode
        with (
            pytest.raises(FileError, match="expected a file or a new name, got another kind"),
            written_whole(path),
        ):
            pytest.fail("there was something to write to")
        assert path.stat().st_mode == mode


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_link_stays_a_link_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "elsewhere" / "target", tmp_path / "link"
    target.parent.mkdir()
    target.write_bytes(b"old")
    link.symlink_to(target)
    with written_whole(link) as temporary:
        temporary.write_bytes(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert sorted(tmp_path.rglob("*")) == [target.parent, target, link]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_new_file_has_the_rights_that_the_user_gives_to_new_files(
    tmp_path: Path, mask: int
) -> None:
    before = os.umask(mask)
    try:
        with written_whole(tmp_path / "file") as temporary:
            temporary.write_bytes(b"new")
        assert os.umask(mask) == mask  # and the mask is as it was
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~mask


# taken


def test_a_file_is_taken_by_one_alone_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("a+b") as one, path.open("a+b") as other:
        assert taken(one)
        assert not taken(other)
        one.close()
        assert taken(other)


@pytest.mark.skipif(sys.platform == "win32", reason="locks are others there")
def test_where_the_file_system_knows_no_locks_a_file_is_everybodys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def failing(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", failing)
    with (tmp_path / "lock").open("a+b") as file:
        assert taken(file)
