"""What is usual for one seat: smoothed valence, its median and its spread."""

from datetime import datetime
from typing import Final

import numpy as np

_SAMPLE_SECONDS: Final = 10.0
"""Reading time between two samples of the baseline."""

_MOST_SAMPLES: Final = 1440
"""Four hours of reading; then the oldest samples give way."""

_FEWEST_SAMPLES: Final = 6
_SAMPLES_BETWEEN_MEDIANS: Final = 6
"""Once there are many samples one more changes little: the median is taken anew once in so many."""


class Smoothing:
    """Exponential average of irregular readings, weighted by the time for which each stands.

    Unlike an average by steps it keeps its weight through short gaps, so that one reading after a gap does not count
    for all of it, and loses it through long ones.
    """

    __slots__ = ("_at", "_sum", "_weight")

    def __init__(self) -> None:
        self._sum = 0.0
        self._weight = 0.0
        self._at: datetime | None = None

    def add(self, value: float, at: datetime, span: float, half_life: float) -> float:
        """Take in one reading that stands for `span` seconds; returns the average, `half_life` in seconds."""
        if self._at is not None:
            kept = 0.5 ** (max(0.0, (at - self._at).total_seconds()) / half_life)
            self._sum *= kept
            self._weight *= kept
        self._at = at
        self._sum += value * span
        self._weight += span
        return self._sum / self._weight


class Baseline:
    """Median and spread of a seat's smoothed valence over its first minutes and onwards.

    The spread is the median absolute deviation, held between a floor (so that a still face is not flagged for a
    twitch) and a ceiling (so that a lively one can be flagged at all).
    """

    __slots__ = ("_ceiling", "_due", "_floor", "_needed", "_read", "_samples", "_taken", "median", "spread")

    def __init__(self, needed: float, floor: float, ceiling: float) -> None:
        """Ready after `needed` seconds of readings; `floor` and `ceiling` of the spread in units of valence."""
        self._needed, self._floor, self._ceiling = needed, floor, ceiling
        self._samples = np.empty(64, np.float32)
        self._taken = 0
        self._read = 0.0
        self._due = _SAMPLE_SECONDS
        self.median = 0.0
        self.spread = floor

    @property
    def ready(self) -> bool:
        """Whether enough was read to say what is usual."""
        return self._read >= self._needed and self._taken >= _FEWEST_SAMPLES

    def add(self, value: float, span: float) -> None:
        """Take in a smoothed valence that stands for `span` seconds."""
        self._read += span
        if self._read < self._due:
            return
        self._due = self._read + _SAMPLE_SECONDS
        if self._taken == len(self._samples) < _MOST_SAMPLES:
            self._samples = np.resize(self._samples, min(_MOST_SAMPLES, 2 * self._taken))
        self._samples[self._taken % len(self._samples)] = value
        self._taken += 1
        if self._taken < 5 * _SAMPLES_BETWEEN_MEDIANS or self._taken % _SAMPLES_BETWEEN_MEDIANS == 0:
            known = self._samples[: self._taken]
            self.median = float(np.median(known))
            self.spread = float(np.clip(np.median(np.abs(known - self.median)), self._floor, self._ceiling))
