"""Pack the tiles that show a camera into one small picture, so that one run of a detector sees them all."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.records import Box, Face, Tile

_GAP: Final = 4


@dataclass(frozen=True, slots=True)
class Mosaic:
    """A picture of tiles and where each one lies in it.

    Attributes:
        image: uint8 (H, W, 3) RGB.
        places: per tile its rectangle in `image`.
        boxes: per tile its rectangle in the frame, inside the frame.
    """

    image: NDArray[np.uint8]
    places: tuple[Box, ...]
    boxes: tuple[Box, ...]

    def share_out(self, faces: Sequence[Face]) -> tuple[tuple[Face, ...], ...]:
        """Per tile the faces whose centre lies in it, in pixels of the frame, clipped to the tile."""
        found: list[list[Face]] = [[] for _ in self.places]
        for face in faces:
            for index, (place, box) in enumerate(zip(self.places, self.boxes, strict=True)):
                if place.contains(*face.box.centre):
                    found[index].append(_moved(face, place, box))
                    break
        return tuple(tuple(tile_faces) for tile_faces in found)


def build_mosaic(image: NDArray[np.uint8], tiles: Sequence[Tile], tile_height: int) -> Mosaic:
    """Bring each tile to `tile_height` pixels and lay them out row by row in a compact picture.

    Args:
        image: uint8 (H, W, 3) RGB, the frame.
        tiles: at least one, each at least partly inside the frame.
        tile_height: pixels, above 0.
    """
    import cv2

    height, width = image.shape[:2]
    boxes = tuple(tile.box.clipped(width, height) for tile in tiles)
    sizes = [(max(1, round(box.width * tile_height / box.height)), tile_height) for box in boxes]
    cell = max(size[0] for size in sizes) + _GAP
    columns = max(1, round(math.sqrt(len(boxes) * (tile_height + _GAP) / cell * 16 / 9)))
    columns = min(columns, len(boxes))
    rows = math.ceil(len(boxes) / columns)
    picture = np.zeros((rows * (tile_height + _GAP), columns * cell, 3), np.uint8)
    places = []
    for index, (box, (tile_width, _)) in enumerate(zip(boxes, sizes, strict=True)):
        row, column = divmod(index, columns)
        place = Box(column * cell, row * (tile_height + _GAP), tile_width, tile_height)
        part = image[box.top : box.bottom, box.left : box.right]
        way = cv2.INTER_AREA if box.height > tile_height else cv2.INTER_LINEAR
        picture[place.top : place.bottom, place.left : place.right] = cv2.resize(
            part, (place.width, place.height), interpolation=way
        )
        places.append(place)
    return Mosaic(picture, tuple(places), boxes)


def _moved(face: Face, place: Box, box: Box) -> Face:
    across, down = box.width / place.width, box.height / place.height
    left = max(box.left, round(box.left + (face.box.left - place.left) * across))
    top = max(box.top, round(box.top + (face.box.top - place.top) * down))
    right = min(box.right, round(box.left + (face.box.right - place.left) * across))
    bottom = min(box.bottom, round(box.top + (face.box.bottom - place.top) * down))
    landmarks = (face.landmarks - (place.left, place.top)) * (across, down) + (box.left, box.top)
    inside = Box(left, top, max(1, right - left), max(1, bottom - top))
    return Face(inside, landmarks.astype(np.float32), face.score)
