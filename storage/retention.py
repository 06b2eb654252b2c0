"""Erasing what was kept, down to the bytes."""

import contextlib
import sqlite3
from pathlib import Path
from typing import cast

from sqlalchemy import Engine, delete, select

from storage.database import writing
from storage.errors import DatabaseLockedError, SessionBusyError, UnknownSessionError
from storage.faults import sqlite_error, sqlite_file
from storage.migrate import backups
from storage.schema import SessionTable


def erase_session(engine: Engine, session_id: int) -> None:
    """Remove a session and all that belongs to it.

    In a SQLite file the freed space is overwritten (`secure_delete`), the write-ahead log is emptied and the copies
    that migrations left are removed, for they hold the session too. A PostgreSQL server keeps the bytes until it
    vacuums, and its own backups.

    Raises:
        UnknownSessionError: there is no such session.
        SessionBusyError: it has not ended.
        DatabaseLockedError: the session is gone, but another process reads the log, which could not be emptied.
    """
    with writing(engine) as connection:
        row = connection.execute(
            select(
                SessionTable.name, SessionTable.ended_at, SessionTable.agent_name, SessionTable.agent_pid
            ).where(SessionTable.id == session_id)
        ).one_or_none()
        if row is None:
            raise UnknownSessionError(
                f"There is no session {session_id}: `classpulse sessions` lists those there are."
            )
        if row.ended_at is None:
            raise SessionBusyError(
                f'The session "{row.name}" is still open, held by {row.agent_name} (process {row.agent_pid}): '
                "stop that one first, then erase it."
            )
        connection.execute(delete(SessionTable).where(SessionTable.id == session_id))
    path = sqlite_file(engine)
    if path is not None:
        _empty_log(engine, path)
        for copy in backups(engine):
            copy.unlink(missing_ok=True)


def _empty_log(engine: Engine, path: Path) -> None:
    # a checkpoint stands outside of any transaction, so it goes to the driver itself; it waits for readers as long
    # as any statement waits for a lock
    with contextlib.closing(engine.raw_connection()) as pooled:
        raw = cast("sqlite3.Connection", pooled.driver_connection)
        try:
            busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            raise sqlite_error(error, path) from error
    if busy:
        raise DatabaseLockedError(
            f"The session was erased, but another program reads the database {path} and keeps its log from being "
            "emptied: close what else uses it, then erase another session or start classpulse again."
        )
