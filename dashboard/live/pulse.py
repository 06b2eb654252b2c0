"""The pulse of the running class as the browser keeps it, and what the parts of the page read from it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from dash.exceptions import PreventUpdate
from typing_extensions import TypedDict

from dashboard.health import Pulse, Unknown, stale_after, unknown
from dashboard.shapes import Moment, RowId, one_of, shaped
from dashboard.wording import Advice
from engagement.records import Mode

PULSE: Final = "now-pulse"
"""Id of the store that holds it."""

SESSION: Final = "now-session"
"""Id of the store that holds the running session alone, for what need not look at every interval."""

STANDING: Final = "now-standing"
"""Id of the store that holds what rarely changes of a pulse: session, name, mode, and whether it is paused."""


class _Nothing(TypedDict):
    session: None


class _Why(TypedDict):
    title: str
    text: str
    since: Moment | None
    wanted: bool


class _Live(TypedDict):
    session: RowId
    name: str
    mode: Annotated[str, one_of(Mode)]
    begun: Moment
    last_id: RowId
    last: Moment | None
    taken: Moment | None
    paused: bool
    unknown: _Why | None


class _Standing(TypedDict):
    session: RowId
    name: str
    mode: Annotated[str, one_of(Mode)]
    paused: bool


Stands = Annotated[dict[str, Any], shaped(_Standing | _Nothing)]
"""What of a pulse rarely changes."""

Told = Annotated[dict[str, Any], shaped(_Live | _Nothing)]
"""A pulse as JSON types; times in milliseconds since 1970 (UTC)."""


def pulse_data(pulse: Pulse | None, now: datetime) -> Told:
    """A pulse for the browser; the same one again is equal, so that nothing is drawn anew.

    Args:
        pulse: of the running session, None where none runs.
        now: aware, the clock on the wall.
    """
    if pulse is None:
        return {"session": None}
    session, nothing = pulse.session, unknown(pulse, now)
    return {
        "session": session.id,
        "name": session.name,
        "mode": str(session.mode),
        "interval": session.interval,
        "started": milliseconds(pulse.wall_start),
        "begun": milliseconds(session.started_at),
        # once intervals come, these would change the pulse between them for nothing
        "stage": None if pulse.last_id else pulse.stage,
        "beat": None if pulse.last_id else _or_none(pulse.beat_at),
        "last_id": pulse.last_id,
        "last": _or_none(pulse.committed_at),
        "taken": _or_none(pulse.taken_at),
        "stale_after": stale_after(session.interval),
        "paused": session.paused_at is not None,
        "condition": pulse.condition,
        "reason": pulse.reason,
        "condition_at": _or_none(pulse.condition_at),
        "unknown": None if nothing is None else _unknown(nothing),
    }


@dataclass(frozen=True, slots=True)
class Running:
    """What the parts of the page need to know of the running class.

    Attributes:
        session: its id.
        mode: what may be shown.
        last_id: of its last interval, 0 before the first.
        begun_at: when the session began, aware UTC by its own clock.
        taken_at: when its last interval was taken, by the same clock; None before the first.
        committed_at: when that was committed, by the clock on the wall.
        unknown: why nothing is known of the class at the moment, None where something is.
        known_until: end of what is known, by the session's own clock; None where nothing ever was, or all is.
        wanted: whether it is as it should be that nothing is known: paused by the teacher, or being opened.
    """

    session: int
    mode: Mode
    last_id: int
    begun_at: datetime
    taken_at: datetime | None
    committed_at: datetime | None
    unknown: Advice | None
    known_until: datetime | None
    wanted: bool = False

    def session_time(self, wall: datetime) -> datetime:
        """A moment of the clock on the wall on the session's own clock (that of the recording where one is watched)."""
        if self.committed_at is None or self.taken_at is None:
            return wall
        return wall - (self.committed_at - self.taken_at)


def running(told: Told | None) -> Running:
    """The running class.

    Raises:
        PreventUpdate: none is running; the page shows so elsewhere.
    """
    if not told or told.get("session") is None:
        raise PreventUpdate
    nothing = told["unknown"]
    return Running(
        session=int(told["session"]),
        mode=Mode(told["mode"]),
        last_id=int(told["last_id"]),
        begun_at=datetime.fromtimestamp(told["begun"] / 1000, UTC),
        taken_at=at_or_none(told["taken"]),
        committed_at=at_or_none(told["last"]),
        unknown=None if nothing is None else Advice(nothing["title"], nothing["text"]),
        known_until=None if nothing is None else at_or_none(nothing["since"]),
        wanted=nothing is not None and nothing["wanted"],
    )


def _unknown(nothing: Unknown) -> dict[str, Any]:
    return {
        "title": nothing.why.title,
        "text": nothing.why.text,
        "since": _or_none(nothing.since),
        "wanted": nothing.wanted,
    }


def milliseconds(at: datetime) -> int:
    """Since 1970 (UTC)."""
    return round(at.timestamp() * 1000)


def at_or_none(since_1970: float | None) -> datetime | None:
    """Aware UTC from milliseconds since 1970."""
    return None if since_1970 is None else datetime.fromtimestamp(since_1970 / 1000, UTC)


def _or_none(at: datetime | None) -> int | None:
    return None if at is None else milliseconds(at)
