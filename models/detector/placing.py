"""Where faces lie once their photograph was mirrored, scaled, tilted or cut off, and how much of them still shows."""

import math
from dataclasses import replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detector.photo import Photo

Floats = NDArray[np.float32]

MIRRORED: Final = (1, 0, 2, 4, 3)
"""The landmarks' order in a mirror image."""


def mirrored(photo: Photo) -> Photo:
    """The photograph's mirror image: the person's right eye is still on the left in the picture."""
    width = photo.picture.shape[1]
    points = photo.landmarks[:, list(MIRRORED)].copy()
    points[..., 0] = width - points[..., 0]
    boxes, doubtful = photo.boxes.copy(), photo.doubtful.copy()
    boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    doubtful[:, [0, 2]] = width - doubtful[:, [2, 0]]
    return replace(
        photo,
        picture=np.ascontiguousarray(photo.picture[:, ::-1]),
        boxes=boxes,
        landmarks=points,
        doubtful=doubtful,
    )


def resized(photo: Photo, scale: float) -> Photo:
    """The photograph and its truth at another scale."""
    height, width = photo.picture.shape[:2]
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    ratio = np.array([size[0] / width, size[1] / height], np.float32)
    return replace(
        photo,
        picture=np.asarray(cv2.resize(photo.picture, size, interpolation=way), np.uint8),
        boxes=photo.boxes * np.tile(ratio, 2),
        landmarks=photo.landmarks * ratio,
        doubtful=photo.doubtful * np.tile(ratio, 2),
    )


def moved_faces(photo: Photo, there: Floats, tilt: float) -> tuple[Floats, Floats]:
    """Boxes and landmarks after the transform (2, 3): the box is that of the tilted ellipse in the old box."""
    centres = (photo.boxes[:, :2] + photo.boxes[:, 2:]) / 2 @ there[:, :2].T + there[:, 2]
    across = np.linalg.norm(there[:, 0]) * (photo.boxes[:, 2] - photo.boxes[:, 0]) / 2
    down = np.linalg.norm(there[:, 1]) * (photo.boxes[:, 3] - photo.boxes[:, 1]) / 2
    cos, sin = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
    half = np.stack([np.hypot(across * cos, down * sin), np.hypot(across * sin, down * cos)], axis=1)
    boxes = np.concatenate([centres - half, centres + half], axis=1)
    points = photo.landmarks @ there[:, :2].T + there[:, 2]
    return boxes.astype(np.float32), points.astype(np.float32)


def from_middles(there: NDArray[Any]) -> Floats:
    """A transform (2, 3) of points, which count from the picture's corner, as cv2.warpAffine wants it: it counts from
    the middle of the first pixel."""
    counted = there.astype(np.float32)
    counted[:, 2] += (counted[:, :2].sum(axis=1) - 1) / 2
    return counted


def upright_box(tilted: Floats, before: Floats, scale: float) -> Floats:
    """The upright box around the centre of the tilted one."""
    centre = (tilted[:2] + tilted[2:]) / 2
    half = (before[2:] - before[:2]) * scale / 2
    return np.concatenate([centre - half, centre + half]).astype(np.float32)


def transformed_boxes(boxes: Floats, there: Floats) -> Floats:
    """Boxes around the transformed corners."""
    if not len(boxes):
        return boxes
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2) @ there[:, :2].T + there[:, 2]
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).astype(np.float32)


def shown_shares(boxes: Floats, weight: Floats) -> Floats:
    """Which share of each box lies in the picture and is covered by `weight` (H, W) 0..1."""
    shares = np.zeros(len(boxes), np.float32)
    height, width = weight.shape
    for number, box in enumerate(boxes):
        area = max(1.0, float(np.prod(box[2:] - box[:2])))
        inside = np.clip(box, 0, (width, height, width, height))
        shares[number] = mean_over(weight, box) * float(np.prod(inside[2:] - inside[:2])) / area
    return shares


def mean_over(weight: Floats, box: Floats) -> float:
    """Mean of `weight` (H, W) over the part of a box that lies in it; 0 where none does."""
    left, top, right, bottom = np.rint(box).astype(int)
    part = weight[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    return float(part.mean()) if part.size else 0.0


def overlaps(box: Floats, others: Floats) -> Floats:
    """Intersection over union of a box (4,) with each of others (N, 4)."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    return np.asarray(shared / np.maximum(areas + np.prod(box[2:] - box[:2]) - shared, 1e-6), np.float32)


def clipped_boxes(boxes: Floats, width: int, height: int) -> Floats:
    """Boxes (N, 4) as far as they lie in a picture of this size."""
    return np.clip(boxes, 0, (width, height, width, height)).astype(np.float32).reshape(-1, 4)
