"""Shared data of drawn heads, whose labels are known: networks that look at one face are trained on them in tests."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from inference.pose import HEAD
from models.detector.photo import Photo
from models.detector.train import LABELS

POINTS = (HEAD[:, :2] + (80, 85)).astype(np.float32)
"""A mean head that looks ahead, a millimetre a pixel."""
BOX = (25, 10, 135, 160)


def head() -> np.ndarray:
    """A bright oval with dark eyes, a nose and a mouth on a grey ground."""
    picture = np.full((170, 160, 3), 110, np.uint8)
    cv2.ellipse(picture, (80, 85), (55, 75), 0, 0, 360, (230, 190, 160), -1)
    for x, y in POINTS[:2]:
        cv2.circle(picture, (round(float(x)), round(float(y))), 7, (20, 20, 20), -1)
    cv2.circle(picture, (80, 85), 5, (180, 90, 90), -1)
    cv2.line(picture, (56, 117), (104, 117), (150, 30, 40), 6)
    return picture


def photo(split: str = "train") -> Photo:
    return Photo(
        head(),
        np.array([BOX], np.float32),
        POINTS[np.newaxis],
        np.zeros((0, 4), np.float32),
        split,
        "portraits",
    )


def write_data(data: Path, out: Path) -> None:
    """Photographs of drawn heads, four per split and file, into `data`, and their labels into the run `out`."""
    faces = data / "faces"
    faces.mkdir(parents=True)
    rows = []
    for number, split in enumerate(("train", "val", "test")):
        picture = head()
        picture[0, 0] = number  # a photograph that stands in two splits is left out of one
        rows += [(cv2.imencode(".png", picture)[1].tobytes(), split)] * 4
    for name in ("portraits", "masks"):
        table = pa.table({"image": [row[0] for row in rows], "split": [row[1] for row in rows]})
        pq.write_table(table, faces / f"{name}.parquet")
    out.mkdir()
    label = [*BOX, *POINTS.ravel().tolist()]
    np.savez(
        out / LABELS,
        made_with=np.array([0.5, 0.2]),
        sure=np.array([[number, *label] for number in range(2 * len(rows))], np.float32),
        doubtful=np.zeros((0, 5), np.float32),
        photos=np.array(2 * len(rows)),
    )
