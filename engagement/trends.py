"""One class over its sessions, and one lesson against the ones before it. Pure; nobody's figures stand alone."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np

from engagement.records import Mode
from engagement.summary import FEWEST_SECONDS, LEAST_COVERAGE

EARLIER: Final = 10
"""A lesson is held against at most this many sessions before it."""

FEWEST_FOR_HALF: Final = 4
"""Earlier sessions it takes to draw their middle half; with fewer, the band goes from the lowest to the highest."""

FEWEST_AT_MINUTE: Final = 3
"""Of those with a middle half, sessions that must have a figure in a minute for the band to reach there."""

CLEAR_SHARE: Final = 0.1
"""Smallest distance from the band at which a share is called outside."""

CLEAR_MINUTES: Final = 3
"""Minutes in a row outside the band before it is said."""


class Measure(StrEnum):
    """What is compared."""

    MOOD = "mood"
    FACING = "facing"
    COVERAGE = "coverage"


class MoodGap(StrEnum):
    """Why a session has no mood."""

    MODE = "mode"
    NOT_OBSERVED = "not_observed"
    SHORT = "short"
    FEW = "few"
    SEATS = "seats"


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """One session in figures; means are over time.

    Attributes:
        id: of the session.
        mode: what was inferred and kept.
        started_at, ended_at: aware UTC; `ended_at` is that of the last interval while the session runs.
        runs: whether it has not ended.
        observed, not_observed: seconds.
        most_tiles: most participants shown at once.
        coverage: seats read / seats present, 0..1; None where nobody was present.
        facing: mean share of the faces found that face the screen, 0..1; None where none was found.
        mood_seconds: time in which enough faces were read for a mood, in seconds.
        mood, low, high: mean valence of the class over that time and the mean ends of its 95 % band, -1..1; None
            where there was none.
    """

    id: int
    mode: Mode
    started_at: datetime
    ended_at: datetime
    runs: bool
    observed: float
    not_observed: float
    most_tiles: int
    coverage: float | None
    facing: float | None
    mood_seconds: float
    mood: float | None
    low: float | None
    high: float | None

    @property
    def length(self) -> float:
        """From its start to its end, in seconds."""
        return (self.ended_at - self.started_at).total_seconds()

    @property
    def mood_gap(self) -> MoodGap | None:
        """Why it has no mood to compare, by the same bounds as the report's sentences; None where it has one."""
        if self.mode is Mode.PARTICIPATION:
            return MoodGap.MODE
        if not self.observed:
            return MoodGap.NOT_OBSERVED
        if self.observed < FEWEST_SECONDS:
            return MoodGap.SHORT
        if self.mood is None or self.mood_seconds < max(FEWEST_SECONDS, self.observed / 2):
            return MoodGap.FEW
        if (self.coverage or 0.0) < LEAST_COVERAGE:
            return MoodGap.SEATS
        return None

    @property
    def told_mood(self) -> float | None:
        """The mood where it was read for long enough to stand for the session."""
        return None if self.mood_gap else self.mood


@dataclass(frozen=True, slots=True)
class MinuteFigures:
    """One minute of a session, counted from its start; means are over time, as in `SessionFigures`.

    Attributes:
        session: its id.
        minute: 0, 1, ...
        coverage, facing, mood, low, high: None where nothing was read.
    """

    session: int
    minute: int
    coverage: float | None
    facing: float | None
    mood: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One lesson, minute by minute, over the band of the ones before it.

    Attributes:
        measure: what is compared.
        values: of this lesson, from minute 0 on; None where nothing was read.
        coverage: of this lesson, likewise.
        low, middle, high: of the earlier sessions, one entry per entry of `values`; None where too few had a figure.
        earlier: how many earlier sessions have figures at all.
        is_half: whether the band holds their middle half; else it goes from the lowest to the highest.
        above, below: stretches that lie clearly outside the band, as first and last minute.
    """

    measure: Measure
    values: tuple[float | None, ...]
    coverage: tuple[float | None, ...]
    low: tuple[float | None, ...]
    middle: tuple[float | None, ...]
    high: tuple[float | None, ...]
    earlier: int
    is_half: bool
    above: tuple[tuple[int, int], ...]
    below: tuple[tuple[int, int], ...]


def compare(minutes: Iterable[MinuteFigures], session: int, measure: Measure) -> Comparison:
    """Hold a session against the others.

    Args:
        minutes: of this session and of those before it, in any order.
        session: the id of this one; all others count as earlier.
        measure: what is compared.
    """
    own: dict[int, MinuteFigures] = {}
    others: dict[int, dict[int, float]] = {}
    for figures in minutes:
        if figures.session == session:
            own[figures.minute] = figures
        else:
            value = _value(figures, measure)
            if value is not None:
                others.setdefault(figures.session, {})[figures.minute] = value
    length = range(max(own, default=-1) + 1)
    half = len(others) >= FEWEST_FOR_HALF
    bands = [_band([line[minute] for line in others.values() if minute in line], half) for minute in length]
    mine = [own.get(minute) for minute in length]
    return Comparison(
        measure=measure,
        values=tuple(None if figures is None else _value(figures, measure) for figures in mine),
        coverage=tuple(None if figures is None else figures.coverage for figures in mine),
        low=tuple(band and band[0] for band in bands),
        middle=tuple(band and band[1] for band in bands),
        high=tuple(band and band[2] for band in bands),
        earlier=len(others),
        is_half=half,
        above=_stretches([_outside(f, band, measure, 1) for f, band in zip(mine, bands, strict=True)]),
        below=_stretches([_outside(f, band, measure, -1) for f, band in zip(mine, bands, strict=True)]),
    )


_VALUES: Final[Mapping[Measure, Callable[[MinuteFigures], float | None]]] = MappingProxyType(
    {
        Measure.MOOD: lambda figures: figures.mood,
        Measure.FACING: lambda figures: figures.facing,
        Measure.COVERAGE: lambda figures: figures.coverage,
    }
)


def _value(figures: MinuteFigures, measure: Measure) -> float | None:
    return _VALUES[measure](figures)


def _band(values: Sequence[float], half: bool) -> tuple[float, float, float] | None:
    if not values or (half and len(values) < FEWEST_AT_MINUTE):
        return None
    low, middle, high = np.percentile(values, (25, 50, 75) if half else (0, 50, 100))
    return float(low), float(middle), float(high)


def _outside(
    figures: MinuteFigures | None, band: tuple[float, float, float] | None, measure: Measure, side: int
) -> bool:
    """Whether a minute lies clearly above (`side` 1) or below (-1) the band; a mood, with all of its own band."""
    if figures is None or band is None:
        return False
    edge = band[2] if side > 0 else band[0]
    if measure is Measure.MOOD:
        nearest = figures.low if side > 0 else figures.high
        return nearest is not None and (nearest - edge) * side > 0
    value = _value(figures, measure)
    return value is not None and (value - edge) * side >= CLEAR_SHARE


def _stretches(outside: Sequence[bool]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    first: int | None = None
    for minute, out in enumerate([*outside, False]):
        if out and first is None:
            first = minute
        elif not out and first is not None:
            if minute - first >= CLEAR_MINUTES:
                found.append((first, minute - 1))
            first = None
    return tuple(found)
