"""Pausing a session: what the page asks and the agent obeys."""

from datetime import UTC, datetime

from sqlalchemy import Engine, update

from storage.database import writing
from storage.schema import SessionTable


def pause(engine: Engine, session_id: int, *, paused: bool) -> None:
    """Pause an open session from now on, or let it go on; one that has ended is left as it is.

    Its agent looks before every interval: while it is paused nothing is grabbed, and the time is kept as not observed.
    """
    unpaused = SessionTable.paused_at.is_(None)
    with writing(engine) as connection:
        connection.execute(
            update(SessionTable)
            .where(SessionTable.id == session_id, SessionTable.ended_at.is_(None))
            # who pauses twice keeps the first time
            .where(unpaused if paused else ~unpaused)
            .values(paused_at=datetime.now(UTC) if paused else None)
        )
