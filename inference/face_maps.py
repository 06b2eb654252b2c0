"""From the face network's maps to boxes, landmarks and scores; the same in training and in the product."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

STRIDES: Final = (8, 16, 32)
"""Pixels between two cells of each map, finest first."""
CHANNELS: Final = 15
"""Per cell: the logit of the score; the box's centre in strides from the cell's centre and the logarithms of its width
and height in strides; five landmarks in strides from the cell's centre."""
_LARGEST: Final = 4.5
"""Logarithm of the largest side in strides: 90 strides."""

Floats = NDArray[np.float32]


def cell_centres(height: int, width: int, stride: int) -> Floats:
    """Centres (x, y) in pixels of the cells of a map `height` x `width`, row by row, float32 (height * width, 2)."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.asarray((np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) * stride, np.float32)


def decode(maps: Sequence[NDArray[np.float32]], threshold: float) -> tuple[Floats, Floats, Floats]:
    """Every cell that sees a face with a score of `threshold` or more.

    Args:
        maps: per stride of `STRIDES` float32 (h, w, 15).
        threshold: 0..1, exclusive.

    Returns:
        Boxes (N, 4) as left, top, right, bottom, landmarks (N, 5, 2), both in pixels of the network's input, and scores
        (N,) in 0..1. One face gives several rows; see `suppress`.
    """
    least = float(np.log(threshold / (1 - threshold)))
    boxes, points, scores = [], [], []
    for level, stride in zip(maps, STRIDES, strict=True):
        rows, columns = np.nonzero(level[..., 0] >= least)
        cells = level[rows, columns]
        centres = (np.stack([columns, rows], axis=1) + 0.5) * stride
        middle = centres + cells[:, 1:3] * stride
        half = np.exp(np.minimum(cells[:, 3:5], _LARGEST)) * (stride / 2)
        boxes.append(np.concatenate([middle - half, middle + half], axis=1))
        points.append(centres[:, np.newaxis] + cells[:, 5:].reshape(-1, 5, 2) * stride)
        scores.append(1 / (1 + np.exp(-cells[:, 0])))
    return (
        np.concatenate(boxes).astype(np.float32),
        np.concatenate(points).astype(np.float32),
        np.concatenate(scores).astype(np.float32),
    )


def suppress(boxes: Floats, scores: Floats, overlap: float, inside: float = 0.8) -> NDArray[np.intp]:
    """Greedy non-maximum suppression: indices of the boxes kept, best first.

    Args:
        boxes: (N, 4) as left, top, right, bottom.
        scores: (N,).
        overlap: intersection over union above which the lower of two is dropped.
        inside: intersection over the smaller area above which it is dropped too: a mouth in a face is no face.
    """
    order = np.argsort(-scores, kind="stable")
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        union = areas[best] + areas[rest] - shared
        order = rest[(shared <= overlap * union) & (shared <= inside * np.minimum(areas[best], areas[rest]))]
    return np.array(kept, np.intp)
