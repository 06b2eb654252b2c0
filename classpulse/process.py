"""What the system may keep of this process's memory, in which pictures of a class are: nothing; and how it is ended."""

import ctypes
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def keep_no_dump() -> None:
    """Let a crash write no memory to a disk, here and in processes that are started from here.

    On Linux also no program is handed the memory that collects crashes, and no other process of the user may read it.
    Windows keeps dumps of programs only where an administrator has switched that on; it cannot be refused from here.
    """
    if sys.platform == "win32":
        return
    import resource

    try:
        # the hard limit too: nobody may raise it again
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError) as error:
        logging.getLogger(__name__).warning("core dumps could not be switched off: %s", error)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second one interrupts at once."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
