"""Support vector machines and nearest neighbours, through scikit-learn: what this task was tried with before networks.

All see the same feature: a histogram of oriented gradients, standardised and reduced to its first principal components.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from models.data import resized
from models.errors import TrainingError

SETTINGS: Final = {
    "svm-linear": "one against the rest, C 0.01",
    "svm-poly": "degree 3, coef0 1, C 1, gamma scaled",
    "svm-rbf": "C 4, gamma scaled",
    "knn": "25 neighbours, weighted by distance",
}
FEATURE: Final = (
    "HOG (8 px cells, 9 orientations, 2 x 2 blocks: 900 values), standardised, 160 principal components"
)
COMPONENTS: Final = 160
NEIGHBOURS: Final = 25

_CELL, _ORIENTATIONS, _BLOCK, _SIDE = 8, 9, 2, 48


def build_machine(name: str, seed: int, faces: int) -> Any:
    """An untrained scikit-learn pipeline over HOG features of `faces` faces; `name` is one of `zoo.MACHINES`."""
    from sklearn.decomposition import PCA
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC, LinearSVC

    machines: dict[str, Callable[[], Any]] = {
        "svm-linear": lambda: LinearSVC(C=0.01, dual=False, random_state=seed),
        "svm-poly": lambda: SVC(kernel="poly", degree=3, coef0=1.0, cache_size=1000),
        "svm-rbf": lambda: SVC(kernel="rbf", C=4.0, cache_size=1000),
        "knn": lambda: KNeighborsClassifier(min(NEIGHBOURS, faces), weights="distance"),
    }
    components = min(COMPONENTS, faces)
    reduction = PCA(components, svd_solver="randomized", random_state=seed)
    return make_pipeline(StandardScaler(), reduction, machines[name]())


def fit(
    name: str,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    seed: int,
    path: Path,
    on_stage: Callable[[int], None] = lambda stage: None,
) -> None:
    """Fit machine `name` to grey faces uint8 (N, H, W) with labels int (N,), and keep it in the file `path`.

    `on_stage` hears 1 when the features are there and 2 when the machine is fitted.
    """
    import joblib

    features = hog(images)
    on_stage(1)
    machine = build_machine(name, seed, len(images)).fit(features, labels)
    temporary = path.with_name(f"new.{path.name}")
    joblib.dump(machine, temporary, compress=3)
    temporary.replace(path)
    on_stage(2)


def load(path: Path) -> Callable[[NDArray[np.uint8]], NDArray[np.float64]]:
    """A fitted machine as a function from grey faces uint8 (N, H, W) to logits (N, 7).

    For an SVM the logits are its decision values, for nearest neighbours the logarithm of their votes, one more vote
    spread over all expressions. Raises TrainingError.
    """
    import joblib

    try:
        machine = joblib.load(path)
    except Exception as error:  # a broken pickle raises anything
        raise TrainingError(
            f"{path} cannot be loaded ({type(error).__name__}: {error}); train that run anew."
        ) from error
    places = np.asarray(machine.classes_, np.int64)

    def classify(images: NDArray[np.uint8]) -> NDArray[np.float64]:
        features = hog(images)
        if hasattr(machine, "decision_function"):
            found = np.asarray(machine.decision_function(features), np.float64)
            if found.ndim == 1:  # scikit-learn gives one column for two classes
                found = np.stack([-found, found], axis=1)
            lowest = float(found.min()) - 1.0
        else:
            votes = np.asarray(machine.predict_proba(features), np.float64) * NEIGHBOURS
            found = np.log((votes + 1 / len(EXPRESSIONS)) / (NEIGHBOURS + 1))
            lowest = float(np.log(1 / len(EXPRESSIONS) / (NEIGHBOURS + 1)))
        logits = np.full((len(images), len(EXPRESSIONS)), lowest)
        logits[:, places] = found
        return logits

    return classify


def hog(images: NDArray[np.uint8], chunk: int = 512) -> NDArray[np.float32]:
    """Histograms of oriented gradients float32 (N, 900) of grey faces uint8 (N, H, W).

    Centred differences, unsigned orientation shared between neighbouring bins, blocks normalised by L2-Hys (Dalal and
    Triggs 2005). Votes are not shared between cells.
    """
    faces = resized(images, _SIDE)
    return np.concatenate([_hog(faces[at : at + chunk]) for at in range(0, len(faces), chunk)])


def _hog(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    padded = np.pad(faces.astype(np.float32), ((0, 0), (1, 1), (1, 1)), mode="edge")
    right, down = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2], padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    length = np.hypot(right, down)
    place = np.mod(np.arctan2(down, right) / np.pi, 1.0) * _ORIENTATIONS
    cells = _SIDE // _CELL
    histogram = np.empty((len(faces), cells, cells, _ORIENTATIONS), np.float32)
    for number in range(_ORIENTATIONS):
        away = np.abs(place - number)
        share = np.maximum(0.0, 1.0 - np.minimum(away, _ORIENTATIONS - away)) * length
        histogram[..., number] = share.reshape(-1, cells, _CELL, cells, _CELL).sum(axis=(2, 4))
    last = cells - _BLOCK + 1
    blocks = np.concatenate(
        [histogram[:, y : y + last, x : x + last] for y in range(_BLOCK) for x in range(_BLOCK)], axis=3
    )
    for clip in (0.2, 1.0):
        blocks = np.minimum(blocks / (np.linalg.norm(blocks, axis=3, keepdims=True) + 1e-3), clip)
    return blocks.reshape(len(faces), -1)
