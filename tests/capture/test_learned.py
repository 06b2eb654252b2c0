"""What is learned again from what was committed: the same as was known, and while the class goes on."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import numpy as np
import pytest
from sqlalchemy import Engine, text

from capture import agent as agent_module
from capture.agent import Agent, AgentSettings
from capture.errors import UnreadableSourceError
from capture.frame import Frame
from capture.learned import read_otherwise
from engagement.calibration import apply_bias
from engagement.consent import ClassRoll
from engagement.records import (
    Box,
    Consent,
    Face,
    HeadPose,
    IntervalRecord,
    Label,
    Mode,
    OfferAnswer,
    State,
    Tile,
    TileReading,
)
from inference.reader import ReaderResult
from storage import queries, students
from storage.calibrations import calibration_number, keep_bias, remove_bias
from storage.recorder import Recorder
from storage.stop import request_stop

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
INTERVAL = 6.0
IMAGE = np.zeros((90, 160, 3), dtype=np.uint8)
NEUTRAL = np.array([0.02, 0.02, 0.02, 0.05, 0.05, 0.02, 0.82], np.float32)
SAD = np.array([0.1, 0.05, 0.05, 0.02, 0.6, 0.02, 0.16], np.float32)
LESS_SAD = np.array([0, 0, 0, 0, -2, 0, 1], np.float32)
"""Makes of the face of somebody who looks sad at rest a neutral one."""

ANNA, BEN, LATER = "Anna Kowalska", "Ben Lind", "Iphone"
"""The second participant gets the third name at some time, and with it a seat of its own."""

Act = Callable[[int], object]


class Lesson:
    """A source of `looks` frames from `first` on, which then ends or breaks off."""

    name = "script"

    def __init__(self, looks: int, first: int = 0, *, live: bool = True, breaks: bool = False) -> None:
        self.looks, self.first, self.live, self.breaks = looks, first, live, breaks

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def frames(self, interval: float) -> Iterator[Frame]:
        for index in range(self.first, self.looks):
            yield Frame(IMAGE, START + timedelta(seconds=interval * index), index)
        if self.breaks:
            raise UnreadableSourceError("the display has gone")


class Faces:
    """Reads Anna, sad at rest, and a neutral face whose name changes with look `renamed`; as the reader does, with the
    bias of whose label it is."""

    def __init__(self, renamed: int, first: int = 0, others: Sequence[tuple[str, int]] = ()) -> None:
        self.look = first
        self.second = ((BEN, renamed), *others)

    def read(self, image: np.ndarray, tiles: Sequence[Tile], roll: ClassRoll) -> ReaderResult:
        names = [ANNA, *(LATER + name if self.look >= at else name for name, at in self.second)]
        self.look += 1
        labels = [Label(name, name) for name in names]
        readings = []
        for place, (label, bias) in enumerate(zip(labels, roll.biases(labels), strict=True)):
            read = NEUTRAL if place else SAD
            face = Face(Box(20 * place, 0, 6, 8), np.zeros((5, 2), np.float32), 0.9)
            readings.append(
                TileReading(
                    Tile(Box(20 * place, 0, 18, 12), None, camera_on=True),
                    label,
                    State.SEEN,
                    face,
                    read if bias is None else apply_bias(read, bias),
                    HeadPose(0, 0, 0),
                    0.9,
                )
            )
        return ReaderResult(readings=tuple(readings), grid=True, timings_ms={})


class Hurried(threading.Event):
    """A stop that nobody has to wait for."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def watch(
    engine: Engine, lesson: Lesson, reader: Any, acts: Mapping[int, Act], stop: threading.Event | None = None
) -> tuple[Agent, list[IntervalRecord]]:
    """Watch a lesson in which somebody acts on the pages after some looks (look -> what is done to the session)."""
    kept: list[IntervalRecord] = []

    def on_interval(record: IntervalRecord) -> None:
        kept.append(record)
        index = round((record.started_at - START).total_seconds() / INTERVAL)
        if index in acts:
            acts[index](record.session_id)

    settings = AgentSettings("Physics", INTERVAL, Mode.INDIVIDUAL, None, "test", 1, supervised=True)
    recorder = Recorder(engine, is_alive=lambda pid: False)
    agent = Agent(lesson, lambda: reader, recorder, settings, on_interval)
    try:
        agent.run(stop or Hurried())
    except UnreadableSourceError:
        assert lesson.breaks
    return agent, kept


def known(agent: Agent) -> dict[int, dict[str, object]]:
    """Everything that the agent knows of each seat, in numbers."""

    def figures(track: Any) -> dict[str, object]:
        watches = {
            str(rule): (one.cool_until, one.stretch.since, one.stretch.broken, one.stretch.readings)
            for rule, one in track.watches.items()
        }
        return {
            "baseline": pytest.approx(track.baseline.median, abs=1e-6),
            "samples": track.baseline._taken,
            "value": pytest.approx(track.value, abs=1e-6),
            "times": (track.clock, track.read_at, track.near_at, track.crossed_at, track.under),
            "watches": watches,
        }

    tracks = agent._attention._tracks
    return {number: figures(track) for number, track in sorted(tracks.items())}


def as_known(agent: Agent) -> dict[int, dict[str, object]]:
    """As `known`, by plain numbers, for the other side of a comparison."""
    found = known(agent)
    for number, track in agent._attention._tracks.items():
        found[number] |= {"baseline": track.baseline.median, "value": track.value}
    return found


def cards(engine: Engine, session_id: int) -> list[tuple[str, int]]:
    """The episodes on expressions that were ever committed: rule and seat."""
    found = queries.episodes(engine, session_id)
    return [(row.rule, row.seat) for row in found.itertuples() if row.rule in {"low_mood", "sudden_change"}]


def of_one(engine: Engine) -> Act:
    return lambda session_id: students.answer_offer(engine, session_id, 3, 2, OfferAnswer.SAME)


def calibrate(engine: Engine, student: int, at: datetime) -> Act:
    return lambda _: keep_bias(engine, student, LESS_SAD, at)


@pytest.fixture
def anna(engine: Engine) -> int:
    student = students.add_student(engine, "Physics", ANNA)
    students.set_consent(engine, student, Consent.AGREED, "letter", START)
    return student


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("when", [START + timedelta(seconds=301), datetime(2026, 3, 9, tzinfo=UTC)])
def test_an_answer_about_others_leaves_a_seat_that_was_calibrated(
    engine: Engine, anna: int, live: bool, when: datetime
) -> None:
    """A recording shows a time at which nobody had calibrated anything."""
    acts = {50: calibrate(engine, anna, when), 77: of_one(engine)}
    agent, kept = watch(engine, Lesson(80, live=live), Faces(33), acts)
    assert cards(engine, kept[0].session_id) == []
    assert [seat.number for seat in kept[-1].seats] == [1, 2]
    again = Agent(Lesson(0), lambda: Faces(0), agent._recorder, agent._settings)
    again._learn_again(kept[0].session_id)
    assert known(agent) == as_known(again)


def test_a_seat_is_calibrated_and_others_are_one_between_two_looks(engine: Engine, anna: int) -> None:
    def both(session_id: int) -> None:
        calibrate(engine, anna, START + timedelta(seconds=301))(session_id)
        of_one(engine)(session_id)

    _, kept = watch(engine, Lesson(80), Faces(33), {50: both})
    assert cards(engine, kept[0].session_id) == []


def consent_unknown(engine: Engine, student: int) -> Act:
    return lambda _: students.set_consent(engine, student, Consent.UNKNOWN, None, None)


def of_nobody(engine: Engine, _: int) -> Act:
    return lambda _: students.match_label(engine, "Physics", ANNA, None)


def uncalibrated(engine: Engine, student: int) -> Act:
    return lambda _: remove_bias(engine, student)


@pytest.mark.parametrize("take_away", [uncalibrated, consent_unknown, of_nobody])
@pytest.mark.parametrize("restarted", [True, False])
def test_a_bias_that_was_taken_away_is_no_change_of_the_face(
    engine: Engine, anna: int, take_away: Callable[[Engine, int], Act], restarted: bool
) -> None:
    keep_bias(engine, anna, LESS_SAD, START - timedelta(days=1))
    acts = {50: take_away(engine, anna)}
    if restarted:
        watch(engine, Lesson(77, breaks=True), Faces(33), acts)
        agent, kept = watch(engine, Lesson(97, 77), Faces(33, 77), {})
    else:
        agent, kept = watch(engine, Lesson(97), Faces(33), acts | {77: of_one(engine)})
    assert cards(engine, kept[0].session_id) == []
    # and it has a usual by which it is judged
    assert agent._attention._tracks[1].baseline.ready
    assert agent._attention._tracks[1].baseline.median < -0.4


def test_an_agent_that_goes_on_knows_what_the_one_before_knew(engine: Engine, anna: int) -> None:
    acts = {
        25: calibrate(engine, anna, START + timedelta(seconds=151)),
        50: uncalibrated(engine, anna),
        60: calibrate(engine, anna, START + timedelta(seconds=361)),
    }
    before, _ = watch(engine, Lesson(95, breaks=True), Faces(33), acts)
    usual = before._attention._tracks[1].baseline.median
    after, kept = watch(engine, Lesson(96, 95), Faces(33, 95), {})
    # the seat is read as before, so that nothing of it is learned anew
    assert after._attention._tracks[1].baseline.ready
    assert after._attention._tracks[1].baseline.median == pytest.approx(usual, abs=1e-6)
    whole = Agent(Lesson(0), lambda: Faces(0), after._recorder, after._settings)
    whole._learn_again(kept[0].session_id)
    assert known(after) == as_known(whole)


def test_a_bias_that_is_taken_away_while_no_agent_runs_is_noticed(engine: Engine, anna: int) -> None:
    keep_bias(engine, anna, LESS_SAD, START - timedelta(days=1))
    watch(engine, Lesson(50, breaks=True), Faces(33), {})
    remove_bias(engine, anna)
    _, kept = watch(engine, Lesson(80, 50), Faces(33, 50), {})
    assert cards(engine, kept[0].session_id) == []


class Rejoined(Faces):
    """Anna comes back under a label that is nobody's, so that she is read without her bias."""

    def read(self, image: np.ndarray, tiles: Sequence[Tile], roll: ClassRoll) -> ReaderResult:
        mine, other = super().read(image, tiles, roll).readings
        if self.look > 50:
            mine = replace(mine, label=Label(LATER, LATER), probabilities=SAD)
        return ReaderResult((mine, other), grid=True, timings_ms={})


def test_two_seats_that_are_one_keep_how_each_was_read(engine: Engine, anna: int) -> None:
    keep_bias(engine, anna, LESS_SAD, START - timedelta(days=1))
    acts: dict[int, Act] = {
        55: lambda session_id: students.answer_offer(engine, session_id, 3, 1, OfferAnswer.SAME),
        80: lambda session_id: students.answer_offer(engine, session_id, 4, 2, OfferAnswer.SAME),
    }
    agent, kept = watch(engine, Lesson(90), Rejoined(70), acts)
    assert [seat.number for seat in kept[-1].seats] == [1, 2]
    assert cards(engine, kept[0].session_id) == []
    assert agent._attention._tracks[1].baseline.median < -0.4


def test_each_reading_is_kept_with_its_calibration(engine: Engine, anna: int) -> None:
    when = START + timedelta(seconds=3)
    acts = {1: calibrate(engine, anna, when), 3: uncalibrated(engine, anna)}
    watch(engine, Lesson(5), Faces(100), acts)
    number = calibration_number(when)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT seat, calibration FROM readings ORDER BY interval_id, seat"))
        rows = [tuple(row) for row in found]
    assert rows == [
        row for of_anna in (None, None, number, number, None) for row in ((1, of_anna), (2, None))
    ]


def test_a_seat_is_read_otherwise_where_its_calibration_is_another() -> None:
    before = {1: None, 2: 7, 3: 7, 4: None}
    assert read_otherwise(before, {1: None, 2: 7, 3: 8, 4: 7, 5: 7}) == [3, 4]
    assert read_otherwise({2: 7}, {2: None}) == [2]
    assert read_otherwise({}, {}) == []


class Clock(Hurried):
    """A stop, and the time that passes only while it is waited for and with what is done slowly."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, learning: float) -> None:
        super().__init__()
        self.now = 0.0
        monkeypatch.setattr("capture.agent.time.monotonic", lambda: self.now)
        learn = agent_module._Again.learn_some

        def slowly(again: agent_module._Again) -> bool:
            self.now += learning
            return learn(again)

        monkeypatch.setattr(agent_module, "LEARNED_AT_ONCE", 2)
        monkeypatch.setattr(agent_module._Again, "learn_some", slowly)

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return self.is_set()


def test_a_class_is_read_on_while_seats_that_are_one_are_learned_again(
    engine: Engine, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take 54 seconds in one go."""
    clock = Clock(monkeypatch, learning=1.8)
    learning: list[bool] = []
    agents: list[Agent] = []
    init = Agent.__init__

    def remembered(self: Agent, *arguments: Any) -> None:
        init(self, *arguments)
        agents.append(self)

    monkeypatch.setattr(Agent, "__init__", remembered)
    acts: dict[int, Act] = {
        index: (lambda _: learning.append(agents[0]._again is not None)) for index in range(60, 90)
    }
    acts[59] = of_one(engine)
    agent, kept = watch(engine, Lesson(90), Faces(40), acts, clock)
    assert sum(record.dropped for record in kept) == 0
    assert len(kept) == 90
    # four pieces fit between two frames, each of two looks, while one more comes
    assert learning == [True] * (ended := learning.index(False)) + [False] * (30 - ended)
    assert 7 <= ended <= 12
    assert clock.now == pytest.approx(90 * INTERVAL, abs=2)
    assert [seat.number for seat in kept[60].seats] == [1, 2]
    whole = Agent(Lesson(0), lambda: Faces(0), agent._recorder, agent._settings)
    whole._learn_again(kept[0].session_id)
    assert known(agent) == as_known(whole)


def test_learning_again_comes_to_its_end_where_reading_leaves_no_time(
    engine: Engine, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch, learning=0.3)

    class Slow(Faces):
        def read(self, image: np.ndarray, tiles: Sequence[Tile], roll: ClassRoll) -> ReaderResult:
            clock.now += 7.5
            return super().read(image, tiles, roll)

    agent, _ = watch(engine, Lesson(90), Slow(15), {20: of_one(engine)}, clock)
    assert agent._again is None
    assert agent._attention._tracks.keys() == {1, 2}


def test_seats_that_are_one_while_others_are_learned_again(
    engine: Engine, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch, learning=1.8)
    acts: dict[int, Act] = {
        50: lambda session_id: students.answer_offer(engine, session_id, 4, 2, OfferAnswer.SAME),
        53: lambda session_id: students.answer_offer(engine, session_id, 5, 3, OfferAnswer.SAME),
    }
    agent, kept = watch(engine, Lesson(80), Faces(30, others=[("Cleo Roux", 40)]), acts, clock)
    assert agent._again is None
    assert agent._attention._tracks.keys() == {1, 2, 3}
    whole = Agent(Lesson(0), lambda: Faces(0), agent._recorder, agent._settings)
    whole._learn_again(kept[0].session_id)
    assert known(agent) == as_known(whole)


def test_a_lesson_ends_while_it_is_learned_again(
    engine: Engine, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch, learning=1.8)
    acts: dict[int, Act] = {
        50: of_one(engine),
        52: lambda session_id: request_stop(engine, session_id),
    }
    agent, kept = watch(engine, Lesson(80), Faces(30), acts, clock)
    assert agent._again is not None
    assert len(kept) == 53
    assert queries.find_session(engine, "Physics").ended_at is not None


class Vanishing(Faces):
    """Nobody's face is found in the second tile."""

    def read(self, image: np.ndarray, tiles: Sequence[Tile], roll: ClassRoll) -> ReaderResult:
        first, second = super().read(image, tiles, roll).readings
        empty = TileReading(second.tile, second.label, State.NO_FACE, None, None, None, 0.0)
        return ReaderResult((first, empty), grid=True, timings_ms={})


def test_what_is_open_on_a_seat_that_is_another_is_said_of_that_one_only(
    engine: Engine, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch, learning=1.8)
    agent, kept = watch(engine, Lesson(80), Vanishing(30), {50: of_one(engine)}, clock)
    assert agent._again is None
    episodes = queries.episodes(engine, kept[0].session_id)
    assert set(episodes["seat"]) == {2}
    assert {episode.seat for record in kept[51:] for episode in record.episodes} == {2}
    (open_now,) = agent._attention.open_episodes
    assert (open_now.seat, open_now.started_at) == (2, START)
