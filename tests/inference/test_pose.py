import numpy as np
import pytest
from numpy.typing import NDArray

from inference.pose import HEAD, estimate, fit_head


def rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """Turns a head that faces the viewer (-z): yaw to the right of the picture, pitch up, roll clockwise."""
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return np.asarray(tilt @ turn @ nod, np.float64)


def photograph(
    head: NDArray[np.float64], turned: NDArray[np.float64], distance: float = 600, focal: float = 500
) -> NDArray[np.float32]:
    """Landmarks of a head (mm) seen by a pinhole camera, in pixels."""
    points = head @ turned.T
    return (points[:, :2] / (points[:, 2:] + distance) * focal + (320, 180)).astype(np.float32)


def facing(turned: NDArray[np.float64]) -> tuple[float, float]:
    """Yaw and pitch of the direction in which the face looks."""
    x, y, z = turned @ (0, 0, -1)
    return float(np.degrees(np.arctan2(x, -z))), float(np.degrees(np.arcsin(-y)))


def test_signs() -> None:
    assert estimate(photograph(HEAD, rotation(25, 0, 0))).yaw > 15
    assert estimate(photograph(HEAD, rotation(0, 20, 0))).pitch > 12
    assert estimate(photograph(HEAD, rotation(0, 0, 20))).roll == pytest.approx(20, abs=2)
    # in the picture itself: a nose nearer to the picture's right edge, eyes that fall towards the right
    nose_right = np.array([[10, 10], [30, 10], [26, 20], [12, 30], [28, 30]], np.float32)
    assert estimate(nose_right).yaw > 5
    falling = np.array([[10, 8], [30, 12], [20, 20], [8, 28], [26, 32]], np.float32)
    assert estimate(falling).roll > 5


def test_the_fit_gives_back_the_turn_and_the_size_of_the_head() -> None:
    turned = rotation(20, -10, 15)
    fitted = fit_head(photograph(HEAD, turned, distance=600, focal=500))
    assert fitted is not None
    found, scale = fitted
    np.testing.assert_allclose(found, turned, atol=0.06)
    np.testing.assert_allclose(found @ found.T, np.eye(3), atol=1e-9)
    assert scale == pytest.approx(500 / 600, rel=0.1)
    assert fit_head(np.full((5, 2), 7.0, np.float32)) is None


@pytest.mark.parametrize("yaw", range(-40, 41, 10))
@pytest.mark.parametrize("pitch", [-20, 0, 20])
@pytest.mark.parametrize("distance", [450, 600, 900])
def test_the_mean_head_is_read_within_four_degrees(yaw: float, pitch: float, distance: float) -> None:
    turned = rotation(yaw, pitch, 10)
    pose = estimate(photograph(HEAD, turned, distance))
    expected_yaw, expected_pitch = facing(turned)
    assert pose.yaw == pytest.approx(expected_yaw, abs=4)
    assert pose.pitch == pytest.approx(expected_pitch, abs=4)
    assert pose.roll == pytest.approx(10, abs=4)


def test_other_heads_and_noise_stay_within_eight_degrees_of_yaw() -> None:
    rng = np.random.default_rng(0)
    errors = []
    for yaw in range(-40, 41, 10):
        for pitch in (-15, 0, 15):
            for _person in range(12):
                head = HEAD * rng.normal(1, 0.05, (1, 3)) + rng.normal(0, 1, HEAD.shape)
                turned = rotation(yaw, pitch, rng.uniform(-10, 10))
                pose = estimate(photograph(head, turned, rng.uniform(450, 900)))
                expected_yaw, expected_pitch = facing(turned)
                errors.append((abs(pose.yaw - expected_yaw), abs(pose.pitch - expected_pitch)))
    yaws, pitches = np.array(errors).T
    assert np.percentile(yaws, 95) <= 8
    assert np.percentile(pitches, 95) <= 10


@pytest.mark.parametrize(
    "landmarks", [np.zeros((5, 2)), np.full((5, 2), 7.5), np.stack([np.arange(5), np.arange(5)], axis=1)]
)
def test_landmarks_on_one_point_or_line_tell_nothing(landmarks: NDArray[np.float64]) -> None:
    pose = estimate(landmarks.astype(np.float32))
    assert (pose.yaw, pose.pitch, pose.roll) == (0.0, 0.0, 0.0)
