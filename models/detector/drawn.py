"""Things that are not faces, drawn: cards, avatars, animals, slides, patterns, rooms; and things that hide faces."""

import math
from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]
Rng = np.random.Generator

_FIRST: Final = (
    "Ada",
    "Bo",
    "Chiara",
    "Dmitri",
    "Eun",
    "Fatima",
    "Grace",
    "Hugo",
    "Ines",
    "Jamal",
    "Keiko",
    "Liam",
    "Olu",
)
_LAST: Final = (
    "Okafor",
    "Dahl",
    "Conti",
    "Park",
    "Zahra",
    "Lee",
    "Costa",
    "Wright",
    "O'Brien",
    "Chen",
    "Weber",
    "Q.",
)
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
_SKINS: Final = (
    (255, 224, 189),
    (234, 192, 134),
    (198, 134, 66),
    (141, 85, 36),
    (92, 60, 40),
    (255, 205, 40),
    (250, 210, 190),
)
_FONTS: dict[int, Any] = {}


def shade(rng: Rng, low: int = 0, high: int = 256) -> Colour:
    """A random colour, its channels in low..high - 1."""
    red, green, blue = rng.integers(low, high, 3).tolist()
    return red, green, blue


def name_of(rng: Rng) -> str:
    """A first and a last name."""
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


def write(picture: Picture, text: str, size: int, at: tuple[float, float], anchor: str, ink: Colour) -> None:
    """Write into the picture in place; `size` in pixels, 6 or more."""
    size = max(6, size)
    if size not in _FONTS:
        _FONTS[size] = ImageFont.load_default(size)
    canvas = Image.fromarray(picture)
    ImageDraw.Draw(canvas).text(at, text, fill=ink, font=_FONTS[size], anchor=anchor)
    picture[:] = np.asarray(canvas)


def blank(width: int, height: int, colour: Colour) -> Picture:
    """One colour, uint8 (height, width, 3)."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = colour
    return picture


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
    draw: Callable[..., None] = _AVATARS[int(rng.integers(len(_AVATARS)))]
    draw(picture, x, y, radius, rng)
    return picture


def scatter_avatars(picture: Picture, rng: Rng) -> None:
    """Small drawn figures, as icons, stickers and reactions, anywhere in the picture, in place."""
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        draw: Callable[..., None] = _AVATARS[int(rng.integers(len(_AVATARS)))]
        draw(picture, rng.uniform(0, width), rng.uniform(0, height), rng.uniform(5, 26), rng)


def _disc(
    picture: Picture, x: float, y: float, a: float, b: float, colour: Colour, angle: float = 0.0
) -> None:
    axes = (max(1, round(a)), max(1, round(b)))
    cv2.ellipse(picture, (round(x), round(y)), axes, angle, 0, 360, colour, -1, cv2.LINE_AA)


def _silhouette(picture: Picture, x: float, y: float, r: float, rng: Rng) -> None:
    colour = shade(rng)
    if rng.random() < 0.5:
        _disc(picture, x, y, r, r, shade(rng))
    _disc(picture, x, y - 0.25 * r, 0.38 * r, 0.42 * r, colour)
    _disc(picture, x, y + 0.75 * r, 0.75 * r, 0.5 * r, colour)


def _smiley(picture: Picture, x: float, y: float, r: float, rng: Rng) -> None:
    yellow = (255, int(rng.integers(180, 225)), int(rng.integers(20, 90)))
    _disc(picture, x, y, r, r, yellow if rng.random() < 0.6 else shade(rng, 80))
    ink = shade(rng, 0, 70)
    for side in (-1, 1):
        _disc(picture, x + side * 0.35 * r, y - 0.25 * r, 0.11 * r, rng.uniform(0.1, 0.2) * r, ink)
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
    skin = _SKINS[int(rng.integers(len(_SKINS)))]
    hair, ink = shade(rng, 0, 160), shade(rng, 0, 60)
    _disc(picture, x, y + 1.5 * r, 1.1 * r, 0.8 * r, shade(rng))
    cv2.rectangle(
        picture, (round(x - 0.2 * r), round(y + 0.5 * r)), (round(x + 0.2 * r), round(y + r)), skin, -1
    )
    if rng.random() < 0.5:
        _disc(picture, x, y + 0.1 * r, 0.85 * r, rng.uniform(0.9, 1.3) * r, hair)
    else:
        _disc(picture, x, y - 0.25 * r, 0.78 * r, 0.75 * r, hair)
    _disc(picture, x, y, rng.uniform(0.58, 0.72) * r, rng.uniform(0.75, 0.9) * r, skin)
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
            _disc(picture, eye, y - 0.08 * r, 0.13 * r, 0.1 * r, (250, 250, 250))
        _disc(picture, eye, y - 0.08 * r, 0.07 * r, 0.07 * r, ink)
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
    light = tuple(int(v) for v in np.clip(fur * 1.2 + 20, 0, 255))
    _disc(patch8, c, c + 0.35 * u, 0.38 * u, 0.3 * u, light)
    for side in (-1, 1):
        _disc(patch8, c + side * 0.35 * u, c - 0.15 * u, 0.13 * u, 0.13 * u, shade(rng, 0, 60))
        _disc(patch8, c + side * 0.33 * u, c - 0.19 * u, 0.04 * u, 0.04 * u, (250, 250, 250))
    _disc(patch8, c, c + 0.22 * u, 0.14 * u, 0.09 * u, (25, 20, 20))
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
        _disc(picture, x + side * 0.45 * a, y - 0.3 * b, 0.2 * r, 0.2 * r, ink)
    cv2.rectangle(
        picture, (round(x - 0.5 * a), round(y + 0.35 * b)), (round(x + 0.5 * a), round(y + 0.55 * b)), ink, -1
    )


_AVATARS: Final = (_silhouette, _smiley, _cartoon, _cartoon, _animal, _animal, _robot)


def _paste(picture: Picture, patch: Picture, mask: Picture, left: int, top: int) -> None:
    height, width = picture.shape[:2]
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(width, left + patch.shape[1]), min(height, top + patch.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    here = picture[y0:y1, x0:x1]
    here[:] = np.where(mask[part][..., None] > 0, patch[part], here)


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
        scatter_avatars(picture, rng)
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
    return (weight * shade(rng) + (1 - weight) * shade(rng)).astype(np.uint8)


def room(width: int, height: int, rng: Rng) -> Picture:
    """A wall with light from one side, shelves, frames, a lamp; sometimes only a gradient or one colour."""
    base = np.array(shade(rng, 15, 245), np.float32)
    slope = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None] * rng.uniform(-45, 45)
    fall = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None] * rng.uniform(-45, 45)
    picture = np.clip(base + slope + fall, 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 7))):
        x, y = int(rng.integers(-width // 4, width)), int(rng.integers(-height // 4, height))
        w, h = int(rng.integers(3, max(4, width // 2))), int(rng.integers(3, max(4, height // 2)))
        colour = shade(rng)
        if rng.random() < 0.8:
            cv2.rectangle(picture, (x, y), (x + w, y + h), colour, -1)
            if rng.random() < 0.3:
                cv2.rectangle(picture, (x, y), (x + w, y + h), shade(rng), 2)
        else:
            _disc(picture, x + w / 2, y + h / 2, w / 2, h / 2, colour)
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


def blob(picture: Picture, rng: Rng) -> None:
    """A hand, an arm or a shoulder, as shaded ovals of skin, somewhere in the picture, in place."""
    height, width = picture.shape[:2]
    skin = np.array(_SKINS[int(rng.integers(5))])
    x, y, r = rng.uniform(0, width), rng.uniform(height * 0.3, height), rng.uniform(0.06, 0.2) * height
    angle = float(rng.uniform(0, 180))
    for number in range(int(rng.integers(1, 6))):
        colour = tuple(int(v) for v in np.clip(skin * rng.uniform(0.7, 1.05), 0, 255))
        _disc(picture, x + number * 0.4 * r, y - rng.uniform(0, 0.3) * r, 0.3 * r, r, colour, angle)


def cover(
    picture: Picture, box: NDArray[np.float32], points: NDArray[np.float32], tilt: float, rng: Rng
) -> None:
    """Put something on or around a face, in place: a head scarf, a headset, glasses, a hand, a cup.

    Args:
        picture: uint8 (H, W, 3).
        box: float32 (4,), of the upright face before it was tilted, around the same centre.
        points: float32 (5, 2), its landmarks as they lie in the picture.
        tilt: of the face in degrees, clockwise.
    """
    x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    w, h = float(box[2] - box[0]), float(box[3] - box[1])
    kind = int(rng.integers(5))
    colour = shade(rng)
    if kind == 0:
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
    elif kind == 1:
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
            _disc(picture, ear[0], ear[1] + 0.08 * h, 0.12 * w, 0.17 * h, colour, tilt)
    elif kind == 2:
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
    elif kind == 3:
        skin = tuple(int(v * rng.uniform(0.75, 1)) for v in _SKINS[int(rng.integers(5))])
        at = points[int(rng.integers(3, 5))] + rng.normal(0, 0.12 * h, 2)
        _disc(picture, at[0], at[1] + 0.15 * h, 0.16 * w, 0.3 * h, skin, float(rng.uniform(-50, 50)))
    else:
        at = points[3:].mean(axis=0) + rng.normal(0, 0.06 * h, 2)
        half = np.array([rng.uniform(0.15, 0.35) * w, rng.uniform(0.08, 0.3) * h])
        low = np.rint(at - np.array([half[0], 0])).astype(int)
        high = np.rint(at + half * (1, 2)).astype(int)
        cv2.rectangle(picture, tuple(low.tolist()), tuple(high.tolist()), colour, -1)
