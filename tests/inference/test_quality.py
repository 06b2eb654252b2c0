import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engagement.mood import facing_share
from engagement.records import Box, Face, HeadPose, State, Tile
from engagement.seating import Seating
from inference.pose import HEAD
from inference.quality import QualityGate, sharpness
from inference.reader import Reader

AHEAD = HeadPose(0.0, 0.0, 0.0)
SHARP = 0.2


def face(height: int, score: float = 0.99) -> Face:
    return Face(Box(0, 0, height, height), np.zeros((5, 2), np.float32), score)


@pytest.mark.parametrize(
    ("height", "score", "pose", "sharp", "state"),
    [
        (60, 0.99, AHEAD, SHARP, State.SEEN),
        (17, 0.99, AHEAD, SHARP, State.UNREADABLE),
        (18, 0.99, AHEAD, SHARP, State.SEEN),
        (60, 0.59, AHEAD, SHARP, State.UNREADABLE),
        (60, 0.99, HeadPose(36.0, 0.0, 0.0), SHARP, State.TURNED_AWAY),
        (60, 0.99, HeadPose(-36.0, 0.0, 0.0), SHARP, State.TURNED_AWAY),
        (60, 0.99, HeadPose(34.0, 0.0, 80.0), SHARP, State.SEEN),
        (60, 0.99, HeadPose(0.0, -31.0, 0.0), SHARP, State.TURNED_AWAY),
        (60, 0.99, AHEAD, 0.001, State.UNREADABLE),
        (60, 0.99, HeadPose(50.0, 0.0, 0.0), 0.001, State.TURNED_AWAY),
        (12, 0.99, HeadPose(50.0, 0.0, 0.0), SHARP, State.UNREADABLE),
    ],
)
def test_states(height: int, score: float, pose: HeadPose, sharp: float, state: State) -> None:
    assert QualityGate().judge_face(face(height, score), pose, sharp) is state


def test_quality_is_one_for_a_good_face_and_falls_with_each_fault() -> None:
    gate = QualityGate()
    best = gate.quality(face(60, 1.0), AHEAD, SHARP)
    assert best == 1.0
    worse = [
        gate.quality(face(24, 1.0), AHEAD, SHARP),
        gate.quality(face(60, 0.7), AHEAD, SHARP),
        gate.quality(face(60, 1.0), HeadPose(50.0, 0.0, 0.0), SHARP),
        gate.quality(face(60, 1.0), AHEAD, 0.02),
        gate.quality(face(60, 1.0), HeadPose(170.0, 0.0, 0.0), SHARP),
    ]
    assert all(0 <= quality < 0.75 for quality in worse)


def test_sharpness_falls_with_blur_and_not_with_light() -> None:
    picture = np.random.default_rng(0).integers(60, 200, (48, 48), np.uint8)
    picture = cv2.GaussianBlur(picture, (0, 0), 1.0)
    blurred = cv2.GaussianBlur(picture, (0, 0), 3.0)
    darker = (picture * 0.6 + 20).astype(np.uint8)
    assert sharpness(picture) > 5 * sharpness(blurred)
    assert sharpness(darker) == pytest.approx(sharpness(picture), rel=0.1)
    assert sharpness(np.full((48, 48), 128, np.uint8)) == 0.0


class Frontal:
    """A detector that finds one face of given height and score, seen from the front, whatever it is shown."""

    def __init__(self, height: int, score: float) -> None:
        self._height, self._score = height, score

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        height, width = image.shape[:2]
        box = Box((width - self._height) // 2, (height - self._height) // 2, self._height, self._height)
        landmarks = np.array(box.centre) + HEAD[:, :2] * self._height / 130
        return [Face(box, landmarks.astype(np.float32), self._score)]


@pytest.mark.parametrize(
    ("height", "score", "facing"), [(60, 0.99, 1.0), (18, 0.6, 1.0), (17, 0.99, None), (60, 0.59, None)]
)
def test_a_face_too_small_or_too_doubtful_has_no_pose_and_faces_nowhere(
    height: int, score: float, facing: float | None
) -> None:
    image = np.random.default_rng(1).integers(0, 255, (112, 200, 3), np.uint8)
    result = Reader(Frontal(height, score), None, None, QualityGate()).read(
        image, [Tile(Box(0, 0, 200, 112), None, camera_on=True)]
    )
    (read,) = result.readings
    assert read.face is not None
    assert (read.pose is None) == (facing is None)
    seated, _seats = Seating().assign(result.readings)
    assert (seated[0].yaw is None, seated[0].pitch is None) == (facing is None, facing is None)
    assert facing_share(seated) == facing
