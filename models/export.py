"""From a finished run to a weight file and its entry in the manifest."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from inference.expression import ExpressionClassifier
from models import metrics, zoo
from models.backends import demand_tensorflow
from models.convert import to_litert
from models.data import FaceSet, data_hash, named_split, read_faces
from models.errors import TrainingError
from models.evaluate import NAMED_ACCURACY, log_probabilities
from models.gate import choose_gate, curves_by_height
from models.golden import golden_faces
from models.manifest import candidate_file, replace_file, write_entry
from models.registry import MANIFEST, CropGeometry, ModelEntry, resolve
from models.runs import (
    architecture_of,
    input_size_of,
    load_weights,
    network_input,
    read_run,
    resized,
    wants_standardised,
)

log = logging.getLogger(__name__)

FER2013_CROP: Final = CropGeometry(side=0.97, offset_x=0.0, offset_y=-0.01)
"""FER2013's pictures against YuNet's and MTCNN's boxes: medians on 1,453 and 274 PublicTest faces (side 0.98 and
0.95 of the box height, centre 0.01 above the box's)."""

REPRESENTATIVE: Final = 500
INT8_MAY_COST: Final = 0.003
"""Of accuracy."""
INT8_MAY_MISSTATE: Final = 0.005
"""Of calibration error."""
PRIORS: Final = tuple(round(0.1 * step, 1) for step in range(11))
GOALS: Final = {"fer2013": 0.73, "ferplus": 0.87}


def export(
    run: Path,
    data: Path,
    *,
    manifest: Path = MANIFEST,
    name: str = "expression",
    prior: float | None = None,
    named_accuracy: float = NAMED_ACCURACY,
) -> ModelEntry:
    """Export `run`'s best weights into `weights/` beside `manifest` and (re)write the entry `name`.

    Everything is chosen on PublicTest: flip averaging if it lowers the log-loss; int8 unless it costs more than 0.3
    points of accuracy or 0.005 of calibration error against float; the temperature; which faces may be read and from
    which probability on, so that a share `named_accuracy` of those named is right at every height (`models.gate`).
    `prior` 0..1 is how far the class frequencies that the soft targets taught (FER+ voters see far more neutral faces)
    are shifted towards FER2013's: it buys accuracy on FER2013's labels with accuracy on FER+'s. None lets
    `choose_prior` decide. Raises TrainingError, DataError and ManifestError.
    """
    demand_tensorflow("Export")
    record, architecture = read_run(run), architecture_of(run)
    if architecture in zoo.MACHINES:
        raise TrainingError(f"{run} is a {architecture}; only networks can be served.")
    splits = read_faces(data)
    training, public = (named_split(splits, split, data) for split in ("Training", "PublicTest"))
    size, standardise = input_size_of(record), wants_standardised(record)
    network = zoo.build(architecture, size)
    load_weights(network, run)

    folder = manifest.parent / "weights"
    folder.mkdir(parents=True, exist_ok=True)

    def logits(contents: bytes) -> dict[bool, NDArray[np.float64]]:
        return _logits(contents, folder, public, standardise=standardise)

    exact = logits(to_litert(network, size))
    losses = {
        flip: metrics.log_loss(found, public.labels, metrics.fit_temperature(found, public.labels))
        for flip, found in exact.items()
    }
    flip = losses[True] < losses[False]
    offsets = metrics.fit_offsets(exact[flip], public.labels)
    points = [{"prior": share, **_accuracies(exact[flip] + share * offsets, public)} for share in PRIORS]
    log.info("prior: %s", points)
    if prior is None:
        prior = choose_prior(points)
    if prior:
        _add_to_bias(network, prior * offsets)
        exact = logits(to_litert(network, size))
    contents = to_litert(network, size, _representative(training, size, standardise=standardise))
    chosen = logits(contents)
    precision = "int8"
    if not int8_is_good_enough(_figures(chosen[flip], public), _figures(exact[flip], public)):
        log.warning("int8 costs too much: %s", _figures(chosen[flip], public))
        precision, contents, chosen = "float32", to_litert(network, size), exact
    figures, as_float = _figures(chosen[flip], public), _figures(exact[flip], public)
    log.info("%s, flip %s, prior %s: %s", precision, flip, prior, figures)
    temperature = metrics.fit_temperature(chosen[flip], public.labels)
    with candidate_file(contents, folder) as weights:
        raw = ExpressionClassifier(weights, flip=flip, standardise=standardise)
        gate = choose_gate(
            curves_by_height(lambda faces: log_probabilities(raw, faces), public, temperature), named_accuracy
        )
        shipped = ExpressionClassifier(weights, temperature=temperature, flip=flip, standardise=standardise)
        golden = shipped.classify(golden_faces(size))
    log.info("%s", gate)
    table: dict[str, Any] = {
        "file": f"weights/{name}.tflite",
        "sha256": hashlib.sha256(contents).hexdigest(),
        "architecture": architecture,
        "parameters": record["parameters"],
        "multiply_adds": zoo.multiply_adds(network),
        "precision": precision,
        "input_size": size,
        "labels": list(EXPRESSIONS),
        "temperature": round(temperature, 4),
        "threshold": gate.thresholds[-1][1],
        "min_height": gate.min_height,
        "thresholds": [list(pair) for pair in gate.thresholds],
        "named_accuracy": named_accuracy,
        "flip": flip,
        "standardise": standardise,
        "prior": prior,
        **_making(record, data_hash(data)),
        "golden": {"probabilities": [[round(float(p), 4) for p in row] for row in golden]},
        "metrics": {
            "public_accuracy": figures["accuracy"],
            "public_accuracy_float": as_float["accuracy"],
            "public_accuracy_without_flip": _figures(chosen[False], public)["accuracy"],
            "public_macro_f1": figures["macro_f1"],
            "public_ferplus": figures["ferplus"],
            "public_ece": figures["ece"],
            "public_ece_float": as_float["ece"],
            "agreement_with_float": round(
                float((chosen[flip].argmax(axis=1) == exact[flip].argmax(axis=1)).mean()), 4
            ),
        },
    }
    if public.votes is not None:
        table["operating_points"] = points
    # together and at the end: weights that are not those of the manifest are refused
    replace_file(folder / f"{name}.tflite", contents)
    write_entry(manifest, name, table)
    return resolve(name, manifest)


def _making(record: Mapping[str, Any], data_sha256: str) -> dict[str, Any]:
    """What the manifest says of how a run's network was made and what it is to be given."""
    return {
        "crop": {
            "side": FER2013_CROP.side,
            "offset_x": FER2013_CROP.offset_x,
            "offset_y": FER2013_CROP.offset_y,
        },
        "preprocessing": {
            "grey": "ITU-R BT.601 luma, uint8",
            "resize": "INTER_AREA",
            "range": "float32 with mean 128 and deviation 64 per face, scaled inside the graph"
            if wants_standardised(record)
            else "float32 0..255, normalised inside the graph",
        },
        "data": {
            "name": "FER2013 with FER+ votes",
            "sha256": data_sha256,
            "train": "Training",
            "chosen_on": "PublicTest",
        },
        "run": {
            "epochs": len(record["history"]),
            "chosen_epoch": record["chosen_epoch"],
            **{key: record[key] for key in ("begun", "device", "note") if key in record},
            **{f"version_{key}": value for key, value in record["versions"].items()},
        },
        "settings": record["settings"],
    }


def choose_prior(points: Sequence[Mapping[str, float]]) -> float:
    """The prior of the operating point between FER2013's labels and FER+'s, of points {prior, fer2013, ferplus}.

    The smaller of the two margins to `GOALS` is to be largest, so that neither is bought with all of the other; of
    equals, the smallest prior. Without votes there is no ferplus, and the accuracy on FER2013 decides."""

    def worst(point: Mapping[str, float]) -> float:
        return min(point[name] - goal for name, goal in GOALS.items() if name in point)

    return max(points, key=lambda point: (worst(point), -point["prior"]))["prior"]


def int8_is_good_enough(quantised: Mapping[str, float], exact: Mapping[str, float]) -> bool:
    """Whether int8 stays within 0.3 points of accuracy and 0.005 of calibration error, each as in `_figures`."""
    return (
        quantised["accuracy"] >= exact["accuracy"] - INT8_MAY_COST
        and quantised["ece"] <= exact["ece"] + INT8_MAY_MISSTATE
    )


def _figures(logits: NDArray[np.float64], faces: FaceSet) -> dict[str, float]:
    """What the manifest says of logits on PublicTest, each with its own temperature."""
    temperature = metrics.fit_temperature(logits, faces.labels)
    named = logits.argmax(axis=1).astype(np.int64)
    ece = metrics.calibration_error(metrics.softmax(logits, temperature), faces.labels)
    figures = _accuracies(logits, faces)
    return {
        "accuracy": figures["fer2013"],
        "ferplus": figures.get("ferplus", 0.0),
        "macro_f1": round(metrics.macro_f1(metrics.confusion(named, faces.labels)), 4),
        "ece": round(ece, 4),
    }


def _accuracies(logits: NDArray[np.float64], faces: FaceSet) -> dict[str, float]:
    named = logits.argmax(axis=1).astype(np.int64)
    figures = {"fer2013": round(float((named == faces.labels).mean()), 4)}
    if faces.votes is not None:
        correct, total = metrics.ferplus_accuracy(named, faces.votes)
        figures["ferplus"] = round(correct / max(total, 1), 4)
    return figures


def _representative(faces: FaceSet, size: int, *, standardise: bool) -> NDArray[np.float32]:
    rows = np.random.default_rng(0).permutation(len(faces))[:REPRESENTATIVE]
    return network_input(resized(faces.images[rows], size), standardise=standardise)[..., 0]


def _add_to_bias(network: keras.Model, offsets: NDArray[np.float64]) -> None:
    """Add to the logits, in the bias of the last layer that has one per class."""
    bias = [weight for weight in network.trainable_weights if tuple(weight.shape) == offsets.shape][-1]
    bias.assign(bias + offsets)


def _logits(
    contents: bytes, folder: Path, faces: FaceSet, *, standardise: bool
) -> dict[bool, NDArray[np.float64]]:
    """Without and with flip averaging."""
    with candidate_file(contents, folder) as weights:
        return {
            flip: log_probabilities(
                ExpressionClassifier(weights, flip=flip, standardise=standardise), faces.images
            )
            for flip in (False, True)
        }
