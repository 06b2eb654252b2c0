"""Stopping a session: what the page asks and the agent obeys."""

from datetime import UTC, datetime

from sqlalchemy import Engine, update

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
