"""Mood arithmetic and smoothing."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from engagement.errors import InvalidRecordError
from engagement.mood import MoodTracker, arousal, facing_share, valence
from engagement.records import Mood, Reading, State

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def one_hot(*names: str) -> NDArray[np.float32]:
    return np.stack([np.eye(7, dtype=np.float32)[EXPRESSIONS.index(name)] for name in names])


def soft(
    generator: np.random.Generator, faces: int, expression: str, top: float = 0.6
) -> NDArray[np.float32]:
    """Probabilities as a calibrated classifier gives them: `top` on one expression, the rest spread unevenly."""
    index = EXPRESSIONS.index(expression)
    rest = generator.dirichlet(np.full(6, 0.8), size=faces) * (1 - top)
    return np.insert(rest, index, top, axis=1).astype(np.float32)


def test_coordinates_are_those_of_russell_and_mehrabian() -> None:
    every = one_hot(*EXPRESSIONS)
    assert valence(every) == pytest.approx([-0.51, -0.60, -0.64, 0.81, -0.63, 0.10, 0.0])
    assert arousal(every) == pytest.approx([0.59, 0.35, 0.60, 0.51, -0.27, 0.67, 0.0])
    assert valence(every).dtype == np.float32
    assert valence(np.zeros((0, 7), np.float32)).shape == (0,)


@pytest.mark.parametrize("shape", [(7,), (3, 6), (2, 3, 7)])
def test_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRecordError, match=r"\(N, 7\)"):
        valence(np.zeros(shape, np.float32))


@pytest.mark.parametrize("interval", [0.5, 2.0, 5.0, 10.0, 20.0])
def test_half_life_is_of_time_not_of_steps(interval: float) -> None:
    tracker = MoodTracker(half_life=20)
    tracker.update(one_hot(*["neutral"] * 6), START)
    mood = None
    for step in range(1, round(20 / interval) + 1):
        mood = tracker.update(one_hot(*["happy"] * 6), START + timedelta(seconds=interval * step))
    assert mood is not None
    assert mood.valence == pytest.approx(0.81 / 2, abs=1e-4)
    assert mood.arousal == pytest.approx(0.51 / 2, abs=1e-4)


def test_nothing_read_gives_nothing_before_and_after() -> None:
    tracker = MoodTracker()
    empty = np.zeros((0, 7), np.float32)
    assert tracker.update(empty, START) is None
    assert tracker.update(one_hot(*["sad"] * 5), START) is not None
    assert tracker.update(empty, START + timedelta(seconds=2)) is None


def test_after_a_long_gap_the_old_mood_weighs_nothing() -> None:
    tracker = MoodTracker(half_life=20)
    tracker.update(one_hot(*["sad"] * 6), START)
    mood = tracker.update(one_hot(*["happy"] * 6), START + timedelta(minutes=20))
    assert mood is not None
    assert mood.valence == pytest.approx(0.81, abs=1e-4)


def test_clock_set_back_does_not_stop_the_line() -> None:
    tracker = MoodTracker(half_life=20)
    tracker.update(one_hot(*["neutral"] * 6), START)
    tracker.update(one_hot(*["neutral"] * 6), START - timedelta(hours=1))
    mood = tracker.update(one_hot(*["happy"] * 6), START - timedelta(hours=1) + timedelta(seconds=20))
    assert mood is not None
    assert mood.valence == pytest.approx(0.405, abs=1e-3)


def test_band_is_as_wide_as_the_scale_under_five_faces() -> None:
    tracker = MoodTracker()
    few = tracker.update(one_hot(*["neutral"] * 4), START)
    assert few is not None
    assert (few.low, few.high, few.faces) == (-1.0, 1.0, 4)
    enough = tracker.update(one_hot("happy", *["neutral"] * 4), START + timedelta(seconds=2))
    assert enough is not None
    assert -1.0 < enough.low < enough.valence < enough.high < 1.0


def test_what_one_face_showed_is_no_mood_of_the_group_that_comes() -> None:
    tracker = MoodTracker()
    for step in range(30):
        alone = tracker.update(one_hot("happy"), START + timedelta(seconds=2 * step))
    assert alone is not None
    assert alone.valence == pytest.approx(0.81)
    group = tracker.update(one_hot(*["neutral"] * 5), START + timedelta(seconds=60))
    assert group == Mood(0.0, 0.0, 0.0, 0.0, 5)


def test_band_covers_the_true_mean_in_95_of_100_classes() -> None:
    generator = np.random.default_rng(3)
    pool = np.concatenate([soft(generator, 4000, name, 0.55) for name in ("neutral", "happy", "sad")])
    truth = float(valence(pool).mean())
    inside = 0
    for _ in range(2000):
        mood = MoodTracker().update(pool[generator.choice(len(pool), 12, replace=False)], START)
        assert mood is not None
        inside += mood.low <= truth <= mood.high
    assert 0.93 < inside / 2000 < 0.97


def test_invariants_hold_for_any_class() -> None:
    generator = np.random.default_rng(11)
    for _ in range(50):
        tracker, at = MoodTracker(half_life=float(generator.uniform(1, 60))), START
        for _ in range(40):
            at += timedelta(seconds=float(generator.uniform(0.5, 30)))
            faces = int(generator.integers(0, 50))
            mood = tracker.update(
                generator.dirichlet(np.full(7, 0.1), faces).astype(np.float32).reshape(-1, 7), at
            )
            assert (mood is None) == (faces == 0)


def test_refuses_a_half_life_of_nothing() -> None:
    with pytest.raises(InvalidRecordError, match="half_life"):
        MoodTracker(half_life=0)


def reading(state: State, yaw: float | None = None, pitch: float | None = None) -> Reading:
    return Reading(1, 0, state, None, yaw, pitch, 0.5)


def test_facing_share_counts_faces_with_a_pose() -> None:
    assert facing_share([]) is None
    assert facing_share([reading(State.NO_FACE), reading(State.CAMERA_OFF)]) is None
    class_of_five = [
        reading(State.SEEN, 5, -3),
        reading(State.SEEN, -34, 20),
        reading(State.UNREADABLE, 0, 0),
        reading(State.UNREADABLE),
        reading(State.TURNED_AWAY, 10, 0),
        reading(State.SEEN, 0, -45),
        reading(State.NO_FACE),
    ]
    assert facing_share(class_of_five) == pytest.approx(3 / 5)
