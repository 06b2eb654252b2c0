"""The training loop: seeded, resumable, evaluated on PublicTest after every epoch."""

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import cv2
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from models import augment, metrics, zoo
from models.data import SIZE, FaceSet, read_faces, soft_targets
from models.errors import TrainingError

log = logging.getLogger(__name__)

CHECKPOINT: Final = "checkpoint.npz"
BEST: Final = "best.weights.h5"
RUN: Final = "run.json"
_COVER: Final = 44 / 48
"""The share of the picture's side that a training view shows at zoom 1."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of `epochs` epochs on views of `size` px.

    degraded: share of faces sent through `augment.degrade`.  erased: share with a blanked rectangle.
    """

    epochs: int
    size: int
    degraded: float
    erased: float


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """One training run.

    data: a source that `models.data.read_faces` understands.  out: the run's folder, made if absent.
    phases: in order. Early epochs on smaller views cost half as much; the last ones see what serving sees.
    weight_decay: decoupled, per step and unit of learning rate, on kernels only.
    average: decay of the exponential moving average of the weights, which is what is evaluated and kept.
    hard_weight, smoothing: see `models.data.soft_targets`.
    teachers: folders of finished runs; the mean of their probabilities is mixed into the targets with weight
        `teacher_weight` (Hinton et al. 2015, without a temperature: the votes are soft already).
    start: folder of a finished run of the same architecture whose weights to begin with; None begins at random.
    limit: use this many training faces only (0: all).
    """

    data: Path
    out: Path
    architecture: str = "resnet-s"
    phases: tuple[Phase, ...] = (
        Phase(17, 32, 0.2, 0.33),
        Phase(12, 40, 0.15, 0.15),
        Phase(19, 44, 0.1, 0.0),
    )
    batch: int = 96
    learning_rate: float = 0.1
    warmup_epochs: float = 1.0
    weight_decay: float = 5e-3
    average: float = 0.998
    hard_weight: float = 0.6
    smoothing: float = 0.05
    teachers: tuple[Path, ...] = ()
    teacher_weight: float = 0.6
    start: Path | None = None
    precision: str = "mixed_bfloat16"
    seed: int = 1
    limit: int = 0

    @property
    def epochs(self) -> int:
        """Of all phases together."""
        return sum(phase.epochs for phase in self.phases)


def train(
    settings: TrainSettings,
    *,
    on_step: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[dict[str, float]], None] | None = None,
) -> Path:
    """Train, or go on where the run's folder stopped, and return the folder.

    The folder then holds `best.weights.h5` (moving average of the epoch with the highest PublicTest accuracy
    at full size), `checkpoint.npz` (everything needed to go on), `run.json` (settings, data hash,
    versions, history) and `curves.png`. `on_step` hears the steps done and their total, `on_epoch` the epoch's
    record. PrivateTest is never looked at. Raises DataError and TrainingError.
    """
    from models.plots import draw_curves

    splits = read_faces(settings.data)
    if "Training" not in splits or "PublicTest" not in splits:
        raise TrainingError(
            f"{settings.data} has no Training and PublicTest split; nothing to train or choose on."
        )
    faces, held_out = splits["Training"], splits["PublicTest"]
    if settings.limit:
        faces = faces.take(slice(settings.limit))
    steps = len(faces) // settings.batch
    if steps == 0:
        raise TrainingError(
            f"{len(faces)} training faces do not fill a batch of {settings.batch}; lower --batch."
        )
    settings.out.mkdir(parents=True, exist_ok=True)

    loop = _Loop(settings, total_steps=steps * settings.epochs)
    history = loop.resume()
    targets = soft_targets(faces, hard_weight=settings.hard_weight, smoothing=settings.smoothing)
    if settings.teachers:
        taught = teach(settings.teachers, faces.images)
        targets = (1 - settings.teacher_weight) * targets + settings.teacher_weight * taught
    for epoch in range(len(history), settings.epochs):
        started = time.monotonic()
        phase = _phase_at(settings, epoch)
        rng = np.random.default_rng([settings.seed, epoch])
        images = augment.degrade(faces.images, phase.degraded, rng)
        order = rng.permutation(len(faces))[: steps * settings.batch].reshape(steps, settings.batch)
        loss, accuracy = loop.epoch(images, targets, order, phase, epoch * steps, on_step)
        held = loop.accuracy(held_out, round(phase.size / _COVER))
        record = {
            "epoch": epoch + 1,
            "size": phase.size,
            "loss": loss,
            "accuracy": accuracy,
            "public_accuracy": held,
            "seconds": round(time.monotonic() - started, 1),
        }
        history.append(record)
        loop.keep(history)
        draw_curves(history, settings.out / "curves.png")
        log.info("%s", " ".join(f"{key}={value:.4g}" for key, value in record.items()))
        if on_epoch is not None:
            on_epoch(record)
    return settings.out


def input_size_of(history: list[dict[str, Any]]) -> int:
    """The side in px at which a network with this history reads a whole face: that of its last training views, over
    the share of the picture that they show."""
    return round(int(history[-1]["size"]) / _COVER)


def logits_of(
    model: keras.Model, images: NDArray[np.uint8], size: int = SIZE, batch: int = 256
) -> NDArray[np.float32]:
    """Logits float32 (N, 7) of grey faces uint8 (N, H, W), resized to `size` where they differ."""
    if images.shape[1] != size:
        images = np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images])

    out = [
        np.asarray(
            _forward(model, tf.constant(images[at : at + batch, ..., np.newaxis], tf.float32)), np.float32
        )
        for at in range(0, len(images), batch)
    ]
    return np.concatenate(out)


def teach(runs: Sequence[Path], images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean probabilities float32 (N, 7) of the runs' chosen networks over grey faces uint8 (N, H, W), each face
    seen as it is and mirrored. Raises TrainingError."""
    total = np.zeros((len(images), len(EXPRESSIONS)), np.float64)
    for run in runs:
        network, size = load_run(run)
        for view in (images, images[:, :, ::-1]):
            total += metrics.softmax(logits_of(network, view, size).astype(np.float64))
    return np.asarray(total / (2 * len(runs)), np.float32)


def load_run(run: Path) -> tuple[keras.Model, int]:
    """The chosen network of a finished run, in float32, and the side of its faces in px. Raises TrainingError."""
    record = read_run(run)
    network = zoo.build(record["settings"]["architecture"], None)
    network.load_weights(run / BEST)
    return network, input_size_of(record["history"])


def read_run(run: Path) -> dict[str, Any]:
    """`run.json` of a run that has weights. Raises TrainingError."""
    try:
        record: dict[str, Any] = json.loads((run / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{run} holds no finished run ({error}); train first.") from error
    if not (run / BEST).exists():
        raise TrainingError(f"{run} holds no {BEST}; train first.")
    return record


@tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
def _forward(model: keras.Model, images: Any) -> Any:
    return model(images, training=False)


class _Loop:
    """The network, its moving average and its optimizer."""

    def __init__(self, settings: TrainSettings, total_steps: int) -> None:
        keras.utils.set_random_seed(settings.seed)
        self._settings = settings
        self._total = total_steps
        self._warmup = max(1.0, settings.warmup_epochs * total_steps / settings.epochs)
        self._model = zoo.build(settings.architecture, None, precision=settings.precision)
        self._average = zoo.build(settings.architecture, None, precision=settings.precision)
        if settings.start is not None:
            start = read_run(settings.start)["settings"]["architecture"]
            if start != settings.architecture:
                raise TrainingError(
                    f"{settings.start} is a {start}, this run trains a {settings.architecture}; choose another --start."
                )
            self._model.load_weights(settings.start / BEST)
        self._average.set_weights(self._model.get_weights())
        self._optimizer = keras.optimizers.SGD(
            settings.learning_rate, momentum=0.9, nesterov=True, weight_decay=settings.weight_decay
        )
        self._optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        self._optimizer.build(self._model.trainable_variables)
        self._step = tf.function(self._train_step, reduce_retracing=False)

    def epoch(
        self,
        images: NDArray[np.uint8],
        targets: NDArray[np.float32],
        order: NDArray[np.intp],
        phase: Phase,
        first_step: int,
        on_step: Callable[[int, int], None] | None,
    ) -> tuple[float, float]:
        """One pass; mean loss and accuracy against the largest target."""
        totals = np.zeros(2)
        for number, rows in enumerate(order, start=first_step):
            warm = min(1.0, (number + 1) / self._warmup)
            rate = self._settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * number / self._total))
            self._optimizer.learning_rate.assign(rate)
            decay = min(self._settings.average, (1 + number) / (10 + number))
            totals += self._step(
                tf.constant(images[rows]),
                tf.constant(targets[rows]),
                tf.constant([self._settings.seed, number * 100], tf.int32),
                tf.constant(decay, tf.float32),
                phase.size,
                phase.erased,
            ).numpy()
            if on_step is not None:
                on_step(number + 1, self._total)
        if not np.isfinite(totals).all():
            raise TrainingError("The loss is not finite; lower --learning-rate and start again.")
        loss, correct = totals / len(order)
        return float(loss), float(correct)

    def accuracy(self, faces: FaceSet, size: int) -> float:
        """Accuracy of the moving average on whole faces of side `size`."""
        return float((logits_of(self._average, faces.images, size).argmax(axis=1) == faces.labels).mean())

    def resume(self) -> list[dict[str, Any]]:
        """Load the folder's checkpoint, if any, and return the history so far."""
        path = self._settings.out / CHECKPOINT
        if not path.exists():
            return []
        before = json.loads((self._settings.out / RUN).read_text(encoding="utf-8"))
        wanted = _plain(self._settings)
        differing = [key for key in wanted if before["settings"].get(key) != wanted[key]]
        if differing:
            raise TrainingError(
                f"{self._settings.out} was begun with another {', '.join(differing)}; "
                "give the same settings or choose a new --out."
            )
        with np.load(path) as saved:
            for number, variable in enumerate(self._state()):
                variable.assign(saved[str(number)])
        return list(before["history"])

    def keep(self, history: list[dict[str, Any]]) -> None:
        """Write checkpoint, best weights and run.json, each whole or not at all."""
        out = self._settings.out
        size = history[-1]["size"]
        if history[-1]["public_accuracy"] >= max(r["public_accuracy"] for r in history if r["size"] == size):
            temporary = out / f"new.{BEST}"
            self._average.save_weights(temporary)
            temporary.replace(out / BEST)
        temporary = out / f"new.{CHECKPOINT}"
        np.savez(temporary, **{str(n): v.numpy() for n, v in enumerate(self._state())})
        temporary.replace(out / CHECKPOINT)
        best = max((r for r in history if r["size"] == size), key=lambda r: r["public_accuracy"])
        run = {
            "settings": _plain(self._settings),
            "data_sha256": data_hash(self._settings.data),
            "parameters": self._average.count_params(),
            "versions": {name: metadata.version(name) for name in ("keras", "numpy")}
            | {"tensorflow": tf.__version__},
            "chosen_epoch": best["epoch"],
            "history": history,
        }
        temporary = out / f"new.{RUN}"
        temporary.write_text(json.dumps(run, indent=1), encoding="utf-8")
        temporary.replace(out / RUN)

    def _state(self) -> list[Any]:
        return [*self._model.variables, *self._average.weights, *self._optimizer.variables]

    def _train_step(self, images: Any, targets: Any, seed: Any, decay: Any, size: int, erased: float) -> Any:
        x = augment.view(images, seed, size, _COVER * images.shape[1], erased)
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self._model(x, training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        self._optimizer.apply(gradients, variables)
        for kept, variable in zip(self._average.weights, self._model.weights, strict=True):
            kept.assign(kept + (1 - decay) * (variable - kept))
        hit = tf.equal(tf.argmax(logits, axis=1), tf.argmax(targets, axis=1))
        return tf.stack([loss, tf.reduce_mean(tf.cast(hit, tf.float32))])


def data_hash(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of a folder's files in order."""
    digest = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
        if file != path:
            digest.update(file.relative_to(path).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _phase_at(settings: TrainSettings, epoch: int) -> Phase:
    end = 0
    for phase in settings.phases:
        end += phase.epochs
        if epoch < end:
            return phase
    raise TrainingError(f"Epoch {epoch} lies beyond the {settings.epochs} of this run.")


def _plain(settings: TrainSettings) -> dict[str, Any]:
    """Settings as JSON knows them, without the places on this machine."""
    plain = asdict(settings)
    del plain["data"], plain["out"]
    plain["teachers"] = [run.name for run in settings.teachers]
    plain["start"] = settings.start.name if settings.start is not None else None
    plain["phases"] = [asdict(phase) for phase in settings.phases]
    return plain
