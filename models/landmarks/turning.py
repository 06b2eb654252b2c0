"""Photographs of heads turned and nodded by known angles.

Photographs show few raised or lowered heads, and neither teacher reads them well (models/DETECTOR_CARD.md, the degrees
read per degree of pitch). So a generic head is laid over the photograph (the pose is that of its landmarks), turned,
and the picture drawn along. What the photograph does not show stays hidden, so the angles are moderate. The head is a
bowl with a nose, in the axes and millimetres of `inference.pose.HEAD`.
"""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.pose import fit_head
from models.detector.photo import Photo

Floats = NDArray[np.float64]

_PIVOT: Final = np.array([0.0, 5.0, 95.0])
"""About which the head turns: the middle of the skull, behind the nose tip."""
_HEAD: Final = (85.0, 115.0, -15.0)
"""Half width and half height of what moves as one, and its middle, in millimetres."""
_FADE: Final = 1.9
"""In units of these the distance from which on nothing moves."""
_STEP: Final = 3
"""Pixels between the points at which the displacement is computed."""
_INVERSIONS: Final = 8


def turn_head(photo: Photo, chosen: int, yaw: float, pitch: float) -> Photo:
    """The photograph with one head turned.

    Args:
        photo: at least `chosen` + 1 faces.
        chosen: which face.
        yaw: degrees to the right of the picture.
        pitch: degrees up.

    Returns:
        Picture and landmarks moved alike; boxes moved by the mean of their landmarks' displacement. The photograph as
        it is where the landmarks tell no pose.
    """
    field = displacement(photo.picture.shape[:2], photo.landmarks[chosen], yaw, pitch)
    if field is None:
        return photo
    height, width = photo.picture.shape[:2]
    here = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    source = here
    for _ in range(_INVERSIONS):
        source = here - _sampled(field, source)
    picture = cv2.remap(
        photo.picture, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    moved = _sampled(field, photo.landmarks)
    shifts = np.tile(moved.mean(axis=1), 2)
    return replace(
        photo,
        picture=np.asarray(picture, np.uint8),
        boxes=(photo.boxes + shifts).astype(np.float32),
        landmarks=photo.landmarks + moved,
    )


def displacement(
    shape: tuple[int, ...], landmarks: NDArray[np.float32], yaw: float, pitch: float
) -> NDArray[np.float32] | None:
    """By how many pixels each point of a picture (H, W) moves, float32 (H, W, 2), when the head with these landmarks
    float32 (5, 2) turns by so many degrees; None where they tell no pose."""
    fitted = fit_head(landmarks)
    if fitted is None:
        return None
    before, scale = fitted
    height, width = shape
    at = np.meshgrid(np.arange(0, width, _STEP), np.arange(0, height, _STEP))
    flat = (np.stack(at, axis=-1) - landmarks[2].astype(np.float64)) / scale
    head = _on_the_head(flat, before)
    after = _turn(yaw, pitch) @ before
    moved = (head - _PIVOT) @ after.T[:, :2] + _PIVOT @ before.T[:, :2]
    half_width, half_height, middle = _HEAD
    away = np.hypot(flat[..., 0] / half_width, (flat[..., 1] - middle) / half_height)
    weight = np.clip((_FADE - away) / (_FADE - 1.1), 0, 1)
    weight = weight**2 * (3 - 2 * weight)
    field = ((moved - flat) * scale * weight[..., np.newaxis]).astype(np.float32)
    # nodes lie at multiples of the step, so the last one may lie short of the last pixel
    columns, rows = (np.arange(side, dtype=np.float32) / _STEP for side in (width, height))
    across, down = np.meshgrid(columns, rows)
    full = cv2.remap(field, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(full, (0, 0), max(0.8, 1.5 * scale)), np.float32)


def _on_the_head(flat: Floats, rotation: Floats) -> Floats:
    """Where the lines of sight through points (..., 2), millimetres from the nose in the picture, meet the head."""
    depth = np.full(flat.shape[:-1], 30.0)
    step = 0.9 * max(float(rotation[2, 2]), 0.5)
    for _ in range(6):
        head = np.concatenate([flat, depth[..., np.newaxis]], axis=-1) @ rotation
        depth = depth + (_depth(head[..., 0], head[..., 1]) - head[..., 2]) * step
    return np.asarray(np.concatenate([flat, depth[..., np.newaxis]], axis=-1) @ rotation)


def _depth(x: Floats, y: Floats) -> Floats:
    """Depth of the head's surface behind the nose tip, x to the right of the picture and y down from it."""
    bowl = 29 + 0.0085 * x**2 + 0.0014 * np.maximum(y - 25, 0) ** 2
    along = np.clip(np.minimum((y + 44) / 36, (16 - y) / 12), 0, 1)
    nose = 29 * along * np.exp(-((x / (8 + 5 * along)) ** 2))
    return np.asarray(np.minimum(bowl - nose, 110))


def _turn(yaw: float, pitch: float) -> Floats:
    """In the axes of the picture: x to the right, y down, z away from the viewer."""
    y, p = np.radians([yaw, pitch])
    turned = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    nodded = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    return np.asarray(turned @ nodded)


def _sampled(field: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """The field (H, W, 2) at points (A, B, 2)."""
    return np.asarray(
        cv2.remap(field, points[..., 0], points[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )
