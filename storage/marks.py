"""What the teacher answers to the cards of Needs a look."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Engine, update

from engagement.records import EpisodeMark
from storage.database import writing
from storage.schema import EpisodeTable


def mark_episodes(
    engine: Engine, session_id: int, episode_ids: Collection[int], mark: EpisodeMark | None, at: datetime
) -> int:
    """Answer to some episodes at once, and return how many of them there are.

    What the agent commits of an episode later leaves the answer as it is. Ids that are gone, or belong to another
    session, are passed over: the page may be a moment behind.

    Args:
        engine: from `storage.database.open_database`, migrated.
        session_id: the session.
        episode_ids: as in `queries.episodes`.
        mark: the answer; None takes it back.
        at: aware UTC, the clock on the wall.
    """
    if not episode_ids:
        return 0
    with writing(engine) as connection:
        done = connection.execute(
            update(EpisodeTable)
            .where(EpisodeTable.session_id == session_id, EpisodeTable.id.in_(sorted(episode_ids)))
            .values(mark=None if mark is None else str(mark), marked_at=None if mark is None else at)
        )
    return done.rowcount
