"""From finished runs of the presence network, one for each view, to its weight file and the entry `[presence]`."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from inference.landmarks import SIZE
from inference.presence import VIEWS, ConfirmedDetector, PresenceNetwork, crop_of
from inference.tileface import TileFaceDetector
from models.backends import demand_tensorflow
from models.convert import to_flat_buffer
from models.detector.calibration import LOWEST, place
from models.detector.golden import golden_gallery
from models.detector.groups import main_face_pictures, main_face_scores
from models.detector.judged import picture_sets
from models.detector.labels import label_photos, load_yunet
from models.detector.measure import Tally, tally_of
from models.detector.train import LABELS
from models.errors import TrainingError
from models.manifest import candidate_file, replace_file, write_entry
from models.presence.network import build_presence, joined
from models.presence.samples import Marks, views
from models.presence.train import SCALE, Held, kept_marks
from models.registry import (
    MANIFEST,
    PRESENCE,
    PresenceEntry,
    ScoreScale,
    resolve_face,
    resolve_presence,
)
from models.runs import load_weights, read_run, settings_of

log = logging.getLogger(__name__)

_REPRESENTATIVE: Final = 400
"""Views by which int8 chooses its scales."""
_CHOSEN_ON: Final = 36
"""Galleries of the val split on which the scale is chosen and precisions are compared."""
_WEIGHTS: Final = (0.2, 0.3, 0.4, 0.5, 0.6)
_WEIGHT_MAY_COST: Final = 0.0005
"""Of average precision: the least weight is taken that is nearly as good, for the network learnt from photographs, and
people in a meeting are smaller, darker and worse encoded."""
_NEARLY: Final = 0.96
"""Share of what the best place of the scores is worth for which the lowest is taken: a face that is missed is a student
who is not seen, while a false one mostly shares its tile with a surer one. So low every face of the five screenshots is
found; lower still, patterns of an empty wall are faces at the first look."""
_INT8_MAY_COST: Final = 0.001
"""Of average precision."""


def export_presence(
    runs: Sequence[Path], data: Path, *, manifest: Path = MANIFEST, precision: str = "auto"
) -> PresenceEntry:
    """Export the best weights of `runs`, one for each view, as one network into `weights/` beside `manifest` and
    (re)write the entry `presence`.

    How its logits and those of the shipped detector become one score is chosen on galleries and photographs of people
    of the val split: the least weight that is nearly best by average precision, then the place of the scores by
    `models.detector.calibration`. int8 if that costs at most 0.001 of average precision, else float32, unless
    `precision` says "int8" or "float32". Raises TrainingError, DataError, ManifestError, WeightsError and
    `inference.errors.DetectorError`.
    """
    demand_tensorflow("Export")
    settings = [settings_of(run, "stem", "widths", "blocks", "view") for run in runs]
    if sorted(one["view"] for one in settings) != sorted(VIEWS):
        raise TrainingError(
            f"The presence network is made of one run for each view ({', '.join(VIEWS)}), got "
            f"{', '.join(one['view'] for one in settings)}; give --view in the training."
        )
    by_view = {one["view"]: run for one, run in zip(settings, runs, strict=True)}
    runs = [by_view[view] for view in VIEWS]
    records = [read_run(run) for run in runs]
    photos = label_photos(data, runs[0] / LABELS)
    sets = picture_sets(photos["val"], _CHOSEN_ON, seed=1)
    held = {name: Held.of(scenes) for name, scenes in sets.items()}
    network = joined([_load(run) for run in runs], SCALE.most)
    marks = [kept_marks(run) for run in runs]
    rng = np.random.default_rng(5)
    shown = np.concatenate([_some_views(one, rng) for one in marks], axis=3)
    folder = manifest.parent / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    kinds = {"float32": _to_litert(network), "int8": _to_litert(network, shown)}
    present = {kind: _present(contents, folder, held) for kind, contents in kinds.items()}
    means = {weight: _mean(_precisions(held, present["float32"], weight)) for weight in _WEIGHTS}
    weight = min(weight for weight in _WEIGHTS if means[weight] >= max(means.values()) - _WEIGHT_MAY_COST)
    reached = {kind: _precisions(held, logits, weight) for kind, logits in present.items()}
    for kind, each in reached.items():
        log.info("%s: %s", kind, each)
    if precision == "auto":
        costs = _mean(reached["float32"]) - _mean(reached["int8"])
        precision = "int8" if costs <= _INT8_MAY_COST else "float32"
    contents = kinds[precision]
    scale = replace(SCALE, weight=weight)
    mains, yunet = main_face_pictures(photos["val"]), load_yunet(data, threshold=LOWEST)
    with candidate_file(contents, folder) as weights:
        ours = ConfirmedDetector(
            resolve_face(manifest).path, PresenceNetwork(weights), scale, threshold=LOWEST
        )
        main_faces = {name: main_face_scores(ours, pictures) for name, pictures in mains.items()}
        examples = golden(weights)
    placed = place(
        {name: each.tally(present[precision][name], scale) for name, each in held.items()}
        | {name: Tally.of_scores(scores) for name, scores in main_faces.items()},
        {name: tally_of(yunet, scenes) for name, scenes in sets.items()}
        | {name: Tally.of_scores(main_face_scores(yunet, pictures)) for name, pictures in mains.items()},
        nearly=_NEARLY,
    )
    scale = replace(scale, **asdict(placed))
    log.info("%s", scale)
    table = {
        "file": f"weights/{PRESENCE}.tflite",
        "sha256": hashlib.sha256(contents).hexdigest(),
        "architecture": "presence",
        "parameters": network.count_params(),
        "precision": precision,
        "preprocessing": {
            "colour": "RGB",
            "range": "float32 0..255, normalised inside the graph",
            "crop": f"{SIZE} px, {' and '.join(VIEWS)} (inference.presence.crop_of)",
        },
        "data": {
            "name": "what the face detector marks in the pictures that it learnt from",
            "face_sha256": resolve_face(manifest).sha256,
            "labels_sha256": hashlib.sha256((runs[0] / LABELS).read_bytes()).hexdigest(),
            "train": "train",
            "chosen_on": "val",
        },
        "scale": {key: round(value, 4) for key, value in asdict(scale).items()},
        "run": {
            "views": list(VIEWS),
            "rounds": [len(record["history"]) for record in records],
            "chosen_round": [record["chosen_round"] for record in records],
            "marks": [len(one.kinds) for one in marks],
            "faces": [int((one.kinds == 1).sum()) for one in marks],
            **{f"version_{key}": value for key, value in records[0]["versions"].items()},
        },
        "golden": examples,
        "settings": {key: value for key, value in records[0]["settings"].items() if key != "view"},
        "metrics": {
            **{f"val_ap_{_word(name)}": ap for name, ap in reached[precision].items()},
            **{f"val_ap_{_word(name)}_float": ap for name, ap in reached["float32"].items()},
            **{
                f"val_ap_{_word(name)}_alone": round(each.tally_alone().average_precision(), 4)
                for name, each in held.items()
            },
        },
    }
    # together and at the end: weights that are not those of the manifest are refused
    replace_file(folder / f"{PRESENCE}.tflite", contents)
    write_entry(manifest, PRESENCE, table)
    return resolve_presence(manifest)


def golden(weights: Path) -> dict[str, Any]:
    """What the weights say of what our detector marks, faces and others, in the picture of `models.detector.golden`.

    boxes: left, top, width and height of the marks.  landmarks: x and y of their five points.  logits: of the weights.
    """
    picture = golden_gallery()
    faces = TileFaceDetector(resolve_face().path, threshold=0.1).detect(picture)
    logits = PresenceNetwork(weights).logits(np.stack([crop_of(picture, face) for face in faces]))
    return {
        "boxes": [[face.box.left, face.box.top, face.box.width, face.box.height] for face in faces],
        "landmarks": [[round(float(v), 1) for v in face.landmarks.ravel()] for face in faces],
        "logits": [round(float(logit), 2) for logit in logits],
    }


def _load(run: Path) -> keras.Model:
    """The network of one view with its best weights."""
    settings = read_run(run)["settings"]
    network = build_presence(settings["stem"], settings["widths"], settings["blocks"])
    load_weights(network, run)
    return network


def _some_views(marks: Marks, rng: np.random.Generator) -> NDArray[np.uint8]:
    chosen = rng.choice(len(marks.pictures), _REPRESENTATIVE, replace=False)
    return views(marks.pictures[chosen], rng)


def _to_litert(network: keras.Model, representative: NDArray[np.uint8] | None = None) -> bytes:
    samples = None if representative is None else [crop[np.newaxis] for crop in representative]
    return to_flat_buffer(network, (None, SIZE, SIZE, 3 * len(VIEWS)), samples)


def _present(contents: bytes, folder: Path, held: dict[str, Held]) -> dict[str, NDArray[np.float32]]:
    with candidate_file(contents, folder) as weights:
        network = PresenceNetwork(weights)
        return {name: network.logits(each.crops) for name, each in held.items()}


def _precisions(
    held: dict[str, Held], present: dict[str, NDArray[np.float32]], weight: float
) -> dict[str, float]:
    """Average precision by set of pictures."""
    scale: ScoreScale = replace(SCALE, weight=weight)
    return {
        name: round(each.tally(present[name], scale).average_precision(), 4) for name, each in held.items()
    }


def _mean(values: dict[str, float]) -> float:
    return sum(values.values()) / len(values)


def _word(name: str) -> str:
    return name.replace(" ", "_")
