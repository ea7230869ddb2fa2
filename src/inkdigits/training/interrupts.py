"""Ctrl-C where it does no harm: between two steps, never within the update of the weights."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["CtrlC"]


class CtrlC:
    """Ctrl-C, put off while weights are being moved. The second one in a row ends at once.

    Only the calling process of a crew asks: the others end because it does.

    Attributes:
        held: whether an update is under way, or was when the run broke off: the weights of that
            moment belong to no step.
    """

    def __init__(self) -> None:
        self.held = False
        self._pressed = False

    @contextmanager
    def handled(self) -> Iterator[None]:
        """A block in which `hold` works, where Ctrl-C is Python's own and may be handled."""
        mine = threading.current_thread() is threading.main_thread()
        if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, self._handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def hold(self) -> None:
        """From here on Ctrl-C waits for `release`."""
        self._pressed = False
        self.held = True

    def release(self) -> None:
        """The step is whole.

        Raises:
            KeyboardInterrupt: it was asked for meanwhile.
        """
        self.held = False
        if self._pressed:
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.held and not self._pressed:
            self._pressed = True
        else:
            raise KeyboardInterrupt
