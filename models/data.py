"""Readers: every source becomes the same `FaceSet` of 48 x 48 grey faces."""

import hashlib
from collections.abc import Mapping
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


def read_faces(path: Path) -> dict[str, FaceSet]:
    """Read `path`: one `FaceSet` per split present, by the names in `SPLITS`.

    A `.parquet` is FER2013 + FER+. A `.csv` is Kaggle's fer2013.csv, with FER+'s votes where its fer2013new.csv stands
    beside it. A folder holds `train`, `val`, `test` (or FER2013's split names) with one folder per expression each.
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
        return read_fer2013_csv(path)
    raise DataError(
        f"{path.name} is no known source of faces. Give fer2013plus.parquet, fer2013.csv or a folder of classes."
    )


def read_fer2013plus(path: Path) -> dict[str, FaceSet]:
    """The FER2013 + FER+ parquet: columns usage, label, image (encoded bytes), votes_*. Raises DataError."""
    table = _read_parquet(path)
    _demand(set(table.columns), {"usage", "label", "image", *(f"votes_{name}" for name in VOTES)}, path)
    images = np.empty((len(table), SIZE, SIZE), np.uint8)
    for row, blob in enumerate(_encoded(table, path)):
        images[row] = _decode(np.frombuffer(blob, np.uint8), f"Row {row} of {path}")
    labels = _indices(table["label"].astype(str).tolist(), path)
    votes = _numbers(table[[f"votes_{name}" for name in VOTES]], path)
    return _split(images, labels, votes, table["usage"].astype(str).to_numpy(), path)


def read_pictures(path: Path) -> list[bytes]:
    """The encoded pictures of a parquet, its column `image`; only those of `split` train where it has that column.

    Raises DataError.
    """
    table = _read_parquet(path)
    _demand(set(table.columns), {"image"}, path)
    if "split" in table.columns:
        table = table[table["split"] == "train"]
    return _encoded(table, path)


def read_posed(path: Path) -> FaceSet:
    """The faces of a parquet with the columns image (encoded) and label: one of our expressions, or FER+'s word for it.
    Other labels, as contempt, are left out. Without votes. Raises DataError."""
    table = _read_parquet(path)
    _demand(set(table.columns), {"image", "label"}, path)
    names = table["label"].astype(str).replace({word: name for name, word in VOTE_OF.items()})
    table, names = table[names.isin(EXPRESSIONS)], names[names.isin(EXPRESSIONS)]
    if not len(table):
        raise DataError(f"{path} has no label that we know; expected {', '.join(EXPRESSIONS)}.")
    blobs = _encoded(table, path)
    images = [
        _decode(np.frombuffer(blob, np.uint8), f"Row {row} of {path}") for row, blob in enumerate(blobs)
    ]
    return FaceSet(np.array(images, np.uint8), _indices(names.tolist(), path))


def read_fer2013_csv(path: Path) -> dict[str, FaceSet]:
    """Kaggle's fer2013.csv (emotion, pixels, Usage), with FER+'s fer2013new.csv beside it, if any. Raises DataError.

    FER+'s rows stand in the order of fer2013.csv, which their common column Usage confirms; the pictures it marks as no
    face (no image name) are dropped.
    """
    table = _read_csv(path)
    _demand(set(table.columns), {"emotion", "pixels", "Usage"}, path)
    images = np.empty((len(table), SIZE, SIZE), np.uint8)
    for row, text in enumerate(table["pixels"].astype(str)):
        try:
            images[row] = np.array(text.split(), np.uint8).reshape(SIZE, SIZE)
        except (ValueError, OverflowError) as error:
            raise DataError(
                f"Row {row} of {path} does not hold {SIZE} x {SIZE} grey values in 0..255 ({error}). Fetch the file "
                "again."
            ) from error
    emotions = _numbers(table["emotion"], path)
    if not np.isin(emotions, range(len(EXPRESSIONS))).all():
        raise DataError(f"{path} has labels outside 0..{len(EXPRESSIONS) - 1}; expected FER2013's seven.")
    labels = emotions.astype(np.int64)
    usage = table["Usage"].astype(str).to_numpy()
    ferplus = path.with_name("fer2013new.csv")
    if not ferplus.is_file():
        return _split(images, labels, None, usage, path)

    votes = _read_csv(ferplus)
    votes.columns = [str(name).strip().lower() for name in votes.columns]
    _demand(set(votes.columns), {"usage", "image name", *VOTES}, ferplus)
    if votes["usage"].astype(str).tolist() != usage.tolist():
        raise DataError(
            f"The rows of {ferplus} and {path} do not belong together: they differ in number or in the column Usage. "
            "Give both files as they were published."
        )
    kept = votes["image name"].notna().to_numpy()
    return _split(images[kept], labels[kept], _numbers(votes[list(VOTES)], ferplus)[kept], usage[kept], path)


def read_folders(path: Path) -> dict[str, FaceSet]:
    """A folder of splits, each with one folder of pictures per expression, in any size. Raises DataError."""
    found: dict[str, FaceSet] = {}
    for folder in sorted(p for p in path.iterdir() if p.is_dir() and p.name.lower() in _FOLDERS):
        split = _FOLDERS[folder.name.lower()]
        if split in found:
            raise DataError(f"{path} has two folders for the split {split}; keep one of them.")
        images: list[NDArray[np.uint8]] = []
        names: list[str] = []
        for kind in sorted(p for p in folder.iterdir() if p.is_dir()):
            for file in sorted(p for p in kind.iterdir() if p.is_file() and p.suffix.lower() in _PICTURES):
                images.append(_decode(np.frombuffer(_content(file), np.uint8), str(file)))
                names.append(kind.name.lower())
        if images:
            found[split] = FaceSet(np.array(images, np.uint8), _indices(names, folder))
    if not found:
        raise DataError(
            f"{path} holds no faces; expected train/, val/ and test/ with one folder per expression."
        )
    return found


def named_split(splits: Mapping[str, FaceSet], split: str, path: Path) -> FaceSet:
    """One of the splits that were read from `path`. Raises DataError."""
    if split not in splits:
        raise DataError(f"{path} has no split {split}; it has {', '.join(splits)}.")
    return splits[split]


def data_hash(path: Path) -> str:
    """SHA-256 of a file (a CSV with FER+'s beside it), or of the names and contents of a folder's files in order.

    Raises DataError.
    """
    digest = hashlib.sha256()
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    if path.suffix == ".csv" and path.with_name("fer2013new.csv").is_file():
        files.append(path.with_name("fer2013new.csv"))
    for file in files:
        if path.is_dir():
            digest.update(file.relative_to(path).as_posix().encode())
        digest.update(_content(file))
    return digest.hexdigest()


def among(faces: FaceSet, others: FaceSet) -> NDArray[np.bool_]:
    """Which of the pictures stand, pixel by pixel, among `others` too: bool (N,). FER2013 repeats some across its
    splits."""
    known = {image.tobytes() for image in others.images}
    return np.array([image.tobytes() in known for image in faces.images], np.bool_)


def resized(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Grey pictures uint8 (N, H, W) at the side `size`, shrunk by areas and enlarged by straight lines, as the product
    does it with its crops: uint8 (N, size, size)."""
    if images.shape[1:] == (size, size):
        return images
    how = cv2.INTER_AREA if min(images.shape[1:]) >= size else cv2.INTER_LINEAR
    return np.stack([cv2.resize(image, (size, size), interpolation=how) for image in images])


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


def targets_of_heads(faces: FaceSet, *, smoothing: float = 0.05) -> NDArray[np.float32]:
    """Training targets of two heads, float32 (N, 14): FER2013's label (smoothed), then the FER+ votes over the seven
    expressions; each seven sum to 1. A face without such votes has its label in both places."""
    label = soft_targets(faces, hard_weight=1.0, smoothing=smoothing)
    return np.concatenate([label, soft_targets(faces, hard_weight=0.0, smoothing=smoothing)], axis=1)


def _read_parquet(path: Path) -> Any:
    import pandas as pd

    try:
        import pyarrow as pa
    except ImportError as error:
        raise DataError(
            "Reading parquet needs the train extra: `pip install -r requirements/train.txt`."
        ) from error
    if not path.is_file():
        raise DataError(f"There is no file {path}; give a parquet with the column image.")
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"Cannot read {path} as parquet ({error}). Fetch the file again.") from error


def _encoded(table: Any, path: Path) -> list[bytes]:
    """The column `image`, all of it bytes."""
    blobs: list[Any] = table["image"].tolist()
    for row, blob in enumerate(blobs):
        if not isinstance(blob, bytes):
            raise DataError(f"Row {row} of {path} holds no picture; expected encoded bytes in `image`.")
    return blobs


def _read_csv(path: Path) -> Any:
    import pandas as pd

    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise DataError(f"Cannot read {path} as CSV ({error}). Fetch the file again.") from error


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error}); check where it is and who may read it.") from error


def _numbers(columns: Any, path: Path) -> NDArray[np.float32]:
    """Columns of a table as float32, none of them empty."""
    try:
        values = columns.to_numpy(np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path} has words where numbers belong ({error}). Fetch the file again.") from error
    if not np.isfinite(values).all():
        raise DataError(f"{path} has empty cells where numbers belong. Fetch the file again.")
    return np.asarray(values, np.float32)


def _demand(columns: set[str], wanted: set[str], path: Path) -> None:
    missing = sorted(wanted - columns)
    if missing:
        raise DataError(f"{path} lacks the columns {', '.join(missing)}; it is not the file expected here.")


def _decode(code: NDArray[np.uint8], what: str) -> NDArray[np.uint8]:
    image = cv2.imdecode(code, cv2.IMREAD_GRAYSCALE) if len(code) else None
    if image is None:
        raise DataError(f"{what} cannot be decoded as a picture; fetch it again or remove it.")
    return np.asarray(resized(np.asarray(image, np.uint8)[np.newaxis], SIZE)[0], np.uint8)


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
