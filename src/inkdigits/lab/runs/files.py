"""Files of a run: JSON that may be damaged, and lines that are added whole.

The lab and the process that learns both write them, and either may be killed over it, or the disk
be full; and a user may have mended them by hand. So whoever reads one asks here, and gets what can
be relied on, or nothing.
"""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

__all__ = ["append_line", "is_full", "is_number", "record_from", "record_in"]

DEEPEST = 20  # levels; what the lab writes has five, and some thousand are too many for `json`
LARGEST = 1e300  # of numbers: JSON knows larger ones, and arithmetic does not


def record_from(content: bytes | str) -> dict[str, Any] | None:
    """The record that a piece of JSON is; None where it is none, or one that nobody here wrote."""
    try:
        record = json.loads(content, parse_constant=no_number)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and is_sound(record, DEEPEST) else None


def record_in(path: Path) -> dict[str, Any] | None:
    """The record in a file; None where there is no file that can be read, or no record in it."""
    try:
        return record_from(path.read_bytes())
    except OSError:
        return None


def no_number(name: str) -> NoReturn:
    raise ValueError(f"expected a number, got {name}")


def is_sound(value: Any, levels: int) -> bool:
    """Whether a value is neither too deep nor has numbers that are too large."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return levels > 0 and all(is_sound(part, levels - 1) for part in inner)
    return not isinstance(value, int | float) or -LARGEST <= value <= LARGEST


def is_number(value: Any) -> bool:
    """Whether this is a number; `True` is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def append_line(file: BinaryIO, record: dict[str, Any]) -> None:
    """Adds a record as a line, in one piece. The first after a torn line ends that line.

    Args:
        file: open to read and write, without a buffer.
        record: whatever JSON can hold.

    Raises:
        OSError: it cannot be written, or not all of it.
    """
    line = json.dumps(record, allow_nan=False).encode() + b"\n"
    size = file.seek(0, os.SEEK_END)
    if size:
        file.seek(size - 1)
        if file.read(1) != b"\n":
            line = b"\n" + line
    if file.write(line) != len(line):  # a disk with room for a part takes that part
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def is_full(error: BaseException | None) -> bool:
    """Whether a full disk is behind an error, or a user's share of it that is used up."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False
