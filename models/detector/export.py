"""From a finished run of the detector to its weight file and the manifest's entry `[face]`."""

import hashlib
import logging
import math
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
from models.detector.compose import Scene, compose, compose_galleries
from models.detector.golden import golden_gallery
from models.detector.labels import label_photos
from models.detector.measure import Tally, tally_of
from models.detector.network import Calibration, build_detector, to_serve
from models.detector.photo import Photo
from models.detector.train import LABELS
from models.manifest import candidate_file, replace_file, write_entry
from models.registry import FACE, MANIFEST, FaceEntry, resolve_face
from models.runs import load_weights, read_run, settings_of

log = logging.getLogger(__name__)

LOWEST: Final = 0.02
"""Score from which detections are looked at when curves are drawn."""
_REPRESENTATIVE: Final = 120
"""Pictures by which int8 chooses its scales."""
_CHOSEN_ON: Final = 36
"""Galleries of the val split on which scores are calibrated and precisions compared."""
_INT8_MAY_COST: Final = 0.002
"""Of average precision, and of the landmark error in face heights."""
AT_HALF: Final = 0.97
AT_TENTH: Final = 0.65
AT_NINE_TENTHS: Final = 0.995
"""Precisions on galleries of the val split that the scores 0.5, 0.1 and 0.9 stand for."""
THRESHOLD: Final = 0.5
"""From which a face counts in the product."""


def export_detector(
    run: Path, data: Path, *, manifest: Path = MANIFEST, precision: str = "auto"
) -> FaceEntry:
    """Export `run`'s best weights into `weights/` beside `manifest` and (re)write the entry `face`.

    Everything is chosen on galleries composed of the val split's people: where the scores lie (`calibration`), and
    int8 if it costs at most 0.002 of average precision and of landmark error, else float32, unless `precision` says
    "int8" or "float32". Raises TrainingError, DataError and ManifestError.
    """
    demand_tensorflow("Export")
    record, settings = read_run(run), settings_of(run, "stem", "widths", "neck", "blocks")
    shape = (settings["stem"], settings["widths"], settings["neck"], settings["blocks"])
    photos = label_photos(data, run / LABELS)
    galleries = compose_galleries(photos["val"], _CHOSEN_ON, seed=1)
    trained = build_detector(*shape)
    load_weights(trained, run)
    folder = manifest.parent / "weights"
    folder.mkdir(parents=True, exist_ok=True)

    plain = to_litert(to_serve(trained, Calibration(), *shape))
    placed = calibration(_tally(plain, folder, galleries))
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
            "train": "train",
            "chosen_on": "val",
        },
        "calibration": {
            **{key: round(value, 4) for key, value in asdict(placed).items()},
            "precision_at_half": AT_HALF,
            "precision_at_tenth": AT_TENTH,
            "precision_at_nine_tenths": AT_NINE_TENTHS,
        },
        "run": {
            "rounds": len(record["history"]),
            "chosen_round": record["chosen_round"],
            **{f"version_{key}": value for key, value in record["versions"].items()},
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


def calibration(tally: Tally) -> Calibration:
    """With which scores are 0.1, 0.5 and 0.9 where the precision reaches `AT_TENTH`, `AT_HALF` and `AT_NINE_TENTHS`.

    The precision is that of all detections from that score up.
    """
    scores = (lowest_score(tally, precision) for precision in (AT_TENTH, AT_HALF, AT_NINE_TENTHS))
    tenth, half, most = (math.log(score / (1 - score)) for score in scores)
    apart = math.log(9)
    return Calibration(half, apart / max(half - tenth, 0.1), apart / max(most - half, 0.1))


def lowest_score(tally: Tally, precision: float) -> float:
    """The lowest score from which on the detections have this precision, within 0.001..0.999."""
    scores, _, reached = tally.curve()
    good = np.flatnonzero(reached >= precision)
    return float(np.clip(scores[good[-1]], 0.001, 0.999)) if len(good) else 0.999


def _costs_little(quantised: Tally, exact: Tally) -> bool:
    return (
        quantised.average_precision() >= exact.average_precision() - _INT8_MAY_COST
        and quantised.landmark_error() <= exact.landmark_error() + _INT8_MAY_COST
    )


def _representative(photos: Sequence[Photo]) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(5)
    return [compose(photos, 256, rng).picture for _ in range(_REPRESENTATIVE)]


def _tally(contents: bytes, folder: Path, galleries: Sequence[Scene]) -> Tally:
    with candidate_file(contents, folder) as weights:
        return tally_of(TileFaceDetector(weights, threshold=LOWEST), galleries)


def _summary(tally: Tally) -> dict[str, float]:
    return {
        "ap": round(tally.average_precision(), 4),
        "recall_at_99": round(tally.recall_at_precision(0.99), 4),
        "landmarks": round(tally.landmark_error(), 4),
    }
