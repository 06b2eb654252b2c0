"""The detector learns a few drawn heads, goes on where it stopped, and answers alike when it is exported."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inference.errors import DetectorError
from inference.tileface import TileFaceDetector
from models.detector import train
from models.detector.averaging import average_detectors
from models.detector.compose import compose_tilted
from models.detector.export import to_litert
from models.detector.labels import label_photos
from models.detector.measure import Found
from models.detector.network import Calibration, build_detector, to_serve
from models.detector.photo import Photo
from models.detector.placing import MIRRORED
from models.detector.train import (
    LABELS,
    Batches,
    DetectorSettings,
    build_from,
    to_batches,
    train_detector,
)
from models.errors import DataError, TrainingError
from models.runs import BEST, RUN, read_run

pytestmark = pytest.mark.filterwarnings(
    # Keras 3.15 reads TensorFlow's variables as numpy 2 no longer likes it
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

MADE_WITH = np.array([0.5, 0.2])
SHAPE = (8, (8, 12, 12, 12), 8, (0, 1, 1, 0))


def head(ground: int = 110) -> np.ndarray:
    """A bright oval with dark eyes and a mouth on a grey ground."""
    picture = np.full((120, 120, 3), ground, np.uint8)
    cv2.ellipse(picture, (60, 60), (30, 40), 0, 0, 360, (230, 190, 160), -1)
    for x in (48, 72):
        cv2.circle(picture, (x, 50), 5, (20, 20, 20), -1)
    cv2.ellipse(picture, (60, 80), (12, 4), 0, 0, 360, (150, 30, 40), -1)
    return picture


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> DetectorSettings:
    """A run on four drawn photographs per split, whose labels are known."""
    folder = tmp_path_factory.mktemp("detector")
    faces = folder / "data" / "faces"
    faces.mkdir(parents=True)
    grounds = {"train": 110, "val": 111, "test": 112}
    rows = [
        (cv2.imencode(".png", head(ground))[1].tobytes(), split)
        for split, ground in grounds.items()
        for _ in range(4)
    ]
    for name in ("portraits", "masks"):
        table = pa.table({"image": [row[0] for row in rows], "split": [row[1] for row in rows]})
        pq.write_table(table, faces / f"{name}.parquet")
    out = folder / "run"
    out.mkdir()
    label = [30, 20, 90, 100, 48, 50, 72, 50, 60, 64, 50, 80, 70, 80]
    sure = np.array([[number, *label] for number in range(2 * len(rows))], np.float32)
    np.savez(
        out / LABELS,
        made_with=MADE_WITH,
        sure=sure,
        doubtful=np.zeros((0, 5), np.float32),
        photos=np.array(2 * len(rows)),
    )
    stem, widths, neck, blocks = SHAPE
    return DetectorSettings(
        folder / "data", out, rounds=2, fresh=24, steps=60, batch=8, size=96, stem=stem, widths=widths, neck=neck,
        blocks=blocks, learning_rate=1e-2, warmup_steps=5, average=0.9, held=2, precision="float32", classes=False,
    )  # fmt: skip


def test_it_learns_goes_on_where_it_stopped_and_refuses_other_settings(settings: DetectorSettings) -> None:
    heard: list[int] = []
    stopped: list[dict[str, float]] = []

    class StoppedError(Exception):
        pass

    def interrupt(record: dict[str, float]) -> None:
        stopped.append(record)
        raise StoppedError

    with pytest.raises(StoppedError):
        train_detector(settings, on_step=lambda done, total: heard.append(done), on_round=interrupt)
    assert heard == list(range(1, 61))
    train_detector(settings, on_step=lambda done, total: heard.append(done))
    assert heard == list(range(1, 121))
    record = json.loads((settings.out / RUN).read_text())
    first, second = record["history"]
    assert first == stopped[0]
    assert second["box"] < first["box"]
    assert second["val_ap"] > 0.05
    assert record["settings"]["seed"] == settings.seed
    assert "out" not in record["settings"]
    assert record["device"] in {"cpu", "gpu"}
    with pytest.raises(TrainingError, match="another seed"):
        train_detector(replace(settings, seed=9))
    changed = record | {"photographs_sha256": "0" * 64}
    (settings.out / RUN).write_text(json.dumps(changed))
    with pytest.raises(TrainingError, match="another set of photographs; give the same settings and data"):
        train_detector(settings)
    del changed["photographs_sha256"], changed["device"]  # as runs of before were written
    (settings.out / RUN).write_text(json.dumps(changed))
    train_detector(settings)
    assert read_run(settings.out)["history"] == record["history"]
    network = build_from(settings)
    network.load_weights(settings.out / BEST)
    assert record["parameters"] == network.count_params()


def test_a_size_that_the_strides_do_not_divide_is_refused(settings: DetectorSettings) -> None:
    with pytest.raises(TrainingError, match="multiple of 32"):
        train_detector(replace(settings, size=100))


def test_labels_of_other_photographs_are_refused(settings: DetectorSettings, tmp_path: Path) -> None:
    photos = label_photos(settings.data, settings.out / LABELS)
    assert {split: len(some) for split, some in photos.items()} == {"train": 8, "val": 8, "test": 8}
    none = {"sure": np.zeros((0, 15)), "doubtful": np.zeros((0, 5))}
    np.savez(tmp_path / "few.npz", photos=np.array(3), made_with=MADE_WITH, **none)
    with pytest.raises(DataError, match="other photographs"):
        label_photos(settings.data, tmp_path / "few.npz")
    np.savez(tmp_path / "before.npz", photos=np.array(24), made_with=np.array([0.8, 0.3]), **none)
    with pytest.raises(DataError, match="labelled by other scores"):
        label_photos(settings.data, tmp_path / "before.npz")
    np.savez(tmp_path / "older.npz", photos=np.array(24), **none)
    with pytest.raises(DataError, match="holds no labels"):
        label_photos(settings.data, tmp_path / "older.npz")


def test_a_photograph_of_two_splits_stays_in_the_earlier(tmp_path: Path) -> None:
    faces = tmp_path / "faces"
    faces.mkdir()
    one, other = (cv2.imencode(".png", head(ground))[1].tobytes() for ground in (110, 120))
    table = pa.table({"image": [one, one, other, other], "split": ["train", "test", "test", "val"]})
    for name in ("portraits", "masks"):
        pq.write_table(table, faces / f"{name}.parquet")
    np.savez(
        tmp_path / LABELS,
        made_with=MADE_WITH,
        sure=np.zeros((0, 15)),
        doubtful=np.zeros((0, 5)),
        photos=np.array(8),
    )
    photos = label_photos(tmp_path, tmp_path / LABELS)
    assert {split: len(some) for split, some in photos.items()} == {"train": 2, "val": 2, "test": 0}


FACE = (30, 20, 90, 100)
ASIDE = (95, 0, 115, 20)


@pytest.mark.parametrize(
    ("found", "hard"),
    [
        ([(FACE, 0.9)], False),
        ([(FACE, 0.4)], True),  # a face that it is not sure of
        ([], True),
        ([(FACE, 0.9), (ASIDE, 0.4)], True),
        ([(FACE, 0.9), (ASIDE, 0.3)], False),
        ([(FACE, 0.9), (FACE, 0.5)], True),
    ],
)
def test_photographs_that_the_network_reads_wrong_are_the_hard_ones(
    found: list[tuple[tuple[int, ...], float]],
    hard: bool,
    settings: DetectorSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (known, *_) = label_photos(settings.data, settings.out / LABELS)["train"]

    def looked_at(network: object, picture: np.ndarray, threshold: float) -> Found:
        kept = [(box, score) for box, score in found if score >= threshold]
        boxes = np.array([box for box, _ in kept], np.float32).reshape(-1, 4)
        points = np.repeat(known.landmarks, len(kept), axis=0)
        return Found(boxes, points, np.array([score for _, score in kept], np.float32))

    monkeypatch.setattr(train, "_looked_at", looked_at)
    network = build_from(settings)
    assert [photo is known for photo in train.hard_photos(network, [known])] == [True] * hard
    # from one without a face nothing could be drawn
    assert train.hard_photos(network, [replace(known, boxes=known.boxes[:0])]) == []


def test_a_run_that_goes_on_from_another_shows_what_that_reads_wrong(
    settings: DetectorSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def hard_photos(network: object, photos: list[Photo]) -> list[Photo]:
        asked.append(len(photos))
        return list(photos)

    monkeypatch.setattr(train, "hard_photos", hard_photos)
    monkeypatch.setattr(train, "_FEW", 8)
    (tmp_path / LABELS).write_bytes((settings.out / LABELS).read_bytes())
    begun = replace(settings, out=tmp_path, start=settings.out, rounds=1, steps=2, fresh=4)
    train_detector(begun)
    assert asked == [8]
    assert read_run(tmp_path)["start_sha256"]
    with pytest.raises(TrainingError, match="cannot be loaded"):
        train_detector(replace(begun, out=tmp_path / "other", start=tmp_path / "none"))


def test_the_mean_of_two_runs_is_a_run_of_the_mean_of_their_weights(
    settings: DetectorSettings, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in (RUN, LABELS):
        (other / name).write_bytes((settings.out / name).read_bytes())
    network = build_from(settings)
    network.load_weights(settings.out / BEST)
    before = network.get_weights()
    network.set_weights([weights + 1 for weights in before])
    network.save_weights(other / BEST)
    out = average_detectors([settings.out, other], tmp_path / "mean")
    network.load_weights(out / BEST)
    for given, weights in zip(network.get_weights(), before, strict=True):
        np.testing.assert_allclose(given, weights + 0.5, atol=1e-6)
    assert read_run(out)["averaged"]["runs"] == [settings.out.name, "other"]
    assert (out / LABELS).read_bytes() == (settings.out / LABELS).read_bytes()
    with pytest.raises(TrainingError, match="holds a run already"):
        average_detectors([settings.out, other], out)
    with pytest.raises(TrainingError, match="two runs or more"):
        average_detectors([other], tmp_path / "one")
    record = read_run(other)
    (other / RUN).write_text(json.dumps(record | {"settings": record["settings"] | {"neck": 9}}))
    with pytest.raises(TrainingError, match="different networks"):
        average_detectors([settings.out, other], tmp_path / "two")


def test_a_mirrored_batch_is_the_batch_of_the_mirrored_scenes() -> None:
    photo = Photo(
        head(),
        np.array([[30, 20, 90, 100]], np.float32),
        np.array([[[48, 50], [72, 50], [60, 64], [50, 80], [70, 80]]], np.float32),
        np.zeros((0, 4), np.float32),
        "train",
        "portraits",
    )
    scene = compose_tilted([photo], 20.0, np.random.default_rng(1))
    scene = replace(scene, picture=scene.picture[:96, 48:144].copy())
    moved = np.array([48, 0], np.float32)
    scene = replace(scene, boxes=scene.boxes - np.tile(moved, 2), landmarks=scene.landmarks - moved)
    batches = to_batches([scene], 96)
    once = batches.take(np.array([0]), np.array([True]))
    back = Batches(*once).take(np.array([0]), np.array([True]))
    for before, after in zip(
        (batches.pictures, batches.owners, batches.boxes[:, :1], batches.landmarks[:, :1]),
        (back[0], back[1], back[2][:, :1], back[3][:, :1]),
        strict=True,
    ):
        np.testing.assert_allclose(before, after, atol=1e-3)
    pictures, owners, boxes, landmarks = once
    np.testing.assert_array_equal(pictures[0], scene.picture[:, ::-1])
    np.testing.assert_allclose(boxes[0, 0, [0, 2]], 96 - scene.boxes[0, [2, 0]], atol=1e-3)
    np.testing.assert_allclose(landmarks[0, 0, :, 0], 96 - scene.landmarks[0, list(MIRRORED), 0], atol=1e-3)
    assert (owners >= 0).sum() == (batches.owners >= 0).sum()


def test_exported_it_answers_as_the_network_does(tmp_path: Path) -> None:
    network = build_detector(*SHAPE)
    rng = np.random.default_rng(0)
    network.set_weights(
        [rng.normal(0, 0.3, w.shape).astype(np.float32) if w.ndim > 1 else w for w in network.get_weights()]
    )
    pictures = [rng.integers(0, 256, (64, 96, 3)).astype(np.uint8) for _ in range(3)]
    joined = [level.numpy()[0] for level in network(pictures[0][np.newaxis].astype(np.float32))]
    served = to_serve(network, Calibration(0.5, 1.5, 2.0), *SHAPE)
    for representative, tolerance in ((None, 1e-3), (pictures, 0.6)):
        path = tmp_path / "face.tflite"
        path.write_bytes(to_litert(served, representative))
        maps = TileFaceDetector(path)._full.run(pictures[0])
        for exact, given in zip(joined, maps, strict=True):
            expected = exact.copy()
            above = exact[..., 0] - 0.5
            expected[..., 0] = np.where(above > 0, 2 * above, 1.5 * above)
            assert np.abs(given - expected).mean() < tolerance * max(1.0, float(expected.std()))


def test_a_file_that_is_no_detector_is_refused(tmp_path: Path) -> None:
    from models.registry import resolve

    with pytest.raises(DetectorError, match="expected"):
        TileFaceDetector(resolve("expression").path)
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"nothing of the kind")
    with pytest.raises(DetectorError, match="cannot load"):
        TileFaceDetector(broken)
    with pytest.raises(DetectorError, match="between 0 and 1"):
        TileFaceDetector(broken, threshold=1.0)
