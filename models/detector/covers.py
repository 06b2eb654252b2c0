"""What is before or around a face: scarves, headsets, glasses, hands, cups."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detector.ink import SKINS, Picture, Rng, clipped_colour, disc, shade

KINDS: Final = ("scarf", "headset", "glasses", "hand", "cup")


def cover(
    picture: Picture,
    box: NDArray[np.float32],
    points: NDArray[np.float32],
    tilt: float,
    rng: Rng,
    kind: str | None = None,
) -> None:
    """Put something on or around a face, in place: a head scarf, a headset, glasses, a hand, a cup.

    Args:
        picture: uint8 (H, W, 3).
        box: float32 (4,), of the upright face before it was tilted, around the same centre.
        points: float32 (5, 2), its landmarks as they lie in the picture.
        tilt: of the face in degrees, clockwise.
        rng: the same state gives the same cover.
        kind: one of `KINDS`; None: any of them.
    """
    x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    w, h = float(box[2] - box[0]), float(box[3] - box[1])
    kind = kind or KINDS[int(rng.integers(len(KINDS)))]
    colour = shade(rng)
    if kind == "scarf":
        mask = np.zeros(picture.shape[:2], np.uint8)
        axes = (round(w * rng.uniform(0.72, 0.9)), round(h * rng.uniform(0.75, 0.9)))
        cv2.ellipse(mask, (round(x), round(y + 0.02 * h)), axes, tilt, 0, 360, 255, -1, cv2.LINE_AA)
        cv2.ellipse(
            mask,
            (round(x), round(y + 1.1 * h)),
            (round(w * rng.uniform(0.7, 1.3)), round(0.6 * h)),
            0,
            0,
            360,
            255,
            -1,
        )
        cv2.ellipse(
            mask,
            (round(x), round(y + 0.05 * h)),
            (round(w * 0.5), round(h * rng.uniform(0.48, 0.56))),
            tilt,
            0,
            360,
            0,
            -1,
            cv2.LINE_AA,
        )
        folds = cv2.resize(rng.normal(0, 14, (9, 5)).astype(np.float32), picture.shape[1::-1])[..., None]
        cloth = np.clip(np.array(colour, np.float32) + folds, 0, 255)
        weight = mask[..., None].astype(np.float32) / 255
        picture[:] = (weight * cloth + (1 - weight) * picture).astype(np.uint8)
    elif kind == "headset":
        thick = max(1, round(h * 0.07))
        cv2.ellipse(
            picture,
            (round(x), round(y)),
            (round(w * 0.62), round(h * 0.68)),
            tilt,
            180,
            360,
            colour,
            thick,
            cv2.LINE_AA,
        )
        for side in (-1, 1):
            ear = points[:2].mean(axis=0) + side * (points[1] - points[0]) * rng.uniform(1.0, 1.2)
            disc(picture, ear[0], ear[1] + 0.08 * h, 0.12 * w, 0.17 * h, colour, tilt)
    elif kind == "glasses":
        radius = float(np.linalg.norm(points[1] - points[0])) * rng.uniform(0.3, 0.45)
        dark = rng.random() < 0.15
        for eye in points[:2]:
            cv2.circle(
                picture,
                (round(float(eye[0])), round(float(eye[1]))),
                max(1, round(radius)),
                shade(rng, 0, 80),
                -1 if dark else max(1, round(radius * 0.16)),
                cv2.LINE_AA,
            )
        cv2.line(
            picture,
            tuple(np.rint(points[0]).astype(int).tolist()),
            tuple(np.rint(points[1]).astype(int).tolist()),
            shade(rng, 0, 80),
            1,
            cv2.LINE_AA,
        )
    elif kind == "hand":
        skin = clipped_colour(np.array(SKINS[int(rng.integers(5))]) * rng.uniform(0.75, 1, 3))
        at = points[int(rng.integers(3, 5))] + rng.normal(0, 0.12 * h, 2)
        disc(picture, at[0], at[1] + 0.15 * h, 0.16 * w, 0.3 * h, skin, float(rng.uniform(-50, 50)))
    else:
        at = points[3:].mean(axis=0) + rng.normal(0, 0.06 * h, 2)
        half = np.array([rng.uniform(0.15, 0.35) * w, rng.uniform(0.08, 0.3) * h])
        low = np.rint(at - np.array([half[0], 0])).astype(int)
        high = np.rint(at + half * (1, 2)).astype(int)
        cv2.rectangle(picture, tuple(low.tolist()), tuple(high.tolist()), colour, -1)


def blob(picture: Picture, rng: Rng) -> None:
    """A hand, an arm or a shoulder, as shaded ovals of skin, somewhere in the picture, in place."""
    height, width = picture.shape[:2]
    skin = np.array(SKINS[int(rng.integers(5))])
    x, y, r = rng.uniform(0, width), rng.uniform(height * 0.3, height), rng.uniform(0.06, 0.2) * height
    angle = float(rng.uniform(0, 180))
    for number in range(int(rng.integers(1, 6))):
        colour = clipped_colour(skin * rng.uniform(0.7, 1.05))
        disc(picture, x + number * 0.4 * r, y - rng.uniform(0, 0.3) * r, 0.3 * r, r, colour, angle)
