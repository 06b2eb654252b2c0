"""The bias of a student's seat: what it is fitted to, and that it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, or_, select, update

from engagement.emotion import EXPRESSIONS
from engagement.errors import InvalidRecordError
from engagement.records import Consent, check_utc
from storage.audit import THIS_COMPUTER, AuditAction, write_audit
from storage.database import reading, writing
from storage.schema import ClassListTable, IntervalTable, ReadingTable, SeatTable, StudentTable
from storage.students import Student, all_students, find_student, take_biases

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StudentSeat:
    """A seat of a session that is a student's.

    Attributes:
        number: of the seat.
        student_id: whose it is.
        name: of the student.
        calibrated_at: aware UTC, when it was calibrated; None where it was not.
        bias: that is applied on it; None where it was not calibrated.
    """

    number: int
    student_id: int
    name: str
    calibrated_at: datetime | None
    bias: Mapping[str, float] | None


def student_seats(engine: Engine, session_id: int) -> list[StudentSeat]:
    """The seats of a session that are surely a student's who may be read, in the order of their names: one who did not
    refuse or, where only those who agreed are, who did."""
    with reading(engine) as connection:
        rows = connection.execute(
            select(
                SeatTable.number,
                StudentTable.id.label("student_id"),
                StudentTable.name,
                StudentTable.calibrated_at,
                StudentTable.bias,
            )
            .join(StudentTable, StudentTable.id == SeatTable.student_id)
            .join(ClassListTable, ClassListTable.name == StudentTable.class_name)
            .where(
                SeatTable.session_id == session_id,
                StudentTable.consent != str(Consent.REFUSED),
                or_(~ClassListTable.only_agreed, StudentTable.consent == str(Consent.AGREED)),
            )
        )
        seats = [StudentSeat(**row._asdict()) for row in rows]
    return sorted(seats, key=lambda seat: (seat.name.casefold(), seat.number))


def calibrated_students(engine: Engine) -> list[Student]:
    """Everybody whose seat was calibrated, by class and name."""
    with reading(engine) as connection:
        found = all_students(connection, StudentTable.calibrated_at.is_not(None))
    return sorted(found, key=lambda one: (one.class_name.casefold(), one.name.casefold(), one.id))


def looks_of(
    engine: Engine, session_id: int, seat: int, since: datetime, until: datetime
) -> NDArray[np.float32]:
    """What was read on a seat in the intervals that began from `since` on and before `until`, as it is stored.

    Args:
        engine: from `storage.database.open_database`, migrated.
        session_id, seat: the seat.
        since, until: aware UTC.

    Returns:
        float32 (n, 7) in the order of `EXPRESSIONS`; looks at which no expression was read are none.
    """
    columns = [getattr(ReadingTable, name) for name in EXPRESSIONS]
    query = (
        select(*columns)
        .join(IntervalTable, IntervalTable.id == ReadingTable.interval_id)
        .where(
            IntervalTable.session_id == session_id,
            IntervalTable.started_at >= since,
            IntervalTable.started_at < until,
            ReadingTable.seat == seat,
            ReadingTable.neutral.is_not(None),
        )
        .order_by(IntervalTable.id)
    )
    with reading(engine) as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    return np.array(rows, np.float32).reshape(-1, len(EXPRESSIONS))


def keep_bias(
    engine: Engine, student_id: int, bias: NDArray[np.float32], at: datetime, *, actor: str = THIS_COMPUTER
) -> None:
    """Keep the bias of a student's seat, in place of the one before; the agent of a running class takes it up.

    Args:
        engine: from `storage.database.open_database`, migrated.
        student_id: whose seat it is.
        bias: float32 (7,) in the order of `EXPRESSIONS`, finite.
        at: aware UTC, when it was fitted.
        actor: who keeps it, for the audit log.

    Raises:
        UnknownStudentError: there is no such student.
        InvalidRecordError: it is no bias, the time is not in UTC, or the student refused.
    """
    check_utc("The time of a calibration", at)
    if bias.shape != (len(EXPRESSIONS),) or not np.isfinite(bias).all():
        raise InvalidRecordError(f"A bias has {len(EXPRESSIONS)} finite numbers, got {bias}.")
    named = {name: round(float(one), 4) for name, one in zip(EXPRESSIONS, bias, strict=True)}
    with writing(engine) as connection:
        student = find_student(connection, student_id)
        if student.consent is Consent.REFUSED:
            raise InvalidRecordError(f"{student.name} refused and is not looked at: their seat has no bias.")
        connection.execute(
            update(StudentTable).where(StudentTable.id == student_id).values(calibrated_at=at, bias=named)
        )
        write_audit(connection, AuditAction.SEAT_CALIBRATED, actor, student_id, kept=True)


def remove_bias(engine: Engine, student_id: int, *, actor: str = THIS_COMPUTER) -> None:
    """Read a student's seat as every other again.

    Raises:
        UnknownStudentError: there is no such student.
    """
    with writing(engine) as connection:
        find_student(connection, student_id)
        take_biases(connection, StudentTable.id == student_id, actor)


def calibration_number(calibrated_at: datetime) -> int:
    """What tells one calibration from another: when it was fitted (aware UTC), in milliseconds since 1970."""
    return (calibrated_at - _EPOCH) // timedelta(milliseconds=1)


def as_array(bias: Mapping[str, float]) -> NDArray[np.float32]:
    """A bias as it is kept, float32 (7,) in the order of `EXPRESSIONS`."""
    return np.array([bias[name] for name in EXPRESSIONS], np.float32)
