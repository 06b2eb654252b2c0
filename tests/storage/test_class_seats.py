"""Whose a seat is, where nobody wrote it down."""

from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import Engine, update

from engagement.records import IntervalRecord, Seat, State
from storage import students
from storage.class_seats import class_seats
from storage.database import reading, writing
from storage.recorder import NewSession, Recorder
from storage.schema import SeatTable

CLASS = "Physics 3B"


@pytest.fixture
def lesson(
    engine: Engine, new_session: Callable[..., NewSession], record: Callable[..., IntervalRecord]
) -> Callable[[Sequence[str | None]], int]:
    """Makes a session of the class in which these labels were read."""
    recorder = Recorder(engine)

    def make(labels: Sequence[str | None]) -> int:
        session_id = recorder.open_session(new_session())
        seats = tuple(Seat(number, label, "") for number, label in enumerate(labels, 1))
        empty = {"faces": 0, "faces_read": 0, "expressions": {}, "mood": None, "facing": None, "episodes": ()}
        states = {State.CAMERA_OFF: len(labels)}
        recorder.commit(
            record(session_id, tiles=len(labels), states=states, seats=seats, readings=(), **empty)
        )
        recorder.close_session(session_id, new_session().started_at)
        return session_id

    return make


def owners(engine: Engine) -> list[tuple[str | None, int | None, tuple[int, ...]]]:
    with reading(engine) as connection:
        return [(seat.label, seat.student_id, seat.candidates) for seat in class_seats(connection, CLASS)]


def test_labels_are_matched_within_each_session(engine: Engine, lesson: Callable[..., int]) -> None:
    lesson(["Ada Okafor", "Nobody Known", None])
    lesson(["ADA OKAFOR", "Ben Carver", "Ben Carver"])
    ada, ben = (students.add_student(engine, CLASS, name) for name in ("Ada Okafor", "Ben Carver"))
    assert owners(engine) == [
        ("Ada Okafor", ada, ()),
        ("Nobody Known", None, ()),
        (None, None, ()),
        ("ADA OKAFOR", ada, ()),
        ("Ben Carver", None, (ben,)),
        ("Ben Carver", None, (ben,)),
    ]


def test_who_has_a_seat_gets_no_second_one_but_by_hand(engine: Engine, lesson: Callable[..., int]) -> None:
    session_id = lesson(["Tablet", "Ada Okafor"])
    ada = students.add_student(engine, CLASS, "Ada Okafor")
    with writing(engine) as connection:
        connection.execute(
            update(SeatTable)
            .where(SeatTable.session_id == session_id, SeatTable.number == 1)
            .values(student_id=ada)
        )
    assert owners(engine) == [("Tablet", ada, ()), ("Ada Okafor", None, (ada,))]
    students.match_label(engine, CLASS, "Ada Okafor", ada)
    assert owners(engine) == [("Tablet", ada, ()), ("Ada Okafor", ada, ())]


def test_what_the_teacher_said_of_a_label_comes_first(engine: Engine, lesson: Callable[..., int]) -> None:
    ada, ben = (students.add_student(engine, CLASS, name) for name in ("Ada Okafor", "Ben Carver"))
    lesson(["Ada Okafor", "Ben Carver", "iPad"])
    students.match_label(engine, CLASS, "Ada Okafor", None)
    students.match_label(engine, CLASS, "iPad", ada)
    lesson(["Ada Okafor", "iPad"])
    assert owners(engine) == [
        ("Ada Okafor", None, ()),
        ("Ben Carver", ben, ()),
        ("iPad", ada, ()),
        ("Ada Okafor", None, ()),
        ("iPad", ada, ()),
    ]
