"""The database of a command, as its settings name it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from classpulse.errors import NoDatabaseError
from classpulse.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine


@contextmanager
def migrated_database(chosen: Settings) -> Iterator["Engine"]:
    """An engine on the migrated database, which is made where it is absent, disposed of at the end; sessions that a
    crash left open are closed."""
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


@contextmanager
def existing_database(chosen: Settings) -> Iterator["Engine"]:
    """As `migrated_database`, for what looks at or changes what was kept: nothing is made where there is none.

    Raises:
        NoDatabaseError: there is no database.
    """
    demand_database(chosen)
    with migrated_database(chosen) as engine:
        yield engine


def demand_database(chosen: Settings) -> None:
    """Raises NoDatabaseError where the settings name a file that is not there, or none is in the usual place."""
    file = missing_file(chosen.database_url)
    if file is None:
        return
    if chosen.storage.database:
        raise NoDatabaseError(
            f"There is no database at {file}: give the path of one that exists, or start a class first."
        )
    raise NoDatabaseError("Nothing is kept yet: start a class first. Try: classpulse demo")


def is_nothing_kept(chosen: Settings) -> bool:
    """Whether no database is in the usual place, as before the first class: lists are empty then, and none is made.

    Raises:
        NoDatabaseError: the settings name a file that is not there: a slip of the pen is no empty list.
    """
    if chosen.storage.database:
        demand_database(chosen)
        return False
    return missing_file(chosen.database_url) is not None


def missing_file(url: str) -> Path | None:
    """The SQLite file that a URL names and that is not there; None for one that is, for a server, and where the URL
    names no file: `storage.database.open_database` says what is wrong with it."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return None
    if parsed.get_backend_name() != "sqlite" or parsed.query or parsed.database in {None, "", ":memory:"}:
        return None
    file = Path(str(parsed.database)).absolute()
    try:
        return None if file.exists() else file
    # a folder that may not be looked into, a NUL in the name
    except (OSError, ValueError):
        return None
