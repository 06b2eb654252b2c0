"""Which cell of which map answers for which face."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.face_maps import STRIDES, cell_centres
from models.detector.compose import Scene

RANGES: Final = ((0.0, 40.0), (28.0, 90.0), (62.0, 1e9))
"""Face sizes in pixels (root of the box's area) that each map answers for; between two maps both may."""
_EASE: Final = 1.35
"""A size beyond a map's range by less than this factor is neither right nor wrong there."""
_RADIUS: Final = 1.5
"""Cells within so many strides of the box's centre answer, as far as they lie in the inner part of the box."""
_INNER: Final = 0.3
BACKGROUND: Final = -1
IGNORED: Final = -2


def cell_count(size: int) -> int:
    """Cells of all maps of a picture `size` x `size`, a multiple of the largest stride."""
    return sum((size // stride) ** 2 for stride in STRIDES)


def assign(scene: Scene, size: int) -> NDArray[np.int16]:
    """Per cell, the maps one after the other and row by row: the index of its face, `BACKGROUND` or `IGNORED`.

    A cell answers for a face of its map's size whose centre is near; where two are, for the smaller one. Cells near the
    centre of a face of slightly another size, and all in a doubtful box, are ignored.
    """
    owners = []
    sizes = np.sqrt(np.prod(scene.boxes[:, 2:] - scene.boxes[:, :2], axis=1))
    order = np.argsort(-sizes, kind="stable")
    for stride, (low, high) in zip(STRIDES, RANGES, strict=True):
        cells = cell_centres(size // stride, size // stride, stride)
        owner = np.full(len(cells), BACKGROUND, np.int16)
        for left, top, right, bottom in scene.doubtful:
            inside = (cells >= (left, top)).all(axis=1) & (cells <= (right, bottom)).all(axis=1)
            owner[inside] = IGNORED
        for index in order:
            box = scene.boxes[index]
            if not low / _EASE <= sizes[index] <= high * _EASE:
                continue
            centre = (box[:2] + box[2:]) / 2
            away = np.abs(cells - centre)
            reach = np.minimum(_RADIUS * stride, _INNER * (box[2:] - box[:2]))
            near = (away <= np.maximum(reach, stride * 0.5)).all(axis=1)
            if low <= sizes[index] <= high:
                owner[near] = index
            else:
                owner[near & (owner == BACKGROUND)] = IGNORED
        owners.append(owner)
    return np.concatenate(owners)
