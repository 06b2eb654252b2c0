"""What the teacher answers to the cards."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from engagement.records import Episode, EpisodeMark, IntervalRecord, Rule
from storage import queries
from storage.marks import mark_episodes
from storage.recorder import NewSession, Recorder

START = datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)
NOW = START + timedelta(minutes=3)
MakeRecord = Callable[..., IntervalRecord]


def absent(minutes: int, *, ended: bool = False) -> Episode:
    end = START + timedelta(minutes=minutes) if ended else None
    return Episode(Rule.ABSENT, 2, f"No face for {minutes} min", START, end, {"seconds": 60 * minutes})


def row(engine: Engine, session_id: int) -> dict[str, Any]:
    found: dict[str, Any] = queries.episodes(engine, session_id).iloc[0].to_dict()
    return found


def test_an_answer_outlives_what_the_agent_commits_of_the_episode_later(
    engine: Engine, session_id: int, record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    recorder.commit(record(session_id, 0, episodes=(absent(1),)))
    before = row(engine, session_id)
    assert pd.isna(before["mark"])
    assert pd.isna(before["marked_at"])
    assert mark_episodes(engine, session_id, [before["id"]], EpisodeMark.SEEN, NOW) == 1
    for index, again in enumerate((absent(2), absent(3, ended=True)), start=1):
        recorder.commit(record(session_id, index, episodes=(again,)))
        after = row(engine, session_id)
        assert (after["id"], after["reason"]) == (before["id"], again.reason)
        assert (after["mark"], after["marked_at"].to_pydatetime()) == ("seen", NOW)


def test_an_answer_outlives_a_restart_of_the_agent(
    engine: Engine, new_session: Callable[..., NewSession], record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    new = new_session(may_resume=True)
    session_id = recorder.open_session(new)
    recorder.commit(record(session_id, 0, episodes=(absent(1),)))
    mark_episodes(engine, session_id, [row(engine, session_id)["id"]], EpisodeMark.NOT_NOW, NOW)
    recorder.close_session(session_id, START + timedelta(seconds=2), interrupted=True)
    assert recorder.open_session(new) == session_id
    recorder.commit(record(session_id, 5, episodes=(absent(2),)))
    after = row(engine, session_id)
    assert pd.isna(after["ended_at"])
    assert (after["mark"], after["marked_at"].to_pydatetime()) == ("not_now", NOW)


def test_an_answer_can_be_changed_and_taken_back(engine: Engine, session_id: int, record: MakeRecord) -> None:
    Recorder(engine).commit(record(session_id))
    ids = queries.episodes(engine, session_id)["id"].tolist()
    assert mark_episodes(engine, session_id, ids, EpisodeMark.NOT_NOW, NOW) == 2
    assert mark_episodes(engine, session_id, ids[:1], EpisodeMark.SEEN, NOW) == 1
    assert queries.episodes(engine, session_id)["mark"].tolist() == ["seen", "not_now"]
    mark_episodes(engine, session_id, ids, None, NOW)
    assert queries.episodes(engine, session_id)[["mark", "marked_at"]].isna().all(axis=None)


def test_only_the_episodes_of_the_session_are_answered(
    engine: Engine, session_id: int, new_session: Callable[..., NewSession], record: MakeRecord
) -> None:
    recorder = Recorder(engine)
    other = recorder.open_session(new_session(name="Chemistry"))
    recorder.commit(record(session_id))
    ids = queries.episodes(engine, session_id)["id"].tolist()
    assert mark_episodes(engine, other, [*ids, 10_000], EpisodeMark.SEEN, NOW) == 0
    assert mark_episodes(engine, session_id, [], EpisodeMark.SEEN, NOW) == 0
    assert queries.episodes(engine, session_id)["mark"].isna().all()
