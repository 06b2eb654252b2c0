"""The attention rules: who may need a look, why and since when.

Every rule runs on observed time and against the seat's own usual, never against a norm or another seat. Each has a
minimum duration, a lower bar to stay than to start (hysteresis), a time to recover, and a cool-down before it may
start again. Time that was not observed stops the clocks and is never filled in.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

import numpy as np

from engagement.baseline import Baseline, Smoothing
from engagement.errors import InvalidRecordError
from engagement.mood import valence
from engagement.records import Episode, Reading, Rule, Seat, State, check_utc
from engagement.stretch import Stretch, Window

_MOST_SEATS: Final = 500
"""Seats remembered; beyond it those that left longest ago are forgotten."""

_KNOWN, _AWAY = 0, 1
"""Conditions of the window of head pose."""


@dataclass(frozen=True, slots=True)
class AttentionSettings:
    """Durations in seconds of observed time, shares 0..1, valences -1..1. Every value is above 0 but `low_level`.

    Attributes:
        absent_after: no face for so long.
        camera_off_after: camera off for so long.
        turned_window: the stretch over which the share turned away is taken.
        turned_share, turned_end_share: share turned away, of what was seen of that stretch, that starts and that ends
            an episode; to start one it must also be over half of the whole stretch.
        half_life: of the smoothing of a seat's valence; at least one and a half intervals.
        baseline_after: seconds of readings before anything is called unusual.
        spread_floor, spread_ceiling: bounds of the median absolute deviation (MAD), in units of valence.
        low_mads, low_level: a low mood is this many MAD under the seat's median and under this valence.
        low_margin: valence above that bar which ends a low mood.
        low_after: how long it has to last.
        coverage: share of the time that must have been read for a low mood or a sudden change.
        change_mads, change_end_mads: distance from the median that starts and that ends a sudden change.
        change_after: how long the shift has to be kept up.
        change_from_mads, change_within: how near to the median the seat was how short before; what comes from
            further or more slowly is no sudden change.
        change_shown: how long it is shown while the shift stays.
        dip_share, dip_end_share: share of the class under its own usual that starts and that ends a class dip.
        dip_mads, dip_end_mads: distance under its median at which a seat counts as under and no longer.
        dip_within: how fast the class has to fall.
        dip_after: how long the share has to last.
        dip_coverage: share of the seats present with a baseline and a fresh reading that it takes to speak of a class;
            under half of them it is said that those who were read changed.
        fewest_seats: as many of them at least.
        recovery, mood_recovery: how long an observation, or a mood, has to be back before its episode ends.
        cool_down: how long after an episode the same rule stays quiet on the same seat.
        stale_after: without a reading for so long, nothing is said about expressions any more.
        left_after: a seat missing from the gallery for so long has left.
        gap_limit: after so long without any observation (wall time) all episodes end.
    """

    absent_after: float = 60.0
    camera_off_after: float = 300.0
    turned_window: float = 120.0
    turned_share: float = 0.6
    turned_end_share: float = 0.5
    half_life: float = 15.0
    baseline_after: float = 120.0
    spread_floor: float = 0.06
    spread_ceiling: float = 0.1
    low_mads: float = 2.0
    low_level: float = -0.25
    low_margin: float = 0.05
    low_after: float = 90.0
    coverage: float = 0.5
    change_mads: float = 3.0
    change_end_mads: float = 2.0
    change_after: float = 30.0
    change_from_mads: float = 1.5
    change_within: float = 60.0
    change_shown: float = 300.0
    dip_share: float = 1 / 3
    dip_end_share: float = 1 / 6
    dip_mads: float = 2.0
    dip_end_mads: float = 1.0
    dip_within: float = 60.0
    dip_after: float = 10.0
    dip_coverage: float = 0.2
    fewest_seats: int = 5
    recovery: float = 6.0
    mood_recovery: float = 20.0
    cool_down: float = 120.0
    stale_after: float = 60.0
    left_after: float = 10.0
    gap_limit: float = 300.0

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if setting.name == "low_level":
                continue
            if not value > 0:
                raise InvalidRecordError(f"AttentionSettings.{setting.name} must be above 0, got {value}.")
        for start, end in (
            (self.turned_share, self.turned_end_share),
            (self.change_mads, self.change_end_mads),
            (self.dip_share, self.dip_end_share),
            (self.dip_mads, self.dip_end_mads),
            (self.spread_ceiling, self.spread_floor),
        ):
            if start < end:
                raise InvalidRecordError(
                    f"AttentionSettings: a bar that starts an episode ({start}) lies under its other bar ({end})."
                )


class _Watch:
    """One rule on one seat (or on the class)."""

    __slots__ = ("cool_until", "ended_at", "episode", "stretch")

    def __init__(self) -> None:
        self.stretch = Stretch()
        self.episode: Episode | None = None
        self.cool_until = 0.0  # on the clock of its owner
        self.ended_at: datetime | None = None


class _Track:
    """What is remembered of one seat."""

    __slots__ = (
        "active",
        "away_until",
        "baseline",
        "clock",
        "coverage",
        "crossed_at",
        "missing",
        "near_at",
        "pose",
        "read_at",
        "seen_until",
        "shift",
        "smoothing",
        "state",
        "under",
        "value",
        "watches",
    )

    def __init__(self, rules: AttentionSettings, at: datetime) -> None:
        self.clock = 0.0  # observed seconds of this seat
        self.missing = 0.0  # observed seconds since it was last in the gallery
        self.seen_until = at
        self.active = True
        self.state = State.NO_FACE
        self.pose = Window(rules.turned_window, 2)
        self.away_until: datetime | None = None
        self.coverage = Window(rules.low_after, 1)
        self.forget_usual(rules)
        self.watches = {
            rule: _Watch()
            for rule in (Rule.ABSENT, Rule.CAMERA_OFF, Rule.TURNED_AWAY, Rule.LOW_MOOD, Rule.SUDDEN_CHANGE)
        }

    def forget_usual(self, rules: AttentionSettings) -> None:
        """Begin anew with its expression and what is usual of it."""
        self.smoothing = Smoothing()
        self.baseline = Baseline(rules.baseline_after, rules.spread_floor, rules.spread_ceiling)
        self.value = 0.0
        self.shift = 0.0  # distance from the median in MAD, signed
        self.read_at: datetime | None = None
        self.near_at: datetime | None = None  # last read near its usual
        self.under = False
        self.crossed_at: datetime | None = None  # when it fell under its usual

    @property
    def covered(self) -> float:
        """Share of the last while in which its expression was read, 0..1."""
        return self.coverage.sums[0] / self.coverage.total

    def figures(self) -> dict[str, float]:
        """The evidence of a rule on expressions."""
        return {
            "valence": round(self.value, 3),
            "usual": round(self.baseline.median, 3),
            "spread": round(self.baseline.spread, 3),
            "coverage": round(self.covered, 2),
        }

    def interrupt(self) -> None:
        """Forget what was going on, keep what is usual."""
        for watch in self.watches.values():
            watch.stretch.reset()
        self.pose.clear()
        self.coverage.clear()
        self.read_at = self.near_at = self.crossed_at = None
        self.under = False


class AttentionTracker:
    """Runs the rules over the readings of a session, one interval at a time.

    Args:
        rules: the figures of the rules.
        zone: time zone of the clock times in sentences; None is that of the computer.
    """

    def __init__(self, rules: AttentionSettings = AttentionSettings(), zone: tzinfo | None = None) -> None:
        self._rules = rules
        self._zone = zone
        self._tracks: dict[int, _Track] = {}
        self._dip = _Watch()
        self._dip_known_at: datetime | None = None
        self._clock = 0.0
        self._at: datetime | None = None  # of the last observed interval, None after a gap
        self._seen_until: datetime | None = None
        self._changed: list[Episode] = []

    def update(
        self, readings: Sequence[Reading] | None, seats: Sequence[Seat], at: datetime, seconds: float
    ) -> tuple[Episode, ...]:
        """Take in one interval.

        Args:
            readings: one per seat shown; None where nothing was observed, which stops all clocks.
            seats: the seats of the readings (unused here, since rules know numbers only).
            at: aware UTC time of the frame.
            seconds: length of the interval. Frames dropped in between are bridged up to three intervals.

        Returns:
            The episodes that opened, changed their sentence or ended. An episode keeps its `key` throughout.

        Raises:
            InvalidRecordError: `at` is not in UTC, or `seconds` is not above 0.
        """
        check_utc("AttentionTracker.update at", at)
        if seconds <= 0:
            raise InvalidRecordError(f"AttentionTracker.update needs seconds above 0, got {seconds}.")
        self._changed = []
        if self._seen_until is not None and (at - self._seen_until).total_seconds() > self._rules.gap_limit:
            self._interrupt(self._seen_until)
        if readings is None:
            self._at = None
            return tuple(self._changed)
        span = seconds
        # a clock that was set back says nothing of how long it was
        if self._at is not None and at > self._at:
            span = min((at - self._at).total_seconds(), 3 * seconds)
        self._at, self._seen_until = at, at + timedelta(seconds=seconds)
        self._clock += span
        present = self._observe(readings, at, seconds, span)
        self._absentees(present, span)
        self._class(present, at, seconds, span)
        return tuple(self._changed)

    def forget_usual(self, seats: Collection[int], at: datetime) -> tuple[Episode, ...]:
        """Begin anew with what is usual for some seats, whose faces are read in another way from `at` (aware UTC) on:
        that is no change of theirs. The episodes that it ended."""
        check_utc("AttentionTracker.forget_usual at", at)
        self._changed = []
        for track in (self._tracks[number] for number in seats if number in self._tracks):
            for watch in (track.watches[Rule.LOW_MOOD], track.watches[Rule.SUDDEN_CHANGE]):
                self._end(watch, at, track.clock)
                watch.stretch.reset()
            track.forget_usual(self._rules)
        return tuple(self._changed)

    @property
    def open_episodes(self) -> tuple[Episode, ...]:
        """The episodes that are open now, the class's last."""
        watches = [watch for track in self._tracks.values() for watch in track.watches.values()]
        return tuple(watch.episode for watch in (*watches, self._dip) if watch.episode is not None)

    def close(self, at: datetime) -> tuple[Episode, ...]:
        """End every open episode as the session closes at `at` (aware UTC)."""
        check_utc("AttentionTracker.close at", at)
        self._changed = []
        if self._seen_until is not None:
            late = (at - self._seen_until).total_seconds() > self._rules.gap_limit
            self._interrupt(self._seen_until if late else at)
        return tuple(self._changed)

    # what is read

    def _observe(
        self, readings: Sequence[Reading], at: datetime, seconds: float, span: float
    ) -> dict[int, _Track]:
        """Measure every seat shown, then judge it; returns the seats that may be judged."""
        present: dict[int, _Track] = {}
        read = [reading for reading in readings if reading.probabilities is not None]
        values = dict(
            zip(
                (reading.seat for reading in read),
                valence(
                    np.array([reading.probabilities for reading in read], np.float32).reshape(-1, 7)
                ).tolist(),
                strict=True,
            )
        )
        for reading in readings:
            if reading.state is State.OPTED_OUT:
                self._forget(reading.seat, at)
                continue
            track = self._tracks.get(reading.seat)
            if track is None:
                track = self._tracks[reading.seat] = _Track(self._rules, at)
            present[reading.seat] = track
            self._measure(track, reading.state, values.get(reading.seat), at, seconds, span)
        shared = self._shared_shifts(present, at, seconds)
        for number, track in present.items():
            self._judge_presence(number, track, at, span)
            self._judge_mood(number, track, at, seconds, span, shared)
        return present

    def _measure(
        self, track: _Track, state: State, value: float | None, at: datetime, seconds: float, span: float
    ) -> None:
        rules = self._rules
        track.clock += span
        track.missing, track.active, track.state = 0.0, True, state
        track.seen_until = at + timedelta(seconds=seconds)
        if state is State.TURNED_AWAY:
            track.away_until = track.seen_until
        # an unreadable face may look anywhere: it is left out of the share
        known = state in (State.SEEN, State.TURNED_AWAY, State.NO_FACE)
        track.pose.add(span, (known, state is State.TURNED_AWAY), at)
        track.coverage.add(span, (value is not None,), at)
        if value is None:
            return
        before, track.read_at = track.read_at, at
        track.value = track.smoothing.add(value, at, span, max(rules.half_life, 1.5 * seconds))
        baseline = track.baseline
        if not (baseline.ready and track.value < self._low_bar(track)):
            # a long low mood must not become the usual it is measured against
            baseline.add(track.value, span)
        if not baseline.ready:
            return
        track.shift = (track.value - baseline.median) / baseline.spread
        if abs(track.shift) <= rules.change_from_mads:
            track.near_at = at
        if track.under:
            track.under = track.shift < -rules.dip_end_mads
        elif track.shift < -rules.dip_mads:
            track.under = True
            # after a pause in the readings nobody knows when it fell
            fresh = before is not None and (at - before).total_seconds() <= max(rules.dip_within, 3 * seconds)
            track.crossed_at = at if fresh else None

    def _low_bar(self, track: _Track) -> float:
        rules, baseline = self._rules, track.baseline
        return min(baseline.median - rules.low_mads * baseline.spread, rules.low_level)

    def _shared_shifts(self, present: Mapping[int, _Track], at: datetime, seconds: float) -> set[bool]:
        """Directions (True is up) in which a third of the class has shifted: the class's change, not a seat's."""
        rules = self._rules
        judged = [track for track in present.values() if self._is_judged(track, at, seconds)]
        if len(judged) < rules.fewest_seats:
            return set()
        needed = rules.dip_share * len(judged)
        up = sum(track.shift > rules.change_end_mads for track in judged)
        down = sum(track.shift < -rules.change_end_mads for track in judged)
        return {direction for direction, count in ((True, up), (False, down)) if count >= needed}

    def _is_judged(self, track: _Track, at: datetime, seconds: float) -> bool:
        """Whether its usual is known and its last reading is fresh."""
        return (
            track.baseline.ready
            and track.read_at is not None
            and (at - track.read_at).total_seconds() <= max(self._rules.stale_after / 2, 3 * seconds)
        )

    # rules of one seat

    def _judge_presence(self, number: int, track: _Track, at: datetime, span: float) -> None:
        rules = self._rules
        for rule, state, after, words in (
            (Rule.ABSENT, State.NO_FACE, rules.absent_after, "No face for"),
            (Rule.CAMERA_OFF, State.CAMERA_OFF, rules.camera_off_after, "Camera off for"),
        ):
            watch = track.watches[rule]
            if watch.stretch.since is None and track.state is not state:
                continue
            watch.stretch.advance(track.state is state, at, span, track.clock)
            if watch.stretch.broken >= rules.recovery:
                self._end(watch, watch.stretch.broken_at or at, track.clock)
                watch.stretch.reset()
                continue
            seconds = watch.stretch.elapsed(track.clock)
            if watch.episode is not None:
                if watch.stretch.broken_at is None:
                    self._say(watch, f"{words} {_duration(seconds)}", {"seconds": round(seconds)})
            elif watch.stretch.since is not None and watch.stretch.lasts(after, track.clock):
                self._open(
                    watch,
                    rule,
                    number,
                    watch.stretch.since,
                    f"{words} {_duration(seconds)}",
                    {"seconds": round(seconds)},
                    track.clock,
                )
        self._judge_pose(number, track, at)

    def _judge_pose(self, number: int, track: _Track, at: datetime) -> None:
        rules, watch, window = self._rules, track.watches[Rule.TURNED_AWAY], track.pose
        known, away = window.sums[_KNOWN], window.sums[_AWAY]
        share = away / known if known >= rules.turned_window / 2 else None
        if watch.episode is None:
            # most of the time that is named, not only of what was seen of it
            if not window.full or away <= rules.turned_window / 2:
                return
            if share is None or share < rules.turned_share:
                return
            since = window.first(_AWAY)
            if since is not None:
                reason = f"Turned away for most of the last {_duration(rules.turned_window)}"
                if self._open(
                    watch, Rule.TURNED_AWAY, number, since, reason, {"share": round(share, 2)}, track.clock
                ):
                    watch.stretch.advance(True, since, rules.turned_window, track.clock)
            return
        if share is None or share < rules.turned_end_share:
            # the share falls long after the head came back: the last reading says when
            self._end(watch, track.away_until or at, track.clock)
            watch.stretch.reset()
            return
        seconds = watch.stretch.elapsed(track.clock)
        self._say(
            watch,
            f"Turned away for most of the last {_duration(max(seconds, rules.turned_window))}",
            {"share": round(share, 2)},
        )

    def _judge_mood(
        self, number: int, track: _Track, at: datetime, seconds: float, span: float, shared: set[bool]
    ) -> None:
        rules = self._rules
        low, change = track.watches[Rule.LOW_MOOD], track.watches[Rule.SUDDEN_CHANGE]
        if track.read_at != at:
            pause = (at - track.read_at).total_seconds() if track.read_at is not None else 0.0
            if track.read_at is not None and pause > max(rules.stale_after, 3 * seconds):
                for watch in (low, change):
                    self._end(watch, track.read_at, track.clock)
                    watch.stretch.reset()
            return
        if not track.baseline.ready:
            return
        bar = self._low_bar(track) + (rules.low_margin if low.episode else 0.0)
        self._advance_mood(low, track.value < bar, at, span, track.clock)
        if (
            low.episode is None
            and low.stretch.since is not None
            and low.stretch.readings >= 3
            and track.covered > rules.coverage
            and low.stretch.lasts(rules.low_after, track.clock)
        ):
            since = low.stretch.since
            reason = f"Negative expression since {self._time(since)}, unusual for this seat"
            self._open(low, Rule.LOW_MOOD, number, since, reason, track.figures(), track.clock)
        self._judge_change(number, track, at, seconds, span, shared)

    def _judge_change(
        self, number: int, track: _Track, at: datetime, seconds: float, span: float, shared: set[bool]
    ) -> None:
        rules, watch = self._rules, track.watches[Rule.SUDDEN_CHANGE]
        stretch = watch.stretch
        began = stretch.since is None
        bar = rules.change_end_mads if watch.episode or stretch.spent else rules.change_mads
        self._advance_mood(watch, abs(track.shift) > bar, at, span, track.clock)
        if stretch.since is None:
            return
        if began:
            within = max(rules.change_within, 4 * seconds)
            stretch.spent = track.near_at is None or (at - track.near_at).total_seconds() > within
        if watch.episode is not None:
            if stretch.elapsed(track.clock) >= rules.change_shown:
                self._end(watch, at, track.clock)
                stretch.spent = True
            return
        if (track.shift > 0) in shared:
            stretch.spent = True
        if (
            not stretch.spent
            and stretch.readings >= 3
            and track.covered > rules.coverage
            and stretch.lasts(rules.change_after, track.clock)
        ):
            reason = f"Marked change at {self._time(stretch.since)}"
            self._open(watch, Rule.SUDDEN_CHANGE, number, stretch.since, reason, track.figures(), track.clock)

    def _advance_mood(self, watch: _Watch, met: bool, at: datetime, span: float, clock: float) -> None:
        stretch = watch.stretch
        stretch.advance(met, at, span, clock)
        recovery = self._rules.mood_recovery if watch.episode else self._rules.recovery
        if stretch.broken >= recovery:
            self._end(watch, stretch.broken_at or at, clock)
            stretch.reset()

    # the class

    def _class(self, present: Mapping[int, _Track], at: datetime, seconds: float, span: float) -> None:
        rules, watch = self._rules, self._dip
        on_camera = sum(track.state is not State.CAMERA_OFF for track in present.values())
        judged = [track for track in present.values() if self._is_judged(track, at, seconds)]
        fewest = max(rules.fewest_seats, rules.dip_coverage * len(present))
        if len(judged) < fewest or 2 * len(judged) < on_camera:
            known_at = self._dip_known_at
            if known_at is not None and (at - known_at).total_seconds() > max(rules.stale_after, 3 * seconds):
                self._end(watch, known_at, self._clock)
                watch.stretch.reset()
            return
        self._dip_known_at = at
        under = [track for track in judged if track.under]
        share = len(under) / len(judged)
        within = timedelta(seconds=max(rules.dip_within, 3 * seconds))
        fallen = [
            track.crossed_at
            for track in under
            if track.crossed_at is not None and at - track.crossed_at <= within
        ]
        if watch.episode is not None:
            met = share >= rules.dip_end_share
        elif watch.stretch.since is not None:
            met = share >= rules.dip_share
        else:
            met = len(fallen) >= rules.dip_share * len(judged)
        began = min(fallen) if watch.stretch.since is None and met else None
        self._advance_mood(watch, met, at, span, self._clock)
        if began is not None:
            watch.stretch.since = began
        since = watch.stretch.since
        if watch.episode is None and since is not None and watch.stretch.lasts(rules.dip_after, self._clock):
            evidence = {"seats": len(under), "of": len(judged), "share": round(share, 2)}
            who = "The class" if 2 * len(judged) >= len(present) else "Those who were read"
            reason = f"{who} changed at {self._time(since)}"
            self._open(watch, Rule.CLASS_DIP, None, since, reason, evidence, self._clock)

    # episodes

    def _open(
        self,
        watch: _Watch,
        rule: Rule,
        number: int | None,
        since: datetime,
        reason: str,
        evidence: Mapping[str, Any],
        clock: float,
    ) -> bool:
        if clock < watch.cool_until:
            return False
        if watch.ended_at is not None:
            since = max(since, watch.ended_at)
        watch.episode = Episode(rule, number, reason, since, None, evidence)
        self._changed.append(watch.episode)
        return True

    def _say(self, watch: _Watch, reason: str, evidence: Mapping[str, Any]) -> None:
        if watch.episode is not None and watch.episode.reason != reason:
            watch.episode = replace(watch.episode, reason=reason, evidence=evidence)
            self._changed.append(watch.episode)

    def _end(self, watch: _Watch, at: datetime, clock: float) -> None:
        if watch.episode is None:
            return
        ended_at = max(at, watch.episode.started_at)
        self._changed.append(replace(watch.episode, ended_at=ended_at))
        watch.episode, watch.ended_at = None, ended_at
        watch.cool_until = clock + self._rules.cool_down

    def _absentees(self, present: Mapping[int, _Track], span: float) -> None:
        """Let seats that are no longer shown leave."""
        for number, track in self._tracks.items():
            if number in present or not track.active:
                continue
            track.missing += span
            if track.missing >= self._rules.left_after:
                track.active = False
                self._end_all(track, track.seen_until)
        if len(self._tracks) > _MOST_SEATS:
            gone = sorted(
                (number for number, track in self._tracks.items() if not track.active),
                key=lambda number: self._tracks[number].seen_until,
            )
            for number in gone[: len(self._tracks) - _MOST_SEATS]:
                del self._tracks[number]

    def _forget(self, number: int, at: datetime) -> None:
        """Drop all that is known of a seat that opted out."""
        track = self._tracks.pop(number, None)
        if track is not None:
            self._end_all(track, at)

    def _interrupt(self, at: datetime) -> None:
        for track in self._tracks.values():
            self._end_all(track, at)
            for watch in track.watches.values():
                watch.cool_until = 0.0
        self._end(self._dip, at, self._clock)
        self._dip.cool_until = 0.0
        self._dip.stretch.reset()
        self._at = self._seen_until = self._dip_known_at = None

    def _end_all(self, track: _Track, at: datetime) -> None:
        for watch in track.watches.values():
            self._end(watch, at, track.clock)
        track.interrupt()

    def _time(self, at: datetime) -> str:
        return at.astimezone(self._zone).strftime("%H:%M")


def _duration(seconds: float) -> str:
    """A length of time in words, rounded down so that it never says too much."""
    whole = int(seconds + 1e-6)
    if whole < 60:
        return f"{max(whole // 10 * 10, 1)} s"
    minutes = whole // 60
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
