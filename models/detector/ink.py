"""Colours, letters and ovals: what drawn things are made of."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]
Rng = np.random.Generator

SKINS: Final = (
    (255, 224, 189),
    (234, 192, 134),
    (198, 134, 66),
    (141, 85, 36),
    (92, 60, 40),
    (255, 205, 40),
    (250, 210, 190),
)
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
_FONTS: dict[int, Any] = {}


def shade(rng: Rng, low: int = 0, high: int = 256) -> Colour:
    """A random colour, its channels in low..high - 1."""
    red, green, blue = rng.integers(low, high, 3).tolist()
    return red, green, blue


def clipped_colour(values: NDArray[np.floating[Any]]) -> Colour:
    """A colour of three numbers, which may lie beyond 0..255."""
    red, green, blue = np.clip(values, 0, 255).astype(int).tolist()
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


def disc(
    picture: Picture, x: float, y: float, a: float, b: float, colour: Colour, angle: float = 0.0
) -> None:
    """A filled oval around (x, y) with the half axes a and b in pixels, in place."""
    axes = (max(1, round(a)), max(1, round(b)))
    cv2.ellipse(picture, (round(x), round(y)), axes, angle, 0, 360, colour, -1, cv2.LINE_AA)
