"""The loop: pacing, what is kept, and how it ends. Source and reader are in memory; the database is real."""

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from sqlalchemy import Engine

from capture.agent import Agent, AgentSettings, is_frozen
from capture.errors import AgentError, UnreadableSourceError
from capture.frame import Frame, NotObserved
from engagement.records import (
    Box,
    Face,
    HeadPose,
    IntervalRecord,
    Label,
    Mode,
    NotObservedReason,
    State,
    Tile,
    TileReading,
)
from inference.reader import ReaderResult
from storage import queries
from storage.database import open_database
from storage.migrate import migrate
from storage.recorder import Recorder

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
IMAGE = np.zeros((90, 160, 3), dtype=np.uint8)
HAPPY = np.array([0.02, 0.02, 0.02, 0.8, 0.02, 0.02, 0.1], dtype=np.float32)


class ScriptedSource:
    """Gives the items of a script; a recording unless told otherwise."""

    name = "script"

    def __init__(self, items: Sequence[Frame | NotObserved | Exception], live: bool = False) -> None:
        self.items = items
        self.live = live
        self.closed = False

    def frame_count(self, interval: float) -> int | None:
        return len(self.items)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.closed = True

    def frames(self, interval: float) -> Iterator[Frame | NotObserved]:
        for item in self.items:
            if isinstance(item, Exception):
                raise item
            yield item


class SixSeats:
    """Reads six happy seats on any frame; takes `seconds` of wall time for it."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def read(self, image: np.ndarray, tiles: Sequence[Tile]) -> ReaderResult:
        time.sleep(self.seconds)
        readings = []
        for number in range(6):
            tile = Tile(Box(20 * number, 0, 18, 12), None, camera_on=True)
            face = Face(Box(20 * number, 0, 6, 8), np.zeros((5, 2), dtype=np.float32), 0.9)
            readings.append(
                TileReading(
                    tile,
                    Label(f"{number:016x}", f"Student {number}"),
                    State.SEEN,
                    face,
                    HAPPY,
                    HeadPose(0, 0, 0),
                    0.9,
                )
            )
        return ReaderResult(readings=tuple(readings), grid=True, timings_ms={})


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'class.db'}")
    migrate(engine)
    yield engine
    engine.dispose()


def frame(index: int, interval: float = 2.0) -> Frame:
    return Frame(IMAGE, START + timedelta(seconds=index * interval), index)


def settings(**changes: object) -> AgentSettings:
    values: dict[str, object] = {
        "session": "Physics",
        "interval": 2.0,
        "mode": Mode.INDIVIDUAL,
        "seconds": None,
        "agent_name": "test",
        "pid": 1,
    }
    return AgentSettings(**(values | changes))  # type: ignore[arg-type]


def test_every_frame_of_a_recording_is_one_interval(engine: Engine) -> None:
    source = ScriptedSource([frame(index) for index in range(5)])
    result = Agent(source, SixSeats, Recorder(engine), settings()).run(threading.Event())
    assert result.intervals == 5
    assert source.closed
    kept = queries.intervals_since(engine, result.session_id)
    assert list(kept["tiles"]) == [6] * 5
    assert list(kept["faces_read"]) == [6] * 5
    assert list(kept["happy"]) == [6] * 5
    assert list(kept["started_at"]) == [START + timedelta(seconds=2 * index) for index in range(5)]
    session = queries.find_session(engine, "Physics")
    assert session.started_at == START
    assert session.ended_at == START + timedelta(seconds=10)
    assert len(queries.readings_since(engine, result.session_id)) == 30


@pytest.mark.parametrize("mode", [Mode.AGGREGATE, Mode.PARTICIPATION])
def test_no_row_per_seat_unless_individual(engine: Engine, mode: Mode) -> None:
    source = ScriptedSource([frame(index) for index in range(3)])
    result = Agent(source, SixSeats, Recorder(engine), settings(mode=mode)).run(threading.Event())
    assert len(queries.readings_since(engine, result.session_id)) == 0
    assert len(queries.seats(engine, result.session_id)) == 0
    kept = queries.intervals_since(engine, result.session_id)
    assert list(kept["tiles"]) == [6] * 3
    assert kept["happy"].isna().all() == (mode is Mode.PARTICIPATION)


def test_what_was_not_observed_is_kept_with_its_reason(engine: Engine) -> None:
    covered = NotObserved(NotObservedReason.COVERED, START + timedelta(seconds=2), 1)
    source = ScriptedSource([frame(0), covered, frame(2)])
    result = Agent(source, SixSeats, Recorder(engine), settings()).run(threading.Event())
    kept = queries.intervals_since(engine, result.session_id)
    assert list(kept["tiles"]) == [6, 0, 6]
    assert kept["not_observed"].iloc[1] == "covered"
    assert kept["valence"].isna().tolist() == [False, True, False]


def test_seconds_count_media_time_in_a_recording(engine: Engine) -> None:
    source = ScriptedSource([frame(index) for index in range(100)])
    result = Agent(source, SixSeats, Recorder(engine), settings(seconds=20.0)).run(threading.Event())
    assert result.intervals == 10


def test_a_slow_live_loop_drops_frames_and_counts_them(engine: Engine) -> None:
    """Reading takes 1.3 s at an interval of 0.5 s: deadlines pass, none is queued."""
    source = ScriptedSource(
        [Frame(IMAGE, START + timedelta(seconds=index), index) for index in range(4)], live=True
    )
    kept: list[IntervalRecord] = []
    agent = Agent(source, lambda: SixSeats(1.3), Recorder(engine), settings(interval=0.5), kept.append)
    result = agent.run(threading.Event())
    assert result.intervals == 4
    assert result.dropped >= 3
    assert sum(record.dropped for record in kept) == result.dropped


def test_a_stop_closes_the_session(engine: Engine) -> None:
    stop = threading.Event()
    source = ScriptedSource([frame(index) for index in range(100)])
    agent = Agent(source, SixSeats, Recorder(engine), settings(), lambda record: stop.set())
    result = agent.run(stop)
    assert result.intervals == 1
    assert queries.find_session(engine, "Physics").ended_at is not None


def test_a_source_that_breaks_keeps_what_was_committed(engine: Engine) -> None:
    source = ScriptedSource([frame(0), frame(1), UnreadableSourceError("the file ends in the middle")])
    with pytest.raises(UnreadableSourceError):
        Agent(source, SixSeats, Recorder(engine), settings()).run(threading.Event())
    session = queries.find_session(engine, "Physics")
    assert session.ended_at == START + timedelta(seconds=4)
    assert len(queries.intervals_since(engine, session.id)) == 2
    assert source.closed


def test_a_source_that_cannot_be_read_leaves_no_session(engine: Engine) -> None:
    with pytest.raises(UnreadableSourceError):
        Agent(ScriptedSource([UnreadableSourceError("corrupt")]), SixSeats, Recorder(engine), settings()).run(
            threading.Event()
        )
    with pytest.raises(AgentError, match="holds no frame"):
        Agent(ScriptedSource([]), SixSeats, Recorder(engine), settings()).run(threading.Event())
    assert len(queries.sessions(engine)) == 0


def test_a_picture_that_stands_still_is_frozen_only_where_a_camera_is_on() -> None:
    still = Frame(IMAGE, START, 0, unchanged_seconds=31.0)
    card, camera = (Tile(Box(0, 0, 80, 45), None, camera_on=on) for on in (False, True))
    assert is_frozen(still, [card, camera])
    assert not is_frozen(still, [card, card])
    assert not is_frozen(Frame(IMAGE, START, 0, unchanged_seconds=29.0), [camera])


def test_settings_out_of_range() -> None:
    with pytest.raises(AgentError, match=r"0\.5"):
        settings(interval=0.2)
    with pytest.raises(AgentError, match="above 0"):
        settings(seconds=0)
