"""The tables that the pages and the report read."""

import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, event, update

from engagement.emotion import EXPRESSIONS
from engagement.records import IntervalRecord, Mode, NotObservedReason, State
from storage import queries
from storage.errors import UnknownSessionError
from storage.notes import add_note
from storage.recorder import NewSession, Recorder
from storage.schema import SessionTable

START = datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)
MakeRecord = Callable[..., IntervalRecord]


def test_only_what_is_new_comes(engine: Engine, session_id: int, record: MakeRecord) -> None:
    recorder = Recorder(engine)
    ids = [recorder.commit(record(session_id, index)) for index in range(5)]
    assert ids == sorted(set(ids))
    assert queries.intervals_since(engine, session_id)["id"].tolist() == ids
    assert queries.intervals_since(engine, session_id, after_id=ids[2])["id"].tolist() == ids[3:]
    assert queries.intervals_since(engine, session_id, after_id=ids[-1]).empty

    assert queries.readings_since(engine, session_id, after_id=ids[3])["interval_id"].tolist() == [ids[4]] * 3
    of_one_seat = queries.readings_since(engine, session_id, seat=2)
    assert of_one_seat["interval_id"].tolist() == ids
    assert set(of_one_seat["seat"]) == {2}
    assert queries.readings_since(engine, session_id, ids[3], seat={1, 3, 99})["seat"].tolist() == [1, 3]
    late = queries.readings_since(engine, session_id, seat=1, since=START + timedelta(seconds=6))
    assert late["interval_id"].tolist() == ids[3:]
    assert late["started_at"].tolist() == [pd.Timestamp(START + timedelta(seconds=2 * i)) for i in (3, 4)]


def test_sessions_do_not_mix(
    engine: Engine, session_id: int, new_session: Callable[..., NewSession], record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    other = recorder.open_session(new_session(name="Chemistry"))
    mine = [recorder.commit(record(session_id)), recorder.commit(record(session_id, 1))]
    theirs = recorder.commit(record(other, 7, episodes=()))
    assert queries.intervals_since(engine, session_id)["id"].tolist() == mine
    assert queries.intervals_since(engine, other)["id"].tolist() == [theirs]
    assert set(queries.readings_since(engine, other)["interval_id"]) == {theirs}
    assert queries.episodes(engine, other).empty


def test_rows_reach_back_in_time_whatever_other_agents_commit_between(
    engine: Engine, session_id: int, new_session: Callable[..., NewSession], record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    other = recorder.open_session(new_session(name="Chemistry"))
    mine = []
    for index in range(6):
        mine.append(recorder.commit(record(session_id, index)))
        for step in range(7):
            recorder.commit(record(other, 7 * index + step))

    def since(after: int, seconds: float) -> list[int]:
        back_to = START + timedelta(seconds=seconds)
        found: list[int] = queries.intervals_since(engine, session_id, after, back_to=back_to)["id"].tolist()
        return found

    assert since(mine[4], 4) == mine[2:]
    assert since(mine[4], 4.5) == mine[3:]
    assert since(mine[4], -60) == mine
    # a clock that was set back hides nothing new
    assert since(mine[1], 9) == mine[2:]


def test_the_seat_map_is_that_of_the_last_interval(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    recorder.commit(record(session_id))
    turned = tuple(reversed(record(session_id).readings))
    recorder.commit(record(session_id, 1, readings=turned))
    in_order = sorted(turned, key=lambda one: one.position)
    assert queries.seat_states(engine, session_id) == [(one.seat, str(one.state)) for one in in_order]


def test_where_a_session_stands_is_its_last_row_and_the_last_that_was_observed(
    engine: Engine, session_id: int, new_session: Callable[..., NewSession], record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    assert queries.last_interval(engine, session_id) is None
    blind = {"tiles": 0, "faces": 0, "faces_read": 0, "states": {}, "expressions": None, "mood": None}
    blind |= {"facing": None, "readings": (), "seats": (), "episodes": (), "not_observed": "covered"}
    first = recorder.commit(record(session_id, 0, **blind))
    nothing = queries.LastInterval(first, START, NotObservedReason.COVERED, None)
    assert queries.last_interval(engine, session_id) == nothing
    recorder.commit(record(session_id, 1))
    other = recorder.open_session(new_session(name="Chemistry"))
    recorder.commit(record(other, 9, episodes=()))
    seen_until = START + timedelta(seconds=4)
    last = recorder.commit(record(session_id, 2, **blind))
    at = START + timedelta(seconds=4)
    expected = queries.LastInterval(last, at, NotObservedReason.COVERED, seen_until)
    assert queries.last_interval(engine, session_id) == expected
    last = recorder.commit(record(session_id, 3))
    at = START + timedelta(seconds=6)
    assert queries.last_interval(engine, session_id) == queries.LastInterval(
        last, at, None, at + timedelta(seconds=2)
    )


def test_seats_read_are_those_of_the_last_while(engine: Engine, session_id: int, record: MakeRecord) -> None:
    assert queries.seats_read(engine, session_id, START) is None
    recorder = Recorder(engine)
    for index in range(3):
        recorder.commit(record(session_id, index))
    states = {State.SEEN: 3}
    recorder.commit(record(session_id, 3, states=states, faces=3, faces_read=3, expressions={"happy": 3}))
    assert queries.seats_read(engine, session_id, START + timedelta(seconds=4)) == (2.0, 3.0)
    assert queries.seats_read(engine, session_id, START + timedelta(seconds=5)) == (3.0, 3.0)
    assert queries.seats_read(engine, session_id, START + timedelta(seconds=7)) is None


def test_tables_have_the_same_columns_and_dtypes_empty_and_full(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    def tables() -> list[pd.DataFrame]:
        return [
            queries.intervals_since(engine, session_id),
            queries.readings_since(engine, session_id),
            queries.seats(engine, session_id),
            queries.episodes(engine, session_id),
            queries.notes(engine, session_id),
        ]

    empty = tables()
    assert all(table.empty for table in empty)
    Recorder(engine).commit(record(session_id))
    add_note(engine, session_id, START, "Quiz")
    full = tables()
    assert not any(table.empty for table in full)
    for before, after in zip(empty, full, strict=True):
        assert before.dtypes.to_dict() == after.dtypes.to_dict()
    intervals, readings = full[:2]
    assert str(intervals["started_at"].dtype) == str(readings["started_at"].dtype) == "datetime64[us, UTC]"
    assert set(intervals[list(EXPRESSIONS)].dtypes.astype(str)) == {"Int64"}
    assert set(readings[list(EXPRESSIONS)].dtypes.astype(str)) == {"float32"}


def test_sessions_are_listed_newest_first_with_what_was_seen(
    engine: Engine, session_id: int, new_session: Callable[..., NewSession], record: MakeRecord
) -> None:
    assert queries.sessions(engine)["ended_at"].isna().all()
    recorder = Recorder(engine)
    for index in range(3):
        recorder.commit(record(session_id, index))
    recorder.close_session(session_id, START + timedelta(seconds=6))
    newer = recorder.open_session(new_session(name="Chemistry", mode=Mode.PARTICIPATION))
    table = queries.sessions(engine)
    assert table["id"].tolist() == [newer, session_id]
    assert table["mode"].tolist() == ["participation", "individual"]
    assert table["intervals"].tolist() == [0, 3]
    assert table["most_tiles"].tolist() == [0, 3]
    np.testing.assert_allclose(table["coverage"], [np.nan, 1 / 3])
    moods = queries.intervals_since(engine, session_id)["valence"]
    np.testing.assert_allclose(table["lowest"], [np.nan, moods.min()])
    np.testing.assert_allclose(table["highest"], [np.nan, moods.max()])
    assert table["episodes"].tolist() == [0, len(queries.episodes(engine, session_id))]
    assert table["notes"].tolist() == [0, 0]
    assert table["ended_at"].tolist() == [pd.NaT, pd.Timestamp(START + timedelta(seconds=6))]


def test_a_session_is_found_by_id_by_name_and_as_the_last(
    engine: Engine, new_session: Callable[..., NewSession]
) -> None:
    recorder = Recorder(engine)
    with pytest.raises(UnknownSessionError, match='no session "last"'):
        queries.find_session(engine, "last")
    first = recorder.open_session(new_session())
    recorder.close_session(first, START)
    second = recorder.open_session(new_session())
    third = recorder.open_session(new_session(name="2026"))
    assert queries.find_session(engine, str(first)).id == first
    assert queries.find_session(engine, " Physics 3B ").id == second
    assert queries.find_session(engine, "2026").id == third
    assert queries.find_session(engine, "last").id == third
    row = queries.find_session(engine, "last")
    assert (row.mode, row.interval, row.source) == (Mode.INDIVIDUAL, 2.0, 'window "Zoom Meeting"')
    for unknown in ("Physics", "99", "9" * 30, "²", "", "' OR 1=1 --"):
        with pytest.raises(UnknownSessionError, match="`classpulse sessions` lists"):
            queries.find_session(engine, unknown)


def test_the_live_session_is_the_newest_that_has_not_ended(
    engine: Engine, session_id: int, new_session: Callable[..., NewSession]
) -> None:
    recorder = Recorder(engine)
    newer = recorder.open_session(new_session(name="Chemistry"))
    live = queries.live_session(engine)
    assert live is not None
    assert live.id == newer
    with engine.begin() as connection:
        connection.execute(update(SessionTable).where(SessionTable.id == newer).values(agent_host="room-12"))
    for host, found in (("room-12", newer), (socket.gethostname(), session_id)):
        there = queries.live_session(engine, host=host)
        assert there is not None
        assert there.id == found
    assert queries.live_session(engine, host="nowhere") is None
    recorder.close_session(newer, START)
    live = queries.live_session(engine)
    assert live is not None
    assert live.id == session_id
    recorder.close_session(session_id, START)
    assert queries.live_session(engine) is None


def test_asking_for_new_rows_walks_the_index_and_not_the_table(
    sqlite_engine: Engine, new_session: Callable[..., NewSession]
) -> None:
    """With ten million readings, a scan would take the page seconds."""
    session_id = Recorder(sqlite_engine).open_session(new_session())
    asked: list[tuple[str, object]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(sqlite_engine, "before_cursor_execute", note)
    queries.intervals_since(sqlite_engine, session_id, 5)
    queries.intervals_since(sqlite_engine, session_id, 5, back_to=START)
    queries.readings_since(sqlite_engine, session_id, 5, seat=1)
    queries.seat_states(sqlite_engine, session_id)
    queries.episodes(sqlite_engine, session_id)
    queries.notes(sqlite_engine, session_id)
    event.remove(sqlite_engine, "before_cursor_execute", note)
    assert len(asked) == 8
    with sqlite_engine.connect() as connection:
        plans = [
            row[3]
            for statement, parameters in asked
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    assert len(plans) >= len(asked)
    assert [plan for plan in plans if plan.startswith("SCAN")] == []
