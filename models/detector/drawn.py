"""Tiles without a face, drawn: cards, avatars, slides, patterns, rooms."""

import math
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from models.detector.figures import draw_figure, scatter_figures
from models.detector.ink import Picture, Rng, blank, disc, name_of, shade, write

_WORDS: Final = (
    "Lesson 4",
    "homework",
    "x + 2 = 7",
    "Welcome!",
    "the water cycle",
    "1939",
    "Share",
    "Mute",
    "Chat",
    "?!",
    "OO",
    "o_o",
)


def card(width: int, height: int, rng: Rng) -> Picture:
    """A camera that is off: initials on a disc, or a name, on a flat ground."""
    light = rng.random() < 0.3
    picture = blank(width, height, shade(rng, 200, 256) if light else shade(rng, 0, 90))
    ink = (30, 30, 30) if light else (240, 240, 240)
    name = name_of(rng)
    middle = (width / 2, height / 2)
    if rng.random() < 0.55:
        radius = int(min(width, height) * rng.uniform(0.18, 0.42))
        cv2.circle(picture, (width // 2, height // 2), radius, shade(rng), -1, cv2.LINE_AA)
        letters = "".join(part[0] for part in name.split())[: int(rng.integers(1, 3))]
        write(picture, letters, int(radius * rng.uniform(0.7, 1.2)), middle, "mm", (250, 250, 250))
    else:
        write(picture, name, int(height * rng.uniform(0.1, 0.3)), middle, "mm", ink)
    return picture


def avatar_card(width: int, height: int, rng: Rng) -> Picture:
    """A drawn figure where a person would be: silhouette, smiley, cartoon person, animal, robot."""
    picture = blank(width, height, shade(rng)) if rng.random() < 0.6 else room(width, height, rng)
    radius = min(width, height) * float(rng.uniform(0.15, 0.5))
    x, y = width * float(rng.uniform(0.35, 0.65)), height * float(rng.uniform(0.4, 0.6))
    draw_figure(picture, x, y, radius, rng)
    return picture


def slide(width: int, height: int, rng: Rng) -> Picture:
    """A shared screen: lines of text, boxes, bars, a formula; often with icons."""
    light = rng.random() < 0.7
    picture = blank(width, height, shade(rng, 225, 256) if light else shade(rng, 10, 60))
    ink = shade(rng, 0, 110) if light else shade(rng, 150, 256)
    for _ in range(int(rng.integers(0, 4))):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        cv2.rectangle(
            picture, (x, y), (x + int(rng.integers(5, 70)), y + int(rng.integers(3, 60))), shade(rng), -1
        )
    size = int(rng.integers(7, 22))
    for y in range(size, height - size, round(size * rng.uniform(1.3, 3.5))):
        text = " ".join(str(rng.choice(_WORDS)) for _ in range(int(rng.integers(1, 5))))
        write(picture, text, size, (float(rng.integers(2, 30)), y), "lm", ink)
    if rng.random() < 0.3:
        scatter_figures(picture, rng)
    return picture


def pattern(width: int, height: int, rng: Rng) -> Picture:
    """Texture: noise of some scale, stripes, a chequerboard, dots."""
    kind = int(rng.integers(4))
    if kind == 0:
        cell = float(rng.uniform(1, 24))
        coarse = rng.integers(0, 256, (max(2, int(height / cell)), max(2, int(width / cell)), 3)).astype(
            np.uint8
        )
        return np.asarray(
            cv2.resize(coarse, (width, height), interpolation=int(rng.integers(0, 3))), np.uint8
        )
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, period = rng.uniform(0, math.pi), rng.uniform(3, 40)
    along = np.sin((x * math.cos(angle) + y * math.sin(angle)) * 2 * math.pi / period)
    across = np.sin((y * math.cos(angle) - x * math.sin(angle)) * 2 * math.pi / period)
    field = (along, along * across, np.minimum(along, across))[kind - 1]
    weight = np.clip(field * rng.uniform(0.6, 8) + 0.5, 0, 1)[..., None]
    return np.asarray(weight * shade(rng) + (1 - weight) * shade(rng), np.uint8)


def room(width: int, height: int, rng: Rng) -> Picture:
    """A wall with light from one side, shelves, frames, a lamp; sometimes only a gradient or one colour."""
    base = np.array(shade(rng, 15, 245), np.float32)
    slope = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None] * rng.uniform(-45, 45)
    fall = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None] * rng.uniform(-45, 45)
    picture = np.asarray(np.clip(base + slope + fall, 0, 255), np.uint8)
    for _ in range(int(rng.integers(0, 7))):
        x, y = int(rng.integers(-width // 4, width)), int(rng.integers(-height // 4, height))
        w, h = int(rng.integers(3, max(4, width // 2))), int(rng.integers(3, max(4, height // 2)))
        colour = shade(rng)
        if rng.random() < 0.8:
            cv2.rectangle(picture, (x, y), (x + w, y + h), colour, -1)
            if rng.random() < 0.3:
                cv2.rectangle(picture, (x, y), (x + w, y + h), shade(rng), 2)
        else:
            disc(picture, x + w / 2, y + h / 2, w / 2, h / 2, colour)
    if rng.random() < 0.25:
        top, left = int(rng.integers(height)), int(rng.integers(-10, width))
        tall = max(4, height // 4)
        while left < width:
            thick = int(rng.integers(2, 9))
            cv2.rectangle(
                picture, (left, top), (left + thick, top + int(tall * rng.uniform(0.6, 1))), shade(rng), -1
            )
            left += thick + 1
    return picture


def faceless(number: int, width: int, height: int, rng: Rng) -> Picture:
    """A tile on which nothing is a face; kinds take turns by `number`."""
    return _KINDS[number % len(_KINDS)](width, height, rng)


_KINDS: Final[tuple[Callable[..., Picture], ...]] = (card, avatar_card, avatar_card, slide, pattern, room)
