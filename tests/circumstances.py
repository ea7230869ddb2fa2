"""What a test needs of the machine that it runs on, and a disk that is full."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from inkdigits.parallel import blas_can_be_held
from inkdigits.training.processes import can_fork

needs_blas_in_hand = pytest.mark.skipif(
    not blas_can_be_held(), reason="this BLAS may not give the same bits twice"
)
needs_forks = pytest.mark.skipif(
    not can_fork(), reason="processes are forked on Linux on x86-64 alone, beside no other thread"
)
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="it is a matter of POSIX")


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A block in which no file of this process can grow beyond `size` bytes, as on a full disk."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
