"""The landmark network's training: seeded, resumable, chosen on faces our detector finds of people it never saw."""

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

from inference.faces import FaceDetector, load_detector
from inference.landmarks import Window
from models.checkpoints import digest, load_made, save_made
from models.data import data_hash
from models.detector.compose import Scene, compose_galleries
from models.detector.labels import label_photos
from models.detector.measure import matches
from models.detector.photo import Photo
from models.detector.placing import resized
from models.detector.train import LABELS
from models.errors import TrainingError
from models.landmarks.network import build_landmarks
from models.landmarks.samples import Samples, make_samples, shares, single_faces
from models.learner import Learner, RoundSettings, answers, in_turns

log = logging.getLogger(__name__)

_BEND: Final = 0.01
"""Sides of the crop under which the loss is quadratic: a fiftieth of a face."""
_SMALL: Final = (0.15, 0.5)
"""Sizes of the photographs of the val split that are looked at beside whole galleries."""


@dataclass(frozen=True, slots=True)
class LandmarkSettings(RoundSettings):
    """One training run of the landmark network.

    fresh: tiles composed per round, each giving three crops; all that there are are trained on.
    stem, widths, blocks: of `build_landmarks`.
    nose_weight: of the nose's place among the other landmarks, which tells where a head looks.
    held: galleries of the val split on which the best round is chosen.
    photos: use so many photographs of each split only (0: all).
    """

    fresh: int = 3000
    steps: int = 600
    stem: int = 16
    widths: tuple[int, ...] = (24, 48, 96)
    blocks: tuple[int, ...] = (2, 2, 1)
    nose_weight: float = 2.0
    held: int = 24
    photos: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """Faces that the detector found: their crops, windows, true landmarks and heights in pixels."""

    crops: NDArray[np.uint8]
    windows: list[Window]
    truth: NDArray[np.float32]
    heights: NDArray[np.float32]

    def error(self, points: NDArray[np.float32]) -> float:
        """Mean distance in face heights of landmarks (N, 5, 2), as the windows place them."""
        placed = np.stack([window.outside(own) for window, own in zip(self.windows, points, strict=True)])
        return float((np.linalg.norm(placed - self.truth, axis=2).mean(axis=1) / self.heights).mean())


def train_landmarks(
    settings: LandmarkSettings,
    *,
    on_step: Callable[[int, int], None] | None = None,
    on_round: Callable[[dict[str, float]], None] | None = None,
) -> Path:
    """Train, or go on where the run's folder stopped, and return the folder.

    The folder then holds `labels.npz` (pseudo-labels), `crops-*.npz` (what was composed), `best.weights.h5` (moving
    average of the best round on val), `checkpoint.npz` (everything needed to go on) and `run.json` (settings, versions,
    history). `on_step` hears the steps done and their total, `on_round` the round's record. The test split is not
    looked at. Raises DataError, TrainingError, `inference.errors.DetectorError`, and ManifestError or WeightsError
    where our own detector is absent.
    """
    settings.out.mkdir(parents=True, exist_ok=True)
    learner = Learner(settings, lambda: build_from(settings), _losses(settings))
    store = _SampleStore(settings)
    history = learner.resume()
    held = store.held()
    for number in range(len(history), settings.rounds):
        started = time.monotonic()
        pool = store.pool(number + 1)
        composed = time.monotonic()
        turns = in_turns(settings, number, len(pool.crops))
        (loss,) = learner.round(number, (pool.take(*turn) for turn in turns), on_step)
        record = {
            "round": number + 1,
            "loss": float(loss),
            **{
                f"val_{name}": faces.error(predict(learner.average, faces.crops))
                for name, faces in held.items()
            },
            "compose_seconds": round(composed - started, 1),
            "seconds": round(time.monotonic() - started, 1),
        }
        history.append(record)
        learner.keep(history, min(history, key=lambda row: row["val_galleries"]))
        log.info("%s", " ".join(f"{key}={value:.4g}" for key, value in record.items()))
        if on_round is not None:
            on_round(record)
    return settings.out


def hold(detector: FaceDetector, scenes: Sequence[Scene]) -> Held:
    """The faces of the scenes that the detector finds, as the product would cut them."""
    crops, windows, truth, heights = [], [], [], []
    for scene in scenes:
        for face, number in matches(detector.detect(scene.picture), scene):
            window = Window.around(face.landmarks, face.box.height)
            windows.append(window)
            crops.append(window.cut(scene.picture))
            truth.append(scene.landmarks[number])
            heights.append(scene.boxes[number, 3] - scene.boxes[number, 1])
    if not crops:
        raise TrainingError("The detector finds no face among the pictures of the val split.")
    return Held(np.stack(crops), windows, np.stack(truth), np.array(heights, np.float32))


class _SampleStore:
    """Composes crops when they are first wanted and keeps them in the run's folder."""

    def __init__(self, settings: LandmarkSettings) -> None:
        self._settings = settings
        photos = label_photos(settings.data, settings.out / LABELS)
        if settings.photos:
            photos = {split: some[: settings.photos] for split, some in photos.items()}
        self._photos = photos
        self._faces: list[Photo] = []
        self._odds = np.zeros(0)
        self._pool: list[Samples] = []

    def pool(self, rounds: int) -> Samples:
        """All crops of the first so many rounds."""
        for number in range(len(self._pool), rounds):
            self._pool.append(self._kept(number))
        return Samples(
            np.concatenate([part.crops for part in self._pool]),
            np.concatenate([part.points for part in self._pool]),
        )

    def held(self) -> dict[str, Held]:
        """What the detector finds of the val split, always the same."""
        detector = load_detector("tileface", min_face=8)
        rng = np.random.default_rng(11)
        photos = self._photos["val"]
        small = [resized(photo, float(rng.uniform(*_SMALL))) for photo in photos]
        scenes = [Scene(photo.picture, photo.boxes, photo.landmarks, photo.doubtful) for photo in small]
        return {
            "galleries": hold(detector, compose_galleries(photos, self._settings.held, seed=1)),
            "small": hold(detector, scenes),
        }

    def _kept(self, number: int) -> Samples:
        path = self._settings.out / f"crops-{number:02}.npz"
        made_with = digest(
            seed=self._settings.seed,
            fresh=self._settings.fresh,
            photos=self._settings.photos,
            labels=data_hash(self._settings.out / LABELS),
        )
        kept = load_made(path, ("crops", "points"), made_with)
        if kept is not None:
            return Samples(*kept)
        if not self._faces:
            self._faces = single_faces(self._photos["train"])
            self._odds = shares(self._faces)
        rng = np.random.default_rng([self._settings.seed, number])
        made = make_samples(self._faces, self._odds, self._photos["train"], self._settings.fresh, rng)
        save_made(path, {"crops": made.crops, "points": made.points}, made_with)
        return made


def _losses(settings: LandmarkSettings) -> Callable[..., Any]:
    """Of the network, crops and their landmarks: one."""

    def losses(network: keras.Model, crops: Any, points: Any) -> Any:
        given = tf.reshape(network(tf.cast(crops, tf.float32), training=True), (-1, 5, 2))
        return landmark_loss(tf.cast(given, tf.float32), points, settings.nose_weight)[tf.newaxis]

    return losses


def landmark_loss(given: Any, truth: Any, nose_weight: float) -> Any:
    """Smooth L1 of landmarks (N, 5, 2) in sides of the crop, in bends of `_BEND`, and so many times that of the nose's
    place between eyes and mouth, from which yaw and pitch are read."""
    gap = given - truth
    nose = gap[:, 2] - (gap[:, 0] + gap[:, 1] + gap[:, 3] + gap[:, 4]) / 4
    return tf.reduce_mean(_smooth(gap)) + nose_weight * tf.reduce_mean(_smooth(nose))


def _smooth(gap: Any) -> Any:
    size = tf.abs(gap) / _BEND
    return tf.where(size < 1, size * size / 2, size - 0.5)


def predict(network: keras.Model, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Landmarks float32 (N, 5, 2) of crops uint8 (N, 48, 48, 3)."""
    return answers(network, crops).reshape(-1, 5, 2)


def build_from(settings: LandmarkSettings) -> keras.Model:
    """The network of these settings."""
    return build_landmarks(settings.stem, settings.widths, settings.blocks)
