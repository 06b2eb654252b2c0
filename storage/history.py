"""A session as its agent saw it, for the agent that goes on with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import numpy as np
from sqlalchemy import Engine, select

from engagement.emotion import EXPRESSIONS
from engagement.records import Reading, Seat, State
from storage.database import reading
from storage.schema import IntervalTable, ReadingTable, SeatTable


@dataclass(frozen=True, slots=True)
class PastInterval:
    """One interval that was committed.

    Attributes:
        started_at: aware UTC.
        seconds: its length.
        readings: by position; None where nothing was observed, empty where the mode keeps none.
    """

    started_at: datetime
    seconds: float
    readings: tuple[Reading, ...] | None


def past_intervals(engine: Engine, session_id: int) -> Iterator[PastInterval]:
    """All intervals of a session, oldest first, with their readings."""
    intervals = (
        select(IntervalTable.id, IntervalTable.started_at, IntervalTable.seconds, IntervalTable.not_observed)
        .where(IntervalTable.session_id == session_id)
        .order_by(IntervalTable.id)
    )
    readings = (
        select(
            ReadingTable.interval_id,
            ReadingTable.seat,
            ReadingTable.position,
            ReadingTable.state,
            ReadingTable.yaw,
            ReadingTable.pitch,
            ReadingTable.quality,
            *(getattr(ReadingTable, expression) for expression in EXPRESSIONS),
        )
        .join(IntervalTable, IntervalTable.id == ReadingTable.interval_id)
        .where(IntervalTable.session_id == session_id)
        .order_by(ReadingTable.interval_id, ReadingTable.position)
    )
    with reading(engine) as connection:
        found = connection.execute(intervals).all()
        rows = groupby(connection.execute(readings), key=lambda row: row[0])
        interval_id, group = next(rows, (None, iter(())))
        for interval in found:
            read: tuple[Reading, ...] | None = None
            if interval.not_observed is None:
                read = ()
            if interval_id == interval.id:
                read = tuple(_reading(row) for row in group)
                interval_id, group = next(rows, (None, iter(())))
            yield PastInterval(interval.started_at, interval.seconds, read)


def past_seats(engine: Engine, session_id: int) -> tuple[Seat, ...]:
    """The seats of a session, by number."""
    query = (
        select(SeatTable.number, SeatTable.name, SeatTable.fingerprint)
        .where(SeatTable.session_id == session_id)
        .order_by(SeatTable.number)
    )
    with reading(engine) as connection:
        return tuple(Seat(*row) for row in connection.execute(query))


def _reading(row: "tuple[object, ...]") -> Reading:
    _, seat, position, state, yaw, pitch, quality, *values = row
    probabilities = None if values[0] is None else np.array(values, dtype=np.float32)
    return Reading(seat, position, State(state), probabilities, yaw, pitch, quality)  # type: ignore[arg-type]
