"""Opening a database and what every connection to it has in common."""

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError

from storage.errors import DatabaseUrlError, MissingDriverError, RowRefusedError
from storage.faults import BUSY_SECONDS, disk_full, first_line, read_only, translate
from storage.scope import narrow

_FILE_NAME: Final = "classpulse.db"
_WRITES: Final = "classpulse_writes"
_SILENT_SECONDS: Final = 25
"""After so long without an answer to what was sent, a PostgreSQL server counts as gone."""


def default_url(data_dir: Path) -> str:
    """The URL of the SQLite file in `data_dir` (which need not exist yet), whatever characters its path has."""
    url = URL.create("sqlite", database=str(data_dir / _FILE_NAME))
    return url.render_as_string(hide_password=False)


def open_database(url: str) -> Engine:
    """An engine for `url`; the caller disposes of it.

    No connection is made. For SQLite the folder and an empty file are made where they are absent, readable by their
    owner only. Every error of the database arrives as a `StorageError` that says what to do, except
    `sqlalchemy.exc.IntegrityError`.

    Args:
        url: `sqlite:///` and a path, or `postgresql://user:password@host/database`.

    Raises:
        DatabaseUrlError: the URL cannot be read or names another kind of database.
        MissingDriverError: PostgreSQL without its driver.
        DatabaseReadOnlyError: the folder or the file cannot be made.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise DatabaseUrlError(
            "The database URL cannot be read: write sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE."
        ) from error
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        engine = _open_sqlite(parsed)
    elif kind == "postgresql":
        engine = _open_postgresql(parsed)
    else:
        raise DatabaseUrlError(
            f"classpulse keeps its data in SQLite or PostgreSQL, not in {kind}: "
            "write sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE."
        )
    event.listen(engine, "handle_error", translate)
    narrow(engine)
    return engine


def write_engine(engine: Engine) -> Engine:
    """The same engine, whose transactions take the write lock when they begin."""
    return engine.execution_options(**{_WRITES: True})


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One read transaction: all queries inside see the same moment (SQLite)."""
    with engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction, committed at the end or rolled back on any error.

    It takes the write lock at once: a read that turns into a write later fails whatever the timeout.

    Raises:
        RowRefusedError: a row breaks a rule of the schema.
        StorageError: the database cannot be written; nothing of this transaction was stored.
    """
    try:
        with write_engine(engine).begin() as connection:
            yield connection
    except IntegrityError as error:
        # PostgreSQL quotes the row, with its names, below the first line: neither message nor traceback may
        raise RowRefusedError(
            f"The database refused a row that breaks its rules ({first_line(error.orig)}): nothing of it was stored; "
            "this is a fault of classpulse, please report it."
        ) from None


def _open_sqlite(url: URL) -> Engine:
    if url.database in {None, "", ":memory:"}:
        raise DatabaseUrlError(
            "A database in memory cannot be shared between the agent and the dashboard: write sqlite:///PATH."
        )
    if url.query:
        raise DatabaseUrlError("A SQLite URL takes no options after a question mark: write sqlite:///PATH.")
    path = Path(str(url.database)).absolute()
    if "\x00" in str(path):
        raise DatabaseUrlError("The path of a SQLite URL holds a NUL: write sqlite:///PATH.")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_if_absent(path)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise disk_full(path) from error
        raise read_only(path, error.strerror or str(error)) from error
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        hide_parameters=True,  # names never reach a log or a traceback
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_if_absent(path: Path) -> None:
    """An empty file for its owner alone: what is kept of students is for their teacher, and SQLite gives its log files
    the same rights.

    A file that is there is not opened. Closing it would end every lock that this process holds on it (POSIX), and the
    next program that leaves the database would remove the log in which this one still reads and writes.

    Raises:
        OSError: it can be neither made nor written.
    """
    try:
        # a link to a file that is not there yet is followed
        os.close(os.open(path.resolve(), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        reason = errno.EISDIR if path.is_dir() else errno.EACCES
        if path.is_dir() or not os.access(path, os.R_OK | os.W_OK):
            raise OSError(reason, os.strerror(reason)) from None


def _open_postgresql(url: URL) -> Engine:
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={
                "connect_timeout": BUSY_SECONDS,
                "options": f"-c timezone=UTC -c lock_timeout={BUSY_SECONDS}s",
                # a server that has gone without a word, as with a network that was pulled out, is noticed
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 1000 * _SILENT_SECONDS,
            },
            hide_parameters=True,
            pool_pre_ping=True,
        )
    except ImportError as error:
        raise MissingDriverError(
            "PostgreSQL needs its driver: install it with `pip install -r requirements/postgres.txt`, "
            "or leave --database away to use the file on this computer."
        ) from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # `_begin_sqlite` says when a transaction begins
    cursor = connection.cursor()
    try:
        _use_write_ahead_log(cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute("PRAGMA temp_store = MEMORY")  # sorting must not leave names in a temporary file
    finally:
        cursor.close()


def _use_write_ahead_log(cursor: sqlite3.Cursor) -> None:
    """Switch to WAL; two processes that do so at once get "locked" whatever the timeout, so try again."""
    deadline = time.monotonic() + BUSY_SECONDS
    while cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
