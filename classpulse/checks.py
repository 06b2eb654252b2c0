"""The doctor's checks of what the front door composes: database, disk, port, models."""

import shutil
import socket
from pathlib import Path
from typing import Final

from capture.doctor import Check
from engagement.errors import ClasspulseError

MINIMUM_FREE_BYTES: Final = 500_000_000
"""A term of hourly classes takes well under this."""


def check_database(url: str) -> Check:
    """Open the database, migrate it and read from it."""
    from storage import queries
    from storage.database import open_database
    from storage.migrate import migrate

    try:
        engine = open_database(url)
        try:
            migrate(engine)
            count = len(queries.sessions(engine))
        finally:
            engine.dispose()
    except ClasspulseError as error:
        return Check("database", "fail", str(error), "Choose another with --database.")
    return Check("database", "ok", f"{count} sessions", "")


def check_disk(url: str) -> Check:
    """Room left beside a SQLite database."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        name = make_url(url).database
    except ArgumentError:
        return Check("disk", "warn", "not looked at: the database URL is malformed", "Correct --database.")
    if not url.startswith("sqlite") or name is None:
        return Check("disk", "ok", "the database is on a server", "")
    folder = Path(name).absolute().parent
    free = shutil.disk_usage(folder if folder.exists() else Path(folder.anchor)).free
    found = f"{free / 1e9:.1f} GB free"
    if free < MINIMUM_FREE_BYTES:
        return Check("disk", "warn", found, "Free some space, or put the database elsewhere with --database.")
    return Check("disk", "ok", found, "")


def check_port(host: str, port: int) -> Check:
    """Whether the page can listen on its port."""
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            return Check("port", "fail", f"{host}:{port}: {error.strerror}", "Choose another with --port.")
    return Check("port", "ok", f"{host}:{port} is free", "")


def check_models() -> Check:
    """Whether the weights are those of the manifest."""
    from models.registry import resolve

    try:
        entry = resolve("expression")
    except ClasspulseError as error:
        return Check("models", "fail", str(error), "Install classpulse again.")
    return Check("models", "ok", f"expression classifier {entry.sha256[:12]}", "")
