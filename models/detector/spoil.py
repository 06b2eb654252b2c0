"""What light, camera and network do to a tile of a video call."""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def spoil(picture: Picture, rng: np.random.Generator) -> Picture:
    """A copy of uint8 (H, W, 3) RGB with some of: gamma, dark, cast, grey, blur, fewer pixels, noise, JPEG blocks."""
    result = _tone(picture, rng) if rng.random() < 0.8 else picture.copy()
    height, width = result.shape[:2]
    if rng.random() < 0.25:
        result = np.asarray(
            cv2.GaussianBlur(result, (0, 0), rng.uniform(0.4, max(0.5, height / 90))), np.uint8
        )
    if rng.random() < 0.3:
        share = rng.uniform(0.4, 0.9)
        small = cv2.resize(
            result, (max(8, int(width * share)), max(8, int(height * share))), interpolation=cv2.INTER_AREA
        )
        way = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_NEAREST
        result = np.asarray(cv2.resize(small, (width, height), interpolation=way), np.uint8)
    if rng.random() < 0.25:
        noise = rng.standard_normal(result.shape, np.float32) * np.float32(rng.uniform(2, 14))
        result = np.clip(result + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(18, 85))]
        result = np.asarray(
            cv2.imdecode(cv2.imencode(".jpg", result, quality)[1], cv2.IMREAD_COLOR), np.uint8
        )
    return result


def _tone(picture: Picture, rng: np.random.Generator) -> Picture:
    """Brightness, contrast, gamma and colour through one table per channel."""
    levels = np.linspace(0, 1, 256)
    gamma = float(np.exp(rng.normal(0, 0.35)))
    gain, lift = rng.uniform(0.7, 1.25), rng.uniform(-0.08, 0.1)
    if rng.random() < 0.15:
        gain = rng.uniform(0.12, 0.5)  # a dark room
    cast = 1 + rng.normal(0, 0.1, 3) * (rng.random() < 0.6)
    table = np.clip((levels[:, None] ** gamma * gain + lift) * cast, 0, 1)
    result = np.asarray(cv2.LUT(picture, (table * 255).astype(np.uint8)[None]), np.uint8)
    if rng.random() < 0.15:
        grey = cv2.cvtColor(result, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
        share = rng.uniform(0.5, 1)
        result = (share * grey + (1 - share) * result).astype(np.uint8)
    return result
