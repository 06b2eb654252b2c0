"""The loop: one frame, one interval, one commit.

The agent composes the whole path of a frame: source, tiles, reader, seating, mood, attention, policy, recorder.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from capture.errors import AgentError
from capture.frame import Frame, FrameSource, NotObserved, Recording
from capture.gallery import find_tiles
from capture.learned import Learned, read_otherwise
from capture.liveness import FROZEN_AFTER
from capture.screen import DesktopSource
from capture.stages import Stage
from capture.standing_still import StillTracker
from engagement.attention import AttentionTracker
from engagement.calibration import apply_bias
from engagement.consent import ClassRoll
from engagement.errors import ClasspulseError
from engagement.head_pose import HeadPoseTracker
from engagement.intervals import not_observed, observed
from engagement.mood import MoodTracker
from engagement.policy import Policy
from engagement.records import (
    Episode,
    IntervalRecord,
    Mode,
    NotObservedReason,
    Reading,
    Seat,
    Tile,
    TileReading,
)
from engagement.seating import Seating
from inference.reader import Reader
from storage.calibrations import as_array, calibration_number
from storage.history import past_intervals, past_seats
from storage.recorder import NewSession, OpenedSession, Recorder
from storage.requests import Requests, read_requests
from storage.students import ClassList, class_list_alike, merged_seats, read_class_list

logger = logging.getLogger(__name__)

MINIMUM_INTERVAL: Final = 0.5
"""Seconds; below this the loop would measure itself more than the class."""

HEARTBEAT_SECONDS: Final = 5.0
"""While an interval takes longer than this, the heartbeat row says in which stage it is."""

LEARNED_AT_ONCE: Final = 20
"""Intervals that are learned again before the clock is looked at: a full class takes some 30 ms for them."""

LEAST_LEARNING: Final = 0.1
"""Share of the time that goes into learning again where reading leaves none, so that it comes to its end."""


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What one run of the agent is told.

    Attributes:
        session: name of the session.
        interval: seconds between frames, at least `MINIMUM_INTERVAL`.
        mode: what may be inferred and kept.
        seconds: stop after this much time (media time for a recording); None runs until stopped or at the end.
        agent_name: what a second agent is told about this one.
        pid: process id, to tell a running agent from a dead one.
        agreed: whether the teacher states that the class was told and agreed.
        supervised: somebody starts another agent when this one breaks: then the session is left open for it.
    """

    session: str
    interval: float
    mode: Mode
    seconds: float | None
    agent_name: str
    pid: int
    supervised: bool = False
    agreed: bool = False

    def __post_init__(self) -> None:
        if not MINIMUM_INTERVAL <= self.interval <= 3600:
            raise AgentError(
                f"The interval must be {MINIMUM_INTERVAL} to 3600 seconds, got {self.interval}. Try --interval 2."
            )
        if self.seconds is not None and self.seconds <= 0:
            raise AgentError(
                f"The running time must be above 0 seconds, got {self.seconds}. Try --seconds 60."
            )


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run went.

    Attributes:
        session_id: key of the session.
        intervals: records committed.
        dropped: frames dropped because the loop was late.
    """

    session_id: int
    intervals: int
    dropped: int


class Agent:
    """Reads a source into the database until it ends, its time is up, or it is told to stop.

    Args:
        source: an unopened source.
        load_reader: makes what reads the tiles of a frame (without a classifier in participation mode); called once
            the source has given a frame, so that a source that cannot be read is refused before models are loaded.
        recorder: on a migrated database.
        settings: of this run.
        on_interval: called after each commit, with what was committed.
        on_stage: called whenever another stage begins.
    """

    def __init__(
        self,
        source: FrameSource,
        load_reader: Callable[[], Reader],
        recorder: Recorder,
        settings: AgentSettings,
        on_interval: Callable[[IntervalRecord], None] | None = None,
        on_stage: Callable[[Stage], None] | None = None,
    ) -> None:
        self._source = source
        self._load_reader = load_reader
        self._recorder = recorder
        self._settings = settings
        self._on_interval = on_interval
        self._on_stage = on_stage
        self._seating = Seating()
        self._stills = StillTracker()
        self._poses = HeadPoseTracker()
        self._mood = MoodTracker()
        self._attention = AttentionTracker()
        self._policy = Policy(settings.mode)
        self._heartbeat = _Heartbeat(recorder)
        self._reopened: tuple[Episode, ...] = ()
        self._asked: Requests | None = None
        self._last_at: datetime | None = None  # start of the interval before
        self._roll = ClassRoll()
        self._students: dict[int, int | None] = {}  # of the seats
        self._calibrated: Mapping[int, int] = {}  # student -> calibration, of those whose seats have a bias
        self._read_with: dict[int, int | None] = {}  # seat -> calibration with which it was read last
        self._again: _Again | None = None  # while seats that are one are learned again as one

    def run(self, stop: threading.Event) -> RunResult:
        """Run until `stop` is set, the teacher ends the session on the page, the source ends or the time is up.

        What is asked on the pages (a pause, the session's end, the class list and its consents, seats that are one)
        is looked for before every interval.

        A session of this name that broke off a short while ago goes on, with its seats and its open episodes; the time
        between is kept as not observed. A recording that was left before its end is read on from there. The session is
        closed at the end; where the run breaks, it is closed as interrupted, or left open for the next agent where
        there will be one.

        Raises:
            capture.errors.SourceError: the source cannot be read.
            AgentError: the source holds no frame, or another class has the list that this name may mean.
            inference.errors.InferenceError, models.errors.ModelsError: the models cannot be loaded.
            storage.errors.StorageError: a record cannot be kept (another agent on this session, disk full, ...).
        """
        settings = self._settings
        if (meant := class_list_alike(self._recorder.engine, settings.session)) is not None:
            # whoever is left out by that list would be looked at
            raise AgentError(
                f'The class "{settings.session}" has no list of students, but "{meant}" has one: '
                "call the session so, or by another name."
            )
        self._enter(Stage.OPEN)
        with self._source:
            # the first frame comes before the session, so that a source that cannot be read leaves no empty session
            frames = self._source.frames(settings.interval)
            first = next(frames, None)
            if first is None:
                raise AgentError(f"{self._source.name} holds no frame; choose another --source.")
            self._enter(Stage.LOAD)
            reader = self._load_reader()
            self._enter(Stage.RESUME)
            opened = self._recorder.open_or_resume(
                NewSession(
                    name=settings.session,
                    mode=settings.mode,
                    interval=settings.interval,
                    source=self._source.name,
                    started_at=first.taken_at,
                    agent_name=settings.agent_name,
                    pid=settings.pid,
                    live=self._source.live,
                    may_resume=True,
                    ends_at=self._ends_at(first),
                    agreed=settings.agreed,
                )
            )
            session_id, last_at = opened.id, opened.resumed_from or first.taken_at
            intervals = dropped_in_all = 0
            ended = False
            try:
                with self._heartbeat.of(session_id):
                    first, frames = self._read_on(opened, first, frames)
                    self._resume(opened, first.taken_at)
                    if opened.resumed_from is not None:
                        self._last_at = opened.resumed_from - timedelta(seconds=settings.interval)
                    for item, dropped in self._paced(session_id, first, frames, stop):
                        self._enter(Stage.READ)
                        record = self._record(session_id, reader, self._in_order(item, dropped), dropped)
                        self._enter(Stage.COMMIT)
                        self._recorder.commit(record, self._read_with)
                        self._enter(Stage.WAIT)
                        last_at = record.started_at + timedelta(seconds=record.seconds)
                        intervals += 1
                        dropped_in_all += dropped
                        if self._on_interval is not None:
                            self._on_interval(record)
                ended = True
            except KeyboardInterrupt:
                ended = True
                raise
            finally:
                if ended:
                    ended_at = datetime.now(UTC) if self._source.live else last_at
                    self._recorder.close_session(session_id, max(ended_at, last_at))
                elif not settings.supervised:
                    self._recorder.close_session(session_id, last_at, interrupted=True)
        logger.info("session %d closed: %d intervals, %d dropped", session_id, intervals, dropped_in_all)
        return RunResult(session_id, intervals, dropped_in_all)

    def _enter(self, stage: Stage) -> None:
        self._heartbeat.stage = stage
        if self._on_stage is not None:
            self._on_stage(stage)

    def _ends_at(self, first: Frame | NotObserved) -> datetime | None:
        """The end of a recording that can be read on; None where it is not known."""
        if not isinstance(self._source, Recording):
            return None
        frames, length = self._source.frame_count(self._settings.interval), self._settings.interval
        return None if frames is None else first.taken_at + timedelta(seconds=frames * length)

    def _read_on(
        self, opened: OpenedSession, first: Frame | NotObserved, frames: Iterator[Frame | NotObserved]
    ) -> tuple[Frame | NotObserved, Iterator[Frame | NotObserved]]:
        """The frames of a recording from where it was left, the first of them apart; those of others as they are."""
        if opened.resumed_from is None or not isinstance(self._source, Recording):
            return first, frames
        interval = self._settings.interval
        index = round((opened.resumed_from - first.taken_at).total_seconds() / interval)
        frames = self._source.frames_from(index, interval)
        first_left = next(frames, None)
        if first_left is None:
            raise AgentError(
                f"{self._source.name} is cut off or damaged where it was left: there is nothing more to read of it. "
                "Read it anew under another --session."
            )
        logger.info("session %d: %s is read on from frame %d", opened.id, self._source.name, index)
        return first_left, frames

    def _resume(self, opened: OpenedSession, at: datetime) -> None:
        """Take up a session that broke off as if it had not: everyone's seat, what is usual, what is open.

        Everything is worked out anew from what was committed, which gives what the agent before knew: the same
        readings give the same figures, and each knows with which calibration it was made. Where the mode keeps no
        readings, seats and moods begin anew.
        """
        if opened.resumed_from is None:
            return
        places = self._learn_again(opened.id)
        seats = past_seats(self._recorder.engine, opened.id)
        self._seating.restore(seats, places)
        self._students = {seat.number: seat.student_id for seat in seats}
        # storage has ended them with the last interval: they go on
        self._reopened = self._attention.open_episodes
        gap = (at - opened.resumed_from).total_seconds()
        logger.info("session %d goes on after %.0f seconds", opened.id, gap)
        if gap > 0:
            record = self._not_observed(
                opened.id, opened.resumed_from, NotObservedReason.RESTARTED, seconds=gap
            )
            self._recorder.commit(self._finished(record))

    def _learn_again(self, session_id: int) -> dict[int, int]:
        """Work mood and attention out anew from what was committed; position -> seat of the last frame."""
        again = _Again(self._recorder, session_id)
        again.learn_all()
        self._mood, self._attention = again.learned.mood, again.learned.attention
        self._read_with = again.learned.read_with
        return again.learned.places

    def _obey(self, session_id: int, at: datetime) -> Requests:
        """Look what is asked on the pages and take up what changed; `at` is when the last interval ended."""
        engine = self._recorder.engine
        before, asked = self._asked, read_requests(engine, session_id)
        if before is None or asked.class_list != before.class_list:
            self._take_up(read_class_list(engine, self._settings.session))
        if before is not None and asked.answers != before.answers:
            self._make_one(session_id, merged_seats(engine, session_id), at)
        self._asked = asked
        return asked

    def _take_up(self, class_list: ClassList | None) -> None:
        """Take up a class list that is new or has changed: whom to look at, and whose seat has which bias."""
        self._roll = roll_of(class_list, self._settings.mode)
        self._calibrated = calibrations_of(class_list, self._settings.mode)

    def _make_one(self, session_id: int, merged: Mapping[int, int], at: datetime) -> None:
        """Take up that some seats are another: from now on, and in what is usual for it.

        That is learned again, which takes seconds late in a lesson: while the class goes on, in the time between its
        frames; until then each seat is judged by what was known of it. A recording waits.
        """
        self._seating.merge(merged)
        aside = self._again.aside if self._again is not None else ()
        of_others = tuple(one for one in self._attention.open_episodes if one.seat in merged)
        self._again = _Again(self._recorder, session_id, merged, (*aside, *of_others))
        if not self._source.live:
            self._enter(Stage.RESUME)
            self._again.learn_all()
            self._take_over(self._again, at)

    def _learn_on(self, at: datetime, deadline: float, stop: threading.Event) -> None:
        """Go on with what is being learned again until the next frame is due (`deadline`, monotonic), and take it over
        once nothing is left of it; `at` is when the last interval ended."""
        until = max(deadline, time.monotonic() + LEAST_LEARNING * self._settings.interval)
        while self._again is not None and not stop.is_set():
            if self._again.learn_some():
                self._take_over(self._again, at)
            elif time.monotonic() >= until:
                return

    def _take_over(self, again: "_Again", at: datetime) -> None:
        """Go on with what was learned again: what is open by it is open, and what was open else has ended."""
        was_open = {
            episode.key: episode
            for episode in map(again.as_one, (*again.aside, *self._attention.open_episodes))
        }
        # the mood of the class is the same, whosever seats they are
        self._attention, self._read_with = again.learned.attention, again.learned.read_with
        now_open = {episode.key: episode for episode in self._attention.open_episodes}
        ended = (
            replace(episode, ended_at=max(at, episode.started_at))
            for key, episode in was_open.items()
            if key not in now_open
        )
        self._reopened = (*self._reopened, *ended, *now_open.values())
        self._again = None

    def _paced(
        self,
        session_id: int,
        first: Frame | NotObserved,
        frames: Iterator[Frame | NotObserved],
        stop: threading.Event,
    ) -> Iterator[tuple[Frame | NotObserved, int]]:
        """Each item with the number of frames dropped before it because the loop was late."""
        asked = self._obey(session_id, first.taken_at)
        if asked.stop:
            return
        started = time.monotonic()
        if not self._source.live:
            if not self._goes_on(session_id, asked, first.taken_at, stop):
                return
            yield first, 0
        elif asked.paused:
            yield NotObserved(NotObservedReason.PAUSED, first.taken_at, first.index), 0
        else:
            yield first, 0
        if self._source.live:
            yield from self._live(session_id, first, frames, stop, started)
        else:
            yield from self._replayed(session_id, first, frames, stop)

    def _replayed(
        self,
        session_id: int,
        first: Frame | NotObserved,
        frames: Iterator[Frame | NotObserved],
        stop: threading.Event,
    ) -> Iterator[tuple[Frame | NotObserved, int]]:
        limit, length = self._settings.seconds, timedelta(seconds=self._settings.interval)
        last_at = first.taken_at
        self._enter(Stage.GRAB)
        for item in frames:
            over = limit is not None and (item.taken_at - first.taken_at).total_seconds() >= limit
            if over or stop.is_set():
                return
            if not self._goes_on(
                session_id, self._obey(session_id, last_at + length), last_at + length, stop
            ):
                return
            last_at = item.taken_at
            yield item, 0
            self._enter(Stage.GRAB)

    def _goes_on(self, session_id: int, asked: Requests, at: datetime, stop: threading.Event) -> bool:
        """Whether a recording is to be read on, once a pause is over; its time stands still meanwhile."""
        while asked.paused and not asked.stop:
            self._enter(Stage.WAIT)
            if stop.wait(self._settings.interval):
                return False
            asked = self._obey(session_id, at)
        return not asked.stop

    def _live(
        self,
        session_id: int,
        first: Frame | NotObserved,
        frames: Iterator[Frame | NotObserved],
        stop: threading.Event,
        started: float,
    ) -> Iterator[tuple[Frame | NotObserved, int]]:
        interval, limit = self._settings.interval, self._settings.seconds
        length, last_at = timedelta(seconds=interval), first.taken_at
        deadline = started
        while True:
            deadline += interval
            missed = max(0, int((time.monotonic() - deadline) // interval))
            deadline += missed * interval
            if limit is not None and deadline - started >= limit:
                stop.wait(started + limit - time.monotonic())
                return
            self._learn_on(last_at + length, deadline, stop)
            if stop.wait(max(0.0, deadline - time.monotonic())):
                return
            asked = self._obey(session_id, last_at + length)
            if asked.stop:
                return
            if asked.paused:
                last_at = datetime.now(UTC)
                yield NotObserved(NotObservedReason.PAUSED, last_at, first.index), missed
                continue
            self._enter(Stage.GRAB)
            following = next(frames, None)
            if following is None:
                return
            last_at = following.taken_at
            yield following, missed

    def _in_order(self, item: Frame | NotObserved, dropped: int) -> Frame | NotObserved:
        """The item at its time; where the computer's clock was set back, so many intervals after the one before as have
        passed, since the intervals of a session follow each other."""
        if self._last_at is not None and item.taken_at <= self._last_at:
            passed = timedelta(seconds=(1 + dropped) * self._settings.interval)
            item = replace(item, taken_at=self._last_at + passed)
        self._last_at = item.taken_at
        return item

    def _record(
        self, session_id: int, reader: Reader, item: Frame | NotObserved, dropped: int
    ) -> IntervalRecord:
        started = time.perf_counter()
        if isinstance(item, NotObserved):
            record = self._not_observed(session_id, item.taken_at, item.reason)
        else:
            tiles = find_tiles(item.image)
            result = reader.read(item.image, tiles, self._roll)
            # decided on what was read, because without a grid the tiles are those of the faces
            if is_frozen(item, [reading.tile for reading in result.readings]):
                record = self._not_observed(session_id, item.taken_at, NotObservedReason.FROZEN)
            elif result.grid or (result.readings and not isinstance(self._source, DesktopSource)):
                readings, seats = self._seating.assign(result.readings)
                seats = self._with_students(result.readings, seats)
                readings = self._with_biases(result.readings, readings, seats)
                readings = self._stills.update(
                    item.image,
                    result.readings,
                    readings,
                    item.taken_at,
                    all_still=item.unchanged_seconds > 0,
                )
                readings = self._poses.update(readings, item.taken_at)
                self._see_how_read(readings, seats, item.taken_at)
                record = replace(
                    observed(
                        session_id,
                        item.taken_at,
                        self._settings.interval,
                        readings,
                        self._mood,
                        grid=result.grid,
                    ),
                    seats=seats,
                    offers=self._seating.offers,
                    followed=item.followed,
                    episodes=self._attention.update(readings, seats, item.taken_at, self._settings.interval),
                )
            else:
                record = self._not_observed(session_id, item.taken_at, NotObservedReason.NOT_A_GALLERY)
        record = replace(record, dropped=dropped, processing_ms=(time.perf_counter() - started) * 1000)
        return self._finished(record)

    def _with_students(self, readings: Sequence[TileReading], seats: Sequence[Seat]) -> tuple[Seat, ...]:
        """The seats with whose they are; while a name is hidden, what was last known of its seat holds."""
        labels = [reading.label for reading in readings]
        matches = self._roll.match(labels)
        for seat, label in zip(seats, labels, strict=True):
            if label.name is not None:
                self._students[seat.number] = matches.students.get(label.name)
        known = [(seat, self._students.get(seat.number)) for seat in seats]
        return tuple(
            replace(seat, student_id=student, calibrated=self._roll.bias_of(student) is not None)
            for seat, student in known
        )

    def _with_biases(
        self, tiles: Sequence[TileReading], readings: Sequence[Reading], seats: Sequence[Seat]
    ) -> tuple[Reading, ...]:
        """The readings with the bias of whose name is hidden just now: the reader knows them by their name."""

        def biased(tile: TileReading, reading: Reading, seat: Seat) -> Reading:
            hidden = tile.label.name is None and reading.probabilities is not None
            bias = self._roll.bias_of(seat.student_id) if hidden else None
            if bias is None or reading.probabilities is None:
                return reading
            return replace(reading, probabilities=apply_bias(reading.probabilities, bias))

        return tuple(biased(*one) for one in zip(tiles, readings, seats, strict=True))

    def _see_how_read(self, readings: Sequence[Reading], seats: Sequence[Seat], at: datetime) -> None:
        """Let what is usual be learned anew for the seats that are read with another bias than before, and keep what
        ended by it: only here is it known which reading is the first, and it is kept with it."""
        students = {seat.number: seat.student_id for seat in seats}
        now = {
            reading.seat: None if student is None else self._calibrated.get(student)
            for reading in readings
            if reading.probabilities is not None
            for student in (students[reading.seat],)
        }
        if others := read_otherwise(self._read_with, now):
            self._reopened = (*self._reopened, *self._attention.forget_usual(others, at))
        self._read_with |= now

    def _finished(self, record: IntervalRecord) -> IntervalRecord:
        """The record as it is kept: with the episodes of a session that goes on, without what the mode forbids."""
        # what is under way on a seat that is another is said once it is learned again
        others = self._again.merged if self._again is not None else {}
        of_its_own = (episode for episode in record.episodes if episode.seat not in others)
        record = replace(record, episodes=(*self._reopened, *of_its_own))
        self._reopened = ()
        return self._policy.apply(record)

    def _not_observed(
        self, session_id: int, at: datetime, reason: NotObservedReason, seconds: float | None = None
    ) -> IntervalRecord:
        seconds = seconds or self._settings.interval
        return replace(
            not_observed(session_id, at, seconds, reason),
            episodes=self._attention.update(None, (), at, seconds),
        )


def roll_of(class_list: ClassList | None, mode: Mode) -> ClassRoll:
    """Whom to look at, by the list of a class; None where it has none. Where nothing is kept of one seat, nobody's has
    a bias."""
    if class_list is None:
        return ClassRoll()
    return ClassRoll(
        [(student.id, student.name, student.consent) for student in class_list.students],
        only_agreed=class_list.only_agreed,
        own_label=class_list.own_label,
        by_hand=class_list.labels,
        biases={
            student.id: as_array(student.bias)
            for student in class_list.students
            if student.bias and mode is Mode.INDIVIDUAL
        },
    )


def calibrations_of(class_list: ClassList | None, mode: Mode) -> dict[int, int]:
    """Student -> the calibration of their seat, of those whose bias `roll_of` gives to the roll."""
    if class_list is None or mode is not Mode.INDIVIDUAL:
        return {}
    return {
        student.id: calibration_number(student.calibrated_at)
        for student in class_list.students
        if student.bias and student.calibrated_at is not None
    }


def is_frozen(frame: Frame, tiles: Sequence[Tile]) -> bool:
    """Whether nothing is being drawn any more: cards may stand still for a lesson, a camera's picture cannot."""
    return frame.unchanged_seconds > FROZEN_AFTER and any(tile.camera_on for tile in tiles)


class _Again:
    """A session that is learned again from what was committed of it, a piece at a time, while more may be.

    Args:
        recorder: of its database.
        session_id: the session.
        merged: seat -> the seat that it is.
        aside: the episodes that were open on seats that are another.
    """

    def __init__(
        self,
        recorder: Recorder,
        session_id: int,
        merged: Mapping[int, int] = MappingProxyType({}),
        aside: tuple[Episode, ...] = (),
    ) -> None:
        self.learned = Learned()
        self.merged = merged
        self.aside = aside
        self._recorder = recorder
        self._session_id = session_id
        self._last = 0  # id of the interval up to which it is learned

    def learn_all(self) -> None:
        """Learn all that was committed."""
        while not self.learn_some():
            pass

    def learn_some(self) -> bool:
        """Learn the next intervals; whether that was the last of what was committed."""
        count = 0
        for past in past_intervals(self._recorder.engine, self._session_id, self._last, LEARNED_AT_ONCE):
            self.learned.take_in(past.readings, past.calibrations, past.started_at, past.seconds)
            self._last = past.id
            count += 1
        return count < LEARNED_AT_ONCE

    def as_one(self, episode: Episode) -> Episode:
        """The episode on the seat that holds its seat's rows."""
        if episode.seat is None or episode.seat not in self.merged:
            return episode
        return replace(episode, seat=self.merged[episode.seat])


class _Heartbeat:
    """Writes the stage of a slow interval to the heartbeat row, so that a hang can be told from a wait."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._session_id = 0
        self._done = threading.Event()
        self.stage: str = Stage.RESUME

    def of(self, session_id: int) -> "_Heartbeat":
        self._session_id = session_id
        return self

    def __enter__(self) -> None:
        self._done.clear()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    def __exit__(self, *exc_info: object) -> None:
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._done.wait(HEARTBEAT_SECONDS):
            try:
                self._recorder.heartbeat(self._session_id, self.stage, datetime.now(UTC))
            except ClasspulseError as error:  # the commit of the interval reports what is wrong
                logger.warning("no heartbeat: %s", error)
