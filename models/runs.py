"""A run's folder: what is in it, and the classifier that came of it."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from inference.expression import standardised
from models import metrics, zoo
from models.backends import backend
from models.data import SIZE, resized
from models.errors import TrainingError
from models.zoo import classical

RUN: Final = "run.json"
BEST: Final = "best.weights.h5"
FITTED: Final = "fitted.joblib"
CHECKPOINT: Final = "checkpoint.npz"
EVALUATION: Final = "evaluation.json"
COVER: Final = 44 / SIZE
"""The share of the picture's side that a training view shows at zoom 1, unless a run says otherwise."""

Classify = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
"""Grey faces uint8 (N, H, H) of any side -> logits (N, 7) in the order of `EXPRESSIONS`, or (N, 14) of two heads: what
FER2013's label would be, then what FER+'s voters would say."""


def read_record(run: Path) -> dict[str, Any]:
    """`run.json` of a run, finished or not: its settings, its history of one epoch or more, and what else it tells.

    Raises TrainingError.
    """
    try:
        record = json.loads((run / RUN).read_text(encoding="utf-8"))
        whole = isinstance(record["settings"], dict) and len(record["history"]) > 0
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{run} holds no finished run ({type(error).__name__}: {error}); train one in an empty folder."
        ) from error
    if not whole:
        raise TrainingError(f"{run / RUN} tells of no epoch; train one in an empty folder.")
    return dict(record)


def read_run(run: Path) -> dict[str, Any]:
    """`read_record` of a run that has learnt something. Raises TrainingError."""
    record = read_record(run)
    if not weights_of(run).exists():
        raise TrainingError(f"{run} holds no {BEST} and no {FITTED}; train first.")
    return record


def architecture_of(run: Path) -> str:
    """What a run trained, of `zoo.ARCHITECTURES` or `zoo.MACHINES`. Raises TrainingError."""
    architecture = str(read_run(run)["settings"].get("architecture"))
    if architecture not in {*zoo.ARCHITECTURES, *zoo.MACHINES}:
        raise TrainingError(f"{run} is no run of a classifier of this zoo; see classpulse models list.")
    return architecture


def settings_of(run: Path, *keys: str) -> dict[str, Any]:
    """The settings of a finished run, which must be of a kind that has these. Raises TrainingError."""
    settings = read_run(run)["settings"]
    if any(key not in settings for key in keys):
        raise TrainingError(
            f"{run} is a run of another kind of network: its settings lack {', '.join(keys)}."
        )
    return dict(settings)


def load_weights(network: keras.Model, run: Path) -> None:
    """Put the chosen weights of a run into a network of its architecture. Raises TrainingError."""
    try:
        network.load_weights(run / BEST)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise TrainingError(
            f"{run / BEST} cannot be loaded ({reason}); train that run anew, or give another."
        ) from error


def weights_of(run: Path) -> Path:
    """The file that holds what the run learnt: a network's weights, else a fitted machine."""
    fitted = run / FITTED
    return fitted if fitted.exists() else run / BEST


def find_runs(folder: Path) -> list[Path]:
    """The folders in `folder` that hold a run, or `folder` itself, by name."""
    return sorted({path.parent for pattern in (RUN, f"*/{RUN}") for path in folder.glob(pattern)})


def load_run(run: Path) -> tuple[keras.Model, int]:
    """The chosen network of a run, in float32, and the side of its faces in px. Raises TrainingError."""
    network = zoo.build(architecture_of(run), None, heads=heads_of(read_run(run)))
    load_weights(network, run)
    return network, input_size_of(read_run(run))


def load_classifier(run: Path) -> Classify:
    """Whatever the run learnt, behind one call. A fitted machine is a pickle: load only runs of your own.

    Raises TrainingError.
    """
    if architecture_of(run) in zoo.MACHINES:
        return classical.load(run / FITTED)
    network, size = load_run(run)
    forward, standardise = backend().make_forward(network), wants_standardised(read_run(run))
    return lambda images: predict(forward, images, size, standardise=standardise).astype(np.float64)


def input_size_of(record: Mapping[str, Any]) -> int:
    """The side in px at which the network of a `run.json` reads a whole face: that of its last training views, over
    the share of the picture that they show."""
    return round(int(record["history"][-1]["size"]) / float(record["settings"].get("cover", COVER)))


def wants_standardised(record: Mapping[str, Any]) -> bool:
    """Whether the network of a `run.json` learnt from faces of one light and contrast."""
    return bool(record["settings"].get("standardise", False))


def heads_of(record: Mapping[str, Any]) -> int:
    """How many sets of seven logits the network of a `run.json` has."""
    return int(record["settings"].get("heads", 1))


def teachers_of(settings: Mapping[str, Any]) -> dict[str, int]:
    """The teachers in the settings of a `run.json`, by name, each with how often it counts: one given twice is one
    teacher of double weight."""
    return Counter(settings.get("teachers", ()))


def teach(runs: Sequence[Path], images: NDArray[np.uint8], heads: int = 1) -> NDArray[np.float32]:
    """Mean probabilities float32 (N, 7 H) of the runs' chosen networks over grey faces uint8 (N, H, W), each face
    seen as it is and mirrored, for a pupil of `heads` heads: it learns head by head from a teacher of as many, and
    from the mean of another's. Raises TrainingError."""
    total = np.zeros((len(images), heads, len(EXPRESSIONS)), np.float64)
    for run in runs:
        classify = load_classifier(run)
        for view in (images, np.ascontiguousarray(images[:, :, ::-1])):
            taught = metrics.of_heads(classify(view))
            total += taught if taught.shape == total.shape else taught.mean(axis=1, keepdims=True)
    return np.asarray(total / (2 * len(runs)), np.float32).reshape(len(images), -1)


def teach_views(
    runs: Sequence[Path], heads: int, *, standardise: bool, precision: str, mirror: bool = False
) -> Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]]:
    """The runs' networks as teachers that look at what the pupil sees: (views float32 (N, S, S, 1), generator) -> mean
    probabilities float32 (N, 7 H). A run that is given twice counts twice.

    With `mirror` each teacher sees every view or its mirror image, as the generator draws: over many epochs its mean
    over both is taught, which is more often right than one of them, in the time of one.

    Raises:
        TrainingError: a run is no network, has another number of heads, or learnt from faces of another light.
    """
    taught: list[tuple[Callable[[NDArray[np.float32]], NDArray[np.float32]], float]] = []
    for run, times in Counter(runs).items():
        architecture, record = architecture_of(run), read_run(run)
        if architecture in zoo.MACHINES or (heads_of(record), wants_standardised(record)) != (
            heads,
            standardise,
        ):
            raise TrainingError(
                f"{run} cannot look at what this run sees: --teachers-see-views wants networks with the same --heads "
                "and --standardise. Choose another --teacher."
            )
        network = zoo.build(architecture, None, precision=precision, heads=heads)
        load_weights(network, run)
        taught.append((backend().make_forward(network), times / len(runs)))

    def mean(views: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        def seen() -> NDArray[np.float32]:
            turned = mirror & (rng.random((len(views), 1, 1, 1)) < 0.5)
            return np.where(turned, views[:, :, ::-1], views)

        total = sum(
            weight * metrics.of_heads(forward(seen()).astype(np.float64)) for forward, weight in taught
        )
        return np.asarray(total, np.float32).reshape(len(views), -1)

    return mean


def predict(
    forward: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    images: NDArray[np.uint8],
    size: int,
    batch: int = 256,
    *,
    standardise: bool = False,
) -> NDArray[np.float32]:
    """Logits float32 (N, 7 H) of grey faces uint8 (N, H, W), resized to `size` where they differ, by a forward pass of
    `models.backends`."""
    images = resized(images, size)
    batches = (images[at : at + batch] for at in range(0, len(images), batch))
    return np.concatenate([forward(network_input(faces, standardise=standardise)) for faces in batches])


def network_input(faces: NDArray[np.uint8], *, standardise: bool) -> NDArray[np.float32]:
    """Grey faces uint8 (N, S, S) as a network takes them: float32 (N, S, S, 1)."""
    values = standardised(faces) if standardise else faces.astype(np.float32)
    return values[..., np.newaxis]
