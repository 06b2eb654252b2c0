"""Measure the shipped weights through the product's own classifier, and write the model card."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from inference.expression import ExpressionClassifier
from models import metrics
from models.card import write_card
from models.data import FaceSet, read_faces
from models.errors import DataError
from models.registry import MANIFEST, ModelEntry, resolve

HEIGHTS: Final = (16, 24, 32, 40, 48)
THRESHOLDS: Final = tuple(round(0.30 + 0.05 * step, 2) for step in range(13))
GALLERY: Final = 49
"""Faces in the largest gallery, for the time of one frame."""


def evaluate(
    data: Path,
    out: Path,
    *,
    split: str = "PublicTest",
    manifest: Path = MANIFEST,
    name: str = "expression",
    card: Path | None = None,
) -> dict[str, Any]:
    """Measure model `name` of `manifest` on one split of `data`; returns and writes `out`/evaluation.json.

    Beside it come confusion.png and report.txt. With `card`, the model card is written there too. Choose
    on PublicTest; PrivateTest is for one reading per released model. Raises DataError, ManifestError,
    WeightsError and ClassifierError.
    """
    from models.plots import draw_confusion

    entry = resolve(name, manifest)
    splits = read_faces(data)
    if split not in splits:
        raise DataError(f"{data} has no split {split}; it has {', '.join(splits)}.")
    report = measure(entry, splits[split])
    report = {"model": name, "sha256": entry.sha256, "split": split, **report}
    out.mkdir(parents=True, exist_ok=True)
    (out / "evaluation.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (out / "report.txt").write_text(classification_report(report), encoding="utf-8")
    draw_confusion(np.array(report["confusion"]), out / "confusion.png")
    if card is not None:
        write_card(card, report, manifest, name)
    return report


def measure(entry: ModelEntry, faces: FaceSet) -> dict[str, Any]:
    """All figures of the model card for one weight file on one set of faces, as JSON can hold them."""
    raw = ExpressionClassifier(entry.path, flip=entry.flip)
    logits = log_probabilities(raw, faces.images)
    predicted = logits.argmax(axis=1).astype(np.int64)
    calibrated = metrics.softmax(logits, entry.temperature)
    matrix = metrics.confusion(predicted, faces.labels)
    report: dict[str, Any] = {
        "accuracy": proportion(int((predicted == faces.labels).sum()), len(faces)),
        "macro_f1": metrics.macro_f1(matrix),
        "ece_before_temperature": metrics.calibration_error(metrics.softmax(logits), faces.labels),
        "ece": metrics.calibration_error(calibrated, faces.labels),
        "coverage": metrics.coverage_curve(calibrated, faces.labels, np.array(THRESHOLDS)),
        "at_threshold": metrics.coverage_curve(calibrated, faces.labels, np.array([entry.threshold]))[0],
        "by_height": [{"height": height, **_accuracy_at(raw, faces, height)} for height in HEIGHTS],
        "confusion": matrix.tolist(),
        "by_expression": metrics.class_scores(matrix),
        "milliseconds_49_faces": median_milliseconds(raw, faces.images[:GALLERY]),
    }
    if faces.votes is not None:
        report["ferplus_majority"] = proportion(*metrics.ferplus_accuracy(predicted, faces.votes))
    return report


def log_probabilities(classifier: ExpressionClassifier, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Log-probabilities (N, 7) of grey faces uint8 (N, H, W), resized as the product resizes its crops."""
    side = classifier.size
    if images.shape[1:] != (side, side):
        images = np.stack([cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA) for face in images])
    return np.log(np.maximum(classifier.classify(images), 1e-12), dtype=np.float64)


def shrink(images: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """Grey faces uint8 (N, H, W) as a tile with faces of `height` px would show them: uint8 (N, height, height)."""
    if images.shape[1] == height:
        return images
    return np.stack([cv2.resize(face, (height, height), interpolation=cv2.INTER_AREA) for face in images])


def median_milliseconds(
    classifier: ExpressionClassifier, images: NDArray[np.uint8], repeats: int = 30
) -> float:
    """Median time to classify `images` at once, in ms, warm."""
    side = classifier.size
    crops = np.stack([cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA) for face in images])
    times = []
    for _ in range(repeats + 3):
        started = time.perf_counter()
        classifier.classify(crops)
        times.append(time.perf_counter() - started)
    return float(np.median(times[3:]) * 1000)


def proportion(correct: int, total: int) -> dict[str, float]:
    """A share with its n and 95 % Wilson interval."""
    low, high = metrics.wilson(correct, total)
    return {"value": correct / total, "n": total, "low": low, "high": high}


def classification_report(report: dict[str, Any]) -> str:
    """Precision, recall, F1 and support per expression as a text table."""
    lines = [f"{'':10}{'precision':>10}{'recall':>10}{'f1':>10}{'support':>10}"]
    for name in EXPRESSIONS:
        row = report["by_expression"][name]
        lines.append(
            f"{name:10}{row['precision']:10.3f}{row['recall']:10.3f}{row['f1']:10.3f}{row['support']:10.0f}"
        )
    lines.append(f"accuracy {report['accuracy']['value']:.4f}, macro F1 {report['macro_f1']:.4f}")
    return "\n".join(lines) + "\n"


def choose_threshold(curve: Sequence[dict[str, float]], wanted: float) -> float:
    """The lowest threshold of a coverage curve at which the faces named reach accuracy `wanted`; the last if none."""
    return next(
        (point["threshold"] for point in curve if point["accuracy"] >= wanted), curve[-1]["threshold"]
    )


def _accuracy_at(classifier: ExpressionClassifier, faces: FaceSet, height: int) -> dict[str, float]:
    logits = log_probabilities(classifier, shrink(faces.images, height))
    return proportion(int((logits.argmax(axis=1) == faces.labels).sum()), len(faces))
