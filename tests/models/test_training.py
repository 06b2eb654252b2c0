import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from models import augment, zoo
from models.data import SIZE
from models.errors import TrainingError
from models.golden import golden_faces
from models.train import BEST, RUN, Phase, TrainSettings, input_size_of, train
from models.zoo.layers import conv_norm

pytestmark = pytest.mark.filterwarnings(
    # Keras 3.15 with NumPy 2.4, when it saves weights
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def build_tiny(size: int | None, classes: int) -> keras.Model:
    inputs = keras.layers.Input((size, size, 1))
    x = conv_norm(keras.layers.Rescaling(1 / 64, offset=-2.0)(inputs), 4, strides=2)
    x = keras.layers.Dropout(0.2)(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, keras.layers.Dense(classes)(x))


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(zoo.ARCHITECTURES, "tiny", build_tiny)


@pytest.fixture(scope="module")
def faces_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 drawn faces to train on and 16 to choose on; the label says how bright they are."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 7, 64)
    drawn = golden_faces(SIZE, 64)
    images = np.clip(drawn * 0.3 + labels[:, None, None] * 28, 0, 255).astype(np.uint8)
    path = tmp_path_factory.mktemp("faces") / "fer2013.csv"
    pd.DataFrame(
        {
            "emotion": labels,
            "pixels": [" ".join(map(str, image.ravel())) for image in images],
            "Usage": ["Training"] * 48 + ["PublicTest"] * 16,
        }
    ).to_csv(path, index=False)
    return path


def settings(data: Path, out: Path, **change: Any) -> TrainSettings:
    defaults: dict[str, Any] = {
        "architecture": "tiny",
        "phases": (Phase(2, 16, 0.5, 0.5), Phase(1, 22, 0.0, 0.0)),
        "batch": 16,
        "average": 0.5,
        "precision": "float32",
    }
    return TrainSettings(data=data, out=out, **(defaults | change))


def weights(folder: Path) -> list[np.ndarray]:
    with np.load(folder / "checkpoint.npz") as saved:
        return [saved[key] for key in sorted(saved, key=int)]


def test_a_run_that_stops_and_goes_on_ends_as_one_that_did_not(faces_csv: Path, tmp_path: Path) -> None:
    straight = train(settings(faces_csv, tmp_path / "straight"))

    class PowerCutError(Exception):
        pass

    def cut(record: dict[str, float]) -> None:
        if record["epoch"] == 2:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        train(settings(faces_csv, tmp_path / "cut"), on_epoch=cut)
    resumed = train(settings(faces_csv, tmp_path / "cut"))

    for one, other in zip(weights(straight), weights(resumed), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    records = [json.loads((folder / RUN).read_text()) for folder in (straight, resumed)]
    assert [r["epoch"] for r in records[1]["history"]] == [1, 2, 3]
    assert records[0]["history"][-1]["loss"] == pytest.approx(records[1]["history"][-1]["loss"], rel=1e-4)


def test_a_run_is_described_and_its_best_weights_load(faces_csv: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    out = train(
        settings(faces_csv, tmp_path / "run"), on_step=lambda done, total: steps.append((done, total))
    )
    assert steps[0] == (1, 9)
    assert steps[-1] == (9, 9)
    run = json.loads((out / RUN).read_text())
    assert run["settings"]["phases"][1] == {"epochs": 1, "size": 22, "degraded": 0.0, "erased": 0.0}
    assert len(run["data_sha256"]) == 64
    assert run["chosen_epoch"] == 3  # only epochs at the last size count
    assert str(tmp_path) not in (out / RUN).read_text()
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    network = zoo.build("tiny", input_size_of(run["history"]))
    assert network.input_shape == (None, 24, 24, 1)
    network.load_weights(out / BEST)


def test_going_on_with_other_settings_is_refused(faces_csv: Path, tmp_path: Path) -> None:
    phases = (Phase(1, 16, 0.0, 0.0),)
    train(settings(faces_csv, tmp_path, phases=phases))
    with pytest.raises(TrainingError, match="begun with another seed"):
        train(settings(faces_csv, tmp_path, phases=phases, seed=2))


def test_what_cannot_be_trained_is_refused(faces_csv: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="do not fill a batch of 64"):
        train(settings(faces_csv, tmp_path, batch=64))
    with pytest.raises(TrainingError, match="no architecture 'vgg'; choose one of"):
        train(settings(faces_csv, tmp_path, architecture="vgg"))


def test_learning_moves_the_loss_down(faces_csv: Path, tmp_path: Path) -> None:
    out = train(settings(faces_csv, tmp_path, phases=(Phase(15, 16, 0.0, 0.0),)))
    losses = [record["loss"] for record in json.loads((out / RUN).read_text())["history"]]
    assert np.mean(losses[-3:]) < np.mean(losses[:3]) - 0.05


@pytest.mark.parametrize("architecture", ["resnet-s", "cnn-4", "mini-xception"])
def test_every_architecture_maps_faces_to_seven_logits(architecture: str) -> None:
    network = zoo.build(architecture, 32)
    faces = tf.constant(golden_faces(32)[..., None], tf.float32)
    assert network(faces).shape == (4, 7)
    assert network.count_params() < 1_500_000
    assert network.layers[1].name.startswith("rescaling")


def test_views_depend_on_the_seed_alone() -> None:
    faces = tf.constant(golden_faces(SIZE, 8))

    def view(seed: int) -> np.ndarray:
        return np.asarray(augment.view(faces, tf.constant([1, seed]), 20, 44.0, 0.5))

    first = view(100)
    assert first.shape == (8, 20, 20, 1)
    assert first.min() >= 0
    assert first.max() <= 255
    np.testing.assert_array_equal(first, view(100))
    assert np.abs(first - view(200)).mean() > 5


def test_degrading_touches_only_the_share_asked_for() -> None:
    faces = golden_faces(SIZE, 40)
    np.testing.assert_array_equal(augment.degrade(faces, 0.0, np.random.default_rng(0)), faces)
    half = augment.degrade(faces, 0.5, np.random.default_rng(0))
    touched = (half != faces).any(axis=(1, 2)).sum()
    assert 10 <= touched <= 30
    all_of_them = augment.degrade(faces, 1.0, np.random.default_rng(0))
    assert (all_of_them != faces).any(axis=(1, 2)).all()
    assert np.abs(all_of_them.astype(int) - faces).mean() < 25  # still the same faces
