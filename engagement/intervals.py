"""One interval from what was read on its frame."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from engagement.mood import MoodTracker, facing_share
from engagement.records import STATES_WITH_FACE, IntervalRecord, NotObservedReason, Reading, State


def observed(
    session_id: int,
    at: datetime,
    seconds: float,
    readings: Sequence[Reading],
    mood: MoodTracker,
    *,
    grid: bool,
) -> IntervalRecord:
    """The record of a frame that was read, before the mode's policy.

    Args:
        session_id: key of the session.
        at: aware UTC time of the frame.
        seconds: length of the interval, above 0.
        readings: one per tile.
        mood: of the session, which takes the frame in.
        grid: False where no grid was seen and each face found counts as a tile.
    """
    states = Counter(reading.state for reading in readings)
    probabilities = stack_probabilities(readings)
    top = Counter(EXPRESSIONS[index] for index in probabilities.argmax(axis=1))
    return IntervalRecord(
        session_id=session_id,
        started_at=at,
        seconds=seconds,
        tiles=len(readings),
        faces=sum(states[state] for state in STATES_WITH_FACE),
        faces_read=len(probabilities),
        states={state: states[state] for state in State},
        expressions={expression: top[expression] for expression in EXPRESSIONS},
        mood=mood.update(probabilities, at),
        facing=facing_share(readings),
        grid=grid,
        readings=tuple(readings),
    )


def not_observed(session_id: int, at: datetime, seconds: float, reason: NotObservedReason) -> IntervalRecord:
    """The record of an interval of which nothing is known.

    Args:
        session_id: key of the session.
        at: aware UTC time of its beginning.
        seconds: its length, above 0.
        reason: why.
    """
    return IntervalRecord(
        session_id=session_id,
        started_at=at,
        seconds=seconds,
        tiles=0,
        faces=0,
        faces_read=0,
        states={},
        expressions=None,
        mood=None,
        facing=None,
        not_observed=reason,
    )


def stack_probabilities(readings: Sequence[Reading]) -> NDArray[np.float32]:
    """The probabilities of the readings that have some, float32 (N, 7), N may be 0."""
    rows = [reading.probabilities for reading in readings if reading.probabilities is not None]
    return np.array(rows, dtype=np.float32).reshape(-1, len(EXPRESSIONS))
