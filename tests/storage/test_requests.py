"""What the pages ask of a running agent, and seats that become another's while it runs."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Engine, delete, event

from engagement.records import Consent, IntervalRecord, OfferAnswer, OfferReason, Seat, SeatOffer
from storage import queries, students
from storage.database import writing
from storage.errors import UnknownSessionError
from storage.pause import pause
from storage.recorder import Recorder
from storage.requests import read_requests
from storage.schema import StudentTable
from storage.stop import request_stop

MakeRecord = Callable[..., IntervalRecord]


@pytest.fixture
def class_name(engine: Engine, session_id: int) -> str:
    return queries.find_session(engine, str(session_id)).name


def test_a_pause_and_a_stop_are_seen(engine: Engine, session_id: int) -> None:
    asked = read_requests(engine, session_id)
    assert (asked.paused, asked.stop) == (False, False)
    pause(engine, session_id, paused=True)
    request_stop(engine, session_id)
    asked = read_requests(engine, session_id)
    assert (asked.paused, asked.stop) == (True, True)
    with pytest.raises(UnknownSessionError):
        read_requests(engine, session_id + 1)


def test_any_change_of_the_class_list_is_seen_and_nothing_else(
    engine: Engine, session_id: int, class_name: str
) -> None:
    students.add_student(engine, "another class", "Zoe")
    states = [read_requests(engine, session_id).class_list]

    def changed() -> bool:
        states.append(read_requests(engine, session_id).class_list)
        return states[-1] not in states[:-1]

    students.ensure_class_list(engine, class_name)
    assert changed()
    ada = students.add_student(engine, class_name, "Ada")
    assert changed()
    students.set_consent(engine, ada, Consent.REFUSED, None, None)
    assert changed()
    students.rename_student(engine, ada, "Ada Okafor")
    assert changed()
    students.match_label(engine, class_name, "tablet", ada)
    assert changed()
    students.match_label(engine, class_name, "tablet", None)
    assert changed()
    students.update_class_list(engine, class_name, only_agreed=True)
    assert changed()
    students.update_class_list(engine, class_name, own_label="Teacher")
    assert changed()
    students.add_student(engine, "another class", "Yusuf")
    pause(engine, session_id, paused=True)
    assert read_requests(engine, session_id).class_list == states[-1]


def test_it_takes_one_query(engine: Engine, session_id: int) -> None:
    asked: list[str] = []

    def note(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    event.listen(engine, "before_cursor_execute", note)
    read_requests(engine, session_id)
    assert len([one for one in asked if one.startswith("SELECT")]) == 1


def test_a_seat_that_is_another_is_stored_as_that_one(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    both = record(session_id, offers=(SeatOffer(3, 1, OfferReason.RENAMED),))
    one, two, three = both.readings
    first, second, third = both.seats
    recorder.commit(replace(both, readings=(one, two), seats=(first, second), episodes=(), offers=()))
    later = record(
        session_id, 1, seats=(second, third), readings=(two, three), offers=both.offers, episodes=()
    )
    recorder.commit(later)
    before = read_requests(engine, session_id).answers
    students.answer_offer(engine, session_id, 3, 1, OfferAnswer.SAME)
    assert read_requests(engine, session_id).answers != before
    # an interval of an agent that has not heard of it yet
    recorder.commit(replace(later, started_at=later.started_at.replace(minute=59), offers=()))
    read = queries.readings_since(engine, session_id)
    assert [set(seats) for _, seats in read.groupby("interval_id")["seat"]] == [{1, 2}] * 3
    assert set(queries.seats(engine, session_id)["seat"]) == {1, 2}


def test_whose_a_seat_is_is_stored_and_may_change_or_be_erased(
    engine: Engine, session_id: int, record: MakeRecord, class_name: str
) -> None:
    recorder = Recorder(engine)
    ada = students.add_student(engine, class_name, "Ada")

    def stored(index: int, student: int | None) -> list[int | None]:
        made = record(session_id, index)
        seats = tuple(Seat(seat.number, seat.name, seat.fingerprint) for seat in made.seats)
        recorder.commit(replace(made, seats=(replace(seats[0], student_id=student), *seats[1:])))
        with engine.connect() as connection:
            return list(connection.exec_driver_sql("SELECT student_id FROM seats ORDER BY number").scalars())

    assert stored(0, ada) == [ada, None, None]
    assert stored(1, None) == [None, None, None]
    assert stored(2, ada) == [ada, None, None]
    with writing(engine) as connection:
        connection.execute(delete(StudentTable).where(StudentTable.id == ada))
    assert stored(3, ada) == [None, None, None]
