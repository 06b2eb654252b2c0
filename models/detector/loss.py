"""What the network is taught: quality focal loss, complete boxes, landmarks in face sizes."""

from typing import Any, Final

import tensorflow as tf

_LARGEST: Final = 4.5
_BOX: Final = 2.0
_BEND: Final = 0.02
"""Landmark error in face sizes up to which the loss is quadratic."""


def detection_loss(
    cells: Any, centres: Any, strides: Any, owners: Any, boxes: Any, landmarks: Any, landmark_weight: float
) -> tuple[Any, Any, Any]:
    """Losses of the score, of the box and of the landmarks, each a scalar per positive cell.

    The score is taught the overlap that its own box reaches (Li et al. 2020, generalized focal loss with beta 2), the
    box by the generalised intersection over union (Rezatofighi et al. 2019), weighted by the same overlap, landmarks by
    a smooth L1 of their distance in units of the face's size.

    Args:
        cells: float32 (N, C, 15), see `inference.face_maps.CHANNELS`.
        centres, strides: float32 (C, 2) and (C,), of the cells, in pixels.
        owners: int32 (N, C): index of the face, -1 for none, -2 for unknown.
        boxes, landmarks: float32 (N, F, 4) and (N, F, 5, 2), in pixels.
        landmark_weight: of the third loss.
    """
    positive = owners >= 0
    safe = tf.maximum(owners, 0)
    true_box = tf.gather(boxes, safe, batch_dims=1)
    true_points = tf.gather(landmarks, safe, batch_dims=1)
    scale = strides[None, :, None]
    middle = centres[None] + cells[..., 1:3] * scale
    half = tf.exp(tf.minimum(cells[..., 3:5], _LARGEST)) * scale / 2
    overlap, generalised = box_overlap(tf.concat([middle - half, middle + half], axis=-1), true_box)
    mask = tf.cast(positive, tf.float32)
    quality = tf.stop_gradient(tf.clip_by_value(overlap, 0.0, 1.0)) * mask
    logits = cells[..., 0]
    focus = tf.square(tf.sigmoid(logits) - quality)
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(quality, logits)
    known = tf.cast(owners != -2, tf.float32)
    total = tf.maximum(tf.reduce_sum(mask), 1.0)
    score = tf.reduce_sum(focus * entropy * known) / total
    weight = (0.3 + quality) * mask
    box = _BOX * tf.reduce_sum((1 - generalised) * weight) / tf.maximum(tf.reduce_sum(weight), 1.0)
    points = centres[None, :, None] + tf.reshape(cells[..., 5:], (*cells.shape[:2], 5, 2)) * scale[..., None]
    side = tf.sqrt(tf.maximum(tf.reduce_prod(true_box[..., 2:] - true_box[..., :2], axis=-1), 1.0))
    gap = tf.abs(points - true_points) / side[..., None, None]
    smooth = tf.where(gap < _BEND, gap * gap / (2 * _BEND), gap - _BEND / 2)
    marks = (
        landmark_weight * tf.reduce_sum(tf.reduce_mean(tf.minimum(smooth, 2.0), axis=[2, 3]) * mask) / total
    )
    return score, box, marks


def box_overlap(first: Any, second: Any) -> tuple[Any, Any]:
    """Intersection over union and its generalised form of boxes (..., 4) as left, top, right, bottom."""
    shared = tf.reduce_prod(
        tf.maximum(
            tf.minimum(first[..., 2:], second[..., 2:]) - tf.maximum(first[..., :2], second[..., :2]), 0.0
        ),
        axis=-1,
    )
    union = _area(first) + _area(second) - shared
    around = tf.reduce_prod(
        tf.maximum(first[..., 2:], second[..., 2:]) - tf.minimum(first[..., :2], second[..., :2]), axis=-1
    )
    overlap = shared / tf.maximum(union, 1e-6)
    return overlap, overlap - (around - union) / tf.maximum(around, 1e-6)


def _area(box: Any) -> Any:
    return tf.reduce_prod(tf.maximum(box[..., 2:] - box[..., :2], 0.0), axis=-1)
