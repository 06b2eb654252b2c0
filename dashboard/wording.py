"""The words of the pages: states, expressions, modes and reasons in plain language, times and durations.

Observations with durations only: never what somebody is said to feel, never a rank.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from engagement import phrases
from engagement.emotion import Expression
from engagement.place import Institution, Place
from engagement.records import SYNTHETIC_SOURCE, Mode, NotObservedReason, Rule, State
from storage.queries import Condition

STATES: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.SEEN: "seen",
        State.TURNED_AWAY: "turned away",
        State.NO_FACE: "no face",
        State.CAMERA_OFF: "camera off",
        State.UNREADABLE: "unreadable",
        State.OPTED_OUT: "opted out",
    }
)

STATE_SYMBOLS: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.SEEN: "●",
        State.TURNED_AWAY: "◑",
        State.NO_FACE: "○",
        State.CAMERA_OFF: "■",
        State.UNREADABLE: "?",
        State.OPTED_OUT: "–",
    }
)

EXPRESSIONS: Final[Mapping[Expression, str]] = MappingProxyType(
    {
        "neutral": "Neutral",
        "happy": "Happy",
        "surprise": "Surprise",
        "sad": "Sad",
        "fear": "Fear",
        "disgust": "Disgust",
        "angry": "Angry",
    }
)
"""In the order in which the shares are stacked: what is most often seen lies at the bottom and stays flat."""

MODES: Final[Mapping[Mode, str]] = MappingProxyType(
    {
        Mode.PARTICIPATION: "participation",
        Mode.AGGREGATE: "aggregate",
        Mode.INDIVIDUAL: "individual",
    }
)

MODE_MEANINGS: Final[Mapping[Mode, str]] = MappingProxyType(
    {
        Mode.PARTICIPATION: "Presence, cameras and facing only. No expression is read.",
        Mode.AGGREGATE: "Expressions of the class as a whole. Nothing is kept per seat.",
        Mode.INDIVIDUAL: "Expressions and attention per seat. Only for a class that was told and agreed.",
    }
)

PLACES: Final[Mapping[Place, str]] = MappingProxyType(
    {
        Place.EU: "In the EU or the EEA",
        Place.ELSEWHERE: "Elsewhere",
        Place.UNSAID: "Rather not say",
    }
)

INSTITUTIONS: Final[Mapping[Institution, str]] = MappingProxyType(
    {
        Institution.SCHOOL: "A school",
        Institution.UNIVERSITY: "A university or college",
        Institution.WORKPLACE: "Training at work",
        Institution.OTHER: "Something else",
        Institution.UNSAID: "Rather not say",
    }
)

RULES: Final[Mapping[Rule, str]] = MappingProxyType(
    {
        Rule.ABSENT: "no face",
        Rule.CAMERA_OFF: "camera off",
        Rule.TURNED_AWAY: "turned away",
        Rule.LOW_MOOD: "expression",
        Rule.SUDDEN_CHANGE: "change",
        Rule.CLASS_DIP: "class",
    }
)


@dataclass(frozen=True, slots=True)
class Advice:
    """What to tell a teacher when something is missing.

    Attributes:
        title: what is the matter, a few words.
        text: what to do, one or two sentences.
    """

    title: str
    text: str


NOT_OBSERVED: Final[Mapping[NotObservedReason, Advice]] = MappingProxyType(
    {
        NotObservedReason.WINDOW_CLOSED: Advice(
            "The meeting window is not there",
            "Open the Zoom meeting and switch it to gallery view. The chart goes on by itself.",
        ),
        NotObservedReason.MINIMISED: Advice(
            "The meeting window is minimised",
            "Bring it back to the screen: a minimised window draws nothing that could be read.",
        ),
        NotObservedReason.COVERED: Advice(
            "Another window covers the gallery",
            "Move it aside, for example to the other half of the screen.",
        ),
        NotObservedReason.MOVED: Advice(
            "The meeting window is being moved",
            "It is followed, and read again as soon as it rests.",
        ),
        NotObservedReason.RESIZED: Advice(
            "The meeting window is being resized",
            "It is followed, and read again as soon as it rests.",
        ),
        NotObservedReason.FROZEN: Advice(
            "The picture has stopped moving",
            "Nothing has changed in the gallery for a while. Look whether Zoom has lost its connection.",
        ),
        NotObservedReason.BLACK: Advice(
            "The picture is black",
            "The system gives no picture of this window. Check the screen recording permission, then start again.",
        ),
        NotObservedReason.NOT_A_GALLERY: Advice(
            "No gallery in sight",
            "Switch Zoom to gallery view and end any screen sharing that fills the window.",
        ),
        NotObservedReason.SOURCE_FAILED: Advice(
            "The source gave no picture",
            "It is tried again with every interval. `classpulse doctor` says what is wrong.",
        ),
        NotObservedReason.RESTARTED: Advice(
            "The reading was started again",
            "It had stopped by itself. The session goes on; the time between is kept as not observed.",
        ),
        NotObservedReason.PAUSED: Advice(
            "Paused",
            "Nothing is looked at and nothing is kept until the session goes on.",
        ),
    }
)


CONDITIONS: Final[Mapping[Condition, Advice]] = MappingProxyType(
    {
        Condition.RESTARTING: Advice(
            "The reading is starting again",
            "The session goes on by itself in some seconds; the time between is kept as not observed.",
        ),
        Condition.STOPPED: Advice(
            "The reading was given up",
            "What was read is kept. Stop classpulse with Ctrl-C in its terminal and start it again: within ten minutes "
            "the session goes on.",
        ),
    }
)

WITHHELD: Final = (
    "Nobody was looked at: there is no gallery, so there are no names, and by the class lists somebody is left out by "
    "theirs."
)
"""Of a picture."""

NO_DATA: Final = Advice(
    "No data come",
    "The agent that reads the class may be starting again; if this stays, look into its terminal.",
)

_PACE_SLACK: Final = 0.2
"""By how much of itself an interval may differ on average before a report says so."""


def mode_meaning(mode: Mode, source: str) -> str:
    """What may be inferred and kept in a session; of a synthetic class, that its people are made up.

    Args:
        mode: of the session.
        source: what was read, as the session keeps it.
    """
    if source.startswith(SYNTHETIC_SOURCE):
        return f"{MODE_MEANINGS[mode]} The people of this session are made up."
    return MODE_MEANINGS[mode]


def percent(share: float | None) -> str:
    """A share as "91 %", "–" where there is nothing to tell."""
    return "–" if share is None or pd.isna(share) else phrases.percent(share)


def zone_of(name: str | None) -> tzinfo | None:
    """The time zone that a browser names; None (the computer's own) where the name is missing or unknown."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def clock(at: datetime, zone: tzinfo | None) -> str:
    """A time such as "10:42" in the zone of the viewer."""
    return f"{at.astimezone(zone):%H:%M}"


def day(at: datetime, zone: tzinfo | None) -> str:
    """A date such as "Fri 20 Nov 2026" in the zone of the viewer."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}"


def local_times(times: "pd.Series[pd.Timestamp]", zone: tzinfo | None) -> list[str]:
    """ISO times without offset in the zone of the viewer, as Plotly draws them.

    Args:
        times: aware UTC.
        zone: None for the computer's own.
    """
    if zone is None:
        # it has no name to ask for, and its offset may change in between
        return [local_time(at, None) for at in times.dt.to_pydatetime()]
    local = times.dt.tz_convert(zone).dt.tz_localize(None)
    return [str(text) for text in local.dt.strftime("%Y-%m-%d %H:%M:%S.%f").str[:-3]]


def local_time(at: datetime, zone: tzinfo | None) -> str:
    """One time as `local_times` writes it."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S.%f}"[:-3]


def plotly_text(text: str) -> str:
    """Text that Plotly shows as it stands: it reads a subset of HTML in hover, legend and annotations."""
    return html.escape(text, quote=False)


def method(interval: float, kept: float | None) -> str:
    """How the figures were made, for the foot of a report.

    Args:
        interval: seconds between two frames, as was asked for.
        kept: the same as it was on average, None where nobody knows.
    """
    pace = f"Every {interval:g} s one frame of the gallery was read"
    if kept is not None and abs(kept - interval) > _PACE_SLACK * interval:
        pace = (
            f"One frame of the gallery was to be read every {interval:g} s (it kept up with one every "
            f"{round(kept, 1):g} s on average)"
        )
    return (
        f"{pace}, in memory only, and dropped; no picture was kept. Each face "
        "that was large, sharp and frontal enough was given calibrated probabilities of seven expressions. Mood is the "
        "mean over faces of where these lie between negative (−1) and positive (+1), averaged over time with a "
        "half-life of 20 s; the band holds it with 95 % by the spread over faces. Facing is the share of the faces "
        "found whose head points at the screen, coarsely."
    )


TOO_SHORT: Final = "Too short for a chart."

LIMITS: Final = (
    "An expression is not a feeling: the same face can mean several things, and a frown is often concentration.",
    "Who was not read is not in the mood. Coverage says how many that were.",
    "Light, cameras, glasses and small tiles change what can be read, and accuracy differs between people.",
    "These figures describe a lesson. They are no mark, no rank and no evidence about a person.",
)
"""What the figures cannot say."""
