"""The detector's training: seeded, resumable, chosen on composed pictures of people it was not trained on."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from inference.face_maps import STRIDES, cell_centres, decode, suppress
from models.checkpoints import digest, load_made, save_made
from models.data import data_hash
from models.detector.classes import class_photos
from models.detector.compose import Scene, as_scene, compose, compose_galleries, small_photographs
from models.detector.judged import with_judged_faces
from models.detector.labels import label_photos
from models.detector.loss import detection_loss
from models.detector.measure import Found, Tally
from models.detector.network import build_detector
from models.detector.photo import Photo
from models.detector.placing import MIRRORED
from models.detector.targets import assign, cell_count
from models.errors import TrainingError
from models.learner import Learner, RoundSettings, forward, in_turns
from models.runs import BEST, load_weights

log = logging.getLogger(__name__)

LABELS: Final = "labels.npz"
_FALSE_FROM: Final = 0.35
_FAINT_UNDER: Final = 0.45
"""Scores, before they are placed, from which what is no face and under which a face makes a photograph a hard one."""
_FEW: Final = 50
_FACES: Final = 96
"""Faces of one picture that are taught at most."""


@dataclass(frozen=True, slots=True)
class DetectorSettings(RoundSettings):
    """One training run of the detector.

    fresh: pictures composed per round; all that there are are trained on.
    size: their side in pixels, a multiple of 32.
    stem, widths, neck, blocks: of `build_detector`.
    landmark_weight: of the landmarks' loss.
    least_tile: height in pixels of the lowest tiles composed.
    held: galleries of the val split on which the best round is chosen, with thirty photographs to each, which are shown
        small and as they are.
    start: folder of a run of the same network whose best weights to begin with; None begins at random.
    classes: show the product's synthetic class now and then.
    photos: use so many photographs of each split only (0: all).
    """

    rounds: int = 24
    fresh: int = 700
    batch: int = 16
    size: int = 256
    stem: int = 16
    widths: tuple[int, ...] = (24, 40, 48, 48)
    neck: int = 32
    blocks: tuple[int, ...] = (1, 2, 2, 1)
    landmark_weight: float = 25.0
    least_tile: int = 72
    held: int = 24
    start: Path | None = None
    classes: bool = True
    photos: int = 0


@dataclass(frozen=True, slots=True)
class Batches:
    """Composed pictures as arrays.

    pictures: uint8 (N, S, S, 3).  owners: int16 (N, C).  boxes: float32 (N, F, 4).  landmarks: float32 (N, F, 5, 2).
    """

    pictures: NDArray[np.uint8]
    owners: NDArray[np.int16]
    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]

    def take(self, rows: NDArray[np.intp], mirror: NDArray[np.bool_]) -> tuple[NDArray[Any], ...]:
        """Rows as the training step wants them, those in `mirror` mirrored."""
        pictures, owners = self.pictures[rows], self.owners[rows].astype(np.int32)
        boxes, landmarks = self.boxes[rows], self.landmarks[rows]
        size = pictures.shape[1]
        pictures[mirror] = pictures[mirror, :, ::-1]
        owners[mirror] = owners[mirror][:, _mirrored_cells(size)]
        boxes[mirror] = np.stack(
            [
                size - boxes[mirror, :, 2],
                boxes[mirror, :, 1],
                size - boxes[mirror, :, 0],
                boxes[mirror, :, 3],
            ],
            axis=-1,
        )
        turned = landmarks[mirror][:, :, list(MIRRORED)]
        turned[..., 0] = size - turned[..., 0]
        landmarks[mirror] = turned
        return pictures, owners, boxes, landmarks


def train_detector(
    settings: DetectorSettings,
    *,
    on_step: Callable[[int, int], None] | None = None,
    on_round: Callable[[dict[str, float]], None] | None = None,
) -> Path:
    """Train, or go on where the run's folder stopped, and return the folder.

    The folder then holds `labels.npz` (pseudo-labels), `scenes-*.npz` (composed pictures), `best.weights.h5` (moving
    average of the best round on val), `checkpoint.npz` (everything needed to go on) and `run.json` (settings, versions,
    history). `on_step` hears the steps done and their total, `on_round` the round's record. The test split is not
    looked at. Raises DataError, TrainingError and `inference.errors.DetectorError`.
    """
    if settings.size % STRIDES[-1]:
        raise TrainingError(f"The training size must be a multiple of {STRIDES[-1]}, got {settings.size}.")
    settings.out.mkdir(parents=True, exist_ok=True)
    learner = Learner(settings, lambda: build_from(settings), _losses(settings), settings.start)
    scenes = _SceneStore(settings)
    history = learner.resume()
    held = scenes.held()
    for number in range(len(history), settings.rounds):
        started = time.monotonic()
        pool = scenes.pool(number + 1)
        composed = time.monotonic()
        turns = in_turns(settings, number, len(pool.pictures))
        losses = learner.round(number, (pool.take(*turn) for turn in turns), on_step)
        record = {
            "round": number + 1,
            "score": losses[0],
            "box": losses[1],
            "landmarks": losses[2],
            **measure(learner.average, held),
            "compose_seconds": round(composed - started, 1),
            "seconds": round(time.monotonic() - started, 1),
        }
        history.append(record)
        learner.keep(history, max(history, key=lambda row: row["val_ap"]))
        log.info("%s", " ".join(f"{key}={value:.4g}" for key, value in record.items()))
        if on_round is not None:
            on_round(record)
    return settings.out


def to_batches(scenes: Sequence[Scene], size: int) -> Batches:
    """Scenes of side `size` with each cell's face."""
    count = len(scenes)
    boxes = np.zeros((count, _FACES, 4), np.float32)
    landmarks = np.zeros((count, _FACES, 5, 2), np.float32)
    owners = np.empty((count, cell_count(size)), np.int16)
    for number, scene in enumerate(scenes):
        owners[number] = assign(scene, size)
        owners[number][owners[number] >= _FACES] = -2
        faces = min(_FACES, len(scene.boxes))
        boxes[number, :faces] = scene.boxes[:faces]
        landmarks[number, :faces] = scene.landmarks[:faces]
    return Batches(np.stack([scene.picture for scene in scenes]), owners, boxes, landmarks)


class _SceneStore:
    """Composes pictures when they are first wanted and keeps them in the run's folder."""

    def __init__(self, settings: DetectorSettings) -> None:
        self._settings = settings
        self._photos: dict[str, list[Photo]] | None = None
        self._classes: list[Photo] = []
        self._hard: list[Photo] | None = None
        self._pool: list[Batches] = []

    def pool(self, rounds: int) -> Batches:
        """All pictures of the first so many rounds."""
        for number in range(len(self._pool), rounds):
            self._pool.append(self._kept(number))
        return Batches(*(_flat(getattr(part, name) for part in self._pool) for name in Batches.__slots__))

    def held(self) -> list[Scene]:
        """Galleries and photographs of the val split, small and as they are, always the same."""
        photos, count = self._source()["val"], self._settings.held
        judged = with_judged_faces(photos[: 30 * count])
        return [*compose_galleries(photos, count, seed=1), *small_photographs(judged), *map(as_scene, judged)]

    def _kept(self, number: int) -> Batches:
        path = self._settings.out / f"scenes-{number:02}.npz"
        chosen = self._settings
        made_with = digest(
            seed=chosen.seed, fresh=chosen.fresh, size=chosen.size, least_tile=chosen.least_tile,
            classes=chosen.classes, photos=chosen.photos,
            start=None if chosen.start is None else data_hash(chosen.start / BEST),
            labels=data_hash(chosen.out / LABELS),
        )  # fmt: skip
        kept = load_made(path, Batches.__slots__, made_with)
        if kept is not None:
            return Batches(*kept)
        rng = np.random.default_rng([self._settings.seed, number])
        photos, size = self._source()["train"], self._settings.size
        made = to_batches(
            [
                compose(photos, size, rng, self._classes, self._settings.least_tile, self._wrong())
                for _ in range(self._settings.fresh)
            ],
            size,
        )
        save_made(path, {name: getattr(made, name) for name in Batches.__slots__}, made_with)
        return made

    def _source(self) -> dict[str, list[Photo]]:
        if self._photos is None:
            photos = label_photos(self._settings.data, self._settings.out / LABELS)
            if self._settings.photos:
                photos = {split: some[: self._settings.photos] for split, some in photos.items()}
            self._photos = photos
            self._classes = list(class_photos(self._settings.data)) if self._settings.classes else []
        return self._photos

    def _wrong(self) -> list[Photo]:
        """The `hard_photos` of the network that the run begins with; none if it begins at random, or if they are few,
        which would be learnt by heart."""
        if self._hard is None:
            self._hard = []
            if self._settings.start is not None:
                begun = build_from(self._settings)
                load_weights(begun, self._settings.start)
                hard = hard_photos(begun, self._source()["train"])
                log.info("%d photographs are read wrong by %s", len(hard), self._settings.start.name)
                self._hard = hard if len(hard) >= _FEW else []
        return self._hard


def hard_photos(network: keras.Model, photos: Sequence[Photo]) -> list[Photo]:
    """Those with a face in which, as they are, the network gives a face less than `_FAINT_UNDER`, or anything else,
    also a face for the second time, `_FALSE_FROM` or more."""
    hard = []
    for photo in photos:
        tally = Tally()
        tally.add(_looked_at(network, photo.picture, _FALSE_FROM), as_scene(photo))
        if len(photo.boxes) and (not all(tally.right) or min(tally.best) < _FAINT_UNDER):
            hard.append(photo)
    return hard


def _flat(parts: Any) -> Any:
    return np.concatenate(list(parts))


def measure(network: keras.Model, scenes: Sequence[Scene]) -> dict[str, float]:
    """Average precision, recall at a precision of 0.99 and landmark error of the network."""
    tally = Tally()
    for scene in scenes:
        tally.add(_looked_at(network, scene.picture, 0.05), scene)
    return {
        "val_ap": tally.average_precision(),
        "val_recall": tally.recall_at_precision(0.99),
        "val_landmarks": tally.landmark_error(),
    }


def _losses(settings: DetectorSettings) -> Callable[..., Any]:
    """Of the network, pictures, owners, boxes and landmarks: those of score, box and landmarks."""
    centres = tf.constant(np.concatenate([_cells(settings.size, stride) for stride in STRIDES]))
    strides = tf.constant(
        np.concatenate([np.full((settings.size // stride) ** 2, stride, np.float32) for stride in STRIDES])
    )

    def losses(network: keras.Model, pictures: Any, owners: Any, boxes: Any, landmarks: Any) -> Any:
        maps = network(tf.cast(pictures, tf.float32), training=True)
        cells = tf.cast(
            tf.concat(
                [tf.reshape(level, (tf.shape(level)[0], -1, level.shape[-1])) for level in maps], axis=1
            ),
            tf.float32,
        )
        weight = settings.landmark_weight
        return tf.stack(detection_loss(cells, centres, strides, owners, boxes, landmarks, weight))

    return losses


def _looked_at(network: keras.Model, picture: NDArray[np.uint8], threshold: float) -> Found:
    """What the network finds in one picture."""
    maps = forward(network, tf.constant(_filled_up(picture), tf.float32))
    boxes, points, scores = decode([level.numpy()[0] for level in maps], threshold)
    kept = suppress(boxes, scores, 0.4)
    return Found(boxes[kept], points[kept], scores[kept])


def build_from(settings: DetectorSettings) -> keras.Model:
    """The network of these settings."""
    return build_detector(settings.stem, settings.widths, settings.neck, settings.blocks)


def _filled_up(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One picture as a batch, black to the right and below up to multiples of the largest stride."""
    down, across = (-side % STRIDES[-1] for side in picture.shape[:2])
    return np.pad(picture, ((0, down), (0, across), (0, 0)))[np.newaxis]


def _cells(size: int, stride: int) -> NDArray[np.float32]:
    return cell_centres(size // stride, size // stride, stride)


def _mirrored_cells(size: int) -> NDArray[np.intp]:
    """For each cell the index of the one in its place in the mirror image."""
    parts, start = [], 0
    for stride in STRIDES:
        side = size // stride
        parts.append(np.arange(start, start + side * side).reshape(side, side)[:, ::-1].ravel())
        start += side * side
    return np.concatenate(parts)
