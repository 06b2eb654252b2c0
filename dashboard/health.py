"""How fresh the data are. Health is the time since the last committed interval, never that a process runs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Engine

from dashboard.wording import CONDITIONS, NO_DATA, NOT_OBSERVED, Advice
from engagement.records import NotObservedReason
from storage import queries
from storage.queries import Condition, SessionRow
from storage.recorder import FOREIGN_SILENCE

STALE_INTERVALS: Final = 3
STALE_SECONDS: Final = 10.0


def stale_after(interval: float) -> float:
    """Seconds without a committed interval after which data are stale: three intervals, at least ten seconds."""
    return max(STALE_INTERVALS * interval, STALE_SECONDS)


@dataclass(frozen=True, slots=True)
class Pulse:
    """A running session and its last sign of life.

    Attributes:
        session: its row.
        stage: what its agent does, as its heartbeat says; None before the first.
        beat_at: when it said so, aware UTC; None before the first.
        last_id: of the last interval, 0 before the first.
        committed_at: when the last interval was committed, aware UTC by the clock on the wall; None before the first.
        taken_at: when the last interval was taken, by the session's own clock: that of the recording where one is
            watched; None before the first.
        not_observed: why nothing was observed in the last interval, None where it was.
        observed_until: end of the last interval that was observed, by the session's own clock; None where none was.
        condition, reason, condition_at: what stands between the session and its next interval, why (a sentence) and
            since when; None while it gets on.
    """

    session: SessionRow
    stage: str | None
    beat_at: datetime | None
    last_id: int
    committed_at: datetime | None
    taken_at: datetime | None
    not_observed: NotObservedReason | None = None
    observed_until: datetime | None = None
    condition: Condition | None = None
    reason: str | None = None
    condition_at: datetime | None = None

    @property
    def wall_start(self) -> datetime:
        """When the session began, by the clock on the wall that its last interval has."""
        if self.committed_at is None or self.taken_at is None:
            return self.session.opened_at
        return self.session.started_at + (self.committed_at - self.taken_at)

    def age(self, now: datetime) -> float | None:
        """Seconds since the last committed interval."""
        return None if self.committed_at is None else max(0.0, (now - self.committed_at).total_seconds())

    def is_stale(self, now: datetime) -> bool:
        """Whether the last committed interval is too long ago to stand for now."""
        since = self.committed_at or self.session.opened_at
        # a clock that was set back puts it into the future, where it says as little of now; that of another computer
        # may be a little ahead
        return (now - since).total_seconds() > stale_after(
            self.session.interval
        ) or since - now > FOREIGN_SILENCE


def take_pulse(engine: Engine) -> Pulse | None:
    """The session that runs, None if none does."""
    session = queries.live_session(engine)
    if session is None:
        return None
    last = queries.last_interval(engine, session.id)
    # read after the interval: a commit between the two makes the data look younger by one interval at most
    heartbeat = queries.heartbeat(engine, session.id)
    return Pulse(
        session=session,
        stage=None if heartbeat is None else heartbeat.stage,
        beat_at=None if heartbeat is None else heartbeat.at,
        last_id=0 if last is None else last.id,
        # never the time of the interval: a recording has its own clock
        committed_at=None if heartbeat is None or last is None else heartbeat.committed_at,
        taken_at=None if last is None else last.started_at,
        not_observed=None if last is None else last.not_observed,
        observed_until=None if last is None else last.observed_until,
        condition=None if heartbeat is None else heartbeat.condition,
        reason=None if heartbeat is None else heartbeat.reason,
        condition_at=None if heartbeat is None else heartbeat.condition_at,
    )


@dataclass(frozen=True, slots=True)
class Unknown:
    """That nothing is known of the class at the moment.

    Attributes:
        why: the reason and what to do.
        since: end of what is known, by the session's own clock; None where nothing ever was.
        wanted: whether it is as it should be: paused by the teacher, or being opened.
    """

    why: Advice
    since: datetime | None
    wanted: bool


def unknown(pulse: Pulse, now: datetime) -> Unknown | None:
    """Why nothing is known of the class at the moment; None where the last interval was observed just now.

    Args:
        pulse: of the running session.
        now: aware, the clock on the wall.
    """
    why: Advice
    wanted = False
    if pulse.condition is not None:
        advice = CONDITIONS[pulse.condition]
        why = Advice(advice.title, f"{pulse.reason or ''} {advice.text}".strip())
    elif pulse.session.paused_at is not None:
        why, wanted = NOT_OBSERVED[NotObservedReason.PAUSED], True
    elif pulse.last_id == 0:
        text = f"The agent is at: {pulse.stage}." if pulse.stage else "The first faces come in a moment."
        why, wanted = Advice("The class is being opened", text), True
    elif pulse.is_stale(now):
        why = NO_DATA
    elif pulse.not_observed is not None:
        why = NOT_OBSERVED[pulse.not_observed]
    else:
        return None
    return Unknown(why, pulse.observed_until, wanted)


def health(engine: Engine) -> tuple[dict[str, Any], int]:
    """The truth about the data as JSON types, with an HTTP status: 503 where a session runs and its data are stale."""
    now = datetime.now(UTC)
    pulse = take_pulse(engine)
    if pulse is None:
        return {"status": "idle", "session": None}, 200
    stale = pulse.is_stale(now)
    age = pulse.age(now)
    return {
        "status": "stale" if stale else "ok",
        # nobody has to be logged in to read this: the class is not named
        "session": {"id": pulse.session.id, "mode": str(pulse.session.mode)},
        "seconds_since_last_interval": None if age is None else round(age, 3),
        "stale_after_seconds": stale_after(pulse.session.interval),
        "stage": pulse.stage,
        "condition": pulse.condition,
        "paused": pulse.session.paused_at is not None,
    }, 503 if stale else 200
