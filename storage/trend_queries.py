"""The figures of a class over its sessions, summed in the database from the rows per interval.

A class is all sessions of one name. The rows per seat are never touched, so their number does not matter.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Integer, and_, cast, extract, func, or_, select

from engagement.records import Mode
from engagement.summary import WIDEST_BAND
from engagement.trends import EARLIER, MinuteFigures, SessionFigures
from storage.database import reading
from storage.schema import IntervalTable, SessionTable

LONGEST_LESSON: Final = 240
"""Minutes of a session that are compared: one that was left running would leave the others on a dot."""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class that has sessions.

    Attributes:
        name: of its sessions.
        sessions: how many.
        last_at: when the newest began, aware UTC.
    """

    name: str
    sessions: int
    last_at: datetime


def classes(engine: Engine) -> tuple[ClassRow, ...]:
    """All classes, the one with the newest session first."""
    newest = func.max(SessionTable.started_at, type_=SessionTable.started_at.type)
    query = (
        select(SessionTable.name, func.count(), newest)
        .group_by(SessionTable.name)
        .order_by(newest.desc(), SessionTable.name)
    )
    with reading(engine) as connection:
        return tuple(ClassRow(*row) for row in connection.execute(query))


def class_sessions(engine: Engine, name: str) -> tuple[SessionFigures, ...]:
    """The sessions of a class in figures, in order of their start; empty where there is no such class."""
    seen = IntervalTable.not_observed.is_(None)
    columns = _means()
    totals = (
        select(
            IntervalTable.session_id,
            func.sum(IntervalTable.seconds).filter(seen).label("observed"),
            func.sum(IntervalTable.seconds).filter(~seen).label("not_observed"),
            func.max(IntervalTable.tiles).label("most_tiles"),
            func.max(IntervalTable.id).label("last"),
            func.sum(IntervalTable.seconds).filter(_readable()).label("mood_seconds"),
            *(value.label(column) for column, value in columns.items()),
        )
        .join(SessionTable, SessionTable.id == IntervalTable.session_id)
        .where(SessionTable.name == name)
        .group_by(IntervalTable.session_id)
        .subquery()
    )
    last = select(IntervalTable.id, IntervalTable.started_at, IntervalTable.seconds).subquery()
    query = (
        select(
            SessionTable.id,
            SessionTable.mode,
            SessionTable.started_at,
            SessionTable.ended_at,
            last.c.started_at.label("last_at"),
            last.c.seconds.label("last_seconds"),
            *(getattr(totals.c, column) for column in ("observed", "not_observed", "most_tiles")),
            totals.c.mood_seconds,
            *(getattr(totals.c, column) for column in columns),
        )
        .outerjoin(totals, totals.c.session_id == SessionTable.id)
        .outerjoin(last, last.c.id == totals.c.last)
        .where(SessionTable.name == name)
        .order_by(SessionTable.started_at, SessionTable.id)
    )
    with reading(engine) as connection:
        return tuple(_session(row) for row in connection.execute(query))


def lesson_minutes(engine: Engine, session_id: int) -> tuple[MinuteFigures, ...]:
    """The minutes of a session and of the `EARLIER` ones of its class before it, by session and minute.

    Empty where there is no such session.
    """
    chosen = (
        select(SessionTable.name, SessionTable.started_at).where(SessionTable.id == session_id).subquery()
    )
    wanted = (
        select(SessionTable.id)
        .join(chosen, SessionTable.name == chosen.c.name)
        .where(
            or_(
                SessionTable.started_at < chosen.c.started_at,
                and_(SessionTable.started_at == chosen.c.started_at, SessionTable.id <= session_id),
            )
        )
        .order_by(SessionTable.started_at.desc(), SessionTable.id.desc())
        .limit(EARLIER + 1)
    )
    since = _epoch(engine, IntervalTable.started_at) - _epoch(engine, SessionTable.started_at)
    minute = (since // 60).label("minute")
    columns = _means()
    query = (
        select(
            IntervalTable.session_id,
            minute,
            *(value.label(column) for column, value in columns.items()),
        )
        .join(SessionTable, SessionTable.id == IntervalTable.session_id)
        .where(
            IntervalTable.session_id.in_(wanted.scalar_subquery()), since >= 0, since < LONGEST_LESSON * 60
        )
        .group_by(IntervalTable.session_id, minute)
        .order_by(IntervalTable.session_id, minute)
    )
    with reading(engine) as connection:
        return tuple(
            MinuteFigures(row.session_id, row.minute, row.coverage, row.facing, row.mood, row.low, row.high)
            for row in connection.execute(query)
        )


def _epoch(engine: Engine, at: Any) -> ColumnElement[int]:
    """Whole seconds since 1970, rounded down: SQLite's strftime('%s') has none but these, while PostgreSQL's epoch has
    fractions and its cast rounds to the nearest."""
    seconds = extract("epoch", at)
    whole = func.floor(seconds) if engine.dialect.name == "postgresql" else seconds
    return cast(whole, Integer)


def _readable() -> ColumnElement[bool]:
    """Where the report reads a mood too; with too few faces the band is as wide as the scale."""
    return IntervalTable.high - IntervalTable.low < WIDEST_BAND


def _means() -> dict[str, ColumnElement[Any]]:
    """Means over time of a group of intervals, NULL where there is nothing to tell."""
    readable = _readable()

    def mean(value: Any, where: ColumnElement[bool]) -> ColumnElement[Any]:
        seconds = func.sum(IntervalTable.seconds).filter(where)
        return func.sum(value * IntervalTable.seconds).filter(where) / func.nullif(seconds, 0)

    present = func.sum(IntervalTable.tiles * IntervalTable.seconds)
    read = func.sum(IntervalTable.n_seen * IntervalTable.seconds)
    return {
        "coverage": read / func.nullif(present, 0),
        "facing": mean(IntervalTable.facing, IntervalTable.facing.is_not(None)),
        "mood": mean(IntervalTable.valence, readable),
        "low": mean(IntervalTable.low, readable),
        "high": mean(IntervalTable.high, readable),
    }


def _session(row: Any) -> SessionFigures:
    ended_at = row.ended_at
    if ended_at is None:
        ended_at = (
            row.started_at if row.last_at is None else row.last_at + timedelta(seconds=row.last_seconds)
        )
    return SessionFigures(
        id=row.id,
        mode=Mode(row.mode),
        started_at=row.started_at,
        ended_at=max(ended_at, row.started_at).astimezone(UTC),
        runs=row.ended_at is None,
        observed=float(row.observed or 0),
        not_observed=float(row.not_observed or 0),
        most_tiles=row.most_tiles or 0,
        coverage=row.coverage,
        facing=row.facing,
        mood_seconds=float(row.mood_seconds or 0),
        mood=row.mood,
        low=row.low,
        high=row.high,
    )
