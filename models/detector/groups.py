"""Faces of one kind at a time, and portraits whose main face no detector had to find."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.faces import FaceDetector
from inference.pose import estimate
from models.detector.compose import TILE, Picture, Rng, Scene, compose_tilted
from models.detector.covers import KINDS
from models.detector.photo import Photo
from models.detector.placing import resized
from models.landmarks.turning import turn_head

TILTS: Final = (0, 15, 30, 45)
_TILES: Final = 160
"""Of each group."""
ASIDE: Final = 20.0
TURNED: Final = 45.0
BEGUN: Final = 15.0
"""Degrees of yaw: as photographed, as rendered, and from which on a portrait is turned that far. Beyond, or from a face
that looks ahead, the generic head of `models.landmarks.turning` leaves half of the face empty."""
_SIDES: Final = (45.0, 150.0)
"""Heights in pixels of the tiles in which portraits are shown."""
_MIDDLE: Final = 0.15
_HIGH: Final = (0.25, 0.75)
"""In sides of a portrait: how far from its middle the middle of the main face may lie, and how high that may be."""


def compose_groups(photos: Sequence[Photo]) -> dict[str, list[Scene]]:
    """Tiles with one face each, by what is special about it; always the same."""
    alone = portraits(photos)
    aside = [photo for photo in alone if abs(_yaw(photo)) >= ASIDE]
    groups = {f"tilt {tilt}": _tiles(photos, tilt=tilt) for tilt in TILTS}
    groups |= {f"{kind}, drawn": _tiles(photos, kind=kind) for kind in KINDS}
    groups["cut off by the tile's edge"] = _tiles(photos, cut=True)
    if alone:
        by_light = sorted(alone, key=cheek_lightness)
        third = max(1, len(by_light) // 3)
        groups["cheeks, darkest third"] = _tiles(by_light[:third])
        groups["cheeks, lightest third"] = _tiles(by_light[-third:])
    if aside:
        groups[f"looking {ASIDE:.0f} degrees aside or more"] = _tiles(aside)
    if further := turned_aside(alone):
        groups[f"turned to {TURNED:.0f} degrees, rendered"] = _tiles(further)
    return groups


def portraits(photos: Sequence[Photo]) -> list[Photo]:
    """Those of LFW with one sure face and no other."""
    return [photo for photo in photos if photo.origin == "portraits" and len(photo.boxes) == 1]


def cheek_lightness(photo: Photo) -> float:
    """Median L* of the two cheeks, 0..100: of the skin and of the light that fell on it, which a photograph does not
    tell apart."""
    points = photo.landmarks[0]
    radius = max(1, round(0.06 * float(photo.boxes[0, 3] - photo.boxes[0, 1])))
    patches = []
    for eye, mouth in ((0, 3), (1, 4)):
        x, y = np.rint((points[eye] + points[mouth]) / 2).astype(int)
        rows, columns = slice(max(0, y - radius), y + radius + 1), slice(max(0, x - radius), x + radius + 1)
        patches.append(photo.picture[rows, columns].reshape(-1, 3))
    colours = np.concatenate(patches)[np.newaxis].astype(np.float32) / 255
    return float(np.median(cv2.cvtColor(colours, cv2.COLOR_RGB2LAB)[..., 0]))


def turned_aside(alone: Sequence[Photo]) -> list[Photo]:
    """Those of `portraits` that look `BEGUN` degrees aside or more, turned on to `TURNED`."""
    yaws = [(photo, _yaw(photo)) for photo in alone]
    return [
        turn_head(photo, 0, float(np.copysign(TURNED, yaw)) - yaw, 0.0)
        for photo, yaw in yaws
        if BEGUN <= abs(yaw) < TURNED
    ]


def main_face_pictures(photos: Sequence[Photo]) -> dict[str, list[Picture]]:
    """Portraits with their main face about the middle: as tiles of a meeting 45 to 150 pixels high would show them,
    brought to the height at which the product looks at tiles; and at 15 to 50 % of their size. Always the same.

    LFW centred each on one face, which the detector of Viola and Jones had found: that it lies there is a truth which
    neither YuNet nor we had a part in.
    """
    whole = [photo for photo in photos if photo.origin == "portraits"]
    rng = np.random.default_rng(23)
    shown = [resized(photo, _drawn(_SIDES, rng) / photo.picture.shape[0]) for photo in whole]
    return {
        "portraits as tiles": [resized(photo, TILE / photo.picture.shape[0]).picture for photo in shown],
        "small portraits": [resized(photo, float(rng.uniform(0.15, 0.5))).picture for photo in whole],
    }


def main_face_scores(detector: FaceDetector, pictures: Sequence[Picture]) -> NDArray[np.float64]:
    """Per picture of `main_face_pictures` the score of the surest face about its middle, -1 where there is none."""
    best = []
    for picture in pictures:
        height, width = picture.shape[:2]
        scores = [-1.0]
        for face in detector.detect(picture):
            x, y = face.box.centre
            away = max(abs(x / width - 0.5), abs(y / height - 0.5))
            if away <= _MIDDLE and _HIGH[0] <= face.box.height / height <= _HIGH[1]:
                scores.append(face.score)
        best.append(max(scores))
    return np.array(best)


def _tiles(
    photos: Sequence[Photo], *, tilt: float = 0.0, kind: str | None = None, cut: bool = False
) -> list[Scene]:
    rng: Rng = np.random.default_rng(13)
    return [
        compose_tilted(photos, tilt if number % 2 else -tilt, rng, kind=kind, cut=cut)
        for number in range(_TILES)
    ]


def _drawn(bounds: tuple[float, float], rng: Rng) -> float:
    return float(np.exp(rng.uniform(*np.log(bounds))))


def _yaw(photo: Photo) -> float:
    return estimate(photo.landmarks[0]).yaw
