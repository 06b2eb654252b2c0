"""All that is kept of one student: to be told, and to be exported."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select

from engagement.emotion import EXPRESSIONS
from storage.audit import THIS_COMPUTER, AuditAction, audit
from storage.class_seats import ClassSeat, class_seats
from storage.database import reading
from storage.mentions import Mention, find_mentions, whole_words
from storage.schema import (
    EpisodeTable,
    IntervalTable,
    NoteTable,
    ReadingTable,
    SeatTable,
    SessionTable,
    StudentLabelTable,
    StudentTable,
)
from storage.students import Student, find_student

_SHORTEST_PART: Final = 3
"""Letters from which a part of a name is looked for in notes: shorter ones are words of every language."""

_READING: Final = ("state", *EXPRESSIONS, "yaw", "pitch", "quality")


@dataclass(frozen=True, slots=True)
class NamingNote:
    """A note of the teacher in which the student's name, or a part of it, stands."""

    session_id: int
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Traces:
    """What is kept of one student.

    Attributes:
        student: who.
        labels: under which they were seen, and those matched by hand.
        by_hand: those matched by hand.
        sessions, readings, episodes: how many of theirs there are.
        notes: of the teacher that hold the name or a part of it.
        mentions: other texts of the class that hold the name.
        unsure: seats that may be theirs and that nobody matched.
        other_classes: in which a student or a label has exactly this name.
    """

    student: Student
    labels: tuple[str, ...]
    by_hand: tuple[str, ...]
    sessions: int
    readings: int
    episodes: int
    notes: tuple[NamingNote, ...]
    mentions: tuple[Mention, ...]
    unsure: int
    other_classes: tuple[str, ...]


def traces(engine: Engine, student_id: int) -> Traces:
    """What is kept of a student, in all sessions of their class.

    Raises:
        UnknownStudentError: there is no such student.
    """
    with reading(engine) as connection:
        student = find_student(connection, student_id)
        seats = class_seats(connection, student.class_name)
        own = [seat for seat in seats if seat.student_id == student_id]
        labels = labels_of(connection, student_id, own)
        numbers = _by_session(own)
        return Traces(
            student=student,
            labels=tuple(sorted(labels)),
            by_hand=tuple(sorted(_labels_by_hand(connection, student_id))),
            sessions=len(numbers),
            readings=sum(_count_readings(connection, *one) for one in numbers.items()),
            episodes=sum(_count_episodes(connection, *one) for one in numbers.items()),
            notes=tuple(_naming_notes(connection, student, labels)),
            mentions=tuple(
                find_mentions(connection, student.class_name, student_id, {student.name, *labels})
            ),
            unsure=sum(student_id in seat.candidates for seat in seats),
            other_classes=_other_classes(connection, student),
        )


def export_student(engine: Engine, student_id: int, *, actor: str = THIS_COMPUTER) -> bytes:
    """All that is kept of a student as JSON in UTF-8; times are ISO 8601 in UTC. The audit log keeps that it was asked.

    Notes and what else the teacher typed are left out: they are the teacher's own text, and may name others.

    Args:
        engine: from `storage.database.open_database`, migrated.
        student_id: the student.
        actor: who asks, for the audit log.

    Raises:
        UnknownStudentError: there is no such student.
    """
    with reading(engine) as connection:
        student = find_student(connection, student_id)
        own = [seat for seat in class_seats(connection, student.class_name) if seat.student_id == student_id]
        labels = labels_of(connection, student_id, own)
        mentions = find_mentions(connection, student.class_name, student_id, {student.name, *labels})
        body = {
            "format": "classpulse student",
            "version": 1,
            "made_at": datetime.now(UTC),
            "class": student.class_name,
            "student": {
                "id": student.id,
                "name": student.name,
                "consent": str(student.consent),
                "consent_at": student.consent_at,
                "consent_source": student.consent_source,
                "calibrated_at": student.calibrated_at,
                "bias": student.bias,
            },
            "labels": sorted(labels),
            "mentions": [{"where": one.where, "text": one.text} for one in mentions if not one.typed],
            "notes": "Notes are the teacher's own text and no part of this file.",
            "reading_columns": ["at", *_READING],
            "sessions": [
                _session(connection, session_id, list(seats))
                for session_id, seats in groupby(own, key=lambda seat: seat.session_id)
            ],
        }
    audit(engine, AuditAction.STUDENT_EXPORTED, actor, student_id)
    return json.dumps(body, ensure_ascii=False, allow_nan=False, default=_plain).encode()


def labels_of(connection: Connection, student_id: int, own: Iterable[ClassSeat]) -> set[str]:
    """The labels of a student: those of their seats and those matched by hand."""
    seen = {seat.label for seat in own if seat.label is not None}
    return seen.union(_labels_by_hand(connection, student_id))


def _labels_by_hand(connection: Connection, student_id: int) -> Sequence[str]:
    return connection.scalars(
        select(StudentLabelTable.label).where(StudentLabelTable.student_id == student_id)
    ).all()


def _by_session(own: Iterable[ClassSeat]) -> dict[int, list[int]]:
    numbers: dict[int, list[int]] = {}
    for seat in own:
        numbers.setdefault(seat.session_id, []).append(seat.number)
    return numbers


def _count_readings(connection: Connection, session_id: int, numbers: Sequence[int]) -> int:
    return (
        connection.scalar(
            select(func.count())
            .select_from(ReadingTable)
            .join(IntervalTable, IntervalTable.id == ReadingTable.interval_id)
            .where(IntervalTable.session_id == session_id, ReadingTable.seat.in_(numbers))
        )
        or 0
    )


def _count_episodes(connection: Connection, session_id: int, numbers: Sequence[int]) -> int:
    return (
        connection.scalar(
            select(func.count())
            .select_from(EpisodeTable)
            .where(EpisodeTable.session_id == session_id, EpisodeTable.seat.in_(numbers))
        )
        or 0
    )


def _naming_notes(connection: Connection, student: Student, labels: Iterable[str]) -> list[NamingNote]:
    whole = {student.name, *labels}
    parts = {part for name in whole for part in re.findall(r"\w+", name) if len(part) >= _SHORTEST_PART}
    pattern = whole_words(whole | parts)
    rows = connection.execute(
        select(NoteTable.session_id, NoteTable.at, NoteTable.text)
        .join(SessionTable, SessionTable.id == NoteTable.session_id)
        .where(SessionTable.name == student.class_name)
        .order_by(NoteTable.at, NoteTable.id)
    )
    return [NamingNote(*row) for row in rows if pattern.search(row.text)]


def _other_classes(connection: Connection, student: Student) -> tuple[str, ...]:
    from_seats = (
        select(SessionTable.name)
        .distinct()
        .join_from(SessionTable, SeatTable, SeatTable.session_id == SessionTable.id)
        .where(SeatTable.name == student.name, SessionTable.name != student.class_name)
    )
    from_lists = select(StudentTable.class_name).where(
        StudentTable.name == student.name, StudentTable.class_name != student.class_name
    )
    return tuple(sorted({*connection.scalars(from_seats), *connection.scalars(from_lists)}))


def _session(connection: Connection, session_id: int, seats: Sequence[ClassSeat]) -> dict[str, Any]:
    row = connection.execute(
        select(
            SessionTable.id,
            SessionTable.name,
            SessionTable.mode,
            SessionTable.interval,
            SessionTable.started_at,
            SessionTable.ended_at,
        ).where(SessionTable.id == session_id)
    ).one()
    return {**row._asdict(), "seats": [_seat(connection, seat) for seat in seats]}


def _seat(connection: Connection, seat: ClassSeat) -> dict[str, Any]:
    readings = connection.execute(
        select(IntervalTable.started_at, *(getattr(ReadingTable, name) for name in _READING))
        .join(IntervalTable, IntervalTable.id == ReadingTable.interval_id)
        .where(IntervalTable.session_id == seat.session_id, ReadingTable.seat == seat.number)
        .order_by(IntervalTable.id)
    )
    episodes = connection.execute(
        select(
            EpisodeTable.rule,
            EpisodeTable.reason,
            EpisodeTable.started_at,
            EpisodeTable.ended_at,
            EpisodeTable.evidence,
            EpisodeTable.mark,
        )
        .where(EpisodeTable.session_id == seat.session_id, EpisodeTable.seat == seat.number)
        .order_by(EpisodeTable.started_at, EpisodeTable.id)
    )
    return {
        "seat": seat.number,
        "label": seat.label,
        "first_seen_at": seat.first_seen_at,
        "last_seen_at": seat.last_seen_at,
        "readings": [[_rounded(value) for value in row] for row in readings],
        "episodes": [row._asdict() for row in episodes],
    }


def _rounded(value: Any) -> Any:
    # stored in single precision: more digits would say nothing
    return round(value, 6) if isinstance(value, float) else value


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
