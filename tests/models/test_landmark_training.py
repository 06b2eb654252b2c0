"""The landmark network learns a few drawn heads, goes on where it stopped, and answers alike when it is exported."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engagement.records import Box, Face
from inference.landmarks import SIZE, LandmarkNetwork, Window
from inference.pose import estimate
from models.detector.compose import Scene
from models.detector.measure import matches
from models.detector.photo import Photo
from models.errors import TrainingError
from models.landmarks import train
from models.landmarks.calibration import nose_place, nose_stretch, stretched, turned_samples
from models.landmarks.export import to_litert
from models.landmarks.network import build_landmarks
from models.landmarks.poses import agreement, pose_of
from models.landmarks.samples import CROPS, Samples, doubted, make_samples, shares, single_faces
from models.landmarks.turning import turn_head
from models.runs import BEST, RUN
from tests.models.drawn_heads import POINTS, head, photo, write_data

pytestmark = pytest.mark.filterwarnings(
    # Keras 3.15 reads TensorFlow's variables as numpy 2 no longer likes it
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def test_no_turn_changes_nothing() -> None:
    still = turn_head(photo(), 0, 0.0, 0.0)
    np.testing.assert_allclose(still.landmarks, photo().landmarks, atol=0.1)
    assert np.abs(still.picture.astype(int) - head()).mean() < 1


@pytest.mark.parametrize(
    ("yaw", "pitch"), [(20.0, 0.0), (-20.0, 0.0), (0.0, 20.0), (0.0, -25.0), (15.0, -15.0)]
)
def test_a_turned_head_is_read_as_turned_and_its_marks_go_along(yaw: float, pitch: float) -> None:
    turned = turn_head(photo(), 0, yaw, pitch)
    before, after = estimate(POINTS), estimate(turned.landmarks[0])
    assert after.yaw - before.yaw == pytest.approx(yaw, abs=5)
    assert after.pitch - before.pitch == pytest.approx(pitch, abs=5)
    for (x, y), colour in zip(turned.landmarks[0, :2], ((20, 20, 20),) * 2, strict=True):
        assert np.abs(turned.picture[round(float(y)), round(float(x))].astype(int) - colour).max() < 40
    x, y = np.rint(turned.landmarks[0, 2]).astype(int)
    assert np.abs(turned.picture[y, x].astype(int) - (180, 90, 90)).max() < 40
    # what is no head stays
    np.testing.assert_array_equal(turned.picture[:3, :3], head()[:3, :3])
    middle = (turned.boxes[0, :2] + turned.boxes[0, 2:]) / 2
    assert np.abs(middle - (80, 85)).max() < 40


def test_a_head_without_a_pose_is_left_as_it_is() -> None:
    flat = replace(photo(), landmarks=np.full((1, 5, 2), 50, np.float32))
    assert turn_head(flat, 0, 20.0, 0.0) is flat


def test_faces_are_taken_alone_and_the_turned_ones_more_often() -> None:
    two = replace(
        photo(),
        boxes=np.repeat(photo().boxes, 2, axis=0),
        landmarks=np.concatenate([photo().landmarks, turn_head(photo(), 0, 30.0, 0.0).landmarks]),
    )
    upside_down = replace(photo(), landmarks=160 - photo().landmarks)
    faces = single_faces([two, upside_down])
    assert [len(face.boxes) for face in faces] == [1, 1]
    assert [len(face.doubtful) for face in faces] == [1, 1]
    ahead, turned = shares(faces)
    assert turned > 2 * ahead
    assert ahead + turned == pytest.approx(1)


def test_samples_are_seeded_and_their_marks_lie_on_the_eyes() -> None:
    faces = [photo()]
    first, again = (make_samples(faces, np.ones(1), faces, 8, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.crops, again.crops)
    np.testing.assert_array_equal(first.points, again.points)
    assert first.crops.shape == (8 * CROPS, SIZE, SIZE, 3)
    assert np.abs(first.points).max() < 0.75
    dark = []
    for crop, points in zip(first.crops, first.points, strict=True):
        spots = np.clip((points * SIZE + SIZE / 2 - 0.5).round().astype(int), 0, SIZE - 1)
        eyes = np.mean([crop[y, x].mean() for x, y in spots[:2]])
        nose = crop[spots[2, 1], spots[2, 0]].mean()
        dark.append(eyes < nose)
    assert np.mean(dark) > 0.7  # some are covered, or too small to tell


def test_a_nose_left_short_is_stretched_in_the_last_layer() -> None:
    network = build_landmarks(4, (8, 8, 12), (0, 0, 0))
    rng = np.random.default_rng(0)
    kernel, bias = network.layers[-1].get_weights()
    network.layers[-1].set_weights([rng.normal(0, 0.05, kernel.shape).astype(np.float32), bias])
    crops = rng.integers(0, 256, (40, SIZE, SIZE, 3)).astype(np.uint8)
    given = train.predict(network, crops)
    truth = given.copy()
    others = given[:, [0, 1, 3, 4]].mean(axis=1)
    truth[:, 2] = others + (nose_place(given) - 0.02) * (1.25, 1.5)
    factors, about = nose_stretch(given, truth)
    np.testing.assert_allclose(factors, (1.25, 1.5), atol=1e-3)
    after = train.predict(stretched(network, factors, about), crops)
    np.testing.assert_allclose(nose_stretch(after, truth)[0], 1.0, atol=1e-3)
    np.testing.assert_allclose(nose_place(after).mean(axis=0), nose_place(given).mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(after[:, [0, 1, 3, 4]], given[:, [0, 1, 3, 4]], atol=1e-5)


def test_turned_samples_are_one_of_each_face() -> None:
    samples = turned_samples([photo()] * 5, 4, np.random.default_rng(0))
    assert samples.crops.shape == (4, SIZE, SIZE, 3)
    assert np.abs(samples.points).max() < 0.75
    assert nose_place(samples.points).std() > 0.02


def test_doubts_are_of_the_size_of_a_detectors() -> None:
    rng = np.random.default_rng(0)
    gaps = [np.linalg.norm(doubted(POINTS, 150, rng) - POINTS, axis=1).mean() / 150 for _ in range(300)]
    assert 0.04 < np.mean(gaps) < 0.12


def test_a_mirrored_sample_has_left_and_right_swapped() -> None:
    window = Window.around(POINTS, 150)
    samples = Samples(window.cut(head())[np.newaxis], window.inside(POINTS)[np.newaxis])
    crops, points = samples.take(np.array([0]), np.array([True]))
    np.testing.assert_array_equal(crops[0], samples.crops[0][:, ::-1])
    np.testing.assert_allclose(points[0, 0], samples.points[0, 1] * (-1, 1), atol=1e-6)
    assert points[0, 0, 0] < points[0, 1, 0]
    plain, same = samples.take(np.array([0]), np.array([False]))
    np.testing.assert_array_equal(plain, samples.crops)
    np.testing.assert_array_equal(same, samples.points)


def test_detections_are_paired_with_the_face_they_show() -> None:
    scene = Scene(head(), photo().boxes, photo().landmarks, np.zeros((0, 4), np.float32))
    right, unsure, elsewhere = (
        Face(box, POINTS, score)
        for box, score in (
            (Box(25, 10, 110, 150), 0.9),
            (Box(28, 12, 110, 150), 0.6),
            (Box(0, 0, 20, 20), 1.0),
        )
    )
    assert matches([elsewhere, unsure, right], scene) == [(right, 0)]


def test_agreement_is_spread_correlation_and_difference() -> None:
    theirs = [(float(yaw), 0.5 * yaw, 3.0 - yaw) for yaw in range(-30, 31, 10)]
    mine = [(0.5 * yaw, -pitch, roll + 2) for yaw, pitch, roll in theirs]
    rows = agreement(mine, theirs)
    assert rows["yaw"]["spread"] == pytest.approx(0.5)
    assert rows["pitch"]["correlation"] == pytest.approx(-1)
    assert rows["roll"]["difference"] == pytest.approx(2)
    assert pose_of(POINTS) == pytest.approx((0, 0, 0), abs=3)


def test_the_nose_counts_beside_the_points() -> None:
    truth = np.zeros((2, 5, 2), np.float32)
    all_moved, nose_moved = truth + np.float32(0.05), truth.copy()
    nose_moved[:, 2] += 0.05
    assert float(train.landmark_loss(truth, truth, 1.0)) == 0
    plain = [float(train.landmark_loss(moved, truth, 0.0)) for moved in (all_moved, nose_moved)]
    weighed = [float(train.landmark_loss(moved, truth, 1.0)) for moved in (all_moved, nose_moved)]
    assert plain[0] == pytest.approx(5 * plain[1])
    assert weighed[0] == pytest.approx(plain[0])
    assert weighed[1] > 3 * plain[1]


class Finder:
    """Finds every drawn head where it is, a little wrong."""

    def detect(self, image: np.ndarray) -> list[Face]:
        height = image.shape[0] / 170
        box = Box(*(round(v * height) for v in (25, 10, 110, 150)))
        return [Face(box, (POINTS + 4) * np.float32(height), 1.0)]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> train.LandmarkSettings:
    """A run on drawn photographs, four per split, whose labels are known and whose heads are found."""
    out = tmp_path / "run"
    write_data(tmp_path / "data", out)
    monkeypatch.setattr(train, "load_detector", lambda name, min_face: Finder())
    monkeypatch.setattr(train, "compose_galleries", lambda photos, count, seed: _scenes(photos))
    return train.LandmarkSettings(
        tmp_path / "data", out, rounds=2, fresh=20, steps=25, batch=16, stem=4, widths=(8, 8, 12), blocks=(0, 0, 0),
        learning_rate=5e-3, warmup_steps=3, average=0.8, held=1, precision="float32",
    )  # fmt: skip


def _scenes(photos: list[Photo]) -> list[Scene]:
    return [Scene(photo.picture, photo.boxes, photo.landmarks, photo.doubtful) for photo in photos]


def test_it_learns_goes_on_where_it_stopped_and_refuses_other_settings(
    settings: train.LandmarkSettings,
) -> None:
    heard: list[int] = []

    class StoppedError(Exception):
        pass

    def interrupt(record: dict[str, float]) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        train.train_landmarks(settings, on_step=lambda done, total: heard.append(done), on_round=interrupt)
    assert heard == list(range(1, 26))
    train.train_landmarks(settings, on_step=lambda done, total: heard.append(done))
    assert heard == list(range(1, 51))
    record = json.loads((settings.out / RUN).read_text())
    first, second = record["history"]
    assert second["loss"] < first["loss"]
    assert second["val_galleries"] < 0.06
    assert "out" not in record["settings"]
    with pytest.raises(TrainingError, match="another seed"):
        train.train_landmarks(replace(settings, seed=9))
    network = train.build_from(settings)
    network.load_weights(settings.out / BEST)
    assert record["parameters"] == network.count_params()


def test_exported_it_answers_as_the_network_does(tmp_path: Path) -> None:
    network = build_landmarks(4, (8, 8, 12), (0, 1, 0))
    rng = np.random.default_rng(0)
    network.set_weights(
        [rng.normal(0, 0.1, w.shape).astype(np.float32) if w.ndim > 1 else w for w in network.get_weights()]
    )
    crops = rng.integers(0, 256, (20, SIZE, SIZE, 3)).astype(np.uint8)
    expected = train.predict(network, crops)
    for representative, tolerance in ((None, 1e-3), (list(crops), 0.15)):
        path = tmp_path / "landmarks.tflite"
        path.write_bytes(to_litert(network, representative))
        given = LandmarkNetwork(path).points(crops)
        assert np.abs(given - expected).mean() < tolerance * float(expected.std())
