"""Files as a whole: find the one that was meant, write all of one or nothing, keep others off."""

from __future__ import annotations

import difflib
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from inkdigits.errors import FileError

__all__ = ["existing", "taken", "written_whole"]


def existing(path: str | Path, *, among: tuple[str, ...] = ()) -> Path:
    """`path`, if there is such a file or folder; otherwise an error that names the nearest one.

    Args:
        path: what the user asked for.
        among: names that are no files but would have been understood too, as `mnist:train`.

    Raises:
        FileError: there is nothing at `path`, or no way to it.
    """
    path = Path(path)
    try:
        if path.exists():
            return path
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error
    folder = path.parent
    while not folder.exists() and folder != folder.parent:  # a drive may be missing altogether
        folder = folder.parent
    try:
        neighbours = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    except OSError:
        neighbours = []
    lost = path.name if folder == path.parent else path.relative_to(folder).parts[0]
    known = difflib.get_close_matches(str(path), among, n=1, cutoff=0.7)
    nearest = difflib.get_close_matches(lost, [*known, *neighbours], n=1, cutoff=0.5)
    if nearest:
        hint = f"did you mean {nearest[0] if nearest == known else folder / nearest[0]}?"
    else:
        hint = f"nothing like it is in {folder.resolve()}"
    raise FileError(f"there is no file or folder {path}: {hint}")


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; what was written there replaces `path` at the end.

    Whoever reads `path` finds the old file or the new one, never a part: the new one reaches the
    disk (fsync) before it takes the name, and then so does the name. When the block fails, `path`
    stays as it was. A link stays a link, and what it points to is replaced.

    Raises:
        FileError: the file cannot be written (no such folder, no permission, no space left), or
            `path` is a folder or a device.
    """
    path = Path(path)
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            raise FileError(f"cannot write {path}: expected a file or a new name, got another kind")
        temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.part")
        temporary.touch(exist_ok=False)  # with the permissions that any new file gets here
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Brings the names in a folder to the disk, on systems where a folder can be opened."""
    with suppress(OSError):  # some file systems refuse; the content is safe
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def taken(file: BinaryIO) -> bool:
    """Locks an open file; False where somebody else has it.

    The system lets go of it when the file is closed, or the process ends, however it does. True too
    on file systems that know no locks: two at work there are better than none.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1 << 20)  # beyond the note in it, which others read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True
