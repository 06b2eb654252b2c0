"""From a finished run to a weight file and its entry in the manifest."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from inference.align import FER2013
from inference.expression import ExpressionClassifier, margins, second_looks, undecided
from models import metrics, zoo
from models.backends import demand_tensorflow
from models.convert import to_litert
from models.data import FaceSet, data_hash, named_split, read_faces, resized
from models.errors import TrainingError
from models.evaluate import NAMED_ACCURACY, logits_of
from models.gate import Gate, choose_gate, curves_by_height, fit_temperatures, logits_by_height
from models.golden import golden_answers
from models.heads import LABELS, VOTES, fit_temperature, heads_in, of_head, truth_of
from models.manifest import candidate_file, replace_file, write_entry
from models.operating_point import accuracies, choose_prior, macro_f1, operating_points, voters_offsets
from models.registry import MANIFEST, ModelEntry, Steps, resolve
from models.runs import (
    architecture_of,
    heads_of,
    input_size_of,
    load_weights,
    network_input,
    read_run,
    wants_standardised,
)

log = logging.getLogger(__name__)

REPRESENTATIVE: Final = 200
"""Faces of Training that int8 is scaled by: among more of them a few strange ones would make its 256 steps wider."""
_TOLD: Final = ("begun", "posed_faces", "unlabelled_faces", "device", "note")
"""Of a `run.json`, in the manifest."""
SECOND_LOOK: Final = 0.08
"""Share of the faces, the least decided ones, that are looked at mirrored too: more than half of what a second look at
all of them gives, at a twelfth of its price (`benchmarks.second_look`)."""
INT8_MAY_COST: Final = 0.003
"""Of accuracy."""
INT8_MAY_MISSTATE: Final = 0.005
"""Of calibration error."""


def export(
    run: Path,
    data: Path,
    *,
    manifest: Path = MANIFEST,
    name: str = "expression",
    prior: float | None = None,
    second_look: float = SECOND_LOOK,
) -> ModelEntry:
    """Export `run`'s best weights into `weights/` beside `manifest` and (re)write the entry `name`.

    Everything is chosen on PublicTest: below which margin a face is looked at twice; int8 unless it costs a head more
    than 0.3 points of accuracy or 0.005 of calibration error against float; the temperatures; which faces may be read
    and from which probability on, so that a share `NAMED_ACCURACY` of those named is right at every height
    (`models.gate`). Of two heads, the one is served that learnt what people see.

    `second_look` 0..1 is the share of the faces there that are read mirrored too, which takes that much longer.
    `prior` 0..1 says how far the class frequencies that the served head learnt are shifted towards FER2013's
    (`models.operating_point`); None lets `choose_prior` decide. Raises TrainingError, DataError and ManifestError.
    """
    demand_tensorflow("Export")
    if not 0 <= second_look <= 1:
        raise TrainingError(
            f"The share of faces that are looked at twice must be in 0..1, got {second_look}."
        )
    record, architecture = read_run(run), architecture_of(run)
    if architecture in zoo.MACHINES:
        raise TrainingError(f"{run} is a {architecture}; only networks can be served.")
    splits = read_faces(data)
    training, public = (named_split(splits, split, data) for split in ("Training", "PublicTest"))
    size, standardise, heads = input_size_of(record), wants_standardised(record), heads_of(record)
    if heads > 1 and public.votes is None:
        raise TrainingError(
            f"{data} has no votes to measure the second head of {run} on; give FER2013 with FER+."
        )
    served = heads - 1
    given = [] if prior is None else ["prior"]
    network = zoo.build(architecture, size, heads=heads)
    load_weights(network, run)

    folder = manifest.parent / "weights"
    folder.mkdir(parents=True, exist_ok=True)

    def looks(contents: bytes) -> _Looks:
        return _look(contents, folder, public, second_look, standardise=standardise)

    exact = looks(to_litert(network, size))
    answers = of_head(exact.served, served)
    offsets = (
        voters_offsets(answers, public, training)
        if served == VOTES
        else metrics.fit_offsets(answers, public.labels)
    )
    added = np.concatenate([np.zeros(served * len(EXPRESSIONS)), offsets])
    points = operating_points(
        lambda share: of_head(exact.shifted(share * added).served, served), public, served
    )
    log.info("prior: %s", points)
    prior = choose_prior(points) if prior is None else prior
    if prior:
        _add_to_bias(network, prior * added)
        exact = looks(to_litert(network, size))
    contents = to_litert(network, size, _representative(training, size, standardise=standardise))
    chosen = looks(contents)
    precision = "int8"
    if not all(
        int8_is_good_enough(_figures(chosen.served, public, head), _figures(exact.served, public, head))
        for head in range(heads)
    ):
        log.warning(
            "int8 costs too much: %s", [_figures(chosen.served, public, head) for head in range(heads)]
        )
        precision, contents, chosen = "float32", to_litert(network, size), exact
    temperatures = [
        fit_temperature(of_head(chosen.served, head), truth_of(public, head)) for head in range(heads)
    ]
    with candidate_file(contents, folder) as weights:
        raw = ExpressionClassifier(weights, second_look=chosen.margin, standardise=standardise)
        by_height, gate = _by_height(raw, public, served)
        shipped = ExpressionClassifier(
            weights,
            head=served,
            temperature=temperatures[served],
            second_look=chosen.margin,
            standardise=standardise,
        )
        golden = golden_answers(shipped)
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
        "heads": heads,
        "head": served,
        "temperature": round(temperatures[served], 4),
        "temperatures": [list(pair) for pair in by_height],
        "label_temperature": round(temperatures[LABELS], 4),
        "threshold": gate.thresholds[-1][1],
        "min_height": gate.min_height,
        "thresholds": [list(pair) for pair in gate.thresholds],
        "named_accuracy": NAMED_ACCURACY[served],
        "second_look": chosen.margin,
        "second_look_share": second_look,
        "standardise": standardise,
        "prior": prior,
        "given": given,
        **_making(record, data_hash(data)),
        "golden": golden,
        "metrics": _metrics(chosen, exact, public),
    }
    log.info("%s, second look below %.3f: %s", precision, chosen.margin, table["metrics"])
    if public.votes is not None:
        table["operating_points"] = points
    # together and at the end: weights that are not those of the manifest are refused
    replace_file(folder / f"{name}.tflite", contents)
    write_entry(manifest, name, table)
    return resolve(name, manifest)


@dataclass(frozen=True, slots=True)
class _Looks:
    """What weights say of PublicTest.

    once, mirrored: logits float64 (N, 7 H) of the faces as they are and mirrored.
    share: of them looked at twice, 0..1.
    """

    once: NDArray[np.float64]
    mirrored: NDArray[np.float64]
    share: float

    @property
    def margin(self) -> float:
        """Below it a face is looked at twice."""
        return margin_of(margins(self.once), self.share)

    @property
    def served(self) -> NDArray[np.float64]:
        """The logits that count, as `ExpressionClassifier` gives them."""
        again = undecided(self.once, self.margin)
        return np.asarray(second_looks(self.once, self.mirrored, again), np.float64)

    def shifted(self, offsets: NDArray[np.float64]) -> "_Looks":
        """What weights would say with `offsets` (7 H,) in the bias of the last layer."""
        return _Looks(self.once + offsets, self.mirrored + offsets, self.share)


def _look(contents: bytes, folder: Path, faces: FaceSet, share: float, *, standardise: bool) -> _Looks:
    with candidate_file(contents, folder) as weights:
        classifier = ExpressionClassifier(weights, standardise=standardise)
        once, mirrored = (logits_of(classifier, seen) for seen in (faces.images, faces.images[:, :, ::-1]))
        return _Looks(once, mirrored, share)


def margin_of(apart: NDArray[np.float64], share: float) -> float:
    """The margin below which a share 0..1 of margins (N,) lies: 0 for none of them, 1 for all."""
    return share if share in (0, 1) else round(float(np.quantile(apart, share)), 6)


def _metrics(chosen: _Looks, exact: _Looks, public: FaceSet) -> dict[str, float]:
    """What the manifest says of PublicTest, of the weights as they are served and in float."""
    last = heads_in(exact.served) - 1
    figures, as_float = (_figures(looks.served, public, LABELS) for looks in (chosen, exact))
    told = {
        "public_accuracy": figures["accuracy"],
        "public_accuracy_float": as_float["accuracy"],
        "public_accuracy_once": _figures(chosen.once, public, LABELS)["accuracy"],
        "public_macro_f1": figures["macro_f1"],
        "public_ece": figures["ece"],
        "public_ece_float": as_float["ece"],
        "agreement_with_float": round(
            float(
                (
                    of_head(chosen.served, last).argmax(axis=1) == of_head(exact.served, last).argmax(axis=1)
                ).mean()
            ),
            4,
        ),
    }
    if public.votes is not None:
        told["public_ferplus"] = accuracies(of_head(chosen.served, last), public)["ferplus"]
        told["public_ferplus_once"] = accuracies(of_head(chosen.once, last), public)["ferplus"]
        told["public_ferplus_float"] = accuracies(of_head(exact.served, last), public)["ferplus"]
    if last == VOTES:
        told["public_ferplus_ece"] = _figures(chosen.served, public, VOTES)["ece"]
    return told


def _making(record: Mapping[str, Any], data_sha256: str) -> dict[str, Any]:
    """What the manifest says of how a run's network was made and what it is to be given."""
    return {
        "crop": {
            "side": FER2013.side,
            "offset_x": FER2013.offset_x,
            "offset_y": FER2013.offset_y,
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
            **{key: record[key] for key in _TOLD if key in record},
            **({"averaged": record["averaged"]["runs"]} if "averaged" in record else {}),
            **{f"version_{key}": value for key, value in record["versions"].items()},
        },
        "settings": record["settings"],
    }


def int8_is_good_enough(quantised: Mapping[str, float], exact: Mapping[str, float]) -> bool:
    """Whether int8 stays within 0.3 points of accuracy and 0.005 of calibration error, each as in `_figures`."""
    return (
        quantised["accuracy"] >= exact["accuracy"] - INT8_MAY_COST
        and quantised["ece"] <= exact["ece"] + INT8_MAY_MISSTATE
    )


def _by_height(raw: ExpressionClassifier, public: FaceSet, head: int) -> tuple[Steps, Gate]:
    """Temperatures and thresholds of a head for small faces and large ones."""
    answers = logits_by_height(lambda faces: logits_of(raw, faces), public, head=head)
    truth = truth_of(public, head)
    temperatures = fit_temperatures(answers, truth)
    return temperatures, choose_gate(curves_by_height(answers, temperatures, truth), NAMED_ACCURACY[head])


def _figures(logits: NDArray[np.float64], faces: FaceSet, head: int) -> dict[str, float]:
    """What the manifest says of one head of logits (N, 7 H) on PublicTest, at its own temperature."""
    truth, answers = truth_of(faces, head), of_head(logits, head)
    counted = truth.counted
    calibrated = metrics.softmax(answers, fit_temperature(answers, truth))
    return {
        "accuracy": round(float((answers.argmax(axis=1) == truth.labels)[counted].mean()), 4),
        "macro_f1": macro_f1(answers, truth),
        "ece": round(metrics.calibration_error(calibrated[counted], truth.labels[counted]), 4),
    }


def _representative(faces: FaceSet, size: int, *, standardise: bool) -> NDArray[np.float32]:
    rows = np.random.default_rng(0).permutation(len(faces))[:REPRESENTATIVE]
    return network_input(resized(faces.images[rows], size), standardise=standardise)[..., 0]


def _add_to_bias(network: keras.Model, offsets: NDArray[np.float64]) -> None:
    """Add to the logits, in the bias of the last layer that has one for each."""
    bias = [weight for weight in network.trainable_weights if tuple(weight.shape) == offsets.shape][-1]
    bias.assign(bias + offsets)
