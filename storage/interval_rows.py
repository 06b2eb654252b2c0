"""The rows of one interval: its totals, readings, seats, offers and episodes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase

from engagement.emotion import EXPRESSIONS
from engagement.names import clean_name
from engagement.records import Episode, IntervalRecord, Reading, Seat, State
from storage.schema import (
    CLASS_SEAT,
    EpisodeTable,
    IntervalTable,
    ReadingTable,
    SeatOfferTable,
    SeatTable,
    StudentTable,
)


def store_record(
    connection: Connection, record: IntervalRecord, calibrations: Mapping[int, int | None]
) -> int:
    """Insert an interval with all that belongs to it, within a transaction, and return its id.

    Args:
        connection: of the transaction.
        record: of the interval.
        calibrations: position of a reading -> the calibration whose bias was applied to it, if any was.
    """
    interval_id: int = connection.execute(
        insert(IntervalTable).values(_interval_row(record)).returning(IntervalTable.id)
    ).scalar_one()
    _store_seats(connection, record.session_id, record.seats, record.started_at)
    if record.readings:
        connection.execute(
            insert(ReadingTable),
            [
                _reading_row(interval_id, reading, calibrations.get(reading.position))
                for reading in record.readings
            ],
        )
    _store_offers(connection, record)
    _store_episodes(connection, record.session_id, record.episodes)
    return interval_id


def as_answered(record: IntervalRecord, merged: Mapping[int, int]) -> IntervalRecord:
    """The record with the seats that are another under that one's number, but for those that are here at once."""
    here = {seat.number for seat in record.seats}
    times = Counter(merged[seat] for seat in here & merged.keys())
    low = {seat: number for seat, number in merged.items() if number not in here and times[number] < 2}
    if not low.keys() & {*here, *(episode.seat for episode in record.episodes)}:
        return record
    return replace(
        record,
        readings=tuple(replace(one, seat=low.get(one.seat, one.seat)) for one in record.readings),
        seats=tuple(replace(one, number=low.get(one.number, one.number)) for one in record.seats),
        episodes=tuple(
            replace(one, seat=None if one.seat is None else low.get(one.seat, one.seat))
            for one in record.episodes
        ),
        offers=tuple(one for one in record.offers if one.seat not in low),
    )


def insert_or_update(
    connection: Connection,
    table: type[DeclarativeBase],
    key: Sequence[str],
    changes: Sequence[str],
    grows: Sequence[str] = (),
) -> sqlite.Insert | postgresql.Insert:
    """An insert that updates `changes` of the row with the same `key`, if there is one; what was true of `grows` once
    stays true."""
    statement: sqlite.Insert | postgresql.Insert
    statement = postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
    changed: dict[str, ColumnElement[Any]] = {name: statement.excluded[name] for name in changes}
    for name in grows:
        changed[name] = or_(getattr(table, name), statement.excluded[name])
    return statement.on_conflict_do_update(index_elements=list(key), set_=changed)


def _store_seats(connection: Connection, session_id: int, seats: Sequence[Seat], at: datetime) -> None:
    if not seats:
        return
    connection.execute(
        insert_or_update(
            connection,
            SeatTable,
            ("session_id", "number"),
            ("name", "fingerprint", "last_seen_at", "student_id"),
            grows=("calibrated",),
        ).values(
            # a student may be erased while they are shown
            student_id=select(StudentTable.id)
            .where(StudentTable.id == bindparam("student"))
            .scalar_subquery()
        ),
        [
            {
                "session_id": session_id,
                "number": int(seat.number),
                # a participant types their own; cleaned where it was read, and once more at the last door
                "name": None if seat.name is None else clean_name(seat.name),
                "fingerprint": seat.fingerprint,
                "first_seen_at": at,
                "last_seen_at": at,
                "student": seat.student_id,
                "calibrated": bool(seat.calibrated),
            }
            for seat in seats
        ],
    )


def _store_offers(connection: Connection, record: IntervalRecord) -> None:
    if not record.offers:
        return
    connection.execute(
        # an offer that is made again stays as it was first made
        insert_or_update(connection, SeatOfferTable, ("session_id", "seat", "same_as"), ("reason",)),
        [
            {
                "session_id": record.session_id,
                "seat": offer.seat,
                "same_as": offer.same_as,
                "reason": str(offer.reason),
                "offered_at": record.started_at,
            }
            for offer in record.offers
        ],
    )


def _store_episodes(connection: Connection, session_id: int, episodes: Sequence[Episode]) -> None:
    if not episodes:
        return
    connection.execute(
        insert_or_update(
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
        "followed": None if record.followed is None else str(record.followed),
    }


def _reading_row(interval_id: int, reading: Reading, calibration: int | None = None) -> dict[str, Any]:
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
        "calibration": None if reading.probabilities is None else calibration,
    }
