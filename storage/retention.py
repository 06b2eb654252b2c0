"""How long sessions are kept, and erasing what was, down to the bytes."""

import contextlib
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Final, cast

from sqlalchemy import Connection, Engine, and_, delete, func, insert, not_, or_, select, text, update
from sqlalchemy.orm import aliased

from engagement.records import Consent, Mode
from storage.audit import THIS_COMPUTER, AuditAction, write_audit
from storage.class_seats import class_seats
from storage.database import reading, writing
from storage.errors import DatabaseLockedError, SessionBusyError, StorageError, UnknownSessionError
from storage.faults import sqlite_error, sqlite_file
from storage.mentions import erase_mentions
from storage.migrate import backups
from storage.schema import (
    Base,
    EpisodeTable,
    ErasingTable,
    IntervalTable,
    ReadingTable,
    SeatOfferTable,
    SeatTable,
    SessionTable,
    StudentLabelTable,
    StudentTable,
)
from storage.scope import restricted
from storage.students import Student, find_student, take_biases
from storage.traces import labels_of

_ANEW: Final = (
    "CREATE TEMP TABLE kept AS SELECT * FROM {}",
    "DELETE FROM {}",
    "INSERT INTO {} SELECT * FROM temp.kept",
    "DROP TABLE temp.kept",
)

_AGAIN: Final = "classpulse tries it again when it starts, and every hour while it runs."

_MAY_END_LOG: Final = (
    "SELECT has_function_privilege('pg_switch_wal()', 'EXECUTE') AND coalesce("
    "(SELECT pg_has_role(oid, 'USAGE') FROM pg_roles WHERE rolname = 'pg_checkpoint'), "
    "(SELECT rolsuper FROM pg_roles WHERE rolname = current_user))"
)
"""Whether our role at a PostgreSQL server may begin another file of its log and have it let go of those before."""

_END_LOG: Final = ("SELECT pg_switch_wal()", "CHECKPOINT")

_WITHOUT_NAMES: Final = frozenset({IntervalTable.__tablename__, ReadingTable.__tablename__})
"""The bulk: numbers only."""


def set_kept(engine: Engine, session_id: int, *, kept: bool, actor: str = THIS_COMPUTER) -> None:
    """Spare a session from the purge, or let it go with the others.

    Raises:
        UnknownSessionError: there is no such session.
    """
    with writing(engine) as connection:
        before = connection.scalar(select(SessionTable.kept).where(SessionTable.id == session_id))
        if before is None:
            raise _unknown(session_id)
        if before != kept:
            connection.execute(update(SessionTable).where(SessionTable.id == session_id).values(kept=kept))
            write_audit(connection, AuditAction.SESSION_KEPT, actor, session_id, kept=kept)


def purge(engine: Engine, days: int, now: datetime) -> list[int]:
    """Erase the sessions that were made `days` days ago or earlier and that nobody keeps; their ids.

    What counts is when a session was made by the clock on the wall: a recording may show a lesson of long ago. The bias
    of a seat goes as many days after it was fitted. Bytes of what was erased earlier that could not be overwritten then
    are overwritten now.

    Args:
        engine: from `storage.database.open_database`, migrated.
        days: whole days, at least 1.
        now: aware UTC.

    Raises:
        DatabaseLockedError: they are gone, but another process reads the log, which could not be emptied.
    """
    due = (
        SessionTable.opened_at <= now - timedelta(days=days),
        SessionTable.ended_at.is_not(None),
        SessionTable.kept.is_(False),
    )
    # what was fitted to readings does not outlive them
    old_bias = or_(
        StudentTable.calibrated_at <= now - timedelta(days=days),
        # by a clock that was far ahead
        StudentTable.calibrated_at > now + timedelta(days=days),
    )
    # a later one that is not ahead tells that the clock was wrong then, and not now
    later = aliased(SessionTable)
    last_known = select(func.max(later.id)).where(later.opened_at <= now).scalar_subquery()
    ahead = (
        SessionTable.opened_at > now + timedelta(days=days),
        SessionTable.ended_at.is_not(None),
        SessionTable.id < last_known,
    )
    with reading(engine) as connection:
        any_ahead = connection.scalar(select(SessionTable.id).where(*ahead).limit(1)) is not None
        any_due = connection.scalar(select(SessionTable.id).where(*due).limit(1)) is not None
        left = connection.scalar(select(ErasingTable.id).limit(1)) is not None
        calibrated = connection.scalar(select(StudentTable.id).where(old_bias).limit(1)) is not None
    gone: list[int] = []
    if calibrated:
        with writing(engine) as connection:
            take_biases(connection, old_bias, "classpulse", after_days=days)
            _note_erasing(connection)
    if any_ahead:
        with writing(engine) as connection:
            connection.execute(update(SessionTable).where(*ahead).values(opened_at=now))
    if any_due:
        with writing(engine) as connection:
            gone = list(connection.scalars(delete(SessionTable).where(*due).returning(SessionTable.id)))
            for session_id in gone:
                write_audit(connection, AuditAction.SESSION_PURGED, "classpulse", session_id, after_days=days)
            _note_erasing(connection)
    if any_due or calibrated or left:
        _leave_no_bytes(engine)
    return sorted(gone)


def erase_session(engine: Engine, session_id: int, *, actor: str = THIS_COMPUTER) -> None:
    """Remove a session and all that belongs to it.

    In a SQLite file the freed space is overwritten (`secure_delete`), the tables with names are written anew, the
    write-ahead log is emptied and the copies that migrations left are removed, for they hold the session too. On a
    PostgreSQL server the tables with names are written anew, and it is asked to let go of its write-ahead log where our
    role may ask for it; whether it then removes those files or writes over them later is set there (`wal_recycle`), and
    its archives and backups are its keeper's.

    Args:
        engine: from `storage.database.open_database`, migrated.
        session_id: the session.
        actor: who erases it, for the audit log.

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
            raise _unknown(session_id)
        if row.ended_at is None:
            raise SessionBusyError(
                f'The session "{row.name}" is still open, held by {row.agent_name} (process {row.agent_pid}): '
                "stop that one first, then erase it."
            )
        connection.execute(delete(SessionTable).where(SessionTable.id == session_id))
        write_audit(connection, AuditAction.SESSION_ERASED, actor, session_id)
        _note_erasing(connection)
    _leave_no_bytes(engine)


def _unknown(session_id: int) -> UnknownSessionError:
    return UnknownSessionError(
        f"There is no session {session_id}: `classpulse sessions` lists those there are."
    )


def erase_student(
    engine: Engine, student_id: int, *, with_refusal: bool = False, actor: str = THIS_COMPUTER
) -> bool:
    """Remove a student and all that was kept of them in the sessions of their class.

    Their seats go with readings, episodes and offers, their labels, their consent, and their name where it stands in
    the reason of another's episode, in what was watched, in why a reading broke off and in where another's consent
    stands; a label of the teacher's own tile that holds it goes too. A refusal stays on the class list, with the
    labels that the teacher matched to it, unless it is to go too: without it they would be looked at in the next
    session. What stays: the counts of the class, which name nobody; the teacher's own notes; seats of which nobody can
    tell whether they are theirs (`storage.traces`); other classes. Bytes as with `erase_session`.

    Args:
        engine: from `storage.database.open_database`, migrated.
        student_id: the student.
        with_refusal: take the refusal of one who refused from the list too; of no meaning for the others.
        actor: who erases them, for the audit log.

    Returns:
        Whether a refusal stays on the list.

    Raises:
        UnknownStudentError: there is no such student.
        SessionBusyError: a session of the class that keeps rows per seat has not ended.
        DatabaseLockedError: the student is gone, but another process reads the log, which could not be emptied.
    """
    with writing(engine) as connection:
        student = find_student(connection, student_id)
        # on PostgreSQL an answer to an offer, a commit and a purge wait for it, as they begin with the session too
        connection.execute(
            select(SessionTable.id)
            .where(SessionTable.name == student.class_name)
            .order_by(SessionTable.id)
            .with_for_update()
        ).all()
        _refuse_while_open(connection, student)
        own = [seat for seat in class_seats(connection, student.class_name) if seat.student_id == student_id]
        names = {student.name, *labels_of(connection, student_id, own)}
        refusal_stays = student.consent is Consent.REFUSED and not with_refusal
        for session_id, seats in groupby(own, key=lambda seat: seat.session_id):
            _erase_seats(connection, session_id, [seat.number for seat in seats])
        erase_mentions(connection, student.class_name, student_id, names)
        theirs = StudentLabelTable.student_id.is_not_distinct_from(student_id)
        alike = StudentLabelTable.label.in_(names)
        connection.execute(
            delete(StudentLabelTable).where(
                StudentLabelTable.class_name == student.class_name,
                # by those matched to them they are left out when their tile shows another name
                and_(alike, not_(theirs)) if refusal_stays else or_(alike, theirs),
            )
        )
        mine = StudentTable.id == student_id
        if refusal_stays:
            take_biases(connection, mine, actor)
        else:
            connection.execute(delete(StudentTable).where(mine))
        told = {"refusal_kept": True} if refusal_stays else {}
        write_audit(connection, AuditAction.STUDENT_ERASED, actor, student_id, **told)
        _note_erasing(connection)
    _leave_no_bytes(engine)
    return refusal_stays


def _refuse_while_open(connection: Connection, student: Student) -> None:
    row = connection.execute(
        select(SessionTable.agent_name, SessionTable.agent_pid).where(
            SessionTable.name == student.class_name,
            SessionTable.mode == str(Mode.INDIVIDUAL),
            SessionTable.ended_at.is_(None),
        )
    ).first()
    if row is not None:
        # its agent knows the seats by heart and would write them again
        raise SessionBusyError(
            f'A session of "{student.class_name}" is still open, held by {row.agent_name} (process {row.agent_pid}): '
            f"stop it first, then erase {student.name}. Marked as refused they are not read from the next interval on."
        )


def _erase_seats(connection: Connection, session_id: int, numbers: Sequence[int]) -> None:
    of_session = select(IntervalTable.id).where(IntervalTable.session_id == session_id)
    connection.execute(
        delete(ReadingTable).where(ReadingTable.interval_id.in_(of_session), ReadingTable.seat.in_(numbers))
    )
    connection.execute(
        delete(EpisodeTable).where(EpisodeTable.session_id == session_id, EpisodeTable.seat.in_(numbers))
    )
    connection.execute(
        delete(SeatOfferTable).where(
            SeatOfferTable.session_id == session_id,
            or_(SeatOfferTable.seat.in_(numbers), SeatOfferTable.same_as.in_(numbers)),
        )
    )
    connection.execute(
        delete(SeatTable).where(SeatTable.session_id == session_id, SeatTable.number.in_(numbers))
    )


def _note_erasing(connection: Connection) -> None:
    """Keep, in the transaction that erases, that bytes are to be overwritten, whoever is killed before it is done."""
    with restricted(None):
        connection.execute(insert(ErasingTable).values(at=datetime.now(UTC)))


def _leave_no_bytes(engine: Engine) -> None:
    """See that neither the tables nor a SQLite file's log nor a copy of it holds what was erased, nor, where that can
    be, the log of a PostgreSQL server. What cannot be done now is due at the next `purge`."""
    # also what others have erased, so that no scope is asked
    with restricted(None):
        with reading(engine) as connection:
            noted = list(connection.scalars(select(ErasingTable.id)))
        path = sqlite_file(engine)
        if path is None:
            _rewrite_tables(engine)
        else:
            # first, for these are there whoever reads the database
            kept = [copy for copy in backups(engine) if not _remove(copy)]
            _write_anew(engine, path)
            _empty_log(engine, path)
            if kept:
                raise StorageError(
                    f"It was erased, but the copy {kept[0]} that an update left holds it and could not be removed: "
                    f"remove it. {_AGAIN}"
                )
        with writing(engine) as connection:
            connection.execute(delete(ErasingTable).where(ErasingTable.id.in_(noted)))


def _remove(file: Path) -> bool:
    try:
        file.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _write_anew(engine: Engine, path: Path) -> None:
    """Fill the tables that hold names anew, in the order of their keys.

    `secure_delete` overwrites a row that is deleted and a page that is freed, but not the bytes that a row left behind
    when it moved to another page as its table grew: they stay in the gap of the first until that is filled anew.
    """
    tables = _tables_with_names()
    with contextlib.closing(engine.raw_connection()) as pooled:
        raw = cast("sqlite3.Connection", pooled.driver_connection)
        pooled.detach()  # its settings die with it
        try:
            # nobody's rows go with a table that is emptied for a moment
            raw.execute("PRAGMA foreign_keys = OFF")
            raw.execute("BEGIN IMMEDIATE")
            for table in tables:
                for statement in _ANEW:
                    raw.execute(statement.format(table))
            raw.execute("COMMIT")
        except sqlite3.Error as error:
            failed = sqlite_error(error, path)
            raise type(failed)(
                f"It was erased, but old bytes of it in the file could not be overwritten: {failed} {_AGAIN}"
            ) from error


def _rewrite_tables(engine: Engine) -> None:
    """Let PostgreSQL write the tables with names into new files: till then it keeps the bytes of rows that are gone.

    Its log holds them for longer; where our role may, it is let go of.
    """
    tables = ", ".join(_tables_with_names())
    try:
        with engine.connect() as pooled:
            connection = pooled.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text(f"VACUUM (FULL) {tables}"))
            if connection.scalar(text(_MAY_END_LOG)):
                for statement in _END_LOG:
                    connection.execute(text(statement))
    except StorageError as error:
        raise type(error)(
            f"It was erased, but old bytes of it in the database's files could not be overwritten: {error} {_AGAIN}"
        ) from error


def _tables_with_names() -> list[str]:
    return [table.name for table in Base.metadata.sorted_tables if table.name not in _WITHOUT_NAMES]


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
            f"It was erased, but another program reads the database {path} and keeps its log from being emptied: "
            f"close what else uses it. {_AGAIN}"
        )
