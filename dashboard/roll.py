"""What the page Students shows of a class, as plain values: students, labels without one, words of consent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from types import MappingProxyType
from typing import Any, Final

from dashboard.wording import clock
from engagement.phrases import count
from engagement.records import Consent
from engagement.roster import Roster, RosterRow
from storage.class_seats import ClassSeat
from storage.students import ClassList, NewStudent, Student, plan_import

CONSENTS: Final[Mapping[Consent, str]] = MappingProxyType(
    {Consent.AGREED: "agreed", Consent.REFUSED: "refused", Consent.UNKNOWN: "not answered"}
)

RECENT_SESSIONS: Final = 10
"""Of so many sessions the labels that match nobody are shown."""


@dataclass(frozen=True, slots=True)
class LooseLabel:
    """A label of recent sessions that is nobody's yet.

    Attributes:
        label: as read.
        sessions: in how many of the recent ones.
        last_at: when its tile was last there, aware UTC.
        candidates: ids of those whose it may be, the likeliest first.
    """

    label: str
    sessions: int
    last_at: datetime
    candidates: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One line of a file and what taking it in does.

    Attributes:
        line: of the file, from 1.
        name: of the student.
        consent: that is taken in, in words; "" where the line says nothing.
        does: "new", "as before", or what the student's answer was.
        withdraws: an agreement ends because the line's answer is not understood.
    """

    line: int
    name: str
    consent: str
    does: str
    withdraws: bool = False


def student_rows(
    students: Sequence[Student], seats: Iterable[ClassSeat], zone: tzinfo | None
) -> list[dict[str, Any]]:
    """One row of the grid per student, with JSON types only.

    Args:
        students: of the class.
        seats: of all its sessions.
        zone: of the viewer.
    """
    last: dict[int, datetime] = {}
    sessions: dict[int, set[int]] = {}
    for seat in seats:
        if seat.student_id is not None:
            at = seat.last_seen_at or seat.first_seen_at
            last[seat.student_id] = max(at, last.get(seat.student_id, at))
            sessions.setdefault(seat.student_id, set()).add(seat.session_id)
    return [
        {
            "id": str(one.id),
            "name": one.name,
            "consent": CONSENTS[one.consent],
            "since": "" if one.consent_at is None else short_day(one.consent_at, zone),
            "source": one.consent_source or "",
            "last": "" if one.id not in last else _moment(last[one.id], zone),
            "sessions": len(sessions.get(one.id, ())),
        }
        for one in students
    ]


def loose_labels(seats: Sequence[ClassSeat], roll: ClassList | None) -> list[LooseLabel]:
    """The labels of the last sessions that match nobody or several, those that may be somebody's first."""
    recent = sorted({seat.session_id for seat in seats}, reverse=True)[:RECENT_SESSIONS]
    settled = {label.casefold() for label, one in (roll.labels if roll else {}).items() if one is None}
    if roll is not None and roll.own_label is not None:
        settled.add(roll.own_label.casefold())
    found: dict[str, list[ClassSeat]] = {}
    for seat in seats:
        if (
            seat.session_id in recent
            and seat.student_id is None
            and seat.label is not None
            and seat.label.casefold() not in settled
        ):
            found.setdefault(seat.label, []).append(seat)
    loose = [
        LooseLabel(
            label,
            len({seat.session_id for seat in carried}),
            max(seat.last_seen_at or seat.first_seen_at for seat in carried),
            tuple(dict.fromkeys(one for seat in reversed(carried) for one in seat.candidates)),
        )
        for label, carried in found.items()
    ]
    return sorted(loose, key=lambda one: (not one.candidates, one.label.casefold(), one.label))


def summary(students: Sequence[Student]) -> str:
    """How many there are and what they answered, such as "27 students: 20 agreed, 2 refused, 5 have not answered"."""
    if not students:
        return "Nobody is on the list"
    answers = [one.consent for one in students]
    parts = [f"{answers.count(Consent.AGREED)} agreed", f"{answers.count(Consent.REFUSED)} refused"]
    silent = answers.count(Consent.UNKNOWN)
    parts.append(f"{silent} {'has' if silent == 1 else 'have'} not answered")
    return f"{count(len(answers), 'student')}: {', '.join(parts)}"


def planned(roster: Roster, known: Sequence[Student]) -> list[PlannedRow]:
    """What each line of a file does to the list."""
    steps = plan_import(known, [NewStudent(row.name, row.consent) for row in roster.rows])
    return [
        PlannedRow(
            row.line,
            row.name,
            _taken_in_as(row),
            "new" if student is None else f"was {CONSENTS[student.consent]}" if change else "as before",
            row.unclear is not None and student is not None and student.consent is Consent.AGREED,
        )
        for row, (student, change) in zip(roster.rows, steps, strict=True)
    ]


def _taken_in_as(row: RosterRow) -> str:
    if row.consent is None:
        return ""
    return CONSENTS[row.consent] if row.unclear is None else f"{CONSENTS[row.consent]} (not understood)"


def plan_summary(rows: Sequence[PlannedRow]) -> str:
    """What taking a file in does, such as "20 new, 2 with another answer, 3 as before"."""
    new = sum(row.does == "new" for row in rows)
    same = sum(row.does == "as before" for row in rows)
    parts = [(new, "new"), (len(rows) - new - same, "with another answer"), (same, "as before")]
    return ", ".join(f"{number} {what}" for number, what in parts if number) or "nobody"


def consent_time(day: str | None, zone: tzinfo | None, now: datetime) -> datetime | None:
    """The moment of a consent that was given on a day: now where it is today, else noon; None where none is given.

    Args:
        day: ISO, as a date field gives it; what is none counts as not given.
        zone: of the viewer.
        now: aware UTC.
    """
    try:
        date = datetime.fromisoformat((day or "").strip()).date()
    except ValueError:
        return None
    if date == now.astimezone(zone).date():
        return now
    return datetime.combine(date, time(12)).replace(tzinfo=zone).astimezone(UTC)


def short_day(at: datetime, zone: tzinfo | None) -> str:
    """A date such as "2026-11-20" in the zone of the viewer, which sorts as it reads."""
    return f"{at.astimezone(zone):%Y-%m-%d}"


def _moment(at: datetime, zone: tzinfo | None) -> str:
    return f"{short_day(at, zone)}  {clock(at, zone)}"
