"""The last picture of a running class in memory that the pages and the agent share; nothing of it is ever on a disk.

The pages' process makes the memory and asks for pictures by a lease of a few seconds; the agent writes only while the
lease lasts. When the pages' process ends, or is killed, the system gives the memory back (Python's resource tracker
sees to that where the system does not). Where that was killed with it, the next start does.
"""

import json
import os
import secrets
import struct
import sys
import time
import zlib
from contextlib import suppress
from dataclasses import asdict
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, Final

import psutil

from dashboard.controls import View, ViewTile

VIEW_VARIABLE: Final = "CLASSPULSE_VIEW_MEMORY"
"""Tells an agent the name of the memory for its pictures."""

SIZE: Final = 2_000_000
"""Bytes: a picture of 1280 pixels takes a tenth of it."""

LEASE_SECONDS: Final = 5.0
"""For so long after a page has asked the agent goes on to write."""

_HEADER: Final = struct.Struct("=d?xxxIII")
"""End of the lease (by a clock that all processes share and nobody sets), whether to blur, bytes of the description and
of the picture, their CRC."""

_ASK: Final = struct.Struct("=d?")
_ANSWER: Final = struct.Struct("=III")
_ANSWER_AT: Final = _HEADER.size - _ANSWER.size


_PREFIX: Final = "classpulse-"
_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - where Linux shows it


def _remove_orphans() -> None:
    """Give back what processes have left that were killed together with all that would have done it."""
    for left in _SHARED_MEMORY.glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            with suppress(OSError):
                left.unlink()


class SharedView:
    """One picture and what was read on it.

    Args:
        name: of memory that another process has made; None makes some.
    """

    def __init__(self, name: str | None = None) -> None:
        self._own = name is None
        if name is None:
            _remove_orphans()
            own = f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
            self._memory = SharedMemory(name=own, create=True, size=SIZE)
        elif sys.version_info >= (3, 13):
            self._memory = SharedMemory(name=name, track=False)
        else:
            self._memory = SharedMemory(name=name)
            if os.name == "posix":
                # it belongs to the process that made it: ours would take it away from there when it ends
                resource_tracker.unregister(f"/{self._memory.name}", "shared_memory")

    @property
    def name(self) -> str:
        """With which another process finds it."""
        return self._memory.name

    @property
    def _bytes(self) -> memoryview:
        if self._memory.buf is None:
            raise ValueError("The memory was let go of.")
        return self._memory.buf

    def ask(self, *, blurred: bool) -> None:
        """Have the agent write its pictures for the next seconds."""
        _ASK.pack_into(self._bytes, 0, time.monotonic() + LEASE_SECONDS, blurred)

    def is_asked(self) -> bool:
        """Whether somebody looks; where nobody does any more, what was shown last is wiped."""
        lease, _blurred, described, _pictured, _crc = _HEADER.unpack_from(self._bytes, 0)
        if lease > time.monotonic():
            return True
        if described:
            self.wipe()
        return False

    @property
    def blurred(self) -> bool:
        """Whether faces are to be blurred."""
        return bool(_ASK.unpack_from(self._bytes, 0)[1])

    def write(self, view: View) -> None:
        """Put a picture in the place of the one before; one that is too large is left away."""
        described = json.dumps(asdict(view) | {"picture": None}).encode()
        contents = described + view.picture
        if _HEADER.size + len(contents) > self._memory.size:
            self.wipe()
            return
        # whoever reads while this is written finds that the sum is wrong
        end = _HEADER.size + len(contents)
        self._bytes[_HEADER.size : end] = contents
        _ANSWER.pack_into(self._bytes, _ANSWER_AT, len(described), len(view.picture), zlib.crc32(contents))

    def read(self) -> View | None:
        """The last picture; None where there is none, or another is just being written."""
        described, pictured, crc = _ANSWER.unpack_from(self._bytes, _ANSWER_AT)
        end = _HEADER.size + described + pictured
        if not described or end > self._memory.size:
            return None
        contents = bytes(self._bytes[_HEADER.size : end])
        if zlib.crc32(contents) != crc:
            return None
        known: dict[str, Any] = json.loads(contents[:described])
        tiles = tuple(_tile(**tile) for tile in known.pop("tiles"))
        return View(**known | {"tiles": tiles, "picture": contents[described:]})

    def wipe(self) -> None:
        """Leave nothing of a picture."""
        _ANSWER.pack_into(self._bytes, _ANSWER_AT, 0, 0, 0)
        self._bytes[_HEADER.size :] = bytes(self._memory.size - _HEADER.size)

    def close(self) -> None:
        """Let go of it; who made it gives it back to the system. May be called again."""
        self._memory.close()
        if self._own:
            self._own = False
            self._memory.unlink()


def _tile(place: list[float], face: list[float] | None, **told: Any) -> ViewTile:
    """A tile as JSON gives it."""
    return ViewTile(place=_four(place), face=None if face is None else _four(face), **told)


def _four(numbers: list[float]) -> tuple[float, float, float, float]:
    left, top, width, height = numbers
    return left, top, width, height
