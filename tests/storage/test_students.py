"""Class lists: names cleaned, consents kept, labels matched, lists taken in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from engagement.errors import InvalidRecordError
from engagement.records import Consent, IntervalRecord, Seat
from storage import students
from storage.database import reading
from storage.errors import UnknownStudentError
from storage.recorder import NewSession, Recorder
from storage.schema import SeatTable
from storage.students import NewStudent

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
CLASS = "Physics 3B"
LATER = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)

MakeSession = Callable[..., NewSession]
MakeRecord = Callable[..., IntervalRecord]


def owners(engine: Engine, session_id: int) -> dict[int, int | None]:
    with reading(engine) as connection:
        rows = connection.execute(
            select(SeatTable.number, SeatTable.student_id).where(SeatTable.session_id == session_id)
        ).all()
    return {row.number: row.student_id for row in rows}


def test_a_class_is_all_sessions_of_its_name_and_lists_without_any(engine: Engine, session_id: int) -> None:
    assert students.class_names(engine) == [CLASS]
    assert students.read_class_list(engine, CLASS) is None
    assert students.ensure_class_list(engine, "  algebra\u202e 9b ") == "algebra 9b"
    assert students.ensure_class_list(engine, "algebra 9b") == "algebra 9b"
    assert students.class_names(engine) == ["algebra 9b", CLASS]
    empty = students.read_class_list(engine, "algebra  9b")
    assert empty == students.ClassList("algebra 9b", False, None, (), {})
    with pytest.raises(InvalidRecordError, match="A class needs a name"):
        students.ensure_class_list(engine, "\u200b \x00")


def test_a_list_takes_the_name_of_its_class_as_it_is_written_already(
    engine: Engine, new_session: Callable[..., NewSession]
) -> None:
    recorder = Recorder(engine)
    recorder.open_session(new_session(name="PHYSICS"))  # runs
    for ended in ("Physics", "physics"):
        recorder.close_session(recorder.open_session(new_session(name=ended)), LATER)
    # one that is begun while a class runs holds for it
    assert students.class_as_written(engine, "Physics ") == "PHYSICS"
    number = students.add_student(engine, "Physics", "Ada")
    assert students.read_student(engine, number).class_name == "PHYSICS"
    # where there is no session, the first list
    assert students.class_as_written(engine, "algebra") == "algebra"
    assert students.ensure_class_list(engine, "Algebra") == "Algebra"
    assert students.ensure_class_list(engine, "ALGEBRA") == "Algebra"
    assert students.class_list_alike(engine, "physics") == "PHYSICS"
    assert students.class_list_alike(engine, "PHYSICS") is None
    assert students.class_list_alike(engine, "chemistry") is None


def test_what_holds_for_a_class_is_changed_one_by_one(engine: Engine) -> None:
    students.update_class_list(engine, CLASS, only_agreed=True)
    students.update_class_list(engine, CLASS, own_label="Ms\tOwn ")
    kept = students.read_class_list(engine, CLASS)
    assert kept is not None
    assert (kept.only_agreed, kept.own_label) == (True, "Ms Own")
    students.update_class_list(engine, CLASS, only_agreed=False, own_label="")
    kept = students.read_class_list(engine, CLASS)
    assert kept is not None
    assert (kept.only_agreed, kept.own_label) == (False, None)


def test_students_come_by_name_with_their_consent(engine: Engine) -> None:
    second = students.add_student(engine, CLASS, "ben")
    first = students.add_student(engine, CLASS, "Ada\u0000 <b>")
    namesake = students.add_student(engine, CLASS, "ben")
    students.set_consent(engine, second, Consent.REFUSED, " mail of\n2 March ", AT)
    students.rename_student(engine, namesake, "Benno")
    kept = students.read_class_list(engine, CLASS)
    assert kept is not None
    assert kept.students == (
        students.Student(first, CLASS, "Ada <b>", Consent.UNKNOWN, None, None),
        students.Student(second, CLASS, "ben", Consent.REFUSED, AT, "mail of 2 March"),
        students.Student(namesake, CLASS, "Benno", Consent.UNKNOWN, None, None),
    )
    assert students.read_student(engine, second) == kept.students[1]


@pytest.mark.parametrize("name", ["", "\u200b", " \t\x07"])
def test_a_student_without_a_visible_name_is_refused(engine: Engine, name: str) -> None:
    with pytest.raises(InvalidRecordError, match="A student needs a name"):
        students.add_student(engine, CLASS, name)
    known = students.add_student(engine, CLASS, "Ada")
    with pytest.raises(InvalidRecordError, match="A student needs a name"):
        students.rename_student(engine, known, name)
    with pytest.raises(InvalidRecordError, match="A student needs a name"):
        students.import_students(engine, CLASS, [NewStudent("Eve"), NewStudent(name)], source="x", at=AT)
    kept = students.read_class_list(engine, CLASS)
    assert kept is not None
    assert [one.name for one in kept.students] == ["Ada"]


def test_an_unknown_student_is_told(engine: Engine) -> None:
    for change in (
        lambda: students.read_student(engine, 7),
        lambda: students.rename_student(engine, 7, "Ada"),
        lambda: students.set_consent(engine, 7, Consent.AGREED, None, None),
        lambda: students.match_label(engine, CLASS, "Ada", 7),
    ):
        with pytest.raises(UnknownStudentError, match="no student 7"):
            change()
    with pytest.raises(InvalidRecordError, match="must be an aware datetime"):
        students.set_consent(engine, 7, Consent.AGREED, None, AT.replace(tzinfo=None))


def test_a_list_adds_and_changes_but_removes_nobody(engine: Engine) -> None:
    ada = students.add_student(engine, CLASS, "Ada Okafor")
    ben = students.add_student(engine, CLASS, "Ben")
    students.set_consent(engine, ben, Consent.AGREED, "by hand", AT)
    told = students.import_students(
        engine,
        CLASS,
        [
            NewStudent("ADA OKAFOR", Consent.AGREED),
            NewStudent("Ben"),
            NewStudent("Ben", Consent.REFUSED),
            NewStudent("=SUM(A1)", Consent.UNKNOWN),
        ],
        source="list.csv",
        at=AT,
    )
    assert told == students.Imported(added=2, changed=1, unchanged=1)
    kept = students.read_class_list(engine, CLASS)
    assert kept is not None
    assert [(one.name, one.consent, one.consent_at, one.consent_source) for one in kept.students] == [
        ("=SUM(A1)", Consent.UNKNOWN, None, None),
        ("Ada Okafor", Consent.AGREED, AT, "list.csv"),
        ("Ben", Consent.AGREED, AT, "by hand"),
        ("Ben", Consent.REFUSED, AT, "list.csv"),
    ]
    assert kept.students[1].id == ada
    again = students.import_students(
        engine, CLASS, [NewStudent("Ben", Consent.UNKNOWN)], source="list.csv", at=AT
    )
    assert again == students.Imported(added=0, changed=1, unchanged=0)
    assert students.read_student(engine, ben).consent_at is None


def test_nobody_answered_on_a_day_to_come(engine: Engine) -> None:
    ben = students.add_student(engine, CLASS, "Ben")
    ahead = datetime.now(UTC) + timedelta(days=2)
    with pytest.raises(InvalidRecordError, match="is still to come: write the day on which they answered"):
        students.set_consent(engine, ben, Consent.AGREED, None, ahead)
    rows = [NewStudent("Ben", Consent.AGREED)]
    with pytest.raises(InvalidRecordError, match="is still to come"):
        students.import_students(engine, CLASS, rows, source="list.csv", at=ahead)
    assert students.read_student(engine, ben).consent is Consent.UNKNOWN
    # tomorrow in the teacher's zone
    students.set_consent(engine, ben, Consent.AGREED, None, datetime.now(UTC) + timedelta(hours=20))
    assert students.read_student(engine, ben).consent is Consent.AGREED


def test_a_label_matched_by_hand_takes_its_past_seats_along(
    engine: Engine, new_session: MakeSession, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    sessions = []
    for names in (("Ada", "Ada O.", None), ("Ada O.", "Ada O.", "Ben")):
        session_id = recorder.open_session(new_session())
        seats = tuple(Seat(n, name, f"{n}") for n, name in enumerate(names, 1))
        recorder.commit(record(session_id, seats=seats, episodes=()))
        recorder.close_session(session_id, new_session().started_at)
        sessions.append(session_id)
    elsewhere = recorder.open_session(new_session(name="Algebra"))
    recorder.commit(record(elsewhere, seats=(Seat(1, "Ada O.", ""), Seat(2, "B", ""), Seat(3, None, ""))))
    ada = students.add_student(engine, CLASS, "Ada Okafor")
    other = students.add_student(engine, "Algebra", "Ada Okafor")

    students.match_label(engine, CLASS, " Ada O.\u200b", ada)
    assert owners(engine, sessions[0]) == {1: None, 2: ada, 3: None}
    assert owners(engine, sessions[1]) == {1: None, 2: None, 3: None}  # two carry it: nobody can tell
    assert owners(engine, elsewhere) == {1: None, 2: None, 3: None}
    students.match_label(engine, CLASS, "Ben", None)
    kept = students.read_class_list(engine, CLASS)
    assert kept is not None
    assert dict(kept.labels) == {"Ada O.": ada, "Ben": None}

    with pytest.raises(UnknownStudentError, match='not in the class "Physics 3B"'):
        students.match_label(engine, CLASS, "Ada O.", other)
    with pytest.raises(InvalidRecordError, match="Only a label that could be read"):
        students.match_label(engine, CLASS, "\u200b", ada)
    students.unmatch_label(engine, CLASS, "Ada O.")
    kept = students.read_class_list(engine, CLASS)
    assert kept is not None
    assert dict(kept.labels) == {"Ben": None}
    assert owners(engine, sessions[0]) == {1: None, 2: None, 3: None}
