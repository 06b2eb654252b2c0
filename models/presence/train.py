"""The presence network's training: seeded, resumable, chosen on what our detector marks in pictures of val."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from inference.presence import VIEWS, crop_of, joint_scores
from inference.tileface import TileFaceDetector
from models.checkpoints import digest, load_made, save_made
from models.data import data_hash
from models.detector.classes import class_photos
from models.detector.compose import Scene, as_scene, compose_galleries, small_photographs
from models.detector.judged import with_judged_faces
from models.detector.labels import label_photos
from models.detector.measure import Found, Tally
from models.detector.photo import Photo
from models.detector.train import LABELS
from models.errors import TrainingError
from models.learner import Learner, RoundSettings, answers
from models.presence.network import build_presence
from models.presence.samples import Marks, mark, views
from models.registry import ScoreScale, resolve_face

log = logging.getLogger(__name__)

LEAST: Final = 0.005
"""Score of the detector from which its marks are measured."""
_TAUGHT: Final = 0.02
"""Score of the detector from which its marks are taught."""
SCALE: Final = ScoreScale(sure=3.0, weight=0.4, most=4.0)
"""About how a presence logit counts beside one of the detector: by it the best round is chosen."""
_PARTS: Final = 8
"""In so many parts the photographs are looked at, each kept when it is done."""
_PART_WEIGHT: Final = 0.3
"""Of a mark that is a part of a face, or a face that it frames badly."""
_RARE: Final = 4.0
"""How much more often a face is shown to which the detector gives less than half."""
_COMPOSED: Final = 0.5
"""How often a face of a composed picture is shown beside one of a photograph."""


@dataclass(frozen=True, slots=True)
class PresenceSettings(RoundSettings):
    """One training run of the presence network for one view.

    view: of `inference.presence.VIEWS`.
    stem, widths, blocks: of `build_presence`.
    held: galleries of the val split on which the best round is chosen, with thirty photographs to each, which are shown
        small and as they are.
    photos: use so many photographs of each split only (0: all).
    """

    weight_decay: float = 3e-3
    view: str = VIEWS[0]
    stem: int = 16
    widths: tuple[int, ...] = (24, 64, 160)
    blocks: tuple[int, ...] = (2, 3, 2)
    held: int = 24
    photos: int = 0


def train_presence(
    settings: PresenceSettings,
    *,
    on_step: Callable[[int, int], None] | None = None,
    on_round: Callable[[dict[str, float]], None] | None = None,
) -> Path:
    """Train, or go on where the run's folder stopped, and return the folder.

    The folder then holds `labels.npz` (pseudo-labels), `marks-*.npz` (what the detector marks), `best.weights.h5`
    (moving average of the best round on val), `checkpoint.npz` (everything needed to go on) and `run.json` (settings,
    versions, history). `on_step` hears the parts of the photographs looked at and their number, then the steps done
    and their total, `on_round` the round's record. The test split is not looked at. Raises DataError, TrainingError,
    `inference.errors.DetectorError`, and ManifestError or WeightsError where our own detector is absent.
    """
    if settings.view not in VIEWS:
        raise TrainingError(f"There is no view {settings.view!r}; choose one of {', '.join(VIEWS)}.")
    settings.out.mkdir(parents=True, exist_ok=True)
    learner = Learner(settings, lambda: build_from(settings), _losses)
    history = learner.resume()
    photos = label_photos(settings.data, settings.out / LABELS)
    if settings.photos:
        photos = {split: some[: settings.photos] for split, some in photos.items()}
    marks = _marks(settings, photos["train"], on_step)
    held = Held.of(_held_scenes(photos["val"], settings.held), [settings.view])
    alone = held.tally_alone().average_precision()
    for number in range(len(history), settings.rounds):
        started = time.monotonic()
        (loss,) = learner.round(number, _batches(settings, number, marks), on_step)
        record = {
            "round": number + 1,
            "loss": float(loss),
            "val_ap": held.tally(predict(learner.average, held.crops), SCALE).average_precision(),
            "val_ap_alone": alone,
            "seconds": round(time.monotonic() - started, 1),
        }
        history.append(record)
        learner.keep(history, max(history, key=lambda row: row["val_ap"]))
        log.info("%s", " ".join(f"{key}={value:.4g}" for key, value in record.items()))
        if on_round is not None:
            on_round(record)
    return settings.out


@dataclass(frozen=True, slots=True)
class Held:
    """What the detector marks in some pictures: the crops of all, and picture by picture the truth and the marks."""

    crops: NDArray[np.uint8]
    pictures: tuple[tuple[Scene, Found], ...]

    @classmethod
    def of(cls, scenes: Sequence[Scene], views: Sequence[str] = VIEWS) -> "Held":
        """With crops of these views. Raises TrainingError where nothing is marked."""
        detector = TileFaceDetector(resolve_face().path, threshold=LEAST)
        crops, pictures = [], []
        for scene in scenes:
            faces = detector.detect(scene.picture)
            crops += [crop_of(scene.picture, face, views) for face in faces]
            pictures.append((scene, Found.of(faces)))
        if not crops:
            raise TrainingError("The detector marks nothing in the pictures of the val split.")
        return cls(np.stack(crops), tuple(pictures))

    def tally(self, present: NDArray[np.floating[Any]], scale: ScoreScale) -> Tally:
        """Of what the detector and the presence network, whose logits (N,) of the crops these are, say together."""
        tally, start = Tally(), 0
        for scene, found in self.pictures:
            here = present[start : start + len(found.scores)].astype(np.float64)
            start += len(here)
            scores = joint_scores(scale, found.scores.astype(np.float64), here).astype(np.float32)
            tally.add(replace(found, scores=scores), scene)
        return tally

    def tally_alone(self) -> Tally:
        """Of what the detector says alone."""
        tally = Tally()
        for scene, found in self.pictures:
            tally.add(found, scene)
        return tally


def _held_scenes(photos: Sequence[Photo], count: int) -> list[Scene]:
    judged = with_judged_faces(photos[: 30 * count])
    return [*compose_galleries(photos, count, seed=1), *small_photographs(judged), *map(as_scene, judged)]


def _marks(
    settings: PresenceSettings, photos: Sequence[Photo], on_part: Callable[[int, int], None] | None
) -> Marks:
    """All marks of the photographs, of which the parts that an earlier start made are taken from the run's folder."""
    detector = TileFaceDetector(resolve_face().path, threshold=_TAUGHT)
    classes = list(class_photos(settings.data))
    made_with = digest(
        seed=settings.seed, photos=settings.photos, view=settings.view, detector=resolve_face().sha256,
        labels=data_hash(settings.out / LABELS),
    )  # fmt: skip
    for number in range(_PARTS):
        path = _part(settings.out, number)
        if load_made(path, (), made_with) is None:
            rng = np.random.default_rng([settings.seed, number])
            made = mark(detector, photos[number::_PARTS], classes, rng, settings.view)
            save_made(path, {name: getattr(made, name) for name in Marks.__slots__}, made_with)
        if on_part is not None:
            on_part(number + 1, _PARTS)
    return kept_marks(settings.out)


def kept_marks(run: Path) -> Marks:
    """All that the run learns from. Raises TrainingError."""
    parts = [load_made(_part(run, number), Marks.__slots__, None) for number in range(_PARTS)]
    whole = [part for part in parts if part is not None]
    if len(whole) < _PARTS:
        raise TrainingError(
            f"{run} lacks what its network learnt from; train it again, it goes on from there."
        )
    return Marks(*(np.concatenate(arrays) for arrays in zip(*whole, strict=True)))


def _part(run: Path, number: int) -> Path:
    return run / f"marks-{number:02}.npz"


def _batches(settings: PresenceSettings, number: int, marks: Marks) -> Iterator[tuple[NDArray[Any], ...]]:
    """Half of each batch are faces, the unlikely ones more often, and half are none, the likely ones more often."""
    rng = np.random.default_rng([settings.seed, number, 1])
    faces = marks.kinds == 1
    odds = np.where(
        faces,
        np.where(marks.scores < 0.5, _RARE, 1.0) * np.where(marks.composed, _COMPOSED, 1.0),
        np.sqrt(0.05 + marks.scores),
    )
    chosen = [np.flatnonzero(which) for which in (faces, ~faces)]
    sums = [np.cumsum(odds[rows]) for rows in chosen]
    half = settings.batch // 2
    for _ in range(settings.steps):
        rows = np.concatenate(
            [
                some[np.searchsorted(upto, rng.random(half) * upto[-1], side="right")]
                for some, upto in zip(chosen, sums, strict=True)
            ]
        )
        weights = np.where(marks.kinds[rows] == 2, _PART_WEIGHT, 1.0).astype(np.float32)
        yield views(marks.pictures[rows], rng), faces[rows].astype(np.float32), weights


def _losses(network: keras.Model, crops: Any, truth: Any, weights: Any) -> Any:
    logits = tf.cast(network(tf.cast(crops, tf.float32), training=True)[:, 0], tf.float32)
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=logits)
    return tf.reduce_mean(weights * each)[tf.newaxis]


def build_from(settings: PresenceSettings) -> keras.Model:
    """The network of these settings."""
    return build_presence(settings.stem, settings.widths, settings.blocks)


def predict(network: keras.Model, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Logits float32 (N,) of crops uint8 (N, 48, 48, 3)."""
    return answers(network, crops)[:, 0]
