"""Sessions that break off and go on, what the next agent is told of them, pauses, offers and last times."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from sqlalchemy import Engine, text

from engagement.errors import InvalidRecordError
from engagement.policy import Policy
from engagement.records import (
    IntervalRecord,
    Mode,
    NotObservedReason,
    OfferReason,
    SeatOffer,
    WindowChange,
)
from storage import queries
from storage.audit import AuditAction, audit_entries
from storage.database import default_url, open_database, write_engine
from storage.errors import SessionBusyError
from storage.history import past_intervals, past_seats
from storage.migrate import alembic_config, migrate, script_folder
from storage.pause import pause
from storage.queries import Condition
from storage.recorder import RESUME_WITHIN, NewSession, Recorder
from storage.requests import read_requests
from storage.stop import request_stop

START = datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)
Make = Callable[..., NewSession]
MakeRecord = Callable[..., IntervalRecord]


def broken_off(engine: Engine, new_session: Make, record: MakeRecord) -> tuple[Recorder, int]:
    """A session of four intervals whose agent is dead."""
    recorder = Recorder(engine, is_alive=lambda pid: pid == os.getpid())
    first = recorder.open_session(new_session(pid=4_000_001))
    for index in range(4):
        recorder.commit(record(first, index))
    return recorder, first


def test_the_session_of_a_dead_agent_goes_on(engine: Engine, new_session: Make, record: MakeRecord) -> None:
    recorder, first = broken_off(engine, new_session, record)
    again = new_session(started_at=START + timedelta(seconds=20), may_resume=True, source="window “Zoom”")
    opened = recorder.open_or_resume(again)
    assert (opened.id, opened.resumed_from) == (first, START + timedelta(seconds=8))
    row = queries.find_session(engine, "last")
    assert (row.id, row.ended_at, row.interrupted_at, row.agent_pid) == (first, None, None, os.getpid())
    assert queries.episodes(engine, first, open_only=True).empty
    recorder.commit(record(first, 10))
    assert len(queries.intervals_since(engine, first)) == 5
    # the agent that came commits the episode again, which is then open as before
    assert queries.episodes(engine, first, open_only=True)["rule"].tolist() == ["camera_off"]
    assert len(queries.sessions(engine)) == 1


def test_an_agent_that_wakes_up_leaves_its_session_to_the_one_that_went_on_with_it(
    engine: Engine, new_session: Make, record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep, first = broken_off(engine, new_session, record)
    other = Recorder(engine)
    again = new_session(started_at=START + timedelta(seconds=20), may_resume=True, agent_name="the other one")
    assert other.open_or_resume(again).id == first
    other.commit(record(first, 10))
    # nor do the pages beside it say of that session that it was given up
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("socket.gethostname", lambda: "room-12")
        asleep.say_condition(Condition.STOPPED, "It was asleep.", START, again.name)
    assert queries.heartbeat(engine, first).condition is None  # type: ignore[union-attr]
    with pytest.raises(SessionBusyError, match=rf"Session {first} is watched by the other one .*and ends"):
        asleep.commit(record(first, 11))
    with pytest.raises(SessionBusyError):
        asleep.heartbeat(first, "read", datetime.now(UTC))
    asleep.close_session(first, START)
    assert queries.find_session(engine, "last").ended_at is None
    assert len(queries.intervals_since(engine, first)) == 5
    other.commit(record(first, 12))
    other.close_session(first, START + timedelta(seconds=26))
    assert queries.find_session(engine, "last").ended_at == START + timedelta(seconds=26)


def test_one_that_another_command_has_closed_meanwhile_goes_on_too(
    engine: Engine, new_session: Make, record: MakeRecord
) -> None:
    recorder, first = broken_off(engine, new_session, record)
    assert recorder.close_abandoned() == [first]
    assert queries.find_session(engine, "last").interrupted_at is not None
    again = new_session(started_at=START + timedelta(minutes=9), may_resume=True)
    assert recorder.open_or_resume(again).id == first


@pytest.mark.parametrize(
    "changes",
    [
        {"started_at": START + RESUME_WITHIN + timedelta(seconds=9)},
        {"mode": Mode.AGGREGATE},
        {"interval": 5.0},
        {"source": "monitor 1"},
        {"name": "Physics 3C"},
        {"may_resume": False},
    ],
)
def test_another_lesson_begins_a_session_of_its_own(
    sqlite_engine: Engine, new_session: Make, record: MakeRecord, changes: dict[str, object]
) -> None:
    recorder, first = broken_off(sqlite_engine, new_session, record)
    values = {"started_at": START + timedelta(seconds=20), "may_resume": True} | changes
    opened = recorder.open_or_resume(new_session(**values))
    assert opened.id != first
    assert opened.resumed_from is None


def test_a_session_that_ended_by_itself_does_not_go_on(
    sqlite_engine: Engine, new_session: Make, record: MakeRecord
) -> None:
    recorder, first = broken_off(sqlite_engine, new_session, record)
    recorder.close_session(first, START + timedelta(seconds=8))
    again = new_session(started_at=START + timedelta(seconds=20), may_resume=True)
    assert recorder.open_or_resume(again).id != first


def left_recording(
    engine: Engine, new_session: Make, record: MakeRecord, **changes: object
) -> tuple[Recorder, int]:
    """A recording of ten looks that was stopped on the page after four of them."""
    recorder = Recorder(engine, is_alive=lambda pid: pid == os.getpid())
    first = recorder.open_session(new_session(live=False, source="lesson.mp4", **changes))
    for index in range(4):
        recorder.commit(record(first, index))
    request_stop(engine, first)
    recorder.close_session(first, START + timedelta(seconds=8))
    return recorder, first


WHOLE = START + timedelta(seconds=20)


def test_a_recording_is_read_on_where_it_was_left(
    engine: Engine, new_session: Make, record: MakeRecord
) -> None:
    recorder, first = left_recording(engine, new_session, record)
    again = new_session(live=False, source="lesson.mp4", may_resume=True, ends_at=WHOLE)
    opened = recorder.open_or_resume(again)
    assert (opened.id, opened.resumed_from) == (first, START + timedelta(seconds=8))
    asked = read_requests(engine, first)
    assert not asked.stop
    assert not asked.paused
    # whether the class agreed is said again, on another day perhaps
    started = [one for one in audit_entries(engine) if one.action is AuditAction.SESSION_STARTED]
    assert [one.subject for one in started] == [first, first]


@pytest.mark.parametrize(
    "changes",
    [
        {"ends_at": START + timedelta(seconds=8)},
        {"ends_at": START + timedelta(seconds=8.9)},
        {"ends_at": None},
        {"source": "other.mp4"},
        {"started_at": START + timedelta(seconds=1)},
        {"mode": Mode.AGGREGATE},
        {"interval": 5.0},
        {"name": "Physics 3C"},
        {"live": True},
        {"may_resume": False},
    ],
)
def test_another_recording_or_one_read_to_its_end_is_a_session_of_its_own(
    sqlite_engine: Engine, new_session: Make, record: MakeRecord, changes: dict[str, object]
) -> None:
    recorder, first = left_recording(sqlite_engine, new_session, record)
    values = {"live": False, "source": "lesson.mp4", "may_resume": True, "ends_at": WHOLE} | changes
    opened = recorder.open_or_resume(new_session(**values))
    assert opened.id != first
    assert opened.resumed_from is None


def test_what_was_opened_last_is_the_last_session(
    sqlite_engine: Engine, new_session: Make, record: MakeRecord
) -> None:
    recorder, first = left_recording(sqlite_engine, new_session, record)
    other = recorder.open_session(new_session(name="Physics 3C"))
    assert queries.find_session(sqlite_engine, "last").id == other
    again = new_session(live=False, source="lesson.mp4", may_resume=True, ends_at=WHOLE)
    assert recorder.open_or_resume(again).id == first
    assert queries.find_session(sqlite_engine, "last").id == first


def test_an_error_that_ended_it_is_no_end(engine: Engine, new_session: Make, record: MakeRecord) -> None:
    recorder, first = broken_off(engine, new_session, record)
    recorder.close_session(first, START + timedelta(seconds=8), interrupted=True)
    again = new_session(started_at=START + timedelta(seconds=20), may_resume=True)
    assert recorder.open_or_resume(again).id == first


def test_the_history_is_what_was_committed(
    engine: Engine, session_id: int, new_session: Make, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    nothing = record(
        session_id, 1, tiles=0, faces=0, faces_read=0, states={}, expressions=None, mood=None, facing=None,
        readings=(), seats=(), episodes=(), not_observed=NotObservedReason.RESTARTED, seconds=14.5,
    )  # fmt: skip
    recorder.commit(record(session_id))
    recorder.commit(nothing)
    recorder.commit(record(session_id, 9))
    other = recorder.open_session(new_session(name="another"))
    recorder.commit(record(other, 10))
    first, gap, last = past_intervals(engine, session_id)
    assert (gap.started_at, gap.seconds, gap.readings) == (START + timedelta(seconds=2), 14.5, None)
    assert last.started_at == START + timedelta(seconds=18)
    for past, index in ((first, 0), (last, 9)):
        assert past.readings is not None
        for kept, given in zip(past.readings, record(session_id, index).readings, strict=True):
            assert (kept.seat, kept.position, kept.state) == (given.seat, given.position, given.state)
            if given.probabilities is not None:
                np.testing.assert_array_equal(kept.probabilities, given.probabilities)
    assert past_seats(engine, session_id) == record(session_id).seats
    totals = recorder.open_session(new_session(name="totals", mode=Mode.AGGREGATE))
    recorder.commit(Policy(Mode.AGGREGATE).apply(record(totals)))
    assert [past.readings for past in past_intervals(engine, totals)] == [()]


def test_the_history_is_given_in_pieces(
    engine: Engine, new_session: Make, session_id: int, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    other = recorder.open_session(new_session(name="another"))
    for index in range(5):
        recorder.commit(record(session_id, index), {1: 10 + index, 2: 3})
        recorder.commit(record(other, index))
    whole = list(past_intervals(engine, session_id))
    # of those whose expression was read only, whatever is said of the others
    assert [past.calibrations for past in whole] == [{1: 10 + index} for index in range(5)]
    pieces, last = [], 0
    while piece := list(past_intervals(engine, session_id, last, 2)):
        pieces.append(piece)
        last = piece[-1].id
    assert [len(piece) for piece in pieces] == [2, 2, 1]
    found = [past for piece in pieces for past in piece]
    assert [(past.id, past.started_at, len(past.readings or ())) for past in found] == [
        (past.id, past.started_at, 3) for past in whole
    ]


def test_a_restart_is_said_of_its_own_session(engine: Engine, session_id: int, new_session: Make) -> None:
    recorder = Recorder(engine)
    mine = queries.find_session(engine, str(session_id)).name
    newer = recorder.open_session(new_session(name="Another class"))
    recorder.say_condition(Condition.RESTARTING, "It blocked in grab.", START, f" {mine} ")
    said = [queries.heartbeat(engine, number) for number in (session_id, newer)]
    assert [None if beat is None else beat.condition for beat in said] == ["restarting", None]
    recorder.say_condition(Condition.RESTARTING, "It blocked in grab.", START, "No such class")


def test_a_restart_is_said_until_the_next_commit(engine: Engine, session_id: int, record: MakeRecord) -> None:
    recorder = Recorder(engine)
    recorder.commit(record(session_id))
    recorder.say_condition(Condition.RESTARTING, "It blocked in grab.", START)
    recorder.heartbeat(session_id, "load", START + timedelta(seconds=1))
    beat = queries.heartbeat(engine, session_id)
    assert beat is not None
    assert (beat.condition, beat.reason, beat.condition_at) == ("restarting", "It blocked in grab.", START)
    assert beat.committed_at is not None
    recorder.commit(record(session_id, 1))
    beat = queries.heartbeat(engine, session_id)
    assert beat is not None
    assert (beat.condition, beat.reason, beat.condition_at) == (None, None, None)
    recorder.close_session(session_id, START + timedelta(minutes=1))
    recorder.say_condition(Condition.STOPPED, "Nobody is there to be told.", START)
    beat = queries.heartbeat(engine, session_id)
    assert beat is not None
    assert beat.condition is None


def test_a_pause_keeps_its_first_time_and_ends(engine: Engine, session_id: int) -> None:
    assert not read_requests(engine, session_id).paused
    pause(engine, session_id, paused=True)
    since = queries.find_session(engine, "last").paused_at
    assert since is not None
    pause(engine, session_id, paused=True)
    assert queries.find_session(engine, "last").paused_at == since
    assert read_requests(engine, session_id).paused
    pause(engine, session_id, paused=False)
    assert queries.find_session(engine, "last").paused_at is None
    assert not read_requests(engine, session_id).paused


def test_a_seat_is_kept_with_its_last_time_and_offers_with_their_first(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    offer = SeatOffer(3, 1, OfferReason.RENAMED)
    recorder.commit(record(session_id, followed=WindowChange.MOVED, offers=(offer,)))
    one, two, _three = record(session_id, 1).readings
    later = record(session_id, 1, readings=(one, two), seats=record(session_id).seats[:2], offers=(offer,))
    recorder.commit(later)
    seats = queries.seats(engine, session_id)
    seen = [START + timedelta(seconds=2), START + timedelta(seconds=2), START]
    assert seats["last_seen_at"].tolist() == seen
    assert seats["first_seen_at"].tolist() == [START] * 3
    offers = queries.seat_offers(engine, session_id)
    assert offers.to_dict("records") == [{"seat": 3, "same_as": 1, "reason": "renamed", "offered_at": START}]
    assert queries.intervals_since(engine, session_id)["followed"].fillna("").tolist() == ["moved", ""]


def test_an_offer_is_a_row_per_seat(engine: Engine, new_session: Make, record: MakeRecord) -> None:
    recorder = Recorder(engine)
    session_id = recorder.open_session(new_session(mode=Mode.AGGREGATE))
    offers = (SeatOffer(3, 1, OfferReason.RENAMED),)
    totals = Policy(Mode.AGGREGATE).apply(record(session_id))
    with pytest.raises(InvalidRecordError, match="keeps no such offers:"):
        recorder.commit(replace(totals, offers=offers))


def test_a_database_of_the_first_version_keeps_its_rows(tmp_path: Path) -> None:
    engine = open_database(default_url(tmp_path))
    config = alembic_config(script_folder())
    with write_engine(engine).connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in (
            "INSERT INTO sessions VALUES (4, 'Old', 'individual', 2.0, 'demo', '2026-03-02 10:00:00.000000', "
            "'2026-03-02 11:00:00.000000', '2026-03-02 10:00:00.000000', 'a', 'h', 1)",
            "INSERT INTO seats VALUES (4, 1, 'Ada', 'f', '2026-03-02 10:00:00.000000')",
            "INSERT INTO seats VALUES (4, 2, 'Ben', 'g', '2026-03-02 10:00:00.000000')",
            "INSERT INTO intervals VALUES (1, 4, '2026-03-02 10:01:00.000000', 2.0, NULL, 1, 1, 0, 0, "
            "0, 0, 1, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 1.5)",
            "INSERT INTO intervals VALUES (2, 4, '2026-03-02 10:02:00.000000', 2.0, 'covered', 1, 0, 0, 0, "
            "0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 1.5)",
            "INSERT INTO readings (interval_id, seat, position, state, quality) VALUES (1, 1, 0, 'no_face', 0)",
        ):
            connection.execute(text(statement))
    assert migrate(engine) is not None
    assert queries.intervals_since(engine, 4)["not_observed"].fillna("").tolist() == ["", "covered"]
    assert queries.seats(engine, 4)["last_seen_at"].dt.minute.tolist() == [1, 0]
    assert len(queries.readings_since(engine, 4)) == 1
    assert queries.find_session(engine, "Old").interrupted_at is None
    engine.dispose()
