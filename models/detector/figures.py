"""Drawn figures that are no faces: silhouettes, smileys, cartoon people, animals, robots."""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from models.detector.ink import SKINS, Picture, Rng, clipped_colour, disc, shade


def draw_figure(picture: Picture, x: float, y: float, r: float, rng: Rng) -> None:
    """One of them around (x, y), about `r` pixels from its middle to its edge, in place."""
    draw: Callable[[Picture, float, float, float, Rng], None] = _FIGURES[int(rng.integers(len(_FIGURES)))]
    draw(picture, x, y, r, rng)


def scatter_figures(picture: Picture, rng: Rng) -> None:
    """Small drawn figures, as icons, stickers and reactions, anywhere in the picture, in place."""
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        draw_figure(picture, x, y, rng.uniform(5, 26), rng)


def _silhouette(picture: Picture, x: float, y: float, r: float, rng: Rng) -> None:
    colour = shade(rng)
    if rng.random() < 0.5:
        disc(picture, x, y, r, r, shade(rng))
    disc(picture, x, y - 0.25 * r, 0.38 * r, 0.42 * r, colour)
    disc(picture, x, y + 0.75 * r, 0.75 * r, 0.5 * r, colour)


def _smiley(picture: Picture, x: float, y: float, r: float, rng: Rng) -> None:
    yellow = (255, int(rng.integers(180, 225)), int(rng.integers(20, 90)))
    disc(picture, x, y, r, r, yellow if rng.random() < 0.6 else shade(rng, 80))
    ink = shade(rng, 0, 70)
    for side in (-1, 1):
        disc(picture, x + side * 0.35 * r, y - 0.25 * r, 0.11 * r, rng.uniform(0.1, 0.2) * r, ink)
    start, end = (20, 160) if rng.random() < 0.7 else (200, 340)
    down = y + (0.1 if start == 20 else 0.65) * r
    width = max(1, round(r * 0.08))
    cv2.ellipse(
        picture,
        (round(x), round(down)),
        (max(1, round(0.5 * r)), max(1, round(0.42 * r))),
        0,
        start,
        end,
        ink,
        width,
        cv2.LINE_AA,
    )


def _cartoon(picture: Picture, x: float, y: float, r: float, rng: Rng) -> None:
    """A person in flat colours."""
    skin = SKINS[int(rng.integers(len(SKINS)))]
    hair, ink = shade(rng, 0, 160), shade(rng, 0, 60)
    disc(picture, x, y + 1.5 * r, 1.1 * r, 0.8 * r, shade(rng))
    cv2.rectangle(
        picture, (round(x - 0.2 * r), round(y + 0.5 * r)), (round(x + 0.2 * r), round(y + r)), skin, -1
    )
    if rng.random() < 0.5:
        disc(picture, x, y + 0.1 * r, 0.85 * r, rng.uniform(0.9, 1.3) * r, hair)
    else:
        disc(picture, x, y - 0.25 * r, 0.78 * r, 0.75 * r, hair)
    disc(picture, x, y, rng.uniform(0.58, 0.72) * r, rng.uniform(0.75, 0.9) * r, skin)
    if rng.random() < 0.6:
        cv2.ellipse(
            picture,
            (round(x), round(y - 0.3 * r)),
            (max(1, round(0.66 * r)), max(1, round(0.55 * r))),
            0,
            185,
            355,
            hair,
            -1,
            cv2.LINE_AA,
        )
    line = max(1, round(r * 0.05))
    for side in (-1, 1):
        eye = x + side * 0.27 * r
        if rng.random() < 0.7:
            disc(picture, eye, y - 0.08 * r, 0.13 * r, 0.1 * r, (250, 250, 250))
        disc(picture, eye, y - 0.08 * r, 0.07 * r, 0.07 * r, ink)
        brow = round(y - 0.28 * r)
        cv2.line(
            picture, (round(eye - 0.13 * r), brow), (round(eye + 0.13 * r), brow), hair, line, cv2.LINE_AA
        )
    cv2.line(
        picture,
        (round(x), round(y)),
        (round(x + 0.06 * r), round(y + 0.22 * r)),
        tuple(c * 3 // 4 for c in skin),
        line,
        cv2.LINE_AA,
    )
    mouth = (max(1, round(rng.uniform(0.15, 0.3) * r)), max(1, round(rng.uniform(0.05, 0.16) * r)))
    cv2.ellipse(
        picture,
        (round(x), round(y + 0.42 * r)),
        mouth,
        0,
        0,
        180,
        (190, 60, 70),
        -1 if rng.random() < 0.5 else line,
        cv2.LINE_AA,
    )
    if rng.random() < 0.25:
        for side in (-1, 1):
            cv2.circle(
                picture,
                (round(x + side * 0.27 * r), round(y - 0.08 * r)),
                max(1, round(0.2 * r)),
                ink,
                line,
                cv2.LINE_AA,
            )


def _animal(picture: Picture, x: float, y: float, r: float, rng: Rng) -> None:
    """Ears, fur, two dark eyes and a nose."""
    fur = np.array(shade(rng, 40, 240))
    size = max(8, round(2.6 * r))
    patch = np.empty((size, size, 3), np.float32)
    patch[:] = fur
    grain = cv2.resize(
        rng.normal(0, 1, (max(2, size // 3), max(2, size // 6))).astype(np.float32), (size, size)
    )
    patch += grain[..., None] * rng.uniform(8, 35)
    patch = np.clip(patch, 0, 255)
    patch8 = patch.astype(np.uint8)
    mask = np.zeros((size, size), np.uint8)
    c, u = size / 2, size / 2.6
    for side in (-1, 1):
        if rng.random() < 0.5:
            points = np.array(
                [
                    [c + side * 0.2 * u, c - 0.6 * u],
                    [c + side * 0.85 * u, c - 1.2 * u],
                    [c + side * 0.9 * u, c - 0.2 * u],
                ]
            )
            cv2.fillPoly(mask, [points.astype(np.int32)], 255)
        else:
            cv2.ellipse(
                mask,
                (round(c + side * 0.85 * u), round(c)),
                (max(1, round(0.25 * u)), max(1, round(0.6 * u))),
                side * 15,
                0,
                360,
                255,
                -1,
            )
    cv2.ellipse(
        mask, (round(c), round(c)), (max(1, round(0.85 * u)), max(1, round(0.8 * u))), 0, 0, 360, 255, -1
    )
    light = clipped_colour(fur * 1.2 + 20)
    disc(patch8, c, c + 0.35 * u, 0.38 * u, 0.3 * u, light)
    for side in (-1, 1):
        disc(patch8, c + side * 0.35 * u, c - 0.15 * u, 0.13 * u, 0.13 * u, shade(rng, 0, 60))
        disc(patch8, c + side * 0.33 * u, c - 0.19 * u, 0.04 * u, 0.04 * u, (250, 250, 250))
    disc(patch8, c, c + 0.22 * u, 0.14 * u, 0.09 * u, (25, 20, 20))
    cv2.line(
        patch8,
        (round(c), round(c + 0.3 * u)),
        (round(c), round(c + 0.48 * u)),
        (40, 30, 30),
        max(1, round(0.04 * u)),
    )
    _paste(picture, patch8, mask, round(x - c), round(y - c))


def _robot(picture: Picture, x: float, y: float, r: float, rng: Rng) -> None:
    """A box with two round windows: also sockets, speakers, cars from the front."""
    a, b = rng.uniform(0.6, 1.1) * r, rng.uniform(0.6, 1.0) * r
    cv2.rectangle(picture, (round(x - a), round(y - b)), (round(x + a), round(y + b)), shade(rng), -1)
    ink = shade(rng)
    for side in (-1, 1):
        disc(picture, x + side * 0.45 * a, y - 0.3 * b, 0.2 * r, 0.2 * r, ink)
    cv2.rectangle(
        picture, (round(x - 0.5 * a), round(y + 0.35 * b)), (round(x + 0.5 * a), round(y + 0.55 * b)), ink, -1
    )


def _paste(picture: Picture, patch: Picture, mask: Picture, left: int, top: int) -> None:
    height, width = picture.shape[:2]
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(width, left + patch.shape[1]), min(height, top + patch.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    here = picture[y0:y1, x0:x1]
    here[:] = np.where(mask[part][..., None] > 0, patch[part], here)


_FIGURES: Final = (_silhouette, _smiley, _cartoon, _cartoon, _animal, _animal, _robot)
