"""Pictures that are given on the page Try it: read once, in memory, under the rules of a class."""

import io
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from capture.replay import decode_image
from classpulse import picture as pictures
from classpulse.checks import roll_before_class
from classpulse.errors import BusyError
from classpulse.looking import note_picture
from classpulse.place import check_mode, check_place_anew
from classpulse.settings import Settings
from dashboard.controls import Picture, PictureReading

if TYPE_CHECKING:
    from inference.reader import Reader

PAGE = "page"
"""The actor, in the audit log, where the door asks nobody who they are."""

_PATIENCE_SECONDS = 20.0

_TURN_SECONDS = 60.0
"""A camera of which nothing came for so long has ended its turn."""
_MOST_TURNS = 4


class Studio:
    """Reads one picture at a time.

    Args:
        engine: on the migrated database.
        load_reader: makes what reads a picture with these settings.
    """

    def __init__(self, engine: Engine, load_reader: Callable[[Settings], "Reader"]) -> None:
        self._engine = engine
        self._load_reader = load_reader
        self._lock = threading.Lock()
        self._turns: OrderedDict[object, tuple[Reader, float]] = OrderedDict()

    def read(self, chosen: Settings, picture: Picture) -> PictureReading:
        """Read a picture.

        Args:
            chosen: the settings with the picture's mode and class; their source must not be the synthetic class.
            picture: what was given.

        Raises:
            ModeRefusedError: the mode may not be used where the class is, or needs people who agreed.
            BusyError: others give pictures faster than they are read.
            capture.errors.SourceError: the picture cannot be decoded.
        """
        check_mode(chosen)
        check_place_anew(chosen)
        if not self._lock.acquire(timeout=_PATIENCE_SECONDS):
            raise BusyError("Another picture is being read: give this one again in a moment.")
        try:
            # one at a time too: a small file may hold a picture of a hundred megapixels
            pixels = decode_image(io.BytesIO(picture.data), picture.name)
            reader = self._reader(chosen, picture.turn)
            roll = roll_before_class(self._engine, chosen.session.name)
            return pictures.read(pixels, reader, roll, chosen.session.mode, chosen.capture.interval)
        finally:
            self._lock.release()

    def _reader(self, chosen: Settings, turn: int | None) -> "Reader":
        """What one remembers of a picture's labels is not for another picture; a camera keeps its own through its turn,
        and stands in the audit log once."""
        session = chosen.session
        key, now = (turn, session.mode, session.agreed, session.name), time.monotonic()
        for old in [one for one, (_, used) in self._turns.items() if now - used > _TURN_SECONDS]:
            del self._turns[old]
        if key in self._turns:
            reader, _ = self._turns.pop(key)
        else:
            reader = self._load_reader(chosen)
            note_picture(chosen, self._engine, PAGE)
        if turn is not None:
            self._turns[key] = (reader, now)
            while len(self._turns) > _MOST_TURNS:
                self._turns.popitem(last=False)
        return reader
