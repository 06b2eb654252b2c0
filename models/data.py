"""Readers: every source becomes the same `FaceSet` of 48 x 48 grey faces."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS
from models.errors import DataError

SIZE: Final = 48
SPLITS: Final = ("Training", "PublicTest", "PrivateTest")
VOTES: Final = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "nf",
)  # fmt: skip
"""FER+'s columns, in FER+'s order."""

_VOTE_OF: Final = {
    "angry": "anger", "disgust": "disgust", "fear": "fear", "happy": "happiness",
    "sad": "sadness", "surprise": "surprise", "neutral": "neutral",
}  # fmt: skip
_VOTE_COLUMNS: Final = [VOTES.index(_VOTE_OF[name]) for name in EXPRESSIONS]


@dataclass(frozen=True, slots=True)
class FaceSet:
    """Labelled faces of one split.

    images: uint8 (N, 48, 48), grey, 0..255.
    labels: int64 (N,), index into `EXPRESSIONS`.
    votes: float32 (N, 10), FER+ votes in the order of `VOTES`; None where the source has none.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    votes: NDArray[np.float32] | None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: slice | NDArray[np.bool_] | NDArray[np.intp]) -> "FaceSet":
        """The faces at `rows`."""
        return FaceSet(self.images[rows], self.labels[rows], None if self.votes is None else self.votes[rows])


def read_faces(path: Path) -> dict[str, FaceSet]:
    """Read whatever `path` is: one `FaceSet` per split. Raises DataError."""
    return read_fer2013plus(path)


def read_fer2013plus(path: Path) -> dict[str, FaceSet]:
    """The FER2013 + FER+ parquet: one `FaceSet` per split. Raises DataError."""
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"Cannot read {path} as parquet: {error}. Point --data at fer2013plus.parquet.") from error
    wanted = {"usage", "label", "image", *(f"votes_{name}" for name in VOTES)}
    missing = sorted(wanted - set(table.columns))
    if missing:
        raise DataError(f"{path} lacks the columns {', '.join(missing)}; expected FER2013 with FER+ votes.")
    images = np.stack([_decode(blob, path) for blob in table["image"]])
    labels = _label_indices(table["label"].astype(str).tolist(), path)
    votes = table[[f"votes_{name}" for name in VOTES]].to_numpy(np.float32)
    usage = table["usage"].astype(str).to_numpy()
    return {
        split: FaceSet(images[usage == split], labels[usage == split], votes[usage == split])
        for split in SPLITS
        if (usage == split).any()
    }


def soft_targets(
    faces: FaceSet, *, hard_weight: float = 0.6, smoothing: float = 0.05
) -> NDArray[np.float32]:
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
    return (weight * hard + (1 - weight) * votes / np.maximum(total, 1)).astype(np.float32)


def _decode(blob: bytes, source: Path) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(blob, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise DataError(f"{source} holds a picture that cannot be decoded; fetch the file again.")
    if image.shape != (SIZE, SIZE):
        image = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(image, np.uint8)


def _label_indices(names: list[str], source: Path) -> NDArray[np.int64]:
    unknown = sorted(set(names) - set(EXPRESSIONS))
    if unknown:
        raise DataError(f"{source} has the labels {', '.join(unknown)}; expected {', '.join(EXPRESSIONS)}.")
    return np.array([EXPRESSIONS.index(name) for name in names], np.int64)  # type: ignore[arg-type]
