import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from classpulse.cli import app
from models.averaging import average
from models.data import SIZE
from models.errors import TrainingError
from models.golden import golden_faces
from models.runs import EVALUATION, RUN, load_classifier, load_run
from models.train import Phase, TrainSettings, train

pytestmark = pytest.mark.filterwarnings(
    # Keras 3.15 with NumPy 2.4, when it saves weights
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A data set and two runs on it, the second of which began with the first."""
    folder = tmp_path_factory.mktemp("runs")
    for split, count in (("train", 28), ("val", 14)):
        for number, face in enumerate(golden_faces(SIZE, count)):
            place = folder / "faces" / split / ("happy", "sad", "neutral")[number % 3]
            place.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(place / f"{number}.png"), face)
    made: list[Path] = []
    for name, phase in (("first", Phase(1, 16, 0.0, 0.0)), ("second", Phase(2, 22, 0.0, 0.5))):
        settings = TrainSettings(
            folder / "faces", folder / name, architecture="mini-xception", phases=(phase,), batch=14,
            average=0.5, precision="float32", start=made[0] if made else None,
        )  # fmt: skip
        made.append(train(settings))
    return [folder / "faces", *made]


def test_a_mean_lies_between_the_runs(runs: list[Path], tmp_path: Path) -> None:
    faces, _, second = runs
    # of one size, or they have no mean
    third = tmp_path / "third"
    shutil.copytree(second, third)
    network, _ = load_run(second)
    network.set_weights([weights * 3 for weights in network.get_weights()])
    network.save_weights(third / "best.weights.h5")
    out = average([third, second], faces, tmp_path / "mean")
    mean, _ = load_run(out)
    for found, before in zip(mean.get_weights(), load_run(second)[0].get_weights(), strict=True):
        np.testing.assert_allclose(found, 2 * before, rtol=1e-5)
    record = json.loads((out / RUN).read_text())
    assert record["averaged"]["runs"] == ["third", "second"]
    report = json.loads((out / EVALUATION).read_text())
    assert record["averaged"]["public_accuracy"] == pytest.approx(report["accuracy"]["value"])
    assert record["settings"] == json.loads((second / RUN).read_text())["settings"]
    assert load_classifier(out)(golden_faces(SIZE)).shape == (6, 7)
    listed = CliRunner().invoke(app, ["models", "list", str(tmp_path), "--json"])
    row = next(row for row in json.loads(listed.stdout) if row["run"] == "mean")
    assert f"{report['accuracy']['value']:.1%}" in str(row.values())


def test_networks_that_have_no_mean_are_refused(runs: list[Path], tmp_path: Path) -> None:
    faces, first, second = runs
    with pytest.raises(TrainingError, match="first and second differ"):
        average([first, second], faces, tmp_path / "mean")
    with pytest.raises(TrainingError, match="takes two runs or more"):
        average([first], faces, tmp_path / "mean")
    with pytest.raises(TrainingError, match="holds a run already"):
        average([second, second], faces, first)
    machine = train(TrainSettings(faces, tmp_path / "machine", architecture="svm-linear"))
    with pytest.raises(TrainingError, match="machine is a svm-linear; only networks have a mean"):
        average([second, machine], faces, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_the_command_tells_what_came_of_it(runs: list[Path], tmp_path: Path) -> None:
    faces, _, second = runs
    out = tmp_path / "mean"
    answer = CliRunner().invoke(
        app, ["models", "average", str(out), str(second), str(second), "--data", str(faces)]
    )
    assert answer.exit_code == 0
    assert f"Serve it with: classpulse models export {out}" in answer.stderr
    for mean, own in zip(load_run(out)[0].get_weights(), load_run(second)[0].get_weights(), strict=True):
        np.testing.assert_array_equal(mean, own)
