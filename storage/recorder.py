"""Writing a session: one transaction per interval, so that what was reported committed is on the disk."""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Engine, RowMapping, case, func, insert, literal, select, update

from engagement.errors import InvalidRecordError
from engagement.names import clean_name
from engagement.policy import Policy
from engagement.records import IntervalRecord, Mode, check_utc
from storage.audit import AuditAction, write_audit
from storage.database import reading, writing
from storage.errors import SessionBusyError, SessionClosedError, UnknownSessionError
from storage.interval_rows import as_answered, insert_or_update, store_record
from storage.schema import (
    MAX_SOURCE_LENGTH,
    Condition,
    EpisodeTable,
    HeartbeatTable,
    IntervalTable,
    SessionTable,
    UtcDateTime,
)
from storage.seat_offers import read_merged

COMMITTED_STAGE: Final = "committed"
"""The stage of a heartbeat that came with an interval."""

FOREIGN_SILENCE: Final = timedelta(minutes=2)
"""An agent on another computer counts as dead after this long without a heartbeat."""

RESUME_WITHIN: Final = timedelta(minutes=10)
"""A session that broke off is gone on with for so long; after that a new one of its name begins."""

_CLOCK_SLACK: Final = timedelta(seconds=5)

_NONE_CALIBRATED: Final[Mapping[int, int | None]] = MappingProxyType({})


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
        agreed: whether the teacher states that the class was told and agreed; kept in the audit log.
        live: whether time passes by itself; False for a recording.
        may_resume: go on with the newest session of this name, mode and interval: with a live one of the same kind of
            source that broke off less than `RESUME_WITHIN` ago; with one of this recording that was left before its
            end, however long ago.
        ends_at: aware UTC, the end of a recording; None where it is not known, and such a one is read anew.
    """

    name: str
    mode: Mode
    interval: float
    source: str
    started_at: datetime
    agent_name: str
    pid: int
    live: bool = True
    may_resume: bool = False
    ends_at: datetime | None = None
    agreed: bool = False

    def __post_init__(self) -> None:
        check_utc("NewSession.started_at", self.started_at)
        if self.ends_at is not None:
            check_utc("NewSession.ends_at", self.ends_at)


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """What `open_session` opened.

    Attributes:
        id: key of the session.
        resumed_from: None for a new one; else aware UTC at which the last interval of the session that goes on ended.
    """

    id: int
    resumed_from: datetime | None


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
        self._opened: dict[int, datetime] = {}  # sessions that this recorder opened, and when

    @property
    def engine(self) -> Engine:
        """The database it writes to."""
        return self._engine

    def open_session(self, new: NewSession) -> int:
        """As `open_or_resume`, for those who only want the id."""
        return self.open_or_resume(new).id

    def open_or_resume(self, new: NewSession) -> OpenedSession:
        """Start a session, or go on with the one that broke off.

        A session of the same name whose agent died is gone on with where `new` allows it, else closed at its true
        last time; so is a recording that was left before its end. The episodes of one that goes on have ended with its
        last interval; who knows better commits them again.

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
            # the title of a window may be written by a web page, and terminals obey some characters
            source = clean_name(new.source, MAX_SOURCE_LENGTH) or "unknown"
            for row in _open_sessions(connection, name):
                if self._lives(row, now):
                    raise SessionBusyError(
                        f'The session "{name}" is already being watched by {row["agent_name"]} '
                        f"(process {row['agent_pid']} on {row['agent_host']}): "
                        "stop that one first or give this one another name with --session."
                    )
                _close(connection, row["id"], _last_time(connection, row), interrupted_at=now)
            agent = {
                "agent_name": new.agent_name,
                "agent_host": socket.gethostname(),
                "agent_pid": new.pid,
                "opened_at": now,
            }
            left = _left_open(connection, name, new, source) if new.may_resume else None
            if left is not None:
                connection.execute(
                    update(SessionTable)
                    .where(SessionTable.id == left.id)
                    .values(
                        ended_at=None, interrupted_at=None, paused_at=None, stop_requested_at=None, **agent
                    )
                )
                self._opened[left.id] = now
                if not new.live:
                    # it may be read on another day, and whether the class agreed was said anew
                    _note_start(connection, new, left.id)
                return left
            session_id = connection.execute(
                insert(SessionTable)
                .values(
                    name=name,
                    mode=str(new.mode),
                    interval=new.interval,
                    source=source,
                    started_at=new.started_at,
                    live=new.live,
                    **agent,
                )
                .returning(SessionTable.id)
            ).scalar_one()
            _note_start(connection, new, session_id)
            self._opened[session_id] = now
        return OpenedSession(session_id, None)

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
                    _close(connection, row["id"], _last_time(connection, row), interrupted_at=now)
                    closed.append(row["id"])
        return closed

    def say_condition(
        self, condition: Condition, reason: str, at: datetime, session: str | None = None
    ) -> None:
        """Say for the page that an open session is being restarted, or was given up; its next commit unsays it.

        Nothing happens where no such session is open, or another computer's agent has gone on with it.

        Args:
            condition: what is the matter.
            reason: a sentence.
            at: aware UTC, the clock on the wall.
            session: its name; None is the newest that is open.
        """
        newest = select(func.max(SessionTable.id)).where(
            SessionTable.ended_at.is_(None), SessionTable.agent_host == socket.gethostname()
        )
        if session is not None:
            newest = newest.where(SessionTable.name == clean_name(session))
        with writing(self._engine) as connection:
            session_id = connection.scalar(newest)
            if session_id is None:
                return
            row = {"condition": str(condition), "reason": reason, "condition_at": at}
            connection.execute(
                insert_or_update(connection, HeartbeatTable, ("session_id",), tuple(row)),
                {"session_id": session_id, "stage": str(condition), "at": at, **row},
            )

    def commit(
        self, record: IntervalRecord, calibrations: Mapping[int, int | None] = _NONE_CALIBRATED
    ) -> int:
        """Store one interval with its readings, seats and episodes, and return the interval's id.

        A seat that the teacher has just said to be another is stored as that one.

        Args:
            record: of the interval.
            calibrations: seat -> the calibration whose bias was applied to what was read on it, if any was.

        Raises:
            UnknownSessionError, SessionClosedError: the record's session is not open.
            SessionBusyError: this recorder opened it, and another agent has gone on with it since.
            InvalidRecordError: the record holds what the session's mode forbids, or names a seat it does not list.
        """
        with writing(self._engine) as connection:
            _check_mode(record, self._held_mode(connection, record.session_id))
            # by position, which no answer changes
            applied = {one.position: calibrations.get(one.seat) for one in record.readings}
            record = as_answered(record, read_merged(connection, record.session_id))
            interval_id = store_record(connection, record, applied)
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
            SessionBusyError: this recorder opened it, and another agent has gone on with it since.
        """
        with writing(self._engine) as connection:
            self._held_mode(connection, session_id)
            _store_heartbeat(connection, session_id, stage, at)

    def close_session(self, session_id: int, ended_at: datetime, *, interrupted: bool = False) -> None:
        """End a session and its open episodes; one that has ended keeps its end, and so does one that this recorder
        opened and another agent has gone on with.

        Args:
            session_id: the session.
            ended_at: aware UTC; a time before the session's start counts as its start.
            interrupted: it broke off, so that the next agent may go on with it.

        Raises:
            UnknownSessionError: there is no such session.
        """
        with writing(self._engine) as connection:
            opened_at = connection.scalar(
                select(SessionTable.opened_at).where(SessionTable.id == session_id).with_for_update()
            )
            if opened_at is None:
                raise _unknown(session_id)
            if self._opened.get(session_id, opened_at) != opened_at:
                return
            _close(
                connection, session_id, ended_at, interrupted_at=datetime.now(UTC) if interrupted else None
            )

    def _held_mode(self, connection: Connection, session_id: int) -> Mode:
        """The mode of an open session, which on PostgreSQL nobody else changes until the transaction ends."""
        row = connection.execute(
            select(
                SessionTable.mode,
                SessionTable.ended_at,
                SessionTable.opened_at,
                SessionTable.agent_name,
                SessionTable.agent_pid,
                SessionTable.agent_host,
            )
            .where(SessionTable.id == session_id)
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise _unknown(session_id)
        if row.ended_at is not None:
            raise SessionClosedError(
                f"Session {session_id} ended at {row.ended_at:%H:%M:%S} UTC, nothing can be added to it: start a new "
                "one."
            )
        if self._opened.get(session_id, row.opened_at) != row.opened_at:
            # this one was silent for long, as on a computer that slept
            raise SessionBusyError(
                f"Session {session_id} is watched by {row.agent_name} (process {row.agent_pid} on {row.agent_host}) "
                "now, which went on with it: this agent has nothing to add to it and ends."
            )
        return Mode(row.mode)

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


_SESSION: Final = [one.class_attribute for one in SessionTable.__mapper__.column_attrs]
"""All columns, by their class, so that they keep to `storage.scope`."""


def _serialise(connection: Connection) -> None:
    """Let one `open_session` at a time look and insert; SQLite's write lock does so by itself."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE sessions IN SHARE ROW EXCLUSIVE MODE")


def _open_sessions(connection: Connection, name: str | None = None) -> Sequence[RowMapping]:
    query = (
        select(*_SESSION, HeartbeatTable.at)
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


def _note_start(connection: Connection, new: NewSession, session_id: int) -> None:
    write_audit(
        connection,
        AuditAction.SESSION_STARTED,
        new.agent_name,
        session_id,
        mode=str(new.mode),
        class_agreed=new.agreed,
    )


def _left_open(connection: Connection, name: str, new: NewSession, source: str) -> OpenedSession | None:
    """The newest session of this name, if it was watched in the same way and either broke off just now or is of this
    recording, of which more can be read."""
    row = (
        connection.execute(
            select(*_SESSION, HeartbeatTable.at)
            .outerjoin(HeartbeatTable, HeartbeatTable.session_id == SessionTable.id)
            .where(SessionTable.name == name)
            .order_by(SessionTable.id.desc())
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    if (
        row is None
        or row["ended_at"] is None
        or (row["live"], row["mode"], row["interval"]) != (new.live, new.mode, new.interval)
    ):
        return None
    goes_on = _broke_off(row, new, source) if new.live else _has_more(row, new, source)
    return OpenedSession(row["id"], row["ended_at"]) if goes_on else None


def _broke_off(row: RowMapping, new: NewSession, source: str) -> bool:
    return (
        row["interrupted_at"] is not None
        # the teacher wanted its end, and its agent died before it obeyed
        and row["stop_requested_at"] is None
        # the title of a window changes with who talks: its kind is enough
        and row["source"].split(" ")[0] == source.split(" ", maxsplit=1)[0]
        and abs(new.started_at - row["ended_at"]) <= RESUME_WITHIN
    )


def _has_more(row: RowMapping, new: NewSession, source: str) -> bool:
    return (
        (row["source"], row["started_at"]) == (source, new.started_at)
        and new.ends_at is not None
        # half an interval: its last one may reach beyond the end
        and row["ended_at"] + timedelta(seconds=new.interval / 2) < new.ends_at
    )


def _close(
    connection: Connection, session_id: int, ended_at: datetime, *, interrupted_at: datetime | None = None
) -> None:
    """End what is still open of a session, nothing before it began."""
    end = literal(ended_at, UtcDateTime())
    if interrupted_at is not None:
        connection.execute(
            update(SessionTable)
            .where(SessionTable.id == session_id, SessionTable.ended_at.is_(None))
            .values(interrupted_at=interrupted_at)
        )
    for table, key in ((EpisodeTable, EpisodeTable.session_id), (SessionTable, SessionTable.id)):
        connection.execute(
            update(table)
            .where(key == session_id, table.ended_at.is_(None))
            .values(ended_at=case((table.started_at > end, table.started_at), else_=end))
        )


def _unknown(session_id: int) -> UnknownSessionError:
    return UnknownSessionError(
        f"There is no session {session_id}: `classpulse sessions` lists those there are."
    )


def _check_mode(record: IntervalRecord, mode: Mode) -> None:
    """The last gate: the policy of the mode was laid on the record before, and would change nothing of it any more."""
    allowed = Policy(mode).apply(record)
    beyond = [
        field.name for field in fields(record) if getattr(record, field.name) != getattr(allowed, field.name)
    ]
    if beyond:
        raise InvalidRecordError(
            f"A session in {mode} mode keeps no such {', '.join(beyond)}: lay the mode's policy on the record first."
        )
    unlisted = {reading.seat for reading in record.readings} - {seat.number for seat in record.seats}
    if unlisted:
        raise InvalidRecordError(f"Readings name seats {sorted(unlisted)} that the record does not list.")


def _store_heartbeat(
    connection: Connection, session_id: int, stage: str, at: datetime, *, committed_at: datetime | None = None
) -> None:
    """Without `committed_at` that of the last commit stays, and so does what is the matter."""
    row: dict[str, Any] = {"stage": stage, "at": at}
    if committed_at is not None:
        row |= {"committed_at": committed_at, "condition": None, "reason": None, "condition_at": None}
    connection.execute(
        insert_or_update(connection, HeartbeatTable, ("session_id",), tuple(row)),
        {"session_id": session_id, **row},
    )
