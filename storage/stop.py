"""Stopping a session: what the page asks and the agent obeys."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Engine, func, update

from engagement.records import Mode
from storage.database import writing
from storage.schema import SessionTable


def request_stop(engine: Engine, session_id: int) -> None:
    """Ask the agent of an open session to end it; one that has ended is left as it is.

    Its agent looks before every interval, ends the session properly and is done.
    """
    with writing(engine) as connection:
        connection.execute(
            update(SessionTable)
            .where(SessionTable.id == session_id, SessionTable.ended_at.is_(None))
            # who asks twice keeps the first time
            .where(SessionTable.stop_requested_at.is_(None))
            .values(stop_requested_at=datetime.now(UTC))
        )


def request_stops(engine: Engine, modes: Collection[Mode], *, host: str, spared: str) -> None:
    """Ask the agents of this computer to end all open sessions in these modes.

    Args:
        engine: from `storage.database.open_database`, migrated.
        modes: that may not be used any more.
        host: of the agents.
        spared: how the sources begin for which that does not hold.
    """
    with writing(engine) as connection:
        connection.execute(
            update(SessionTable)
            .where(
                SessionTable.ended_at.is_(None),
                SessionTable.mode.in_([str(mode) for mode in modes]),
                SessionTable.agent_host == host,
                SessionTable.source.not_like(f"{spared}%"),
            )
            .values(stop_requested_at=func.coalesce(SessionTable.stop_requested_at, datetime.now(UTC)))
        )
