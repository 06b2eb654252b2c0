"""A made-up lesson, written through the recorder as the agent does it: what the dashboard's tests look at.

`python tests/dashboard/seed.py DATABASE_URL [--live]` fills a database to look at by hand.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import Engine, update

from engagement.attention import AttentionTracker
from engagement.emotion import EXPRESSIONS
from engagement.mood import MoodTracker, facing_share
from engagement.policy import Policy
from engagement.records import (
    STATES_WITH_FACE,
    Episode,
    IntervalRecord,
    Mode,
    NotObservedReason,
    Reading,
    Seat,
    State,
)
from storage.database import writing
from storage.notes import add_note
from storage.recorder import NewSession, Recorder
from storage.schema import HeartbeatTable

NAMES = (
    "Ada Okafor", "Ben Carver", "Carla Rossi", "Dmitri Volkov", "Elif Yılmaz", "Farid Haddad", "Grace Kim",
    "Hugo Laurent", "Ines Castro", "Jonas Weber", "Keiko Tanaka", "Liam O'Brien", "Mei-Ling Wu", "Noah Cohen",
    "Olga Petrova", "Priya Sharma", "Quentin Dubois", "Rosa Jiménez", "Sami Virtanen", "Tara Singh", "Umar Farouk",
    "Vera Novák", "Will Turner", "Ximena Ruiz", "Yusuf Demir", "Zoë van Dijk", "李小龙",
)  # fmt: skip

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    '=HYPERLINK("http://evil.example","x")',
    "<b>bold</b> & <a href='javascript:alert(1)'>link</a>",
    "</script><script>window.hacked=1</script>",
    "%{x} {{7*7}} ${7*7}",
    "@SUM(1+1)*cmd|' /C calc'!A0",
)


class Lesson:
    """One lesson that is committed interval by interval.

    Args:
        engine: migrated.
        started_at: aware UTC.
        names: of the seats.
        mode: what may be kept.
        interval: seconds.
        minutes: the length the script is laid out for.
    """

    def __init__(
        self,
        engine: Engine,
        started_at: datetime,
        *,
        names: Sequence[str] = NAMES,
        mode: Mode = Mode.INDIVIDUAL,
        interval: float = 2.0,
        minutes: float = 40.0,
        name: str = "Algebra 9b",
        seed: int = 7,
    ) -> None:
        self.engine, self.started_at, self.interval, self.minutes = engine, started_at, interval, minutes
        self.recorder = Recorder(engine)
        self.session_id = self.recorder.open_session(
            NewSession(
                name=name,
                mode=mode,
                interval=interval,
                source='window "Zoom Meeting"',
                started_at=started_at,
                agent_name="classpulse on this computer",
                pid=os.getpid(),
            )
        )
        self.index = 0
        self._names = names
        self._policy, self._mood, self._attention = Policy(mode), MoodTracker(), AttentionTracker()
        self._random = np.random.default_rng(seed)
        self._bias = self._random.normal(0, 0.12, len(names))
        self._wander = np.zeros(len(names))

    @property
    def now(self) -> datetime:
        """Time of the next interval."""
        return self.started_at + timedelta(seconds=self.index * self.interval)

    def commit(
        self, not_observed: NotObservedReason | None = None, *, more_episodes: Sequence[Episode] = ()
    ) -> int:
        """Commit the next interval, with episodes beside those of the rules, and return its id."""
        at, minute = self.now, self.index * self.interval / 60
        self.index += 1
        if not_observed is None and 12.0 <= minute < 12.6:
            not_observed = NotObservedReason.COVERED
        if not_observed is not None:
            episodes = (*self._attention.update(None, (), at, self.interval), *more_episodes)
            record = IntervalRecord(
                self.session_id,
                at,
                self.interval,
                0,
                0,
                0,
                {},
                None,
                None,
                None,
                not_observed,
                episodes=episodes,
            )
            return self.recorder.commit(self._policy.apply(record))
        readings = tuple(self._reading(seat, minute) for seat in range(len(self._names)))
        seats = tuple(Seat(n + 1, name, f"label-{n}") for n, name in enumerate(self._names))
        states = Counter(reading.state for reading in readings)
        rows = [r.probabilities for r in readings if r.probabilities is not None]
        stacked = np.array(rows, dtype=np.float32).reshape(-1, len(EXPRESSIONS))
        top = Counter(EXPRESSIONS[i] for i in stacked.argmax(axis=1))
        record = IntervalRecord(
            session_id=self.session_id,
            started_at=at,
            seconds=self.interval,
            tiles=len(readings),
            faces=sum(states[state] for state in STATES_WITH_FACE),
            faces_read=len(rows),
            states={state: states[state] for state in State},
            expressions={expression: top[expression] for expression in EXPRESSIONS},
            mood=self._mood.update(stacked, at),
            facing=facing_share(readings),
            readings=readings,
            seats=seats,
            episodes=(*self._attention.update(readings, seats, at, self.interval), *more_episodes),
            processing_ms=float(self._random.normal(210, 25)),
        )
        return self.recorder.commit(self._policy.apply(record))

    def run(self, minutes: float) -> None:
        """Commit until the lesson is this long."""
        while self.index * self.interval < minutes * 60:
            self.commit()

    def last_commit_was(self, at: datetime) -> None:
        """Let the last interval have been committed then, by the clock on the wall."""
        with writing(self.engine) as connection:
            connection.execute(
                update(HeartbeatTable)
                .where(HeartbeatTable.session_id == self.session_id)
                .values(committed_at=at)
            )

    def close(self) -> None:
        """End the session where it is."""
        self.recorder.close_session(self.session_id, self.now)

    def _reading(self, seat: int, minute: float) -> Reading:
        state = self._state(seat, minute)
        self._wander[seat] = 0.92 * self._wander[seat] + self._random.normal(0, 0.055)
        face = state in STATES_WITH_FACE
        yaw = None if not face else float(self._random.normal(70 if state is State.TURNED_AWAY else 6, 9))
        return Reading(
            seat=seat + 1,
            position=seat,
            state=state,
            probabilities=self._probabilities(seat, minute) if state is State.SEEN else None,
            yaw=yaw,
            pitch=None if not face else float(self._random.normal(-4, 5)),
            quality=0.0 if not face else float(np.clip(self._random.normal(0.8, 0.08), 0, 1)),
        )

    def _state(self, seat: int, minute: float) -> State:
        if seat in {4, 18} and minute > 1:
            return State.CAMERA_OFF
        if seat == 9 and minute > self.minutes - 3.5:
            return State.NO_FACE
        if seat == 22 and 21 < minute < 24:
            return State.NO_FACE
        if seat == 13 and (minute > self.minutes - 4 or 14 < minute < 17) and self._random.random() < 0.85:
            return State.TURNED_AWAY
        draw = self._random.random()
        if draw < (0.3 if seat == 25 else 0.02):
            return State.UNREADABLE
        return State.TURNED_AWAY if draw > 0.975 else State.SEEN

    def _probabilities(self, seat: int, minute: float) -> np.ndarray:
        # the class: friendly start, a hard exercise in the middle, a joke, tired at the end
        level = 0.22 * np.exp(-minute / 6) + 0.05 * np.sin(minute / 3)
        level -= 0.42 / (1 + np.exp(-(minute - 17) * 3)) / (1 + np.exp((minute - 21) * 2))
        level += 0.45 * np.exp(-(((minute - 26) / 1.2) ** 2))
        if seat == 15 and minute > self.minutes - 5:
            level -= 0.85
        level += self._bias[seat] + self._wander[seat]
        scores = np.array(
            [-1.2 - level, -2.8 - level, -2.2 - level, 3.2 * level, -1.0 - 3.0 * level, -1.8, 1.1]
        )
        scores += self._random.normal(0, 0.25, len(EXPRESSIONS))
        raised = np.exp(scores - scores.max())
        return (raised / raised.sum()).astype(np.float32)


def seed(
    engine: Engine,
    *,
    minutes: float = 40.0,
    interval: float = 2.0,
    end: datetime | None = None,
    **options: object,
) -> Lesson:
    """A lesson of this length with three notes, that ends (or stands) at `end`."""
    started_at = (end or datetime.now(UTC)) - timedelta(minutes=minutes)
    lesson = Lesson(engine, started_at, interval=interval, minutes=minutes, **options)  # type: ignore[arg-type]
    lesson.run(minutes)
    for at, text in (
        (4, "Homework back"),
        (16.5, "Exercise 4: completing the square"),
        (25.5, "The pizza proof"),
    ):
        if at < minutes:
            add_note(engine, lesson.session_id, started_at + timedelta(minutes=at), text)
    return lesson


def main() -> None:
    from storage.database import open_database
    from storage.migrate import migrate

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--live", action="store_true", help="go on with one interval every two seconds")
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--mode", type=Mode, default=Mode.INDIVIDUAL)
    given = parser.parse_args()
    engine = open_database(given.url)
    migrate(engine)
    if given.live:
        for days in (1, 2, 5):
            seed(
                engine,
                minutes=given.minutes,
                interval=10,
                end=datetime.now(UTC) - timedelta(days=days),
                seed=days,
            ).close()
        seed(
            engine, minutes=22, interval=10, end=datetime.now(UTC) - timedelta(days=3), name="Physics 8a",
            mode=Mode.AGGREGATE, names=NAMES[:14],
        ).close()  # fmt: skip
    lesson = seed(engine, minutes=given.minutes, mode=given.mode)
    if not given.live:
        lesson.close()
    while given.live:
        lesson.commit()
        time.sleep(max(0.0, (lesson.now - datetime.now(UTC)).total_seconds()))


if __name__ == "__main__":
    main()
