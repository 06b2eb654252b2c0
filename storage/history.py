"""A session as its agent saw it, for the agent that goes on with it."""

from collections.abc import Iterator, Mapping
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
        id: larger than that of every interval before it.
        started_at: aware UTC.
        seconds: its length.
        readings: by position; None where nothing was observed, empty where the mode keeps none.
        calibrations: seat -> the calibration with which its expression was read; None where with none.
    """

    id: int
    started_at: datetime
    seconds: float
    readings: tuple[Reading, ...] | None
    calibrations: Mapping[int, int | None]


def past_intervals(
    engine: Engine, session_id: int, after: int = 0, limit: int | None = None
) -> Iterator[PastInterval]:
    """The intervals of a session, oldest first, with their readings: of those after the id `after`, at most `limit`."""
    intervals = (
        select(IntervalTable.id, IntervalTable.started_at, IntervalTable.seconds, IntervalTable.not_observed)
        .where(IntervalTable.session_id == session_id, IntervalTable.id > after)
        .order_by(IntervalTable.id)
        .limit(limit)
    )
    readings = (
        select(
            ReadingTable.interval_id,
            ReadingTable.calibration,
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
        if not found:
            return
        readings = readings.where(ReadingTable.interval_id.between(found[0].id, found[-1].id))
        rows = groupby(connection.execute(readings), key=lambda row: row[0])
        interval_id, group = next(rows, (None, iter(())))
        for interval in found:
            read: tuple[Reading, ...] | None = None
            calibrations: dict[int, int | None] = {}
            if interval.not_observed is None:
                read = ()
            if interval_id == interval.id:
                of_interval = [(row[1], _reading(row)) for row in group]
                read = tuple(one for _, one in of_interval)
                calibrations = {
                    one.seat: calibration for calibration, one in of_interval if one.probabilities is not None
                }
                interval_id, group = next(rows, (None, iter(())))
            yield PastInterval(interval.id, interval.started_at, interval.seconds, read, calibrations)


def past_seats(engine: Engine, session_id: int) -> tuple[Seat, ...]:
    """The seats of a session, by number."""
    query = (
        select(SeatTable.number, SeatTable.name, SeatTable.fingerprint, SeatTable.student_id)
        .where(SeatTable.session_id == session_id)
        .order_by(SeatTable.number)
    )
    with reading(engine) as connection:
        return tuple(Seat(*row) for row in connection.execute(query))


def _reading(row: "tuple[object, ...]") -> Reading:
    _, _, seat, position, state, yaw, pitch, quality, *values = row
    probabilities = None if values[0] is None else np.array(values, dtype=np.float32)
    return Reading(seat, position, State(state), probabilities, yaw, pitch, quality)  # type: ignore[arg-type]
