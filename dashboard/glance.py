"""What one look must tell: the mood in words, how many were seen, how many face the screen. Pure functions."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pandas as pd

from dashboard.wording import percent
from engagement.phrases import signed
from engagement.records import State

TREND_SPAN: Final = timedelta(minutes=5)
"""The mood of the last half minute is compared with that of this long ago."""

STEADY: Final = 0.08
"""A smaller change of valence over `TREND_SPAN` counts as steady."""

TOO_WIDE: Final = 1.0
"""A 95 % band wider than this (half the scale) is too wide to read a mood from."""

ENOUGH: Final = 0.5
"""Under this share of the seats read, what is said is said of those who were read, not of the class."""

NEUTRAL: Final = 0.12
"""A valence nearer to zero than this is called neutral."""

CLEAR: Final = 0.35
"""A valence further from zero than this is called mostly positive or negative."""

NOT_CLEAR: Final = "Not clear"

_SIDE: Final = timedelta(seconds=30)

COLUMNS: Final = frozenset(
    {"started_at", "not_observed", "tiles", "valence", "low", "high", "facing"}
    | {f"n_{state}" for state in State}
)
"""What a glance needs of the intervals."""


@dataclass(frozen=True, slots=True)
class Glance:
    """The state of a class at its last interval.

    Attributes:
        mood: the words for the mood, or for why there is none.
        detail: valence and trend in one line, "" without a mood.
        of_class: whether enough seats were read to speak of the class; else of those who were read.
        valence, low, high: -1..1, None without a mood that can be read.
        seen, present: seats read and seats present.
        states: seats per state, only those above 0, in the order of `State`.
        facing: share of the seats seen that face the screen, None where none was seen.
        not_observed: why the last interval holds no observation, None if it was observed.
    """

    mood: str
    detail: str
    of_class: bool
    valence: float | None
    low: float | None
    high: float | None
    seen: int
    present: int
    states: dict[State, int]
    facing: float | None
    not_observed: str | None

    @property
    def coverage(self) -> str:
        """Seats read of seats present, "23 of 27"; "–" where nothing was observed."""
        return "–" if self.not_observed is not None else f"{self.seen} of {self.present}"

    @property
    def facing_text(self) -> str:
        """The facing share as "91 %"."""
        return percent(self.facing)


def glance(intervals: pd.DataFrame, minimum_group: int = 5) -> Glance:
    """What the last interval and the minutes before it say.

    Args:
        intervals: at least one row, as from `queries.intervals_since` with `COLUMNS`; at least `TREND_SPAN` long for a
            trend.
        minimum_group: faces below which no mood is told.
    """
    last = intervals.iloc[-1]
    seen, present = int(last["n_seen"]), int(last["tiles"])
    reason = None if pd.isna(last["not_observed"]) else str(last["not_observed"])
    valence, low, high = (
        None if pd.isna(last[name]) else float(last[name]) for name in ("valence", "low", "high")
    )
    if reason is not None:
        mood, detail, valence = "Not observed", "", None
    elif valence is None or low is None or high is None:
        few = seen < minimum_group
        mood, detail = ("Too few faces" if few else "Not read"), "a mood needs at least 5" if few else ""
    elif high - low > TOO_WIDE:
        few = low <= -1 and high >= 1
        mood, valence = ("Too few faces" if few else NOT_CLEAR), None
        detail = "a mood needs at least 5" if few else "the faces differ too much"
    else:
        mood = mood_in_words(valence, low, high)
        unclear = mood == NOT_CLEAR
        detail = f"{signed(low)} to {signed(high)}" if unclear else f"{signed(valence)}, {trend(intervals)}"
    return Glance(
        mood=mood,
        detail=detail,
        of_class=seen >= ENOUGH * present,
        valence=valence,
        low=None if valence is None else low,
        high=None if valence is None else high,
        seen=seen,
        present=present,
        states={state: int(last[f"n_{state}"]) for state in State if last[f"n_{state}"] > 0},
        facing=None if pd.isna(last["facing"]) else float(last["facing"]),
        not_observed=reason,
    )


def mood_in_words(valence: float, low: float, high: float) -> str:
    """The mood in two words, no surer than its band: what the band does not bear out is said more weakly.

    Args:
        valence: -1..1.
        low, high: its 95 % band.
    """
    side = "positive" if valence > 0 else "negative"
    # the end of the band that is nearest to neutral
    least = low if valence > 0 else -high
    if abs(valence) < NEUTRAL:
        return "Mostly neutral"
    if least <= 0:
        return NOT_CLEAR
    return f"Mostly {side}" if abs(valence) >= CLEAR and least >= NEUTRAL else f"Leaning {side}"


def readable_mood(intervals: pd.DataFrame) -> "pd.Series[float]":
    """Valence per interval, -1..1; NaN where there is none, or where its band is too wide to read one."""
    width = intervals["high"].astype(float) - intervals["low"].astype(float)
    return intervals["valence"].astype(float).where(width <= TOO_WIDE)


def trend(intervals: pd.DataFrame) -> str:
    """Whether the mood was steady, rising or falling over the last five minutes, or as it was before something between,
    or that it is too early to say."""
    valence = readable_mood(intervals).set_axis(intervals["started_at"])
    end = valence.index[-1]
    before = valence[(valence.index > end - TREND_SPAN - _SIDE) & (valence.index <= end - TREND_SPAN + _SIDE)]
    now = valence[valence.index > end - _SIDE]
    if before.notna().sum() == 0 or now.notna().sum() == 0:
        return "just begun"
    change = float(now.mean() - before.mean())
    if abs(change) >= STEADY:
        return f"{'rising' if change > 0 else 'falling'} over 5 min"
    between = valence[valence.index > end - TREND_SPAN].rolling(_SIDE, min_periods=1).mean()
    return "steady for 5 min" if between.max() - between.min() < 3 * STEADY else "as 5 min ago"


def sentence(state: Glance) -> str:
    """The glance as one sentence for screen readers."""
    mood = state.mood if not state.detail else f"{state.mood}, {state.detail}"
    if state.not_observed is not None:
        return "The last interval could not be observed."
    of = "" if state.of_class else " of those who were read"
    return (
        f"Mood{of}: {mood}. {state.coverage} seats read. {state.facing_text} of those seen face the screen."
    )
