"""Faces in photographs as two strong detectors see them: the truth from which galleries are composed."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from engagement.records import Face
from inference.errors import DetectorError
from inference.faces import FaceDetector, YuNetDetector
from inference.mtcnn_detector import MtcnnDetector
from models.detector.photo import Photo
from models.detector.placing import MIRRORED, from_middles, overlaps
from models.errors import DataError

log = logging.getLogger(__name__)

FILES: Final = ("portraits", "masks")
SPLITS: Final = ("train", "val", "test")
SURE: Final = 0.5
"""YuNet's score from which a face may be a label. From 0.8 on hardly one is left that the picture's edge cuts off or
another hides in part. Of the 989 labels of the val split 937 were judged to be faces by eye (`models.detector.judged`),
47 to be half a face, a blur or a picture of one, and 5 to be none."""
_DOUBTFUL: Final = 0.2
_MADE_WITH: Final = (SURE, _DOUBTFUL)
_SAME: Final = 0.45
"""Intersection over union from which two detections are the same face."""
_NEAR: Final = 0.06
"""Two sets of landmarks that differ by less, in face heights, are averaged."""
_WINDOW: Final = 96
"""Pixels to which a face and its surroundings, twice its size, are brought for the second detector."""
_SMALLEST: Final = 16
"""Face height in pixels under which a photograph is no witness."""


def label_photos(
    data: Path, cache: Path, *, on_photo: Callable[[int, int], None] | None = None
) -> dict[str, list[Photo]]:
    """Every photograph of `data`/faces by split, labelled by two detectors.

    One that stands in two splits, byte for byte, is left out of the later of train, val, test.

    A face is sure where YuNet gives it `SURE` or more and MTCNN finds it too, or (a face under a mask, which MTCNN does
    not know) where YuNet gives as much to its mirror image; what else YuNet suspects is doubtful. The box is YuNet's.
    The landmarks are YuNet's, averaged with those of the mirror image and those of
    MTCNN (of picture and mirror image), each where they differ by less than 0.06 of the face's height.

    Args:
        data: the shared data, with faces/*.parquet and reference/yunet_2026may.onnx.
        cache: an .npz file that keeps the labels; written if absent.
        on_photo: hears the photographs done and their total.

    Raises:
        DataError: a file is absent or lacks a column, or MTCNN is not installed.
        inference.errors.DetectorError: YuNet cannot be loaded.
    """
    rows = [(name, row) for name in FILES for row in _read(data / "faces" / f"{name}.parquet")]
    if not cache.exists():
        teachers = load_teachers(data)
        sure, doubtful = [], []
        for number, (_, row) in enumerate(rows):
            found, suspected = label_picture(_decode(row["image"]), *teachers)
            sure += [(number, *face) for face in found]
            doubtful += [(number, *box) for box in suspected]
            if on_photo is not None:
                on_photo(number + 1, len(rows))
        cache.parent.mkdir(parents=True, exist_ok=True)
        temporary = cache.with_name(f"new.{cache.name}")  # savez appends .npz to other names
        np.savez(
            temporary,
            made_with=np.array(_MADE_WITH),
            sure=np.array(sure, np.float32).reshape(-1, 15),
            doubtful=np.array(doubtful, np.float32).reshape(-1, 5),
            photos=np.array(len(rows)),
        )
        temporary.replace(cache)
    try:
        with cache.open("rb") as file, np.load(file) as kept:
            labelled, sure_rows, doubtful_rows = int(kept["photos"]), kept["sure"], kept["doubtful"]
            made_with = tuple(kept["made_with"].tolist())
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DataError(f"{cache} holds no labels of faces ({error}); remove it, or give another.") from error
    if made_with != _MADE_WITH:
        raise DataError(f"{cache} was labelled by other scores than {_MADE_WITH}; remove it.")
    if labelled != len(rows):
        raise DataError(f"{cache} was made from other photographs than {data} holds; remove it.")
    photos: dict[str, list[Photo]] = {split: [] for split in SPLITS}
    for number, (name, row) in enumerate(rows):
        mine = sure_rows[sure_rows[:, 0] == number, 1:]
        photo = Photo(
            _decode(row["image"]),
            mine[:, :4],
            mine[:, 4:].reshape(-1, 5, 2),
            doubtful_rows[doubtful_rows[:, 0] == number, 1:],
            row["split"],
            name,
            hashlib.sha256(row["image"]).hexdigest()[:16],
        )
        photos[row["split"]].append(photo)
    known: set[str] = set()
    for split in SPLITS:
        photos[split] = [photo for photo in photos[split] if photo.digest not in known]
        known |= {photo.digest for photo in photos[split]}
    return photos


def load_teachers(data: Path) -> tuple[FaceDetector, FaceDetector]:
    """YuNet and MTCNN, as they label. Raises DataError and `inference.errors.DetectorError`, see `load_yunet`."""
    return (
        load_yunet(data, threshold=_DOUBTFUL),
        load_mtcnn(min_face=_WINDOW // 3, thresholds=(0.6, 0.7, 0.7), threads=1),
    )


def load_yunet(data: Path, threshold: float = 0.7) -> YuNetDetector:
    """YuNet of the shared data. Raises DataError where it is absent, `inference.errors.DetectorError` where OpenCV
    cannot load it."""
    weights = data / "reference" / "yunet_2026may.onnx"
    if not weights.is_file():
        raise DataError(
            f"There is no {weights}. Give --data, or set CLASSPULSE_DATA to the folder that holds faces/, galleries/ "
            "and reference/."
        )
    return YuNetDetector(weights, threshold=threshold)


def load_mtcnn(**options: Any) -> MtcnnDetector:
    """MTCNN with the options of `MtcnnDetector`. Raises DataError where its package is not installed."""
    try:
        return MtcnnDetector(**options)
    except DetectorError as error:
        raise DataError(
            "Faces are labelled and compared by MTCNN, which is not installed: "
            "`pip install -r requirements/mtcnn.txt` (the extra `mtcnn`)."
        ) from error


def label_picture(
    picture: NDArray[np.uint8], yunet: FaceDetector, mtcnn: FaceDetector
) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Of uint8 (H, W, 3) RGB: rows of the sure faces, box and landmarks (14,), and the doubtful boxes (4,)."""
    first = yunet.detect(picture)
    width = picture.shape[1]
    mirrored = yunet.detect(np.ascontiguousarray(picture[:, ::-1]))
    turned_back = [_mirror(other, width) for other in mirrored if other.score >= SURE]
    larger = yunet.detect(cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR))
    sure, doubtful = [], []
    for face in first:
        box = _corners(face)
        if face.score < SURE or face.box.height < _SMALLEST:
            doubtful.append(box)
            continue
        points = _seen_by(mtcnn, picture, face)
        again = next((other for other in turned_back if _matches(box, [_corners(other)])), None)
        if points is None and again is None:
            doubtful.append(box)
            continue
        own = face.landmarks.astype(np.float64)
        if again is not None and _near(again.landmarks, own, face):
            own = (own + again.landmarks) / 2
        if points is not None and _near(points, own, face):
            own = (own + points) / 2
        sure.append(np.concatenate([box, own.ravel()]).astype(np.float32))
    known = [row[:4] for row in sure] + doubtful
    doubtful += [
        box for box in (_corners(face) * np.float32(0.5) for face in larger) if not _matches(box, known)
    ]
    return sure, doubtful


def _seen_by(mtcnn: FaceDetector, picture: NDArray[np.uint8], face: Face) -> NDArray[np.float32] | None:
    """The second detector's landmarks of the face, None where it does not see it."""
    side = max(face.box.width, face.box.height) * 2
    x, y = face.box.centre
    corner = np.array([x - side / 2, y - side / 2], np.float32)
    scale = side / _WINDOW
    there = np.array([[1 / scale, 0, -corner[0] / scale], [0, 1 / scale, -corner[1] / scale]], np.float32)
    way = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    window = cv2.warpAffine(picture, from_middles(there), (_WINDOW, _WINDOW), flags=way)
    straight = mtcnn.detect(np.asarray(window, np.uint8))
    turned = mtcnn.detect(np.ascontiguousarray(window[:, ::-1]))
    looks = []
    for others in (straight, [_mirror(other, _WINDOW) for other in turned]):
        for other in others:
            if _matches(_corners(face), [_corners(other) * scale + np.tile(corner, 2)]):
                looks.append(other.landmarks * scale + corner)
                break
    return np.asarray(np.mean(looks, axis=0), np.float32) if looks else None


def _corners(face: Face) -> NDArray[np.float32]:
    box = face.box
    return np.array([box.left, box.top, box.right, box.bottom], np.float32)


def _mirror(face: Face, width: int) -> Face:
    """A face of a picture so wide as it stands in the picture's mirror image."""
    landmarks = face.landmarks[list(MIRRORED)]
    landmarks[:, 0] = width - landmarks[:, 0]
    return replace(face, box=replace(face.box, left=width - face.box.right), landmarks=landmarks)


def _near(one: NDArray[np.floating[Any]], other: NDArray[np.floating[Any]], face: Face) -> bool:
    """Whether two sets of landmarks of the face may be averaged."""
    return bool(np.linalg.norm(one - other, axis=1).max() <= _NEAR * face.box.height)


def _matches(box: NDArray[np.float32], others: Sequence[NDArray[np.float32]]) -> bool:
    """Whether one of the others is the same face."""
    return bool(len(others) and overlaps(box, np.stack(others)).max() >= _SAME)


def _read(path: Path) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=["image", "split"])
    except (OSError, KeyError, pa.ArrowException) as error:
        raise DataError(f"Cannot read {path} ({error}); give the folder that holds faces/.") from error
    rows: list[dict[str, Any]] = table.to_pylist()
    if strange := {row["split"] for row in rows} - set(SPLITS):
        raise DataError(f"{path} has the splits {sorted(strange)}; expected {', '.join(SPLITS)}.")
    return rows


def _decode(raw: bytes) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise DataError("A photograph cannot be decoded; the file is damaged.")
    return np.asarray(picture, np.uint8)
