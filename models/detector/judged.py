"""Faces of the val and test photographs as judged by eye: a truth in which no detector decides alone."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from models.detector.compose import Scene, as_scene, compose_galleries, small_photographs
from models.detector.photo import Photo
from models.detector.placing import overlaps
from models.errors import DataError

TABLE: Final = Path(__file__).with_name("judged.txt")
"""One row per face: the photograph (`Photo.digest`), left, top, right and bottom of the box in its pixels, and the
verdict, `face` or `doubtful`.

Candidates were what YuNet (score 0.1 or more; 0.3 in the photograph at twice its size), MTCNN or our own detector of
then (0.3) marked. Where all three were sure (YuNet 0.6, ours 0.5) it is a face; each of the others was looked at in a
crop that did not tell who had marked it: a face of which about half or more shows, masks included, is a face; less of
one, a blur without features, a crowd, a picture or a statue is doubtful; all else is none. Then all photographs were
looked through for faces that nobody had marked. Boxes are the median of the detectors'."""
_SIDES: Final = ("left", "top", "right", "bottom")
_VERDICTS: Final = {"face": True, "doubtful": False}
_SAME: Final = 0.5


def picture_sets(photos: Sequence[Photo], galleries: int, seed: int) -> dict[str, list[Scene]]:
    """On what detectors are compared: so many galleries composed of the photographs, and those as they are and small,
    with the faces that were judged."""
    judged = with_judged_faces(photos)
    return {
        "galleries": compose_galleries(photos, galleries, seed),
        "photographs": [as_scene(photo) for photo in judged],
        "small photographs": small_photographs(judged),
    }


def judged_share(photos: Sequence[Photo], table: Path = TABLE) -> float:
    """The share of the photographs that the table knows. Raises DataError."""
    judged = _read(table)
    return sum(photo.digest in judged for photo in photos) / max(1, len(photos))


def with_judged_faces(photos: Sequence[Photo], table: Path = TABLE) -> list[Photo]:
    """The photographs with the faces that were judged in place of those that two detectors agree on.

    Landmarks are those of the label that overlaps the face by half or more, nan where there is none. A photograph that
    the table does not know stays as it is (`judged_share`).

    Raises:
        DataError: the table cannot be read.
    """
    judged = _read(table)
    return [_judged(photo, judged[photo.digest]) if photo.digest in judged else photo for photo in photos]


def _judged(photo: Photo, rows: Sequence[tuple[tuple[float, ...], bool]]) -> Photo:
    boxes, doubtful = (
        np.array([box for box, face in rows if face is wanted], np.float32).reshape(-1, 4)
        for wanted in (True, False)
    )
    landmarks = np.full((len(boxes), 5, 2), np.nan, np.float32)
    for points, box in zip(landmarks, boxes, strict=True):
        shares = overlaps(box, photo.boxes)
        if len(shares) and shares.max() >= _SAME:
            points[:] = photo.landmarks[int(shares.argmax())]
    return replace(photo, boxes=boxes, landmarks=landmarks, doubtful=doubtful)


def _read(table: Path) -> dict[str, list[tuple[tuple[float, ...], bool]]]:
    """Per photograph its boxes and whether each is a face; the others are doubtful."""
    judged: dict[str, list[tuple[tuple[float, ...], bool]]] = {}
    try:
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                box = tuple(float(row[side]) for side in _SIDES)
                judged.setdefault(row["photo"], []).append((box, _VERDICTS[row["verdict"]]))
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise DataError(
            f"Cannot read the judged faces in {table} ({error!r}); install classpulse again."
        ) from error
    return judged
