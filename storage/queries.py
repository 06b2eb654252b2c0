"""Reading what was kept, as pandas tables with UTC times exact to the microsecond.

Every function is one short read transaction. The tables have their columns and dtypes also when they are empty.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, ScalarSelect, Select, func, select

from engagement.emotion import EXPRESSIONS
from engagement.records import Mode, NotObservedReason, Rule
from storage.database import reading
from storage.errors import UnknownSessionError
from storage.retention import erase_session
from storage.schema import (
    CLASS_SEAT,
    STATE_COLUMNS,
    Condition,
    EpisodeTable,
    HeartbeatTable,
    IntervalTable,
    NoteTable,
    ReadingTable,
    SeatOfferTable,
    SeatTable,
    SessionTable,
)

__all__ = [
    "Condition",
    "Heartbeat",
    "LastInterval",
    "SessionRow",
    "episodes",
    "erase_session",
    "find_session",
    "heartbeat",
    "intervals_since",
    "last_interval",
    "live_session",
    "notes",
    "readings_since",
    "seat_offers",
    "seat_states",
    "seats",
    "seats_read",
    "sessions",
]

_TIME: Final = "datetime64[us, UTC]"

_SESSION_DTYPES: Final[Mapping[str, str]] = {
    "id": "int64",
    "name": "str",
    "mode": "str",
    "interval": "float64",
    "source": "str",
    "started_at": _TIME,
    "ended_at": _TIME,
    "opened_at": _TIME,
    "agent_name": "str",
    "agent_host": "str",
    "agent_pid": "int64",
    "interrupted_at": _TIME,
    "paused_at": _TIME,
    "kept": "bool",
    "live": "bool",
}
_TOTAL_DTYPES: Final[Mapping[str, str]] = {
    "intervals": "int64",
    "most_tiles": "int64",
    "coverage": "float64",
    "lowest": "float64",
    "highest": "float64",
    "episodes": "int64",
    "notes": "int64",
}
_INTERVAL_DTYPES: Final[Mapping[str, str]] = {
    "id": "int64",
    "started_at": _TIME,
    "seconds": "float64",
    "not_observed": "str",
    "grid": "bool",
    "tiles": "int64",
    "faces": "int64",
    "faces_read": "int64",
    **dict.fromkeys(STATE_COLUMNS, "int64"),
    **dict.fromkeys(EXPRESSIONS, "Int64"),
    "valence": "float64",
    "arousal": "float64",
    "low": "float64",
    "high": "float64",
    "mood_faces": "Int64",
    "facing": "float64",
    "dropped": "int64",
    "processing_ms": "float64",
    "followed": "str",
}
_READING_DTYPES: Final[Mapping[str, str]] = {
    "interval_id": "int64",
    "seat": "int64",
    "position": "int64",
    "state": "str",
    **dict.fromkeys(EXPRESSIONS, "float32"),
    "yaw": "float32",
    "pitch": "float32",
    "quality": "float32",
}
_SEAT_DTYPES: Final[Mapping[str, str]] = {
    "seat": "int64",
    "name": "str",
    "fingerprint": "str",
    "first_seen_at": _TIME,
    "last_seen_at": _TIME,
    "calibrated": "bool",
}
_OFFER_DTYPES: Final[Mapping[str, str]] = {
    "seat": "int64",
    "same_as": "int64",
    "reason": "str",
    "offered_at": _TIME,
}
_EPISODE_DTYPES: Final[Mapping[str, str]] = {
    "id": "int64",
    "rule": "str",
    "seat": "Int64",
    "reason": "str",
    "started_at": _TIME,
    "ended_at": _TIME,
    "evidence": "object",
    "mark": "str",
    "marked_at": _TIME,
}
_NOTE_DTYPES: Final[Mapping[str, str]] = {
    "id": "int64",
    "at": _TIME,
    "text": "str",
    "kind": "str",
    "edited_at": _TIME,
}


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session as it is stored; times are aware UTC.

    Attributes:
        id: never given to another session, even if this one is erased.
        name: cleaned.
        mode: what was inferred and kept.
        interval: seconds between frames.
        source: what was watched.
        started_at: of the lesson, or of the recording that was watched.
        ended_at: None while an agent holds the session.
        opened_at: the clock on the wall when it was opened.
        agent_name, agent_host, agent_pid: who watches or watched.
        interrupted_at: when it was left by an agent that did not end it, the clock on the wall; None where it runs or
            ended by itself.
        paused_at: since when it is paused, the clock on the wall; None where it is not.
        kept: whether it is spared from being erased after its time.
        live: whether it is of a class that goes on; else of a recording.
    """

    id: int
    name: str
    mode: Mode
    interval: float
    source: str
    started_at: datetime
    ended_at: datetime | None
    opened_at: datetime
    agent_name: str
    agent_host: str
    agent_pid: int
    interrupted_at: datetime | None
    paused_at: datetime | None
    kept: bool = False
    live: bool = True


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last sign of life of an agent.

    Attributes:
        stage: what it was doing.
        at: aware UTC, the clock on the wall.
        committed_at: when its last interval was committed, by the same clock; None before the first.
        pid: its process id.
        condition: None while it gets on; `restarting` while it is being started again; `stopped` once that was given
            up.
        reason: why, a sentence; None while it gets on.
        condition_at: since when, by the same clock; None while it gets on.
    """

    stage: str
    at: datetime
    committed_at: datetime | None
    pid: int
    condition: Condition | None
    reason: str | None
    condition_at: datetime | None


def sessions(engine: Engine) -> pd.DataFrame:
    """All sessions, the newest first.

    Columns: those of `SessionRow`; intervals (how many), most_tiles (at once), coverage (seats seen / seats shown,
    0..1, NaN where nothing was shown), lowest and highest (mood of the class, -1..1, where its band was narrower than
    half the scale; NaN where it never was), episodes and notes (how many).
    """
    readable = IntervalTable.high - IntervalTable.low < 1.0
    totals = (
        select(
            IntervalTable.session_id,
            func.count().label("intervals"),
            func.max(IntervalTable.tiles).label("most_tiles"),
            func.sum(IntervalTable.n_seen).label("seen"),
            func.sum(IntervalTable.tiles).label("tiles"),
            func.min(IntervalTable.valence).filter(readable).label("lowest"),
            func.max(IntervalTable.valence).filter(readable).label("highest"),
        )
        .group_by(IntervalTable.session_id)
        .subquery()
    )
    query = (
        select(
            *_columns(SessionTable, _SESSION_DTYPES),
            func.coalesce(totals.c.intervals, 0),
            func.coalesce(totals.c.most_tiles, 0),
            totals.c.seen * 1.0 / func.nullif(totals.c.tiles, 0),
            totals.c.lowest,
            totals.c.highest,
            _number_of(EpisodeTable),
            _number_of(NoteTable),
        )
        .outerjoin(totals, totals.c.session_id == SessionTable.id)
        .order_by(SessionTable.id.desc())
    )
    with reading(engine) as connection:
        return _table(connection, query, {**_SESSION_DTYPES, **_TOTAL_DTYPES})


def find_session(engine: Engine, ref: str) -> SessionRow:
    """The session that `ref` names: its id, else its name (the newest of that name), or "last", which was opened last.

    Raises:
        UnknownSessionError: there is none.
    """
    ref = ref.strip()
    every = select(*_columns(SessionTable, _SESSION_DTYPES)).limit(1)
    query = every.order_by(SessionTable.id.desc())
    with reading(engine) as connection:
        row = None
        if ref.isascii() and ref.isdecimal() and int(ref) < 2**31:
            row = connection.execute(query.where(SessionTable.id == int(ref))).one_or_none()
        if row is None:
            row = connection.execute(query.where(SessionTable.name == ref)).one_or_none()
        if row is None and ref == "last":
            # a recording that is read on is opened again
            opened = every.order_by(SessionTable.opened_at.desc(), SessionTable.id.desc())
            row = connection.execute(opened).one_or_none()
    if row is None:
        raise UnknownSessionError(
            f'There is no session "{ref}": give an id or a name that `classpulse sessions` lists, or "last".'
        )
    return _session_row(row)


def live_session(engine: Engine, *, host: str | None = None) -> SessionRow | None:
    """The newest session that has not ended, on the computer `host` where it is given; whether its agent lives,
    `heartbeat` says."""
    query = (
        select(*_columns(SessionTable, _SESSION_DTYPES))
        .where(SessionTable.ended_at.is_(None))
        .order_by(SessionTable.id.desc())
        .limit(1)
    )
    if host is not None:
        query = query.where(SessionTable.agent_host == host)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _session_row(row)


def intervals_since(
    engine: Engine,
    session_id: int,
    after_id: int = 0,
    *,
    back_to: datetime | None = None,
    only: Collection[str] | None = None,
) -> pd.DataFrame:
    """The intervals of a session with an id above `after_id`, oldest first.

    Args:
        engine: from `storage.database.open_database`, migrated.
        session_id: the session.
        after_id: the last interval that is already known.
        back_to: aware UTC; the known intervals since then come too, for what looks back from a new one.
        only: the columns that are wanted; None for all.

    Columns: id, started_at, seconds, not_observed (None where observed), grid, tiles, faces, faces_read, n_seen,
    n_turned_away, n_no_face, n_camera_off, n_unreadable, n_opted_out, angry ... neutral (Int64 counts, NA where the
    mode forbids them), valence, arousal, low, high (NaN where too little was read), mood_faces, facing, dropped,
    processing_ms, followed (`moved` or `resized` where the window was followed, else None).
    """
    dtypes = {name: dtype for name, dtype in _INTERVAL_DTYPES.items() if only is None or name in only}
    with reading(engine) as connection:
        if back_to is not None:
            after_id = min(after_id, _last_id_before(connection, session_id, back_to))
        query = (
            select(*_columns(IntervalTable, dtypes))
            .where(IntervalTable.session_id == session_id, IntervalTable.id > after_id)
            .order_by(IntervalTable.id)
        )
        return _table(connection, query, dtypes)


@dataclass(frozen=True, slots=True)
class LastInterval:
    """Where a session stands.

    Attributes:
        id: of its last interval.
        started_at: when that began, aware UTC by the session's own clock.
        not_observed: why nothing was observed in it, None where it was.
        observed_until: end of the last interval that was observed, by the same clock; None where none was.
    """

    id: int
    started_at: datetime
    not_observed: NotObservedReason | None
    observed_until: datetime | None


def last_interval(engine: Engine, session_id: int) -> LastInterval | None:
    """The last interval of a session, None before the first. It costs the same however long the session is."""
    newest = (
        select(IntervalTable.id, IntervalTable.started_at, IntervalTable.seconds, IntervalTable.not_observed)
        .where(IntervalTable.session_id == session_id)
        .order_by(IntervalTable.id.desc())
        .limit(1)
    )
    with reading(engine) as connection:
        last = connection.execute(newest).one_or_none()
        if last is None:
            return None
        observed = newest.where(IntervalTable.not_observed.is_(None))
        seen = last if last.not_observed is None else connection.execute(observed).one_or_none()
    return LastInterval(
        last.id,
        last.started_at,
        None if last.not_observed is None else NotObservedReason(last.not_observed),
        None if seen is None else seen.started_at + timedelta(seconds=seen.seconds),
    )


def seats_read(engine: Engine, session_id: int, since: datetime) -> tuple[float, float] | None:
    """Seats read and seats shown, on average over the intervals since then that showed any; None if none did.

    Args:
        engine: from `storage.database.open_database`, migrated.
        session_id: the session.
        since: aware UTC; it costs the same however long the session is.
    """
    with reading(engine) as connection:
        query = select(func.avg(IntervalTable.n_seen), func.avg(IntervalTable.tiles)).where(
            IntervalTable.session_id == session_id,
            IntervalTable.id > _last_id_before(connection, session_id, since),
            IntervalTable.tiles > 0,
        )
        read, shown = connection.execute(query).one()
    return None if shown is None else (float(read), float(shown))


def readings_since(
    engine: Engine,
    session_id: int,
    after_id: int = 0,
    seat: int | Collection[int] | None = None,
    since: datetime | None = None,
) -> pd.DataFrame:
    """The readings of a session in intervals with an id above `after_id`, oldest first, by position within each.

    Args:
        engine: from `storage.database.open_database`, migrated.
        session_id: the session.
        after_id: the last interval that is already known.
        seat: only this seat, or only these.
        since: aware UTC, only intervals that start then or later.

    Columns: interval_id, started_at, seat, position, state, angry ... neutral (probabilities, NaN unless seen), yaw,
    pitch (degrees, NaN without a face), quality.
    """
    window = [IntervalTable.session_id == session_id, IntervalTable.id > after_id]
    if since is not None:
        window.append(IntervalTable.started_at >= since)
    times = select(IntervalTable.id, IntervalTable.started_at).where(*window)
    query = (
        select(*_columns(ReadingTable, _READING_DTYPES))
        .join(IntervalTable, IntervalTable.id == ReadingTable.interval_id)
        .where(*window)
        .order_by(ReadingTable.interval_id, ReadingTable.position)
    )
    if seat is not None:
        query = query.where(ReadingTable.seat.in_([seat] if isinstance(seat, int) else sorted(seat)))
    with reading(engine) as connection:
        return _with_times(_table(connection, query, _READING_DTYPES), connection, times)


def seat_states(engine: Engine, session_id: int) -> list[tuple[int, str]]:
    """The seat map: seat and state in the last interval of a session, in the order of the window.

    Empty where nothing was observed in that interval or the mode keeps no readings.
    """
    last = select(func.max(IntervalTable.id)).where(IntervalTable.session_id == session_id).scalar_subquery()
    query = (
        select(ReadingTable.seat, ReadingTable.state)
        .where(ReadingTable.interval_id == last)
        .order_by(ReadingTable.position)
    )
    with reading(engine) as connection:
        return [(seat, str(state)) for seat, state in connection.execute(query)]


def seats(engine: Engine, session_id: int) -> pd.DataFrame:
    """The seats of a session by number: the union over all pages of its gallery.

    Columns: seat, name (None if never read), fingerprint, first_seen_at, last_seen_at (the newest interval that showed
    their tile, whatever its state), calibrated (a bias was applied to it).
    """
    query = (
        select(
            SeatTable.number,
            SeatTable.name,
            SeatTable.fingerprint,
            SeatTable.first_seen_at,
            SeatTable.last_seen_at,
            SeatTable.calibrated,
        )
        .where(SeatTable.session_id == session_id)
        .order_by(SeatTable.number)
    )
    with reading(engine) as connection:
        return _table(connection, query, _SEAT_DTYPES)


def seat_offers(engine: Engine, session_id: int) -> pd.DataFrame:
    """The seats of a session that may be ones already known, oldest first: seat, same_as, reason, offered_at."""
    query = (
        select(*_columns(SeatOfferTable, _OFFER_DTYPES))
        .where(SeatOfferTable.session_id == session_id)
        .order_by(SeatOfferTable.offered_at, SeatOfferTable.seat, SeatOfferTable.same_as)
    )
    with reading(engine) as connection:
        return _table(connection, query, _OFFER_DTYPES)


def episodes(
    engine: Engine, session_id: int, open_only: bool = False, rule: Rule | None = None
) -> pd.DataFrame:
    """The episodes of a session in order of their start: all, only those that are open, or those of one rule.

    Columns: id, rule, seat (Int64, NA for the class), reason, started_at, ended_at (NaT while open), evidence (dict),
    mark (what the teacher answered to its card, None where nothing) and marked_at (when, the clock on the wall).
    """
    query = (
        select(*_columns(EpisodeTable, _EPISODE_DTYPES))
        .where(EpisodeTable.session_id == session_id)
        .order_by(EpisodeTable.started_at, EpisodeTable.id)
    )
    if open_only:
        query = query.where(EpisodeTable.ended_at.is_(None))
    if rule is not None:
        query = query.where(EpisodeTable.rule == rule.value)
    with reading(engine) as connection:
        table = _table(connection, query, _EPISODE_DTYPES)
    return table.assign(seat=table["seat"].replace(CLASS_SEAT, pd.NA))


def notes(engine: Engine, session_id: int) -> pd.DataFrame:
    """The notes and topics of a session in order of their time.

    Columns: id, at, text, kind (a `NoteKind`), edited_at (the clock on the wall, NaT where it never was).
    """
    query = (
        select(*_columns(NoteTable, _NOTE_DTYPES))
        .where(NoteTable.session_id == session_id)
        .order_by(NoteTable.at, NoteTable.id)
    )
    with reading(engine) as connection:
        return _table(connection, query, _NOTE_DTYPES)


def heartbeat(engine: Engine, session_id: int) -> Heartbeat | None:
    """The last sign of life of a session's agent, None before the first."""
    query = (
        select(
            HeartbeatTable.stage,
            HeartbeatTable.at,
            HeartbeatTable.committed_at,
            SessionTable.agent_pid,
            HeartbeatTable.condition,
            HeartbeatTable.reason,
            HeartbeatTable.condition_at,
        )
        .join(SessionTable, SessionTable.id == HeartbeatTable.session_id)
        .where(HeartbeatTable.session_id == session_id)
    )
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Heartbeat(*row[:4], None if row.condition is None else Condition(row.condition), *row[5:])


def _last_id_before(connection: Connection, session_id: int, at: datetime) -> int:
    """Of the last interval that began earlier, 0 if none did; walks back from the newest one.

    Ids grow with time, but by how much other agents decide.
    """
    query = (
        select(IntervalTable.id)
        .where(IntervalTable.session_id == session_id, IntervalTable.started_at < at)
        .order_by(IntervalTable.id.desc())
        .limit(1)
    )
    return connection.scalar(query) or 0


def _columns(table: Any, dtypes: Mapping[str, str]) -> Sequence[Any]:
    return [getattr(table, name) for name in dtypes]


def _number_of(table: type[EpisodeTable | NoteTable]) -> ScalarSelect[int]:
    return (
        select(func.count())
        .where(table.session_id == SessionTable.id)
        .correlate(SessionTable)
        .scalar_subquery()
    )


def _session_row(row: Any) -> SessionRow:
    values = row._asdict()
    return SessionRow(**{**values, "mode": Mode(values["mode"])})


def _table(
    connection: Connection, query: Select[*tuple[Any, ...]], dtypes: Mapping[str, str]
) -> pd.DataFrame:
    """The rows of `query` as a table with these columns and dtypes, whatever the rows hold."""
    rows = connection.execute(query).all()
    columns = list(zip(*rows, strict=True)) or [()] * len(dtypes)
    return pd.DataFrame(
        {name: _array(values, dtype) for (name, dtype), values in zip(dtypes.items(), columns, strict=True)},
        copy=False,
    )


def _array(values: Sequence[Any], dtype: str) -> Any:
    """The values of a column: a table of arrays is made in half the time of one of series."""
    kind: Any = dtype  # pandas-stubs knows no name that is computed
    if dtype in {"str", "Int64", _TIME}:
        return pd.array(values, dtype=kind)
    if dtype != "object":
        return np.array(values, dtype=dtype)  # None becomes NaN
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects


def _with_times(table: pd.DataFrame, connection: Connection, times: Select[*tuple[Any, ...]]) -> pd.DataFrame:
    """Add `started_at` after `interval_id`: fetched once per interval, not once per reading."""
    starts = _table(connection, times, {"id": "int64", "started_at": _TIME}).set_index("id")["started_at"]
    table.insert(1, "started_at", starts.reindex(table["interval_id"]).array)
    return table
