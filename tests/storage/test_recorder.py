"""What is committed comes back as it was, on SQLite and on PostgreSQL."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine

from engagement.emotion import EXPRESSIONS
from engagement.errors import InvalidRecordError
from engagement.policy import Policy
from engagement.records import (
    Episode,
    IntervalRecord,
    Mode,
    Mood,
    NotObservedReason,
    Reading,
    Rule,
    Seat,
    State,
)
from storage import queries
from storage.errors import (
    DatabaseLockedError,
    RowRefusedError,
    SessionBusyError,
    SessionClosedError,
    UnknownSessionError,
)
from storage.recorder import NewSession, Recorder, process_is_alive

START = datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)
Make = Callable[..., NewSession]
MakeRecord = Callable[..., IntervalRecord]


def test_an_interval_comes_back_as_it_was(engine: Engine, session_id: int, record: MakeRecord) -> None:
    interval_id = Recorder(engine).commit(record(session_id))

    intervals = queries.intervals_since(engine, session_id)
    assert intervals.to_dict("records") == [
        {
            "id": interval_id,
            "started_at": pd.Timestamp(START),
            "seconds": 2.0,
            "not_observed": pytest.approx(np.nan, nan_ok=True),
            "grid": True,
            "tiles": 3,
            "faces": 2,
            "faces_read": 1,
            "n_seen": 1,
            "n_turned_away": 1,
            "n_no_face": 0,
            "n_camera_off": 1,
            "n_unreadable": 0,
            "n_opted_out": 0,
            **dict.fromkeys(EXPRESSIONS, 0),
            "happy": 1,
            "valence": 0.25,
            "arousal": 0.5,
            "low": -0.125,
            "high": 0.75,
            "mood_faces": 1,
            "facing": 0.5,
            "dropped": 0,
            "processing_ms": 41.5,
            "followed": pytest.approx(np.nan, nan_ok=True),
        }
    ]
    readings = queries.readings_since(engine, session_id)
    assert readings["seat"].tolist() == [1, 2, 3]
    assert readings["state"].tolist() == ["seen", "turned_away", "camera_off"]
    assert (readings["interval_id"] == interval_id).all()
    assert (readings["started_at"] == pd.Timestamp(START)).all()
    expected = record(session_id).readings[0].probabilities
    np.testing.assert_array_equal(readings.loc[0, list(EXPRESSIONS)].to_numpy(np.float32), expected)
    assert readings.loc[1:, list(EXPRESSIONS)].isna().all(axis=None)
    assert readings["yaw"].tolist()[:2] == [3.5, 48.0]
    assert np.isnan(readings["yaw"][2])


def test_an_interval_that_was_not_observed_keeps_its_reason_and_nothing_else(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    Recorder(engine).commit(
        record(
            session_id,
            tiles=0,
            faces=0,
            faces_read=0,
            states={},
            expressions=None,
            mood=None,
            facing=None,
            readings=(),
            seats=(),
            episodes=(),
            not_observed=NotObservedReason.COVERED,
        )
    )
    intervals = queries.intervals_since(engine, session_id)
    assert intervals["not_observed"].tolist() == ["covered"]
    assert intervals[[*EXPRESSIONS, "valence", "low", "mood_faces", "facing"]].isna().all(axis=None)
    assert (intervals["tiles"] == 0).all()
    assert queries.readings_since(engine, session_id).empty
    assert queries.seat_states(engine, session_id) == []


def test_times_are_exact_to_the_microsecond_and_in_utc_whatever_zone_they_came_in(
    engine: Engine, new_session: Make, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    session_id = recorder.open_session(new_session())
    for index, microsecond in enumerate((0, 1, 999_999)):
        recorder.commit(record(session_id, started_at=START.replace(microsecond=microsecond, second=index)))
    assert queries.intervals_since(engine, session_id)["started_at"].dt.microsecond.tolist() == [
        0,
        1,
        999_999,
    ]
    ended_at = datetime(2026, 3, 2, 16, 0, 0, 5, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    recorder.close_session(session_id, ended_at)
    row = queries.find_session(engine, str(session_id))
    assert row.ended_at == ended_at
    assert row.ended_at is not None
    assert row.ended_at.tzinfo is UTC


def test_a_seat_keeps_its_first_time_and_takes_its_newest_name(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    recorder.commit(record(session_id))
    recorder.commit(
        record(session_id, 1, seats=(Seat(1, "Ada L.", "a1"), Seat(2, "王小明", "b2"), Seat(3, "Eve", "c")))
    )
    seats = queries.seats(engine, session_id)
    assert seats["name"].tolist() == ["Ada L.", "王小明", "Eve"]
    assert seats["fingerprint"].tolist() == ["a1", "b2", "c"]
    assert (seats["first_seen_at"] == pd.Timestamp(START)).all()


def test_an_episode_is_one_row_that_changes_until_it_ends(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    for index in range(3):
        recorder.commit(record(session_id, index))
    episodes = queries.episodes(engine, session_id)
    assert episodes["rule"].tolist() == ["camera_off", "class_dip"]
    assert episodes["reason"].tolist() == ["Camera off for 2 min", "The class changed at 10:00"]
    assert episodes["evidence"].tolist() == [{"minutes": 2}, {"share": 0.4}]
    assert episodes["seat"].tolist() == [3, pd.NA]
    still_open = queries.episodes(engine, session_id, open_only=True)
    assert still_open["rule"].tolist() == ["camera_off"]
    assert still_open["ended_at"].isna().all()

    recorder.close_session(session_id, START + timedelta(minutes=5))
    assert queries.episodes(engine, session_id, open_only=True).empty
    ends = queries.episodes(engine, session_id)["ended_at"].tolist()
    assert ends == [pd.Timestamp(START + timedelta(minutes=5)), pd.Timestamp(START + timedelta(seconds=4))]


def test_a_record_that_is_refused_leaves_nothing_behind(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    twice = (record(session_id).readings[0], record(session_id).readings[0])
    with pytest.raises(RowRefusedError, match="refused a row"):
        recorder.commit(record(session_id, readings=twice))
    assert queries.intervals_since(engine, session_id).empty
    assert queries.seats(engine, session_id).empty
    assert queries.heartbeat(engine, session_id) is None


@pytest.mark.parametrize(
    ("mode", "changes"),
    [
        (Mode.AGGREGATE, {}),
        (Mode.AGGREGATE, {"readings": (), "episodes": ()}),
        (Mode.AGGREGATE, {"readings": (), "seats": ()}),
        (Mode.PARTICIPATION, {"readings": (), "seats": (), "episodes": ()}),
        (Mode.PARTICIPATION, {"readings": (), "seats": (), "episodes": (), "mood": None}),
        (Mode.INDIVIDUAL, {"readings": (), "seats": (), "episodes": ()}),
    ],
)
def test_nothing_that_the_mode_forbids_passes_the_last_gate(
    engine: Engine, new_session: Make, record: MakeRecord, mode: Mode, changes: dict[str, object]
) -> None:
    recorder = Recorder(engine)
    session_id = recorder.open_session(new_session(mode=mode))
    forbidden = record(session_id, **changes)
    if mode is Mode.INDIVIDUAL:
        refused = Reading(1, 0, State.OPTED_OUT, None, 12.0, None, 0.4)
        states = {State.OPTED_OUT: 1, State.SEEN: 2}
        forbidden = replace(forbidden, readings=(refused,), seats=(Seat(1, "Ada", "a"),), states=states)
    with pytest.raises(InvalidRecordError, match=f"in {mode} mode keeps no"):
        recorder.commit(forbidden)
    assert queries.intervals_since(engine, session_id).empty
    recorder.commit(Policy(mode).apply(forbidden))


OF_THE_CLASS = Episode(Rule.CLASS_DIP, None, "The class changed at 10:00", START, None, {})


def of_a_class(session_id: int, faces: int, **changes: object) -> IntervalRecord:
    """The totals of a class of so many faces, of which one is turned away."""
    values: dict[str, object] = {
        "session_id": session_id,
        "started_at": START,
        "seconds": 2.0,
        "tiles": faces,
        "faces": faces,
        "faces_read": faces - 1,
        "states": {State.SEEN: faces - 1, State.TURNED_AWAY: 1},
        "expressions": {"happy": faces - 1},
        "mood": Mood(0.25, 0.5, -0.125, 0.75, faces - 1),
        "facing": (faces - 1) / faces,
    }
    return IntervalRecord(**values | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", [Mode.AGGREGATE, Mode.PARTICIPATION])
@pytest.mark.parametrize(
    ("faces", "figures"),
    [
        (5, ("expressions", "mood")),
        (5, ("expressions",)),
        (5, ("mood",)),
        (4, ("facing",)),
        (4, ("states",)),
        (1, ("states",)),
        (1, ("facing",)),
    ],
)
def test_no_figure_of_fewer_than_five_faces_passes_the_last_gate(
    sqlite_engine: Engine, new_session: Make, mode: Mode, faces: int, figures: tuple[str, ...]
) -> None:
    recorder = Recorder(sqlite_engine)
    session_id = recorder.open_session(new_session(mode=mode))
    whole = of_a_class(session_id, faces)
    allowed = Policy(mode).apply(whole)
    told = replace(allowed, **{figure: getattr(whole, figure) for figure in figures})
    with pytest.raises(InvalidRecordError, match=f"in {mode} mode keeps no such {', '.join(figures)}:"):
        recorder.commit(told)
    assert queries.intervals_since(sqlite_engine, session_id).empty
    recorder.commit(allowed)
    kept = queries.intervals_since(sqlite_engine, session_id)
    assert kept[["happy", "neutral", "valence", "arousal", "mood_faces"]].isna().all(axis=None)
    if faces < 5:
        assert kept["facing"].isna().all()
        assert (kept["n_seen"].tolist(), kept["n_turned_away"].tolist()) == ([faces], [0])


def test_an_episode_that_rests_on_expressions_does_not_pass_in_participation(
    sqlite_engine: Engine, new_session: Make
) -> None:
    recorder = Recorder(sqlite_engine)
    session_id = recorder.open_session(new_session(mode=Mode.PARTICIPATION))
    totals = Policy(Mode.PARTICIPATION).apply(of_a_class(session_id, 9))
    with pytest.raises(InvalidRecordError, match="in participation mode keeps no such episodes"):
        recorder.commit(replace(totals, episodes=(OF_THE_CLASS,)))


def test_class_totals_pass_in_aggregate_mode(engine: Engine, new_session: Make) -> None:
    recorder = Recorder(engine)
    session_id = recorder.open_session(new_session(mode=Mode.AGGREGATE))
    recorder.commit(of_a_class(session_id, 6, episodes=(OF_THE_CLASS,)))
    kept = queries.intervals_since(engine, session_id)
    assert (kept["happy"].tolist(), kept["mood_faces"].tolist()) == ([5], [5])
    assert queries.episodes(engine, session_id)["seat"].isna().all()


def test_readings_of_a_seat_that_nobody_lists_are_refused(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    with pytest.raises(InvalidRecordError, match=r"seats \[3\] that the record does not list"):
        Recorder(engine).commit(record(session_id, seats=record(session_id).seats[:2]))


def test_a_session_that_ended_takes_nothing_more_and_keeps_its_end(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    recorder.close_session(session_id, START + timedelta(minutes=1))
    recorder.close_session(session_id, START + timedelta(minutes=9))
    assert queries.find_session(engine, "last").ended_at == START + timedelta(minutes=1)
    with pytest.raises(SessionClosedError, match="ended at 10:01:00 UTC"):
        recorder.commit(record(session_id))
    with pytest.raises(SessionClosedError):
        recorder.heartbeat(session_id, "waiting", START)


def test_an_end_before_the_start_counts_as_the_start(engine: Engine, session_id: int) -> None:
    Recorder(engine).close_session(session_id, START - timedelta(hours=1))
    assert queries.find_session(engine, "last").ended_at == START


def test_unknown_sessions_are_named(engine: Engine, record: MakeRecord) -> None:
    recorder = Recorder(engine)
    for call in (
        lambda: recorder.commit(record(77)),
        lambda: recorder.heartbeat(77, "waiting", START),
        lambda: recorder.close_session(77, START),
    ):
        with pytest.raises(UnknownSessionError, match="no session 77"):
            call()


def test_the_heartbeat_carries_stage_time_and_process(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    assert queries.heartbeat(engine, session_id) is None
    recorder.heartbeat(session_id, "loading models", START)
    recorder.heartbeat(session_id, "looking for a window", START + timedelta(seconds=1))
    beat = queries.heartbeat(engine, session_id)
    assert beat is not None
    assert (beat.stage, beat.at) == ("looking for a window", START + timedelta(seconds=1))
    assert process_is_alive(beat.pid)

    before = datetime.now(UTC)
    recorder.commit(record(session_id))
    beat = queries.heartbeat(engine, session_id)
    assert beat is not None
    assert beat.stage == "committed"
    assert before <= beat.at <= datetime.now(UTC)


def test_only_a_commit_says_when_the_last_commit_was(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    """The agent's heartbeat goes on while nothing is committed, and must not look like a commit nor hide one."""
    recorder = Recorder(engine)
    recorder.heartbeat(session_id, "grab", START)
    beat = queries.heartbeat(engine, session_id)
    assert beat is not None
    assert beat.committed_at is None

    before = datetime.now(UTC)
    recorder.commit(record(session_id))
    after = datetime.now(UTC)
    recorder.heartbeat(session_id, "read", after + timedelta(minutes=1))
    beat = queries.heartbeat(engine, session_id)
    assert beat is not None
    assert (beat.stage, beat.at) == ("read", after + timedelta(minutes=1))
    assert beat.committed_at is not None
    assert before <= beat.committed_at <= after


def test_a_second_agent_is_refused_with_the_name_and_process_of_the_first(
    engine: Engine, new_session: Make
) -> None:
    first = Recorder(engine, is_alive=lambda pid: pid == 4_000_001)
    session_id = first.open_session(new_session(pid=4_000_001, agent_name="classpulse start"))
    with pytest.raises(SessionBusyError, match=r'"Physics 3B".*classpulse start \(process 4000001 on '):
        first.open_session(new_session(pid=4_000_002))
    other = first.open_session(new_session(pid=4_000_002, name="Physics 3C"))
    assert other != session_id
    assert first.close_abandoned(is_alive=lambda pid: True) == []


def test_the_session_of_a_dead_agent_ends_with_its_last_interval_when_the_next_one_starts(
    engine: Engine, new_session: Make, record: MakeRecord
) -> None:
    recorder = Recorder(engine, is_alive=lambda pid: False)
    first = recorder.open_session(new_session(pid=4_000_001))
    for index in range(4):
        recorder.commit(record(first, index))
    second = recorder.open_session(new_session(started_at=START + timedelta(hours=1)))
    row = queries.find_session(engine, str(first))
    assert row.ended_at == START + timedelta(seconds=8)
    assert queries.episodes(engine, first, open_only=True).empty
    live = queries.live_session(engine)
    assert live is not None
    assert live.id == second
    assert queries.find_session(engine, "Physics 3B").id == second


def test_an_abandoned_session_without_intervals_lasts_until_its_last_heartbeat(
    engine: Engine, new_session: Make
) -> None:
    recorder = Recorder(engine, is_alive=lambda pid: False)
    silent = recorder.open_session(new_session(name="silent"))
    beating = recorder.open_session(new_session(name="beating"))
    opened_at = queries.find_session(engine, "beating").opened_at
    recorder.heartbeat(beating, "looking for a window", opened_at + timedelta(seconds=30))
    assert recorder.close_abandoned() == [silent, beating]
    assert queries.find_session(engine, "silent").ended_at == START
    assert queries.find_session(engine, "beating").ended_at == START + timedelta(seconds=30)
    assert queries.live_session(engine) is None


def test_a_process_id_that_was_given_out_again_is_not_the_agent(
    engine: Engine, new_session: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(engine)
    session_id = recorder.open_session(new_session())
    assert recorder.close_abandoned() == []
    later = datetime.now(UTC) + timedelta(hours=1)
    monkeypatch.setattr("psutil.Process.create_time", lambda self: later.timestamp())
    assert recorder.close_abandoned() == [session_id]


def test_an_agent_on_another_computer_counts_by_its_heartbeat(
    engine: Engine, new_session: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(engine, is_alive=lambda pid: False)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("socket.gethostname", lambda: "room-12")
        session_id = recorder.open_session(new_session())
    assert recorder.close_abandoned() == []
    with pytest.raises(SessionBusyError, match="on room-12"):
        recorder.open_session(new_session())
    recorder.heartbeat(session_id, "waiting", datetime.now(UTC) - timedelta(minutes=3))
    assert recorder.close_abandoned() == [session_id]


def test_names_are_stored_cleaned_and_otherwise_as_typed(
    engine: Engine, new_session: Make, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    hostile = "<script>alert('x')</script>\x00\u202e\u200b  =cmd|' /C calc'!A0; DROP TABLE seats;--"
    expected = "<script>alert('x')</script> =cmd|' /C calc'!A0; DROP TABLE seats"
    session_id = recorder.open_session(new_session(name=hostile))
    seats = (Seat(1, "\u202e" + "é" * 63, "a1"), *record(session_id).seats[1:])
    recorder.commit(record(session_id, seats=seats))
    assert queries.find_session(engine, "last").name == expected[:64].strip()
    assert queries.seats(engine, session_id)["name"].tolist() == [
        "é" * 63,
        "王小明",
        *[pytest.approx(np.nan, nan_ok=True)],
    ]
    with pytest.raises(InvalidRecordError, match="needs a name"):
        recorder.open_session(new_session(name="\u200b\x00 "))


def test_what_is_watched_is_stored_without_what_a_terminal_would_obey(
    engine: Engine, new_session: Make
) -> None:
    """A web page writes the title of its window, and the title is part of what is watched."""
    recorder = Recorder(engine)
    recorder.open_session(new_session(source='window "\x1b]0;gone\x07Zoom\x00 \u202eMee\u200bting"\n'))
    recorder.open_session(new_session(source="window " + "x" * 10_000, name="long"))
    recorder.open_session(new_session(source="\x1b\x00\u202e", name="nothing"))
    assert queries.sessions(engine)["source"].tolist() == [
        "unknown",
        "window " + "x" * 193,
        'window "]0;goneZoom Meeting"',
    ]


def test_looking_for_dead_agents_takes_no_lock_where_there_is_none(
    sqlite_engine: Engine, new_session: Make
) -> None:
    """Every command asks, also beside an agent that is just committing."""
    recorder = Recorder(sqlite_engine)
    with sqlite_engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    holder = sqlite3.connect(str(sqlite_engine.url.database), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert recorder.close_abandoned() == []
    holder.execute("ROLLBACK")
    session_id = recorder.open_session(new_session())
    holder.execute("BEGIN IMMEDIATE")
    assert recorder.close_abandoned() == []
    with pytest.raises(DatabaseLockedError):
        recorder.close_abandoned(is_alive=lambda pid: False)
    holder.execute("ROLLBACK")
    holder.close()
    assert recorder.close_abandoned(is_alive=lambda pid: False) == [session_id]


def test_a_process_is_alive_until_it_ends() -> None:
    assert not process_is_alive(2**31 - 1)
    assert not process_is_alive(-5)
