"""One student before the camera, who is read as sad whatever they show: what a seat is calibrated to."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import Engine

from engagement.calibration import apply_bias, typical
from engagement.emotion import EXPRESSIONS, Expression
from engagement.intervals import observed
from engagement.mood import MoodTracker
from engagement.policy import Policy
from engagement.records import Mode, Reading, Seat, State
from storage.recorder import NewSession, Recorder

FIGURES = {"confusion": (100 * np.eye(7) + 8).tolist()}
"""Of a classifier that takes no expression for another more often than for a third."""

SKEW = np.array([-0.4, -0.4, -0.4, -0.4, 2.4, -0.4, -0.4], np.float32)
"""What the camera adds to this student's face."""


class Sitting:
    """A class of one, read while a test goes on.

    Args:
        engine: migrated.
        student: whose seat it is; None where it is nobody's.
        mode: what may be kept.
        live: False for a recording.
    """

    def __init__(
        self,
        engine: Engine,
        student: int | None,
        mode: Mode = Mode.INDIVIDUAL,
        *,
        live: bool = True,
    ) -> None:
        self.engine, self.student, self.mode = engine, student, mode
        self.recorder = Recorder(engine)
        self._last = datetime.now(UTC) - timedelta(minutes=10)
        self.session_id = self.recorder.open_session(
            NewSession(
                "Physics", mode, 2.0, "window", self._last, "test", os.getpid(), live=live, agreed=True
            )
        )
        self._random = np.random.default_rng(3)

    def show(
        self, expression: Expression, looks: int, at: datetime | None = None, *, skewed: bool = True
    ) -> None:
        """Commit looks, a few milliseconds apart, from `at` (or now) on."""
        usual = typical(FIGURES["confusion"])
        for index in range(looks):
            started_at = max((at or datetime.now(UTC)) + timedelta(milliseconds=index), self._last)
            self._last = started_at + timedelta(milliseconds=1)
            scores = np.log(usual[EXPRESSIONS.index(expression)]) + self._random.normal(0, 0.3, 7)
            read = (np.exp(scores) / np.exp(scores).sum()).astype(np.float32)
            probabilities = apply_bias(read, SKEW) if skewed else read
            readings = (Reading(1, 0, State.SEEN, probabilities, None, None, 0.9),)
            record = observed(self.session_id, started_at, 2.0, readings, MoodTracker(), grid=True)
            seats = (Seat(1, "Ada O.", "a", self.student),)
            self.recorder.commit(Policy(self.mode).apply(replace(record, seats=seats)))
