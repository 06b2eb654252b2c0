"""The training loop: seeded, resumable, judged on PublicTest after every epoch; any Keras backend, any GPU it finds."""

import importlib
import json
import logging
import math
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple, dataclass, fields, replace
from importlib import metadata
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from models import augment, zoo
from models.backends import backend
from models.charts import write_curves
from models.checkpoints import load_state, save_state
from models.data import SIZE, FaceSet, data_hash, read_faces, read_posed, soft_targets, targets_of_heads
from models.errors import TrainingError
from models.evaluate import judge, report_run
from models.manifest import replace_file
from models.narrow import narrow
from models.runs import (
    BEST,
    COVER,
    FITTED,
    RUN,
    architecture_of,
    heads_of,
    load_run,
    load_weights,
    predict,
    read_record,
    teach,
    teach_views,
)
from models.unlabelled import read_unlabelled
from models.zoo import classical
from models.zoo.imagenet import load_backbone

log = logging.getLogger(__name__)

OnStep = Callable[[int, int], None]
OnEpoch = Callable[[dict[str, float]], None]


SELF_KEEP: Final = 0.7
"""Share of what the network thought of a face before, when it has seen it once more."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of `epochs` epochs on views of `size` px.

    degraded: share of faces sent through `augment.degrade`.  erased: share with a blanked rectangle.
    strength: of turns, shifts and scales, 1 as `augment.view` describes them.  mixed: share of views into which another
    one is mixed (`augment.mix`).
    """

    epochs: int
    size: int
    degraded: float
    erased: float
    strength: float = 1.0
    mixed: float = 0.0


PHASES: Final = (Phase(17, 32, 0.2, 0.33), Phase(12, 40, 0.15, 0.15), Phase(19, 44, 0.1, 0.0))


def phases_of(epochs: int) -> tuple[Phase, ...]:
    """`PHASES` stretched or shrunk to `epochs` epochs, 1 or more in all; the last phase keeps at least one."""
    whole, ends, passed = sum(phase.epochs for phase in PHASES), [0], 0
    for phase in PHASES:
        passed += phase.epochs
        ends.append(min(round(epochs * passed / whole), epochs - 1))
    ends[-1] = epochs
    lengths = [end - start for start, end in pairwise(ends)]
    return tuple(
        replace(phase, epochs=length) for phase, length in zip(PHASES, lengths, strict=True) if length
    )


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """One training run.

    data: a source that `models.data.read_faces` understands.  out: the run's folder, made if absent.
    architecture: of `zoo.ARCHITECTURES`; or of `zoo.MACHINES`, which heed `seed` and `limit` only.
    phases: in order. Early epochs on smaller views cost half as much; the last ones see what serving sees.
    weight_decay: decoupled, per step and unit of learning rate, on kernels only.
    average: decay of the exponential moving average of the weights, which is what is evaluated and kept.
    heads: 1 learns one mix of FER2013's label and FER+'s votes; 2 learn them apart, each by seven logits of its own on
        the same features (Caruana 1997, "Multitask learning").
    hard_weight, smoothing: see `models.data.soft_targets`; two heads have no use for the first.
    teachers: folders of finished runs; the mean of their probabilities is mixed into the targets with weight
        `teacher_weight` (Hinton et al. 2015, without a temperature: the votes are soft already).
    teachers_see_views: the teachers judge every view that the network sees, instead of the whole faces once (Beyer et
        al. 2022, "Knowledge distillation: a good teacher is patient and consistent"): of a whole face that it learnt by
        heart, a teacher tells little more than its label.
    teachers_mirror: each teacher sees half of the views mirrored (`models.runs.teach_views`).
    posed: sources of faces beside those of `data` whose labels are sure, as actors showed what they were asked for
        (`models.data.read_posed`): teachers have no part in their targets.
    unlabelled: sources of faces without labels (`models.unlabelled`), beside those of `data`; what the teachers say of
        their views is all that is learnt of them.
    self_weight: share of the targets that the network's own probabilities have at the end of the run, growing from 0 in
        proportion to the steps done (Kim et al. 2021, "Self-knowledge distillation with progressive refinement of
        targets"). They are averaged over the views of all epochs so far, each epoch weighing `1 - SELF_KEEP` (Laine and
        Aila 2017), so that labels which no view supports lose their hold.
    sharpness: how far uphill gradients are taken (see `models.backends.Backend.make_step`); 0 takes them on the spot.
    start: folder of a finished run whose weights to begin with, of the same architecture or of a wider one of the same
        plan (`models.narrow`); None begins at random.
    pretrained: file of ImageNet weights for resnet50 or xception; None begins at random.
    cover: share of the picture's side that a view shows at zoom 1.
    standardise: bring every face to one light and contrast (`inference.expression.standardised`).
    limit: use this many training faces only (0: all).
    """

    data: Path
    out: Path
    architecture: str = "resnet-s"
    phases: tuple[Phase, ...] = PHASES
    batch: int = 96
    learning_rate: float = 0.1
    warmup_epochs: float = 1.0
    weight_decay: float = 5e-3
    average: float = 0.998
    heads: int = 1
    hard_weight: float = 0.6
    smoothing: float = 0.05
    teachers: tuple[Path, ...] = ()
    teacher_weight: float = 0.6
    teachers_see_views: bool = False
    teachers_mirror: bool = False
    posed: tuple[Path, ...] = ()
    unlabelled: tuple[Path, ...] = ()
    self_weight: float = 0.0
    sharpness: float = 0.0
    start: Path | None = None
    pretrained: Path | None = None
    cover: float = COVER
    standardise: bool = False
    precision: str = "mixed_bfloat16"
    seed: int = 1
    limit: int = 0

    @property
    def epochs(self) -> int:
        """Of all phases together."""
        return sum(phase.epochs for phase in self.phases)


def train(settings: TrainSettings, *, on_step: OnStep | None = None, on_epoch: OnEpoch | None = None) -> Path:
    """Train, or go on where the run's folder stopped, and return the folder.

    The folder then holds `best.weights.h5` (moving average of the epoch with the highest PublicTest accuracy
    at full size) or `fitted.joblib`, `checkpoint.npz` (everything needed to go on), `run.json` (settings, data hash,
    versions, history), `curves.svg`, and what `models.evaluate.report_run` writes of PublicTest: evaluation.json,
    report.txt and figures. `on_step` hears the pictures without labels that were searched for faces and their total,
    then the steps done and theirs; `on_epoch` hears the epoch's record. PrivateTest is never looked at.

    Raises DataError and TrainingError.
    """
    splits = read_faces(settings.data)
    if "Training" not in splits or "PublicTest" not in splits:
        raise TrainingError(
            f"{settings.data} has {' and '.join(splits) or 'no split'}; training needs Training and PublicTest (in "
            "folders: train/ and val/), the second to choose the epoch on. Put a share of the first there."
        )
    faces, held_out = splits["Training"], splits["PublicTest"]
    if settings.limit:
        rows = np.random.default_rng(settings.seed).permutation(len(faces))[: settings.limit]
        faces = faces.take(np.sort(rows))
    settings.out.mkdir(parents=True, exist_ok=True)
    if (settings.out / RUN).exists():
        _demand_same(settings, {"architecture": settings.architecture})
    fit = _fit_machine if settings.architecture in zoo.MACHINES else _fit_network
    fit(settings, faces, held_out, on_step, on_epoch)
    chosen_on = {"Training": splits["Training"], "PublicTest": held_out}
    report_run(settings.out, chosen_on, data_hash(settings.data))
    return settings.out


@dataclass(frozen=True, slots=True)
class _Lessons:
    """All that is learnt from.

    images: uint8 (N, 48, 48), grey.  targets: float32 (N, 7 H), what labels tell.  shares: float32 (N, 1), the part of
    that beside what teachers say of each view: all of it of posed faces, none of unlabelled ones.  counts: how many
    faces there are of each kind, those of the data set under `faces`.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]
    shares: NDArray[np.float32]
    counts: Mapping[str, int]


def _lessons(settings: TrainSettings, faces: FaceSet, on_step: OnStep | None) -> _Lessons:
    def targets_of(labelled: FaceSet) -> NDArray[np.float32]:
        if settings.heads == 1:
            return soft_targets(labelled, hard_weight=settings.hard_weight, smoothing=settings.smoothing)
        return targets_of_heads(labelled, smoothing=settings.smoothing)

    judged = bool(settings.teachers) and settings.teachers_see_views
    if settings.teachers_mirror and not judged:
        raise TrainingError(
            "Teachers see mirror images of views: --teachers-mirror needs --teachers-see-views."
        )
    targets, share = targets_of(faces), 1 - settings.teacher_weight if judged else 1.0
    if settings.teachers and not judged:
        taught = teach(settings.teachers, faces.images, settings.heads)
        targets = (1 - settings.teacher_weight) * targets + settings.teacher_weight * taught
    kinds = {"faces": (faces.images, targets, share)}
    if settings.posed:
        posed = [read_posed(source) for source in settings.posed]
        kinds["posed_faces"] = (
            np.concatenate([one.images for one in posed]),
            np.concatenate([targets_of(one) for one in posed]),
            1.0,
        )
    if settings.unlabelled:
        if not judged:
            raise TrainingError(
                "Of faces without labels only teachers tell: --unlabelled needs --teacher and --teachers-see-views."
            )
        found = read_unlabelled(settings.unlabelled, on_picture=on_step)
        kinds["unlabelled_faces"] = (found, np.zeros((len(found), targets.shape[1]), np.float32), 0.0)
    return _Lessons(
        np.concatenate([images for images, _, _ in kinds.values()]),
        np.concatenate([wanted for _, wanted, _ in kinds.values()]),
        np.concatenate([np.full((len(wanted), 1), part, np.float32) for _, wanted, part in kinds.values()]),
        {kind: len(images) for kind, (images, _, _) in kinds.items()},
    )


def _fit_network(
    settings: TrainSettings,
    faces: FaceSet,
    held_out: FaceSet,
    on_step: OnStep | None,
    on_epoch: OnEpoch | None,
) -> None:
    lessons = _lessons(settings, faces, on_step)
    total = len(lessons.images)
    steps = total // settings.batch
    if steps == 0:
        raise TrainingError(f"{total} training faces do not fill a batch of {settings.batch}; lower --batch.")
    loop = _Loop(settings, total_steps=steps * settings.epochs, faces=total)
    history = loop.resume()
    if len(history) == settings.epochs:
        return
    for epoch in range(len(history), settings.epochs):
        started = time.monotonic()
        phase = _phase_at(settings, epoch)
        rng = np.random.default_rng([settings.seed, epoch])
        images = augment.degrade(lessons.images, phase.degraded, rng)
        order = rng.permutation(total)[: steps * settings.batch].reshape(steps, settings.batch)
        loss, accuracy = loop.epoch(images, lessons, order, phase, epoch * steps, on_step)
        record = {
            "epoch": epoch + 1,
            "size": phase.size,
            "loss": loss,
            "accuracy": accuracy,
            **loop.judge(held_out, round(phase.size / settings.cover)),
            "seconds": round(time.monotonic() - started, 1),
        }
        history.append(record)
        loop.keep(history, lessons.counts)
        write_curves(history, settings.out / "curves.svg")
        log.info("%s", " ".join(f"{key}={value:.4g}" for key, value in record.items()))
        if on_epoch is not None:
            on_epoch(record)


def _fit_machine(
    settings: TrainSettings,
    faces: FaceSet,
    held_out: FaceSet,
    on_step: OnStep | None,
    on_epoch: OnEpoch | None,
) -> None:
    """Fit what is no network: to the end or not at all, so that there is nothing to resume."""
    fitted = settings.out / FITTED
    wanted = {"architecture": settings.architecture, "seed": settings.seed, "limit": settings.limit}
    if (settings.out / RUN).exists():
        _demand_same(settings, wanted)
        return
    started = time.monotonic()
    stages = 3

    def on_stage(stage: int) -> None:
        if on_step is not None:
            on_step(stage, stages)

    classical.fit(settings.architecture, faces.images, faces.labels, settings.seed, fitted, on_stage)
    judged = judge(classical.load(fitted)(held_out.images), held_out)
    row = {"epoch": 1, "size": round(SIZE * COVER), **judged, "seconds": round(time.monotonic() - started, 1)}
    record: dict[str, Any] = {
        "settings": wanted,
        "data_sha256": data_hash(settings.data),
        "feature": classical.FEATURE,
        "machine": classical.SETTINGS[settings.architecture],
        "faces": len(faces),
        "versions": {name: metadata.version(name) for name in ("scikit-learn", "numpy")},
        "chosen_epoch": 1,
        "history": [row],
    }
    replace_file(settings.out / RUN, json.dumps(record, indent=1).encode())
    on_stage(stages)
    if on_epoch is not None:
        on_epoch(row)


class _Loop:
    """The network, its moving average and its optimizer."""

    def __init__(self, settings: TrainSettings, total_steps: int, faces: int) -> None:
        keras.utils.set_random_seed(settings.seed)
        self._settings = settings
        self._data_sha256 = data_hash(settings.data)
        self._total = total_steps
        self._warmup = max(1.0, settings.warmup_epochs * total_steps / settings.epochs)
        self._model, self._average = (
            zoo.build(settings.architecture, None, precision=settings.precision, heads=settings.heads)
            for _ in range(2)
        )
        self._begun = _begin(self._model, settings)
        self._average.set_weights(self._model.get_weights())
        self._optimizer = keras.optimizers.SGD(
            settings.learning_rate, momentum=0.9, nesterov=True, weight_decay=settings.weight_decay
        )
        self._optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        self._optimizer.build(self._model.trainable_variables)
        self._step = backend().make_step(self._model, self._average, self._optimizer, settings.sharpness)
        self._forward = backend().make_forward(self._average)
        self._taught = (
            teach_views(
                settings.teachers,
                settings.heads,
                standardise=settings.standardise,
                precision=settings.precision,
                mirror=settings.teachers_mirror,
            )
            if settings.teachers and settings.teachers_see_views
            else None
        )
        # what the network thought of each face; a row of zeros is a face not yet seen
        self._thoughts = keras.Variable(
            np.zeros((faces, settings.heads * len(EXPRESSIONS)), np.float32), trainable=False
        )

    def epoch(
        self,
        images: NDArray[np.uint8],
        lessons: _Lessons,
        order: NDArray[np.intp],
        phase: Phase,
        first_step: int,
        on_step: OnStep | None,
    ) -> tuple[float, float]:
        """One pass over `images`, those of `lessons` as they look in this epoch; mean loss and accuracy against the
        largest target."""
        targets, shares = lessons.targets, lessons.shares
        totals = np.zeros(2)
        thoughts = np.array(keras.ops.convert_to_numpy(self._thoughts))
        views = self._views(images, order, phase, first_step)
        for number, (rows, (batch, partners, own)) in enumerate(
            zip(order, views, strict=True), start=first_step
        ):
            warm = min(1.0, (number + 1) / self._warmup)
            rate = self._settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * number / self._total))
            self._optimizer.learning_rate.assign(rate)
            decay = min(self._settings.average, (1 + number) / (10 + number))
            seen = thoughts[rows].any(axis=1, keepdims=True)
            share = seen * np.float32(self._settings.self_weight * number / self._total)
            wanted = shares[rows] * ((1 - share) * targets[rows] + share * thoughts[rows])
            wanted = own * wanted + (1 - own) * wanted[partners]
            if self._taught is not None:
                told = wanted[:, : len(EXPRESSIONS)].sum(axis=1, keepdims=True)
                rng = np.random.default_rng([self._settings.seed, number, 2])
                wanted = wanted + (1 - told) * self._taught(batch, rng)
            figures, given = self._step(batch, wanted, decay)
            totals += figures
            thought = np.where(seen, SELF_KEEP * thoughts[rows] + (1 - SELF_KEEP) * given, given)
            # of a mixture of two faces nothing is known of either
            thoughts[rows] = np.where(own == 1, thought, thoughts[rows])
            if on_step is not None:
                on_step(number + 1, self._total)
        if not np.isfinite(totals).all():
            raise TrainingError("The loss is not finite; lower --learning-rate and begin in another folder.")
        self._thoughts.assign(thoughts)
        loss, correct = totals / len(order)
        return float(loss), float(correct)

    def _views(
        self, images: NDArray[np.uint8], order: NDArray[np.intp], phase: Phase, first_step: int
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.float32]]]:
        """The epoch's batches as `augment.mix` gives them, each made while the one before it is learnt."""

        def make(place: int) -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.float32]]:
            rng = np.random.default_rng([self._settings.seed, first_step + place, 1])
            views = augment.view(
                images[order[place]],
                rng,
                phase.size,
                self._settings.cover * images.shape[1],
                phase.erased,
                strength=phase.strength,
                standardise=self._settings.standardise,
            )
            return augment.mix(views, phase.mixed, rng)

        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(make, 0)
            for place in range(len(order)):
                ready = coming.result()
                if place + 1 < len(order):
                    coming = ahead.submit(make, place + 1)
                yield ready

    def judge(self, faces: FaceSet, size: int) -> dict[str, float]:
        """Accuracy and loss of the moving average on whole faces of side `size`."""
        logits = predict(self._forward, faces.images, size, standardise=self._settings.standardise)
        return judge(logits, faces)

    def resume(self) -> list[dict[str, Any]]:
        """Load the folder's checkpoint, if any, and return the history up to it."""
        if not (self._settings.out / RUN).exists():
            return []
        before = _demand_same(self._settings, _plain(self._settings))
        return load_state(self._settings.out, self._state(), before["history"])

    def keep(self, history: list[dict[str, Any]], counts: Mapping[str, int]) -> None:
        """Write best weights, run.json and checkpoint, each whole or not at all.

        The checkpoint comes last: whatever is cut off before it is done again from the one before.
        """
        out = self._settings.out
        best = _best(history)
        if best is history[-1]:
            temporary = out / f"new.{BEST}"
            self._average.save_weights(temporary)
            temporary.replace(out / BEST)
        name = keras.backend.backend()
        run = {
            "settings": _plain(self._settings),
            "data_sha256": self._data_sha256,
            **counts,
            "parameters": self._average.count_params(),
            "begun": self._begun,
            "device": backend().device(),
            "versions": {package: metadata.version(package) for package in ("keras", "numpy")}
            | {name: importlib.import_module(name).__version__},
            "chosen_epoch": best["epoch"],
            "history": history,
        }
        replace_file(out / RUN, json.dumps(run, indent=1).encode())
        save_state(out, self._state(), len(history))

    def _state(self) -> list[Any]:
        own = [self._thoughts] if self._settings.self_weight else []
        return [*self._model.variables, *self._average.weights, *self._optimizer.variables, *own]


def _begin(model: keras.Model, settings: TrainSettings) -> str:
    """Load the weights to begin with, and say which they are."""
    if settings.start is not None:
        heads = heads_of(read_record(settings.start))
        if heads != settings.heads:
            raise TrainingError(
                f"{settings.start} has --heads {heads}; give the same, or choose another --start."
            )
        start = architecture_of(settings.start)
        if start == settings.architecture:
            load_weights(model, settings.start)
        else:
            try:
                narrow(load_run(settings.start)[0], model)
            except TrainingError as error:
                raise TrainingError(
                    f"{settings.start} is a {start}, this run trains a {settings.architecture}. {error}"
                ) from error
        return f"weights of the run {settings.start.name}"
    if settings.pretrained is not None:
        load_backbone(model, settings.pretrained)
        return f"ImageNet weights {settings.pretrained.name}, SHA-256 {data_hash(settings.pretrained)[:16]}"
    return "random weights"


def _demand_same(settings: TrainSettings, wanted: dict[str, Any]) -> dict[str, Any]:
    """The `run.json` that is there, if its settings are `wanted` and its data those of `settings`."""
    before = read_record(settings.out)
    # a run of before a setting was known had its default
    usual = {field.name: field.default for field in fields(TrainSettings)}
    differing = [key for key in wanted if before["settings"].get(key, usual.get(key)) != wanted[key]]
    if before.get("data_sha256") != data_hash(settings.data):
        differing.append("data set")
    if differing:
        raise TrainingError(
            f"{settings.out} was begun with another {', '.join(differing)}; "
            "give the same settings and data, or another folder."
        )
    return before


def _best(history: list[dict[str, Any]]) -> dict[str, Any]:
    """The first of the rows with the highest accuracy, among the last ones of one size: those before were judged on
    other pictures, and their weights are gone."""
    lately = [*takewhile(lambda row: row["size"] == history[-1]["size"], reversed(history))]
    return max(reversed(lately), key=lambda row: row["public_accuracy"])


def _phase_at(settings: TrainSettings, epoch: int) -> Phase:
    end = 0
    for phase in settings.phases:
        end += phase.epochs
        if epoch < end:
            return phase
    raise TrainingError(f"Epoch {epoch} lies beyond the {settings.epochs} of this run.")


def command_of(settings: Mapping[str, Any]) -> str:
    """The `classpulse models train` that asks for the settings of a `run.json`, in which other runs and files stand by
    their names; empty where one of them has no option."""
    usual = _plain(TrainSettings(Path(), Path()))
    idle = {"teachers_sha256", "start_sha256", "posed_sha256", "unlabelled_sha256"}
    idle |= {"hard_weight"} if settings.get("heads", 1) > 1 else set()
    idle |= set() if settings.get("teachers") else {"teacher_weight", "teachers_see_views", "teachers_mirror"}
    told = {key: value for key, value in settings.items() if key not in idle and value != usual.get(key)}
    if told.keys() & {"warmup_epochs", "weight_decay", "average", "smoothing"}:
        return ""
    words = ["classpulse models train OUT"]
    for key, value in told.items():
        option = {"phases": "--phase", "teachers": "--teacher"}.get(key, f"--{key.replace('_', '-')}")
        for one in value if isinstance(value, list) else [value]:
            text = (
                ":".join(f"{part:g}" for part in astuple(Phase(**one))) if isinstance(one, dict) else str(one)
            )
            words.append(option if one is True else f"{option} {shlex.quote(text)}")
    return " ".join(words)


def _weights_hash(run: Path) -> str:
    """SHA-256 of what the finished run in this folder learnt."""
    best = run / BEST
    return data_hash(best if best.exists() else run / FITTED)


def _plain(settings: TrainSettings) -> dict[str, Any]:
    """Settings as JSON knows them, without the places on this machine."""
    plain = asdict(settings)
    del plain["data"], plain["out"]
    plain["teachers"] = [run.name for run in settings.teachers]
    for key, path in (("start", settings.start), ("pretrained", settings.pretrained)):
        plain[key] = None if path is None else path.name
    # a name can come to mean another run
    if settings.teachers:
        plain["teachers_sha256"] = [_weights_hash(run) for run in settings.teachers]
    for key, sources in (("posed", settings.posed), ("unlabelled", settings.unlabelled)):
        del plain[key]  # of which runs of before it was known tell nothing
        if sources:
            plain[key] = [source.name for source in sources]
            plain[f"{key}_sha256"] = [data_hash(source) for source in sources]
    if settings.start is not None:
        plain["start_sha256"] = _weights_hash(settings.start)
    plain["phases"] = [asdict(phase) for phase in settings.phases]
    for phase in plain["phases"]:
        if not phase["mixed"]:
            del phase["mixed"]  # as runs of before it was known tell of theirs
    return plain
