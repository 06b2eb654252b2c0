"""Writing a session: one transaction per interval, so that what was reported committed is on the disk."""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, RowMapping, case, insert, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase

from engagement.emotion import EXPRESSIONS
from engagement.errors import InvalidRecordError
from engagement.names import clean_name
from engagement.records import Episode, IntervalRecord, Mode, Reading, Seat, State, check_utc
from storage.database import reading, writing
from storage.errors import SessionBusyError, SessionClosedError, UnknownSessionError
from storage.schema import (
    CLASS_SEAT,
    MAX_SOURCE_LENGTH,
    EpisodeTable,
    HeartbeatTable,
    IntervalTable,
    ReadingTable,
    SeatTable,
    SessionTable,
    UtcDateTime,
)

COMMITTED_STAGE: Final = "committed"
"""The stage of a heartbeat that came with an interval."""

FOREIGN_SILENCE: Final = timedelta(minutes=2)
"""An agent on another computer counts as dead after this long without a heartbeat."""

_CLOCK_SLACK: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class NewSession:
    """What is known of a session when it starts.

    Attributes:
        name: as the teacher wrote it; cleaned when it is stored, at most 64 characters.
        mode: what may be inferred and kept.
        interval: seconds between frames, above 0.
        source: what is watched, such as `window "Zoom Meeting"`; cleaned and cut to 200 characters when it is stored.
        started_at: aware UTC; for a recording the time of its first frame.
        agent_name: what a second agent is told about the first.
        pid: process id of the agent.
    """

    name: str
    mode: Mode
    interval: float
    source: str
    started_at: datetime
    agent_name: str
    pid: int

    def __post_init__(self) -> None:
        check_utc("NewSession.started_at", self.started_at)


def process_is_alive(pid: int) -> bool:
    """Whether a process with this id runs on this computer (a zombie does not)."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.AccessDenied:
        return True
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return False


class Recorder:
    """The one writer of a session. Each call is one transaction: it is wholly on the disk when it returns.

    Args:
        engine: from `storage.database.open_database`, migrated.
        is_alive: says whether the process with an id runs on this computer.

    Raises (every method): StorageError with a sentence; then nothing of that call was stored, all before it was.
    """

    def __init__(self, engine: Engine, is_alive: Callable[[int], bool] = process_is_alive) -> None:
        self._engine = engine
        self._is_alive = is_alive

    def open_session(self, new: NewSession) -> int:
        """Start a session and return its id.

        A session of the same name whose agent died is closed first, at its true last time.

        Raises:
            SessionBusyError: an agent that lives holds a session of that name.
            InvalidRecordError: nothing is left of the name once it is cleaned.
        """
        name = clean_name(new.name)
        if name is None:
            raise InvalidRecordError(
                "A session needs a name of at least one visible letter: give another --session."
            )
        now = datetime.now(UTC)
        with writing(self._engine) as connection:
            _serialise(connection)
            for row in _open_sessions(connection, name):
                if self._lives(row, now):
                    raise SessionBusyError(
                        f'The session "{name}" is already being watched by {row["agent_name"]} '
                        f"(process {row['agent_pid']} on {row['agent_host']}): "
                        "stop that one first or give this one another name with --session."
                    )
                _close(connection, row["id"], _last_time(connection, row))
            return connection.execute(
                insert(SessionTable)
                .values(
                    name=name,
                    mode=str(new.mode),
                    interval=new.interval,
                    # the title of a window may be written by a web page, and terminals obey some characters
                    source=clean_name(new.source, MAX_SOURCE_LENGTH) or "unknown",
                    started_at=new.started_at,
                    opened_at=now,
                    agent_name=new.agent_name,
                    agent_host=socket.gethostname(),
                    agent_pid=new.pid,
                )
                .returning(SessionTable.id)
            ).scalar_one()

    def close_abandoned(self, is_alive: Callable[[int], bool] | None = None) -> list[int]:
        """Close the sessions whose agent died, each at the end of its last interval, and return their ids.

        Where there is none, this only reads.

        Args:
            is_alive: overrides that of the recorder.
        """
        now = datetime.now(UTC)
        with reading(self._engine) as connection:
            if all(self._lives(row, now, is_alive) for row in _open_sessions(connection)):
                return []
        closed = []
        with writing(self._engine) as connection:
            for row in _open_sessions(connection):
                if not self._lives(row, now, is_alive):
                    _close(connection, row["id"], _last_time(connection, row))
                    closed.append(row["id"])
        return closed

    def commit(self, record: IntervalRecord) -> int:
        """Store one interval with its readings, seats and episodes, and return the interval's id.

        Raises:
            UnknownSessionError, SessionClosedError: the record's session is not open.
            InvalidRecordError: the record holds what the session's mode forbids, or names a seat it does not list.
        """
        with writing(self._engine) as connection:
            _check_mode(record, _open_mode(connection, record.session_id))
            interval_id: int = connection.execute(
                insert(IntervalTable).values(_interval_row(record)).returning(IntervalTable.id)
            ).scalar_one()
            _store_seats(connection, record.session_id, record.seats, record.started_at)
            if record.readings:
                connection.execute(
                    insert(ReadingTable), [_reading_row(interval_id, reading) for reading in record.readings]
                )
            _store_episodes(connection, record.session_id, record.episodes)
            now = datetime.now(UTC)
            _store_heartbeat(connection, record.session_id, COMMITTED_STAGE, now, committed_at=now)
        return interval_id

    def heartbeat(self, session_id: int, stage: str, at: datetime) -> None:
        """Say that the agent lives and what it is doing.

        Args:
            session_id: an open session.
            stage: one or two words, such as `loading models`.
            at: aware UTC, the clock on the wall.

        Raises:
            UnknownSessionError, SessionClosedError: the session is not open.
        """
        with writing(self._engine) as connection:
            _open_mode(connection, session_id)
            _store_heartbeat(connection, session_id, stage, at)

    def close_session(self, session_id: int, ended_at: datetime) -> None:
        """End a session and its open episodes; one that has ended keeps its end.

        Args:
            session_id: the session.
            ended_at: aware UTC; a time before the session's start counts as its start.

        Raises:
            UnknownSessionError: there is no such session.
        """
        with writing(self._engine) as connection:
            if connection.scalar(select(SessionTable.id).where(SessionTable.id == session_id)) is None:
                raise _unknown(session_id)
            _close(connection, session_id, ended_at)

    def _lives(self, row: RowMapping, now: datetime, is_alive: Callable[[int], bool] | None = None) -> bool:
        if row["agent_host"] != socket.gethostname():
            # a process id means nothing here, only its silence does
            return bool(now - (row["at"] or row["opened_at"]) < FOREIGN_SILENCE)
        pid = row["agent_pid"]
        return (is_alive or self._is_alive)(pid) and not _started_after(pid, row["opened_at"])


def _started_after(pid: int, opened_at: datetime) -> bool:
    """Whether the process is younger than the session, so that its id was given out again (after a restart)."""
    import psutil

    try:
        created = datetime.fromtimestamp(psutil.Process(pid).create_time(), UTC)
    except (psutil.Error, ValueError, OverflowError):
        return False
    return created > opened_at + _CLOCK_SLACK


def _serialise(connection: Connection) -> None:
    """Let one `open_session` at a time look and insert; SQLite's write lock does so by itself."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE sessions IN SHARE ROW EXCLUSIVE MODE")


def _open_sessions(connection: Connection, name: str | None = None) -> Sequence[RowMapping]:
    query = (
        select(SessionTable.__table__, HeartbeatTable.at)
        .outerjoin(HeartbeatTable, HeartbeatTable.session_id == SessionTable.id)
        .where(SessionTable.ended_at.is_(None))
        .order_by(SessionTable.id)
    )
    if name is not None:
        query = query.where(SessionTable.name == name)
    return connection.execute(query).mappings().all()


def _last_time(connection: Connection, row: RowMapping) -> datetime:
    """When an abandoned session really ended: with its last interval.

    Without any, the time between opening and the last heartbeat is laid onto the session's own clock, which is not
    that on the wall where a recording is watched.
    """
    last = connection.execute(
        select(IntervalTable.started_at, IntervalTable.seconds)
        .where(IntervalTable.session_id == row["id"])
        .order_by(IntervalTable.id.desc())
        .limit(1)
    ).one_or_none()
    if last is not None:
        end: datetime = last.started_at + timedelta(seconds=last.seconds)
        return end
    lived: timedelta = (row["at"] or row["opened_at"]) - row["opened_at"]
    started_at: datetime = row["started_at"]
    return started_at + max(lived, timedelta())


def _close(connection: Connection, session_id: int, ended_at: datetime) -> None:
    """End what is still open of a session, nothing before it began."""
    end = literal(ended_at, UtcDateTime())
    for table, key in ((EpisodeTable, EpisodeTable.session_id), (SessionTable, SessionTable.id)):
        connection.execute(
            update(table)
            .where(key == session_id, table.ended_at.is_(None))
            .values(ended_at=case((table.started_at > end, table.started_at), else_=end))
        )


def _open_mode(connection: Connection, session_id: int) -> Mode:
    row = connection.execute(
        select(SessionTable.mode, SessionTable.ended_at).where(SessionTable.id == session_id)
    ).one_or_none()
    if row is None:
        raise _unknown(session_id)
    if row.ended_at is not None:
        raise SessionClosedError(
            f"Session {session_id} ended at {row.ended_at:%H:%M:%S} UTC, nothing can be added to it: start a new one."
        )
    return Mode(row.mode)


def _unknown(session_id: int) -> UnknownSessionError:
    return UnknownSessionError(
        f"There is no session {session_id}: `classpulse sessions` lists those there are."
    )


def _check_mode(record: IntervalRecord, mode: Mode) -> None:
    """The last gate: policy has dropped these rows before, and none may pass if it did not."""
    per_seat = record.readings or record.seats or any(episode.seat is not None for episode in record.episodes)
    if mode is not Mode.INDIVIDUAL and per_seat:
        raise InvalidRecordError(f"A session in {mode} mode keeps no row per seat, this record has some.")
    if mode is Mode.PARTICIPATION and (record.expressions is not None or record.mood is not None):
        raise InvalidRecordError("A session in participation mode keeps no expressions and no mood.")
    unlisted = {reading.seat for reading in record.readings} - {seat.number for seat in record.seats}
    if unlisted:
        raise InvalidRecordError(f"Readings name seats {sorted(unlisted)} that the record does not list.")


def _interval_row(record: IntervalRecord) -> dict[str, Any]:
    expressions: Mapping[Any, int] = record.expressions or {}
    mood = record.mood
    return {
        "session_id": record.session_id,
        "started_at": record.started_at,
        "seconds": float(record.seconds),
        "not_observed": None if record.not_observed is None else str(record.not_observed),
        "grid": bool(record.grid),
        "tiles": int(record.tiles),
        "faces": int(record.faces),
        "faces_read": int(record.faces_read),
        **{f"n_{state}": int(record.states.get(state, 0)) for state in State},
        **{
            expression: None if record.expressions is None else int(expressions.get(expression, 0))
            for expression in EXPRESSIONS
        },
        "valence": None if mood is None else float(mood.valence),
        "arousal": None if mood is None else float(mood.arousal),
        "low": None if mood is None else float(mood.low),
        "high": None if mood is None else float(mood.high),
        "mood_faces": None if mood is None else int(mood.faces),
        "facing": None if record.facing is None else float(record.facing),
        "dropped": int(record.dropped),
        "processing_ms": float(record.processing_ms),
    }


def _reading_row(interval_id: int, reading: Reading) -> dict[str, Any]:
    values = [None] * len(EXPRESSIONS) if reading.probabilities is None else reading.probabilities.tolist()
    return {
        "interval_id": interval_id,
        "seat": int(reading.seat),
        "position": int(reading.position),
        "state": str(reading.state),
        **dict(zip(EXPRESSIONS, values, strict=True)),
        "yaw": None if reading.yaw is None else float(reading.yaw),
        "pitch": None if reading.pitch is None else float(reading.pitch),
        "quality": float(reading.quality),
    }


def _insert_or_update(
    connection: Connection,
    table: type[DeclarativeBase],
    key: Sequence[str],
    changes: Sequence[str],
    *,
    only_where_different: bool = False,
) -> sqlite.Insert | postgresql.Insert:
    """An insert that updates `changes` of the row with the same `key`, if there is one."""
    statement: sqlite.Insert | postgresql.Insert
    statement = postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
    columns, new = table.__table__.c, statement.excluded
    different = or_(*(columns[name].is_distinct_from(new[name]) for name in changes))
    return statement.on_conflict_do_update(
        index_elements=list(key),
        set_={name: new[name] for name in changes},
        where=different if only_where_different else None,
    )


def _store_seats(connection: Connection, session_id: int, seats: Sequence[Seat], at: datetime) -> None:
    if not seats:
        return
    connection.execute(
        _insert_or_update(
            connection,
            SeatTable,
            ("session_id", "number"),
            ("name", "fingerprint"),
            only_where_different=True,  # most seats are the same in every interval: no page to write
        ),
        [
            {
                "session_id": session_id,
                "number": int(seat.number),
                # a participant types their own; cleaned where it was read, and once more at the last door
                "name": None if seat.name is None else clean_name(seat.name),
                "fingerprint": seat.fingerprint,
                "first_seen_at": at,
            }
            for seat in seats
        ],
    )


def _store_episodes(connection: Connection, session_id: int, episodes: Sequence[Episode]) -> None:
    if not episodes:
        return
    connection.execute(
        _insert_or_update(
            connection,
            EpisodeTable,
            ("session_id", "rule", "seat", "started_at"),
            ("reason", "ended_at", "evidence"),
        ),
        [
            {
                "session_id": session_id,
                "rule": str(episode.rule),
                "seat": CLASS_SEAT if episode.seat is None else int(episode.seat),
                "reason": episode.reason,
                "started_at": episode.started_at,
                "ended_at": episode.ended_at,
                "evidence": dict(episode.evidence),
            }
            for episode in episodes
        ],
    )


def _store_heartbeat(
    connection: Connection, session_id: int, stage: str, at: datetime, *, committed_at: datetime | None = None
) -> None:
    """Without `committed_at` that of the last commit stays."""
    row = {"stage": stage, "at": at}
    if committed_at is not None:
        row["committed_at"] = committed_at
    connection.execute(
        _insert_or_update(connection, HeartbeatTable, ("session_id",), tuple(row)),
        {"session_id": session_id, **row},
    )
