"""First step: 478 landmarks per face, and for portraits a mask of the person, by MediaPipe.

Runs by its path in an environment of its own and imports nothing of this project; see the package's docstring.
"""

import importlib
import pickle
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

VOTES = {"angry": "anger", "happy": "happiness", "sad": "sadness"}
PER_CLASS = 700


def select_fer(table: Any) -> list[int]:
    """Rows of FER2013's training split on which most FER+ voters agree with the label, at most 700 per class."""
    columns = sorted(column for column in table.columns if column.startswith("votes_"))
    votes = table[columns].to_numpy()
    rows: list[int] = []
    for kind in ("angry", "happy", "sad", "disgust", "fear", "surprise", "neutral"):
        share = votes[:, columns.index("votes_" + VOTES.get(kind, kind))] / votes.sum(axis=1)
        own = np.flatnonzero((table["label"] == kind) & (table["usage"] == "Training"))
        rows += [int(row) for row in own[np.argsort(-share[own], kind="stable")][:PER_CLASS]]
    return rows


def find(pictures: Any, rows: Any, enlarged: int, border: int, *, masks: bool) -> tuple[Any, Any]:
    """Landmarks float32 (478, 3) in pixels of the picture and PNG masks, both by row."""
    solutions: Any = importlib.import_module("mediapipe").solutions
    mesh = solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.3
    )
    outline = solutions.selfie_segmentation.SelfieSegmentation(model_selection=0) if masks else None
    landmarks, cut = {}, {}
    for row in rows:
        picture: Any = cv2.imdecode(np.frombuffer(pictures[row], np.uint8), cv2.IMREAD_COLOR)
        picture = picture[:, :, ::-1]
        height, width = picture.shape[:2]
        large = cv2.resize(picture, (enlarged, enlarged), interpolation=cv2.INTER_CUBIC)
        if border:
            large = cv2.copyMakeBorder(large, border, border, border, border, cv2.BORDER_REPLICATE)
        found = mesh.process(np.ascontiguousarray(large)).multi_face_landmarks
        if not found:
            continue
        points = np.array([(p.x, p.y, p.z) for p in found[0].landmark], np.float32) * large.shape[0]
        points[:, :2] -= border
        landmarks[row] = points * (width / enlarged)
        if outline is not None:
            share = outline.process(np.ascontiguousarray(large)).segmentation_mask
            mask = (cv2.resize(share, (width, height)) * 255).astype(np.uint8)
            cut[row] = cv2.imencode(".png", mask)[1].tobytes()
    return landmarks, cut


def main(data: Path, work: Path) -> None:
    """Write WORK/lfw.pkl, fer.pkl and ck.pkl."""
    work.mkdir(parents=True, exist_ok=True)
    for name, file, enlarged, border in (
        ("lfw", "faces/portraits.parquet", 500, 0),
        ("fer", "fer2013/fer2013plus.parquet", 256, 56),
        ("ck", "ckplus/ck48.parquet", 256, 56),
    ):
        table = pd.read_parquet(data / file)
        rows = select_fer(table) if name == "fer" else range(len(table))
        found = find(table["image"].tolist(), rows, enlarged, border, masks=name == "lfw")
        with (work / f"{name}.pkl").open("wb") as out:
            pickle.dump(found, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
