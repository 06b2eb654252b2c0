"""The common shape of the composites, and how a picture is brought to it."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.drawn_faces import BROW_Y, CHIN_Y, HEIGHT, WIDTH

Points = NDArray[np.float64]
Field = NDArray[np.float32]

MIDDLE: Final = WIDTH / 2
NODES: Final = (72, 64)
"""Rows and columns of a displacement field."""
AXIS_DEPTH: Final = 48.0
"""Depth of the axis about which a head turns, behind the mean of the face, in pixels."""

OVAL: Final = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
]  # fmt: skip
INNER_LIPS: Final = [
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
]  # fmt: skip
OUTER_LIPS: Final = [
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
]  # fmt: skip
UPPER_LIDS: Final = [246, 161, 160, 159, 158, 157, 173, 466, 388, 387, 386, 385, 384, 398]
LOWER_LIDS: Final = [7, 163, 144, 145, 153, 154, 155, 249, 390, 373, 374, 380, 381, 382]
ABOVE_LIDS: Final = [247, 30, 29, 27, 28, 56, 190, 467, 260, 259, 257, 258, 286, 414]
_STEADY: Final = [
    33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 98, 327, 10, 338, 109, 54, 284, 127, 356, 234, 454, 93, 323,
]  # fmt: skip
"""Points of MediaPipe's mesh that no expression moves far."""


def similarity(source: Points, target: Points) -> tuple[float, Points, Points]:
    """Scale, rotation and shift with target = scale * rotation @ source + shift, after Umeyama 1991."""
    centre, goal = source.mean(0), target.mean(0)
    a, b = source - centre, target - goal
    left, values, right = np.linalg.svd(b.T @ a)
    signs = np.diag([1.0] * (source.shape[1] - 1) + [float(np.sign(np.linalg.det(left @ right)))])
    rotation = left @ signs @ right
    scale = float(np.trace(np.diag(values) @ signs) / (a**2).sum())
    return scale, rotation, goal - scale * rotation @ centre


def moved(source: Points, target: Points) -> Points:
    """`source` brought onto `target` by their similarity."""
    scale, rotation, shift = similarity(source, target)
    return scale * (rotation @ source.T).T + shift


def angles(mean: Points, face: Points) -> tuple[float, float, float]:
    """Yaw, pitch and roll of a face against the mean, in degrees; MediaPipe's axes."""
    _, rotation, _ = similarity(mean, face)
    return (
        float(np.degrees(np.arctan2(rotation[0, 2], rotation[2, 2]))),
        float(np.degrees(-np.arcsin(np.clip(rotation[1, 2], -1, 1)))),
        float(np.degrees(np.arctan2(rotation[1, 0], rotation[1, 1]))),
    )


def frontal_mean(faces: Points) -> tuple[Points, NDArray[np.intp]]:
    """Mean of landmarks (N, 478, 3), upright, frontal and symmetric, (468, 3), and each point's mirror image."""
    shapes = faces - faces.mean(1, keepdims=True)
    shapes /= np.sqrt((shapes**2).sum((1, 2), keepdims=True))
    mean = shapes[0]
    for _ in range(4):
        mean = np.mean([moved(shape, mean) for shape in shapes], axis=0)
        mean -= mean.mean(0)
        mean /= np.sqrt((mean**2).sum())
    for axis in (2, 1):  # bring the inner corners of the eyes to one depth, then to one height
        across = mean[362] - mean[133]
        angle = np.arctan2(across[axis], across[0])
        turn = np.eye(3)
        turn[0, 0] = turn[axis, axis] = np.cos(angle)
        turn[0, axis], turn[axis, 0] = np.sin(angle), -np.sin(angle)
        mean = (turn @ mean.T).T
    mean = mean[:468]
    mean[:, 0] -= mean[[1, 4, 10, 152, 168], 0].mean()
    mirror = _mirror_pairs(mean)
    for _ in range(6):
        mean = moved(mean, (mean + _flipped(mean, mirror)) / 2)
        mirror = _mirror_pairs(mean)
    if not np.array_equal(mirror[mirror], np.arange(len(mean))):
        raise ValueError("The mean face is too crooked to pair its points.")
    mean = (mean + _flipped(mean, mirror)) / 2
    upright = mean[152] - mean[10]
    angle = np.arctan2(upright[2], upright[1])
    turn = np.array([[1, 0, 0], [0, np.cos(angle), np.sin(angle)], [0, -np.sin(angle), np.cos(angle)]])
    return (turn @ mean.T).T, mirror


def _mirror_pairs(mean: Points) -> NDArray[np.intp]:
    other = mean * [-1, 1, 1]
    return np.asarray(np.argmin(((mean[:, None] - other[None]) ** 2).sum(2), axis=1))


def _flipped(mean: Points, mirror: NDArray[np.intp]) -> Points:
    return mean[mirror] * [-1, 1, 1]


def on_canvas(mean: Points) -> Points:
    """The mean face in pixels of the head picture."""
    placed = mean * ((CHIN_Y - BROW_Y) / (mean[152, 1] - mean[10, 1]))
    placed[:, 0] += MIDDLE - placed[:, 0].mean()
    placed[:, 1] += BROW_Y - placed[10, 1]
    return np.asarray(placed)


def turned(points: Points, yaw: float, pitch: float = 0.0, height: float = 170.0) -> Points:
    """2-D places of 3-D points of the head picture after a turn to the right of the picture and a nod up."""
    y, p = np.radians(yaw), np.radians(pitch)
    x, down, depth = (points - [MIDDLE, height, AXIS_DEPTH]).T
    across = x * np.cos(y) - depth * np.sin(y)
    depth = x * np.sin(y) + depth * np.cos(y)
    return np.stack([across + MIDDLE, down * np.cos(p) + depth * np.sin(p) + height], 1)


def _ring() -> Points:
    x, y = np.meshgrid(np.linspace(0, WIDTH - 1, 12), np.linspace(0, HEIGHT - 1, 13))
    edge = (x < 1) | (x > WIDTH - 2) | (y < 1) | (y > HEIGHT - 2)
    return np.stack([x[edge], y[edge]], 1)


RING: Final = _ring()
"""Points on the border of the picture, which stay where they are."""
DOWN, ACROSS = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)


class Spline:
    """A thin-plate spline with fixed knots: displacements at the knots give a field on a grid of nodes.

    Args:
        knots: (K, 2) in pixels of the head picture; the border is added.
        stiffness: regularisation, 0 interpolates.
        nodes: rows and columns of the field.
    """

    def __init__(self, knots: Points, stiffness: float = 30.0, nodes: tuple[int, int] = NODES) -> None:
        self.nodes = nodes
        knots = np.concatenate([knots, RING])
        count = len(knots)
        system = np.zeros((count + 3, count + 3))
        system[:count, :count] = _bend(knots, knots) + stiffness * np.eye(count)
        flat = np.c_[np.ones(count), knots / 100]
        system[:count, count:], system[count:, :count] = flat, flat.T
        x, y = np.meshgrid(np.linspace(0, WIDTH - 1, nodes[1]), np.linspace(0, HEIGHT - 1, nodes[0]))
        at = np.stack([x.ravel(), y.ravel()], 1)
        basis = np.c_[_bend(at, knots), np.ones(len(at)), at / 100]
        self._matrix = (basis @ np.linalg.inv(system))[:, :count].astype(np.float32)

    def field(self, displacements: Points) -> Field:
        """Displacements (K, 2) at the knots to float32 (rows, columns, 2)."""
        pinned = np.concatenate([displacements, np.zeros((len(RING), 2))]).astype(np.float32)
        return np.asarray((self._matrix @ pinned).reshape(*self.nodes, 2), np.float32)


def _bend(a: Points, b: Points) -> Points:
    squared = ((a[:, None] - b[None]) ** 2).sum(2)
    return np.asarray(0.5 * squared * np.log(squared + 1e-9))


def backward(
    target: Points, source: Points, nodes: tuple[int, int] = NODES, stiffness: float = 30.0
) -> Field:
    """The field that, at each place of the target shape, says how far off its source lies."""
    return Spline(target, stiffness, nodes).field(source - target)


def every_pixel(field: Field) -> Field:
    """A field on nodes from corner to corner, brought to (HEIGHT, WIDTH, 2)."""
    rows, columns = field.shape[:2]
    x = (ACROSS * ((columns - 1) / (WIDTH - 1))).astype(np.float32)
    y = (DOWN * ((rows - 1) / (HEIGHT - 1))).astype(np.float32)
    return np.asarray(cv2.remap(np.ascontiguousarray(field), x, y, cv2.INTER_LINEAR), np.float32)


def pulled(picture: NDArray[np.float32], field: Field) -> NDArray[np.float32]:
    """A head picture moved by a backward field on nodes."""
    full = every_pixel(field)
    return np.asarray(
        cv2.remap(
            np.ascontiguousarray(picture),
            ACROSS + full[..., 0],
            DOWN + full[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )


def straightened(
    pictures: list[NDArray[np.uint8]],
    landmarks: Points,
    spline: Spline,
    target: Points,
    *,
    rigid: list[int] | None = None,
) -> list[NDArray[np.uint8]]:
    """Pictures of one face, sampled so that its landmarks (468, 2) land on `target` (468, 2)."""
    chosen = _STEADY if rigid is None else rigid
    scale, rotation, shift = similarity(target[chosen], landmarks[chosen])
    linear = scale * rotation
    full = every_pixel(spline.field(landmarks - (target @ linear.T + shift)))
    x = (ACROSS * linear[0, 0] + DOWN * linear[0, 1] + shift[0] + full[..., 0]).astype(np.float32)
    y = (ACROSS * linear[1, 0] + DOWN * linear[1, 1] + shift[1] + full[..., 1]).astype(np.float32)
    return [
        np.asarray(cv2.remap(np.ascontiguousarray(picture), x, y, cv2.INTER_CUBIC), np.uint8)
        for picture in pictures
    ]


def covered(outline: Points, softness: float, size: float = 1.0) -> NDArray[np.float32]:
    """Cover 0..1, float32 (HEIGHT, WIDTH), of an outline grown about its centre."""
    large = np.zeros((HEIGHT * 4, WIDTH * 4), np.float32)
    centre = outline.mean(0)
    cv2.fillPoly(large, [np.round(((outline - centre) * size + centre) * 4).astype(np.int32)], 1.0)
    small = cv2.resize(large, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), softness), np.float32)


def decoded(file: bytes, mode: int) -> NDArray[np.uint8]:
    """A picture from its file, BGR or grey.

    Raises:
        ValueError: it is no picture.
    """
    picture = cv2.imdecode(np.frombuffer(file, np.uint8), mode)
    if picture is None:
        raise ValueError("The data hold a file that is no picture.")
    return np.asarray(picture, np.uint8)


def smoothstep(x: NDArray[Any], low: float, high: float) -> NDArray[np.float32]:
    """0 below `low`, 1 above `high`, smooth between."""
    share = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
