"""What the landmark network learns from: crops of composed tiles, cut as the product cuts them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.landmarks import SIZE, Window
from inference.pose import estimate
from models.detector.compose import Rng, Scene, compose_face
from models.detector.photo import Photo
from models.detector.placing import MIRRORED
from models.detector.spoil import spoil
from models.landmarks.turning import turn_head

CROPS: Final = 3
"""Of each composed tile, each from other doubts about where the face lies."""
_TURNED: Final = 0.65
"""Share of the heads that are turned by some more degrees."""
_FARTHEST: Final = 58.0
"""Degrees of yaw up to which heads are turned; beyond, a photograph does not show what would be seen."""
_MARGIN: Final = 40
_ACROSS: Final = np.array([-1, 1], np.float32)


@dataclass(frozen=True, slots=True)
class Samples:
    """Crops and their truth.

    crops: uint8 (N, 48, 48, 3) RGB.  points: float32 (N, 5, 2), as `Window.inside` gives them.
    """

    crops: NDArray[np.uint8]
    points: NDArray[np.float32]

    def take(
        self, rows: NDArray[np.intp], mirror: NDArray[np.bool_]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Rows as the training step wants them, those in `mirror` mirrored: left and right change places."""
        crops, points = self.crops[rows], self.points[rows]
        crops[mirror] = crops[mirror, :, ::-1]
        points[mirror] = points[mirror][:, list(MIRRORED)] * _ACROSS
        return crops, points


def single_faces(photos: Sequence[Photo]) -> list[Photo]:
    """Each face of the photographs alone, the others doubtful; those with impossible landmarks are left out."""
    alone = []
    for photo in photos:
        for number in range(len(photo.boxes)):
            pose = estimate(photo.landmarks[number])
            if max(abs(pose.yaw), abs(pose.roll)) > 75:
                continue
            others = np.delete(photo.boxes, number, axis=0)
            alone.append(
                replace(
                    photo,
                    boxes=photo.boxes[number : number + 1],
                    landmarks=photo.landmarks[number : number + 1],
                    doubtful=np.concatenate([photo.doubtful, others]),
                )
            )
    return alone


def shares(faces: Sequence[Photo]) -> NDArray[np.float64]:
    """How often each of `single_faces` is to be drawn, summing to 1: heads that are turned, nodded or tilted are few
    among photographs of the press, and count more."""
    weights = []
    for face in faces:
        pose = estimate(face.landmarks[0])
        turned, nodded = abs(pose.yaw), abs(pose.pitch)
        weights.append(1.0 + min(turned / 10, 5.0) + min(max(0.0, nodded - 5) / 5, 2.0))
    return np.array(weights) / sum(weights)


def make_samples(
    faces: Sequence[Photo], odds: NDArray[np.float64], photos: Sequence[Photo], count: int, rng: Rng
) -> Samples:
    """`CROPS` crops of each of so many composed tiles.

    Args:
        faces: of `single_faces`.
        odds: of `shares`.
        photos: from which backgrounds may come.
        count: tiles.
        rng: the same state gives the same samples.
    """
    crops = np.empty((count * CROPS, SIZE, SIZE, 3), np.uint8)
    points = np.empty((count * CROPS, 5, 2), np.float32)
    made = 0
    while made < len(crops):
        scene = _tile(faces[int(rng.choice(len(faces), p=odds))], photos, rng)
        if not len(scene.boxes):  # cut off too far
            continue
        height = float(scene.boxes[0, 3] - scene.boxes[0, 1])
        for _ in range(CROPS):
            window = Window.around(doubted(scene.landmarks[0], height, rng), height)
            crops[made] = window.cut(scene.picture)
            points[made] = window.inside(scene.landmarks[0])
            made += 1
    return Samples(crops, points)


def turned(face: Photo, rng: Rng) -> Photo:
    """The face turned and nodded by some degrees, with as much care as a photograph allows."""
    yaw = estimate(face.landmarks[0]).yaw
    low, high = max(-_FARTHEST - yaw, -32.0), min(_FARTHEST - yaw, 32.0)
    if abs(yaw) > 20:  # what lies behind a turned nose is not in the picture: hardly turn it back
        low, high = (max(low, -12.0), high) if yaw > 0 else (low, min(high, 12.0))
    more = float(rng.uniform(low, high)) if high > low else 0.0
    return turn_head(face, 0, more, float(rng.uniform(-30, 26)))


def doubted(landmarks: NDArray[np.float32], height: float, rng: Rng) -> NDArray[np.float32]:
    """Landmarks (5, 2) of a face so many pixels high, wrong as our detector's are: by their place, size and roll, and
    each by itself."""
    angle = math.radians(float(rng.uniform(-35, 35) if rng.random() < 0.08 else rng.normal(0, 7)))
    scale = math.exp(float(rng.normal(0, 0.09)))
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    middle = landmarks.mean(axis=0)
    wrong = (landmarks - middle) @ turn.T + middle + rng.normal(0, 0.045, 2) * height
    return np.asarray(wrong + rng.normal(0, 0.02, (5, 2)) * height, np.float32)


def _tile(face: Photo, photos: Sequence[Photo], rng: Rng) -> Scene:
    if rng.random() < _TURNED:
        face = turned(face, rng)
    tall = math.exp(rng.uniform(math.log(14), math.log(100)))
    height = round(tall / rng.uniform(0.3, 0.75))
    width = round(height * float(rng.choice([16 / 9, 4 / 3, 1.0])))
    tilt = float(rng.uniform(-50, 50) if rng.random() < 0.35 else rng.normal(0, 9))
    scene = compose_face(face, photos, (width, height), tall, tilt, rng)
    picture = spoil(scene.picture, rng) if rng.random() < 0.6 else scene.picture
    if rng.random() < 0.4:  # a neighbour begins where the tile ends
        fill = rng.integers(0, 256, 3).tolist() if rng.random() < 0.3 else (0, 0, 0)
        way = cv2.BORDER_WRAP if rng.random() < 0.5 else cv2.BORDER_CONSTANT
        bordered = cv2.copyMakeBorder(picture, _MARGIN, _MARGIN, _MARGIN, _MARGIN, way, value=fill)
        picture = np.asarray(bordered, np.uint8)
        scene = replace(
            scene,
            boxes=scene.boxes + np.float32(_MARGIN),
            landmarks=scene.landmarks + np.float32(_MARGIN),
        )
    return replace(scene, picture=picture)
