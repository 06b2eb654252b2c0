"""Readers: every source becomes the same `FaceSet` of 48 x 48 grey faces."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from models.errors import DataError

SIZE: Final = 48
SPLITS: Final = ("Training", "PublicTest", "PrivateTest")
VOTES: Final = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "nf",
)
"""FER+'s columns, in FER+'s order."""

VOTE_OF: Final[dict[str, str]] = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "sad": "sadness",
    "surprise": "surprise",
    "neutral": "neutral",
}
"""Our expressions in FER+'s words; FER+'s contempt has no counterpart."""

_VOTE_COLUMNS: Final = [VOTES.index(VOTE_OF[name]) for name in EXPRESSIONS]
_FOLDERS: Final = {
    "train": "Training",
    "training": "Training",
    "val": "PublicTest",
    "validation": "PublicTest",
    "publictest": "PublicTest",
    "test": "PrivateTest",
    "privatetest": "PrivateTest",
}
_PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp"})


@dataclass(frozen=True, slots=True)
class FaceSet:
    """Labelled faces of one split.

    images: uint8 (N, 48, 48), grey, 0..255.
    labels: int64 (N,), index into `EXPRESSIONS`.
    votes: float32 (N, 10), FER+ votes in the order of `VOTES`; None where the source has none.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    votes: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: slice | NDArray[np.bool_] | NDArray[np.intp]) -> "FaceSet":
        """The faces at `rows`."""
        return FaceSet(self.images[rows], self.labels[rows], None if self.votes is None else self.votes[rows])


def read_faces(path: Path, *, ferplus: Path | None = None) -> dict[str, FaceSet]:
    """Read `path`: one `FaceSet` per split present, by the names in `SPLITS`.

    A `.parquet` is FER2013 + FER+. A `.csv` is Kaggle's fer2013.csv; `ferplus` is FER+'s fer2013new.csv, and one that
    stands beside it is taken without being named. A folder holds `train`, `val`, `test` (or FER2013's split names)
    with one folder per expression each.
    Raises DataError, which says what was expected.
    """
    if path.is_dir():
        return read_folders(path)
    if not path.is_file():
        raise DataError(
            f"{path} does not exist. Give fer2013plus.parquet, fer2013.csv or a folder of classes."
        )
    if path.suffix == ".parquet":
        return read_fer2013plus(path)
    if path.suffix == ".csv":
        beside = path.with_name("fer2013new.csv")
        return read_fer2013_csv(path, ferplus=ferplus or (beside if beside.is_file() else None))
    raise DataError(
        f"{path.name} is no known source of faces. Give fer2013plus.parquet, fer2013.csv or a folder of classes."
    )


def read_fer2013plus(path: Path) -> dict[str, FaceSet]:
    """The FER2013 + FER+ parquet: columns usage, label, image (encoded bytes), votes_*. Raises DataError."""
    import pandas as pd

    try:
        import pyarrow as pa
    except ImportError as error:
        raise DataError("Reading parquet needs the train extra: pip install 'classpulse[train]'.") from error
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"Cannot read {path} as parquet ({error}). Fetch the file again.") from error
    _demand(set(table.columns), {"usage", "label", "image", *(f"votes_{name}" for name in VOTES)}, path)
    images = [
        _decode(np.frombuffer(blob, np.uint8), f"row {row} of {path}")
        for row, blob in enumerate(table["image"])
    ]
    labels = _indices(table["label"].astype(str).tolist(), path)
    votes = table[[f"votes_{name}" for name in VOTES]].to_numpy(np.float32)
    return _split(np.array(images, np.uint8), labels, votes, table["usage"].astype(str).to_numpy(), path)


def read_fer2013_csv(path: Path, *, ferplus: Path | None = None) -> dict[str, FaceSet]:
    """Kaggle's fer2013.csv (emotion, pixels, Usage), with FER+'s fer2013new.csv if given. Raises DataError.

    FER+'s rows stand in the order of fer2013.csv; the pictures it marks as no face (no image name) are dropped.
    """
    table = _read_csv(path)
    _demand(set(table.columns), {"emotion", "pixels", "Usage"}, path)
    images = np.empty((len(table), SIZE, SIZE), np.uint8)
    for row, text in enumerate(table["pixels"].astype(str)):
        try:
            images[row] = np.array(text.split(), np.int64).reshape(SIZE, SIZE).astype(np.uint8)
        except ValueError as error:
            raise DataError(
                f"Row {row} of {path} does not hold {SIZE} x {SIZE} grey values: {error}."
            ) from error
    labels = table["emotion"].to_numpy(np.int64)
    if len(labels) and not (labels.min() >= 0 and labels.max() < len(EXPRESSIONS)):
        raise DataError(f"{path} has labels outside 0..{len(EXPRESSIONS) - 1}; expected FER2013's seven.")
    usage = table["Usage"].astype(str).to_numpy()
    if ferplus is None:
        return _split(images, labels, None, usage, path)

    votes = _read_csv(ferplus)
    votes.columns = [str(name).strip().lower() for name in votes.columns]
    _demand(set(votes.columns), {"image name", *VOTES}, ferplus)
    if len(votes) != len(table):
        raise DataError(
            f"{ferplus} has {len(votes)} rows and {path} {len(table)}; they do not belong together."
        )
    kept = votes["image name"].notna().to_numpy()
    return _split(
        images[kept], labels[kept], votes[list(VOTES)].to_numpy(np.float32)[kept], usage[kept], path
    )


def read_folders(path: Path) -> dict[str, FaceSet]:
    """A folder of splits, each with one folder of pictures per expression, in any size. Raises DataError."""
    found: dict[str, FaceSet] = {}
    for folder in sorted(p for p in path.iterdir() if p.is_dir() and p.name.lower() in _FOLDERS):
        images: list[NDArray[np.uint8]] = []
        names: list[str] = []
        for kind in sorted(p for p in folder.iterdir() if p.is_dir()):
            for file in sorted(p for p in kind.iterdir() if p.suffix.lower() in _PICTURES):
                images.append(_decode(np.fromfile(file, np.uint8), str(file)))
                names.append(kind.name.lower())
        if images:
            found[_FOLDERS[folder.name.lower()]] = FaceSet(
                np.array(images, np.uint8), _indices(names, folder)
            )
    if not found:
        raise DataError(
            f"{path} holds no faces; expected train/, val/ and test/ with one folder per expression."
        )
    return found


def soft_targets(faces: FaceSet, *, hard_weight: float = 0.6, smoothing: float = 0.05) -> NDArray[np.float32]:
    """Training targets, float32 (N, 7), rows sum to 1.

    A mix of FER2013's label (smoothed, weight `hard_weight`) and the FER+ votes over the seven expressions
    (contempt, unknown and no-face dropped, renormalised). A face without such votes keeps its label alone.
    """
    classes = len(EXPRESSIONS)
    hard = np.full((len(faces), classes), smoothing / classes, np.float32)
    hard[np.arange(len(faces)), faces.labels] += 1 - smoothing
    if faces.votes is None:
        return hard
    votes = faces.votes[:, _VOTE_COLUMNS]
    total = votes.sum(axis=1, keepdims=True)
    weight = np.where(total > 0, np.float32(hard_weight), np.float32(1))
    return np.asarray(weight * hard + (1 - weight) * votes / np.maximum(total, 1), np.float32)


def _read_csv(path: Path) -> Any:
    import pandas as pd

    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise DataError(f"Cannot read {path} as CSV ({error}). Fetch the file again.") from error


def _demand(columns: set[str], wanted: set[str], path: Path) -> None:
    missing = sorted(wanted - columns)
    if missing:
        raise DataError(f"{path} lacks the columns {', '.join(missing)}; it is not the file expected here.")


def _decode(code: NDArray[np.uint8], what: str) -> NDArray[np.uint8]:
    image = cv2.imdecode(code, cv2.IMREAD_GRAYSCALE) if len(code) else None
    if image is None:
        raise DataError(f"{what} cannot be decoded as a picture; fetch it again or remove it.")
    if image.shape != (SIZE, SIZE):
        image = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(image, np.uint8)


def _indices(names: list[str], source: Path) -> NDArray[np.int64]:
    places = {name: place for place, name in enumerate(map(str, EXPRESSIONS))}
    unknown = sorted(set(names) - set(places))
    if unknown:
        raise DataError(f"{source} has the labels {', '.join(unknown)}; expected {', '.join(EXPRESSIONS)}.")
    return np.array([places[name] for name in names], np.int64)


def _split(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    votes: NDArray[np.float32] | None,
    usage: NDArray[Any],
    path: Path,
) -> dict[str, FaceSet]:
    unknown = sorted(set(usage) - set(SPLITS))
    if unknown:
        raise DataError(
            f"{path} has the splits {', '.join(map(str, unknown))}; expected {', '.join(SPLITS)}."
        )
    faces = FaceSet(images, labels, votes)
    return {split: faces.take(usage == split) for split in SPLITS if (usage == split).any()}
