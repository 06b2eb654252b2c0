"""Head pose over time: five landmarks jitter by some degrees, so a seat's pose is averaged over grabs."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from engagement.errors import InvalidRecordError
from engagement.records import Reading, check_utc

_FORGET: Final = timedelta(seconds=20)
"""After this long without a pose a seat begins anew: the head that comes back may look anywhere."""


class HeadPoseTracker:
    """Exponential average of each seat's yaw and pitch over wall time.

    States are left as they were read: the average steadies where a seat is said to look, it does not turn a face
    that was read into one that was not.
    """

    def __init__(self, half_life: float = 2.0) -> None:
        """Start without history; `half_life` in seconds, above 0: with a frame every two seconds each counts as much
        as all before it."""
        if half_life <= 0:
            raise InvalidRecordError(f"HeadPoseTracker.half_life must be above 0 seconds, got {half_life}.")
        self.half_life = half_life
        self._poses: dict[int, tuple[datetime, float, float]] = {}

    def update(self, readings: Iterable[Reading], at: datetime) -> tuple[Reading, ...]:
        """The readings of one frame with averaged yaw and pitch; those without a pose are returned as they are.

        Raises:
            InvalidRecordError: `at` is not in UTC.
        """
        check_utc("HeadPoseTracker.update at", at)
        self._poses = {seat: kept for seat, kept in self._poses.items() if at - kept[0] <= _FORGET}
        return tuple(self._averaged(reading, at) for reading in readings)

    def _averaged(self, reading: Reading, at: datetime) -> Reading:
        if reading.yaw is None or reading.pitch is None:
            return reading
        yaw, pitch = reading.yaw, reading.pitch
        if reading.seat in self._poses:
            before, old_yaw, old_pitch = self._poses[reading.seat]
            # a clock that was set back must not stop the average
            passed = max(0.0, (at - before).total_seconds())
            new = 1.0 - float(np.exp2(-passed / self.half_life))
            yaw, pitch = old_yaw + new * (yaw - old_yaw), old_pitch + new * (pitch - old_pitch)
        self._poses[reading.seat] = (at, yaw, pitch)
        return replace(reading, yaw=yaw, pitch=pitch)
