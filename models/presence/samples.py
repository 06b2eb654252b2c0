"""What the presence network learns from: all that the detector marks in photographs, galleries and drawings."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.align import cut_square
from inference.faces import FaceDetector
from inference.landmarks import SIZE
from inference.presence import window_of
from models.detector import drawn
from models.detector.compose import TILE, Rng, Scene, as_scene, compose
from models.detector.measure import SAME, Found, covered
from models.detector.photo import Photo
from models.detector.placing import mirrored, overlaps, resized

ROOM: Final = 1.5
"""Side of what is kept around a mark, in sides of its window: views of it are turned and shifted."""
KEPT: Final = round(SIZE * ROOM)
_APART: Final = 0.3
"""Overlap with a face under which a mark is none; between this and `SAME` it is a face's, but lies badly."""
_INSIDE: Final = 0.6
"""Share of a mark in a face from which on it is a part of it, not something else."""
_DOUBTFUL: Final = 0.3
"""Share of a mark in a doubtful place from which on nobody knows."""
_FAINT: Final = 0.06
"""Score under which only every second mark that is no face is kept: they are many and easily told."""
_SMALL: Final = (0.15, 0.6)
_ANY: Final = (0.5, 1.6)
_LARGE: Final = (1.2, 2.2)
"""Sizes at which each photograph is shown, beside as it is; large, a detector takes more for a face that is none."""
_TURN, _GROWTH, _SHIFT = 0.12, 0.09, 0.035
"""Standard deviations of a view's angle in radians, of the logarithm of its size, and of its place in sides."""
_NOISY: Final = 0.3
"""Share of the views that are noisy."""
_FACE, _PART, _ELSE = 1, 2, 0


@dataclass(frozen=True, slots=True)
class Marks:
    """What a detector marked, and what it is.

    pictures: uint8 (N, 72, 72, 3) RGB, the windows with `ROOM` around them.
    scores: float32 (N,), the detector's, 0..1.
    kinds: int8 (N,): 1 a face, 2 a part of one or one that lies badly, 0 something else.
    composed: bool (N,), whether it was found in a composed picture.
    """

    pictures: NDArray[np.uint8]
    scores: NDArray[np.float32]
    kinds: NDArray[np.int8]
    composed: NDArray[np.bool_]


def mark(
    detector: FaceDetector, photos: Sequence[Photo], classes: Sequence[Photo], rng: Rng, view: str
) -> Marks:
    """What the detector marks in each photograph in four sizes, in as many composed pictures as two thirds of them,
    and in as many drawings as half of them.

    Args:
        detector: of a low threshold.
        photos: with one face or more among them.
        classes: pictures of the synthetic class.
        rng: the same state gives the same marks.
        view: in which they are kept, of `inference.presence.VIEWS`.
    """
    pictures, scores, kinds, composed = [], [], [], []
    for scene, made in _scenes(photos, classes, rng):
        faces = detector.detect(scene.picture)
        for face, kind in zip(faces, _kinds(Found.of(faces), scene), strict=True):
            if kind is None or (kind == _ELSE and face.score < _FAINT and rng.random() < 0.5):
                continue
            window = window_of(face, view)
            pictures.append(cut_square(scene.picture, window.centre, window.side * ROOM, window.angle, KEPT))
            scores.append(face.score)
            kinds.append(kind)
            composed.append(made)
    return Marks(
        np.array(pictures, np.uint8).reshape(-1, KEPT, KEPT, 3),
        np.array(scores, np.float32),
        np.array(kinds, np.int8),
        np.array(composed, bool),
    )


def views(pictures: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """One view uint8 (N, 48, 48, 3) of each: turned, shifted, in another light, now and then coarse, grey, noisy or
    covered in part."""
    seen = np.stack([_view(picture, rng) for picture in pictures])
    count = len(seen)
    contrast = np.exp(rng.normal(0, 0.22, (count, 1, 1, 1))).astype(np.float32)
    light = (rng.normal(0, 14, (count, 1, 1, 1)) + rng.normal(0, 8, (count, 1, 1, 3))).astype(np.float32)
    seen = (seen - 128) * contrast + (128 + light)
    noisy = rng.random(count) < _NOISY
    seen[noisy] += 5 * rng.standard_normal((int(noisy.sum()), SIZE, SIZE, 3), np.float32)
    return np.asarray(np.clip(seen, 0, 255), np.uint8)


def _view(picture: NDArray[np.uint8], rng: Rng) -> NDArray[np.float32]:
    size = math.exp(float(rng.normal(0, _GROWTH)))
    angle = float(rng.normal(0, _TURN))
    cos, sin, side = math.cos(angle) * size, math.sin(angle) * size, 1 if rng.random() < 0.5 else -1
    turn = np.array([[cos * side, -sin], [sin * side, cos]])
    middle = (KEPT - 1) / 2 + rng.normal(0, _SHIFT, 2) * SIZE - turn @ np.full(2, (SIZE - 1) / 2)
    way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = np.asarray(cv2.warpAffine(picture, np.column_stack([turn, middle]), (SIZE, SIZE), flags=way))
    if rng.random() < 0.2:
        fewer = int(rng.integers(14, 40))
        coarse = cv2.resize(seen, (fewer, fewer), interpolation=cv2.INTER_AREA)
        seen = np.asarray(cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR))
    if rng.random() < 0.15:
        seen = np.repeat(seen.mean(axis=2, keepdims=True), 3, axis=2)
    view = np.array(seen, np.float32)
    if rng.random() < 0.25:
        (left, top), (width, height) = rng.integers(0, 40, 2), rng.integers(6, 20, 2)
        view[top : top + height, left : left + width] = rng.uniform(0, 255, 3)
    return view


def _scenes(photos: Sequence[Photo], classes: Sequence[Photo], rng: Rng) -> Iterator[tuple[Scene, bool]]:
    """Pictures to look for faces in, and whether they were composed."""
    for photo in photos:
        yield as_scene(photo), False
        yield as_scene(resized(photo, float(rng.uniform(*_SMALL)))), False
        size = math.exp(rng.uniform(math.log(_ANY[0]), math.log(_ANY[1])))
        yield as_scene(resized(mirrored(photo), size)), False
        yield as_scene(resized(photo, float(rng.uniform(*_LARGE)))), False
    for _ in range(len(photos) * 2 // 3):
        yield compose(photos, 256, rng, classes, 72), True
    nothing = np.zeros((0, 4), np.float32)
    for number in range(len(photos) // 2):
        picture = drawn.faceless(number, round(TILE * 16 / 9), TILE, rng)
        yield Scene(picture, nothing, np.zeros((0, 5, 2), np.float32), nothing), True


def _kinds(found: Found, scene: Scene) -> list[int | None]:
    """What each mark is; None where nobody knows."""
    kinds: list[int | None] = []
    for box in found.boxes:
        share = float(overlaps(box, scene.boxes).max()) if len(scene.boxes) else 0.0
        if share >= SAME:
            kinds.append(_FACE)
        elif covered(box, scene.doubtful) > _DOUBTFUL:
            kinds.append(None)
        elif share >= _APART or covered(box, scene.boxes) > _INSIDE:
            kinds.append(_PART)
        else:
            kinds.append(_ELSE)
    return kinds
