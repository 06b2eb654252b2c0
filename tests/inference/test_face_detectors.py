from pathlib import Path

import numpy as np
import pytest

from inference.errors import DetectorError
from inference.faces import FaceDetector, YuNetDetector, load_detector
from tests.capture.synthetic_gallery import Portrait


def test_mtcnn_finds_portraits_and_their_landmarks(
    mtcnn: FaceDetector, shared_data: Path, people: list[Portrait]
) -> None:
    yunet = load_detector("yunet", shared_data / "reference" / "yunet_2026may.onnx")
    agreeing = 0
    for person in people[:20]:
        middle = person.head.centre
        faces = [face for face in mtcnn.detect(person.picture) if face.box.contains(*middle)]
        reference = [face for face in yunet.detect(person.picture) if face.box.contains(*middle)]
        if len(faces) != 1 or len(reference) != 1:
            continue
        (face,), (other,) = faces, reference
        right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
        # the person's right is the picture's left
        assert right_eye[0] < left_eye[0]
        assert right_mouth[0] < left_mouth[0]
        assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
        gap = np.linalg.norm(face.landmarks - other.landmarks, axis=1).mean() / face.box.height
        agreeing += face.box.iou(other.box) > 0.6 and gap < 0.06
    assert agreeing >= 18


@pytest.mark.parametrize("shape", [(1, 1, 3), (11, 400, 3), (60, 80, 3)])
def test_mtcnn_finds_nothing_where_nothing_is(mtcnn: FaceDetector, shape: tuple[int, int, int]) -> None:
    assert mtcnn.detect(np.full(shape, 90, np.uint8)) == []


def test_boxes_stay_inside_the_picture(mtcnn: FaceDetector, people: list[Portrait]) -> None:
    head = people[0].head
    cut = np.ascontiguousarray(
        people[0].picture[head.top + 18 : head.bottom - 17, head.left + 5 : head.right - 5]
    )
    faces = mtcnn.detect(cut)
    assert faces
    for face in faces:
        assert face.box == face.box.clipped(90, 85)


@pytest.mark.parametrize(
    ("name", "model", "message"),
    [
        ("haar", None, "no face detector 'haar'.*tileface, mtcnn, yunet"),
        ("yunet", None, "carries no weights"),
        ("yunet", Path("absent.onnx"), "no YuNet model at absent.onnx"),
    ],
)
def test_a_detector_that_cannot_be_had_is_refused(name: str, model: Path | None, message: str) -> None:
    with pytest.raises(DetectorError, match=message):
        load_detector(name, model)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no network at all")
    with pytest.raises(DetectorError, match="cannot load"):
        YuNetDetector(broken)
