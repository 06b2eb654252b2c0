"""The mood of the class: valence and arousal of the faces read, smoothed over time, with a band."""

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.emotion import AROUSAL, EXPRESSIONS, VALENCE
from engagement.errors import InvalidRecordError
from engagement.records import Mood, Reading, State, check_utc

FEWEST_FACES: Final = 5
"""With fewer faces the band of the mood is as wide as the scale."""

FACING_YAW: Final = 35.0
"""Degrees to either side within which a head counts as facing the screen. Coarse: the camera may stand beside it."""

FACING_PITCH: Final = 30.0
"""Degrees up or down within which a head counts as facing the screen. Coarse: the camera may stand above it."""

_NORMAL_97_5: Final = 1.959964


def valence(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Valence per face, float32 (N,), -1..1: sum of p_e v_e.

    Args:
        probabilities: float32 (N, 7) in the order of `EXPRESSIONS`, rows sum to 1.

    Raises:
        InvalidRecordError: the shape is not (N, 7).
    """
    return _project(probabilities, VALENCE)


def arousal(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Arousal per face, float32 (N,), -1..1: sum of p_e a_e. Arguments and errors as `valence`."""
    return _project(probabilities, AROUSAL)


def facing_share(readings: Iterable[Reading]) -> float | None:
    """Share of the faces with a known head pose that face the screen, 0..1; None where there is none."""
    facing, faces = facing_of_posed(readings)
    return facing / faces if faces else None


def facing_of_posed(readings: Iterable[Reading]) -> tuple[int, int]:
    """How many faces face the screen, and how many have a known head pose.

    A seat that is `turned_away` never counts as facing. A face too unsure for its expression still counts here; one
    too small or too doubtful for a pose (its yaw and pitch are None) does not.
    """
    facing = faces = 0
    for reading in readings:
        if reading.state is State.TURNED_AWAY:
            faces += 1
        elif reading.yaw is not None and reading.pitch is not None:
            faces += 1
            facing += abs(reading.yaw) <= FACING_YAW and abs(reading.pitch) <= FACING_PITCH
    return facing, faces


class MoodTracker:
    """Exponential average of the mood over wall time.

    After one half-life without change a step in the class shows by half, whatever the interval. The band is the
    95 % interval of the mean over faces (Student's t on the smoothed spread and the faces of this interval). It does
    not shrink with time: the same faces are seen again and again.

    The mood of `FEWEST_FACES` and more rests on such intervals alone: else the first of them would show, as that of a
    group, what one or two faces had shown before.
    """

    def __init__(self, half_life: float = 20.0) -> None:
        """Start without history; `half_life` in seconds, above 0."""
        if half_life <= 0:
            raise InvalidRecordError(f"MoodTracker.half_life must be above 0 seconds, got {half_life}.")
        self.half_life = half_life
        self._of_any = _Average(half_life)
        self._of_groups = _Average(half_life)

    def update(self, probabilities: NDArray[np.float32], at: datetime) -> Mood | None:
        """Take in the faces read in one interval.

        Args:
            probabilities: float32 (N, 7), one row per face read; N may be 0.
            at: aware UTC time of the interval.

        Returns:
            The smoothed mood; None where no face was read in this interval, since an old figure would be shown
            as new. Under `FEWEST_FACES` faces the band is -1..1.

        Raises:
            InvalidRecordError: wrong shape, or `at` is not in UTC.
        """
        check_utc("MoodTracker.update at", at)
        valences, arousals = valence(probabilities).astype(float), arousal(probabilities).astype(float)
        faces = len(valences)
        if faces == 0:
            return None
        means = float(valences.mean()), float(arousals.mean())
        middle, height, _ = self._of_any.add((*means, 0.0), at)
        if faces < FEWEST_FACES:
            return Mood(middle, height, -1.0, 1.0, faces)
        middle, height, variance = self._of_groups.add((*means, float(valences.var(ddof=1))), at)
        half = _t_97_5(faces - 1) * math.sqrt(variance / faces)
        return Mood(middle, height, max(-1.0, middle - half), min(1.0, middle + half), faces)


class _Average:
    """Exponential average of valence, arousal and the variance of valence over wall time."""

    def __init__(self, half_life: float) -> None:
        self._half_life = half_life
        self._at: datetime | None = None
        self._values = np.zeros(3)

    def add(self, values: tuple[float, float, float], at: datetime) -> tuple[float, float, float]:
        """Take in one interval; valence and arousal -1..1, variance 0 or more."""
        new = 1.0
        if self._at is not None:
            # a clock that was set back must not stop the line
            passed = max(0.0, (at - self._at).total_seconds())
            new = 1.0 - 0.5 ** (passed / self._half_life)
        self._at = at
        self._values += new * (np.array(values) - self._values)
        middle, height, variance = self._values.tolist()
        return min(max(middle, -1.0), 1.0), min(max(height, -1.0), 1.0), max(variance, 0.0)


def _project(probabilities: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    if probabilities.ndim != 2 or probabilities.shape[1] != len(EXPRESSIONS):
        raise InvalidRecordError(
            f"Probabilities must be float32 (N, {len(EXPRESSIONS)}), got {probabilities.shape}."
        )
    result: NDArray[np.float32] = (probabilities @ weights).astype(np.float32)
    return result


def _t_97_5(freedom: int) -> float:
    """97.5 % quantile of Student's t, within 0.3 % from 4 degrees of freedom (Abramowitz & Stegun 26.7.5)."""
    z = _NORMAL_97_5
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
