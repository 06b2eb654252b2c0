"""Whose the seats of a class are: as the agent or the teacher said, else by the likeness of their labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, Engine, select

from engagement.class_list import match_labels
from storage.database import reading
from storage.schema import SeatTable, SessionTable, StudentLabelTable, StudentTable


@dataclass(frozen=True, slots=True)
class ClassSeat:
    """One seat of one session of a class; times are aware UTC.

    Attributes:
        session_id, started_at: of the session.
        number: of the seat.
        label: as read; None if it never was.
        first_seen_at, last_seen_at: of its tile.
        student_id: whose it is; None where that is not known.
        candidates: whose it may be, the likeliest first; empty where that is known, or nobody of the list is like it.
    """

    session_id: int
    started_at: datetime
    number: int
    label: str | None
    first_seen_at: datetime
    last_seen_at: datetime | None
    student_id: int | None
    candidates: tuple[int, ...] = ()


def read_class_seats(engine: Engine, class_name: str) -> list[ClassSeat]:
    """As `class_seats`, in a transaction of its own."""
    with reading(engine) as connection:
        return class_seats(connection, class_name)


def class_seats(connection: Connection, class_name: str) -> list[ClassSeat]:
    """All seats of all sessions of a class, by session and number.

    A seat that nobody was given when it was read is matched by its label to those of the list as it is now who have
    no seat in that session.
    """
    rows = connection.execute(
        select(
            SeatTable.session_id,
            SessionTable.started_at,
            SeatTable.number,
            SeatTable.name,
            SeatTable.first_seen_at,
            SeatTable.last_seen_at,
            SeatTable.student_id,
        )
        .join(SessionTable, SessionTable.id == SeatTable.session_id)
        .where(SessionTable.name == class_name)
        .order_by(SeatTable.session_id, SeatTable.number)
    ).all()
    students = connection.execute(
        select(StudentTable.id, StudentTable.name).where(StudentTable.class_name == class_name)
    ).all()
    by_hand = {
        row.label: row.student_id
        for row in connection.execute(
            select(StudentLabelTable.label, StudentLabelTable.student_id).where(
                StudentLabelTable.class_name == class_name
            )
        )
    }
    listed = [(row.id, row.name) for row in students]
    seats = (ClassSeat(*row) for row in rows)
    return [
        seat
        for _, of_session in groupby(seats, key=lambda seat: seat.session_id)
        for seat in _matched(list(of_session), listed, by_hand)
    ]


def _matched(
    seats: Sequence[ClassSeat], students: Sequence[tuple[int, str]], by_hand: Mapping[str, int | None]
) -> list[ClassSeat]:
    """The seats of one session with whose they are by their labels."""
    labels = [seat.label for seat in seats if seat.label is not None]
    given = {
        seat.label: seat.student_id
        for seat in seats
        if seat.label is not None and seat.student_id is not None
    }
    # who has a seat already is matched to no other label, but by hand
    matches = match_labels(labels, students, {**by_hand, **given})
    carried, taken = Counter(labels), {seat.student_id for seat in seats}
    found = []
    for seat in seats:
        if seat.label is None or seat.student_id is not None:
            found.append(seat)
            continue
        one, unsure = matches.students.get(seat.label), matches.unsure.get(seat.label, ())
        if one is None:
            found.append(replace(seat, candidates=tuple(unsure)))
        elif carried[seat.label] > 1 or (one in taken and by_hand.get(seat.label) != one):
            # two people show this label, or who it is like sits elsewhere: the teacher knows
            found.append(replace(seat, candidates=(one, *unsure)))
        else:
            found.append(replace(seat, student_id=one))
    return found
