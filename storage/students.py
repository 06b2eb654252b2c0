"""Class lists: who is in a class, who agreed, and which label or seat is whose.

A class is all sessions of one (cleaned) name. Every name that comes in is hostile text and is cleaned here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engagement.errors import InvalidRecordError
from engagement.names import clean_name
from engagement.records import Consent, check_utc
from storage.audit import THIS_COMPUTER, AuditAction, write_audit
from storage.database import reading, writing
from storage.errors import UnknownStudentError
from storage.schema import (
    MAX_SOURCE_LENGTH,
    ClassListTable,
    SeatTable,
    SessionTable,
    StudentLabelTable,
    StudentTable,
)
from storage.seat_offers import answer_offer, merged_seats

__all__ = [
    "ClassList",
    "Imported",
    "NewStudent",
    "Student",
    "add_student",
    "all_students",
    "answer_offer",
    "class_as_written",
    "class_list_alike",
    "class_names",
    "ensure_class_list",
    "find_student",
    "import_students",
    "match_label",
    "merged_seats",
    "plan_import",
    "read_class_list",
    "read_student",
    "rename_student",
    "set_consent",
    "unmatch_label",
    "update_class_list",
    "written_class",
]


@dataclass(frozen=True, slots=True)
class Student:
    """One student of a class list.

    Attributes:
        id: never given to another student, even if this one is erased.
        class_name: the class.
        name: cleaned; two students may have the same.
        consent: what they answered to being read.
        consent_at: aware UTC, when they did; None where nobody wrote it down.
        consent_source: where that stands, such as "letter of the parents"; None where nobody wrote it down.
        calibrated_at: aware UTC, when their seat was calibrated; None where it was not.
        bias: expression -> what is added to its log probability on their seat (see `engagement.calibration`); None
            where it was not calibrated.
    """

    id: int
    class_name: str
    name: str
    consent: Consent
    consent_at: datetime | None
    consent_source: str | None
    calibrated_at: datetime | None = None
    bias: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class ClassList:
    """What holds for one class.

    Attributes:
        name: of the class.
        only_agreed: read nobody but those who agreed.
        own_label: the label of the teacher's own tile, None where it is not known.
        students: in the order of their names.
        labels: those matched by hand: to the id of a student, or to None for nobody of the list.
    """

    name: str
    only_agreed: bool
    own_label: str | None
    students: tuple[Student, ...]
    labels: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class NewStudent:
    """One line of a list to be taken in.

    Attributes:
        name: as written; cleaned when it is stored.
        consent: None where the line says nothing: then a student who is known keeps theirs.
    """

    name: str
    consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What taking in a list did: how many were added, got another consent, or were as before."""

    added: int
    changed: int
    unchanged: int


_STUDENT: Final = (
    StudentTable.id,
    StudentTable.class_name,
    StudentTable.name,
    StudentTable.consent,
    StudentTable.consent_at,
    StudentTable.consent_source,
    StudentTable.calibrated_at,
    StudentTable.bias,
)

_UNCALIBRATED: Final[Mapping[str, None]] = MappingProxyType({"calibrated_at": None, "bias": None})
"""The columns of a student whose seat was not calibrated."""


def class_names(engine: Engine) -> list[str]:
    """All classes, those with a list and those that only have sessions, in alphabetical order."""
    with reading(engine) as connection:
        names = set(connection.scalars(select(ClassListTable.name)))
        names.update(connection.scalars(select(SessionTable.name).distinct()))
    return sorted(names, key=lambda name: (name.casefold(), name))


def class_list_alike(engine: Engine, name: str) -> str | None:
    """The class whose list somebody may mean who typed `name`: the same but for capital letters; None where a list is
    called just so, or none is called alike."""
    cleaned = clean_name(name)
    if cleaned is None:
        return None
    with reading(engine) as connection:
        found = _spelling(cleaned, connection.scalars(select(ClassListTable.name)))
    return None if found == cleaned else found


def class_as_written(engine: Engine, name: str) -> str:
    """The class of this name as it is written already, whatever the capital letters: in a list, else in a session that
    runs, else in one that has ended; the cleaned name where there is none.

    Raises:
        InvalidRecordError: nothing is left of the name once it is cleaned.
    """
    with reading(engine) as connection:
        return written_class(connection, name)


def written_class(connection: Connection, name: str) -> str:
    """As `class_as_written`, within a transaction."""
    cleaned = clean_name(name)
    if cleaned is None:
        raise InvalidRecordError("A class needs a name of at least one visible letter: type another one.")
    sessions = select(SessionTable.name).order_by(SessionTable.id.desc())
    # a list under another spelling than that of the class that is running would not hold for it
    for names in (select(ClassListTable.name), sessions.where(SessionTable.ended_at.is_(None)), sessions):
        found = _spelling(cleaned, connection.scalars(names))
        if found is not None:
            return found
    return cleaned


def _spelling(name: str, known: Iterable[str]) -> str | None:
    """Of the names that differ from `name` only by capital letters, `name` itself, else the first; None of none."""
    alike = [one for one in known if one.casefold() == name.casefold()]
    return name if name in alike else next(iter(alike), None)


def read_class_list(engine: Engine, name: str) -> ClassList | None:
    """The list of a class; None where it has none.

    Args:
        engine: from `storage.database.open_database`, migrated.
        name: of the class, as typed.
    """
    cleaned = clean_name(name)
    with reading(engine) as connection:
        row = connection.execute(
            select(ClassListTable.name, ClassListTable.only_agreed, ClassListTable.own_label).where(
                ClassListTable.name == cleaned
            )
        ).one_or_none()
        if row is None:
            return None
        students = all_students(connection, StudentTable.class_name == row.name)
        labels = connection.execute(
            select(StudentLabelTable.label, StudentLabelTable.student_id).where(
                StudentLabelTable.class_name == row.name
            )
        ).all()
    return ClassList(
        row.name,
        row.only_agreed,
        row.own_label,
        tuple(sorted(students, key=lambda one: (one.name.casefold(), one.name, one.id))),
        MappingProxyType({label.label: label.student_id for label in labels}),
    )


def read_student(engine: Engine, student_id: int) -> Student:
    """One student.

    Raises:
        UnknownStudentError: there is none of that number.
    """
    with reading(engine) as connection:
        return find_student(connection, student_id)


def ensure_class_list(engine: Engine, name: str) -> str:
    """Make the list of a class where it has none, and return the class's name as it is written already.

    Raises:
        InvalidRecordError: nothing is left of the name once it is cleaned.
    """
    with writing(engine) as connection:
        return _ensure(connection, name)


def update_class_list(
    engine: Engine, name: str, *, only_agreed: bool | None = None, own_label: str | None = None
) -> None:
    """Change what holds for a class, which gets a list if it has none.

    Args:
        engine: from `storage.database.open_database`, migrated.
        name: of the class.
        only_agreed: read nobody but those who agreed; None leaves it as it is.
        own_label: the label of the teacher's own tile; "" where there is none, None leaves it as it is.

    Raises:
        InvalidRecordError: nothing is left of the name once it is cleaned.
    """
    changes: dict[str, Any] = {}
    if only_agreed is not None:
        changes["only_agreed"] = only_agreed
    if own_label is not None:
        changes["own_label"] = clean_name(own_label)
    with writing(engine) as connection:
        cleaned = _ensure(connection, name)
        if changes:
            connection.execute(update(ClassListTable).where(ClassListTable.name == cleaned).values(**changes))


def add_student(engine: Engine, class_name: str, name: str) -> int:
    """Add a student who has not answered yet, and return their number.

    Raises:
        InvalidRecordError: nothing is left of a name once it is cleaned.
    """
    cleaned = _clean_student(name)
    with writing(engine) as connection:
        return _insert(connection, _ensure(connection, class_name), cleaned, Consent.UNKNOWN, None, None)


def rename_student(engine: Engine, student_id: int, name: str) -> None:
    """Give a student another name; the labels matched to them stay theirs.

    Raises:
        InvalidRecordError: nothing is left of the name once it is cleaned.
        UnknownStudentError: there is no such student.
    """
    cleaned = _clean_student(name)
    with writing(engine) as connection:
        find_student(connection, student_id)
        connection.execute(update(StudentTable).where(StudentTable.id == student_id).values(name=cleaned))


def set_consent(
    engine: Engine,
    student_id: int,
    consent: Consent,
    source: str | None,
    at: datetime | None,
    *,
    actor: str = THIS_COMPUTER,
) -> None:
    """Keep what a student answered.

    Args:
        engine: from `storage.database.open_database`, migrated.
        student_id: the student.
        consent: their answer.
        source: where it stands, cleaned and cut to 200 characters; None where nobody wrote it down.
        at: aware UTC, when they answered; None where nobody wrote it down.
        actor: who says so, for the audit log.

    Raises:
        UnknownStudentError: there is no such student.
        InvalidRecordError: the time is not in UTC, or a day ahead.
    """
    _check_answered(at)
    with writing(engine) as connection:
        find_student(connection, student_id)
        connection.execute(
            update(StudentTable)
            .where(StudentTable.id == student_id)
            .values(
                consent=str(consent),
                consent_at=at,
                consent_source=_clean_source(source),
            )
        )
        write_audit(connection, AuditAction.CONSENT_CHANGED, actor, student_id, consent=str(consent))
        _take_bias(connection, student_id, consent, actor)


def import_students(
    engine: Engine,
    class_name: str,
    rows: Sequence[NewStudent],
    *,
    source: str,
    at: datetime,
    actor: str = THIS_COMPUTER,
) -> Imported:
    """Take a list in: who is new is added, who is known gets the consent that their line tells. Nobody is removed.

    Students are known by their name, whatever its capitals; the second of one name in the list is the second of that
    name in the class.

    Args:
        engine: from `storage.database.open_database`, migrated.
        class_name: the class.
        rows: the list.
        source: where the consents stand, such as "class-9b.csv".
        at: aware UTC, when they were given, or taken in.
        actor: who takes them in, for the audit log.

    Raises:
        InvalidRecordError: nothing is left of a name once it is cleaned, or the time is not in UTC or a day ahead;
            nothing was stored.
    """
    _check_answered(at)
    cleaned = [NewStudent(_clean_student(row.name), row.consent) for row in rows]
    where = _clean_source(source)
    with writing(engine) as connection:
        name = _ensure(connection, class_name)
        known = connection.execute(
            select(*_STUDENT).where(StudentTable.class_name == name).order_by(StudentTable.id)
        )
        steps = plan_import([_student(row) for row in known], cleaned)
        for row, (student, change) in zip(cleaned, steps, strict=True):
            told = None if row.consent in {None, Consent.UNKNOWN} else at
            if student is None:
                consent = row.consent or Consent.UNKNOWN
                number = _insert(connection, name, row.name, consent, told, where if told else None)
                if told:
                    write_audit(connection, AuditAction.CONSENT_CHANGED, actor, number, consent=str(consent))
            elif change:
                connection.execute(
                    update(StudentTable)
                    .where(StudentTable.id == student.id)
                    .values(
                        consent=str(row.consent),
                        consent_at=told,
                        consent_source=where if told else None,
                    )
                )
                write_audit(
                    connection, AuditAction.CONSENT_CHANGED, actor, student.id, consent=str(row.consent)
                )
                _take_bias(connection, student.id, row.consent, actor)
    added = sum(student is None for student, _ in steps)
    changed = sum(change for _, change in steps)
    return Imported(added, changed, len(cleaned) - added - changed)


def plan_import(known: Sequence[Student], rows: Sequence[NewStudent]) -> list[tuple[Student | None, bool]]:
    """What taking in each row does: who it is of those known (None: somebody new), and whether their consent changes.

    Args:
        known: the students of the class.
        rows: the list, cleaned.
    """
    namesakes: dict[str, list[Student]] = {}
    for one in sorted(known, key=lambda student: student.id):
        namesakes.setdefault(one.name.casefold(), []).append(one)
    taken: Counter[str] = Counter()
    steps: list[tuple[Student | None, bool]] = []
    for row in rows:
        key = row.name.casefold()
        place = taken[key]
        taken[key] += 1
        student = namesakes[key][place] if place < len(namesakes.get(key, ())) else None
        steps.append((student, student is not None and row.consent not in {None, student.consent}))
    return steps


def match_label(engine: Engine, class_name: str, label: str, student_id: int | None) -> None:
    """Keep that the teacher matched a label: it is a student's, or nobody's of the list.

    The seats of that label in past sessions of the class follow, but for those of sessions in which two seats carry
    it: then the label alone does not tell whose they are.

    Args:
        engine: from `storage.database.open_database`, migrated.
        class_name: the class.
        label: as read from the tile.
        student_id: a student of this class; None for nobody of the list.

    Raises:
        InvalidRecordError: nothing is left of a name once it is cleaned.
        UnknownStudentError: the student is not in this class.
    """
    cleaned = clean_name(label)
    if cleaned is None:
        raise InvalidRecordError("Only a label that could be read can be matched to a student.")
    with writing(engine) as connection:
        name = _ensure(connection, class_name)
        if student_id is not None and find_student(connection, student_id).class_name != name:
            raise UnknownStudentError(
                f'Student {student_id} is not in the class "{name}": choose one of its list.'
            )
        connection.execute(
            _dialect_insert(connection, StudentLabelTable)
            .values(class_name=name, label=cleaned, student_id=student_id)
            .on_conflict_do_update(index_elements=["class_name", "label"], set_={"student_id": student_id})
        )
        _give_seats(connection, name, cleaned, student_id)


def unmatch_label(engine: Engine, class_name: str, label: str) -> None:
    """Take back what `match_label` kept, so that the label is matched by its likeness again."""
    name, cleaned = clean_name(class_name), clean_name(label)
    with writing(engine) as connection:
        found = connection.execute(
            delete(StudentLabelTable).where(
                StudentLabelTable.class_name == name, StudentLabelTable.label == cleaned
            )
        ).rowcount
        if found and name is not None and cleaned is not None:
            _give_seats(connection, name, cleaned, None)


def take_biases(connection: Connection, which: ColumnElement[bool], actor: str, **why: object) -> None:
    """Take the bias away, within a transaction, from the students of whom a condition on their table holds, with a line
    in the log for each who had one."""
    gone = connection.scalars(
        update(StudentTable)
        .where(which, StudentTable.calibrated_at.is_not(None))
        .values(_UNCALIBRATED)
        .returning(StudentTable.id)
    ).all()
    for student_id in gone:
        write_audit(connection, AuditAction.SEAT_CALIBRATED, actor, student_id, kept=False, **why)


def find_student(connection: Connection, student_id: int) -> Student:
    """As `read_student`, within a transaction."""
    row = connection.execute(select(*_STUDENT).where(StudentTable.id == student_id)).one_or_none()
    if row is None:
        raise UnknownStudentError(
            f"There is no student {student_id}: `classpulse students list` lists those there are."
        )
    return _student(row)


def _give_seats(connection: Connection, class_name: str, label: str, student_id: int | None) -> None:
    of_class = select(SessionTable.id).where(SessionTable.name == class_name)
    alone = (
        select(SeatTable.session_id)
        .where(SeatTable.name == label, SeatTable.session_id.in_(of_class))
        .group_by(SeatTable.session_id)
        .having(func.count() == 1)
    )
    connection.execute(
        update(SeatTable)
        .where(SeatTable.name == label, SeatTable.session_id.in_(alone.scalar_subquery()))
        .values(student_id=student_id)
    )


def all_students(connection: Connection, which: ColumnElement[bool]) -> list[Student]:
    """The students of whom a condition on their table holds, within a transaction."""
    return [_student(row) for row in connection.execute(select(*_STUDENT).where(which))]


def _student(row: Any) -> Student:
    values = row._asdict()
    return Student(**{**values, "consent": Consent(values["consent"])})


def _check_answered(at: datetime | None) -> None:
    """A day of slack: what is today in one zone is tomorrow in another."""
    if at is None:
        return
    check_utc("The time of a consent", at)
    if at > datetime.now(UTC) + timedelta(days=1):
        raise InvalidRecordError(f"{at:%d %B %Y} is still to come: write the day on which they answered.")


def _take_bias(connection: Connection, student_id: int, consent: Consent | None, actor: str) -> None:
    """What was fitted to somebody's face goes with their agreement."""
    if consent is not Consent.AGREED:
        take_biases(connection, StudentTable.id == student_id, actor)


def _ensure(connection: Connection, name: str) -> str:
    written = written_class(connection, name)
    connection.execute(
        _dialect_insert(connection, ClassListTable)
        .values(name=written, only_agreed=False)
        .on_conflict_do_nothing()
    )
    return written


def _insert(
    connection: Connection,
    class_name: str,
    name: str,
    consent: Consent,
    at: datetime | None,
    source: str | None,
) -> int:
    return connection.execute(
        insert(StudentTable)
        .values(class_name=class_name, name=name, consent=str(consent), consent_at=at, consent_source=source)
        .returning(StudentTable.id)
    ).scalar_one()


def _dialect_insert(connection: Connection, table: type[Any]) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _clean_student(name: str) -> str:
    cleaned = clean_name(name)
    if cleaned is None:
        raise InvalidRecordError("A student needs a name of at least one visible letter: type it.")
    return cleaned


def _clean_source(source: str | None) -> str | None:
    return clean_name(source, MAX_SOURCE_LENGTH) if source else None
