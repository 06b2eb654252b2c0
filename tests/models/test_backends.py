"""Training steps under every Keras backend that is installed, each in a process of its own."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.data import SIZE
from models.golden import golden_faces

BACKENDS = ("tensorflow", "torch", "jax")
REPOSITORY = str(Path(__file__).parents[2])

pytestmark = pytest.mark.timeout(1200)  # three frameworks load and compile

SCRIPT = """
import json, sys
from pathlib import Path
import keras, numpy as np
from models import zoo
from models.backends import backend
from models.golden import golden_faces
from models.runs import RUN, load_classifier
from models.train import Phase, TrainSettings, train
from models.zoo.layers import conv_norm

def build(size, classes):
    inputs = keras.layers.Input((size, size, 1))
    x = conv_norm(keras.layers.Rescaling(1 / 64, offset=-2.0)(inputs), 6, strides=2)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, keras.layers.Dense(classes)(x))
    rng = np.random.default_rng(4)
    model.set_weights([rng.normal(0, 0.3, w.shape) if w.ndim > 1 else w for w in model.get_weights()])
    return model

zoo.ARCHITECTURES["tiny"] = build
data, out = map(Path, sys.argv[1:])
settings = TrainSettings(data, out, "tiny", (Phase(4, 22, 0.3, 0.3),), batch=16, average=0.5, precision="float32")

class Stop(Exception):
    pass

def stop(record):
    if record["epoch"] == 2:
        raise Stop

try:
    train(settings, on_epoch=stop)
except Stop:
    train(settings)
run = json.loads((out / RUN).read_text())
logits = load_classifier(out)(golden_faces(24, 3))
print(json.dumps({"run": run, "logits": logits.tolist(), "device": backend().device()}))
"""


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What each installed backend learnt from the same faces, weights and views, stopped once on the way."""
    folder = tmp_path_factory.mktemp("backends")
    labels = np.random.default_rng(3).integers(0, 7, 48)
    images = np.clip(golden_faces(SIZE, 48) * 0.3 + labels[:, None, None] * 28, 0, 255).astype(np.uint8)
    pixels = [" ".join(map(str, image.ravel())) for image in images]
    usage = ["Training"] * 32 + ["PublicTest"] * 16
    pd.DataFrame({"emotion": labels, "pixels": pixels, "Usage": usage}).to_csv(
        folder / "fer2013.csv", index=False
    )
    found = {}
    for name in BACKENDS:
        if importlib.util.find_spec(name) is None:
            continue
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, folder / "fer2013.csv", folder / name],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ
            | {"KERAS_BACKEND": name, "TF_CPP_MIN_LOG_LEVEL": "3"}
            | {"PYTHONPATH": os.pathsep.join([REPOSITORY, *sys.path])},
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found[name] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_trains_stops_goes_on_and_is_named(name: str, learnt: dict[str, dict[str, Any]]) -> None:
    if name not in learnt:
        pytest.skip(f"needs {name}")
    run = learnt[name]["run"]
    assert name in run["versions"]
    assert run["device"] == learnt[name]["device"]
    losses = [row["loss"] for row in run["history"]]
    assert len(losses) == 4
    assert losses[-1] < losses[0]
    assert np.isfinite(learnt[name]["logits"]).all()


def test_all_backends_learn_the_same(learnt: dict[str, dict[str, Any]]) -> None:
    if len(learnt) < 2:
        pytest.skip("needs two of " + ", ".join(BACKENDS))
    (_, first), *others = learnt.items()
    for name, other in others:
        for key in ("loss", "public_loss"):
            np.testing.assert_allclose(
                [row[key] for row in other["run"]["history"]],
                [row[key] for row in first["run"]["history"]],
                rtol=2e-3,
                err_msg=f"{name} {key}",
            )
        np.testing.assert_allclose(other["logits"], first["logits"], atol=2e-2, err_msg=name)
