"""From a finished run of the detector to its weight file and the manifest's entry `[face]`."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from inference.tileface import TileFaceDetector
from models.backends import demand_tensorflow
from models.convert import to_flat_buffer
from models.data import data_hash
from models.detector.calibration import LOWEST, place
from models.detector.compose import Scene, compose
from models.detector.golden import golden_gallery
from models.detector.groups import main_face_pictures, main_face_scores
from models.detector.judged import TABLE, picture_sets
from models.detector.labels import label_photos, load_yunet
from models.detector.measure import Tally, tally_of
from models.detector.network import Calibration, build_detector, to_serve
from models.detector.photo import Photo
from models.detector.train import LABELS
from models.manifest import candidate_file, replace_file, write_entry
from models.registry import FACE, MANIFEST, FaceEntry, resolve_face
from models.runs import load_weights, read_run, settings_of

log = logging.getLogger(__name__)

_REPRESENTATIVE: Final = 120
"""Pictures by which int8 chooses its scales."""
_CHOSEN_ON: Final = 36
"""Galleries of the val split on which scores are placed and precisions compared."""
_INT8_MAY_COST: Final = 0.002
"""Of average precision, and of the landmark error in face heights."""
THRESHOLD: Final = 0.5
"""From which a face counts in the product."""


def export_detector(
    run: Path, data: Path, *, manifest: Path = MANIFEST, precision: str = "auto"
) -> FaceEntry:
    """Export `run`'s best weights into `weights/` beside `manifest` and (re)write the entry `face`.

    Everything is chosen on people of the val split: on galleries and photographs where the scores lie
    (`models.detector.calibration`), and on the galleries int8 if it costs at most 0.002 of average precision and of
    landmark error, else float32, unless `precision` says "int8" or "float32". Raises TrainingError, DataError,
    ManifestError and `inference.errors.DetectorError`.
    """
    demand_tensorflow("Export")
    record, settings = read_run(run), settings_of(run, "stem", "widths", "neck", "blocks")
    shape = (settings["stem"], settings["widths"], settings["neck"], settings["blocks"])
    photos = label_photos(data, run / LABELS)
    sets = picture_sets(photos["val"], _CHOSEN_ON, seed=1)
    galleries = sets["galleries"]
    trained = build_detector(*shape)
    load_weights(trained, run)
    folder = manifest.parent / "weights"
    folder.mkdir(parents=True, exist_ok=True)

    plain = to_litert(to_serve(trained, Calibration(), *shape))
    mains = main_face_pictures(photos["val"])
    with candidate_file(plain, folder) as weights:
        ours, theirs = (
            {name: tally_of(detector, scenes) for name, scenes in sets.items()}
            | {
                name: Tally.of_scores(main_face_scores(detector, pictures))
                for name, pictures in mains.items()
            }
            for detector in (TileFaceDetector(weights, threshold=LOWEST), load_yunet(data, threshold=LOWEST))
        )
    placed = place(ours, theirs)
    log.info("%s", placed)
    served = to_serve(trained, placed, *shape)
    kinds = {"float32": to_litert(served), "int8": to_litert(served, _representative(photos["train"]))}
    tallies = {kind: _tally(contents, folder, galleries) for kind, contents in kinds.items()}
    for kind, tally in tallies.items():
        log.info("%s: %s", kind, _summary(tally))
    if precision == "auto":
        precision = "int8" if _costs_little(tallies["int8"], tallies["float32"]) else "float32"
    contents, tally = kinds[precision], tallies[precision]
    with candidate_file(contents, folder) as weights:
        faces = TileFaceDetector(weights, threshold=THRESHOLD).detect(golden_gallery())
    table = {
        "file": f"weights/{FACE}.tflite",
        "sha256": hashlib.sha256(contents).hexdigest(),
        "architecture": "tileface",
        "parameters": record["parameters"],
        "precision": precision,
        "threshold": THRESHOLD,
        "preprocessing": {
            "colour": "RGB",
            "range": "float32 0..255, normalised inside the graph",
            "size": "any multiple of 32; filled up with black to the right and below",
        },
        "data": {
            "name": "LFW portraits and face masks, labelled by YuNet and MTCNN; the synthetic class; drawn things",
            "labels_sha256": hashlib.sha256((run / LABELS).read_bytes()).hexdigest(),
            "judged_sha256": data_hash(TABLE),
            "train": "train",
            "chosen_on": "val",
        },
        "calibration": {key: round(value, 4) for key, value in asdict(placed).items()},
        "run": {
            "rounds": len(record["history"]),
            "chosen_round": record["chosen_round"],
            **{f"version_{key}": value for key, value in record["versions"].items()},
            **({"averaged": record["averaged"]["runs"]} if "averaged" in record else {}),
            **({"note": record["note"]} if "note" in record else {}),
        },
        "golden": {
            "boxes": [[face.box.left, face.box.top, face.box.width, face.box.height] for face in faces],
            "scores": [round(face.score, 3) for face in faces],
            "landmarks": [[round(float(v), 1) for v in face.landmarks.ravel()] for face in faces],
        },
        "settings": settings,
        "metrics": {
            **{f"val_{key}": value for key, value in _summary(tally).items()},
            **{f"val_{key}_float": value for key, value in _summary(tallies["float32"]).items()},
        },
    }
    # together and at the end: weights that are not those of the manifest are refused
    replace_file(folder / f"{FACE}.tflite", contents)
    write_entry(manifest, FACE, table)
    return resolve_face(manifest)


def to_litert(model: keras.Model, representative: Sequence[NDArray[np.uint8]] | None = None) -> bytes:
    """LiteRT flat buffer of `model` for one picture of any size; int8 inside with `representative` pictures."""
    samples = None if representative is None else [picture[np.newaxis] for picture in representative]
    return to_flat_buffer(model, (1, None, None, 3), samples)


def _costs_little(quantised: Tally, exact: Tally) -> bool:
    return (
        quantised.average_precision() >= exact.average_precision() - _INT8_MAY_COST
        and quantised.landmark_error() <= exact.landmark_error() + _INT8_MAY_COST
    )


def _representative(photos: Sequence[Photo]) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(5)
    return [compose(photos, 256, rng).picture for _ in range(_REPRESENTATIVE)]


def _tally(contents: bytes, folder: Path, scenes: Sequence[Scene]) -> Tally:
    with candidate_file(contents, folder) as weights:
        return tally_of(TileFaceDetector(weights, threshold=LOWEST), scenes)


def _summary(tally: Tally) -> dict[str, float]:
    return {
        "ap": round(tally.average_precision(), 4),
        "recall_at_99": round(tally.recall_at_precision(0.99), 4),
        "landmarks": round(tally.landmark_error(), 4),
    }
