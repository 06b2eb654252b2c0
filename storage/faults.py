"""What the database drivers say, turned into sentences that say what to do."""

import shutil
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import IntegrityError

from storage.errors import (
    DatabaseDamagedError,
    DatabaseLockedError,
    DatabaseReadOnlyError,
    DatabaseUnavailableError,
    DatabaseUnreachableError,
    DiskFullError,
    NotADatabaseError,
    StorageError,
)

BUSY_SECONDS: Final = 10
"""How long a connection waits for the lock of another."""

_NEARLY_FULL_BYTES: Final = 256 * 1024


def sqlite_file(engine: Engine) -> Path | None:
    """The file of a SQLite database, None for another kind."""
    if engine.dialect.name != "sqlite" or engine.url.database is None:
        return None
    return Path(engine.url.database)


def translate(context: ExceptionContext) -> None:
    """Replace an error of the driver by ours (a listener for `handle_error`).

    `IntegrityError` passes: only who wrote the row knows what it means.
    """
    if isinstance(context.sqlalchemy_exception, IntegrityError):
        return
    cause: Any = context.original_exception
    engine = context.engine
    if isinstance(cause, sqlite3.Error):
        path = sqlite_file(engine) if engine is not None else None
        raise sqlite_error(cause, path or Path()) from cause
    if hasattr(cause, "sqlstate"):
        where = engine.url.render_as_string() if engine is not None else "of the server"
        raise _postgresql_error(cause, where) from cause


def sqlite_error(cause: sqlite3.Error, path: Path) -> StorageError:
    """Our error for what SQLite said about the file `path`."""
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # without the extended part
    if code == sqlite3.SQLITE_IOERR and _nearly_full(path):
        # growing the shared memory of the log fails so, not as "full"
        code = sqlite3.SQLITE_FULL
    make = _SQLITE.get(code)
    if make is None:
        return StorageError(
            f"The database {path} refused a request ({cause}): please report this fault of classpulse."
        )
    return make(path, str(cause))


def disk_full(path: Path, _why: str = "") -> DiskFullError:
    """The error for a disk without room."""
    return DiskFullError(
        f"The disk that holds the database {path} is full: make room on it and start again; what was stored is safe."
    )


def read_only(path: Path, why: str) -> DatabaseReadOnlyError:
    """The error for a file or folder that cannot be written."""
    return DatabaseReadOnlyError(
        f"The database {path} cannot be opened for writing ({why}): "
        "give yourself the right to write to it and its folder, or name another one with --database."
    )


def _locked(where: Path | str, _why: str) -> DatabaseLockedError:
    return DatabaseLockedError(
        f"Another program has held the database {where} for more than {BUSY_SECONDS} s: "
        "close what else uses it (a database browser, a backup) and start again."
    )


def _damaged(path: Path, _why: str) -> DatabaseDamagedError:
    return DatabaseDamagedError(
        f"The database {path} is damaged: move it away, put back a backup "
        "(classpulse leaves one beside it before each upgrade), or start with an empty one."
    )


def _not_a_database(path: Path, _why: str) -> NotADatabaseError:
    return NotADatabaseError(
        f"{path} is not a classpulse database: move that file away or name another one with --database."
    )


def _disk_failed(path: Path, why: str) -> DatabaseUnavailableError:
    return DatabaseUnavailableError(
        f"The disk failed while the database {path} was used ({why}): check that the drive is connected "
        "and sound, then start again."
    )


_SQLITE: Final[Mapping[int, Callable[[Path, str], StorageError]]] = {
    sqlite3.SQLITE_FULL: disk_full,
    sqlite3.SQLITE_BUSY: _locked,
    sqlite3.SQLITE_LOCKED: _locked,
    sqlite3.SQLITE_READONLY: read_only,
    sqlite3.SQLITE_CANTOPEN: read_only,
    sqlite3.SQLITE_PERM: read_only,
    sqlite3.SQLITE_NOTADB: _not_a_database,
    sqlite3.SQLITE_CORRUPT: _damaged,
    sqlite3.SQLITE_IOERR: _disk_failed,
}


def _nearly_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _NEARLY_FULL_BYTES
    except OSError:
        return False


def first_line(cause: BaseException | None) -> str:
    """What an error says, without the lines below the first, in which PostgreSQL quotes rows."""
    return next(iter(str(cause).splitlines()), type(cause).__name__)


def _postgresql_error(cause: Any, where: str) -> StorageError:
    state: str | None = cause.sqlstate
    why = first_line(cause)
    if state == "53100":
        return DiskFullError(
            f"The disk of the database {where} is full: make room on the server; what was stored is safe."
        )
    if state in {"55P03", "40P01", "40001"}:
        return _locked(where, why)
    if state in {"25006", "42501"}:
        return DatabaseReadOnlyError(
            f"The database {where} lets this account only read: ask for the right to write and to make tables."
        )
    if state in {"XX001", "XX002"}:
        return DatabaseDamagedError(f"The database {where} is damaged: put back a backup of the server.")
    if state is None or state[:2] in {"08", "28", "3D", "53", "57"}:
        return DatabaseUnreachableError(
            f"The database {where} cannot be reached ({why}): check that the server runs and that address, "
            "account and database name in the URL are right."
        )
    return StorageError(
        f"The database {where} refused a request ({why}): please report this fault of classpulse."
    )
