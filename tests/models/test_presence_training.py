"""The presence network learns drawn heads from what is none, goes on where it stopped, and is exported as it is."""

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from engagement.records import Box, Face
from inference.landmarks import SIZE
from inference.presence import PresenceNetwork
from models.checkpoints import load_made
from models.detector.compose import Scene
from models.errors import TrainingError
from models.presence import samples, train
from models.presence.export import _to_litert, export_presence
from models.presence.network import build_presence, joined
from models.presence.samples import KEPT, Marks, mark, views
from models.registry import ScoreScale
from models.runs import BEST, RUN
from tests.models.drawn_heads import BOX, POINTS, head, photo, write_data

pytestmark = pytest.mark.filterwarnings(
    # Keras 3.15 reads TensorFlow's variables as numpy 2 no longer likes it
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
NOTHING = np.zeros((0, 4), np.float32)


class Marker:
    """Marks, in a picture of any size: the drawn head, its mouth, the ground beside it, and a faint corner."""

    def __init__(self, *ignored: object, **options: object) -> None:
        pass

    def detect(self, image: np.ndarray) -> list[Face]:
        scale = image.shape[0] / 170
        boxes = ((25, 10, 110, 150, 0.9), (50, 100, 60, 40, 0.6), (0, 0, 24, 30, 0.3), (130, 0, 24, 30, 0.03))
        faces = []
        for left, top, width, height, score in boxes:
            inside = (POINTS - BOX[:2]) / (110, 150) * (width, height) + (left, top)
            box = Box(*(round(side * scale) for side in (left, top, width, height)))
            faces.append(Face(box, (inside * scale).astype(np.float32), score))
        return faces


def scenes(doubtful: np.ndarray = NOTHING) -> Scene:
    return Scene(head(), photo().boxes, photo().landmarks, doubtful)


def test_marks_are_faces_parts_of_faces_or_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "_scenes", lambda *given: [(scenes(), False), (scenes(), True)] * 8)
    marks = mark(Marker(), [photo()], [], np.random.default_rng(0), "turned")
    assert marks.pictures.shape == (len(marks.kinds), KEPT, KEPT, 3)
    by_score = {score: set(marks.kinds[np.isclose(marks.scores, score)]) for score in (0.9, 0.6, 0.3, 0.03)}
    assert by_score == {0.9: {1}, 0.6: {2}, 0.3: {0}, 0.03: {0}}
    # of the faint, which are many, every second one
    assert 2 < np.isclose(marks.scores, 0.03).sum() < 14
    assert np.isclose(marks.scores, 0.3).sum() == 16
    assert marks.composed.mean() == pytest.approx(0.5, abs=0.15)


def test_where_nobody_knows_nothing_is_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    corner = np.array([[0, 0, 30, 34]], np.float32)
    monkeypatch.setattr(samples, "_scenes", lambda *given: [(scenes(corner), False)])
    marks = mark(Marker(), [photo()], [], np.random.default_rng(0), "turned")
    assert not np.isclose(marks.scores, 0.3).any()
    assert np.isclose(marks.scores, 0.9).any()


def test_photographs_are_shown_in_four_sizes_beside_composed_pictures_and_drawings() -> None:
    shown = list(samples._scenes([photo()] * 6, [], np.random.default_rng(0)))
    assert [made for _, made in shown] == [False] * 24 + [True] * 7
    heights = [scene.picture.shape[0] for scene, _ in shown[:24]]
    assert heights[0::4] == [170] * 6
    assert max(heights[1::4]) <= 0.6 * 170 + 1
    assert len(set(heights[2::4])) > 3
    assert min(heights[3::4]) >= 1.2 * 170 - 1
    assert all(len(scene.boxes) == 0 for scene, _ in shown[28:])


def test_views_are_seeded_differ_and_show_the_middle() -> None:
    picture = np.zeros((40, KEPT, KEPT, 3), np.uint8)
    picture[:, 24:48, 24:48] = 200
    first, again = (views(picture, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (40, SIZE, SIZE, 3)
    assert len({view.tobytes() for view in first}) == 40
    middle, edge = first[:, 18:30, 18:30].mean(axis=(1, 2, 3)), first[:, :4].mean(axis=(1, 2, 3))
    assert np.mean(middle > edge + 60) > 0.9


def test_half_of_a_batch_are_faces_and_the_unlikely_ones_come_more_often() -> None:
    scores = np.array([0.9, 0.1, 0.9, 0.03], np.float32)
    kinds = np.array([1, 1, 0, 2], np.int8)
    pictures = np.zeros((4, KEPT, KEPT, 3), np.uint8)
    marks = Marks(pictures, scores, kinds, np.zeros(4, bool))
    settings = train.PresenceSettings(Path(), Path(), steps=40, batch=32)
    rows = [(truth, weights) for _, truth, weights in train._batches(settings, 0, marks)]
    assert len(rows) == 40
    truth, weights = (np.concatenate(part) for part in zip(*rows, strict=True))
    assert truth.mean() == 0.5
    parts = weights[truth == 0] < 1
    assert 0.1 < parts.mean() < 0.4  # sqrt(0.08) beside sqrt(0.95)
    assert (weights[truth == 1] == 1).all()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> train.PresenceSettings:
    write_data(tmp_path / "data", tmp_path / "run")
    monkeypatch.setattr(train, "TileFaceDetector", Marker)
    monkeypatch.setattr(train, "class_photos", lambda data: [])
    monkeypatch.setattr(train, "_held_scenes", lambda photos, count: [scenes()] * 2)
    monkeypatch.setattr(samples, "_scenes", lambda photos, *given: [(scenes(), False)] * len(photos))
    return train.PresenceSettings(
        tmp_path / "data", tmp_path / "run", rounds=2, steps=25, batch=16, stem=4, widths=(8, 8, 12),
        blocks=(0, 0, 0), learning_rate=5e-3, warmup_steps=3, average=0.8, held=1, precision="float32",
    )  # fmt: skip


def test_it_learns_goes_on_where_it_stopped_and_refuses_other_settings(
    settings: train.PresenceSettings,
) -> None:
    heard: list[tuple[int, int]] = []

    class StoppedError(Exception):
        pass

    def interrupt(record: dict[str, float]) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        train.train_presence(
            settings,
            on_step=lambda done, total: heard.append((done, total)),
            on_round=interrupt,
        )
    parts = [(done, 8) for done in range(1, 9)]
    assert heard == [*parts, *((done, 50) for done in range(1, 26))]
    made = {path: path.stat().st_mtime_ns for path in settings.out.glob("marks-*.npz")}
    heard.clear()
    train.train_presence(settings, on_step=lambda done, total: heard.append((done, total)))
    assert heard == [*parts, *((done, 50) for done in range(26, 51))]
    assert made == {path: path.stat().st_mtime_ns for path in settings.out.glob("marks-*.npz")}
    record = json.loads((settings.out / RUN).read_text())
    first, second = record["history"]
    assert second["loss"] < first["loss"]
    assert second["val_ap"] == 1.0
    network = train.build_from(settings)
    network.load_weights(settings.out / BEST)
    assert record["parameters"] == network.count_params()
    held = train.Held.of([scenes()], ["turned"])
    faces = train.predict(network, held.crops)
    assert faces.argmax() == 0
    with pytest.raises(TrainingError, match="another seed"):
        train.train_presence(replace(settings, seed=9))
    next(iter(made)).unlink()
    with pytest.raises(TrainingError, match="lacks what its network learnt from"):
        train.kept_marks(settings.out)


def test_marks_of_other_settings_are_made_anew(settings: train.PresenceSettings) -> None:
    train.train_presence(replace(settings, rounds=1, steps=1))
    path = settings.out / "marks-00.npz"
    assert load_made(path, Marks.__slots__, None) is not None
    assert load_made(path, Marks.__slots__, "other") is None


def test_a_presence_lifts_a_face_above_what_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "TileFaceDetector", Marker)
    held = train.Held.of([scenes()])
    scale = ScoreScale(sure=9.0, weight=1.0, most=9.0)
    assert held.tally(np.zeros(4), scale).scores == pytest.approx(held.tally_alone().scores)
    assert held.tally_alone().average_precision() == 1.0
    denied = held.tally(np.array([-9.0, 0.0, 0.0, 0.0]), scale)
    assert denied.average_precision() < 0.5


def test_nothing_marked_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Blind(Marker):
        def detect(self, image: np.ndarray) -> list[Face]:
            return []

    monkeypatch.setattr(train, "TileFaceDetector", Blind)
    with pytest.raises(TrainingError, match="marks nothing"):
        train.Held.of([scenes()])


def test_each_view_has_marks_of_its_own(settings: train.PresenceSettings) -> None:
    assert KEPT == 72
    short = replace(settings, rounds=1, steps=1)
    train.train_presence(short)
    turned = train.kept_marks(settings.out)
    (settings.out / RUN).unlink()
    train.train_presence(replace(short, view="upright"))
    upright = train.kept_marks(settings.out)
    assert (turned.kinds == upright.kinds).all()
    assert (turned.pictures != upright.pictures).any()
    (settings.out / RUN).unlink()
    with pytest.raises(TrainingError, match="no view 'aside'; choose one of turned, upright"):
        train.train_presence(replace(short, view="aside"))


def test_two_runs_of_one_view_are_refused(settings: train.PresenceSettings) -> None:
    train.train_presence(replace(settings, rounds=1, steps=1))
    for runs in ([settings.out], [settings.out] * 2):
        with pytest.raises(TrainingError, match=r"one run for each view \(turned, upright\), got turned"):
            export_presence(runs, settings.data)


def random_networks() -> list[keras.Model]:
    rng = np.random.default_rng(0)
    networks = [build_presence(4, (8, 8, 12), (0, 1, 0)) for _ in range(2)]
    for network in networks:
        network.set_weights(
            [
                rng.normal(0, 0.1, w.shape).astype(np.float32) if w.ndim > 1 else w
                for w in network.get_weights()
            ]
        )
    return networks


def test_joined_it_is_the_mean_of_both_views_of_which_neither_counts_more_than_the_most() -> None:
    networks = random_networks()
    crops = np.random.default_rng(1).integers(0, 256, (20, SIZE, SIZE, 6)).astype(np.uint8)
    each = [train.predict(network, crops[..., 3 * n : 3 * n + 3]) for n, network in enumerate(networks)]
    most = float(np.median(np.concatenate(each)))
    expected = np.minimum(each, most).mean(axis=0)
    np.testing.assert_allclose(train.predict(joined(networks, most), crops), expected, atol=1e-4)
    assert (np.array(each) > most).any()


def test_exported_it_answers_as_the_network_does(tmp_path: Path) -> None:
    network = joined(random_networks(), 9.0)
    crops = np.random.default_rng(2).integers(0, 256, (20, SIZE, SIZE, 6)).astype(np.uint8)
    expected = train.predict(network, crops)
    for representative, tolerance in ((None, 1e-3), (crops, 0.15)):
        path = tmp_path / "presence.tflite"
        path.write_bytes(_to_litert(network, representative))
        given = PresenceNetwork(path).logits(crops)
        assert np.abs(given - expected).mean() < tolerance * float(expected.std())
