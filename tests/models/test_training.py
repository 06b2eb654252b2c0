import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pandas as pd
import pytest

from engagement.emotion import EXPRESSIONS
from inference.expression import standardised
from models import augment, metrics, zoo
from models import train as training
from models.data import SIZE, VOTE_OF, VOTES, read_faces, resized
from models.errors import TrainingError
from models.golden import golden_faces
from models.narrow import narrow
from models.runs import (
    BEST,
    FITTED,
    RUN,
    find_runs,
    input_size_of,
    load_classifier,
    load_run,
    teach,
    wants_standardised,
)
from models.train import Phase, TrainSettings, phases_of, train
from models.zoo.classical import hog
from models.zoo.cnn import build_vgg
from models.zoo.imagenet import load_backbone
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
        return [saved[key] for key in sorted(filter(str.isdecimal, saved), key=int)]


def listen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Views, targets and what the network gave, of the steps that are done from now on."""
    heard: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    make_step = training.backend().make_step

    def listening(*parts: Any) -> Any:
        step = make_step(*parts)

        def hear(views: np.ndarray, targets: np.ndarray, decay: float) -> Any:
            figures, given = step(views, targets, decay)
            heard.append((views, targets, given))
            return figures, given

        return hear

    monkeypatch.setattr(training.backend(), "make_step", listening)
    return heard


@pytest.mark.parametrize("self_weight", [0.0, 0.8])
def test_a_run_that_stops_and_goes_on_ends_as_one_that_did_not(
    self_weight: float, faces_csv: Path, tmp_path: Path
) -> None:
    straight = train(settings(faces_csv, tmp_path / "straight", self_weight=self_weight))

    def cut(record: dict[str, float]) -> None:
        if record["epoch"] == 2:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        train(settings(faces_csv, tmp_path / "cut", self_weight=self_weight), on_epoch=cut)
    resumed = train(settings(faces_csv, tmp_path / "cut", self_weight=self_weight))

    for one, other in zip(weights(straight), weights(resumed), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    records = [json.loads((folder / RUN).read_text()) for folder in (straight, resumed)]
    assert [r["epoch"] for r in records[1]["history"]] == [1, 2, 3]
    assert records[0]["history"][-1]["loss"] == pytest.approx(records[1]["history"][-1]["loss"], rel=1e-4)


def test_what_the_network_thought_of_a_face_grows_into_its_targets(
    faces_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = listen(monkeypatch)
    # one batch of all faces, whose order differs by epoch
    chosen = settings(faces_csv, tmp_path / "run", batch=48, self_weight=0.9)
    train(chosen)
    asked, answered = ([step[part] for step in steps] for part in (1, 2))

    orders = [np.random.default_rng([chosen.seed, epoch]) for epoch in range(3)]
    faces = read_faces(faces_csv)["Training"]
    places = []
    for phase, rng in zip((chosen.phases[0],) * 2 + (chosen.phases[1],), orders, strict=True):
        augment.degrade(faces.images, phase.degraded, rng)
        places.append(np.argsort(rng.permutation(len(faces))))
    given, first, second = (
        rows[place] for rows, place in zip((asked[0], *answered[:2]), (places[0], *places[:2]), strict=True)
    )
    np.testing.assert_allclose(given.max(axis=1), 0.95 + 0.05 / 7, rtol=1e-5)
    thoughts = training.SELF_KEEP * first + (1 - training.SELF_KEEP) * second
    np.testing.assert_allclose(asked[1][places[1]], 0.7 * given + 0.3 * first, rtol=1e-4)
    np.testing.assert_allclose(asked[2][places[2]], 0.4 * given + 0.6 * thoughts, rtol=1e-4)


def test_a_sharpness_aware_step_takes_its_gradient_uphill_and_leaves_the_statistics_where_it_was() -> None:
    rng = np.random.default_rng(5)
    views = rng.uniform(0, 255, (12, 16, 16, 1)).astype(np.float32)
    targets = np.eye(7, dtype=np.float32)[rng.integers(0, 7, 12)]
    inputs = keras.layers.Input((16, 16, 1))
    x = conv_norm(keras.layers.Rescaling(1 / 64, offset=-2.0)(inputs), 4, strides=2)
    drawn = keras.Model(inputs, keras.layers.Dense(7)(keras.layers.GlobalAveragePooling2D()(x)))
    start = [rng.normal(0, 0.3, w.shape).astype(np.float32) if w.ndim > 1 else w for w in drawn.get_weights()]
    trained = [weight.trainable for weight in drawn.weights]

    def after_step(weights: list[np.ndarray], rows: slice, sharpness: float) -> list[np.ndarray]:
        model, average = keras.models.clone_model(drawn), keras.models.clone_model(drawn)
        model.set_weights(weights)
        optimizer = keras.optimizers.SGD(1.0)
        optimizer.build(model.trainable_variables)
        step = training.backend().make_step(model, average, optimizer, sharpness)
        figures, _ = step(views[rows], targets[rows], 0.5)
        assert np.isfinite(figures).all()
        return [np.asarray(weight) for weight in model.get_weights()]

    half = after_step(start, slice(6), 0.0)
    rises = [old - new if own else 0 * old for old, new, own in zip(start, half, trained, strict=True)]
    norm = np.sqrt(sum(float((rise**2).sum()) for rise in rises))
    uphill = [old + 0.2 * rise / norm for old, rise in zip(start, rises, strict=True)]
    there = after_step(uphill, slice(12), 0.0)
    aware = after_step(start, slice(12), 0.2)
    for own, old, new, left, came in zip(trained, start, aware, uphill, there, strict=True):
        if own:
            np.testing.assert_allclose(old - new, left - came, rtol=1e-3, atol=1e-5)
    for own, new, statistics in zip(trained, aware, half, strict=True):
        if not own:
            np.testing.assert_allclose(new, statistics, rtol=1e-5)
    on_the_spot = after_step(start, slice(12), 0.0)
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(aware, on_the_spot, strict=True))


def test_a_run_is_described_and_its_best_weights_load(faces_csv: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    out = train(
        settings(faces_csv, tmp_path / "run"), on_step=lambda done, total: steps.append((done, total))
    )
    assert steps[0] == (1, 9)
    assert steps[-1] == (9, 9)
    run = json.loads((out / RUN).read_text())
    assert run["settings"]["phases"][1] == {
        "epochs": 1, "size": 22, "degraded": 0.0, "erased": 0.0, "strength": 1.0
    }  # fmt: skip
    assert len(run["data_sha256"]) == 64
    assert run["chosen_epoch"] == 3  # only epochs at the last size count
    assert str(tmp_path) not in (out / RUN).read_text()
    assert run["begun"] == "random weights"
    assert {path.name for path in out.glob("*.svg")} == {
        "curves.svg", "confusion.svg", "reliability.svg", "coverage.svg", "height.svg"
    }  # fmt: skip
    report = json.loads((out / "evaluation.json").read_text())
    assert report["accuracy"]["value"] == pytest.approx(run["history"][2]["public_accuracy"])
    assert "surprise" in (out / "report.txt").read_text()
    network = zoo.build("tiny", input_size_of(run))
    assert network.input_shape == (None, 24, 24, 1)
    network.load_weights(out / BEST)


def test_a_run_on_standardised_faces_is_read_the_same_afterwards(faces_csv: Path, tmp_path: Path) -> None:
    phases = (Phase(2, 24, 0.0, 0.3, 0.5),)
    out = train(settings(faces_csv, tmp_path, phases=phases, cover=1.0, standardise=True))
    run = json.loads((out / RUN).read_text())
    assert run["settings"]["phases"][0]["strength"] == 0.5
    assert (input_size_of(run), wants_standardised(run)) == (24, True)
    classify, drawn = load_classifier(out), golden_faces(SIZE, 7)
    # light and contrast do not count
    np.testing.assert_allclose(classify(drawn), classify(drawn // 2 + 60), atol=0.1)
    public = read_faces(faces_csv)["PublicTest"]
    right = (classify(public.images).argmax(axis=1) == public.labels).mean()
    assert right == pytest.approx(run["history"][run["chosen_epoch"] - 1]["public_accuracy"])


def test_runs_of_before_are_read_with_the_usual_cover() -> None:
    older: dict[str, Any] = {
        "settings": {"architecture": "resnet-s"},
        "history": [{"size": 32}, {"size": 44}],
    }
    assert (input_size_of(older), wants_standardised(older)) == (48, False)


def test_going_on_with_other_settings_is_refused(faces_csv: Path, tmp_path: Path) -> None:
    phases = (Phase(1, 16, 0.0, 0.0),)
    train(settings(faces_csv, tmp_path, phases=phases))
    with pytest.raises(TrainingError, match="begun with another seed"):
        train(settings(faces_csv, tmp_path, phases=phases, seed=2))
    other = tmp_path / "fer2013.csv"
    other.write_text(faces_csv.read_text().replace("PublicTest", "Training", 1))
    with pytest.raises(TrainingError, match="begun with another data set"):
        train(settings(other, tmp_path, phases=phases))
    # one of before self-distillation was known
    record = json.loads((tmp_path / RUN).read_text())
    del record["settings"]["self_weight"]
    (tmp_path / RUN).write_text(json.dumps(record))
    train(settings(faces_csv, tmp_path, phases=phases))
    with pytest.raises(TrainingError, match="begun with another self_weight"):
        train(settings(faces_csv, tmp_path, phases=phases, self_weight=0.5))


class PowerCutError(Exception):
    """Ends a training between two of its writes."""


@pytest.mark.parametrize(("write", "epoch"), [("savez", 1), ("savez", 2), ("replace_file", 2)])
def test_a_run_cut_off_between_its_writes_does_that_epoch_again(
    write: str, epoch: int, faces_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phases = (Phase(3, 16, 0.5, 0.5),)
    straight = train(settings(faces_csv, tmp_path / "straight", phases=phases))
    cut = settings(faces_csv, tmp_path / "cut", phases=phases)
    place: Any = np if write == "savez" else training
    writes, calls = getattr(place, write), []

    def fail(*what: Any, **named: Any) -> None:
        calls.append(what)
        if len(calls) == epoch:
            raise PowerCutError
        writes(*what, **named)

    with monkeypatch.context() as patch:
        patch.setattr(place, write, fail)
        with pytest.raises(PowerCutError):
            train(cut)
    resumed = train(cut)
    for one, other in zip(weights(straight), weights(resumed), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    history = json.loads((resumed / RUN).read_text())["history"]
    assert [row["epoch"] for row in history] == [1, 2, 3]


def test_the_weights_that_are_kept_are_those_of_the_epoch_that_is_named(
    faces_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 2 equals 1 and keeps nothing; 4 is judged at another size; of 5 and 6 at the first size again, 5 is better
    accuracies = [0.5, 0.5, 0.9, 0.1, 0.4, 0.3]
    judged: list[float] = []
    kept: list[int] = []

    def judge(*_: object) -> dict[str, float]:
        judged.append(accuracies[len(judged)])
        return {"public_accuracy": judged[-1], "public_loss": 1.0}

    save = keras.Model.save_weights

    def saving(model: keras.Model, path: Path) -> None:
        kept.append(len(judged))
        save(model, path)

    monkeypatch.setattr(training, "judge", judge)

    monkeypatch.setattr(keras.Model, "save_weights", saving)
    phases = (Phase(3, 22, 0.0, 0.0), Phase(1, 16, 0.0, 0.0), Phase(2, 22, 0.0, 0.0))
    out = train(settings(faces_csv, tmp_path, phases=phases))
    assert kept == [1, 3, 4, 5]
    assert json.loads((out / RUN).read_text())["chosen_epoch"] == 5


def test_a_broken_run_is_named(faces_csv: Path, tmp_path: Path) -> None:
    phases = (Phase(2, 16, 0.0, 0.0),)
    out = train(settings(faces_csv, tmp_path, phases=phases))
    whole = (out / RUN).read_text()
    for text in ("", "[]", "{}", '{"settings": {}, "history": []}', '{"settings": 1, "history": [1]}'):
        (out / RUN).write_text(text)
        with pytest.raises(TrainingError, match=r"holds no finished run|tells of no epoch"):
            train(settings(faces_csv, out, phases=phases))
    (out / RUN).write_text(whole)
    for name in ("checkpoint.npz", BEST):
        contents = (out / name).read_bytes()
        (out / name).write_bytes(contents[: len(contents) // 2])
    with pytest.raises(TrainingError, match=r"checkpoint\.npz cannot be loaded"):
        train(settings(faces_csv, out, phases=phases))
    with pytest.raises(TrainingError, match=r"weights\.h5 cannot be loaded"):
        load_classifier(out)
    with pytest.raises(TrainingError, match=r"weights\.h5 cannot be loaded"):
        train(settings(faces_csv, tmp_path / "next", phases=phases, start=out))
    (out / RUN).write_text(whole.replace('"tiny"', '"tileface"'))
    with pytest.raises(TrainingError, match="no run of a classifier"):
        load_classifier(out)


def test_a_data_set_without_a_split_to_choose_on_is_told_so(faces_csv: Path, tmp_path: Path) -> None:
    data = tmp_path / "fer2013.csv"
    data.write_text(faces_csv.read_text().replace("PublicTest", "PrivateTest"))
    with pytest.raises(TrainingError, match=r"has Training and PrivateTest; .* train/ and val/"):
        train(settings(data, tmp_path / "out"))


def test_what_cannot_be_trained_is_refused(faces_csv: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="do not fill a batch of 64"):
        train(settings(faces_csv, tmp_path, batch=64))
    with pytest.raises(TrainingError, match="no architecture 'alexnet'; choose one of"):
        train(settings(faces_csv, tmp_path, architecture="alexnet"))


def test_learning_moves_the_loss_down(faces_csv: Path, tmp_path: Path) -> None:
    out = train(settings(faces_csv, tmp_path, phases=(Phase(15, 16, 0.0, 0.0),)))
    losses = [record["loss"] for record in json.loads((out / RUN).read_text())["history"]]
    assert np.mean(losses[-3:]) < np.mean(losses[:3]) - 0.05


def test_a_run_begins_with_the_weights_of_another_and_learns_from_it(faces_csv: Path, tmp_path: Path) -> None:
    phases = (Phase(1, 22, 0.0, 0.0),)
    first = train(settings(faces_csv, tmp_path / "first", phases=phases))
    second = train(
        settings(
            faces_csv, tmp_path / "second", phases=phases, start=first, teachers=(first,), learning_rate=1e-9
        )
    )
    record = json.loads((second / RUN).read_text())
    assert record["begun"] == "weights of the run first"
    assert record["settings"]["teachers"] == ["first"]
    learnt = hashlib.sha256((first / BEST).read_bytes()).hexdigest()
    assert record["settings"]["teachers_sha256"] == [record["settings"]["start_sha256"]] == [learnt]
    drawn = golden_faces(SIZE, 7)
    np.testing.assert_allclose(
        load_classifier(second)(drawn), load_classifier(first)(drawn), atol=0.2
    )  # only batch statistics moved
    with pytest.raises(TrainingError, match=r"is a tiny, this run trains a cnn-4\. Only plain chains"):
        train(settings(faces_csv, tmp_path / "third", phases=phases, start=first, architecture="cnn-4"))
    shutil.copy(second / BEST, first / BEST)
    with pytest.raises(TrainingError, match="begun with another teachers_sha256, start_sha256"):
        train(
            settings(
                faces_csv,
                tmp_path / "second",
                phases=phases,
                start=first,
                teachers=(first,),
                learning_rate=1e-9,
            )
        )


def test_teachers_judge_the_views_that_the_network_sees(
    faces_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = train(settings(faces_csv, tmp_path / "first", phases=(Phase(1, 22, 0.0, 0.0),)))
    steps = listen(monkeypatch)
    chosen = settings(
        faces_csv, tmp_path / "second", phases=(Phase(1, 22, 0.0, 0.5, mixed=0.5),), seed=4,
        teachers=(first, first), teacher_weight=1.0, teachers_see_views=True,
    )  # fmt: skip
    train(chosen)
    network, _ = load_run(first)
    for views, targets, _ in steps:
        said = metrics.softmax(np.asarray(network(views), np.float64))
        np.testing.assert_allclose(targets, said, atol=1e-4)
    assert len(steps) == 3
    record = json.loads((tmp_path / "second" / RUN).read_text())
    assert record["settings"]["teachers_see_views"]
    assert record["settings"]["phases"][0]["mixed"] == 0.5
    mirroring = replace(chosen, out=tmp_path / "mirroring", teachers_mirror=True)
    del steps[:]
    train(mirroring)
    given, seen = (np.concatenate([step[part] for step in steps]) for part in (1, 0))
    ways = [metrics.softmax(np.asarray(network(one), np.float64)) for one in (seen, seen[:, :, ::-1])]
    apart = np.abs(ways[0] - ways[1]).max(axis=1) > 1e-3
    plain, mirrored = (np.abs(given - way).max(axis=1) < 1e-4 for way in ways)
    assert (plain | mirrored).all()
    assert 0.2 < mirrored[apart].mean() < 0.8
    with pytest.raises(TrainingError, match="--teachers-mirror needs --teachers-see-views"):
        train(replace(mirroring, out=tmp_path / "third", teachers_see_views=False))
    with pytest.raises(TrainingError, match="--teachers-see-views wants networks with the same --heads"):
        train(replace(chosen, out=tmp_path / "third", standardise=True))


def test_of_faces_without_labels_only_teachers_tell(
    faces_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = tmp_path / "pictures.parquet"
    faces = [cv2.imencode(".png", face)[1].tobytes() for face in golden_faces(SIZE, 16)]
    pd.DataFrame({"image": faces}).to_parquet(pictures)
    first = train(settings(faces_csv, tmp_path / "first", phases=(Phase(1, 22, 0.0, 0.0),)))
    heard: list[tuple[int, int]] = []
    steps = listen(monkeypatch)
    chosen = settings(
        faces_csv, tmp_path / "second", phases=(Phase(1, 22, 0.0, 0.0), Phase(1, 22, 0.0, 0.0, mixed=1.0)),
        teachers=(first,), teacher_weight=0.25, teachers_see_views=True, unlabelled=(pictures,),
    )  # fmt: skip
    train(chosen, on_step=lambda done, total: heard.append((done, total)))
    assert heard == [(n, 16) for n in range(1, 17)] + [(n, 8) for n in range(1, 9)]
    network, _ = load_run(first)
    alone = 0
    for views, targets, _ in steps:
        said = metrics.softmax(np.asarray(network(views), np.float64))
        np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-5)
        assert (targets >= 0.25 * said - 1e-5).all()
        alone += int(np.isclose(targets, said, atol=1e-4).all(axis=1).sum())
    told = np.concatenate([targets for _, targets, _ in steps[:4]])
    assert alone >= 16
    # three quarters of a label that is smoothed by 0.05
    assert (told.max(axis=1) > 0.75 * 0.95).sum() == 48
    record = json.loads((tmp_path / "second" / RUN).read_text())
    assert (record["faces"], record["unlabelled_faces"]) == (48, 16)
    assert record["settings"]["unlabelled"] == ["pictures.parquet"]
    assert "--unlabelled pictures.parquet" in training.command_of(record["settings"] | {"average": 0.998})
    with pytest.raises(TrainingError, match="--unlabelled needs --teacher and --teachers-see-views"):
        train(replace(chosen, out=tmp_path / "third", teachers_see_views=False))
    pd.DataFrame({"image": faces[:8]}).to_parquet(pictures)
    with pytest.raises(TrainingError, match="begun with another unlabelled_sha256"):
        train(chosen)


def test_of_posed_faces_only_their_labels_count(
    faces_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = tmp_path / "actors.parquet"
    faces = [cv2.imencode(".png", face)[1].tobytes() for face in golden_faces(SIZE, 17)]
    pd.DataFrame({"image": faces, "label": ["disgust"] * 16 + ["contempt"]}).to_parquet(pictures)
    first = train(settings(faces_csv, tmp_path / "first", phases=(Phase(1, 22, 0.0, 0.0),)))
    steps = listen(monkeypatch)
    chosen = settings(
        faces_csv, tmp_path / "second", phases=(Phase(1, 22, 0.0, 0.0),), seed=4,
        teachers=(first,), teacher_weight=1.0, teachers_see_views=True, posed=(pictures,),
    )  # fmt: skip
    train(chosen)
    network, _ = load_run(first)
    posed = 0
    for views, targets, _ in steps:
        said = metrics.softmax(np.asarray(network(views), np.float64))
        labelled = targets[:, EXPRESSIONS.index("disgust")] > 0.95
        posed += int(labelled.sum())
        np.testing.assert_allclose(targets[~labelled], said[~labelled], atol=1e-4)
    assert posed == 16
    record = json.loads((tmp_path / "second" / RUN).read_text())
    assert (record["faces"], record["posed_faces"]) == (48, 16)
    assert record["settings"]["posed"] == ["actors.parquet"]
    assert "unlabelled" not in record["settings"]


def test_mixed_faces_have_mixed_targets(
    faces_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = listen(monkeypatch)
    for share in (0.0, 1.0):
        phases = (Phase(1, 16, 0.0, 0.0, mixed=share),)
        train(settings(faces_csv, tmp_path / str(share), phases=phases, batch=48, self_weight=0.5))
    alone, mixed = (targets for _, targets, _ in steps)
    np.testing.assert_allclose(mixed.sum(axis=1), 1, atol=1e-5)
    # another face with another label takes a part of what was this one's
    assert (mixed.max(axis=1) < alone.max(axis=1) - 0.02).mean() > 0.5


def test_views_are_mixed_in_the_shares_that_are_told() -> None:
    views = np.random.default_rng(1).uniform(0, 255, (40, 4, 4, 1)).astype(np.float32)
    mixed, partners, own = augment.mix(views, 0.5, np.random.default_rng(2))
    again = augment.mix(views, 0.5, np.random.default_rng(2))[0]
    np.testing.assert_array_equal(mixed, again)
    weights = own[:, :, None, None]
    np.testing.assert_allclose(mixed, weights * views + (1 - weights) * views[partners], atol=1e-3)
    assert 0.3 < (own == 1).mean() < 0.7
    assert 0 <= own.min() < 0.2
    np.testing.assert_array_equal(augment.mix(views, 0.0, np.random.default_rng(2))[0], views)


def test_a_slim_network_keeps_the_filters_that_matter() -> None:
    """Of a network in which some filters say nothing or are not listened to, none of the others is lost."""
    rng = np.random.default_rng(6)
    wide, slim = build_vgg(None, 7, filters=(6, 8)), build_vgg(None, 7, filters=(4, 5))
    wide.set_weights([np.abs(rng.normal(0, 0.3, w.shape)) + 0.05 for w in wide.get_weights()])
    held = [layer for layer in wide.layers if layer.weights]
    for place, (norm, count) in enumerate(zip(held[1:-1:2], (2, 2, 3, 3), strict=True)):
        dead = rng.permutation(norm.gamma.shape[0])[:count]
        if place % 2:
            gamma, beta, *moving = norm.get_weights()
            gamma[dead], beta[dead] = 0, 0
            norm.set_weights([gamma, beta, *moving])
        else:
            reader = held[2 * place + 2]
            kernel, *bias = reader.get_weights()
            kernel[..., dead, :] = 0
            reader.set_weights([kernel, *bias])
    narrow(wide, slim)
    faces = golden_faces(32)[..., None].astype(np.float32)
    assert slim.count_params() < wide.count_params()
    np.testing.assert_allclose(np.asarray(slim(faces)), np.asarray(wide(faces)), rtol=1e-4)


def test_what_is_no_slimmer_version_is_refused() -> None:
    wide = build_vgg(None, 7, filters=(4, 6))
    with pytest.raises(TrainingError, match="cannot be cut out of one of"):
        narrow(wide, build_vgg(None, 7, filters=(4, 8)))
    with pytest.raises(TrainingError, match="of the same plan, such as vgg"):
        narrow(wide, build_vgg(None, 7, filters=(4, 6, 6)))
    with pytest.raises(TrainingError, match="Only plain chains of convolutions"):
        narrow(zoo.build("resnet-s", None), zoo.build("resnet-slim", None))


def test_two_heads_learn_label_and_votes_apart(faces_csv: Path, tmp_path: Path) -> None:
    """Votes that are the label's opposite: no single head could know both."""
    table = pd.read_csv(faces_csv)
    voted = pd.DataFrame(0, index=table.index, columns=["Usage", "Image name", *VOTES])
    voted["Usage"], voted["Image name"] = table["Usage"], "fer.png"
    for row, label in enumerate(table["emotion"]):
        voted.loc[row, VOTE_OF[EXPRESSIONS[6 - label]]] = 10
    folder = tmp_path / "data"
    folder.mkdir()
    table.to_csv(folder / "fer2013.csv", index=False)
    voted.to_csv(folder / "fer2013new.csv", index=False)
    run = train(
        settings(
            folder / "fer2013.csv", tmp_path / "run", heads=2, self_weight=0.3, learning_rate=0.3,
            phases=(Phase(60, 16, 0.0, 0.0, 0.0),),
        )
    )  # fmt: skip
    history = json.loads((run / RUN).read_text())["history"]
    assert history[-1]["loss"] < history[0]["loss"] - 0.3
    faces = read_faces(folder / "fer2013.csv")["Training"]
    logits = load_classifier(run)(faces.images)
    assert logits.shape == (48, 14)
    by_label, by_votes = logits[:, :7].argmax(axis=1), logits[:, 7:].argmax(axis=1)
    assert np.corrcoef(by_label, faces.labels)[0, 1] > 0.6
    assert np.corrcoef(by_votes, faces.labels)[0, 1] < -0.6
    assert {"accuracy", "votes"} <= json.loads((run / "evaluation.json").read_text()).keys()
    # a teacher of one head teaches both what it knows, one of two teaches a single head the mean
    alone = teach([run], faces.images, heads=1)
    np.testing.assert_allclose(alone.sum(axis=1), 1, atol=1e-5)
    assert teach([run], faces.images, heads=2).shape == (48, 14)
    with pytest.raises(TrainingError, match="has --heads 2; give the same"):
        train(settings(folder / "fer2013.csv", tmp_path / "other", start=run))


@pytest.mark.parametrize("machine", sorted(zoo.MACHINES))
def test_machines_learn_what_networks_learn(machine: str, faces_csv: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    out = train(settings(faces_csv, tmp_path, architecture=machine), on_step=lambda *step: steps.append(step))
    assert steps == [(1, 3), (2, 3), (3, 3)]
    record = json.loads((out / RUN).read_text())
    assert record["feature"].startswith("HOG")
    assert find_runs(out) == [out]
    logits = load_classifier(out)(golden_faces(SIZE, 5))
    assert logits.shape == (5, 7)
    assert np.isfinite(logits).all()
    report = json.loads((out / "evaluation.json").read_text())
    assert report["accuracy"]["value"] == pytest.approx(record["history"][0]["public_accuracy"])
    before = (out / FITTED).stat().st_mtime_ns
    train(settings(faces_csv, out, architecture=machine))
    assert (out / FITTED).stat().st_mtime_ns == before
    with pytest.raises(TrainingError, match="begun with another seed"):
        train(settings(faces_csv, out, architecture=machine, seed=5))


def test_gradient_histograms_tell_direction_and_not_brightness() -> None:
    ramp = np.tile(np.arange(48, dtype=np.uint8) * 3, (1, 48, 1))
    across, down = hog(ramp)[0].reshape(-1, 9), hog(ramp.transpose(0, 2, 1))[0].reshape(-1, 9)
    assert (across.argmax(axis=1) == 0).all()  # the gradient points along the rows
    assert set(down.argmax(axis=1)) <= {4, 5}  # a quarter turn lies between bins 4 and 5
    faces = golden_faces(SIZE, 3)
    np.testing.assert_allclose(hog(faces), hog(faces // 2 + 40), atol=0.06)
    np.testing.assert_array_equal(hog(golden_faces(24, 2)), hog(resized(golden_faces(24, 2), SIZE)))


@pytest.mark.parametrize(
    "name",
    ["resnet-s", "resnet-slim", "resnet-fine", "vgg-narrow", "vgg-slim", "cnn-4", "cnn-256", "mini-xception"],
)
def test_every_architecture_maps_faces_of_any_size_to_seven_logits(name: str) -> None:
    network = zoo.build(name, None)
    assert network(golden_faces(32, 4)[..., None].astype(np.float32)).shape == (4, 7)
    assert network(golden_faces(48, 4)[..., None].astype(np.float32)).shape == (4, 7)
    assert network.layers[1].name.startswith("rescaling")


def test_parameters_and_multiply_adds_are_counted() -> None:
    network = zoo.build("tiny", 48)
    assert zoo.multiply_adds(network) == 24 * 24 * 9 * 4 + 4 * 7
    published = zoo.build("cnn-256", 48)
    assert 2.05e6 < published.count_params() < 2.15e6
    dense = [layer.units for layer in published.layers if isinstance(layer, keras.layers.Dense)]
    assert dense == [512, 256, 128, 7]
    assert zoo.build("resnet-slim", 48).count_params() < 1_500_000
    assert zoo.build("vgg-slim", 48).count_params() < 1_500_000
    assert zoo.build("vgg-narrow", 48).count_params() < 1_500_000
    assert zoo.build("resnet-fine", 48).count_params() < 1_500_000


@pytest.mark.parametrize(("name", "millions"), [("vgg", 2.64), ("resnet50", 23.6)])
def test_what_is_too_large_to_ship_is_as_large_as_told(name: str, millions: float) -> None:
    network = zoo.build(name, 32)
    assert network(golden_faces(32, 1)[..., None].astype(np.float32)).shape == (1, 7)
    assert network.count_params() / 1e6 == pytest.approx(millions, rel=0.01)


def test_backbones_take_weights_from_a_file_alone(tmp_path: Path) -> None:
    network = zoo.build("xception", 64)
    assert network(golden_faces(64, 1)[..., None].astype(np.float32)).shape == (1, 7)
    assert 20e6 < network.count_params() < 22e6
    assert zoo.multiply_adds(network) > 1e8
    backbone = next(layer for layer in network.layers if layer.name == "backbone")
    backbone.save_weights(tmp_path / "imagenet.weights.h5")
    kernel = backbone.trainable_weights[0]
    expected = np.array(kernel)
    kernel.assign(kernel * 0)
    load_backbone(network, tmp_path / "imagenet.weights.h5")
    np.testing.assert_array_equal(np.array(kernel), expected)
    (tmp_path / "broken.h5").write_bytes(b"no weights")
    with pytest.raises(TrainingError, match="cannot be loaded"):
        load_backbone(network, tmp_path / "broken.h5")
    with pytest.raises(TrainingError, match="Only resnet50 and xception"):
        load_backbone(zoo.build("tiny", 48), tmp_path / "imagenet.weights.h5")


def test_epochs_are_shared_out_over_the_phases() -> None:
    assert [phase.epochs for phase in phases_of(48)] == [17, 12, 19]
    assert [phase.epochs for phase in phases_of(2)] == [1, 1]
    assert phases_of(2)[-1].size == 44
    assert [phase.size for phase in phases_of(1)] == [44]


def test_an_unknown_precision_is_refused(faces_csv: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no precision 'float12'"):
        train(settings(faces_csv, tmp_path, precision="float12"))
    assert keras.mixed_precision.dtype_policy().name == "float32"


def test_views_depend_on_the_seed_alone() -> None:
    faces = golden_faces(SIZE, 8)

    def view(seed: int) -> np.ndarray:
        return augment.view(faces, np.random.default_rng(seed), 20, 44.0, 0.5)

    first = view(100)
    assert first.shape == (8, 20, 20, 1)
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() <= 255
    np.testing.assert_array_equal(first, view(100))
    assert np.abs(first - view(200)).mean() > 5


def test_views_of_no_strength_are_the_face_itself_or_its_mirror_image() -> None:
    faces = golden_faces(SIZE, 8)
    views = augment.view(
        faces, np.random.default_rng(2), SIZE, float(SIZE), 0.0, strength=0.0, standardise=True
    )[..., 0]
    np.testing.assert_allclose(views.mean(axis=(1, 2)), 128, atol=0.1)
    np.testing.assert_allclose(views.std(axis=(1, 2)), 64, atol=0.1)
    plain = standardised(faces)
    away = np.minimum(
        np.abs(views - plain).mean(axis=(1, 2)), np.abs(views - plain[:, :, ::-1]).mean(axis=(1, 2))
    )
    assert away.max() < 5  # but for noise


def test_a_view_shows_the_middle_of_the_face_either_way_round() -> None:
    faces = np.zeros((400, SIZE, SIZE), np.uint8)
    faces[:, 20:28, 6:14] = 255  # a mark on the left
    views = augment.view(faces, np.random.default_rng(1), SIZE, float(SIZE), 0.0)[..., 0]
    bright = views > 128
    centre = np.array([np.argwhere(mark).mean(axis=0) for mark in bright if mark.any()])
    left = (centre[:, 1] < 24).mean()
    assert 0.4 < left < 0.6
    assert abs(np.median(np.abs(centre[:, 1] - 23.5)) - 14) < 2
    assert abs(np.median(centre[:, 0]) - 23.5) < 1.5


def test_degrading_touches_only_the_share_asked_for() -> None:
    faces = golden_faces(SIZE, 40)
    np.testing.assert_array_equal(augment.degrade(faces, 0.0, np.random.default_rng(0)), faces)
    half = augment.degrade(faces, 0.5, np.random.default_rng(0))
    touched = (half != faces).any(axis=(1, 2)).sum()
    assert 10 <= touched <= 30
    all_of_them = augment.degrade(faces, 1.0, np.random.default_rng(0))
    assert (all_of_them != faces).any(axis=(1, 2)).all()
    assert np.abs(all_of_them.astype(int) - faces).mean() < 25  # still the same faces
