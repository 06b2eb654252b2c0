"""What happened in a session, in sentences and low moments that are no surer than what was read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from engagement.mood import FEWEST_FACES
from engagement.phrases import count, duration, percent, signed
from engagement.records import Rule

LOW_MADS: Final = 2.0
"""A low moment starts this many median absolute deviations (MAD) under the median of the session's mood..."""

LOW_END_MADS: Final = 1.0
"""... and ends where the mood is back within this many."""

SPREAD_FLOOR: Final = 0.04
SPREAD_CEILING: Final = 0.08
"""Bounds of the MAD, in units of valence: a level lesson has no low moments, a lively one can have some."""

LOW_SECONDS: Final = 60.0
"""Shortest low moment. A break shorter than half of it belongs to the moment."""

GAP_SECONDS: Final = 120.0
"""A pause in the mood longer than this ends a low moment: nobody knows what was in between."""

FEWEST_SECONDS: Final = 180.0
"""Readable mood it takes to say what was usual and how the mood moved."""

WIDEST_BAND: Final = 1.0
"""A band of half the scale or more leaves no mood to tell."""

LEAST_COVERAGE: Final = 0.2
"""Under this share of the seats nothing is said of how the mood of the class moved, and no low moment is told."""

HALF: Final = 0.5
"""Under this share, of seats or of time, a sentence says of whom or of when it speaks."""

CLEAR_DRIFT: Final = 0.1
"""Smallest difference between the first and the last third that is called a rise or a fall."""

_STEADY: Final = "20s"
"""Width of the centred median that keeps single intervals from starting or prolonging a low moment."""

_NOTE_BEFORE: Final = timedelta(seconds=60)
_NOTE_AFTER: Final = timedelta(seconds=120)

_RULE_WORDS: Final = {
    Rule.ABSENT: "no face",
    Rule.TURNED_AWAY: "turned away",
    Rule.LOW_MOOD: "negative expression",
    Rule.SUDDEN_CHANGE: "a marked change",
}


@dataclass(frozen=True, slots=True)
class LowMoment:
    """A stretch in which the mood of the class stood clearly under its usual.

    Attributes:
        number: 1, 2, ... in the order of time.
        start, end: aware UTC.
        size: mean valence of the stretch minus the session's median, below 0.
        note: what the teacher typed beside it, several notes joined by " · "; None where there is none.
    """

    number: int
    start: datetime
    end: datetime
    size: float
    note: str | None


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A session in short.

    Attributes:
        sentences: what happened, for the top of the report.
        low_moments: in the order of time.
        seconds: observed time.
        not_observed: time of intervals in which nothing was observed, in seconds.
        seats: seats shown at once, the median over the intervals that showed any.
        coverage: seats read / seats present over the observed time, 0..1; None where nobody was present.
        mood: median valence of the class where enough faces were read; None where never.
        facing: mean facing share, 0..1; None where no face was seen.
        tells_course: whether enough was read to say how the mood moved; without it, no low moment is no news.
    """

    sentences: tuple[str, ...]
    low_moments: tuple[LowMoment, ...]
    seconds: float
    not_observed: float
    seats: int
    coverage: float | None
    mood: float | None
    facing: float | None
    tells_course: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """The mood where it can be read: one entry per interval with enough faces, in the order of time."""

    start: NDArray[np.float64]  # seconds since the first interval
    seconds: NDArray[np.float64]
    valence: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    coverage: NDArray[np.float64]

    @property
    def total(self) -> float:
        return float(self.seconds.sum())


def summarise(
    intervals: pd.DataFrame, episodes: pd.DataFrame, notes: pd.DataFrame, zone: tzinfo | None = None
) -> SessionSummary:
    """Sum up a session.

    Args:
        intervals: as from `storage.queries.intervals_since`, in the order of time. Used: started_at, seconds,
            not_observed, tiles, faces, faces_read, n_seen, angry ... neutral, valence, low, high, facing.
        episodes: as from `storage.queries.episodes`. Used: rule, seat, started_at, ended_at.
        notes: as from `storage.queries.notes`. Used: at, text.
        zone: time zone of the clock times in sentences; None is that of the computer.
    """
    if intervals.empty:
        return SessionSummary(
            ("Nothing was recorded in this session.",), (), 0.0, 0.0, 0, None, None, None, False
        )
    seconds = intervals["seconds"].to_numpy(dtype=float)
    blind = intervals["not_observed"].notna().to_numpy()
    observed, lost = float(seconds[~blind].sum()), float(seconds[blind].sum()) + _unaccounted(intervals)
    if not observed:
        sentence = f"Nothing was observed in the {duration(lost)} of this session."
        return SessionSummary((sentence,), (), 0.0, lost, 0, None, None, None, False)
    seen = intervals[~blind]
    shown = seen[seen["tiles"] > 0]
    seats = round(float(shown["tiles"].median())) if len(shown) else 0
    present = float((seen["tiles"] * seen["seconds"]).sum())
    coverage = float((seen["n_seen"] * seen["seconds"]).sum()) / present if present else None
    with_face = seen[seen["facing"].notna()]
    facing = (
        float(np.average(with_face["facing"].to_numpy(dtype=float), weights=with_face["seconds"]))
        if len(with_face)
        else None
    )
    expressive = bool((seen["faces_read"] > 0).any() or seen[list(EXPRESSIONS)].notna().any(axis=None))
    first = intervals["started_at"].iloc[0].to_pydatetime()
    line = _line(intervals, first)
    usual = float(np.median(line.valence)) if len(line.valence) else None
    told = expressive and _tells_course(line, observed, coverage)
    moments = _low_moments(line, episodes, notes, first, _end(intervals)) if told else ()
    sentences = [_seen_sentence(observed, lost, float(shown["seconds"].sum()), seats, coverage, expressive)]
    if expressive:
        sentences += _mood_sentences(line, usual, observed, lost, coverage, moments, zone)
    if facing is not None:
        sentences.append(_facing_sentence(with_face, facing, observed))
    sentences += _seat_sentences(episodes)
    return SessionSummary(tuple(sentences), moments, observed, lost, seats, coverage, usual, facing, told)


def _unaccounted(intervals: pd.DataFrame) -> float:
    """Seconds between the intervals of which none tells: the computer slept, or was too slow for one."""
    seconds = intervals["seconds"].to_numpy(dtype=float)
    starts = (intervals["started_at"] - intervals["started_at"].iloc[0]).dt.total_seconds().to_numpy()
    gaps = np.diff(starts) - seconds[:-1]
    # an interval may be a little late
    return float(gaps[gaps > seconds[:-1] / 2].sum())


def _tells_course(line: _Line, observed: float, coverage: float | None) -> bool:
    """Whether the mood was read for long enough, and of enough of the class, to say how it moved."""
    return line.total >= max(FEWEST_SECONDS, HALF * observed) and (coverage or 0.0) >= LEAST_COVERAGE


def _line(intervals: pd.DataFrame, first: datetime) -> _Line:
    bands = intervals[["valence", "low", "high"]].astype(float)
    # a band as wide as the scale says that there were too few faces
    readable = intervals[bands.notna().all(axis="columns") & (bands["high"] - bands["low"] < WIDEST_BAND)]
    tiles = readable["tiles"].to_numpy(dtype=float)
    return _Line(
        start=np.asarray((readable["started_at"] - first).dt.total_seconds(), dtype=np.float64),
        seconds=readable["seconds"].to_numpy(dtype=float),
        valence=readable["valence"].to_numpy(dtype=float),
        low=readable["low"].to_numpy(dtype=float),
        high=readable["high"].to_numpy(dtype=float),
        coverage=readable["n_seen"].to_numpy(dtype=float) / np.maximum(tiles, 1.0),
    )


def _end(intervals: pd.DataFrame) -> datetime:
    last = intervals.iloc[-1]
    end: datetime = (last["started_at"] + pd.Timedelta(seconds=float(last["seconds"]))).to_pydatetime()
    return end


# low moments


def _low_moments(
    line: _Line, episodes: pd.DataFrame, notes: pd.DataFrame, first: datetime, end: datetime
) -> tuple[LowMoment, ...]:
    """Stretches of low mood and class dips, merged where they meet."""
    usual = float(np.median(line.valence))
    spans = _low_stretches(line, usual)
    for dip in episodes[episodes["rule"] == Rule.CLASS_DIP].to_dict("records"):
        until = end if pd.isna(dip["ended_at"]) else dip["ended_at"]
        spans.append(((dip["started_at"] - first).total_seconds(), (until - first).total_seconds()))
    moments: list[LowMoment] = []
    for start, stop in _merged(spans):
        inside = (line.start >= start) & (line.start < stop)
        if not inside.any() or float(line.coverage[inside].mean()) < LEAST_COVERAGE:
            continue
        size = float(np.average(line.valence[inside], weights=line.seconds[inside])) - usual
        if size < 0:
            begin, until = first + timedelta(seconds=start), first + timedelta(seconds=stop)
            moments.append(LowMoment(len(moments) + 1, begin, until, size, None))
    return _with_notes(moments, notes)


def _low_stretches(line: _Line, usual: float) -> list[tuple[float, float]]:
    spread = float(np.clip(np.median(np.abs(line.valence - usual)), SPREAD_FLOOR, SPREAD_CEILING))
    bar, back = usual - LOW_MADS * spread, usual - LOW_END_MADS * spread
    stretches: list[tuple[float, float]] = []
    began: float | None = None
    low_until = 0.0  # end of the last interval that was low
    read_until = 0.0
    timed = pd.Series(line.valence, index=pd.to_timedelta(line.start, unit="s"))
    steady = timed.rolling(_STEADY, center=True).median().to_numpy()
    for start, seconds, valence in zip(line.start, line.seconds, steady, strict=True):
        paused = start - read_until > GAP_SECONDS
        if began is not None and (paused or start - low_until >= LOW_SECONDS / 2):
            stretches.append((began, low_until))
            began = None
        if valence < (bar if began is None else back):
            began = float(start) if began is None else began
            low_until = float(start + seconds)
        read_until = float(start + seconds)
    if began is not None:
        stretches.append((began, low_until))
    return [
        (start, stop)
        for start, stop in stretches
        if stop - start >= LOW_SECONDS and _is_sure(line, start, stop, usual)
    ]


def _is_sure(line: _Line, start: float, stop: float, usual: float) -> bool:
    """Whether the whole band lies under the usual on average, so that the faces read can carry the claim."""
    inside = (line.start >= start) & (line.start < stop)
    return float(np.average(line.high[inside], weights=line.seconds[inside])) < usual


def _merged(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for start, stop in sorted(spans):
        if merged and start - merged[-1][1] <= LOW_SECONDS / 2:
            merged[-1] = merged[-1][0], max(stop, merged[-1][1])
        else:
            merged.append((start, stop))
    return merged


def _with_notes(moments: list[LowMoment], notes: pd.DataFrame) -> tuple[LowMoment, ...]:
    """Give each note to the nearest moment that it may belong to; teachers type it a little later."""
    beside: dict[int, list[str]] = {}
    for note in notes.sort_values("at").to_dict("records"):
        near = [
            (max(moment.start - note["at"], note["at"] - moment.end, timedelta(0)), moment.number)
            for moment in moments
            if moment.start - _NOTE_BEFORE <= note["at"] <= moment.end + _NOTE_AFTER
        ]
        if near:
            beside.setdefault(min(near)[1], []).append(str(note["text"]))
    return tuple(
        LowMoment(
            moment.number,
            moment.start,
            moment.end,
            moment.size,
            " · ".join(beside[moment.number]) if moment.number in beside else None,
        )
        for moment in moments
    )


# sentences


def _seen_sentence(
    observed: float, lost: float, shown: float, seats: int, coverage: float | None, expressive: bool
) -> str:
    word = "read" if expressive else "seen"
    if coverage is None:
        sentence = f"Observed for {duration(observed)}; no seat was shown."
    elif shown < HALF * observed:
        sentence = (
            f"Observed for {duration(observed)}, of which {duration(shown)} showed "
            f"{count(seats, 'seat')}; on average {percent(coverage)} of these could be {word}."
        )
    else:
        sentence = (
            f"Observed for {duration(observed)} with {count(seats, 'seat')} shown; "
            f"on average {percent(coverage)} of the seats could be {word}."
        )
    return f"{sentence} For {duration(lost)} nothing was observed." if lost else sentence


def _mood_sentences(
    line: _Line,
    usual: float | None,
    observed: float,
    lost: float,
    coverage: float | None,
    moments: Sequence[LowMoment],
    zone: tzinfo | None,
) -> list[str]:
    if usual is None:
        return [f"The mood of the class cannot be told: it takes {FEWEST_FACES} faces read at the same time."]
    if line.total < max(FEWEST_SECONDS, HALF * observed):
        return [
            f"Enough faces for a mood were read in {duration(line.total)} of {duration(observed)}: "
            "too little to say how it moved."
        ]
    if coverage is not None and coverage < LEAST_COVERAGE:
        return [
            f"The {percent(coverage)} of the seats that were read are too few to say how the class moved."
        ]
    # who and when, where it is not most of the class for most of the time
    among = "Among those who could be read, the" if coverage is not None and coverage < HALF else "The"
    partly = line.total < HALF * (observed + lost)
    when = f" in the {duration(line.total)} that were read" if partly else ""
    sentences = [f"{among} mood{when} {_course(line, usual)}."]
    if moments:
        longest = max(moments, key=lambda moment: moment.end - moment.start)
        length = duration((longest.end - longest.start).total_seconds())
        at = f"at {longest.start.astimezone(zone):%H:%M} for {length}"
        sentences.append(
            f"There was one low moment, {at}."
            if len(moments) == 1
            else f"There were {len(moments)} low moments, the longest {at}."
        )
    else:
        sentences.append(f"No low moment stood out{' in that time' if partly else ''}.")
    return sentences


def _facing_sentence(with_face: pd.DataFrame, facing: float, observed: float) -> str:
    """The share that faced the screen, with its ground where that is small: few faces, or little time."""
    seconds = float(with_face["seconds"].sum())
    faces = float(np.average(with_face["faces"].to_numpy(dtype=float), weights=with_face["seconds"]))
    ground = "" if faces >= FEWEST_FACES else f", about {max(1, round(faces))} at a time"
    when = ""
    if seconds < max(FEWEST_SECONDS, HALF * observed):
        when = f" in {duration(seconds)}"
    return f"Of the faces seen{when}{ground}, {percent(facing)} faced the screen."


def _course(line: _Line, usual: float) -> str:
    """How the mood moved; a rise or a fall only where it is larger than the band allows for."""
    third = max(1, len(line.valence) // 3)
    start, end = float(line.valence[:third].mean()), float(line.valence[-third:].mean())
    doubt = float((line.high - line.low).mean()) / 2
    if abs(end - start) <= max(CLEAR_DRIFT, doubt):
        return f"stayed about level, around {signed(usual)}"
    word = "rose" if end > start else "fell"
    return f"{word} from {signed(start)} in the first third to {signed(end)} in the last"


def _seat_sentences(episodes: pd.DataFrame) -> list[str]:
    of_seats = episodes[episodes["seat"].notna() & episodes["rule"].isin([str(rule) for rule in _RULE_WORDS])]
    if of_seats.empty:
        return []
    counts = of_seats.groupby("rule")["seat"].nunique()
    parts = [
        f"{words} on {counts[str(rule)]}" for rule, words in _RULE_WORDS.items() if str(rule) in counts.index
    ]
    return [f"{count(int(of_seats['seat'].nunique()), 'seat')} called for a look: {', '.join(parts)}."]
