"""What a video call and a restless student do to a face, applied to training pictures. No backend takes part."""

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.expression import standardised


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


def view(
    images: NDArray[np.uint8],
    rng: np.random.Generator,
    size: int,
    cover: float,
    erased: float,
    *,
    strength: float = 1.0,
    standardise: bool = False,
) -> NDArray[np.float32]:
    """Random views, float32 (N, size, size, 1) in 0..255, of grey faces uint8 (N, H, H).

    One affine transform per face (flip, +/-15 degrees, scale 0.87..1.18, stretch 6 %, shift 8 %, each but the flip
    times `strength`), then contrast, brightness, noise and, on a share `erased` of the faces, a blanked rectangle.
    With `standardise` the faces are as `inference.expression.standardised` makes them, which leaves contrast and
    brightness nothing to do. `cover` is the side in pixels of the source square that the view shows; `rng` fixes
    everything.
    """
    n, height = images.shape[:2]
    x = np.empty((n, size, size), np.float32)
    for index, matrix in enumerate(_transforms(n, height, rng, size, cover, strength)):
        x[index] = cv2.warpAffine(
            images[index],
            matrix,
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )

    def draw(low: float, high: float) -> NDArray[np.float32]:
        return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)

    mean = x.mean(axis=(1, 2), keepdims=True)
    contrast, brightness, noise = np.exp(draw(-0.35, 0.35)), draw(-35.0, 35.0), draw(0.0, 4.0)
    if not standardise:
        x -= mean
        x *= contrast
        x += mean + brightness
    grain = rng.standard_normal(x.shape, np.float32)
    grain *= noise
    x += grain
    if standardise:
        x, mean = standardised(x), np.full_like(mean, 128.0)
    else:
        np.clip(x, 0.0, 255.0, out=x)

    # An erased rectangle of up to 40 % of the side, filled with the face's mean.
    grid = (np.arange(size, dtype=np.float32) + 0.5) / size
    centre_x, centre_y, half_x, half_y = (
        draw(0.1, 0.9), draw(0.1, 0.9), draw(0.06, 0.2), draw(0.06, 0.2)
    )  # fmt: skip
    inside = (np.abs(grid[np.newaxis, np.newaxis, :] - centre_x) < half_x) & (
        np.abs(grid[np.newaxis, :, np.newaxis] - centre_y) < half_y
    )
    inside &= draw(0.0, 1.0) < erased
    return np.asarray(np.where(inside, mean, x)[..., np.newaxis], np.float32)


def mix(
    views: NDArray[np.float32], share: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.float32]]:
    """Views float32 (N, S, S, 1) of which `share` have another one of them mixed in (Zhang et al. 2018, "mixup"), by
    weights uniform in 0..1: the views, intp (N,) which was mixed in, and float32 (N, 1) the weight of the own one."""
    partners = rng.permutation(len(views))
    weights = np.where(rng.random(len(views)) < share, rng.random(len(views)), 1.0).astype(np.float32)
    own = weights[:, np.newaxis, np.newaxis, np.newaxis]
    mixed = own * views + (1 - own) * views[partners] if share else views
    return np.asarray(mixed, np.float32), partners, weights[:, np.newaxis]


def _transforms(
    n: int, height: int, rng: np.random.Generator, size: int, cover: float, strength: float
) -> NDArray[np.float64]:
    """Matrices (N, 2, 3) from a pixel of the view to one of the picture."""
    angle = np.radians(rng.uniform(-15.0, 15.0, n) * strength)
    zoom = np.exp(rng.uniform(np.log(0.85), np.log(1.15), n) * strength)
    stretch = np.exp(rng.uniform(-0.06, 0.06, n) * strength)
    flip = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    shift = rng.uniform(-0.08, 0.08, (2, n)) * strength * height
    step = zoom * (cover / size)  # source pixels per pixel of the view
    cos, sin = np.cos(angle) * step, np.sin(angle) * step
    matrices = np.empty((n, 2, 3))
    matrices[:, 0, 0], matrices[:, 0, 1] = flip * cos * stretch, -sin / stretch
    matrices[:, 1, 0], matrices[:, 1, 1] = flip * sin * stretch, cos / stretch
    middle_in, middle_out = (height - 1) / 2, (size - 1) / 2
    matrices[:, :, 2] = middle_in + shift.T - matrices[:, :, :2].sum(axis=2) * middle_out
    return matrices
