"""Bringing a database to the schema of this version, at every start."""

import contextlib
import glob
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import Connection, Engine, inspect, text

from storage.database import write_engine
from storage.errors import DatabaseDamagedError, ForeignDatabaseError, NewerDatabaseError
from storage.faults import read_only, sqlite_error, sqlite_file
from storage.schema import Base

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

WAIT_SECONDS: Final = 60
"""How long a start waits for another process that migrates the same database."""

_LOCK: Final = 0x636C_6173_7370  # "classp": the advisory lock of PostgreSQL that migrations take


def migrate(engine: Engine, scripts: Path | None = None) -> Path | None:
    """Bring the database to the newest schema, in one transaction.

    An empty database gets its tables. Where an older one has something to migrate, a SQLite file is first copied
    beside itself. Processes that start at once wait for each other.

    Args:
        engine: from `open_database`.
        scripts: folder of the Alembic environment; default `script_folder()`.

    Returns:
        The backup that was made, None if none was needed.

    Raises:
        NewerDatabaseError: a newer classpulse made the database; nothing was changed.
        ForeignDatabaseError: its tables belong to another program.
        StorageError: it cannot be opened or written; nothing was changed.
    """
    folder = scripts or script_folder()
    with engine.connect() as connection:
        if _revision(connection) == _newest(folder):
            return None
    # a start that finds nothing to do is without them, which take as long to load as all else of the database
    from alembic import command
    from alembic.script import ScriptDirectory

    config = alembic_config(folder)
    script = ScriptDirectory.from_config(config)
    head = script.get_current_head()
    with _migrating(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        current = _revision(connection)
        if current == head:  # another process was first
            return None
        _check_ours(connection, script, current, engine)
        backup = _back_up(engine, current) if current is not None else None
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if engine.dialect.name == "sqlite":
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise DatabaseDamagedError(
                    f"The database {sqlite_file(engine)} has {len(broken)} rows that belong to nothing, so it was "
                    "not upgraded: put back a backup or start with an empty one."
                )
    return backup


def script_folder() -> Path:
    """The Alembic environment: inside an installed wheel, else at the top of the repository."""
    installed = Path(__file__).parent / "migrations"
    return installed if (installed / "env.py").is_file() else Path(__file__).parent.parent / "alembic"


def alembic_config(scripts: Path) -> "Config":
    """An Alembic configuration for the environment in `scripts`."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    return config


def backups(engine: Engine) -> list[Path]:
    """The copies that `migrate` left beside a SQLite file, oldest first."""
    path = sqlite_file(engine)
    return sorted(path.parent.glob(f"{glob.escape(path.name)}.backup-*")) if path is not None else []


@contextlib.contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """A write transaction on a connection of its own, whose settings die with it."""
    with write_engine(engine).connect() as connection:
        raw = connection.connection.driver_connection
        connection.detach()
        if engine.dialect.name == "sqlite":
            raw = cast("sqlite3.Connection", raw)
            # a table that is rebuilt is dropped first, which would take the rows that refer to it along
            raw.execute("PRAGMA foreign_keys = OFF").close()
            raw.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}").close()
        with connection.begin():
            yield connection


def _newest(folder: Path) -> str | None:
    """The last revision in the environment in `folder`, by the numbers with which the names of its files begin."""
    return max((file.stem.split("_")[0] for file in (folder / "versions").glob("*.py")), default=None)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _check_ours(
    connection: Connection, script: "ScriptDirectory", current: str | None, engine: Engine
) -> None:
    where = sqlite_file(engine) or engine.url.render_as_string()
    if current is None:
        taken = set(Base.metadata.tables) & set(inspect(connection).get_table_names())
        if taken:
            raise ForeignDatabaseError(
                f"The database {where} holds tables of another program ({', '.join(sorted(taken))}): "
                "name another one with --database."
            )
    elif current not in {revision.revision for revision in script.walk_revisions()}:
        raise NewerDatabaseError(
            f"The database {where} was made by a newer classpulse (its revision is {current}): "
            "install the newest classpulse, or name another database with --database; nothing in it was changed."
        )


def _back_up(engine: Engine, revision: str) -> Path | None:
    """Copy the SQLite file as it stands (the caller holds its write lock) and check the copy."""
    path = sqlite_file(engine)
    if path is None:  # a server has backups of its own
        return None
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    target = path.with_name(f"{path.name}.backup-{stamp}-{revision}")
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with (
            contextlib.closing(sqlite3.connect(path)) as source,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
            # a copy is one file: without its own log it can be moved about
            copy.execute("PRAGMA journal_mode = DELETE")
            (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        if not hasattr(error, "sqlite_errorcode"):
            raise DatabaseDamagedError(
                f"The database {path} is damaged ({error}), so it was not upgraded: put back a backup or start "
                "with an empty one."
            ) from error
        raise sqlite_error(error, target) from error
    except OSError as error:
        target.unlink(missing_ok=True)
        raise read_only(target, error.strerror or str(error)) from error
    return target
