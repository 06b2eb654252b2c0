"""The database of a command, as its settings name it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from classpulse.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine


@contextmanager
def migrated_database(chosen: Settings) -> Iterator["Engine"]:
    """An engine on the migrated database, disposed of at the end; sessions that a crash left open are closed."""
    from storage.database import open_database
    from storage.migrate import migrate
    from storage.recorder import Recorder

    engine = open_database(chosen.database_url)
    try:
        migrate(engine)
        Recorder(engine).close_abandoned()
        yield engine
    finally:
        engine.dispose()
