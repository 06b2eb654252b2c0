"""What the teacher answers to two seats that may be one."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from engagement.records import (
    Episode,
    IntervalRecord,
    OfferAnswer,
    OfferReason,
    Reading,
    Rule,
    Seat,
    SeatOffer,
    State,
)
from storage import queries, students
from storage import recorder as recorder_module
from storage.database import writing
from storage.errors import AnswerRefusedError, UnknownOfferError
from storage.history import past_intervals
from storage.recorder import NewSession, Recorder
from storage.retention import erase_student
from storage.schema import SeatTable, SessionTable
from storage.seat_offers import open_offers
from storage.students import answer_offer, merged_seats

MakeRecord = Callable[..., IntervalRecord]


@pytest.fixture
def commit(engine: Engine, session_id: int, record: MakeRecord) -> Callable[..., None]:
    """Commits an interval in which these seats (number -> name) were there."""
    recorder = Recorder(engine)

    def make(
        index: int,
        seats: dict[int, str | None],
        *,
        offers: Sequence[tuple[int, int]] = (),
        episodes: Sequence[Episode] = (),
    ) -> None:
        recorder.commit(
            record(
                session_id,
                index,
                tiles=len(seats),
                faces=0,
                faces_read=0,
                states={State.CAMERA_OFF: len(seats)},
                expressions={},
                mood=None,
                facing=None,
                seats=tuple(Seat(number, name, f"print-{number}") for number, name in seats.items()),
                readings=tuple(
                    Reading(number, place, State.CAMERA_OFF, None, None, None, 0.0)
                    for place, number in enumerate(seats)
                ),
                episodes=tuple(episodes),
                offers=tuple(SeatOffer(seat, same_as, OfferReason.RENAMED) for seat, same_as in offers),
            )
        )

    return make


def test_one_participant_of_two_seats(
    engine: Engine, session_id: int, commit: Callable[..., None], record: MakeRecord
) -> None:
    start = record(session_id).started_at
    both = Episode(Rule.CAMERA_OFF, 1, "Camera off", start, start, {})
    commit(0, {1: "Ada", 2: "Ben"}, episodes=[both])
    own = Episode(Rule.ABSENT, 3, "No face", start + timedelta(seconds=2), None, {})
    twin = Episode(Rule.CAMERA_OFF, 3, "Camera off", start, start, {})
    commit(1, {2: "Ben", 3: "Ada Okafor"}, offers=[(3, 1)], episodes=[own, twin])
    assert merged_seats(engine, session_id) == {}

    answer_offer(engine, session_id, 3, 1, OfferAnswer.SAME)

    assert merged_seats(engine, session_id) == {3: 1}
    found = queries.readings_since(engine, session_id)
    assert sorted(found["seat"]) == [1, 1, 2, 2]
    seats = queries.seats(engine, session_id).set_index("seat")
    assert seats["name"].to_dict() == {1: "Ada Okafor", 2: "Ben"}
    assert seats.loc[1, "fingerprint"] == "print-3"
    assert (seats.loc[1, "first_seen_at"], seats.loc[1, "last_seen_at"]) == (
        start,
        start + timedelta(seconds=2),
    )
    kept = queries.episodes(engine, session_id)
    assert list(zip(kept["rule"], kept["seat"], strict=True)) == [("camera_off", 1), ("absent", 1)]
    answer_offer(engine, session_id, 3, 1, OfferAnswer.SAME)  # said twice is said once
    with pytest.raises(AnswerRefusedError, match="cannot be taken back"):
        answer_offer(engine, session_id, 3, 1, OfferAnswer.DIFFERENT)


def test_an_answer_waits_for_the_interval_that_is_being_stored(
    engine: Engine, session_id: int, commit: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(0, {1: "Ada"})
    commit(1, {3: "Ada Okafor"}, offers=[(3, 1)])
    answering = threading.Thread(target=answer_offer, args=(engine, session_id, 3, 1, OfferAnswer.SAME))
    looked = recorder_module.read_merged

    def answered_meanwhile(*args: Any) -> dict[int, int]:
        known = looked(*args)
        if not answering.is_alive():
            answering.start()
            answering.join(0.5)
        return known

    monkeypatch.setattr(recorder_module, "read_merged", answered_meanwhile)
    commit(2, {3: "Ada Okafor"})
    answering.join(30)
    assert merged_seats(engine, session_id) == {3: 1}
    assert queries.readings_since(engine, session_id)["seat"].tolist() == [1, 1, 1]
    assert queries.seats(engine, session_id)["seat"].tolist() == [1]


def test_what_was_read_with_a_calibration_stays_so_on_the_seat_that_it_is(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    recorder = Recorder(engine)

    def happy_as(seat: int, index: int, **changes: Any) -> IntervalRecord:
        whole = record(session_id, index, episodes=(), **changes)
        first, *others = whole.readings
        return replace(
            whole,
            readings=(replace(first, seat=seat), *others),
            seats=(Seat(seat, "Ada", "a"), *whole.seats[1:]),
        )

    recorder.commit(happy_as(1, 0), {1: 5})
    recorder.commit(happy_as(4, 1, offers=(SeatOffer(4, 1, OfferReason.RENAMED),)), {1: 5, 4: 6})
    answer_offer(engine, session_id, 4, 1, OfferAnswer.SAME)
    # of an agent that has not heard of it yet
    recorder.commit(happy_as(4, 2), {1: 5, 4: 7})
    assert [past.calibrations for past in past_intervals(engine, session_id)] == [{1: 5}, {1: 6}, {1: 7}]


def test_two_that_were_said_to_be_a_third_and_are_here_at_once_stay_two(
    engine: Engine, session_id: int, commit: Callable[..., None]
) -> None:
    commit(0, {1: "Ada"})
    commit(1, {2: "Ada O."}, offers=[(2, 1)])
    commit(2, {3: "Ada Okafor"}, offers=[(3, 1)])
    for seat in (2, 3):
        answer_offer(engine, session_id, seat, 1, OfferAnswer.SAME)
    # read before the agent heard of it
    commit(3, {2: "Ada O.", 3: "Ada Okafor"})
    commit(4, {3: "Ada Okafor"})
    assert queries.readings_since(engine, session_id)["seat"].tolist() == [1, 1, 1, 2, 3, 1]


def test_an_answer_waits_for_an_erasing_or_comes_before_it(
    postgres_engine: Engine, new_session: Callable[..., NewSession], record: MakeRecord
) -> None:
    engine, recorder = postgres_engine, Recorder(postgres_engine)
    new = new_session()
    session_id = recorder.open_session(new)
    her = students.add_student(engine, new.name, "Ada Okafor")
    seats = (Seat(1, "Ada", "a", her), Seat(2, "Ada O.", "b", her))
    for index, seat in enumerate(seats):
        offers = (SeatOffer(2, 1, OfferReason.RENAMED),) if index else ()
        recorder.commit(
            record(
                session_id,
                index,
                tiles=1,
                faces=0,
                faces_read=0,
                states={State.CAMERA_OFF: 1},
                expressions={},
                mood=None,
                facing=None,
                seats=(seat,),
                readings=(Reading(seat.number, 0, State.CAMERA_OFF, None, None, None, 0.0),),
                episodes=(),
                offers=offers,
            )
        )
    recorder.close_session(session_id, new.started_at)
    erasing = threading.Thread(target=erase_student, args=(engine, her))
    with writing(engine) as connection:
        connection.execute(select(SessionTable.id).with_for_update()).all()
        erasing.start()
        # it has read nothing yet of what is changed now
        erasing.join(0.5)
        assert erasing.is_alive()
        connection.execute(update(SeatTable).where(SeatTable.number == 2).values(student_id=None))
    erasing.join(30)
    assert queries.seats(engine, session_id)["seat"].tolist() == [2]


def test_two_people_may_become_one_later(
    engine: Engine, session_id: int, commit: Callable[..., None]
) -> None:
    commit(0, {1: "Ada"})
    commit(1, {2: None}, offers=[(2, 1)])
    answer_offer(engine, session_id, 2, 1, OfferAnswer.DIFFERENT)
    assert merged_seats(engine, session_id) == {}
    assert queries.seats(engine, session_id)["seat"].tolist() == [1, 2]
    answer_offer(engine, session_id, 2, 1, OfferAnswer.SAME)
    assert queries.seats(engine, session_id)["name"].tolist() == ["Ada"]


def test_answers_add_up(engine: Engine, session_id: int, commit: Callable[..., None]) -> None:
    for index, (seat, offers) in enumerate(
        [(1, []), (2, []), (3, [(3, 2)]), (4, [(4, 3), (4, 1)]), (5, [(5, 4)])]
    ):
        commit(index, {seat: f"Name {seat}"}, offers=offers)
    assert [(one.seat, one.same_as) for one in open_offers(engine, "Physics 3B")] == [
        (5, 4),
        (4, 1),
        (4, 3),
        (3, 2),
    ]
    newest = open_offers(engine, "Physics 3B")[0]
    assert (newest.name, newest.same_as_name, newest.reason) == ("Name 5", "Name 4", OfferReason.RENAMED)
    for seat, same_as in ((4, 3), (5, 4), (3, 2)):
        answer_offer(engine, session_id, seat, same_as, OfferAnswer.SAME)
    assert [(one.seat, one.same_as) for one in open_offers(engine, "Physics 3B")] == [(4, 1)]
    answer_offer(engine, session_id, 4, 1, OfferAnswer.SAME)
    assert merged_seats(engine, session_id) == {2: 1, 3: 1, 4: 1, 5: 1}
    assert queries.seats(engine, session_id)[["seat", "name"]].values.tolist() == [[1, "Name 5"]]
    assert queries.readings_since(engine, session_id)["seat"].tolist() == [1] * 5


def test_two_that_were_seen_at_one_time_stay_two(
    engine: Engine, session_id: int, commit: Callable[..., None]
) -> None:
    commit(0, {1: "Ada", 2: None}, offers=[(2, 1)])
    commit(1, {2: None})
    with pytest.raises(AnswerRefusedError, match=r"^Seat 2 and Ada were seen at the same time \(1 time\)"):
        answer_offer(engine, session_id, 2, 1, OfferAnswer.SAME)
    assert queries.readings_since(engine, session_id)["seat"].tolist() == [1, 2, 2]
    assert merged_seats(engine, session_id) == {}


def test_two_students_of_the_list_stay_two(
    engine: Engine, session_id: int, commit: Callable[..., None]
) -> None:
    commit(0, {1: "Ada"})
    commit(1, {2: "Ben"}, offers=[(2, 1)])
    ada, ben = (students.add_student(engine, "Physics 3B", name) for name in ("Ada", "Ben"))
    with writing(engine) as connection:
        for number, student_id in ((1, ada), (2, ben)):
            connection.execute(
                update(SeatTable).where(SeatTable.number == number).values(student_id=student_id)
            )
    with pytest.raises(AnswerRefusedError, match="two students of the list"):
        answer_offer(engine, session_id, 2, 1, OfferAnswer.SAME)
    students.match_label(engine, "Physics 3B", "Ben", None)
    answer_offer(engine, session_id, 2, 1, OfferAnswer.SAME)
    with engine.connect() as connection:
        assert connection.scalar(SeatTable.__table__.select().with_only_columns(SeatTable.student_id)) == ada


def test_what_nobody_offered_is_refused(engine: Engine, session_id: int, commit: Callable[..., None]) -> None:
    commit(0, {1: "Ada"})
    commit(1, {2: "Ben"})
    with pytest.raises(UnknownOfferError, match="Nobody offered seat 2 as seat 1"):
        answer_offer(engine, session_id, 2, 1, OfferAnswer.SAME)
