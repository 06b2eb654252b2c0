"""Retention while classpulse runs: what is too old is erased when it starts, and every hour from then on."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine

from storage.errors import StorageError
from storage.retention import purge

_EVERY_SECONDS: Final = 3600.0

logger = logging.getLogger(__name__)


@contextmanager
def purged(engine: Engine, days: int, every: float = _EVERY_SECONDS) -> Iterator[None]:
    """Erase what is older than `days` days and not kept, now and as long as the context is open.

    A database that cannot be written is no reason not to start: the log says so, and the next hour tries again.

    Args:
        engine: on the migrated database.
        days: at least 1.
        every: seconds from one look to the next.
    """
    over = threading.Event()

    def look() -> None:
        while not over.wait(every):
            _purge(engine, days)

    _purge(engine, days)
    thread = threading.Thread(target=look, name="purge", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _purge(engine: Engine, days: int) -> None:
    try:
        gone = purge(engine, days, datetime.now(UTC))
    except StorageError as error:
        logger.warning("erasing what is older than %d days: %s", days, error)
        return
    if gone:
        logger.info("erased after %d days: sessions %s", days, ", ".join(map(str, gone)))
