import json
import shutil
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import cv2
import keras
import numpy as np
import pandas as pd
import pytest

from engagement.emotion import EXPRESSIONS
from inference.expression import ExpressionClassifier, margins
from models import export as exporting
from models import zoo
from models.card import render_card
from models.data import SIZE, VOTES, FaceSet, read_faces, resized
from models.engines import ENGINES
from models.errors import DataError, TrainingError
from models.evaluate import (
    choose_threshold,
    evaluate,
    evaluate_engine,
    evaluate_run,
    logits_of,
    pace,
    proportion,
)
from models.export import export, int8_is_good_enough
from models.golden import golden_faces
from models.manifest import read_table, write_entry
from models.operating_point import choose_prior, operating_points, voters_offsets
from models.registry import read_figures, resolve
from models.runs import BEST, FITTED, RUN, Classify
from models.zoo.layers import conv_norm

pytestmark = pytest.mark.filterwarnings(
    # Keras 3.15 with NumPy 2.4, when it saves weights
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def build_tiny(size: int | None, classes: int) -> keras.Model:
    inputs = keras.layers.Input((size, size, 1))
    x = conv_norm(keras.layers.Rescaling(1 / 64, offset=-2.0)(inputs), 8, strides=2)
    return keras.Model(inputs, keras.layers.Dense(classes)(keras.layers.GlobalAveragePooling2D()(x)))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn faces whose label the votes agree with, 35 in each split."""
    rows: list[dict[str, Any]] = []
    for split in ("Training", "PublicTest", "PrivateTest"):
        for number, face in enumerate(golden_faces(SIZE, 35)):
            row: dict[str, Any] = {"usage": split, "label": EXPRESSIONS[number % 7]}
            row["image"] = cv2.imencode(".png", face)[1].tobytes()
            row |= {f"votes_{name}": 0 for name in VOTES} | {"votes_happiness": 10}
            rows.append(row)
    path = tmp_path_factory.mktemp("data") / "faces.parquet"
    pd.DataFrame(rows).to_parquet(path)
    return path


@pytest.fixture(scope="module")
def exported(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest with a tiny untrained network, exported from a run of one epoch."""
    folder = tmp_path_factory.mktemp("models")
    run = folder / "run"
    run.mkdir()
    keras.utils.set_random_seed(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zoo.ARCHITECTURES, "tiny", build_tiny)
        zoo.build("tiny", None).save_weights(run / BEST)
        settings = {
            "architecture": "tiny", "batch": 96, "learning_rate": 0.1, "weight_decay": 0.0, "average": 0.9,
            "hard_weight": 0.6, "smoothing": 0.05, "precision": "float32", "seed": 1,
            "phases": [{"epochs": 1, "size": 22, "degraded": 0.0, "erased": 0.0}],
        }  # fmt: skip
        history = [{"epoch": 1, "size": 22, "public_accuracy": 0.1}]
        record = {
            "settings": settings, "history": history, "chosen_epoch": 1, "parameters": 200,
            "versions": {"keras": "3"}, "note": "Nobody should use it.",
        }  # fmt: skip
        (run / RUN).write_text(json.dumps(record))
        export(run, data, manifest=folder / "manifest.toml")
    return folder / "manifest.toml"


def test_an_export_can_be_resolved_and_answers_its_golden_faces(exported: Path) -> None:
    entry = resolve("expression", exported)
    assert entry.input_size == 24
    assert 0 < entry.metrics["public_ece"] < 1
    assert entry.metrics["agreement_with_float"] > 0.7
    classifier = ExpressionClassifier(
        entry.path, temperature=entry.temperature, second_look=entry.second_look
    )
    golden = tomllib.loads(exported.read_text())["expression"]["golden"]
    np.testing.assert_allclose(classifier.classify(golden_faces(24)), golden["probabilities"], atol=1e-3)
    np.testing.assert_allclose(classifier.logits(golden_faces(24)), golden["logits"], atol=1e-3)
    assert sorted(path.name for path in entry.path.parent.iterdir()) == ["expression.tflite"]


def test_evaluation_counts_what_a_second_count_finds(exported: Path, data: Path, tmp_path: Path) -> None:
    card = tmp_path / "MODEL_CARD.md"
    report = evaluate(data, tmp_path, split="PrivateTest", manifest=exported, card=card)
    entry = resolve("expression", exported)
    faces = np.stack([cv2.resize(f, (24, 24), interpolation=cv2.INTER_AREA) for f in golden_faces(SIZE, 35)])
    named = ExpressionClassifier(entry.path, second_look=entry.second_look).classify(faces).argmax(axis=1)
    right = int((named == np.arange(35) % 7).sum())

    assert report["accuracy"] == {"value": right / 35, "n": 35} | {
        key: pytest.approx(report["accuracy"][key]) for key in ("low", "high")
    }
    assert report["accuracy"]["low"] <= right / 35 <= report["accuracy"]["high"]
    assert report["ferplus_majority"]["value"] == (named == EXPRESSIONS.index("happy")).mean()
    assert [row["height"] for row in report["by_height"]] == [16, 24, 32, 40, 48]
    assert report["by_height"][-1]["value"] == report["accuracy"]["value"]
    assert report["by_height"][-1]["threshold"] == entry.threshold
    assert report["by_height"][-1]["coverage"] == report["at_threshold"]["coverage"]
    assert report["macro_f1_interval"][0] <= report["macro_f1"] <= report["macro_f1_interval"][1]
    assert report["parameters"] == 200
    assert np.sum(report["confusion"]) == 35
    assert report["milliseconds_49_faces"] > 0
    assert json.loads((tmp_path / "evaluation.json").read_text())["split"] == "PrivateTest"
    for name in ("confusion", "reliability", "coverage", "height"):
        root = ET.parse(tmp_path / f"{name}.svg").getroot()  # noqa: S314  written a moment ago
        assert root.get("role") == "img"
        assert f"](card/{name}.svg)" in card.read_text()
        assert (tmp_path / "card" / f"{name}.svg").exists()
    assert sum(row["share"] for row in report["reliability"]) == pytest.approx(1)
    assert read_figures("expression", exported) == json.loads((tmp_path / "evaluation.json").read_text())
    assert "surprise" in (tmp_path / "report.txt").read_text()
    text = card.read_text()
    assert f"| FER2013 accuracy | {right / 35:.2%} |" in text
    assert "Measured on PrivateTest" in text
    assert "Nobody should use it." in text
    assert "least height, margin of the second look, prior and precision were chosen on PublicTest." in text
    assert "models train" not in text  # this run's weight decay has no option


def test_the_load_is_that_of_the_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    def load() -> tuple[float, float, float]:
        happened.append("load")
        return 1.26, 0.0, 0.0

    monkeypatch.setattr("os.getloadavg", load, raising=False)
    told = pace(lambda _: happened.append("look"), golden_faces(24), repeats=2)
    assert happened == ["look"] * 5 + ["load"]
    assert told["load"] == 1.3
    assert 0 <= told["milliseconds_49_faces"] < 1000


@pytest.mark.parametrize(
    ("share", "told", "chosen"),
    [
        (0.0, "looked at once each.", "least height, prior"),
        (
            0.4,
            "are looked at mirrored too (40% of PublicTest).",
            "least height, margin of the second look, prior",
        ),
        (1.0, "looked at twice each, as they are and mirrored.", "least height, prior"),
    ],
)
def test_how_many_faces_are_looked_at_twice_can_be_said(
    share: float, told: str, chosen: str, exported: Path, data: Path, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.toml"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zoo.ARCHITECTURES, "tiny", build_tiny)
        entry = export(exported.parent / "run", data, manifest=manifest, second_look=share)
    report = evaluate(data, tmp_path, manifest=manifest)
    faces = logits_of(ExpressionClassifier(entry.path), read_faces(data)["PublicTest"].images)
    twice = report["looked_at_twice"]
    assert twice == (margins(faces) < entry.second_look).mean() == pytest.approx(share, abs=0.1)
    card = render_card(report, read_table(manifest, "expression"), "expression")
    assert told in card
    assert f"{chosen} and precision were chosen on PublicTest." in card
    assert (f"| looked at twice | {twice:.1%} of the faces |" in card) == (share == 0.4)


def test_where_no_face_is_named_no_accuracy_is_told(exported: Path, data: Path, tmp_path: Path) -> None:
    assert proportion(0, 0) == {"value": None, "n": 0, "low": 0.0, "high": 1.0}
    table = read_table(exported, "expression") | {
        "threshold": 0.99, "thresholds": [[18, 0.99]], "temperature": 9.0
    }  # fmt: skip
    folder = tmp_path / "models"
    shutil.copytree(exported.parent, folder)
    write_entry(folder / "manifest.toml", "expression", table)
    report = evaluate(data, tmp_path, manifest=folder / "manifest.toml", card=tmp_path / "CARD.md")
    assert report["at_threshold"] == {"threshold": 0.99, "coverage": 0.0, "accuracy": None}
    assert {row["named_accuracy"] for row in report["by_height"]} == {None}
    card = (tmp_path / "CARD.md").read_text()
    assert "0.0% of the faces, none of them as labelled" in card
    assert "| 0.90 | 0.0% | none |" in card
    assert "right, of those named:" not in (tmp_path / "height.svg").read_text()
    assert "right, of all:" in (tmp_path / "height.svg").read_text()
    lone = render_card(report | {"ferplus_majority": proportion(0, 0)}, table, "expression")
    assert "| FER+ majority accuracy | none to measure | | 0 |" in lone


def test_faces_whose_picture_was_trained_on_are_counted_apart(
    exported: Path, data: Path, tmp_path: Path
) -> None:
    assert "unseen" not in evaluate(data, tmp_path, manifest=exported)  # all are in Training
    table = pd.read_parquet(data)
    new = np.full((SIZE, SIZE), 90, np.uint8)
    at = int(table.index[table["usage"] == "PublicTest"][3])
    table["image"] = [
        cv2.imencode(".png", new)[1].tobytes() if n == at else c for n, c in enumerate(table["image"])
    ]
    table.to_parquet(tmp_path / "faces.parquet")
    report = evaluate(tmp_path / "faces.parquet", tmp_path, manifest=exported)
    entry = resolve("expression", exported)
    crop = cv2.resize(new, (24, 24), interpolation=cv2.INTER_AREA)
    named = ExpressionClassifier(entry.path, second_look=entry.second_look).classify(crop[None]).argmax()
    assert report["unseen"]["accuracy"]["n"] == 1
    assert report["unseen"]["accuracy"]["value"] == float(named == 3)
    assert report["unseen"]["ferplus_majority"]["n"] == 1
    card = render_card(report, read_table(exported, "expression"), "expression")
    assert "34 of these pictures stand in Training too" in card


def test_a_report_is_used_again_for_the_same_data_only(exported: Path, data: Path, tmp_path: Path) -> None:
    first = evaluate(data, tmp_path, manifest=exported)
    assert evaluate(data, tmp_path, manifest=exported, reuse=True) == first
    table = pd.read_parquet(data)
    table[table["usage"] != "Training"].iloc[:20].to_parquet(tmp_path / "fewer.parquet")
    other = evaluate(tmp_path / "fewer.parquet", tmp_path, manifest=exported, reuse=True)
    assert other["accuracy"]["n"] == 20
    assert "unseen" not in other  # nobody knows what was trained on


def test_an_engine_is_calibrated_on_publictest(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its temperature must not move with the split that it is measured on."""

    def load() -> Classify:
        return lambda images: np.random.default_rng(0).normal(size=(len(images), 7))

    monkeypatch.setitem(ENGINES, "calm", ("numpy", load, "says nothing"))
    table = pd.read_parquet(data)
    private = table["usage"] == "PrivateTest"
    table.loc[private, "label"] = table.loc[private, "label"].to_numpy()[::-1]
    table.to_parquet(tmp_path / "faces.parquet")
    reports = [
        evaluate_engine("calm", tmp_path / "faces.parquet", tmp_path, split=split)
        for split in ("PublicTest", "PrivateTest")
    ]
    assert reports[0]["temperature"] == reports[1]["temperature"]
    assert reports[0]["confusion"] != reports[1]["confusion"]


def test_a_split_that_is_not_there_is_refused(exported: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no split Holdout; it has Training, PublicTest, PrivateTest"):
        evaluate(data, tmp_path, split="Holdout", manifest=exported)


def test_a_folder_without_a_run_is_not_exported(data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no finished run"):
        export(tmp_path, data, manifest=tmp_path / "manifest.toml")
    assert not (tmp_path / "manifest.toml").exists()


def test_the_threshold_is_the_lowest_that_is_right_often_enough() -> None:
    curve = [{"threshold": t, "accuracy": a} for t, a in [(0.3, 0.6), (0.4, 0.76), (0.5, 0.74), (0.6, 0.9)]]
    assert choose_threshold(curve, 0.75) == 0.4
    assert choose_threshold(curve, 0.95) == 0.6
    # where none is named, none is named rightly
    unnamed = {"threshold": 0.7, "accuracy": None}
    assert choose_threshold([*curve, unnamed, {"threshold": 0.8, "accuracy": 0.96}], 0.95) == 0.8
    assert choose_threshold([*curve, unnamed], 0.95) == 0.7


def test_resizing_keeps_the_mean_and_loses_the_detail() -> None:
    faces = golden_faces(SIZE, 3)
    small = resized(faces, 16)
    assert small.shape == (3, 16, 16)
    assert abs(float(small.mean()) - float(faces.mean())) < 1
    assert resized(faces, SIZE) is faces
    steps = np.unique(resized(np.tile(np.uint8([0, 200]), (1, 24, 12)), SIZE)[0, 0])
    assert len(steps) > 2  # enlarged by straight lines, not by blocks


def test_the_operating_point_keeps_the_smaller_margin_large() -> None:
    points = [
        {"prior": 0.0, "fer2013": 0.70, "ferplus": 0.88},
        {"prior": 0.5, "fer2013": 0.72, "ferplus": 0.86},
        {"prior": 0.6, "fer2013": 0.72, "ferplus": 0.86},
        {"prior": 1.0, "fer2013": 0.74, "ferplus": 0.80},
    ]
    assert choose_prior(points) == 0.5
    assert choose_prior([{key: p[key] for key in ("prior", "fer2013")} for p in points]) == 1.0


def test_of_voters_less_that_is_rare_is_missed_where_it_costs_next_to_nothing() -> None:
    points = [
        {"prior": 0.0, "ferplus": 0.871, "macro_f1": 0.77},
        {"prior": 0.2, "ferplus": 0.874, "macro_f1": 0.79},
        {"prior": 0.3, "ferplus": 0.8681, "macro_f1": 0.8},
        {"prior": 0.4, "ferplus": 0.872, "macro_f1": 0.8},
        {"prior": 0.5, "ferplus": 0.8679, "macro_f1": 0.81},
    ]
    assert choose_prior(points) == 0.3
    assert choose_prior([points[0], points[-1]]) == 0.0


def test_what_a_shift_of_the_prior_reaches() -> None:
    """Ten faces that voters call fear are called neutral by a little, and ten neutral ones are sure."""
    fear, neutral = EXPRESSIONS.index("fear"), EXPRESSIONS.index("neutral")
    logits = np.full((20, 7), -9.0)
    logits[:, neutral] = 1.05
    logits[:10, fear], logits[10:, fear] = 0.5, -2.0
    offsets = np.zeros(7)
    offsets[fear] = 1.0
    votes = np.zeros((20, 10), np.float32)
    votes[:10, VOTES.index("fear")] = votes[10:, VOTES.index("neutral")] = 10
    faces = FaceSet(np.zeros((20, 4, 4), np.uint8), np.full(20, fear), votes)
    shift = voters_offsets(logits, faces, faces)  # all labels are fear, voters see half of it
    assert shift.argmax() == fear
    assert shift.argmin() == neutral
    assert abs(shift.sum()) < 1e-9
    by_voters = operating_points(lambda share: logits + share * offsets, faces, 1)
    assert [point["ferplus"] for point in by_voters] == [0.5] * 6 + [1.0] * 5
    assert by_voters[0]["macro_f1"] < by_voters[6]["macro_f1"]
    by_labels = operating_points(lambda share: logits + share * offsets, faces, 0)
    assert [point["fer2013"] for point in by_labels] == [0.0] * 6 + [0.5] * 5
    assert [point["ferplus"] for point in by_labels] == [0.5] * 6 + [1.0] * 5


def test_int8_may_cost_three_tenths_of_a_point_and_half_a_point_of_calibration() -> None:
    exact = {"accuracy": 0.7, "ece": 0.02}
    assert int8_is_good_enough({"accuracy": 0.6971, "ece": 0.0249}, exact)
    assert not int8_is_good_enough({"accuracy": 0.6969, "ece": 0.02}, exact)
    assert not int8_is_good_enough({"accuracy": 0.7, "ece": 0.0251}, exact)


def test_a_prior_that_is_given_is_kept(exported: Path, data: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zoo.ARCHITECTURES, "tiny", build_tiny)
        export(exported.parent / "run", data, manifest=tmp_path / "manifest.toml", prior=0.3)
    table = tomllib.loads((tmp_path / "manifest.toml").read_text())["expression"]
    assert table["prior"] == 0.3
    assert [point["prior"] for point in table["operating_points"]] == [n / 10 for n in range(11)]
    assert table["min_height"] == table["thresholds"][0][0]
    assert table["threshold"] == table["thresholds"][-1][1]


def test_a_run_is_measured_and_timed_without_its_report_being_made_twice(
    exported: Path, data: Path, tmp_path: Path
) -> None:
    run = exported.parent / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zoo.ARCHITECTURES, "tiny", build_tiny)
        report = evaluate_run(run, data, split="PrivateTest", out=tmp_path)
        assert report["milliseconds_49_faces"] > 0
        assert report["accuracy"]["n"] == 35
        (tmp_path / "confusion.svg").unlink()
        assert evaluate_run(run, data, split="PrivateTest", out=tmp_path) == report
        assert not (tmp_path / "confusion.svg").exists()
        assert not (run / "evaluation.json").exists()
        assert not (run / "new.tflite").exists()


def test_a_run_on_standardised_faces_is_served_so(exported: Path, data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(exported.parent / "run", run)
    record = json.loads((run / RUN).read_text())
    record["settings"] |= {
        "standardise": True,
        "cover": 1.0,
        "start": None,
        "teachers": ["a", "b"],
        "teacher_weight": 0.5,
    }
    record["history"][0]["size"] = 24
    (run / RUN).write_text(json.dumps(record))
    manifest = tmp_path / "manifest.toml"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zoo.ARCHITECTURES, "tiny", build_tiny)
        entry = export(run, data, manifest=manifest)
    assert entry.standardise
    served = ExpressionClassifier(
        entry.path, temperature=entry.temperature, second_look=entry.second_look, standardise=True
    )
    golden = tomllib.loads(manifest.read_text())["expression"]["golden"]["probabilities"]
    faces = golden_faces(24)
    np.testing.assert_allclose(served.classify(faces), golden, atol=1e-3)
    np.testing.assert_allclose(served.classify(faces // 2 + 60), golden, atol=0.02)
    evaluate(data, tmp_path, manifest=manifest, card=tmp_path / "CARD.md")
    card = (tmp_path / "CARD.md").read_text()
    assert "mean 128 and deviation 64 per face" in card
    assert "mean probabilities of 2 other runs (a; b), asked once of every whole face" in card


def test_of_two_heads_the_one_is_served_that_learnt_from_voters(
    exported: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    shutil.copytree(exported.parent / "run", run)
    record = json.loads((run / RUN).read_text())
    record["settings"] |= {"heads": 2}
    (run / RUN).write_text(json.dumps(record))
    manifest, card = tmp_path / "manifest.toml", tmp_path / "CARD.md"
    happy = EXPRESSIONS.index("happy")
    keras.utils.set_random_seed(3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zoo.ARCHITECTURES, "tiny", build_tiny)
        network = zoo.build("tiny", None, heads=2)
        bias = network.weights[-1]
        bias.assign(5 * np.eye(14)[7 + happy])  # the voters' head names all faces happy, as all voters do
        network.save_weights(run / BEST)
        before = export(run, data, manifest=tmp_path / "before.toml", prior=0.0)
        plain = ExpressionClassifier.of(before).logits(golden_faces(24))
        shifted = export(run, data, manifest=manifest, prior=1.0)
        moved = ExpressionClassifier.of(shifted).logits(golden_faces(24)) - plain
        np.testing.assert_allclose(moved[:, :7], 0, atol=0.1)
        assert moved[:, 7:].mean(axis=0).argmin() == happy
        assert moved[:, 7 + happy].max() < -0.1
        table = tomllib.loads(manifest.read_text())["expression"]
        assert (table["prior"], table["given"]) == (1.0, ["prior"])
        assert [set(point) for point in table["operating_points"]] == [{"prior", "ferplus", "macro_f1"}] * 11
        entry = export(run, data, manifest=manifest)
    served = ExpressionClassifier.of(entry)
    assert entry.head == 1
    assert (served.classify(golden_faces(24)).argmax(axis=1) == happy).all()
    assert entry.metrics["public_ferplus"] == 1.0
    assert entry.metrics["public_accuracy"] < 0.5
    report = evaluate(data, tmp_path, split="PrivateTest", manifest=manifest, card=card)
    assert report["ferplus_majority"]["value"] == 1.0
    assert report["accuracy"]["value"] < 0.5
    assert report["votes"]["at_threshold"] == {"threshold": entry.threshold, "coverage": 1.0, "accuracy": 1.0}
    # the thresholds are the voters' head's; the other has none
    assert {row["threshold"] for row in [report["at_threshold"], *report["by_height"]]} == {0.0}
    text = card.read_text()
    assert "The product asks the second" in text
    assert "100.0% of them as most voters did" in text
    assert "for the other the FER+ votes" in text
    assert "| happy | 1.000 | 1.000 |" in text
    assert (
        "temperatures, thresholds, least height, margin of the second look, prior and precision were chosen"
        in text
    )
    assert "FER+ majority accuracy 100.00% (float 100.00%); " in text
    folders = tmp_path / "folders"
    for number, row in pd.read_parquet(data).iterrows():
        split = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}[row["usage"]]
        (folders / split / row["label"]).mkdir(parents=True, exist_ok=True)
        (folders / split / row["label"] / f"{number}.png").write_bytes(row["image"])
    monkeypatch.setitem(zoo.ARCHITECTURES, "tiny", build_tiny)
    with pytest.raises(TrainingError, match="no votes to measure the second head"):
        export(run, folders, manifest=manifest)


def test_an_export_that_breaks_off_leaves_what_was_served(
    exported: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(exported.parent, folder)
    before = resolve("expression", folder / "manifest.toml")
    monkeypatch.setitem(zoo.ARCHITECTURES, "tiny", build_tiny)
    monkeypatch.setattr(exporting, "choose_gate", lambda *_: 1 / 0)
    network = build_tiny(24, 7)
    network.save_weights(folder / "run" / BEST)  # another network than before
    with pytest.raises(ZeroDivisionError):
        export(folder / "run", data, manifest=folder / "manifest.toml")
    assert resolve("expression", folder / "manifest.toml") == before
    assert [path.name for path in (folder / "weights").glob("*.tflite")] == ["expression.tflite"]


def test_an_export_without_a_split_to_choose_on_is_refused(
    exported: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(zoo.ARCHITECTURES, "tiny", build_tiny)
    table = pd.read_parquet(data)
    table[table["usage"] != "PublicTest"].to_parquet(tmp_path / "faces.parquet")
    with pytest.raises(DataError, match="no split PublicTest; it has Training, PrivateTest"):
        export(exported.parent / "run", tmp_path / "faces.parquet", manifest=tmp_path / "manifest.toml")


def test_a_machine_is_not_served(data: Path, tmp_path: Path) -> None:
    (tmp_path / RUN).write_text(json.dumps({"settings": {"architecture": "knn"}, "history": [{"epoch": 1}]}))
    (tmp_path / FITTED).write_bytes(b"")
    with pytest.raises(TrainingError, match="is a knn; only networks can be served"):
        export(tmp_path, data, manifest=tmp_path / "manifest.toml")


def test_figures_of_other_weights_are_not_shown(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    shutil.copytree(exported.parent, folder)
    figures = folder / "weights" / "expression.json"
    figures.write_text(json.dumps({"sha256": "0" * 64}))
    assert read_figures("expression", folder / "manifest.toml") is None
    figures.unlink()
    assert read_figures("expression", folder / "manifest.toml") is None
