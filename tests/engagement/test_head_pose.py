from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from engagement.errors import InvalidRecordError
from engagement.head_pose import HeadPoseTracker
from engagement.mood import facing_share
from engagement.records import Reading, State

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def looking(
    yaw: float | None, pitch: float | None = 0.0, seat: int = 1, state: State = State.SEEN
) -> Reading:
    probabilities = np.full(7, 1 / 7, np.float32) if state is State.SEEN else None
    return Reading(seat, 0, state, probabilities, yaw, pitch if yaw is not None else None, 0.5)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_after_one_half_life_a_turn_shows_by_half() -> None:
    tracker = HeadPoseTracker(half_life=2.0)
    tracker.update([looking(0.0, 10.0)], at(0))
    (reading,) = tracker.update([looking(40.0, -10.0)], at(2))
    assert reading.yaw == pytest.approx(20.0)
    assert reading.pitch == pytest.approx(0.0)


def test_the_average_does_not_depend_on_how_often_it_is_asked() -> None:
    often, seldom = HeadPoseTracker(), HeadPoseTracker()
    for tracker in (often, seldom):
        tracker.update([looking(0.0)], at(0))
    for step in range(1, 5):
        (fine,) = often.update([looking(30.0)], at(step / 2))
    (coarse,) = seldom.update([looking(30.0)], at(2))
    assert fine.yaw == pytest.approx(coarse.yaw)


def test_jitter_around_the_limit_is_steadied() -> None:
    rng = np.random.default_rng(0)
    tracker = HeadPoseTracker(half_life=2.0)
    raw, steady = [], []
    for step in range(200):
        reading = looking(float(rng.normal(0, 8)))
        raw.append(reading.yaw)
        steady.append(tracker.update([reading], at(step))[0].yaw)
    assert np.std(steady) < 0.6 * np.std(raw)


def test_seats_do_not_mix_and_one_that_was_away_begins_anew() -> None:
    tracker = HeadPoseTracker()
    tracker.update([looking(-40.0, seat=1), looking(40.0, seat=2)], at(0))
    first, second = tracker.update([looking(-40.0, seat=1), looking(40.0, seat=2)], at(2))
    assert (first.yaw, second.yaw) == (-40.0, 40.0)
    tracker.update([looking(None, seat=1, state=State.NO_FACE)], at(10))
    (back,) = tracker.update([looking(10.0, seat=1)], at(40))
    assert back.yaw == 10.0


def test_states_and_blanks_stay_as_read() -> None:
    tracker = HeadPoseTracker()
    tracker.update([looking(0.0)], at(0))
    (away,) = tracker.update([looking(50.0, state=State.TURNED_AWAY)], at(2))
    assert away.state is State.TURNED_AWAY
    assert facing_share([away]) == 0.0
    (off,) = tracker.update([looking(None, state=State.CAMERA_OFF)], at(4))
    assert off.yaw is None


def test_a_clock_set_back_does_not_stop_it_and_a_naive_time_is_refused() -> None:
    tracker = HeadPoseTracker()
    tracker.update([looking(0.0)], at(10))
    (reading,) = tracker.update([looking(30.0)], at(5))
    assert reading.yaw == 0.0
    (later,) = tracker.update([looking(30.0)], at(7))
    assert later.yaw == pytest.approx(15.0)
    with pytest.raises(InvalidRecordError, match="UTC"):
        tracker.update([], datetime(2026, 11, 20, 9, 0))  # noqa: DTZ001
    with pytest.raises(InvalidRecordError, match="half_life"):
        HeadPoseTracker(0.0)
