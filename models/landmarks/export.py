"""From a finished run of the landmark network to its weight file and the manifest's entry `[landmarks]`."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from inference.faces import load_detector
from inference.landmarks import SIZE, LandmarkNetwork
from models.backends import demand_tensorflow
from models.convert import to_flat_buffer
from models.detector.compose import compose_galleries
from models.detector.golden import golden_gallery
from models.detector.labels import label_photos
from models.detector.train import LABELS
from models.landmarks.calibration import nose_stretch, stretched, turned_samples
from models.landmarks.network import build_landmarks
from models.landmarks.samples import CROPS, make_samples, shares, single_faces
from models.landmarks.train import Held, hold, predict
from models.manifest import candidate_file, replace_file, write_entry
from models.registry import LANDMARKS, MANIFEST, LandmarkEntry, resolve_landmarks
from models.runs import load_weights, read_run, settings_of

log = logging.getLogger(__name__)

_REPRESENTATIVE: Final = 400
"""Crops by which int8 chooses its scales."""
_TURNED: Final = 600
"""Heads by which the nose's stretch is measured."""
_CHOSEN_ON: Final = 36
"""Galleries of the val split on which precisions are compared."""
_INT8_MAY_COST: Final = 0.001
"""Of the landmark error, in face heights."""


def export_landmarks(
    run: Path, data: Path, *, manifest: Path = MANIFEST, precision: str = "auto"
) -> LandmarkEntry:
    """Export `run`'s best weights into `weights/` beside `manifest` and (re)write the entry `landmarks`.

    The nose is stretched as `models.landmarks.calibration` finds it on people of the train split. int8 if that costs
    at most 0.001 of landmark error on galleries composed of the val split's people, else float32, unless `precision`
    says "int8" or "float32". Raises TrainingError, DataError and ManifestError.
    """
    demand_tensorflow("Export")
    record, settings = read_run(run), settings_of(run, "stem", "widths", "blocks", "nose_weight")
    photos = label_photos(data, run / LABELS)
    held = hold(load_detector("tileface", min_face=8), compose_galleries(photos["val"], _CHOSEN_ON, seed=1))
    network = build_landmarks(settings["stem"], settings["widths"], settings["blocks"])
    load_weights(network, run)
    faces, rng = single_faces(photos["train"]), np.random.default_rng(5)
    known = turned_samples(faces, _TURNED, rng)
    factors, about = nose_stretch(predict(network, known.crops), known.points)
    plain = held.error(predict(network, held.crops))
    network = stretched(network, factors, about)
    log.info("nose stretched by %.2f across and %.2f down; %.4f before", *factors, plain)
    tiles = make_samples(faces, shares(faces), photos["train"], _REPRESENTATIVE // CROPS, rng)
    kinds = {"float32": to_litert(network), "int8": to_litert(network, list(tiles.crops))}
    folder = manifest.parent / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    errors = {kind: _error(contents, folder, held) for kind, contents in kinds.items()}
    for kind, error in errors.items():
        log.info("%s: %.4f of a face's height on galleries of val", kind, error)
    if precision == "auto":
        precision = "int8" if errors["int8"] <= errors["float32"] + _INT8_MAY_COST else "float32"
    contents = kinds[precision]
    with candidate_file(contents, folder) as weights:
        examples = golden(weights)
    table = {
        "file": f"weights/{LANDMARKS}.tflite",
        "sha256": hashlib.sha256(contents).hexdigest(),
        "architecture": "landmarks",
        "parameters": record["parameters"],
        "precision": precision,
        "preprocessing": {
            "colour": "RGB",
            "range": "float32 0..255, normalised inside the graph",
            "crop": f"{SIZE} px, turned upright by the detector's landmarks (inference.landmarks.Window)",
        },
        "data": {
            "name": "LFW portraits and face masks, labelled by YuNet and MTCNN, some turned by a generic head",
            "labels_sha256": hashlib.sha256((run / LABELS).read_bytes()).hexdigest(),
            "train": "train",
            "chosen_on": "val",
        },
        "calibration": {"nose_across": round(float(factors[0]), 3), "nose_down": round(float(factors[1]), 3)},
        "run": {
            "rounds": len(record["history"]),
            "chosen_round": record["chosen_round"],
            **{f"version_{key}": value for key, value in record["versions"].items()},
            **({"note": record["note"]} if "note" in record else {}),
        },
        "golden": examples,
        "settings": settings,
        "metrics": {
            "val_galleries": round(errors[precision], 4),
            "val_galleries_float": round(errors["float32"], 4),
            "val_galleries_unstretched": round(plain, 4),
        },
    }
    # together and at the end: weights that are not those of the manifest are refused
    replace_file(folder / f"{LANDMARKS}.tflite", contents)
    write_entry(manifest, LANDMARKS, table)
    return resolve_landmarks(manifest)


def golden(weights: Path) -> dict[str, list[list[float]]]:
    """What the weights say of the heads of `models.detector.golden`, looked at where our detector's entry sees them.

    coarse: the detector's landmarks when this was exported, x and y of five points, with the height of its box.
    landmarks: those of the weights.
    """
    picture = golden_gallery()
    faces = load_detector("tileface").detect(picture)
    return {
        "coarse": [
            [float(face.box.height), *(round(float(v), 1) for v in face.landmarks.ravel())] for face in faces
        ],
        "landmarks": [
            [round(float(v), 1) for v in face.landmarks.ravel()]
            for face in LandmarkNetwork(weights).refine(picture, faces)
        ],
    }


def to_litert(network: keras.Model, representative: Sequence[NDArray[np.uint8]] | None = None) -> bytes:
    """LiteRT flat buffer of the network for any number of crops; int8 inside with `representative` ones."""
    samples = None if representative is None else [crop[np.newaxis] for crop in representative]
    return to_flat_buffer(network, (None, SIZE, SIZE, 3), samples)


def _error(contents: bytes, folder: Path, held: Held) -> float:
    with candidate_file(contents, folder) as weights:
        return held.error(LandmarkNetwork(weights).points(held.crops))
