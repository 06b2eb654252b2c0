"""Measure a classifier: the shipped weights through the product's own code, a run, or an engine of others."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from inference.expression import ExpressionClassifier, undecided
from models import charts, metrics, zoo
from models.card import served, write_card
from models.data import SIZE, FaceSet, among, data_hash, named_split, read_faces, resized
from models.heads import LABELS, VOTES, Truth, fit_temperature, heads_in, of_head, truth_of
from models.manifest import read_table, replace_file
from models.registry import MANIFEST, ModelEntry, Steps, at_height, resolve
from models.runs import (
    EVALUATION,
    Classify,
    architecture_of,
    load_classifier,
    load_run,
    weights_of,
)

HEIGHTS: Final = (16, 24, 32, 40, 48)
THRESHOLDS: Final = tuple(round(0.30 + 0.05 * step, 2) for step in range(13))
GALLERY: Final = 49
"""Faces in the largest gallery, for the time of one frame."""
NAMED_ACCURACY: Final = (0.75, 0.81)
"""Of each head: its abstention threshold is the lowest at which the faces named on PublicTest are right this often. The
second is right in 78 % where it names all; at 0.85 it named 85 % of them, but little fear and disgust."""
_DESCRIBED: Final = ("architecture", "heads", "parameters", "multiply_adds", "precision", "input_size")


def evaluate(
    data: Path,
    out: Path,
    *,
    split: str = "PublicTest",
    manifest: Path = MANIFEST,
    name: str = "expression",
    card: Path | None = None,
    reuse: bool = False,
) -> dict[str, Any]:
    """Measure model `name` of `manifest` on one split of `data`; returns and writes `out`/evaluation.json.

    Beside it come report.txt and the figures as SVG. With `card`, the model card is written there, its figures into
    `card/` beside it, and what the page About shows beside the weights. With `reuse`, a report in `out` of the same
    weights, data and split is taken as it is. Choose on PublicTest; PrivateTest is for one reading per released model.
    Raises DataError, ManifestError, WeightsError and ClassifierError.
    """
    entry = resolve(name, manifest)
    identity = {
        "sha256": entry.sha256,
        "data_sha256": data_hash(data),
        "split": split,
        # the same weights may be used in another way
        "served": [
            entry.head,
            entry.temperature,
            [list(pair) for pair in entry.temperatures],
            entry.second_look,
            entry.standardise,
            [list(pair) for pair in entry.thresholds],
        ],
    }
    standing = _standing(out, identity) if reuse else None
    if standing is not None:
        return standing
    splits = read_faces(data)
    faces = named_split(splits, split, data)
    classifier, described = ExpressionClassifier.of(entry), read_table(manifest, name)
    temperatures: list[Steps] = [((SIZE, float(described.get("label_temperature", entry.temperature))),)]
    steps = entry.temperatures or ((SIZE, entry.temperature),)
    temperatures[entry.head :] = [steps]
    report: dict[str, Any] = {
        "model": name,
        "kind": "shipped",
        **identity,
        "min_height": entry.min_height,
        **{key: described[key] for key in _DESCRIBED if key in described},
        **measure_heads(
            lambda images: logits_of(classifier, images),
            faces,
            temperatures=temperatures,
            # the product asks one head; the other has no threshold and names all faces
            thresholds=[
                (entry.thresholds or ((SIZE, entry.threshold),)) if head == entry.head else ((SIZE, 0.0),)
                for head in range(len(temperatures))
            ],
            seen=_seen(splits, split),
        ),
        "looked_at_twice": _looked_at_twice(entry, faces),
        **pace(classifier.classify, resized(faces.images[:GALLERY], classifier.size)),
    }
    write_report(report, out)
    if card is not None:
        write_card(card, report, manifest, name)
        write_figures(served(report), card.parent / "card")
        replace_file(entry.path.with_suffix(".json"), (json.dumps(report, indent=1) + "\n").encode())
    return report


def evaluate_run(
    run: Path, data: Path, *, split: str = "PublicTest", out: Path | None = None
) -> dict[str, Any]:
    """Measure a run on one split of `data`, with its time for 49 faces; its report is written into `out`, the run's
    folder unless told otherwise. Raises DataError and TrainingError."""
    sha256 = data_hash(data)
    standing = _standing(out or run, _identity(run, split, sha256))
    if standing is not None and "milliseconds_49_faces" in standing:
        return standing
    splits = read_faces(data)
    for needed in ("PublicTest", split):
        named_split(splits, needed, data)
    return report_run(run, splits, sha256, split=split, out=out, timed=True)


def report_run(
    run: Path,
    splits: Mapping[str, FaceSet],
    data_sha256: str,
    *,
    split: str = "PublicTest",
    out: Path | None = None,
    timed: bool = False,
) -> dict[str, Any]:
    """As `evaluate_run`, of faces read before: `splits` holds PublicTest, on which temperature and threshold are
    chosen, and `split`. A report of the same weights and data (`models.data.data_hash`) that stands there already is
    kept."""
    folder, identity = out or run, _identity(run, split, data_sha256)
    report = _standing(folder, identity)
    if report is None:
        classify = load_classifier(run)
        public = splits["PublicTest"]
        logits = classify(public.images)
        temperatures, thresholds = [], []
        for head in range(heads_in(logits)):
            truth, answers = truth_of(public, head), of_head(logits, head)
            temperature = fit_temperature(answers, truth)
            temperatures.append(((SIZE, temperature),))
            curve = metrics.coverage_curve(
                metrics.softmax(answers, temperature), truth.labels, np.arange(30, 96) / 100
            )
            thresholds.append(((SIZE, choose_threshold(curve, NAMED_ACCURACY[head])),))
        report = identity | measure_heads(
            classify,
            splits[split],
            temperatures=temperatures,
            thresholds=thresholds,
            seen=_seen(splits, split),
        )
        write_report(report, folder)
    if timed and "milliseconds_49_faces" not in report:
        report |= _run_pace(run, splits[split].images[:GALLERY])
        write_report(report, folder)
    return report


def judge(logits: NDArray[np.floating[Any]], faces: FaceSet) -> dict[str, float]:
    """What a history tells of an epoch, of logits (N, 7 H) of PublicTest: accuracy and loss against FER2013's labels,
    and accuracy against the majority where there are votes."""
    of_label, of_votes = logits[:, : len(EXPRESSIONS)], logits[:, -len(EXPRESSIONS) :]
    judged = {
        "public_accuracy": float((of_label.argmax(axis=1) == faces.labels).mean()),
        "public_loss": metrics.log_loss(of_label, faces.labels),
    }
    if faces.votes is not None:
        right, kept = metrics.ferplus_accuracy(of_votes.argmax(axis=1).astype(np.int64), faces.votes)
        judged["public_ferplus"] = right / max(kept, 1)
    return judged


def evaluate_engine(engine: str, data: Path, out: Path, *, split: str = "PublicTest") -> dict[str, Any]:
    """Measure an engine of others (see `models.engines`) on whole pictures of one split, and write its report. Its
    temperature is chosen on PublicTest, as ours are.

    Raises EngineError where it is not installed or wants to download something, and DataError.
    """
    from models.engines import load_engine

    loaded = load_engine(engine)
    splits = read_faces(data)
    faces, public = named_split(splits, split, data), named_split(splits, "PublicTest", data)
    temperature = metrics.fit_temperature(loaded.classify(public.images), public.labels)
    report: dict[str, Any] = {
        "model": engine,
        "kind": "engine",
        "version": loaded.version,
        "note": loaded.note,
        "data_sha256": data_hash(data),
        "split": split,
        **measure_heads(
            loaded.classify,
            faces,
            temperatures=[((SIZE, temperature),)],
            thresholds=[((SIZE, 0.0),)],
            seen=_seen(splits, split),
        ),
        **pace(loaded.classify, faces.images[:GALLERY], repeats=5),
    }
    write_report(report, out)
    return report


def measure_heads(
    classify: Classify,
    faces: FaceSet,
    *,
    temperatures: Sequence[Steps],
    thresholds: Sequence[Steps],
    seen: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """`measure` of the first head, and of the second, where there are as many temperatures and thresholds, as `votes`
    in it. FER+'s majority is then measured of the second."""
    reports = [
        measure(classify, faces, head=head, temperatures=cooling, thresholds=steps, seen=seen)
        for head, (cooling, steps) in enumerate(zip(temperatures, thresholds, strict=True))
    ]
    if len(reports) > 1 and faces.votes is not None:
        reports[LABELS] |= {"votes": reports[VOTES], "ferplus_majority": reports[VOTES]["accuracy"]}
        if "unseen" in reports[LABELS]:
            reports[LABELS]["unseen"]["ferplus_majority"] = reports[VOTES]["unseen"]["accuracy"]
    return reports[LABELS]


def measure(
    classify: Classify,
    faces: FaceSet,
    *,
    head: int = LABELS,
    temperatures: Steps,
    thresholds: Steps,
    seen: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """All figures of one head of a classifier on one set of faces, as JSON can hold them.

    `temperatures` and `thresholds` as in `ModelEntry`, at least one of each. `seen` (N,): faces whose very picture was
    trained on; those without are measured by themselves too, as `unseen`. Coverage and who is right of those named are
    measured on all faces: one on which the voters do not agree counts as wrong where it is named.
    """
    truth = truth_of(faces, head)
    logits = of_head(classify(faces.images), head)
    predicted, temperature = logits.argmax(axis=1).astype(np.int64), at_height(temperatures, SIZE)
    right, calibrated = predicted == truth.labels, metrics.softmax(logits, temperature)
    counted, known = truth.counted, truth.labels >= 0
    matrix = metrics.confusion(predicted[known], truth.labels[known])
    low, high = metrics.macro_f1_interval(matrix)
    report: dict[str, Any] = {
        "accuracy": proportion(int(right[counted].sum()), int(counted.sum())),
        "macro_f1": metrics.macro_f1(matrix),
        "macro_f1_interval": [low, high],
        "temperature": temperature,
        "ece_before_temperature": metrics.calibration_error(
            metrics.softmax(logits)[counted], truth.labels[counted]
        ),
        "ece": metrics.calibration_error(calibrated[counted], truth.labels[counted]),
        "reliability": metrics.reliability(calibrated[counted], truth.labels[counted]),
        "coverage": metrics.coverage_curve(calibrated, truth.labels, np.array(THRESHOLDS)),
        "at_threshold": metrics.coverage_curve(
            calibrated, truth.labels, np.array([at_height(thresholds, SIZE)])
        )[0],
        "by_height": [
            named_at(
                lambda images: of_head(classify(images), head),
                faces,
                truth,
                height,
                at_height(temperatures, height),
                at_height(thresholds, height),
            )
            for height in HEIGHTS
        ],
        "confusion": matrix.tolist(),
        "by_expression": metrics.class_scores(matrix),
    }
    if faces.votes is not None and head == LABELS:
        report["ferplus_majority"] = proportion(*metrics.ferplus_accuracy(predicted, faces.votes))
    if seen is not None and (counted & ~seen).any():
        report["unseen"] = _unseen(calibrated[~seen], faces.take(~seen), head)
    return report


def _unseen(probabilities: NDArray[np.float64], faces: FaceSet, head: int) -> dict[str, Any]:
    predicted, truth = probabilities.argmax(axis=1).astype(np.int64), truth_of(faces, head)
    right = (predicted == truth.labels)[truth.counted]
    figures: dict[str, Any] = {
        "accuracy": proportion(int(right.sum()), len(right)),
        "ece": metrics.calibration_error(probabilities[truth.counted], truth.labels[truth.counted]),
    }
    if faces.votes is not None and head == LABELS:
        figures["ferplus_majority"] = proportion(*metrics.ferplus_accuracy(predicted, faces.votes))
    return figures


def named_at(
    classify: Classify, faces: FaceSet, truth: Truth, height: int, temperature: float, threshold: float
) -> dict[str, Any]:
    """Accuracy on faces of `height` px, and coverage and accuracy on those named at `threshold`, with intervals."""
    probabilities = metrics.softmax(classify(resized(faces.images, height)), temperature)
    right = probabilities.argmax(axis=1) == truth.labels
    counted = truth.counted
    named = probabilities.max(axis=1) >= threshold
    of_named = proportion(int(right[named].sum()), int(named.sum()))
    return {
        "height": height,
        **proportion(int(right[counted].sum()), int(counted.sum())),
        "ece": metrics.calibration_error(probabilities[counted], truth.labels[counted]),
        "threshold": threshold,
        "coverage": float(named.mean()),
        "named_accuracy": of_named["value"],
        "named_low": of_named["low"],
        "named_high": of_named["high"],
    }


def logits_of(classifier: ExpressionClassifier, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Logits (N, 7 H) of grey faces uint8 (N, H, W), resized as the product resizes its crops."""
    return classifier.logits(resized(images, classifier.size)).astype(np.float64)


def pace(
    classify: Callable[[NDArray[np.uint8]], Any], crops: NDArray[np.uint8], repeats: int = 30
) -> dict[str, float]:
    """What a report says of speed: the median time to classify `crops` at once, warm, in ms, and the `load` of the
    machine meanwhile, where the system tells it."""
    times = []
    for _ in range(repeats + 3):
        started = time.perf_counter()
        classify(crops)
        times.append(time.perf_counter() - started)
    load = {"load": round(os.getloadavg()[0], 1)} if hasattr(os, "getloadavg") else {}
    return {"milliseconds_49_faces": float(np.median(times[3:]) * 1000)} | load


def proportion(correct: int, total: int) -> dict[str, Any]:
    """A share with its n and 95 % Wilson interval; of nothing, None with the interval open."""
    if not total:
        return {"value": None, "n": 0, "low": 0.0, "high": 1.0}
    low, high = metrics.wilson(correct, total)
    return {"value": correct / total, "n": total, "low": low, "high": high}


def classification_report(report: Mapping[str, Any]) -> str:
    """Precision, recall, F1 and support per expression as a text table."""
    lines = [f"{'':10}{'precision':>10}{'recall':>10}{'f1':>10}{'support':>10}"]
    for name in EXPRESSIONS:
        row = report["by_expression"][name]
        lines.append(
            f"{name:10}{row['precision']:10.3f}{row['recall']:10.3f}{row['f1']:10.3f}{row['support']:10.0f}"
        )
    lines.append(f"accuracy {report['accuracy']['value']:.4f}, macro F1 {report['macro_f1']:.4f}")
    return "\n".join(lines) + "\n"


def choose_threshold(curve: Sequence[Mapping[str, Any]], wanted: float) -> float:
    """The lowest threshold of a coverage curve at which the faces named reach accuracy `wanted`; the last if none."""
    good = (point for point in curve if right_enough(point, wanted))
    return float(next(good, curve[-1])["threshold"])


def right_enough(point: Mapping[str, Any], wanted: float) -> bool:
    """Whether faces are named at this point of a coverage curve, and in a share `wanted` rightly."""
    return point["accuracy"] is not None and bool(point["accuracy"] >= wanted)


def write_report(report: Mapping[str, Any], out: Path) -> None:
    """evaluation.json, report.txt and the figures, of two heads those of the voters', into the folder `out`, made if
    absent."""
    out.mkdir(parents=True, exist_ok=True)
    replace_file(out / EVALUATION, (json.dumps(report, indent=1) + "\n").encode())
    tables = classification_report(report)
    if "votes" in report:
        tables = f"FER2013's labels\n{tables}\nFER+'s majority\n{classification_report(report['votes'])}"
    (out / "report.txt").write_text(tables, encoding="utf-8")
    write_figures(served(report), out)


def write_figures(report: Mapping[str, Any], out: Path) -> None:
    """confusion.svg, reliability.svg, coverage.svg and height.svg, into the folder `out`, made if absent."""
    out.mkdir(parents=True, exist_ok=True)
    for name, svg in {
        "confusion": charts.confusion_chart("Confusion", report["confusion"]),
        "reliability": charts.reliability_chart("Calibration", report["reliability"]),
        "coverage": charts.coverage_chart("Coverage", report["coverage"]),
        "height": charts.height_chart("Height", report["by_height"]),
    }.items():
        charts.write_svg(svg, out / f"{name}.svg")


def _seen(splits: Mapping[str, FaceSet], split: str) -> NDArray[np.bool_] | None:
    """Which faces of a split stand in Training too, bool (N,); None where there is no Training."""
    return among(splits[split], splits["Training"]) if "Training" in splits else None


def _identity(run: Path, split: str, data_sha256: str) -> dict[str, Any]:
    """What a report of a run is of."""
    return {
        "model": run.name,
        "kind": "run",
        "architecture": architecture_of(run),
        "sha256": hashlib.sha256(weights_of(run).read_bytes()).hexdigest(),
        "data_sha256": data_sha256,
        "split": split,
    }


def _standing(folder: Path, identity: Mapping[str, Any]) -> dict[str, Any] | None:
    """The report in `folder`, if it is of the same weights, data and split."""
    try:
        report = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(report, dict):
        return None
    same = all(
        report.get(key) == identity[key]
        for key in ("sha256", "data_sha256", "split", "served")
        if key in identity
    )
    return report if same else None


def _looked_at_twice(entry: ModelEntry, faces: FaceSet) -> float:
    """Share of the faces that are less decided than the entry's `second_look` asks for, 0..1."""
    once = ExpressionClassifier.of(replace(entry, second_look=0.0))
    return float(undecided(logits_of(once, faces.images), entry.second_look).mean())


def _run_pace(run: Path, images: NDArray[np.uint8]) -> dict[str, float]:
    """`pace` on `images`: of a network in LiteRT with float weights where TensorFlow can convert it, as it would be
    served; else as it stands."""
    if architecture_of(run) in zoo.MACHINES or keras.backend.backend() != "tensorflow":
        return pace(load_classifier(run), images, repeats=5)
    from models.convert import to_litert

    network, size = load_run(run)
    temporary = run / "new.tflite"
    temporary.write_bytes(to_litert(network, size))
    try:
        return pace(ExpressionClassifier(temporary).classify, resized(images, size), repeats=15)
    finally:
        temporary.unlink()
