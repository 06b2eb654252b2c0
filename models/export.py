"""From a finished run to a weight file and its entry in the manifest."""

import hashlib
import logging
from pathlib import Path
from typing import Final

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from inference.expression import ExpressionClassifier
from models import metrics, zoo
from models.convert import to_litert
from models.data import FaceSet, read_faces
from models.evaluate import choose_threshold, log_probabilities
from models.golden import golden_faces
from models.manifest import replace_file, write_entry
from models.registry import MANIFEST, CropGeometry, ModelEntry, resolve
from models.train import BEST, data_hash, input_size_of, read_run

log = logging.getLogger(__name__)

FER2013_CROP: Final = CropGeometry(side=0.97, offset_x=0.0, offset_y=-0.01)
"""FER2013's pictures against YuNet's and MTCNN's boxes: medians on 1,453 and 274 PublicTest faces (side 0.98 and
0.95 of the box height, centre 0.01 above the box's)."""

REPRESENTATIVE: Final = 500
INT8_MAY_COST: Final = 0.003
NAMED_ACCURACY: Final = 0.75
"""The abstention threshold is the lowest at which the faces named on PublicTest are right this often."""


def export(
    run: Path, data: Path, *, manifest: Path = MANIFEST, name: str = "expression", prior: float = 0.5
) -> ModelEntry:
    """Export `run`'s best weights into `weights/` beside `manifest` and (re)write the entry `name`.

    Everything is chosen on PublicTest: int8 unless it costs more than 0.3 points against float, flip averaging if
    it lowers the log-loss, the temperature, the abstention threshold. `prior` 0..1 is how far the class
    frequencies that the soft targets taught (FER+ voters see far more neutral faces) are shifted towards
    FER2013's: it buys accuracy on FER2013's labels with accuracy on FER+'s. Raises TrainingError, DataError and
    ManifestError.
    """
    record = read_run(run)
    splits = read_faces(data)
    public = splits["PublicTest"]
    size = input_size_of(record["history"])
    network = zoo.build(record["settings"]["architecture"], size)
    network.load_weights(run / BEST)

    folder = manifest.parent / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    exact = _logits(to_litert(network, size), folder, public)
    losses = {
        flip: metrics.log_loss(logits, public.labels, metrics.fit_temperature(logits, public.labels))
        for flip, logits in exact.items()
    }
    flip = losses[True] < losses[False]
    if prior:
        _add_to_bias(network, prior * metrics.fit_offsets(exact[flip], public.labels))
        exact = _logits(to_litert(network, size), folder, public)
    contents = to_litert(network, size, _representative(splits["Training"], size))
    quantised = _logits(contents, folder, public)
    precision = "int8"
    if _accuracy(quantised[flip], public) < _accuracy(exact[flip], public) - INT8_MAY_COST:
        log.warning("int8 costs too much: %.4f on PublicTest", _accuracy(quantised[flip], public))
        precision, contents, quantised = "float32", to_litert(network, size), exact
    chosen = quantised[flip]
    log.info("%s, flip %s: PublicTest accuracy %.4f", precision, flip, _accuracy(chosen, public))
    temperature = metrics.fit_temperature(chosen, public.labels)
    probabilities = metrics.softmax(chosen, temperature)
    named = chosen.argmax(axis=1).astype(np.int64)
    curve = metrics.coverage_curve(probabilities, public.labels, np.arange(30, 71) / 100)
    threshold = choose_threshold(curve, NAMED_ACCURACY)
    replace_file(folder / f"{name}.tflite", contents)
    shipped = ExpressionClassifier(folder / f"{name}.tflite", temperature=temperature, flip=flip)
    golden = shipped.classify(golden_faces(size))
    table = {
        "file": f"weights/{name}.tflite",
        "sha256": hashlib.sha256(contents).hexdigest(),
        "architecture": record["settings"]["architecture"],
        "parameters": record["parameters"],
        "precision": precision,
        "input_size": size,
        "labels": list(EXPRESSIONS),
        "temperature": round(temperature, 4),
        "threshold": threshold,
        "flip": flip,
        "prior": prior,
        "crop": {
            "side": FER2013_CROP.side,
            "offset_x": FER2013_CROP.offset_x,
            "offset_y": FER2013_CROP.offset_y,
        },
        "preprocessing": {
            "grey": "ITU-R BT.601 luma, uint8",
            "resize": "INTER_AREA",
            "range": "float32 0..255, normalised inside the graph",
        },
        "data": {
            "name": "FER2013 with FER+ votes",
            "sha256": data_hash(data),
            "train": "Training",
            "chosen_on": "PublicTest",
        },
        "run": {
            "epochs": len(record["history"]),
            "chosen_epoch": record["chosen_epoch"],
            **{f"version_{key}": value for key, value in record["versions"].items()},
            **({"note": record["note"]} if "note" in record else {}),
        },
        "golden": {"probabilities": [[round(float(p), 4) for p in row] for row in golden]},
        "settings": record["settings"],
        "metrics": {
            "public_accuracy": round(_accuracy(chosen, public), 4),
            "public_accuracy_float": round(_accuracy(exact[flip], public), 4),
            "public_accuracy_without_flip": round(_accuracy(quantised[False], public), 4),
            "public_macro_f1": round(metrics.macro_f1(metrics.confusion(named, public.labels)), 4),
            "public_ferplus": round(_ferplus(named, public), 4),
            "public_ece": round(metrics.calibration_error(probabilities, public.labels), 4),
            "public_ece_float": round(_float_error(exact[flip], public), 4),
            "agreement_with_float": round(float((named == exact[flip].argmax(axis=1)).mean()), 4),
        },
    }
    write_entry(manifest, name, table)
    return resolve(name, manifest)


def _representative(faces: FaceSet, size: int) -> NDArray[np.uint8]:
    rows = np.random.default_rng(0).permutation(len(faces))[:REPRESENTATIVE]
    return np.stack(
        [cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA) for face in faces.images[rows]]
    )


def _add_to_bias(network: keras.Model, offsets: NDArray[np.float64]) -> None:
    """Add to the logits, in the bias of the last layer that has one per class."""
    bias = [weight for weight in network.trainable_weights if tuple(weight.shape) == offsets.shape][-1]
    bias.assign(bias + offsets)


def _logits(contents: bytes, folder: Path, faces: FaceSet) -> dict[bool, NDArray[np.float64]]:
    """Without and with flip averaging."""
    temporary = folder / "new.tflite"
    temporary.write_bytes(contents)
    try:
        return {
            flip: log_probabilities(ExpressionClassifier(temporary, flip=flip), faces.images)
            for flip in (False, True)
        }
    finally:
        temporary.unlink()


def _accuracy(logits: NDArray[np.float64], faces: FaceSet) -> float:
    return float((logits.argmax(axis=1) == faces.labels).mean())


def _ferplus(named: NDArray[np.int64], faces: FaceSet) -> float:
    """FER+ majority accuracy, 0 where there are no votes."""
    correct, total = metrics.ferplus_accuracy(named, faces.votes) if faces.votes is not None else (0, 0)
    return correct / max(total, 1)


def _float_error(logits: NDArray[np.float64], faces: FaceSet) -> float:
    temperature = metrics.fit_temperature(logits, faces.labels)
    return metrics.calibration_error(metrics.softmax(logits, temperature), faces.labels)
