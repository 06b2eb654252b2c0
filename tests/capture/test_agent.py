"""The loop: pacing, what is kept, and how it ends. Source and reader are in memory; the database is real."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Self

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine

from capture.agent import Agent, AgentSettings, RunResult, is_frozen
from capture.errors import AgentError, UnreadableSourceError
from capture.frame import Frame, NotObserved
from capture.stages import Stage
from engagement.consent import ClassRoll
from engagement.records import (
    Box,
    Consent,
    Face,
    HeadPose,
    IntervalRecord,
    Label,
    Mode,
    NotObservedReason,
    OfferAnswer,
    State,
    Tile,
    TileReading,
)
from inference.reader import ReaderResult
from storage import queries, students
from storage.pause import pause
from storage.recorder import Recorder
from storage.stop import request_stop

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
        self.rolls: list[ClassRoll] = []

    def read(self, image: np.ndarray, tiles: Sequence[Tile], roll: ClassRoll) -> ReaderResult:
        self.rolls.append(roll)
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


class Replayed(ScriptedSource):
    """A recording that can be read on."""

    def frames_from(self, index: int, interval: float) -> Iterator[Frame | NotObserved]:
        return islice(self.frames(interval), index, None)


@pytest.mark.parametrize("mode", [Mode.INDIVIDUAL, Mode.AGGREGATE])
def test_a_recording_that_was_stopped_is_read_on_as_if_it_had_not_been(engine: Engine, mode: Mode) -> None:
    items = [frame(index) for index in range(8)]

    def read(name: str, after: int | None) -> RunResult:
        stop, read_so_far = threading.Event(), 0

        def on_interval(_record: IntervalRecord) -> None:
            nonlocal read_so_far
            read_so_far += 1
            if read_so_far == after:
                stop.set()

        told = settings(session=name, mode=mode)
        return Agent(Replayed(items), OneAway, Recorder(engine), told, on_interval).run(stop)

    whole = read("Whole", None)
    parts = [read("Parts", 3), read("Parts", 2), read("Parts", None)]
    assert [part.intervals for part in parts] == [3, 2, 3]
    assert len({part.session_id for part in parts}) == 1
    kept, expected = (
        queries.intervals_since(engine, one).drop(columns=["id", "processing_ms"])
        for one in (parts[0].session_id, whole.session_id)
    )
    pd.testing.assert_frame_equal(kept, expected)
    seats = [queries.seats(engine, one)["name"].tolist() for one in (parts[0].session_id, whole.session_id)]
    assert seats[0] == seats[1]
    assert len(seats[0]) == (6 if mode is Mode.INDIVIDUAL else 0)
    # it was read to its end: whoever reads it again wants another session
    assert read("Parts", None).session_id != parts[0].session_id


def test_a_recording_that_holds_less_than_it_says_is_told_of(engine: Engine) -> None:
    class CutOff(Replayed):
        def frame_count(self, interval: float) -> int | None:
            return len(self.items) + 5

    items = [frame(index) for index in range(3)]
    first = Agent(CutOff(items), SixSeats, Recorder(engine), settings()).run(threading.Event())
    with pytest.raises(AgentError, match="script is cut off or damaged where it was left"):
        Agent(CutOff(items), SixSeats, Recorder(engine), settings()).run(threading.Event())
    session = queries.find_session(engine, "last")
    assert (session.id, session.ended_at) == (first.session_id, START + timedelta(seconds=6))


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


class Hurried(threading.Event):
    """A stop that nobody has to wait for."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


class OneAway(SixSeats):
    """Six seats in the order of `shown`; the first student's face is never found."""

    def __init__(self, shown: Sequence[int] = range(6)) -> None:
        super().__init__()
        self.shown = shown

    def read(self, image: np.ndarray, tiles: Sequence[Tile], roll: ClassRoll) -> ReaderResult:
        readings = list(super().read(image, tiles, roll).readings)
        readings[0] = replace(
            readings[0], state=State.NO_FACE, face=None, probabilities=None, pose=None, quality=0.0
        )
        boxes = [reading.tile for reading in readings]
        placed = tuple(
            replace(readings[number], tile=boxes[place]) for place, number in enumerate(self.shown)
        )
        return ReaderResult(readings=placed, grid=True, timings_ms={})


def later(index: int, after: float) -> Frame:
    return Frame(IMAGE, START + timedelta(seconds=20 * index + after), index)


@pytest.mark.parametrize("supervised", [True, False])
def test_a_session_that_breaks_off_goes_on_with_its_seats_and_open_episodes(
    engine: Engine, supervised: bool
) -> None:
    recorder = Recorder(engine, is_alive=lambda pid: False)
    told = settings(interval=20.0, supervised=supervised)
    broken = [*(later(index, 0.0) for index in range(6)), UnreadableSourceError("the display has gone")]
    with pytest.raises(UnreadableSourceError):
        Agent(ScriptedSource(broken, live=True), OneAway, recorder, told).run(Hurried())
    first = queries.find_session(engine, "last")
    assert (first.ended_at is None) == supervised
    before = queries.episodes(engine, first.id)
    assert before["rule"].tolist() == ["absent"]

    # six intervals of 20 s, then nothing for 70 s
    again = ScriptedSource([later(index, 190.0) for index in range(3)], live=True)
    changed: list[IntervalRecord] = []
    agent = Agent(again, lambda: OneAway((3, 4, 5, 0, 1, 2)), recorder, told, changed.append)
    result = agent.run(Hurried())
    assert (result.session_id, result.intervals) == (first.id, 3)
    kept = queries.intervals_since(engine, first.id)
    assert kept["not_observed"].fillna("").tolist() == [""] * 6 + ["restarted"] + [""] * 3
    assert kept["seconds"].tolist() == [20.0] * 6 + [70.0] + [20.0] * 3
    assert kept["started_at"].iloc[6] == START + timedelta(seconds=120)
    assert kept["tiles"].iloc[6] == 0
    assert queries.seats(engine, first.id)["name"].tolist() == [f"Student {number}" for number in range(6)]
    assert [reading.seat for reading in changed[0].readings] == [4, 5, 6, 1, 2, 3]
    after = queries.episodes(engine, first.id)
    assert after[["id", "rule", "seat", "started_at"]].equals(before[["id", "rule", "seat", "started_at"]])
    assert changed[-1].episodes[0].ended_at is None
    # observed time counts on: 120 s before and 60 s after
    assert after["reason"].tolist() == ["No face for 3 min"]


def test_totals_go_on_without_what_the_mode_does_not_keep(engine: Engine) -> None:
    recorder = Recorder(engine, is_alive=lambda pid: False)
    told = settings(interval=20.0, mode=Mode.AGGREGATE)
    broken = ScriptedSource([later(0, 0.0), UnreadableSourceError("gone")], live=True)
    with pytest.raises(UnreadableSourceError):
        Agent(broken, SixSeats, recorder, told).run(Hurried())
    result = Agent(ScriptedSource([later(3, 0.0)], live=True), SixSeats, recorder, told).run(Hurried())
    kept = queries.intervals_since(engine, result.session_id)
    assert kept["not_observed"].fillna("").tolist() == ["", "restarted", ""]
    assert len(queries.sessions(engine)) == 1


def test_while_it_is_paused_nothing_is_grabbed(engine: Engine) -> None:
    items = [later(index, 0.0) for index in range(3)]
    source = ScriptedSource(items, live=True)
    stages: list[Stage] = []
    kept: list[IntervalRecord] = []
    stop = Hurried()

    def on_interval(record: IntervalRecord) -> None:
        kept.append(record)
        if len(kept) == 1:
            pause(engine, record.session_id, paused=True)
        if len(kept) == 4:
            pause(engine, record.session_id, paused=False)

    agent = Agent(source, SixSeats, Recorder(engine), settings(interval=20.0), on_interval, stages.append)
    agent.run(stop)
    assert [record.not_observed for record in kept] == [None, "paused", "paused", "paused", None, None]
    # one grab for each of the others, and one that finds the end
    assert stages.count(Stage.GRAB) == 3
    assert stages[:4] == [Stage.OPEN, Stage.LOAD, Stage.RESUME, Stage.READ]


def test_a_paused_recording_waits_and_a_class_that_comes_up_paused_reads_nothing(engine: Engine) -> None:
    waits: list[float] = []
    kept: list[IntervalRecord] = []

    class Patient(Hurried):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            if len(waits) == 3:
                pause(engine, kept[-1].session_id, paused=False)
            return super().wait(timeout)

    def on_interval(record: IntervalRecord) -> None:
        kept.append(record)
        if len(kept) == 2:
            pause(engine, record.session_id, paused=True)

    source = ScriptedSource([frame(index) for index in range(4)])
    result = Agent(source, SixSeats, Recorder(engine), settings(), on_interval).run(Patient())
    assert (result.intervals, len(waits)) == (4, 3)
    assert [record.not_observed for record in kept] == [None] * 4


def test_intervals_follow_each_other_where_the_clock_is_set_back(engine: Engine) -> None:
    hour = timedelta(hours=1)
    frames = [frame(index) for index in range(6)]
    items = [
        replace(item, taken_at=item.taken_at - hour) if item.index in {2, 3} else item for item in frames
    ]
    result = Agent(ScriptedSource(items), SixSeats, Recorder(engine), settings()).run(threading.Event())
    kept = queries.intervals_since(engine, result.session_id)
    assert kept["started_at"].tolist() == [item.taken_at for item in frames]


@pytest.mark.parametrize("live", [True, False])
def test_the_teacher_may_end_a_session_on_the_page(engine: Engine, live: bool) -> None:
    kept: list[IntervalRecord] = []

    def on_interval(record: IntervalRecord) -> None:
        kept.append(record)
        if len(kept) == 2:
            request_stop(engine, record.session_id)

    source = ScriptedSource([later(index, 0.0) for index in range(9)], live=live)
    told = settings(interval=20.0, supervised=True)
    result = Agent(source, SixSeats, Recorder(engine), told, on_interval).run(Hurried())
    assert result.intervals == 2
    session = queries.find_session(engine, "last")
    assert session.ended_at is not None
    # the next start is a new session, not this one again
    again = ScriptedSource([later(3, 0.0)], live=live)
    assert Agent(again, SixSeats, Recorder(engine), told).run(Hurried()).session_id != session.id


def test_the_class_list_is_taken_up_before_the_first_frame_and_whenever_it_changes(engine: Engine) -> None:
    ids = [students.add_student(engine, "Physics", f"Student {number}") for number in range(6)]
    four = ids[4]
    reader = SixSeats()
    count = 0

    def on_interval(record: IntervalRecord) -> None:
        nonlocal count
        count += 1
        if count == 2:
            students.set_consent(engine, four, Consent.REFUSED, None, None)
            students.update_class_list(engine, "Physics", own_label="Student 0")
        if count == 3:
            students.match_label(engine, "Physics", "Student 2", four)

    source = ScriptedSource([frame(index) for index in range(4)])
    agent = Agent(source, lambda: reader, Recorder(engine), settings(session=" physics".title()), on_interval)
    result = agent.run(threading.Event())
    labels = [Label("f", f"Student {number}") for number in range(6)]
    shown = [[str(look) for look in roll.looks(labels)] for roll in reader.rolls]
    read = ["read"] * 6
    assert shown[:2] == [read, read]
    assert shown[2] == ["left_out", "read", "read", "read", "opted_out", "read"]
    assert shown[3] == ["left_out", "read", "opted_out", "read", "opted_out", "read"]
    assert reader.rolls[0] is reader.rolls[1]
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, student_id FROM seats ORDER BY number").all()
    # who is matched to one label by hand loses another that was only alike; the teacher is nobody
    assert [row[1] for row in rows] == [None, ids[1], four, ids[3], None, ids[5]]
    assert result.intervals == 4


class Renamed(SixSeats):
    """Six seats of whom the last has another name from the fourth frame on; their camera is off all the time."""

    def read(self, image: np.ndarray, tiles: Sequence[Tile], roll: ClassRoll) -> ReaderResult:
        readings = list(super().read(image, tiles, roll).readings)
        label = Label("new", "Somebody else") if len(self.rolls) > 3 else readings[5].label
        readings[5] = replace(
            readings[5],
            label=label,
            state=State.NO_FACE,
            face=None,
            probabilities=None,
            pose=None,
            quality=0.0,
        )
        return ReaderResult(readings=tuple(readings), grid=True, timings_ms={})


def test_seats_that_the_teacher_says_are_one_are_one_from_then_on(engine: Engine) -> None:
    kept: list[IntervalRecord] = []

    def on_interval(record: IntervalRecord) -> None:
        kept.append(record)
        if len(kept) == 5:
            students.answer_offer(engine, record.session_id, 7, 6, OfferAnswer.SAME)

    source = ScriptedSource([later(index, 0.0) for index in range(9)])
    agent = Agent(source, Renamed, Recorder(engine), settings(interval=20.0), on_interval)
    result = agent.run(threading.Event())
    assert [record.readings[5].seat for record in kept] == [6, 6, 6, 7, 7, 6, 6, 6, 6]
    readings = queries.readings_since(engine, result.session_id)
    assert set(readings["seat"]) == {1, 2, 3, 4, 5, 6}
    seats = queries.seats(engine, result.session_id).set_index("seat")["name"]
    assert seats[6] == "Somebody else"
    # without a break: the time under the old name counts, and no card is left over
    episodes = queries.episodes(engine, result.session_id)
    assert episodes[["rule", "seat"]].values.tolist() == [["absent", 6]]
    assert episodes["reason"].tolist() == ["No face for 3 min"]
    assert agent._attention.open_episodes[0].started_at == START


def test_a_picture_that_stands_still_is_frozen_only_where_a_camera_is_on() -> None:
    still = Frame(IMAGE, START, 0, unchanged_seconds=31.0)
    card, camera = (Tile(Box(0, 0, 80, 45), None, camera_on=on) for on in (False, True))
    assert is_frozen(still, [card, camera])
    assert not is_frozen(still, [card, card])
    assert not is_frozen(Frame(IMAGE, START, 0, unchanged_seconds=29.0), [camera])


def test_of_a_face_that_stands_still_no_expression_is_kept(engine: Engine) -> None:
    """The first seat shows a photo; what the others show moves."""
    stripes = (np.arange(12)[:, None] * 20).astype(np.uint8)
    frames = []
    for index in range(8):
        image = np.random.default_rng(index).integers(0, 255, IMAGE.shape).astype(np.uint8)
        image[:12, :18] = stripes[..., None]
        frames.append(replace(frame(index), image=image))
    kept: list[IntervalRecord] = []
    Agent(ScriptedSource(frames), SixSeats, Recorder(engine), settings(), kept.append).run(threading.Event())
    assert [record.faces_read for record in kept] == [6] * 6 + [5] * 2
    assert [record.readings[0].state for record in kept] == [State.SEEN] * 6 + [State.UNREADABLE] * 2
    assert kept[-1].readings[0].probabilities is None
    assert {reading.state for record in kept for reading in record.readings[1:]} == {State.SEEN}


def test_settings_out_of_range() -> None:
    with pytest.raises(AgentError, match=r"0\.5"):
        settings(interval=0.2)
    with pytest.raises(AgentError, match="above 0"):
        settings(seconds=0)
