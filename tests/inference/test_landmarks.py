"""The landmark network as it is shipped: where it looks, and what it makes of real and drawn heads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from capture.drawn_faces import Faces, Look
from engagement.records import Box, Face, State, Tile
from inference.align import upright_angle
from inference.errors import DetectorError
from inference.faces import FaceDetector, load_detector, load_landmarks
from inference.landmarks import SIZE, LandmarkNetwork, Window
from inference.pose import estimate
from inference.quality import QualityGate
from inference.reader import Reader, load_reader
from models.detector.photo import Photo
from models.landmarks.poses import drawn_portrait
from models.landmarks.turning import turn_head
from models.registry import resolve_face
from tests.capture.synthetic_gallery import Portrait

POINTS = np.array([[80, 90], [120, 90], [100, 112], [84, 132], [116, 132]], np.float32)
MIRRORED = [1, 0, 2, 4, 3]


@pytest.fixture(scope="module")
def network() -> LandmarkNetwork:
    return load_landmarks()


@pytest.fixture(scope="module")
def portraits(
    detector: FaceDetector, shared_data: Path, people: list[Portrait]
) -> list[tuple[NDArray[np.uint8], Face, Face]]:
    """Pictures of single people twice as large as they come, with our detector's face and YuNet's."""
    yunet = load_detector("yunet", shared_data / "reference" / "yunet_2026may.onnx")
    found = []
    for person in people[:16]:
        picture = np.asarray(cv2.resize(person.picture, None, fx=2, fy=2), np.uint8)
        x, y = person.head.centre
        ours, theirs = (
            [face for face in finder.detect(picture) if face.box.contains(2 * x, 2 * y)]
            for finder in (detector, yunet)
        )
        found.append((picture, ours[0], theirs[0]))
    return found


def turned(points: NDArray[np.float32], degrees: float) -> NDArray[np.float32]:
    matrix = cv2.getRotationMatrix2D((100.0, 100.0), -degrees, 1.0)
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


@pytest.mark.parametrize("degrees", [0.0, 30.0, -75.0, 140.0])
def test_a_window_shows_the_face_upright_and_brings_points_there_and_back(degrees: float) -> None:
    points = turned(POINTS, degrees)
    window = Window.around(points, 120)
    inside = window.inside(points)
    np.testing.assert_allclose(window.outside(inside), points, atol=1e-3)
    assert inside[0, 1] == pytest.approx(inside[1, 1], abs=1e-4)
    assert inside[0, 0] < inside[1, 0]
    assert inside[:2, 1].max() < inside[2, 1] < inside[3:, 1].min()
    np.testing.assert_allclose(inside[[0, 1, 3, 4]].mean(axis=0), 0, atol=1e-5)
    # eyes and mouth are 42 pixels apart, more than the eyes
    assert window.side == pytest.approx(2.6 * 42, rel=1e-3)


@pytest.mark.parametrize("degrees", [0.0, 40.0])
def test_the_crop_shows_what_lies_at_the_landmarks(degrees: float) -> None:
    points = turned(POINTS, degrees)
    picture = np.full((200, 200, 3), 90, np.uint8)
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (0, 250, 250)]
    for (x, y), colour in zip(points, colours, strict=True):
        cv2.circle(picture, (round(float(x)), round(float(y))), 5, colour, -1)
    window = Window.around(points, 120)
    crop = window.cut(picture)
    assert crop.shape == (SIZE, SIZE, 3)
    for (x, y), colour in zip((window.inside(points) + 0.5) * SIZE - 0.5, colours, strict=True):
        seen = crop[round(float(y)), round(float(x))].astype(int)
        assert np.abs(seen - colour).max() < 60


def test_landmarks_that_mislead_do_not_make_the_window_tiny_or_huge() -> None:
    assert Window.around(np.full((5, 2), 50, np.float32), 100).side == pytest.approx(65)
    assert Window.around(POINTS * 9, 100).side == pytest.approx(182)


def test_portraits_have_their_landmarks_where_yunet_sees_them(
    network: LandmarkNetwork, portraits: list[tuple[NDArray[np.uint8], Face, Face]]
) -> None:
    gaps = []
    for picture, ours, theirs in portraits:
        (face,) = network.refine(picture, [ours])
        assert (face.box, face.score) == (ours.box, ours.score)
        right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
        # the person's right is the picture's left
        assert right_eye[0] < left_eye[0]
        assert right_mouth[0] < left_mouth[0]
        assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
        gaps.append(np.linalg.norm(face.landmarks - theirs.landmarks, axis=1).mean() / theirs.box.height)
    assert np.mean(gaps) < 0.027


@pytest.mark.parametrize("degrees", [-35, 35])
def test_landmarks_of_tilted_faces_are_put_right(
    network: LandmarkNetwork,
    detector: FaceDetector,
    portraits: list[tuple[NDArray[np.uint8], Face, Face]],
    degrees: int,
) -> None:
    before, after = [], []
    for picture, _, theirs in portraits:
        turn = cv2.getRotationMatrix2D(theirs.box.centre, -degrees, 1.0)
        tilted = np.asarray(
            cv2.warpAffine(picture, turn, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8
        )
        truth = theirs.landmarks @ turn[:, :2].T + turn[:, 2]
        for face in detector.detect(tilted):
            if face.box.contains(*theirs.box.centre):
                (refined,) = network.refine(tilted, [face])
                for points, gaps in ((face.landmarks, before), (refined.landmarks, after)):
                    gaps.append(np.linalg.norm(points - truth, axis=1).mean() / theirs.box.height)
                break
    assert len(after) >= 14
    assert np.mean(after) < np.mean(before)
    assert np.mean(after) < 0.035


def test_a_mirror_image_has_the_mirrored_landmarks_with_left_and_right_swapped(
    network: LandmarkNetwork, portraits: list[tuple[NDArray[np.uint8], Face, Face]]
) -> None:
    gaps = []
    for picture, ours, _ in portraits:
        width = picture.shape[1]
        over = ours.landmarks[MIRRORED].copy()
        over[:, 0] = width - 1 - over[:, 0]
        box = Box(width - ours.box.right, ours.box.top, ours.box.width, ours.box.height)
        (face,) = network.refine(picture, [ours])
        (other,) = network.refine(np.ascontiguousarray(picture[:, ::-1]), [Face(box, over, 1.0)])
        back = other.landmarks[MIRRORED].copy()
        back[:, 0] = width - 1 - back[:, 0]
        gaps.append(np.linalg.norm(back - face.landmarks, axis=1).mean() / ours.box.height)
    assert np.mean(gaps) < 0.02


@pytest.mark.parametrize("degrees", [-40, 25])
def test_the_roll_of_tilted_heads_is_read(
    network: LandmarkNetwork,
    detector: FaceDetector,
    portraits: list[tuple[NDArray[np.uint8], Face, Face]],
    degrees: int,
) -> None:
    errors = []
    for picture, ours, _ in portraits:
        turn = cv2.getRotationMatrix2D(ours.box.centre, -degrees, 1.0)
        tilted = np.asarray(
            cv2.warpAffine(picture, turn, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8
        )
        (upright,) = network.refine(picture, [ours])
        found = [face for face in detector.detect(tilted) if face.box.contains(*ours.box.centre)]
        if found:
            (face,) = network.refine(tilted, found[:1])
            change = np.degrees(upright_angle(face.landmarks) - upright_angle(upright.landmarks))
            errors.append(abs(change - degrees))
    assert len(errors) >= 13
    assert np.median(errors) < 3


@pytest.mark.parametrize("axis", ["yaw", "pitch"])
def test_drawn_heads_look_where_they_were_turned(
    network: LandmarkNetwork, detector: FaceDetector, axis: str
) -> None:
    angles = (-18.0, -9.0, 0.0, 9.0, 18.0)
    refined, alone = [], []
    for person in range(40):
        faces = []
        for angle in angles:
            look = Look(yaw=angle) if axis == "yaw" else Look(pitch=angle)
            picture = drawn_portrait(Faces(), person, look, height=64)
            found = detector.detect(picture)[:1]
            faces.append((*network.refine(picture, found), *found))
        for place, table in enumerate((refined, alone)):
            poses = [estimate(pair[place].landmarks) for pair in faces]
            table.append([pose.yaw if axis == "yaw" else pose.pitch for pose in poses])
    means = np.mean(refined, axis=0)
    assert (np.diff(means) > 2).all()
    gain, coarse = (np.polyfit(angles, np.mean(table, axis=0), 1)[0] for table in (refined, alone))
    assert 0.8 < gain < 1.2
    assert abs(1 - gain) < abs(1 - coarse) - 0.1


def test_who_looks_down_counts_as_turned_away_and_who_looks_ahead_does_not(
    network: LandmarkNetwork, detector: FaceDetector, people: list[Portrait]
) -> None:
    gate = QualityGate()
    states: dict[tuple[int, int], list[State]] = {turn: [] for turn in ((0, 0), (0, -42))}
    for person in people[:12]:
        middle = person.head.centre
        ahead = next(face for face in detector.detect(person.picture) if face.box.contains(*middle))
        (ahead,) = network.refine(person.picture, [ahead])
        if abs(estimate(ahead.landmarks).yaw) > 12:
            continue
        box = np.array([[ahead.box.left, ahead.box.top, ahead.box.right, ahead.box.bottom]], np.float32)
        nothing = np.zeros((0, 4), np.float32)
        photo = Photo(person.picture, box, ahead.landmarks[np.newaxis], nothing, "val", "portraits")
        for (yaw, pitch), read in states.items():
            turned = turn_head(photo, 0, yaw, pitch)
            x, y = (float(value) for value in (turned.boxes[0, :2] + turned.boxes[0, 2:]) / 2)
            for face in network.refine(turned.picture, detector.detect(turned.picture)):
                if face.box.contains(x, y):
                    read.append(gate.judge_face(face, estimate(face.landmarks), 1.0))
    shares = {turn: np.mean([one is State.TURNED_AWAY for one in read]) for turn, read in states.items()}
    assert len(states[0, 0]) >= 6
    assert shares.pop((0, 0)) <= 0.1
    assert shares[0, -42] >= 0.7


def test_many_faces_are_read_as_each_alone(
    network: LandmarkNetwork, portraits: list[tuple[NDArray[np.uint8], Face, Face]]
) -> None:
    picture, face, _ = portraits[0]
    moved = [Face(face.box, face.landmarks + np.float32(n % 7 - 3), 0.9) for n in range(60)]
    together = network.refine(picture, moved)
    assert len(together) == 60
    for number in (0, 20, 48, 49, 59):
        (alone,) = network.refine(picture, [moved[number]])
        np.testing.assert_allclose(together[number].landmarks, alone.landmarks, atol=0.5)
    assert network.refine(picture, []) == []


def test_what_lies_beyond_the_tile_does_not_count(
    network: LandmarkNetwork, portraits: list[tuple[NDArray[np.uint8], Face, Face]]
) -> None:
    picture, face, _ = portraits[1]
    box = face.box
    tile = Box(box.left - 4, box.top - 4, box.width + 8, box.height + 8).clipped(*picture.shape[1::-1])
    noisy = np.random.default_rng(0).integers(0, 256, picture.shape).astype(np.uint8)
    inside = (slice(tile.top, tile.bottom), slice(tile.left, tile.right))
    noisy[inside] = picture[inside]
    first, second = (network.refine(image, [face], [tile])[0] for image in (picture, noisy))
    np.testing.assert_array_equal(first.landmarks, second.landmarks)


def test_the_reader_takes_the_landmarks_from_the_frame_itself(
    network: LandmarkNetwork,
    detector: FaceDetector,
    portraits: list[tuple[NDArray[np.uint8], Face, Face]],
) -> None:
    picture = portraits[2][0]
    tile = Tile(Box(0, 0, picture.shape[1], picture.shape[0]), None, camera_on=True)
    empty = Tile(Box(0, 0, 40, 30), None, camera_on=False)
    plain, refined = (
        Reader(detector, None, None, QualityGate(), landmarks=some).read(picture, [empty, tile]).readings
        for some in (None, network)
    )
    assert plain[0].face is refined[0].face is None
    coarse, fine = plain[1].face, refined[1].face
    assert coarse is not None
    assert fine is not None
    assert fine.box == coarse.box
    (expected,) = network.refine(picture, [coarse], [tile.box])
    np.testing.assert_array_equal(fine.landmarks, expected.landmarks)
    assert refined[1].pose == estimate(fine.landmarks)


def test_many_threads_may_ask_one_network(
    network: LandmarkNetwork, portraits: list[tuple[NDArray[np.uint8], Face, Face]]
) -> None:
    asked = [(picture, [face] * (1 + n % 5)) for n, (picture, face, _) in enumerate(portraits[:8])]
    alone = [network.refine(*one)[0].landmarks for one in asked]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda one: network.refine(*one)[0].landmarks, asked * 3))
    for number, points in enumerate(together):
        np.testing.assert_allclose(points, alone[number % 8], atol=0.5)


def test_a_file_that_is_no_landmark_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match="expected"):
        LandmarkNetwork(resolve_face().path)
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"nothing of the kind")
    with pytest.raises(DetectorError, match="cannot load"):
        LandmarkNetwork(broken)


@pytest.mark.parametrize("name", ["mtcnn", "yunet"])
def test_nods_are_read_with_every_detector(name: str, shared_data: Path) -> None:
    model = shared_data / "reference" / "yunet_2026may.onnx" if name == "yunet" else None
    reader = load_reader(detector=name, detector_model=model, expressions=False, keep_names=False)
    finder = load_detector(name, model)
    own, read = [], []
    for person in range(0, 40, 5):
        for pitch in (-18.0, 18.0):
            picture = drawn_portrait(Faces(), person, Look(pitch=pitch), height=64)
            own.append(estimate(finder.detect(picture)[0].landmarks).pitch)
            (reading,) = reader.read(picture, ()).readings
            assert reading.pose is not None
            read.append(reading.pose.pitch)
    by_detector, refined = (np.mean(found[1::2]) - np.mean(found[::2]) for found in (own, read))
    assert by_detector < refined
    assert refined > 25
