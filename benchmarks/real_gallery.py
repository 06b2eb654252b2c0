"""Compose galleries of real portraits as a meeting window shows them, with known tiles.

For benchmarks and tests; the portraits stay outside the project.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pyarrow import parquet

from engagement.records import Box, Tile


@dataclass(frozen=True, slots=True)
class ComposedGallery:
    """A picture of a gallery and what is in it.

    Attributes:
        image: uint8 (H, W, 3) RGB.
        tiles: row-major, label boxes included.
        names: the text drawn on each tile.
        faces: per tile the rectangle in which the portrait's head lies, in pixels of the image, None on cards.
    """

    image: NDArray[np.uint8]
    tiles: tuple[Tile, ...]
    names: tuple[str, ...]
    faces: tuple[Box | None, ...]


def portraits(data: Path, split: str, count: int, seed: int) -> list[tuple[str, NDArray[np.uint8]]]:
    """`count` people of a split: name and picture uint8 (250, 250, 3) RGB."""
    table = _portraits(data, split)
    order = np.random.default_rng(seed).permutation(table.num_rows)[:count]
    people = []
    for row in table.take(order).to_pylist():
        raw = row["image"]["bytes"] if isinstance(row["image"], dict) else row["image"]
        picture = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR_RGB)
        people.append((str(row["person"]).replace("_", " "), np.asarray(picture, np.uint8)))
    return people


@lru_cache
def _portraits(data: Path, split: str) -> Any:
    return parquet.read_table(data / "faces" / "portraits.parquet", filters=[("split", "=", split)])


def compose(
    people: list[tuple[str, NDArray[np.uint8]]],
    size: tuple[int, int],
    *,
    seed: int = 0,
    cameras_off: int = 0,
) -> ComposedGallery:
    """One tile per person in a window of `size` (width, height); the last row is centred.

    Heads are a fifth to half as high as their tile and lie off the centre; `cameras_off` tiles are cards.
    """
    rng = np.random.default_rng(seed)
    width, height = size
    count, gap = len(people), 6
    columns = min(
        range(1, count + 1),
        key=lambda c: -min((width - gap) / c - gap, ((height - gap) / math.ceil(count / c) - gap) * 16 / 9),
    )
    rows = math.ceil(count / columns)
    tile_width = int(min((width - gap) / columns - gap, ((height - gap) / rows - gap) * 16 / 9))
    tile_height = tile_width * 9 // 16
    image = np.full((height, width, 3), 26, np.uint8)
    off = set(rng.permutation(count)[:cameras_off].tolist())
    top = (height - rows * (tile_height + gap) + gap) // 2
    tiles, faces = [], []
    for index, (name, portrait) in enumerate(people):
        row, column = divmod(index, columns)
        in_row = min(columns, count - row * columns)
        left = (width - in_row * (tile_width + gap) + gap) // 2 + column * (tile_width + gap)
        box = Box(left, top + row * (tile_height + gap), tile_width, tile_height)
        if index in off:
            picture, face = _card(name, tile_width, tile_height), None
        else:
            picture, face = _video(portrait, tile_width, tile_height, rng)
            face = Box(face.left + box.left, face.top + box.top, face.width, face.height)
        label = _label(picture, name)
        image[box.top : box.bottom, box.left : box.right] = picture
        label = Box(label.left + box.left, label.top + box.top, label.width, label.height)
        tiles.append(Tile(box, label, index not in off))
        faces.append(face)
    return ComposedGallery(image, tuple(tiles), tuple(name for name, _ in people), tuple(faces))


def _card(name: str, width: int, height: int) -> NDArray[np.uint8]:
    picture = np.full((height, width, 3), (38, 38, 42), np.uint8)
    scale = height / 190
    (across, down), _ = cv2.getTextSize(name, cv2.FONT_HERSHEY_SIMPLEX, scale, max(1, round(scale * 1.5)))
    scale *= min(1.0, 0.9 * width / across)
    (across, down), _ = cv2.getTextSize(name, cv2.FONT_HERSHEY_SIMPLEX, scale, max(1, round(scale * 1.5)))
    place = ((width - across) // 2, (height + down) // 2)
    cv2.putText(
        picture,
        name,
        place,
        cv2.FONT_HERSHEY_SIMPLEX,
        scale,
        (240, 240, 240),
        max(1, round(scale * 1.5)),
        cv2.LINE_AA,
    )
    return picture


def _video(
    portrait: NDArray[np.uint8], width: int, height: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], Box]:
    """A portrait on its own blurred background; LFW centres heads of about 0.45 of the picture's height."""
    picture = cv2.GaussianBlur(cv2.resize(portrait[:60], (width, height)), (0, 0), height / 12)
    side = round(height * rng.uniform(0.5, 1.15))
    scaled = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
    left = round((width - side) * rng.uniform(0.25, 0.75))
    top = height - side if side < height else round((height - side) * 0.4)
    source = scaled[max(0, -top) : height - top, max(0, -left) : width - left]
    picture[max(0, top) : max(0, top) + source.shape[0], max(0, left) : max(0, left) + source.shape[1]] = (
        source
    )
    head = Box(left + round(side * 0.3), top + round(side * 0.27), round(side * 0.4), round(side * 0.48))
    return np.asarray(picture, np.uint8), head.clipped(width, height)


def _label(picture: NDArray[np.uint8], name: str) -> Box:
    """Draw the name on a translucent strip at the bottom left; gives the strip."""
    height, width = picture.shape[:2]
    scale = max(0.35, height / 420)
    (across, down), base = cv2.getTextSize(name, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    strip = Box(0, height - down - base - 6, min(width, across + 10), down + base + 6)
    area = picture[strip.top : strip.bottom, strip.left : strip.right]
    area[:] = area // 3
    cv2.putText(
        picture,
        name,
        (5, height - base - 3),
        cv2.FONT_HERSHEY_SIMPLEX,
        scale,
        (245, 245, 245),
        1,
        cv2.LINE_AA,
    )
    return strip
