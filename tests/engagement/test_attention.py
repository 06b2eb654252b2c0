"""Each rule fires on an input a classifier can give, ends, rests, and stays quiet on a neutral class."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from engagement.attention import AttentionSettings, AttentionTracker
from engagement.baseline import Baseline
from engagement.emotion import EXPRESSIONS
from engagement.errors import InvalidRecordError
from engagement.records import Episode, Reading, Rule, Seat, State
from engagement.stretch import Window

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
Script = Callable[[int, float], str | State | None]
"""(seat, second) -> an expression, a state without one, or None where the seat is not shown."""


class Faces:
    """Probabilities such as a calibrated classifier gives: soft, noisy from frame to frame, with a slow drift."""

    def __init__(self, seats: int, seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._drift = np.zeros((seats, 7))

    def frame(self, expressions: Sequence[str], interval: float, top: float = 0.6) -> NDArray[np.float32]:
        """float32 (seats, 7): about `top` on the expression of each seat."""
        kept = np.exp(-interval / 30)
        self._drift = kept * self._drift + self._generator.normal(
            0, 0.25 * np.sqrt(1 - kept**2), self._drift.shape
        )
        logits = self._drift + self._generator.normal(0, 0.45, self._drift.shape)
        rows = np.arange(len(expressions))
        logits[rows, [EXPRESSIONS.index(name) for name in expressions]] += np.log(6 * top / (1 - top))
        shares = np.exp(logits)
        return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


class Lesson:
    """A class that is shown to a tracker interval by interval."""

    def __init__(
        self,
        script: Script,
        seats: int = 1,
        interval: float = 2.0,
        missing: float = 0.0,
        rules: AttentionSettings | None = None,
        seed: int = 7,
    ) -> None:
        self.tracker = AttentionTracker(rules or AttentionSettings(), zone=UTC)
        self.script, self.seats, self.interval, self.missing = script, seats, interval, missing
        self.faces, self.generator = Faces(seats, seed), np.random.default_rng(seed + 1)
        self.second = 0.0
        self.log: list[tuple[float, Episode]] = []

    @property
    def at(self) -> datetime:
        return START + timedelta(seconds=self.second)

    def _readings(self) -> tuple[Reading, ...]:
        shown = {seat: self.script(seat, self.second) for seat in range(1, self.seats + 1)}
        expressions = [what if what in EXPRESSIONS else "neutral" for what in shown.values()]
        probabilities = self.faces.frame(expressions, self.interval)
        unread = self.generator.random(self.seats) < self.missing
        readings = []
        for seat, what in shown.items():
            if what in EXPRESSIONS and not unread[seat - 1]:
                readings.append(Reading(seat, seat - 1, State.SEEN, probabilities[seat - 1], 0.0, 0.0, 0.8))
            elif what is not None:
                state = State.UNREADABLE if what in EXPRESSIONS else State(what)
                readings.append(Reading(seat, seat - 1, state, None, None, None, 0.0))
        return tuple(readings)

    def run(self, until: float) -> "Lesson":
        while self.second < until:
            readings = self._readings()
            seats = tuple(Seat(reading.seat, None, "") for reading in readings)
            self._note(self.tracker.update(readings, seats, self.at, self.interval))
            self.second += self.interval
        return self

    def gap(self, until: float, tell: bool = True) -> "Lesson":
        while self.second < until:
            if tell:
                self._note(self.tracker.update(None, (), self.at, self.interval))
            self.second += self.interval
        return self

    def close(self) -> "Lesson":
        self._note(self.tracker.close(self.at))
        return self

    def _note(self, episodes: Iterable[Episode]) -> None:
        self.log.extend((self.second, episode) for episode in episodes)

    def episodes(self, rule: Rule | None = None) -> list[Episode]:
        """The last word on each episode, in the order in which they opened."""
        last: dict[object, Episode] = {}
        for _, episode in self.log:
            assert episode.key not in last or last[episode.key].ended_at is None, "an ended episode came back"
            last[episode.key] = episode
        return [episode for episode in last.values() if rule is None or episode.rule is rule]

    def opened(self, rule: Rule) -> list[float]:
        """When each episode of the rule was first told, in seconds."""
        seen, seconds = set(), []
        for second, episode in self.log:
            if episode.rule is rule and episode.key not in seen:
                seen.add(episode.key)
                seconds.append(second)
        return seconds


def after(start: datetime | None) -> float:
    assert start is not None
    return (start - START).total_seconds()


def during(
    spans: Mapping[tuple[float, float], str | State | None], otherwise: str | State = "neutral"
) -> Script:
    """The same script for every seat: what holds in each span of seconds."""

    def script(seat: int, second: float) -> str | State | None:
        return next((what for (low, high), what in spans.items() if low <= second < high), otherwise)

    return script


INTERVALS = [0.5, 2.0, 10.0]


# absent


@pytest.mark.parametrize("interval", INTERVALS)
def test_absent_fires_after_a_minute_and_says_for_how_long(interval: float) -> None:
    lesson = Lesson(during({(100, 290): State.NO_FACE}), interval=interval).run(400)
    (episode,) = lesson.episodes()
    assert episode.rule is Rule.ABSENT
    assert after(episode.started_at) == 100
    assert after(episode.ended_at) == 290
    assert lesson.opened(Rule.ABSENT)[0] == pytest.approx(160, abs=interval)
    assert [told.reason for _, told in lesson.log] == [
        "No face for 1 min",
        "No face for 2 min",
        "No face for 3 min",
        "No face for 3 min",
    ]


def test_absent_does_not_fire_under_a_minute_or_with_the_camera_off() -> None:
    assert not Lesson(during({(100, 158): State.NO_FACE})).run(400).log
    assert not Lesson(during({(100, 150): State.NO_FACE, (150, 250): State.CAMERA_OFF})).run(400).log
    assert not Lesson(during({(100, 300): State.UNREADABLE})).run(400).log


def test_a_face_that_flickers_neither_ends_nor_hides_an_absence() -> None:
    flicker = Lesson(lambda _, second: "neutral" if second < 60 or second % 20 == 0 else State.NO_FACE).run(
        300
    )
    (episode,) = flicker.episodes()
    assert (episode.rule, episode.ended_at) == (Rule.ABSENT, None)


def test_absent_rests_after_it_ended() -> None:
    spans = {(60, 130): State.NO_FACE, (150, 230): State.NO_FACE, (400, 480): State.NO_FACE}
    lesson = Lesson(during(spans)).run(600)
    assert [after(episode.started_at) for episode in lesson.episodes()] == [60, 400]
    longer = Lesson(during({(60, 130): State.NO_FACE, (150, 500): State.NO_FACE})).run(520)
    _, second = longer.episodes()
    assert after(second.started_at) == 150
    assert longer.opened(Rule.ABSENT)[1] == pytest.approx(136 + 120, abs=4)


# camera off


def test_camera_off_is_told_after_five_minutes() -> None:
    lesson = Lesson(during({(50, 470): State.CAMERA_OFF})).run(520)
    (episode,) = lesson.episodes()
    assert episode.rule is Rule.CAMERA_OFF
    assert (after(episode.started_at), after(episode.ended_at)) == (50, 470)
    assert lesson.opened(Rule.CAMERA_OFF)[0] == pytest.approx(350, abs=2)
    assert episode.reason == "Camera off for 7 min"
    assert not Lesson(during({(50, 345): State.CAMERA_OFF})).run(400).log


def test_long_durations_are_told_in_hours() -> None:
    lesson = Lesson(during({}, State.CAMERA_OFF), interval=10).run(4000)
    assert lesson.episodes()[0].reason == "Camera off for 1 h 6 min"


# turned away


@pytest.mark.parametrize("interval", INTERVALS)
def test_turned_away_fires_at_sixty_percent_of_two_minutes(interval: float) -> None:
    def script(seat: int, second: float) -> str | State:
        return State.TURNED_AWAY if 200 <= second < 500 and second % 40 < 30 else "neutral"

    lesson = Lesson(script, interval=interval).run(700)
    (episode,) = lesson.episodes()
    assert episode.rule is Rule.TURNED_AWAY
    assert after(episode.started_at) == pytest.approx(200, abs=interval)
    assert 270 <= lesson.opened(Rule.TURNED_AWAY)[0] <= 310
    assert after(episode.ended_at) == pytest.approx(500, abs=15)
    reasons = [told.reason for _, told in lesson.log]
    assert reasons[0] == "Turned away for most of the last 2 min"
    assert "Turned away for most of the last 4 min" in reasons


def test_turned_away_leaves_out_what_it_could_not_read() -> None:
    generator = np.random.default_rng(5)

    def script(seat: int, second: float) -> str | State:
        if generator.random() < 0.4:
            return State.UNREADABLE
        return State.TURNED_AWAY if second >= 200 else "neutral"

    assert [episode.rule for episode in Lesson(script).run(400).episodes()] == [Rule.TURNED_AWAY]


def test_turned_away_stays_quiet_under_the_share_or_before_two_minutes() -> None:
    half = Lesson(lambda _, second: State.TURNED_AWAY if second % 20 < 10 else "neutral").run(900)
    assert not half.log
    assert not Lesson(during({}, State.TURNED_AWAY)).run(116).log
    mostly_unread = Lesson(lambda _, second: State.TURNED_AWAY if second % 20 < 6 else State.UNREADABLE)
    assert not mostly_unread.run(900).log


@pytest.mark.parametrize("before", [State.UNREADABLE, State.CAMERA_OFF])
def test_turned_away_needs_most_of_the_time_that_it_names(before: State) -> None:
    def script(seat: int, second: float) -> str | State:
        if second < 58:
            return before
        return "neutral" if second < 82 else State.TURNED_AWAY

    # at 120 s the head was away in 38 s of the 62 s that were seen of two minutes
    opened = Lesson(script).run(300).opened(Rule.TURNED_AWAY)
    assert opened == [pytest.approx(82 + 60, abs=4)]


# low mood


@pytest.mark.parametrize("interval", [*INTERVALS, 30.0])
@pytest.mark.parametrize(("expression", "missing"), [("sad", 0.0), ("angry", 0.35), ("fear", 0.2)])
def test_low_mood_fires_on_soft_negative_readings(interval: float, expression: str, missing: float) -> None:
    lesson = Lesson(during({(300, 600): expression}), interval=interval, missing=missing).run(800)
    (episode,) = lesson.episodes(Rule.LOW_MOOD)
    slow = max(30.0, 3 * interval)
    assert 300 <= after(episode.started_at) <= 330 + slow
    assert 385 <= lesson.opened(Rule.LOW_MOOD)[0] <= 400 + 2 * slow
    assert 600 <= after(episode.ended_at) <= 600 + slow
    assert re.fullmatch(r"Negative expression since 10:0\d, unusual for this seat", episode.reason)
    assert episode.evidence["valence"] < -0.25
    assert episode.evidence["coverage"] > 0.5


def test_low_mood_needs_ninety_seconds_and_over_half_read() -> None:
    assert not Lesson(during({(300, 380): "sad"})).run(500).episodes(Rule.LOW_MOOD)
    assert not Lesson(during({(300, 800): "sad"}), missing=0.75).run(900).episodes(Rule.LOW_MOOD)


def test_a_face_that_always_looks_negative_is_usual_for_its_seat() -> None:
    assert not Lesson(during({}, "sad"), interval=5).run(3600).log


def test_a_long_low_mood_does_not_become_usual() -> None:
    lesson = Lesson(during({(300, 3600): "sad"}), interval=5).run(3600)
    (episode,) = lesson.episodes(Rule.LOW_MOOD)
    assert episode.ended_at is None


def test_low_mood_neither_flickers_at_its_bar_nor_returns_at_once() -> None:
    swing = Lesson(lambda _, second: "sad" if second >= 600 and second % 60 < 48 else "neutral").run(2400)
    assert len(swing.episodes(Rule.LOW_MOOD)) <= 3
    spans = {(600, 800): "sad", (860, 1000): "sad"}
    lesson = Lesson(during(spans)).run(1400)
    opened = lesson.opened(Rule.LOW_MOOD)
    assert len(opened) <= 2
    ended = next(
        second for second, episode in lesson.log if episode.rule is Rule.LOW_MOOD and episode.ended_at
    )
    assert all(second - ended >= 118 for second in opened[1:])


def test_nothing_is_claimed_once_the_face_is_no_longer_read() -> None:
    lesson = Lesson(during({(600, 800): "sad", (800, 2000): State.UNREADABLE})).run(1200)
    (episode,) = lesson.episodes(Rule.LOW_MOOD)
    assert after(episode.ended_at) == pytest.approx(798, abs=2)


# sudden change


@pytest.mark.parametrize("interval", [*INTERVALS, 30.0])
@pytest.mark.parametrize("expression", ["happy", "sad"])
def test_sudden_change_fires_on_a_shift_that_is_kept_up(interval: float, expression: str) -> None:
    lesson = Lesson(during({(300, 500): expression}), interval=interval).run(700)
    (episode,) = lesson.episodes(Rule.SUDDEN_CHANGE)
    slow = max(30.0, 3 * interval)
    assert 300 <= after(episode.started_at) <= 310 + slow
    assert 330 - interval <= lesson.opened(Rule.SUDDEN_CHANGE)[0] <= 350 + 2 * slow
    assert 490 <= after(episode.ended_at) <= 500 + slow
    assert re.fullmatch(r"Marked change at 10:0\d", episode.reason)


def test_a_short_smile_or_a_slow_drift_is_no_sudden_change() -> None:
    assert not Lesson(during({(600, 625): "happy"})).run(900).log

    class Drifting(Faces):
        def frame(self, expressions: Sequence[str], interval: float, top: float = 0.6) -> NDArray[np.float32]:
            share = np.float32(np.clip((lesson.second - 600) / 1800, 0, 1))
            neutral, happy = (super(Drifting, self).frame([name], interval) for name in ("neutral", "happy"))
            return (1 - share) * neutral + share * happy

    lesson = Lesson(during({}))
    lesson.faces = Drifting(1, 7)
    assert not lesson.run(2400).log


def test_a_change_that_stays_is_shown_for_five_minutes_once() -> None:
    lesson = Lesson(during({(600, 3000): "happy"}), interval=5).run(3000)
    (episode,) = lesson.episodes()
    assert after(episode.ended_at) - after(episode.started_at) == pytest.approx(300, abs=5)


def test_a_change_that_the_class_shares_is_not_told_of_each_seat() -> None:
    lesson = Lesson(during({(300, 400): "happy"}), seats=12).run(500)
    assert not lesson.log
    one = Lesson(lambda seat, second: "happy" if seat == 3 and 300 <= second < 400 else "neutral", seats=12)
    assert [(episode.rule, episode.seat) for episode in one.run(500).episodes()] == [(Rule.SUDDEN_CHANGE, 3)]


# class dip


@pytest.mark.parametrize("interval", [*INTERVALS, 30.0])
def test_class_dip_fires_when_a_third_falls_inside_a_minute(interval: float) -> None:
    def script(seat: int, second: float) -> str:
        return "sad" if seat <= 7 and 240 + 3 * seat <= second < 360 else "neutral"

    lesson = Lesson(script, seats=18, interval=interval, missing=0.2).run(480)
    (episode,) = lesson.episodes(Rule.CLASS_DIP)
    slow = max(30.0, 3 * interval)
    assert episode.seat is None
    assert 240 <= after(episode.started_at) <= 240 + slow
    assert 360 <= after(episode.ended_at) <= 380 + slow
    assert re.fullmatch(r"The class changed at 10:0[4-6]", episode.reason)
    assert episode.evidence["seats"] >= 6
    assert set(episode.evidence) == {"seats", "of", "share"}


def test_no_class_dip_when_fewer_fall_or_too_slowly_or_too_few_are_read() -> None:
    fewer = Lesson(
        lambda seat, second: "sad" if seat <= 4 and second >= 300 else "neutral", seats=18, interval=5
    )
    assert not fewer.run(500).episodes(Rule.CLASS_DIP)
    slowly = Lesson(
        lambda seat, second: "sad" if second >= 300 + 30 * seat else "neutral", seats=18, interval=5
    )
    assert not slowly.run(900).episodes(Rule.CLASS_DIP)
    four = Lesson(during({(300, 400): "sad"}), seats=4)
    assert not four.run(500).episodes(Rule.CLASS_DIP)

    def mostly_unread(seat: int, second: float) -> str | State:
        return State.UNREADABLE if seat > 8 else "sad" if 300 <= second < 400 else "neutral"

    assert not Lesson(mostly_unread, seats=18, interval=5).run(500).episodes(Rule.CLASS_DIP)


@pytest.mark.parametrize(
    ("read", "who"), [(15, "The class"), (14, "Those who were read"), (6, "Those who were read"), (5, None)]
)
def test_a_class_dip_says_of_whom_it_speaks(read: int, who: str | None) -> None:
    def script(seat: int, second: float) -> str | State:
        if seat > read:
            return State.CAMERA_OFF
        return "sad" if seat <= (read + 1) // 2 and 300 <= second < 400 else "neutral"

    found = Lesson(script, seats=30, interval=5).run(450)
    told = [episode.reason.partition(" changed at ")[0] for episode in found.episodes(Rule.CLASS_DIP)]
    assert told == ([who] if who else [])


# quiet, gaps, leaving


@pytest.mark.parametrize(
    ("interval", "seats", "seed"), [(2.0, 12, 1), (10.0, 30, 2), (30.0, 49, 3), (0.5, 2, 4)]
)
def test_a_neutral_noisy_class_fires_nothing_in_an_hour(interval: float, seats: int, seed: int) -> None:
    lesson = Lesson(during({}), seats=seats, interval=interval, missing=0.15, seed=seed).run(3600).close()
    assert lesson.log == []


def test_a_gap_stops_the_clocks() -> None:
    lesson = Lesson(during({(100, 1000): State.NO_FACE})).run(140).gap(240)
    assert not lesson.log
    lesson.run(258)
    assert not lesson.log
    lesson.run(264)
    (episode,) = lesson.episodes()
    assert after(episode.started_at) == 100
    assert episode.reason == "No face for 1 min"


def test_time_that_nobody_told_of_is_not_counted_either() -> None:
    lesson = Lesson(during({(100, 1000): State.NO_FACE})).run(130).gap(250, tell=False).run(268)
    assert not lesson.log
    assert Lesson(during({(100, 1000): State.NO_FACE})).run(130).gap(250, tell=False).run(290).log


@pytest.mark.parametrize("tell", [True, False])
def test_a_long_gap_ends_what_was_open_when_it_was_last_seen(tell: bool) -> None:
    lesson = Lesson(during({(100, 2000): State.NO_FACE})).run(200).gap(800, tell).run(802)
    (episode,) = lesson.episodes()
    assert after(episode.ended_at) == 200
    assert len(lesson.run(900).episodes()) == 2


def test_a_change_during_a_gap_is_not_said_to_be_sudden() -> None:
    lesson = Lesson(during({(700, 3000): "happy"}), seats=6).run(600).gap(860).run(1000)
    assert not lesson.log
    dip = Lesson(during({(700, 3000): "sad"}), seats=12).run(600).gap(860).run(920)
    assert not dip.episodes(Rule.CLASS_DIP)
    assert not dip.episodes(Rule.SUDDEN_CHANGE)


def test_late_frames_do_not_slow_the_clocks() -> None:
    """An agent that drops every other frame still tells of an absence after a minute."""
    tracker = AttentionTracker(zone=UTC)
    opened = None
    for step in range(60):
        at = START + timedelta(seconds=2 * step)
        reading = Reading(1, 0, State.NO_FACE, None, None, None, 0.0)
        if tracker.update((reading,), (), at, 1.0) and opened is None:
            opened = after(at)
    assert opened == pytest.approx(60, abs=2)


def test_a_clock_that_was_set_back_breaks_nothing_for_a_seat_that_comes() -> None:
    neutral = np.eye(7, dtype=np.float32)[6]
    seats = [Reading(number, number - 1, State.SEEN, neutral, 0.0, 0.0, 0.9) for number in (1, 2)]
    tracker = AttentionTracker()
    tracker.update(seats[:1], (), START, 2.0)
    for _ in range(2):
        assert tracker.update(seats, (), START - timedelta(hours=1), 2.0) == ()


def test_a_seat_that_leaves_closes_its_episodes_where_it_was_last_seen() -> None:
    lesson = Lesson(during({(100, 250): State.NO_FACE, (250, 400): None})).run(400)
    (episode,) = lesson.episodes()
    assert after(episode.ended_at) == 250
    blink = Lesson(during({(200, 206): None, (100, 300): State.NO_FACE})).run(290)
    (episode,) = blink.episodes()
    assert episode.ended_at is None


def test_what_is_usual_is_kept_while_a_seat_is_away() -> None:
    lesson = Lesson(during({(600, 900): None, (1000, 1200): "sad"})).run(1300)
    assert Rule.LOW_MOOD in {episode.rule for episode in lesson.episodes()}


def test_a_seat_that_opts_out_is_forgotten_at_once() -> None:
    lesson = Lesson(during({(600, 800): "sad", (800, 1000): State.OPTED_OUT})).run(800)
    assert lesson.episodes(Rule.LOW_MOOD)[0].ended_at is None
    lesson.run(802)
    assert after(lesson.episodes(Rule.LOW_MOOD)[0].ended_at) == 800
    assert lesson.tracker._tracks == {}


def test_close_ends_everything() -> None:
    lesson = Lesson(during({(100, 1000): State.NO_FACE}), seats=3).run(300).close()
    assert [after(episode.ended_at) for episode in lesson.episodes()] == [300, 300, 300]
    assert lesson.tracker.close(lesson.at) == ()


def test_words_are_observations() -> None:
    ends = ("sad", State.NO_FACE, State.CAMERA_OFF, State.TURNED_AWAY, "happy", "angry", "fear")

    def script(seat: int, second: float) -> str | State:
        return "neutral" if second < 300 else ends[seat % 7]

    lesson = Lesson(script, seats=14, interval=5).run(800)
    assert {episode.rule for episode in lesson.episodes()} == set(Rule)
    for _, episode in lesson.log:
        assert not re.search(r"bored|feel|worst|score|rank|grade|sad|angry", episode.reason.lower())


@pytest.mark.parametrize("seed", range(3))
def test_invariants_hold_in_any_class(seed: int) -> None:
    """Random classes with gaps, irregular steps and seats that come and go: every episode ends once, in order."""
    generator = np.random.default_rng(seed)
    choices: list[str | State | None] = [*EXPRESSIONS, *State, None]
    moods = {seat: choices[generator.integers(len(choices))] for seat in range(1, 9)}

    def script(seat: int, second: float) -> str | State | None:
        if generator.random() < 0.01:
            moods[seat] = choices[generator.integers(len(choices))]
        return None if moods[seat] is State.SEEN else moods[seat]

    lesson = Lesson(script, seats=8, missing=0.2)
    for _ in range(20):
        lesson.interval = float(generator.choice([0.5, 1.0, 2.0, 7.0, 30.0]))
        lesson.run(lesson.second + float(generator.uniform(0, 200)))
        lesson.gap(
            lesson.second + float(generator.choice([0.0, 20.0, 600.0])), tell=bool(generator.integers(2))
        )
    lesson.close()
    assert lesson.log
    for episode in lesson.episodes():
        assert episode.ended_at is not None
        assert START <= episode.started_at <= episode.ended_at <= lesson.at
    for _, episode in lesson.log:
        assert episode.started_at.tzinfo is UTC


def test_memory_is_bounded_over_a_long_session() -> None:
    baseline = Baseline(120, 0.06, 0.1)
    for step in range(4000):
        baseline.add(0.1 if step % 2 else -0.1, 10.0)
    assert baseline.ready
    assert len(baseline._samples) == 1440
    crowd = AttentionTracker(zone=UTC)
    for step in range(1500):
        reading = Reading(step + 1, 0, State.CAMERA_OFF, None, None, None, 0.0)
        crowd.update((reading,), (), START + timedelta(seconds=2 * step), 2.0)
    assert len(crowd._tracks) <= 510
    window = Window(120.0, 1)
    for _ in range(5000):
        window.add(0.5, (True,), START)
    assert window.total == pytest.approx(120)
    assert len(window._entries) == 240


@pytest.mark.parametrize("wrong", [{"absent_after": 0}, {"turned_share": 0.3}, {"spread_floor": 0.5}])
def test_refuses_settings_that_contradict_themselves(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidRecordError):
        AttentionSettings(**wrong)


def test_refuses_local_times_and_empty_intervals() -> None:
    with pytest.raises(InvalidRecordError, match="UTC"):
        AttentionTracker().update((), (), datetime(2026, 3, 2), 2.0)  # noqa: DTZ001 that is the point
    with pytest.raises(InvalidRecordError, match="seconds"):
        AttentionTracker().update((), (), START, 0.0)


def test_a_seat_that_is_read_in_another_way_has_not_changed() -> None:
    def corrected(seat: int, second: float) -> str:
        return "neutral" if seat == 2 or second >= 400 else "sad"

    plain = Lesson(corrected, seats=2).run(700)
    assert [one.seat for one in plain.episodes(Rule.SUDDEN_CHANGE)] == [1]
    told = Lesson(corrected, seats=2).run(400)
    told._note(told.tracker.forget_usual([1, 9], told.at))
    told.run(700)
    assert told.episodes() == []
    # what is usual is learned anew, and a change from that is one
    again = Lesson(lambda seat, second: "sad" if second >= 800 and seat == 1 else "neutral", seats=2).run(400)
    again._note(again.tracker.forget_usual([1], again.at))
    assert again.run(1100).episodes(Rule.SUDDEN_CHANGE)


def test_what_was_found_of_an_expression_ends_where_it_is_read_in_another_way() -> None:
    lesson = Lesson(during({(400, 900): "sad"})).run(800)
    assert [one.rule for one in lesson.tracker.open_episodes] != []
    ended = lesson.tracker.forget_usual([1], lesson.at)
    assert ended
    assert {one.rule for one in ended} <= {Rule.LOW_MOOD, Rule.SUDDEN_CHANGE}
    assert all(one.ended_at is not None for one in ended)
    assert lesson.tracker.open_episodes == ()
