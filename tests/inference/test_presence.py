"""Whether what the detector marks is a face: how two scores become one, and the shipped network on real pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engagement.records import Box, Face
from inference.errors import DetectorError
from inference.faces import FaceDetector
from inference.presence import (
    ConfirmedDetector,
    PresenceNetwork,
    crop_of,
    joint_scores,
    least_found,
    window_of,
)
from inference.tileface import TileFaceDetector
from models.registry import ScoreScale, resolve_face, resolve_presence
from tests.capture.synthetic_gallery import Portrait, compose_gallery

SCALE = ScoreScale(sure=3.0, weight=0.5, most=4.0, half=1.0, below=1.2, above=2.0)


def logit(score: float) -> float:
    return float(np.log(score / (1 - score)))


@pytest.fixture(scope="module")
def network() -> PresenceNetwork:
    return PresenceNetwork(resolve_presence().path)


def confirmed(threshold: float, presence: PresenceNetwork) -> ConfirmedDetector:
    return ConfirmedDetector(resolve_face().path, presence, resolve_presence().scale, threshold=threshold)


def test_the_score_is_the_placed_sum_of_both_logits() -> None:
    found = np.array([0.5, 0.5, 0.5, 0.3])
    present = np.array([2.0, 0.0, 9.0, -3.0])
    sums = np.array([0 + 1 - 1, 0 + 0 - 1, 0 + 2 - 1, logit(0.3) - 1.5 - 1])
    expected = 1 / (1 + np.exp(-sums * np.array([1.2, 1.2, 2.0, 1.2])))
    np.testing.assert_allclose(joint_scores(SCALE, found, present), expected)


def test_what_is_sure_is_no_less_than_whatever_was_looked_at() -> None:
    found = np.array([0.94, 0.96, 0.96])
    assert logit(found[0]) < SCALE.sure < logit(found[1])
    unsure, sure, denied = joint_scores(SCALE, found, np.array([50.0, 0.0, -50.0]))
    assert unsure < sure == denied


@pytest.mark.parametrize("threshold", [0.02, 0.3, 0.5, 0.7, 0.98])
def test_what_the_detector_leaves_out_could_not_have_reached_the_threshold(threshold: float) -> None:
    least = least_found(SCALE, threshold)
    below, above = joint_scores(SCALE, np.array([least * 0.999, least * 1.001]), np.array([50.0, 50.0]))
    assert below < threshold < above


def test_a_mark_is_seen_turned_by_its_landmarks_and_as_it_stands() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[45:55, 20:80] = (200, 0, 0)  # a bar that lies
    across = np.array([[50, 30], [50, 60], [40, 45], [30, 35], [30, 55]], np.float32)  # a head on its side
    face = Face(Box(25, 25, 50, 50), across, 0.5)
    turned, upright = window_of(face, "turned"), window_of(face, "upright")
    assert abs(np.degrees(turned.angle)) == pytest.approx(90, abs=5)
    assert (upright.angle, upright.centre, upright.side) == (0.0, (50.0, 50.0), 62.5)
    crop = crop_of(picture, face)
    assert crop.shape == (48, 48, 6)
    assert crop[24, :, 3].mean() > 3 * crop[:, 24, 3].mean()
    np.testing.assert_array_equal(crop[..., 3:], crop_of(picture, face, ["upright"]))
    np.testing.assert_array_equal(crop[..., :3], crop_of(picture, face, ["turned"]))


def test_a_face_is_told_from_what_is_left_when_it_is_blurred_or_halved(
    network: PresenceNetwork, detector: FaceDetector, people: list[Portrait]
) -> None:
    faces, others = [], []
    for person in people[:30]:
        middle = person.head.centre
        (face,) = (face for face in detector.detect(person.picture) if face.box.contains(*middle))
        crop = crop_of(person.picture, face)
        faces.append(crop)
        others += [cv2.blur(crop, (25, 25)), np.roll(crop, 24, axis=1)]
    yes, no = network.logits(np.stack(faces)), network.logits(np.stack(others))
    assert np.mean(yes > 1.0) > 0.9
    assert np.median(yes) > np.quantile(no, 0.8)


def test_a_higher_threshold_gives_the_same_faces_less_some(
    network: PresenceNetwork, people: list[Portrait]
) -> None:
    gallery = compose_gallery([person.picture for person in people]).image
    everything = confirmed(0.05, network).detect(gallery)
    assert [face.score for face in everything] == sorted((face.score for face in everything), reverse=True)
    for threshold in (0.3, 0.5, 0.9):
        kept = [face.box for face in everything if face.score > threshold]
        assert [face.box for face in confirmed(threshold, network).detect(gallery)] == kept
    assert len(everything) > len(kept) >= 40


class Spy:
    """A presence network that counts what it is shown and knows no faces."""

    def __init__(self) -> None:
        self.shown = 0

    def logits(self, crops: np.ndarray) -> np.ndarray:
        self.shown += len(crops)
        return np.full(len(crops), -80.0, np.float32)


def test_nobody_looks_again_at_what_is_sure(people: list[Portrait]) -> None:
    gallery = compose_gallery([person.picture for person in people]).image
    scale, spy = resolve_presence().scale, Spy()
    detector = ConfirmedDetector(resolve_face().path, spy, scale, threshold=0.5)  # type: ignore[arg-type]
    faces = detector.detect(gallery)
    least = least_found(scale, 0.5)
    marks = TileFaceDetector(resolve_face().path, threshold=least).detect(gallery)
    sure = [face for face in marks if logit(face.score) >= scale.sure]
    assert spy.shown == len(marks) - len(sure)
    assert {face.box for face in faces} == {face.box for face in sure}
    assert 30 <= len(sure) < len(marks)


def test_an_empty_picture_shows_nobody(network: PresenceNetwork) -> None:
    found: list[Face] = confirmed(0.02, network).detect(np.zeros((64, 64, 3), np.uint8))
    assert found == []


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0])
def test_a_threshold_that_is_none_is_refused(network: PresenceNetwork, threshold: float) -> None:
    with pytest.raises(DetectorError, match="between 0 and 1"):
        confirmed(threshold, network)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match="Install classpulse again"):
        PresenceNetwork(resolve_face().path)
    broken = tmp_path / "presence.tflite"
    broken.write_bytes(b"no weights")
    with pytest.raises(DetectorError, match="cannot load the presence weights"):
        PresenceNetwork(broken)
