"""What a video call and a restless student do to a face, applied to training pictures."""

from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def degrade(images: NDArray[np.uint8], share: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A copy of grey faces uint8 (N, H, W) in which `share` of them went through a small, lossy video tile.

    Each chosen face is shrunk to 18..44 px, half of the time blurred, JPEG-coded at quality 25..85 and
    enlarged again.
    """
    out = images.copy()
    height, width = images.shape[1:]
    for index in np.flatnonzero(rng.random(len(images)) < share):
        side = int(rng.integers(18, 45))
        face = cv2.resize(images[index], (side, side), interpolation=cv2.INTER_AREA)
        if rng.random() < 0.5:
            face = cv2.GaussianBlur(face, (0, 0), float(rng.uniform(0.3, 0.9)))
        _, code = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 86))])
        face = cv2.imdecode(code, cv2.IMREAD_GRAYSCALE)
        interpolation = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
        out[index] = cv2.resize(face, (width, height), interpolation=interpolation)
    return out


def view(images: Any, seed: Any, size: int, cover: float, erased: float) -> Any:
    """Random views, float32 (N, size, size, 1) in 0..255, of grey faces uint8 (N, H, W).

    One affine transform per face (flip, +/-15 degrees, scale 0.87..1.18, stretch 6 %, shift 8 %), then
    contrast, brightness, noise and, on a share `erased` of the faces, a blanked rectangle. `cover` is the side
    in pixels of the source square that the view shows; `seed` int32 (2,) fixes everything.
    """
    n = tf.shape(images)[0]
    height = float(images.shape[1])

    def draw(salt: int, low: float, high: float, shape: tuple[int, ...] = ()) -> Any:
        return tf.random.stateless_uniform([n, *shape], seed + tf.constant([0, salt]), low, high)

    angle = draw(1, -15.0, 15.0) * (np.pi / 180)
    zoom = tf.exp(draw(2, float(np.log(0.85)), float(np.log(1.15))))
    stretch = tf.exp(draw(3, -0.06, 0.06))
    flip = tf.where(draw(4, 0.0, 1.0) < 0.5, -1.0, 1.0)
    shift_x, shift_y = draw(5, -0.08, 0.08) * height, draw(6, -0.08, 0.08) * height
    step = zoom * (cover / size)  # source pixels per output pixel
    cos, sin = tf.cos(angle) * step, tf.sin(angle) * step
    a, b, d, e = flip * cos * stretch, -sin / stretch, flip * sin * stretch, cos / stretch
    middle_in, middle_out = (height - 1) / 2, (size - 1) / 2
    c = middle_in + shift_x - (a + b) * middle_out
    f = middle_in + shift_y - (d + e) * middle_out
    zero = tf.zeros_like(a)
    x = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32)[..., tf.newaxis],
        transforms=tf.stack([a, b, c, d, e, f, zero, zero], axis=1),
        output_shape=tf.constant([size, size]),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
    mean = tf.reduce_mean(x, axis=(1, 2, 3), keepdims=True)
    contrast = tf.exp(draw(7, -0.35, 0.35, (1, 1, 1)))
    x = (x - mean) * contrast + mean + draw(8, -35.0, 35.0, (1, 1, 1))
    noise = tf.random.stateless_normal(tf.shape(x), seed + tf.constant([0, 9])) * draw(
        10, 0.0, 4.0, (1, 1, 1)
    )
    x = tf.clip_by_value(x + noise, 0.0, 255.0)

    # An erased rectangle of up to 40 % of the side, filled with the face's mean.
    grid = (tf.range(size, dtype=tf.float32) + 0.5) / size
    centre_x, centre_y = draw(11, 0.1, 0.9, (1, 1)), draw(12, 0.1, 0.9, (1, 1))
    half_x, half_y = draw(13, 0.06, 0.2, (1, 1)), draw(14, 0.06, 0.2, (1, 1))
    erase = draw(15, 0.0, 1.0, (1, 1)) < erased
    inside = (
        (tf.abs(grid[tf.newaxis, tf.newaxis, :] - centre_x) < half_x)
        & (tf.abs(grid[tf.newaxis, :, tf.newaxis] - centre_y) < half_y)
        & erase
    )
    return tf.where(inside[..., tf.newaxis], mean, x)
